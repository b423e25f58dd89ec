"""JT/T 808 bytes -> messages, and back. Pure: bytes in, words out.

    7E | header | body | XOR | 7E       between the flags 7E is sent as 7D 02 and 7D as 7D 01

The XOR is taken over header and body before they are escaped. Editions 2011 and 2013 share a header of 12 bytes; 2019
(bit 14 of the properties) has a version byte and a longer number. What stands between two flags and is no frame is
garbage; one flag may end a frame and begin the next. The number of the terminal is bytes: six or ten BCD digits pairs
by the standard, in practice also hexadecimal digits. Wire facts and their sources: MANUAL.md.
"""

from collections import deque
from functools import lru_cache

import msgspec

from drivers.gps.frames import checksum
from drivers.readings import Garbage

FLAG = b"\x7e"
MAX_BODY_BYTES = 1023
"""Ten bits of the properties."""
MAX_FRAME_BYTES = 2 * (21 + MAX_BODY_BYTES + 1)
"""Between the flags, when every byte had to be escaped."""
MAX_GARBAGE_BYTES = 4096
"""Of a stream without flags, told as one piece of garbage."""
MAX_PACKETS = 512
"""Of one message: half a megabyte, a photograph. Positions never need more than a few."""
MAX_OPEN = 8
"""Messages of one connection that wait for their other packets; the oldest gives way."""
MAX_OPEN_BYTES = 1_048_576
"""Of their bodies together."""

