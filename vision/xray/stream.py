"""Lines -> rows of a picture, as they come: pairs of energies, correction, a grid of equal steps along the truck. Pure.

High and low pulses alternate, half a pitch apart. Each energy is laid on the same grid by where the truck stood at its
pulses, which brings the energies over each other and undoes a change of speed at once. Rows that no pulse was near are
not measured; nothing is invented between them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.xray.correct import NO_SCATTER, Plan, doses, plans, rounded, transmission
from vision.xray.grid import Grid
from vision.xray.remarks import Remarks
from vision.xray.scan import (
    LINE_TABLE,
    Calibration,
    Counts,
    Dual,
    Energy,
    Flag,
    Geometry,
    Line,
    Reals,
    Remark,
)

BLOCK_PAIRS: Final = 64
"""Pairs that are corrected together: 128 lines, a third of a second at 400 a second."""
WEAK: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What some lines have become."""

    raw: Dual[Counts]
    """(lines, pixels) a line a pair."""
    table: NDArray[np.void]
    """(lines,) of LINE_TABLE."""
    picture: Dual[Counts]
    """(rows, pixels)."""
    row_line: Reals
    """(rows,)."""


Pair = tuple[int, dict[Energy, Line]]
"""Number of a pair, and what came of it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Tabled:
    """Some pairs side by side, with rows for those that never came."""

    raw: Dual[Counts]
    table: NDArray[np.void]
    there: dict[Energy, NDArray[np.bool_]]
    encoders: dict[int, int]
    """By pulse of this block: twice the line, and one for the low energy."""


class Pairs:
    """Lines in the order of their pulses -> pairs. A pair that never came leaves a hole in the numbers."""

    def __init__(self, pixels: int, *, dual: bool) -> None:
        self._pixels, self._dual = pixels, dual
        self._even: Energy | None = None if dual else Energy.HE
        """The energy of even numbers."""
        self._open: Pair | None = None

    def take(self, lines: Iterable[Line]) -> list[Pair]:
        """Whole pairs, and broken ones once a later line has come: number of the pair, its lines."""
        done: list[Pair] = []
        for line in lines:
            pair = self._pair_of(line)
            if self._open is not None and self._open[0] != pair:
                done.append(self._open)
                self._open = None
            if self._open is None:
                self._open = (pair, {})
            self._open[1][line.energy] = line
            if len(self._open[1]) == (2 if self._dual else 1):
                done.append(self._open)
                self._open = None
        return done

    def rest(self) -> list[Pair]:
        """The pair that waits for its other half."""
        rest, self._open = self._open, None
        return [] if rest is None else [rest]

    def _pair_of(self, line: Line) -> int:
        if not self._dual:
            return line.number
        odd = bool(line.number & 1)
        # Which energy comes first in a pair is the high one; where a source counts otherwise, pairs shift by one pulse.
        high_is_odd = odd == (line.energy is Energy.HE)
        return (line.number - high_is_odd) // 2


class Corrector:
    """The stream of one scan."""

    def __init__(
        self,
        geometry: Geometry,
        calibration: Calibration,
        *,
        dual: bool = True,
        scatter_share: Dual[float] = NO_SCATTER,
    ) -> None:
        """Raises ValueError for a calibration of another width."""
        if calibration.pixels != geometry.pixels:
            raise ValueError(f"calibration of {calibration.pixels} pixels, scanner of {geometry.pixels}")
        self._geometry, self._dual = geometry, dual
        self._plans = plans(calibration, scatter_share)
        self._pairs = Pairs(geometry.pixels, dual=dual)
        self._waiting: list[Pair] = []
        self._next: int | None = None
        """Number of the pair that comes next."""
        self.lines = 0
        """Given so far, a pair is one."""
        self.rows = 0
        self._grids = Dual(Grid(geometry.pitch_mm), Grid(geometry.pitch_mm))
        self._ready: Dual[list[tuple[Reals, Reals]]] = Dual([], [])
        self._row_flags: Dual[list[NDArray[np.uint16]]] = Dual([], [])
        self._remarks = Remarks()
        self._origin: float | None = None
        self._place = 0.0
        """Of the last pulse whose place is known, and of the last step between two."""
        self._step = geometry.pitch_mm / 2
        self._dose = Dual(1.0, 1.0)

    def take(self, lines: Iterable[Line]) -> Block | None:
        """Lines in the order of their pulses. A block when BLOCK_PAIRS are together."""
        self._waiting += self._pairs.take(lines)
        return self._block() if len(self._waiting) >= BLOCK_PAIRS else None

    def finish(self) -> Block | None:
        """Everything that is held; nothing more will come."""
        self._waiting += self._pairs.rest()
        return self._block() if self._waiting else None

    def remarks(self) -> list[Remark]:
        """What is wrong with the rows given so far, in their order."""
        return self._remarks.told()

    def _block(self) -> Block:
        pairs, self._waiting = self._waiting, []
        tabled = self._tabled(pairs)
        raw, table = tabled.raw, tabled.table
        lines = len(table)
        values = [self._corrected(energy, tabled, pairs) for energy in Energy]
        places = self._places(lines, tabled.encoders)
        numbers = self.lines + np.arange(lines, dtype=np.float64)
        for index, energy in enumerate(Energy):
            if energy is Energy.LE and not self._dual:
                break
            self._lay(energy, places[index::2], values[index], numbers, table)
        self.lines += lines
        picture, row_line = self._given()
        return Block(raw, table, picture, row_line)

    def _tabled(self, pairs: Sequence[Pair]) -> _Tabled:
        first = pairs[0][0] if self._next is None else self._next
        lines = pairs[-1][0] + 1 - first
        self._next = first + lines
        pixels = self._geometry.pixels
        raw = Dual(np.zeros((lines, pixels), np.uint16), np.zeros((lines, pixels), np.uint16))
        table = np.zeros(lines, LINE_TABLE)
        table["temperature_c"], table["dose_he"], table["dose_le"] = np.nan, np.nan, np.nan
        there = {energy: np.zeros(lines, bool) for energy in Energy}
        table["number"] = (first + np.arange(lines)) * (2 if self._dual else 1)
        rows = np.array([pair - first for pair, _ in pairs])
        leads = [both.get(Energy.HE) or both[Energy.LE] for _, both in pairs]
        table["number"][rows] = [lead.number & 0xFFFFFFFF for lead in leads]
        table["encoder"][rows] = [lead.encoder or 0 for lead in leads]
        table["stamp_ns"][rows] = np.array([lead.stamp_ns or 0 for lead in leads], np.uint64)
        table["temperature_c"][rows] = [np.nan if lead.temperature_c is None else lead.temperature_c for lead in leads]
        for energy in Energy:
            of = [(pair - first, line) for pair, both in pairs if (line := both.get(energy)) is not None]
            if not of:
                continue
            here = np.array([row for row, _ in of])
            counts = raw.of(energy)
            for row, line in of:
                counts[row] = line.values
            there[energy][here] = True
            table[f"pulse_{energy.value}"][here] = [line.pulse or 0 for _, line in of]
            part = (Flag.PART_HE if energy is Energy.HE else Flag.PART_LE).bit
            table["flags"][[row for row, line in of if line.missing]] |= part
        table["flags"][~there[Energy.HE]] |= Flag.LOST_HE.bit
        if self._dual:
            table["flags"][~there[Energy.LE]] |= Flag.LOST_LE.bit
        encoders = {
            2 * (pair - first) + (energy is Energy.LE): line.encoder
            for pair, both in pairs
            for energy, line in both.items()
            if line.encoder is not None
        }
        return _Tabled(raw, table, there, encoders)

    def _corrected(self, energy: Energy, tabled: _Tabled, pairs: Sequence[Pair]) -> Reals:
        raw, table, there = tabled.raw.of(energy), tabled.table, tabled.there[energy]
        plan: Plan = self._plans.of(energy)
        dose = doses(raw, plan, table[f"pulse_{energy.value}"])
        untold = there & ~(dose > 0)
        table["flags"][untold] |= Flag.NO_PULSE.bit
        dose = self._between(energy, np.where(there & (dose > 0), dose, np.nan).astype(np.float32))
        table[f"dose_{energy.value}"] = np.where(there, dose, np.nan)
        table["flags"][there & (dose < WEAK)] |= Flag.WEAK.bit
        table["flags"][there & (raw.max(axis=1) == np.iinfo(np.uint16).max)] |= Flag.SATURATED.bit
        values = transmission(raw, plan, dose)
        values[~there] = np.nan
        first = pairs[-1][0] + 1 - len(table)
        for pair, both in pairs:
            line = both.get(energy)
            for gap in () if line is None else line.missing:
                values[pair - first, gap.start : gap.stop] = np.nan
        return values

    def _between(self, energy: Energy, dose: Reals) -> Reals:
        """Doses that nothing told, from their neighbours; the last one told is remembered."""
        told = np.flatnonzero(np.isfinite(dose))
        if told.size == dose.size:
            found = dose
        elif told.size:
            found = np.interp(np.arange(dose.size), told, dose[told]).astype(np.float32)
        else:
            found = np.full(dose.size, self._dose.of(energy), np.float32)
        last = float(found[-1])
        self._dose = Dual(last, self._dose.le) if energy is Energy.HE else Dual(self._dose.he, last)
        return found

    def _places(self, lines: int, encoders: dict[int, int]) -> NDArray[np.float64]:
        """(2 lines,) mm along the truck at each pulse, high and low in turn."""
        mm, pulses = self._geometry.encoder_mm, np.arange(2 * lines)
        if mm is None:
            places = (2 * self.lines + pulses) * (self._geometry.pitch_mm / 2)
        elif not encoders:
            places = self._place + self._step * (pulses + 1.0)
        else:
            told = np.array(sorted(encoders))
            at = np.array([encoders[int(n)] for n in told], np.float64) * mm
            if told.size > 1:
                self._step = float((at[-1] - at[0]) / (told[-1] - told[0]))
            before = at[0] - self._step * (told[0] + 1) if self._origin is None else self._place
            known = np.concatenate([[-1], told]), np.concatenate([[before], at])
            beyond = np.maximum(pulses - told[-1], 0)
            places = np.interp(pulses, *known) + self._step * beyond
        self._place = float(places[-1])
        if self._origin is None:
            self._origin = float(places[0])
        return np.asarray(places, np.float64)

    def _lay(
        self,
        energy: Energy,
        places: NDArray[np.float64],
        values: Reals,
        numbers: NDArray[np.float64],
        table: NDArray[np.void],
    ) -> None:
        assert self._origin is not None
        made, row_line, fast, stood = self._grids.of(energy).rows(self._origin, places, values, numbers)
        table["flags"][stood] |= Flag.SPEED.bit
        flags = np.zeros(len(row_line), np.uint16)
        nearest = np.clip(np.rint(row_line - numbers[0]), 0, len(table) - 1).astype(int)
        carried = Flag.NO_PULSE.bit | Flag.SATURATED.bit | Flag.WEAK.bit
        flags |= table["flags"][nearest] & np.uint16(carried)
        flags[fast] |= Flag.SPEED.bit
        if stood.any():
            # The rows at which the truck stood or rolled are not to scale either.
            edge = np.flatnonzero(np.diff(np.concatenate([[False], stood])))
            for line in edge:
                flags[np.abs(row_line - numbers[min(line, len(numbers) - 1)]) <= 1] |= Flag.SPEED.bit
        gone = np.isnan(made)
        whole, part = gone.all(axis=1), gone.any(axis=1)
        flags[whole] |= (Flag.LOST_HE if energy is Energy.HE else Flag.LOST_LE).bit
        flags[part & ~whole] |= (Flag.PART_HE if energy is Energy.HE else Flag.PART_LE).bit
        self._ready.of(energy).append((made, row_line))
        self._row_flags.of(energy).append(flags)

    def _given(self) -> tuple[Dual[Counts], Reals]:
        pixels = self._geometry.pixels
        values = [_joined([part for part, _ in self._ready.of(energy)], pixels) for energy in Energy]
        row_lines = [np.concatenate([np.zeros(0, np.float32), *(r for _, r in self._ready.of(e))]) for e in Energy]
        flags = [np.concatenate([np.zeros(0, np.uint16), *self._row_flags.of(energy)]) for energy in Energy]
        count = len(values[0]) if not self._dual else min(len(values[0]), len(values[1]))
        for index, energy in enumerate(Energy):
            self._ready.of(energy)[:] = [(values[index][count:], row_lines[index][count:])]
            self._row_flags.of(energy)[:] = [flags[index][count:]]
        high = values[0][:count]
        low = values[1][:count] if self._dual else np.full((count, pixels), np.nan, np.float32)
        both = flags[0][:count] | (flags[1][:count] if self._dual else 0)
        self._remarks.add(np.asarray(both, np.uint16), self.rows)
        self.rows += count
        line = np.where(np.isnan(high).all(axis=1) & np.isnan(low).all(axis=1), -1, row_lines[0][:count])
        return Dual(rounded(high), rounded(low)), line.astype(np.float32)


def _joined(parts: Sequence[Reals], pixels: int) -> Reals:
    parts = [part for part in parts if len(part)]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.zeros((0, pixels), np.float32), *parts])
