"""Container numbers by ISO 6346: is this eleven-character reading one, and does its check digit agree?

Owner (three letters), category (U freight container, J equipment, Z trailer or chassis), six digits, check digit.
Letter values run from A = 10 and leave out 11, 22 and 33; each character counts times 2^position; the sum modulo 11 is
the check digit, 10 written as 0. A remainder of 10 should not be issued, but is (ten in validator.js' list of real
boxes): accepted and told. The check digit is no proof: compare with the manifest. Public tables; the text of the
standard was not at hand.
"""

import re
from dataclasses import dataclass

CATEGORIES = {"U": "freight container", "J": "detachable equipment", "Z": "trailer or chassis"}

_SHAPE = re.compile(r"([A-Z]{3})([UJZ])([0-9]{6})([0-9])")
_SEPARATORS = re.compile(r"[ \t./_-]")


def _letter_values() -> dict[str, int]:
    values = [value for value in range(10, 39) if value % 11]
    return dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", values, strict=True))


_VALUES = {**{str(n): n for n in range(10)}, **_letter_values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerCode:
    """A number of the right shape. `agrees` tells whether the check digit is the one that belongs to it."""

    owner: str
    category: str
    serial: str
    check_digit: int
    """As read."""
    remainder: int
    """0 to 10, computed."""

    @property
    def agrees(self) -> bool:
        """The digit read is the digit due."""
        return self.check_digit == self.remainder % 10

    @property
    def unusual(self) -> bool:
        """Remainder 10: the owner should not have issued it, and the check digit is weaker than for others."""
        return self.remainder == 10

    def __str__(self) -> str:
        return f"{self.owner}{self.category}{self.serial}{self.check_digit}"


def normalise(text: str) -> str:
    """Upper case, without the spaces and dashes that are painted between the parts. Other characters stay."""
    return _SEPARATORS.sub("", text).upper() if text.isascii() else text


def remainder(prefix: str) -> int:
    """Of the ten characters before the check digit, 0 to 10. Raises ValueError when it is not ten of A-Z, 0-9."""
    if len(prefix) != 10 or not set(prefix) <= _VALUES.keys():
        raise ValueError(f"{prefix!r} is not ten of A-Z and 0-9")
    return sum(_VALUES[each] << position for position, each in enumerate(prefix)) % 11


def read(text: str) -> ContainerCode | None:
    """The number in this text, agreeing or not; None where the shape is not that of one (ASCII only)."""
    shape = _SHAPE.fullmatch(normalise(text))
    if shape is None:
        return None
    owner, category, serial, digit = shape.groups()
    return ContainerCode(
        owner=owner,
        category=category,
        serial=serial,
        check_digit=int(digit),
        remainder=remainder(owner + category + serial),
    )


def valid(text: str) -> bool:
    """Right shape and right check digit."""
    code = read(text)
    return code is not None and code.agrees
