import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.alarms import RATE_WINDOW_S, Alarm, AlarmState, Board
from telemetry.payloads.lane import AlarmBody, Text

N, U, A, R = AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED


def body(active: bool, priority: int = 1, alarm: str = "io:link") -> AlarmBody:
    return AlarmBody(alarm=alarm, active=active, priority=2 if priority == 2 else 1, say=Text("是", "it"))


PATHS = [
    ("+", U),
    ("-", N),
    ("+-", R),
    ("+s", A),
    ("+s-", N),
    ("+-s", N),
    ("+-+", U),
    ("+s-+", U),
    ("++", U),
    ("+s+", A),
    ("+--", R),
    ("+ss", A),
    ("+-ss", N),
    ("-s", N),
    ("+s-s", N),
]


@pytest.mark.parametrize(("path", "state"), PATHS)
def test_every_road_through_the_states(path: str, state: AlarmState) -> None:
    board = Board()
    after: Alarm | None = None
    for at, step in enumerate(path):
        if step == "s":
            after = board.acknowledge("L01", "io:link", "li.wei", float(at))
        else:
            after = board.record("L01", body(step == "+"), float(at))
    assert after is not None
    assert after.state is state
    assert (after in board.standing()) is (state is not N)


def test_coming_again_unseen_is_counted_and_seen_starts_anew() -> None:
    board = Board()
    for at, active in enumerate((True, False, True, False)):
        board.record("L01", body(active), float(at))
    after = board.record("L01", body(True), 4.0)
    assert (after.times, after.came_at) == (3, 4.0)
    board.acknowledge("L01", "io:link", "li.wei", 5.0)
    board.record("L01", body(False), 6.0)
    assert board.record("L01", body(True), 7.0).times == 1


def test_what_is_late_changes_nothing_and_an_acknowledgement_covers_only_what_was_there() -> None:
    board = Board()
    board.record("L01", body(True), 10.0)
    assert board.record("L01", body(False), 9.0).state is U
    acknowledged = board.acknowledge("L01", "io:link", "li.wei", 9.5)
    assert acknowledged is not None
    assert acknowledged.state is U
    assert board.acknowledge("L01", "never:heard", "li.wei", 11.0) is None


def test_standing_alarms_are_in_the_order_a_person_needs() -> None:
    board = Board()
    board.record("L01", body(True, 2, "a"), 1.0)
    board.record("L01", body(True, 1, "b"), 2.0)
    board.record("L01", body(True, 1, "c"), 3.0)
    board.record("L01", body(True, 1, "d"), 4.0)
    board.acknowledge("L01", "d", "li.wei", 5.0)
    assert [a.alarm for a in board.standing()] == ["c", "b", "a", "d"]


def test_the_rate_counts_comings_of_ten_minutes() -> None:
    board = Board()
    for at in (0.0, 100.0, 200.0):
        board.record("L01", body(True), at)
        board.record("L01", body(False), at + 1)
    board.record("L02", body(True), 200.0)
    board.record("L02", body(True), 201.0)
    assert (board.rate(250.0), board.rate(RATE_WINDOW_S + 50), board.rate(RATE_WINDOW_S + 200.0)) == (4, 3, 0)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from("+-s"), st.integers(0, 50)), max_size=30))
def test_a_board_made_from_its_own_alarms_is_the_same_board(steps: list[tuple[str, int]]) -> None:
    board = Board()
    for step, at in sorted(steps, key=lambda s: s[1]):
        if step == "s":
            board.acknowledge("L01", "io:link", "li.wei", float(at))
        else:
            board.record("L01", body(step == "+"), float(at))
        board = Board(board._alarms.values())
    last = [s for s, _ in sorted(steps, key=lambda s: s[1]) if s != "s"]
    found = board.get("L01", "io:link")
    assert (found is None) is (not last)
    if found is not None:
        assert (found.state in (U, A)) is (last[-1] == "+")
