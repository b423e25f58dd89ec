"""The bodies of `birth`, `state` and `stored`."""

from typing import Literal

import msgspec


class InstrumentBirth(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument and the bounds of its values."""

    name: str
    kind: str
    words: list[str]
    unit: str = ""
    low: float | None = None
    high: float | None = None
    division: float | None = None


class BirthBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a node has."""

    kind: Literal["lane", "tracker", "recorder", "console", "review", "scanner"]
    zh: str
    en: str
    version: str
    instruments: list[InstrumentBirth] = []


class StateBody(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a node is there. `offline` is the last will."""

    state: Literal["online", "offline"]
    boot: str
    """Changes with every start of the process."""
    epoch: str = ""
    """The node's numbering of records."""
    floor: int = 1
    """The lowest sequence number that the node can still send; what is missing below it will never come."""


class StoredBody(msgspec.Struct, frozen=True, kw_only=True):
    """All records of the node up to `seq` are in the recorder's store, or known to be lost."""

    epoch: str
    seq: int
