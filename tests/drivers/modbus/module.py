"""A pretended I/O module, written from the Modbus documents: bytes in, bytes out, and every request on record.

It shares no line with the driver or with the library behind it. Knobs make it misbehave.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from drivers.link.modbus_config import ModbusRtuConfig, ModbusTcpConfig


def crc(data: bytes) -> bytes:
    """CRC-16 of the serial line, low byte first (Modbus over serial line 1.02, 6.2.2)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


@dataclass
class Module:
    """State, record and knobs."""

    unit: int = 1
    coils: set[int] = field(default_factory=set[int])
    discrete: set[int] = field(default_factory=set[int])
    registers: dict[int, int] = field(default_factory=dict[int, int])
    reach: int = 0x10000
    """Addresses from there on do not exist (exception 2)."""
    flash_from: int | None = None
    """Coils from there on flash: the relay closes for value x 100 ms."""
    flash_unit_s: float = 0.1
    pulse_from: int | None = None
    """Coils from there on start a pulse of `flash_unit_s` x 5."""
    stuck: dict[int, bool] = field(default_factory=dict[int, bool])
    """Coils that take a write and do not move."""

    forgetful: bool = False
    """Registers take a write and do not keep it."""

    asked: list[bytes] = field(default_factory=list[bytes])
    """PDU of every request that came, in order."""
    lives: int = 0
    """Connections seen."""

    refuse: dict[int, int] = field(default_factory=dict[int, int])
    """Function -> exception code."""
    silent: bool = False
    deaf_to: Callable[[bytes], bool] = lambda _: False
    """Requests that are carried out and not answered."""
    mangle: Callable[[bytes], bytes] = lambda frame: frame
    """What becomes of an answer's frame."""
    trickle: bool = False
    """Answers come byte by byte, each for itself."""
    gate: asyncio.Event | None = None
    """Answers wait for it."""
    hang_up_on: Callable[[bytes], bool] = lambda _: False

    def writes(self) -> list[bytes]:
        """Requests that change something."""
        return [pdu for pdu in self.asked if pdu[0] in (5, 6, 15, 16)]

    def answer(self, pdu: bytes) -> bytes:
        """Carry out one request (Modbus application protocol 1.1b3, 6)."""
        function = pdu[0]
        if code := self.refuse.get(function):
            return bytes((function | 0x80, code))
        address, value = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if function in (1, 2, 3, 4) and address + value > self.reach:
            return bytes((function | 0x80, 2))
        if function in (1, 2):
            on = self.coils if function == 1 else self.discrete
            word = sum((address + i in on) << i for i in range(value))
            size = (value + 7) // 8
            return bytes((function, size)) + word.to_bytes(size, "little")
        if function in (3, 4):
            words = b"".join(self.registers.get(address + i, 0).to_bytes(2, "big") for i in range(value))
            return bytes((function, len(words))) + words
        if function == 5:
            self._coil(address, value)
            return pdu
        if function == 6:
            self.registers[address] = 0 if self.forgetful else value
            return pdu
        if function == 16:
            for i in range(value):
                self.registers[address + i] = int.from_bytes(pdu[6 + 2 * i : 8 + 2 * i], "big")
            return pdu[:5]
        return bytes((function | 0x80, 1))

    def _coil(self, address: int, value: int) -> None:
        loop = asyncio.get_running_loop()
        for start, seconds in (
            (self.flash_from, value * self.flash_unit_s),
            (self.pulse_from, 5 * self.flash_unit_s),
        ):
            if start is not None and start <= address < start + 8 and value:
                relay = address - start if start == self.flash_from else address
                self._set(relay, on=True)
                loop.call_later(seconds, self.coils.discard, relay)
                return
        self._set(address, on=value == 0xFF00)

    def _set(self, coil: int, *, on: bool) -> None:
        if self.stuck.get(coil, on):
            self.coils.add(coil)
        else:
            self.coils.discard(coil)


def _parts(module: Module, frame: bytes) -> list[bytes]:
    return [bytes((byte,)) for byte in frame] if module.trickle else [frame]


async def _passed_on() -> None:
    """The reader shares our event loop: a few turns, and what was written has been taken."""
    for _ in range(4):
        await asyncio.sleep(0)


def reply(module: Module, unit: int, pdu: bytes) -> bytes | None:
    """The answer's PDU, or None for silence."""
    module.asked.append(pdu)
    if module.silent or unit != module.unit:
        return None
    answer = module.answer(pdu)
    return None if module.deaf_to(pdu) else answer


@asynccontextmanager
async def over_tcp(module: Module) -> AsyncGenerator[ModbusTcpConfig]:
    """The module on a socket of its own."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        module.lives += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
                if module.hang_up_on(pdu):
                    module.asked.append(pdu)
                    return
                answer = reply(module, head[6], pdu)
                if answer is None:
                    continue
                if module.gate is not None:
                    await module.gate.wait()
                frame = head[:4] + (len(answer) + 1).to_bytes(2, "big") + head[6:7] + answer
                for part in _parts(module, module.mangle(frame)):
                    writer.write(part)
                    await _passed_on()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield ModbusTcpConfig(host="127.0.0.1", port=server.sockets[0].getsockname()[1], unit=module.unit)
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def over_rtu(module: Module) -> AsyncGenerator[ModbusRtuConfig]:
    """The module at the far end of a pty."""
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    loop = asyncio.get_running_loop()
    buffer = bytearray()
    frames: asyncio.Queue[bytes] = asyncio.Queue()

    def readable() -> None:
        try:
            buffer.extend(os.read(ours, 512))
        except OSError:  # nobody has the port open
            return
        while len(buffer) >= 8:
            size = 9 + buffer[6] if buffer[1] in (15, 16) else 8
            if len(buffer) < size:
                return
            frame = bytes(buffer[:size])
            del buffer[:size]
            assert crc(frame[:-2]) == frame[-2:]
            frames.put_nowait(frame)

    async def serve() -> None:
        while True:
            frame = await frames.get()
            answer = reply(module, frame[0], frame[1:-2])
            if answer is None:
                continue
            if module.gate is not None:
                await module.gate.wait()
            body = frame[:1] + answer
            for part in _parts(module, module.mangle(body + crc(body))):
                os.write(ours, part)
                await _passed_on()

    loop.add_reader(ours, readable)
    module.lives += 1
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(serve())
            yield ModbusRtuConfig(device=os.ttyname(theirs), baud=115_200, unit=module.unit)
            task.cancel()
    finally:
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)


OVER = {"tcp": over_tcp, "rtu": over_rtu}
