"""A simulated port beside the real processes: the simulator as a child, and the site file made of what it says.

The simulator is started by its module's name and spoken to in lines of JSON; nothing of it is imported.
"""

import asyncio
import json
import logging
import os
import secrets
import socket
import sys
from base64 import b64encode
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from edge.supervisor import TETHER
from edge.toml_text import document
from gateway_ctl.seal import load_private, new_key, public_of, seal_private

READY_WITHIN_S = 30.0
"""Real seconds: a port of sixteen lanes binds its sockets in less than one, a loaded machine starts Python in some."""
LINE_CEILING = 8 * 1024 * 1024
"""Longest line of the simulator: `ready` holds the drawing and every address of a port."""
COMING_KEPT = 3
"""Trucks that wait to be scanned; the others pass by."""
BRANCHES = ({"module": "adam-6050", "tag_dialect": "uhf-bb"}, {"module": "plain-8ch", "tag_dialect": "uhf-a0"})
"""Lanes take these in turn, so that a demo shows more than one make of everything."""
INPUTS = ("loop_arrival", "beam_rear", "beam_front", "loop_boom", "photocell", "limit_down", "limit_up", "boom_fault")
OUTPUTS = ("raise", "lower", "stop", "red", "green")
WIRING: dict[str, Any] = {
    "inputs": {name: channel for channel, name in enumerate(INPUTS)},
    "inverted": ["boom_fault"],
    "outputs": {name: channel for channel, name in enumerate(OUTPUTS)},
}
WHEELS = {"axle_in": 8, "axle_on": 9, "axle_out": 10}
MAX_KG, DIVISION_KG, AXLE_MAX_KG = 100_000, 20, 30_000
PERSONS = (("li.wei", "李伟", "Li Wei", "operator"), ("chen.jing", "陈静", "Chen Jing", "supervisor"))
READERS = (("zhao.min", "赵敏", "Zhao Min", "inspector"), ("sun.li", "孙丽", "Sun Li", "inspector"))
"""Two, so that second readings have somebody."""
NUMERALS = "一二三四五六七八九十"

_log = logging.getLogger(__name__)


