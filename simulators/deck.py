"""The steel deck of a truck scale: what its load cells feel while a load rolls on, stands and rolls off.

A damped oscillator on springs (the cells and the deck's own bending): 4 Hz empty, 2 Hz with 60 t on it, so that a truck
that has stopped still swings for some seconds. On top: the cells' creep, the engine's shake, electrical noise, and a
zero that wanders with the day. Times are site seconds, masses kilograms. The same seed, times and loads give the same
values.
"""

import math
import random

EMPTY_HZ = 4.0
LADEN_HZ = 2.0
LADEN_KG = 60_000.0
DAMPING = 0.12
CREEP_SHARE = 0.0001
"""Of the load, gained slowly; class C3 cells are allowed about 0.0002 in half an hour."""
CREEP_S = 300.0
LONGEST_STEP_S = 60.0
"""After so long without a look every swing has died away."""


class Deck:
    """One deck with its cells."""

    def __init__(
        self,
        seed: int,
        division_kg: float = 20.0,
        *,
        noise_kg: float = 1.5,
        shake_share: float = 0.00006,
        zero_drift_kg_per_h: float = 0.0,
        stiffness: float = 1.0,
    ) -> None:
        """`noise_kg`: sigma of the electrical noise. `shake_share`: sigma of a running engine's shake, of the load.

        `stiffness`: how much faster it swings than a deck that carries a whole truck; a platform for one axle 4 times.
        """
        self._stiffness = stiffness
        self._random = random.Random(seed)
        self._division_kg = division_kg
        self._noise_kg = noise_kg
        self._shake_share = shake_share
        self._zero_drift_kg_per_s = zero_drift_kg_per_h / 3600.0
        self._first_s: float | None = None
        self._last_s = 0.0
        self._felt_kg = 0.0
        self._felt_kg_per_s = 0.0
        self._creep_kg = 0.0

    def felt(self, at_s: float, load_kg: float) -> float:
        """Kilograms as the cells feel them at this moment, unrounded. Time must not run backwards."""
        if self._first_s is None:
            self._first_s = self._last_s = at_s
            self._felt_kg = load_kg
        step_s = min(max(0.0, at_s - self._last_s), LONGEST_STEP_S)
        self._last_s = max(at_s, self._last_s)
        self._swing(step_s, load_kg)
        self._creep_kg += (CREEP_SHARE * load_kg - self._creep_kg) * (1.0 - math.exp(-step_s / CREEP_S))
        zero_kg = self._zero_drift_kg_per_s * (at_s - self._first_s)
        sigma_kg = math.hypot(self._noise_kg, self._shake_share * load_kg)
        return self._felt_kg + self._creep_kg + zero_kg + self._random.gauss(0.0, sigma_kg)

    def indicated(self, at_s: float, load_kg: float) -> float:
        """As `felt`, rounded to the division: what an indicator without zero tracking would show."""
        return to_division(self.felt(at_s, load_kg), self._division_kg)

    def _swing(self, step_s: float, load_kg: float) -> None:
        # The exact answer of the oscillator to a load held for this step, so that a long step stays right.
        turn = 2.0 * math.pi * swing_hz(load_kg) * self._stiffness
        fade = DAMPING * turn
        damped_turn = turn * math.sqrt(1.0 - DAMPING**2)
        off_kg = self._felt_kg - load_kg
        cosine, sine = math.cos(damped_turn * step_s), math.sin(damped_turn * step_s)
        left = math.exp(-fade * step_s)
        lead_kg = (self._felt_kg_per_s + fade * off_kg) / damped_turn
        self._felt_kg = load_kg + left * (off_kg * cosine + lead_kg * sine)
        self._felt_kg_per_s = left * (self._felt_kg_per_s * cosine - (fade * lead_kg + damped_turn * off_kg) * sine)


def swing_hz(load_kg: float) -> float:
    """How often the deck swings in a second with this load on it: the more mass, the slower."""
    softer = (EMPTY_HZ / LADEN_HZ) ** 2 - 1.0
    return EMPTY_HZ / math.sqrt(1.0 + softer * max(0.0, load_kg) / LADEN_KG)


def to_division(kg: float, division_kg: float) -> float:
    """Nearest whole division; halves go up."""
    return math.floor(kg / division_kg + 0.5) * division_kg
