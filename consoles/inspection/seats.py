"""Who sits at the review: a person takes a seat with his PIN, and keeps it for a shift, over reloads and restarts.

The seat's secret is the browser's cookie; the book knows its digest only.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from consoles.clock import ConsoleClock
from consoles.config import PersonPart
from consoles.inspection.desk import Desk, Event, PutBack, SignedIn, SignedOut
from consoles.inspection.wire import Said
from consoles.pins import Pins
from consoles.wire import Outcome
from gateway_ctl.book import BookShut
from telemetry.payloads.lane import Text

SEAT_LIVES_S: Final = 12 * 3600.0
"""Site seconds: a shift."""
SEATED: Final = frozenset({"inspector", "supervisor"})
NO_BOOK: Final = Text("无法记录,未生效", "It could not be written down, so it does not hold")


class Seats:
    """The seats of one desk."""

    def __init__(
        self,
        desk: Desk,
        persons: Sequence[PersonPart],
        pins: Pins,
        clock: ConsoleClock,
        write: Callable[[Event], Awaitable[None]],
    ) -> None:
        """`write`: into the book and the desk; raises BookShut."""
        self._desk, self._pins, self._clock, self._write = desk, pins, clock, write
        self._persons = {person.id: person for person in persons if person.role in SEATED}

    async def sign_in(self, name: str, pin: str) -> tuple[str, float] | Said:
        """The secret of a new seat and how many real seconds it lasts; or why not."""
        if name not in self._persons:
            return Said(kind="unknown person")
        key = await self._pins.unseal(name, pin)
        if isinstance(key, Outcome):
            return of_pin(key)
        secret = secrets.token_urlsafe(32)
        try:
            await self._write(SignedIn(person=name, seat=_mark(secret), until=self._clock.now() + SEAT_LIVES_S))
        except BookShut:
            return Said(kind="no book", say=NO_BOOK)
        return secret, SEAT_LIVES_S / self._clock.speed

    def seated(self, secret: str) -> PersonPart | None:
        """Who has this seat."""
        seat = self._desk.seats.get(_mark(secret))
        if seat is None or seat.until < self._clock.now():
            return None
        return self._persons.get(seat.person)

    async def sign_out(self, secret: str) -> Said:
        """Leave the seat; what was in hand goes back to the pool."""
        person = self.seated(secret)
        if person is None:
            return Said(kind="nothing")
        try:
            task = self._desk.held_by(person.id)
            if task is not None:
                await self._write(PutBack(digest=task.scan.digest, person=person.id, why="signed out"))
            await self._write(SignedOut(person=person.id, seat=_mark(secret)))
        except BookShut:
            return Said(kind="no book", say=NO_BOOK)
        return Said(kind="done")


def of_pin(outcome: Outcome) -> Said:
    """What a PIN that opened nothing comes to."""
    return msgspec.convert({"kind": outcome.kind, "wait_s": outcome.wait_s, "left": outcome.left}, Said)


def _mark(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
