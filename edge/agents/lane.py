"""One lane: its instruments, its mind, its door to the boom, its book, its talk with customs and its voice on the bus.

The lane decides with nothing but its own instruments and its link to customs. The bus is told; it is never waited for.
The order of things is fixed in one place, `_do`: the book first, then the world, then the bus.
It is more than 400 lines long because every deed is done here: split, nobody could see that the book comes first.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import msgspec

from drivers.lane_io.registers import Lamp
from drivers.link.modbus import ModbusLink
from drivers.readings import Instant
from edge.clock import SiteClock
from edge.config import Site
from edge.lane.anchors import anchored
from edge.lane.black_box import BlackBox
from edge.lane.conversation import Conversation, Place, admitted_word, evidence, inspected, newest_on, order_name
from edge.lane.counts import Counts
from edge.lane.inbound import Inbound, Needs
from edge.lane.instruments import Instruments
from edge.lane.local import local_key, release
from edge.lane.papers import Papers
from edge.lane.recall import Recalled, recall
from edge.lane.road import clearance_of
from edge.lane.senses import Senses, deck_watch
from edge.lane.shown import read_bodies, sign_rows
from edge.lane.view import Shown, advice, alarm, closed, decision, opened, progress, reasons, refusal, view
from edge.lane.witness import digest
from gateway_ctl.book import Book, Entry, entries
from gateway_ctl.boom import Door, arm
from gateway_ctl.deeds import (
    Advise,
    Answer,
    Ask,
    Close,
    Deed,
    Keep,
    Move,
    Open,
    Ordered,
    Outcome,
    Progress,
    Refuse,
    Reread,
    Ring,
    SignHere,
    Spend,
    Word,
)
from gateway_ctl.inspection import Verdict
from gateway_ctl.interlock import verdict_for
from gateway_ctl.lane import hear, look
from gateway_ctl.lane_state import State
from gateway_ctl.memory import Lane
from gateway_ctl.memory import of as as_remembered
from gateway_ctl.modes import Mode
from gateway_ctl.orders import Movement, Permit, payload
from gateway_ctl.picture import Picture, as_json
from gateway_ctl.reasons import Reason
from gateway_ctl.seal import PrivateKey, admit, admit_verdict
from telemetry.payloads.lane import AnswerBody, LineNow, ViewBody
from telemetry.spool import Spool
from telemetry.topics import topic
from telemetry.voice import Voice

LOOK_EVERY_S = 0.2
"""Without any news the lane still thinks this often: ages grow, deadlines pass."""
VIEW_EVERY_S = 0.1
"""Real seconds between two views: a person sees no more, whatever the speed of the site's day."""
VIEW_AT_LEAST_S = 1.0
"""Site seconds after which an unchanged view is said again; the table of topics promises it."""
RELEASED = (State.OPEN, State.CROSSING, State.CLEARING, State.LOWERING)
COUNTED_FOR_S = 2 * 86_400.0
"""What is counted a shift or a day is recalled from so far back: the longest of both, twice."""

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
        local: tuple[str, PrivateKey] | None = None,
    ) -> None:
        """`local`: name and private half of the key that signs here while customs is silent."""
        config = site.lane(lane_id)
        self._site, self._config, self._clock, self._book, self._voice = site, config, clock, book, voice
        self._rules = config.rules.rules()
        watch = deck_watch(config, self._rules)
        self._by_axles = config.weighbridge.mode == "axle"
        self._senses = Senses(site.id, lane_id, watch, mode=config.mode, direction=config.direction)
        self._box = BlackBox(book.path.parent, clock, site.black_box, book)
        self._instruments = Instruments(config, site.modules, self._senses, voice, clock, self._box, site.weight_tables)
        self._keyring = site.keyring()
        self._lane = Lane(
            id=lane_id, since=clock.now(), passage=recalled.passage, raised_in_book=recalled.raised, keep=recalled.keep
        )
        self._words: deque[Word] = deque()
        self._counts = Counts(recalled, site.about.shifts)
        self._unreported = recalled.unreported
        self._papers = papers
        self._local_key = local
        self._changed = asyncio.Event()
        self._compared: tuple[str | None, list[LineNow]] = None, []
        """A passage and its comparison as it was when the boom was sent up."""
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
        about = site.about
        self._inbound = Inbound(
            book=book,
            clock=clock,
            rules=self._rules,
            keyring=self._keyring,
            needs=Needs(override=about.override_persons, hold_open=about.hold_open_persons or about.override_persons),
            picture=self._picture,
            senses=self._senses,
            say=self._say,
            answer=self._answer,
        )
        for signed in recalled.verdicts:
            verdict = admit_verdict(signed, self._keyring)
            if isinstance(verdict, Verdict):
                self._inbound.remember(verdict)
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled. Raises BookShut or SpoolFailed when a disk fails: a lane that cannot write must not act."""
        self._voice.birth(self._instruments.birth())
        for word, inbox in self._inbound.inboxes.items():
            await self._voice.bus.subscribe(topic(self._site.id, self._config.id, word), inbox, qos=1)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._voice.run())
                group.create_task(self._box.run())
                group.create_task(self._instruments.run())
                group.create_task(self._clearance.run())
                group.create_task(self._think())
                group.create_task(self._show())
                if self._papers is not None:
                    group.create_task(self._papers.run())
                group.create_task(self._inbound.orders())
                group.create_task(self._inbound.words("verdict"))
                group.create_task(self._inbound.words("correction"))
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
            self._instruments.show(sign_rows(self._lane, by_axles=self._by_axles))
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
                    self._counts.passages.add(now)
                    await self._book.write("opened", now, {"at": passage.opened_at}, passage=passage.id)
                    await self._voice.record("passage", opened(passage, self._config.direction), now)
                case Ask(passage=passage):
                    frames = self._senses.evidence(now, passage.opened_at)
                    # Tasks begin in their order, and the book keeps the order: the frames stand before the question.
                    self._group.create_task(self._book.write("evidence", now, msgspec.Raw(frames), passage=passage.id))
                    self._group.create_task(self._talk.talk(deed))
                case Move(permit=permit, order=order, picture=picture):
                    said = {"permit": permit, "order": order, "picture": msgspec.Raw(as_json(picture))}
                    kept = self._decided(said, permit, now)
                    # The door puts its own entry behind these and waits for it: one commit for all three.
                    self._group.create_task(self._move(deed))
                    await asyncio.gather(*kept)
                    await self._voice.record("decision", decision(deed), now)
                case Refuse(refusal=why, passage=name):
                    self._counts.refusals.add(now)
                    await self._book.write("refusal", now, _refused(why.order, why.reasons, why.picture), passage=name)
                    await self._voice.record("refusal", refusal(why, name), now)
                case Answer(order=order, reasons=why):
                    await self._answer(order, why, awaits=deed.awaits)
                case Ring(condition=condition, active=active, passage=name):
                    said = {"condition": condition.code, "active": active}
                    await self._book.write("alarm", now, said, passage=name)
                    await self._voice.record("alarm", alarm(condition, active=active, passage=name), now)
                case Close():
                    await self._closed(deed, now)
                case Advise(passage=name):
                    await self._book.write("advice", now, _advised(deed, self._config.mode), passage=name)
                    await self._voice.record("advice", advice(deed, self._config.mode), now)
                case Spend(order=order):
                    self._door.remember(frozenset({order}))
                    await self._book.write("spent", now, {"order": order}, passage=self._here())
                case Keep():
                    await self._kept(deed, now)
                case Reread(checks=checks, passage=name):
                    self._senses.reread(checks, now)
                    self._box.reread(checks, now)
                    await self._book.write("reread", now, {"checks": checks}, passage=name)
                case SignHere():
                    await self._sign_here(deed, now)

    async def _answer(self, order: str, why: tuple[Reason, ...], *, awaits: bool = False) -> None:
        now = self._clock.now()
        said = {**_refused(order, why, None), "awaits": awaits}
        await self._book.write("answer", now, said, passage=self._here())
        told = AnswerBody(order=order, accepted=not why, reasons=reasons(why), awaits=awaits)
        await self._voice.record("answer", told, now)

    async def _kept(self, keep: Keep, now: Instant) -> None:
        """The boom is held open from now on, or no longer."""
        order = keep.order
        said = {"payload": payload(order), "persons": order.persons, "holds": keep.holds, "passed": keep.passed}
        await self._book.write("keep", now, said, passage=self._here())
        if keep.holds:
            self._counts.override(order.id, now)

    async def _sign_here(self, deed: SignHere, now: Instant) -> None:
        """The site's own key signs, for a known empty truck, while customs is silent. The interlock judges it all."""
        if self._local_key is None:
            return
        signed = release(deed, self._site.id, self._config.id, self._rules, now, self._local_key)
        said = {**evidence(signed, road="local"), "picture": msgspec.Raw(as_json(deed.picture))}
        await self._book.write("order", now, said, passage=deed.passage.id)
        self._say(admitted_word(admit(signed, self._keyring), order_name(signed), asked=True))

    def _here(self) -> str | None:
        return self._lane.passage.id if self._lane.passage else None

    def _decided(self, said: Mapping[str, object], permit: Permit, now: Instant) -> list[asyncio.Future[Entry]]:
        """The decision and, for a raising, the frames it rests on: put into the book, to be waited for."""
        passage = self._lane.passage
        if permit.movement is not Movement.RAISE or passage is None:
            return [self._book.put("decision", now, said, passage=permit.passage)]
        frames = self._senses.evidence(now, passage.opened_at)
        return [
            self._book.put("evidence", now, msgspec.Raw(frames), passage=permit.passage),
            self._book.put("decision", now, {**said, "evidence": digest(frames)}, passage=permit.passage),
        ]

    async def _closed(self, close: Close, now: Instant) -> None:
        assert self._group is not None
        picture = self._picture(of=close.passage.id, since=close.passage.opened_at)
        told = closed(close, picture, self._config.direction, now)
        verdict = newest_on(self._inbound.verdicts.values(), told)
        report = {
            "order": told.order, "outcome": told.outcome, "at": now, "gross_kg": told.gross_kg,
            "by_axles": told.by_axles, "plate": told.plate, "containers": told.containers, "reasons": told.reasons,
            "inspection": None if verdict is None else msgspec.to_builtins(inspected(verdict)),
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
        permit = move.permit
        if permit.by_person and permit.order is not None and permit.movement is Movement.RAISE:
            self._counts.override(permit.order, permit.granted_at)
        self._say(await self._door.move(move.permit))

    async def _told(self, what: Progress) -> None:
        await self._voice.record("boom", progress(what), what.at)

    async def _show(self) -> None:
        last: bytes = b""
        last_at = 0.0
        while True:
            await self._clock.sleep(VIEW_EVERY_S * self._clock.speed)
            now = self._clock.now()
            self._counts.unsent, self._counts.queue = self._voice.unsent, self._talk.queue
            picture = self._picture()
            shown = self._view(picture, now)
            mark = msgspec.json.encode(msgspec.structs.replace(shown, steps=[], picture=""))
            if mark != last or now - last_at >= VIEW_AT_LEAST_S:
                last, last_at = mark, now
                self._inbound.show(shown.picture, picture, now)
                self._voice.sample("view", None, shown, now)

    def _view(self, picture: Picture, now: Instant) -> ViewBody:
        passage, awaits = self._lane.passage, self._lane.awaits
        noted = [] if passage is None else self._senses.reads(passage.opened_at)
        weight = self._senses.last_weight
        shown = Shown(
            reads=read_bodies(noted, picture.identity),
            lamp=_lamp(self._senses.lamp),
            weight_status="unknown" if weight is None else weight.status,
            awaited=None if awaits is None else self._inbound.awaited(awaits.id),
        )
        made = view(self._lane, picture, shown, now, self._rules, self._counts)
        if made.passage is not None and self._lane.state in RELEASED and self._compared[0] == made.passage:
            # The truck drives off the deck and out of the readers' sight: what was compared is what let it pass.
            return msgspec.structs.replace(made, lines=self._compared[1])
        self._compared = made.passage, made.lines
        return made

    def _picture(self, of: str | None = None, since: Instant | None = None) -> Picture:
        passage = self._lane.passage
        if of is None and passage is not None:
            of, since = passage.id, passage.opened_at
        now = self._clock.now()
        picture = self._senses.picture(now, of, since, self._door.spent)
        counts, asked = self._counts, passage is not None and passage.asked is not None
        return as_remembered(
            self._lane,
            replace(
                picture,
                paper=None if self._papers is None else self._papers.on(picture.identity),
                inspection=verdict_for(self._inbound.verdicts.values(), picture, now if since is None else since),
                # Customs' silence counts for a truck about which it was asked; of others nothing is known yet.
                silent_since=counts.clearance_since if asked and not counts.clearance_up else None,
            ),
        )

    async def _another(self) -> Picture:
        await self._senses.another()
        return self._picture()

    def _say(self, word: Word) -> None:
        self._words.append(word)
        self._senses.wake()

    def _waiting(self) -> str | None:
        # Until the boom is up customs may think again, and a truck that was cleared may yet be held.
        waits = self._lane.state in (State.ASKING, State.HELD, State.CLEARED, State.RAISING)
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
            await self._door.meet(arm(link, self._instruments.table, self._config.barrier(), self._clock))


async def run(site: Site, lane_id: str, clock: SiteClock) -> None:
    """The process `lane/<id>`. Ends by cancellation, or with the fault that makes it impossible to go on."""
    folder = site.data / "lanes" / lane_id
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "book.sqlite"
    local = await asyncio.to_thread(local_key, site)
    async with Book(path) as book, Spool(folder / "spool.sqlite") as spool:
        recalled = await asyncio.to_thread(lambda: recall(entries(path), Instant(clock.now() - COUNTED_FOR_S)))
        await book.write("started", clock.now(), {"site": site.id, "lane": lane_id})
        voice = Voice.join(site.broker, spool, site.id, lane_id, clock)
        papers = None if site.papers is None else Papers(site.papers, site.id, lane_id, book, clock)
        if papers is not None:
            await asyncio.to_thread(lambda: papers.recall(entries(path)))
        async with anchored(site, lane_id, book, voice, clock):
            await LaneAgent(site, lane_id, clock, book, voice, recalled, papers, local).run()


def _advised(what: Advise, mode: Mode) -> dict[str, object]:
    return {
        "mode": mode, "advice": what.advice, "movement": what.movement, "order": what.order, "picture": what.picture,
        "reasons": [reason.name for reason in what.reasons], "agrees": what.agrees,
    }  # fmt: skip


def _refused(order: str | None, why: tuple[Reason, ...], picture: str | None) -> dict[str, object]:
    return {"order": order, "reasons": [reason.name for reason in why], "picture": picture}


def _lamp(told: str) -> Literal["red", "green", "off", "unknown"]:
    return "red" if told == "red" else "green" if told == "green" else "off" if told == "off" else "unknown"
