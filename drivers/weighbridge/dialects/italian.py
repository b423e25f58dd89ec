"""Dini Argeo and Bilanciai.

    Dini Argeo   [CC]HH,KK,PPPPPPPP,UM     standard;  B,hh,net,YYtare,0,0,uu  REXT;  SS,B,grossUM,YYtareUM  AF
    Bilanciai    $ net(9) tare(9) uu s1 s2 s3 s4 CR LF  extended;  $ s five-digits CR  Cb

A header, a status or a unit that is not known is no frame. Sources: MANUAL.md.
"""

import re
from decimal import Decimal
from typing import Final

from drivers.weighbridge.dialects.line import KINDS, OUT, UNIT, framed, lined, text_of
from drivers.weighbridge.frames import Frame, Kind, Remark, Scanner, Shows, Word, amount

# Dini Argeo

_CODE = r"(?P<code>\d\d)?"
_STANDARD = re.compile(_CODE + r"(?P<head>ST|US|OL|UL|ER),(?P<kind>GS|NT),(?P<number>[ \d.,+-]{8,10}), ?" + UNIT)
_REXT = re.compile(
    _CODE + r"(?P<scale>\d),(?P<head>ST|US|OL|UL|ER),(?P<number>[ \d.+-]{10}),(?P<preset>PT|  )(?P<tare>[ \d.+-]{10}),"
    r"[ \d.+-]{10},[ \d.+-]{10}," + UNIT
)
_AF = re.compile(
    _CODE + r"(?P<head>ST|US|OL|UL|ER),(?P<scale>\d),(?P<number>[ \d.+-]{10})" + UNIT + r","
    r"(?P<preset>PT|  )(?P<tare>[ \d.+-]{10})[A-Za-z ]{2,3}"
)
_DINI_SAYS: Final = {
    "ERR01": "format wrong", "ERR02": "parameter wrong", "ERR03": "not allowed now", "ERR04": "command not known",
}  # fmt: skip


def dini() -> Scanner:
    """The standard and AF strings, and the answers to READ, REXT, SN and VER."""
    return lined(rb"\dSUOEVN\r\n", b"\r", 72, _dini)


def _dini(raw: bytes) -> Word | str:
    line = text_of(raw)
    bare = line[2:] if line[:2].isdigit() else line
    if bare[:3] == "ERR":
        return Remark(what="refused", text=f"{bare}: {_DINI_SAYS.get(bare, 'refused')}", raw=raw)
    if bare == "OK":
        return Remark(what="acknowledged", text=bare, raw=raw)
    if bare[:2] == "SN" and bare[2:].strip(" ,").isalnum():
        return Remark(what="serial", text=bare[2:].strip(" ,"), raw=raw)
    if bare[:4] == "VER,":
        return Remark(what="about", text=bare, raw=raw)
    if found := _STANDARD.fullmatch(line):
        return _headed_dini(raw, found, KINDS[found["kind"]], None)
    if found := _REXT.fullmatch(line):
        return _headed_dini(raw, found, "net", amount(found["tare"]))
    if found := _AF.fullmatch(line):
        return _headed_dini(raw, found, "gross", amount(found["tare"]))
    return "no string of the format"


def _headed_dini(raw: bytes, found: re.Match[str], kind: Kind, tare: Decimal | None) -> Frame | str:
    """REXT gives the net weight beside its tare: what is shown without a tare is gross."""
    head = found["head"]
    return framed(
        raw,
        found["number"],
        found["unit"],
        shows=OUT.get(head),
        stable=None if head in OUT else head == "ST",
        kind="gross" if kind == "net" and tare == 0 else kind,
        tare=tare,
        tare_on=None if tare is None and kind == "gross" else tare is None or bool(tare),
        notes=("preset tare",) if found.groupdict().get("preset") == "PT" else (),
    )


# Bilanciai

_EXTENDED = re.compile(
    r"\$(?P<number>[ \d.,+-]{9}) (?P<tare>[ \d.,+-]{9}) (?P<unit>[A-Za-z ]{2}) (?P<status>[\dA-Fa-f]{4})"
)
_CB = re.compile(r"\$(?P<status>[013])(?P<number>[ \d]{5})")


def bilanciai() -> Scanner:
    """The extended string: net, tare, unit and sixteen bits of status."""
    return lined(rb"$", b"\n", 34, _bilanciai)


def _bilanciai(raw: bytes) -> Word | str:
    found = _EXTENDED.fullmatch(text_of(raw))
    if found is None or raw[-2:] != b"\r\n":
        return "no extended string"
    s1, s2, s3, s4 = (int(char, 16) for char in found["status"])
    tare = amount(found["tare"])
    on = bool(tare) or bool(s3 & 1) or bool(s1 & 2)
    bad = "error" if s4 & 6 else "overload" if s2 & 4 else None
    if bad is None and s3 & 4:
        bad = "underload" if "-" in found["number"] else "error"
    said = ((s1 & 1, "below the least weight"), (s1 & 4, "preset tare"), (s4 & 2, "converter failed"))
    return framed(
        raw,
        found["number"],
        found["unit"],
        shows=bad,
        stable=bool(s2 & 2),
        kind="net" if on else "gross",
        tare=tare,
        tare_on=on,
        zero=bool(s1 & 8),
        notes=tuple(word for bit, word in said if bit),
    )


def bilanciai_cb() -> Scanner:
    """Five digits of the net weight; 3 is an invalid one, negative or overload."""
    return lined(rb"$", b"\r", 10, _bilanciai_cb)


def _bilanciai_cb(raw: bytes) -> Word | str:
    found = _CB.fullmatch(raw[:-1].decode("latin-1"))
    if found is None:
        return "no Cb string"
    bad: Shows | None = "error" if found["status"] == "3" else None
    return framed(raw, found["number"], "", shows=bad, stable=found["status"] == "0", pointless=True)
