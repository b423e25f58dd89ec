"""Scans for the review: small ones for tests, whole simulated trucks for eyes and for the bench."""

import dataclasses
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from drivers.readings import Instant
from simulators.xray_cargo import loaded
from simulators.xray_scanner import Build, Detector
from tests.vision.xray.samples import STARTED, small_scan
from vision.xray.scan import SCALE, Dual, Flaw, Noise, Remark, Scan, ScanRef, Subject
from vision.xray.store import Archive

MARGIN_MM = 900.0
MOST_ROWS_AT_ONCE = 512


def keep_small(
    archive: Path, *, seed: int = 1, lines: int = 1200, pixels: int = 400, torn: bool = False, box: str = "CSQU3054383"
) -> ScanRef:
    """A container of blocks, an hour's scan each `seed`."""
    scan = small_scan(lines, pixels, seed=seed, passage=f"L01-{seed:04d}")
    remarks = (Remark(Flaw.TORN, lines, 0),) if torn else ()
    started = Instant(STARTED + 60 * seed)
    return Archive(archive).keep(
        dataclasses.replace(
            scan,
            head=dataclasses.replace(scan.head, started=started),
            ended=Instant(started + 8),
            subject=Subject(passage=f"L01-{seed:04d}", plate="沪AD3F88", containers=(box,)),
            remarks=remarks,
        )
    )


def truck(chapter: str = "84", *, seed: int = 5, hidden: bool = True) -> Scan:
    """A whole truck of goods of that chapter of the HS, 1,400 pixels high, with the noise of the design dose."""
    build = Build()
    load = loaded(Random(seed), chapter, hidden=hidden)
    detector = Detector(build, seed=seed)
    x = np.arange(-MARGIN_MM, load.length_mm + MARGIN_MM, build.pitch_mm)
    random = np.random.default_rng(seed)
    noise = Dual(Noise(1.42, 40.0), Noise(1.81, 60.0))
    pictures: list[NDArray[np.uint16]] = []
    for low in (False, True):
        picture = np.empty((x.size, build.pixels), np.uint16)
        for first in range(0, x.size, MOST_ROWS_AT_ONCE):
            part = slice(first, first + MOST_ROWS_AT_ONCE)
            clean = detector.beams[low].transmission(load.areal(x[part], detector.fan)) * SCALE
            spread = np.sqrt(noise[low].a * clean + noise[low].b)
            seen = clean + spread * random.standard_normal(clean.shape, dtype=np.float32)
            picture[part] = np.clip(np.rint(seen), 1, 65_535)
        pictures.append(picture)
    base = small_scan(x.size, build.pixels, seed=seed)
    geometry = dataclasses.replace(base.head.geometry, pitch_mm=build.pitch_mm)
    return dataclasses.replace(
        base,
        head=dataclasses.replace(base.head, geometry=geometry, started=Instant(STARTED + 60 * seed)),
        picture=Dual(pictures[0], pictures[1]),
        subject=Subject(passage="L01-0147", plate="沪AD3F88", containers=("CSQU3054383",)),
        noise=noise,
    )
