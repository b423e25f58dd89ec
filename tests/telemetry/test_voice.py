import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from edge.clock import SiteClock
from telemetry.broker import EmbeddedBroker
from telemetry.mqtt import Bus, Message
from telemetry.payloads.envelope import Envelope, body, encode, unwrap, wrap
from telemetry.payloads.lane import BoomBody
from telemetry.payloads.node import BirthBody, StateBody, StoredBody
from telemetry.payloads.weight import WeightBody
from telemetry.spool import Spool
from telemetry.topics import topic
from telemetry.voice import Voice
from tests.telemetry.conftest import until

SITE, NODE = "qianwan", "L01"


def boom(n: int) -> BoomBody:
    return BoomBody(passage=None, permit=str(n), movement="raise", phase="written", seconds=0.0)


def weight(kg: str) -> WeightBody:
    return WeightBody(gross_kg=Decimal(kg), display=kg, status="stable")


class Ears:
    """A listener that may confirm, as the recorder does."""

    def __init__(self, broker: EmbeddedBroker, name: str = "ears") -> None:
        self.bus = Bus(broker.config, name)
        self.heard: list[tuple[str, Envelope]] = []

    def __call__(self, message: Message) -> None:
        self.heard.append((message.topic, unwrap(message.payload)))
        message.ack()

    def of(self, word: str) -> list[Envelope]:
        return [e for t, e in self.heard if t.endswith("/" + word)]

    def say(self, node: str, word: str, what: object) -> "asyncio.Future[None]":
        envelope = Envelope(id="e", at=0.0, src="recorder", body=encode(what))
        return self.bus.offer(topic(SITE, node, word), wrap(envelope), retain=True)


@asynccontextmanager
async def ears(broker: EmbeddedBroker, name: str = "ears") -> AsyncGenerator[Ears]:
    made = Ears(broker, name)
    async with made.bus.running():
        await made.bus.subscribe(f"quaygate/v1/{SITE}/#", made, qos=1)
        yield made


@asynccontextmanager
async def voice(broker: EmbeddedBroker, path: Path) -> AsyncGenerator[Voice]:
    async with Spool(path) as spool, asyncio.TaskGroup() as group:
        made = Voice.join(broker.config, spool, SITE, NODE, SiteClock())
        task = group.create_task(made.run())
        yield made
        task.cancel()


