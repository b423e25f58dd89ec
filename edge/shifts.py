"""When the shift and the day began, by this machine's time zone, and what was counted since. Pure but for the zone."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from drivers.readings import Instant

COUNTED_CEILING = 10_000
"""Instants kept for a count: more than a lane can do in two days."""


def began(now: Instant, starts: Sequence[str]) -> Instant:
    """When the shift that holds `now` began; `starts` are times of day, such as 08:00. None: at midnight."""
    local = datetime.fromtimestamp(now, UTC).astimezone()
    begun: list[datetime] = []
    for days in (0, 1):
        day = local - timedelta(days=days)
        for start in starts or ("00:00",):
            hour, minute = (int(part) for part in start.split(":"))
            begun.append(day.replace(hour=hour, minute=minute, second=0, microsecond=0))
    return Instant(max(each for each in begun if each <= local).timestamp())


def midnight(now: Instant) -> Instant:
    """When the day began."""
    return began(now, ("00:00",))


class Tally:
    """Instants at which something happened, for as long as a shift or a day may still count them."""

    def __init__(self, before: Iterable[Instant] = ()) -> None:
        self._at = sorted(before)[-COUNTED_CEILING:]

    def add(self, at: Instant) -> None:
        """It has happened again."""
        self._at = [*self._at[-COUNTED_CEILING + 1 :], at]

    def since(self, at: Instant) -> int:
        """How often since then."""
        return sum(each >= at for each in self._at)
