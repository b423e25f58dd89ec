"""A small dual-energy frame with a container's look: air, walls, blocks, quantum noise of a known strength."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

AIR = 60_000


@dataclass(frozen=True)
class Frame:
    """Rows are detector pixels, the top one first; columns are lines."""

    he: npt.NDArray[np.uint16]
    le: npt.NDArray[np.uint16]


def noisy(clean: npt.NDArray[np.float64], a: float, b: float, seed: int) -> npt.NDArray[np.uint16]:
    """The picture with noise of variance a x + b."""
    rng = np.random.default_rng(seed)
    return np.clip(np.round(clean + rng.normal(size=clean.shape) * np.sqrt(a * clean + b)), 0, 65535).astype(np.uint16)


def frame(width: int = 1400, height: int = 620, seed: int = 1) -> Frame:
    """Blocks of several materials, each with its ratio of log-attenuations at 6/4 MeV."""
    rng = np.random.default_rng(seed)
    alpha, ratio_alpha = np.zeros((height, width)), np.zeros((height, width))

    def put(y: int, x: int, h: int, w: int, thick: float, ratio: float) -> None:
        alpha[y : y + h, x : x + w] += thick
        ratio_alpha[y : y + h, x : x + w] += thick * ratio

    top, left, tall, wide = height // 8, width // 12, height * 5 // 8, width * 5 // 6
    put(top, left, tall, wide, 0.12, 1.162)
    for x in range(left, left + wide, 20):
        put(top, x, tall, 5, 0.05, 1.162)
    put(top + tall, left, max(2, height // 60), wide, 0.9, 1.162)
    for _ in range(40):
        h, w = int(rng.integers(height // 30, height // 5)), int(rng.integers(width // 60, width // 10))
        y, x = int(rng.integers(top, top + tall - h)), int(rng.integers(left, left + wide - w))
        put(y, x, h, w, float(rng.uniform(0.1, 1.4)), float(rng.choice([1.217, 1.193, 1.162])))
    put(top + tall // 3, left + wide // 2, tall // 6, wide // 20, 4.0, 1.126)
    he, le = AIR * np.exp(-alpha), AIR * np.exp(-ratio_alpha)
    return Frame(noisy(he, 1.42, 40.0, seed), noisy(le, 1.81, 40.0, seed + 1))
