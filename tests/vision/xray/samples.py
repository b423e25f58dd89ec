"""A small whole scan for tests: quick to make, with raw lines, calibration, picture, remarks and a safety log."""

import numpy as np

from drivers.readings import Instant
from tests.vision.xray.frames import frame
from vision.xray.scan import (
    LINE_TABLE,
    NOT_MEASURED,
    SCALE,
    Calibration,
    Dual,
    Energy,
    Flag,
    Flaw,
    Geometry,
    Noise,
    Remark,
    SafetyEvent,
    Scan,
    ScanHead,
    Subject,
)

STARTED = Instant(1_780_000_000.0)
OFFSET, GAIN = 800, 0.75


def small_geometry(pixels: int = 256) -> Geometry:
    """The section of xray.md's design scanner with fewer pixels."""
    return Geometry(
        fan_deg=np.linspace(-12.5, 29.5, pixels, dtype=np.float32),
        source_height_mm=1500.0,
        middle_mm=6000.0,
        detector_mm=9500.0,
        pitch_mm=3.5,
        encoder_mm=0.35,
    )


def small_calibration(pixels: int = 256) -> Calibration:
    """Flat, with one dead pixel."""
    flat = np.full(pixels, OFFSET, np.float32)
    bad = np.zeros(pixels, bool)
    bad[pixels // 3] = True
    return Calibration(
        dark=Dual(flat, flat),
        dark_sigma=Dual(flat * 0 + 4, flat * 0 + 4),
        air=Dual(flat * 0 + SCALE * GAIN, flat * 0 + SCALE * GAIN * 0.6),
        bad=Dual(bad, bad),
        clear=Dual((pixels - 8, 8), (pixels - 8, 8)),
        monitor=Dual(20_000.0, 12_000.0),
        dark_at=STARTED,
        air_at=STARTED,
        dark_lines=256,
        air_lines=512,
        digest="0" * 64,
    )


def small_scan(lines: int = 400, pixels: int = 256, *, gap: int = 0, seed: int = 1, passage: str = "P1") -> Scan:
    """A container with blocks in it. `gap` lines are lost in the middle."""
    drawn = frame(width=lines, height=pixels, seed=seed)
    he, le = (np.ascontiguousarray(image[::-1].T) for image in (drawn.he, drawn.le))
    table = np.zeros(lines, LINE_TABLE)
    table["number"] = np.arange(lines)
    table["encoder"] = np.arange(lines) * 10
    table["stamp_ns"] = np.arange(lines) * 5_000_000
    table["pulse_he"], table["pulse_le"], table["dose_he"], table["dose_le"] = 20_000, 12_000, 1.0, 1.0
    table["temperature_c"] = 31.5
    row_line = np.arange(lines, dtype=np.float32)
    remarks: tuple[Remark, ...] = ()
    raw = [np.round(OFFSET + image * scale).astype(np.uint16) for image, scale in ((he, GAIN), (le, GAIN * 0.6))]
    if gap:
        lost = slice(lines // 2, lines // 2 + gap)
        for image in (he, le):
            image[lost] = NOT_MEASURED
        for counts in raw:
            counts[lost] = 0
        table["flags"][lost] = Flag.LOST_HE.bit | Flag.LOST_LE.bit
        row_line[lost] = -1
        remarks = (Remark(Flaw.GAP, lines // 2, gap),)
    return Scan(
        head=ScanHead(
            scanner="X01",
            site="test",
            started=STARTED,
            energies_mev=Dual(6.0, 4.0),
            geometry=small_geometry(pixels),
            calibration=small_calibration(pixels),
        ),
        ended=Instant(STARTED + lines / 200),
        subject=Subject(passage=passage, plate="粤B12345", containers=("CSQU3054383",)),
        raw=Dual(raw[0], raw[1]),
        table=table,
        picture=Dual(he, le),
        row_line=row_line,
        remarks=remarks,
        noise=Dual(Noise(1.42, 40.0), Noise(1.81, 40.0)),
        safety=(SafetyEvent(at=STARTED, signal="beam_on", state="on"),),
    )


__all__ = ["STARTED", "Energy", "small_calibration", "small_geometry", "small_scan"]
