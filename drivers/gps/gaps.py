"""How many epochs of a receiver never came. Pure."""

from drivers.readings import Instant

MOST = 3600
"""Epochs missing in a row that are counted; more is a receiver that was away, which the link's own fault tells."""
LATE_PERIODS = 1.5
"""An epoch is missing when its successor comes later than that: the times of a receiver's epochs are exact."""


class Gaps:
    """One receiver's epochs. Its period is the shortest step between two of them so far."""

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._period_s: float | None = None

    def before(self, time: Instant | None) -> int:
        """Epochs between this one and the one before that never came; none where a time is not known."""
        last, self._last_s = self._last_s, time
        if last is None or time is None or time <= last:
            return 0
        step = time - last
        if self._period_s is None or step < self._period_s:
            self._period_s = step
        if step <= LATE_PERIODS * self._period_s:
            return 0
        return min(round(step / self._period_s) - 1, MOST)
