"""Whether a book is whole, and whether it is the one that its lane has signed for."""

import asyncio
import binascii
import sqlite3
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.config import Site
from edge.evidence.kept import stored
from gateway_ctl.anchor import NoAnchor, SignedAnchor, disagreement, parse
from gateway_ctl.book import GENESIS, Broken, Verified, entries, verify
from gateway_ctl.seal import attested, load_public
from telemetry.payloads.lane import AnchorBody
from telemetry.stored import StoredRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What one book proves."""

    path: Path
    book: Verified | Broken
    anchors: int = 0
    """Anchors that agree with it."""
    kept: int = 0
    """Of these, how many the recorder has kept."""
    against: tuple[Broken, ...] = ()
    """Anchors that do not."""

    @property
    def well(self) -> bool:
        """Whole, and no anchor against it."""
        return isinstance(self.book, Verified) and not self.against


class _InBook(msgspec.Struct):
    payload: bytes
    signature: bytes


def prove(path: Path, *, lane: str | None, public: bytes | None, kept: Sequence[SignedAnchor]) -> Proof:
    """`kept`: the lane's anchors in other hands. `lane`, `public` None: not known, and not asked of the anchors."""
    book = verify(path)
    if isinstance(book, Broken):
        return Proof(path=path, book=book)
    try:
        own = [SignedAnchor(said.payload, said.signature) for said in _own(path)]
    except (sqlite3.Error, msgspec.MsgspecError) as wrong:
        return Proof(path=path, book=Broken(0, f"its anchors cannot be read: {wrong}"))
    against: list[Broken] = []
    agreeing: set[bytes] = set()
    for signed in dict.fromkeys((*own, *kept)):
        wrong = _against(path, book, signed, lane, public)
        if wrong is None:
            agreeing.add(signed.payload)
        else:
            against.append(wrong)
    count = sum(signed.payload in agreeing for signed in dict.fromkeys(kept))
    return Proof(path=path, book=book, anchors=len(agreeing), kept=count, against=tuple(against))


def _own(path: Path) -> Iterable[_InBook]:
    return [msgspec.json.decode(entry.body, type=_InBook) for entry in entries(path, kind="anchor")]


def _against(path: Path, book: Verified, signed: SignedAnchor, lane: str | None, public: bytes | None) -> Broken | None:
    try:
        anchor = parse(signed.payload)
    except NoAnchor as wrong:
        return Broken(0, f"what is kept as its anchor is none: {wrong}")
    if public is not None and not attested(signed.payload, signed.signature, public):
        return Broken(anchor.entries, f"the anchor of {anchor.day} ({anchor.why}) is not signed by the site's key")
    if lane is not None and anchor.lane != lane:
        return Broken(anchor.entries, f"the anchor of {anchor.day} ({anchor.why}) is lane {anchor.lane}'s")
    head = GENESIS if anchor.entries == 0 else None
    if anchor.entries > 0:
        entry = next(iter(entries(path, after=anchor.entries - 1)), None)
        head = entry.hash if entry is not None else None
    return disagreement(anchor, head, book.entries)


def anchors_in(records: Iterable[StoredRecord]) -> dict[str, list[SignedAnchor]]:
    """The anchors among the recorder's records, by lane. What is none is passed over: it was kept as it came."""
    found: dict[str, list[SignedAnchor]] = {}
    for record in records:
        if record.word != "anchor":
            continue
        try:
            body = msgspec.json.decode(record.body, type=AnchorBody)
            signed = SignedAnchor(b64decode(body.payload, validate=True), b64decode(body.signature, validate=True))
        except (msgspec.MsgspecError, binascii.Error):
            continue
        found.setdefault(record.node, []).append(signed)
    return found


async def kept_anchors(site: Site) -> dict[str, list[SignedAnchor]]:
    """The recorder's, by lane; none where it has never run. Raises RecordsDown."""
    file = site.records.url_in(site.data).removeprefix("sqlite:///")
    if site.records.url is None and not await asyncio.to_thread(Path(file).exists):
        return {}
    return anchors_in(await stored(site, ("anchor",)))


def anchor_public(site: Site) -> bytes | None:
    """The key that anchors of this site are signed with."""
    return None if site.anchors is None else load_public(site.anchors.public)
