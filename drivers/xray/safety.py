"""The interlock chain as its contacts show it, and our one link in it. Watching; never the safety function itself.

`ready` closed lets the operator's key do something; it turns nothing on. It is closed only while everything that is
watched is well and somebody asked for it; whatever else happens it is opened, and stays open until asked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from drivers.faults import NotConfirmed, OurMistake, Refused
from drivers.kinds import Clock
from drivers.link.modbus import ModbusLink
from drivers.link.modbus_tables import ModuleTable
from drivers.readings import Instant, Quality, Tally
from drivers.xray.config import SafetyConfig, Signal

READ_BACK_WITHIN_S: Final = 1.0
"""A relay follows its coil in a hundredth of a second; a module's own scan takes a tenth."""
READ_BACK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All wired contacts of one poll. None: the module would not say."""

    values: Mapping[Signal, bool | None]
    ready: bool | None
    """What the output reads; None: not wired, or not told."""
    at: Instant
    quality: Quality = Quality.GOOD
    note: str = ""

    def faults(self) -> list[str]:
        """Every signal that forbids a beam, by name; also one that is not known."""
        return [name for name, value in self.values.items() if value is None or value is _forbids(name)]


def _forbids(signal: Signal) -> bool | None:
    """The value of a signal that forbids a beam; None: none does."""
    if signal.startswith("interlock_"):
        return False
    return True if signal.startswith("estop_") or signal in ("person", "dose_alarm") else None


class ChainWatch:
    """Polls the contacts and keeps the link. The ModbusLink is opened and closed by whoever holds it."""

    def __init__(self, link: ModbusLink, table: ModuleTable, config: SafetyConfig, clock: Clock) -> None:
        """Raises OurMistake when the site names channels that the module does not have."""
        if wrong := mismatches(table, config):
            raise OurMistake(config.name, "; ".join(wrong))
        self.tally = Tally()
        self._link, self._table, self._config, self._clock = link, table, config, clock
        self._read = link.read_coils if table.inputs.area == "coil" else link.read_discrete_inputs
        channels = config.inputs.values()
        self._first = min(channels, default=0)
        self._count = max(channels, default=-1) + 1 - self._first
        self._alive: bool | None = None
        self._alive_at: Instant = clock.now()

    async def poll(self) -> Chain:
        """Ask once. A module that refuses is heard: all values None. Raises LinkFault, TheirMistake."""
        note = ""
        bits: tuple[bool, ...] = ()
        ready: bool | None = None
        try:
            if self._count > 0:
                bits = await self._read(self._table.inputs.start + self._first, self._count)
            ready = await self._read_ready()
        except Refused as no:
            note = no.what
        at = self._clock.now()
        self.tally.words += 1
        values: dict[Signal, bool | None] = {}
        for name, channel in self._config.inputs.items():
            place = channel - self._first
            values[name] = bits[place] != (name in self._config.inverted) if place < len(bits) else None
        if "dose_alive" in values and not self._pulse_of_life(values["dose_alive"], at):
            values["dose_alive"] = None
        return Chain(values=values, ready=ready, at=at, quality=Quality.BAD if note else Quality.GOOD, note=note)

    async def allow(self) -> None:
        """Close our link, once, and read it back. Raises NotConfirmed, OurMistake, Refused, LinkFault, TheirMistake."""
        await self._set(closed=True)

    async def withhold(self) -> None:
        """Open our link and read it back. Does nothing where none is wired. Raises as `allow`."""
        if self._config.ready is not None:
            await self._set(closed=False)

    async def _set(self, *, closed: bool) -> None:
        if self._config.ready is None:
            raise OurMistake(self._config.name, "no `ready` output is wired")
        await self._link.write_coil(self._table.outputs.start + self._config.ready, on=closed)
        until = self._clock.now() + READ_BACK_WITHIN_S
        while await self._read_ready() is not closed:
            if self._clock.now() >= until:
                raise NotConfirmed(
                    self._config.name, f"`ready` was {'closed' if closed else 'opened'}, and does not read so"
                )
            await self._clock.sleep(READ_BACK_EVERY_S)

    async def _read_ready(self) -> bool | None:
        if self._config.ready is None:
            return None
        return (await self._link.read_coils(self._table.outputs.start + self._config.ready, 1))[0]

    def _pulse_of_life(self, value: bool | None, at: Instant) -> bool:  # noqa: FBT001 - one contact
        if value != self._alive:
            self._alive, self._alive_at = value, at
        return at - self._alive_at <= self._config.alive_within_s


def mismatches(table: ModuleTable, config: SafetyConfig) -> list[str]:
    """Every channel that the module does not have, in words for `check`; empty when the two fit."""
    said = [
        f"inputs.{name} = {channel}: {table.name} has inputs 0 to {table.inputs.count - 1}"
        for name, channel in config.inputs.items()
        if channel >= table.inputs.count
    ]
    if config.ready is not None and config.ready >= table.outputs.count:
        said.append(f"ready = {config.ready}: {table.name} has outputs 0 to {table.outputs.count - 1}")
    return said
