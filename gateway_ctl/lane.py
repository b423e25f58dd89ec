"""The lane's mind: what it remembers of a passage, and what it makes of a picture or a word. Pure.

`look` takes a picture, `hear` takes a word from outside (an order, customs' silence, what became of a movement).
Both return the lane as it is afterwards and the deeds to be done, in order. The states follow lane_state.TABLE and
nothing else. It is more than 400 lines long because a passage is one story: cut in two, each half would need the other.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from drivers.readings import Instant
from gateway_ctl.conditions import Condition
from gateway_ctl.deeds import (
    Answer,
    Ask,
    Asked,
    Close,
    Deed,
    Move,
    Moved,
    Open,
    Ordered,
    Outcome,
    Passage,
    Refuse,
    Ring,
    Silence,
    Step,
    StepName,
    Unadmitted,
    Word,
)
from gateway_ctl.interlock import Refusal, decide, decide_lowering, judge_order, of_truck
from gateway_ctl.lane_state import TABLE, Event, State
from gateway_ctl.orders import Movement, Order, Origin, Permit, Verb
from gateway_ctl.picture import Picture, Rules, digest
from gateway_ctl.reasons import Reason
from gateway_ctl.sight import Sight, conditions_seen, event_seen, see


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """All that the lane remembers between two thoughts."""

    id: str
    state: State = State.WAKING
    since: Instant = Instant(0.0)
    passage: Passage | None = None
    permit: Permit | None = None
    """The permit of the movement under way."""
    reasons: tuple[Reason, ...] = ()
    """Why the boom does not move now."""
    sight: Sight = Sight()
    ringing: frozenset[Condition] = frozenset()
    raised_in_book: bool = False
    """Only while waking: the book says that the boom was raised for `passage` and not lowered since."""


Thought = tuple[Lane, tuple[Deed, ...]]

REASK_S = 3.0
"""Customs is not asked again about the same truck sooner than this, however its reads flicker."""
AGAIN_S = 1.0
"""After a permit that came to nothing at the door no other is asked for sooner: a module that refuses every write
must not fill the book."""
_FALSE = frozenset(
    {
        Reason.ORDER_FORGED,
        Reason.ORDER_UNKNOWN_KEY,
        Reason.ORDER_SPENT,
        Reason.ORDER_OTHER_LANE,
        Reason.ORDER_OTHER_PASSAGE,
    }
)


def look(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """What the lane makes of a picture."""
    lane = replace(lane, sight=see(lane.sight, picture, lane.state, now, rules))
    lane, deeds = _ring(lane, picture, now, rules)
    # Each event leaves the state it was seen in, and no state is entered twice on one picture.
    for _ in range(len(State)):
        event = event_seen(lane.sight, picture, lane.state, lane.since, now, rules, raised_in_book=lane.raised_in_book)
        if event is None and lane.passage is not None:
            event = _gathered(lane, lane.passage, picture, now, rules)
        if event is None or TABLE[lane.state][event] is lane.state:
            break
        lane, more = _advance(lane, event, picture, now, rules)
        deeds = (*deeds, *more)
    lane = _step_on(lane, picture, now, rules)
    lane, more = _judge(lane, picture, now, rules)
    return lane, (*deeds, *more)


def hear(lane: Lane, word: Word, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """What the lane makes of a word from outside, on the newest picture."""
    match word:
        case Ordered(order=order):
            return _ordered(lane, order, picture, now, rules)
        case Unadmitted(order=order_id, reasons=reasons, asked=asked):
            deeds: tuple[Deed, ...] = (Answer(order_id, reasons), _refuse(lane, reasons, order_id, picture))
            lane, rung = _rung(lane, Condition.ORDER_FALSE) if set(reasons) & _FALSE else (lane, ())
            if asked:
                lane = _note(_end(lane, StepName.CLEAR, now, ok=False), reasons)
                lane, more = _advance(lane, Event.ORDER_BAD, picture, now, rules)
                return lane, (*deeds, *rung, *more)
            return _remember(lane, reasons), (*deeds, *rung)
        case Silence(reason=reason):
            if lane.state is not State.ASKING:
                return lane, ()
            lane = _note(_end(lane, StepName.CLEAR, now, ok=False), (reason,))
            lane, rung = _rung(lane, Condition.CLEARANCE_SILENT)
            lane, more = _advance(lane, Event.SILENT, picture, now, rules)
            return lane, (_refuse(lane, (reason,), None, picture), *rung, *more)
        case Moved():
            return _moved(lane, word, picture, now, rules)


def _ordered(lane: Lane, order: Order, picture: Picture, now: Instant, rules: Rules) -> Thought:
    picture = _of(lane, picture)
    by_customs = order.origin is Origin.CUSTOMS
    lane, deeds = _unring(lane, Condition.CLEARANCE_SILENT) if by_customs else (lane, ())
    if lane.state in (State.WAKING, State.RAISING, State.LOWERING):
        why = Reason.LANE_WAKING if lane.state is State.WAKING else Reason.BOOM_MOVING
        return lane, (*deeds, Answer(order.id, (why,)))
    if not by_customs:
        lane, more = _by_person(lane, order, picture, now, rules)
        return lane, (*deeds, *more)
    event = Event.RELEASE_ORDERED if order.verb is Verb.RELEASE else Event.HOLD_ORDERED
    bad = judge_order(picture, order, now, rules)
    if lane.passage is not None and not bad and order.issued_at < lane.passage.heard_at:
        bad = (Reason.ORDER_OUTDATED,)
    if lane.passage is None or bad:
        bad = bad or (Reason.ORDER_OTHER_PASSAGE,)
        lane, rung = _rung(lane, Condition.ORDER_FALSE) if set(bad) & _FALSE else (lane, ())
        lane = _note(_end(lane, StepName.CLEAR, now, ok=False), bad)
        refusal = _refuse(lane, bad, order.id, picture)
        lane, more = _advance(lane, Event.ORDER_BAD, picture, now, rules)
        return lane, (*deeds, Answer(order.id, bad), refusal, *rung, *more)
    if TABLE[lane.state][event] is lane.state and lane.state not in (State.CLEARED, State.HELD):
        stuck = lane.state is State.FAULT
        return lane, (*deeds, Answer(order.id, (Reason.NOT_CONFIRMED if stuck else Reason.BOOM_ALREADY_UP,)))
    lane = replace(lane, passage=replace(lane.passage, order=order, heard_at=order.issued_at))
    lane = _end(lane, StepName.CLEAR, now)
    lane = _begin(lane, StepName.DECIDE, now)
    if event is Event.RELEASE_ORDERED:
        lane = replace(lane, reasons=())
        lane, more = _advance(lane, event, picture, now, rules)
        lane, acts = _judge(lane, picture, now, rules)
        return lane, (*deeds, Answer(order.id, ()), *more, *acts)
    verdict = _VERDICT[order.verb]
    lane = _note(_end(lane, StepName.DECIDE, now, ok=False), (verdict,))
    lane, more = _advance(lane, event, picture, now, rules)
    return lane, (*deeds, Answer(order.id, ()), _refuse(lane, (verdict,), order.id, picture), *more)


_VERDICT = {Verb.HOLD: Reason.ORDER_HOLD, Verb.INSPECT: Reason.ORDER_INSPECT, Verb.REFUSE: Reason.ORDER_REFUSE}


def _by_person(lane: Lane, order: Order, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """A person's order is judged at once: they stand there and can wish again."""
    answer = decide(picture, order, now, rules)
    if isinstance(answer, Refusal):
        return _remember(lane, answer.reasons), (Answer(order.id, answer.reasons), Refuse(answer, picture.passage))
    lowers = answer.movement is Movement.LOWER
    waits = not lowers and lane.state in (State.GATHERING, State.ASKING, State.HELD)
    if not waits and TABLE[lane.state][Event.PERMITTED_LOWER if lowers else Event.PERMITTED_RAISE] is lane.state:
        return lane, (Answer(order.id, (Reason.BOOM_MOVING,)),)
    rung: tuple[Deed, ...] = ()
    if lane.passage is not None and not lowers:
        lane, rung = _rung(replace(lane, passage=replace(lane.passage, order=order), reasons=()), Condition.OVERRIDE)
    if waits:
        lane, _ = _advance(lane, Event.RELEASE_ORDERED, picture, now, rules)
    lane, move = _permitted(lane, answer, order, picture, now, rules)
    return lane, (Answer(order.id, ()), *rung, *move)


