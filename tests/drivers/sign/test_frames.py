import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.readings import Garbage
from drivers.sign.frames import MAX_ANSWER_BYTES, Declined, Decoder, DoesNotFit, Shown, half_columns, text_frame

gbk = st.text(st.sampled_from("请上磅称重沪禁止通行ABC0123456789 .!"), max_size=8)


def words(*chunks: bytes) -> list[Shown | Declined | Garbage]:
    decoder = Decoder()
    found: list[Shown | Declined | Garbage] = []
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    return found


def test_a_text_as_on_the_wire() -> None:
    assert text_frame(["沪AD3F88", "请上磅"], columns=8, max_rows=2) == "沪AD3F88|请上磅\r\n".encode("gbk")
    assert text_frame([], columns=8, max_rows=2) == b"\r\n"


@settings(max_examples=80)
@given(st.lists(gbk, max_size=2))
def test_what_fits_comes_out_as_it_went_in(rows: list[str]) -> None:
    frame = text_frame(rows, columns=8, max_rows=2)
    assert frame.endswith(b"\r\n") and frame.count(b"\n") == 1
    assert frame[:-2].decode("gbk").split("|") == (rows or [""])


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("重", 2), ("A", 1), ("沪AD3F88", 8), ("请等待放行", 10), ("！", 2), ("!", 1)]
)
def test_width(text: str, width: int) -> None:
    assert half_columns(text) == width


@pytest.mark.parametrize(
    "rows",
    [
        ["a", "b", "c"],
        ["前方禁止通行请等待"],
        ["01234567890123456"],
        ["a|b"],
        ["a\r\nb"],
        ["a\nb"],
        ["a\x00b"],
        ["\x1b[2J"],
        ["ok", "🚚"],
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_cut_off(rows: list[str]) -> None:
    with pytest.raises(DoesNotFit):
        text_frame(rows, columns=8, max_rows=2)


def test_the_widest_that_fits() -> None:
    text_frame(["前方禁止通行等待"[:8], "0123456789012345"], columns=8, max_rows=2)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (b"OK\r\n", [Shown()]),
        (b"ERR 3\r\n", [Declined(code="3")]),
        (b"ERR E12\n", [Declined(code="E12")]),
        (b"OK\r\nERR 1\r\nOK\r\n", [Shown(), Declined(code="1"), Shown()]),
        (b"\r\n\r\nOK\r\n", [Shown()]),
    ],
)
def test_answers(wire: bytes, expected: list[Shown | Declined]) -> None:
    assert words(wire) == expected
    assert words(*(wire[i : i + 1] for i in range(len(wire)))) == expected


@pytest.mark.parametrize("wire", [b"ok", b"OKAY", b"ERR", b"ERR ", b"ERR \xff", b"ERR 1 2", b"ERROR 1", b"\xb5\x62"])
def test_what_is_no_answer_is_garbage(wire: bytes) -> None:
    assert words(wire + b"\r\nOK\r\n") == [Garbage(wire, "no answer of a sign"), Shown()]


@settings(max_examples=100)
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"OK\r\n", b"ERR 1\r\n", b"\n"]))))
def test_byte_soup(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    cut = words(*(stream[i : i + 1] for i in range(len(stream))))
    assert [w for w in words(stream) if not isinstance(w, Garbage)] == [w for w in cut if not isinstance(w, Garbage)]


def test_an_answer_without_an_end_does_not_grow() -> None:
    found = words(*[b"x" * 10] * 1000)
    told = sum(len(word.raw) for word in found if isinstance(word, Garbage))
    assert 10_000 - told <= MAX_ANSWER_BYTES
    assert words(*[b"x" * 10] * 10, b"\r\nOK\r\n")[-1] == Shown()
