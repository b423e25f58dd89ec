"""What the dialects have in common whose frames are lines of text."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final

from drivers.weighbridge.frames import REMEMBERED, UNITS, Frame, Kind, Scanner, Shows, Word, ended_by, shown

UNIT = r"(?P<unit>[A-Za-z ]{2,3})"
KINDS: Final[dict[str, Kind]] = {
    "GS": "gross", "GR": "gross", "G": "gross", "NT": "net", "N": "net", "TR": "tare", "T": "tare", "PT": "tare",
}  # fmt: skip
OUT: Final[Mapping[str, Shows]] = {"OL": "overload", "LO": "overload", "UL": "underload", "ER": "error"}


def lined(starts: bytes, ends: bytes, longest: int, read: Callable[[bytes], Word | str]) -> Scanner:
    """Lines that begin with one of `starts` (a regular expression's class), end with one of `ends`, at most so long."""
    cached = lru_cache(maxsize=REMEMBERED)(read)
    return Scanner(re.compile(b"[" + starts + b"]"), ended_by(ends, longest), cached)


def text_of(raw: bytes) -> str:
    """The line without its ends; a byte above 7F stays one that no pattern knows."""
    return raw.strip(b"\r\n").decode("latin-1")


def framed(
    raw: bytes,
    number: str,
    unit: str,
    *,
    negative: bool = False,
    shows: Shows | None = None,
    stable: bool | None = None,
    kind: Kind | None = None,
    tare: Decimal | None = None,
    tare_on: bool | None = None,
    zero: bool | None = None,
    notes: tuple[str, ...] = (),
    pointless: bool = False,
) -> Frame | str:
    """`shows` given: whatever the field holds, it is not a number."""
    name = UNITS.get(unit.strip().lower())
    if name is None and unit.strip():
        return "no unit that is known"
    read = shown(number)
    if read is None and shows is None:
        return "characters that no display can show"
    found, digits, minus, decimals = read or ("blank", number, False, 0)
    return Frame(
        shows=shows or found,
        digits=digits,
        negative=negative or minus,
        decimals=decimals,
        unit=name,
        stable=stable,
        kind=kind,
        tare=tare,
        tare_on=kind == "net" if tare_on is None and kind is not None else tare_on,
        zero=zero,
        notes=notes,
        pointless=pointless,
        raw=raw,
    )
