"""What a linac's beam is and what matter leaves of it: NIST attenuation, bremsstrahlung, the detector's response.

Facts embedded here: mass attenuation coefficients of NIST's XAAMDI tables (cm2/g); half-MeV spectra of 4, 6 and 10 MeV
beams (tungsten target, 1 cm copper, 1 cm steel) and the mean energy deposited in 10 x 10 x 30 mm of CdWO4, both from a
published Geant4 study (Lalor and Danagoulian, NIM A 1064:169343, 2024). For other end points the thin-target forward
bremsstrahlung of Schiff is used.

    signal = sum over energies of  w * exp(-sum over materials of mu * areal density),   w = spectrum x deposited energy
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

GRID_MEV: Final = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_CM2_PER_G: Final = """
H  .2944 .2651 .2429 .2112 .1893 .1729 .1599 .1405 .1263
   .1129 .1027 .08769 .06921 .05806 .05049 .04498 .03746 .03254
C  .1514 .1347 .1229 .1066 .09546 .08715 .08058 .07076 .06361
   .05690 .05179 .04442 .03562 .03047 .02708 .02469 .02154 .01959
N  .1529 .1353 .1233 .1068 .09557 .08719 .08063 .07081 .06364
   .05693 .05180 .04450 .03579 .03073 .02742 .02511 .02209 .02024
O  .1551 .1361 .1237 .1070 .09566 .08729 .08070 .07087 .06372
   .05697 .05185 .04459 .03597 .03100 .02777 .02552 .02263 .02089
Na .1585 .1335 .1199 .1029 .09185 .08372 .07736 .06788 .06100
   .05454 .04968 .04282 .03487 .03037 .02753 .02559 .02319 .02181
Mg .1686 .1394 .1245 .1065 .09492 .08647 .07988 .07008 .06296
   .05629 .05129 .04426 .03613 .03159 .02873 .02681 .02445 .02313
Al .1704 .1378 .1223 .1042 .09276 .08445 .07802 .06841 .06146
   .05496 .05006 .04324 .03541 .03106 .02836 .02655 .02437 .02318
Si .1835 .1448 .1275 .1082 .09614 .08748 .08077 .07082 .06361
   .05688 .05183 .04480 .03678 .03240 .02967 .02788 .02574 .02462
Cl .2050 .1480 .1266 .1054 .09311 .08453 .07795 .06826 .06128
   .05478 .04994 .04328 .03585 .03188 .02950 .02798 .02628 .02549
K  .2345 .1582 .1319 .1080 .09495 .08600 .07922 .06929 .06216
   .05556 .05068 .04399 .03666 .03282 .03054 .02915 .02766 .02704
Ca .2571 .1674 .1376 .1116 .09783 .08851 .08148 .07122 .06388
   .05709 .05207 .04524 .03780 .03395 .03170 .03035 .02892 .02839
Fe .3717 .1964 .1460 .1099 .09400 .08414 .07704 .06699 .05995
   .05350 .04883 .04265 .03621 .03312 .03146 .03057 .02991 .02994
Cu .4584 .2217 .1559 .1119 .09413 .08362 .07625 .06605 .05901
   .05261 .04803 .04205 .03599 .03318 .03177 .03108 .03074 .03103
Sn 1.676 .6091 .3260 .1639 .1156 .09374 .08113 .06662 .05800
   .05095 .04638 .04112 .03686 .03561 .03548 .03583 .03724 .03895
Cd 1.524 .5593 .3038 .1571 .1129 .09250 .08064 .06670 .05826
   .05129 .04673 .04139 .03698 .03559 .03536 .03563 .03691 .03853
I  1.942 .6978 .3663 .1771 .1217 .09701 .08313 .06749 .05841
   .05111 .04647 .04124 .03716 .03607 .03608 .03655 .03815 .04002
W  4.438 1.581 .7844 .3238 .1925 .1378 .1093 .08066 .06618
   .05577 .05000 .04433 .04075 .04038 .04103 .04210 .04472 .04747
Pb 5.549 2.014 .9985 .4031 .2323 .1614 .1248 .08870 .07102
   .05876 .05222 .04606 .04234 .04197 .04272 .04391 .04675 .04972
U  1.954 2.591 1.298 .5192 .2922 .1976 .1490 .1016 .07896
   .06370 .05587 .04878 .04447 .04392 .04463 .04583 .04879 .05195
