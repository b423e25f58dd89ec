"""How indicators that are asked answer: requests in, answers out, by their makers' manuals.

    Yaohua A9, tF = 1    02 address letter XOR XOR 03; A handshake, B gross, C tare, D net, E and F numbers
    MT-SICS              S, SI, SIR, Z, ZI, T, TI, TA, TAC, I0 to I4, @; `ES` what is not known, `S +` out of range
    SMA SCP-0499         LF letter CR; W, P, R, M, A, B and the letters that write
    Rinstrum rinCMD      ADDR CMD REG [: DATA] ended by CR LF or ;  registers 0005, 0012, 0021, 0025 to 0028, 0300, 0301
    Dini Argeo           READ, REXT, GR10, SN, VER, Z, T; `ERR04` what is not known
    A&D                  RW, RG, RN, RT; `?` what is not known
    General Measure      STX scale channel R WT sum CR LF

Commands that write are obeyed, and counted: whoever polls must never be found to have sent one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from simulators.weigh_formats import (
    CRLF,
    ETX,
    STX,
    Window,
    aand,
    decimal_sum,
    dini_rext,
    dini_standard,
    gm_status,
    gm_value,
    mt_sics,
    sma,
    xor,
)

LONGEST_REQUEST = 64


@dataclass(slots=True)
class Plate:
    """What is engraved, and what the seal protects."""

    serial: str = "20774155"
    model: str = "SIM 1"
    calibrations: int = 3
    written: list[str] = field(default_factory=list[str])
    """Commands that would have changed something, as they were heard."""


class Talk(Protocol):
    """Answers whole requests at the front of `pending`, and takes them away."""

    def __call__(self, pending: bytearray, window: Window, plate: Plate) -> bytes: ...


def yaohua(pending: bytearray, window: Window, plate: Plate) -> bytes:
    """Address A. A request with a wrong XOR is not answered; a letter that is not known is answered by nothing."""
    said = b""
    while (start := pending.find(STX)) >= 0 and len(pending) - start >= 6:
        request = bytes(pending[start : start + 6])
        if request[5:] != ETX or request[3:5] != b"%02X" % xor(request[1:3]):
            del pending[: start + 1]
            continue
        del pending[: start + 6]
        if request[1:2] != b"A":
            continue
        letter = request[2:3]
        if letter in b"GHI":
            plate.written.append(letter.decode())
        said += _yaohua_answer(letter, window)
    del pending[:-LONGEST_REQUEST]
    return said


def _yaohua_answer(letter: bytes, window: Window) -> bytes:
    counts = {b"B": window.count + window.tare, b"C": window.tare, b"D": window.count}
    if letter == b"A":
        body = b"AA"
    elif letter in counts:
        count = counts[letter]
        digits = f"{abs(count):06d}" if window.trouble in ("", "under") else " " * 6
        body = b"A" + letter + f"{'-' if count < 0 else '+'}{digits}{window.places}".encode("ascii")
    else:
        return b""
    return STX + body + b"%02X" % xor(body) + ETX


def _lines(pending: bytearray, ends: bytes) -> list[str]:
    """Whole requests; blanks around them do not matter."""
    last = max(pending.rfind(end) for end in ends)
    if last < 0:
        del pending[:-LONGEST_REQUEST]
        return []
    text = bytes(pending[: last + 1]).translate(bytes.maketrans(ends, b"\n" * len(ends))).decode("ascii", "replace")
    del pending[: last + 1]
    return [line.strip() for line in text.split("\n") if line.strip()]


def sics(pending: bytearray, window: Window, plate: Plate) -> bytes:
    """MT-SICS, levels 0 and 1."""
    said = b""
    for line in _lines(pending, b"\r\n"):
        word = line.split(" ")[0]
        if word in ("S", "SI", "SIR"):
            # S waits for a stable weight in the manual; here it gives up at once while the load moves.
            said += b"S I" + CRLF if word == "S" and not window.stable else mt_sics(window)
        elif word == "TA":
            said += f"TA A {window.text(window.tare):>10} {window.unit}".encode("ascii") + CRLF
        elif word in ("I4", "@"):
            said += f'{word} A "{plate.serial}"'.encode("ascii") + CRLF
        elif word == "I2":
            said += f'I2 A "{plate.model}"'.encode("ascii") + CRLF
        elif word in ("Z", "ZI", "T", "TI", "TAC"):
            plate.written.append(word)
            said += f"{word} A".encode("ascii") + CRLF
        else:
            said += b"ES" + CRLF
    return said


def sma_talk(pending: bytearray, window: Window, plate: Plate) -> bytes:
    """SMA levels 1 and 2. A then B, B, B tell maker, model and revision; a fourth B is not known."""
    said = b""
    about = (f"MOD:{plate.model}", "REV:1.0", f"SN :{plate.serial}")
    while (start := pending.find(b"\n")) >= 0 and (end := pending.find(b"\r", start)) >= 0:
        letter = bytes(pending[start + 1 : end]).decode("ascii", "replace").strip()
        del pending[: end + 1]
        if letter in ("W", "P"):
            said += sma(window)
        elif letter == "M":
            said += sma(window).replace(b"1G", b"1T").replace(b"1N", b"1T")
        elif letter == "A":
            said += b"\nSMA:1/1.0\r"
        elif letter == "B":
            said += b"".join(f"\n{line}\r".encode("ascii") for line in about)
        elif letter in ("Z", "T", "C"):
            plate.written.append(letter)
            said += sma(window)
        else:
            said += b"\n?\r"
    del pending[:-LONGEST_REQUEST]
    return said


_OVER, _UNDER, _ERROR, _MOTION, _CENTRE, _ZERO, _NET = 0x20000, 0x10000, 0x8000, 0x1000, 0x800, 0x400, 0x200


def rincmd(pending: bytearray, window: Window, plate: Plate) -> bytes:
    """Address 1 (or 00, everybody); 20 in the address asks for an answer."""
    said = b""
    for line in _lines(pending, b"\r\n;"):
        head, _, data = line.partition(":")
        try:
            address, command, register = int(head[:2], 16), int(head[2:4], 16), int(head[4:8], 16)
        except ValueError:
            continue
        if address & 0x1F not in (0, 1) or not address & 0x20:
            continue
        if command in (0x10, 0x12, 0x17):
            plate.written.append(f"{register:04X}:{data}")
            said += f"81{head[2:8]}:0000".encode("ascii") + CRLF
            continue
        value = _rincmd_value(register, command, window, plate)
        answer = f"C1{head[2:8]}:0601" if value is None else f"81{head[2:8]}:{value}"
        said += answer.encode("ascii") + CRLF
    return said


def _rincmd_value(register: int, command: int, window: Window, plate: Plate) -> str | None:
    """11 and 16 give a number in hexadecimal and in decimal, 05 a text that a person can read."""
    counts = {0x25: window.count, 0x26: window.count + window.tare, 0x27: window.count, 0x28: window.tare}
    numbers = {0x0005: int(plate.serial), 0x0012: plate.calibrations}
    if register == 0x0021 and command == 0x11:
        return f"{_rincmd_status(window):08X}"
    if register in counts and command == 0x05:
        count = counts[register]
        kind = {0x26: "G", 0x27: "N", 0x28: "T"}.get(register, "N" if window.net else "G")
        return f"{('-' if count < 0 else '') + window.text(count):>8} {window.unit} {kind}"
    number = counts.get(register, numbers.get(register))
    if number is None or command not in (0x11, 0x16):
        return None
    return f"{number & 0xFFFFFFFF:08X}" if command == 0x11 else str(number)


def _rincmd_status(window: Window) -> int:
    bits = {"over": _OVER, "under": _UNDER, "error": _ERROR}.get(window.trouble, 0)
    bits |= _MOTION * (not window.stable) | _CENTRE * window.centre | _ZERO * (window.count == 0) | _NET * window.net
    return bits


def dini(pending: bytearray, window: Window, plate: Plate) -> bytes:
    """3590 and DFW, without an address."""
    said = b""
    for line in _lines(pending, b"\r\n"):
        if line in ("READ", "R", "GR10"):
            said += dini_standard(window)
        elif line == "REXT":
            said += dini_rext(window)
        elif line == "SN":
            said += f"SN{plate.serial}".encode("ascii") + CRLF
        elif line == "VER":
            said += b"VER,1.00,SIM" + CRLF
        elif line in ("Z", "ZERO", "T", "TARE", "C", "CLEAR", "PID", "NTGS") or line.startswith(("TMAN", "W")):
            plate.written.append(line)
            said += b"OK" + CRLF
        else:
            said += b"ERR04" + CRLF
    return said


def aand_talk(pending: bytearray, window: Window, plate: Plate) -> bytes:
    """AD-4400 series, without an address: RW what is shown, RG gross."""
    said = b""
    for line in _lines(pending, b"\r\n"):
        if line in ("RW", "RG", "RN"):
            said += aand(window)
        elif line in ("MZ", "MT", "CT", "MG", "MN"):
            plate.written.append(line)
            said += line.encode("ascii") + CRLF
        else:
            said += b"?" + CRLF
    return said


def general_measure_talk(pending: bytearray, window: Window, plate: Plate) -> bytes:
    """r-SP1, scale 01, channel 1: R WT is answered by status and value, W and O and C write, the sum is decimal."""
    said = b""
    for line in _lines(pending, b"\r\n"):
        raw = line.encode("ascii", "replace")
        if raw[:4] != STX + b"011" or decimal_sum(raw[:-2]) != raw[-2:]:
            continue
        command = raw[4:7]
        if command == b"RWT":
            body = STX + b"011RWT" + gm_status(window) + gm_value(window)
        elif command[:1] in b"WOC":
            plate.written.append(command.decode())
            body = STX + b"011" + command + b"OK"
        else:
            body = STX + b"011" + command + b"E2"
        said += body + decimal_sum(body) + CRLF
    return said


TALKS: dict[str, Callable[[bytearray, Window, Plate], bytes]] = {
    "yaohua-a9-command": yaohua,
    "mt-sics": sics,
    "sma": sma_talk,
    "rinstrum-rincmd": rincmd,
    "dini-argeo-command": dini,
    "aand-command": aand_talk,
    "general-measure-command": general_measure_talk,
}
"""Dialects that speak only when asked, by name."""
