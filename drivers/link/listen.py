"""A TCP port of ours to which many instruments connect, each a stream of its own."""

import asyncio
import socket
from typing import cast

from drivers.faults import LinkLost, OpenFailed
from drivers.kinds import Clock
from drivers.link.config import TcpListenConfig
from drivers.link.stream import Box
from drivers.readings import Chunk

MAX_CLIENTS = 4000
"""Twice the trackers that are told apart; a file descriptor each. One more is closed at once, and counted."""
UNSENT_CEILING = 16 * 1024
"""Bytes that a client has not fetched: some hundred answers. Such a client is gone, or not one of ours."""
CLOSE_S = 1.0
"""Only our own event loop is waited for."""


class TcpListenLink:
    """One open port. What a client says comes with who it is; an empty chunk says that a client has gone."""

    whole = False
    """What is read is a piece of a stream, not a message as it was sent."""

    def __init__(self, config: TcpListenConfig, clock: Clock) -> None:
        self.name = config.label
        self.refused = 0
        """Connections closed because there were MAX_CLIENTS."""
        self._box = Box(self.name, clock)
        self._server: asyncio.Server | None = None
        self._clients: dict[str, asyncio.Transport] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def lost_bytes(self) -> int:
        """Dropped because nobody read in time."""
        return self._box.lost_bytes

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    @property
    def address(self) -> tuple[str, int]:
        """Where we listen. Raises LinkLost when closed."""
        if self._server is None:
            raise LinkLost(self.name, "closed")
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def read(self, deadline_s: float) -> Chunk:
        """As Link.read: bytes of any client."""
        while not (chunk := (await self._box.take(deadline_s))[0]).data:
            pass
        return chunk

    async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:
        """Bytes and their sender as `host:port`; no bytes: it has hung up. Raises NoAnswer, LinkLost."""
        return await self._box.take(deadline_s)

    async def write(self, data: bytes, deadline_s: float) -> None:  # noqa: ARG002 - the shape of Link
        """Nobody is meant: an answer goes to the one who asked, by `write_to`."""
        raise LinkLost(self.name, f"{len(data)} bytes for nobody")

    def write_to(self, client: str, data: bytes) -> bool:
        """Hand bytes to this client's connection; False when it is gone, or does not fetch what it is sent."""
        transport = self._clients.get(client)
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > UNSENT_CEILING:
            transport.abort()
            return False
        transport.write(data)
        return True

    def hang_up(self, client: str) -> None:
        """End this client's connection."""
        if (transport := self._clients.get(client)) is not None:
            transport.abort()

    async def close(self) -> None:
        """As Link.close."""
        self._box.end("closed by us")
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in list(self._clients.values()):
            transport.abort()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._empty.wait()
        except TimeoutError:
            return

    def made(self, transport: asyncio.Transport) -> str:
        """A client has connected; who it is, or nothing when there are too many."""
        peer = transport.get_extra_info("peername")
        if self._box.ended is not None or len(self._clients) >= MAX_CLIENTS or peer is None:
            self.refused += 1
            transport.abort()
            return ""
        line: socket.socket = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = f"{peer[0]}:{peer[1]}"
        self._clients[client] = transport
        self._empty.clear()
        return client

    def received(self, data: bytes, client: str) -> None:
        """Bytes came."""
        self._box.put(data, client)

    def lost(self, client: str) -> None:
        """A client is gone."""
        if self._clients.pop(client, None) is not None:
            self._box.put(b"", client)
        if not self._clients:
            self._empty.set()

    async def listen(self, host: str, port: int) -> None:
        """Open the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Protocol(self), host, port, backlog=512)
        here, number = self.address
        self.name = self._box.name = f"tcp-listen:{here}:{number}"


class _Protocol(asyncio.Protocol):
    def __init__(self, link: TcpListenLink) -> None:
        self._link = link
        self._client = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from the class that describes them.
        self._client = self._link.made(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        if self._client:
            self._link.received(data, self._client)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the shape of asyncio
        if self._client:
            self._link.lost(self._client)


async def open_listen(config: TcpListenConfig, clock: Clock) -> TcpListenLink:
    """Listen. Raises OpenFailed."""
    link = TcpListenLink(config, clock)
    try:
        await link.listen(config.listen_host, config.listen_port)
    except OSError as wrong:
        raise OpenFailed(link.name, wrong.strerror or str(wrong)) from wrong
    return link
