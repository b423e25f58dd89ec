import json
from pathlib import Path
from typing import Any

import pytest

from vision.reading.plate import _PATTERNS, PROVINCES, PlateKind, is_trailer, kind, normalise

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "golden" / "reading" / "plates.json").read_text("utf-8")
)


@pytest.mark.parametrize("entry", GOLDEN["plates"], ids=lambda entry: entry["plate"])
def test_every_plate(entry: dict[str, Any]) -> None:
    assert kind(entry["plate"]) == entry["category"]
    assert is_trailer(entry["plate"]) is (entry["category"] == "trailer")


@pytest.mark.parametrize("entry", GOLDEN["invalid"], ids=lambda entry: entry["plate"])
def test_every_reading_that_is_none(entry: dict[str, Any]) -> None:
    assert kind(entry["plate"]) is None


@pytest.mark.parametrize("entry", GOLDEN["normalisation"], ids=lambda entry: entry["input"])
def test_normalisation(entry: dict[str, Any]) -> None:
    assert normalise(entry["input"]) == entry["normalized"]
    assert kind(entry["input"]) is PlateKind.ORDINARY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("京AB123学", PlateKind.LEARNER),
        ("沪AB12345", PlateKind.NEW_ENERGY_SMALL),
        ("粤Z12345港", None),
        ("粤A12345学", None),
        ("使12345", None),
        ("军A12345", None),
        ("WJN22628", None),
        ("WJ警00081", None),
        ("沪ad3f88", PlateKind.ORDINARY),
        ("沪ＡＤ３Ｆ８８", PlateKind.ORDINARY),
        ("沪AD3F8²", None),
        ("沪AD3F8ſ", None),
        ("", None),
    ],
)
def test_where_peers_disagree_and_odd_characters(text: str, expected: PlateKind | None) -> None:
    assert kind(text) is expected


def test_the_patterns_are_those_of_the_table() -> None:
    ours = {kind.value: pattern.pattern for kind, pattern in _PATTERNS.items()}
    letters = "ABCDEFGHJK"
    theirs = {
        name: pattern.strip("^$").replace(f"[{letters}]", "[A-HJK]") for name, pattern in GOLDEN["patterns"].items()
    }
    assert ours == theirs
    assert GOLDEN["provinces"] == PROVINCES
