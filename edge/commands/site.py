"""Opening a site file for a command, and `schema`."""

from pathlib import Path

from edge.commands.words import Exit, Stop, line
from edge.config import Site, SiteFileWrong, load, schema


def open_site(path: Path) -> Site:
    """The site. Stops with every mistake of the file, or with what keeps it from being read."""
    if not path.is_file():
        raise Stop(f"{path}: no such site file; edge/sites/example.toml shows what one looks like", Exit.MISSING)
    try:
        return load(path)
    except SiteFileWrong as wrong:
        raise Stop(str(wrong), Exit.WRONG) from None


def print_schema() -> None:
    """The JSON schema of a site file."""
    line(schema().rstrip("\n"))
