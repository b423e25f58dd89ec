"""Curves of known materials: which LE log-attenuation, and how many g/cm2, belong to an HE log-attenuation. Pure.

Drawn through steps of known thickness: a polynomial of the ratio of both log-attenuations over the HE one, which is
smooth where the log-attenuations themselves run over two decades; straight lines of g/cm2 a unit of log-attenuation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.xray.palette import Material

Reals = NDArray[np.float64]

CLASSES: Final[Mapping[str, Material]] = {
    "PE": Material.ORGANIC,
    "C": Material.ORGANIC,
    "water": Material.ORGANIC,
    "wood": Material.ORGANIC,
    "sugar": Material.ORGANIC,
    "aluminium": Material.INORGANIC,
    "steel": Material.METAL,
    "copper": Material.METAL,
    "tungsten": Material.DENSE,
    "lead": Material.DENSE,
    "uranium": Material.DENSE,
}
"""Of the steps a stand may hold."""
EFFECTIVE_Z: Final[Mapping[str, float]] = {
    "PE": 4.8,
    "C": 6.0,
    "water": 6.6,
    "wood": 6.2,
    "sugar": 6.3,
    "aluminium": 13.0,
    "steel": 26.0,
    "copper": 29.0,
    "tungsten": 74.0,
    "lead": 82.0,
    "uranium": 92.0,
}
LEAST_STEPS: Final = 4
"""Of a material, for a curve: xray.md's three points leave nothing to see a wrong one by."""
DEGREE: Final = 6
GRID: Final = 800
ALPHA_MOST: Final = 8.0
AT: Final = (np.arange(GRID) + 0.5) * ALPHA_MOST / GRID
"""HE log-attenuations of a curve's points."""


class NoTable(ValueError):
    """Bytes that hold no table of materials, or points that no curve can be drawn through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A step of known thickness as a scanner saw it: log-attenuations of mean transmissions, with their sigma."""

    material: str
    g_cm2: float
    he: float
    le: float
    he_sigma: float
    le_sigma: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One material, on a grid of HE log-attenuation from 0 to ALPHA_MOST in GRID steps. Arrays (GRID,)."""

    material: str
    kind: Material
    z: float
    le: Reals
    """LE log-attenuation."""
    g_cm2: Reals
    sigma: float
    """Relative, of `le`: what the points spread about the curve."""
    reach: tuple[float, float]
    """HE log-attenuations between which it was calibrated."""

    def at(self, alpha: Reals | float, what: Reals) -> Reals:
        """One of its arrays between the grid's points."""
        return np.asarray(np.interp(alpha, AT, what))


def drawn(name: str, points: Sequence[Point]) -> Curve:
    """One material's curve. Raises ValueError for fewer than three points."""
    points = sorted(points, key=lambda p: p.he)
    he = np.array([p.he for p in points])
    ratio = np.array([p.le for p in points]) / he
    weight = he / np.maximum(np.hypot([p.he_sigma for p in points], [p.le_sigma for p in points]), 2e-4)
    grams = np.array([p.g_cm2 for p in points]) / he
    degree = min(DEGREE, len(points) - 2)
    first, last = float(he[0]), float(he[-1])
    at = np.clip(AT, 0.5 * first, last)
    le = np.polynomial.Polynomial.fit(he, ratio, degree, w=weight)
    off = (le(he) - ratio) / ratio
    sigma = float(np.sqrt((off**2 * weight).sum() / weight.sum()))
    return Curve(
        name,
        CLASSES[name],
        EFFECTIVE_Z[name],
        le(at) * AT,
        np.interp(at, he, grams) * AT,
        max(sigma, 3e-4),
        (first, last),
    )
