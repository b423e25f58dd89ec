"""Jointech's seals and trackers, bytes <-> words. Pure.

    long     24 id(5 BCD, first digit 7..9) version type/data length(2) .. index     length: the frame without ten bytes
    short    24 id(5 BCD) type/data length(2) .. index                               length: as above
    text     '(' id ',' word ',' .. ')'

There is no checksum: digits that are no digits, days that are no days, lengths out of bounds, and the beginning of the
same seal's next frame inside are all that tells a frame from noise. Wire facts and sources: MANUAL.md.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from drivers.readings import Garbage
from drivers.seal.state import NEEDS_ANSWER

HEAD, TEXT_HEAD, TEXT_END = 0x24, 0x28, 0x29
LONG_FROM = 0x70
"""Numbers of locks begin with 7, 8 or 9."""
LONG_HEAD, SHORT_HEAD = 10, 9
NOT_COUNTED = 10
"""Bytes of a frame that its length leaves out: a long one's head; a short one's head and index."""
LONG_LEAST, SHORT_LEAST = 35, 17
MAX_LENGTH = 128
"""Of a frame without its head; the longest known has 52."""
MAX_TEXT = 256
MAX_NOISE = 256
NO_DATE_YEAR = 2000
"""A lock without a fix may say 1 January 2000: it does not know the day."""
ANSWER_BY_INDEX_FROM = 0x19
"""Versions from this one are answered with the frame's index."""
CHARGING = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One frame. What its format does not carry is None."""

    format: Literal["long", "short", "W01", "P45", "text"]
    seal: str
    """Ten digits."""
    at: datetime | None
    """UTC by its own clock; None where it does not know."""
    fix: bool
    lat: float
    lon: float
    """Degrees as sent; of worth only with `fix`."""
    speed: int | None = None
    """As sent: the sources do not agree on the unit."""
    course_deg: int | None = None
    mileage_km: int | None = None
    satellites: int | None = None
    version: int | None = None
    device_type: int | None = None
    data_type: int | None = None
    length: int | None = None
    status: int | None = None
    """The lock's; drivers/seal/state.py reads it."""
    battery_percent: int | None = None
    charging: bool | None = None
    card: str | None = None
    index: int | None = None
    raw: bytes = field(default=b"", compare=False, repr=False)


def answer_to(report: Report) -> bytes:
    """What the seal waits for; nothing where it does not."""
    if report.format == "P45":
        return b"(P69,0,%d)" % (report.index or 0)
    if report.status is None or not report.status & NEEDS_ANSWER:
        return b""
    if (report.version or 0) < ANSWER_BY_INDEX_FROM:
        return b"(P35)"
    return b"(P69,0,%d)" % (report.index or 0)


