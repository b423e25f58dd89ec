"""A reader by LLRP. One object, one connection's life: handshake, inventory, keepalives answered, tags."""

from collections import deque
from collections.abc import AsyncIterator, Iterator

from drivers.faults import LinkLost, NoAnswer, Refused, TheirMistake
from drivers.kinds import Clock, Link
from drivers.readings import Garbage, Instant, Tally
from drivers.rfid import llrp
from drivers.rfid.config import TagReaderConfig
from drivers.rfid.repeats import Repeats
from drivers.rfid.tag import Tag, TagRead

WRITE_DEADLINE_S = 2.0
HANDSHAKE_S = 10.0
"""Of the whole of it. A reader that starts listens before its radio is ready, and answers some seconds later."""
KEEPALIVE_MS = 2000
GAP_S = 1.5 * KEEPALIVE_MS / 1000
"""A reader that says nothing for so long has left a keepalive out."""
SILENT_S = 3 * KEEPALIVE_MS / 1000
"""Three keepalives missed: the reader is gone, whatever TCP says."""
ROSPEC = 1
ATTEMPTS = {
    1: "it has called another host itself",
    2: "another client is connected; a reader serves one",
    3: "it does not say why",
    4: "another client has asked for the connection",
}
"""Results of a connection attempt that are not success."""


class LlrpReader:
    """Reads what comes near the antennas."""

    def __init__(self, link: Link, config: TagReaderConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self.keepalives = 0
        """Answered since the connection stands."""
        self._link = link
        self._config = config
        self._clock = clock
        self._decoder = llrp.Decoder()
        self._repeats = Repeats(config.repeat_window_s, plate_in_epc=config.plate_in_epc)
        self._steps = deque(
            (
                # What another client left behind would be read along with ours.
                (llrp.delete_rospec(1), llrp.DELETE_ROSPEC_RESPONSE),
                (llrp.set_keepalive(2, KEEPALIVE_MS), llrp.SET_READER_CONFIG_RESPONSE),
                (llrp.add_rospec(3, ROSPEC, config.antennas or (0,)), llrp.ADD_ROSPEC_RESPONSE),
                (llrp.enable_rospec(4, ROSPEC), llrp.ENABLE_ROSPEC_RESPONSE),
            )
        )
        self._asked: llrp.Message | None = None
        self._due: int | None = llrp.READER_EVENT_NOTIFICATION
        """The type of message that is awaited; None when the handshake is done."""
        self._out: list[llrp.Message] = []

    async def words(self) -> AsyncIterator[Tag | Garbage]:
        """Tags as they are read, repeats folded, until the link's fault or the reader's refusal (raised)."""
        until = self._clock.now() + HANDSHAKE_S
        heard: Instant | None = None
        while True:
            left_s = SILENT_S if self._due is None else until - self._clock.now()
            try:
                if left_s <= 0:
                    raise NoAnswer(self._link.name, f"no handshake within {HANDSHAKE_S} s")
                chunk = await self._link.read(left_s)
            except (NoAnswer, LinkLost) as wrong:
                self._decoder.give_up()
                for word in self._take(self._clock.now()):
                    yield word
                if isinstance(wrong, NoAnswer) and self._due is not None:
                    raise NoAnswer(self._link.name, f"no {llrp.NAMES[self._due]} within {HANDSHAKE_S} s") from wrong
                raise
            self.tally.gaps += heard is not None and self._due is None and chunk.at - heard > GAP_S
            heard = chunk.at
            self._decoder.receive(chunk.data)
            for word in self._take(chunk.at):
                yield word
            if self._out:
                data = b"".join(map(llrp.encode, self._out))
                self._out.clear()
                await self._link.write(data, WRITE_DEADLINE_S)

    def _take(self, at: Instant) -> Iterator[Tag | Garbage]:
        while (word := self._decoder.next_word()) is not None:
            if isinstance(word, Garbage):
                yield self._garbage(word)
                continue
            try:
                yield from self._heed(word, at)
            except llrp.Broken as wrong:
                if word.type == self._due and word.type != llrp.READER_EVENT_NOTIFICATION:
                    raise TheirMistake(self._link.name, f"{word.name}: {wrong}") from wrong
                yield self._garbage(Garbage(llrp.encode(word), f"{word.name}: {wrong}"))

    def _heed(self, message: llrp.Message, at: Instant) -> Iterator[Tag]:
        """Raises Broken, Refused, LinkLost."""
        match message.type:
            case llrp.KEEPALIVE:
                self.keepalives += 1
                self._out.append(llrp.keepalive_ack(message.id, message.version))
            case llrp.RO_ACCESS_REPORT:
                yield from self._tags(message, at)
            case llrp.READER_EVENT_NOTIFICATION:
                self._event(llrp.read_event(message.body))
            case llrp.ERROR_MESSAGE:
                self._refused("a request", llrp.read_status(message.body))
            case self._due:
                self._answered(llrp.read_status(message.body))
            case _:
                pass

    def _tags(self, message: llrp.Message, at: Instant) -> Iterator[Tag]:
        raw = llrp.encode(message)
        for report in llrp.read_reports(message.body):
            read = TagRead(epc=report.epc, rssi_dbm=report.rssi_dbm, antenna=report.antenna, reads=report.seen, raw=raw)
            if tag := self._repeats.take(read, at):
                self.tally.words += 1
                yield tag

    def _event(self, event: llrp.Event) -> None:
        where = self._link.name
        if event.closing:
            raise LinkLost(where, "the reader closes the connection")
        if event.antenna_there is False and event.antenna in self._config.antennas:
            raise Refused(where, f"antenna {event.antenna} is not connected", "antenna")
        attempt = event.connection_attempt
        if attempt is None:
            return
        if attempt == 4:
            return  # told to the client that stays: somebody else has tried
        if attempt != 0:
            raise Refused(where, f"the reader takes no connection: {ATTEMPTS.get(attempt, 'unknown')}", attempt)
        if self._due == llrp.READER_EVENT_NOTIFICATION:
            self._next_step()

    def _answered(self, status: llrp.Status) -> None:
        asked = self._asked
        assert asked is not None
        # Some readers call it an error that there was nothing to delete.
        if asked.type != llrp.DELETE_ROSPEC:
            self._refused(asked.name, status)
        self._next_step()

    def _refused(self, what: str, status: llrp.Status) -> None:
        if status.code != 0:
            said = f": {status.description}" if status.description else ""
            raise Refused(self._link.name, f"the reader does not take {what}{said}", status.code)

    def _next_step(self) -> None:
        if not self._steps:
            self._due = self._asked = None
            return
        self._asked, self._due = self._steps.popleft()
        self._out.append(self._asked)

    def _garbage(self, word: Garbage) -> Garbage:
        self.tally.garbage += 1
        self.tally.garbage_bytes += len(word.raw)
        return word
