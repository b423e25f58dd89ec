"""Lines as a detector would give them, out of the simulated one, and calibrations as they truly are."""

import numpy as np
from numpy.typing import NDArray

from drivers.readings import Instant
from drivers.xray.line import Energy, Line
from simulators.xray_cargo import Load
from simulators.xray_scanner import FULL_COUNTS, MONITOR_COUNTS, Build, Detector, Pulses
from vision.xray.scan import Calibration, Dual, Geometry

AT = Instant(1_780_000_000.0)
CLEAR = 12
"""Pixels at the top that nothing covers."""


def geometry_of(build: Build, *, encoder: bool = True) -> Geometry:
    return Geometry(
        fan_deg=np.linspace(*build.fan, build.pixels, dtype=np.float32),
        source_height_mm=build.source_z,
        middle_mm=build.middle,
        detector_mm=build.detector,
        pitch_mm=build.pitch_mm,
        encoder_mm=build.encoder_mm if encoder else None,
    )


def lines_of(high: Pulses, low: Pulses, *, monitor: bool = True) -> list[Line]:
    """In the order of their pulses."""
    return [
        Line(
            number=pulses.first + 2 * n,
            energy=energy,
            values=pulses.counts[n],
            encoder=int(pulses.encoder[n]),
            stamp_ns=int(pulses.stamp_ns[n]),
            pulse=int(pulses.monitor[n]) if monitor else None,
            at=Instant(AT + n / 200),
        )
        for n in range(len(high.counts))
        for pulses, energy in ((high, Energy.HE), (low, Energy.LE))
    ]


def true_calibration(detector: Detector) -> Calibration:
    """What a perfect calibration would find."""
    pixels = detector.build.pixels
    dark = detector.offset.astype(np.float32)
    air = (FULL_COUNTS * detector.gain * detector.profile * (1 + detector.build.scatter)).astype(np.float32)
    dead = np.zeros(pixels, bool)
    dead[detector.dead] = True
    return Calibration(
        dark=Dual(dark, dark),
        dark_sigma=Dual(dark * 0 + 4, dark * 0 + 4),
        air=Dual(air, (air * detector.build.le_dose).astype(np.float32)),
        bad=Dual(dead, dead),
        clear=Dual((pixels - CLEAR, CLEAR), (pixels - CLEAR, CLEAR)),
        monitor=Dual(MONITOR_COUNTS, MONITOR_COUNTS * detector.build.le_dose),
        dark_at=AT,
        air_at=AT,
        dark_lines=256,
        air_lines=512,
    )


def steady(build: Build, load: Load, lead_mm: float = 100.0) -> NDArray[np.float64]:
    """Where the truck is at each pulse: an even number of them."""
    step = build.pitch_mm / 2
    way = np.arange(-lead_mm, load.length_mm + lead_mm, step)
    return way[: way.size // 2 * 2]
