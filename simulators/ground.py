"""The ground of one lane and a rig that stands on it: metres, beams, loops, axles. No time passes here.

Metres along the lane in the direction of travel; 0 is the deck's entry end.

    -6.5 .. -0.5   loop_arrival (6 m)            18.0           beam_front
     0.0           beam_rear                     18.7 .. 20.7   loop_boom
     0.0 .. 18.0   deck                          19.5           boom arm and photocell
"""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Protocol

from simulators.mishaps import Happened, Kind
from simulators.trucks import Truck

LOOP_ARRIVAL = (-6.5, -0.5)
BEAM_REAR = 0.0
DECK = (0.0, 18.0)
BEAM_FRONT = 18.0
LOOP_BOOM = (18.7, 20.7)
ARM = 19.5
EXIT = 26.0
"""Rear beyond this: the truck is away."""
START = -28.0
"""Where a truck comes into sight."""
GIVE_WAY = -9.0
"""A truck that backs out is away once its front is behind this."""
QUEUE_HEAD = -7.0
"""Where the next truck's front waits: just before the arrival loop."""
TAG_FIELD = (3.0, 20.0)
"""The reader hears a windscreen tag between these."""
PLATE_CAMERA = -2.0
BOX_CAMERA = 9.0
FOOTPRINT_M = 0.3
"""An axle's load passes over the deck's edge within the tyre's footprint."""
HALF_ON_FRONT_M = 0.4
HALF_ON_REAR_M = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where things lie along one lane, metres."""

    arrival: tuple[float, float] = LOOP_ARRIVAL
    rear: float = BEAM_REAR
    deck: tuple[float, float] = DECK
    front: float = BEAM_FRONT
    wheel_in: float | None = None
    wheel_on: float | None = None
    wheel_out: float | None = None
    """Wheel sensors at the rear beam and at both edges of the deck; a deck that carries whole trucks has none."""
    start: float = START
    queue_head: float = QUEUE_HEAD
    give_way: float = GIVE_WAY

    @property
    def short(self) -> bool:
        """Whether trucks are weighed axle by axle."""
        return self.wheel_in is not None


FULL = Ground()
AXLES = Ground(
    arrival=(-9.5, -3.5), rear=-3.0, deck=(0.0, 0.8), front=0.9, wheel_in=-3.0, wheel_on=0.0, wheel_out=0.8,
    start=START - 3.0, queue_head=QUEUE_HEAD - 3.0, give_way=GIVE_WAY - 3.0,
)  # fmt: skip
"""A deck for one axle: no two axles are closer than 1.3 m, and no tail hangs over its last axle by more than 3 m."""


class Lamp(StrEnum):
    """What the driver sees."""

    RED = "red"
    GREEN = "green"
    OFF = "off"


class ArmView(Protocol):
    """The boom as a driver sees it."""

    @property
    def is_up(self) -> bool:
        """Far enough up to drive under."""
        ...

    @property
    def is_down(self) -> bool:
        """Lying across the lane."""
        ...

    @property
    def angle_deg(self) -> float:
        """0 down, 90 up."""
        ...


class Doing(StrEnum):
    """What the driver of a rig is doing."""

    DRIVING_ON = "driving_on"
    WAITING = "waiting"
    CROSSING = "crossing"
    SHADOWING = "shadowing"
    BACKING_OUT = "backing_out"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A camera's word: what is plate, trailer or container."""

    what: str
    text: str
    confidence: float
    camera: str


@dataclass(slots=True, kw_only=True)
class Rig:
    """A truck on the lane, and what a bystander with a watch would note of it. Times are site times."""

    truck: Truck
    front_m: float
    stop_m: float
    rng: Random
    speed_mps: float = 0.0
    doing: Doing = Doing.DRIVING_ON
    approach_at: float = 0.0
    on_loop_at: float | None = None
    on_deck_at: float | None = None
    stopped_at: float | None = None
    moved_at: float | None = None
    crossed_at: float | None = None
    gone_at: float | None = None
    free_since: float | None = None
    """Since when the way has been free for it."""
    happened: Happened | None = None
    struck: bool = False
    """The arm came down on it."""
    boom_up_on_entry: bool = False
    stood_wholly: bool = False
    """Stood still with every axle on the deck and both beams clear."""
    seen: set[str] = field(default_factory=set[str])
    read_at: float = 0.0
    hurries: bool = False
    """A tailgater that closes up until the loop never clears between the two."""
    ground: Ground = FULL
    stops: list[float] = field(default_factory=list[float])
    """Where the front stands for one axle after the other, before the last."""
    stops_until: float | None = None

    @property
    def rear_m(self) -> float:
        """Where the body ends."""
        return self.front_m - self.truck.length_m

    def over(self, place: tuple[float, float]) -> bool:
        """Whether the body covers any of the place."""
        return self.front_m > place[0] and self.rear_m < place[1]

    def breaks(self, at_m: float) -> bool:
        """Whether the body stands in a beam."""
        return self.rear_m < at_m < self.front_m

    def on_deck_kg(self) -> float:
        """What its axles press on the deck."""
        deck = self.ground.deck
        if self.front_m <= deck[0] or self.rear_m >= deck[1]:
            return 0.0
        total = 0.0
        for axle in self.truck.axles:
            at = self.front_m - axle.behind_front_m
            inside = min(at - deck[0], deck[1] - at)
            total += axle.kg * min(1.0, max(0.0, inside / FOOTPRINT_M + 0.5))
        return total

    def wheel_on(self, at_m: float | None) -> bool:
        """Whether a tyre stands on a sensor that lies there."""
        near = FOOTPRINT_M / 2
        return at_m is not None and any(
            abs(self.front_m - axle.behind_front_m - at_m) < near for axle in self.truck.axles
        )

    def wholly_on_deck(self) -> bool:
        """Whether every axle presses on the deck with all it has and both beams are clear; on a short one: the last."""
        if self.ground.short:
            return not self.stops and abs(self.front_m - self.stop_m) < HALF_ON_FRONT_M
        between = self.rear_m > self.ground.rear and self.front_m < self.ground.front
        return between and abs(self.on_deck_kg() - self.truck.gross_kg) < 1e-6


def stops_for(truck: Truck, ground: Ground) -> list[float]:
    """Where the front bumper stands while each axle is in the middle of a short deck."""
    middle = sum(ground.deck) / 2
    return [middle + axle.behind_front_m for axle in truck.axles]


def stop_for(truck: Truck) -> float:
    """Where the driver brings the front bumper to a stand: in the middle of the deck, or half off it by mishap."""
    if truck.mishap is not None and truck.mishap.kind is Kind.HALF_ON_DECK:
        if truck.mishap.variant == "front":
            return BEAM_FRONT + HALF_ON_FRONT_M
        return truck.axles[-1].behind_front_m - HALF_ON_REAR_M + min(0.0, truck.stop_jitter_m)
    slack = (DECK[1] - truck.length_m) / 2
    return DECK[1] - slack + max(-0.6 * slack, min(0.6 * slack, truck.stop_jitter_m))
