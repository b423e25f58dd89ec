"""What a site file may say of a scanner beyond its instruments: `[[scanners]]`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from drivers.camera.config import CameraConfig
from drivers.xray.config import ScannerConfig
from edge.closed import Name, Words

Pixel = Annotated[int, Field(strict=True, ge=0)]


class Scanner(ScannerConfig):
    """One scanner with all that belongs to it."""

    id: Name
    zh: Words
    en: Words
    clear: tuple[Pixel, Pixel] = (0, 0)
    """First pixel and count of a stretch that no truck ever covers, for the dose of each pulse; 0, 0: none."""
    after_s: Annotated[float, Field(gt=0, le=10)] = 0.4
    """So long an empty tunnel ends a scan: longer than the longest gap in a truck."""
    longest_s: Annotated[float, Field(ge=5, le=600)] = 120.0
    """A truck takes no longer; what does is no truck."""
    calibration_age_h: Annotated[float, Field(gt=0, le=168)] = 12.0
    """No scan is made with an older calibration."""
    well_s: Annotated[float, Field(ge=0, le=60)] = 2.0
    """Everything that is watched must have been well for so long before `ready` is closed."""
    cameras: tuple[CameraConfig, ...] = ()
    """OCR portals before the scanner: they say whose scan it is."""

    @property
    def dual(self) -> bool:
        """Whether the source has two energies."""
        return self.energies_mev[1] > 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        first, count = self.clear
        if first + count > self.detector.pixels:
            raise ValueError(f"clear = {first}, {count}: the detector has pixels 0 to {self.detector.pixels - 1}")
        return self
