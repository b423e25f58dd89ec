import pytest

from simulators.barrier import LIMIT_TRAVEL_DEG, Boom
from simulators.clock import SimClock
from tests.simulators.wires import HandClock, comes_true, living


class Field:
    """A boom, its inputs, its safety, and time, all by hand."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.safety = {"loop_boom": False, "photocell": False}
        self.boom = Boom(self.clock, sense=lambda: self.safety)

    def wait(self, seconds: float) -> None:
        self.clock.at += seconds
        self.boom.step()

    def put(self, *closed: str) -> None:
        self.boom.drive(raise_="raise" in closed, lower="lower" in closed, stop="stop" in closed)

    def pulse(self, line: str, seconds: float = 0.5) -> None:
        self.put(line)
        self.wait(seconds)
        self.put()

    def raised(self) -> None:
        self.pulse("raise")
        self.wait(4.0)
        assert self.boom.limit_up


@pytest.fixture
async def field() -> Field:
    return Field()


async def test_at_rest_it_is_down_and_nothing_moves(field: Field):
    field.wait(10_000.0)
    assert (field.boom.angle_deg, field.boom.limit_down, field.boom.limit_up) == (0.0, True, False)
    assert not field.boom.fault and not field.boom.moving
    assert field.boom.movements == [] == field.boom.pulses


async def test_a_pulse_raises_it_in_its_time_with_no_switch_made_on_the_way(field: Field):
    field.put("raise")
    field.wait(0.19)
    assert not field.boom.moving, "0.2 s make a pulse"
    field.wait(0.31)
    field.put()
    field.wait(0.7)
    assert field.boom.angle_deg == pytest.approx(45.0, abs=5.0)
    assert not field.boom.limit_down and not field.boom.limit_up
    field.wait(1.05)
    assert field.boom.limit_up and not field.boom.limit_down and not field.boom.moving
    (movement,) = field.boom.movements
    assert (movement.cause, movement.from_deg, movement.to_deg) == ("raise", 0.0, 90.0)
    assert movement.ended_at is not None
    assert movement.ended_at - movement.started_at == pytest.approx(2.0, abs=0.06)
    assert movement.started_at - movement.by_at == pytest.approx(0.2, abs=0.001)
    assert [(pulse.line, pulse.obeyed) for pulse in field.boom.pulses] == [("raise", True)]


async def test_lowering_takes_its_own_time_and_the_angle_never_turns_back(field: Field):
    field.raised()
    field.pulse("lower")
    angles: list[float] = []
    for _ in range(60):
        field.wait(0.05)
        angles.append(field.boom.angle_deg)
    assert angles == sorted(angles, reverse=True)
    assert field.boom.limit_down and field.boom.movements[-1].cause == "lower"
    ended_at = field.boom.movements[-1].ended_at
    assert ended_at is not None
    assert ended_at - field.boom.movements[-1].started_at == pytest.approx(2.5, abs=0.06)


async def test_a_short_pulse_is_none_and_a_held_line_counts_once(field: Field):
    field.pulse("raise", 0.1)
    field.wait(3.0)
    assert field.boom.limit_down and not field.boom.pulses[0].obeyed and "short" in field.boom.pulses[0].why
    field.put("raise")
    field.wait(10.0)
    assert field.boom.limit_up
    field.put("raise", "lower")
    field.wait(1.0)
    field.put("raise")
    field.wait(5.0)
    assert field.boom.limit_up, "raise is still held: lower with it is nothing"
    assert [pulse.obeyed for pulse in field.boom.pulses] == [False, True, False]


async def test_raise_and_lower_at_once_are_nothing(field: Field):
    field.put("raise", "lower")
    field.wait(1.0)
    field.put()
    field.wait(5.0)
    assert field.boom.limit_down and field.boom.movements == []
    assert {pulse.why for pulse in field.boom.pulses} == {"raise and lower at once"}


async def test_stop_halts_at_once_and_nothing_goes_on_by_itself(field: Field):
    field.pulse("raise")
    field.wait(0.5)
    field.put("stop")
    stood_at = field.boom.angle_deg
    field.wait(5.0)
    assert field.boom.angle_deg == stood_at and 5.0 < stood_at < 85.0
    field.put("stop", "raise")
    field.wait(1.0)
    assert field.boom.angle_deg == stood_at and field.boom.pulses[-1].why == "stop is held"
    field.put()
    field.wait(60.0)
    assert field.boom.angle_deg == stood_at, "no move without a fresh pulse"
    field.raised()


@pytest.mark.parametrize("occupied", ["loop_boom", "photocell"])
async def test_it_refuses_to_lower_onto_something_and_turns_round_when_something_comes(field: Field, occupied: str):
    field.raised()
    field.safety[occupied] = True
    field.pulse("lower")
    field.wait(5.0)
    assert field.boom.limit_up and field.boom.pulses[-1].why == f"safety: {occupied}"
    field.safety[occupied] = False
    field.pulse("lower")
    field.wait(0.8)
    lowest_deg = field.boom.angle_deg
    assert lowest_deg < 85.0
    field.safety[occupied] = True
    field.wait(0.1)
    assert field.boom.angle_deg > lowest_deg - 8.0
    field.wait(3.0)
    assert field.boom.limit_up
    assert [movement.cause for movement in field.boom.movements] == ["raise", "lower", "safety"]
    field.safety[occupied] = False
    field.wait(60.0)
    assert field.boom.limit_up, "it waits for a new order"


async def test_late_means_it_starts_later_and_still_arrives(field: Field):
    field.boom.faults.delay_s = 4.0
    field.pulse("raise")
    field.wait(3.5)
    assert field.boom.limit_down and field.boom.movements == []
    field.wait(2.4)
    assert field.boom.limit_up and not field.boom.fault
    assert field.boom.movements[0].started_at - field.boom.movements[0].by_at == pytest.approx(4.2, abs=0.06)


async def test_never_means_it_stops_half_way_gives_up_and_reports_a_fault_until_repaired(field: Field):
    field.boom.faults.stall_at_deg = 40.0
    field.pulse("raise")
    field.wait(30.0)
    assert 38.0 < field.boom.angle_deg < 48.0 and field.boom.fault and not field.boom.moving
    assert not field.boom.limit_up and not field.boom.limit_down
    field.pulse("raise")
    assert field.boom.pulses[-1].why == "machine fault"
    knobs = field.boom.faults
    field.boom.repair()
    assert field.boom.faults is knobs and knobs.stall_at_deg is None
    assert field.boom.limit_down and not field.boom.fault
    assert field.boom.movements[-1].cause == "repair" and field.boom.movements[-1].to_deg == 0.0
    field.raised()


async def test_dead_means_it_never_starts(field: Field):
    field.boom.faults.dead = True
    field.pulse("raise")
    assert not field.boom.fault
    field.wait(30.0)
    assert field.boom.angle_deg == 0.0 and field.boom.movements == [] and field.boom.fault


async def test_stuck_switches_lie_and_the_arm_does_not(field: Field):
    field.boom.faults.stuck_down = True
    field.boom.faults.stuck_up = False
    field.pulse("raise")
    field.wait(5.0)
    assert field.boom.limit_down and not field.boom.limit_up
    assert field.boom.angle_deg > 90.0 - LIMIT_TRAVEL_DEG


async def test_it_lives_by_itself_while_nobody_asks():
    clock = SimClock(speed=10)
    safety = {"loop_boom": False}
    boom = Boom(clock, sense=lambda: safety)
    async with living(boom.run()):
        boom.drive(raise_=True, lower=False, stop=False)
        await comes_true(lambda: any(m.ended_at is not None for m in boom.movements), clock)
        boom.drive(raise_=False, lower=True, stop=False)
        await comes_true(lambda: len(boom.movements) == 2, clock)
        safety["loop_boom"] = True
        await comes_true(lambda: len(boom.movements) == 3 and boom.movements[2].ended_at is not None, clock)
    assert [movement.cause for movement in boom.movements] == ["raise", "lower", "safety"]
    assert boom.movements[2].to_deg == 90.0
