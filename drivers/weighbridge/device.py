"""An indicator on a link. One object, one connection's life."""

from collections.abc import AsyncIterator

from drivers.kinds import Clock, Link
from drivers.readings import Garbage, Instant, Tally
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

    async def words(self) -> AsyncIterator[Weight | Garbage]:
        """Every weight and every piece of noise. Ends with a LinkFault; NoAnswer after the site's silence.

        Noise does not count as speech: a line that gives nothing but noise for as long is silent, too.
        """
        last: Instant = self._clock.now()
        while True:
            left_s = last + self._silence_s - self._clock.now()
            chunk = await self._link.read(max(left_s, 0.001))
            self._decoder.receive(chunk.data)
            while (word := self._decoder.next_word()) is not None:
                if isinstance(word, Garbage):
                    self.tally.garbage += 1
                    self.tally.garbage_bytes += len(word.raw)
                    yield word
                    continue
                self.tally.words += 1
                self.tally.gaps += chunk.at - last > GAP_S
                last = chunk.at
                yield self._reader.read(word, chunk.at)
