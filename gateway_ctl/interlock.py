"""May the boom move? Pure: a picture, an order, the hour and the rules go in; a permit or every reason comes out.

Laws kept here:
 1. Unknown never opens and never closes: missing, stale or contradictory is a reason.
 2. All reasons are given at once.
 3. A release by customs asks for everything; a person's release waives what customs and the reads would have said,
    never the order's own truth nor the state of the boom. A lowering asks for a clear place under the boom, always.
"""

from dataclasses import dataclass
from enum import Enum

from drivers.readings import Instant
from gateway_ctl.orders import Movement, Order, Origin, Permit, Verb
from gateway_ctl.picture import Picture, Rules, Seen, digest
from gateway_ctl.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """No permit, and every reason why, in the order of the checks."""

    movement: Movement
    order: str | None
    reasons: tuple[Reason, ...]
    picture: str
    """Digest of the picture on which it was refused."""

    @property
    def passing(self) -> bool:
        """Whether every reason may go away by waiting."""
        return all(reason.passing for reason in self.reasons)


class BoomAt(Enum):
    """The boom as its switches report it."""

    DOWN = "down"
    UP = "up"
    MOVING = "moving"
    CONTRADICTS = "fault"
    UNKNOWN = "unknown"


def boom_at(picture: Picture, now: Instant, rules: Rules) -> BoomAt:
    """Where the boom is; UNKNOWN as soon as one switch is not freshly known."""
    down, up = picture.inputs.limit_down, picture.inputs.limit_up
    if not (down.fresh(now, rules.inputs_fresh_s) and up.fresh(now, rules.inputs_fresh_s)):
        return BoomAt.UNKNOWN
    match down.value, up.value:
        case True, True:
            return BoomAt.CONTRADICTS
        case True, _:
            return BoomAt.DOWN
        case _, True:
            return BoomAt.UP
        case _:
            return BoomAt.MOVING


def decide(picture: Picture, order: Order | None, now: Instant, rules: Rules) -> Permit | Refusal:
    """Judge an admitted order on a picture. RELEASE asks to raise, a person's LOWER to lower; all else is refused."""
    movement = Movement.LOWER if order is not None and order.verb is Verb.LOWER else Movement.RAISE
    reasons: list[Reason] = []
    if order is None:
        reasons.append(Reason.ORDER_MISSING)
    else:
        reasons += _of_order(picture, order, now, rules)
    if movement is Movement.LOWER:
        reasons += _of_lowering(picture, now, rules)
    else:
        by_person = order is not None and order.origin is Origin.PERSON
        reasons += _of_raising(picture, now, rules, by_person=by_person)
        if order is None or not by_person:
            reasons += of_truck(picture, order, now, rules)
    return _answer(picture, order, movement, now, rules, reasons)


def decide_lowering(picture: Picture, now: Instant, rules: Rules) -> Permit | Refusal:
    """The lowering that follows a crossing: no order, the same conditions, and the boom must be up."""
    reasons = _of_lowering(picture, now, rules)
    if boom_at(picture, now, rules) is BoomAt.MOVING:
        reasons.append(Reason.BOOM_MOVING)
    return _answer(picture, None, Movement.LOWER, now, rules, reasons)


def withdrawn(permit: Permit, picture: Picture, now: Instant, rules: Rules) -> tuple[Reason, ...]:
    """What has become false since the permit was granted; the door asks at the last moment, on the newest picture."""
    reasons: list[Reason] = []
    if permit.lane != picture.lane:
        reasons.append(Reason.PERMIT_OTHER_LANE)
    if not permit.granted_at <= now < permit.expires_at:
        reasons.append(Reason.PERMIT_EXPIRED)
    if permit.passage != picture.passage:
        reasons.append(Reason.ORDER_OTHER_PASSAGE)
    if permit.movement is Movement.LOWER:
        reasons += _of_lowering(picture, now, rules)
    else:
        reasons += _of_raising(picture, now, rules, by_person=permit.by_person)
        if permit.order is None or permit.order in picture.spent:
            reasons.append(Reason.ORDER_SPENT)
        if not permit.by_person:
            reasons += of_truck(picture, None, now, rules)
    return tuple(dict.fromkeys(reasons))


def _answer(
    picture: Picture, order: Order | None, movement: Movement, now: Instant, rules: Rules, reasons: list[Reason]
) -> Permit | Refusal:
    mark = digest(picture)
    order_id = None if order is None else order.id
    if reasons:
        return Refusal(movement=movement, order=order_id, reasons=tuple(dict.fromkeys(reasons)), picture=mark)
    until = now + rules.permit_life_s
    return Permit(
        id=f"{picture.lane}-{movement.value}-{now:.6f}-{mark[:12]}",
        lane=picture.lane,
        passage=picture.passage,
        order=order_id,
        by_person=order is not None and order.origin is Origin.PERSON,
        movement=movement,
        granted_at=now,
        expires_at=Instant(until if order is None else min(until, order.expires_at)),
        picture=mark,
    )


