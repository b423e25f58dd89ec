"""The port to which a line detector sends: datagrams in batches, with room for a storm and a count of what it cost.

A stream link is made for thousands of bytes a second; a detector gives a million. Each wake-up of the loop empties the
kernel's buffer into one batch with one stamp, and a reader that is held up for a moment loses nothing.
"""

import asyncio
import socket
from collections import deque
from dataclasses import dataclass
from typing import Final

from drivers.faults import LinkLost, NoAnswer, OpenFailed
from drivers.kinds import Clock
from drivers.readings import Instant
from drivers.xray.config import DetectorConfig

KERNEL_BYTES: Final = 8 * 1024 * 1024
"""Asked of the kernel, which gives what it is allowed to (`net.core.rmem_max`)."""
CEILING_BYTES: Final = 32 * 1024 * 1024
"""Twelve seconds of 1,000 lines of 1,400 pixels. A reader that is further behind is dead; the oldest go, counted."""
BATCH: Final = 256
"""Datagrams taken at a wake-up: the loop's other work waits no longer than a millisecond or two."""
LONGEST: Final = 65_536


@dataclass(frozen=True, slots=True)
class Batch:
    """Datagrams that were there together."""

    datagrams: tuple[bytes, ...]
    at: Instant


class Capture:
    """One open port."""

    def __init__(self, name: str, port: socket.socket, clock: Clock) -> None:
        self.name = name
        self.lost_datagrams = 0
        """Dropped because nobody read in time."""
        self._socket, self._clock = port, clock
        self._loop = asyncio.get_running_loop()
        self._batches: deque[Batch] = deque()
        self._held = 0
        self._news = asyncio.Event()
        self._open = True
        self._loop.add_reader(port, self._arrived)

    @property
    def port(self) -> int:
        """Where we listen."""
        return int(self._socket.getsockname()[1])

    async def read(self, deadline_s: float) -> Batch:
        """The oldest batch. Raises NoAnswer after `deadline_s` of silence, LinkLost when closed."""
        if not self._batches and self._open:
            self._news.clear()
            try:
                async with self._clock.timeout(deadline_s):
                    await self._news.wait()
            except TimeoutError:
                pass
        if self._batches:
            batch = self._batches.popleft()
            self._held -= sum(map(len, batch.datagrams))
            return batch
        if not self._open:
            raise LinkLost(self.name, "closed by us")
        raise NoAnswer(self.name, f"silent for {deadline_s:g} s")

    async def close(self) -> None:
        """Give the port back. A second call does nothing."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._news.set()

    def _arrived(self) -> None:
        found: list[bytes] = []
        while len(found) < BATCH:
            try:
                found.append(self._socket.recv(LONGEST))
            except OSError:  # empty; or the network's word about something that was sent, which is nothing to us
                break
        if not found:
            return
        self._batches.append(Batch(tuple(found), self._clock.now()))
        self._held += sum(map(len, found))
        while self._held > CEILING_BYTES and len(self._batches) > 1:
            old = self._batches.popleft()
            self._held -= sum(map(len, old.datagrams))
            self.lost_datagrams += len(old.datagrams)
        self._news.set()


async def open_capture(config: DetectorConfig, clock: Clock) -> Capture:
    """Listen. Raises OpenFailed."""
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        port.setblocking(False)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
        port.bind((config.listen_host, config.listen_port))
    except OSError as wrong:
        port.close()
        raise OpenFailed(config.label, wrong.strerror or str(wrong)) from wrong
    return Capture(config.label, port, clock)
