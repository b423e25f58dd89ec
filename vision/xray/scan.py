"""The words of a scan: lines, what is wrong with them, geometry, calibration, the picture, and where it is kept. Pure.

Every array of a scan lies (lines, pixels) or (rows, pixels): the first index runs along the truck, the second up the
detector, pixel 0 at its foot. A *line* is a pulse as the detector gave it; a *row* is a column of the picture as a
person sees it, on a grid of equal steps along the truck. They differ where the speed did.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from drivers.readings import Instant
from drivers.xray.line import Counts, Energy, Line

__all__ = [
    "LINE_TABLE",
    "NOT_MEASURED",
    "SCALE",
    "Calibration",
    "Counts",
    "Dual",
    "Energy",
    "Flag",
    "Flaw",
    "Geometry",
    "Line",
    "Noise",
    "Reals",
    "Remark",
    "SafetyEvent",
    "Scan",
    "ScanHead",
    "ScanRef",
    "Subject",
]

Reals = NDArray[np.float32]
T = TypeVar("T")

SCALE: Final = 60_000
"""A picture's value of a pixel that nothing stands before (transmission 1). 65,535 leaves 9 % for noise above it."""
NOT_MEASURED: Final = 0
"""A picture's value where nothing was measured: a lost line, a lost energy. The darkest measured value is 1."""


class Dual(NamedTuple, Generic[T]):
    """One of each energy."""

    he: T
    le: T

    def of(self, energy: Energy) -> T:
        """The one of that energy."""
        return self.he if energy is Energy.HE else self.le


class Flag(StrEnum):
    """What may be wrong with one line; each is a bit of the line table's `flags`, in this order from bit 0."""

    LOST_HE = "lost_he"
    LOST_LE = "lost_le"
    PART_HE = "part_he"
    """Some packets of the line were lost."""
    PART_LE = "part_le"
    NO_PULSE = "no_pulse"
    """Neither the beam monitor nor a clear pixel told this pulse's dose; it is taken from its neighbours."""
    SPEED = "speed"
    """The truck moved faster than the picture's grid can hold, or stood, or went back."""
    SATURATED = "saturated"
    WEAK = "weak"
    """Less than half of the usual dose."""

    @property
    def bit(self) -> int:
        """Its place in `flags`."""
        return 1 << list(Flag).index(self)


LINE_TABLE: Final = np.dtype(
    [
        ("number", "<u4"),  # the HE pulse's number (the LE one's where HE is lost)
        ("encoder", "<i4"),  # counts; meaningless where the geometry has no encoder
        ("stamp_ns", "<u8"),  # the detector's clock
        ("pulse_he", "<u2"),  # beam monitor, its counts
        ("pulse_le", "<u2"),
        ("dose_he", "<f4"),  # this pulse over the calibration's, as used for the correction
        ("dose_le", "<f4"),
        ("temperature_c", "<f4"),  # NaN where not told
        ("flags", "<u2"),  # Flag.bit, or-ed
    ]
)
"""One record a line, as it is kept."""


