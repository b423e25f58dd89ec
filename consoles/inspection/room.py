"""The image review put together: archive, desk, routes, and the tasks that keep them going."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from consoles.board import Board
from consoles.clock import ConsoleClock
from consoles.config import ConsoleSite, InspectionPart
from consoles.hearing import Hearing
from consoles.inspection import shown
from consoles.inspection.assist import Assist
from consoles.inspection.exercises import Exercises
from consoles.inspection.papers import LanePictures, PapersDesk
from consoles.inspection.pictures import DamagedScan, Pictures, UnknownDigest
from consoles.inspection.review import Reviews
from consoles.inspection.routes import ReviewRoutes
from consoles.inspection.verdicts import Carrier, Sender
from consoles.inspection.waterfall import scanning
from consoles.pins import Pins
from consoles.wire import PassageRow
from gateway_ctl.book import BookShut
from telemetry.payloads.node import BirthBody
from telemetry.spool import Spool
from telemetry.voice import Voice
from vision.xray.scan import ScanRef
from vision.xray.store import SUFFIX, Archive

log = logging.getLogger(__name__)

NODE: Final = "review"
"""On the bus, so that what is recorded has numbers of its own."""
FOLDER: Final = "review"
ARCHIVE: Final = "xray"
TILES: Final = "xray-tiles"
SHOTS: Final = "lane-pictures"
LOOK_EVERY_S: Final = 0.5
"""Real seconds between looks at what is being scanned."""
TRIES: Final = 5
"""Searches in which a scan that cannot be read is tried again."""
SEARCH_EVERY: Final = 10
"""Looks between searches of the archive for scans that nobody announced."""


class InspectionRoom:
    """Open it, run it beside the server, close it."""

    def __init__(
        self,
        site: ConsoleSite,
        part: InspectionPart,
        pins: Pins,
        hearing: Hearing,
        bus: Sender,
        clock: ConsoleClock,
        passages: Callable[[int], Awaitable[list[PassageRow]]],
        *,
        heartbeat_ticks: int,
        version: str,
        pages: str,
    ) -> None:
        """`pages`: digest of the pages that are served."""
        data = site.site.data
        self._clock, self._site, self._version = clock, site, version
        self._folder = data / FOLDER
        self._voice: Voice | None = None
        self._search = asyncio.Event()
        self.board = Board(heartbeat_ticks=heartbeat_ticks)
        shots = LanePictures(part.lane_pictures or data / SHOTS, clock)
        self._papers = PapersDesk(lambda: hearing.room.values.views, passages, shots)
        pictures = Pictures(Archive(part.archive or data / ARCHIVE), data / TILES)
        assist = Assist(pictures, self._folder)
        lanes = [lane.id for lane in site.lanes]

        def lanes_for(passage: str) -> Iterable[str]:
            there = self._papers.lane_of(passage)
            return lanes if there is None else [there]

        self.reviews = Reviews(
            site.site.id,
            site.persons,
            pins,
            pictures,
            self._folder,
            clock,
            part,
            papers=assist.beside(self._papers),
            carrier=Carrier(site.site.id, bus, lanes_for, self._record),
            pages=pages,
        )
        exercises = Exercises(self.reviews.desk, pictures, self._folder, clock)
        self.routes = ReviewRoutes(self.reviews, shots, clock, self.board, assist, exercises)
        self._scanning: list[str] = []
        self._looked: dict[str, int] = {}
        self._unfit: dict[str, int] = {}
        """How often each scan could not be read."""

    async def run(self) -> None:
        """Until cancelled. Raises BookShut or SpoolFailed when nothing can be kept."""
        await asyncio.to_thread(_make, self._folder)
        await self.reviews.open()
        try:
            async with Spool(self._folder / "spool.sqlite") as spool:
                voice = Voice.join(self._site.broker, spool, self._site.site.id, NODE, self._clock)
                voice.birth(BirthBody(kind="review", zh="审图", en="Image review", version=self._version))
                self._voice, self.reviews.changed = voice, self._say
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(voice.run())
                    tasks.create_task(self.reviews.watch())
                    tasks.create_task(self._look())
        finally:
            self._voice = None
            await self.reviews.close()

    def heard_of_a_scan(self) -> None:
        """Somebody has said that there is a new one."""
        self._search.set()

    async def _record(self, body: object, at: float) -> int:
        if self._voice is None:
            raise RuntimeError("the review is not running")
        return await self._voice.record("review", body, at)

    async def _look(self) -> None:
        turn = 0
        while True:
            self._scanning = await scanning(self.reviews.pictures.archive)
            if turn % SEARCH_EVERY == 0 or self._search.is_set():
                self._search.clear()
                await self._take_in()
            self._say()
            turn += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._search.wait()

    async def _take_in(self) -> None:
        """Scans that the desk does not know, the oldest first."""
        pictures, refs = self.reviews.pictures, list[ScanRef]()
        for digest in await asyncio.to_thread(self._fresh):
            try:
                refs.append(await asyncio.to_thread(pictures.archive.ref, digest))
            except (UnknownDigest, DamagedScan) as wrong:
                # Whoever looks at it at this very moment may stand in the way: it is tried again, and said in the end.
                tries = self._unfit[digest] = self._unfit.get(digest, 0) + 1
                if tries == TRIES:
                    log.warning("scan %s cannot be reviewed: %s", digest[:16], wrong)
            else:
                self._unfit.pop(digest, None)
        for ref in sorted(refs, key=lambda r: r.started):
            try:
                await self.reviews.arrived(ref)
                await pictures.prepare(ref.digest)
            except BookShut:
                log.exception("the review cannot take in scan %s", ref.digest[:16])
                return
            except (UnknownDigest, DamagedScan, OSError) as wrong:
                log.warning("scan %s cannot be cut: %s", ref.digest[:16], wrong)

    def _fresh(self) -> list[str]:
        """Digests in those folders of the archive that have changed since the last look."""
        archive, known = self.reviews.pictures.archive, self.reviews.desk.tasks
        found: list[str] = []
        for folder in archive.folder.glob("[0-9a-f][0-9a-f]"):
            changed = folder.stat().st_mtime_ns
            if self._looked.get(folder.name) != changed:
                self._looked[folder.name] = changed
                found += [path.stem for path in folder.glob(f"*{SUFFIX}")]
        again = [digest for digest, tries in self._unfit.items() if tries < TRIES]
        return [digest for digest in {*found, *again} if digest not in known and self._unfit.get(digest, 0) < TRIES]

    def _say(self) -> None:
        now = shown.now(self.reviews.desk, self._scanning)
        if now != self.board.values.desk:
            for values in self.board.both:
                values.desk = now


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
