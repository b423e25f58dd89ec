"""Plausible moments of a lane, as its view would say them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from msgspec.structs import replace

from telemetry.payloads.lane import (
    AwaitsNow,
    BoomReport,
    InputNow,
    KeptNow,
    LineNow,
    LocalNow,
    OrderNow,
    ReadNow,
    Reason,
    Step,
    StepName,
    StepResult,
    Text,
    ViewBody,
    WeightNow,
)

STEPS: tuple[StepName, ...] = ("arrive", "identify", "weigh", "clear", "decide", "raise", "cross", "lower")
INPUTS = ("loop_arrival", "beam_rear", "beam_front", "loop_boom", "photocell", "limit_down", "limit_up", "boom_fault")
NO_WORDS = Text("", "")

HALF_ON = Reason(
    code="DECK_HALF_ON",
    say=Text("车辆未完全上磅", "The truck is not wholly on the deck"),
    remedy=Text("请车辆前后移动到位", "Have the truck move until both beams are clear"),
    clears="operator",
)
OTHER_PLATE = Reason(
    code="ORDER_OTHER_PLATE",
    say=Text("指令上的车牌与本车不符", "The order names another plate"),
    remedy=Text("核对车牌或重读", "Check the plate or read it again"),
    clears="operator",
)
OFF_DECLARED = Reason(
    code="WEIGHT_OFF_DECLARED",
    say=Text("重量与申报不符", "The weight differs from the declaration"),
    remedy=Text("等待海关处理", "Wait for customs"),
    clears="customs",
)
NOT_CONFIRMED = Reason(
    code="NOT_CONFIRMED",
    say=Text("闸杆未按指令到位", "The boom did not arrive where it was sent"),
    remedy=Text("现场查看道闸", "Look at the barrier"),
    clears="service",
)


def _steps(*done: float, run: float | None = None, fail: str = "", notes: dict[str, Text] | None = None) -> list[Step]:
    made: list[Step] = []
    for i, name in enumerate(STEPS):
        result: StepResult = "ok" if i < len(done) else "run" if i == len(done) and run is not None else "wait"
        if name == fail:
            result = "fail"
        seconds = done[i] if i < len(done) else run if i == len(done) and run is not None else 0.0
        made.append(Step(step=name, result=result, seconds=seconds, note=(notes or {}).get(name, NO_WORDS)))
    return made


def _inputs(now: float, *on: str, unknown: tuple[str, ...] = ()) -> dict[str, InputNow]:
    return {
        name: InputNow(value=None if name in unknown else name in on, at=now, fresh=name not in unknown)
        for name in INPUTS
    }


def _reads(now: float) -> list[ReadNow]:
    return [
        ReadNow(what="plate", text="沪AD3F88", confidence=0.97, at=now - 4.2, source="ocr/front", check="none"),
        ReadNow(what="tag", text="沪AD3F88", confidence=None, at=now - 3.9, source="tags", check="ok"),
        ReadNow(what="container", text="CSQU3054383", confidence=0.91, at=now - 3.1, source="ocr/top", check="ok"),
    ]


def _weight(now: float, gross: int, *, settled: bool) -> WeightNow:
    return WeightNow(
        gross_kg=Decimal(gross),
        status="stable" if settled or gross == 0 else "motion",
        settled_kg=Decimal(gross) if settled and gross else None,
        uncertainty_kg=Decimal(20) if settled and gross else None,
        at=now,
        fresh=True,
    )


def _order(now: float, verb: Literal["release", "hold"]) -> OrderNow:
    return OrderNow(
        id="o-1",
        verb=verb,
        issuer="customs-2026",
        persons=[],
        reason=Text("单证齐全", "Papers in order")
        if verb == "release"
        else Text("布控:品名不符", "Targeted: goods differ"),
        expires_at=now + 84,
        declared_kg=Decimal(37000),
        tolerance_kg=Decimal(1850),
    )


def idle(now: float) -> ViewBody:
    """Nobody here, everything well."""
    return ViewBody(
        state="empty",
        passage=None,
        opened_at=None,
        steps=_steps(),
        weight=_weight(now, 0, settled=True),
        reads=[],
        inputs=_inputs(now, "limit_down"),
        lamp="red",
        boom="down",
        boom_at=now - 40,
        asked=None,
        order=None,
        decision="none",
        reasons=[],
        clearance_up=True,
        clearance_since=now - 7300,
        unsent=0,
        passages_today=146,
        refusals_today=4,
        overrides_today=1,
        picture="ab" * 32,
    )


def weighing(now: float) -> ViewBody:
    """A truck on the deck, still swinging."""
    return replace(
        idle(now),
        state="gathering",
        passage="L01-0147",
        opened_at=now - 6.4,
        steps=_steps(0.4, 2.9, run=3.1),
        weight=_weight(now, 38180, settled=False),
        reads=_reads(now),
    )


def refused(now: float) -> ViewBody:
    """A release came, and the interlock says no three times over."""
    return replace(
        weighing(now),
        state="held",
        steps=_steps(0.4, 2.9, 6.2, 1.3, fail="decide", notes={"weigh": Text("相差 +9.7 %", "off +9.7 %")}),
        weight=_weight(now, 40580, settled=True),
        reads=[
            replace(_reads(now)[0], confidence=0.83),
            replace(_reads(now)[1], text="鲁B6W021", check="bad"),
            replace(_reads(now)[2], text="CSQU3054382", check="bad"),
        ],
        inputs=_inputs(now, "limit_down", "beam_rear"),
        order=_order(now, "release"),
        decision="refused",
        reasons=[HALF_ON, OTHER_PLATE, OFF_DECLARED],
    )


def held(now: float) -> ViewBody:
    """Customs holds the truck."""
    return replace(
        weighing(now),
        state="held",
        steps=_steps(0.4, 2.9, 6.2, 1.3),
        weight=_weight(now, 38260, settled=True),
        order=_order(now, "hold"),
        decision="hold",
        reasons=[
            Reason(
                code="ORDER_HOLD",
                say=Text("海关拦截,等待处理", "Customs holds this truck"),
                remedy=Text("等待海关处理", "Wait for customs"),
                clears="customs",
            )
        ],
    )


def opened(now: float) -> ViewBody:
    """Released, the boom is up, the truck rolls under it."""
    return replace(
        weighing(now),
        state="crossing",
        steps=_steps(0.4, 2.9, 6.2, 1.3, 0.1, 2.2, run=1.4),
        weight=_weight(now, 37820, settled=True),
        inputs=_inputs(now, "limit_up", "loop_boom", "photocell"),
        lamp="green",
        boom="up",
        boom_at=now - 3.2,
        order=_order(now, "release"),
        decision="release",
    )


def fault(now: float) -> ViewBody:
    """The boom was sent up and no switch says that it arrived."""
    return replace(
        opened(now),
        state="fault",
        steps=_steps(0.4, 2.9, 6.2, 1.3, 0.1, fail="raise"),
        inputs=_inputs(now, unknown=("photocell", "limit_up")),
        lamp="red",
        boom="fault",
        asked="raise",
        decision="none",
        reasons=[NOT_CONFIRMED],
        clearance_up=False,
        local=LocalNow(since=now - 95, rule="refuse"),
        clearance_since=now - 95,
        unsent=37,
    )


def local(now: float) -> ViewBody:
    """The indicator gives no number and the boom moves."""
    moving: BoomReport = "moving"
    return replace(
        weighing(now),
        weight=WeightNow(gross_kg=None, status="overload", settled_kg=None, uncertainty_kg=None, at=now, fresh=True),
        boom=moving,
        lamp="unknown",
    )


def awaited(now: float) -> ViewBody:
    """An advisory lane in local mode: one person has signed for a truck whose container is another."""
    return replace(
        held(now),
        mode="advisory",
        clearance_up=False,
        local=LocalNow(since=now - 95, rule="operator"),
        queue=3,
        overrides_shift=2,
        lines=[
            LineNow(check="plate", declared=["沪AD3F88"], seen=["沪AD3F88"], found="same", leads="retry"),
            LineNow(
                check="containers", declared=["CSQU3054383"], seen=["CSQU3054384"], found="differs", leads="inspect"
            ),
            LineNow(check="weight", declared=["38000"], seen=["38260"], found="same", leads="refuse"),
            LineNow(check="seal", declared=["CN8812"], seen=[], found="unread", leads="correct"),
        ],
        awaits=AwaitsNow(
            order="qianwan-L01-1", verb="release", passage="L01-0147", person="chen.jing", issued_at=now - 20,
            reason=Text("海关电话同意", "Customs agreed by telephone"), lapses_at=now + 60, screen="elsewhere",
            payload="e30=", seals=[],
        ),
    )  # fmt: skip


def kept(now: float) -> ViewBody:
    """The boom is held open by two persons' order."""
    reason = Text("消防演练", "Fire drill")
    return replace(
        opened(now),
        state="kept",
        kept=KeptNow(order="o", persons=["li.wei", "chen.jing"], reason=reason, until=now + 900, passed=4),
    )


def axles(now: float) -> ViewBody:
    """A truck on a deck for one axle: its last one stands there, and the sum waits for customs."""
    weight = WeightNow(
        gross_kg=Decimal(6960), status="stable", settled_kg=Decimal(40520), uncertainty_kg=Decimal(60), at=now,
        fresh=True, by_axles=True,
    )  # fmt: skip
    return replace(
        weighing(now),
        state="asking",
        steps=_steps(0.4, 2.9, 46.2, run=1.3),
        weight=weight,
        inputs=_inputs(now, "limit_down", "beam_front"),
        lines=[
            LineNow(check="plate", declared=[], seen=["沪AD3F88"], found="free", leads="correct"),
            LineNow(check="weight", declared=["40000"], seen=["40520"], found="same", leads="retry", by_axles=True),
        ],
    )


SCENES: dict[str, Callable[[float], ViewBody]] = {
    "idle": idle,
    "weighing": weighing,
    "refused": refused,
    "held": held,
    "opened": opened,
    "fault": fault,
    "local": local,
    "awaited": awaited,
    "kept": kept,
    "axles": axles,
}
