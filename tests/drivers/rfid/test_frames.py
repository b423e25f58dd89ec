import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.readings import Garbage
from drivers.rfid.frames import (
    MAX_PARAMETERS,
    Decoder,
    Dialect,
    ReaderSays,
    ReaderWord,
    RoundDone,
    a0_frame,
    bb_frame,
    start_inventory,
    tag_crc,
)
from drivers.rfid.tag import TagRead

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[2] / "golden" / "rfid" / "frames.json").read_text("utf-8"))
DIALECTS: tuple[Dialect, ...] = ("uhf-bb", "uhf-a0")


def words(dialect: Dialect, *chunks: bytes, quiet: bool = False) -> list[ReaderWord | Garbage]:
    decoder = Decoder(dialect)
    found: list[ReaderWord | Garbage] = []
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    if quiet:
        decoder.give_up()
        while (word := decoder.next_word()) is not None:
            found.append(word)
    return found


def expected(entry: dict[str, Any]) -> ReaderWord:
    if tag := entry.get("tag"):
        return TagRead(epc=bytes.fromhex(tag["epc"]), rssi_dbm=tag["rssi_dbm"], antenna=tag["antenna"])
    if says := entry.get("says"):
        parameters = bytes.fromhex(entry["hex"])
        return ReaderSays(**says, parameters=parameters[5:-2] if entry["dialect"] == "uhf-bb" else parameters[4:-1])
    return RoundDone(found=entry["round_done"])


