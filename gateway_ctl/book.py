"""The lane's book: what was ordered, decided, written and seen, each entry chained to the one before by SHA-256.

An entry is durable when `write` returns, and nothing acts before its entry is. SQLite in WAL mode with
synchronous=FULL on one thread of its own; entries that wait while a commit runs share the next one. Entries become
durable in the order in which they were put: whoever has waited for one has waited for all before it.
"""

import asyncio
import contextlib
import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self

import msgspec

from drivers.readings import Instant

BUSY_S = 2.0
"""How long an entry waits for a file that another process holds: a reader's checkpoint takes less."""
GENESIS = bytes(32)
"""What the first entry is chained to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the book. `hash` covers all the other fields."""

    seq: int
    at: Instant
    kind: str
    passage: str | None
    body: bytes
    """JSON."""
    before: bytes
    hash: bytes

    def plain(self) -> dict[str, Any]:
        """The body."""
        return msgspec.json.decode(self.body)


@dataclass(frozen=True, slots=True)
class Verified:
    """Every entry follows from the one before."""

    entries: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that does not."""

    seq: int
    why: str


class BookShut(Exception):
    """The book cannot be written, so nothing may act."""


def digest(seq: int, at: float, kind: str, passage: str | None, body: bytes, before: bytes) -> bytes:
    """SHA-256 over a form that cannot be split in two ways: JSON of the head, a line feed, the body as it is."""
    head = msgspec.json.encode([before.hex(), seq, repr(float(at)), kind, passage])
    return hashlib.sha256(head + b"\n" + body).digest()


_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry(
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, passage TEXT, body BLOB NOT NULL,
    before BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS entry_passage ON entry(passage);
"""


@dataclass(slots=True)
class _Wish:
    at: Instant
    kind: str
    passage: str | None
    body: bytes
    done: "asyncio.Future[Entry]"
    loop: asyncio.AbstractEventLoop


