"""`python -m simulators NAME ...`: one device alone, for a technician's bench and for tests.

Prints one line of JSON when it can be spoken to, `{"ready": {"tcp": ["127.0.0.1", 40001], ...}}`, and lives until it is
interrupted. `port`, `customs`, `jgst`, `jt808`, `seal`, `xray` and `xray_stand` hand over to those modules.
"""

import argparse
import asyncio
import contextlib
import json
import runpy
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from simulators.barrier import Boom
from simulators.c_power import CPowerSign
from simulators.camera import ReadPortal
from simulators.cards import SPEECHES, CardReader
from simulators.clock import SimClock
from simulators.gps import Circle, Tracker
from simulators.gpsd import Gpsd
from simulators.lane_io import SIZES, LaneModule
from simulators.llrp import LlrpReader
from simulators.rfid import SimTag, TagReader
from simulators.sign import TextSign
from simulators.weigh_maps import MAPS
from simulators.weigh_modbus import ModbusIndicator
from simulators.weigh_talk import Plate
from simulators.weighbridge import DIALECTS, Indicator

WORLDS = ("port", "customs", "jgst", "jt808", "seal", "xray", "xray_stand")
CAMERA_PERIOD_S = 5.0
CIRCLE_M = 100.0
CIRCLE_S = 60.0


class Device(Protocol):
    """What every device here offers."""

    def tcp(self, host: str = ..., port: int = ...) -> tuple[str, int]: ...

    def pty(self) -> str: ...

    def close(self) -> None: ...

    def run(self) -> Coroutine[Any, Any, None]: ...


Lives = list[Callable[[], Coroutine[Any, Any, None]]]


