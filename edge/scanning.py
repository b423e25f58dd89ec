"""From lines to kept scans: tunnel, correction and archive of one scanner, with what there is to say of it.

Everything here may take milliseconds and waits for a disk: call from a thread, one call at a time.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from drivers.readings import Instant
from drivers.xray.line import Line
from edge.scanner_config import Scanner
from telemetry.payloads.scanner import RemarkBody, ScanBody
from vision.xray.calibrate import Health
from vision.xray.history import History
from vision.xray.scan import Counts, Dual, Energy, Flaw, Geometry, Remark, SafetyEvent, ScanHead, ScanRef, Subject
from vision.xray.store import Archive, NotWritten, ScanWriter
from vision.xray.stream import Block, Corrector
from vision.xray.tiles import fit_noise
from vision.xray.tunnel import Began, Calibrated, Ended, Event, More, Refused, Settings, State, Tunnel

NOISE_EVERY: Final = 8
"""Rows kept in memory for the noise of a picture: an eighth of it tells it as well as all."""
REMARKS_TOLD: Final = 50
"""On the bus; the file holds all."""
LOG_BEFORE_S: Final = 60.0
"""Of the safety log before a scan: lamp, horn and key belong to it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A scan is in the archive."""

    ref: ScanRef


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration was taken."""

    health: Health
    at: Instant


@dataclass(frozen=True, slots=True)
class Missed:
    """A truck went through and there is no scan of it. `disk`: because it could not be written."""

    why: str
    at: Instant
    disk: bool = False


Word = Kept | Measured | Missed


class Scanning:
    """One scanner's scans."""

    def __init__(self, config: Scanner, site: str, archive: Archive, history: History) -> None:
        self.rows = 0
        """Of the picture under way."""
        self.kept = 0
        self._config, self._site, self._archive, self._history = config, site, archive, history
        self._geometry = geometry_of(config)
        self._tunnel = Tunnel(settings_of(config), history.last())
        self._corrector: Corrector | None = None
        self._writer: ScanWriter | None = None
        self._sample: Dual[list[Counts]] = Dual([], [])
        self._events: list[SafetyEvent] = []

    @property
    def state(self) -> State:
        """What the tunnel is taken for."""
        return self._tunnel.state

    @property
    def lit_at(self) -> Instant | None:
        """The last line that a beam had lit."""
        return self._tunnel.lit_at

    @property
    def calibrated_at(self) -> Instant | None:
        """None: no calibration is known."""
        return None if self._tunnel.known is None else self._tunnel.known.air_at

    @property
    def bad_pixels(self) -> int | None:
        """High energy, of the calibration that is known."""
        return None if self._tunnel.known is None else int(self._tunnel.known.bad.he.sum())

    def recover(self) -> list[ScanRef]:
        """What an earlier life left under way: kept as torn."""
        return self._archive.recover()

    def take(self, lines: Sequence[Line], now: Instant, safety: Sequence[SafetyEvent], subject: Subject) -> list[Word]:
        """Lines as they come, none in silence. `safety`: changes since the last call; `subject`: as known by now."""
        self._log(safety, now)
        said: list[Word] = []
        for event in self._tunnel.take(lines) if lines else self._tunnel.silent(now):
            try:
                self._one(event, subject, said)
            except NotWritten as no:
                self._drop()
                said.append(Missed(str(no), now, disk=True))
        return said

    def close(self, now: Instant, subject: Subject) -> list[Word]:
        """The process ends: a scan under way is kept as torn."""
        said: list[Word] = []
        with suppress(NotWritten):
            self._end(Ended("the process ended while the scan was under way", now), subject, said)
        self._drop()
        return said

    def _one(self, event: Event, subject: Subject, said: list[Word]) -> None:
        match event:
            case Calibrated():
                with suppress(OSError):  # the scan's own file holds it too
                    self._history.keep(event.calibration, event.health)
                said.append(Measured(event.health, event.calibration.air_at))
            case Began():
                self._begin(event)
            case More():
                if self._corrector is not None:
                    self._write(self._corrector.take(event.lines))
            case Ended():
                self._end(event, subject, said)
            case Refused():
                said.append(Missed(event.why, event.at))

    def _begin(self, began: Began) -> None:
        head = ScanHead(
            scanner=self._config.id,
            site=self._site,
            started=began.at,
            energies_mev=Dual(*self._config.energies_mev),
            geometry=self._geometry,
            calibration=began.calibration,
        )
        self._corrector = Corrector(self._geometry, began.calibration, dual=self._config.dual)
        self._sample = Dual([], [])
        self.rows = 0
        self._writer = self._archive.begin(head)
        for event in self._events:
            self._writer.safety(event)

    def _write(self, block: Block | None) -> None:
        if block is None or self._writer is None:
            return
        self._writer.lines(block.raw, block.table)
        self._writer.rows(block.picture, block.row_line)
        first = -self.rows % NOISE_EVERY
        for energy in Energy:
            self._sample.of(energy).append(block.picture.of(energy)[first::NOISE_EVERY].copy())
        self.rows += len(block.row_line)

    def _end(self, ended: Ended, subject: Subject, said: list[Word]) -> None:
        writer, corrector = self._writer, self._corrector
        if writer is None or corrector is None:
            return
        self._write(corrector.finish())
        remarks = corrector.remarks()
        if ended.torn:
            remarks.append(Remark(Flaw.TORN, self.rows, 0, note=ended.torn))
        noise = [fit_noise(np.concatenate(self._sample.of(energy)).T) for energy in Energy]
        ref = writer.finish(ended.at, subject, remarks, Dual(noise[0], noise[1]))
        self._writer = self._corrector = None
        self.rows = 0
        self.kept += 1
        said.append(Kept(ref))

    def _drop(self) -> None:
        """What could be written stays under way, for `recover`."""
        if self._writer is not None:
            with suppress(OSError):
                self._writer.abandon()
        self._writer = self._corrector = None
        self.rows = 0

    def _log(self, safety: Sequence[SafetyEvent], now: Instant) -> None:
        self._events = [event for event in (*self._events, *safety) if event.at > now - LOG_BEFORE_S]
        if self._writer is not None:
            for event in safety:
                with suppress(NotWritten):  # the lines that follow say so
                    self._writer.safety(event)


