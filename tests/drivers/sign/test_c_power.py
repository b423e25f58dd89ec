"""C-Power cards: the maker's examples and commands from the field, every cut of a stream, and cards on real wires."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.faults import NoAnswer, OurMistake, Refused
from drivers.link import open_link
from drivers.readings import Garbage
from drivers.sign.c_power import (
    MAX_DATA,
    MAX_PACKET,
    Decoder,
    Framing,
    Packet,
    Packets,
    framed,
    packet,
    text_frame,
)
from drivers.sign.config import SignConfig
from drivers.sign.decode import decode_stream
from drivers.sign.device import Sign
from drivers.sign.frames import Declined, DoesNotFit, Shown
from edge.clock import SiteClock
from simulators.c_power import CPowerSign
from simulators.clock import SimClock
from simulators.faults import SignFaults

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "sign" / "c_power.json").read_text("utf-8")
)
FRAMINGS: tuple[Framing, ...] = ("serial", "network")


def words(framing: Framing, *chunks: bytes) -> list[Packet | Garbage]:
    packets = Packets(framing)
    for chunk in chunks:
        packets.receive(chunk)
    packets.end()
    found: list[Packet | Garbage] = []
    while (word := packets.next_word()) is not None:
        found.append(word)
    return found


def frame(*rows: str, framing: Framing = "serial", columns: int = 8, card: int = 1, card_id: int = 0xFFFFFFFF) -> bytes:
    return text_frame(
        rows, columns=columns, max_rows=4, framing=framing, card=card, card_id=card_id, window=0, font_px=16,
        colour="red",
    )  # fmt: skip


@pytest.mark.parametrize("entry", GOLDEN, ids=lambda entry: entry["hex"][:24])
def test_vectors_whole_byte_by_byte_and_in_noise(entry: dict[str, Any]) -> None:
    raw, framing = bytes.fromhex(entry["hex"]), entry["framing"]
    for chunks in ([raw], [bytes((byte,)) for byte in raw]):
        said = list(decode_stream(chunks, framing))
        if entry.get("refused"):
            assert said == [{"garbage": raw.hex(), "why": "no packet of a C-Power card"}]
        else:
            assert said == [entry["says"]]
    if not entry.get("refused"):
        noisy = list(decode_stream([b"\x01\x02", raw, raw, b"\x03"], framing))
        assert [each for each in noisy if "garbage" not in each] == [entry["says"]] * 2


def test_our_text_is_the_makers_own_example_but_for_the_looks() -> None:
    [ours] = words("serial", frame("abc", "cba"))
    assert isinstance(ours, Packet) and ours.data == bytes.fromhex("12000005010003 02ff0000 6162630d63626100")
    [theirs] = words("serial", bytes.fromhex(GOLDEN[0]["hex"]))
    assert isinstance(theirs, Packet)
    assert (ours.data[:3], ours.data[7:]) == (theirs.data[:3], theirs.data[7:]), "all but alignment, speed and stay"


@given(data=st.binary(max_size=MAX_DATA), card=st.integers(1, 255), framing=st.sampled_from(FRAMINGS), cuts=st.data())
def test_any_packet_comes_through_however_it_is_cut(
    data: bytes, card: int, framing: Framing, cuts: st.DataObject
) -> None:
    raw = framed(packet(card, data), framing, 0xA5AEAA00)
    if framing == "serial":
        assert raw[1:-1].count(0xA5) + raw[1:-1].count(0xAE) == 0
    place = cuts.draw(st.integers(0, len(raw)))
    [found] = words(framing, raw[:place], raw[place:])
    assert isinstance(found, Packet) and (found.card, found.data) == (card, data)


@given(data=st.binary(min_size=1, max_size=60), place=st.integers(0), bit=st.integers(0, 7))
def test_a_turned_bit_is_never_another_packet(data: bytes, place: int, bit: int) -> None:
    body = packet(1, data)
    damaged = bytearray(body)
    damaged[place % len(body)] ^= 1 << bit
    found = words("serial", framed(bytes(damaged), "serial"))
    assert not [word for word in found if isinstance(word, Packet) and word.kind & 0x7F != 0x68]
    assert all(isinstance(word, Garbage) for word in found) or damaged == body


@given(noise=st.binary(max_size=300), framing=st.sampled_from(FRAMINGS))
def test_noise_is_kept_whole(noise: bytes, framing: Framing) -> None:
    assert b"".join(word.raw for word in words(framing, noise)) == noise


def test_endless_noise_does_not_grow_memory() -> None:
    for framing in FRAMINGS:
        packets = Packets(framing)
        for _ in range(40):
            packets.receive(b"\xa5" + b"\x00" * MAX_PACKET)
            while packets.next_word() is not None:
                pass
            assert len(packets._pending) + len(packets._noise) <= 4 * MAX_PACKET


def test_what_the_card_answers() -> None:
    for framing in FRAMINGS:
        decoder = Decoder(framing, 1)
        for kind, extra, card in ((0xE8, 0, 1), (0x68, 0, 1), (0xE8, 1, 1), (0xE8, 0, 2)):
            decoder.receive(framed(packet(card, b"", kind=kind, extra=extra), framing))
        assert [decoder.next_word(), decoder.next_word()] == [Shown(), Shown()], "old cards answer with 68"
        assert decoder.next_word() == Declined(code="01 checksum error")
        assert isinstance(decoder.next_word(), Garbage), "another card's yes is not ours"


def test_a_text_that_one_packet_does_not_hold_is_a_mistake() -> None:
    with pytest.raises(DoesNotFit, match="go into one packet"):
        frame("国" * 60, "国" * 60, columns=64)
    with pytest.raises(DoesNotFit, match="columns wide"):
        frame("国" * 9)


def test_settings_belong_to_their_dialect() -> None:
    base = {"name": "s", "link": {"kind": "tcp", "host": "a", "port": 1}, "columns": 8, "rows": 2}
    with pytest.raises(ValidationError, match="belongs to dialect"):
        SignConfig.model_validate({**base, "c_power": {"card": 2}})
    assert SignConfig.model_validate({**base, "dialect": "c-power"}).card.window == 0


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("road", ["tcp", "pty"])
@pytest.mark.parametrize("old", [False, True])
async def test_a_card_on_a_real_wire_shows_what_it_is_told(framing: Framing, road: str, old: bool) -> None:
    card = CPowerSign(SimClock(), framing=framing, card=3, card_id=0xA5AE0001, old=old)
    link: dict[str, Any] = {"kind": "serial", "device": card.pty(), "baud": 115200} if road == "pty" else {
        "kind": "tcp", "host": "127.0.0.1", "port": card.tcp()[1],
    }  # fmt: skip
    config = SignConfig.model_validate({
        "name": "sign", "link": link, "columns": 8, "rows": 2, "dialect": "c-power",
        "c_power": {"framing": framing, "card": 3, "card_id": 0xA5AE0001, "window": 2, "colour": "yellow"},
    })  # fmt: skip
    clock = SiteClock()
    wire = await open_link(config.link, clock)
    try:
        sign = Sign(wire, config, clock)
        await sign.show(["前方积水", "缓慢通行"])
        assert (card.text, card.rgb, card.window) == ("前方积水|缓慢通行", (255, 255, 0), 2)
        await sign.show(["请驶入", ""])
        assert card.text == "请驶入"
        await sign.show([])
        assert card.text == "" and sign.tally.words == 3
        card.faults = SignFaults(error="7")
        with pytest.raises(Refused):
            await sign.show(["停"])
        with pytest.raises(OurMistake):
            await sign.show(["国国国国国国国国国"])
    finally:
        await wire.close()
        card.close()


async def test_a_card_that_is_not_there_is_no_answer() -> None:
    card = CPowerSign(SimClock(), card=7)
    config = SignConfig.model_validate({
        "name": "sign", "link": {"kind": "tcp", "host": "127.0.0.1", "port": card.tcp()[1]}, "columns": 8, "rows": 2,
        "dialect": "c-power", "c_power": {"card": 1},
    })  # fmt: skip
    clock = SiteClock(speed=20)
    wire = await open_link(config.link, clock)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(NoAnswer, match="silent for"):
                await Sign(wire, config, clock).show(["停"])
        assert card.text == ""
    finally:
        await wire.close()
        card.close()
