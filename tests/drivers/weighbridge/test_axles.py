"""Trucks over a deck for one axle, with the simulators' ground and indicator: a sum is right, or there is none."""

from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any, cast

import pytest

from drivers.readings import Instant
from drivers.weighbridge.axles import AxleWatch
from drivers.weighbridge.deck import DeckState
from drivers.weighbridge.dialects.yaohua import a9
from drivers.weighbridge.frames import Frame
from drivers.weighbridge.reading import Reader, Scale
from simulators.deck import Deck
from simulators.ground import AXLES, Rig, stops_for
from simulators.weighbridge import Indicator
from tests.drivers.weighbridge.test_healthy_day import vehicle

STEP_S = 0.1
DIVISION_KG = 20
SCALE = Scale(max_kg=Decimal(30_000), division_kg=Decimal(DIVISION_KG), decimals=0)
STANDS_S = 4.0


class Lane:
    """Time passes in steps; the driver's thinking hears readings and contacts, each on its own wire."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.at = 1000.0
        self.rig: Rig | None = None
        self.added_kg = 0.0
        self.deaf_in = self.deaf_on = self.deaf_out = False
        """A wheel sensor that says nothing is there."""
        self.blind = False
        """No poll arrives."""
        self.held_until = 0.0
        self.states: list[DeckState] = []
        deck = Deck(seed, DIVISION_KG, stiffness=4.0)
        self.indicator = Indicator(
            cast("Any", self), self._load, seed=seed, max_kg=30_000, division_kg=DIVISION_KG, filter_s=0.05, deck=deck
        )
        self.indicator.power_up(0.0)
        self.decoder, self.reader, self.watch = a9(), Reader(SCALE), AxleWatch(division_kg=SCALE.division_kg)

    def now(self) -> float:
        return self.at

    @property
    def state(self) -> DeckState:
        return self.states[-1]

    @property
    def gross_kg(self) -> int:
        assert self.rig is not None
        return self.rig.truck.gross_kg

    def comes(self, front_m: float = -15.0) -> None:
        """Another vehicle comes into sight."""
        truck = vehicle(self.rng)
        self.rig = Rig(truck=cast("Any", truck), front_m=front_m, stop_m=0.0, rng=self.rng, ground=AXLES)
        self.states.clear()

    def stops(self) -> list[float]:
        """Where the front is while each axle stands on the deck."""
        assert self.rig is not None
        return stops_for(self.rig.truck, AXLES)

    def drive(self, to_m: float, speed_mps: float = 0.8) -> None:
        rig, speed = self.rig, 0.0
        assert rig is not None
        while abs(to_m - rig.front_m) > 0.01:
            left = to_m - rig.front_m
            speed = max(0.05, min(speed_mps, (2.2 * abs(left)) ** 0.5, speed + 0.9 * STEP_S))
            rig.front_m += max(-speed * STEP_S, min(speed * STEP_S, left))
            self.step()

    def wait(self, seconds: float) -> None:
        until = self.at + seconds
        while self.at < until:
            self.step()

    def goes(self, to_m: float = 50.0) -> None:
        self.drive(to_m, 2.5)
        self.rig = None
        self.wait(7.0)

    def step(self) -> None:
        self.at += STEP_S
        rig, at = self.rig, Instant(self.at)
        if not self.blind and self.at >= self.held_until:
            self.watch.beams(
                rear=rig is not None and rig.breaks(AXLES.rear),
                front=rig is not None and rig.breaks(AXLES.front),
                arrival=rig is not None and rig.over(AXLES.arrival),
                at=at,
            )
            self.watch.wheels(
                axle_in=rig is not None and not self.deaf_in and rig.wheel_on(AXLES.wheel_in),
                axle_on=rig is not None and not self.deaf_on and rig.wheel_on(AXLES.wheel_on),
                axle_out=rig is not None and not self.deaf_out and rig.wheel_on(AXLES.wheel_out),
                at=at,
            )
        self.decoder.receive(self.indicator.next_bytes())
        while (word := self.decoder.next_word()) is not None:
            assert isinstance(word, Frame)
            self.watch.weight(self.reader.read(word, at))
        self.states.append(self.watch.state(at))

    def _load(self) -> float:
        return self.added_kg + (0.0 if self.rig is None else self.rig.on_deck_kg())

    def right(self) -> None:
        """Every sum that was ever given is this truck's, within its own uncertainty and the display's rounding."""
        for state in self.states:
            if state.settled is not None and state.zero_ok and not state.frozen:
                off = abs(float(state.settled.kg) - self.gross_kg)
                assert off <= float(state.settled.uncertainty_kg) + len(state.loads) * DIVISION_KG / 2, state
                assert self.rig is None or len(state.loads) == len(self.rig.truck.axles)


@contextmanager
def lane(seed: int) -> Generator[Lane]:
    made = Lane(seed)
    made.wait(3.0)
    yield made
    made.indicator.close()


def sums(states: list[DeckState]) -> set[Decimal]:
    return {state.settled.kg for state in states if state.settled is not None}


@pytest.mark.parametrize("seed", range(12))
async def test_a_truck_that_stops_with_every_axle_is_summed(seed: int) -> None:
    with lane(seed) as it:
        for _ in range(2):
            it.comes()
            for stop_m in it.stops():
                it.drive(stop_m + it.rng.uniform(-0.2, 0.2), it.rng.uniform(0.5, 1.2))
                assert sums(it.states) == set(), "only the last stop makes it whole"
                it.wait(it.rng.uniform(3.0, 6.0))
            state = it.state
            assert state.settled is not None and state.zero_ok is True
            assert state.doubts == ("by axles",)
            assert len(state.loads) == len(it.stops())
            own = sum(load.uncertainty_kg for load in state.loads)
            assert state.settled.uncertainty_kg == own >= 10 * len(state.loads)
            it.right()
            it.goes()
            assert it.state.settled is None and it.state.loads == () and it.state.doubts == ("by axles",)


@pytest.mark.parametrize("passed", [0, 1, -2, -1])
async def test_an_axle_that_did_not_stop_makes_no_sum(passed: int) -> None:
    with lane(3) as it:
        it.comes()
        stops = it.stops()
        for stop_m in stops:
            if stop_m != stops[passed]:
                it.drive(stop_m)
                it.wait(STANDS_S)
        if passed == -1:
            it.drive(stops[-1] + 2.0)
            it.wait(STANDS_S)
        assert sums(it.states) == set()
        if passed != -1:
            assert "axle missed" in it.state.doubts
        it.goes()
        it.comes()
        for stop_m in it.stops():
            it.drive(stop_m)
            it.wait(STANDS_S)
        assert it.state.settled is not None, "the next truck is not charged with it"
        it.right()


@pytest.mark.parametrize("back_m", [0.6, 1.2, 2.0, 5.0])
@pytest.mark.parametrize("axle", [0, 2, -1])
async def test_a_truck_that_rolls_back_makes_no_sum_until_it_comes_again(axle: int, back_m: float) -> None:
    with lane(4) as it:
        it.comes()
        while len(it.stops()) < 4:
            it.comes()
        stops, rolled_at = it.stops(), 0
        for stop_m in stops:
            it.drive(stop_m)
            it.wait(STANDS_S)
            if stop_m == stops[axle]:
                it.drive(stop_m - back_m)
                rolled_at = len(it.states)
                it.wait(STANDS_S)
                it.drive(stop_m)
                it.wait(STANDS_S)
        assert sums(it.states[rolled_at:]) == set()
        it.goes(-16.0)
        it.comes()
        for stop_m in it.stops():
            it.drive(stop_m)
            it.wait(STANDS_S)
        assert it.state.settled is not None
        it.right()


async def test_a_truck_that_left_has_no_weight() -> None:
    with lane(5) as it:
        it.comes()
        for stop_m in it.stops():
            it.drive(stop_m)
            it.wait(STANDS_S)
        assert it.state.settled is not None
        it.drive(it.stops()[-1] + 1.5)
        it.wait(1.0)
        assert it.state.settled is None and it.state.not_settled_why == "the last axle is not on the deck"


@pytest.mark.parametrize("sensor", ["in", "on", "out", "polls", "late polls"])
async def test_a_wheel_that_was_not_counted_makes_no_sum(sensor: str) -> None:
    with lane(6) as it:
        it.comes()
        while len(it.stops()) < 4:
            it.comes()
        for number, stop_m in enumerate(it.stops()):
            it.deaf_in = sensor == "in" and number in (1, 2)
            it.deaf_on = sensor == "on" and number == 2
            it.deaf_out = sensor == "out" and number == 2
            it.blind = sensor == "polls" and number == 2
            it.held_until = it.at + 1.0 if sensor == "late polls" else 0.0
            it.drive(stop_m)
            it.wait(STANDS_S)
        if sensor == "late polls":
            it.right()
            return
        assert sums(it.states) == set()
        assert "not whole" in it.state.not_settled_why or "axle missed" in it.state.doubts


@pytest.mark.parametrize("freezes_m", [-5.0, 3.0, 9.0])
async def test_a_frozen_indicator_is_seen_and_never_summed(freezes_m: float) -> None:
    with lane(7) as it:
        it.comes()
        while len(it.stops()) < 5:
            it.comes()
        for stop_m in it.stops():
            it.drive(stop_m)
            assert it.rig is not None
            it.indicator.faults.frozen = it.rig.front_m > freezes_m
            it.wait(STANDS_S)
        assert sums(it.states) == set()
        assert any(state.frozen for state in it.states)


async def test_a_load_that_jumps_while_the_truck_stands_is_told() -> None:
    with lane(8) as it:
        it.comes()
        for stop_m in it.stops():
            it.drive(stop_m)
            it.wait(STANDS_S)
        assert not it.state.jumped
        it.indicator.faults.added_kg = 3000.0
        it.wait(STANDS_S)
        assert it.state.jumped


async def test_a_zero_that_is_off_and_a_load_from_nowhere_are_told() -> None:
    with lane(9) as it:
        it.indicator.faults.drift_kg = 300.0
        it.wait(4.0)
        it.comes()
        it.drive(it.stops()[0])
        it.wait(STANDS_S)
        assert it.state.zero_ok is False and it.state.zero_kg == 300
        it.goes(-16.0)
        it.added_kg = 4000.0
        it.wait(6.0)
        assert "load unseen" in it.state.doubts and it.state.settled is None


async def test_one_axle_and_a_vehicle_behind_are_no_sum() -> None:
    with lane(10) as it:
        it.comes()
        for stop_m in it.stops():
            it.drive(stop_m)
            it.wait(STANDS_S)
        assert it.state.settled is not None
        for rear in (True, False):
            it.watch.beams(rear=rear, front=True, arrival=False, at=Instant(it.at + 0.01))
        assert it.watch.state(Instant(it.at + 0.02)).not_settled_why.startswith("the rear beam was broken again")


def anyhow(it: Lane, rng: Random) -> None:
    """Stops beside an axle's place, goes back, leaves axles out, hurries; ends with the last axle on the deck."""
    stops = it.stops()
    for stop_m in stops[: rng.randint(0, len(stops))]:
        it.drive(stop_m)
        it.wait(STANDS_S)
    for _ in range(rng.randint(0, 5)):
        place = rng.choice([*stops, *stops, -12.0])
        it.drive(place + rng.uniform(-0.9, 0.9), rng.uniform(0.3, 2.0))
        it.wait(rng.uniform(0.0, 4.0))
    it.drive(stops[-1])
    it.wait(STANDS_S)


@pytest.mark.parametrize("seeds", [range(8), range(8, 16), range(16, 24)])
async def test_however_a_truck_is_driven_a_sum_is_its_weight_or_none(seeds: range) -> None:
    given = 0
    for seed in seeds:
        with lane(seed) as it:
            it.comes()
            anyhow(it, Random(seed))
            it.right()
            given += it.state.settled is not None
    assert given < len(seeds), "something of this must be refused"


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_however_a_thousand_trucks_are_driven_a_sum_is_their_weight_or_none() -> None:
    given = 0
    for seed in range(100, 1100):
        with lane(seed) as it:
            it.comes()
            anyhow(it, Random(seed))
            it.right()
            given += it.state.settled is not None
    print(f"{given} of 1000 were summed, every one rightly")
    assert 0 < given < 1000
