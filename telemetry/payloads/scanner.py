"""The bodies of `scan` and `scanner`: a scan is in the archive, and what a scanner is doing."""

from typing import Literal

import msgspec


class RemarkBody(msgspec.Struct, frozen=True, kw_only=True):
    """A flaw over `count` rows of the picture from `first` (vision/xray/scan.py names them)."""

    flaw: str
    first: int
    count: int
    energy: Literal["he", "le"] | None = None
    note: str = ""


class ScanBody(msgspec.Struct, frozen=True, kw_only=True):
    """A scan by its name: what travels instead of pixels."""

    digest: str
    """SHA-256 of its file, hex."""
    scanner: str
    started: float
    ended: float
    rows: int
    pixels: int
    pitch_mm: float
    bytes_kept: int
    torn: bool
    passage: str | None = None
    plate: str = ""
    containers: list[str] = []
    remarks: list[RemarkBody] = []


class ScannerBody(msgspec.Struct, frozen=True, kw_only=True):
    """What happens in a tunnel, and what stands against a beam."""

    tunnel: Literal["unlit", "empty", "truck", "refused"]
    ready: bool | None
    """Our link in the interlock chain, read back; null: not wired, or not known."""
    beam: bool | None
    """As the source says; null: not asked, or not known."""
    reasons: list[str]
    """Everything that stands against a beam; empty when all is well."""
    lines: int
    """Heard since the process started, both energies."""
    lost_lines: int
    rows: int
    """Of the picture under way; 0 when there is none."""
    scans: int
    """Kept since the process started."""
    calibrated_at: float | None
    bad_pixels: int | None
