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


class Reader:
    """Remembers the frame before: XOR cannot see swapped digits, so a number is good when it comes twice in a row."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._before = b""
        self._recent: deque[Decimal] = deque(maxlen=STEADY_FRAMES)

    def read(self, frame: Frame, at: Instant) -> Weight:
        """The weight that a frame stands for. Frames in the order of the wire."""
        again = frame.raw == self._before
        self._before = frame.raw
        kg, status, why = self._meaning(frame)
        quality = Quality.BAD if kg is None else Quality.GOOD
        if kg is not None and not again:
            quality, why = Quality.UNCERTAIN, "seen once, and the check sum cannot see swapped digits"
        return Weight(kg=kg, display=frame.display, status=status, quality=quality, at=at, raw=frame.raw, why=why)

    def _meaning(self, frame: Frame) -> tuple[Decimal | None, Status, str]:
        scale = self._scale
        if frame.shows != "number":
            self._recent.clear()
            return None, "blank", f"the display shows {'nothing' if frame.shows == 'blank' else 'dashes'}"
        value = frame.value
        if value is None or frame.decimals != scale.decimals:
            self._recent.clear()
            said = "no number of decimals" if frame.decimals is None else f"{frame.decimals} decimals"
            return None, "error", f"the frame says {said}, the site {scale.decimals}"
        kg = value * scale.unit_kg
        over_kg = OVER_DIVISIONS * scale.division_kg
        if kg > scale.max_kg + over_kg:
            self._recent.clear()
            return None, "overload", f"above {scale.max_kg} kg and nine divisions"
        if kg % scale.division_kg:
            return None, "error", f"{kg} kg is no whole number of divisions of {scale.division_kg} kg"
        return kg, self._standing(kg), ""

    def _standing(self, kg: Decimal) -> Status:
        self._recent.append(kg)
        if len(self._recent) < STEADY_FRAMES:
            return "unknown"
        return "stable" if max(self._recent) - min(self._recent) <= self._scale.division_kg else "motion"
