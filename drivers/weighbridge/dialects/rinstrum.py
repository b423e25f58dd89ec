"""Rinstrum: automatic output, rinCMD, and the 5200's binary format.

    A   STX sign seven status ETX                       status G N U O M E: gross, net, under, over, motion, error
    C   STX sign seven S1 S2 S3 S4 unit ETX             S1 G N U O E, S2 M, S3 Z, S4 range; the unit is blank IN MOTION
    3   STX eight G/N M/S I/O/U Z two-blanks ETX
    D   ST,GR ...   is in `aand.st_gs`;     F   is in `american.rinstrum_f`

rinCMD:  ADDR CMD REG [: DATA] ended by CR LF or `;`    ADDR bit 7 an answer, bit 6 an error, bit 5 an answer is wanted;
    CMD 05 read as text, 11 read, 16 read in decimal (10, 12 and 17 write: they are never sent from here);
    REG 0005 serial number, 0012 calibrations, 0021 status, 0025 displayed, 0026 gross, 0027 net, 0028 tare

The answer to 0021 says what stands with the weight that is read after it. Sources: MANUAL.md.
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
    ended_by,
    fixed,
    shown,
)

_START: Final = re.compile(b"\x02")
_OUT: Final[dict[str, Shows]] = {"U": "underload", "O": "overload", "E": "error", "I": "error"}
_KINDS: Final[dict[str, Kind]] = {"G": "gross", "N": "net", "T": "tare"}


def auto_a() -> Scanner:
    """Eleven bytes. In motion nobody knows whether it is gross or net."""
    return Scanner(_START, fixed(11), _auto_a)


@lru_cache(maxsize=REMEMBERED)
def _auto_a(raw: bytes) -> Frame | str:
    status = chr(raw[9])
    if raw[-1] != 0x03 or status not in "GNUOME":
        return "no status and end mark"
    return _auto(
        raw,
        raw[1:9],
        "",
        _OUT.get(status),
        _KINDS.get(status),
        stable=None if status in _OUT else status != "M",
        zero=None,
    )


def auto_c() -> Scanner:
    """Seventeen bytes."""
    return Scanner(_START, fixed(17), _auto_c)


@lru_cache(maxsize=REMEMBERED)
def _auto_c(raw: bytes) -> Frame | str:
    text = raw.decode("latin-1")
    s1, s2, s3, s4 = text[9:13]
    if raw[-1] != 0x03 or s1 not in "GNUOE" or s2 not in "M " or s3 not in "Z " or s4 not in "-12 ":
        return "no status and end mark"
    return _auto(raw, raw[1:9], text[13:16], _OUT.get(s1), _KINDS.get(s1), stable=s2 == " ", zero=s3 == "Z")


def auto_3() -> Scanner:
    """Sixteen bytes."""
    return Scanner(_START, fixed(16), _auto_3)


@lru_cache(maxsize=REMEMBERED)
def _auto_3(raw: bytes) -> Frame | str:
    text = raw.decode("latin-1")
    gross, motion, out, zero = text[9:13]
    if raw[-3:] != b"  \x03" or gross not in "GN" or motion not in "MS" or out not in " IOU" or zero not in "Z ":
        return "no status and end mark"
    return _auto(raw, raw[1:9], "", _OUT.get(out), _KINDS[gross], stable=motion == "S", zero=zero == "Z")


def _auto(
    raw: bytes,
    number: bytes,
    unit: str,
    out: Shows | None,
    kind: Kind | None,
    *,
    stable: bool | None,
    zero: bool | None,
) -> Frame | str:
    name, field = UNITS.get(unit.strip().lower()), shown(number.decode("latin-1"))
    if field is None or (unit.strip() and name is None):
        return "no number or no unit that is known"
    shows, digits, negative, decimals = field
    return Frame(
        shows=out or shows, digits=digits, negative=negative, decimals=decimals, unit=name, stable=stable,
        kind=kind, tare_on=None if kind is None else kind == "net", zero=zero, raw=raw,
    )  # fmt: skip


# rinCMD

_MESSAGE = re.compile(
    r"(?P<address>[0-9A-F]{2})(?P<command>[0-9A-F]{2})(?P<register>[0-9A-F]{4})(?::(?P<data>[ -~]*))?",
)
_TEXT = re.compile(r" *(?P<number>-? *[\d.]+|-+) *(?P<unit>[A-Za-z]{0,3}) *(?P<kind>[GNT]?) *")
_ANSWER, _ERROR, _READS = 0x80, 0x40, (0x05, 0x11, 0x16)
_WEIGHTS: Final[dict[int, Kind | None]] = {0x25: None, 0x26: "gross", 0x27: "net", 0x28: "tare"}
_STATUS: Final = (
    (0x20000, "overload"), (0x10000, "underload"), (0x8000, "error"), (0x4000, "menus open"), (0x2000, "calibrating"),
    (0x1000, "motion"), (0x800, "centre of zero"), (0x400, "zero"), (0x200, "net"),
)  # fmt: skip
_NET, _MOTION, _CENTRE = 0x200, 0x1000, 0x800
_TROUBLES: Final[tuple[tuple[int, Shows], ...]] = ((0xE000, "error"), (0x10000, "underload"), (0x20000, "overload"))
"""An indicator with its menus open or under calibration gives no weight."""


def ask(address: str) -> tuple[bytes, ...]:
    """Status, then gross as text: read twice, nothing changes in the indicator. `address` is 01 to 1F."""
    wanted = f"{int(address, 16) | 0x20:02X}"
    return (f"{wanted}110021;{wanted}050026;".encode("ascii"),)


def ask_serial(address: str) -> bytes:
    """Serial number and calibration counter."""
    wanted = f"{int(address, 16) | 0x20:02X}"
    return f"{wanted}160005;{wanted}160012;".encode("ascii")


def rincmd() -> Scanner:
    """Answers, and requests where both directions are heard."""
    return Scanner(re.compile(b"[0-9A-F\r\n]"), ended_by(b";\r", 72), _RinCmd().read, alike=False)


class _RinCmd:
    """Remembers the status that was told last, until a weight has taken it."""

    def __init__(self) -> None:
        self._status: int | None = None

    def read(self, raw: bytes) -> Word | str:
        """One message."""
        line = raw.strip(b"\r\n").rstrip(b";").decode("latin-1")
        found = _MESSAGE.fullmatch(line)
        if found is None:
            return "no rinCMD message"
        address, command, register = (int(found[part], 16) for part in ("address", "command", "register"))
        data = found["data"] or ""
        if not address & _ANSWER:
            return Remark(what="request", text=line, raw=raw)
        if address & _ERROR:
            return Remark(what="refused", text=f"register {register:04X}: error {data}", raw=raw)
        if command not in _READS:
            return Remark(what="acknowledged", text=line, raw=raw)
        return self._answer(raw, command, register, data)

    def _answer(self, raw: bytes, command: int, register: int, data: str) -> Word | str:
        if register in _WEIGHTS:
            return self._weight(raw, command, _WEIGHTS[register], data)
        if register == 0x0021 and (bits := _number(data, command)) is not None:
            self._status = bits
            said = ", ".join(word for bit, word in _STATUS if bits & bit)
            return Remark(what="status", text=f"{data}: {said}" if said else data, raw=raw)
        number = _number(data, command)
        what = {0x0005: "serial", 0x0012: "calibrations", 0x0013: "calibrations"}.get(register, "about")
        if what == "serial":
            return Remark(what="serial", text=data.strip() if number is None else str(number), raw=raw)
        text = data.strip() if number is None or what == "about" else str(number)
        return Remark(what="calibrations" if what == "calibrations" else "about", text=text, raw=raw)

    def _weight(self, raw: bytes, command: int, kind: Kind | None, data: str) -> Word | str:
        bits, self._status = self._status, None
        unit, digits, negative, decimals = None, data.strip(), False, 0
        shows: Shows = "number"
        if command == 0x05:
            found = _TEXT.fullmatch(data)
            field = shown(found["number"]) if found else None
            if found is None or field is None:
                return "no weight as text"
            shows, digits, negative, decimals = field
            unit = UNITS.get(found["unit"].lower())
            kind = _KINDS.get(found["kind"]) or kind
        else:
            number = _number(data, command)
            if number is None:
                return "no number"
            number -= 1 << 32 if command == 0x11 and number >> 31 else 0
            digits, negative = str(abs(number)), number < 0
        for bit, word in _TROUBLES:
            shows = word if bits is not None and bits & bit else shows
        return Frame(
            shows=shows,
            digits=digits,
            negative=negative,
            decimals=decimals,
            pointless=command != 0x05,
            unit=unit,
            stable=None if bits is None else not bits & _MOTION,
            kind=kind,
            tare_on=None if bits is None else bool(bits & _NET),
            zero=None if bits is None else bool(bits & _CENTRE),
            doubt="" if bits is not None else "its status was not heard: overload and error are not known",
            raw=raw,
        )


def _number(data: str, command: int) -> int | None:
    """Hexadecimal after command 11, decimal after 16."""
    try:
        return int(data, 16 if command == 0x11 else 10)
    except ValueError:
        return None


# 5200


def binary_5200() -> Scanner:
    """Format 8: three bytes of weight, one of status, CR LF. Only its length tells where it ends."""
    return Scanner(re.compile(rb"[\x00-\xff]"), fixed(6), _binary_5200)


@lru_cache(maxsize=REMEMBERED)
def _binary_5200(raw: bytes) -> Frame | str:
    if raw[4:] != b"\r\n":
        return "bytes 5 and 6 are not CR LF"
    number, status = int.from_bytes(raw[:3], "big", signed=True), raw[3]
    return Frame(
        shows="overload" if status & 1 else "number",
        digits=str(abs(number)),
        negative=number < 0,
        pointless=True,
        stable=bool(status & 2),
        kind="gross" if status & 4 else "net",
        tare_on=not status & 4,
        notes=("range 2",) if status & 8 else (),
        raw=raw,
    )
