"""May the boom move? Pure: a picture, an order, the hour and the rules go in; a permit or every reason comes out.

Laws kept here:
 1. Unknown never opens and never closes: missing, stale or contradictory is a reason.
 2. All reasons are given at once.
 3. A release by customs asks for everything; a person's release waives what customs and the reads would have said,
    never the order's own truth, the state of the boom, nor an inspector's suspicion of this very truck. A lowering
    asks for a clear place under the boom, always, an emergency too.
 4. A lane in shadow is given no permit at all; an advisory lane none by customs alone.
 5. The site's own key opens for a known empty truck, while customs is silent, where the site says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from drivers.readings import Instant
from drivers.weighbridge.doubts import Doubt
from gateway_ctl import matching
from gateway_ctl.inspection import Finding, Verdict
from gateway_ctl.modes import Mode, Silent
from gateway_ctl.orders import LANE_WIDE, LOWERING, Movement, Order, Origin, Permit, Verb
from gateway_ctl.picture import Picture, Rules, Seen, digest, young
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


class BoomAt(StrEnum):
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
    """Judge an admitted order on a picture: a release or a hold-open to raise, a person's lowering to lower.

    Whatever else an order says (HOLD, INSPECT, REFUSE, CONFIRM, CLOSE) moves nothing and is refused here.
    """
    movement, by_person = Movement.RAISE, order is not None and order.origin is Origin.PERSON
    reasons: list[Reason] = []
    if order is None or order.verb in _MOVES_NOTHING:
        reasons.append(Reason.ORDER_MISSING)
    if order is not None:
        reasons += _of_order(picture, order, now, rules)
    if order is not None and order.verb in LOWERING:
        movement = Movement.LOWER
        reasons += _of_lowering(picture, now, rules, emergency=order.verb is Verb.LOWER_NOW)
    else:
        reasons += _of_raising(picture, now, rules, by_person=by_person)
        reasons += _of_scan(picture, now, rules, by_person=by_person)
        if not by_person:
            reasons += _of_unattended(picture, None if order is None else order.id)
            reasons += of_truck(picture, order, now, rules)
        if order is not None and order.origin is Origin.LOCAL:
            reasons += _of_local(picture, now, rules)
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
    if permit.order in picture.spent:
        reasons.append(Reason.ORDER_SPENT)
    if permit.movement is Movement.LOWER:
        reasons += _of_lowering(picture, now, rules, emergency=permit.emergency)
    else:
        if permit.order is None:
            reasons.append(Reason.ORDER_MISSING)
        reasons += _of_raising(picture, now, rules, by_person=permit.by_person)
        reasons += _of_scan(picture, now, rules, by_person=permit.by_person)
        if not permit.by_person:
            reasons += _of_unattended(picture, permit.order)
            reasons += of_truck(picture, None, now, rules)
    return tuple(dict.fromkeys(reasons))


def in_local_mode(picture: Picture, now: Instant, rules: Rules) -> bool:
    """Whether customs has been silent for so long that the site's rules for that take its place."""
    return picture.silent_since is not None and now - picture.silent_since >= rules.silent_after_s


def known_empty(picture: Picture, rules: Rules) -> bool:
    """Whether this truck is on the site's list and is, by its weight and by what was read of it, empty."""
    plate, deck = picture.identity.plate, picture.deck
    if plate is None or deck.settled_kg is None or picture.identity.containers or picture.identity.seal_numbers:
        return False
    return any(
        truck.plate == plate.text and abs(deck.settled_kg - truck.kg) <= rules.empty_off_kg for truck in rules.empties
    )


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
        emergency=order is not None and order.verb is Verb.LOWER_NOW,
        granted_at=now,
        expires_at=Instant(until if order is None else min(until, order.expires_at)),
        picture=mark,
    )


def judge_order(picture: Picture, order: Order, now: Instant, rules: Rules) -> tuple[Reason, ...]:
    """What is wrong with an admitted order itself: its place, its passage, its time, its use; not what it says."""
    says = (Reason.ORDER_HOLD, Reason.ORDER_INSPECT, Reason.ORDER_REFUSE)
    return tuple(reason for reason in _of_order(picture, order, now, rules) if reason not in says)


