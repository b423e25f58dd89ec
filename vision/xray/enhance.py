"""Pictures of a picture, as a report or another program shows them; the page's shader does its own. Pure.

Input is the archive's picture: uint16 (rows, pixels), transmission times SCALE, 0 not measured. Output is 8 bit of
the same shape, 0 dark to 255 bright, unless it says otherwise; what was not measured is UNMEASURED in grey, black in
colour. Nothing here changes an array that it is given.

grey       a window of transmission (`level` its middle, `width`, both as shares of air), straight
logs       a window of log-attenuation: every halving of the beam is as wide a step, 0 (air) to `deepest` (black)
inverse    of any of them
local      contrast within tiles (CLAHE): shows what is in dark and in bright parts at once; shades are not comparable
edges      the picture with what differs from its surroundings within `sigma` pixels made `gain` times as strong
coloured   hue by material, brightness by `shade`; where the material cannot be told there is no hue (a table's trust)
stripped   colour of the kept classes alone, everything else a dim grey: organic or metal only
peeled     both energies with a container's walls divided out: uint16 again, transmission of what stands between them
"""

from collections.abc import Collection
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.xray.palette import ALPHA_MOST, COLUMNS, ROWS, Material, Palette
from vision.xray.scan import NOT_MEASURED, SCALE, Counts, Dual

Bytes = NDArray[np.uint8]
Reals = NDArray[np.float32]
VALUES: Final = 1 << 16
UNMEASURED: Final = 24
DEEPEST: Final = 6.0
"""Log-attenuation that is black: a quarter of a per cent of the beam."""
SURROUNDINGS: Final = 4
"""Pixels a side whose mean is looked up for a material: the ratio of two logarithms is noise in one pixel."""
STRIP: Final = 64
"""Rows."""
DIM: Final = 0.35
WALL_PERCENTILE: Final = 4.0
"""Of a height's log-attenuations along a container: the thinnest rows are walls with nothing between them."""
WALL_MOST: Final = 0.45
"""Log-attenuation of two walls and a rail; more is load, all along."""


def grey(image: Counts, level: float = 0.5, width: float = 1.0) -> Bytes:
    """A window of transmission. Raises ValueError for a width that is none."""
    if width <= 0:
        raise ValueError(f"a window {width} wide shows nothing")
    x = np.arange(VALUES, dtype=np.float64) / SCALE
    return _looked_up(image, (x - level) / width + 0.5)


def logs(image: Counts, deepest: float = DEEPEST) -> Bytes:
    """A window of log-attenuation from air to `deepest`. Raises ValueError for a depth that is none."""
    if deepest <= 0:
        raise ValueError(f"a log-attenuation of {deepest} is brighter than air")
    return _looked_up(image, 1 - _depths() / deepest)


def inverse(shown: Bytes) -> Bytes:
    """Dark for bright."""
    return np.asarray(255 - shown, np.uint8)


def local(image: Counts, clip: float = 4.0, tiles: int = 8, deepest: float = DEEPEST) -> Bytes:
    """CLAHE of the log picture; `clip`: how far a tile's contrast may be raised, in times of the mean."""
    shown = cv2.createCLAHE(clip, (tiles, tiles)).apply(logs(image, deepest))
    return _hatched(np.asarray(shown, np.uint8), image)


def edges(shown: Bytes, gain: float = 1.5, sigma: float = 2.0) -> Bytes:
    """Unsharp mask of an 8-bit picture."""
    smooth = cv2.GaussianBlur(shown, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(shown, 1 + gain, smooth, -gain, 0), np.uint8)


class _Lookup:
    """Tables for one palette: from a value to its place, so that a frame takes two divisions and no logarithm."""

    def __init__(self, palette: Palette, hues: Bytes) -> None:
        pace = ROWS / (palette.r_last - palette.r_first)
        depths = _depths().astype(np.float32)
        self.alpha = np.maximum(depths, np.float32(1e-3))
        self.low = depths * np.float32(pace)
        self.first = -palette.r_first * pace - 0.5
        self.column = np.clip(depths * (COLUMNS / ALPHA_MOST), 0, COLUMNS - 1).astype(np.uint16)
        flat = hues.reshape(-1, 3)
        self.planes = [np.ascontiguousarray(flat[:, n]) for n in range(3)]

    def cells(self, he: Counts, le: Counts) -> NDArray[np.uint16]:
        around = (SURROUNDINGS, SURROUNDINGS)
        he, le = np.asarray(cv2.blur(he, around), np.uint16), np.asarray(cv2.blur(le, around), np.uint16)
        ratio = np.asarray(cv2.divide(cv2.LUT(le, self.low), cv2.LUT(he, self.alpha)), np.float32)
        ratio += np.float32(self.first)
        np.maximum(ratio, 0, out=ratio)
        found = np.asarray(cv2.convertScaleAbs(ratio), np.uint16)
        found *= COLUMNS
        found += np.asarray(cv2.LUT(he, self.column), np.uint16)
        return found


