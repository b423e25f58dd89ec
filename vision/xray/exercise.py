"""Exercises with projected threats: what a person said, held against what was there; rates with what they are worth.

An exercise is an image with a projection or without one: without the second kind there are no false alarms to count,
and whoever marks everything would look best. Marks are the page's: pixels from the left and the top of the picture.
The log names the master by its digest and the projection by its name; no pixel of either is in it, and the master is
not touched.
"""

import math
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from vision.xray.exchange import Mark
from vision.xray.findings import Place
from vision.xray.projection import Placement

LOG: Final = "exercises.jsonl"
Z_95: Final = 1.959964
MOST_TIMES: Final = 12.0
"""A mark so many times the threat's box is no finding of it: whoever marks the whole truck has found nothing."""


class Outcome(StrEnum):
    """Of one exercise."""

    HIT = "hit"
    MISS = "miss"
    """Something was there, and no mark was on it."""
    FALSE_ALARM = "false_alarm"
    """Nothing was there, and something was marked or the container was to be opened."""
    REJECTED = "rejected"
    """Nothing was there, and nothing was said to be."""


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """One image shown to one person, and what he said of it. A line of the log."""

    at: float
    """Site seconds, when it was answered."""
    person: str
    master: str
    """Digest of the scan."""
    projection: str
    """Name of the projection; empty: the scan as it is."""
    threat: str = ""
    kind: str = ""
    placement: Placement | None = None
    seed: int = 0
    seen: float = 0.0
    """d' of an ideal eye."""
    spent_s: float
    opened: bool
    """Said to open it, or that it is suspect."""
    marks: int
    on_it: int
    """Marks on the threat."""
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many, with Wilson's interval at 95 %."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """None: of none."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Within which the true share lies nineteen times of twenty; of none it is everything."""
        return wilson(self.count, self.of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Of one person, or of all, or of one kind of threat."""

    hits: Rate
    false_alarms: Rate
    median_s: float
    by_kind: dict[str, Rate]
    """Hits."""


def wilson(count: int, of: int) -> tuple[float, float]:
    """Wilson's interval of a share at 95 %."""
    if of <= 0:
        return 0.0, 1.0
    z2, share = Z_95**2, count / of
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z_95 / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def box_from_top(place: Place, height: int) -> Mark:
    """A place (rows along, pixels from the foot) as a mark of the page; `height`: pixels of the picture."""
    return Mark(x=place.row, y=height - place.pixel - place.pixels, width=place.rows, height=place.pixels)


def on_it(mark: Mark, box: Mark) -> bool:
    """Whether a mark points at the threat: their middles lie in one another, or they cover a third of each other."""
    if mark.width * mark.height > MOST_TIMES * max(1, box.width * box.height):
        return False
    wide = min(mark.x + mark.width, box.x + box.width) - max(mark.x, box.x)
    high = min(mark.y + mark.height, box.y + box.height) - max(mark.y, box.y)
    if wide <= 0 or high <= 0:
        return False
    return _holds(mark, box) or _holds(box, mark) or wide * high * 3 >= min(_area(mark), _area(box))


def outcome(box: Mark | None, marks: Sequence[Mark], *, opened: bool) -> tuple[Outcome, int]:
    """What an answer is worth, and how many marks were on the threat. `box`: None where nothing was projected."""
    if box is None:
        return (Outcome.FALSE_ALARM if marks or opened else Outcome.REJECTED), 0
    right = sum(on_it(mark, box) for mark in marks)
    return (Outcome.HIT if right else Outcome.MISS), right


def score(exercises: Iterable[Exercise]) -> Score:
    """Counts and rates."""
    done = list(exercises)
    shown = [e for e in done if e.projection]
    clean = [e for e in done if not e.projection]
    kinds = sorted({e.kind for e in shown})
    spent = sorted(e.spent_s for e in done)
    return Score(
        hits=_rate(shown, Outcome.HIT),
        false_alarms=_rate(clean, Outcome.FALSE_ALARM),
        median_s=spent[len(spent) // 2] if spent else 0.0,
        by_kind={kind: _rate([e for e in shown if e.kind == kind], Outcome.HIT) for kind in kinds},
    )


class ExerciseLog:
    """`exercises.jsonl` in a folder, only ever appended to. Blocking: call from a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, exercise: Exercise) -> None:
        """On the disk on return. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOG).open("ab") as file:
            file.write(msgspec.json.encode(exercise) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def all(self) -> list[Exercise]:
        """Those that can be read, oldest first."""
        found: list[Exercise] = []
        with suppress(FileNotFoundError), (self.folder / LOG).open("rb") as file:
            for line in file:
                with suppress(msgspec.MsgspecError):
                    found.append(msgspec.json.decode(line, type=Exercise))
        return found


def _rate(of: Sequence[Exercise], what: Outcome) -> Rate:
    return Rate(sum(e.outcome is what for e in of), len(of))


def _area(mark: Mark) -> int:
    return mark.width * mark.height


def _holds(outer: Mark, inner: Mark) -> bool:
    x, y = inner.x + inner.width / 2, inner.y + inner.height / 2
    return outer.x <= x <= outer.x + outer.width and outer.y <= y <= outer.y + outer.height
