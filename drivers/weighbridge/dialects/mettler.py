"""Mettler Toledo: continuous output ("Toledo"), and MT-SICS.

Continuous:   STX  SWA SWB SWC  w1..w6  [t1..t6]  CR  [CHK]

    SWA  bits 0-2 where the point is, 3-4 increment 1, 2, 5, bit 5 one
    SWB  0 net, 1 negative, 2 out of range, 3 MOTION, 4 kg (else lb), 5 one, 6 zero not captured since power-up
    SWC  bits 0-2 unit where it is neither kg nor lb, 3 print asked, 4 expanded by ten, 5 one, 6 tare from the keyboard

Weight and tare are magnitudes; a dummy zero (point codes 0 and 1) is one of the six characters. CHK makes the low seven
bits of the sum of everything from STX on zero. Bit 7 is the parity of a port set to 7E1 and is taken off; where some
bytes have it, all must agree on one parity. Sources: MANUAL.md.

MT-SICS:      lines; the answer to `SI` begins with `S `:  `S S     100.00 g`, `S D` moving, `S +` over, `S -` under.
"""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from drivers.weighbridge.frames import (
    REMEMBERED,
    UNITS,
    Frame,
    Remark,
    Scanner,
    Shows,
    Unit,
    Word,
    amount,
    ended_by,
    fixed,
    shown,
)

_START: Final = re.compile(b"[\x02\x82]")
_SEVEN: Final = bytes(byte & 0x7F for byte in range(256))
_PARITY: Final = bytes(byte.bit_count() & 1 for byte in range(256))
_POINTS: Final = (0, 0, 0, 1, 2, 3, 4, 5)
_OTHER_UNITS: Final[dict[int, Unit]] = {1: "g", 2: "t", 3: "oz", 6: "ton"}
_NAMELESS: Final = {4: "troy ounces", 5: "pennyweights", 7: "a unit of its own"}
_NET, _NEGATIVE, _OUT, _MOTION, _KG = 0x01, 0x02, 0x04, 0x08, 0x10
_FIXED, _NO_ZERO = 0x20, 0x40
_PRINT, _EXPANDED, _KEYBOARD = 0x08, 0x10, 0x40


def continuous(*, tare: bool = True, checked: bool = True) -> Scanner:
    """Frames of 18, 17, 12 or 11 bytes: with or without the tare, with or without the check byte."""
    read = _CHECKED if checked else _UNCHECKED
    return Scanner(_START, fixed((17 if tare else 11) + checked), read)


@lru_cache(maxsize=REMEMBERED)
def _checked(raw: bytes) -> Frame | str:
    if sum(raw) & 0x7F:
        return f"the check byte should be {-sum(raw[:-1]) & 0x7F:02X}"
    return _frame(raw, raw[:-1])


@lru_cache(maxsize=REMEMBERED)
def _unchecked(raw: bytes) -> Frame | str:
    return _frame(raw, raw)


_CHECKED, _UNCHECKED = _checked, _unchecked


def _frame(raw: bytes, body: bytes) -> Frame | str:
    """`body` is everything up to and with CR."""
    if max(raw) > 0x7F and len(set(raw.translate(_PARITY))) > 1 and min(raw) < 0x80:
        return "bit 7 is the parity of some bytes and not of others"
    body = body.translate(_SEVEN)
    if body[-1:] != b"\r":
        return "no CR where it must stand"
    a, b, c = body[1:4]
    if not b & _FIXED or not c & _FIXED or a & 0x60 == 0:
        return "bit 5 of the status bytes is not set"
    weight, tare = body[4:10].decode("ascii"), body[10:-1].decode("ascii")
    read = shown(weight)
    if read is None or weight.strip(" 0123456789-"):
        return "the weight is neither digits nor blanks nor dashes"
    owed = amount(tare) if tare else None
    if tare.strip() and owed is None:
        return "the tare is no number"
    return _status(raw, read[0], weight, a, b, c, owed)


