"""What a lane counts for its page: by day and by shift, and how its roads to others are."""

from collections.abc import Sequence

from drivers.readings import Instant
from edge.lane.recall import Recalled
from edge.shifts import Tally, began


class Counts:
    """What the lane counts for its page."""

    def __init__(self, recalled: Recalled, shifts: Sequence[str]) -> None:
        self.passages = Tally(recalled.passages)
        self.refusals = Tally(recalled.refusals)
        self._overrides = dict(recalled.overrides)
        self._shifts = shifts
        self.unsent = 0
        self.queue = 0
        self.clearance_up = True
        self.clearance_since: Instant | None = None

    def override(self, order: str, at: Instant) -> None:
        """A person's order has raised the boom, or holds it open: once an order."""
        self._overrides.setdefault(order, at)

    def overrides(self, since: Instant) -> int:
        """How many since then."""
        return sum(at >= since for at in self._overrides.values())

    def shift(self, now: Instant) -> Instant:
        """When this shift began."""
        return began(now, self._shifts)
