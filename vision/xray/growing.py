"""A scan while the truck passes: the rows that its writer has corrected so far, read out of the file that grows.

Blocking: call from a thread.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from vision.xray.layout import DamagedScan, array, open_growing, read_head, rows_written
from vision.xray.scan import Counts, Energy, ScanHead
from vision.xray.store import SUFFIX, UNDER_WAY, Archive


class GrowingScan:
    """One scan under way. The file may be moved or deleted meanwhile; what was open stays readable."""

    def __init__(self, path: Path) -> None:
        """Raises DamagedScan: it is not there any more, or not yet readable."""
        self.path = path
        self._file = open_growing(path)
        try:
            self.head: ScanHead = read_head(self._file, path, whole=False)
        except BaseException:
            self._file.close()
            raise

    @property
    def over(self) -> bool:
        """Whether its writer has finished with it."""
        return not self.path.exists()

    def rows(self) -> int:
        """Rows of the picture that are there by now. Raises DamagedScan."""
        return rows_written(self._file, self.path)

    def picture(self, energy: Energy, first: int, last: int) -> Counts:
        """Rows `first` to `last` - 1. Raises DamagedScan."""
        return array(self._file, self.path, f"picture/{energy.value}", slice(first, last))

    def close(self) -> None:
        """A second call does nothing."""
        self._file.close()

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
