"""Serial card readers, bytes -> numbers. Pure. Readers only speak; nothing is ever sent to them.

    card-stx        STX, hex digits of the bytes, two hex digits: all bytes XORed, [CR] [LF], ETX
    card-binary     STX, length of the whole frame, kind of card, the bytes, XOR of length, kind and bytes, ETX
    card-lines      a line a card: hex digits, with or without a check byte, or decimal digits as cards bear them
    wiegand-lines   a line a card: the bits of a Wiegand frame as 0 and 1, parity included, from a converter

Sources: MANUAL.md.
"""

import re
from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

from drivers.readings import Garbage
from drivers.rfid.cards import CardRead, NoNumber, NumberForm, Parity, WiegandBits, doubt, turned, wiegand, written

CardDialect = Literal["card-stx", "card-binary", "card-lines", "wiegand-lines"]
Check = Literal["none", "xor", "sum"]
Printed = Literal["hex", "decimal", "3+5"]
STX, ETX = 0x02, 0x03
SIZES: Final = (3, 4, 5, 6, 7, 8, 10)
"""Bytes that a number may have: Wiegand 26, ISO 14443 (4, 7, 10), EM4100 (5), HID (6), ISO 15693 (8)."""
MAX_LINE: Final = 80
MAX_FRAME: Final = 64
_HEX = re.compile(rb"[0-9A-Fa-f]+")
_THREE_FIVE = re.compile(rb"(\d{3})[,:. -]?(\d{5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a reader is set, and how its numbers are to be written."""

    dialect: CardDialect
    check: Check = "none"
    printed: Printed = "hex"
    wiegand: WiegandBits | None = None
    parity: Parity = "even-odd"
    turned: bool = False
    number: NumberForm = "hex"
    iso14443: bool = False


class Decoder:
    """One reader's stream. Ask for words until None after each `receive`."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._pending = bytearray()
        self._overlong = False
        self._words: deque[CardRead | Garbage] = deque()
        self._scan = {
            "card-stx": self._stx, "card-binary": self._binary, "card-lines": self._lines, "wiegand-lines": self._lines,
        }[setting.dialect]  # fmt: skip

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        self._pending += data
        self._scan()

    def end(self) -> None:
        """The line is quiet: what stands unfinished will not be finished."""
        if self._pending:
            self._garbage(bytes(self._pending), "an unfinished frame")
            self._pending.clear()

    def next_word(self) -> CardRead | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None

    def _garbage(self, raw: bytes, why: str) -> None:
        self._words.append(Garbage(raw, why))

    def _noise_before(self, start: int) -> None:
        if start:
            self._garbage(bytes(self._pending[:start]), "no frame of a card reader")
            del self._pending[:start]

    def _stx(self) -> None:
        while self._pending:
            start = self._pending.find(STX)
            self._noise_before(len(self._pending) if start < 0 else start)
            if not self._pending:
                return
            end, again = self._pending.find(ETX, 1), self._pending.find(STX, 1)
            if again > 0 and (again < end or end < 0):
                self._noise_before(again)
                continue
            if end < 0:
                if len(self._pending) > MAX_FRAME:
                    self._noise_before(len(self._pending))
                return
            frame = bytes(self._pending[: end + 1])
            del self._pending[: end + 1]
            self._words.append(self._hex(frame, frame[1:-1].strip(b"\r\n"), "xor"))

    def _binary(self) -> None:
        pending = self._pending
        while pending:
            start = pending.find(STX)
            self._noise_before(len(pending) if start < 0 else start)
            if len(pending) < 2:
                return
            size = pending[1]
            if size - 5 not in SIZES:
                self._noise_before(1)
                continue
            if len(pending) < size:
                return
            frame = bytes(pending[:size])
            if frame[-1] != ETX or _xor(frame[1:-1]):
                self._noise_before(1)
                continue
            del pending[:size]
            self._words.append(self._number(CardRead(value=_int(frame[3:-2]), bits=8 * (size - 5), raw=frame)))

    def _lines(self) -> None:
        *lines, rest = bytes(self._pending).replace(b"\r", b"\n").split(b"\n")
        self._pending = bytearray(rest)
        for line in lines:
            text = line.strip(b" \t\x00\x02\x03")
            if self._overlong:
                self._garbage(line, "no line of a card reader")
            elif text:
                self._words.append(self._line(line, text))
            self._overlong = False
        if len(self._pending) > MAX_LINE:
            self._garbage(bytes(self._pending), "no line of a card reader")
            self._pending.clear()
            self._overlong = True

    def _line(self, raw: bytes, text: bytes) -> CardRead | Garbage:
        setting = self._setting
        if setting.dialect == "wiegand-lines":
            if len(text) != setting.wiegand or text.strip(b"01"):
                return Garbage(raw, f"not {setting.wiegand} bits")
            try:
                return self._number(wiegand(text.decode("ascii"), setting.parity, raw))
            except NoNumber as none:
                return Garbage(raw, str(none))
        if setting.printed == "hex":
            return self._hex(raw, text, setting.check)
        if setting.printed == "3+5":
            parts = _THREE_FIVE.fullmatch(text)
            if parts is None or int(parts[1]) > 0xFF or int(parts[2]) > 0xFFFF:
                return Garbage(raw, "no three and five digits of 8 and 16 bits")
            return self._number(CardRead(value=int(parts[1]) << 16 | int(parts[2]), bits=24, raw=raw))
        if not text.isdigit() or len(text) not in (8, 10) or int(text) >> (24 if len(text) == 8 else 32):
            return Garbage(raw, "no eight digits of 24 bits, nor ten of 32")
        return self._number(CardRead(value=int(text), bits=24 if len(text) == 8 else 32, raw=raw))

    def _hex(self, raw: bytes, text: bytes, check: Check) -> CardRead | Garbage:
        if not _HEX.fullmatch(text) or len(text) % 2:
            return Garbage(raw, "no hexadecimal digits in pairs")
        data = bytes.fromhex(text.decode("ascii"))
        if check != "none":
            data, told = data[:-1], data[-1]
            if told != (_xor(data) if check == "xor" else sum(data) & 0xFF):
                return Garbage(raw, "the check byte is wrong")
        if len(data) not in SIZES:
            return Garbage(raw, f"a number of {len(data)} bytes")
        return self._number(CardRead(value=_int(data), bits=8 * len(data), raw=raw))

    def _number(self, read: CardRead) -> CardRead | Garbage:
        """In the order that the site file names; what cannot be written as it asks is garbage."""
        try:
            read = turned(read) if self._setting.turned else read
            written(read, self._setting.number)
        except NoNumber as none:
            return Garbage(read.raw, str(none))
        why = doubt(read) if self._setting.iso14443 else ""
        return Garbage(read.raw, why) if why else read


def _xor(data: bytes) -> int:
    found = 0
    for byte in data:
        found ^= byte
    return found


def _int(data: bytes) -> int:
    return int.from_bytes(data, "big")
