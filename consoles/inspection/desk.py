"""The desk of the image review: which scans wait, who has which, what was said of them. Pure.

Everything that happens is an event; `apply` makes the next state of it, from the book after a restart as at the time
itself. Whoever keeps the book writes an event first and applies it then.

A scan is read once; a second time, blind, when chance or targeting says so or the first reader cannot tell; and where
two readings do not agree, a third time, blind as well, whose word holds. Only inspectors read: whoever may open a boom
does not clear images. Nobody may choose a scan, so nobody can wait for a friend's: the pool hands one out by chance,
those that have waited too long first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

Finding = Literal["clear", "suspect", "open", "again"]
Role = Literal["operator", "supervisor", "inspector"]
SecondWhy = Literal["", "random", "targeted", "asked", "disagree"]
BackWhy = Literal["put back", "timed out", "signed out"]

READER: Final[Role] = "inspector"
OVERDUE_S: Final = 180.0
"""Real seconds in the pool after which chance no longer decides: a truck stands there."""


class Arrived(msgspec.Struct, frozen=True, kw_only=True, tag="arrived"):
    """A scan is in the archive."""

    digest: str
    scanner: str
    started: float
    ended: float
    passage: str = ""
    plate: str = ""
    containers: list[str] = []
    torn: bool = False
    targeted: str = ""
    """Why customs or the risk rules want this one looked at by two; empty: they do not."""


class Taken(msgspec.Struct, frozen=True, kw_only=True, tag="taken"):
    """Somebody has it."""

    digest: str
    person: str
    reading: int


class PutBack(msgspec.Struct, frozen=True, kw_only=True, tag="put back"):
    """Nobody has it any more, and nothing was said."""

    digest: str
    person: str
    why: BackWhy


class Read(msgspec.Struct, frozen=True, kw_only=True, tag="read"):
    """A reading is done. `again`: whether there is to be another one, and why."""

    digest: str
    person: str
    reading: int
    finding: Finding
    spent_s: float
    another: SecondWhy
    verdict: str
    """The sealed verdict's id."""
    record: str
    """SHA-256, hex, of what the reader saw and marked; the record itself stands in the book beside this."""


class Told(msgspec.Struct, frozen=True, kw_only=True, tag="told"):
    """The word that holds has gone out; no lanes: it came too late for any."""

    digest: str
    verdict: str
    lanes: list[str]


class SignedIn(msgspec.Struct, frozen=True, kw_only=True, tag="signed in"):
    """A person took a seat. `seat`: SHA-256, hex, of the seat's secret."""

    person: str
    seat: str
    until: float


class SignedOut(msgspec.Struct, frozen=True, kw_only=True, tag="signed out"):
    """And left it."""

    person: str
    seat: str


Event = Arrived | Taken | PutBack | Read | Told | SignedIn | SignedOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one person said."""

    person: str
    finding: Finding
    spent_s: float
    at: float
    verdict: str


@dataclass(slots=True, kw_only=True)
class Task:
    """One scan at the desk."""

    number: int
    scan: Arrived
    arrived_at: float
    readings: list[Reading] = field(default_factory=list[Reading])
    another: SecondWhy = ""
    """Why the reading that is due is not the first one."""
    holder: str | None = None
    done: bool = False
    damaged: bool = False
    """Its file cannot be read. Found out anew after a restart: somebody may have put the file right."""
    told: list[str] | None = None
    """Lanes that know what holds; None: nobody was told yet."""
    since_s: float = 0.0
    """Real seconds: since when it waits, or its holder was last seen to do something."""
    taken_s: float = 0.0

    @property
    def due(self) -> int:
        """Which reading is to come: 1, 2 or 3."""
        return len(self.readings) + 1

    @property
    def finding(self) -> Finding | None:
        """What holds in the end: the last reader's word."""
        return self.readings[-1].finding if self.done and self.readings else None


