"""What the system says of a scan itself, as a page hears it: beside the papers, learnt from passages, to nobody
else.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from consoles.wire import ViewNow
from tests.browser.scenes import SCENES
from tests.consoles.inspection.office import Office
from tests.vision.xray.matter import NOISE, table
from tests.vision.xray.samples import small_scan
from tests.vision.xray.trucks import section, truck
from vision.xray.scan import Dual, ScanRef
from vision.xray.store import Archive


def kept(archive: Archive, chapter: str | None, seed: int, *, kg: float | None = None, passage: str = "") -> ScanRef:
    """A truck's scan in the archive."""
    _, picture = truck(chapter, seed, kg=kg)
    rows, pixels = picture.he.shape
    plain = small_scan(rows, pixels, seed=seed, passage=passage)
    head = replace(plain.head, geometry=section(), energies_mev=Dual(6.0, 4.0), started=plain.head.started + seed)
    return archive.keep(replace(plain, head=head, picture=picture, noise=NOISE, remarks=()))


async def said(office: Office, ref: ScanRef, who: str = "wang.fang") -> dict[str, Any]:
    """By kind."""
    answer = await (await office.seated(who)).get(f"/api/inspection/tasks/{ref.digest}/says")
    assert answer.status_code == 200, answer.text
    return {finding["kind"]: finding for finding in answer.json()["findings"]}


async def test_the_page_hears_numbers_with_their_worth_beside_the_papers(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        folder = office.archive.folder / "materials"
        folder.mkdir(parents=True)
        (folder / "X01.json").write_bytes(table().wire())
        now = office.clock.now()
        view = msgspec.structs.replace(SCENES["refused"](now), passage="L01-0001")
        office.views = {"L01": ViewNow(at=now, body=view)}
        ref = kept(office.archive, "39", 21, kg=15_000.0, passage="L01-0001")
        await office.reviews.arrived(ref)
        web = await office.seated("wang.fang")
        assert (await web.get(f"/api/inspection/tasks/{ref.digest}/says")).status_code == 403  # it is in nobody's hand
        assert (await web.take())["papers"]["image_kg"] is None
        found = await said(office, ref)
        assert set(found) == {"blind", "stripes", "lost_lines", "mass", "three_way", "empty"}
        assert abs(found["mass"]["value"] - 15_000) < 2.5 * found["mass"]["sigma"]
        assert found["three_way"]["say"]["en"].startswith("Gross, with the truck: image")
        assert "申报 37000" in found["three_way"]["say"]["zh"] and "地磅 40580" in found["three_way"]["say"]["zh"]
        for place in found["empty"]["places"]:
            assert 0 <= place["x"] < place["x"] + place["width"] <= ref.rows
            assert 0 <= place["y"] < place["y"] + place["height"] <= ref.pixels
        review = (await web.me())["review"]
        assert review["papers"]["image_kg"] == round(found["mass"]["value"])
        # The passage was weighed: the next one's scale knows it.
        learnt = (tmp_path / "review/learnt/X01/gross.jsonl").read_text().splitlines()
        assert len(learnt) == 1 and '"kg":40580' in learnt[0] and ref.digest in learnt[0]


async def test_an_earlier_scan_of_the_same_container_is_laid_beside(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        first, then = (kept(office.archive, "39", seed, kg=9_000.0) for seed in (5, 6))
        await office.reviews.arrived(first)
        web = await office.seated("wang.fang")
        task = await web.take()
        told = await web.judge(first.digest, "clear", seen=task["cells"]["load"])
        assert told.json()["kind"] == "done"
        await office.reviews.arrived(then)
        assert (await web.take())["card"]["digest"] == then.digest
        found = await said(office, then)
        assert found["difference"]["value"] > 0 and found["difference"]["places"]
        assert "three_way" not in found


async def test_a_picture_without_a_container_has_its_flaws_told(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        ref = office.archive.keep(small_scan(300, 200, gap=12))
        await office.reviews.arrived(ref)
        web = await office.seated("wang.fang")
        await web.take()
        found = await said(office, ref)
        assert set(found) == {"blind", "stripes", "lost_lines"}
        assert found["lost_lines"]["value"] == 12 / ref.rows
        answer = await web.get(f"/api/inspection/tasks/{'0' * 64}/says")
        assert answer.status_code == 404


async def test_nobody_without_a_seat_hears_anything(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        ref = office.archive.keep(small_scan(300, 200))
        await office.reviews.arrived(ref)
        assert (await office.web().get(f"/api/inspection/tasks/{ref.digest}/says")).status_code == 401
