"""A position tracker that speaks NMEA 0183: RMC and GGA once a second, over UDP, TCP or a serial line.

Written by hand from the sentence tables: the checksum is the XOR of what stands between `$` and `*`; angles are degrees
and minutes in one number; speed in knots; RMC ends, since NMEA 4.1, with a navigational status after the mode, which
almost every receiver leaves at V (it gives none) even with a good fix. A TAG block `\\s:name,c:seconds*hh\\` may stand
before each sentence, with its own XOR.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from simulators.clock import SimClock
from simulators.faults import TrackerFaults
from simulators.pipes import OnWire

KNOTS_PER_MPS = 3600.0 / 1852.0
METRES_PER_DEGREE = 111_195.0
USABLE_DB = 25.0
"""dB-Hz below which a receiver does not use a satellite."""
NOISE = b"\x00\x55\xaa\xff$\\*,\n"
MINUTE_STEPS = 100_000
"""Minutes are given with five digits after the point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoState:
    """Where something really is: degrees WGS 84, north and east positive; `valid`: the sky is free."""

    lat: float
    lon: float
    speed_mps: float = 0.0
    track_deg: float = 0.0
    valid: bool = True


class Circle:
    """Round in so many seconds, from the given share of the way on."""

    def __init__(
        self, clock: SimClock, lat: float, lon: float, *, metres: float, seconds: float, begin: float = 0.0
    ) -> None:
        self._clock = clock
        self._lat, self._lon = lat, lon
        self._metres, self._seconds, self._begin = metres, seconds, begin

    def __call__(self) -> GeoState:
        """Where it is now."""
        turn = 2.0 * math.pi * (self._clock.now() % self._seconds / self._seconds + self._begin)
        reach_deg = self._metres / METRES_PER_DEGREE
        return GeoState(
            lat=self._lat + reach_deg * math.cos(turn),
            lon=self._lon + reach_deg * math.sin(turn) / math.cos(math.radians(self._lat)),
            speed_mps=2.0 * math.pi * self._metres / self._seconds,
            track_deg=(math.degrees(turn) + 90.0) % 360.0,
        )


