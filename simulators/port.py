"""A whole simulated port in one process: lanes with their instruments, trucks, yard trackers, customs; real sockets.

    python -m simulators.port --plan PLAN.json [--go]

PLAN is JSON; all but `lanes` may be left out:

    {"seed": 7, "trucks": 30, "endless": false, "speed": 20.0, "origin": null, "mean_gap_s": 30, "patience_s": 25,
     "lanes": [{"id": "L01", "direction": "in", "module": "adam-6050" | "plain-8ch", "wiring": {"inputs": {..},
                "inverted": [..], "outputs": {..}}, "tag_dialect": "uhf-bb" | "uhf-a0",
                "serial": ["weighbridge", "io"], "customs": {"area": .., "channel": .., "port": ..}}],
     "clearance": "json" | "jgst",
     "faults": 0.3 | {"share": .., "kinds": [..]} | [{"truck": 3, "kind": "half_on_deck", "variant": "rear"}],
     "trackers": 4, "tracker_target": "127.0.0.1:10110", "origin_lat": 36.0, "origin_lon": 120.2,
     "data": "data", "truth": "data/truth.jsonl", "customs_key": "data/customs.key"}

One JSON line `{"ready": ..}` says where everything listens; then one command a line on stdin: {"go": true} starts the
trucks, {"tracker_target": "host:port"}, {"fault": {"lane", "kind", "variant"}} for the next truck of a lane,
{"officer": {"passage", "verb"}}, {"stop": true}. `{"done": ..}` says that the last truck's truth is told. Lives until
stdin closes or SIGTERM comes. The same seed gives the same trucks and the same faults.
"""

import argparse
import asyncio
import contextlib
import json
import math
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

from simulators.clearing import clearing, served
from simulators.clock import SimClock
from simulators.customs_rules import Gathered
from simulators.gps import GeoState, Tracker
from simulators.ground import Rig
from simulators.mishaps import Kind, Mishap, mishap
from simulators.station import LaneStation
from simulators.trucks import Truck, day, endless, with_follow, with_mishap
from simulators.truth import TruthBook, record
from simulators.yard import YardRound, drawing, state

TICK_S = 0.05
"""Site seconds between two looks at the ground; every instrument's question brings it up to date besides."""
LONGEST_QUEUE = 6
"""Trucks of an endless day that wait at one lane; more turn away, as drivers do."""
PAPERS_KEPT = 5000
"""Manifests of an endless day that customs remembers."""
TELL_AFTER_S = 10.0
"""From a settled lane to the truth being written: the lane's report to customs may still be on its way."""
NOISE_M = 0.8
"""Of a tracker's position: an open sky."""


