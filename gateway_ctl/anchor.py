"""Anchors: what a lane says of its book, signed, to whoever keeps it elsewhere. Pure.

A chain of hashes cannot see its own cut tail, nor a book that was written anew from a page on: every hash in it is
right. A head that was signed at the time and lies in other hands finds both.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from drivers.readings import Instant
from gateway_ctl.book import Broken

HASH_BYTES = 32
_LONGEST = 4096
"""Bytes; an anchor has some 250."""


class Why(StrEnum):
    """What it was made for."""

    START = "start"
    DAY = "day"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """So many entries has the book, and the last of them has this hash."""

    site: str
    lane: str
    day: str
    """The site's day that it closes (DAY) or falls in, as 2026-11-23."""
    at: Instant
    entries: int
    head: bytes
    """32 bytes."""
    why: Why


@dataclass(frozen=True, slots=True)
class SignedAnchor:
    """The bytes that were signed, and the signature (gateway_ctl/seal.py, `attest`)."""

    payload: bytes
    signature: bytes


class NoAnchor(ValueError):
    """The payload is not an anchor of version 1."""


class _Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    v: int
    site: str
    lane: str
    day: str
    at: float
    entries: int
    head: str
    why: Why


def payload(anchor: Anchor) -> bytes:
    """The bytes to be signed: UTF-8 JSON."""
    return msgspec.json.encode(
        _Payload(
            v=1,
            site=anchor.site,
            lane=anchor.lane,
            day=anchor.day,
            at=anchor.at,
            entries=anchor.entries,
            head=anchor.head.hex(),
            why=anchor.why,
        )
    )


def parse(data: bytes) -> Anchor:
    """Raises NoAnchor."""
    if len(data) > _LONGEST:
        raise NoAnchor(f"{len(data)} bytes, more than {_LONGEST}")
    try:
        raw = msgspec.json.decode(data, type=_Payload)
        head = bytes.fromhex(raw.head)
    except ValueError as wrong:  # msgspec's errors are of this kind, as is a head that is no hex
        raise NoAnchor(str(wrong)) from wrong
    if raw.v != 1 or len(head) != HASH_BYTES or raw.entries < 0:
        raise NoAnchor("version, head or count is none of an anchor")
    return Anchor(
        site=raw.site, lane=raw.lane, day=raw.day, at=Instant(raw.at), entries=raw.entries, head=head, why=raw.why
    )


def disagreement(anchor: Anchor, head: bytes | None, entries: int) -> Broken | None:
    """What a whole book says against its anchor; None: it stands where the anchor says.

    `head`: the hash of its entry number `anchor.entries` (of none for 0: the genesis); None: it has no such entry.
    `entries`: how many it has.
    """
    if head is None:
        return Broken(
            entries + 1, f"it is cut: the anchor of {anchor.day} ({anchor.why}) counts {anchor.entries} entries"
        )
    if head != anchor.head:
        said = f"it was written anew: the anchor of {anchor.day} ({anchor.why}) has {anchor.head.hex()}"
        return Broken(anchor.entries, said)
    return None
