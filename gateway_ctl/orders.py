"""Orders and permits. An order says what customs or a person wants; a permit is what the interlock made of it.

The wire form of an order is the UTF-8 JSON of `payload`; the seals cover those bytes as they were sent.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

import msgspec

from drivers.readings import Instant


class Verb(StrEnum):
    """What is ordered. RELEASE raises the boom once; LOWER is a person's only."""

    RELEASE = "release"
    HOLD = "hold"
    INSPECT = "inspect"
    REFUSE = "refuse"
    LOWER = "lower"


class Movement(StrEnum):
    """Where the boom is to go."""

    RAISE = "raise"
    LOWER = "lower"


class Origin(StrEnum):
    """Who stands behind an order, as proven by the keys that sealed it."""

    CUSTOMS = "customs"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A wish with a name, a place, a truck and an end."""

    id: str
    verb: Verb
    site: str
    lane: str
    passage: str | None
    """None only for a person's LOWER of a lane without a passage."""
    plate: str | None
    containers: tuple[str, ...]
    declared_kg: Decimal | None
    tolerance_kg: Decimal | None
    issued_at: Instant
    expires_at: Instant
    reason_zh: str
    reason_en: str
    persons: tuple[str, ...] = ()
    origin: Origin = Origin.CUSTOMS
    """Set by the seals when the order is admitted, never read from the payload."""
    issuer: str = ""
    """Key id of the first seal; set when admitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One Ed25519 signature (64 bytes) and the id of the key that made it."""

    key: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOrder:
    """The bytes that were signed, and the seals on them."""

    payload: bytes
    seals: tuple[Seal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Leave to move one boom once. It runs out by itself, and any late reading withdraws it."""

    id: str
    lane: str
    passage: str | None
    order: str | None
    """None for the lowering that follows a crossing."""
    by_person: bool
    movement: Movement
    granted_at: Instant
    expires_at: Instant
    picture: str
    """Digest of the picture on which it was granted."""


class _Reason(msgspec.Struct, frozen=True):
    zh: str
    en: str


class _Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Version 1 of the wire form. An unknown field refuses the order: it might be the one that matters."""

    v: int
    id: str
    verb: Verb
    site: str
    lane: str
    passage: str | None
    plate: str | None
    containers: list[str]
    declared_kg: str | None
    tolerance_kg: str | None
    issued_at: float
    expires_at: float
    reason: _Reason
    persons: list[str]


_LONGEST_PAYLOAD = 8 * 1024
"""Bytes. A full order with two containers is under 700; anything near this is not an order."""


_HEAVIEST_KG, _FINEST_KG = Decimal(1_000_000), -3
"""No deck carries a thousand tonnes, none shows less than a gram (a power of ten): what lies beyond is no weight."""


class Malformed(ValueError):
    """The payload is not an order of version 1."""


def payload(order: Order) -> bytes:
    """The bytes to be sealed."""
    return msgspec.json.encode(
        _Payload(
            v=1,
            id=order.id,
            verb=order.verb,
            site=order.site,
            lane=order.lane,
            passage=order.passage,
            plate=order.plate,
            containers=list(order.containers),
            declared_kg=None if order.declared_kg is None else str(order.declared_kg),
            tolerance_kg=None if order.tolerance_kg is None else str(order.tolerance_kg),
            issued_at=order.issued_at,
            expires_at=order.expires_at,
            reason=_Reason(order.reason_zh, order.reason_en),
            persons=list(order.persons),
        )
    )


def parse(data: bytes) -> Order:
    """The order in a payload; origin and issuer are not yet known. Raises Malformed."""
    if len(data) > _LONGEST_PAYLOAD:
        raise Malformed(f"{len(data)} bytes, more than {_LONGEST_PAYLOAD}")
    try:
        raw = msgspec.json.decode(data, type=_Payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise Malformed(str(wrong)) from wrong
    if raw.v != 1:
        raise Malformed(f"version {raw.v}, expected 1")
    if not raw.id or not raw.lane or not raw.site:
        raise Malformed("id, site or lane is empty")
    return Order(
        id=raw.id,
        verb=raw.verb,
        site=raw.site,
        lane=raw.lane,
        passage=raw.passage,
        plate=raw.plate,
        containers=tuple(raw.containers),
        declared_kg=_kg(raw.declared_kg),
        tolerance_kg=_kg(raw.tolerance_kg),
        issued_at=Instant(raw.issued_at),
        expires_at=Instant(raw.expires_at),
        reason_zh=raw.reason.zh,
        reason_en=raw.reason.en,
        persons=tuple(raw.persons),
    )


def _kg(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation as wrong:
        raise Malformed(f"{text!r} is no weight in kg") from wrong
    exponent = value.as_tuple().exponent
    if isinstance(exponent, str) or exponent < _FINEST_KG or not 0 <= value <= _HEAVIEST_KG:
        raise Malformed(f"{text!r} is no weight in kg")
    return value
