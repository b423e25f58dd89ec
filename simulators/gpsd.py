"""A gpsd with receivers: greets, waits to be asked to watch, then tells JSON objects, one a line, each second.

Written from gpsd's manual page on its JSON: VERSION at once; after `?WATCH={"enable":true,"json":true}` DEVICES and
WATCH, and from then on SKY and TPV of each device in every second. TPV has mode 1 without a fix, and then no place.
"""

import json
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from simulators.clock import SimClock
from simulators.faults import GpsdFaults
from simulators.gps import GeoState
from simulators.pipes import Client, OnWire


class Gpsd(OnWire):
    """One gpsd on a TCP port."""

    def __init__(
        self,
        clock: SimClock,
        receivers: dict[str, Callable[[], GeoState]],
        *,
        noise_m: float = 0.0,
        seed: int = 0,
        faults: GpsdFaults | None = None,
    ) -> None:
        """`receivers`: path of the device, and where it is."""
        super().__init__()
        self.faults = GpsdFaults() if faults is None else faults
        self.told: list[tuple[int, str, float, float]] = []
        """Every place that was told: second, device, latitude, longitude."""
        self._clock = clock
        self._receivers = receivers
        self._noise_m = noise_m
        self._random = random.Random(seed)
        self._watchers: list[Client] = []

    async def run(self) -> None:
        """Reports at each full site second, until cancelled."""
        while True:
            now = self._clock.now()
            await self._clock.sleep(math.floor(now) + 1.0 - now)
            self.tell(round(self._clock.now()))

    def heard(self, data: bytes, client: Client) -> None:
        """Commands end with a line end or a semicolon; only ?WATCH is understood here."""
        client.pending += data
        while (end := client.pending.find(b"\n")) >= 0:
            line = bytes(client.pending[:end]).strip().rstrip(b";")
            del client.pending[: end + 1]
            if not line.startswith(b"?WATCH="):
                self._to(client, {"class": "ERROR", "message": f"Unrecognized request '{line.decode('latin-1')}'"})
                continue
            version = {"class": "VERSION", "release": "3.22", "rev": "3.22", "proto_major": 3, "proto_minor": 14}
            devices = [{"class": "DEVICE", "path": path, "activated": self._iso(0)} for path in self._receivers]
            self._to(client, version)
            self._to(client, {"class": "DEVICES", "devices": devices})
            self._to(client, {"class": "WATCH", **json.loads(line[7:])})
            self._watchers.append(client)

    def tell(self, at_s: int) -> None:
        """SKY and TPV of every receiver."""
        if self.faults.silent:
            return
        self._watchers = [each for each in self._watchers if not each.gone]
        for path, position in self._receivers.items():
            if path in self.faults.lost:
                continue
            state = position()
            north, east = self._random.gauss(0.0, self._noise_m), self._random.gauss(0.0, self._noise_m)
            lat = state.lat + north / 111_195.0
            lon = state.lon + east / (111_195.0 * math.cos(math.radians(state.lat)))
            fixed = state.valid and not self.faults.no_fix
            used = 9 if fixed else 0
            sky = [
                {"PRN": n, "el": 7.0 * n, "az": 29.0 * n % 360, "ss": 36.0 + n / 2, "used": n <= used}
                for n in range(1, 13)
            ]
            self._all({"class": "SKY", "device": path, "hdop": 0.9, "pdop": 1.6, "satellites": sky})
            tpv: dict[str, Any] = {"class": "TPV", "device": path, "mode": 3 if fixed else 1, "time": self._iso(at_s)}
            if fixed:
                lat, lon = round(lat, 9), round(lon, 9)
                self.told.append((at_s, path, lat, lon))
                tpv |= {"lat": lat, "lon": lon, "altHAE": 20.2, "altMSL": 8.4 + self._random.gauss(0, 0.5)}
                tpv |= {"speed": round(state.speed_mps, 3), "track": round(state.track_deg, 4), "eph": 9.5}
            self._all(tpv)

    def lose(self, path: str) -> None:
        """This receiver's cable is pulled: gpsd says so once."""
        self.faults.lost.add(path)
        self._all({"class": "DEVICE", "path": path, "activated": 0})

    def _iso(self, at_s: int) -> str:
        moment = datetime.fromtimestamp(at_s + self.faults.clock_off_s, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"

    def _all(self, report: dict[str, Any]) -> None:
        for each in self._watchers:
            self._to(each, report)

    def _to(self, client: Client, report: dict[str, Any]) -> None:
        if self.pipe.dropped:
            return
        line = json.dumps(report, separators=(",", ":")).encode()
        draw = self._random.random()
        if draw < self.faults.cut_share:
            line = line[: self._random.randint(1, len(line) - 1)]
        elif draw < self.faults.cut_share + self.faults.garbage_share:
            line = bytes(self._random.choice(b'\x00\xff{}":,x1') for _ in range(self._random.randint(1, 40)))
        client.send(line + b"\r\n")
        self.pipe.sent_bytes += len(line) + 2
