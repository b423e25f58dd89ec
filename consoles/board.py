"""What a page is told: the newest values of its part of the port, and messages encoded once for all who read them.

Latest wins. Values that change between two ticks are told once, as they are at the tick; whoever could not read a
patch in time gets everything at the next one instead, so that no queue grows behind a slow page.
"""

import asyncio
from collections.abc import AsyncGenerator

import msgspec

from consoles.wire import Patch, Values

EVENTS_KEPT = 60
"""Two screens of the room's list; older ones are in the records."""
KEYS_CEILING = 2000
"""Keys of one kind: ten times the largest site's trackers. More is somebody writing nonsense on the bus."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Board:
    """The newest values of one page's scope."""

    def __init__(self, *, heartbeat_ticks: int) -> None:
        """`heartbeat_ticks`: ticks without a change after which a patch is told all the same: a sign of life."""
        self.values = Values()
        self.readers = 0
        self.dropped = 0
        self._new = Values()
        self._heartbeat_ticks = heartbeat_ticks
        self._quiet = 0
        self._number = 0
        self._patch = b""
        self._whole = b""
        self._turn = asyncio.Event()

    @property
    def both(self) -> tuple[Values, Values]:
        """Where a change must be written: all values, and those of the next patch."""
        return self.values, self._new

    def room_for(self, group: dict[str, object], key: str) -> bool:
        """Whether another key may be kept; a refusal is counted."""
        if key in group or len(group) < KEYS_CEILING:
            return True
        self.dropped += 1
        return False

    def tick(self, now: float, *, bus: bool) -> None:
        """Make the next message, if there is something to say or it is time to be heard again."""
        for values in self.both:
            if len(values.events) > EVENTS_KEPT:
                # What was recalled from the records comes after what has just happened.
                values.events = sorted(values.events, key=lambda e: e.at)[-EVENTS_KEPT:]
        self._quiet += 1
        changed = self._new != _NOTHING
        if not changed and self._quiet < self._heartbeat_ticks and self._whole:
            return
        self._quiet = 0
        self._number += 1
        new, self._new = self._new, Values()
        if self.readers:
            self._patch = _encode(Patch(now=now, bus=bus, whole=False, set=new))
        # Made when somebody asks: most ticks nobody does.
        self._whole = b""
        self._now, self._bus = now, bus
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def follow(self) -> AsyncGenerator[bytes, None]:
        """Everything once, then every patch; everything again after patches that were missed. Close it when done."""
        self.readers += 1
        try:
            while self._number == 0:
                await self._turn.wait()
            seen = self._number
            yield self._everything()
            while True:
                while self._number == seen:
                    await self._turn.wait()
                missed, seen = self._number > seen + 1, self._number
                yield self._everything() if missed or not self._patch else self._patch
        finally:
            self.readers -= 1

    def _everything(self) -> bytes:
        if not self._whole:
            self._whole = _encode(Patch(now=self._now, bus=self._bus, whole=True, set=self.values))
        return self._whole


_NOTHING = Values()
