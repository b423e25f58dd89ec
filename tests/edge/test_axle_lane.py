"""A lane whose deck weighs axle by axle: its senses, its picture, its sign; nobody takes the sum for a weighing."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from drivers.lane_io.config import InputName
from drivers.readings import Instant, Quality
from drivers.weighbridge.axles import AxleWatch
from drivers.weighbridge.reading import Weight
from edge.config import Lane, load
from edge.lane.senses import Senses, deck_watch
from edge.lane.shown import sign_rows, weight_body
from gateway_ctl.deeds import Passage
from gateway_ctl.lane_state import State
from gateway_ctl.memory import Lane as Mind
from gateway_ctl.modes import Mode
from gateway_ctl.picture import Rules
from gateway_ctl.reasons import Reason
from tests.edge.test_config import EXAMPLE

NAMES: tuple[InputName, ...] = (
    "loop_arrival", "beam_rear", "beam_front", "loop_boom", "photocell", "limit_down", "limit_up", "boom_fault",
    "axle_in", "axle_on", "axle_out",
)  # fmt: skip


def lane() -> Lane:
    made = load(EXAMPLE).lane("L01")
    return made.model_copy(update={"weighbridge": made.weighbridge.model_copy(update={"mode": "axle"})})


class Yard:
    """Two axles come, one after the other, a poll and a reading every tenth of a second."""

    def __init__(self) -> None:
        watch = deck_watch(lane(), Rules())
        assert isinstance(watch, AxleWatch)
        self.senses = Senses("s", "L01", watch, mode=Mode.LIVE, direction="in")
        self.at = 1000.0

    def goes_on(self, seconds: float, kg: int, *occupied: InputName) -> None:
        for _ in range(round(seconds * 10)):
            self.at += 0.1
            at = Instant(self.at)
            self.senses.inputs({name: name in occupied or name == "limit_down" for name in NAMES}, at)
            raw = b"%d" % kg
            self.senses.weight(
                Weight(kg=Decimal(kg), display=str(kg), status="stable", quality=Quality.GOOD, at=at, raw=raw)
            )

    def stops(self, kg: int, *occupied: InputName) -> None:
        """Over the near edge, on the deck, at rest."""
        self.goes_on(0.3, kg // 2, "axle_on", *occupied)
        self.goes_on(3.0, kg, *occupied)


def test_two_axles_are_a_sum_and_the_picture_says_so() -> None:
    yard = Yard()
    yard.goes_on(4.0, 0)
    yard.goes_on(0.5, 0, "loop_arrival")
    for _ in range(2):
        yard.goes_on(0.2, 0, "loop_arrival", "beam_rear", "axle_in")
        yard.goes_on(0.2, 0, "loop_arrival", "beam_rear")
    yard.stops(6000, "beam_rear", "loop_arrival")
    assert yard.senses.deck(Instant(yard.at)).not_settled_why == "more axles may follow; 0 weighed so far"
    yard.goes_on(0.3, 3000, "axle_out", "beam_front", "beam_rear")
    yard.goes_on(1.0, 0, "beam_front")
    yard.stops(9000, "beam_front")
    seen = yard.senses.picture(Instant(yard.at), None, None, frozenset())
    assert (seen.deck.settled_kg, seen.deck.uncertainty_kg) == (15_000, 20)
    assert seen.deck.by_axles and seen.deck.doubts == ("by axles",)
    assert seen.inputs.beam_front.value is True and not hasattr(seen.inputs, "axle_in")
    last = yard.senses.last_weight
    assert last is not None
    body = weight_body(last, yard.senses.deck(Instant(yard.at)))
    assert body.axles == 2 and body.settled_kg == 15_000 and body.gross_kg == 9000
    evidence: Any = yard.senses.evidence(Instant(yard.at), Instant(0.0))
    assert b'"axles":[{"kg":"6000"' in evidence


def test_the_driver_is_told_to_stop_with_each_axle() -> None:
    passage = Passage(id="p", opened_at=Instant(1.0))
    here = replace(Mind(id="L01", since=Instant(0.0)), state=State.GATHERING, passage=passage)
    assert sign_rows(here, by_axles=True) == ("请逐轴停稳", "每轴停三秒")
    assert sign_rows(here) == ("请停稳", "正在称重")
    missed = replace(here, state=State.HELD, reasons=(Reason.AXLE_MISSED,))
    assert sign_rows(missed, by_axles=True) == ("有轴未称", "请退出重来")
    assert all(len(row) <= 8 for row in sign_rows(missed, by_axles=True))
