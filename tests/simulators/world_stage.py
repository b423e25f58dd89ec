"""A lane without wires: a boom and a lamp in the hand of the test, time by steps."""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.ground import Lamp, Read, Rig
from simulators.trucks import Truck, day
from simulators.world import LaneWorld


@dataclass(slots=True)
class HandBoom:
    """An arm that goes where the test puts it."""

    angle_deg: float = 0.0

    @property
    def is_up(self) -> bool:
        return self.angle_deg >= 88.0

    @property
    def is_down(self) -> bool:
        return self.angle_deg <= 2.0


@dataclass(slots=True)
class Stage:
    """One lane, everything it told, and a history of its sensors."""

    patience_s: float = 25.0
    arm: HandBoom = field(default_factory=HandBoom)
    lamp: Lamp = Lamp.RED
    now: float = 1000.0
    reads: list[Read] = field(default_factory=list[Read])
    settled: list[Rig] = field(default_factory=list[Rig])
    history: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    world: LaneWorld = field(init=False)

    def __post_init__(self) -> None:
        self.world = LaneWorld(self.arm, lambda: self.lamp, seed=1, patience_s=self.patience_s, now=self.now)
        self.world.on_read = self.reads.append
        self.world.on_settled = self.settled.append

    def step(self, seconds: float) -> None:
        """Let time pass in steps of 50 ms and note every change of a sensor."""
        before = dict(self.world.sense())
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            self.world.advance(self.now)
            sensed = self.world.sense()
            self.history += [(name, value) for name, value in sensed.items() if before[name] != value]
            before = dict(sensed)

    def until(self, condition: Callable[[], object], limit_s: float = 120.0) -> float:
        """Let time pass until the condition holds; seconds that it took."""
        begun = self.now
        while not condition():
            assert self.now - begun < limit_s, "it never came"
            self.step(0.05)
        return self.now - begun

    @property
    def rig(self) -> Rig:
        return self.world.rigs[0]


def one(mix: object = 0.0, seed: int = 7, trucks: int = 1) -> list[Truck]:
    """The first trucks of a seed, on one lane."""
    return day(seed=seed, trucks=trucks, lanes=[("L01", "in")], mix=mix)
