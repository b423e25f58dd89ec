"""Whatever comes, in whatever order: a lane's mind, its door, a real book and a small world with faults of its own.

Hypothesis draws trucks, orders true and false, faults of contacts and barrier, time, restarts. Every pulse on the
barrier's wires is judged at the moment it is given, by what the world is and by what the book on the disk says then.
It is over 400 lines long because a machine and its world are one class to Hypothesis.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from drivers.faults import NotConfirmed
from drivers.readings import Instant
from gateway_ctl.book import Book, Verified, entries, verify
from gateway_ctl.boom import Door
from gateway_ctl.deeds import (
    Answer,
    Close,
    Deed,
    Move,
    Moved,
    Open,
    Ordered,
    Passage,
    Phase,
    Progress,
    Silence,
    Spend,
    Unadmitted,
    Word,
)
from gateway_ctl.lane import hear, look
from gateway_ctl.lane_state import State
from gateway_ctl.memory import Lane, of
from gateway_ctl.orders import Movement, Order, Origin, Permit, Verb
from gateway_ctl.picture import Identity, Inputs, Picture, Seen
from gateway_ctl.reasons import Reason
from tests.gateway_ctl.doorway import HandClock
from tests.gateway_ctl.scene import EMPTY_DECK, IDENTITY, RULES, deck, order, picture

T = TypeVar("T")
PULSES: Counter[Movement] = Counter()
SPANS = st.sampled_from([0.1, 0.4, 1.5, 4.0, 11.0, 31.0, 130.0])
BY_HAND = st.sampled_from([Verb.RELEASE, Verb.LOWER, Verb.LOWER_NOW, Verb.HOLD_OPEN, Verb.CLOSE])
FALSE: dict[str, dict[str, object]] = {
    "late": {"expires_at": 0.0}, "ahead": {"issued_at": 9.0}, "other lane": {"lane": "L02"},
    "other passage": {"passage": "L01-0"}, "other truck": {"plate": "浙A00001"}, "other boxes": {"containers": ("X",)},
}  # fmt: skip


class LaneWorld(RuleBasedStateMachine):
    """One lane from its process' first moment."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "book.sqlite"
        self.clock = HandClock()
        self.contacts = dict.fromkeys(Inputs.__dataclass_fields__, False) | {"limit_down": True}
        self.since = dict.fromkeys(self.contacts, self.clock.hour - 60.0)
        self.stale_since: float | None = None
        self.truck = "none"
        self.lost_pulse = False
        self.given: dict[str, Order] = {}
        self.spent: set[str] = set()
        self.permit: Permit | None = None
        self.pulsed: Counter[str] = Counter()
        self.numbers = 0
        self.moving: asyncio.Task[Moved] | None = None
        self.open_: Passage | None = None

    @initialize()
    def begins(self) -> None:
        """The process starts."""
        self._start(Lane(id="L01", since=self.clock.now()))

    def _start(self, lane: Lane) -> None:
        self.lane = lane
        self.book = Book(self.path)
        self._run(self.book.open())
        self.coming: asyncio.Queue[Picture] = asyncio.Queue()
        self.door = Door(
            book=self.book, clock=self.clock, rules=RULES, newest=self._newest, another=self.coming.get, tell=_nobody
        )
        self.door.remember(frozenset(self.spent))
        self.door.attach(self)

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(doing)

    # the world

    def _newest(self) -> Picture:
        now = self.clock.hour
        told = now - 0.05 if self.stale_since is None else self.stale_since
        inputs = Inputs(
            **{name: Seen(on, Instant(told), Instant(self.since[name])) for name, on in self.contacts.items()}
        )
        good = deck(live_kg=Seen(Decimal(38_260), Instant(told), Instant(told - 3)), settled_at=Instant(told))
        bare = replace(EMPTY_DECK, live_kg=Seen(Decimal(0), Instant(told), Instant(told - 60)))
        passage = self.lane.passage
        return picture(
            at=Instant(now), passage=None if passage is None else passage.id, inputs=inputs,
            deck=good if self.truck == "weighed" else bare, spent=self.door.spent,
            identity=IDENTITY if self.truck == "weighed" else Identity(),
        )  # fmt: skip

    def _set(self, **contacts: bool) -> None:
        for name, on in contacts.items():
            if self.contacts[name] is not on:
                self.contacts[name], self.since[name] = on, self.clock.hour
        self.coming.put_nowait(self._newest())

    async def raise_boom(self) -> str:
        """The barrier's wire."""
        return self._pulse(Movement.RAISE)

    async def lower_boom(self) -> str:
        """The barrier's wire."""
        return self._pulse(Movement.LOWER)

    async def standing(self) -> frozenset[str]:
        """No output is ever found on."""
        return frozenset()

    async def release(self) -> None:
        """Nothing to release."""

    async def arm_watchdog(self) -> None:
        """A module without one."""

    async def strays(self) -> list[str]:
        """A module that does what it is told."""
        return []

    def _pulse(self, movement: Movement) -> str:
        """The judgement: what may be true when a coil is written."""
        permit, now = self.permit, self.clock.hour
        assert permit is not None and permit.movement is movement and permit.lane == "L01"
        self.pulsed[permit.id] += 1
        assert self.pulsed[permit.id] == 1, "one write, once"
        assert permit.granted_at <= now < permit.expires_at, "a fresh permit"
        book = [(entry.kind, entry.plain()) for entry in entries(self.path)]
        assert any(k == "boom" and said["permit"] == permit.id and said["phase"] == "written" for k, said in book)
        assert any(k == "decision" and said["permit"]["id"] == permit.id for k, said in book), "decided in the book"
        fresh = self.stale_since is None or now - self.stale_since <= RULES.inputs_fresh_s
        assert fresh, "nobody moves a boom without eyes"
        if movement is Movement.LOWER:
            assert not self.contacts["loop_boom"] and not self.contacts["photocell"], "never onto anything"
        else:
            assert permit.order is not None and permit.order not in self.spent, "an order of its own, unused"
            given = self.given[permit.order]
            assert given.lane == "L01" and now < given.expires_at
            assert given.passage == permit.passage or given.passage is None
            assert given.verb in (Verb.RELEASE, Verb.HOLD_OPEN)
            if given.origin is Origin.CUSTOMS:
                assert not self.contacts["loop_boom"] and not self.contacts["photocell"]
                assert self.truck == "weighed" and given.plate == "沪AD3F88"
            self.spent.add(permit.order)
        PULSES[movement] += 1
        if self.lost_pulse:
            self.lost_pulse = False
            raise NotConfirmed("boom", "no read-back")
        return "seen on"

    # what the lane does

    def _do(self, deeds: tuple[Deed, ...]) -> None:
        for deed in deeds:
            now = self.clock.now()
            match deed:
                case Open(passage=passage):
                    self.open_ = passage
                    self._run(self.book.write("opened", now, {"at": passage.opened_at}, passage=passage.id))
                case Move(permit=permit, order=held):
                    assert self.moving is None, "one movement at a time"
                    said = {"permit": permit, "order": held}
                    self._run(self.book.write("decision", now, said, passage=permit.passage))
                    self.permit = permit
                    self.coming = asyncio.Queue()
                    self.door._another = self.coming.get
                    self.moving = self.loop.create_task(self.door.move(permit))
                    self._settle()
                case Spend(order=name):
                    self.spent.add(name)
                    self.door.remember(frozenset({name}))
                case Close():
                    self.open_ = None
                case _:
                    pass

    def _settle(self) -> None:
        """Let the door come as far as it can on what is known."""

        async def wait() -> None:
            for _ in range(2000):
                for _turn in range(5):  # what was put into its hands has been looked at
                    await asyncio.sleep(0)
                if self.moving is None or self.moving.done() or (self.clock.deadlines and self.coming.empty()):
                    return
                await asyncio.sleep(0.0005)

        self._run(wait())
        if self.moving is not None and self.moving.done():
            task, self.moving = self.moving, None
            self._hear(task.result())

    def _hear(self, word: Word) -> None:
        shown = self._newest()
        before = self.lane
        self.lane, deeds = hear(before, word, of(before, shown), self.clock.now(), RULES)
        answers = [deed for deed in deeds if isinstance(deed, Answer)]
        assert len(answers) == (1 if isinstance(word, Ordered | Unadmitted) else 0), "every order is answered, once"
        self._do(deeds)

    async def _later(self, span: float) -> None:
        self.clock.advance(span)

    # what may happen

    @rule()
    def looks(self) -> None:
        """The lane thinks."""
        before = self.lane
        self.lane, deeds = look(before, of(before, self._newest()), self.clock.now(), RULES)
        self._do(deeds)

    @rule(span=SPANS)
    def time_passes(self, span: float) -> None:
        """And the lane looks about every now and then, as it does."""
        self._run(self._later(span))
        self._settle()
        self.looks()

    @rule(what=st.sampled_from(["none", "arrival", "weighed"]))
    def a_truck(self, what: str) -> None:
        """One comes, stands, goes."""
        self.truck = what
        self._set(loop_arrival=what == "arrival", beam_rear=False, beam_front=False)
        self._settle()
        self.looks()

    @rule(on=st.booleans(), which=st.sampled_from(["loop_boom", "photocell"]))
    def under_the_boom(self, on: bool, which: str) -> None:
        """Somebody, or a stuck contact."""
        self._set(**{which: on})
        self._settle()

    @rule(where=st.sampled_from(["down", "up", "between", "both"]))
    def boom_is(self, where: str) -> None:
        """It went where it was sent, or somewhere else, or its switches contradict."""
        self._set(limit_down=where in ("down", "both"), limit_up=where in ("up", "both"))
        self._settle()
        self.looks()

    @precondition(lambda self: self.moving is not None)
    @rule()
    def boom_arrives(self) -> None:
        """As it should."""
        up = self.permit is not None and self.permit.movement is Movement.RAISE
        self._set(limit_down=False, limit_up=False)
        self._set(limit_down=not up, limit_up=up)
        self._settle()

    @rule(stale=st.booleans())
    def eyes(self, stale: bool) -> None:
        """The I/O module falls silent, and speaks again."""
        self.stale_since = self.clock.hour - 0.05 if stale and self.stale_since is None else None
        self.coming.put_nowait(self._newest())
        self._settle()

    @rule(on=st.booleans())
    def barrier_reports_a_fault(self, on: bool) -> None:
        """Its own contact."""
        self._set(boom_fault=on)
        self._settle()

    @rule()
    def the_next_pulse_is_not_read_back(self) -> None:
        """It may have gone out."""
        self.lost_pulse = True

    @rule(attached=st.booleans())
    def link(self, attached: bool) -> None:
        """The connection to the barrier."""
        self.door.attach(self if attached else None)

    @rule()
    def all_is_mended(self) -> None:
        """Whoever repairs things has been here, and the boom stands where it was left, or below."""
        self.stale_since, self.lost_pulse = None, False
        self.door.attach(self)
        up = self.contacts["limit_up"] and not self.contacts["limit_down"]
        self._set(loop_boom=False, photocell=False, boom_fault=False, limit_up=up, limit_down=not up)
        self._settle()

    @rule(mended=st.booleans())
    def a_truck_comes_and_is_asked_about(self, mended: bool) -> None:
        """The usual way to a lane that waits for customs; whatever is wrong may stay wrong on it."""
        if mended:
            self.all_is_mended()
            self.boom_is("down")
        for what, span in (("none", 4.0), ("arrival", 1.5), ("weighed", 1.5)):
            self.a_truck(what)
            self.time_passes(span)
        self.time_passes(0.4)

    def _order(self, **changes: object) -> Order:
        self.numbers += 1
        now = self.clock.hour
        passage = None if self.lane.passage is None else self.lane.passage.id
        times = {"issued_at": Instant(now - 0.1), "expires_at": Instant(now + 110)}
        made = order(id=f"o-{self.numbers}", passage=passage, **times)
        made = replace(made, **changes)
        self.given[made.id] = made
        return made

    @rule(verb=st.sampled_from([Verb.RELEASE, Verb.RELEASE, Verb.RELEASE, Verb.HOLD, Verb.INSPECT, Verb.REFUSE]))
    def customs_answers(self, verb: Verb) -> None:
        """What fits."""
        self._hear(Ordered(self._order(verb=verb)))

    @rule(arrives=st.booleans())
    def a_truck_is_released_and_crosses(self, arrives: bool) -> None:
        """From the loop to the lowering, if everything goes as it should."""
        self.a_truck_comes_and_is_asked_about(mended=True)
        self.customs_answers(Verb.RELEASE)
        self.looks()
        if not arrives or self.moving is None:
            return
        self.boom_arrives()
        self.looks()
        self.a_truck("none")
        self.under_the_boom(on=True, which="loop_boom")
        self.time_passes(1.5)
        self.under_the_boom(on=False, which="loop_boom")
        self.time_passes(1.5)
        self.time_passes(1.5)

    @rule(how=st.sampled_from(sorted(FALSE)))
    def customs_answers_falsely(self, how: str) -> None:
        """An admitted order that does not fit."""
        changes = dict(FALSE[how])
        for name in ("expires_at", "issued_at"):
            if name in changes:
                changes[name] = Instant(self.clock.hour + float(changes[name]))  # type: ignore[arg-type]
        self._hear(Ordered(self._order(**changes)))

    @precondition(lambda self: bool(self.given))
    @rule(data=st.data())
    def an_order_comes_again(self, data: st.DataObject) -> None:
        """Replayed."""
        self._hear(Ordered(self.given[data.draw(st.sampled_from(sorted(self.given)))]))

    @rule(verb=BY_HAND, bound=st.booleans())
    def a_person_orders(self, verb: Verb, bound: bool) -> None:
        """By hand."""
        until = Instant(self.clock.hour + 60) if verb is Verb.HOLD_OPEN else None
        made = self._order(
            verb=verb, origin=Origin.PERSON, persons=("li.wei",), plate=None, containers=(), declared_kg=None,
            tolerance_kg=None, until=until, evidence=("ab" * 32,), issuer="li.wei",
        )  # fmt: skip
        if not bound:
            made = self.given[made.id] = replace(made, passage=None)
        self._hear(Ordered(made))

    @rule(asked=st.booleans(), why=st.sampled_from([Reason.ORDER_FORGED, Reason.ORDER_UNKNOWN_KEY]))
    def forged(self, asked: bool, why: Reason) -> None:
        """It did not pass the seals."""
        self._hear(Unadmitted("x", (why,), asked))

    @rule()
    def customs_is_silent(self) -> None:
        """No answer in time."""
        self._hear(Silence())

    @rule()
    def the_process_is_killed(self) -> None:
        """And begins again with nothing but its book."""
        if self.moving is not None:
            self.moving.cancel()
            self._run(_gone(self.moving))
            self.moving = None
        self._run(self.book.close())
        assert isinstance(verify(self.path), Verified)
        raised = False
        for entry in entries(self.path):
            if entry.kind == "boom" and entry.plain()["phase"] == Phase.WRITTEN:
                raised = entry.plain()["movement"] == Movement.RAISE
        self.clock.deadlines.clear()
        self._start(Lane(id="L01", since=self.clock.now(), passage=self.open_, raised_in_book=raised))

    @invariant()
    def a_state_and_its_movement_belong_together(self) -> None:
        """A permit is in hand while the boom is sent, and never otherwise."""
        if hasattr(self, "lane"):
            assert (self.lane.state in (State.RAISING, State.LOWERING)) is (self.lane.permit is not None)

    def teardown(self) -> None:
        """The book is whole whatever happened."""
        if hasattr(self, "book"):
            if self.moving is not None:
                self.moving.cancel()
                self._run(_gone(self.moving))
            self._run(self.book.close())
            assert isinstance(verify(self.path), Verified)
        self.loop.close()
        self.folder.cleanup()


async def _nobody(_: Progress) -> None:
    """Nobody is told."""


async def _gone(task: "asyncio.Task[Moved]") -> None:
    await asyncio.wait((task,))


def test_nothing_that_comes_in_any_order_moves_the_boom_wrongly() -> None:
    PULSES.clear()
    run_state_machine_as_test(LaneWorld, settings=settings(max_examples=80, stateful_step_count=50, deadline=None))
    print(dict(PULSES))
    assert PULSES[Movement.RAISE] > 10 and PULSES[Movement.LOWER] > 2, "the machine comes as far as the barrier"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_same_for_longer() -> None:
    PULSES.clear()
    run_state_machine_as_test(LaneWorld, settings=settings(max_examples=2000, stateful_step_count=80, deadline=None))
    print(dict(PULSES))
