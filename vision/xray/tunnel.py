"""What happens in the tunnel, told by its lines alone: dark, beam, empty, a truck, empty again. Pure.

Everything that is needed is in the lines: without beam they are dark and become the next scan's offset; with beam and
nothing before it they become its air; a truck is what darkens them. A scan begins a little before the truck and ends a
little behind it. One that the beam, the detector or the calendar ends earlier is torn, and says by what.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.readings import Instant
from vision.xray.calibrate import AIR_LINES, DARK_LINES, Health, calibration, empty_tunnel, health, same_tunnel
from vision.xray.scan import Calibration, Counts, Dual, Energy, Line

LIT_COUNTS: Final = 2_000
"""Above the dark: the weakest beam gives ten times as much, and offsets drift by a hundred."""
DARK_CEILING: Final = 6_000
"""Before any calibration: a converter's offset is a few per cent of its range, the weakest beam is above."""
SETTLE_LINES: Final = 16
"""Of each energy, after the beam came on: a linac's first pulses are not its usual ones."""
PRESENT_BELOW: Final = 0.93
"""Of air, at a pixel: sixteen sigma of the design beam's noise."""
PRESENT_SHARE: Final = 0.015
"""Of the pixels: twenty of 1,400, a corner post is forty."""
PIXELS_LOOKED: Final = 400
"""Of a long array: every third or fourth pixel still sees a corner post."""
PRESENT_LINES: Final = 3
"""In a row, before a scan begins."""
BEFORE_LINES: Final = 64
"""Of both energies, kept from before the truck."""
OFF_LINES: Final = 4
"""Dark in a row: a pulse that did not fire is no beam off."""
LONGEST_GAP: Final = 4_000
"""Lines: ten seconds at 400 a second; a scan with a longer hole is two pieces of a truck."""
SILENT_S: Final = 2.0


class State(StrEnum):
    """What the tunnel is taken for."""

    UNLIT = "unlit"
    EMPTY = "empty"
    """Beam, and nothing before it."""
    TRUCK = "truck"
    REFUSED = "refused"
    """A truck of which no picture can be made."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """A calibration is there, of this minute."""

    calibration: Calibration
    health: Health


@dataclass(frozen=True, slots=True, eq=False)
class Began:
    """A scan begins, with this calibration."""

    calibration: Calibration
    at: Instant


@dataclass(frozen=True, slots=True, eq=False)
class More:
    """Lines of the scan, in order."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The scan is over; `torn`: why it ended before the truck did, empty when it did not."""

    torn: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Refused:
    """A truck went through, and no scan of it can be made."""

    why: str
    at: Instant


