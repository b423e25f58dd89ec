"""What was: lines for the trends and the latest passages, out of the series and the records."""

from typing import Protocol

from consoles.wire import PassageRow, Trend, TrendName
from drivers.readings import Instant

UNITS: dict[TrendName, str] = {"trucks": "1/h", "weight": "kg", "seconds": "s"}


class History(Protocol):
    """Where the past is asked for. An engine that is away gives gaps, never zeros and never an error page."""

    async def trend(self, name: TrendName, lane: str | None, hours: float, now: Instant) -> Trend:
        """The last `hours` before `now`, oldest first."""
        ...

    async def passages(self, lane: str | None, limit: int) -> list[PassageRow]:
        """Newest first."""
        ...


class NoHistory:
    """Nothing is kept here: every trend is empty."""

    async def trend(self, name: TrendName, lane: str | None, hours: float, now: Instant) -> Trend:  # noqa: ARG002
        """No points."""
        return Trend(name=name, lane=lane, unit=UNITS[name], at=[], value=[])

    async def passages(self, lane: str | None, limit: int) -> list[PassageRow]:  # noqa: ARG002
        """No rows."""
        return []
