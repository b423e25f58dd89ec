"""A stand of test objects: its plan, and where each object lies in a picture of it. Pure.

The plan is JSON: `post_mm` (how thick the post is that stands first, as high as everything), then `objects`, each with
its kind and its place in mm: x along the stand from the post's front, z above the road, in the lane's middle plane.
Also what the lines were taken with (pixels, clear pixels, energies, geometry), for a recording without a site file.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision.xray.scan import SCALE, Counts, Dual, Energy, Geometry, Noise, Scan

Range = tuple[float, float]
Reals = NDArray[np.float64]
MARGIN_MM: Final = 9.0
"""Of an object's edge that is not measured: two pixels and what the fan's slant moves."""


class Step(msgspec.Struct, frozen=True, kw_only=True, tag="step", tag_field="kind"):
    """A block of one material: so many g/cm2 for a level ray."""

    material: str
    g_cm2: float
    x_mm: Range
    z_mm: Range


class Penetration(msgspec.Struct, frozen=True, kw_only=True, tag="penetration", tag_field="kind"):
    """Steel with a patch in it through which nothing passes."""

    steel_mm: float
    x_mm: Range
    z_mm: Range
    patch_x_mm: Range
    patch_z_mm: Range


class Contrast(msgspec.Struct, frozen=True, kw_only=True, tag="contrast", tag_field="kind"):
    """A thin plate on thick steel."""

    steel_mm: float
    step_mm: float
    x_mm: Range
    z_mm: Range
    patch_x_mm: Range
    patch_z_mm: Range


class Wire(msgspec.Struct, frozen=True, kw_only=True, tag="wire", tag_field="kind"):
    """A straight wire of steel in air (`behind_mm` 0) or with steel."""

    diameter_mm: float
    behind_mm: float
    x_mm: Range
    z_mm: Range
    first_mm: tuple[float, float]
    last_mm: tuple[float, float]


class Edge(msgspec.Struct, frozen=True, kw_only=True, tag="edge", tag_field="kind"):
    """A plate whose `edge` leans by `tilt` mm a mm along it."""

    edge: str
    """`front` or `top`."""
    tilt: float
    x_mm: Range
    z_mm: Range


Thing = Step | Penetration | Contrast | Wire | Edge


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """The scanner's section, as a site file draws it."""

    fan_deg: tuple[float, float]
    source_height_mm: float
    middle_mm: float
    detector_mm: float
    pitch_mm: float
    encoder_mm: float | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What stands where."""

    name: str
    post_mm: float
    objects: list[Thing]
    simulated: bool = False
    pixels: int = 0
    clear: tuple[int, int] = (0, 0)
    energies_mev: tuple[float, float] = (0.0, 0.0)
    geometry: Section | None = None


class NotThisStand(ValueError):
    """The picture does not show what the plan says."""


def plan_from(data: bytes) -> Plan:
    """Raises NotThisStand with what is wrong, and where."""
    try:
        return msgspec.json.decode(data, type=Plan)
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise NotThisStand(f"no plan of a stand: {wrong}") from wrong


def section_of(plan: Plan) -> Geometry:
    """Raises NotThisStand for a plan that tells none."""
    drawn = plan.geometry
    if drawn is None or plan.pixels < 2:
        raise NotThisStand("the plan tells neither `pixels` nor `geometry`: a recording needs both")
    return Geometry(
        fan_deg=np.linspace(*drawn.fan_deg, plan.pixels, dtype=np.float32),
        source_height_mm=drawn.source_height_mm,
        middle_mm=drawn.middle_mm,
        detector_mm=drawn.detector_mm,
        pitch_mm=drawn.pitch_mm,
        encoder_mm=drawn.encoder_mm,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture of a stand, with the stand's own coordinates. Arrays (rows, pixels)."""

    he: Counts
    le: Counts
    noise: Dual[Noise]
    geometry: Geometry
    front_row: float
    """Where the post's front is, in rows."""
    heights_mm: Reals

    @classmethod
    def of(cls, scan: Scan, plan: Plan) -> "Shown":
        """Finds the post. Raises NotThisStand where there is none, or the stand is longer than the picture."""
        geometry = scan.head.geometry
        heights = geometry.heights_mm().astype(np.float64)
        tall = [edge for thing in plan.objects for edge in thing.z_mm]
        middle = (heights > min(tall)) & (heights < max(tall))
        column = np.median(scan.picture.he[:, middle], axis=1).astype(np.float64)
        dark = np.flatnonzero(column < 0.6 * SCALE)
        if not dark.size or dark[0] == 0:
            raise NotThisStand("no post is seen: nothing as high as the stand darkens the picture first")
        row = int(dark[0])
        level = (SCALE + float(column[row + 1])) / 2
        front = row - 1 + (column[row - 1] - level) / max(column[row - 1] - column[row], 1.0)
        longest = max(edge for thing in plan.objects for edge in thing.x_mm)
        if front + longest / geometry.pitch_mm > len(column):
            raise NotThisStand(f"the stand is {longest:.0f} mm long, the picture ends before")
        return cls(scan.picture.he, scan.picture.le, scan.noise, geometry, float(front), heights)

    def rows(self, x_mm: Range, margin_mm: float = MARGIN_MM) -> slice:
        """Whose middles lie inside."""
        pitch = self.geometry.pitch_mm
        first, last = (self.front_row + (x_mm[0] + margin_mm) / pitch, self.front_row + (x_mm[1] - margin_mm) / pitch)
        return slice(int(np.ceil(first)), int(np.floor(last)))

    def pixels(self, z_mm: Range, margin_mm: float = MARGIN_MM) -> slice:
        """Whose middles lie inside."""
        first, last = np.searchsorted(self.heights_mm, (z_mm[0] + margin_mm, z_mm[1] - margin_mm))
        return slice(int(first), int(last))

    def box(self, energy: Energy, x_mm: Range, z_mm: Range, margin_mm: float = MARGIN_MM) -> Counts:
        """Values inside. Raises NotThisStand for an object that is not in the picture."""
        image = self.he if energy is Energy.HE else self.le
        found = image[self.rows(x_mm, margin_mm), self.pixels(z_mm, margin_mm)]
        if found.size < 9:
            raise NotThisStand(f"nothing of the picture lies at x {x_mm}, z {z_mm} mm")
        return found

    def slant(self, z_mm: Range) -> Reals:
        """(pixels,) how much longer than a level ray's each ray's way through a block is."""
        return 1 / np.cos(np.radians(self.geometry.fan_deg[self.pixels(z_mm)].astype(np.float64)))
