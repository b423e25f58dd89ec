"""What was said on a line or a socket between a Modbus master and an indicator, for a technician. Pure.

A capture holds both sides: questions, answers, refusals, and on a shared line other devices' as well. RTU frames are
known by their check sum, TCP frames by a header that agrees with what follows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from drivers.readings import Garbage
from drivers.weighbridge.decode import Plain, describe
from drivers.weighbridge.frames import NOISE_CEILING
from drivers.weighbridge.registers import read
from drivers.weighbridge.tables import WeightTable, weight_table_named

LONGEST: Final = 260
"""The longest Modbus frame (TCP)."""
READS: Final = (3, 4)
QUESTION: Final = 5
"""Bytes of a question's PDU; an answer's are an even number."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One whole frame."""

    size: int
    unit: int
    pdu: bytes


def decode_stream(chunks: Iterable[bytes], name: str) -> Iterator[Plain]:
    """One object a frame, one a piece of noise, in order. What an answer of the table's length holds is read by the
    table, without what only a site knows (the point's place, a division). Raises LookupError for an unknown table."""
    table = weight_table_named(name)
    held, noise, before = bytearray(), bytearray(), b""

    def told(*, ended: bool) -> Iterator[Plain]:
        nonlocal before
        while held:
            heard = frame_at(held)
            if heard is None:
                if len(held) < LONGEST and not ended:
                    return
                noise.append(held.pop(0))
                if len(noise) == NOISE_CEILING:
                    yield _noise(noise)
                continue
            if noise:
                yield _noise(noise)
            del held[: heard.size]
            said, before = _said(table, heard, before)
            yield said
        if ended and noise:
            yield _noise(noise)

    for chunk in chunks:
        held += chunk
        yield from told(ended=False)
    yield from told(ended=True)


def count_frames(capture: bytes) -> int:
    """How many frames there are in a capture."""
    held, count = memoryview(capture), 0
    while held:
        heard = frame_at(bytes(held[:LONGEST]))
        held, count = held[heard.size if heard else 1 :], count + (heard is not None)
    return count


def frame_at(held: bytes | bytearray) -> Heard | None:
    """The frame at the beginning of these bytes; None: there is none, or not all of it."""
    return _rtu(held) or _tcp(held)


def _tcp(held: bytes | bytearray) -> Heard | None:
    if len(held) < 9 or held[2:4] != b"\0\0":
        return None
    size = 6 + int.from_bytes(held[4:6], "big")
    pdu = bytes(held[7:size])
    whole = size <= len(held) and size == 7 + len(pdu)
    return Heard(size, held[6], pdu) if whole and pdu and _length_of(pdu) == len(pdu) else None


def _rtu(held: bytes | bytearray) -> Heard | None:
    if len(held) < 5:
        return None
    for size in (8, 5 + held[2], 5):
        frame = bytes(held[:size])
        if len(frame) == size and crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little"):
            return Heard(size, frame[0], frame[1:-2])
    return None


def _length_of(pdu: bytes) -> int:
    """How long a PDU that begins so must be: a question, an answer or a refusal; 0: it is no read of registers."""
    if pdu[0] & 0x80:
        return 2
    if pdu[0] in READS:
        return 5 if len(pdu) == QUESTION else 2 + pdu[1] if len(pdu) > 1 else 0
    return len(pdu) if pdu[0] in (1, 2, 5, 6, 15, 16) else 0


def crc16(data: bytes) -> int:
    """Of the serial line (Modbus over serial line 1.02, 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def _said(table: WeightTable, heard: Heard, before: bytes) -> tuple[Plain, bytes]:
    pdu, function = heard.pdu, heard.pdu[0]
    if function & 0x80:
        return {"refused": pdu[1], "function": function & 0x7F, "unit_number": heard.unit}, before
    if function in READS and len(pdu) == QUESTION:
        start, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        return {"asked": start, "count": count, "function": function, "unit_number": heard.unit}, before
    if function not in READS or len(pdu) != 2 + 2 * table.count:
        return {"other": pdu.hex(), "function": function, "unit_number": heard.unit}, before
    words = [int.from_bytes(pdu[n : n + 2], "big") for n in range(2, len(pdu), 2)]
    found = read(table, words, None)
    return describe(found, before), before if isinstance(found, Garbage) else found.raw


def _noise(noise: bytearray) -> Plain:
    said = describe(Garbage(bytes(noise), "no Modbus frame begins here"))
    noise.clear()
    return said
