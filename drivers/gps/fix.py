"""The word of a GPS receiver: where it says that it is, and how far to believe it."""

from dataclasses import dataclass
from typing import Literal

from drivers.readings import Instant, Quality

HintKind = Literal["jamming", "spoofing", "antenna", "clock"]


@dataclass(frozen=True, slots=True)
class Hint:
    """A sign that the sky is not as it should be. Never more than a sign: each has harmless causes too."""

    kind: HintKind
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """What a vehicle terminal says beside the position."""

    ignition: bool
    alarms: tuple[str, ...]
    """That the terminal itself raises, in words."""
    antenna: tuple[str, ...] = ()
    """Those of them that are about its receiver's antenna."""
    mileage_km: float | None = None
    fuel_l: float | None = None
    signal: int | None = None
    """Of the mobile network, as the terminal counts it."""
    items: tuple[tuple[int, bytes], ...] = ()
    """Everything as sent, the makers' own items (locks, seals, sensors) among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One epoch of a receiver, WGS 84. No fix is `valid` false with its reason and no position: never 0,0."""

    valid: bool
    lat: float | None
    """Degrees, north positive."""
    lon: float | None
    """Degrees, east positive."""
    speed_mps: float | None
    track_deg: float | None
    """Course over ground, from true north."""
    altitude_m: float | None
    """Above mean sea level."""
    quality: Quality
    """Bad: no fix. Uncertain: dead reckoning, a doubtful field, two sentences that disagree; `why` says which."""
    fix_quality: int | None
    """The quality of GGA, 0 to 8; None when no GGA came."""
    satellites: int | None
    """Used in the fix."""
    hdop: float | None
    fix_time: Instant | None
    """When the receiver says that it was there; None while its date is unknown."""
    at: Instant
    """When the last of its sentences arrived."""
    source: str
    """The sentences it was made of, in order of arrival: `GNGGA+GNRMC`."""
    why: str
    """What is wrong or doubtful; empty when nothing is."""
    historical: bool = False
    """Was kept back by the tracker: true of its own time, not of now."""
    hints: tuple[Hint, ...] = ()
    """Of jamming, forgery, a broken antenna or clock."""
    vehicle: Vehicle | None = None
    """Where the protocol tells of the vehicle too."""
