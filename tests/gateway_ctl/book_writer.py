"""A process that writes a book until it is killed, and says on its standard output which entries it was told are kept.

Run as `python -m tests.gateway_ctl.book_writer PATH WRITERS`.
"""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from drivers.readings import Instant
from gateway_ctl.book import Book


async def write(book: Book, writer: int) -> None:
    for n in count():
        entry = await book.write("told", Instant(float(n)), {"writer": writer, "n": n}, passage=f"p-{writer}")
        # One write of fewer bytes than a pipe holds is never torn.
        os.write(1, f"{entry.seq} {entry.hash.hex()} {writer} {n}\n".encode())


async def main() -> None:
    async with Book(Path(sys.argv[1])) as book, asyncio.TaskGroup() as group:
        for writer in range(int(sys.argv[2])):
            group.create_task(write(book, writer))


if __name__ == "__main__":
    asyncio.run(main())
