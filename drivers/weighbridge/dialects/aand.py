"""A&D and the `ST,GS,` family.

    A&D             ST,NT,+0012.34kg CR [LF]     headers, sign and seven characters, unit of two or three
    ST,GS family    ST,GS,   12345,kg CR LF      the same by commas: widths differ from maker to maker

A header or a unit that is not known is no frame. Sources: MANUAL.md.
"""

import re
from typing import Final

from drivers.weighbridge.dialects.line import KINDS, OUT, UNIT, framed, lined, text_of
from drivers.weighbridge.frames import Frame, Remark, Scanner, Word

_AAND = re.compile(
    r"(?:@\d\d)?(?P<head>ST|US|OL|LO|HD),(?P<kind>GS|NT|TR|PT|[GNT] ),(?P<sign>[+-])(?P<number>[ \d.,]{7})" + UNIT
)
_RELATIVE = re.compile(
    r"(?P<head>ST|US|OL|UL|LO|ER)[ ,] *(?P<kind>GS|GR|NT|TR|PT|[GNT]),? *(?P<sign>[+-]?) *(?P<number>[\d.-]*)"
    r" *,? *(?P<unit>[A-Za-z]{1,3}) *"
)
_AAND_SAYS: Final = {"?": "command not known", "I": "cannot be done now"}


def aand() -> Scanner:
    """Eighteen places; `LO` is out of range in older manuals, as `OL` is in newer ones."""
    return lined(rb"@SUOLHI?\r\n", b"\r", 26, _aand)


def _aand(raw: bytes) -> Word | str:
    line = text_of(raw)
    if line in _AAND_SAYS:
        return Remark(what="refused", text=_AAND_SAYS[line], raw=raw)
    found = _AAND.fullmatch(line)
    return _headed(raw, found) if found else "no header, number and unit of the format"


def st_gs() -> Scanner:
    """By commas, not by columns: CAS, Excell, General Measure, Rinstrum format D and many more."""
    return lined(rb"SUOLE\r\n", b"\r", 32, _st_gs)


def _st_gs(raw: bytes) -> Word | str:
    found = _RELATIVE.fullmatch(text_of(raw))
    return _headed(raw, found) if found else "no header, number and unit of the format"


def _headed(raw: bytes, found: re.Match[str]) -> Frame | str:
    head, kind = found["head"], found["kind"].strip()
    notes = ("preset tare",) if kind == "PT" else ()
    return framed(
        raw,
        found["number"],
        found["unit"],
        negative=found["sign"] == "-",
        shows=OUT.get(head),
        stable=None if head == "HD" or head in OUT else head == "ST",
        kind=KINDS[kind],
        notes=(*notes, "held") if head == "HD" else notes,
    )