def bb_tag(epc: bytes, rssi: int = -55, antenna: bytes = b"") -> bytes:
    stored = (len(epc) // 2 << 11).to_bytes(2, "big") + epc
    return bb_frame(0x02, 0x22, bytes((rssi & 0xFF,)) + stored + tag_crc(stored).to_bytes(2, "big") + antenna)


def a0_tag(epc: bytes, rssi: int = -60, antenna: int = 1) -> bytes:
    strength = rssi + 129 | (0x80 if antenna > 4 else 0)
    pc = (len(epc) // 2 << 11).to_bytes(2, "big")
    return a0_frame(0x01, 0x89, bytes((0x1C << 2 | (antenna - 1) % 4,)) + pc + epc + bytes((strength,)))


epcs = st.integers(1, 31).flatmap(lambda words: st.binary(min_size=2 * words, max_size=2 * words))


@pytest.mark.parametrize("entry", GOLDEN["frames"], ids=[each["hex"][:44] for each in GOLDEN["frames"]])
def test_every_captured_frame(entry: dict[str, Any]) -> None:
    frame = bytes.fromhex(entry["hex"])
    assert words(entry["dialect"], frame) == [expected(entry)]
    assert words(entry["dialect"], *(frame[i : i + 1] for i in range(len(frame)))) == [expected(entry)]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("size", [1, 3, 17, 1000])
def test_all_captured_frames_in_one_stream_with_noise_between(dialect: Dialect, size: int) -> None:
    entries = [each for each in GOLDEN["frames"] if each["dialect"] == dialect]
    stream = b"".join(b"\x00\x55\xff" + bytes.fromhex(each["hex"]) for each in entries)
    found = words(dialect, *(stream[i : i + size] for i in range(0, len(stream), size)))
    assert [word for word in found if not isinstance(word, Garbage)] == [expected(each) for each in entries]
    assert [word.raw for word in found if isinstance(word, Garbage)] == [b"\x00\x55\xff"] * len(entries)


@pytest.mark.parametrize("entry", GOLDEN["commands"], ids=[each["hex"] for each in GOLDEN["commands"]])
def test_commands_are_those_of_the_captures(entry: dict[str, Any]) -> None:
    assert start_inventory(entry["dialect"]).hex() == entry["hex"]


@settings(max_examples=60, deadline=None)
@given(epcs, st.integers(-90, -10), st.sampled_from([b"", b"\x02"]))
def test_bb_round_trip(epc: bytes, rssi: int, antenna: bytes) -> None:
    frame = bb_tag(epc, rssi, antenna)
    read = TagRead(epc=epc, rssi_dbm=rssi, antenna=antenna[0] if antenna else None)
    assert words("uhf-bb", frame, frame[:5], frame[5:]) == [read, read]


@settings(max_examples=60, deadline=None)
@given(epcs, st.integers(-129, -2), st.integers(1, 8))
def test_a0_round_trip(epc: bytes, rssi: int, antenna: int) -> None:
    frame = a0_tag(epc, rssi, antenna)
    read = TagRead(epc=epc, rssi_dbm=rssi, antenna=antenna)
    assert words("uhf-a0", frame, frame[:5], frame[5:]) == [read, read]


def test_heads_and_ends_may_stand_inside() -> None:
    epc = bytes.fromhex("bb7e0222a0137ebb00007ebb")
    assert words("uhf-bb", bb_tag(epc)) == [TagRead(epc=epc, rssi_dbm=-55, antenna=None)]
    assert words("uhf-a0", a0_tag(epc)) == [TagRead(epc=epc, rssi_dbm=-60, antenna=1)]


@pytest.mark.parametrize(
    ("dialect", "frame"),
    [
        ("uhf-bb", bb_tag(bytes(12))[:-2] + b"\x00\x7e"),
        ("uhf-bb", bb_tag(bytes(12))[:-1] + b"\x7d"),
        ("uhf-bb", bb_frame(2, 0x22, b"\xc9\x34\x00" + bytes(10) + b"\x00\x00")),
        ("uhf-bb", bb_frame(2, 0x22, b"\xc9\x34\x00" + bytes(12) + b"\x12\x34")),
        ("uhf-bb", bb_frame(2, 0x22, b"\xc9\x00\x00\x00\x00")),
        ("uhf-bb", bb_frame(2, 0x22, b"\xc9")),
        ("uhf-bb", b"\xbb\x02\x22\xff\xff"),
        ("uhf-a0", a0_tag(bytes(12))[:-1] + b"\x00"),
        ("uhf-a0", a0_frame(1, 0x89, b"\x04\x38\x00" + bytes(12) + b"\x45")),
        ("uhf-a0", b"\xa0\x02\x01\x5d"),
    ],
)
def test_damaged_frames_are_garbage(dialect: Dialect, frame: bytes) -> None:
    found = words(dialect, frame, quiet=True)
    assert found and all(isinstance(word, Garbage) for word in found)
    assert b"".join(word.raw for word in found if isinstance(word, Garbage)) == frame


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_frame_that_never_ends_does_not_hold_up_the_next(dialect: Dialect) -> None:
    good = bb_tag(bytes(12)) if dialect == "uhf-bb" else a0_tag(bytes(12))
    torn = good[:9]
    found = words(dialect, torn + good, good * (MAX_PARAMETERS // len(good) + 1))
    assert [word for word in found if isinstance(word, TagRead)][:2] == words(dialect, good, good)
    assert words(dialect, torn + good[:12], quiet=True)[-1].raw  # type: ignore[union-attr]
    [torn_off, read] = words(
        dialect, b"\xbb\x01\x02\x00\x50" + good if dialect == "uhf-bb" else b"\xa0\x50\x01" + good, quiet=True
    )
    assert isinstance(torn_off, Garbage) and isinstance(read, TagRead)


@settings(max_examples=150)
@given(
    st.sampled_from(DIALECTS),
    st.lists(st.one_of(st.binary(max_size=30), st.builds(bb_tag, epcs), st.builds(a0_tag, epcs)), max_size=12),
)
def test_byte_soup_is_accounted_for_and_does_not_depend_on_the_cut(dialect: Dialect, pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    whole = words(dialect, stream, quiet=True)
    cut = words(dialect, *(stream[i : i + 1] for i in range(len(stream))), quiet=True)
    assert [word for word in whole if not isinstance(word, Garbage)] == [w for w in cut if not isinstance(w, Garbage)]
    told = b"".join(word.raw for word in whole if isinstance(word, Garbage))
    assert b"".join(word.raw for word in cut if isinstance(word, Garbage)) == told
    for word in whole:
        if isinstance(word, TagRead):
            assert word.epc in stream


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_hour_of_noise_does_not_grow(dialect: Dialect) -> None:
    decoder = Decoder(dialect)
    head = b"\xbb\x01\x00\x00\x80" if dialect == "uhf-bb" else b"\xa0\x80"
    told = 0
    for n in range(3000):
        decoder.receive(head + bytes((n & 0xFF,)) * 40)
        while (word := decoder.next_word()) is not None:
            # One length in 256 has the right sum by chance: a frame of no meaning, never a tag.
            assert isinstance(word, Garbage | ReaderSays)
            raw = word.raw if isinstance(word, Garbage) else word.parameters + bytes(5)
            assert len(raw) <= 2 * MAX_PARAMETERS + 64
            told += len(raw)
    assert 3000 * (len(head) + 40) - told <= 3 * MAX_PARAMETERS
