"""Settings of a weighbridge."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from drivers.link.config import SerialLinkConfig, StreamLinkConfig, TcpLinkConfig, UdpLinkConfig
from drivers.link.modbus_config import ModbusConfig, ModbusRtuConfig, ModbusTcpConfig
from drivers.weighbridge.dialects import DIALECTS, Dialect
from drivers.weighbridge.doubts import Fitness
from drivers.weighbridge.reading import Scale
from drivers.weighbridge.tables import WeightTable, WordOrder, weight_table_named

ScaleLinkConfig = Annotated[
    SerialLinkConfig | TcpLinkConfig | UdpLinkConfig | ModbusTcpConfig | ModbusRtuConfig, Field(discriminator="kind")
]
"""A stream that speaks a dialect, or a Modbus server with a register table."""


class WeighbridgeConfig(BaseModel):
    """The `[lanes.weighbridge]` table of the site file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="wb", pattern=r"^[a-z0-9_-]{1,32}$")
    dialect: str = ""
    """Name of a frame format; drivers/weighbridge/MANUAL.md lists them."""
    table: str = ""
    """Instead of a dialect, with a Modbus link: name of a register table (drivers/weighbridge/tables.py, or the site's
    own under `[[weight_tables]]`)."""
    mode: Literal["full", "axle"] = "full"
    """full: the deck carries the whole vehicle. axle: a short deck, one axle after the other, summed (axles.py)."""
    word_order: WordOrder | None = None
    """Of the table's double words, where the indicator is set otherwise than its table says."""
    link: ScaleLinkConfig
    max_kg: Annotated[Decimal, Field(gt=0, le=1_000_000)]
    division_kg: Annotated[Decimal, Field(gt=0, le=1000)]
    """The scale interval e on the indicator's plate; of a display in pounds, in kilograms: 20 lb is 9.0718474."""
    decimals: Annotated[int, Field(ge=0, le=5)] = 0
    """What the frame's decimals must be; another value is an indicator that was set otherwise."""
    unit: Literal["kg", "t", "lb", "g"] = "kg"
    """What the display counts in. A frame that names another unit is an indicator that was set otherwise."""
    silence_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """An indicator that says nothing for so long is taken for lost."""
    address: Annotated[str, Field(max_length=8)] = ""
    """Of an indicator that is asked, as its manual writes it; empty: as it is delivered."""
    poll_s: Annotated[float, Field(ge=0.05, le=2)] = 0.2
    """Between two questions to an indicator that is asked, Modbus or not; site seconds."""
    serial_no: Annotated[str, Field(max_length=32)] = ""
    """On the indicator's plate, where the dialect tells it: another one means that the indicator was replaced."""
    calibrations: Annotated[int, Field(ge=0)] | None = None
    """The calibration counter that the seal protects, where the dialect tells it."""
    calibrated_on: date | None = None
    """The day of the last calibration, for the control room."""
    calibrated_until: date | None = None
    """The last day of the certificate. Afterwards no weighing counts."""

    @field_validator("dialect")
    @classmethod
    def _known(cls, value: str) -> str:
        if value and value not in DIALECTS:
            raise ValueError(f"expected one of {', '.join(sorted(DIALECTS))}")
        return value

    @field_validator("calibrated_on", "calibrated_until", mode="before")
    @classmethod
    def _day(cls, value: object) -> object:
        """TOML knows dates; a text says the same."""
        return date.fromisoformat(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.calibrated_on and self.calibrated_until and self.calibrated_on > self.calibrated_until:
            raise ValueError(f"calibrated_until: expected a day after calibrated_on, {self.calibrated_on}")
        if self.modbus is not None:
            self._fits_modbus()
            return self
        if self.table or self.word_order:
            raise ValueError(f"table, word_order: a {self.link.kind} link speaks a dialect; tables need a modbus link")
        if not self.dialect:
            raise ValueError(f"dialect: expected one of {', '.join(sorted(DIALECTS))}")
        dialect = self.speech()
        if self.serial_no and dialect.ask_plate is None:
            raise ValueError(f"serial_no: {self.dialect} does not tell the indicator's serial number")
        if self.calibrations is not None and self.dialect != "rinstrum-rincmd":
            raise ValueError(f"calibrations: {self.dialect} does not tell how often it was calibrated")
        if self.address and not dialect.address:
            raise ValueError(f"address: {self.dialect} has none")
        if dialect.ask is not None:
            try:
                dialect.ask(self.address or dialect.address)
            except ValueError as wrong:
                raise ValueError(f"address: expected one as {dialect.address!r} ({wrong})") from None
            if self.link.kind == "udp":
                raise ValueError(f"{self.dialect} is asked: a UDP port cannot ask")
        return self

    def _fits_modbus(self) -> None:
        if self.dialect:
            raise ValueError(f"dialect: a {self.link.kind} link has a register table: expected table instead")
        if not self.table:
            raise ValueError(f"table: expected the register table of what stands at the {self.link.kind} link")
        if self.serial_no or self.calibrations is not None:
            raise ValueError("serial_no, calibrations: no register table tells them")
        if self.address:
            raise ValueError("address: a Modbus link has its own, link.unit")

    @property
    def modbus(self) -> ModbusConfig | None:
        """The link, when it is a Modbus server's."""
        return self.link if isinstance(self.link, ModbusTcpConfig | ModbusRtuConfig) else None

    @property
    def stream(self) -> StreamLinkConfig | None:
        """The link, when it is a stream."""
        return None if isinstance(self.link, ModbusTcpConfig | ModbusRtuConfig) else self.link

    def registers(self, own: Iterable[WeightTable] = ()) -> WeightTable:
        """Its table. Raises LookupError, which names the tables there are."""
        return weight_table_named(self.table, own).ordered(self.word_order)

    def speech(self) -> Dialect:
        """How it speaks."""
        return DIALECTS[self.dialect]

    def fitness(self) -> Fitness:
        """For the deck's watch."""
        return Fitness(serial_no=self.serial_no, calibrations=self.calibrations, calibrated_until=self.calibrated_until)

    def scale(self) -> Scale:
        """For the reader."""
        return Scale(max_kg=self.max_kg, division_kg=self.division_kg, decimals=self.decimals, unit=self.unit)
