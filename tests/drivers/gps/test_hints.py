"""Signs of jamming, forgery, a broken antenna or clock: none from an honest receiver, one for each thing done to it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gps.device import _Tracker
from drivers.gps.fix import Fix, Vehicle
from drivers.gps.frames import Decoder, Sentence
from drivers.gps.hints import LATE_STREAK, Watch, distance_m
from drivers.gps.sentences import Satellite
from drivers.readings import Instant, Quality
from simulators.clock import SimClock
from simulators.gps import GeoState, Tracker

NOON = 1_795_435_200
M = 1 / 111_195.0
"""A metre north, in degrees."""


class Drive:
    """A simulated receiver on a straight road, as our driver hears it."""

    def __init__(self, *, mps: float = 8.0, noise_m: float = 1.0) -> None:
        self.second = 0
        self.mps = mps
        self.device = Tracker(SimClock(), "t", self._where, sky=True, noise_m=noise_m, tag_block=False)
        self.ours = _Tracker()
        self.decoder = Decoder()

    def _where(self) -> GeoState:
        return GeoState(lat=36.0 + self.second * self.mps * M, lon=120.2, speed_mps=self.mps, track_deg=0.0)

    def go(self, seconds: int, each: Callable[[int], None] = lambda _: None) -> list[Fix]:
        found: list[Fix] = []
        for n in range(seconds):
            self.second += 1
            each(n)
            at = Instant(NOON + self.second + 0.2)
            for line in self.device.lines(NOON + self.second):
                self.decoder.receive(line)
            while (word := self.decoder.next_word()) is not None:
                assert isinstance(word, Sentence)
                found += [self.ours.seen(fix) for fix in self.ours.take(word, at)]
        return found


def kinds(fixes: list[Fix]) -> set[str]:
    return {hint.kind for fix in fixes for hint in fix.hints}


def whys(fixes: list[Fix]) -> Iterator[str]:
    return (hint.why for fix in fixes for hint in fix.hints)


@pytest.mark.parametrize("mps", [0.0, 3.0, 25.0])
@pytest.mark.parametrize("noise_m", [0.0, 2.0])
async def test_an_honest_receiver_gives_no_sign(mps: float, noise_m: float) -> None:
    drive = Drive(mps=mps, noise_m=noise_m)
    fixes = drive.go(110)
    assert len(fixes) == 110 and kinds(fixes) == set()


async def test_a_sky_that_falls_together_and_satellites_that_fall_out() -> None:
    drive = Drive()
    drive.go(60)
    drive.device.faults.jam_db = 15.0
    fixes = drive.go(12)
    assert kinds(fixes) == {"jamming"} and any("dB-Hz together" in why for why in whys(fixes))
    drive.device.faults.jam_db = 0.0
    assert kinds(drive.go(60)[-5:]) == set(), "a sign goes when its cause has gone for half a minute"
    drive.device.faults.jam_db = 19.0
    assert any("satellites in use fell from 12 to" in why for why in whys(drive.go(1)))


async def test_a_fix_that_is_lost_at_once_may_be_jamming() -> None:
    drive = Drive()
    drive.go(30)
    drive.device.faults.no_fix = True
    fixes = drive.go(2)
    assert not fixes[0].valid and kinds(fixes) == {"jamming"}


async def test_equally_strong_satellites_are_suspect() -> None:
    drive = Drive()
    drive.device.faults.even_sky = True
    assert any("alike to 0 dB" in why for why in whys(drive.go(10)))


async def test_a_jump_that_no_truck_makes() -> None:
    drive = Drive()
    drive.go(10)
    drive.device.faults.jump_m = 5000.0
    [fix] = drive.go(1)
    assert [(hint.kind, hint.why[:9]) for hint in fix.hints] == [("spoofing", "it jumped")]
    assert fix.valid and fix.quality is Quality.GOOD, "a sign refuses nothing"


async def test_places_that_move_otherwise_than_the_speed_says() -> None:
    drive = Drive(noise_m=0.5)
    drive.go(10)

    def drag(n: int) -> None:
        drive.device.faults.jump_m = 25.0 * n

    assert any("its places move with" in why for why in whys(drive.go(6, drag)))


async def test_time_that_jumps() -> None:
    drive = Drive()
    drive.go(10)
    drive.device.faults.clock_off_s = 3600.0
    assert kinds(drive.go(1)) == {"clock", "spoofing"}
    drive.device.faults.clock_off_s = 0.0
    assert any("ran back by" in why for why in whys(drive.go(1)))


@pytest.mark.parametrize(
    ("text", "found"),
    [("ANTSTATUS=OPEN", True), ("ANTSTATUS=SHORT", True), ("ANTENNA OPEN", True), ("ANTSTATUS=OK", False),
     ("ANTENNA OK", False), ("ANTSTATUS=INIT", False), ("ANTSUPERV=AC SD PDoS SR", False), ("u-blox ag", False)],
)  # fmt: skip
async def test_what_the_receiver_says_of_its_antenna(text: str, found: bool) -> None:
    drive = Drive()
    drive.device.faults.antenna = text
    assert ("antenna" in kinds(drive.go(3))) is found
    drive.device.faults.antenna = "ANTENNA OK"
    assert kinds(drive.go(40)[-2:]) == set()


FIX = Fix(
    valid=True, lat=36.0, lon=120.2, speed_mps=8.0, track_deg=0.0, altitude_m=12.0, quality=Quality.GOOD,
    fix_quality=1, satellites=9, hdop=0.9, fix_time=Instant(NOON), at=Instant(NOON), source="0200", why="",
)  # fmt: skip


def test_what_a_terminal_says_of_its_antenna() -> None:
    fix = Watch().take(replace(FIX, vehicle=Vehicle(ignition=True, alarms=(), antenna=("GNSS antenna cut",))))
    assert [(hint.kind, hint.why) for hint in fix.hints] == [("antenna", "the terminal says: GNSS antenna cut")]


def test_reports_that_are_all_late_by_the_same_are_a_wrong_clock_or_zone() -> None:
    watch = Watch()
    for n in range(LATE_STREAK):
        at = Instant(NOON + n * 10.0)
        fix = watch.take(replace(FIX, at=at, fix_time=Instant(at - 28_800.0), historical=True))
    assert "late by 28800 s" in fix.hints[0].why and fix.hints[0].kind == "clock"  # pyright: ignore[reportPossiblyUnboundVariable]
    watch = Watch()
    for n in range(40):
        late = replace(FIX, at=Instant(NOON + n * 0.1), fix_time=Instant(NOON - 600.0 + n * 10.0), historical=True)
        assert watch.take(late).hints == (), "what was kept back comes later by less and less"


def test_an_altitude_that_never_changes_on_the_move() -> None:
    def drive(height: float) -> set[str]:
        watch, found = Watch(), set[str]()
        for n in range(200):
            at = Instant(NOON + n)
            fix = replace(FIX, at=at, fix_time=at, lat=36.0 + n * 8 * M, altitude_m=height)
            found |= {hint.kind for hint in watch.take(fix).hints}
        return found

    assert drive(12.3) == {"spoofing"}
    assert drive(12.0) == set(), "whole metres are alike in a flat port"


def test_a_long_silence_is_no_jump() -> None:
    watch = Watch()
    watch.take(FIX)
    far = replace(FIX, at=Instant(NOON + 700), fix_time=Instant(NOON + 700), lat=37.0)
    assert watch.take(far).hints == ()


def test_a_system_that_is_not_tracked_is_no_collapse() -> None:
    watch = Watch()
    strong = [Satellite(n, 40, 0, 44.0 - n) for n in range(8)]
    silent = [Satellite(70 + n, 40, 0, None) for n in range(8)]
    for n in range(60):
        at = Instant(NOON + n)
        watch.sky("GP", strong, at)
        watch.sky("GL", silent, at)
        assert watch.take(replace(FIX, at=at, fix_time=at, lat=36.0 + n * 8 * M)).hints == ()


def test_talkers_off_the_wire_do_not_grow_memory() -> None:
    watch = Watch()
    for n in range(1000):
        watch.sky(str(n), (), Instant(NOON))
    assert len(watch._systems) == 32


@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.floats(-1e5, 1e5), st.integers(0, 40)), max_size=30)
)
@settings(max_examples=60)
def test_whatever_comes_the_fix_stays_what_it_was(reports: list[tuple[float, float, float, int]]) -> None:
    watch = Watch()
    for lat, lon, second, satellites in reports:
        fix = replace(FIX, lat=lat, lon=lon, fix_time=Instant(NOON + second), satellites=satellites)
        assert replace(watch.take(fix), hints=()) == fix


def test_distance_is_in_metres_and_the_short_way_round() -> None:
    assert distance_m(FIX, replace(FIX, lat=36.01)) == pytest.approx(1112, abs=1)
    assert distance_m(replace(FIX, lat=0.0, lon=179.999), replace(FIX, lat=0.0, lon=-179.999)) == pytest.approx(
        222, abs=1
    )
    assert distance_m(FIX, replace(FIX, lat=None, lon=None)) == 0.0
