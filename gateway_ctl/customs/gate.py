"""The gate's clearance: what the lane asks, as 0x21 or 0x81, and what customs answers, as a signed order.

Customs signs nothing. So the link does: with a key of its own, over an order that is bound to this passage, expires,
opens once, and names the SHA-256 of the raw packet it rests on; the packet itself lies in the store beside the book.
What customs sends decides nothing here: an answer to a number that is open becomes an order, an answer to any other
is refused, and whether a boom moves is the interlock's. It is more than 400 lines long because a question and its
answers are one story.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from drivers.kinds import Clock
from drivers.readings import Instant
from gateway_ctl.clearance import ClearanceSilent, Crossing, Gathered
from gateway_ctl.customs.codes import Code, code_name
from gateway_ctl.customs.errands import REPORT_LIFE_S, DeviceNow, Errands, Hands, Number, Registration
from gateway_ctl.customs.link import Link
from gateway_ctl.customs.messages import (
    Bare,
    Check,
    DeviceOrder,
    DeviceSwitch,
    Message,
    Receipt,
    Registered,
    SmartCheck,
    SmartDeed,
    SmartFeedback,
    read_message,
)
from gateway_ctl.customs.packet import Photo, same_id
from gateway_ctl.customs.question import Channel, Mode, completes, question, same, sequence, session
from gateway_ctl.customs.result_word import result_of
from gateway_ctl.customs.store import Frame, Store
from gateway_ctl.customs.verdict import Verdict, of_check, of_feedback, of_officer
from gateway_ctl.customs.wire import Came, Way
from gateway_ctl.customs.xml_text import Unreadable, parse
from gateway_ctl.orders import Order, SignedOrder, Verb
from gateway_ctl.seal import PrivateKey, sign

STATES_S = 30.0
"""Between two reports of the devices' states: the field's own, and the only portable sign of life."""
TICK_S = 1.0
"""How often numbers run out and devices are looked at."""

_log = logging.getLogger(__name__)

Note = Callable[[str, Mapping[str, Any], str | None], Awaitable[None]]
"""Writes into the lane's book: kind, body, passage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A site's choices. Seconds are site seconds."""

    answer_within_s: float = 5.0
    sequence_life_s: float = 300.0
    """How long an answer to a number is taken: the field's own."""
    order_life_s: float = 120.0
    """How long an order is good for: two minutes, a lane's longest ordinary visit."""
    reco_ok: Literal["0", "1"] = "0"
    receipt: bool = False
    """0x28 after each crossing."""
    heartbeat_s: float | None = None
    registration: Registration | None = None


@dataclass(slots=True, kw_only=True)
class _Open(Number):
    """A number with the orders that have come of it."""

    answers: list[tuple[Order, SignedOrder]] = field(default_factory=list[tuple[Order, SignedOrder]])
    closed: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def stands(self, now: Instant) -> bool:
        """Its newest order is still good."""
        return bool(self.answers) and now < self.answers[-1][0].expires_at


@dataclass(slots=True)
class GateTally:
    """Since the start."""

    asked: int = 0
    """Questions and their completions, without resending."""
    answers: int = 0
    """Orders made of answers."""
    duplicates: int = 0
    refused: int = 0
    """What came to numbers that are not open, for another lane, or out of place."""


