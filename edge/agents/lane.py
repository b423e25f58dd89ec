"""One lane: its instruments, its mind, its door to the boom, its book, its talk with customs and its voice on the bus.

The lane decides with nothing but its own instruments and its link to customs. The bus is told; it is never waited for.
The order of things is fixed in one place, `_do`: the book first, then the world, then the bus.
"""

import asyncio
import base64
import binascii
import logging
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from drivers.lane_io.registers import Lamp
from drivers.link.modbus import ModbusLink
from drivers.readings import Instant
from edge.clock import SiteClock
from edge.config import Site
from edge.lane.anchors import anchored
from edge.lane.black_box import BlackBox
from edge.lane.conversation import Conversation, Place, admitted_word, evidence, order_name
from edge.lane.instruments import Instruments
from edge.lane.papers import Papers
from edge.lane.recall import Recalled, recall
from edge.lane.road import clearance_of
from edge.lane.senses import Senses, deck_watch
from edge.lane.shown import read_bodies, sign_rows
from edge.lane.view import Counts, alarm, closed, decision, opened, progress, reasons, refusal, view
from edge.lane.witness import digest
from gateway_ctl.book import Book, entries
from gateway_ctl.boom import Door, arm
from gateway_ctl.deeds import Answer, Ask, Close, Deed, Move, Open, Ordered, Outcome, Progress, Refuse, Ring, Word
from gateway_ctl.lane import Lane, hear, look
from gateway_ctl.lane_state import State
from gateway_ctl.orders import Movement, Permit, Seal, SignedOrder
from gateway_ctl.picture import Picture, as_json
from gateway_ctl.reasons import Reason
from gateway_ctl.seal import admit
from telemetry.inbox import Inbox, Message
from telemetry.payloads.envelope import body, unwrap
from telemetry.payloads.lane import AnswerBody, ViewBody
from telemetry.payloads.order import OrderBody
from telemetry.spool import Spool
from telemetry.topics import topic
from telemetry.voice import Voice

LOOK_EVERY_S = 0.2
"""Without any news the lane still thinks this often: ages grow, deadlines pass."""
VIEW_EVERY_S = 0.1
"""Real seconds between two views: a person sees no more, whatever the speed of the site's day."""
VIEW_AT_LEAST_S = 1.0
"""Site seconds after which an unchanged view is said again; the table of topics promises it."""
ORDERS_CEILING = 32
"""Orders by the bus that wait to be judged; a person gives one, a flood is not worth hearing."""

log = logging.getLogger(__name__)


