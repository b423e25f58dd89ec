"""The frozen picture on which the lane thinks: every reading it may look at, with its age, and nothing else.

A picture is taken once; deciding on it reads no instrument and asks no clock.
"""

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, Literal, TypeVar

import msgspec

from drivers.readings import Instant
from drivers.weighbridge.doubts import Doubt
from gateway_ctl.correction import Check, Correction
from gateway_ctl.inspection import Verdict
from gateway_ctl.modes import Consequence, Mode, Silent

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """A value as last told. `value` None: never told, or told as not known."""

    value: T | None = None
    at: Instant | None = None
    """When it was last told."""
    since: Instant | None = None
    """Since when it has been this value, told without a break."""

    def fresh(self, now: Instant, within_s: float) -> bool:
        """Whether it is known and was told within that time. What comes from the future is not fresh."""
        return self.value is not None and self.at is not None and young(self.at, now, within_s)


def young(at: Instant, now: Instant, within_s: float) -> bool:
    """Whether what was told then was told within that time, and not in the future."""
    return -_AHEAD_S <= now - at <= within_s


_AHEAD_S = 0.5
"""A reading may be stamped by another task a moment after `now` was taken; not more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The lane's contacts; true is occupied, broken, reached."""

    loop_arrival: Seen[bool] = Seen()
    beam_rear: Seen[bool] = Seen()
    beam_front: Seen[bool] = Seen()
    loop_boom: Seen[bool] = Seen()
    photocell: Seen[bool] = Seen()
    limit_down: Seen[bool] = Seen()
    limit_up: Seen[bool] = Seen()
    boom_fault: Seen[bool] = Seen()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """What the weighbridge has made of the truck on it (drivers/weighbridge/settle.py)."""

    live_kg: Seen[Decimal] = Seen()
    """The number shown now; None for overload, blank, dashes, silence."""
    overload: bool = False
    settled_kg: Decimal | None = None
    uncertainty_kg: Decimal | None = None
    settled_at: Instant | None = None
    """When the settled reading was last upheld by a live one."""
    zero_ok: bool | None = None
    """Whether the empty deck stood at zero before this truck; None: it was not seen empty."""
    frozen: bool = False
    jumped: bool = False
    doubts: tuple[Doubt, ...] = ()
    """What else stands against the weighing (drivers/weighbridge/doubts.py)."""

    @property
    def by_axles(self) -> bool:
        """Whether the weight is a sum of axle loads: no vehicle was weighed at once."""
        return "by axles" in self.doubts


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate as read, 0 to 1 sure."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Container:
    """A container code as read; `check_ok` is its ISO 6346 check digit."""

    code: str
    confidence: float
    check_ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What was read of the truck of this passage."""

    plate: Plate | None = None
    tags: tuple[str, ...] = ()
    """EPC, hex."""
    tag_plates: tuple[str, ...] = ()
    """Plates that the tags carry, where the site's tags do."""
    containers: tuple[Container, ...] = ()
    trailer: Plate | None = None
    seal_numbers: tuple[str, ...] = ()
    """Customs' seals on the boxes, as read."""
    cards: tuple[str, ...] = ()
    """Drivers' cards, as the site file has their numbers written."""
    corrections: tuple[Correction, ...] = ()
    """What a person has corrected of the above: the values are already in their places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What a paper that came beforehand declares of this truck (gateway_ctl/neighbours): only ever one demand more."""

    document: str
    """The paper's own number."""
    direction: Literal["in", "out"] | None = None
    containers: tuple[str, ...] = ()
    gross_kg: Decimal | None = None
    """Of the whole truck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFailed:
    """What a check that failed leads to, check by check. A weight, a direction and a document are never corrected."""

    plate: Consequence = Consequence.CORRECT
    tag: Consequence = Consequence.CORRECT
    trailer: Consequence = Consequence.CORRECT
    containers: Consequence = Consequence.CORRECT
    seal: Consequence = Consequence.CORRECT
    weight: Consequence = Consequence.RETRY
    direction: Consequence = Consequence.RETRY
    document: Consequence = Consequence.RETRY

    def of(self, check: Check) -> Consequence:
        """The consequence of one check."""
        consequence: Consequence = getattr(self, check.value)
        return consequence


@dataclass(frozen=True, slots=True)
class Empty:
    """A truck that the site knows: its plate, and what it weighs with nothing on it."""

    plate: str
    kg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What this lane asks for. Seconds are site seconds."""

    inputs_fresh_s: float = 1.0
    """Ten polls at the usual 0.1 s: one lost answer is no alarm, a second without eyes is."""
    weight_fresh_s: float = 2.0
    """The settled weight must still be upheld by readings this young."""
    presence_kg: Decimal = Decimal(1000)
    """A truck is on the deck above this; the lightest tractor is above 4 t, a person and mud are below."""
    zone_clear_s: float = 1.0
    """How long the boom's place must have been clear before it comes down: the gap between tractor and trailer
    passes the photocell in less at walking pace."""
    skew_s: float = 2.0
    """How far an order may be dated ahead of our clock."""
    order_life_s: float = 600.0
    """Longest validity that is accepted: an order for one truck at one moment needs no more."""
    permit_life_s: float = 2.0
    """A permit is used at once or not at all."""
    plate_sure: float = 0.8
    needs_weight: bool = True
    needs_plate: bool = True
    needs_tag: bool = False
    needs_trailer: bool = False
    needs_seal: bool = False
    needs_scan: bool = False
    """An inspector's verdict on this truck's scan, and it must be clear."""
    tolerance_share: Decimal = Decimal("0.05")
    """How far the weight may be from a declaration that comes without a tolerance of its own: a twentieth of it, as
    several countries' weighing rules have it."""
    takes_axle_sum: bool = False
    """Whether a sum of axle loads may stand for a weighing: where the authority has certified deck and approaches."""
    documents: tuple[str, ...] = ()
    """Types of document that this lane takes; none named: all."""
    on_failed: OnFailed = OnFailed()
    cosign_s: float = 60.0
    """Within this the second person must have signed: long enough to walk to another screen, too short to forget."""
    hold_open_s: float = 900.0
    """Longest HOLD_OPEN; 0 forbids it. A convoy passes in a quarter of an hour."""
    silent: Silent = Silent.REFUSE
    """Local mode: what may pass while customs does not answer."""
    silent_after_s: float = 10.0
    """Customs must have been silent for this long: one lost connection is no outage."""
    empties: tuple[Empty, ...] = ()
    """Trucks that may pass empty in local mode, where `silent` says so."""
    empty_off_kg: Decimal = Decimal(500)
    """How far a known empty truck may be from its own weight: fuel, driver, mud."""
    gather_s: float = 30.0
    """After this the lane says what is missing instead of waiting on in silence."""
    clock_step_s: float = 1.0
    """A system clock that was stepped further than this since the start is not to be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything that a decision may rest on."""

    site: str
    lane: str
    at: Instant
    mode: Mode = Mode.SHADOW
    direction: Literal["in", "out"] | None = None
    """The lane's own."""
    passage: str | None = None
    inputs: Inputs = Inputs()
    zone_blind: tuple[str, ...] = ()
    """Sensors under the boom that missed a vehicle: their inputs say occupied (drivers/lane_io/zone.py)."""
    deck: Deck = Deck()
    identity: Identity = Identity()
    paper: Paper | None = None
    """The newest approved and unused paper that names this truck."""
    inspection: Verdict | None = None
    """The newest verdict that was told for this truck, or else for this lane."""
    confirmed: str | None = None
    """The order of customs that a person has confirmed for this passage, in an advisory lane."""
    sent: Literal["inspect", "refuse"] | None = None
    """What a failed check has led to in this passage."""
    silent_since: Instant | None = None
    """Since when customs does not answer; None while it does."""
    clock_step_s: float = 0.0
    spent: frozenset[str] = field(default_factory=frozenset[str])
    """Orders that have been used already: each moves this boom once."""


def digest(picture: Picture) -> str:
    """SHA-256 of the picture's JSON, hex."""
    return hashlib.sha256(as_json(picture)).hexdigest()


def as_json(picture: Picture) -> bytes:
    """The picture as it is kept in the book; sets sorted, so that equal pictures are equal bytes."""
    return msgspec.json.encode(picture, order="sorted")
