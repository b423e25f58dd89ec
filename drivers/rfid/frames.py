"""Two families of UHF readers, bytes <-> words. Pure.

    uhf-bb   BB type command length(2) parameters sum 7E     sum: low byte of all from type to the last parameter
    uhf-a0   A0 length address command parameters check      all bytes together are 0 modulo 256

BB, 7E and A0 may stand inside a frame: only the length says where it ends. Wire facts and sources: MANUAL.md.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from drivers.readings import Garbage
from drivers.rfid.tag import TagRead

Dialect = Literal["uhf-bb", "uhf-a0"]

MAX_EPC_BYTES = 62
"""496 bits, the most that the five length bits of the PC word can say."""
MAX_PARAMETERS = 128
"""The longest frame that an inventory brings has 68 bytes of parameters; a length beyond this is noise."""

BB_HEAD, BB_END = 0xBB, 0x7E
BB_COMMAND, BB_ANSWER, BB_NOTICE = 0x00, 0x01, 0x02
BB_ONE_ROUND, BB_ROUNDS, BB_STOP, BB_ERROR = 0x22, 0x27, 0x28, 0xFF
BB_NO_TAG = 0x15
BB_RESERVED = 0x22
BB_MOST_ROUNDS = 0xFFFF

A0_HEAD = 0xA0
A0_REALTIME, A0_FAST, A0_SESSION = 0x89, 0x8A, 0x8B
A0_INVENTORIES = (A0_REALTIME, A0_FAST, A0_SESSION)
A0_RSSI_OFFSET = 129
A0_ANTENNAS_BEYOND_4 = 0x80
"""Readers with eight antennas set the strength's top bit for the upper four."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundDone:
    """A round of an inventory is over; `found` where the reader counts."""

    found: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSays:
    """Any other frame: an answer to a command, or an error of the reader's own."""

    command: int
    error: int | None
    parameters: bytes


ReaderWord = TagRead | RoundDone | ReaderSays


def bb_frame(kind: int, command: int, parameters: bytes = b"") -> bytes:
    """A frame of the BB family."""
    body = bytes((kind, command)) + len(parameters).to_bytes(2, "big") + parameters
    return bytes((BB_HEAD,)) + body + bytes((sum(body) & 0xFF, BB_END))


def a0_frame(address: int, command: int, parameters: bytes = b"") -> bytes:
    """A packet of the A0 family."""
    packet = bytes((A0_HEAD, len(parameters) + 3, address, command)) + parameters
    return packet + bytes((-sum(packet) & 0xFF,))


def start_inventory(dialect: Dialect, address: int = 0x01) -> bytes:
    """BB: rounds until 65,535 are done; A0: one round, after which the host asks again."""
    if dialect == "uhf-bb":
        count = BB_MOST_ROUNDS.to_bytes(2, "big")
        return bb_frame(BB_COMMAND, BB_ROUNDS, bytes((BB_RESERVED,)) + count)
    return a0_frame(address, A0_REALTIME, b"\x01")


def tag_crc(stored: bytes) -> int:
    """CRC-16 of EPC Gen2 over PC and EPC, as the tag itself sends it."""
    crc = 0xFFFF
    for byte in stored:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc ^ 0xFFFF


