"""What is different from an earlier image of the same container. Pure.

Both insides are laid over each other (phase correlation of log-attenuation, to a fraction of a pixel), and subtracted
as log-attenuation. A box differs by NEEDED sigma: the beam's noise in both, and what shifts of a fraction of a box
make of the load's own edges. Loads are packed anew on every journey: the comparison is for containers that came back,
were opened between two scans, or should be as they were.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.xray.findings import Finding, Kind
from vision.xray.material import means_of
from vision.xray.outline import Window, patches
from vision.xray.scan import SCALE, Counts, Geometry, Noise

Reals = NDArray[np.float64]
NEEDED: Final = 5.0
TOUCHING: Final = 3
EDGE: Final = 0.5
"""Pixels that the two may still be off each other at an edge: the load stands at another depth, the speed was
another.
"""
LEAST_ALPHA: Final = 0.015
"""Log-attenuation: doses and registration leave as much."""
MOST_SHIFT_MM: Final = 150.0
"""Both windows begin at the container's front. Loads repeat themselves every pallet: a larger shift is another
pallet.
"""
ALIKE: Final = 0.6
"""Correlation of the two, laid over each other, from which they are the same load."""
GRAM_BIN: Final = 0.2
MASS_SIGMA: Final = 0.2
"""Of a difference's mass: its material may be another than what stands around it."""
DEEPEST: Final = 5.5
"""Log-attenuation behind which noise is larger than any difference."""


class OtherSection(ValueError):
    """The earlier image is of a scanner with another section: pixels cannot be laid over each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Now less then. Arrays (boxes along, boxes up) of the window of now."""

    alpha: Reals
    """HE log-attenuation; positive: darker now."""
    sigma: Reals
    marked: NDArray[np.bool_]
    kg: Reals
    shift: tuple[float, float]
    """Pixels along and up by which the earlier one was moved."""
    match: float
    """Correlation of the two, -1 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A container's inside, and the picture that it is cut from."""

    he: Counts
    inside: Window
    reach: tuple[int, int]
    """Pixels along and up that it may lie off another."""

    @classmethod
    def of(cls, he: Counts, inside: Window, geometry: Geometry) -> "Seen":
        """Its reach is MOST_SHIFT_MM."""
        along, up = MOST_SHIFT_MM / geometry.pitch_mm, MOST_SHIFT_MM / abs(geometry.pixel_mm())
        return cls(he, inside, (max(2, round(along)), max(2, round(up))))


def between(now: Seen, then: Seen, noise: Noise) -> Difference:
    """`noise`: of either high energy. Raises OtherSection."""
    if now.he.shape[1] != then.he.shape[1] or now.inside.pixels != then.inside.pixels:
        raise OtherSection(f"{then.he.shape[1]} pixels then, {now.he.shape[1]} now")
    inside, box = now.inside, now.inside.box
    here = _alpha(now.he[inside.rows, inside.pixels])
    rows, pixels = (size // box * box for size in here.shape)
    here = here[:rows, :pixels]
    earlier = _cut(_alpha(then.he[:, then.inside.pixels]), then.inside.rows.start, rows)[:, :pixels]
    along, up = _shift(_flat(earlier), _flat(here), now.reach)
    moved = _moved(earlier, along, up)
    alpha = means_of(here - moved, box)
    steps = [np.asarray(cv2.Sobel(here, cv2.CV_32F, dx, 1 - dx, scale=0.125), np.float32) for dx in (0, 1)]
    slope = np.hypot(steps[0], steps[1])
    x = np.maximum(SCALE * np.exp(-means_of(here, box)), 1.0)
    quanta = np.sqrt(2 * (noise.a * x + noise.b)) / x / box
    sigma = np.sqrt(quanta**2 + (EDGE * means_of(slope, box)) ** 2 + LEAST_ALPHA**2)
    there = inside.measured[: alpha.shape[0], : alpha.shape[1]]
    marked = (np.abs(alpha) > NEEDED * sigma) & there
    kept = np.zeros_like(marked)
    for patch in patches(marked):
        if len(patch) >= TOUCHING:
            kept[patch[:, 0], patch[:, 1]] = True
    grams = _grams(inside)
    return Difference(
        alpha=alpha,
        sigma=sigma,
        marked=kept,
        kg=(grams(means_of(here, box)) - grams(means_of(moved, box))) * inside.cm2 / 1000,
        shift=(float(along), float(up)),
        match=_correlation(here, moved),
    )


def _grams(inside: Window) -> Callable[[Reals], Reals]:
    """g/cm2 by log-attenuation, as this load's own boxes have it: its materials are in it."""
    alpha = np.nan_to_num(inside.found.alpha).astype(np.float64).ravel()
    grams = np.nan_to_num(inside.found.g_cm2).astype(np.float64).ravel()
    bins = np.round(alpha / GRAM_BIN).astype(int)
    middles = [(GRAM_BIN * n, float(np.median(grams[bins == n]))) for n in np.unique(bins) if (bins == n).sum() > 8]
    known = [(0.0, 0.0), *(pair for pair in middles if pair[0] > 0)]
    at = np.array([alpha for alpha, _ in known])
    of = np.maximum.accumulate([g for _, g in known])
    return lambda a: np.asarray(np.interp(a, at, of))


def _alpha(he: Counts) -> NDArray[np.float32]:
    return np.minimum(-np.log(np.maximum(he, 1).astype(np.float32) / SCALE), DEEPEST)


def _cut(alpha: NDArray[np.float32], start: int, rows: int) -> NDArray[np.float32]:
    """So many rows from there on; beyond the picture, its last one."""
    at = np.clip(np.arange(start, start + rows), 0, alpha.shape[0] - 1)
    return np.ascontiguousarray(alpha[at])


def _moved(alpha: NDArray[np.float32], along: float, up: float) -> NDArray[np.float32]:
    there = cv2.warpAffine(
        alpha,
        np.array([[1, 0, up], [0, 1, along]], np.float32),
        (alpha.shape[1], alpha.shape[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(there, np.float32)


def _flat(alpha: NDArray[np.float32]) -> Reals:
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1.0), np.float64)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).mean()) / max(float(a.std()) * float(b.std()), 1e-9)


