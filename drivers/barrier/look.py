"""What can be read of the module behind a barrier. Nothing here writes; whoever may not drive a boom may look."""

from dataclasses import dataclass

from drivers.barrier.config import BarrierConfig
from drivers.barrier.registers import Movement, command_span, mismatches, pulses
from drivers.faults import Refused
from drivers.link.modbus import ModbusLink
from drivers.link.modbus_tables import ModuleTable, PulseStart


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog:
    """The module's own watch over its host."""

    armed: bool
    fired: bool | None
    """Outputs went to their safe value since the flag was last cleared; None where no register tells."""


async def standing(link: ModbusLink, table: ModuleTable, config: BarrierConfig) -> frozenset[Movement]:
    """The commands whose outputs read on now. Raises Refused, LinkFault, TheirMistake."""
    commands = pulses(table, config)
    span = command_span(commands)
    bits = await link.read_coils(span.start, span.count)
    return frozenset(m for m, pulse in commands.items() if bits[pulse.seen_at - span.start])


async def watchdog(link: ModbusLink, table: ModuleTable) -> Watchdog | None:
    """As it reads now; None: the table has none. Raises Refused, LinkFault, TheirMistake."""
    told = table.watchdog
    if told is None:
        return None
    (kept,) = await link.read_holding_registers(told.enable_register, 1)
    fired: bool | None = None
    if told.flag_register is not None:
        (flag,) = await link.read_holding_registers(told.flag_register, 1)
        fired = flag != 0
    return Watchdog(armed=kept == told.enable_value, fired=fired)


async def strays(link: ModbusLink, table: ModuleTable) -> list[str]:
    """Registers that do not hold what they must (`must_hold` of the table), in words. Raises LinkFault, TheirMistake.

    A module that has no such register (it refuses the read) has nothing there that could be wrong.
    """
    said: list[str] = []
    for held in table.must_hold:
        try:
            found = await link.read_holding_registers(held.start, held.count)
        except Refused:
            continue
        said += [
            f"register {held.start + n} holds {word}, not {held.value}: {held.en}"
            for n, word in enumerate(found)
            if word != held.value
        ]
    return said


async def complaints(link: ModbusLink, table: ModuleTable, config: BarrierConfig) -> list[str]:
    """All that keeps a barrier from being driven by this module, in words for a technician. Raises LinkFault,
    TheirMistake."""
    if wrong := mismatches(table, config):
        return wrong
    said: list[str] = []
    try:
        if on := sorted(await standing(link, table, config)):
            said.append(f"output {', '.join(on)} reads on and nobody commands: left over, or wired elsewhere")
    except Refused as no:
        starts = isinstance(table.pulse, PulseStart)
        what = "where its pulses are started" if starts else "of its outputs"
        said.append(f"the module refuses the coils {what} ({no.what}): it is no {table.name}, or is not set up as one")
    said += await strays(link, table)
    try:
        state = await watchdog(link, table)
    except Refused as no:
        said.append(f"the module refuses its host watchdog's registers ({no.what}): it is no {table.name}")
        return said
    told = table.watchdog
    if told is not None and state is not None and told.set_by == "tool" and not state.armed:
        said.append(
            f"host watchdog reads off (register {told.enable_register}): enable it with the maker's tool; until then "
            "this barrier is not driven"
        )
    return said
