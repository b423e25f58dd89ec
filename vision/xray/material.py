"""What matter stands behind pixels, by two energies: curves of known materials, a class, an effective Z, g/cm2. Pure.

A table holds a curve a material (vision/xray/curves.py). `fitted` draws them through steps of known thickness that this
scanner has seen (its scatter, hardening and crosstalk are in them); `computed` has them from physics alone, for a
scanner that nobody has calibrated.

A box of pixels is held against every curve by its distance in LE log-attenuation over that distance's own sigma (noise
of both energies, doses of the rows, the curve itself). The class is the likeliest; `trust` is its share of all
likelihoods, and nothing where no curve is near: edges and mixtures are no material. Two materials may give the same two
signals (thin lead and carbon do): no code can tell them, so a word names every class that it may be.

Effective Z is sum(w Z^2 / A) / sum(w Z / A) over weight shares w: 4.8 PE, 6.6 water, 13 aluminium, 26 iron. Units:
log-attenuation alpha = -ln(transmission), areal density g/cm2 along the ray.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from vision.xray.curves import (
    ALPHA_MOST,
    AT,
    CLASSES,
    EFFECTIVE_Z,
    GRID,
    LEAST_STEPS,
    Curve,
    NoTable,
    Point,
    Reals,
    drawn,
)
from vision.xray.palette import Material, Palette, curves_of, painted
from vision.xray.scan import NOT_MEASURED, SCALE, Dual, Noise

STEEL_G_CM2_MM: Final = 0.785
"""Of a millimetre of steel."""
ALPHA_LEAST: Final = 0.1
"""Two millimetres of steel: below, doses and noise are as large as what is between materials."""
NEAR: Final = 4.0
"""Sigma: further from every curve is no material."""
DENSE_PRIOR: Final = 0.1
"""A share of loads are lead or tungsten; one in ten is more than any port sees, and keeps thin organics organic."""
DOSE_SIGMA: Final = 0.0014
"""Of the difference between the energies' log-attenuations in one row: what clear pixels leave open of its doses."""
AIR_SIGMA: Final = 0.0003
"""The same of a whole scan: what its calibration leaves open."""
CURVE_SIGMA: Final = 0.003
"""Relative, of g/cm2 read off a curve: what steps are machined to."""
TIED: Final = 1.9
"""Two lines are mixed where an energy lies half a pitch off the grid: a pixel's variance is halved, a box's is not."""
BOX: Final = 7
"""Pixels a side: about an inch and a half of the load's height."""
FORMAT: Final = "quaygate-xray-materials"
VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What stands behind a box of pixels, with what it is worth."""

    material: Material
    """UNTOLD: too thin, too thick, or no curve is near."""
    trust: float
    """0 to 1: the class's share of the likelihood."""
    shares: Mapping[Material, float]
    """Likelihood of every class; they sum to 1, or to 0 where no curve is near."""
    also: tuple[Material, ...]
    """Other classes with a curve within two sigma: from here they look the same."""
    z: float | None
    z_sigma: float | None
    transmission: Dual[float]
    g_cm2: float
    g_sigma: float
    steel_mm: float
    """Steel that holds back as much of the high energy."""
    steel_sigma: float


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Classes of boxes side by side. Arrays (rows // box, pixels // box)."""

    box: int
    material: NDArray[np.uint8]
    trust: NDArray[np.float32]
    z: NDArray[np.float32]
    """NaN where it is not told."""
    z_sigma: NDArray[np.float32]
    g_cm2: NDArray[np.float32]
    alpha: NDArray[np.float32]
    """HE log-attenuation."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A scanner's materials."""

    curves: tuple[Curve, ...]
    energies_mev: Dual[float]
    measured: bool
    """Fitted to this scanner's own steps; else computed."""
    simulated: bool = False
    points: tuple[Point, ...] = ()
    noise: Dual[Noise] | None = None
    """As boxes of this scanner's steps have it, a pixel's share: mixing along the truck ties neighbours together, and a
    scan's own noise, told from single pixels, does not show it. None: a scan's own, the low energy's times TIED."""

    def curve(self, material: str) -> Curve:
        """Raises KeyError."""
        return next(c for c in self.curves if c.material == material) if self.has(material) else _unknown(material)

    def has(self, material: str) -> bool:
        """Whether there is a curve of it."""
        return any(c.material == material for c in self.curves)

    def transmission(self, material: str, g_cm2: Reals | float) -> Dual[Reals]:
        """Of a layer of a calibrated material, between 0 and the thickest point. Raises KeyError."""
        curve = self.curve(material)
        grams = np.concatenate([[0.0], np.maximum.accumulate(curve.g_cm2)])
        at = np.concatenate([[0.0], AT])
        he = np.interp(g_cm2, grams, at)
        return Dual(np.exp(-he), np.exp(-np.interp(he, at, np.concatenate([[0.0], curve.le]))))

    def tell(self, he: float, le: float, pixels: int, noise: Dual[Noise]) -> Told:
        """Of the mean of so many pixels of either energy, on the picture's scale."""
        values = np.array([[he]]), np.array([[le]])
        found = self._held(*values, pixels, noise)
        shares = {kind: float(found.shares[n, 0, 0]) for n, kind in enumerate(_KINDS)}
        material, told = Material(int(found.material[0, 0])), math.isfinite(float(found.z[0, 0]))
        alpha = float(found.alpha[0, 0])
        steel = self.curve("steel")
        steel_mm = float(steel.at(alpha, steel.g_cm2)) / STEEL_G_CM2_MM
        slope = float(steel.at(alpha + 0.02, steel.g_cm2) - steel.at(alpha - 0.02, steel.g_cm2)) / 0.04
        return Told(
            material=material,
            trust=float(found.trust[0, 0]),
            shares=shares,
            also=tuple(kind for n, kind in enumerate(_KINDS) if found.near[n, 0, 0] < 2 and kind is not material),
            z=float(found.z[0, 0]) if told else None,
            z_sigma=float(found.z_sigma[0, 0]) if told else None,
            transmission=Dual(he / SCALE, le / SCALE),
            g_cm2=float(found.g_cm2[0, 0]),
            g_sigma=float(found.g_sigma[0, 0]),
            steel_mm=steel_mm,
            steel_sigma=max(0.0, slope) / STEEL_G_CM2_MM * float(found.alpha_sigma[0, 0]),
        )

    def map(self, picture: Dual[NDArray[np.uint16]], noise: Dual[Noise], box: int = BOX) -> Map:
        """Of every box of `box` x `box` pixels, side by side; what was not measured takes no part."""
        he, le, count = boxed(picture, box)
        found = self._held(he, le, np.maximum(count, 1), noise)
        blind = count == 0
        found.material[blind] = Material.UNTOLD
        found.trust[blind] = 0.0
        for values in (found.z, found.z_sigma, found.g_cm2, found.alpha):
            values[blind] = np.nan
        return Map(
            box=box,
            material=found.material,
            trust=found.trust.astype(np.float32),
            z=found.z.astype(np.float32),
            z_sigma=found.z_sigma.astype(np.float32),
            g_cm2=found.g_cm2.astype(np.float32),
            alpha=found.alpha.astype(np.float32),
        )

    def palette(self) -> Palette:
        """The table of colours that a page looks up, of these curves."""
        at = (np.arange(256) + 0.5) * ALPHA_MOST / 256
        ratio = {c.material: c.at(at, c.le) / at for c in self.curves}
        organic = [ratio[c.material] for c in self.curves if c.kind is Material.ORGANIC]
        dense = [ratio[c.material] for c in self.curves if c.kind is Material.DENSE]
        return painted(organic, ratio["aluminium"], ratio["steel"], dense)

    def wire(self) -> bytes:
        """As it is kept: JSON of its points; what is drawn through them is drawn again."""
        kept = _Kept(
            format=FORMAT,
            version=VERSION,
            energies_mev=self.energies_mev,
            simulated=self.simulated,
            noise=self.noise,
            points=list(self.points),
        )
        return msgspec.json.encode(kept)

    @property
    def digest(self) -> str:
        """SHA-256 of `wire`: which calibration a word about material rests on."""
        return hashlib.sha256(self.wire()).hexdigest()

    def _held(self, he: Reals, le: Reals, pixels: NDArray[np.intp] | int, noise: Dual[Noise]) -> "_Held":
        tied = Dual(noise.he, Noise(noise.le.a * TIED, noise.le.b * TIED))
        noise = tied if self.noise is None else self.noise
        alpha, alpha_sigma = _log(he, pixels, noise.he)
        low, low_sigma = _log(le, pixels, noise.le)
        place = np.clip((alpha * (GRID / ALPHA_MOST)).astype(np.intp), 0, GRID - 1)
        shares = np.zeros((len(_KINDS), *alpha.shape))
        near = np.full(shares.shape, np.inf)
        away: list[Reals] = []
        steps: list[Reals] = []
        grams: list[Reals] = []
        weights: list[Reals] = []
        for curve in self.curves:
            slope = np.gradient(curve.le, AT)[place]
            sigma = np.sqrt(low_sigma**2 + (slope * alpha_sigma) ** 2 + (curve.sigma * low) ** 2)
            # Pixels of a row share its dose: a box of n has about n ** 0.5 rows.
            sigma = np.sqrt(sigma**2 + DOSE_SIGMA**2 / np.sqrt(pixels) + AIR_SIGMA**2)
            mean = curve.at(alpha, curve.le)
            off = (low - mean) / sigma
            there = (alpha >= 0.8 * curve.reach[0]) & (alpha <= 1.03 * curve.reach[1])
            prior = DENSE_PRIOR if curve.kind is Material.DENSE else 1.0
            likely = np.where(there & (np.abs(off) < NEAR), prior * np.exp(-0.5 * off**2) / sigma, 0.0)
            kind = _KINDS.index(curve.kind)
            shares[kind] += likely / sum(c.kind is curve.kind for c in self.curves)
            near[kind] = np.minimum(near[kind], np.where(there, np.abs(off), np.inf))
            away.append(mean)
            steps.append(sigma)
            grams.append(curve.at(alpha, curve.g_cm2))
            weights.append(likely)
        total = shares.sum(axis=0)
        shares /= np.where(total > 0, total, 1.0)
        best = shares.argmax(axis=0)
        told = (total > 0) & (alpha >= ALPHA_LEAST)
        z, z_sigma = self._z(low, np.stack(away), np.stack(steps), told)
        g, g_sigma = self._grams(alpha, alpha_sigma, np.stack(grams), np.stack(weights))
        return _Held(
            alpha=alpha,
            alpha_sigma=alpha_sigma,
            shares=np.where(told, shares, 0.0),
            near=near,
            material=np.where(told, np.array(_KINDS, np.uint8)[best], Material.UNTOLD).astype(np.uint8),
            trust=np.where(told, shares.max(axis=0), 0.0),
            z=z,
            z_sigma=z_sigma,
            g_cm2=g,
            g_sigma=g_sigma,
        )

    def _z(self, low: Reals, away: Reals, sigma: Reals, told: NDArray[np.bool_]) -> tuple[Reals, Reals]:
        """Between the curves' Z, in their order from light to steel, and on to lead where it lies beyond steel."""
        order = sorted(range(len(self.curves)), key=lambda n: self.curves[n].z)
        light = [n for n in order if self.curves[n].kind is not Material.DENSE]
        dense = [n for n in order if self.curves[n].kind is Material.DENSE][-1:]
        z = np.full(low.shape, np.nan)
        slope = np.full(low.shape, np.nan)
        pairs = [*pairwise(light), *((light[-1], n) for n in dense)]
        # Where there is little matter lead lies among the light ones: there the scale ends at steel.
        beyond = away[light[-1]] > away[dense[0]] if dense else np.zeros(low.shape, bool)
        for number, (a, b) in enumerate(pairs):
            gap = away[a] - away[b]
            share = (away[a] - low) / np.where(np.abs(gap) < 1e-9, 1e-9, gap)
            last = ~beyond if number == len(light) - 2 else np.full(low.shape, number == len(pairs) - 1)
            inside = (gap > 0) & ((share >= 0) | (number == 0)) & ((share < 1) | last) & ~np.isfinite(z)
            step = self.curves[b].z - self.curves[a].z
            z = np.where(inside, self.curves[a].z + np.clip(share, -0.5, 1.2) * step, z)
            slope = np.where(inside, step / np.where(gap > 0, gap, 1.0), slope)
        z = np.where(told, np.maximum(z, 1.0), np.nan)
        return z, np.where(told, np.abs(slope) * sigma.mean(axis=0), np.nan)

    @staticmethod
    def _grams(alpha: Reals, alpha_sigma: Reals, grams: Reals, weights: Reals) -> tuple[Reals, Reals]:
        """By the materials' shares; where none is near, the mean of all with their spread."""
        none = weights.sum(axis=0) <= 0
        shares = np.where(none, 1.0, weights)
        shares = shares / shares.sum(axis=0)
        mean = (shares * grams).sum(axis=0)
        between = (shares * (grams - mean) ** 2).sum(axis=0)
        slope = mean / np.maximum(alpha, 0.02)
        return np.maximum(mean, 0.0), np.sqrt(between + (slope * alpha_sigma) ** 2 + (CURVE_SIGMA * mean) ** 2)


_KINDS: Final = (Material.ORGANIC, Material.INORGANIC, Material.METAL, Material.DENSE)


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    alpha: Reals
    alpha_sigma: Reals
    shares: Reals
    near: Reals
    """Sigma to the nearest curve of each class."""
    material: NDArray[np.uint8]
    trust: Reals
    z: Reals
    z_sigma: Reals
    g_cm2: Reals
    g_sigma: Reals


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    version: int
    energies_mev: Dual[float]
    simulated: bool
    noise: Dual[Noise] | None
    points: list[Point]


def fitted(
    points: Sequence[Point],
    energies_mev: Dual[float],
    *,
    noise: Dual[Noise] | None = None,
    simulated: bool = False,
) -> Table:
    """Curves through a scanner's own points. Raises NoTable: too few of organic, aluminium or steel."""
    by: dict[str, list[Point]] = {}
    for point in points:
        if point.material in CLASSES and point.he > 0:
            by.setdefault(point.material, []).append(point)
    kinds = {CLASSES[name] for name, of in by.items() if len(of) >= LEAST_STEPS}
    missing = {Material.ORGANIC, Material.INORGANIC, Material.METAL} - kinds
    if missing or "aluminium" not in by or "steel" not in by:
        lacks = ", ".join(sorted(kind.name.lower() for kind in missing)) or "aluminium and steel"
        raise NoTable(f"no curve of {lacks}: at least {LEAST_STEPS} steps of PE or water, of aluminium and of steel")
    curves = [drawn(name, of) for name, of in by.items() if len(of) >= LEAST_STEPS]
    return Table(
        curves=tuple(sorted(curves, key=lambda c: c.z)),
        energies_mev=energies_mev,
        measured=True,
        simulated=simulated,
        noise=noise,
        points=tuple(points),
    )


@lru_cache(maxsize=4)
def computed(he_mev: float, le_mev: float) -> Table:
    """From physics alone. Raises ValueError for a pair that is none."""
    curves: list[Curve] = []
    for name, element in (("PE", "PE"), ("C", "C"), ("aluminium", "Al"), ("steel", "Fe"), ("lead", "Pb")):
        le, g_cm2 = curves_of(element, AT, he_mev, le_mev)
        curves.append(Curve(name, CLASSES[name], EFFECTIVE_Z[name], le, g_cm2, 0.01, (ALPHA_LEAST, 6.0)))
    return Table(curves=tuple(curves), energies_mev=Dual(he_mev, le_mev), measured=False)


def table_from(data: bytes) -> Table:
    """A kept table. Raises NoTable."""
    try:
        kept = msgspec.json.decode(data, type=_Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise NoTable(f"no table of materials: {wrong}") from wrong
    if kept.format != FORMAT or kept.version != VERSION:
        raise NoTable(f"{kept.format!r} of version {kept.version}: {FORMAT!r} of version {VERSION} is read")
    return fitted(kept.points, kept.energies_mev, noise=kept.noise, simulated=kept.simulated)


def boxed(picture: Dual[NDArray[np.uint16]], box: int) -> tuple[Reals, Reals, NDArray[np.intp]]:
    """Means of both energies over boxes side by side, and the pixels of each where both were measured."""
    rows, pixels = (size // box * box for size in picture.he.shape)
    he, le = (image[:rows, :pixels] for image in picture)
    there = (he != NOT_MEASURED) & (le != NOT_MEASURED)
    count = np.rint(means_of(there.astype(np.float32), box) * box * box).astype(np.intp)
    share = np.maximum(count, 1) / (box * box)
    means = [means_of(np.where(there, image, 0).astype(np.float32), box) / share for image in (he, le)]
    return means[0], means[1], count


def means_of(values: NDArray[np.float32], box: int) -> Reals:
    """Over boxes side by side; what is left over at the ends is none."""
    values = values[: values.shape[0] // box * box, : values.shape[1] // box * box]
    size = (values.shape[1] // box, values.shape[0] // box)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float64)


def _log(values: Reals, pixels: NDArray[np.intp] | int, noise: Noise) -> tuple[Reals, Reals]:
    safe = np.maximum(values, 1.0)
    sigma = np.sqrt(noise.a * safe + noise.b) / safe / np.sqrt(pixels)
    return -np.log(safe / SCALE), np.minimum(sigma, 3.0)


def _unknown(material: str) -> Curve:
    raise KeyError(material)
