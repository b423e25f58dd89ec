"""Every reachable memory of the lane, with every class of picture and every word from outside: enumerated, not sampled.

The explorer walks breadth first. Time is three classes (a moment, a while, long) by which all that is remembered ages;
two memories that differ in nothing that steers are one (`canonical` says what steers, and why the rest does not).
Where a difference steers a single thing, both sides are tried there instead of being carried along (`either`).
The door is played by the explorer: it may carry out, withdraw or fail every permit it is given. On every step:

  - a permit to raise only where the oracle of classes.py allows it, on an unused order of this passage (a hold-open:
    of this lane); on a picture alone by customs' order only, and in an advisory lane by nothing but a signature;
  - a lane in shadow moves nothing, whatever comes;
  - a permit to lower only with the place under the boom freshly known to be clear;
  - one movement at a time, and RAISING and LOWERING only while a permit is out;
  - every order is answered exactly once; no state but those of the table follows; nothing raises an exception.

Over 400 lines, because what is dropped and what is walked must be read together.
That `canonical` may drop what it drops is tested too: walks that keep every detail never leave what was enumerated.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from random import Random

import pytest

from drivers.readings import Instant
from gateway_ctl import interlock, memory
from gateway_ctl import lane as lane_mind
from gateway_ctl.deeds import Answer, Asked, Awaited, Deed, Move, Moved, Ordered, Passage, Silence, Unadmitted, Word
from gateway_ctl.interlock import Refusal, decide
from gateway_ctl.lane import hear, look
from gateway_ctl.lane_state import TABLE, Event, State
from gateway_ctl.memory import Lane
from gateway_ctl.memory import of as as_remembered
from gateway_ctl.modes import Mode
from gateway_ctl.orders import Movement, Order, Origin, Permit, Verb
from gateway_ctl.picture import Picture, Rules
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
MAIN: tuple[PictureClass, ...] = (
    PictureClass(truck="none"),
    PictureClass(truck="arrival"),
    PictureClass(truck="half rear"),
    PictureClass(),
    PictureClass(truck="unsettled"),
    PictureClass(reads="other box"),
    PictureClass(zone="loop"),
    PictureClass(boom="moving"),
    PictureClass(boom="up", truck="none"),
    PictureClass(boom="up", zone="loop", truck="none"),
    PictureClass(boom="up", zone="just clear", truck="none"),
    PictureClass(boom="stale"),
)
"""The classes that the fast suite walks: one of each thing that moves the lane on."""
AGES = (MOMENT_S, WHILE_S, LONG_S)
BEFORE = frozenset({State.GATHERING, State.ASKING, State.CLEARED, State.HELD})
HELD_ID = "held"
"""What an order is called once the lane holds it: the next one that comes has another name."""


def classed(at: float | None, *, long: bool = False, moment: bool = True) -> Instant | None:
    """A remembered instant as its class of age: a moment and long ago only where they are told from a while."""
    if at is None:
        return None
    age = NOW - at
    if moment and age < 0.5:
        return Instant(NOW - MOMENT_S)
    return Instant(NOW - (LONG_S if long and age >= 60 else WHILE_S))


def canonical(lane: Lane) -> Lane:
    """The lane with nothing but what steers it in its state; instants in classes, names renamed.

    Dropped everywhere, because nothing reads it but what is told to people: steps, counts, alarms, reasons given,
    movements, `crossed` (the outcome's word), followers, `zone` and `front` (the next whole picture overwrites them;
    their edges ring alarms only), since when signals are silent. `reasons` delay a second permit by a second: without
    them the explorer sees it a second early. By state:

      since           not in RAISING, LOWERING, FAULT: a boom on its way or lost has no age that is looked at
      order           CLEARED and RAISING; in HELD a release by customs, which alone is judged again there
      asked, heard_at nowhere: just asked or not, a newer order heard or not are tried where it counts (`either`,
                      the word "outdated")
      opened_at       GATHERING, where too long is long ago
      whole_since     WAKING; elsewhere only whether the picture at hand is whole
      sight           who came and left: before the boom goes up, and in RAISING, which may lead back there
      light_since     where a truck was seen to enter and not to leave: only long ago is looked at; in OPEN `either`
      raised_in_book  WAKING
      keep            WAKING, RAISING and KEPT, where it holds yet or is over
      confirmed       nowhere: a permit follows at once, or it is forgotten
      awaits          nowhere: the first of two signatures steers nothing but its own answers (test_lane_persons.py)
    """
    state, passage, sight = lane.state, lane.passage, lane.sight
    if passage is not None:
        order = passage.order if state in (State.CLEARED, State.RAISING) or _judged_again(lane) else None
        opened = classed(passage.opened_at, long=True, moment=False) if state is State.GATHERING else None
        passage = Passage(id=PASSAGE, opened_at=opened or Instant(NOW - WHILE_S), order=order and _held(order))
    permit = lane.permit
    if permit is not None:
        permit = Permit(
            id=f"permit-{permit.movement.value}", lane="L01", passage=None if passage is None else PASSAGE,
            order=permit.order and HELD_ID, by_person=False, movement=permit.movement, granted_at=NOW,
            expires_at=Instant(NOW + 1), picture="",
        )  # fmt: skip
    came = state in BEFORE or state is State.RAISING
    stands = came and sight.entered and not sight.left
    waking = state is State.WAKING
    aged_here = state not in (State.RAISING, State.LOWERING, State.FAULT)
    return Lane(
        id=lane.id,
        state=state,
        since=(classed(lane.since, long=waking) if aged_here else None) or Instant(NOW - WHILE_S),
        passage=passage,
        permit=permit,
        sight=Sight(
            entered=sight.entered and came,
            left=sight.left and came,
            arrival=sight.arrival and came,
            rear=sight.rear and came,
            light_since=classed(sight.light_since, long=True, moment=False) if stands else None,
            all_clear_since=classed(sight.all_clear_since),
            whole_since=classed(sight.whole_since) if waking else None,
        ),
        raised_in_book=lane.raised_in_book and waking,
        keep=_kept(lane.keep) if lane.keep is not None and (waking or state in (State.RAISING, State.KEPT)) else None,
    )


def _kept(order: Order) -> Order:
    """The hold-open under its one name; it holds for a while yet, or is over."""
    holds = order.until is not None and order.until > NOW
    return replace(_held(order), passage=None, expires_at=Instant(NOW + 119), until=Instant(NOW + (5 if holds else -1)))


def _judged_again(lane: Lane) -> bool:
    order = None if lane.passage is None else lane.passage.order
    by_customs = order is not None and order.origin is Origin.CUSTOMS and order.verb is Verb.RELEASE
    return lane.state is State.HELD and by_customs


def _held(order: Order) -> Order:
    """The order in hand under its one name; young, or run out."""
    late = order.expires_at <= NOW
    return replace(
        order, id=HELD_ID, passage=PASSAGE, issued_at=Instant(NOW - (WHILE_S if late else 1)),
        expires_at=Instant(NOW - MOMENT_S if late else NOW + 119),
    )  # fmt: skip


def either(lane: Lane) -> Iterator[Lane]:
    """The memories that `canonical` made one, where a picture tells them apart."""
    yield lane
    if lane.state is State.OPEN:
        yield replace(lane, sight=replace(lane.sight, light_since=Instant(NOW - WHILE_S)))
    if lane.state is State.HELD and lane.passage is not None:
        asked = Asked(at=NOW, plate="沪AD3F88", tags=(), containers=(), kg=None, uncertainty_kg=None)
        yield replace(lane, passage=replace(lane.passage, asked=asked))
    if lane.state is State.WAKING and lane.raised_in_book:
        yield replace(lane, keep=_order_of("person hold open", None))


def aged(lane: Lane, by_s: float) -> Iterator[Lane]:
    """The same memory, that much later; the order in hand may have run out by then.

    First exactly; then with a hold-open that lasts for longer than `canonical` remembers.
    """

    def older(at: Instant | None) -> Instant | None:
        return None if at is None else Instant(at - by_s)

    sight, passage = lane.sight, lane.passage
    times = {name: older(getattr(sight, name)) for name in TIMES}
    if passage is not None:
        asked = None if passage.asked is None else replace(passage.asked, at=Instant(passage.asked.at - by_s))
        order = None if passage.order is None else _older(passage.order, by_s)
        passage = replace(passage, opened_at=Instant(passage.opened_at - by_s), asked=asked, order=order)
    keep = lane.keep
    if keep is not None and keep.until is not None:
        keep = replace(keep, until=Instant(keep.until - by_s))
    lane = replace(lane, since=Instant(lane.since - by_s), passage=passage, sight=replace(sight, **times), keep=keep)
    ways = [lane]
    if keep is not None and keep.until is not None and keep.until <= NOW < keep.until + by_s:
        ways.append(replace(lane, keep=replace(keep, until=Instant(keep.until + by_s))))
    yield from ways
    if by_s == LONG_S and passage is not None and passage.order is not None:
        for way in ways:
            yield replace(way, passage=replace(passage, order=replace(passage.order, expires_at=NOW)))


TIMES = tuple(name for name in Sight.__dataclass_fields__ if name.endswith("_since"))


def _older(order: Order, by_s: float) -> Order:
    return replace(order, issued_at=Instant(order.issued_at - by_s), expires_at=Instant(order.expires_at - by_s))


WORDS: tuple[OrderClass | str, ...] = (
    *(kind for kind in ORDERS if kind != "none" and not kind.startswith("customs ")),
    "first of two", "outdated", "forged asked", "forged unasked", "silence",
    "raised", "lowered", "not confirmed", "withdrawn", "another's movement",
)  # fmt: skip
MOVED = {
    "raised": Event.RAISED,
    "lowered": Event.LOWERED,
    "not confirmed": Event.NOT_CONFIRMED,
    "withdrawn": Event.WITHDRAWN,
}
WEIGHED_BY_PICTURE = ("good", "person", "person lower", "person lower now", "person hold open", "person confirm")
"""Orders whose answer hangs on the picture: heard on every one, in the fast suite too. The others are heard on two."""
HEARD_ON: tuple[PictureClass, ...] = (PictureClass(), PictureClass(boom="up", truck="none"))
SPENT = frozenset({"o-spent", "p-spent"})
ON_THE_WHOLE_LANE = ("person hold open", "person lower", "person lower now")
"""A person's orders that need no passage."""


