"""gpsd's JSON lines -> its reports as typed records. Pure: bytes in, words out.

One object a line, told apart by `class`. What is empty is left out, never null. A line that grew too long for gpsd was
cut off by it and is no JSON any more: garbage. Classes and fields that are not used here are passed over; newer
versions add some.
"""

from collections import deque
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import msgspec

from drivers.gps.assemble import DOUBTFUL_HDOP
from drivers.gps.fix import Fix
from drivers.gps.sentences import TOP_SPEED_MPS, Satellite
from drivers.readings import Garbage, Instant, Quality

MAX_LINE_BYTES = 16 * 1024
"""gpsd cuts at 1,536 bytes up to version 3.22, at 10,240 since."""
WATCH = b'?WATCH={"enable":true,"json":true}\n'
"""Asks for all reports, of all receivers, until the connection ends."""
NEWEST_SKY_S = 15.0
"""Satellites are told each second, by some receivers each tenth; older ones are not those of a fix."""

_Lat = Annotated[float, msgspec.Meta(ge=-90, le=90)]
_Lon = Annotated[float, msgspec.Meta(ge=-180, le=180)]
_Speed = Annotated[float, msgspec.Meta(ge=0, le=TOP_SPEED_MPS)]
_Degrees = Annotated[float, msgspec.Meta(ge=0, le=360)]

STATUSES = {5: "dead reckoning", 6: "dead reckoning beside satellites"}
"""Of TPV: these are doubted."""
SIMULATED = 8


class Tpv(msgspec.Struct, frozen=True, gc=False):
    """Time, place and velocity."""

    device: str = ""
    mode: int = 0
    """0 not known, 1 no fix, 2 flat, 3 full."""
    status: int = 1
    time: str = ""
    lat: _Lat | None = None
    lon: _Lon | None = None
    altMSL: float | None = None  # noqa: N815 - gpsd's own name
    alt: float | None = None
    """As versions before 3.20 have it."""
    speed: _Speed | None = None
    track: _Degrees | None = None


class SkySatellite(msgspec.Struct, frozen=True, gc=False):
    """One satellite in view; `ss` in dB-Hz."""

    PRN: int = 0
    el: float | None = None
    az: float | None = None
    ss: float | None = None
    used: bool = False


class SkyReport(msgspec.Struct, frozen=True):
    """The satellites in view of one receiver. Some reports carry dilutions only."""

    device: str = ""
    hdop: float | None = None
    satellites: list[SkySatellite] | None = None


class Device(msgspec.Struct, frozen=True):
    """A receiver that gpsd has gained or lost. `activated` is 0, or left out, when it is not read any more."""

    path: str = ""
    activated: float | str | None = None

    @property
    def there(self) -> bool:
        """Being read."""
        return bool(self.activated)


class Devices(msgspec.Struct, frozen=True):
    """All receivers that gpsd knows."""

    devices: list[Device] = []


class Version(msgspec.Struct, frozen=True):
    """The greeting."""

    release: str = ""


class Trouble(msgspec.Struct, frozen=True):
    """What gpsd could not do."""

    message: str = ""


Report = Tpv | SkyReport | Device | Devices | Version | Trouble


class _Head(msgspec.Struct, frozen=True, gc=False):
    kind: str = msgspec.field(name="class")


_HEAD = msgspec.json.Decoder(_Head)
_READERS: dict[str, msgspec.json.Decoder[Report]] = {
    "TPV": msgspec.json.Decoder(Tpv),
    "SKY": msgspec.json.Decoder(SkyReport),
    "DEVICE": msgspec.json.Decoder(Device),
    "DEVICES": msgspec.json.Decoder(Devices),
    "VERSION": msgspec.json.Decoder(Version),
    "ERROR": msgspec.json.Decoder(Trouble),
}


class Decoder:
    """Takes bytes as they come, gives words in order. Ask for words until None after each `receive`."""

    def __init__(self) -> None:
        self.passed_over = 0
        """Reports of classes that are not used."""
        self._rest = b""
        self._overlong = False
        self._words: deque[Report | Garbage] = deque()

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._overlong:
                self._overlong = False
                self._words.append(Garbage(line, f"longer than {MAX_LINE_BYTES} bytes without a line end"))
            else:
                self._read(line.strip())
        if self._overlong or len(self._rest) > MAX_LINE_BYTES:
            self._overlong = True
            self._words.append(Garbage(self._rest, f"longer than {MAX_LINE_BYTES} bytes without a line end"))
            self._rest = b""

    def end(self) -> None:
        """What stands unfinished will not go on: the end of a file."""
        self.receive(b"\n")

    def next_word(self) -> Report | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None

    def _read(self, line: bytes) -> None:
        if not line:
            return
        try:
            reader = _READERS.get(_HEAD.decode(line).kind)
            if reader is None:
                self.passed_over += 1
            else:
                self._words.append(reader.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            self._words.append(Garbage(line, str(wrong)))


def satellites(sky: SkyReport) -> tuple[Satellite, ...]:
    """As of NMEA's GSV. A strength of 0 is a satellite that is not tracked."""
    return tuple(Satellite(each.PRN, _whole(each.el), _whole(each.az), each.ss) for each in sky.satellites or ())


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def to_fix(tpv: Tpv, at: Instant, *, used: int | None, hdop: float | None) -> Fix:
    """A TPV that arrived `at`. `used` and `hdop`: of the newest SKY of the same receiver."""
    why = ""
    if tpv.mode < 2:
        why = "gpsd: mode 1, no fix" if tpv.mode == 1 else "gpsd: no mode seen yet"
    elif tpv.status == SIMULATED:
        why = "gpsd: status 8, a simulated position"
    elif tpv.lat is None or tpv.lon is None:
        why = "the position is empty"
    elif tpv.lat == 0 and tpv.lon == 0:
        why = "0,0 is where receivers stand that do not know"
    valid = not why
    fix_time = unix_s(tpv.time)
    if valid:
        doubts = [STATUSES[tpv.status]] if tpv.status in STATUSES else []
        if tpv.time and fix_time is None:
            doubts.append(f"its time {tpv.time[:40]!r} is none")
        if hdop is not None and hdop > DOUBTFUL_HDOP:
            doubts.append(f"HDOP {hdop:g}")
        why = "; ".join(doubts)
    return Fix(
        valid=valid,
        lat=tpv.lat if valid else None,
        lon=tpv.lon if valid else None,
        speed_mps=tpv.speed if valid else None,
        track_deg=tpv.track if valid else None,
        altitude_m=(tpv.alt if tpv.altMSL is None else tpv.altMSL) if valid else None,
        quality=Quality.BAD if not valid else Quality.UNCERTAIN if why else Quality.GOOD,
        fix_quality=None,
        satellites=used,
        hdop=hdop if valid else None,
        fix_time=fix_time,
        at=at,
        source="TPV",
        why=why,
    )


def gone(path: str, at: Instant) -> Fix:
    """What is to be shown of a receiver that gpsd has lost."""
    return replace(to_fix(Tpv(mode=1), at, used=None, hdop=None), why=f"gpsd reads {path} no more")


def unix_s(text: str) -> Instant | None:
    """Of `2026-11-23T12:00:00.000Z`; None for what is no such moment."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Instant(moment.timestamp()) if moment.tzinfo is not None else None
