"""What the lane makes of its contacts, contact by contact, and every second it waits before it believes them.

More than 400 lines: one table of states, and what each of them may see.
"""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from drivers.readings import Instant
from drivers.weighbridge.doubts import Doubt
from gateway_ctl.conditions import Condition
from gateway_ctl.lane_state import BOOM_DOWN_STATES, BOOM_UP_STATES, Event, State
from gateway_ctl.modes import Mode
from gateway_ctl.picture import Picture, Rules, Seen
from gateway_ctl.sight import Sight, conditions_seen, event_seen, see
from tests.gateway_ctl.doorway import at as told_at
from tests.gateway_ctl.scene import EMPTY_DECK, NOW, RULES, deck, inputs, picture

NO_NUMBER: Seen[Decimal] = Seen()
NEVER: Seen[bool] = Seen()
LONG_AGO = Instant(NOW - 3600)
NO_SCALE = replace(RULES, needs_weight=False)
CONTACTS = ("loop_arrival", "beam_rear", "beam_front", "loop_boom", "photocell")
EVERY_INPUT = (*CONTACTS, "limit_down", "limit_up", "boom_fault")


def ago(seconds: float) -> Instant:
    return Instant(NOW - seconds)


def shown(kg: int | None = 0, /, **occupied: bool) -> Picture:
    """Contacts as said, the deck bare unless said; `kg` None: the weighbridge says nothing."""
    scale = {0: EMPTY_DECK, None: deck(live_kg=NO_NUMBER)}.get(kg)
    return picture(inputs=inputs(**occupied), deck=deck(kg or 0) if scale is None else scale)


def shadow(**occupied: bool) -> Picture:
    return replace(shown(**occupied), mode=Mode.SHADOW)


def story(*steps: str, state: State = State.GATHERING, sight: Sight | None = None) -> list[Sight]:
    """The sights after each step: `a` the arrival loop, `r` and `f` the beams, `z` the loop under the boom."""
    sight, seen = sight or Sight(), list[Sight]()
    for step in steps:
        there = {"loop_arrival": "a" in step, "beam_rear": "r" in step, "beam_front": "f" in step}
        sight = see(sight, shown(loop_boom="z" in step, **there), state, NOW, RULES)
        seen.append(sight)
    return seen


# who stands where


def test_a_truck_drives_on() -> None:
    seen = story("a", "ar", "r", "")
    assert [s.entered for s in seen] == [False, False, False, True]
    assert [s.left for s in seen] == [False] * 4
    assert [(s.arrival, s.rear, s.front) for s in seen] == [
        (True, False, False), (True, True, False), (False, True, False), (False, False, False),
    ]  # fmt: skip
    assert story("a", "ar", "r", "", "f", "", "a", "")[-1].entered, "the next one touches the loop and turns away"
    assert not story("a", "ar", "r", "", "f", "", "a", "")[-1].left


def test_a_truck_that_backs_out_has_left() -> None:
    assert story("a", "")[-1].left
    assert [(s.entered, s.left) for s in story("a", "ar", "a", "")] == [(False, False)] * 3 + [(False, True)]
    driven_on = ("a", "ar", "r", "")
    back = story(*driven_on, "r", "ar", "a", "")
    assert [s.entered for s in back[3:]] == [True, False, False, False, False]
    assert [s.left for s in back[3:]] == [False, False, False, False, True]
    again = story("a", "", "a", "ar")
    assert [s.left for s in again] == [False, True, True, False]


def test_the_rear_beam_alone_is_no_leaving() -> None:
    assert [(s.entered, s.left) for s in story("r", "")] == [(False, False), (True, False)]
    assert [(s.entered, s.left) for s in story("ar", "r")] == [(False, False)] * 2
    assert not story("", "")[-1].left
    assert not story("a", "r")[-1].left


def test_the_place_under_the_boom() -> None:
    for name in ("loop_boom", "photocell"):
        assert see(Sight(), shown(**{name: True}), State.OPEN, NOW, RULES).zone
    assert not see(Sight(zone=True), shown(), State.OPEN, NOW, RULES).zone


