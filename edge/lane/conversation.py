"""The lane's talk with customs: ask, ask again while it is silent, listen for a newer order, report what became of it.

All of it runs beside the lane's thinking and speaks to it in words only. Every question is in the book before it is
sent; every answer has its place there before it is heard.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from drivers.kinds import Clock
from gateway_ctl.book import Book
from gateway_ctl.clearance import Clearance, ClearanceOdd, ClearanceSilent, Crossing, Gathered, Inspected
from gateway_ctl.deeds import Ask, Ordered, Silence, Unadmitted, Word
from gateway_ctl.inspection import Verdict
from gateway_ctl.interlock import on_this_truck
from gateway_ctl.orders import Malformed, Order, Origin, SignedOrder, parse
from gateway_ctl.reasons import Reason
from gateway_ctl.seal import Keyring, admit
from telemetry.payloads.lane import PassageBody

LISTEN_S = 2.0
"""How often a held truck's newer order is asked for: a guard should not wait longer for an officer's click."""
RETRY_FIRST_S, RETRY_MOST_S = 2.0, 15.0
"""Pauses between questions that customs leaves unanswered, and between reports it does not take."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the lane is."""

    site: str
    lane: str
    direction: Literal["in", "out"]


class Conversation:
    """One lane's, for the life of the process. `say` hands the lane a word; `waiting` names the passage that waits."""

    def __init__(
        self,
        clearance: Clearance,
        place: Place,
        keyring: Keyring,
        book: Book,
        clock: Clock,
        *,
        say: Callable[[Word], None],
        waiting: Callable[[], str | None],
        link: Callable[[bool], None],
    ) -> None:
        self._clearance, self._place, self._keyring, self._book, self._clock = clearance, place, keyring, book, clock
        self._say, self._waiting, self._link = say, waiting, link
        self._questions = 0
        self._up = True
        self.queue = 0
        """Reports that customs has not taken yet."""

    async def talk(self, ask: Ask) -> None:
        """Ask, and stay with the passage until it no longer waits. A newer question about it ends this one."""
        self._questions += 1
        mine = self._questions
        passage = ask.passage.id
        gathered = self._gathered(ask, mine)
        await self._book.write("asked", self._clock.now(), gathered, passage=passage)
        known: str | None = None
        pause_s = RETRY_FIRST_S
        while mine == self._questions and self._waiting() == passage:
            try:
                if known is None:
                    signed = await self._clearance.ask(gathered)
                else:
                    signed = await self._clearance.newer(passage, known)
            except (ClearanceSilent, ClearanceOdd) as fault:
                self._linked(up=isinstance(fault, ClearanceOdd), why=str(fault))
                silent = isinstance(fault, ClearanceSilent)
                self._say(Silence(Reason.CLEARANCE_SILENT if silent else Reason.CLEARANCE_ODD))
                await self._clock.sleep(pause_s)
                pause_s = min(RETRY_MOST_S, pause_s * 2)
                continue
            self._linked(up=True)
            pause_s = RETRY_FIRST_S
            if signed is not None:
                known = await self._heard(signed, passage)
            await self._clock.sleep(LISTEN_S)

    async def report(self, crossing: Crossing) -> None:
        """Until customs has it. The book keeps what a restart must report again."""
        pause_s = RETRY_FIRST_S
        self.queue += 1
        while True:
            try:
                await self._clearance.report(crossing)
            except (ClearanceSilent, ClearanceOdd) as fault:
                self._linked(up=isinstance(fault, ClearanceOdd), why=str(fault))
                await self._clock.sleep(pause_s)
                pause_s = min(RETRY_MOST_S, pause_s * 2)
                continue
            self._linked(up=True)
            self.queue -= 1
            await self._book.write("reported", self._clock.now(), {}, passage=crossing.passage)
            return

    def crossing(self, passage: str, closed: dict[str, Any]) -> Crossing:
        """The report of a passage from its closing entry in the book."""
        return msgspec.convert(
            {**closed, "site": self._place.site, "lane": self._place.lane, "passage": passage}, Crossing, strict=False
        )

    async def _heard(self, signed: SignedOrder, passage: str) -> str:
        """The order's id, or a name for what was none, so that only something newer is heard next."""
        name = order_name(signed)
        # Whatever the lane makes of it is put behind it, and nothing acts before that is durable.
        kept = self._book.put("order", self._clock.now(), evidence(signed, road="clearance"), passage=passage)
        admitted = admit(signed, self._keyring)
        if isinstance(admitted, Order) and admitted.origin is not Origin.CUSTOMS:
            # A person's order comes by the bus, where the site's two persons are asked for; nobody goes round that.
            admitted = (Reason.ORDER_NOT_THEIRS,)
        self._say(admitted_word(admitted, name, asked=True))
        await kept
        return name

    def _gathered(self, ask: Ask, seq: int) -> Gathered:
        identity, deck, verdict = ask.picture.identity, ask.picture.deck, ask.picture.inspection
        return Gathered(
            site=self._place.site,
            lane=self._place.lane,
            passage=ask.passage.id,
            direction=self._place.direction,
            at=ask.picture.at,
            seq=seq,
            plate=identity.plate,
            tags=identity.tags,
            containers=identity.containers,
            gross_kg=deck.settled_kg,
            uncertainty_kg=deck.uncertainty_kg,
            by_axles=deck.by_axles,
            trailer=identity.trailer,
            seal_numbers=identity.seal_numbers,
            cards=identity.cards,
            corrected=tuple(correction.check.value for correction in identity.corrections),
            inspection=None if verdict is None or not on_this_truck(verdict, ask.picture) else inspected(verdict),
        )

    def _linked(self, *, up: bool, why: str = "") -> None:
        if up != self._up:
            self._up = up
            _log.warning("clearance: %s", "back" if up else f"lost: {why}")
        self._link(up)


def inspected(verdict: Verdict) -> Inspected:
    """What customs is told of a truck's scan."""
    return Inspected(
        verdict=verdict.id, finding=verdict.finding, scan=verdict.scan, torn=verdict.torn, persons=verdict.persons,
        at=verdict.issued_at,
    )  # fmt: skip


def newest_on(verdicts: Iterable[Verdict], told: PassageBody) -> Verdict | None:
    """The newest verdict on the truck of this passage, which may be out of sight already: by what was asked of it."""
    mine = [
        verdict
        for verdict in verdicts
        if verdict.passage in (None, told.passage)
        and verdict.plate in (None, told.plate)
        and (not verdict.containers or set(verdict.containers) == set(told.containers))
    ]
    return max(mine, key=lambda verdict: verdict.issued_at, default=None)


def order_name(signed: SignedOrder) -> str:
    """The id that the payload claims; a name that no order has when it cannot be read."""
    try:
        return parse(signed.payload).id
    except Malformed:
        return "unreadable"


def evidence(signed: SignedOrder, *, road: Literal["clearance", "bus", "local"]) -> dict[str, Any]:
    """The order as it came, for the book: its bytes and its seals."""
    return {
        "road": road,
        "payload": signed.payload,
        "seals": [{"key": seal.key, "signature": seal.signature} for seal in signed.seals],
    }


def admitted_word(admitted: Order | tuple[Reason, ...], name: str, *, asked: bool) -> Word:
    """What the lane hears of an order that came."""
    return Ordered(admitted) if isinstance(admitted, Order) else Unadmitted(name, admitted, asked)
