"""Indicators' bytes -> frames, and nothing about what they mean at a site. Pure.

Here are the words that every dialect shares and the scanner that finds them in a stream; `dialects` has the formats.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, Protocol

from drivers.readings import Garbage

NOISE_CEILING = 64
"""Noise is told in pieces of at most this: long enough for a log line, short enough for an hour of noise."""
REMEMBERED: Final = 64
"""A deck at rest repeats one frame or two for minutes: what they say is not worked out again."""

Shows = Literal["number", "blank", "dashes", "overload", "underload", "error"]
Kind = Literal["gross", "net", "tare"]
Unit = Literal["kg", "t", "g", "lb", "oz", "ton"]
"""`t` is 1000 kg, `ton` the American one of 2000 lb."""

UNITS: Final[dict[str, Unit]] = {
    "kg": "kg", "k": "kg", "t": "t", "g": "g", "gr": "g", "lb": "lb", "l": "lb", "oz": "oz", "tn": "ton", "ton": "ton",
}  # fmt: skip
"""What indicators write for their unit, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What an indicator has sent. None is what its frame does not say."""

    shows: Shows
    digits: str
    """The display's places without sign and point, six with the A9: `001560`, blanks, dashes."""
    negative: bool = False
    decimals: int | None = 0
    """Places behind the point; None: the byte that should say so says something else."""
    pointless: bool = False
    """The dialect has no point at all: only the site knows where it stands."""
    unit: Unit | None = None
    stable: bool | None = None
    kind: Kind | None = None
    tare: Decimal | None = None
    """In the display's own unit."""
    tare_on: bool | None = None
    """Whether a tare stands, whatever is shown."""
    increment: int | None = None
    """What the last place counts by: 1, 2, 5."""
    zero: bool | None = None
    """Within a quarter of a division of zero."""
    proven: bool = False
    """Carries a check that sees swapped digits: a CRC, not a sum and not an XOR."""
    doubt: str = ""
    """Why this frame may not be believed by itself, whatever it repeats."""
    notes: tuple[str, ...] = ()
    """Whatever else its status says, in words: `preset tare`, `range 2`, `print asked`, `expanded`."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What is on the wire beside weights: an answer without one, somebody's request, the number on the plate."""

    what: Literal["serial", "calibrations", "acknowledged", "refused", "request", "status", "about"]
    text: str
    raw: bytes


Word = Frame | Remark


class Decoder(Protocol):
    """One dialect. Bytes in, words out; every byte is in exactly one word, in order. Holds a frame's length of bytes,
    NOISE_CEILING of noise, and what was received last: ask for words until None after each `receive`."""

    def receive(self, data: bytes, /) -> None:
        """Bytes as they came, cut anywhere."""
        ...

    def next_word(self) -> Word | Garbage | None:
        """The next word; None when more bytes are needed. How the bytes were cut makes no difference."""
        ...

    def rest(self) -> Word | Garbage | None:
        """At the end of a stream, until None: the frame whose end is only the next one's beginning, and the rest."""
        ...


Extent = Callable[[bytearray, int, bool], int]
"""(held, start, ended) -> the length of the frame that begins at `start`; 0: more bytes are needed; -1: it has no end.
`ended`: no more bytes will come."""


