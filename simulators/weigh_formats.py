"""How indicators of many makes say what their window shows: one function a format, each from its maker's manual.

A `Window` is what a person in front of the indicator sees: digits, unit, and the little lamps. Sources, by family:

    Yaohua          manuals A9, A23p, A26, DS1, A12(E): twelve bytes, `=` formats, WG/WN with XOR, wn/ww/wt without
    Mettler Toledo  IND445 manual (continuous: STX SWA SWB SWC, 6 + 6 digits, CR, two's complement of 7 bits), Jaguar
    SMA             SCP-0499 as printed by Cardinal 190 and 225, Fairbanks PR5410, Sartorius PR5220, T419S
    Rinstrum        R320 (FMT_1 to FMT_5), C530 (formats C and F, binary format 8)
    A&D             AD-4402, AD-4404, AD-4406: 18 places; `LO` in older ones, `OL` in newer; blank out of range
    ST,GS           General Measure M02 rECont, CAS, Dini Argeo standard
    Dini Argeo      3590 series: standard, REXT and AF strings
    Bilanciai       D70, DD700: extended string of 30 characters, Cb string of 8
    Cardinal        190, 200, 225: SB-400
    Rice Lake       480, 680: own stream, Weigh-Tronix stream
    General Measure M02 r-Cont: STX, scale, channel, two status bytes, six places, sum mod 100 in decimal
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

STX, ETX = b"\x02", b"\x03"
CRLF = b"\r\n"
Trouble = Literal["", "over", "under", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What an indicator shows. Numbers are counts of the last digit: 1234 with `places` 2 is 12.34."""

    count: int = 0
    places: int = 0
    unit: str = "kg"
    step: int = 1
    """The division in counts: 1, 2, 5, 10, 20, 50."""
    stable: bool = True
    centre: bool = False
    """Within a quarter of a division of zero."""
    net: bool = False
    """A tare is on: `count` is net."""
    tare: int = 0
    preset: bool = False
    trouble: Trouble = ""

    def text(self, count: int | None = None) -> str:
        """Digits with their point, without sign: `12.34`."""
        digits = f"{abs(self.count if count is None else count):0{self.places + 1}d}"
        return f"{digits[: -self.places]}.{digits[-self.places :]}" if self.places else digits

    @property
    def minus(self) -> bool:
        """Below zero."""
        return self.count < 0


def xor(data: bytes) -> int:
    """Of all bytes."""
    total = 0
    for byte in data:
        total ^= byte
    return total


def fitted(text: str, width: int, fill: str = " ") -> str:
    """Right-aligned; ValueError when it does not fit."""
    if len(text) > width:
        raise ValueError(f"{text!r} does not fit into {width} places")
    return text.rjust(width, fill)


# Yaohua


def yaohua_a9(window: Window) -> bytes:
    """02 sign six-digits decimals XOR 03. Out of range is in no manual: blanks here."""
    digits = " " * 6 if window.trouble in ("over", "error") else fitted(str(abs(window.count)), 6, "0")
    body = f"{'-' if window.minus else '+'}{digits}{window.places}".encode("ascii")
    return STX + body + b"%02X" % xor(body) + ETX


def equals_forward(window: Window) -> bytes:
    """`=`, the sign as `0` or `-`, seven characters, high digit first. An empty window sends blanks."""
    if window.trouble in ("over", "error"):
        return b"=        "
    return f"={'-' if window.minus else '0'}{fitted(window.text(), 7, '0')}".encode("ascii")


def equals_reversed(window: Window) -> bytes:
    """`=`, the same eight characters from the last to the first."""
    forward = equals_forward(window)
    return forward[:1] + forward[:0:-1]


def a12e(window: Window) -> bytes:
    """Fifteen bytes: WG or WN, seven characters, kg, XOR of bytes 1 to 11, CR LF; `OL23`, `LO23` behind nine blanks."""
    if window.trouble:
        return b" " * 9 + (b"LO" if window.trouble == "under" else b"OL") + b"23" + CRLF
    head = "WN" if window.net else "WG"
    number = fitted(window.text(), 7, "0")
    if window.minus:
        number = "-" + fitted(window.text(), 6, "0")
    body = f"{head}{number}{fitted(window.unit, 2)}".encode("ascii")
    return body + b"%02X" % xor(body) + CRLF


def a12(window: Window) -> bytes:
    """wn, ww or wt, seven characters, unit; nothing to check it by."""
    if window.trouble:
        return b"ww       " + window.unit.encode("ascii") + CRLF
    head = "wn" if window.net else "ww"
    number = "-" + fitted(window.text(), 6, "0") if window.minus else fitted(window.text(), 7, "0")
    return f"{head}{number}{window.unit}".encode("ascii") + CRLF


