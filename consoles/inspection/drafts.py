"""Where reviews stand, so that a reload or a restart loses nothing: rows are only added, the newest counts."""

import sqlite3
import threading
from pathlib import Path

import msgspec

from consoles.inspection.wire import Draft

_SCHEMA = """
CREATE TABLE IF NOT EXISTS draft(
    n INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL, person TEXT NOT NULL, at REAL NOT NULL,
    body BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS draft_of ON draft(digest, person, n);
"""
BUSY_S = 2.0
KEPT_S = 30 * 86_400.0
"""Site seconds: a draft is of use while its scan is under review; the verdict's own record stands in the book."""


class Drafts:
    """Blocking: call from a thread. Raises sqlite3.Error where the disk does not do."""

    def __init__(self, path: Path) -> None:
        """The folder must exist."""
        self._lock = threading.Lock()
        self._store = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
        self._store.execute("PRAGMA journal_mode=WAL")
        self._store.execute("PRAGMA synchronous=FULL")
        self._store.executescript(_SCHEMA)

    def keep(self, digest: str, person: str, at: float, draft: Draft) -> None:
        """Durable on return."""
        with self._lock, self._store:
            self._store.execute(
                "INSERT INTO draft(digest, person, at, body) VALUES(?,?,?,?)",
                (digest, person, at, msgspec.json.encode(draft)),
            )

    def newest(self, digest: str, person: str) -> Draft | None:
        """What this person had of this scan."""
        with self._lock:
            row = self._store.execute(
                "SELECT body FROM draft WHERE digest = ? AND person = ? ORDER BY n DESC LIMIT 1", (digest, person)
            ).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=Draft)

    def forget(self, now: float) -> None:
        """Let go of what is older than KEPT_S."""
        with self._lock, self._store:
            self._store.execute("DELETE FROM draft WHERE at < ?", (now - KEPT_S,))

    def close(self) -> None:
        """Nothing after it."""
        with self._lock:
            self._store.close()
