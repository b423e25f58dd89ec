"""What lies beside the image: papers of the lane or of the records, lane pictures, and the material under a box."""

import logging
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from consoles.clock import ConsoleClock
from consoles.inspection.desk import Arrived
from consoles.inspection.papers import SAME_TRIP_S, LanePictures, PapersDesk
from consoles.wire import PassageRow, ViewNow
from tests.browser.scans import keep_small
from tests.browser.scenes import SCENES
from tests.consoles.inspection.office import Office
from vision.xray.curves import Point
from vision.xray.material import computed, fitted
from vision.xray.scan import Dual

JPEG = b"\xff\xd8\xff\xe0 a picture"


def row(passage: str, *, plate: str = "沪AD3F88", gross_kg: float = 38_260.0) -> PassageRow:
    return PassageRow(
        passage=passage, lane="L02", opened_at=1_000.0, closed_at=1_060.0, outcome="crossed", plate=plate,
        gross_kg=gross_kg, decision="release", reasons=[], seconds=60.0,
    )  # fmt: skip


async def papers(office: Office) -> dict[str, Any]:
    """Of the one scan in the archive."""
    await office.reviews.arrived(keep_small(office.archive.folder, lines=300, pixels=200))
    return (await (await office.seated("wang.fang")).take())["papers"]


async def test_papers_of_a_truck_that_stands_in_a_lane(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        now = office.clock.now()
        view = msgspec.structs.replace(SCENES["refused"](now), passage="L01-0001")
        office.views = {"L01": ViewNow(at=now, body=view)}
        office.passages = [row("L02-0009", gross_kg=15_400.0), row("L02-0003", plate="鲁B12345")]
        folder = tmp_path / "lane-pictures/L01"
        folder.mkdir(parents=True)
        for name, ago_s in (("b.jpg", 1), ("a.JPG", 3), ("of another truck.jpg", 900), ("notes.txt", 1)):
            (folder / name).write_bytes(JPEG)
            os.utime(folder / name, (now - ago_s, now - ago_s))
        told = await papers(office)
        assert (told["lane"], told["declared_kg"], told["tolerance_kg"], told["gross_kg"]) == (
            "L01",
            37000,
            1850,
            40580,
        )
        assert (told["reads"][0]["what"], told["reads"][0]["text"]) == ("plate", "沪AD3F88")
        assert [(row["passage"], row["gross_kg"]) for row in told["before"]] == [("L02-0009", 15_400.0)]
        assert [path.rsplit("/", 1)[1] for path in told["pictures"]] == ["a.JPG", "b.jpg"]

        web = await office.seated("wang.fang")
        shown = await web.get(told["pictures"][0])
        assert (shown.content, shown.headers["content-type"]) == (JPEG, "image/jpeg")
        assert (await office.web().get(told["pictures"][0])).status_code == 401
        (tmp_path / "secret.jpg").write_bytes(JPEG)
        (folder / "page.jpg").write_bytes(b"<script>")
        base = told["pictures"][0].rsplit("/", 2)[0]
        for bad in ("../secret.jpg", "%2e%2e/secret.jpg", "L01/notes.txt", "L01/none.jpg", "L01/page.jpg"):
            assert (await web.get(f"{base}/{bad}")).status_code == 404, bad


async def test_papers_of_a_truck_that_has_gone(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        office.passages = [row("L01-0001"), row("L02-0003")]
        told = await papers(office)
        assert (told["lane"], told["gross_kg"], told["declared_kg"]) == ("L02", 38_260.0, None)
        assert [row["passage"] for row in told["before"]] == ["L02-0003"]


async def test_a_scan_before_the_lane_finds_its_truck_by_plate(tmp_path: Path) -> None:
    """The scanner knows no passage: the truck has not come to its lane yet, or has just left it."""
    clock = ConsoleClock()
    scan = Arrived(digest="d", scanner="X01", started=900.0, ended=912.0, plate="沪AD3F88")
    rows = [row("L02-0003"), msgspec.structs.replace(row("L02-0001"), opened_at=900.0 - SAME_TRIP_S)]
    views: dict[str, ViewNow] = {}

    async def passages(_: int) -> list[PassageRow]:
        return rows

    desk = PapersDesk(lambda: views, passages, LanePictures(tmp_path, clock))
    told = await desk(scan)
    assert (told.lane, told.gross_kg, [each.passage for each in told.before]) == ("L02", 38_260.0, ["L02-0001"])
    views["L01"] = ViewNow(at=1.0, body=SCENES["refused"](1.0))
    told = await desk(scan)
    assert (told.lane, told.gross_kg, told.declared_kg) == ("L01", 40_580.0, 37_000.0)
    told = await desk(msgspec.structs.replace(scan, plate="鲁B00001"))
    assert (told.lane, told.gross_kg, told.before) == (None, None, [])


async def test_papers_of_nobody_are_empty(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        told = await papers(office)
        assert (told["lane"], told["gross_kg"], told["lines"], told["pictures"]) == (None, None, [], [])
        assert told["containers"] == ["CSQU3054383"]


async def test_a_box_over_an_edge_is_no_material(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        ref = keep_small(office.archive.folder, lines=1400, pixels=620)
        await office.reviews.arrived(ref)
        web = await office.seated("wang.fang")
        review = await web.take()
        assert review["measured"] is False
        probe = f"/api/xray/{ref.digest}/probe"
        # tests/vision/xray/frames.py: a block of a log-attenuation of 4 with steel's ratio stands in the middle.
        told = (await web.get(f"{probe}?x=720&y=240&w=20&h=20")).json()["material"]
        assert told["name"]["en"] == "Metal"
        assert told["sure"] > 0.9
        assert told["steel_mm"] == pytest.approx(125, rel=0.1), "6 MeV: 3.2 a decimetre of steel"
        assert told["g_cm2"] == pytest.approx(0.785 * told["steel_mm"], rel=0.03)
        assert told["measured"] is False
        edge = (await web.get(f"{probe}?x=690&y=190&w=60&h=60")).json()["material"]
        assert edge["name"]["en"] == "Not uniform"
        assert (edge["sure"], edge["z"], edge["also"]) == (0.0, None, [])


async def test_a_scanner_s_own_curves_count_and_broken_ones_do_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pair, points = computed(6.0, 4.0), list[Point]()
    for material in ("PE", "aluminium", "steel"):
        grams = np.array([10.0, 30, 60, 100, 150])
        seen = pair.transmission(material, grams)
        for g, he, le in zip(grams, seen.he, seen.le, strict=True):
            points.append(
                Point(
                    material=material, g_cm2=float(g), he=float(-np.log(he)), le=float(-np.log(le)),
                    he_sigma=0.001, le_sigma=0.001,
                )
            )  # fmt: skip
    folder = tmp_path / "archive/materials"
    folder.mkdir(parents=True)
    file = folder / "X01.json"
    async with Office(tmp_path) as office:
        physics = (await office.web().get("/api/xray/palette/X01/6/4")).content
        file.write_bytes(fitted(points, Dual(6.0, 4.0)).wire())
        told = await papers(office)
        assert told["passage"]
        web = await office.seated("wang.fang")
        assert (await web.me())["review"]["measured"] is True
        assert (await office.web().get("/api/xray/palette/X01/6/4")).content != physics
        with caplog.at_level(logging.WARNING):
            file.write_bytes(b"{}")
            assert (await office.web().get("/api/xray/palette/X01/6/4")).content == physics
            assert (await office.web().get("/api/xray/palette/X01/6/4")).content == physics
        assert sum("physics alone" in record.message for record in caplog.records) == 1
