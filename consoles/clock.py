"""The console process's own door of time: the site's clock, built the same way in every process of a port.

    site time = origin + (wall clock - origin) * speed,  anchored once and then driven by the monotonic clock

The console is composed here and not in `edge`, so it cannot be handed edge's clock; nothing else in this room asks what
time it is.
"""

import asyncio
import time
from contextlib import AbstractAsyncContextManager

from drivers.readings import Instant


class ConsoleClock:
    """Site time, and waits in the site's seconds or in the machine's."""

    def __init__(self, *, speed: float = 1.0, origin: float | None = None) -> None:
        """`origin`: UTC seconds at which site time equals UTC; default now. `speed`: site seconds per real second."""
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        wall = time.time()  # noqa: TID251 - this module is the door
        self.speed = speed
        self.origin = wall if origin is None else origin
        self._site0 = self.origin + (wall - self.origin) * speed
        self._mono0 = time.monotonic()  # noqa: TID251 - this module is the door

    def now(self) -> Instant:
        """Site time now."""
        return Instant(self._site0 + self.machine_s() * self.speed)

    def machine_s(self) -> float:
        """Real seconds since this clock was made: for what must not run faster because the site's day does."""
        return time.monotonic() - self._mono0  # noqa: TID251 - this module is the door

    async def sleep(self, seconds: float) -> None:
        """Wait that many site seconds."""
        await self.pause(seconds / self.speed)

    async def pause(self, real_s: float) -> None:
        """Wait that many real seconds."""
        await asyncio.sleep(real_s)  # noqa: TID251 - this module is the door

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """As asyncio.timeout, in site seconds."""
        return asyncio.timeout(seconds / self.speed)