def geometry_of(config: Scanner) -> Geometry:
    """The section as the site file draws it."""
    drawn = config.geometry
    return Geometry(
        fan_deg=np.linspace(*drawn.fan_deg, config.detector.pixels, dtype=np.float32),
        source_height_mm=drawn.source_height_mm,
        middle_mm=drawn.middle_mm,
        detector_mm=drawn.detector_mm,
        pitch_mm=drawn.pitch_mm,
        encoder_mm=drawn.encoder_mm,
    )


def settings_of(config: Scanner) -> Settings:
    """The tunnel's, in lines."""
    rate = config.detector.line_hz
    return Settings(
        pixels=config.detector.pixels,
        dual=config.dual,
        clear=config.clear,
        after_lines=max(8, round(config.after_s * rate)),
        calibration_age_s=config.calibration_age_h * 3600,
        longest_lines=min(100_000, round(config.longest_s * rate)),
    )


def scan_body(ref: ScanRef) -> ScanBody:
    """As it goes on the wire."""
    remarks = [
        RemarkBody(
            flaw=remark.flaw.value,
            first=remark.first,
            count=remark.count,
            energy=None if remark.energy is None else remark.energy.value,
            note=remark.note,
        )
        for remark in ref.remarks[:REMARKS_TOLD]
    ]
    return ScanBody(
        digest=ref.digest,
        scanner=ref.scanner,
        started=ref.started,
        ended=ref.ended,
        rows=ref.rows,
        pixels=ref.pixels,
        pitch_mm=ref.pitch_mm,
        bytes_kept=ref.bytes_kept,
        torn=ref.torn,
        passage=ref.subject.passage or None,
        plate=ref.subject.plate,
        containers=list(ref.subject.containers),
        remarks=remarks,
    )