class LaneAgent:
    """Everything of one lane that lives in its process."""

    def __init__(
        self,
        site: Site,
        lane_id: str,
        clock: SiteClock,
        book: Book,
        voice: Voice,
        recalled: Recalled,
        papers: Papers | None = None,
    ) -> None:
        config = site.lane(lane_id)
        self._site, self._config, self._clock, self._book, self._voice = site, config, clock, book, voice
        self._rules = config.rules.rules()
        watch = deck_watch(config, self._rules)
        self._senses = Senses(site.id, lane_id, watch, mode=config.mode, direction=config.direction)
        self._box = BlackBox(book.path.parent, clock, site.black_box, book)
        self._instruments = Instruments(config, site.modules, self._senses, voice, clock, self._box)
        self._keyring = site.keyring()
        self._lane = Lane(id=lane_id, since=clock.now(), passage=recalled.passage, raised_in_book=recalled.raised)
        self._words: deque[Word] = deque()
        self._counts = Counts()
        self._counts.passages = recalled.passages_today
        self._counts.refusals = recalled.refusals_today
        self._counts.overrides = recalled.overrides_today
        self._unreported = recalled.unreported
        self._papers = papers
        self._orders = Inbox(ORDERS_CEILING)
        self._changed = asyncio.Event()
        self._door = Door(
            book=book, clock=clock, rules=self._rules, newest=self._picture, another=self._another, tell=self._told
        )
        self._door.remember(frozenset(recalled.spent))
        self._instruments.linked = self._linked
        self._clearance = clearance_of(site, config, clock, book, self._well)
        self._talk = Conversation(
            self._clearance,
            Place(site=site.id, lane=lane_id, direction=config.direction),
            self._keyring,
            book,
            clock,
            say=self._say,
            waiting=self._waiting,
            link=self._clearance_link,
        )
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled. Raises BookShut or SpoolFailed when a disk fails: a lane that cannot write must not act."""
        self._voice.birth(self._instruments.birth())
        await self._voice.bus.subscribe(topic(self._site.id, self._config.id, "order"), self._orders, qos=1)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._voice.run())
                group.create_task(self._box.run())
                group.create_task(self._instruments.run())
                group.create_task(self._clearance.run())
                group.create_task(self._think())
                group.create_task(self._show())
                group.create_task(self._hear_orders())
                if self._papers is not None:
                    group.create_task(self._papers.run())
                for passage, report in self._unreported.items():
                    group.create_task(self._talk.report(self._talk.crossing(passage, report)))
        finally:
            await self._clearance.close()

    async def _think(self) -> None:
        while True:
            try:
                async with self._clock.timeout(LOOK_EVERY_S):
                    await self._senses.another()
            except TimeoutError:
                pass
            while self._words:
                word = self._words.popleft()
                await self._do(self._thought(word))
            await self._do(self._thought(None))
            self._instruments.lamp_wanted = Lamp.GREEN if self._lane.state is State.OPEN else Lamp.RED
            self._box.lamp(self._instruments.lamp_wanted.value)
            self._instruments.show(sign_rows(self._lane))
            self._changed.set()

    def _thought(self, word: Word | None) -> tuple[Deed, ...]:
        """What the lane makes of a word, or of what it sees; with its mark on the tape."""
        before = self._lane.passage
        picture, now = self._picture(), self._clock.now()
        if word is None:
            self._lane, deeds = look(self._lane, picture, now, self._rules)
        else:
            self._lane, deeds = hear(self._lane, word, picture, now, self._rules)
        if deeds:
            after = self._lane.passage
            about = (word.order if isinstance(word, Ordered) else None, before and before.order, after and after.order)
            self._box.thought(picture, before and before.opened_at, deeds, about, now, self._rules)
        return deeds

    async def _do(self, deeds: tuple[Deed, ...]) -> None:
        """Each deed is in the book before it is done, and told when it is."""
        assert self._group is not None
        for deed in deeds:
            now = self._clock.now()
            match deed:
                case Open(passage=passage):
                    self._counts.passages += 1
                    await self._book.write("opened", now, {"at": passage.opened_at}, passage=passage.id)
                    await self._voice.record("passage", opened(passage, self._config.direction), now)
                case Ask(passage=passage):
                    frames = self._senses.evidence(now, passage.opened_at)
                    # Tasks begin in their order, and the book keeps the order: the frames stand before the question.
                    self._group.create_task(self._book.write("evidence", now, msgspec.Raw(frames), passage=passage.id))
                    self._group.create_task(self._talk.talk(deed))
                case Move(permit=permit, order=order, picture=picture):
                    said = {"permit": permit, "order": order, "picture": msgspec.Raw(as_json(picture))}
                    await self._decided(said, permit, now)
                    self._group.create_task(self._move(deed))
                    await self._voice.record("decision", decision(deed), now)
                case Refuse(refusal=why, passage=name):
                    self._counts.refusals += 1
                    await self._book.write("refusal", now, _refused(why.order, why.reasons, why.picture), passage=name)
                    await self._voice.record("refusal", refusal(why, name), now)
                case Answer(order=order, reasons=why):
                    name = self._lane.passage.id if self._lane.passage else None
                    await self._book.write("answer", now, _refused(order, why, None), passage=name)
                    told = AnswerBody(order=order, accepted=deed.accepted, reasons=reasons(why))
                    await self._voice.record("answer", told, now)
                case Ring(condition=condition, active=active, passage=name):
                    said = {"condition": condition.code, "active": active}
                    await self._book.write("alarm", now, said, passage=name)
                    await self._voice.record("alarm", alarm(condition, active=active, passage=name), now)
                case Close():
                    await self._closed(deed, now)

    async def _decided(self, said: Mapping[str, object], permit: Permit, now: Instant) -> None:
        """The decision and, for a raising, the frames it rests on: one commit for both."""
        passage = self._lane.passage
        if permit.movement is not Movement.RAISE or passage is None:
            await self._book.write("decision", now, said, passage=permit.passage)
            return
        frames = self._senses.evidence(now, passage.opened_at)
        await asyncio.gather(
            self._book.write("evidence", now, msgspec.Raw(frames), passage=permit.passage),
            self._book.write("decision", now, {**said, "evidence": digest(frames)}, passage=permit.passage),
        )

    async def _closed(self, close: Close, now: Instant) -> None:
        assert self._group is not None
        picture = self._picture(of=close.passage.id, since=close.passage.opened_at)
        told = closed(close, picture, self._config.direction, now)
        report = {
            "order": told.order, "outcome": told.outcome, "at": now, "gross_kg": told.gross_kg,
            "plate": told.plate, "containers": told.containers, "reasons": told.reasons,
        }  # fmt: skip
        if self._papers is not None and close.outcome is Outcome.CROSSED:
            said = {"direction": told.direction, "tags": told.tags, "seals": picture.identity.seal_numbers, **report}
            await self._papers.crossed(close.passage.id, said, now)
        await self._book.write("closed", now, report, passage=close.passage.id)
        self._senses.forget_reads(now)
        self._box.forget(now)
        self._group.create_task(self._talk.report(self._talk.crossing(close.passage.id, report)))
        await self._voice.record("passage", told, now)

    async def _move(self, move: Move) -> None:
        if move.permit.by_person:
            self._counts.overrides += 1
        self._say(await self._door.move(move.permit))

    async def _told(self, what: Progress) -> None:
        await self._voice.record("boom", progress(what), what.at)

    async def _show(self) -> None:
        last: bytes = b""
        last_at = 0.0
        while True:
            await self._clock.sleep(VIEW_EVERY_S * self._clock.speed)
            now = self._clock.now()
            self._counts.unsent = self._voice.unsent
            shown = self._view(now)
            mark = msgspec.json.encode(msgspec.structs.replace(shown, steps=[]))
            if mark != last or now - last_at >= VIEW_AT_LEAST_S:
                last, last_at = mark, now
                self._voice.sample("view", None, shown, now)

    def _view(self, now: Instant) -> ViewBody:
        picture = self._picture()
        passage = self._lane.passage
        noted = [] if passage is None else self._senses.reads(passage.opened_at)
        weight = self._senses.last_weight
        return view(
            self._lane, picture, read_bodies(noted, picture.identity), now, self._rules, self._counts,
            _lamp(self._senses.lamp), "unknown" if weight is None else weight.status,
        )  # fmt: skip

    async def _hear_orders(self) -> None:
        """Orders that came by the bus: persons'. Each is in the book before it is judged."""
        async for message in self._orders:
            signed = _signed(message)
            message.ack()
            if signed is None:
                self._say(admitted_word((Reason.ORDER_MALFORMED,), "unreadable", asked=False))
                continue
            name = self._lane.passage.id if self._lane.passage else None
            await self._book.write("order", self._clock.now(), evidence(signed, road="bus"), passage=name)
            admitted = admit(signed, self._keyring, persons_needed=self._site.about.override_persons)
            self._say(admitted_word(admitted, order_name(signed), asked=False))

    def _picture(self, of: str | None = None, since: Instant | None = None) -> Picture:
        passage = self._lane.passage
        if of is None and passage is not None:
            of, since = passage.id, passage.opened_at
        return self._senses.picture(self._clock.now(), of, since, self._door.spent)

    async def _another(self) -> Picture:
        await self._senses.another()
        return self._picture()

    def _say(self, word: Word) -> None:
        self._words.append(word)
        self._senses.wake()

    def _waiting(self) -> str | None:
        waits = self._lane.state in (State.ASKING, State.HELD)
        return self._lane.passage.id if waits and self._lane.passage is not None else None

    def _well(self, name: str) -> bool:
        """Whether an instrument works, as customs is told; `boom`: the barrier itself."""
        if name != "boom":
            return self._instruments.well(name)
        return self._lane.state is not State.FAULT and self._picture().inputs.boom_fault.value is False

    def _clearance_link(self, up: bool) -> None:  # noqa: FBT001 - the shape of Conversation's callback
        if up != self._counts.clearance_up or self._counts.clearance_since is None:
            self._counts.clearance_since = self._clock.now()
        self._counts.clearance_up = up

    async def _linked(self, link: ModbusLink | None) -> None:
        if link is None:
            self._door.attach(None)
        else:
            await self._door.meet(arm(link, self._instruments.table, self._instruments.barrier(), self._clock))


