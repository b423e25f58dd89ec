"""The lane's mind, word by word and picture by picture: what it remembers, what it does, and that it does no more.

More than 400 lines: one story with many ways through it; each test is one turn of one of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import pytest

from drivers.readings import Instant
from gateway_ctl.conditions import Condition
from gateway_ctl.correction import Check
from gateway_ctl.deeds import (
    Advice,
    Advise,
    Answer,
    Ask,
    Awaited,
    Close,
    Deed,
    Keep,
    Move,
    Moved,
    Open,
    Ordered,
    Outcome,
    Passage,
    Refuse,
    Reread,
    Ring,
    SignHere,
    Silence,
    Spend,
    Step,
    StepName,
    Unadmitted,
)
from gateway_ctl.lane import hear, look
from gateway_ctl.lane_state import Event, State
from gateway_ctl.memory import Lane, asked
from gateway_ctl.modes import Consequence, Mode, Silent
from gateway_ctl.orders import Movement, Order, Origin, Permit, Verb
from gateway_ctl.picture import Empty, Identity, OnFailed, Picture, Plate, Rules, Seen, digest
from gateway_ctl.reasons import Reason
from gateway_ctl.sight import Sight
from tests.gateway_ctl.doorway import at
from tests.gateway_ctl.scene import EMPTY_DECK, IDENTITY, NOW, PASSAGE, RULES, deck, inputs, order, override, picture

T = TypeVar("T")
UP = inputs(limit_down=False, limit_up=True)
BETWEEN = inputs(limit_down=False)
OPENED = Instant(NOW - 10)
SEEN = Sight(entered=True, whole_since=Instant(NOW - 60))
"""A truck that has driven on."""
ASKED = asked(picture(at=Instant(NOW - 5)))


def after(seconds: float) -> Instant:
    return Instant(NOW + seconds)


def passage(**changes: object) -> Passage:
    return replace(Passage(id=PASSAGE, opened_at=OPENED), **changes)


def lane(state: State, **changes: object) -> Lane:
    """A lane in a state with the scene's passage; `changes` of the passage are given as `passage`."""
    good = Lane(id="L01", state=state, since=after(-5), passage=passage(), sight=SEEN)
    return replace(good, **changes)


def alone(state: State, **changes: object) -> Lane:
    return lane(state, passage=None, sight=replace(SEEN, entered=False), **changes)


def permit(movement: Movement = Movement.RAISE, **changes: object) -> Permit:
    good = Permit(
        id="permit-1", lane="L01", passage=PASSAGE, order="o-1", by_person=False, movement=movement, emergency=False,
        granted_at=after(-1), expires_at=after(1), picture="0" * 64,
    )  # fmt: skip
    return replace(good, **changes)


def kept(**changes: object) -> Order:
    return override(**({"id": "k-1", "verb": Verb.HOLD_OPEN, "until": after(300)} | changes))


def of(deeds: Sequence[Deed], kind: type[T]) -> list[T]:
    return [deed for deed in deeds if isinstance(deed, kind)]


def step(of_lane: Lane, name: StepName) -> Step | None:
    assert of_lane.passage is not None
    return next((each for each in of_lane.passage.steps if each.name is name), None)


def told(refuse: Refuse) -> tuple[str | None, tuple[Reason, ...], str | None]:
    return refuse.refusal.order, refuse.refusal.reasons, refuse.passage


def the_passage(of_lane: Lane) -> Passage:
    assert of_lane.passage is not None
    return of_lane.passage


# a truck comes, is read, and customs is asked


def test_a_truck_comes() -> None:
    shown = picture(passage=None, inputs=inputs(loop_arrival=True), deck=EMPTY_DECK, identity=Identity())
    found, deeds = look(alone(State.EMPTY), shown, NOW, RULES)
    assert (found.state, found.since) == (State.GATHERING, NOW)
    came = the_passage(found)
    assert came.id == "L01-1764000000000"
    assert deeds == (Open(came),)
    assert [each.name for each in came.steps] == [StepName.ARRIVE, StepName.IDENTIFY]
    assert found.reasons == (Reason.TRUCK_ABSENT, Reason.WEIGHT_NOT_SETTLED, Reason.PLATE_UNREAD)


def test_a_truck_that_is_read_and_weighed_is_asked_about() -> None:
    before = lane(
        State.GATHERING,
        passage=passage(steps=(Step(name=StepName.IDENTIFY, began=OPENED),)),
        reasons=(Reason.WEIGHT_NOT_SETTLED,),
    )
    found, deeds = look(before, picture(passage=None), NOW, RULES)
    assert (found.state, found.since) == (State.ASKING, NOW)
    known = the_passage(found)
    assert known.asked == asked(picture())
    (ask,) = of(deeds, Ask)
    assert ask.picture == picture()
    assert ask.passage.asked == known.asked
    assert step(found, StepName.CLEAR) == Step(name=StepName.CLEAR, began=NOW)
    assert step(found, StepName.IDENTIFY) == Step(name=StepName.IDENTIFY, began=OPENED, ended=NOW)
    assert found.reasons == ()


def test_a_truck_that_lacks_something_waits_and_after_the_time_of_gathering_is_told() -> None:
    unread = picture(identity=replace(IDENTITY, plate=None))
    found, deeds = look(lane(State.GATHERING, passage=passage(opened_at=after(-29.9))), unread, NOW, RULES)
    assert (found.state, deeds) == (State.GATHERING, ())
    assert found.reasons == (Reason.PLATE_UNREAD,)
    late, deeds = look(lane(State.GATHERING, passage=passage(opened_at=after(-30))), unread, NOW, RULES)
    assert late.state is State.HELD
    assert [told(each) for each in of(deeds, Refuse)] == [(None, (Reason.PLATE_UNREAD,), PASSAGE)]
    assert the_passage(late).refused == (Reason.PLATE_UNREAD,)
    again, deeds = look(late, unread, NOW, RULES)
    assert (again.state, deeds) == (State.HELD, ())


@pytest.mark.parametrize(
    "doubt",
    [
        {"identity": replace(IDENTITY, tag_plates=("沪AD3F89",))},
        {"identity": replace(IDENTITY, containers=(replace(IDENTITY.containers[0], check_ok=False),))},
        {"identity": replace(IDENTITY, plate=Plate("沪AD3F88", 0.5))},
    ],
)
def test_customs_hears_of_a_doubt_at_once(doubt: dict[str, object]) -> None:
    found, deeds = look(lane(State.GATHERING), picture(**doubt), NOW, RULES)
    assert found.state is State.ASKING
    assert len(of(deeds, Ask)) == 1


def test_customs_is_asked_again_when_the_truck_reads_otherwise_and_not_before_three_seconds() -> None:
    other = picture(identity=replace(IDENTITY, plate=Plate("沪AD3F89", 0.97)))

    def again(shown: Picture, ago: float) -> State:
        was = passage(asked=asked(picture(at=after(-ago))))
        return look(lane(State.HELD, passage=was), shown, NOW, RULES)[0].state

    assert again(other, 3.0) is State.ASKING
    assert again(other, 2.9) is State.HELD
    assert again(picture(), 60) is State.HELD
    assert look(lane(State.HELD), picture(), NOW, RULES)[0].state is State.ASKING, "it was never asked"


def test_asking_again_forgets_what_the_old_order_led_to() -> None:
    was = passage(asked=ASKED, order=order(), sent="inspect", confirmed="o-1")
    other = picture(identity=replace(IDENTITY, plate=Plate("沪AD3F89", 0.97)))
    found, deeds = look(lane(State.HELD, passage=was, reasons=(Reason.MATCH_INSPECT,)), other, NOW, RULES)
    assert found.state is State.ASKING
    assert (the_passage(found).order, the_passage(found).sent) == (None, None)
    (ask,) = of(deeds, Ask)
    assert (ask.picture.sent, ask.picture.confirmed) == (None, "o-1")


@pytest.mark.parametrize("state", [State.ASKING, State.CLEARED])
def test_nothing_is_gathered_where_customs_has_the_word(state: State) -> None:
    unread = picture(identity=replace(IDENTITY, plate=None))
    was = passage(opened_at=after(-99), asked=None, order=order() if state is State.CLEARED else None)
    assert look(lane(state, passage=was), unread, NOW, RULES)[0].state in (state, State.HELD)
    if state is State.ASKING:
        assert look(lane(state, passage=was), picture(), NOW, RULES)[0].state is State.ASKING


def test_a_truck_that_leaves() -> None:
    gone = Sight(left=True, whole_since=after(-60), all_clear_since=after(-3))
    nobody = picture(deck=EMPTY_DECK, identity=Identity())
    before = lane(State.ASKING, sight=gone, ringing=frozenset({Condition.OVERRIDE}), reasons=(Reason.WEIGHT_STALE,))
    found, deeds = look(before, nobody, NOW, RULES)
    assert (found.state, found.passage, found.reasons) == (State.EMPTY, None, ())
    assert deeds == (Ring(Condition.OVERRIDE, active=False, passage=PASSAGE), Close(passage(), Outcome.LEFT))


def test_steps_end_by_being_seen() -> None:
    every = tuple(Step(name=name, began=OPENED) for name in (StepName.ARRIVE, StepName.IDENTIFY))

    def seen(shown: Picture, rules: Rules = RULES, sight: Sight = SEEN) -> dict[str, bool]:
        found, _ = look(lane(State.ASKING, passage=passage(steps=every), sight=sight), shown, NOW, rules)
        return {each.name.value: each.ended == NOW for each in the_passage(found).steps}

    assert seen(picture()) == {"arrive": True, "identify": True, "weigh": True}
    unsettled = picture(deck=deck(settled_kg=None))
    assert seen(unsettled) == {"arrive": True, "identify": True, "weigh": False}
    unread = picture(identity=Identity())
    assert seen(unread) == {"arrive": True, "identify": False, "weigh": True}
    untagged = picture(identity=replace(IDENTITY, tags=()))
    assert seen(untagged) == {"arrive": True, "identify": True, "weigh": True}
    assert seen(untagged, replace(RULES, needs_tag=True)) == {"arrive": True, "identify": False, "weigh": True}
    assert seen(picture(), replace(RULES, needs_tag=True))["identify"]
    assert seen(picture(), sight=replace(SEEN, entered=False)) == {"arrive": False, "identify": True}


