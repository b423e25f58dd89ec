"""What comes in by the bus: messages with their acknowledgement, and a box that keeps them for a task."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Message:
    """What came in. QoS 1 stays with the broker until `ack` is called."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    done: Callable[[], None]

    def ack(self) -> None:
        """Done with it. After the connection that brought it has gone this does nothing: the broker sends it again."""
        if self.qos:
            self.done()


Listener = Callable[[Message], None]


class Inbox:
    """A listener that keeps messages for a task, in the order they came.

    Over its ceiling the oldest QoS 0 message goes, and is counted. When only QoS 1 messages are left the one that comes
    is not taken: it was not acknowledged, so the broker brings it again.
    """

    def __init__(self, ceiling: int = 10_000) -> None:
        self._ceiling = ceiling
        self._kept: deque[Message] = deque()
        self._samples = 0
        self._some = asyncio.Event()
        self.dropped = 0
        self.deferred = 0

    def __call__(self, message: Message) -> None:
        if len(self._kept) >= self._ceiling and not self._made_room(message):
            return
        self._kept.append(message)
        self._samples += message.qos == 0
        self._some.set()

    def __len__(self) -> int:
        return len(self._kept)

    def _made_room(self, new: Message) -> bool:
        if self._samples == 0:
            if new.qos:
                self.deferred += 1
            else:
                self.dropped += 1
            return False
        oldest = next(i for i, kept in enumerate(self._kept) if kept.qos == 0)
        del self._kept[oldest]
        self._samples -= 1
        self.dropped += 1
        return True

    async def take(self, most: int = 1000) -> list[Message]:
        """At least one message, at most `most`, oldest first."""
        while not self._kept:
            self._some.clear()
            await self._some.wait()
        taken = [self._kept.popleft() for _ in range(min(most, len(self._kept)))]
        self._samples -= sum(m.qos == 0 for m in taken)
        return taken

    async def __aiter__(self) -> AsyncIterator[Message]:
        while True:
            for message in await self.take(1):
                yield message
