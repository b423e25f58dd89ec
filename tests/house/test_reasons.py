"""Every refusal can be read aloud, in both languages, and says what clears it."""

import re

import pytest

from gateway_ctl.reasons import Clears, Reason

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.name)
def test_a_reason_has_its_words(reason: Reason) -> None:
    words = reason.value
    assert isinstance(words.clears, Clears)
    for chinese in (words.zh, words.remedy_zh):
        assert CHINESE.search(chinese)
        assert len(chinese) <= 40, "a guard reads this aloud in one breath"
    for english in (words.en, words.remedy_en):
        assert english and not CHINESE.search(english)
        assert len(english) <= 100
        assert english[0].isupper() and not english.endswith(".")


def test_no_two_reasons_say_the_same() -> None:
    for of in ("zh", "en"):
        said = [getattr(reason.value, of) for reason in Reason]
        assert len(said) == len(set(said))
    assert len(Reason.__members__) == len(list(Reason)), "two codes with the same words would be one reason"
