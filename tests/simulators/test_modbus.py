"""The Modbus server against frames from makers' manuals and the protocol's text, over real sockets and ptys."""

from collections.abc import Sequence
from typing import TypeVar

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators.clock import SimClock
from simulators.faults import IoFaults, WrongAnswer
from simulators.modbus import ILLEGAL_ADDRESS, ModbusRtu, ModbusTcp, Refused, crc16
from tests.simulators.wires import comes_true, serial_line, tcp_line

Bit = TypeVar("Bit", bool, int)


class Memory:
    """Sixteen bits and sixteen registers."""

    def __init__(self) -> None:
        self.bits = [False] * 16
        self.words = [0] * 16
        self.coil_values: list[tuple[int, int]] = []

    def read_bits(self, function: int, start: int, count: int) -> Sequence[bool]:
        del function
        return self._slice(self.bits, start, count)

    def read_registers(self, function: int, start: int, count: int) -> Sequence[int]:
        del function
        return self._slice(self.words, start, count)

    def write_coil(self, address: int, value: int) -> None:
        self._slice(self.bits, address, 1)
        self.coil_values.append((address, value))
        self.bits[address] = value == 0xFF00

    def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        self._slice(self.bits, start, len(bits))
        self.bits[start : start + len(bits)] = bits

    def write_registers(self, start: int, values: Sequence[int]) -> None:
        self._slice(self.words, start, len(values))
        self.words[start : start + len(values)] = values

    def _slice(self, whole: list[Bit], start: int, count: int) -> list[Bit]:
        if start + count > 16:
            raise Refused(ILLEGAL_ADDRESS)
        return whole[start : start + count]


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def faults() -> IoFaults:
    return IoFaults()


@pytest.fixture
async def server(memory: Memory, faults: IoFaults):
    server = ModbusTcp(SimClock(speed=20), memory, lambda: faults)
    yield server
    server.close()


@pytest.fixture
async def bus(memory: Memory, faults: IoFaults):
    bus = ModbusRtu(SimClock(speed=20), memory, lambda: faults, unit=1)
    yield bus
    bus.close()


@pytest.mark.parametrize(
    "frame",
    [
        "01050000ff008c3a",
        "01050001ff00ddfa",
        "0105000200006c0a",
        "0101000000083dcc",
        "0101014191b8",
        "0105020000078db0",
        "0105020100089c74",
        "010f0000000801ffbed5",
        "0106100000014cca",
        "010300000002c40b",
        "01100008000102000226d9",
        "0110000a000204000013887e86",
    ],
)
def test_the_checksum_is_that_of_printed_frames(frame: str):
    wire = bytes.fromhex(frame)
    assert crc16(wire[:-2]).to_bytes(2, "little") == wire[-2:]


@pytest.mark.parametrize(
    ("request_hex", "answer_hex"),
    [
        ("0003 0000 0006 01 01 0000 0008", "0003 0000 0004 01 01 01 05"),
        ("0004 0000 0006 ff 02 0000 000a", "0004 0000 0005 ff 02 02 0500"),
        ("0005 0000 0006 01 03 0001 0002", "0005 0000 0007 01 03 04 1234 0000"),
        ("0006 0000 0006 01 04 0001 0001", "0006 0000 0005 01 04 02 1234"),
        ("0007 0000 0006 01 05 0003 ff00", "0007 0000 0006 01 05 0003 ff00"),
        ("0008 0000 0006 01 06 0003 00ff", "0008 0000 0006 01 06 0003 00ff"),
        ("0009 0000 0009 01 0f 0004 000a 02 ff03", "0009 0000 0006 01 0f 0004 000a"),
        ("000a 0000 000b 01 10 0002 0002 04 1388 0001", "000a 0000 0006 01 10 0002 0002"),
        # Refusals: function, address, counts of nothing and of too much, byte count that does not fit.
        ("000b 0000 0002 01 07", "000b 0000 0003 01 87 01"),
        ("000b 0000 0006 01 2b 0e01 0000", "000b 0000 0003 01 ab 01"),
        ("000c 0000 0006 01 01 000f 0002", "000c 0000 0003 01 81 02"),
        ("000d 0000 0006 01 05 0010 ff00", "000d 0000 0003 01 85 02"),
        ("000e 0000 0006 01 01 0000 0000", "000e 0000 0003 01 81 03"),
        ("000f 0000 0006 01 01 0000 07d1", "000f 0000 0003 01 81 03"),
        ("0010 0000 0006 01 03 0000 007e", "0010 0000 0003 01 83 03"),
        ("0011 0000 0006 01 03 ffff 0002", "0011 0000 0003 01 83 02"),
        ("0012 0000 0009 01 0f 0004 0003 02 ff03", "0012 0000 0003 01 8f 03"),
        ("0013 0000 0005 01 03 0000 01", "0013 0000 0003 01 83 03"),
    ],
)
async def test_every_request_is_answered_as_the_protocol_says(
    server: ModbusTcp, memory: Memory, request_hex: str, answer_hex: str
):
    memory.bits[0] = memory.bits[2] = True
    memory.words[1] = 0x1234
    answer = bytes.fromhex(answer_hex)
    async with tcp_line(server.tcp()) as line:
        line.write(bytes.fromhex(request_hex))
        assert await line.exactly(len(answer)) == answer


