"""Places of trackers over time -> who entered and left which zone. Pure.

A zone is entered when a tracker is inside its edge, and left when it is outside by more than the margin: who stands on
the edge neither enters nor leaves again and again. Both want two fixes that agree, so that one wandering position is no
crossing. A tracker seen for the first time has not crossed anything: it is found where it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from drivers.readings import Instant
from edge.geometry import beside_m, box, depth_m
from edge.zone_config import Area, Zone

AGREE = 2
"""Fixes in a row."""
TRACKERS_CEILING = 2000
"""As of the fleet. The tracker that was silent longest is forgotten."""

What = Literal["found", "entered", "left", "ended"]
"""found: was inside when first seen. ended: left a route at one of its ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A tracker and an edge."""

    tracker: str
    zone: Zone
    what: What
    at: Instant
    x_m: float
    y_m: float


@dataclass(slots=True)
class _Side:
    """Where a tracker is by one zone; `inside` None: not known yet."""

    inside: bool | None = None
    streak: int = 0
    """Fixes in a row that say otherwise than `inside`."""


@dataclass(slots=True)
class _Tracker:
    sides: dict[str, _Side] = field(default_factory=dict[str, _Side])


class Fences:
    """All trackers of a site beside all its zones."""

    def __init__(self, zones: Sequence[Zone], known: Mapping[str, Mapping[str, bool]] | None = None) -> None:
        """`known`: by tracker and zone, whether it was inside, as `sides` gave it before a restart."""
        self._zones = {zone.id: zone for zone in zones}
        self._boxes = {zone.id: box(zone.points) for zone in zones}
        self._trackers: dict[str, _Tracker] = {}
        """In order of last fix."""
        for tracker, sides in (known or {}).items():
            kept = {zone: _Side(inside) for zone, inside in sides.items() if zone in self._zones}
            self._trackers[tracker] = _Tracker(kept)
        self._applies: dict[str, tuple[Zone, ...]] = {}

    def take(self, tracker: str, at: Instant, x_m: float, y_m: float) -> list[Crossing]:
        """What this place of the tracker says. Only live and trustworthy places are given here."""
        if not self._zones:
            return []
        here = self._trackers.pop(tracker, None) or _Tracker()
        self._trackers[tracker] = here
        if len(self._trackers) > TRACKERS_CEILING:
            gone = next(iter(self._trackers))
            del self._trackers[gone]
            self._applies.pop(gone, None)
        found: list[Crossing] = []
        for zone in self._of(tracker):
            side = here.sides.get(zone.id)
            if side is None:
                side = here.sides[zone.id] = _Side()
            now, at_end = self._inside(zone, x_m, y_m, was=side.inside)
            if now == side.inside:
                side.streak = 0
                continue
            side.streak += 1
            if side.streak < AGREE:
                continue
            what = _what(before=side.inside, at_end=at_end)
            side.inside, side.streak = now, 0
            if what is not None and (what != "found" or now):
                found.append(Crossing(tracker=tracker, zone=zone, what=what, at=at, x_m=x_m, y_m=y_m))
        return found

    def inside(self, tracker: str) -> list[str]:
        """Ids of the zones that the tracker is in."""
        here = self._trackers.get(tracker)
        return [] if here is None else [zone for zone, side in here.sides.items() if side.inside]

    def sides(self) -> dict[str, dict[str, bool]]:
        """All that is known, to be remembered over a restart."""
        return {
            tracker: {zone: side.inside for zone, side in here.sides.items() if side.inside is not None}
            for tracker, here in self._trackers.items()
        }

    def _of(self, tracker: str) -> tuple[Zone, ...]:
        applies = self._applies.get(tracker)
        if applies is None:
            applies = self._applies[tracker] = tuple(
                zone
                for zone in self._zones.values()
                if not zone.trackers or any(fnmatchcase(tracker, pattern) for pattern in zone.trackers)
            )
        return applies

    def _inside(self, zone: Zone, x: float, y: float, *, was: bool | None) -> tuple[bool, bool]:
        """Whether the place counts as inside for one who was, or was not; and whether it is off a route's end."""
        margin = zone.margin_m if was else 0.0
        reach = margin if isinstance(zone, Area) else margin + zone.width_m / 2
        left, low, right, high = self._boxes[zone.id]
        if isinstance(zone, Area):
            if not (left - reach <= x <= right + reach and low - reach <= y <= high + reach):
                return False, False
            return depth_m(zone.points, x, y) >= -margin, False
        distance, at_end = beside_m(zone.points, x, y)
        return distance <= reach, at_end


def _what(*, before: bool | None, at_end: bool) -> What | None:
    if before is None:
        return "found"
    if not before:
        return "entered"
    return "ended" if at_end else "left"
