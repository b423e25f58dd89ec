"""What any time-series engine offers, in our words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

BUCKETS_CEILING = 20_000
"""Buckets one curve may have: ten times what a screen is wide. A wider question is a mistake or an attack."""


class Point(msgspec.Struct, frozen=True, gc=False):
    """Values of one instant. Numbers only, all of them float, so that a field can never change its type.

    Two points with the same measurement, tags and instant are one point: the later written stands.
    """

    measurement: str
    tags: tuple[tuple[str, str], ...]
    """Sorted by name."""
    fields: dict[str, float]
    """Unit in the name; what is not known is absent, never 0."""
    at: float
    """UTC seconds; kept to the millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """All values from `at` until one step later."""

    at: float
    min: float
    mean: float
    max: float
    last: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One series of an answer. Buckets without values are absent."""

    tags: Mapping[str, str]
    buckets: Sequence[Bucket]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The newest value of one field of one series."""

    measurement: str
    tags: Mapping[str, str]
    field: str
    at: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesTally:
    """Counts since the engine was opened."""

    written: int = 0
    """Field values taken over by the store."""
    refused: int = 0
    """Field values the store will never take: no finite number, no time, a line it calls bad."""
    waiting: int = 0
    """Lines on our disk that a server has not taken yet."""
    dropped: int = 0
    """Lines dropped because too many waited."""
    up: bool = True


class Series(Protocol):
    """A time-series engine. All methods raise SeriesDown when it cannot be reached or the disk fails."""

    async def open(self) -> None:
        """Ready for everything else."""
        ...

    async def close(self) -> None:
        """Give back what is held. A second call does nothing."""
        ...

    async def run(self) -> None:
        """What the engine does in the background, until cancelled."""
        ...

    async def write(self, points: Sequence[Point]) -> None:
        """When this returns, `kill -9` of us loses none of them. Repeats are harmless."""
        ...

    async def latest(self, measurement: str | None = None) -> list[Latest]:
        """The newest value of every field, of one measurement or of all."""
        ...

    async def query(
        self, measurement: str, field: str, *, tags: Mapping[str, str], start: float, end: float, step_s: float
    ) -> list[Curve]:
        """Curves of every series whose tags hold `tags`, from `start` up to but not including `end`.

        Buckets lie on whole multiples of `step_s`. ValueError for a step or range that makes no sense.
        """
        ...

    async def retain(self, before: float) -> None:
        """Drop what is older, in whole hours. Engines with their own retention do nothing."""
        ...

    def tally(self) -> SeriesTally:
        """Counts."""
        ...


def check_range(start: float, end: float, step_s: float) -> None:
    """Raises ValueError for what no engine should be asked."""
    if step_s <= 0 or end < start:
        raise ValueError(f"from {start} to {end} by {step_s} s is no range")
    if (end - start) / step_s > BUCKETS_CEILING:
        raise ValueError(f"{(end - start) / step_s:.0f} buckets; at most {BUCKETS_CEILING} are given")