async def test_writes_arrive(server: ModbusTcp, memory: Memory):
    async with tcp_line(server.tcp()) as line:
        line.write(bytes.fromhex("0001 0000 0009 01 0f 0004 000a 02 ff03"))
        line.write(bytes.fromhex("0002 0000 000b 01 10 0002 0002 04 1388 0001"))
        await line.exactly(24)
    assert memory.bits == [False] * 4 + [True] * 10 + [False] * 2
    assert memory.words[2:4] == [5000, 1]


async def test_requests_in_pieces_and_several_at_once(server: ModbusTcp):
    one = bytes.fromhex("0001 0000 0006 01 01 0000 0008")
    two = bytes.fromhex("0002 0000 0006 01 01 0000 0001")
    async with tcp_line(server.tcp()) as line:
        for byte in one:
            line.write(bytes((byte,)))
        assert (await line.exactly(10))[:2] == b"\x00\x01"
        line.write(one + two + one)
        answers = await line.exactly(30)
        assert [answers[n : n + 2] for n in (0, 10, 20)] == [b"\0\1", b"\0\2", b"\0\1"]


async def test_noise_is_no_request_and_harms_nobody_else(server: ModbusTcp, memory: Memory):
    where = server.tcp()
    async with tcp_line(where) as noisy, tcp_line(where) as line:
        noisy.write(b"GET / HTTP/1.0\r\n\r\n" * 20 + bytes.fromhex("0001 0000 ffff 01 05 0001 ff00"))
        line.write(bytes.fromhex("0001 0000 0006 01 01 0000 0001"))
        assert await line.exactly(10) == bytes.fromhex("0001 0000 0004 01 01 01 00")
    assert server.requests == 1 and memory.coil_values == []


async def test_two_hosts_are_answered_apart(server: ModbusTcp):
    where = server.tcp()
    async with tcp_line(where) as one, tcp_line(where) as two:
        one.write(bytes.fromhex("0101 0000 0006 01 01 0000 0001"))
        two.write(bytes.fromhex("0202 0000 0006 01 01 0000 0001"))
        assert (await one.exactly(10))[:2] == b"\1\1"
        assert (await two.exactly(10))[:2] == b"\2\2"


async def test_a_foreign_master_gets_along_with_it(server: ModbusTcp, memory: Memory):
    host, port = server.tcp()
    client = AsyncModbusTcpClient(host, port=port, timeout=5, retries=0)
    assert await client.connect()
    try:
        assert not (await client.write_coil(3, True)).isError()
        assert (await client.read_coils(0, count=16)).bits[:16] == memory.bits
        assert not (await client.write_registers(4, [1, 2, 3])).isError()
        assert (await client.read_holding_registers(4, count=3)).registers == [1, 2, 3]
        refused = await client.read_discrete_inputs(15, count=2)
        assert refused.isError() and refused.exception_code == 2
    finally:
        client.close()