def test_what_a_waiting_truck_lacks_is_kept_true_to_the_picture() -> None:
    unread = picture(identity=replace(IDENTITY, plate=None))
    stale = (Reason.WEIGHT_STALE,)

    def reasons(state: State, **changes: object) -> tuple[Reason, ...]:
        return look(lane(state, passage=passage(**changes), reasons=stale), unread, NOW, RULES)[0].reasons

    assert reasons(State.GATHERING) == reasons(State.HELD) == (Reason.PLATE_UNREAD,)
    assert reasons(State.HELD, asked=ASKED) == stale, "customs' own no stands"
    assert reasons(State.HELD, order=override()) == stale
    assert reasons(State.ASKING) == stale


# customs answers


def test_a_release_opens_for_a_good_truck() -> None:
    was = passage(
        asked=ASKED, steps=(Step(name=StepName.CLEAR, began=OPENED),), sent="refuse", reread=frozenset({Check.PLATE})
    )
    before = lane(
        State.ASKING, passage=was, reasons=(Reason.MATCH_REFUSE,), ringing=frozenset({Condition.CLEARANCE_SILENT})
    )
    found, deeds = hear(before, Ordered(order()), picture(passage=None), NOW, RULES)
    assert (found.state, found.since) == (State.RAISING, NOW)
    assert found.permit is not None
    move = Move(found.permit, order(), picture())
    silent = Ring(Condition.CLEARANCE_SILENT, active=False, passage=PASSAGE)
    assert deeds == (silent, Answer("o-1", ()), move)
    known = the_passage(found)
    assert (known.order, known.heard_at, known.sent, known.reread) == (order(), after(-1), None, frozenset())
    assert known.movements == (Movement.RAISE,)
    assert step(found, StepName.CLEAR) == Step(name=StepName.CLEAR, began=OPENED, ended=NOW)
    assert step(found, StepName.DECIDE) == Step(name=StepName.DECIDE, began=NOW, ended=NOW)
    assert step(found, StepName.RAISE) == Step(name=StepName.RAISE, began=NOW)
    assert (found.reasons, found.ringing) == ((), frozenset())


def test_a_release_that_waits_for_its_moment_opens_when_nothing_is_against_it() -> None:
    occupied = picture(inputs=inputs(photocell=True))
    before = lane(State.ASKING, passage=passage(asked=ASKED))
    waits, deeds = hear(before, Ordered(order()), occupied, NOW, RULES)
    assert waits.state is State.CLEARED
    assert (waits.reasons, the_passage(waits).refused) == ((Reason.ZONE_OCCUPIED,), (Reason.ZONE_OCCUPIED,))
    assert [type(each) for each in deeds] == [Answer, Refuse]
    assert deeds[0] == Answer("o-1", ())
    assert [told(each) for each in of(deeds, Refuse)] == [("o-1", (Reason.ZONE_OCCUPIED,), PASSAGE)]
    assert step(waits, StepName.DECIDE) == Step(name=StepName.DECIDE, began=NOW)
    same, deeds = look(waits, at(NOW + 1, occupied), after(1), RULES)
    assert (same.state, of(deeds, Refuse)) == (State.CLEARED, [])
    opened, deeds = look(waits, at(NOW + 1, picture()), after(1), RULES)
    assert opened.state is State.RAISING
    assert [each.order for each in of(deeds, Move)] == [order()]
    assert opened.reasons == ()


def test_what_is_against_a_truck_that_was_held_and_was_released_is_kept_true() -> None:
    was = passage(asked=ASKED, order=order())
    other = picture(identity=replace(IDENTITY, plate=None))
    found, deeds = look(lane(State.HELD, passage=was, reasons=(Reason.ORDER_HOLD,)), other, NOW, RULES)
    assert (found.state, deeds) == (State.HELD, ())
    assert found.reasons == (Reason.PLATE_UNREAD,)
    assert the_passage(found).refused == (Reason.PLATE_UNREAD,)
    freed, deeds = look(found, picture(), NOW, RULES)
    assert freed.state is State.RAISING
    assert step(freed, StepName.DECIDE) == Step(name=StepName.DECIDE, began=NOW, ended=NOW)


def test_a_release_that_is_refused_for_good_is_told_every_time_it_comes() -> None:
    other = order(plate="沪AD3F89")
    was = passage(asked=ASKED, refused=(Reason.ORDER_OTHER_PLATE,))
    found, deeds = hear(lane(State.ASKING, passage=was), Ordered(other), picture(), NOW, RULES)
    assert found.state is State.HELD
    assert [type(each) for each in deeds] == [Answer, Refuse]
    assert step(found, StepName.DECIDE) == Step(name=StepName.DECIDE, began=NOW, ended=NOW, ok=False)


def test_what_was_told_of_this_truck_once_is_not_told_again_while_it_passes() -> None:
    occupied = picture(inputs=inputs(photocell=True))
    was = passage(asked=ASKED, refused=(Reason.ZONE_OCCUPIED,))
    found, deeds = hear(lane(State.ASKING, passage=was), Ordered(order()), occupied, NOW, RULES)
    assert found.state is State.CLEARED
    assert deeds == (Answer("o-1", ()),)


@pytest.mark.parametrize(
    ("verb", "reason"),
    [(Verb.HOLD, Reason.ORDER_HOLD), (Verb.INSPECT, Reason.ORDER_INSPECT), (Verb.REFUSE, Reason.ORDER_REFUSE)],
)
def test_customs_says_no(verb: Verb, reason: Reason) -> None:
    before = lane(State.ASKING, passage=passage(asked=ASKED, steps=(Step(name=StepName.CLEAR, began=OPENED),)))
    found, deeds = hear(before, Ordered(order(verb=verb)), picture(passage=None), NOW, RULES)
    assert (found.state, found.since) == (State.HELD, NOW)
    assert (found.reasons, the_passage(found).refused) == ((reason,), (reason,))
    assert deeds[0] == Answer("o-1", ())
    assert [told(each) for each in of(deeds, Refuse)] == [("o-1", (reason,), PASSAGE)]
    assert len(deeds) == 2
    assert step(found, StepName.DECIDE) == Step(name=StepName.DECIDE, began=NOW, ended=NOW, ok=False)
    assert step(found, StepName.CLEAR) == Step(name=StepName.CLEAR, began=OPENED, ended=NOW)
    assert the_passage(found).order == order(verb=verb)


def test_an_older_answer_does_not_undo_a_newer_one() -> None:
    was = passage(asked=ASKED, heard_at=after(-1), order=order(id="o-0", verb=Verb.HOLD))
    before = lane(State.HELD, passage=was)
    found, deeds = hear(before, Ordered(order(issued_at=after(-1.1))), picture(), NOW, RULES)
    assert found.state is State.HELD
    assert the_passage(found).order == was.order
    assert deeds[0] == Answer("o-1", (Reason.ORDER_OUTDATED,))
    assert [told(each) for each in of(deeds, Refuse)] == [("o-1", (Reason.ORDER_OUTDATED,), PASSAGE)]
    assert not of(deeds, Ring)
    same, deeds = hear(before, Ordered(order(issued_at=after(-1))), picture(), NOW, RULES)
    assert same.state is State.RAISING


def test_a_bad_order_of_customs_takes_the_truck_out_of_asking() -> None:
    clear = Step(name=StepName.CLEAR, began=OPENED)
    before = lane(State.ASKING, passage=passage(asked=ASKED, steps=(clear,)))
    found, deeds = hear(before, Ordered(order(expires_at=NOW)), picture(), NOW, RULES)
    assert (found.state, found.since) == (State.HELD, NOW)
    assert found.reasons == (Reason.ORDER_EXPIRED,)
    assert deeds[0] == Answer("o-1", (Reason.ORDER_EXPIRED,))
    assert [told(each) for each in of(deeds, Refuse)] == [("o-1", (Reason.ORDER_EXPIRED,), PASSAGE)]
    assert len(deeds) == 2
    assert step(found, StepName.CLEAR) == replace(clear, ended=NOW, ok=False)
    assert the_passage(found).order is None


@pytest.mark.parametrize(
    ("changes", "reason", "rings"),
    [
        ({"lane": "L02"}, Reason.ORDER_OTHER_LANE, True),
        ({"passage": "L01-0"}, Reason.ORDER_OTHER_PASSAGE, True),
        ({"id": "o-spent"}, Reason.ORDER_SPENT, True),
        ({"site": "elsewhere"}, Reason.ORDER_OTHER_SITE, False),
        ({"issued_at": after(2.1)}, Reason.ORDER_FROM_FUTURE, False),
    ],
)
def test_an_order_that_somebody_replays_rings(changes: dict[str, object], reason: Reason, rings: bool) -> None:
    shown = picture(spent=frozenset({"o-spent"}))
    found, deeds = hear(lane(State.ASKING), Ordered(order(**changes)), shown, NOW, RULES)
    assert deeds[0] == Answer(order(**changes).id, (reason,))
    assert (Condition.ORDER_FALSE in found.ringing) is rings
    expected = [Ring(Condition.ORDER_FALSE, active=True, passage=PASSAGE)] if rings else []
    assert of(deeds, Ring) == expected


