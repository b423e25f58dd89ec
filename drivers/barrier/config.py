"""Where a boom's three commands are wired. Of all configuration, only this names the coils that move it."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Channel = Annotated[int, Field(strict=True, ge=0, le=63)]
"""Counted from 0, as the module's terminals are."""


class BarrierConfig(BaseModel):
    """Output channels of the lane's I/O module. Keys in a file: `raise`, `lower`, `stop`, `pulse_s`, `watchdog_s`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")] = "boom"
    raise_: Annotated[Channel, Field(alias="raise")]
    lower: Channel
    stop: Channel | None = None
    """The relay that breaks the barrier's stop circuit; None where the barrier has none."""
    pulse_s: Annotated[float, Field(ge=0.1, le=2.0)] = 0.5
    """Site seconds. Barriers ask for 0.2 to 1 s."""
    watchdog_s: Annotated[float, Field(ge=0.2, le=60)] = 1.0
    """For a module whose host watchdog takes its time from a register."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        channels = [channel for channel in (self.raise_, self.lower, self.stop) if channel is not None]
        if len(set(channels)) < len(channels):
            raise ValueError("raise, lower and stop must lie on output channels of their own")
        return self
