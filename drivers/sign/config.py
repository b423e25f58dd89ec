"""Settings of a driver's sign."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.link.config import StreamLinkConfig
from drivers.sign.c_power import Colour, FontPx, Framing


class CPowerConfig(BaseModel):
    """`[lanes.sign.c_power]`: a card of the C-Power family, as its maker's tool has set it up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    framing: Framing = "serial"
    """serial: also through a serial server; network: the card's own plug, TCP 5200 as a rule."""
    card: int = Field(default=1, ge=1, le=255)
    """Its number; 255 is whoever is there."""
    card_id: int = Field(default=0xFFFFFFFF, ge=0, le=0xFFFFFFFF)
    """Of the network's head, as set in the card."""
    window: int = Field(default=0, ge=0, le=7)
    font_px: FontPx = 16
    colour: Colour = "red"


class SignConfig(BaseModel):
    """The `[lanes.sign]` table of the site file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_-]{1,32}$")
    link: StreamLinkConfig
    columns: int = Field(ge=1, le=64)
    """Full-width characters a row; a digit or a Latin letter takes half of one."""
    rows: int = Field(ge=1, le=16)
    dialect: Literal["text", "c-power"] = "text"
    c_power: CPowerConfig | None = None
    """Of a card of that family; its usual settings where none are given."""

    @model_validator(mode="after")
    def _fits_the_dialect(self) -> "SignConfig":
        if self.c_power is not None and self.dialect != "c-power":
            raise ValueError('c_power belongs to dialect = "c-power"')
        return self

    @property
    def card(self) -> CPowerConfig:
        """The C-Power card's settings."""
        return self.c_power or CPowerConfig()
