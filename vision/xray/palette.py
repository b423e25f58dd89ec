"""What colour a pixel has: a table over the HE log-attenuation and the ratio R = LE over HE of log-attenuations.

Each cell holds a colour, a trust (0: this pixel cannot be told, show it grey) and a class. The page looks it up in the
shader; the table travels once, as one binary. `computed` makes it from physics alone, for a pair of beams: Schiff's
bremsstrahlung, NIST's attenuation, the CdWO4 response. A table fitted to a scanner's own wedges takes the same shape.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

MAGIC: Final = b"QGM1"
HEADER: Final = struct.Struct("<4sHHfff")
"""magic, columns, rows, alpha at the right edge, R at the top and at the bottom edge."""
COLUMNS, ROWS = 256, 256
ALPHA_MOST: Final = 8.0
"""Three tenths of a thousandth of the beam: what lies behind is noise."""
R_MARGIN = 0.12
"""Beyond the curves of the lightest and the heaviest material: edges and noise fall there."""
NOISE_A, NOISE_B = 1.8, 300.0
"""Variance of a pixel of either energy on the 60,000 scale: a x + b at the dose that the trust is told for."""
PIXELS: Final = 16
"""Over so many pixels the page takes the mean of R before it looks it up."""


class Material(IntEnum):
    """What can be told apart. The numbers are the table's."""

    UNTOLD = 0
    """Too thin, too thick, or too much noise."""
    ORGANIC = 1
    INORGANIC = 2
    METAL = 3
    DENSE = 4
    """Heavier than steel: lead, tungsten, uranium."""


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """Arrays have ROWS (R, rising) by COLUMNS (alpha, rising). `colour` has red, green, blue."""

    r_first: float
    r_last: float
    """R at the outer edges of the first and the last row."""
    colour: Bytes
    trust: Bytes
    material: Bytes

    def wire(self) -> bytes:
        """Header, then deflated: red, green, blue, trust of every cell, then every cell's material."""
        rgba = np.dstack([self.colour, self.trust])
        rows, columns = self.trust.shape
        head = HEADER.pack(MAGIC, columns, rows, ALPHA_MOST, self.r_first, self.r_last)
        return head + zlib.compress(rgba.tobytes() + self.material.tobytes(), 9)


_MEV: Final = np.array([0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10])
_CM2_G: Final = {
    "PE": [0.1720, 0.1401, 0.09947, 0.07262, 0.05911, 0.05064, 0.04045, 0.03443, 0.03044, 0.02761, 0.02383, 0.02145],
    "C": [0.1514, 0.1229, 0.08715, 0.06361, 0.05179, 0.04442, 0.03562, 0.03047, 0.02708, 0.02469, 0.02154, 0.01959],
    "Al": [0.1704, 0.1223, 0.08445, 0.06146, 0.05006, 0.04324, 0.03541, 0.03106, 0.02836, 0.02655, 0.02437, 0.02318],
    "Fe": [0.3717, 0.1460, 0.08414, 0.05995, 0.04883, 0.04265, 0.03621, 0.03312, 0.03146, 0.03057, 0.02991, 0.02994],
    "Cu": [0.4584, 0.1559, 0.08362, 0.05901, 0.04803, 0.04205, 0.03599, 0.03318, 0.03177, 0.03108, 0.03074, 0.03103],
    "W": [4.438, 0.7844, 0.1378, 0.06618, 0.05000, 0.04433, 0.04075, 0.04038, 0.04103, 0.04210, 0.04472, 0.04747],
    "Pb": [5.549, 0.9985, 0.1614, 0.07102, 0.05222, 0.04606, 0.04234, 0.04197, 0.04272, 0.04391, 0.04675, 0.04972],
}
"""Mass attenuation at _MEV (NIST XrayMassCoef)."""
_RESPONSE_MEV: Final = np.array([0.1, 0.2, 0.3, 0.5, 0.8, 1, 1.5, 2, 3, 4, 5, 6, 8, 9.9])
_RESPONSE: Final = np.array([0.1, 0.198, 0.284, 0.377, 0.467, 0.526, 0.677, 0.842, 1.22, 1.65, 2.11, 2.60, 3.59, 4.54])
"""MeV left in 3 cm of CdWO4 by a photon (Geant4)."""
_ELECTRON_MEV: Final = 0.511
_TUNGSTEN: Final = 74
_FILTER_W_G, _FILTER_CU_G = 0.15 * 19.3, 0.5 * 8.96
"""1.5 mm of tungsten and 5 mm of copper, g/cm2."""
_BINS: Final = 40
_HUES: Final = np.array([[244, 140, 38], [92, 200, 84], [70, 132, 255], [196, 92, 220]], dtype=np.float64)
"""Organic, inorganic, metal, dense."""


