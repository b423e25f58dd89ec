"""What an inspector says of a truck's X-ray scan: signed, bound to the scan and to the truck, with an end.

The wire form is the UTF-8 JSON of `payload`; the seals cover those bytes as they were sent (gateway_ctl/seal.py,
`sign_verdict`, `admit_verdict`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec

from drivers.readings import Instant
from gateway_ctl.orders import Malformed


class Finding(StrEnum):
    """What was seen. Only CLEAR lets a truck pass."""

    CLEAR = "clear"
    SUSPECT = "suspect"
    """Something in the image does not fit the papers; a second reader or an officer goes on."""
    OPEN = "open"
    """The box is to be opened."""
    AGAIN = "again"
    """The image cannot be judged: the truck is to be scanned again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One inspector's word on one scan. It is bound to whatever of passage, plate and boxes it names: at least one."""

    id: str
    finding: Finding
    site: str
    lane: str | None
    """None: any lane of the site, for a scanner that stands before all of them."""
    passage: str | None
    plate: str | None
    containers: tuple[str, ...]
    scan: str
    """SHA-256 of the scan, hex: the name of its file in the archive."""
    torn: bool
    """The scan has gaps: lines are missing in it."""
    view: str | None
    """SHA-256, hex, of what the inspector looked at: window, palette, marks, regions seen, times."""
    issued_at: Instant
    expires_at: Instant
    reason_zh: str
    reason_en: str
    persons: tuple[str, ...]
    """In the payload: whoever judged. In an admitted verdict: all who signed."""


class _Reason(msgspec.Struct, frozen=True):
    zh: str
    en: str


_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    v: int
    id: str
    finding: Finding
    site: str
    lane: str | None
    passage: str | None
    plate: str | None
    containers: list[str]
    scan: _Digest
    torn: bool
    view: _Digest | None
    issued_at: float
    expires_at: float
    reason: _Reason
    persons: list[str]


_LONGEST_PAYLOAD = 8 * 1024
"""Bytes. A full verdict is under 900; marks and views travel by digest."""


def payload(verdict: Verdict) -> bytes:
    """The bytes to be sealed."""
    return msgspec.json.encode(
        _Payload(
            v=1,
            id=verdict.id,
            finding=verdict.finding,
            site=verdict.site,
            lane=verdict.lane,
            passage=verdict.passage,
            plate=verdict.plate,
            containers=list(verdict.containers),
            scan=verdict.scan,
            torn=verdict.torn,
            view=verdict.view,
            issued_at=verdict.issued_at,
            expires_at=verdict.expires_at,
            reason=_Reason(verdict.reason_zh, verdict.reason_en),
            persons=list(verdict.persons),
        )
    )


def parse(data: bytes) -> Verdict:
    """The verdict in a payload. Raises Malformed."""
    if len(data) > _LONGEST_PAYLOAD:
        raise Malformed(f"{len(data)} bytes, more than {_LONGEST_PAYLOAD}")
    try:
        raw = msgspec.json.decode(data, type=_Payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise Malformed(str(wrong)) from wrong
    if raw.v != 1:
        raise Malformed(f"version {raw.v}, expected 1")
    if not raw.id or not raw.site or not raw.persons:
        raise Malformed("id, site or persons is empty")
    if not (raw.passage or raw.plate or raw.containers):
        raise Malformed("names neither passage nor plate nor containers: a verdict on no truck")
    return Verdict(
        id=raw.id,
        finding=raw.finding,
        site=raw.site,
        lane=raw.lane,
        passage=raw.passage,
        plate=raw.plate,
        containers=tuple(raw.containers),
        scan=raw.scan,
        torn=raw.torn,
        view=raw.view,
        issued_at=Instant(raw.issued_at),
        expires_at=Instant(raw.expires_at),
        reason_zh=raw.reason.zh,
        reason_en=raw.reason.en,
        persons=tuple(raw.persons),
    )
