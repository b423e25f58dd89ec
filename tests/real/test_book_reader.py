"""The third party's script against ours: the same judgement of every book, and no tampering that it does not see."""

import ast
import json
import sqlite3
import struct
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from drivers.readings import Instant
from edge.evidence.bundle import Volume, write
from edge.evidence.proof import prove
from gateway_ctl.anchor import SignedAnchor
from gateway_ctl.book import GENESIS, Book, digest, entries, verify
from gateway_ctl.seal import public_of
from tests.edge.openings import AT, Twist, drop, write_book, write_opening
from tests.gateway_ctl.papers import keyring, private
from tests.gateway_ctl.shelf import edit
from tests.real import book_reader

SCRIPT = Path(book_reader.__file__)
PUBLIC = public_of(private("anchors"))


def bundled(folder: Path, book: Path, kept: list[SignedAnchor]) -> Path:
    file = folder / "bundle.zip"
    file.unlink(missing_ok=True)
    write(file, [Volume(lane="L01", path=book, kept=kept)], keyring(), PUBLIC)
    return file


def found(file: Path) -> list[str]:
    wrong, _ = book_reader.check(file, b64encode(PUBLIC).decode())
    return [why for _, _, why in wrong]


def test_the_script_is_short_and_stands_alone() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    named = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom)
            else []
        )
    }  # fmt: skip
    assert named <= sys.stdlib_module_names | {"cryptography"} and "cryptography" in named


