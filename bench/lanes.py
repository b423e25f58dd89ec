"""Whole lanes at the pace of the world: what they cost, and how soon a settled weight becomes a boom command.

    python -m bench.lanes [--lanes 4] [--trucks 24] [--seconds 60]

A simulated port at speed 1: ten weights a second on every lane, trucks that come, are asked about and cross, customs
that answers at once; broker, recorder and embedded series as at any site. Every lane's process is metered while trucks
cross; the recorder's and the broker's shares are divided by the lanes. Beside it, in the same run, on lanes of the same
simulator with nobody on them:
    by hand    asyncio, pymodbus and aiomqtt: the same frames cut at STX/ETX, the same contacts polled as often, each
               weight and each change published as JSON; it keeps nothing, thinks nothing, records nothing
The time is that of the lane's own tape: from the reading that upheld the settled weight when customs was asked, to the
write of the raise output on the wire. What of it lay between the question and customs' stamp on its order is shown
apart: it is the road there and customs' own thinking, in a simulator that shares this machine.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from bench.stage import PYTHON, Stage, cpu_s, percentile, rss_mb, stage
from drivers.lane_io.config import LaneIoConfig
from drivers.link.tape import Kind, Record, records
from edge.clock import SiteClock
from edge.day import run_day
from edge.demo import Day, Ports, simulated_port
from edge.supervisor import Supervisor
from gateway_ctl.book import Entry, entries
from gateway_ctl.orders import parse

WARM_S = 15.0
"""Python has started, links are open, the first trucks stand on their decks."""
WRITES = (5, 6, 15, 16)
"""Modbus functions that write."""


async def by_hand(mqtt: int, links: Mapping[str, Any]) -> None:
    """One lane's wires to one broker."""
    import aiomqtt
    from pymodbus.client import AsyncModbusTcpClient

    poll_s = LaneIoConfig.model_fields["poll_s"].default
    async with aiomqtt.Client("127.0.0.1", mqtt) as client:

        async def weights() -> None:
            reader, _ = await asyncio.open_connection(links["weighbridge"]["host"], links["weighbridge"]["port"])
            rest = b""
            while data := await reader.read(4096):
                *frames, rest = (rest + data).split(b"\x03")
                for frame in frames:
                    start = frame.rfind(b"\x02")
                    if start < 0 or len(frame) - start < 9:
                        continue
                    body = frame[start + 1 :]
                    kg = Decimal(int(body[1:7])).scaleb(-int(body[7:8]))
                    said = {"kg": str(-kg if body[:1] == b"-" else kg)}
                    await client.publish("bench/weight", json.dumps(said))

        async def contacts() -> None:
            module = AsyncModbusTcpClient(links["io"]["host"], port=links["io"]["port"])
            await module.connect()
            last: Sequence[bool] = ()
            while True:
                read = await module.read_discrete_inputs(0, count=8, device_id=links["io"]["unit"])
                if read.bits != last:
                    last = read.bits
                    await client.publish("bench/contacts", json.dumps(last))
                await asyncio.sleep(poll_s)

        async with asyncio.TaskGroup() as group:
            group.create_task(weights())
            group.create_task(contacts())


@dataclass(slots=True)
class Meter:
    """Runs beside a day."""

    seconds: float
    cpu: dict[str, float]
    """Share of a core by process."""
    mb: dict[str, float]

    async def __call__(self, supervisor: Supervisor) -> None:
        """Metered once; the day goes on."""
        clock = SiteClock()
        await clock.sleep(WARM_S)
        pids = {name: standing.pid for name, standing in supervisor.standing.items() if standing.pid is not None}
        before, began = {name: cpu_s(pid) for name, pid in pids.items()}, clock.now()
        await clock.sleep(self.seconds)
        took = clock.now() - began
        self.cpu |= {name: (cpu_s(pid) - before[name]) / took for name, pid in pids.items()}
        self.mb |= {name: rss_mb(pid) for name, pid in pids.items()}


