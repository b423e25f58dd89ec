"""Every reachable memory of the lane, with every class of picture and every word from outside: enumerated, not sampled.

The explorer walks breadth first. Time is three classes (a moment, a while, long) by which all that is remembered ages;
two memories that differ in no class are one. The door is played by the explorer: it may carry out, withdraw or fail
every permit it is given. What is checked on every step:

  - a permit to raise only where the oracle of classes.py allows it, on an unused order of this passage;
  - a permit to lower only with the place under the boom freshly known to be clear;
  - one movement at a time, and RAISING and LOWERING only while a permit is out;
  - every order is answered exactly once; no state but those of the table follows; nothing raises an exception.
"""

from collections import Counter, deque
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import pytest

from drivers.readings import Instant
from gateway_ctl import interlock
from gateway_ctl import lane as lane_mind
from gateway_ctl.deeds import Answer, Deed, Move, Moved, Ordered, Passage, Silence, Unadmitted, Word
from gateway_ctl.lane import Lane, hear, look
from gateway_ctl.lane_state import TABLE, Event, State
from gateway_ctl.orders import Movement, Origin, Permit
from gateway_ctl.picture import Picture
from gateway_ctl.reasons import Reason
from gateway_ctl.sight import Sight
from tests.gateway_ctl.classes import ORDERS, OrderClass, PictureClass, may_lower, may_raise, order_of
from tests.gateway_ctl.scene import NOW, PASSAGE, RULES

MOMENT_S, WHILE_S, LONG_S = 0.1, 10.0, 100.0
PICTURES: tuple[PictureClass, ...] = (
    *(
        PictureClass(boom=b, truck=t)
        for b, t in product(("down", "up", "moving"), ("none", "arrival", "half rear", "weighed"))
    ),
    *(
        PictureClass(boom=b, zone=z, truck=t)
        for b, z, t in product(("down", "up"), ("loop", "just clear", "stale"), ("none", "weighed"))
    ),
    *(PictureClass(boom=b) for b in ("both", "stale", "one stale")),
    *(PictureClass(fault=f, boom=b) for f in ("faulty", "stale") for b in ("down", "up")),
    *(PictureClass(truck=t) for t in ("half front", "unsettled", "frozen", "zero bad", "blank", "beams stale")),
    *(PictureClass(reads=r) for r in ("no plate", "other tag", "other box")),
    *(PictureClass(boom="up", truck=t) for t in ("half front", "blank")),
    PictureClass(hour="stepped"),
)
AGES = (MOMENT_S, WHILE_S, LONG_S)


@dataclass(frozen=True, slots=True)
class Node:
    """A memory of the lane, and which of this passage's orders the door has spent."""

    lane: Lane
    spent: frozenset[str]


def classed(at: float | None, *, long: bool = False) -> Instant | None:
    """A remembered instant as its class of age; `long` keeps "long ago" apart from "a while ago"."""
    if at is None:
        return None
    age = NOW - at
    return Instant(NOW - (MOMENT_S if age < 0.5 else LONG_S if long and age >= 60 else WHILE_S))


def canonical(lane: Lane) -> Lane:
    """The lane without what steers nothing (steps, counts, alarms), its instants in classes, its passage renamed.

    Only three ages are compared with more than ten seconds: a light deck's, a passage's while it gathers, and the
    start of a waking lane. The order is looked at again in CLEARED only (and after RAISING withdrawn). A follower on
    the deck steers alarms only (test_lane.py), like silent signals.
    """
    passage = lane.passage
    if passage is not None:
        judged = lane.state in (State.CLEARED, State.RAISING)
        order = replace(passage.order, passage=PASSAGE) if judged and passage.order is not None else None
        asked = None if passage.asked is None else replace(passage.asked, at=classed(passage.asked.at) or NOW)
        gathering = lane.state is State.GATHERING
        opened = classed(passage.opened_at, long=True) if gathering else Instant(NOW - WHILE_S)
        passage = replace(
            passage, id=PASSAGE, opened_at=opened, order=order, asked=asked, steps=(), refused=(), movements=(), rang=()
        )
    permit = lane.permit
    if permit is not None:
        order_id = permit.order
        permit = Permit(
            id=f"permit-{permit.movement.value}", lane="L01", passage=None if passage is None else PASSAGE,
            order=order_id, by_person=permit.by_person, movement=permit.movement, granted_at=NOW,
            expires_at=Instant(NOW + 1), picture="",
        )  # fmt: skip
    sight = lane.sight
    # What each state looks at (sight.py): before a crossing who came and who left; elsewhere that pictures are whole.
    before = lane.state in (State.GATHERING, State.ASKING, State.CLEARED, State.HELD)
    leaves = before or lane.state in (State.RAISING, State.OPEN)
    coming = lane.state in (State.WAKING, State.EMPTY)
    sight = replace(
        sight, follower=False, tailgated=False, stale_since=None, dumb_since=None,
        entered=sight.entered and leaves, left=sight.left and leaves,
        arrival=sight.arrival and (leaves or coming), rear=sight.rear and (leaves or coming),
        front=sight.front and coming,
        light_since=classed(sight.light_since, long=True) if before and sight.entered and not sight.left else None,
        all_clear_since=classed(sight.all_clear_since) if before or lane.state in (State.OPEN, State.FAULT) else None,
        whole_since=None if sight.whole_since is None
        else classed(sight.whole_since) if lane.state is State.WAKING else Instant(NOW - WHILE_S),
    )  # fmt: skip
    waking = lane.state is State.WAKING
    return replace(
        lane, since=classed(lane.since, long=waking) or NOW, passage=passage, permit=permit, reasons=(),
        sight=sight, ringing=frozenset(),
    )  # fmt: skip


