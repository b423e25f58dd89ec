"""Bits of the module <-> inputs and lamps of the lane. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from drivers.lane_io.config import InputName, LaneIoConfig
from drivers.link.modbus_tables import ModuleTable

POLLS_IN_TIME = 3
"""A host watchdog must outlast two lost polls."""


class Lamp(StrEnum):
    """What the driver's light shows, by the read-back of its outputs."""

    RED = "red"
    GREEN = "green"
    OFF = "off"
    UNKNOWN = "unknown"
    """Not read, not wired, or both at once."""


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring bits that one request reads."""

    start: int
    count: int


def input_span(table: ModuleTable, config: LaneIoConfig) -> Span | None:
    """The shortest span that holds every wired input; None when none is wired."""
    if not config.inputs:
        return None
    low, high = min(config.inputs.values()), max(config.inputs.values())
    return Span(table.inputs.start + low, high - low + 1)


def inputs_from_bits(config: LaneIoConfig, bits: Sequence[bool]) -> dict[InputName, bool | None]:
    """Named inputs out of the bits of `input_span`. A bit that is not there is None, never False.

    A barrier without a fault contact is never heard to be faulty: `boom_fault` is False while the module answers.
    """
    first = min(config.inputs.values(), default=0)
    found: dict[InputName, bool | None] = {}
    for name, channel in config.inputs.items():
        place = channel - first
        found[name] = bits[place] != (name in config.inverted) if place < len(bits) else None
    if config.no_fault_relay:
        found["boom_fault"] = False if bits else None
    return found


def nothing_known(config: LaneIoConfig) -> dict[InputName, bool | None]:
    """Every wired input, unknown."""
    unknown: dict[InputName, bool | None] = dict.fromkeys(config.inputs)
    return {**unknown, "boom_fault": None} if config.no_fault_relay else unknown


def lamp_channels(config: LaneIoConfig) -> Mapping[Lamp, int]:
    """The lamps that are wired, with their output channels."""
    wired = {Lamp.RED: config.outputs.red, Lamp.GREEN: config.outputs.green}
    return {lamp: channel for lamp, channel in wired.items() if channel is not None}


def lamp_span(table: ModuleTable, config: LaneIoConfig) -> Span | None:
    """The shortest span of coils that holds the lamps; None when none is wired."""
    channels = lamp_channels(config).values()
    if not channels:
        return None
    return Span(table.outputs.start + min(channels), max(channels) - min(channels) + 1)


def lamp_from_bits(config: LaneIoConfig, bits: Sequence[bool]) -> Lamp:
    """The lamp out of the bits of `lamp_span`."""
    channels = lamp_channels(config)
    first = min(channels.values(), default=0)
    if any(channel - first >= len(bits) for channel in channels.values()):
        return Lamp.UNKNOWN
    lit = [lamp for lamp, channel in channels.items() if bits[channel - first]]
    if len(lit) > 1 or not channels:
        return Lamp.UNKNOWN
    return lit[0] if lit else Lamp.OFF


def mismatches(table: ModuleTable, config: LaneIoConfig) -> list[str]:
    """Every channel that the module does not have, in words for `check`; empty when the two fit."""
    said = [
        f"inputs.{name} = {channel}: {table.name} has inputs 0 to {table.inputs.count - 1}"
        for name, channel in config.inputs.items()
        if channel >= table.inputs.count
    ]
    said += [
        f"outputs.{name} = {channel}: {table.name} has outputs 0 to {table.outputs.count - 1}"
        for name, channel in config.outputs.model_dump(by_alias=True, exclude_none=True).items()
        if channel >= table.outputs.count
    ]
    timed = table.watchdog is not None and table.watchdog.time_register is not None
    if timed and config.watchdog_s < POLLS_IN_TIME * config.poll_s:
        said.append(
            f"watchdog_s = {config.watchdog_s:g}: the polls feed the module's host watchdog, so at least "
            f"{POLLS_IN_TIME} of them ({POLLS_IN_TIME * config.poll_s:g} s)"
        )
    return said


def impossible(values: Mapping[InputName, bool | None]) -> list[str]:
    """What healthy switches never say at once, in words for `check`."""
    said: list[str] = []
    if values.get("limit_down") and values.get("limit_up"):
        said.append("limit_down and limit_up are both on: a wiring fault, or the polarity of one is wrong")
    if len(values) > 1 and all(values.values()):
        said.append("every input is on: wrong polarity (`inverted`), or the sensors have no supply")
    if unread := [name for name, value in values.items() if value is None]:
        said.append(f"the module does not tell {', '.join(unread)}")
    return said
