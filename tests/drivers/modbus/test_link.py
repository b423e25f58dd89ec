"""Verbs over real sockets and ptys."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from drivers.faults import LinkLost, NoAnswer, OpenFailed, OurMistake, Refused, TheirMistake
from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_config import ModbusRtuConfig, ModbusTcpConfig
from drivers.link.modbus_wire import Deadlines
from tests.drivers.modbus.conftest import QUICK
from tests.drivers.modbus.module import Module, crc, over_rtu, over_tcp


async def test_every_verb_says_what_the_module_holds(link: ModbusLink, module: Module) -> None:
    module.coils = {0, 9}
    module.discrete = {1, 2}
    module.registers = {7: 0xFFFF, 8: 1}
    assert await link.read_coils(0, 10) == (True, *(False,) * 8, True)
    assert await link.read_discrete_inputs(1, 3) == (True, True, False)
    assert await link.read_holding_registers(7, 2) == (0xFFFF, 1)
    assert await link.read_input_registers(6, 2) == (0, 0xFFFF)
    await link.write_coil(3, on=True)
    await link.write_coil(0, on=False)
    assert module.coils == {3, 9}
    await link.write_register(100, 0xABCD)
    await link.write_registers(101, [1, 2, 3])
    assert [module.registers[a] for a in range(100, 104)] == [0xABCD, 1, 2, 3]
    await link.write_coil_word(0x200, 7)
    assert module.asked[-1] == bytes.fromhex("0502000007")
    assert link.tally.words == len(module.asked) == 9
    assert link.tally.garbage == 0


@pytest.mark.parametrize("code", [1, 2, 4, 6, 11, 99])
async def test_refusal_is_a_fault_with_its_code_and_the_link_lives_on(
    link: ModbusLink, module: Module, code: int
) -> None:
    module.refuse = {5: code}
    with pytest.raises(Refused) as refused:
        await link.write_coil(0, on=True)
    assert refused.value.code == code
    module.refuse = {}
    assert await link.read_coils(0, 1) == (False,)
    assert module.lives == 1
    assert len(module.writes()) == 1


async def test_address_that_does_not_exist_is_refused(link: ModbusLink, module: Module) -> None:
    module.reach = 8
    with pytest.raises(Refused, match="illegal address"):
        await link.read_coils(4, 8)


async def test_silence_is_no_answer_and_ends_the_link(link: ModbusLink, module: Module) -> None:
    module.silent = True
    with pytest.raises(NoAnswer):
        await link.write_coil(0, on=True)
    module.silent = False
    with pytest.raises(LinkLost, match="ended before: no answer"):
        await link.write_coil(0, on=True)
    assert len(module.asked) == 1


async def test_wrong_unit_never_answers_for_ours(module: Module, road: str) -> None:
    """Over TCP the answer shows; on a serial line another unit's answer is passing traffic."""

    def from_unit_9(frame: bytes) -> bytes:
        if road == "tcp":
            return frame[:6] + b"\x09" + frame[7:]
        return b"\x09" + frame[1:-2] + crc(b"\x09" + frame[1:-2])

    module.mangle = from_unit_9
    async with {"tcp": over_tcp, "rtu": over_rtu}[road](module) as config:
        link = await open_modbus(config, QUICK)
        with pytest.raises(TheirMistake if road == "tcp" else NoAnswer):
            await link.read_coils(0, 1)


@pytest.mark.parametrize("keep", [1, 4, 5, 7])
async def test_half_an_answer_is_no_answer(link: ModbusLink, module: Module, keep: int) -> None:
    module.mangle = lambda frame: frame[:-keep]
    with pytest.raises(NoAnswer):
        await link.write_coil(0, on=True)
    assert len(module.asked) == 1


async def test_answer_in_single_bytes_is_an_answer(link: ModbusLink, module: Module) -> None:
    """A serial line gives what it has; so may a network."""
    module.trickle = True
    module.coils = {2}
    assert await link.read_coils(0, 3) == (False, False, True)
    await link.write_coil(7, on=True)
    module.refuse = {1: 6}
    with pytest.raises(Refused):
        await link.read_coils(0, 3)


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("read", "0100"),
        ("read", "010200 00"),
        ("read", "0201 01"),
        ("read", "8101 01"),
        ("read", "82 01"),
        ("write", "0500 00 0000"),
        ("write", "0500 01 ff00"),
        ("write", "0600 00 ff00"),
        ("write", "0500 00 ff00 00"),
    ],
)
async def test_an_answer_to_something_else_is_their_mistake(module: Module, function: str, answer: str) -> None:
    pdu = bytes.fromhex(answer)
    module.mangle = lambda frame: frame[:4] + (len(pdu) + 1).to_bytes(2, "big") + frame[6:7] + pdu
    async with over_tcp(module) as config:
        link = await open_modbus(config, QUICK)
        with pytest.raises(TheirMistake):
            await (link.read_coils(0, 1) if function == "read" else link.write_coil(0, on=True))
        with pytest.raises(LinkLost):
            await link.read_coils(0, 1)
    assert len(module.asked) == 1


