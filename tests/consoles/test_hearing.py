from decimal import Decimal

import msgspec
import pytest

from consoles.board import Board
from consoles.hearing import ALARMS_WINDOW_S, IDS_REMEMBERED, RETURNED_SHOWN_S, TRAIL_KEPT, TRUCKS_WINDOW_S, Hearing
from telemetry.payloads.fix import FixBody
from telemetry.payloads.health import HealthBody
from telemetry.payloads.lane import AnswerBody, DecisionBody, Text
from telemetry.payloads.node import BirthBody, StateBody
from telemetry.payloads.sealing import SealingBody
from telemetry.payloads.weight import WeightBody
from telemetry.payloads.zone import ZoneBody
from tests.consoles.said import Message, alarm, boom, passage, refusal, said, view


@pytest.fixture
def hearing() -> Hearing:
    boards = {lane: Board(heartbeat_ticks=5) for lane in ("L01", "L02")}
    return Hearing("qianwan", boards, Board(heartbeat_ticks=1), boards)


def health(words: int, at: float) -> Message:
    body = HealthBody(
        link="tcp:x", up=True, since=0, words=words, garbage=0, garbage_bytes=0, gaps=0, reconnects=0, last_word_at=at
    )
    return said("L01", "health", body, at=at, instrument="wb")


def fix(x: float | None, at: float, *, valid: bool = True) -> Message:
    body = FixBody(valid=valid, x_m=x, y_m=None if x is None else 1.0)
    return said("tracker", "fix", body, at=at, instrument="T01")


def state(node: str, word: str, boot: str, at: float = 1.0) -> Message:
    body = StateBody(state="online" if word == "online" else "offline", boot=boot)
    return said(node, "state", body, at=at)


def test_a_view_reaches_its_lane_and_the_room_and_nobody_else(hearing: Hearing) -> None:
    hearing.hear(view("L01", "refused"))
    assert hearing.room.values.views["L01"].body.decision == "refused"
    assert hearing.boards["L01"].values.views["L01"].at == 1000.0
    assert not hearing.boards["L02"].values.views
    seen = hearing.view("L01")
    assert seen is not None and seen.body.reasons[0].code == "DECK_HALF_ON"


def test_samples_of_weight_are_for_the_lanes_own_page(hearing: Hearing) -> None:
    body = WeightBody(gross_kg=Decimal(120), display="120", status="stable")
    hearing.hear(said("L01", "weight", body, instrument="wb"))
    assert hearing.boards["L01"].values.weights["L01"].body.gross_kg == 120
    assert not hearing.room.values.weights


def test_what_comes_late_is_never_live(hearing: Hearing) -> None:
    hearing.hear(view("L01", "opened", historical=True))
    assert hearing.view("L01") is None
    hearing.hear(refusal("A", historical=True))
    assert hearing.room.values.events[0].historical


@pytest.mark.parametrize(
    "bad",
    [
        Message("quaygate/v1/qianwan/L01/view", b"{"),
        Message("quaygate/v1/qianwan/L01/view", b"\xff\xfe"),
        Message("quaygate/v1/qianwan/L01/view", b'{"v":1,"id":"1","at":1,"src":"L01","body":{}}'),
        Message("quaygate/v1/qianwan/L01/view", b"[" * 100_000),
        Message("quaygate/v1/elsewhere/L01/view", b"{}"),
        Message("somebody/else", b"1"),
        view("L09", "idle"),
    ],
)
def test_what_is_broken_or_not_ours_is_counted_and_acknowledged(hearing: Hearing, bad: Message) -> None:
    bad.acked = 0
    hearing.hear(bad)
    assert (hearing.garbage, bad.acked) == (1, 1)
    assert hearing.room.values.views == {}


