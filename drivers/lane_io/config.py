"""What a site may say of its lane's I/O module: which switch is wired to which channel."""

from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.link.modbus_config import ModbusConfig

InputName = Literal[
    "loop_arrival",
    "beam_rear",
    "beam_front",
    "loop_boom",
    "photocell",
    "limit_down",
    "limit_up",
    "boom_fault",
    "axle_in",
    "axle_on",
    "axle_out",
]
"""In the order a truck meets them, then what the boom says of itself, then the wheel sensors of a deck that weighs axle
by axle. True: occupied, broken, reached, faulty, pressed."""

INPUT_NAMES: Final[tuple[InputName, ...]] = get_args(InputName)

Channel = Annotated[int, Field(strict=True, ge=0, le=63)]
"""Counted from 0, as the module's terminals are."""


class LaneOutputs(BaseModel):
    """Output channels. `raise`, `lower`, `stop` stand here so that no lamp lies on them; drivers/barrier owns them."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    raise_: Annotated[Channel, Field(alias="raise")]
    lower: Channel
    stop: Channel | None = None
    red: Channel | None = None
    green: Channel | None = None

    @model_validator(mode="after")
    def _apart(self) -> Self:
        by_channel: dict[int, str] = {}
        for name in type(self).model_fields:
            channel = getattr(self, name)
            if channel is None:
                continue
            if channel in by_channel:
                raise ValueError(f"{name.rstrip('_')} and {by_channel[channel]} share output channel {channel}")
            by_channel[channel] = name.rstrip("_")
        return self


class LaneIoConfig(BaseModel):
    """`[lanes.io]` of a site file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")] = "io"
    module: str
    """Name of a register table (drivers/link/modbus_tables.py, or the site's own under `[[modules]]`)."""
    link: ModbusConfig
    poll_s: Annotated[float, Field(ge=0.02, le=2.0)] = 0.1
    """Site seconds. A truck at 3 m/s moves 0.3 m in 0.1 s; a decision needs inputs younger than its own limits."""
    inputs: dict[InputName, Channel]
    inverted: tuple[InputName, ...] = ()
    """Inputs whose contact is closed when all is well: a broken wire then reads as occupied, or as a fault."""
    no_fault_relay: bool = False
    """The barrier has no fault contact: nothing is wired to `boom_fault`, and what it would have said is not known."""
    outputs: LaneOutputs
    pulse_s: Annotated[float, Field(ge=0.1, le=2.0)] = 0.5
    """How long the barrier's commands last, site seconds. Barriers ask for 0.2 to 1 s."""
    watchdog_s: Annotated[float, Field(ge=0.2, le=60)] = 1.0
    """What is written to a module whose host watchdog takes its time from a register. At least three polls."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        by_channel: dict[int, str] = {}
        for name, channel in self.inputs.items():
            if channel in by_channel:
                raise ValueError(f"{name} and {by_channel[channel]} share input channel {channel}")
            by_channel[channel] = name
        if self.no_fault_relay and "boom_fault" in self.inputs:
            raise ValueError("no_fault_relay beside an input boom_fault: one of the two is wrong")
        if strangers := [name for name in self.inverted if name not in self.inputs]:
            raise ValueError(f"inverted names inputs that are not wired: {', '.join(strangers)}")
        return self