# Mettler Toledo

_POINT_CODES = {0: 2, 1: 3, 2: 4, 3: 5, 4: 6, 5: 7}
_STEPS = {1: 1, 2: 2, 5: 3}


def mt_status(window: Window) -> bytes:
    """Status words A, B, C. An increment of 10, 20 or 50 makes the last digit a dummy zero (code 1), which is sent."""
    code, step = _POINT_CODES[window.places], window.step
    while step % 10 == 0:
        step //= 10
        code = max(0, code - 1) if window.places == 0 else code
    a = 0x20 | _STEPS.get(step, 1) << 3 | code
    b = 0x20 | window.net | window.minus << 1 | bool(window.trouble) << 2 | (not window.stable) << 3
    c = 0x20 | {"g": 1, "t": 2, "oz": 3}.get(window.unit, 0)
    return bytes((a, b | (window.unit == "kg") << 4, c))


def mt_checked(frame: bytes) -> bytes:
    """With its check byte: what makes the low seven bits of the sum zero."""
    return frame + bytes((-sum(frame) & 0x7F,))


def mt_standard(window: Window) -> bytes:
    """Status, weight and tare, CR."""
    weight = " " * 6 if window.trouble else fitted(str(abs(window.count)), 6)
    return STX + mt_status(window) + f"{weight}{fitted(str(window.tare), 6)}\r".encode("ascii")


def mt_short(window: Window) -> bytes:
    """Status and weight, CR."""
    return mt_standard(window)[:10] + b"\r"


def mt_continuous(window: Window) -> bytes:
    """Eighteen bytes."""
    return mt_checked(mt_standard(window))


def mt_continuous_short(window: Window) -> bytes:
    """Twelve bytes."""
    return mt_checked(mt_short(window))


def even_parity(frame: bytes) -> bytes:
    """As a port set to eight bits receives seven bits with even parity."""
    return bytes(byte | (byte.bit_count() & 1) << 7 for byte in frame)


def mt_sics(window: Window) -> bytes:
    """The answer to SI: `S S     100.00 g`; `S D` while it moves, `S +` and `S -` out of range, `S I` on an error."""
    if window.trouble:
        return {"over": b"S +", "under": b"S -", "error": b"S I"}[window.trouble] + CRLF
    number = fitted(("-" if window.minus else "") + window.text(), 10)
    return f"S {'S' if window.stable else 'D'} {number} {window.unit}".encode("ascii") + CRLF


# SMA


def sma(window: Window) -> bytes:
    """LF s r n m f, ten characters, unit in three, CR."""
    status = {"over": "O", "under": "U", "error": "E"}.get(window.trouble, "Z" if window.centre else " ")
    number = fitted(("-" if window.minus else "") + window.text(), 10)
    if window.trouble == "error":
        number = "-" * 10
    mode, motion = "N" if window.net else "G", " " if window.stable else "M"
    return f"\n{status}1{mode}{motion} {number}{window.unit:<3}\r".encode("ascii")


# Rinstrum


def _rinstrum_status(window: Window) -> str:
    return {"over": "O", "under": "U", "error": "E"}.get(window.trouble, "N" if window.net else "G")


def _rinstrum_number(window: Window) -> str:
    return ("-" if window.minus else " ") + fitted(window.text(), 7)


def rinstrum_a(window: Window) -> bytes:
    """FMT_1: STX sign weight(7) status ETX; motion takes the place of G and N."""
    status = _rinstrum_status(window)
    status = "M" if status in "GN" and not window.stable else status
    return STX + f"{_rinstrum_number(window)}{status}".encode("ascii") + ETX


def rinstrum_c(window: Window) -> bytes:
    """FMT_2: STX sign weight(7) S1 S2 S3 S4 units(3) ETX; the unit is blank while it moves."""
    motion, centre = " " if window.stable else "M", "Z" if window.centre else " "
    unit = fitted(window.unit, 3) if window.stable else "   "
    return STX + f"{_rinstrum_number(window)}{_rinstrum_status(window)}{motion}{centre}-{unit}".encode("ascii") + ETX


def rinstrum_3(window: Window) -> bytes:
    """FMT_3: STX weight(8) gross motion overload zero, two blanks, ETX; blank where all is well within range."""
    number = fitted(("-" if window.minus else "") + window.text(), 8)
    gross, motion = "N" if window.net else "G", "S" if window.stable else "M"
    over = {"over": "O", "under": "U", "error": "I"}.get(window.trouble, " ")
    return STX + f"{number}{gross}{motion}{over}{'Z' if window.centre else ' '}  ".encode("ascii") + ETX


