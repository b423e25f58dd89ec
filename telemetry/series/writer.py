"""The writing side of the embedded time series: one connection, in one thread.

A batch goes to the disk as it came, one row of bytes a node (`hot`). When a node has gathered an hour, or enough, its
values are folded into chunks: one node a commit, packed before the commit begins, so that nobody waits long.
"""

import json
import logging
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from telemetry.series import chunks
from telemetry.series.base import Point
from telemetry.series.chunks import HOUR_MS, MINUTE_MS

FOLD_VALUES = 100_000
"""A node's values in `hot` before they are folded: 2 MB, unpacked by a reader in about 1 ms."""
FOLD_AFTER_MS = 5 * MINUTE_MS
"""An hour is folded this long after its end: what is late by less than a spool's usual delay is folded with it."""
LOCK_DEADLINE_S = 10.0
"""Only a second writer, or a backup, holds the lock for longer than a commit."""
DROP_CHUNKS = 2000
"""Chunks dropped in one commit: some milliseconds."""
SOONEST_MS, LATEST_MS = 0, 4_102_444_800_000
"""1970 to 2100: a time outside is no time."""

log = logging.getLogger(__name__)

HOT: np.dtype[np.void] = np.dtype([("t", "<i8"), ("s", "<u4"), ("v", "<f8")])
HotRows: TypeAlias = NDArray[np.void]

SCHEMA = """
CREATE TABLE IF NOT EXISTS series(
    sid INTEGER PRIMARY KEY, measurement TEXT NOT NULL, tags TEXT NOT NULL, field TEXT NOT NULL, node TEXT NOT NULL,
    last_t INTEGER, last_v REAL, UNIQUE(measurement, tags, field));
CREATE TABLE IF NOT EXISTS hot(
    id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL,
    n INTEGER NOT NULL, b BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS hot_node ON hot(node);
CREATE TABLE IF NOT EXISTS chunks(
    sid INTEGER NOT NULL, hour INTEGER NOT NULL, n INTEGER NOT NULL, b BLOB NOT NULL, UNIQUE(sid, hour));
CREATE INDEX IF NOT EXISTS chunks_hour ON chunks(hour);
CREATE TABLE IF NOT EXISTS damaged(sid INTEGER NOT NULL, hour INTEGER NOT NULL, b BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS rolls(
    sid INTEGER NOT NULL, hour INTEGER NOT NULL, b BLOB NOT NULL, PRIMARY KEY(sid, hour)) WITHOUT ROWID;
"""


@dataclass(slots=True)
class _Heap:
    """What `hot` holds of one node."""

    n: int = 0
    oldest: int = LATEST_MS
    newest: int = SOONEST_MS
    folded: int = SOONEST_MS
    """`newest` when it was last folded: values that come late are gathered for a while, not folded batch by batch."""

    @property
    def due(self) -> bool:
        if self.n >= FOLD_VALUES:
            return True
        end = self.oldest // HOUR_MS * HOUR_MS + HOUR_MS
        return self.n > 0 and self.newest >= max(end, self.folded) + FOLD_AFTER_MS


