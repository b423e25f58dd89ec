"""Scans as a page asks for them: a card, tiles, and the archive's exact values under a box.

Tiles are cut once, when a scan becomes known, and kept in one zip file a scan, which may be deleted at any time: a
digest never changes what it names, so neither do its tiles. Everything that touches a disk runs in a thread.
"""

import asyncio
import math
import os
import tempfile
import zipfile
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from consoles.inspection.materials import Materials, probe
from consoles.inspection.wire import Card, Cells, ProbeValue, RemarkCard
from telemetry.payloads.lane import Text
from vision.xray.layout import DamagedScan
from vision.xray.scan import SCALE, Counts, Dual, Energy, Flaw, Noise, ScanHead
from vision.xray.store import Archive, KeptScan, UnknownDigest, digest_of
from vision.xray.tiles import BASE_LEVELS, LEVELS, TILE, NoSuchTile, Pyramid, TileName, upright

__all__ = ["DamagedScan", "NoSuchBox", "NoSuchTile", "Pictures", "UnknownDigest"]

CEILING_BYTES = 20 * 2**30
"""Tiles kept: some two thousand scans; the oldest go first, and are cut again when somebody asks."""
OPEN_CEILING = 32
"""Files of tiles held open: more than there are desks."""
BOX_CEILING = 512
"""A probe's box is at most so wide and high: a mean over more says nothing of a place."""
HEIGHT_STEP = 16
"""Pixels between the heights that a page is told; between them it interpolates."""

FLAWS: dict[Flaw, Text] = {
    Flaw.GAP: Text("缺行", "Lines missing"),
    Flaw.LOST_ENERGY: Text("单能缺行", "One energy missing"),
    Flaw.PART_LINE: Text("行内缺像素", "Parts of lines missing"),
    Flaw.CLIPPED_SPEED: Text("车速异常,形状失真", "Speed out of range: shapes are not to scale"),
    Flaw.NO_PULSE: Text("剂量未测,条纹非货物", "Dose not measured: stripes are not cargo"),
    Flaw.SATURATED: Text("饱和", "Saturated"),
    Flaw.WEAK_BEAM: Text("剂量偏低", "Weak beam"),
    Flaw.TORN: Text("扫描不完整", "The scan is torn"),
}
CELL = 128
"""Pixels a side of what counts as looked at in one: a third of a metre of the truck."""
LOAD_ALPHA = 0.03
"""Log-attenuation from which something stands there: a millimetre of steel."""
LOAD_PIXELS = 3
"""Of the coarsest level in a cell: one alone is noise or a dead pixel."""
DESIGN = Dual(Noise(1.42, 40.0), Noise(1.81, 60.0))
"""Noise at the design dose, for a scan that does not know its own."""
_CELLS = "cells.json"


class NoSuchBox(LookupError):
    """Not inside the picture, or too large."""


@dataclass(frozen=True, slots=True)
class _Known:
    card: Card
    head: ScanHead
    noise: Dual[Noise]


