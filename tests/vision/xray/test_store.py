"""The archive gives back what it was given, writes nothing twice, and tells every file that is not what it says."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.vision.xray.samples import small_scan
from vision.xray.layout import DamagedScan, h5
from vision.xray.scan import Dual, Energy, Flaw, SafetyEvent, Scan
from vision.xray.store import Archive, NotWritten, UnknownDigest, digest_of


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def same(one: Scan, other: Scan) -> None:
    for energy in Energy:
        np.testing.assert_array_equal(one.raw.of(energy), other.raw.of(energy))
        np.testing.assert_array_equal(one.picture.of(energy), other.picture.of(energy))
        for name in ("dark", "dark_sigma", "air", "bad"):
            a, b = (getattr(scan.head.calibration, name).of(energy) for scan in (one, other))
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
    np.testing.assert_array_equal(one.table, other.table)
    np.testing.assert_array_equal(one.row_line, other.row_line)
    np.testing.assert_array_equal(one.head.geometry.fan_deg, other.head.geometry.fan_deg)
    assert one.head.geometry.heights_mm().tolist() == other.head.geometry.heights_mm().tolist()
    assert (one.head.scanner, one.head.site, one.head.started) == (
        other.head.scanner,
        other.head.site,
        other.head.started,
    )
    assert one.head.energies_mev == other.head.energies_mev
    assert (one.subject, one.remarks, one.noise, one.safety) == (
        other.subject,
        other.remarks,
        other.noise,
        other.safety,
    )


def test_a_scan_comes_back_as_it_was_given(archive: Archive) -> None:
    scan = small_scan(130, 64, gap=5)
    ref = archive.keep(scan)
    assert (ref.rows, ref.pixels, ref.torn, ref.subject) == (130, 64, False, scan.subject)
    assert list(archive.digests()) == [ref.digest]
    with archive.open(ref.digest) as kept:
        same(kept.scan(), scan)
        assert kept.ref == ref
        np.testing.assert_array_equal(kept.picture(Energy.LE, slice(60, 80)), scan.picture.le[60:80])
    assert [(name, finding) for name, finding in archive.verify()] == [(f"{ref.digest}.h5", None)]


def test_its_name_is_what_sha256sum_says_and_nobody_may_write_it(archive: Archive) -> None:
    path = archive.path(archive.keep(small_scan(40, 64)).digest)
    said = subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True).stdout.split()[0]
    assert said == path.stem
    assert path.stat().st_mode & 0o222 == 0


def test_any_hdf5_reader_opens_it(archive: Archive) -> None:
    path = archive.path(archive.keep(small_scan(40, 64)).digest)
    with h5.File(path, "r") as file:
        used = {file[name].compression for name in ("raw/he", "raw/le", "picture/he", "picture/le")}
        assert used == {"gzip"}
        assert file.attrs["format"] == "quaygate-xray"


def test_the_same_scan_under_way_twice_is_refused(archive: Archive) -> None:
    scan = small_scan(40, 64)
    writer = archive.begin(scan.head)
    with pytest.raises(NotWritten):
        archive.begin(scan.head)
    writer.abandon()


def test_what_is_there_is_never_replaced(archive: Archive, tmp_path: Path) -> None:
    ref = archive.keep(small_scan(40, 64))
    kept = archive.path(ref.digest)
    before = kept.stat()
    again = tmp_path / "again.h5"
    again.write_bytes(kept.read_bytes())
    assert archive.take(again) == ref
    after = kept.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("digest", ["", "..", "../../etc/passwd", "0" * 63, "0" * 64, "G" * 64, "A" * 64])
def test_an_unknown_digest_is_refused(archive: Archive, digest: str) -> None:
    with pytest.raises(UnknownDigest):
        archive.open(digest)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_refused_and_found(archive: Archive, share: float) -> None:
    ref = archive.keep(small_scan(40, 64))
    path = archive.path(ref.digest)
    path.chmod(0o644)
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(DamagedScan):
        archive.open(ref.digest).scan()
    ((_, finding),) = archive.verify()
    assert finding is not None and "hash" in finding.why


def test_one_changed_byte_is_found(archive: Archive) -> None:
    path = archive.path(archive.keep(small_scan(40, 64)).digest)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    ((_, finding),) = archive.verify()
    assert finding is not None and digest_of(path)[:16] in finding.why


def test_a_foreign_file_and_a_foreign_format_are_found(archive: Archive) -> None:
    folder = archive.folder / "ab"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("x")
    other = archive.folder / "other.h5"
    with h5.File(other, "w") as file:
        file.attrs["format"], file.attrs["version"] = "something", 7
    digest = digest_of(other)
    place = archive.path(digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    other.rename(place)
    said = {name: finding.why for name, finding in archive.verify() if finding}
    assert "no digest" in said["notes.txt"]
    assert "something" in said[place.name]


def test_arrays_that_do_not_fit_each_other_are_refused(archive: Archive) -> None:
    path = archive.path(archive.keep(small_scan(40, 64)).digest)
    path.chmod(0o644)
    with h5.File(path, "r+") as file:
        file["picture/le"].resize(39, axis=0)
    with pytest.raises(DamagedScan, match="do not fit"):
        archive.open(path.stem)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.vision.xray.samples import small_scan
from vision.xray.scan import Dual
from vision.xray.store import Archive
scan = small_scan(128, 64)
writer = Archive(Path(sys.argv[1])).begin(scan.head)
writer.safety(scan.safety[0])
writer.lines(Dual(scan.raw.he[:64], scan.raw.le[:64]), scan.table[:64])
writer.rows(Dual(scan.picture.he[:60], scan.picture.le[:60]), scan.row_line[:60])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_scan_whose_process_was_killed_is_kept_as_torn(archive: Archive) -> None:
    subprocess.run([sys.executable, "-c", KILLED, archive.folder], check=False)
    (ref,) = archive.recover()
    scan = small_scan(128, 64)
    assert ref.torn and ref.remarks[-1].flaw is Flaw.TORN
    with archive.open(ref.digest) as kept:
        np.testing.assert_array_equal(kept.raw(Energy.HE), scan.raw.he[:64])
        np.testing.assert_array_equal(kept.picture(Energy.LE), scan.picture.le[:60])
        assert kept.safety() == scan.safety
    assert archive.recover() == []
    assert not list((archive.folder / "under-way").iterdir())


def test_what_cannot_be_recovered_stays_where_it_lies(archive: Archive) -> None:
    under_way = archive.folder / "under-way"
    under_way.mkdir(parents=True)
    (under_way / "X01-1.h5").write_bytes(b"no hdf5 at all")
    assert archive.recover() == []
    assert (under_way / "X01-1.h5").read_bytes() == b"no hdf5 at all"


def test_a_full_disk_says_so() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this machine")
    with pytest.raises(NotWritten):
        Archive(full).begin(small_scan(40, 64).head)


def test_a_long_note_of_the_safety_log_is_cut_not_lost(archive: Archive) -> None:
    scan = small_scan(40, 64)
    writer = archive.begin(scan.head)
    writer.safety(SafetyEvent(at=scan.head.started, signal="door", state="open", note="é" * 900))
    writer.lines(scan.raw, scan.table)
    writer.rows(scan.picture, scan.row_line)
    ref = writer.finish(scan.ended, scan.subject, (), scan.noise)
    with archive.open(ref.digest) as kept:
        (event,) = kept.safety()
    assert event.signal == "door" and 50 < len(event.note) < 900


def test_lines_past_the_ceiling_are_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision.xray.store.MAX_LINES", 50)
    scan = small_scan(40, 64)
    writer = archive.begin(scan.head)
    writer.lines(scan.raw, scan.table)
    with pytest.raises(NotWritten, match="no scan of one truck"):
        writer.lines(Dual(scan.raw.he, scan.raw.le), scan.table)
    writer.abandon()