_SUBPACKET = 0x2000
_EDITION_2019 = 0x4000
_SHORTEST = 13
_BEFORE = "bytes before the first flag"
_ENDLESS = f"longer than {MAX_FRAME_BYTES} bytes without a flag"


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message, or one packet of a message that was sent in several."""

    id: int
    number: bytes
    """Of the terminal, as sent: six bytes, ten in the edition of 2019."""
    serial: int
    body: bytes
    version: int | None = None
    """Of the protocol, since 2019; None for the editions before."""
    encryption: int = 0
    """Bits 10 to 12 of the properties: 0 none, 1 RSA."""
    packet: tuple[int, int] | None = None
    """Number of packets and which one this is, from 1."""

    @property
    def phone(self) -> str:
        """The number as people write it: digits without leading zeros; else its hexadecimal digits."""
        return phone(self.number)


@lru_cache(maxsize=4096)
def phone(number: bytes) -> str:
    """As `Message.phone`."""
    digits = number.hex()
    return digits.lstrip("0") or "0" if digits.isdigit() else digits


def encode(message: Message) -> bytes:
    """The frame, flags and all. Raises ValueError for what no frame can carry."""
    if len(message.body) > MAX_BODY_BYTES:
        raise ValueError(f"{len(message.body)} bytes in a body of at most {MAX_BODY_BYTES}")
    wide = message.version is not None
    if len(message.number) != (10 if wide else 6):
        raise ValueError(f"a terminal's number of {len(message.number)} bytes")
    properties = len(message.body) | message.encryption << 10
    head = message.number
    if message.version is not None:
        properties |= _EDITION_2019
        head = bytes((message.version,)) + head
    tail = message.serial.to_bytes(2, "big")
    if message.packet is not None:
        properties |= _SUBPACKET
        total, which = message.packet
        tail += total.to_bytes(2, "big") + which.to_bytes(2, "big")
    bare = message.id.to_bytes(2, "big") + properties.to_bytes(2, "big") + head + tail + message.body
    return FLAG + escape(bare + bytes((checksum(bare),))) + FLAG


def escape(bare: bytes) -> bytes:
    """7D first, or the 7D of 7D 02 would be escaped again."""
    return bare.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def unescape(sent: bytes) -> bytes:
    """Each pair in one pass: `7D 01 02` is `7D 02`. Raises ValueError for a 7D that begins no pair."""
    marks = sent.count(b"\x7d")
    if not marks:
        return sent
    if sent.count(b"\x7d\x01") + sent.count(b"\x7d\x02") != marks:
        raise ValueError("an escape that is neither 7D 01 nor 7D 02")
    # Every 7D begins a pair here, so the order in which the pairs are replaced cannot make new ones: 02 goes first.
    return sent.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")


def read_frame(sent: bytes) -> Message | Garbage:
    """What stands between two flags, as sent."""
    try:
        bare = unescape(sent)
    except ValueError as wrong:
        return Garbage(sent, str(wrong))
    if len(bare) < _SHORTEST:
        return Garbage(sent, f"{len(bare)} bytes between two flags; the shortest frame has {_SHORTEST}")
    if checksum(bare):
        # The check byte is part of what is folded: all together gives 0.
        return Garbage(sent, "wrong XOR")
    properties = bare[2] << 8 | bare[3]
    version: int | None = None
    at = 4
    if properties & _EDITION_2019:
        version, at, end = bare[4], 5, 15
    else:
        end = 10
    number = bare[at:end]
    begin = end + 2
    packet: tuple[int, int] | None = None
    if properties & _SUBPACKET:
        packet = (int.from_bytes(bare[begin : begin + 2], "big"), int.from_bytes(bare[begin + 2 : begin + 4], "big"))
        begin += 4
    length = properties & MAX_BODY_BYTES
    if begin + length + 1 != len(bare):
        return Garbage(sent, f"a header that says {length} bytes of body before {len(bare) - begin - 1}")
    if packet is not None and not 1 <= packet[1] <= packet[0]:
        return Garbage(sent, f"packet {packet[1]} of {packet[0]}")
    return Message(
        bare[0] << 8 | bare[1],
        number,
        bare[end] << 8 | bare[end + 1],
        bare[begin:-1],
        version,
        properties >> 10 & 7,
        packet,
    )


class Decoder:
    """Takes bytes as they come, gives words in order. Ask for words until None after each `receive`."""

    def __init__(self) -> None:
        self._rest = b""
        self._inside = False
        """A flag stands before what is in `_rest`."""
        self._words: deque[Message | Garbage] = deque()

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        *pieces, rest = (self._rest + data).split(FLAG)
        for piece in pieces:
            if piece:
                self._words.append(read_frame(piece) if self._inside else Garbage(piece, _BEFORE))
            self._inside = True
        if len(rest) > (MAX_FRAME_BYTES if self._inside else MAX_GARBAGE_BYTES):
            self._words.append(Garbage(rest, _ENDLESS if self._inside else _BEFORE))
            rest, self._inside = b"", False
        self._rest = rest

    def end(self) -> None:
        """What stands unfinished will not go on: the end of a datagram, of a connection, of a file."""
        if self._rest:
            self._words.append(Garbage(self._rest, "a frame without its end" if self._inside else "no frame"))
        self._rest, self._inside = b"", False

    def next_word(self) -> Message | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None


class _Open(msgspec.Struct):
    """A message of which some packets are here. `first` is the serial number of its first packet."""

    first: int
    total: int
    since: float
    parts: dict[int, bytes]
    asked: bool = False


class Packets:
    """Puts messages together that were sent in several packets; packets of one message have serial numbers in a row.

    What is waited for, and for how long, is the caller's business: `missing` says what, `drop` gives it up.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[bytes, int, int], _Open] = {}
        """By number of the terminal, id of the message and serial number of the first packet; oldest first."""

    def take(self, message: Message, at: float) -> Message | Garbage | None:
        """The whole message; None while packets are missing; garbage for a packet that fits nowhere."""
        if message.packet is None:
            return message
        total, which = message.packet
        if total > MAX_PACKETS:
            return Garbage(message.body, f"a message of {total} packets, more than {MAX_PACKETS}")
        first = (message.serial - which + 1) & 0xFFFF
        key = (message.number, message.id, first)
        group = self._open.get(key)
        if group is None or group.total != total:
            group = self._open[key] = _Open(first, total, at, {})
        group.parts[which] = message.body
        if len(group.parts) < total:
            return None
        del self._open[key]
        body = b"".join(group.parts[n] for n in range(1, total + 1))
        return msgspec.structs.replace(message, serial=first, body=body, packet=None)

    def crowded(self) -> list[Garbage]:
        """Gives up the oldest until the rest fits its ceilings."""
        given_up: list[Garbage] = []
        while self._open and (len(self._open) > MAX_OPEN or self._held() > MAX_OPEN_BYTES):
            given_up.append(self._give_up(next(iter(self._open))))
        return given_up

    def missing(self, waited_since: float) -> list[tuple[bytes, int, list[int]]]:
        """Of messages begun before that instant and not yet asked for: terminal, first serial number, packets."""
        found: list[tuple[bytes, int, list[int]]] = []
        for (number, _, first), group in self._open.items():
            if not group.asked and group.since <= waited_since:
                group.asked = True
                found.append((number, first, [n for n in range(1, group.total + 1) if n not in group.parts]))
        return found

    def drop(self, begun_before: float) -> list[Garbage]:
        """Gives up what was begun before that instant."""
        old = [key for key, group in self._open.items() if group.since <= begun_before]
        return [self._give_up(key) for key in old]

    def __len__(self) -> int:
        """Messages that wait for packets."""
        return len(self._open)

    def _held(self) -> int:
        return sum(len(part) for group in self._open.values() for part in group.parts.values())

    def _give_up(self, key: tuple[bytes, int, int]) -> Garbage:
        group = self._open.pop(key)
        raw = b"".join(group.parts[n] for n in sorted(group.parts))
        return Garbage(raw, f"{len(group.parts)} of {group.total} packets of message 0x{key[1]:04X}")
