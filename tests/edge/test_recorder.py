import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edge.agents.recorder import Recorder
from edge.clock import SiteClock
from telemetry.broker import EmbeddedBroker
from telemetry.config import BrokerConfig
from telemetry.faults import RecordsDown
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import Envelope, encode, wrap
from telemetry.payloads.lane import BoomBody, PassageBody
from telemetry.payloads.node import StateBody
from telemetry.payloads.weight import WeightBody
from telemetry.records import Records
from telemetry.series.embedded import EmbeddedSeries
from telemetry.spool import Spool
from telemetry.stored import Numbering, StoredRecord
from telemetry.topics import topic
from telemetry.voice import Voice
from tests.telemetry.conftest import free_port, until

SITE = "qianwan"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    made = EmbeddedBroker(BrokerConfig(port=free_port()), tmp_path / "broker")
    await made.start()
    yield made
    await made.stop()


def boom(n: int) -> BoomBody:
    return BoomBody(passage=f"p{n}", permit=str(n), movement="raise", phase="written", seconds=0.0)


def weight(kg: int) -> WeightBody:
    return WeightBody(gross_kg=Decimal(kg), display=str(kg), status="stable")


@asynccontextmanager
async def recording(
    broker: EmbeddedBroker, folder: Path, *, speed: float = 1.0, records: Records | None = None
) -> AsyncGenerator[Recorder]:
    async with Spool(folder / "spool") as spool, asyncio.TaskGroup() as group:
        store = records or Records(f"sqlite:///{folder / 'records.sqlite'}")
        series = EmbeddedSeries(folder / "series.sqlite")
        made = Recorder(SITE, broker.config, spool, series, store, SiteClock(speed=speed))
        task = group.create_task(made.run())
        yield made
        task.cancel()


@asynccontextmanager
async def lane(broker: EmbeddedBroker, path: Path, node: str = "L01") -> AsyncGenerator[Voice]:
    async with Spool(path) as spool, asyncio.TaskGroup() as group:
        made = Voice.join(broker.config, spool, SITE, node, SiteClock())
        task = group.create_task(made.run())
        yield made
        task.cancel()


@asynccontextmanager
async def store(folder: Path) -> AsyncGenerator[Records]:
    records = Records(f"sqlite:///{folder / 'records.sqlite'}")
    await records.open()
    yield records
    await records.close()


async def test_what_a_lane_says_is_stored_and_the_lane_may_forget_it(broker: EmbeddedBroker, tmp_path: Path) -> None:
    async with recording(broker, tmp_path) as recorder, lane(broker, tmp_path / "lane") as speaker:
        await recorder._voice.bus.connected()
        await speaker.bus.connected()
        t0 = speaker._clock.now()
        passage = PassageBody(
            passage="p1", phase="closed", outcome="crossed", direction="in", opened_at=t0, closed_at=t0 + 30
        )
        for n in range(1, 21):
            await speaker.record("boom", boom(n), t0 + n)
            speaker.sample("weight", "wb", weight(20 * n), t0 + n)
        await speaker.record("passage", passage, t0 + 30)
        await until(lambda: speaker.unsent == 0)
    async with store(tmp_path) as records:
        assert [r.seq for r in await records.recent("boom")] == list(range(20, 0, -1))
        assert not any(r.historical for r in await records.recent("boom", "passage"))
        found = await records.passage("p1")
        assert found is not None
        assert found.body == passage
        assert await records.holes() == []
    series = EmbeddedSeries(tmp_path / "series.sqlite", read_only=True)
    await series.open()
    (curve,) = await series.query("weight", "gross_kg", tags={"node": "L01"}, start=t0, end=t0 + 60, step_s=100)
    assert (curve.tags["instrument"], sum(b.n for b in curve.buckets)) == ("wb", 20)
    (crossed,) = await series.query("passage", "crossed", tags={}, start=t0, end=t0 + 60, step_s=100)
    assert sum(b.n for b in crossed.buckets) == 1
    await series.close()


