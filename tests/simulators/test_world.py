"""The lane's kinematics: which sensor sees what, in which order, for every way a visit can go."""

from collections import Counter
from random import Random

import pytest

from simulators.ground import AXLES, BEAM_FRONT, BEAM_REAR, Doing, Lamp
from simulators.mishaps import Happened
from simulators.trucks import day
from simulators.world import LaneWorld
from tests.simulators.world_stage import Stage, one


def standing(stage: Stage) -> bool:
    return bool(stage.world.rigs) and stage.rig.doing is Doing.WAITING


def open_boom(stage: Stage) -> None:
    stage.lamp, stage.arm.angle_deg = Lamp.GREEN, 90.0


def shut_boom(stage: Stage) -> None:
    stage.lamp, stage.arm.angle_deg = Lamp.RED, 0.0


def test_a_clean_truck_meets_the_sensors_in_their_order() -> None:
    stage = Stage()
    truck = one()[0]
    stage.world.queue.append(truck)
    stage.until(lambda: standing(stage))
    assert stage.history == [
        ("loop_arrival", True),
        ("beam_rear", True),
        ("loop_arrival", False),
        ("beam_rear", False),
    ]
    assert stage.world.load_kg() == truck.gross_kg
    assert stage.rig.rear_m > BEAM_REAR and stage.rig.front_m < BEAM_FRONT
    assert stage.world.tags_in_field() == [truck.epc]
    stage.history.clear()
    open_boom(stage)
    stage.until(lambda: not stage.world.rigs)
    assert stage.history == [
        ("beam_front", True),
        ("loop_boom", True),
        ("photocell", True),
        ("beam_front", False),
        ("photocell", False),
        ("loop_boom", False),
    ]
    assert stage.world.load_kg() == 0
    shut_boom(stage)
    stage.until(lambda: stage.world.idle)
    (rig,) = stage.settled
    assert rig.happened is Happened.CROSSED and rig.stood_wholly and not rig.struck
    times = [rig.approach_at, rig.on_loop_at, rig.on_deck_at, rig.stopped_at, rig.moved_at, rig.crossed_at, rig.gone_at]
    assert times == sorted(time for time in times if time is not None)


@pytest.mark.parametrize("seed", range(12))
def test_every_truck_stands_wholly_on_the_deck(seed: int) -> None:
    stage = Stage()
    truck = one(seed=seed)[0]
    stage.world.queue.append(truck)
    stage.until(lambda: standing(stage))
    assert stage.rig.wholly_on_deck()
    assert stage.world.sense() == dict.fromkeys(stage.world.sense(), False)
    stage.step(3)
    assert stage.world.load_kg() == truck.gross_kg


def test_the_load_comes_axle_by_axle_and_never_exceeds_the_truck() -> None:
    stage = Stage()
    truck = one()[0]
    stage.world.queue.append(truck)
    loads: list[float] = []
    stage.until(lambda: loads.append(stage.world.load_kg()) or standing(stage))
    assert loads == sorted(loads)
    assert max(loads) == truck.gross_kg
    levels = {round(load) for load in loads}
    part = 0
    for axle in truck.axles:
        part += axle.kg
        assert part in levels or len(truck.axles) > 4


def test_nothing_opens_and_the_truck_backs_out_over_the_arrival_loop() -> None:
    stage = Stage(patience_s=10)
    stage.world.queue.append(one()[0])
    stage.until(lambda: standing(stage))
    stage.history.clear()
    assert stage.until(lambda: stage.rig.doing is Doing.BACKING_OUT) == pytest.approx(10, abs=0.3)
    stage.until(lambda: not stage.world.rigs)
    assert stage.history == [
        ("beam_rear", True),
        ("loop_arrival", True),
        ("beam_rear", False),
        ("loop_arrival", False),
    ]
    stage.until(lambda: bool(stage.settled))
    assert stage.settled[0].happened is Happened.BACKED_OUT


