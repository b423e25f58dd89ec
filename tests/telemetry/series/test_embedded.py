import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.faults import SeriesDown
from telemetry.series.base import Curve, Point
from telemetry.series.embedded import EmbeddedSeries
from telemetry.series.writer import Writer

T0 = 1_800_000_000.0 - 1_800_000_000.0 % 3600
TAGS = (("instrument", "wb"), ("node", "L01"), ("site", "q"))


def point(at: float, kg: float, node: str = "L01") -> Point:
    tags = (("instrument", "wb"), ("node", node), ("site", "q"))
    return Point("weight", tags, {"gross_kg": kg, "stable": 1.0}, at)


@pytest.fixture
async def series(tmp_path: Path) -> AsyncIterator[EmbeddedSeries]:
    made = EmbeddedSeries(tmp_path / "series")
    await made.open()
    yield made
    await made.close()


def plain(curves: Sequence[Curve]) -> list[tuple[float, float, float, float, float, int]]:
    (curve,) = curves
    return [(b.at, b.min, b.mean, b.max, b.last, b.n) for b in curve.buckets]


async def test_what_was_written_is_read(series: EmbeddedSeries) -> None:
    await series.write([point(T0, 10), point(T0 + 1, 20), point(T0 + 2.5, 60), point(T0 + 1, 5, "L02")])
    got = await series.query("weight", "gross_kg", tags={"node": "L01"}, start=T0, end=T0 + 2.5, step_s=2)
    assert plain(got) == [(T0, 10, 15, 20, 20, 2)]
    both = await series.query("weight", "gross_kg", tags={}, start=T0, end=T0 + 10, step_s=10)
    assert sorted((c.tags["node"], c.buckets[0].n) for c in both) == [("L01", 3), ("L02", 1)]
    assert await series.query("weight", "gross_kg", tags={"node": "L03"}, start=T0, end=T0 + 9, step_s=1) == []
    assert series.tally().written == 8


async def test_the_latest_follows_the_time_of_the_value_not_of_its_coming(series: EmbeddedSeries) -> None:
    await series.write([point(T0 + 5, 50)])
    await series.write([point(T0 + 3, 30)])
    assert {(x.field, x.at, x.value) for x in await series.latest("weight")} == {
        ("gross_kg", T0 + 5, 50),
        ("stable", T0 + 5, 1),
    }
    await series.write([point(T0 + 6, 60)])
    assert {x.value for x in await series.latest() if x.field == "gross_kg"} == {60}
    assert await series.latest("fix") == []


async def test_what_is_no_number_or_has_no_time_is_refused_and_counted(series: EmbeddedSeries) -> None:
    bad = [
        Point("m", TAGS, {"a": float("nan"), "b": 2.0}, T0),
        Point("m", TAGS, {"a": 1.0}, float("inf")),
        Point("m", TAGS, {"a": 1.0}, -5.0),
        Point("m", TAGS, {"a": 1.0}, 1e12),
    ]
    await series.write(bad)
    assert (series.tally().written, series.tally().refused) == (1, 4)


@pytest.mark.parametrize(("start", "end", "step"), [(0, 10, 0), (0, 10, -1), (10, 0, 1), (0, 1e9, 1)])
async def test_a_question_without_sense_is_refused(
    series: EmbeddedSeries, start: float, end: float, step: float
) -> None:
    with pytest.raises(ValueError):
        await series.query("weight", "gross_kg", tags={}, start=start, end=end, step_s=step)


