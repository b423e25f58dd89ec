"""Yaohua XK3190-A9 continuous output (tF = 0): bytes to frames. Pure.

    02  sign  d1 d2 d3 d4 d5 d6  decimals  X1 X2  03

sign is `+` or `-`; six digits, most significant first, are what the display shows; decimals counts from the right;
X1 X2 are the XOR of bytes 2 to 9 as two upper-case hex digits. The frame says nothing of unit, motion, net, or overload.
Source: Yaohua XK3190-A9 manual; Keli K9 and DS1 repeat the frame; ten captures agree on what the XOR covers.
"""

from dataclasses import dataclass
from typing import Protocol

from drivers.readings import Garbage

STX, ETX = 0x02, 0x03
FRAME_BYTES = 12
NOISE_CEILING = 64
"""Noise is told in pieces of at most this: long enough for a log line, short enough for an hour of noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the display shows, digit for digit."""

    digits: str
    negative: bool
    decimals: int
    raw: bytes

    @property
    def display(self) -> str:
        """As the indicator's window shows it: `-12.34`."""
        number = self.digits.lstrip("0").rjust(self.decimals + 1, "0")
        if self.decimals:
            number = f"{number[: -self.decimals]}.{number[-self.decimals :]}"
        return f"-{number}" if self.negative else number


class Decoder(Protocol):
    """One dialect. Bytes in, words out, nothing lost in between."""

    def receive(self, data: bytes) -> None:
        """Bytes as they came."""
        ...

    def next_word(self) -> Frame | Garbage | None:
        """The next word; None when more bytes are needed."""
        ...


class YaohuaA9:
    """Decoder of the continuous frame; finds its way back after any noise."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def receive(self, data: bytes) -> None:
        """As Decoder.receive."""
        self._bytes += data

    def next_word(self) -> Frame | Garbage | None:
        """As Decoder.next_word. At most NOISE_CEILING bytes of noise and a frame's beginning wait for more."""
        held = self._bytes
        start = held.find(STX)
        if start < 0:
            start = len(held)
        if start > 0:
            whole = start < len(held) or start >= NOISE_CEILING
            return self._noise(min(start, NOISE_CEILING), "no frame begins here") if whole else None
        if not held:
            return None
        wrong = _wrong(bytes(held[:FRAME_BYTES]))
        if wrong is not None:
            following = held.find(STX, 1, FRAME_BYTES)
            end = following if following > 0 else min(len(held), FRAME_BYTES)
            return self._noise(end, wrong)
        if len(held) < FRAME_BYTES:
            return None
        raw = bytes(held[:FRAME_BYTES])
        del held[:FRAME_BYTES]
        return Frame(digits=raw[2:8].decode("ascii"), negative=raw[1] == 0x2D, decimals=raw[8] - 0x30, raw=raw)

    def rest(self) -> Garbage | None:
        """At the end of a stream: what never became a word."""
        return self._noise(len(self._bytes), "the stream ends here") if self._bytes else None

    def _noise(self, count: int, why: str) -> Garbage:
        raw = bytes(self._bytes[:count])
        del self._bytes[:count]
        return Garbage(raw, why)


def _wrong(part: bytes) -> str | None:
    """Why these bytes from an STX on cannot be (the beginning of) a frame; None while they can."""
    if len(part) > 1 and part[1] not in b"+-":
        return "byte 2 is neither + nor -"
    if any(not 0x30 <= byte <= 0x39 for byte in part[2:8]):
        return "bytes 3 to 8 are not all digits"
    if len(part) > 8 and not 0x30 <= part[8] <= 0x39:
        return "byte 9 is no digit"
    if len(part) > 9:
        check = 0
        for byte in part[1:9]:
            check ^= byte
        due = b"%02X" % check
        if not due.startswith(part[9:11]):
            return f"XOR is {part[9:11].decode('latin-1')!r}, due {due.decode()}"
    if len(part) > 11 and part[11] != ETX:
        return "byte 12 is not the end mark 03"
    return None


DIALECTS: dict[str, type[YaohuaA9]] = {"yaohua-a9": YaohuaA9}
"""Every dialect by the name a site file gives it."""
