"""One movement, one pulse; never while an output is on; off again whatever happens."""

import asyncio
from contextlib import suppress

import pytest

from drivers.barrier.look import Watchdog
from drivers.barrier.registers import Movement
from drivers.faults import LinkFault, LinkLost, NoAnswer, NotConfirmed, OurMistake, Refused
from drivers.link.modbus_tables import HostWatchdog, ModuleTable
from tests.drivers.barrier.boom import barrier, module, until
from tests.drivers.modbus.module import Module

KINDS = ["plain-8ch", "moxa-e1214", "adam-6050"]
ON = {"plain-8ch": "0502000005", "moxa-e1214": "050010ff00", "adam-6050": "050010ff00"}
"""What raises: relay 0 for 5 x 100 ms; pulse start 0; DO 0 on."""


def hexes(pdus: list[bytes]) -> list[str]:
    return [pdu.hex() for pdu in pdus]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("road", ["tcp", "rtu"])
async def test_raise_is_one_pulse_and_is_seen(kind: str, road: str) -> None:
    over = module(kind)
    async with barrier(kind, over, road) as boom:
        written = await boom.raise_boom()
        assert (written.movement, written.readback) == (Movement.RAISE, True)
        assert str(written) == "raise: output seen on"
        await until(lambda: not over.coils)
    by_hand = [] if kind != "adam-6050" else ["0500100000"]
    assert hexes(over.writes()) == [ON[kind], *by_hand]
    assert over.asked[0][0] == 1, "looked before it wrote"


@pytest.mark.parametrize("kind", KINDS)
async def test_each_movement_has_its_own_coil(kind: str) -> None:
    over = module(kind)
    async with barrier(kind, over) as boom:
        for move in (boom.raise_boom, boom.lower_boom, boom.stop):
            assert (await move()).readback
            await until(lambda: not over.coils)
    started = [pdu for pdu in over.writes() if pdu[3:5] != b"\0\0"]
    first = int.from_bytes(started[0][1:3], "big")
    assert [int.from_bytes(pdu[1:3], "big") - first for pdu in started] == [0, 1, 2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("on", [0, 1, 2])
async def test_nothing_is_written_while_a_command_output_is_on(kind: str, on: int) -> None:
    over = module(kind)
    over.coils = {on + (0 if kind == "plain-8ch" else 16)}
    async with barrier(kind, over) as boom:
        for move in (boom.raise_boom, boom.lower_boom):
            with pytest.raises(Refused, match=("raise", "lower", "stop")[on]) as refused:
                await move()
            assert refused.value.code == "on"
    assert over.writes() == []


async def test_stop_does_not_ask_first() -> None:
    over = module("plain-8ch", coils={0, 1})
    async with barrier("plain-8ch", over) as boom:
        assert (await boom.stop()).readback
    assert over.asked[0].hex() == "0502020005"


async def test_a_stop_that_is_not_wired_is_our_mistake() -> None:
    over = module("plain-8ch")
    async with barrier("plain-8ch", over, stop=None) as boom:
        with pytest.raises(OurMistake):
            await boom.stop()
    assert over.asked == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_relay_that_does_not_close_is_told(kind: str) -> None:
    over = module(kind, stuck={0: False, 16: False})
    async with barrier(kind, over) as boom:
        written = await boom.raise_boom()
    assert not written.readback
    assert str(written) == "raise: output acknowledged, not seen on"
    assert hexes(over.writes())[0] == ON[kind]
    assert len([pdu for pdu in over.writes() if pdu.hex() == ON[kind]]) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_module_that_refuses_has_not_moved(kind: str) -> None:
    over = module(kind, refuse={5: 6})
    async with barrier(kind, over) as boom:
        with pytest.raises(Refused) as refused:
            await boom.raise_boom()
        assert refused.value.code == 6
    assert hexes(over.writes()) == [ON[kind]]


@pytest.mark.parametrize("kind", KINDS)
async def test_silence_before_the_command_means_nothing_was_written(kind: str) -> None:
    over = module(kind, silent=True)
    async with barrier(kind, over) as boom:
        with pytest.raises(NoAnswer):
            await boom.raise_boom()
        with pytest.raises(LinkLost):
            await boom.raise_boom()
    assert over.writes() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["deaf", "hang up"])
