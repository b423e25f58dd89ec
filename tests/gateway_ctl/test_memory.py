"""What a lane remembers: passages, steps, alarms and what customs was asked, put in and taken out one by one."""

from dataclasses import replace
from decimal import Decimal

import pytest

from drivers.readings import Instant
from gateway_ctl import memory
from gateway_ctl.conditions import Condition
from gateway_ctl.deeds import Asked, Close, Open, Outcome, Passage, Refuse, Ring, Step, StepName
from gateway_ctl.interlock import Refusal
from gateway_ctl.lane_state import State
from gateway_ctl.memory import Lane
from gateway_ctl.orders import Movement, Permit
from gateway_ctl.picture import Container, Identity, Plate, digest
from gateway_ctl.reasons import Reason
from gateway_ctl.sight import Sight
from tests.gateway_ctl.scene import IDENTITY, NOW, RULES, deck, picture

LATER = Instant(NOW + 5)
HERE = Passage(id="L01-1", opened_at=NOW)
LANE = Lane(id="L01", state=State.GATHERING, passage=HERE)
NOBODY = Lane(id="L01", state=State.EMPTY)


def with_passage(**changes: object) -> Lane:
    return replace(LANE, passage=replace(HERE, **changes))


def step(name: StepName, began: Instant = NOW, ended: Instant | None = None, *, ok: bool = True) -> Step:
    return Step(name=name, began=began, ended=ended, ok=ok)


def test_a_lane_that_has_just_started() -> None:
    assert Lane(id="L01") == Lane(
        id="L01", state=State.WAKING, since=Instant(0.0), passage=None, permit=None, reasons=(), sight=Sight(),
        ringing=frozenset(), keep=None, passed=0, awaits=None, raised_in_book=False,
    )  # fmt: skip


def test_a_truck_has_come() -> None:
    before = replace(NOBODY, reasons=(Reason.TRUCK_ABSENT,), sight=Sight(left=True))
    lane, deeds = memory.opened(before, picture(), Instant(1_764_000_000.1234), RULES)
    at = Instant(1_764_000_000.1234)
    passage = Passage(
        id="L01-1764000000123", opened_at=at, steps=(step(StepName.ARRIVE, at), step(StepName.IDENTIFY, at))
    )
    assert lane == replace(before, passage=passage, reasons=(), sight=before.sight.anew(picture(), RULES))
    assert (lane.sight.left, lane.sight.entered) == (False, True), "it stood on the deck before it was seen"
    assert deeds == (Open(passage),)


OF_A_TRUCK = (
    Condition.FOLLOWER, Condition.TAILGATED, Condition.ORDER_FALSE, Condition.OVERRIDE, Condition.SCALE_SUSPECT,
    Condition.NOT_CONFIRMED, Condition.BOOM_STRAYED, Condition.CLEARANCE_SILENT,
)  # fmt: skip


def test_a_passage_ends_and_takes_its_alarms_with_it() -> None:
    out = Permit(
        id="permit-1", lane="L01", passage="L01-1", order=None, by_person=False, movement=Movement.LOWER,
        emergency=False, granted_at=NOW, expires_at=LATER, picture="0" * 64,
    )  # fmt: skip
    before = replace(
        LANE, reasons=(Reason.TRUCK_ABSENT,), ringing=frozenset(Condition), raised_in_book=True, passed=3, permit=out
    )
    lane, deeds = memory.closed(before, Outcome.CROSSED)
    assert lane.ringing == frozenset(Condition) - set(OF_A_TRUCK)
    assert (lane.passage, lane.reasons, lane.permit, lane.raised_in_book, lane.passed) == (None, (), None, False, 0)
    told = [Ring(c, active=False, passage="L01-1") for c in Condition if c in OF_A_TRUCK]
    assert deeds == (*told, Close(HERE, Outcome.CROSSED))
    assert (lane.state, lane.sight) == (before.state, before.sight)


def test_only_what_rings_is_told_to_ring_no_more() -> None:
    ringing = frozenset({Condition.OVERRIDE, Condition.OPEN_LONG})
    lane, deeds = memory.closed(replace(NOBODY, ringing=ringing), Outcome.LEFT)
    assert lane.ringing == {Condition.OPEN_LONG}
    assert deeds == (Ring(Condition.OVERRIDE, active=False, passage=None),), "there was no passage to close"


