"""`book verify`, `show` and `export` as a person meets them, on books with whole openings."""

import asyncio
import json
import tomllib
import zipfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.readings import Instant
from edge.commands.book import export, show, verify_all
from edge.commands.words import Exit, Stop, out
from edge.config import load
from edge.evidence.story import Step, printable, story, whole
from edge.toml_text import document
from gateway_ctl.anchor import SignedAnchor
from gateway_ctl.book import GENESIS, Entry, digest, entries
from gateway_ctl.seal import public_of
from telemetry.payloads.lane import AnchorBody
from telemetry.records import Records
from telemetry.stored import StoredRecord
from tests.edge.openings import AT, write_book
from tests.edge.test_anchors import EXAMPLE
from tests.gateway_ctl.papers import keyring, private
from tests.gateway_ctl.shelf import edit


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "width", 200)


def keep(url: str, kept: list[SignedAnchor]) -> None:
    """As the recorder keeps anchors."""

    async def store() -> None:
        records = Records(url)
        await records.open()
        rows = [
            StoredRecord(
                site="here", node="L01", epoch="e", seq=n, word="anchor", at=AT + n, q="good", historical=False,
                passage=None, body=msgspec.json.encode(AnchorBody(
                    entries=0, head="", day="", why="day", payload=b64encode(each.payload).decode(),
                    signature=b64encode(each.signature).decode(),
                )).decode(),
            )
            for n, each in enumerate(kept, 1)
        ]  # fmt: skip
        await records.store(rows)
        await records.close()

    asyncio.run(store())


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    """A site whose lane has written three openings and whose recorder has the anchors of two."""
    told: dict[str, Any] = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    told["site"] |= {"id": "here", "data": "."}
    told["clearance"]["keys"] = [{"id": "customs-2026", "public": _text(keyring()["customs-2026"].public)}]
    told["anchors"] = {"key_file": "anchor.key", "public": _text(public_of(private("anchors")))}
    told.pop("persons")
    file = tmp_path / "site.toml"
    file.write_text(document(told), encoding="utf-8")
    site = load(file)
    site.book("L01").parent.mkdir(parents=True)
    kept = asyncio.run(write_book(site.book("L01")))
    keep(site.records.url_in(site.data), kept[:2])
    return file


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()


def book_of(site_file: Path) -> Path:
    return load(site_file).book("L01")