def test_an_order_for_nobody() -> None:
    nobody = picture(passage=None, deck=EMPTY_DECK, identity=Identity())
    found, deeds = hear(alone(State.EMPTY), Ordered(order()), nobody, NOW, RULES)
    assert found.state is State.EMPTY
    assert deeds[0] == Answer("o-1", (Reason.ORDER_OTHER_PASSAGE,))
    assert of(deeds, Ring) == [Ring(Condition.ORDER_FALSE, active=True, passage=None)]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.WAKING, Reason.LANE_WAKING),
        (State.RAISING, Reason.BOOM_MOVING),
        (State.LOWERING, Reason.BOOM_MOVING),
    ],
)
def test_nobody_is_heard_while_the_lane_wakes_or_the_boom_moves(state: State, reason: Reason) -> None:
    before = lane(state, permit=permit(), ringing=frozenset({Condition.CLEARANCE_SILENT}))
    found, deeds = hear(before, Ordered(order()), picture(), NOW, RULES)
    ring = Ring(Condition.CLEARANCE_SILENT, active=False, passage=PASSAGE)
    assert deeds == (ring, Answer("o-1", (reason,)))
    assert found == replace(before, ringing=frozenset())
    assert hear(before, Ordered(override()), picture(), NOW, RULES) == (before, (Answer("p-1", (reason,)),))
    waiting, deeds = hear(before, Awaited(override()), picture(), NOW, RULES)
    assert deeds[0] == Answer("p-1", (reason,))
    assert [told(each) for each in of(deeds, Refuse)] == [("p-1", (reason,), PASSAGE)]
    assert waiting.awaits is None


@pytest.mark.parametrize("state", [State.ASKING, State.OPEN, State.HELD])
@pytest.mark.parametrize("wish", [order(expires_at=NOW), order(), order(verb=Verb.HOLD)], ids=["bad", "yes", "no"])
def test_any_word_of_customs_ends_its_silence(state: State, wish: Order) -> None:
    before = lane(state, passage=passage(asked=ASKED), ringing=frozenset({Condition.CLEARANCE_SILENT}))
    found, deeds = hear(before, Ordered(wish), picture(), NOW, RULES)
    assert deeds[0] == Ring(Condition.CLEARANCE_SILENT, active=False, passage=PASSAGE)
    assert isinstance(deeds[1], Answer)
    assert Condition.CLEARANCE_SILENT not in found.ringing


@pytest.mark.parametrize("state", [State.GATHERING, State.ASKING, State.CLEARED, State.HELD])
def test_customs_newer_word_takes_the_place_of_its_older_one(state: State) -> None:
    was = passage(asked=ASKED, order=order(), heard_at=after(-1))
    no = order(id="o-2", verb=Verb.HOLD, issued_at=after(-0.5))
    found, _ = hear(lane(state, passage=was), Ordered(no), picture(), NOW, RULES)
    assert (found.state, the_passage(found).order, the_passage(found).heard_at) == (State.HELD, no, after(-0.5))
    yes = order(id="o-3", issued_at=after(-0.5))
    found, _ = hear(lane(state, passage=was), Ordered(yes), picture(), NOW, RULES)
    assert (found.state, the_passage(found).order) == (State.RAISING, yes)


def test_an_order_that_is_bad_and_old_is_refused_for_what_is_bad() -> None:
    before = lane(State.HELD, passage=passage(asked=ASKED, heard_at=NOW))
    _, deeds = hear(before, Ordered(order(expires_at=NOW)), picture(), NOW, RULES)
    assert deeds[0] == Answer("o-1", (Reason.ORDER_EXPIRED,))


@pytest.mark.parametrize("state", [State.OPEN, State.CROSSING, State.CLEARING, State.KEPT, State.FAULT])
def test_a_release_for_a_boom_that_is_not_down(state: State) -> None:
    before = lane(state, passage=passage(asked=ASKED))
    reason = Reason.NOT_CONFIRMED if state is State.FAULT else Reason.BOOM_ALREADY_UP
    assert hear(before, Ordered(order()), picture(inputs=UP), NOW, RULES) == (before, (Answer("o-1", (reason,)),))


def test_what_calls_itself_an_order_and_is_none() -> None:
    before = lane(State.ASKING, passage=passage(asked=ASKED, steps=(Step(name=StepName.CLEAR, began=OPENED),)))
    for reason, rings in (
        (Reason.ORDER_FORGED, True), (Reason.ORDER_UNKNOWN_KEY, True), (Reason.ORDER_SPENT, True),
        (Reason.ORDER_MALFORMED, False), (Reason.ORDER_NOT_THEIRS, False),
    ):  # fmt: skip
        why = (reason,)
        found, deeds = hear(before, Unadmitted("o-9", why, asked=True), picture(), NOW, RULES)
        assert (found.state, found.since) == (State.HELD, NOW)
        assert (found.reasons, the_passage(found).refused) == (why, why)
        assert step(found, StepName.CLEAR) == Step(name=StepName.CLEAR, began=OPENED, ended=NOW, ok=False)
        assert deeds[0] == Answer("o-9", why)
        assert [told(each) for each in of(deeds, Refuse)] == [("o-9", why, PASSAGE)]
        ring = [Ring(Condition.ORDER_FALSE, active=True, passage=PASSAGE)] if rings else []
        assert of(deeds, Ring) == ring
        other, deeds = hear(before, Unadmitted("o-9", why, asked=False), picture(), NOW, RULES)
        assert other.state is State.ASKING, "nobody asked for it: customs may still answer"
        assert (other.reasons, the_passage(other).refused) == ((), why)
        assert step(other, StepName.CLEAR) == Step(name=StepName.CLEAR, began=OPENED)
        assert deeds[0] == Answer("o-9", why)
        assert len(of(deeds, Refuse)) == 1
        assert of(deeds, Ring) == ring


def test_customs_is_silent() -> None:
    before = lane(State.ASKING, passage=passage(asked=ASKED, steps=(Step(name=StepName.CLEAR, began=OPENED),)))
    found, deeds = hear(before, Silence(), picture(), NOW, RULES)
    assert (found.state, found.since) == (State.HELD, NOW)
    assert (found.reasons, the_passage(found).refused) == ((Reason.CLEARANCE_SILENT,),) * 2
    assert step(found, StepName.CLEAR) == Step(name=StepName.CLEAR, began=OPENED, ended=NOW, ok=False)
    assert [told(each) for each in of(deeds, Refuse)] == [(None, (Reason.CLEARANCE_SILENT,), PASSAGE)]
    assert of(deeds, Ring) == [Ring(Condition.CLEARANCE_SILENT, active=True, passage=PASSAGE)]
    assert len(deeds) == 2
    for state in set(State) - {State.ASKING}:
        assert hear(lane(state), Silence(), picture(), NOW, RULES) == (lane(state), ())


def test_customs_no_longer_silent() -> None:
    before = lane(State.HELD, passage=passage(asked=ASKED), ringing=frozenset({Condition.CLEARANCE_SILENT}))
    _, deeds = hear(before, Ordered(override(verb=Verb.CLOSE)), picture(), NOW, RULES)
    assert not of(deeds, Ring), "a person's order is no answer of customs"
    local = order(id="l-1", origin=Origin.LOCAL)
    assert not of(hear(before, Ordered(local), picture(), NOW, RULES)[1], Ring)


# what failed checks lead to

LEADS = replace(RULES, on_failed=OnFailed(containers=Consequence.INSPECT, plate=Consequence.REFUSE))


def test_a_check_that_sends_the_truck_away() -> None:
    for changes, sent, own, why in (
        ({"containers": ("TCNU7200794",)}, "inspect", Reason.ORDER_OTHER_CONTAINERS, Reason.MATCH_INSPECT),
        ({"plate": "沪AD3F89"}, "refuse", Reason.ORDER_OTHER_PLATE, Reason.MATCH_REFUSE),
    ):
        found, deeds = hear(
            lane(State.ASKING, passage=passage(asked=ASKED)), Ordered(order(**changes)), picture(), NOW, LEADS
        )
        assert found.state is State.HELD
        assert the_passage(found).sent == sent
        assert found.reasons == (own, why)
        (refuse,) = of(deeds, Refuse)
        assert refuse.refusal.reasons == (own, why)
        assert not of(deeds, Reread)
        still, deeds = look(found, picture(), NOW, LEADS)
        assert (still.state, of(deeds, Refuse)) == (State.HELD, []), "told once"
        assert set(still.reasons) == {own, why}


def test_a_check_that_fails_later_sends_away_as_well_and_says_so() -> None:
    release = order()
    before = lane(State.HELD, passage=passage(asked=replace(ASKED, at=NOW), order=release))
    other = picture(identity=replace(IDENTITY, plate=Plate("沪AD3F89", 0.97)))
    found, deeds = look(before, other, NOW, LEADS)
    assert (found.state, the_passage(found).sent) == (State.HELD, "refuse")
    (refuse,) = of(deeds, Refuse)
    assert Reason.MATCH_REFUSE in refuse.refusal.reasons
    assert refuse.passage == PASSAGE
    good, deeds = look(found, picture(), after(2), LEADS)
    assert good.state is State.HELD, "only customs takes it back"


def test_what_was_not_read_yet_is_given_the_time_of_gathering() -> None:
    two = order(containers=("CSQU3054383", "TCNU7200794"))

    def sent(ago: float) -> str | None:
        before = lane(State.ASKING, passage=passage(opened_at=after(-ago)))
        return the_passage(hear(before, Ordered(two), picture(), NOW, LEADS)[0]).sent

    assert sent(29.9) is None
    assert sent(30.0) == "inspect"


