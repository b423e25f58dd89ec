"""A dual-energy frame of 6000 x 1400 to tiles: CPU seconds and bytes, beside the straightforward ways, in one run.

    python -m bench.xray_tiles [--rounds 3]

The frame is synthetic (tests/vision/xray/frames.py: blocks of known materials, quantum noise of the design dose), both
energies. All three rows make every level and every 512-pixel tile, one thread:
    plain deflate      pixels as they are, skimage's pyramid, zlib level 6: what a tile server does by itself
    codes + deflate    the same noise-shaped codes, skimage's pyramid, zlib level 6
    quaygate           vision/xray/tiles.py: codes, cv2's pyramid, predicted, byte planes, runs and Huffman codes
`full` is the full-resolution level alone, as a person fetches it; `first` the base layers of the first look.
"""

import argparse
import statistics
import time
import zlib
from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
from skimage.transform import downscale_local_mean  # pyright: ignore[reportUnknownVariableType]

from tests.vision.xray.frames import Frame, frame
from vision.xray.scan import Energy
from vision.xray.tiles import LEVELS, TILE, Coding, Pyramid, fit_noise

U16 = npt.NDArray[np.uint16]
Sizes = dict[str, int]
_halved = cast("Callable[[U16, tuple[int, int]], npt.NDArray[np.float64]]", downscale_local_mean)


def skimage_levels(image: U16) -> list[U16]:
    """By the mean of blocks, as the library's users do it."""
    made = [image]
    for _ in range(LEVELS - 1):
        mean = _halved(made[-1], (2, 2))
        made.append((mean + 0.5).astype(np.uint16))
    return made


def deflated(image: U16) -> int:
    """Bytes of all tiles of a level."""
    rows, columns = range(0, image.shape[0], TILE), range(0, image.shape[1], TILE)
    return sum(len(zlib.compress(image[y : y + TILE, x : x + TILE].tobytes(), 6)) for y in rows for x in columns)


def plain(made: Frame) -> Sizes:
    """Pixels as they are."""
    sizes = [[deflated(level) for level in skimage_levels(image)] for image in (made.he, made.le)]
    return {"full": sum(s[0] for s in sizes), "all": sum(map(sum, sizes)), "first": 0}


def coded(made: Frame) -> Sizes:
    """Codes, then plain deflate."""
    full = every = 0
    for image in (made.he, made.le):
        noise = fit_noise(image)
        sizes = [deflated(Coding.fine(noise, n).table()[level]) for n, level in enumerate(skimage_levels(image))]
        full, every = full + sizes[0], every + sum(sizes)
    return {"full": full, "all": every, "first": 0}


def quaygate(made: Frame) -> Sizes:
    """Ours."""
    full = every = first = 0
    for energy, image in zip(Energy, (made.he, made.le), strict=True):
        pyramid = Pyramid(energy, image)
        for name in pyramid.names():
            size = len(pyramid.tile(name))
            every += size
            full += size if name.layer == "fine" and name.level == 0 else 0
            first += size if name.layer == "base" else 0
    return {"full": full, "all": every, "first": first}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    made = frame(6000, 1400)
    ways: dict[str, Callable[[Frame], Sizes]] = {"plain deflate": plain, "codes + deflate": coded, "quaygate": quaygate}
    told: dict[str, tuple[float, Sizes]] = {}
    for name, way in ways.items():
        spent: list[float] = []
        sizes: Sizes = {}
        for _ in range(rounds):
            began = time.process_time()
            sizes = way(made)
            spent.append(time.process_time() - began)
        told[name] = statistics.median(spent), sizes
    own, own_sizes = told["quaygate"]
    print(f"{'':18}{'CPU s':>8}{'ratio':>8}{'full MB':>10}{'ratio':>8}{'first kB':>10}")
    for name, (seconds, sizes) in told.items():
        full = sizes["full"]
        first = f"{sizes['first'] / 1e3:10.0f}" if sizes["first"] else f"{'':10}"
        ratios = f"{seconds / own:8.2f}{full / 1e6:10.2f}{full / own_sizes['full']:8.2f}"
        print(f"{name:18}{seconds:8.2f}{ratios}{first}")


if __name__ == "__main__":
    main()
