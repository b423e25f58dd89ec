"""Register maps of more I/O modules, by their makers' manuals.

`Adam4150` (Advantech ADAM-4150, Modbus RTU): 7 inputs as bits from wire 0, 8 outputs as coils from wire 16; module name
at 210 (0x4150), communication safety enable at 214 and flag at 215, both read only: time-out and safe value are set
with the maker's tool; all inputs as a word at 300, all outputs at 302.

`MoxaE1214` (Moxa ioLogik E1214, Modbus TCP): 6 inputs as discrete inputs from 0, 6 relays as coils from 0; a relay that
is set to pulse mode with the maker's web page is started by coils 16 to 21, which read on while it pulses; coil 0 to 5
of such a relay reads its contact. Input counters start at coils 0x100, are cleared at 0x110.

`Brainboxes` (ED-588: 8 inputs, 8 outputs; ED-538: 8 inputs, 4 relays, Modbus TCP): inputs as discrete inputs from 0 and
as coils from 0x20, as a word in input register 0x20; outputs as coils from 0, as a word in holding register 0x20;
counters in holding and input registers from 0, cleared at coils 0x200. Nothing happens when the host falls silent.
"""

from collections.abc import Sequence

from simulators.io_maps import (
    ADAM_FIRST_OUTPUT,
    ADAM_INPUT_WORD_AT,
    ADAM_NAME_AT,
    ADAM_OUTPUT_WORD_AT,
    OFF,
    ON,
    Terminals,
    within,
)
from simulators.modbus import ILLEGAL_ADDRESS, ILLEGAL_VALUE, READ_COILS, READ_HOLDING, READ_INPUTS, Refused

ADAM_4150_INPUTS, ADAM_4150_OUTPUTS, ADAM_4150_NAME = 7, 8, 0x4150
SAFETY_ENABLE_AT, SAFETY_FLAG_AT = 214, 215
MOXA_CHANNELS, MOXA_PULSE = 6, 16
MOXA_FACTORY_PULSE_S = 0.5
BRAINBOXES_INPUTS, BRAINBOXES_WORD_AT, BRAINBOXES_CLEAR = 8, 0x20, 0x200


class Adam4150:
    """Register map of the ADAM-4150. `safety`: what the maker's tool has set; `fired` is the flag."""

    def __init__(self, terminals: Terminals, *, safety: bool) -> None:
        self.fired = False
        self._terminals = terminals
        self._safety = safety

    def read_bits(self, function: int, start: int, count: int) -> Sequence[bool]:
        contacts = self._terminals.contacts(ADAM_4150_INPUTS)
        return [self._bit(function, address, contacts) for address in range(start, start + count)]

    def read_registers(self, function: int, start: int, count: int) -> Sequence[int]:
        del function
        return [self._register(address) for address in range(start, start + count)]

    def write_coil(self, address: int, value: int) -> None:
        channel = within(address, ADAM_FIRST_OUTPUT, ADAM_4150_OUTPUTS)
        if value not in (ON, OFF):
            raise Refused(ILLEGAL_VALUE)
        self._terminals.outputs.put(channel, closed=value == ON)

    def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        channels = [within(start + n, ADAM_FIRST_OUTPUT, ADAM_4150_OUTPUTS) for n in range(len(bits))]
        for channel, bit in zip(channels, bits, strict=True):
            self._terminals.outputs.put(channel, closed=bit)

    def write_registers(self, start: int, values: Sequence[int]) -> None:
        if start != ADAM_OUTPUT_WORD_AT or len(values) != 1:
            raise Refused(ILLEGAL_ADDRESS)
        for channel in range(ADAM_4150_OUTPUTS):
            self._terminals.outputs.put(channel, closed=bool(values[0] >> channel & 1))

    def _bit(self, function: int, address: int, contacts: Sequence[bool]) -> bool:
        if address < ADAM_4150_INPUTS:
            return contacts[address]
        channel = within(address, ADAM_FIRST_OUTPUT, ADAM_4150_OUTPUTS)
        if function != READ_COILS:
            raise Refused(ILLEGAL_ADDRESS)
        return self._terminals.outputs.closed[channel]

    def _register(self, address: int) -> int:
        match address:
            case _ if address == ADAM_NAME_AT:
                return ADAM_4150_NAME
            case _ if address == SAFETY_ENABLE_AT:
                return int(self._safety)
            case _ if address == SAFETY_FLAG_AT:
                return int(self.fired)
            case _ if address == ADAM_INPUT_WORD_AT:
                return sum(bit << n for n, bit in enumerate(self._terminals.contacts(ADAM_4150_INPUTS)))
            case _ if address == ADAM_OUTPUT_WORD_AT:
                return sum(closed << n for n, closed in enumerate(self._terminals.outputs.closed))
            case _:
                raise Refused(ILLEGAL_ADDRESS)


