"""The words between the lane's mind and its hands: a passage and its steps, deeds to be done, words that come in."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from drivers.readings import Instant
from gateway_ctl.conditions import Condition
from gateway_ctl.correction import Check
from gateway_ctl.interlock import Refusal
from gateway_ctl.lane_state import Event
from gateway_ctl.orders import Movement, Order, Permit
from gateway_ctl.picture import Picture
from gateway_ctl.reasons import Reason


class Outcome(StrEnum):
    """How a passage ended."""

    CROSSED = "crossed"
    LEFT = "left"
    ABANDONED = "abandoned"
    FAULT = "fault"


class StepName(StrEnum):
    """The steps of a passage, in the order a person expects them."""

    ARRIVE = "arrive"
    IDENTIFY = "identify"
    WEIGH = "weigh"
    CLEAR = "clear"
    DECIDE = "decide"
    RAISE = "raise"
    CROSS = "cross"
    LOWER = "lower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """When a step began and ended; `ok` says how."""

    name: StepName
    began: Instant
    ended: Instant | None = None
    ok: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What customs was asked on."""

    at: Instant
    plate: str | None
    tags: tuple[str, ...]
    containers: tuple[str, ...]
    kg: Decimal | None
    uncertainty_kg: Decimal | None
    trailer: str | None = None
    seal_numbers: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One truck's way through the lane."""

    id: str
    opened_at: Instant
    order: Order | None = None
    heard_at: Instant = Instant(0.0)
    """When the newest of customs' orders was issued: what was issued before it does not count any more."""
    asked: Asked | None = None
    crossed: bool = False
    steps: tuple[Step, ...] = ()
    refused: tuple[Reason, ...] = ()
    """Every reason ever given in this passage, in order of first appearance."""
    movements: tuple[Movement, ...] = ()
    rang: tuple[Condition, ...] = ()
    confirmed: str | None = None
    """The order of customs to which a person has said yes, in an advisory lane."""
    sent: Literal["inspect", "refuse"] | None = None
    """What a failed check has led to; customs' next order takes it back."""
    reread: frozenset[Check] = frozenset()
    """Checks whose reads have been let go of once for the order in hand."""
    local: bool = False
    """The site's own key has been asked for, because customs is silent and the truck is known to be empty."""
    would: tuple[Movement, ...] = ()
    """What a lane in shadow would have moved, or an advisory one has advised."""
    by_hand: tuple[Movement, ...] = ()
    """What a human moved by the barrier's own operator."""


@dataclass(frozen=True, slots=True)
class Open:
    """A passage opened."""

    passage: Passage


@dataclass(frozen=True, slots=True)
class Close:
    """A passage ended."""

    passage: Passage
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask customs, on this picture."""

    passage: Passage
    picture: Picture


@dataclass(frozen=True, slots=True)
class Move:
    """Take the permit to the door."""

    permit: Permit
    order: Order | None
    picture: Picture


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell everybody why not."""

    refusal: Refusal
    passage: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Tell whoever sent the order what became of it."""

    order: str
    reasons: tuple[Reason, ...]
    awaits: bool = False
    """It waits for a second signature; the reason is ORDER_TOO_FEW and the lane's page shows it."""

    @property
    def accepted(self) -> bool:
        """No reason against it."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Ring:
    """A condition came or went."""

    condition: Condition
    active: bool
    passage: str | None


@dataclass(frozen=True, slots=True)
class Spend:
    """An order that moved nothing has been used: it is not heard again."""

    order: str


@dataclass(frozen=True, slots=True)
class Keep:
    """The boom is held open from now on, or no longer."""

    order: Order
    holds: bool
    passed: int = 0
    """Vehicles that were counted under it."""


@dataclass(frozen=True, slots=True)
class Reread:
    """Let go of what was read for these checks: the next read counts."""

    checks: tuple[Check, ...]
    passage: str


@dataclass(frozen=True, slots=True)
class SignHere:
    """Have the site's own key sign a release of this known empty truck."""

    passage: Passage
    picture: Picture


class Advice(StrEnum):
    """What is told of a lane that does not move its boom by itself."""

    WOULD = "would"
    """In shadow: it would have moved now."""
    ADVISED = "advised"
    """In an advisory lane: it waits for a person's signature."""
    BY_HAND = "by hand"
    """A human moved the boom by the barrier's own operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advise:
    """Tell it."""

    advice: Advice
    movement: Movement
    passage: str | None
    order: str | None
    reasons: tuple[Reason, ...]
    """What the lane had against it at that moment; empty: nothing."""
    agrees: bool = True
    """Of what was done by hand: whether the lane would have done it, too."""
    picture: str
    """Digest."""


Deed = Open | Close | Ask | Move | Refuse | Answer | Ring | Spend | Keep | Reread | SignHere | Advise


@dataclass(frozen=True, slots=True)
class Ordered:
    """An admitted order came."""

    order: Order


@dataclass(frozen=True, slots=True)
class Awaited:
    """An order came that lacks nothing but a second person's signature."""

    order: Order


@dataclass(frozen=True, slots=True)
class Unadmitted:
    """What called itself an order did not pass the seals. `asked`: it came as customs' answer to our question."""

    order: str
    reasons: tuple[Reason, ...]
    asked: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """Customs did not answer in time."""

    reason: Reason = Reason.CLEARANCE_SILENT


@dataclass(frozen=True, slots=True)
class Moved:
    """What the door says became of a permit. `event`: RAISED, LOWERED, NOT_CONFIRMED or WITHDRAWN."""

    permit: str
    event: Event
    reasons: tuple[Reason, ...] = ()


Word = Ordered | Awaited | Unadmitted | Silence | Moved


class Phase(StrEnum):
    """How far a movement has come; also the kinds of its entries in the book."""

    WRITTEN = "written"
    READ_BACK = "read back"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One phase of a movement, for whoever watches."""

    permit: Permit
    phase: Phase
    at: Instant
    seconds: float
    """Since the permit came to the door."""
    note: str = ""
