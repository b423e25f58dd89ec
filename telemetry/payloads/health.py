"""The body of `health`."""

import msgspec


class HealthBody(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's link and stream since the process started."""

    link: str
    up: bool
    since: float
    """Instant of the last change of `up`."""
    words: int
    garbage: int
    garbage_bytes: int
    gaps: int
    reconnects: int
    last_word_at: float | None = None
    latency_ms: float | None = None
    note: str = ""
