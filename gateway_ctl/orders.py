"""Orders and permits. An order says what customs or a person wants; a permit is what the interlock made of it.

The wire form of an order is the UTF-8 JSON of `payload`; the seals cover those bytes as they were sent.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from drivers.readings import Instant


class Verb(StrEnum):
    """What is ordered. The first four are customs' words and their link's; RELEASE and all others a person's."""

    RELEASE = "release"
    """The boom is raised once, for one truck."""
    HOLD = "hold"
    INSPECT = "inspect"
    REFUSE = "refuse"
    CONFIRM = "confirm"
    """A person's yes to the release that an advisory lane advises; `confirms` names customs' order."""
    HOLD_OPEN = "hold_open"
    """The boom is raised and stays up until the order's `until`, for whoever passes. No RELEASE ever does that."""
    CLOSE = "close"
    """The end of a HOLD_OPEN: the boom comes down as soon as nothing is under it."""
    LOWER = "lower"
    """The boom comes down now; refused on anything that is not well."""
    LOWER_NOW = "lower_now"
    """Emergency: as LOWER, past a barrier that reports a fault or does not know where its arm is. Never onto an
    occupied or unknown place."""


CUSTOMS_VERBS = frozenset({Verb.RELEASE, Verb.HOLD, Verb.INSPECT, Verb.REFUSE})
"""What customs and its link may order."""
RAISING = frozenset({Verb.RELEASE, Verb.HOLD_OPEN, Verb.CONFIRM})
"""A person's verbs after which a boom may go up."""
LOWERING = frozenset({Verb.LOWER, Verb.LOWER_NOW})
LANE_WIDE = frozenset({Verb.HOLD_OPEN, Verb.CLOSE, Verb.LOWER, Verb.LOWER_NOW})
"""What a person may order in a lane without a passage."""


class Movement(StrEnum):
    """Where the boom is to go."""

    RAISE = "raise"
    LOWER = "lower"


class Origin(StrEnum):
    """Who stands behind an order, as proven by the keys that sealed it."""

    CUSTOMS = "customs"
    """Its own key, or that of the link that heard it; a link's order names the frame it rests on."""
    PERSON = "person"
    LOCAL = "local"
    """The site's key for the time of customs' silence; it opens for a known empty truck, and for nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A wish with a name, a place, a truck and an end."""

    id: str
    verb: Verb
    site: str
    lane: str
    passage: str | None
    """None only for a person's verb of LANE_WIDE in a lane without a passage."""
    plate: str | None
    containers: tuple[str, ...]
    declared_kg: Decimal | None
    tolerance_kg: Decimal | None
    issued_at: Instant
    expires_at: Instant
    reason_zh: str
    reason_en: str
    persons: tuple[str, ...] = ()
    """In the payload: whoever gave it. In an admitted order: all who signed, in the order of their seals."""
    trailer: str | None = None
    seal_numbers: tuple[str, ...] = ()
    """Customs' seals on the boxes, as declared; empty where none is declared."""
    direction: Literal["in", "out"] | None = None
    """`in` or `out`, as declared; None where it is not."""
    document: str | None = None
    """Type of the document that the truck travels on, in customs' own code."""
    evidence: tuple[str, ...] = ()
    """SHA-256, hex, of what the order rests on: customs' raw frame (a link's order must name it), or the picture that
    a person saw when they signed."""
    until: Instant | None = None
    """End of a HOLD_OPEN; None for every other verb."""
    confirms: str | None = None
    """The order of customs that a CONFIRM says yes to."""
    screen: str = ""
    """On whose screen the first person signed; a second person signs on another one."""
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
    emergency: bool = False
    """Granted for a LOWER_NOW: only the place under the boom is asked for."""
    granted_at: Instant
    expires_at: Instant
    picture: str
    """Digest of the picture on which it was granted."""


class _Reason(msgspec.Struct, frozen=True):
    zh: str
    en: str


_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
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
    trailer: str | None = None
    seal_numbers: list[str] = []
    direction: Literal["in", "out"] | None = None
    document: str | None = None
    evidence: list[_Digest] = []
    until: float | None = None
    confirms: str | None = None
    screen: str = ""


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
            trailer=order.trailer,
            seal_numbers=list(order.seal_numbers),
            direction=order.direction,
            document=order.document,
            evidence=list(order.evidence),
            until=order.until,
            confirms=order.confirms,
            screen=order.screen,
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
    if (raw.until is None) is (raw.verb is Verb.HOLD_OPEN):
        raise Malformed("`until` belongs to hold_open, and hold_open to `until`")
    if (raw.confirms is None) is (raw.verb is Verb.CONFIRM):
        raise Malformed("`confirms` belongs to confirm, and confirm to `confirms`")
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
        trailer=raw.trailer,
        seal_numbers=tuple(raw.seal_numbers),
        direction=raw.direction,
        document=raw.document,
        evidence=tuple(raw.evidence),
        until=None if raw.until is None else Instant(raw.until),
        confirms=raw.confirms,
        screen=raw.screen,
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
