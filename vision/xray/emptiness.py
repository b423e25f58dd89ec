"""Whether anything stands out from an empty container, and how little could hide there. Pure.

An empty container is a profile: g/cm2 by height, the same all along but for posts and doors. `profile_of` takes it
from scans of containers that were seen to be empty; without any, walls as they usually are. A box stands out when it
is darker than the profile by NEEDED sigma (the profile's own spread and the beam's noise), and counts when others
touch it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.xray.findings import Finding, Kind
from vision.xray.outline import WALL_G_CM2, Window, patches

Reals = NDArray[np.float64]
NEEDED: Final = 4.0
TOUCHING: Final = 4
"""Boxes of a patch: an inch and a half square is two by two."""
WALL_SIGMA: Final = 1.2
"""g/cm2, of walls that nobody measured: sheet, folds, rails."""
LEAST_SIGMA: Final = 0.25
FEW_SIGMA: Final = 0.3
"""Between containers, before there are three to tell it by."""
BINS: Final = 96
"""Heights of a profile."""
FLOOR_ROWS: Final = 2
"""Boxes above the floor that are the floor's own shadow."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Of empty containers at one scanner, by height from floor to roof in BINS equal parts."""

    g_cm2: tuple[float, ...]
    sigma: tuple[float, ...]
    scans: int


NOMINAL: Final = Profile((WALL_G_CM2,) * BINS, (WALL_SIGMA,) * BINS, 0)


def profile_of(empties: Sequence[Window]) -> Profile:
    """From windows of empty containers; none: the usual walls."""
    if not empties:
        return NOMINAL
    level: list[Reals] = []
    spread: list[Reals] = []
    for inside in empties:
        grams = np.nan_to_num(inside.found.g_cm2).astype(np.float64)
        middle = np.median(grams, axis=0)
        level.append(_binned(middle))
        spread.append(_binned(1.4826 * np.median(np.abs(grams - middle), axis=0)))
    levels = np.stack(level)
    own: Reals = np.median(np.stack(spread), axis=0)
    between: Reals = 1.4826 * np.median(np.abs(levels - np.median(levels, axis=0)), axis=0)
    sigma = np.maximum(np.hypot(own, between if len(levels) > 2 else FEW_SIGMA), LEAST_SIGMA)
    return Profile(tuple(np.median(levels, axis=0).tolist()), tuple(sigma.tolist()), len(empties))


def standing_out(inside: Window, profile: Profile = NOMINAL) -> tuple[NDArray[np.bool_], Reals]:
    """Boxes that no empty container explains, and kg above the profile in each box."""
    grams = np.nan_to_num(inside.found.g_cm2).astype(np.float64)
    bins = _bins(grams.shape[1])
    wall, sigma = (np.array(of, np.float64)[bins] for of in (profile.g_cm2, profile.sigma))
    above: Reals = grams - wall
    marked = (above > NEEDED * sigma) & inside.measured
    marked[:, :FLOOR_ROWS] = False
    kept = np.zeros_like(marked)
    for patch in patches(marked):
        if len(patch) >= TOUCHING:
            kept[patch[:, 0], patch[:, 1]] = True
    return kept, np.where(inside.measured, above * inside.cm2 / 1000, 0.0)


def hides_kg(inside: Window, profile: Profile = NOMINAL) -> float:
    """The lightest thing that would be noticed, standing anywhere: TOUCHING boxes at NEEDED sigma."""
    worst = max(profile.sigma)
    return TOUCHING * NEEDED * worst * float(np.median(inside.cm2)) / 1000


def told(inside: Window, profile: Profile = NOMINAL) -> Finding:
    """In words: what stands out, or that nothing does."""
    marked, above = standing_out(inside, profile)
    boxes = int(marked.sum())
    kg = float(above[marked].sum())
    sigmas = float(np.mean(profile.sigma)) * float(np.median(inside.cm2)) / 1000
    sigma = math.hypot(sigmas * math.sqrt(max(1, boxes)), 0.1 * kg)
    unseen = float((~inside.measured).mean())
    hides = hides_kg(inside, profile)
    if boxes:
        share = boxes / marked.size
        zh = f"集装箱内有 {share:.1%} 的面积深于空箱,约 {kg:.0f} ± {sigma:.0f} 千克。"
        en = f"{share:.1%} of the container's side is darker than an empty one: about {kg:.0f} ± {sigma:.0f} kg."
    else:
        zh = f"图像中没有任何部位深于空箱;轻于约 {hides:.2f} 千克的小件或贴壁薄层看不出。"
        en = f"Nothing is darker than an empty container; what is lighter than about {hides:.2f} kg would not show."
    if unseen > 0:
        zh += f"另有 {unseen:.1%} 未测到。"
        en += f" {unseen:.1%} of it was not measured."
    known = f"{profile.scans} empty containers" if profile.scans else "walls as they usually are"
    return Finding(
        kind=Kind.EMPTY,
        value=kg,
        sigma=sigma,
        unit="kg",
        zh=zh,
        en=en,
        method=f"boxes {NEEDED:g} sigma above {known}, at least {TOUCHING} together",
        places=inside.places(marked, above, TOUCHING),
    )


def _bins(boxes: int) -> NDArray[np.intp]:
    """Which bin each box of a column falls into."""
    return np.asarray(np.arange(boxes) * BINS // boxes, np.intp)


def _binned(values: Reals) -> Reals:
    bins = _bins(values.size)
    return np.bincount(bins, values, BINS) / np.maximum(np.bincount(bins, minlength=BINS), 1)
