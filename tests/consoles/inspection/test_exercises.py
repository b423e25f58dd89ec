"""Training over HTTP: threats in clear scans, scored and logged, and nothing that could pass for a scan or a
verdict.
"""

import json
from pathlib import Path
from typing import Any

from tests.consoles.inspection.office import Office, Web
from tests.consoles.inspection.test_assist import kept
from tests.vision.xray.matter import table
from vision.xray.scan import ScanRef


async def cleared(office: Office) -> tuple[Web, ScanRef]:
    """A seat, and a scan that was found clear."""
    folder = office.archive.folder / "materials"
    folder.mkdir(parents=True)
    (folder / "X01.json").write_bytes(table().wire())
    ref = kept(office.archive, "61", 7, kg=8_000.0)
    await office.reviews.arrived(ref)
    web = await office.seated("wang.fang")
    assert (await web.post("/api/inspection/exercise", {})).status_code == 404
    task = await web.take()
    assert (await web.judge(ref.digest, "clear", seen=task["cells"]["load"])).json()["kind"] == "done"
    return web, ref


def answer(*marks: dict[str, Any], opened: bool = False) -> dict[str, Any]:
    return {"marks": list(marks), "opened": opened, "spent_s": 21.5}


async def test_exercises_are_scored_and_the_log_says_what_was_shown(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        web, ref = await cleared(office)
        before = office.archive.path(ref.digest).read_bytes()
        outcomes: list[str] = []
        told: dict[str, Any] = {}
        for n in range(5):
            drill = (await web.post("/api/inspection/exercise", {})).json()
            name = drill["card"]["digest"]
            assert name.startswith("tip-") and drill["card"]["containers"] == [] and drill["card"]["plate"] == ""
            tile = await web.get(f"/api/inspection/exercise/{name}/base/he/3/0/0")
            assert tile.status_code == 200 and len(tile.content) > 1000
            assert tile.headers["cache-control"] == "no-store"
            mark = {"name": "A1", "x": 100, "y": 100, "width": 30, "height": 30, "note": ""}
            told = (
                await web.post(f"/api/inspection/exercise/{name}/answer", answer(*([mark] if n % 2 else [])))
            ).json()
            outcomes.append(told["outcome"])
            assert (told["box"] is None) == (told["threat"] == "")
            # An answered exercise is over.
            again = await web.post(f"/api/inspection/exercise/{name}/answer", answer())
            assert again.status_code == 404
        lines = [json.loads(line) for line in (tmp_path / "review/exercises/exercises.jsonl").read_text().splitlines()]
        assert [line["outcome"] for line in lines] == outcomes and len(lines) == 5
        for line in lines:
            assert line["person"] == "wang.fang" and line["master"] == ref.digest
            assert bool(line["projection"]) == bool(line["threat"]) == (line["placement"] is not None)
            assert line["outcome"] in (("miss", "hit") if line["projection"] else ("false_alarm", "rejected"))
        assert told["hits"]["of"] + told["false_alarms"]["of"] == 5
        assert 0 <= told["hits"]["low"] <= told["hits"]["high"] <= 1
        assert office.archive.path(ref.digest).read_bytes() == before
        assert [found for _, found in office.archive.verify() if found] == []


async def test_a_mark_on_the_threat_is_a_hit(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        web, _ = await cleared(office)
        for _ in range(30):
            name = (await web.post("/api/inspection/exercise", {})).json()["card"]["digest"]
            held = office.routes._exercises._held["wang.fang"]  # pyright: ignore[reportOptionalMemberAccess]
            if held.projected is None:
                continue
            box = held.projected.box
            mark = {"name": "A1", "x": box.row, "y": held.card.pixels - box.pixel - box.pixels, "width": box.rows,
                    "height": box.pixels, "note": ""}  # fmt: skip
            told = (await web.post(f"/api/inspection/exercise/{name}/answer", answer(mark, opened=True))).json()
            assert told["outcome"] == "hit" and told["hits"]["count"] == 1
            return
        raise AssertionError("thirty exercises and no threat in any")


async def test_no_verdict_and_no_tile_of_a_scan_can_be_had_by_an_exercise_s_name(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        web, _ = await cleared(office)
        name = (await web.post("/api/inspection/exercise", {})).json()["card"]["digest"]
        said = await web.judge(name, "open", seen="")
        assert said.json()["kind"] == "unknown scan" and len(office.line.recorded) == 1
        assert (await web.get(f"/api/xray/{name}/card")).status_code == 404
        assert (await web.get(f"/api/inspection/exercise/{name}/base/he/9/0/0")).status_code == 404
        assert (await web.get(f"/api/inspection/exercise/{name}/base/xx/3/0/0")).status_code == 404
        other = await office.seated("chen.jie")
        assert (await other.get(f"/api/inspection/exercise/{name}/base/he/3/0/0")).status_code == 404
        assert (await other.post(f"/api/inspection/exercise/{name}/answer", answer())).status_code == 404
        head = await office.seated("zhao.min")
        assert (await head.post("/api/inspection/exercise", {})).status_code == 404
        assert (await web.post(f"/api/inspection/exercise/{name}/answer", {"marks": 3})).status_code == 400