def rinstrum_d(window: Window) -> bytes:
    """FMT_4: ST, US or OL, GR or NT, sign, weight(7), units(2)."""
    head = "OL" if window.trouble else "ST" if window.stable else "US"
    kind = "NT" if window.net else "GR"
    return f"{head},{kind},{_rinstrum_number(window)},{window.unit:<2}".encode("ascii") + CRLF


def rinstrum_f(window: Window) -> bytes:
    """FMT_5: sign weight(7) unit gross status CR LF."""
    letter = {"kg": "K", "t": "T", "lb": "L", "g": "G"}[window.unit]
    status = {"over": "O", "under": "O", "error": "I"}.get(window.trouble, " " if window.stable else "M")
    return f"{_rinstrum_number(window)}{letter}{'N' if window.net else 'G'}{status}".encode("ascii") + CRLF


def rinstrum_5200(window: Window) -> bytes:
    """Binary format 8: 24 bits of weight, high byte first, eight bits of status, CR LF."""
    status = (window.trouble != "") * 1 | window.stable * 2 | (not window.net) * 4
    return (window.count & 0xFFFFFF).to_bytes(3, "big") + bytes((status,)) + CRLF


# A&D and what looks like it


def aand(window: Window) -> bytes:
    """Header 1, header 2, sign and eight characters, unit: `ST,NT,+0012.34kg`. Out of range the digits are blank."""
    head = "OL" if window.trouble else "ST" if window.stable else "US"
    number = fitted(window.text(), 7, "0")
    if window.trouble:
        number = "".join("." if char == "." else " " for char in number)
    return (
        f"{head},{'NT' if window.net else 'GS'},{'-' if window.minus else '+'}{number}{fitted(window.unit, 2)}".encode(
            "ascii"
        )
        + CRLF
    )


def st_gs(window: Window) -> bytes:
    """General Measure's rECont: status, GS or NT, sign, seven characters with the point, unit."""
    head = "OL" if window.trouble else "ST" if window.stable else "US"
    number = fitted(window.text(), 7, "0" if window.places else " ")
    kind, sign = "NT" if window.net else "GS", "-" if window.minus else "+"
    return f"{head},{kind},{sign}{number}{fitted(window.unit, 2)}".encode("ascii") + CRLF


def rice_lake(window: Window) -> bytes:
    """STX polarity weight(7) unit G/N status CR LF; I invalid, M motion, O over or under, Z centre of zero."""
    letter = {"kg": "K", "t": "T", "lb": "L", "g": "G", "oz": "O"}[window.unit]
    status = {"over": "O", "under": "O", "error": "I"}.get(
        window.trouble, "M" if not window.stable else "Z" if window.centre else " "
    )
    return STX + f"{_rinstrum_number(window)}{letter}{'N' if window.net else 'G'}{status}".encode("ascii") + CRLF


def weigh_tronix(window: Window) -> bytes:
    """Blank, G or N, polarity as a character, six characters, blank, unit, CR LF; out of range weight and legend are
    blank (Fairbanks' words)."""
    if window.trouble:
        return b" " * 10 + f"{fitted(window.unit, 2)}".encode("ascii") + CRLF
    number = fitted(window.text(), 6, "0")
    return (
        f" {'N' if window.net else 'G'}{'-' if window.minus else '+'}{number} {window.unit:<2}".encode("ascii") + CRLF
    )


# Italy


def dini_standard(window: Window) -> bytes:
    """HH,KK,PPPPPPPP,UM: eight characters with sign and point."""
    head = {"over": "OL", "under": "UL", "error": "OL"}.get(window.trouble, "ST" if window.stable else "US")
    number = fitted(("-" if window.minus else "") + window.text(), 8)
    return f"{head},{'NT' if window.net else 'GS'},{number},{fitted(window.unit, 2)}".encode("ascii") + CRLF


def dini_rext(window: Window) -> bytes:
    """B,hh,net(10),YYtare(10),0,0,uu."""
    head = {"over": "OL", "under": "UL", "error": "ER"}.get(window.trouble, "ST" if window.stable else "US")
    number = fitted(("-" if window.minus else "") + window.text(), 10)
    tare = fitted(window.text(window.tare), 10)
    nothing = fitted(window.text(0), 10)
    preset = "PT" if window.preset else "  "
    return f"1,{head},{number},{preset}{tare},{nothing},{nothing},{fitted(window.unit, 2)}".encode("ascii") + CRLF


