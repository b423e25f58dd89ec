"""A card reader on a serial line. One object, one connection's life: it listens, and gives cards."""

from collections.abc import AsyncIterator

from drivers.faults import NoAnswer
from drivers.kinds import Clock, Link
from drivers.readings import Garbage, Instant, Tally
from drivers.rfid.card_config import CardReaderConfig
from drivers.rfid.card_frames import Decoder
from drivers.rfid.cards import Card, CardRead, written

QUIET_S = 1.0
"""A frame takes milliseconds: what is unfinished after that will not be finished."""
MAX_CARDS = 64
"""Cards remembered at a time, for repeats."""


class CardReader:
    """Hears what is held to the reader. A reader without a card says nothing, and so does a dead one."""

    def __init__(self, link: Link, config: CardReaderConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self._link, self._config, self._clock = link, config, clock
        self._decoder = Decoder(config.setting())
        self._told: dict[str, tuple[Instant, int]] = {}
        """Number -> when it was told last, reads since."""

    async def words(self) -> AsyncIterator[Card | Garbage]:
        """Cards as they are read, repeats folded, until the link's fault (raised)."""
        while True:
            try:
                chunk = await self._link.read(QUIET_S)
            except NoAnswer:
                at = self._clock.now()
                self._decoder.end()
            else:
                at = chunk.at
                self._decoder.receive(chunk.data)
            while (word := self._decoder.next_word()) is not None:
                if isinstance(word, Garbage):
                    self.tally.garbage += 1
                    self.tally.garbage_bytes += len(word.raw)
                    yield word
                elif (card := self._folded(word, at)) is not None:
                    self.tally.words += 1
                    yield card

    def _folded(self, read: CardRead, at: Instant) -> Card | None:
        number = written(read, self._config.number)
        last = self._told.pop(number, None)
        if last is not None and at - last[0] < self._config.repeat_window_s:
            self._told[number] = (last[0], last[1] + 1)
            return None
        waiting = last[1] if last is not None and at - last[0] < 2 * self._config.repeat_window_s else 0
        self._told[number] = (at, 0)
        if len(self._told) > MAX_CARDS:
            del self._told[next(iter(self._told))]
        return Card(number=number, at=at, count=waiting + 1, raw=read.raw)
