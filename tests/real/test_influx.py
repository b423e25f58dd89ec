import asyncio
from pathlib import Path

import pytest

from telemetry.config import SeriesConfig
from telemetry.faults import SeriesDown
from telemetry.series.base import Curve, Latest, Point
from telemetry.series.embedded import EmbeddedSeries
from telemetry.series.influx import InfluxSeries
from tests.real.conftest import Influx
from tests.telemetry.conftest import until

pytestmark = pytest.mark.real

T0 = 1_800_000_000.0


def config(influx: Influx) -> SeriesConfig:
    return SeriesConfig(engine="influx", url=influx.url, token_file=influx.token_file, bucket="port")


def points(node: str = "L01", n: int = 300) -> list[Point]:
    tags = (("instrument", "wb, a=1"), ("node", node), ("site", "青岛 q"))
    return [
        Point("weight", tags, {"gross_kg": 38_000.0 + i % 7 * 20, "stable": float(i % 2)}, T0 + i) for i in range(n)
    ]


def flat(curves: list[Curve]) -> list[tuple[dict[str, str], list[tuple[float, ...]]]]:
    """In one order; the mean last, since it alone may differ in its last bit."""
    return sorted(
        ((dict(c.tags), [(b.at, b.min, b.max, b.last, b.n, b.mean) for b in c.buckets]) for c in curves), key=str
    )


async def test_it_answers_exactly_as_the_embedded_engine_does(influx: Influx, tmp_path: Path) -> None:
    real, own = InfluxSeries(config(influx), tmp_path), EmbeddedSeries(tmp_path / "own")
    for series in (real, own):
        await series.open()
        await series.write(points() + points("L02", 5))
        await series.write(points("L01", 50))  # twice is harmless
    questions: list[tuple[dict[str, str], int]] = [
        ({"node": "L01"}, 60),
        ({}, 7),
        ({"site": "青岛 q", "instrument": "wb, a=1"}, 3600),
    ]
    for tags, step in questions:
        for field in ("gross_kg", "stable"):
            left, right = [
                flat(await s.query("weight", field, tags=tags, start=T0 + 60, end=T0 + 240, step_s=step))
                for s in (real, own)
            ]
            assert [(t, [b[:5] for b in buckets]) for t, buckets in left] == [
                (t, [b[:5] for b in buckets]) for t, buckets in right
            ]
            for (_, a), (_, b) in zip(left, right, strict=True):
                assert [x[5] for x in a] == pytest.approx([x[5] for x in b])

    def key(x: Latest) -> str:
        return str((dict(x.tags), x.field, x.at, x.value))

    assert sorted(map(key, await real.latest("weight"))) == sorted(map(key, await own.latest("weight")))
    assert len(await real.latest()) == 4
    await real.close()
    await own.close()


async def test_killed_and_back_it_has_every_point(
    influx: Influx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.series.influx.RETRY_S", 0.1)
    series = InfluxSeries(config(influx), tmp_path)
    await series.open()
    async with asyncio.TaskGroup() as group:
        run = group.create_task(series.run())
        for i in range(0, 300, 10):
            if i == 100:
                influx.server.kill()
            if i == 200:
                influx.server.start()
            await series.write(points()[i : i + 10])
        await until(lambda: series.tally().up, 20)
        run.cancel()
    (curve,) = await series.query("weight", "gross_kg", tags={}, start=T0, end=T0 + 300, step_s=300)
    assert sum(b.n for b in curve.buckets) == 300
    assert (series.tally().waiting, series.tally().refused) == (0, 0)
    await series.close()


async def test_a_field_of_another_type_is_put_aside_and_the_rest_is_written(influx: Influx, tmp_path: Path) -> None:
    series = InfluxSeries(config(influx), tmp_path)
    await series.open()
    series._api.write("port", "", b'weight,node=other gross_kg="text" 1800000000000', write_precision="ms")
    await series.write([*points(n=20), Point("fine", (("node", "L01"),), {"v": 1.0}, T0)])
    assert series.tally().up
    assert series.tally().refused >= 20
    (curve,) = await series.query("fine", "v", tags={}, start=T0, end=T0 + 1, step_s=1)
    assert curve.buckets[0].n == 1
    await series.close()


async def test_a_wrong_token_or_a_missing_database_waits_and_says_so(influx: Influx, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("nonsense")
    wrong_token = config(influx).model_copy(update={"token_file": tmp_path / "wrong"})
    no_database = config(influx).model_copy(update={"bucket": "none"})
    for other in (wrong_token, no_database):
        series = InfluxSeries(other, tmp_path / other.bucket)
        await series.open()
        await series.write(points(n=3))
        assert (series.tally().waiting, series.tally().up) == (3, False)
        await series.close()
        with pytest.raises(SeriesDown):
            await series.latest()
