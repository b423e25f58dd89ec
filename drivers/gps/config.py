"""Settings of a GPS receiver, or of a port on which many trackers report."""

from pydantic import BaseModel, ConfigDict, Field

from drivers.link.config import StreamLinkConfig


class GpsConfig(BaseModel):
    """One `[[trackers]]` table of the site file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_-]{1,32}$")
    link: StreamLinkConfig
    silence_s: float | None = Field(default=None, gt=0)
    """A receiver on a wire speaks each second: longer silence than this is NoAnswer. None: silence is no fault
    (a port on which trackers report when they are near)."""