"""
_WORDS: Final = _CM2_PER_G.split()
_ROW: Final = len(GRID_MEV) + 1
MU: Final[Mapping[str, Reals]] = {
    _WORDS[at]: np.array(_WORDS[at + 1 : at + _ROW], np.float64) for at in range(0, len(_WORDS), _ROW)
}
"""cm2/g at GRID_MEV, by element."""

DENSITY: Final[Mapping[str, float]] = {
    "steel": 7.85,
    "aluminium": 2.70,
    "copper": 8.96,
    "lead": 11.35,
    "tungsten": 19.3,
    "uranium": 18.95,
    "PE": 0.95,
    "wood": 0.6,
    "water": 1.0,
    "concrete": 2.3,
    "rubber": 1.15,
    "diesel": 0.83,
    "glass": 2.4,
    "sugar": 0.9,
    "meat": 0.75,
    "nylon": 0.35,
    "salt": 1.2,
}
"""g/cm3 as it is loaded: sugar in bags, meat in boxes, cloth in bales lie looser than the matter itself."""
MADE_OF: Final[Mapping[str, Mapping[str, float]]] = {
    "steel": {"Fe": 1.0},
    "aluminium": {"Al": 1.0},
    "copper": {"Cu": 1.0},
    "lead": {"Pb": 1.0},
    "tungsten": {"W": 1.0},
    "uranium": {"U": 1.0},
    "PE": {"H": 0.143716, "C": 0.856284},
    "wood": {"H": 0.062162, "C": 0.444462, "O": 0.493376},
    "water": {"H": 0.111894, "O": 0.888106},
    "concrete": {
        "H": 0.0221,
        "C": 0.002484,
        "O": 0.57493,
        "Na": 0.015208,
        "Mg": 0.001266,
        "Al": 0.019953,
        "Si": 0.304627,
        "K": 0.010045,
        "Ca": 0.042951,
        "Fe": 0.006435,
    },
    "rubber": {"H": 0.10, "C": 0.83, "O": 0.03, "Si": 0.04},
    "diesel": {"H": 0.14, "C": 0.86},
    "glass": {"O": 0.4598, "Na": 0.0964, "Si": 0.3366, "Ca": 0.1072},
    "sugar": {"H": 0.06479, "C": 0.42107, "O": 0.51414},
    "meat": {"H": 0.102, "C": 0.143, "N": 0.034, "O": 0.721},
    "nylon": {"H": 0.097976, "C": 0.636856, "N": 0.123779, "O": 0.141389},
    "salt": {"Na": 0.3934, "Cl": 0.6066},
    "CdWO4": {"O": 0.177644, "Cd": 0.312027, "W": 0.510329},
}
"""Weight shares of elements."""

GEANT4_SPECTRA: Final[Mapping[float, tuple[float, ...]]] = {
    4.0: (0.273, 0.296, 0.169, 0.106, 0.069, 0.046, 0.029, 0.013),
    6.0: (0.210, 0.248, 0.158, 0.108, 0.078, 0.058, 0.044, 0.033, 0.026, 0.019, 0.013, 0.006),
    10.0: (
        *(0.151, 0.195, 0.136, 0.101, 0.078, 0.061, 0.050, 0.041, 0.034, 0.029),
        *(0.024, 0.021, 0.018, 0.015, 0.013, 0.011, 0.009, 0.007, 0.005, 0.003),
    ),
}
"""Share of the photons in each half MeV from 0, by end point in MeV."""
HALF_MEV: Final = 0.5

_DEPOSIT: Final = (
    (0.0, 0.0),
    *((0.1, 0.100), (0.2, 0.198), (0.3, 0.284), (0.5, 0.377), (0.8, 0.467), (1.0, 0.526), (1.5, 0.677), (2.0, 0.842)),
    *((3.0, 1.22), (4.0, 1.65), (5.0, 2.11), (6.0, 2.60), (8.0, 3.59), (9.9, 4.54)),
)
"""MeV of a photon, mean MeV that it leaves in the crystal."""
SWANK: Final[Mapping[float, float]] = {4.0: 0.455, 6.0: 0.383}
"""Quanta that count of those that come, <D>2/<D2>, from full Monte Carlo; between and beyond by the end point."""

ELECTRON_MEV: Final = 0.51099895
TARGET_Z: Final = 74
DEPTHS: Final = (1.0, 0.9, 0.8, 0.7)
"""An electron slows down in the target: shares of its kinetic energy at which it radiates, weighted by their square."""
FILTER_G_PER_CM2: Final[Mapping[str, float]] = {"Cu": 1.0 * 8.96, "Fe": 1.0 * 7.85}
"""What the beam passes first, as in the study: 1 cm of copper, 1 cm of steel."""
BINS: Final = 20


def mu(material: str, energy_mev: Reals) -> Reals:
    """cm2/g at these energies: straight lines on double logarithmic paper between the table's points."""
    shares = MADE_OF.get(material, {material: 1.0})
    at = np.log(energy_mev)
    grid = np.log(GRID_MEV)
    total = np.zeros_like(energy_mev, dtype=np.float64)
    for name, share in shares.items():
        if share:
            total += share * np.exp(_line(at, grid, np.log(MU[name])))
    return total


def _line(x: Reals, xs: Reals, ys: Reals) -> Reals:
    """Straight lines through the points, drawn on beyond the ends."""
    place = np.clip(np.searchsorted(xs, x) - 1, 0, len(xs) - 2)
    slope = (ys[place + 1] - ys[place]) / (xs[place + 1] - xs[place])
    return ys[place] + slope * (x - xs[place])