async def test_a_write_without_an_answer_is_not_confirmed_and_not_repeated(kind: str, how: str) -> None:
    over = module(kind)
    if how == "deaf":
        over.deaf_to = lambda pdu: pdu[0] == 5
    else:
        over.hang_up_on = lambda pdu: pdu[0] == 5
    async with barrier(kind, over) as boom:
        with pytest.raises(NotConfirmed):
            await boom.raise_boom()
        with pytest.raises(LinkFault):
            await boom.raise_boom()
    assert hexes(over.writes()) == [ON[kind]]
    assert over.lives == 1


async def test_a_link_that_dies_before_the_read_back_is_not_confirmed() -> None:
    over = module("plain-8ch")
    over.hang_up_on = lambda pdu: pdu[0] == 1 and bool(over.writes())
    async with barrier("plain-8ch", over) as boom:
        with pytest.raises(NotConfirmed, match="written and not read back"):
            await boom.raise_boom()
    assert len(over.writes()) == 1


async def test_by_hand_an_output_that_stays_on_must_ring() -> None:
    over = module("adam-6050", stuck={16: True})
    async with barrier("adam-6050", over) as boom:
        with pytest.raises(NotConfirmed, match="reads on"):
            await boom.raise_boom()
    assert hexes(over.writes()) == ["050010ff00", "0500100000"]


async def test_by_hand_a_link_that_dies_in_the_pulse_must_ring() -> None:
    over = module("adam-6050")
    over.hang_up_on = lambda pdu: pdu.hex() == "0500100000"
    async with barrier("adam-6050", over) as boom:
        with pytest.raises(NotConfirmed, match="raise output may still be on"):
            await boom.raise_boom()


async def test_by_hand_the_pulse_is_as_long_as_asked() -> None:
    over = module("adam-6050")
    async with barrier("adam-6050", over) as boom:
        began = asyncio.get_running_loop().time()
        await boom.raise_boom()
        assert asyncio.get_running_loop().time() - began >= 0.3, "0.5 s at five thirds of the speed"


@pytest.mark.parametrize("times", [1, 3])
async def test_by_hand_a_cancelled_raise_switches_off_first(times: int) -> None:
    over = module("adam-6050")
    async with barrier("adam-6050", over, speed=0.01) as boom:
        raising = asyncio.ensure_future(boom.raise_boom())
        await until(lambda: 16 in over.coils)
        for _ in range(times):
            raising.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await raising
        assert over.coils == set()
        await boom.standing()
    assert hexes(over.writes()) == ["050010ff00", "0500100000"]


async def test_by_hand_a_cancel_while_the_write_is_on_the_wire_switches_off() -> None:
    over = module("adam-6050")
    over.gate = asyncio.Event()
    over.gate.set()
    async with barrier("adam-6050", over, speed=0.01) as boom:
        raising = asyncio.ensure_future(boom.raise_boom())
        over.deaf_to = lambda pdu: bool(over.gate and pdu[0] == 5 and over.gate.clear())
        await until(lambda: len(over.writes()) == 1)
        raising.cancel()
        await asyncio.sleep(0)
        over.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await raising
        assert over.coils == set()


async def test_the_end_of_the_event_loop_switches_off() -> None:
    """asyncio.run cancels every task by itself, also the one that outlives its caller."""
    over = module("adam-6050")
    async with barrier("adam-6050", over, speed=0.01) as boom:
        raising = asyncio.ensure_future(boom.raise_boom())
        await until(lambda: 16 in over.coils)
        ours = {asyncio.current_task(), raising}
        for task in asyncio.all_tasks() - ours:
            if "_command" in repr(task):
                task.cancel()
        with suppress(asyncio.CancelledError):
            await raising
        assert over.coils == set()


async def test_a_raise_cancelled_before_its_write_writes_nothing() -> None:
    over = module("adam-6050")
    over.gate = asyncio.Event()
    async with barrier("adam-6050", over) as boom:
        raising = asyncio.ensure_future(boom.raise_boom())
        await until(lambda: len(over.asked) == 1)
        raising.cancel()
        await asyncio.sleep(0)
        over.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await raising
    assert over.writes() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_one_movement_at_a_time(kind: str) -> None:
    over = module(kind)
    over.gate = asyncio.Event()
    async with barrier(kind, over) as boom:
        raising = asyncio.ensure_future(boom.raise_boom())
        await until(lambda: len(over.asked) == 1)
        with pytest.raises(Refused) as refused:
            await boom.lower_boom()
        assert refused.value.code == "busy"
        over.gate.set()
        assert (await raising).readback
        await until(lambda: not over.coils)
        assert (await boom.lower_boom()).readback


