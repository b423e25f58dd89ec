"""Packets of the customs gate protocol JGS/T 14-2015 as a back end reads and writes them.

    head E2 5C 4B 89 | total length 4 | code 1 or 4 | area 10 | channel 10 | direction 1 | identifier 4 | XML length 4 |
    XML | pictures: length 4, then each orientation 1, length 4, JPEG | tail FF FF

The standard prints a code of 4 bytes, the field sends 1; of the byte order the standard says nothing, the field sends
little-endian. Everything that is met is read; an answer goes out in the form in which its question came.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

HEAD = bytes.fromhex("E25C4B89")
TAIL = b"\xff\xff"
SHORTEST = 42
"""Bytes of the shortest packet: every length can be judged from here on."""
LONGEST = 20 * 1024 * 1024
ID_BYTES = 10
NOT_PICTURES = b"\xff\xff\xff\xff"
"""Where the pictures' length would stand: a signature follows instead."""
TAIL_SOUGHT = 64 * 1024
"""A length that was counted in another encoding is too small by at most the XML's own length."""
CODES = frozenset((
    *range(0x21, 0x29), *range(0x31, 0x37), 0x39, 0x41, 0x42, 0x43, *range(0x61, 0x67), 0x71, 0x72,
    *range(0x81, 0x86),
))  # fmt: skip

Order = Literal["little", "big"]
Pad = Literal["zero", "nul_left", "nul_right"]
Picture = tuple[int, bytes]
"""Orientation (0x30 front .. 0x35 right rear) and JPEG."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a peer writes."""

    width: int = 1
    order: Order = "little"
    identifier: bytes = b"\xff\xff\xff\xff"
    pad: Pad = "zero"


FIELD = Form()
"""What is met most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet. Area and channel without their padding."""

    code: int
    area: str
    channel: str
    direction: str
    xml: bytes
    pictures: tuple[Picture, ...] = ()
    signature: bytes = b""
    form: Form = FIELD


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that were no packet."""

    raw: bytes
    why: str


def write(packet: Packet) -> bytes:
    """The bytes of a packet in its form."""
    form = packet.form

    def number(value: int) -> bytes:
        return value.to_bytes(4, form.order)

    def name(text: str) -> bytes:
        raw = text.encode("ascii")
        if form.pad == "nul_right":
            return raw.ljust(ID_BYTES, b"\0")
        return raw.rjust(ID_BYTES, b"\0" if form.pad == "nul_left" else b"0")

    code = packet.code.to_bytes(form.width, "big")
    body = code + name(packet.area) + name(packet.channel) + packet.direction.encode("ascii") + form.identifier
    body += number(len(packet.xml)) + packet.xml
    if packet.pictures:
        body += number(sum(len(jpeg) for _, jpeg in packet.pictures))
        body += b"".join(bytes((where,)) + number(len(jpeg)) + jpeg for where, jpeg in packet.pictures)
    return HEAD + number(len(body) + len(HEAD) + 4 + len(TAIL)) + body + TAIL


@dataclass(slots=True)
class Unpacker:
    """Takes a peer's bytes as they come. Remembers the form that its last packet had."""

    form: Form = FIELD
    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[Packet | Noise]:
        """Whatever is whole by now."""
        self._buffer += data
        while True:
            start = self._buffer.find(HEAD)
            if start < 0:
                kept = next((n for n in range(3, 0, -1) if self._buffer.endswith(HEAD[:n])), 0)
                start = len(self._buffer) - kept
                yield from self._drop(start, "no head")
                return
            yield from self._drop(start, "before a head")
            if len(self._buffer) < SHORTEST:
                return
            found = self._sizes()
            if found is None:
                yield from self._drop(len(HEAD), "a head, and no packet behind it")
                continue
            form, total, xml_at, xml_length = found
            if len(self._buffer) < total:
                return
            total, xml_length = self._to_the_tail(total, xml_at, xml_length)
            raw = bytes(self._buffer[:total])
            del self._buffer[:total]
            yield _opened(raw, form, xml_at, xml_length)

    def end(self) -> Iterator[Noise]:
        """The connection is closed: what is left is none."""
        yield from self._drop(len(self._buffer), "cut off")

    def _drop(self, count: int, why: str) -> Iterator[Noise]:
        raw = bytes(self._buffer[:count])
        del self._buffer[:count]
        if raw.strip(b"\0"):  # zeros after a tail are filling
            yield Noise(raw, why)

    def _sizes(self) -> tuple[Form, int, int, int] | None:
        """The form, the total, where the XML begins, how long it is."""
        known = (self.form.width, self.form.order)
        tries: list[tuple[int, Order]] = [(1, "little"), (4, "little"), (1, "big"), (4, "big")]
        for width, order in sorted(tries, key=lambda each: each != known):
            at = 33 + width
            total = int.from_bytes(self._buffer[4:8], order)
            length = int.from_bytes(self._buffer[at : at + 4], order)
            rest = total - at - 6 - length
            code = bytes(self._buffer[8 : 8 + width])
            alone = width == 1 or (sum(byte != 0 for byte in code) == 1 and (code[0] or code[-1]))
            if (
                alone
                and sum(code) in CODES
                and self._buffer[28 + width] in b"IOEFH"
                and at + 6 <= total <= LONGEST
                and 0 < length <= total - at - 6
                and self._buffer[at + 4] in b"<\xef \t\r\n"
                and (rest == 0 or rest >= 8)
            ):
                ids = bytes(self._buffer[8 + width : 28 + width])
                identifier = bytes(self._buffer[29 + width : 33 + width])
                self.form = Form(width, order, identifier, _pad(ids))
                return self.form, total, at + 4, length
        return None

    def _to_the_tail(self, total: int, xml_at: int, length: int) -> tuple[int, int]:
        """A length that was counted before the text was encoded is too small: its packet ends at the tail."""
        if bytes(self._buffer[total - 2 : total]) in (TAIL, b"\0\0") or total != xml_at + length + 2:
            return total, length
        tail = self._buffer.find(TAIL, total, total + TAIL_SOUGHT)
        return (total, length) if tail < 0 else (tail + 2, tail - xml_at)


