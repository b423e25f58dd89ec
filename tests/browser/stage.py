"""A console process on a real broker, with two persons who may sign."""

import asyncio
import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from gateway_ctl.seal import Holder, Keyring, Role, load_public, new_key, seal_private
from telemetry.config import BrokerConfig
from telemetry.series.base import Point
from telemetry.series.embedded import EmbeddedSeries
from telemetry.series.engines import FILE

ROOT = Path(__file__).resolve().parents[2]
SITE = "qianwan"
LANES = ["L01", "L02", "L03"]
PIN = "4711"
PERSONS = (
    ("li.wei", "李伟", "Li Wei", "operator"),
    ("zhao.min", "赵敏", "Zhao Min", "supervisor"),
    ("wang.fang", "王芳", "Wang Fang", "inspector"),
    ("chen.jie", "陈杰", "Chen Jie", "inspector"),
    ("sun.li", "孙丽", "Sun Li", "inspector"),
)
START_DEADLINE_S = 20.0

TEXT = """
[site]
id = "qianwan"
zh = "前湾港区一期"
en = "Qianwan Terminal 1"
data = "data"
[site.drawing]
origin_lat = 36.0
origin_lon = 120.2
shapes = [
  {{ kind = "fence", zh = "围网", en = "Fence", points = [[0, 0], [560, 0], [560, 330], [60, 330], [0, 270]] }},
  {{ kind = "quay", zh = "码头", en = "Quay", points = [[60, 345], [560, 345]] }},
  {{ kind = "yard", zh = "堆场 A", en = "Yard A", points = [[90, 190], [280, 190], [280, 300], [90, 300]] }},
  {{ kind = "yard", zh = "堆场 B", en = "Yard B", points = [[310, 190], [520, 190], [520, 300], [310, 300]] }},
  {{ kind = "building", zh = "查验库", en = "Inspection", points = [[400, 40], [520, 40], [520, 110], [400, 110]] }},
  {{ kind = "road", points = [[-40, 150], [560, 150]] }},
  {{ kind = "lane", zh = "L01", en = "L01", points = [[60, 60], [150, 60]] }},
  {{ kind = "lane", zh = "L02", en = "L02", points = [[60, 85], [150, 85]] }},
  {{ kind = "lane", zh = "L03", en = "L03", points = [[60, 110], [150, 110]] }},
]
[[zones]]
id = "bonded"
zh = "保税区"
en = "Bonded area"
points = [[300, 20], [390, 20], [390, 120], [300, 120]]
rings = ["enter"]
[[zones]]
id = "to-inspection"
kind = "route"
zh = "查验路线"
en = "Way to inspection"
points = [[150, 60], [250, 150], [460, 150], [460, 110]]
width_m = 20
[broker]
port = {broker}
[console]
port = 0
{inspection}
{persons}
{lanes}
"""
PERSON = """
[[persons]]
id = "{id}"
zh = "{zh}"
en = "{en}"
role = "{role}"
public = "{public}"
sealed = "{sealed}"
"""
LANE = """
[[lanes]]
id = "{id}"
zh = "{n}号进口车道"
en = "Import lane {n}"
direction = "in"
[lanes.weighbridge]
name = "wb"
max_kg = 100000
division_kg = 20
"""


@cache
def keys() -> tuple[str, Keyring]:
    """The persons' part of the site file, and what the lane knows of them."""
    text = ""
    ring: dict[str, Holder] = {}
    for who, zh, en, role in PERSONS:
        private, public = new_key()
        sealed = seal_private(private, PIN)
        text += PERSON.format(id=who, zh=zh, en=en, role=role, public=public, sealed=sealed)
        ring[who] = Holder(load_public(public), Role(role))
    return text, ring


def write_site(folder: Path, broker: BrokerConfig, inspection: str = "") -> Path:
    """A site file for the console. `inspection`: its `[inspection]` table, where scans are reviewed."""
    path = folder / "site.toml"
    lanes = "".join(LANE.format(id=lane, n=n) for n, lane in enumerate(LANES, 1))
    text = TEXT.format(broker=broker.port, persons=keys()[0], lanes=lanes, inspection=inspection)
    path.write_text(text, encoding="utf-8")
    return path


async def write_past(folder: Path, now: float) -> None:
    """Four hours of trucks and a quarter of an hour of one scale, as the recorder would have written them."""
    folder.mkdir(exist_ok=True)
    series = EmbeddedSeries(folder / FILE)
    await series.open()
    points: list[Point] = []
    for number, lane in enumerate(LANES):
        tags = (("node", lane), ("site", SITE))
        for truck in range(40 + 20 * number):
            ago_s = truck * 14_000 / (40 + 20 * number) + 7 * number
            fields = {"closed": 1.0, "crossed": float(truck % 9 != 0), "seconds": 14.0 + (truck * 37 + number) % 23}
            points.append(Point("passage", tags, fields, now - ago_s))
        for s in range(0, 900, 2):
            phase = (s + 60 * number) % 180
            gross = 0.0 if phase < 60 else 38_260.0 if phase < 150 else 15_400.0
            if not 400 < s < 460:
                points.append(Point("weight", (("instrument", "wb"), *tags), {"gross_kg": gross}, now - s))
    await series.write(points)
    await series.close()


@dataclass(slots=True)
class ConsoleProcess:
    """`python -m consoles`, to be killed and started again on the same port."""

    site: Path
    port: int = 0
    words: list[str] = field(default_factory=list[str])
    _child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        log = self.site.with_name("console.log")
        before = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "consoles", str(self.site), "--port", str(self.port), *self.words],
                cwd=ROOT,
                stdout=out,
                stderr=out,
            )
        async with asyncio.timeout(START_DEADLINE_S):
            while True:
                said = log.read_bytes()[before:].decode()
                if found := re.search(r"pages at http://[^:]+:(\d+)/", said):
                    self.port = int(found[1])
                    return
                assert self._child.poll() is None, said
                await asyncio.sleep(0.02)

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def stop(self) -> int:
        assert self._child is not None
        self._child.terminate()
        code = self._child.wait(10)
        self._child = None
        return code