_SAYS = {Verb.HOLD: Reason.ORDER_HOLD, Verb.INSPECT: Reason.ORDER_INSPECT, Verb.REFUSE: Reason.ORDER_REFUSE}
_MOVES_NOTHING = frozenset({Verb.CONFIRM, Verb.CLOSE})


def _of_order(picture: Picture, order: Order, now: Instant, rules: Rules) -> list[Reason]:
    reasons: list[Reason] = []
    if order.site != picture.site:
        reasons.append(Reason.ORDER_OTHER_SITE)
    if order.lane != picture.lane:
        reasons.append(Reason.ORDER_OTHER_LANE)
    if order.passage != picture.passage or (order.passage is None and order.verb not in LANE_WIDE):
        reasons.append(Reason.ORDER_OTHER_PASSAGE)
    if not now < order.expires_at:
        reasons.append(Reason.ORDER_EXPIRED)
    if not order.issued_at <= now + rules.skew_s:
        reasons.append(Reason.ORDER_FROM_FUTURE)
    if not order.expires_at - order.issued_at <= rules.order_life_s:
        reasons.append(Reason.ORDER_LIVES_TOO_LONG)
    if len(order.persons) > 1 and not now - order.issued_at <= rules.cosign_s:
        reasons.append(Reason.ORDER_LAPSED)
    if order.id in picture.spent:
        reasons.append(Reason.ORDER_SPENT)
    if abs(picture.clock_step_s) > rules.clock_step_s:
        reasons.append(Reason.CLOCK_UNSURE)
    if order.verb in _SAYS:
        reasons.append(_SAYS[order.verb])
    if order.verb in LANE_WIDE | _MOVES_NOTHING and order.origin is not Origin.PERSON:
        reasons.append(Reason.ORDER_NOT_THEIRS)
    if order.verb is Verb.HOLD_OPEN:
        reasons += _of_holding(order, now, rules)
    return reasons


def _of_holding(order: Order, now: Instant, rules: Rules) -> list[Reason]:
    if order.until is None or not order.until - order.issued_at <= rules.hold_open_s:
        return [Reason.ORDER_HOLDS_TOO_LONG]
    return [] if now < order.until else [Reason.ORDER_EXPIRED]


def _of_mode(picture: Picture) -> list[Reason]:
    return [Reason.LANE_IN_SHADOW] if picture.mode is Mode.SHADOW else []


def _of_unattended(picture: Picture, order: str | None) -> list[Reason]:
    """What keeps an order that no person gave from opening: an advice not confirmed, a check that failed for good."""
    reasons: list[Reason] = []
    if picture.mode is Mode.ADVISORY and (order is None or picture.confirmed != order):
        reasons.append(Reason.NOT_CONFIRMED_YET)
    if picture.sent is not None:
        reasons.append(Reason.MATCH_INSPECT if picture.sent == "inspect" else Reason.MATCH_REFUSE)
    return reasons


def _of_local(picture: Picture, now: Instant, rules: Rules) -> list[Reason]:
    allowed = rules.silent is Silent.KNOWN_EMPTY and in_local_mode(picture, now, rules) and known_empty(picture, rules)
    return [] if allowed else [Reason.LOCAL_NOT_ALLOWED]


def _of_scan(picture: Picture, now: Instant, rules: Rules, *, by_person: bool) -> list[Reason]:
    """The inspector's word. Suspicion of this truck always counts; the rest where the lane asks for a scan."""
    verdict = picture.inspection
    if verdict is not None and not verdict.issued_at - rules.skew_s <= now < verdict.expires_at:
        verdict = None
    mine = verdict if verdict is not None and on_this_truck(verdict, picture) else None
    if mine is not None and mine.finding in (Finding.SUSPECT, Finding.OPEN):
        return [Reason.SCAN_SUSPECT]
    if by_person or not rules.needs_scan:
        return []
    if verdict is None:
        return [Reason.SCAN_AWAITED]
    reasons = [] if mine is not None else [Reason.SCAN_OTHER_TRUCK]
    if verdict.torn or verdict.finding is not Finding.CLEAR:
        reasons.append(Reason.SCAN_TORN if verdict.torn or verdict.finding is Finding.AGAIN else Reason.SCAN_SUSPECT)
    return reasons


