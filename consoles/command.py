"""A person's order: the PIN opens the key, the key signs the order, the lane answers it.

The console decides nothing: an order that it signs passes the same interlock as customs' own.
"""

import asyncio
import base64
import secrets
from collections.abc import Mapping
from typing import Protocol

from consoles.clock import ConsoleClock
from consoles.hearing import Hearing
from consoles.pins import Pins
from consoles.wire import Command, Countersign, Outcome, OutcomeKind, WhyCode
from drivers.readings import Instant
from gateway_ctl import seal
from gateway_ctl.orders import LANE_WIDE, Order, Seal, SignedOrder, Verb
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
LONGEST_HOLD_MIN = 240.0
"""Of a hold-open; the lane's own rules may allow less."""
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


class Commands:
    """Takes commands of persons for the lanes of one site."""

    def __init__(
        self,
        site: str,
        pins: Pins,
        hearing: Hearing,
        bus: Sender,
        clock: ConsoleClock,
        *,
        stale_after_s: float,
    ) -> None:
        """`stale_after_s`: age of a lane's view above which nobody may order anything there."""
        self._site = site
        self._pins = pins
        self._hearing = hearing
        self._bus = bus
        self._clock = clock
        self._stale_after_s = stale_after_s

    async def take(self, lane: str, command: Command) -> Outcome:
        """Sign, send, and wait for the lane's answer."""
        early = self._judge(lane, command)
        if early is not None:
            return Outcome(kind=early)
        key = await self._pins.unseal(command.person, command.pin)
        if isinstance(key, Outcome):
            return key
        order = self._order(lane, command)
        return await self._send(lane, order.id, order.issued_at, seal.sign(order, command.person, key))

    async def countersign(self, lane: str, asked: Countersign) -> Outcome:
        """A second person's seal under the bytes that the first has signed, as the lane still shows them."""
        if not self._bus.up:
            return Outcome(kind="no bus")
        view, now = self._hearing.view(lane), self._clock.now()
        if view is None or now - view.at > self._stale_after_s:
            return Outcome(kind="stale")
        waits = view.body.awaits
        if waits is None or waits.order != asked.order or now >= waits.lapses_at:
            return Outcome(kind="lapsed", order=asked.order)
        if not asked.screen or asked.screen == waits.screen:
            return Outcome(kind="same screen", order=asked.order)
        key = await self._pins.unseal(asked.person, asked.pin)
        if isinstance(key, Outcome):
            return key
        first = SignedOrder(
            payload=base64.b64decode(waits.payload),
            seals=tuple(Seal(key=each.key, signature=base64.b64decode(each.signature)) for each in waits.seals),
        )
        return await self._send(lane, asked.order, now, seal.countersign(first, asked.person, key))

    async def _send(self, lane: str, order: str, at: Instant, signed: SignedOrder) -> Outcome:
        answer = self._hearing.expect(order)
        try:
            async with asyncio.timeout(PUBLISH_DEADLINE_S):
                await self._bus.deliver(topics.topic(self._site, lane, "order"), _wire(order, at, signed))
            async with asyncio.timeout(ANSWER_DEADLINE_S):
                said = await answer
        except NotDelivered:
            return Outcome(kind="no bus", order=order)
        except TimeoutError:
            return Outcome(kind="no answer", order=order)
        finally:
            self._hearing.forget(order)
        if said.awaits:
            return Outcome(kind="awaits", order=order)
        return Outcome(kind="accepted" if said.accepted else "refused", order=order, reasons=said.reasons)

    def _judge(self, lane: str, command: Command) -> OutcomeKind | None:
        if len(command.note) > NOTE_CEILING or not command.note.isprintable():
            return "malformed"
        if command.reason == "other" and not command.note.strip():
            return "malformed"
        if command.passage is None and Verb(command.verb) not in LANE_WIDE:
            return "malformed"
        minutes = command.minutes
        if (command.verb == "hold_open") is (minutes is None):
            return "malformed"
        if minutes is not None and not 0 < minutes <= LONGEST_HOLD_MIN:
            return "malformed"
        if not self._bus.up:
            return "no bus"
        view = self._hearing.view(lane)
        if view is None or self._clock.now() - view.at > self._stale_after_s:
            return "stale"
        return None

    def _order(self, lane: str, command: Command) -> Order:
        now = self._clock.now()
        why, note = WHY[command.reason], command.note.strip()
        view = self._hearing.view(lane)
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
            evidence=() if view is None or not view.body.picture else (view.body.picture,),
            until=None if command.minutes is None else Instant(now + 60 * command.minutes),
            confirms=view.body.advised if view is not None and command.verb == "confirm" else None,
            screen=command.screen,
        )


def _wire(order: str, at: Instant, signed: SignedOrder) -> bytes:
    text = OrderBody(
        payload=base64.b64encode(signed.payload).decode("ascii"),
        seals=[SealBody(key=s.key, signature=base64.b64encode(s.signature).decode("ascii")) for s in signed.seals],
    )
    return wrap(Envelope(id=order, at=at, src=NODE, body=encode(text)))