class Book:
    """Open for writing by one process. Use as an async context, or `open` and `close`."""

    def __init__(self, path: Path) -> None:
        """`path`: the SQLite file; its folder must exist."""
        self.path = path
        self._wishes: SimpleQueue[_Wish | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._shut: str | None = "the book is not open"
        self._head = Verified(0, GENESIS)

    @property
    def head(self) -> Verified:
        """How far the book is on the disk."""
        return self._head

    async def open(self) -> Verified:
        """Verify what is there, then take entries. Raises BookShut: chain broken, or file not to be opened."""
        found = await asyncio.to_thread(verify, self.path) if self.path.exists() else Verified(0, GENESIS)
        if isinstance(found, Broken):
            raise BookShut(
                f"{self.path.name}: entry {found.seq} is broken: {found.why}; keep it as evidence, start another"
            )
        try:
            store = await asyncio.to_thread(_connect, self.path)
        except sqlite3.Error as wrong:
            raise BookShut(f"{self.path.name} cannot be opened: {wrong}") from wrong
        self._shut, self._head = None, found
        self._thread = threading.Thread(target=self._work, args=(store, found), name="book", daemon=True)
        self._thread.start()
        return found

    async def write(self, kind: str, at: Instant, body: object, *, passage: str | None = None) -> Entry:
        """Durable on return. `body` is any msgspec-encodable mapping. Raises BookShut."""
        return await self.put(kind, at, body, passage=passage)

    def put(self, kind: str, at: Instant, body: object, *, passage: str | None = None) -> asyncio.Future[Entry]:
        """The same, to be waited for: its place is taken now, behind all that was put before. Raises BookShut."""
        if self._shut is not None:
            raise BookShut(self._shut)
        loop = asyncio.get_running_loop()
        wish = _Wish(at, kind, passage, msgspec.json.encode(body), loop.create_future(), loop)
        self._wishes.put(wish)
        if self._shut is not None:  # the thread has ended between the question above and the wish
            self._refuse_all([], self._shut)
        # The entry is on its way to the disk whatever becomes of the one who waits.
        return wish.done

    async def close(self) -> None:
        """All entries handed in are on disk on return."""
        self._shut = self._shut or "the book is closed"
        if self._thread is not None:
            self._wishes.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _work(self, store: sqlite3.Connection, found: Verified) -> None:
        seq, head, last = found.entries, found.head, False
        while not last:
            batch: list[_Wish] = []
            first = self._wishes.get()
            last = first is None
            if first is not None:
                batch.append(first)
            while not self._wishes.empty():
                wish = self._wishes.get()
                if wish is None:
                    last = True
                else:
                    batch.append(wish)
            entries: list[Entry] = []
            for wish in batch:
                seq += 1
                mark = digest(seq, wish.at, wish.kind, wish.passage, wish.body, head)
                entries.append(
                    Entry(
                        seq=seq,
                        at=wish.at,
                        kind=wish.kind,
                        passage=wish.passage,
                        body=wish.body,
                        before=head,
                        hash=mark,
                    )
                )
                head = mark
            try:
                with store:
                    store.executemany(
                        "INSERT INTO entry VALUES(?,?,?,?,?,?,?)",
                        [(e.seq, e.at, e.kind, e.passage, e.body, e.before, e.hash) for e in entries],
                    )
            except sqlite3.Error as wrong:
                self._refuse_all(batch, f"{self.path.name} cannot be written: {wrong}")
                break
            self._head = Verified(seq, head)
            for wish, entry in zip(batch, entries, strict=True):
                _tell(wish, entry)
        store.close()

    def _refuse_all(self, batch: list[_Wish], why: str) -> None:
        self._shut = why
        while True:
            for wish in batch:
                _tell(wish, BookShut(why))
            try:
                more = self._wishes.get_nowait()
            except Empty:
                return
            batch = [] if more is None else [more]


def _tell(wish: _Wish, answer: Entry | BookShut) -> None:
    def settle() -> None:
        if wish.done.done():
            return
        if isinstance(answer, BookShut):
            wish.done.set_exception(answer)
        else:
            wish.done.set_result(answer)

    with contextlib.suppress(RuntimeError):  # the loop is gone; the entry is on disk all the same
        wish.loop.call_soon_threadsafe(settle)


def _connect(path: Path) -> sqlite3.Connection:
    store = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.executescript(_SCHEMA)
    return store


def entries(path: Path, *, passage: str | None = None, kind: str | None = None, after: int = 0) -> Iterator[Entry]:
    """The entries in order, read from the file as it is. Raises sqlite3.Error."""
    # A reader of a WAL database must be able to make the -shm file beside it; the writer may be alive.
    store = sqlite3.connect(f"file:{path}?mode=rw", uri=True)
    try:
        rows = store.execute(
            "SELECT seq, at, kind, passage, body, before, hash FROM entry "
            "WHERE seq > ? AND (? IS NULL OR passage = ?) AND (? IS NULL OR kind = ?) ORDER BY seq",
            (after, passage, passage, kind, kind),
        )
        for seq, at, word, crossing, body, before, mark in rows:
            yield Entry(seq=seq, at=Instant(at), kind=word, passage=crossing, body=body, before=before, hash=mark)
    finally:
        store.close()


def verify(path: Path) -> Verified | Broken:
    """Walk the whole chain. A cut tail cannot be seen from inside: compare `head` with a copy kept elsewhere."""
    head, expected = GENESIS, 1
    try:
        for entry in entries(path):
            if entry.seq != expected:
                return Broken(expected, f"entry {expected} is missing, the next one is {entry.seq}")
            if entry.before != head:
                return Broken(entry.seq, "it is not chained to the entry before it")
            if digest(entry.seq, entry.at, entry.kind, entry.passage, entry.body, entry.before) != entry.hash:
                return Broken(entry.seq, "its content does not match its hash")
            head, expected = entry.hash, expected + 1
    except (sqlite3.Error, TypeError, ValueError) as wrong:
        return Broken(expected, f"it cannot be read: {wrong}")
    return Verified(expected - 1, head)
