"""The review's keeper: hands out scans, keeps where each review stands, seals verdicts, and writes it all down first.

The book (gateway_ctl/book.py: append-only, chained, durable on return) holds every event; what is in memory is what the
book says. A reading's record (view, window, palette, marks, cells seen, times) stands in the book beside its verdict,
and the verdict carries the record's digest.
"""

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

import msgspec

from consoles.clock import ConsoleClock
from consoles.config import InspectionPart, PersonPart
from consoles.inspection import shown
from consoles.inspection.desk import (
    READER,
    Arrived,
    Desk,
    PutBack,
    Read,
    Role,
    SecondWhy,
    SignedIn,
    SignedOut,
    Taken,
    Task,
    Told,
    another,
    may_read,
)
from consoles.inspection.drafts import Drafts
from consoles.inspection.pictures import DamagedScan, Pictures, UnknownDigest
from consoles.inspection.seats import NO_BOOK, Seats, of_pin
from consoles.inspection.verdicts import Carrier, Line, Record, sealed
from consoles.inspection.wire import (
    Draft,
    Finding,
    Judge,
    Me,
    Papers,
    Rest,
    Review,
    Said,
    Save,
    Saved,
)
from consoles.pins import Pins
from consoles.wire import Outcome
from gateway_ctl import seal
from gateway_ctl.book import Book, BookShut, entries
from telemetry.payloads.lane import Text
from telemetry.payloads.order import VerdictBody
from telemetry.payloads.review import ReviewBody
from vision.xray.scan import Dual, ScanRef

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
"""Real seconds between looks for locks that have run out."""

TORN = Text("扫描不完整,不能下结论,只能要求重扫", "The scan is torn: it cannot be judged, only scanned again")
UNSEEN = Text("仍有区域未看,不能判无异常", "Parts of the load have not been looked at: it cannot be clear")
NOT_YOURS = Text("任务已超时收回或属他人", "The scan went back to the pool, or is another person's")
UNKNOWN = Text("档案中没有这幅图像", "No such scan is in the archive")
DAMAGED = Text("图像档案已损坏,不能下结论", "The scan's file is damaged: it cannot be judged")
UNBOUND = Text("图像未关联车辆,结论不能发往车道", "The scan names no truck: no lane can be told")


class PapersOf(Protocol):
    """Finds what is known of a scan's truck."""

    async def __call__(self, scan: Arrived) -> Papers: ...


