"""What the book acknowledges is kept and chained, whatever happens to the process; what was changed is found."""

import asyncio
import signal
import sqlite3
import sys
import threading
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue

import pytest

import gateway_ctl.book as module
from gateway_ctl.book import GENESIS, Book, BookShut, Broken, Verified, digest, entries, verify
from tests.gateway_ctl.shelf import AT, edit, fill


async def test_entries_are_chained_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    written = await fill(path, 9)
    assert [e.seq for e in written] == list(range(1, 10))
    assert written[0].before == GENESIS
    assert all(later.before == earlier.hash for earlier, later in pairwise(written))
    assert list(entries(path)) == written
    assert verify(path) == Verified(9, written[-1].hash)
    assert written[4].plain() == {"n": 4, "zh": "闸"}


async def test_the_shelves_of_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    written = await fill(path, 9)
    assert list(entries(path, after=7)) == written[7:]
    assert list(entries(path, passage="p-1")) == [e for e in written if e.passage == "p-1"] != []
    assert list(entries(path, kind="boom", after=8)) == written[8:]
    assert list(entries(path, kind="order")) == []


def test_the_hash_is_what_the_manual_says() -> None:
    """SHA-256 of a JSON head, a line feed, the body: whoever checks a book in court needs no program of ours."""
    import hashlib

    head = b'["' + b"00" * 32 + b'",1,"1764000000.25","boom",null]'
    assert digest(1, 1764000000.25, "boom", None, b"{}", GENESIS) == hashlib.sha256(head + b"\n{}").digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 1.0, "a", None, b"b", GENESIS), (1, 1.0, "a", "", b"b", GENESIS)),
        ((1, 1.0, "a", "b", b"", GENESIS), (1, 1.0, "a", None, b"b", GENESIS)),
        ((1, 1.0, "a", "b\n", b"c", GENESIS), (1, 1.0, "a", "b", b"\nc", GENESIS)),
        ((1, 1.0, "a", '","', b"", GENESIS), (1, 1.0, 'a","', "", b"", GENESIS)),
        ((11, 1.0, "a", None, b"", GENESIS), (1, 11.0, "a", None, b"", GENESIS)),
        ((1, 0.1 + 0.2, "a", None, b"", GENESIS), (1, 0.3, "a", None, b"", GENESIS)),
    ],
)
def test_two_entries_never_look_the_same_to_the_hash(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    assert digest(*one) != digest(*other)  # pyright: ignore[reportArgumentType] - tables of arguments


async def test_many_writers_at_once_share_commits_and_stay_one_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, commits = tmp_path / "book.sqlite", 0
    connect = module._connect

    def counting(at: Path) -> sqlite3.Connection:
        store = connect(at)

        def trace(sql: str) -> None:
            nonlocal commits
            commits += sql.startswith("COMMIT")

        store.set_trace_callback(trace)
        return store

    monkeypatch.setattr(module, "_connect", counting)
    async with Book(path) as book:

        async def write(writer: int) -> list[int]:
            return [(await book.write("told", AT, {"writer": writer, "n": n})).seq for n in range(10)]

        seqs = await asyncio.gather(*(write(writer) for writer in range(50)))
    assert sorted(seq for mine in seqs for seq in mine) == list(range(1, 501))
    assert all(mine == sorted(mine) for mine in seqs), "each writer's entries are in its order"
    assert verify(path) == Verified(500, list(entries(path))[-1].hash)
    assert 10 <= commits < 250, "a commit carries what waited for it"


async def test_reopening_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    first = await fill(path, 3)
    second = await fill(path, 2)
    assert second[0].before == first[-1].hash and second[0].seq == 4
    book = Book(path)
    assert await book.open() == Verified(5, second[-1].hash)
    await book.write("told", AT, {})
    await book.close()
    await book.close()
    assert verify(path) == Verified(6, list(entries(path))[-1].hash)
    assert await book.open() == verify(path), "the same book again"
    await book.close()


@pytest.mark.parametrize("raw", [b"no database at all, only words" * 40, b"", b"SQLite format 3\0" + bytes(100)])
async def test_a_file_that_is_no_book(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "book.sqlite"
    path.write_bytes(raw)
    assert isinstance(verify(path), Broken)
    with pytest.raises(BookShut):
        await Book(path).open()


async def test_a_place_where_no_book_can_be(tmp_path: Path) -> None:
    book = Book(tmp_path / "missing" / "book.sqlite")
    with pytest.raises(BookShut, match="cannot be opened"):
        await book.open()
    with pytest.raises(BookShut):
        await book.write("told", AT, {})
    await book.close()


async def test_a_book_that_is_not_open_or_closed_takes_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.sqlite")
    with pytest.raises(BookShut, match="not open"):
        await book.write("told", AT, {})
    await book.open()
    await book.close()
    with pytest.raises(BookShut, match="closed"):
        await book.write("told", AT, {})
    assert verify(book.path) == Verified(0, GENESIS)


async def test_closing_keeps_what_was_handed_in_and_refuses_what_comes_meanwhile(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.sqlite")
    await book.open()
    before = [asyncio.ensure_future(book.write("told", AT, {"n": n})) for n in range(40)]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(book.close())
    await asyncio.sleep(0)
    with pytest.raises(BookShut):
        await asyncio.wait_for(book.write("late", AT, {}), 10)
    await closing
    assert [(await each).seq for each in before] == list(range(1, 41))
    assert verify(book.path) == Verified(40, list(entries(book.path))[-1].hash)


async def test_a_book_says_how_far_it_is_and_why_it_takes_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.sqlite")
    assert book.head == Verified(0, GENESIS)
    with pytest.raises(BookShut, match=r"^the book is not open$"):
        await book.write("boom", AT, {})
    await book.open()
    assert [(each.name, each.daemon) for each in threading.enumerate() if each.name == "book"] == [("book", True)]
    entry = await book.write("boom", AT, {})
    assert book.head == Verified(1, entry.hash)
    await book.close()
    assert book.head == Verified(1, entry.hash)
    with pytest.raises(BookShut, match=r"^the book is closed$"):
        await book.write("boom", AT, {})


async def test_a_book_that_was_closed_twice_may_be_opened_again(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.sqlite")
    await book.open()
    await book.close()
    await book.close()
    assert await book.open() == Verified(0, GENESIS)
    async with asyncio.timeout(10):
        assert (await book.write("boom", AT, {})).seq == 1
    await book.close()


async def test_the_last_word_may_come_while_others_wait(tmp_path: Path) -> None:
    """Another hand holds the file: one entry waits for it, one behind it, and the closing behind both."""
    path = tmp_path / "book.sqlite"
    book = Book(path)
    await book.open()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(10):
        first = book.put("boom", AT, {})
        while not book._wishes.empty():
            await asyncio.sleep(0.001)
        second = book.put("boom", AT, {})
        closing = asyncio.ensure_future(book.close())
        while book._wishes.qsize() < 2:
            await asyncio.sleep(0.001)
        other.execute("COMMIT")
        await closing
        assert [(await entry).seq for entry in (first, second)] == [1, 2]
    other.close()


async def test_a_book_that_failed_says_so_when_it_is_closed_too(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    await fill(path, 1)
    book = Book(path)
    await book.open()
    edit(path, ("INSERT INTO entry SELECT 2, at, kind, passage, body, before, hash FROM entry", ()))
    with pytest.raises(BookShut, match="cannot be written"):
        await book.write("boom", AT, {})
    await book.close()
    with pytest.raises(BookShut, match="cannot be written"):
        await book.write("boom", AT, {})


def test_a_file_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    store = module._connect(tmp_path / "book.sqlite")
    assert store.execute("PRAGMA busy_timeout").fetchone() == (2000,)
    store.close()


async def test_an_entry_stays_when_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    async with Book(tmp_path / "book.sqlite") as book:
        writing = asyncio.ensure_future(book.write("told", AT, {"n": 0}))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert (await book.write("told", AT, {"n": 1})).seq == 2
    assert [e.plain()["n"] for e in entries(book.path)] == [0, 1]
    assert complaints == []


async def test_a_body_that_is_no_json_is_the_writers_mistake(tmp_path: Path) -> None:
    async with Book(tmp_path / "book.sqlite") as book:
        with pytest.raises(TypeError):
            await book.write("told", AT, {"what": object()})
        assert (await book.write("told", AT, {"kg": Decimal("12.50")})).plain() == {"kg": "12.50"}


async def test_two_processes_never_write_one_book(tmp_path: Path) -> None:
    """The second to write finds its number taken, and is shut for good."""
    path = tmp_path / "book.sqlite"
    async with Book(path) as one, Book(path) as other:
        await one.write("told", AT, {"who": "one"})
        with pytest.raises(BookShut, match="cannot be written"):
            await other.write("told", AT, {"who": "other"})
        with pytest.raises(BookShut):
            await other.write("told", AT, {"who": "other"})
        assert (await one.write("told", AT, {"who": "one"})).seq == 2
    assert isinstance(verify(path), Verified)


async def test_a_full_disk_shuts_the_book_and_keeps_what_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "book.sqlite"
    connect = module._connect

    def small(at: Path) -> sqlite3.Connection:
        store = connect(at)
        store.execute("PRAGMA max_page_count=12")
        return store

    monkeypatch.setattr(module, "_connect", small)
    book = Book(path)
    await book.open()
    kept: list[int] = []

    async def write_on() -> None:
        for n in range(1000):
            kept.append((await book.write("told", AT, {"n": n, "pad": "x" * 500})).seq)

    with pytest.raises(BookShut, match="full"):
        await write_on()
    assert len(kept) > 5
    with pytest.raises(BookShut, match="full"):
        await asyncio.wait_for(book.write("told", AT, {}), 10)
    await asyncio.wait_for(book.close(), 10)
    assert [e.seq for e in entries(path)] == kept
    assert isinstance(verify(path), Verified)


async def test_everybody_who_waits_hears_that_the_book_is_shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody else holds: after BUSY_S all waiting entries are refused, those behind them too."""
    monkeypatch.setattr(module, "BUSY_S", 0.2)
    path = tmp_path / "book.sqlite"
    async with Book(path) as book:
        await book.write("told", AT, {})
        thief = sqlite3.connect(path)
        thief.execute("BEGIN EXCLUSIVE")
        waiting = [asyncio.ensure_future(book.write("told", AT, {"n": n})) for n in range(20)]
        answers = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 20)
        assert all(isinstance(answer, BookShut) for answer in answers)
        thief.rollback()
        thief.close()
        with pytest.raises(BookShut, match="locked"):
            await book.write("told", AT, {})
    assert [e.seq for e in entries(path)] == [1]


class _Ends(SimpleQueue[module._Wish | None]):
    """The wishes of a book whose thread ends just before the first one arrives."""

    book: Book

    def put(self, item: module._Wish | None, block: bool = True, timeout: float | None = None) -> None:
        thread = self.book._thread
        if thread is not None and item is not None:
            super().put(None)
            thread.join()
            self.book._shut = "gone"
        super().put(item)


async def test_a_wish_at_the_very_moment_of_failure_is_answered(tmp_path: Path) -> None:
    """The book shuts between a writer's look at it and its wish: nobody waits for ever."""
    book = Book(tmp_path / "book.sqlite")
    book._wishes = ends = _Ends()
    ends.book = book
    await book.open()
    with pytest.raises(BookShut, match="gone"):
        await asyncio.wait_for(book.write("told", AT, {}), 10)
    await book.close()


def test_the_event_loop_may_go_before_the_answer(tmp_path: Path) -> None:
    """An entry whose writer's loop has ended is kept, and the book's thread lives to close."""
    book = Book(tmp_path / "book.sqlite")

    async def leave() -> None:
        await book.open()
        left = [asyncio.ensure_future(book.write("told", AT, {})) for _ in range(5)]
        await asyncio.sleep(0)
        left[0].cancel()

    asyncio.run(leave())
    asyncio.run(book.close())
    assert isinstance(verify(book.path), Verified)
    assert not [thread for thread in threading.enumerate() if thread.name == "book"]


def test_it_is_written_through_to_the_disk(tmp_path: Path) -> None:
    store = module._connect(tmp_path / "book.sqlite")
    assert store.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with pytest.raises(sqlite3.IntegrityError):
        store.execute("INSERT INTO entry VALUES(1, 'text', 'k', NULL, x'', x'', x'')")
    store.close()


@pytest.mark.parametrize("after", [5, 60, 200])
async def test_kill_minus_9_loses_nothing_that_was_acknowledged(tmp_path: Path, after: int) -> None:
    path = tmp_path / "book.sqlite"
    found: Verified | Broken = Verified(0, GENESIS)
    for _ in range(2):
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.gateway_ctl.book_writer", str(path), "8", stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout is not None
        told = [await asyncio.wait_for(writer.stdout.readline(), 30) for _ in range(after)]
        writer.send_signal(signal.SIGKILL)
        told += (await writer.stdout.read()).splitlines()
        await writer.wait()
        found = verify(path)
        assert isinstance(found, Verified)
        kept = {e.seq: (e.hash.hex(), e.plain()) for e in entries(path)}
        assert len(told) >= after
        for line in told:
            seq, mark, who, n = line.decode().split()
            assert kept[int(seq)] == (mark, {"writer": int(who), "n": int(n)})
        assert found.entries >= len(told)
    async with Book(path) as book:
        assert isinstance(found, Verified)
        assert (await book.write("told", AT, {})).seq == found.entries + 1
    assert isinstance(verify(path), Verified)
