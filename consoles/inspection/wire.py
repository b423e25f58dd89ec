"""What the image review and its pages say to each other. The pages' types are generated from these classes.

Pixels are those of the full-resolution picture: x along the truck from the left, y downwards from the top. Instants are
site seconds since 1970 UTC; what is called `_s` is real seconds.
"""

from typing import Literal

import msgspec

from telemetry.payloads.lane import Text


class RemarkCard(msgspec.Struct, frozen=True, kw_only=True):
    """A flaw over `count` columns of the picture from `first`."""

    flaw: str
    first: int
    count: int
    energy: Literal["he", "le"] | None
    say: Text


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A scan as its file says; it never changes."""

    digest: str
    scanner: str
    started: float
    ended: float
    rows: int
    """Columns of the picture."""
    pixels: int
    """Rows of the picture."""
    x_mm: float
    y_mm: float
    """A pixel at the truck's middle plane, mean."""
    heights_mm: list[float]
    """Above the road, of every `height_step`-th row from the top, and of the last one."""
    height_step: int
    he_mev: float
    le_mev: float
    air: int
    """The value of a pixel behind nothing."""
    torn: bool
    remarks: list[RemarkCard]
    levels: int
    base_levels: list[int]
    tile: int
    passage: str
    plate: str
    containers: list[str]


class ProbeMaterial(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind a box, with what it is worth."""

    name: Text
    sure: float
    """0 to 1."""
    g_cm2: float
    g_cm2_sigma: float
    steel_mm: float
    """Steel that would hold back as much."""


class ProbeValue(msgspec.Struct, frozen=True, kw_only=True):
    """The archive's values under a box: means and spreads of the pixels where both energies were measured."""

    pixels: int
    of: int
    he: float | None
    le: float | None
    he_sigma: float | None
    le_sigma: float | None
    he_alpha: float | None
    """-ln of the HE transmission."""
    ratio: float | None
    """LE over HE of log-attenuations; null where there is next to nothing."""
    material: ProbeMaterial | None = None
