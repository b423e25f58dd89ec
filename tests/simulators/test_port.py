"""The simulated port as a process: hand-shake, real sockets, a naive lane that lets trucks through, the truth of it."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from simulators.ground import Rig, stop_for
from simulators.jgst_packet import Packet, Unpacker, write
from simulators.jgst_words import read
from simulators.jgst_words import write as write_xml
from simulators.mishaps import Happened
from simulators.trucks import day
from simulators.truth import TruthBook, record
from simulators.yard import YardRound, drawing, geo
from tests.simulators.naive_lane import NaiveLane
from tests.simulators.world_stage import one

DEADLINE_S = 50


class Process:
    """The port, spoken to by lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout
        self.process, self.stdin, self.stdout = process, process.stdin, process.stdout

    async def hear(self, word: str) -> Any:
        """The next line that has this word; its value."""
        while True:
            line = await self.stdout.readline()
            assert line, f"the port ended before it said {word}"
            told = json.loads(line)
            if word in told:
                return told if word == "done" else told[word]

    def tell(self, **command: object) -> None:
        self.stdin.write(json.dumps(command).encode() + b"\n")


@asynccontextmanager
async def running(tmp_path: Path, **plan: Any) -> AsyncGenerator[Process]:
    plan = {"seed": 7, "speed": 40.0, "lanes": [{"id": "L01"}], "data": str(tmp_path), "patience_s": 12} | plan
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.port", "--plan", json.dumps(plan),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def truth(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(told["truth"]).read_text(encoding="utf-8").splitlines()]


@asynccontextmanager
async def lane_at(ready: dict[str, Any]) -> AsyncGenerator[NaiveLane]:
    lane = NaiveLane("L01", ready["lanes"]["L01"], ready["customs"], ready["clock"]["speed"])
    task = asyncio.create_task(lane.run())
    try:
        async with asyncio.timeout(20):
            await lane.ready.wait()
        yield lane
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_naive_lane_lets_the_right_trucks_through(tmp_path: Path) -> None:
    faults = [
        {"truck": 1, "kind": "hold"},
        {"truck": 2, "kind": "forged_order"},
        {"truck": 3, "kind": "half_on_deck", "variant": "rear"},
        {"truck": 4, "kind": "other_tag"},
        {"truck": 6, "kind": "tailgating", "variant": "close"},
    ]
    async with running(tmp_path, trucks=8, faults=faults, mean_gap_s=2, speed=25.0, patience_s=16) as port:
        ready = await port.hear("ready")
        async with lane_at(ready) as lane:
            port.tell(go=True)
            done = await port.hear("done")
        assert lane.verbs == ["release", "hold", "forged", "other tag", "release", "release"]
        lines = truth(done)
        assert [line["happened"] for line in lines] == [
            "crossed", "backed_out", "backed_out", "backed_out", "backed_out", "crossed", "crossed", "tailgated",
        ]  # fmt: skip
        assert done["counts"]["disagree"] == [] and done["counts"]["struck"] == 0 and done["counts"]["trucks"] == 8
        for line in lines:
            raised = [move for move in line["movements"] if move["cause"] == "raise"]
            assert len(raised) == (line["happened"] == "crossed")
            if line["happened"] == "crossed":
                assert [pulse["line"] for pulse in line["pulses"] if pulse["obeyed"]] == ["raise", "lower"]
                (passage,) = line["customs"]
                assert passage["plate"] == line["plate"] and passage["crossing"] == "crossed"
                assert line["deck_true"] and abs(int(passage["gross_kg"]) - line["true_gross_kg"]) <= 20
        assert [line["fault"]["kind"] for line in lines if line["fault"]] == [fault["kind"] for fault in faults]


