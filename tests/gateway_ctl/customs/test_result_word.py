"""The 20 characters: what lifts, what never does, and what each says in its place and its use."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_ctl.customs.device_ids import Device, device_of
from gateway_ctl.customs.result_word import LENGTH, UNKNOWN, ResultWord, Subject, Use, result_of, word_of

CLEAN = "0" * LENGTH


def test_a_clean_word_lifts_in_an_answer_and_in_an_order_and_never_as_a_result() -> None:
    word = ResultWord(CLEAN)
    assert word.lifts(Use.CHECK)
    assert word.lifts(Use.COMMAND)
    assert not word.lifts(Use.RESULT)


@pytest.mark.parametrize("text", ["00000000001002000000", "00000000001001000000", "00000000010000000000"])
def test_words_of_the_field_that_lift(text: str) -> None:
    assert ResultWord(text).lifts(Use.CHECK)


@pytest.mark.parametrize(
    "text",
    [
        "11000000001002000000", "1" + "0" * 19, "01" + "0" * 18, "02" + "0" * 18, "V" + "0" * 19, "W" + "0" * 19,
        "0010000000000000000" + "0", "00w" + "0" * 17, "0000q" + "0" * 15, "00000000900000000000",
        "000000000000y0000000", "0000000000000" + "0" * 7 + "0", CLEAN[:-1], "", "Y", "O" * 20, "０" * 20,
    ],
)  # fmt: skip
def test_words_that_do_not_lift(text: str) -> None:
    word = word_of(text)
    assert word is None or not word.lifts(Use.CHECK)


def test_of_all_single_changes_only_hints_and_reserved_places_still_lift() -> None:
    """Every printable character in every place: 20 times 94 words."""
    harmless = {Subject.LED: "1", Subject.VOICE: "1", Subject.BUZZER: "1"}
    for subject in Subject:
        for char in string.printable[:94]:
            if char == "0":
                continue
            word = ResultWord(CLEAN[: subject - 1] + char + CLEAN[subject:])
            expected = subject >= Subject.RESERVED_14 or harmless.get(subject) == char
            assert word.lifts(Use.CHECK) is expected, (subject, char)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=LENGTH, max_size=LENGTH))
def test_what_lifts_is_safe(text: str) -> None:
    word = ResultWord(text)
    for use in Use:
        if word.lifts(use):
            assert use is not Use.RESULT
            assert text[0] == text[1] == "0"
            assert all(remark.known for remark in word.remarks(use))


@given(st.text(max_size=30))
def test_a_word_has_twenty_characters_or_is_none(text: str) -> None:
    word = word_of(text)
    assert (word is not None) == (len(text) == LENGTH and text.isascii() and text.isprintable())


def test_w_and_x_are_opposite_for_card_and_tag() -> None:
    word = ResultWord("00000wx" + "0" * 13)
    other = ResultWord("00000xw" + "0" * 13)
    assert "not registered" in word.meaning(Subject.CARD, Use.CHECK)[1]
    assert "not registered" in word.meaning(Subject.TAG, Use.CHECK)[1]
    assert "under control" in other.meaning(Subject.CARD, Use.CHECK)[1]
    assert "under control" in other.meaning(Subject.TAG, Use.CHECK)[1]


def test_the_barrier_has_two_scales() -> None:
    one, two = ResultWord("01" + "0" * 18), ResultWord("02" + "0" * 18)
    assert one.meaning(Subject.BARRIER, Use.COMMAND)[1] == "do not lift"
    assert one.meaning(Subject.BARRIER, Use.CHECK)[1] == "lower"
    assert two.meaning(Subject.BARRIER, Use.COMMAND)[1] == "lower"
    assert two.meaning(Subject.BARRIER, Use.CHECK) is UNKNOWN


def test_the_seal_is_ordered_in_one_use_and_reported_in_the_others() -> None:
    word = ResultWord("0000000" + "2" + "0" * 12)
    assert word.meaning(Subject.SEAL, Use.COMMAND)[1] == "unseal"
    assert word.meaning(Subject.SEAL, Use.CHECK) is UNKNOWN
    assert ResultWord("0000000" + "9" + "0" * 12).meaning(Subject.SEAL, Use.RESULT)[1] == "failed"


def test_a_total_takes_its_meaning_from_the_place_it_comes_from() -> None:
    word = ResultWord("q100q" + "0" * 15)
    assert word.meaning(Subject.TOTAL, Use.CHECK) == word.meaning(Subject.WEIGHT, Use.CHECK)
    assert ResultWord("q" + "0" * 19).meaning(Subject.TOTAL, Use.CHECK) is UNKNOWN
    assert ResultWord("V" + "0" * 19).meaning(Subject.TOTAL, Use.CHECK)[1].startswith("device orders")


def test_results_that_we_send() -> None:
    assert result_of().text == CLEAN
    assert result_of(seal_failed=True).text == "9000000" + "9" + "0" * 12
    assert result_of(seal_failed=True, gps_failed=True).text == "9000000" + "99" + "0" * 11
    assert result_of(refused=True).text == "11" + "0" * 18


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("15010001", Device.WEIGHBRIDGE), ("16010001", Device.BARRIER), ("1301010001", Device.SEAL_READER),
        ("1001010001", Device.CONTAINER_CAMERA), ("1501000100", None), ("10010001", None), ("1901010001", None),
        ("1501000x", None), ("", None), ("１５０１０００１", None),
    ],
)  # fmt: skip
def test_numbers_of_annex_c(number: str, kind: Device | None) -> None:
    assert device_of(number) is kind


BOX, CARD, TAG = "01vwz", "0wxus", "0xwutsr"
BOTH: dict[Subject, str] = {
    Subject.FRONT_BOX: BOX, Subject.REAR_BOX: BOX, Subject.WEIGHT: "0qpo", Subject.CARD: CARD, Subject.TAG: TAG,
    Subject.LED: "01", Subject.VOICE: "01", Subject.BUZZER: "01", Subject.CONFIGURATION: "0y",
}  # fmt: skip
KNOWN: dict[Use, dict[Subject, str]] = {
    Use.COMMAND: {**BOTH, Subject.BARRIER: "012", Subject.SEAL: "012x", Subject.GPS: "012"},
    Use.CHECK: {**BOTH, Subject.BARRIER: "01", Subject.SEAL: "09", Subject.GPS: "09"},
    Use.RESULT: {**dict.fromkeys((*BOTH, Subject.BARRIER), "0"), Subject.SEAL: "09", Subject.GPS: "09"},
}
"""The characters of annex B, place by place and use by use."""
SUMMED = {
    Use.COMMAND: (Subject.FRONT_BOX, Subject.REAR_BOX, Subject.WEIGHT, Subject.CARD, Subject.TAG),
    Use.CHECK: (
        Subject.FRONT_BOX, Subject.REAR_BOX, Subject.WEIGHT, Subject.CARD, Subject.TAG, Subject.SEAL, Subject.GPS,
    ),
    Use.RESULT: (Subject.SEAL, Subject.GPS),
}  # fmt: skip


def test_the_twenty_places() -> None:
    named = (
        "TOTAL", "BARRIER", "FRONT_BOX", "REAR_BOX", "WEIGHT", "CARD", "TAG", "SEAL", "GPS", "LED", "VOICE", "BUZZER",
        "CONFIGURATION", *(f"RESERVED_{place}" for place in range(14, 21)),
    )  # fmt: skip
    assert [(subject.name, subject.value) for subject in Subject] == [(n, at) for at, n in enumerate(named, start=1)]


def put(**at: str) -> ResultWord:
    text = list(CLEAN)
    for name, char in at.items():
        text[Subject[name] - 1] = char
    return ResultWord("".join(text))


@pytest.mark.parametrize("use", list(Use))
def test_every_character_of_the_annex_is_known_in_its_place_and_no_other(use: Use) -> None:
    assert set(KNOWN[use]) == {s for s in Subject if Subject.TOTAL < s < Subject.RESERVED_14}
    for subject, chars in KNOWN[use].items():
        for char in string.printable[:94]:
            meaning = put(**{subject.name: char}).meaning(subject, use)
            assert (meaning is not UNKNOWN) is (char in chars), (subject, char)
            assert len(meaning) == 2
    for subject in Subject:
        if subject >= Subject.RESERVED_14:
            assert put().meaning(subject, use) == ("无", "nothing")
            assert put(**{subject.name: "7"}).meaning(subject, use) == ("场站自定", "the site's own")


@pytest.mark.parametrize("use", list(Use))
def test_a_total_alone(use: Use) -> None:
    assert put().meaning(Subject.TOTAL, use) == ("正常", "well")
    assert put(TOTAL="1").meaning(Subject.TOTAL, use) == ("不放行", "no release")
    for char in string.printable[:94]:
        known = char in "01" or (char in "ZYXWV" and use is not Use.RESULT)
        assert (put(TOTAL=char).meaning(Subject.TOTAL, use) is not UNKNOWN) is known, char


@pytest.mark.parametrize("use", list(Use))
def test_a_total_that_another_place_has_given(use: Use) -> None:
    for subject, chars in KNOWN[use].items():
        for char in chars[1:]:
            word = put(**{"TOTAL": char, subject.name: char})
            if subject in SUMMED[use]:
                assert word.meaning(Subject.TOTAL, use) == word.meaning(subject, use)
            elif char != "1":
                assert word.meaning(Subject.TOTAL, use) is UNKNOWN
    strange = put(TOTAL="!", **{SUMMED[use][0].name: "!"})
    assert strange.meaning(Subject.TOTAL, use) is UNKNOWN


def test_an_order_lifts_with_whatever_it_wants_of_devices() -> None:
    wanted = {Subject.LED: "1", Subject.VOICE: "1", Subject.BUZZER: "1", Subject.SEAL: "12x", Subject.GPS: "12"}
    for subject in Subject:
        for char in string.printable[1:94]:
            expected = subject >= Subject.RESERVED_14 or char in wanted.get(subject, "")
            assert put(**{subject.name: char}).lifts(Use.COMMAND) is expected, (subject, char)


def test_what_is_remarked() -> None:
    assert put().remarks(Use.CHECK) == ()
    first, second, third = put(TOTAL="w", FRONT_BOX="w", RESERVED_20="!").remarks(Use.CHECK)
    assert (first.subject, first.char, first.known) == (Subject.TOTAL, "w", True)
    assert (second.subject, second.meaning[1], second.known) == (Subject.FRONT_BOX, "under control", True)
    assert (third.subject, third.char, third.known) == (Subject.RESERVED_20, "!", True)
    (strange,) = put(GPS="!").remarks(Use.CHECK)
    assert not strange.known


def test_a_word_that_is_none_says_how_long_it_is() -> None:
    with pytest.raises(ValueError, match=r"^expected 20 printable ASCII characters, these are 19$"):
        ResultWord(CLEAN[1:])
    assert word_of(CLEAN) == ResultWord(CLEAN)
    for strange in ("０" * LENGTH, CLEAN[1:] + "０", CLEAN[1:] + "\x7f", CLEAN[1:] + "\n"):
        assert word_of(strange) is None


def test_results_that_we_send_of_one_device() -> None:
    assert result_of(gps_failed=True).text == "90000000" + "9" + "0" * 11
    assert result_of(seal_failed=True, refused=True).text == "1100000" + "9" + "0" * 12
