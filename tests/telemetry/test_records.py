import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.alarms import AlarmState
from telemetry.faults import RecordsDown
from telemetry.payloads.envelope import encode
from telemetry.payloads.lane import AcknowledgementBody, AlarmBody, PassageBody, Text
from telemetry.records import GARBAGE_CEILING, Records
from telemetry.stored import Hole, StoredRecord, missing

L1 = ("q", "L01", "e1")


def record(seq: int, word: str = "boom", body: object = None, at: float | None = None, **other: Any) -> StoredRecord:
    said: dict[str, Any] = {
        "site": "q",
        "node": "L01",
        "epoch": "e1",
        "q": "good",
        "historical": False,
        "passage": None,
    } | other
    return StoredRecord(
        seq=seq, word=word, at=float(seq) if at is None else at, body=bytes(encode(body or {"n": seq})).decode(), **said
    )


def passage(name: str, phase: Literal["opened", "closed"] = "opened", **other: Any) -> PassageBody:
    outcome = "open" if phase == "opened" else "crossed"
    return PassageBody(passage=name, phase=phase, outcome=outcome, direction="in", opened_at=100.0, **other)


def hole(first: int, last: int, *, lost: bool = False) -> Hole:
    return Hole(site="q", node="L01", epoch="e1", first=first, last=last, lost=lost)


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    made = Records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    await made.open()
    yield made
    await made.close()


async def test_a_repeat_changes_nothing(records: Records) -> None:
    first = [record(n) for n in range(1, 6)]
    assert await records.store(first) == {L1: 5}
    assert await records.store([record(3, body={"n": "other"}), *first, record(6), record(6)]) == {L1: 6}
    assert [(r.seq, r.body) for r in await records.recent("boom")] == [(n, f'{{"n":{n}}}') for n in range(6, 0, -1)]
    assert await records.holes() == []


async def test_a_hole_holds_the_number_back_until_it_is_filled_in_any_order(records: Records) -> None:
    assert await records.store([record(1), record(4), record(7)]) == {L1: 1}
    assert await records.holes() == [hole(2, 3), hole(5, 6)]
    assert await records.store([record(5), record(6)]) == {L1: 1}
    assert await records.store([record(3), record(2)]) == {L1: 7}
    assert await records.holes() == []


async def test_what_can_never_come_is_written_down_as_lost(records: Records) -> None:
    await records.store([record(2), record(6), record(9)])
    assert await records.floor(L1, 6, 50.0) == 6
    assert await records.holes() == [hole(1, 1, lost=True), hole(3, 5, lost=True), hole(7, 8)]
    assert await records.floor(L1, 3, 51.0) == 6
    assert await records.store([record(7), record(8)]) == {L1: 9}
    assert await records.floor(("q", "L09", "x"), 1, 51.0) == 0


async def test_another_epoch_is_another_numbering(records: Records) -> None:
    await records.store([record(1), record(2)])
    got = await records.store([record(1, epoch="e2", body={"n": "new"}), record(1, node="L02")])
    assert got == {("q", "L01", "e2"): 1, ("q", "L02", "e1"): 1}
    assert await records.whole() == got | {L1: 2}
    assert len(await records.recent("boom")) == 4


async def test_a_passage_is_what_was_said_last_whatever_came_first(records: Records) -> None:
    closed = passage("p1", "closed", closed_at=140.5, plate="沪AD3F88", gross_kg=Decimal("38260.5"))
    await records.store([record(9, "passage", closed, passage="p1")])
    await records.store([record(3, "passage", passage("p1"), passage="p1"), record(4, "refusal", {}, passage="p1")])
    await records.store([record(10, "passage", passage("p2"), passage="p2", node="L02")])
    found = await records.passage("p1")
    assert found is not None
    assert found.body == closed
    assert [p.body.passage for p in await records.passages(100, 101, node="L01")] == ["p1"]
    assert [p.body.passage for p in await records.passages(0, 1e9, plate="沪AD3F88")] == ["p1"]
    assert await records.passages(101, 1e9) == []
    assert [(r.seq, r.word) for r in await records.of_passage("p1")] == [(3, "passage"), (4, "refusal"), (9, "passage")]
    assert await records.passage("p3") is None


