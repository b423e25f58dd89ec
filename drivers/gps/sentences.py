"""The body of an NMEA 0183 sentence -> a typed record. Pure. Field lists: MANUAL.md.

Records are msgspec structs, not dataclasses: a tracker port takes in thousands of sentences a second, and a frozen
dataclass takes five times as long to make.

A field that decides where the truck is (time, status, position, date, quality) must be as the standard says, else the
sentence is refused with a ValueError that says why. A field beside it (speed, course, HDOP, altitude) that makes no
sense becomes None and is named in `doubt`. Empty is None, never 0.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import msgspec

MPS_PER_KNOT = 1852 / 3600
TOP_SPEED_MPS = 515.0
"""1,000 knots: export rules make civil receivers stop there; a larger number is not a speed."""
CENTURY_PIVOT = 80
"""Two-digit years from 80 are 19xx: GPS time began in 1980."""
EPOCH_DAY = date(1970, 1, 1).toordinal()
POWER_ON_YEAR = 2000
"""ZDA before the first fix tells the receiver's birthday, in 1980 or 2000."""


class Rmc(msgspec.Struct, frozen=True, gc=False):
    """Recommended minimum."""

    time_s: float | None
    """Seconds of the UTC day."""
    status: str
    """`A` or `V`; V is no fix, whatever stands in the position."""
    lat: float | None
    lon: float | None
    speed_mps: float | None
    track_deg: float | None
    day: int | None
    """Days since 1970-01-01."""
    mode: str
    """NMEA 2.3: A, D, E (dead reckoning), F, M, N, P, R, S; empty before 2.3."""
    nav_status: str
    """NMEA 4.1: S, C, U or V. V says that the receiver gives no navigational status, nothing about the fix."""
    doubt: str


class Gga(msgspec.Struct, frozen=True, gc=False):
    """Fix data, without a date."""

    time_s: float | None
    lat: float | None
    lon: float | None
    quality: int
    """0 no fix, 1 GPS, 2 DGPS, 3 PPS, 4 RTK, 5 float RTK, 6 dead reckoning, 7 manual, 8 simulator."""
    satellites: int | None
    hdop: float | None
    altitude_m: float | None
    geoid_m: float | None
    doubt: str


class Gns(msgspec.Struct, frozen=True, gc=False):
    """Fix data of several systems; one mode letter a system."""

    time_s: float | None
    lat: float | None
    lon: float | None
    modes: str
    satellites: int | None
    hdop: float | None
    altitude_m: float | None
    geoid_m: float | None
    doubt: str


class Gll(msgspec.Struct, frozen=True, gc=False):
    """Position."""

    time_s: float | None
    status: str
    lat: float | None
    lon: float | None
    mode: str


class Vtg(msgspec.Struct, frozen=True, gc=False):
    """Speed and course; both None in mode N."""

    speed_mps: float | None
    track_deg: float | None
    mode: str


class Zda(msgspec.Struct, frozen=True, gc=False):
    """Time and date."""

    time_s: float | None
    day: int | None


class Gst(msgspec.Struct, frozen=True, gc=False):
    """Errors of the fix, one standard deviation."""

    time_s: float | None
    lat_error_m: float | None
    lon_error_m: float | None
    altitude_error_m: float | None


class Satellite(NamedTuple):
    """One satellite in view."""

    prn: int
    elevation_deg: int | None
    azimuth_deg: int | None
    cn0_db: float | None
    """Carrier to noise; None while it is not tracked."""


class Gsa(msgspec.Struct, frozen=True, gc=False):
    """Satellites in use, one sentence a system, and dilutions."""

    fix: int | None
    """1 none, 2 flat, 3 full."""
    used: tuple[str, ...]
    """As sent: most readers want the dilution only."""
    hdop: float | None

    def satellites(self) -> tuple[int, ...]:
        """Numbers of those in use. Raises ValueError where one is none."""
        return tuple(int(each) for each in self.used if each)


class Gsv(msgspec.Struct, frozen=True, gc=False):
    """Satellites in view, up to four a sentence."""

    total: int
    number: int
    in_view: int
    fields: tuple[str, ...]
    """As sent, four a satellite; the last sentence may be filled up with empty ones."""
    signal_id: str | None

    def satellites(self) -> tuple[Satellite, ...]:
        """Those of this sentence. Raises ValueError where a number is none."""
        f = self.fields
        return tuple(
            Satellite(
                int(f[i]),
                int(f[i + 1]) if f[i + 1] else None,
                int(f[i + 2]) if f[i + 2] else None,
                _number(f[i + 3], 0, 99),
            )
            for i in range(0, len(f), 4)
            if f[i]
        )


class Txt(msgspec.Struct, frozen=True, gc=False):
    """A line of text from the receiver: its firmware, the state of its antenna."""

    text: str


Record = Rmc | Gga | Gns | Gll | Vtg | Zda | Gst | Gsa | Gsv | Txt


