"""The lane in the words of the bus: pure mappings from its mind and its picture to payloads."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from drivers.readings import Instant
from edge.lane.counts import Counts
from edge.shifts import midnight
from gateway_ctl.conditions import Condition
from gateway_ctl.correction import Check
from gateway_ctl.deeds import Advice, Advise, Close, Move, Outcome, Passage, Progress, Step, StepName
from gateway_ctl.interlock import Refusal, boom_at, in_local_mode, on_this_truck
from gateway_ctl.lane import Lane
from gateway_ctl.lane_state import State
from gateway_ctl.matching import match
from gateway_ctl.modes import Mode
from gateway_ctl.orders import Order, Origin, SignedOrder, Verb
from gateway_ctl.picture import Identity, Picture, Rules, Seen, digest
from gateway_ctl.reasons import Reason
from telemetry.payloads import lane as wire

BLANK = wire.Text("", "")
_VERDICTS: Mapping[Verb, Literal["hold", "inspect", "refuse"]] = {
    Verb.HOLD: "hold",
    Verb.INSPECT: "inspect",
    Verb.REFUSE: "refuse",
}


def reason(why: Reason) -> wire.Reason:
    """One reason with its words."""
    words = why.value
    return wire.Reason(
        code=why.name,
        say=wire.Text(words.zh, words.en),
        remedy=wire.Text(words.remedy_zh, words.remedy_en),
        clears=words.clears.value,
    )


def reasons(every: tuple[Reason, ...]) -> list[wire.Reason]:
    """In the order they were given."""
    return [reason(why) for why in every]


def refusal(what: Refusal, passage: str | None) -> wire.RefusalBody:
    """The body of `refusal`."""
    return wire.RefusalBody(
        passage=passage,
        order=what.order,
        movement=what.movement.value,
        reasons=reasons(what.reasons),
        picture=what.picture,
    )


def decision(move: Move) -> wire.DecisionBody:
    """The body of `decision`."""
    permit = move.permit
    return wire.DecisionBody(
        passage=permit.passage,
        order=permit.order,
        permit=permit.id,
        movement=permit.movement.value,
        expires_at=permit.expires_at,
        picture=permit.picture,
        mode=move.picture.mode.value,
        verb=None if move.order is None else move.order.verb.value,
        persons=[] if move.order is None else list(move.order.persons),
        reason=BLANK if move.order is None else wire.Text(move.order.reason_zh, move.order.reason_en),
    )


def advice(what: Advise, mode: Mode) -> wire.AdviceBody:
    """The body of `advice`."""
    by_hand = what.advice is Advice.BY_HAND
    return wire.AdviceBody(
        passage=what.passage,
        order=what.order,
        mode=mode.value,
        advice=what.advice.value,
        movement=what.movement.value,
        reasons=reasons(what.reasons),
        agrees=None if not by_hand else what.agrees,
        picture=what.picture,
    )


def alarm(condition: Condition, *, active: bool, passage: str | None) -> wire.AlarmBody:
    """The body of `alarm` for a condition of the lane itself."""
    words = condition.value
    return wire.AlarmBody(
        alarm=f"lane:{condition.code}",
        active=active,
        priority=words.priority,
        say=wire.Text(words.zh, words.en),
        passage=passage,
    )


def opened(passage: Passage, direction: Literal["in", "out"]) -> wire.PassageBody:
    """The body of `passage` when it begins."""
    return wire.PassageBody(
        passage=passage.id, phase="opened", outcome="open", direction=direction, opened_at=passage.opened_at
    )


def closed(close: Close, picture: Picture, direction: Literal["in", "out"], now: Instant) -> wire.PassageBody:
    """The body of `passage` when it ends; the weight is the one customs was asked on, or else the last settled one."""
    passage, asked = close.passage, close.passage.asked
    # Whoever has just begun reads the truck that stands here now: of the one before it knows nothing.
    identity = Identity() if close.outcome is Outcome.ABANDONED else picture.identity
    return wire.PassageBody(
        passage=passage.id,
        phase="closed",
        outcome=close.outcome.value,
        direction=direction,
        opened_at=passage.opened_at,
        closed_at=now,
        plate=asked.plate if asked else (identity.plate.text if identity.plate else None),
        tags=list(asked.tags if asked else identity.tags),
        containers=list(asked.containers) if asked else [c.code for c in identity.containers],
        gross_kg=asked.kg if asked else None,
        uncertainty_kg=asked.uncertainty_kg if asked else None,
        by_axles=picture.deck.by_axles,
        order=passage.order.id if passage.order else None,
        decision=_decision(passage.order, crossed=close.outcome is Outcome.CROSSED, refused=bool(passage.refused)),
        reasons=[why.name for why in passage.refused],
        steps={step.name.value: round(step.ended - step.began, 3) for step in passage.steps if step.ended is not None},
        movements=[movement.value for movement in passage.movements],
        alarms=[condition.code for condition in passage.rang],
        mode=picture.mode.value,
        would=[movement.value for movement in passage.would],
        by_hand=[movement.value for movement in passage.by_hand],
    )


def _decision(order: Order | None, *, crossed: bool, refused: bool) -> str:
    if order is None:
        return "refused" if refused else "none"
    if order.origin is Origin.PERSON:
        return "override"
    if order.verb in _VERDICTS:
        return _VERDICTS[order.verb]
    return "release" if crossed or not refused else "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a view shows beside the lane's mind and its picture."""

    reads: list[wire.ReadNow]
    lamp: Literal["red", "green", "off", "unknown"]
    weight_status: str
    awaited: SignedOrder | None
    """The bytes of the order that waits for a second signature."""


