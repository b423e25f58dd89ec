"""Fixes of many trackers by many roads -> each fix once, in the order of its own time. Pure.

A tracker may be heard by two listeners, and datagrams overtake each other: a fix is held for a moment, then given if it
is newer than the last one given. What comes later than that, or was kept back by the tracker, is history: a truck must
not jump back on the map, and nothing rings for where it was.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field, replace

from drivers.gps.fix import Fix
from drivers.readings import Instant

HOLD_S = 0.5
"""Site seconds. Datagrams overtake each other by milliseconds; half a second does not show on a map."""
TRACKERS_CEILING = 2000
"""More than the trucks in any yard; names come off the wire. The tracker that was silent longest is forgotten."""
REMEMBERED = 300
"""Times of a tracker's last fixes: what it kept back comes in batches of some twenty, and again when not answered."""


@dataclass(slots=True)
class Fleet:
    """`take` what is heard, `give` what is ripe, `history` what came late."""

    repeated: int = 0
    """Fixes heard a second time."""
    late: int = 0
    """Fixes that were kept back, or came after a newer one of the same tracker had been given: history."""
    forgotten: int = 0
    _held: list[tuple[float, float, int, str, Fix]] = field(default_factory=list[tuple[float, float, int, str, Fix]])
    _last: dict[str, Instant] = field(default_factory=dict[str, Instant])
    """Time of the newest fix given, by tracker; the one heard longest ago first."""
    _waiting: set[tuple[str, Instant]] = field(default_factory=set[tuple[str, Instant]])
    _count: int = 0
    _times: dict[str, deque[Instant]] = field(default_factory=dict[str, deque[Instant]])
    """What was given of each tracker, live or as history."""
    _history: list[tuple[str, Fix]] = field(default_factory=list[tuple[str, Fix]])

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
        elif fix.historical or (last is not None and at < last):
            if at in self._times.get(tracker, ()):
                self.repeated += 1
            else:
                self.late += 1
                self._remember(tracker, at)
                self._history.append((tracker, fix if fix.historical else replace(fix, historical=True)))
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
        ordered = sorted(given, key=lambda entry: (entry[1], entry[2]))
        for _, at, _, tracker, _ in ordered:
            self._remember(tracker, Instant(at))
        return [(tracker, fix) for _, _, _, tracker, fix in ordered]

    def history(self) -> list[tuple[str, Fix]]:
        """What came late since the last call, each fix once, marked, in order of arrival."""
        found, self._history = self._history, []
        return found

    def _remember(self, tracker: str, at: Instant) -> None:
        times = self._times.pop(tracker, None)
        if times is None:
            times = deque[Instant](maxlen=REMEMBERED)
            if len(self._times) >= TRACKERS_CEILING:
                del self._times[next(iter(self._times))]
        self._times[tracker] = times
        times.append(at)


def time_of(fix: Fix) -> Instant:
    """When it was there, by the receiver; by its arrival while the receiver does not know the date."""
    return fix.at if fix.fix_time is None else fix.fix_time
