"""UN/EDIFACT CODECO, the container gate-in/gate-out report, in the directories D.95B and D.00B. Written only. Pure.

    UNB UNH BGM [DTM] NAD.. EQD RFF DTM LOC SEL FTX TDT CNT UNT UNZ

What a gate does not know it does not say: it weighs trucks, not boxes, so the truck's weight goes as a free text and
never as a container's gross mass (MEA); whether a box is full, or on its way to a ship, stays out of EQD.
UNOA knows the Latin capitals alone: a Chinese plate is written with the customary short name of its province in Latin
letters, so that nothing is lost to a character that the receiver's system does not have.
"""

from dataclasses import dataclass
from typing import Literal

from gateway_ctl.neighbours.words import Crossed, plain, serial

Directory = Literal["95B", "00B"]
GATE_IN, GATE_OUT = "34", "36"
"""Document names of BGM."""
PROVINCES = {
    "京": "JING", "津": "JIN", "沪": "HU", "渝": "YU", "冀": "JI", "豫": "YU2", "云": "YUN", "辽": "LIAO", "黑": "HEI",
    "湘": "XIANG", "皖": "WAN", "鲁": "LU", "新": "XIN", "苏": "SU", "浙": "ZHE", "赣": "GAN", "鄂": "E", "桂": "GUI",
    "甘": "GAN2", "晋": "JIN2", "蒙": "MENG", "陕": "SHAN", "吉": "JI2", "闽": "MIN", "贵": "GUI2", "粤": "YUE",
    "青": "QING", "藏": "ZANG", "川": "CHUAN", "宁": "NING", "琼": "QIONG", "挂": "GUA", "学": "XUE", "警": "JING2",
    "试": "SHI", "领": "LING", "港": "GANG", "澳": "AO", "使": "SHI2",
}  # fmt: skip
"""Where two would be the same, the second has a digit behind it: the plate can be told back."""
_UNOA = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-()/=!\"%&*;<>'+:?")
_RELEASED = "?+:'"
LONGEST_TEXT = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who tells whom, and where the gate is."""

    sender: str
    receiver: str
    place: str
    """UN/LOCODE of the gate."""
    terminal: str = ""
    operator: str = ""
    """Container operator (NAD+CF), where it is always the same."""
    directory: Directory = "95B"


def write(crossed: Crossed, envelope: Envelope) -> bytes:
    """The report of all boxes of a crossing, ASCII. A crossing without a box makes a report of none (CNT 0)."""
    reference = f"{crossed.at:%y%m%d}{serial(crossed.passage, 6)}"
    body = _message(crossed, envelope, reference)
    message = [
        _segment("UNH", reference, ("CODECO", "D", envelope.directory, "UN", *_association(envelope))),
        *body,
        _segment("UNT", str(len(body) + 2), reference),
    ]
    stamp = (crossed.at.strftime("%y%m%d"), crossed.at.strftime("%H%M"))
    head = _segment("UNB", ("UNOA", "2"), envelope.sender, envelope.receiver, stamp, reference)
    return "\r\n".join(["UNA:+.? '", head, *message, _segment("UNZ", "1", reference), ""]).encode("ascii")


def _association(envelope: Envelope) -> tuple[str, ...]:
    return ("ITG14",) if envelope.directory == "95B" else ("SMDG20",)


def _message(crossed: Crossed, envelope: Envelope, reference: str) -> list[str]:
    inbound = crossed.direction == "in"
    at = crossed.at.strftime("%Y%m%d%H%M")
    segments = [_segment("BGM", GATE_IN if inbound else GATE_OUT, reference, "9")]
    if envelope.directory == "00B":
        segments.append(_segment("DTM", ("137", at, "203")))
    segments.append(_segment("NAD", "MS", (envelope.sender, "160", "ZZZ")))
    segments.append(_segment("NAD", "MR", (envelope.receiver, "160", "ZZZ")))
    if envelope.operator:
        segments.append(_segment("NAD", "CF", (envelope.operator, "160", "20")))
    for box in crossed.containers:
        segments += _box(box, crossed, envelope, at)
    segments.append(_segment("CNT", ("16", str(len(crossed.containers)))))
    return segments


def _box(box: str, crossed: Crossed, envelope: Envelope, at: str) -> list[str]:
    segments = [_segment("EQD", "CN", box)]
    if crossed.declared is not None:
        segments.append(_segment("RFF", ("AAE", crossed.declared.document)))
    segments.append(_segment("RFF", ("ACW", crossed.passage)))
    segments.append(_segment("DTM", ("7", at, "203")))
    terminal = (envelope.terminal, "TER", "ZZZ") if envelope.terminal else ()
    segments.append(_segment("LOC", "165", (envelope.place, "139", "6"), terminal))
    segments += [_segment("SEL", seal, "CA") for seal in crossed.seals]
    if crossed.gross_kg is not None:
        what = "SUM OF AXLES" if crossed.by_axles else "GROSS"
        segments.append(_segment("FTX", "AAI", "", "", f"TRUCK {what} {plain(crossed.gross_kg)} KG AT GATE"))
    if crossed.plate is not None:
        segments.append(_segment("TDT", "1", "", "3", "31", "", "", "", (romanised(crossed.plate), "146")))
    return segments


def romanised(plate: str) -> str:
    """A plate in UNOA's letters: 沪AD3F88 is HU-AD3F88. A letter that is not in the table becomes its code point."""
    found = [char if char in _UNOA else f"-{PROVINCES.get(char, f'U{ord(char):04X}')}-" for char in plate.upper()]
    return "".join(found).strip("-").replace("--", "-")


def _segment(tag: str, *elements: "str | tuple[str, ...]") -> str:
    """One segment; empty elements and components at an end are left out, as the syntax has it."""
    written = [
        _trimmed([_released(part) for part in (each if isinstance(each, tuple) else (each,))], ":") for each in elements
    ]
    return f"{_trimmed([tag, *written], '+')}'"


def _trimmed(parts: list[str], joint: str) -> str:
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return joint.join(parts)


def _released(text: str) -> str:
    plain_text = "".join(char if char in _UNOA else f"U{ord(char):04X}" for char in text.upper())[:LONGEST_TEXT]
    return "".join(f"?{char}" if char in _RELEASED else char for char in plain_text)
