"""The reading side of the embedded time series: its own connection, in its own thread or in another process.

Readers never wait for the writer (WAL), and see one moment of the file for the length of a question.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from telemetry.series import chunks
from telemetry.series.base import Bucket, Curve, Latest
from telemetry.series.chunks import HOUR_MS, MINUTE_MS, Rows, Times, Values
from telemetry.series.writer import HOT, LOCK_DEADLINE_S

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """One series, and its newest value as far as it was read."""

    measurement: str
    tags: Mapping[str, str]
    field: str
    node: str
    t: int | None = None
    v: float = 0.0


class Reader:
    """Not for more than one thread."""

    def __init__(self, path: Path) -> None:
        where = f"{path.absolute().as_uri()}?mode=rw"
        self._db = sqlite3.connect(where, uri=True, isolation_level=None, timeout=LOCK_DEADLINE_S)
        self._db.execute("PRAGMA query_only=ON")
        self._known: dict[int, _Known] = {}
        self._seen = 0
        """Rows of `hot` up to this one were read for `latest`."""

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def latest(self, measurement: str | None) -> list[Latest]:
        """The newest value of each series; reads only what is new since the last time. Raises sqlite3.Error."""
        self._db.execute("BEGIN")
        try:
            self._learn()
            top = self._seen
            for row_id, b in self._db.execute("SELECT id, b FROM hot WHERE id>? ORDER BY id", (self._seen,)):
                top = row_id
                got = np.frombuffer(b, HOT)
                for t, sid, v in zip(got["t"].tolist(), got["s"].tolist(), got["v"].tolist(), strict=True):
                    self._newer(self._known[sid], t, v)
            self._seen = top
        finally:
            self._db.execute("COMMIT")
        return [
            Latest(measurement=k.measurement, tags=k.tags, field=k.field, at=k.t / 1000, value=k.v)
            for k in self._known.values()
            if k.t is not None and measurement in (None, k.measurement)
        ]

    def query(
        self, measurement: str, field: str, tags: Mapping[str, str], start_ms: int, end_ms: int, step_ms: int
    ) -> list[Curve]:
        """As Series.query; steps of whole minutes widen start and end to the minute. Raises sqlite3.Error."""
        whole_minutes = step_ms % MINUTE_MS == 0
        if whole_minutes:
            start_ms, end_ms = start_ms // MINUTE_MS * MINUTE_MS, -(-end_ms // MINUTE_MS) * MINUTE_MS
        self._db.execute("BEGIN")
        try:
            self._learn()
            wanted = {
                sid: k
                for sid, k in self._known.items()
                if k.measurement == measurement and k.field == field and tags.items() <= k.tags.items()
            }
            hot = {node: self._hot(node, start_ms, end_ms) for node in {k.node for k in wanted.values()}}
            found = [
                (k, self._rows(sid, hot[k.node], start_ms, end_ms, rolled=whole_minutes)) for sid, k in wanted.items()
            ]
        finally:
            self._db.execute("COMMIT")
        return [_curve(k.tags, chunks.gathered(rows, step_ms)) for k, rows in found if len(rows)]

    def _learn(self) -> None:
        for sid, measurement, tags, field, node, t, v in self._db.execute(
            "SELECT sid, measurement, tags, field, node, last_t, last_v FROM series"
        ):
            known = self._known.get(sid)
            if known is None:
                known = self._known[sid] = _Known(measurement, dict(json.loads(tags)), field, node)
            if t is not None:
                self._newer(known, t, v)

    @staticmethod
    def _newer(known: _Known, t: int, v: float) -> None:
        if known.t is None or t >= known.t:
            known.t, known.v = t, v

    def _hot(self, node: str, start_ms: int, end_ms: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
        found = self._db.execute(
            "SELECT b FROM hot WHERE node=? AND t1>=? AND t0<? ORDER BY id", (node, start_ms, end_ms)
        ).fetchall()
        return np.concatenate([np.frombuffer(b, HOT) for (b,) in found]) if found else np.empty(0, HOT)

    def _rows(
        self,
        sid: int,
        hot: np.ndarray[tuple[int], np.dtype[np.void]],
        start_ms: int,
        end_ms: int,
        *,
        rolled: bool,
    ) -> Rows:
        mine = hot[hot["s"] == sid]
        fresh_t, fresh_v = mine["t"].astype(np.int64), mine["v"].astype(np.float64)
        fresh_hours = set((fresh_t // HOUR_MS).tolist())
        hours = range(start_ms // HOUR_MS, -(-end_ms // HOUR_MS))
        parts: list[Rows] = []
        raw: list[tuple[Times, Values]] = []
        damaged = 0
        if rolled:
            for hour, b in self._stored("rolls", sid, hours):
                if hour not in fresh_hours:
                    try:
                        parts.append(chunks.unpack_roll(b, hour * HOUR_MS))
                    except ValueError:
                        damaged += 1
            hours = range(min(fresh_hours), max(fresh_hours) + 1) if fresh_hours else range(0)
        for hour, b in self._stored("chunks", sid, hours):
            if not rolled or hour in fresh_hours:
                try:
                    raw.append(chunks.unpack(b))
                except ValueError:
                    damaged += 1
        if damaged:
            log.error("series %d: %d damaged hours are left out of the answer", sid, damaged)
        raw.append((fresh_t, fresh_v))
        t, v = chunks.one_each(np.concatenate([t for t, _ in raw]), np.concatenate([v for _, v in raw]))
        parts.append(chunks.rows(t, v))
        merged = np.concatenate(parts)
        merged = merged[(merged["t"] >= start_ms) & (merged["t"] < end_ms)]
        return merged[np.argsort(merged["t"], kind="stable")]

    def _stored(self, table: str, sid: int, hours: range) -> Iterator[tuple[int, bytes]]:
        yield from self._db.execute(
            f"SELECT hour, b FROM {table} WHERE sid=? AND hour>=? AND hour<? ORDER BY hour",  # noqa: S608 - our own two tables
            (sid, hours.start, hours.stop),
        )


def _curve(tags: Mapping[str, str], rows: Rows) -> Curve:
    columns = (rows[name].tolist() for name in ("t", "min", "mean", "max", "last", "n"))
    return Curve(
        tags=tags,
        buckets=[
            Bucket(at=t / 1000, min=low, mean=mean, max=high, last=last, n=n)
            for t, low, mean, high, last, n in zip(*columns, strict=True)
        ],
    )
