"""Lines at their places -> rows of equal steps along the truck. Pure.

A row is its nearest lines, mixed by their distance; what no line was near is not measured.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.xray.scan import Reals

SNAP: Final = 0.15
"""Of a pitch: a row so near to a line is that line, unmixed, with its own noise."""
NEAR: Final = 0.55
"""Of a pitch: a row is measured by the line of a broken pair when it is no further away than the half pitch between the
energies."""
TOO_FAST: Final = 2.0
"""Pitches between two lines of one energy: what is drawn between them is a guess of shape."""
STANDS: Final = 0.05
"""Of a pitch: a line that came no further adds nothing."""


class Grid:
    """Lines of one energy at their places -> rows of equal steps."""

    def __init__(self, pitch_mm: float) -> None:
        self._pitch = pitch_mm
        self._last: tuple[float, Reals, float] | None = None
        """Place, values and line number of the last line that came further."""
        self._row = 0

    def rows(
        self, origin: float, places: NDArray[np.float64], values: Reals, numbers: NDArray[np.float64]
    ) -> tuple[Reals, Reals, NDArray[np.bool_], NDArray[np.bool_]]:
        """Rows up to the last line: values (rows, pixels), line of each row, too fast there; and which lines stood."""
        stood = np.zeros(places.size, bool)
        last = -np.inf if self._last is None else self._last[0]
        least = STANDS * self._pitch
        steps = np.diff(places, prepend=last)
        if not (steps >= least).all():
            for n, place in enumerate(places):
                stood[n] = place < last + least
                last = last if stood[n] else float(place)
            places, values, numbers = places[~stood], values[~stood], numbers[~stood]
        if self._last is not None:
            places = np.concatenate([[self._last[0]], places])
            values = np.concatenate([self._last[1][None, :], values])
            numbers = np.concatenate([[self._last[2]], numbers])
        if not places.size:
            nothing = np.zeros(0, np.float32)
            return np.zeros((0, values.shape[1]), np.float32), nothing, np.zeros(0, bool), stood
        self._last = (float(places[-1]), values[-1].copy(), float(numbers[-1]))
        reach = (places[-1] - origin) / self._pitch
        count = max(0, int(np.floor(reach + SNAP)) + 1 - self._row)
        wanted = origin + (self._row + np.arange(count)) * self._pitch
        self._row += count
        made, row_line, fast = _laid(np.asarray(wanted, np.float64), places, values, numbers, self._pitch)
        return made, row_line, fast, stood


def _laid(
    wanted: NDArray[np.float64],
    places: NDArray[np.float64],
    values: Reals,
    numbers: NDArray[np.float64],
    pitch: float,
) -> tuple[Reals, Reals, NDArray[np.bool_]]:
    after = np.clip(np.searchsorted(places, wanted), 1, max(1, places.size - 1))
    after = np.minimum(after, places.size - 1)
    before = np.maximum(after - 1, 0)
    wide = np.maximum(places[after] - places[before], 1e-9)
    share = np.clip((wanted - places[before]) / wide, 0.0, 1.0)
    share = np.where((1 - share) * wide < SNAP * pitch, 1.0, np.where(share * wide < SNAP * pitch, 0.0, share))
    row_line = (numbers[before] + (numbers[after] - numbers[before]) * share).astype(np.float32)
    fast = (wide > TOO_FAST * pitch) & (share > 0) & (share < 1)
    if (share == 1).all():
        made = values[after]
    elif not ((share == 0) | (share == 1)).any() and not np.isnan(values.sum(dtype=np.float64)):
        made, high = values[before], values[after]
        high -= made
        high *= share.astype(np.float32)[:, None]
        made += high
        return made, row_line, fast
    else:
        weight = share.astype(np.float32)[:, None]
        low, high = values[before], values[after]
        made = np.where(share[:, None] == 0, low, np.where(share[:, None] == 1, high, 0))
        mixed = (share > 0) & (share < 1)
        made[mixed] = low[mixed] * (1 - weight[mixed]) + high[mixed] * weight[mixed]
    if np.isnan(made.sum(dtype=np.float64)):
        made = _mended(made, wanted, places, values, before, after, NEAR * pitch)
    beyond = (wanted < places[0] - NEAR * pitch) | (wanted > places[-1] + NEAR * pitch)
    if beyond.any():
        made[beyond], row_line[beyond] = np.nan, -1
    return made, row_line, fast


def _mended(
    made: Reals,
    wanted: NDArray[np.float64],
    places: NDArray[np.float64],
    values: Reals,
    before: NDArray[np.intp],
    after: NDArray[np.intp],
    near: float,
) -> Reals:
    """Where one of the two lines of a row is not there, the other one stands for it if it is near enough."""
    made = made.copy()
    for row in np.flatnonzero(np.isnan(made).any(axis=1)):
        gone = np.isnan(made[row])
        for line in sorted((before[row], after[row]), key=lambda one: abs(places[one] - wanted[row])):
            if abs(places[line] - wanted[row]) <= near:
                take = gone & ~np.isnan(values[line])
                made[row, take] = values[line, take]
                gone &= ~take
    return made
