"""What is loaded, in kilograms, by the image; and beside it the weighbridge's word and the declaration's. Pure.

The image gives an index: g/cm2 of every box inside the container (HE attenuation by the material that both energies
show) times its area at the lane's middle plane. Walls are in it, the depth at which goods stand is not, and neither
is a scanner's own bias. So the index is laid on the weighbridge: kg = a + b x index, by the passages of this scanner
that were weighed (`Weighings`). Before there are any, a is the walls' mass and b is 1, with what they may be wrong;
each passage takes a part of that doubt away. Passages with blind zones teach nothing: there the index is a lower
bound.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.xray.findings import Finding, Kind
from vision.xray.outline import WALL_G_CM2, Window

Reals = NDArray[np.float64]
SLOPE_SIGMA: Final = 0.08
"""Before anything was weighed: goods stand from wall to wall, drawn larger or smaller by a fifth; together by less."""
OFFSET_SIGMA_KG: Final = 250.0
"""Walls are 1.6 to 2.0 mm thick."""
RESIDUAL: Final = 0.04
"""Of a load, before enough passages tell it: packing and materials between the curves."""
RESIDUAL_KG: Final = 60.0
TARE_SPREAD: Final = 0.08
"""Between trucks, of their tare."""
BLIND_MOST: Final = 0.02
"""Share of the load's boxes: more, and the index is no measure but a lower bound."""
BLIND_DOUBT: Final = 1.0
"""What stands in blind boxes may be as much again."""
OUTLIER: Final = 2.5
"""Sigma from which a passage counts less and less (Huber)."""
ROUNDS: Final = 6
ENOUGH: Final = 8
"""Passages from which their own spread is believed."""
AGREES: Final = 2.0
"""Sigma: nearer together, two masses say the same."""


@dataclass(frozen=True, slots=True)
class Mass:
    """A mass with its sigma, in kg."""

    kg: float
    sigma: float


NO_TARE: Final = Mass(0.0, OFFSET_SIGMA_KG)
"""What stands beside the load in the record's masses, before any was weighed: nothing, and the walls' doubt."""
TARE: Final = Mass(14_500.0, 2_500.0)
"""Tractor, trailer and an empty container, where the record's masses are gross."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What an image says, before it is laid on any weighbridge."""

    kg: float
    """Walls and load together."""
    noise_kg: float
    """Sigma by quanta and material alone."""
    wall_kg: float
    """Of that, walls as they usually are."""
    blind: float
    """Share of boxes that nothing came through."""
    blind_kg: float
    """Of `kg`, what is counted there: at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """A passage that was scanned and weighed; one line of the record beside the calibrations."""

    digest: str
    """Of the scan."""
    at: float
    index_kg: float
    wall_kg: float
    kg: float
    """The load alone (gross less truck and container), or the gross: one record holds one of both."""
    sigma_kg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """kg = a + b x (index - walls), and how well that is known."""

    a_kg: float
    b: float
    covariance: tuple[float, float, float]
    """Of a and b: var a, cov, var b."""
    residual_kg: float
    """Spread of passages about the line, at 0 kg."""
    residual: float
    """The same as a share of the load."""
    weighings: int


def index_of(inside: Window) -> Index:
    """Of a container's window."""
    kg = inside.kg
    area_kg = float(np.where(inside.measured, np.broadcast_to(inside.cm2, kg.shape), 0.0).sum()) / 1000
    loaded = np.nan_to_num(inside.found.g_cm2) > 2 * WALL_G_CM2
    blind = inside.blind & inside.measured
    # A box's own noise is a few per cent; thousands of boxes leave a thousandth. Materials are wrong together.
    doubtful = np.where(inside.found.trust < 0.5, kg, 0.0)
    return Index(
        kg=float(kg.sum()),
        noise_kg=math.hypot(0.03 * math.sqrt(float((kg**2).sum())), 0.02 * float(doubtful.sum())),
        wall_kg=area_kg * WALL_G_CM2,
        blind=float(blind.sum()) / max(1, int(loaded.sum())),
        blind_kg=float(kg[blind].sum()),
    )


def scale_of(weighings: Sequence[Weighing], beside: Mass = NO_TARE) -> Scale:
    """The line through these passages and what is known without any; one that lies far off moves it little.

    `beside`: TARE where the masses are gross. Trucks' tares differ by more than loads do, and that is in its spread.
    """
    x = np.array([w.index_kg - w.wall_kg for w in weighings], np.float64)
    y = np.array([w.kg for w in weighings], np.float64)
    own = np.array([w.sigma_kg for w in weighings], np.float64)
    share, floor = RESIDUAL, RESIDUAL_KG if beside == NO_TARE else TARE_SPREAD * beside.kg
    a, b, covariance = beside.kg, 1.0, (beside.sigma**2, 0.0, SLOPE_SIGMA**2)
    weight = np.ones_like(x)
    for _ in range(ROUNDS if x.size else 0):
        sigma = np.sqrt(own**2 + floor**2 + (share * x) ** 2)
        a, b, covariance = _posterior(x, y, sigma, weight, beside)
        off = np.abs(y - a - b * x) / sigma
        weight = np.minimum(1.0, OUTLIER / np.maximum(off, 1e-9))
        if x.size >= ENOUGH:
            spread = 1.4826 * float(np.median(off))
            share, floor = max(0.005, share * spread), max(15.0, floor * spread)
    return Scale(a_kg=a, b=b, covariance=covariance, residual_kg=floor, residual=share, weighings=len(weighings))


