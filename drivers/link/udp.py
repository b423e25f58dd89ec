"""Datagrams of many instruments on one port of ours."""

import asyncio
from typing import cast

from drivers.faults import LinkLost, OpenFailed
from drivers.kinds import Clock
from drivers.link.config import UdpLinkConfig
from drivers.link.stream import Box
from drivers.readings import Chunk


class UdpLink:
    """One open port. Writing goes to the one who spoke last."""

    whole = True
    """What is read is a message as it was sent, not a piece of a stream."""

    def __init__(self, config: UdpLinkConfig, clock: Clock) -> None:
        self.name = config.label
        self._box = Box(self.name, clock)
        self._transport: asyncio.DatagramTransport | None = None
        self._last: tuple[str, int] | None = None

    @property
    def lost_bytes(self) -> int:
        """Dropped because nobody read in time."""
        return self._box.lost_bytes

    @property
    def address(self) -> tuple[str, int]:
        """Where we listen. Raises LinkLost when closed."""
        if self._transport is None:
            raise LinkLost(self.name, "closed")
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    async def read(self, deadline_s: float) -> Chunk:
        """As Link.read: one datagram."""
        return (await self._box.take(deadline_s))[0]

    async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:
        """One datagram and its sender as `host:port`. Raises as `read`."""
        return await self._box.take(deadline_s)

    async def write(self, data: bytes, deadline_s: float) -> None:  # noqa: ARG002 - a datagram is gone at once
        """As Link.write."""
        if self._transport is None or self._last is None:
            raise LinkLost(self.name, "nobody has spoken yet" if self._transport else "closed")
        self._transport.sendto(data, self._last)

    def write_to(self, client: str, data: bytes) -> bool:
        """A datagram to who spoke as `host:port`; False when the port is closed."""
        host, _, port = client.rpartition(":")
        if self._transport is None:
            return False
        self._transport.sendto(data, (host, int(port)))
        return True

    def hang_up(self, client: str) -> None:
        """Datagrams have no connection that could end."""

    async def close(self) -> None:
        """As Link.close."""
        self._box.end("closed by us")
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def made(self, transport: asyncio.DatagramTransport) -> None:
        """The port is open."""
        self._transport = transport
        host, port = self.address
        self.name = self._box.name = f"udp:{host}:{port}"

    def received(self, data: bytes, sender: tuple[str, int]) -> None:
        """A datagram came."""
        self._last = sender
        if data:
            self._box.put(data, f"{sender[0]}:{sender[1]}")

    def lost(self, why: str) -> None:
        """The port is gone."""
        self._box.end(why)


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, link: UdpLink) -> None:
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's own datagram transport does not inherit from the class that describes it.
        self._link.made(cast("asyncio.DatagramTransport", transport))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._link.received(data, addr)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lost("closed" if exc is None else str(exc))


async def open_udp(config: UdpLinkConfig, clock: Clock) -> UdpLink:
    """Listen. Raises OpenFailed."""
    link = UdpLink(config, clock)
    try:
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Protocol(link), local_addr=(config.listen_host, config.listen_port)
        )
    except OSError as wrong:
        raise OpenFailed(link.name, wrong.strerror or str(wrong)) from wrong
    return link
