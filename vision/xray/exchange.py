"""A scan for others: what leaves the archive, in words; the forms themselves are dicos.py's and tiff.py's. Pure.

DICOS V03     two DX instances (HE, LE) of one series, and a TDR with the marks and the word that holds
TIFF          two pages (HE, LE), 16 bit, for any program that shows pictures
WCO UFF       a place for an adapter only: its specification is given out by the WCO, and was not at hand. `UFF_MAPPING`
              says where its public summary's parts would come from; nothing here claims to write or to read it.

Every picture leaves as a person sees it: rows from the top, columns along the truck from its first row at the left.
Values are transmission times 60,000; 0 was not measured.
"""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from drivers.readings import Instant
from vision.xray.scan import Counts, Dual, Energy, Geometry, ScanHead, ScanRef
from vision.xray.store import KeptScan

MAKER: Final = "Quaygate"
Finding = Literal["clear", "suspect", "open", "again"]

UFF_MAPPING: Final[Mapping[str, str]] = {
    "system and site": "ScanHead.site, ScanHead.scanner, ScanHead.energies_mev, Geometry",
    "inspection object": "Subject.containers, Subject.plate",
    "event: times, status": "ScanRef.started, ScanRef.ended, ScanRef.remarks",
    "image, high energy": "KeptScan.picture(HE): transmission times 60,000",
    "image, low energy": "KeptScan.picture(LE), on the same grid",
    "pixel size": "Geometry.pitch_mm along, Geometry.pixel_mm() across, at the lane's middle plane",
    "annotations": "Judgement.marks",
    "conclusion": "Judgement.finding, Judgement.persons, Judgement.at",
    "image's own digest": "ScanRef.digest",
}
"""Part of a file as the summary names it -> where it lies here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A box that a person drew; pixels from the left and from the top of the picture."""

    x: int
    y: int
    width: int
    height: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was said of a scan in the end."""

    finding: Finding
    began: Instant
    """When the reader whose word holds took it."""
    at: Instant
    persons: tuple[str, ...]
    """Everybody who read it, the one whose word holds last."""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parcel:
    """A scan taken out of the archive."""

    ref: ScanRef
    head: ScanHead
    picture: Dual[Counts]
    """(height, width) as a person sees it."""
    energies: tuple[Energy, ...] = field(default=(Energy.HE, Energy.LE))
    """Those there are."""

    @property
    def geometry(self) -> Geometry:
        """The scanner's."""
        return self.head.geometry

    def mev(self, energy: Energy) -> float:
        """End point of that energy."""
        return self.head.energies_mev.of(energy)


def parcel(kept: KeptScan) -> Parcel:
    """All that is given away of a kept scan. Raises DamagedScan."""
    there = (Energy.HE, Energy.LE) if kept.head.energies_mev.le > 0 else (Energy.HE,)
    seen = [np.ascontiguousarray(kept.picture(energy).T[::-1]) for energy in Energy]
    return Parcel(ref=kept.ref, head=kept.head, picture=Dual(seen[0], seen[1]), energies=there)


def uid(digest: str, part: str) -> str:
    """A name below 2.25 (a UUID as a number) that follows from the scan: exported twice, it is the same object."""
    made = hashlib.sha256(f"{digest}/{part}".encode()).digest()[:16]
    return f"2.25.{uuid.UUID(bytes=made, version=4).int}"
