"""A second reader of tiles, written from the format's description: slow, plain, sharing nothing with the writer."""

import math
import struct
import zlib
from dataclasses import dataclass


@dataclass
class Read:
    energy: int
    level: int
    layer: int
    x: int
    y: int
    width: int
    height: int
    step: float
    a: float
    b: float
    codes: list[list[int]]

    def value(self, code: float) -> float | None:
        """None: not measured."""
        if code == 0:
            return None
        return (((code - 1) * self.a * self.step / 2 + math.sqrt(self.b)) ** 2 - self.b) / self.a


def read(tile: bytes) -> Read:
    magic, energy, level, codec, layer, x, y, width, height, step, a, b = struct.unpack("<4sBBBBIIHHfff", tile[:32])
    assert magic == b"QGT1"
    body = zlib.decompress(tile[32:])
    size = width * height
    assert len(body) == size * codec
    codes: list[list[int]] = []
    for row in range(height):
        line: list[int] = []
        for column in range(width):
            at = row * width + column
            folded = body[at] + (256 * body[size + at] if codec == 2 else 0)
            error = folded // 2 if folded % 2 == 0 else -(folded + 1) // 2
            left = line[-1] if column else 0
            up = codes[-1][column] if row else 0
            if row == 0:
                guess = left
            elif column == 0:
                guess = up
            else:
                corner = codes[-1][column - 1]
                if corner >= max(left, up):
                    guess = min(left, up)
                elif corner <= min(left, up):
                    guess = max(left, up)
                else:
                    guess = left + up - corner
            line.append(guess + error)
        codes.append(line)
    return Read(energy, level, layer, x, y, width, height, step, a, b, codes)
