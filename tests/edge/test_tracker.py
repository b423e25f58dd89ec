"""The tracker agent on real wires: datagrams and a serial server in, the bus out."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from drivers.gps.jt808.frames import Message
from drivers.link.tape import Kind, Record, records, sender_of
from edge.agents import tracker
from edge.clock import SiteClock
from edge.config import load
from edge.demo import free_port
from edge.tracker_memory import recall
from simulators.clock import SimClock
from simulators.gps import Circle, GeoState
from simulators.jt808 import Terminal
from telemetry.broker import EmbeddedBroker
from telemetry.inbox import Inbox
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import body, unwrap
from telemetry.payloads.fix import FixBody
from telemetry.payloads.health import HealthBody
from telemetry.payloads.lane import AlarmBody
from telemetry.payloads.node import BirthBody
from telemetry.payloads.zone import ZoneBody
from telemetry.topics import parse
from tests.drivers.gps.terminals import words

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
    tape = on_tape(site.folder("tracker"))
    assert b"$GNRMC" in b"".join(r.payload for r in tape if (r.link, r.kind) == ("wire", Kind.RECEIVED))
    datagrams = [sender_of(r.payload) for r in tape if (r.link, r.kind) == ("yard", Kind.DATAGRAM)]
    assert len(datagrams) >= 3 and all(data.startswith(b"\\s:truck2,") for _, data in datagrams)


async def test_crossing_a_zone_is_recorded_and_rings_and_what_was_kept_back_does_not(
    tmp_path: Path,
) -> None:
    broker_port, trucks_port = free_port(), free_port()
    text = EXAMPLE.read_text(encoding="utf-8").replace("port = 1883", f"port = {broker_port}")
    text = text[: text.index("[[trackers]]")].replace("origin_lat = 36.0065", "origin_lat = 36.0")
    text = text.replace("120.2139", "120.2")
    text += (
        '[[trackers]]\nname = "trucks"\nprotocol = "jt808"\nlate_after_s = 20\n'
        f'link = {{ kind = "tcp-listen", listen_host = "127.0.0.1", listen_port = {trucks_port} }}\n'
        'terminals = [{ phone = "13900000001", name = "truck1" }]\n'
        '[[zones]]\nid = "east"\nzh = "东区"\nen = "East yard"\nrings = ["enter"]\n'
        "points = [[20, -200], [200, -200], [200, 200], [20, 200]]\n"
    )
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    site = load(file)
    sim = SimClock(speed=SPEED)
    truck = Terminal(sim, "13900000001", Circle(sim, 36.0, 120.2, metres=100.0, seconds=60.0))
    # Before it has a network it drives through the zone twice: that is history.
    truck.faults.unplugged = True
    began = sim.now() - 200.0
    place = GeoState(lat=36.0, lon=120.201, speed_mps=5.0)
    for n in range(40):
        truck._position = (lambda: place) if n % 20 < 10 else (lambda: GeoState(lat=36.0, lon=120.198))
        truck.tell(began + n)
    truck._position = Circle(sim, 36.0, 120.2, metres=100.0, seconds=60.0, begin=-(sim.now() / 60.0 + 0.4) % 1.0)
    truck.faults.unplugged = False
    zones: list[ZoneBody] = []
    alarms: list[AlarmBody] = []
    late: list[float] = []
    live: list[FixBody] = []
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(EmbeddedBroker(site.broker, tmp_path / "broker"))
        bus = await stack.enter_async_context(Bus(site.broker, "test-ear").running())
        inbox = Inbox()
        await bus.subscribe(f"quaygate/v1/{site.id}/tracker/#", inbox)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        agent = group.create_task(tracker.run(site, SiteClock(speed=SPEED, origin=sim.origin)))
        device = group.create_task(truck.run("127.0.0.1", trucks_port))
        async with asyncio.timeout(30):
            async for message in inbox:
                address, envelope = parse(message.topic), unwrap(message.payload)
                assert address
                match address.word:
                    case "zone":
                        zones.append(body(envelope, ZoneBody))
                    case "alarm":
                        said = body(envelope, AlarmBody)
                        alarms += [said] if said.alarm.startswith("truck1:") else []
                    case "fix" if envelope.historical:
                        late.append(envelope.at)
                    case "fix":
                        live.append(body(envelope, FixBody))
                    case _:
                        continue
                if len(late) >= 40 and len(alarms) >= 2:
                    break
        agent.cancel()
        device.cancel()
    assert [zone.what for zone in zones[:2]] in (["entered", "left"], ["found", "left"])
    assert {zone.tracker for zone in zones} == {"truck1"}
    assert all(zone.x_m > 5 for zone in zones if zone.what == "entered")
    assert [(alarm.alarm, alarm.active) for alarm in alarms[:2]] == [
        ("truck1:in-east", True),
        ("truck1:in-east", False),
    ]
    assert sorted(round(at) for at in late)[:40] == [int(began) + n for n in range(40)]
    assert any(fix.zones == ["east"] for fix in live) and any(fix.zones == [] for fix in live)
    assert all(fix.ignition for fix in live)
    memory = recall(site.folder("tracker"))
    assert set(memory.sides) == {"truck1"}
    tape = on_tape(site.folder("tracker"))
    said = words(*(sender_of(r.payload)[1] for r in tape if r.kind is Kind.DATAGRAM))
    answers = words(*(sender_of(r.payload)[1] for r in tape if r.kind is Kind.ANSWERED))
    asked = {word.serial for word in said if isinstance(word, Message)}
    answered = {int.from_bytes(word.body[:2], "big") for word in answers if isinstance(word, Message)}
    assert len(answered) > 40 and answered <= asked
    assert {r.link for r in tape if r.kind is Kind.OPENED} == {"trucks"}


def on_tape(folder: Path) -> list[Record]:
    [path] = (folder / tracker.BLACK_BOX).iterdir()
    found = list(records(path))
    assert all(isinstance(each, Record) for each in found)
    return [each for each in found if isinstance(each, Record)]
