"""What the system says of a scan itself, beside the papers: assistance for whoever reads it, never a verdict.

Worked out once a scan, in a thread, when the scan comes in or somebody asks; what papers change (weighbridge,
declaration) is said anew each time. What a scanner learns on the way (weighed passages, loads by chapter) lies in a
folder of the review's own, one folder a scanner.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from consoles.inspection.desk import Arrived
from consoles.inspection.pictures import Pictures
from consoles.inspection.review import PapersOf
from consoles.inspection.wire import FindingCard, Papers, PlaceCard, Says
from telemetry.payloads.lane import Text
from vision.xray import alerts, mass
from vision.xray.assistance import Assistance, Known, findings
from vision.xray.findings import Finding
from vision.xray.layout import DamagedScan
from vision.xray.mass import Mass, Weighing
from vision.xray.memory import Loaded, Memory
from vision.xray.outline import NoContainer, Window, window
from vision.xray.scan import Counts, Dual, Energy
from vision.xray.store import UnknownDigest

log = logging.getLogger(__name__)

KEPT: Final = 64
"""Scans whose findings are in memory."""
BRIDGE_SIGMA_KG: Final = 40.0
"""Of a settled weighbridge: two divisions of 20 kg."""
DECLARED_SHARE: Final = 0.03
"""Of a declared mass whose tolerance nobody has told."""
FOLDER: Final = "learnt"


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    key: tuple[object, ...]
    assistance: Assistance
    measured: bool
    pixels: int


class Assist:
    """Of one review."""

    def __init__(self, pictures: Pictures, folder: Path) -> None:
        """`folder`: the review's own."""
        self._pictures, self._folder = pictures, folder / FOLDER
        self._found: OrderedDict[str, _Found] = OrderedDict()
        self._turn = asyncio.Lock()

    def beside(self, papers_of: PapersOf) -> PapersOf:
        """The same papers, with the image's mass where it is known by now."""

        async def papers(scan: Arrived) -> Papers:
            papers = await papers_of(scan)
            found = self._found.get(scan.digest)
            kg = None if found is None else found.assistance.mass
            if kg is None:
                return papers
            return msgspec.structs.replace(papers, image_kg=round(kg.kg), image_sigma_kg=round(kg.sigma))

        return papers

    async def says(self, scan: Arrived, papers: Papers, before: str | None) -> Says:
        """Everything there is to say. `before`: an earlier scan of the same container. Raises UnknownDigest,
        DamagedScan.
        """
        # One at a time: a full frame is a second of one core.
        async with self._turn:
            key = (papers.gross_kg, papers.declared_kg, papers.tolerance_kg, papers.hs, before)
            found = self._found.get(scan.digest)
            if found is None or found.key != key:
                found = await asyncio.to_thread(self._work, scan, papers, before, key)
                self._found[scan.digest] = found
                while len(self._found) > KEPT:
                    self._found.popitem(last=False)
        return Says(
            findings=[_card(finding, found.pixels) for finding in found.assistance.findings], measured=found.measured
        )

    def _work(self, scan: Arrived, papers: Papers, before: str | None, key: tuple[object, ...]) -> _Found:
        with self._pictures.archive.open(scan.digest) as kept:
            picture = Dual(kept.picture(Energy.HE), kept.picture(Energy.LE))
            head, noise, remarks = kept.head, kept.noise, kept.ref.remarks
        if head.energies_mev.le <= 0:
            # One energy tells no materials, and no mass.
            about = (alerts.blind(picture.he), alerts.stripes(picture.he, noise.he))
            lost = alerts.lost_lines(picture.he, picture.he, remarks)
            alone = Assistance(findings=(*about, lost), index=None, mass=None, features=None, inside=None)
            return _Found(key, alone, measured=False, pixels=int(picture.he.shape[1]))
        table = self._pictures.materials.of(scan.scanner, head.energies_mev)
        memory = Memory(self._folder / scan.scanner)
        chapter = papers.hs[:2] if papers.hs[:2].isdigit() else ""
        known = Known(
            scale=memory.scale(but=scan.digest),
            gross=memory.scale(gross=True, but=scan.digest),
            bridge=None if papers.gross_kg is None else Mass(papers.gross_kg, BRIDGE_SIGMA_KG),
            declared=_declared(papers),
            chapter=chapter,
            earlier=memory.earlier(chapter, but=scan.digest) if chapter else (),
        )
        earlier = None if before is None else self._earlier(before, scan.scanner)
        made = findings(picture, head.geometry, noise, remarks, table, known, before=earlier)
        self._learn(memory, scan, papers, made, chapter)
        return _Found(key, made, measured=table.measured, pixels=int(picture.he.shape[1]))

    def _earlier(self, digest: str, scanner: str) -> tuple[Counts, Window] | None:
        """Of the same scanner; None where it cannot be laid beside."""
        try:
            with self._pictures.archive.open(digest) as kept:
                if kept.head.scanner != scanner or kept.head.energies_mev.le <= 0:
                    return None
                picture = Dual(kept.picture(Energy.HE), kept.picture(Energy.LE))
                table = self._pictures.materials.of(scanner, kept.head.energies_mev)
                return picture.he, window(picture, kept.head.geometry, kept.noise, table)
        except (UnknownDigest, DamagedScan, NoContainer) as no:
            log.info("scan %s is not compared: %s", digest[:16], no)
            return None

    def _learn(self, memory: Memory, scan: Arrived, papers: Papers, made: Assistance, chapter: str) -> None:
        index = made.index
        try:
            if index is not None and papers.gross_kg is not None and mass.teaches(index):
                weighing = Weighing(
                    digest=scan.digest,
                    at=scan.ended,
                    index_kg=index.kg,
                    wall_kg=index.wall_kg,
                    kg=papers.gross_kg,
                    sigma_kg=BRIDGE_SIGMA_KG,
                )
                memory.weigh(weighing, gross=True)
            if made.features is not None and chapter:
                memory.load(Loaded(digest=scan.digest, at=scan.ended, chapter=chapter, features=made.features))
        except OSError as no:
            log.warning("what scan %s teaches is not kept: %s", scan.digest[:16], no)


def _declared(papers: Papers) -> Mass | None:
    if papers.declared_kg is None:
        return None
    # A tolerance is where a weight must lie, not a sigma: spread evenly, its sigma is a root of three smaller.
    told = papers.tolerance_kg
    return Mass(papers.declared_kg, max(20.0, DECLARED_SHARE * papers.declared_kg if told is None else told / 3**0.5))


def _card(finding: Finding, pixels: int) -> FindingCard:
    places = [
        PlaceCard(x=p.row, y=pixels - p.pixel - p.pixels, width=p.rows, height=p.pixels, size=p.size)
        for p in finding.places
    ]
    return FindingCard(
        kind=finding.kind.value,
        value=finding.value,
        sigma=finding.sigma,
        unit=finding.unit,
        say=Text(finding.zh, finding.en),
        method=finding.method,
        places=places,
    )
