"""Distances on flat ground: of a point to an area's edge and to a road's middle. Metres. Pure."""

import math
from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]


def depth_m(area: Sequence[Point], x: float, y: float) -> float:
    """How far inside the area: its distance to the edge, negative outside. The area closes by itself."""
    inside = False
    nearest = math.inf
    x1, y1 = area[-1]
    for x2, y2 in area:
        # A level ray to the right: an edge counts when it begins on or below the ray and ends above it, or the other
        # way round, so that a corner on the ray counts once.
        if (y1 <= y) != (y2 <= y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
        nearest = min(nearest, _from_edge(x, y, x1, y1, x2, y2)[0])
        x1, y1 = x2, y2
    return nearest if inside else -nearest


def beside_m(road: Sequence[Point], x: float, y: float) -> tuple[float, bool]:
    """Distance to the road's middle, and whether its nearest place is one of the two ends."""
    best, at_end = math.inf, False
    last = len(road) - 2
    for n, ((x1, y1), (x2, y2)) in enumerate(pairwise(road)):
        distance, share = _from_edge(x, y, x1, y1, x2, y2)
        if distance < best:
            best, at_end = distance, (n == 0 and share <= 0.0) or (n == last and share >= 1.0)
    return best, at_end


def crosses_itself(area: Sequence[Point]) -> bool:
    """Two edges that are no neighbours meet: nobody could say what is inside."""
    edges = [*pairwise(area), (area[-1], area[0])]
    count = len(edges)
    return any(
        _meet(*edges[a], *edges[b])
        for a in range(count)
        for b in range(a + 2, count)
        if not (a == 0 and b == count - 1)
    )


def box(points: Sequence[Point]) -> tuple[float, float, float, float]:
    """Least and most of both."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _from_edge(x: float, y: float, x1: float, y1: float, x2: float, y2: float) -> tuple[float, float]:
    """Distance to an edge, and at what share of it, 0 to 1, its nearest place is."""
    along_x, along_y = x2 - x1, y2 - y1
    square = along_x * along_x + along_y * along_y
    share = 0.0 if square == 0 else ((x - x1) * along_x + (y - y1) * along_y) / square
    share = min(1.0, max(0.0, share))
    return math.hypot(x - x1 - share * along_x, y - y1 - share * along_y), share


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    first, second = _turn(a, b, c), _turn(a, b, d)
    third, fourth = _turn(c, d, a), _turn(c, d, b)
    if first * second < 0 and third * fourth < 0:
        return True
    return any(
        turn == 0 and min(p[0], q[0]) <= r[0] <= max(p[0], q[0]) and min(p[1], q[1]) <= r[1] <= max(p[1], q[1])
        for turn, p, q, r in ((first, a, b, c), (second, a, b, d), (third, c, d, a), (fourth, c, d, b))
    )