@cache
def picture_of(at: PictureClass, passage: str | None) -> Picture:
    """Pictures are few and frozen."""
    return at.picture(passage, SPENT)


@cache
def _order_of(kind: OrderClass, passage: str | None) -> Order | None:
    return order_of(kind, passage)


def _no_digest(picture: Picture) -> str:
    return "0" * 64


class Explorer:
    """Breadth first over memories; counts what it does."""

    def __init__(self, pictures: tuple[PictureClass, ...], *, every_word: bool) -> None:
        self.pictures, self.every_word = pictures, every_word
        self.mode = pictures[0].mode
        self.heard_on = tuple(replace(at, mode=self.mode) for at in HEARD_ON)
        self.seen: set[Lane] = set()
        self.queue: deque[Lane] = deque()
        self.cells: Counter[tuple[State, State]] = Counter()
        self.steps = 0
        self.moves: Counter[str] = Counter()

    def run(self) -> None:
        for lane in starts():
            self._meet(canonical(lane))
        while self.queue:
            lane = self.queue.popleft()
            for by_s in AGES:
                for later in aged(lane, by_s):
                    self._meet(canonical(later))
            for one in either(lane):
                for at in self.pictures:
                    self.look(one, at)
            for word in WORDS:
                for at in self.pictures if self.every_word or word in WEIGHED_BY_PICTURE else self.heard_on:
                    self.hear(lane, word, at)

    def _meet(self, lane: Lane) -> None:
        if lane not in self.seen:
            self.seen.add(lane)
            self.queue.append(lane)

    def look(self, lane: Lane, at: PictureClass) -> Lane:
        """The lane after a picture, with everything checked."""
        held = None if lane.passage is None else lane.passage.order
        picture = picture_of(at, None if lane.passage is None else lane.passage.id)
        after, deeds = look(lane, as_remembered(lane, picture), NOW, RULES)
        for deed in deeds:
            if isinstance(deed, Answer):
                assert lane.awaits is not None and deed.order == lane.awaits.id, "only what waited has lapsed"
                assert not deed.accepted and after.awaits is None
        for move in moves_of(deeds):
            if move.permit.movement is Movement.LOWER:
                assert may_lower(None, at), (lane.state, at)
            else:
                assert held is not None and held.origin is not Origin.PERSON, "a person's wish is judged when it comes"
                assert may_raise("good", at), (lane.state, at, held)
                assert fits(held), (lane.state, at, held)
                assert held.expires_at > NOW
        self._after(lane, after, deeds)
        return after

    def hear(self, lane: Lane, name: str, at: PictureClass) -> Lane | None:
        """The lane after a word; None where nobody could say it now."""
        word, kind = word_of(lane, name)
        if word is None:
            return None
        if name == "outdated" and lane.passage is not None:
            lane = replace(lane, passage=replace(lane.passage, heard_at=NOW))
        picture = picture_of(at, None if lane.passage is None else lane.passage.id)
        after, deeds = hear(lane, word, as_remembered(lane, picture), NOW, RULES)
        answers = [deed for deed in deeds if isinstance(deed, Answer)]
        assert len(answers) == (1 if isinstance(word, Ordered | Unadmitted | Awaited) else 0), (lane.state, name)
        for move in moves_of(deeds):
            assert kind is not None and isinstance(word, Ordered)
            if kind == "person close":
                assert move.permit.order is None and may_lower(None, at), "the boom comes down as after any crossing"
                continue
            assert lane.passage is not None or kind in ON_THE_WHOLE_LANE, (lane.state, name)
            if kind == "person confirm":
                # What moves is customs' order, to which a person has said yes now.
                held = None if lane.passage is None else lane.passage.order
                assert held is not None and held.id == move.permit.order and fits(held) and held.expires_at > NOW
                assert may_raise("good", replace(at, confirmed=True)), (lane.state, name, at)
            elif move.permit.movement is Movement.LOWER:
                assert may_lower(kind, at), (lane.state, name, at)
            else:
                assert may_raise(kind, at), (lane.state, name, at)
            assert answers[0].accepted
        if isinstance(word, Unadmitted | Awaited):
            assert not answers[0].accepted
        self._after(lane, after, deeds)
        return after

    def _after(self, before: Lane, after: Lane, deeds: tuple[Deed, ...]) -> None:
        self.steps += 1
        for move in moves_of(deeds):
            self.moves[move.permit.movement.value] += 1
            assert self.mode is not Mode.SHADOW
            assert before.permit is None, "a second movement while one is under way"
            assert after.permit == move.permit
        assert (after.state in (State.RAISING, State.LOWERING)) is (after.permit is not None), (before.state, after)
        if after.state in BEFORE:
            assert after.passage is not None
        assert after.state is not State.KEPT or after.keep is not None
        if after.state is not before.state:
            self.cells[before.state, after.state] += 1
            assert after.state in REACHABLE[before.state], (before.state, after.state)
        self._meet(canonical(after))


