"""`[[zones]]` of a site file: areas and routes on the drawing, and what rings when a tracker crosses their edge."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from edge.geometry import Point, crosses_itself

MARGIN_M = 15.0
"""Positions between walls of containers wander by some 10 m: a zone is left when a tracker is farther out than that."""
POINTS_CAP = 200
"""Corners. A port's boundary as surveyed has some dozen."""

Rings = Literal["enter", "leave"]
Words = Annotated[str, Field(min_length=1, max_length=40)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Coordinate = Annotated[float, Field(ge=-100_000, le=100_000)]
"""Metres from the drawing's origin; beyond 100 km the ground is not flat any more."""
_Points = tuple[tuple[Coordinate, Coordinate], ...]


class _Zone(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    zh: Words
    en: Words
    margin_m: Annotated[float, Field(ge=0, le=1000)] = MARGIN_M
    rings: tuple[Rings, ...] = ()
    """Which crossings are alarms; all are recorded."""
    priority: Literal[1, 2, 3] = 2
    trackers: tuple[str, ...] = ()
    """Names, with * for any letters; none given: every tracker."""


class Area(_Zone):
    """A surface with an edge."""

    kind: Literal["area"] = "area"
    points: Annotated[_Points, Field(min_length=3, max_length=POINTS_CAP)]

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if crosses_itself(self.points):
            raise ValueError("expected an outline that does not cross itself: nobody could say what is inside")
        return self


class Route(_Zone):
    """A road that trackers keep to."""

    kind: Literal["route"] = "route"
    points: Annotated[_Points, Field(min_length=2, max_length=POINTS_CAP)]
    """Its middle."""
    width_m: Annotated[float, Field(gt=0, le=1000)]


def _usual(raw: Any) -> Any:
    """A table that does not say its kind is an area."""
    if isinstance(raw, Mapping) and "kind" not in raw:
        return {"kind": "area", **cast("Mapping[str, Any]", raw)}
    return cast("Any", raw)


Zone = Area | Route
ZoneConfig = Annotated[Zone, Field(discriminator="kind"), BeforeValidator(_usual)]
"""One `[[zones]]` table of the site file."""

__all__ = ["Area", "Point", "Rings", "Route", "Zone", "ZoneConfig"]
