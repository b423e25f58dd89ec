"""Reads of an OCR portal, one JSON object a line. Pure. The format is ours: MANUAL.md.

{"what": "plate" | "trailer" | "container" | "seal", "text": "沪AD3F88", "confidence": 0.97, "camera": "front"}
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from drivers.readings import Garbage

MAX_LINE_BYTES = 4096
"""A read is some 100 bytes; a portal that adds fields of its own is still far below."""
MAX_TEXT_CHARS = 32
"""A container code has 11 characters, a plate 8."""
MAX_CAMERA_CHARS = 64

_TOO_LONG = f"longer than {MAX_LINE_BYTES} bytes without a line end"


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that a portal adds are passed over; one of ours that is missing or of another type is not."""

    what: Literal["plate", "trailer", "container", "seal"]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    camera: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CAMERA_CHARS)]


_decode = msgspec.json.Decoder(_Line).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """A read as the portal sent it, before it is stamped."""

    what: Literal["plate", "trailer", "container", "seal"]
    text: str
    confidence: float
    camera: str
    raw: bytes = field(default=b"", compare=False, repr=False)
    """The line, without its end."""


def encode(read: ReadLine) -> bytes:
    """As a portal would send it."""
    line = _Line(what=read.what, text=read.text, confidence=read.confidence, camera=read.camera)
    return msgspec.json.encode(line) + b"\n"


class Decoder:
    """Takes bytes as they come, gives words in order. Ask for words until None after each `receive`."""

    def __init__(self) -> None:
        self._rest = b""
        self._overlong = False
        self._words: deque[ReadLine | Garbage] = deque()

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._overlong:
                self._overlong = False
                self._drop(line, _TOO_LONG)
            else:
                self._read(line)
        if self._overlong or len(self._rest) > MAX_LINE_BYTES:
            self._overlong = True
            self._drop(self._rest, _TOO_LONG)
            self._rest = b""

    def next_word(self) -> ReadLine | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None

    def _read(self, line: bytes) -> None:
        line = line.strip(b"\r \t")
        if not line:
            return
        if len(line) > MAX_LINE_BYTES:
            self._drop(line, _TOO_LONG)
            return
        word = _object(line)
        # A line that lost its end has the next one behind it, which is whole.
        inner = line.rfind(b"{") if isinstance(word, Garbage) else 0
        if inner > 0 and isinstance(tail := _object(line[inner:]), ReadLine):
            self._words += (Garbage(line[:inner], "a read without its end"), tail)
        else:
            self._words.append(word)

    def _drop(self, raw: bytes, why: str) -> None:
        if raw:
            self._words.append(Garbage(raw, why))


def _object(line: bytes) -> ReadLine | Garbage:
    try:
        read = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        return Garbage(line, str(wrong))
    if not read.text.isprintable() or not read.camera.isprintable():
        return Garbage(line, "control characters in a text")
    return ReadLine(what=read.what, text=read.text, confidence=read.confidence, camera=read.camera, raw=line)
