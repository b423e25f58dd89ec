"""Values of one series as bytes, and sums over them. Pure.

An hour of one series is one chunk: times as differences of differences, values as differences of decimal numbers where
that is exact, the bytes of each split into planes, deflated. One value a second with two decimals takes about a byte.
Beside each chunk lies its roll-up: a row a minute, so that a week on a screen never unpacks a chunk.
"""

import struct
import zlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

HOUR_MS = 3_600_000
MINUTE_MS = 60_000

Times: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.void]
"""Rows of ROW: what is known of some time, a single value or a minute of them."""

ROW = np.dtype([("t", "<i8"), ("n", "<i8"), ("min", "<f8"), ("mean", "<f8"), ("max", "<f8"), ("last", "<f8")])
_ROLL = np.dtype([("m", "u1"), ("n", "<u4"), ("min", "<f8"), ("mean", "<f8"), ("max", "<f8"), ("last", "<f8")])
_HEAD = struct.Struct("<qIbBB")
"""First instant, count, decimals (-1: raw floats), bytes a time, bytes a value."""
_DECIMALS = 5
"""Most decimals tried: a GPS degree has seven but is better kept raw than wrong."""
_EXACT = 2.0**52
"""Whole numbers beyond this are no longer told apart by a float."""


def pack(t: Times, v: Values) -> bytes:
    """`t` ascending milliseconds, `v` finite; at least one. Exact: `unpack` gives the same bits back."""
    steps = np.diff(np.diff(t, prepend=t[0]), prepend=np.int64(0))
    times, time_width = _integers(steps)
    decimals, scaled = _scaled(v)
    if scaled is None:
        values, value_width = _planes(v.view(np.uint8), 8), 8
    else:
        values, value_width = _integers(np.diff(scaled, prepend=np.int64(0)))
    return _HEAD.pack(int(t[0]), len(t), decimals, time_width, value_width) + zlib.compress(times + values, 6)


def unpack(data: bytes) -> tuple[Times, Values]:
    """The other way. Raises ValueError for bytes that are no chunk."""
    try:
        t0, n, decimals, time_width, value_width = _HEAD.unpack_from(data)
        raw = np.frombuffer(zlib.decompress(data[_HEAD.size :]), np.uint8)
    except (struct.error, zlib.error) as fault:
        raise ValueError(f"no chunk: {fault}") from fault
    if len(raw) != n * (time_width + value_width):
        raise ValueError(f"no chunk: {len(raw)} bytes for {n} values")
    t = np.cumsum(np.cumsum(_back(raw[: n * time_width], n, time_width))) + t0
    rest = raw[n * time_width :]
    if decimals < 0:
        return t, rest.reshape(8, n).T.copy().view("<f8").ravel()
    return t, np.cumsum(_back(rest, n, value_width)) / 10.0**decimals


def _scaled(v: Values) -> tuple[int, NDArray[np.int64] | None]:
    for decimals in range(_DECIMALS + 1):
        factor = 10.0**decimals
        whole = np.rint(v * factor)
        if np.abs(whole).max() >= _EXACT:
            break
        if np.array_equal((whole / factor).view(np.int64), v.view(np.int64)):
            return decimals, whole.astype(np.int64)
    return -1, None


def _integers(x: NDArray[np.int64]) -> tuple[bytes, int]:
    for width, kind in ((1, np.int8), (2, np.int16), (4, np.int32)):
        narrow = x.astype(kind)
        if np.array_equal(narrow, x):
            return _planes(narrow.view(np.uint8), width), width
    return _planes(x.view(np.uint8), 8), 8


def _planes(x: NDArray[np.uint8], width: int) -> bytes:
    return x.reshape(-1, width).T.tobytes()


def _back(raw: NDArray[np.uint8], n: int, width: int) -> NDArray[np.int64]:
    return raw[: n * width].reshape(width, n).T.copy().view(f"<i{width}").ravel().astype(np.int64)


def one_each(t: Times, v: Values) -> tuple[Times, Values]:
    """Ascending and without repeats; of values for the same instant the later one in the arrays stands."""
    if len(t) < 2 or bool(np.all(np.diff(t) > 0)):
        return t, v
    order = np.argsort(t, kind="stable")
    t, v = t[order], v[order]
    keep = np.append(np.diff(t) > 0, True)
    return t[keep], v[keep]


def rows(t: Times, v: Values) -> Rows:
    """Single values as rows."""
    made = np.empty(len(t), ROW)
    made["t"], made["n"] = t, 1
    for name in ("min", "mean", "max", "last"):
        made[name] = v
    return made


def gathered(given: Rows, step_ms: int) -> Rows:
    """Rows ascending in time, summed over steps; `t` is where each step begins."""
    if len(given) == 0:
        return given
    step = given["t"] // step_ms * step_ms
    first = np.flatnonzero(np.append(True, np.diff(step) > 0))
    made = np.empty(len(first), ROW)
    n: NDArray[np.int64] = given["n"]
    made["t"] = step[first]
    made["n"] = np.add.reduceat(n, first)
    made["min"] = np.minimum.reduceat(given["min"], first)
    made["max"] = np.maximum.reduceat(given["max"], first)
    made["mean"] = np.add.reduceat(given["mean"] * n, first) / made["n"]
    made["last"] = given["last"][np.append(first[1:], len(given)) - 1]
    return made


def pack_roll(minutes: Rows, hour_ms: int) -> bytes:
    """Rows of the minutes of one hour."""
    made: NDArray[Any] = np.empty(len(minutes), _ROLL)
    made["m"] = (minutes["t"] - hour_ms) // MINUTE_MS
    for name in ("n", "min", "mean", "max", "last"):
        made[name] = minutes[name]
    return zlib.compress(made.tobytes(), 3)


def unpack_roll(data: bytes, hour_ms: int) -> Rows:
    """The other way. Raises ValueError for bytes that are no roll-up."""
    try:
        raw = np.frombuffer(zlib.decompress(data), _ROLL)
    except zlib.error as fault:
        raise ValueError(f"no roll-up: {fault}") from fault
    made = np.empty(len(raw), ROW)
    made["t"] = raw["m"].astype(np.int64) * MINUTE_MS + hour_ms
    for name in ("n", "min", "mean", "max", "last"):
        made[name] = raw[name]
    return made
