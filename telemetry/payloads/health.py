"""The body of `health`."""

import msgspec


class ZeroHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Where an empty deck stood before the trucks since the process started; kilograms."""

    count: int
    last_kg: float
    mean_kg: float
    """Of the last ten trucks."""
    worst_kg: float
    per_day_kg: float | None = None
    """How fast it wanders; null: too few trucks, or over too short a time."""
    wandering: bool = False
    """Off by more than half a division on average of the last ten: clean the deck, look at the cells."""


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
    """Real milliseconds: of an instrument that is asked, from the question to its answer; of positions, from the fix's
    own time until it was here, where both clocks are right. Null where the wire does not tell it."""
    interval_ms: float | None = None
    """Of an instrument that speaks in a beat, site milliseconds: the median of its last intervals."""
    late_ms: float | None = None
    """By how much the longest of them exceeds the median: what a stream without questions has for a latency."""
    calibrated_on: str | None = None
    """The day of the last calibration, as the site file has it: `2026-03-31`."""
    calibrated_until: str | None = None
    """The last day of its certificate."""
    zero: ZeroHealth | None = None
    """Of a weighbridge: where its empty deck stood."""
    note: str = ""
