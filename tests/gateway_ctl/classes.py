"""Every class of picture and of order there is for the interlock, and what a person would say of each (the oracle).

A picture class is one choice in each of its parts; an order class one word. The oracle is written from the laws of the
house in terms of these choices and shares no code with the interlock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Literal, get_args

from drivers.readings import Instant
from gateway_ctl.orders import Order, Verb
from gateway_ctl.picture import Container, Deck, Identity, Inputs, Picture, Plate, Seen
from tests.gateway_ctl.scene import EMPTY_DECK, IDENTITY, NOW, deck, order, override, picture, seen

Boom = Literal["down", "up", "moving", "both", "stale", "one stale"]
Zone = Literal["clear", "just clear", "loop", "cell", "stale", "unknown"]
Fault = Literal["well", "faulty", "stale"]
Truck = Literal[
    "none", "arrival", "half rear", "half front", "unsettled", "weighed", "frozen", "jumped", "zero bad", "zero unseen",
    "overload", "blank", "old weight", "beams stale",
]  # fmt: skip
Reads = Literal["good", "no plate", "unsure", "other tag", "no box", "other box", "false box"]
Hour = Literal["true", "stepped"]

BOOMS, ZONES, FAULTS = get_args(Boom), get_args(Zone), get_args(Fault)
TRUCKS, READS, HOURS = get_args(Truck), get_args(Reads), get_args(Hour)

OrderClass = Literal[
    "none", "good", "expired", "expires now", "future", "too long", "other lane", "other site", "other passage",
    "no passage", "other plate", "no plate", "other boxes", "more boxes", "off weight", "spent", "hold", "inspect",
    "refuse", "customs lower", "person", "person expired", "person other lane", "person other passage",
    "person no passage", "person spent", "person lower", "person lower expired", "person lower other lane",
]  # fmt: skip
ORDERS: tuple[OrderClass, ...] = get_args(OrderClass)
SPENT = frozenset({"o-spent", "p-spent"})


@dataclass(frozen=True, slots=True)
class PictureClass:
    """One choice in each part."""

    boom: Boom = "down"
    zone: Zone = "clear"
    fault: Fault = "well"
    truck: Truck = "weighed"
    reads: Reads = "good"
    hour: Hour = "true"

    def picture(self, passage: str | None, spent: frozenset[str] = SPENT) -> Picture:
        """A picture of this class."""
        return picture(
            passage=passage,
            inputs=_inputs(self.boom, self.zone, self.fault, self.truck),
            deck=_deck(self.truck),
            identity=_identity(self.reads),
            clock_step_s=0.0 if self.hour == "true" else -3.0,
            spent=spent,
        )


def every_picture() -> Iterator[PictureClass]:
    """The whole product."""
    for parts in product(BOOMS, ZONES, FAULTS, TRUCKS, READS, HOURS):
        yield PictureClass(*parts)


STALE = Seen(False, Instant(NOW - 1.5), Instant(NOW - 60))
NO_NUMBER: Seen[Decimal] = Seen(None, Instant(NOW - 0.05), Instant(NOW - 1))
UNKNOWN: Seen[bool] = Seen(None, Instant(NOW - 0.05), Instant(NOW - 0.05))


def _inputs(boom: Boom, zone: Zone, fault: Fault, truck: Truck) -> Inputs:
    down, up = {
        "down": (seen(True), seen(False)),
        "up": (seen(False), seen(True)),
        "moving": (seen(False), seen(False)),
        "both": (seen(True), seen(True)),
        "stale": (replace(STALE, value=True), STALE),
        "one stale": (seen(True), STALE),
    }[boom]
    loop, cell = {
        "clear": (seen(False), seen(False)),
        "just clear": (seen(False), seen(False, since=0.4)),
        "loop": (seen(True), seen(False)),
        "cell": (seen(False), seen(True)),
        "stale": (STALE, seen(False)),
        "unknown": (seen(False), UNKNOWN),
    }[zone]
    rear = seen(truck == "half rear")
    return Inputs(
        loop_arrival=seen(truck == "arrival"),
        beam_rear=STALE if truck == "beams stale" else rear,
        beam_front=seen(truck == "half front"),
        loop_boom=loop,
        photocell=cell,
        limit_down=down,
        limit_up=up,
        boom_fault={"well": seen(False), "faulty": seen(True), "stale": STALE}[fault],
    )


def _deck(truck: Truck) -> Deck:
    match truck:
        case "none" | "arrival":
            return EMPTY_DECK
        case "unsettled":
            return deck(settled_kg=None, uncertainty_kg=None, settled_at=None)
        case "frozen":
            return deck(frozen=True)
        case "jumped":
            return deck(jumped=True)
        case "zero bad":
            return deck(zero_ok=False)
        case "zero unseen":
            return deck(zero_ok=None)
        case "overload":
            return deck(overload=True)
        case "blank":
            return deck(live_kg=NO_NUMBER)
        case "old weight":
            return deck(settled_at=Instant(NOW - 2.5))
        case _:
            return deck()


def _identity(reads: Reads) -> Identity:
    match reads:
        case "no plate":
            return replace(IDENTITY, plate=None)
        case "unsure":
            return replace(IDENTITY, plate=Plate("沪AD3F88", 0.79))
        case "other tag":
            return replace(IDENTITY, tag_plates=("沪AD3F89",))
        case "no box":
            return replace(IDENTITY, containers=())
        case "other box":
            return replace(IDENTITY, containers=(Container("TCNU7200794", 0.9, check_ok=True),))
        case "false box":
            return replace(IDENTITY, containers=(Container("CSQU3054383", 0.9, check_ok=False),))
        case _:
            return IDENTITY


def order_of(kind: OrderClass, passage: str | None) -> Order | None:
    """An order of a class, for the passage that is open."""
    later = Instant(NOW + 30)
    changes: dict[OrderClass, dict[str, object]] = {
        "good": {},
        "expired": {"expires_at": Instant(NOW - 0.1)},
        "expires now": {"expires_at": NOW},
        "future": {"issued_at": Instant(NOW + 2.1), "expires_at": later},
        "too long": {"expires_at": Instant(NOW + 600)},
        "other lane": {"lane": "L02"},
        "other site": {"site": "elsewhere"},
        "other passage": {"passage": "L01-0"},
        "no passage": {"passage": None},
        "other plate": {"plate": "沪AD3F89"},
        "no plate": {"plate": None},
        "other boxes": {"containers": ("HLXU2008419",)},
        "more boxes": {"containers": ("CSQU3054383", "TCNU7200794")},
        "off weight": {"declared_kg": Decimal(36_000), "tolerance_kg": Decimal(1_000)},
        "spent": {"id": "o-spent"},
        "hold": {"verb": Verb.HOLD},
        "inspect": {"verb": Verb.INSPECT},
        "refuse": {"verb": Verb.REFUSE},
        "customs lower": {"verb": Verb.LOWER},
    }
    by_person: dict[OrderClass, dict[str, object]] = {
        "person": {},
        "person expired": {"expires_at": Instant(NOW - 0.1)},
        "person other lane": {"lane": "L02"},
        "person other passage": {"passage": "L01-0"},
        "person no passage": {"passage": None},
        "person spent": {"id": "p-spent"},
        "person lower": {"id": "p-2", "verb": Verb.LOWER},
        "person lower expired": {"id": "p-2", "verb": Verb.LOWER, "expires_at": Instant(NOW - 0.1)},
        "person lower other lane": {"id": "p-2", "verb": Verb.LOWER, "lane": "L02"},
    }
    if kind in changes:
        return order(**({"passage": passage} | changes[kind]))
    if kind in by_person:
        return override(**({"passage": passage} | by_person[kind]))
    return None


def may_raise(kind: OrderClass, at: PictureClass, *, passage_open: bool = True) -> bool:
    """What the laws say of raising the boom on this order and this picture."""
    if not passage_open or at.boom not in ("down", "moving") or at.fault != "well" or at.hour != "true":
        return False
    if kind == "person":
        return True
    return (
        kind == "good"
        and at.boom == "down"
        and at.zone in ("clear", "just clear")
        and at.truck == "weighed"
        and at.reads == "good"
    )


def may_lower(kind: OrderClass | None, at: PictureClass) -> bool:
    """What the laws say of lowering it; `kind` None is the lowering that follows a crossing."""
    if at.zone != "clear" or at.fault != "well":
        return False
    if kind is None:
        return at.boom == "up"
    return kind == "person lower" and at.boom in ("up", "moving") and at.hour == "true"
