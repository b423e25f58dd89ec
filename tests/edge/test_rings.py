"""What of the trackers' doings rings, once when it comes and once when it goes, and over a restart."""

from dataclasses import replace
from pathlib import Path

import pytest

from drivers.gps.fix import Fix, Hint, Vehicle
from drivers.readings import Instant, Quality
from edge.fences import Crossing, What
from edge.rings import EMERGENCY, HINT_FRESH_S, Rings
from edge.tracker_memory import FILE, Memory, recall, remember
from telemetry.payloads.lane import AlarmBody
from tests.edge.test_fences import area, route

T = Instant(1_800_000_000.0)
FIX = Fix(
    valid=True, lat=36.0, lon=120.2, speed_mps=3.0, track_deg=90.0, altitude_m=5.0, quality=Quality.GOOD,
    fix_quality=1, satellites=9, hdop=0.9, fix_time=T, at=T, source="0200", why="",
)  # fmt: skip


def crossing(
    what: What, tracker: str = "T1", *, rings: tuple[str, ...] = ("enter", "leave"), road: bool = False
) -> Crossing:
    zone = route(rings=rings) if road else area(rings=rings, priority=1)
    return Crossing(tracker=tracker, zone=zone, what=what, at=T, x_m=0.0, y_m=0.0)


def told(alarms: list[AlarmBody]) -> list[tuple[str, bool]]:
    return [(alarm.alarm, alarm.active) for alarm in alarms]


def test_a_forbidden_zone_rings_while_somebody_is_in_it() -> None:
    rings = Rings()
    [alarm] = rings.crossing(crossing("entered", rings=("enter",)))
    assert (alarm.alarm, alarm.active, alarm.priority) == ("T1:in-yard", True, 1)
    assert (alarm.say.zh, alarm.say.en) == ("T1 进入 堆场", "T1 entered Yard")
    assert rings.crossing(crossing("entered", rings=("enter",))) == []
    assert told(rings.crossing(crossing("left", rings=("enter",)))) == [("T1:in-yard", False)]
    assert rings.standing() == []


@pytest.mark.parametrize(("what", "found"), [("found", True), ("entered", True), ("left", False), ("ended", False)])
def test_who_is_found_in_a_forbidden_zone_rings_too(what: What, found: bool) -> None:
    assert bool(Rings().crossing(crossing(what, rings=("enter",)))) is found


def test_a_route_rings_when_it_is_left_and_not_at_its_end() -> None:
    rings = Rings()
    assert rings.crossing(crossing("found", road=True, rings=("leave",))) == []
    [alarm] = rings.crossing(crossing("left", road=True, rings=("leave",)))
    assert (alarm.alarm, alarm.priority, alarm.say.en) == ("T1:off-road", 2, "T1 left its route Road")
    assert told(rings.crossing(crossing("entered", road=True, rings=("leave",)))) == [("T1:off-road", False)]
    assert rings.crossing(crossing("ended", road=True, rings=("leave",))) == []


def test_a_zone_that_nobody_asked_to_ring_is_silent() -> None:
    assert Rings().crossing(crossing("entered", rings=())) == []


def test_signs_of_many_are_one_alarm_that_goes_when_the_last_has_gone() -> None:
    rings = Rings()
    jammed = replace(FIX, hints=(Hint("jamming", "fell"),))
    for n in range(9):
        assert rings.fix(f"T{n}", jammed) == []
    [alarm] = rings.look(T)
    assert (alarm.alarm, alarm.active, alarm.priority) == ("sky:jamming", True, 3)
    assert alarm.say.en == "Signs of jamming: T0, T1, T2, T3, T4 and 4 more" and alarm.say.zh.endswith("等 9 台")
    assert rings.look(T) == []
    for n in range(9):
        rings.fix(f"T{n}", FIX)
    assert told(rings.look(T)) == [("sky:jamming", False)]


def test_one_that_fell_silent_says_nothing_of_the_sky() -> None:
    rings = Rings()
    rings.fix("T1", replace(FIX, hints=(Hint("antenna", "open"),)))
    assert told(rings.look(T)) == [("sky:antenna", True)]
    assert told(rings.look(Instant(T + HINT_FRESH_S + 1))) == [("sky:antenna", False)]


def test_the_emergency_button() -> None:
    rings = Rings()
    pressed = replace(FIX, vehicle=Vehicle(ignition=True, alarms=(EMERGENCY,)))
    assert [(a.alarm, a.active, a.priority) for a in rings.fix("T1", pressed)] == [("T1:emergency", True, 1)]
    assert rings.fix("T1", pressed) == []
    assert told(rings.fix("T1", replace(pressed, vehicle=Vehicle(ignition=True, alarms=())))) == [
        ("T1:emergency", False)
    ]


def test_over_a_restart(tmp_path: Path) -> None:
    rings = Rings()
    rings.crossing(crossing("entered", rings=("enter",)))
    rings.fix("T1", replace(FIX, hints=(Hint("clock", "late"),)))
    rings.look(T)
    remember(tmp_path, Memory({"T1": {"yard": True}}, rings.standing()))
    memory = recall(tmp_path)
    assert memory.sides == {"T1": {"yard": True}}
    again = Rings()
    again.recall(memory.alarms)
    assert again.crossing(crossing("entered", rings=("enter",))) == []
    assert again.cleared({"in-yard"}) == []
    assert told(again.look(T)) == [("sky:clock", False)], "nobody sees it any more"
    assert told(again.cleared(set())) == [("T1:in-yard", False)], "the zone is no longer one that rings"


@pytest.mark.parametrize("text", ["", "{", '{"sides": 3}', '{"alarms": [{}]}', "\xff"])
def test_a_broken_memory_is_none(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert recall(tmp_path) == Memory()
    (tmp_path / FILE).write_text(text, encoding="latin-1")
    assert recall(tmp_path) == Memory() and "seen for the first time" in caplog.text


def test_a_disk_that_fails_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    remember(tmp_path / "nowhere", Memory())
    assert "cannot be written" in caplog.text