def judge_order(picture: Picture, order: Order, now: Instant, rules: Rules) -> tuple[Reason, ...]:
    """What is wrong with an admitted order itself: its place, its passage, its time, its use; not what it says."""
    says = (Reason.ORDER_HOLD, Reason.ORDER_INSPECT, Reason.ORDER_REFUSE)
    return tuple(reason for reason in _of_order(picture, order, now, rules) if reason not in says)


def _of_order(picture: Picture, order: Order, now: Instant, rules: Rules) -> list[Reason]:
    reasons: list[Reason] = []
    if order.site != picture.site:
        reasons.append(Reason.ORDER_OTHER_SITE)
    if order.lane != picture.lane:
        reasons.append(Reason.ORDER_OTHER_LANE)
    if order.passage != picture.passage or (order.passage is None and order.verb is not Verb.LOWER):
        reasons.append(Reason.ORDER_OTHER_PASSAGE)
    if not now < order.expires_at:
        reasons.append(Reason.ORDER_EXPIRED)
    if not order.issued_at <= now + rules.skew_s:
        reasons.append(Reason.ORDER_FROM_FUTURE)
    if not order.expires_at - order.issued_at <= rules.order_life_s:
        reasons.append(Reason.ORDER_LIVES_TOO_LONG)
    if order.id in picture.spent:
        reasons.append(Reason.ORDER_SPENT)
    if abs(picture.clock_step_s) > rules.clock_step_s:
        reasons.append(Reason.CLOCK_UNSURE)
    word = {Verb.HOLD: Reason.ORDER_HOLD, Verb.INSPECT: Reason.ORDER_INSPECT, Verb.REFUSE: Reason.ORDER_REFUSE}
    if order.verb in word:
        reasons.append(word[order.verb])
    if order.verb is Verb.LOWER and order.origin is not Origin.PERSON:
        reasons.append(Reason.ORDER_NOT_THEIRS)
    return reasons


def _of_raising(picture: Picture, now: Instant, rules: Rules, *, by_person: bool) -> list[Reason]:
    reasons: list[Reason] = []
    at = boom_at(picture, now, rules)
    if at is BoomAt.UNKNOWN:
        reasons.append(Reason.BOOM_UNKNOWN if _any_fresh(picture, now, rules) else Reason.INPUTS_STALE)
    if at is BoomAt.CONTRADICTS:
        reasons.append(Reason.BOOM_CONTRADICTS)
    if at is BoomAt.UP:
        reasons.append(Reason.BOOM_ALREADY_UP)
    if at is BoomAt.MOVING and not by_person:
        # A person may raise a boom that stuck half way; by itself the lane never touches a boom in motion.
        reasons.append(Reason.BOOM_MOVING)
    reasons += _of_fault(picture, now, rules)
    if not by_person:
        reasons += _of_zone(picture, now, rules)
    return reasons


def _of_lowering(picture: Picture, now: Instant, rules: Rules) -> list[Reason]:
    reasons = _of_zone(picture, now, rules)
    at = boom_at(picture, now, rules)
    if at is BoomAt.UNKNOWN:
        reasons.append(Reason.BOOM_UNKNOWN if _any_fresh(picture, now, rules) else Reason.INPUTS_STALE)
    if at is BoomAt.CONTRADICTS:
        reasons.append(Reason.BOOM_CONTRADICTS)
    if at is BoomAt.DOWN:
        reasons.append(Reason.BOOM_ALREADY_DOWN)
    reasons += _of_fault(picture, now, rules)
    if not reasons:
        both = (picture.inputs.loop_boom, picture.inputs.photocell)
        if any(seen.since is None or now - seen.since < rules.zone_clear_s for seen in both):
            reasons.append(Reason.ZONE_NOT_CLEAR_YET)
    return reasons


def _of_fault(picture: Picture, now: Instant, rules: Rules) -> list[Reason]:
    fault = picture.inputs.boom_fault
    if fault.fresh(now, rules.inputs_fresh_s) and not fault.value:
        return []
    # A silent module is no broken barrier: that reason goes away when the signals come back, this one does not.
    return [Reason.BOOM_FAULTY if fault.value or _any_fresh(picture, now, rules) else Reason.INPUTS_STALE]


