"""Numbers of cards: vectors out of public manuals, every cut of a stream, and readers on real wires."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.faults import LinkLost
from drivers.link import open_link
from drivers.link.config import SerialLinkConfig, TcpLinkConfig
from drivers.readings import Garbage
from drivers.rfid.card_config import CardReaderConfig
from drivers.rfid.card_decode import decode_stream
from drivers.rfid.card_device import CardReader
from drivers.rfid.card_frames import MAX_FRAME, MAX_LINE, Decoder, Setting
from drivers.rfid.cards import CardRead, NoNumber, NumberForm, fits, turned, wiegand, written
from edge.clock import SiteClock
from simulators.cards import SPEECHES, CardSpeech, frame_of
from simulators.cards import CardReader as SimReader
from simulators.clock import SimClock
from simulators.faults import TagFaults

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "rfid" / "cards.json").read_text("utf-8")
)
FORMS: tuple[NumberForm, ...] = get_args(NumberForm)
SETTINGS: dict[CardSpeech, dict[str, Any]] = {
    "card-stx": {"dialect": "card-stx"},
    "card-binary": {"dialect": "card-binary"},
    "card-lines": {"dialect": "card-lines"},
    "card-sum": {"dialect": "card-lines", "check": "sum"},
    "card-decimal": {"dialect": "card-lines", "printed": "decimal"},
    "wiegand-26": {"dialect": "wiegand-lines", "wiegand": 26},
    "wiegand-34": {"dialect": "wiegand-lines", "wiegand": 34},
    "wiegand-37": {"dialect": "wiegand-lines", "wiegand": 37},
    "wiegand-66": {"dialect": "wiegand-lines", "wiegand": 66},
}


def heard(setting: Setting, *chunks: bytes) -> list[CardRead | Garbage]:
    decoder = Decoder(setting)
    for chunk in chunks:
        decoder.receive(chunk)
    decoder.end()
    found: list[CardRead | Garbage] = []
    while (word := decoder.next_word()) is not None:
        found.append(word)
    return found


@pytest.mark.parametrize("entry", GOLDEN, ids=lambda entry: entry["number"])
def test_vectors_whole_and_byte_by_byte(entry: dict[str, Any]) -> None:
    raw, setting = bytes.fromhex(entry["hex"]), Setting(**entry["setting"])
    for chunks in ([raw], [bytes((byte,)) for byte in raw], [raw + raw]):
        reads = heard(setting, *chunks)
        assert reads
        for read in reads:
            assert isinstance(read, CardRead)
            assert written(read, setting.number) == entry["number"]


def test_the_forms_of_one_number() -> None:
    read = CardRead(value=0x89D41B81, bits=32)
    assert {form: written(read, form) for form in FORMS if fits(form, 32)} == {
        "hex": "89D41B81", "8h10d": "2312379265", "6h8d": "13900673", "wg3+5": "21207041", "decimal": "2312379265",
    }  # fmt: skip
    assert written(turned(read), "hex") == "811BD489"
    assert written(CardRead(value=12345 << 19 | 123456, bits=35), "facility") == "12345123456"
    with pytest.raises(NoNumber):
        written(CardRead(value=1, bits=24), "8h10d")
    with pytest.raises(NoNumber):
        turned(CardRead(value=1, bits=35))


@pytest.mark.parametrize("speech", [each for each in SPEECHES if each.startswith("wiegand")])
@given(data=st.data())
def test_a_lost_or_turned_wiegand_bit_is_found(speech: CardSpeech, data: st.DataObject) -> None:
    size = int(speech.removeprefix("wiegand-")) - 2
    value = data.draw(st.integers(0, (1 << size) - 1))
    frame = frame_of(value.to_bytes(8, "big"), speech).decode().strip()
    assert wiegand(frame) == CardRead(value=value, bits=size)
    place = data.draw(st.integers(0, size + 1))
    flipped = frame[:place] + str(1 - int(frame[place])) + frame[place + 1 :]
    with pytest.raises(NoNumber, match="wrong parity"):
        wiegand(flipped)
    other = str(1 - int(frame[0])) + frame[1:-1] + str(1 - int(frame[-1]))
    assert wiegand(other, "odd-even").value == value


@pytest.mark.parametrize("speech", SPEECHES)
@given(number=st.binary(min_size=4, max_size=4), cuts=st.lists(st.integers(1, 9), max_size=12))
def test_every_reader_says_what_the_card_is_however_it_is_cut(
    speech: CardSpeech, number: bytes, cuts: list[int]
) -> None:
    frame = frame_of(number, speech)
    chunks, rest = list[bytes](), frame
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]
    [read] = heard(Setting(**SETTINGS[speech]), *chunks, rest)
    assert isinstance(read, CardRead)
    wanted = int.from_bytes(number, "big") & ((1 << 24) - 1 if speech == "wiegand-26" else -1)
    assert read.value == wanted


@given(noise=st.binary(max_size=200), speech=st.sampled_from(SPEECHES))
def test_noise_is_kept_and_makes_no_card_that_it_does_not_spell(noise: bytes, speech: CardSpeech) -> None:
    setting = Setting(**SETTINGS[speech])
    pieces = b"".join(word.raw for word in heard(setting, noise))
    strip = bytes(range(33)) if setting.dialect.endswith("lines") else b""
    assert pieces.translate(None, strip) == noise.translate(None, strip), "nothing is dropped, nothing twice"
    after = heard(setting, noise + b"\r\n\x03", frame_of(b"\x00\x8e\x6d\x5d", speech))
    assert isinstance(after[-1], CardRead) or setting.dialect.startswith("card-b") or setting.dialect == "card-stx"


def test_an_endless_line_does_not_grow_memory() -> None:
    for dialect, cap in (("card-lines", MAX_LINE), ("card-stx", MAX_FRAME)):
        decoder = Decoder(Setting(dialect=dialect))  # pyright: ignore[reportArgumentType]
        for _ in range(50):
            decoder.receive(b"\x02" + b"7" * (cap + 1))
            while decoder.next_word() is not None:
                pass
            assert len(decoder._pending) <= cap + 1


@pytest.mark.parametrize(
    ("number", "why"), [("88010203", "half of a longer"), ("08A1B2C3", "drawn anew"), ("11223344", "")]
)
def test_numbers_that_are_no_cards_are_told(number: str, why: str) -> None:
    line = f"{number}\r\n".encode()
    [strict] = heard(Setting(dialect="card-lines", iso14443=True), line)
    [lax] = heard(Setting(dialect="card-lines"), line)
    assert isinstance(lax, CardRead)
    assert (isinstance(strict, Garbage) and why in strict.why) if why else isinstance(strict, CardRead)
    backwards = bytes.fromhex(number)[::-1].hex().encode() + b"\n"
    [turned_round] = heard(Setting(dialect="card-lines", iso14443=True, turned=True), backwards)
    assert isinstance(turned_round, Garbage if why else CardRead)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dialect": "wiegand-lines"},
        {"dialect": "card-stx", "wiegand": 26},
        {"dialect": "card-stx", "check": "xor"},
        {"dialect": "card-lines", "printed": "decimal", "check": "sum"},
        {"dialect": "card-lines", "printed": "3+5", "number": "8h10d"},
        {"dialect": "wiegand-lines", "wiegand": 26, "number": "8h10d"},
        {"dialect": "wiegand-lines", "wiegand": 34, "number": "facility"},
        {"dialect": "wiegand-lines", "wiegand": 37, "number": "decimal", "bytes": "reversed"},
    ],
)
def test_what_cannot_be_is_refused_when_the_site_file_is_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CardReaderConfig.model_validate({"name": "ic", "link": {"kind": "tcp", "host": "a", "port": 1}, **wrong})


def test_decode_shows_every_form() -> None:
    [said] = decode_stream([b"89D41B81\r\n"], Setting(dialect="card-lines"))
    assert said["bits"] == 32 and said["as_sent"]["8h10d"] == "2312379265" and said["reversed"]["hex"] == "811BD489"
    assert list(decode_stream([b"xyz\n"], Setting(dialect="card-lines"))) == [
        {"garbage": b"xyz".hex(), "why": "no hexadecimal digits in pairs"}
    ]


@pytest.mark.parametrize("speech", SPEECHES)
@pytest.mark.parametrize("road", ["tcp", "pty"])
async def test_a_card_that_stays_is_told_once_on_a_real_wire(speech: CardSpeech, road: str) -> None:
    sim = SimReader(SimClock(), speech=speech)
    link = (
        TcpLinkConfig(host=sim.tcp()[0], port=sim.tcp()[1])
        if road == "tcp"
        else SerialLinkConfig(device=sim.pty(), baud=9600)
    )
    config = CardReaderConfig.model_validate(
        {"name": "ic", "link": link.model_dump(), "number": "hex", **SETTINGS[speech]}
    )
    clock = SiteClock()
    wire = await open_link(config.link, clock)
    try:
        words = CardReader(wire, config, clock).words()
        waiting = words.__anext__()
        asking = asyncio.ensure_future(waiting)
        async with asyncio.timeout(10):
            while not asking.done():
                sim.say(b"\x00\x8e\x6d\x5d")
                await asyncio.wait((asking,), timeout=0.02)
        card = asking.result()
        assert not isinstance(card, Garbage) and card.number.endswith("8E6D5D")
        another = asyncio.ensure_future(words.__anext__())
        sim.say(b"\x00\x8e\x6d\x5d")
        sim.say(b"\x11\x22\x33\x44")
        async with asyncio.timeout(10):
            other = await another
        assert not isinstance(other, Garbage) and other.number.endswith("223344"), "the first is not told again"
    finally:
        await wire.close()
        sim.close()


CARDS = {f"{number:010d}" for number in range(10_000)}


async def test_ten_thousand_cards_over_a_bad_line_that_is_unplugged() -> None:
    """Half frames, noise, wrong sums, four lives of the connection: every card that is told was held to the reader."""
    dice = random.Random(7)
    sim = SimReader(SimClock(), speech="card-stx", seed=7, faults=TagFaults(bad_sum_share=0.05))
    host, port = sim.tcp()
    link = {"kind": "tcp", "host": host, "port": port}
    config = CardReaderConfig.model_validate({"name": "ic", "link": link, "dialect": "card-stx", "repeat_window_s": 0})
    clock = SiteClock()
    told: list[str] = []
    garbage = held = 0

    async def hear(reader: CardReader) -> None:
        nonlocal garbage
        async for word in reader.words():
            if isinstance(word, Garbage):
                garbage += 1
            else:
                told.append(word.number)

    for life in range(4):
        wire = await open_link(config.link, clock)
        hearing = asyncio.ensure_future(hear(CardReader(wire, config, clock)))
        while held < 2500 * (life + 1):
            frame = frame_of(held.to_bytes(4, "big"), "card-stx")
            match dice.randrange(12):
                case 0:
                    sim.inject(frame[: dice.randrange(1, len(frame))])
                case 1:
                    sim.inject(bytes(dice.randrange(256) for _ in range(dice.randrange(1, 9))))
                case _:
                    pass
            sim.say(held.to_bytes(4, "big"))
            held += 1
            if not held % 50:
                await asyncio.sleep(0)
        sim.say((9_999).to_bytes(4, "big"))
        async with asyncio.timeout(20):
            while not told or told[-1] not in ("0000009999", f"{held - 1:010d}"):
                sim.say((9_999).to_bytes(4, "big"))
                await asyncio.wait((hearing,), timeout=0.02)
        sim.drop()
        async with asyncio.timeout(20):
            with pytest.raises(LinkLost):
                await hearing
        await wire.close()
        sim.restore()
    sim.close()
    assert set(told) <= CARDS, "none that nobody held to it"
    assert garbage > 500 and len(set(told)) > 8000


async def test_bad_sums_and_noise_invent_no_card() -> None:
    sim = SimReader(
        SimClock(), speech="card-stx", period_s=0.005, faults=TagFaults(bad_sum_share=0.5, garbage_per_s=60)
    )
    sim.card = b"\x00\x8e\x6d\x5d"
    host, port = sim.tcp()
    config = CardReaderConfig.model_validate(
        {
            "name": "ic",
            "link": {"kind": "tcp", "host": host, "port": port},
            "dialect": "card-stx",
            "repeat_window_s": 0,
        }
    )
    clock = SiteClock()
    wire = await open_link(config.link, clock)
    running = asyncio.ensure_future(sim.run())
    good = garbage = 0
    try:
        async with asyncio.timeout(20):
            async for word in CardReader(wire, config, clock).words():
                if isinstance(word, Garbage):
                    garbage += 1
                else:
                    good += 1
                    assert word.number == "0009334109"
                if good > 60 and garbage > 30:
                    break
    finally:
        running.cancel()
        await wire.close()
        sim.close()
