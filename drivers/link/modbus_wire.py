"""One life of one Modbus connection: requests go out once, answers come home, an end has one reason.

    requests    one at a time, each handed to the wire exactly once: nothing in this file sends anything twice
    answers     belong to the request they answer: transaction number (TCP), unit, function, address, length
    silence     NoAnswer, and the connection is finished: a late answer finds no one who could take it for his own
    refusal     an exception answer is Refused with the module's own code; the connection lives on
    nonsense    TheirMistake, and the connection is finished

Deadlines here are seconds of the real world: the wire and the module take their own time, however fast a simulated
day runs.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol, cast

from drivers.faults import DriverFault, LinkLost, NoAnswer, Refused, TheirMistake
from drivers.link.recording import Tap
from drivers.readings import Tally

OPEN_DEADLINE_S: Final = 3.0
"""A lost SYN is sent again after 1 s and after 3 s: time for one loss."""
ANSWER_DEADLINE_S: Final = 0.5
"""Lane modules answer within 50 ms; a radio bridge, or a gateway to a 9600-baud line, within 300 ms."""
LATE_ANSWER_S: Final = ANSWER_DEADLINE_S
"""A serial line has no transaction numbers: what the life before had asked for may still arrive after opening."""
QUIET_CHARS: Final = 3.5
"""Silence between RTU frames (Modbus over serial line 1.02, 2.5.1.1) .."""
QUIET_FLOOR_S: Final = 0.00175
""".. and its fixed value above 19200 baud."""
MBAP_LENGTHS: Final = range(3, 255)
"""Unit, function and at least one byte; at most the unit and a PDU of 253 (Modbus messaging on TCP/IP 1.0b, 3.1.3)."""
RTU_CEILING: Final = 2 * 256
"""The longest RTU frame there is, and as much noise before it."""

EXCEPTION_WORDS: Final = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "accepted, still working",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway has no path",
    11: "gateway got no answer from the unit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Real seconds. A site behind a slow bridge may need longer ones."""

    open_s: float = OPEN_DEADLINE_S
    answer_s: float = ANSWER_DEADLINE_S
    late_s: float = LATE_ANSWER_S


DEADLINES: Final = Deadlines()


class Framer(Protocol):
    """The library's part: bytes around a PDU, and back."""

    def encode(self, payload: bytes, device_id: int, tid: int, /) -> bytes:
        """The frame."""
        ...

    def decode(self, data: bytes, /) -> tuple[int, int, int, bytes]:
        """Length used (0: not whole), unit, transaction, PDU (empty: checksum is wrong)."""
        ...


@dataclass(slots=True)
class Asked:
    """The request that is on the wire, and how its answer must begin and how long its PDU must be."""

    tid: int
    head: bytes
    size: int
    answer: "asyncio.Future[bytes]"
    raw: bytes = b""
    """What came for it, as it came: the whole frame, and the noise around it."""
    gone: "asyncio.Future[None] | None" = None
    """Set by a caller who waits until the answer to a cancelled request is off the wire."""


