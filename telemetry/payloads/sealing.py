"""The body of `sealing`."""

from typing import Literal

import msgspec

from telemetry.payloads.lane import Text

SealStateWord = Literal["locked", "unlocked", "opened", "cut", "tampered", "low battery", "stale"]


class SealingBody(msgspec.Struct, frozen=True, kw_only=True):
    """The state of an electronic seal has changed, or it refused a key.

    `customs`: the event's number among the seal events of customs, 1 lock, 2 unlock, 4 opened, 5 cut, 6 low battery,
    7 wrong key; absent for what has none there (tampered, fallen silent).
    """

    seal: str
    state: SealStateWord
    was: SealStateWord | None = None
    """Absent when it is heard of for the first time."""
    customs: Literal[1, 2, 4, 5, 6, 7] | None = None
    card: str | None = None
    say: Text
    late: bool = False
    """The seal had kept it back: a newer word of it was known. `was` is absent then."""
    rings: bool = False
    """An alarm came or went with it, and says the rest."""
    lat: float | None = None
    lon: float | None = None
    """WGS 84, where it was; absent without a fix."""
    said_at: float | None = None
    """Unix seconds by the seal's own clock."""
