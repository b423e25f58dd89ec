"""The scanner agent on real wires: lines over UDP, generator, interlock chain and portal in; bus and archive out."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Any

import msgspec
import pytest

from edge.agents import xray
from edge.clock import SiteClock
from edge.config import Site, load
from edge.demo import free_port
from edge.mistakes import SiteFileWrong
from edge.roster import names
from edge.toml_text import document
from telemetry.broker import EmbeddedBroker
from telemetry.inbox import Inbox
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import body, unwrap
from telemetry.payloads.health import HealthBody
from telemetry.payloads.lane import AlarmBody
from telemetry.payloads.node import BirthBody
from telemetry.payloads.scanner import ScanBody, ScannerBody
from telemetry.topics import parse
from tests.vision.xray.samples import small_scan
from vision.xray.scan import Energy
from vision.xray.store import Archive

EXAMPLE = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"
SPEED = 4.0
PIXELS = 96


@dataclass
class Heard:
    """What the bus has said of X01."""

    scans: list[ScanBody] = field(default_factory=list[ScanBody])
    alarms: dict[str, bool] = field(default_factory=dict[str, bool])
    rang: list[str] = field(default_factory=list[str])
    now: list[ScannerBody] = field(default_factory=list[ScannerBody])
    health: dict[str, HealthBody] = field(default_factory=dict[str, HealthBody])
    births: list[BirthBody] = field(default_factory=list[BirthBody])

    def hear(self, topic: str, payload: bytes) -> None:
        address, envelope = parse(topic), unwrap(payload)
        assert address
        match address.word:
            case "scan":
                self.scans.append(body(envelope, ScanBody))
            case "alarm":
                said = body(envelope, AlarmBody)
                self.alarms[said.alarm] = said.active
                self.rang += [said.alarm] if said.active else []
            case "scanner":
                self.now.append(body(envelope, ScannerBody))
            case "health":
                self.health[address.instrument or ""] = body(envelope, HealthBody)
            case "birth":
                self.births.append(body(envelope, BirthBody))
            case _:
                pass


@dataclass
class Stage:
    """A scanner, its agent, and an ear."""

    site: Site
    heard: Heard
    inbox: Inbox
    process: asyncio.subprocess.Process

    def tell(self, **command: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(msgspec.json.encode(command) + b"\n")

    async def until(self, what: Callable[[Heard], bool], within_s: float = 30) -> None:
        async with asyncio.timeout(within_s):
            async for message in self.inbox:
                self.heard.hear(message.topic, message.payload)
                if what(self.heard):
                    return


def scanner_table(ready: dict[str, Any], port: int) -> dict[str, Any]:
    return {
        "id": "X01",
        "zh": "一号机检",
        "en": "Scanner 1",
        "energies_mev": ready["energies_mev"],
        "clear": [PIXELS - 6, 6],
        "detector": {
            "listen_host": "127.0.0.1",
            "listen_port": port,
            "pixels": ready["pixels"],
            "line_hz": 2 * ready["pulse_hz"],
        },
        "geometry": ready["geometry"],
        "source": {"link": ready["source"]},
        "safety": {
            "module": "adam-6050",
            "link": ready["safety"],
            "inputs": ready["inputs"],
            "inverted": ready["inverted"],
            "ready": 0,
        },
        "cameras": [{"name": "portal", "link": ready["ocr"]}],
    }


def site_file(folder: Path, ready: dict[str, Any], broker: int, port: int) -> Path:
    text = EXAMPLE.read_text(encoding="utf-8").replace("port = 1883", f"port = {broker}")
    text = text[: text.index("[[trackers]]")] + document({"scanners": [scanner_table(ready, port)]})
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    return file


@asynccontextmanager
async def stage(
    folder: Path, before: Callable[[Site], None] = lambda _: None, truck_mm_s: float = 2800.0
) -> AsyncGenerator[Stage]:
    """`before`: done with the site before its agent starts."""
    port, broker_port = free_port(kind=SOCK_DGRAM), free_port()
    asked = ("-m", "simulators", "xray", "--lines", f"127.0.0.1:{port}", "--pixels", str(PIXELS), "--speed", str(SPEED))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *asked, "--truck-speed", str(truck_mm_s)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        async with AsyncExitStack() as stack, asyncio.timeout(90):
            ready: dict[str, Any] = msgspec.json.decode(await process.stdout.readline())["ready"]
            site = load(site_file(folder, ready, broker_port, port))
            before(site)
            await stack.enter_async_context(EmbeddedBroker(site.broker, folder / "broker"))
            bus = await stack.enter_async_context(Bus(site.broker, "test-ear").running())
            inbox = Inbox()
            await bus.subscribe(f"quaygate/v1/{site.id}/X01/#", inbox)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            clock = SiteClock(speed=SPEED, origin=ready["clock"]["origin"])
            agent = group.create_task(xray.run(site, "X01", clock))
            yield Stage(site, Heard(), inbox, process)
            agent.cancel()
    finally:
        process.terminate()
        await process.wait()


async def test_a_truck_becomes_a_scan_in_the_archive(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.until(lambda heard: any(now.ready for now in heard.now))
        scene.tell(scan={"chapter": "39", "plate": "粤B12345", "containers": ["CSQU3054383"]})
        await scene.until(lambda heard: bool(heard.scans) and len(heard.health) == 4 and bool(heard.births))
        heard = scene.heard
    said = heard.scans[0]
    assert (said.scanner, said.torn, said.plate, said.containers) == ("X01", False, "粤B12345", ["CSQU3054383"])
    assert [part.name for part in heard.births[0].instruments] == ["detector", "source", "safety", "portal"]
    assert {"empty", "truck"} & {now.tunnel for now in heard.now}
    assert any(now.ready for now in heard.now)
    assert not any(heard.alarms.values()), heard.rang
    archive = Archive(scene.site.scans)
    assert [finding for _, finding in archive.verify()] == [None]
    with archive.open(said.digest) as kept:
        scan = kept.scan()
    assert scan.shape == (said.rows, PIXELS)
    assert {event.signal for event in scan.safety} >= {"lamp", "horn", "key", "ready"}
    assert scan.picture.of(Energy.HE).min() < 30_000 < scan.picture.of(Energy.HE).max()
    assert names(scene.site).count("xray/X01") == 1


async def test_a_stop_withholds_ready_and_rings(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.until(lambda heard: any(now.ready for now in heard.now))
        scene.tell(press="estop_desk")
        await scene.until(lambda heard: heard.alarms.get("safety:estop_desk", False) and heard.now[-1].ready is False)
        assert "interlock chain: estop_desk" in scene.heard.now[-1].reasons
        scene.tell(release="estop_desk")
        await scene.until(lambda heard: heard.now[-1].ready is True and not heard.alarms["safety:estop_desk"])


async def test_what_an_earlier_life_left_is_kept_as_torn_and_told(tmp_path: Path) -> None:
    scan = small_scan(70, 64)

    def leave(site: Site) -> None:
        writer = Archive(site.scans).begin(scan.head)
        writer.lines(scan.raw, scan.table)
        writer.rows(scan.picture, scan.row_line)
        writer.abandon()

    async with stage(tmp_path, before=leave) as scene:
        await scene.until(lambda heard: bool(heard.scans))
    said = scene.heard.scans[0]
    assert (said.torn, said.rows) == (True, 70)
    assert said.remarks[-1].flaw == "torn"


def test_a_scanner_is_no_lane_and_shares_no_port(tmp_path: Path) -> None:
    ready = {
        "energies_mev": [6.0, 4.0],
        "pixels": PIXELS,
        "pulse_hz": 200,
        "geometry": {
            "fan_deg": [-12.5, 29.5], "source_height_mm": 1500.0, "middle_mm": 6000.0, "detector_mm": 9500.0,
            "pitch_mm": 3.5, "encoder_mm": 0.5,
        },
        "source": {"kind": "tcp", "host": "127.0.0.1", "port": 1},
        "safety": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": 2, "unit": 1},
        "inputs": {"estop_desk": 0},
        "inverted": ["estop_desk"],
        "ocr": {"kind": "tcp", "host": "127.0.0.1", "port": 1},
    }  # fmt: skip
    file = site_file(tmp_path, ready, 1883, 4001)
    text = file.read_text(encoding="utf-8").replace('id = "X01"', 'id = "L01"').replace('"adam-6050"', '"adam-9999"')
    file.write_text(text.replace(f"clear = [{PIXELS - 6}, 6]", "clear = [90, 60]"), encoding="utf-8")
    with pytest.raises(SiteFileWrong) as wrong:
        load(file)
    told = str(wrong.value)
    for expected in ("a lane has this id", "is on the same wire", "register table", "pixels 0 to 95"):
        assert expected in told
