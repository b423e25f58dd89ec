import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.reading.iso6346 import _VALUES, normalise, read, remainder, valid

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "golden" / "reading" / "iso6346.json").read_text("utf-8")
)


def test_letter_values() -> None:
    assert {letter: _VALUES[letter] for letter in GOLDEN["letter_values"]} == GOLDEN["letter_values"]


@pytest.mark.parametrize("entry", GOLDEN["valid"], ids=lambda entry: entry["code"])
def test_every_valid_code(entry: dict[str, Any]) -> None:
    code = read(entry["code"])
    assert code is not None and code.agrees and valid(entry["code"])
    assert (code.owner, code.category, code.serial) == (entry["owner"], entry["category"], entry["serial"])
    assert (code.check_digit, code.remainder) == (entry["check_digit"], entry["remainder"])
    assert code.unusual is (entry["remainder"] == 10)
    assert str(code) == entry["code"]


@pytest.mark.parametrize("entry", GOLDEN["invalid"], ids=lambda entry: entry["code"])
def test_every_invalid_code(entry: dict[str, Any]) -> None:
    assert not valid(entry["code"])
    code = read(entry["code"])
    if entry["reason"] == "check_digit":
        assert code is not None and code.remainder % 10 == entry["expected_check_digit"]
    else:
        assert code is None


@pytest.mark.parametrize("entry", GOLDEN["normalisation"], ids=lambda entry: entry["input"])
def test_normalisation(entry: dict[str, Any]) -> None:
    assert normalise(entry["input"]) == entry["normalized"]
    assert valid(entry["input"])


@pytest.mark.parametrize(
    "text", ["QJRZ123456", "", "CSQU305438", "CSQU30543833", "CSQU305438²", "ＣＳＱＵ3054383", "ﬀQU3054383"]
)
def test_what_has_another_shape_is_none(text: str) -> None:
    assert read(text) is None


def test_remainder_asks_for_ten_characters() -> None:
    for prefix in ("CSQU30543", "CSQU305438Ä", "csqu305438"):
        with pytest.raises(ValueError):
            remainder(prefix)


@given(st.text("ABCXYZUJ0123456789", min_size=11, max_size=11), st.integers(0, 9), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_seen_except_between_ten_and_nought(text: str, place: int, digit: str) -> None:
    code = read("MSK" + "U" + text.translate(dict.fromkeys(map(ord, "ABCXYZUJ"), "1"))[:7])
    assert code is not None
    good = f"{str(code)[:10]}{code.remainder % 10}"
    bad = good[:place] + digit + good[place + 1 :]
    if place >= 4 and bad != good:
        other = read(bad)
        assert other is not None
        assert not other.agrees or {code.remainder, other.remainder} == {0, 10}