def dini_af(window: Window) -> bytes:
    """SS,B,gross(10)UM,YYtare(10)UM."""
    head = {"over": "OL", "under": "UL", "error": "OL"}.get(window.trouble, "ST" if window.stable else "US")
    gross = window.count + window.tare
    number = fitted(("-" if gross < 0 else "") + window.text(gross), 10)
    unit, preset = fitted(window.unit, 2), "PT" if window.preset else "  "
    return f"{head},1,{number}{unit},{preset}{fitted(window.text(window.tare), 10)}{unit}".encode("ascii") + CRLF


def bilanciai(window: Window) -> bytes:
    """Extended string: `$`, net(9), blank, tare(9), blank, unit(2), blank, four status characters, CR LF."""
    number = fitted(("-" if window.minus else "") + window.text(), 9)
    tare = fitted(window.text(window.tare), 9)
    s1 = window.centre << 3 | window.preset << 2
    s2 = (window.stable and not window.trouble) << 1 | (window.trouble == "over") << 2
    s3 = (window.tare != 0) | bool(window.trouble) << 2
    s4 = (window.trouble == "error") << 1
    status = f"{s1:X}{s2:X}{s3:X}{s4:X}"
    return f"${number} {tare} {fitted(window.unit, 2)} {status}".encode("ascii") + CRLF


def bilanciai_cb(window: Window) -> bytes:
    """`$`, 0 stable, 1 unstable, 3 invalid (negative or overload), five digits, CR."""
    status = "3" if window.trouble or window.minus else "0" if window.stable else "1"
    return f"${status}{str(abs(window.count)).rjust(5, '0')[:5]}\r".encode("ascii")


# America, Shenzhen


def cardinal(window: Window) -> bytes:
    """SB-400: sign, six digits with a point, unit(2), G or N, two letters: OC, CZ, MO, ee, BZ below zero; CR."""
    status = {"over": "OC", "under": "BZ", "error": "ee"}.get(
        window.trouble, "MO" if not window.stable else "CZ" if window.centre else "  "
    )
    number = fitted(window.text(), 7 if window.places else 6)
    return (
        f"{'-' if window.minus else ' '}{number}{fitted(window.unit, 2)}{'N' if window.net else 'G'}{status}\r".encode(
            "ascii"
        )
    )


def decimal_sum(data: bytes) -> bytes:
    """The sum of all bytes modulo 100, as two decimal digits."""
    return b"%02d" % (sum(data) % 100)


def gm_status(window: Window) -> bytes:
    """High byte 40H; low byte: bit 0 stable, 1 overflow, 2 zero, 3 negative, 6 always 1."""
    low = 0x40 | window.stable | bool(window.trouble) << 1 | window.centre << 2 | window.minus << 3
    return bytes((0x40, low))


def gm_value(window: Window) -> bytes:
    """Six places; two blanks, OFL, a blank when the number does not fit."""
    return b"  OFL " if window.trouble else fitted(str(abs(window.count)), 6).encode("ascii")


def general_measure(window: Window) -> bytes:
    """STX, scale 01, channel 1, status, value, sum, CR LF."""
    body = STX + b"011" + gm_status(window) + gm_value(window)
    return body + decimal_sum(body) + CRLF


FORMATS: dict[str, Callable[[Window], bytes]] = {
    "yaohua-a9": yaohua_a9,
    "yaohua-equals-forward": equals_forward,
    "yaohua-equals-reversed": equals_reversed,
    "yaohua-a12e": a12e,
    "yaohua-a12": a12,
    "mt-continuous": mt_continuous,
    "mt-continuous-nosum": mt_standard,
    "mt-continuous-short": mt_continuous_short,
    "mt-continuous-short-nosum": mt_short,
    "mt-sics-stream": mt_sics,
    "sma-stream": sma,
    "rinstrum-a": rinstrum_a,
    "rinstrum-c": rinstrum_c,
    "rinstrum-3": rinstrum_3,
    "rinstrum-d": rinstrum_d,
    "rinstrum-f": rinstrum_f,
    "rinstrum-5200": rinstrum_5200,
    "aand": aand,
    "st-gs": st_gs,
    "rice-lake": rice_lake,
    "weigh-tronix": weigh_tronix,
    "dini-argeo": dini_standard,
    "dini-argeo-af": dini_af,
    "bilanciai": bilanciai,
    "bilanciai-cb": bilanciai_cb,
    "cardinal": cardinal,
    "general-measure": general_measure,
}
"""Formats that are sent unasked, by name."""
