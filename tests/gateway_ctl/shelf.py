"""Books filled for tests, and a hand that edits them behind their back."""

import sqlite3
from pathlib import Path

from drivers.readings import Instant
from gateway_ctl.book import Book, Entry

AT = Instant(1_764_000_000.25)


async def fill(path: Path, count: int) -> list[Entry]:
    passages = [None if n % 3 == 0 else f"p-{n // 4}" for n in range(count)]
    async with Book(path) as book:
        return [
            await book.write("boom", Instant(AT + n), {"n": n, "zh": "闸"}, passage=passage)
            for n, passage in enumerate(passages)
        ]


def edit(path: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    store = sqlite3.connect(path)
    with store:
        for sql, parameters in statements:
            store.execute(sql, parameters)
    store.close()