@pytest.mark.parametrize("state", list(State))
def test_a_second_truck_drives_on_behind_the_first(state: State) -> None:
    on = story("a", "ar", "r", "")[-1]
    crossing = state in BOOM_UP_STATES or state is State.LOWERING
    behind = story("a", "ar", state=state, sight=on)
    assert [s.follower for s in behind] == [False, crossing]
    assert story("ar", "r", "", state=state, sight=behind[-1])[-1].follower is crossing, "and stays one"
    for way in ("f", "z"):
        pushed = story(way, "", state=state, sight=behind[-1])
        assert [s.tailgated for s in pushed] == [crossing, crossing]
    assert not story("ar", "r", state=state, sight=behind[-1])[-1].tailgated
    alone = story("f", "z", state=state, sight=on)
    assert not any(s.tailgated or s.follower for s in alone), "the first one goes, nobody behind it"


def test_what_was_under_the_boom_already_pushes_nobody_on() -> None:
    for held in ("f", "z"):
        on = story("a", "ar", "r", "", held, held, state=State.CROSSING)[-1]
        behind = story(held + "r", held + "r", state=State.CROSSING, sight=on)
        assert [s.follower for s in behind] == [True, True]
        assert not any(s.tailgated for s in behind)


def test_a_first_truck_on_the_beam_is_no_follower() -> None:
    assert not any(s.follower for s in story("r", "", "", state=State.OPEN))
    assert not story("a", "ar", state=State.OPEN)[-1].follower


def test_what_is_remembered_ends_with_the_boom_down() -> None:
    before = Sight(follower=True, tailgated=True)
    after = see(before, shown(), State.GATHERING, NOW, RULES)
    assert (after.follower, after.tailgated) == (False, False)


@pytest.mark.parametrize("name", EVERY_INPUT)
def test_one_contact_that_is_old_leaves_the_sight_as_it_was(name: str) -> None:
    before = Sight(arrival=True, rear=True, all_clear_since=ago(9), whole_since=ago(9), entered=True)
    old = shown()
    value = getattr(old.inputs, name).value
    for age, whole in ((1.0, True), (1.01, False)):
        told = replace(old, inputs=replace(old.inputs, **{name: Seen(value, ago(age), ago(60))}))
        after = see(before, told, State.GATHERING, NOW, RULES)
        if whole:
            assert (after.whole_since, after.stale_since, after.all_clear_since) == (ago(9), None, ago(9))
            assert (after.arrival, after.rear) == (False, False)
        else:
            assert (after.whole_since, after.stale_since, after.all_clear_since) == (None, NOW, None)
            assert (after.arrival, after.rear, after.entered) == (True, True, True)


def test_since_when() -> None:
    first = see(Sight(), shown(), State.EMPTY, NOW, RULES)
    assert (first.whole_since, first.stale_since, first.all_clear_since) == (NOW, None, NOW)
    assert (first.light_since, first.dumb_since) == (NOW, None)
    later = Instant(NOW + 5)
    second = see(first, told_at(later, shown()), State.EMPTY, later, RULES)
    assert (second.whole_since, second.all_clear_since, second.light_since) == (NOW, NOW, NOW)
    stale = see(first, shown(), State.EMPTY, later, RULES)
    assert (stale.stale_since, stale.dumb_since, stale.light_since) == (later, later, None)
    still = see(stale, shown(), State.EMPTY, Instant(NOW + 9), RULES)
    assert (still.stale_since, still.dumb_since) == (later, later)


@pytest.mark.parametrize("name", CONTACTS)
def test_all_is_clear_when_every_contact_is(name: str) -> None:
    assert see(Sight(all_clear_since=ago(5)), shown(**{name: True}), State.EMPTY, NOW, RULES).all_clear_since is None


def test_light_and_dumb() -> None:
    def after(scale: Picture, now: Instant = NOW) -> tuple[bool, bool]:
        seen = see(Sight(), scale, State.EMPTY, now, RULES)
        return seen.light_since is not None, seen.dumb_since is not None

    assert after(shown(0)) == (True, False)
    assert after(shown(999)) == (True, False)
    assert after(shown(1000)) == (False, False)
    assert after(shown(None)) == (False, True)
    assert after(picture(deck=deck(overload=True, live_kg=NO_NUMBER))) == (False, False)
    old = deck(live_kg=Seen(Decimal(0), ago(2.1), NOW))
    assert after(picture(deck=old)) == (False, True)
    assert after(picture(deck=replace(old, live_kg=Seen(Decimal(0), ago(2.0), NOW)))) == (True, False)


