"""What a page of the review is shown of the desk: queue, tallies, scans to compare with, how long eyes have worked."""

from dataclasses import dataclass
from typing import Final

from consoles.inspection import desk
from consoles.inspection.desk import Desk, Task
from consoles.inspection.wire import Likeness, PersonTally, TaskRow
from consoles.wire import DeskNow

REST_S: Final = 300.0
"""Real seconds without a scan in hand that count as a rest for the eyes."""
TALLY_S: Final = 12 * 3600.0
"""Site seconds that a tally looks back: a shift."""
LIKE_CEILING: Final = 12
"""Scans offered for comparison."""


def queue(at: Desk, now_s: float, *, head: bool) -> list[TaskRow]:
    """What is not done. Who reads, and which reading it is, only a supervisor (`head`) is told: blind is blind."""
    return [
        TaskRow(
            number=task.number,
            digest=task.scan.digest if head else "",
            scanner=task.scan.scanner,
            containers=task.scan.containers,
            plate=task.scan.plate,
            waits_s=now_s - task.since_s,
            taken=task.holder is not None,
            torn=task.scan.torn,
            damaged=task.damaged,
            holder=task.holder if head else None,
            reading=task.due if head else None,
            why=task.another if head else "",
        )
        for task in at.open.values()
    ]


def tallies(at: Desk, now: float, person: str | None) -> list[PersonTally]:
    """Of everybody, or of one person, who is not told how often others agreed: it would show what is read twice."""
    return [
        PersonTally(
            person=tally.person,
            readings=tally.readings,
            clear=tally.clear,
            open=tally.open,
            median_s=tally.median_s,
            twice=tally.twice if person is None else 0,
            agreed=tally.agreed if person is None else 0,
        )
        for tally in desk.tallies(at.tasks.values(), now - TALLY_S)
        if person in (None, tally.person)
    ]


def like(at: Desk, digest: str) -> list[Likeness]:
    """Scans to compare with: of the same containers, then of the same scanner, the newest first."""
    task = at.tasks.get(digest)
    if task is None:
        return []
    boxes = set(task.scan.containers)
    found: list[tuple[bool, Task]] = [
        (bool(boxes & set(other.scan.containers)), other)
        for other in at.tasks.values()
        if other is not task and other.done and not other.scan.torn
    ]
    found.sort(key=lambda pair: (not pair[0], -pair[1].scan.started))
    return [
        Likeness(
            digest=other.scan.digest,
            started=other.scan.started,
            scanner=other.scan.scanner,
            containers=other.scan.containers,
            why="same container" if same else "same scanner",
            finding=other.finding,
        )
        for same, other in found[:LIKE_CEILING]
    ]


def now(at: Desk, scanning: list[str]) -> DeskNow:
    """What every page may know."""
    waiting = len(at.waiting())
    return DeskNow(revision=at.revision, waiting=waiting, taken=len(at.open) - waiting, scanning=scanning)


@dataclass(slots=True)
class _Work:
    since_s: float
    last_s: float


class Eyes:
    """Since when each person has been reading. Real seconds that do not run backwards."""

    def __init__(self) -> None:
        self._work: dict[str, _Work] = {}

    def work(self, person: str, now_s: float) -> None:
        """He does something with a scan."""
        work = self._work.get(person)
        if work is None or now_s - work.last_s > REST_S:
            self._work[person] = _Work(now_s, now_s)
        else:
            work.last_s = now_s

    def rest(self, person: str) -> None:
        """He rests."""
        self._work.pop(person, None)

    def reading_s(self, person: str, now_s: float) -> float:
        """How long he has been reading without a rest."""
        work = self._work.get(person)
        return 0.0 if work is None or now_s - work.last_s > REST_S else now_s - work.since_s
