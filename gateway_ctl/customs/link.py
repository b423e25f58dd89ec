"""The link to customs: an outbox that neither a cut cable nor a killed process empties, and the wire it goes over.

The protocol's own way is the short connection: whoever has something to say connects, sends one packet and closes, and
the answer comes the same way from the other side to our own port. There is no acknowledgement; a question is answered
by its verdict, all else counts as taken when the peer has read it and closed, as far as it is one that closes. A long
connection, the signed serial line with its 100-byte acknowledgements, and naked XML are the other ways.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from drivers.kinds import Clock
from drivers.readings import Instant
from gateway_ctl.customs.codes import Code, code_name
from gateway_ctl.customs.packet import Photo
from gateway_ctl.customs.profile import compose
from gateway_ctl.customs.question import Channel
from gateway_ctl.customs.store import Outgoing, Store
from gateway_ctl.customs.wire import IDLE_S, RETRY_S, Came, Way, Wire, why_of

SEND_S = 5.0
"""The field's own limit for handing one packet to the socket."""
LINGER_S = 2.0
"""How long a peer may take to read and to close after our packet; a reset within it means that it was not taken."""
ACK_S = 5.0
"""The signed line's own limit for its acknowledgement."""
_REST_S = 60.0
"""The sender looks around this often without any news."""
_QUESTIONS = (Code.GATHER, Code.SMART_GATHER)
_NOT_CLOSED = "not closed in time, as it was before: perhaps not taken"
"""The one outcome that is neither taken nor refused. The link is well for all that."""

_log = logging.getLogger(__name__)

Became = Callable[[str | None], Awaitable[None]]
"""Told once what came of a try: None, or why it came to nothing."""


@dataclass(slots=True)
class _Item:
    out: Outgoing
    due: float
    handed: int
    """How often a peer has taken it."""
    flying: bool = False


@dataclass(slots=True)
class Tally:
    """Since the start."""

    sent: int = 0
    resent: int = 0
    failed: int = 0
    """Tries that came to nothing."""
    ended: int = 0
    """Messages whose time ran out before anybody took them."""


