"""InfluxDB's line protocol and InfluxQL, made from our words. Pure."""

import math
from collections.abc import Mapping

from telemetry.series.base import Point

_NAME = str.maketrans({",": "\\,", " ": "\\ ", "\n": "\\ ", "\r": "\\ "})
_TAG = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\=", "\n": "\\ ", "\r": "\\ "})

TAG_NAMES = ("instrument", "node", "site")
"""The tags of all our measurements (telemetry.payloads.points)."""


class Lines:
    """Makes lines; remembers the escaped beginning of each series."""

    def __init__(self) -> None:
        self._heads: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}

    def line(self, point: Point) -> tuple[str, int, int]:
        """A line (empty when no value is left), how many values it holds, how many were no finite number."""
        if not math.isfinite(point.at):
            return "", 0, len(point.fields)
        fields = [f"{k.translate(_TAG)}={v!r}" for k, v in point.fields.items() if math.isfinite(v)]
        refused = len(point.fields) - len(fields)
        if not fields:
            return "", 0, refused
        key = (point.measurement, point.tags)
        head = self._heads.get(key)
        if head is None:
            head = self._heads[key] = _head(*key)
        return f"{head} {','.join(fields)} {round(point.at * 1000)}", len(fields), refused


def _head(measurement: str, tags: tuple[tuple[str, str], ...]) -> str:
    parts = [_unended(measurement.translate(_NAME))]
    parts += [f"{_unended(k.translate(_TAG))}={_unended(v.translate(_TAG))}" for k, v in tags if v]
    return ",".join(parts)


def _unended(name: str) -> str:
    """The protocol has no way to write a backslash at the end: it would swallow what follows."""
    return name.rstrip("\\") + "/" if name.endswith("\\") else name


def identifier(name: str) -> str:
    """A quoted InfluxQL name."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text(value: str) -> str:
    """A quoted InfluxQL string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def curve_query(measurement: str, field: str, tags: Mapping[str, str], start_ms: int, end_ms: int, step_ms: int) -> str:
    """Columns time, min, mean, max, last, n; one series a set of tags."""
    f = identifier(field)
    columns = f"min({f}) AS min, mean({f}) AS mean, max({f}) AS max, last({f}) AS last, count({f}) AS n"
    wanted = "".join(f" AND {identifier(k)} = {text(v)}" for k, v in tags.items())
    where = f"time >= {start_ms}ms AND time < {end_ms}ms{wanted}"
    groups = ", ".join([f"time({step_ms}ms)", *map(identifier, TAG_NAMES)])
    return " ".join(
        ["SELECT", columns, "FROM", identifier(measurement), "WHERE", where, "GROUP BY", groups, "fill(none)"]
    )


def latest_query(measurement: str, field: str) -> str:
    """Columns time, value; one series a set of tags."""
    last = f"last({identifier(field)}) AS value"
    return " ".join(
        ["SELECT", last, "FROM", identifier(measurement), "GROUP BY", ", ".join(map(identifier, TAG_NAMES))]
    )