def test_the_sight_for_a_truck_that_has_just_come() -> None:
    old = Sight(
        left=True, follower=True, tailgated=True, front=True, zone=True, all_clear_since=ago(9), light_since=ago(9),
        whole_since=ago(9), stale_since=ago(8), dumb_since=ago(7),
    )  # fmt: skip
    assert old.anew(shown(0), RULES) == Sight(
        front=True, zone=True, whole_since=ago(9), stale_since=ago(8), dumb_since=ago(7)
    )
    for arrival, rear, kg in product((False, True), (False, True), (0, 999, 1000, 38_000)):
        came = replace(old, arrival=arrival, rear=rear).anew(shown(kg), RULES)
        assert came.entered is (not arrival and not rear and kg >= 1000), "on the deck before anybody saw it come"
        assert (came.arrival, came.rear) == (arrival, rear)
    assert Sight().anew(picture(deck=deck(overload=True, live_kg=NO_NUMBER)), RULES).entered
    for age, here in ((2.0, True), (2.1, False)):
        assert Sight().anew(picture(deck=deck(live_kg=Seen(Decimal(9000), ago(age), NOW))), RULES).entered is here


# what it means


def event(
    sight: Sight,
    state: State,
    of: Picture | None = None,
    *,
    since: Instant = LONG_AGO,
    rules: Rules = RULES,
    in_book: bool = False,
    now: Instant = NOW,
) -> Event | None:
    return event_seen(sight, of or shown(), state, since, now, rules, raised_in_book=in_book)


WHOLE = Sight(whole_since=ago(60), all_clear_since=ago(60), light_since=ago(60))
BOOM: dict[str, dict[str, bool]] = {
    "down": {},
    "up": {"limit_down": False, "limit_up": True},
    "moving": {"limit_down": False},
    "both": {"limit_up": True},
}


def test_waking() -> None:
    expected: list[tuple[str, bool, Event | None]] = [
        ("down", False, Event.WOKE_EMPTY), ("down", True, Event.WOKE_EMPTY), ("up", True, Event.WOKE_OPEN),
        ("up", False, Event.WOKE_ODD), ("both", True, Event.WOKE_ODD), ("both", False, Event.WOKE_ODD),
    ]  # fmt: skip
    for boom, in_book, means in expected:
        of = shown(**BOOM[boom])
        assert event(WHOLE, State.WAKING, of, in_book=in_book) is means
        assert event(replace(WHOLE, whole_since=None), State.WAKING, of, in_book=in_book) is None
        assert event(replace(WHOLE, whole_since=ago(0.99)), State.WAKING, of, in_book=in_book) is None
        assert event(replace(WHOLE, whole_since=ago(1.0)), State.WAKING, of, in_book=in_book) is means
    moving = shown(**BOOM["moving"])
    assert event(WHOLE, State.WAKING, moving, since=ago(14.9)) is None
    assert event(WHOLE, State.WAKING, moving, since=ago(15.0)) is Event.WOKE_ODD
    assert event(WHOLE, State.WAKING, shadow(**BOOM["up"])) is Event.WOKE_OPEN, "a human's own raising"


HERE: list[tuple[Sight, Picture]] = [
    (replace(WHOLE, arrival=True), shown()),
    (replace(WHOLE, rear=True), shown()),
    (replace(WHOLE, front=True), shown()),
    (WHOLE, shown(1000)),
    (WHOLE, picture(deck=deck(overload=True, live_kg=NO_NUMBER))),
]


def test_a_truck_is_here_by_any_contact_or_by_its_weight() -> None:
    for sight, of in HERE:
        assert event(sight, State.EMPTY, of) is Event.TRUCK_CAME
        assert event(sight, State.WAKING, of) is Event.WOKE_TRUCK
        assert event(replace(sight, whole_since=None), State.EMPTY, of) is None
    for nobody in (shown(), shown(999), shown(None)):
        assert event(WHOLE, State.EMPTY, nobody) is None
        assert event(replace(WHOLE, zone=True), State.EMPTY, nobody) is None
    old = picture(deck=deck(live_kg=Seen(Decimal(9000), ago(2.1), NOW)))
    assert event(WHOLE, State.EMPTY, old) is None


