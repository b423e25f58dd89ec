"""A port on which vehicle terminals report by JT/T 808, over TCP or UDP. One object, one port's life."""

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from drivers.faults import NoAnswer
from drivers.gps.config import Jt808Config
from drivers.gps.fix import Fix
from drivers.gps.jt808.dialogue import Dialogue, Word
from drivers.gps.jt808.frames import Decoder, Packets, encode
from drivers.kinds import Clock
from drivers.readings import Chunk, Garbage, Instant, Tally

LOOK_S = 5.0
"""How often packets that are missing and connections that are silent are looked at."""
PACKETS_LATE_S = 5.0
"""The packets of one message are sent in a row: what has not come by then is asked for, once."""
PACKETS_LOST_S = 30.0
"""And given up by then."""
SILENT_S = 900.0
"""A connection silent for so long is ended: heartbeats come each minute, those of sleeping trackers each ten."""
MAX_CLIENTS = 4000
"""Streams that are told apart; senders of datagrams come off the wire, so there is a ceiling."""


class Port(Protocol):
    """A port of ours that knows who sent what it reads, and can answer."""

    whole: bool
    """What is read is a message as it was sent, not a piece of a stream."""

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
    """One sender's stream."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self.packets = Packets()
        self.heard: Instant = Instant(0.0)


class Jt808Listener:
    """Many terminals on one port. A terminal is known by the number in its messages, not by its connection."""

    def __init__(self, port: Port, config: Jt808Config, clock: Clock, key: bytes | None = None) -> None:
        """`port` is open and is closed by whoever opened it. `key`: as `key_file` of the settings."""
        self.tally = Tally()
        self._port = port
        self._clock = clock
        self._dialogue = Dialogue(config, key, self.tally)
        self._clients: dict[str, _Client] = {}
        """In order of last chunk."""

    @property
    def forgotten(self) -> int:
        """Terminals that were too many to be told apart."""
        return self._dialogue.forgotten

    async def words(self) -> AsyncIterator[tuple[str, Fix] | Garbage]:
        """Fixes with their terminal's name, in order of arrival, until the port's fault (raised)."""
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

    def _hear(self, chunk: Chunk, sender: str) -> Iterator[Word]:
        client = self._clients.pop(sender, None) or _Client()
        client.decoder.receive(chunk.data)
        if self._port.whole or not chunk.data:
            client.decoder.end()
        if chunk.data:
            client.heard = chunk.at
            self._clients[sender] = client
            if len(self._clients) > MAX_CLIENTS:
                del self._clients[next(iter(self._clients))]
        answers: list[bytes] = []
        while (word := client.decoder.next_word()) is not None:
            if isinstance(word, Garbage):
                yield word
                continue
            replies, words = self._dialogue.take(word, client.packets, chunk.at)
            answers += map(encode, replies)
            yield from words
        if answers:
            self._port.write_to(sender, b"".join(answers))
        if not chunk.data:
            yield from client.packets.drop(chunk.at)

    def _look(self, now: Instant) -> Iterator[Garbage]:
        for sender, client in list(self._clients.items()):
            if now - client.heard > SILENT_S:
                self._port.hang_up(sender)
                del self._clients[sender]
                yield from client.packets.drop(now)
                continue
            if not len(client.packets):
                continue
            for number, first, missing in client.packets.missing(now - PACKETS_LATE_S):
                self._port.write_to(sender, encode(self._dialogue.resend(number, first, missing)))
            yield from client.packets.drop(now - PACKETS_LOST_S)

    def _counted(self, word: Word) -> Word:
        if isinstance(word, Garbage):
            self.tally.garbage += 1
            self.tally.garbage_bytes += len(word.raw)
        return word
