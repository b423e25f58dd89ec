"""A scan of a stand of steps -> a scanner's table of materials. Pure."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vision.xray.curves import LEAST_STEPS, Point
from vision.xray.material import BOX, Table, fitted, means_of
from vision.xray.scan import NOT_MEASURED, SCALE, Dual, Energy, Noise, Scan
from vision.xray.stand import NotThisStand, Plan, Shown, Step

Reals = NDArray[np.float64]


def calibrated(scans: Sequence[Scan], plan: Plan) -> Table:
    """From one scan or several of the same stand: every passage takes a part of the doubt away. Raises NotThisStand,
    NoTable.

    Thin layers need them: at 5 g/cm2 a thousandth of the beam is a fifth of what is between water and aluminium.
    """
    if not scans:
        raise NotThisStand("no scan of the stand is given")
    noises: Dual[list[tuple[float, float]]] = Dual([], [])
    passages = [_points(scan, plan, noises) for scan in scans]
    points = [_mean(of) for of in zip(*passages, strict=True)]
    energies = scans[0].head.energies_mev
    if any(scan.head.energies_mev != energies for scan in scans):
        raise NotThisStand("the scans are of different energies")
    return fitted(points, energies, noise=Dual(_noise(noises.he), _noise(noises.le)), simulated=plan.simulated)


def _points(scan: Scan, plan: Plan, noises: Dual[list[tuple[float, float]]]) -> list[Point]:
    """One a step, in the plan's order; `noises` is added to."""
    shown = Shown.of(scan, plan)
    points: list[Point] = []
    for step in plan.objects:
        if not isinstance(step, Step):
            continue
        found: list[tuple[float, float]] = []
        slant = float(shown.slant(step.z_mm).mean())
        for energy in Energy:
            values = shown.box(energy, step.x_mm, step.z_mm).astype(np.float64)
            values = values[(values != NOT_MEASURED).all(axis=1)]
            if values.shape[0] < 2:
                raise NotThisStand(f"the step of {step.g_cm2} g/cm2 of {step.material} was not measured")
            mean, rows = float(values.mean()), values.mean(axis=1)
            found.append((-math.log(max(mean, 1.0) / SCALE), float(rows.std(ddof=1)) / mean / math.sqrt(len(rows))))
            if (variance := _variance(values)) is not None:
                noises.of(energy).append((mean, variance))
        points.append(
            Point(
                material=step.material,
                g_cm2=step.g_cm2 * slant,
                he=found[0][0],
                le=found[1][0],
                he_sigma=found[0][1],
                le_sigma=found[1][1],
            )
        )
    return points


def _mean(of: Sequence[Point]) -> Point:
    """Of the same step on several passages."""
    many = len(of)
    return replace(
        of[0],
        he=sum(p.he for p in of) / many,
        le=sum(p.le for p in of) / many,
        he_sigma=math.sqrt(sum(p.he_sigma**2 for p in of)) / many,
        le_sigma=math.sqrt(sum(p.le_sigma**2 for p in of)) / many,
    )


def _variance(values: Reals) -> float | None:
    """A pixel's share of the variance of boxes' means, by their differences along the detector; None: too small."""
    rows, pixels = (size // BOX * BOX for size in values.shape)
    if rows < BOX or pixels < 5 * BOX:
        return None
    means = means_of(values[:rows, :pixels].astype(np.float32), BOX)
    second = means[:, :-2] - 2 * means[:, 1:-1] + means[:, 2:]
    return float((second**2).mean()) / 6 * BOX**2


def _noise(seen: Sequence[tuple[float, float]]) -> Noise:
    """Variance a x + b through (x, variance), each as heavy as its own size."""
    if len(seen) < LEAST_STEPS:
        return Noise(2.0, 60.0)
    x, variance = np.array(seen).T
    # Least squares of (a x + b) / variance = 1.
    u, v = x / variance, 1 / variance
    uu, uv, vv = float(u @ u), float(u @ v), float(v @ v)
    apart = max(uu * vv - uv * uv, 1e-300)
    a, b = (float(u.sum()) * vv - float(v.sum()) * uv) / apart, (float(v.sum()) * uu - float(u.sum()) * uv) / apart
    return Noise(max(0.05, a), max(1.0, b))
