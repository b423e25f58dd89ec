"""A day on the tape, run again: every decision falls as it fell, and what was changed since is found."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from drivers.readings import Instant
from edge.cli import app
from edge.commands.words import Stop
from edge.config import load
from edge.lane.rerun import apart
from gateway_ctl.book import entries
from gateway_ctl.picture import Inputs, Picture, Seen
from tests.edge.test_day import demo


def replay(passage: str, site: Path) -> tuple[int, dict[str, Any]]:
    told = CliRunner().invoke(app, ["replay", passage, str(site), "--json"])
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    return told.exit_code, json.loads(told.stdout)


@pytest.mark.timeout(180)
def test_every_decision_of_a_day_falls_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    words = ("--trucks", "4", "--lanes", "1", "--seed", "5", "--speed", "12", "--data", str(data))
    code, _, said = demo(tmp_path, *words, within_s=170)
    assert code == 0, said
    site = data / "site.toml"
    book = data / "lanes" / "L01" / "book.sqlite"
    told = list(entries(book))
    passages = [entry.passage for entry in told if entry.kind == "opened"]
    decided = sum(entry.kind in ("decision", "refusal") for entry in told)
    seen = 0
    for passage in passages:
        assert passage is not None
        code, found = replay(passage, site)
        assert code == 0, found
        assert found["altered"] == found["not_in_book"] == []
        decisions = found["decisions"]
        assert all(each["differences"] == [] for each in decisions)
        seen += len(decisions)
    assert seen == decided >= 4

    # Another division today: the weight is another, and the first word that differs is named.
    raised = next(entry.passage for entry in told if entry.kind == "decision")
    assert raised is not None
    text = site.read_text(encoding="utf-8")
    site.write_text(text.replace("division_kg = 20", "division_kg = 50"), encoding="utf-8")
    code, found = replay(raised, site)
    assert code == 1
    first = next(each["differences"][0] for each in found["decisions"] if each["differences"])
    assert first["word"].startswith("deck.") or first["word"] == "decision"
    site.write_text(text, encoding="utf-8")

    # A tape with another byte in it is not the tape whose sum is in the book.
    [tape] = (data / "lanes" / "L01" / "black-box").iterdir()
    raw = bytearray(tape.read_bytes())
    raw[-1] ^= 1
    tape.write_bytes(raw)
    code, found = replay(raised, site)
    assert (code, found["altered"]) == (1, [tape.name])


def test_a_passage_that_nobody_knows_is_said_so(tmp_path: Path) -> None:
    site = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"
    told = CliRunner().invoke(app, ["replay", "L01-1", str(site)])
    assert isinstance(told.exception, Stop) and "no book of this site" in str(told.exception)
    assert load(site).black_box.keep_days == 30


def test_the_first_word_that_differs_is_named() -> None:
    then = Picture(site="s", lane="l", at=Instant(1.8e9), inputs=Inputs(photocell=Seen(True, Instant(1.8e9))))
    again = Picture(site="s", lane="l", at=Instant(1.8e9), inputs=Inputs(photocell=Seen(False, Instant(1.8e9 + 0.01))))
    [difference] = apart(then, again, 0.05, Instant(1.7e9))
    assert (difference.word, difference.then, difference.again) == ("inputs.photocell.value", "True", "False")
    assert not list(apart(then, then, 0.0, Instant(1.7e9)))
    stamps = [each.word for each in apart(then, again, 0.001, Instant(1.7e9))]
    assert stamps == ["inputs.photocell.value", "inputs.photocell.at"]