def test_a_read_that_differs_is_read_again_once() -> None:
    retry = replace(
        RULES, on_failed=OnFailed(plate=Consequence.RETRY, containers=Consequence.RETRY, tag=Consequence.CORRECT)
    )
    wrong = order(plate="沪AD3F89", containers=("TCNU7200794",))
    found, deeds = hear(lane(State.ASKING, passage=passage(asked=ASKED)), Ordered(wrong), picture(), NOW, retry)
    assert of(deeds, Reread) == [Reread((Check.CONTAINERS, Check.PLATE), PASSAGE)]
    assert the_passage(found).reread == {Check.PLATE, Check.CONTAINERS}
    assert found.state is State.HELD
    _, deeds = look(found, picture(), NOW, retry)
    assert not of(deeds, Reread)
    # What a person is to correct, what is not read at all, and a weight are not let go of.
    for wish, rules in (
        (wrong, RULES),
        (order(declared_kg=Decimal(20_000), tolerance_kg=Decimal(0)), retry),
        (order(direction="out"), retry),
        (order(containers=("CSQU3054383", "TCNU7200794")), retry),
    ):
        _, deeds = hear(lane(State.ASKING, passage=passage(asked=ASKED)), Ordered(wish), picture(), NOW, rules)
        assert not of(deeds, Reread), wish
    late = lane(State.ASKING, passage=passage(asked=ASKED, opened_at=after(-30)))
    _, deeds = hear(late, Ordered(order(containers=("CSQU3054383", "TCNU7200794"))), picture(), NOW, retry)
    assert not of(deeds, Reread), "there is nothing to let go of"
    half = replace(found, passage=replace(the_passage(found), reread=frozenset({Check.PLATE})))
    more, deeds = look(half, picture(), NOW, retry)
    assert of(deeds, Reread) == [Reread((Check.CONTAINERS,), PASSAGE)]
    assert the_passage(more).reread == {Check.PLATE, Check.CONTAINERS}


# a person's word


def test_a_persons_release_opens_at_once_or_not_at_all() -> None:
    unread = picture(identity=Identity(), passage=None)
    for state in (State.GATHERING, State.ASKING, State.HELD, State.CLEARED):
        before = lane(state, reasons=(Reason.PLATE_UNREAD,))
        found, deeds = hear(before, Ordered(override()), unread, NOW, RULES)
        assert (found.state, found.reasons) == (State.RAISING, ())
        assert the_passage(found).order == override()
        assert found.permit is not None
        assert found.permit.by_person
        ring = Ring(Condition.OVERRIDE, active=True, passage=PASSAGE)
        assert deeds == (Answer("p-1", ()), ring, Move(found.permit, override(), replace(unread, passage=PASSAGE)))
    faulty = picture(inputs=inputs(boom_fault=True))
    before = lane(State.HELD)
    found, deeds = hear(before, Ordered(override()), faulty, NOW, RULES)
    assert found.state is State.HELD
    assert the_passage(found).refused == (Reason.BOOM_FAULTY,)
    assert deeds[0] == Answer("p-1", (Reason.BOOM_FAULTY,))
    assert [told(each) for each in of(deeds, Refuse)] == [("p-1", (Reason.BOOM_FAULTY,), PASSAGE)]


def test_a_persons_release_where_the_table_has_no_way_up() -> None:
    # The switches bounce: the picture shows the boom down for a moment, the lane knows it up.
    for state in (State.OPEN, State.CROSSING, State.CLEARING, State.KEPT):
        before = lane(state)
        assert hear(before, Ordered(override()), picture(), NOW, RULES) == (
            before,
            (Answer("p-1", (Reason.BOOM_MOVING,)),),
        )


def test_a_person_lowers() -> None:
    low = override(id="p-2", verb=Verb.LOWER)
    for state in (State.OPEN, State.CROSSING, State.CLEARING, State.FAULT):
        before = lane(state, passage=passage(steps=(Step(name=StepName.CROSS, began=OPENED),), order=order()))
        found, deeds = hear(before, Ordered(low), picture(inputs=UP), NOW, RULES)
        assert found.state is State.LOWERING
        assert found.permit is not None
        assert deeds == (Answer("p-2", ()), Move(found.permit, low, picture(inputs=UP)))
        assert the_passage(found).order == order(), "it is no override"
        assert the_passage(found).movements == (Movement.LOWER,)
        twice, _ = hear(
            lane(state, passage=passage(movements=(Movement.RAISE,))), Ordered(low), picture(inputs=UP), NOW, RULES
        )
        assert the_passage(twice).movements == (Movement.RAISE, Movement.LOWER)
        assert step(found, StepName.CROSS) == Step(name=StepName.CROSS, began=OPENED, ended=NOW)
        assert step(found, StepName.LOWER) == Step(name=StepName.LOWER, began=NOW)
    for state in (State.GATHERING, State.ASKING, State.HELD, State.CLEARED):
        before = lane(state)
        assert hear(before, Ordered(low), picture(inputs=UP), NOW, RULES) == (
            before,
            (Answer("p-2", (Reason.BOOM_MOVING,)),),
        )


def test_a_person_lowers_a_boom_that_was_kept_open() -> None:
    low = override(id="p-2", verb=Verb.LOWER)
    before = lane(State.KEPT, keep=kept(), passed=2, ringing=frozenset({Condition.KEPT_OPEN}))
    found, deeds = hear(before, Ordered(low), picture(inputs=UP), NOW, RULES)
    assert (found.state, found.keep) == (State.LOWERING, None)
    assert of(deeds, Keep) == [Keep(kept(), holds=False, passed=2)]
    assert of(deeds, Ring) == [Ring(Condition.KEPT_OPEN, active=False, passage=PASSAGE)]


def test_a_person_lowers_in_a_lane_without_a_truck() -> None:
    low = override(id="p-2", verb=Verb.LOWER_NOW, passage=None)
    before = alone(State.FAULT)
    nobody = picture(passage=None, inputs=UP, deck=EMPTY_DECK)
    found, deeds = hear(before, Ordered(low), nobody, NOW, RULES)
    assert (found.state, found.passage) == (State.LOWERING, None)
    assert len(of(deeds, Move)) == 1


# two persons


def test_the_first_signature_waits_in_sight() -> None:
    before = lane(State.HELD)
    found, deeds = hear(before, Awaited(override()), picture(), NOW, RULES)
    assert found == replace(before, awaits=override())
    assert deeds == (Answer("p-1", (Reason.ORDER_TOO_FEW,), awaits=True),)
    same, deeds = hear(found, Awaited(override()), picture(), NOW, RULES)
    assert (same.awaits, deeds) == (override(), (Answer("p-1", (Reason.ORDER_TOO_FEW,), awaits=True),))
    newer = override(id="p-9")
    other, deeds = hear(found, Awaited(newer), picture(), NOW, RULES)
    assert other.awaits == newer
    assert deeds == (Answer("p-1", (Reason.ORDER_OUTDATED,)), Answer("p-9", (Reason.ORDER_TOO_FEW,), awaits=True))


def test_a_first_signature_that_would_be_refused_with_two() -> None:
    found, deeds = hear(lane(State.HELD), Awaited(override()), picture(inputs=inputs(boom_fault=True)), NOW, RULES)
    assert found.awaits is None
    assert the_passage(found).refused == (Reason.BOOM_FAULTY,)
    assert deeds[0] == Answer("p-1", (Reason.BOOM_FAULTY,))
    assert [told(each) for each in of(deeds, Refuse)] == [("p-1", (Reason.BOOM_FAULTY,), PASSAGE)]


def test_a_first_signature_that_is_old_and_wrong_is_refused_for_what_is_wrong() -> None:
    faulty = picture(inputs=inputs(boom_fault=True))
    _, deeds = hear(lane(State.HELD), Awaited(override(issued_at=after(-60))), faulty, NOW, RULES)
    assert deeds[0] == Answer("p-1", (Reason.BOOM_FAULTY,))


def test_a_first_signature_that_is_a_minute_old() -> None:
    for ago, why in ((59.9, Reason.ORDER_TOO_FEW), (60.0, Reason.ORDER_LAPSED)):
        _, deeds = hear(lane(State.HELD), Awaited(override(issued_at=after(-ago))), picture(), NOW, RULES)
        assert deeds[0] == Answer("p-1", (why,), awaits=why is Reason.ORDER_TOO_FEW)


def test_a_hold_open_waits_for_its_second_signature_under_an_open_boom() -> None:
    up = picture(inputs=UP)
    found, _ = hear(lane(State.OPEN), Awaited(kept()), up, NOW, RULES)
    assert found.awaits == kept()
    release, deeds = hear(lane(State.OPEN), Awaited(override()), up, NOW, RULES)
    assert release.awaits is None
    assert deeds[0] == Answer("p-1", (Reason.BOOM_ALREADY_UP,))
    _, deeds = hear(lane(State.OPEN), Awaited(kept(lane="L02")), up, NOW, RULES)
    assert deeds[0] == Answer("k-1", (Reason.ORDER_OTHER_LANE,))


def test_the_second_signature_ends_the_waiting() -> None:
    before = lane(State.HELD, awaits=override())
    both = override(persons=("li.wei", "wang.fang"))
    found, _ = hear(before, Ordered(both), picture(), NOW, RULES)
    assert (found.state, found.awaits) == (State.RAISING, None)
    other, _ = hear(before, Ordered(override(id="p-9")), picture(), NOW, RULES)
    assert other.awaits == override()


