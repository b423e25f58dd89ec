"""A reading becomes a verdict: what was seen is recorded, its digest sealed, and the end told where it must be."""

import asyncio
import base64
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from consoles.inspection.desk import Arrived, Event
from consoles.inspection.wire import Card, Draft, Finding
from drivers.readings import Instant
from gateway_ctl import inspection, seal
from telemetry import topics
from telemetry.faults import NotDelivered, SpoolFailed
from telemetry.payloads.envelope import Envelope, encode, wrap
from telemetry.payloads.lane import Text
from telemetry.payloads.order import SealBody, VerdictBody
from telemetry.payloads.review import ReviewBody
from vision.xray.scan import Flaw

log = logging.getLogger(__name__)

PUBLISH_DEADLINE_S: Final = 3.0
"""Real seconds for the broker to take a verdict."""
REASON: Final[dict[Finding, Text]] = {
    "clear": Text("审图无异常", "Image review: clear"),
    "suspect": Text("审图有嫌疑", "Image review: suspect"),
    "open": Text("审图转查验", "Image review: to be opened"),
    "again": Text("图像不可判读,重新扫描", "Image cannot be judged: scan again"),
}
_LOST: Final = frozenset({Flaw.GAP.value, Flaw.LOST_ENERGY.value, Flaw.PART_LINE.value, Flaw.TORN.value})


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader had before him when he judged."""

    digest: str
    person: str
    reading: int
    finding: Finding
    taken_at: float
    judged_at: float
    draft: Draft
    note: str
    pages: str
    """Digest of the pages that showed it."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the review's book."""

    event: Event
    record: Record | None = None
    sealed: VerdictBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A reader's word with his seal."""

    id: str
    view: str
    """SHA-256 of the record, hex."""
    body: VerdictBody
    bound: bool
    """Whether it names a truck: one that does not can be told to no lane."""


def sealed(site: str, scan: Arrived, card: Card, record: Record, lives_s: float, key: seal.PrivateKey) -> Sealed:
    """The verdict that this record ends in, signed with its person's key."""
    say, note = REASON[record.finding], record.note.strip()
    view = hashlib.sha256(msgspec.json.encode(record)).hexdigest()
    verdict = inspection.Verdict(
        id=f"{site}-x-{secrets.token_hex(8)}",
        finding=inspection.Finding(record.finding),
        site=site,
        lane=None,
        passage=scan.passage or None,
        plate=scan.plate or None,
        containers=tuple(scan.containers),
        scan=scan.digest,
        torn=any(remark.flaw in _LOST for remark in card.remarks),
        view=view,
        issued_at=Instant(record.judged_at),
        expires_at=Instant(record.judged_at + lives_s),
        reason_zh=f"{say.zh}:{note}" if note else say.zh,
        reason_en=f"{say.en}: {note}" if note else say.en,
        persons=(record.person,),
    )
    signed = seal.sign_verdict(verdict, record.person, key)
    body = VerdictBody(
        payload=base64.b64encode(signed.payload).decode("ascii"),
        seals=[SealBody(key=s.key, signature=base64.b64encode(s.signature).decode("ascii")) for s in signed.seals],
    )
    bound = bool(scan.passage or scan.plate or scan.containers)
    return Sealed(id=verdict.id, view=view, body=body, bound=bound)


class Sender(Protocol):
    """The bus, as far as a verdict needs it."""

    @property
    def up(self) -> bool: ...
    async def deliver(self, topic: str, payload: bytes, *, retain: bool = False) -> None: ...


class Carrier:
    """Takes what holds to the lanes, and to customs and the records."""

    def __init__(
        self,
        site: str,
        bus: Sender,
        lanes_for: Callable[[str], Iterable[str]],
        record: Callable[[ReviewBody, float], Awaitable[int]],
    ) -> None:
        """`lanes_for`: where a passage is, or every lane it may come to. `record`: says what must not be lost."""
        self._site, self._bus, self._lanes_for, self._record = site, bus, lanes_for, record
        self._recorded: set[str] = set()

    async def carry(self, body: ReviewBody, at: float, *, to_lanes: bool) -> list[str] | None:
        """The lanes that have been told; None when it must be tried again."""
        if body.verdict not in self._recorded:
            try:
                await self._record(body, at)
            except SpoolFailed as wrong:
                log.warning("the review of scan %s is not recorded yet: %s", body.scan[:16], wrong)
                return None
            self._recorded.add(body.verdict)
        if not to_lanes:
            return []
        told: list[str] = []
        for lane in self._lanes_for(body.passage):
            envelope = Envelope(id=body.verdict, at=at, src="console", body=encode(body.sealed))
            try:
                async with asyncio.timeout(PUBLISH_DEADLINE_S):
                    await self._bus.deliver(topics.topic(self._site, lane, "verdict"), wrap(envelope))
            except (NotDelivered, TimeoutError):
                return None
            told.append(lane)
        return told
