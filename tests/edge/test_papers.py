"""Papers as files: notes that come, in pieces or broken; reports that go, whole, once, also after a kill."""

import asyncio
import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from drivers.readings import Instant
from edge.lane.papers import PAPERS_CEILING, Papers, Refused, Shelf, Taken, declared_in, put, reports
from gateway_ctl.book import Book, entries
from gateway_ctl.neighbours import gate_crossing, release_note
from gateway_ctl.neighbours.config import PapersConfig
from gateway_ctl.neighbours.words import Declared
from gateway_ctl.picture import Container, Identity, Paper, Plate
from tests.edge.fast import JumpClock
from tests.gateway_ctl.neighbours.test_papers import CROSSED, SAMPLES

AT = Instant(1_795_580_487.0)
CLOSED: dict[str, Any] = {
    "direction": "in", "plate": "沪B2U213", "containers": ["CSQU3054383"], "gross_kg": "3300", "tags": [], "seals": [],
    "order": "o-1", "outcome": "crossed", "reasons": [],
}  # fmt: skip
ALL = ("sas223", "clm50011", "codeco-95b", "codeco-00b")


def config(folder: Path, **more: Any) -> PapersConfig:
    return PapersConfig.model_validate({
        "import_dir": folder / "in", "export_dir": folder / "out", "formats": ALL, "sender": "E010000",
        "receiver": "CUS0000", "area": "3701000001", "channels": {"L01": "3701000101"}, **more,
    })  # fmt: skip


def drop(folder: Path, name: str) -> Path:
    source = next(SAMPLES.glob(f"{name}-*.xml"))
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(source, folder / source.name))


def test_a_file_is_read_when_it_has_stopped_growing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    whole = next(SAMPLES.glob("44-*.xml")).read_bytes()
    file = tmp_path / "note.SAS"
    file.write_bytes(whole[:300])
    assert shelf.look() == []
    file.write_bytes(whole)
    assert shelf.look() == [], "it has grown since the last look"
    (news,) = shelf.look()
    assert isinstance(news, Taken) and news.said[0].plate == "沪B2U213"
    assert shelf.look() == []
    found = shelf.about("沪B2U213", ())
    assert found is not None and found.document == "Z2924I200723000000000071"
    assert shelf.about("沪A00000", ("CSQU3054383",)) is None
    shelf.use(found.document)
    assert shelf.about("沪B2U213", ()) is None, "a paper is used once"


def test_a_paper_is_taken_back_with_its_file_and_used_once_whatever_its_file_says(tmp_path: Path) -> None:
    shelf, file = Shelf(tmp_path), drop(tmp_path, "44")
    shelf.look()
    shelf.look()
    found = shelf.about("沪B2U213", ())
    assert found is not None
    raw = file.read_bytes()
    file.unlink()
    shelf.look()
    assert shelf.about("沪B2U213", ()) is None
    shelf.use(found.document)
    file.write_bytes(raw)
    shelf.look()
    assert len(shelf.look()) == 1, "the file is read"
    assert shelf.about("沪B2U213", ()) is None, "and its truck has crossed"


async def test_a_paper_that_was_used_stays_used_after_a_kill(tmp_path: Path) -> None:
    drop(tmp_path / "in", "44")
    for life in range(2):
        async with Book(tmp_path / "book.sqlite") as book:
            papers = Papers(config(tmp_path, export_dir=None, formats=()), "qd", "L01", book, JumpClock())
            papers.recall(list(entries(tmp_path / "book.sqlite")))
            assert papers.shelf is not None
            papers.shelf.look()
            papers.shelf.look()
            truck = Identity(plate=Plate("沪B2U213", 0.9), containers=(Container("CSQU3054383", 0.9, check_ok=True),))
            paper = papers.on(truck)
            assert papers.on(Identity()) is None
            if life:
                assert paper is None
            else:
                assert paper == Paper(document="Z2924I200723000000000071", direction="in", gross_kg=Decimal(3290))
            await papers.crossed("L01-1", CLOSED, AT)


def test_what_a_note_says_later_counts(tmp_path: Path) -> None:
    shelf, file = Shelf(tmp_path), drop(tmp_path, "44")
    shelf.look()
    shelf.look()
    note = release_note.read(file.read_bytes())
    file.write_bytes(release_note.write(release_note.used(note)))
    shelf.look()
    (news,) = shelf.look()
    assert isinstance(news, Taken) and news.said[0].used
    assert shelf.about("沪B2U213", ()) is None
    returned = release_note.write(note).replace(b"<manageResult>1<", b"<manageResult>3<")
    assert not declared_in(returned)[0].approved


