"""A weighing indicator that is asked by Modbus, TCP or RTU: the same deck and window, behind registers."""

from collections.abc import Callable, Sequence
from typing import Any

from simulators.clock import SimClock
from simulators.faults import IoFaults
from simulators.modbus import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ModbusRtu, ModbusTcp, Refused
from simulators.weigh_maps import DOUBLE_WORDS, MAPS
from simulators.weighbridge import Indicator

MOST_AT_ONCE = {"laumas": 32}
"""Registers in one read, where a maker allows fewer than Modbus does."""
HEARTBEAT_S = 0.1


class ModbusIndicator(Indicator):
    """An indicator whose plug is a Modbus server. Whatever is written to it is noted on its plate, and answered."""

    def __init__(
        self,
        clock: SimClock,
        load_kg: Callable[[], float],
        *,
        map_name: str = "laumas",
        unit_number: int = 1,
        low_first: bool = False,
        **of_indicator: Any,
    ) -> None:
        """`low_first`: it is set to give the low word of a double word first. KeyError: no such map."""
        super().__init__(clock, load_kg, **of_indicator)
        self.io = IoFaults()
        self._map, self._map_name, self._low_first = MAPS[map_name], map_name, low_first
        self._beats = 0
        self._beat_from = clock.now()
        self._tcp = ModbusTcp(clock, self, self._io)
        self._rtu = ModbusRtu(clock, self, self._io, unit=unit_number)

    @property
    def requests(self) -> int:
        """Requests heard so far."""
        return self._tcp.requests + self._rtu.requests

    async def run(self) -> None:
        """Measure until cancelled; requests are answered in between."""
        next_at = self._clock.now()
        while True:
            self.next_bytes()
            if noise := self._noise():
                self._rtu.inject(noise)
            next_at = max(next_at + self._period_s, self._clock.now())
            await self._clock.sleep(next_at - self._clock.now())

    # the plug

    def tcp(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Serve Modbus TCP. Returns where."""
        return self._tcp.tcp(host, port)

    def pty(self) -> str:
        """Serve Modbus RTU at the end of a serial cable. Returns the path of the near end."""
        return self._rtu.pty()

    def drop(self) -> None:
        """Pull the cables."""
        self._tcp.drop()
        self._rtu.drop()

    def restore(self) -> None:
        """Plug them in again."""
        self._tcp.restore()
        self._rtu.restore()

    def inject(self, data: bytes) -> None:
        """Put these very bytes on the wire."""
        self._tcp.inject(data)
        self._rtu.inject(data)

    def close(self) -> None:
        """Give ports and ptys back."""
        self._tcp.close()
        self._rtu.close()

    # the bank

    def read_bits(self, function: int, start: int, count: int) -> Sequence[bool]:  # noqa: ARG002 - as Bank
        """It has no coils."""
        raise Refused(ILLEGAL_FUNCTION)

    def read_registers(self, function: int, start: int, count: int) -> Sequence[int]:
        """The registers of its map; what lies between them reads 0, what lies beyond does not exist."""
        if function != self._map.function:
            raise Refused(ILLEGAL_FUNCTION)
        held = self._map.registers(self._window, self._beat())
        if start < 0 or start + count - 1 > max(held) or count > MOST_AT_ONCE.get(self._map_name, count):
            raise Refused(ILLEGAL_ADDRESS)
        if self._low_first:
            for at in DOUBLE_WORDS.get(self._map_name, ()):
                held[at], held[at + 1] = held[at + 1], held[at]
        self.frames_sent += 1
        return [held.get(start + n, 0) for n in range(count)]

    def write_coil(self, address: int, value: int) -> None:
        """Noted."""
        self.plate.written.append(f"coil {address} = {value}")

    def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        """Noted."""
        self.plate.written.append(f"coils from {start}: {list(bits)}")

    def write_registers(self, start: int, values: Sequence[int]) -> None:
        """Noted."""
        self.plate.written.append(f"registers from {start}: {list(values)}")

    def _io(self) -> IoFaults:
        self.io.silent = self.faults.silent
        return self.io

    def _beat(self) -> int:
        """The heartbeat; it stands still with a converter that is frozen."""
        if not self.faults.frozen:
            self._beats = int((self._clock.now() - self._beat_from) / HEARTBEAT_S)
        return self._beats
