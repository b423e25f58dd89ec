"""Every class of picture and of order there is for the interlock, and what a person would say of each (the oracle).

A picture class is one choice in each of its parts; an order class one word. The oracle is written from the laws of the
house in terms of these choices and shares no code with the interlock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Literal, get_args

from drivers.readings import Instant
from gateway_ctl.inspection import Finding, Verdict
from gateway_ctl.modes import Mode
from gateway_ctl.orders import Order, Origin, Verb
from gateway_ctl.picture import Container, Deck, Identity, Inputs, Paper, Picture, Plate, Seen
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
Scan = Literal[
    "none",
    "clear",
    "suspect",
    "open",
    "again",
    "torn",
    "other passage",
    "other plate",
    "other boxes",
    "old",
    "future",
    "other suspect",
]
Sent = Literal["no", "inspect", "refuse"]
Customs = Literal["answers", "silent a moment", "silent"]
Note = Literal["none", "silent", "fits", "other box", "more boxes", "other way", "off weight", "near weight"]
"""What a paper declares that came before the truck."""

BOOMS, ZONES, FAULTS = get_args(Boom), get_args(Zone), get_args(Fault)
TRUCKS, READS, HOURS = get_args(Truck), get_args(Reads), get_args(Hour)
SCANS, SENT, CUSTOMS, NOTES = get_args(Scan), get_args(Sent), get_args(Customs), get_args(Note)

OrderClass = Literal[
    "none", "good", "expired", "expires now", "future", "too long", "other lane", "other site", "other passage",
    "no passage", "other plate", "no plate", "other boxes", "more boxes", "off weight", "spent", "hold", "inspect",
    "refuse", "customs lower", "person", "person expired", "person other lane", "person other passage",
    "person no passage", "person spent", "person lower", "person lower expired", "person lower other lane",
    "person lower spent", "person lower now", "person lower now expired", "person hold open", "person holds too long",
    "person holds no more", "customs hold open", "person close", "customs close", "person confirm", "customs confirm",
    "two persons", "two persons late", "local", "local boxes", "local other plate",
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
    mode: Mode = Mode.LIVE
    scan: Scan = "none"
    sent: Sent = "no"
    customs: Customs = "answers"
    confirmed: bool = False
    """A person has said yes to the good order."""
    note: Note = "none"

    def picture(self, passage: str | None, spent: frozenset[str] = SPENT) -> Picture:
        """A picture of this class."""
        return picture(
            passage=passage,
            inputs=_inputs(self.boom, self.zone, self.fault, self.truck),
            deck=_deck(self.truck),
            identity=_identity(self.reads),
            clock_step_s=0.0 if self.hour == "true" else -3.0,
            spent=spent,
            mode=self.mode,
            inspection=_verdict(self.scan, passage),
            sent=None if self.sent == "no" else self.sent,
            silent_since={"answers": None, "silent a moment": Instant(NOW - 9), "silent": Instant(NOW - 11)}[
                self.customs
            ],
            confirmed="o-1" if self.confirmed else None,
            paper=_paper(self.note),
        )


def every_picture() -> Iterator[PictureClass]:
    """The whole product of what the instruments may show, in a live lane."""
    for parts in product(BOOMS, ZONES, FAULTS, TRUCKS, READS, HOURS):
        yield PictureClass(*parts)


def every_standing() -> Iterator[PictureClass]:
    """The whole product of what others have said of the truck, on pictures that differ in the boom and its place."""
    modes = ((Mode.SHADOW, False), (Mode.ADVISORY, False), (Mode.ADVISORY, True), (Mode.LIVE, False))
    for boom, zone, reads, (mode, confirmed), scan, sent, customs in product(
        ("down", "up", "moving"), ("clear", "loop"), ("good", "no box"), modes, SCANS, SENT, CUSTOMS
    ):
        yield PictureClass(
            boom=boom, zone=zone, reads=reads, mode=mode, scan=scan, sent=sent, customs=customs, confirmed=confirmed
        )


def every_note() -> Iterator[PictureClass]:
    """The whole product of what a paper may say and what was read and weighed."""
    for zone, truck, reads, mode, customs, note in product(
        ("clear", "loop"), TRUCKS, READS, (Mode.ADVISORY, Mode.LIVE), ("answers", "silent"), NOTES
    ):
        yield PictureClass(zone=zone, truck=truck, reads=reads, mode=mode, customs=customs, note=note)


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


def _paper(note: Note) -> Paper | None:
    said: dict[Note, Paper] = {
        "silent": Paper(document="n-1"),
        "fits": Paper(document="n-1", direction="in", containers=("CSQU3054383",), gross_kg=Decimal(38_000)),
        "other box": Paper(document="n-1", containers=("HLXU2008419",)),
        "more boxes": Paper(document="n-1", containers=("TCNU7200794", "CSQU3054383")),
        "other way": Paper(document="n-1", direction="out"),
        # A twentieth of what it says, and half a division, either way.
        "off weight": Paper(document="n-1", gross_kg=Decimal(36_428)),
        "near weight": Paper(document="n-1", gross_kg=Decimal(36_429)),
    }
    return said.get(note)


def _verdict(scan: Scan, passage: str | None) -> Verdict | None:
    changes: dict[Scan, dict[str, object]] = {
        "suspect": {"finding": Finding.SUSPECT},
        "open": {"finding": Finding.OPEN},
        "again": {"finding": Finding.AGAIN},
        "torn": {"torn": True},
        "other passage": {"passage": "L01-0"},
        "other plate": {"plate": "沪AD3F89"},
        "other boxes": {"containers": ("TCNU7200794",)},
        "old": {"finding": Finding.CLEAR, "expires_at": NOW},
        "future": {"issued_at": Instant(NOW + 2.1)},
        "other suspect": {"finding": Finding.SUSPECT, "passage": "L01-0"},
    }
    good = Verdict(
        id="v-1", finding=Finding.CLEAR, site="qianwan", lane="L01", passage=passage, plate="沪AD3F88",
        containers=("CSQU3054383",), scan="cd" * 32, torn=False, view=None, issued_at=Instant(NOW - 20),
        expires_at=Instant(NOW + 600), reason_zh="", reason_en="", persons=("zhao.lei",),
    )  # fmt: skip
    return None if scan == "none" else replace(good, **changes.get(scan, {}))


@cache
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
        "customs hold open": {"verb": Verb.HOLD_OPEN, "until": Instant(NOW + 60)},
        "customs close": {"verb": Verb.CLOSE},
        "customs confirm": {"verb": Verb.CONFIRM, "confirms": "o-1"},
        "local": {"id": "l-1", "origin": Origin.LOCAL, "containers": (), "declared_kg": None, "tolerance_kg": None},
        "local boxes": {"id": "l-1", "origin": Origin.LOCAL},
        "local other plate": {"id": "l-1", "origin": Origin.LOCAL, "containers": (), "plate": "沪AD3F89"},
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
        "person lower spent": {"id": "p-spent", "verb": Verb.LOWER},
        "person lower now": {"id": "p-6", "verb": Verb.LOWER_NOW},
        "person lower now expired": {"id": "p-6", "verb": Verb.LOWER_NOW, "expires_at": NOW},
        "person hold open": {"id": "p-3", "verb": Verb.HOLD_OPEN, "until": Instant(NOW + 300)},
        "person holds too long": {"id": "p-3", "verb": Verb.HOLD_OPEN, "until": Instant(NOW + 900)},
        "person holds no more": {"id": "p-3", "verb": Verb.HOLD_OPEN, "until": NOW},
        "person close": {"id": "p-4", "verb": Verb.CLOSE},
        "person confirm": {"id": "p-5", "verb": Verb.CONFIRM, "confirms": "o-1"},
        "two persons": {"id": "p-7", "persons": ("li.wei", "wang.fang"), "issued_at": Instant(NOW - 60)},
        "two persons late": {"id": "p-7", "persons": ("li.wei", "wang.fang"), "issued_at": Instant(NOW - 60.1)},
    }
    if kind in changes:
        return order(**({"passage": passage} | changes[kind]))
    if kind in by_person:
        return override(**({"passage": passage} | by_person[kind]))
    return None


def may_raise(kind: OrderClass, at: PictureClass, *, passage_open: bool = True, needs_scan: bool = False) -> bool:
    """What the laws say of raising the boom on this order and this picture."""
    if at.boom not in ("down", "moving") or at.fault != "well" or at.hour != "true" or at.mode is Mode.SHADOW:
        return False
    if at.scan in ("suspect", "open") and at.reads in ("good", "unsure", "other tag", "false box"):
        # The inspector's suspicion of this very truck, by its plate and boxes as read.
        return False
    if kind == "person hold open":
        return True
    if not passage_open:
        return False
    if kind in ("person", "two persons"):
        return True
    if at.mode is Mode.ADVISORY and not (kind == "good" and at.confirmed):
        return False
    if needs_scan and (at.scan != "clear" or at.reads == "no box"):
        # The verdict of these scenes names a box.
        return False
    fits = at.boom == "down" and at.zone in ("clear", "just clear") and at.truck == "weighed" and at.sent == "no"
    if kind == "local":
        # A paper that names boxes is not about an empty truck.
        noted = at.note in ("none", "silent", "near weight")
        return fits and at.reads == "no box" and at.customs == "silent" and noted
    return fits and kind == "good" and at.reads == "good" and at.note in ("none", "silent", "fits", "near weight")


def may_lower(kind: OrderClass | None, at: PictureClass) -> bool:
    """What the laws say of lowering it; `kind` None is the lowering that follows a crossing."""
    if at.zone != "clear" or at.mode is Mode.SHADOW:
        return False
    if kind == "person lower now":
        return at.boom != "down" and at.hour == "true"
    if at.fault != "well":
        return False
    if kind is None:
        return at.boom == "up"
    return kind == "person lower" and at.boom in ("up", "moving") and at.hour == "true"
