"""Ends of real wires for the tests of the simulators, and a clock that is turned by hand."""

import asyncio
import os
import termios
import tty
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from simulators.clock import SimClock

DEADLINE_S = 10.0


class HandClock(SimClock):
    """Stands still until it is turned."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1_000_000.0

    def now(self) -> float:
        return self.at


class Line:
    """One end of a TCP connection or a serial line, with deadlines."""

    def __init__(self, reader: asyncio.StreamReader, write: Callable[[bytes], object]) -> None:
        self._reader = reader
        self.write = write

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.readexactly(count)

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.readuntil(mark)

    async def some(self) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.read(4096)


@asynccontextmanager
async def tcp_line(where: tuple[str, int]) -> AsyncGenerator[Line]:
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection(*where)
    try:
        yield Line(reader, writer.write)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def serial_line(path: str) -> AsyncGenerator[Line]:
    near = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(near, termios.TCSANOW)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    loop.add_reader(near, lambda: reader.feed_data(os.read(near, 4096)))
    try:

        def write(data: bytes) -> int:
            return os.write(near, data)

        yield Line(reader, write)
    finally:
        loop.remove_reader(near)
        os.close(near)


@asynccontextmanager
async def living(*lives: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """These run() coroutines live while the block lasts; a device that dies of an error fails the test."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(life) for life in lives]
        yield
        for task in tasks:
            task.cancel()


async def comes_true(what: Callable[[], bool], clock: SimClock) -> None:
    """Look until it is so; the deadline makes it an error."""
    async with asyncio.timeout(DEADLINE_S):
        while not what():
            await clock.sleep(0.02)
