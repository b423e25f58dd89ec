"""Zones and routes: geometry held to other roads to the same answer, edges that nobody crosses twice by trembling."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from drivers.readings import Instant
from edge.fences import AGREE, TRACKERS_CEILING, Crossing, Fences
from edge.geometry import Point, beside_m, crosses_itself, depth_m
from edge.zone_config import Area, Route, Zone, ZoneConfig

SQUARE = ((0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0))
HOOK = (
    (0.0, 0.0),
    (100.0, 0.0),
    (100.0, 100.0),
    (60.0, 100.0),
    (60.0, 40.0),
    (40.0, 40.0),
    (40.0, 100.0),
    (0.0, 100.0),
)
"""A U: its mouth is outside."""
COORDINATE = st.floats(-300, 300).map(lambda x: round(x, 3))
POINT = st.tuples(COORDINATE, COORDINATE)


@st.composite
def stars(draw: st.DrawFn) -> tuple[Point, ...]:
    """Around the origin, seen whole from there: never crossing itself."""
    radii = draw(st.lists(st.floats(10, 200), min_size=3, max_size=12))
    step = 2 * math.pi / len(radii)
    return tuple((r * math.cos(n * step), r * math.sin(n * step)) for n, r in enumerate(radii))


def turns_around(area: Sequence[Point], x: float, y: float) -> int:
    """How often the outline winds around the point: the sum of the angles under which its edges are seen."""
    total = 0.0
    for (x1, y1), (x2, y2) in [*pairwise(area), (area[-1], area[0])]:
        a, b = math.atan2(y1 - y, x1 - x), math.atan2(y2 - y, x2 - x)
        total += math.remainder(b - a, 2 * math.pi)
    return round(total / (2 * math.pi))


@given(stars(), POINT)
def test_inside_is_where_the_outline_winds_around(area: tuple[Point, ...], point: Point) -> None:
    depth = depth_m(area, *point)
    assume(abs(depth) > 1e-6)
    assert (depth > 0) == (turns_around(area, *point) != 0)


@given(stars(), POINT, POINT)
def test_depth_changes_no_faster_than_one_moves(area: tuple[Point, ...], one: Point, other: Point) -> None:
    assert abs(depth_m(area, *one) - depth_m(area, *other)) <= math.dist(one, other) + 1e-6


@given(stars(), POINT, st.floats(0, 2 * math.pi), POINT, st.integers(0, 11), st.booleans())
def test_depth_knows_no_direction(
    area: tuple[Point, ...], point: Point, angle: float, shift: Point, first: int, back: bool
) -> None:
    def moved(p: Point) -> Point:
        x, y = p
        return x * math.cos(angle) - y * math.sin(angle) + shift[0], x * math.sin(angle) + y * math.cos(angle) + shift[
            1
        ]

    depth = depth_m(area, *point)
    assume(abs(depth) > 1e-6)
    other = [moved(p) for p in area]
    other = other[first % len(other) :] + other[: first % len(other)]
    assert depth_m(other[::-1] if back else other, *moved(point)) == pytest.approx(depth, abs=1e-6)


@pytest.mark.parametrize(
    ("area", "point", "depth"),
    [(SQUARE, (50, 50), 50), (SQUARE, (90, 50), 10), (SQUARE, (110, 50), -10), (SQUARE, (103, 104), -5),
     (SQUARE, (-5, 0), -5), (SQUARE, (-5, 100), -5), (HOOK, (50, 60), -10), (HOOK, (50, 20), 20), (HOOK, (20, 99), 1)],
)  # fmt: skip
def test_depths_by_hand(area: Sequence[Point], point: Point, depth: float) -> None:
    assert depth_m(area, *point) == pytest.approx(depth)


@given(st.lists(POINT, min_size=2, max_size=8), POINT)
def test_a_road_is_as_near_as_its_nearest_place(road: list[Point], point: Point) -> None:
    distance, _ = beside_m(road, *point)
    places = [
        (x1 + (x2 - x1) * n / 50, y1 + (y2 - y1) * n / 50) for (x1, y1), (x2, y2) in pairwise(road) for n in range(51)
    ]
    nearest = min(math.dist(place, point) for place in places)
    longest = max(math.dist(a, b) for a, b in pairwise(road))
    assert distance <= nearest + 1e-9 and nearest <= distance + longest / 50 + 1e-9


@pytest.mark.parametrize(
    ("point", "distance", "at_end"),
    [((50, 3), 3, False), ((-4, 3), 5, True), ((100, 104), 4, True), ((96, 50), 4, False), ((103, -4), 5, False)],
)
def test_beside_a_road_by_hand(point: Point, distance: float, at_end: bool) -> None:
    assert beside_m([(0, 0), (100, 0), (100, 100)], *point) == (pytest.approx(distance), at_end)


def test_outlines_that_cross_themselves() -> None:
    assert not crosses_itself(SQUARE) and not crosses_itself(HOOK)
    assert crosses_itself([(0, 0), (100, 100), (100, 0), (0, 100)])
    assert crosses_itself([(0, 0), (100, 0), (100, 100), (50, 0), (0, 100)]), "a corner on another edge"


@given(stars())
def test_stars_do_not_cross_themselves(area: tuple[Point, ...]) -> None:
    assert not crosses_itself(area)


# --- who crossed


def area(**more: Any) -> Zone:
    return Area.model_validate({"id": "yard", "zh": "堆场", "en": "Yard", "points": SQUARE, "margin_m": 10, **more})


def route(**more: Any) -> Zone:
    points = ((0, 0), (100, 0), (100, 100))
    return Route.model_validate(
        {
            "kind": "route",
            "id": "road",
            "zh": "路",
            "en": "Road",
            "points": points,
            "width_m": 10,
            "margin_m": 5,
            **more,
        }
    )


def walk(fences: Fences, *places: Point, tracker: str = "T") -> list[str]:
    found: list[Crossing] = []
    for n, place in enumerate(places):
        found += fences.take(tracker, Instant(n), *place)
    return [crossing.what for crossing in found]


def test_in_and_out_and_who_is_inside() -> None:
    fences = Fences([area()])
    assert walk(fences, (-50, 50), (-20, 50), (5, 50)) == []
    assert walk(fences, (10, 50)) == ["entered"] and fences.inside("T") == ["yard"]
    assert walk(fences, (-5, 50), (-9, 50), (-9.9, 50)) == [], "within the margin"
    assert walk(fences, (-11, 50)) == [] and walk(fences, (-12, 50)) == ["left"]
    assert fences.inside("T") == [] and fences.inside("nobody") == []


def test_the_first_sight_is_no_crossing() -> None:
    assert walk(Fences([area()]), (50, 50), (51, 50), (52, 50)) == ["found"]
    assert walk(Fences([area()]), (500, 50), (501, 50), (502, 50)) == []


def test_one_wandering_position_is_no_crossing() -> None:
    fences = Fences([area()])
    walk(fences, (50, 50), (50, 50))
    assert walk(fences, (5000, 50), (50, 50), (5000, 50), (50, 50)) == []


def test_a_route_is_left_beside_it_and_ended_at_its_ends() -> None:
    fences = Fences([route()])
    assert walk(fences, (0, 1), (10, 1), (50, -9), (50, 9)) == ["found"], "half its width and the margin are its own"
    assert walk(fences, (50, 11), (50, 12)) == ["left"]
    assert walk(fences, (50, 4), (50, 4)) == ["entered"]
    assert walk(fences, (100, 90), (100, 111), (100, 112)) == ["ended"]


def test_only_those_that_are_meant() -> None:
    fences = Fences([area(trackers=["truck*", "van7"])])
    for tracker, found in (("truck12", ["found"]), ("van7", ["found"]), ("van8", []), ("TRUCK1", [])):
        assert walk(fences, (50, 50), (50, 50), tracker=tracker) == found


def test_what_was_known_before_a_restart_is_no_first_sight() -> None:
    fences = Fences([area(), route()])
    walk(fences, (50, 50), (50, 50))
    again = Fences([area()], fences.sides())
    assert again.sides() == {"T": {"yard": True}}, "the road is no zone of the site any more"
    assert walk(again, (50, 50), (-20, 50), (-20, 50)) == ["left"]


def test_names_off_the_wire_do_not_grow_memory() -> None:
    fences = Fences([area()])
    for n in range(TRACKERS_CEILING + 50):
        walk(fences, (50, 50), tracker=f"T{n}")
    assert len(fences.sides()) == TRACKERS_CEILING and len(fences._applies) == TRACKERS_CEILING


@given(st.lists(POINT, max_size=60), st.sampled_from([area(), area(margin_m=0), area(points=HOOK), route()]))
@settings(max_examples=150)
def test_crossings_alternate_and_agree_with_the_place(places: list[Point], zone: Zone) -> None:
    """In and out take turns; each is where the geometry says; between two of them one has moved by the margin."""
    fences = Fences([zone])
    found: list[Crossing] = []
    for n, place in enumerate(places):
        found += fences.take("T", Instant(n), *place)
    inward = [crossing.what in ("found", "entered") for crossing in found]
    assert all(a != b for a, b in pairwise(inward))
    for crossing in found:
        if isinstance(zone, Area):
            depth = depth_m(zone.points, crossing.x_m, crossing.y_m)
        else:
            depth = zone.width_m / 2 - beside_m(zone.points, crossing.x_m, crossing.y_m)[0]
        assert depth >= 0 if crossing.what in ("found", "entered") else depth < -zone.margin_m
        assert crossing.at >= AGREE - 1
    for one, other in pairwise(found):
        assert math.dist((one.x_m, one.y_m), (other.x_m, other.y_m)) > zone.margin_m - 1e-6


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0, 100)), min_size=2, max_size=60))
def test_trembling_on_the_edge_crosses_it_once_at_most(places: list[Point]) -> None:
    assert len(walk(Fences([area()]), *places)) <= 1


# --- settings

ADAPTER: TypeAdapter[Zone] = TypeAdapter(ZoneConfig)


def test_a_table_without_a_kind_is_an_area() -> None:
    zone = ADAPTER.validate_python({"id": "yard", "zh": "场", "en": "Yard", "points": [[0, 0], [1, 0], [0, 1]]})
    assert isinstance(zone, Area) and zone.margin_m == 15 and zone.rings == ()


@pytest.mark.parametrize("wrong", [
    {"points": [[0, 0], [1, 1]]}, {"points": [[0, 0], [100, 100], [100, 0], [0, 100]]}, {"margin_m": -1},
    {"rings": ["stay"]}, {"id": "Yard 1"}, {"kind": "route"}, {"kind": "circle"}, {"width_m": 3}, {"priority": 4},
    {"points": [[0, 0], [1e9, 0], [0, 1]]},
])  # fmt: skip
def test_settings_are_closed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({"id": "yard", "zh": "场", "en": "Yard", "points": [[0, 0], [1, 0], [0, 1]], **wrong})
