"""A scan while the truck passes: the rows that its writer has corrected so far, read out of the file that grows.

Blocking: call from a thread.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from vision.xray.layout import DamagedScan, array, open_growing, read_head, rows_written
from vision.xray.scan import Counts, Energy, ScanHead
from vision.xray.store import SUFFIX, UNDER_WAY, Archive

HANDLES: Final = Path("/proc/self/fd")
"""Linux' names for the files that this process holds."""


class GrowingScan:
    """One scan under way. The file may be moved or deleted meanwhile; what was open stays readable.

    It is held by the system's own handle and opened by HDF5 for each look only: two openings of a file in one process
    share what they know, and whoever kept it open would hide from the rest of the process that the scan has ended.
    """

    def __init__(self, path: Path) -> None:
        """Raises DamagedScan: it is not there any more, or not yet readable."""
        self.path = path
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
        """By the handle, where the system lets one do so: a file that was moved is still this one."""
        held = HANDLES / str(self._handle)
        return open_growing(held if held.exists() else self.path)

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