@lru_cache(maxsize=4)
def computed(he_mev: float, le_mev: float) -> Palette:
    """For a pair of beams by their end-point energies. Raises ValueError for a pair that is none."""
    if not 1.0 <= le_mev < he_mev <= 10.0:
        raise ValueError(f"{he_mev}/{le_mev} MeV is no pair of beams: expected 1 <= low < high <= 10")
    alpha = (np.arange(COLUMNS) + 0.5) * ALPHA_MOST / COLUMNS
    curves = {name: curves_of(name, alpha, he_mev, le_mev)[0] / alpha for name in ("PE", "C", "Al", "Fe", "Pb")}
    return painted([curves["PE"], curves["C"]], curves["Al"], curves["Fe"], [curves["Pb"]])


def painted(organic: Sequence[Reals], aluminium: Reals, steel: Reals, dense: Sequence[Reals]) -> Palette:
    """Out of the ratio R of materials at COLUMNS log-attenuations: arrays (COLUMNS,)."""
    alpha = (np.arange(COLUMNS) + 0.5) * ALPHA_MOST / COLUMNS
    heavy = np.min([steel, *dense], axis=0)
    first, last = float(heavy.min()) - R_MARGIN, float(np.max(organic)) + R_MARGIN
    ratio = (first + (np.arange(ROWS) + 0.5) * (last - first) / ROWS)[:, None]
    # From light to heavy R falls; thin lead is the exception, and cannot be told from carbon there.
    anchors = [np.mean(organic, axis=0), aluminium, steel]
    step = anchors[1] - anchors[2]
    anchors.append(np.minimum(heavy, anchors[2] - 0.5 * step))
    # Where between the anchors a cell lies: 0 organic .. 3 dense.
    place = np.zeros((ROWS, COLUMNS))
    for light, heavier in pairwise(anchors):
        place += np.clip((light - ratio) / np.maximum(light - heavier, 1e-6), 0, 1)
    low = np.minimum(place.astype(int), 2)
    part = (place - low)[..., None]
    colour = _HUES[low] * (1 - part) + _HUES[low + 1] * part
    separation = (anchors[0] - anchors[2]) / 2
    trust = np.clip(separation / (2 * _sigma(alpha, anchors[1])), 0, 1)
    # Beyond any material by more than a few sigma there is an edge, not a material.
    slack = 4 * _sigma(alpha, anchors[1])
    inside = (ratio < anchors[0] + slack) & (ratio > anchors[3] - slack)
    trusted = np.where(inside, trust, 0.0)
    material = np.where(trusted > 0.25, np.rint(place) + 1, Material.UNTOLD)
    return Palette(
        first,
        last,
        np.rint(colour).astype(np.uint8),
        np.rint(trusted * 255).astype(np.uint8),
        material.astype(np.uint8),
    )


def curves_of(material: str, alpha: Reals, he_mev: float, le_mev: float) -> tuple[Reals, Reals]:
    """LE log-attenuation and g/cm2 of a material (a name of the table below) at HE log-attenuations."""
    g_cm2 = np.linspace(0.05, 420, 1500)
    he, le = _alphas(material, he_mev, g_cm2), _alphas(material, le_mev, g_cm2)
    return np.interp(alpha, he, le / he) * alpha, np.interp(alpha, he, g_cm2)


def _attenuation(material: str, mev: Reals) -> Reals:
    return np.exp(np.interp(np.log(mev), np.log(_MEV), np.log(np.array(_CM2_G[material]))))


def _spectrum(end_mev: float) -> tuple[Reals, Reals]:
    """Photon energies, and the share of the signal that each leaves in the detector."""
    mev = (np.arange(_BINS) + 0.5) * end_mev / _BINS
    photons = np.zeros(_BINS)
    for share in (1.0, 0.9, 0.8, 0.7):  # a thick target slows the electron down
        kinetic = share * end_mev
        before = kinetic / _ELECTRON_MEV + 1
        k = mev / _ELECTRON_MEV
        after = before - k
        good = after > 1
        e = np.where(good, after, 2.0)
        screen = 1 / ((k / (2 * before * e)) ** 2 + (_TUNGSTEN ** (1 / 3) / 111) ** 2)
        rate = (-((before + e) ** 2) / before**2 + (before**2 + e**2) / before**2 * np.log(screen)) / k
        photons += np.where(good, np.maximum(rate, 0), 0) * kinetic**2
    held_back = _attenuation("W", mev) * _FILTER_W_G + _attenuation("Cu", mev) * _FILTER_CU_G
    weight = photons * np.exp(-held_back) * np.interp(mev, _RESPONSE_MEV, _RESPONSE)
    return mev, weight / weight.sum()


def _alphas(material: str, end_mev: float, g_cm2: Reals) -> Reals:
    mev, weight = _spectrum(end_mev)
    return -np.log(np.exp(-np.outer(g_cm2, _attenuation(material, mev))) @ weight)


def _sigma(alpha: Reals, ratio: Reals) -> Reals:
    """Of R, over PIXELS pixels."""
    he, le = 60_000 * np.exp(-alpha), 60_000 * np.exp(-alpha * ratio)
    relative = [np.sqrt(NOISE_A * x + NOISE_B) / x for x in (he, le)]
    return ratio * np.hypot(relative[0] / alpha, relative[1] / (alpha * ratio)) / np.sqrt(PIXELS)