def test_an_order_that_waits_lapses() -> None:
    def waiting(wish: Order, **changes: object) -> tuple[Lane, tuple[Deed, ...]]:
        return look(lane(State.HELD, awaits=wish, passage=passage(asked=ASKED), **changes), picture(), NOW, RULES)

    fresh, deeds = waiting(override(issued_at=after(-59.9)))
    assert (fresh.awaits is not None, deeds) == (True, ())
    for wish in (override(issued_at=after(-60)), override(expires_at=NOW)):
        found, deeds = waiting(wish)
        assert found.awaits is None
        assert deeds == (Answer("p-1", (Reason.ORDER_LAPSED,)),)
        assert the_passage(found).refused == (Reason.ORDER_LAPSED,)
    found, deeds = waiting(override(passage="L01-0"))
    assert (found.awaits, deeds) == (None, (Answer("p-1", (Reason.ORDER_OTHER_PASSAGE,)),))
    nobody = picture(passage=None, deck=EMPTY_DECK, identity=Identity())
    empty, deeds = look(alone(State.EMPTY, awaits=kept(passage=None)), nobody, NOW, RULES)
    assert (empty.awaits, deeds) == (kept(passage=None), ())
    empty, deeds = look(alone(State.EMPTY, awaits=kept()), nobody, NOW, RULES)
    assert deeds == (Answer("k-1", (Reason.ORDER_OTHER_PASSAGE,)),)


# an advisory lane, and one in shadow

ADVISORY = picture(mode=Mode.ADVISORY)
SHADOW = picture(mode=Mode.SHADOW)
YES = override(id="p-5", verb=Verb.CONFIRM, confirms="o-1")


def test_an_advisory_lane_advises_once_and_waits() -> None:
    found, deeds = hear(lane(State.ASKING), Ordered(order()), ADVISORY, NOW, RULES)
    assert found.state is State.CLEARED
    assert found.reasons == (Reason.NOT_CONFIRMED_YET,)
    assert the_passage(found).would == (Movement.RAISE,)
    assert the_passage(found).refused == ()
    advise = Advise(
        advice=Advice.ADVISED,
        movement=Movement.RAISE,
        passage=PASSAGE,
        order="o-1",
        reasons=(),
        picture=digest(ADVISORY),
    )
    assert deeds == (Answer("o-1", ()), advise)
    assert not look(found, ADVISORY, NOW, RULES)[1]
    later, deeds = look(found, at(NOW + 2, ADVISORY), after(2), RULES)
    assert (later.state, later.reasons, deeds) == (State.CLEARED, (Reason.NOT_CONFIRMED_YET,), ())


def confirmable(state: State = State.CLEARED, **changes: object) -> Lane:
    return lane(state, passage=passage(asked=ASKED, order=order(), **changes), reasons=(Reason.NOT_CONFIRMED_YET,))


@pytest.mark.parametrize("state", [State.CLEARED, State.HELD])
def test_a_persons_yes_opens(state: State) -> None:
    found, deeds = hear(confirmable(state), Ordered(YES), ADVISORY, NOW, RULES)
    assert (found.state, found.reasons) == (State.RAISING, ())
    assert the_passage(found).confirmed == "o-1"
    assert the_passage(found).order == order(), "customs' order it is that opens"
    assert found.permit is not None
    assert found.permit.order == "o-1"
    assert not found.permit.by_person
    assert step(found, StepName.DECIDE) == Step(name=StepName.DECIDE, began=NOW, ended=NOW)
    move = Move(found.permit, order(), replace(ADVISORY, confirmed="o-1"))
    assert deeds == (Answer("p-5", ()), Spend("p-5"), move)


def test_a_yes_to_nothing() -> None:
    def no(before: Lane, *why: Reason, shown: Picture = ADVISORY, wish: Order = YES) -> None:
        found, deeds = hear(before, Ordered(wish), shown, NOW, RULES)
        assert deeds[0] == Answer(wish.id, why)
        assert [told(each) for each in of(deeds, Refuse)] == [
            (wish.id, why, None if before.passage is None else PASSAGE)
        ]
        assert found.state is before.state
        assert found.permit is None
        if found.passage is not None:
            assert found.passage.confirmed is None
            assert found.passage.refused[-len(why) :] == why

    no(confirmable(), Reason.LANE_IN_SHADOW, shown=SHADOW)
    no(confirmable(), Reason.ORDER_MISSING, shown=picture())
    no(lane(State.HELD), Reason.ORDER_MISSING)
    no(lane(State.HELD, passage=passage(order=order(verb=Verb.HOLD))), Reason.ORDER_MISSING)
    no(lane(State.HELD, passage=passage(order=override(id="o-1"))), Reason.ORDER_MISSING)
    no(confirmable(), Reason.ORDER_OUTDATED, wish=replace(YES, confirms="o-0"))
    no(confirmable(), Reason.ORDER_EXPIRED, wish=replace(YES, expires_at=NOW))
    for state in (State.OPEN, State.CROSSING, State.CLEARING, State.FAULT, State.GATHERING, State.ASKING):
        no(confirmable(state), Reason.BOOM_ALREADY_UP)
    # The truck itself is not good any more: the interlock's own words.
    unread = replace(ADVISORY, identity=replace(IDENTITY, plate=None))
    found, deeds = hear(confirmable(), Ordered(YES), unread, NOW, RULES)
    assert deeds[0] == Answer("p-5", (Reason.PLATE_UNREAD,))
    assert [told(each) for each in of(deeds, Refuse)] == [("o-1", (Reason.PLATE_UNREAD,), PASSAGE)]
    assert (found.state, the_passage(found).confirmed) == (State.CLEARED, None)
    assert the_passage(found).refused == (Reason.PLATE_UNREAD,)


def test_a_yes_in_a_lane_without_a_truck() -> None:
    nobody = picture(mode=Mode.ADVISORY, passage=None)
    yes = replace(YES, passage=None)
    found, deeds = hear(alone(State.EMPTY), Ordered(yes), nobody, NOW, RULES)
    assert deeds[0] == Answer("p-5", (Reason.ORDER_OTHER_PASSAGE, Reason.ORDER_MISSING))
    assert found.state is State.EMPTY


def test_a_lane_in_shadow_says_what_it_would_have_done() -> None:
    found, deeds = hear(lane(State.ASKING), Ordered(order()), SHADOW, NOW, RULES)
    assert found.state is State.CLEARED
    advise = Advise(
        advice=Advice.WOULD, movement=Movement.RAISE, passage=PASSAGE, order="o-1", reasons=(), picture=digest(SHADOW)
    )
    assert deeds == (Answer("o-1", ()), advise)
    occupied = replace(SHADOW, inputs=inputs(photocell=True))
    waits, deeds = hear(lane(State.ASKING), Ordered(order()), occupied, NOW, RULES)
    assert waits.state is State.CLEARED
    assert waits.reasons == (Reason.ZONE_OCCUPIED,), "what a live lane would have had against it"
    assert not of(deeds, Advise)
    cleared, deeds = look(waits, at(NOW + 1, SHADOW), after(1), RULES)
    assert cleared.state is State.CLEARED
    assert len(of(deeds, Advise)) == 1


def test_a_lane_in_shadow_watches_the_hand_that_raises_and_lowers() -> None:
    up = replace(SHADOW, inputs=UP)
    before = lane(
        State.CLEARED, passage=passage(order=order(), would=(Movement.RAISE,)), reasons=(Reason.LANE_IN_SHADOW,)
    )
    found, deeds = look(before, up, NOW, RULES)
    assert (found.state, found.reasons) == (State.OPEN, ())
    (advise,) = of(deeds, Advise)
    assert advise == Advise(
        advice=Advice.BY_HAND, movement=Movement.RAISE, passage=PASSAGE, order="o-1", reasons=(), agrees=True,
        picture=digest(up),
    )  # fmt: skip
    assert the_passage(found).by_hand == (Movement.RAISE,)
    assert step(found, StepName.CROSS) == Step(name=StepName.CROSS, began=NOW)
    held = lane(
        State.HELD,
        passage=passage(asked=ASKED, by_hand=(Movement.RAISE,)),
        reasons=(Reason.ORDER_HOLD, Reason.LANE_IN_SHADOW),
    )
    found, deeds = look(held, up, NOW, RULES)
    (advise,) = of(deeds, Advise)
    assert (advise.order, advise.reasons, advise.agrees) == (None, (Reason.ORDER_HOLD,), False)
    assert the_passage(found).by_hand == (Movement.RAISE, Movement.RAISE)


def test_a_hand_that_lowers_ends_the_passage() -> None:
    down = SHADOW
    would = passage(order=order(), crossed=True, would=(Movement.RAISE, Movement.LOWER))
    found, deeds = look(lane(State.CLEARING, passage=would, since=after(-5)), down, NOW, RULES)
    (advise,) = of(deeds, Advise)
    assert (advise.movement, advise.agrees, advise.passage) == (Movement.LOWER, True, PASSAGE)
    (close,) = of(deeds, Close)
    assert close.outcome is Outcome.CROSSED
    assert close.passage.by_hand == (Movement.LOWER,)
    assert (found.state, found.passage) != (State.CLEARING, would)
    _, deeds = look(lane(State.OPEN, passage=passage(would=(Movement.RAISE,))), down, NOW, RULES)
    assert [each.agrees for each in of(deeds, Advise)] == [False]


def test_a_hand_in_an_empty_lane() -> None:
    up = replace(SHADOW, inputs=UP, passage=None, deck=EMPTY_DECK, identity=Identity())
    found, deeds = look(alone(State.EMPTY), up, NOW, RULES)
    assert (found.state, found.passage) == (State.OPEN, None)
    (advise,) = of(deeds, Advise)
    assert (advise.passage, advise.order, advise.agrees) == (None, None, False)


def test_a_held_truck_against_which_nothing_is_left_is_advised() -> None:
    for shown, advice in ((ADVISORY, Advice.ADVISED), (SHADOW, Advice.WOULD)):
        before = lane(State.HELD, passage=passage(asked=ASKED, order=order()), reasons=(Reason.PLATE_UNREAD,))
        found, deeds = look(before, shown, NOW, RULES)
        assert (found.state, found.since) == (State.CLEARED, NOW)
        assert [each.advice for each in of(deeds, Advise)] == [advice]