class Pictures:
    """The pictures of one archive. `folder` holds the cut tiles."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self.archive = archive
        self.materials = Materials(archive.folder)
        self.cut = 0
        """Scans cut since the start."""
        self._folder = folder
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._open: OrderedDict[str, zipfile.ZipFile] = OrderedDict()
        self._cutting = asyncio.Lock()

    async def card(self, digest: str) -> Card:
        """What a page must know of a scan. Raises UnknownDigest, DamagedScan."""
        return (await self._know(digest)).card

    async def tile(self, digest: str, name: TileName) -> bytes:
        """One tile. Raises UnknownDigest, DamagedScan, NoSuchTile."""
        held = self._open.get(digest)
        if held is None:
            held = await self.prepare(digest)
        else:
            self._open.move_to_end(digest)
        try:
            return await asyncio.to_thread(held.read, _path(name))
        except KeyError:
            raise NoSuchTile(f"{name}") from None

    async def cells(self, digest: str) -> Cells:
        """Where anything stands in the picture. Raises UnknownDigest, DamagedScan."""
        held = await self.prepare(digest)
        return msgspec.json.decode(await asyncio.to_thread(held.read, _CELLS), type=Cells)

    async def prepare(self, digest: str) -> zipfile.ZipFile:
        """Cut the tiles if they are not, and hold them open. Raises UnknownDigest, DamagedScan."""
        # One at a time: cutting is half a second of one core.
        async with self._cutting:
            held = self._open.get(digest)
            if held is None:
                held = await asyncio.to_thread(self._opened, digest)
                self._open[digest] = held
                while len(self._open) > OPEN_CEILING:
                    self._open.popitem(last=False)  # closed when its last reader lets go
            return held

    async def probe(self, digest: str, x: int, y: int, width: int, height: int) -> ProbeValue:
        """The archive's own values under a box of the picture. Raises UnknownDigest, DamagedScan, NoSuchBox."""
        known = await self._know(digest)
        card = known.card
        inside = 0 <= x < x + width <= card.rows and 0 <= y < y + height <= card.pixels
        if not inside or max(width, height) > BOX_CEILING:
            raise NoSuchBox(f"{width} x {height} at {x}, {y} of a picture of {card.rows} x {card.pixels}")
        he, le = await asyncio.to_thread(self._read_box, digest, x, y, width, height)
        return await asyncio.to_thread(self._probed, he, le, known)

    async def prove(self, digest: str) -> None:
        """The file is still what its name says, to the last byte. Raises UnknownDigest, DamagedScan."""
        await asyncio.to_thread(self._prove, digest)

    async def _know(self, digest: str) -> _Known:
        known = self._known.get(digest)
        if known is None:
            known = await asyncio.to_thread(self._read_card, digest)
            self._known[digest] = known
            while len(self._known) > OPEN_CEILING:
                self._known.popitem(last=False)
        return known

    def _prove(self, digest: str) -> None:
        path = self.archive.path(digest)
        try:
            found = digest_of(path)
        except OSError as wrong:
            raise UnknownDigest(f"{digest[:16]}: {wrong}") from wrong
        if found != digest:
            raise DamagedScan(f"{digest[:16]}: its bytes hash to {found[:16]}")

    def _read_card(self, digest: str) -> _Known:
        with self.archive.open(digest) as kept:
            return _Known(_card(kept), kept.head, kept.noise)

    def _read_box(self, digest: str, x: int, y: int, width: int, height: int) -> Dual[Counts]:
        with self.archive.open(digest) as kept:
            top = kept.ref.pixels - y
            boxes = [kept.picture(energy, slice(x, x + width))[:, top - height : top] for energy in Energy]
            return Dual(boxes[0], boxes[1])

    def _probed(self, he: Counts, le: Counts, known: _Known) -> ProbeValue:
        both = (he > 0) & (le > 0)
        count = int(np.count_nonzero(both))
        if count == 0:
            return ProbeValue(
                pixels=0, of=he.size, he=None, le=None, he_sigma=None, le_sigma=None, he_alpha=None, ratio=None
            )
        of_he, of_le = he[both].astype(np.float64), le[both].astype(np.float64)
        he_mean, le_mean, he_sigma = float(of_he.mean()), float(of_le.mean()), float(of_he.std())
        alpha, le_alpha = -math.log(he_mean / SCALE), -math.log(le_mean / SCALE)
        table = self.materials.of(known.head.scanner, known.head.energies_mev)
        noise = known.noise if min(known.noise.he.a, known.noise.le.a) > 0 else DESIGN
        return ProbeValue(
            pixels=count,
            of=he.size,
            he=he_mean,
            le=le_mean,
            he_sigma=he_sigma,
            le_sigma=float(of_le.std()),
            he_alpha=alpha,
            ratio=le_alpha / alpha if alpha > 0.02 else None,
            material=probe(table, he_mean, le_mean, count, noise, he_sigma=he_sigma),
        )

    def _opened(self, digest: str) -> zipfile.ZipFile:
        path = self._folder / digest[:2] / f"{digest}.tiles"
        with suppress(FileNotFoundError, zipfile.BadZipFile):
            return zipfile.ZipFile(path)
        with self.archive.open(digest) as kept:
            images = [(energy, upright(kept.picture(energy)), kept.noise.of(energy)) for energy in Energy]
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".cutting")
        try:
            with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as out:
                for energy, image, noise in images:
                    pyramid = Pyramid(energy, image, noise)
                    if energy is Energy.HE:
                        cells = cells_of(pyramid.levels[0].shape, pyramid.levels[-1])
                        out.writestr(_CELLS, msgspec.json.encode(cells))
                    for tile in pyramid.names():
                        out.writestr(_path(tile), pyramid.tile(tile))
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self.cut += 1
        self._make_room(path)
        return zipfile.ZipFile(path)

    def _make_room(self, just_made: Path) -> None:
        files = sorted((p.stat().st_mtime, p.stat().st_size, p) for p in self._folder.glob("*/*.tiles"))
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= CEILING_BYTES:
                return
            if path != just_made:
                path.unlink(missing_ok=True)
                total -= size


def cells_of(shape: tuple[int, ...], coarse: Counts) -> Cells:
    """The grid over a picture of that shape, with the cells in which anything stands. `coarse`: its last level."""
    small = CELL // 2 ** (LEVELS - 1)
    rows, columns = (-(-size // CELL) for size in shape)
    dark = (coarse > 0) & (coarse < SCALE * math.exp(-LOAD_ALPHA))
    padded = np.zeros((rows * small, columns * small), dtype=bool)
    padded[: dark.shape[0], : dark.shape[1]] = dark
    full = padded.reshape(rows, small, columns, small).sum(axis=(1, 3)) >= LOAD_PIXELS
    bits = np.packbits(full.ravel(), bitorder="little")
    return Cells(size=CELL, columns=columns, rows=rows, load=bits.tobytes().hex())


def _path(name: TileName) -> str:
    return f"{name.layer}/{name.energy.value}/{name.level}/{name.x}/{name.y}"


def _card(kept: KeptScan) -> Card:
    ref, head = kept.ref, kept.head
    heights = head.geometry.heights_mm()[::-1]
    return Card(
        digest=ref.digest,
        scanner=ref.scanner,
        started=ref.started,
        ended=ref.ended,
        rows=ref.rows,
        pixels=ref.pixels,
        x_mm=ref.pitch_mm,
        y_mm=abs(head.geometry.pixel_mm()),
        heights_mm=[round(float(h), 1) for h in [*heights[::HEIGHT_STEP], heights[-1]]],
        height_step=HEIGHT_STEP,
        he_mev=head.energies_mev.he,
        le_mev=head.energies_mev.le,
        air=SCALE,
        torn=ref.torn,
        remarks=[
            RemarkCard(
                flaw=r.flaw.value,
                first=r.first,
                count=r.count,
                energy=None if r.energy is None else r.energy.value,
                say=FLAWS[r.flaw],
            )
            for r in ref.remarks
        ],
        levels=LEVELS,
        base_levels=list(BASE_LEVELS),
        tile=TILE,
        passage=ref.subject.passage,
        plate=ref.subject.plate,
        containers=list(ref.subject.containers),
    )
