"""Packets of every variant are found, read and written back; whatever is none is told whole, and nothing is lost."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.readings import Garbage
from gateway_ctl.customs.packet import (
    LAYOUTS,
    NOISE_CEILING,
    Acknowledgement,
    Layout,
    Naked,
    Packet,
    Photo,
    Reader,
    Word,
    same_id,
    to_bytes,
    xml_end,
)
from gateway_ctl.customs.profile import PROFILES, NotWritable, Profile, compose
from tests.gateway_ctl.customs.samples import names, sample
from tests.gateway_ctl.customs.wire import Made, any_packet, packed, picture_block

NOISE = st.one_of(
    st.binary(max_size=80),
    st.sampled_from((b"\xe2\x5c\x4b", b"\xe2\x5c\x4b\x89", b"\xe2\x5c\x4b\x89" * 3, b"\x00" * 70, b"<A>", b"\xef\xbb")),
)


def read(*pieces: bytes, naked: bool = True) -> tuple[list[Word], Reader]:
    """All words of a stream that came in these pieces, and the reader."""
    reader = Reader(naked=naked)
    found = [word for piece in pieces for word in reader.words(piece)]
    reader.end()
    return found + list(reader.words()), reader


def cut(data: bytes, dice: random.Random) -> list[bytes]:
    places = sorted(dice.sample(range(len(data) + 1), min(len(data), dice.randrange(1, 12))))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def whole(words: list[Word], reader: Reader) -> int:
    return reader.padding + sum(len(word.raw) for word in words)


def agrees(word: Word, made: Made) -> bool:
    """Whether a packet says what was packed into it."""
    return (
        isinstance(word, Packet)
        and word.raw == made.raw
        and to_bytes(word) == made.raw
        and (word.layout.width, word.layout.order) == (made.width, made.order)
        and (word.code, word.direction, word.identifier, word.xml)
        == (made.code, made.direction, made.identifier, made.xml)
        and same_id(word.area, made.area)
        and same_id(word.channel, made.channel)
        and word.signature == made.signature
        and (None if word.photos is None else tuple((p.place, p.jpeg) for p in word.photos)) == made.photos
    )


FRAMES = [name for name in names() if name.endswith(".hex")]


@pytest.mark.parametrize("name", FRAMES)
def test_a_dump_is_read_and_written_back_byte_by_byte(name: str) -> None:
    raw = sample(name)
    for pieces in ([raw], [bytes([b]) for b in raw]):
        words, _ = read(*pieces)
        assert len(words) == 1
        word = words[0]
        assert isinstance(word, Packet | Acknowledgement)
        assert word.raw == raw
        assert to_bytes(replace(word, raw=b"")) == raw


def test_what_the_dumps_say() -> None:
    found = {name[:2]: read(sample(name))[0][0] for name in FRAMES}
    for number in ("50", "51", "52", "53"):
        word = found[number]
        assert isinstance(word, Packet)
        assert (word.code, word.area, word.channel, word.direction) == (0x22, "0000110000", "0000001141", "I")
        assert len(word.xml) == 163
        assert word.photos == ()
        assert word.signature is None
    layouts = [word.layout for n in ("50", "52", "53") if isinstance(word := found[n], Packet)]
    assert layouts == [Layout(1, "little"), Layout(1, "big"), Layout(4, "little")]
    pictures = found["54"]
    assert isinstance(pictures, Packet)
    assert pictures.photos == (
        Photo(0x30, b"\xff\xd8\xff\xd9"),
        Photo(0x33, b"\xff\xd8\xff\xe0\x00\xff\xd9"),
    )
    taken = found["55"]
    assert isinstance(taken, Acknowledgement)
    assert taken.ok


def many(packets: int, seed: int) -> tuple[int, int, int]:
    """Packets read whole, missed and misread. Each stream holds a few, cut anywhere, some with zeros between them."""
    dice = random.Random(seed)
    good = missed = wrong = 0
    while good + missed + wrong < packets:
        made = [any_packet(dice) for _ in range(dice.randrange(1, 5))]
        stream = b"".join(each.raw + b"\x00" * dice.choice((0, 0, 7)) for each in made)
        words, reader = read(*cut(stream, dice))
        assert whole(words, reader) == len(stream)
        packs = [word for word in words if isinstance(word, Packet)]
        missed += max(0, len(made) - len(packs))
        wrong += len(words) - len(packs)
        for word, each in zip(packs, made, strict=False):
            good += (right := agrees(word, each))
            wrong += not right
    return good, missed, wrong


def test_thousands_of_packets_over_all_variants() -> None:
    good, missed, wrong = many(5_000, seed=20_150_000)
    assert (missed, wrong) == (0, 0)
    assert good >= 5_000


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_thousand_packets_over_all_variants() -> None:
    good, missed, wrong = many(200_000, seed=14)
    print(f"\n{good} packets read as packed, {missed} missed, {wrong} misread")
    assert (missed, wrong) == (0, 0)
    assert good >= 200_000


@given(st.integers(0, 2**32), st.lists(NOISE, min_size=1, max_size=4))
def test_noise_between_packets_hides_none(seed: int, noises: list[bytes]) -> None:
    """Noise does not begin a stream, or a document might; and it never holds a head and forty bytes that agree."""
    dice = random.Random(seed)
    made = [any_packet(dice) for _ in noises]
    stream = b"".join(part for noise, each in zip(noises, made, strict=True) for part in (b"\x7f" + noise, each.raw))
    words, reader = read(*cut(stream, dice))
    assert whole(words, reader) == len(stream)
    packs = [word for word in words if isinstance(word, Packet)]
    assert [word.raw for word in packs] == [each.raw for each in made]
    assert all(agrees(word, each) for word, each in zip(packs, made, strict=True))


@given(st.integers(0, 2**32), st.binary(max_size=200))
def test_how_a_stream_is_cut_makes_no_difference(seed: int, noise: bytes) -> None:
    dice = random.Random(seed)
    parts = [any_packet(dice).raw, noise, any_packet(dice).raw[: dice.randrange(400)], any_packet(dice).raw]
    dice.shuffle(parts)
    stream = b"".join(parts)
    at_once, reader = read(stream)
    assert whole(at_once, reader) == len(stream)
    for pieces in (cut(stream, dice), [bytes([b]) for b in stream]):
        words, other = read(*pieces)
        assert words == at_once
        assert other.padding == reader.padding


@given(st.binary(max_size=600), st.booleans())
def test_any_bytes_at_all(data: bytes, naked: bool) -> None:
    words, reader = read(data, naked=naked)
    assert whole(words, reader) == len(data)


def test_a_packet_cut_off_gives_way_to_the_next_at_once() -> None:
    first, second = packed(xml=b"<A>" + b"x" * 300 + b"</A>"), packed(code=0x31)
    reader = Reader()
    words = list(reader.words(first[:200] + second))
    assert [type(word) for word in words] == [Garbage, Packet]
    assert isinstance(words[0], Garbage)
    assert "cut short after 200 bytes by another packet" in words[0].why


def test_a_packet_cut_off_in_its_pictures_gives_way_when_the_bytes_have_come() -> None:
    block = picture_block(((0x30, b"\xff\xd8" + b"j" * 500 + b"\xff\xd9"),), "little")
    first, second = packed(code=0x26, block=block), packed(code=0x22)
    words, _ = read(first[:300] + second * 3)
    assert [word.code for word in words if isinstance(word, Packet)] == [0x22] * 3


def test_zeros_up_to_the_buffer_s_end_are_padding() -> None:
    raw = packed()
    words, reader = read(raw.ljust(9_999, b"\x00") + raw)
    assert [word.raw for word in words] == [raw, raw]
    assert reader.padding == 9_999 - len(raw)


def test_a_length_counted_in_another_encoding() -> None:
    xml = "<COMMAND_INFO><OP_HINT>直接放行</OP_HINT></COMMAND_INFO>".encode()
    raw = packed(xml=xml, short=4)
    for pieces in ([raw], [raw, packed()], [bytes([b]) for b in raw]):
        words, _ = read(*pieces)
        assert isinstance(words[0], Packet)
        assert words[0].xml == xml
        assert words[0].short == 4
        assert to_bytes(words[0]) == raw
        assert len(words) == len(pieces) or len(pieces) > 2


def test_two_spoilt_packets_are_not_taken_for_one() -> None:
    """The first one's text has no end of its own; the next one's must not be lent to it."""
    first = packed(xml=b"<COMMAND_INFO>" + b"y" * 40, tail=b"zz")
    second = packed(xml=b"<COMMAND_INFO></COMMAND_INFO>")
    words, _ = read(first + second)
    assert [type(word) for word in words] == [Garbage, Packet]


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (packed(code=0x99), "no message has the code 99"),
        (packed(direction=b"X"), "the direction is 0x58"),
        (packed(tail=b"AB"), "it ends with 4142"),
        (packed(xml=b"COMMAND_INFO"), "the XML begins with 0x43"),
        (packed()[:-3], "cut short"),
        (packed()[:20], "cut short after 20 bytes"),
        (packed(xml=b"<A></A>", block=b"1234"), "7 bytes of XML in a packet of 51"),
        (packed()[:4] + b"\xff\xff\xff\x7f" + packed()[8:], "a total of 2147483647 bytes"),
    ],
)
def test_what_is_no_packet_says_why(spoilt: bytes, why: str) -> None:
    words, _ = read(spoilt)
    assert all(isinstance(word, Garbage) for word in words)
    assert b"".join(word.raw for word in words) == spoilt
    assert isinstance(words[0], Garbage)
    assert why in words[0].why


def test_long_noise_is_told_in_pieces() -> None:
    words, _ = read(b"\x7f" * (3 * NOISE_CEILING + 5))
    assert [len(word.raw) for word in words] == [NOISE_CEILING] * 3 + [5]


def test_a_naked_document_and_another() -> None:
    raw = sample("20").rstrip()
    words, reader = read(b"\xef\xbb\xbf" + raw + b"\r\n\x00" + raw)
    assert words == [Naked(raw), Naked(raw)]
    assert reader.padding == 6


def test_a_document_within_itself_named_ends_at_its_own_end() -> None:
    raw = sample("30")
    assert xml_end(raw) == len(raw.rstrip())


@pytest.mark.parametrize("text", [b"<a/>", b'<?xml version="1.0"?><a><!-- </a> --><![CDATA[</a>]]></a>', b"<a><b></a>"])
def test_where_a_document_ends(text: bytes) -> None:
    assert xml_end(text + b"<a>") == len(text)
    assert all(xml_end(text[:n]) is None for n in range(len(text)))


def test_an_endless_document_is_let_go() -> None:
    reader = Reader(largest=1000)
    words = list(reader.words(b"<a>" + b"x" * 2000))
    assert words
    assert all(isinstance(word, Garbage) for word in words)


def test_a_peer_that_allows_no_documents_sends_none() -> None:
    words, _ = read(sample("20"), naked=False)
    assert all(isinstance(word, Garbage) for word in words)


def test_the_layout_is_remembered_and_a_change_is_followed() -> None:
    reader = Reader()
    for layout in (*LAYOUTS, *reversed(LAYOUTS)):
        raw = packed(width=layout.width, order=layout.order)
        assert [word.raw for word in reader.words(raw)] == [raw]
        assert reader.layout == layout


@pytest.mark.parametrize("told", [p for p in PROFILES.values() if p.framed], ids=lambda p: p.name)
def test_what_is_written_is_read(told: Profile) -> None:
    signature = bytes(128) if told.signed else None
    photos = () if told.signed else (Photo(0x30, b"\xff\xd8\xff\xd9"),)
    raw = compose(told, 0x21, "110000", "1141", "E", b"<A></A>", photos=photos, signature=signature)
    words, reader = read(raw)
    assert len(words) == 1
    word = words[0]
    assert isinstance(word, Packet)
    assert (word.code, word.direction, word.xml) == (0x21, "E", b"<A></A>")
    assert same_id(word.area, "110000")
    assert reader.layout == told.layout
    assert word.signature == signature
    assert (word.photos or ()) == photos


def test_the_recommended_form_is_the_dump_s() -> None:
    word = read(sample("51"))[0][0]
    assert isinstance(word, Packet)
    assert compose(PROFILES["field"], 0x22, "110000", "1141", "I", word.xml) == sample("51")


@pytest.mark.parametrize(
    ("area", "direction", "signature"),
    [("12345678901", "I", None), ("é", "I", None), ("1", "X", None), ("1", "I", b"s")],
)
def test_what_has_no_place_is_not_written(area: str, direction: str, signature: bytes | None) -> None:
    with pytest.raises(NotWritable):
        compose(PROFILES["field"], 0x21, area, "1", direction, b"<A/>", signature=signature)
