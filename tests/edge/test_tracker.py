"""The tracker agent on real wires: datagrams and a serial server in, the bus out."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from edge.agents import tracker
from edge.clock import SiteClock
from edge.config import load
from edge.demo import free_port
from telemetry.broker import EmbeddedBroker
from telemetry.inbox import Inbox
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import body, unwrap
from telemetry.payloads.fix import FixBody
from telemetry.payloads.health import HealthBody
from telemetry.payloads.node import BirthBody
from telemetry.topics import parse

EXAMPLE = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"
SPEED = 20.0


@asynccontextmanager
async def simulator(*words: str) -> AsyncGenerator[dict[str, list[str | int]]]:
    asked = (sys.executable, "-m", "simulators", *words, "--speed", str(SPEED))
    process = await asyncio.create_subprocess_exec(*asked, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        async with asyncio.timeout(20):
            yield msgspec.json.decode(await process.stdout.readline())["ready"]
    finally:
        process.terminate()
        await process.wait()


async def test_trackers_by_two_roads_reach_the_bus_with_metres(tmp_path: Path) -> None:
    broker_port = free_port()
    async with AsyncExitStack() as stack:
        ready = await stack.enter_async_context(
            simulator("gps", "--name", "truck1", "--tcp", "--lat", "36.0", "--lon", "120.2")
        )
        host, port = ready["tcp"]
        udp_port = free_port()
        text = EXAMPLE.read_text(encoding="utf-8").replace("port = 1883", f"port = {broker_port}")
        text = (
            text[: text.index("[[trackers]]")]
            .replace("origin_lat = 36.0065", "origin_lat = 36.0")
            .replace("120.2139", "120.2")
        )
        text += f'[[trackers]]\nname = "wire"\nlink = {{ kind = "tcp", host = "{host}", port = {port} }}\n'
        here = '"127.0.0.1"'
        text += (
            f'[[trackers]]\nname = "yard"\nlink = {{ kind = "udp", listen_host = {here}, listen_port = {udp_port} }}\n'
        )
        file = tmp_path / "site.toml"
        file.write_text(text, encoding="utf-8")
        site = load(file)
        broker = await stack.enter_async_context(EmbeddedBroker(site.broker, tmp_path / "broker"))
        assert broker.pid
        bus = await stack.enter_async_context(Bus(site.broker, "test-ear").running())
        inbox = Inbox()
        await bus.subscribe(f"quaygate/v1/{site.id}/tracker/#", inbox)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        agent = group.create_task(tracker.run(site, SiteClock(speed=SPEED)))
        await stack.enter_async_context(
            simulator("gps", "--name", "truck2", "--udp", f"127.0.0.1:{udp_port}", "--lat", "36.0", "--lon", "120.2")
        )
        fixes: dict[str, list[FixBody]] = {}
        health: dict[str, HealthBody] = {}
        births: list[BirthBody] = []
        async with asyncio.timeout(20):
            async for message in inbox:
                address, envelope = parse(message.topic), unwrap(message.payload)
                assert address
                if address.word == "fix":
                    fixes.setdefault(address.instrument or "", []).append(body(envelope, FixBody))
                elif address.word == "health":
                    health[address.instrument or ""] = body(envelope, HealthBody)
                elif address.word == "birth":
                    births.append(body(envelope, BirthBody))
                enough = len(fixes) == 2 and all(len(each) >= 3 for each in fixes.values())
                if enough and {name for name, h in health.items() if h.up and h.words} == {"wire", "yard"}:
                    break
        agent.cancel()
    assert set(fixes) == {"truck1", "truck2"}
    for fix in (f for each in fixes.values() for f in each):
        assert fix.valid and fix.x_m is not None and fix.y_m is not None
        assert 90 < (fix.x_m**2 + fix.y_m**2) ** 0.5 < 110, "the simulated truck drives on a circle of 100 m"
    assert [i.name for i in births[0].instruments] == ["wire", "yard"]