async def test_a_boom_that_never_arrives_is_mended_and_the_day_goes_on(tmp_path: Path) -> None:
    faults = [{"truck": 0, "kind": "boom_never_arrives", "variant": "stall"}]
    async with running(tmp_path, trucks=2, faults=faults, mean_gap_s=2) as port:
        async with lane_at(await port.hear("ready")):
            port.tell(go=True)
            done = await port.hear("done")
        first, second = truth(done)
        assert first["happened"] == "backed_out" and second["happened"] == "crossed"
        causes = [move["cause"] for move in first["movements"]]
        assert causes == ["raise", "repair"]
        assert first["movements"][0]["to_deg"] < 60


async def test_a_day_without_a_lane_ends_too_and_a_seed_repeats_it(tmp_path: Path) -> None:
    stories: list[list[tuple[Any, ...]]] = []
    for turn in range(2):
        plan = {"trucks": 5, "faults": 0.8, "speed": 200.0, "patience_s": 4, "mean_gap_s": 1}
        async with running(tmp_path / str(turn), **plan) as port:
            await port.hear("ready")
            port.tell(go=True)
            lines = truth(await port.hear("done"))
            stories.append([(line["plate"], line["fault"], line["happened"], line["true_gross_kg"]) for line in lines])
            assert all(not line["movements"] and not line["pulses"] for line in lines)
    assert stories[0] == stories[1]
    expected = day(seed=7, trucks=5, lanes=[("L01", "in")], mix=0.8, mean_gap_s=1)
    assert [story[0] for story in stories[0]] == [truck.plate for truck in expected]


async def test_it_lives_until_it_is_told_and_every_wire_is_there(tmp_path: Path) -> None:
    lanes = [
        {"id": "L01", "serial": ["weighbridge", "io", "tags"]},
        {"id": "L02", "direction": "out", "module": "plain-8ch", "tag_dialect": "uhf-a0"},
    ]
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            heard.put_nowait(data)

    transport, _ = await loop.create_datagram_endpoint(Ear, local_addr=("127.0.0.1", 0))
    try:
        async with running(tmp_path, lanes=lanes, trackers=2, endless=True, mean_gap_s=5) as port:
            ready = await port.hear("ready")
            links = ready["lanes"]
            assert links["L01"]["weighbridge"]["kind"] == "serial" and links["L01"]["io"]["kind"] == "modbus-rtu"
            assert links["L02"]["io"]["kind"] == "modbus-tcp" and links["L02"]["io"]["unit"] == 1
            assert set(links["L02"]) == {"weighbridge", "io", "tags", "ocr", "sign"}
            reader, writer = await asyncio.open_connection("127.0.0.1", links["L02"]["weighbridge"]["port"])
            assert b"\x02+000000" in await reader.readexactly(48)
            writer.close()
            await writer.wait_closed()
            port.tell(tracker_target=f"127.0.0.1:{transport.get_extra_info('sockname')[1]}")
            assert b"RMC" in await heard.get() or b"GGA" in await heard.get()
            port.tell(go=True)
            port.tell(fault={"lane": "L01", "kind": "inspect"})
            assert (await port.hear("struck"))["kind"] == "inspect"
            port.stdin.write(b"this is no command\n")
            assert "JSONDecodeError" in await port.hear("wrong")
            port.tell(fault={"lane": "L01", "kind": "earthquake"})
            assert "earthquake" in await port.hear("wrong")
            port.process.send_signal(signal.SIGTERM)
            assert await port.process.wait() == 0
    finally:
        transport.close()


async def test_it_ends_when_its_stdin_closes(tmp_path: Path) -> None:
    async with running(tmp_path) as port:
        await port.hear("ready")
        port.stdin.close()
        assert await port.process.wait() == 0


