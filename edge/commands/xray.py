"""`xray verify`: every kept scan against its name and against itself."""

from pathlib import Path

from edge.commands.words import Exit, Stop, err, line
from vision.xray.store import Archive


def verify(folder: Path) -> Exit:
    """One line a file; NOT_WELL when one is not what its name says. Raises Stop where there is no archive."""
    if not folder.is_dir():
        raise Stop(f"{folder}: no archive there; name the folder that holds the scans", Exit.MISSING)
    well, count = True, 0
    for name, finding in Archive(folder).verify():
        count += 1
        well = well and finding is None
        line(f"{name}\t{'well' if finding is None else finding.why}")
    err.print(f"{count} files")
    return Exit.WELL if well else Exit.NOT_WELL
