"""Known loads through the whole scanner: true and estimated mass, unweighed and by all others' weights.

    python -m bench.xray_mass [--trucks 13] [--pixels 700]

Every truck is simulated as the detector would see it (dark, empty tunnel, pulses, noise, crosstalk, scatter, dead
pixels), goes through tunnel, calibration and correction (vision/xray/passage.py), and is measured by the material
curves of the same detector's stand of steps. The true mass is the simulator's. All figures are simulated.
"""

import argparse
import math
import time
from collections.abc import Iterator
from random import Random

import msgspec
import numpy as np

from drivers.xray.line import Line
from simulators.xray_cargo import CHAPTERS, Load, loaded
from simulators.xray_scanner import Build, Detector
from simulators.xray_stand import plan_of, pulses, wedge_stand
from tests.vision.xray.stage import geometry_of, lines_of
from vision.xray.mass import BLIND_MOST, Index, Weighing, index_of, laid, scale_of, teaches
from vision.xray.outline import window
from vision.xray.passage import scan_of
from vision.xray.scan import Dual, Scan
from vision.xray.stand import Plan
from vision.xray.wedges import calibrated

BRIDGE_SIGMA_KG = 40.0


def lines(detector: Detector, load: Load) -> Iterator[Line]:
    """Of a passage, from dark to empty tunnel."""
    for high, low in pulses(detector, load):
        yield from lines_of(high, low)


def scanned(detector: Detector, load: Load, clear: tuple[int, int]) -> Scan:
    """By the scanner's own chain."""
    build = detector.build
    taken = list(lines(detector, load))
    return scan_of(taken, geometry_of(build), Dual(build.he_mev, build.le_mev), clear=clear)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trucks", type=int, default=13)
    parser.add_argument("--pixels", type=int, default=700)
    options = parser.parse_args()
    # The fan of the whole scanner by half of its pixels, and twice its speed: pixels of 7 x 6 mm.
    build = Build(pixels=options.pixels, speed_mm_s=1400.0)
    clear = (build.pixels - 40, 40)
    detector = Detector(build, seed=3)
    # Steps as high as the fan's pixels are wide: the stand is the simulator's own, two tiers of 400 mm.
    stand = wedge_stand(wide=160.0)
    plan = msgspec.convert(plan_of(stand, build, "wedges"), Plan)
    table = calibrated([scanned(detector, stand.load(), clear)], plan)
    found: list[tuple[str, Load, Index]] = []
    spent = 0.0
    for n in range(options.trucks):
        goods = CHAPTERS[n % len(CHAPTERS)]
        load = loaded(Random(40 + n), goods.chapter, kg=7000.0 + 1300.0 * (n * 5 % 13))
        scan = scanned(detector, load, clear)
        began = time.process_time()
        inside = window(scan.picture, scan.head.geometry, scan.noise, table)
        found.append((goods.chapter, load, index_of(inside)))
        spent += time.process_time() - began
    report(found)
    print(f"\nmass of one scan of {options.pixels} pixels: {spent / len(found):.2f} CPU s")


def report(found: list[tuple[str, Load, Index]]) -> None:
    """True mass beside both estimates."""
    record = [
        Weighing(
            digest=str(n),
            at=0.0,
            index_kg=i.kg,
            wall_kg=i.wall_kg,
            kg=load.cargo_kg(),
            sigma_kg=BRIDGE_SIGMA_KG,
        )
        for n, (_, load, i) in enumerate(found)
    ]
    print(f"{'HS':4}{'true kg':>9}{'unweighed':>18}{'weighed':>18}{'off':>8}{'blind':>8}")
    errors: list[float] = []
    for n, (chapter, load, index) in enumerate(found):
        first = laid(index, scale_of([]))
        others = [w for m, w in enumerate(record) if m != n and teaches(found[m][2])]
        then = laid(index, scale_of(others))
        off = then.kg / load.cargo_kg() - 1
        if index.blind <= BLIND_MOST:
            errors.append(off)
        first_said, then_said = f"{first.kg:.0f} ± {first.sigma:.0f}", f"{then.kg:.0f} ± {then.sigma:.0f}"
        print(f"{chapter:4}{load.cargo_kg():9.0f}{first_said:>18}{then_said:>18}{off:8.1%}{index.blind:8.1%}")
    rms = math.sqrt(float(np.mean(np.square(errors))))
    print(f"{len(errors)} loads that the beam came through: {rms:.1%} rms")


if __name__ == "__main__":
    main()
