"""Each fix once, in the order of its own time, on flat ground that is where the ellipsoid is."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gps.fix import Fix, Hint, Vehicle
from drivers.readings import Instant, Quality
from edge.agents.tracker import fix_body, instrument_name
from edge.fleet import HOLD_S, TRACKERS_CEILING, Fleet
from edge.ground import Ground
from telemetry.topics import topic

T = 1_800_000_000.0
FIX = Fix(
    valid=True, lat=36.001, lon=120.201, speed_mps=3.0, track_deg=90.0, altitude_m=5.0, quality=Quality.GOOD,
    fix_quality=1, satellites=9, hdop=0.9, fix_time=Instant(T), at=Instant(T), source="GPRMC", why="",
)  # fmt: skip


def fix(time: float | None, heard: float) -> Fix:
    return replace(FIX, fix_time=None if time is None else Instant(T + time), at=Instant(T + heard))


def test_a_fix_is_given_after_its_hold_and_once() -> None:
    fleet = Fleet()
    fleet.take("YT01", fix(1, 1.1))
    assert fleet.give(Instant(T + 1.1 + HOLD_S - 0.01)) == []
    fleet.take("YT01", fix(1, 1.2))
    assert [f.fix_time for _, f in fleet.give(Instant(T + 1.1 + HOLD_S))] == [T + 1]
    fleet.take("YT01", fix(1, 2.0))
    assert fleet.give(Instant(T + 9)) == []
    assert fleet.repeated == 2 and fleet.told() == "2 repeated"


def test_an_overtaken_fix_comes_in_its_order_and_a_late_one_as_history() -> None:
    fleet = Fleet()
    fleet.take("YT01", fix(2, 2.1))
    fleet.take("YT01", fix(1, 2.2))
    assert [f.fix_time for _, f in fleet.give(Instant(T + 2.1 + HOLD_S))] == [T + 1, T + 2]
    fleet.take("YT01", fix(1.5, 3))
    fleet.take("YT02", fix(1.5, 3))
    assert [name for name, _ in fleet.give(Instant(T + 9))] == ["YT02"]
    assert fleet.late == 1
    assert [(name, f.fix_time, f.historical) for name, f in fleet.history()] == [("YT01", T + 1.5, True)]
    assert fleet.history() == []


def test_what_was_kept_back_is_history_each_fix_once_and_holds_nothing_up() -> None:
    fleet = Fleet()
    batch = [replace(fix(second, 100), historical=True) for second in range(20)]
    for kept in batch + batch:
        fleet.take("YT01", kept)
    assert fleet.give(Instant(T + 200)) == []
    assert [f for _, f in fleet.history()] == batch and fleet.repeated == 20
    fleet.take("YT01", fix(101, 101))
    fleet.take("YT01", fix(101, 101))
    assert [f.fix_time for _, f in fleet.give(Instant(T + 200))] == [T + 101]
    fleet.take("YT01", replace(fix(101, 201), historical=True))
    assert fleet.history() == [] and fleet.repeated == 22


def test_a_fix_without_a_date_goes_by_its_arrival() -> None:
    fleet = Fleet()
    fleet.take("YT01", fix(None, 5))
    fleet.take("YT01", fix(None, 6))
    assert [f.at for _, f in fleet.give(Instant(T + 9))] == [T + 5, T + 6]


def test_names_off_the_wire_do_not_grow_memory() -> None:
    fleet = Fleet()
    for number in range(TRACKERS_CEILING + 10):
        fleet.take(f"T{number}", fix(number, number))
        fleet.give(Instant(T + number + 1))
    assert len(fleet._times) <= TRACKERS_CEILING
    assert fleet.forgotten == 10 and fleet.told() == "10 trackers forgotten"


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 40), st.floats(0, 3)), max_size=60),
    st.lists(st.floats(0, 45), max_size=20),
)
def test_order_and_counts_hold_whatever_comes(heard: list[tuple[str, int, float]], looks: list[float]) -> None:
    """Time never runs back for a tracker, and every fix is given, repeated or late."""
    fleet = Fleet()
    given_fixes: list[tuple[str, Fix]] = []
    events = sorted(
        [(time + delay, (name, time)) for name, time, delay in heard] + [(at, None) for at in looks], key=lambda e: e[0]
    )
    for at, what in events:
        if what is None:
            given_fixes += fleet.give(Instant(T + at))
        else:
            fleet.take(what[0], fix(what[1], at))
    given_fixes += fleet.give(Instant(T + 1000))
    for name in "AB":
        times = [f.fix_time for n, f in given_fixes if n == name and f.fix_time is not None]
        assert times == sorted(set(times))
    assert len(given_fixes) + fleet.repeated + fleet.late == len(heard)
    assert len(fleet.history()) == fleet.late


def to_earth(lat: float, lon: float) -> tuple[float, float, float]:
    """ECEF, from the textbook: an own road to the same place."""
    a, f = 6_378_137.0, 1 / 298.257223563
    e2 = f * (2 - f)
    p, q = math.radians(lat), math.radians(lon)
    n = a / math.sqrt(1 - e2 * math.sin(p) ** 2)
    return n * math.cos(p) * math.cos(q), n * math.cos(p) * math.sin(q), n * (1 - e2) * math.sin(p)


@given(st.floats(-70, 70), st.floats(-180, 180), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_metres_agree_with_the_ellipsoid(lat: float, lon: float, dlat: float, dlon: float) -> None:
    east, north = Ground(lat, lon).metres(lat + dlat, lon + dlon)
    o, p = to_earth(lat, lon), to_earth(lat + dlat, lon + dlon)
    d = [b - a for a, b in zip(o, p, strict=True)]
    sin_lat, cos_lat, sin_lon, cos_lon = (f(math.radians(x)) for x in (lat, lon) for f in (math.sin, math.cos))
    true_east = -sin_lon * d[0] + cos_lon * d[1]
    true_north = -sin_lat * cos_lon * d[0] - sin_lat * sin_lon * d[1] + cos_lat * d[2]
    distance = math.hypot(true_east, true_north)
    # A plane is off by the bend of the meridians: with tan(lat) times the square of the distance over the radius.
    allowed = 0.01 + 2 * distance**2 / 6.3e6 * (1 + abs(math.tan(math.radians(lat))))
    assert math.hypot(east - true_east, north - true_north) <= allowed


def test_a_port_is_right_to_the_decimetre() -> None:
    east, north = Ground(36.0, 120.2).metres(36.003, 120.204)
    crow_m = math.dist(to_earth(36.0, 120.2), to_earth(36.003, 120.204))
    assert math.hypot(east, north) == pytest.approx(crow_m, abs=0.02)
    assert (round(east), round(north)) == (361, 333)


def test_the_date_line_is_the_short_way() -> None:
    east, _ = Ground(0.0, 179.999).metres(0.0, -179.999)
    assert east == pytest.approx(222.6, abs=0.1)


def test_a_fix_on_the_wire() -> None:
    assert fix_body(FIX, None, ()).x_m is None
    body = fix_body(replace(FIX, hints=(Hint("clock", "late"),)), Ground(36, 120.2).metres(36.001, 120.201), ["yard"])
    assert (body.x_m, body.zones, body.ignition) == (pytest.approx(90.1, abs=0.1), ["yard"], None)
    assert [(hint.kind, hint.why) for hint in body.hints] == [("clock", "late")]
    vehicle = Vehicle(ignition=True, alarms=("overspeed",))
    body = fix_body(replace(FIX, vehicle=vehicle), None, ())
    assert (body.ignition, body.alarms) == (True, ["overspeed"])


@given(st.text(max_size=60))
def test_any_name_is_a_level_of_a_topic(name: str) -> None:
    assert topic("site", "tracker", "fix", instrument_name(name))