@lru_cache(maxsize=256)
def _time(field: str) -> float | None:
    """Cached: all sentences of an epoch carry the same."""
    if not field:
        return None
    whole, fraction = field[:6], field[6:]
    if len(whole) < 6 or not whole.isdigit() or (fraction and not ("0" + fraction).replace(".", "0", 1).isdigit()):
        raise ValueError(f"time {field!r} is not hhmmss.ss")
    clock = int(whole)
    hour, minute, second = clock // 10000, clock // 100 % 100, clock % 100
    if hour > 23 or minute > 59 or second > 60:  # 60 is a leap second
        raise ValueError(f"time {field!r} is not of a day")
    return hour * 3600 + minute * 60 + second + (float("0" + fraction) if fraction else 0.0)


@lru_cache(maxsize=256)
def _position(lat: str, north: str, lon: str, east: str) -> tuple[float | None, float | None]:
    """Both or neither: half a position, or one without its hemisphere, is none. Cached as `_time` is."""
    if lat[4:5] == "." == lon[5:6] and (lat.replace(".", "0", 1) + lon.replace(".", "0", 1)).isdigit():
        # As nearly all receivers write it; everything else goes the long way.
        y, x = float(lat), float(lon)
        y_whole, x_whole = y // 100, x // 100
        y_minutes, x_minutes = y - 100 * y_whole, x - 100 * x_whole
        y, x = y_whole + y_minutes / 60, x_whole + x_minutes / 60
        up, right = _SIGNS.get(north), _SIGNS_EAST.get(east)
        if y_minutes < 60 and x_minutes < 60 and y <= 90 and x <= 180 and up and right:
            return up * y, right * x
    y, x = _degrees(lat, north, "NS", 90), _degrees(lon, east, "EW", 180)
    return (None, None) if y is None or x is None else (y, x)


def _degrees(field: str, side: str, sides: str, top: int) -> float | None:
    """Degrees of `dddmm.mmm`, negative on the second of `sides`; None when the value or its side is empty."""
    if not field or not side:
        return None
    dot = field.find(".")
    cut = (len(field) if dot < 0 else dot) - 2
    if cut < 1 or not field.replace(".", "0", 1).isdigit():
        raise ValueError(f"coordinate {field!r} is not dddmm.mmm")
    minutes = float(field[cut:])
    value = int(field[:cut]) + minutes / 60
    if minutes >= 60 or value > top:
        raise ValueError(f"coordinate {field!r} is beyond {top} degrees or 60 minutes")
    if side == sides[0]:
        return value
    if side == sides[1]:
        return -value
    raise ValueError(f"hemisphere {side!r} is neither of {sides!r}")


@lru_cache(maxsize=64)
def _day(ddmmyy: str) -> int | None:
    if not ddmmyy:
        return None
    if len(ddmmyy) != 6 or not ddmmyy.isdigit():
        raise ValueError(f"date {ddmmyy!r} is not ddmmyy")
    year = int(ddmmyy[4:])
    year += 1900 if year >= CENTURY_PIVOT else 2000
    return date(year, int(ddmmyy[2:4]), int(ddmmyy[:2])).toordinal() - EPOCH_DAY


def _number(field: str, low: float, high: float) -> float | None:
    """Raises ValueError for what is no number, or one beyond its bounds (NaN is beyond all)."""
    if not field:
        return None
    value = float(field)
    if low <= value <= high:
        return value
    raise ValueError(f"{field!r} is beyond {low} to {high}")


def _motion(knots: str, track: str) -> tuple[float | None, float | None, str]:
    try:
        speed = float(knots) * MPS_PER_KNOT if knots else None
        course = float(track) if track else None
    except ValueError as wrong:
        return None, None, f"speed or course: {wrong}"
    # Written so that NaN is beyond the bounds.
    if (speed is None or 0 <= speed <= TOP_SPEED_MPS) and (course is None or 0 <= course <= 360):
        return speed, course, ""
    return None, None, f"speed or course: {knots} knots, {track} degrees"


def _beside(
    count: str, hdop: str, altitude: str, geoid: str
) -> tuple[int | None, float | None, float | None, float | None, str]:
    """Satellites, HDOP, altitude, geoid: the four that GGA and GNS share."""
    try:
        used = int(count) if count else None
        dilution = float(hdop) if hdop else None
        above = float(altitude) if altitude else None
        geoid_m = float(geoid) if geoid else None
    except ValueError as wrong:
        return None, None, None, None, f"satellites, HDOP or altitude: {wrong}"
    if (
        (dilution is None or 0 <= dilution <= 1000)
        and (above is None or -2000 <= above <= 100_000)
        and (geoid_m is None or -1000 <= geoid_m <= 1000)
    ):
        return used, dilution, above, geoid_m, ""
    return None, None, None, None, f"HDOP or altitude: {hdop}, {altitude} m, geoid {geoid} m"


