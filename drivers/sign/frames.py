"""A driver's sign on a plain text protocol, bytes <-> words. Pure.

-> row '|' row .. CR LF    in GBK
<- OK CR LF                or: ERR code CR LF
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.readings import Garbage

SEPARATOR = "|"
LINE_END = b"\r\n"
MAX_ANSWER_BYTES = 64
"""`ERR` and a code; what is longer without a line end is no answer."""


class DoesNotFit(ValueError):
    """The text is more than the sign can show, or not of its characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The sign shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """No, and the sign's own code."""

    code: str


def half_columns(text: str) -> int:
    """Width in half columns: a character of one GBK byte takes half of one of two. Raises DoesNotFit."""
    try:
        return len(text.encode("gbk"))
    except UnicodeEncodeError as wrong:
        raise DoesNotFit(f"{text[wrong.start : wrong.end]!r} is not in GBK") from wrong


def text_frame(rows: Sequence[str], *, columns: int, max_rows: int) -> bytes:
    """The bytes that show these rows. `columns`: full-width characters a row. Raises DoesNotFit; cuts nothing off."""
    return SEPARATOR.join(fitting(rows, columns=columns, max_rows=max_rows)).encode("gbk") + LINE_END


def fitting(rows: Sequence[str], *, columns: int, max_rows: int) -> list[str]:
    """The rows, when the sign can show them. Raises DoesNotFit."""
    if len(rows) > max_rows:
        raise DoesNotFit(f"{len(rows)} rows on a sign of {max_rows}")
    for row in rows:
        if SEPARATOR in row or not row.isprintable():
            raise DoesNotFit(f"{row!r} holds a character that the protocol needs for itself")
        if (width := half_columns(row)) > 2 * columns:
            raise DoesNotFit(f"{row!r} is {width / 2:g} columns wide on a sign of {columns}")
    return list(rows)


class Decoder:
    """The sign's answers. Ask for words until None after each `receive`."""

    def __init__(self) -> None:
        self._rest = b""
        self._overlong = False
        self._words: deque[Shown | Declined | Garbage] = deque()

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            if line:
                self._words.append(Garbage(line, "no answer of a sign") if self._overlong else _answer(line))
            self._overlong = False
        if self._overlong or len(self._rest) > MAX_ANSWER_BYTES:
            self._overlong = True
            if self._rest:
                self._words.append(Garbage(self._rest, "no answer of a sign"))
            self._rest = b""

    def next_word(self) -> Shown | Declined | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None


def _answer(line: bytes) -> Shown | Declined | Garbage:
    if line == b"OK":
        return Shown()
    name, _, code = line.partition(b" ")
    if name == b"ERR" and len(code) <= MAX_ANSWER_BYTES and code.isalnum():
        return Declined(code=code.decode("ascii"))
    return Garbage(line, "no answer of a sign")
