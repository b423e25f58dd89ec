"""What a scanner has learnt of loads: weighed passages, and what loads of a chapter looked like.

Lines of JSON in the scanner's own folder, only ever appended to; a line that cannot be read is passed over, and
counted. Blocking: call from a thread.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from vision.xray.likeness import Features
from vision.xray.mass import NO_TARE, TARE, Scale, Weighing, scale_of, usable

T = TypeVar("T")

WEIGHINGS: Final = "weighings.jsonl"
GROSS: Final = "gross.jsonl"
LOADS: Final = "loads.jsonl"
KEPT: Final = 500
"""The newest weighings of a scanner: what it was like two years ago is another scanner."""
LOADS_KEPT: Final = 200
"""Of a chapter."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A load of a declared chapter, as it looked."""

    digest: str
    at: float
    chapter: str
    features: Features


class Memory:
    """In a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unreadable = 0
        """Lines that were passed over at the last look."""

    def weigh(self, weighing: Weighing, *, gross: bool = False) -> None:
        """Remember a passage that was scanned and weighed, by the load's mass or the gross. Raises OSError."""
        self._append(GROSS if gross else WEIGHINGS, msgspec.json.encode(weighing))

    def load(self, loaded: Loaded) -> None:
        """Remember how a load looked. Raises OSError."""
        self._append(LOADS, msgspec.json.encode(loaded))

    def scale(self, *, gross: bool = False, but: str = "") -> Scale:
        """By the newest weighings, each scan once; `but`: without this scan, which would otherwise judge itself."""
        newest = {weighing.digest: weighing for weighing in self._lines(GROSS if gross else WEIGHINGS, Weighing)}
        newest.pop(but, None)
        return scale_of(usable(newest.values())[-KEPT:], TARE if gross else NO_TARE)

    def earlier(self, chapter: str, *, but: str = "") -> list[Features]:
        """Of a chapter; `but`: without this scan."""
        of = {one.digest: one.features for one in self._lines(LOADS, Loaded) if one.chapter == chapter}
        of.pop(but, None)
        return list(of.values())[-LOADS_KEPT:]

    def _append(self, name: str, line: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / name).open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _lines(self, name: str, kind: type[T]) -> list[T]:
        found: list[T] = []
        self.unreadable = 0
        with suppress(FileNotFoundError), (self.folder / name).open("rb") as file:
            for line in file:
                try:
                    found.append(msgspec.json.decode(line, type=kind))
                except msgspec.MsgspecError:
                    self.unreadable += 1
        return found
