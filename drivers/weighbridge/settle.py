"""When is a weighing settled, and how sure is it? Pure: fed with weights, asked for a result.

Settled (after OIML R76: at most two adjacent values): for at least 1.5 s and 8 readings that came twice, without a gap,
no two of them further apart than one division, and none that the indicator itself calls moving. The result is the
value seen most; its uncertainty half a division for the rounding, and half of what the readings spread.

One odd reading in between (half a frame, swapped digits, a blank) is passed over; two in a row end the run. Whatever
comes late or not at all makes the settling wait: no state is reached by missing something.
"""

from dataclasses import dataclass
from decimal import Decimal

from drivers.readings import Instant, Quality
from drivers.weighbridge.reading import Weight

WINDOW_S = 1.5
"""Three periods of the slowest swing of a loaded deck (2 Hz)."""
WINDOW_READINGS = 8
"""At 5 readings a second the window's own; an indicator that speaks less often is listened to for longer."""
GAP_S = 1.0
"""Between two readings: a longer hole could hide a movement, a shorter one is shorter than any truck's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A weighing: the truth lies within `uncertainty_kg` of `kg`, as far as readings at rest can tell."""

    kg: Decimal
    uncertainty_kg: Decimal
    from_at: Instant
    to_at: Instant
    """The last reading that upholds it."""
    readings: int


@dataclass(frozen=True, slots=True)
class NotSettled:
    """Why there is no weighing yet."""

    why: str


class Settler:
    """The run of readings that agree with each other. Needs constant memory however long a truck stands."""

    def __init__(self, division_kg: Decimal) -> None:
        self._division_kg = division_kg
        self._counts: dict[Decimal, int] = {}
        self._from_at: Instant | None = None
        self._to_at: Instant | None = None
        self._heard_at: Instant | None = None
        self._odd = 0
        self._why = "no reading yet"

    def weight(self, weight: Weight) -> None:
        """One reading, in the order of the wire."""
        if self._heard_at is not None and weight.at - self._heard_at > GAP_S:
            self._restart(f"no reading for {weight.at - self._heard_at:.1f} s")
        self._heard_at = weight.at
        if weight.kg is None or weight.moving or not self._agrees(weight.kg):
            self._odd += 1
            if self._odd >= 2:
                self._restart(weight.why or "the load moves" if weight.kg is None else "the load moves")
        else:
            self._odd = 0
        if weight.kg is not None and weight.quality is Quality.GOOD and self._odd == 0 and not weight.moving:
            self._counts[weight.kg] = self._counts.get(weight.kg, 0) + 1
            self._why = ""
            self._from_at = weight.at if self._from_at is None else self._from_at
            self._to_at = weight.at

    def result(self, since: Instant | None = None) -> Settled | NotSettled:
        """What the run has come to; only its time from `since` on counts, when that is given."""
        if self._from_at is None or self._to_at is None:
            return NotSettled(self._why)
        from_at = self._from_at if since is None else max(self._from_at, since)
        readings = sum(self._counts.values())
        if self._to_at - from_at < WINDOW_S or readings < WINDOW_READINGS:
            return NotSettled(self._why or f"at rest for {max(0.0, self._to_at - from_at):.1f} s")
        spread_kg = max(self._counts) - min(self._counts)
        return Settled(
            kg=max(self._counts, key=lambda kg: self._counts[kg]),
            uncertainty_kg=(self._division_kg + spread_kg) / 2,
            from_at=from_at,
            to_at=self._to_at,
            readings=readings,
        )

    def _agrees(self, kg: Decimal) -> bool:
        return not self._counts or max(kg, *self._counts) - min(kg, *self._counts) <= self._division_kg

    def _restart(self, why: str) -> None:
        self._counts.clear()
        self._from_at = self._to_at = None
        self._odd = 0
        self._why = why
