"""Dialects that are lines of text: A&D and the `ST,GS,` family, SMA, Dini Argeo, Bilanciai, Cardinal, Rice Lake,
Weigh-Tronix, General Measure.

    A&D             ST,NT,+0012.34kg CR [LF]              headers, sign and seven characters, unit of two or three
    ST,GS family    ST,GS,   12345,kg CR LF               the same by commas: widths differ from maker to maker
    SMA             LF s r n m f ten-characters uuu CR
    Dini Argeo      [CC]HH,KK,PPPPPPPP,UM                 standard;  B,hh,net,YYtare,0,0,uu REXT;  SS,B,grossUM,YYtareUM
    Bilanciai       $ net(9) tare(9) uu s1 s2 s3 s4 CR LF extended;  $ s five-digits CR  Cb
    Cardinal        sign six-digits [.] uu m cc CR        SB-400
    Rice Lake       [STX] polarity seven u m s CR LF      also Rinstrum format F, without STX
    Weigh-Tronix    blank G/N polarity six blank uu CR LF
    General Measure STX 01 1 [RWT] 40 status six sum CR LF, the sum of all bytes modulo 100 in decimal

A header, a status or a unit that is not known is no frame. Sources: MANUAL.md.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
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
    amount,
    ended_by,
    shown,
)

_UNIT = r"(?P<unit>[A-Za-z ]{2,3})"
_KINDS: Final[dict[str, Kind]] = {
    "GS": "gross", "GR": "gross", "G": "gross", "NT": "net", "N": "net", "TR": "tare", "T": "tare", "PT": "tare",
}  # fmt: skip
_OUT: Final[Mapping[str, Shows]] = {"OL": "overload", "LO": "overload", "UL": "underload", "ER": "error"}


def _lines(starts: bytes, ends: bytes, longest: int, read: Callable[[bytes], Word | str]) -> Scanner:
    cached = lru_cache(maxsize=REMEMBERED)(read)
    return Scanner(re.compile(b"[" + starts + b"]"), ended_by(ends, longest), cached)


def _text(raw: bytes) -> str:
    """The line without its ends; a byte above 7F stays one that no pattern knows."""
    return raw.strip(b"\r\n").decode("latin-1")


def _frame(
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


# A&D and its relatives

_AAND = re.compile(
    r"(?:@\d\d)?(?P<head>ST|US|OL|LO|HD),(?P<kind>GS|NT|TR|PT|[GNT] ),(?P<sign>[+-])(?P<number>[ \d.,]{7})" + _UNIT
)
_RELATIVE = re.compile(
    r"(?P<head>ST|US|OL|UL|LO|ER)[ ,] *(?P<kind>GS|GR|NT|TR|PT|[GNT]),? *(?P<sign>[+-]?) *(?P<number>[\d.-]*)"
    r" *,? *(?P<unit>[A-Za-z]{1,3}) *"
)
_AAND_SAYS: Final = {"?": "command not known", "I": "cannot be done now"}


def aand() -> Scanner:
    """Eighteen places; `LO` is out of range in older manuals, as `OL` is in newer ones."""
    return _lines(rb"@SUOLHI?\r\n", b"\r", 26, _aand)


def _aand(raw: bytes) -> Word | str:
    line = _text(raw)
    if line in _AAND_SAYS:
        return Remark(what="refused", text=_AAND_SAYS[line], raw=raw)
    found = _AAND.fullmatch(line)
    return _headed(raw, found) if found else "no header, number and unit of the format"


def st_gs() -> Scanner:
    """By commas, not by columns: CAS, Excell, General Measure, Rinstrum format D and many more."""
    return _lines(rb"SUOLE\r\n", b"\r", 32, _st_gs)


def _st_gs(raw: bytes) -> Word | str:
    found = _RELATIVE.fullmatch(_text(raw))
    return _headed(raw, found) if found else "no header, number and unit of the format"


def _headed(raw: bytes, found: re.Match[str]) -> Frame | str:
    head, kind = found["head"], found["kind"].strip()
    notes = ("preset tare",) if kind == "PT" else ()
    return _frame(
        raw,
        found["number"],
        found["unit"],
        negative=found["sign"] == "-",
        shows=_OUT.get(head),
        stable=None if head == "HD" or head in _OUT else head == "ST",
        kind=_KINDS[kind],
        notes=(*notes, "held") if head == "HD" else notes,
    )


# SMA

_SMA = re.compile(
    r"(?P<status>[ ZOUETIe])(?P<range>[\d ])(?P<kind>[GTNgn])(?P<motion>[ M])(?P<custom>.)"
    r"(?P<number>[ \d.+-]{10,11})(?P<unit>[A-Za-z ]{3})"
)
_SMA_OUT: Final[Mapping[str, Shows]] = {
    "O": "overload", "U": "underload", "E": "error", "T": "error", "I": "error", "e": "blank",
}  # fmt: skip
_SMA_WHY: Final = {"E": ("zero error",), "T": ("tare error",), "I": ("initial zero error",)}
_SMA_ABOUT = re.compile(r"(?P<what>[A-Z]{2,3}) ?:(?P<text>[ -~]*)")


def sma() -> Scanner:
    """Answers to W, P, Q, R, S, M, A and B; a stream of R and S looks the same."""
    return _lines(rb"\n", b"\r", 48, _sma)


def _sma(raw: bytes) -> Word | str:
    if raw[:1] != b"\n" or raw.count(b"\n") > 1:
        return "LF inside a message"
    line = raw[1:-1].decode("latin-1")
    if line == "?":
        return Remark(what="refused", text="command not known", raw=raw)
    if about := _SMA_ABOUT.fullmatch(line):
        what = "serial" if about["what"] == "SN" else "about"
        return Remark(what=what, text=about["text"].strip() if what == "serial" else line, raw=raw)
    found = _SMA.fullmatch(line)
    if found is None:
        return "no SMA message"
    notes = _SMA_WHY.get(found["status"], ())
    if found["range"] not in "1 ":
        notes = (*notes, f"range {found['range']}")
    if found["kind"] in "gn":
        notes = (*notes, "high resolution")
    return _frame(
        raw,
        found["number"],
        found["unit"],
        shows=_SMA_OUT.get(found["status"]),
        stable=found["motion"] == " ",
        kind=_KINDS[found["kind"].upper()],
        zero=found["status"] == "Z",
        notes=notes,
    )


# Dini Argeo

_CODE = r"(?P<code>\d\d)?"
_STANDARD = re.compile(_CODE + r"(?P<head>ST|US|OL|UL|ER),(?P<kind>GS|NT),(?P<number>[ \d.,+-]{8,10}), ?" + _UNIT)
_REXT = re.compile(
    _CODE + r"(?P<scale>\d),(?P<head>ST|US|OL|UL|ER),(?P<number>[ \d.+-]{10}),(?P<preset>PT|  )(?P<tare>[ \d.+-]{10}),"
    r"[ \d.+-]{10},[ \d.+-]{10}," + _UNIT
)
_AF = re.compile(
    _CODE + r"(?P<head>ST|US|OL|UL|ER),(?P<scale>\d),(?P<number>[ \d.+-]{10})" + _UNIT + r","
    r"(?P<preset>PT|  )(?P<tare>[ \d.+-]{10})[A-Za-z ]{2,3}"
)
_DINI_SAYS: Final = {
    "ERR01": "format wrong", "ERR02": "parameter wrong", "ERR03": "not allowed now", "ERR04": "command not known",
}  # fmt: skip


def dini() -> Scanner:
    """The standard and AF strings, and the answers to READ, REXT, SN and VER."""
    return _lines(rb"\dSUOEVN\r\n", b"\r", 72, _dini)


def _dini(raw: bytes) -> Word | str:
    line = _text(raw)
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
        return _headed_dini(raw, found, _KINDS[found["kind"]], None)
    if found := _REXT.fullmatch(line):
        return _headed_dini(raw, found, "net", amount(found["tare"]))
    if found := _AF.fullmatch(line):
        return _headed_dini(raw, found, "gross", amount(found["tare"]))
    return "no string of the format"


def _headed_dini(raw: bytes, found: re.Match[str], kind: Kind, tare: Decimal | None) -> Frame | str:
    """REXT gives the net weight beside its tare: what is shown without a tare is gross."""
    head = found["head"]
    return _frame(
        raw,
        found["number"],
        found["unit"],
        shows=_OUT.get(head),
        stable=None if head in _OUT else head == "ST",
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
    return _lines(rb"$", b"\n", 34, _bilanciai)


def _bilanciai(raw: bytes) -> Word | str:
    found = _EXTENDED.fullmatch(_text(raw))
    if found is None or raw[-2:] != b"\r\n":
        return "no extended string"
    s1, s2, s3, s4 = (int(char, 16) for char in found["status"])
    tare = amount(found["tare"])
    on = bool(tare) or bool(s3 & 1) or bool(s1 & 2)
    bad = "error" if s4 & 6 else "overload" if s2 & 4 else None
    if bad is None and s3 & 4:
        bad = "underload" if "-" in found["number"] else "error"
    said = ((s1 & 1, "below the least weight"), (s1 & 4, "preset tare"), (s4 & 2, "converter failed"))
    return _frame(
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
    return _lines(rb"$", b"\r", 10, _bilanciai_cb)


def _bilanciai_cb(raw: bytes) -> Word | str:
    found = _CB.fullmatch(raw[:-1].decode("latin-1"))
    if found is None:
        return "no Cb string"
    bad: Shows | None = "error" if found["status"] == "3" else None
    return _frame(raw, found["number"], "", shows=bad, stable=found["status"] == "0", pointless=True)


# America

_CARDINAL = re.compile(
    r"(?P<sign>[ -])(?P<number>[ \d.]{6,7})(?P<unit>[A-Za-z/ ]{2})(?P<kind>[GN])(?P<status>OC|CZ|BZ|MO|ee|EE|  )"
)
_CARDINAL_OUT: Final[Mapping[str, Shows]] = {"OC": "overload", "BZ": "underload", "ee": "blank", "EE": "blank"}


def cardinal() -> Scanner:
    """SB-400, also called Scoreboard."""
    return _lines(rb" \-\r\n", b"\r", 18, _cardinal)


def _cardinal(raw: bytes) -> Word | str:
    found = _CARDINAL.fullmatch(_text(raw))
    if found is None:
        return "no SB-400 string"
    status = found["status"]
    return _frame(
        raw,
        found["number"],
        found["unit"],
        negative=found["sign"] == "-",
        shows=_CARDINAL_OUT.get(status),
        stable=None if status in _CARDINAL_OUT else status != "MO",
        kind=_KINDS[found["kind"]],
        zero=status == "CZ",
    )


_STREAM = re.compile(r"(?P<sign>[ -])(?P<number>[ \d.]{7})(?P<unit>[LKTGO ])(?P<kind>[GN])(?P<status>[ IMOZ])")
_STREAM_OUT: Final[Mapping[str, Shows]] = {"O": "overload", "I": "error"}


def rice_lake() -> Scanner:
    """STX polarity seven-characters unit G/N status CR LF."""
    return _lines(rb"\x02\r\n", b"\r", 18, _rice_lake)


def _rice_lake(raw: bytes) -> Word | str:
    line = raw.lstrip(b"\r\n")
    return _stream(raw, line[1:]) if line[:1] == b"\x02" else "no STX"


def rinstrum_f() -> Scanner:
    """The same without STX."""
    return _lines(rb" \-\r\n", b"\r", 18, lambda raw: _stream(raw, raw))


def _stream(raw: bytes, line: bytes) -> Word | str:
    found = _STREAM.fullmatch(_text(line))
    if found is None:
        return "no stream string"
    status = found["status"]
    return _frame(
        raw,
        found["number"],
        {"K": "kg", "T": "t", "L": "lb", "G": "g", "O": "oz", " ": ""}[found["unit"]],
        negative=found["sign"] == "-",
        shows=_STREAM_OUT.get(status),
        stable=None if status in _STREAM_OUT else status != "M",
        kind=_KINDS[found["kind"]],
        zero=status == "Z" or None,
    )


_TRONIX = re.compile(r" (?P<kind>[GN])(?P<sign>[+-])(?P<number>[\d.]{6}) (?P<unit>[a-zA-Z ]{2})")


def weigh_tronix() -> Scanner:
    """Out of range, weight and legend are blank."""
    return _lines(rb" \r\n", b"\r", 18, _tronix)


def _tronix(raw: bytes) -> Word | str:
    line = _text(raw)
    if line[:10] == " " * 10 and len(line) == 12:
        return _frame(raw, line[:10], line[10:])
    found = _TRONIX.fullmatch(line)
    if found is None:
        return "no Weigh-Tronix string"
    return _frame(raw, found["number"], found["unit"], negative=found["sign"] == "-", kind=_KINDS[found["kind"]])


# General Measure

_GM = re.compile(r"\x02\d\d\d(?P<said>[A-Z]{3})?(?P<body>.*)(?P<sum>\d\d)", re.DOTALL)
_GM_BODY = re.compile(r"@(?P<status>[@-_])(?P<value>[ \d.OFL]{6})")


def general_measure() -> Scanner:
    """Unasked frames, answers to R WT, and the words of acknowledgement."""
    return _lines(rb"\x02", b"\n", 24, _general_measure)


def _general_measure(raw: bytes) -> Word | str:
    found = _GM.fullmatch(raw[:-2].decode("latin-1"))
    if found is None or raw[-2:] != b"\r\n":
        return "no frame of the format"
    if (due := sum(raw[:-4]) % 100) != int(found["sum"]):
        return f"the sum should be {due:02d}"
    told = found["said"] or ""
    body = found["body"]
    if told not in ("", "RWT") or not body or body[0] != "@":
        return _gm_said(raw, told, body)
    weight = _GM_BODY.fullmatch(body)
    if weight is None:
        return "status and value that are none"
    bits = ord(weight["status"])
    out: Shows | None = "overload" if bits & 2 or "OFL" in weight["value"] else None
    return _frame(
        raw,
        weight["value"] if out is None else "OFL",
        "",
        negative=bool(bits & 8),
        shows=out,
        stable=bool(bits & 1),
        kind="net" if bits & 16 else "gross",
        zero=bool(bits & 4),
        pointless="." not in weight["value"],
    )


def _gm_said(raw: bytes, told: str, body: str) -> Word | str:
    if body == "OK":
        return Remark(what="acknowledged", text=f"{told} OK", raw=raw)
    if body[:1] == "E":
        return Remark(what="refused", text=f"{told} {body}", raw=raw)
    return Remark(what="request", text=told, raw=raw) if told and not body else "an answer that is not known"


def ask_general_measure(address: str) -> bytes:
    """The request for status and value of channel 1 of this scale; nothing changes in the indicator."""
    body = b"\x02" + address.encode("ascii") + b"1RWT"
    return body + b"%02d\r\n" % (sum(body) % 100)
