"""Papers of the gate's neighbours as files: notes come in by one folder, reports of crossings go out by another.

A file that comes in is read when it has stopped growing, and stays where it is; what it says, or why it is none, is in
the book. What it declares of a truck is one demand more when that truck stands here, until it has crossed or the file
is taken away. A report is due in the book before its file is written, and done when the file lies there whole under its
name: after a kill it is written again, and is the same file.
"""

import asyncio
import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from drivers.kinds import Clock
from drivers.readings import Instant
from gateway_ctl.book import Book, Entry
from gateway_ctl.neighbours import codeco, gate_crossing, release_note
from gateway_ctl.neighbours.config import PaperFormat, PapersConfig
from gateway_ctl.neighbours.words import Crossed, Declared, NotRead
from gateway_ctl.picture import Identity, Paper

LOOK_EVERY_S = 2.0
"""Site seconds between two looks into the folder: a note comes hours before its truck."""
PAPERS_CEILING = 20_000
"""Declared papers remembered, newest last: a week of a busy bonded zone."""
PAPER_CAP = 1024 * 1024
"""Bytes; a note has two thousand."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A file was read."""

    file: str
    digest: str
    said: tuple[Declared, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A file is no paper. It stays where it is."""

    file: str
    digest: str
    why: str


class Shelf:
    """What is declared, by plate and by box. `look` blocks: call it in a thread; the rest may be asked meanwhile."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not exist yet."""
        self._folder = folder
        self._sizes: dict[str, tuple[int, float]] = {}
        self._done: dict[str, tuple[int, float]] = {}
        self._papers: OrderedDict[str, tuple[str, Declared]] = OrderedDict()
        """File and paper by the paper's number, the newest last."""
        self._index: dict[str, list[Declared]] = {}
        """By plate, and by box; the newest first. Replaced as a whole, never changed."""
        self._used: set[str] = set()

    def look(self) -> list[Taken | Refused]:
        """The files that have come, or changed, and stand still since the last look. Raises OSError."""
        news: list[Taken | Refused] = []
        sizes: dict[str, tuple[int, float]] = {}
        for path in sorted(self._folder.iterdir()) if self._folder.exists() else ():
            if not path.is_file() or path.name.startswith("."):
                continue
            stat = path.stat()
            mark = sizes[path.name] = (stat.st_size, stat.st_mtime)
            if self._sizes.get(path.name) == mark and self._done.get(path.name) != mark:
                self._done[path.name] = mark
                news.append(self._read(path))
        # Whoever feeds the folder takes back what he said by taking the file away.
        gone = [number for number, (file, _) in self._papers.items() if file not in sizes]
        for number in gone:
            del self._papers[number]
        self._sizes = sizes
        self._done = {name: mark for name, mark in self._done.items() if name in sizes}
        if news or gone:
            self._index = _index(paper for _, paper in reversed(self._papers.values()))
        return news

    def _read(self, path: Path) -> Taken | Refused:
        with path.open("rb") as file:
            raw = file.read(PAPER_CAP + 1)
        digest = hashlib.sha256(raw).hexdigest()
        try:
            if len(raw) > PAPER_CAP:
                raise NotRead(f"more than {PAPER_CAP} bytes")
            said = declared_in(raw)
        except NotRead as wrong:
            return Refused(path.name, digest, str(wrong))
        for paper in said:
            self._papers[paper.document] = (path.name, paper)
            self._papers.move_to_end(paper.document)
        while len(self._papers) > PAPERS_CEILING:
            self._papers.popitem(last=False)
        return Taken(path.name, digest, said)

    def about(self, plate: str | None, containers: Iterable[str]) -> Declared | None:
        """The newest approved and unused paper that names this plate; or, where one side has no plate, a box of it."""
        index = self._index
        named = () if plate is None else index.get(plate, ())
        boxes = (paper for box in containers for paper in index.get(box, ()) if plate is None or paper.plate is None)
        return next((paper for paper in chain(named, boxes) if paper.document not in self._used), None)

    def use(self, document: str) -> None:
        """Its truck has crossed, whatever its file says and however often it is read again."""
        self._used.add(document)


def _index(papers: Iterable[Declared]) -> dict[str, list[Declared]]:
    found: dict[str, list[Declared]] = {}
    for paper in papers:
        if paper.approved and not paper.used:
            for name in (paper.plate, *paper.containers):
                if name is not None:
                    found.setdefault(name, []).append(paper)
    return found


def declared_in(raw: bytes) -> tuple[Declared, ...]:
    """What a paper of any kind that comes in declares; an answer to one of ours declares nothing. Raises NotRead."""
    if b"MESSAGE_HEAD" in raw:
        told = gate_crossing.read(raw)
        if isinstance(told, gate_crossing.Respond):
            return ()
        return tuple(
            vehicle.declared(f"{told.head.message_id}-{n}" if n else told.head.message_id)
            for n, vehicle in enumerate(told.vehicles)
        )
    return (release_note.read(raw).declared(),)


def reports(crossed: Crossed, config: PapersConfig) -> dict[str, bytes]:
    """File name -> bytes of every report of a crossing that the site wants. Pure."""
    return dict(_WRITERS[form](crossed, config) for form in config.formats)


def _note(crossed: Crossed, config: PapersConfig) -> tuple[str, bytes]:
    note = release_note.crossing(crossed, sender=config.sender, receiver=config.receiver)
    return f"{note.message_id}.SAS", release_note.write(note)


def _crossing(crossed: Crossed, config: PapersConfig) -> tuple[str, bytes]:
    told = gate_crossing.crossing(crossed, sender=config.sender, receiver=config.receiver)
    return f"{told.head.message_id}.XML", gate_crossing.write(told)


def _gate_report(directory: codeco.Directory) -> Callable[[Crossed, PapersConfig], tuple[str, bytes]]:
    def written(crossed: Crossed, config: PapersConfig) -> tuple[str, bytes]:
        envelope = codeco.Envelope(
            sender=config.sender, receiver=config.receiver, place=config.place, terminal=config.terminal,
            operator=config.operator, directory=directory,
        )  # fmt: skip
        return f"CODECO-{directory}-{crossed.passage}.EDI", codeco.write(crossed, envelope)

    return written


_WRITERS: dict[PaperFormat, Callable[[Crossed, PapersConfig], tuple[str, bytes]]] = {
    "sas223": _note,
    "clm50011": _crossing,
    "codeco-95b": _gate_report("95B"),
    "codeco-00b": _gate_report("00B"),
}


def put(folder: Path, name: str, raw: bytes) -> None:
    """A file that is there whole or not at all, and is there after a power cut. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name}.part"
    with part.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / name)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Papers:
    """One lane's. `run` must run; `crossed` may be called at any time."""

    def __init__(self, config: PapersConfig, site: str, lane: str, book: Book, clock: Clock) -> None:
        """The book is open."""
        self._config, self._site, self._lane, self._book, self._clock = config, site, lane, book, clock
        self.shelf = None if config.import_dir is None else Shelf(config.import_dir)
        self._due: dict[str, dict[str, Any]] = {}
        self._known: set[str] = set()
        """Digests of papers that are in the book."""

    async def run(self) -> None:
        """Look for papers, and write reports that are due, until cancelled. Raises BookShut."""
        while True:
            if self.shelf is not None:
                await self._look(self.shelf)
            for passage in list(self._due):
                await self._write(passage)
            await self._clock.sleep(LOOK_EVERY_S)

    def recall(self, entries: Iterable[Entry]) -> None:
        """What the book says is due and not done, and which papers it knows."""
        for entry in entries:
            if entry.kind == "paper":
                self._known.add(entry.plain()["digest"])
            elif entry.kind == "paper used" and self.shelf is not None:
                self.shelf.use(entry.plain()["document"])
            elif entry.kind == "report due" and entry.passage is not None:
                self._due[entry.passage] = entry.plain()
            elif entry.kind == "report written" and entry.passage is not None:
                self._due.pop(entry.passage, None)

    def about(self, plate: str | None, containers: Iterable[str]) -> Declared | None:
        """What is declared of the truck that stands here."""
        return None if self.shelf is None else self.shelf.about(plate, containers)

    def on(self, identity: Identity) -> Paper | None:
        """The same as a picture has it, of the truck that was read so."""
        plate = None if identity.plate is None else identity.plate.text
        said = self.about(plate, [box.code for box in identity.containers])
        if said is None:
            return None
        return Paper(
            document=said.document, direction=said.direction, containers=said.containers, gross_kg=said.gross_kg
        )

    async def crossed(self, passage: str, closed: dict[str, Any], at: Instant) -> None:
        """A truck has crossed: its reports are due. Durable on return; the files follow. Raises BookShut.

        `closed`: direction, plate, containers, gross_kg, tags, seals as the passage's own record has them.
        """
        declared = self.about(closed["plate"], closed["containers"])
        if declared is not None and self.shelf is not None:
            self.shelf.use(declared.document)
            await self._book.write("paper used", at, {"document": declared.document}, passage=passage)
        if self._config.export_dir is None or not self._config.formats:
            return
        said = {**closed, "at": at, "declared": declared}
        await self._book.write("report due", at, said, passage=passage)
        self._due[passage] = msgspec.json.decode(msgspec.json.encode(said))

    async def _look(self, shelf: Shelf) -> None:
        try:
            news = await asyncio.to_thread(shelf.look)
        except OSError as fault:
            log.warning("papers: the folder cannot be looked into: %s", fault)
            return
        for each in news:
            if each.digest in self._known:
                continue
            self._known.add(each.digest)
            if isinstance(each, Refused):
                log.warning("papers: %s is none: %s", each.file, each.why)
                said = {"file": each.file, "digest": each.digest, "why": each.why}
            else:
                said = {"file": each.file, "digest": each.digest, "said": list(each.said)}
            await self._book.write("paper", self._clock.now(), said)

    async def _write(self, passage: str) -> None:
        folder = self._config.export_dir
        if folder is None:
            return
        files = reports(self._crossing_of(passage, self._due[passage]), self._config)
        try:
            for name, raw in files.items():
                await asyncio.to_thread(put, folder, name, raw)
        except OSError as fault:
            log.warning("papers: the report of %s cannot be written, and is tried again: %s", passage, fault)
            return
        said = {"files": {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}}
        await self._book.write("report written", self._clock.now(), said, passage=passage)
        del self._due[passage]

    def _crossing_of(self, passage: str, said: dict[str, Any]) -> Crossed:
        more = {
            "site": self._site, "lane": self._lane, "passage": passage, "area": self._config.area,
            "channel": self._config.channels.get(self._lane, ""),
            "at": datetime.fromtimestamp(said["at"], UTC).astimezone(),
        }  # fmt: skip
        return msgspec.convert({**said, **more}, Crossed, strict=False)