def told(now: Seen, then: Seen, noise: Noise) -> Finding:
    """In words. `value`: share of the side that differs. Raises OtherSection."""
    found = between(now, then, noise)
    boxes = int(found.marked.sum())
    share = boxes / found.marked.size
    more = float(found.kg[found.marked & (found.alpha > 0)].sum())
    less = abs(float(found.kg[found.marked & (found.alpha < 0)].sum()))
    net_sigma = math.hypot(MASS_SIGMA * more, MASS_SIGMA * less)
    if not boxes:
        zh, en = "与前次图像相比没有差别。", "Nothing differs from the earlier image."
    else:
        zh = f"与前次图像相比,{share:.1%} 的面积不同:多约 {more:.0f} 千克,少约 {less:.0f} 千克(± {net_sigma:.0f})。"
        en = (
            f"{share:.1%} of the side differs from the earlier image: about {more:.0f} kg more and "
            f"{less:.0f} kg less (± {net_sigma:.0f})."
        )
    if found.match < ALIKE:
        zh += "两幅图像很少相同之处,可能已重新装载。"
        en += " The two have little in common: it may have been loaded anew."
    return Finding(
        kind=Kind.DIFFERENCE,
        value=share,
        sigma=math.sqrt(max(boxes, 1)) / found.marked.size,
        unit="share",
        zh=zh,
        en=en,
        method=f"laid over each other by phase correlation ({found.match:.2f} alike), boxes {NEEDED:g} sigma apart",
        places=now.inside.places(found.marked, np.abs(found.alpha) / found.sigma, TOUCHING),
    )


def _shift(earlier: Reals, here: Reals, reach: tuple[int, int]) -> tuple[float, float]:
    """By how much the earlier one must be moved, along and up: the peak of the phase correlation within reach."""
    window = np.hanning(here.shape[0])[:, None] * np.hanning(here.shape[1])[None, :]
    one, other = (np.fft.rfft2((a - a.mean()) * window) for a in (earlier, here))
    cross = other * np.conj(one)
    peak = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), here.shape)
    along = min(reach[0], here.shape[0] // 2 - 1)
    up = min(reach[1], here.shape[1] // 2 - 1)
    near = np.roll(peak, (along, up), axis=(0, 1))[: 2 * along + 1, : 2 * up + 1]
    near = np.asarray(cv2.GaussianBlur(near, (0, 0), 0.8), np.float64)
    top = np.unravel_index(int(near.argmax()), near.shape)
    row, pixel = int(top[0]), int(top[1])
    found = near[:, pixel], near[row, :]
    return row - along + _between(found[0], row), pixel - up + _between(found[1], pixel)


def _between(line: Reals, top: int) -> float:
    """Where the peak of a parabola through three points lies, from the middle one."""
    if top in (0, line.size - 1):
        return 0.0
    a, b, c = line[top - 1 : top + 2].tolist()
    bend = a - 2 * b + c
    return 0.0 if bend >= 0 else max(-0.5, min(0.5, 0.5 * (a - c) / bend))
