"""A stand of test objects that is pulled through the scanner, as IEC 62523 and ANSI N42.46 describe their kinds.

    python -m simulators xray_stand PLAN --record FILE --plan FILE.json [--seed 1] [--noise-seed 1] [--pixels 360]

PLAN is `quality` (steel with lead behind it, thin plates on thick steel, wires, slanted edges, steps of materials) or
`wedges` (steps of known materials, to calibrate by). Written are the detector's own datagrams, each behind its length
(two bytes, little-endian), from dark over empty tunnel to empty tunnel; and the plan: where what stands, in mm along
the stand from the front of its post and above the road, at the lane's middle plane. Sizes and thicknesses are this
stand's own; neither standard's drawings were at hand.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulators.xray_cargo import MIDDLE_MM, Load, Piece
from simulators.xray_physics import DENSITY
from simulators.xray_scanner import Build, Detector
from simulators.xray_shapes import Box, Fan, Mm
from simulators.xray_wire import own_packets

POST_MM: Final = 40.0
"""Along the stand: where everything else is measured from is the front of a post of 30 mm steel."""
LOW_MM, HIGH_MM = 1_010.0, 1_900.0
RAIL_MM: Final = 40.0
TIERS: Final = ((1_070.0, 1_470.0), (1_490.0, 1_890.0))
APERTURE: Final = 9
"""Rays a pixel, each way, where something is finer than one: the picture's pixel is a mean, not a point."""
FACE_MM: Final = 5.0
"""Of a detector's pixel, each way."""
CALIBRATED_AT: Final = (
    *(4.0, 6.0, 8.0, 10.0, 14.0, 18.0, 24.0, 31.0, 38.0, 46.0, 56.0, 68.0, 90.0, 120.0, 160.0, 200.0, 240.0),
)
TESTED_AT: Final = (5.0, 7.0, 9.0, 12.0, 16.0, *(float(grams) for grams in range(20, 65, 5)))
"""g/cm2 of steps; none of the second is one of the first."""
CLEAR: Final = 46
"""Pixels at the top of the array that the stand does not reach."""
THIN: Final = 15.0
WEDGES: Final = ("PE", "water", "aluminium", "steel", "tungsten", "lead")
PENETRATED_MM: Final = tuple(float(mm) for mm in range(200, 420, 20))
LEAD_MM: Final = 100.0
"""Behind the steel, 60 x 60 mm wide: nothing passes it."""
CONTRAST_ON_MM: Final = 100.0
CONTRAST_MM: Final = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
WIRES_MM: Final = (0.4, 0.5, 0.63, 0.8, 1.0, 1.25, 1.6, 2.0)
WIRES_BEHIND_MM: Final = (2.0, 2.5, 3.2, 4.0, 5.0, 6.3)
WIRE_STEEL_MM: Final = 100.0
EDGE_TILT: Final = 0.09
"""Sideways a mm along the edge: five degrees, so that every phase of the pixels is met."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A round wire in the plane y, from one point (x, z) to another."""

    first: tuple[float, float]
    last: tuple[float, float]
    radius: float
    y: float = MIDDLE_MM

    @property
    def span(self) -> tuple[float, float]:
        """Along x, with the pixels it touches."""
        ends = sorted((self.first[0], self.last[0]))
        return ends[0] - FACE_MM, ends[1] + FACE_MM

    def path(self, x: NDArray[np.float64], fan: Fan) -> Mm:
        """Mean over each pixel's face."""
        return _over_face(self._chord, self.y, x, fan)

    def _chord(self, x: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        along = np.subtract(self.last, self.first)
        length = float(np.hypot(*along))
        dx, dz = x - self.first[0], z - self.first[1]
        away = np.abs(dx * along[1] - dz * along[0]) / length
        at = (dx * along[0] + dz * along[1]) / length
        chord = 2 * np.sqrt(np.maximum(self.radius**2 - away**2, 0.0))
        return np.where((at >= 0) & (at <= length), chord, 0.0)


@dataclass(frozen=True, slots=True)
class Slanted:
    """A thin plate in the plane y whose front or top edge is not square: it leans by EDGE_TILT."""

    x: tuple[float, float]
    z: tuple[float, float]
    thick: float
    edge: str
    """`front` or `top`."""
    y: float = MIDDLE_MM

    @property
    def span(self) -> tuple[float, float]:
        """Along x, with the pixels it touches."""
        return self.x[0] - FACE_MM, self.x[1] + FACE_MM

    def path(self, x: NDArray[np.float64], fan: Fan) -> Mm:
        """Mean over each pixel's face."""
        return _over_face(self._inside, self.y, x, fan)

    def _inside(self, x: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        front, top = self.x[0], self.z[1]
        lean_x = front + (z - self.z[0]) * EDGE_TILT if self.edge == "front" else front
        lean_z = top - (x - self.x[0]) * EDGE_TILT if self.edge == "top" else top
        inside = (x >= lean_x) & (x <= self.x[1]) & (z >= self.z[0]) & (z <= lean_z)
        return np.where(inside, self.thick, 0.0)


def _over_face(thick: Any, y: float, x: NDArray[np.float64], fan: Fan) -> Mm:
    wide = FACE_MM * y / 9500.0
    offsets = (np.arange(APERTURE) + 0.5) / APERTURE - 0.5
    found = np.zeros((x.size, fan.elevation.size))
    height = fan.source_z_mm + y * fan.tan
    for dx in offsets * wide:
        for dz in offsets * wide:
            found += thick((x + dx)[:, None], (height + dz)[None, :])
    return (found / APERTURE**2 / fan.cos[None, :]).astype(np.float32)


@dataclass(slots=True)
class Stand:
    """Objects one behind the other, in two tiers, and the plan of them."""

    pieces: list[Piece] = field(default_factory=list[Piece])
    objects: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    at: float = POST_MM + 60.0
    """Where the next column begins."""

    def box(self, x: tuple[float, float], z: tuple[float, float], material: str, mm: float) -> None:
        """A block in the middle plane."""
        self.pieces.append(Piece(Box(x, (MIDDLE_MM - mm / 2, MIDDLE_MM + mm / 2), z), material))

    def load(self) -> Load:
        """All of it, with post and rail."""
        self.box((0.0, POST_MM), (LOW_MM, HIGH_MM), "steel", 30.0)
        self.box((0.0, self.at), (LOW_MM, LOW_MM + RAIL_MM), "steel", 30.0)
        return Load(tuple(self.pieces), self.at + 20.0)

    def column(self, wide: float, gap: float = 20.0) -> tuple[float, float]:
        """Room for the next objects."""
        x = (self.at, self.at + wide)
        self.at += wide + gap
        return x


def wedge_stand(
    materials: Sequence[str] = WEDGES,
    grams: Sequence[float] = CALIBRATED_AT,
    wide: float = 80.0,
    thin_wide: float = 240.0,
) -> Stand:
    """Steps of known materials; thin ones are wide, since least is between the materials there."""
    stand = Stand()
    for pair in zip(materials[::2], materials[1::2], strict=True):
        for g_cm2 in grams:
            x = stand.column(thin_wide if g_cm2 < THIN else wide, 12.0)
            for material, z in zip(pair, TIERS, strict=True):
                _step(stand, x, z, material, g_cm2)
    return stand


def _step(stand: Stand, x: tuple[float, float], z: tuple[float, float], material: str, g_cm2: float) -> None:
    stand.box(x, z, material, g_cm2 * 10 / DENSITY[material])
    stand.objects.append({"kind": "step", "material": material, "g_cm2": g_cm2, "x_mm": x, "z_mm": z})


def quality_stand() -> Stand:
    """One of each test, then steps of what must be told apart."""
    stand = Stand()
    _penetration(stand)
    _contrast(stand)
    _wires(stand, WIRES_MM, 0.0)
    _wires(stand, WIRES_BEHIND_MM, WIRE_STEEL_MM)
    _edges(stand)
    steps = wedge_stand(("PE", "water", "aluminium", "steel", "sugar", "lead"), TESTED_AT, 105.0, 210.0)
    shift = stand.at - POST_MM
    for piece in steps.pieces:
        box = piece.shape
        assert isinstance(box, Box)
        stand.pieces.append(Piece(Box((box.x[0] + shift, box.x[1] + shift), box.y, box.z), piece.material))
    stand.objects += [{**told, "x_mm": tuple(mm + shift for mm in told["x_mm"])} for told in steps.objects]
    stand.at = steps.at + shift
    return stand


def _middle(x: tuple[float, float], wide: float) -> tuple[float, float]:
    middle = sum(x) / 2
    return middle - wide / 2, middle + wide / 2


def _penetration(stand: Stand) -> None:
    for n in range(0, len(PENETRATED_MM), len(TIERS)):
        x = stand.column(180.0)
        for steel_mm, z in zip(PENETRATED_MM[n : n + len(TIERS)], TIERS, strict=False):
            stand.box(x, z, "steel", steel_mm)
            patch = _middle(x, 60.0), _middle(z, 60.0)
            stand.box(*patch, "lead", LEAD_MM)
            told = {"kind": "penetration", "steel_mm": steel_mm, "x_mm": x, "z_mm": z}
            stand.objects.append({**told, "patch_x_mm": patch[0], "patch_z_mm": patch[1]})


def _contrast(stand: Stand) -> None:
    for n in range(0, len(CONTRAST_MM), len(TIERS)):
        x = stand.column(180.0)
        for step_mm, z in zip(CONTRAST_MM[n : n + len(TIERS)], TIERS, strict=True):
            stand.box(x, z, "steel", CONTRAST_ON_MM)
            patch = _middle(x, 60.0), _middle(z, 60.0)
            stand.box(*patch, "steel", step_mm)
            told = {"kind": "contrast", "steel_mm": CONTRAST_ON_MM, "step_mm": step_mm, "x_mm": x, "z_mm": z}
            stand.objects.append({**told, "patch_x_mm": patch[0], "patch_z_mm": patch[1]})


def _wires(stand: Stand, diameters: Sequence[float], behind_mm: float) -> None:
    for n in range(0, len(diameters), len(TIERS)):
        x = stand.column(110.0)
        for diameter, z in zip(diameters[n : n + len(TIERS)], TIERS, strict=True):
            if behind_mm:
                stand.box(x, z, "steel", behind_mm)
            ends = (x[0] + 35.0, z[0] + 40.0), (x[1] - 35.0, z[1] - 40.0)
            stand.pieces.append(Piece(Wire(*ends, diameter / 2), "steel"))
            told = {"kind": "wire", "diameter_mm": diameter, "behind_mm": behind_mm, "x_mm": x, "z_mm": z}
            stand.objects.append({**told, "first_mm": ends[0], "last_mm": ends[1]})


def _edges(stand: Stand) -> None:
    for edge in ("front", "top"):
        x = stand.column(320.0, 60.0)
        z = TIERS[0][0], TIERS[0][0] + 320.0
        plate = Slanted(x, z, 10.0, edge)
        stand.pieces.append(Piece(plate, "steel"))
        told = {"kind": "edge", "edge": edge, "tilt": EDGE_TILT, "x_mm": x, "z_mm": z}
        stand.objects.append(told)


def stand_build(pixels: int = 360) -> Build:
    """The design scanner with the part of its array that the stand reaches: 0.03 degrees a pixel as the whole has."""
    half = 0.015 * pixels
    return Build(pixels=pixels, fan=(-half, half))


def pulses(detector: Detector, load: Load) -> Iterator[tuple[Any, Any]]:
    """Dark, empty tunnel, the stand, empty tunnel, dark: pairs of blocks of both energies."""
    build = detector.build
    step = build.pitch_mm / 2
    lead = 300.0
    way = np.arange(-lead, load.length_mm + lead, step)
    way = way[: way.size // 2 * 2]
    yield detector.expose(None, np.full(2 * 320, -lead), on=False)
    yield detector.expose(None, np.full(2 * 1200, -lead))
    for first in range(0, way.size, 128):
        yield detector.expose(load, way[first : first + 128])
    yield detector.expose(None, np.full(2 * 200, way[-1]))
    yield detector.expose(None, np.full(2 * 32, way[-1]), on=False)


def recorded(detector: Detector, load: Load) -> bytes:
    """The datagrams of a passage, each behind its length."""
    out = bytearray()
    for high, low in pulses(detector, load):
        lines = zip(
            own_packets(high, device=1, temperature_c=31.5),
            own_packets(low, device=1, temperature_c=31.5),
            strict=True,
        )
        for both in lines:
            for packet in (*both[0], *both[1]):
                out += len(packet).to_bytes(2, "little") + packet
    return bytes(out)


def plan_of(stand: Stand, build: Build, name: str) -> dict[str, Any]:
    """What stands where, and of which scanner it is."""
    return {
        "name": name,
        "simulated": True,
        "post_mm": POST_MM,
        "pixels": build.pixels,
        "clear": [build.pixels - CLEAR, CLEAR],
        "energies_mev": [build.he_mev, build.le_mev],
        "geometry": {
            "fan_deg": list(build.fan),
            "source_height_mm": build.source_z,
            "middle_mm": build.middle,
            "detector_mm": build.detector,
            "pitch_mm": build.pitch_mm,
            "encoder_mm": build.encoder_mm,
        },
        "objects": stand.objects,
    }


def main(argv: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators xray_stand", description="test objects in the beam")
    parser.add_argument("stand", choices=("quality", "wedges"))
    parser.add_argument("--record", type=Path, required=True, help="file for the detector's datagrams")
    parser.add_argument("--plan", type=Path, required=True, help="file for the plan, JSON")
    parser.add_argument("--pixels", type=int, default=360)
    parser.add_argument("--seed", type=int, default=1, help="of the detector: gains, offsets, dead pixels")
    parser.add_argument("--noise-seed", type=int, default=1, help="of this passage: quanta, pulses")
    options = parser.parse_args(argv)
    build = stand_build(options.pixels)
    detector = Detector(build, seed=options.seed, noise_seed=options.noise_seed)
    stand = quality_stand() if options.stand == "quality" else wedge_stand()
    options.record.write_bytes(recorded(detector, stand.load()))
    options.plan.write_text(json.dumps(plan_of(stand, build, options.stand)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())


__all__ = ["Slanted", "Stand", "Wire", "main", "quality_stand", "recorded", "stand_build", "wedge_stand"]
