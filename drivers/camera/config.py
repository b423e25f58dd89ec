"""Settings of an OCR portal."""

from pydantic import BaseModel, ConfigDict, Field

from drivers.link.config import StreamLinkConfig


class CameraConfig(BaseModel):
    """One `[[lanes.cameras]]` table of the site file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_-]{1,32}$")
    link: StreamLinkConfig
