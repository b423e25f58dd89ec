"""LLRP (EPCglobal Low Level Reader Protocol 1.0.1 and 1.1), bytes <-> messages. Pure.

    message    3 bits 0, version(3), type(10), length of all(32), id(32), body
    TLV        6 bits 0, type(10), length of all(16), value          all integers: high byte first
    TV         1, type(7), value of a length that the type says

Only what an inventory needs is read further: reports, events, statuses, keepalives. The rest stays a message with its
body. Wire facts and sources: MANUAL.md.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from drivers.readings import Garbage

HEADER_BYTES = 10
VERSION = 1
"""Of LLRP 1.0.1, which every reader answers; 2 is 1.1."""
VERSIONS = (1, 2)
MAX_MESSAGE = 1 << 20
"""Bytes. A report of ten thousand tags has half of it; a longer one is noise that looks like a header."""
MAX_EPC_BYTES = 62
MAX_NOISE = 256
"""Bytes of one Garbage."""

GET_READER_CAPABILITIES, SET_READER_CONFIG = 1, 3
CLOSE_CONNECTION_RESPONSE, SET_READER_CONFIG_RESPONSE, CLOSE_CONNECTION = 4, 13, 14
ADD_ROSPEC, DELETE_ROSPEC, ENABLE_ROSPEC = 20, 21, 24
ADD_ROSPEC_RESPONSE, DELETE_ROSPEC_RESPONSE, ENABLE_ROSPEC_RESPONSE = 30, 31, 34
RO_ACCESS_REPORT, KEEPALIVE, READER_EVENT_NOTIFICATION, KEEPALIVE_ACK = 61, 62, 63, 72
ERROR_MESSAGE, CUSTOM_MESSAGE = 100, 1023

NAMES = {
    1: "GET_READER_CAPABILITIES", 11: "GET_READER_CAPABILITIES_RESPONSE",
    2: "GET_READER_CONFIG", 12: "GET_READER_CONFIG_RESPONSE",
    3: "SET_READER_CONFIG", 13: "SET_READER_CONFIG_RESPONSE",
    14: "CLOSE_CONNECTION", 4: "CLOSE_CONNECTION_RESPONSE",
    20: "ADD_ROSPEC", 30: "ADD_ROSPEC_RESPONSE",
    21: "DELETE_ROSPEC", 31: "DELETE_ROSPEC_RESPONSE",
    22: "START_ROSPEC", 32: "START_ROSPEC_RESPONSE",
    23: "STOP_ROSPEC", 33: "STOP_ROSPEC_RESPONSE",
    24: "ENABLE_ROSPEC", 34: "ENABLE_ROSPEC_RESPONSE",
    25: "DISABLE_ROSPEC", 35: "DISABLE_ROSPEC_RESPONSE",
    26: "GET_ROSPECS", 36: "GET_ROSPECS_RESPONSE",
    40: "ADD_ACCESSSPEC", 50: "ADD_ACCESSSPEC_RESPONSE",
    41: "DELETE_ACCESSSPEC", 51: "DELETE_ACCESSSPEC_RESPONSE",
    42: "ENABLE_ACCESSSPEC", 52: "ENABLE_ACCESSSPEC_RESPONSE",
    43: "DISABLE_ACCESSSPEC", 53: "DISABLE_ACCESSSPEC_RESPONSE",
    44: "GET_ACCESSSPECS", 54: "GET_ACCESSSPECS_RESPONSE",
    45: "CLIENT_REQUEST_OP", 55: "CLIENT_REQUEST_OP_RESPONSE",
    46: "GET_SUPPORTED_VERSION", 56: "GET_SUPPORTED_VERSION_RESPONSE",
    47: "SET_PROTOCOL_VERSION", 57: "SET_PROTOCOL_VERSION_RESPONSE",
    60: "GET_REPORT", 61: "RO_ACCESS_REPORT", 62: "KEEPALIVE", 63: "READER_EVENT_NOTIFICATION",
    64: "ENABLE_EVENTS_AND_REPORTS", 72: "KEEPALIVE_ACK", 100: "ERROR_MESSAGE", 1023: "CUSTOM_MESSAGE",
}  # fmt: skip
"""Every type of message that there is."""

TV_BYTES = {
    1: 2, 2: 8, 3: 8, 4: 8, 5: 8, 6: 1, 7: 2, 8: 2, 9: 4, 10: 2, 11: 2, 12: 2, 13: 12, 14: 2, 15: 2, 16: 4, 17: 2,
    18: 4, 19: 2, 20: 2,
}  # fmt: skip
"""Type of a TV parameter -> bytes of its value."""
IMMEDIATE_START = 1
EACH_TAG = 1
"""Trigger of a report: so many tags, or the end of the antenna's turn."""
ASKED_CONTENT = 0x1000 | 0x0400 | 0x0080
"""Of a report: antenna, peak strength, number of reads."""
GEN2 = 1


