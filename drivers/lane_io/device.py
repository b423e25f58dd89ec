"""Loops, beams, switches and the driver's light of a lane, on one I/O module."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from drivers.faults import OurMistake, Refused
from drivers.kinds import Clock
from drivers.lane_io.config import InputName, LaneIoConfig
from drivers.lane_io.registers import (
    Lamp,
    input_span,
    inputs_from_bits,
    lamp_channels,
    lamp_from_bits,
    lamp_span,
    mismatches,
    nothing_known,
)
from drivers.link.modbus import ModbusLink
from drivers.link.modbus_tables import ModuleTable
from drivers.readings import Instant, Quality, Tally

LAMP_EVERY_S: Final = 1.0
"""Site seconds between two looks at the lamps' outputs: only we write them, and a second is what `inputs` promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All wired inputs of one poll. None: the module would not say."""

    values: Mapping[InputName, bool | None]
    lamp: Lamp
    quality: Quality
    at: Instant
    """When the answer was there."""
    latency_s: float
    """Site seconds from the request to its answer; the inputs are at least that much less than true at `at`."""
    note: str = ""
    """Why nothing is known, in the module's words."""


class LaneIo:
    """Reads the inputs and drives the two lamps. It never writes any other output: the boom's coils are not its own.

    Shares its ModbusLink with the barrier's driver; whoever opened the link closes it.
    """

    def __init__(self, link: ModbusLink, table: ModuleTable, config: LaneIoConfig, clock: Clock) -> None:
        """Raises OurMistake when the site names channels that the module does not have."""
        if wrong := mismatches(table, config):
            raise OurMistake(config.name, "; ".join(wrong))
        self.tally = Tally()
        self._link = link
        self._table = table
        self._config = config
        self._clock = clock
        self._inputs = input_span(table, config)
        self._lamps = lamp_span(table, config)
        self._read_inputs = link.read_coils if table.inputs.area == "coil" else link.read_discrete_inputs
        self._lamp = Lamp.UNKNOWN
        self._polls_to_lamps = 0

    async def poll(self) -> Inputs:
        """Ask once. A module that refuses is heard: all values None, quality bad. Raises LinkFault, TheirMistake."""
        asked_at = self._clock.now()
        note = ""
        # The wire's noise is the instrument's: nobody else tells of it.
        self.tally.garbage, self.tally.garbage_bytes = self._link.tally.garbage, self._link.tally.garbage_bytes
        try:
            bits = () if self._inputs is None else await self._read_inputs(self._inputs.start, self._inputs.count)
        except Refused as no:
            values, note = nothing_known(self._config), no.what
        else:
            values = inputs_from_bits(self._config, bits)
        at = self._clock.now()
        # Counted, not timed: the black box's replay asks what was asked then.
        if self._polls_to_lamps <= 0:
            await self._look_at_lamps()
        self._polls_to_lamps -= 1
        self.tally.words += 1
        return Inputs(
            values=values,
            lamp=self._lamp,
            quality=Quality.BAD if note else Quality.GOOD,
            at=at,
            latency_s=at - asked_at,
            note=note,
        )

    async def words(self) -> AsyncIterator[Inputs]:
        """A poll every `poll_s` site seconds, for as long as the link lives. A beat that came too late is a gap."""
        due = self._clock.now()
        while True:
            yield await self.poll()
            now = self._clock.now()
            due += self._config.poll_s
            if now >= due:
                missed = int((now - due) / self._config.poll_s)
                self.tally.gaps += missed
                due += missed * self._config.poll_s
            if (wait_s := due - now) > 0:
                await self._clock.sleep(wait_s)

    async def show(self, lamp: Lamp) -> Lamp:
        """Switch the other lamp off, then this one on; each output is written once. What the outputs read afterwards.

        Raises OurMistake for a lamp that is not wired, Refused, LinkFault, TheirMistake.
        """
        channels = lamp_channels(self._config)
        if lamp is Lamp.UNKNOWN or (lamp is not Lamp.OFF and lamp not in channels):
            raise OurMistake(self._config.name, f"no output for lamp {lamp}")
        for each in sorted(channels, key=lambda channel: channel is lamp):
            await self._link.write_coil(self._table.outputs.start + channels[each], on=each is lamp)
        await self._look_at_lamps()
        return self._lamp

    async def _look_at_lamps(self) -> None:
        self._polls_to_lamps = max(1, round(LAMP_EVERY_S / self._config.poll_s))
        self._lamp = Lamp.UNKNOWN
        if self._lamps is None:
            return
        try:
            bits = await self._link.read_coils(self._lamps.start, self._lamps.count)
        except Refused:
            return
        self._lamp = lamp_from_bits(self._config, bits)