def _rmc(f: list[str]) -> Rmc:
    mode = f[12] if len(f) > 12 else ""
    nav_status = f[13] if len(f) > 13 else ""
    if f[2] != "A":
        # What stands in a void sentence is the last position, or rubbish: not even read.
        return Rmc(_time(f[1]), f[2], None, None, None, None, _day(f[9]), mode, nav_status, "")
    lat, lon = _position(f[3], f[4], f[5], f[6])
    speed, track, doubt = _motion(f[7], f[8])
    return Rmc(_time(f[1]), "A", lat, lon, speed, track, _day(f[9]), mode, nav_status, doubt)


def _gga(f: list[str]) -> Gga:
    quality = _QUALITIES.get(f[6])
    if quality is None:
        raise ValueError(f"quality {f[6]!r} is not 0 to 8")
    if not quality:
        return Gga(_time(f[1]), None, None, 0, None, None, None, None, "")
    lat, lon = _position(f[2], f[3], f[4], f[5])
    satellites, hdop, altitude, geoid, doubt = _beside(f[7], f[8], f[9], f[11])
    return Gga(_time(f[1]), lat, lon, quality, satellites, hdop, altitude, geoid, doubt)


def _gns(f: list[str]) -> Gns:
    modes = f[6]
    if not modes.strip("N"):
        return Gns(_time(f[1]), None, None, modes, None, None, None, None, "")
    lat, lon = _position(f[2], f[3], f[4], f[5])
    satellites, hdop, altitude, geoid, doubt = _beside(f[7], f[8], f[9], f[10])
    return Gns(_time(f[1]), lat, lon, modes, satellites, hdop, altitude, geoid, doubt)


def _gll(f: list[str]) -> Gll:
    # The oldest receivers end after the position: no time, no status, and nothing to trust.
    time_s = _time(f[5]) if len(f) > 5 else None
    status = f[6] if len(f) > 6 else ""
    mode = f[7] if len(f) > 7 else ""
    lat, lon = _position(f[1], f[2], f[3], f[4]) if status == "A" else (None, None)
    return Gll(time_s, status, lat, lon, mode)


def _vtg(f: list[str]) -> Vtg:
    mode = f[9] if len(f) > 9 else ""
    if mode == "N":
        return Vtg(None, None, mode)
    # Before NMEA 2 the unit letters were missing: track, magnetic track, knots, km/h.
    old = len(f) == 5
    speed, track, doubt = _motion(f[3] if old else f[5], f[1])
    if doubt:
        raise ValueError(doubt)
    return Vtg(speed, track, mode)


def _zda(f: list[str]) -> Zda:
    time_s = _time(f[1])
    if not (f[2] and f[3] and f[4]) or int(f[4]) <= POWER_ON_YEAR:
        return Zda(time_s, None)
    return Zda(time_s, date(int(f[4]), int(f[3]), int(f[2])).toordinal() - EPOCH_DAY)


def _gst(f: list[str]) -> Gst:
    lat, lon, altitude = (_number(each, 0, 1e6) for each in f[6:9])
    return Gst(_time(f[1]), lat, lon, altitude)


def _gsa(f: list[str]) -> Gsa:
    # 12 satellites by the standard; some receivers send 24. NMEA 4.11 adds the system's number at the end.
    dops = 15 if len(f) <= 19 else len(f) - 3
    fix = int(f[2]) if f[2] in ("1", "2", "3") else None
    return Gsa(fix, tuple(f[3:dops]), _number(f[dops + 1], 0, 1000))


def _gsv(f: list[str]) -> Gsv:
    total, number, in_view = int(f[1]), int(f[2]), int(f[3] or "0")
    if not 1 <= number <= total:
        raise ValueError(f"sentence {number} of {total}")
    rest = f[4:]
    signal_id = rest.pop() if len(rest) % 4 == 1 else None
    if len(rest) % 4:
        raise ValueError(f"{len(rest)} fields are not four a satellite")
    return Gsv(total, number, in_view, tuple(rest), signal_id)


def _txt(f: list[str]) -> Txt:
    return Txt(",".join(f[4:]))


_SIGNS = {"N": 1, "S": -1}
_SIGNS_EAST = {"E": 1, "W": -1}
_QUALITIES = {str(n): n for n in range(9)}

PARSERS: dict[str, tuple[int, Callable[[list[str]], Record]]] = {
    # Sentence formatter: fewest fields (its name counts as one), parser.
    "RMC": (10, _rmc),
    "GGA": (12, _gga),
    "GNS": (11, _gns),
    "GLL": (5, _gll),
    "VTG": (5, _vtg),
    "ZDA": (5, _zda),
    "GST": (9, _gst),
    "GSA": (18, _gsa),
    "GSV": (4, _gsv),
    "TXT": (5, _txt),
}
