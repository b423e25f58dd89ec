"""The lane's mind: what it makes of a picture, and what it makes of a word. Pure.

`look` takes a picture, `hear` takes a word from outside (an order, customs' silence, what became of a movement).
Both return the lane as it is afterwards and the deeds to be done, in order. The states follow lane_state.TABLE and
nothing else; what the lane remembers is memory.py. It is more than 400 lines long because a passage is one story: cut
in two, each half would need the other.
"""

from dataclasses import replace
from typing import TypeGuard

from drivers.readings import Instant
from gateway_ctl import matching
from gateway_ctl.conditions import Condition
from gateway_ctl.correction import CORRECTABLE
from gateway_ctl.deeds import (
    Advice,
    Advise,
    Answer,
    Ask,
    Awaited,
    Deed,
    Keep,
    Move,
    Moved,
    Ordered,
    Outcome,
    Passage,
    Refuse,
    Reread,
    SignHere,
    Silence,
    Spend,
    StepName,
    Unadmitted,
    Word,
)
from gateway_ctl.interlock import (
    Refusal,
    decide,
    decide_lowering,
    in_local_mode,
    judge_order,
    known_empty,
    of_truck,
)
from gateway_ctl.lane_state import TABLE, Event, State
from gateway_ctl.matching import Found
from gateway_ctl.memory import (
    Lane,
    Thought,
    asked,
    begin,
    closed,
    differs,
    drop,
    end,
    note,
    of,
    opened,
    outcome,
    refuse,
    remember,
    rung,
    unrung,
)
from gateway_ctl.modes import Consequence, Mode, Silent
from gateway_ctl.orders import Movement, Order, Origin, Permit, Verb
from gateway_ctl.picture import Picture, Rules
from gateway_ctl.reasons import Reason
from gateway_ctl.sight import conditions_seen, event_seen, see

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
_ASKS_ONLY = frozenset({Reason.LANE_IN_SHADOW, Reason.NOT_CONFIRMED_YET})
"""With nothing but these against it, a live lane would move."""