def test_how_a_passage_ends() -> None:
    def ends(before: State = State.CLEARED, **changes: object) -> Outcome:
        return memory.outcome(with_passage(**changes), before)

    assert ends() is Outcome.LEFT
    assert ends(rang=(Condition.OVERRIDE,)) is Outcome.LEFT
    assert ends(State.FAULT) is Outcome.FAULT
    for astray in (Condition.NOT_CONFIRMED, Condition.BOOM_STRAYED):
        assert ends(rang=(Condition.OVERRIDE, astray)) is Outcome.FAULT
        assert ends(rang=(astray,), crossed=True) is Outcome.CROSSED
    assert ends(State.FAULT, crossed=True) is Outcome.CROSSED
    assert memory.outcome(NOBODY, State.CLEARED) is Outcome.LEFT
    assert memory.outcome(NOBODY, State.FAULT) is Outcome.FAULT


FULL = Identity(
    plate=Plate("沪AD3F88", 0.97), tags=("B2", "A1"), trailer=Plate("沪B001挂", 0.9), seal_numbers=("S2", "S1"),
    cards=("C2", "C1"),
    containers=(Container("TCNU7200794", 0.9, True), Container("CSQU3054383", 0.9, True)),
)  # fmt: skip


def test_what_customs_is_asked_on() -> None:
    assert memory.asked(picture(identity=FULL)) == Asked(
        at=NOW, plate="沪AD3F88", tags=("A1", "B2"), containers=("CSQU3054383", "TCNU7200794"), kg=Decimal(38_260),
        uncertainty_kg=Decimal(10), trailer="沪B001挂", seal_numbers=("S1", "S2"), cards=("C1", "C2"),
    )  # fmt: skip
    bare = memory.asked(picture(identity=Identity(), deck=deck(settled_kg=None, uncertainty_kg=None)))
    assert bare == Asked(at=NOW, plate=None, tags=(), containers=(), kg=None, uncertainty_kg=None)


def test_whether_customs_would_be_asked_something_else() -> None:
    before = memory.asked(picture(identity=FULL))
    assert not memory.differs(before, picture(identity=FULL))
    assert not memory.differs(before, picture(identity=FULL, at=LATER))
    assert not memory.differs(before, picture(identity=replace(FULL, tags=("A1", "B2"))))
    for changes in (
        {"plate": None}, {"plate": Plate("沪AD3F89", 0.97)}, {"tags": ("A1",)}, {"containers": ()}, {"trailer": None},
        {"seal_numbers": ("S1",)}, {"cards": ("C1",)},
    ):  # fmt: skip
        assert memory.differs(before, picture(identity=replace(FULL, **changes))), changes
    assert not memory.differs(before, picture(identity=replace(FULL, plate=Plate("沪AD3F88", 0.5))))
    # Twice what the weighing leaves open is no other weight.
    for kg, other in ((38_280, False), (38_240, False), (38_281, True), (38_239, True)):
        assert memory.differs(before, picture(identity=FULL, deck=deck(kg))) is other
    wider = picture(identity=FULL, deck=deck(38_300, uncertainty_kg=Decimal(20)))
    assert not memory.differs(before, wider)
    unsettled = picture(identity=FULL, deck=deck(settled_kg=None))
    assert memory.differs(before, unsettled)
    assert not memory.differs(memory.asked(unsettled), unsettled)
    assert memory.differs(memory.asked(unsettled), picture(identity=FULL))
    sure = picture(identity=FULL, deck=deck(uncertainty_kg=None))
    assert not memory.differs(before, sure)
    assert memory.differs(before, picture(identity=FULL, deck=deck(38_261, uncertainty_kg=None)))


def test_a_condition_comes_and_goes() -> None:
    lane, deeds = memory.rung(LANE, Condition.OVERRIDE)
    assert lane == replace(with_passage(rang=(Condition.OVERRIDE,)), ringing=frozenset({Condition.OVERRIDE}))
    assert deeds == (Ring(Condition.OVERRIDE, active=True, passage="L01-1"),)
    assert memory.rung(lane, Condition.OVERRIDE) == (lane, ())
    both, _ = memory.rung(lane, Condition.FOLLOWER)
    assert both.ringing == {Condition.OVERRIDE, Condition.FOLLOWER}
    assert both.passage is not None
    assert both.passage.rang == (Condition.OVERRIDE, Condition.FOLLOWER)
    gone, deeds = memory.unrung(both, Condition.OVERRIDE)
    assert gone == replace(both, ringing=frozenset({Condition.FOLLOWER}))
    assert deeds == (Ring(Condition.OVERRIDE, active=False, passage="L01-1"),)
    assert memory.unrung(gone, Condition.OVERRIDE) == (gone, ())
    again, deeds = memory.rung(gone, Condition.OVERRIDE)
    assert again.passage == both.passage, "a passage remembers once that it rang"
    assert deeds == (Ring(Condition.OVERRIDE, active=True, passage="L01-1"),)


