import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.camera.frames import MAX_LINE_BYTES, Decoder, ReadLine, encode
from drivers.readings import Garbage

LINE = '{"what":"plate","text":"沪AD3F88","confidence":0.97,"camera":"front"}\n'.encode()
READ = ReadLine(what="plate", text="沪AD3F88", confidence=0.97, camera="front")


def words(*chunks: bytes) -> list[ReadLine | Garbage]:
    decoder = Decoder()
    found: list[ReadLine | Garbage] = []
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    return found


reads = st.builds(
    ReadLine,
    what=st.sampled_from(["plate", "trailer", "container"]),
    text=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=32),
    confidence=st.floats(0, 1),
    camera=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=64),
)


@settings(max_examples=60)
@given(st.lists(reads, max_size=5), st.integers(1, 40))
def test_round_trip_however_it_is_cut(lines: list[ReadLine], size: int) -> None:
    stream = b"".join(encode(each) for each in lines)
    assert words(stream) == lines
    assert words(*(stream[i : i + size] for i in range(0, len(stream), size))) == lines


@pytest.mark.parametrize("line", [LINE, LINE.replace(b"\n", b"\r\n"), b"\n\r\n" + LINE, b"  " + LINE])
def test_line_ends(line: bytes) -> None:
    assert words(line) == [READ]


@pytest.mark.parametrize("n", [0, 1])
def test_confidence_may_be_a_whole_number(n: int) -> None:
    assert words(LINE.replace(b"0.97", str(n).encode())) == [
        ReadLine(what="plate", text="沪AD3F88", confidence=n, camera="front")
    ]


def test_fields_of_the_portals_own_are_passed_over() -> None:
    assert words(LINE.replace(b"}", b',"box":[1,2,3,4],"colour":"yellow"}')) == [READ]


@pytest.mark.parametrize(
    "change",
    [
        {"what": "face"},
        {"what": None},
        {"text": ""},
        {"text": 5},
        {"text": "x" * 33},
        {"text": "沪A\n1"},
        {"text": "沪A\u20281"},
        {"confidence": -0.1},
        {"confidence": 1.1},
        {"confidence": "0.9"},
        {"confidence": True},
        {"confidence": None},
        {"camera": ""},
        {"camera": None},
        {"camera": "front\u0007"},
        {"camera": "c" * 65},
    ],
)
def test_wrong_values_are_garbage(change: dict[str, object]) -> None:
    line = json.dumps({**json.loads(LINE), **change}, ensure_ascii=False).encode()
    [word] = words(line + b"\n")
    assert isinstance(word, Garbage) and word.raw == line and word.why


@pytest.mark.parametrize("field", ["what", "text", "confidence", "camera"])
def test_a_missing_field_is_garbage(field: str) -> None:
    line = json.loads(LINE)
    del line[field]
    assert isinstance(words(json.dumps(line).encode() + b"\n")[0], Garbage)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"null",
        b"hello",
        b"{",
        b'{"a":' * 600,
        b"[" * 4000,
        b"\xff\xfe",
        LINE[:-1].replace("沪".encode(), b"\xbb\xa6"),
        LINE[:-1].replace(b"0.97", b"NaN"),
        LINE[:-1].replace(b"0.97", b"1e999"),
        LINE[:-1].replace(b"0.97", b"9" * 3000),
        LINE[:-1] + b" trailing",
    ],
)
def test_what_is_no_read_is_garbage_and_the_next_one_is_read(line: bytes) -> None:
    found = words(line + b"\n" + LINE)
    assert found[-1] == READ and all(isinstance(word, Garbage) for word in found[:-1])
    assert b"".join(word.raw for word in found if isinstance(word, Garbage)) == line


def test_half_a_line_does_not_take_the_next_one_with_it() -> None:
    for cut in range(1, len(LINE) - 1):
        found = words(LINE[:cut] + LINE)
        assert found == [Garbage(LINE[:cut], "a read without its end"), READ]


def test_a_line_without_an_end_does_not_grow() -> None:
    decoder, told = Decoder(), 0
    for _ in range(500):
        decoder.receive(b"x" * 1000)
        while (word := decoder.next_word()) is not None:
            assert isinstance(word, Garbage)
            told += len(word.raw)
    assert 500_000 - told <= MAX_LINE_BYTES
    decoder.receive(b"\n" + LINE)
    found = [decoder.next_word() for _ in range(3)]
    assert READ in found


@settings(max_examples=150)
@given(st.lists(st.one_of(st.binary(max_size=50), st.just(LINE), reads.map(encode)), max_size=10))
def test_byte_soup(pieces: list[bytes]) -> None:
    stream = b"".join(pieces) + b"\n"
    assert words(stream) == words(*(stream[i : i + 1] for i in range(len(stream))))
    for word in words(stream):
        if isinstance(word, Garbage):
            assert word.raw in stream and word.why
        else:
            assert 0 <= word.confidence <= 1 and word.text


def test_a_read_keeps_the_line_that_said_it() -> None:
    (read,) = words(b"garbage{" + LINE)[1:]
    assert isinstance(read, ReadLine) and read.raw == LINE.rstrip()
