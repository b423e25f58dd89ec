"""A scanner: lines kept and corrected while the truck passes, source and interlock chain watched, the bus told.

Our link in the chain (`ready`) is open when the process starts and when it ends. It is closed when everything that is
watched has been well for a while, and opened at the first thing that is not. Closing it turns nothing on: the operator
does, at the scanner, with the key; and after a stop with the key again.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Final, Literal

from drivers.camera.device import Camera
from drivers.camera.read import Read
from drivers.faults import DriverFault, NotConfirmed
from drivers.kinds import Clock
from drivers.link import StreamLink, open_link
from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_tables import table_named
from drivers.readings import Garbage, Instant
from drivers.xray.capture import Capture, open_capture
from drivers.xray.device import LineDetector, NotReady, ScanControl, Watched
from drivers.xray.line import Line
from drivers.xray.safety import Chain, ChainWatch
from drivers.xray.source import SourceState, SourceWatch
from edge.config import Site
from edge.keeper import Health, keep
from edge.scanner_config import Scanner
from edge.scanning import Kept, Measured, Missed, Scanning, Word, scan_body
from edge.version import VERSION
from telemetry.payloads.lane import AlarmBody, Text
from telemetry.payloads.node import BirthBody, InstrumentBirth
from telemetry.payloads.scanner import ScannerBody
from telemetry.spool import Spool
from telemetry.topics import BY_WORD
from telemetry.voice import Voice
from vision.xray.history import History
from vision.xray.scan import SafetyEvent, ScanRef, Subject
from vision.xray.store import Archive

KIND: Final = "xray"
SAY_EVERY_S: Final = BY_WORD["scanner"].period_s or 1.0
HEALTH_EVERY_S: Final = BY_WORD["health"].period_s or 5.0
READ_LIVES_S: Final = 600.0
"""What a portal read longer ago than this is another truck's."""
SURE: Final = 0.5
"""A read of less confidence names no scan."""
MANY_BAD: Final = 0.02
"""Share of the pixels from which somebody must look at the detector."""
LIGHT_LOST: Final = 0.2
"""Share of the air level since the calibration before."""
OFFSET_DRIFT: Final = 150.0
"""Counts."""
STOP_WITHIN_S: Final = 1.0
DISK_AGAIN_S: Final = 60.0
"""After a scan could not be written; then the next one tells whether the disk is well again."""

_log = logging.getLogger(__name__)

_SIGNALS: Final[dict[str, Text]] = {
    "estop": Text("急停按下", "Emergency stop pressed"),
    "interlock": Text("联锁断开", "Interlock open"),
    "person": Text("扫描区有人", "A person is in the scanning area"),
    "dose_alarm": Text("辐射剂量报警", "Dose alarm"),
    "dose_alive": Text("剂量仪失联", "The dose monitor gives no sign of life"),
}


async def run(site: Site, scanner_id: str, clock: Clock) -> None:
    """Until cancelled."""
    config = site.scanner(scanner_id)
    folder = site.folder(KIND + "-" + scanner_id)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    scanning = await asyncio.to_thread(Scanning, config, site.id, Archive(site.scans), History(folder))
    async with Spool(folder / "spool.sqlite") as spool:
        voice = Voice.join(site.broker, spool, site.id, scanner_id, clock)
        voice.birth(_birth(config))
        await ScannerAgent(site, config, voice, clock, scanning).run()


