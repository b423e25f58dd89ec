"""The archive: a folder of HDF5 files, each written once and named by the SHA-256 of its bytes.

A scan is written line by line into `under-way/` while the truck passes (HDF5's single-writer mode: a process that is
killed leaves a file that can still be read) and moved to `<first two digits>/<digest>.h5` when it ends. Nothing there
is written again. The layout of a file is vision/xray/layout.py's. Blocking: call from a thread of its own.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from drivers.readings import Instant
from vision.xray import layout
from vision.xray.layout import DamagedScan, open_file
from vision.xray.scan import (
    Counts,
    Dual,
    Energy,
    Flaw,
    Noise,
    Reals,
    Remark,
    SafetyEvent,
    Scan,
    ScanHead,
    ScanRef,
    Subject,
)

MAX_LINES: Final = 60_000
"""Ten trucks in a row. A scan that would grow longer is ended by whoever writes it: no file grows without a ceiling."""
UNDER_WAY: Final = "under-way"
SUFFIX: Final = ".h5"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_READ_BYTES = 1 << 20


class ArchiveFault(Exception):
    """The archive cannot give or take what was asked."""


class UnknownDigest(ArchiveFault):
    """No scan of that name is kept here."""


class NotWritten(ArchiveFault):
    """A scan could not be kept: disk full, folder not there, too long."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in the archive."""

    path: Path
    why: str


class ScanWriter:
    """One scan while it grows. Use from one thread at a time; `finish` or `abandon` ends it."""

    def __init__(self, archive: "Archive", path: Path, head: ScanHead) -> None:
        """Creates the file. Raises NotWritten."""
        self.path, self.head = path, head
        self._archive = archive
        self._lines = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = layout.create(path, head)
        except OSError as no:
            raise NotWritten(f"{path}: {no}") from no

    def lines(self, raw: Dual[Counts], table: NDArray[np.void]) -> None:
        """Append raw lines: arrays (n, pixels), table (n,) of LINE_TABLE. n a multiple of 64 packs best."""
        self._lines += len(table)
        if self._lines > MAX_LINES:
            raise NotWritten(f"{self.path.name}: more than {MAX_LINES} lines are no scan of one truck")
        self._append({"raw/he": raw.he, "raw/le": raw.le, "lines": table})

    def rows(self, picture: Dual[Counts], row_line: Reals) -> None:
        """Append rows of the picture: arrays (n, pixels), row_line (n,)."""
        self._append({"picture/he": picture.he, "picture/le": picture.le, "picture/row_line": row_line})

    def safety(self, event: SafetyEvent) -> None:
        """Append one event of the safety log."""
        self._append({"safety": layout.event_record(event)})

    def finish(self, ended: Instant, subject: Subject, remarks: Sequence[Remark], noise: Dual[Noise]) -> ScanRef:
        """Close, name by digest, move into the archive. Raises NotWritten; the file then stays under way."""
        try:
            self._file.close()
            layout.seal(self.path, ended, subject, remarks, noise)
            return self._archive.take(self.path)
        except OSError as no:
            raise NotWritten(f"{self.path}: {no}") from no

    def abandon(self) -> None:
        """Close and leave the file under way, where `Archive.recover` finds it."""
        self._file.close()

    def _append(self, parts: dict[str, NDArray[np.generic]]) -> None:
        try:
            for name, values in parts.items():
                layout.append(self._file, name, values)
        except OSError as no:
            raise NotWritten(f"{self.path}: {no}") from no


