"""The one door to pymodbus: its messages and framers make and find the frames; drivers/link/modbus_wire.py moves them.

pymodbus's own client is not used: it resends a write unless told not to, hands a refusal back as a value, skips an
answer of the wrong unit without a word, connects again behind the caller's back, and costs a multiple of the time for
a poll (bench/polls.py).
"""

import asyncio
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, cast

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu import bit_message as bit
from pymodbus.pdu import register_message as register
from pymodbus.transport import serialtransport

from drivers.faults import LinkLost, OpenFailed, OurMistake
from drivers.link.modbus_config import ModbusConfig, ModbusRtuConfig, ModbusTcpConfig
from drivers.link.modbus_wire import DEADLINES, Deadlines, RtuWire, TcpWire, Wire
from drivers.link.recording import Tap
from drivers.readings import Tally

MOST_WORDS: Final = 123
"""Registers in one write (Modbus application protocol 1.1b3, 6.12)."""


async def open_modbus(config: ModbusConfig, deadlines: Deadlines = DEADLINES, tap: Tap | None = None) -> "ModbusLink":
    """Connect, or open the port. Raises OpenFailed. A link is used once: after a fault that ended it, open another.

    `tap`: where the black box hears what passes.
    """
    wire = unopened(config, deadlines)
    try:
        if isinstance(wire, RtuWire):
            assert isinstance(config, ModbusRtuConfig)
            await _open_port(wire, config)
            await wire.late_answers_pass()
        else:
            assert isinstance(config, ModbusTcpConfig)
            async with asyncio.timeout(deadlines.open_s):
                await asyncio.get_running_loop().create_connection(lambda: wire, config.host, config.port)
    except TimeoutError as silence:
        raise OpenFailed(config.label, f"not open after {deadlines.open_s} s") from silence
    except (OSError, ValueError) as no:
        raise OpenFailed(config.label, str(no)) from no
    wire.tap = tap
    if tap is not None:
        tap.opened()
    return ModbusLink(config.label, wire, tap)


def unopened(config: ModbusConfig, deadlines: Deadlines = DEADLINES) -> Wire:
    """The mind of a connection: open_modbus gives it a wire, the black box's replay gives it recorded bytes."""
    if isinstance(config, ModbusRtuConfig):
        framer = FramerRTU(DecodePDU(is_server=False))
        return RtuWire(config.label, config.unit, deadlines, framer, config.char_s)
    return TcpWire(config.label, config.unit, deadlines, FramerSocket(DecodePDU(is_server=False)))


class ModbusLink:
    """One module's registers and coils. Every verb puts one request on the wire, once, and returns its answer.

    All verbs raise Refused (the module's exception code; the link lives on), NoAnswer, LinkLost or TheirMistake (the
    link has ended; whether a write arrived is not known) and OurMistake (nothing was sent). Callers take turns; one
    request is in flight. A caller that is cancelled leaves the link whole: the next request waits for the answer
    that nobody wants any more.
    """

    def __init__(self, name: str, wire: Wire, tap: Tap | None = None) -> None:
        self._name = name
        self._wire = wire
        self._tap = tap

    def heard_by(self, tap: Tap | None) -> "ModbusLink":
        """The same connection, whose requests from here on go to a line of their own on the tape."""
        return ModbusLink(self._name, self._wire, tap)

    @property
    def name(self) -> str:
        """`modbus-tcp:10.0.3.7:502/1`, `modbus-rtu:/dev/ttyS1@9600/1`."""
        return self._name

    @property
    def tally(self) -> Tally:
        """Answers, refusals included, are words; bytes that belonged to no answer are garbage."""
        return self._wire.tally

    async def read_coils(self, address: int, count: int) -> tuple[bool, ...]:
        """Function 1."""
        return await self._read_bits(bit.ReadCoilsRequest, address, count)

    async def read_discrete_inputs(self, address: int, count: int) -> tuple[bool, ...]:
        """Function 2."""
        return await self._read_bits(bit.ReadDiscreteInputsRequest, address, count)

    async def read_holding_registers(self, address: int, count: int) -> tuple[int, ...]:
        """Function 3; unsigned words."""
        return await self._read_words(register.ReadHoldingRegistersRequest, address, count)

    async def read_input_registers(self, address: int, count: int) -> tuple[int, ...]:
        """Function 4; unsigned words."""
        return await self._read_words(register.ReadInputRegistersRequest, address, count)

    async def write_coil(self, address: int, *, on: bool) -> None:
        """Function 5."""
        await self._write(bit.WriteSingleCoilRequest(address=address, bits=[on]))

    async def write_coil_word(self, address: int, word: int) -> None:
        """Function 5 with any value: some modules take a time there, and end the pulse themselves."""
        await self._write(register.WriteSingleRegisterRequest(address=address, registers=[word]), function=b"\x05")

    async def write_register(self, address: int, word: int) -> None:
        """Function 6."""
        await self._write(register.WriteSingleRegisterRequest(address=address, registers=[word]))

    async def write_registers(self, address: int, words: Sequence[int]) -> None:
        """Function 16; 1 to 123 words."""
        if not 1 <= len(words) <= MOST_WORDS:
            raise OurMistake(self._name, f"{len(words)} registers in one write; 1 to {MOST_WORDS} fit")
        await self._write(register.WriteMultipleRegistersRequest(address=address, registers=list(words)))

    async def close(self) -> None:
        """Close; a second call does nothing."""
        self._wire.end(LinkLost(self._name, "closed here"))

    async def _read_bits(self, request: type[ModbusPDU], address: int, count: int) -> tuple[bool, ...]:
        payload = _read_request(self._name, request, address, count)
        size = (count + 7) // 8
        answer = await self._wire.exchange(payload, bytes((payload[0], size)), 2 + size, self._tap)
        word = int.from_bytes(answer[2:], "little")
        return tuple([word >> place & 1 == 1 for place in range(count)])

    async def _read_words(self, request: type[ModbusPDU], address: int, count: int) -> tuple[int, ...]:
        payload = _read_request(self._name, request, address, count)
        answer = await self._wire.exchange(payload, bytes((payload[0], 2 * count)), 2 + 2 * count, self._tap)
        return struct.unpack_from(f">{count}H", answer, 2)

    async def _write(self, request: ModbusPDU, function: bytes = b"") -> None:
        """The answer to a write repeats its first five bytes."""
        payload = _encoded(self._name, request)
        payload = (function or payload[:1]) + payload[1:]
        await self._wire.exchange(payload, payload[:5], 5, self._tap)


@lru_cache(maxsize=256)  # a module is asked for the same few spans for years
def _read_request(where: str, kind: type[ModbusPDU], address: int, count: int) -> bytes:
    return _encoded(where, kind(address=address, count=count))


def _encoded(where: str, message: ModbusPDU) -> bytes:
    try:
        message.verifyAddress()
        return bytes((message.function_code,)) + message.encode()
    except (ValueError, struct.error) as wrong:
        raise OurMistake(where, f"function {message.function_code}: {wrong}") from wrong


async def _open_port(wire: Wire, config: ModbusRtuConfig) -> None:
    create = cast("Any", serialtransport).create_serial_connection  # carries no types
    await create(
        asyncio.get_running_loop(),
        lambda: wire,
        config.device,
        baudrate=config.baud,
        bytesize=8,
        parity=config.parity,
        stopbits=config.stopbits,
        timeout=0,
    )
