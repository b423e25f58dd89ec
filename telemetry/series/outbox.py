"""Lines that a server has not taken yet, on our disk; and those it will never take, kept aside."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

CAP_BYTES = 2**30
"""Two to three days of a port of 25 lanes; over it the oldest lines go, and are counted."""
ASIDE_CEILING = 1000
"""Bad lots kept for a person to look at: the newest ones."""
LOCK_DEADLINE_S = 5.0
"""Only a backup holds the lock for longer than a commit."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting(id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER NOT NULL, lines TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS aside(id INTEGER PRIMARY KEY AUTOINCREMENT, why TEXT NOT NULL, lines TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dropped(lines INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Lot:
    """Lines that were written together."""

    id: int
    n: int
    lines: str


class Outbox:
    """Not for more than one thread. All methods raise sqlite3.Error."""

    def __init__(self, path: Path, cap_bytes: int = CAP_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=LOCK_DEADLINE_S)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._cap = cap_bytes
        self.waiting, self._bytes = (
            int(x) for x in self._db.execute("SELECT total(n), total(length(lines)) FROM waiting").fetchone()
        )
        self.dropped = int(self._db.execute("SELECT total(lines) FROM dropped").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def put(self, lines: list[str]) -> None:
        """Durable on return."""
        joined = "\n".join(lines)
        waiting, size, gone = self.waiting + len(lines), self._bytes + len(joined), 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("INSERT INTO waiting(n, lines) VALUES(?,?)", (len(lines), joined))
            while size > self._cap:
                old = self._db.execute("SELECT id, n, length(lines) FROM waiting ORDER BY id LIMIT 1").fetchone()
                if old is None:
                    break
                self._db.execute("DELETE FROM waiting WHERE id=?", (old[0],))
                waiting, size, gone = waiting - old[1], size - old[2], gone + old[1]
            if gone:
                self._db.execute("INSERT INTO dropped VALUES(?)", (gone,))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self.waiting, self._bytes, self.dropped = waiting, size, self.dropped + gone

    def oldest(self) -> Lot | None:
        """The lot to send next."""
        row = self._db.execute("SELECT id, n, lines FROM waiting ORDER BY id LIMIT 1").fetchone()
        return None if row is None else Lot(*row)

    def sent(self, lot: Lot) -> None:
        """The server has it."""
        if self._db.execute("DELETE FROM waiting WHERE id=?", (lot.id,)).rowcount:
            self.waiting -= lot.n
            self._bytes -= len(lot.lines)

    def put_aside(self, why: str, lines: list[str]) -> None:
        """The server will never take these."""
        self._db.execute("INSERT INTO aside(why, lines) VALUES(?,?)", (why[:500], "\n".join(lines)))
        self._db.execute("DELETE FROM aside WHERE id<=(SELECT max(id) FROM aside)-?", (ASIDE_CEILING,))