def _pad(ids: bytes) -> Pad:
    if ids[:1] == b"\0" or ids[ID_BYTES : ID_BYTES + 1] == b"\0":
        return "nul_left"
    return "nul_right" if ids[-1:] == b"\0" or ids[ID_BYTES - 1 : ID_BYTES] == b"\0" else "zero"


def _opened(raw: bytes, form: Form, xml_at: int, length: int) -> Packet | Noise:
    width = form.width
    rest = raw[xml_at + length : -2]
    pictures: list[Picture] = []
    signature = b""
    if rest[:4] == NOT_PICTURES:
        signature = rest[8:]
    elif rest:
        at = 4
        while at < len(rest):
            size = int.from_bytes(rest[at + 1 : at + 5], form.order)
            if at + 5 + size > len(rest):
                return Noise(raw, "a picture that is longer than its packet")
            pictures.append((rest[at], rest[at + 5 : at + 5 + size]))
            at += 5 + size
    return Packet(
        code=sum(raw[8 : 8 + width]),
        area=_name(raw[8 + width : 18 + width]),
        channel=_name(raw[18 + width : 28 + width]),
        direction=chr(raw[28 + width]),
        xml=raw[xml_at : xml_at + length],
        pictures=tuple(pictures),
        signature=signature,
        form=form,
    )


def _name(raw: bytes) -> str:
    return raw.strip(b"\0 ").decode("ascii", "replace")


def same_name(one: str, other: str) -> bool:
    """Ids are compared without the zeros that fill them up."""
    return one.strip().lstrip("0") == other.strip().lstrip("0")


def oriented(pictures: Sequence[bytes]) -> tuple[Picture, ...]:
    """Pictures in the order of the standard: front, left front, right front, rear, left rear, right rear."""
    return tuple((0x30 + n, jpeg) for n, jpeg in enumerate(pictures))
