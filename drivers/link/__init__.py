"""Byte pipes with deadlines. A link is opened once, used, and closed; opening again is the keeper's job."""

from drivers.kinds import Clock
from drivers.link.config import ListenConfig, SerialLinkConfig, StreamLinkConfig, TcpLinkConfig, TcpListenConfig
from drivers.link.listen import TcpListenLink, open_listen
from drivers.link.serial import SerialLink, open_serial
from drivers.link.tcp import TcpLink, open_tcp
from drivers.link.udp import UdpLink, open_udp

__all__ = ["StreamLink", "TcpListenLink", "UdpLink", "open_link", "open_port"]

StreamLink = SerialLink | TcpLink | UdpLink


async def open_link(config: StreamLinkConfig, clock: Clock) -> StreamLink:
    """The stream that a site file names. Raises OpenFailed."""
    if isinstance(config, SerialLinkConfig):
        return await open_serial(config, clock)
    if isinstance(config, TcpLinkConfig):
        return await open_tcp(config, clock)
    return await open_udp(config, clock)


async def open_port(config: ListenConfig, clock: Clock) -> TcpListenLink | UdpLink:
    """The port of ours that a site file names. Raises OpenFailed."""
    return await (open_listen(config, clock) if isinstance(config, TcpListenConfig) else open_udp(config, clock))