class Kind(IntEnum):
    """Types of parameters: TV below 128, TLV from there."""

    ANTENNA_ID = 1
    FIRST_SEEN_UTC = 2
    PEAK_RSSI = 6
    SEEN_COUNT = 8
    EPC_96 = 13
    UTC_TIMESTAMP = 128
    ROSPEC = 177
    RO_BOUNDARY = 178
    START_TRIGGER = 179
    STOP_TRIGGER = 182
    AISPEC = 183
    AISPEC_STOP = 184
    INVENTORY_PARAMETER = 186
    KEEPALIVE_SPEC = 220
    RO_REPORT_SPEC = 237
    REPORT_CONTENT = 238
    TAG_REPORT_DATA = 240
    EPC_DATA = 241
    EVENT_DATA = 246
    READER_EXCEPTION = 252
    ANTENNA_EVENT = 255
    CONNECTION_ATTEMPT = 256
    CONNECTION_CLOSE = 257
    LLRP_STATUS = 287


class Broken(ValueError):
    """A body that does not fit its own lengths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `body` is what follows the header."""

    type: int
    id: int
    body: bytes = b""
    version: int = VERSION

    @property
    def name(self) -> str:
        """As the standard calls it."""
        return NAMES.get(self.type, f"message {self.type}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, TLV or TV. `value` is what follows its head."""

    type: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TagReport:
    """One tag of a report. What the reader does not say is None."""

    epc: bytes
    antenna: int | None
    rssi_dbm: int | None
    """The strongest of the reads."""
    seen: int
    """Reads that the reader stands for, at least one."""
    first_seen_us: int | None
    """Microseconds UTC, by the reader's own clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the reader says unasked."""

    utc_us: int | None
    connection_attempt: int | None = None
    """0: this connection is taken; any other: it is not."""
    closing: bool = False
    exception: str | None = None
    antenna: int | None = None
    antenna_there: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the reader takes a request: 0 is well."""

    code: int
    description: str


def encode(message: Message) -> bytes:
    """The message as it goes on the wire."""
    kind = (message.version & 0x07) << 10 | message.type & 0x3FF
    return (
        kind.to_bytes(2, "big")
        + (HEADER_BYTES + len(message.body)).to_bytes(4, "big")
        + message.id.to_bytes(4, "big")
        + message.body
    )


def tlv(kind: int, value: bytes) -> bytes:
    """A parameter with a length."""
    return kind.to_bytes(2, "big") + (4 + len(value)).to_bytes(2, "big") + value


def parameters(body: bytes) -> Iterator[Parameter]:
    """The parameters in a row. Raises Broken where one does not fit; those before it were given."""
    at = 0
    while at < len(body):
        if body[at] & 0x80:
            kind, head = body[at] & 0x7F, 1
            size = TV_BYTES.get(kind)
            if size is None:
                raise Broken(f"TV parameter {kind} is of no known length")
            end = at + 1 + size
        else:
            kind, head = int.from_bytes(body[at : at + 2], "big") & 0x3FF, 4
            end = at + int.from_bytes(body[at + 2 : at + 4], "big")
            if end < at + 4:
                raise Broken(f"parameter {kind} is shorter than its head")
        if end > len(body):
            raise Broken(f"parameter {kind} goes beyond its end")
        yield Parameter(kind, body[at + head : end])
        at = end


def read_reports(body: bytes) -> tuple[TagReport, ...]:
    """The tags of an RO_ACCESS_REPORT. Raises Broken."""
    return tuple(_tag_report(each.value) for each in parameters(body) if each.type == Kind.TAG_REPORT_DATA)


def _tag_report(value: bytes) -> TagReport:
    epc: bytes | None = None
    antenna = rssi = first_seen = None
    seen = 1
    for each in parameters(value):
        match each.type:
            case Kind.EPC_96:
                epc = each.value
            case Kind.EPC_DATA:
                epc = _epc(each.value)
            case Kind.ANTENNA_ID:
                antenna = int.from_bytes(each.value, "big")
            case Kind.PEAK_RSSI:
                rssi = int.from_bytes(each.value, "big", signed=True)
            case Kind.SEEN_COUNT:
                seen = max(1, int.from_bytes(each.value, "big"))
            case Kind.FIRST_SEEN_UTC:
                first_seen = int.from_bytes(each.value, "big")
            case _:
                pass
    if epc is None:
        raise Broken("a tag without its EPC")
    return TagReport(epc=epc, antenna=antenna, rssi_dbm=rssi, seen=seen, first_seen_us=first_seen)


def _epc(value: bytes) -> bytes:
    bits = int.from_bytes(value[:2], "big")
    epc = value[2:]
    if len(value) < 2 or not 0 < len(epc) <= MAX_EPC_BYTES or len(epc) != (bits + 7) // 8:
        raise Broken(f"an EPC of {bits} bits in {len(epc)} bytes")
    return epc


def read_event(body: bytes) -> Event:
    """Raises Broken."""
    data = next((each.value for each in parameters(body) if each.type == Kind.EVENT_DATA), None)
    if data is None:
        raise Broken("a notification without an event")
    utc = attempt = exception = antenna = there = None
    closing = False
    for each in parameters(data):
        value = each.value
        match each.type:
            case Kind.UTC_TIMESTAMP:
                utc = _number(value, 8)
            case Kind.CONNECTION_ATTEMPT:
                attempt = _number(value, 2)
            case Kind.CONNECTION_CLOSE:
                closing = True
            case Kind.READER_EXCEPTION:
                exception = _text(value)
            case Kind.ANTENNA_EVENT:
                there = _number(value[:1], 1) == 1
                antenna = _number(value[1:], 2)
            case _:
                pass
    return Event(
        utc_us=utc,
        connection_attempt=attempt,
        closing=closing,
        exception=exception,
        antenna=antenna,
        antenna_there=there,
    )


def read_status(body: bytes) -> Status:
    """The LLRPStatus of an answer or an ERROR_MESSAGE. Raises Broken."""
    for each in parameters(body):
        if each.type == Kind.LLRP_STATUS:
            return Status(code=_number(each.value[:2], 2), description=_text(each.value[2:]))
    raise Broken("an answer without a status")


def _number(value: bytes, size: int) -> int:
    if len(value) != size:
        raise Broken(f"{len(value)} bytes where {size} belong")
    return int.from_bytes(value, "big")


def _text(value: bytes) -> str:
    size = _number(value[:2], 2)
    if len(value) < 2 + size:
        raise Broken("a text that goes beyond its end")
    return value[2 : 2 + size].decode("utf-8", "replace")


def keepalive_ack(number: int, version: int = VERSION) -> Message:
    """The answer without which a reader hangs up."""
    return Message(type=KEEPALIVE_ACK, id=number, version=version)


def set_keepalive(number: int, period_ms: int) -> Message:
    """Keepalives every so many milliseconds; nothing else of the reader's settings is touched."""
    spec = tlv(Kind.KEEPALIVE_SPEC, b"\x01" + period_ms.to_bytes(4, "big"))
    return Message(type=SET_READER_CONFIG, id=number, body=b"\x00" + spec)


def delete_rospec(number: int, rospec: int = 0) -> Message:
    """0: all of them."""
    return Message(type=DELETE_ROSPEC, id=number, body=rospec.to_bytes(4, "big"))


def enable_rospec(number: int, rospec: int) -> Message:
    """An inventory whose start is immediate begins with it."""
    return Message(type=ENABLE_ROSPEC, id=number, body=rospec.to_bytes(4, "big"))


def add_rospec(
    number: int, rospec: int, antennas: Sequence[int] = (0,), *, start: int = IMMEDIATE_START, report: bool = True
) -> Message:
    """An inventory without an end. `antennas`: from 1, 0 for all; `report`: every tag is told at once."""
    boundary = tlv(Kind.RO_BOUNDARY, tlv(Kind.START_TRIGGER, bytes((start,))) + tlv(Kind.STOP_TRIGGER, bytes(5)))
    ports = len(antennas).to_bytes(2, "big") + b"".join(each.to_bytes(2, "big") for each in antennas)
    inventory = tlv(Kind.INVENTORY_PARAMETER, b"\x00\x01" + bytes((GEN2,)))
    body = rospec.to_bytes(4, "big") + b"\x00\x00" + boundary
    body += tlv(Kind.AISPEC, ports + tlv(Kind.AISPEC_STOP, bytes(5)) + inventory)
    if report:
        content = tlv(Kind.REPORT_CONTENT, ASKED_CONTENT.to_bytes(2, "big"))
        body += tlv(Kind.RO_REPORT_SPEC, bytes((EACH_TAG, 0, 1)) + content)
    return Message(type=ADD_ROSPEC, id=number, body=tlv(Kind.ROSPEC, body))


class Decoder:
    """Takes bytes as they come, gives messages in order. Ask for words until None after each `receive`.

    Bytes that begin no message are gathered into one Garbage up to the next that does.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self._noise = bytearray()
        self._words: deque[Message | Garbage] = deque()

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        self._pending += data
        self._scan()

    def give_up(self) -> None:
        """The line is quiet or gone: a message that stands unfinished will not be finished."""
        self._noise += self._pending
        self._pending.clear()
        self._flush()

    def next_word(self) -> Message | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None

    def _scan(self) -> None:
        at, pending = 0, self._pending
        while (size := _size(pending, at)) is not None:
            if size == 0:
                self._noise.append(pending[at])
                at += 1
                if len(self._noise) >= MAX_NOISE:
                    self._flush()
                continue
            if at + size > len(pending):
                break
            self._flush()
            frame = bytes(pending[at : at + size])
            head = int.from_bytes(frame[:2], "big")
            self._words.append(
                Message(
                    version=head >> 10,
                    type=head & 0x3FF,
                    id=int.from_bytes(frame[6:10], "big"),
                    body=frame[HEADER_BYTES:],
                )
            )
            at += size
        del pending[:at]

    def _flush(self) -> None:
        if self._noise:
            self._words.append(Garbage(bytes(self._noise), "no message of LLRP"))
            self._noise.clear()


def _size(pending: bytearray, at: int) -> int | None:
    """Bytes of the message that begins here; 0: none does; None: too early to tell."""
    have = len(pending) - at
    if have < 2:
        return None if have == 0 or pending[at] >> 2 in VERSIONS else 0
    head = pending[at] << 8 | pending[at + 1]
    if head >> 10 not in VERSIONS or head & 0x3FF not in NAMES:
        return 0
    if have < 6:
        return None
    size = int.from_bytes(pending[at + 2 : at + 6], "big")
    return size if HEADER_BYTES <= size <= MAX_MESSAGE else 0
