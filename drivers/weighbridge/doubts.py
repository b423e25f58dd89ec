"""What an unattended deck must be suspected of, beside what `deck.py` sees itself. Pure.

tared         a tare stands on the indicator: what it shows may be net
drifting      the settled weight wanders off in small steps while nothing moves: a wedge, a jack, water in a junction
two trucks    a second vehicle drove on behind the first, and the number rose by it
load unseen   a load appeared on an empty deck and nothing drove on: another deck's line is plugged in here, a load
              from the side, a device on the cell cable
replaced      the indicator's serial number or calibration counter is not the site's
uncalibrated  the certificate has run out
by axles      the weight is a sum of axle groups, not a vehicle weighed at once (axles.py)
axle missed   an axle of such a sum did not come to rest, rolled back, or was not counted
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, Literal

from drivers.readings import Instant

Doubt = Literal["tared", "drifting", "two trucks", "load unseen", "replaced", "uncalibrated", "by axles", "axle missed"]

STEP_DIVISIONS: Final = 2
"""Two weighings one after the other that differ by no more are one load; more is a step, and `jumped`'s business."""
DRIFT_DIVISIONS: Final = 4
"""Creep of the cells is below one division in half an hour (class C3); a driver who climbs down is one step."""


class Creep:
    """Of one truck on the deck, while no beam is broken."""

    def __init__(self, division_kg: Decimal) -> None:
        self.drifting = False
        """Until the deck is empty."""
        self._step_kg = STEP_DIVISIONS * division_kg
        self._drift_kg = DRIFT_DIVISIONS * division_kg
        self._from_kg: Decimal | None = None
        self._last_kg: Decimal | None = None

    def settled(self, kg: Decimal) -> None:
        """What the settling has come to now."""
        if self._last_kg is None or self._from_kg is None or abs(kg - self._last_kg) > self._step_kg:
            self._from_kg = kg
        self._last_kg = kg
        self.drifting = self.drifting or abs(kg - self._from_kg) >= self._drift_kg

    def moved(self) -> None:
        """A beam was broken: what stands there now may be another load."""
        self._from_kg = self._last_kg = None

    def emptied(self) -> None:
        """The deck is empty."""
        self.moved()
        self.drifting = False


class Second:
    """A vehicle that drives on behind one that is on the deck already. What shunts over the rear beam weighs no more
    afterwards than before."""

    def __init__(self, presence_kg: Decimal) -> None:
        self.two = False
        """Until one has left or the deck is empty."""
        self._presence_kg = presence_kg
        self._from_kg: Decimal | None = None

    def comes(self, kg: Decimal | None) -> None:
        """Over the arrival loop and into the rear beam, while the deck shows so much."""
        if self._from_kg is None:
            self._from_kg = kg

    def settled(self, kg: Decimal) -> None:
        """What the settling has come to, with both beams clear."""
        if self._from_kg is not None:
            self.two = self.two or kg - self._from_kg >= self._presence_kg
            self._from_kg = None

    def left(self) -> None:
        """Something went off over the front beam, or the deck is empty."""
        self.two, self._from_kg = False, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitness:
    """What makes an indicator the one that was commissioned and certified; empty and None: not asked for."""

    serial_no: str = ""
    calibrations: int | None = None
    calibrated_until: date | None = None

    def doubts(self, serial: str | None, calibrations: int | None, now: Instant) -> tuple[Doubt, ...]:
        """`serial`, `calibrations`: as the indicator told them; None: it has not yet."""
        found: list[Doubt] = []
        other = bool(self.serial_no) and serial is not None and serial != self.serial_no
        if other or (self.calibrations is not None and calibrations is not None and calibrations != self.calibrations):
            found.append("replaced")
        if self.calibrated_until is not None and now >= _end_of(self.calibrated_until):
            found.append("uncalibrated")
        return tuple(found)


def _end_of(day: date) -> float:
    """The last moment of that day in the time zone of nowhere in particular: UTC."""
    return datetime.combine(day + timedelta(days=1), time.min, UTC).timestamp()
