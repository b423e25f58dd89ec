"""A boom on a pretended module, over a real wire."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from drivers.barrier.config import BarrierConfig
from drivers.barrier.device import Barrier
from drivers.link.modbus import open_modbus
from drivers.link.modbus_tables import ModuleTable, table_named
from edge.clock import SiteClock
from tests.drivers.modbus.conftest import QUICK
from tests.drivers.modbus.module import OVER, Module


def wired(**change: Any) -> BarrierConfig:
    """Raise on 0, lower on 1, stop on 2."""
    return BarrierConfig.model_validate({"raise": 0, "lower": 1, "stop": 2, "pulse_s": 0.5, **change})


def module(kind: str, **knobs: Any) -> Module:
    """A module that pulses as its maker says. Pulses there take real time: these tests run fast clocks beside them."""
    match kind:
        case "plain-8ch":
            return Module(flash_from=0x200, flash_unit_s=0.06, **knobs)
        case "moxa-e1214":
            return Module(pulse_from=16, flash_unit_s=0.06, **knobs)
        case _:
            return Module(**knobs)


@asynccontextmanager
async def barrier(
    kind: str | ModuleTable, over: Module, road: str = "tcp", speed: float = 5 / 3, **change: Any
) -> AsyncGenerator[Barrier]:
    """The driver on a link of its own; a pulse of 0.5 s takes 0.3 s."""
    async with OVER[road](over) as where:
        link = await open_modbus(where, QUICK)
        table = table_named(kind) if isinstance(kind, str) else kind
        yield Barrier(link, table, wired(**change), SiteClock(speed=speed))
        await link.close()


async def until(truth: Callable[[], object], seconds: float = 5.0) -> None:
    """Poll until it is so."""
    async with asyncio.timeout(seconds):
        while not truth():
            await asyncio.sleep(0.001)
