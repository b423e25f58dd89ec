"""Settings of what tells positions: a receiver, a port on which many trackers report, a gpsd."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from drivers.link.config import AnyStreamConfig, ListenConfig, TcpLinkConfig

_CLOSED = ConfigDict(extra="forbid", frozen=True)
_Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
_Late = Annotated[float, Field(gt=0, le=86_400)]
LATE_AFTER_S = 60.0
"""A mobile network passes a report on within seconds, or keeps it for minutes."""


class GpsConfig(BaseModel):
    """`[[trackers]]`, NMEA 0183: a receiver on a wire, or a port on which trackers report."""

    model_config = _CLOSED

    protocol: Literal["nmea"] = "nmea"
    name: _Name
    link: AnyStreamConfig
    silence_s: float | None = Field(default=None, gt=0)
    """A receiver on a wire speaks each second: longer silence than this is NoAnswer. None: silence is no fault
    (a port on which trackers report when they are near)."""
    late_after_s: _Late = LATE_AFTER_S
    """Site seconds: an older fix was kept back, and is history when it comes."""


class Terminal(BaseModel):
    """A vehicle terminal that the site knows."""

    model_config = _CLOSED

    phone: Annotated[str, Field(pattern=r"^([1-9][0-9]{0,19}|0|[0-9a-f]{12}|[0-9a-f]{20})$")]
    """Its number as `quaygate decode jt808` shows it: without leading zeros."""
    name: _Name
    """As it stands in topics."""


class Jt808Config(BaseModel):
    """`[[trackers]]`, JT/T 808: the platform's side, many vehicle terminals on one port."""

    model_config = _CLOSED

    protocol: Literal["jt808"] = "jt808"
    name: _Name
    link: ListenConfig
    terminals: tuple[Terminal, ...] = ()
    only_listed: bool = False
    """Terminals that are not in the list are refused."""
    key_file: Path | None = None
    """Registrations are answered with a code made of this file's bytes and the terminal's number, and nothing is taken
    from a terminal that has not shown it. Without a file every code is accepted."""
    zone_h: Annotated[float, Field(ge=-12, le=14)] = 8.0
    """Hours before UTC of the terminals' clocks: Beijing's, by the standard."""
    late_after_s: _Late = LATE_AFTER_S
    """As of a receiver."""

    @model_validator(mode="after")
    def _each_once(self) -> "Jt808Config":
        for what in ("phone", "name"):
            seen = [getattr(each, what) for each in self.terminals]
            if twice := {each for each in seen if seen.count(each) > 1}:
                raise ValueError(f"expected each {what} of a terminal once; {', '.join(sorted(twice))} stands twice")
        if self.only_listed and not self.terminals:
            raise ValueError("only_listed without terminals: nobody could report")
        return self


class GpsdConfig(BaseModel):
    """`[[trackers]]`, gpsd: receivers that a gpsd in the port's network reads already."""

    model_config = _CLOSED

    protocol: Literal["gpsd"] = "gpsd"
    name: _Name
    link: TcpLinkConfig
    """gpsd listens on port 2947."""
    silence_s: Annotated[float, Field(gt=0)] = 15.0
    """A gpsd that watches a receiver speaks each second, one without sends nothing: longer silence is NoAnswer."""
    late_after_s: _Late = LATE_AFTER_S
    """As of a receiver."""


def _usual(raw: Any) -> Any:
    """A table that does not say its protocol speaks NMEA."""
    if isinstance(raw, Mapping) and "protocol" not in raw:
        return {"protocol": "nmea", **cast("Mapping[str, Any]", raw)}
    return cast("Any", raw)


TrackerConfig = Annotated[
    GpsConfig | Jt808Config | GpsdConfig, Field(discriminator="protocol"), BeforeValidator(_usual)
]
"""One `[[trackers]]` table of the site file."""
