"""Cardinal, Rice Lake, Weigh-Tronix; Rinstrum's format F is Rice Lake's without STX.

    Cardinal        sign six-digits [.] uu m cc CR              SB-400
    Rice Lake       STX polarity seven-characters u m s CR LF
    Weigh-Tronix    blank G/N polarity six-characters blank uu CR LF

A status or a unit that is not known is no frame. Sources: MANUAL.md.
"""

import re
from collections.abc import Mapping
from typing import Final

from drivers.weighbridge.dialects.line import KINDS, framed, lined, text_of
from drivers.weighbridge.frames import Scanner, Shows, Word

_CARDINAL = re.compile(
    r"(?P<sign>[ -])(?P<number>[ \d.]{6,7})(?P<unit>[A-Za-z/ ]{2})(?P<kind>[GN])(?P<status>OC|CZ|BZ|MO|ee|EE|  )"
)
_CARDINAL_OUT: Final[Mapping[str, Shows]] = {"OC": "overload", "BZ": "underload", "ee": "blank", "EE": "blank"}


def cardinal() -> Scanner:
    """SB-400, also called Scoreboard."""
    return lined(rb" \-\r\n", b"\r", 18, _cardinal)


def _cardinal(raw: bytes) -> Word | str:
    found = _CARDINAL.fullmatch(text_of(raw))
    if found is None:
        return "no SB-400 string"
    status = found["status"]
    return framed(
        raw,
        found["number"],
        found["unit"],
        negative=found["sign"] == "-",
        shows=_CARDINAL_OUT.get(status),
        stable=None if status in _CARDINAL_OUT else status != "MO",
        kind=KINDS[found["kind"]],
        zero=status == "CZ",
    )


_STREAM = re.compile(r"(?P<sign>[ -])(?P<number>[ \d.]{7})(?P<unit>[LKTGO ])(?P<kind>[GN])(?P<status>[ IMOZ])")
_STREAM_OUT: Final[Mapping[str, Shows]] = {"O": "overload", "I": "error"}


def rice_lake() -> Scanner:
    """STX polarity seven-characters unit G/N status CR LF."""
    return lined(rb"\x02\r\n", b"\r", 18, _rice_lake)


def _rice_lake(raw: bytes) -> Word | str:
    line = raw.lstrip(b"\r\n")
    return _stream(raw, line[1:]) if line[:1] == b"\x02" else "no STX"


def rinstrum_f() -> Scanner:
    """The same without STX."""
    return lined(rb" \-\r\n", b"\r", 18, lambda raw: _stream(raw, raw))


def _stream(raw: bytes, line: bytes) -> Word | str:
    found = _STREAM.fullmatch(text_of(line))
    if found is None:
        return "no stream string"
    status = found["status"]
    return framed(
        raw,
        found["number"],
        {"K": "kg", "T": "t", "L": "lb", "G": "g", "O": "oz", " ": ""}[found["unit"]],
        negative=found["sign"] == "-",
        shows=_STREAM_OUT.get(status),
        stable=None if status in _STREAM_OUT else status != "M",
        kind=KINDS[found["kind"]],
        zero=status == "Z" or None,
    )


_TRONIX = re.compile(r" (?P<kind>[GN])(?P<sign>[+-])(?P<number>[\d.]{6}) (?P<unit>[a-zA-Z ]{2})")


def weigh_tronix() -> Scanner:
    """Out of range, weight and legend are blank."""
    return lined(rb" \r\n", b"\r", 18, _tronix)


def _tronix(raw: bytes) -> Word | str:
    line = text_of(raw)
    if line[:10] == " " * 10 and len(line) == 12:
        return framed(raw, line[:10], line[10:])
    found = _TRONIX.fullmatch(line)
    if found is None:
        return "no Weigh-Tronix string"
    return framed(raw, found["number"], found["unit"], negative=found["sign"] == "-", kind=KINDS[found["kind"]])
