"""What the lane makes of its contacts: who stands where, and what that means in each state. Pure.

A truck drives on over loop_arrival, then through beam_rear; it is wholly on the deck when beam_rear clears with
loop_arrival already clear. It has backed out when loop_arrival clears with beam_rear already clear. The weighbridge
only supports this: it may be frozen.
"""

from dataclasses import dataclass, replace
from typing import Final

from drivers.readings import Instant
from drivers.weighbridge.doubts import Doubt
from gateway_ctl.conditions import Condition
from gateway_ctl.interlock import BoomAt, boom_at
from gateway_ctl.lane_state import BOOM_DOWN_STATES, BOOM_UP_STATES, Event, State
from gateway_ctl.modes import Mode
from gateway_ctl.picture import Picture, Rules, Seen

GONE_S = 1.5
"""A lane is empty when all its contacts have been clear for this long: longer than any gap within one truck."""
GONE_HEAVY_S = 5.0
"""The same while the weighbridge still shows a load: then it is the weighbridge that lies."""
GONE_LIGHT_S = 60.0
"""A truck that was seen to drive on and not to leave, and no load: after this the lane believes the weighbridge."""
VANISHED_S = 3.0
"""Under an open boom: the deck known to be empty and the boom's place clear for this long, and nobody was seen
crossing. A weighbridge that says nothing does not make a deck empty."""
STRAY_S = 0.5
"""A boom that is away from where it must be for this long; shorter is the bounce of a switch."""
MENDED_S = 3.0
"""A boom that has been down, well and alone for this long after a fault."""
WAKE_S = 1.0
"""Pictures must have been whole for this long before a lane that has just started believes them."""
BOOM_TRAVEL_S = 15.0
"""The slowest long arm needs 6 s; a boom between its switches for longer is stuck."""
SILENT_S = 3.0
"""Signals or weights that are missing for this long are an alarm."""
STUCK_S = 60.0
"""The boom's place occupied, or the boom up, for this long wants a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What has been seen of the truck of this passage, and what must be remembered to see edges."""

    entered: bool = False
    left: bool = False
    follower: bool = False
    tailgated: bool = False
    arrival: bool = False
    rear: bool = False
    front: bool = False
    zone: bool = False
    all_clear_since: Instant | None = None
    light_since: Instant | None = None
    whole_since: Instant | None = None
    stale_since: Instant | None = None
    dumb_since: Instant | None = None
    """Since when the weighbridge says nothing."""

    def anew(self, picture: Picture, rules: Rules) -> "Sight":
        """For the truck that has just come. A truck that is already on the deck was not seen driving on."""
        return replace(
            self,
            entered=not self.arrival and not self.rear and _heavy(picture, picture.at, rules),
            left=False, follower=False, tailgated=False, all_clear_since=None, light_since=None,
        )  # fmt: skip


def see(sight: Sight, picture: Picture, state: State, now: Instant, rules: Rules) -> Sight:
    """The sight after one more picture. Contacts that are not fresh leave it as it was."""
    inputs = picture.inputs
    contacts = (inputs.loop_arrival, inputs.beam_rear, inputs.beam_front, inputs.loop_boom, inputs.photocell)
    whole = all(
        seen.fresh(now, rules.inputs_fresh_s)
        for seen in (*contacts, inputs.limit_down, inputs.limit_up, inputs.boom_fault)
    )
    dumb = not picture.deck.overload and not picture.deck.live_kg.fresh(now, rules.weight_fresh_s)
    sight = replace(
        sight,
        whole_since=_since(sight.whole_since, now, holds=whole),
        stale_since=_since(sight.stale_since, now, holds=not whole),
        dumb_since=_since(sight.dumb_since, now, holds=dumb),
        light_since=_since(sight.light_since, now, holds=_light(picture, now, rules)),
    )
    if not whole:
        return replace(sight, all_clear_since=None)
    arrival, rear, front = bool(inputs.loop_arrival.value), bool(inputs.beam_rear.value), bool(inputs.beam_front.value)
    zone = bool(inputs.loop_boom.value) or bool(inputs.photocell.value)
    # Whoever has driven on is behind the rear beam: when it breaks, that truck is backing out, or another comes.
    entered = (sight.entered and not rear) or (sight.rear and not rear and not arrival)
    # The next truck may touch the arrival loop and turn away: a truck that is wholly on the deck has not left by that.
    left = (sight.left and not rear) or (sight.arrival and not arrival and not rear and not sight.entered)
    open_to_cross = state in BOOM_UP_STATES or state is State.LOWERING
    follower = open_to_cross and (sight.follower or (rear and sight.entered))
    pushed_on = (front and not sight.front) or (zone and not sight.zone)
    return replace(
        sight,
        entered=entered, left=left, follower=follower,
        tailgated=open_to_cross and (sight.tailgated or (sight.follower and pushed_on)),
        arrival=arrival, rear=rear, front=front, zone=zone,
        all_clear_since=_since(sight.all_clear_since, now, holds=not (arrival or rear or front or zone)),
    )  # fmt: skip