def view(lane: Lane, picture: Picture, shown: Shown, now: Instant, rules: Rules, counts: Counts) -> wire.ViewBody:
    """The body of `view`."""
    passage, deck = lane.passage, picture.deck
    limits = (picture.inputs.limit_down, picture.inputs.limit_up)
    today, shift = midnight(now), counts.shift(now)
    return wire.ViewBody(
        state=lane.state.value,
        passage=None if passage is None else passage.id,
        opened_at=None if passage is None else passage.opened_at,
        steps=_steps(passage, lane, now),
        weight=wire.WeightNow(
            gross_kg=deck.live_kg.value,
            status=shown.weight_status,
            settled_kg=deck.settled_kg,
            uncertainty_kg=deck.uncertainty_kg,
            at=deck.live_kg.at,
            fresh=deck.live_kg.at is not None and now - deck.live_kg.at <= rules.weight_fresh_s,
            by_axles=deck.by_axles,
        ),
        reads=shown.reads,
        inputs={name: _input(seen, now, rules) for name, seen in contacts(picture).items()},
        lamp=shown.lamp,
        boom=boom_at(picture, now, rules).value,
        boom_at=min((seen.at for seen in limits if seen.at is not None), default=None),
        asked=None if lane.permit is None else lane.permit.movement.value,
        order=_order(passage.order) if passage is not None and passage.order is not None else None,
        decision=_deciding(lane),
        reasons=reasons(lane.reasons),
        clearance_up=counts.clearance_up,
        clearance_since=counts.clearance_since,
        unsent=counts.unsent,
        passages_today=counts.passages.since(today),
        refusals_today=counts.refusals.since(today),
        overrides_today=counts.overrides(today),
        mode=picture.mode.value,
        lines=[] if passage is None else _lines(picture, passage.order, rules),
        needs_scan=rules.needs_scan,
        verdict=_verdict(picture),
        advised=_advised(lane),
        awaits=_awaits(lane, shown.awaited, rules),
        kept=_kept(lane),
        local=_local(picture, now, rules),
        queue=counts.queue,
        overrides_shift=counts.overrides(shift),
        shift_began=shift,
        picture=digest(picture),
    )


def _lines(picture: Picture, order: Order | None, rules: Rules) -> list[wire.LineNow]:
    return [
        wire.LineNow(
            check=line.check.value,
            declared=list(line.declared),
            seen=list(line.seen),
            found=line.found.value,
            reasons=reasons(line.reasons),
            by=line.by,
            leads=rules.on_failed.of(line.check).value,
            by_axles=line.check is Check.WEIGHT and picture.deck.by_axles,
        )
        for line in match(picture, order, rules)
    ]


def _verdict(picture: Picture) -> wire.VerdictNow | None:
    verdict = picture.inspection
    if verdict is None or not on_this_truck(verdict, picture):
        return None
    return wire.VerdictNow(
        finding=verdict.finding.value,
        scan=verdict.scan,
        torn=verdict.torn,
        persons=list(verdict.persons),
        at=verdict.issued_at,
    )


