"""The console process as it runs: a real broker, a real socket, a real signal."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from consoles.server import stale_after
from telemetry.broker import EmbeddedBroker
from telemetry.config import BrokerConfig
from telemetry.inbox import Message
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import plain, unwrap
from tests.browser.conftest import free_port
from tests.browser.feeder import Feeder
from tests.browser.stage import LANES, PERSONS, PIN, SITE, ConsoleProcess, keys, write_site


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[BrokerConfig]:
    config = BrokerConfig(port=free_port())
    async with EmbeddedBroker(config, tmp_path / "broker"):
        yield config


@pytest.fixture
async def console(tmp_path: Path, broker: BrokerConfig) -> AsyncIterator[ConsoleProcess]:
    process = ConsoleProcess(write_site(tmp_path, broker))
    await process.start()
    yield process
    process.kill()


@pytest.fixture
async def feeder(broker: BrokerConfig) -> AsyncIterator[Feeder]:
    async with Feeder(broker, SITE, LANES, keys()[1]) as made:
        yield made


def page(console: ConsoleProcess, path: str, origin: str | None = None) -> connect:
    return connect(f"{console.url.replace('http', 'ws')}{path}", origin=origin or console.url, close_timeout=1)  # pyright: ignore[reportArgumentType] - Origin is a str by another name


async def told(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        return json.loads(await socket.recv())


async def until(socket: ClientConnection, key: str, value: object) -> None:
    async with asyncio.timeout(20):
        while (await told(socket)).get(key) != value:
            pass


async def until_view(socket: ClientConnection, lane: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            patch = json.loads(await socket.recv())
            if lane in patch.get("set", {}).get("views", {}):
                return patch


async def test_hello_then_everything_then_patches(console: ConsoleProcess, feeder: Feeder) -> None:
    feeder.scene["L02"] = "refused"
    async with page(console, "/api/live/lane/L02") as socket:
        hello = await told(socket)
        assert hello["t"] == "hello" and hello["speed"] == 1.0
        assert [lane["id"] for lane in hello["lanes"]] == LANES
        assert hello["stale_after"]["weight"] == 2.5
        assert {p["id"] for p in hello["persons"]} == {person[0] for person in PERSONS}
        assert "sealed" not in json.dumps(hello)
        assert (await told(socket))["whole"]
        patch = await until_view(socket, "L02")
        while patch["set"]["views"]["L02"]["body"]["decision"] == "none":  # said before the scene was set
            patch = await until_view(socket, "L02")
        assert patch["bus"] and patch["set"]["views"]["L02"]["body"]["decision"] == "refused"
        assert set(patch["set"]["views"]) == {"L02"}, "a lane's page hears its own lane only"


async def test_a_dead_bus_is_said_while_the_pages_live(tmp_path: Path) -> None:
    config = BrokerConfig(port=free_port())
    broker = EmbeddedBroker(config, tmp_path / "broker")
    await broker.start()
    console = ConsoleProcess(write_site(tmp_path, config))
    await console.start()
    try:
        async with page(console, "/api/live/room") as socket:
            await until(socket, "bus", True)
            await broker.kill()
            await until(socket, "bus", False)
            await broker.start()
            await until(socket, "bus", True)
    finally:
        console.kill()
        await broker.stop()


@pytest.mark.parametrize("path", ["/api/live/room", "/api/live/lane/L01"])
async def test_no_foreign_page_may_listen(console: ConsoleProcess, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with page(console, path, origin="http://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_no_such_lane_is_refused(console: ConsoleProcess) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with page(console, "/api/live/lane/L99"):
            pass
    assert refused.value.response.status_code == 403


async def test_a_page_that_does_not_read_costs_nobody_anything(console: ConsoleProcess, feeder: Feeder) -> None:
    async with page(console, "/api/live/lane/L01") as idle, page(console, "/api/live/lane/L01") as busy:
        idle.transport.pause_reading()
        await until_view(busy, "L01")
        for _ in range(10):
            await told(busy)
        idle.transport.resume_reading()


async def test_an_order_goes_the_whole_way(console: ConsoleProcess, feeder: Feeder) -> None:
    feeder.scene["L01"] = "held"
    async with page(console, "/api/live/lane/L01") as socket:
        passage = None
        while passage is None:
            passage = (await until_view(socket, "L01"))["set"]["views"]["L01"]["body"]["passage"]
    wish = {"verb": "release", "passage": passage, "person": "zhao.min", "pin": PIN, "reason": "customs_phone"}
    async with httpx.AsyncClient(base_url=console.url, headers={"origin": console.url}, timeout=20) as web:
        answer = await web.post("/api/lanes/L01/orders", json=wish)
    assert (answer.status_code, answer.json()["kind"]) == (200, "accepted")
    assert feeder.admitted[0].persons == ("zhao.min",) and feeder.admitted[0].passage == passage


async def test_it_says_that_it_is_there_and_that_it_goes(tmp_path: Path, broker: BrokerConfig) -> None:
    heard: list[tuple[str, str]] = []
    gone = asyncio.Event()

    def listen(message: Message) -> None:
        message.ack()
        said = plain(unwrap(message.payload))
        heard.append((message.topic.rsplit("/", 1)[1], said.get("state") or said["kind"]))
        if said.get("state") == "offline":
            gone.set()

    bus = Bus(broker, "listener")
    await bus.subscribe(f"quaygate/v1/{SITE}/console/+", listen, qos=1)
    async with bus.running():
        process = ConsoleProcess(write_site(tmp_path, broker))
        await process.start()
        try:
            async with asyncio.timeout(10):
                while ("state", "online") not in heard:
                    await asyncio.sleep(0.01)
            assert ("birth", "console") in heard
            assert await asyncio.to_thread(process.stop) == 0
            async with asyncio.timeout(10):
                await gone.wait()
        finally:
            process.kill()


async def test_open_pages_do_not_hold_it_back(console: ConsoleProcess) -> None:
    async with page(console, "/api/live/room") as socket:
        await told(socket)
        assert await asyncio.to_thread(console.stop) == 0


def test_a_site_file_that_cannot_be_read_ends_it_with_two(tmp_path: Path) -> None:
    from consoles.__main__ import main

    assert main([str(tmp_path / "none.toml")]) == 2
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[site]\nid = 1", encoding="utf-8")
    assert main([str(wrong)]) == 2


def test_staleness_allows_for_the_days_speed() -> None:
    assert stale_after(1.0)["view"] == 3.5
    assert stale_after(20.0)["view"] == 13.0
