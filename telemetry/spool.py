"""What a node has said and nobody has confirmed yet, on its own disk.

Records are numbered here: a number is given with the row that carries it, in one commit, so that the numbers have no
hole and none is used twice, whatever dies when. Samples that could not be sent wait here too, up to a ceiling.

One thread does all SQL. Commits are grouped by themselves: what comes while one commit runs goes with the next, so a
lone record is durable after one fsync and a hundred at once cost one as well.
"""

import asyncio
import sqlite3
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from telemetry.faults import SpoolFailed

CAP_BYTES = 256 * 2**20
"""Samples and records together; over it samples go, oldest first. One lane's samples of about a day."""
GROUP_ROWS = 500
"""Rows in one commit: bounds how long a record waits behind a flood of samples (some 5 ms)."""
SAMPLES_WAIT_S = 1.0
"""Samples wait for each other this long: the disk syncs once a second in an outage, not ten times."""
WAITING_CEILING = 20_000
"""Samples in memory while the disk does not answer; over it they are dropped and counted."""
DROP_ROWS = 200
"""Samples dropped in one step, so that a full spool does not drop one at each commit."""
LOCK_DEADLINE_S = 3.0
"""A predecessor that was told to stop lets go within this; after it another process holds the spool."""

T = TypeVar("T")
_Row = tuple[str, float, str, bytes]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT NOT NULL, at REAL NOT NULL, q TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS samples(
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, message BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A numbered record. `body` is JSON, `at` UTC seconds."""

    seq: int
    word: str
    at: float
    q: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSample:
    """A sample that could not be sent, as the bytes for its topic."""

    id: int
    topic: str
    message: bytes


@dataclass(slots=True)
class SpoolTally:
    """What lies here, and what was dropped since the spool was made."""

    records: int = 0
    samples: int = 0
    bytes: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class _Done:
    numbers: list[int]
    dropped: int


@dataclass(slots=True)
class _Waiting:
    word: str
    at: float
    q: str
    body: bytes
    seq: "asyncio.Future[int]"


class Spool:
    """The spool of one node. One process at a time holds the file."""

    def __init__(self, path: Path, *, cap_bytes: int = CAP_BYTES) -> None:
        self.path = path
        self.epoch = ""
        """Names this numbering; another one only when the file was lost."""
        self.last = 0
        """The highest number given."""
        self.floor = 1
        """The lowest number not yet confirmed."""
        self.tally = SpoolTally()
        self.committed: Callable[[list[Record]], None] = lambda _: None
        """Called with records as soon as they are durable, in order."""
        self._cap = cap_bytes
        self._bytes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._db: sqlite3.Connection | None = None
        self._waiting: list[_Waiting] = []
        self._samples: list[tuple[str, bytes]] = []
        self._dropped_waiting = 0
        self._due: asyncio.Handle | None = None
        self._busy: asyncio.Future[_Done] | None = None
        self._closing = False

    @property
    def unconfirmed(self) -> int:
        """Records that nobody has confirmed."""
        return self.last - self.floor + 1

    async def open(self) -> None:
        """Open or make the file. Raises SpoolFailed."""
        await self._sql(self._open)

    async def close(self) -> None:
        """Commit what waits, close the file. A second call does nothing."""
        self._closing = True
        while self._waiting or self._samples or self._busy is not None:
            if self._busy is None:
                self._commit()
            if self._busy is not None:
                await asyncio.wait((self._busy,))
        if self._db is not None:
            await self._sql(self._shut)
        self._thread.shutdown(wait=False)

    async def __aenter__(self) -> "Spool":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def put(self, word: str, body: bytes, at: float, q: str = "good") -> "asyncio.Future[int]":
        """Take a record. The future gives its number when it is on the disk, or raises SpoolFailed."""
        seq: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._closing:
            seq.set_exception(SpoolFailed(f"{self.path.name} is closed"))
            return seq
        self._waiting.append(_Waiting(word, at, q, body, seq))
        self._soon(0.0)
        return seq

    def keep(self, topic: str, message: bytes) -> None:
        """Take a sample, to be sent later. Dropped and counted when there is no room."""
        if self._closing or len(self._samples) >= WAITING_CEILING:
            self.tally.dropped += 1
            self._dropped_waiting += 1
            return
        self._samples.append((topic, message))
        self._soon(0.0 if len(self._samples) >= GROUP_ROWS else SAMPLES_WAIT_S)

    async def pending(self, after: int, limit: int) -> list[Record]:
        """Unconfirmed records with numbers above `after`, in order."""
        rows = await self._sql(
            lambda db: db.execute(
                "SELECT seq, word, at, q, body FROM records WHERE seq>? ORDER BY seq LIMIT ?", (after, limit)
            ).fetchall()
        )
        return [Record(seq=s, word=w, at=a, q=q, body=b) for s, w, a, q, b in rows]

    async def confirm(self, seq: int) -> None:
        """All records up to `seq` are stored elsewhere and may go. A number not yet given counts as the last one."""
        seq = min(seq, self.last)
        if seq >= self.floor:
            gone = await self._sql(lambda db: self._forget(db, "records", "seq", seq))
            self.floor = seq + 1
            self._count(-gone, 0)

    async def kept(self, limit: int) -> list[KeptSample]:
        """The oldest samples."""
        rows = await self._sql(
            lambda db: db.execute("SELECT id, topic, message FROM samples ORDER BY id LIMIT ?", (limit,)).fetchall()
        )
        return [KeptSample(id=i, topic=t, message=m) for i, t, m in rows]

    async def sent(self, sample_id: int) -> None:
        """All samples up to `sample_id` were sent and may go."""
        gone = await self._sql(lambda db: self._forget(db, "samples", "id", sample_id))
        self._count(0, -gone)

    def _count(self, records: int, samples: int, dropped: int = 0) -> None:
        self.tally.records += records
        self.tally.samples += samples
        self.tally.dropped += dropped
        self.tally.bytes = self._bytes

    def _soon(self, wait_s: float) -> None:
        loop = asyncio.get_running_loop()
        if self._busy is not None:
            return
        if self._due is not None:
            if wait_s > 0:
                return
            self._due.cancel()
        self._due = loop.call_soon(self._commit) if wait_s <= 0 else loop.call_later(wait_s, self._commit)

    def _commit(self) -> None:
        self._due = None
        if self._busy is not None or not (self._waiting or self._samples):
            return
        group, self._waiting = self._waiting[:GROUP_ROWS], self._waiting[GROUP_ROWS:]
        samples, self._samples = self._samples[:GROUP_ROWS], self._samples[GROUP_ROWS:]
        rows = [(w.word, w.at, w.q, w.body) for w in group]
        dropped, self._dropped_waiting = self._dropped_waiting, 0
        loop = asyncio.get_running_loop()
        self._busy = loop.run_in_executor(self._thread, self._insert, rows, samples, dropped)
        self._busy.add_done_callback(lambda done: self._told(done, group, len(samples)))

    def _told(self, done: "asyncio.Future[_Done]", group: list[_Waiting], samples: int) -> None:
        self._busy = None
        fault = done.exception()
        if fault is not None:
            self.tally.dropped += samples
            for w in group:
                if not w.seq.done():
                    w.seq.set_exception(SpoolFailed(f"{self.path.name}: {fault}"))
        else:
            numbers = done.result().numbers
            self._count(len(numbers), samples - done.result().dropped, done.result().dropped)
            if numbers:
                self.last = numbers[-1]
            for seq, w in zip(numbers, group, strict=True):
                if not w.seq.done():
                    w.seq.set_result(seq)
            if numbers:
                self.committed(
                    [
                        Record(seq=n, word=w.word, at=w.at, q=w.q, body=w.body)
                        for n, w in zip(numbers, group, strict=True)
                    ]
                )
        if self._waiting or len(self._samples) >= GROUP_ROWS:
            self._soon(0.0)
        elif self._samples:
            self._soon(SAMPLES_WAIT_S)

    async def _sql(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._with_db, work)
        except (sqlite3.Error, OSError, RuntimeError) as fault:
            raise SpoolFailed(f"{self.path.name}: {fault}") from fault

    # Everything below runs in the spool's own thread.

    def _with_db(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._db is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                self.path, isolation_level=None, timeout=LOCK_DEADLINE_S, check_same_thread=False
            )
        return work(self._db)

    def _open(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_SCHEMA)
        db.execute("INSERT OR IGNORE INTO meta VALUES('epoch', ?)", (uuid.uuid4().hex[:12],))
        db.execute("INSERT OR IGNORE INTO meta VALUES('dropped', 0)")
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        self.epoch = str(meta["epoch"])
        given = db.execute("SELECT seq FROM sqlite_sequence WHERE name='records'").fetchone()
        self.last = 0 if given is None else int(given[0])
        lowest, n, size = db.execute("SELECT min(seq), count(*), total(length(body)) FROM records").fetchone()
        samples, sample_bytes = db.execute("SELECT count(*), total(length(message)) FROM samples").fetchone()
        self.floor = self.last + 1 if lowest is None else int(lowest)
        self._bytes = int(size + sample_bytes)
        self.tally = SpoolTally(records=n, samples=samples, bytes=self._bytes, dropped=int(meta["dropped"]))

    def _insert(self, rows: list[_Row], samples: list[tuple[str, bytes]], lost: int) -> _Done:
        assert self._db is not None
        db = self._db
        numbers: list[int] = []
        size = self._bytes
        dropped = 0
        db.execute("BEGIN IMMEDIATE")
        try:
            for row in rows:
                seq = db.execute("INSERT INTO records(word, at, q, body) VALUES(?,?,?,?)", row).lastrowid
                assert seq is not None
                numbers.append(seq)
                size += len(row[3])
            db.executemany("INSERT INTO samples(topic, message) VALUES(?,?)", samples)
            size += sum(len(m) for _, m in samples)
            while size > self._cap:
                old = db.execute("SELECT id, length(message) FROM samples ORDER BY id LIMIT ?", (DROP_ROWS,)).fetchall()
                if not old:
                    break
                db.execute("DELETE FROM samples WHERE id<=?", (old[-1][0],))
                size -= sum(n for _, n in old)
                dropped += len(old)
            if dropped or lost:
                db.execute("UPDATE meta SET value=value+? WHERE key='dropped'", (dropped + lost,))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        self._bytes = size
        return _Done(numbers, dropped)

    def _forget(self, db: sqlite3.Connection, table: str, key: str, upto: int) -> int:
        size = f"length({'body' if table == 'records' else 'message'})"
        n, freed = db.execute(f"SELECT count(*), total({size}) FROM {table} WHERE {key}<=?", (upto,)).fetchone()  # noqa: S608 - our own two tables
        db.execute(f"DELETE FROM {table} WHERE {key}<=?", (upto,))  # noqa: S608 - as above
        self._bytes -= int(freed)
        return int(n)

    def _shut(self, db: sqlite3.Connection) -> None:
        db.close()
        self._db = None