def _of_zone(picture: Picture, now: Instant, rules: Rules) -> list[Reason]:
    both = (picture.inputs.loop_boom, picture.inputs.photocell)
    reasons: list[Reason] = []
    if any(not seen.fresh(now, rules.inputs_fresh_s) for seen in both):
        reasons.append(Reason.ZONE_UNKNOWN if _any_fresh(picture, now, rules) else Reason.INPUTS_STALE)
    if any(seen.value for seen in both):
        reasons.append(Reason.ZONE_OCCUPIED)
    return reasons


def of_truck(picture: Picture, order: Order | None, now: Instant, rules: Rules) -> list[Reason]:
    """What is still missing or wrong about the truck itself: its weight and what was read of it."""
    return [*_of_weight(picture, order, now, rules), *_of_identity(picture, order, rules)]


def _of_weight(picture: Picture, order: Order | None, now: Instant, rules: Rules) -> list[Reason]:
    if not rules.needs_weight:
        return []
    deck = picture.deck
    reasons = [*_of_beams(picture, now, rules), *_of_live(picture, now, rules)]
    if deck.zero_ok is None:
        reasons.append(Reason.SCALE_ZERO_UNKNOWN)
    elif not deck.zero_ok:
        reasons.append(Reason.SCALE_NOT_AT_ZERO)
    if deck.frozen:
        reasons.append(Reason.SCALE_FROZEN)
    if deck.jumped:
        reasons.append(Reason.SCALE_JUMPED)
    if deck.settled_kg is None or deck.uncertainty_kg is None or deck.settled_at is None:
        reasons.append(Reason.WEIGHT_NOT_SETTLED)
        return reasons
    if not Seen(value=True, at=deck.settled_at).fresh(now, rules.weight_fresh_s):
        reasons.append(Reason.WEIGHT_STALE)
    if order is not None and order.declared_kg is not None and order.tolerance_kg is not None:
        off = abs(deck.settled_kg - order.declared_kg)
        if off > order.tolerance_kg + deck.uncertainty_kg:
            reasons.append(Reason.WEIGHT_OFF_DECLARED)
    return reasons


def _of_beams(picture: Picture, now: Instant, rules: Rules) -> list[Reason]:
    beams = (picture.inputs.beam_rear, picture.inputs.beam_front)
    reasons: list[Reason] = []
    if any(not beam.fresh(now, rules.inputs_fresh_s) for beam in beams):
        reasons.append(Reason.DECK_BEAMS_UNKNOWN if _any_fresh(picture, now, rules) else Reason.INPUTS_STALE)
    if any(beam.value for beam in beams):
        reasons.append(Reason.DECK_HALF_ON)
    return reasons


def _of_live(picture: Picture, now: Instant, rules: Rules) -> list[Reason]:
    deck = picture.deck
    if deck.overload:
        return [Reason.WEIGHT_OVERLOAD]
    if deck.live_kg.value is None or deck.live_kg.at is None:
        return [Reason.WEIGHT_MISSING]
    if not deck.live_kg.fresh(now, rules.weight_fresh_s):
        return [Reason.WEIGHT_STALE]
    return [Reason.TRUCK_ABSENT] if deck.live_kg.value < rules.presence_kg else []


def _of_identity(picture: Picture, order: Order | None, rules: Rules) -> list[Reason]:
    reasons: list[Reason] = []
    identity = picture.identity
    plate = identity.plate
    if plate is None:
        if rules.needs_plate or (order is not None and order.plate is not None):
            reasons.append(Reason.PLATE_UNREAD)
    else:
        if not plate.confidence >= rules.plate_sure:
            reasons.append(Reason.PLATE_UNSURE)
        if any(other != plate.text for other in identity.tag_plates):
            reasons.append(Reason.TAG_OTHER_TRUCK)
        if order is not None and order.plate != plate.text:
            reasons.append(Reason.ORDER_OTHER_PLATE)
    if rules.needs_tag and not identity.tags:
        reasons.append(Reason.TAG_UNREAD)
    if any(not container.check_ok for container in identity.containers):
        reasons.append(Reason.CONTAINER_FALSE)
    if order is not None:
        read, named = {c.code for c in identity.containers}, set(order.containers)
        if named - read and not read - named:
            reasons.append(Reason.CONTAINER_UNREAD)
        elif read != named:
            reasons.append(Reason.ORDER_OTHER_CONTAINERS)
    return reasons


def _any_fresh(picture: Picture, now: Instant, rules: Rules) -> bool:
    inputs = picture.inputs
    every: tuple[Seen[bool], ...] = (
        inputs.loop_arrival, inputs.beam_rear, inputs.beam_front, inputs.loop_boom,
        inputs.photocell, inputs.limit_down, inputs.limit_up, inputs.boom_fault,
    )  # fmt: skip
    return any(seen.fresh(now, rules.inputs_fresh_s) for seen in every)