def starts() -> Iterator[Lane]:
    """A lane whose process has just begun: its book empty, with a passage open, or with the boom raised for it."""
    for raised, passage in ((False, False), (False, True), (True, True)):
        lane = Lane(id="L01", since=NOW, raised_in_book=raised)
        yield replace(lane, passage=Passage(id=PASSAGE, opened_at=Instant(NOW - 6))) if passage else lane


def fits(order: Order) -> bool:
    """Whether it is a release of the truck in every picture that is read well."""
    good = order_of("good", PASSAGE)
    assert good is not None
    bound = ("verb", "site", "lane", "plate", "containers", "declared_kg", "tolerance_kg")
    return all(getattr(order, name) == getattr(good, name) for name in bound)


def word_of(lane: Lane, name: str) -> tuple[Word | None, OrderClass | None]:
    """A word by its name, and the class of order that it brings."""
    passage = None if lane.passage is None else lane.passage.id
    if name in MOVED:
        if lane.permit is None or (name == "lowered" and lane.permit.movement is not Movement.LOWER):
            return None, None
        return Moved(lane.permit.id, MOVED[name], (Reason.PERMIT_EXPIRED,) if name == "withdrawn" else ()), None
    match name:
        case "another's movement":
            return Moved("nobody's", Event.RAISED), None
        case "silence":
            return Silence(), None
        case "first of two":
            order = _order_of("person", passage)
            assert order is not None
            return Awaited(order), None
        case "person confirm":
            order = _order_of("person confirm", passage)
            assert order is not None
            held = None if lane.passage is None else lane.passage.order
            return Ordered(_confirming(order, held.id) if held is not None else order), "person confirm"
        case "forged asked" | "forged unasked":
            return Unadmitted("x", (Reason.ORDER_FORGED,), name == "forged asked"), None
        case "outdated":
            order = _order_of("good", passage)
            assert order is not None
            return Ordered(order), None
        case _:
            kind: OrderClass = name  # pyright: ignore[reportAssignmentType]
            order = _order_of(kind, passage)
            assert order is not None
            return Ordered(order), kind


