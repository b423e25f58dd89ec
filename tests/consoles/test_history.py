from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from consoles.board import Board
from consoles.hearing import Hearing
from consoles.history import GAP_STEPS, History, existing
from drivers.readings import Instant
from telemetry.config import RecordsConfig, SeriesConfig
from telemetry.faults import RecordsDown
from telemetry.payloads.envelope import encode
from telemetry.payloads.lane import AlarmBody, PassageBody, Text
from telemetry.records import Records
from telemetry.series.base import Point
from telemetry.series.embedded import EmbeddedSeries
from telemetry.series.engines import FILE, engine
from telemetry.stored import StoredRecord

NOW = 1_800_000_000.0


def tags(lane: str) -> tuple[tuple[str, str], ...]:
    return ("node", lane), ("site", "qianwan")


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    url = RecordsConfig().url_in(tmp_path)
    made = History("qianwan", lambda: engine(SeriesConfig(), tmp_path, read_only=True), lambda: Records(existing(url)))
    yield made
    await made.close()


async def written(folder: Path, points: list[Point]) -> None:
    series = EmbeddedSeries(folder / FILE)
    await series.open()
    await series.write(points)
    await series.close()


def passages(lane: str, *ago_s: float, crossed: float = 1.0) -> list[Point]:
    return [Point("passage", tags(lane), {"closed": 1.0, "crossed": crossed, "seconds": 18.0}, NOW - s) for s in ago_s]


async def test_no_engine_yet_is_an_empty_trend_and_later_a_full_one(history: History, tmp_path: Path) -> None:
    early = await history.trend("trucks", None, 4, Instant(NOW))
    assert (early.at, early.value, early.unit) == ([], [], "1/h")
    assert (early.start, early.end) == (NOW - 4 * 3600, NOW)
    await written(tmp_path, passages("L01", 10))
    assert len((await history.trend("trucks", None, 4, Instant(NOW))).at) == 1


async def test_trucks_an_hour_are_counted_over_all_lanes(history: History, tmp_path: Path) -> None:
    # 1.8e9 is a whole multiple of a quarter of an hour.
    points = passages("L01", 10, 20, 30) + passages("L02", 15, 800) + passages("L01", 40, crossed=0.0)
    await written(tmp_path, [*points, *passages("L01", 1000)])
    whole = await history.trend("trucks", None, 4, Instant(NOW))
    assert whole.value == [4.0, 20.0] and whole.at == [NOW - 1800, NOW - 900]
    assert (await history.trend("trucks", "L02", 4, Instant(NOW))).value == [8.0]


async def test_seconds_are_averaged_by_their_number(history: History, tmp_path: Path) -> None:
    def one(lane: str, seconds: float, ago_s: float) -> Point:
        return Point("passage", tags(lane), {"seconds": seconds}, NOW - ago_s)

    await written(tmp_path, [one("L01", 10, 5), one("L01", 20, 10), one("L02", 60, 6)])
    assert (await history.trend("seconds", None, 4, Instant(NOW))).value == [30.0]


async def test_a_silence_breaks_the_line(history: History, tmp_path: Path) -> None:
    at = [NOW - 100 + i for i in (*range(10), *range(50, 60))]
    await written(tmp_path, [Point("weight", tags("L01"), {"gross_kg": 20.0 * i}, t) for i, t in enumerate(at)])
    line = await history.trend("weight", "L01", 0.25, Instant(NOW))
    assert line.value.count(None) == 1 and len(line.value) == 21
    gap = line.value.index(None)
    assert line.at[gap + 1] - line.at[gap - 1] > GAP_STEPS
    assert line.at == sorted(line.at)


async def test_another_sites_values_are_not_ours(history: History, tmp_path: Path) -> None:
    await written(tmp_path, [Point("weight", (("node", "L01"), ("site", "other")), {"gross_kg": 1.0}, NOW - 5)])
    assert (await history.trend("weight", "L01", 1, Instant(NOW))).at == []


def record(seq: int, word: str, body: object, at: float, *, site: str = "qianwan") -> StoredRecord:
    name = getattr(body, "passage", None)
    return StoredRecord(
        site=site, node="L01", epoch="e", seq=seq, word=word, at=at, q="good", historical=False, passage=name,
        body=bytes(encode(body)).decode(),
    )  # fmt: skip


def passage(name: str, opened_at: float) -> PassageBody:
    return PassageBody(
        passage=name, phase="closed", outcome="crossed", direction="in", opened_at=opened_at, closed_at=opened_at + 18,
        plate="沪AD3F88", decision="release",
    )  # fmt: skip


async def test_what_was_recorded_is_taken_over_in_its_order(history: History, tmp_path: Path) -> None:
    with pytest.raises(RecordsDown):
        await history.recall()
    assert await history.passages(None, 10, Instant(NOW)) == []
    assert not list(tmp_path.iterdir()), "asking makes no empty database"
    store = Records(RecordsConfig().url_in(tmp_path))
    await store.open()
    dirty = AlarmBody(alarm="ocr:lens", active=True, priority=3, say=Text("脏", "dirty"))
    await store.store(
        [
            record(1, "passage", passage("p1", NOW - 100), NOW - 82),
            record(2, "alarm", dirty, NOW - 90),
            record(3, "passage", passage("p2", NOW - 50), NOW - 32),
            record(9, "alarm", dirty, NOW - 5, site="elsewhere"),
        ]
    )
    await store.close()
    told = await history.recall()
    assert [(address.word, envelope.id) for address, envelope in told] == [
        ("alarm", "e-2"),
        ("passage", "e-1"),
        ("passage", "e-3"),
    ]
    rows = await history.passages("L01", 10, Instant(NOW))
    assert [(row.passage, row.seconds, row.outcome) for row in rows] == [
        ("p2", 18.0, "crossed"),
        ("p1", 18.0, "crossed"),
    ]

    boards = {"L01": Board(heartbeat_ticks=5)}
    hearing = Hearing("qianwan", boards, Board(heartbeat_ticks=1), boards)
    for address, envelope in told * 2:
        hearing.recall(address, envelope)
    hearing.count(NOW)
    assert hearing.room.values.counts is not None
    assert (hearing.room.values.counts.trucks_1h, hearing.room.values.counts.alarms_10min) == (2, 1)
    assert hearing.room.values.alarms["L01/ocr:lens"].active
