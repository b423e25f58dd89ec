"""From frames to weights: what a frame may be taken for at this site. Pure."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

import msgspec

from drivers.readings import Instant, Quality
from drivers.weighbridge.frames import Frame, Shows, Unit

Status = Literal["stable", "motion", "unknown", "overload", "underload", "blank", "error", "tared"]

UNIT_KG: Final[dict[Unit, Decimal]] = {
    "kg": Decimal(1),
    "t": Decimal(1000),
    "g": Decimal("0.001"),
    "lb": Decimal("0.45359237"),
    "oz": Decimal("0.028349523125"),
    "ton": Decimal("907.18474"),
}
"""Exact: the international pound is defined by the kilogram."""
OVER_DIVISIONS = 9
"""OIML R76: no number above Max plus nine divisions."""
UNDER_DIVISIONS = 20
"""Further below zero no deck goes by itself: a tare was left on, a cell unplugged, or zero taken with a truck on it."""
STEADY_FRAMES = 5
"""An indicator that says nothing of motion stands still when so many frames in a row are within one division: half a
second at ten a second."""

_FAULTS: Final[dict[Shows, tuple[Status, str]]] = {
    "blank": ("blank", "the display shows nothing"),
    "dashes": ("blank", "the display shows dashes"),
    "overload": ("overload", "the indicator says: above its range"),
    "underload": ("underload", "the indicator says: below its range"),
    "error": ("error", "the indicator reports an error"),
}


class Weight(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One reading, gross. `kg` is None whenever the indicator gives no number that may be used: never 0 for a fault.

    A struct of msgspec, because one is made for every frame of every deck, and a dataclass takes five times as long.
    """

    kg: Decimal | None
    display: str
    status: Status
    quality: Quality
    at: Instant
    raw: bytes
    why: str = ""
    """Why the quality is not good."""
    moving: bool = False
    """The indicator itself says that the load moves."""
    tare_on: bool | None = None
    """Whether a tare stands on the indicator; None: its frames do not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the site knows of the weighbridge and the frame does not say."""

    max_kg: Decimal
    division_kg: Decimal
    decimals: int
    unit: Unit = "kg"
    """What the display counts in."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Of one frame at one site, whatever came before it."""

    kg: Decimal | None
    fault: Status | None
    why: str
    display: str


class Reader:
    """Remembers the frame before: neither XOR nor sum can see swapped digits, so a number is good when it comes twice
    in a row. A frame with a CRC is good by itself."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._before: bytes = b""
        self._meant: _Meaning = _Meaning(None, None, "", "")
        self._recent: deque[Decimal] = deque(maxlen=STEADY_FRAMES)
        self._times = 0
        """So often in a row."""
        self._frame: Frame | None = None
        self._said: Weight | None = None
        """Of the frame before, when all that its repetition can change is the moment."""

    def read(self, frame: Frame, at: Instant) -> Weight:
        """The weight that a frame stands for. Frames in the order of the wire."""
        said = self._said
        if said is not None and frame is self._frame:
            return Weight(
                kg=said.kg,
                display=said.display,
                status=said.status,
                quality=said.quality,
                at=at,
                raw=said.raw,
                why=said.why,
                moving=said.moving,
                tare_on=said.tare_on,
            )
        weight = self._judge(frame, at)
        self._frame, self._said = frame, weight if self._times >= STEADY_FRAMES else None
        return weight

    def _judge(self, frame: Frame, at: Instant) -> Weight:
        raw = frame.raw
        if raw == self._before:
            self._times += 1
        else:
            meant = _meaning(frame, self._scale)
            again = meant.kg is not None and meant == self._meant
            self._before, self._meant, self._times = raw, meant, self._times + 1 if again else 1
        kg, fault, why = self._meant.kg, self._meant.fault, self._meant.why
        quality = Quality.GOOD
        if kg is None:
            quality = Quality.BAD
        elif frame.doubt:
            quality, why = Quality.UNCERTAIN, frame.doubt
        elif self._times == 1 and not frame.proven:
            quality, why = Quality.UNCERTAIN, "seen once, and the check sum cannot see swapped digits"
        return Weight(
            kg=kg,
            display=self._meant.display,
            status=self._standing(kg, fault, frame.stable),
            quality=quality,
            at=at,
            raw=raw,
            why=why,
            moving=frame.stable is False,
            tare_on=True if frame.kind == "net" and frame.tare_on is None else frame.tare_on,
        )

    def _standing(self, kg: Decimal | None, fault: Status | None, stable: bool | None) -> Status:  # noqa: FBT001
        recent = self._recent
        if kg is None:
            recent.clear()
            return fault or "error"
        recent.append(kg)
        if fault is not None:
            return fault
        if stable is not None:
            return "stable" if stable else "motion"
        if self._times >= STEADY_FRAMES:
            return "stable"
        if len(recent) < STEADY_FRAMES:
            return "unknown"
        return "stable" if max(recent) - min(recent) <= self._scale.division_kg else "motion"


def _meaning(frame: Frame, scale: Scale) -> _Meaning:
    def none(fault: Status, why: str) -> _Meaning:
        return _Meaning(None, fault, why, frame.display)

    if frame.shows in _FAULTS:
        fault, why = _FAULTS[frame.shows]
        return none(fault, why)
    if frame.unit is not None and frame.unit != scale.unit:
        return none("error", f"the frame counts in {frame.unit}, the site in {scale.unit}")
    value = frame.value
    if frame.pointless and value is not None:
        value = value.scaleb(-scale.decimals)
    elif value is None or frame.decimals != scale.decimals:
        said = "no number of decimals" if frame.decimals is None else f"{frame.decimals} decimals"
        return none("error", f"the frame says {said}, the site {scale.decimals}")
    if frame.kind == "tare":
        return none("tared", "the frame gives a tare, not a load")
    if frame.kind == "net" and frame.tare_on is not False:
        return none("tared", "the indicator shows net: a tare is on")
    kg = value * UNIT_KG[scale.unit]
    if kg > scale.max_kg + OVER_DIVISIONS * scale.division_kg:
        return none("overload", f"above {scale.max_kg} kg and nine divisions")
    if kg % scale.division_kg:
        return none("error", f"{kg} kg is no whole number of divisions of {scale.division_kg} kg")
    under = kg < -UNDER_DIVISIONS * scale.division_kg
    return _Meaning(kg, "underload" if under else None, "", frame.display)
