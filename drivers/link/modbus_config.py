"""How a site names a Modbus module: over TCP, or on a serial line (RTU)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_CLOSED = ConfigDict(frozen=True, extra="forbid")


class ModbusTcpConfig(BaseModel):
    """A module with its own network socket, or one behind a Modbus gateway."""

    model_config = _CLOSED

    kind: Literal["modbus-tcp"] = "modbus-tcp"
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    """Modules with a socket of their own commonly answer to 1, some to 255 or 0 only."""

    @property
    def label(self) -> str:
        """As the site's people would say it."""
        return f"modbus-tcp:{self.host}:{self.port}/{self.unit}"


class ModbusRtuConfig(BaseModel):
    """A module on an RS-485 or RS-232 line; eight data bits, always."""

    model_config = _CLOSED

    kind: Literal["modbus-rtu"] = "modbus-rtu"
    device: Annotated[str, Field(min_length=1)]
    baud: Annotated[int, Field(ge=1200, le=921_600)] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    unit: Annotated[int, Field(ge=1, le=247)] = 1
    """0 would be a broadcast, which nobody answers: a write that nobody confirms is never sent."""

    @property
    def label(self) -> str:
        """As the site's people would say it."""
        return f"modbus-rtu:{self.device}@{self.baud}/{self.unit}"

    @property
    def char_s(self) -> float:
        """Seconds that one character takes on the line: start bit, eight data bits, parity, stop bits."""
        return (9 + (self.parity != "N") + self.stopbits) / self.baud


ModbusConfig = Annotated[ModbusTcpConfig | ModbusRtuConfig, Field(discriminator="kind")]
"""What may stand behind `link` of a lane's I/O module."""
