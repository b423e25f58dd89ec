"""Calibrations of a scanner over the years: one line each in a text file, and the last one whole for the next start.

Every scan's own file holds the arrays that it was corrected with; the history says when they were taken and what they
said of the detector. `calibrations.jsonl` is only ever appended to.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from drivers.readings import Instant
from vision.xray import layout
from vision.xray.calibrate import Health
from vision.xray.layout import DamagedScan
from vision.xray.scan import Calibration

JOURNAL: Final = "calibrations.jsonl"
LAST: Final = "calibration.h5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One calibration in the history."""

    at: Instant
    digest: str
    """As in the files of the scans that were corrected with it."""
    dark_lines: int
    air_lines: int
    health: Health


class History:
    """In a folder of the scanner's own. Blocking: call from a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, calibration: Calibration, health: Health) -> None:
        """Append to the journal, replace the last one. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        entry = Entry(
            at=calibration.air_at,
            digest=calibration.digest,
            dark_lines=calibration.dark_lines,
            air_lines=calibration.air_lines,
            health=health,
        )
        with (self.folder / JOURNAL).open("ab") as journal:
            journal.write(msgspec.json.encode(entry) + b"\n")
            journal.flush()
            os.fsync(journal.fileno())
        fresh = self.folder / (LAST + ".new")
        fresh.unlink(missing_ok=True)
        layout.write_calibration(fresh, calibration)
        fresh.replace(self.folder / LAST)

    def last(self) -> Calibration | None:
        """The last one; None where there is none, or its file is damaged."""
        with suppress(DamagedScan):
            return layout.read_calibration(self.folder / LAST)
        return None

    def entries(self) -> list[Entry]:
        """All that can be read, oldest first."""
        found: list[Entry] = []
        with suppress(FileNotFoundError), (self.folder / JOURNAL).open("rb") as journal:
            for line in journal:
                with suppress(msgspec.MsgspecError):
                    found.append(msgspec.json.decode(line, type=Entry))
        return found
