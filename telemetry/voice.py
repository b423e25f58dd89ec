"""How a node speaks: samples at once, records through its spool until the recorder has them, states for late listeners.

A record goes out in the order of its number: live when it goes straight from its commit to a connected bus, historical
in every other case. It is sent again only when the connection broke before the broker's acknowledgement, or when the
recorder is online and has confirmed nothing for a while (the broker lost what it had): a queue for an absent recorder
lies at the broker once, not once for every reconnect.
"""

import asyncio
import logging
import uuid
from contextlib import suppress

import msgspec

from drivers.kinds import Clock
from telemetry.config import BrokerConfig
from telemetry.faults import NotDelivered
from telemetry.mqtt import Bus, Message, Will
from telemetry.payloads.envelope import Envelope, Q, body, encode, unwrap, wrap
from telemetry.payloads.node import BirthBody, StateBody, StoredBody
from telemetry.spool import Record, Spool
from telemetry.topics import BY_WORD, Kind, topic

log = logging.getLogger(__name__)

RECORDER = "recorder"
"""The recorder's node name."""
RESEND_AFTER_S = 10.0
"""The recorder confirms within a second; ten of silence while it is online mean that the broker has lost something."""
RESEND_FIRST_S = 1.0
"""After a recorder's start: what the broker kept for it is confirmed by then, what it never had must be said again."""
RESEND_MOST_S = 300.0
"""Longest pause between such attempts, when they do not help: the records are safe here meanwhile."""
LOOK_EVERY_S = 1.0
"""How often the pause above is looked at."""
WINDOW = 100
"""Records offered and not acknowledged while catching up: as many as the bus keeps in flight."""