async def run(site: Site, lane_id: str, clock: SiteClock) -> None:
    """The process `lane/<id>`. Ends by cancellation, or with the fault that makes it impossible to go on."""
    folder = site.data / "lanes" / lane_id
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "book.sqlite"
    async with Book(path) as book, Spool(folder / "spool.sqlite") as spool:
        recalled = await asyncio.to_thread(lambda: recall(entries(path), _midnight(clock.now())))
        await book.write("started", clock.now(), {"site": site.id, "lane": lane_id})
        voice = Voice.join(site.broker, spool, site.id, lane_id, clock)
        papers = None if site.papers is None else Papers(site.papers, site.id, lane_id, book, clock)
        if papers is not None:
            await asyncio.to_thread(lambda: papers.recall(entries(path)))
        async with anchored(site, lane_id, book, voice, clock):
            await LaneAgent(site, lane_id, clock, book, voice, recalled, papers).run()


def _midnight(now: Instant) -> Instant:
    """When the site's day began, by this machine's time zone."""
    local = datetime.fromtimestamp(now, UTC).astimezone()
    begun = local - timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    return Instant(begun.timestamp())


def _signed(message: Message) -> SignedOrder | None:
    try:
        order = body(unwrap(message.payload), OrderBody)
        return SignedOrder(
            payload=base64.b64decode(order.payload, validate=True),
            seals=tuple(Seal(key=s.key, signature=base64.b64decode(s.signature, validate=True)) for s in order.seals),
        )
    except (msgspec.MsgspecError, binascii.Error, UnicodeDecodeError):
        return None


def _refused(order: str | None, why: tuple[Reason, ...], picture: str | None) -> dict[str, object]:
    return {"order": order, "reasons": [reason.name for reason in why], "picture": picture}


def _lamp(told: str) -> Literal["red", "green", "off", "unknown"]:
    return "red" if told == "red" else "green" if told == "green" else "off" if told == "off" else "unknown"