def _status(raw: bytes, shows: Shows, weight: str, a: int, b: int, c: int, tare: Decimal | None) -> Frame:
    decimals = _POINTS[a & 7]
    negative, net = bool(b & _NEGATIVE), bool(b & _NET)
    if b & _OUT:
        shows = "underload" if negative else "overload"
    unit: Unit | None = _OTHER_UNITS.get(c & 7) if c & 7 else "kg" if b & _KG else "lb"
    notes = [word for bit, word in ((_PRINT, "print asked"), (_EXPANDED, "expanded by ten")) if c & bit]
    notes += ["zero not captured since power-up"] if b & _NO_ZERO else []
    notes += ["tare from the keyboard"] if c & _KEYBOARD else []
    notes += [f"counts in {_NAMELESS[c & 7]}"] if c & 7 in _NAMELESS else []
    scaled = None if tare is None else tare.scaleb(-decimals)
    return Frame(
        shows=shows,
        digits=weight.strip() if shows == "number" else weight,
        negative=negative,
        decimals=decimals,
        unit=unit,
        stable=not b & _MOTION,
        kind="net" if net else "gross",
        tare=scaled,
        tare_on=net or bool(scaled),
        increment=(None, 1, 2, 5)[a >> 3 & 3],
        notes=tuple(notes),
        raw=raw,
    )


# MT-SICS

_LINE = re.compile(
    r"(?P<weight>S[IR]{0,2} (?P<stable>[SD]) (?P<number>[ \d.+-]{10}) (?P<unit>[a-zA-Z]{1,3}) ?)"
    r"|(?P<plain>S[IR]{0,2} [-+IL])"
    r"|(?P<error>E[STL])"
    r'|(?P<serial>(?:I4|@) A "(?P<number_of>[^"]*)")'
    r"|(?P<about>I[0-3] [AB] .*)"
    r"|(?P<tare>TA A (?P<owed>[ \d.+-]{1,10}) (?P<of>[a-zA-Z]{1,3}) ?)"
    r"|(?P<done>(?:ZI?|TI?|TAC|SIR?|SR?|@|I4) [ASD])"
    r"|(?P<undone>(?:ZI?|TI?|TAC?|SR|I\d|@) [-+IL])"
    r"|(?P<asked>(?:SI?R?|I[0-4]|TA))"
)
_OUTS: Final[dict[str, Shows]] = {"+": "overload", "-": "underload", "I": "error", "L": "error"}
_REFUSALS: Final = {"ES": "not understood", "ET": "transmission error", "EL": "cannot be carried out"}
_LONGEST_LINE: Final = 64


def sics() -> Scanner:
    """Lines that answer S, SI, SIR, SR, I0 to I4, TA, and those of commands that others have sent."""
    return Scanner(re.compile(b"[SZTIE@\r\n]"), ended_by(b"\n", _LONGEST_LINE), _SICS)


@lru_cache(maxsize=REMEMBERED)
def _sics(raw: bytes) -> Word | str:
    if raw[-2:] != b"\r\n":
        return "the line does not end with CR LF"
    line = raw.strip(b"\r\n").decode("latin-1")
    found = _LINE.fullmatch(line)
    if found is None:
        return "no MT-SICS answer"
    part = found.groupdict()
    if part["weight"]:
        return _weight(raw, part["number"], part["unit"], stable=part["stable"] == "S")
    if part["plain"]:
        return Frame(shows=_OUTS[line[-1]], digits=line, raw=raw)
    if part["error"]:
        return Remark(what="refused", text=f"{line}: {_REFUSALS[line]}", raw=raw)
    if part["serial"]:
        return Remark(what="serial", text=part["number_of"], raw=raw)
    if part["tare"]:
        return _weight(raw, part["owed"], part["of"], stable=None)
    what = "acknowledged" if part["done"] else "refused" if part["undone"] else "request" if part["asked"] else "about"
    return Remark(what=what, text=line, raw=raw)


_SICS = _sics


def _weight(raw: bytes, number: str, unit: str, *, stable: bool | None) -> Frame | str:
    name, field = UNITS.get(unit.lower()), shown(number)
    if name is None or field is None:
        return "no unit that is known" if name is None else "no number"
    shows, digits, negative, decimals = field
    kind = "tare" if stable is None else None
    return Frame(
        shows=shows, digits=digits, negative=negative, decimals=decimals, unit=name, stable=stable, kind=kind, raw=raw
    )