@cache
def _confirming(order: Order, held: str) -> Order:
    return replace(order, confirms=held)


def moves_of(deeds: tuple[Deed, ...]) -> list[Move]:
    moves = [deed for deed in deeds if isinstance(deed, Move)]
    assert len(moves) <= 1
    return moves


def _reachable(one: State) -> frozenset[State]:
    near, seen = {one}, {one}
    while near:
        near = {following for state in near for following in TABLE[state].values()} - seen
        seen |= near
    return frozenset(seen)


REACHABLE = {state: _reachable(state) for state in State}


@pytest.fixture
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked a million times is answered from memory: a digest steers nothing, and `decide` is pure."""
    monkeypatch.setattr(interlock, "digest", _no_digest)
    monkeypatch.setattr(memory, "digest", _no_digest)
    known: dict[tuple[int, int], tuple[Picture, Order | None, Permit | Refusal]] = {}

    def remembered(picture: Picture, order: Order | None, now: Instant, rules: Rules) -> Permit | Refusal:
        key = id(picture), id(order)
        if key not in known:
            known[key] = picture, order, decide(picture, order, now, rules)
        return known[key][2]

    monkeypatch.setattr(lane_mind, "decide", remembered)


def explore(pictures: tuple[PictureClass, ...], *, every_word: bool) -> Explorer:
    explorer = Explorer(pictures, every_word=every_word)
    explorer.run()
    states = Counter(lane.state for lane in explorer.seen)
    print(
        f"explorer: {len(explorer.seen)} memories in {len(states)} states, {explorer.steps} steps on {len(pictures)} "
        f"classes of picture and {len(WORDS)} words, {dict(explorer.moves)} permits; "
        f"{ ({s.value: n for s, n in states.items()}) }"
    )
    return explorer


def everywhere(explorer: Explorer) -> None:
    """Every state was reached, and the boom went both ways."""
    assert {lane.state for lane in explorer.seen} == set(State)
    assert explorer.moves.keys() == {"raise", "lower"}


def walk(explorer: Explorer, seed: int, steps: int) -> None:
    """Keeps every detail of its memory, and never leaves what was enumerated."""
    draw = Random(seed)
    lane, moments = draw.choice(list(starts())), 0
    for _ in range(steps):
        what = draw.random()
        if what < 0.3:
            # Moments add up: four of them are a moment yet, ten are none.
            by_s = draw.choice(AGES if moments < 4 else AGES[1:])
            moments = moments + 1 if by_s == MOMENT_S else 0
            lane = next(aged(lane, by_s))
        elif what < 0.7:
            lane = explorer.look(lane, draw.choice(explorer.pictures))
        else:
            word = draw.choice(WORDS)
            on = explorer.pictures if explorer.every_word or word in WEIGHED_BY_PICTURE else explorer.heard_on
            lane = explorer.hear(lane, word, draw.choice(on)) or lane
        assert canonical(lane) in explorer.seen


@pytest.mark.timeout(200)
@pytest.mark.usefixtures("swift")
def test_every_reachable_memory_on_the_main_pictures() -> None:
    explorer = explore(MAIN, every_word=False)
    everywhere(explorer)
    known = len(explorer.seen)
    for seed in range(100):
        walk(explorer, seed, 60)
    assert len(explorer.seen) == known


@pytest.mark.timeout(200)
@pytest.mark.usefixtures("swift")
def test_a_lane_in_shadow_moves_nothing_whatever_comes() -> None:
    pictures = tuple(replace(at, mode=Mode.SHADOW) for at in (*MAIN, PictureClass(boom="both")))
    explorer = explore(pictures, every_word=False)
    assert not explorer.moves
    states = {lane.state for lane in explorer.seen}
    # KEPT as a start may find it: the lane was live when its book was written, and its boom is up yet.
    assert states == set(State) - {State.RAISING, State.LOWERING}, "a human opens and closes"


@pytest.mark.timeout(200)
@pytest.mark.usefixtures("swift")
def test_an_advisory_lane_opens_for_a_signature_only() -> None:
    pictures = (
        PictureClass(truck="none"), PictureClass(truck="arrival"), PictureClass(),
        PictureClass(boom="up", truck="none"), PictureClass(boom="up", zone="loop", truck="none"),
    )  # fmt: skip
    everywhere(explore(tuple(replace(at, mode=Mode.ADVISORY) for at in pictures), every_word=False))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("swift")
def test_every_reachable_memory_with_every_picture_and_every_word() -> None:
    explorer = explore(PICTURES, every_word=True)
    everywhere(explorer)
    known = len(explorer.seen)
    for seed in range(3000):
        walk(explorer, seed, 100)
    assert len(explorer.seen) == known
