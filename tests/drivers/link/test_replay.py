"""A tape played back gives the words of then: same drivers, same bytes, same order, no wire."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.faults import DriverFault
from drivers.kinds import Clock, Link
from drivers.lane_io.config import LaneIoConfig
from drivers.lane_io.device import Inputs, LaneIo
from drivers.lane_io.registers import Lamp
from drivers.link import open_link
from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_config import ModbusRtuConfig, ModbusTcpConfig
from drivers.link.modbus_tables import table_named
from drivers.link.recording import Recorder, Tap, recorded
from drivers.link.replay import Player
from drivers.link.tape import Kind, Record, records
from drivers.readings import Garbage, Instant
from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.device import Weighbridge
from edge.clock import SiteClock
from simulators.barrier import Boom
from simulators.clock import SimClock
from simulators.lane_io import LaneModule
from simulators.weighbridge import Indicator
from tests.drivers.lane_io.lane import wired
from tests.drivers.modbus.conftest import QUICK
from tests.drivers.plugs import WITHIN_S

SPEED = 20.0

Said = list[tuple[str, object]]


class Lane:
    """An indicator and an I/O module, heard by their drivers until their time is over."""

    def __init__(self, scale: WeighbridgeConfig, io: LaneIoConfig) -> None:
        self.scale, self.io, self.said = scale, io, Said()
        self.lamp = Lamp.UNKNOWN

    async def weigh(self, link: Link, clock: Clock) -> None:
        async for word in Weighbridge(link, self.scale, clock).words():
            self.said.append(("wb", word))

    async def contacts(self, link: ModbusLink, clock: Clock) -> None:
        io = LaneIo(link, table_named(self.io.module), self.io, clock)
        async for word in io.words():
            self.said.append(("io", word))
            if self.lamp is not Lamp.UNKNOWN and self.lamp is not word.lamp:
                await io.show(self.lamp)

    async def lives(self, open_: Callable[[], Any], live: Callable[..., Any], clock: Clock) -> None:
        """Again and again, as a keeper does."""
        while True:
            try:
                await live(await open_(), clock)
            except DriverFault:
                await clock.sleep(0.3)


def seen(said: Said) -> list[tuple[str, object]]:
    """What a word says; the instant of a poll is compared apart."""
    return [
        (name, (word.values, word.lamp, word.quality, word.note) if isinstance(word, Inputs) else word)
        for name, word in said
    ]


@pytest.mark.parametrize("road", ["tcp", "rtu"])
async def test_weights_and_contacts_come_again_as_they_came(tmp_path: Path, road: str) -> None:
    sim, clock = SimClock(speed=SPEED), SiteClock(speed=SPEED)
    load, sensed = [0.0], {"beam_rear": False}
    indicator = Indicator(sim, lambda: load[0], seed=4, max_kg=100_000)
    indicator.faults.garbage_per_s, indicator.faults.half_share = 1.0, 0.02
    module = LaneModule("plain-8ch", sim, lambda: sensed, Boom(sim, sense=lambda: sensed))
    host, port = indicator.tcp()
    scale = WeighbridgeConfig.model_validate({
        "name": "wb", "dialect": "yaohua-a9", "max_kg": 100_000, "division_kg": 20, "silence_s": 3.0,
        "link": {"kind": "tcp", "host": host, "port": port},
    })  # fmt: skip
    where: ModbusTcpConfig | ModbusRtuConfig
    if road == "tcp":
        where = ModbusTcpConfig(host=module.tcp()[0], port=module.tcp()[1])
    else:
        where = ModbusRtuConfig(device=module.pty(), baud=115_200)
    then = Lane(scale, wired(poll_s=0.1))
    box = Recorder(tmp_path, clock)

    async def stream() -> Link:
        assert not isinstance(scale.link, ModbusTcpConfig | ModbusRtuConfig)
        return recorded(await open_link(scale.link, clock), box.tap("wb"))

    async def modbus() -> ModbusLink:
        return await open_modbus(where, QUICK, box.tap("io"))

    began = clock.now()
    async with asyncio.timeout(2 * WITHIN_S), asyncio.TaskGroup() as group:
        running = [
            group.create_task(each)
            for each in (
                indicator.run(), box.run(),
                then.lives(stream, then.weigh, clock), then.lives(modbus, then.contacts, clock),
            )
        ]  # fmt: skip

        async def more(words: int) -> None:
            until = len(then.said) + words
            while len(then.said) < until:
                await asyncio.sleep(0.005)

        await more(60)
        then.lamp = Lamp.RED
        box.mark("lamp", "red")
        load[0], sensed["beam_rear"] = 32_000.0, True
        await more(80)
        sensed["beam_rear"] = False
        indicator.pipe.drop()
        await more(80)
        then.lamp = Lamp.GREEN
        box.mark("lamp", "green")
        await more(60)
        box.mark("words", len(then.said))
        for task in running:
            task.cancel()
    indicator.close()
    module.close()

    [path] = tmp_path.iterdir()
    tape = [each for each in records(path) if isinstance(each, Record)]
    assert not [each for each in records(path) if isinstance(each, Garbage)]
    assert {each.kind for each in tape if each.link == "wb"} >= {Kind.OPENED, Kind.RECEIVED, Kind.ENDED}

    again = Lane(scale, then.io)
    player = Player(began)
    counted: list[int] = []

    def mark(at: Instant, said: dict[str, Any]) -> None:
        if "lamp" in said:
            again.lamp = Lamp(said["lamp"])
        else:
            counted.append(said["words"])
            assert len(again.said) == said["words"]

    async with asyncio.timeout(2 * WITHIN_S), asyncio.TaskGroup() as group:
        watch = player.clock()
        playing = [
            group.create_task(again.lives(lambda: player.open_stream("wb"), again.weigh, watch)),
            group.create_task(again.lives(lambda: player.open_modbus("io", where), again.contacts, watch)),
        ]
        await player.play(tape, mark)
        for task in playing:
            task.cancel()
    assert counted and player.unheard == 0
    assert seen(again.said)[: counted[0]] == seen(then.said)[: counted[0]]
    assert {word.lamp for _, word in again.said if isinstance(word, Inputs)} >= {Lamp.RED, Lamp.GREEN}


async def test_a_link_that_nobody_opens_is_counted(tmp_path: Path) -> None:
    clock = SiteClock()
    box = Recorder(tmp_path, clock)
    tap: Tap = box.tap("gone")
    tap.opened()
    tap.received(b"abc")
    await box.finish()
    player = Player(Instant(0.0))
    [path] = tmp_path.iterdir()
    await player.play((each for each in records(path) if isinstance(each, Record)), lambda _, __: None)
    assert player.unheard == 2
