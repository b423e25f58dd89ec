"""One sensor under the boom that misses a vehicle is caught by the other, and counts as occupied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.lane_io.config import InputName
from drivers.lane_io.zone import SEEN_S, ZONE, ZoneWatch, told
from drivers.readings import Instant

STEP_S = 0.1
CLEAR: dict[InputName, bool | None] = {
    "beam_front": False, "loop_boom": False, "photocell": False, "limit_down": False, "limit_up": True,
}  # fmt: skip


class Lane:
    """Contacts over time."""

    def __init__(self) -> None:
        self.watch = ZoneWatch()
        self.at = Instant(0.0)
        self.seen: dict[InputName, bool | None] = {}

    def stands(self, seconds: float, **change: bool | None) -> dict[InputName, bool | None]:
        for _ in range(max(1, round(seconds / STEP_S))):
            self.at = Instant(self.at + STEP_S)
            self.seen = self.watch.take({**CLEAR, **change}, self.at)  # pyright: ignore[reportArgumentType]
        return self.seen

    def truck(self, *, loop: bool = True, cell: bool = True, seconds: float = 4.0) -> dict[InputName, bool | None]:
        self.stands(1.0, beam_front=True)
        self.stands(seconds, beam_front=True, loop_boom=loop, photocell=cell)
        self.stands(1.0, loop_boom=loop, photocell=cell)
        return self.stands(0.1)


def test_a_healthy_crossing_leaves_both_trusted() -> None:
    lane = Lane()
    assert lane.truck() == CLEAR
    assert lane.watch.blind == frozenset() and told(lane.watch.blind) == ""


@pytest.mark.parametrize("dead", ZONE)
def test_the_one_that_missed_the_truck_is_occupied_at_once_until_it_sees_something(dead: InputName) -> None:
    lane = Lane()
    seen = lane.truck(loop=dead != "loop_boom", cell=dead != "photocell")
    assert seen == {**CLEAR, dead: True}
    assert told(lane.watch.blind).startswith(f"{dead} missed a vehicle")
    assert lane.stands(60.0)[dead] is True
    assert lane.stands(1.0, limit_down=True)[dead] is True, "a boom that was lowered by hand heals nothing"
    assert lane.truck(loop=dead != "loop_boom", cell=dead != "photocell")[dead] is True
    assert lane.stands(0.1, **{dead: True})[dead] is True
    assert lane.stands(0.1)[dead] is False


def test_both_dead_cannot_be_known_here() -> None:
    lane = Lane()
    assert lane.truck(loop=False, cell=False) == CLEAR


def test_a_person_who_walks_through_the_photocell_is_no_vehicle() -> None:
    lane = Lane()
    lane.stands(1.0, beam_front=True)
    lane.stands(SEEN_S - 0.2, beam_front=True, photocell=True)
    assert lane.stands(0.1, beam_front=True)["loop_boom"] is False


def test_nothing_is_judged_while_the_boom_is_down_or_nobody_came_over_the_deck() -> None:
    lane = Lane()
    lane.stands(5.0, limit_down=True, beam_front=True, photocell=True)
    assert lane.stands(0.1, limit_down=True)["loop_boom"] is False
    lane.stands(5.0, photocell=True)
    assert lane.stands(0.1)["loop_boom"] is False


@pytest.mark.parametrize("unknown", ["loop_boom", "photocell", "beam_front", "limit_down"])
def test_a_poll_that_was_not_answered_proves_nothing(unknown: str) -> None:
    lane = Lane()
    lane.stands(1.0, beam_front=True)
    lane.stands(2.0, photocell=True)
    assert lane.stands(0.1, **{unknown: None})["loop_boom"] is (None if unknown == "loop_boom" else False)
    assert lane.stands(0.1) == CLEAR


@given(
    polls=st.lists(
        st.fixed_dictionaries({name: st.sampled_from([True, False, False, None]) for name in CLEAR}), max_size=60
    )
)
def test_an_occupied_sensor_never_becomes_clear_by_the_watch(polls: list[dict[InputName, bool | None]]) -> None:
    watch = ZoneWatch()
    for number, values in enumerate(polls):
        seen = watch.take(values, Instant(0.4 * number))
        assert seen.keys() == values.keys()
        for name, value in values.items():
            if seen[name] != value:
                assert name in watch.blind and seen[name] is True and value is not True
        assert not watch.blind.intersection(name for name in ZONE if values[name])