async def test_rtu_answers_printed_frames_over_a_serial_line(bus: ModbusRtu, memory: Memory):
    async with serial_line(bus.pty()) as line:
        line.write(bytes.fromhex("01050000ff008c3a"))
        assert await line.exactly(8) == bytes.fromhex("01050000ff008c3a")
        memory.bits[6] = True
        line.write(bytes.fromhex("0101000000083dcc"))
        assert await line.exactly(6) == bytes.fromhex("0101014191b8")
        line.write(bytes.fromhex("010f0000000801ffbed5"))
        assert await line.exactly(6) == bytes.fromhex("010f00000008")
        assert (await line.exactly(2)) == crc16(bytes.fromhex("010f00000008")).to_bytes(2, "little")
        assert memory.bits[:8] == [True] * 8


async def test_rtu_passes_over_noise_wrong_sums_and_other_addresses(bus: ModbusRtu, memory: Memory):
    asked = bytes.fromhex("0101000000083dcc")
    other_body = bytes.fromhex("02050001ff00")
    other = other_body + crc16(other_body).to_bytes(2, "little")
    async with serial_line(bus.pty()) as line:
        line.write(asked[:-1] + b"\x00" + b"\xf7\x01\x99" + other)
        for byte in asked:
            line.write(bytes((byte,)))
        assert await line.exactly(6) == bytes.fromhex("0101010051 88")
        assert memory.coil_values == [] and bus.requests == 1
        everybody = bytes.fromhex("00050002ff00")
        line.write(everybody + crc16(everybody).to_bytes(2, "little") + asked)
        assert (await line.exactly(6))[3] == 0b100, "a broadcast is obeyed and not answered"


async def test_silent_neither_answers_nor_obeys(server: ModbusTcp, memory: Memory, faults: IoFaults):
    faults.silent = True
    async with tcp_line(server.tcp()) as line:
        line.write(bytes.fromhex("0001 0000 0006 01 05 0001 ff00"))
        await comes_true(lambda: server.requests == 1, SimClock())
        faults.silent = False
        line.write(bytes.fromhex("0002 0000 0006 01 01 0000 0008"))
        assert await line.exactly(10) == bytes.fromhex("0002 0000 0004 01 01 01 00")
    assert memory.coil_values == []


async def test_slow_answers_late_and_obeys_at_once(server: ModbusTcp, memory: Memory, faults: IoFaults):
    faults.slow_s = 2.0
    clock = SimClock(speed=20)
    async with tcp_line(server.tcp()) as line:
        sent_at = clock.now()
        line.write(bytes.fromhex("0001 0000 0006 01 05 0001 ff00"))
        await comes_true(lambda: memory.bits[1], clock)
        assert await line.exactly(12) == bytes.fromhex("0001 0000 0006 01 05 0001 ff00")
        assert clock.now() - sent_at >= 1.9


@pytest.mark.parametrize(
    ("wrong", "answer_hex"),
    [
        ("transaction", "0100 0000 0004 01 01 01 00"),
        ("unit", "0001 0000 0004 11 01 01 00"),
        ("function", "0001 0000 0004 01 02 01 00"),
        ("truncated", "0001 0000 0004 01 01 01"),
        ("noise", "5a5b 5a5a 5a5e 5b 5b 5b 5a"),
    ],
)
async def test_wrong_answers(server: ModbusTcp, faults: IoFaults, wrong: WrongAnswer, answer_hex: str):
    faults.wrong = wrong
    answer = bytes.fromhex(answer_hex)
    async with tcp_line(server.tcp()) as line:
        line.write(bytes.fromhex("0001 0000 0006 01 01 0000 0008"))
        assert await line.exactly(len(answer)) == answer


async def test_a_device_failure_refuses_everything(server: ModbusTcp, memory: Memory, faults: IoFaults):
    faults.exception = 4
    async with tcp_line(server.tcp()) as line:
        line.write(bytes.fromhex("0001 0000 0006 01 05 0001 ff00"))
        assert await line.exactly(9) == bytes.fromhex("0001 0000 0003 01 85 04")
    assert memory.coil_values == []
