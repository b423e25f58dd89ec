"""Simulated time: the same origin and speed in every process of a simulated port.

site time = origin + (wall clock - origin) * speed,  anchored once and then driven by the monotonic clock
"""

import asyncio
import time


class SimClock:
    """Seconds since 1970 UTC as the simulated port has them."""

    def __init__(self, *, speed: float = 1.0, origin: float | None = None) -> None:
        wall = time.time()
        self.speed = speed
        self.origin = wall if origin is None else origin
        self._site0 = self.origin + (wall - self.origin) * speed
        self._mono0 = time.monotonic()

    def now(self) -> float:
        """Site time now."""
        return self._site0 + (time.monotonic() - self._mono0) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait that many site seconds."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)
