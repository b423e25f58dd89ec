"""Settings of a UHF tag reader."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from drivers.link.config import StreamLinkConfig


class TagReaderConfig(BaseModel):
    """The `[lanes.tags]` table of the site file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_-]{1,32}$")
    dialect: Literal["uhf-bb", "uhf-a0"]
    link: StreamLinkConfig
    address: int = Field(default=1, ge=0, le=255)
    """Of a reader of the A0 family; 255 is whoever is there."""
    plate_in_epc: bool = False
    """The tag's 12 bytes are the plate in GBK, filled up with NUL: a yard's own tags."""
    repeat_window_s: float = Field(default=1.0, ge=0)
    """A tag that stays is told once in this time, with the number of its reads."""