def laid(index: Index, scale: Scale) -> Mass:
    """On the weighbridge's scale. Where it is blind, the mass is a lower bound and its sigma says so."""
    x = index.kg - index.wall_kg
    va, cov, vb = scale.covariance
    line = max(0.0, va + 2 * x * cov + x * x * vb)
    own = scale.residual_kg**2 + (scale.residual * x) ** 2 + index.noise_kg**2
    blind = BLIND_DOUBT * index.blind_kg
    return Mass(scale.a_kg + scale.b * x, math.sqrt(line + own + blind**2))


def told(mass: Mass, index: Index, scale: Scale) -> Finding:
    """The load's mass in words."""
    kg, sigma = _round(mass.kg), _round(mass.sigma)
    many = f"{scale.weighings} weighed passages" if scale.weighings else "no weighed passage yet, nominal geometry"
    zh = f"图像估计货重 {kg} ± {sigma} 千克"
    en = f"The image makes the load {kg} ± {sigma} kg"
    if index.blind > BLIND_MOST:
        zh += f";有 {index.blind:.0%} 的货物区域未穿透,至少为此数"
        en += f"; at least: {index.blind:.0%} of the load lets nothing through"
    return Finding(
        kind=Kind.MASS,
        value=mass.kg,
        sigma=mass.sigma,
        unit="kg",
        zh=zh + "。",
        en=en + ".",
        method=f"areal density by both energies over the container's inside, laid on the weighbridge ({many})",
    )


def three_way(
    image: Mass, bridge: Mass | None, declared: Mass | None, *, blind: bool = False, gross: bool = False
) -> Finding | None:
    """Each beside each; all three the load's masses, or all `gross`. None: there is nothing to hold the image against.

    `value` and `sigma`: the difference, in kg, that is the largest in its own sigma.
    """
    named = [("image", "图像", image), ("weighbridge", "地磅", bridge), ("declaration", "申报", declared)]
    there = [(en, zh, mass) for en, zh, mass in named if mass is not None]
    if len(there) < 2:
        return None
    said_en = ", ".join(f"{en} {_round(m.kg)} ± {_round(m.sigma)} kg" for en, _, m in there)
    said_zh = "、".join(f"{zh} {_round(m.kg)} ± {_round(m.sigma)} 千克" for _, zh, m in there)
    apart_en: list[str] = []
    apart_zh: list[str] = []
    worst, worst_sigma = 0.0, 0.0
    for n, (en, zh, one) in enumerate(there):
        for en2, zh2, other in there[n + 1 :]:
            difference, sigma = one.kg - other.kg, max(1.0, math.hypot(one.sigma, other.sigma))
            if abs(difference) / sigma > abs(worst) / max(worst_sigma, 1.0):
                worst, worst_sigma = difference, sigma
            if abs(difference) > AGREES * sigma:
                more, less = (en, en2) if difference > 0 else (en2, en)
                more_zh, less_zh = (zh, zh2) if difference > 0 else (zh2, zh)
                by = f"{_round(abs(difference))} ± {_round(sigma)}"
                apart_en.append(f"{more} above {less} by {by} kg")
                apart_zh.append(f"{more_zh}比{less_zh}多 {by} 千克")
    bound_en, bound_zh = ("; the image is a lower bound", ";图像值为下限") if blind else ("", "")
    return Finding(
        kind=Kind.THREE_WAY,
        value=worst,
        sigma=worst_sigma,
        unit="kg",
        zh=("车货总重:" if gross else "货重:")
        + f"{said_zh}:"
        + (";".join(apart_zh) if apart_zh else "在各自误差内一致")
        + bound_zh
        + "。",
        en=("Gross, with the truck: " if gross else "The load: ")
        + f"{said_en}: "
        + ("; ".join(apart_en) if apart_en else "they agree within their errors")
        + bound_en
        + ".",
        method=f"pairs of masses, each with its own sigma; apart from {AGREES:g} sigma of their difference on",
    )


def usable(weighings: Iterable[Weighing]) -> list[Weighing]:
    """Those that a line can be drawn through: finite, of a load, weighed."""
    return [
        w
        for w in weighings
        if all(map(math.isfinite, (w.index_kg, w.wall_kg, w.kg, w.sigma_kg)))
        and w.index_kg > 0
        and w.kg > -500
        and w.sigma_kg > 0
    ]


def teaches(index: Index) -> bool:
    """Whether a weighed passage may enter the record: the beam came through everywhere."""
    return index.blind <= BLIND_MOST


def _posterior(
    x: Reals, y: Reals, sigma: Reals, weight: Reals, beside: Mass
) -> tuple[float, float, tuple[float, float, float]]:
    """Of a and b, by Bayes: the doubt that there was, and each passage as heavy as its sigma and weight."""
    w = weight / sigma**2
    paa, pbb = 1 / beside.sigma**2 + float(w.sum()), 1 / SLOPE_SIGMA**2 + float((w * x * x).sum())
    pab = float((w * x).sum())
    ya, yb = beside.kg / beside.sigma**2 + float((w * y).sum()), 1 / SLOPE_SIGMA**2 + float((w * x * y).sum())
    apart = paa * pbb - pab * pab
    return (ya * pbb - yb * pab) / apart, (yb * paa - ya * pab) / apart, (pbb / apart, -pab / apart, paa / apart)


def _round(kg: float) -> int:
    """To ten kilograms: more figures than a sigma has are noise."""
    return round(kg / 10) * 10
