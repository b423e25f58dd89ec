"""From a site's configuration to an engine."""

from pathlib import Path

from telemetry.config import SeriesConfig
from telemetry.series.base import Series
from telemetry.series.embedded import EmbeddedSeries

FILE = "series.sqlite"
"""The embedded engine's file in the site's data folder."""


def engine(config: SeriesConfig, data: Path, *, read_only: bool = False) -> Series:
    """Not yet open. `read_only`: for a process that only asks; the recorder is the one that writes."""
    if config.engine == "influx":
        from telemetry.series.influx import InfluxSeries  # half a second of imports that other sites need not pay

        return InfluxSeries(config, data)
    return EmbeddedSeries(data / FILE, read_only=read_only)
