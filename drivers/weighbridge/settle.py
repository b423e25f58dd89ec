"""When is a weighing settled, how sure is it, may it be believed? Pure: fed with weights and beams, asked for a state.

Settled (OIML R76, 4.4.2 in spirit): over the last 1.5 s, without a gap, with both beams clear, no two readings further
apart than one division. The result is the reading seen most; its uncertainty half a division, or a whole one where two
neighbours were seen. An unattended deck is believed only if it stood at zero before the truck, followed the truck on,
and did not jump while nothing moved.
"""

from collections import Counter, deque
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import median

from drivers.readings import Instant
from drivers.weighbridge.reading import Weight

WINDOW_S = 1.5
"""Three periods of the slowest bounce of a loaded deck (2 Hz)."""
WINDOW_READINGS = 6
"""Fewer in the window is no continuous output."""
GAP_S = 0.8
"""Between two readings; a longer hole could hide a movement."""
ZERO_WINDOW_S = 1.0
ZERO_LOOK_BACK_S = 10.0
"""The empty deck is judged by its last second, which must lie within the last ten before the truck."""
FOLLOW_S = 1.0
"""A reading that has not changed once from this long before the truck's tail was on the deck did not follow it on."""
JUMP_DIVISIONS = 10
"""Above a driver who climbs down (80 kg are four divisions of 20 kg), below any fraud worth its risk."""
HISTORY = 512
"""Readings kept: fifty seconds at ten a second; the longest look back is ZERO_LOOK_BACK_S."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A weighing."""

    kg: Decimal
    uncertainty_kg: Decimal
    from_at: Instant
    to_at: Instant
    readings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckState:
    """What the weighing has come to."""

    settled: Settled | None
    why_not: str
    """Why it is not settled; empty when it is."""
    zero_ok: bool | None
    """Whether the deck stood at zero before this truck, or stands there now; None: it was not seen empty."""
    frozen: bool
    jumped: bool
    half_on: bool | None
    """A beam at an end of the deck is broken; None: a beam is not known."""
    vehicle: bool
    """A vehicle has come onto the deck and has not left it."""