def test_verify_counts_the_anchors_that_agree(site_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_all(site_file) is Exit.WELL
    assert "whole, 28 entries" in (said := capsys.readouterr().out)
    assert "3 anchors agree (2 kept by the recorder)" in said


def test_verify_finds_a_cut_tail_by_what_the_recorder_has_kept(
    site_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(book_of(site_file), ("DELETE FROM entry WHERE seq > 12", ()))
    assert verify_all(book_of(site_file)) is Exit.WELL, "from inside, nothing is wrong"
    assert verify_all(site_file) is Exit.NOT_WELL
    assert "BROKEN at entry 13: it is cut: the anchor of 2025-11-24 (day) counts 18 entries" in capsys.readouterr().out


def test_an_opening_is_shown_from_frame_to_switch(site_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show("L01-1", site_file, as_json=True, language="en") is Exit.WELL
    links = json.loads(capsys.readouterr().out)
    road = [link["step"] for link in links if link["step"] != "other"]
    steps = list(dict.fromkeys(road))
    assert steps == ["frame", "reading", "gathered", "order", "picture", "permit", "coil", "switch"]
    assert all(len(link["digest"]) == 64 for link in links)
    checked = {link["step"] for link in links if link["true"]}
    assert checked == {"frame", "order", "picture"}
    assert show("L01-1", site_file, as_json=False, language="zh") is Exit.WELL
    said = capsys.readouterr().out
    assert "每一环都在账簿中" in said and "准予放行" in said and "稳定重量" in said and "✗" not in said
    assert show("L01-1", site_file, as_json=False, language="en") is Exit.WELL
    assert "every link from frame to switch is in the book" in capsys.readouterr().out


@pytest.mark.parametrize("column", ["body", "kind"])
def test_a_link_that_does_not_hold_is_marked(site_file: Path, capsys: pytest.CaptureFixture[str], column: str) -> None:
    value: object = b'{"road":"x"}' if column == "body" else "orders"
    edit(book_of(site_file), (f"UPDATE entry SET {column}=? WHERE seq=5", (value,)))
    assert show("L01-0", site_file, as_json=False, language="en") is Exit.NOT_WELL
    assert "does not match its hash" in (said := capsys.readouterr().out) and "✗" in said
    assert "not in this passage: order" in said


def test_without_a_site_file_seals_are_not_judged(site_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show("L01-1", book_of(site_file), as_json=True, language="en") is Exit.WELL
    assert {link["true"] for link in json.loads(capsys.readouterr().out) if link["step"] == "order"} == {None}


def test_what_the_story_leaves_out_it_says() -> None:
    assert whole([]) == tuple(step for step in Step if step is not Step.OTHER)


def test_an_entry_that_cannot_be_read_is_a_link_that_does_not_hold(tmp_path: Path) -> None:
    from gateway_ctl.book import Book

    async def odd() -> None:
        async with Book(tmp_path / "book.sqlite") as book:
            for kind in ("evidence", "asked", "order", "decision", "boom", "refusal", "answer", "opened"):
                await book.write(kind, Instant(AT), {"nothing": 1} if kind != "opened" else [1], passage="p")

    asyncio.run(odd())
    links = story(list(entries(tmp_path / "book.sqlite")), keyring())
    assert len(links) == 8 and all(link.true is False for link in links)


def test_complaints_of_show_and_export(site_file: Path) -> None:
    with pytest.raises(Stop, match="no such passage"):
        show("L01-9", site_file, as_json=True, language="en")
    with pytest.raises(Stop, match="expected zh or en"):
        show("L01-1", site_file, as_json=True, language="fr")
    with pytest.raises(Stop, match="expected a site file"):
        export(book_of(site_file), site_file.with_name("out.zip"))
    site_file.with_name("out.zip").touch()
    with pytest.raises(Stop, match="never written over"):
        export(site_file, site_file.with_name("out.zip"))
    with pytest.raises(Stop, match="cannot be written"):
        export(site_file, site_file.with_name("nowhere") / "out.zip")


def test_a_bundle_is_the_same_each_time_and_tells_of_broken_books(
    site_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, three = (site_file.with_name(f"{name}.zip") for name in ("one", "two", "three"))
    assert export(site_file, one) is Exit.WELL and export(site_file, two) is Exit.WELL
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as bundle:
        assert sorted(bundle.namelist()) == [
            "README.txt", "anchors/L01.jsonl", "books/L01.jsonl", "keys.json", "verify.py",
        ]  # fmt: skip
        assert len(bundle.read("anchors/L01.jsonl").splitlines()) == 2
        assert json.loads(bundle.read("keys.json"))["orders"]["customs-2026"]["role"] == "customs"
    edit(book_of(site_file), ("UPDATE entry SET body=? WHERE seq=4", (b'{"plate":"\xff"}',)))
    assert export(site_file, three) is Exit.NOT_WELL
    assert "BROKEN at entry 4" in capsys.readouterr().err
    with zipfile.ZipFile(three) as bundle:
        line = json.loads(bundle.read("books/L01.jsonl").splitlines()[3])
    assert line["body"].encode("utf-8", "surrogateescape") == b'{"plate":"\xff"}'
    assert not list(site_file.parent.glob("*.part"))


def test_customs_own_packet_is_a_frame_of_the_chain() -> None:
    said = {
        "source": "customs", "what": "0x22", "number": "20261125093000123456", "digest": "ab" * 32, "bytes": 812,
        "peer": "10.0.0.7:5000", "at": 1_764_000_000.5,
    }  # fmt: skip
    body = json.dumps(said).encode()
    mark = digest(1, 1.0, "frame", "L01-1", body, GENESIS)
    entry = Entry(seq=1, at=Instant(1.0), kind="frame", passage="L01-1", body=body, before=GENESIS, hash=mark)
    (link,) = story([entry], None)
    assert (link.step, link.digest, link.of, link.at) == (Step.FRAME, "ab" * 32, "packet", 1_764_000_000.5)
    assert link.en == "customs 0x22  20261125093000123456  10.0.0.7:5000  812 bytes" and "海关报文" in link.zh


SHOWN = {b"\x02+1\x03": "␂+1␃", "沪A".encode(): "沪A", b"\xbb\x7e": "bb 7e", "\u200b".encode(): "e2 80 8b"}


@pytest.mark.parametrize(("raw", "shown"), SHOWN.items())
def test_bytes_as_a_person_reads_them(raw: bytes, shown: str) -> None:
    assert printable(raw) == shown
