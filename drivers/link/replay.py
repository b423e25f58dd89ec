"""Plays a tape of the black box back to the drivers: the same bytes, in the same order, at the same instants.

The player is clock and wire at once. It hands one event to whoever waits for it, lets that task run until it waits for
the player again, and only then goes on: so a replay meets its world in the order in which the process met it, and
never in less or more time. Nothing that a driver sends reaches a wire.
"""

import asyncio
import contextlib
import heapq
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from drivers.faults import DriverFault, LinkLost, NoAnswer
from drivers.link.modbus import ModbusLink, unopened
from drivers.link.modbus_config import ModbusConfig, ModbusTcpConfig
from drivers.link.modbus_wire import DEADLINES, Wire
from drivers.link.recording import Tap
from drivers.link.tape import Kind, Record, sender_of
from drivers.readings import Chunk, Instant

TURNS: Final = 500
"""Rounds of the event loop in which a task that was handed something comes back for more; one that has not by then
waits for something else (another task, an event) and is not waited for."""

_MBAP, _UNIT, _CRC = 7, 1, 2
"""Bytes around a PDU: the header of Modbus/TCP; unit and checksum of RTU."""


@dataclass(slots=True)
class _Line:
    """One link's end of the tape."""

    waiting: deque[tuple[Chunk, str] | DriverFault] = field(default_factory=deque[tuple[Chunk, str] | DriverFault])
    fresh: bool = False
    """Opened on the tape and not yet taken by a driver."""
    begun: bool = False
    """Whether the tape has shown a life of it."""
    taken: bool = False
    asked: bool = False
    """Whether its driver asks (Modbus) or listens."""
    reader: "asyncio.Future[None] | None" = None
    opener: "asyncio.Future[None] | None" = None
    driver: "asyncio.Task[Any] | None" = None
    """Who asks."""
    question: bytes | None = None
    """The PDU that a driver has asked and waits on."""
    cut: slice = field(default_factory=lambda: slice(None))
    """Where a PDU stands in its frame."""
    matched: bool = False
    """Whether the tape has shown that very question on its way."""
    answer: "asyncio.Future[bytes] | None" = None


class Player:
    """One tape, or several in a row, played once."""

    def __init__(self, begins: Instant) -> None:
        self.now_at = begins
        self.unheard = 0
        """Events of links that no driver has opened: the site file has other instruments today."""
        self.unasked = 0
        """Questions on the tape that no driver asked this time."""
        self._lines: dict[str, _Line] = {}
        self._sleepers: list[tuple[float, int, asyncio.Future[None], asyncio.Task[Any] | None]] = []
        self._count = 0
        self._running: set[asyncio.Task[Any]] = set()

    def clock(self) -> "TapeClock":
        """The time on the tape."""
        return TapeClock(self)

    async def play(self, records: Iterable[Record], mark: Callable[[Instant, dict[str, Any]], None]) -> None:
        """All of it. `mark` is told what the process said of its own thinking, where it said it."""
        await self._settle()
        for record in records:
            await self._sleep_until(record.at)
            if record.kind is Kind.MARK:
                mark(record.at, msgspec.json.decode(record.payload))
            else:
                await self._deliver(record)
            await self._settle()

    async def open_stream(self, name: str) -> "ReplayedLink":
        """The next life of a link, when the tape comes to it."""
        await self._opened(name, asked=False)
        return ReplayedLink(self, name)

    async def open_modbus(self, name: str, config: ModbusConfig) -> ModbusLink:
        """The same for a module: the tape answers what the driver asks."""
        await self._opened(name, asked=True)
        return ModbusLink(name, _ReplayedWire(self, name, config))

    async def read(self, name: str) -> tuple[Chunk, str]:
        """The next bytes of a link and their sender. Raises as the link did."""
        line = self._line(name)
        while not line.waiting:
            line.reader = self._future()
            await self._wait(line.reader)
        given = line.waiting.popleft()
        if isinstance(given, DriverFault):
            raise given
        return given

    async def ask(self, name: str, pdu: bytes, cut: slice) -> bytes:
        """What came for the same question, as it came; `cut` takes a question's PDU from its frame."""
        line = self._line(name)
        line.driver = asyncio.current_task()
        line.question, line.cut, line.matched, line.answer = pdu, cut, False, self._future()
        answer = line.answer
        try:
            return await self._wait(answer)
        finally:
            if line.answer is answer:
                line.question, line.answer = None, None

    async def sleep(self, seconds: float) -> None:
        """Until the tape is so much further."""
        self._count += 1
        until: asyncio.Future[None] = self._future()
        due = self.now_at + max(0.0, seconds)
        heapq.heappush(self._sleepers, (due, self._count, until, asyncio.current_task()))
        await self._wait(until)

    async def _opened(self, name: str, *, asked: bool) -> None:
        line = self._line(name)
        line.taken, line.asked = True, asked
        while not line.fresh:
            line.opener = self._future()
            await self._wait(line.opener)
        line.fresh = False

    async def _deliver(self, record: Record) -> None:
        if record.kind in (Kind.NAME, Kind.MISSED):
            return
        line = self._line(record.link)
        if not line.taken:
            self.unheard += 1
            return
        payload = record.payload
        match record.kind:
            case Kind.STANDING if line.begun:
                return
            case Kind.OPENED | Kind.STANDING:
                line.fresh = line.begun = True
                line.waiting.clear()
                _wake(line.opener)
            case Kind.SENT if line.asked:
                await self._asked_by_now(line)
                line.matched = line.question is not None and payload[line.cut] == line.question
                if not line.matched:
                    self.unasked += 1
            case Kind.RECEIVED if line.asked:
                if line.matched and line.answer is not None and not line.answer.done():
                    line.answer.set_result(payload)
            case Kind.RECEIVED | Kind.DATAGRAM:
                sender, data = sender_of(payload) if record.kind is Kind.DATAGRAM else ("", payload)
                line.waiting.append((Chunk(data, record.at), sender))
                _wake(line.reader)
            case Kind.SILENT | Kind.ENDED:
                fault = (NoAnswer if record.kind is Kind.SILENT else LinkLost)(
                    record.link, payload.decode("utf-8", "replace")
                )
                if not line.asked:
                    line.waiting.append(fault)
                    _wake(line.reader)
                elif line.answer is not None and not line.answer.done():
                    line.answer.set_exception(fault)
            case _:
                return

    async def _asked_by_now(self, line: _Line) -> None:
        """The tape asks, our driver still sleeps: its beat of then was another by a hair, and the tape's counts."""
        if line.question is not None:
            return
        for sleeper in self._sleepers:
            if sleeper[3] is line.driver and not sleeper[2].done():
                _wake(sleeper[2])
                await self._settle()
                return

    def _line(self, name: str) -> _Line:
        return self._lines.setdefault(name, _Line())

    async def _sleep_until(self, at: Instant) -> None:
        while self._sleepers and self._sleepers[0][0] <= at:
            due, _, sleeper, _ = heapq.heappop(self._sleepers)
            self.now_at = Instant(max(self.now_at, due))
            _wake(sleeper)
            await self._settle()
        self.now_at = Instant(max(self.now_at, at))

    async def _wait(self, future: "asyncio.Future[Any]") -> Any:
        task = asyncio.current_task()
        assert task is not None
        self._running.discard(task)
        try:
            return await future
        finally:
            self._running.add(task)

    async def _settle(self) -> None:
        """Let everybody run until all wait for the tape again."""
        for _ in range(TURNS):
            await self._turn()
            self._running = {task for task in self._running if not task.done()}
            if not self._running:
                await self._turn()  # a task that has just begun says so in its first turn
                if not self._running:
                    return
        self._running.clear()

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = self._future()
        asyncio.get_running_loop().call_soon(_wake, turn)
        await turn

    @staticmethod
    def _future() -> "asyncio.Future[Any]":
        return asyncio.get_running_loop().create_future()