class Link:
    """One lane's, for the life of the process. `run` holds it up; everything else may be called meanwhile."""

    def __init__(
        self,
        way: Way,
        channel: Channel,
        store: Store,
        clock: Clock,
        *,
        heard: Callable[[Came], Awaitable[None]],
        photos: Callable[[str], Awaitable[tuple[Photo, ...]]],
        sign: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """`store` is open before `run`. `photos`: of a passage. `sign`: over the XML, where the profile signs."""
        self.tally = Tally()
        self.fault: str | None = None
        """Why nothing can be sent; None while it can, or was not tried."""
        self.wire = Wire(way, store, clock, heard)
        self._way, self._channel, self._store, self._clock = way, channel, store, clock
        self._photos, self._sign = photos, sign
        self._items: dict[int, _Item] = {}
        self._samples: dict[Code, bytes] = {}
        self._news = asyncio.Event()
        self._not_before = 0.0
        self._kept: asyncio.StreamWriter | None = None
        self._closes = False
        """This peer has been seen to close its half when it has read a packet."""
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled. Raises StoreFailed."""
        for out in await self._store.waiting():
            if out.code not in _QUESTIONS:
                self._items[out.id] = _Item(out, self._clock.now(), out.tries)
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self.wire.run())
            group.create_task(self._send_all())
            if self._way.intake_port is not None:
                group.create_task(self.wire.take_in(self._way.intake_port, self._told))

    async def put(self, code: Code, xml: bytes, *, seq: str, life_s: float, passage: str | None = None) -> None:
        """A message that must reach customs: durable on return, sent as soon as the wire allows. Raises StoreFailed."""
        now = self._clock.now()
        out = await self._store.put(
            seq=seq, code=int(code), xml=xml, passage=passage, made=now, ends=Instant(now + life_s)
        )
        if code in _QUESTIONS:
            self.stop(seq)
        self._items[out.id] = _Item(out, now, 0)
        self._news.set()

    @property
    def unsent(self) -> int:
        """Messages beside questions that nobody has taken yet."""
        return sum(item.out.code not in _QUESTIONS for item in self._items.values())

    def say(self, code: Code, xml: bytes) -> None:
        """A message that the next of its kind replaces: sent once if somebody is there."""
        self._samples[code] = xml
        self._news.set()

    def nudge(self, seq: str) -> None:
        """Send the question of this number again now, if it may be sent again."""
        for item in self._items.values():
            if item.out.seq == seq and item.out.code in _QUESTIONS and item.handed <= self._way.resends:
                item.due = min(item.due, self._clock.now())
                self._news.set()

    def stop(self, seq: str) -> None:
        """The question of this number is answered, completed or over."""
        for number in [n for n, item in self._items.items() if item.out.seq == seq and item.out.code in _QUESTIONS]:
            del self._items[number]

    async def _send_all(self) -> None:
        while True:
            self._news.clear()
            now = self._clock.now()
            resting = [item for item in self._items.values() if not item.flying]
            ready = [item for item in resting if item.due <= now]
            # While nobody is there one try finds it out for all; then a truck that waits goes before a report.
            if now < self._not_before:
                await self._pause(self._not_before - now)
            elif ready:
                await self._deliver(min(ready, key=lambda each: (each.out.code not in _QUESTIONS, each.due)))
            elif self._samples:
                code = next(iter(self._samples))
                await self._try(code, self._samples.pop(code), None, self._sampled)
            else:
                await self._pause(min((item.due - now for item in resting), default=_REST_S))

    async def _pause(self, seconds: float) -> None:
        """Until there is news, or for so long."""
        try:
            async with self._clock.timeout(min(seconds, _REST_S)):
                await self._news.wait()
        except TimeoutError:
            return

    async def _deliver(self, item: _Item) -> None:
        out = item.out
        if self._clock.now() >= out.ends:
            self.tally.ended += 1
            _log.warning("customs link: %s %s was taken by nobody in time", code_name(out.code), out.seq)
            await self._store.tried(out.id, item.handed, "its time ran out")
            self._items.pop(out.id, None)
            return
        item.flying = True
        # A question has its answer; of all else that must arrive nothing but the peer's close says that it has.
        asks = out.code in _QUESTIONS
        await self._try(Code(out.code), out.xml, out.passage, lambda why: self._became(item, why), sure=not asks)

    async def _became(self, item: _Item, why: str | None) -> None:
        out, asks = item.out, item.out.code in _QUESTIONS
        item.flying = False
        now = self._clock.now()
        if why is _NOT_CLOSED and item.handed < self._way.resends:
            item.handed += 1
            item.due = now + RETRY_S
            await self._store.tried(out.id, item.handed, None)
            self._news.set()
            return
        why = None if why is _NOT_CLOSED else why
        self._told(why)
        if why is not None:
            item.due = now + RETRY_S
        else:
            item.handed += 1
            self.tally.sent += 1
            self.tally.resent += item.handed > 1
            # A question rests until its answer, or until it is time to ask once more; its end is always in sight.
            item.due = now + self._way.resend_s if asks and item.handed <= self._way.resends else float("inf")
            if not asks:
                del self._items[out.id]
            await self._store.tried(out.id, item.handed, None if asks else "sent")
        self._news.set()

    async def _sampled(self, why: str | None) -> None:
        self._told(why)

    def _told(self, why: str | None) -> None:
        if why is None:
            if self.fault is not None:
                _log.warning("customs link: back")
            self.fault = None
            return
        self.tally.failed += 1
        self._not_before = self._clock.now() + RETRY_S
        fault = f"{self._way.host}:{self._way.port}: {why}"
        if self.fault is None:
            _log.warning("customs link: lost: %s", fault)
        self.fault = fault

    async def _try(self, code: Code, xml: bytes, passage: str | None, became: Became, *, sure: bool = False) -> None:
        """Hand a message to the wire. `became` is told at once, or when the peer has closed its half.

        `sure`: a peer that usually closes and did not this time has not taken it. Twice is harmless, never is not.
        """
        profile, channel = self._way.profile, self._channel
        photos = await self._photos(passage) if passage and profile.framed and not profile.signed else ()
        signature = None if self._sign is None else self._sign(xml)
        raw = compose(
            profile, int(code), channel.area, channel.number, channel.direction, xml, photos=photos, signature=signature
        )
        try:
            if self._way.long:
                await self._write(await self._standing(), raw)
                await became(None)
                return
            reader, writer = await self.wire.connect(self._way.port)
            await self._write(writer, raw)
            if writer.can_write_eof() and not profile.signed:
                writer.write_eof()
        except (OSError, TimeoutError) as wrong:
            await became(why_of(wrong))
            return
        self._beside(self._read_out(reader, writer, became, sure=sure))

    async def _write(self, writer: asyncio.StreamWriter, raw: bytes) -> None:
        """All of it, or the connection ends: a packet cut off must not be finished by the next."""
        try:
            writer.write(raw)
            async with self._clock.timeout(SEND_S):
                await writer.drain()
        except BaseException:
            writer.transport.abort()
            self.wire.end(writer)
            raise

    async def _standing(self) -> asyncio.StreamWriter:
        if self._kept is None or self._kept.is_closing():
            reader, self._kept = await self.wire.connect(self._way.port)
            self._beside(self.wire.serve(reader, self._kept, self._way.host, IDLE_S))
        return self._kept

    async def _read_out(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, became: Became, *, sure: bool
    ) -> None:
        profile = self._way.profile
        # Naked XML may be answered on the same connection, after customs has thought.
        stays_s = ACK_S if profile.signed else LINGER_S if profile.framed else self._way.resend_s
        try:
            taken, closed = await self.wire.read_out(reader, writer, stays_s, signed=profile.signed)
        except OSError as wrong:
            await became(f"not taken: {why_of(wrong)}")
            return
        if profile.signed and (taken is None or not taken.ok):
            await became("no acknowledgement came" if taken is None else f"refused with {taken.body[0]}")
            return
        self._closes = self._closes or (closed and profile.framed)
        if sure and self._closes and not closed:
            await became(_NOT_CLOSED)
        else:
            await became(None)

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._group is not None
        self._group.create_task(work)
