"""Natures an instrument or a link may have. Nothing is inherited: a class that fits, fits."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from drivers.readings import Chunk, Instant


class Clock(Protocol):
    """The one door of time, handed in. Seconds are the site's seconds: a simulated day may run them fast."""

    @property
    def speed(self) -> float:
        """Site seconds a real second."""
        ...

    def now(self) -> Instant:
        """Site time now."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many site seconds."""
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """As asyncio.timeout, in site seconds; raises TimeoutError."""
        ...


class Link(Protocol):
    """A byte pipe that is opened once, used, and closed. Opening again is the keeper's job (edge/keeper.py)."""

    @property
    def name(self) -> str:
        """As the site's people would say it: `serial:/dev/ttyS0@9600`, `tcp:10.0.3.7:4001`."""
        ...

    async def read(self, deadline_s: float) -> Chunk:
        """Next bytes, at least one. Raises NoAnswer after `deadline_s` of silence, LinkLost when it is gone."""
        ...

    async def write(self, data: bytes, deadline_s: float) -> None:
        """Hand all bytes to the wire within `deadline_s`. Raises NoAnswer or LinkLost."""
        ...

    async def close(self) -> None:
        """Close; a second call does nothing."""
        ...
