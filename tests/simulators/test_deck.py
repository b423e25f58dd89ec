import itertools
import math
import statistics

import pytest

from simulators.deck import Deck, swing_hz, to_division


def curve(deck: Deck, loads: list[float]) -> list[float]:
    """100 values a second; `loads` are kg per sample."""
    return [deck.felt(n / 100, load) for n, load in enumerate(loads)]


def quiet(zero_drift_kg_per_h: float = 0.0) -> Deck:
    return Deck(1, noise_kg=0.0, shake_share=0.0, zero_drift_kg_per_h=zero_drift_kg_per_h)


def test_the_same_seed_gives_the_same_day():
    loads = [0.0] * 50 + [30_000.0] * 200
    assert curve(Deck(7), loads) == curve(Deck(7), loads)
    assert curve(Deck(7), loads) != curve(Deck(8), loads)


@pytest.mark.parametrize(
    ("load_kg", "low_hz", "high_hz"), [(500.0, 3.8, 4.0), (20_000.0, 2.6, 3.0), (60_000.0, 1.9, 2.1)]
)
def test_a_load_put_on_at_once_overshoots_swings_slower_when_heavy_and_settles(
    load_kg: float, low_hz: float, high_hz: float
):
    felt = curve(quiet(), [0.0] * 100 + [load_kg] * 1000)[100:]
    assert 1.3 * load_kg < max(felt) < 1.9 * load_kg
    crossings = [n for n in range(1, 300) if (felt[n - 1] < load_kg) != (felt[n] < load_kg)]
    halves = [b - a for a, b in itertools.pairwise(crossings)][:4]
    assert low_hz < 100 / (2 * statistics.mean(halves)) < high_hz
    assert low_hz <= swing_hz(load_kg) <= high_hz
    assert all(abs(kg - load_kg) < 0.001 * load_kg + 1.0 for kg in felt[800:])


def test_energy_only_fades():
    felt = curve(quiet(), [0.0] * 10 + [40_000.0] * 800)[10:]
    peaks = [max(abs(kg - 40_000.0) for kg in felt[n : n + 50]) for n in range(0, 400, 50)]
    assert all(later < earlier for earlier, later in itertools.pairwise(peaks))


def test_a_long_step_says_what_short_steps_say():
    fine, coarse = quiet(), quiet()
    fine.felt(0.0, 0.0)
    coarse.felt(0.0, 0.0)
    steps = [fine.felt(n / 100, 25_000.0) for n in range(1, 101)]
    assert coarse.felt(1.0, 25_000.0) == pytest.approx(steps[-1], abs=0.5)


def test_noise_has_its_sigma_and_zero_drifts_with_the_hours():
    noisy = Deck(3, noise_kg=5.0, shake_share=0.0)
    felt = [noisy.felt(n, 0.0) for n in range(2000)]
    assert 4.5 < statistics.stdev(felt) < 5.5
    assert quiet(zero_drift_kg_per_h=30.0).felt(0.0, 0.0) == 0.0
    drifting = quiet(zero_drift_kg_per_h=30.0)
    drifting.felt(0.0, 0.0)
    assert drifting.felt(7200.0, 0.0) == pytest.approx(60.0)


def test_creep_is_small():
    deck = quiet()
    deck.felt(0.0, 0.0)
    deck.felt(10.0, 40_000.0)
    assert 0.0 < deck.felt(1000.0, 40_000.0) - 40_000.0 < 5.0


def test_time_that_stands_or_jumps_does_no_harm():
    deck = quiet()
    for at_s in (5.0, 5.0, 4.0, 5.0, 1e9):
        assert math.isfinite(deck.felt(at_s, 1000.0))


def test_shown_values_are_whole_divisions():
    deck = Deck(2, division_kg=20.0)
    assert all(deck.indicated(n / 10, 12_345.0) % 20.0 == 0.0 for n in range(100))
    assert to_division(29.9, 20.0) == 20.0
    assert to_division(30.0, 20.0) == 40.0
    assert to_division(-10.0, 20.0) == 0.0
    assert to_division(-11.0, 20.0) == -20.0