class MoxaE1214:
    """Register map of the ioLogik E1214. `pulsed`: relays that the web page has put into pulse mode."""

    def __init__(self, terminals: Terminals, pulsed: Sequence[int]) -> None:
        self._terminals = terminals
        self._pulsed = frozenset(pulsed)

    def read_bits(self, function: int, start: int, count: int) -> Sequence[bool]:
        if function == READ_INPUTS:
            contacts = self._terminals.contacts(MOXA_CHANNELS)
            return [contacts[within(address, 0, MOXA_CHANNELS)] for address in range(start, start + count)]
        return [self._relay(address) for address in range(start, start + count)]

    def read_registers(self, function: int, start: int, count: int) -> Sequence[int]:
        """What its counters count is not asked for here."""
        del function, start, count
        raise Refused(ILLEGAL_ADDRESS)

    def write_coil(self, address: int, value: int) -> None:
        if value not in (ON, OFF):
            raise Refused(ILLEGAL_VALUE)
        outputs = self._terminals.outputs
        if MOXA_PULSE <= address < MOXA_PULSE + MOXA_CHANNELS:
            channel = address - MOXA_PULSE
            if channel not in self._pulsed:
                raise Refused(ILLEGAL_ADDRESS)
            if value == ON:
                outputs.pulse(channel, closed=True, for_s=MOXA_FACTORY_PULSE_S)
            else:
                outputs.put(channel, closed=False)
            return
        channel = within(address, 0, MOXA_CHANNELS)
        if channel in self._pulsed:
            raise Refused(ILLEGAL_VALUE)
        outputs.put(channel, closed=value == ON)

    def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        for n, bit in enumerate(bits):
            self.write_coil(start + n, ON if bit else OFF)

    def write_registers(self, start: int, values: Sequence[int]) -> None:
        """Nothing a lane would write."""
        del start, values
        raise Refused(ILLEGAL_ADDRESS)

    def _relay(self, address: int) -> bool:
        outputs = self._terminals.outputs.closed
        if MOXA_PULSE <= address < MOXA_PULSE + MOXA_CHANNELS:
            channel = address - MOXA_PULSE
            return channel in self._pulsed and outputs[channel]
        return outputs[within(address, 0, MOXA_CHANNELS)]


class Brainboxes:
    """Register map of the ED-588 and the ED-538."""

    def __init__(self, terminals: Terminals, outputs: int) -> None:
        self._terminals = terminals
        self._outputs = outputs

    def read_bits(self, function: int, start: int, count: int) -> Sequence[bool]:
        contacts = self._terminals.contacts(BRAINBOXES_INPUTS)
        return [self._bit(function, address, contacts) for address in range(start, start + count)]

    def read_registers(self, function: int, start: int, count: int) -> Sequence[int]:
        return [self._register(function, address) for address in range(start, start + count)]

    def write_coil(self, address: int, value: int) -> None:
        if value not in (ON, OFF):
            raise Refused(ILLEGAL_VALUE)
        if BRAINBOXES_CLEAR <= address < BRAINBOXES_CLEAR + BRAINBOXES_INPUTS:
            return  # a counter is cleared; nothing here counts on that
        self._terminals.outputs.put(within(address, 0, self._outputs), closed=value == ON)

    def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        for n, bit in enumerate(bits):
            self.write_coil(start + n, ON if bit else OFF)

    def write_registers(self, start: int, values: Sequence[int]) -> None:
        if start != BRAINBOXES_WORD_AT or len(values) != 1:
            raise Refused(ILLEGAL_ADDRESS)
        for channel in range(self._outputs):
            self._terminals.outputs.put(channel, closed=bool(values[0] >> channel & 1))

    def _bit(self, function: int, address: int, contacts: Sequence[bool]) -> bool:
        if function == READ_INPUTS:
            return contacts[within(address, 0, BRAINBOXES_INPUTS)]
        if BRAINBOXES_WORD_AT <= address < BRAINBOXES_WORD_AT + BRAINBOXES_INPUTS:
            return contacts[address - BRAINBOXES_WORD_AT]
        return self._terminals.outputs.closed[within(address, 0, self._outputs)]

    def _register(self, function: int, address: int) -> int:
        if address < BRAINBOXES_INPUTS:
            return self._terminals.count(address) & 0xFFFF
        if address != BRAINBOXES_WORD_AT:
            raise Refused(ILLEGAL_ADDRESS)
        if function == READ_HOLDING:
            return sum(closed << n for n, closed in enumerate(self._terminals.outputs.closed))
        return sum(bit << n for n, bit in enumerate(self._terminals.contacts(BRAINBOXES_INPUTS)))