def test_red_keeps_a_driver_under_an_open_boom() -> None:
    stage = Stage()
    stage.world.queue.append(one()[0])
    stage.until(lambda: standing(stage))
    stage.arm.angle_deg = 90.0
    stage.step(5)
    assert stage.rig.doing is Doing.WAITING
    stage.lamp = Lamp.OFF
    stage.step(3)
    assert stage.rig.doing is Doing.CROSSING


def test_a_boom_half_way_is_no_way() -> None:
    stage = Stage(patience_s=10)
    stage.world.queue.append(one()[0])
    stage.until(lambda: standing(stage))
    stage.lamp, stage.arm.angle_deg = Lamp.GREEN, 40.0
    stage.until(lambda: not stage.world.rigs)
    stage.arm.angle_deg = 0.0
    stage.until(lambda: bool(stage.settled))
    assert stage.settled[0].happened is Happened.BACKED_OUT


def test_a_boom_that_falls_before_the_truck_stops_it() -> None:
    stage = Stage()
    stage.world.queue.append(one()[0])
    stage.until(lambda: standing(stage))
    open_boom(stage)
    stage.until(lambda: stage.rig.doing is Doing.CROSSING)
    stage.step(0.3)
    shut_boom(stage)
    stage.until(lambda: stage.rig.doing is Doing.WAITING)
    assert not stage.world.sense()["photocell"] and not stage.rig.struck


def test_an_arm_that_leans_a_little_strikes_nobody() -> None:
    stage = Stage()
    stage.world.queue.append(one()[0])
    stage.until(lambda: standing(stage))
    open_boom(stage)
    stage.until(lambda: stage.world.sense()["photocell"])
    stage.arm.angle_deg = 80.0
    stage.step(0.5)
    stage.arm.angle_deg = 90.0
    stage.until(lambda: not stage.world.rigs)
    shut_boom(stage)
    stage.until(lambda: stage.world.idle)
    assert not stage.settled[0].struck


def test_an_arm_that_comes_down_on_a_truck_is_seen() -> None:
    stage = Stage()
    stage.world.queue.append(one()[0])
    stage.until(lambda: standing(stage))
    open_boom(stage)
    stage.until(lambda: stage.world.sense()["photocell"])
    shut_boom(stage)
    stage.step(0.5)
    assert stage.rig.struck


@pytest.mark.parametrize(("variant", "broken"), [("rear", "beam_rear"), ("front", "beam_front")])
def test_half_on_the_deck_breaks_a_beam(variant: str, broken: str) -> None:
    stage = Stage(patience_s=8)
    truck = one([{"truck": 0, "kind": "half_on_deck", "variant": variant}])[0]
    stage.world.queue.append(truck)
    stage.until(lambda: standing(stage))
    assert stage.world.sense()[broken]
    assert not stage.rig.stood_wholly
    if variant == "rear":
        assert stage.world.load_kg() <= truck.gross_kg - truck.axles[-1].kg
    stage.until(lambda: stage.world.idle)
    assert stage.settled[0].happened is Happened.BACKED_OUT


def clear_seconds(stage: Stage) -> float:
    """How long the boom's loop was free between its first and its last truck."""
    seen: list[bool] = []
    stage.until(lambda: seen.append(stage.world.sense()["loop_boom"]) or not stage.world.rigs)
    first, last = seen.index(True), len(seen) - seen[::-1].index(True)
    return 0.05 * seen[first:last].count(False)


def through(variant: str) -> Stage:
    stage = Stage()
    stage.world.queue.extend(one([{"truck": 0, "kind": "tailgating", "variant": variant}], trucks=2))
    stage.until(lambda: standing(stage))
    open_boom(stage)
    return stage


def test_a_close_tailgater_hardly_clears_the_loop_and_a_wide_one_does() -> None:
    assert clear_seconds(through("close")) < 0.4
    assert clear_seconds(through("wide")) > 1.0


