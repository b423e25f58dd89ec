"""The barrier on every module that has a table, as simulated from its maker's manual: its word about silence is so."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from drivers.barrier.device import Barrier
from drivers.barrier.look import Watchdog, complaints
from drivers.faults import NotConfirmed
from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_config import ModbusTcpConfig
from drivers.link.modbus_tables import FlashOn, table_named
from edge.clock import SiteClock
from simulators.barrier import Boom
from simulators.clock import SimClock
from simulators.lane_io import SIZES, LaneModule, ModuleKind
from tests.drivers.barrier.boom import until, wired


@dataclass(frozen=True)
class Simulated:
    """A boom on a module, and the driver on its link."""

    arm: Boom
    lane: LaneModule
    link: ModbusLink
    boom: Barrier


MODULES: list[ModuleKind] = sorted(SIZES)


@asynccontextmanager
async def simulated(kind: ModuleKind, watchdog_s: float | None, speed: float = 20) -> AsyncGenerator[Simulated]:
    """A module with its boom, by its maker's manual, on a real wire."""
    sim = SimClock(speed=speed)
    arm = Boom(sim)
    lane = LaneModule(kind, sim, dict, arm, watchdog_s=watchdog_s)
    host, port = lane.tcp()
    link = await open_modbus(ModbusTcpConfig(host=host, port=port))
    running = [asyncio.ensure_future(life()) for life in (arm.run, lane.run)]
    try:
        yield Simulated(arm, lane, link, Barrier(link, table_named(kind), wired(), SiteClock(speed=speed)))
    finally:
        for each in running:
            each.cancel()
        await link.close()
        lane.close()


@pytest.mark.parametrize("kind", MODULES)
async def test_the_simulators_boom_obeys_each_command_once(kind: ModuleKind) -> None:
    async with simulated(kind, 5.0) as there:
        assert await complaints(there.link, table_named(kind), wired()) == []
        await there.boom.arm_watchdog()
        await there.boom.raise_boom()
        await until(lambda: there.arm.limit_up)
        await until(lambda: not any(there.lane.outputs.closed))
        await there.boom.lower_boom()
        await until(lambda: there.arm.limit_down)
        assert [(pulse.line, pulse.obeyed) for pulse in there.arm.pulses] == [("raise", True), ("lower", True)]


@pytest.mark.parametrize("kind", MODULES)
async def test_a_host_that_dies_within_a_pulse(kind: ModuleKind) -> None:
    """What the table says of its module is so: it lets go by its own pulse, or its watchdog, or, as warned, not."""
    table = table_named(kind)
    async with simulated(kind, 2.0) as there:
        start = table.outputs.start if table.pulse is None else table.pulse.start
        await there.link.write_coil_word(start, 5 if isinstance(table.pulse, FlashOn) else 0xFF00)
        await there.link.close()
        if table.pulse is not None or table.watchdog is not None or table.on_silence == "tool":
            await until(lambda: not any(there.lane.outputs.closed))
            by = "watchdog" if table.pulse is None else "pulse"
            assert [change.by for change in there.lane.changes] == ["host", by]
        else:
            await SiteClock(speed=20).sleep(6.0)
            assert there.lane.outputs.closed[0]
            assert any("one-shot relay" in caution.en for caution in table.all_cautions())


async def test_a_module_whose_tool_has_not_enabled_its_watchdog_is_told_and_not_armed() -> None:
    async with simulated("adam-4150", None) as there:
        [said] = await complaints(there.link, table_named("adam-4150"), wired())
        assert "host watchdog reads off (register 214)" in said
        with pytest.raises(NotConfirmed):
            await there.boom.arm_watchdog()


async def test_a_watchdog_that_has_bitten_says_so() -> None:
    async with simulated("adam-4150", 1.0) as there:
        await there.link.write_coil(16, on=True)
        await until(lambda: there.lane.watchdog_bites)
        assert await there.boom.arm_watchdog() == Watchdog(armed=True, fired=True)


@pytest.mark.parametrize(
    ("kind", "as_kind", "said"),
    [
        ("plain-8ch", "adam-4150", "refuses the coils of its outputs"),
        ("plain-8ch", "moxa-e1214", "refuses the coils where its pulses are started"),
        ("adam-6050", "adam-4150", "refuses its host watchdog's registers"),
    ],
)
async def test_another_module_than_the_site_file_says_is_found_by_reading(
    kind: ModuleKind, as_kind: str, said: str
) -> None:
    async with simulated(kind, None) as there:
        found = await complaints(there.link, table_named(as_kind), wired())
        assert any(re.search(said, each) for each in found), found
        assert there.lane.changes == []


async def test_linkage_mode_and_a_command_left_on_are_found_by_reading() -> None:
    async with simulated("plain-8ch", None) as there:
        await there.link.write_register(0x1002, 1)
        await there.link.write_coil(1, on=True)
        left, linked = await complaints(there.link, table_named("plain-8ch"), wired())
        assert "output lower reads on" in left and "register 4098 holds 1, not 0" in linked
        assert await there.boom.strays() == [linked]
    pulseless = {"pulse_s": 0.55}
    assert await complaints(there.link, table_named("plain-8ch"), wired(**pulseless)) == [
        "pulse_s = 0.55: plain-8ch pulses in steps of 0.1 s"
    ]