class ScannerAgent:
    """One scanner's instruments and what becomes of what they say."""

    def __init__(self, site: Site, config: Scanner, voice: Voice, clock: Clock, scanning: Scanning) -> None:
        self._site, self._config, self._voice, self._clock, self._scanning = site, config, voice, clock, scanning
        self._watched = Watched()
        wired = {name for name, part in (("chain", config.safety), ("source", config.source)) if part is not None}
        self._control = ScanControl(config.id, clock, self._watched, frozenset(wired))
        self._control.also(self._no_disk)
        self._disk_failed = ""
        self._disk_failed_at = Instant(0.0)
        self._well_since: Instant | None = None
        self._changes: list[SafetyEvent] = []
        self._shown: dict[str, str] = {}
        self._ringing: dict[str, Text | None] = {}
        """What stands, by alarm; None: it has been told that nothing does."""
        """What was last said of each alarm in this life; the first word is said, whatever an earlier life left."""
        self._reads: list[Read] = []
        self._lines = self._lost = 0
        cameras = [(camera.name, camera.link.label) for camera in config.cameras]
        parts = [(part.name, part.link.label) for part in (config.source, config.safety) if part is not None]
        detector = (config.detector.name, config.detector.label)
        self._health = {
            name: Health(label, clock, beats=name == config.detector.name)
            for name, label in (detector, *parts, *cameras)
        }

    async def run(self) -> None:
        """Until cancelled. Raises SpoolFailed."""
        for ref in await asyncio.to_thread(self._scanning.recover):
            await self._say_scan(ref)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._voice.run())
            group.create_task(self._say())
            group.create_task(self._tell_health())
            group.create_task(self._keep_detector())
            if self._config.safety is not None:
                group.create_task(self._keep_chain())
            if self._config.source is not None:
                group.create_task(self._keep_source())
            for camera in self._config.cameras:
                group.create_task(self._keep_camera(camera.name))

    # lines

    async def _keep_detector(self) -> None:
        config = self._config.detector
        health = self._health[config.name]

        async def live(capture: Capture) -> None:
            detector = LineDetector(capture, config, self._clock)
            health.count(detector.tally)
            async for lines in detector.lines():
                self._lost = detector.tally.gaps + capture.lost_datagrams
                if lines:
                    health.heard(lines[-1].at)
                    self._watched.lines_at = lines[-1].at
                await self._take(lines)

        try:
            await keep(
                f"{self._config.id}/{config.name}",
                lambda: open_capture(config, self._clock),
                live,
                self._clock,
                health,
            )
        finally:
            self._scanning.close(self._clock.now(), self._subject())

    async def _take(self, lines: list[Line]) -> None:
        now = self._clock.now()
        self._lines += len(lines)
        changes, self._changes = self._changes, []
        said = await asyncio.to_thread(self._scanning.take, lines, now, changes, self._subject())
        self._watched.lit_at = self._scanning.lit_at
        for word in said:
            await self._hear(word)

    async def _hear(self, word: Word) -> None:
        match word:
            case Kept():
                self._disk_failed = ""
                self._reads.clear()
                await self._say_scan(word.ref)
                await self._ring("scan:missed", None)
                await self._ring("archive:write", None)
            case Measured():
                await self._of_detector(word)
            case Missed(disk=True):
                self._disk_failed, self._disk_failed_at = word.why, self._clock.now()
                why = Text(f"扫描图像无法保存:{word.why}", f"A scan is not kept: {word.why}")
                await self._ring("archive:write", why)
            case Missed():
                self._reads.clear()
                await self._ring("scan:missed", Text(f"车辆未成像：{word.why}", f"A truck has no scan: {word.why}"))

    async def _of_detector(self, word: Measured) -> None:
        told = word.health
        many = told.bad_pixels > MANY_BAD * self._config.detector.pixels
        await self._ring(
            "detector:pixels",
            Text(f"坏像素 {told.bad_pixels} 个", f"{told.bad_pixels} bad pixels") if many else None,
            priority=3,
        )
        lost = Text(f"空载光强变化 {told.air_change:+.0%}", f"Air level changed by {told.air_change:+.0%}")
        await self._ring("detector:air", lost if abs(told.air_change) > LIGHT_LOST else None, priority=3)
        drift = Text(f"暗电平漂移 {told.dark_drift:+.0f}", f"Dark level drifted by {told.dark_drift:+.0f} counts")
        await self._ring("detector:dark", drift if abs(told.dark_drift) > OFFSET_DRIFT else None, priority=3)

    async def _say_scan(self, ref: ScanRef) -> None:
        await self._voice.record("scan", scan_body(ref), self._clock.now())

    # source and chain

    async def _keep_source(self) -> None:
        config = self._config.source
        assert config is not None

        async def live(link: StreamLink) -> None:
            watch = SourceWatch(link, config, self._clock)
            self._health[config.name].count(watch.tally)
            async for state in watch.words():
                self._health[config.name].heard(state.at)
                self._watched.source = state
                await self._of_source(state)

        await keep(
            f"{self._config.id}/{config.name}",
            lambda: open_link(config.link, self._clock),
            live,
            self._clock,
            self._health[config.name],
        )

    async def _of_source(self, state: SourceState) -> None:
        self._change("beam", _word(state.beam), state.at)
        if state.faults is None:
            return
        faults = ", ".join(sorted(fault.value for fault in state.faults))
        self._change("source_faults", faults or "none", state.at)
        await self._ring("source:fault", Text(f"射线源故障：{faults}", f"Source: {faults}") if faults else None)

    async def _keep_chain(self) -> None:
        config = self._config.safety
        assert config is not None
        table = table_named(config.module, self._site.modules)

        async def live(link: ModbusLink) -> None:
            watch = ChainWatch(link, table, config, self._clock)
            self._health[config.name].count(watch.tally)
            self._well_since = None
            await watch.withhold()
            self._control.watch = watch
            try:
                while True:
                    chain = await watch.poll()
                    self._health[config.name].heard(chain.at)
                    self._watched.chain = chain
                    await self._of_chain(chain)
                    await self._link(chain)
                    await self._clock.sleep(config.poll_s)
            finally:
                self._control.watch = None
                with suppress(DriverFault, TimeoutError):
                    async with self._clock.timeout(STOP_WITHIN_S):
                        await watch.withhold()

        await keep(
            f"{self._config.id}/{config.name}",
            lambda: open_modbus(config.link),
            live,
            self._clock,
            self._health[config.name],
        )

    async def _link(self, chain: Chain) -> None:
        """Close our link when all has been well for a while; open it as soon as anything is not. Raises LinkFault."""
        if chain.ready is None:
            return
        now = self._clock.now()
        if self._control.reasons():
            self._well_since = None
        elif self._well_since is None:
            self._well_since = now
        allowed = self._well_since is not None and now - self._well_since >= self._config.well_s
        try:
            if allowed and not chain.ready:
                await self._control.ensure_ready()
            elif chain.ready and self._well_since is None:
                await self._control.ensure_stopped()
            await self._ring("safety:ready", None)
        except NotReady:
            self._well_since = None
        except NotConfirmed as no:
            await self._ring("safety:ready", Text(f"就绪继电器不应答：{no.what}", f"Our link in the chain: {no.what}"))

    async def _of_chain(self, chain: Chain) -> None:
        for name, value in chain.values.items():
            if name != "dose_alive" or value is None:  # its changes are its sign of life, not news
                self._change(name, _word(value), chain.at)
        self._change("ready", _word(chain.ready), chain.at)
        faults = set(chain.faults())
        for name in chain.values:
            say = _SIGNALS.get(name) or _SIGNALS.get(name.partition("_")[0])
            if say is None:
                continue
            where = Text(f"{say.zh}（{name}）", f"{say.en} ({name})")
            await self._ring(f"safety:{name}", where if name in faults else None)

    def _change(self, signal: str, state: str, at: Instant) -> None:
        if self._shown.get(signal) != state:
            self._shown[signal] = state
            self._changes.append(SafetyEvent(at=at, signal=signal, state=state))

    def _no_disk(self) -> list[str]:
        if not self._disk_failed or self._clock.now() - self._disk_failed_at > DISK_AGAIN_S:
            return []
        return [f"archive: {self._disk_failed}"]

    # whose scan it is

    async def _keep_camera(self, name: str) -> None:
        config = next(camera for camera in self._config.cameras if camera.name == name)

        async def live(link: StreamLink) -> None:
            camera = Camera(link, config, self._clock)
            self._health[name].count(camera.tally)
            async for word in camera.words():
                if not isinstance(word, Garbage) and word.confidence >= SURE:
                    self._health[name].heard(word.at)
                    self._reads.append(word)

        await keep(
            f"{self._config.id}/{name}",
            lambda: open_link(config.link, self._clock),
            live,
            self._clock,
            self._health[name],
        )

    def _subject(self) -> Subject:
        now = self._clock.now()
        self._reads = [read for read in self._reads if now - read.at <= READ_LIVES_S][-20:]
        plates = [read.text for read in self._reads if read.what == "plate"]
        containers = dict.fromkeys(read.text for read in self._reads if read.what == "container")
        return Subject(plate=plates[-1] if plates else "", containers=tuple(containers))

    # the bus

    async def _ring(self, alarm: str, say: Text | None, *, priority: Literal[1, 2, 3] = 1) -> None:
        """`say`: what stands; None: it does not."""
        stood = self._ringing.get(alarm)
        if alarm in self._ringing and (stood is None) == (say is None):
            return
        self._ringing[alarm] = say
        # Told once even if nothing has stood in this life: the last one may have ended in the middle of it.
        what = say or stood or Text("恢复", "Well again")
        told = AlarmBody(alarm=alarm, active=say is not None, priority=priority, say=what)
        await self._voice.record("alarm", told, self._clock.now())

    async def _say(self) -> None:
        while True:
            self._voice.sample("scanner", self._config.detector.name, self._now(), self._clock.now())
            await self._clock.sleep(SAY_EVERY_S)

    def _now(self) -> ScannerBody:
        chain, source, scanning = self._watched.chain, self._watched.source, self._scanning
        return ScannerBody(
            tunnel=scanning.state.value,
            ready=None if chain is None else chain.ready,
            beam=None if source is None else source.beam,
            reasons=self._control.reasons(),
            lines=self._lines,
            lost_lines=self._lost,
            rows=scanning.rows,
            scans=scanning.kept,
            calibrated_at=scanning.calibrated_at,
            bad_pixels=scanning.bad_pixels,
        )

    async def _tell_health(self) -> None:
        while True:
            for name, health in self._health.items():
                body = health.body()
                self._voice.sample("health", name, body, self._clock.now(), "good" if body.up else "bad")
            await self._clock.sleep(HEALTH_EVERY_S)


def _word(value: bool | None) -> str:  # noqa: FBT001 - one contact
    return "not known" if value is None else "on" if value else "off"


def _birth(config: Scanner) -> BirthBody:
    parts = [(config.detector.name, "detector", ["scanner", "health"])]
    parts += [(config.source.name, "source", ["health"])] if config.source is not None else []
    parts += [(config.safety.name, "io", ["health"])] if config.safety is not None else []
    parts += [(camera.name, "camera", ["health"]) for camera in config.cameras]
    instruments = [InstrumentBirth(name=name, kind=kind, words=words) for name, kind, words in parts]
    return BirthBody(kind="scanner", zh=config.zh, en=config.en, version=VERSION, instruments=instruments)
