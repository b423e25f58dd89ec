"""Raw counts to a coloured picture, 6000 lines x 1400 pixels x 2 energies: CPU seconds beside the straightforward way.

    python -m bench.xray_chain [--rounds 3]

The frame is synthetic (tests/vision/xray/frames.py), laid into counts with offsets, gains, pulses of 2 % and a bad
pixel. Both ways do, one thread: offset, gain, the pulse's dose by clear pixels, bad pixels, the low energy half a
pitch onto the high one's grid by the encoder, 16 bits, means of 4 x 4, log-attenuations, their ratio, colour by the
table, brightness by the log picture's local contrast (CLAHE), and the levels of both energies for whoever looks at
the whole.
    numpy + scikit-image   as its users write it: float64 arrays, whole frames, skimage's warp, filters and exposure
    quaygate               the running scanner's stream (vision/xray/stream.py: doses, gaps, flags, remarks and rows of
                           the archive are in it, from single lines), then vision/xray/enhance.py
    correction alone       the same stream without colour; `lines/s` of both energies that one core keeps up with
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import exposure, transform

from drivers.xray.line import Energy, Line
from tests.vision.xray.frames import frame
from tests.vision.xray.samples import STARTED, small_calibration, small_geometry
from vision.xray.enhance import DEEPEST, coloured, local
from vision.xray.palette import ALPHA_MOST, COLUMNS, ROWS, computed
from vision.xray.scan import SCALE, Calibration, Dual, Geometry, Noise
from vision.xray.stream import Corrector
from vision.xray.tiles import LEVELS, Pyramid

LINES, PIXELS = 6000, 1400
U16 = npt.NDArray[np.uint16]
Real = npt.NDArray[np.float64]
Rgb = npt.NDArray[np.uint8]
BATCH = 128
NOISE = Noise(1.5, 40.0)
_warp = cast("Callable[..., Real]", transform.warp)  # pyright: ignore[reportUnknownMemberType]
_clahe = cast("Callable[..., Real]", exposure.equalize_adapthist)  # pyright: ignore[reportUnknownMemberType]
_halved = cast("Callable[..., Real]", transform.downscale_local_mean)  # pyright: ignore[reportUnknownMemberType]
_uniform = cast("Callable[..., Real]", ndimage.uniform_filter)  # pyright: ignore[reportUnknownMemberType]


class Made:
    """Counts, and what they were taken with."""

    def __init__(self) -> None:
        drawn = frame(LINES, PIXELS)
        rng = np.random.default_rng(4)
        pictures = [np.ascontiguousarray(image[::-1].T) for image in (drawn.he, drawn.le)]
        flat = small_calibration(PIXELS)
        gain = np.clip(rng.normal(1.0, 0.08, PIXELS), 0.7, 1.3).astype(np.float32)
        dark = rng.normal(800, 60, PIXELS).astype(np.float32)
        airs = [(SCALE * share * gain).astype(np.float32) for share in (0.6, 0.36)]
        self.calibration: Calibration = replace(
            flat, dark=Dual(dark, dark), air=Dual(*airs), clear=Dual((PIXELS - 64, 64), (PIXELS - 64, 64))
        )
        self.geometry: Geometry = small_geometry(PIXELS)
        self.encoder = np.arange(2 * LINES) * (self.geometry.pitch_mm / 2 / (self.geometry.encoder_mm or 1.0))
        counts: list[U16] = []
        self.doses = [rng.normal(1.0, 0.02, LINES) for _ in Energy]
        for picture, air, doses in zip(pictures, airs, self.doses, strict=True):
            dose = doses[:, None]
            counts.append(np.clip(picture / SCALE * air * dose + dark, 0, 65535).round().astype(np.uint16))
        self.counts = Dual(counts[0], counts[1])
        self.palette = computed(6.0, 4.0)

    def lines(self) -> list[Line]:
        """As the driver gives them."""
        return [
            Line(
                number=2 * n + low,
                energy=energy,
                values=self.counts.of(energy)[n],
                encoder=int(self.encoder[2 * n + low]),
                stamp_ns=n,
                pulse=int(self.calibration.monitor.of(energy) * self.doses[low][n]),
                at=STARTED,
            )
            for n in range(LINES)
            for low, energy in enumerate(Energy)
        ]


def straightforward(made: Made, *, whole: bool = True) -> Rgb:
    """numpy and scikit-image. Not `whole`: neither local contrast nor levels."""
    mm = made.encoder * (made.geometry.encoder_mm or 1.0)
    pictures: list[Real] = []
    for low, energy in enumerate(Energy):
        calibration = made.calibration
        first, count = calibration.clear.of(energy)
        values = made.counts.of(energy).astype(np.float64) - calibration.dark.of(energy)
        values /= calibration.air.of(energy)
        values /= values[:, first : first + count].mean(axis=1, keepdims=True)
        for pixel in np.flatnonzero(calibration.bad.of(energy)):
            values[:, pixel] = (values[:, pixel - 1] + values[:, pixel + 1]) / 2
        if low:
            # Rows of the high energy's grid, as places among the low energy's lines.
            rows = np.interp(mm[::2], mm[1::2], np.arange(LINES))
            grid = np.stack(np.broadcast_arrays(rows[:, None], np.arange(PIXELS)[None, :]))
            values = _warp(values, grid, order=1, mode="edge")
        pictures.append(np.clip(np.rint(values * SCALE), 1, 65535))
    he, le = pictures
    alpha = np.maximum(-np.log(_mean(he) / SCALE), 1e-3)
    ratio = np.maximum(-np.log(_mean(le) / SCALE), 0) / alpha
    palette = made.palette
    row = np.clip((ratio - palette.r_first) / (palette.r_last - palette.r_first) * ROWS, 0, ROWS - 1).astype(int)
    column = np.clip(alpha / ALPHA_MOST * COLUMNS, 0, COLUMNS - 1).astype(int)
    trust = palette.trust[row, column][..., None] / 255.0
    hue = 255.0 * (1 - trust) + palette.colour[row, column] * trust
    shade = np.clip(1 + np.log(he / SCALE) / DEEPEST, 0, 1)
    if whole:
        shade = _clahe(shade, kernel_size=(LINES // 8, PIXELS // 8))
        for picture in pictures:
            level = picture
            for _ in range(LEVELS - 1):
                level = _halved(level, (2, 2))
    return np.rint(hue * shade[..., None]).astype(np.uint8)


def _mean(image: Real) -> Real:
    return _uniform(image, 4)


def corrected(made: Made, lines: list[Line]) -> Dual[U16]:
    """The stream alone."""
    corrector = Corrector(made.geometry, made.calibration)
    blocks = [corrector.take(lines[at : at + BATCH]) for at in range(0, len(lines), BATCH)]
    blocks.append(corrector.finish())
    pictures = [block.picture for block in blocks if block is not None]
    return Dual(np.concatenate([p.he for p in pictures]), np.concatenate([p.le for p in pictures]))


def quaygate(made: Made, lines: list[Line], *, whole: bool = True) -> Rgb:
    """Ours."""
    picture = corrected(made, lines)
    if not whole:
        return coloured(picture, made.palette)
    for energy in Energy:
        assert len(Pyramid(energy, picture.of(energy), NOISE).levels) == LEVELS
    return coloured(picture, made.palette, local(picture.he))


def timed(rounds: int, way: Callable[[], Any]) -> tuple[float, Any]:
    """Median CPU seconds, and the last answer."""
    spent: list[float] = []
    made: Any = None
    for _ in range(rounds):
        began = time.process_time()
        made = way()
        spent.append(time.process_time() - began)
    return statistics.median(spent), made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    cv2.setNumThreads(1)
    made = Made()
    lines = made.lines()
    print(f"{'':34}{'CPU s':>8}{'of ours':>9}")
    for name, whole in (("", True), (", no contrast, no levels", False)):
        slow, theirs = timed(rounds, lambda whole=whole: straightforward(made, whole=whole))
        fast, ours = timed(rounds, lambda whole=whole: quaygate(made, lines, whole=whole))
        print(f"{'scikit-image' + name:34}{slow:8.2f}{slow / fast:9.2f}")
        print(f"{'quaygate' + name:34}{fast:8.2f}{1:9.2f}")
        if not whole:
            apart = np.abs(ours.astype(int) - theirs[: len(ours)].astype(int)).max(axis=2)
            print(f"pixels of both pictures within 8 of 255: {(apart <= 8).mean():.1%}")
    alone, _ = timed(rounds, lambda: corrected(made, lines))
    per_s = len(lines) / alone
    print(f"{'correction alone':34}{alone:8.2f}  {per_s:.0f} lines/s a core; 1,000/s take {1000 / per_s:.1%} of one")


if __name__ == "__main__":
    main()
