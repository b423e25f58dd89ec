"""Bytes to frames: every captured frame, cut anyhow; noise is told and never read as a weight."""

import random
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.readings import Garbage
from drivers.weighbridge.decode import decode_stream
from drivers.weighbridge.dialects import DIALECTS
from drivers.weighbridge.dialects.yaohua import a9 as decoder_of_a9
from drivers.weighbridge.frames import NOISE_CEILING, Frame, Remark, Scanner
from tests.drivers.weighbridge.wire import a9, golden

CAPTURED = golden("yaohua-a9.json")
OTHERS = golden("not-yaohua-a9.json")
NOISE = b"\x00\xffweigh\x022+\x02\x03\x02+00"


def words(chunks: Iterable[bytes]) -> tuple[list[Frame | Garbage], Garbage | None]:
    decoder = decoder_of_a9()
    found: list[Frame | Garbage] = []
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            assert not isinstance(word, Remark)
            found.append(word)
    rest = b""
    why = ""
    while (word := decoder.rest()) is not None:
        assert isinstance(word, Garbage)
        rest, why = rest + word.raw, why or word.why
    return found, Garbage(rest, why) if rest else None


def frames(*chunks: bytes) -> list[Frame]:
    return [word for word in words(chunks)[0] if isinstance(word, Frame)]


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


@pytest.mark.parametrize("case", CAPTURED, ids=[case["id"] for case in CAPTURED])
def test_every_captured_frame_reads_what_the_display_showed(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["hex"])
    for chunks in ([raw], [raw[i : i + 1] for i in range(len(raw))], [NOISE, raw, NOISE], [raw * 3]):
        found = frames(*chunks)
        assert found
        for frame in found:
            assert frame.value == Decimal(str(case["display"]))
            assert frame.decimals == case["decimals"]
            assert (frame.unit, frame.stable, frame.negative) == (None, None, False)
    noise = sum(len(word.raw) for word in words([raw])[0] if isinstance(word, Garbage))
    assert noise == case["skip"]


def test_all_captured_frames_in_one_stream_with_noise_between() -> None:
    stream = NOISE.join(bytes.fromhex(case["hex"]) for case in CAPTURED)
    due = [Decimal(str(case["display"])) for case in CAPTURED]
    assert [frame.value for frame in frames(stream)] == due
    assert [frame.value for frame in frames(*(stream[i : i + 1] for i in range(len(stream))))] == due


@pytest.mark.parametrize("case", OTHERS, ids=[case["id"] for case in OTHERS])
def test_other_dialects_and_modes_are_never_read_as_this_one(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["hex"])
    found, rest = words([raw])
    assert all(isinstance(word, Garbage) for word in found)
    assert b"".join(word.raw for word in found) + (rest.raw if rest else b"") == raw


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (a9(1560)[:-1] + b"\x04", "end mark"),
        (a9(1560).replace(b"19", b"18"), "XOR should be 19"),
        (a9(10).replace(b"1A", b"1a"), "XOR should be 1A"),
        (a9("00A560"), "neither digits"),
        (a9("  1560"), "neither digits"),
        (a9(1560, sign="="), "neither + nor -"),
    ],
)
def test_a_spoiled_frame_is_garbage_and_says_why(frame: bytes, why: str) -> None:
    found, rest = words([frame, a9(20)])
    assert isinstance(found[0], Garbage) and why in found[0].why and found[0].raw == frame
    assert isinstance(found[1], Frame) and found[1].value == 20 and rest is None


def test_a_display_without_a_number_has_no_value() -> None:
    dark, dashes = frames(a9("      "), a9("------"))
    assert (dark.shows, dark.value, dark.display) == ("blank", None, "")
    assert (dashes.shows, dashes.value, dashes.display) == ("dashes", None, "------")


def test_a_decimals_byte_that_is_none_leaves_the_number_without_a_value() -> None:
    for byte in "5 9x":
        (frame,) = frames(a9(1560, decimals=byte))
        assert frame.decimals is None and frame.value is None and frame.display == "1560"


def test_the_window_is_shown_as_it_is() -> None:
    shown = [f.display for f in frames(a9(-2, "2"), a9(0), a9(-38260), a9(2000, "2"), a9("000000", sign="-"))]
    assert shown == ["-0.02", "0", "-38260", "20.00", "-0"]
    assert frames(a9("000000", sign="-"))[0].value == Decimal(0)


def test_a_frame_behind_half_a_frame_is_not_lost() -> None:
    for kept in range(1, 12):
        assert [f.value for f in frames(a9(44440)[:kept] + a9(38260))] == [38260]


numbers = st.integers(-999_999, 999_999)
soup = st.lists(
    st.one_of(
        st.binary(max_size=20),
        numbers.map(a9),
        numbers.map(lambda n: a9(n)[: abs(n) % 13]),
        st.just(b"\x02"),
        st.binary(min_size=65, max_size=140),
    ),
    max_size=12,
).map(b"".join)


@given(numbers, st.integers(0, 4))
def test_what_is_sent_is_read(number: int, decimals: int) -> None:
    (frame,) = frames(a9(number, str(decimals)))
    assert frame.value == Decimal(number).scaleb(-decimals)
    assert frame.negative == (number < 0)


@given(soup, st.lists(st.integers(0, 40), max_size=30))
def test_any_soup_gives_the_same_words_however_it_is_cut_and_accounts_for_every_byte(
    data: bytes, sizes: list[int]
) -> None:
    whole, whole_rest = words([data])
    pieces, pieces_rest = words(cut(data, sizes))
    assert pieces == whole and pieces_rest == whole_rest
    assert b"".join(word.raw for word in whole) + (whole_rest.raw if whole_rest else b"") == data
    assert all(len(word.raw) <= NOISE_CEILING for word in whole if isinstance(word, Garbage))


@given(soup)
def test_no_reading_is_invented(data: bytes) -> None:
    for frame in frames(data):
        assert frame.raw in data
        check = 0
        for byte in frame.raw[1:9]:
            check ^= byte
        assert frame.raw[9:11] == f"{check:02X}".encode() and len(frame.raw) == 12


def test_an_hour_of_noise_at_115200_baud_is_told_and_not_kept() -> None:
    rng, decoder, told = random.Random(1), DIALECTS["yaohua-a9"].decoder(), 0
    block = rng.randbytes(11_520)
    for second in range(3600):
        # A second of noise, each time begun elsewhere; every tenth is made of frame starts only.
        data = (
            b"\x02" * 11_520 if second % 600 == 0 else block[second:] + block[:second] if second % 60 == 0 else b"\xff"
        )
        decoder.receive(data)
        while (word := decoder.next_word()) is not None:
            assert isinstance(word, Garbage)
            told += len(word.raw)
        assert isinstance(decoder, Scanner) and len(decoder._held) < NOISE_CEILING + 12
    assert told > 60 * 11_000


def test_a_capture_becomes_one_plain_object_a_word() -> None:
    found = list(decode_stream([b"xy", a9(-205, "2"), a9(-205, "2"), a9("------"), a9(1)[:5]]))
    assert found[0] == {"garbage": "7879", "why": "no frame begins here"}
    first = {"display": Decimal("-2.05"), "decimals": 2, "unit": None, "stable": None, "negative": True}
    assert found[1] == {**first, "quality": "uncertain", "shown": "-2.05"}
    assert found[2] == {**first, "quality": "good", "shown": "-2.05"}
    assert found[3]["display"] is None and found[3]["quality"] == "bad" and found[3]["shown"] == "------"
    assert found[4] == {"garbage": a9(1)[:5].hex(), "why": "a frame is cut off"}
    assert len(found) == 5
