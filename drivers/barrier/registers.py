"""Movements of a boom -> what is written, and where it is read back. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from drivers.barrier.config import BarrierConfig
from drivers.link.modbus_tables import FlashOn, ModuleTable, PulseStart

COIL_ON: Final = 0xFF00
COIL_OFF: Final = 0x0000


class Movement(StrEnum):
    """A destination, never a toggle."""

    RAISE = "raise"
    LOWER = "lower"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One command: `word` goes to coil `address` once; coil `seen_at` reads on while the pulse lasts."""

    address: int
    word: int
    seen_at: int
    width_s: float
    """Site seconds; with PulseStart what the module should be set to."""
    ends_itself: bool
    """False: the host must write COIL_OFF to `address` when `width_s` is over."""


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring coils that one request reads."""

    start: int
    count: int


def channels(config: BarrierConfig) -> dict[Movement, int]:
    """The commands that are wired."""
    wired = {Movement.RAISE: config.raise_, Movement.LOWER: config.lower, Movement.STOP: config.stop}
    return {movement: channel for movement, channel in wired.items() if channel is not None}


def pulses(table: ModuleTable, config: BarrierConfig) -> dict[Movement, Pulse]:
    """How each wired command is given on this module: by the module's own pulse where it has one."""
    return {movement: _pulse(table, channel, config.pulse_s) for movement, channel in channels(config).items()}


def _pulse(table: ModuleTable, channel: int, pulse_s: float) -> Pulse:
    output = table.outputs.start + channel
    match table.pulse:
        case FlashOn(start=start, unit_s=unit_s, most=most):
            units = min(max(1, round(pulse_s / unit_s)), most)
            return Pulse(address=start + channel, word=units, seen_at=output, width_s=units * unit_s, ends_itself=True)
        case PulseStart(start=start):
            return Pulse(
                address=start + channel, word=COIL_ON, seen_at=start + channel, width_s=pulse_s, ends_itself=True
            )
        case None:
            return Pulse(address=output, word=COIL_ON, seen_at=output, width_s=pulse_s, ends_itself=False)


def command_span(pulses_: dict[Movement, Pulse]) -> Span:
    """The shortest span of coils in which every command can be read back."""
    places = [pulse.seen_at for pulse in pulses_.values()]
    return Span(min(places), max(places) - min(places) + 1)


def mismatches(table: ModuleTable, config: BarrierConfig) -> list[str]:
    """Everything about this configuration that the module cannot do, in words for `check`; empty when they fit."""
    said = [
        f"outputs.{movement} = {channel}: {table.name} has outputs 0 to {table.outputs.count - 1}"
        for movement, channel in channels(config).items()
        if channel >= table.outputs.count
    ]
    if isinstance(table.pulse, FlashOn):
        units = config.pulse_s / table.pulse.unit_s
        if abs(units - round(units)) > 1e-6 or not 1 <= round(units) <= table.pulse.most:
            said.append(f"pulse_s = {config.pulse_s:g}: {table.name} pulses in steps of {table.pulse.unit_s:g} s")
    return said
