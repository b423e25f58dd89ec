"""A whole scanner on real wires: detector lines over UDP, the source's generator, the interlock chain over Modbus.

    python -m simulators xray --lines 127.0.0.1:4001 [--layout dt] [--trucks 3] [--chapter 72] [--hidden] [--pixels 512]

One JSON line `{"ready": ..}` says where everything listens; then one command a line on stdin:

    {"scan": {"chapter": "72", "hidden": true, "empty": false, "kg": 20000, "torn": 0.5, "gap": 20,
              "speed": "steady" | "surge" | "halt" | "roll", "lost_le": 100, "plate": "..", "containers": [".."],
              "named": false}}
    {"lines": "host:port"}   {"wire": {"lost": 0.01, "doubled": 0, "swapped": 0, "spoilt": 0, "silent": false}}
    {"press": "estop_desk"}   {"release": "estop_desk"}   {"clear": true}   {"stop": true}

`named`: a plate and a container code are drawn where none are told.

`{"scanned": ..}` tells the truth of each scan. Lives until stdin closes or SIGTERM comes.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, cast

from simulators.clock import SimClock
from simulators.identities import container_code, plate
from simulators.xray_cargo import empty, loaded
from simulators.xray_scanner import Build
from simulators.xray_station import SAFE, Scanner, Speed, Visit


def visit_of(told: Mapping[str, Any], random: Random, name: str) -> Visit:
    """A visit as a command asks for it. Raises ValueError, KeyError for a chapter that is not there."""
    named = bool(told.get("named"))
    chapter, kg = told.get("chapter"), told.get("kg")
    if told.get("empty"):
        load = empty()
    else:
        try:
            load = loaded(random, chapter, kg=None if kg is None else float(kg), hidden=bool(told.get("hidden")))
        except StopIteration:
            raise ValueError(f"no goods of chapter {chapter!r} are packed here") from None
    return Visit(
        name=name,
        load=load,
        plate=str(told.get("plate", "") or (plate(random) if named else "")),
        containers=tuple(cast("list[str]", told.get("containers", [])) or ([container_code(random)] if named else [])),
        speed=cast("Speed", told.get("speed", "steady")),
        torn=None if told.get("torn") is None else float(told["torn"]),
        gap=int(told.get("gap", 0)),
        lost_le=int(told.get("lost_le", 0)),
    )


class Bench:
    """A scanner steered by lines of JSON."""

    def __init__(self, options: argparse.Namespace, say: Callable[[dict[str, Any]], None]) -> None:
        self.clock = SimClock(speed=options.speed, origin=options.origin)
        build = Build(
            pixels=options.pixels, he_mev=options.he, le_mev=options.le, speed_mm_s=options.truck_speed,
            pulse_hz=options.pulse_hz,
        )  # fmt: skip
        self.scanner = Scanner(
            self.clock, build, seed=options.seed, layout=options.layout, told=lambda _, truth: say({"scanned": truth})
        )
        self.stopped = asyncio.Event()
        self._say = say
        self._random = Random(options.seed)
        self._options = options
        self._count = 0
        if options.lines:
            self.scanner.aim(options.lines)
        for _ in range(options.trucks):
            self._send({"chapter": options.chapter, "hidden": options.hidden})

    def hear(self, line: str) -> None:
        """One command; what is none is answered by {"wrong": ..}."""
        try:
            told = cast("dict[str, Any]", json.loads(line))
            if told.get("lines"):
                self.scanner.aim(str(told["lines"]))
            for knob, value in cast("dict[str, float]", told.get("wire", {})).items():
                setattr(self.scanner.wire.faults, knob, value)
            if told.get("press"):
                self.scanner.state[str(told["press"])] = str(told["press"]) not in SAFE
            if told.get("release"):
                self.scanner.state[str(told["release"])] = str(told["release"]) in SAFE
            if told.get("clear"):
                self.scanner.source.clear()
            if told.get("scan") is not None:
                self._send(told["scan"])
            if told.get("stop"):
                self.stopped.set()
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            self._say({"wrong": f"{type(wrong).__name__}: {wrong}", "line": line[:200]})

    def _send(self, told: Mapping[str, Any]) -> None:
        self._count += 1
        self.scanner.waiting.append(visit_of(told, self._random, f"V{self._count:03d}"))


async def live(options: argparse.Namespace) -> None:
    """The scanner, until it is stopped."""

    def say(line: dict[str, Any]) -> None:
        print(json.dumps(line, ensure_ascii=False), flush=True)

    bench = Bench(options, say)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, bench.stopped.set)

    def listen() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended first
            for line in sys.stdin:
                if line.strip():
                    loop.call_soon_threadsafe(bench.hear, line)
            loop.call_soon_threadsafe(bench.stopped.set)

    threading.Thread(target=listen, daemon=True).start()
    say(
        {
            "ready": bench.scanner.endpoints(options.host)
            | {"clock": {"speed": bench.clock.speed, "origin": bench.clock.origin}}
        }
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.scanner.run())
        await bench.stopped.wait()
        task.cancel()
    bench.scanner.close()


def main(argv: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators xray", description="a dual-energy container scanner")
    parser.add_argument("--lines", default=None, metavar="HOST:PORT", help="where the detector's lines go (UDP)")
    parser.add_argument("--layout", choices=("quaygate", "dt"), default="quaygate", help="how lines are packed")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--pixels", type=int, default=512)
    parser.add_argument("--he", type=float, default=6.0, help="MeV of the high energy")
    parser.add_argument("--le", type=float, default=4.0, help="MeV of the low energy")
    parser.add_argument("--pulse-hz", type=float, default=200.0, help="pairs a second")
    parser.add_argument("--truck-speed", type=float, default=1400.0, help="mm/s")
    parser.add_argument("--trucks", type=int, default=0, help="so many come at once")
    parser.add_argument("--chapter", default=None, help="of the HS, such as 72; any when not given")
    parser.add_argument("--hidden", action="store_true", help="something else is among the goods")
    parser.add_argument("--speed", type=float, default=1.0, help="site seconds per real second")
    parser.add_argument("--origin", type=float, default=None, help="UTC seconds at which site time equals UTC")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(live(parser.parse_args(argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