async def test_folding_keeps_every_answer_and_a_value_that_comes_late_or_twice(tmp_path: Path) -> None:
    series = EmbeddedSeries(tmp_path / "series")
    await series.open()
    for minute in range(190):
        await series.write([point(T0 + minute * 60 + s, minute + s / 100) for s in (0, 20, 40)])
    db = sqlite3.connect(tmp_path / "series")
    hours = [h for (h,) in db.execute("SELECT DISTINCT hour FROM chunks ORDER BY hour")]
    assert hours == [T0 // 3600, T0 // 3600 + 1, T0 // 3600 + 2], "whole hours are folded by writing alone"
    one = await series.query("weight", "gross_kg", tags={}, start=T0, end=T0 + 190 * 60, step_s=60)
    assert plain(one) == [(T0 + m * 60, m, pytest.approx(m + 0.2), m + 0.4, m + 0.4, 3) for m in range(190)]
    await series.write([point(T0 + 20, 7.0), point(T0 + 30, 8.0)])  # a repeat with another value, and a late one
    late = await series.query("weight", "gross_kg", tags={}, start=T0, end=T0 + 60, step_s=60)
    assert plain(late) == [(T0, 0, pytest.approx((0 + 7 + 8 + 0.4) / 4), 8, 0.4, 4)]
    await series.close()
    writer = Writer(tmp_path / "series")
    writer.fold_all()
    writer.close()
    assert db.execute("SELECT count(*) FROM hot").fetchone() == (0,)
    db.close()
    reopened = EmbeddedSeries(tmp_path / "series", read_only=True)
    await reopened.open()
    assert await reopened.query("weight", "gross_kg", tags={}, start=T0, end=T0 + 60, step_s=60) == late
    assert {x.at for x in await reopened.latest()} == {T0 + 189 * 60 + 40}
    with pytest.raises(SeriesDown):
        await reopened.write([point(T0, 1)])
    await reopened.close()


steps = st.one_of(
    st.lists(st.tuples(st.integers(0, 4 * 3600), st.integers(-5, 5)), min_size=1, max_size=40),
    st.just("fold"),
    st.just("reopen"),
)


@settings(max_examples=25, deadline=None)
@given(script=st.lists(steps, max_size=8), step_s=st.sampled_from([1, 7, 60, 300, 3600]), edge=st.integers(0, 3 * 60))
async def test_every_answer_is_what_a_dictionary_says(
    script: list[list[tuple[int, int]] | str], step_s: int, edge: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("series") / "s"
    model: dict[float, float] = {}
    writer = Writer(path)
    for step in script:
        if isinstance(step, list):
            writer.write([point(T0 + t, v) for t, v in step])
            writer.fold_one()
            model.update({T0 + t: float(v) for t, v in step})
        elif step == "fold":
            writer.fold_all()
        else:
            writer.close()
            writer = Writer(path)
    writer.close()
    series = EmbeddedSeries(path, read_only=True)
    await series.open()
    start, end = T0 + edge * 60, T0 + 3600 + edge * 60
    curves = await series.query("weight", "gross_kg", tags={"node": "L01"}, start=start, end=end, step_s=step_s)
    expected: dict[float, list[float]] = {}
    for t in sorted(model):
        if start <= t < end:
            expected.setdefault(t // step_s * step_s, []).append(model[t])
    got = plain(curves) if curves else []
    assert got == [(t, min(v), pytest.approx(sum(v) / len(v)), max(v), v[-1], len(v)) for t, v in expected.items()]
    newest = [x.value for x in await series.latest() if x.field == "gross_kg"]
    assert newest == ([model[max(model)]] if model else [])
    await series.close()


async def test_old_hours_are_dropped_whole(series: EmbeddedSeries, tmp_path: Path) -> None:
    for hour in range(5):
        await series.write([point(T0 + hour * 3600 + s, hour) for s in range(0, 3600, 30)])
        await series.write([point(T0 + hour * 3600 + 3600 + 400, hour)])
    await series.retain(T0 + 2 * 3600 + 60)
    got = await series.query("weight", "gross_kg", tags={}, start=T0, end=T0 + 5 * 3600, step_s=3600)
    assert [b[0] for b in plain(got)] == [T0 + h * 3600 for h in (2, 3, 4)]


async def test_a_damaged_chunk_spoils_neither_writing_nor_other_hours(series: EmbeddedSeries, tmp_path: Path) -> None:
    for m in range(0, 200, 2):
        await series.write([point(T0 + m * 60, m)])
    db = sqlite3.connect(tmp_path / "series", isolation_level=None)
    db.execute("UPDATE chunks SET b=x'00112233' WHERE hour=?", (T0 // 3600,))
    got = await series.query("weight", "gross_kg", tags={}, start=T0, end=T0 + 7200, step_s=7)
    assert plain(got)[0][0] >= T0 + 3600 - 7
    await series.write([point(T0 + 1, 1)])
    await series.write([point(T0 + 260 * 60, 1)])
    assert db.execute("SELECT count(*) FROM damaged").fetchone() == (2,)
    db.close()


async def test_readers_are_not_kept_waiting_by_the_writer(series: EmbeddedSeries, tmp_path: Path) -> None:
    await series.write([point(T0, 1)])
    holds = sqlite3.connect(tmp_path / "series", isolation_level=None)
    holds.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(5):
        assert len(await series.latest()) == 2
    holds.close()


DYING = """
import sys
from pathlib import Path
from telemetry.series import writer as w
from telemetry.series.base import Point
w.FOLD_VALUES = 300
writer = w.Writer(Path(sys.argv[1]))
tags = (("node", "L01"),)
i = 0
while True:
    writer.write([Point("m", tags, {"v": float(i + k)}, 1.8e9 + i + k) for k in range(50)])
    sys.stdout.write(f"{i + 50}\\n"); sys.stdout.flush()
    writer.fold_one()
    i += 50
"""


@pytest.mark.parametrize("told_lines", [3, 40, 90])
async def test_kill_9_loses_nothing_committed(tmp_path: Path, told_lines: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", DYING, str(tmp_path / "s")], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [child.stdout.readline() for _ in range(told_lines)]
    os.kill(child.pid, signal.SIGKILL)
    told += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    least = max(int(line) for line in told if line.endswith("\n"))
    series = EmbeddedSeries(tmp_path / "s")
    await series.open()
    (curve,) = await series.query("m", "v", tags={}, start=1.8e9, end=1.8e9 + least, step_s=1)
    assert [(b.at - 1.8e9, b.last, b.n) for b in curve.buckets] == [(float(i), float(i), 1) for i in range(least)]
    await series.close()
