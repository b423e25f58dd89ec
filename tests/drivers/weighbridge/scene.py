"""A truck, a springy deck and an indicator, by hand: what the driver must make sense of, in site seconds.

Nothing here knows the driver's thinking or the project's simulators: axles press, the deck swings, the display rounds.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from drivers.readings import Instant
from drivers.weighbridge.deck import DeckState, DeckWatch
from drivers.weighbridge.dialects.yaohua import a9 as decoder_of_a9
from drivers.weighbridge.frames import Frame
from drivers.weighbridge.reading import Reader, Scale
from tests.drivers.weighbridge.wire import a9

DECK_M = 18.0
STEP_S = 0.01
T0 = 1_800_000_000.0
SCALE = Scale(max_kg=Decimal(100_000), division_kg=Decimal(20), decimals=0)


@dataclass(kw_only=True)
class Truck:
    length_m: float = 16.4
    axles: tuple[tuple[float, float], ...] = (
        (1.4, 6300), (4.6, 7900), (5.95, 7900), (12.0, 5400), (13.3, 5400), (14.6, 5360),
    )  # fmt: skip
    speed_mps: float = 2.8
    brakes_mps2: float = 1.1
    stop_m: float = 17.2
    """Where the front bumper comes to a stand: 18 is the exit's end of the deck."""
    stands_s: float = 12.0
    leaves: str = "ahead"

    @property
    def kg(self) -> float:
        return sum(kg for _, kg in self.axles)


@dataclass(kw_only=True)
class Faults:
    freeze: Callable[[float, float], bool] = lambda _at, _front: False
    """By time and the front's place: the indicator repeats its last frame from then on."""
    offset_kg: Callable[[float, float], float] = lambda _at, _front: 0.0
    deaf: tuple[tuple[float, float], ...] = ()
    """Times in which no frame arrives."""
    blind: tuple[tuple[float, float], ...] = ()
    """Times in which no poll arrives."""
    lag_s: float = 0.0
    """Polls tell what was so long ago."""
    burst_s: float = 0.0
    """Frames arrive in bundles, all with the stamp of the last."""
    swap_share: float = 0.0
    half_share: float = 0.0
    noise_share: float = 0.0
    person_at: float | None = None
    """Somebody walks through the rear beam."""


