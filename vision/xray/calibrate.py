"""Dark and air lines -> a calibration, and what it says of the detector's health. Pure.

Dark is what the converters say without beam; air is what they say above it with beam and an empty tunnel, with every
pulse brought to the same dose. A pixel is bad when it is deaf, shouts, or stands far from its neighbours.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.readings import Instant
from vision.xray.scan import Calibration, Counts, Dual, Energy, Reals

DARK_LINES: Final = 256
AIR_LINES: Final = 512
NEIGHBOURS: Final = 20
"""Pixels to either side whose median a pixel is held against: more than the widest module edge."""
DEAF, LOUD = 0.3, 3.0
"""Of the neighbours' air. Gains of one array differ by a tenth."""
SHOUTS: Final = 6.0
"""Times the usual dark noise, and at least four counts above it."""
STANDS_APART: Final = 12.0
"""Times the usual distance between a pixel's dark and its neighbours'."""
DOSE_PIXELS: Final = 64
"""Where no clear pixels are named, so many in the middle tell the dose of an empty tunnel's pulses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a calibration says of the detector, beside the one before."""

    dark_level: float
    """Counts, median of all pixels, high energy."""
    dark_drift: float
    """Counts, median of all pixels' changes since the calibration before; 0: there was none."""
    air_level: float
    """Counts above dark, median of all pixels, high energy."""
    air_change: float
    """Share, median, since the calibration before; -0.2: a fifth of the light is gone."""
    bad_pixels: int
    bad_run: int
    """Longest stretch of bad pixels side by side: a whole module is 64 or 128."""


def dark_of(lines: Counts) -> tuple[Reals, Reals]:
    """Mean and standard deviation of each pixel; lines (n, pixels)."""
    mean, sigma = lines.mean(axis=0, dtype=np.float64), lines.std(axis=0, dtype=np.float64)
    return mean.astype(np.float32), sigma.astype(np.float32)


def air_of(lines: Counts, dark: Reals, clear: tuple[int, int]) -> Reals:
    """Counts above dark at the mean dose of these lines (n, pixels)."""
    first, count = clear
    if not count:
        first, count = max(0, lines.shape[1] // 2 - DOSE_PIXELS // 2), DOSE_PIXELS
    above = lines - dark
    dose = np.median(above[:, first : first + count], axis=1)
    dose = np.maximum(dose / max(1.0, float(dose.mean())), 1e-3)
    return (above / dose[:, None]).mean(axis=0).astype(np.float32)


def bad_pixels(dark: Reals, sigma: Reals, air: Reals) -> NDArray[np.bool_]:
    """(pixels,)."""
    usual = _beside(air)
    deaf = (air < DEAF * usual) | (air > LOUD * usual) | (air < 20 * np.maximum(sigma, 1.0))
    quiet = float(np.median(sigma))
    shouts = sigma > np.maximum(SHOUTS * quiet, quiet + 4)
    away = np.abs(dark - _beside(dark))
    apart = away > np.maximum(STANDS_APART * float(np.median(away)), 16)
    return deaf | shouts | apart


def empty_tunnel(air: Reals) -> bool:
    """Whether these could be an empty tunnel: hardly a pixel far below the middle of all."""
    return float((air < 0.5 * np.median(air)).mean()) < 0.05


def same_tunnel(air: Reals, before: Reals) -> bool:
    """Whether an air could be an empty tunnel's, by an earlier one: a module may have died, a truck covers half."""
    ratio = air / np.maximum(before, 1.0)
    return float((ratio < 0.9 * np.quantile(ratio, 0.9)).mean()) < 0.1


def calibration(
    dark_lines: Dual[Counts],
    air_lines: Dual[Counts],
    *,
    clear: tuple[int, int],
    monitor: Dual[float],
    dark_at: Instant,
    air_at: Instant,
) -> Calibration:
    """Out of lines (n, pixels) of both energies; of a source of one energy the low ones are empty (0, pixels)."""
    pixels: int = dark_lines.he.shape[1]
    made: dict[str, list[NDArray[np.float32]]] = {"dark": [], "dark_sigma": [], "air": []}
    bad: list[NDArray[np.bool_]] = []
    for energy in Energy:
        darks, airs = dark_lines.of(energy), air_lines.of(energy)
        if not len(darks) or not len(airs):
            dark = np.zeros(pixels, np.float32)
            sigma = air = np.ones(pixels, np.float32)
            bad.append(np.zeros(pixels, np.bool_))
        else:
            dark, sigma = dark_of(darks)
            air = air_of(airs, dark, clear)
            bad.append(bad_pixels(dark, sigma, air))
        made["dark"].append(dark)
        made["dark_sigma"].append(sigma)
        made["air"].append(air)
    arrays = [array for pair in made.values() for array in pair]
    return Calibration(
        dark=Dual(*made["dark"]),
        dark_sigma=Dual(*made["dark_sigma"]),
        air=Dual(*made["air"]),
        bad=Dual(*bad),
        clear=Dual(clear, clear),
        monitor=monitor,
        dark_at=dark_at,
        air_at=air_at,
        dark_lines=len(dark_lines.he),
        air_lines=len(air_lines.he),
        digest=_digest([*arrays, *bad]),
    )


def health(now: Calibration, before: Calibration | None) -> Health:
    """Of one calibration, beside the one before (of the same width)."""
    drift = change = 0.0
    if before is not None and before.pixels == now.pixels:
        drift = float(np.median(now.dark.he - before.dark.he))
        change = float(np.median(now.air.he / np.maximum(before.air.he, 1.0))) - 1.0
    bad = now.bad.he | now.bad.le
    return Health(
        dark_level=float(np.median(now.dark.he)),
        dark_drift=drift,
        air_level=float(np.median(now.air.he)),
        air_change=change,
        bad_pixels=int(bad.sum()),
        bad_run=_longest(bad),
    )


def _beside(values: Reals) -> Reals:
    """Median of each pixel's neighbours."""
    around = min(NEIGHBOURS, max(1, (values.size - 1) // 2))
    padded = np.pad(values, around, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1)
    return np.median(windows, axis=1).astype(np.float32)


def _longest(flags: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _digest(arrays: Sequence[NDArray[np.generic]]) -> str:
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(array.tobytes())
    return sha.hexdigest()
