"""Stuck, missing and faulty sensors under the boom, from the module's register to the interlock's reason."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import pytest

from drivers.lane_io.device import LaneIo
from drivers.link.modbus import open_modbus
from drivers.link.modbus_config import ModbusTcpConfig
from drivers.link.modbus_tables import table_named
from drivers.weighbridge.deck import DeckWatch
from edge.clock import SiteClock
from edge.lane.senses import Senses
from gateway_ctl.interlock import Refusal, decide_lowering
from gateway_ctl.modes import Mode
from gateway_ctl.picture import Rules
from gateway_ctl.reasons import Reason
from simulators.barrier import Boom
from simulators.clock import SimClock
from simulators.lane_io import LaneModule, ModuleKind
from tests.drivers.lane_io.lane import wired

SPEED = 20.0
RULES = Rules(inputs_fresh_s=60.0)
"""Sixty site seconds are three real ones: a machine that is busy for a moment is no silent module."""


@dataclass
class Scene:
    """A lane whose boom is up, its module, and what the lane makes of it."""

    module: LaneModule
    sensed: dict[str, bool]
    io: LaneIo
    senses: Senses
    clock: SiteClock

    async def see(self, seconds: float, **sensed: bool) -> tuple[Reason, ...]:
        """Poll for so long while the field is so; why the boom may not be lowered then."""
        self.sensed.clear()
        self.sensed.update(sensed)
        until = self.clock.now() + seconds
        while True:
            inputs = await self.io.poll()
            self.senses.inputs(inputs.values, inputs.at)
            if self.clock.now() >= until:
                break
            await self.clock.sleep(0.1)
        judged = decide_lowering(self.senses.picture(self.clock.now(), None, None, frozenset()), inputs.at, RULES)
        return judged.reasons if isinstance(judged, Refusal) else ()

    async def truck(self) -> tuple[Reason, ...]:
        """Drives out under the boom; then a while with nobody there."""
        await self.see(0.5, beam_front=True)
        await self.see(3.0, beam_front=True, loop_boom=True, photocell=True)
        return await self.see(RULES.zone_clear_s + 1.0)


@asynccontextmanager
async def scene(kind: ModuleKind = "adam-6050") -> AsyncGenerator[Scene]:
    sim = SimClock(speed=SPEED)
    boom, sensed = Boom(sim), dict[str, bool]()
    module = LaneModule(kind, sim, lambda: sensed, boom)
    module.faults.stuck = {"limit_down": False, "limit_up": True}
    host, port = module.tcp()
    link = await open_modbus(ModbusTcpConfig(host=host, port=port))
    clock = SiteClock(speed=SPEED)
    config = wired(module=kind, poll_s=0.1)
    watch = DeckWatch(division_kg=Decimal(20))
    senses = Senses("here", "L01", watch, mode=Mode.LIVE, direction="in")
    try:
        yield Scene(module, sensed, LaneIo(link, table_named(kind), config, clock), senses, clock)
    finally:
        await link.close()
        module.close()


@pytest.mark.parametrize("kind", ["adam-6050", "plain-8ch", "brainboxes-ed-588"])
async def test_a_healthy_zone_lets_the_boom_down_after_the_truck(kind: ModuleKind) -> None:
    async with scene(kind) as lane:
        assert await lane.truck() == ()
        assert lane.senses.zone_note == ""


@pytest.mark.parametrize("sensor", ["loop_boom", "photocell"])
async def test_a_stuck_sensor_is_occupied(sensor: str) -> None:
    async with scene() as lane:
        lane.module.faults.stuck[sensor] = True
        assert await lane.truck() == (Reason.ZONE_OCCUPIED,)


@pytest.mark.parametrize("sensor", ["loop_boom", "photocell"])
async def test_a_sensor_that_misses_the_truck_is_occupied_until_it_sees_one(sensor: str) -> None:
    async with scene() as lane:
        lane.module.faults.stuck[sensor] = False
        assert await lane.truck() == (Reason.ZONE_OCCUPIED,)
        assert lane.senses.zone_note.startswith(f"{sensor} missed a vehicle")
        assert lane.senses.picture(lane.clock.now(), None, None, frozenset()).zone_blind == (sensor,)
        del lane.module.faults.stuck[sensor]
        assert await lane.truck() == ()
        assert lane.senses.zone_note == ""


async def test_a_module_that_refuses_to_tell_is_no_clear_zone() -> None:
    async with scene() as lane:
        assert await lane.truck() == ()
        lane.module.faults.exception = 4
        async with asyncio.timeout(10):
            assert Reason.INPUTS_STALE in await lane.see(0.3)


async def test_a_photocell_whose_wire_is_cut_is_occupied() -> None:
    """Its contact is closed while all is well, as the manual says; the site file inverts it."""
    async with scene() as lane:
        lane.io = LaneIo(
            lane.io._link,  # pyright: ignore[reportPrivateUsage]
            table_named("adam-6050"),
            wired(module="adam-6050", inverted=["boom_fault", "photocell"]),
            lane.clock,
        )
        assert await lane.see(RULES.zone_clear_s + 1.0, photocell=False) == (Reason.ZONE_OCCUPIED,)
        assert await lane.see(RULES.zone_clear_s + 1.0, photocell=True) == ()
