"""Clocks for tests of waiting: one that jumps, and one that runs fast."""

import asyncio
from contextlib import AbstractAsyncContextManager

from drivers.readings import Instant


class JumpClock:
    """Sleeping takes no time: the clock jumps, and remembers how far each time."""

    speed = 1.0

    def __init__(self, at: float = 1_800_000_000.0) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> Instant:
        return Instant(self.at)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(min(seconds, 10))