def test_the_yard_is_within_a_kilometre_and_its_trucks_stay_on_its_roads() -> None:
    plan = drawing(["L01", "L02"], lat=36.0, lon=120.2)
    kinds = {shape["kind"] for shape in plan["shapes"]}
    assert kinds == {"fence", "quay", "road", "yard", "building", "lane"}
    points = [point for shape in plan["shapes"] for point in shape["points"]]
    assert all(abs(x) <= 500 and abs(y) <= 500 for x, y in points)
    assert all(shape["zh"] and shape["en"] and len(shape["points"]) >= 3 for shape in plan["shapes"])
    roads = [shape["points"] for shape in plan["shapes"] if shape["kind"] == "road"]
    for number in range(6):
        lap = YardRound(number, seed=3)
        before = lap.at(0.0)
        for second in range(1, 900):
            east, north, speed, course = lap.at(float(second))
            assert any(p[0][0] <= east <= p[2][0] and p[0][1] <= north <= p[2][1] for p in roads)
            assert ((east - before[0]) ** 2 + (north - before[1]) ** 2) ** 0.5 <= 7.6
            assert 0 <= speed <= 7.5 and 0 <= course < 360
            before = (east, north, speed, course)
    assert geo(0, 111_195.0, lat=36.0, lon=120.2) == pytest.approx((37.0, 120.2))


def test_a_truth_line_says_whether_it_agrees(tmp_path: Path) -> None:
    truck = one([{"truck": 0, "kind": "hold"}])[0]
    rig = Rig(truck=truck, front_m=30.0, stop_m=stop_for(truck), rng=None, happened=Happened.CROSSED)  # pyright: ignore[reportArgumentType] - nothing is read here
    book = TruthBook(tmp_path / "deep" / "truth.jsonl")
    book.write(record(rig, pulses=[], movements=[], passages=[]))
    rig.happened = Happened.BACKED_OUT
    book.write(record(rig, pulses=[], movements=[], passages=[]))
    book.close()
    first, second = truth({"truth": book.path})
    assert not first["agrees"] and second["agrees"] and first["allowed"] == ["backed_out"]
    assert book.counts()["disagree"] == [truck.id] and book.counts()["faults"] == {
        "hold": {"backed_out": 1, "crossed": 1}
    }


async def test_a_port_whose_customs_is_a_chinese_gate(tmp_path: Path) -> None:
    heard: list[Packet] = []
    news = asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker = Unpacker()
        heard.extend(each for each in unpacker.feed(await reader.read()) if isinstance(each, Packet))
        news.set()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    gate = {"area": "3701000001", "channel": "3701000101", "port": server.sockets[0].getsockname()[1]}
    lanes = [{"id": "L01", "direction": "in", "customs": gate}]
    truck = day(seed=7, trucks=1, lanes=[("L01", "in")])[0]
    nodes = [("WEIGHT", [("GROSS_WT", str(truck.declared_kg))]), ("CAR", [("VE_NAME", truck.plate)])]
    boxes = dict(zip(("CONTA_ID_F", "CONTA_ID_B"), truck.containers, strict=False))
    at = {"AREA_ID": gate["area"], "CHNL_NO": gate["channel"], "I_E_TYPE": "I", "SEQ_NO": "20260101080000000001"}
    xml = write_xml("GATHER_INFO", at, [*nodes, ("CONTA", list(boxes.items()))])
    try:
        async with running(tmp_path, trucks=1, lanes=lanes, clearance="jgst", odd_share=0.0) as port:
            customs = (await port.hear("ready"))["customs"]
            assert customs["engine"] == "jgst" and customs["keys"] == [] and customs["desk"].startswith("http")
            port.tell(go=True)
            while not heard or not read(heard[-1].xml).first("CHECK_RESULT").startswith("00"):
                news.clear()
                _, writer = await asyncio.open_connection(customs["host"], customs["port"])
                writer.write(write(Packet(code=0x21, area="3701000001", channel="3701000101", direction="I", xml=xml)))
                writer.close()
                await news.wait()
            assert read(heard[-1].xml).first("SEQ_NO") == at["SEQ_NO"]
            (line,) = truth(await port.hear("done"))
            assert [each["passage"] for each in line["customs"]] == [at["SEQ_NO"]]
    finally:
        server.close()