def test_by_its_box_where_no_plate_was_read(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    drop(tmp_path, "62")
    shelf.look()
    shelf.look()
    found = shelf.about(None, ["FCIU9176921"])
    assert found is not None and found.source == "CLM50011" and found.gross_kg == 38460
    assert shelf.about("鄂A00001", ()) == found
    assert shelf.about("沪A00000", ["FCIU9176921"]) is None, "another truck's box is another truck's"


@pytest.mark.parametrize("raw", [b"", b"no paper", b"<a/>", b"x" * (1024 * 1024 + 1)])
def test_what_is_no_paper_is_said_once_and_left_there(tmp_path: Path, raw: bytes) -> None:
    shelf, file = Shelf(tmp_path), tmp_path / "odd.xml"
    file.write_bytes(raw)
    (tmp_path / ".hidden").write_bytes(raw)
    (tmp_path / "folder").mkdir()
    assert shelf.look() == []
    (news,) = shelf.look()
    assert isinstance(news, Refused) and news.why and file.exists()
    assert shelf.look() == []


def test_an_answer_declares_nothing_and_a_missing_folder_is_empty(tmp_path: Path) -> None:
    assert Shelf(tmp_path / "nowhere").look() == []
    answer = next(SAMPLES.glob("61-*.xml")).read_bytes().replace(b"CLM10012", b"CLM50012")
    assert declared_in(answer) == ()


def test_the_shelf_does_not_grow(tmp_path: Path) -> None:
    shelf, file = Shelf(tmp_path), drop(tmp_path, "44")
    for n in range(PAPERS_CEILING + 5):
        said = Declared(source="SAS221", document=str(n), approved=True, plate=f"P{n}")
        shelf._papers[str(n)] = (file.name, said)
    shelf.look()
    shelf.look()
    assert len(shelf._papers) == PAPERS_CEILING
    assert shelf.about("P0", ()) is None and shelf.about("沪B2U213", ()) is not None


def test_every_report_that_is_wanted_and_no_other(tmp_path: Path) -> None:
    made = reports(CROSSED, config(tmp_path))
    assert [name.rpartition(".")[2] for name in made] == ["SAS", "XML", "EDI", "EDI"]
    assert list(reports(CROSSED, config(tmp_path, formats=("clm50011",)))) == [list(made)[1]]
    assert reports(CROSSED, config(tmp_path)) == made
    other = reports(replace(CROSSED, passage="L01-2"), config(tmp_path))
    assert not set(other) & set(made), "no report lies over another's"


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "out", "a.xml", b"one")
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", _full)
        with pytest.raises(OSError, match="disk"):
            put(tmp_path / "out", "a.xml", b"two")
    assert (tmp_path / "out" / "a.xml").read_bytes() == b"one"
    put(tmp_path / "out", "a.xml", b"two")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.xml"]


def _full(_: int) -> None:
    raise OSError("the disk is full")


async def _until(true: Any) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def _live(papers: Papers, true: Any) -> None:
    task = asyncio.create_task(papers.run())
    await _until(true)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_from_the_note_to_the_report(tmp_path: Path) -> None:
    drop(tmp_path / "in", "44")
    (tmp_path / "in" / "odd.txt").write_text("odd")
    path = tmp_path / "book.sqlite"
    async with Book(path) as book:
        papers = Papers(config(tmp_path), "qianwan", "L01", book, JumpClock())
        await _live(papers, lambda: len(list(entries(path, kind="paper"))) == 2)
        declared = papers.about("沪B2U213", ())
        assert declared is not None and declared.gross_kg == 3290
        await papers.crossed("L01-1", CLOSED, AT)
        await _live(papers, lambda: bool(list(entries(path, kind="report written"))))
    kinds = [entry.kind for entry in entries(path)]
    assert kinds == ["paper", "paper", "paper used", "report due", "report written"]
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 4
    note = release_note.read(next(f for f in files if f.suffix == ".SAS").read_bytes())
    assert (note.passport("passportNo"), note.passport("wtError"), note.passport("secdPassId")) == (
        "Z2924I200723000000000071", "-10", "3701000101",
    )  # fmt: skip
    told = gate_crossing.read(next(f for f in files if f.suffix == ".XML").read_bytes())
    assert isinstance(told, gate_crossing.Crossing) and told.vehicles[0].front == "CSQU3054383"
    said = next(entries(path, kind="report written")).plain()["files"]
    assert set(said) == {file.name for file in files}


async def test_a_lane_that_was_killed_writes_what_is_due(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    drop(tmp_path / "in", "44")
    async with Book(path) as book:
        first = Papers(config(tmp_path), "qianwan", "L01", book, JumpClock())
        await _live(first, lambda: bool(list(entries(path, kind="paper"))))
        await first.crossed("L01-1", CLOSED, AT)
    async with Book(path) as book:
        second = Papers(config(tmp_path), "qianwan", "L01", book, JumpClock())
        second.recall(entries(path))
        await _live(second, lambda: bool(list(entries(path, kind="report written"))))
    whole = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    assert len(whole) == 4
    async with Book(path) as book:
        third = Papers(config(tmp_path), "qianwan", "L01", book, JumpClock())
        third.recall(entry for entry in entries(path) if entry.kind != "report written")
        await _live(third, lambda: len(list(entries(path, kind="report written"))) == 2)
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == whole, "written twice, the same"
    assert len(list(entries(path, kind="paper"))) == 1, "a paper that the book knows is not told again"


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    (tmp_path / "out").write_text("a file stands in the way")
    async with Book(path) as book:
        papers = Papers(config(tmp_path), "qianwan", "L01", book, clock := JumpClock())
        await papers.crossed("L01-1", CLOSED, AT)
        await _live(papers, lambda: len(clock.slept) > 3)
        assert not list(entries(path, kind="report written"))
        (tmp_path / "out").unlink()
        await _live(papers, lambda: bool(list(entries(path, kind="report written"))))
    assert json.loads(next(entries(path, kind="report due")).body)["plate"] == "沪B2U213"


async def test_without_folders_nothing_is_due(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    async with Book(path) as book:
        papers = Papers(PapersConfig(), "qianwan", "L01", book, JumpClock())
        await papers.crossed("L01-1", CLOSED, AT)
        assert papers.about("沪B2U213", ()) is None
    assert list(entries(path)) == []