class Reviews:
    """One site's image review."""

    def __init__(
        self,
        site: str,
        persons: Sequence[PersonPart],
        pins: Pins,
        pictures: Pictures,
        folder: Path,
        clock: ConsoleClock,
        settings: InspectionPart,
        *,
        papers: PapersOf,
        carrier: Carrier,
        pages: str = "",
    ) -> None:
        """`folder`: where the book and the drafts lie. `pages`: digest of the pages that are served."""
        self.desk = Desk()
        self.pictures = pictures
        self.changed: Callable[[], None] = lambda: None
        """Told after every event."""
        self._site, self._folder, self._clock, self._settings = site, folder, clock, settings
        self._persons = {person.id: person for person in persons}
        self._pins, self.papers, self._carrier, self._pages = pins, papers, carrier, pages
        self._book = Book(folder / "book.sqlite")
        self._drafts: Drafts | None = None
        self._eyes = shown.Eyes()
        self._untold: dict[str, tuple[ReviewBody, float]] = {}
        """Words that hold and that nobody knows yet, with their ends."""
        self._turn = asyncio.Lock()
        self.seats = Seats(self.desk, persons, pins, clock, lambda event: self._write(Line(event=event)))

    async def open(self) -> None:
        """Read the book. Raises BookShut: it is broken, or another process has it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._book.open()
        now, now_s = self._clock.now(), self._clock.machine_s()
        for entry in await asyncio.to_thread(lambda: list(entries(self._book.path))):
            line = msgspec.json.decode(entry.body, type=Line)
            self.desk.apply(line.event, entry.at, now_s - (now - entry.at) / self._clock.speed)
            if isinstance(line.event, Told):
                self._untold.pop(line.event.verdict, None)
            elif isinstance(line.event, Read) and not line.event.another and line.record and line.sealed:
                self._holds(line.event, line.record, line.sealed)
        for task in self.desk.open.values():
            if task.holder is not None:  # while we were away nobody could do anything
                self.desk.touch(task, now_s)
        self._drafts = await asyncio.to_thread(Drafts, self._folder / "drafts.sqlite")
        await asyncio.to_thread(self._drafts.forget, self._clock.now())
        self.changed()

    async def close(self) -> None:
        """All that was said is on the disk on return."""
        await self._book.close()
        if self._drafts is not None:
            await asyncio.to_thread(self._drafts.close)

    async def watch(self) -> None:
        """Give back what nobody works on, and tell again what could not be told, until cancelled."""
        while True:
            await self._clock.pause(LOOK_EVERY_S)
            await self.give_back_silent()
            await self.tell_all()

    async def give_back_silent(self) -> None:
        """Scans whose readers have done nothing for too long go back to the pool."""
        for task in self.desk.silent(self._clock.machine_s(), self._settings.lock_s):
            if task.holder is not None:
                with suppress(BookShut):
                    await self._write(Line(event=PutBack(digest=task.scan.digest, person=task.holder, why="timed out")))

    async def tell_all(self) -> None:
        """Say every word that holds and that nobody knows yet."""
        for verdict in list(self._untold):
            await self._tell(verdict)

    async def arrived(self, ref: ScanRef, *, targeted: str = "") -> None:
        """A scan is in the archive; a second time changes nothing. Raises BookShut."""
        if ref.digest in self.desk.tasks:
            return
        scan = Arrived(
            digest=ref.digest,
            scanner=ref.scanner,
            started=ref.started,
            ended=ref.ended,
            passage=ref.subject.passage,
            plate=ref.subject.plate,
            containers=list(ref.subject.containers),
            torn=ref.torn,
            targeted=targeted,
        )
        async with self._turn:
            if ref.digest not in self.desk.tasks:
                await self._write(Line(event=scan))

    # Tasks

    async def me(self, person: PersonPart) -> Me:
        """All that this person's page shows."""
        now_s = self._clock.machine_s()
        head = person.role == "supervisor"
        task = self.desk.held_by(person.id)
        return Me(
            person=person.id,
            role="supervisor" if head else "inspector",
            review=None if task is None else await self._review(task, person.id),
            rest=Rest(reading_s=self._eyes.reading_s(person.id, now_s), due_s=self._settings.break_after_min * 60.0),
            waiting=sum(may_read(t, person.id, person.role) for t in self.desk.waiting()),
            queue=shown.queue(self.desk, now_s, head=head),
            tallies=shown.tallies(self.desk, self._clock.now(), None if head else person.id),
        )

    async def next(self, person: PersonPart) -> Said:
        """Hand out a scan, unless this person has one."""
        async with self._turn:
            if self.desk.held_by(person.id) is not None:
                return Said(kind="done")
            while True:
                chance = secrets.randbelow(1 << 30) / (1 << 30)
                task = self.desk.choose(person.id, person.role, self._clock.machine_s(), chance)
                if task is None:
                    return Said(kind="nothing")
                try:
                    await self.pictures.prepare(task.scan.digest)
                    await self._write(Line(event=Taken(digest=task.scan.digest, person=person.id, reading=task.due)))
                except BookShut:
                    return Said(kind="no book", say=NO_BOOK)
                except (UnknownDigest, DamagedScan) as wrong:
                    log.warning("scan %s cannot be shown: %s", task.scan.digest[:16], wrong)
                    task.damaged = True
                    continue
                return Said(kind="done")

    async def save(self, person: str, digest: str, save: Save) -> Saved:
        """Keep where the review stands."""
        task = self._in_hand(person, digest)
        if task is None:
            return Saved(yours=False, left_s=0.0)
        now_s = self._clock.machine_s()
        if save.active:
            self.desk.touch(task, now_s)
            self._eyes.work(person, now_s)
        await self._keep(task, person, save.draft)
        return Saved(yours=True, left_s=self._left_s(task))

    async def put_back(self, person: str, digest: str) -> Said:
        """Back into the pool, with nothing said."""
        if self._in_hand(person, digest) is None:
            return Said(kind="not yours", say=NOT_YOURS)
        try:
            await self._write(Line(event=PutBack(digest=digest, person=person, why="put back")))
        except BookShut:
            return Said(kind="no book", say=NO_BOOK)
        return Said(kind="done")

    async def judge(self, person: PersonPart, digest: str, judge: Judge) -> Said:
        """Seal the verdict, write it down, and tell whoever must know when it holds."""
        refused = await self._refusal(person, digest, judge)
        if refused is not None:
            return refused
        key = await self._pins.unseal(person.id, judge.pin)
        if isinstance(key, Outcome):
            return of_pin(key)
        async with self._turn:
            task = self._in_hand(person.id, digest)
            if task is None:
                return Said(kind="not yours", say=NOT_YOURS)
            return await self._judged(task, person, judge, key)

    def take_rest(self, person: str) -> None:
        """The eyes rest now; reading is counted anew from the next scan."""
        self._eyes.rest(person)

    # Within

    async def _refusal(self, person: PersonPart, digest: str, judge: Judge) -> Said | None:
        """What can be said against a verdict before any key is opened."""
        if person.role != READER or not judge.note.isprintable():
            return Said(kind="malformed")
        try:
            card = await self.pictures.card(digest)
            cells = await self.pictures.cells(digest)
            await self.pictures.prove(digest)
        except UnknownDigest:
            return Said(kind="unknown scan", say=UNKNOWN)
        except DamagedScan:
            return Said(kind="unknown scan", say=DAMAGED)
        if card.torn and judge.finding != "again":
            return Said(kind="torn", say=TORN)
        if self._in_hand(person.id, digest) is None:
            return Said(kind="not yours", say=NOT_YOURS)
        if judge.finding == "clear" and _bits(cells.load) & ~_bits(judge.draft.seen):
            return Said(kind="unseen", say=UNSEEN)
        return None

    async def _judged(self, task: Task, person: PersonPart, judge: Judge, key: seal.PrivateKey) -> Said:
        now, now_s, scan = self._clock.now(), self._clock.machine_s(), task.scan
        record = Record(
            digest=scan.digest,
            person=person.id,
            reading=task.due,
            finding=judge.finding,
            taken_at=now - (now_s - task.taken_s) * self._clock.speed,
            judged_at=now,
            draft=judge.draft,
            note=judge.note,
            pages=self._pages,
        )
        card = await self.pictures.card(scan.digest)
        word = sealed(self._site, scan, card, record, self._settings.verdict_lives_min * 60.0, key)
        why = self._another(task, judge.finding, person.id)
        event = Read(
            digest=scan.digest,
            person=person.id,
            reading=task.due,
            finding=judge.finding,
            spent_s=min(judge.draft.spent_s, now_s - task.taken_s),
            another=why,
            verdict=word.id,
            record=word.view,
        )
        try:
            await self._write(Line(event=event, record=record, sealed=word.body))
        except BookShut:
            return Said(kind="no book", say=NO_BOOK)
        self._eyes.work(person.id, self._clock.machine_s())
        if why:
            return Said(kind="done")
        self._holds(event, record, word.body)
        return Said(kind="done", lanes=await self._tell(word.id), say=None if word.bound else UNBOUND)

    def _holds(self, event: Read, record: Record, word: VerdictBody) -> None:
        """This word is the last one: it is to be told until it has been."""
        task = self.desk.tasks[event.digest]
        scan = task.scan
        body = ReviewBody(
            verdict=event.verdict,
            finding=event.finding,
            scan=event.digest,
            scanner=scan.scanner,
            passage=scan.passage,
            plate=scan.plate,
            containers=scan.containers,
            persons=[reading.person for reading in task.readings],
            sealed=word,
            record=msgspec.json.encode(record).decode(),
        )
        self._untold[event.verdict] = body, record.judged_at + self._settings.verdict_lives_min * 60.0

    async def _tell(self, verdict: str) -> list[str]:
        waiting = self._untold.get(verdict)
        if waiting is None:
            return []
        body, end = waiting
        in_time = bool(body.passage or body.plate or body.containers) and self._clock.now() < end
        lanes = await self._carrier.carry(body, self._clock.now(), to_lanes=in_time)
        if lanes is None:
            return []
        with suppress(BookShut):
            await self._write(Line(event=Told(digest=body.scan, verdict=verdict, lanes=lanes)))
            self._untold.pop(verdict, None)
        return lanes

    def _another(self, task: Task, finding: Finding, reader: str) -> SecondWhy:
        persons: list[tuple[str, Role]] = [(person.id, person.role) for person in self._persons.values()]
        chance = secrets.randbelow(1 << 30) / (1 << 30)
        return another(task, finding, persons, reader, share=self._settings.second_share, chance=chance)

    async def _review(self, task: Task, person: str) -> Review:
        digest, now_s = task.scan.digest, self._clock.machine_s()
        assert self._drafts is not None
        card = await self.pictures.card(digest)
        pair = Dual(card.he_mev, card.le_mev)
        table = await asyncio.to_thread(self.pictures.materials.of, card.scanner, pair)
        return Review(
            number=task.number,
            card=card,
            cells=await self.pictures.cells(digest),
            papers=await self.papers(task.scan),
            draft=await asyncio.to_thread(self._drafts.newest, digest, person),
            lock_s=self._settings.lock_s,
            left_s=self._left_s(task),
            elapsed_s=now_s - task.taken_s,
            clear_zoom=self._settings.clear_zoom,
            palette=f"/api/xray/palette/{quote(card.scanner, safe='')}/{card.he_mev:g}/{card.le_mev:g}",
            measured=table.measured,
        )

    def _in_hand(self, person: str, digest: str) -> Task | None:
        task = self.desk.open.get(digest)
        return task if task is not None and task.holder == person else None

    def _left_s(self, task: Task) -> float:
        return max(0.0, self._settings.lock_s - (self._clock.machine_s() - task.since_s))

    async def _keep(self, task: Task, person: str, draft: Draft) -> None:
        assert self._drafts is not None
        try:
            await asyncio.to_thread(self._drafts.keep, task.scan.digest, person, self._clock.now(), draft)
        except sqlite3.Error as wrong:
            log.warning("a draft of scan %s was not kept: %s", task.scan.digest[:16], wrong)

    async def _write(self, line: Line) -> None:
        """First the book, then the desk. Raises BookShut."""
        now, event = self._clock.now(), line.event
        digest = None if isinstance(event, SignedIn | SignedOut) else event.digest
        await self._book.write(str(type(event).__struct_config__.tag), now, line, passage=digest)
        self.desk.apply(event, now, self._clock.machine_s())
        self.changed()


def _bits(text: str) -> int:
    """Bit n is the cell n."""
    return int.from_bytes(bytes.fromhex(text if len(text) % 2 == 0 else text + "0"), "little")
