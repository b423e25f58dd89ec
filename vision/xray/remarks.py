"""Flags of rows -> remarks: what is wrong with which stretch of the picture, in words. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.xray.scan import Energy, Flag, Flaw, Remark

FLAWS_KEPT: Final = 400
"""Remarks of a scan. Of a stream with a hole in every line, the first ones and a sum are told."""


class Remarks:
    """Of one scan, row after row."""

    def __init__(self) -> None:
        self._done: list[Remark] = []
        self._open: dict[tuple[Flaw, Energy | None], tuple[int, int]] = {}
        self._more: dict[Flaw, int] = {}

    def add(self, flags: NDArray[np.uint16], first: int) -> None:
        """Flags of the next rows, the first of which is row `first`."""
        if not flags.any() and not self._open:
            return
        for row, bits in enumerate(flags.tolist(), first):
            now = set(_flaws(bits))
            for key in [key for key in self._open if key not in now]:
                self._close(key)
            for key in now:
                start, count = self._open.get(key, (row, 0))
                self._open[key] = (start, count + 1)

    def told(self) -> list[Remark]:
        """All of them."""
        rest = [Remark(flaw, first, count, energy) for (flaw, energy), (first, count) in self._open.items()]
        said = sorted([*self._done, *rest], key=lambda remark: (remark.first, remark.flaw))
        last = max((remark.first for remark in said), default=0)
        return said + [Remark(flaw, last, 0, note=f"and {n} more places") for flaw, n in self._more.items()]

    def _close(self, key: tuple[Flaw, Energy | None]) -> None:
        first, count = self._open.pop(key)
        if len(self._done) < FLAWS_KEPT:
            self._done.append(Remark(key[0], first, count, key[1]))
        else:
            self._more[key[0]] = self._more.get(key[0], 0) + 1


def _flaws(bits: int) -> list[tuple[Flaw, Energy | None]]:
    found: list[tuple[Flaw, Energy | None]] = []
    if not bits:
        return found
    high, low = bits & Flag.LOST_HE.bit, bits & Flag.LOST_LE.bit
    if high and low:
        found.append((Flaw.GAP, None))
    elif high or low:
        found.append((Flaw.LOST_ENERGY, Energy.HE if high else Energy.LE))
    if bits & Flag.PART_HE.bit:
        found.append((Flaw.PART_LINE, Energy.HE))
    if bits & Flag.PART_LE.bit:
        found.append((Flaw.PART_LINE, Energy.LE))
    for flag, flaw in (
        (Flag.SPEED, Flaw.CLIPPED_SPEED),
        (Flag.NO_PULSE, Flaw.NO_PULSE),
        (Flag.SATURATED, Flaw.SATURATED),
        (Flag.WEAK, Flaw.WEAK_BEAM),
    ):
        if bits & flag.bit:
            found.append((flaw, None))
    return found
