"""Alarms as a control room knows them (ISA-18.2): a condition that came, went, and was or was not seen by a person.

    normal ── comes ──▶ unacknowledged ── acknowledged ──▶ acknowledged
      ▲                    │    ▲                              │
      │                  goes  comes                          goes
      │                    ▼    │                              │
      ├── acknowledged ── returned                             │
      └────────────────────────────────────────────────────────┘

Pure: a board is what the records said, in whatever pieces and order they came.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from telemetry.payloads.lane import AlarmBody, Text

RATE_WINDOW_S = 600.0
"""The control room's measure of its load: alarms in ten minutes (ISA-18.2 takes more than ten for a flood)."""
RATE_CEILING = 10_000
"""Comings remembered for the rate; over it the rate is a lower bound, and the flood is plain."""


class AlarmState(StrEnum):
    """Where a condition stands."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    """Active, and nobody has seen it."""
    ACKNOWLEDGED = "acknowledged"
    """Active, and a person knows."""
    RETURNED = "returned"
    """Gone again before anybody saw it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One condition of one node. Instants are UTC seconds."""

    node: str
    alarm: str
    state: AlarmState
    priority: int
    say: Text
    came_at: float
    changed_at: float
    passage: str | None = None
    returned_at: float | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str | None = None
    times: int = 1
    """How often it came since it was last normal and seen."""


def came(before: Alarm | None, node: str, body: AlarmBody, at: float) -> Alarm:
    """The alarm after a record. A record older than what is known changes nothing."""
    if before is not None and at < before.changed_at:
        return before
    if body.active:
        if before is not None and before.state in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED):
            return replace(before, priority=body.priority, say=body.say, passage=body.passage, changed_at=at)
        times = before.times + 1 if before is not None and before.state is AlarmState.RETURNED else 1
        return Alarm(
            node=node,
            alarm=body.alarm,
            state=AlarmState.UNACKNOWLEDGED,
            priority=body.priority,
            say=body.say,
            came_at=at,
            changed_at=at,
            passage=body.passage,
            times=times,
        )
    if before is None:
        return Alarm(
            node=node,
            alarm=body.alarm,
            state=AlarmState.NORMAL,
            priority=body.priority,
            say=body.say,
            came_at=at,
            changed_at=at,
            returned_at=at,
            times=0,
        )
    state = {
        AlarmState.UNACKNOWLEDGED: AlarmState.RETURNED,
        AlarmState.ACKNOWLEDGED: AlarmState.NORMAL,
        AlarmState.RETURNED: AlarmState.RETURNED,
        AlarmState.NORMAL: AlarmState.NORMAL,
    }[before.state]
    return replace(before, state=state, changed_at=at, returned_at=at)


def seen(before: Alarm, person: str, at: float) -> Alarm:
    """The alarm after a person acknowledged it. Acknowledging what needs none, or what came later, changes nothing."""
    if at < before.came_at or before.state not in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED):
        return before
    state = AlarmState.ACKNOWLEDGED if before.state is AlarmState.UNACKNOWLEDGED else AlarmState.NORMAL
    return replace(before, state=state, acknowledged_at=at, acknowledged_by=person)


class Board:
    """All alarms of a site."""

    def __init__(self, alarms: Iterable[Alarm] = ()) -> None:
        self._alarms = {(a.node, a.alarm): a for a in alarms}
        self._comings: deque[float] = deque(maxlen=RATE_CEILING)

    def record(self, node: str, body: AlarmBody, at: float) -> Alarm:
        """Take a record; the alarm as it stands now."""
        before = self._alarms.get((node, body.alarm))
        after = self._alarms[node, body.alarm] = came(before, node, body, at)
        if body.active and (before is None or after.came_at != before.came_at):
            self._comings.append(at)
        return after

    def acknowledge(self, node: str, alarm: str, person: str, at: float) -> Alarm | None:
        """Take a person's acknowledgement; None for a condition nobody has heard of."""
        before = self._alarms.get((node, alarm))
        if before is None:
            return None
        after = self._alarms[node, alarm] = seen(before, person, at)
        return after

    def get(self, node: str, alarm: str) -> Alarm | None:
        """One alarm."""
        return self._alarms.get((node, alarm))

    def standing(self) -> list[Alarm]:
        """Everything that is not normal: the most urgent first, then the newest."""
        found = [a for a in self._alarms.values() if a.state is not AlarmState.NORMAL]
        return sorted(found, key=lambda a: (a.state is AlarmState.ACKNOWLEDGED, a.priority, -a.came_at))

    def rate(self, now: float) -> int:
        """Alarms that came in the last ten minutes."""
        return sum(now - RATE_WINDOW_S < at <= now for at in self._comings)
