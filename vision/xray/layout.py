"""How a scan lies in an HDF5 file, and h5py's one door. Any HDF5 reader opens such a file.

/                       format, version, site, scanner, started, ended, he_mev, le_mev, subject, remarks, sealed
/raw/he  /raw/le        uint16 (lines, pixels), as the detector gave them
/lines                  one record a line: number, encoder, stamps, pulses, doses, temperature, flags
/picture/he  /picture/le   uint16 (rows, pixels), transmission times 60,000; attributes a, b: its noise
/picture/row_line       float32 (rows,)
/calibration/..         the arrays that were used: dark, dark_sigma, air (float32), bad (uint8), each he and le
/geometry               fan_deg float32 (pixels,); attributes in millimetres
/safety                 one JSON object a record
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.readings import Instant
from vision.xray.scan import (
    LINE_TABLE,
    NOT_MEASURED,
    SCALE,
    Calibration,
    Dual,
    Energy,
    Geometry,
    Noise,
    Reals,
    Remark,
    SafetyEvent,
    Scan,
    ScanHead,
    ScanRef,
    Subject,
)

FORMAT: Final = "quaygate-xray"
CALIBRATION_FORMAT: Final = "quaygate-xray-calibration"
VERSION: Final = 1
CHUNK_LINES: Final = 64
"""Lines in a chunk: 64 x 1,400 x 2 bytes is 180 kB; a tile of 512 rows touches nine of them."""
EVENT_BYTES: Final = 400
"""One safety event as JSON; a longer note is cut."""
GZIP_LEVEL: Final = 4
GEOMETRY_MM: Final = ("source_height_mm", "middle_mm", "detector_mm", "pitch_mm")
CALIBRATION_ARRAYS: Final = ("dark", "dark_sigma", "air", "bad")
CALIBRATION_FACTS: Final = ("dark_at", "air_at", "dark_lines", "air_lines", "digest")
_NO_NOISE = Noise(0.0, 0.0)
_H5PY_RAISES = (KeyError, ValueError, TypeError, IndexError, RuntimeError)
"""What h5py makes of a file whose bytes are wrong, beside OSError."""

h5: Any = h5py


class DamagedScan(Exception):
    """A file that is no whole scan, or is not what its name says."""


def create(path: Path, head: ScanHead) -> Any:
    """An open file for one scan, in single-writer mode. Raises OSError, FileExistsError."""
    file = h5.File(path, "x", libver="v110")
    pixels = head.geometry.pixels
    _write_head(file, head)
    for energy in Energy:
        _growing(file, f"raw/{energy.value}", "<u2", (pixels,))
        _growing(file, f"picture/{energy.value}", "<u2", (pixels,))
    _growing(file, "lines", LINE_TABLE, ())
    _growing(file, "picture/row_line", "<f4", ())
    _growing(file, "safety", f"S{EVENT_BYTES}", ())
    file.swmr_mode = True
    return file


def append(file: Any, name: str, values: NDArray[np.generic]) -> None:
    """Grow one dataset. Raises OSError."""
    dataset = file[name]
    had = dataset.shape[0]
    dataset.resize(had + len(values), axis=0)
    dataset[had:] = values
    dataset.flush()


def seal(path: Path, ended: Instant, subject: Subject, remarks: Sequence[Remark], noise: Dual[Noise]) -> None:
    """Write what is known at the end only. Raises OSError."""
    with h5.File(path, "r+", libver="v110") as file:
        file.attrs["ended"] = float(ended)
        file.attrs["subject"] = _json(subject)
        file.attrs["remarks"] = _json(tuple(remarks))
        for energy in Energy:
            attrs = file[f"picture/{energy.value}"].attrs
            attrs["scale"], attrs["not_measured"] = SCALE, NOT_MEASURED
            attrs["a"], attrs["b"] = noise.of(energy)
        file.attrs["sealed"] = True


def open_file(path: Path) -> Any:
    """For reading. Raises DamagedScan."""
    try:
        # What is kept is never written again; and a process that still watches it grow must be able to open it.
        return h5.File(path, "r", locking=False)
    except OSError as no:
        raise DamagedScan(f"{path.name}: no whole HDF5 file: {no}") from no


def open_growing(path: Path) -> Any:
    """For reading while it is written. Raises DamagedScan."""
    try:
        # Without a lock: whoever only looks on must not keep the writer from ending the scan.
        return h5.File(path, "r", libver="v110", swmr=True, locking=False)
    except OSError as no:
        raise DamagedScan(f"{path.name}: {no}") from no


def rows_written(file: Any, path: Path) -> int:
    """Rows of both energies' pictures that a growing file has by now. Raises DamagedScan."""
    try:
        pictures = [file[f"picture/{energy.value}"] for energy in Energy]
        for picture in pictures:
            picture.refresh()
        return min(int(picture.shape[0]) for picture in pictures)
    except (OSError, *_H5PY_RAISES) as wrong:
        raise DamagedScan(f"{path.name}: {wrong}") from wrong


