"""Thousands of readings of every source of positions over a bad line that is pulled again and again.

No fix may be invented: each is a place that its simulator told for that very second. Every gap is told, and the line is
back within two seconds of its return (printed and judged in the long run only, which has the machine for itself).
"""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from pydantic import TypeAdapter

from drivers.gps.config import TrackerConfig
from drivers.gps.fix import Fix
from drivers.readings import Garbage
from edge.clock import SiteClock
from edge.keeper import Health, keep
from edge.trackers import Source, open_source
from simulators.clock import SimClock
from simulators.gps import Circle, Tracker
from simulators.gpsd import Gpsd
from simulators.jt808 import Terminal
from tests.drivers.plugs import free_udp_port

SPEED = 100.0
BACK_S = 2.0
"""Site seconds at most from the line's return to the next fix."""
SILENT_S = 4.0


@dataclass
class Bench:
    """One source at the end of a line that can be pulled."""

    settings: dict[str, Any]
    run: Coroutine[Any, Any, None]
    pull: Callable[[], None]
    restore: Callable[[], None]
    told: Callable[[], set[tuple[int | None, float, float]]]
    close: Callable[[], None] = lambda: None
    epochs: bool = True
    """Whether what is missing shows by the times of the fixes; else by the serial numbers of messages."""


@dataclass
class Heard:
    fixes: list[Fix] = field(default_factory=list[Fix])
    lives: list[dict[str, list[float]]] = field(default_factory=list[dict[str, list[float]]])
    """Times of the fixes by tracker, in each life of the link."""
    gaps: list[int] = field(default_factory=list[int])
    garbage: Counter[str] = field(default_factory=Counter[str])
    names: Counter[str] = field(default_factory=Counter[str])
    news: asyncio.Event = field(default_factory=asyncio.Event)


def nmea(wire: str, sim: SimClock) -> Bench:
    device = Tracker(sim, "T1", Circle(sim, 36.0, 120.2, metres=500.0, seconds=400.0), remember=True, seed=3)
    device.faults.bad_checksum_share = device.faults.half_share = device.faults.noise_share = 0.03
    if wire == "tcp":
        host, port = device.tcp()
        link: dict[str, Any] = {"kind": "tcp", "host": host, "port": port}
    elif wire == "pty":
        link = {"kind": "serial", "device": device.pty()}
    else:
        host, port = free_udp_port()
        device.udp(host, port)
        link = {"kind": "udp", "listen_host": host, "listen_port": port}
    settings = {"name": "t", "link": link, "silence_s": SILENT_S}
    return Bench(settings, device.run(), device.drop, device.restore, lambda: rounded(device.told), device.close)


def gpsd(sim: SimClock) -> Bench:
    device = Gpsd(sim, {"/dev/ttyS0": Circle(sim, 36.0, 120.2, metres=500.0, seconds=400.0)}, seed=3)
    device.faults.cut_share = device.faults.garbage_share = 0.03
    host, port = device.tcp()
    settings = {
        "name": "t", "protocol": "gpsd", "silence_s": SILENT_S, "link": {"kind": "tcp", "host": host, "port": port}
    }  # fmt: skip
    told = lambda: rounded([(second, lat, lon) for second, _, lat, lon in device.told])  # noqa: E731
    return Bench(settings, device.run(), device.drop, device.restore, told, device.close)


def jt808(kind: str, sim: SimClock) -> Bench:
    place = Circle(sim, 36.0, 120.2, metres=500.0, seconds=400.0)
    device = Terminal(sim, "13900000001", place, remember=True, seed=3)
    device.faults.bad_xor_share = device.faults.half_share = device.faults.noise_share = 0.03
    if kind == "udp":
        host, port = free_udp_port()
    else:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            host, port = taken.getsockname()[:2]

    def plug(*, out: bool) -> None:
        device.faults.unplugged = out

    link = {"kind": kind, "listen_host": host, "listen_port": port}
    return Bench(
        {"name": "t", "protocol": "jt808", "link": link}, device.run(host, port, udp=kind == "udp"),
        lambda: plug(out=True), lambda: plug(out=False), lambda: rounded(device.told.sent), epochs=False,
    )  # fmt: skip


def rounded(told: list[tuple[int, float, float]]) -> set[tuple[int | None, float, float]]:
    """To what every protocol can say: a metre's tenth."""
    return {(second, round(lat, 6), round(lon, 6)) for second, lat, lon in told}


