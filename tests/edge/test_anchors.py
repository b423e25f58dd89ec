"""A lane signs its book at its start, at each day's end, at its own end; the recorder's copies find out a rewriting."""

import asyncio
import tomllib
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from drivers.readings import Instant
from edge.clock import SiteClock
from edge.config import Site, load
from edge.evidence.proof import anchor_public, prove
from edge.lane.anchors import anchored, day_ends, day_of
from edge.mistakes import SiteFileWrong
from edge.toml_text import document
from gateway_ctl.anchor import SignedAnchor, parse
from gateway_ctl.book import Book, entries
from gateway_ctl.seal import new_key
from telemetry.payloads.lane import AnchorBody
from telemetry.spool import Spool
from telemetry.voice import Voice
from tests.edge.fast import JumpClock

EXAMPLE = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"


def site_with(folder: Path, private: str, public: str) -> Site:
    told = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    told["site"]["data"] = "."
    told["anchors"] = {"key_file": "anchor.key", "public": public}
    (folder / "anchor.key").write_text(private)
    (folder / "site.toml").write_text(document(told), encoding="utf-8")
    return load(folder / "site.toml")


async def test_a_day_in_the_life_of_a_book(tmp_path: Path) -> None:
    site = site_with(tmp_path, *new_key())
    clock = JumpClock()
    began = clock.now()
    path = tmp_path / "book.sqlite"
    async with Book(path) as book, Spool(tmp_path / "spool.sqlite") as spool:
        voice = Voice.join(site.broker, spool, site.id, "L01", clock)
        await book.write("started", clock.now(), {})
        async with anchored(site, "L01", book, voice, clock):
            async with asyncio.timeout(30):
                while sum(1 for _ in entries(path, kind="anchor")) < 4:
                    await asyncio.sleep(0.01)
        kept = [
            SignedAnchor(b64decode(body.payload), b64decode(body.signature))
            for row in await spool.pending(0, 100)
            for body in [msgspec.json.decode(row.body, type=AnchorBody)]
        ]
    said = [parse(each.payload) for each in kept]
    assert said[0].why == "start" and said[-1].why == "end"
    days = [each for each in said if each.why == "day"]
    assert [each.day for each in days] == sorted({each.day for each in days}) and days[0].day == day_of(began)
    assert all((each.site, each.lane) == (site.id, "L01") for each in said)
    proof = prove(path, lane="L01", public=anchor_public(site), kept=kept)
    assert proof.well and proof.anchors >= proof.kept == len(kept)
    assert not prove(path, lane="L02", public=None, kept=kept).well
    assert "not signed" in prove(path, lane="L01", public=bytes(32), kept=()).against[0].why


@pytest.mark.parametrize("kept", [True, False])
async def test_a_book_begun_anew_is_found_out_by_the_copies(tmp_path: Path, kept: bool) -> None:
    site = site_with(tmp_path, *new_key())
    clock = JumpClock()
    copies: list[SignedAnchor] = []
    for name in ("true", "false"):
        async with Book(tmp_path / name) as book, Spool(tmp_path / f"{name}.spool") as spool:
            voice = Voice.join(site.broker, spool, site.id, "L01", clock)
            await book.write("closed", clock.now(), {"plate": name})
            async with anchored(site, "L01", book, voice, clock):
                pass
            for row in await spool.pending(0, 100) if name == "true" else ():
                body = msgspec.json.decode(row.body, type=AnchorBody)
                copies.append(SignedAnchor(b64decode(body.payload), b64decode(body.signature)))
    proof = prove(tmp_path / "false", lane="L01", public=anchor_public(site), kept=copies if kept else ())
    assert proof.well is not kept, "even the lane's own key cannot rewrite what the recorder has"


async def test_without_a_key_there_are_no_anchors_and_a_wrong_key_stops_the_lane(tmp_path: Path) -> None:
    site = load(EXAMPLE)
    async with Book(tmp_path / "book.sqlite") as book, Spool(tmp_path / "spool.sqlite") as spool:
        voice = Voice.join(site.broker, spool, site.id, "L01", JumpClock())
        async with anchored(site, "L01", book, voice, JumpClock()):
            pass
        assert book.head.entries == 0
        (private, public), (other, _) = new_key(), new_key()
        wrong = site_with(tmp_path, other, public)
        with pytest.raises(SiteFileWrong, match="another key's"):
            async with anchored(wrong, "L01", book, voice, JumpClock()):
                pass
        (tmp_path / "anchor.key").write_text("no key")
        with pytest.raises(SiteFileWrong, match="quaygate keys new FILE"):
            async with anchored(wrong, "L01", book, voice, JumpClock()):
                pass
        (tmp_path / "anchor.key").unlink()
        with pytest.raises(SiteFileWrong, match="cannot be read"):
            async with anchored(wrong, "L01", book, voice, JumpClock()):
                pass
        assert private != other


async def test_a_book_that_cannot_be_written_ends_the_lane_with_its_own_fault(tmp_path: Path) -> None:
    site = site_with(tmp_path, *new_key())
    async with Book(tmp_path / "book.sqlite") as book, Spool(tmp_path / "spool.sqlite") as spool:
        voice = Voice.join(site.broker, spool, site.id, "L01", JumpClock())

        async def live() -> None:
            async with anchored(site, "L01", book, voice, SiteClock()):
                await book.close()
                raise OSError("the lane's own")

        with pytest.raises(ExceptionGroup, match="unhandled") as raised:
            await live()
        assert [str(each) for each in raised.value.exceptions] == ["the lane's own"]


def test_days_end_at_midnight_and_only_once() -> None:
    at = Instant(1_800_000_000.0)
    for _ in range(400):
        end = day_ends(at)
        local = datetime.fromtimestamp(end, UTC).astimezone()
        assert (local.hour, local.minute, local.second) == (0, 0, 0)
        assert 3600 <= end - at <= 25 * 3600 + 1
        assert day_of(Instant(end - 1)) != day_of(end)
        at = end
