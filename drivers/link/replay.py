"""A link that plays recorded chunks: the same bytes, in the same pieces, at the same distances in time."""

from collections import deque
from collections.abc import Iterable

from drivers.faults import LinkLost, NoAnswer
from drivers.kinds import Clock
from drivers.readings import Chunk, Instant

WRITTEN_KEPT = 1000
"""What is written to a recording is looked at by tests and technicians only."""

_CLOSED = "closed by us"


class ReplayLink:
    """Plays a recording once, beginning with the first read, and is lost at its end."""

    def __init__(self, name: str, chunks: Iterable[Chunk], clock: Clock) -> None:
        """`chunks` in the order of their instants. A fast clock plays them fast."""
        self.name = name
        self.written: deque[bytes] = deque(maxlen=WRITTEN_KEPT)
        self._chunks = iter(chunks)
        self._clock = clock
        self._next: Chunk | None = None
        self._shift_s: float | None = None
        self._end = "the recording has ended"

    async def read(self, deadline_s: float) -> Chunk:
        """As Link.read; stamped with the time of the playing."""
        self._next = next(self._chunks, None) if self._next is None else self._next
        if self._next is None:
            raise LinkLost(self.name, self._end)
        if self._shift_s is None:
            self._shift_s = self._clock.now() - self._next.at
        due = Instant(self._next.at + self._shift_s)
        wait_s = due - self._clock.now()
        if wait_s > deadline_s:
            await self._clock.sleep(deadline_s)
            raise NoAnswer(self.name, f"silent for {deadline_s:g} s")
        if wait_s > 0:
            await self._clock.sleep(wait_s)
        chunk, self._next = self._next, None
        return Chunk(chunk.data, due)

    async def write(self, data: bytes, deadline_s: float) -> None:  # noqa: ARG002 - a recording takes no time
        """A recording hears nothing; what was said is kept in `written`."""
        if self._end == _CLOSED:
            raise LinkLost(self.name, self._end)
        self.written.append(data)

    async def close(self) -> None:
        """As Link.close."""
        self._chunks, self._next, self._end = iter(()), None, _CLOSED
