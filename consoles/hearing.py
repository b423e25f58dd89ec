"""From the bus to the boards: each word of the lanes, trackers and nodes becomes a newest value or an event.

Arrival order is trusted (one speaker a topic); what is marked `historical` never becomes a live value.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar, cast

import msgspec

from consoles.board import Board
from consoles.wire import AlarmNow, Counts, Event, FixNow, HealthNow, NodeNow, Values, ViewNow, WeightLive
from telemetry import topics
from telemetry.payloads.envelope import Envelope, body, unwrap
from telemetry.payloads.fix import FixBody
from telemetry.payloads.health import HealthBody
from telemetry.payloads.lane import (
    AlarmBody,
    AnswerBody,
    BoomBody,
    DecisionBody,
    PassageBody,
    RefusalBody,
    Text,
    Verb,
    ViewBody,
)
from telemetry.payloads.node import BirthBody, StateBody
from telemetry.payloads.scanner import ScanBody
from telemetry.payloads.sealing import SealingBody
from telemetry.payloads.weight import WeightBody
from telemetry.payloads.zone import ZoneBody

log = logging.getLogger(__name__)

SAMPLES = ("weight", "health", "fix")
"""Words below an instrument that the pages show."""
RECORDS = (
    "view",
    "passage",
    "decision",
    "refusal",
    "boom",
    "alarm",
    "answer",
    "zone",
    "sealing",
    "scan",
    "birth",
    "state",
)
"""Words of a node that the pages show; the others are for the recorder."""
TRAIL_KEPT = 60
"""Earlier places of a tracker: five minutes at a fix in five seconds."""
TRUCKS_WINDOW_S = 3600.0
ALARMS_WINDOW_S = 600.0
"""The rolling count that the operator's screen owes (EEMUA 191)."""
RETURNED_SHOWN_S = 600.0
"""A condition that has gone stays on the list this long, hollow, so that nobody wonders what just rang."""
COUNTED_CEILING = 5000
"""Instants kept for a rolling count: a thousand trucks an hour and room to spare."""
IDS_REMEMBERED = 4000
"""Records come at least once; a second copy within the last so many is known as such."""

_MOVEMENT = {"raise": Text("抬杆", "Raising"), "lower": Text("落杆", "Lowering")}
_PHASE = {
    "not confirmed": Text("指令未得到限位确认", "not confirmed by the limit switch"),
    "refused": Text("被道闸拒绝", "refused by the barrier"),
}
_OUTCOME = {
    "left": Text("车辆倒出车道", "The truck backed out of the lane"),
    "abandoned": Text("车道重启,通行中断", "The lane restarted during the passage"),
    "fault": Text("通行因道闸故障结束", "The passage ended in the lane's fault"),
}
_BY_HAND: Mapping[Verb, Text] = {
    "release": Text("人工放行", "Released by hand"),
    "hold_open": Text("人工保持开启", "Held open by hand"),
    "lower": Text("人工落杆", "Lowered by hand"),
    "lower_now": Text("人工紧急落杆", "Lowered by hand at once"),
}
T = TypeVar("T")


