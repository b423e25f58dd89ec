"""What simulated customs knows of its gates and of each passage, and the ways in which it may misbehave."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simulators.customs_rules import Gathered, Opinion
from simulators.jgst_answers import Address
from simulators.jgst_packet import FIELD, Form


class Manner(StrEnum):
    """How customs behaves towards one passage."""

    PROPER = "proper"
    SILENT = "silent"
    LATE = "late"
    TOO_LATE = "too_late"
    DUPLICATE = "duplicate"
    WRONG_SEQUENCE = "wrong_sequence"
    REPLAYED = "replayed"
    OTHER_LANE = "other_lane"
    OTHER_SITE = "other_site"
    LYING_ENCODING = "lying_encoding"
    CUT = "cut"
    BIG_ENDIAN = "big_endian"
    FLOOD = "flood"
    NONSENSE = "nonsense"
    """A result word that no table has."""
    DATABASE = "database"
    """The back end's own error: X in the word's first place."""


HARMLESS = (Manner.DUPLICATE, Manner.LYING_ENCODING, Manner.BIG_ENDIAN, Manner.FLOOD)
"""Odd, and yet one true answer is among it: the truck may go."""
MannerOf = Callable[[Gathered], Manner]


@dataclass(slots=True, kw_only=True)
class Dossier:
    """All that customs knows of one passage."""

    passage: str
    lane: str
    manner: Manner
    first_asked_at: float
    address: Address
    smart: bool
    asked: Gathered
    times_asked: int = 0
    opinion: Opinion | None = None
    by_officer: str | None = None
    answers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Code and verb of each answer that was meant."""
    pictures: int = 0
    executed: "asyncio.Future[bool] | None" = None
    """Whether the lane says that it has worked seal and tracker."""
    crossing: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For the truth file and the desk."""
        return {
            "passage": self.passage,
            "manner": self.manner.value,
            "asked_at": round(self.first_asked_at, 3),
            "times_asked": self.times_asked,
            "plate": self.asked.plate,
            "containers": list(self.asked.containers),
            "gross_kg": None if self.asked.gross_kg is None else str(self.asked.gross_kg),
            "orders": [{"id": f"{code} {self.passage}", "verb": verb} for code, verb in self.answers],
            "crossing": self.crossing,
            "verb": None if self.opinion is None else self.opinion.verb,
            "why": None if self.opinion is None else self.opinion.zh,
            "officer": self.by_officer,
            "pictures": self.pictures,
        }


@dataclass(slots=True, kw_only=True)
class Gate:
    """One lane as customs knows it."""

    lane: str
    area: str
    channel: str
    direction: str
    host: str = ""
    """Where the lane listens; learnt from its registration when it is not configured."""
    port: int = 0
    form: Form = FIELD
    kept_open: "asyncio.StreamWriter | None" = None
    registered: bool = False
    heard: Counter[str] = field(default_factory=Counter[str])
    heard_at: float | None = None
    devices: dict[str, str] = field(default_factory=dict[str, str])
    """Id to state, as the lane's newest 0x42 says."""
    exceptions: deque[dict[str, str]] = field(default_factory=lambda: deque[dict[str, str]](maxlen=100))
    results: deque[dict[str, str]] = field(default_factory=lambda: deque[dict[str, str]](maxlen=100))
    """Of 0x33 and 0x35."""

    @property
    def at(self) -> Address:
        """For messages that are about no passage."""
        return Address(area=self.area, channel=self.channel, direction=self.direction, sequence="")
