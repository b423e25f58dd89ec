"""How far a load looks from earlier loads of the same chapter of the Harmonized System. Pure.

Eight plain features of the container's inside; of each the chapter's median and median deviation; the distance is the
root of the mean square of the features' deviations, each cut at MOST. What is told is its place among the chapter's own
distances, each taken without itself: "further than 96 of 100". Never which chapter it is: fractions of mixed loads,
packing and seasons move features more than lies do.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.xray.findings import Finding, Kind
from vision.xray.outline import WALL_G_CM2, Window
from vision.xray.palette import Material

Reals = NDArray[np.float64]
FEWEST: Final = 8
"""Earlier loads of a chapter, below which there is no usual."""
MOST: Final = 8.0
LOADED_G_CM2: Final = 1.5
"""Above the walls: two millimetres of steel."""
FLOORS: Final = (1.0, 0.03, 0.03, 0.03, 0.03, 0.03, 0.03, 0.05)
"""A deviation smaller than this is none, in the features' order: a chapter whose loads were all alike is luck."""
NAMES: Final = (
    ("areal density", "面密度"),
    ("filling", "装载面积"),
    ("organic share", "有机物比例"),
    ("inorganic share", "无机物比例"),
    ("metal share", "金属比例"),
    ("dense share", "重金属比例"),
    ("texture", "纹理"),
    ("height", "装载高度"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Of a load."""

    g_cm2: float
    """Mean areal density where anything is loaded, walls taken off."""
    filling: float
    """Share of the container's side that is loaded."""
    organic: float
    inorganic: float
    metal: float
    dense: float
    """Shares of the load's area that were told; they sum to 1."""
    texture: float
    """Median relative difference of neighbouring boxes along the truck."""
    height: float
    """Middle height of the load's mass, 0 floor to 1 roof."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A load beside its chapter's earlier ones."""

    distance: float
    further_than: float
    """Share of the chapter's loads that lie nearer to its middle."""
    sigma: float
    of: int
    away: tuple[float, ...]
    """Deviations of the features, in their order."""


def features_of(inside: Window) -> Features:
    """Of a window; of an empty container all shares are 0."""
    grams = np.nan_to_num(inside.found.g_cm2).astype(np.float64) - WALL_G_CM2
    loaded = (grams > LOADED_G_CM2) & inside.measured
    count = max(1, int(loaded.sum()))
    kinds = inside.found.material[loaded]
    told = max(1, int((kinds != Material.UNTOLD).sum()))
    shares = [float((kinds == kind).sum()) / told for kind in Material if kind is not Material.UNTOLD]
    both = loaded[1:] & loaded[:-1]
    rough = np.abs(grams[1:] - grams[:-1]) / np.maximum((grams[1:] + grams[:-1]) / 2, 1.0)
    kg: Reals = np.where(loaded, grams, 0.0) * inside.cm2
    up: Reals = np.linspace(0.0, 1.0, kg.shape[1])
    return Features(
        g_cm2=float(grams[loaded].sum()) / count,
        filling=float(loaded.sum()) / loaded.size,
        organic=shares[0],
        inorganic=shares[1],
        metal=shares[2],
        dense=shares[3],
        texture=float(np.median(rough[both])) if both.any() else 0.0,
        height=float(kg.sum(axis=0) @ up) / max(float(kg.sum()), 1e-9),
    )


def beside(load: Features, earlier: Sequence[Features]) -> Likeness | None:
    """None: there are too few earlier ones."""
    if len(earlier) < FEWEST:
        return None
    all_of = np.array([astuple(one) for one in earlier])
    here = np.array(astuple(load))
    distance, away = _distance(here, all_of)
    own = np.array([_distance(all_of[n], np.delete(all_of, n, axis=0))[0] for n in range(len(all_of))])
    further = float((own < distance).mean())
    n = len(own)
    # One in n + 2 is the finest that n loads can tell.
    return Likeness(
        distance, further, math.sqrt(max(further * (1 - further), 1 / (n + 2)) / n), n, tuple(away.tolist())
    )


def told(load: Features, earlier: Sequence[Features], chapter: str) -> Finding:
    """In words, with the feature that is furthest away."""
    method = "eight features of the load against the chapter's medians; place among its own distances"
    found = beside(load, earlier)
    if found is None:
        return Finding(
            kind=Kind.HISTORY,
            value=None,
            sigma=None,
            unit="share",
            zh=f"第 {chapter} 章只有 {len(earlier)} 次历史图像,少于 {FEWEST} 次,无从比较。",
            en=f"Chapter {chapter} has {len(earlier)} earlier loads, fewer than {FEWEST}: there is no usual yet.",
            method=method,
        )
    worst = int(np.argmax(np.abs(found.away)))
    value = astuple(load)[worst]
    usual = sorted(astuple(one)[worst] for one in earlier)
    low, high = usual[len(usual) // 10], usual[-1 - len(usual) // 10]
    en_name, zh_name = NAMES[worst]
    text = _text(worst, value), _text(worst, low), _text(worst, high)
    return Finding(
        kind=Kind.HISTORY,
        value=found.further_than,
        sigma=found.sigma,
        unit="share",
        zh=f"与第 {chapter} 章 {found.of} 次历史货物相比,远于其中 {found.further_than:.0%};"
        f"差别最大的是{zh_name} {text[0]}(通常 {text[1]} 至 {text[2]})。",
        en=f"Further from chapter {chapter}'s usual than {found.further_than:.0%} of its {found.of} earlier loads; "
        f"most of all in {en_name}: {text[0]}, usually {text[1]} to {text[2]}.",
        method=method,
    )


def _distance(one: Reals, others: Reals) -> tuple[float, Reals]:
    middle = np.median(others, axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(others - middle), axis=0), np.array(FLOORS))
    away = np.clip((one - middle) / spread, -MOST, MOST)
    return math.sqrt(float((away**2).mean())), away


def _text(feature: int, value: float) -> str:
    return f"{value:.0f} g/cm2" if feature == 0 else f"{value:.0%}"


assert len(NAMES) == len(FLOORS) == len(fields(Features))
