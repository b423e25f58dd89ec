"""The register maps of I/O modules, and the relays behind them, by their makers' manuals; more in `io_makers`.

`Adam6000` (Advantech ADAM-6050, 6052, 6060, Modbus TCP): 12, 8 or 6 inputs as bits from wire 0 (readable as coils and
as discrete inputs), 6 or 8 outputs as coils from wire 16. Registers: input counters from 0 (32 bit, low word first),
then per output the pulse's low width and high width (0.1 ms), absolute count and incremental count, 32 bit, low word
first; module name at 210; all inputs as a word at 300, all outputs at 302. The host watchdog is set with the maker's
own tool, not over Modbus.

`Plain8Ch` (Waveshare Modbus relay / IO 8CH, RTU and TCP): relays as coils 0..7, all at 0x00FF, flash-on at 0x0200+n
(closes for value x 100 ms, then opens by itself), flash-off at 0x0400+n, inputs as discrete inputs 0..7, control modes
at registers 0x1000..0x1007. Nothing happens when the host falls silent.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from simulators.clock import SimClock
from simulators.modbus import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    READ_COILS,
    READ_HOLDING,
    READ_INPUTS,
    Refused,
)

By = Literal["host", "pulse", "watchdog"]
ON, OFF, TOGGLE = 0xFF00, 0x0000, 0x5500
ADAM_FIRST_OUTPUT = 16
ADAM_NAME_AT, ADAM_INPUT_WORD_AT, ADAM_OUTPUT_WORD_AT = 210, 300, 302
ADAM_WIDTH_S = 0.0001
ADAM_FACTORY_WIDTH = 5000
"""Half a second high and low, until somebody writes other widths."""

PLAIN_CHANNELS = 8
PLAIN_ALL, PLAIN_FLASH_ON, PLAIN_FLASH_OFF, PLAIN_MODES = 0x00FF, 0x0200, 0x0400, 0x1000
PLAIN_FLASH_S = 0.1


class Outputs:
    """The relays, and the pulses that end by themselves."""

    def __init__(self, clock: SimClock, count: int, changed: Callable[[int, bool, By], None]) -> None:
        self.closed = [False] * count
        self._clock = clock
        self._changed = changed
        self._timers: list[asyncio.TimerHandle | None] = [None] * count

    def put(self, channel: int, *, closed: bool, by: By = "host") -> None:
        """A running pulse is over."""
        self._cancel(channel)
        self._put(channel, closed, by)

    def pulse(self, channel: int, *, closed: bool, for_s: float) -> None:
        """Put it so, and back after this long, without the host."""
        self._cancel(channel)
        self._put(channel, closed, "host")
        self._after(channel, for_s, lambda: self._put(channel, not closed, "pulse"))

    def train(self, channel: int, count: int, high_s: float, low_s: float) -> None:
        """So many pulses one after the other."""
        self._cancel(channel)

        def rise(left: int) -> None:
            self._put(channel, True, "pulse")
            self._after(channel, high_s, lambda: fall(left - 1))

        def fall(left: int) -> None:
            self._put(channel, False, "pulse")
            if left > 0:
                self._after(channel, low_s, lambda: rise(left))

        if count > 0:
            rise(count)

    def cancel_all(self) -> None:
        """No pulse is pending."""
        for channel in range(len(self._timers)):
            self._cancel(channel)

    def _after(self, channel: int, seconds: float, then: Callable[[], None]) -> None:
        self._timers[channel] = asyncio.get_running_loop().call_later(seconds / self._clock.speed, then)

    def _cancel(self, channel: int) -> None:
        timer = self._timers[channel]
        if timer is not None:
            timer.cancel()
        self._timers[channel] = None

    def _put(self, channel: int, closed: bool, by: By) -> None:  # noqa: FBT001 - one relay state
        if self.closed[channel] != closed:
            self.closed[channel] = closed
            self._changed(channel, closed, by)


class Terminals(Protocol):
    """What a register map needs from the module around it."""

    outputs: Outputs

    def contacts(self, count: int) -> Sequence[bool]: ...

    def count(self, channel: int) -> int: ...


class Adam6000:
    """Register map of the ADAM-6050, 6052 or 6060."""

    def __init__(self, terminals: Terminals, name: int, inputs: int, outputs: int) -> None:
        """`name` as it stands in the module-name register."""
        self._terminals = terminals
        self._name, self._inputs, self._outputs = name, inputs, outputs
        self._counters_end = 2 * inputs
        self._low_at = self._counters_end
        self._high_at = self._low_at + 2 * outputs
        self._absolute_at = self._high_at + 2 * outputs
        self._incremental_at = self._absolute_at + 2 * outputs
        self._end = self._incremental_at + 2 * outputs
        self._registers = [0] * self._end
        for channel in range(outputs):
            for base in (self._low_at, self._high_at):
                self._registers[base + 2 * channel] = ADAM_FACTORY_WIDTH

    def read_bits(self, function: int, start: int, count: int) -> Sequence[bool]:
        contacts = self._terminals.contacts(self._inputs)
        return [self._bit(function, address, contacts) for address in range(start, start + count)]

    def read_registers(self, function: int, start: int, count: int) -> Sequence[int]:
        del function  # the maker gives both register functions the same map
        return [self._register(address) for address in range(start, start + count)]

    def write_coil(self, address: int, value: int) -> None:
        channel = within(address, ADAM_FIRST_OUTPUT, self._outputs)
        if value not in (ON, OFF):
            raise Refused(ILLEGAL_VALUE)
        self._terminals.outputs.put(channel, closed=value == ON)

    def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        channels = [within(start + n, ADAM_FIRST_OUTPUT, self._outputs) for n in range(len(bits))]
        for channel, bit in zip(channels, bits, strict=True):
            self._terminals.outputs.put(channel, closed=bit)

    def write_registers(self, start: int, values: Sequence[int]) -> None:
        addresses = range(start, start + len(values))
        writable = range(self._low_at, self._end)
        if not all(address in writable or address == ADAM_OUTPUT_WORD_AT for address in addresses):
            raise Refused(ILLEGAL_ADDRESS)
        for address, value in zip(addresses, values, strict=True):
            if address == ADAM_OUTPUT_WORD_AT:
                for channel in range(self._outputs):
                    self._terminals.outputs.put(channel, closed=bool(value >> channel & 1))
            else:
                self._registers[address] = value
        for channel in range(self._outputs):
            for base in (self._absolute_at, self._incremental_at):
                if base + 2 * channel in addresses:
                    self._terminals.outputs.train(
                        channel,
                        self._double(base + 2 * channel),
                        self._double(self._high_at + 2 * channel) * ADAM_WIDTH_S,
                        self._double(self._low_at + 2 * channel) * ADAM_WIDTH_S,
                    )

    def _bit(self, function: int, address: int, contacts: Sequence[bool]) -> bool:
        if address < self._inputs:
            return contacts[address]
        channel = within(address, ADAM_FIRST_OUTPUT, self._outputs)
        if function != READ_COILS:
            raise Refused(ILLEGAL_ADDRESS)
        return self._terminals.outputs.closed[channel]

    def _register(self, address: int) -> int:
        if address < self._counters_end:
            return self._terminals.count(address // 2) >> 16 * (address % 2) & 0xFFFF
        if address < self._end:
            return self._registers[address]
        if address in (ADAM_NAME_AT, ADAM_NAME_AT + 1):
            return self._name if address == ADAM_NAME_AT else 0
        if address == ADAM_INPUT_WORD_AT:
            return sum(bit << n for n, bit in enumerate(self._terminals.contacts(self._inputs)))
        if address == ADAM_OUTPUT_WORD_AT:
            return sum(self._terminals.outputs.closed[channel] << channel for channel in range(self._outputs))
        raise Refused(ILLEGAL_ADDRESS)

    def _double(self, address: int) -> int:
        return self._registers[address] | self._registers[address + 1] << 16


class Plain8Ch:
    """Register map of the eight-channel relay module."""

    def __init__(self, terminals: Terminals) -> None:
        self._terminals = terminals
        self._modes = [0] * PLAIN_CHANNELS

    def read_bits(self, function: int, start: int, count: int) -> Sequence[bool]:
        channels = [within(address, 0, PLAIN_CHANNELS) for address in range(start, start + count)]
        if function == READ_INPUTS:
            contacts = self._terminals.contacts(PLAIN_CHANNELS)
            return [contacts[channel] for channel in channels]
        return [self._terminals.outputs.closed[channel] for channel in channels]

    def read_registers(self, function: int, start: int, count: int) -> Sequence[int]:
        if function != READ_HOLDING:
            raise Refused(ILLEGAL_ADDRESS)
        return [self._modes[within(address, PLAIN_MODES, PLAIN_CHANNELS)] for address in range(start, start + count)]

    def write_coil(self, address: int, value: int) -> None:
        outputs = self._terminals.outputs
        for base, closed in ((PLAIN_FLASH_ON, True), (PLAIN_FLASH_OFF, False)):
            if base <= address < base + PLAIN_CHANNELS:
                outputs.pulse(address - base, closed=closed, for_s=value * PLAIN_FLASH_S)
                return
        channels = range(PLAIN_CHANNELS) if address == PLAIN_ALL else (within(address, 0, PLAIN_CHANNELS),)
        if value not in (ON, OFF, TOGGLE):
            raise Refused(ILLEGAL_VALUE)
        for channel in channels:
            outputs.put(channel, closed=not outputs.closed[channel] if value == TOGGLE else value == ON)

    def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        channels = [within(start + n, 0, PLAIN_CHANNELS) for n in range(len(bits))]
        for channel, bit in zip(channels, bits, strict=True):
            self._terminals.outputs.put(channel, closed=bit)

    def write_registers(self, start: int, values: Sequence[int]) -> None:
        channels = [within(start + n, PLAIN_MODES, PLAIN_CHANNELS) for n in range(len(values))]
        for channel, value in zip(channels, values, strict=True):
            self._modes[channel] = value


def within(address: int, first: int, count: int) -> int:
    """The channel at this address of a bank. Raises Refused where there is none."""
    if not first <= address < first + count:
        raise Refused(ILLEGAL_ADDRESS)
    return address - first