class DeckWatch:
    """One deck. Feed it every weight and every change of the beams, in order of time."""

    def __init__(self, *, division_kg: Decimal, presence_kg: Decimal = Decimal(1000), zero_divisions: int = 1) -> None:
        """`zero_divisions`: how far from zero the empty deck may stand."""
        self._division = division_kg
        self._presence = presence_kg
        self._zero_within = zero_divisions * division_kg
        self._history: deque[Weight] = deque(maxlen=HISTORY)
        self._rear: bool | None = None
        self._front: bool | None = None
        self._arrival: bool | None = None
        self._clear_since: Instant | None = None
        self._vehicle = False
        self._was_heavy = False
        self._out = False
        self._on_since: Instant | None = None
        self._whole_at: Instant | None = None
        self._changed_at: Instant | None = None
        self._zero_ok: bool | None = None
        self._believed: Decimal | None = None
        self._jumped = False

    def weight(self, weight: Weight) -> None:
        """One reading."""
        before = self._history[-1] if self._history else None
        if before is None or before.kg != weight.kg:
            self._changed_at = weight.at
        heavy = weight.kg is not None and weight.kg >= self._presence
        if not self._vehicle and heavy:
            self._came(weight.at)
        self._history.append(weight)
        self._was_heavy = self._was_heavy or (self._vehicle and heavy)
        self._leave()
        settled, _ = self._settle()
        if settled is not None and self._vehicle:
            if self._believed is not None and abs(settled.kg - self._believed) > JUMP_DIVISIONS * self._division:
                self._jumped = True
            self._believed = settled.kg if self._believed is None else self._believed

    def beams(self, *, rear: bool | None, front: bool | None, arrival: bool | None, at: Instant) -> None:
        """The contacts around the deck as they are now."""
        if rear and not self._rear and not self._vehicle:
            self._came(at)
        if self._front and front is False:
            self._out = True
        if self._rear and rear is False:
            if arrival:
                self._out = True
            else:
                self._whole_at = at
        if rear or front:
            # Something moved at an end of the deck: a load that changes now is no jump.
            self._believed = None
        clear = rear is False and front is False
        if not clear:
            self._clear_since = None
        elif self._clear_since is None:
            self._clear_since = at
        self._rear, self._front, self._arrival = rear, front, arrival
        self._leave()

    def state(self, now: Instant) -> DeckState:
        """As things stand. `settled` may be older than now: compare `to_at`."""
        settled, why = self._settle()
        known = self._rear is not None and self._front is not None
        return DeckState(
            settled=settled,
            why_not=why,
            zero_ok=self._zero_ok if self._vehicle else self._at_zero(now),
            frozen=self._frozen(),
            jumped=self._jumped,
            half_on=bool(self._rear or self._front) if known else None,
            vehicle=self._vehicle,
        )

    def _came(self, at: Instant) -> None:
        self._vehicle, self._on_since = True, at
        self._was_heavy = self._out = self._jumped = False
        self._whole_at, self._believed = None, None
        self._zero_ok = self._at_zero(at)

    def _leave(self) -> None:
        if not self._vehicle or self._rear or self._front:
            return
        last = self._history[-1].kg if self._history else None
        light = last is not None and abs(last) < self._presence
        if (light and (self._out or self._was_heavy)) or (self._out and last is None):
            self._vehicle = False
            self._on_since = None

    def _at_zero(self, at: Instant) -> bool | None:
        """Of the empty deck, by the median of its last second before `at`."""
        recent = [w for w in self._history if at - ZERO_LOOK_BACK_S <= w.at <= at and w.kg is not None]
        # What came after the last load is what the empty deck said.
        for index in range(len(recent) - 1, -1, -1):
            kg = recent[index].kg
            if kg is not None and kg >= self._presence:
                recent = recent[index + 1 :]
                break
        if not recent:
            return None
        end = recent[-1].at
        values = [w.kg for w in recent if w.kg is not None and end - w.at <= ZERO_WINDOW_S]
        return abs(median(values)) <= self._zero_within

    def _frozen(self) -> bool:
        """The truck is wholly on the deck and the number has not changed since before its tail was."""
        if not self._vehicle or self._whole_at is None or self._changed_at is None or not self._history:
            return False
        listened = self._history[-1].at - self._whole_at >= FOLLOW_S
        return listened and self._changed_at < self._whole_at - FOLLOW_S

    def _settle(self) -> tuple[Settled | None, str]:
        if not self._history:
            return None, "no reading yet"
        end = self._history[-1].at
        window: list[Weight] = []
        for weight in reversed(self._history):
            if end - weight.at > WINDOW_S:
                break
            window.append(weight)
        start = window[-1].at
        why = self._unsettled(window, start, end)
        if why:
            return None, why
        values = [w.kg for w in window if w.kg is not None]
        counted = Counter(values).most_common()
        uncertainty = self._division / 2 if len(counted) == 1 else self._division
        return (
            Settled(kg=counted[0][0], uncertainty_kg=uncertainty, from_at=start, to_at=end, readings=len(values)),
            "",
        )

    def _unsettled(self, window: list[Weight], start: Instant, end: Instant) -> str:
        if any(w.kg is None for w in window):
            return "the indicator gives no number"
        if self._clear_since is None or start < self._clear_since:
            return "a beam at an end of the deck is, or has just been, broken"
        if len(window) < WINDOW_READINGS or end - start < WINDOW_S - GAP_S:
            return "not enough readings yet"
        if any(later.at - sooner.at > GAP_S for later, sooner in pairwise(window)):
            return "a gap in the readings"
        values = [w.kg for w in window if w.kg is not None]
        if max(values) - min(values) > self._division:
            return "the load moves"
        return ""