def _advised(lane: Lane) -> str | None:
    order = None if lane.passage is None else lane.passage.order
    waits = lane.state is State.CLEARED and lane.reasons == (Reason.NOT_CONFIRMED_YET,)
    return order.id if waits and order is not None else None


def _awaits(lane: Lane, signed: SignedOrder | None, rules: Rules) -> wire.AwaitsNow | None:
    order = lane.awaits
    if order is None or signed is None:
        return None
    return wire.AwaitsNow(
        order=order.id,
        verb=order.verb.value,
        passage=order.passage,
        person=order.persons[0],
        reason=wire.Text(order.reason_zh, order.reason_en),
        issued_at=order.issued_at,
        lapses_at=min(order.expires_at, order.issued_at + rules.cosign_s),
        until=order.until,
        screen=order.screen,
        payload=base64.b64encode(signed.payload).decode("ascii"),
        seals=[
            wire.SealNow(key=seal.key, signature=base64.b64encode(seal.signature).decode("ascii"))
            for seal in signed.seals
        ],
    )


def _kept(lane: Lane) -> wire.KeptNow | None:
    order = lane.keep
    if order is None or order.until is None or lane.state is not State.KEPT:
        return None
    return wire.KeptNow(
        order=order.id,
        persons=list(order.persons),
        reason=wire.Text(order.reason_zh, order.reason_en),
        until=order.until,
        passed=lane.passed,
    )


def _local(picture: Picture, now: Instant, rules: Rules) -> wire.LocalNow | None:
    if picture.silent_since is None or not in_local_mode(picture, now, rules):
        return None
    return wire.LocalNow(since=picture.silent_since, rule=rules.silent.value)


def contacts(picture: Picture) -> dict[str, Seen[bool]]:
    """Contacts by name, in the order a truck meets them."""
    inputs = picture.inputs
    return {
        "loop_arrival": inputs.loop_arrival, "beam_rear": inputs.beam_rear, "beam_front": inputs.beam_front,
        "loop_boom": inputs.loop_boom, "photocell": inputs.photocell, "limit_down": inputs.limit_down,
        "limit_up": inputs.limit_up, "boom_fault": inputs.boom_fault,
    }  # fmt: skip


def _input(seen: Seen[bool], now: Instant, rules: Rules) -> wire.InputNow:
    return wire.InputNow(value=seen.value, at=seen.at, fresh=seen.fresh(now, rules.inputs_fresh_s))


def _order(order: Order) -> wire.OrderNow:
    return wire.OrderNow(
        id=order.id,
        verb=order.verb.value,
        issuer=order.issuer,
        persons=list(order.persons),
        reason=wire.Text(order.reason_zh, order.reason_en),
        expires_at=order.expires_at,
        declared_kg=order.declared_kg,
        tolerance_kg=order.tolerance_kg,
    )


def _deciding(lane: Lane) -> Literal["none", "release", "hold", "inspect", "refuse", "override", "refused"]:
    passage = lane.passage
    if passage is None:
        return "refused" if lane.state is State.FAULT else "none"
    order = passage.order
    if order is None:
        return "refused" if lane.state in (State.HELD, State.FAULT) else "none"
    if order.verb in _VERDICTS:
        return _VERDICTS[order.verb]
    if lane.state in (State.HELD, State.FAULT):
        return "refused"
    return "override" if order.origin is Origin.PERSON else "release"


def _steps(passage: Passage | None, lane: Lane, now: Instant) -> list[wire.Step]:
    done: dict[StepName, Step] = {} if passage is None else {step.name: step for step in passage.steps}
    steps: list[wire.Step] = []
    for name in StepName:
        step = done.get(name)
        if step is None:
            steps.append(wire.Step(step=name.value, result="wait", seconds=0.0))
            continue
        result: Literal["run", "ok", "fail"] = "run" if step.ended is None else ("ok" if step.ok else "fail")
        note = BLANK
        if result == "fail" and lane.reasons:
            words = lane.reasons[0].value
            note = wire.Text(words.zh, words.en)
        seconds = (now if step.ended is None else step.ended) - step.began
        steps.append(wire.Step(step=name.value, result=result, seconds=round(max(0.0, seconds), 3), note=note))
    return steps


def progress(what: Progress) -> wire.BoomBody:
    """The body of `boom`."""
    permit = what.permit
    return wire.BoomBody(
        passage=permit.passage,
        permit=permit.id,
        movement=permit.movement.value,
        phase=what.phase.value,
        seconds=round(what.seconds, 3),
        note=what.note,
    )
