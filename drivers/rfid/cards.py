"""Numbers of cards: bits on Wiegand's two wires, bytes of an ISO 14443 or EM4100 chip, and how people write them. Pure.

One chip has many numbers. A reader may send its bytes in either order; a card may bear the last three or four of them
in decimal, in one piece or as facility and number. Which it is stands in the site file: nothing here guesses.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from drivers.readings import Instant

NumberForm = Literal["hex", "8h10d", "6h8d", "wg3+5", "facility", "decimal"]
"""hex: all bytes. 8h10d: the last four bytes as ten decimal digits. 6h8d: the last three as eight. wg3+5: the last
three as 8 + 16 bits, three and five digits. facility: of Wiegand 37, 16 + 19 bits, five and six digits. decimal: all
bits, as many digits as the greatest number has."""
WiegandBits = Literal[26, 34, 37, 66]
Parity = Literal["even-odd", "odd-even"]

_LEAST_BITS: Final[dict[NumberForm, int]] = {
    "hex": 1, "8h10d": 32, "6h8d": 24, "wg3+5": 24, "facility": 35, "decimal": 1,
}  # fmt: skip
FACILITY_BITS: Final = 35
_CARD_BITS: Final = 19
CASCADE_TAG: Final = 0x88
"""ISO 14443-3: the first byte of the first half of a longer number, never of a number of four bytes."""
RANDOM: Final = 0x08
"""ISO 14443-3: a number of four bytes that begins so is drawn anew each time; telephones have such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRead:
    """A number as its reader sends it; the first bit sent is the highest."""

    value: int
    bits: int
    raw: bytes = field(default=b"", compare=False, repr=False)
    """The frame that said so, as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card was held to the reader."""

    number: str
    """In the form that the site file names."""
    at: Instant
    count: int = 1
    """Reads that this word stands for."""
    raw: bytes = field(default=b"", compare=False, repr=False)


class NoNumber(ValueError):
    """This card has no number in the form that is asked for."""


def fits(form: NumberForm, bits: int) -> bool:
    """Whether a number of so many bits can be written so."""
    return bits >= _LEAST_BITS[form] and (form != "facility" or bits == FACILITY_BITS)


def written(read: CardRead, form: NumberForm) -> str:
    """The number as it is to be written. Raises NoNumber where it has too few bits for that."""
    if not fits(form, read.bits):
        raise NoNumber(f"a number of {read.bits} bits cannot be written as {form}")
    match form:
        case "hex":
            return f"{read.value:0{(read.bits + 3) // 4}X}"
        case "8h10d":
            return f"{read.value & 0xFFFFFFFF:010d}"
        case "6h8d":
            return f"{read.value & 0xFFFFFF:08d}"
        case "wg3+5":
            return f"{read.value >> 16 & 0xFF:03d}{read.value & 0xFFFF:05d}"
        case "facility":
            return f"{read.value >> _CARD_BITS:05d}{read.value & (1 << _CARD_BITS) - 1:06d}"
        case _:
            return f"{read.value:0{len(str((1 << read.bits) - 1))}d}"


def turned(read: CardRead) -> CardRead:
    """Its bytes in the other order. Raises NoNumber where it is no whole number of bytes."""
    if read.bits % 8:
        raise NoNumber(f"{read.bits} bits have no bytes to turn round")
    size = read.bits // 8
    value = int.from_bytes(read.value.to_bytes(size, "big"), "little")
    return CardRead(value=value, bits=read.bits, raw=read.raw)


def wiegand(bits: str, parity: Parity = "even-odd", raw: bytes = b"") -> CardRead:
    """The number in a frame of 26, 34, 37 or 66 bits, `0` and `1` in the order of the wires. Raises NoNumber.

    The first bit is the parity of the first half of the number, the last bit that of the last half; of an odd number
    of bits the middle one belongs to both. `even-odd`: the first makes an even, the last an odd number of ones.
    """
    data = bits[1:-1]
    half = (len(data) + 1) // 2
    first = (bits[0] + data[:half]).count("1") % 2
    last = (data[-half:] + bits[-1]).count("1") % 2
    if (first, last) != ((0, 1) if parity == "even-odd" else (1, 0)):
        raise NoNumber("wrong parity: a bit was lost or the reader is set otherwise")
    return CardRead(value=int(data, 2), bits=len(data), raw=raw)


def doubt(read: CardRead) -> str:
    """Why an ISO 14443 chip's number of four bytes is none to know a card by; empty when it is one."""
    if read.bits != 32:
        return ""
    match read.value >> 24:
        case 0x88:
            return "half of a longer number: set the reader to seven bytes"
        case 0x08:
            return "a number drawn anew each time, as telephones have: no card"
        case _:
            return ""
