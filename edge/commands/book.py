"""`book verify`: whether a lane's book is whole, and where it breaks if it is not."""

from pathlib import Path

from edge.commands.site import open_site
from edge.commands.words import Exit, Stop, line
from edge.config import BOOK
from gateway_ctl.book import Broken, verify


def verify_all(path: Path) -> Exit:
    """`path`: a book, a data folder, or a site file. One line a book; NOT_WELL when one of them is broken."""
    books = _books(path)
    if not books:
        raise Stop(f"{path}: no book there", Exit.MISSING)
    well = True
    for book in books:
        found = verify(book)
        if isinstance(found, Broken):
            well = False
            line(f"{book}: BROKEN at entry {found.seq}: {found.why}")
        else:
            line(f"{book}: whole, {found.entries} entries, head {found.head.hex()}")
    return Exit.WELL if well else Exit.NOT_WELL


def _books(path: Path) -> list[Path]:
    if path.suffix == ".toml":
        path = open_site(path).data
    if path.is_dir():
        return sorted(path.rglob(BOOK))
    return [path] if path.is_file() else []
