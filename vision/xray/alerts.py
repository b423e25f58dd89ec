"""What an eye cannot trust in this picture: blind zones, stripes, lost lines, and the scan's own remarks. Pure.

An image analyst who does not know that a part of the picture is blind takes it for something dark. Values are shares,
so that a scanner's health can be followed over its scans.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.xray.findings import MOST_PLACES, Finding, Kind, Place
from vision.xray.outline import patches
from vision.xray.scan import NOT_MEASURED, SCALE, Counts, Flaw, Noise, Remark

Reals = NDArray[np.float64]
BLIND_T: Final = 1.8e-3
"""A thousandth of the beam, and as much again of scatter."""
BLOCK: Final = 8
"""Pixels a side of what is called blind: single dark pixels are noise."""
CLEAR_T: Final = 0.97
ALL_CLEAR: Final = 0.9
STRIPE_SIGMA: Final = 6.0
STRIPE_LEAST: Final = 0.004
"""Of a pixel's or row's level: a quarter of a millimetre of steel; finer stripes hide nothing."""
LEAST_CLEAR: Final = 24
"""Clear pixels of a row, or clear rows of a pixel, from which a stripe can be told."""
SMOOTH: Final = 9


def blind(he: Counts) -> Finding:
    """Where the beam did not come through. `value`: share of the picture that something stands in."""
    rows, pixels = (size // BLOCK for size in he.shape)
    blocks = he[: rows * BLOCK, : pixels * BLOCK].reshape(rows, BLOCK, pixels, BLOCK).astype(np.float32)
    measured = (blocks != NOT_MEASURED).mean(axis=(1, 3))
    level = blocks.sum(axis=(1, 3)) / np.maximum(measured * BLOCK * BLOCK, 1)
    dark = (level < BLIND_T * SCALE) & (measured > 0.5)
    loaded = (level < CLEAR_T * SCALE) & (measured > 0.5)
    count, of = int(dark.sum()), max(1, int(loaded.sum()))
    share = count / of
    places = [
        Place(
            row=int(p[:, 0].min()) * BLOCK,
            pixel=int(p[:, 1].min()) * BLOCK,
            rows=(int(np.ptp(p[:, 0])) + 1) * BLOCK,
            pixels=(int(np.ptp(p[:, 1])) + 1) * BLOCK,
            size=len(p) / of,
        )
        for p in patches(dark)
    ]
    places.sort(key=lambda place: -place.size)
    zh, en = "没有未穿透的区域。", "The beam came through everywhere."
    if count:
        zh = f"有 {share:.1%} 的物体面积未穿透:其后有无物品,图像无法说明。"
        en = f"{share:.1%} of what stands in the beam lets nothing through: what is behind it, this image cannot say."
    return Finding(
        kind=Kind.BLIND,
        value=share,
        sigma=math.sqrt(max(share * (1 - share), 1 / of) / of),
        unit="share",
        zh=zh,
        en=en,
        method=f"{BLOCK} x {BLOCK} pixels whose mean is below {BLIND_T:g} of air, scatter included",
        places=tuple(places[:MOST_PLACES]),
    )


def stripes(he: Counts, noise: Noise) -> Finding:
    """Rows or pixels that are too bright or too dark all along: doses and gains, not cargo. `value`: their number."""
    clear = he > CLEAR_T * SCALE
    # What is thin at an edge is no stripe: rows are judged by pixels above the truck, pixels by rows beside it.
    above, beside = clear.mean(axis=0) > ALL_CLEAR, clear.mean(axis=1) > ALL_CLEAR
    along = _off(he[:, above], clear[:, above], 1, noise)
    up = _off(he[beside], clear[beside], 0, noise)
    bad_rows, bad_pixels = np.flatnonzero(along), np.flatnonzero(up)
    count = bad_rows.size + bad_pixels.size
    height, width = he.shape[1], he.shape[0]
    places = [Place(row=int(row), pixel=0, rows=1, pixels=height, size=float(abs(along[row]))) for row in bad_rows]
    places += [Place(row=0, pixel=int(p), rows=width, pixels=1, size=float(abs(up[p]))) for p in bad_pixels]
    places.sort(key=lambda place: -place.size)
    zh, en = "未见条纹。", "No stripes are seen."
    if count:
        zh = f"有竖条纹 {bad_rows.size} 条、横条纹 {bad_pixels.size} 条:是剂量或增益,不是货物。"
        en = f"{bad_rows.size} upright and {bad_pixels.size} level stripes: doses and gains, not cargo."
    return Finding(
        kind=Kind.STRIPES,
        value=float(count),
        sigma=math.sqrt(count),
        unit="stripes",
        zh=zh,
        en=en,
        method=f"means over clear pixels that lie {STRIPE_SIGMA:g} sigma and {STRIPE_LEAST:.1%} off their neighbours",
        places=tuple(places[:MOST_PLACES]),
    )


def lost_lines(he: Counts, le: Counts, remarks: Sequence[Remark]) -> Finding:
    """What was never measured, and what the scan's own remarks say. `value`: share of rows with a hole in them."""
    holes = ((he == NOT_MEASURED) | (le == NOT_MEASURED)).any(axis=1)
    rows = max(1, holes.size)
    share = float(holes.sum()) / rows
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holes, [False]]).astype(np.int8)))
    places = [
        Place(row=int(a), pixel=0, rows=int(b - a), pixels=he.shape[1], size=float(b - a) / rows)
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]
    places.sort(key=lambda place: -place.size)
    zh = f"{share:.1%} 的图像列有缺失" if share else "没有缺行"
    en = f"{share:.1%} of the picture's columns have holes" if share else "No lines are missing"
    other = sorted({r.flaw.value for r in remarks if r.flaw not in (Flaw.GAP, Flaw.LOST_ENERGY, Flaw.PART_LINE)})
    if other:
        zh += f";扫描备注:{', '.join(other)}"
        en += f"; the scan's remarks: {', '.join(other)}"
    return Finding(
        kind=Kind.LOST_LINES,
        value=share,
        sigma=0.0,
        unit="share",
        zh=zh + "。",
        en=en + ".",
        method="columns of the picture in which any pixel of either energy was not measured",
        places=tuple(places[:MOST_PLACES]),
    )


def _off(image: Counts, clear: NDArray[np.bool_], axis: int, noise: Noise) -> Reals:
    """Of each row (axis 1) or pixel (axis 0): how far it is off its neighbours, 0 where that may be noise."""
    count = np.asarray(clear.sum(axis=axis), np.intp)
    level: Reals = np.where(clear, image, 0).sum(axis=axis, dtype=np.float64) / np.maximum(count, 1)
    good = count >= LEAST_CLEAR
    if good.sum() < SMOOTH:
        return np.zeros(level.size)
    level = np.where(good, level, np.median(level[good]))
    padded = np.pad(level, SMOOTH // 2, mode="reflect")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, SMOOTH), axis=1)
    off: Reals = np.asarray(level - smooth, np.float64) / SCALE
    sigma = np.sqrt((noise.a * SCALE + noise.b) / np.maximum(count, 1)) / SCALE
    # Rows share what their doses leave open: the usual difference of neighbours is no stripe.
    usual = 1.4826 * float(np.median(np.abs(off[good])))
    stripe = good & (np.abs(off) > STRIPE_SIGMA * np.maximum(sigma, usual)) & (np.abs(off) > STRIPE_LEAST)
    return np.where(stripe, off, 0.0)
