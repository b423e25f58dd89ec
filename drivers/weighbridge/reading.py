"""From frames to weights: what a frame may be taken for at this site. Pure."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from drivers.readings import Instant, Quality
from drivers.weighbridge.frames import Frame

Status = Literal["stable", "motion", "unknown", "overload", "underload", "blank", "error"]

OVER_DIVISIONS = 9
"""OIML R76: no number above Max plus nine divisions."""
UNDER_DIVISIONS = 20
"""Further below zero no deck goes by itself: a tare was left on, a cell unplugged, or zero taken with a truck on it."""
STEADY_FRAMES = 5
"""An indicator that says nothing of motion stands still when so many frames in a row are within one division: half a
second at ten a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """One reading. `kg` is None whenever the indicator gives no number that may be used: never 0 for a fault."""

    kg: Decimal | None
    display: str
    status: Status
    quality: Quality
    at: Instant
    raw: bytes
    why: str = ""
    """Why the quality is not good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the site knows of the weighbridge and the frame does not say."""

    max_kg: Decimal
    division_kg: Decimal
    decimals: int
    unit_kg: Decimal
    """Kilograms in one unit of the display: 1, or 1000 where it shows tonnes."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Of one frame at one site, whatever came before it."""

    kg: Decimal | None
    fault: Status | None
    why: str
    display: str


class Reader:
    """Remembers the frame before: XOR cannot see swapped digits, so a number is good when it comes twice in a row."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._before = b""
        self._meant = _Meaning(None, None, "", "")
        self._recent: deque[Decimal] = deque(maxlen=STEADY_FRAMES)
        self._times = 0
        """So often in a row."""

    def read(self, frame: Frame, at: Instant) -> Weight:
        """The weight that a frame stands for. Frames in the order of the wire."""
        raw = frame.raw
        if raw == self._before:
            self._times += 1
        else:
            self._before, self._meant, self._times = raw, _meaning(frame, self._scale), 1
        kg, fault, why = self._meant.kg, self._meant.fault, self._meant.why
        quality = Quality.GOOD
        if kg is None:
            quality = Quality.BAD
        elif self._times == 1:
            quality, why = Quality.UNCERTAIN, "seen once, and the check sum cannot see swapped digits"
        return Weight(
            kg=kg,
            display=self._meant.display,
            status=self._standing(kg, fault),
            quality=quality,
            at=at,
            raw=raw,
            why=why,
        )

    def _standing(self, kg: Decimal | None, fault: Status | None) -> Status:
        recent = self._recent
        if kg is None:
            recent.clear()
            return fault or "error"
        recent.append(kg)
        if fault is not None:
            return fault
        if self._times >= STEADY_FRAMES:
            return "stable"
        if len(recent) < STEADY_FRAMES:
            return "unknown"
        return "stable" if max(recent) - min(recent) <= self._scale.division_kg else "motion"


def _meaning(frame: Frame, scale: Scale) -> _Meaning:
    def none(fault: Status, why: str) -> _Meaning:
        return _Meaning(None, fault, why, frame.display)

    if frame.shows != "number":
        return none("blank", f"the display shows {'nothing' if frame.shows == 'blank' else 'dashes'}")
    value = frame.value
    if value is None or frame.decimals != scale.decimals:
        said = "no number of decimals" if frame.decimals is None else f"{frame.decimals} decimals"
        return none("error", f"the frame says {said}, the site {scale.decimals}")
    kg = value * scale.unit_kg
    if kg > scale.max_kg + OVER_DIVISIONS * scale.division_kg:
        return none("overload", f"above {scale.max_kg} kg and nine divisions")
    if kg % scale.division_kg:
        return none("error", f"{kg} kg is no whole number of divisions of {scale.division_kg} kg")
    under = kg < -UNDER_DIVISIONS * scale.division_kg
    return _Meaning(kg, "underload" if under else None, "", frame.display)
