"""A review from the seat to the lanes, over HTTP: what is refused, what is kept, and what a restart finds again."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consoles.config import InspectionPart
from gateway_ctl import book
from gateway_ctl.inspection import Finding, Verdict
from gateway_ctl.orders import Seal, SignedOrder
from gateway_ctl.seal import admit_verdict
from telemetry.payloads.envelope import body, unwrap
from telemetry.payloads.order import VerdictBody
from tests.browser.scans import keep_small
from tests.consoles.inspection.office import PERSONS, PIN, RING, Office, draft
from vision.xray.scan import Energy
from vision.xray.store import Archive

NOBODY = "0" * 64


async def stocked(office: Office, *seeds: int, **how: Any) -> list[str]:
    """Small scans in the archive and at the desk."""
    made: list[str] = []
    for seed in seeds:
        ref = keep_small(office.archive.folder, seed=seed, lines=300, pixels=200, **how)
        await office.reviews.arrived(ref)
        made.append(ref.digest)
    return made


def opened(sealed: VerdictBody) -> Verdict:
    seals = tuple(Seal(key=s.key, signature=base64.b64decode(s.signature)) for s in sealed.seals)
    verdict = admit_verdict(SignedOrder(payload=base64.b64decode(sealed.payload), seals=seals), RING)
    assert isinstance(verdict, Verdict), verdict
    return verdict


async def test_without_a_seat_there_is_nothing_to_see(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        (digest,) = await stocked(office, 1)
        web = office.web()
        assert (await web.get("/api/inspection/me")).status_code == 204
        for path in (f"/api/xray/{digest}/card", f"/api/xray/{digest}/fine/he/0/0/0", f"/api/xray/{digest}/probe"):
            assert (await web.get(path)).status_code == 401
        assert (await web.post("/api/inspection/next", {})).status_code == 401
        wrong = await web.post("/api/inspection/seat", {"person": "wang.fang", "pin": "1"})
        assert (wrong.status_code, wrong.json()["kind"], wrong.json()["left"]) == (403, "wrong pin", 4)
        operator = await web.post("/api/inspection/seat", {"person": "li.wei", "pin": PIN})
        assert operator.json()["kind"] == "unknown person", "an operator opens booms; he clears no images"
        assert (await web.post("/api/inspection/seat", {"person": "x"})).json()["kind"] == "malformed"


async def test_a_reader_sees_what_is_in_his_hand_and_nothing_that_waits(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        first, second = await stocked(office, 1, 2)
        web = await office.seated("wang.fang")
        review = await web.take()
        mine = review["card"]["digest"]
        other = second if mine == first else first
        assert (await web.get(f"/api/xray/{mine}/card")).json() == review["card"]
        assert (await web.get(f"/api/xray/{other}/card")).status_code == 403
        assert (await web.get(f"/api/xray/{NOBODY}/card")).status_code == 404
        assert (await (await office.seated("zhao.min")).get(f"/api/xray/{other}/card")).status_code == 200
        tile = await web.get(f"/api/xray/{mine}/fine/he/0/0/0")
        assert tile.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert tile.content == (await web.get(f"/api/xray/{mine}/fine/he/0/0/0")).content
        for bad in ("fine/he/0/512/0", "fine/he/9/0/0", "best/he/0/0/0", "fine/xe/0/0/0", "base/he/0/0/0"):
            assert (await web.get(f"/api/xray/{mine}/{bad}")).status_code == 404, bad


async def test_a_probe_tells_the_archive_s_own_values(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        (digest,) = await stocked(office, 1)
        web = await office.seated("wang.fang")
        card = (await web.take())["card"]
        with Archive(office.archive.folder).open(digest) as kept:
            he, le = (kept.picture(energy) for energy in Energy)
        told = (await web.get(f"/api/xray/{digest}/probe?x=100&y=60&w=7&h=5")).json()
        rows = slice(card["pixels"] - 65, card["pixels"] - 60)
        assert told["he"] == pytest.approx(he[100:107, rows].mean())
        assert told["le"] == pytest.approx(le[100:107, rows].mean())
        assert told["pixels"] == told["of"] == 35
        for wrong in ("x=-1&y=0&w=7&h=7", "x=298&y=0&w=7&h=7", "x=0&y=0&w=0&h=7", "x=0&y=0&w=9000&h=1"):
            assert (await web.get(f"/api/xray/{digest}/probe?{wrong}")).status_code == 404
        assert (await web.get(f"/api/xray/{digest}/probe?x=a&y=0&w=7&h=7")).status_code == 400


async def test_a_verdict_is_sealed_recorded_and_told(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        (digest,) = await stocked(office, 1)
        web = await office.seated("wang.fang")
        review = await web.take()
        answer = (await web.judge(digest, "clear", seen=review["cells"]["load"], note="无夹藏")).json()
        assert (answer["kind"], answer["lanes"]) == ("done", ["L01", "L02"])
        (recorded,) = office.line.recorded
        verdict = opened(recorded.sealed)
        assert (verdict.finding, verdict.scan, verdict.persons) == (Finding.CLEAR, digest, ("wang.fang",))
        assert verdict.passage == "L01-0001" and verdict.containers == ("CSQU3054383",)
        assert "无夹藏" in verdict.reason_zh
        assert verdict.view == hashlib.sha256(recorded.record.encode()).hexdigest()
        seen = msgspec.json.decode(recorded.record)
        assert seen["draft"] == draft(seen=review["cells"]["load"])
        assert seen["person"] == "wang.fang" and seen["judged_at"] >= seen["taken_at"]
        assert [topic for topic, _ in office.line.sent] == [
            "quaygate/v1/qianwan/L01/verdict",
            "quaygate/v1/qianwan/L02/verdict",
        ]
        assert opened(body(unwrap(office.line.sent[0][1]), VerdictBody)) == verdict
        me = await web.me()
        assert me["review"] is None and me["tallies"][0]["clear"] == 1
    assert isinstance(book.verify(tmp_path / "review" / "book.sqlite"), book.Verified)


async def test_what_a_verdict_is_refused_for(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        (digest,) = await stocked(office, 1)
        web, colleague = await office.seated("wang.fang"), await office.seated("chen.jie")
        review = await web.take()
        load = review["cells"]["load"]

        async def kind(by: Any, of: str, finding: str, **how: Any) -> str:
            answer = (await by.judge(of, finding, **{"seen": load, **how})).json()
            assert answer["kind"] == "malformed" or answer["kind"] == "wrong pin" or answer["say"]["zh"]
            return answer["kind"]

        assert await kind(web, digest, "clear", seen="") == "unseen"
        assert await kind(web, NOBODY, "clear") == "unknown scan"
        assert await kind(web, "etc", "clear") == "unknown scan"
        assert await kind(colleague, digest, "clear") == "not yours"
        assert await kind(await office.seated("zhao.min"), digest, "clear") == "malformed", "she reads no images"
        assert await kind(web, digest, "clear", pin="0") == "wrong pin"
        assert await kind(web, digest, "perhaps") == "malformed"
        assert await kind(web, digest, "clear", note="\x07") == "malformed"
        (torn,) = await stocked(office, 2, torn=True)
        reader = await office.seated("sun.li")
        assert (await reader.take())["card"]["digest"] == torn
        assert await kind(reader, torn, "clear") == "torn" and await kind(reader, torn, "open") == "torn"
        assert (await reader.judge(torn, "again", seen="")).json()["kind"] == "done"
        assert opened(office.line.recorded[-1].sealed).torn
        path = office.archive.path(digest)
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:20_000])
        assert await kind(web, digest, "open") == "unknown scan", "a truncated file is no scan"
        assert len(office.line.recorded) == 1


async def test_a_restart_finds_seats_hands_and_drafts_again(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        (digest,) = await stocked(office, 1)
        web = await office.seated("wang.fang")
        await web.take()
        path = f"/api/inspection/tasks/{digest}/draft"
        for spent in (1.0, 2.0, 12.5):
            saved = (await web.post(path, {"draft": draft(seen="0f", spent_s=spent), "active": True})).json()
            assert saved["yours"] and saved["left_s"] > 290
        cookies = web.client.cookies
    async with Office(tmp_path) as again:
        web = again.web()
        web.client.cookies = cookies
        review = (await web.me())["review"]
        assert review["draft"] == draft(seen="0f")
        assert review["card"]["digest"] == digest
        assert (await web.judge(digest, "open", seen="")).json()["kind"] == "done"


async def test_what_could_not_be_told_is_told_after_a_restart(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        office.line.up = False
        (digest,) = await stocked(office, 1)
        web = await office.seated("wang.fang")
        await web.take()
        answer = (await web.judge(digest, "open", seen="")).json()
        assert (answer["kind"], answer["lanes"]) == ("done", [])
        assert office.line.sent == [] and len(office.line.recorded) == 1
    async with Office(tmp_path) as again:
        await again.reviews.tell_all()
        assert len(again.line.sent) == 2 and len(again.line.recorded) == 1
        await again.reviews.tell_all()
        assert len(again.line.sent) == 2
        assert again.reviews.desk.tasks[digest].told == ["L01", "L02"]


async def test_a_second_reading_is_blind_and_a_third_decides(tmp_path: Path) -> None:
    async with Office(tmp_path, settings=InspectionPart(second_share=1.0)) as office:
        (digest,) = await stocked(office, 1)
        first, second, third = [await office.seated(who) for who in ("wang.fang", "chen.jie", "sun.li")]
        review = await first.take()
        answer = (await first.judge(digest, "clear", seen=review["cells"]["load"])).json()
        assert answer == {"kind": "done", "say": None, "wait_s": None, "left": None, "lanes": []}
        assert (await first.me())["waiting"] == 0 and office.line.recorded == []
        fresh = await second.take()
        assert fresh["draft"] is None
        (row,) = (await second.me())["queue"]
        assert row["reading"] is None and row["holder"] is None and row["why"] == "" and row["digest"] == ""
        head = await (await office.seated("zhao.min")).me()
        assert head["queue"][0]["reading"] == 2 and head["queue"][0]["why"] == "random"
        await second.judge(digest, "open", seen="")
        assert office.line.recorded == [], "they do not agree"
        await third.take()
        await third.judge(digest, "open", seen="")
        assert opened(office.line.recorded[0].sealed).persons == ("sun.li",)
        assert office.line.recorded[0].persons == ["wang.fang", "chen.jie", "sun.li"]
        head = await (await office.seated("zhao.min")).me()
        told = {t["person"]: (t["twice"], t["agreed"]) for t in head["tallies"]}
        assert told == {"wang.fang": (1, 0), "chen.jie": (1, 1), "sun.li": (1, 1)}
        (own,) = (await first.me())["tallies"]
        assert own["twice"] == 0


async def test_leaving_gives_the_scan_back_and_ends_the_seat(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        (digest,) = await stocked(office, 1)
        web = await office.seated("wang.fang")
        await web.take()
        assert (await web.post(f"/api/inspection/tasks/{digest}/back", {})).json()["kind"] == "done"
        assert (await web.post(f"/api/inspection/tasks/{digest}/back", {})).status_code == 409
        await web.take()
        cookies = dict(web.client.cookies)
        assert (await web.post("/api/inspection/leave", {})).json()["kind"] == "done"
        web.client.cookies.update(cookies)
        assert (await web.get("/api/inspection/me")).status_code == 204, "the cookie opens nothing any more"
        assert office.reviews.desk.held_by("wang.fang") is None


async def test_a_lock_runs_out(tmp_path: Path) -> None:
    async with Office(tmp_path, settings=InspectionPart(second_share=0.0, lock_s=0.01)) as office:
        (digest,) = await stocked(office, 1)
        web = await office.seated("wang.fang")
        await web.take()
        while office.reviews.desk.held_by("wang.fang") is not None:
            await office.reviews.give_back_silent()
        saved = await web.post(f"/api/inspection/tasks/{digest}/draft", {"draft": draft(), "active": True})
        assert saved.json() == {"yours": False, "left_s": 0.0}
        assert (await web.judge(digest, "open", seen="")).json()["kind"] == "not yours"


async def test_scans_to_compare_with(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        earlier, other = await stocked(office, 1, box="CSQU3054383"), await stocked(office, 2, box="TGHU7654321")
        web = await office.seated("wang.fang")
        for _ in range(2):
            review = await web.take()
            await web.judge(review["card"]["digest"], "open", seen="")
        (now,) = await stocked(office, 3, box="CSQU3054383")
        await web.take()
        likes = (await web.get(f"/api/inspection/tasks/{now}/like")).json()
        assert [like["digest"] for like in likes] == [*earlier, *other]
        assert [like["why"] for like in likes] == ["same container", "same scanner"]


async def test_the_colours_are_one_binary(tmp_path: Path) -> None:
    async with Office(tmp_path) as office:
        web = office.web()
        answer = await web.get("/api/xray/palette/X01/6/4")
        assert answer.status_code == 200 and answer.content[:4] == b"QGM1" and len(answer.content) < 40_000
        assert (await web.get("/api/xray/palette/X01/4/6")).status_code == 404
        assert (await web.get("/api/xray/palette/X01/nan/4")).status_code == 404


def test_every_inspector_is_somebody() -> None:
    assert {p.id for p in PERSONS if p.role == "inspector"} == {"wang.fang", "chen.jie", "sun.li"}
