"""A scan while the truck passes: the rows that its writer has corrected so far, read out of the file that grows.

Blocking: call from a thread.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from vision.xray.layout import DamagedScan, array, open_file, open_growing, read_head, rows_written
from vision.xray.scan import Counts, Energy, ScanHead
from vision.xray.store import SUFFIX, UNDER_WAY, Archive

FOLDERS_SEARCHED: Final = 8
"""The newest of the archive's, for a scan that has just ended: one for each scanner that may end one with it."""


class GrowingScan:
    """One scan under way. The file may be moved or deleted meanwhile; what was open stays readable.

    HDF5 opens it for each look only: two openings of a file in one process share what they know, and whoever kept it
    open would hide from the rest of the process that the scan has ended.
    """

    def __init__(self, path: Path) -> None:
        """Raises DamagedScan: it is not there any more, or not yet readable."""
        self.path = path
        self._kept: Path | None = None
        try:
            self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as no:
            raise DamagedScan(f"{path.name}: {no}") from no
        try:
            with self._open() as file:
                self.head: ScanHead = read_head(file, path, whole=False)
        except BaseException:
            self.close()
            raise

    @property
    def over(self) -> bool:
        """Whether its writer has finished with it."""
        return not self.path.exists()

    def rows(self) -> int:
        """Rows of the picture that are there by now. Raises DamagedScan."""
        with self._open() as file:
            return rows_written(file, self.path)

    def picture(self, energy: Energy, first: int, last: int) -> Counts:
        """Rows `first` to `last` - 1. Raises DamagedScan."""
        with self._open() as file:
            return array(file, self.path, f"picture/{energy.value}", slice(first, last))

    def close(self) -> None:
        """A second call does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _open(self) -> Any:
        if self.over and self._kept is None:
            self._kept = self._moved()
        # What is kept is opened as everybody opens it: HDF5 has one file one way only in a process.
        return open_growing(self.path) if self._kept is None else open_file(self._kept)

    def _moved(self) -> Path | None:
        """Where the archive has put it: the same file under its digest's name, in a folder that has just changed."""
        mine, root = os.fstat(self._handle).st_ino, self.path.parents[1]
        folders = [folder for folder in root.iterdir() if folder.is_dir() and folder.name != UNDER_WAY]
        for folder in sorted(folders, key=lambda each: each.stat().st_mtime_ns, reverse=True)[:FOLDERS_SEARCHED]:
            with os.scandir(folder) as entries:
                found = next((entry for entry in entries if entry.inode() == mine), None)
            if found is not None:
                return Path(found.path)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, what: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def under_way(archive: Archive) -> dict[str, Path]:
    """The newest file under way of each scanner."""
    found: dict[str, Path] = {}
    for path in sorted((archive.folder / UNDER_WAY).glob(f"*{SUFFIX}"), key=lambda p: p.name):
        scanner, dash, _ = path.name.rpartition("-")
        if dash and ".again" not in path.name:
            found[scanner] = path
    return found


__all__ = ["DamagedScan", "GrowingScan", "under_way"]
