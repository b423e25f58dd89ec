"""A container yard beside the lanes: its drawing, and yard trucks with trackers that go their rounds on its roads.

Metres east and north of an origin. A round is a polygon of road corners with stops on the way; where a truck is follows
from the time alone, so that a yard needs no steps.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from simulators.gps import METRES_PER_DEGREE, GeoState

Point = tuple[float, float]

ROAD_NORTH, ROAD_MIDDLE, ROAD_SOUTH = 262.0, 100.0, -62.0
ROADS_NORTH = (
    (ROAD_NORTH, "北路", "North road"),
    (ROAD_MIDDLE, "中路", "Middle road"),
    (ROAD_SOUTH, "南路", "South road"),
)
ROADS_EAST = (-380.0, -190.0, 0.0, 190.0, 380.0)
ROAD_HALF_M = 7.0
GATE_SOUTH, GATE_NORTH = -300.0, -240.0
LANE_PITCH_M = 9.0
LANE_WIDTH_M = 4.5


def _box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north]]


def _shape(kind: str, zh: str, en: str, points: Sequence[Sequence[float]]) -> dict[str, Any]:
    return {"kind": kind, "zh": zh, "en": en, "points": [list(point) for point in points]}


def drawing(lanes: Sequence[str], *, lat: float, lon: float) -> dict[str, Any]:
    """As a site file's `[site.drawing]`: the port from the fence to the quay, with these lanes at its gate."""
    shapes = [
        _shape("fence", "围网", "Fence", _box(-440, -330, 440, 345)),
        _shape("quay", "码头前沿", "Quay", _box(-430, 285, 430, 335)),
    ]
    for road, zh, en in ROADS_NORTH:
        shapes.append(_shape("road", zh, en, _box(-390, road - ROAD_HALF_M, 390, road + ROAD_HALF_M)))
    for number, east in enumerate(ROADS_EAST, start=1):
        box = _box(east - ROAD_HALF_M, ROAD_SOUTH, east + ROAD_HALF_M, ROAD_NORTH)
        shapes.append(_shape("road", f"{number}号纵路", f"Cross road {number}", box))
    shapes.append(_shape("road", "进港路", "Gate road", _box(-ROAD_HALF_M, GATE_NORTH, ROAD_HALF_M, ROAD_SOUTH)))
    for row, (south, north) in enumerate(((ROAD_SOUTH + 14, ROAD_MIDDLE - 14), (ROAD_MIDDLE + 14, ROAD_NORTH - 14))):
        for column, (west, east) in enumerate(pairwise(ROADS_EAST)):
            name = f"{'AB'[row]}{column + 1}"
            box = _box(west + 16, south, east - 16, north)
            shapes.append(_shape("yard", f"{name}堆场", f"Block {name}", box))
    shapes.append(_shape("building", "查验平台", "Inspection shed", _box(90, -230, 200, -170)))
    shapes.append(_shape("building", "卡口值班室", "Gate house", _box(-75, -285, -45, -255)))
    first = -(len(lanes) - 1) / 2 * LANE_PITCH_M
    for number, lane in enumerate(lanes):
        east = first + number * LANE_PITCH_M
        box = _box(east - LANE_WIDTH_M / 2, GATE_SOUTH, east + LANE_WIDTH_M / 2, GATE_NORTH)
        shapes.append(_shape("lane", lane, lane, box))
    return {"origin_lat": lat, "origin_lon": lon, "shapes": shapes}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leg:
    """A straight way, or a stand when both ends are the same."""

    starts_s: float
    lasts_s: float
    begin: Point
    end: Point


class YardRound:
    """One yard truck's round, for ever."""

    def __init__(self, number: int, *, seed: int) -> None:
        rng = Random(f"yard {seed} {number}")
        west, east = sorted(rng.sample(ROADS_EAST, 2))
        south = rng.choice((ROAD_SOUTH, ROAD_MIDDLE))
        corners: list[Point] = [(west, south), (west, ROAD_NORTH), (east, ROAD_NORTH), (east, south)]
        if number % 2:
            corners.reverse()
        speed_mps = rng.uniform(4.5, 7.5)
        middle = rng.uniform(0.3, 0.7)
        self._legs: list[_Leg] = []
        at_s = 0.0
        for begin, end in pairwise([*corners, corners[0]]):
            stand: Point = (begin[0] + (end[0] - begin[0]) * middle, begin[1] + (end[1] - begin[1]) * middle)
            level = begin[1] == end[1]
            stops = [(begin, stand), (stand, stand), (stand, end)] if level else [(begin, end)]
            for start, goal in stops:
                length_m = math.dist(start, goal)
                lasts_s = length_m / speed_mps if length_m else rng.uniform(25.0, 60.0)
                self._legs.append(_Leg(starts_s=at_s, lasts_s=lasts_s, begin=start, end=goal))
                at_s += lasts_s
        self._starts = [leg.starts_s for leg in self._legs]
        self._lap_s = at_s
        self._offset_s = rng.uniform(0.0, at_s)

    def at(self, now: float) -> tuple[float, float, float, float]:
        """East m, north m, speed m/s, course in degrees (north 0, east 90)."""
        within = (now + self._offset_s) % self._lap_s
        leg = self._legs[bisect_right(self._starts, within) - 1]
        part = min(1.0, (within - leg.starts_s) / leg.lasts_s)
        east = leg.begin[0] + (leg.end[0] - leg.begin[0]) * part
        north = leg.begin[1] + (leg.end[1] - leg.begin[1]) * part
        ahead = math.dist(leg.begin, leg.end)
        course = math.degrees(math.atan2(leg.end[0] - leg.begin[0], leg.end[1] - leg.begin[1])) % 360.0
        return east, north, ahead / leg.lasts_s, course


def geo(east_m: float, north_m: float, *, lat: float, lon: float) -> tuple[float, float]:
    """Degrees of a point of the drawing; right to centimetres within some kilometres of the origin."""
    return lat + north_m / METRES_PER_DEGREE, lon + east_m / (METRES_PER_DEGREE * math.cos(math.radians(lat)))


def state(round_: YardRound, now: float, *, lat: float, lon: float) -> GeoState:
    """What a receiver on this truck truly would measure."""
    east, north, speed_mps, track_deg = round_.at(now)
    at_lat, at_lon = geo(east, north, lat=lat, lon=lon)
    return GeoState(lat=at_lat, lon=at_lon, speed_mps=speed_mps, track_deg=track_deg)
