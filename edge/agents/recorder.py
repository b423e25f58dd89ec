"""The recorder: from the bus to the time series and the records.

A message is acknowledged to the broker only after it is on the disk, and a node is told how far its records are stored
(`stored`, retained) only after they are. Whatever dies in between is sent again, and a repeat changes nothing. A number
that is missing is waited for: the node sends it again by itself; when the node says that it no longer has it, the loss
is written down and rings.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from drivers.kinds import Clock
from edge.config import Site
from edge.version import VERSION
from telemetry.config import BrokerConfig
from telemetry.faults import RecordsDown, SeriesDown
from telemetry.inbox import Inbox, Message
from telemetry.payloads.envelope import Envelope, body, encode, unwrap, wrap
from telemetry.payloads.health import HealthBody
from telemetry.payloads.lane import AcknowledgementBody, AlarmBody, PassageBody, Text
from telemetry.payloads.node import BirthBody, InstrumentBirth, StateBody, StoredBody
from telemetry.payloads.points import has_series, tags_of, to_point
from telemetry.records import Records
from telemetry.series.base import Point, Series
from telemetry.series.engines import engine
from telemetry.spool import Spool
from telemetry.stored import Numbering, StoredRecord
from telemetry.topics import BY_WORD, ROOT, Address, Kind, parse, topic
from telemetry.voice import RECORDER, Voice

log = logging.getLogger(__name__)

GATHER_S = 0.2
"""Real seconds between commits: one fsync for all that came meanwhile, and still fresh for a screen."""
BATCH = 5000
"""Messages in one commit: half a second of the largest port, some 5 MB."""
INBOX_CEILING = 50_000
"""Messages waiting while the disk does not answer: 50 MB, minutes of a large port. Then samples go, and are counted."""
AGAIN_S = 1.0
"""Real seconds until a store that failed is tried again."""
SAY_EVERY_S = 5.0
"""Site seconds between healths, as the table of topics says."""
RETAIN_EVERY_S = 3600.0
"""Site seconds between looks for hours that are too old."""
FUTURE_S = 86_400.0
"""A value from further ahead than this has no true time; one such value would stand in front of all others for ever."""
GAP_AFTER_S = 60.0
"""Site seconds that a missing number is waited for before it rings: a node sends it again within half a minute."""
GARBAGE_KEPT = 20
"""Of one batch; all are counted."""
ADDRESSES_REMEMBERED = 10_000
"""Topics whose parts are remembered; a site has a few hundred."""

_CHECKED = {"passage": PassageBody, "alarm": AlarmBody, "acknowledgement": AcknowledgementBody}
"""Bodies from which the store makes more than a row."""
_SILENT = frozenset({"view", "order", "verdict", "correction", "birth", "stored"})
"""Words that are not kept."""


class _OfPassage(msgspec.Struct):
    passage: str | None = None


@dataclass(slots=True)
class _Batch:
    """One commit."""

    records: list[StoredRecord] = field(default_factory=list[StoredRecord])
    points: list[Point] = field(default_factory=list[Point])
    floors: dict[Numbering, int] = field(default_factory=dict[Numbering, int])
    garbage: list[tuple[str, str, bytes]] = field(default_factory=list[tuple[str, str, bytes]])


@dataclass(slots=True)
class _Store:
    """What is known of one of the two stores."""

    name: str
    up: bool = True
    since: float = 0.0
    falls: int = 0
    words: int = 0
    last_at: float | None = None


async def run(site: Site, clock: Clock) -> None:
    """Until cancelled."""
    folder = site.folder(RECORDER)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    records = Records(site.records.url_in(site.data))
    series = engine(site.series, site.data)
    async with Spool(folder / "spool.sqlite") as spool:
        recorder = Recorder(
            site.id, site.broker, spool, series, records, clock, keep_s=site.series.keep_days * 86_400.0
        )
        await recorder.run()


class Recorder:
    """One site's recorder. Opens and closes what it is given, except the spool."""

    def __init__(
        self,
        site: str,
        broker: BrokerConfig,
        spool: Spool,
        series: Series,
        records: Records,
        clock: Clock,
        *,
        keep_s: float = 400 * 86_400.0,
    ) -> None:
        """`keep_s`: age at which series are dropped."""
        self._site = site
        self._series = series
        self._records = records
        self._clock = clock
        self._keep_s = keep_s
        self._inbox = Inbox(INBOX_CEILING)
        self._voice = Voice.join(broker, spool, site, RECORDER, clock, persistent=True)
        self._voice.birth(_birth())
        self._addresses: dict[str, Address | None] = {}
        self._told: dict[Numbering, int] = {}
        self._ringing: dict[str, bool] = {}
        self._awaited_since: float | None = None
        self._garbage = self._garbage_bytes = 0
        now = clock.now()
        self._states = {name: _Store(name, since=now) for name in ("records", "series")}

    async def run(self) -> None:
        """Until cancelled. Raises SpoolFailed when our own spool fails."""
        await self._until_done("records", self._records.open)
        await self._until_done("series", self._series.open)
        try:
            await self._voice.bus.subscribe(f"{ROOT}/{self._site}/#", self._inbox, qos=1)
            self._voice.bus.watch(self._bus_changed)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._voice.run())
                group.create_task(self._series.run())
                group.create_task(self._keep())
                group.create_task(self._say())
                group.create_task(self._retain())
        finally:
            await self._series.close()
            await self._records.close()

    async def _keep(self) -> None:
        while True:
            messages = await self._inbox.take(BATCH)
            batch = self._sorted(messages)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._until_done("records", lambda b=batch: self._store(b)))
                group.create_task(self._until_done("series", lambda b=batch: self._write(b)))
            for message in messages:
                message.ack()
            await _pause(GATHER_S)

    async def _store(self, batch: _Batch) -> None:
        now = self._clock.now()
        for name, why, raw in batch.garbage[:GARBAGE_KEPT]:
            await self._records.garbage(now, name, why, raw)
        batch.garbage.clear()
        if batch.records:
            self._tell(await self._records.store(batch.records))
            self._states["records"].words += len(batch.records)
            self._states["records"].last_at = now
        for numbering, floor in batch.floors.items():
            self._told.pop(numbering, None)
            self._tell({numbering: await self._records.floor(numbering, floor, now)})

    async def _write(self, batch: _Batch) -> None:
        if batch.points:
            await self._series.write(batch.points)
            self._states["series"].words += len(batch.points)
            self._states["series"].last_at = self._clock.now()

    def _tell(self, whole: dict[Numbering, int]) -> None:
        for numbering, seq in whole.items():
            if self._told.get(numbering) == seq:
                continue
            site, node, epoch = numbering
            self._told[numbering] = seq
            said = Envelope(
                id=f"{epoch}-stored-{seq}",
                at=self._clock.now(),
                src=RECORDER,
                body=encode(StoredBody(epoch=epoch, seq=seq)),
            )
            told = self._voice.bus.offer(topic(site, node, "stored"), wrap(said), retain=True)
            told.add_done_callback(lambda done, n=numbering: self._unless_told(n, done))

    def _unless_told(self, numbering: Numbering, done: asyncio.Future[None]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._told.pop(numbering, None)

    def _bus_changed(self, up: bool) -> None:  # noqa: FBT001 - the shape of Bus.watch
        if up:
            self._told.clear()

    def _sorted(self, messages: list[Message]) -> _Batch:
        """Bad bytes of a node become garbage here; nothing from the wire can stop a commit."""
        batch = _Batch()
        for message in messages:
            address = self._address(message.topic)
            if address is not None and (address.word in _SILENT or not message.payload):
                continue
            try:
                if address is None:
                    raise msgspec.ValidationError("no topic of the table")
                self._sort(address, unwrap(message.payload), batch)
            except (msgspec.MsgspecError, UnicodeDecodeError) as why:
                self._garbage += 1
                self._garbage_bytes += len(message.payload)
                batch.garbage.append((message.topic, str(why), message.payload))
        return batch

    def _sort(self, address: Address, envelope: Envelope, batch: _Batch) -> None:
        word = address.word
        if word == "state":
            state = body(envelope, StateBody)
            if state.state == "online" and state.epoch:
                numbering = (address.site, address.node, state.epoch)
                batch.floors[numbering] = max(state.floor, batch.floors.get(numbering, 0))
            return
        if BY_WORD[word].kind is Kind.RECORD:
            if envelope.seq is None or envelope.seq < 1 or not envelope.epoch:
                raise msgspec.ValidationError("a record without a number")
            if word in _CHECKED:
                body(envelope, _CHECKED[word])
            batch.records.append(
                StoredRecord(
                    site=address.site,
                    node=address.node,
                    epoch=envelope.epoch,
                    seq=envelope.seq,
                    word=word,
                    at=envelope.at,
                    q=envelope.q,
                    historical=envelope.historical,
                    passage=body(envelope, _OfPassage).passage,
                    body=bytes(envelope.body).decode(),
                )
            )
        if has_series(word):
            point = to_point(word, tags_of(address), envelope)
            if point is not None:
                if point.at > self._clock.now() + FUTURE_S:
                    raise msgspec.ValidationError(f"at {point.at}: more than a day ahead of the site's clock")
                batch.points.append(point)

    def _address(self, name: str) -> Address | None:
        if name not in self._addresses:
            if len(self._addresses) >= ADDRESSES_REMEMBERED:
                self._addresses.clear()
            self._addresses[name] = parse(name)
        return self._addresses[name]

    async def _until_done(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Try until the store takes it; the log says lost once, back once."""
        state = self._states[name]
        while True:
            try:
                await work()
            except (RecordsDown, SeriesDown) as fault:
                if state.up:
                    state.up, state.since, state.falls = False, self._clock.now(), state.falls + 1
                    log.warning("%s: lost: %s", name, fault)
                await _pause(AGAIN_S)
            else:
                if not state.up:
                    state.up, state.since = True, self._clock.now()
                    log.warning("%s: back", name)
                return

    async def _say(self) -> None:
        for alarm in await self._standing():
            self._ringing[alarm] = True
        while True:
            await self._clock.sleep(SAY_EVERY_S)
            self._say_health()
            await self._say_alarms()

    async def _standing(self) -> list[str]:
        try:
            return [a.alarm for a in await self._records.alarms() if a.node == RECORDER and a.returned_at is None]
        except RecordsDown:
            return []

    def _say_health(self) -> None:
        now = self._clock.now()
        bus, tally = self._voice.bus, self._series.tally()
        for state in self._states.values():
            self._voice.sample("health", state.name, _health(state, note=self._note(state.name)), now)
        on_bus = HealthBody(
            link=bus.name,
            up=bus.up,
            since=now,
            words=bus.tally.received,
            garbage=self._garbage,
            garbage_bytes=self._garbage_bytes,
            gaps=self._inbox.dropped + tally.dropped,
            reconnects=max(0, bus.tally.connects - 1),
        )
        self._voice.sample("health", "bus", on_bus, now)

    def _note(self, name: str) -> str:
        tally = self._series.tally()
        return f"{tally.waiting} lines wait, {tally.refused} refused" if name == "series" else ""

    async def _say_alarms(self) -> None:
        now = self._clock.now()
        tally = self._series.tally()
        down = not (self._states["series"].up and tally.up)
        await self._ring("series:down", down, Text("时序数据库无法写入", "The time series cannot be written"))
        try:
            holes = await self._records.holes()
        except RecordsDown:
            return
        awaited = [h for h in holes if not h.lost]
        if not awaited:
            self._awaited_since = None
        elif self._awaited_since is None:
            self._awaited_since = now
        late = self._awaited_since is not None and now - self._awaited_since > GAP_AFTER_S
        nodes = ", ".join(sorted({h.node for h in awaited}))
        await self._ring(
            "records:gap", late, Text(f"记录序号有缺口，等待补传：{nodes}", f"Records are missing and awaited: {nodes}")
        )
        lost = [h for h in holes if h.lost]
        nodes = ", ".join(sorted({f"{h.node} {h.first}-{h.last}" for h in lost}))
        await self._ring("records:lost", bool(lost), Text(f"记录已丢失：{nodes}", f"Records are lost: {nodes}"))

    async def _ring(self, alarm: str, active: bool, say: Text) -> None:  # noqa: FBT001 - the alarm's own word
        if self._ringing.get(alarm, False) != active:
            self._ringing[alarm] = active
            said = AlarmBody(alarm=alarm, active=active, priority=1 if alarm == "records:lost" else 2, say=say)
            await self._voice.record("alarm", said, self._clock.now())

    async def _retain(self) -> None:
        while True:
            try:
                await self._series.retain(self._clock.now() - self._keep_s)
            except SeriesDown as fault:
                log.warning("series: old hours are not dropped now: %s", fault)
            await self._clock.sleep(RETAIN_EVERY_S)


def _health(state: _Store, *, note: str) -> HealthBody:
    return HealthBody(
        link=state.name,
        up=state.up,
        since=state.since,
        words=state.words,
        garbage=0,
        garbage_bytes=0,
        gaps=0,
        reconnects=state.falls,
        last_word_at=state.last_at,
        note=note,
    )


def _birth() -> BirthBody:
    instruments = [InstrumentBirth(name=n, kind=k, words=["health"]) for n, k in _PARTS]
    return BirthBody(kind="recorder", zh="记录器", en="Recorder", version=VERSION, instruments=instruments)


_PARTS = (("bus", "bus"), ("records", "store"), ("series", "store"))


async def _pause(real_s: float) -> None:
    """Real seconds: disks and databases do not run faster because the site's day does."""
    try:
        async with asyncio.timeout(real_s):
            await asyncio.Event().wait()
    except TimeoutError:
        return