def test_a_rate_needs_two_words_and_survives_a_restart(hearing: Hearing) -> None:
    rates: list[float | None] = []
    for words, at in ((100, 10.0), (150, 15.0), (5, 20.0), (55, 25.0)):
        hearing.hear(health(words, at))
        rates.append(hearing.room.values.health["L01/wb"].words_per_s)
    assert rates == [None, 10.0, None, 10.0]


def test_a_trail_is_where_it_was_and_has_an_end(hearing: Hearing) -> None:
    for i in range(TRAIL_KEPT + 10):
        hearing.hear(fix(float(i), at=float(i)))
    now = hearing.room.values.fixes["T01"]
    assert len(now.trail) == TRAIL_KEPT and now.trail[-1] == (TRAIL_KEPT + 8.0, 1.0) and now.body.x_m == TRAIL_KEPT + 9
    hearing.hear(fix(None, at=99, valid=False))
    hearing.hear(fix(None, at=100, valid=False))
    assert hearing.room.values.fixes["T01"].trail[-1] == (TRAIL_KEPT + 9.0, 1.0)


def test_a_refusal_is_an_event_with_every_reason_once(hearing: Hearing) -> None:
    message = refusal("A", "B", "C")
    hearing.hear(message)
    hearing.hear(message)
    (event,) = hearing.room.values.events
    assert (event.kind, [text.en for text in event.say]) == ("refusal", ["A", "B", "C"])
    assert hearing.boards["L01"].values.events == [event]
    assert not hearing.boards["L02"].values.events


def test_a_boom_is_an_event_only_when_it_did_not_do_as_it_was_told(hearing: Hearing) -> None:
    for phase in ("written", "read back", "confirmed", "not confirmed", "refused"):
        hearing.hear(boom(phase))
    assert [(e.priority, e.say[0].en) for e in hearing.room.values.events] == [
        (1, "Lowering not confirmed by the limit switch"),
        (2, "Lowering refused by the barrier"),
    ]


def test_trucks_of_the_last_hour(hearing: Hearing) -> None:
    for at in (100.0, 200.0, 300.0):
        hearing.hear(passage("crossed", at))
    hearing.hear(passage("open", 300.0, phase="opened"))
    hearing.hear(passage("left", 310.0))
    hearing.count(310.0)
    assert hearing.room.values.counts is not None and hearing.room.values.counts.trucks_1h == 3
    hearing.count(200.0 + TRUCKS_WINDOW_S + 0.1)
    assert hearing.room.values.counts.trucks_1h == 1
    assert [e.kind for e in hearing.room.values.events] == ["passage"]


def test_alarms_come_count_once_return_and_go(hearing: Hearing) -> None:
    hearing.hear(alarm("wb:zero", active=True, at=100))
    hearing.hear(alarm("wb:zero", active=True, at=101))
    hearing.hear(alarm("io:boom", active=True, at=102))
    hearing.count(103)
    assert hearing.room.values.counts is not None and hearing.room.values.counts.alarms_10min == 2
    assert [e.say[0] for e in hearing.room.values.events] == [Text("脏", "dirty")] * 2
    hearing.hear(alarm("wb:zero", active=False, at=110))
    assert not hearing.room.values.alarms["L01/wb:zero"].active
    hearing.hear(alarm("wb:zero", active=True, at=105))
    assert not hearing.room.values.alarms["L01/wb:zero"].active, "an older record does not ring again"
    hearing.count(110 + RETURNED_SHOWN_S + 1)
    assert set(hearing.room.values.alarms) == {"L01/io:boom"}
    assert hearing.room.values.counts.alarms_10min == 0
    assert ALARMS_WINDOW_S == 600