RECORDER = """
import asyncio, sys
from pathlib import Path
from typing import Any
from edge.agents.recorder import Recorder
from edge.clock import SiteClock
from telemetry.config import BrokerConfig
from telemetry.records import Records
from telemetry.series.embedded import EmbeddedSeries
from telemetry.spool import Spool

async def main(port, folder):
    async with Spool(folder / "spool") as spool:
        store, series = Records(f"sqlite:///{folder / 'records.sqlite'}"), EmbeddedSeries(folder / "series.sqlite")
        await Recorder("qianwan", BrokerConfig(port=port), spool, series, store, SiteClock()).run()

asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
"""


async def test_broker_and_recorder_killed_three_times_each_lose_and_double_nothing(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async def start() -> asyncio.subprocess.Process:
        argv = ("-c", RECORDER, str(broker.config.port), str(tmp_path))
        return await asyncio.create_subprocess_exec(sys.executable, *argv)

    recorder = await start()
    late: set[int] = set()
    async with lane(broker, tmp_path / "lane") as speaker:
        for _ in range(3):
            await speaker.bus.connected()
            for n in range(30):
                await speaker.record("boom", boom(n), 1.0)
            await broker.kill()
            await until(lambda: not speaker.bus.up)
            for n in range(10):
                late.add(await speaker.record("boom", boom(n), 1.0))
            os.kill(recorder.pid, signal.SIGKILL)
            await recorder.wait()
            await broker.start()
            recorder = await start()
        await until(lambda: speaker.unsent == 0, 40)
        last = speaker.spool.last
    recorder.terminate()
    await recorder.wait()
    async with store(tmp_path) as records:
        found = await records.recent("boom", limit=1000)
        assert sorted(r.seq for r in found) == list(range(1, last + 1)), "whole, and nothing twice"
        assert last == 120
        assert late <= {r.seq for r in found if r.historical}, "what was said without a broker is historical"
        assert await records.holes() == []


async def test_a_store_that_was_lost_says_what_can_never_come(broker: EmbeddedBroker, tmp_path: Path) -> None:
    async with lane(broker, tmp_path / "lane") as speaker, recording(broker, tmp_path):
        for n in range(5):
            await speaker.record("boom", boom(n), 1.0)
        await until(lambda: speaker.unsent == 0)
    for file in tmp_path.glob("records.sqlite*"):
        file.unlink()
    async with lane(broker, tmp_path / "lane") as speaker, recording(broker, tmp_path, speed=50):
        await speaker.record("boom", boom(6), 1.0)
        await until(lambda: speaker.unsent == 0)
        async with store(tmp_path) as records:
            ours = [h for h in await records.holes() if h.node == "L01"]
            assert [(h.first, h.last, h.lost) for h in ours] == [(1, 5, True)]
            async with asyncio.timeout(15):
                while "records:lost" not in {a.alarm for a in await records.alarms()}:
                    await asyncio.sleep(0.02)


async def test_a_spool_that_was_lost_begins_a_new_numbering_and_nothing_is_taken_for_known(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async with recording(broker, tmp_path):
        for spool in ("lane", "lane, new disk"):
            async with lane(broker, tmp_path / spool) as speaker:
                for n in range(3):
                    await speaker.record("boom", boom(n), 1.0)
                await until(lambda: speaker.unsent == 0)
    async with store(tmp_path) as records:
        assert len(await records.recent("boom")) == 6
        assert sorted(v for (_, n, _), v in (await records.whole()).items() if n == "L01") == [3, 3]


async def test_a_gap_that_stays_rings_and_is_quiet_when_it_is_filled(broker: EmbeddedBroker, tmp_path: Path) -> None:
    def said(seq: int) -> bytes:
        return wrap(Envelope(id=str(seq), seq=seq, epoch="e", at=1.0, src="L01", body=encode(boom(seq))))

    async with recording(broker, tmp_path, speed=100) as recorder, Bus(broker.config, "hand").running() as hand:
        await recorder._voice.bus.connected()
        name = topic(SITE, "L01", "boom")
        for seq in (1, 4):
            await hand.deliver(name, said(seq))
        async with store(tmp_path) as records, asyncio.timeout(20):
            while "records:gap" not in {a.alarm for a in await records.alarms()}:
                await asyncio.sleep(0.02)
            for seq in (3, 2):
                await hand.deliver(name, said(seq))
            while "returned" not in {a.state for a in await records.alarms()}:
                await asyncio.sleep(0.02)


async def test_what_is_none_of_ours_is_counted_kept_and_stops_nothing(broker: EmbeddedBroker, tmp_path: Path) -> None:
    t0 = SiteClock().now()

    def envelope(word_body: object, **other: Any) -> bytes:
        return wrap(Envelope(id="x", at=t0, src="L01", body=encode(word_body), **other))

    bad = {
        "weight": [b"", b"\xff\xfe", b"{}", envelope({"kg": 1})],
        "boom": [envelope(boom(1)), envelope(boom(1), seq=0, epoch="e"), envelope(boom(1), seq=3)],
        "passage": [envelope({"passage": 5}, seq=1, epoch="e")],
        "state": [b"null", envelope({"state": "maybe"})],
    }
    ahead = wrap(Envelope(id="x", at=t0 + 1e6, src="L01/wb", body=encode(weight(1))))
    async with recording(broker, tmp_path) as recorder, Bus(broker.config, "hand").running() as hand:
        await until(lambda: recorder._voice.bus.up)
        for word, payloads in bad.items():
            name = topic(SITE, "L01", word, "wb" if word == "weight" else None)
            for payload in payloads:
                await hand.deliver(name, payload)
        await hand.deliver(topic(SITE, "L01", "weight", "wb"), ahead)
        await hand.deliver(f"quaygate/v1/{SITE}/L01/nonsense", b"x")
        await hand.deliver(topic(SITE, "L01", "boom"), envelope(boom(1), seq=1, epoch="e"))
        await until(lambda: recorder._states["records"].words >= 1)
        assert recorder._garbage == 11, "all but the empty payload, which is how a retained word is cleared"
    async with store(tmp_path) as records:
        assert [r.seq for r in await records.recent("boom")] == [1]
        kept = await records._run(lambda c: c.exec_driver_sql("SELECT count(*) FROM garbage").scalar_one())
        assert kept == 11


class Ailing(Records):
    """A database that is away for a while."""

    away = False

    async def store(self, batch: Sequence[StoredRecord]) -> dict[Numbering, int]:
        if self.away:
            raise RecordsDown("away")
        return await super().store(batch)


async def test_nothing_is_acknowledged_while_the_database_is_away(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge.agents.recorder.AGAIN_S", 0.05)
    ailing = Ailing(f"sqlite:///{tmp_path / 'records.sqlite'}")
    async with recording(broker, tmp_path, records=ailing) as recorder, lane(broker, tmp_path / "lane") as speaker:
        await recorder._voice.bus.connected()
        await speaker.bus.connected()
        ailing.away = True
        for n in range(5):
            await speaker.record("boom", boom(n), 1.0)
        await until(lambda: not recorder._states["records"].up)
        assert speaker.unsent == 5
        ailing.away = False
        await until(lambda: speaker.unsent == 0)
        assert recorder._states["records"].up
    said = [r.message for r in caplog.records if r.name == "edge.agents.recorder"]
    assert said == ["records: lost: away", "records: back"]


async def test_the_recorder_says_that_it_is_there_and_how_it_is(broker: EmbeddedBroker, tmp_path: Path) -> None:
    heard: dict[str, bytes] = {}
    async with Bus(broker.config, "ears").running() as ears:
        await ears.subscribe(f"quaygate/v1/{SITE}/recorder/#", lambda m: heard.__setitem__(m.topic, m.payload))
        async with recording(broker, tmp_path, speed=50):
            words = {f"quaygate/v1/{SITE}/recorder/{w}" for w in ("birth", "state", "bus/health", "records/health")}
            await until(lambda: words <= set(heard))
        await until(lambda: b"offline" in heard[f"quaygate/v1/{SITE}/recorder/state"])


async def test_a_state_without_numbering_changes_nothing(broker: EmbeddedBroker, tmp_path: Path) -> None:
    gone = wrap(Envelope(id="x", at=1.0, src="L01", body=encode(StateBody(state="offline", boot="b"))))
    async with recording(broker, tmp_path), Bus(broker.config, "hand").running() as hand:
        await hand.deliver(topic(SITE, "L01", "state"), gone, retain=True)
        async with lane(broker, tmp_path / "lane") as speaker:
            await speaker.record("boom", boom(1), 1.0)
            await until(lambda: speaker.unsent == 0)
