"""A GPS receiver on a wire, and a port on which many trackers report. One object, one connection's life."""

from collections.abc import AsyncIterator, Iterator
from typing import Protocol, runtime_checkable

from drivers.faults import LinkFault, NoAnswer
from drivers.gps.assemble import Assembler, against_clock
from drivers.gps.config import GpsConfig
from drivers.gps.fix import Fix
from drivers.gps.frames import Decoder, Sentence
from drivers.gps.gaps import Gaps
from drivers.gps.hints import Watch
from drivers.gps.sentences import Gsv, Txt
from drivers.gps.sky import Sky
from drivers.kinds import Clock, Link
from drivers.readings import Chunk, Garbage, Instant, Tally

EPOCH_QUIET_S = 0.3
"""A receiver sends the sentences of an epoch in one burst; the shortest usual epoch is 0.1 s, the usual one 1 s."""
IDLE_READ_S = 60.0
"""Where silence is no fault, a read still ends now and then: nothing waits without a deadline."""
MAX_TRACKERS = 2000
"""Trackers told apart on one port: more than the trucks in any yard; names come off the wire, so there is a ceiling."""


@runtime_checkable
class Port(Protocol):
    """A link that knows who sent what it reads."""

    whole: bool
    """What is read is a message as it was sent, not a piece of a stream."""

    async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:
        """As Link.read, and its sender as `host:port`; no bytes: this sender has gone."""
        ...


class _Sender:
    """One address, and whom it speaks for."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self.spoilt = False
        """The word before was garbage: a TAG block may have been in it."""
        self._source = ""
        self._several = False

    def name(self, sentence: Sentence, address: str) -> str:
        """Of the tracker that this sentence is from. A damaged TAG block makes no tracker that is not there."""
        source = sentence.tag.source if sentence.tag else ""
        spoilt, self.spoilt = self.spoilt, False
        if source:
            self._several |= self._source not in ("", source)
            self._source = source
        elif spoilt and not self._several:
            source = self._source
        return source or address


class _Tracker:
    """What is remembered of one."""

    def __init__(self) -> None:
        self.assembler = Assembler()
        self._sky = Sky()
        self._watch = Watch()
        self.gaps = Gaps()

    def take(self, sentence: Sentence, at: Instant) -> tuple[Fix, ...]:
        """As `Assembler.take`."""
        record = sentence.record
        if isinstance(record, Gsv):
            satellites = self._sky.take(sentence)
            if satellites is not None:
                self._watch.sky(sentence.talker + (record.signal_id or ""), satellites, at)
        elif isinstance(record, Txt):
            self._watch.say(record.text)
        return self.assembler.take(sentence, at)

    def seen(self, fix: Fix) -> Fix:
        """The fix with its hints."""
        return self._watch.take(fix)


class GpsReceiver:
    """One receiver."""

    def __init__(self, link: Link, config: GpsConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self._listener = GpsListener(link, config, clock)
        self._listener.tally = self.tally

    async def words(self) -> AsyncIterator[Fix | Garbage]:
        """One Fix an epoch, until the link's fault (raised)."""
        async for word in self._listener.words():
            yield word[1] if isinstance(word, tuple) else word


class GpsListener:
    """Many trackers on one port. A tracker is who its TAG block says (`s`), else the address that sent it."""

    def __init__(self, link: Link, config: GpsConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self.forgotten = 0
        """Trackers dropped because there were more than MAX_TRACKERS; the one silent longest goes."""
        self._link = link
        self._port = link if isinstance(link, Port) else None
        self._clock = clock
        self._silence_s = config.silence_s
        self._late_after_s = config.late_after_s
        self._senders: dict[str, _Sender] = {}
        self._trackers: dict[str, _Tracker] = {}
        """In order of last report."""
        self._waiting: dict[str, _Tracker] = {}
        """Those with an epoch that may still grow."""

    async def words(self) -> AsyncIterator[tuple[str, Fix] | Garbage]:
        """Fixes with their tracker's name, in order of completion, until the link's fault (raised)."""
        heard = self._clock.now()
        while True:
            fault: LinkFault | None = None
            try:
                chunk, sender, whole = await self._read(EPOCH_QUIET_S if self._waiting else self._patience_s())
            except LinkFault as ended:
                fault = ended
            else:
                heard = chunk.at
                for word in self._take(chunk, sender, whole=whole):
                    yield word
            now = self._clock.now()
            for name, fix in self._fall_quiet(now, everyone=fault is not None):
                yield name, fix
            if fault is None:
                continue
            if not isinstance(fault, NoAnswer):
                raise fault
            if self._silence_s is not None and now - heard >= self._silence_s:
                raise fault

    def _patience_s(self) -> float:
        return IDLE_READ_S if self._silence_s is None else self._silence_s

    async def _read(self, deadline_s: float) -> tuple[Chunk, str, bool]:
        """Bytes, their sender, and whether what stands unfinished after them will not go on."""
        if self._port is not None:
            chunk, sender = await self._port.read_from(deadline_s)
            return chunk, sender, self._port.whole or not chunk.data
        return await self._link.read(deadline_s), self._link.name, False

    def _take(self, chunk: Chunk, sender: str, *, whole: bool) -> Iterator[tuple[str, Fix] | Garbage]:
        known = self._senders.pop(sender, None) or _Sender()
        self._senders[sender] = known
        if len(self._senders) > MAX_TRACKERS:
            del self._senders[next(iter(self._senders))]
        decoder = known.decoder
        decoder.receive(chunk.data)
        if whole:
            decoder.end()
        if not chunk.data:
            del self._senders[sender]
        while (word := decoder.next_word()) is not None:
            if isinstance(word, Garbage):
                self.tally.garbage += 1
                self.tally.garbage_bytes += len(word.raw)
                known.spoilt = True
                yield word
            else:
                yield from self._report(word, chunk.at, known.name(word, sender))

    def _report(self, sentence: Sentence, at: Instant, name: str) -> Iterator[tuple[str, Fix]]:
        tracker = self._trackers.pop(name, None) or _Tracker()
        self._trackers[name] = tracker
        if len(self._trackers) > MAX_TRACKERS:
            oldest = next(iter(self._trackers))
            del self._trackers[oldest]
            self._waiting.pop(oldest, None)
            self.forgotten += 1
        for fix in tracker.take(sentence, at):
            yield self._said(name, tracker, fix)
        if tracker.assembler.waiting_since is None:
            self._waiting.pop(name, None)
        else:
            self._waiting[name] = tracker

    def _fall_quiet(self, now: Instant, *, everyone: bool) -> Iterator[tuple[str, Fix]]:
        for name, tracker in list(self._waiting.items()):
            since = tracker.assembler.waiting_since
            if since is not None and not everyone and now - since < EPOCH_QUIET_S:
                continue
            del self._waiting[name]
            if fix := tracker.assembler.flush():
                yield self._said(name, tracker, fix)

    def _said(self, name: str, tracker: _Tracker, fix: Fix) -> tuple[str, Fix]:
        self.tally.words += 1
        if self._silence_s is not None:
            self.tally.gaps += tracker.gaps.before(fix.fix_time)
        return name, tracker.seen(against_clock(fix, self._late_after_s))