def test_a_lane_in_shadow_says_what_a_live_one_would_have_against_lowering() -> None:
    faulty = replace(SHADOW, inputs=replace(UP, boom_fault=Seen(True, NOW, NOW)))
    found, deeds = look(lane(State.CLEARING), faulty, NOW, RULES)
    assert found.reasons == (Reason.BOOM_FAULTY,)
    assert [each.refusal.reasons for each in of(deeds, Refuse)] == [(Reason.BOOM_FAULTY,)]


def test_a_lane_in_shadow_would_lower_as_well() -> None:
    up = replace(SHADOW, inputs=UP)
    found, deeds = look(lane(State.CLEARING), up, NOW, RULES)
    (advise,) = of(deeds, Advise)
    assert (advise.advice, advise.movement) == (Advice.WOULD, Movement.LOWER)
    assert the_passage(found).would == (Movement.LOWER,)
    more, _ = look(lane(State.CLEARING, passage=passage(would=(Movement.RAISE,))), up, NOW, RULES)
    assert the_passage(more).would == (Movement.RAISE, Movement.LOWER)
    assert found.reasons == (Reason.LANE_IN_SHADOW,)
    assert look(found, up, after(0.5), RULES)[1] == ()
    nobody, deeds = look(alone(State.CLEARING), replace(up, passage=None), NOW, RULES)
    assert not of(deeds, Advise), "nobody is there of whom to tell it"
    assert nobody.reasons == (Reason.LANE_IN_SHADOW,)


# the boom has moved


def raising(**changes: object) -> Lane:
    was = passage(
        asked=ASKED, order=order(), movements=(Movement.RAISE,), confirmed="o-1",
        steps=(Step(name=StepName.DECIDE, began=OPENED, ended=OPENED), Step(name=StepName.RAISE, began=OPENED)),
    )  # fmt: skip
    return replace(lane(State.RAISING, passage=was, permit=permit()), **changes)


def lowering(**changes: object) -> Lane:
    was = passage(
        order=order(), crossed=True, movements=(Movement.RAISE, Movement.LOWER), confirmed="o-1",
        steps=(Step(name=StepName.LOWER, began=OPENED),),
    )  # fmt: skip
    return replace(lane(State.LOWERING, passage=was, permit=permit(Movement.LOWER, order=None)), **changes)


def test_the_boom_is_up() -> None:
    found, deeds = hear(raising(), Moved("permit-1", Event.RAISED), picture(inputs=UP), NOW, RULES)
    assert (found.state, found.since, found.permit, deeds) == (State.OPEN, NOW, None, ())
    by_person = raising(passage=replace(the_passage(raising()), order=override()))
    up, _ = hear(by_person, Moved("permit-1", Event.RAISED), picture(inputs=UP), NOW, RULES)
    assert the_passage(up).order == override()
    assert step(found, StepName.RAISE) == Step(name=StepName.RAISE, began=OPENED, ended=NOW)
    assert step(found, StepName.CROSS) == Step(name=StepName.CROSS, began=NOW)


def test_the_boom_is_down() -> None:
    found, deeds = hear(lowering(), Moved("permit-1", Event.LOWERED), picture(), NOW, RULES)
    assert (found.state, found.passage, found.permit) == (State.EMPTY, None, None)
    (close,) = of(deeds, Close)
    assert close.outcome is Outcome.CROSSED
    assert close.passage.steps == (Step(name=StepName.LOWER, began=OPENED, ended=NOW),)


def test_the_boom_turned_round_on_its_way_down() -> None:
    found, deeds = hear(lowering(), Moved("permit-1", Event.RAISED), picture(inputs=UP), NOW, RULES)
    assert (found.state, deeds) == (State.CLEARING, ())
    assert step(found, StepName.LOWER) == Step(name=StepName.LOWER, began=OPENED, ended=NOW)
    assert step(found, StepName.CROSS) is None


@pytest.mark.parametrize("before", [raising(), lowering()])
def test_the_boom_did_not_arrive(before: Lane) -> None:
    found, deeds = hear(before, Moved("permit-1", Event.NOT_CONFIRMED), picture(inputs=BETWEEN), NOW, RULES)
    assert (found.state, found.permit, found.reasons) == (State.FAULT, None, (Reason.NOT_CONFIRMED,))
    assert deeds == (Ring(Condition.NOT_CONFIRMED, active=True, passage=PASSAGE),)
    name = StepName.RAISE if before.state is State.RAISING else StepName.LOWER
    assert step(found, name) == Step(name=name, began=OPENED, ended=NOW, ok=False)
    assert Reason.BOOM_STRAYED not in the_passage(found).refused


def test_a_permit_that_was_withdrawn_at_the_door() -> None:
    why = (Reason.ZONE_OCCUPIED,)
    found, deeds = hear(raising(), Moved("permit-1", Event.WITHDRAWN, why), picture(), NOW, RULES)
    assert (found.state, found.reasons, deeds) == (State.CLEARED, why, ())
    assert (the_passage(found).movements, the_passage(found).confirmed) == ((), None)
    assert step(found, StepName.RAISE) is None
    assert the_passage(found).order == order()
    found, deeds = hear(lowering(), Moved("permit-1", Event.WITHDRAWN, why), picture(inputs=UP), NOW, RULES)
    assert (found.state, found.reasons, deeds) == (State.CLEARING, why, ())
    assert the_passage(found).movements == (Movement.RAISE,)
    assert step(found, StepName.LOWER) is None


def test_a_persons_wish_that_came_to_nothing_is_not_acted_upon_later() -> None:
    by_person = raising(passage=replace(the_passage(raising()), order=override()))
    why = (Reason.BOOM_FAULTY,)
    found, _ = hear(by_person, Moved("permit-1", Event.WITHDRAWN, why), picture(), NOW, RULES)
    assert (found.state, found.since, the_passage(found).order) == (State.HELD, NOW, None)
    held = lowering(passage=replace(the_passage(lowering()), order=override()))
    found, _ = hear(held, Moved("permit-1", Event.WITHDRAWN, why), picture(inputs=UP), NOW, RULES)
    assert (found.state, the_passage(found).order) == (State.CLEARING, override())


def test_a_withdrawn_permit_in_a_lane_without_a_truck() -> None:
    before = alone(State.RAISING, permit=permit(passage=None), keep=kept(passage=None))
    found, _ = hear(
        before, Moved("permit-1", Event.WITHDRAWN, (Reason.BOOM_FAULTY,)), picture(passage=None), NOW, RULES
    )
    assert (found.state, found.keep) == (State.EMPTY, None)
    low = alone(State.LOWERING, permit=permit(Movement.LOWER, passage=None))
    found, _ = hear(low, Moved("permit-1", Event.WITHDRAWN, (Reason.ZONE_OCCUPIED,)), picture(passage=None), NOW, RULES)
    assert found.state is State.CLEARING


def test_news_of_another_permit_is_no_news() -> None:
    for before in (raising(), lane(State.OPEN)):
        assert hear(before, Moved("permit-0", Event.RAISED), picture(), NOW, RULES) == (before, ())


def test_after_a_permit_that_came_to_nothing_no_other_is_asked_for_within_a_second() -> None:
    why = (Reason.ZONE_OCCUPIED,)
    for seconds, state in ((0.9, State.CLEARED), (1.0, State.RAISING)):
        before = lane(State.CLEARED, passage=passage(asked=ASKED, order=order()), reasons=why, since=after(-seconds))
        assert look(before, picture(), NOW, RULES)[0].state is state
    for seconds, state in ((0.9, State.CLEARING), (1.0, State.LOWERING)):
        before = lane(State.CLEARING, reasons=why, since=after(-seconds))
        assert look(before, picture(inputs=UP), NOW, RULES)[0].state is state
    fresh = lane(State.CLEARING, since=NOW)
    assert look(fresh, picture(inputs=UP), NOW, RULES)[0].state is State.LOWERING
    held = lane(State.HELD, passage=passage(asked=ASKED, order=order()), reasons=why, since=after(-0.1))
    assert look(held, picture(), NOW, RULES)[0].state is State.RAISING


# under the open boom


def under(**changes: object) -> Sight:
    return replace(SEEN, **changes)


def test_a_truck_crosses() -> None:
    opened = lane(State.OPEN)
    found, deeds = look(opened, picture(inputs=replace(UP, loop_boom=Seen(True, NOW, NOW))), NOW, RULES)
    assert (found.state, the_passage(found).crossed, deeds) == (State.CROSSING, True, ())
    crossing = replace(found, passage=replace(the_passage(found), steps=(Step(name=StepName.CROSS, began=OPENED),)))
    up = picture(inputs=replace(UP, photocell=Seen(False, NOW, after(-0.1))), deck=EMPTY_DECK)
    clearing, deeds = look(crossing, up, NOW, RULES)
    assert (clearing.state, deeds) == (State.CLEARING, ())
    assert step(clearing, StepName.CROSS) == Step(name=StepName.CROSS, began=OPENED, ended=NOW)
    assert clearing.reasons == (Reason.ZONE_NOT_CLEAR_YET,)
    free = at(NOW + 1, picture(inputs=UP, deck=EMPTY_DECK))
    lower, deeds = look(clearing, free, after(1), RULES)
    assert (lower.state, lower.since) == (State.LOWERING, after(1))
    (move,) = of(deeds, Move)
    assert (move.permit.movement, move.order, move.picture) == (Movement.LOWER, None, free)