class KeptScan:
    """A kept scan, open for reading. Arrays are read when asked for. Close it, or use it in a `with`."""

    def __init__(self, path: Path, digest: str) -> None:
        """Raises DamagedScan for what is no whole scan."""
        self.path = path
        self._file = open_file(path)
        try:
            self.ref: ScanRef = layout.read_ref(self._file, path, digest)
            self.head: ScanHead = layout.read_head(self._file, path)
            self.noise: Dual[Noise] = layout.read_noise(self._file, path)
        except BaseException:
            self._file.close()
            raise

    def picture(self, energy: Energy, rows: slice = slice(None)) -> Counts:
        """(rows, pixels) of the picture."""
        return layout.array(self._file, self.path, f"picture/{energy.value}", rows)

    def raw(self, energy: Energy, lines: slice = slice(None)) -> Counts:
        """(lines, pixels) as the detector gave them."""
        return layout.array(self._file, self.path, f"raw/{energy.value}", lines)

    def row_line(self) -> Reals:
        """(rows,) which line each row came from; -1: none."""
        return layout.array(self._file, self.path, "picture/row_line", slice(None))

    def table(self) -> NDArray[np.void]:
        """(lines,) of LINE_TABLE."""
        return layout.array(self._file, self.path, "lines", slice(None))

    def safety(self) -> tuple[SafetyEvent, ...]:
        """The safety log of the scan."""
        return layout.read_events(self._file, self.path)

    def scan(self) -> Scan:
        """All of it in memory."""
        return Scan(
            head=self.head,
            ended=self.ref.ended,
            subject=self.ref.subject,
            raw=Dual(self.raw(Energy.HE), self.raw(Energy.LE)),
            table=self.table(),
            picture=Dual(self.picture(Energy.HE), self.picture(Energy.LE)),
            row_line=self.row_line(),
            remarks=self.ref.remarks,
            noise=self.noise,
            safety=self.safety(),
        )

    def close(self) -> None:
        """A second call does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, what: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


class Archive:
    """A folder of scans. One process writes; any number read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, head: ScanHead) -> ScanWriter:
        """A writer for one scan. Raises NotWritten, also when that scan is under way already."""
        return ScanWriter(self, self.folder / UNDER_WAY / f"{head.scanner}-{head.started:.6f}{SUFFIX}", head)

    def keep(self, scan: Scan) -> ScanRef:
        """A scan that is whole already. Raises NotWritten."""
        writer = self.begin(scan.head)
        try:
            writer.lines(scan.raw, scan.table)
            writer.rows(scan.picture, scan.row_line)
            for event in scan.safety:
                writer.safety(event)
            return writer.finish(scan.ended, scan.subject, scan.remarks, scan.noise)
        except BaseException:
            writer.abandon()
            raise

    def open(self, digest: str) -> KeptScan:
        """Raises UnknownDigest, DamagedScan. Does not compute the digest again: `verify` does."""
        path = self.path(digest)
        if not path.is_file():
            raise UnknownDigest(f"no scan {digest[:16]} is kept in {self.folder}")
        return KeptScan(path, digest)

    def ref(self, digest: str) -> ScanRef:
        """Raises UnknownDigest, DamagedScan."""
        with self.open(digest) as kept:
            return kept.ref

    def path(self, digest: str) -> Path:
        """Where a scan of that name lies or would lie. Raises UnknownDigest for what is no digest at all."""
        if not _DIGEST.fullmatch(digest):
            raise UnknownDigest(f"{digest[:80]!r} is no digest: 64 digits of 0-9 and a-f")
        return self.folder / digest[:2] / (digest + SUFFIX)

    def digests(self) -> Iterator[str]:
        """Of all kept scans, in no order."""
        for path in self.folder.glob(f"[0-9a-f][0-9a-f]/*{SUFFIX}"):
            if _DIGEST.fullmatch(path.stem):
                yield path.stem

    def take(self, path: Path) -> ScanRef:
        """Name a finished file by its digest and move it in. The same bytes twice are one scan. Raises OSError."""
        digest = digest_of(path)
        kept = self.path(digest)
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.chmod(0o444)
        with suppress(FileExistsError):
            os.link(path, kept)  # unlike a rename it never replaces what is there
        _sync(kept)
        _sync(kept.parent)
        path.unlink()
        return self.ref(digest)

    def recover(self) -> list[ScanRef]:
        """Scans that a process that died left under way: kept as torn. What cannot be read stays where it is."""
        found: list[ScanRef] = []
        for path in sorted((self.folder / UNDER_WAY).glob(f"*{SUFFIX}")):
            with suppress(DamagedScan, OSError, ArchiveFault):
                found.append(self._recover(path))
        return found

    def _recover(self, path: Path) -> ScanRef:
        left = layout.read_left(path)
        torn = Remark(Flaw.TORN, left.shape[0], 0, note="the process ended while the scan was under way")
        again = path.with_suffix(".again" + SUFFIX)
        again.unlink(missing_ok=True)
        writer = ScanWriter(self, again, left.head)
        writer.lines(left.raw, left.table)
        writer.rows(left.picture, left.row_line)
        for event in left.safety:
            writer.safety(event)
        ref = writer.finish(left.ended, left.subject, (*left.remarks, torn), left.noise)
        path.unlink()
        return ref

    def verify(self) -> Iterator[tuple[str, Finding | None]]:
        """Every file, by name, and what is wrong with it: its bytes against its name, its arrays against each other."""
        for path in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*")):
            yield path.name, self._check(path)

    def _check(self, path: Path) -> Finding | None:
        if path.suffix != SUFFIX or not _DIGEST.fullmatch(path.stem) or path.parent.name != path.stem[:2]:
            return Finding(path, "its name is no digest: this file was not put here by the archive")
        try:
            if (digest := digest_of(path)) != path.stem:
                return Finding(path, f"its bytes are not what its name says: they hash to {digest[:16]}..")
            with KeptScan(path, path.stem) as kept:
                kept.scan()
        except (OSError, DamagedScan) as wrong:
            return Finding(path, str(wrong))
        return None


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises OSError."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            sha.update(block)
    return sha.hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
