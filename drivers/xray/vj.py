"""The generator of a source as VJ Technologies' speak (RS-232, 9600 8N1): STX, text, CR both ways. Pure.

Only questions are here. There is no word in this module, or anywhere in Quaygate, that switches a beam on, sets its
voltage or current, clears its faults, or touches its watchdog: that is the operator's, at the scanner, with the key.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from drivers.readings import Garbage

STX, CR = b"\x02", b"\r"
MAX_FRAME: Final = 64
"""The longest answer, of MON, is 21 bytes."""


class Question(StrEnum):
    """All that is ever sent."""

    FAULTS = "FLT"
    MONITOR = "MON"
    BEAM = "STAT"
    WARMING = "PSTAT"

    @property
    def wire(self) -> bytes:
        """With its marks."""
        return STX + self.value.encode("ascii") + CR


class Fault(StrEnum):
    """The nine digits of FLT, in their order. Any one switches the beam off until it is cleared by hand."""

    REGULATION = "regulation"
    INTERLOCK = "interlock"
    CATHODE = "cathode"
    """Cathode over-voltage."""
    ANODE = "anode"
    TEMPERATURE = "temperature"
    ARC = "arc"
    CURRENT = "current"
    POWER = "power"
    VOLTAGE = "voltage"


@dataclass(frozen=True, slots=True)
class Monitor:
    """The answer to MON."""

    kv: float
    ua: float
    celsius: float


class Decoder:
    """Bytes to the texts between STX and CR."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._words: deque[str | Garbage] = deque()

    def receive(self, data: bytes) -> None:
        """Bytes in the order of the wire."""
        for byte in data:
            if byte == STX[0]:
                self._drop("a frame without an end")
                self._pending.append(byte)
            elif byte == CR[0]:
                self._end()
            else:
                self._pending.append(byte)
                if len(self._pending) > MAX_FRAME:
                    self._drop(f"longer than {MAX_FRAME} bytes without an end")

    def next_word(self) -> str | Garbage | None:
        """The oldest answer, or bytes that are none."""
        return self._words.popleft() if self._words else None

    def _end(self) -> None:
        frame = bytes(self._pending)
        if frame[:1] != STX:
            self._pending += CR
            self._drop("an end without a beginning")
            return
        self._pending.clear()
        try:
            self._words.append(frame[1:].decode("ascii"))
        except UnicodeDecodeError:
            self._words.append(Garbage(frame + CR, "no ASCII"))

    def _drop(self, why: str) -> None:
        if self._pending:
            self._words.append(Garbage(bytes(self._pending), why))
            self._pending.clear()


def read_faults(text: str) -> frozenset[Fault] | Garbage:
    """The answer to FLT."""
    digits = text.split()
    if len(digits) != len(Fault) or not set(digits) <= {"0", "1"}:
        return _garbage(text, "no nine digits of 0 and 1")
    return frozenset(fault for fault, digit in zip(Fault, digits, strict=True) if digit == "1")


def read_monitor(text: str) -> Monitor | Garbage:
    """The answer to MON."""
    parts = text.split()
    if len(parts) != 3 or not all(part.replace(".", "", 1).isdecimal() and part.isascii() for part in parts):
        return _garbage(text, "no three numbers: kV, uA, degrees")
    return Monitor(*(float(part) for part in parts))


def read_flag(text: str) -> bool | Garbage:
    """The answer to STAT and PSTAT."""
    return text == "1" if text in ("0", "1") else _garbage(text, "neither 0 nor 1")


def _garbage(text: str, why: str) -> Garbage:
    return Garbage(text.encode("ascii", "replace"), why)