class SimulatorFailed(Exception):
    """The simulated port did not start, or ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What the port is to live through. The same seed gives the same day."""

    lanes: int = 2
    trucks: int = 30
    seed: int = 7
    speed: float = 1.0
    faults: float = 0.35
    """Share of trucks with which something is wrong."""
    endless: bool = False
    trackers: int = 4
    mean_gap_s: float = 30.0
    scanner: bool = False
    """A scanner beside the lanes, with its image review."""
    weight_maps: tuple[str, ...] = ()
    """Register tables of the lanes' indicators that are asked by Modbus; "" or none: the lane's speaks a dialect."""
    axles: bool = False
    """The decks are short: trucks are weighed axle by axle, and the sum is taken."""
    clearance: Literal["json", "jgst"] = "json"
    """The JSON service, or a Chinese customs gate: packets, result words, and a link that seals what it hears."""

    def lane_ids(self) -> list[str]:
        """L01, L02, .."""
        return [f"L{number:02d}" for number in range(1, self.lanes + 1)]

    def weight_map(self, number: int) -> str:
        """The register table of a lane's indicator; empty: it speaks a dialect."""
        return self.weight_maps[number] if number < len(self.weight_maps) else ""

    def branch(self, number: int) -> dict[str, str]:
        """What a lane's instruments are; wheel sensors need a module with room for them."""
        return BRANCHES[0 if self.axles else number % len(BRANCHES)]

    @property
    def wiring(self) -> dict[str, Any]:
        """What is on which screw."""
        return WIRING | ({"inputs": WIRING["inputs"] | WHEELS} if self.axles else {})

    def plan(self, data: Path, tracker_target: str, gates: Sequence[int] = ()) -> dict[str, Any]:
        """For `python -m simulators.port`. `gates`: where each lane listens for customs, with jgst."""
        return {
            "seed": self.seed,
            "trucks": self.trucks,
            "endless": self.endless,
            "speed": self.speed,
            "mean_gap_s": self.mean_gap_s,
            "faults": self.faults,
            "lanes": [
                {"id": lane, "direction": _direction(number), "wiring": self.wiring, **self.branch(number)}
                | ({"deck": "axle", "max_kg": AXLE_MAX_KG} if self.axles else {})
                | ({"customs": _numbers(number) | {"port": gates[number]}} if gates else {})
                | ({"weight_map": self.weight_map(number)} if self.weight_map(number) else {})
                for number, lane in enumerate(self.lane_ids())
            ],
            "clearance": self.clearance,
            "announce": self.scanner,
            "trackers": self.trackers,
            "tracker_target": tracker_target,
            "data": str(data),
            "truth": str(data / "truth.jsonl"),
            "customs_key": str(data / "customs.key"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the site's own processes listen."""

    broker: int
    console: int
    trackers: int
    lines: int = 0
    """Where the scanner's detector sends to, where there is one."""
    gates: tuple[int, ...] = ()
    """Each lane's for customs, where customs comes to the lanes."""


@dataclass(slots=True)
class SimulatedPort:
    """A running simulator."""

    ready: Mapping[str, Any]
    done: asyncio.Future[Mapping[str, Any]]
    """`{"done": true, "truth": path, "counts": {..}}` when the last truck's truth is told."""
    pid: int
    coming: deque[Mapping[str, Any]]
    """Trucks with boxes that have come to the port, the newest last, where the day has a scanner."""
    _tell: Callable[[bytes], None] = field(repr=False)

    def say(self, **command: Any) -> None:
        """One command, such as go=True."""
        self._tell(json.dumps(command).encode() + b"\n")


@asynccontextmanager
async def simulated_port(day: Day, data: Path, ports: Ports) -> AsyncGenerator[SimulatedPort]:
    """The port, listening; it dies with this process. `data` is a folder. Raises SimulatorFailed."""
    plan = json.dumps(day.plan(data, f"127.0.0.1:{ports.trackers}", ports.gates), ensure_ascii=False)
    argv = (sys.executable, "-m", "simulators.port", "--plan", plan)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", TETHER, str(os.getpid()), *argv),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_CEILING,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    done: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
    try:
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                ready = await heard_ready(process.stdout)
        except TimeoutError:
            raise SimulatorFailed(f"the simulated port is not ready after {READY_WITHIN_S:.0f} s") from None
        async with asyncio.TaskGroup() as group:
            coming = deque[Mapping[str, Any]](maxlen=COMING_KEPT)
            hearing = group.create_task(_hear(process.stdout, done, coming))
            yield SimulatedPort(ready, done, process.pid, coming, process.stdin.write)
            hearing.cancel()
    finally:
        done.cancel()
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def heard_ready(lines: asyncio.StreamReader) -> Mapping[str, Any]:
    """What a simulator says when it is. Raises SimulatorFailed when it ends first."""
    while line := await lines.readline():
        told = cast("dict[str, Any]", json.loads(line))
        if "ready" in told:
            return told["ready"]
    raise SimulatorFailed("the simulated port ended before it was ready")


async def _hear(
    lines: asyncio.StreamReader, done: asyncio.Future[Mapping[str, Any]], coming: deque[Mapping[str, Any]]
) -> None:
    while line := await lines.readline():
        told = cast("dict[str, Any]", json.loads(line))
        if told.get("done") and not done.done():
            done.set_result(told)
        elif "coming" in told:
            coming.append(told["coming"])
        elif "done" not in told:
            _log.info("simulator: %s", line.decode().rstrip())
    if not done.done():
        done.set_exception(SimulatorFailed("the simulated port ended before its day"))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, wanted: int = 0) -> int:
    """A port of this machine that nobody listens on: the wanted one if it is free."""
    for port in (wanted, 0):
        with closing(socket.socket(socket.AF_INET, kind)) as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return trial.getsockname()[1]
    raise OSError("no free port on 127.0.0.1")


def gate_ports(day: Day) -> tuple[int, ...]:
    """Free ports for customs to answer at, one a lane; none where it does not come to the lanes."""
    return tuple(free_port() for _ in range(day.lanes)) if day.clearance == "jgst" else ()


def demo_persons(day: Day | None = None) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The `[[persons]]` of a demo with fresh keys, and their PINs by id."""
    tables: list[dict[str, str]] = []
    pins: dict[str, str] = {}
    for person, zh, en, role in (*PERSONS, *(READERS if day is not None and day.scanner else ())):
        private, public = new_key()
        pins[person] = f"{secrets.randbelow(1_000_000):06d}"
        sealed = seal_private(private, pins[person])
        tables.append({"id": person, "zh": zh, "en": en, "role": role, "public": public, "sealed": sealed})
    return tables, pins


def demo_anchors(data: Path) -> dict[str, str]:
    """The `[anchors]` of a demo. Its key lies in the data folder, beside the books that it has signed before."""
    return _kept_key(data / "anchor.key")


def _kept_key(path: Path) -> dict[str, str]:
    if path.exists():
        private = path.read_text(encoding="ascii").strip()
        return {"key_file": path.name, "public": b64encode(public_of(load_private(private))).decode()}
    private, public = new_key()
    path.touch(mode=0o600)
    path.write_text(private + "\n", encoding="ascii")
    return {"key_file": path.name, "public": public}


def demo_gate(data: Path, ready: Mapping[str, Any]) -> dict[str, Any]:
    """The `[clearance]` of a demo whose customs is a gate's back end; the link's key lies beside the books."""
    key = _kept_key(data / "link.key")
    return {
        "engine": "jgst", "host": ready["host"], "port": ready["port"], "receipt": True, "key": "link-demo",
        "key_file": key["key_file"], "keys": [{"id": "link-demo", "public": key["public"], "role": "link"}],
    }  # fmt: skip


def site_text(
    day: Day,
    ready: Mapping[str, Any],
    persons: list[dict[str, str]],
    ports: Ports,
    anchors: Mapping[str, str],
    gate: Mapping[str, Any] | None = None,
    scanner: dict[str, Any] | None = None,
) -> str:
    """The site file of a simulated port; its folder is the data folder. `gate`: its `[clearance]`, with jgst.

    `scanner`: its `[[scanners]]`, with `day.scanner`.
    """
    made: dict[str, Any] = {
        "site": {
            "id": "demo",
            "zh": "演示港区",
            "en": "Demo Terminal",
            "data": ".",
            "clock": dict(ready["clock"]),
            "drawing": dict(ready["drawing"]),
        },
        "broker": {"engine": "embedded", "host": "127.0.0.1", "port": ports.broker},
        "console": {"host": "127.0.0.1", "port": ports.console},
        "clearance": _clearance(ready["customs"]) if gate is None else dict(gate),
        "anchors": dict(anchors),
        "papers": {"import_dir": "papers/in", "export_dir": "papers/out", "formats": ["sas223", "codeco-95b"]},
        "persons": persons,
        "lanes": [_lane(day, number, ready["lanes"][lane], ports) for number, lane in enumerate(day.lane_ids())],
        "trackers": [
            {"name": "yard", "link": {"kind": "udp", "listen_host": "127.0.0.1", "listen_port": ports.trackers}}
        ],
    }
    if scanner is not None:
        made |= {"inspection": {"second_share": 0.2}, "scanners": [scanner]}
    return document(made)


def demo_text(
    day: Day,
    ready: Mapping[str, Any],
    persons: list[dict[str, str]],
    ports: Ports,
    data: Path,
    scanner: dict[str, Any] | None = None,
) -> str:
    """The same with the demo's own keys, which lie in the data folder."""
    gate = demo_gate(data, ready["customs"]) if day.clearance == "jgst" else None
    return site_text(day, ready, persons, ports, demo_anchors(data), gate, scanner)


def write_site(data: Path, text: str) -> Path:
    """The site file of a simulated port, readable by its owner only: it holds sealed keys."""
    path = data / "site.toml"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def _clearance(customs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "url": customs["url"],
        "keys": [{"id": name, "public": public} for name, public in _keys(customs["keys"])],
    }


def _keys(keys: Any) -> list[tuple[str, str]]:
    if isinstance(keys, Mapping):
        return list(cast("Mapping[str, str]", keys).items())
    return [(key["id"], key["public"]) for key in keys]


def _direction(number: int) -> str:
    return "out" if number % 2 else "in"


def _numbers(number: int) -> dict[str, str]:
    """What customs calls a lane of the demo."""
    return {"area": "3701000001", "channel": f"37010001{number + 1:02d}"}


def _customs(number: int, ports: Ports) -> dict[str, Any]:
    devices = {"wb": "15010001", "tags": "1101010001", "ocr": "1001010001", "sign": "17010001", "boom": "16010001"}
    told = {"listen_host": "127.0.0.1", "listen_port": ports.gates[number], "devices": devices}
    return {"customs": _numbers(number) | told}


def _lane(day: Day, number: int, links: Mapping[str, Any], ports: Ports) -> dict[str, Any]:
    inbound = _direction(number) == "in"
    numeral = NUMERALS[number] if number < len(NUMERALS) else str(number + 1)
    branch = day.branch(number)
    return {
        "id": day.lane_ids()[number],
        "zh": f"{numeral}号{'进' if inbound else '出'}口车道",
        "en": f"{'Import' if inbound else 'Export'} lane {number + 1}",
        "direction": _direction(number),
        "mode": "live",
        "weighbridge": {
            "name": "wb",
            **({"table": table} if (table := day.weight_map(number)) else {"dialect": "yaohua-a9"}),
            **({"mode": "axle"} if day.axles else {}),
            "max_kg": AXLE_MAX_KG if day.axles else MAX_KG,
            "division_kg": DIVISION_KG,
            "decimals": 0,
            "link": links["weighbridge"],
        },
        "io": {"name": "io", "module": branch["module"], "link": links["io"], **day.wiring},
        "tags": {"name": "tags", "dialect": branch["tag_dialect"], "link": links["tags"], "plate_in_epc": True},
        "cameras": [{"name": "ocr", "link": links["ocr"]}],
        "sign": {"name": "sign", "link": links["sign"], "columns": 8, "rows": 2},
        **({"rules": {"takes_axle_sum": True, "gather_s": 120, "presence_kg": 500}} if day.axles else {}),
    } | (_customs(number, ports) if ports.gates else {})
