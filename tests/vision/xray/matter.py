"""Known matter as a perfect scanner would see it, by the simulator's physics: points of curves, boxes to ask about."""

import numpy as np
from numpy.typing import NDArray

from simulators.xray_physics import beam
from vision.xray.curves import Point
from vision.xray.material import Table, fitted
from vision.xray.scan import SCALE, Dual, Noise

NOISE = Dual(Noise(1.43, 20.0), Noise(1.89, 42.0))
STEPS = (4.0, 6.0, 8.0, 10.0, 14.0, 18.0, 24.0, 30.0, 38.0, 46.0, 56.0, 68.0, 90.0, 120.0, 160.0, 200.0, 240.0)
SCATTER = 8e-4
KNOWN = ("PE", "water", "aluminium", "steel", "tungsten", "lead")


def through(material: str, g_cm2: float | NDArray[np.float64]) -> Dual[NDArray[np.float64]]:
    """Transmission at 6 and 4 MeV, with the light that scatter adds."""
    grams = np.atleast_1d(np.asarray(g_cm2, np.float64))
    bare = [beam(mev).transmission({material: grams}).astype(np.float64) for mev in (6.0, 4.0)]
    return Dual(*((t + SCATTER) / (1 + SCATTER) for t in bare))


def point(material: str, g_cm2: float) -> Point:
    seen = through(material, g_cm2)
    he, le = (float(-np.log(t[0])) for t in seen)
    return Point(material=material, g_cm2=g_cm2, he=he, le=le, he_sigma=1e-4, le_sigma=1e-4)


def table() -> Table:
    """Without any noise in its points."""
    points = [point(material, grams) for material in KNOWN for grams in STEPS]
    return fitted(points, Dual(6.0, 4.0), noise=NOISE, simulated=True)


def picture(material: str, g_cm2: float, shape: tuple[int, int] = (70, 70), seed: int = 1) -> Dual[NDArray[np.uint16]]:
    """A flat layer with the noise of NOISE."""
    rng, seen = np.random.default_rng(seed), through(material, g_cm2)
    made: list[NDArray[np.uint16]] = []
    for t, noise in zip(seen, NOISE, strict=True):
        x = SCALE * float(t[0])
        made.append(np.clip(np.rint(rng.normal(x, np.sqrt(noise.a * x + noise.b), shape)), 1, 65535).astype(np.uint16))
    return Dual(made[0], made[1])
