"""The back end's own packets and words: every sample is read, every form round, every noise survived."""

import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.jgst_answers import address, gathered
from simulators.jgst_packet import CODES, Form, Noise, Packet, Unpacker, same_name, write
from simulators.jgst_words import NotXml, read, text_of, word
from simulators.jgst_words import write as write_xml

SAMPLES = Path(__file__).parents[1] / "golden" / "customs"


def frame(name: str) -> bytes:
    lines = next(SAMPLES.glob(f"{name}-*.hex")).read_text("ascii").splitlines()
    return bytes.fromhex("".join(line.split(maxsplit=1)[1] for line in lines if line.strip()))


def unpacked(*chunks: bytes) -> list[Packet | Noise]:
    unpacker = Unpacker()
    return [word for chunk in chunks for word in unpacker.feed(chunk)] + list(unpacker.end())


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("50", Form(identifier=bytes(4))),
        ("51", Form()),
        ("52", Form(order="big")),
        ("53", Form(width=4)),
    ],
)
def test_the_four_layouts_of_one_answer(name: str, form: Form) -> None:
    raw = frame(name)
    for chunks in ([raw], [raw[i : i + 1] for i in range(len(raw))], [raw + raw[:50], raw[50:]]):
        for packet in unpacked(*chunks):
            assert isinstance(packet, Packet)
            assert (packet.code, packet.area, packet.channel, packet.direction) == (
                0x22,
                "0000110000",
                "0000001141",
                "I",
            )
            assert packet.form == form and packet.xml.startswith(b"<COMMAND_INFO ")
            assert write(packet) == raw


def test_pictures_ride_behind_the_text() -> None:
    (packet,) = unpacked(frame("54"))
    assert isinstance(packet, Packet) and packet.code == 0x26
    assert [(where, len(jpeg)) for where, jpeg in packet.pictures] == [(0x30, 4), (0x33, 7)]
    assert write(packet) == frame("54")


@pytest.mark.parametrize(
    "name", [f"{n:02d}" for n in (*range(1, 7), *range(8, 21), *range(24, 45), 46, *range(60, 65))]
)
def test_every_sample_is_read_by_name(name: str) -> None:
    raw = next(each for each in SAMPLES.glob(f"{name}-*.xml")).read_bytes()
    message = read(raw)
    assert message.root and (message.elements or message.attributes)
    if message.root == "GATHER_INFO" and message.first("SEQ_NO"):
        asked = gathered(message, "L01")
        assert asked.passage == address(message).sequence and asked.direction in ("in", "out")


def test_what_a_gather_says() -> None:
    one = gathered(read(next(SAMPLES.glob("01-*.xml")).read_bytes()), "L01")
    assert (one.gross_kg, one.containers, one.tags) == (38460, ("HLXU4074106", "FCIU9176921"), ("E4004F43405933A0",))
    coloured = gathered(read(next(SAMPLES.glob("04-*.xml")).read_bytes()), "L01")
    assert (coloured.plate, coloured.containers, coloured.gross_kg) == ("闽D66681", ("FSCU9390315",), None)
    signed = gathered(read(next(SAMPLES.glob("18-*.xml")).read_bytes()), "L01")
    assert (signed.plate, signed.gross_kg, len(signed.containers)) == ("苏A88888", 38460, 2)
    smart = gathered(read(next(SAMPLES.glob("24-*.xml")).read_bytes()), "L01")
    assert (smart.plate, smart.passage, smart.containers) == ("川X00001", "000220260310120000", ("3000000003",))


names = st.text("0123456789", min_size=1, max_size=10)
forms = st.builds(
    Form,
    width=st.sampled_from([1, 4]),
    order=st.sampled_from(["little", "big"]),
    identifier=st.sampled_from([b"\xff" * 4, bytes(4), b"\x01" * 4]),
    pad=st.sampled_from(["zero", "nul_left", "nul_right"]),
)
packets = st.builds(
    Packet,
    code=st.sampled_from(sorted(CODES)),
    area=names,
    channel=names,
    direction=st.sampled_from("IEO"),
    xml=st.text(min_size=8, max_size=120).map(lambda text: f"<A>{text}</A>".encode()),
    pictures=st.lists(st.tuples(st.integers(0x30, 0x36), st.binary(min_size=4, max_size=40)), max_size=3).map(tuple),
    form=forms,
)