class Decoder:
    """Takes bytes as they come, gives words in order. Ask for words until None after each `receive`.

    Bytes that begin no whole frame are gathered into one Garbage up to the next frame.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._head, self._size, self._open = _DIALECTS[dialect]
        self._pending = bytearray()
        self._noise = bytearray()
        self._words: deque[ReaderWord | Garbage] = deque()

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        self._pending += data
        self._scan()

    def give_up(self) -> None:
        """The line is quiet: the frame that stands unfinished will not be finished (a frame takes milliseconds)."""
        while self._pending:
            self._noise.append(self._pending.pop(0))
            self._scan()
        self._flush()

    def next_word(self) -> ReaderWord | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None

    def _scan(self) -> None:
        pending = self._pending
        while pending:
            start = pending.find(self._head)
            skip = len(pending) if start < 0 else start
            self._noise += pending[:skip]
            del pending[:skip]
            if not pending:
                break
            size = self._size(pending)
            if size is None or (size > 0 and len(pending) < size):
                break  # not enough to tell
            frame = bytes(pending[:size])
            word = self._open(frame) if size > 0 else None
            if word is None:
                self._noise.append(pending.pop(0))
                continue
            del pending[:size]
            self._flush()
            self._words.append(word)
        if len(self._noise) > MAX_PARAMETERS:
            self._flush()

    def _flush(self) -> None:
        if self._noise:
            self._words.append(Garbage(bytes(self._noise), "no frame with the right length and sum"))
            self._noise.clear()


def _bb_size(pending: bytearray) -> int | None:
    """Bytes of the frame that begins here; 0: none does; None: too early to tell."""
    if len(pending) > 1 and pending[1] > BB_NOTICE:
        return 0
    if len(pending) < 5:
        return None
    parameters = int.from_bytes(pending[3:5], "big")
    return 7 + parameters if parameters <= MAX_PARAMETERS else 0


def _bb_open(frame: bytes) -> ReaderWord | Garbage | None:
    if frame[-1] != BB_END or frame[-2] != sum(frame[1:-2]) & 0xFF:
        return None
    kind, command, parameters = frame[1], frame[2], frame[5:-2]
    if kind == BB_NOTICE and command == BB_ONE_ROUND:
        return _bb_tag(frame, parameters)
    if command == BB_ERROR:
        if parameters[:1] == bytes((BB_NO_TAG,)):
            return RoundDone(found=0)
        return ReaderSays(command=command, error=parameters[0] if parameters else None, parameters=parameters)
    return ReaderSays(command=command, error=None, parameters=parameters)


def _bb_tag(frame: bytes, parameters: bytes) -> TagRead | Garbage:
    """Strength, PC(2), EPC, CRC(2), and the antenna where the module has several."""
    if len(parameters) < 5:
        return Garbage(frame, "a tag notice without a tag")
    epc_end = 3 + _epc_bytes(parameters[1:3])
    beyond = len(parameters) - epc_end - 2
    if epc_end == 3 or beyond not in (0, 1):
        return Garbage(frame, "the tag's PC word does not fit the frame's length")
    if tag_crc(parameters[1:epc_end]) != int.from_bytes(parameters[epc_end : epc_end + 2], "big"):
        return Garbage(frame, "the tag's own CRC is wrong")
    return TagRead(
        epc=parameters[3:epc_end],
        rssi_dbm=int.from_bytes(parameters[:1], "big", signed=True),
        antenna=parameters[-1] if beyond else None,
        raw=frame,
    )


def _a0_size(pending: bytearray) -> int | None:
    """As `_bb_size`."""
    if len(pending) < 2:
        return None
    return 2 + pending[1] if 3 <= pending[1] <= MAX_PARAMETERS else 0


def _a0_open(frame: bytes) -> ReaderWord | Garbage | None:
    if sum(frame) & 0xFF:
        return None
    command, parameters = frame[3], frame[4:-1]
    if command not in A0_INVENTORIES:
        return ReaderSays(command=command, error=None, parameters=parameters)
    if len(parameters) == 1:
        return ReaderSays(command=command, error=parameters[0], parameters=parameters)
    if len(parameters) == 7:
        # antenna, reads a second (2), reads (4); after 8A: reads (3), milliseconds (4)
        found = parameters[:3] if command == A0_FAST else parameters[3:]
        return RoundDone(found=int.from_bytes(found, "big"))
    if len(parameters) < 6 or len(parameters) != 4 + _epc_bytes(parameters[1:3]):
        return Garbage(frame, "the tag's PC word does not fit the frame's length")
    strength = parameters[-1]
    antenna = (parameters[0] & 0x03) + 1 + (4 if strength & A0_ANTENNAS_BEYOND_4 else 0)
    rssi_dbm = (strength & ~A0_ANTENNAS_BEYOND_4) - A0_RSSI_OFFSET
    return TagRead(epc=parameters[3:-1], rssi_dbm=rssi_dbm, antenna=antenna, raw=frame)


def _epc_bytes(pc: bytes) -> int:
    """The top five bits of the PC word count the EPC's words of 16 bits."""
    return (pc[0] >> 3) * 2


_DIALECTS: dict[
    Dialect,
    tuple[bytes, Callable[[bytearray], int | None], Callable[[bytes], ReaderWord | Garbage | None]],
] = {
    "uhf-bb": (bytes((BB_HEAD,)), _bb_size, _bb_open),
    "uhf-a0": (bytes((A0_HEAD,)), _a0_size, _a0_open),
}