def _judge(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """In CLEARED ask for leave to raise, in CLEARING for leave to lower; elsewhere nothing.

    A truck that customs has released and the interlock has not is HELD; it is cleared again when nothing is against it.
    """
    picture = _of(lane, picture)
    if lane.state in (State.CLEARED, State.CLEARING) and lane.reasons and now - lane.since < AGAIN_S:
        return lane, ()
    if lane.state is State.HELD and lane.passage is not None and _released(lane.passage.order):
        answer = decide(picture, lane.passage.order, now, rules)
        if isinstance(answer, Refusal):
            return _note(lane, answer.reasons), ()
        lane, _ = _advance(_begin(lane, StepName.DECIDE, now), Event.RELEASE_ORDERED, picture, now, rules)
    if lane.state is State.CLEARED and lane.passage is not None:
        order = lane.passage.order
        answer = decide(picture, order, now, rules)
        if isinstance(answer, Permit):
            return _permitted(lane, answer, order, picture, now, rules)
        fresh = set(answer.reasons) - set(lane.passage.refused)
        lane = _note(lane, answer.reasons)
        if answer.passing:
            lane, deeds = _advance(lane, Event.REFUSED_FOR_NOW, picture, now, rules)
            return lane, (*deeds, *((Refuse(answer, picture.passage),) if fresh else ()))
        lane = _end(lane, StepName.DECIDE, now, ok=False)
        lane, deeds = _advance(lane, Event.REFUSED, picture, now, rules)
        return lane, (Refuse(answer, picture.passage), *deeds)
    if lane.state is State.CLEARING:
        answer = decide_lowering(picture, now, rules)
        if isinstance(answer, Permit):
            return _permitted(lane, answer, None, picture, now, rules)
        news = not answer.passing and set(answer.reasons) != set(lane.reasons)
        lane = replace(lane, reasons=answer.reasons)
        return lane, ((Refuse(answer, picture.passage),) if news else ())
    return lane, ()


def _released(order: Order | None) -> bool:
    """By customs. A person's wish is judged when it comes, and not acted upon later."""
    return order is not None and order.verb is Verb.RELEASE and order.origin is Origin.CUSTOMS


def _permitted(
    lane: Lane, permit: Permit, order: Order | None, picture: Picture, now: Instant, rules: Rules
) -> Thought:
    lowering = permit.movement is Movement.LOWER
    lane = _end(lane, StepName.CROSS if lowering else StepName.DECIDE, now)
    lane = _begin(lane, StepName.LOWER if lowering else StepName.RAISE, now)
    if lane.passage is not None:
        lane = replace(lane, passage=replace(lane.passage, movements=(*lane.passage.movements, permit.movement)))
    event = Event.PERMITTED_LOWER if lowering else Event.PERMITTED_RAISE
    lane, deeds = _advance(replace(lane, permit=permit, reasons=()), event, picture, now, rules)
    return lane, (Move(permit, order, picture), *deeds)


def _moved(lane: Lane, word: Moved, picture: Picture, now: Instant, rules: Rules) -> Thought:
    if lane.permit is None or word.permit != lane.permit.id:
        return lane, ()
    lowering = lane.permit.movement is Movement.LOWER
    step = StepName.LOWER if lowering else StepName.RAISE
    deeds: tuple[Deed, ...] = ()
    lane = replace(lane, permit=None)
    if word.event is Event.WITHDRAWN:
        lane = _note(_drop(lane, step), word.reasons)
        if lane.passage is not None:
            lane = replace(lane, passage=replace(lane.passage, movements=lane.passage.movements[:-1]))
    elif word.event is Event.NOT_CONFIRMED:
        lane, deeds = _rung(_note(_end(lane, step, now, ok=False), (Reason.NOT_CONFIRMED,)), Condition.NOT_CONFIRMED)
    else:
        lane = _end(lane, step, now)
        if word.event is Event.RAISED and not lowering:
            lane = _begin(lane, StepName.CROSS, now)
    lane, more = _advance(lane, word.event, picture, now, rules)
    return lane, (*deeds, *more)


def _gathered(lane: Lane, passage: Passage, picture: Picture, now: Instant, rules: Rules) -> Event | None:
    if lane.state not in (State.GATHERING, State.HELD):
        return None
    missing = set(of_truck(picture, None, now, rules)) - _ASKED_ANYWAY
    if missing:
        late = lane.state is State.GATHERING and now - passage.opened_at >= rules.gather_s
        return Event.GATHER_LATE if late else None
    if passage.asked is None:
        return Event.GATHERED
    if now - passage.asked.at < REASK_S or not _differs(passage.asked, picture):
        return None
    return Event.GATHERED


_ASKED_ANYWAY = frozenset({Reason.TAG_OTHER_TRUCK, Reason.CONTAINER_FALSE, Reason.PLATE_UNSURE})
"""Doubts that customs should hear of; the interlock still refuses on them."""


def _differs(asked: Asked, picture: Picture) -> bool:
    now = _asked(picture)
    if (asked.plate, asked.tags, asked.containers) != (now.plate, now.tags, now.containers):
        return True
    if asked.kg is None or now.kg is None:
        return asked.kg is not now.kg
    return abs(asked.kg - now.kg) > 2 * (picture.deck.uncertainty_kg or Decimal(0))


def _asked(picture: Picture) -> Asked:
    identity = picture.identity
    return Asked(
        picture.at,
        identity.plate.text if identity.plate else None,
        tuple(sorted(identity.tags)),
        tuple(sorted(c.code for c in identity.containers)),
        picture.deck.settled_kg,
        picture.deck.uncertainty_kg,
    )


def _advance(lane: Lane, event: Event, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """One step of the table, with what entering and leaving a state brings."""
    before, after = lane.state, TABLE[lane.state][event]
    if after is before:
        return lane, ()
    deeds: tuple[Deed, ...] = ()
    lane = replace(lane, state=after, since=now)
    if before is State.WAKING and event is not Event.WOKE_OPEN and lane.passage is not None:
        lane, deeds = _close(lane, Outcome.ABANDONED)
    if after is State.GATHERING:
        lane, more = _open(lane, picture, now, rules)
        deeds = (*deeds, *more)
    elif after is State.ASKING and lane.passage is not None:
        picture = _of(lane, picture)
        passage = replace(lane.passage, asked=_asked(picture), order=None)
        lane = _begin(replace(lane, passage=passage, reasons=()), StepName.CLEAR, now)
        deeds = (*deeds, Ask(passage, picture))
    elif after is State.CROSSING and lane.passage is not None:
        lane = replace(lane, passage=replace(lane.passage, crossed=True))
    elif after is State.FAULT and event is not Event.NOT_CONFIRMED:
        lane, rung = _rung(_note(lane, (Reason.BOOM_STRAYED,)), Condition.BOOM_STRAYED)
        deeds = (*deeds, _refuse(lane, (Reason.BOOM_STRAYED,), None, picture), *rung)
    elif after is State.HELD and event is Event.GATHER_LATE:
        reasons = tuple(of_truck(picture, None, now, rules))
        lane = _note(lane, reasons)
        deeds = (*deeds, _refuse(lane, reasons, None, picture))
    elif after is State.EMPTY and before is not State.WAKING:
        lane, more = _close(lane, _outcome(lane, before))
        deeds = (*deeds, *more)
    elif event is Event.TRUCK_GONE and after is State.CLEARING and lane.passage is not None:
        # Under an open boom, a truck that is neither on the deck nor back over the arrival loop has crossed unseen.
        lane = replace(lane, passage=replace(lane.passage, crossed=lane.passage.crossed or not lane.sight.left))
    return lane, deeds


def _outcome(lane: Lane, before: State) -> Outcome:
    if lane.passage is not None and lane.passage.crossed:
        return Outcome.CROSSED
    rang = () if lane.passage is None else lane.passage.rang
    # Once the boom was not where it should be, nobody knows which way the truck went.
    faulty = before is State.FAULT or not _ASTRAY.isdisjoint(rang)
    return Outcome.FAULT if faulty else Outcome.LEFT


_ASTRAY = frozenset({Condition.NOT_CONFIRMED, Condition.BOOM_STRAYED})


def _open(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Thought:
    passage = Passage(id=f"{lane.id}-{round(now * 1000)}", opened_at=now)
    lane = replace(lane, passage=passage, reasons=(), sight=lane.sight.anew(picture, rules))
    lane = _begin(_begin(lane, StepName.ARRIVE, now), StepName.IDENTIFY, now)
    assert lane.passage is not None
    return lane, (Open(lane.passage),)


def _close(lane: Lane, outcome: Outcome) -> Thought:
    gone = frozenset({
        Condition.FOLLOWER, Condition.TAILGATED, Condition.ORDER_FALSE, Condition.OVERRIDE, Condition.SCALE_SUSPECT,
        Condition.NOT_CONFIRMED, Condition.BOOM_STRAYED, Condition.CLEARANCE_SILENT,
    })  # fmt: skip
    passage = lane.passage
    name = None if passage is None else passage.id
    rings = tuple(Ring(c, active=False, passage=name) for c in Condition if c in lane.ringing & gone)
    closes = () if passage is None else (Close(passage, outcome),)
    return replace(lane, passage=None, reasons=(), permit=None, ringing=lane.ringing - gone, raised_in_book=False), (
        *rings,
        *closes,
    )


def _ring(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Thought:
    deeds: tuple[Deed, ...] = ()
    seen = conditions_seen(lane.sight, picture, lane.state, lane.since, now, rules)
    for condition, active in seen.items():
        lane, more = _rung(lane, condition) if active else _unring(lane, condition)
        deeds = (*deeds, *more)
    return lane, deeds


def _rung(lane: Lane, condition: Condition) -> Thought:
    name = None if lane.passage is None else lane.passage.id
    if lane.passage is not None and condition not in lane.passage.rang:
        lane = replace(lane, passage=replace(lane.passage, rang=(*lane.passage.rang, condition)))
    if condition in lane.ringing:
        return lane, ()
    return replace(lane, ringing=lane.ringing | {condition}), (Ring(condition, active=True, passage=name),)


def _unring(lane: Lane, condition: Condition) -> Thought:
    if condition not in lane.ringing:
        return lane, ()
    name = None if lane.passage is None else lane.passage.id
    return replace(lane, ringing=lane.ringing - {condition}), (Ring(condition, active=False, passage=name),)


def _step_on(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Lane:
    """Ends the steps that end by being seen, and keeps the reasons of a waiting lane true to the picture."""
    passage = lane.passage
    if passage is None:
        return lane
    if lane.sight.entered:
        lane = _begin(_end(lane, StepName.ARRIVE, now), StepName.WEIGH, now)
    if picture.identity.plate is not None and (picture.identity.tags or not rules.needs_tag):
        lane = _end(lane, StepName.IDENTIFY, now)
    if picture.deck.settled_kg is not None:
        lane = _end(lane, StepName.WEIGH, now)
    if lane.state is State.CLEARING:
        lane = _end(lane, StepName.CROSS, now)
    if lane.state is State.GATHERING or (lane.state is State.HELD and passage.asked is None and passage.order is None):
        lane = replace(lane, reasons=tuple(of_truck(picture, None, now, rules)))
    return lane


def _begin(lane: Lane, name: StepName, now: Instant) -> Lane:
    if lane.passage is None:
        return lane
    again = name in (StepName.CLEAR, StepName.DECIDE, StepName.RAISE, StepName.LOWER)
    steps = lane.passage.steps
    if any(step.name is name for step in steps):
        if not again:
            return lane
        steps = tuple(step for step in steps if step.name is not name)
    return replace(lane, passage=replace(lane.passage, steps=(*steps, Step(name=name, began=now))))


def _end(lane: Lane, name: StepName, now: Instant, *, ok: bool = True) -> Lane:
    if lane.passage is None:
        return lane
    steps = tuple(
        replace(step, ended=now, ok=ok) if step.name is name and step.ended is None else step
        for step in lane.passage.steps
    )
    return replace(lane, passage=replace(lane.passage, steps=steps))


def _drop(lane: Lane, name: StepName) -> Lane:
    if lane.passage is None:
        return lane
    steps = tuple(step for step in lane.passage.steps if step.name is not name)
    return replace(lane, passage=replace(lane.passage, steps=steps))


def _note(lane: Lane, reasons: tuple[Reason, ...]) -> Lane:
    """The reasons of now, remembered in the passage."""
    return _remember(replace(lane, reasons=reasons), reasons)


def _remember(lane: Lane, reasons: tuple[Reason, ...]) -> Lane:
    if lane.passage is None:
        return lane
    return replace(lane, passage=replace(lane.passage, refused=tuple(dict.fromkeys((*lane.passage.refused, *reasons)))))


def _refuse(lane: Lane, reasons: tuple[Reason, ...], order: str | None, picture: Picture) -> Refuse:
    picture = _of(lane, picture)
    refusal = Refusal(movement=Movement.RAISE, order=order, reasons=reasons, picture=digest(picture))
    return Refuse(refusal, picture.passage)


def _of(lane: Lane, picture: Picture) -> Picture:
    """The picture under the lane's present passage: one may have opened or closed since it was taken."""
    name = None if lane.passage is None else lane.passage.id
    return picture if picture.passage == name else replace(picture, passage=name)
