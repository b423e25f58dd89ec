"""Pictures of whole trucks, as a scanner without faults would have them: coarse, so that many can be made."""

from random import Random

import numpy as np

from simulators.xray_cargo import Load, empty, loaded
from simulators.xray_physics import beam
from simulators.xray_shapes import Fan
from tests.vision.xray.matter import NOISE
from vision.xray.scan import SCALE, Counts, Dual, Geometry

PIXELS, PITCH_MM = 420, 14.0
LEAD_MM = 420.0


def section() -> Geometry:
    return Geometry(
        fan_deg=np.linspace(-12.5, 29.5, PIXELS, dtype=np.float32),
        source_height_mm=1500.0,
        middle_mm=6000.0,
        detector_mm=9500.0,
        pitch_mm=PITCH_MM,
        encoder_mm=0.5,
    )


def seen(load: Load, seed: int = 1, *, shift_mm: float = 0.0) -> Dual[Counts]:
    """(rows, pixels) of both energies, with NOISE."""
    rng = np.random.default_rng(seed)
    fan = Fan(np.radians(section().fan_deg.astype(np.float64)), 1500.0)
    x = np.arange(-LEAD_MM, load.length_mm + LEAD_MM, PITCH_MM) + shift_mm
    matter = load.areal(x, fan)
    made: list[Counts] = []
    for mev, noise in zip((6.0, 4.0), NOISE, strict=True):
        mean = SCALE * (beam(mev).transmission(matter).astype(np.float64) + 8e-4) / (1 + 8e-4)
        counts = rng.normal(mean, np.sqrt(noise.a * mean + noise.b))
        made.append(np.clip(np.rint(counts), 1, 65535).astype(np.uint16))
    return Dual(made[0], made[1])


def truck(chapter: str | None, seed: int, *, kg: float | None = None) -> tuple[Load, Dual[Counts]]:
    """A loaded truck, or an empty one (`chapter` None), and its picture."""
    load = empty() if chapter is None else loaded(Random(seed), chapter, kg=kg)
    return load, seen(load, seed)


__all__ = ["NOISE", "PITCH_MM", "section", "seen", "truck"]