class Voice:
    """One node's voice. `run` must run; samples, records and births may be given at any time."""

    def __init__(self, bus: Bus, spool: Spool, site: str, node: str, clock: Clock, *, boot: str = "") -> None:
        """`bus` should carry the will of `last_will` with the same `boot`; `join` does all of it. The spool is open."""
        self.bus = bus
        self.spool = spool
        self.site = site
        self.node = node
        self.boot = boot or new_boot()
        self._clock = clock
        self._births: bytes | None = None
        self._names: dict[tuple[str, str | None], tuple[str, str, bool]] = {}
        self._said = 0
        self._wake = asyncio.Event()
        self._cursor = spool.floor - 1
        """All up to here were offered on this connection, or are in the broker's hands."""
        self._acked = spool.floor - 1
        self._tried = spool.last
        """Nothing up to here is live any more."""
        self._confirm = 0
        self._recorder_up = False
        self._recorder_boot = ""
        self._progress_at = 0.0
        self._resend_s = RESEND_AFTER_S
        spool.committed = self._committed
        bus.watch(self._bus_changed)

    @classmethod
    def join(
        cls, config: BrokerConfig, spool: Spool, site: str, node: str, clock: Clock, *, persistent: bool = False
    ) -> "Voice":
        """A voice with a bus of its own, named `<site>-<node>`."""
        boot = new_boot()
        bus = Bus(config, f"{site}-{node}", will=last_will(site, node, boot, clock), persistent=persistent)
        return cls(bus, spool, site, node, clock, boot=boot)

    @property
    def unsent(self) -> int:
        """Records that the recorder has not confirmed."""
        return self.spool.unconfirmed

    def sample(
        self, word: str, instrument: str | None, body: object, at: float, q: Q = "good", *, historical: bool = False
    ) -> bool:
        """Say a reading at once. Without a bus an instrument's reading is kept for later, and False is given.

        `historical`: the instrument itself kept it back.
        """
        known = self._names.get((word, instrument))
        if known is None:
            known = self._name(word, instrument)
        name, src, kept = known
        self._said += 1
        envelope = Envelope(
            id=f"{self.boot}-{self._said:x}", at=at, src=src, q=q, historical=historical, body=encode(body)
        )
        if self.bus.publish(name, wrap(envelope)):
            return True
        if kept:
            self.spool.keep(name, wrap(msgspec.structs.replace(envelope, historical=True)))
        return False

    async def record(self, word: str, body: object, at: float, q: Q = "good") -> int:
        """Say something that must not be lost. Returns its number when it is on the disk. Raises SpoolFailed."""
        if BY_WORD[word].kind is not Kind.RECORD:
            raise ValueError(f"{word} is no record")
        return await self.spool.put(word, bytes(encode(body)), at, q)

    def birth(self, body: BirthBody) -> None:
        """Say what this node has, now and after every connection."""
        self._births = self._state(body)
        if self.bus.up:
            self._say_state()

    async def run(self) -> None:
        """Connect, send, confirm, until cancelled. Raises SpoolFailed when the disk fails under it."""
        await self.bus.subscribe(topic(self.site, self.node, "stored"), self._hear_stored)
        await self.bus.subscribe(topic(self.site, RECORDER, "state"), self._hear_recorder)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.bus.run())
            group.create_task(self._pump())

    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            self._wake.clear()
            if self._confirm >= self.spool.floor:
                await self.spool.confirm(self._confirm)
            self._cursor = max(self._cursor, self.spool.floor - 1)
            if not self.bus.up:
                continue
            self._resend(loop.time())
            with suppress(NotDelivered):
                await self._catch_up()

    def _resend(self, now: float) -> None:
        waiting = self.spool.floor <= self._cursor
        if not (self._recorder_up and waiting):
            self._progress_at = now
        elif now - self._progress_at > self._resend_s:
            log.info("%s: %d records unconfirmed for %.0f s are sent again", self.node, self.unsent, self._resend_s)
            self._progress_at = now
            self._resend_s = min(max(self._resend_s * 2, RESEND_AFTER_S), RESEND_MOST_S)
            self._cursor = self.spool.floor - 1
            self._say_state()

    async def _catch_up(self) -> None:
        """Send what lies in the spool. Raises NotDelivered when the connection goes."""
        while self.bus.up and self._cursor < self.spool.last:
            rows = await self.spool.pending(self._cursor, WINDOW)
            if not rows:
                break
            await _all([self._offer(row) for row in rows if row.seq > self._cursor])
        while self.bus.up and self.spool.tally.samples:
            samples = await self.spool.kept(WINDOW)
            if not samples:
                break
            await _all([self.bus.offer(s.topic, s.message) for s in samples])
            await self.spool.sent(samples[-1].id)

    def _offer(self, row: Record) -> asyncio.Future[None]:
        envelope = Envelope(
            id=f"{self.spool.epoch}-{row.seq}",
            seq=row.seq,
            epoch=self.spool.epoch,
            at=row.at,
            src=self.node,
            q=_quality(row.q),
            historical=row.seq <= self._tried,
            body=msgspec.Raw(row.body),
        )
        told = self.bus.offer(topic(self.site, self.node, row.word), wrap(envelope))
        self._cursor = row.seq
        self._tried = max(self._tried, row.seq)
        told.add_done_callback(lambda done: self._acknowledged(row.seq, done))
        return told

    def _acknowledged(self, seq: int, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and done.exception() is None:
            self._acked = max(self._acked, seq)
        else:
            self._wake.set()

    def _committed(self, rows: list[Record]) -> None:
        for row in rows:
            if not self.bus.up:
                self._tried = max(self._tried, row.seq)
            elif self._cursor == row.seq - 1:
                self._offer(row)
                continue
            self._wake.set()

    def _bus_changed(self, up: bool) -> None:  # noqa: FBT001 - the shape of Bus.watch
        if up:
            self._progress_at = asyncio.get_running_loop().time()
            self._say_state()
        else:
            self._cursor = min(self._cursor, self._acked)
            self._tried = max(self._tried, self.spool.last)
            self._recorder_up = False
        self._wake.set()

    def _say_state(self) -> None:
        if self._births is not None:
            _unawaited(self.bus.offer(topic(self.site, self.node, "birth"), self._births, retain=True))
        state = StateBody(state="online", boot=self.boot, epoch=self.spool.epoch, floor=self.spool.floor)
        _unawaited(self.bus.offer(topic(self.site, self.node, "state"), self._state(state), retain=True))

    def _state(self, body: object) -> bytes:
        self._said += 1
        name = f"{self.boot}-{self._said:x}"
        return wrap(Envelope(id=name, at=self._clock.now(), src=self.node, body=encode(body)))

    def _name(self, word: str, instrument: str | None) -> tuple[str, str, bool]:
        row = BY_WORD[word]
        if row.kind is not Kind.SAMPLE:
            raise ValueError(f"{word} is no sample")
        src = f"{self.node}/{instrument}" if instrument else self.node
        known = self._names[word, instrument] = (topic(self.site, self.node, word, instrument), src, row.instrument)
        return known

    def _hear_stored(self, message: Message) -> None:
        with suppress(msgspec.MsgspecError):
            stored = body(unwrap(message.payload), StoredBody)
            if stored.epoch == self.spool.epoch and stored.seq > self._confirm:
                self._confirm = stored.seq
                self._progress_at = asyncio.get_running_loop().time()
                self._resend_s = RESEND_AFTER_S
                self._wake.set()

    def _hear_recorder(self, message: Message) -> None:
        with suppress(msgspec.MsgspecError):
            state = body(unwrap(message.payload), StateBody)
            self._recorder_up = state.state == "online"
            self._progress_at = asyncio.get_running_loop().time()
            if self._recorder_up and state.boot != self._recorder_boot:
                self._recorder_boot = state.boot
                self._resend_s = RESEND_FIRST_S


def last_will(site: str, node: str, boot: str, clock: Clock) -> Will:
    """What is said of a node that has gone."""
    gone = Envelope(id=f"{boot}-0", at=clock.now(), src=node, body=encode(StateBody(state="offline", boot=boot)))
    return Will(topic=topic(site, node, "state"), payload=wrap(gone))


def new_boot() -> str:
    """A name for this start of the process."""
    return uuid.uuid4().hex[:8]


def _quality(q: str) -> Q:
    return "good" if q == "good" else "bad" if q == "bad" else "uncertain"


def _unawaited(told: asyncio.Future[None]) -> None:
    """A state that is not delivered is said again with the next connection."""
    told.add_done_callback(lambda done: done.cancelled() or done.exception())


async def _all(told: list[asyncio.Future[None]]) -> None:
    """Wait for all; raises NotDelivered when one was not."""
    await asyncio.wait(told)
    for one in told:
        one.result()