class Tracker(OnWire):
    """One receiver with its radio."""

    def __init__(
        self,
        clock: SimClock,
        name: str,
        position: Callable[[], GeoState],
        *,
        tag_block: bool = True,
        talker: str = "GN",
        noise_m: float = 0.0,
        seed: int = 0,
        faults: TrackerFaults | None = None,
        sky: bool = False,
        remember: bool = False,
    ) -> None:
        """`noise_m`: sigma of the position in each direction. `sky`: GSA and GSV too."""
        super().__init__()
        self.name = name
        self.faults = TrackerFaults() if faults is None else faults
        self.epochs_sent = 0
        self.told: list[tuple[int, float, float]] = []
        """Every place that was told: second, latitude, longitude. Kept when `remember` is on."""
        self._remember = remember
        self._clock = clock
        self._position = position
        self._tag_block = tag_block
        self._talker = talker
        self._noise_m = noise_m
        self._sky = sky
        self._random = random.Random(seed)
        self._held_back: list[bytes] = []

    def udp(self, host: str, port: int) -> None:
        """Send each sentence as a datagram to this address."""
        self.pipe.udp(host, port)

    async def run(self) -> None:
        """An epoch at each full site second, until cancelled. Seconds that were missed are not made up for."""
        while True:
            now = self._clock.now()
            await self._clock.sleep(math.floor(now) + 1.0 - now)
            self.tell(round(self._clock.now()))

    def tell(self, at_s: int) -> None:
        """Send the sentences of this epoch, as the faults let them."""
        if self.faults.silent:
            return
        lines = self.lines(at_s)
        if not self._held_back and self._random.random() < self.faults.late_share:
            self._held_back = lines
            return
        if self._random.random() < self.faults.duplicate_share:
            lines += lines
        lines += self._held_back
        self._held_back = []
        self.epochs_sent += 1
        for line in lines:
            self.pipe.send(self._spoilt(line))

    def _spoilt(self, line: bytes) -> bytes:
        if self._random.random() < self.faults.half_share:
            line = line[: self._random.randint(1, len(line) - 1)]
        if self._random.random() < self.faults.noise_share:
            line = bytes(self._random.choice(NOISE) for _ in range(self._random.randint(1, 12))) + line
        return line

    def lines(self, at_s: int) -> list[bytes]:
        """RMC and GGA of this second, as bytes on the wire."""
        state = self._position()
        north_m, east_m = self._random.gauss(0.0, self._noise_m), self._random.gauss(0.0, self._noise_m)
        lat = state.lat + (north_m + self.faults.jump_m) / METRES_PER_DEGREE
        lon = state.lon + east_m / (METRES_PER_DEGREE * math.cos(math.radians(state.lat)))
        fixed = state.valid and not self.faults.no_fix
        placed = fixed or self.faults.stale_position
        where = f"{_angle(lat, 2)},{'NS'[lat < 0]},{_angle(lon, 3)},{'EW'[lon < 0]}" if placed else ",,,"
        motion = f"{state.speed_mps * KNOTS_PER_MPS:.2f},{state.track_deg % 360.0:.2f}" if placed else ","
        strengths = self._strengths()
        used = [prn for prn, (_, _, cn0) in strengths.items() if cn0 >= USABLE_DB] if self._sky else list(range(1, 13))
        fixed = fixed and len(used) >= 3
        if fixed and self._remember:
            self.told.append((at_s, lat, lon))
        moment = datetime.fromtimestamp(at_s + self.faults.clock_off_s, UTC)
        clock, day = f"{moment:%H%M%S}.00", f"{moment:%d%m%y}"
        rmc = f"{self._talker}RMC,{clock},{'A' if fixed else 'V'},{where},{motion},{day},,,{'A' if fixed else 'N'},V"
        height = 8.0 + self._random.gauss(0.0, self._noise_m)
        quality = f"1,{len(used):02d},0.80,{height:.1f},M,7.5,M,," if fixed else "0,00,99.99,,,,,,"
        gga = f"{self._talker}GGA,{clock},{where},{quality}"
        lines = [self._line(rmc, at_s), self._line(gga, at_s)]
        if self._sky:
            ids = ",".join(f"{prn:02d}" for prn in used[:12]) + "," * (12 - len(used[:12]))
            lines.append(self._line(f"GNGSA,A,{3 if fixed else 1},{ids},1.6,0.8,1.4", at_s))
            seen = list(strengths.items())
            groups = [seen[at : at + 4] for at in range(0, len(seen), 4)]
            for number, group in enumerate(groups, 1):
                four = "".join(
                    f",{prn:02d},{elevation:02d},{azimuth:03d},{f'{cn0:02.0f}' if cn0 >= 15 else ''}"
                    for prn, (elevation, azimuth, cn0) in group
                )
                lines.append(self._line(f"GPGSV,{len(groups)},{number},{len(seen):02d}{four}", at_s))
        if self.faults.antenna:
            lines.append(self._line(f"GNTXT,01,01,02,{self.faults.antenna}", at_s))
        return lines

    def _strengths(self) -> dict[int, tuple[int, int, float]]:
        """Elevation, azimuth and carrier-to-noise of each satellite: low ones are weaker, each wavers a little."""
        found: dict[int, tuple[int, int, float]] = {}
        for prn in range(1, 13):
            elevation, azimuth = 5 + prn * 6, prn * 29 % 360
            cn0 = 47.0 if self.faults.even_sky else 34.0 + elevation / 6 + self._random.gauss(0.0, 1.0)
            found[prn] = (elevation, azimuth, cn0 - self.faults.jam_db)
        return found

    def _line(self, body: str, at_s: int) -> bytes:
        tag = ""
        if self._tag_block:
            block = f"s:{self.name},c:{at_s}"
            tag = f"\\{block}*{_xor(block):02X}\\"
        total = _xor(body)
        if self._random.random() < self.faults.bad_checksum_share:
            total ^= self._random.randint(1, 0xFF)
        return f"{tag}${body}*{total:02X}\r\n".encode()


def _angle(degrees: float, digits: int) -> str:
    # Rounded as a whole number of minute steps first, so that no 60.00000 minutes come out.
    steps = round(abs(degrees) * 60 * MINUTE_STEPS)
    whole, rest = divmod(steps, 60 * MINUTE_STEPS)
    return f"{whole:0{digits}d}{rest // MINUTE_STEPS:02d}.{rest % MINUTE_STEPS:05d}"


def _xor(text: str) -> int:
    total = 0
    for byte in text.encode("ascii"):
        total ^= byte
    return total


if __name__ == "__main__":
    import sys

    from simulators.__main__ import main

    main(["gps", *sys.argv[1:]])
