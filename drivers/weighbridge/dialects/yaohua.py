"""Yaohua XK3190 and its relatives.

Continuous (A9, A9+, DS and many more, tF = 0):    02  sign  d1..d6  decimals  X1 X2  03
Asked (tF = 1):                                    02  address  letter  [sign  d1..d6  decimals]  X1 X2  03
`=` formats (A23p, A26, no check at all):          =  sign-or-0  seven characters, forward or from the last to the first
A12E:   WG or WN, seven characters, kg, X1 X2, CR LF        A12:   wn, ww or wt, seven characters, unit

sign is `+` or `-`; digits, most significant first, are what the display shows; decimals counts from the right; X1 X2
are the XOR of everything between start and them, as two upper-case hex digits. Sources: MANUAL.md.
"""

import re
from functools import lru_cache
from typing import Final

from drivers.weighbridge.frames import (
    REMEMBERED,
    UNITS,
    Frame,
    Kind,
    Remark,
    Scanner,
    Shows,
    Word,
    fixed,
    shown,
)

_SIGNS: Final = {0x2B: False, 0x2D: True}
_BLANK, _DASHES = b" " * 6, b"-" * 6
_MOST_DECIMALS: Final = 4
_START: Final = re.compile(b"\x02")


def _xor(body: bytes) -> int:
    check = 0
    for byte in body:
        check ^= byte
    return check


def _checks(body: bytes, digits: bytes) -> str:
    """What the check digits should have been; empty when they are right."""
    due = b"%02X" % _xor(body)
    return "" if digits == due else due.decode("ascii")


def a9() -> Scanner:
    """The continuous frame of twelve bytes."""
    return Scanner(_START, fixed(12), _a9)


@lru_cache(maxsize=REMEMBERED)
def _a9(raw: bytes) -> Frame | str:
    if raw[1] not in _SIGNS:
        return "byte 2 is neither + nor -"
    if raw[-1] != 0x03:
        return "byte 12 is not the end mark 03"
    if due := _checks(raw[1:9], raw[9:11]):
        return f"XOR should be {due}"
    return _places(raw[1], raw[2:8], raw[8], None, raw)


def _places(sign: int, digits: bytes, decimals: int, kind: Kind | None, raw: bytes) -> Frame | str:
    """Sign, six places, decimals: what the A9 shows."""
    if not digits.isdigit() and digits not in (_BLANK, _DASHES):
        return "bytes 3 to 8 are neither digits nor blanks nor dashes"
    shows: Shows = "blank" if digits == _BLANK else "dashes" if digits == _DASHES else "number"
    places = decimals - 0x30
    return Frame(
        shows=shows,
        digits=digits.decode("ascii"),
        negative=_SIGNS[sign],
        decimals=places if 0 <= places <= _MOST_DECIMALS else None,
        kind=kind,
        raw=raw,
    )


# the indicator that is asked

_KINDS: Final[dict[int, Kind]] = {0x42: "gross", 0x43: "tare", 0x44: "net"}
_ASKED_BYTES, _ANSWER_BYTES = 6, 14


def a9_command() -> Scanner:
    """Answers of an indicator that is asked, and requests, which look like the answer to a handshake."""
    return Scanner(_START, _asked_extent, _asked)


def _asked_extent(held: bytearray, start: int, ended: bool) -> int:  # noqa: ARG001, FBT001 - as Extent
    there = len(held) - start
    if there < _ASKED_BYTES:
        return 0
    size = _ASKED_BYTES if held[start + 5] == 0x03 else _ANSWER_BYTES
    return size if there >= size else 0


@lru_cache(maxsize=REMEMBERED)
def _asked(raw: bytes) -> Word | str:
    if raw[-1] != 0x03:
        return "the last byte is not the end mark 03"
    if due := _checks(raw[1:-3], raw[-3:-1]):
        return f"XOR should be {due}"
    if not raw[1:3].isalpha() or not raw[1:3].isupper():
        return "bytes 2 and 3 are not an address and a command"
    told = f"address {chr(raw[1])}, command {chr(raw[2])}"
    if len(raw) == _ASKED_BYTES:
        return Remark(what="request", text=told, raw=raw)
    kind = _KINDS.get(raw[2])
    if kind is None:
        return Remark(what="about", text=f"{told}: {raw[3:-3].decode('ascii', 'replace')}", raw=raw)
    if raw[3] not in _SIGNS:
        return "byte 4 is neither + nor -"
    return _places(raw[3], raw[4:10], raw[10], kind, raw)


