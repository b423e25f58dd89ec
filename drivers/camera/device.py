"""An OCR portal that pushes its reads. One object, one connection's life."""

from collections.abc import AsyncIterator

from drivers.camera.config import CameraConfig
from drivers.camera.frames import Decoder
from drivers.camera.read import Read
from drivers.faults import NoAnswer
from drivers.kinds import Clock, Link
from drivers.readings import Garbage, Tally

IDLE_READ_S = 60.0
"""A portal says nothing while no truck is there, so silence is no fault; a read still ends now and then."""


class Camera:
    """Listens to one portal."""

    def __init__(self, link: Link, config: CameraConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self.config = config
        self._link = link
        self._clock = clock

    async def words(self) -> AsyncIterator[Read | Garbage]:
        """Reads as they come, until the link is lost (raised)."""
        decoder = Decoder()
        while True:
            try:
                chunk = await self._link.read(IDLE_READ_S)
            except NoAnswer:
                continue
            decoder.receive(chunk.data)
            while (word := decoder.next_word()) is not None:
                if isinstance(word, Garbage):
                    self.tally.garbage += 1
                    self.tally.garbage_bytes += len(word.raw)
                    yield word
                    continue
                self.tally.words += 1
                yield Read(
                    what=word.what,
                    text=word.text,
                    confidence=word.confidence,
                    camera=word.camera,
                    at=chunk.at,
                    raw=word.raw,
                )
