"""What the records' store gives back."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from telemetry.payloads.lane import PassageBody


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A record as it came. `body` is JSON."""

    site: str
    node: str
    epoch: str
    seq: int
    word: str
    at: float
    q: str
    historical: bool
    passage: str | None
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPassage:
    """A passage as it stands."""

    site: str
    node: str
    at: float
    body: PassageBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Numbers that are missing: still awaited, or lost for good."""

    site: str
    node: str
    epoch: str
    first: int
    last: int
    lost: bool


Numbering = tuple[str, str, str]
"""Site, node, epoch."""


def missing(known: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of every range that lies between ascending numbers."""
    return [(a + 1, b - 1) for a, b in pairwise(known) if b > a + 1]
