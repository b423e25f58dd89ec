"""The other end of a wire, for driver tests: one that is scripted, with its own time, and real ones."""

import asyncio
import os
import socket
import tty
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from drivers.faults import DriverFault, LinkLost, NoAnswer
from drivers.readings import Chunk, Instant

T = TypeVar("T")
WITHIN_S = 10.0
"""Of real time: far above what a loaded machine needs, and below the suite's own limit."""


class ScriptClock:
    """Time that passes only when somebody waits."""

    speed = 1.0

    def __init__(self, at: float = 1_795_435_200.0) -> None:
        self.at = at

    def now(self) -> Instant:
        return Instant(self.at)

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(WITHIN_S)


class ScriptLink:
    """Gives what its script says: bytes, so many seconds of silence, and LinkLost at the end.

    `answer` makes bytes of what is written; they come before the rest of the script.
    """

    name = "script:1"

    def __init__(
        self, clock: ScriptClock, script: list[bytes | float], answer: Callable[[bytes], bytes | None] | None = None
    ) -> None:
        self.written: list[bytes] = []
        self._clock = clock
        self._script = script
        self._answer = answer

    async def read(self, deadline_s: float) -> Chunk:
        await asyncio.sleep(0)
        if not self._script:
            raise LinkLost(self.name, "end of the script")
        step = self._script[0]
        if isinstance(step, bytes):
            return Chunk(self._script.pop(0), self._clock.now())  # type: ignore[arg-type]
        passed = min(step, deadline_s)
        self._clock.at += passed
        if step > deadline_s:
            self._script[0] = step - passed
            raise NoAnswer(self.name, f"silent for {deadline_s} s")
        self._script.pop(0)
        if not self._script:
            raise LinkLost(self.name, "end of the script")
        return await self.read(deadline_s - passed or 1e-9)

    async def write(self, data: bytes, deadline_s: float) -> None:
        self.written.append(data)
        if self._answer and (answer := self._answer(data)):
            self._script.insert(0, answer)

    async def close(self) -> None:
        self._script.clear()


class Peer:
    """A device on a real wire."""

    def __init__(self, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> None:
        self.send = send
        self.hang_up = hang_up
        self.heard = bytearray()
        self.news = asyncio.Event()

    def hear(self, data: bytes) -> None:
        self.heard += data
        self.news.set()

    async def heard_at_least(self, size: int) -> bytes:
        async with asyncio.timeout(WITHIN_S):
            while len(self.heard) < size:
                self.news.clear()
                await self.news.wait()
        return bytes(self.heard)


@asynccontextmanager
async def tcp_device() -> AsyncGenerator[tuple[int, "asyncio.Future[Peer]"]]:
    """A port, and the peer as soon as somebody has connected."""
    connected: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

    class Device(asyncio.Protocol):
        peer: Peer

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.peer = Peer(transport.write, transport.close)
            connected.set_result(self.peer)

        def data_received(self, data: bytes) -> None:
            self.peer.hear(data)

    server = await asyncio.get_running_loop().create_server(Device, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], connected
    finally:
        if connected.done():
            connected.result().hang_up()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def pty_device() -> AsyncGenerator[tuple[str, Peer]]:
    """The path of a serial port, and who is at its other end."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    loop = asyncio.get_running_loop()
    open_ = [master, slave]

    def hang_up() -> None:
        loop.remove_reader(master)
        while open_:
            os.close(open_.pop())

    peer = Peer(lambda data: (os.write(master, data), None)[1], hang_up)

    def readable() -> None:
        try:
            peer.hear(os.read(master, 4096))
        except OSError:
            loop.remove_reader(master)

    loop.add_reader(master, readable)
    try:
        yield os.ttyname(slave), peer
    finally:
        hang_up()


def free_udp_port() -> tuple[str, int]:
    """One that was free a moment ago: a site names its port, so a link cannot pick one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()


def udp_send(to: tuple[str, int], *datagrams: bytes) -> str:
    """From a new port, which is returned as `host:port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        for each in datagrams:
            s.sendto(each, to)
        return "{}:{}".format(*s.getsockname())


async def gather_words(words: AsyncIterator[T], count: int) -> list[T]:
    """So many words, or what came within the time."""
    found: list[T] = []
    async with asyncio.timeout(WITHIN_S):
        async for word in words:
            found.append(word)
            if len(found) == count:
                break
    return found


async def until_fault(words: AsyncIterator[T]) -> tuple[list[T], DriverFault]:
    """All words, and the fault that ended them."""
    found: list[T] = []
    try:
        async with asyncio.timeout(WITHIN_S):
            async for word in words:
                found.append(word)
    except DriverFault as fault:
        return found, fault
    raise AssertionError("the words ended without a fault")