@pytest.mark.parametrize("variant", ["close", "wide"])
def test_a_tailgater_stops_before_a_falling_arm_if_it_can(variant: str) -> None:
    stage = through(variant)
    stage.until(lambda: stage.world.rigs[0].crossed_at is not None)
    shut_boom(stage)
    stage.step(30)
    open_boom(stage)
    stage.until(lambda: not stage.world.rigs)
    shut_boom(stage)
    stage.until(lambda: stage.world.idle)
    shadow = stage.settled[1]
    if variant == "wide":
        assert not shadow.struck and shadow.happened is Happened.BACKED_OUT
    else:
        assert shadow.struck, "this arm has no safety of its own"


def test_a_tailgater_bridges_what_one_truck_cannot() -> None:
    stage = Stage()
    host, shadow = one([{"truck": 0, "kind": "tailgating", "variant": "close"}], trucks=2)
    stage.world.queue.extend([host, shadow])
    stage.until(lambda: standing(stage))
    open_boom(stage)
    both: set[tuple[bool, bool]] = set()
    stage.until(
        lambda: both.add((stage.world.sense()["beam_rear"], stage.world.sense()["loop_boom"])) or not stage.world.rigs
    )
    assert (True, True) in both
    shut_boom(stage)
    stage.until(lambda: stage.world.idle)
    assert [rig.happened for rig in stage.settled] == [Happened.CROSSED, Happened.TAILGATED]
    first, second = (rig.crossed_at for rig in stage.settled)
    assert first and second and 0 < second - first < 12
    assert not any(read.text == shadow.plate for read in stage.reads)


def test_one_truck_alone_never_looks_like_two() -> None:
    for seed in range(8):
        stage = Stage()
        stage.world.queue.append(one(seed=seed)[0])
        stage.until(lambda s=stage: standing(s))
        open_boom(stage)

        def whole(stage: Stage = stage) -> bool:
            sensed = stage.world.sense()
            assert not (sensed["beam_rear"] and sensed["loop_boom"])
            return not stage.world.rigs

        stage.until(whole)


def test_a_tailgater_whose_host_was_not_let_through_gives_up() -> None:
    stage = Stage(patience_s=6)
    stage.world.queue.extend(one([{"truck": 0, "kind": "tailgating"}], trucks=2))
    stage.until(lambda: stage.world.idle)
    assert [rig.happened for rig in stage.settled] == [Happened.BACKED_OUT, Happened.NEVER_ENTERED]


def test_the_next_truck_waits_for_a_clear_lane_and_a_lowered_boom() -> None:
    stage = Stage()
    stage.world.queue.extend(one(trucks=2))
    stage.until(lambda: standing(stage))
    open_boom(stage)
    stage.until(lambda: not stage.world.rigs)
    stage.step(20)
    assert not stage.world.rigs and not stage.settled
    shut_boom(stage)
    stage.until(lambda: bool(stage.world.rigs), limit_s=5)
    assert len(stage.settled) == 1
    assert not stage.rig.boom_up_on_entry


def test_a_boom_that_stays_open_does_not_end_the_day() -> None:
    stage = Stage()
    stage.world.queue.extend(one(trucks=2))
    stage.until(lambda: standing(stage))
    open_boom(stage)
    stage.until(lambda: not stage.world.rigs)
    assert 40 < stage.until(lambda: bool(stage.world.rigs)) < 60
    assert stage.rig.boom_up_on_entry


def test_a_barred_lane_lets_nobody_on() -> None:
    stage = Stage()
    stage.world.barred_until = stage.now + 30
    stage.world.queue.extend(one())
    assert stage.until(lambda: bool(stage.world.rigs)) >= 30


def test_a_stuck_loop_lies_and_tells_the_truth_again() -> None:
    stage = Stage()
    stage.world.stick("loop_boom")
    assert stage.world.sense()["loop_boom"]
    stage.world.queue.extend(one())
    stage.until(lambda: standing(stage))
    assert stage.world.sense()["loop_boom"]
    stage.world.free("loop_boom")
    assert not stage.world.sense()["loop_boom"]


