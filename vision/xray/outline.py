"""Where the container is in a picture, and what stands in it box by box. Pure.

The lane's middle plane is the picture's scale: what stands nearer to the source is drawn larger, by a fifth at most
from wall to wall. Heights are above the road.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.xray.findings import MOST_PLACES, Place
from vision.xray.material import Map, Table
from vision.xray.scan import NOT_MEASURED, SCALE, Counts, Dual, Geometry, Noise

Reals = NDArray[np.float64]
FLOOR_MM: Final = 1_420.0
"""A container's inner floor on a trailer of usual height; a site with others says so."""
ROOF_MM: Final = 3_790.0
"""Below the roof of a standard container; what is higher is roof, and the upper part of a high one."""
BAND_MM: Final = (1_700.0, 3_500.0)
"""Where a wall darkens every row of a container, and a gap between cab and container does not."""
THERE: Final = 0.05
"""Log-attenuation of two walls is a fifth."""
THERE_SHARE: Final = 0.6
GAP_MM: Final = 150.0
SHORTEST_MM: Final = 5_500.0
"""A twenty-foot container is 6,058 mm long; no cab is."""
ENDS_MM: Final = 260.0
"""Corner posts and doors: not looked at for what is loaded."""
BOX_MM: Final = 24.0
WALL_G_CM2: Final = 2.6
"""Two walls of 1.6 mm steel in their folds."""


class NoContainer(ValueError):
    """Nothing as long and as high as a container is in the picture."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """The inside of a container, in boxes. Arrays (boxes along, boxes up)."""

    rows: slice
    """Of the picture."""
    pixels: slice
    box: int
    """Pixels a side."""
    found: Map
    cm2: Reals
    """(1, boxes up): area of a box across its ray at the middle plane: g/cm2 times this is what stands in it."""
    blind: NDArray[np.bool_]
    """Darker than the thickest step of steel: scatter and noise, whatever stands there."""
    measured: NDArray[np.bool_]

    @property
    def kg(self) -> Reals:
        """What stands in each box, walls included; where it is blind, at least."""
        return np.where(self.measured, np.nan_to_num(self.found.g_cm2), 0.0) * self.cm2 / 1000

    def places(self, marked: NDArray[np.bool_], size: Reals, least: int = 2) -> tuple[Place, ...]:
        """Marked boxes that touch, as boxes of the picture; the largest first. `size`: summed over each."""
        found: list[Place] = []
        for label in patches(marked):
            if label.size < 2 * least:
                continue
            along, up = label[:, 0], label[:, 1]
            found.append(
                Place(
                    row=self.rows.start + int(along.min()) * self.box,
                    pixel=self.pixels.start + int(up.min()) * self.box,
                    rows=(int(along.max() - along.min()) + 1) * self.box,
                    pixels=(int(up.max() - up.min()) + 1) * self.box,
                    size=float(size[along, up].sum()),
                )
            )
        return tuple(sorted(found, key=lambda place: -abs(place.size))[:MOST_PLACES])


def window(
    picture: Dual[Counts],
    geometry: Geometry,
    noise: Dual[Noise],
    table: Table,
    *,
    floor_mm: float = FLOOR_MM,
    roof_mm: float = ROOF_MM,
) -> Window:
    """Raises NoContainer."""
    heights = geometry.heights_mm().astype(np.float64)
    rows = container_rows(picture.he, geometry, heights)
    ends = round(ENDS_MM / geometry.pitch_mm)
    rows = slice(rows.start + ends, rows.stop - ends)
    first, last = (int(n) for n in np.searchsorted(heights, (floor_mm, roof_mm)))
    across = abs(geometry.pixel_mm())
    box = max(1, round(BOX_MM / max(geometry.pitch_mm, across)))
    if last - first < 4 * box or rows.stop - rows.start < 4 * box:
        raise NoContainer("the detector does not reach a container's inside")
    part = Dual(*(image[rows, first:last] for image in picture))
    found = table.map(part, noise, box)
    up = found.g_cm2.shape[1]
    edges = heights[first : first + up * box + 1][::box]
    if edges.size < up + 1:
        edges = np.append(edges, edges[-1] + box * across)
    middle = np.radians(geometry.fan_deg[first : first + up * box].astype(np.float64)).reshape(up, box).mean(axis=1)
    cm2 = np.diff(edges)[:up] * geometry.pitch_mm * box / 100 * np.cos(middle)
    return Window(
        rows=rows,
        pixels=slice(first, last),
        box=box,
        found=found,
        cm2=cm2[None, :],
        blind=np.nan_to_num(found.alpha) > table.curve("steel").reach[1],
        measured=np.isfinite(found.g_cm2),
    )


def container_rows(he: Counts, geometry: Geometry, heights: Reals) -> slice:
    """The longest stretch of rows that a wall darkens. Raises NoContainer."""
    band = (heights > BAND_MM[0]) & (heights < BAND_MM[1])
    if not band.any():
        raise NoContainer("the detector does not see a container's walls")
    seen = he[:, band]
    dark = (seen < SCALE * np.exp(-THERE)) & (seen != NOT_MEASURED)
    there = dark.mean(axis=1) > THERE_SHARE
    there |= (seen == NOT_MEASURED).all(axis=1)  # a lost line within a container does not end it
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and (start - runs[-1][1]) * geometry.pitch_mm < GAP_MM:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    start, stop = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    if (stop - start) * geometry.pitch_mm < SHORTEST_MM:
        raise NoContainer(f"nothing longer than {(stop - start) * geometry.pitch_mm / 1000:.1f} m stands behind a wall")
    return slice(start, stop)


def patches(marked: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Marked boxes that touch by a side or a corner: for each patch (n, 2) its boxes."""
    count, labels = cv2.connectedComponents(marked.astype(np.uint8), connectivity=8)
    along, up = np.nonzero(labels)
    names = labels[along, up]
    order = np.argsort(names, kind="stable")
    where = np.stack([along, up], axis=1)[order]
    starts = np.searchsorted(names[order], np.arange(1, count + 1))
    return [where[starts[n] : starts[n + 1]] for n in range(count - 1)]