def ask_gross(address: str) -> bytes:
    """The request for the gross weight; nothing changes in the indicator."""
    body = address.encode("ascii") + b"B"
    return b"\x02" + body + b"%02X" % _xor(body) + b"\x03"


# `=` formats

_EQUALS_BYTES = 9


def _equals_extent(held: bytearray, start: int, ended: bool) -> int:  # noqa: FBT001 - as Extent
    """Nothing but the next `=` tells that no byte was lost or added on the way."""
    there = len(held) - start
    if there > _EQUALS_BYTES:
        return _EQUALS_BYTES if held[start + _EQUALS_BYTES] in b"=\r\n" else -1
    return _EQUALS_BYTES if ended and there == _EQUALS_BYTES else 0


def equals_forward() -> Scanner:
    """`=0003.000`, `=-0001.00`."""
    return Scanner(re.compile(b"="), _equals_extent, lambda raw: _equals(raw, raw[1:]), alike=False)


def equals_reversed() -> Scanner:
    """`=000.3000` is 3.000, `=00.1000-` is -1.00."""
    return Scanner(re.compile(b"="), _equals_extent, lambda raw: _equals(raw, raw[:0:-1]), alike=False)


@lru_cache(maxsize=REMEMBERED)
def _equals(raw: bytes, forward: bytes) -> Frame | str:
    sign, field = forward[:1], forward[1:].decode("ascii", "replace")
    if field.strip() and (sign not in b"0- " or not sign):
        return "the sign is neither 0 nor -"
    read = shown(field)
    if read is None or field.strip(" 0123456789.-"):
        return "seven characters that no display can show"
    shows, digits, _, decimals = read
    return Frame(
        shows=shows,
        digits=digits,
        negative=sign == b"-" and shows == "number",
        decimals=decimals,
        pointless="." not in field,
        raw=raw,
    )


# A12E, A12

_A12E_BYTES = 15
_A12E_KINDS: Final[dict[bytes, Kind]] = {b"WG": "gross", b"WN": "net"}
_OUT: Final[dict[bytes, Shows]] = {b"OL": "overload", b"LO": "underload"}


def a12e() -> Scanner:
    """Fifteen bytes with an XOR; `OL` and `LO` behind nine blanks when it is out of range."""
    return Scanner(re.compile(b"[W ]"), fixed(_A12E_BYTES), _a12e)


@lru_cache(maxsize=REMEMBERED)
def _a12e(raw: bytes) -> Frame | str:
    if raw[-2:] != b"\r\n":
        return "bytes 14 and 15 are not CR LF"
    if due := _checks(raw[:11], raw[11:13]):
        return f"XOR should be {due}"
    if raw[:9] == b" " * 9:
        out = _OUT.get(raw[9:11])
        return Frame(shows=out, digits=raw[9:11].decode("ascii"), raw=raw) if out else "neither OL nor LO"
    kind = _A12E_KINDS.get(raw[:2])
    if kind is None:
        return "neither WG nor WN"
    return _field(raw, raw[2:9], raw[9:11], kind)


_A12_BYTES = 11
_A12_KINDS: Final[dict[bytes, Kind | None]] = {b"wn": "net", b"wt": "tare", b"ww": "gross"}


def a12() -> Scanner:
    """Eleven bytes without any check; line ends before them, when there are any, belong to them."""
    return Scanner(re.compile(b"[w\r\n]"), _a12_extent, _a12)


def _a12_extent(held: bytearray, start: int, ended: bool) -> int:  # noqa: ARG001, FBT001 - as Extent
    begins = start
    while begins < len(held) and held[begins] in b"\r\n" and begins - start < 2:
        begins += 1
    size = begins - start + _A12_BYTES
    return size if len(held) - start >= size else 0


@lru_cache(maxsize=REMEMBERED)
def _a12(raw: bytes) -> Frame | str:
    line = raw.lstrip(b"\r\n")
    if len(line) != _A12_BYTES or line[:2] not in _A12_KINDS:
        return "neither wn nor ww nor wt"
    return _field(raw, line[2:9], line[9:11], _A12_KINDS[line[:2]])


def _field(raw: bytes, number: bytes, unit: bytes, kind: Kind | None) -> Frame | str:
    """A display field with its point, and a unit."""
    name = UNITS.get(unit.decode("ascii", "replace").strip().lower())
    field = shown(number.decode("ascii", "replace"))
    if name is None or field is None:
        return "no unit that is known" if name is None else "characters that no display can show"
    shows, digits, negative, decimals = field
    return Frame(shows=shows, digits=digits, negative=negative, decimals=decimals, unit=name, kind=kind, raw=raw)
