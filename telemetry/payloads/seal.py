"""The body of `seal`."""

import msgspec

from telemetry.payloads.sealing import SealStateWord


class SealBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an electronic seal. Silence is the state `stale`, never the last one repeated."""

    state: SealStateWord
    why: str = ""
    alarms: list[str] = []
    """That the seal itself raises."""
    card: str | None = None
    """That was held to it."""
    battery_percent: int | None = None
    charging: bool | None = None
    lat: float | None = None
    lon: float | None = None
    """WGS 84; absent without a fix."""
    said_at: float | None = None
    """Unix seconds by the seal's own clock; absent where it does not know."""
