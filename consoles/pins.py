"""Persons' PINs: one opens its person's key for one signature, every wrong one counts, none is kept or logged."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from consoles.clock import ConsoleClock
from consoles.config import PersonPart
from consoles.wire import Outcome
from gateway_ctl import seal

TRIES = 5
"""Wrong PINs of one person in a row before a pause; with it, ten thousand four-digit PINs take a week."""
LOCKED_S = 300.0
"""Real seconds of the pause."""
UNSEALING_CEILING = 4
"""Commands that may wait for the one key derivation at a time (64 MiB and a core each)."""


@dataclass(slots=True)
class Tries:
    """Wrong PINs by person. Pure: `now_s` is any clock of real seconds that does not run backwards."""

    wrong: dict[str, int] = field(default_factory=dict[str, int])
    until: dict[str, float] = field(default_factory=dict[str, float])

    def locked_s(self, person: str, now_s: float) -> float:
        """Seconds until this person may try again; 0 when he may now."""
        return max(0.0, self.until.get(person, 0.0) - now_s)

    def failed(self, person: str, now_s: float) -> int:
        """Count a wrong PIN and give the tries that are left; with none left the pause begins."""
        count = self.wrong.get(person, 0) + 1
        if count >= TRIES:
            self.wrong.pop(person, None)
            self.until[person] = now_s + LOCKED_S
            return 0
        self.wrong[person] = count
        return TRIES - count

    def passed(self, person: str) -> None:
        """A right PIN clears the count."""
        self.wrong.pop(person, None)


class Pins:
    """Opens the keys of a site's persons. One for the whole process: wrong tries are counted across all pages."""

    def __init__(self, persons: Iterable[PersonPart], clock: ConsoleClock) -> None:
        self._persons = {person.id: person for person in persons}
        self._clock = clock
        self._tries = Tries()
        self._unsealing = asyncio.Lock()
        self._waiting = 0

    async def unseal(self, name: str, pin: str) -> seal.PrivateKey | Outcome:
        """The person's key, for one signature; or why not."""
        if self._waiting >= UNSEALING_CEILING:
            return Outcome(kind="busy")
        self._waiting += 1
        try:
            # One at a time: guesses sent together must not pass the count together.
            async with self._unsealing:
                person = self._persons.get(name)
                if person is None:
                    return Outcome(kind="unknown person")
                wait_s = self._tries.locked_s(person.id, self._clock.machine_s())
                if wait_s > 0:
                    return Outcome(kind="locked", wait_s=wait_s)
                with suppress(seal.WrongPin):
                    key = await asyncio.to_thread(seal.unseal_private, person.sealed, pin)
                    self._tries.passed(person.id)
                    return key
                left = self._tries.failed(person.id, self._clock.machine_s())
                if left == 0:
                    return Outcome(kind="locked", wait_s=LOCKED_S)
                return Outcome(kind="wrong pin", left=left)
        finally:
            self._waiting -= 1