def look(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """What the lane makes of a picture."""
    under = lane.sight.zone
    lane = replace(lane, sight=see(lane.sight, picture, lane.state, now, rules))
    lane = _counted(lane, under=under)
    lane, deeds = _ring(lane, picture, now, rules)
    lane, lapsed = _lapse(lane, now, rules)
    deeds = (*deeds, *lapsed)
    # Each event leaves the state it was seen in, and no state is entered twice on one picture.
    for _ in range(len(State)):
        event = event_seen(lane.sight, picture, lane.state, lane.since, now, rules, raised_in_book=lane.raised_in_book)
        if event is None:
            event = _keeping(lane, now)
        if event is None and lane.passage is not None:
            event = _gathered(lane, lane.passage, picture, now, rules)
        if event is None or TABLE[lane.state][event] is lane.state:
            break
        lane, more = _advance(lane, event, picture, now, rules)
        deeds = (*deeds, *more)
    lane = _step_on(lane, picture, now, rules)
    lane, more = _judge(lane, picture, now, rules)
    lane, local = _locally(lane, picture, now, rules)
    return lane, (*deeds, *more, *local)


def hear(lane: Lane, word: Word, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """What the lane makes of a word from outside, on the newest picture."""
    match word:
        case Ordered(order=order):
            return _ordered(lane, order, picture, now, rules)
        case Awaited(order=order):
            return _awaited(lane, order, of(lane, picture), now, rules)
        case Unadmitted(order=order_id, reasons=reasons, asked=by_customs):
            deeds: tuple[Deed, ...] = (Answer(order_id, reasons), refuse(lane, reasons, order_id, picture))
            lane, rang = rung(lane, Condition.ORDER_FALSE) if set(reasons) & _FALSE else (lane, ())
            if by_customs:
                lane = note(end(lane, StepName.CLEAR, now, ok=False), reasons)
                lane, _ = _advance(lane, Event.ORDER_BAD, picture, now, rules)
                return lane, (*deeds, *rang)
            return remember(lane, reasons), (*deeds, *rang)
        case Silence(reason=reason):
            if lane.state is not State.ASKING:
                return lane, ()
            lane = note(end(lane, StepName.CLEAR, now, ok=False), (reason,))
            lane, rang = rung(lane, Condition.CLEARANCE_SILENT)
            lane, _ = _advance(lane, Event.SILENT, picture, now, rules)
            return lane, (refuse(lane, (reason,), None, picture), *rang)
        case Moved():
            return _moved(lane, word, picture, now, rules)


def _ordered(lane: Lane, order: Order, picture: Picture, now: Instant, rules: Rules) -> Thought:
    picture = of(lane, picture)
    if lane.awaits is not None and lane.awaits.id == order.id:
        lane = replace(lane, awaits=None)
    by_customs = order.origin is Origin.CUSTOMS
    lane, deeds = unrung(lane, Condition.CLEARANCE_SILENT) if by_customs else (lane, ())
    if lane.state in (State.WAKING, State.RAISING, State.LOWERING):
        why = Reason.LANE_WAKING if lane.state is State.WAKING else Reason.BOOM_MOVING
        return lane, (*deeds, Answer(order.id, (why,)))
    if order.origin is Origin.PERSON:
        return _by_person(lane, order, picture, now, rules)
    event = Event.RELEASE_ORDERED if order.verb is Verb.RELEASE else Event.HOLD_ORDERED
    bad = judge_order(picture, order, now, rules)
    if lane.passage is not None and not bad and order.issued_at < lane.passage.heard_at:
        bad = (Reason.ORDER_OUTDATED,)
    if lane.passage is None or bad:
        lane, rang = rung(lane, Condition.ORDER_FALSE) if set(bad) & _FALSE else (lane, ())
        lane = note(end(lane, StepName.CLEAR, now, ok=False), bad)
        refusal = refuse(lane, bad, order.id, picture)
        lane, _ = _advance(lane, Event.ORDER_BAD, picture, now, rules)
        return lane, (*deeds, Answer(order.id, bad), refusal, *rang)
    if TABLE[lane.state][event] is lane.state and lane.state not in (State.CLEARED, State.HELD):
        stuck = lane.state is State.FAULT
        return lane, (*deeds, Answer(order.id, (Reason.NOT_CONFIRMED if stuck else Reason.BOOM_ALREADY_UP,)))
    passage = replace(lane.passage, order=order, heard_at=order.issued_at, sent=None, reread=frozenset())
    lane = replace(lane, passage=passage)
    lane = end(lane, StepName.CLEAR, now)
    lane = begin(lane, StepName.DECIDE, now)
    if event is Event.RELEASE_ORDERED:
        lane = replace(lane, reasons=())
        lane, _ = _advance(lane, event, picture, now, rules)
        lane, acts = _judge(lane, picture, now, rules)
        return lane, (*deeds, Answer(order.id, ()), *acts)
    verdict = _VERDICT[order.verb]
    lane = note(end(lane, StepName.DECIDE, now, ok=False), (verdict,))
    lane, _ = _advance(lane, event, picture, now, rules)
    return lane, (*deeds, Answer(order.id, ()), refuse(lane, (verdict,), order.id, picture))


_VERDICT = {Verb.HOLD: Reason.ORDER_HOLD, Verb.INSPECT: Reason.ORDER_INSPECT, Verb.REFUSE: Reason.ORDER_REFUSE}


def _by_person(lane: Lane, order: Order, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """A person's order is judged at once: they stand there and can wish again."""
    match order.verb:
        case Verb.CONFIRM:
            return _confirmed(lane, order, picture, now, rules)
        case Verb.HOLD_OPEN:
            return _held_open(lane, order, picture, now, rules)
        case Verb.CLOSE:
            return _close(lane, order, picture, now, rules)
        case _:
            pass
    answer = decide(picture, order, now, rules)
    if isinstance(answer, Refusal):
        return remember(lane, answer.reasons), (Answer(order.id, answer.reasons), Refuse(answer, picture.passage))
    lowers = answer.movement is Movement.LOWER
    waits = not lowers and lane.state in (State.GATHERING, State.ASKING, State.HELD)
    if not waits and TABLE[lane.state][Event.PERMITTED_LOWER if lowers else Event.PERMITTED_RAISE] is lane.state:
        return lane, (Answer(order.id, (Reason.BOOM_MOVING,)),)
    rang: tuple[Deed, ...] = ()
    if lane.passage is not None and not lowers:
        lane, rang = rung(replace(lane, passage=replace(lane.passage, order=order)), Condition.OVERRIDE)
    if waits:
        lane, _ = _advance(lane, Event.RELEASE_ORDERED, picture, now, rules)
    lane, move = _permitted(lane, answer, order, picture, now, rules)
    return lane, (Answer(order.id, ()), *rang, *move)


def _awaited(lane: Lane, order: Order, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """The first of two signatures. What would be refused with both is refused at once; the rest waits in sight of all.

    The newest takes the place of whatever waited before.
    """
    why: tuple[Reason, ...] = ()
    if lane.state in (State.WAKING, State.RAISING, State.LOWERING):
        why = (Reason.LANE_WAKING if lane.state is State.WAKING else Reason.BOOM_MOVING,)
    else:
        answer = decide(picture, order, now, rules)
        if isinstance(answer, Refusal):
            up = {Reason.BOOM_ALREADY_UP} if order.verb is Verb.HOLD_OPEN else frozenset[Reason]()
            why = tuple(reason for reason in answer.reasons if reason not in up)
        if not why and not now - order.issued_at < rules.cosign_s:
            why = (Reason.ORDER_LAPSED,)
    if why:
        return remember(lane, why), (Answer(order.id, why), refuse(lane, why, order.id, picture))
    before = lane.awaits
    gone = () if before is None or before.id == order.id else (Answer(before.id, (Reason.ORDER_OUTDATED,)),)
    return replace(lane, awaits=order), (*gone, Answer(order.id, (Reason.ORDER_TOO_FEW,), awaits=True))


def _lapse(lane: Lane, now: Instant, rules: Rules) -> Thought:
    """An order that waited for its second signature too long, or whose truck has gone."""
    order = lane.awaits
    if order is None:
        return lane, ()
    here = None if lane.passage is None else lane.passage.id
    if now < min(order.expires_at, order.issued_at + rules.cosign_s) and order.passage == here:
        return lane, ()
    why = Reason.ORDER_LAPSED if order.passage == here else Reason.ORDER_OTHER_PASSAGE
    return remember(replace(lane, awaits=None), (why,)), (Answer(order.id, (why,)),)


def _confirmed(lane: Lane, order: Order, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """A person's yes to the release that an advisory lane advises; acted upon now, or not at all."""
    advised = None if lane.passage is None else lane.passage.order
    bad = list(judge_order(picture, order, now, rules))
    if picture.mode is Mode.SHADOW:
        bad.append(Reason.LANE_IN_SHADOW)
    elif picture.mode is Mode.LIVE or not _released(advised):
        bad.append(Reason.ORDER_MISSING)
    elif advised.id != order.confirms:
        bad.append(Reason.ORDER_OUTDATED)
    if bad or lane.passage is None or lane.state not in (State.CLEARED, State.HELD):
        why = tuple(bad) or (Reason.BOOM_ALREADY_UP,)
        return remember(lane, why), (Answer(order.id, why), refuse(lane, why, order.id, picture))
    willing = replace(lane, passage=replace(lane.passage, confirmed=order.confirms))
    answer = decide(of(willing, picture), advised, now, rules)
    if isinstance(answer, Refusal):
        return remember(lane, answer.reasons), (Answer(order.id, answer.reasons), Refuse(answer, picture.passage))
    lane = begin(willing, StepName.DECIDE, now)
    if lane.state is State.HELD:
        lane, _ = _advance(lane, Event.RELEASE_ORDERED, picture, now, rules)
    lane, move = _permitted(lane, answer, advised, of(willing, picture), now, rules)
    return lane, (Answer(order.id, ()), Spend(order.id), *move)


def _held_open(lane: Lane, order: Order, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """Raise the boom and keep it up until the order's end; where it is up already, nothing is written."""
    answer = decide(picture, order, now, rules)
    up = lane.state in (State.OPEN, State.CROSSING, State.CLEARING, State.KEPT)
    if isinstance(answer, Refusal):
        if answer.reasons != (Reason.BOOM_ALREADY_UP,) or not up:
            return remember(lane, answer.reasons), (Answer(order.id, answer.reasons), Refuse(answer, picture.passage))
        lane, rang = rung(replace(lane, keep=order), Condition.OVERRIDE)
        told: tuple[Deed, ...] = (Keep(order, holds=True),) if lane.state is State.KEPT else ()
        lane, more = _advance(lane, Event.KEEP_BEGUN, picture, now, rules)
        return lane, (Answer(order.id, ()), Spend(order.id), *rang, *told, *more)
    if TABLE[lane.state][Event.PERMITTED_KEEP] is lane.state:
        return lane, (Answer(order.id, (Reason.BOOM_MOVING,)),)
    if lane.passage is not None:
        lane = replace(lane, passage=replace(lane.passage, order=order))
    lane, rang = rung(replace(lane, keep=order), Condition.OVERRIDE)
    lane, move = _permitted(lane, answer, order, picture, now, rules)
    return lane, (Answer(order.id, ()), *rang, *move)


def _close(lane: Lane, order: Order, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """The end of a hold-open; the boom comes down as after any crossing."""
    bad = judge_order(picture, order, now, rules)
    if not bad and lane.state is not State.KEPT:
        bad = (Reason.NOT_KEPT_OPEN,)
    if bad:
        return remember(lane, bad), (Answer(order.id, bad), refuse(lane, bad, order.id, picture))
    lane, ended = _advance(lane, Event.KEEP_ENDED, picture, now, rules)
    lane, acts = _judge(lane, picture, now, rules)
    return lane, (Answer(order.id, ()), Spend(order.id), *ended, *acts)


def _judge(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """In CLEARED ask for leave to raise, in CLEARING for leave to lower; elsewhere nothing.

    A truck that customs has released and the interlock has not is HELD; it is cleared again when nothing is against it.
    """
    picture = of(lane, picture)
    if lane.state in (State.CLEARED, State.CLEARING) and lane.reasons and now - lane.since < AGAIN_S:
        return lane, ()
    if lane.state is State.HELD and lane.passage is not None and _released(lane.passage.order):
        answer = decide(picture, lane.passage.order, now, rules)
        if isinstance(answer, Refusal) and _against(answer):
            before = lane.passage.sent
            lane, answer, led = _led(lane, lane.passage, answer, picture, now, rules)
            news = lane.passage is not None and lane.passage.sent is not before
            return note(lane, answer.reasons), (*((Refuse(answer, picture.passage),) if news else ()), *led)
        lane, _ = _advance(begin(lane, StepName.DECIDE, now), Event.RELEASE_ORDERED, picture, now, rules)
    if lane.state is State.CLEARED and lane.passage is not None:
        return _of_cleared(lane, lane.passage, picture, now, rules)
    if lane.state is State.CLEARING:
        answer = decide_lowering(picture, now, rules)
        if isinstance(answer, Permit):
            return _permitted(lane, answer, None, picture, now, rules)
        if not _against(answer):
            return _advised(lane, answer)
        answer = replace(answer, reasons=_against(answer))
        news = not answer.passing and set(answer.reasons) != set(lane.reasons)
        lane = replace(lane, reasons=answer.reasons)
        return lane, ((Refuse(answer, picture.passage),) if news else ())
    return lane, ()


def _of_cleared(lane: Lane, passage: Passage, picture: Picture, now: Instant, rules: Rules) -> Thought:
    order = passage.order
    answer = decide(picture, order, now, rules)
    if isinstance(answer, Permit):
        return _permitted(lane, answer, order, picture, now, rules)
    if not _against(answer):
        return _advised(lane, answer)
    lane, answer, led = _led(lane, passage, answer, picture, now, rules)
    fresh = set(answer.reasons) - set(passage.refused)
    lane = note(lane, answer.reasons)
    if answer.passing:
        return lane, (Refuse(answer, picture.passage),) if fresh else ()
    lane = end(lane, StepName.DECIDE, now, ok=False)
    lane, _ = _advance(lane, Event.REFUSED, picture, now, rules)
    return lane, (Refuse(answer, picture.passage), *led)


def _against(refusal: Refusal) -> tuple[Reason, ...]:
    """What a live lane would have had against it, too."""
    return tuple(reason for reason in refusal.reasons if reason not in _ASKS_ONLY)


def _advised(lane: Lane, refusal: Refusal) -> Thought:
    """Nothing but the lane's mode is against it: told once a passage and movement."""
    lane = replace(lane, reasons=refusal.reasons)
    passage, movement = lane.passage, refusal.movement
    if passage is None or movement in passage.would:
        return lane, ()
    lane = replace(lane, passage=replace(passage, would=(*passage.would, movement)))
    advice = Advice.WOULD if Reason.LANE_IN_SHADOW in refusal.reasons else Advice.ADVISED
    return lane, (
        Advise(
            advice=advice, movement=movement, passage=passage.id, order=refusal.order, reasons=(),
            picture=refusal.picture,
        ),
    )  # fmt: skip


def _led(
    lane: Lane, passage: Passage, refusal: Refusal, picture: Picture, now: Instant, rules: Rules
) -> tuple[Lane, Refusal, tuple[Deed, ...]]:
    """What the checks that failed lead to by the site's rules: sent away, or read again; and the refusal that says so.

    What was only not read yet is given the time of gathering.
    """
    refusal = replace(refusal, reasons=_against(refusal))
    late = now - passage.opened_at >= rules.gather_s
    lines = [line for line in matching.match(picture, passage.order, rules) if late or line.found is not Found.UNREAD]
    leads = matching.consequence(lines, rules)
    if leads in (Consequence.INSPECT, Consequence.REFUSE):
        inspect = leads is Consequence.INSPECT
        why = Reason.MATCH_INSPECT if inspect else Reason.MATCH_REFUSE
        refusal = replace(refusal, reasons=tuple(dict.fromkeys((*refusal.reasons, why))))
        return replace(lane, passage=replace(passage, sent="inspect" if inspect else "refuse")), refusal, ()
    again = {
        line.check
        for line in lines
        if line.found is Found.DIFFERS
        and line.check in CORRECTABLE
        and rules.on_failed.of(line.check) is Consequence.RETRY
    }
    checks = tuple(sorted(again - passage.reread))
    if not checks:
        return lane, refusal, ()
    lane = replace(lane, passage=replace(passage, reread=passage.reread | again))
    return lane, refusal, (Reread(checks, passage.id),)


def _locally(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """Customs is silent, the site says that known empty trucks may pass, and this is one: its own key signs, once."""
    passage = lane.passage
    if passage is None or passage.local or passage.order is not None or rules.silent is not Silent.KNOWN_EMPTY:
        return lane, ()
    if lane.state is not State.HELD or not in_local_mode(picture, now, rules) or not known_empty(picture, rules):
        return lane, ()
    if of_truck(picture, None, now, rules):
        return lane, ()
    passage = replace(passage, local=True)
    return replace(lane, passage=passage), (SignHere(passage, of(lane, picture)),)


def _released(order: Order | None) -> TypeGuard[Order]:
    """Without a person. A person's wish is judged when it comes, and not acted upon later."""
    return order is not None and order.verb is Verb.RELEASE and order.origin is not Origin.PERSON


def _permitted(
    lane: Lane, permit: Permit, order: Order | None, picture: Picture, now: Instant, rules: Rules
) -> Thought:
    lowering = permit.movement is Movement.LOWER
    lane = end(lane, StepName.CROSS if lowering else StepName.DECIDE, now)
    lane = begin(lane, StepName.LOWER if lowering else StepName.RAISE, now)
    if lane.passage is not None:
        lane = replace(lane, passage=replace(lane.passage, movements=(*lane.passage.movements, permit.movement)))
    event = Event.PERMITTED_LOWER if lowering else Event.PERMITTED_RAISE
    if order is not None and order.verb is Verb.HOLD_OPEN:
        event = Event.PERMITTED_KEEP
    lane, deeds = _advance(replace(lane, permit=permit, reasons=()), event, picture, now, rules)
    return lane, (Move(permit, order, picture), *deeds)


def _moved(lane: Lane, word: Moved, picture: Picture, now: Instant, rules: Rules) -> Thought:
    if lane.permit is None or word.permit != lane.permit.id:
        return lane, ()
    lowering = lane.permit.movement is Movement.LOWER
    step = StepName.LOWER if lowering else StepName.RAISE
    deeds: tuple[Deed, ...] = ()
    event = word.event
    lane = replace(lane, permit=None)
    if event is Event.WITHDRAWN:
        lane = note(drop(lane, step), word.reasons)
        if lane.passage is not None:
            movements = lane.passage.movements[:-1]
            lane = replace(lane, passage=replace(lane.passage, movements=movements, confirmed=None))
        elif lane.state is State.RAISING:
            event = Event.WITHDRAWN_ALONE
    elif event is Event.NOT_CONFIRMED:
        lane, deeds = rung(note(end(lane, step, now, ok=False), (Reason.NOT_CONFIRMED,)), Condition.NOT_CONFIRMED)
    else:
        lane = end(lane, step, now)
        if not lowering:
            lane = begin(lane, StepName.CROSS, now)
    lane, more = _advance(lane, event, picture, now, rules)
    if lane.keep is not None:
        # Up for it: held open from now on, unless going up has taken longer than it holds.
        begun = _keeping(lane, now)
        if begun is not None:
            lane, more = _advance(lane, begun, picture, now, rules)
        lane = lane if lane.state is State.KEPT else replace(lane, keep=None)
    passage = lane.passage
    if event is Event.WITHDRAWN and not lowering and passage is not None and not _released(passage.order):
        # A person's wish that came to nothing is not acted upon later: they stand there and can wish again.
        lane, _ = _advance(replace(lane, passage=replace(passage, order=None)), Event.REFUSED, picture, now, rules)
    return lane, (*deeds, *more)


def _keeping(lane: Lane, now: Instant) -> Event | None:
    """Whether a hold-open begins or ends on this picture."""
    holds = lane.keep is not None and lane.keep.until is not None and now < lane.keep.until
    if lane.state is State.KEPT:
        return None if holds else Event.KEEP_ENDED
    return Event.KEEP_BEGUN if holds and lane.state in (State.OPEN, State.CROSSING, State.CLEARING) else None


def _counted(lane: Lane, *, under: bool) -> Lane:
    """One more vehicle has passed under a boom that is held open; `under`: it was there on the last picture."""
    if lane.state is not State.KEPT or not under or lane.sight.zone:
        return lane
    passage = None if lane.passage is None else replace(lane.passage, crossed=True)
    return replace(lane, passed=lane.passed + 1, passage=passage)


def _gathered(lane: Lane, passage: Passage, picture: Picture, now: Instant, rules: Rules) -> Event | None:
    if lane.state not in (State.GATHERING, State.HELD):
        return None
    missing = set(of_truck(picture, None, now, rules)) - _ASKED_ANYWAY
    if missing:
        late = lane.state is State.GATHERING and now - passage.opened_at >= rules.gather_s
        return Event.GATHER_LATE if late else None
    if passage.asked is None:
        return Event.GATHERED
    if now - passage.asked.at < REASK_S or not differs(passage.asked, picture):
        return None
    return Event.GATHERED


_ASKED_ANYWAY = frozenset({Reason.TAG_OTHER_TRUCK, Reason.CONTAINER_FALSE, Reason.PLATE_UNSURE})
"""Doubts that customs should hear of; the interlock still refuses on them."""


def _advance(lane: Lane, event: Event, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """One step of the table, with what entering and leaving a state brings."""
    before, after = lane.state, TABLE[lane.state][event]
    if after is before:
        return lane, ()
    lane = replace(lane, state=after, since=now)
    lane, deeds = _left(lane, before, event, picture)
    if after in (State.LOWERING, State.FAULT, State.EMPTY):
        lane = replace(lane, keep=None)
    if after is State.GATHERING:
        lane, more = opened(lane, picture, now, rules)
        deeds = (*deeds, *more)
    elif after is State.ASKING and lane.passage is not None:
        passage = replace(lane.passage, asked=asked(picture), order=None, sent=None)
        lane = begin(replace(lane, passage=passage, reasons=()), StepName.CLEAR, now)
        deeds = (Ask(passage, of(lane, picture)),)
    elif after is State.CROSSING and lane.passage is not None:
        lane = replace(lane, passage=replace(lane.passage, crossed=True))
    elif after is State.KEPT and lane.keep is not None:
        keep = Keep(lane.keep, holds=True)
        lane, rang = rung(replace(lane, reasons=(), passed=0), Condition.KEPT_OPEN)
        deeds = (keep, *rang)
    elif after is State.FAULT and event is not Event.NOT_CONFIRMED:
        lane, rang = rung(note(lane, (Reason.BOOM_STRAYED,)), Condition.BOOM_STRAYED)
        deeds = (*deeds, refuse(lane, (Reason.BOOM_STRAYED,), None, picture), *rang)
    elif after is State.HELD and event is Event.GATHER_LATE:
        reasons = tuple(of_truck(picture, None, now, rules))
        lane = note(lane, reasons)
        deeds = (*deeds, refuse(lane, reasons, None, picture))
    elif after is State.EMPTY and before is not State.WAKING:
        lane, more = closed(lane, outcome(lane, before))
        deeds = (*deeds, *more)
    elif event is Event.TRUCK_GONE and after is State.CLEARING and lane.passage is not None:
        # Under an open boom, a truck that is neither on the deck nor back over the arrival loop has crossed unseen.
        lane = replace(lane, passage=replace(lane.passage, crossed=lane.passage.crossed or not lane.sight.left))
    elif event is Event.HAND_RAISED:
        lane = begin(replace(lane, reasons=()), StepName.CROSS, now)
    return lane, deeds


def _left(lane: Lane, before: State, event: Event, picture: Picture) -> Thought:
    """What leaving a state brings."""
    deeds: tuple[Deed, ...] = ()
    if before is State.WAKING and event is not Event.WOKE_OPEN:
        lane = replace(lane, keep=None)
        lane, deeds = (lane, ()) if lane.passage is None else closed(lane, Outcome.ABANDONED)
    if before is State.KEPT:
        if lane.keep is not None:
            deeds = (Keep(lane.keep, holds=False, passed=lane.passed),)
        lane, rang = unrung(replace(lane, keep=None), Condition.KEPT_OPEN)
        deeds = (*deeds, *rang)
    if event in (Event.HAND_RAISED, Event.HAND_LOWERED):
        movement = Movement.RAISE if event is Event.HAND_RAISED else Movement.LOWER
        told = refuse(lane, lane.reasons, None, picture).refusal
        advice = Advise(
            advice=Advice.BY_HAND, movement=movement, passage=None if lane.passage is None else lane.passage.id,
            order=None if lane.passage is None or lane.passage.order is None else lane.passage.order.id,
            reasons=_against(told), picture=told.picture,
            agrees=lane.passage is not None and movement in lane.passage.would,
        )  # fmt: skip
        deeds = (*deeds, advice)
        if lane.passage is not None:
            lane = replace(lane, passage=replace(lane.passage, by_hand=(*lane.passage.by_hand, movement)))
    return lane, deeds


def _ring(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Thought:
    deeds: tuple[Deed, ...] = ()
    seen = conditions_seen(lane.sight, picture, lane.state, lane.since, now, rules)
    for condition, active in seen.items():
        lane, more = rung(lane, condition) if active else unrung(lane, condition)
        deeds = (*deeds, *more)
    return lane, deeds


def _step_on(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Lane:
    """Ends the steps that end by being seen, and keeps the reasons of a waiting lane true to the picture."""
    passage = lane.passage
    if passage is None:
        return lane
    if lane.sight.entered:
        lane = begin(end(lane, StepName.ARRIVE, now), StepName.WEIGH, now)
    if picture.identity.plate is not None and (picture.identity.tags or not rules.needs_tag):
        lane = end(lane, StepName.IDENTIFY, now)
    if picture.deck.settled_kg is not None:
        lane = end(lane, StepName.WEIGH, now)
    if lane.state is State.CLEARING:
        lane = end(lane, StepName.CROSS, now)
    if lane.state is State.GATHERING or (lane.state is State.HELD and passage.asked is None and passage.order is None):
        lane = replace(lane, reasons=tuple(of_truck(picture, None, now, rules)))
    return lane