BEFORE_THE_BOOM = (State.GATHERING, State.ASKING, State.CLEARED, State.HELD)


@pytest.mark.parametrize("state", BEFORE_THE_BOOM)
def test_a_truck_has_gone(state: State) -> None:
    def gone(kg: int | None = 0, *, clear: float | None = None, light: float | None = None, **seen: bool) -> bool:
        since = Sight(
            whole_since=ago(99),
            all_clear_since=None if clear is None else ago(clear),
            light_since=None if light is None else ago(light),
        )
        sight = replace(since, **seen)
        return event(sight, state, shown(kg)) is Event.TRUCK_GONE

    for seen in ({}, {"left": True}, {"left": True, "entered": True}):
        assert not gone(**seen)
        assert not gone(clear=1.49, light=90, **seen)
        assert gone(clear=1.5, **seen)
        assert gone(None, clear=1.5, **seen)
        assert not gone(1000, clear=4.99, **seen)
        assert gone(1000, clear=5.0, **seen)
    # It drove on and was not seen to leave: only a light deck, for long, says that it has gone.
    assert not gone(clear=99, light=59.9, entered=True)
    assert gone(clear=99, light=60.0, entered=True)
    assert not gone(clear=1.4, light=60.0, entered=True)
    assert not gone(clear=99, entered=True)


def test_under_an_open_boom() -> None:
    up = shown(**BOOM["up"])

    def opened(sight: Sight, since: float = 99, rules: Rules = RULES) -> Event | None:
        return event(sight, State.OPEN, up, since=ago(since), rules=rules)

    assert opened(replace(WHOLE, zone=True)) is Event.ZONE_OCCUPIED
    assert opened(replace(WHOLE, zone=True, whole_since=None, all_clear_since=None)) is None
    assert opened(WHOLE) is Event.TRUCK_GONE
    assert opened(WHOLE, 3.0) is Event.TRUCK_GONE
    assert opened(WHOLE, 2.9) is None
    for name in ("all_clear_since", "light_since"):
        assert opened(replace(WHOLE, **{name: ago(3.0)})) is Event.TRUCK_GONE
        assert opened(replace(WHOLE, **{name: ago(2.9)})) is None
        assert opened(replace(WHOLE, **{name: None})) is None
    dumb = replace(WHOLE, light_since=None)
    assert opened(dumb, rules=NO_SCALE) is Event.TRUCK_GONE, "a lane without a weighbridge asks the contacts alone"


def test_crossing_and_clearing() -> None:
    up, under = shown(**BOOM["up"]), replace(WHOLE, zone=True, all_clear_since=None)
    assert event(WHOLE, State.CROSSING, up) is Event.ZONE_CLEARED
    assert event(under, State.CROSSING, up) is None
    assert event(under, State.CLEARING, up) is Event.ZONE_OCCUPIED
    assert event(WHOLE, State.CLEARING, up) is None
    for state in (State.CROSSING, State.CLEARING):
        for sight in (WHOLE, under):
            assert event(replace(sight, whole_since=None), state, up) is None


@pytest.mark.parametrize("state", [State.RAISING, State.LOWERING, State.KEPT])
def test_states_that_wait_for_something_else(state: State) -> None:
    for sight in (WHOLE, replace(WHOLE, zone=True), replace(WHOLE, arrival=True)):
        assert event(sight, state, shown(**BOOM["up"])) is None


def test_a_fault_is_mended_when_the_boom_is_down_well_and_alone() -> None:
    def mended(of: Picture | None = None, clear: float | None = 60) -> bool:
        sight = replace(WHOLE, all_clear_since=None if clear is None else ago(clear))
        return event(sight, State.FAULT, of) is Event.MENDED

    good = shown()
    assert mended(good)
    assert mended(good, 3.0)
    assert not mended(good, 2.9)
    assert not mended(good, None)
    for boom in ("up", "moving", "both"):
        assert not mended(shown(**BOOM[boom]))
    assert not mended(shown(boom_fault=True))
    for age, still in ((1.0, True), (1.1, False)):
        assert mended(replace(good, inputs=replace(good.inputs, boom_fault=Seen(False, ago(age), LONG_AGO)))) is still
    for since, still in ((3.0, True), (2.9, False)):
        down = Seen(True, ago(0.05), ago(since))
        assert mended(replace(good, inputs=replace(good.inputs, limit_down=down))) is still
    assert not mended(shown(1000), 7.9)
    assert mended(shown(1000), 8.0)
    assert mended(shown(None), 3.0)