@dataclass(kw_only=True)
class Scene:
    seed: int = 1
    faults: Faults = field(default_factory=Faults)
    rate_hz: float = 10.0
    noise_kg: float = 2.0
    zeta: float = 0.12
    empty_hz: float = 4.0
    laden_hz: float = 2.0

    def __post_init__(self) -> None:
        self.at = 0.0
        self.watch = DeckWatch(division_kg=SCALE.division_kg)
        self.reader, self.decoder = Reader(SCALE), decoder_of_a9()
        self.rng = random.Random(self.seed)
        self.felt = self.rate = self.smooth = 0.0
        self.frame = a9(0)
        self.front_m = -28.0
        self.length_m = 0.0
        self.load = 0.0
        self.states: list[tuple[float, float, DeckState]] = []
        self._past: deque[tuple[float, float]] = deque()
        self._next_frame = self._next_poll = 0.0
        self._bundle: list[bytes] = []
        self._told_at = 0.0

    # what a test asks for

    def empty(self, seconds: float) -> None:
        """Nobody comes."""
        self.front_m, self.length_m, self.load = -28.0, 0.0, 0.0
        self._run(seconds)

    def visit(self, truck: Truck, from_m: float = -20.0) -> list[DeckState]:
        """Drives on and stands. The states while it stood."""
        self.front_m, self.length_m = from_m, truck.length_m
        speed = truck.speed_mps
        while self.front_m < truck.stop_m - 0.005:
            wanted = math.sqrt(2 * truck.brakes_mps2 * (truck.stop_m - self.front_m))
            speed = max(0.05, min(truck.speed_mps, wanted))
            self._move(truck, speed * STEP_S)
        first = len(self.states)
        self._stand(truck, truck.stands_s)
        return [state for _, _, state in self.states[first:]]

    def leave(self, truck: Truck) -> None:
        """Over the exit's end, or back."""
        ahead = truck.leaves == "ahead"
        speed = 0.0
        while (self.front_m - truck.length_m < 26.0) if ahead else (self.front_m > -9.0):
            speed = min(2.5, speed + 0.9 * STEP_S)
            self._move(truck, speed * STEP_S if ahead else -speed * STEP_S)

    def last(self) -> DeckState:
        return self.watch.state(Instant(T0 + self.at))

    # physics

    def _stand(self, truck: Truck, seconds: float) -> None:
        until = self.at + seconds
        while self.at < until:
            self._move(truck, 0.0)

    def _move(self, truck: Truck, by_m: float) -> None:
        self.front_m += by_m
        self.load = 0.0
        for behind_m, kg in truck.axles:
            place = self.front_m - behind_m
            inside = min(place, DECK_M - place)
            self.load += kg * min(1.0, max(0.0, inside / 0.3 + 0.5))
        self._step()

    def _run(self, seconds: float) -> None:
        until = self.at + seconds
        while self.at < until:
            self._step()

    def _step(self) -> None:
        self.at += STEP_S
        softer = (self.empty_hz / self.laden_hz) ** 2 - 1
        turn = 2 * math.pi * self.empty_hz / math.sqrt(1 + softer * self.load / 60_000)
        self.rate += STEP_S * (turn**2 * (self.load - self.felt) - 2 * self.zeta * turn * self.rate)
        self.felt += STEP_S * self.rate
        self.smooth += (self.felt - self.smooth) * STEP_S / 0.25
        self._past.append((self.at, self.front_m))
        if self.at >= self._next_poll:
            self._next_poll += 0.1
            self._poll()
        if self.at >= self._next_frame:
            self._next_frame += 1 / self.rate_hz
            self._indicate()

    def _poll(self) -> None:
        if _within(self.at, self.faults.blind):
            return
        while len(self._past) > 1 and self._past[1][0] <= self.at - self.faults.lag_s:
            self._past.popleft()
        front = self._past[0][1]
        rear = front - self.length_m
        broken = rear < 0.0 < front
        person = self.faults.person_at
        broken = broken or (person is not None and person <= self.at < person + 0.4)
        self.watch.beams(
            rear=broken, front=rear < DECK_M < front, arrival=rear < -0.5 and front > -6.5, at=Instant(T0 + self.at)
        )

    def _indicate(self) -> None:
        faults, rng = self.faults, self.rng
        if not faults.freeze(self.at, self.front_m):
            kg = self.smooth + rng.gauss(0, self.noise_kg) + faults.offset_kg(self.at, self.front_m)
            self.frame = a9(math.floor(kg / 20 + 0.5) * 20)
        if _within(self.at, faults.deaf):
            return
        out = self.frame
        if rng.random() < faults.swap_share:
            i = rng.randint(2, 6)
            out = out[:i] + out[i + 1 : i + 2] + out[i : i + 1] + out[i + 2 :]
        if rng.random() < faults.half_share:
            out = out[: rng.randint(1, 11)]
        if rng.random() < faults.noise_share:
            out = rng.randbytes(rng.randint(1, 24)) + out
        self._bundle.append(out)
        if self.at - self._told_at >= faults.burst_s:
            self._tell()

    def _tell(self) -> None:
        self._told_at = self.at
        self.decoder.receive(b"".join(self._bundle))
        self._bundle.clear()
        while (word := self.decoder.next_word()) is not None:
            if not isinstance(word, Frame):
                continue
            weight = self.reader.read(word, Instant(T0 + self.at))
            self.watch.weight(weight)
            self.states.append((self.at, self.front_m, self.watch.state(weight.at)))


def _within(at: float, spans: tuple[tuple[float, float], ...]) -> bool:
    return any(start <= at < end for start, end in spans)


def settled(states: list[DeckState]) -> Iterator[Decimal]:
    for state in states:
        if state.settled is not None:
            yield state.settled.kg
