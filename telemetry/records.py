"""Records, passages and alarms in a database: the one door to SQLAlchemy.

A record is (site, node, epoch, seq): a repeat changes nothing. From the records follow, in the same transaction, each
passage as it stands, each alarm as it stands, and how far each node's numbers are whole. A number that is missing and
can never come any more is written down as lost: the only way past it.

SQLite by default, PostgreSQL by URL. One process writes (the recorder), any number read.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from telemetry.alarms import Alarm, AlarmState, Board
from telemetry.faults import RecordsDown
from telemetry.payloads.lane import AcknowledgementBody, AlarmBody, PassageBody
from telemetry.stored import Hole, Numbering, StoredPassage, StoredRecord, missing

LOCK_DEADLINE_S = 10
"""Only a backup holds SQLite's lock for longer than a commit."""
GARBAGE_CEILING = 1000
"""Messages that were none of ours, kept for a person to look at: the newest ones."""
RAW_CEILING = 4096
"""Bytes kept of each of them."""
ROWS_CEILING = 10_000
"""Rows one question gives at most: a busy port's records of a shift."""

T = TypeVar("T")
_meta = sa.MetaData()

_records = sa.Table(
    "records",
    _meta,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("node", sa.String(64), primary_key=True),
    sa.Column("epoch", sa.String(32), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("word", sa.String(32), nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("q", sa.String(16), nullable=False),
    sa.Column("historical", sa.Boolean, nullable=False),
    sa.Column("passage", sa.String(128)),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("records_word_at", "word", "at"),
    sa.Index("records_passage", "passage"),
)
_passages = sa.Table(
    "passages",
    _meta,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("passage", sa.String(128), primary_key=True),
    sa.Column("node", sa.String(64), nullable=False),
    sa.Column("epoch", sa.String(32), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("phase", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("opened_at", sa.Double, nullable=False, index=True),
    sa.Column("plate", sa.String(32), index=True),
    sa.Column("body", sa.Text, nullable=False),
)
_alarms = sa.Table(
    "alarms",
    _meta,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("node", sa.String(64), primary_key=True),
    sa.Column("alarm", sa.String(128), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
)
_nodes = sa.Table(
    "nodes",
    _meta,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("node", sa.String(64), primary_key=True),
    sa.Column("epoch", sa.String(32), primary_key=True),
    sa.Column("upto", sa.BigInteger, nullable=False),
)
_lost = sa.Table(
    "lost",
    _meta,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("node", sa.String(64), primary_key=True),
    sa.Column("epoch", sa.String(32), primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
)
_garbage = sa.Table(
    "garbage",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
)


class Records:
    """All methods raise RecordsDown when the database cannot be reached; what they were given may be given again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="records")
        self._engine: sa.Engine | None = None

    async def open(self) -> None:
        """Connect, and make the tables that are not there."""
        try:
            await self._run(_make_tables)
        except RecordsDown:
            await self._run(_make_tables)  # another process made them in the same moment

    async def close(self) -> None:
        """Disconnect. A second call does nothing."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, engine.dispose)
        self._thread.shutdown(wait=False)

    async def store(self, batch: Sequence[StoredRecord]) -> dict[Numbering, int]:
        """All of them or none; durable on return. Up to which number each touched numbering is whole."""
        return await self._run(lambda c: _store(c, batch))

    async def floor(self, numbering: Numbering, floor: int, at: float) -> int:
        """What is missing below `floor` will never come: it is lost. Up to where the numbering is whole."""
        return await self._run(lambda c: _raise_floor(c, numbering, floor, at))

    async def garbage(self, at: float, topic: str, why: str, raw: bytes) -> None:
        """Keep a message that was none of ours."""
        row = {"at": at, "topic": topic[:500], "why": why[:500], "raw": raw[:RAW_CEILING]}

        def keep(c: sa.Connection) -> None:
            c.execute(_garbage.insert(), row)
            top = c.execute(sa.select(sa.func.max(_garbage.c.id))).scalar_one()
            c.execute(_garbage.delete().where(_garbage.c.id <= top - GARBAGE_CEILING))

        await self._run(keep)

    async def recent(
        self, *words: str, limit: int = 100, node: str | None = None, before: float | None = None
    ) -> list[StoredRecord]:
        """The newest records of these words, newest first."""
        ask = sa.select(_records).where(_records.c.word.in_(words))
        if node is not None:
            ask = ask.where(_records.c.node == node)
        if before is not None:
            ask = ask.where(_records.c.at < before)
        ask = ask.order_by(_records.c.at.desc(), _records.c.seq.desc()).limit(min(limit, ROWS_CEILING))
        return await self._run(lambda c: _rows(c.execute(ask)))

    async def of_passage(self, passage: str) -> list[StoredRecord]:
        """Everything that was said of a passage, in the order it happened."""
        ask = sa.select(_records).where(_records.c.passage == passage).order_by(_records.c.at, _records.c.seq)
        return await self._run(lambda c: _rows(c.execute(ask.limit(ROWS_CEILING))))

    async def passages(
        self, since: float, until: float, *, node: str | None = None, plate: str | None = None, limit: int = 1000
    ) -> list[StoredPassage]:
        """Passages opened in that time, newest first."""
        ask = sa.select(_passages).where(_passages.c.opened_at >= since, _passages.c.opened_at < until)
        if node is not None:
            ask = ask.where(_passages.c.node == node)
        if plate is not None:
            ask = ask.where(_passages.c.plate == plate)
        ask = ask.order_by(_passages.c.opened_at.desc()).limit(min(limit, ROWS_CEILING))
        return await self._run(lambda c: [_passage(r) for r in c.execute(ask)])

    async def passage(self, passage: str) -> StoredPassage | None:
        """One passage as it stands."""
        ask = sa.select(_passages).where(_passages.c.passage == passage)
        found = await self._run(lambda c: [_passage(r) for r in c.execute(ask)])
        return found[0] if found else None

    async def counts(self, since: float, until: float) -> dict[tuple[str, str], int]:
        """Records by node and word."""
        ask = (
            sa.select(_records.c.node, _records.c.word, sa.func.count())
            .where(_records.c.at >= since, _records.c.at < until)
            .group_by(_records.c.node, _records.c.word)
        )
        return await self._run(lambda c: {(node, word): n for node, word, n in c.execute(ask)})

    async def holes(self) -> list[Hole]:
        """Every missing number, awaited or lost. None of them awaited is the sign of a whole store."""
        return await self._run(_holes)

    async def whole(self) -> dict[Numbering, int]:
        """Up to which number each numbering is whole."""
        return await self._run(lambda c: {(r.site, r.node, r.epoch): r.upto for r in c.execute(sa.select(_nodes))})

    async def alarms(self, *, standing_only: bool = True) -> list[Alarm]:
        """Alarms as they stand."""
        ask = sa.select(_alarms.c.body)
        if standing_only:
            ask = ask.where(_alarms.c.state != AlarmState.NORMAL.value)
        return await self._run(lambda c: [_decode(r.body, Alarm) for r in c.execute(ask)])

    async def _run(self, work: Callable[[sa.Connection], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._in_transaction, work)
        except (SQLAlchemyError, OSError, RuntimeError) as fault:
            raise RecordsDown(f"records: {str(fault).splitlines()[0]}") from fault

    def _in_transaction(self, work: Callable[[sa.Connection], T]) -> T:
        if self._engine is None:
            self._engine = _engine(self._url)
        with self._engine.begin() as connection:
            return work(connection)


def _make_tables(c: sa.Connection) -> None:
    for table in _meta.sorted_tables:
        c.execute(CreateTable(table, if_not_exists=True))
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            c.execute(CreateIndex(index, if_not_exists=True))


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, pool_size=1)
    engine = sa.create_engine(url, connect_args={"timeout": LOCK_DEADLINE_S})

    def durable(connection: Any, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    event.listen(engine, "connect", durable)
    return engine


def _upsert(c: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, replace: bool) -> None:
    if not rows:
        return
    dialect = postgresql if c.dialect.name == "postgresql" else sqlite
    keys = [k.name for k in table.primary_key]
    statement = dialect.insert(table)
    if replace:
        new = {k.name: statement.excluded[k.name] for k in table.c if k.name not in keys}
        c.execute(statement.on_conflict_do_update(index_elements=keys, set_=new), rows)
    else:
        c.execute(statement.on_conflict_do_nothing(index_elements=keys), rows)


def _store(c: sa.Connection, batch: Sequence[StoredRecord]) -> dict[Numbering, int]:
    touched: dict[Numbering, list[StoredRecord]] = {}
    for r in batch:
        touched.setdefault((r.site, r.node, r.epoch), []).append(r)
    new: list[StoredRecord] = []
    for numbering, records in touched.items():
        seqs = [r.seq for r in records]
        known = _seqs(c, numbering, min(seqs), max(seqs))
        for r in records:
            if r.seq not in known:
                known.add(r.seq)
                new.append(r)
    _upsert(c, _records, [{k.name: getattr(r, k.name) for k in _records.c} for r in new], replace=False)
    _fold_passages(c, [r for r in new if r.word == "passage"])
    _fold_alarms(c, [r for r in new if r.word in ("alarm", "acknowledgement")])
    return {numbering: _extend(c, numbering, _upto(c, numbering)) for numbering in touched}


def _fold_passages(c: sa.Connection, records: Sequence[StoredRecord]) -> None:
    newest: dict[tuple[str, str], StoredRecord] = {}
    for r in records:
        key = (r.site, r.passage or "")
        if key not in newest or (r.at, r.seq) >= (newest[key].at, newest[key].seq):
            newest[key] = r
    rows: list[dict[str, Any]] = []
    for (site, name), r in newest.items():
        ask = sa.select(_passages.c.at, _passages.c.seq).where(_passages.c.site == site, _passages.c.passage == name)
        before = c.execute(ask).first()
        if before is None or (before.at, before.seq) <= (r.at, r.seq):
            b = _decode(r.body, PassageBody)
            rows.append(
                {"site": site, "passage": name, "node": r.node, "epoch": r.epoch, "seq": r.seq, "at": r.at}
                | {"phase": b.phase, "outcome": b.outcome, "opened_at": b.opened_at, "plate": b.plate, "body": r.body}
            )
    _upsert(c, _passages, rows, replace=True)


def _fold_alarms(c: sa.Connection, records: Sequence[StoredRecord]) -> None:
    for site in {r.site for r in records}:
        kept = c.execute(sa.select(_alarms.c.body).where(_alarms.c.site == site)).scalars()
        board = Board(_decode(b, Alarm) for b in kept)
        changed: dict[tuple[str, str], Alarm] = {}
        for r in sorted((r for r in records if r.site == site), key=lambda r: (r.at, r.seq)):
            if r.word == "alarm":
                after = board.record(r.node, _decode(r.body, AlarmBody), r.at)
            else:
                seen = _decode(r.body, AcknowledgementBody)
                after = board.acknowledge(seen.node, seen.alarm, seen.person, r.at)
            if after is not None:
                changed[after.node, after.alarm] = after
        rows = [
            {"site": site, "node": a.node, "alarm": a.alarm, "state": a.state.value, "body": _encode(a)}
            for a in changed.values()
        ]
        _upsert(c, _alarms, rows, replace=True)


def _of(table: sa.Table, numbering: Numbering) -> sa.ColumnElement[bool]:
    site, node, epoch = numbering
    return sa.and_(table.c.site == site, table.c.node == node, table.c.epoch == epoch)


def _seqs(c: sa.Connection, numbering: Numbering, first: int, last: int) -> set[int]:
    ask = sa.select(_records.c.seq).where(_of(_records, numbering), _records.c.seq.between(first, last))
    return set(c.execute(ask).scalars())


def _upto(c: sa.Connection, numbering: Numbering) -> int:
    return c.execute(sa.select(_nodes.c.upto).where(_of(_nodes, numbering))).scalar() or 0


def _extend(c: sa.Connection, numbering: Numbering, upto: int) -> int:
    ask = sa.select(_records.c.seq).where(_of(_records, numbering), _records.c.seq > upto).order_by(_records.c.seq)
    for seq in c.execute(ask).scalars():
        if seq != upto + 1:
            break
        upto = seq
    site, node, epoch = numbering
    _upsert(c, _nodes, [{"site": site, "node": node, "epoch": epoch, "upto": upto}], replace=True)
    return upto


def _raise_floor(c: sa.Connection, numbering: Numbering, floor: int, at: float) -> int:
    upto = _upto(c, numbering)
    if floor > upto + 1:
        site, node, epoch = numbering
        known = sorted(_seqs(c, numbering, upto + 1, floor - 1))
        lost = [
            {"site": site, "node": node, "epoch": epoch, "first": first, "last": last, "at": at}
            for first, last in missing([upto, *known, floor])
        ]
        _upsert(c, _lost, lost, replace=False)
        upto = floor - 1
    return _extend(c, numbering, upto)


def _holes(c: sa.Connection) -> list[Hole]:
    gone = c.execute(sa.select(_lost)).all()
    found = [Hole(site=r.site, node=r.node, epoch=r.epoch, first=r.first, last=r.last, lost=True) for r in gone]
    for n in c.execute(sa.select(_nodes)).all():
        ask = sa.select(_records.c.seq).where(_of(_records, (n.site, n.node, n.epoch)), _records.c.seq > n.upto)
        later = c.execute(ask.order_by(_records.c.seq)).scalars()
        found += [
            Hole(site=n.site, node=n.node, epoch=n.epoch, first=first, last=last, lost=False)
            for first, last in missing([n.upto, *later])
        ]
    return found


def _rows(result: sa.CursorResult[Any]) -> list[StoredRecord]:
    return [StoredRecord(**r) for r in result.mappings()]


def _passage(r: sa.Row[Any]) -> StoredPassage:
    return StoredPassage(site=r.site, node=r.node, at=r.at, body=_decode(r.body, PassageBody))


def _decode(body: str, kind: type[T]) -> T:
    return msgspec.json.decode(body, type=kind)


def _encode(alarm: Alarm) -> str:
    return msgspec.json.encode(alarm).decode()
