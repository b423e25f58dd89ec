"""Counts -> transmission: dark, air, pulse, bad pixels, in that order, for any number of lines at once. Pure.

    transmission = (counts - dark) / air / dose - scatter

Lines go through in float32, in place, a block at a time: a block stays in the processor's cache from its counts to its
picture. What follows (registration of the energies, the grid along the truck) is vision/xray/stream.py's.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.xray.scan import NOT_MEASURED, SCALE, Calibration, Counts, Dual, Energy, Reals

DARKEST: Final = 1
BRIGHTEST: Final = 65_535
CLEAR_SPREAD: Final = 0.05
"""Clear pixels whose median and mean differ by more are not all clear: something tall stands before them."""
MONITOR_AGREES: Final = 0.06
"""Clear pixels and monitor tell the same dose within this; where they do not, the clear pixels are covered."""
LEAST_CLEAR: Final = 4
NO_SCATTER: Final = Dual(0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A calibration of one energy, ready for use. Arrays (pixels,) float32."""

    dark: Reals
    per_count: Reals
    """Picture's values per count above dark, at dose 1."""
    clear: slice
    clear_air: Reals
    bad: NDArray[np.intp]
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    share: Reals
    """Of the right neighbour in a bad pixel's value."""
    monitor: float
    scatter: float
    """On the picture's scale."""

    @classmethod
    def of(cls, calibration: Calibration, energy: Energy, scatter_share: float = 0.0) -> "Plan":
        """`scatter_share`: light of air that reaches a pixel which nothing should reach, to be taken off."""
        air = np.maximum(calibration.air.of(energy), 1.0).astype(np.float32)
        bad, left, right, share = _neighbours(calibration.bad.of(energy))
        first, count = calibration.clear.of(energy)
        good = np.setdiff1d(np.arange(first, first + count), bad)
        clear = slice(first, first + count) if good.size >= LEAST_CLEAR else slice(0, 0)
        clear_air = air[clear].copy()
        clear_air[np.isin(np.arange(clear.start, clear.stop), bad)] = np.nan
        return cls(
            dark=calibration.dark.of(energy).astype(np.float32),
            per_count=(SCALE / air).astype(np.float32),
            clear=clear,
            clear_air=clear_air,
            bad=bad,
            left=left,
            right=right,
            share=share,
            monitor=calibration.monitor.of(energy),
            scatter=scatter_share * SCALE,
        )


def plans(calibration: Calibration, scatter_share: Dual[float] = NO_SCATTER) -> Dual[Plan]:
    """Of both energies."""
    return Dual(Plan.of(calibration, Energy.HE, scatter_share.he), Plan.of(calibration, Energy.LE, scatter_share.le))


def doses(counts: Counts, plan: Plan, monitor: NDArray[np.uint16] | None = None) -> Reals:
    """(lines,) strength of each pulse, the calibration's is 1; NaN where nothing tells it.

    Clear pixels tell it to a thousandth and see what the picture sees; the beam monitor where they are covered or none.
    """
    lines = counts.shape[0]
    by_monitor = np.full(lines, np.nan, np.float32)
    if monitor is not None and plan.monitor > 0:
        by_monitor = np.where(monitor > 0, monitor / np.float32(plan.monitor), np.nan).astype(np.float32)
    if plan.clear.stop == plan.clear.start:
        return by_monitor
    seen = (counts[:, plan.clear].astype(np.float32) - plan.dark[plan.clear]) / plan.clear_air
    good = seen[:, np.isfinite(plan.clear_air)]
    middle, mean = np.median(good, axis=1), good.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        covered = np.abs(mean / middle - 1) > CLEAR_SPREAD
        covered |= np.abs(middle / by_monitor - 1) > MONITOR_AGREES
    covered |= middle <= 0
    # The mean is quieter than the median by a fifth; the median has said that the mean may be believed.
    return np.where(covered, by_monitor, mean).astype(np.float32)


def transmission(counts: Counts, plan: Plan, dose: Reals, out: Reals | None = None) -> Reals:
    """(lines, pixels) float32 on the picture's scale, not yet rounded. `dose` (lines,) must be above 0."""
    found = np.subtract(counts, plan.dark, out=out, dtype=np.float32)
    found *= plan.per_count
    found *= (1 / dose)[:, None]
    if plan.scatter:
        found -= np.float32(plan.scatter)
    if plan.bad.size:
        left, right = found[:, plan.left], found[:, plan.right]
        found[:, plan.bad] = left + (right - left) * plan.share
    return found


def rounded(values: Reals) -> Counts:
    """To the picture's 16 bits; NaN is not measured."""
    whole = np.rint(values)
    np.clip(whole, DARKEST, BRIGHTEST, out=whole)
    if np.isnan(whole.sum(dtype=np.float64)):
        np.nan_to_num(whole, copy=False, nan=NOT_MEASURED)
    return whole.astype(np.uint16)


def _neighbours(
    bad: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], Reals]:
    """Bad pixels, the nearest good ones below and above each, and the weight of the upper."""
    where, good = np.flatnonzero(bad), np.flatnonzero(~bad)
    if not where.size or not good.size:
        nothing = np.zeros(0, np.intp)
        return nothing, nothing, nothing, np.zeros(0, np.float32)
    place = np.searchsorted(good, where)
    left, right = good[np.clip(place - 1, 0, good.size - 1)], good[np.clip(place, 0, good.size - 1)]
    wide = np.maximum(right - left, 1)
    return where, left, right, ((where - left) / wide).clip(0, 1).astype(np.float32)