def main(argv: Sequence[str] | None = None) -> None:
    """Run one device until it is interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in WORLDS:
        sys.argv = [f"simulators.{arguments[0]}", *arguments[1:]]
        runpy.run_module(f"simulators.{arguments[0]}", run_name="__main__", alter_sys=True)
        return
    options = _parser().parse_args(arguments)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_live(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators", description="One simulated device on a real wire.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--tcp", action="store_true", help="listen on TCP (this is so when --pty is not given)")
    common.add_argument("--host", default="127.0.0.1")
    common.add_argument("--port", type=int, default=0, help="0 takes a free one")
    common.add_argument("--pty", action="store_true", help="stand at the end of a pseudo serial line")
    common.add_argument("--speed", type=float, default=1.0, help="site seconds per real second")
    common.add_argument("--origin", type=float, default=None, help="UTC seconds at which site time equals UTC")
    common.add_argument("--seed", type=int, default=1)
    kinds = parser.add_subparsers(dest="device", required=True, metavar="DEVICE")
    scale = kinds.add_parser("weighbridge", parents=[common], help="a weighing indicator of any make")
    scale.add_argument("--dialect", choices=sorted(DIALECTS), default="yaohua-a9", help="how it speaks")
    scale.add_argument(
        "--map", choices=sorted(MAPS), default=None, help="asked by Modbus instead, with these registers"
    )
    scale.add_argument("--address", type=int, default=1, help="Modbus unit number")
    scale.add_argument("--low-first", action="store_true", help="Modbus: the low word of a double word comes first")
    scale.add_argument("--unit", choices=("kg", "t", "lb", "g"), default="kg", help="what the window counts in")
    scale.add_argument("--seven-bits", action="store_true", help="its port is set to 7E1")
    scale.add_argument("--tare", type=float, default=0.0, help="kg, a tare that was left on")
    scale.add_argument("--serial", default="20774155", help="the serial number on its plate")
    scale.add_argument("--load", type=float, default=0.0, help="kg on the deck, put on after power-up")
    scale.add_argument("--max", type=float, default=100_000.0)
    scale.add_argument("--division", type=float, default=20.0)
    scale.add_argument("--decimals", type=int, default=0)
    scale.add_argument("--garbage-per-s", type=float, default=0.0)
    scale.add_argument("--frozen", action="store_true")
    module = kinds.add_parser("lane-io", parents=[common], help="I/O module (Modbus) with a boom on its outputs")
    module.add_argument("--module", choices=sorted(SIZES), default="adam-6050")
    module.add_argument("--unit", type=int, default=1)
    module.add_argument("--watchdog", type=float, default=None, help="seconds of silence until its outputs open")
    module.add_argument("--occupied", nargs="*", default=[], help="inputs that are on, for example loop_boom")
    tags = kinds.add_parser("rfid", parents=[common], help="UHF tag reader")
    tags.add_argument("--dialect", choices=("uhf-bb", "uhf-a0"), default="uhf-bb")
    tags.add_argument("--epc", action="append", default=[], help="hexadecimal; may be given again")
    reader = kinds.add_parser("llrp", parents=[common], help="UHF reader with a network plug, by LLRP")
    reader.add_argument("--epc", action="append", default=[], help="hexadecimal; may be given again")
    cards = kinds.add_parser("cards", parents=[common], help="card reader: ISO 14443, EM4100, Wiegand")
    cards.add_argument("--speech", choices=SPEECHES, default="card-stx")
    cards.add_argument("--card", default="008E6D5D", help="number of the card that is held to it, hexadecimal")
    camera = kinds.add_parser("camera", parents=[common], help="reading portal")
    camera.add_argument("--plate", default="沪AD3F88")
    gps = kinds.add_parser("gps", parents=[common], help="NMEA tracker that drives in a circle")
    gps.add_argument("--name", default="truck1")
    gps.add_argument("--lat", type=float, default=36.0)
    gps.add_argument("--lon", type=float, default=120.2)
    gps.add_argument("--udp", default=None, metavar="HOST:PORT")
    gps.add_argument("--no-tag-block", action="store_true")
    gpsd = kinds.add_parser("gpsd", parents=[common], help="gpsd with one receiver that drives in a circle")
    gpsd.add_argument("--lat", type=float, default=36.0)
    gpsd.add_argument("--lon", type=float, default=120.2)
    sign = kinds.add_parser("sign", parents=[common], help="driver's text sign")
    sign.add_argument("--columns", type=int, default=8)
    sign.add_argument("--rows", type=int, default=2)
    card = kinds.add_parser("c-power", parents=[common], help="LED card of the C-Power family (Lumen CP5200)")
    card.add_argument("--network", action="store_true", help="its own network plug; else its serial port")
    card.add_argument("--card", type=int, default=1)
    card.add_argument("--columns", type=int, default=8)
    card.add_argument("--rows", type=int, default=2)
    return parser


async def _live(options: argparse.Namespace) -> None:
    clock = SimClock(speed=options.speed, origin=options.origin)
    device, lives = _build(options, clock)
    ready: dict[str, Any] = {"device": options.device}
    if options.pty:
        ready["pty"] = device.pty()
    if options.tcp or not options.pty:
        ready["tcp"] = device.tcp(options.host, options.port)
    print(json.dumps({"ready": ready}), flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(life()) for life in (device.run, *lives)]
        await stop.wait()
        for task in tasks:
            task.cancel()
    device.close()


def _build(options: argparse.Namespace, clock: SimClock) -> tuple[Device, Lives]:
    match options.device:
        case "weighbridge":
            scale = _scale(options, clock)
            scale.power_up(0.0)
            scale.faults.garbage_per_s = options.garbage_per_s
            scale.faults.tare_left_kg = options.tare
            if options.frozen:
                scale.next_bytes()
                scale.faults.frozen = True
            return scale, []
        case "lane-io":
            seen = dict.fromkeys(options.occupied, True)
            boom = Boom(clock, sense=lambda: seen)
            module = LaneModule(
                options.module, clock, lambda: seen, boom, unit=options.unit, watchdog_s=options.watchdog
            )
            return module, [boom.run]
        case "rfid":
            field = [SimTag(epc=bytes.fromhex(epc)) for epc in options.epc]
            return TagReader(clock, lambda: field, dialect=options.dialect, seed=options.seed), []
        case "llrp":
            near = [SimTag(epc=bytes.fromhex(epc)) for epc in options.epc]
            return LlrpReader(clock, lambda: near, seed=options.seed), []
        case "cards":
            reader = CardReader(clock, speech=options.speech, seed=options.seed)
            reader.card = bytes.fromhex(options.card)
            return reader, []
        case "c-power":
            framing = "network" if options.network else "serial"
            return CPowerSign(clock, framing=framing, card=options.card, columns=options.columns, rows=options.rows), []
        case "camera":
            portal = ReadPortal(clock, seed=options.seed)
            return portal, [lambda: _read_again(portal, clock, options.plate)]
        case "gps":
            circle = Circle(clock, options.lat, options.lon, metres=CIRCLE_M, seconds=CIRCLE_S)
            bare = options.no_tag_block
            tracker = Tracker(clock, options.name, circle, tag_block=not bare, seed=options.seed, sky=True)
            if options.udp is not None:
                host, _, port = options.udp.rpartition(":")
                tracker.udp(host, int(port))
            return tracker, []
        case "gpsd":
            around = Circle(clock, options.lat, options.lon, metres=CIRCLE_M, seconds=CIRCLE_S)
            return Gpsd(clock, {"/dev/ttyACM0": around}, seed=options.seed), []
        case _:
            return TextSign(clock, columns=options.columns, rows=options.rows), []


def _scale(options: argparse.Namespace, clock: SimClock) -> Indicator:
    told: dict[str, Any] = {
        "seed": options.seed, "max_kg": options.max, "division_kg": options.division, "decimals": options.decimals,
        "unit": options.unit, "plate": Plate(serial=options.serial),
    }  # fmt: skip
    if options.map is None:
        return Indicator(clock, lambda: options.load, dialect=options.dialect, seven_bits=options.seven_bits, **told)
    by_modbus: dict[str, Any] = {
        "map_name": options.map,
        "unit_number": options.address,
        "low_first": options.low_first,
    }
    return ModbusIndicator(clock, lambda: options.load, **by_modbus, **told)


async def _read_again(portal: ReadPortal, clock: SimClock, plate: str) -> None:
    while True:
        portal.push("plate", plate, 0.97, "front")
        await clock.sleep(CAMERA_PERIOD_S)


if __name__ == "__main__":
    main()