def test_a_boom_that_strays() -> None:
    """Away from where the state wants it, for half a second and not as a bounce of its switch."""

    def strayed(boom: str, state: State, since: float = 99, **switches: float) -> bool:
        of = shown(**BOOM[boom])
        held = {name: replace(getattr(of.inputs, name), since=ago(seconds)) for name, seconds in switches.items()}
        of = replace(of, inputs=replace(of.inputs, **held))
        return event(replace(WHOLE, all_clear_since=None), state, of, since=ago(since)) is Event.BOOM_STRAYED

    for state in State:
        must_be_down, must_be_up = state in BOOM_DOWN_STATES, state in BOOM_UP_STATES
        assert strayed("down", state) is must_be_up
        assert strayed("up", state) is must_be_down
        assert strayed("moving", state) is (must_be_down or must_be_up)
        if state is not State.WAKING:
            assert strayed("both", state) is (must_be_down or must_be_up)
    for boom in ("up", "moving"):
        assert not strayed(boom, State.EMPTY, since=0.49)
        assert strayed(boom, State.EMPTY, since=0.5)
        # The switch that should be on has been off for so long.
        assert not strayed(boom, State.EMPTY, limit_down=0.49)
        assert strayed(boom, State.EMPTY, limit_down=0.5, limit_up=0.1)
    assert strayed("both", State.EMPTY, limit_up=0.5, limit_down=0.1)
    assert not strayed("both", State.EMPTY, limit_up=0.49, limit_down=9)
    for boom in ("down", "moving"):
        assert not strayed(boom, State.OPEN, limit_up=0.49)
        assert strayed(boom, State.OPEN, limit_up=0.5, limit_down=0.1)
    assert strayed("both", State.OPEN, limit_down=0.5, limit_up=0.1)
    assert not strayed("both", State.OPEN, limit_down=0.49, limit_up=9)
    for old in (NEVER, Seen(True, ago(9), ago(60)), Seen(False, ago(9), ago(60))):
        unknown = shown()
        unknown = replace(unknown, inputs=replace(unknown.inputs, limit_up=old))
        assert event(replace(WHOLE, zone=True), State.OPEN, unknown) is Event.ZONE_OCCUPIED
        assert event(WHOLE, State.EMPTY, replace(unknown, inputs=replace(unknown.inputs, limit_down=old))) is None


def test_in_shadow_the_boom_is_the_hand_of_somebody_else() -> None:
    def hand(boom: str, state: State, sight: Sight = WHOLE, **switches: float) -> Event | None:
        of = shadow(**BOOM[boom])
        held = {name: replace(getattr(of.inputs, name), since=ago(seconds)) for name, seconds in switches.items()}
        return event(replace(sight, all_clear_since=None), state, replace(of, inputs=replace(of.inputs, **held)))

    for state in set(State) - {State.WAKING}:
        assert (hand("up", state) is Event.HAND_RAISED) is (state in BOOM_DOWN_STATES)
        assert (hand("down", state) is Event.HAND_LOWERED) is (state in BOOM_UP_STATES)
        assert hand("moving", state) not in (Event.HAND_RAISED, Event.HAND_LOWERED, Event.BOOM_STRAYED)
        assert (hand("both", state) is Event.BOOM_STRAYED) is (state in BOOM_DOWN_STATES | BOOM_UP_STATES)
    assert hand("up", State.EMPTY, limit_up=0.49) is None
    assert hand("up", State.EMPTY, limit_up=0.5, limit_down=0.1) is Event.HAND_RAISED
    assert hand("down", State.OPEN, limit_down=0.49) is None
    assert hand("down", State.OPEN, limit_down=0.5, limit_up=0.1) is Event.HAND_LOWERED
    # Where the hand did nothing, the lane sees as ever.
    assert hand("down", State.EMPTY, replace(WHOLE, arrival=True)) is Event.TRUCK_CAME
    assert hand("up", State.OPEN, replace(WHOLE, zone=True)) is Event.ZONE_OCCUPIED


# conditions