class GateClearance:
    """One lane's clearance over JGS/T 14—2015. `run` holds it up."""

    def __init__(
        self,
        *,
        way: Way,
        channel: Channel,
        terms: Terms,
        store: Store,
        clock: Clock,
        key: str,
        private: PrivateKey,
        note: Note,
        devices: Callable[[], Iterable[DeviceNow]] = tuple,
        photos: Callable[[str], Awaitable[tuple[Photo, ...]]] | None = None,
        hands: Hands | None = None,
        sign_xml: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """`key`, `private`: the link's own, by the id the site knows it under. `devices`: as they are now, without the
        program itself. `photos`: of a passage. `sign_xml`: for the signed serial line."""
        self.tally = GateTally()
        self.link = Link(way, channel, store, clock, heard=self._came, photos=photos or _no_photos, sign=sign_xml)
        self.errands = Errands(
            desk=self, link=self.link, store=store, clock=clock, channel=channel, profile=way.profile,
            life_s=terms.sequence_life_s, devices=devices, hands=hands,
        )  # fmt: skip
        self._channel, self._terms, self._store, self._clock = channel, terms, store, clock
        self._profile, self._key, self._private, self._note = way.profile, key, private, note
        self._open: dict[str, _Open] = {}
        self._choosing = asyncio.Lock()
        self._ready = asyncio.Event()
        self._last = datetime.min.replace(tzinfo=UTC)

    # what the lane asks of any clearance

    async def run(self) -> None:
        """Until cancelled. Raises StoreFailed."""
        await self._store.open()
        try:
            await self.errands.open()
            over = await self._store.close_all("the lane was started again")
            if over:
                _log.warning("customs link: %d questions of the last life are closed; their answers are refused", over)
            if self._terms.registration is not None:
                self.errands.register(self._terms.registration)
            async with asyncio.TaskGroup() as group:
                group.create_task(self.link.run())
                group.create_task(self._every(STATES_S, self.errands.tell_states))
                if self._terms.heartbeat_s is not None:
                    group.create_task(self._every(self._terms.heartbeat_s, self.errands.beat))
                group.create_task(self._tick())
                self._ready.set()
        finally:
            self._ready.clear()
            await self._store.close()

    async def ask(self, gathered: Gathered) -> SignedOrder:
        """As Clearance.ask. Asked again, the same question has the same number and the standing answer."""
        await self._ready.wait()
        async with self._choosing:
            current = await self._number(gathered)
        if current.stands(self._clock.now()):
            return current.answers[-1][1]
        self.link.nudge(current.seq)
        with suppress(TimeoutError):
            async with self._clock.timeout(self._terms.answer_within_s):
                while not current.answers and not current.closed:
                    current.news.clear()
                    await current.news.wait()
        if current.answers:
            return current.answers[-1][1]
        if current.closed:
            raise ClearanceSilent(f"{current.seq}: the question is over")
        silent = f"{current.seq}: no answer within {self._terms.answer_within_s:g} s"
        raise ClearanceSilent(self.link.fault or silent)

    async def newer(self, passage: str, after: str | None) -> SignedOrder | None:
        """As Clearance.newer: an officer's word, or the release that follows an order to devices.

        A truck that still waits when its number has run out, or its release has, is asked about under a new number.
        """
        await self._ready.wait()
        async with self._choosing:
            mine = [each for each in self._open.values() if each.passage == passage]
            if not mine:
                return None
            current, now = mine[-1], self._clock.now()
            released = bool(current.answers) and current.answers[-1][0].verb is Verb.RELEASE
            if now >= current.ends or (released and not current.stands(now)):
                current = await self._number(current.gathered)
        if current.answers and current.answers[-1][0].id != after:
            return current.answers[-1][1]
        if self.link.fault is not None:
            raise ClearanceSilent(self.link.fault)
        return None

    async def report(self, crossing: Crossing) -> None:
        """As Clearance.report: the passage's numbers are over, and customs has a receipt where it takes one."""
        await self._ready.wait()
        for each in [each for each in self._open.values() if each.passage == crossing.passage]:
            await self._close(each, f"the passage is over: {crossing.outcome}")
        seq = await self._store.seq_of(crossing.passage) if self._terms.receipt else None
        if seq is not None:
            went = crossing.outcome == "crossed"
            receipt = Receipt(
                **self.errands.head(seq), result=result_of(refused=not went).text,
                error="" if went else crossing.outcome, at=f"{self.errands.local():%Y-%m-%d %H:%M:%S}",
            )  # fmt: skip
            await self.errands.put(Code.RECEIPT, receipt, seq, REPORT_LIFE_S)

    async def close(self) -> None:
        """As Clearance.close: what is held is let go when `run` ends."""

    # numbers

    async def _number(self, gathered: Gathered) -> _Open:
        """The open number of this question; a new one where none fits. One passage stands in a lane at a time."""
        for each in [each for each in self._open.values() if each.passage != gathered.passage]:
            await self._close(each, "another truck stands here")
        mine, now = list(self._open.values()), self._clock.now()
        if mine:
            current = mine[-1]
            lives = now < current.ends
            if lives and same(current.gathered, gathered) and (not current.answers or current.stands(now)):
                return current
            if lives and not current.answers and not self._profile.smart and completes(current.gathered, gathered):
                # Gathered again: customs keeps the newest under a number until it has answered.
                current.gathered = gathered
                await self._store.ask_again(current.seq, msgspec.json.encode(gathered))
                await self._ask(current, "A")
                return current
            # An answer to the old question must not be taken for one to the new: they speak of different trucks.
            await self._close(current, "the question has changed" if lives else "its time ran out")
        made = await self._new(gathered, now)
        await self._ask(made, "M" if mine else "A")
        return made

    async def _new(self, gathered: Gathered, now: Instant) -> _Open:
        ends = Instant(now + self._terms.sequence_life_s)
        step = timedelta(seconds=1) if self._profile.smart else timedelta(microseconds=1)
        at = max(self.errands.local(), self._last + step)
        asked = msgspec.json.encode(gathered)
        while True:
            seq = session(at, self._channel.number) if self._profile.smart else sequence(at)
            if await self._store.open_question(seq, gathered.passage, now, ends, asked):
                break
            at += step
        self._last = at
        made = self._open[seq] = _Open(seq=seq, passage=gathered.passage, gathered=gathered, ends=ends)
        return made

    async def _ask(self, current: _Open, mode: Mode) -> None:
        self.tally.asked += 1
        message = question(
            current.gathered, self._channel, current.seq, self._profile, self.errands.local(),
            reco_ok=self._terms.reco_ok, mode=mode, withheld=self.errands.withheld,
        )  # fmt: skip
        await self.errands.put(message.CODES[0], message, current.seq, current.ends - self._clock.now())

    async def _close(self, current: _Open, why: str) -> None:
        current.closed = True
        current.news.set()
        self._open.pop(current.seq, None)
        self.link.stop(current.seq)
        await self._store.close_question(current.seq, why)

    # what comes from customs

    async def _came(self, came: Came) -> None:
        try:
            message = read_message(came.code, parse(came.xml).root)
        except Unreadable as wrong:
            self.link.wire.odd(came.peer, f"{came.what}: {wrong}", came.raw)
            return
        elsewhere = self._elsewhere(came, message)
        if elsewhere:
            self.refuse(came, elsewhere)
            return
        match message:
            case Check():
                await self.verdict(came, message.seq, of_check(message))
            case SmartFeedback():
                await self.verdict(came, message.seq, of_feedback(message))
            case SmartCheck():
                await self.verdict(came, message.seq, of_officer(message))
            case DeviceOrder():
                await self.errands.device_order(came, message)
            case SmartDeed():
                await self.errands.smart_deed(came, message)
            case DeviceSwitch():
                await self.errands.device_switch(came, message)
            case Bare() if came.code in (Code.PICTURES_WANTED, None):
                await self.errands.pictures(came, message)
            case Registered():
                self.errands.registered(message)
            case _:
                self.refuse(came, "nothing that customs says to a lane")

    def _elsewhere(self, came: Came, message: Message) -> str | None:
        """Why this is not for us. A packet's head and its XML must both fit, where they say anything."""
        mine = self._channel
        for told, ours, what in (
            (came.area, mine.area, "site"),
            (came.channel, mine.number, "lane"),
            (getattr(message, "area", ""), mine.area, "site"),
            (getattr(message, "channel", ""), mine.number, "lane"),
        ):
            if told and not same_id(told, ours):
                return f"for another {what}"
        told = {came.direction or mine.direction, getattr(message, "direction", "") or mine.direction}
        return None if told == {mine.direction} else "for the other direction"

    # what errands need

    async def number(self, seq: str) -> _Open | str:
        """As Desk.number."""
        current = self._open.get(seq)
        if current is None:
            passage = await self._store.passage_of(seq) if seq else None
            return f"number {seq[:40]!r} was never asked" if passage is None else f"number {seq} is over ({passage})"
        if self._clock.now() >= current.ends:
            return f"number {seq} has run out after {self._terms.sequence_life_s:g} s"
        return current

    async def keep(self, came: Came, number: Number) -> None:
        """As Desk.keep: before anything rests on it."""
        number.heard.add(came.digest)
        await self._store.keep(
            Frame(digest=came.digest, at=came.at, peer=came.peer, code=came.code, seq=number.seq, raw=came.raw)
        )
        said = {
            "source": "customs", "what": code_name(came.code), "number": number.seq, "digest": came.digest,
            "bytes": len(came.raw), "peer": came.peer, "at": came.at,
        }  # fmt: skip
        await self._note("frame", said, number.passage)

    async def verdict(self, came: Came, seq: str, verdict: Verdict) -> bool:
        """As Desk.verdict."""
        current = await self.number(seq)
        if isinstance(current, str):
            self.refuse(came, current)
            return False
        if came.digest in current.heard:
            self.tally.duplicates += 1
            return True
        if verdict.verb is Verb.RELEASE and self.errands.barrier_disabled:
            verdict = Verdict(verb=Verb.HOLD, zh="海关已停用本道栏杆", en="customs has put this barrier out of use")
        await self.keep(came, current)
        if self._repeats(current, verdict):
            self.tally.duplicates += 1
            return True
        order = self._order(current, verdict, came.digest)
        signed = sign(order, self._key, self._private)
        await self._store.answered(current.seq, came.at, came.digest, order.verb.value, signed)
        self.tally.answers += 1
        current.answers.append((order, signed))
        self.link.stop(current.seq)
        current.news.set()
        return True

    def _repeats(self, current: _Open, verdict: Verdict) -> bool:
        """Whether it says what the newest order says. A number's release is never made young again."""
        if not current.answers:
            return False
        last = current.answers[-1][0]
        return last.verb is verdict.verb and (last.verb is Verb.RELEASE or last.reason_zh == verdict.zh)

    def _order(self, current: _Open, verdict: Verdict, digest: str) -> Order:
        """Bound to what was asked, or to what customs itself names; a number opens once, however often it is said."""
        now, asked = self._clock.now(), current.gathered
        release = verdict.verb is Verb.RELEASE
        return Order(
            id=f"{current.seq}-release" if release else f"{current.seq}-{verdict.verb.value}-{digest[:8]}",
            verb=verdict.verb, site=self._channel.site, lane=self._channel.lane, passage=current.passage,
            plate=verdict.plate or (None if asked.plate is None else asked.plate.text),
            containers=verdict.containers or tuple(box.code for box in asked.containers),
            declared_kg=verdict.declared_kg, tolerance_kg=None, issued_at=now,
            expires_at=Instant(now + self._terms.order_life_s), reason_zh=verdict.zh, reason_en=verdict.en,
            evidence=(digest,), direction=asked.direction, document=verdict.document,
            seal_numbers=verdict.seal_numbers,
        )  # fmt: skip

    def refuse(self, came: Came, why: str) -> None:
        """As Desk.refuse."""
        self.tally.refused += 1
        self.link.wire.odd(came.peer, f"{came.what} refused: {why}", came.raw)

    async def note(self, kind: str, body: Mapping[str, Any]) -> None:
        """As Desk.note."""
        await self._note(kind, body, None)

    # what happens by itself

    async def _every(self, seconds: float, deed: Callable[[], None]) -> None:
        while True:
            deed()
            await self._clock.sleep(seconds)

    async def _tick(self) -> None:
        """Numbers run out, devices fall ill, and what was odd goes to the disk."""
        while True:
            for each in [each for each in self._open.values() if self._clock.now() >= each.ends and not each.answers]:
                _log.warning("customs link: number %s (%s) was not answered", each.seq, each.passage)
                await self._close(each, "its time ran out")
            await self.errands.tell_exceptions()
            await self._store.flush()
            await self._clock.sleep(TICK_S)


async def _no_photos(_: str) -> tuple[Photo, ...]:
    """A lane without cameras that keep pictures."""
    return ()