async def test_alarms_stand_as_records_and_persons_left_them(records: Records) -> None:
    def alarm(active: bool, name: str = "io:link") -> AlarmBody:
        return AlarmBody(alarm=name, active=active, priority=1, say=Text("断线", "lost"))

    await records.store([record(1, "alarm", alarm(True)), record(2, "alarm", alarm(True, "wb:frozen"))])
    seen = AcknowledgementBody(node="L01", alarm="io:link", person="li.wei")
    await records.store([record(3, "acknowledgement", seen, node="console", epoch="c")])
    assert {(a.alarm, a.state, a.acknowledged_by) for a in await records.alarms()} == {
        ("io:link", AlarmState.ACKNOWLEDGED, "li.wei"),
        ("wb:frozen", AlarmState.UNACKNOWLEDGED, None),
    }
    await records.store([record(1, "alarm", alarm(True)), record(4, "alarm", alarm(False))])
    assert [a.alarm for a in await records.alarms()] == ["wb:frozen"]
    assert len(await records.alarms(standing_only=False)) == 2


async def test_questions_of_the_consoles(records: Records) -> None:
    await records.store([record(n, "refusal" if n % 3 else "boom", at=float(n)) for n in range(1, 10)])
    assert [r.seq for r in await records.recent("refusal", limit=2)] == [8, 7]
    assert [r.seq for r in await records.recent("refusal", "boom", limit=3, before=5.0)] == [4, 3, 2]
    assert await records.recent("refusal", node="L02") == []
    assert await records.counts(0, 9) == {("L01", "refusal"): 6, ("L01", "boom"): 2}


async def test_what_was_none_of_ours_is_kept_up_to_a_ceiling(records: Records) -> None:
    for n in range(5):
        await records.garbage(float(n), "t" * 9999, "why", b"\x00" * 9999)
    kept = await records._run(lambda c: c.exec_driver_sql("SELECT count(*), max(length(raw)) FROM garbage").one())
    assert tuple(kept) == (5, 4096)
    assert GARBAGE_CEILING == 1000


async def test_a_database_that_is_not_there_says_so() -> None:
    records = Records("sqlite:////proc/none/records.sqlite")
    with pytest.raises(RecordsDown):
        await records.open()
    await records.close()


@settings(max_examples=20, deadline=None)
@given(batches=st.lists(st.lists(st.integers(1, 25), min_size=1, max_size=12), max_size=8), floor=st.integers(1, 20))
async def test_whole_and_holes_agree_with_a_set(
    batches: list[list[int]], floor: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    records = Records(f"sqlite:///{tmp_path_factory.mktemp('r') / 'r.sqlite'}")
    await records.open()
    known: set[int] = set()
    for batch in batches:
        known |= set(batch)
        upto = await records.store([record(n) for n in batch])
        whole = next(n for n in range(30) if n + 1 not in known)
        assert upto == {L1: whole}
    raised = await records.floor(L1, floor, 1.0)
    gone = {n for n in range(1, floor) if n not in known}
    assert raised == next(n for n in range(30) if n + 1 not in known | gone)
    holes = await records.holes()
    assert {n for h in holes if h.lost for n in range(h.first, h.last + 1)} == {n for n in gone if n > whole_of(known)}
    awaited = {n for h in holes if not h.lost for n in range(h.first, h.last + 1)}
    assert awaited == {n for n in range(raised + 1, max(known, default=0)) if n not in known}
    await records.close()


def whole_of(known: set[int]) -> int:
    return next(n for n in range(30) if n + 1 not in known)


def test_ranges_between_numbers() -> None:
    assert missing([0, 1, 2]) == []
    assert missing([0, 3, 4, 9]) == [(1, 2), (5, 8)]
    assert missing([]) == []


async def test_readers_beside_the_writer_see_what_is_stored(records: Records, tmp_path: Path) -> None:
    other = Records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    await other.open()
    await asyncio.gather(records.store([record(n) for n in range(1, 200)]), other.recent("boom"))
    assert len(await other.recent("boom", limit=500)) == 199
    await other.close()
