"""The state of a source, asked once a second. Nothing is ever told to it."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from drivers.faults import NoAnswer, TheirMistake
from drivers.kinds import Clock, Link
from drivers.readings import Garbage, Instant, Quality, Tally
from drivers.xray.config import SourceConfig
from drivers.xray.vj import Decoder, Fault, Monitor, Question, read_faults, read_flag, read_monitor

ANSWER_WITHIN_S: Final = 1.0
"""21 characters at 9600 baud are 22 ms; the firmware takes up to some tenths."""
DRAIN_S: Final = 0.02
"""What was sent before a round begins has arrived by then."""
WRONG_IN_A_ROW: Final = 3
"""One answer garbled by noise is garbage; three in a row are no answers of this protocol."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """All answers of one round. None: the answer was garbage."""

    beam: bool | None
    warming: bool | None
    faults: frozenset[Fault] | None
    monitor: Monitor | None
    at: Instant
    quality: Quality = Quality.GOOD
    note: str = ""

    def forbids(self) -> list[str]:
        """Every reason of the source's own why no beam may be asked for."""
        said = [f"source fault: {fault.value}" for fault in sorted(self.faults or ())]
        if self.faults is None or self.warming is None:
            said.append("source: state not known")
        elif self.warming:
            said.append("source: warming up")
        return said


@dataclass(slots=True)
class SourceWatch:
    """Asks, one question after the other. The link is opened and closed by whoever holds it."""

    link: Link
    config: SourceConfig
    clock: Clock
    tally: Tally = field(default_factory=Tally)
    _decoder: Decoder = field(default_factory=Decoder)
    _wrong: int = 0

    async def poll(self) -> SourceState:
        """Ask once. Raises NoAnswer, LinkLost; TheirMistake after three rounds of garbage."""
        await self._drain()
        faults = _or_none(read_faults(await self._ask(Question.FAULTS)))
        monitor = _or_none(read_monitor(await self._ask(Question.MONITOR)))
        beam = _or_none(read_flag(await self._ask(Question.BEAM)))
        warming = _or_none(read_flag(await self._ask(Question.WARMING)))
        lost = [answer for answer in (faults, monitor, beam, warming) if answer is None]
        self.tally.garbage += len(lost)
        self.tally.words += 1
        self._wrong = self._wrong + 1 if lost else 0
        if self._wrong >= WRONG_IN_A_ROW:
            raise TheirMistake(self.config.name, f"{WRONG_IN_A_ROW} rounds of answers that are none of a VJ generator")
        return SourceState(
            beam=beam,
            warming=warming,
            faults=faults,
            monitor=monitor,
            at=self.clock.now(),
            quality=Quality.UNCERTAIN if lost else Quality.GOOD,
            note=f"{len(lost)} answers were garbage" if lost else "",
        )

    async def words(self) -> AsyncIterator[SourceState]:
        """A round every `poll_s` site seconds, until the link's fault (raised)."""
        while True:
            yield await self.poll()
            await self.clock.sleep(self.config.poll_s)

    async def _drain(self) -> None:
        """Answers carry no number: one that comes late would be taken for the next question's."""
        with suppress(NoAnswer):
            while True:
                self._decoder.receive((await self.link.read(DRAIN_S)).data)

    async def _ask(self, question: Question) -> str:
        while (stale := self._decoder.next_word()) is not None:
            self._count(stale)
        await self.link.write(question.wire, ANSWER_WITHIN_S)
        while True:
            word = self._decoder.next_word()
            if isinstance(word, str):
                return word
            if word is None:
                self._decoder.receive((await self.link.read(ANSWER_WITHIN_S)).data)
            else:
                self._count(word)

    def _count(self, word: str | Garbage) -> None:
        self.tally.garbage += 1
        self.tally.garbage_bytes += len(word.raw if isinstance(word, Garbage) else word)


def _or_none(answer: T | Garbage) -> T | None:
    return None if isinstance(answer, Garbage) else answer