class Desk:
    """All tasks by digest, and all seats."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.open: dict[str, Task] = {}
        """Those that are not done."""
        self.seats: dict[str, SignedIn] = {}
        self.revision = 0

    def apply(self, event: Event, at: float, now_s: float) -> None:
        """`at`: site time of the event; `now_s`: real seconds now. An event that fits nothing changes nothing."""
        self.revision += 1
        match event:
            case Arrived():
                if event.digest not in self.tasks:
                    task = Task(number=len(self.tasks) + 1, scan=event, arrived_at=at, since_s=now_s)
                    self.tasks[event.digest] = self.open[event.digest] = task
            case Taken():
                if (task := self.open.get(event.digest)) is not None:
                    task.holder, task.since_s, task.taken_s = event.person, now_s, now_s
            case PutBack():
                task = self.open.get(event.digest)
                if task is not None and task.holder == event.person:
                    task.holder, task.since_s = None, now_s
            case Read():
                if (task := self.open.get(event.digest)) is not None:
                    self._read(task, event, at, now_s)
            case Told():
                if (told := self.tasks.get(event.digest)) is not None:
                    told.told = event.lanes
            case SignedIn():
                self.seats[event.seat] = event
            case SignedOut():
                self.seats.pop(event.seat, None)

    def _read(self, task: Task, event: Read, at: float, now_s: float) -> None:
        task.readings.append(
            Reading(person=event.person, finding=event.finding, spent_s=event.spent_s, at=at, verdict=event.verdict)
        )
        task.holder, task.since_s, task.another = None, now_s, event.another
        if not event.another:
            task.done = True
            del self.open[task.scan.digest]

    def held_by(self, person: str) -> Task | None:
        """What this person has in hand."""
        return next((task for task in self.open.values() if task.holder == person), None)

    def waiting(self) -> list[Task]:
        """Those that nobody has."""
        return [task for task in self.open.values() if task.holder is None]

    def choose(self, person: str, role: Role, now_s: float, chance: float) -> Task | None:
        """What this person is to read next; `chance` is drawn from 0 up to 1. None: there is nothing for him."""
        pool = [task for task in self.waiting() if may_read(task, person, role)]
        if not pool:
            return None
        late = [task for task in pool if now_s - task.since_s > OVERDUE_S or task.scan.torn]
        if late:
            return min(late, key=lambda task: (task.since_s, task.number))
        return pool[min(len(pool) - 1, int(chance * len(pool)))]

    def silent(self, now_s: float, lock_s: float) -> list[Task]:
        """Those whose holder has done nothing for that long."""
        return [task for task in self.open.values() if task.holder is not None and now_s - task.since_s > lock_s]

    def touch(self, task: Task, now_s: float) -> None:
        """Its holder has done something."""
        task.since_s = now_s


def may_read(task: Task, person: str, role: Role) -> bool:
    """Whether the reading that is due may be this person's."""
    return (
        not task.done
        and not task.damaged
        and role == READER
        and all(reading.person != person for reading in task.readings)
    )


def another(
    task: Task, finding: Finding, persons: Iterable[tuple[str, Role]], reader: str, *, share: float, chance: float
) -> SecondWhy:
    """Whether there must be another reading after this one by `reader`, and why; empty: this one holds.

    `share` of all scans are read twice. Where nobody is left to do it, a second reading by chance or on request falls
    away; a targeted scan, and one on which two do not agree, wait until somebody is.
    """
    why: SecondWhy = ""
    if finding == "again":
        return why
    if task.due == 1:
        if finding == "suspect":
            why = "asked"
        elif task.scan.targeted:
            why = "targeted"
        elif chance < share:
            why = "random"
    elif task.due == 2 and (task.readings[0].finding == "clear") != (finding == "clear"):
        why = "disagree"
    if why in ("random", "asked"):
        done = {reading.person for reading in task.readings} | {reader}
        if not any(role == READER and person not in done for person, role in persons):
            return ""
    return why


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One person's readings since some instant."""

    person: str
    readings: int
    clear: int
    open: int
    median_s: float
    twice: int
    """Scans of these that somebody else read as well."""
    agreed: int
    """Of those, where the last word was this person's too."""


def tallies(tasks: Iterable[Task], since: float) -> list[Tally]:
    """Of everybody who read anything, the most readings first."""
    by: dict[str, list[tuple[Task, Reading]]] = {}
    for task in tasks:
        for reading in task.readings:
            if reading.at >= since:
                by.setdefault(reading.person, []).append((task, reading))
    made: list[Tally] = []
    for person, read in by.items():
        spent = sorted(reading.spent_s for _, reading in read)
        twice = [(t, r) for t, r in read if t.done and len(t.readings) > 1]
        made.append(
            Tally(
                person=person,
                readings=len(read),
                clear=sum(r.finding == "clear" for _, r in read),
                open=sum(r.finding in ("open", "suspect") for _, r in read),
                median_s=spent[len(spent) // 2],
                twice=len(twice),
                agreed=sum((t.readings[-1].finding == "clear") == (r.finding == "clear") for t, r in twice),
            )
        )
    return sorted(made, key=lambda tally: (-tally.readings, tally.person))
