"""The receivers of one gpsd. One object, one connection's life."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from drivers.faults import NoAnswer
from drivers.gps.assemble import against_clock
from drivers.gps.config import GpsdConfig
from drivers.gps.fix import Fix
from drivers.gps.gaps import Gaps
from drivers.gps.gpsd.frames import (
    NEWEST_SKY_S,
    WATCH,
    Decoder,
    Device,
    Devices,
    Report,
    SkyReport,
    Tpv,
    Trouble,
    gone,
    satellites,
    to_fix,
)
from drivers.gps.hints import Watch
from drivers.kinds import Clock, Link
from drivers.readings import Garbage, Instant, Tally

ASK_S = 2.0
"""gpsd is on this network, and reads its socket at once."""
MAX_RECEIVERS = 64
"""Of one gpsd, which is compiled for 4 to 10; paths come off the wire, so there is a ceiling."""


@dataclass(slots=True)
class _Receiver:
    watch: Watch = field(default_factory=Watch)
    gaps: Gaps = field(default_factory=Gaps)
    sky_at: Instant = Instant(0.0)
    used: int | None = None
    hdop: float | None = None


class GpsdClient:
    """All receivers that a gpsd reads. The first is a tracker with the name of the settings; each further one has the
    last part of its device's path behind it."""

    def __init__(self, link: Link, config: GpsdConfig, clock: Clock) -> None:
        """`link` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self._link = link
        self._clock = clock
        self._name = config.name
        self._silence_s = config.silence_s
        self._late_after_s = config.late_after_s
        self._receivers: dict[str, _Receiver] = {}
        """By path of the device, the first one first."""

    async def words(self) -> AsyncIterator[tuple[str, Fix] | Garbage]:
        """Fixes with their tracker's name, until the link's fault (raised). Silence of `silence_s` is NoAnswer."""
        await self._link.write(WATCH, ASK_S)
        decoder = Decoder()
        heard = self._clock.now()
        while True:
            left = heard + self._silence_s - self._clock.now()
            if left <= 0:
                raise NoAnswer(self._link.name, f"no report for {self._silence_s:g} s")
            chunk = await self._link.read(left)
            decoder.receive(chunk.data)
            while (word := decoder.next_word()) is not None:
                if isinstance(word, Garbage):
                    self.tally.garbage += 1
                    self.tally.garbage_bytes += len(word.raw)
                    yield word
                    continue
                if isinstance(word, Tpv | SkyReport):
                    heard = chunk.at
                for told in self._hear(word, chunk.at):
                    yield told

    def _hear(self, report: Report, at: Instant) -> Iterator[tuple[str, Fix] | Garbage]:
        self.tally.words += 1
        if isinstance(report, Tpv):
            receiver = self._receiver(report.device)
            fresh = at - receiver.sky_at <= NEWEST_SKY_S
            fix = to_fix(report, at, used=receiver.used if fresh else None, hdop=receiver.hdop if fresh else None)
            self.tally.gaps += receiver.gaps.before(fix.fix_time)
            yield self._called(report.device), receiver.watch.take(against_clock(fix, self._late_after_s))
        elif isinstance(report, SkyReport):
            receiver = self._receiver(report.device)
            if report.hdop is not None:
                receiver.hdop, receiver.sky_at = report.hdop, at
            if report.satellites is not None:
                receiver.used, receiver.sky_at = sum(each.used for each in report.satellites), at
                receiver.watch.sky("all", satellites(report), at)
        elif isinstance(report, Device):
            if not report.there and report.path in self._receivers:
                yield self._called(report.path), gone(report.path, at)
        elif isinstance(report, Devices):
            for device in report.devices:
                if device.there:
                    self._receiver(device.path)
        elif isinstance(report, Trouble):
            yield Garbage(report.message.encode(), "gpsd says that it could not do what was asked")

    def _receiver(self, path: str) -> _Receiver:
        receiver = self._receivers.get(path)
        if receiver is None:
            if len(self._receivers) >= MAX_RECEIVERS:
                return _Receiver()
            receiver = self._receivers[path] = _Receiver()
        return receiver

    def _called(self, path: str) -> str:
        first = next(iter(self._receivers), path)
        if path == first:
            return self._name
        return f"{self._name}-{re.sub(r'[^A-Za-z0-9]+', '-', path.rsplit('/', 1)[-1])}"
