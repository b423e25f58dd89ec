"""CRC-32C (Castagnoli, RFC 3720) of one datagram at once. Pure.

A CRC is linear: what a byte adds to it depends on the byte and on how many bytes follow. One table of both makes the
sum of a datagram one look-up for all bytes and one exclusive or over them, instead of a loop.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

LONGEST: Final = 9000
"""Bytes: a jumbo frame."""
_POLYNOMIAL: Final = 0x82F63B78
_ALL: Final = 0xFFFFFFFF


def _one_byte() -> NDArray[np.uint32]:
    rows = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        rows = (rows >> np.uint32(1)) ^ np.where(rows & np.uint32(1), np.uint32(_POLYNOMIAL), np.uint32(0))
    return rows


class Crc32c:
    """Its tables grow to the longest datagram seen, to LONGEST at most."""

    def __init__(self) -> None:
        self._byte = _one_byte()
        self._by_place = self._byte[None, :]
        """(followed by, 256): what a byte adds when so many bytes follow it."""
        self._flat = self._by_place.ravel()
        self._offsets = np.zeros(1, np.intp)
        self._start: dict[int, int] = {}

    def of(self, data: bytes | memoryview) -> int:
        """Raises ValueError for more than LONGEST bytes."""
        size = len(data)
        if size > self._by_place.shape[0]:
            self._grow(size)
        if size not in self._start:
            self._start[size] = self._ones_through(size)
        places = self._offsets[self._offsets.size - size :] + np.frombuffer(data, np.uint8)
        return int(np.bitwise_xor.reduce(self._flat[places])) ^ self._start[size] ^ _ALL

    def _grow(self, size: int) -> None:
        if size > LONGEST:
            raise ValueError(f"{size} bytes are more than the {LONGEST} of the longest datagram")
        table = np.empty((size, 256), np.uint32)
        had = self._by_place.shape[0]
        table[:had] = self._by_place
        for place in range(had, size):
            before = table[place - 1]
            table[place] = (before >> np.uint32(8)) ^ self._byte[before & np.uint32(0xFF)]
        self._by_place, self._flat = table, table.ravel()
        self._offsets = np.arange(size - 1, -1, -1, dtype=np.intp) * 256

    def _ones_through(self, size: int) -> int:
        """What the register's first value, all ones, has become after so many bytes."""
        crc = _ALL
        for _ in range(size):
            crc = crc >> 8 ^ int(self._byte[crc & 0xFF])
        return crc


crc32c: Final = Crc32c().of
"""CRC-32C of some bytes."""