def test_a_condition_that_rang_before_the_truck_came_is_the_trucks_as_well() -> None:
    lane, deeds = memory.rung(replace(LANE, ringing=frozenset({Condition.INPUTS_STALE})), Condition.INPUTS_STALE)
    assert deeds == ()
    assert lane.passage is not None
    assert lane.passage.rang == (Condition.INPUTS_STALE,)


def test_a_condition_in_an_empty_lane() -> None:
    lane, deeds = memory.rung(NOBODY, Condition.OPEN_LONG)
    assert lane == replace(NOBODY, ringing=frozenset({Condition.OPEN_LONG}))
    assert deeds == (Ring(Condition.OPEN_LONG, active=True, passage=None),)
    assert memory.unrung(lane, Condition.OPEN_LONG) == (
        NOBODY,
        (Ring(Condition.OPEN_LONG, active=False, passage=None),),
    )


AGAIN = {StepName.CLEAR, StepName.DECIDE, StepName.RAISE, StepName.LOWER}


@pytest.mark.parametrize("name", list(StepName))
def test_a_step_begins(name: StepName) -> None:
    first = step(StepName.ARRIVE if name is not StepName.ARRIVE else StepName.WEIGH)
    lane = memory.begin(with_passage(steps=(first,)), name, NOW)
    assert lane == with_passage(steps=(first, step(name)))
    ended = with_passage(steps=(step(name, NOW, LATER), first))
    once_more = memory.begin(ended, name, LATER)
    assert once_more == (with_passage(steps=(first, step(name, LATER))) if name in AGAIN else ended)
    assert memory.begin(NOBODY, name, NOW) == NOBODY


def test_a_step_ends_once() -> None:
    under_way = (step(StepName.ARRIVE), step(StepName.WEIGH))
    lane = memory.end(with_passage(steps=under_way), StepName.WEIGH, LATER)
    assert lane == with_passage(steps=(step(StepName.ARRIVE), step(StepName.WEIGH, NOW, LATER)))
    assert memory.end(lane, StepName.WEIGH, Instant(NOW + 9), ok=False) == lane
    failed = memory.end(with_passage(steps=under_way), StepName.ARRIVE, LATER, ok=False)
    assert failed == with_passage(steps=(step(StepName.ARRIVE, NOW, LATER, ok=False), step(StepName.WEIGH)))
    assert memory.end(lane, StepName.LOWER, LATER) == lane
    assert memory.end(NOBODY, StepName.WEIGH, LATER) == NOBODY


def test_a_step_is_taken_back() -> None:
    lane = with_passage(steps=(step(StepName.ARRIVE), step(StepName.RAISE)))
    assert memory.drop(lane, StepName.RAISE) == with_passage(steps=(step(StepName.ARRIVE),))
    assert memory.drop(lane, StepName.LOWER) == lane
    assert memory.drop(NOBODY, StepName.RAISE) == NOBODY


def test_reasons_are_remembered_once_each() -> None:
    one, two, three = Reason.TRUCK_ABSENT, Reason.PLATE_UNREAD, Reason.WEIGHT_STALE
    lane = memory.remember(with_passage(refused=(one,)), (two, one, three))
    assert lane == with_passage(refused=(one, two, three))
    assert memory.remember(NOBODY, (one,)) == NOBODY
    noted = memory.note(replace(with_passage(refused=(one,)), reasons=(three,)), (two,))
    assert noted == replace(with_passage(refused=(one, two)), reasons=(two,))
    assert memory.note(NOBODY, (one,)) == replace(NOBODY, reasons=(one,))


def test_the_picture_under_the_lanes_own_passage() -> None:
    same = picture(passage="L01-1")
    assert memory.of(LANE, same) is same
    assert memory.of(LANE, picture(passage=None)) == same
    assert memory.of(NOBODY, same) == picture(passage=None)
    lane = with_passage(confirmed="o-1", sent="inspect")
    known = replace(same, confirmed="o-1", sent="inspect")
    assert memory.of(lane, same) == known
    assert memory.of(lane, replace(same, confirmed="o-1")) == known
    assert memory.of(lane, replace(same, sent="inspect")) == known
    assert memory.of(lane, known) is known
    assert memory.of(LANE, known) == same


def test_a_refusal_to_be_told() -> None:
    why = (Reason.ORDER_FORGED,)
    of = picture(passage=None, identity=IDENTITY)
    mark = digest(picture(passage="L01-1"))
    told = Refusal(movement=Movement.RAISE, order="o-9", reasons=why, picture=mark)
    assert memory.refuse(LANE, why, "o-9", of) == Refuse(told, "L01-1")
    assert memory.refuse(NOBODY, why, None, of) == Refuse(
        Refusal(movement=Movement.RAISE, order=None, reasons=why, picture=digest(of)), None
    )
