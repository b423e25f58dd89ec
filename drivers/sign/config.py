"""Settings of a driver's sign."""

from pydantic import BaseModel, ConfigDict, Field

from drivers.link.config import StreamLinkConfig


class SignConfig(BaseModel):
    """The `[lanes.sign]` table of the site file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_-]{1,32}$")
    link: StreamLinkConfig
    columns: int = Field(ge=1, le=64)
    """Full-width characters a row; a digit or a Latin letter takes half of one."""
    rows: int = Field(ge=1, le=16)
