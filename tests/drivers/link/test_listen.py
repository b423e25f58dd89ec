"""A TCP port of ours with many at the other end."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from drivers.faults import LinkLost, NoAnswer, OpenFailed
from drivers.link import TcpListenLink, open_port
from drivers.link.config import TcpListenConfig
from edge.clock import SiteClock
from tests.drivers.plugs import WITHIN_S

HERE = TcpListenConfig(listen_host="127.0.0.1", listen_port=0)


class Caller:
    """One that has dialled our port."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.name = "{}:{}".format(*line.getsockname())

    async def say(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.line, data)

    async def hear(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.line, 4096)

    async def is_left(self) -> bool:
        try:
            return await self.hear() == b""
        except ConnectionResetError:
            return True


@asynccontextmanager
async def opened(callers: int) -> AsyncGenerator[tuple[TcpListenLink, list[Caller]]]:
    """Each caller has said one byte, which was read."""
    link = await open_port(HERE, SiteClock())
    assert isinstance(link, TcpListenLink)
    lines: list[socket.socket] = []
    try:
        async with asyncio.timeout(WITHIN_S):
            for _ in range(callers):
                line = socket.socket()
                lines.append(line)
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                line.setblocking(False)
                await asyncio.get_running_loop().sock_connect(line, link.address)
                caller = Caller(line)
                await caller.say(b"!")
                chunk, who = await link.read_from(WITHIN_S)
                assert (chunk.data, who) == (b"!", caller.name)
            yield link, [Caller(line) for line in lines]
    finally:
        for line in lines:
            line.close()
        await link.close()


async def test_what_each_says_comes_with_its_name_and_its_end_with_nothing() -> None:
    async with opened(2) as (link, [one, two]):
        await one.say(b"a")
        chunk, who = await link.read_from(1)
        assert (chunk.data, who) == (b"a", one.name)
        await two.say(b"b")
        assert (await link.read(1)).data == b"b"
        assert link.clients == 2
        assert link.write_to(two.name, b"answer") and await two.hear() == b"answer"
        assert not link.write_to("10.0.0.1:1", b"answer")
        one.line.close()
        chunk, who = await link.read_from(1)
        assert (chunk.data, who) == (b"", one.name)
        link.hang_up(two.name)
        assert await two.is_left()
        with pytest.raises(NoAnswer):
            await link.read(0.05)
        await link.close()
        with pytest.raises(LinkLost):
            await link.read_from(1)
        with pytest.raises(LinkLost):
            _ = link.address
        with pytest.raises(LinkLost):
            await link.write(b"x", 1)


async def test_closing_ends_every_connection() -> None:
    async with opened(2) as (link, callers):
        await link.close()
        assert link.clients == 0
        for caller in callers:
            assert await caller.is_left()


async def test_a_port_that_is_taken_is_told() -> None:
    async with opened(0) as (link, _):
        taken = TcpListenConfig(listen_host="127.0.0.1", listen_port=link.address[1])
        with pytest.raises(OpenFailed, match=f":{link.address[1]}: "):
            await open_port(taken, SiteClock())


async def test_more_than_the_ceiling_are_turned_away_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.link.listen.MAX_CLIENTS", 1)
    async with opened(1) as (link, _):
        with socket.socket() as line:
            line.setblocking(False)
            await asyncio.get_running_loop().sock_connect(line, link.address)
            assert await Caller(line).is_left()
        assert (link.clients, link.refused) == (1, 1)


async def test_one_that_does_not_fetch_its_answers_is_ended() -> None:
    async with opened(1) as (link, [caller]):
        while link.write_to(caller.name, bytes(65536)):
            await asyncio.sleep(0)
        chunk, gone = await link.read_from(1)
        assert (chunk.data, gone, link.clients) == (b"", caller.name, 0)
