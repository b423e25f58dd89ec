"""A person's order: the PIN opens the key, the key signs the order, the lane answers it.

The console decides nothing: an order that it signs passes the same interlock as customs' own. PINs are neither kept nor
logged, and every wrong one counts.
"""

import asyncio
import base64
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from consoles.clock import ConsoleClock
from consoles.config import PersonPart
from consoles.hearing import Hearing
from consoles.wire import Command, Outcome, OutcomeKind, WhyCode
from drivers.readings import Instant
from gateway_ctl import seal
from gateway_ctl.orders import Order, SignedOrder, Verb
from telemetry import topics
from telemetry.faults import NotDelivered
from telemetry.payloads.envelope import Envelope, encode, wrap
from telemetry.payloads.lane import Text
from telemetry.payloads.order import OrderBody, SealBody

NODE = "console"
ORDER_LIVES_S = 60.0
"""Site seconds. A lane judges within one; nobody's order should still open a boom when he has turned away."""
ANSWER_DEADLINE_S = 8.0
"""Real seconds for the lane's answer: bus, interlock and book take well under one; a person is looking at the page."""
PUBLISH_DEADLINE_S = 3.0
"""Real seconds for the broker to take the order. An order is never sent twice."""
TRIES = 5
"""Wrong PINs of one person in a row before a pause; with it, ten thousand four-digit PINs take a week."""
LOCKED_S = 300.0
"""Real seconds of the pause."""
UNSEALING_CEILING = 4
"""Commands that may wait for the one key derivation at a time (64 MiB and a core each)."""
NOTE_CEILING = 120
"""Characters of free text: one line of the lane's book."""

WHY: Mapping[WhyCode, Text] = {
    "papers": Text("人工核对单证相符", "Papers checked by hand"),
    "misread": Text("车牌或箱号误读,人工核对", "Plate or container misread, checked by hand"),
    "tag": Text("电子车牌损坏,人工核对", "Tag broken, truck checked by hand"),
    "customs_phone": Text("海关电话同意", "Customs agreed by telephone"),
    "clearance_down": Text("海关系统中断,按预案", "Customs link down, by the emergency plan"),
    "stopped_under": Text("车辆已驶离,闸杆未落", "Truck has gone, boom still up"),
    "test": Text("维护试验", "Maintenance trial"),
    "other": Text("其他", "Other"),
}
"""What a person may give as reason; `other` needs words of his own."""


class Sender(Protocol):
    """The bus, as far as an order needs it."""

    @property
    def up(self) -> bool: ...
    async def deliver(self, topic: str, payload: bytes, *, retain: bool = False) -> None: ...


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


class Commands:
    """Takes commands of persons for the lanes of one site."""

    def __init__(
        self,
        site: str,
        persons: tuple[PersonPart, ...],
        hearing: Hearing,
        bus: Sender,
        clock: ConsoleClock,
        *,
        stale_after_s: float,
    ) -> None:
        """`stale_after_s`: age of a lane's view above which nobody may order anything there."""
        self._site = site
        self._persons = {person.id: person for person in persons}
        self._hearing = hearing
        self._bus = bus
        self._clock = clock
        self._stale_after_s = stale_after_s
        self._tries = Tries()
        self._unsealing = asyncio.Lock()
        self._waiting = 0

    async def take(self, lane: str, command: Command) -> Outcome:
        """Sign, send, and wait for the lane's answer."""
        early = self._judge(lane, command)
        if early is not None:
            return Outcome(kind=early)
        key = await self._unseal(command)
        if isinstance(key, Outcome):
            return key
        order = self._order(lane, command)
        answer = self._hearing.expect(order.id)
        try:
            async with asyncio.timeout(PUBLISH_DEADLINE_S):
                await self._bus.deliver(
                    topics.topic(self._site, lane, "order"), self._wire(order, seal.sign(order, command.person, key))
                )
            async with asyncio.timeout(ANSWER_DEADLINE_S):
                said = await answer
        except NotDelivered:
            return Outcome(kind="no bus", order=order.id)
        except TimeoutError:
            return Outcome(kind="no answer", order=order.id)
        finally:
            self._hearing.forget(order.id)
        return Outcome(kind="accepted" if said.accepted else "refused", order=order.id, reasons=said.reasons)

    def _judge(self, lane: str, command: Command) -> OutcomeKind | None:
        if len(command.note) > NOTE_CEILING or not command.note.isprintable():
            return "malformed"
        if command.reason == "other" and not command.note.strip():
            return "malformed"
        if command.verb == "release" and command.passage is None:
            return "malformed"
        if not self._bus.up:
            return "no bus"
        view = self._hearing.view(lane)
        if view is None or self._clock.now() - view.at > self._stale_after_s:
            return "stale"
        return None

    async def _unseal(self, command: Command) -> seal.PrivateKey | Outcome:
        if self._waiting >= UNSEALING_CEILING:
            return Outcome(kind="busy")
        self._waiting += 1
        try:
            # One at a time: guesses sent together must not pass the count together.
            async with self._unsealing:
                person = self._persons.get(command.person)
                if person is None:
                    return Outcome(kind="unknown person")
                wait_s = self._tries.locked_s(person.id, self._clock.machine_s())
                if wait_s > 0:
                    return Outcome(kind="locked", wait_s=wait_s)
                with suppress(seal.WrongPin):
                    key = await asyncio.to_thread(seal.unseal_private, person.sealed, command.pin)
                    self._tries.passed(person.id)
                    return key
                left = self._tries.failed(person.id, self._clock.machine_s())
                if left == 0:
                    return Outcome(kind="locked", wait_s=LOCKED_S)
                return Outcome(kind="wrong pin", left=left)
        finally:
            self._waiting -= 1

    def _order(self, lane: str, command: Command) -> Order:
        now = self._clock.now()
        why, note = WHY[command.reason], command.note.strip()
        return Order(
            id=f"{self._site}-{lane}-{secrets.token_hex(8)}",
            verb=Verb(command.verb),
            site=self._site,
            lane=lane,
            passage=command.passage,
            plate=None,
            containers=(),
            declared_kg=None,
            tolerance_kg=None,
            issued_at=now,
            expires_at=Instant(now + ORDER_LIVES_S),
            reason_zh=f"{why.zh}:{note}" if note else why.zh,
            reason_en=f"{why.en}: {note}" if note else why.en,
            persons=(command.person,),
        )

    def _wire(self, order: Order, signed: SignedOrder) -> bytes:
        text = OrderBody(
            payload=base64.b64encode(signed.payload).decode("ascii"),
            seals=[SealBody(key=s.key, signature=base64.b64encode(s.signature).decode("ascii")) for s in signed.seals],
        )
        return wrap(Envelope(id=order.id, at=order.issued_at, src=NODE, body=encode(text)))