def test_a_last_will_of_an_earlier_start_is_not_believed(hearing: Hearing) -> None:
    told: list[tuple[str, str]] = []
    hearing.on_state = lambda node, body: told.append((node, body.boot))
    hearing.hear(said("L01", "birth", BirthBody(kind="lane", zh="一", en="one", version="1")))
    assert hearing.room.values.nodes["L01"].online is None
    hearing.hear(state("L01", "online", "first"))
    hearing.hear(state("L01", "online", "second"))
    hearing.hear(state("L01", "offline", "first"))
    assert hearing.room.values.nodes["L01"].online
    hearing.hear(state("L01", "offline", "second"))
    assert hearing.room.values.nodes["L01"].online is False
    birth = hearing.boards["L01"].values.nodes["L01"].birth
    assert birth is not None and birth.en == "one"
    assert [boot for _, boot in told] == ["first", "second", "first", "second"]


def test_an_order_by_hand_is_told_with_its_reason_and_its_persons(hearing: Hearing) -> None:
    base = DecisionBody(
        passage="p", order="o-1", permit="x", movement="raise", expires_at=1002.0, picture="", verb="release",
        reason=Text("电话核对", "by telephone"),
    )  # fmt: skip
    hearing.hear(said("L01", "decision", base))
    hearing.hear(said("L01", "decision", msgspec.structs.replace(base, verb=None, movement="lower")))
    assert hearing.room.values.events == [], "customs' own release is no event"
    by_two = msgspec.structs.replace(base, persons=["li.wei", "chen.jing"])
    message = said("L01", "decision", by_two, number=77)
    hearing.hear(message)
    hearing.hear(message)
    (event,) = hearing.room.values.events
    assert (event.kind, event.priority, event.passage) == ("override", 2, "p")
    assert event.say == [
        Text("人工放行: 电话核对 (li.wei, chen.jing)", "Released by hand: by telephone (li.wei, chen.jing)")
    ]


async def test_an_answer_finds_whoever_waits_for_it(hearing: Hearing) -> None:
    waiting = hearing.expect("o-1")
    hearing.hear(said("L01", "answer", AnswerBody(order="o-2", accepted=True, reasons=[])))
    assert not waiting.done()
    for _ in range(2):
        hearing.hear(said("L01", "answer", AnswerBody(order="o-1", accepted=True, reasons=[])))
    assert (await waiting).accepted
    hearing.forget("o-1")
    hearing.forget("o-1")


def test_memory_of_copies_is_bounded(hearing: Hearing) -> None:
    for number in range(IDS_REMEMBERED + 50):
        hearing.hear(alarm(f"a{number % 3}", active=number % 2 == 0, at=float(number), number=10_000 + number))
    assert len(hearing._seen) == IDS_REMEMBERED


def test_a_crossing_is_an_event_unless_its_alarm_says_so(hearing: Hearing) -> None:
    def zone(what: str, *, rings: bool = False, at: float = 1.0) -> Message:
        say = Text("车 离开 堆场", "T01 left Yard")
        raw = {"tracker": "T01", "zone": "yard", "what": what, "say": say, "x_m": 1.0, "y_m": 2.0, "rings": rings}
        return said("tracker", "zone", msgspec.convert(raw, ZoneBody), at=at)

    hearing.hear(zone("left"))
    hearing.hear(zone("found", at=2.0))
    hearing.hear(zone("left", rings=True, at=3.0))
    [event] = hearing.room.values.events
    assert (event.kind, event.node, event.say[0].en) == ("zone", "tracker", "T01 left Yard")


def test_a_seal_that_changes_is_an_event_unless_its_alarm_says_so(hearing: Hearing) -> None:
    def sealing(state: str, was: str | None = "locked", *, rings: bool = False, late: bool = False) -> Message:
        say = Text("关锁", f"Seal box1 {state}")
        raw = {"seal": "box1", "state": state, "was": was, "say": say, "rings": rings, "late": late}
        return said("tracker", "sealing", msgspec.convert(raw, SealingBody), at=float(len(state)))

    hearing.hear(sealing("locked", None))
    hearing.hear(sealing("opened"))
    hearing.hear(sealing("cut", rings=True))
    hearing.hear(sealing("unlocked", None, late=True))
    assert [event.say[0].en for event in hearing.room.values.events] == ["Seal box1 opened", "Seal box1 unlocked"]
