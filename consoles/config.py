"""What the console reads of a site file.

The whole file is judged, closed, by `quaygate check`; this reads its own keys and passes over the instruments' ones,
which are none of its business.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from telemetry.config import BrokerConfig, RecordsConfig, SeriesConfig, ServerTls


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class ClockPart(_Part):
    """`[site.clock]`, for simulated ports."""

    speed: Annotated[float, Field(gt=0)] = 1.0
    origin: float | None = None


class ShapePart(_Part):
    """One outline of the site's drawing, metres east and north of its origin."""

    kind: Literal["quay", "yard", "road", "building", "lane", "fence"]
    zh: str = ""
    en: str = ""
    points: tuple[tuple[float, float], ...]


class ZonePart(_Part):
    """A zone or route on the drawing that trackers enter and leave."""

    kind: Literal["area", "route"] = "area"
    zh: str
    en: str
    points: tuple[tuple[float, float], ...]


class DrawingPart(_Part):
    """`[site.drawing]`."""

    shapes: tuple[ShapePart, ...] = ()


class SitePart(_Part):
    """`[site]`."""

    id: str
    zh: str
    en: str
    data: Path
    clock: ClockPart = ClockPart()
    drawing: DrawingPart = DrawingPart()


class ConsolePart(_Part):
    """`[console]`. `names`: host names under which people open the pages, beside `localhost` and bare addresses."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    names: tuple[str, ...] = ()
    tls: ServerTls | None = None


class PersonPart(_Part):
    """Somebody who may sign orders; `sealed` is the private key under the PIN."""

    id: str
    zh: str
    en: str
    role: Literal["operator", "supervisor", "inspector"]
    sealed: Annotated[str, Field(repr=False)]


class InspectionPart(_Part):
    """`[inspection]`: the image review. `archive`: the scans' folder; in the site's data where it is not said."""

    archive: Path | None = None
    lane_pictures: Path | None = None
    second_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    lock_s: Annotated[float, Field(gt=0)] = 300.0
    break_after_min: Annotated[float, Field(gt=0)] = 20.0
    verdict_lives_min: Annotated[float, Field(gt=0)] = 60.0
    clear_zoom: Annotated[float, Field(gt=0)] = 0.5


class WeighbridgePart(_Part):
    """The bounds of the weight's picture."""

    name: str
    max_kg: float
    division_kg: float


class LanePart(_Part):
    """One lane's name and what a page must know to draw it."""

    id: str
    zh: str
    en: str
    direction: Literal["in", "out"]
    weighbridge: WeighbridgePart


class ConsoleSite(_Part):
    """The site as the console sees it."""

    site: SitePart
    broker: BrokerConfig = BrokerConfig()
    series: SeriesConfig = SeriesConfig()
    records: RecordsConfig = RecordsConfig()
    console: ConsolePart = ConsolePart()
    inspection: InspectionPart | None = None
    persons: tuple[PersonPart, ...] = ()
    lanes: tuple[LanePart, ...] = ()
    zones: tuple[ZonePart, ...] = ()


def load(path: Path) -> ConsoleSite:
    """Paths are relative to the file's folder. Raises OSError, tomllib.TOMLDecodeError, pydantic.ValidationError."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    folder = path.resolve().parent
    _anchor(raw.get("site"), ("data",), folder)
    _anchor(raw.get("series"), ("token_file",), folder)
    _anchor(raw.get("broker"), ("password_file",), folder)
    _anchor(raw.get("inspection"), ("archive", "lane_pictures"), folder)
    for section in ("broker", "console"):
        for key in ("tls", "listen_tls"):
            table: dict[str, Any] | None = raw.get(section)
            _anchor(table.get(key) if table else None, ("ca", "cert", "key"), folder)
    return ConsoleSite.model_validate(raw)


def _anchor(section: Any, keys: tuple[str, ...], folder: Path) -> None:
    if isinstance(section, dict):
        table = cast("dict[str, Any]", section)
        for key in keys:
            if isinstance(table.get(key), str):
                table[key] = str(folder / table[key])