class Scanner:
    """Looks for the next start byte by byte, so that a frame behind half a frame is not lost."""

    def __init__(
        self, starts: re.Pattern[bytes], extent: Extent, read: Callable[[bytes], Word | str], *, alike: bool = True
    ) -> None:
        """`starts` matches single bytes. `read` gives the word in these bytes, or why they are none. `alike`: the same
        bytes are the same word, whatever stands before and behind them."""
        self._starts = starts.search
        self._extent = extent
        self._read = read
        self._alike = alike
        self._last: tuple[bytes, Word] | None = None
        """A deck at rest says the same again and again: what begins like the last frame is that frame."""
        self._held = bytearray()
        self._noise = 0
        """So many of the first bytes held are noise already."""
        self._why = ""
        self._ready: tuple[int, Word] | None = None
        """Read already, behind noise that is told first: a reader that remembers must not be asked twice."""

    def receive(self, data: bytes, /) -> None:
        """As Decoder.receive."""
        self._held += data

    def next_word(self) -> Word | Garbage | None:
        """As Decoder.next_word."""
        if self._last is not None and not self._noise:
            raw, word = self._last
            if self._held.startswith(raw):
                del self._held[: len(raw)]
                return word
        return self._next(ended=False)

    def rest(self) -> Word | Garbage | None:
        """As Decoder.rest. A line end that only closes the last frame is no word."""
        word = self._next(ended=True)
        if word is not None or not self._held.strip(b"\r\n"):
            return word
        self._why = self._why or ("a frame is cut off" if self._noise < len(self._held) else "")
        return self._told(min(len(self._held), NOISE_CEILING))

    def _next(self, *, ended: bool) -> Word | Garbage | None:
        held = self._held
        if self._ready is not None:
            (size, word), self._ready = self._ready, None
            return self._taken(size, word)
        while True:
            found = self._starts(held, self._noise)
            start = self._noise = len(held) if found is None else found.start()
            if start >= NOISE_CEILING:
                return self._told(NOISE_CEILING)
            size = 0 if found is None else self._extent(held, start, ended)
            if size == 0:
                return None
            word = self._read(bytes(held[start : start + size])) if size > 0 else "no end where a frame must have one"
            if isinstance(word, str):
                self._why = self._why or word
                self._noise = start + 1
            elif start > 0:
                self._ready, self._last = (size, word), None
                return self._told(start)
            else:
                return self._taken(size, word)

    def _taken(self, size: int, word: Word) -> Word:
        del self._held[:size]
        self._noise = 0
        if self._alike:
            self._last = word.raw, word
        return word

    def _told(self, count: int) -> Garbage:
        raw, why = bytes(self._held[:count]), self._why or "no frame begins here"
        del self._held[:count]
        self._noise, self._why = max(0, self._noise - count), ""
        return Garbage(raw, why)


def fixed(size: int) -> Extent:
    """Frames of one length."""

    def extent(held: bytearray, start: int, ended: bool) -> int:  # noqa: ARG001, FBT001 - as Extent
        return size if len(held) - start >= size else 0

    return extent


def ended_by(ends: bytes, longest: int) -> Extent:
    """Frames that end with one of these bytes, at most `longest` of them. Line ends that are left over from the frame
    before belong to the next one: whether a line ends with CR or CR LF makes no difference, and nobody waits for it."""
    last = re.compile(b"[" + re.escape(ends) + b"]").search

    def extent(held: bytearray, start: int, ended: bool) -> int:  # noqa: ARG001, FBT001 - as Extent
        begins = start
        while begins < len(held) and held[begins] in b"\r\n":
            begins += 1
        found = last(held, begins, start + longest)
        if found is not None:
            return found.end() - start
        return 0 if len(held) - start < longest else -1

    return extent


_NUMBER = re.compile(r" *([+-]?) *(\d*)(?:[.,](\d*))? *")


def shown(text: str) -> tuple[Shows, str, bool, int] | None:
    """What a display field says: (shows, digits, negative, decimals). Blanks before the digits are allowed, between
    them they are not. None: it says nothing that a display can show."""
    if not text.strip(" .,"):
        return "blank", text, False, 0
    if not text.strip("-. "):
        return "dashes", text, False, 0
    found = _NUMBER.fullmatch(text)
    if found is None or not text.isascii():
        return None
    sign, whole, behind = found.group(1), found.group(2), found.group(3) or ""
    if not whole + behind:
        return None
    return "number", whole + behind, sign == "-", len(behind)


def amount(text: str) -> Decimal | None:
    """A tare's field as a number; None where it has none."""
    field = shown(text)
    if field is None or field[0] != "number":
        return None
    _, digits, negative, decimals = field
    value = Decimal(digits).scaleb(-decimals)
    return -value if negative and value else value
