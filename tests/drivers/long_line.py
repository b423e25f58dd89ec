"""A driver on a real wire, and what happens to that wire. What its words must be, each instrument's own test says."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from drivers.readings import Garbage, Tally
from edge.clock import SiteClock
from edge.keeper import Closable, Health, keep

BACK_S = 2.0
"""Site seconds at most from the line's return to the next word."""
LATE_S = 0.02
"""Real seconds by which a timer may be late before the machine was busy with something else."""
SHORTEST_S, LONGEST_S = 0.5, 12.0
"""Site seconds that a hurt lasts."""
W = TypeVar("W")


@dataclass(frozen=True)
class Hurt:
    """What is done to a line, and undone."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]
    told_s: float = float("inf")
    """One that lasts longer than this must be told: as a gap, or by the end of the link's life."""


@dataclass
class Line(Generic[W]):
    """One driver, its simulator, and the wire between them."""

    run: Coroutine[Any, Any, None]
    """The simulator's."""
    open_: Callable[[], Awaitable[Closable]]
    listen: Callable[[Any], tuple[Tally, AsyncIterator[W | Garbage]]]
    """What is opened -> its driver's counts and words."""
    hurts: Sequence[Hurt]
    close: Callable[[], None]
    told: Callable[[], object] = lambda: None
    """Whatever the simulator has said by now."""


@dataclass
class Heard(Generic[W]):
    """All that came of it."""

    words: list[W] = field(default_factory=list[W])
    lives: list[Tally] = field(default_factory=list[Tally])
    garbage: Counter[str] = field(default_factory=Counter[str])
    back_s: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Site seconds from the end of each hurt to the next word, by the hurt's name, without those in which the machine
    let this whole process, simulator and driver, wait."""
    absent_s: float = 0.0
    """Site seconds in which the machine let this process wait."""
    untold: list[str] = field(default_factory=list[str])
    """Hurts that nothing spoke of."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def gaps(self) -> int:
        """Told, of all lives."""
        return sum(tally.gaps for tally in self.lives)

    @property
    def slowest_s(self) -> float:
        """Of all returns."""
        return max((each for times in self.back_s.values() for each in times), default=0.0)

    def summary(self, name: str) -> str:
        """One line for a person."""
        slow = ", ".join(f"{what} {max(times):.2f}" for what, times in sorted(self.back_s.items()))
        return (
            f"{name}: {len(self.words)} words, {sum(t.garbage for t in self.lives)} pieces of garbage, "
            f"{self.gaps} gaps told, {len(self.lives)} lives; back after at most (site s): {slow}"
        )


async def walk(line: Line[W], clock: SiteClock, words: int, hurts: int, *, seed: int = 4) -> Heard[W]:
    """So many words, and hurts between equal shares of them: each kind in turn, each for a while."""
    heard, dice = Heard[W](), random.Random(seed)

    async def live(link: Closable) -> None:
        tally, said = line.listen(link)
        heard.lives.append(tally)
        async for word in said:
            if isinstance(word, Garbage):
                heard.garbage[word.why] += 1
                continue
            heard.words.append(word)
            heard.news.set()

    async def more(count: int) -> None:
        wanted = len(heard.words) + count
        while len(heard.words) < wanted:
            heard.news.clear()
            await heard.news.wait()

    async def feel_the_machine() -> None:
        while True:
            due = clock.now() + LATE_S * clock.speed
            await clock.sleep(LATE_S * clock.speed)
            late = clock.now() - due
            heard.absent_s += late if late > LATE_S * clock.speed else 0.0

    health = Health("line", clock)
    async with asyncio.timeout(60 + words / 10), asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(line.run),
            group.create_task(keep("line", line.open_, live, clock, health)),
            group.create_task(feel_the_machine()),
        ]
        for number in range(hurts):
            await more(words // (hurts + 1))
            hurt = line.hurts[number % len(line.hurts)]
            signs, began = heard.gaps + len(heard.lives), clock.now()
            hurt.begin()
            await clock.sleep(dice.uniform(SHORTEST_S, LONGEST_S))
            hurt.end()
            ended, absent_s = clock.now(), heard.absent_s
            await more(1)
            back_s = clock.now() - ended - (heard.absent_s - absent_s)
            heard.back_s.setdefault(hurt.name, []).append(back_s)
            if ended - began > hurt.told_s and heard.gaps + len(heard.lives) == signs:
                heard.untold.append(f"{hurt.name} for {ended - began:.1f} s")
        await more(max(1, words - len(heard.words)))
        for task in tasks:
            task.cancel()
    line.close()
    return heard
