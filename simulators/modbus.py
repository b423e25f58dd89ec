"""A Modbus server of its own, from the Modbus Application Protocol 1.1b3, the TCP guide 1.0b, the serial guide 1.02.

Only what a lane's I/O modules speak: function codes 1, 2, 3, 4, 5, 6, 15, 16, over TCP (header of seven bytes) and RTU
(address, CRC-16). What the addresses mean is the module's affair (`Bank`).
"""

import struct
from collections.abc import Callable, Sequence
from typing import Protocol

from simulators.clock import SimClock
from simulators.faults import IoFaults
from simulators.pipes import Client, OnWire

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
READ_COILS, READ_INPUTS, READ_HOLDING, READ_INPUT_REGISTERS = 1, 2, 3, 4
WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS = 5, 6, 15, 16
MOST_BITS_READ, MOST_REGISTERS_READ, MOST_COILS_WRITTEN, MOST_REGISTERS_WRITTEN = 2000, 125, 1968, 123
LONGEST_TCP_PDU = 253
LONGEST_RTU_FRAME = 256
BROADCAST = 0
FIXED_RTU_LENGTH = 8


class Refused(Exception):
    """A Modbus exception answer."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code}")
        self.code = code


class Bank(Protocol):
    """What the module has at its addresses. Each may raise Refused."""

    def read_bits(self, function: int, start: int, count: int) -> Sequence[bool]:
        """Coils (function 1) or discrete inputs (2)."""
        ...

    def read_registers(self, function: int, start: int, count: int) -> Sequence[int]:
        """Holding (3) or input (4) registers."""
        ...

    def write_coil(self, address: int, value: int) -> None:
        """Function 5, with the value as it stands in the request: FF00, 0000, or whatever the maker allows."""
        ...

    def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        """Function 15."""
        ...

    def write_registers(self, start: int, values: Sequence[int]) -> None:
        """Functions 6 and 16."""
        ...


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS: polynomial A001 reflected, start FFFF. Sent low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def answer(pdu: bytes, bank: Bank) -> bytes:
    """The answer to one request, function code first, exceptions included."""
    try:
        return _carried_out(pdu, bank)
    except Refused as refusal:
        return bytes((pdu[0] | 0x80, refusal.code))
    except struct.error:
        return bytes((pdu[0] | 0x80, ILLEGAL_VALUE))


def _carried_out(pdu: bytes, bank: Bank) -> bytes:
    function = pdu[0]
    if function in (READ_COILS, READ_INPUTS):
        start, count = _span(pdu, MOST_BITS_READ)
        packed = pack_bits(bank.read_bits(function, start, count))
        return bytes((function, len(packed))) + packed
    if function in (READ_HOLDING, READ_INPUT_REGISTERS):
        start, count = _span(pdu, MOST_REGISTERS_READ)
        values = bank.read_registers(function, start, count)
        return bytes((function, 2 * len(values))) + struct.pack(f">{len(values)}H", *values)
    if function == WRITE_COIL:
        address, value = struct.unpack(">HH", pdu[1:])
        bank.write_coil(address, value)
        return pdu
    if function == WRITE_REGISTER:
        address, value = struct.unpack(">HH", pdu[1:])
        bank.write_registers(address, [value])
        return pdu
    if function == WRITE_COILS:
        start, count = _span(pdu[:5], MOST_COILS_WRITTEN)
        if len(pdu) != 6 + pdu[5] or pdu[5] != (count + 7) // 8:
            raise Refused(ILLEGAL_VALUE)
        bank.write_coils(start, [bool(pdu[6 + n // 8] >> n % 8 & 1) for n in range(count)])
        return pdu[:5]
    if function == WRITE_REGISTERS:
        start, count = _span(pdu[:5], MOST_REGISTERS_WRITTEN)
        if len(pdu) != 6 + pdu[5] or pdu[5] != 2 * count:
            raise Refused(ILLEGAL_VALUE)
        bank.write_registers(start, struct.unpack(f">{count}H", pdu[6:]))
        return pdu[:5]
    raise Refused(ILLEGAL_FUNCTION)


def _span(pdu: bytes, most: int) -> tuple[int, int]:
    start, count = struct.unpack(">HH", pdu[1:])
    if not 1 <= count <= most:
        raise Refused(ILLEGAL_VALUE)
    if start + count > 0x10000:
        raise Refused(ILLEGAL_ADDRESS)
    return start, count


def pack_bits(bits: Sequence[bool]) -> bytes:
    """First bit into the lowest place of the first byte."""
    packed = bytearray((len(bits) + 7) // 8)
    for n, bit in enumerate(bits):
        packed[n // 8] |= bit << n % 8
    return bytes(packed)


class _Server(OnWire):
    """What TCP and RTU have in common: the faults, and how an answer leaves."""

    def __init__(self, clock: SimClock, bank: Bank, faults: Callable[[], IoFaults]) -> None:
        super().__init__()
        self.requests = 0
        self.last_request_at = clock.now()
        self._clock = clock
        self._bank = bank
        self._faults = faults

    def _handle(self, pdu: bytes) -> bytes | None:
        faults = self._faults()
        self.requests += 1
        if faults.silent:
            return None
        self.last_request_at = self._clock.now()
        if faults.exception is not None:
            return bytes((pdu[0] | 0x80, faults.exception))
        reply = answer(pdu, self._bank)
        if faults.wrong == "function":
            return bytes((reply[0] ^ 0x03,)) + reply[1:]
        return reply

    def _send(self, frame: bytes, client: Client) -> None:
        faults = self._faults()
        if faults.wrong == "truncated":
            frame = frame[:-1]
        elif faults.wrong == "noise":
            frame = bytes(byte ^ 0x5A for byte in frame)
        if faults.slow_s > 0.0:
            self.pipe.later(faults.slow_s / self._clock.speed, client, frame)
        else:
            client.send(frame)


class ModbusTcp(_Server):
    """Modbus TCP: transaction, protocol 0, length, unit; then the request."""

    def heard(self, data: bytes, client: Client) -> None:
        """Whole requests are answered, the rest waits for its end."""
        pending = client.pending
        pending += data
        while len(pending) >= 8:
            transaction, protocol, length, unit = struct.unpack(">HHHB", pending[:7])
            if protocol != 0 or not 2 <= length <= LONGEST_TCP_PDU + 1:
                pending.clear()  # no way to find the next header in a stream without marks
                return
            if len(pending) < 6 + length:
                return
            pdu = bytes(pending[7 : 6 + length])
            del pending[: 6 + length]
            reply = self._handle(pdu)
            if reply is None:
                continue
            wrong = self._faults().wrong
            if wrong == "transaction":
                transaction ^= 0x0101
            elif wrong == "unit":
                unit ^= 0x10
            self._send(struct.pack(">HHHB", transaction, 0, len(reply) + 1, unit) + reply, client)


class ModbusRtu(_Server):
    """Modbus RTU: address, request, CRC-16. A request's end is told by its length, which its function code gives."""

    def __init__(self, clock: SimClock, bank: Bank, faults: Callable[[], IoFaults], *, unit: int = 1) -> None:
        super().__init__(clock, bank, faults)
        self._unit = unit

    def heard(self, data: bytes, client: Client) -> None:
        """Whole requests to this address are answered; bytes that are none are passed over."""
        pending = client.pending
        pending += data
        del pending[:-LONGEST_RTU_FRAME]
        while len(pending) >= 4:
            length = _rtu_length(pending)
            if length is None:
                return
            frame = bytes(pending[:length])
            if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
                del pending[0]
                continue
            del pending[:length]
            if frame[0] not in (self._unit, BROADCAST):
                continue
            reply = self._handle(frame[1:-2])
            if reply is not None and frame[0] != BROADCAST:
                self._reply(reply, client)

    def _reply(self, reply: bytes, client: Client) -> None:
        unit = self._unit ^ 0x10 if self._faults().wrong == "unit" else self._unit
        body = bytes((unit,)) + reply
        crc = crc16(body) ^ (0x0101 if self._faults().wrong == "transaction" else 0)
        self._send(body + crc.to_bytes(2, "little"), client)


def _rtu_length(pending: bytearray) -> int | None:
    """How long the request at the front is; None while that cannot be told or it is not whole."""
    length = FIXED_RTU_LENGTH
    if pending[1] in (WRITE_COILS, WRITE_REGISTERS):
        if len(pending) < 7:
            return None
        length = 9 + pending[6]
    elif not READ_COILS <= pending[1] <= WRITE_REGISTER:
        length = 4  # an unknown function without a body, or noise
    return length if len(pending) >= length else None