def test_a_lowering_that_cannot_be_is_told_once_and_only_when_waiting_does_not_help() -> None:
    faulty = picture(inputs=replace(UP, boom_fault=Seen(True, NOW, NOW)))
    found, deeds = look(lane(State.CLEARING), faulty, NOW, RULES)
    assert (found.state, found.reasons) == (State.CLEARING, (Reason.BOOM_FAULTY,))
    assert [told(each) for each in of(deeds, Refuse)] == [(None, (Reason.BOOM_FAULTY,), PASSAGE)]
    assert look(found, faulty, NOW, RULES) == (found, ())
    occupied = picture(inputs=replace(UP, boom_fault=Seen(True, NOW, NOW), limit_up=Seen(True, after(-9), NOW)))
    _, deeds = look(found, occupied, NOW, RULES)
    assert len(of(deeds, Refuse)) == 1, "another reason has come"
    just = picture(inputs=replace(UP, loop_boom=Seen(False, NOW, NOW)))
    found, deeds = look(lane(State.CLEARING), just, NOW, RULES)
    assert (found.reasons, of(deeds, Refuse)) == ((Reason.ZONE_NOT_CLEAR_YET,), [])


def test_a_truck_that_nobody_saw_crossing() -> None:
    gone = under(all_clear_since=after(-9), light_since=after(-9))
    up = picture(inputs=UP, deck=EMPTY_DECK)
    found, _ = look(lane(State.OPEN, sight=gone), up, NOW, RULES)
    assert (found.state, the_passage(found).crossed) == (State.LOWERING, True)
    nobody, _ = look(lane(State.OPEN, passage=None, sight=gone), replace(up, passage=None), NOW, RULES)
    assert (nobody.state, nobody.passage) == (State.LOWERING, None)
    back = replace(gone, left=True)
    found, _ = look(lane(State.OPEN, sight=back), up, NOW, RULES)
    assert (found.state, the_passage(found).crossed) == (State.LOWERING, False)
    was = lane(State.OPEN, sight=back, passage=passage(crossed=True))
    assert the_passage(look(was, up, NOW, RULES)[0]).crossed


def test_a_boom_that_strays() -> None:
    before = lane(State.CLEARED, passage=passage(asked=ASKED, order=order()), keep=None)
    between = picture(inputs=replace(BETWEEN, limit_down=Seen(False, NOW, after(-1))))
    found, deeds = look(before, between, NOW, RULES)
    why = (Reason.BOOM_STRAYED,)
    assert (found.state, found.reasons) == (State.FAULT, why)
    assert why[0] in the_passage(found).refused
    assert [told(each) for each in of(deeds, Refuse)] == [(None, why, PASSAGE)]
    assert of(deeds, Ring) == [Ring(Condition.BOOM_STRAYED, active=True, passage=PASSAGE)]


def test_a_fault_that_is_mended_ends_the_passage() -> None:
    gone = under(all_clear_since=after(-9), light_since=after(-9))
    found, deeds = look(lane(State.FAULT, sight=gone), picture(deck=EMPTY_DECK), NOW, RULES)
    assert found.state is State.EMPTY
    assert [each.outcome for each in of(deeds, Close)] == [Outcome.FAULT]


# held open


def test_a_hold_open_raises() -> None:
    before = lane(State.HELD, reasons=(Reason.ORDER_HOLD,), passage=passage(asked=ASKED))
    found, deeds = hear(before, Ordered(kept()), picture(), NOW, RULES)
    assert (found.state, found.since, found.keep, found.reasons) == (State.RAISING, NOW, kept(), ())
    assert the_passage(found).order == kept()
    assert found.permit is not None
    ring = Ring(Condition.OVERRIDE, active=True, passage=PASSAGE)
    assert deeds == (Answer("k-1", ()), ring, Move(found.permit, kept(), picture()))
    nobody = picture(passage=None, deck=EMPTY_DECK, identity=Identity())
    empty, deeds = hear(alone(State.EMPTY), Ordered(kept(passage=None)), nobody, NOW, RULES)
    assert (empty.state, empty.passage) == (State.RAISING, None)
    assert of(deeds, Ring) == [Ring(Condition.OVERRIDE, active=True, passage=None)]


def test_a_hold_open_that_is_refused() -> None:
    found, deeds = hear(lane(State.HELD), Ordered(kept()), picture(inputs=inputs(boom_fault=True)), NOW, RULES)
    assert (found.state, found.keep) == (State.HELD, None)
    assert deeds[0] == Answer("k-1", (Reason.BOOM_FAULTY,))
    assert [told(each) for each in of(deeds, Refuse)] == [("k-1", (Reason.BOOM_FAULTY,), PASSAGE)]
    assert the_passage(found).refused == (Reason.BOOM_FAULTY,)
    # The picture shows the boom up, the lane does not know it so: no hold-open takes that over.
    found, deeds = hear(lane(State.HELD), Ordered(kept()), picture(inputs=UP), NOW, RULES)
    assert (found.keep, deeds[0]) == (None, Answer("k-1", (Reason.BOOM_ALREADY_UP,)))
    both = picture(inputs=replace(UP, boom_fault=Seen(True, NOW, NOW)))
    found, deeds = hear(lane(State.OPEN), Ordered(kept()), both, NOW, RULES)
    assert (found.keep, deeds[0]) == (None, Answer("k-1", (Reason.BOOM_ALREADY_UP, Reason.BOOM_FAULTY)))
    bounce, deeds = hear(lane(State.OPEN), Ordered(kept()), picture(), NOW, RULES)
    assert (bounce, deeds) == (lane(State.OPEN), (Answer("k-1", (Reason.BOOM_MOVING,)),))


@pytest.mark.parametrize("state", [State.OPEN, State.CROSSING, State.CLEARING])
def test_a_hold_open_takes_over_an_open_boom_without_a_movement(state: State) -> None:
    before = lane(state, passed=4, reasons=(Reason.ZONE_NOT_CLEAR_YET,))
    found, deeds = hear(before, Ordered(kept()), picture(inputs=UP), NOW, RULES)
    assert (found.state, found.since, found.keep, found.passed) == (State.KEPT, NOW, kept(), 0)
    assert found.reasons == ()
    override_rings = Ring(Condition.OVERRIDE, active=True, passage=PASSAGE)
    kept_rings = Ring(Condition.KEPT_OPEN, active=True, passage=PASSAGE)
    assert deeds == (Answer("k-1", ()), Spend("k-1"), override_rings, Keep(kept(), holds=True), kept_rings)


def test_a_second_hold_open_takes_the_place_of_the_first() -> None:
    before = lane(State.KEPT, keep=kept(), passed=2, ringing=frozenset({Condition.KEPT_OPEN, Condition.OVERRIDE}))
    longer = kept(id="k-2", until=after(600))
    found, deeds = hear(before, Ordered(longer), picture(inputs=UP), NOW, RULES)
    assert (found.state, found.keep, found.passed) == (State.KEPT, longer, 2)
    assert deeds == (Answer("k-2", ()), Spend("k-2"), Keep(longer, holds=True))


def test_the_boom_is_up_for_a_hold_open() -> None:
    before = raising(keep=kept(), passed=3)
    found, deeds = hear(before, Moved("permit-1", Event.RAISED), picture(inputs=UP), NOW, RULES)
    assert (found.state, found.since, found.keep, found.passed) == (State.KEPT, NOW, kept(), 0)
    assert of(deeds, Keep) == [Keep(kept(), holds=True)]
    assert of(deeds, Ring) == [Ring(Condition.KEPT_OPEN, active=True, passage=PASSAGE)]
    late = raising(keep=kept(until=NOW))
    found, deeds = hear(late, Moved("permit-1", Event.RAISED), picture(inputs=UP), NOW, RULES)
    assert (found.state, found.keep, deeds) == (State.OPEN, None, ())
    for event in (Event.WITHDRAWN, Event.NOT_CONFIRMED):
        assert hear(before, Moved("permit-1", event), picture(inputs=UP), NOW, RULES)[0].keep is None


def test_a_hold_open_ends_at_its_end() -> None:
    def held(until: float, *, passed: int = 2) -> tuple[Lane, tuple[Deed, ...]]:
        before = lane(
            State.KEPT, keep=kept(until=after(until)), passed=passed, ringing=frozenset({Condition.KEPT_OPEN})
        )
        return look(before, picture(inputs=replace(UP, photocell=Seen(False, NOW, NOW))), NOW, RULES)

    found, deeds = held(0.1)
    assert (found.state, deeds) == (State.KEPT, ())
    found, deeds = held(0.0)
    assert (found.state, found.keep, the_passage(found).crossed) == (State.CLEARING, None, False)
    assert of(deeds, Keep) == [Keep(kept(until=NOW), holds=False, passed=2)]
    assert of(deeds, Ring) == [Ring(Condition.KEPT_OPEN, active=False, passage=PASSAGE)]


def test_vehicles_are_counted_when_they_have_passed() -> None:
    taken = picture(inputs=replace(UP, loop_boom=Seen(True, NOW, NOW)))
    free = picture(inputs=UP)
    before = lane(State.KEPT, keep=kept(), passed=1)
    found, _ = look(before, taken, NOW, RULES)
    assert (found.passed, the_passage(found).crossed) == (1, False)
    found, _ = look(found, taken, NOW, RULES)
    assert found.passed == 1
    found, _ = look(found, free, NOW, RULES)
    assert (found.passed, the_passage(found).crossed) == (2, True)
    assert look(found, free, NOW, RULES)[0].passed == 2
    nobody = lane(State.KEPT, keep=kept(), passage=None, sight=under(zone=True))
    found, _ = look(nobody, replace(free, passage=None), NOW, RULES)
    assert (found.passed, found.passage) == (1, None)
    crossing = lane(State.CROSSING, sight=under(zone=True))
    assert look(crossing, free, NOW, RULES)[0].passed == 0