def verdict_for(verdicts: Iterable[Verdict], picture: Picture, opened_at: Instant) -> Verdict | None:
    """The newest verdict on the truck of this picture; else the newest that came since it did, and is on another."""
    newest = sorted(verdicts, key=lambda verdict: verdict.issued_at, reverse=True)
    mine = (verdict for verdict in newest if on_this_truck(verdict, picture))
    others = (verdict for verdict in newest if verdict.issued_at >= opened_at)
    return next(mine, None) or next(others, None)


def on_this_truck(verdict: Verdict, picture: Picture) -> bool:
    """Whatever the verdict names must be what stands here; it names at least one thing."""
    plate = picture.identity.plate
    if verdict.passage is not None and verdict.passage != picture.passage:
        return False
    if verdict.plate is not None and (plate is None or verdict.plate != plate.text):
        return False
    read = {container.code for container in picture.identity.containers}
    if verdict.containers and set(verdict.containers) != read:
        return False
    return verdict.lane in (None, picture.lane) and verdict.site == picture.site


def _of_raising(picture: Picture, now: Instant, rules: Rules, *, by_person: bool) -> list[Reason]:
    reasons = _of_mode(picture)
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


def _of_lowering(picture: Picture, now: Instant, rules: Rules, *, emergency: bool = False) -> list[Reason]:
    """`emergency` waives what the barrier says of itself, never what is under the boom."""
    reasons = [*_of_mode(picture), *_of_zone(picture, now, rules)]
    at = boom_at(picture, now, rules)
    if at is BoomAt.DOWN:
        reasons.append(Reason.BOOM_ALREADY_DOWN)
    if not emergency:
        if at is BoomAt.UNKNOWN:
            reasons.append(Reason.BOOM_UNKNOWN if _any_fresh(picture, now, rules) else Reason.INPUTS_STALE)
        if at is BoomAt.CONTRADICTS:
            reasons.append(Reason.BOOM_CONTRADICTS)
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
    """What is still missing or wrong about the truck itself: its weighing, and its reads against the order."""
    return [*_of_weight(picture, now, rules), *matching.reasons(matching.match(picture, order, rules))]


_OF_DOUBT: Final[dict[Doubt, Reason]] = {
    "tared": Reason.SCALE_TARED,
    "drifting": Reason.SCALE_DRIFTING,
    "two trucks": Reason.DECK_TWO_TRUCKS,
    "load unseen": Reason.SCALE_LOAD_UNSEEN,
    "replaced": Reason.SCALE_REPLACED,
    "uncalibrated": Reason.SCALE_UNCALIBRATED,
    "by axles": Reason.WEIGHT_BY_AXLES,
    "axle missed": Reason.AXLE_MISSED,
}


def _of_weight(picture: Picture, now: Instant, rules: Rules) -> list[Reason]:
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
    reasons += [_OF_DOUBT[doubt] for doubt in deck.doubts if doubt != "by axles" or not rules.takes_axle_sum]
    if deck.settled_kg is None or deck.uncertainty_kg is None or deck.settled_at is None:
        reasons.append(Reason.WEIGHT_NOT_SETTLED)
        return reasons
    if not young(deck.settled_at, now, rules.weight_fresh_s):
        reasons.append(Reason.WEIGHT_STALE)
    return reasons


def _of_beams(picture: Picture, now: Instant, rules: Rules) -> list[Reason]:
    beams = (picture.inputs.beam_rear, picture.inputs.beam_front)
    if picture.deck.by_axles:
        # Before the last axle has stopped the rest of the vehicle stands in the front beam already.
        beams = beams[:1]
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


def _any_fresh(picture: Picture, now: Instant, rules: Rules) -> bool:
    inputs = picture.inputs
    every: tuple[Seen[bool], ...] = (
        inputs.loop_arrival, inputs.beam_rear, inputs.beam_front, inputs.loop_boom,
        inputs.photocell, inputs.limit_down, inputs.limit_up, inputs.boom_fault,
    )  # fmt: skip
    return any(seen.fresh(now, rules.inputs_fresh_s) for seen in every)
