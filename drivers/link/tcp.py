"""A byte stream over TCP, as serial device servers offer it."""

import asyncio
import socket
from typing import cast

from drivers.faults import LinkLost, NoAnswer, OpenFailed
from drivers.kinds import Clock
from drivers.link.config import TcpLinkConfig
from drivers.link.stream import Box
from drivers.readings import Chunk

OPEN_S = 3.0
"""A serial server on the port's own network answers within milliseconds; a switch that reboots takes longer anyway."""

CLOSE_S = 1.0
"""Only our own event loop is waited for."""


class TcpLink:
    """One connection."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._box = Box(name, clock)
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()

    @property
    def lost_bytes(self) -> int:
        """Dropped because nobody read in time."""
        return self._box.lost_bytes

    async def read(self, deadline_s: float) -> Chunk:
        """As Link.read."""
        return (await self._box.take(deadline_s))[0]

    async def write(self, data: bytes, deadline_s: float) -> None:
        """As Link.write. A command that could not leave whole ends the link: the next must not finish it."""
        if self._transport is None or self._box.ended is not None:
            raise LinkLost(self.name, self._box.ended or "closed")
        self._transport.write(data)
        try:
            async with self._clock.timeout(deadline_s):
                await self._writable.wait()
        except TimeoutError as late:
            raise NoAnswer(self.name, f"took no bytes for {deadline_s:g} s") from late
        finally:
            if not self._writable.is_set():
                self._end("a command was cut off")
        if self._box.ended is not None:
            raise LinkLost(self.name, self._box.ended)

    async def close(self) -> None:
        """As Link.close."""
        self._end("closed by us")
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._gone.wait()
        except TimeoutError:
            return

    def _end(self, why: str) -> None:
        self._box.end(why)
        self._writable.set()
        if self._transport is None:
            self._gone.set()
        else:
            self._transport.abort()

    def protocol(self) -> asyncio.Protocol:
        """The event loop's side of this link."""
        return _Protocol(self)

    def made(self, transport: asyncio.Transport) -> None:
        """The connection stands."""
        transport.set_write_buffer_limits(high=0)
        self._transport = transport

    def received(self, data: bytes) -> None:
        """Bytes came."""
        self._box.put(data)

    def lost(self, why: str) -> None:
        """The connection is gone."""
        self._box.end(why)
        self._writable.set()
        self._gone.set()
        self._transport = None

    def may_write(self, *, yes: bool) -> None:
        """The kernel's buffer has room, or has not."""
        if yes:
            self._writable.set()
        else:
            self._writable.clear()


class _Protocol(asyncio.Protocol):
    def __init__(self, link: TcpLink) -> None:
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from the class that describes them.
        self._link.made(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        self._link.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lost("the other side closed the connection" if exc is None else str(exc))

    def pause_writing(self) -> None:
        self._link.may_write(yes=False)

    def resume_writing(self) -> None:
        self._link.may_write(yes=True)


async def open_tcp(config: TcpLinkConfig, clock: Clock) -> TcpLink:
    """Connect. Raises OpenFailed."""
    link = TcpLink(config.label, clock)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(OPEN_S):
            transport, _ = await loop.create_connection(link.protocol, config.host, config.port)
    except TimeoutError as late:
        raise OpenFailed(link.name, f"no connection within {OPEN_S:g} s") from late
    except OSError as wrong:
        raise OpenFailed(link.name, wrong.strerror or str(wrong)) from wrong
    line: socket.socket = transport.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # A cable that is cut says nothing: three unanswered probes two seconds apart, after five silent seconds, end it.
    for option, seconds in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return link
