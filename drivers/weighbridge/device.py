"""An indicator on a link. One object, one connection's life."""

from collections.abc import AsyncIterator, Iterator

from drivers.faults import NoAnswer
from drivers.kinds import Clock, Link
from drivers.readings import Chunk, Garbage, Instant, Tally
from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.frames import DIALECTS
from drivers.weighbridge.reading import Reader, Weight

GAP_S = 1.0
"""Between two frames; continuous mode sends several a second even at 600 baud, so a longer pause lost some."""


class Weighbridge:
    """Listens; it never writes a byte: some indicators clear their records on a letter."""

    def __init__(self, link: Link, config: WeighbridgeConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self._link = link
        self._silence_s = config.silence_s
        self._decoder = DIALECTS[config.dialect]()
        self._reader = Reader(config.scale())
        self._clock = clock
        self._frame_at: Instant | None = None

    async def words(self) -> AsyncIterator[Weight | Garbage]:
        """Every weight and every piece of noise. Ends with a LinkFault; NoAnswer after the site's silence.

        Noise is no speech: a line that gives nothing else for as long is silent, too.
        """
        spoke = self._clock.now()
        while True:
            left_s = spoke + self._silence_s - self._clock.now()
            # At least once more: a process that was held up for longer finds its bytes waiting.
            chunk = await self._link.read(max(left_s, 0.001))
            for word in self._take(chunk):
                spoke = chunk.at if isinstance(word, Weight) else spoke
                yield word
            if chunk.at - spoke >= self._silence_s:
                raise NoAnswer(self._link.name, f"nothing but noise for {self._silence_s:g} s")

    def _take(self, chunk: Chunk) -> Iterator[Weight | Garbage]:
        self._decoder.receive(chunk.data)
        while (word := self._decoder.next_word()) is not None:
            if isinstance(word, Garbage):
                self.tally.garbage += 1
                self.tally.garbage_bytes += len(word.raw)
                yield word
                continue
            self.tally.words += 1
            self.tally.gaps += self._frame_at is not None and chunk.at - self._frame_at > GAP_S
            self._frame_at = chunk.at
            yield self._reader.read(word, chunk.at)