def rings(
    sight: Sight = WHOLE, of: Picture | None = None, state: State = State.GATHERING, rules: Rules = RULES,
    since: float = 1,
) -> set[Condition]:  # fmt: skip
    found = conditions_seen(sight, of or shown(), state, ago(since), NOW, rules)
    return {condition for condition, active in found.items() if active}


def test_nothing_rings_in_a_lane_that_is_well() -> None:
    found = conditions_seen(WHOLE, shown(), State.GATHERING, ago(1), NOW, RULES)
    assert found == dict.fromkeys(
        (
            Condition.INPUTS_STALE, Condition.WEIGHT_STALE, Condition.ZONE_STUCK, Condition.ZONE_BLIND,
            Condition.OPEN_LONG, Condition.SCALE_UNFIT, Condition.CLOCK_STEPPED,
        ), False,
    ), "and what a truck takes with it is not unrung by a look"  # fmt: skip


def test_signals_and_weights_that_do_not_come() -> None:
    for seconds, ringing in ((3.0, True), (2.9, False)):
        assert (rings(Sight(stale_since=ago(seconds))) == {Condition.INPUTS_STALE}) is ringing
        assert (rings(Sight(dumb_since=ago(seconds))) == {Condition.WEIGHT_STALE}) is ringing
    assert rings(Sight(dumb_since=ago(9)), rules=NO_SCALE) == set()


@pytest.mark.parametrize("name", ["loop_boom", "photocell"])
def test_a_place_that_is_taken_for_long(name: str) -> None:
    def stuck(value: bool, age: float, since: float) -> bool:
        of = shown()
        of = replace(of, inputs=replace(of.inputs, **{name: Seen(value, ago(age), ago(since))}))
        return rings(of=of) == {Condition.ZONE_STUCK}

    assert stuck(True, 0.05, 60)
    assert not stuck(True, 0.05, 59.9)
    assert not stuck(False, 0.05, 90)
    assert not stuck(True, 1.1, 90)
    assert stuck(True, 1.0, 90)


def test_a_sensor_that_missed_a_vehicle_rings_at_once() -> None:
    assert rings(of=replace(shown(), zone_blind=("loop_boom",))) == {Condition.ZONE_BLIND}


def test_a_boom_that_is_up_for_long() -> None:
    for state in State:
        up = state in (State.OPEN, State.CROSSING, State.CLEARING)
        assert (Condition.OPEN_LONG in rings(state=state, since=60)) is up
        assert Condition.OPEN_LONG not in rings(state=state, since=59.9)


def test_a_clock_that_was_stepped() -> None:
    for step, ringing in ((1.0, False), (-1.0, False), (1.1, True), (-1.1, True)):
        assert (rings(of=picture(clock_step_s=step)) == {Condition.CLOCK_STEPPED}) is ringing


UNFIT: tuple[Doubt, ...] = ("tared", "load unseen", "replaced", "uncalibrated")
SUSPECT: tuple[Doubt, ...] = ("drifting", "two trucks")


def test_a_weighbridge_that_may_not_be_used() -> None:
    for doubt in UNFIT:
        assert rings(of=picture(deck=deck(doubts=(doubt,)))) == {Condition.SCALE_UNFIT}
        assert rings(of=picture(deck=deck(doubts=(doubt,))), state=State.EMPTY) == {Condition.SCALE_UNFIT}
        assert rings(of=picture(deck=deck(doubts=(doubt,))), rules=NO_SCALE) == set()


def test_a_weighbridge_that_cannot_be_trusted_with_this_truck() -> None:
    suspect: list[dict[str, object]] = [
        {"frozen": True}, {"jumped": True}, {"zero_ok": False}, *({"doubts": (doubt,)} for doubt in SUSPECT),
    ]  # fmt: skip
    for changes in suspect:
        of = picture(deck=deck(**changes))
        for state in State:
            away = state in (State.WAKING, State.EMPTY)
            assert (Condition.SCALE_SUSPECT in rings(of=of, state=state)) is not away
    assert rings(of=picture(deck=deck(zero_ok=None))) == set(), "not seen empty is not seen wrong"
    assert rings(of=picture(deck=deck(doubts=("by axles",)))) == set()


def test_who_drove_on_behind() -> None:
    assert rings(replace(WHOLE, follower=True)) == {Condition.FOLLOWER}
    assert rings(replace(WHOLE, tailgated=True)) == {Condition.TAILGATED}