def event_seen(
    sight: Sight, picture: Picture, state: State, since: Instant, now: Instant, rules: Rules, *, raised_in_book: bool
) -> Event | None:
    """The event that a picture means in a state; None when it means nothing new."""
    at = boom_at(picture, now, rules)
    shadow = picture.mode is Mode.SHADOW
    if state is State.WAKING:
        return _woke(sight, picture, at, since, now, rules, raised_in_book=raised_in_book or shadow)
    if shadow and at is not BoomAt.CONTRADICTS:
        by_hand = _by_hand(picture, state, at, now)
        if by_hand is not None:
            return by_hand
    elif _strayed(picture, state, since, at, now):
        return Event.BOOM_STRAYED
    match state:
        case State.EMPTY:
            return Event.TRUCK_CAME if sight.whole_since is not None and _here(sight, picture, now, rules) else None
        case State.GATHERING | State.ASKING | State.CLEARED | State.HELD:
            return Event.TRUCK_GONE if _gone(sight, picture, now, rules) else None
        case State.OPEN:
            if sight.zone and sight.whole_since is not None:
                return Event.ZONE_OCCUPIED
            light = _held(sight.light_since, now, VANISHED_S) or not rules.needs_weight
            vanished = _held(sight.all_clear_since, now, VANISHED_S) and light
            return Event.TRUCK_GONE if vanished and now - since >= VANISHED_S else None
        case State.CROSSING:
            return Event.ZONE_CLEARED if sight.whole_since is not None and not sight.zone else None
        case State.CLEARING:
            return Event.ZONE_OCCUPIED if sight.whole_since is not None and sight.zone else None
        case State.FAULT:
            return Event.MENDED if _mended(sight, picture, at, now, rules) else None
        case _:
            return None


_SUSPECT: Final[frozenset[Doubt]] = frozenset({"drifting", "two trucks"})
"""Doubts that go with the truck."""
_UNFIT: Final[frozenset[Doubt]] = frozenset({"tared", "load unseen", "replaced", "uncalibrated"})
"""Doubts that stay until somebody has seen to them."""


def conditions_seen(
    sight: Sight, picture: Picture, state: State, since: Instant, now: Instant, rules: Rules
) -> dict[Condition, bool]:
    """Conditions that hold or do not hold now; those that events ring and passages end are not among them."""
    zone = (picture.inputs.loop_boom, picture.inputs.photocell)
    in_passage = state not in (State.WAKING, State.EMPTY)
    found = {
        Condition.INPUTS_STALE: _held(sight.stale_since, now, SILENT_S),
        Condition.WEIGHT_STALE: rules.needs_weight and _held(sight.dumb_since, now, SILENT_S),
        Condition.ZONE_STUCK: any(
            seen.fresh(now, rules.inputs_fresh_s) and seen.value and _held(seen.since, now, STUCK_S) for seen in zone
        ),
        Condition.ZONE_BLIND: bool(picture.zone_blind),
        Condition.OPEN_LONG: state in BOOM_UP_STATES - {State.KEPT} and now - since >= STUCK_S,
        Condition.SCALE_UNFIT: rules.needs_weight and bool(_UNFIT & {*picture.deck.doubts}),
        Condition.CLOCK_STEPPED: abs(picture.clock_step_s) > rules.clock_step_s,
    }
    deck = picture.deck
    if in_passage and (deck.frozen or deck.jumped or deck.zero_ok is False or _SUSPECT & {*deck.doubts}):
        found[Condition.SCALE_SUSPECT] = True
    if sight.follower:
        found[Condition.FOLLOWER] = True
    if sight.tailgated:
        found[Condition.TAILGATED] = True
    return found


