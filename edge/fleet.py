"""Fixes of many trackers by many roads -> each fix once, in the order of its own time. Pure.

A tracker may be heard by two listeners, and datagrams overtake each other: a fix is held for a moment, then given if it
is newer than the last one given. What comes later than that is counted and not shown: a truck must not jump back.
"""

import heapq
from dataclasses import dataclass, field

from drivers.gps.fix import Fix
from drivers.readings import Instant

HOLD_S = 0.5
"""Site seconds. Datagrams overtake each other by milliseconds; half a second does not show on a map."""
TRACKERS_CEILING = 2000
"""More than the trucks in any yard; names come off the wire. The tracker that was silent longest is forgotten."""


@dataclass(slots=True)
class Fleet:
    """`take` what is heard, `give` what is ripe."""

    repeated: int = 0
    """Fixes heard a second time."""
    late: int = 0
    """Fixes that came after a newer one of the same tracker had been given."""
    forgotten: int = 0
    _held: list[tuple[float, float, int, str, Fix]] = field(default_factory=list[tuple[float, float, int, str, Fix]])
    _last: dict[str, Instant] = field(default_factory=dict[str, Instant])
    """Time of the newest fix given, by tracker; the one heard longest ago first."""
    _waiting: set[tuple[str, Instant]] = field(default_factory=set[tuple[str, Instant]])
    _count: int = 0

    def told(self) -> str:
        """What was not shown, in words; empty when nothing."""
        counts = {"repeated": self.repeated, "late": self.late, "trackers forgotten": self.forgotten}
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)

    def take(self, tracker: str, fix: Fix) -> None:
        """A fix was heard."""
        at = time_of(fix)
        last = self._last.pop(tracker, None)
        if last is not None:
            self._last[tracker] = last
        if at == last or (tracker, at) in self._waiting:
            self.repeated += 1
        elif last is not None and at < last:
            self.late += 1
        else:
            self._count += 1
            self._waiting.add((tracker, at))
            heapq.heappush(self._held, (fix.at + HOLD_S, at, self._count, tracker, fix))

    def give(self, now: Instant) -> list[tuple[str, Fix]]:
        """What has been held long enough, and with it what is older of the same trackers, in order of time."""
        ripe = [entry for entry in self._held if entry[0] <= now]
        if not ripe:
            return []
        newest: dict[str, float] = {}
        for _, at, _, tracker, _ in ripe:
            newest[tracker] = max(at, newest.get(tracker, at))
        given = [entry for entry in self._held if entry[1] <= newest.get(entry[3], -1.0)]
        self._held = [entry for entry in self._held if entry[1] > newest.get(entry[3], -1.0)]
        heapq.heapify(self._held)
        for _, at, _, tracker, _ in given:
            self._waiting.discard((tracker, Instant(at)))
        for tracker, at in newest.items():
            self._last[tracker] = Instant(at)
            if len(self._last) > TRACKERS_CEILING:
                del self._last[next(iter(self._last))]
                self.forgotten += 1
        return [(tracker, fix) for _, _, _, tracker, fix in sorted(given, key=lambda entry: (entry[1], entry[2]))]


def time_of(fix: Fix) -> Instant:
    """When it was there, by the receiver; by its arrival while the receiver does not know the date."""
    return fix.at if fix.fix_time is None else fix.fix_time