class Decoder:
    """One seal's stream. Ask for words until None after each `receive`.

    Bytes that begin no whole frame are gathered into one Garbage up to the next frame.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self._noise = bytearray()
        self._words: deque[Report | Garbage] = deque()

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        self._pending += data
        self._scan()

    def end(self) -> None:
        """The stream is over: what stands unfinished holds frames behind its head, or none."""
        while self._pending:
            self._noise.append(self._pending.pop(0))
            self._scan()
        self._flush()

    def next_word(self) -> Report | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None

    def _scan(self) -> None:
        at, pending = 0, self._pending
        while at < len(pending):
            size = _size(pending, at)
            if size is None:
                break
            word = _open(bytes(pending[at : at + size])) if size else None
            if word is None:
                self._noise.append(pending[at])
                at += 1
                if len(self._noise) >= MAX_NOISE:
                    self._flush()
                continue
            self._flush()
            self._words.append(word)
            at += size
        del pending[:at]

    def _flush(self) -> None:
        if self._noise:
            self._words.append(Garbage(bytes(self._noise), "no frame of a seal"))
            self._noise.clear()


def _size(pending: bytearray, at: int) -> int | None:
    """Bytes of the frame that begins here; 0: none does; None: too early to tell."""
    if pending[at] == TEXT_HEAD:
        end = pending.find(TEXT_END, at, at + MAX_TEXT)
        if end >= 0:
            return end + 1 - at
        return None if len(pending) - at < MAX_TEXT else 0
    if pending[at] != HEAD:
        return 0
    have = len(pending) - at
    if have < 2:
        return None
    long = pending[at + 1] >= LONG_FROM
    head, least = (LONG_HEAD, LONG_LEAST) if long else (SHORT_HEAD, SHORT_LEAST)
    if any(not _is_bcd(each) for each in pending[at + 1 : at + 6]):
        return 0
    if have < head:
        return None
    length = int.from_bytes(pending[at + head - 2 : at + head], "big")
    if not least <= length <= MAX_LENGTH:
        return 0
    return None if have < NOT_COUNTED + length else NOT_COUNTED + length


def _is_bcd(byte: int) -> bool:
    return byte >> 4 <= 9 and byte & 0x0F <= 9


def _open(frame: bytes) -> Report | None:
    """The word of this frame; None when it is none."""
    try:
        if frame[0] == TEXT_HEAD:
            return _text(frame)
        if frame.find(frame[:6], 1) > 0:
            return None  # it broke off, and the next one has begun
        return _long(frame) if frame[1] >= LONG_FROM else _short(frame)
    except ValueError:
        return None


def _long(frame: bytes) -> Report:
    at, fix, lat, lon = _place(frame[LONG_HEAD:])
    body = frame[LONG_HEAD + 15 :]
    battery = body[13]
    return Report(
        format="long",
        seal=frame[1:6].hex(),
        at=at,
        fix=fix,
        lat=lat,
        lon=lon,
        speed=_digits(body[:1]),
        course_deg=2 * body[1],
        mileage_km=int.from_bytes(body[2:6], "big"),
        satellites=body[6],
        version=frame[6],
        device_type=frame[7] >> 4,
        data_type=frame[7] & 0x0F,
        length=len(frame) - NOT_COUNTED,
        status=int.from_bytes(body[11:13], "big"),
        battery_percent=None if battery == CHARGING else battery,
        charging=battery == CHARGING,
        index=frame[-1],
        raw=frame,
    )


def _short(frame: bytes) -> Report:
    at, fix, lat, lon = _place(frame[SHORT_HEAD:])
    body = frame[SHORT_HEAD + 15 :]
    kind = frame[6] >> 4
    return Report(
        format="short",
        seal=frame[1:6].hex(),
        at=at,
        fix=fix,
        lat=lat,
        lon=lon,
        speed=_digits(body[:1]),
        course_deg=2 * body[1] if len(body) > 2 else None,
        satellites=body[2] if kind == 1 and len(body) > 3 else None,
        device_type=kind,
        data_type=frame[6] & 0x0F,
        length=len(frame) - NOT_COUNTED,
        index=frame[-1],
        raw=frame,
    )


def _place(body: bytes) -> tuple[datetime | None, bool, float, float]:
    """Day, time, latitude (8 digits), longitude (9 digits), and four bits: fix, north, east. Raises ValueError."""
    digits = body[:15].hex()
    flags = int(digits[29], 16)
    at = _moment(digits[:12], fix=bool(flags & 1))
    lat, lon = _degrees(digits[12:20], 90), _degrees(digits[20:29], 180)
    return at, bool(flags & 1), lat if flags & 2 else -lat, lon if flags & 4 else -lon


def _moment(digits: str, *, fix: bool) -> datetime | None:
    """ddmmyyhhmmss. Raises ValueError."""
    if not digits.isdecimal():
        raise ValueError("a day that is none")
    day, month, year, hour, minute, second = (int(digits[n : n + 2]) for n in range(0, 12, 2))
    at = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    return None if at.year == NO_DATE_YEAR and not fix else at


def _degrees(digits: str, most: int) -> float:
    """Degrees, then minutes with four decimals. Raises ValueError."""
    if not digits.isdecimal():
        raise ValueError("a place that is none")
    minutes = int(digits[-6:]) / 10_000
    degrees = int(digits[:-6]) + minutes / 60
    if minutes >= 60 or degrees > most:
        raise ValueError("a place that is none")
    return round(degrees, 6) + 0.0


def _digits(data: bytes) -> int:
    if not data.hex().isdecimal():
        raise ValueError("a number that is none")
    return int(data.hex())


_W01 = re.compile(
    r"\((\d{10}),W01,(\d{3})(\d\d\.\d{4}),([EW]),(\d\d)(\d\d\.\d{4}),([NS]),([AV]),(\d{6}),(\d{6}),"
    r"(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})(?:,[^()]*)?\)",
    re.ASCII,
)
"""number, longitude, latitude, A or V, day, time, speed, course, power, satellites, network, kind of alarm, .."""
_P45 = re.compile(
    r"\((\d{10}),P45,(\d{6}),(\d{6}),(\d{1,3}\.\d+),([NS]),(\d{1,3}\.\d+),([EW]),([AV]),"
    r"(\d{1,3}),(\d{1,3}),\d+,\d+,(\d{1,20}),\d+,\d+,(\d{1,5})(?:,[^()]*)?\)",
    re.ASCII,
)
"""An unlocking: .., its source, its check, the card, the password's check, wrong passwords, index."""
_OTHER = re.compile(r"\((\d{10}),[A-Z]\d\d(?:,[ -'*-~]*)?\)", re.ASCII)


def _text(frame: bytes) -> Report | None:
    """Raises ValueError."""
    text = frame.decode("ascii")
    if found := _W01.fullmatch(text):
        number, lon, lon_m, east, lat, lat_m, north, valid, day, time, speed, course, _, sats, _, _ = found.groups()
        fix = valid == "A"
        y, x = _degrees(lat + lat_m.replace(".", ""), 90), _degrees(lon + lon_m.replace(".", ""), 180)
        return Report(
            format="W01",
            seal=number,
            at=_moment(day + time, fix=fix),
            fix=fix,
            lat=y if north == "N" else -y,
            lon=x if east == "E" else -x,
            speed=int(speed),
            course_deg=int(course),
            satellites=int(sats),
            raw=frame,
        )
    if found := _P45.fullmatch(text):
        number, day, time, lat, north, lon, east, valid, speed, course, card, index = found.groups()
        y, x = float(lat), float(lon)
        if y > 90 or x > 180:
            return None
        return Report(
            format="P45",
            seal=number,
            at=_moment(day + time, fix=valid == "A"),
            fix=valid == "A",
            lat=y if north == "N" else -y,
            lon=x if east == "E" else -x,
            speed=int(speed),
            course_deg=int(course),
            card=card if card.strip("0") else None,
            index=int(index),
            raw=frame,
        )
    if found := _OTHER.fullmatch(text):
        return Report(format="text", seal=found[1], at=None, fix=False, lat=0.0, lon=0.0, raw=frame)
    return None