def test_cameras_read_what_passes_and_a_wrong_read_is_unsure() -> None:
    stage = Stage()
    for truck in day(seed=2, trucks=40, lanes=[("L01", "in")]):
        stage.world.queue.append(truck)
        stage.reads.clear()
        stage.until(lambda: standing(stage), limit_s=200)
        right = {truck.plate, truck.trailer, *truck.containers}
        assert {read.text for read in stage.reads if read.confidence > 0.9} == right
        assert all(read.confidence < 0.5 for read in stage.reads if read.text not in right)
        open_boom(stage)
        stage.until(lambda: not stage.world.rigs)
        shut_boom(stage)


@pytest.mark.parametrize("what", ["plate", "container"])
def test_a_blind_camera_reads_the_same_wrong_text_every_time(what: str) -> None:
    stage = Stage()
    truck = one([{"truck": 0, "kind": "misread", "variant": what}])[0]
    stage.world.queue.append(truck)
    stage.until(lambda: not stage.world.rigs and bool(stage.settled))
    seen = {read.text for read in stage.reads if read.what == what}
    assert len(seen) == (1 if what == "plate" else len(truck.containers))
    assert not seen & {truck.plate, *truck.containers}
    assert all(read.confidence < 0.5 for read in stage.reads if read.what == what)


def test_a_whole_day_by_hand_ends_as_the_hand_wanted() -> None:
    """A lane that opens for whom it likes: nobody crosses who was not let, nobody is struck, nobody is forgotten."""
    stage = Stage(patience_s=8)
    trucks = [t for t in day(seed=9, trucks=60, lanes=[("L01", "in")], mix=0.4) if t.follows is None]
    trucks = [t for t in trucks if t.mishap is None or t.mishap.kind.value != "tailgating"]
    likes = Random(4)
    wanted = {}
    stage.world.queue.extend(trucks)
    handled: set[int] = set()
    while not stage.world.idle:
        stage.step(0.2)
        if standing(stage) and stage.rig.truck.number not in handled:
            handled.add(stage.rig.truck.number)
            wanted[stage.rig.truck.number] = likes.random() < 0.6
            if wanted[stage.rig.truck.number]:
                open_boom(stage)
        if not stage.world.rigs:
            shut_boom(stage)
    assert len(stage.settled) == len(trucks)
    for rig in stage.settled:
        assert (rig.happened is Happened.CROSSED) == wanted[rig.truck.number]
        assert not rig.struck
    assert Counter(rig.happened for rig in stage.settled).keys() == {Happened.CROSSED, Happened.BACKED_OUT}


@pytest.mark.parametrize("seed", range(4))
def test_on_a_short_deck_every_axle_stands_alone_and_every_wheel_is_felt(seed: int) -> None:
    stage = Stage()
    stage.world = LaneWorld(stage.arm, lambda: stage.lamp, seed=seed, patience_s=10, now=stage.now, ground=AXLES)
    truck = one(seed=seed)[0]
    stage.world.queue.append(truck)
    loads: list[float] = []
    while not (stage.world.rigs and stage.rig.doing is Doing.WAITING):
        stage.step(0.05)
        if stage.world.rigs and stage.rig.speed_mps == 0.0 and stage.world.load_kg() not in (0.0, *loads[-1:]):
            loads.append(stage.world.load_kg())
    assert loads == [axle.kg for axle in truck.axles]
    assert stage.rig.wholly_on_deck() and stage.world.sense()["beam_front"] and not stage.world.sense()["beam_rear"]
    pressed = [name for name, value in stage.history if value]
    assert pressed.count("axle_in") == pressed.count("axle_on") == len(truck.axles)
    assert pressed.count("axle_out") == len(truck.axles) - 1
