"""One write, once: the frames on the wire are counted, whatever goes wrong after them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from drivers.faults import DriverFault, LinkLost, NoAnswer
from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_wire import Deadlines
from tests.drivers.modbus.conftest import QUICK
from tests.drivers.modbus.module import OVER, Module, over_tcp

WRITE = bytes.fromhex("05 0000 ff00")


async def settle(module: Module, count: int) -> None:
    """Until the module has heard that many requests."""
    async with asyncio.timeout(5):
        while len(module.asked) < count:
            await asyncio.sleep(0.001)


async def test_silent_module_sees_one_write(link: ModbusLink, module: Module) -> None:
    module.silent = True
    with pytest.raises(NoAnswer):
        await link.write_coil(0, on=True)
    await asyncio.sleep(2 * QUICK.answer_s)  # a resend would come now
    assert module.asked == [WRITE]


async def test_hang_up_after_a_write_sees_one_write_on_one_connection(module: Module) -> None:
    module.hang_up_on = lambda pdu: pdu == WRITE
    async with over_tcp(module) as config:
        link = await open_modbus(config, QUICK)
        with pytest.raises(LinkLost):
            await link.write_coil(0, on=True)
        await asyncio.sleep(QUICK.answer_s)
    assert module.asked == [WRITE]
    assert module.lives == 1


async def test_every_kind_of_bad_answer_sees_one_write(module: Module, road: str) -> None:
    bad: list[Callable[[bytes], bytes]] = [lambda f: f[:3], lambda f: f[::-1], lambda _: bytes(300), lambda f: f + f]
    for mangle in bad:
        module.mangle, before = mangle, len(module.asked)
        async with OVER[road](module) as config:
            link = await open_modbus(config, QUICK)
            with suppress(DriverFault):
                await link.write_coil(0, on=True)
            with suppress(DriverFault):
                await link.read_coils(0, 1)
            await link.close()
        assert module.asked[before:].count(WRITE) == 1


async def test_late_answer_is_not_taken_for_the_next_ones(module: Module, road: str) -> None:
    """The coil was off when asked first; it is on when the next link asks: the late `off` must not be heard."""
    module.gate = asyncio.Event()
    async with OVER[road](module) as config:
        link = await open_modbus(config, QUICK)
        with pytest.raises(NoAnswer):
            await link.read_coils(5, 1)
        module.coils.add(5)
        opening = asyncio.ensure_future(open_modbus(config, QUICK))
        await asyncio.sleep(0)
        module.gate.set()
        again = await opening
        assert await again.read_coils(5, 1) == (True,)
        await again.close()


async def test_cancelled_asker_leaves_the_answer_to_no_one(link: ModbusLink, module: Module) -> None:
    module.gate = asyncio.Event()
    module.coils = {1}
    asker = asyncio.ensure_future(link.read_coils(0, 1))
    await settle(module, 1)
    asker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker
    next_one = asyncio.ensure_future(link.read_coils(1, 1))
    await asyncio.sleep(0.02)
    assert len(module.asked) == 1, "one request in flight, even when nobody waits for it"
    module.gate.set()
    assert await next_one == (True,)
    assert module.lives == 1


async def test_cancelled_write_is_written_once(link: ModbusLink, module: Module) -> None:
    module.gate = asyncio.Event()
    asker = asyncio.ensure_future(link.write_coil(0, on=True))
    await settle(module, 1)
    asker.cancel()
    with suppress(asyncio.CancelledError):
        await asker
    module.gate.set()
    assert await link.read_coils(0, 1) == (True,)
    assert module.writes() == [WRITE]


async def test_cancelled_before_its_turn_writes_nothing(link: ModbusLink, module: Module) -> None:
    module.gate = asyncio.Event()
    first = asyncio.ensure_future(link.read_coils(0, 1))
    await settle(module, 1)
    second = asyncio.ensure_future(link.write_coil(0, on=True))
    await asyncio.sleep(0)
    second.cancel()
    with suppress(asyncio.CancelledError):
        await second
    module.gate.set()
    await first
    assert await link.read_coils(0, 1) == (False,)
    assert module.writes() == []


async def test_silence_after_a_cancelled_asker_is_told_to_the_next(module: Module, road: str) -> None:
    module.silent = True
    async with OVER[road](module) as config:
        link = await open_modbus(config, Deadlines(answer_s=0.1, late_s=0.02))
        asker = asyncio.ensure_future(link.read_coils(0, 1))
        await settle(module, 1)
        asker.cancel()
        with suppress(asyncio.CancelledError):
            await asker
        with pytest.raises(NoAnswer):
            await link.write_coil(0, on=True)
        assert module.writes() == []


async def test_turns_of_the_cancelled_pass_on(link: ModbusLink, module: Module) -> None:
    """Two who wait for an orphan's answer, one of them cancelled too."""
    module.gate = asyncio.Event()
    tasks = [asyncio.ensure_future(link.read_coils(n, 1)) for n in range(4)]
    await settle(module, 1)
    for task in tasks[:3]:
        task.cancel()
        await asyncio.sleep(0)
    module.coils = {3}
    module.gate.set()
    assert await tasks[3] == (True,)
    assert len(module.asked) == 2
