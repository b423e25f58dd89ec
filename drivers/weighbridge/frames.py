"""Indicators' bytes -> frames, and nothing about what they mean at a site. Pure.

Yaohua XK3190-A9, continuous output (tF = 0):

    02  sign  d1 d2 d3 d4 d5 d6  decimals  X1 X2  03

sign is `+` or `-`; six digits, most significant first, are what the display shows; decimals counts from the right;
X1 X2 are the XOR of bytes 2 to 9 as two upper-case hex digits. Sources: MANUAL.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal, Protocol

from drivers.readings import Garbage

NOISE_CEILING = 64
"""Noise is told in pieces of at most this: long enough for a log line, short enough for an hour of noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What an indicator has sent. None is what its frame does not say."""

    shows: Literal["number", "blank", "dashes"]
    digits: str
    """The display's places without sign and point, six with the A9: `001560`, blanks, dashes."""
    negative: bool
    decimals: int | None
    """Places behind the point; None: the byte that should say so says something else."""
    unit: str | None = None
    stable: bool | None = None
    raw: bytes

    @property
    def value(self) -> Decimal | None:
        """The number in the display's own unit; None where it shows none, or nobody knows where its point is."""
        if self.shows != "number" or self.decimals is None:
            return None
        number = Decimal(self.digits).scaleb(-self.decimals)
        return -number if self.negative and number else number

    @property
    def display(self) -> str:
        """As the indicator's window shows it: `-12.34`, `------`, and `` when it is dark."""
        if self.shows != "number":
            return self.digits.strip()
        places = self.decimals or 0
        number = self.digits.lstrip("0").rjust(places + 1, "0")
        if places:
            number = f"{number[:-places]}.{number[-places:]}"
        return f"-{number}" if self.negative else number


class Decoder(Protocol):
    """One dialect. Bytes in, words out; every byte is in exactly one word, in order. Holds a frame's length of bytes,
    NOISE_CEILING of noise, and what was received last: ask for words until None after each `receive`."""

    def receive(self, data: bytes, /) -> None:
        """Bytes as they came, cut anywhere."""
        ...

    def next_word(self) -> Frame | Garbage | None:
        """The next word; None when more bytes are needed. How the bytes were cut makes no difference."""
        ...

    def rest(self) -> Garbage | None:
        """At the end of a stream: what never became a word."""
        ...


_STX, _ETX = 0x02, 0x03
_FRAME_BYTES = 12
_SIGNS = {0x2B: False, 0x2D: True}
_BLANK, _DASHES = b" " * 6, b"-" * 6
_MOST_DECIMALS = 4
_REMEMBERED = 64
"""A deck at rest repeats one frame or two for minutes: what they say is not worked out again."""


class YaohuaA9:
    """The A9's continuous frame. Looks for the next start byte by byte: a frame behind half a frame is not lost."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._noise = 0
        """So many of the first bytes held are noise already."""
        self._why = ""

    def receive(self, data: bytes, /) -> None:
        """As Decoder.receive."""
        self._held += data

    def next_word(self) -> Frame | Garbage | None:
        """As Decoder.next_word."""
        held = self._held
        while True:
            start = held.find(_STX, self._noise)
            self._noise = len(held) if start < 0 else start
            if self._noise >= NOISE_CEILING:
                return self._told(NOISE_CEILING)
            if start < 0 or len(held) - start < _FRAME_BYTES:
                return None
            word = _read(bytes(held[start : start + _FRAME_BYTES]))
            if isinstance(word, str):
                self._why = self._why or word
                self._noise = start + 1
            elif start > 0:
                return self._told(start)
            else:
                del held[:_FRAME_BYTES]
                self._noise = 0
                return word

    def rest(self) -> Garbage | None:
        """As Decoder.rest."""
        if not self._held:
            return None
        self._why = self._why or ("a frame is cut off" if self._noise < len(self._held) else "")
        return self._told(len(self._held))

    def _told(self, count: int) -> Garbage:
        raw, why = bytes(self._held[:count]), self._why or "no frame begins here"
        del self._held[:count]
        self._noise, self._why = max(0, self._noise - count), ""
        return Garbage(raw, why)


@lru_cache(maxsize=_REMEMBERED)
def _read(raw: bytes) -> Frame | str:
    """The frame in these twelve bytes, or why they are none."""
    negative = _SIGNS.get(raw[1])
    if negative is None:
        return "byte 2 is neither + nor -"
    if raw[-1] != _ETX:
        return "byte 12 is not the end mark 03"
    check = 0
    for byte in raw[1:9]:
        check ^= byte
    due = b"%02X" % check
    if raw[9:11] != due:
        return f"XOR should be {due.decode()}"
    digits = raw[2:8]
    if not digits.isdigit() and digits not in (_BLANK, _DASHES):
        return "bytes 3 to 8 are neither digits nor blanks nor dashes"
    decimals = raw[8] - 0x30
    return Frame(
        shows="blank" if digits == _BLANK else "dashes" if digits == _DASHES else "number",
        digits=digits.decode("ascii"),
        negative=negative,
        decimals=decimals if 0 <= decimals <= _MOST_DECIMALS else None,
        raw=raw,
    )


DIALECTS: Mapping[str, Callable[[], Decoder]] = {"yaohua-a9": YaohuaA9}
"""Every dialect by the name a site file gives it."""
