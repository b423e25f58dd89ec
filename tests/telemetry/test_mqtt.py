import asyncio
from pathlib import Path

import pytest

from telemetry.broker import EmbeddedBroker
from telemetry.config import BrokerConfig
from telemetry.faults import BrokerFailed, NotDelivered
from telemetry.mqtt import Bus, Inbox, Message, Will
from tests.telemetry.conftest import free_port, until


async def test_a_sample_and_a_record_arrive(broker: EmbeddedBroker) -> None:
    got: list[Message] = []
    async with Bus(broker.config, "hears").running() as hears, Bus(broker.config, "speaks").running() as speaks:
        await hears.subscribe("t/#", got.append, qos=1)
        assert speaks.publish("t/a", b"sample")
        await speaks.deliver("t/b", b"record")
        await until(lambda: len(got) == 2)
    assert [(m.topic, m.payload, m.qos) for m in got] == [("t/a", b"sample", 0), ("t/b", b"record", 1)]


async def test_many_small_and_one_large_come_whole_and_in_order(broker: EmbeddedBroker) -> None:
    inbox = Inbox()
    large = bytes(range(256)) * 3000
    async with Bus(broker.config, "hears").running() as hears, Bus(broker.config, "speaks").running() as speaks:
        await hears.subscribe("t/#", inbox, qos=1)
        offers = [speaks.offer(f"t/{i}", b"%d" % i) for i in range(300)]
        offers.append(speaks.offer("t/large", large))
        await asyncio.gather(*offers)
        got: list[Message] = []
        async with asyncio.timeout(15):
            while len(got) < 301:
                for message in await inbox.take():
                    message.ack()
                    got.append(message)
    assert [m.payload for m in got] == [b"%d" % i for i in range(300)] + [large]


async def test_without_a_broker_samples_are_counted_and_records_fail() -> None:
    bus = Bus(BrokerConfig(port=free_port()), "alone")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bus.run())
        assert not bus.publish("t/a", b"x")
        with pytest.raises(NotDelivered):
            await bus.deliver("t/a", b"x")
        task.cancel()
    assert (bus.tally.unsent, bus.tally.sent, bus.up) == (1, 0, False)


async def test_lost_once_and_back_once_in_the_log_and_subscribed_again(
    broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "telemetry.mqtt")
    got: list[Message] = []
    ups: list[bool] = []
    async with Bus(broker.config, "hears").running() as bus:
        bus.watch(ups.append)
        await bus.subscribe("t/#", got.append)
        await broker.kill()
        await until(lambda: not bus.up)
        assert not bus.publish("t/a", b"lost")
        await broker.start()
        await until(lambda: bus.up)
        await bus.deliver("t/a", b"again")
        await until(lambda: len(got) == 1)
    assert ups[:3] == [True, False, True]
    lines = [(r.levelname, r.message.split(": ", 1)[1]) for r in caplog.records]
    assert lines[:3] == [("INFO", "connected"), ("WARNING", "connection lost"), ("INFO", "connected")]


async def test_an_unacknowledged_message_comes_again_on_the_next_connection(broker: EmbeddedBroker) -> None:
    got: list[Message] = []
    async with Bus(broker.config, "keeps", persistent=True).running() as keeps:
        await keeps.subscribe("t/#", got.append, qos=1)
        async with Bus(broker.config, "speaks").running() as speaks:
            for i in range(5):
                await speaks.deliver("t/a", b"%d" % i)
        await until(lambda: len(got) == 5)
        for message in got[:2]:
            message.ack()
        await keeps.deliver("u/x", b"the acknowledgements went before this")
    first = list(got)
    got.clear()
    async with Bus(broker.config, "keeps", persistent=True).running() as keeps:
        await keeps.subscribe("t/#", got.append, qos=1)
        await until(lambda: len(got) >= 3)
        first[4].ack()  # of a connection that is gone: must acknowledge nothing
        assert [m.payload for m in got] == [b"2", b"3", b"4"]


async def test_the_will_is_spoken_by_the_broker_and_by_a_node_that_leaves(broker: EmbeddedBroker) -> None:
    got: list[bytes] = []
    async with Bus(broker.config, "hears").running() as hears:
        await hears.subscribe("t/+/state", lambda m: got.append(m.payload))
        leaving = Bus(broker.config, "leaves", will=Will(topic="t/a/state", payload=b"left"))
        async with leaving.running():
            pass
        await until(lambda: got == [b"left"])
        dying = Bus(broker.config, "dies", will=Will(topic="t/b/state", payload=b"died"))
        async with dying.running():
            assert dying._life is not None
            assert dying._life.pipe._transport is not None
            dying._life.pipe._transport.abort()  # as a pulled cable would: no DISCONNECT
            await until(lambda: b"died" in got)
    async with Bus(broker.config, "late").running() as late:
        kept: list[bool] = []
        await late.subscribe("t/a/state", lambda m: kept.append(m.retain))
        await until(lambda: kept == [True])


async def test_a_listeners_mistake_is_not_swallowed(broker: EmbeddedBroker) -> None:
    def wrong(_: Message) -> None:
        raise KeyError("mistake")

    async def listen() -> None:
        async with Bus(broker.config, "hears").running() as bus:
            await bus.subscribe("t/#", wrong)
            bus.publish("t/a", b"x")
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        await listen()
    assert caught.group_contains(KeyError)


async def test_a_wrong_password_is_refused_and_the_right_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "right").write_text("s3cret, with 'quotes\"\n")
    (tmp_path / "wrong").write_text("other\n")
    config = BrokerConfig(port=free_port(), username="site", password_file=tmp_path / "right")
    async with EmbeddedBroker(config, tmp_path / "b") as broker:
        async with Bus(config, "right").running() as bus:
            await bus.deliver("t/a", b"x")
        wrong = Bus(broker.config.model_copy(update={"password_file": tmp_path / "wrong"}), "wrong")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(wrong.run())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await wrong.connected()
            task.cancel()


@pytest.mark.parametrize("bad", ["", "a.b", "a/b", "a b", "a+"])
def test_client_ids_that_some_broker_refuses_are_refused_here(bad: str) -> None:
    with pytest.raises(ValueError, match="client id"):
        Bus(BrokerConfig(), bad)


async def test_the_broker_says_why_it_did_not_come_up(broker: EmbeddedBroker, tmp_path: Path) -> None:
    second = EmbeddedBroker(broker.config, tmp_path / "second")
    with pytest.raises(BrokerFailed, match="already answers"):
        await second.start()
    assert second.pid is None


async def test_a_broker_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "js").write_text("a file where the store's folder should be")
    with pytest.raises(BrokerFailed, match="storage directory is not a directory"):
        await EmbeddedBroker(BrokerConfig(port=free_port()), tmp_path).start()
