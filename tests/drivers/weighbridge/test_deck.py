"""A whole visit, from bytes to a believed weight: what is true settles, what is false does not."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.weighbridge.deck import DeckState
from tests.drivers.weighbridge.scene import Faults, Scene, Truck, settled

DIVISION = 20
WHERE_ARE_WE = 9.0
"""The front bumper in the middle of the deck: half of the axles are on."""


def believed(state: DeckState) -> bool:
    """What a lane asks for before it uses the weight."""
    return state.settled is not None and state.zero_ok is True and not state.frozen and not state.jumped


def visit(truck: Truck, scene: Scene) -> list[DeckState]:
    scene.empty(6.0)
    return scene.visit(truck)


def test_a_truck_settles_to_its_weight_after_the_deck_has_come_to_rest() -> None:
    scene, truck = Scene(), Truck()
    states = visit(truck, scene)
    assert not any(state.settled for _, _, state in scene.states[: -len(states)])
    first = next(i for i, state in enumerate(states) if state.settled)
    assert 10 < first < 60  # it waits for the swing, and not much longer
    end = states[-1]
    assert end.settled is not None and end.not_settled_why == ""
    assert abs(float(end.settled.kg) - truck.kg) <= DIVISION
    assert end.settled.uncertainty_kg in (Decimal(10), Decimal(20))
    assert end.settled.to_at - end.settled.from_at >= 1.5 and end.settled.readings >= 8
    assert (end.zero_ok, end.frozen, end.jumped, end.half_on) == (True, False, False, False)
    scene.leave(truck)
    scene.empty(5.0)
    gone = scene.last()
    assert gone.settled is None and gone.not_settled_why == "the deck is empty"
    assert (gone.zero_ok, gone.frozen, gone.jumped, gone.half_on) == (True, False, False, False)


lengths = st.sampled_from(
    [
        Truck(),
        Truck(length_m=15.3, axles=((1.4, 5900), (5.0, 9000), (11.2, 4100), (12.5, 4100), (13.8, 4050)), stop_m=16.6),
        Truck(length_m=13.0, axles=((1.4, 5600), (4.8, 6400), (10.3, 3000), (11.6, 2890)), stop_m=15.5),
        Truck(length_m=8.0, axles=((1.3, 4000), (5.5, 7130)), stop_m=12.0),
        Truck(length_m=17.2, axles=((1.4, 7000), (4.6, 11500), (6.0, 11500), (13.0, 9800), (14.3, 9800), (15.6, 9830)),
              stop_m=17.7),
    ]
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    truck=lengths,
    speed=st.floats(1.0, 3.5),
    seed=st.integers(0, 10_000),
    zeta=st.floats(0.05, 0.3),
    laden_hz=st.floats(2.0, 3.5),
    noise_kg=st.floats(0.0, 5.0),
    rate_hz=st.sampled_from([5.0, 10.0, 25.0]),
    burst_s=st.sampled_from([0.0, 0.3, 0.8]),
    lag_s=st.sampled_from([0.0, 0.3]),
)
def test_whenever_it_settles_it_is_within_one_division_of_the_truth(
    truck: Truck, speed: float, seed: int, zeta: float, laden_hz: float, noise_kg: float,
    rate_hz: float, burst_s: float, lag_s: float,
) -> None:  # fmt: skip
    faults = Faults(burst_s=burst_s, lag_s=lag_s)
    scene = Scene(seed=seed, zeta=zeta, laden_hz=laden_hz, noise_kg=noise_kg, rate_hz=rate_hz, faults=faults)
    truck = replace(truck, speed_mps=speed)
    states = visit(truck, scene)
    assert states
    for kg in settled([state for _, _, state in scene.states]):
        assert abs(float(kg) - truck.kg) <= DIVISION


@settings(max_examples=25, deadline=None)
@given(
    truck=lengths,
    speed=st.floats(1.5, 3.5),
    seed=st.integers(0, 10_000),
    zeta=st.floats(0.05, 0.15),
    laden_hz=st.floats(2.0, 3.0),
    noise_kg=st.floats(1.0, 5.0),
    rate_hz=st.sampled_from([5.0, 10.0, 25.0]),
    burst_s=st.sampled_from([0.0, 0.3]),
    lag_s=st.sampled_from([0.0, 0.3]),
)
def test_a_truck_that_drives_on_without_stopping_is_believed(
    truck: Truck, speed: float, seed: int, zeta: float, laden_hz: float, noise_kg: float,
    rate_hz: float, burst_s: float, lag_s: float,
) -> None:  # fmt: skip
    faults = Faults(burst_s=burst_s, lag_s=lag_s)
    scene = Scene(seed=seed, zeta=zeta, laden_hz=laden_hz, noise_kg=noise_kg, rate_hz=rate_hz, faults=faults)
    truck = replace(truck, speed_mps=speed)
    states = visit(truck, scene)
    assert any(believed(state) for state in states)
    assert not any(state.frozen or state.jumped for _, _, state in scene.states)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    deaf=st.lists(st.tuples(st.floats(6.0, 24.0), st.floats(0.1, 6.0)), max_size=3),
    blind=st.lists(st.tuples(st.floats(6.0, 24.0), st.floats(0.1, 6.0)), max_size=3),
    swap=st.sampled_from([0.0, 0.03]),
    noise=st.sampled_from([0.0, 0.8]),
)
def test_what_is_lost_or_spoiled_on_the_way_never_makes_a_wrong_weight(
    seed: int, deaf: list[tuple[float, float]], blind: list[tuple[float, float]], swap: float, noise: float
) -> None:
    faults = Faults(
        deaf=tuple((a, a + s) for a, s in deaf),
        blind=tuple((a, a + s) for a, s in blind),
        swap_share=swap,
        half_share=noise / 8,
        noise_share=noise,
    )
    scene, truck = Scene(seed=seed, faults=faults), Truck()
    visit(truck, scene)
    for _, _, state in scene.states:
        assert state.settled is None or abs(float(state.settled.kg) - truck.kg) <= DIVISION
        assert not state.jumped


def test_noise_on_the_line_only_makes_it_wait() -> None:
    scene = Scene(faults=Faults(noise_share=0.8, half_share=0.1, swap_share=0.03))
    assert any(believed(state) for state in visit(Truck(stands_s=20.0), scene))


@pytest.mark.parametrize("length", ["6x4", "short"])
@pytest.mark.parametrize("seed", range(4))
def test_an_indicator_that_freezes_on_the_empty_deck_is_caught(seed: int, length: str) -> None:
    truck = Truck() if length == "6x4" else Truck(length_m=13.0, axles=((1.4, 5600), (11.6, 8000)), stop_m=15.0)
    scene = Scene(seed=seed, faults=Faults(freeze=lambda at, _: at > 4.0))
    states = visit(truck, scene)
    assert states[-1].frozen and not any(state.settled for state in states)
    assert "not seen to move" in states[-1].not_settled_why
    truck.leaves = "back"
    scene.leave(truck)
    scene.faults = Faults()
    scene.empty(6.0)
    assert not scene.last().frozen
    assert believed(scene.visit(Truck())[-1])


@pytest.mark.parametrize("front_m", [3.0, 6.0, 9.0])
@pytest.mark.parametrize("stop_m", [14.0, 15.5, 17.0])
def test_an_indicator_that_freezes_while_the_truck_drives_on_is_caught(front_m: float, stop_m: float) -> None:
    truck = Truck(length_m=13.0, axles=((1.4, 5600), (4.8, 6400), (10.3, 3000), (11.6, 2890)), stop_m=stop_m)
    scene = Scene(faults=Faults(freeze=lambda _, front: front > front_m))
    states = visit(truck, scene)
    assert states[-1].frozen and not any(state.settled for _, _, state in scene.states)


@settings(max_examples=30, deadline=None)
@given(
    at=st.floats(0.0, 12.0), long=st.floats(0.2, 6.0), which=st.sampled_from(["deaf", "blind", "both"]),
    front_m=st.floats(2.0, 9.0),
)  # fmt: skip
def test_a_frozen_indicator_gains_nothing_from_a_gap(at: float, long: float, which: str, front_m: float) -> None:
    span = ((6.0 + at, 6.0 + at + long),)
    faults = Faults(freeze=lambda _, front: front > front_m)
    faults.deaf = span if which != "blind" else ()
    faults.blind = span if which != "deaf" else ()
    scene = Scene(faults=faults)
    visit(Truck(length_m=13.0, axles=((1.4, 5600), (4.8, 6400), (10.3, 3000), (11.6, 2890)), stop_m=15.5), scene)
    assert not any(believed(state) for _, _, state in scene.states)


def test_a_frozen_load_that_stays_when_the_truck_has_gone_is_caught_with_the_next() -> None:
    scene, first = Scene(), Truck()
    visit(first, scene)
    scene.faults.freeze = lambda _at, _front: True
    scene.leave(first)
    scene.empty(8.0)
    states = scene.visit(Truck())
    assert states[-1].frozen and not any(believed(state) for state in states)


@pytest.mark.parametrize(("drift_kg", "good"), [(0, True), (15, True), (45, False), (-60, False), (340, False)])
def test_the_empty_decks_zero_is_judged_before_the_truck(drift_kg: float, good: bool) -> None:
    scene = Scene(faults=Faults(offset_kg=lambda _at, _front: drift_kg))
    state = visit(Truck(), scene)[-1]
    assert state.zero_ok is good and state.zero_kg is not None and abs(float(state.zero_kg) - drift_kg) <= 10


def test_a_zero_that_went_away_just_before_the_truck_is_not_the_zero_that_was_seen_long_ago() -> None:
    for deaf in ((), ((6.5, 8.2), (8.8, 10.4), (11.0, 12.7))):
        scene = Scene(faults=Faults(offset_kg=lambda at, _front: 340 if at > 6.5 else 0, deaf=deaf))
        assert not any(believed(state) for state in visit(Truck(), scene))


def test_a_deck_that_was_not_seen_empty_has_no_zero() -> None:
    scene = Scene(faults=Faults(deaf=((0.0, 17.5),)))
    state = visit(Truck(stands_s=8.0), scene)[-1]
    assert state.zero_ok is None


def test_creep_never_settles() -> None:
    scene = Scene(faults=Faults(offset_kg=lambda at, front: 60 * (at - 10) if front > WHERE_ARE_WE else 0))
    assert not any(state.settled for state in visit(Truck(), scene))


@pytest.mark.parametrize("stop_m", [15.8, 18.5])
def test_half_on_the_deck_is_said_and_not_weighed(stop_m: float) -> None:
    states = visit(Truck(stop_m=stop_m), Scene())
    assert all(state.half_on for state in states[5:])
    assert not any(state.settled for state in states)
    assert states[-1].not_settled_why == "a beam at an end of the deck is broken"


def test_a_load_that_jumps_while_nothing_moves_is_caught_and_remembered() -> None:
    scene, truck = Scene(), Truck()
    states = visit(truck, scene)
    assert believed(states[-1])
    scene.faults.offset_kg = lambda _at, _front: 8000.0
    scene._stand(truck, 5.0)
    assert scene.last().jumped and scene.last().settled is not None
    scene.faults.offset_kg = lambda _at, _front: 0.0
    scene._stand(truck, 5.0)
    assert scene.last().jumped
    scene.leave(truck)
    scene.empty(4.0)
    assert not scene.last().jumped


def test_a_driver_who_climbs_down_is_no_jump() -> None:
    scene, truck = Scene(), Truck()
    visit(truck, scene)
    scene.faults.offset_kg = lambda _at, _front: -95.0
    scene._stand(truck, 5.0)
    assert believed(scene.last())


def test_a_link_that_was_lost_while_the_truck_stood_settles_again() -> None:
    scene, truck = Scene(), Truck()
    states = visit(truck, scene)
    assert believed(states[-1])
    at = scene.at
    scene.faults.deaf = ((at, at + 6.0),)
    scene._stand(truck, 6.5)
    assert not believed(scene.last()) and "at rest for" in scene.last().not_settled_why
    scene._stand(truck, 3.0)
    assert believed(scene.last())


def test_beams_that_are_not_told_are_not_known() -> None:
    scene, truck = Scene(), Truck()
    visit(truck, scene)
    scene.faults.blind = ((scene.at, scene.at + 60.0),)
    scene._stand(truck, 2.0)
    assert scene.last().half_on is None and scene.last().settled is None
    scene.faults.blind = ()
    scene._stand(truck, 0.3)
    assert believed(scene.last())  # the same truck, still clear of both beams


def test_a_person_in_the_beam_is_no_vehicle() -> None:
    scene = Scene(faults=Faults(person_at=3.0))
    scene.empty(8.0)
    assert not scene.last().frozen and scene.last().zero_ok
    assert believed(scene.visit(Truck())[-1])


def test_the_day_goes_on() -> None:
    scene = Scene(seed=5)
    scene.empty(4.0)
    for number in range(4):
        truck = Truck(leaves="ahead" if number % 2 else "back")
        state = scene.visit(truck)[-1]
        assert believed(state) and state.settled is not None and abs(float(state.settled.kg) - truck.kg) <= DIVISION
        scene.leave(truck)
        scene.empty(3.0)
    assert scene.last().settled is None
