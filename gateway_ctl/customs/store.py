"""What the link must not forget: questions, answers, what has to go out, and the raw packets that orders rest on.

One SQLite file beside the lane's book, synchronous=FULL, one thread; readable by the lane's user alone, for packets
may hold seal keys. What came from outside and was none is kept too, the newest of it, in batches: a flood must not
buy a disk's sync with each packet.
"""

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from drivers.readings import Instant
from gateway_ctl.orders import Seal, SignedOrder

ODD_KEPT, ODD_BYTES = 5_000, 4096
"""Odd packets kept, and bytes of each: enough to see what a peer does wrong, at most 20 MiB."""
ODD_WAITING = 200
"""Odd packets in memory; over it they are counted only."""
GONE_KEPT = 50_000
"""Messages that have gone out and are still listed; at a thousand trucks a day, some weeks."""
BUSY_S = 2.0
"""A reader's checkpoint takes less."""
T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS question(
    seq TEXT PRIMARY KEY, passage TEXT NOT NULL, opened REAL NOT NULL, ends REAL NOT NULL, asked BLOB NOT NULL,
    closed TEXT) STRICT;
CREATE INDEX IF NOT EXISTS question_passage ON question(passage);
CREATE TABLE IF NOT EXISTS answer(
    id INTEGER PRIMARY KEY AUTOINCREMENT, seq TEXT NOT NULL, at REAL NOT NULL, digest TEXT NOT NULL, verb TEXT NOT NULL,
    payload BLOB NOT NULL, key TEXT NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS answer_seq ON answer(seq);
CREATE TABLE IF NOT EXISTS frame(
    digest TEXT PRIMARY KEY, at REAL NOT NULL, peer TEXT NOT NULL, code INTEGER, seq TEXT, raw BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS outgoing(
    id INTEGER PRIMARY KEY AUTOINCREMENT, seq TEXT NOT NULL, code INTEGER NOT NULL, xml BLOB NOT NULL, passage TEXT,
    made REAL NOT NULL, ends REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, became TEXT) STRICT;
CREATE INDEX IF NOT EXISTS outgoing_waiting ON outgoing(id) WHERE became IS NULL;
CREATE TABLE IF NOT EXISTS odd(
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, peer TEXT NOT NULL, why TEXT NOT NULL,
    bytes INTEGER NOT NULL, raw BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS disabled(device TEXT PRIMARY KEY, since REAL NOT NULL) STRICT;
"""


class StoreFailed(Exception):
    """The disk does not take what must not be lost: the lane must not go on asking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A packet that came, as it came."""

    digest: str
    """SHA-256, hex, of `raw`."""
    at: Instant
    peer: str
    code: int | None
    seq: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message that has to reach the peer."""

    id: int
    seq: str
    code: int
    xml: bytes
    passage: str | None
    """Whose pictures go with it."""
    made: Instant
    ends: Instant
    tries: int


class Store:
    """The link's memory. One process holds it."""

    def __init__(self, path: Path) -> None:
        """`path`: the SQLite file; its folder must exist."""
        self.path = path
        self.odd_count = 0
        """Odd packets since the start, kept or not."""
        self._odd: deque[tuple[float, str, str, int, bytes]] = deque(maxlen=ODD_WAITING)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="customs-store")
        self._db: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Raises StoreFailed."""
        await self._do(self._open)

    async def close(self) -> None:
        """Everything handed in is on the disk. A second call does nothing."""
        if self._db is not None:
            await self._do(lambda: None)
            await self._do(self._shut)
        self._thread.shutdown(wait=False)

    async def open_question(self, seq: str, passage: str, opened: Instant, ends: Instant, asked: bytes) -> bool:
        """False when the number was used before. `asked`: JSON of what was asked."""

        def insert(db: sqlite3.Connection) -> bool:
            done = db.execute(
                "INSERT OR IGNORE INTO question VALUES(?,?,?,?,?,NULL)", (seq, passage, opened, ends, asked)
            )
            return done.rowcount == 1

        return await self._write(insert)

    async def ask_again(self, seq: str, asked: bytes) -> None:
        """The same question, completed."""
        await self._write(lambda db: db.execute("UPDATE question SET asked=? WHERE seq=?", (asked, seq)))

    async def close_question(self, seq: str, why: str) -> None:
        """No answer to it counts any more, and it is not sent again."""

        def shut(db: sqlite3.Connection) -> None:
            db.execute("UPDATE question SET closed=? WHERE seq=? AND closed IS NULL", (why, seq))
            db.execute("UPDATE outgoing SET became=? WHERE seq=? AND became IS NULL AND code IN (33,129)", (why, seq))

        await self._write(shut)

    async def close_all(self, why: str) -> int:
        """Questions of a life before this one; how many were open."""
        return await self._write(
            lambda db: db.execute("UPDATE question SET closed=? WHERE closed IS NULL", (why,)).rowcount
        )

    async def passage_of(self, seq: str) -> str | None:
        """The passage that a number was given to, open or not."""
        row = await self._do(lambda: self._one("SELECT passage FROM question WHERE seq=?", (seq,)))
        return None if row is None else str(row[0])

    async def seq_of(self, passage: str) -> str | None:
        """The newest number that a passage was given."""
        sql = "SELECT seq FROM question WHERE passage=? ORDER BY opened DESC LIMIT 1"
        row = await self._do(lambda: self._one(sql, (passage,)))
        return None if row is None else str(row[0])

    async def keep(self, frame: Frame) -> None:
        """A packet that something will rest on."""
        row = (frame.digest, frame.at, frame.peer, frame.code, frame.seq, frame.raw)
        await self._write(lambda db: db.execute("INSERT OR IGNORE INTO frame VALUES(?,?,?,?,?,?)", row))

    async def answered(self, seq: str, at: Instant, digest: str, verb: str, signed: SignedOrder) -> None:
        """An answer, its order, and that the question need not be sent again."""
        (seal,) = signed.seals

        def insert(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO answer(seq, at, digest, verb, payload, key, signature) VALUES(?,?,?,?,?,?,?)",
                (seq, at, digest, verb, signed.payload, seal.key, seal.signature),
            )
            db.execute(
                "UPDATE outgoing SET became='answered' WHERE seq=? AND became IS NULL AND code IN (33,129)", (seq,)
            )

        await self._write(insert)

    async def answers(self, seq: str) -> list[tuple[str, SignedOrder]]:
        """Verbs and orders to a number, in the order they came."""
        rows = await self._do(
            lambda: self._all("SELECT verb, payload, key, signature FROM answer WHERE seq=? ORDER BY id", (seq,))
        )
        return [
            (str(verb), SignedOrder(payload=payload, seals=(Seal(key=key, signature=signature),)))
            for verb, payload, key, signature in rows
        ]

    async def put(
        self, *, seq: str, code: int, xml: bytes, passage: str | None, made: Instant, ends: Instant
    ) -> Outgoing:
        """A message on its way; durable on return. Of a question, the one before it is taken back."""

        def insert(db: sqlite3.Connection) -> int:
            if code in (0x21, 0x81):
                db.execute(
                    "UPDATE outgoing SET became='completed' WHERE seq=? AND code=? AND became IS NULL", (seq, code)
                )
            done = db.execute(
                "INSERT INTO outgoing(seq, code, xml, passage, made, ends) VALUES(?,?,?,?,?,?)",
                (seq, code, xml, passage, made, ends),
            )
            assert done.lastrowid is not None
            return done.lastrowid

        number = await self._write(insert)
        return Outgoing(id=number, seq=seq, code=code, xml=xml, passage=passage, made=made, ends=ends, tries=0)

    async def tried(self, number: int, tries: int, became: str | None) -> None:
        """A message was handed to the wire so often; `became`: it need not be again, and why."""
        await self._write(
            lambda db: db.execute(
                "UPDATE outgoing SET tries=?, became=coalesce(became, ?) WHERE id=?", (tries, became, number)
            )
        )

    async def waiting(self) -> list[Outgoing]:
        """Messages of an earlier life that nobody has taken."""
        rows = await self._do(
            lambda: self._all(
                "SELECT id, seq, code, xml, passage, made, ends, tries FROM outgoing WHERE became IS NULL ORDER BY id"
            )
        )
        return [
            Outgoing(id=i, seq=s, code=c, xml=x, passage=p, made=Instant(m), ends=Instant(e), tries=t)
            for i, s, c, x, p, m, e, t in rows
        ]

    def odd(self, at: Instant, peer: str, why: str, raw: bytes) -> None:
        """Something that was no message of ours. Written with `flush`."""
        self.odd_count += 1
        self._odd.append((at, peer, why, len(raw), raw[:ODD_BYTES]))

    async def flush(self) -> None:
        """Write what was odd; the oldest of it gives way."""
        if self._odd:
            rows = list(self._odd)
            self._odd.clear()

            def insert(db: sqlite3.Connection) -> None:
                db.executemany("INSERT INTO odd(at, peer, why, bytes, raw) VALUES(?,?,?,?,?)", rows)
                db.execute("DELETE FROM odd WHERE id <= (SELECT max(id) FROM odd) - ?", (ODD_KEPT,))

            await self._write(insert)

    async def switch(self, device: str, at: Instant, *, on: bool) -> None:
        """Customs puts a device out of use or into use."""
        if on:
            await self._write(lambda db: db.execute("DELETE FROM disabled WHERE device=?", (device,)))
        else:
            await self._write(lambda db: db.execute("INSERT OR IGNORE INTO disabled VALUES(?,?)", (device, at)))

    async def disabled(self) -> frozenset[str]:
        """Devices out of use."""
        return frozenset(str(row[0]) for row in await self._do(lambda: self._all("SELECT device FROM disabled")))

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def commit() -> T:
            assert self._db is not None
            with self._db:
                return work(self._db)

        return await self._do(commit)

    async def _do(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            # Shielded: what was begun is finished on its thread whatever becomes of the one who waits.
            return await asyncio.shield(loop.run_in_executor(self._thread, work))
        except sqlite3.Error as wrong:
            raise StoreFailed(f"{self.path.name} cannot be written: {wrong}") from wrong

    def _open(self) -> None:
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as wrong:
            raise StoreFailed(f"{self.path.name} cannot be opened: {wrong.strerror}") from wrong
        self._db = sqlite3.connect(self.path, timeout=BUSY_S, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        with self._db:
            self._db.execute(
                "DELETE FROM outgoing WHERE became IS NOT NULL AND id <= (SELECT max(id) FROM outgoing) - ?",
                (GONE_KEPT,),
            )

    def _shut(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _one(self, sql: str, values: tuple[object, ...] = ()) -> tuple[Any, ...] | None:
        assert self._db is not None
        return self._db.execute(sql, values).fetchone()

    def _all(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        assert self._db is not None
        return self._db.execute(sql, values).fetchall()


def frame_of(path: Path, digest: str) -> Frame | None:
    """The packet of a digest, read from the file as it is. Raises sqlite3.Error."""
    db = sqlite3.connect(f"file:{path}?mode=rw", uri=True)
    try:
        row = db.execute("SELECT digest, at, peer, code, seq, raw FROM frame WHERE digest=?", (digest,)).fetchone()
    finally:
        db.close()
    return None if row is None else Frame(digest=row[0], at=row[1], peer=row[2], code=row[3], seq=row[4], raw=row[5])