def deposited(energy_mev: Reals) -> Reals:
    """Mean MeV that a photon leaves in the crystal."""
    points = np.array(_DEPOSIT)
    return np.asarray(_line(energy_mev, points[:, 0], points[:, 1]), np.float64)


def bremsstrahlung(end_mev: float, energy_mev: Reals) -> Reals:
    """Photons by energy, filtered, not normalised: thin target, forward (Schiff at angle 0)."""
    total = np.zeros_like(energy_mev)
    k = energy_mev / ELECTRON_MEV
    for depth in DEPTHS:
        e0 = end_mev * depth / ELECTRON_MEV + 1.0
        left = e0 - k
        may = left > 1.0
        e = np.where(may, left, e0)
        inverse_m = (k / (2 * e0 * e)) ** 2 + (TARGET_Z ** (1 / 3) / 111.0) ** 2
        n = (-((e0 + e) ** 2) / e0**2 - (e0**2 + e**2) / e0**2 * np.log(inverse_m)) / k
        total += np.where(may, np.maximum(n, 0.0), 0.0) * depth**2
    lost = sum(mu(name, energy_mev) * grams for name, grams in FILTER_G_PER_CM2.items())
    return total * np.exp(-lost)


@dataclass(frozen=True, eq=False)
class Beam:
    """One energy of a source, as the detector counts it."""

    end_mev: float
    energy_mev: Reals
    """(bins,) middle of each bin."""
    weight: Reals
    """(bins,) share of the signal without anything in between; sums to 1."""
    mean_mev: float
    """Of the photons, not of the signal."""

    def transmission(self, areal: Mapping[str, NDArray[np.floating]]) -> NDArray[np.float32]:
        """Share of the signal behind g/cm2 of each material; all of one shape, which is the answer's."""
        shape = np.broadcast_shapes(*(np.shape(grams) for grams in areal.values()))
        exponents = [
            (mu(name, self.energy_mev).astype(np.float32), np.asarray(grams, np.float32))
            for name, grams in areal.items()
        ]
        left = np.zeros(shape, np.float32)
        for number, weight in enumerate(self.weight.astype(np.float32)):
            depth = np.zeros(shape, np.float32)
            for coefficients, grams in exponents:
                depth += coefficients[number] * grams
            np.negative(depth, out=depth)
            np.exp(depth, out=depth)
            left += weight * depth
        return left

    @property
    def swank(self) -> float:
        """Quanta that count of those that come."""
        ends = sorted(SWANK)
        return float(_line(np.array([self.end_mev]), np.array(ends), np.array([SWANK[end] for end in ends]))[0])


@cache
def analytic(end_mev: float, bins: int = BINS) -> Beam:
    """A beam of any end point up to 10 MeV."""
    edges = np.linspace(0.0, end_mev, bins + 1)
    fine = 24
    inside = (np.arange(fine) + 0.5) / fine * edges[1]
    parts: list[Reals] = [edge + inside for edge in edges[:-1]]
    return _beam(end_mev, [(part, bremsstrahlung(end_mev, part) / fine) for part in parts])


@cache
def geant4(end_mev: float) -> Beam:
    """A beam of 4, 6 or 10 MeV, from the published spectrum. Raises KeyError for others."""
    shares = GEANT4_SPECTRA[end_mev]
    fine = 10
    parts: list[tuple[Reals, Reals]] = []
    for number, share in enumerate(shares):
        inside = (number + (np.arange(fine) + 0.5) / fine) * HALF_MEV
        # Within half a MeV the photons lie as the filtered bremsstrahlung has them: hardly any below 0.1 MeV.
        form = bremsstrahlung(end_mev, inside)
        form = form / form.sum() if form.sum() > 0 else np.full(fine, 1 / fine)
        parts.append((inside, share * form))
    return _beam(end_mev, parts)


def beam(end_mev: float) -> Beam:
    """The best that is known of that end point."""
    return geant4(end_mev) if end_mev in GEANT4_SPECTRA else analytic(end_mev)


def _beam(end_mev: float, parts: list[tuple[Reals, Reals]]) -> Beam:
    """One bin a part: its signal, at the energy whose attenuation is that of the part's middle."""
    signals = [photons * deposited(energy) for energy, photons in parts]
    weight = np.array([signal.sum() for signal in signals])
    energy = np.array(
        [
            np.exp((np.log(e) * s).sum() / s.sum()) if s.sum() > 0 else e.mean()
            for (e, _), s in zip(parts, signals, strict=True)
        ]
    )
    count = sum(photons.sum() for _, photons in parts)
    mean = sum((e * photons).sum() for e, photons in parts) / count
    kept = weight > 0
    return Beam(end_mev, energy[kept], weight[kept] / weight.sum(), float(mean))