def cells(picture: Dual[Counts], palette: Palette) -> NDArray[np.uint16]:
    """Of each pixel, its cell of the table: row times COLUMNS plus column, by means over SURROUNDINGS."""
    return _Lookup(palette, _hues(palette)).cells(picture.he, picture.le)


def coloured(picture: Dual[Counts], palette: Palette, shade: Bytes | None = None) -> Bytes:
    """(rows, pixels, 3): red, green, blue. `shade`: the brightness; the log picture of the high energy where not
    given.
    """
    return _tinted(picture, _Lookup(palette, _hues(palette)), shade)


def stripped(picture: Dual[Counts], palette: Palette, keep: Collection[Material], shade: Bytes | None = None) -> Bytes:
    """The same with the hue of the kept classes alone."""
    kept = np.isin(palette.material, [int(kind) for kind in keep])
    hues = np.where(kept[..., None], _hues(palette), np.uint8(255 * DIM))
    return _tinted(picture, _Lookup(palette, np.asarray(hues, np.uint8)), shade)


def walls(image: Counts, rows: slice) -> Reals:
    """(pixels,) log-attenuation of a container's walls by height; `rows`: of the container, doors and posts left
    out.
    """
    part = image[rows].astype(np.float32)
    if not part.size:
        return np.zeros(int(image.shape[1]), np.float32)
    there = np.where(part == NOT_MEASURED, np.nan, part)
    bright: NDArray[np.float64] = np.asarray(np.nanpercentile(there, 100 - WALL_PERCENTILE, axis=0), np.float64)
    alpha: NDArray[np.float64] = -np.log(np.maximum(np.nan_to_num(bright, nan=SCALE), 1.0) / SCALE)
    return np.asarray(np.clip(alpha, 0.0, WALL_MOST), np.float32)


def peeled(picture: Dual[Counts], rows: slice) -> Dual[Counts]:
    """Within `rows` the walls are divided out; what was not measured stays so, and nothing is brighter than 65,535."""
    made: list[Counts] = []
    for image in picture:
        part = image[rows].astype(np.float32) * np.exp(walls(image, rows))
        whole = image.copy()
        whole[rows] = np.where(image[rows] == NOT_MEASURED, NOT_MEASURED, np.clip(np.rint(part), 1, VALUES - 1))
        made.append(whole)
    return Dual(made[0], made[1])


def _depths() -> NDArray[np.float64]:
    """Log-attenuation of every value; of what was not measured it is 0."""
    x = np.arange(VALUES, dtype=np.float64)
    x[NOT_MEASURED] = SCALE
    return np.maximum(-np.log(x / SCALE), 0.0)


def _looked_up(image: Counts, share: NDArray[np.float64]) -> Bytes:
    table = np.clip(np.rint(255 * share), 0, 255).astype(np.uint8)
    table[NOT_MEASURED] = UNMEASURED
    return np.asarray(cv2.LUT(image, table), np.uint8)


def _hatched(shown: Bytes, image: Counts) -> Bytes:
    shown[image == NOT_MEASURED] = UNMEASURED
    return shown


def _hues(palette: Palette) -> Bytes:
    """(ROWS, COLUMNS, 3) colour by trust, white without any."""
    trust = palette.trust.astype(np.float32)[..., None] / 255
    hues: NDArray[np.float64] = 255 * (1 - trust) + palette.colour * trust
    return np.rint(hues).astype(np.uint8)


def _tinted(picture: Dual[Counts], lookup: _Lookup, shade: Bytes | None) -> Bytes:
    """A strip of rows at a time: a strip stays in the processor's cache from its values to its colours."""
    rows, pixels = picture.he.shape
    made = np.empty((rows, pixels, 3), np.uint8)
    for first in range(0, rows, STRIP):
        last = min(rows, first + STRIP)
        # Means at a strip's edge need its neighbours' rows.
        around = slice(max(0, first - SURROUNDINGS), min(rows, last + SURROUNDINGS))
        own = slice(first - around.start, last - around.start)
        he, le = picture.he[first:last], picture.le[first:last]
        found = lookup.cells(picture.he[around], picture.le[around])[own]
        light = logs(he) if shade is None else shade[first:last]
        planes = [cv2.multiply(cv2.LUT(found, plane), light, scale=1 / 255) for plane in lookup.planes]
        cv2.merge(planes, made[first:last])
        if he.min() == NOT_MEASURED or le.min() == NOT_MEASURED:
            made[first:last][(he == NOT_MEASURED) | (le == NOT_MEASURED)] = 0
    return made