def read_ref(file: Any, path: Path, digest: str) -> ScanRef:
    """Raises DamagedScan."""
    try:
        attrs = file.attrs
        if attrs["format"] != FORMAT or int(attrs["version"]) != VERSION:
            raise DamagedScan(f"{path.name}: format {attrs['format']!r} {attrs['version']} is not {FORMAT} {VERSION}")
        if not attrs.get("sealed", False):
            raise DamagedScan(f"{path.name}: never finished")
        rows, pixels = (int(n) for n in file["picture/he"].shape)
        return ScanRef(
            digest=digest,
            scanner=str(attrs["scanner"]),
            started=Instant(float(attrs["started"])),
            ended=Instant(float(attrs["ended"])),
            rows=rows,
            pixels=pixels,
            pitch_mm=float(file["geometry"].attrs["pitch_mm"]),
            subject=msgspec.json.decode(attrs["subject"], type=Subject),
            remarks=msgspec.json.decode(attrs["remarks"], type=tuple[Remark, ...]),
            bytes_kept=path.stat().st_size,
        )
    except (OSError, *_H5PY_RAISES, msgspec.MsgspecError) as wrong:
        raise DamagedScan(f"{path.name}: {wrong}") from wrong


def read_head(file: Any, path: Path, *, whole: bool = True) -> ScanHead:
    """Raises DamagedScan, also where arrays do not fit each other; unless `whole`, lengths may still differ."""
    try:
        attrs = file.attrs
        head = ScanHead(
            scanner=str(attrs["scanner"]),
            site=str(attrs["site"]),
            started=Instant(float(attrs["started"])),
            energies_mev=Dual(float(attrs["he_mev"]), float(attrs["le_mev"])),
            geometry=_read_geometry(file["geometry"]),
            calibration=_read_calibration(file["calibration"]),
        )
        pixels = {file[f"{g}/{e.value}"].shape[1] for g in ("raw", "picture") for e in Energy}
        pixels |= {head.geometry.pixels, head.calibration.pixels}
        lines = {file[name].shape[0] for name in ("raw/he", "raw/le", "lines")}
        rows = {file[name].shape[0] for name in ("picture/he", "picture/le", "picture/row_line")}
    except (OSError, *_H5PY_RAISES) as wrong:
        raise DamagedScan(f"{path.name}: {wrong}") from wrong
    if len(pixels) != 1 or (whole and (len(lines) != 1 or len(rows) != 1)):
        raise DamagedScan(f"{path.name}: its arrays do not fit: pixels {pixels}, lines {lines}, rows {rows}")
    return head


def write_calibration(path: Path, calibration: Calibration) -> None:
    """A calibration in a file of its own. Raises OSError."""
    with h5.File(path, "x", libver="v110") as file:
        file.attrs["format"], file.attrs["version"] = CALIBRATION_FORMAT, VERSION
        _put_calibration(file.create_group("calibration"), calibration)


def read_calibration(path: Path) -> Calibration:
    """Raises DamagedScan."""
    with open_file(path) as file:
        try:
            if file.attrs["format"] != CALIBRATION_FORMAT:
                raise DamagedScan(f"{path.name}: no calibration")
            return _read_calibration(file["calibration"])
        except (OSError, *_H5PY_RAISES) as wrong:
            raise DamagedScan(f"{path.name}: {wrong}") from wrong


def read_noise(file: Any, path: Path) -> Dual[Noise]:
    """Raises DamagedScan."""
    try:
        of = [Noise(float(p.attrs["a"]), float(p.attrs["b"])) for p in (file["picture/he"], file["picture/le"])]
    except (OSError, *_H5PY_RAISES) as wrong:
        raise DamagedScan(f"{path.name}: {wrong}") from wrong
    return Dual(of[0], of[1])


def array(file: Any, path: Path, name: str, rows: slice) -> Any:
    """A piece of a dataset as a numpy array. Raises DamagedScan."""
    try:
        return file[name][rows]
    except (OSError, *_H5PY_RAISES) as wrong:
        raise DamagedScan(f"{path.name}: {name} cannot be read: {wrong}") from wrong


def read_events(file: Any, path: Path) -> tuple[SafetyEvent, ...]:
    """Raises DamagedScan."""
    try:
        kept = array(file, path, "safety", slice(None))
        return tuple(msgspec.json.decode(bytes(record), type=SafetyEvent) for record in kept)
    except msgspec.MsgspecError as wrong:
        raise DamagedScan(f"{path.name}: its safety log: {wrong}") from wrong