class Port:
    """All of it. `say` is handed one JSON object a line."""

    def __init__(self, plan: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
        self._plan = plan
        self._say = say
        self._seed = int(plan.get("seed", 1))
        self._lat, self._lon = float(plan.get("origin_lat", 36.0)), float(plan.get("origin_lon", 120.2))
        self.clock = SimClock(speed=float(plan.get("speed", 1.0)), origin=plan.get("origin"))
        folder = Path(plan.get("data") or ".")
        self.book = TruthBook(Path(plan.get("truth") or folder / "truth.jsonl"))
        self.customs = clearing(plan, self.clock, self._mishap)
        patience_s = float(plan.get("patience_s", 25.0))
        self.stations = {
            lane["id"]: LaneStation(
                self.clock, lane, seed=self._seed + number, patience_s=patience_s, settled=self._settled
            )
            for number, lane in enumerate(plan["lanes"])
        }
        self.trackers = [self._tracker(number) for number in range(int(plan.get("trackers", 0)))]
        self._lanes = [(station.id, station.direction) for station in self.stations.values()]
        self._endless = bool(plan.get("endless", False))
        self._coming: Iterator[Truck] = iter(())
        self._next: Truck | None = None
        self._started_at: float | None = None
        self._papers: deque[str] = deque()
        self._struck: dict[str, deque[Mishap]] = {lane: deque() for lane in self.stations}
        self._follow: dict[str, int] = {}
        self._to_tell: deque[tuple[float, Callable[[], dict[str, Any]]]] = deque()
        self._turned_away = 0
        self._done = False
        self.stopped = asyncio.Event()

    # parts

    def _tracker(self, number: int) -> Tracker:
        lap = YardRound(number, seed=self._seed)

        def where() -> GeoState:
            return state(lap, self.clock.now(), lat=self._lat, lon=self._lon)

        return Tracker(self.clock, f"YT{number + 1:02d}", where, noise_m=NOISE_M, seed=self._seed * 1000 + number)

    def ready(self, customs: dict[str, Any]) -> dict[str, Any]:
        """Bind every instrument; where all of it listens."""
        return {
            "lanes": {station.id: station.endpoints() for station in self.stations.values()},
            "customs": customs,
            "trackers": [tracker.name for tracker in self.trackers],
            "drawing": drawing(list(self.stations), lat=self._lat, lon=self._lon),
            "clock": {"speed": self.clock.speed, "origin": self.clock.origin},
        }

    def _mishap(self, asked: Gathered) -> Kind | None:
        station = self.stations.get(asked.lane)
        return None if station is None else station.struck(asked.plate)

    # commands

    def hear(self, line: str) -> None:
        """One command; what is none is answered by {"wrong": ..}."""
        try:
            told = cast("dict[str, Any]", json.loads(line))
            if told.get("go"):
                self.go()
            if told.get("tracker_target"):
                self.aim(str(told["tracker_target"]))
            if told.get("fault"):
                self._strike(told["fault"])
            if told.get("officer"):
                self.customs.decide(str(told["officer"]["passage"]), str(told["officer"]["verb"]))
            if told.get("stop"):
                self.stopped.set()
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            self._say({"wrong": f"{type(wrong).__name__}: {wrong}", "line": line[:200]})

    def go(self) -> None:
        """Start the trucks; a second time does nothing."""
        if self._started_at is not None:
            return
        mix, gap_s = self._plan.get("faults", 0.0), float(self._plan.get("mean_gap_s", 30.0))
        if self._endless:
            self._coming = endless(seed=self._seed, lanes=self._lanes, mix=mix, mean_gap_s=gap_s)
        else:
            count = int(self._plan.get("trucks", 10))
            trucks = day(seed=self._seed, trucks=count, lanes=self._lanes, mix=mix, mean_gap_s=gap_s)
            self.customs.expect(truck.manifest() for truck in trucks)
            self._coming = iter(trucks)
        self._started_at = self.clock.now()
        self._next = next(self._coming, None)

    def aim(self, target: str) -> None:
        """Send every tracker's sentences to this address."""
        host, _, port = target.rpartition(":")
        for tracker in self.trackers:
            tracker.udp(host or "127.0.0.1", int(port))

    def _strike(self, told: dict[str, Any]) -> None:
        drawn = mishap(Kind(told["kind"]), Random(f"told {told}"), str(told.get("variant", "")))
        self._struck[str(told["lane"])].append(drawn)

    # the day

    def _feed(self) -> None:
        """Trucks whose hour has come join the queue of their lane."""
        if self._started_at is None:
            return
        since_s = self.clock.now() - self._started_at
        while self._next is not None and self._next.arrives_s <= since_s:
            self._arrive(self._next)
            self._next = next(self._coming, None)

    def _arrive(self, truck: Truck) -> None:
        station = self.stations[truck.lane]
        if self._endless and len(station.world.queue) >= LONGEST_QUEUE:
            self._turned_away += 1
            return
        if truck.follows is None and (host := self._follow.pop(truck.lane, None)) is not None:
            truck = with_follow(truck, host)
        elif truck.follows is None and truck.mishap is None and self._struck[truck.lane]:
            truck = with_mishap(truck, self._struck[truck.lane].popleft(), seed=self._seed)
            self._say({"struck": {"truck": truck.id, "lane": truck.lane, **cast("Mishap", truck.mishap).as_json()}})
            if truck.mishap is not None and truck.mishap.kind is Kind.TAILGATING:
                self._follow[truck.lane] = truck.number
        self.customs.expect([truck.manifest()])
        if self._endless:
            self._papers.append(truck.plate)
            if len(self._papers) > PAPERS_KEPT:
                self.customs.manifests.pop(self._papers.popleft(), None)
        station.world.queue.append(truck)
        if self._plan.get("announce") and truck.containers:
            boxes = {"plate": truck.plate, "containers": truck.containers, "kg": truck.cargo_kg}
            self._say({"coming": boxes | {"empty": truck.cargo_kg == 0}})

    def _settled(self, station: LaneStation, rig: Rig) -> None:
        pulses, movements = station.moved()
        passages = self.customs.untold(station.id)
        telling = partial(record, rig, pulses=pulses, movements=movements, passages=passages)
        self._to_tell.append((self.clock.now() + TELL_AFTER_S, telling))
        station.forget()

    def _tell(self, until: float) -> None:
        while self._to_tell and self._to_tell[0][0] <= until:
            self.book.write(self._to_tell.popleft()[1]())

    async def _days(self) -> None:
        while True:
            self._feed()
            for station in self.stations.values():
                station.tick()
            self._tell(self.clock.now())
            if self._finished():
                self._done = True
                self._tell(math.inf)
                self._say({"done": True, "truth": str(self.book.path), "counts": self.counts()})
            await self.clock.sleep(TICK_S)

    def counts(self) -> dict[str, Any]:
        """The sums of the truth file, and who turned away from a full queue."""
        return self.book.counts() | {"turned_away": self._turned_away}

    def _finished(self) -> bool:
        if self._done or self._started_at is None or self._next is not None:
            return False
        return all(station.world.idle for station in self.stations.values())

    async def run(self) -> None:
        """Serve customs, say `ready`, live until `stopped` is set."""
        async with served(self.customs) as customs, asyncio.TaskGroup() as group:
            self._say({"ready": self.ready(customs)})
            if self._plan.get("tracker_target"):
                self.aim(str(self._plan["tracker_target"]))
            lives = [life for station in self.stations.values() for life in station.lives()]
            lives += [tracker.run() for tracker in self.trackers]
            tasks = [group.create_task(life) for life in (*lives, self._days())]
            await self.stopped.wait()
            for task in tasks:
                task.cancel()
        for station in self.stations.values():
            station.close()
        for tracker in self.trackers:
            tracker.close()
        self._tell(math.inf)
        self.book.close()


async def live(plan: dict[str, Any], *, go: bool) -> None:
    """The port, steered from stdin."""

    def say(line: dict[str, Any]) -> None:
        print(json.dumps(line, ensure_ascii=False), flush=True)

    port = Port(plan, say)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, port.stopped.set)

    def listen() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended first
            for line in sys.stdin:
                if line.strip():
                    loop.call_soon_threadsafe(port.hear, line)
            loop.call_soon_threadsafe(port.stopped.set)

    threading.Thread(target=listen, daemon=True).start()
    if go:
        port.go()
    await port.run()


def main(argv: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.port", description="a whole simulated port")
    parser.add_argument("--plan", required=True, help="JSON file, or the JSON itself")
    parser.add_argument("--go", action="store_true", help="start the trucks at once")
    told = parser.parse_args(argv)
    text = told.plan if told.plan.lstrip().startswith("{") else Path(told.plan).read_text(encoding="utf-8")
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(live(json.loads(text), go=told.go))
    return 0


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # the standard loop does the same, at half the speed
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
