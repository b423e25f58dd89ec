"""The one file that asks what time it is.

Site time is UTC at an origin plus the seconds of the monotonic clock since then, times a speed. In production the
origin is the start of the process and the speed is 1. A simulated port gives all its processes the same origin and
speed, so that a day can pass in an hour and everybody agrees on the hour. A step of the system clock never reaches
a decision: it is seen by `step_s` and told.
"""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from drivers.readings import Instant


class SiteClock:
    """Site time, site sleep, site deadlines."""

    def __init__(self, *, speed: float = 1.0, origin: float | None = None) -> None:
        """`origin`: UTC seconds at which site time equals UTC; default now. `speed`: site seconds per real second."""
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self.speed = speed
        self._wall0 = time.time()
        self._mono0 = time.monotonic()
        self.origin = self._wall0 if origin is None else origin
        self._site0 = self.origin + (self._wall0 - self.origin) * speed

    def now(self) -> Instant:
        """Site time now."""
        return Instant(self._site0 + (time.monotonic() - self._mono0) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Wait that many site seconds."""
        await asyncio.sleep(seconds / self.speed)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """As asyncio.timeout, in site seconds."""
        return asyncio.timeout(seconds / self.speed)

    def step_s(self) -> float:
        """Real seconds by which the system clock was stepped since this process started (NTP, a hand)."""
        return (time.time() - self._wall0) - (time.monotonic() - self._mono0)


def iso(at: float) -> str:
    """UTC as on the wire: `2026-11-23T09:33:25.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