async def test_it_agrees_that_a_book_is_whole(tmp_path: Path) -> None:
    book = tmp_path / "book.sqlite"
    kept = await write_book(book)
    proof = prove(book, lane="L01", public=PUBLIC, kept=kept)
    assert proof.well and proof.anchors == proof.kept == 3
    head = next(iter(reversed(list(entries(book))))).hash.hex()
    bundle = bundled(tmp_path, book, kept)
    for file in (book, bundle):
        wrong, there = book_reader.check(file)
        assert wrong == [] and head in there[0]
    with zipfile.ZipFile(bundle) as inside:
        (tmp_path / "verify.py").write_bytes(inside.read("verify.py"))
        assert [json.loads(line)["body"].encode() for line in inside.read("books/L01.jsonl").splitlines()] == [
            entry.body for entry in entries(book)
        ]
    ran = subprocess.run(
        [sys.executable, "-I", "verify.py", bundle.name, b64encode(PUBLIC).decode()],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert ran.returncode == 0 and "whole, 28 entries" in ran.stdout and ran.stderr == ""
    edit(book, ("UPDATE entry SET kind='Boom' WHERE seq=7", ()))
    bundled(tmp_path, book, kept)
    ran = subprocess.run(
        [sys.executable, "-I", "verify.py", bundle.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1 and "BROKEN at entry 7" in ran.stdout


@pytest.mark.parametrize(
    ("twist", "why"),
    [
        (Twist(permit=False), "without a permit"),
        (Twist(order=False), "no key of the site has sealed"),
        (Twist(key="a stranger"), "no key of the site has sealed"),
        (Twist(order_passage="L01-9"), "no key of the site has sealed"),
        (Twist(times=2), "raised the boom before"),
    ],
    ids=str,
)
async def test_a_whole_chain_of_a_lane_that_did_wrong(tmp_path: Path, twist: Twist, why: str) -> None:
    """The chain is whole, because a false lane wrote it; what it did is wrong all the same."""
    path = tmp_path / "book.sqlite"
    async with Book(path) as book:
        await write_opening(book, "L01-0", AT)
        await write_opening(book, "L01-1", Instant(AT + 100), twist)
        kept = [await drop(book)]
    assert not isinstance(verify(path), tuple)
    assert [why in each for each in found(bundled(tmp_path, path, kept))] == [True]


def _rows(path: Path) -> list[list[Any]]:
    store = sqlite3.connect(path)
    rows = [list(row) for row in store.execute("SELECT * FROM entry ORDER BY seq")]
    store.close()
    return rows


def _store(path: Path, rows: list[list[Any]]) -> None:
    edit(path, ("DELETE FROM entry", ()))
    store = sqlite3.connect(path)
    with store:
        store.executemany("INSERT INTO entry VALUES(?,?,?,?,?,?,?)", rows)
    store.close()


def _chained(rows: list[list[Any]]) -> None:
    """Every hash made right again: what somebody with the program and the file, but without the key, can do."""
    before = GENESIS
    for seq, row in enumerate(rows, 1):
        row[0], row[5] = seq, before
        row[6] = before = digest(seq, row[1], row[2], row[3], row[4], before)


def _forgeries(dice: Random) -> dict[str, Callable[[list[list[Any]]], None]]:
    def one(rows: list[list[Any]]) -> list[Any]:
        return dice.choice(rows)

    def bit(raw: bytes) -> bytes:
        changed = bytearray(raw)
        changed[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        return bytes(changed)

    def column(n: int, make: Callable[[Any], Any]) -> Callable[[list[list[Any]]], None]:
        def forge(rows: list[list[Any]]) -> None:
            row = one(rows)
            row[n] = make(row[n])

        return forge

    def cut(rows: list[list[Any]]) -> None:
        del rows[dice.randrange(1, len(rows) - 1) :]

    def delete(rows: list[list[Any]]) -> None:
        del rows[dice.randrange(len(rows) - 1)]

    def swap(rows: list[list[Any]]) -> None:
        n = dice.randrange(len(rows) - 1)
        rows[n][1:], rows[n + 1][1:] = rows[n + 1][1:], rows[n][1:]

    def again(rows: list[list[Any]]) -> None:
        rows.append([len(rows) + 1, *one(rows)[1:]])

    def before_the_last_anchor(forge: Callable[[list[list[Any]]], None]) -> Callable[[list[list[Any]]], None]:
        def anew(rows: list[list[Any]]) -> None:
            last = rows[-1]
            kept = rows[:-1]
            forge(kept)
            rows[:] = [*kept, last]
            _chained(rows)

        return anew

    def word(raw: bytes) -> bytes:
        text = raw.decode()
        for old, new in (
            ("37000", "37020"),
            (PLATE_SEEN, "沪AD3F89"),
            ("customs-2026", "customs-2027"),
            ("raise", "lower"),
        ):
            if old in text:
                return text.replace(old, new, 1).encode()
        return raw[:-1] + b" }"

    return {
        "time": column(1, lambda at: at + dice.choice([1e-6, -1.0, 3600.0])),
        "kind": column(2, lambda kind: f"{kind}s"),
        "passage": column(3, lambda passage: "L01-77" if passage is None else None),
        "body, one bit": column(4, bit),
        "body, a word": column(4, word),
        "before": column(5, bit),
        "hash": column(6, bit),
        "row deleted": delete,
        "rows swapped": swap,
        "row again": again,
        "tail cut": cut,
        "written anew: time": before_the_last_anchor(column(1, lambda at: at - 1.0)),
        "written anew: body": before_the_last_anchor(column(4, word)),
        "written anew: row deleted": before_the_last_anchor(delete),
        "written anew: tail cut": cut,
    }


PLATE_SEEN = "沪AD3F88"


async def tamper(tmp_path: Path, times: int, seed: int) -> set[str]:
    book = tmp_path / "book.sqlite"
    kept = await write_book(book, openings=2)
    whole, rows = book.read_bytes(), _rows(book)
    dice, seen = Random(seed), set[str]()
    for n in range(times):
        what, forge = dice.choice(list(_forgeries(dice).items()))
        copy = tmp_path / "copy.sqlite"
        copy.write_bytes(whole)
        changed = [list(row) for row in rows]
        forge(changed)
        if changed == rows:
            continue
        _store(copy, changed)
        proof = prove(copy, lane="L01", public=PUBLIC, kept=kept)
        assert not proof.well, (n, what)
        assert found(bundled(tmp_path, copy, kept)), (n, what)
        assert bool(book_reader.check(copy)[0]) == (not prove(copy, lane=None, public=None, kept=()).well), (n, what)
        seen.add(what)
    return seen


async def test_a_hundred_tamperings_are_found(tmp_path: Path) -> None:
    assert len(await tamper(tmp_path, 100, seed=20261125)) == 15


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_thousand_tamperings_are_found(tmp_path: Path) -> None:
    assert len(await tamper(tmp_path, 1000, seed=7)) == 15


@pytest.mark.parametrize("raw", [b"no database, only words" * 40, b"", b"PK\x03\x04 no zip either"])
def test_a_file_that_is_no_book(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "odd"
    file.write_bytes(raw)
    assert book_reader.check(file)[0]


async def test_a_bundle_with_a_flipped_byte_is_never_called_whole(tmp_path: Path) -> None:
    book = tmp_path / "book.sqlite"
    kept = await write_book(book, openings=1)
    file = bundled(tmp_path, book, kept)
    raw, dice = file.read_bytes(), Random(5)
    with zipfile.ZipFile(file) as inside:
        info = inside.getinfo("books/L01.jsonl")
    start = info.header_offset + 30 + sum(struct.unpack_from("<HH", raw, info.header_offset + 26))
    for _ in range(60):
        changed = bytearray(raw)
        changed[dice.randrange(start, start + info.compress_size)] ^= 1 << dice.randrange(8)
        file.write_bytes(bytes(changed))
        assert found(file)
