"""The body of `fix`."""

from typing import Literal

import msgspec


class HintBody(msgspec.Struct, frozen=True, kw_only=True):
    """A sign that the sky, the antenna or the clock is not as it should be; never a certainty."""

    kind: Literal["jamming", "spoofing", "antenna", "clock"]
    why: str


class FixBody(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tracker is, WGS 84. No fix is `valid` false with its reason, never 0,0."""

    valid: bool
    lat: float | None = None
    lon: float | None = None
    speed_mps: float | None = None
    track_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    source: str = ""
    why: str = ""
    x_m: float | None = None
    """Metres east and north of the site's origin, for the site's own drawing."""
    y_m: float | None = None
    hints: list[HintBody] = []
    alarms: list[str] = []
    """That the vehicle's terminal itself raises."""
    ignition: bool | None = None
    zones: list[str] = []
    """Ids of the zones and routes it is in."""
