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
        if self.front_m <= DECK[0] or self.rear_m >= DECK[1]:
            return 0.0
        total = 0.0
        for axle in self.truck.axles:
            at = self.front_m - axle.behind_front_m
            inside = min(at - DECK[0], DECK[1] - at)
            total += axle.kg * min(1.0, max(0.0, inside / FOOTPRINT_M + 0.5))
        return total

    def wholly_on_deck(self) -> bool:
        """Whether every axle presses on the deck with all it has and both beams are clear."""
        between = self.rear_m > BEAM_REAR and self.front_m < BEAM_FRONT
        return between and abs(self.on_deck_kg() - self.truck.gross_kg) < 1e-6


def stop_for(truck: Truck) -> float:
    """Where the driver brings the front bumper to a stand: in the middle of the deck, or half off it by mishap."""
    if truck.mishap is not None and truck.mishap.kind is Kind.HALF_ON_DECK:
        if truck.mishap.variant == "front":
            return BEAM_FRONT + HALF_ON_FRONT_M
        return truck.axles[-1].behind_front_m - HALF_ON_REAR_M + min(0.0, truck.stop_jitter_m)
    slack = (DECK[1] - truck.length_m) / 2
    return DECK[1] - slack + max(-0.6 * slack, min(0.6 * slack, truck.stop_jitter_m))