async def test_stop_withdraws_a_raise_that_has_not_been_written() -> None:
    over = module("plain-8ch")
    over.gate = asyncio.Event()
    async with barrier("plain-8ch", over) as boom:
        raising = asyncio.ensure_future(boom.raise_boom())
        await until(lambda: len(over.asked) == 1)
        stopping = asyncio.ensure_future(boom.stop())
        await asyncio.sleep(0)
        over.gate.set()
        with pytest.raises(Refused) as refused:
            await raising
        assert refused.value.code == "stopped"
        assert (await stopping).readback
    assert hexes(over.writes()) == ["0502020005"]


async def test_stop_ends_a_pulse_by_hand_and_nothing_moves_meanwhile() -> None:
    over = module("adam-6050")
    async with barrier("adam-6050", over, speed=0.5) as boom:  # a pulse lasts 1 s
        raising = asyncio.ensure_future(boom.raise_boom())
        await until(lambda: 16 in over.coils)
        stopping = asyncio.ensure_future(boom.stop())
        assert (await raising).readback
        await until(lambda: 18 in over.coils)
        assert 16 not in over.coils
        with pytest.raises(Refused) as refused:
            await boom.lower_boom()
        assert refused.value.code == "stopped"
        stopping.cancel()
        over.coils.discard(18)  # enough seen
        with suppress(asyncio.CancelledError):
            async with asyncio.timeout(10):
                await stopping


async def test_what_a_crash_left_on_is_seen_and_released() -> None:
    over = module("adam-6050", coils={16, 3})
    async with barrier("adam-6050", over) as boom:
        assert await boom.standing() == {Movement.RAISE}
        assert await boom.release() == {Movement.RAISE}
        assert await boom.standing() == frozenset()
        assert await boom.release() == frozenset()
    assert hexes(over.writes()) == ["0500100000"]
    assert over.coils == {3}, "not ours"


async def test_what_cannot_be_released_must_ring() -> None:
    over = module("plain-8ch", coils={1}, stuck={1: True})
    async with barrier("plain-8ch", over) as boom:
        with pytest.raises(NotConfirmed, match="lower"):
            await boom.release()


async def test_opening_writes_nothing() -> None:
    over = module("adam-6050")
    async with barrier("adam-6050", over) as boom:
        await boom.standing()
    assert over.writes() == []


async def test_channels_that_the_module_lacks_are_our_mistake() -> None:
    over = Module()
    with pytest.raises(OurMistake, match=r"outputs\.lower = 9"):
        async with barrier("adam-6050", over, lower=9):
            pass
    assert over.asked == []


WATCHED = ModuleTable.model_validate({
    "name": "acme-8", "source": "a site's own", "inputs": {"area": "discrete", "start": 0, "count": 8},
    "outputs": {"start": 0, "count": 8},
    "watchdog": {"enable_register": 260, "time_register": 488, "time_unit_s": 0.1, "flag_register": 269},
})  # fmt: skip
"""Its host sets its watchdog."""


async def test_a_watchdog_that_the_host_sets_is_set_and_read_back() -> None:
    over = Module(registers={269: 1})
    async with barrier(WATCHED, over, watchdog_s=1.25) as boom:
        assert await boom.arm_watchdog() == Watchdog(armed=True, fired=True)
    assert hexes(over.writes()) == ["0601e8000c", "0601040001"], "the time first, rounded down, then on; each once"
    over = Module()
    async with barrier("adam-6050", over) as boom:
        assert await boom.arm_watchdog() is None
    assert over.asked == []


async def test_a_watchdog_that_the_tool_sets_is_read_only() -> None:
    over = Module(registers={214: 1})
    async with barrier("adam-4150", over) as boom:
        assert await boom.arm_watchdog() == Watchdog(armed=True, fired=False)
        over.registers[214] = 0
        with pytest.raises(NotConfirmed, match="enabled with the maker's tool and register 214 reads off"):
            await boom.arm_watchdog()
    assert over.writes() == []


async def test_watchdog_that_does_not_keep_is_not_confirmed() -> None:
    over = Module(forgetful=True)
    async with barrier(WATCHED, over) as boom:
        with pytest.raises(NotConfirmed, match="time was written 10 and reads 0"):
            await boom.arm_watchdog()
    over = Module(forgetful=True, registers={488: 10})
    untimed = WATCHED.model_copy(update={"watchdog": HostWatchdog(enable_register=260)})
    async with barrier(untimed, over) as boom:
        with pytest.raises(NotConfirmed, match="was written on and register 260 reads off"):
            await boom.arm_watchdog()
