"""A link to a pretended module, over both roads."""

from collections.abc import AsyncIterator

import pytest

from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_wire import Deadlines
from tests.drivers.modbus.module import OVER, Module

QUICK = Deadlines(open_s=2.0, answer_s=0.3, late_s=0.05)
"""Silence is waited for in these tests: shorter than on a site."""


@pytest.fixture
def module() -> Module:
    return Module()


@pytest.fixture(params=["tcp", "rtu"])
def road(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def link(module: Module, road: str) -> AsyncIterator[ModbusLink]:
    async with OVER[road](module) as config:
        opened = await open_modbus(config, QUICK)
        yield opened
        await opened.close()