class Wire(asyncio.Protocol):
    """One life of one connection: hands over requests, finds their answers, knows when it has ended and why."""

    def __init__(self, label: str, unit: int, deadlines: Deadlines) -> None:
        self.tally = Tally()
        self.tap: Tap | None = None
        """Where bytes go that nobody asked for."""
        self._label = label
        self._unit = unit
        self._answer_s = deadlines.answer_s
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._asked: Asked | None = None
        self._ended: DriverFault | None = None
        self._told = False
        self._due = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._tid = 0

    def frame(self, payload: bytes) -> bytes:
        """The bytes for the wire."""
        raise NotImplementedError

    def take(self, asked: Asked) -> bytes | None:
        """The PDU of the whole frame in the buffer, None while it is not whole. Raises TheirMistake."""
        raise NotImplementedError

    def unasked(self, data: bytes) -> None:
        """Bytes came while nothing was asked."""
        raise NotImplementedError

    async def ready(self) -> None:
        """Return when the line is free for a request."""

    async def exchange(self, payload: bytes, head: bytes, size: int, tap: Tap | None = None) -> bytes:
        """Put one request on the wire, once; its answer's PDU. `tap` is told of both as they pass."""
        async with self._turn:
            if (orphan := self._asked) is not None:
                orphan.gone = self._loop.create_future()
                await orphan.gone
            await self.ready()
            if self._ended is not None or self._transport is None:
                raise self._why()
            self._tid = self._tid % 0xFFFF + 1
            answer: asyncio.Future[bytes] = self._loop.create_future()
            self._asked = Asked(self._tid, head, size, answer)
            self._due = self._loop.time() + self._answer_s
            if self._watch is None:
                self._watch = self._loop.call_at(self._due, self._look)
            frame = self.frame(payload)
            if tap is not None:
                tap.sent(frame)
            self._transport.write(frame)
            if tap is None:
                return await answer
            asked = self._asked
            try:
                pdu = await answer
            except DriverFault as fault:
                if asked.raw:
                    tap.received(asked.raw)
                if not isinstance(fault, Refused):
                    tap.failed(fault)
                raise
            tap.received(asked.raw)
            return pdu

    def end(self, fault: DriverFault) -> None:
        """The connection has ended: whoever waits, or else the next who asks, is told why. The first end counts."""
        if self._ended is not None:
            return
        self._ended = fault
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()  # bytes that have not left yet must not leave later
        if (asked := self._asked) is not None:
            self._asked = None
            if not asked.answer.done():
                self._told = True
                asked.answer.set_exception(fault)
            _release(asked)

    async def pause(self, seconds: float) -> None:
        """Wait that many seconds of the wire."""
        done: asyncio.Future[None] = self._loop.create_future()
        timer = self._loop.call_later(seconds, done.set_result, None)
        try:
            await done
        finally:
            timer.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The library's word that the connection stands."""
        self._transport = cast("asyncio.Transport", transport)
        if self._ended is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The library's word that it has gone."""
        self.end(LinkLost(self._label, str(exc) if exc else "closed by the other side"))

    def data_received(self, data: bytes) -> None:
        """Bytes from the module."""
        if self._ended is not None:
            return
        if (asked := self._asked) is None:
            if self.tap is not None:
                self.tap.received(data)
            self.unasked(data)
            return
        self._buffer = self._buffer + data if self._buffer else data
        asked.raw = self._buffer
        try:
            pdu = self.take(asked)
        except TheirMistake as wrong:
            self.tally.garbage += 1
            self.tally.garbage_bytes += len(self._buffer)
            self.end(wrong)
            return
        if pdu is None:
            return
        self.tally.words += 1
        self._asked = None
        if not asked.answer.done():
            if pdu[0] & 0x80:
                asked.answer.set_exception(self._refusal(asked, pdu[1]))
            else:
                asked.answer.set_result(pdu)
        _release(asked)

    def answer_in(self, raw: bytes, head: bytes, size: int) -> bytes | None:
        """The PDU in bytes that came for such a question; None when they hold no whole frame. Raises as `exchange`."""
        self._buffer = raw
        asked = Asked(int.from_bytes(raw[:2], "big"), head, size, self._loop.create_future())
        pdu = self.take(asked)
        if pdu is not None and pdu[0] & 0x80:
            raise self._refusal(asked, pdu[1])
        return pdu

    def judge(self, asked: Asked, pdu: bytes) -> bytes:
        """`pdu` when it answers what was asked, or refuses it. Raises TheirMistake."""
        if len(pdu) == asked.size and pdu.startswith(asked.head):
            return pdu
        if len(pdu) == 2 and pdu[0] == asked.head[0] | 0x80:
            return pdu
        raise self.wrong(f"{pdu.hex(' ')} does not answer {asked.head.hex(' ')}.. with {asked.size} bytes")

    def wrong(self, what: str) -> TheirMistake:
        """The fault, with our name on it."""
        return TheirMistake(self._label, what)

    def _refusal(self, asked: Asked, code: int) -> Refused:
        return Refused(self._label, f"function {asked.head[0]}: {EXCEPTION_WORDS.get(code, 'unknown exception')}", code)

    def _look(self) -> None:
        """One timer serves all requests: it looks whether the one that is on the wire now is overdue."""
        self._watch = None
        if self._asked is None:
            return
        if self._loop.time() < self._due:
            self._watch = self._loop.call_at(self._due, self._look)
        else:
            self.end(NoAnswer(self._label, f"no answer within {self._answer_s} s"))

    def _why(self) -> DriverFault:
        if self._ended is None:
            return LinkLost(self._label, "not open")
        if self._told:
            return LinkLost(self._label, f"ended before: {self._ended.what}")
        self._told = True
        return self._ended