def aged(lane: Lane, by_s: float) -> Lane:
    """The same memory, that much later."""

    def older(at: Instant | None) -> Instant | None:
        return None if at is None else Instant(at - by_s)

    sight = lane.sight
    times = {n: older(getattr(sight, n)) for n in Sight.__dataclass_fields__ if n.endswith("_since")}
    passage = lane.passage
    if passage is not None:
        asked = None if passage.asked is None else replace(passage.asked, at=Instant(passage.asked.at - by_s))
        passage = replace(passage, opened_at=Instant(passage.opened_at - by_s), asked=asked)
    return replace(lane, since=Instant(lane.since - by_s), passage=passage, sight=replace(sight, **times))


WORDS: tuple[OrderClass | str, ...] = (
    *(kind for kind in ORDERS if kind not in ("none", "customs lower")),
    "forged asked", "forged unasked", "silence",
    "raised", "lowered", "not confirmed", "withdrawn", "another's movement",
)  # fmt: skip
MOVED = {
    "raised": Event.RAISED,
    "lowered": Event.LOWERED,
    "not confirmed": Event.NOT_CONFIRMED,
    "withdrawn": Event.WITHDRAWN,
}
WEIGHED_BY_PICTURE = ("good", "person", "person lower", "person no passage", "person spent")
"""Orders whose answer hangs on the picture: heard on every one. All other words are heard on two."""
HEARD_ON: tuple[PictureClass, ...] = (PictureClass(), PictureClass(boom="up", truck="none"))


@cache
def picture_of(at: PictureClass, passage: str | None, spent: frozenset[str]) -> Picture:
    """Pictures are few and frozen."""
    return at.picture(passage, spent | {"o-spent", "p-spent"})


def _no_digest(picture: Picture) -> str:
    return "0" * 64


