"""Whatever was changed, left out, moved or put into a book is found, and such a book is never written on."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from gateway_ctl.book import GENESIS, Book, BookShut, Broken, Verified, digest, verify
from tests.gateway_ctl.shelf import AT, edit, fill


def _tamper(path: Path, count: int, dice: Random) -> str:
    """One forgery that leaves a readable file; what it was."""
    seq = dice.randint(1, count)
    inner = dice.randint(1, count - 1)
    byte = dice.randrange(32)

    def flipped(column: str, of: int) -> bytes:
        store = sqlite3.connect(path)
        (raw,) = store.execute(f"SELECT {column} FROM entry WHERE seq=?", (of,)).fetchone()
        store.close()
        changed = bytearray(raw)
        changed[byte % len(changed)] ^= 1 << dice.randrange(8)
        return bytes(changed)

    def deleted() -> None:
        edit(path, ("DELETE FROM entry WHERE seq=?", (inner,)))

    def closed_up() -> None:
        edit(path, ("DELETE FROM entry WHERE seq=?", (inner,)), ("UPDATE entry SET seq=seq-1 WHERE seq>?", (inner,)))

    def swapped() -> None:
        edit(
            path,
            ("UPDATE entry SET seq=-1 WHERE seq=?", (inner,)),
            ("UPDATE entry SET seq=? WHERE seq=?", (inner, inner + 1)),
            ("UPDATE entry SET seq=? WHERE seq=-1", (inner + 1,)),
        )

    def inserted(*, honest_hash: bool) -> None:
        at, body, before = 1.0, b'{"n":0}', GENESIS
        if honest_hash:
            store = sqlite3.connect(path)
            (before,) = store.execute("SELECT hash FROM entry WHERE seq=?", (inner,)).fetchone()
            store.close()
        mark = digest(inner + 1, at, "boom", None, body, before)
        edit(
            path,
            ("UPDATE entry SET seq=-seq-1 WHERE seq>?", (inner,)),
            ("UPDATE entry SET seq=-seq WHERE seq<0", ()),
            ("INSERT INTO entry VALUES(?,?,?,?,?,?,?)", (inner + 1, at, "boom", None, body, before, mark)),
        )

    def rewritten() -> None:
        """Content and its own hash; only the next entry can tell."""
        store = sqlite3.connect(path)
        at, kind, passage, before = store.execute(
            "SELECT at, kind, passage, before FROM entry WHERE seq=?", (inner,)
        ).fetchone()
        store.close()
        body = b'{"n":"forged"}'
        mark = digest(inner, at, kind, passage, body, before)
        edit(path, ("UPDATE entry SET body=?, hash=? WHERE seq=?", (body, mark, inner)))

    def column(name: str, value: object) -> Callable[[], None]:
        return lambda: edit(path, (f"UPDATE entry SET {name}=? WHERE seq=?", (value, seq)))

    forgeries: dict[str, Callable[[], None]] = {
        "at": column("at", AT + seq - 1 + dice.choice([1e-6, -1.0, 1e300])),
        "kind": column("kind", dice.choice(["", "Boom", "boom "])),
        "passage": column("passage", dice.choice(["", "p-99", "P-0"])),
        "body": column("body", flipped("body", seq)),
        "body longer": column("body", b'{"n":0,"zh":"\xe9\x97\xb8"} '),
        "body empty": column("body", b""),
        "before": column("before", flipped("before", seq)),
        "hash": column("hash", flipped("hash", seq)),
        "hash empty": column("hash", b""),
        "number": column("seq", count + dice.randint(1, 9) if seq < count else count + 2),
        "number below": column("seq", -seq),
        "row deleted": deleted,
        "row deleted, gap closed": closed_up,
        "rows swapped": swapped,
        "row inserted": lambda: inserted(honest_hash=False),
        "row inserted, chained": lambda: inserted(honest_hash=True),
        "row rewritten with its hash": rewritten,
    }
    what = dice.choice(list(forgeries))
    forgeries[what]()
    return what


async def test_every_tampering_is_found(tmp_path: Path) -> None:
    dice = Random(20261123)
    original = tmp_path / "book.sqlite"
    count = 12
    written = await fill(original, count)
    whole, seen = original.read_bytes(), set[str]()
    for n in range(250):
        path = tmp_path / f"copy-{n}.sqlite"
        path.write_bytes(whole)
        what = _tamper(path, count, dice)
        found = verify(path)
        assert isinstance(found, Broken), (n, what)
        assert found.why
        seen.add(what)
        path.unlink()
        if n % 25 == 0:
            path.write_bytes(whole)
            _tamper(path, count, dice)
            with pytest.raises(BookShut, match="keep it as evidence"):
                await Book(path).open()
    assert len(seen) == 17
    assert verify(original) == Verified(count, written[-1].hash)


async def test_the_first_broken_entry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    await fill(path, 6)
    edit(path, ("UPDATE entry SET body=? WHERE seq>=4", (b"{}",)))
    assert verify(path) == Broken(4, "its content does not match its hash")
    edit(path, ("DELETE FROM entry WHERE seq=3", ()))
    assert verify(path) == Broken(3, "entry 3 is missing, the next one is 4")
    edit(path, ("UPDATE entry SET before=? WHERE seq=2", (GENESIS,)))
    assert verify(path) == Broken(2, "it is not chained to the entry before it")


async def test_a_cut_tail_shows_only_against_a_head_kept_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    written = await fill(path, 6)
    edit(path, ("DELETE FROM entry WHERE seq=6", ()))
    assert verify(path) == Verified(5, written[4].hash) != Verified(6, written[5].hash)