def _wake(future: "asyncio.Future[None] | None") -> None:
    if future is not None and not future.done():
        future.set_result(None)


class TapeClock:
    """A Clock whose seconds are those of the tape; nothing ever times out but what timed out then."""

    speed = 1.0

    def __init__(self, player: Player) -> None:
        self._player = player

    def now(self) -> Instant:
        """As Clock.now."""
        return self._player.now_at

    async def sleep(self, seconds: float) -> None:
        """As Clock.sleep."""
        await self._player.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:  # noqa: ARG002 - the tape tells
        """As Clock.timeout."""
        return _never()

    def step_s(self) -> float:
        """The system clock's steps are not on the tape."""
        return 0.0


@contextlib.asynccontextmanager
async def _never() -> AsyncGenerator[None]:
    yield


class ReplayedLink:
    """One recorded life of a byte stream."""

    def __init__(self, player: Player, name: str) -> None:
        self.name = name
        self._player = player

    async def read(self, deadline_s: float) -> Chunk:  # noqa: ARG002 - the tape tells
        """As Link.read."""
        return (await self._player.read(self.name))[0]

    async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:  # noqa: ARG002 - the tape tells
        """As UdpLink.read_from."""
        return await self._player.read(self.name)

    async def write(self, data: bytes, deadline_s: float) -> None:
        """Goes nowhere."""

    async def close(self) -> None:
        """As Link.close."""


class _ReplayedWire(Wire):
    """A connection whose answers are on the tape."""

    def __init__(self, player: Player, name: str, config: ModbusConfig) -> None:
        super().__init__(name, config.unit, DEADLINES)
        self._player = player
        self._mind = unopened(config)
        self._cut = slice(_MBAP, None) if isinstance(config, ModbusTcpConfig) else slice(_UNIT, -_CRC)

    async def exchange(self, payload: bytes, head: bytes, size: int, tap: Tap | None = None) -> bytes:  # noqa: ARG002
        """The answer that came then."""
        async with self._turn:
            answer: bytes | None = None
            while answer is None:
                raw = await self._player.ask(self._label, payload, self._cut)
                answer = self._mind.answer_in(raw, head, size)
            self.tally.words += 1
            return answer

    def end(self, fault: DriverFault) -> None:
        """Nothing stands that could end."""