class Explorer:
    """Breadth first over nodes; counts what it does."""

    def __init__(self, pictures: tuple[PictureClass, ...] = PICTURES) -> None:
        self.pictures = pictures
        self.seen: set[Node] = set()
        self.queue: deque[Node] = deque()
        self.cells: Counter[tuple[State, State]] = Counter()
        self.steps = 0
        self.moves: Counter[str] = Counter()

    def run(self) -> None:
        for raised, passage in ((False, False), (False, True), (True, True)):
            lane = Lane(id="L01", since=NOW, raised_in_book=raised)
            if passage:
                lane = replace(lane, passage=Passage(id=PASSAGE, opened_at=Instant(NOW - 6)))
            self._meet(Node(canonical(lane), frozenset()))
        while self.queue:
            node = self.queue.popleft()
            for by_s in AGES:
                self._meet(replace(node, lane=canonical(aged(node.lane, by_s))))
            for at in self.pictures:
                self._look(node, at)
            for word in WORDS:
                for at in self.pictures if word in WEIGHED_BY_PICTURE else HEARD_ON:
                    self._hear(node, word, at)

    def _meet(self, node: Node) -> None:
        if node not in self.seen:
            self.seen.add(node)
            self.queue.append(node)

    def _look(self, node: Node, at: PictureClass) -> None:
        lane = node.lane
        held = None if lane.passage is None else lane.passage.order
        picture = picture_of(at, None if lane.passage is None else lane.passage.id, node.spent)
        after, deeds = look(lane, picture, NOW, RULES)
        assert not any(isinstance(deed, Answer) for deed in deeds)
        for move in self._moves(deeds):
            if move.permit.movement is Movement.LOWER:
                assert may_lower(None, at), (lane.state, at)
            else:
                assert held is not None and held.id not in node.spent
                kind: OrderClass = "person" if held.origin is Origin.PERSON else "good"
                assert may_raise(kind, at), (lane.state, at, held)
        self._after(node, after, deeds, look_chain=True)

    def _hear(self, node: Node, name: str, at: PictureClass) -> None:
        lane = node.lane
        word, kind = self._word(lane, name)
        if word is None:
            return
        picture = picture_of(at, None if lane.passage is None else lane.passage.id, node.spent)
        after, deeds = hear(lane, word, picture, NOW, RULES)
        answers = [deed for deed in deeds if isinstance(deed, Answer)]
        assert len(answers) == (1 if isinstance(word, Ordered | Unadmitted) else 0), (lane.state, name)
        for move in self._moves(deeds):
            assert (kind is not None and lane.passage is not None) or kind == "person lower", (lane.state, name)
            assert isinstance(word, Ordered)
            assert word.order.id not in node.spent or move.permit.movement is Movement.LOWER
            if move.permit.movement is Movement.LOWER:
                assert may_lower(kind, at), (lane.state, name, at)
            else:
                assert may_raise(kind, at), (lane.state, name, at)
            assert answers[0].accepted
        if isinstance(word, Unadmitted):
            assert not answers[0].accepted
        spent = node.spent
        if isinstance(word, Moved) and lane.permit is not None and word.permit == lane.permit.id:
            written = word.event is not Event.WITHDRAWN and lane.permit.movement is Movement.RAISE
            if written and lane.permit.order is not None:
                spent = spent | {lane.permit.order}
        self._after(replace(node, spent=spent), after, deeds, look_chain=False)

    def _word(self, lane: Lane, name: str) -> tuple[Word | None, OrderClass | None]:
        passage = None if lane.passage is None else lane.passage.id
        if name in MOVED:
            if lane.permit is None:
                return None, None
            possible = {"lowered": Movement.LOWER}.get(name)
            if possible is not None and lane.permit.movement is not possible:
                return None, None
            return Moved(lane.permit.id, MOVED[name], (Reason.PERMIT_EXPIRED,) if name == "withdrawn" else ()), None
        match name:
            case "another's movement":
                return Moved("nobody's", Event.RAISED), None
            case "silence":
                return Silence(), None
            case "forged asked" | "forged unasked":
                return Unadmitted("x", (Reason.ORDER_FORGED,), name == "forged asked"), None
            case _:
                kind: OrderClass = name  # pyright: ignore[reportAssignmentType]
                order = order_of(kind, passage)
                assert order is not None
                return Ordered(order), kind

    def _moves(self, deeds: tuple[Deed, ...]) -> list[Move]:
        moves = [deed for deed in deeds if isinstance(deed, Move)]
        assert len(moves) <= 1
        return moves

    def _after(self, node: Node, after: Lane, deeds: tuple[Deed, ...], *, look_chain: bool) -> None:
        self.steps += 1
        before = node.lane
        moves = self._moves(deeds)
        for move in moves:
            self.moves[move.permit.movement.value] += 1
            assert before.permit is None, "a second movement while one is under way"
            assert after.permit == move.permit
        assert (after.state in (State.RAISING, State.LOWERING)) is (after.permit is not None), (before.state, after)
        if after.state in (State.GATHERING, State.ASKING, State.CLEARED, State.HELD):
            assert after.passage is not None
        if after.state is not before.state:
            self.cells[before.state, after.state] += 1
            assert self._reachable(before.state, after.state), (before.state, after.state)
        spent = node.spent if after.passage is not None and before.passage is not None else frozenset[str]()
        self._meet(Node(canonical(after), spent))

    def _reachable(self, one: State, other: State) -> bool:
        near, seen = {one}, {one}
        while near:
            near = {following for state in near for following in TABLE[state].values()} - seen
            if other in near:
                return True
            seen |= near
        return False


FEW: tuple[PictureClass, ...] = (
    PictureClass(truck="none"),
    PictureClass(truck="arrival"),
    PictureClass(),
    PictureClass(truck="unsettled"),
    PictureClass(boom="up", truck="none"),
    PictureClass(boom="up", zone="loop", truck="none"),
    PictureClass(boom="stale"),
)


def explore(pictures: tuple[PictureClass, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    # The digest of a picture steers nothing, and would be computed a million times.
    monkeypatch.setattr(interlock, "digest", _no_digest)
    monkeypatch.setattr(lane_mind, "digest", _no_digest)
    explorer = Explorer(pictures)
    explorer.run()
    states = Counter(node.lane.state for node in explorer.seen)
    print(
        f"explorer: {len(explorer.seen)} memories in {len(states)} states, {explorer.steps} steps on {len(pictures)} "
        f"classes of picture, {dict(explorer.moves)} permits; { ({s.value: n for s, n in states.items()}) }"
    )
    assert set(states) == set(State)
    assert explorer.moves.keys() == {"raise", "lower"}


@pytest.mark.timeout(200)
def test_every_reachable_memory_on_the_main_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    explore(FEW, monkeypatch)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_reachable_memory_with_every_picture_and_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    explore(PICTURES, monkeypatch)
