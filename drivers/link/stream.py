"""What a serial, a TCP and a UDP link share: a bounded box of stamped chunks between the event loop and the reader."""

import asyncio
import logging
from collections import deque

from drivers.faults import LinkLost, NoAnswer, OurMistake
from drivers.kinds import Clock
from drivers.readings import Chunk, Instant

CEILING_BYTES = 256 * 1024
"""Twenty-two seconds of 115,200 baud. A reader that is further behind is dead; the oldest bytes go, and are counted."""

CEILING_CHUNKS = 4096
"""Bytes that come one by one weigh a hundred times their size: the worst case stays below a megabyte."""

_log = logging.getLogger(__name__)


class Box:
    """Chunks in arrival order. One reader."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.lost_bytes = 0
        """Dropped because the reader was too far behind; told once in the log."""
        self._clock = clock
        self._chunks: deque[tuple[Chunk, str]] = deque()
        self._held = 0
        self._end: str | None = None
        self._loop = asyncio.get_running_loop()
        self._reader: asyncio.Future[None] | None = None
        """Waits for news."""
        self._due: Instant = clock.now()
        """When the reader's patience ends."""
        self._watch: asyncio.TimerHandle | None = None
        """One timer for many reads: a context with a deadline for each would cost more than the bytes."""

    def put(self, data: bytes, sender: str = "") -> None:
        """Bytes that have just arrived."""
        self._chunks.append((Chunk(data, self._clock.now()), sender))
        self._held += len(data)
        while (self._held > CEILING_BYTES or len(self._chunks) > CEILING_CHUNKS) and len(self._chunks) > 1:
            old, _ = self._chunks.popleft()
            self._held -= len(old.data)
            if not self.lost_bytes:
                _log.warning("%s: nobody reads what arrives; bytes are being lost", self.name)
            self.lost_bytes += len(old.data)
        self._wake()

    def end(self, why: str) -> None:
        """Nothing more will come. What is in the box can still be read."""
        if self._end is None:
            self._end = why
        self._wake()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    @property
    def ended(self) -> str | None:
        """Why nothing more will come."""
        return self._end

    async def take(self, deadline_s: float) -> tuple[Chunk, str]:
        """The next chunk and its sender. Raises NoAnswer, LinkLost.

        Silence is judged by the box, not by the timer: a process that was held up for longer than the deadline still
        finds what arrived meanwhile.
        """
        if not self._chunks and self._end is None:
            await self._arrival(deadline_s)
        if self._chunks:
            chunk, sender = self._chunks.popleft()
            self._held -= len(chunk.data)
            return chunk, sender
        if self._end is None:
            raise NoAnswer(self.name, f"silent for {deadline_s:g} s")
        raise LinkLost(self.name, self._end)

    async def _arrival(self, deadline_s: float) -> None:
        if self._reader is not None:
            raise OurMistake(self.name, "two tasks read one link")
        self._reader = self._loop.create_future()
        self._due = Instant(self._clock.now() + deadline_s)
        real_s = deadline_s / self._clock.speed
        if self._watch is not None and self._watch.when() > self._loop.time() + real_s:
            self._watch.cancel()
            self._watch = None
        if self._watch is None:
            self._watch = self._loop.call_later(real_s, self._look)
        try:
            await self._reader
        finally:
            self._reader = None

    def _look(self) -> None:
        """Whether whoever reads now has waited long enough."""
        self._watch = None
        if self._reader is None:
            return
        left_s = self._due - self._clock.now()
        if left_s > 0:
            self._watch = self._loop.call_later(left_s / self._clock.speed, self._look)
        else:
            self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
