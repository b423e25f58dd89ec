"""Opens what a `[[trackers]]` table names and gives what it says: one stream of words, whatever the protocol is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from drivers.faults import OurMistake
from drivers.gps.config import GpsdConfig, Jt808Config, TrackerConfig
from drivers.gps.device import GpsListener
from drivers.gps.fix import Fix
from drivers.gps.gpsd.device import GpsdClient
from drivers.gps.jt808.device import Jt808Listener
from drivers.kinds import Clock, Link
from drivers.link import open_link, open_port
from drivers.link.config import TcpListenConfig
from drivers.link.recording import Tap, recorded, recorded_port
from drivers.readings import Garbage, Tally

KEY_BYTES = (16, 4096)
"""Fewest and most in a key file."""


class Listener(Protocol):
    """Fixes with their tracker's name."""

    tally: Tally

    def words(self) -> AsyncIterator[tuple[str, Fix] | Garbage]:
        """In order of arrival, until the link's fault (raised)."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """An open link with its listener."""

    listener: Listener
    link: Link

    async def close(self) -> None:
        """Give the wire back."""
        await self.link.close()


async def open_source(config: TrackerConfig, clock: Clock, tap: Tap | None = None) -> Source:
    """Every byte of it goes to `tap`. Raises OpenFailed, and OurMistake for a key file that cannot serve."""
    if isinstance(config, Jt808Config):
        key = await asyncio.to_thread(read_key, config)
        port = recorded_port(await open_port(config.link, clock), tap)
        return Source(Jt808Listener(port, config, clock, key), port)
    if isinstance(config, GpsdConfig):
        line = recorded(await open_link(config.link, clock), tap)
        return Source(GpsdClient(line, config, clock), line)
    where = config.link
    link = await (open_port(where, clock) if isinstance(where, TcpListenConfig) else open_link(where, clock))
    line = recorded(link, tap)
    return Source(GpsListener(line, config, clock), line)


def read_key(config: Jt808Config) -> bytes | None:
    """The bytes of `key_file` without blanks at their ends; None where the site has none. Raises OurMistake."""
    path: Path | None = config.key_file
    if path is None:
        return None
    try:
        key = path.read_bytes().strip()
    except OSError as wrong:
        raise OurMistake(config.name, f"key_file {path.name}: {wrong.strerror}") from wrong
    fewest, most = KEY_BYTES
    if not fewest <= len(key) <= most:
        raise OurMistake(config.name, f"key_file {path.name} has {len(key)} bytes; {fewest} to {most} are expected")
    return key