async def test_live_records_are_live_and_in_order_and_confirmed_ones_leave_the_spool(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async with ears(broker) as listener, voice(broker, tmp_path / "s") as lane:
        await lane.bus.connected()
        for n in range(1, 31):
            assert await lane.record("boom", boom(n), float(n)) == n
        await until(lambda: len(listener.of("boom")) == 30)
        got = listener.of("boom")
        assert [(e.seq, e.at, e.historical, e.src, e.epoch) for e in got] == [
            (n, float(n), False, NODE, lane.spool.epoch) for n in range(1, 31)
        ]
        assert lane.unsent == 30
        await listener.say(NODE, "stored", StoredBody(epoch="another", seq=30))
        await listener.say(NODE, "stored", StoredBody(epoch=lane.spool.epoch, seq=29))
        await until(lambda: lane.unsent == 1)
        assert [r.seq for r in await lane.spool.pending(0, 10)] == [30]


async def test_what_was_said_without_a_bus_comes_later_and_says_so(broker: EmbeddedBroker, tmp_path: Path) -> None:
    listener = Ears(broker)
    listener.bus = Bus(broker.config, "keeps", persistent=True)
    await listener.bus.subscribe(f"quaygate/v1/{SITE}/#", listener, qos=1)
    async with listener.bus.running():
        pass
    await broker.stop()
    async with voice(broker, tmp_path / "s") as lane:
        for n in range(250):
            await lane.record("boom", boom(n), float(n))
            assert not lane.sample("weight", "wb", weight(str(n)), float(n))
            assert not lane.sample("view", None, {}, float(n)), "a view is of the moment: not kept"
        await broker.start()
        async with listener.bus.running():
            await until(lambda: len(listener.of("boom")) >= 250 and len(listener.of("weight")) >= 250)
        await until(lambda: lane.spool.tally.samples == 0)
    assert all(e.historical for e in listener.of("boom") + listener.of("weight"))
    assert [e.seq for e in listener.of("boom")] == list(range(1, 251))
    assert [e.at for e in listener.of("weight")] == [float(n) for n in range(250)]
    assert not listener.of("view")


async def test_a_persistent_listener_gets_every_number_over_three_kills_of_the_broker(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    made = Ears(broker)
    made.bus = Bus(broker.config, "keeps", persistent=True)
    async with made.bus.running(), voice(broker, tmp_path / "s") as lane:
        await made.bus.subscribe(f"quaygate/v1/{SITE}/#", made, qos=1)
        said = 0
        for _ in range(3):
            for _ in range(40):
                said = await lane.record("boom", boom(0), 1.0)
            await broker.kill()
            for _ in range(10):
                said = await lane.record("boom", boom(0), 1.0)
            await broker.start()
        seen = lambda: {e.seq for e in made.of("boom")}  # noqa: E731
        await until(lambda: len(seen()) == said == 150)
        assert seen() == set(range(1, 151))
        late = {e.seq for e in made.of("boom") if not e.historical}
        assert late.isdisjoint(range(41, 51)), "said while the broker was dead: historical"


async def test_a_restarted_node_sends_what_is_left_once_as_historical(broker: EmbeddedBroker, tmp_path: Path) -> None:
    async with Spool(tmp_path / "s") as spool:
        for n in range(5):
            await spool.put("boom", bytes(encode(boom(n))), 1.0)
    async with ears(broker) as listener, voice(broker, tmp_path / "s") as lane:
        await until(lambda: len(listener.of("boom")) == 5)
        await lane.record("boom", boom(6), 1.0)
        await until(lambda: len(listener.of("boom")) == 6)
        assert [(e.seq, e.historical) for e in listener.of("boom")] == [(n, n < 6) for n in range(1, 7)]


async def test_unconfirmed_records_come_again_only_while_the_recorder_is_there(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.voice.RESEND_FIRST_S", 0.3)
    monkeypatch.setattr("telemetry.voice.LOOK_EVERY_S", 0.02)
    async with ears(broker) as listener, voice(broker, tmp_path / "s") as lane:
        await lane.bus.connected()
        await lane.record("boom", boom(1), 1.0)
        await lane.record("boom", boom(2), 1.0)
        await until(lambda: len(listener.of("boom")) == 2)
        with pytest.raises(TimeoutError):
            await until(lambda: len(listener.of("boom")) > 2, 0.8)
        await listener.say("recorder", "state", StateBody(state="online", boot="b"))
        await until(lambda: len(listener.of("boom")) >= 4)
        assert [(e.seq, e.historical) for e in listener.of("boom")[:4]] == [
            (1, False),
            (2, False),
            (1, True),
            (2, True),
        ]


async def test_birth_and_state_are_there_for_late_listeners_and_offline_when_it_leaves(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async with voice(broker, tmp_path / "s") as lane:
        lane.birth(BirthBody(kind="lane", zh="一号", en="one", version="1"))
        await lane.bus.connected()
        async with ears(broker, "late") as listener:
            await until(lambda: listener.of("birth") and listener.of("state"))
            state = body(listener.of("state")[0], StateBody)
            assert (state.state, state.boot, state.epoch, state.floor) == ("online", lane.boot, lane.spool.epoch, 1)
            assert body(listener.of("birth")[0], BirthBody).zh == "一号"
    async with ears(broker, "later") as listener:
        # A listener that comes while the node still leaves hears "online" first.
        await until(lambda: [e for e in listener.of("state") if body(e, StateBody).state == "offline"])


async def test_who_comes_while_a_state_is_being_said_hears_it(broker: EmbeddedBroker) -> None:
    """The broker gives such a listener neither the word itself nor what it keeps of it, in three of ten cases."""
    dice, heard = random.Random(5), set[str]()

    def hear(message: Message) -> None:
        heard.add(message.topic)
        message.ack()

    said = [(topic(SITE, f"N{n}", "birth"), topic(SITE, f"N{n}", "state")) for n in range(16)]
    speaker, ear = Bus(broker.config, "speaker"), Bus(broker.config, "ear")
    async with speaker.running(), ear.running():
        for birth, state in said:
            told = [speaker.offer(name, b"x", retain=True) for name in (birth, state)]
            await asyncio.sleep(dice.random() * 0.004)
            await ear.subscribe(state.replace("/state", "/#"), hear, qos=1)
            await asyncio.wait(told)
        await until(lambda: heard == {name for pair in said for name in pair})


async def test_a_sample_is_what_was_given(broker: EmbeddedBroker, tmp_path: Path) -> None:
    async with ears(broker) as listener, voice(broker, tmp_path / "s") as lane:
        await lane.bus.connected()
        assert lane.sample("weight", "wb", weight("38260"), 1_800_000_000.25, "uncertain")
        await until(lambda: len(listener.of("weight")) == 1)
        e = listener.of("weight")[0]
        assert (e.at, e.src, e.q, e.seq, e.historical) == (1_800_000_000.25, "L01/wb", "uncertain", None, False)
        assert body(e, WeightBody) == weight("38260")


@pytest.mark.parametrize(("word", "instrument"), [("boom", None), ("weight", None), ("view", "wb"), ("order", None)])
async def test_a_word_of_another_kind_is_refused(
    tmp_path: Path, broker: EmbeddedBroker, word: str, instrument: str
) -> None:
    async with voice(broker, tmp_path / "s") as lane:
        with pytest.raises(ValueError):
            lane.sample(word, instrument, {}, 1.0)
        with pytest.raises(ValueError):
            await lane.record("weight", {}, 1.0)
