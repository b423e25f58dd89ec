"""A port on which electronic seals report. One object, one port's life."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Protocol

from drivers.faults import NoAnswer
from drivers.kinds import Clock
from drivers.readings import Chunk, Garbage, Instant, Quality, Tally
from drivers.seal.config import SealsConfig
from drivers.seal.frames import Decoder, Report, answer_to
from drivers.seal.state import SealState, SealWord, alarms_of, state_of

LOOK_S = 5.0
"""How often silent seals are looked for."""
SILENT_S = 3600.0
"""A connection silent for so long is ended; a seal that sleeps longer dials anew."""
MAX_CLIENTS = 4000
MAX_SEALS = 4000
"""Seals that are told apart; numbers come off the wire, so there is a ceiling. Listed ones are never forgotten."""
CLOCK_AHEAD_S = 3600.0
"""A seal's clock that is ahead by more is wrong, and its time is no measure of what is older."""


class Port(Protocol):
    """A port of ours that knows who sent what it reads, and can answer."""

    async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:
        """Bytes and their sender; no bytes: it has hung up."""
        ...

    def write_to(self, client: str, data: bytes) -> bool:
        """Answer; False when it is gone."""
        ...

    def hang_up(self, client: str) -> None:
        """End this sender's connection."""
        ...


class _Client:
    """One connection's stream."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self.heard: Instant = Instant(0.0)


@dataclass(slots=True)
class _Seal:
    """What is known of one seal."""

    heard: Instant
    state: SealState | None = None
    said_at: float = 0.0
    stale: bool = False


class SealListener:
    """Many seals on one port. A seal is known by the number in its frames, not by its connection."""

    def __init__(self, port: Port, config: SealsConfig, clock: Clock) -> None:
        """`port` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self.forgotten = 0
        """Seals that were too many to be told apart."""
        self._port = port
        self._config = config
        self._clock = clock
        self._names = {each.id: each.name for each in config.seals}
        self._clients: dict[str, _Client] = {}
        self._seals = {each.id: _Seal(clock.now()) for each in config.seals}

    async def words(self) -> AsyncIterator[SealWord | Garbage]:
        """What each seal says of its lock, and that one has fallen silent, until the port's fault (raised)."""
        looked = self._clock.now()
        while True:
            try:
                chunk, sender = await self._port.read_from(LOOK_S)
            except NoAnswer:
                now = self._clock.now()
            else:
                now = chunk.at
                for word in self._hear(chunk, sender):
                    yield self._counted(word)
            if now - looked >= LOOK_S:
                looked = now
                for lost in self._look(now):
                    yield self._counted(lost)

    def _hear(self, chunk: Chunk, sender: str) -> Iterator[SealWord | Garbage]:
        client = self._clients.pop(sender, None) or _Client()
        if chunk.data:
            client.heard = chunk.at
            self._clients[sender] = client
            if len(self._clients) > MAX_CLIENTS:
                del self._clients[next(iter(self._clients))]
            client.decoder.receive(chunk.data)
        else:
            client.decoder.end()
        answers = b""
        while (word := client.decoder.next_word()) is not None:
            if isinstance(word, Garbage):
                yield word
            elif self._config.only_listed and word.seal not in self._names:
                yield Garbage(word.raw, f"seal {word.seal} is not in the site's list")
            else:
                answers += answer_to(word)
                if (told := self._told(word, chunk.at)) is not None:
                    yield told
        if answers:
            self._port.write_to(sender, answers)

    def _told(self, report: Report, at: Instant) -> SealWord | None:
        seal = self._known(report.seal, at)
        said = None if report.at is None else report.at.timestamp()
        plausible = said is not None and said < at + CLOCK_AHEAD_S
        historical = said is not None and plausible and said < seal.said_at
        if report.status is None and report.card is None:
            return None  # a place without a word of the lock: the seal is no less silent for it
        if report.status is not None and not historical:
            seal.state, seal.heard, seal.stale = state_of(report.status), at, False
            seal.said_at = said if said is not None and plausible else seal.said_at
        state = seal.state if report.status is None else state_of(report.status)
        return SealWord(
            seal=self._name(report.seal),
            state=SealState.STALE if state is None or (report.status is None and seal.stale) else state,
            at=at,
            quality=Quality.GOOD if plausible else Quality.UNCERTAIN,
            why="" if plausible else "the seal does not know the time",
            alarms=() if report.status is None else alarms_of(report.status),
            card=report.card,
            battery_percent=report.battery_percent,
            charging=report.charging,
            lat=report.lat if report.fix else None,
            lon=report.lon if report.fix else None,
            said_at=None if said is None else Instant(said),
            historical=historical,
            raw=report.raw,
        )

    def _known(self, number: str, at: Instant) -> _Seal:
        seal = self._seals.pop(number, None) or _Seal(at)
        self._seals[number] = seal
        if len(self._seals) > MAX_SEALS + len(self._names):
            del self._seals[next(each for each in self._seals if each not in self._names)]
            self.forgotten += 1
        return seal

    def _name(self, number: str) -> str:
        return self._names.get(number, number)

    def _look(self, now: Instant) -> Iterator[SealWord | Garbage]:
        for sender, client in list(self._clients.items()):
            if now - client.heard > SILENT_S:
                self._port.hang_up(sender)
                client.decoder.end()
                while (word := client.decoder.next_word()) is not None:
                    if isinstance(word, Garbage):
                        yield word
                del self._clients[sender]
        for number, seal in self._seals.items():
            silent_s = now - seal.heard
            if not seal.stale and silent_s > self._config.stale_after_s:
                seal.stale = True
                was = "" if seal.state is None else f"; it was {seal.state.value}"
                yield SealWord(
                    seal=self._name(number),
                    state=SealState.STALE,
                    at=now,
                    quality=Quality.BAD,
                    why=f"no word for {silent_s / 60:.0f} min{was}",
                )

    def _counted(self, word: SealWord | Garbage) -> SealWord | Garbage:
        if isinstance(word, Garbage):
            self.tally.garbage += 1
            self.tally.garbage_bytes += len(word.raw)
        else:
            self.tally.words += 1
        return word
