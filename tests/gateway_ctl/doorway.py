"""A door with everything around it in the test's hands: the hour, the pictures, the arm; only the book is real."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import cast

from drivers.faults import DriverFault
from drivers.readings import Instant
from gateway_ctl.book import Book, Entry, entries
from gateway_ctl.boom import Door
from gateway_ctl.deeds import Moved, Phase, Progress
from gateway_ctl.interlock import decide, decide_lowering
from gateway_ctl.orders import Order, Permit
from gateway_ctl.picture import Inputs, Picture
from tests.gateway_ctl.scene import NOW, RULES, inputs, order, picture


def at(when: float, shown: Picture) -> Picture:
    """The same picture, told at another hour; what it shows has lasted as before."""
    told = {field.name: replace(getattr(shown.inputs, field.name), at=Instant(when - 0.05)) for field in fields(Inputs)}
    deck = shown.deck
    deck = replace(
        deck,
        live_kg=replace(deck.live_kg, at=Instant(when - 0.05)),
        settled_at=None if deck.settled_at is None else Instant(when - 0.05),
    )
    return replace(shown, at=Instant(when), inputs=Inputs(**told), deck=deck)


class HandClock:
    """Stands still until the test moves it."""

    speed = 1.0

    def __init__(self, start: Instant = NOW) -> None:
        self.hour: float = start
        self.deadlines: list[tuple[float, asyncio.Timeout]] = []

    def now(self) -> Instant:
        return Instant(self.hour)

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the door waits for pictures, never for time")

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return self._deadline(seconds)

    @asynccontextmanager
    async def _deadline(self, seconds: float) -> AsyncGenerator[asyncio.Timeout]:
        async with asyncio.timeout(None) as deadline:
            mine = (self.hour + seconds, deadline)
            self.deadlines.append(mine)
            try:
                yield deadline
            finally:
                self.deadlines = [each for each in self.deadlines if each is not mine]

    def advance(self, seconds: float) -> None:
        self.hour += seconds
        for due, deadline in self.deadlines:
            if self.hour >= due:
                deadline.reschedule(asyncio.get_running_loop().time())
        self.deadlines = [mine for mine in self.deadlines if self.hour < mine[0]]


@dataclass(frozen=True)
class Watch:
    """A module's watch over us."""

    fired: bool | None


class Arm:
    """A barrier that does as it is told and says what the book on the disk held when it was asked."""

    def __init__(self, doorway: "Doorway") -> None:
        self._doorway = doorway
        self.calls: list[str] = []
        self.book_then: list[list[Entry]] = []
        self.fault: DriverFault | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.left_on: frozenset[str] = frozenset()
        self.watch: Watch | None = None
        self.unwatched: DriverFault | None = None
        self.astray: list[str] = []

    async def raise_boom(self) -> str:
        return await self._write("raise")

    async def lower_boom(self) -> str:
        return await self._write("lower")

    async def standing(self) -> frozenset[str]:
        return self.left_on

    async def release(self) -> frozenset[str]:
        self.calls.append("release")
        self.book_then.append(self._doorway.written())
        left, self.left_on = self.left_on, frozenset()
        return left

    async def arm_watchdog(self) -> "Watch | None":
        if self.unwatched is not None:
            raise self.unwatched
        return self.watch

    async def strays(self) -> list[str]:
        return self.astray

    async def _write(self, what: str) -> str:
        self.calls.append(what)
        self.book_then.append(self._doorway.written())
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return f"{what}: output seen on"


class HookedBook(Book):
    """Calls `before` or `after` around an entry of this phase."""

    before: Callable[[Phase], None] | None = None
    after: Callable[[Phase], None] | None = None

    async def write(self, kind: str, at: Instant, body: object, *, passage: str | None = None) -> Entry:
        phase = cast("dict[str, Phase]", body).get("phase")
        if phase is not None and self.before is not None:
            self.before(phase)
        entry = await super().write(kind, at, body, passage=passage)
        if phase is not None and self.after is not None:
            self.after(phase)
        return entry


class Doorway:
    """The door and its surroundings."""

    def __init__(self, path: Path) -> None:
        self.clock = HandClock()
        self.book = HookedBook(path)
        self.shown = picture()
        self.coming: asyncio.Queue[Picture] = asyncio.Queue()
        self.told: list[Progress] = []
        self.arm = Arm(self)
        self.door = self.another_door()
        self.door.attach(self.arm)

    def another_door(self) -> Door:
        return Door(
            book=self.book, clock=self.clock, rules=RULES, newest=self._newest, another=self._another, tell=self._tell
        )

    def permit(self, wish: Order | None = None) -> Permit:
        """On the newest picture: to raise by customs' order, or what is said."""
        answer = decide(self._newest(), order() if wish is None else wish, self.clock.now(), RULES)
        assert isinstance(answer, Permit), answer
        return answer

    def permit_to_lower(self) -> Permit:
        """The lowering after a crossing; the boom is up from here on."""
        self.show(limit_down=False, limit_up=True)
        answer = decide_lowering(self._newest(), self.clock.now(), RULES)
        assert isinstance(answer, Permit), answer
        return answer

    def show(self, **occupied: bool) -> None:
        """Contacts as the next newest picture has them, and for whoever waits for another."""
        self.shown = replace(self.shown, inputs=inputs(**occupied))
        self.coming.put_nowait(self._newest())

    def written(self) -> list[Entry]:
        """What is on the disk now."""
        return list(entries(self.book.path))

    def phases(self) -> list[str]:
        """The phases in the book, in its order."""
        return [entry.plain()["phase"] for entry in self.written() if entry.kind == "boom"]

    async def start(self, permit: Permit) -> "asyncio.Future[Moved]":
        """A movement under way, as far as it comes without another picture."""
        moving = asyncio.ensure_future(self.door.move(permit))
        await self.until(lambda: moving.done() or bool(self.clock.deadlines))
        return moving

    async def until(self, truth: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not truth():
                await asyncio.sleep(0.001)

    def _newest(self) -> Picture:
        return replace(at(self.clock.now(), self.shown), spent=self.door.spent | self.shown.spent)

    async def _another(self) -> Picture:
        return await self.coming.get()

    async def _tell(self, what: Progress) -> None:
        self.told.append(what)


@asynccontextmanager
async def doorway(folder: Path) -> AsyncGenerator[Doorway]:
    stage = Doorway(folder / "book.sqlite")
    async with stage.book:
        yield stage
