"""What a site file may say of the image review."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class InspectionConfig(BaseModel):
    """`[inspection]`: the image review at the console. Without this table there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    archive: Path | None = None
    """The folder of scans; `xray` in the site's data where it is not said."""
    lane_pictures: Path | None = None
    """Where the lanes' cameras drop their JPEGs, a folder a lane; `lane-pictures` in the site's data otherwise."""
    second_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of scans that a second inspector reads as well, blind, drawn by chance."""
    lock_s: Annotated[float, Field(ge=30, le=3600)] = 300.0
    """Real seconds without a sign of its reader after which a scan goes back to the pool."""
    break_after_min: Annotated[float, Field(ge=5, le=120)] = 20.0
    """Minutes of reading after which the page reminds of a rest."""
    verdict_lives_min: Annotated[float, Field(ge=1, le=1440)] = 60.0
    """Site minutes that a verdict is good for: from the scanner to the gate."""
    clear_zoom: Annotated[float, Field(ge=0.125, le=1)] = 0.5
    """Screen pixels a pixel from which on a part of the picture counts as looked at."""
