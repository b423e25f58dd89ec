"""Shapes in the beam, and the path of every ray through them.

x runs along the truck (0 at its front), y across from the source, z up from the road; millimetres. The source is at
y = 0, its fan lies in one plane x.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Mm = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Fan:
    """Rays from the source, one a pixel."""

    elevation: NDArray[np.float64]
    """(pixels,) radians."""
    source_z_mm: float

    @property
    def cos(self) -> NDArray[np.float64]:
        """(pixels,)."""
        return np.cos(self.elevation)

    @property
    def tan(self) -> NDArray[np.float64]:
        """(pixels,)."""
        return np.tan(self.elevation)


class Shape(Protocol):
    """Something in the beam."""

    @property
    def span(self) -> tuple[float, float]:
        """From where to where along x."""
        ...

    def path(self, x: NDArray[np.float64], fan: Fan) -> Mm:
        """(x, pixels) mm of each ray inside, at each x within `span`."""
        ...


@dataclass(frozen=True, slots=True)
class Box:
    """Edges along the axes."""

    x: tuple[float, float]
    y: tuple[float, float]
    z: tuple[float, float]

    @property
    def span(self) -> tuple[float, float]:
        return self.x

    def path(self, x: NDArray[np.float64], fan: Fan) -> Mm:
        one = _slab(fan, self.y[0], self.y[1], self.z[0], self.z[1])
        return np.broadcast_to(one, (x.size, one.shape[-1]))

    def volume_mm3(self) -> float:
        """Of the whole."""
        return (self.x[1] - self.x[0]) * (self.y[1] - self.y[0]) * (self.z[1] - self.z[0])


@dataclass(frozen=True, slots=True)
class Cylinder:
    """Lying across (`axis` y), along (x) or standing (z); `middle` is its middle."""

    middle: tuple[float, float, float]
    radius: float
    length: float
    axis: str

    @property
    def span(self) -> tuple[float, float]:
        half = self.length / 2 if self.axis == "x" else self.radius
        return self.middle[0] - half, self.middle[0] + half

    def path(self, x: NDArray[np.float64], fan: Fan) -> Mm:
        _, y, z = self.middle
        if self.axis == "x":
            one = _disc(fan, y, z, np.array([[self.radius]]))
            return np.broadcast_to(one, (x.size, one.shape[-1]))
        half = np.sqrt(np.maximum(self.radius**2 - (x - self.middle[0]) ** 2, 0.0))[:, None]
        if self.axis == "y":
            return _slab(fan, y - self.length / 2, y + self.length / 2, z - half, z + half)
        return _slab(fan, y - half, y + half, z - self.length / 2, z + self.length / 2)

    def volume_mm3(self) -> float:
        """Of the whole."""
        return math.pi * self.radius**2 * self.length


@dataclass(frozen=True, slots=True)
class Ball:
    """A sphere."""

    middle: tuple[float, float, float]
    radius: float

    @property
    def span(self) -> tuple[float, float]:
        return self.middle[0] - self.radius, self.middle[0] + self.radius

    def path(self, x: NDArray[np.float64], fan: Fan) -> Mm:
        half = np.sqrt(np.maximum(self.radius**2 - (x - self.middle[0]) ** 2, 0.0))[:, None]
        return _disc(fan, self.middle[1], self.middle[2], half)

    def volume_mm3(self) -> float:
        """Of the whole."""
        return 4 / 3 * math.pi * self.radius**3


@dataclass(frozen=True, slots=True)
class Corrugated:
    """A wall of folded sheet, seen edge on from above: flat, slope, flat, slope. It stands at y."""

    x: tuple[float, float]
    y: float
    z: tuple[float, float]
    sheet_mm: float
    pitch_mm: float = 278.0
    depth_mm: float = 36.0

    @property
    def span(self) -> tuple[float, float]:
        return self.x

    def path(self, x: NDArray[np.float64], fan: Fan) -> Mm:
        quarter = self.pitch_mm / 4
        slope = math.hypot(quarter, self.depth_mm) / quarter
        sloping = np.floor((x - self.x[0]) / quarter).astype(int) % 2 == 1
        thick = np.where(sloping, self.sheet_mm * slope, self.sheet_mm)[:, None]
        height = fan.source_z_mm + self.y * fan.tan
        inside = (height >= self.z[0]) & (height <= self.z[1])
        return (thick * np.where(inside, 1 / fan.cos, 0.0)[None, :]).astype(np.float32)


def _slab(fan: Fan, y0: float | NDArray[np.float64], y1: float | NDArray[np.float64],
          z0: float | NDArray[np.float64], z1: float | NDArray[np.float64]) -> Mm:  # fmt: skip
    """Paths through rectangles; edges are numbers or columns (x, 1)."""
    tan = fan.tan[None, :]
    near, far = np.broadcast_arrays(np.asarray(y0, np.float64) * np.ones_like(tan), np.asarray(y1) * np.ones_like(tan))
    with np.errstate(divide="ignore", invalid="ignore"):
        at0, at1 = (np.asarray(z0) - fan.source_z_mm) / tan, (np.asarray(z1) - fan.source_z_mm) / tan
    # A level ray is inside for every y or for none: infinities of the right signs.
    enters, leaves = np.maximum(near, np.fmin(at0, at1)), np.minimum(far, np.fmax(at0, at1))
    return (np.maximum(leaves - enters, 0.0) / fan.cos[None, :]).astype(np.float32)


def _disc(fan: Fan, y: float, z: float, radius: NDArray[np.float64]) -> Mm:
    """Paths through circles around (y, z); radius is a column (x, 1)."""
    away = y * np.sin(fan.elevation) - (z - fan.source_z_mm) * np.cos(fan.elevation)
    return (2 * np.sqrt(np.maximum(radius**2 - away[None, :] ** 2, 0.0))).astype(np.float32)
