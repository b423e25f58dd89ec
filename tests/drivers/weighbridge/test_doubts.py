"""What an unattended deck must be suspected of: each is said of the deck that deserves it, and of no other."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from drivers.readings import Instant, Quality
from drivers.weighbridge.deck import DeckState, DeckWatch
from drivers.weighbridge.doubts import Fitness
from drivers.weighbridge.reading import Weight
from drivers.weighbridge.zero import RECENT, ZeroHistory

T0 = 1_800_000_000.0
TENTH = 0.1


class Deck:
    """A deck by hand: so long this number, these beams, this loop; ten readings and ten polls a second."""

    def __init__(self, fitness: Fitness | None = None) -> None:
        self.at = T0
        self.watch = DeckWatch(division_kg=Decimal(20), fitness=fitness)
        self.said: set[str] = set()
        self.tare_on: bool | None = None
        self.moving = False

    def hold(
        self, seconds: float, kg: int | None, *, rear: bool = False, front: bool = False, loop: bool = False
    ) -> None:
        for _ in range(round(seconds * 10)):
            self.at += TENTH
            at = Instant(self.at)
            self.watch.beams(rear=rear, front=front, arrival=loop, at=at)
            self.watch.weight(
                Weight(
                    kg=None if kg is None else Decimal(kg),
                    display=str(kg),
                    status="tared" if kg is None else "stable",
                    quality=Quality.BAD if kg is None else Quality.GOOD,
                    at=at,
                    raw=b"",
                    moving=self.moving,
                    tare_on=self.tare_on,
                )
            )
            self.said |= {*self.state().doubts}

    def state(self) -> DeckState:
        return self.watch.state(Instant(self.at))

    def drives_on(self, kg: int, *, from_kg: int = 0) -> None:
        """Over the loop, through the rear beam, axle by axle."""
        self.hold(1.0, from_kg, loop=True)
        self.hold(1.0, from_kg, loop=True, rear=True)
        for step in range(1, 20):
            self.hold(0.1, from_kg + (kg - from_kg) * step // 400 * 20, loop=step < 12, rear=True)
        self.hold(0.4, kg, rear=True)

    def stands(self, kg: int, seconds: float = 6.0) -> None:
        self.hold(seconds, kg)

    def drives_off(self, kg: int) -> None:
        self.hold(1.5, kg // 40 * 20, front=True)
        self.hold(1.0, 0, front=True)
        self.hold(4.0, 0)


@pytest.fixture
def deck() -> Deck:
    deck = Deck()
    deck.hold(4.0, 0)
    return deck


def test_an_honest_truck_raises_no_doubt(deck: Deck) -> None:
    for kg in (38_000, 15_000, 49_980):
        deck.drives_on(kg)
        deck.stands(kg)
        state = deck.state()
        assert state.settled is not None and state.settled.kg == kg and not deck.said
        deck.drives_off(kg)
    assert not deck.said


def test_a_second_truck_behind_the_first_is_told(deck: Deck) -> None:
    deck.drives_on(15_000)
    deck.stands(15_000)
    deck.drives_on(29_000, from_kg=15_000)
    deck.stands(29_000)
    assert deck.state().doubts == ("two trucks",) and not deck.state().jumped
    deck.drives_off(15_000)
    assert deck.state().doubts == ()


def test_a_second_truck_that_comes_before_the_first_has_settled_is_told(deck: Deck) -> None:
    deck.drives_on(15_000)
    deck.drives_on(29_000, from_kg=15_000)
    deck.stands(29_000)
    assert "two trucks" in deck.state().doubts


def test_a_truck_that_shunts_over_the_rear_beam_is_one_truck(deck: Deck) -> None:
    deck.drives_on(38_000)
    deck.stands(38_000)
    deck.hold(2.0, 38_000, rear=True, loop=True)
    deck.hold(1.0, 31_000, rear=True, loop=True)
    deck.hold(1.5, 38_000, rear=True)
    deck.stands(38_000)
    assert deck.state().settled is not None and not deck.said


def test_a_trailer_behind_its_tractor_is_one_truck(deck: Deck) -> None:
    """The gap over the drawbar passes the rear beam; the loop is not free between the two."""
    deck.hold(1.0, 0, loop=True)
    deck.hold(3.0, 0, loop=True, rear=True)
    deck.hold(1.5, 12_000, loop=True, rear=True)
    deck.hold(1.2, 12_000, loop=True)
    for kg in range(12_000, 30_001, 600):
        deck.hold(0.1, kg, loop=kg < 26_000, rear=True)
    deck.stands(30_000)
    assert deck.state().settled is not None and not deck.said


def test_a_load_without_a_vehicle_is_told(deck: Deck) -> None:
    deck.hold(3.5, 24_000)
    assert "load unseen" in deck.state().doubts and deck.state().settled is None
    deck.hold(3.0, 0)
    assert deck.state().doubts == ()


def test_a_load_that_was_there_when_the_lane_was_started_is_not_from_nowhere() -> None:
    deck = Deck()
    deck.hold(8.0, 24_000)
    assert not deck.said


def test_a_load_that_came_over_the_exit_end_is_not_from_nowhere(deck: Deck) -> None:
    deck.hold(1.0, 0, front=True)
    deck.hold(4.0, 24_000, front=True)
    deck.hold(5.0, 24_000)
    assert "load unseen" not in deck.said


@pytest.mark.parametrize("kg_per_step", [20, -20, 40])
def test_a_weight_that_wanders_in_small_steps_is_told_though_each_of_them_settles(deck: Deck, kg_per_step: int) -> None:
    deck.drives_on(38_000)
    for step in range(6):
        deck.stands(38_000 + step * kg_per_step, 2.5)
    assert "drifting" in deck.said and not deck.state().jumped
    deck.drives_off(38_000)
    deck.drives_on(20_000)
    deck.stands(20_000)
    assert deck.state().doubts == ()


def test_a_driver_who_climbs_down_and_up_does_not_drift(deck: Deck) -> None:
    deck.drives_on(38_000)
    for kg in (38_000, 37_920, 37_900, 38_000, 38_020):
        deck.stands(kg, 3.0)
    assert not deck.said


def test_a_tare_that_was_left_on_is_told_with_every_truck(deck: Deck) -> None:
    deck.tare_on = True
    deck.hold(2.0, None)
    assert deck.state().doubts == ("tared",)
    deck.tare_on = False
    deck.hold(1.0, 0)
    assert deck.state().doubts == ()


def test_what_the_indicator_itself_calls_moving_does_not_settle(deck: Deck) -> None:
    deck.drives_on(38_000)
    deck.moving = True
    deck.stands(38_000, 8.0)
    assert deck.state().settled is None and deck.state().not_settled_why == "the load moves"
    deck.moving = False
    deck.stands(38_000, 3.0)
    assert deck.state().settled is not None


def test_another_indicator_or_another_calibration_is_told() -> None:
    deck = Deck(Fitness(serial_no="20774155", calibrations=3))
    deck.hold(1.0, 0)
    assert deck.state().doubts == (), "it has not told yet"
    deck.watch.plate("20774155", 3)
    assert deck.state().doubts == ()
    deck.watch.plate("20774156")
    assert deck.state().doubts == ("replaced",)
    deck.watch.plate("20774155", 4)
    assert deck.state().doubts == ("replaced",)


@pytest.mark.parametrize(("hour", "doubts"), [(-1, ()), (23, ()), (24, ("uncalibrated",)), (900, ("uncalibrated",))])
def test_the_certificates_last_day_counts(hour: int, doubts: tuple[str, ...]) -> None:
    deck = Deck(Fitness(calibrated_until=date(2027, 3, 31)))
    deck.at = datetime(2027, 3, 31, tzinfo=UTC).timestamp() + hour * 3600
    assert deck.state().doubts == doubts


def test_where_the_deck_stood_before_each_truck_is_kept() -> None:
    zeros = ZeroHistory(Decimal(20))
    assert zeros.trend() is None
    at = T0
    trend = None
    for number in range(RECENT + 5):
        at += 1800.0
        zeros.seen(Decimal(20 if number > 3 else 0), Instant(at))
        trend = zeros.trend()
        assert trend is not None and trend.count == number + 1
        assert (trend.per_day_kg is not None) is (number + 1 >= RECENT)
        assert trend.wandering is (number > 8), number
    assert (
        trend is not None
        and trend.worst_kg == 20
        and trend.last_kg == 20
        and trend.per_day_kg is not None
        and trend.per_day_kg > 10
    )


def test_the_watch_feeds_the_history_once_a_truck(deck: Deck) -> None:
    trend = None
    for count in (1, 2, 3):
        deck.drives_on(38_000)
        deck.stands(38_000)
        deck.drives_off(38_000)
        trend = deck.state().zero_trend
        assert trend is not None and trend.count == count and trend.last_kg == 0 and not trend.wandering
    assert trend is not None and trend.worst_kg == 0