BENCHES: dict[str, Callable[[SimClock], Bench]] = {
    "nmea-tcp": lambda sim: nmea("tcp", sim),
    "nmea-udp": lambda sim: nmea("udp", sim),
    "nmea-pty": lambda sim: nmea("pty", sim),
    "gpsd": gpsd,
    "jt808-tcp": lambda sim: jt808("tcp-listen", sim),
    "jt808-udp": lambda sim: jt808("udp", sim),
}


async def walk(bench: Bench, sim: SimClock, readings: int, pulls: int) -> tuple[Heard, list[float]]:
    """So many fixes, the cable out for a while between equal shares of them; site seconds until each return's fix."""
    clock = SiteClock(speed=SPEED, origin=sim.origin)
    config = TypeAdapter[Any](TrackerConfig).validate_python(bench.settings)
    heard, dice, back = Heard(), random.Random(4), list[float]()

    async def live(source: Source) -> None:
        times: dict[str, list[float]] = {}
        heard.lives.append(times)
        tally = source.listener.tally
        heard.gaps.append(0)
        async for word in source.listener.words():
            if isinstance(word, Garbage):
                heard.garbage[word.why.split(" ")[0]] += 1
                continue
            heard.fixes.append(word[1])
            heard.names[word[0]] += 1
            if word[1].fix_time is not None:
                times.setdefault(word[0], []).append(word[1].fix_time)
            heard.gaps[-1] = tally.gaps
            heard.news.set()

    async def more(count: int) -> None:
        wanted = len(heard.fixes) + count
        while len(heard.fixes) < wanted:
            heard.news.clear()
            await heard.news.wait()

    health = Health("line", clock)
    async with asyncio.timeout(60 + readings / 20), asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(bench.run),
            group.create_task(keep("t", lambda: open_source(config, clock), live, clock, health)),
        ]
        for _ in range(pulls):
            await more(readings // (pulls + 1))
            bench.pull()
            await clock.sleep(dice.uniform(0.5, 12.0))
            bench.restore()
            began = clock.now()
            await more(1)
            back.append(clock.now() - began)
        await more(max(1, readings - len(heard.fixes)))
        for task in tasks:
            task.cancel()
    bench.close()
    return heard, back


def judge(bench: Bench, heard: Heard) -> None:
    """Nothing invented, nothing missing in silence."""
    told = bench.told()
    told |= {(None, lat, lon) for _, lat, lon in told}
    for fix in heard.fixes:
        if fix.valid:
            assert fix.lat is not None and fix.lon is not None
            second = None if fix.fix_time is None else int(fix.fix_time)
            near = {
                (second, round(fix.lat + y * 1e-6, 6), round(fix.lon + x * 1e-6, 6))
                for y in (-1, 0, 1) for x in (-1, 0, 1)
            }  # fmt: skip
            assert near & told, fix
    assert heard.garbage.total() > 0
    # A life may begin with a sentence whose TAG block is damaged: then its name is not known yet.
    assert heard.names.most_common()[0][1] >= len(heard.fixes) - 2 * len(heard.lives)
    if bench.epochs:
        assert heard.gaps == [sum(map(missing, life.values())) for life in heard.lives]
    else:
        assert sum(heard.gaps) > 0


def missing(times: list[float]) -> int:
    """Seconds without a fix, from the first two neighbours on: before, nobody knows the receiver's period."""
    steps = [round(after - before) for before, after in pairwise(times) if after > before]
    shortest, count = 1_000_000, 0
    for step in steps:
        shortest = min(shortest, step)
        count += round(step / shortest) - 1 if step > 1.5 * shortest else 0
    return count


@pytest.mark.parametrize("source", BENCHES)
async def test_some_readings_over_a_bad_line(source: str) -> None:
    sim = SimClock(speed=SPEED)
    bench = BENCHES[source](sim)
    heard, back = await walk(bench, sim, 150, 2)
    judge(bench, heard)
    assert len(back) == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("source", BENCHES)
async def test_ten_thousand_readings_over_a_bad_line(source: str) -> None:
    sim = SimClock(speed=SPEED)
    bench = BENCHES[source](sim)
    heard, back = await walk(bench, sim, 10_000, 20)
    judge(bench, heard)
    real = sorted(each / SPEED for each in back)
    print(
        f"{source}: {len(heard.fixes)} fixes, {heard.garbage.total()} pieces of garbage, {sum(heard.gaps)} gaps told, "
        f"{len(heard.lives)} lives; back after at most {real[-1]:.2f} real s, {back and max(back):.1f} site s"
    )
    assert len(heard.fixes) >= 10_000 and real[-1] < BACK_S