class Writer:
    """Not for more than one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=LOCK_DEADLINE_S)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)
        self._sids: dict[tuple[str, tuple[tuple[str, str], ...], str], int] = {}
        self._nodes: dict[int, str] = {}
        known = self._db.execute("SELECT sid, measurement, tags, field, node FROM series")
        for sid, measurement, tags, field, node in known:
            self._sids[measurement, tuple((k, v) for k, v in json.loads(tags)), field] = sid
            self._nodes[sid] = node
        self._heaps: dict[str, _Heap] = {}
        for node, n, oldest, newest in self._db.execute("SELECT node, sum(n), min(t0), max(t1) FROM hot GROUP BY node"):
            self._heaps[node] = _Heap(n, oldest, newest)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def write(self, points: Sequence[Point]) -> tuple[int, int]:
        """Durable on return. Values written, and values without a finite number or a time. Raises sqlite3.Error."""
        fresh: dict[tuple[str, tuple[tuple[str, str], ...], str], int] = {}
        by_node: dict[str, tuple[list[int], list[int], list[float]]] = {}
        refused = 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for p in points:
                t = round(p.at * 1000) if math.isfinite(p.at) else -1
                timed = SOONEST_MS <= t < LATEST_MS
                for field, value in p.fields.items():
                    if not (timed and math.isfinite(value)):
                        refused += 1
                        continue
                    key = (p.measurement, p.tags, field)
                    sid = self._sids.get(key) or fresh.get(key)
                    if sid is None:
                        sid = fresh[key] = self._new(key)
                    columns = by_node.get(self._nodes[sid])
                    if columns is None:
                        columns = by_node[self._nodes[sid]] = ([], [], [])
                    columns[0].append(t)
                    columns[1].append(sid)
                    columns[2].append(value)
            for node, (ts, sids, vs) in by_node.items():
                self._insert(node, ts, sids, vs)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._sids.update(fresh)
        for node, (ts, _, _) in by_node.items():
            heap = self._heaps.setdefault(node, _Heap())
            heap.n += len(ts)
            heap.oldest = min([heap.oldest, *ts])
            heap.newest = max([heap.newest, *ts])
        return sum(len(ts) for ts, _, _ in by_node.values()), refused

    def fold_one(self) -> bool:
        """Fold one node that is due; whether there was one. Raises sqlite3.Error."""
        for node, heap in self._heaps.items():
            if heap.due:
                self._fold(node, heap)
                return True
        return False

    def fold_all(self) -> None:
        """Fold everything, due or not. Raises sqlite3.Error."""
        for node, heap in self._heaps.items():
            if heap.n:
                heap.n = FOLD_VALUES
                self._fold(node, heap)

    def drop(self, before_ms: int) -> bool:
        """Drop some chunks of hours that ended before; whether there may be more. Raises sqlite3.Error."""
        hour = before_ms // HOUR_MS
        self._db.execute("BEGIN IMMEDIATE")
        old = self._db.execute("SELECT rowid FROM chunks WHERE hour<? LIMIT ?", (hour, DROP_CHUNKS)).fetchall()
        self._db.executemany("DELETE FROM chunks WHERE rowid=?", old)
        if len(old) < DROP_CHUNKS:
            self._db.execute("DELETE FROM rolls WHERE hour<?", (hour,))
        self._db.execute("COMMIT")
        return len(old) == DROP_CHUNKS

    def _new(self, key: tuple[str, tuple[tuple[str, str], ...], str]) -> int:
        measurement, tags, field = key
        node = dict(tags).get("node", "")
        row = (measurement, json.dumps(tags, ensure_ascii=False), field, node)
        sid = self._db.execute("INSERT INTO series(measurement, tags, field, node) VALUES(?,?,?,?)", row).lastrowid
        assert sid is not None
        self._nodes[sid] = node
        return sid

    def _insert(self, node: str, ts: list[int], sids: list[int], vs: list[float]) -> None:
        made: HotRows = np.empty(len(ts), HOT)
        made["t"], made["s"], made["v"] = ts, sids, vs
        row = (node, min(ts), max(ts), len(ts), made.tobytes())
        self._db.execute("INSERT INTO hot(node, t0, t1, n, b) VALUES(?,?,?,?,?)", row)

    def _fold(self, node: str, heap: _Heap) -> None:
        taken = self._db.execute("SELECT id, b FROM hot WHERE node=? ORDER BY id", (node,)).fetchall()
        all_rows: HotRows = np.concatenate([np.frombuffer(b, HOT) for _, b in taken])
        rest: HotRows = all_rows[:0]
        if heap.n < FOLD_VALUES:
            young = all_rows["t"] >= (heap.newest - FOLD_AFTER_MS) // HOUR_MS * HOUR_MS
            all_rows, rest = all_rows[~young], all_rows[young]
        new_chunks, new_rolls, last = self._packed(all_rows)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR REPLACE INTO chunks(sid, hour, n, b) VALUES(?,?,?,?)", new_chunks)
            self._db.executemany("INSERT OR REPLACE INTO rolls(sid, hour, b) VALUES(?,?,?)", new_rolls)
            self._db.executemany(
                "UPDATE series SET last_t=?1, last_v=?2 WHERE sid=?3 AND (last_t IS NULL OR last_t<=?1)", last
            )
            self._db.execute("DELETE FROM hot WHERE node=? AND id<=?", (node, taken[-1][0]))
            if len(rest):
                self._insert(node, rest["t"].tolist(), rest["s"].tolist(), rest["v"].tolist())
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        heap.n = len(rest)
        heap.folded = heap.newest
        heap.oldest = int(rest["t"].min()) if len(rest) else LATEST_MS

    def _packed(
        self, given: HotRows
    ) -> tuple[list[tuple[int, int, int, bytes]], list[tuple[int, int, bytes]], list[tuple[int, float, int]]]:
        new_chunks: list[tuple[int, int, int, bytes]] = []
        new_rolls: list[tuple[int, int, bytes]] = []
        last: list[tuple[int, float, int]] = []
        hours = given["t"] // HOUR_MS
        order = np.lexsort((hours, given["s"]))  # stable: within an hour of a series the order of writing is kept
        given, hours = given[order], hours[order]
        cuts = np.flatnonzero((np.diff(given["s"]) != 0) | (np.diff(hours) != 0)) + 1
        for part, hour in zip(np.split(given, cuts), np.split(hours, cuts), strict=True):
            if len(part) == 0:
                continue
            sid, h = int(part["s"][0]), int(hour[0])
            t, v = part["t"].astype(np.int64), part["v"].astype(np.float64)
            old = self._db.execute("SELECT b FROM chunks WHERE sid=? AND hour=?", (sid, h)).fetchone()
            if old is not None:
                try:
                    t0, v0 = chunks.unpack(old[0])
                    t, v = np.concatenate((t0, t)), np.concatenate((v0, v))
                except ValueError as fault:
                    log.error("series %d, hour %d: %s; the bytes are kept in `damaged`", sid, h, fault)  # noqa: TRY400 - the bytes tell more than the stack
                    self._db.execute("INSERT INTO damaged(sid, hour, b) VALUES(?,?,?)", (sid, h, old[0]))
            t, v = chunks.one_each(t, v)
            new_chunks.append((sid, h, len(t), chunks.pack(t, v)))
            new_rolls.append((sid, h, chunks.pack_roll(chunks.gathered(chunks.rows(t, v), MINUTE_MS), h * HOUR_MS)))
            last.append((int(t[-1]), float(v[-1]), sid))
        return new_chunks, new_rolls, last
