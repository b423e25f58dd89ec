"""A UHF tag reader. One object, one connection's life: it starts the inventory, keeps it going, gives tags."""

from collections.abc import AsyncIterator, Iterator

from drivers.faults import NoAnswer, OurMistake, Refused
from drivers.kinds import Clock, Link
from drivers.readings import Garbage, Instant, Tally
from drivers.rfid.config import TagReaderConfig
from drivers.rfid.frames import Decoder, Dialect, ReaderSays, RoundDone, TagRead, start_inventory
from drivers.rfid.repeats import Repeats
from drivers.rfid.tag import Tag

WRITE_DEADLINE_S = 2.0
"""Ten bytes; a serial line at 9600 baud takes them in 10 ms, a full send buffer means that nobody reads."""
ANSWER_DEADLINE_S = 3.0
"""Both families answer every round, also an empty one, within 0.2 s; a slow serial server adds as much."""
SILENT_S = 12.0
"""The start of the inventory may fall into the reader's own start (2 s): asked again meanwhile, then it is gone."""
ROUND_DEADLINE_S = 0.6
"""A reader that is asked for each round: when the closing packet was lost on the line, tags pass unread until then."""
MAX_ERRORS = 20
"""Errors in a row (a busy channel makes a few) before the reader's no is taken for one."""
ROUND_PAUSE_S = 0.05
"""Between rounds of a reader that is asked for each: up to ten rounds a second leave its serial line half empty."""


class TagReader:
    """Reads what comes near the antenna."""

    def __init__(self, link: Link, config: TagReaderConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self.rounds = 0
        """Rounds that the reader says it has finished."""
        self._link = link
        self._config = config
        self._clock = clock
        if config.dialect == "llrp":
            raise OurMistake(link.name, "a reader by LLRP is no serial one")
        self._dialect: Dialect = config.dialect
        self._decoder = Decoder(self._dialect)
        self._repeats = Repeats(config.repeat_window_s, plate_in_epc=config.plate_in_epc)
        self._errors = 0
        self._ask_again = False
        self._spoke = clock.now()

    async def words(self) -> AsyncIterator[Tag | Garbage]:
        """Tags as they are read, repeats folded, until the link's fault or the reader's refusal (raised).

        A reader that answers nothing is asked again, and its silence is told as a gap; noise is no answer.
        """
        await self._start()
        deadline_s = ROUND_DEADLINE_S if self._dialect == "uhf-a0" else ANSWER_DEADLINE_S
        self._spoke = self._clock.now()
        due, silent = self._spoke + deadline_s, False
        while True:
            try:
                chunk = await self._link.read(max(due - self._clock.now(), 0.001))
            except NoAnswer:
                at = self._clock.now()
                self._decoder.give_up()
            else:
                at = chunk.at
                self._decoder.receive(chunk.data)
            spoke = self._spoke
            for word in self._take(at):
                yield word
            if self._spoke != spoke:
                due, silent = self._spoke + deadline_s, False
            elif at >= due:
                self.tally.gaps += not silent
                if at - self._spoke >= SILENT_S:
                    raise NoAnswer(self._link.name, f"the reader has answered nothing for {SILENT_S:g} s")
                due, silent, self._ask_again = at + deadline_s, True, True
            if self._ask_again:
                await self._clock.sleep(ROUND_PAUSE_S)
                await self._start()

    async def _start(self) -> None:
        """An inventory that is asked for twice is still one inventory."""
        self._ask_again = False
        await self._link.write(start_inventory(self._dialect, self._config.address), WRITE_DEADLINE_S)

    def _take(self, at: Instant) -> Iterator[Tag | Garbage]:
        one_by_one = self._dialect == "uhf-a0"
        while (word := self._decoder.next_word()) is not None:
            if not isinstance(word, Garbage):
                self._spoke = at
            match word:
                case TagRead():
                    self._errors = 0
                    if tag := self._repeats.take(word, at):
                        self.tally.words += 1
                        yield tag
                case RoundDone():
                    self._errors = 0
                    self.rounds += 1
                    self._ask_again = one_by_one
                case ReaderSays():
                    self._heed(word)
                case Garbage():
                    self.tally.garbage += 1
                    self.tally.garbage_bytes += len(word.raw)
                    yield word

    def _heed(self, word: ReaderSays) -> None:
        if word.error is None:
            return
        self._errors += 1
        if self._errors > MAX_ERRORS:
            raise Refused(self._link.name, "the reader takes no inventory", f"{word.error:02X}")
        self._ask_again = True