def _woke(
    sight: Sight, picture: Picture, at: BoomAt, since: Instant, now: Instant, rules: Rules, *, raised_in_book: bool
) -> Event | None:
    if not _held(sight.whole_since, now, WAKE_S):
        return None
    match at:
        case BoomAt.DOWN:
            return Event.WOKE_TRUCK if _here(sight, picture, now, rules) else Event.WOKE_EMPTY
        case BoomAt.UP:
            return Event.WOKE_OPEN if raised_in_book else Event.WOKE_ODD
        case BoomAt.MOVING:
            return Event.WOKE_ODD if now - since >= BOOM_TRAVEL_S else None
        case _:
            return Event.WOKE_ODD


def _strayed(picture: Picture, state: State, since: Instant, at: BoomAt, now: Instant) -> bool:
    if at is BoomAt.UNKNOWN or now - since < STRAY_S:
        return False
    down, up = picture.inputs.limit_down, picture.inputs.limit_up
    if state in BOOM_DOWN_STATES and at is not BoomAt.DOWN:
        return _held(down.since if not down.value else up.since, now, STRAY_S)
    if state in BOOM_UP_STATES and at is not BoomAt.UP:
        return _held(up.since if not up.value else down.since, now, STRAY_S)
    return False


def _by_hand(picture: Picture, state: State, at: BoomAt, now: Instant) -> Event | None:
    """What a human did by the barrier's own operator, in a lane that moves nothing itself."""
    if state in BOOM_DOWN_STATES and at is BoomAt.UP and _held(picture.inputs.limit_up.since, now, STRAY_S):
        return Event.HAND_RAISED
    if state in BOOM_UP_STATES and at is BoomAt.DOWN and _held(picture.inputs.limit_down.since, now, STRAY_S):
        return Event.HAND_LOWERED
    return None


def _here(sight: Sight, picture: Picture, now: Instant, rules: Rules) -> bool:
    return sight.arrival or sight.rear or sight.front or _heavy(picture, now, rules)


def _gone(sight: Sight, picture: Picture, now: Instant, rules: Rules) -> bool:
    if not _held(sight.all_clear_since, now, GONE_S):
        return False
    if sight.left or not sight.entered:
        return not _heavy(picture, now, rules) or _held(sight.all_clear_since, now, GONE_HEAVY_S)
    return _held(sight.light_since, now, GONE_LIGHT_S)


def _mended(sight: Sight, picture: Picture, at: BoomAt, now: Instant, rules: Rules) -> bool:
    fault = picture.inputs.boom_fault
    return (
        at is BoomAt.DOWN
        and fault.fresh(now, rules.inputs_fresh_s)
        and not fault.value
        and _held(picture.inputs.limit_down.since, now, MENDED_S)
        and _held(sight.all_clear_since, now, MENDED_S)
        and (not _heavy(picture, now, rules) or _held(sight.all_clear_since, now, MENDED_S + GONE_HEAVY_S))
    )


def _heavy(picture: Picture, now: Instant, rules: Rules) -> bool:
    live: Seen[object] = Seen(picture.deck.live_kg.value, picture.deck.live_kg.at)
    kg = picture.deck.live_kg.value
    return picture.deck.overload or (
        kg is not None and kg >= rules.presence_kg and live.fresh(now, rules.weight_fresh_s)
    )


def _light(picture: Picture, now: Instant, rules: Rules) -> bool:
    kg = picture.deck.live_kg.value
    return kg is not None and kg < rules.presence_kg and picture.deck.live_kg.fresh(now, rules.weight_fresh_s)


def _since(before: Instant | None, now: Instant, *, holds: bool) -> Instant | None:
    if not holds:
        return None
    return now if before is None else before


def _held(since: Instant | None, now: Instant, seconds: float) -> bool:
    return since is not None and now - since >= seconds