def _release(asked: Asked) -> None:
    if asked.gone is not None and not asked.gone.done():
        asked.gone.set_result(None)


class TcpWire(Wire):
    """Modbus/TCP: a header with a transaction number and a length."""

    def __init__(self, label: str, unit: int, deadlines: Deadlines, framer: Framer) -> None:
        super().__init__(label, unit, deadlines)
        self._framer = framer

    def frame(self, payload: bytes) -> bytes:
        """With the number of this transaction."""
        return self._framer.encode(payload, self._unit, self._tid)

    def take(self, asked: Asked) -> bytes | None:
        """A header that cannot be one ends the wait at once: the library would wait for more."""
        buffer = self._buffer
        if len(buffer) < 6:
            return None
        if buffer[2:4] != b"\0\0" or int.from_bytes(buffer[4:6], "big") not in MBAP_LENGTHS:
            raise self.wrong(f"no Modbus header: {buffer[:8].hex(' ')}")
        used, unit, tid, pdu = self._framer.decode(buffer)
        if not used:
            return None
        if unit != self._unit or tid != asked.tid:
            raise self.wrong(f"unit {unit} answered transaction {tid}; asked was unit {self._unit}, {asked.tid}")
        if used != len(buffer):
            raise self.wrong(f"{len(buffer) - used} bytes after the answer")
        self._buffer = b""
        return self.judge(asked, pdu)

    def unasked(self, data: bytes) -> None:
        """Nothing may come that was not asked for: whose answer would it be?"""
        self.tally.garbage += 1
        self.tally.garbage_bytes += len(data)
        self.end(self.wrong(f"spoke unasked: {data[:16].hex(' ')}"))


class RtuWire(Wire):
    """Modbus RTU: unit and checksum, frames set apart by silence; a line may carry noise around a frame."""

    def __init__(self, label: str, unit: int, deadlines: Deadlines, framer: Framer, char_s: float) -> None:
        """`char_s`: seconds that one character takes on the line."""
        super().__init__(label, unit, deadlines)
        self._framer = framer
        self._late_s = deadlines.late_s
        self._quiet_s = max(QUIET_CHARS * char_s, QUIET_FLOOR_S)
        self._heard_at = 0.0

    async def late_answers_pass(self) -> None:
        """Let go by what the life before had asked for; a caller who does not wait that long closes the port."""
        try:
            await self.pause(self._late_s)
        except asyncio.CancelledError:
            self.end(LinkLost(self._label, "never used"))
            raise

    async def ready(self) -> None:
        """Wait out the silence that must stand between two frames."""
        if (wait_s := self._heard_at + self._quiet_s - self._loop.time()) > 0:
            await self.pause(wait_s)

    def frame(self, payload: bytes) -> bytes:
        """With unit and checksum."""
        return self._framer.encode(payload, self._unit, 0)

    def data_received(self, data: bytes) -> None:
        """Marks the line as busy."""
        self._heard_at = self._loop.time()
        super().data_received(data)

    def take(self, asked: Asked) -> bytes | None:
        """Passes over noise of the line that stands before the answer."""
        start = self._start(asked.head)
        if start < 0:
            if len(self._buffer) > RTU_CEILING:
                raise self.wrong(f"{len(self._buffer)} bytes and no frame among them")
            return None
        frame = self._buffer[start:]
        used, _, _, pdu = self._framer.decode(frame)
        if not used:
            if len(self._buffer) > RTU_CEILING:
                raise self.wrong(f"{len(self._buffer)} bytes and no whole frame")
            return None
        if not pdu:
            raise self.wrong(f"checksum is wrong: {frame[:16].hex(' ')}")
        noise = len(self._buffer) - len(pdu) - 3
        self._buffer = b""
        if noise:
            self.tally.garbage += 1
            self.tally.garbage_bytes += noise
        return self.judge(asked, pdu)

    def _start(self, head: bytes) -> int:
        """Where the answer begins, -1 while it does not: at once with unit and function, or anywhere as it must be."""
        refused = bytes((self._unit, head[0] | 0x80))
        if self._buffer.startswith((bytes((self._unit, head[0])), refused)):
            return 0
        at = self._buffer.find(bytes((self._unit,)) + head)
        return at if at >= 0 else self._buffer.find(refused)

    def unasked(self, data: bytes) -> None:
        """Noise when a transmitter lets go of the line, or a late answer of the life before."""
        self.tally.garbage += 1
        self.tally.garbage_bytes += len(data)
