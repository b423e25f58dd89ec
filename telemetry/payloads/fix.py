"""The body of `fix`."""

import msgspec


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
