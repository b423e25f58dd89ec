"""What is to be thought of a seal: one state, the worst that holds, and what else it raises. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from drivers.readings import Instant, Quality


class SealState(StrEnum):
    """One model for every make. Silence is a state of its own: a seal that says nothing is not locked."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    """The motor has let go, the rope is still in."""
    OPENED = "opened"
    """The rope is out."""
    CUT = "cut"
    TAMPERED = "tampered"
    LOW_BATTERY = "low battery"
    """Locked, and soon to be silent."""
    STALE = "stale"


NEEDS_ANSWER = 1 << 5
_ROPE_CUT, _ROPE_IN, _MOTOR_LOCKED = 1 << 3, 1 << 6, 1 << 7
_LOW_BATTERY, _BACK_OPENED, _CAP_CLOSED = 1 << 11, 1 << 12, 1 << 13
BITS = {
    "rope_cut": 3, "vibration": 4, "rope_inserted": 6, "motor_locked": 7, "unlock_alarm": 8, "wrong_password": 9,
    "illegal_card": 10, "low_battery": 11, "back_cover_opened": 12, "back_cap_closed": 13, "motor_fault": 14,
}  # fmt: skip
"""Of the JT701's status word, counted from 0."""
_ALARMS = {
    "rope_cut": "rope cut", "vibration": "vibration", "unlock_alarm": "unlocked without leave",
    "wrong_password": "wrong password", "illegal_card": "unknown card", "low_battery": "low battery",
    "back_cover_opened": "back cover opened", "motor_fault": "motor fault",
}  # fmt: skip

REFUSED_KEYS = frozenset({_ALARMS["wrong_password"], _ALARMS["illegal_card"]})
"""Of the alarms: somebody has tried a key that does not fit."""


def bits_of(status: int) -> dict[str, bool]:
    """Each bit by its name."""
    return {name: bool(status >> bit & 1) for name, bit in BITS.items()}


def alarms_of(status: int) -> tuple[str, ...]:
    """What the lock itself raises, in words."""
    return tuple(word for name, word in _ALARMS.items() if status >> BITS[name] & 1)


def state_of(status: int) -> SealState:
    """The worst that the status word says."""
    if status & _ROPE_CUT:
        return SealState.CUT
    if status & _BACK_OPENED or not status & _CAP_CLOSED:
        return SealState.TAMPERED
    if not status & _ROPE_IN:
        return SealState.OPENED
    if not status & _MOTOR_LOCKED:
        return SealState.UNLOCKED
    return SealState.LOW_BATTERY if status & _LOW_BATTERY else SealState.LOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class SealWord:
    """What is known of one seal, each time that it speaks of its lock, and once when it has fallen silent."""

    seal: str
    """The site's name for it, else its number."""
    state: SealState
    at: Instant
    quality: Quality
    why: str = ""
    alarms: tuple[str, ...] = ()
    card: str | None = None
    """That was held to the lock."""
    battery_percent: int | None = None
    charging: bool | None = None
    lat: float | None = None
    lon: float | None = None
    """WGS 84; None without a fix."""
    said_at: Instant | None = None
    """By the seal's own clock."""
    historical: bool = False
    """It was kept back: a newer word of this seal is known."""
    raw: bytes = field(default=b"", compare=False, repr=False)
    """The frame that said so, as evidence."""
