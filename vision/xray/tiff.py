"""A scan as a TIFF: both energies as pages, 16 bit, deflated in strips. Pure.

TIFF 6.0 little-endian, Adobe deflate (8), horizontal predictor (2): what every program for pictures reads. A page's
description is JSON that says what the values mean; its resolution is that of the lane's middle plane.
"""

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from vision.xray.exchange import MAKER, Parcel
from vision.xray.scan import NOT_MEASURED, SCALE, Counts

STRIP_ROWS: Final = 64
LEVEL: Final = 6
SHORT, LONG, RATIONAL, ASCII = 3, 4, 5, 2
_SIZES: Final = {SHORT: 2, LONG: 4, RATIONAL: 8, ASCII: 1}
_CODES: Final = {SHORT: "H", LONG: "I"}
_HEAD: Final = 8
_LIMIT: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class _Tag:
    number: int
    kind: int
    values: Sequence[int] | bytes


def tiff(parcel: Parcel) -> bytes:
    """The whole file. Raises OverflowError above 4 GB, which classic TIFF cannot address."""
    file = bytearray(b"II*\0" + bytes(4))
    link = 4
    for number, energy in enumerate(parcel.energies):
        words = {
            "digest": parcel.ref.digest,
            "scanner": parcel.ref.scanner,
            "site": parcel.head.site,
            "started": parcel.ref.started,
            "energy": energy.value,
            "mev": parcel.mev(energy),
            "scale": SCALE,
            "not_measured": NOT_MEASURED,
            "torn": parcel.ref.torn,
            "containers": list(parcel.ref.subject.containers),
        }
        picture = parcel.picture.of(energy)
        per_cm = (10 / parcel.geometry.pitch_mm, 10 / abs(parcel.geometry.pixel_mm()))
        link = _page(file, link, picture, json.dumps(words).encode("ascii") + b"\0", per_cm, number)
    if len(file) >= _LIMIT:
        raise OverflowError("a classic TIFF holds no more than 4 GB")
    return bytes(file)


def _page(file: bytearray, link: int, picture: Counts, words: bytes, per_cm: tuple[float, float], number: int) -> int:
    """Appends strips and directory, sets the link to it; where the link to the next one lies."""
    height, width = picture.shape
    before = np.diff(picture, axis=1, prepend=np.uint16(0)).astype("<u2")
    offsets: list[int] = []
    sizes: list[int] = []
    for row in range(0, height, STRIP_ROWS):
        strip = zlib.compress(before[row : row + STRIP_ROWS].tobytes(), LEVEL)
        offsets.append(len(file))
        sizes.append(len(strip))
        file += strip
    tags = [
        _Tag(254, LONG, [2 if number else 0]),  # a page of many
        _Tag(256, LONG, [width]),
        _Tag(257, LONG, [height]),
        _Tag(258, SHORT, [16]),
        _Tag(259, SHORT, [8]),
        _Tag(262, SHORT, [1]),  # black is zero
        _Tag(270, ASCII, words),
        _Tag(273, LONG, offsets),
        _Tag(277, SHORT, [1]),
        _Tag(278, LONG, [STRIP_ROWS]),
        _Tag(279, LONG, sizes),
        _Tag(282, RATIONAL, _ratio(per_cm[0])),
        _Tag(283, RATIONAL, _ratio(per_cm[1])),
        _Tag(296, SHORT, [3]),  # a centimetre
        _Tag(305, ASCII, MAKER.encode("ascii") + b"\0"),
        _Tag(317, SHORT, [2]),
    ]
    file += bytes(len(file) % 2)
    entries = [_entry(file, tag) for tag in tags]
    file += bytes(len(file) % 2)
    struct.pack_into("<I", file, link, len(file) % _LIMIT)
    file += struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return len(file) - 4


def _entry(file: bytearray, tag: _Tag) -> bytes:
    """Twelve bytes of the directory; a value of more than four lies in the file before it."""
    code = _CODES.get(tag.kind, "I")
    data = tag.values if isinstance(tag.values, bytes) else struct.pack(f"<{len(tag.values)}{code}", *tag.values)
    count = len(data) // _SIZES[tag.kind]
    if len(data) > 4:
        place = len(file)
        file += data + bytes(len(data) % 2)
        data = struct.pack("<I", place % _LIMIT)
    return struct.pack("<HHI", tag.number, tag.kind, count) + data.ljust(4, b"\0")


def _ratio(value: float) -> tuple[int, int]:
    near = Fraction(value).limit_denominator(10_000)
    return near.numerator, near.denominator
