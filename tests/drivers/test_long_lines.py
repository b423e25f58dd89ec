"""Tag readers, portals, I/O modules, booms and signs over bad lines. Weighbridges and positions have their own.

Nothing may be invented, every gap must be told where the instrument's protocol lets it be seen, and the words are back
within two seconds of the line's return (judged in the long run only, which has the machine for itself).

Longer than 400 lines because the five kinds of instruments are hurt and judged in the same words.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter

from drivers.barrier.config import BarrierConfig
from drivers.barrier.device import Barrier
from drivers.camera.config import CameraConfig
from drivers.camera.device import Camera
from drivers.camera.read import Read
from drivers.faults import DriverFault, NotConfirmed
from drivers.kinds import Link
from drivers.lane_io.device import Inputs, LaneIo
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.link.modbus import open_modbus
from drivers.link.modbus_config import ModbusConfig
from drivers.link.modbus_tables import table_named
from drivers.link.modbus_wire import Deadlines
from drivers.readings import Garbage, Quality
from drivers.rfid.config import TagReaderConfig
from drivers.rfid.device import ANSWER_DEADLINE_S
from drivers.rfid.llrp_device import GAP_S
from drivers.rfid.readers import reader_of
from drivers.rfid.tag import Tag
from drivers.sign.config import SignConfig
from drivers.sign.device import ANSWER_DEADLINE_S as ANSWER_S
from drivers.sign.device import Sign
from edge.clock import SiteClock
from edge.keeper import LINK_RETRY_CAP_S
from simulators.barrier import Boom
from simulators.camera import ReadPortal
from simulators.clock import SimClock
from simulators.lane_io import LaneModule
from simulators.llrp import LlrpReader
from simulators.rfid import SimTag, TagReader
from simulators.sign import TextSign
from tests.drivers.lane_io.lane import wired
from tests.drivers.long_line import BACK_S, Heard, Hurt, Line, walk

SPEED = 10.0
DEADLINES = Deadlines(open_s=0.3, answer_s=0.05, late_s=0.05)
"""Real seconds: those of a site, as fast as these days run."""
PUSHES_HZ, ROUNDS_HZ, POLL_S = 40.0, 40.0, 0.02


def timed() -> tuple[SimClock, SiteClock]:
    sim = SimClock(speed=SPEED)
    return sim, SiteClock(speed=SPEED, origin=sim.origin)


def plug(device: Any, wire: str) -> dict[str, Any]:
    if wire == "tcp":
        host, port = device.tcp()
        return {"kind": "tcp", "host": host, "port": port}
    return {"kind": "serial", "device": device.pty()}


def opener(where: dict[str, Any], clock: SiteClock) -> Callable[[], Coroutine[Any, Any, Link]]:
    config = TypeAdapter[Any](StreamLinkConfig).validate_python(where)
    return lambda: open_link(config, clock)


def unplugged(device: Any, told_s: float = float("inf")) -> Hurt:
    return Hurt("unplugged", device.drop, device.restore, told_s)


def turned(faults: object, knob: str, value: object, name: str, told_s: float = float("inf")) -> Hurt:
    rest = getattr(faults, knob)
    return Hurt(name, lambda: setattr(faults, knob, value), lambda: setattr(faults, knob, rest), told_s)


def in_order(said: list[Any], told: list[Any]) -> None:
    """All that was said is found in what was told, in its order; twice the same may be one."""
    rest, now = iter(told), None
    for each in said:
        if each != now:
            now = next((one for one in rest if one == each), None)
            assert now is not None, f"never told at that time: {each}"


# tags


def tags(dialect: Any, wire: str) -> tuple[Line[Tag], SiteClock, list[Any]]:
    """One tag after the other, half a second each, every one with a strength of its own."""
    sim, clock = timed()
    told: list[Any] = []

    def field() -> list[SimTag]:
        number = int((sim.now() - sim.origin) * 2)
        tag = SimTag(epc=number.to_bytes(12, "big"), rssi=-40 - number % 37)
        if not told or told[-1] != (tag.epc, tag.rssi):
            told.append((tag.epc, tag.rssi))
        return [tag]

    device: Any
    if dialect == "llrp":
        device = LlrpReader(sim, field, rate_hz=ROUNDS_HZ, seed=3)
        told_s = GAP_S + 2.0
    else:
        device = TagReader(sim, field, dialect=dialect, rate_hz=ROUNDS_HZ, seed=3)
        told_s = ANSWER_DEADLINE_S + 0.2
    faults = device.faults
    faults.garbage_per_s, faults.bad_sum_share, faults.half_share = 0.5, 0.03, 0.03
    where = plug(device, wire)
    config = TagReaderConfig.model_validate({"name": "t", "dialect": dialect, "link": where, "repeat_window_s": 0})

    def listen(link: Any) -> Any:
        reader = reader_of(link, config, clock)
        return reader.tally, reader.words()

    hurts = [unplugged(device, told_s), turned(faults, "silent", True, "silent", told_s)]
    return Line(device.run(), opener(where, clock), listen, hurts, device.close), clock, told


def judge_tags(heard: Heard[Tag], told: list[Any]) -> None:
    in_order([(tag.epc, tag.rssi_dbm) for tag in heard.words], told)
    assert heard.garbage.total() > 0 and heard.untold == []


READERS = [("uhf-bb", "pty"), ("uhf-bb", "tcp"), ("uhf-a0", "pty"), ("uhf-a0", "tcp"), ("llrp", "tcp")]


# a portal


def portal(wire: str) -> tuple[Line[Read], SiteClock, list[str]]:
    """It says nothing while no truck is there, and nobody can tell that from a cable that is out."""
    sim, clock = timed()
    device, told = ReadPortal(sim, seed=3), list[str]()
    device.faults.half_share = 0.03
    where = plug(device, wire)
    config = CameraConfig.model_validate({"name": "ocr", "link": where})

    async def run() -> None:
        dice = random.Random(5)
        while True:
            told.append(f"CSQU{len(told):07d}")
            device.push("container", told[-1], 0.97, "left")
            if dice.random() < 0.02:
                device.inject(dice.randbytes(dice.randint(1, 60)))
            await sim.sleep(1 / PUSHES_HZ)

    def listen(link: Any) -> Any:
        camera = Camera(link, config, clock)
        return camera.tally, camera.words()

    hurts = [unplugged(device), turned(device.faults, "silent", True, "silent")]
    return Line(run(), opener(where, clock), listen, hurts, device.close), clock, told


def judge_reads(heard: Heard[Read], told: list[str]) -> None:
    in_order([read.text for read in heard.words], told)
    assert all(read.confidence == 0.97 and read.camera == "left" for read in heard.words)
    assert heard.garbage.total() > 0


# an I/O module


WRONG = ("transaction", "unit", "function", "truncated", "noise")


class Watched(LaneModule):
    """One whose inputs somebody writes down when they are asked for."""

    told: list[Mapping[str, bool]]

    def inputs(self) -> dict[str, bool]:
        """Note and tell."""
        now = super().inputs()
        self.told.append(now)
        return now


def module(wire: str) -> tuple[Watched, SiteClock, Any, Coroutine[Any, Any, None]]:
    """On its lane things come and go four times a second; on its serial line there is noise, too."""
    sim, clock = timed()

    def sense() -> Mapping[str, bool]:
        number = int((sim.now() - sim.origin) * 4)
        dice = random.Random(number)
        return {name: dice.random() < 0.5 for name in ("loop_arrival", "beam_rear", "beam_front", "loop_boom")}

    device = Watched("plain-8ch", sim, sense, Boom(sim))
    device.told = []
    if wire == "tcp":
        host, port = device.tcp()
        where: dict[str, Any] = {"kind": "modbus-tcp", "host": host, "port": port}
    else:
        where = {"kind": "modbus-rtu", "device": device.pty(), "baud": 115_200}

    async def run() -> None:
        dice = random.Random(5)
        async with asyncio.TaskGroup() as group:
            group.create_task(device.run())
            while True:
                await sim.sleep(dice.expovariate(0.5))
                if wire == "rtu":
                    device.inject(dice.randbytes(dice.randint(1, 12)))

    return device, clock, TypeAdapter[Any](ModbusConfig).validate_python(where), run()


def contacts(wire: str) -> tuple[Line[Inputs], SiteClock, list[Mapping[str, bool]]]:
    device, clock, where, run = module(wire)
    table = table_named("plain-8ch", ())

    def listen(link: Any) -> Any:
        io = LaneIo(link, table, wired(poll_s=POLL_S), clock)
        return io.tally, io.words()

    faults = device.faults
    hurts = [
        unplugged(device, 0.6),
        turned(faults, "silent", True, "silent", 0.6),
        *(turned(faults, "wrong", kind, f"wrong {kind}", 0.1) for kind in WRONG),
    ]
    return Line(run, lambda: open_modbus(where, DEADLINES), listen, hurts, device.close), clock, device.told


def judge_inputs(heard: Heard[Inputs], told: list[Mapping[str, bool]]) -> None:
    good = [dict(inputs.values) for inputs in heard.words if inputs.quality is Quality.GOOD]
    in_order(good, [{name: now[name] for name in good[0]} for now in told])
    assert len(good) == len(heard.words) and heard.untold == []


# a boom


def closings(device: LaneModule) -> int:
    """Of the relays that move the boom."""
    return sum(change.closed and change.output in ("raise", "lower") for change in device.changes)


async def command(wire: str, commands: int) -> tuple[int, int]:
    """So many movements are commanded while the line is hurt at random. (how many arrived, how many nobody knows)"""
    device, clock, where, run = module(wire)
    dice, link = random.Random(6), None
    arrived = unsure = 0
    knobs: list[tuple[Callable[[], None], Callable[[], None]]] = [
        (lambda: None, lambda: None),
        (device.drop, device.restore),
        (lambda: setattr(device.faults, "silent", True), lambda: setattr(device.faults, "silent", False)),
        (lambda: setattr(device.faults, "wrong", "truncated"), lambda: setattr(device.faults, "wrong", None)),
        (lambda: setattr(device.faults, "wrong", "transaction"), lambda: setattr(device.faults, "wrong", None)),
    ]
    config = BarrierConfig.model_validate({"raise": 0, "lower": 1, "stop": 2, "pulse_s": 0.3})
    async with asyncio.timeout(60 + commands), asyncio.TaskGroup() as group:
        living = group.create_task(run)
        for number in range(commands):
            if link is None:
                link = await open_modbus(where, DEADLINES)
            barrier = Barrier(link, table_named("plain-8ch", ()), config, clock)
            before = closings(device)
            hurt, mend = knobs[number % len(knobs)]
            timer = asyncio.get_running_loop().call_later(dice.uniform(0, 0.01), hurt)
            spoiled = None
            try:
                await (barrier.raise_boom() if dice.random() < 0.5 else barrier.lower_boom())
            except DriverFault as fault:
                spoiled = fault
            timer.cancel()
            mend()
            await clock.sleep(0.6)  # the pulse that a module ends itself is over
            pulses = closings(device) - before
            if spoiled is None:
                assert pulses == 1
                arrived += 1
            elif isinstance(spoiled, NotConfirmed):
                assert pulses in (0, 1)
                unsure += 1
            else:
                assert pulses == 0, spoiled
            if spoiled is not None:
                await link.close()
                link = None
        living.cancel()
    if link is not None:
        await link.close()
    device.close()
    return arrived, unsure


# a sign


def sign(wire: str) -> tuple[Line[tuple[str, str]], SiteClock]:
    """A sign speaks only when spoken to: its words here are a text that it took, and what it shows then."""
    sim, clock = timed()
    device = TextSign(sim)
    where = plug(device, wire)
    config = SignConfig.model_validate({"name": "sign", "link": where, "columns": 8, "rows": 2})

    def listen(link: Any) -> Any:
        shows = Sign(link, config, clock)
        return shows.tally, said(shows)

    async def said(shows: Sign) -> AsyncIterator[tuple[str, str] | Garbage]:
        while True:
            rows = [f"第{shows.tally.words}车", f"{int(clock.now() * 1000) % 100_000}"]
            await shows.show(rows)
            yield "|".join(rows), device.text
            await clock.sleep(0.02)

    async def run() -> None:
        dice = random.Random(5)
        while True:
            await sim.sleep(dice.expovariate(0.5))
            device.inject(dice.randbytes(dice.randint(1, 12)).replace(b"\n", b"-").replace(b"\r", b"-") + b"\r\n")

    hurts = [unplugged(device, 0.6), turned(device.faults, "silent", True, "silent", 3.2)]
    return Line(run(), opener(where, clock), listen, hurts, device.close), clock


def judge_sign(heard: Heard[tuple[str, str]]) -> None:
    assert all(asked == shown for asked, shown in heard.words)
    assert heard.untold == [] and sum(tally.garbage for tally in heard.lives) > 0


# short


@pytest.mark.parametrize(("dialect", "wire"), READERS)
async def test_some_tags_over_a_bad_line(dialect: str, wire: str) -> None:
    line, clock, told = tags(dialect, wire)
    judge_tags(await walk(line, clock, 200, 2), told)


@pytest.mark.parametrize("wire", ["tcp", "pty"])
async def test_some_reads_over_a_bad_line(wire: str) -> None:
    line, clock, told = portal(wire)
    judge_reads(await walk(line, clock, 200, 2), told)


@pytest.mark.parametrize("wire", ["tcp", "rtu"])
async def test_some_polls_over_a_bad_line(wire: str) -> None:
    line, clock, told = contacts(wire)
    judge_inputs(await walk(line, clock, 200, 3), told)


@pytest.mark.parametrize("wire", ["tcp", "rtu"])
async def test_some_commands_over_a_bad_line(wire: str) -> None:
    arrived, _ = await command(wire, 10)
    assert arrived > 0


@pytest.mark.parametrize("wire", ["tcp", "pty"])
async def test_some_texts_over_a_bad_line(wire: str) -> None:
    line, clock = sign(wire)
    judge_sign(await walk(line, clock, 100, 2))


# long


def told_in_time(heard: Heard[Any], name: str, within_s: float = BACK_S) -> None:
    print(heard.summary(name))
    assert heard.slowest_s < within_s


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("dialect", "wire"), READERS)
async def test_ten_thousand_tags_over_a_bad_line(dialect: str, wire: str) -> None:
    line, clock, told = tags(dialect, wire)
    heard = await walk(line, clock, 10_000, 20)
    judge_tags(heard, told)
    told_in_time(heard, f"{dialect} over {wire}")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("wire", ["tcp", "pty"])
async def test_ten_thousand_reads_over_a_bad_line(wire: str) -> None:
    line, clock, told = portal(wire)
    heard = await walk(line, clock, 10_000, 20)
    judge_reads(heard, told)
    told_in_time(heard, f"portal over {wire}")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("wire", ["tcp", "rtu"])
async def test_ten_thousand_polls_over_a_bad_line(wire: str) -> None:
    line, clock, told = contacts(wire)
    heard = await walk(line, clock, 10_000, 21)
    judge_inputs(heard, told)
    told_in_time(heard, f"I/O module over {wire}")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("wire", ["tcp", "rtu"])
async def test_a_thousand_commands_over_a_bad_line(wire: str) -> None:
    arrived, unsure = await command(wire, 1000)
    print(f"boom over {wire}: of 1000 commands {arrived} arrived and {unsure} were told as not known; none came twice")
    assert arrived > 0 and unsure > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("wire", ["tcp", "pty"])
async def test_ten_thousand_texts_over_a_bad_line(wire: str) -> None:
    line, clock = sign(wire)
    heard = await walk(line, clock, 10_000, 20)
    judge_sign(heard)
    # A sign says nothing by itself: that its line is back shows when an answer that will not come has been waited for.
    told_in_time(heard, f"sign over {wire}", ANSWER_S + LINK_RETRY_CAP_S + 0.5)