class Flaw(StrEnum):
    """What is wrong with a stretch of the picture, in words for whoever reads it."""

    GAP = "gap"
    """Lines that never came: both energies."""
    LOST_ENERGY = "lost_energy"
    """Lines of one energy that never came; the other is there."""
    PART_LINE = "part_line"
    """Lines with lost packets: a strip of pixels is missing."""
    CLIPPED_SPEED = "clipped_speed"
    """Driven too fast for the pulses, standing or rolling back: shapes are not to scale there."""
    NO_PULSE = "no_pulse"
    """The dose of these pulses is a guess between neighbours: stripes are not cargo."""
    SATURATED = "saturated"
    WEAK_BEAM = "weak_beam"
    TORN = "torn"
    """The scan ended before the truck did: what follows is not there."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One flaw over rows `first` to `first + count - 1` of the picture."""

    flaw: Flaw
    first: int
    count: int
    energy: Energy | None = None
    """None: both."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Geometry:
    """The scanner's section: a source beside the road, a fan of rays, a detector across. Millimetres, degrees."""

    fan_deg: Reals
    """(pixels,) elevation of each pixel's ray, rising."""
    source_height_mm: float
    """Above the road."""
    middle_mm: float
    """From the source to the middle plane of the lane: the plane in which the picture is to scale."""
    detector_mm: float
    """From the source to the detector along the horizontal."""
    pitch_mm: float
    """Along the truck, from row to row of the picture."""
    encoder_mm: float | None
    """Along the truck, per encoder count; None: no encoder, the nominal speed is believed."""

    @property
    def pixels(self) -> int:
        """Of the detector."""
        return int(self.fan_deg.shape[0])

    def heights_mm(self) -> Reals:
        """(pixels,) height above the road at which each pixel's ray passes the middle plane."""
        rise = np.tan(np.radians(self.fan_deg.astype(np.float64))) * self.middle_mm
        return (self.source_height_mm + rise).astype(np.float32)

    def pixel_mm(self) -> float:
        """Mean step in height from pixel to pixel at the middle plane."""
        heights = self.heights_mm()
        return float((heights[-1] - heights[0]) / max(1, heights.size - 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """What the detector says without beam and with nothing before it. Arrays have shape (pixels,)."""

    dark: Dual[Reals]
    """Counts with the source off."""
    dark_sigma: Dual[Reals]
    air: Dual[Reals]
    """Counts above dark with beam and an empty tunnel, at dose 1."""
    bad: Dual[NDArray[np.bool_]]
    """Dead, noisy or stuck pixels: replaced along the column."""
    clear: Dual[tuple[int, int]]
    """First pixel and count of a stretch that nothing ever covers, for the dose of each pulse; (0, 0): none."""
    monitor: Dual[float]
    """Mean counts of the beam monitor during `air`; 0: none."""
    dark_at: Instant
    air_at: Instant
    dark_lines: int
    air_lines: int
    digest: str = ""
    """Of the arrays above, SHA-256; the history's key."""

    @property
    def pixels(self) -> int:
        """Of the detector it was taken with."""
        return int(self.dark.he.shape[0])


class Noise(NamedTuple):
    """Variance of a picture's value x is `a * x + b`, on the picture's scale."""

    a: float
    b: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose scan this is, as far as it was known when it ended. Empty: not known."""

    passage: str = ""
    plate: str = ""
    containers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyEvent:
    """One change of one safety signal, as it was watched while the scan ran."""

    at: Instant
    signal: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScanHead:
    """What is known before the first line."""

    scanner: str
    site: str
    started: Instant
    energies_mev: Dual[float]
    geometry: Geometry
    calibration: Calibration


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """A whole scan in memory: 6,000 lines of 1,400 pixels take 67 MB."""

    head: ScanHead
    ended: Instant
    subject: Subject
    raw: Dual[Counts]
    """(lines, pixels) as the detector gave them; 0 where a line was lost."""
    table: NDArray[np.void]
    """(lines,) of LINE_TABLE."""
    picture: Dual[Counts]
    """(rows, pixels) transmission on SCALE; NOT_MEASURED where there is nothing."""
    row_line: Reals
    """(rows,) which line each row came from, between two lines as a fraction; -1: from none."""
    remarks: tuple[Remark, ...]
    noise: Dual[Noise]
    """Of the picture."""
    safety: tuple[SafetyEvent, ...] = ()

    @property
    def torn(self) -> bool:
        """Whether it ended before the truck did."""
        return any(remark.flaw is Flaw.TORN for remark in self.remarks)

    @property
    def shape(self) -> tuple[int, int]:
        """Of the picture: (rows, pixels)."""
        return int(self.picture.he.shape[0]), int(self.picture.he.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRef:
    """A kept scan by name: what travels instead of pixels."""

    digest: str
    """SHA-256 of the file, 64 hexadecimal digits."""
    scanner: str
    started: Instant
    ended: Instant
    rows: int
    pixels: int
    pitch_mm: float
    subject: Subject = field(default_factory=Subject)
    remarks: tuple[Remark, ...] = ()
    bytes_kept: int = 0

    @property
    def torn(self) -> bool:
        """Whether it ended before the truck did."""
        return any(remark.flaw is Flaw.TORN for remark in self.remarks)


def flags_of(bits: int) -> Iterator[Flag]:
    """The flags of one line."""
    return (flag for flag in Flag if bits & flag.bit)
