"""Byte pipes with deadlines. A link is opened once, used, and closed; opening again is the keeper's job."""

from drivers.kinds import Clock
from drivers.link.config import SerialLinkConfig, StreamLinkConfig, TcpLinkConfig
from drivers.link.serial import SerialLink, open_serial
from drivers.link.tcp import TcpLink, open_tcp
from drivers.link.udp import UdpLink, open_udp

__all__ = ["StreamLink", "UdpLink", "open_link"]

StreamLink = SerialLink | TcpLink | UdpLink


async def open_link(config: StreamLinkConfig, clock: Clock) -> StreamLink:
    """The stream that a site file names. Raises OpenFailed."""
    if isinstance(config, SerialLinkConfig):
        return await open_serial(config, clock)
    if isinstance(config, TcpLinkConfig):
        return await open_tcp(config, clock)
    return await open_udp(config, clock)
