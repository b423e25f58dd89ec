"""A read that a person has corrected: signed, bound to one passage and to what was read, kept in the book.

The wire form is the UTF-8 JSON of `payload`, sealed as it is sent (gateway_ctl/seal.py, `sign_correction`).
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from drivers.readings import Instant
from gateway_ctl.orders import Malformed


class Check(StrEnum):
    """What is compared: declared against seen."""

    PLATE = "plate"
    TAG = "tag"
    TRAILER = "trailer"
    CONTAINERS = "containers"
    SEAL = "seal"
    WEIGHT = "weight"
    DIRECTION = "direction"
    DOCUMENT = "document"


CORRECTABLE = frozenset({Check.PLATE, Check.TAG, Check.TRAILER, Check.CONTAINERS, Check.SEAL})
"""What a person standing before the truck can read; nobody corrects a weight by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What one person read with their own eyes."""

    id: str
    site: str
    lane: str
    passage: str
    check: Check
    seen: tuple[str, ...]
    """What the instruments had read when the person looked."""
    value: tuple[str, ...]
    """What it is: one plate, all container codes, all seal numbers. For TAG empty: the tag does not count."""
    issued_at: Instant
    expires_at: Instant
    reason_zh: str
    reason_en: str
    person: str


class _Reason(msgspec.Struct, frozen=True):
    zh: str
    en: str


class _Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    v: int
    id: str
    site: str
    lane: str
    passage: str
    check: Check
    seen: list[str]
    value: list[str]
    issued_at: float
    expires_at: float
    reason: _Reason
    person: str


_LONGEST_PAYLOAD = 8 * 1024
"""Bytes. A full correction is under 600."""
_MOST_VALUES = 8
"""Two boxes with up to four seals are the most a truck carries."""


def payload(correction: Correction) -> bytes:
    """The bytes to be sealed."""
    return msgspec.json.encode(
        _Payload(
            v=1,
            id=correction.id,
            site=correction.site,
            lane=correction.lane,
            passage=correction.passage,
            check=correction.check,
            seen=list(correction.seen),
            value=list(correction.value),
            issued_at=correction.issued_at,
            expires_at=correction.expires_at,
            reason=_Reason(correction.reason_zh, correction.reason_en),
            person=correction.person,
        )
    )


def parse(data: bytes) -> Correction:
    """The correction in a payload. Raises Malformed."""
    if len(data) > _LONGEST_PAYLOAD:
        raise Malformed(f"{len(data)} bytes, more than {_LONGEST_PAYLOAD}")
    try:
        raw = msgspec.json.decode(data, type=_Payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise Malformed(str(wrong)) from wrong
    if raw.v != 1:
        raise Malformed(f"version {raw.v}, expected 1")
    if not (raw.id and raw.site and raw.lane and raw.passage and raw.person):
        raise Malformed("id, site, lane, passage or person is empty")
    if raw.check not in CORRECTABLE:
        raise Malformed(f"{raw.check.value} is not corrected by hand")
    if len(raw.value) > _MOST_VALUES or any(not value.strip() for value in raw.value):
        raise Malformed("a value is empty, or there are too many")
    if (len(raw.value) == 0) is not (raw.check is Check.TAG):
        raise Malformed("a tag is set aside and has no value; everything else has one")
    if raw.check in (Check.PLATE, Check.TRAILER) and len(raw.value) != 1:
        raise Malformed("one plate")
    return Correction(
        id=raw.id,
        site=raw.site,
        lane=raw.lane,
        passage=raw.passage,
        check=raw.check,
        seen=tuple(raw.seen),
        value=tuple(raw.value),
        issued_at=Instant(raw.issued_at),
        expires_at=Instant(raw.expires_at),
        reason_zh=raw.reason.zh,
        reason_en=raw.reason.en,
        person=raw.person,
    )
