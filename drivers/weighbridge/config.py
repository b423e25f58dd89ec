"""Settings of a weighbridge."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from drivers.link.config import StreamLinkConfig
from drivers.weighbridge.frames import DIALECTS
from drivers.weighbridge.reading import Scale


class WeighbridgeConfig(BaseModel):
    """The `[lanes.weighbridge]` table of the site file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="wb", pattern=r"^[a-z0-9_-]{1,32}$")
    dialect: str
    """Name of a frame format; drivers/weighbridge/MANUAL.md lists them."""
    link: StreamLinkConfig
    max_kg: Annotated[Decimal, Field(gt=0, le=1_000_000)]
    division_kg: Annotated[Decimal, Field(gt=0, le=1000)]
    """The scale interval e on the indicator's plate."""
    decimals: Annotated[int, Field(ge=0, le=4)] = 0
    """What the frame's decimals byte must say; another value is an indicator that was set otherwise."""
    unit: Literal["kg", "t"] = "kg"
    """What the display counts in: the frame does not say."""
    silence_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """An indicator in continuous mode that says nothing for so long is taken for lost."""

    @field_validator("dialect")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in DIALECTS:
            raise ValueError(f"expected one of {', '.join(sorted(DIALECTS))}")
        return value

    def scale(self) -> Scale:
        """For the reader."""
        return Scale(
            max_kg=self.max_kg,
            division_kg=self.division_kg,
            decimals=self.decimals,
            unit_kg=Decimal(1) if self.unit == "kg" else Decimal(1000),
        )