STRANGE: dict[str, Callable[[bytes], bytes]] = {
    "http": lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "protocol": lambda f: f[:2] + b"\x00\x01" + f[4:],
    "long": lambda f: f[:4] + b"\xff\xff" + f[6:],
    "empty": lambda f: f[:4] + b"\x00\x00" + f[6:],
    "transaction": lambda f: bytes((f[0], f[1] ^ 1)) + f[2:],
    "twice": lambda f: f + f,
    "tail": lambda f: f + b"\x00",
}


@pytest.mark.parametrize("how", STRANGE)
async def test_strange_frame_is_their_mistake_at_once(module: Module, how: str) -> None:
    module.mangle = STRANGE[how]
    async with over_tcp(module) as config:
        link = await open_modbus(config, Deadlines(answer_s=30.0))
        with pytest.raises(TheirMistake):
            await link.read_coils(0, 1)
        assert link.tally.garbage == 1


async def test_serial_noise_around_an_answer_is_counted_and_passed_over(module: Module) -> None:
    module.mangle = lambda frame: b"\x00\xff\x80" + frame + b"\x00"
    async with over_rtu(module) as config:
        link = await open_modbus(config, QUICK)
        module.coils = {1}
        assert await link.read_coils(0, 2) == (False, True)
        assert await link.read_coils(0, 2) == (False, True)
        assert link.tally.garbage_bytes >= 6
        await link.close()


async def test_serial_checksum_is_looked_at(module: Module) -> None:
    module.mangle = lambda frame: frame[:-1] + bytes((frame[-1] ^ 1,))
    async with over_rtu(module) as config:
        link = await open_modbus(config, QUICK)
        with pytest.raises(TheirMistake, match="checksum"):
            await link.read_coils(0, 1)


async def test_serial_noise_without_end_is_their_mistake(module: Module) -> None:
    module.mangle = lambda _: b"\x55" * 600
    async with over_rtu(module) as config:
        link = await open_modbus(config, Deadlines(answer_s=30.0, late_s=0.02))
        with pytest.raises(TheirMistake, match="no frame"):
            await link.read_coils(0, 1)


async def test_speaking_unasked_ends_a_tcp_link(module: Module) -> None:
    ended = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"login: ")
        await reader.read()
        ended.set()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    link = await open_modbus(ModbusTcpConfig(host="127.0.0.1", port=server.sockets[0].getsockname()[1]), QUICK)
    async with asyncio.timeout(5):
        await ended.wait()
    with pytest.raises(TheirMistake, match="unasked"):
        await link.read_coils(0, 1)
    with pytest.raises(LinkLost):
        await link.read_coils(0, 1)
    server.close()


async def test_a_closed_door_is_open_failed(module: Module) -> None:
    async with over_tcp(module) as config:
        pass
    with pytest.raises(OpenFailed):
        await open_modbus(config, QUICK)
    with pytest.raises(OpenFailed):
        await open_modbus(ModbusRtuConfig(device="/dev/no-such-port"), QUICK)


async def test_a_port_that_is_taken_is_open_failed(module: Module) -> None:
    async with over_rtu(module) as config:
        first = await open_modbus(config, QUICK)
        with pytest.raises(OpenFailed):
            await open_modbus(config, QUICK)
        await first.close()
        again = await open_modbus(config, QUICK)
        assert await again.read_coils(0, 1) == (False,)
        await again.close()


async def test_closing_twice_does_nothing_and_nothing_goes_out_afterwards(link: ModbusLink, module: Module) -> None:
    await link.close()
    await link.close()
    with pytest.raises(LinkLost):
        await link.write_coil(0, on=True)
    assert module.asked == []


async def test_callers_take_turns(link: ModbusLink, module: Module) -> None:
    module.coils = set(range(0, 64, 3))
    async with asyncio.TaskGroup() as group:
        reads = [group.create_task(link.read_coils(n, 1)) for n in range(64)]
    assert [task.result()[0] for task in reads] == [n % 3 == 0 for n in range(64)]


async def test_our_own_mistakes_put_nothing_on_the_wire(link: ModbusLink, module: Module) -> None:
    for wrong in (
        link.read_coils(0, 0),
        link.read_coils(0, 2001),
        link.read_coils(-1, 1),
        link.read_coils(0x10000, 1),
        link.read_holding_registers(0, 126),
        link.write_register(0, 0x10000),
        link.write_coil_word(0, -1),
        link.write_coil(0x10000, on=True),
        link.write_registers(0, []),
        link.write_registers(0, [0] * 124),
        link.write_registers(0, [-1]),
    ):
        with pytest.raises(OurMistake):
            await wrong
    assert module.asked == []


async def test_the_other_side_hangs_up(module: Module) -> None:
    async with over_tcp(module) as config:
        link = await open_modbus(config, Deadlines(answer_s=30.0))
        module.hang_up_on = lambda pdu: pdu[0] == 5
        with pytest.raises(LinkLost):
            await link.write_coil(0, on=True)
        with pytest.raises(LinkLost):
            await link.write_coil(0, on=True)
    assert len(module.asked) == 1
    assert module.lives == 1


async def test_opening_that_is_cancelled_leaves_no_port_open(module: Module) -> None:
    async with over_rtu(module) as config:
        opening = asyncio.ensure_future(open_modbus(config, Deadlines(late_s=30.0)))
        for _ in range(5):
            await asyncio.sleep(0)
        opening.cancel()
        with suppress(asyncio.CancelledError):
            await opening
        link = await open_modbus(config, QUICK)
        await link.close()
