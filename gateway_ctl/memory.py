"""What a lane remembers between two thoughts, and how things are put into that memory. Pure; nothing here judges.

Every function gives the lane as it is afterwards and, where the world must hear of it, the deeds.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from drivers.readings import Instant
from gateway_ctl.conditions import Condition
from gateway_ctl.deeds import Asked, Close, Deed, Open, Outcome, Passage, Refuse, Ring, Step, StepName
from gateway_ctl.interlock import Refusal
from gateway_ctl.lane_state import State
from gateway_ctl.orders import Movement, Order, Permit
from gateway_ctl.picture import Picture, Rules, digest
from gateway_ctl.reasons import Reason
from gateway_ctl.sight import Sight


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
    keep: Order | None = None
    """The HOLD_OPEN that holds, or for which the boom is going up."""
    passed: int = 0
    """Vehicles counted under the boom while it is held open."""
    awaits: Order | None = None
    """An order of one person that waits for a second one's signature."""
    raised_in_book: bool = False
    """Only while waking: the book says that the boom was raised for `passage` and not lowered since."""


Thought = tuple[Lane, tuple[Deed, ...]]


def opened(lane: Lane, picture: Picture, now: Instant, rules: Rules) -> Thought:
    """A truck has come."""
    passage = Passage(id=f"{lane.id}-{round(now * 1000)}", opened_at=now)
    lane = replace(lane, passage=passage, reasons=(), sight=lane.sight.anew(picture, rules))
    lane = begin(begin(lane, StepName.ARRIVE, now), StepName.IDENTIFY, now)
    assert lane.passage is not None
    return lane, (Open(lane.passage),)


def closed(lane: Lane, outcome: Outcome) -> Thought:
    """The passage has ended; the alarms that belong to a truck have gone with it."""
    gone = frozenset({
        Condition.FOLLOWER, Condition.TAILGATED, Condition.ORDER_FALSE, Condition.OVERRIDE, Condition.SCALE_SUSPECT,
        Condition.NOT_CONFIRMED, Condition.BOOM_STRAYED, Condition.CLEARANCE_SILENT,
    })  # fmt: skip
    passage = lane.passage
    name = None if passage is None else passage.id
    rings = tuple(Ring(c, active=False, passage=name) for c in Condition if c in lane.ringing & gone)
    closes = () if passage is None else (Close(passage, outcome),)
    return replace(
        lane, passage=None, reasons=(), permit=None, ringing=lane.ringing - gone, raised_in_book=False, passed=0
    ), (*rings, *closes)


def outcome(lane: Lane, before: State) -> Outcome:
    """How the passage ends that ends now; `before`: the state that it leaves."""
    if lane.passage is not None and lane.passage.crossed:
        return Outcome.CROSSED
    rang = () if lane.passage is None else lane.passage.rang
    # Once the boom was not where it should be, nobody knows which way the truck went.
    faulty = before is State.FAULT or not _ASTRAY.isdisjoint(rang)
    return Outcome.FAULT if faulty else Outcome.LEFT


_ASTRAY = frozenset({Condition.NOT_CONFIRMED, Condition.BOOM_STRAYED})


def asked(picture: Picture) -> Asked:
    """What customs is asked on."""
    identity = picture.identity
    return Asked(
        at=picture.at,
        plate=identity.plate.text if identity.plate else None,
        tags=tuple(sorted(identity.tags)),
        containers=tuple(sorted(c.code for c in identity.containers)),
        kg=picture.deck.settled_kg,
        uncertainty_kg=picture.deck.uncertainty_kg,
        trailer=identity.trailer.text if identity.trailer else None,
        seal_numbers=tuple(sorted(identity.seal_numbers)),
        cards=tuple(sorted(identity.cards)),
    )


def differs(before: Asked, picture: Picture) -> bool:
    """Whether customs would be asked something else now."""
    now = asked(picture)
    if replace(before, at=now.at, kg=None, uncertainty_kg=None) != replace(now, kg=None, uncertainty_kg=None):
        return True
    if before.kg is None or now.kg is None:
        return before.kg is not now.kg
    return abs(before.kg - now.kg) > 2 * (picture.deck.uncertainty_kg or Decimal(0))


def rung(lane: Lane, condition: Condition) -> Thought:
    """A condition has come."""
    name = None if lane.passage is None else lane.passage.id
    if lane.passage is not None and condition not in lane.passage.rang:
        lane = replace(lane, passage=replace(lane.passage, rang=(*lane.passage.rang, condition)))
    if condition in lane.ringing:
        return lane, ()
    return replace(lane, ringing=lane.ringing | {condition}), (Ring(condition, active=True, passage=name),)


def unrung(lane: Lane, condition: Condition) -> Thought:
    """A condition has gone."""
    if condition not in lane.ringing:
        return lane, ()
    name = None if lane.passage is None else lane.passage.id
    return replace(lane, ringing=lane.ringing - {condition}), (Ring(condition, active=False, passage=name),)


def begin(lane: Lane, name: StepName, now: Instant) -> Lane:
    """A step of the passage has begun; those that may be gone through again begin anew."""
    if lane.passage is None:
        return lane
    again = name in (StepName.CLEAR, StepName.DECIDE, StepName.RAISE, StepName.LOWER)
    steps = lane.passage.steps
    if any(step.name is name for step in steps):
        if not again:
            return lane
        steps = tuple(step for step in steps if step.name is not name)
    return replace(lane, passage=replace(lane.passage, steps=(*steps, Step(name=name, began=now))))


def end(lane: Lane, name: StepName, now: Instant, *, ok: bool = True) -> Lane:
    """A step has ended, if it was under way."""
    if lane.passage is None:
        return lane
    steps = tuple(
        replace(step, ended=now, ok=ok) if step.name is name and step.ended is None else step
        for step in lane.passage.steps
    )
    return replace(lane, passage=replace(lane.passage, steps=steps))


def drop(lane: Lane, name: StepName) -> Lane:
    """A step has not been gone through after all."""
    if lane.passage is None:
        return lane
    steps = tuple(step for step in lane.passage.steps if step.name is not name)
    return replace(lane, passage=replace(lane.passage, steps=steps))


def note(lane: Lane, reasons: tuple[Reason, ...]) -> Lane:
    """The reasons of now, remembered in the passage."""
    return remember(replace(lane, reasons=reasons), reasons)


def remember(lane: Lane, reasons: tuple[Reason, ...]) -> Lane:
    """Reasons that were given in this passage, once each."""
    if lane.passage is None:
        return lane
    return replace(lane, passage=replace(lane.passage, refused=tuple(dict.fromkeys((*lane.passage.refused, *reasons)))))


def refuse(lane: Lane, reasons: tuple[Reason, ...], order: str | None, picture: Picture) -> Refuse:
    """The refusal to be told."""
    picture = of(lane, picture)
    refusal = Refusal(movement=Movement.RAISE, order=order, reasons=reasons, picture=digest(picture))
    return Refuse(refusal, picture.passage)


def of(lane: Lane, picture: Picture) -> Picture:
    """The picture under the lane's present passage and what the lane remembers of it: one may have opened or closed
    since it was taken."""
    passage = lane.passage
    name = None if passage is None else passage.id
    confirmed = None if passage is None else passage.confirmed
    sent = None if passage is None else passage.sent
    if (picture.passage, picture.confirmed, picture.sent) == (name, confirmed, sent):
        return picture
    return replace(picture, passage=name, confirmed=confirmed, sent=sent)
