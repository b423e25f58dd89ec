"""The body of 0x0200 -> where a vehicle is, and what its terminal says beside it. Pure.

28 bytes are fixed; after them come items: id, length, value. The standard's own items are read, those from 0x32 up are
the makers' and are kept as bytes: one id means different things at different makers. Coordinates are magnitudes, south
and west are bits of the status. The time is Beijing's, whatever the truck's time zone is.
"""

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from drivers.gps.fix import Fix, Vehicle
from drivers.readings import Instant, Quality

FIXED_BYTES = 28
BEIJING_S = 8 * 3600
TOP_SPEED_KMH = 1900.0
"""As for NMEA: 515 m/s, where export rules stop a civil receiver."""
TOP_ALTITUDE_M = 20_000
MAX_ITEMS = 256
"""Of one report: as many as there are ids."""

ACC, FIXED, SOUTH, WEST = 0, 1, 2, 3
SHIFTED = 5
"""Of the status: latitude and longitude went through the map's confidentiality plug-in, hundreds of metres off."""

ALARMS = {
    0: "emergency button",
    1: "overspeed",
    2: "fatigue",
    3: "dangerous driving",
    4: "GNSS module fault",
    5: "GNSS antenna cut",
    6: "GNSS antenna shorted",
    7: "power low",
    8: "power cut",
    9: "display fault",
    10: "speech fault",
    11: "camera fault",
    12: "IC card module fault",
    13: "overspeed near",
    14: "fatigue near",
    18: "driven too long today",
    19: "parked too long",
    20: "zone entered or left",
    21: "route entered or left",
    22: "route section too short or too long",
    23: "off its route",
    24: "speed sensor fault",
    25: "fuel abnormal",
    26: "stolen",
    27: "ignition without right",
    28: "moved without right",
    29: "collision",
    30: "rollover",
    31: "door opened without right",
}
"""Bits of the alarm word that all editions share. 15 to 17 are left out: makers use them for things of their own."""
ANTENNA_BITS = (4, 5, 6)
"""Alarms of the receiver itself."""


class Location(msgspec.Struct, frozen=True, gc=False):
    """The fixed part, as sent."""

    alarms: int
    status: int
    lat: int
    """Millionths of a degree, without sign."""
    lon: int
    altitude: int
    """Metres."""
    speed: int
    """Tenths of km/h."""
    direction: int
    """Degrees from north."""
    time: bytes
    """yymmddhhmmss of Beijing, BCD."""
    items: tuple[tuple[int, bytes], ...]
    whole: bool
    """The items end where the body ends."""


def read_location(body: bytes) -> Location:
    """Raises ValueError for a body that is too short to be one."""
    if len(body) < FIXED_BYTES:
        raise ValueError(f"a position of {len(body)} bytes; {FIXED_BYTES} are fixed")
    number = int.from_bytes
    items: list[tuple[int, bytes]] = []
    at, whole = FIXED_BYTES, True
    while at < len(body):
        end = at + 2 + body[at + 1] if at + 1 < len(body) else len(body) + 1
        if end > len(body) or len(items) == MAX_ITEMS:
            whole = False
            break
        items.append((body[at], body[at + 2 : end]))
        at = end
    return Location(
        number(body[0:4], "big"),
        number(body[4:8], "big"),
        number(body[8:12], "big"),
        number(body[12:16], "big"),
        number(body[16:18], "big"),
        number(body[18:20], "big"),
        number(body[20:22], "big"),
        body[22:28],
        tuple(items),
        whole,
    )


def to_fix(location: Location, at: Instant, *, source: str, historical: bool = False, zone_s: float = BEIJING_S) -> Fix:
    """The standard's words as a Fix that arrived `at`. `zone_s`: how far the terminal's clock is ahead of UTC."""
    status = location.status
    items = {key: value for key, value in location.items if key <= 0x31}
    fix_time = unix_s(location.time, zone_s)
    satellites = _item(items, 0x31, 1)
    lat, lon = location.lat / 1e6, location.lon / 1e6
    why = ""
    if not status >> FIXED & 1:
        why = "the terminal has no fix"
    elif lat > 90 or lon > 180:
        why = f"latitude {location.lat} or longitude {location.lon} is beyond the earth"
    elif not location.lat and not location.lon:
        why = "0,0 is where receivers stand that do not know"
    valid = not why
    speed: float | None = None
    track: float | None = None
    altitude: float | None = None
    if valid:
        doubts: list[str] = []
        speed, track = location.speed / 36, float(location.direction)
        if status >> SHIFTED & 1:
            doubts.append("the position was shifted by the map's confidentiality plug-in")
        if fix_time is None:
            doubts.append(f"its time {location.time.hex()} is none")
        if location.speed > TOP_SPEED_KMH * 10 or location.direction > 360:
            doubts.append(f"speed or course: {location.speed / 10:g} km/h, {location.direction} degrees")
            speed = track = None
        if location.altitude <= TOP_ALTITUDE_M:
            altitude = float(location.altitude)
        why = "; ".join(doubts)
        quality = Quality.UNCERTAIN if doubts else Quality.GOOD
    else:
        quality = Quality.BAD
    return Fix(
        valid=valid,
        lat=(-lat if status >> SOUTH & 1 else lat) if valid else None,
        lon=(-lon if status >> WEST & 1 else lon) if valid else None,
        speed_mps=speed,
        track_deg=track,
        altitude_m=altitude,
        quality=quality,
        fix_quality=None,
        satellites=satellites,
        hdop=None,
        fix_time=fix_time,
        at=at,
        source=source,
        why=why,
        historical=historical,
        vehicle=_vehicle(location, items),
    )


@lru_cache(maxsize=4096)
def unix_s(bcd: bytes, zone_s: float = BEIJING_S) -> Instant | None:
    """Of six BCD bytes; None for what is no moment. Cached: terminals report on the full second."""
    digits = bcd.hex()
    if not digits.isdigit():
        return None
    year, month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    try:
        return Instant(datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC).timestamp() - zone_s)
    except ValueError:
        return None


def bcd_time(at: float) -> bytes:
    """Six BCD bytes, UTC: what a terminal of 2019 is told when it asks for the time."""
    return bytes.fromhex(f"{datetime.fromtimestamp(at, UTC):%y%m%d%H%M%S}")


def alarms(word: int) -> tuple[str, ...]:
    """The alarms that are on, in words."""
    return tuple(name for bit, name in ALARMS.items() if word >> bit & 1) if word else ()


def _vehicle(location: Location, items: dict[int, bytes]) -> Vehicle:
    mileage, fuel = _item(items, 0x01, 4), _item(items, 0x02, 2)
    return Vehicle(
        ignition=bool(location.status & 1),
        alarms=alarms(location.alarms),
        antenna=tuple(ALARMS[bit] for bit in ANTENNA_BITS if location.alarms >> bit & 1),
        mileage_km=None if mileage is None else mileage / 10,
        fuel_l=None if fuel is None else fuel / 10,
        signal=_item(items, 0x30, 1),
        items=location.items,
    )


def _item(items: dict[int, bytes], key: int, length: int) -> int | None:
    """The number of an item; None where it is not there, or as long as the standard does not say."""
    value = items.get(key)
    return int.from_bytes(value, "big") if value is not None and len(value) == length else None
