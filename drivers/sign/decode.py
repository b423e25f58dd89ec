"""A captured stream of a sign -> what was said either way, as plain objects for JSON lines."""

from collections.abc import Iterable, Iterator
from typing import Any

from drivers.readings import Garbage
from drivers.sign.c_power import ANSWER, ERRORS, EXTERNAL, PURE_TEXT, REQUEST, Framing, Packet, Packets

Plain = dict[str, Any]
TEXT_FROM = 11
_COMMANDS = {
    0x01: "divide into windows", 0x02: "formatted text", 0x03: "picture", 0x04: "static text", 0x05: "clock",
    0x06: "back to the program", 0x07: "save or clear", PURE_TEXT: "text", 0x85: "text of a program",
}  # fmt: skip


def decode_stream(chunks: Iterable[bytes], framing: Framing) -> Iterator[Plain]:
    """One object a packet of a C-Power card, in the order of the bytes.

    A request: `to` (card), `command`, and of a text `window`, `rows`, `font` (code), `rgb`; else `data` (hex). An
    answer: `from`, `returned` (0 is well), `why`. What is none: `{"garbage": hex, "why": ..}`. An old card's answer
    looks like a request with empty data.
    """
    packets = Packets(framing)
    for chunk in chunks:
        packets.receive(chunk)
        yield from _words(packets)
    packets.end()
    yield from _words(packets)


def _words(packets: Packets) -> Iterator[Plain]:
    while (word := packets.next_word()) is not None:
        yield {"garbage": word.raw.hex(), "why": word.why} if isinstance(word, Garbage) else _plain(word)


def _plain(packet: Packet) -> Plain:
    said: Plain = {} if packet.card_id is None else {"card_id": f"{packet.card_id:08X}"}
    if packet.kind == ANSWER:
        why = "" if packet.extra == 0 else ERRORS.get(packet.extra, "the card's own error")
        return said | {"from": packet.card, "returned": packet.extra, "why": why}
    data = packet.data
    said |= {"to": packet.card, "protocol": f"{packet.code:02X}", "wants_answer": bool(packet.extra & 1)}
    if packet.kind != REQUEST or packet.code != EXTERNAL or not data or packet.number:
        return said | {"data": data.hex()}
    said["command"] = _COMMANDS.get(data[0], f"{data[0]:02X}")
    if data[0] != PURE_TEXT or len(data) <= TEXT_FROM:
        return said | {"data": data.hex()}
    text = data[TEXT_FROM:].split(b"\0", 1)[0].decode("gbk", "replace")
    return said | {
        "window": data[1], "font": data[7] & 0x0F, "rgb": list(data[8:11]),
        "rows": text.replace("\r\n", "\r").split("\r"),
    }  # fmt: skip