Event = Calibrated | Began | More | Ended | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of one tunnel."""

    pixels: int
    dual: bool
    clear: tuple[int, int]
    """First pixel and count of those that nothing ever covers; (0, 0): none."""
    after_lines: int
    """Of both energies, empty in a row, that end a scan: more than the longest gap in a truck."""
    calibration_age_s: float
    """An older calibration than this is none."""
    longest_lines: int = 100_000


class Tunnel:
    """One tunnel. `known`: the last calibration of an earlier life."""

    def __init__(self, settings: Settings, known: Calibration | None = None) -> None:
        self.state = State.UNLIT
        self.known = known if known is not None and known.pixels == settings.pixels else None
        self.lit_at: Instant | None = None
        self._settings = settings
        self._darks = _Gathered(DARK_LINES + 64)
        self._dark: Dual[Counts] | None = None
        self._dark_at = Instant(0.0)
        self._airs = _Gathered(AIR_LINES)
        self._fresh = False
        """Whether this beam's air has been taken."""
        self._recent: deque[Line] = deque(maxlen=BEFORE_LINES)
        self._settling = 0
        self._present = self._clear = self._off = 0
        self._in_scan = 0
        self._last: Line | None = None
        self._looked = np.zeros(0, np.intp)
        self._dark_looked = self._air_looked = np.zeros(0, np.float32)
        self._refer()

    def take(self, lines: Sequence[Line]) -> list[Event]:
        """Lines in the order of their pulses."""
        events: list[Event] = []
        passed: list[Line] = []
        for line in lines:
            before = self.state
            happened: list[Event] = []
            self._one(line, happened)
            if before is State.TRUCK and self.state is not State.TRUCK and passed:
                events.append(More(tuple(passed)))
                passed.clear()
            events += happened
            if self.state is State.TRUCK:
                if before is not State.TRUCK:
                    passed += self._recent
                passed.append(line)
            self._recent.append(line)
            self._last = line
        if passed:
            events.append(More(tuple(passed)))
        return events

    def silent(self, now: Instant) -> list[Event]:
        """No line came for a while."""
        if self._last is None or now - self._last.at < SILENT_S or self.state is State.UNLIT:
            return []
        events: list[Event] = []
        if self.state is State.TRUCK:
            events.append(Ended("the detector fell silent", now))
        self._unlit()
        return events

    def _one(self, line: Line, events: list[Event]) -> None:
        lit = self._lit(line)
        if lit:
            self.lit_at = line.at
        if self._last is not None and line.number - self._last.number > LONGEST_GAP and self.state is not State.UNLIT:
            if self.state is State.TRUCK:
                events.append(Ended(f"{line.number - self._last.number - 1} lines are missing", line.at))
            self._unlit()
        if self.state is State.UNLIT:
            if lit:
                self._light(line)
            else:
                self._darks.add(line)
            return
        self._off = 0 if lit else self._off + 1
        if self._off >= OFF_LINES:
            if self.state is State.TRUCK:
                torn = "" if self._clear >= self._settings.after_lines // 4 else "the beam ended before the truck did"
                events.append(Ended(torn, line.at))
            self._unlit()
            return
        if not lit:
            return
        if self._settling:
            self._settling -= 1
            return
        self._look(line, events)

    def _look(self, line: Line, events: list[Event]) -> None:
        present = self._darkened(line)
        if present is None:
            if self.state is State.EMPTY:
                self._gather(line, events)
            return
        self._present = self._present + 1 if present else 0
        self._clear = 0 if present else self._clear + 1
        match self.state:
            case State.EMPTY:
                if self._present >= PRESENT_LINES:
                    self._begin(line, events)
                elif not present:
                    self._gather(line, events)
            case State.TRUCK:
                self._in_scan += 1
                if self._in_scan > self._settings.longest_lines:
                    events.append(Ended("longer than any truck", line.at))
                    self.state = State.REFUSED
                elif self._clear >= self._settings.after_lines:
                    events.append(Ended("", line.at))
                    self.state = State.EMPTY
            case State.REFUSED if self._clear >= self._settings.after_lines:
                self.state = State.EMPTY
            case _:
                pass

    def _begin(self, line: Line, events: list[Event]) -> None:
        known = self.known
        if known is None:
            events.append(Refused(f"no calibration: {self._airs.least(dual=self._settings.dual)} lines of empty tunnel "
                                  f"before the truck, {AIR_LINES} are needed", line.at))  # fmt: skip
            self.state = State.REFUSED
        elif line.at - known.air_at > self._settings.calibration_age_s:
            events.append(Refused(f"the last calibration is {(line.at - known.air_at) / 3600:.1f} h old", line.at))
            self.state = State.REFUSED
        else:
            events.append(Began(known, line.at))
            self.state = State.TRUCK
            self._in_scan = 0
        self._clear = 0

    def _light(self, line: Line) -> None:
        self.state = State.EMPTY
        self._settling = SETTLE_LINES * (2 if self._settings.dual else 1)
        self._present = self._clear = self._off = 0
        self._airs.clear()
        self._fresh = False
        if self._darks.least(dual=self._settings.dual) >= DARK_LINES:
            self._dark, self._dark_at = self._darks.lines(self._settings.pixels), line.at
        self._refer()

    def _unlit(self) -> None:
        self.state = State.UNLIT
        self._darks.clear()
        self._off = 0

    def _gather(self, line: Line, events: list[Event]) -> None:
        if self._fresh:
            return
        self._airs.add(line)
        if self._airs.least(dual=self._settings.dual) < AIR_LINES:
            return
        dark = self._dark
        if dark is None and self.known is not None:
            dark = Dual(*(np.rint(self.known.dark.of(e))[None, :].astype(np.uint16) for e in Energy))
        self._fresh = True
        if dark is None:
            return
        made = calibration(
            dark,
            self._airs.lines(self._settings.pixels),
            clear=self._settings.clear,
            monitor=self._airs.monitor(),
            dark_at=self._dark_at if self._dark is not None or self.known is None else self.known.dark_at,
            air_at=line.at,
        )
        if not empty_tunnel(made.air.he) or (
            self.known is not None and not same_tunnel(made.air.he, self.known.air.he)
        ):
            events.append(Refused("the tunnel was not empty when the beam came on", line.at))
            self.state, self._clear = State.REFUSED, 0
            return
        told = health(made, self.known)
        self.known = made
        self._refer()
        events.append(Calibrated(made, told))

    def _lit(self, line: Line) -> bool:
        if line.pulse:
            return True
        first, count = self._settings.clear
        level = float(line.values.mean())
        if count:
            level = max(level, float(line.values[first : first + count].mean()))
        return level > (DARK_CEILING if self.known is None else self._dark_level(line.energy) + LIT_COUNTS)

    def _dark_level(self, energy: Energy) -> float:
        assert self.known is not None
        return float(self.known.dark.of(energy)[::16].mean())

    def _refer(self) -> None:
        """What an empty tunnel looks like, high energy, at the pixels that are looked at."""
        if self.known is not None:
            good = np.flatnonzero(~self.known.bad.he)
            self._looked = good[:: max(1, good.size // PIXELS_LOOKED)]
            self._dark_looked = self.known.dark.he[self._looked]
            self._air_looked = np.maximum(self.known.air.he[self._looked], 1.0)

    def _darkened(self, line: Line) -> bool | None:
        """Whether something stands before the pixels; None where this line cannot tell."""
        if line.energy is not Energy.HE or line.missing:
            return None
        if not self._fresh or self.known is None:
            return self._by_first_lines(line)
        return self._share_below((line.values[self._looked] - self._dark_looked) / self._air_looked)

    def _by_first_lines(self, line: Line) -> bool | None:
        first = self._airs.first()
        if first is None:
            return None
        return self._share_below((line.values - first * 0.04) / np.maximum(first * 0.96, 1.0))

    def _share_below(self, through: NDArray[np.floating]) -> bool:
        # A strong pulse or a weak one moves all pixels: the brightest tenth says how strong it was.
        dose = float(np.quantile(through, 0.9))
        return bool((through < PRESENT_BELOW * max(dose, 0.3)).mean() > PRESENT_SHARE)


class _Gathered:
    """The last so many lines of each energy."""

    def __init__(self, most: int) -> None:
        self._of: dict[Energy, deque[Line]] = {energy: deque(maxlen=most) for energy in Energy}
        self._mean: NDArray[np.float32] | None = None

    def add(self, line: Line) -> None:
        if not line.missing:
            self._of[line.energy].append(line)

    def clear(self) -> None:
        for lines in self._of.values():
            lines.clear()
        self._mean = None

    def least(self, *, dual: bool) -> int:
        return min(len(self._of[Energy.HE]), len(self._of[Energy.LE])) if dual else len(self._of[Energy.HE])

    def lines(self, pixels: int) -> Dual[Counts]:
        nothing = np.zeros((0, pixels), np.uint16)
        return Dual(*(np.stack([line.values for line in of]) if of else nothing for of in self._of.values()))

    def monitor(self) -> Dual[float]:
        told = [[line.pulse for line in of if line.pulse] for of in self._of.values()]
        return Dual(*(float(np.mean(pulses)) if pulses else 0.0 for pulses in told))

    def first(self) -> NDArray[np.float32] | None:
        """Mean of the first 32 high lines; None before."""
        if self._mean is None and len(self._of[Energy.HE]) >= 32:
            lines = list(self._of[Energy.HE])[:32]
            self._mean = np.stack([line.values for line in lines]).mean(axis=0, dtype=np.float64).astype(np.float32)
        return self._mean