class Heard(Protocol):
    """A message off the bus."""

    @property
    def topic(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    def ack(self) -> None: ...


class Hearing:
    """Fills one board a lane and the room's from what comes over the bus."""

    def __init__(self, site: str, lanes: Iterable[str], room: Board, boards: Mapping[str, Board]) -> None:
        self.site = site
        self.lanes = frozenset(lanes)
        self.room = room
        self.boards = boards
        self.garbage = 0
        self._answers: dict[str, asyncio.Future[AnswerBody]] = {}
        self._seen: dict[str, None] = {}
        self._boots: dict[str, str] = {}
        """The start of each node that last said it is online."""
        self.on_state: Callable[[str, StateBody], None] | None = None
        """Told of every node's state, ours included."""
        self.on_scan: Callable[[], None] | None = None
        """Told when a scanner says that a scan is in the archive."""
        self._crossed: deque[float] = deque(maxlen=COUNTED_CEILING)
        self._rung: deque[float] = deque(maxlen=COUNTED_CEILING)
        self._readers: dict[str, Callable[[topics.Address, Envelope], None]] = {
            "weight": self._weight,
            "health": self._health,
            "fix": self._fix,
            "view": self._view,
            "passage": self._passage,
            "decision": self._decision,
            "refusal": self._refusal,
            "boom": self._boom,
            "alarm": self._alarm,
            "answer": self._answer,
            "zone": self._zone,
            "sealing": self._sealing,
            "scan": self._scan,
            "birth": self._birth,
            "state": self._state,
        }

    def hear(self, message: Heard) -> None:
        """Take one message. Anything that is not ours, or broken, is counted and passed over."""
        address = topics.parse(message.topic)
        try:
            if address is None or address.site != self.site:
                raise ValueError("a topic of nobody here")
            reader = self._readers.get(address.word)
            if reader is not None:
                reader(address, unwrap(message.payload))
        except (ValueError, msgspec.MsgspecError, RecursionError) as wrong:
            self.garbage += 1
            log.debug("%s: %s", message.topic, wrong)
        finally:
            message.ack()

    def recall(self, address: topics.Address, envelope: Envelope) -> None:
        """Take a record out of the store, as if it had been heard when it was written."""
        try:
            self._readers[address.word](address, envelope)
        except msgspec.MsgspecError as wrong:
            self.garbage += 1
            log.debug("recorded %s %s: %s", envelope.src, envelope.id, wrong)

    def expect(self, order: str) -> asyncio.Future[AnswerBody]:
        """What the lane will say to this order. Forget it with `forget`."""
        answer = self._answers[order] = asyncio.get_running_loop().create_future()
        return answer

    def forget(self, order: str) -> None:
        """Wait for this order's answer no more."""
        self._answers.pop(order, None)

    def view(self, lane: str) -> ViewNow | None:
        """A lane's newest view."""
        return self.room.values.views.get(lane)

    def count(self, now: float) -> None:
        """Bring the rolling counts up to `now` and let go of what has long returned."""
        for instants, window_s in ((self._crossed, TRUCKS_WINDOW_S), (self._rung, ALARMS_WINDOW_S)):
            while instants and instants[0] < now - window_s:
                instants.popleft()
        counts = Counts(trucks_1h=len(self._crossed), alarms_10min=len(self._rung))
        if counts != self.room.values.counts:
            for values in self.room.both:
                values.counts = counts
        for board in (self.room, *self.boards.values()):
            alarms = board.values.alarms
            for key in [k for k, a in alarms.items() if not a.active and a.at < now - RETURNED_SHOWN_S]:
                del alarms[key]

    def _boards(self, node: str) -> tuple[Board, ...]:
        lane = self.boards.get(node)
        return (self.room,) if lane is None else (self.room, lane)

    def _put(self, node: str, group: Callable[[Values], dict[str, T]], key: str, value: T) -> None:
        for board in self._boards(node):
            if board.room_for(cast("dict[str, object]", group(board.values)), key):
                for values in board.both:
                    group(values)[key] = value

    def _lane(self, address: topics.Address) -> str:
        if address.node not in self.lanes:
            raise ValueError(f"no lane {address.node} at this site")
        return address.node

    def _weight(self, address: topics.Address, envelope: Envelope) -> None:
        lane = self._lane(address)
        sample = WeightLive(at=envelope.at, body=body(envelope, WeightBody))
        # The room reads the weight in the lane's view; ten samples a second are for the lane's own page.
        for values in self.boards[lane].both:
            values.weights[lane] = sample

    def _view(self, address: topics.Address, envelope: Envelope) -> None:
        if not envelope.historical:
            view = ViewNow(at=envelope.at, body=body(envelope, ViewBody))
            self._put(self._lane(address), lambda v: v.views, address.node, view)

    def _health(self, address: topics.Address, envelope: Envelope) -> None:
        new = body(envelope, HealthBody)
        instrument = address.instrument or ""
        key = f"{address.node}/{instrument}"
        before = self.room.values.health.get(key)
        rate = None
        if before is not None and new.words >= before.body.words and envelope.at > before.at:
            rate = (new.words - before.body.words) / (envelope.at - before.at)
        now = HealthNow(node=address.node, instrument=instrument, at=envelope.at, words_per_s=rate, body=new)
        self._put(address.node, lambda v: v.health, key, now)

    def _fix(self, address: topics.Address, envelope: Envelope) -> None:
        if envelope.historical:
            return
        tracker = address.instrument or ""
        new = body(envelope, FixBody)
        before = self.room.values.fixes.get(tracker)
        trail = [] if before is None else before.trail
        if before is not None and before.body.valid and before.body.x_m is not None and before.body.y_m is not None:
            trail = [*trail, (round(before.body.x_m, 1), round(before.body.y_m, 1))][-TRAIL_KEPT:]
        self._put(address.node, lambda v: v.fixes, tracker, FixNow(at=envelope.at, body=new, trail=trail))

    def _birth(self, address: topics.Address, envelope: Envelope) -> None:
        before = self.room.values.nodes.get(address.node)
        online, at = (None, envelope.at) if before is None else (before.online, before.at)
        now = NodeNow(online=online, at=at, birth=body(envelope, BirthBody))
        self._put(address.node, lambda v: v.nodes, address.node, now)

    def _state(self, address: topics.Address, envelope: Envelope) -> None:
        before = self.room.values.nodes.get(address.node)
        said = body(envelope, StateBody)
        if self.on_state is not None:
            self.on_state(address.node, said)
        online = said.state == "online"
        if not online and self._boots.get(address.node, said.boot) != said.boot:
            # The last will of an earlier start may come long after the next one has begun.
            return
        now = NodeNow(online=online, at=envelope.at, birth=None if before is None else before.birth)
        self._put(address.node, lambda v: v.nodes, address.node, now)
        if online and address.node in self.room.values.nodes:
            self._boots[address.node] = said.boot

    def _passage(self, address: topics.Address, envelope: Envelope) -> None:
        said = body(envelope, PassageBody)
        if said.phase != "closed" or self._known(envelope):
            return
        if said.outcome == "crossed":
            self._crossed.append(said.closed_at or envelope.at)
        elif said.outcome in _OUTCOME:
            self._event(address, envelope, "passage", 1 if said.outcome == "fault" else 3, [_OUTCOME[said.outcome]])

    def _decision(self, address: topics.Address, envelope: Envelope) -> None:
        said = body(envelope, DecisionBody)
        what = None if said.verb is None else _BY_HAND.get(said.verb)
        if what is None or not said.persons or self._known(envelope):
            return
        who = ", ".join(said.persons)
        say = Text(f"{what.zh}: {said.reason.zh} ({who})", f"{what.en}: {said.reason.en} ({who})")
        self._event(address, envelope, "override", 2, [say], said.passage)

    def _refusal(self, address: topics.Address, envelope: Envelope) -> None:
        said = body(envelope, RefusalBody)
        if not self._known(envelope):
            self._event(address, envelope, "refusal", 2, [reason.say for reason in said.reasons], said.passage)

    def _boom(self, address: topics.Address, envelope: Envelope) -> None:
        said = body(envelope, BoomBody)
        if said.phase not in _PHASE or self._known(envelope):
            return
        what, how = _MOVEMENT[said.movement], _PHASE[said.phase]
        text = Text(f"{what.zh}{how.zh}", f"{what.en} {how.en}")
        self._event(address, envelope, "boom", 1 if said.phase == "not confirmed" else 2, [text], said.passage)

    def _alarm(self, address: topics.Address, envelope: Envelope) -> None:
        said = body(envelope, AlarmBody)
        if self._known(envelope):
            return
        key = f"{address.node}/{said.alarm}"
        before = self.room.values.alarms.get(key)
        if said.active and (before is None or not before.active):
            self._rung.append(envelope.at)
            self._event(address, envelope, "alarm", said.priority, [said.say], said.passage)
        if before is not None and envelope.at < before.at:
            return
        if before is None and not said.active:
            return  # a process that has just begun clears what its last life may have left
        now = AlarmNow(
            node=address.node,
            alarm=said.alarm,
            at=envelope.at,
            active=said.active,
            priority=said.priority,
            say=said.say,
            passage=said.passage,
        )
        self._put(address.node, lambda v: v.alarms, key, now)

    def _answer(self, address: topics.Address, envelope: Envelope) -> None:
        said = body(envelope, AnswerBody)
        waiting = self._answers.get(said.order)
        if waiting is not None and not waiting.done():
            waiting.set_result(said)
        if not said.accepted and not self._known(envelope):
            self._event(address, envelope, "answer", 3, [reason.say for reason in said.reasons])

    def _zone(self, address: topics.Address, envelope: Envelope) -> None:
        said = body(envelope, ZoneBody)
        if said.what != "found" and not said.rings and not self._known(envelope):
            self._event(address, envelope, "zone", 3, [said.say])

    def _sealing(self, address: topics.Address, envelope: Envelope) -> None:
        said = body(envelope, SealingBody)
        if (said.was is not None or said.late) and not said.rings and not self._known(envelope):
            self._event(address, envelope, "sealing", 3, [said.say])

    def _scan(self, _: topics.Address, envelope: Envelope) -> None:
        body(envelope, ScanBody)
        if not self._known(envelope) and self.on_scan is not None:
            self.on_scan()

    def _event(
        self,
        address: topics.Address,
        envelope: Envelope,
        kind: str,
        priority: int,
        say: list[Text],
        passage: str | None = None,
    ) -> None:
        event = msgspec.convert(
            {
                "id": envelope.id,
                "at": envelope.at,
                "node": address.node,
                "kind": kind,
                "priority": priority,
                "say": say,
                "passage": passage,
                "historical": envelope.historical,
            },
            Event,
        )
        for board in self._boards(address.node):
            for values in board.both:
                values.events.append(event)

    def _known(self, envelope: Envelope) -> bool:
        key = f"{envelope.src} {envelope.id}"
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > IDS_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return False
