"""From frames to weights: what a frame may be taken for at this site. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from drivers.readings import Instant, Quality
from drivers.weighbridge.frames import Frame

Status = Literal["stable", "motion", "unknown", "overload", "underload", "blank", "error"]

OVER_DIVISIONS = 9
"""OIML R76: no number above Max plus nine divisions."""
STEADY_FRAMES = 5
"""An indicator that says nothing of motion is taken for stable after so many equal frames: half a second at 10/s."""


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
    """What is wrong, when something is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the site knows of the weighbridge and the frame does not say."""

    max_kg: Decimal
    division_kg: Decimal
    decimals: int
    unit_kg: Decimal
    """Kilograms in one unit of the display: 1, or 1000 where it shows tonnes."""


class Reader:
    """Remembers the frame before: XOR cannot see swapped digits, so a number counts when it comes twice."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._last: tuple[str, bool, int] | None = None
        self._equal = 0

    def read(self, frame: Frame, at: Instant) -> Weight:
        """The weight that a frame stands for."""
        mark = (frame.digits, frame.negative, frame.decimals)
        self._equal = self._equal + 1 if mark == self._last else 1
        self._last = mark
        kg, status, why = self._meaning(frame)
        if kg is None:
            quality = Quality.BAD
        elif self._equal < 2:
            quality, why = Quality.UNCERTAIN, "seen once; the check sum cannot see swapped digits"
        else:
            quality = Quality.UNCERTAIN if status == "underload" else Quality.GOOD
        return Weight(kg=kg, display=frame.display, status=status, quality=quality, at=at, raw=frame.raw, why=why)

    def _meaning(self, frame: Frame) -> tuple[Decimal | None, Status, str]:
        scale = self._scale
        if frame.decimals != scale.decimals:
            return None, "error", f"the frame has {frame.decimals} decimals, the site says {scale.decimals}"
        kg = Decimal(frame.digits).scaleb(-frame.decimals) * scale.unit_kg
        kg = -kg if frame.negative and kg else kg
        over = OVER_DIVISIONS * scale.division_kg
        if kg > scale.max_kg + over:
            return None, "overload", f"above {scale.max_kg} kg and nine divisions"
        if kg < -over:
            return kg, "underload", "below zero by more than nine divisions"
        return kg, "stable" if self._equal >= STEADY_FRAMES else "motion", ""
