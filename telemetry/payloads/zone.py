"""The body of `zone`."""

from typing import Literal

import msgspec

from telemetry.payloads.lane import Text


class ZoneBody(msgspec.Struct, frozen=True, kw_only=True):
    """A tracker crossed the edge of a zone or route.

    found: it was inside when it was first seen; ended: it left a route at one of its ends.
    """

    tracker: str
    zone: str
    what: Literal["found", "entered", "left", "ended"]
    say: Text
    x_m: float
    """Metres east and north of the site's origin, where it was noticed."""
    y_m: float
    speed_mps: float | None = None
    rings: bool = False
    """An alarm came or went with it, and says the rest."""