@settings(max_examples=150)
@given(st.lists(packets, min_size=1, max_size=4), st.integers(1, 90))
def test_any_form_comes_back_however_it_is_cut(sent: list[Packet], size: int) -> None:
    stream = b"".join(write(packet) for packet in sent)
    for chunks in ([stream], [stream[i : i + size] for i in range(0, len(stream), size)]):
        heard = unpacked(*chunks)
        assert len(heard) == len(sent)
        for one, other in zip(sent, heard, strict=True):
            assert isinstance(other, Packet)
            assert (one.code, one.direction, one.xml, one.pictures) == (
                other.code, other.direction, other.xml, other.pictures,
            )  # fmt: skip
            assert same_name(one.area, other.area) and same_name(one.channel, other.channel)
            assert (one.form.width, one.form.order) == (other.form.width, other.form.order)


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=80) | packets.map(write), max_size=6), st.integers(1, 60))
def test_noise_is_survived_and_nothing_is_counted_twice(pieces: list[bytes], size: int) -> None:
    stream = b"".join(pieces)
    heard = unpacked(*(stream[i : i + size] for i in range(0, len(stream), size)))
    told = sum(len(each.raw) if isinstance(each, Noise) else len(write(each)) for each in heard)
    assert told <= len(stream)


def test_packets_behind_noise_are_found_again() -> None:
    raw, dice, found = frame("51"), Random(4), 0
    for _ in range(300):
        noise = dice.randbytes(dice.randrange(1, 60)).replace(b"\xe2", b"\x00")
        found += any(isinstance(each, Packet) for each in unpacked(noise + raw, raw))
    assert found == 300


def test_a_length_counted_in_another_encoding_ends_at_the_tail() -> None:
    xml = "<A><OP_HINT>直接放行直接放行</OP_HINT></A>".encode()
    right = write(Packet(code=0x21, area="1", channel="2", direction="I", xml=xml))
    short = len("<A><OP_HINT>直接放行直接放行</OP_HINT></A>".encode("gb18030"))
    wrong = right[:4] + (short + 40).to_bytes(4, "little") + right[8:34] + short.to_bytes(4, "little") + right[38:]
    (one, two) = unpacked(wrong + right)
    assert isinstance(one, Packet) and isinstance(two, Packet) and one.xml == two.xml == xml


def test_zeros_after_a_tail_are_filling_and_a_cut_packet_is_noise() -> None:
    raw = frame("51")
    assert [type(each) for each in unpacked(raw + bytes(2000) + raw)] == [Packet, Packet]
    assert [type(each) for each in unpacked(raw, raw[:150])] == [Packet, Noise]
    assert [type(each) for each in unpacked(b"\xe2\x5c\x4b" + bytes(60))] == [Noise]


@pytest.mark.parametrize(
    "raw", [b"", b"<a>", b"\xff\xfe\x00", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<a/><b/>"]
)
def test_what_is_no_message(raw: bytes) -> None:
    with pytest.raises(NotXml):
        read(raw)


def test_encodings_are_not_believed() -> None:
    gb = write_xml("A", {}, [("B", "放行")], encoding="gb18030", declared="UTF-8")
    utf = write_xml("A", {}, [("B", "放行")], declared="GB2312")
    assert read(gb).first("B") == read(utf).first("B") == read(b"\xef\xbb\xbf" + utf + b"\0").first("B") == "放行"
    assert text_of("放".encode() + b"\0") == "放"


@given(st.dictionaries(st.sampled_from([f"b{n}" for n in range(1, 21)]), st.sampled_from("0129VWXYZqpozxwvu")))
def test_a_result_word_has_twenty_letters(letters: dict[str, str]) -> None:
    made = word(**letters)
    assert len(made) == 20
    assert all(made[int(place[1:]) - 1] == letter for place, letter in letters.items())
    if "b1" not in letters:
        assert made[0] == max(made[2:7])
    assert re.fullmatch(r"[0-9A-Za-z]{20}", made)