def event_record(event: SafetyEvent) -> NDArray[np.bytes_]:
    """One record of the safety log, shape (1,)."""
    note = event.note
    while len(record := msgspec.json.encode(dataclasses.replace(event, note=note))) > EVENT_BYTES and note:
        note = note[: len(note) // 2]
    return np.array([record], dtype=f"S{EVENT_BYTES}")


def read_left(path: Path) -> Scan:
    """What a process that died had written of a scan; empty remarks, no subject. Raises DamagedScan."""
    try:
        file = h5.File(path, "r", libver="v110", swmr=True)
    except OSError as no:
        raise DamagedScan(f"{path.name}: {no}") from no
    with file:
        try:
            lines = min(int(file[name].shape[0]) for name in ("raw/he", "raw/le", "lines"))
            rows = min(int(file[name].shape[0]) for name in ("picture/he", "picture/le", "picture/row_line"))
            ended = path.stat().st_mtime
        except (OSError, *_H5PY_RAISES) as wrong:
            raise DamagedScan(f"{path.name}: {wrong}") from wrong
        head = read_head(file, path, whole=False)
        if not lines or not rows:
            raise DamagedScan(f"{path.name}: not one line")

        def part(name: str, count: int) -> Any:
            return array(file, path, name, slice(0, count))

        return Scan(
            head=head,
            ended=Instant(max(ended, head.started)),
            subject=Subject(),
            raw=Dual(part("raw/he", lines), part("raw/le", lines)),
            table=part("lines", lines),
            picture=Dual(part("picture/he", rows), part("picture/le", rows)),
            row_line=part("picture/row_line", rows),
            remarks=(),
            noise=Dual(_NO_NOISE, _NO_NOISE),
            safety=read_events(file, path),
        )


def _growing(file: Any, name: str, dtype: Any, width: tuple[int, ...]) -> None:
    chunks = (CHUNK_LINES, *width)
    file.create_dataset(
        name, (0, *width), dtype, maxshape=(None, *width), chunks=chunks, compression="gzip",
        compression_opts=GZIP_LEVEL, shuffle=True,
    )  # fmt: skip


def _write_head(file: Any, head: ScanHead) -> None:
    file.attrs.update(
        {
            "format": FORMAT,
            "version": VERSION,
            "site": head.site,
            "scanner": head.scanner,
            "started": float(head.started),
            "he_mev": head.energies_mev.he,
            "le_mev": head.energies_mev.le,
            # Room for what is known at the end: single-writer mode adds no attributes.
            "sealed": False,
        }
    )
    geometry = file.create_group("geometry")
    geometry.create_dataset("fan_deg", data=head.geometry.fan_deg.astype("<f4"))
    for name in GEOMETRY_MM:
        geometry.attrs[name] = getattr(head.geometry, name)
    geometry.attrs["encoder_mm"] = np.nan if head.geometry.encoder_mm is None else head.geometry.encoder_mm
    _put_calibration(file.create_group("calibration"), head.calibration)


def _put_calibration(group: Any, kept: Calibration) -> None:
    for name in CALIBRATION_ARRAYS:
        for energy in Energy:
            values: NDArray[Any] = getattr(kept, name).of(energy)
            stored = values.astype("u1" if values.dtype == np.bool_ else "<f4")
            group.create_dataset(f"{name}_{energy.value}", data=stored)
    for energy in Energy:
        group.attrs[f"clear_{energy.value}"] = kept.clear.of(energy)
        group.attrs[f"monitor_{energy.value}"] = kept.monitor.of(energy)
    for name in CALIBRATION_FACTS:
        group.attrs[name] = getattr(kept, name)


def _read_geometry(group: Any) -> Geometry:
    encoder = float(group.attrs["encoder_mm"])
    return Geometry(
        fan_deg=_reals(group["fan_deg"][:]),
        **{name: float(group.attrs[name]) for name in GEOMETRY_MM},
        encoder_mm=None if np.isnan(encoder) else encoder,
    )


def _read_calibration(group: Any) -> Calibration:
    def both(name: str) -> Dual[Any]:
        return Dual(*(group[f"{name}_{energy.value}"][:] for energy in Energy))

    bad = both("bad")
    clear = [tuple(int(n) for n in group.attrs[f"clear_{energy.value}"]) for energy in Energy]
    monitor = [float(group.attrs[f"monitor_{energy.value}"]) for energy in Energy]
    return Calibration(
        dark=both("dark"),
        dark_sigma=both("dark_sigma"),
        air=both("air"),
        bad=Dual(bad.he != 0, bad.le != 0),
        clear=cast("Dual[tuple[int, int]]", Dual(*clear)),
        monitor=Dual(*monitor),
        dark_at=Instant(float(group.attrs["dark_at"])),
        air_at=Instant(float(group.attrs["air_at"])),
        dark_lines=int(group.attrs["dark_lines"]),
        air_lines=int(group.attrs["air_lines"]),
        digest=str(group.attrs["digest"]),
    )


def _reals(values: Any) -> Reals:
    return np.asarray(values, np.float32)


def _json(words: Any) -> str:
    return msgspec.json.encode(words).decode()