def test_a_person_closes() -> None:
    shut = override(id="p-4", verb=Verb.CLOSE)
    before = lane(State.KEPT, keep=kept(), passed=2, ringing=frozenset({Condition.KEPT_OPEN}))
    found, deeds = hear(before, Ordered(shut), picture(inputs=UP), NOW, RULES)
    assert (found.state, found.keep) == (State.LOWERING, None)
    assert deeds[:2] == (Answer("p-4", ()), Spend("p-4"))
    assert of(deeds, Keep) == [Keep(kept(), holds=False, passed=2)]
    assert [each.permit.movement for each in of(deeds, Move)] == [Movement.LOWER]
    for state in (State.OPEN, State.EMPTY, State.HELD):
        found, deeds = hear(lane(state), Ordered(shut), picture(inputs=UP), NOW, RULES)
        assert deeds[0] == Answer("p-4", (Reason.NOT_KEPT_OPEN,))
        assert [told(each) for each in of(deeds, Refuse)] == [("p-4", (Reason.NOT_KEPT_OPEN,), PASSAGE)]
        assert the_passage(found).refused == (Reason.NOT_KEPT_OPEN,)
        assert found.state is state
    _, deeds = hear(lane(State.OPEN), Ordered(replace(shut, lane="L02")), picture(inputs=UP), NOW, RULES)
    assert deeds[0] == Answer("p-4", (Reason.ORDER_OTHER_LANE,))
    just = picture(inputs=replace(UP, photocell=Seen(False, NOW, NOW)))
    found, deeds = hear(before, Ordered(shut), just, NOW, RULES)
    assert (found.state, found.since, of(deeds, Move)) == (State.CLEARING, NOW, [])
    found, deeds = hear(before, Ordered(replace(shut, lane="L02")), picture(inputs=UP), NOW, RULES)
    assert (found.state, deeds[0]) == (State.KEPT, Answer("p-4", (Reason.ORDER_OTHER_LANE,)))


@pytest.mark.parametrize("state", [State.OPEN, State.CROSSING, State.CLEARING])
def test_a_hold_open_begins_on_the_next_picture_of_an_open_boom(state: State) -> None:
    there = state is State.CROSSING
    up = picture(inputs=replace(UP, photocell=Seen(there, NOW, NOW)))
    found, deeds = look(lane(state, keep=kept(), sight=under(zone=there)), up, NOW, RULES)
    assert found.state is State.KEPT
    assert of(deeds, Keep) == [Keep(kept(), holds=True)]


def test_a_hold_open_that_has_run_out_is_not_kept_in_mind() -> None:
    old = kept(until=NOW)
    low = override(id="p-2", verb=Verb.LOWER)
    lowered, _ = hear(lane(State.OPEN, keep=old), Ordered(low), picture(inputs=UP), NOW, RULES)
    assert (lowered.state, lowered.keep) == (State.LOWERING, None)
    between = picture(inputs=replace(BETWEEN, limit_up=Seen(False, NOW, after(-1))))
    strayed, _ = look(lane(State.OPEN, keep=old), between, NOW, RULES)
    assert (strayed.state, strayed.keep) == (State.FAULT, None)
    nobody = replace(SHADOW, passage=None, deck=EMPTY_DECK, identity=Identity())
    shut, _ = look(alone(State.OPEN, keep=old), nobody, NOW, RULES)
    assert (shut.state, shut.keep) == (State.EMPTY, None)


def test_vehicles_cross_in_a_lane_without_a_passage() -> None:
    taken = picture(passage=None, inputs=replace(UP, loop_boom=Seen(True, NOW, NOW)))
    found, deeds = look(alone(State.OPEN), taken, NOW, RULES)
    assert (found.state, found.passage, deeds) == (State.CROSSING, None, ())


def test_a_release_that_went_up_is_no_hold_open() -> None:
    for state in (State.OPEN, State.CROSSING, State.CLEARING):
        found, deeds = look(
            lane(state, sight=under(zone=state is State.CROSSING)),
            picture(inputs=replace(UP, photocell=Seen(state is State.CROSSING, NOW, NOW))),
            NOW,
            RULES,
        )
        assert not of(deeds, Keep)
        assert found.state is state


# waking


def test_a_lane_wakes_under_an_open_boom_that_the_book_knows() -> None:
    seen = Sight(whole_since=after(-2))
    before = lane(State.WAKING, sight=seen, raised_in_book=True, keep=kept())
    found, deeds = look(before, picture(inputs=UP), NOW, RULES)
    assert found.state is State.KEPT
    assert the_passage(found).id == PASSAGE
    assert of(deeds, Close) == []
    without, deeds = look(replace(before, keep=None), picture(inputs=UP), NOW, RULES)
    assert (without.state, deeds) == (State.OPEN, ())


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        (picture(deck=EMPTY_DECK, identity=Identity()), State.EMPTY),
        (picture(inputs=inputs(limit_up=True)), State.FAULT),
        (picture(inputs=inputs(loop_arrival=True), deck=EMPTY_DECK, identity=Identity()), State.GATHERING),
    ],
)
def test_a_lane_that_wakes_otherwise_abandons_what_was(shown: Picture, state: State) -> None:
    before = lane(State.WAKING, sight=Sight(whole_since=after(-2)), raised_in_book=True, keep=kept())
    found, deeds = look(before, shown, NOW, RULES)
    assert found.state is state
    assert (found.keep, found.raised_in_book) == (None, False)
    assert of(deeds, Close) == [Close(passage(), Outcome.ABANDONED)]
    assert not of(deeds, Keep)
    nobody, deeds = look(replace(before, passage=None), shown, NOW, RULES)
    assert (nobody.state, of(deeds, Close)) == (state, [])
    assert nobody.keep is None


def test_a_lane_that_is_not_awake_waits() -> None:
    before = lane(State.WAKING, sight=Sight(), keep=kept())
    found, deeds = look(before, picture(inputs=UP), NOW, RULES)
    assert (found.state, found.keep, deeds) == (State.WAKING, kept(), ())


# alarms, and the site's own key


def test_alarms_come_and_go_with_the_pictures() -> None:
    stepped = picture(clock_step_s=9)
    found, deeds = look(lane(State.ASKING), stepped, NOW, RULES)
    assert deeds == (Ring(Condition.CLOCK_STEPPED, active=True, passage=PASSAGE),)
    assert look(found, stepped, NOW, RULES)[1] == ()
    found, deeds = look(found, picture(), NOW, RULES)
    assert deeds == (Ring(Condition.CLOCK_STEPPED, active=False, passage=PASSAGE),)


def test_alarms_that_come_at_once_are_told_at_once() -> None:
    up = picture(inputs=UP, clock_step_s=9)
    _, deeds = look(lane(State.OPEN, since=after(-60)), up, NOW, RULES)
    assert [each.condition for each in of(deeds, Ring)] == [Condition.OPEN_LONG, Condition.CLOCK_STEPPED]
    _, deeds = look(lane(State.OPEN, since=after(-59)), up, NOW, RULES)
    assert [each.condition for each in of(deeds, Ring)] == [Condition.CLOCK_STEPPED]


KNOWN = replace(RULES, silent=Silent.KNOWN_EMPTY, empties=(Empty("沪AD3F88", Decimal(38_000)),))
BARE = picture(identity=replace(IDENTITY, containers=()), silent_since=after(-10))


def local(**changes: object) -> Lane:
    was = {"asked": asked(BARE)} | changes
    return lane(State.HELD, passage=passage(**was))


def test_a_known_empty_truck_is_signed_for_once_while_customs_is_silent() -> None:
    found, deeds = look(local(), replace(BARE, passage=None), NOW, KNOWN)
    assert the_passage(found).local
    assert deeds == (SignHere(the_passage(found), BARE),)
    assert look(found, BARE, NOW, KNOWN)[1] == ()
    for before in (local(order=order()), local(local=True), lane(State.ASKING, passage=passage(asked=ASKED))):
        assert not of(look(before, BARE, NOW, KNOWN)[1], SignHere)
    for rules in (RULES, replace(KNOWN, silent=Silent.OPERATOR), replace(KNOWN, empties=())):
        assert not of(look(local(), BARE, NOW, rules)[1], SignHere)
    for shown in (replace(BARE, silent_since=after(-9)), replace(BARE, deck=replace(BARE.deck, frozen=True))):
        found, deeds = look(local(), shown, NOW, KNOWN)
        assert (found.state, of(deeds, SignHere)) == (State.HELD, [])
    nobody = alone(State.EMPTY)
    assert not of(look(nobody, replace(BARE, passage=None), NOW, KNOWN)[1], SignHere)


def test_the_sites_own_release_opens() -> None:
    sign = order(id="l-1", origin=Origin.LOCAL, containers=(), declared_kg=None, tolerance_kg=None)
    found, deeds = hear(local(local=True), Ordered(sign), BARE, NOW, KNOWN)
    assert found.state is State.RAISING
    assert deeds[0] == Answer("l-1", ())
    occupied = replace(BARE, inputs=inputs(photocell=True))
    waits, _ = hear(local(local=True), Ordered(sign), occupied, NOW, KNOWN)
    assert waits.state is State.CLEARED
    opened, _ = look(waits, at(NOW + 1, BARE), after(1), KNOWN)
    assert opened.state is State.RAISING, "it is acted upon when nothing is against it"


def test_a_persons_release_is_never_acted_upon_later() -> None:
    waiting = lane(State.HELD, passage=passage(asked=ASKED, order=override()))
    assert look(waiting, picture(), NOW, RULES)[0].state is State.HELD
    no = lane(State.HELD, passage=passage(asked=ASKED, order=order(verb=Verb.HOLD)))
    assert look(no, picture(), NOW, RULES)[0].state is State.HELD