async def plain(day: Day, folder: Path, made: Stage, seconds: float) -> float:
    """Share of a core of a lane by hand."""
    async with simulated_port(day, folder, Ports(broker=0, console=0, trackers=9)) as port:
        lane = port.ready["lanes"][day.lane_ids()[0]]
        process = made.start("plain", [PYTHON, "-m", "bench.lanes", "--role", str(made.broker()), json.dumps(lane)])
        clock = SiteClock()
        await clock.sleep(5.0)
        before, began = cpu_s(process.pid), clock.now()
        await clock.sleep(seconds)
        if process.poll() is not None:
            raise RuntimeError(made.log("plain"))
        return (cpu_s(process.pid) - before) / (clock.now() - began)


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of one passage."""

    whole: float
    customs: float

    @property
    def own(self) -> float:
        """Without the road to customs and its thinking."""
        return self.whole - self.customs


def decisions(lane: Path) -> Iterator[Took]:
    """Every opening of a lane's book that came by the shortest way: asked once, answered by a release."""
    passages: dict[str, list[Entry]] = {}
    for entry in entries(lane / "book.sqlite"):
        if entry.passage is not None:
            passages.setdefault(entry.passage, []).append(entry)
    wire = [
        each
        for path in sorted((lane / "black-box").iterdir())
        for each in records(path)
        if isinstance(each, Record) and each.kind is Kind.SENT and each.link == "boom" and each.payload[7] in WRITES
    ]
    for told in passages.values():
        kinds = [entry.kind for entry in told]
        if kinds.count("asked") != 1 or kinds.count("order") != 1 or kinds.count("refusal"):
            continue
        asked = told[kinds.index("asked")]
        weight = cast("dict[str, Any]", told[kinds.index("evidence")].plain()["weight"])
        order = parse(_unbase(told[kinds.index("order")].plain()["payload"]))
        boom = [entry for entry in told if entry.kind == "boom" and entry.plain()["movement"] == "raise"]
        if [entry.plain()["phase"] for entry in boom[:2]] != ["written", "read back"]:
            continue
        written = next((each for each in wire if boom[0].at <= each.at <= boom[1].at), None)
        if written is not None:
            yield Took(1e3 * (written.at - weight["to"]), 1e3 * (order.issued_at - asked.at))


def _unbase(text: str) -> bytes:
    import base64

    return base64.b64decode(text)


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(prog="bench.lanes", description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--lanes", type=int, default=4)
    ask.add_argument("--trucks", type=int, default=24)
    ask.add_argument("--seconds", type=float, default=60.0)
    wanted = ask.parse_args(argv)
    day = Day(lanes=wanted.lanes, trucks=wanted.trucks, seed=5, speed=1.0, faults=0.0, mean_gap_s=6.0)
    meter = Meter(wanted.seconds, {}, {})
    with tempfile.TemporaryDirectory() as place, stage() as made:
        folder = Path(place)
        (folder / "day").mkdir()
        (folder / "plain").mkdir()
        told = asyncio.run(run_day(day, folder / "day", meter))
        if told["verdict"] != "ok":
            raise RuntimeError(f"the day did not go well: {told['disagreements'][:3]}")
        took = [each for lane in day.lane_ids() for each in decisions(folder / "day" / "lanes" / lane)]
        by_itself = asyncio.run(plain(day, folder / "plain", made, wanted.seconds / 2))
    lane = sum(share for name, share in meter.cpu.items() if name.startswith("lane/")) / wanted.lanes
    whole = lane + (meter.cpu["recorder"] + meter.cpu["broker"]) / wanted.lanes
    print(f"\n{wanted.lanes} lanes, 10 weights/s each, trucks crossing, {wanted.seconds:g} s\n")
    print("| what | share of a core | lanes per core | MB |")
    print("| --- | --- | --- | --- |")
    print(f"| by hand, no recorder | {by_itself:.4f} | {1 / by_itself:.0f} | |")
    mb = max(size for name, size in meter.mb.items() if name.startswith("lane/"))
    print(f"| a lane's process | {lane:.4f} | {1 / lane:.0f} | {mb:.0f} |")
    print(f"| with its share of broker and recorder | {whole:.4f} | {1 / whole:.0f} | |")
    print(f"\n{len(took)} openings, ms from the settled weight to the raise output on the wire\n")
    print("| part | p50 | p99 | worst |")
    print("| --- | --- | --- | --- |")
    for name in ("own", "customs", "whole"):
        values = [getattr(each, name) for each in took]
        print(f"| {name} | {percentile(values, 0.5):.0f} | {percentile(values, 0.99):.0f} | {max(values):.0f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--role"]:
        asyncio.run(by_hand(int(sys.argv[2]), json.loads(sys.argv[3])))
    else:
        main()
