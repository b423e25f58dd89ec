"""Settings of a UHF tag reader."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.link.config import StreamLinkConfig


class TagReaderConfig(BaseModel):
    """The `[lanes.tags]` table of the site file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_-]{1,32}$")
    dialect: Literal["uhf-bb", "uhf-a0", "llrp"]
    link: StreamLinkConfig
    """A reader by LLRP listens on TCP 5084."""
    address: int = Field(default=1, ge=0, le=255)
    """Of a reader of the A0 family; 255 is whoever is there."""
    antennas: tuple[Annotated[int, Field(ge=1, le=255)], ...] = ()
    """By LLRP: the antennas of this lane, from 1. None given: all that the reader has."""
    plate_in_epc: bool = False
    """The tag's 12 bytes are the plate in GBK, filled up with NUL: a yard's own tags."""
    repeat_window_s: float = Field(default=1.0, ge=0)
    """A tag that stays is told once in this time, with the number of its reads."""

    @model_validator(mode="after")
    def _fits_the_dialect(self) -> "TagReaderConfig":
        if self.dialect == "llrp" and self.link.kind != "tcp":
            raise ValueError(f'dialect "llrp" on a {self.link.kind} link: expected kind = "tcp", port 5084')
        if self.dialect != "llrp" and self.antennas:
            raise ValueError(f'antennas with dialect "{self.dialect}": only "llrp" chooses them')
        return self
