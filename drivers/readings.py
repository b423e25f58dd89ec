"""Words that every instrument shares: when, how good, and what was not a word at all."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

Instant = NewType("Instant", float)
"""Seconds since 1970-01-01T00:00:00 UTC, from the site clock; never runs backwards within a process."""


class Quality(StrEnum):
    """How far a reading may be trusted, in the three words of the wire."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they came off a link, stamped on arrival."""

    data: bytes
    at: Instant


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that were no word of the protocol: counted and kept, never a crash, never dropped in silence."""

    raw: bytes
    why: str


@dataclass(slots=True)
class Tally:
    """What an instrument's stream has given since its link opened; a driver counts, the agent publishes."""

    words: int = 0
    garbage: int = 0
    garbage_bytes: int = 0
    gaps: int = 0
