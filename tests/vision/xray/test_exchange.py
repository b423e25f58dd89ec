"""What leaves the archive is read back by those who know nothing of us: pydicos (another's toolkit) and tifffile."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.pixels.utils import get_expected_length

from drivers.readings import Instant
from tests.vision.xray.samples import STARTED, small_scan
from vision.xray import dicos
from vision.xray.exchange import Judgement, Mark, Parcel, parcel, uid
from vision.xray.scan import Dual, Energy
from vision.xray.store import Archive
from vision.xray.tiff import tiff

pydicos: Any = pytest.importorskip("pydicos")
tifffile: Any = pytest.importorskip("tifffile")


@pytest.fixture
def given(tmp_path: Path) -> Parcel:
    archive = Archive(tmp_path / "archive")
    with archive.open(archive.keep(small_scan(201, 77, gap=5)).digest) as kept:
        return parcel(kept)


def said(*marks: Mark, finding: Any = "open") -> Judgement:
    at = Instant(STARTED + 90.25)
    return Judgement(finding=finding, began=Instant(at - 60), at=at, persons=("a.b", "li.wei"), marks=marks)


def test_a_parcel_stands_upright(given: Parcel) -> None:
    scan = small_scan(201, 77, gap=5)
    for energy in Energy:
        np.testing.assert_array_equal(given.picture.of(energy)[::-1].T, scan.picture.of(energy))


@pytest.mark.parametrize("energy", list(Energy))
def test_the_independent_reader_gives_every_pixel(given: Parcel, energy: Energy, tmp_path: Path) -> None:
    path = tmp_path / "one.dcs"
    path.write_bytes(dicos.dx(given, energy))
    np.testing.assert_array_equal(pydicos.DXLoader(str(path)).get_data(), given.picture.of(energy))


def test_both_energies_are_one_series_and_say_what_they_are(given: Parcel) -> None:
    high, low = (dicos.read(dicos.dx(given, energy)) for energy in Energy)
    assert high.file_meta.TransferSyntaxUID.name.startswith("JPEG 2000 Image Compression (Lossless")
    assert high.SeriesInstanceUID == low.SeriesInstanceUID
    assert high.SOPInstanceUID != low.SOPInstanceUID
    assert [float(d[0x00180060].value) for d in (high, low)] == [6000, 4000]
    assert [str(d[0x40101042].value) for d in (high, low)] == ["CARGO", "CARGO"]
    assert high.PatientID == "CSQU3054383"
    assert get_expected_length(high) == given.picture.he.nbytes
    assert dicos.dx(given, Energy.HE) == dicos.dx(given, Energy.HE), "the same scan is the same file"


@pytest.mark.parametrize(("finding", "alarm"), [("open", 1), ("suspect", 1), ("clear", 2), ("again", 0)])
def test_the_independent_reader_understands_the_verdict(
    given: Parcel, finding: str, alarm: int, tmp_path: Path
) -> None:
    path = tmp_path / "one.dcs"
    path.write_bytes(dicos.tdr(given, said(Mark(x=20, y=10, width=5, height=3, note="metal 金属"), finding=finding)))
    told = pydicos.TDRLoader(str(path)).get_data()
    assert int(told["AlarmDecision"]) == alarm
    assert told["OOIID"] == "CSQU3054383"
    assert told["ProcessingTime"] == 60_000
    assert [threat["Assessment"]["description"] for threat in told["PTOs"]] == ["metal 金属"]


def test_a_mark_lies_where_it_was_drawn(given: Parcel) -> None:
    threat = dicos.read(dicos.tdr(given, said(Mark(x=20, y=10, width=5, height=3))))[0x40101011].value[0]
    shown = threat[0x40101037].value[0]
    place = shown[0x40101001].value[0]
    assert list(place[0x40101004].value) == [0, 10, 20]
    assert list(place[0x40101005].value) == [1, 3, 5]
    assert place[0x40101006].value == b"\xff\x7f", "fifteen ones"
    high = dicos.read(dicos.dx(given, Energy.HE))
    assert shown.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == high.SOPInstanceUID


def test_a_torn_scan_says_so(tmp_path: Path) -> None:
    from dataclasses import replace

    from vision.xray.scan import Flaw, Remark

    archive = Archive(tmp_path / "archive")
    torn = replace(small_scan(40, 64), remarks=(Remark(Flaw.TORN, 40, 0),))
    with archive.open(archive.keep(torn).digest) as kept:
        assert dicos.read(dicos.dx(parcel(kept), Energy.HE))[0x40101044].value == "UNSUCCESSFUL"


def test_tifffile_reads_both_pages(given: Parcel, tmp_path: Path) -> None:
    path = tmp_path / "one.tif"
    path.write_bytes(tiff(given))
    with tifffile.TiffFile(path) as file:
        pages = [page.asarray() for page in file.pages]
        words = [json.loads(page.description) for page in file.pages]
        across, down = file.pages[0].resolution
    np.testing.assert_array_equal(pages[0], given.picture.he)
    np.testing.assert_array_equal(pages[1], given.picture.le)
    assert [(word["energy"], word["scale"], word["not_measured"]) for word in words] == [
        ("he", 60_000, 0),
        ("le", 60_000, 0),
    ]
    assert 10 / across == pytest.approx(3.5, rel=1e-3)
    assert 10 / down == pytest.approx(abs(given.geometry.pixel_mm()), rel=1e-3)


def test_one_energy_gives_one_page(given: Parcel, tmp_path: Path) -> None:
    one = Parcel(ref=given.ref, head=given.head, picture=Dual(*given.picture), energies=(Energy.HE,))
    path = tmp_path / "one.tif"
    path.write_bytes(tiff(one))
    with tifffile.TiffFile(path) as file:
        assert len(file.pages) == 1


def test_names_follow_from_the_scan() -> None:
    assert uid("ab", "he") == uid("ab", "he") != uid("ab", "le")
    assert len(uid("ab", "he")) <= 64
