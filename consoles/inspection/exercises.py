"""Training: scans that were found clear, shown again with a threat projected into them or without one, and scored.

An exercise is no task: it is not in the queue, nobody waits for it, and no verdict can be given on it. Its picture
lives in memory under a name that no archive takes (vision/xray/projection.py), one a person. Whether there is
anything in it cannot be told from its name or its card. The log says of each answer which scan, which threat, where,
which seed.
"""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
import numpy as np

from consoles.clock import ConsoleClock
from consoles.inspection.desk import Desk, Task
from consoles.inspection.pictures import Pictures
from consoles.inspection.wire import Card, Drill, DrillAnswer, DrillTold, Mark, RateCard
from vision.xray import exchange
from vision.xray.exercise import Exercise, ExerciseLog, Rate, box_from_top, outcome, score
from vision.xray.layout import DamagedScan
from vision.xray.outline import NoContainer, window
from vision.xray.projection import THREATS, NotShown, Projected, Threat, projection_name, somewhere
from vision.xray.scan import Counts, Dual, Energy, Noise
from vision.xray.store import UnknownDigest
from vision.xray.tiles import NoSuchTile, Pyramid, TileName, upright

log = logging.getLogger(__name__)

FOLDER: Final = "exercises"
SHOWN: Final = 0.6
"""Share of exercises with a threat: more than in any port, and not so many that marking everything pays."""
NEWEST: Final = 200
"""Clear scans that are drawn from."""
SEEDS: Final = 1 << 31


class NoExercise(LookupError):
    """There is no clear scan to draw into, or no exercise of that name in this person's hand."""


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    card: Card
    master: str
    seed: int
    threat: Threat | None
    projected: Projected | None
    pyramids: Dual[Pyramid]


class Exercises:
    """Of one review."""

    def __init__(self, desk: Desk, pictures: Pictures, folder: Path, clock: ConsoleClock) -> None:
        """`folder`: the review's own."""
        self._desk, self._pictures, self._clock = desk, pictures, clock
        self._log = ExerciseLog(folder / FOLDER)
        self._held: dict[str, _Held] = {}
        """By person: who asks for another gives back the one he had."""
        self._turn = asyncio.Lock()

    async def next(self, person: str) -> Drill:
        """Another exercise. Raises NoExercise."""
        clear = [task for task in self._desk.tasks.values() if task.finding == "clear" and not task.scan.torn]
        if not clear:
            raise NoExercise("no scan has been found clear yet: there is nothing to draw into")
        task = secrets.choice(clear[-NEWEST:])
        card = await self._pictures.card(task.scan.digest)
        async with self._turn:
            held = await asyncio.to_thread(self._made, task, card)
        self._held[person] = held
        palette = f"/api/xray/palette/{quote(card.scanner, safe='')}/{card.he_mev:g}/{card.le_mev:g}"
        return Drill(card=held.card, palette=palette)

    async def tile(self, person: str, name: str, tile: TileName) -> bytes:
        """Raises NoExercise, NoSuchTile."""
        pyramid = self._of(person, name).pyramids.of(tile.energy)
        if tile not in set(pyramid.names()):
            raise NoSuchTile(f"{tile}")
        return await asyncio.to_thread(pyramid.tile, tile)

    async def answer(self, person: str, name: str, answer: DrillAnswer) -> DrillTold:
        """What it was, and the person's score with it. Raises NoExercise; OSError when it cannot be logged."""
        held = self._of(person, name)
        projected = held.projected
        box = None if projected is None else box_from_top(projected.box, held.card.pixels)
        marks = [exchange.Mark(x=m.x, y=m.y, width=m.width, height=m.height) for m in answer.marks]
        found, right = outcome(box, marks, opened=answer.opened)
        done = Exercise(
            at=self._clock.now(),
            person=person,
            master=held.master,
            projection="" if projected is None else projected.name,
            threat="" if held.threat is None else held.threat.name,
            kind="" if held.threat is None else held.threat.kind,
            placement=None if projected is None else projected.placement,
            seed=held.seed,
            seen=0.0 if projected is None else projected.box.size,
            spent_s=answer.spent_s,
            opened=answer.opened,
            marks=len(marks),
            on_it=right,
            outcome=found,
        )
        mine = await asyncio.to_thread(self._kept, done)
        self._held.pop(person, None)
        told = score(mine)
        return DrillTold(
            outcome=found.value,
            threat=done.threat,
            box=None if box is None else Mark(name="", x=box.x, y=box.y, width=box.width, height=box.height),
            hits=_rate(told.hits),
            false_alarms=_rate(told.false_alarms),
        )

    def _kept(self, done: Exercise) -> list[Exercise]:
        self._log.add(done)
        return [exercise for exercise in self._log.all() if exercise.person == done.person]

    def _of(self, person: str, name: str) -> _Held:
        held = self._held.get(person)
        if held is None or held.card.digest != name:
            raise NoExercise(f"{name[:40]!r} is not in your hand")
        return held

    def _made(self, task: Task, card: Card) -> _Held:
        digest, seed = task.scan.digest, secrets.randbelow(SEEDS)
        try:
            with self._pictures.archive.open(digest) as kept:
                picture = Dual(kept.picture(Energy.HE), kept.picture(Energy.LE))
                head, noise = kept.head, kept.noise
        except (UnknownDigest, DamagedScan) as no:
            raise NoExercise(f"scan {digest[:16]} cannot be read: {no}") from no
        threat = secrets.choice(THREATS) if secrets.randbelow(1000) < 1000 * SHOWN else None
        projected: Projected | None = None
        if threat is not None:
            try:
                table = self._pictures.materials.of(card.scanner, head.energies_mev)
                inside = window(picture, head.geometry, noise, table)
                projected = somewhere(digest, picture, head.geometry, noise, table, threat, inside, seed=seed)
            except (NotShown, NoContainer, KeyError, ValueError) as no:
                # Then it is an exercise without one: that some threats find no place is no secret told.
                log.info("an exercise on %s goes without a threat: %s", digest[:16], no)
                threat = None
        name = projection_name(digest, None, None, seed) if projected is None else projected.name
        shown = msgspec.structs.replace(card, digest=name, passage="", plate="", containers=[])
        return _Held(
            shown, digest, seed, threat, projected, _cut(picture if projected is None else projected.picture, noise)
        )


def _cut(picture: Dual[Counts], noise: Dual[Noise]) -> Dual[Pyramid]:
    cut = [Pyramid(energy, np.asarray(upright(picture.of(energy))), noise.of(energy)) for energy in Energy]
    return Dual(cut[0], cut[1])


def _rate(rate: Rate) -> RateCard:
    low, high = rate.interval
    return RateCard(count=rate.count, of=rate.of, low=low, high=high)
