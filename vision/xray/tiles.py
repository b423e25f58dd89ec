"""A scan cut into tiles for a browser: noise-shaped codes, a pyramid, and a coding that the browser inflates by itself.

A corrected pixel (air = 60,000) holds some ten bits of quantum noise that no codec can shrink. The code that stabilises
its variance a x + b, v = 1 + round((2 / (a s)) (sqrt(a x + b) - sqrt(b))), has steps of s sigma everywhere: at s = 0.5
ten bits hold a pixel, and the rounding adds 1 % to its noise. Code 0 is a pixel that was not measured. A level of the
pyramid averages four pixels of the one below, which halves the noise, so its step is halved too.

A tile's codes are predicted by the median edge detector (ITU-T T.87, A.4.2), the errors folded to unsigned, low bytes
before high bytes, and deflated by runs and Huffman codes alone: in noise there is nothing else to be found.

`fine` tiles are TILE pixels square; `base` is a whole level in 256 codes, for the first look.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from vision.xray.scan import NOT_MEASURED, Energy, Noise

U16 = npt.NDArray[np.uint16]
Layer = Literal["base", "fine"]

TILE = 512
"""Pixels a side: a pair of full-resolution tiles is a second of a 2 Mbit/s link."""
LEVELS = 4
"""1/1, 1/2, 1/4 and 1/8: the last one is smaller than any screen."""
BASE_LEVELS = (3, 2)
"""The levels that have a base, in the order in which a page asks for them."""
STEP = 0.5
"""Sigma of a full-resolution pixel in one code of the full-resolution level."""
BASE_CODES = 256
QUIETEST = 0.26
"""Least `a` that is believed: below it the codes of the last level would leave 14 bits, in which the predictor's sums
fit. A beam that quiet would be five times the strongest one."""
HEADER = struct.Struct("<4s4BIIHHfff")
"""magic, energy, level, codec, layer, x, y (pixels of the level), width, height, step, a, b."""
MAGIC = b"QGT1"
ONE_PLANE, TWO_PLANES = 1, 2
_DEFLATE = (1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
_COLUMNS_FITTED = 300
"""Lines that are enough to know the noise by to a percent."""
_BINS = 32
_LEAST_IN_BIN = 200


@dataclass(frozen=True, slots=True)
class Coding:
    """Pixel values to codes and back."""

    noise: Noise
    """Of a full-resolution pixel; one that can be coded."""
    step: float
    """In sigma of a full-resolution pixel."""

    @staticmethod
    def fine(noise: Noise, level: int) -> "Coding":
        """What a level's fine tiles are coded in."""
        return Coding(noise, STEP / 2**level)

    @staticmethod
    def base(noise: Noise) -> "Coding":
        """The narrowest step that spreads all values over BASE_CODES."""
        span = 2 / noise.a * (np.sqrt(noise.a * 65535 + noise.b) - np.sqrt(noise.b))
        return Coding(noise, float(np.nextafter(np.float32(span / (BASE_CODES - 2)), np.float32(np.inf))))

    def table(self) -> U16:
        """The code of every 16-bit value."""
        return _table(self.noise.a, self.noise.b, self.step)

    def values(self, codes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The value in the middle of each code above 0."""
        a, b = self.noise.a, self.noise.b
        return (((codes - 1) * (a * self.step / 2) + np.sqrt(b)) ** 2 - b) / a

    def error(self, codes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """How far a pixel of this code may be from `values`: half a step, upwards, where the steps are wider."""
        return self.values(codes + 0.5) - self.values(codes)


@dataclass(frozen=True, slots=True)
class TileName:
    """Which tile: `x` and `y` in pixels of its level; 0, 0 for a base."""

    layer: Layer
    energy: Energy
    level: int
    x: int = 0
    y: int = 0


class NoSuchTile(LookupError):
    """The frame has no tile of that name."""


class Pyramid:
    """One energy of a frame at all its levels."""

    def __init__(self, energy: Energy, image: U16, noise: Noise | None = None) -> None:
        """`image`: top row of the detector first, columns along the truck. `noise`: fitted where it is not known."""
        if image.ndim != 2 or 0 in image.shape:
            raise ValueError(f"expected a picture of rows and columns, not {image.shape}")
        self.energy = energy
        self.levels = [np.ascontiguousarray(image), *_halves(image)]
        self._given = noise

    @cached_property
    def noise(self) -> Noise:
        """Of the full resolution."""
        known = self._given is not None and self._given.a > 0
        return codable(self._given) if self._given and known else fit_noise(self.levels[0])

    def tile(self, name: TileName) -> bytes:
        """The tile, coded. Raises NoSuchTile."""
        if not 0 <= name.level < LEVELS or name.energy != self.energy:
            raise NoSuchTile(f"{name}")
        image = self.levels[name.level]
        if name.layer == "base":
            if name.level not in BASE_LEVELS or name.x or name.y:
                raise NoSuchTile(f"{name}")
            return _coded(image, name, Coding.base(self.noise))
        part = image[name.y : name.y + TILE, name.x : name.x + TILE]
        if name.x % TILE or name.y % TILE or part.size == 0 or name.x < 0 or name.y < 0:
            raise NoSuchTile(f"{name}")
        return _coded(part, name, Coding.fine(self.noise, name.level))

    def names(self) -> Iterator[TileName]:
        """Every tile: the base first, coarse before fine."""
        for level in BASE_LEVELS:
            yield TileName("base", self.energy, level)
        for level in reversed(range(LEVELS)):
            height, width = self.levels[level].shape
            for y in range(0, height, TILE):
                for x in range(0, width, TILE):
                    yield TileName("fine", self.energy, level, x, y)


def strip(image: U16, energy: Energy, level: int, x: int, noise: Noise) -> bytes:
    """A stretch of full height out of a growing picture: `image` in full resolution, `x` in the level's pixels.

    Coded like a base, named like a fine tile; its width must be whole pixels of the level. Raises ValueError.
    """
    if image.shape[1] % 2**level or image.size == 0:
        raise ValueError(f"{image.shape[1]} columns are no whole pixels of level {level}")
    for coarse, _ in zip(_halves(image), range(level), strict=False):
        image = coarse
    return _coded(image, TileName("fine", energy, level, x, 0), Coding.base(codable(noise)))


def codable(noise: Noise) -> Noise:
    """The nearest noise that the codes can be made for, in the 32 bits of a tile's header."""
    return Noise(float(np.float32(max(noise.a, QUIETEST))), float(np.float32(max(noise.b, 1.0))))


def upright(lines: U16) -> U16:
    """A scan's (rows, pixels), lowest pixel first, as a person sees it: the top first, the truck's first row left."""
    return np.asarray(cv2.flip(cv2.transpose(lines), 0), dtype=np.uint16)


def fit_noise(image: U16) -> Noise:
    """The noise of a picture, from second differences along the detector (a line's dose is common to its pixels).

    Each bin of brightness gives one variance by the median of its differences, which edges hardly move.
    """
    some = image[:, :: max(1, image.shape[1] // _COLUMNS_FITTED)].astype(np.float32)
    if some.shape[0] < 3:
        return codable(Noise(1.0, 1.0))
    measured = (some[:-2] > 0) & (some[1:-1] > 0) & (some[2:] > 0)
    bright = (some[:-2] + some[1:-1] + some[2:])[measured] / 3
    rough = np.abs(some[:-2] - 2 * some[1:-1] + some[2:])[measured]
    order = np.argsort(bright)
    means: list[float] = []
    variances: list[float] = []
    for part in np.array_split(order, _BINS):
        if part.size >= _LEAST_IN_BIN:
            means.append(float(np.mean(bright[part])))
            variances.append(max(1.0, float((1.4826 * np.median(rough[part])) ** 2 / 6)))
    if len(means) < 2:
        return codable(Noise(1.0, 1.0))
    x, y = np.array(means), np.array(variances)
    a, b = 1.0, 1.0
    for _ in range(4):
        # A variance's own spread goes with the variance.
        weight = 1 / (max(a, 1e-3) * x + max(b, 1.0))
        (a, b), *_ = np.linalg.lstsq(np.stack([x * weight, weight], axis=1), y * weight, rcond=None)
    return codable(Noise(float(a), float(b)))


def _halves(image: U16) -> Iterator[U16]:
    for _ in range(LEVELS - 1):
        # An odd last row or column counts double, so that a pixel of level n is 2^n wide everywhere.
        odd_rows, odd_columns = image.shape[0] % 2, image.shape[1] % 2
        if odd_rows or odd_columns:
            image = np.pad(image, ((0, odd_rows), (0, odd_columns)), mode="edge")
        image = _half(image) if image.all() else _half_of_measured(image)
        yield image


def _half(image: U16) -> U16:
    size = (image.shape[1] // 2, image.shape[0] // 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint16)


def _half_of_measured(image: U16) -> U16:
    """What was not measured does not darken its neighbours."""
    shape = (image.shape[0] // 2, 2, image.shape[1] // 2, 2)
    total = image.reshape(shape).sum(axis=(1, 3), dtype=np.uint32)
    count = np.count_nonzero(image.reshape(shape), axis=(1, 3)).astype(np.uint32)
    return ((total + count // 2) // np.maximum(count, 1)).astype(np.uint16)


@lru_cache(maxsize=32)
def _table(a: float, b: float, step: float) -> U16:
    values = np.arange(65536, dtype=np.float64)
    codes: npt.NDArray[np.float64] = 2 / (a * step) * (np.sqrt(a * values + b) - np.sqrt(b))
    table = (np.rint(codes) + 1).astype(np.uint16)
    table[NOT_MEASURED] = 0
    return table


def _coded(image: U16, name: TileName, coding: Coding) -> bytes:
    codes = np.asarray(cv2.LUT(np.ascontiguousarray(image), coding.table())).reshape(image.shape).view(np.int16)
    left, up, corner = np.zeros_like(codes), np.zeros_like(codes), np.zeros_like(codes)
    left[:, 1:], up[1:], corner[1:, 1:] = codes[:, :-1], codes[:-1], codes[:-1, :-1]
    # The first row is predicted from the left, the first column from above, the first pixel is 0.
    up[0] = corner[0] = left[0]
    left[1:, 0] = corner[1:, 0] = up[1:, 0]
    predicted = np.clip(left + up - corner, np.minimum(left, up), np.maximum(left, up))
    wrong = codes - predicted
    folded = ((wrong << 1) ^ (wrong >> 15)).view(np.uint8).reshape(-1)
    planes = [folded[0::2], folded[1::2]]
    codec = TWO_PLANES if planes[1].any() else ONE_PLANE
    squeeze = zlib.compressobj(*_DEFLATE)
    body = [squeeze.compress(plane.tobytes()) for plane in planes[:codec]]
    height, width = image.shape
    head = HEADER.pack(
        MAGIC,
        list(Energy).index(name.energy),
        name.level,
        codec,
        ("fine", "base").index(name.layer),
        name.x,
        name.y,
        width,
        height,
        coding.step,
        coding.noise.a,
        coding.noise.b,
    )
    return b"".join([head, *body, squeeze.flush()])
