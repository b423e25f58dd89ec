"""Every dialect against the simulators' formats, which other hands have written from the manuals."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.readings import Garbage, Instant
from drivers.weighbridge.dialects import DIALECTS
from drivers.weighbridge.frames import NOISE_CEILING, Frame, Remark, Unit, Word
from drivers.weighbridge.reading import Reader, Scale, Weight
from simulators.weigh_formats import FORMATS, Window, even_parity
from simulators.weigh_talk import TALKS, Plate

READ_BY = {name: name for name in FORMATS} | {"rinstrum-d": "st-gs", "dini-argeo-af": "dini-argeo"}
"""The dialect that a format is read by."""
TELLS = {
    "unit": {
        "yaohua-a12e", "yaohua-a12", "mt-continuous", "mt-continuous-nosum", "mt-continuous-short", "mt-sics-stream",
        "mt-continuous-short-nosum", "sma-stream", "rinstrum-d", "rinstrum-f", "aand", "st-gs", "rice-lake",
        "weigh-tronix", "dini-argeo", "dini-argeo-af", "bilanciai", "cardinal",
    },
    "kind": {
        "yaohua-a12e", "yaohua-a12", "mt-continuous", "mt-continuous-nosum", "mt-continuous-short", "sma-stream",
        "mt-continuous-short-nosum", "rinstrum-c", "rinstrum-3", "rinstrum-d", "rinstrum-f", "rinstrum-5200", "aand",
        "st-gs", "rice-lake", "weigh-tronix", "dini-argeo", "cardinal",
    },
    "stable": {
        "mt-continuous", "mt-continuous-nosum", "mt-continuous-short", "mt-continuous-short-nosum", "mt-sics-stream",
        "sma-stream", "rinstrum-a", "rinstrum-c", "rinstrum-3", "rinstrum-d", "rinstrum-f", "rinstrum-5200", "aand",
        "st-gs", "rice-lake", "dini-argeo", "dini-argeo-af", "bilanciai", "bilanciai-cb", "cardinal", "general-measure",
    },
}  # fmt: skip
POINTLESS = {"bilanciai-cb", "general-measure", "rinstrum-5200"}
MUTE_BELOW = {"bilanciai-cb"}
"""Formats that give no number below zero."""


@st.composite
def windows(draw: st.DrawFn) -> Window:
    places = draw(st.integers(0, 3))
    return Window(
        count=draw(st.integers(-99_999, 99_999)),
        places=places,
        unit=draw(st.sampled_from(["kg", "t", "lb"])),
        stable=draw(st.booleans()),
        centre=draw(st.booleans()),
        net=draw(st.booleans()),
        tare=draw(st.integers(0, 9_999)),
    )


def heard(dialect: str, *chunks: bytes) -> list[Word | Garbage]:
    decoder, found = DIALECTS[dialect].decoder(), list[Word | Garbage]()
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    while (word := decoder.rest()) is not None:
        found.append(word)
    return found


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=40)
@given(window=windows())
def test_what_the_window_shows_is_read(name: str, window: Window) -> None:
    stream = FORMATS[name](window) * 2
    for frame in (found := heard(READ_BY[name], stream)):
        assert isinstance(frame, Frame)
        shown = Decimal(window.count).scaleb(0 if name in POINTLESS else -window.places)
        if name == "dini-argeo-af":
            shown += Decimal(window.tare).scaleb(-window.places)
            assert frame.kind == "gross" and frame.tare_on == (window.tare != 0)
        if window.minus and name in MUTE_BELOW:
            assert frame.shows == "error" and frame.value is None
            continue
        assert frame.value == shown
        if name in TELLS["unit"] and (window.stable or name != "rinstrum-c"):
            assert frame.unit == window.unit
        if name in TELLS["kind"]:
            assert frame.kind == ("net" if window.net else "gross")
        assert frame.stable is (window.stable if name in TELLS["stable"] else None)
    assert len(found) == 2


@pytest.mark.parametrize("trouble", ["over", "under", "error"])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_out_of_range_is_never_a_number(name: str, trouble: Any) -> None:
    if trouble == "under" and name in ("yaohua-a9", "yaohua-equals-forward", "yaohua-equals-reversed"):
        return  # these have no word for it: the number itself is sent
    window = Window(count=-900 if trouble == "under" else 101_000, trouble=trouble)
    scale = Scale(max_kg=Decimal(100_000), division_kg=Decimal(20), decimals=0)
    found = heard(READ_BY[name], FORMATS[name](window) * 2)
    assert len(found) == 2
    for frame in found:
        assert isinstance(frame, Frame)
        weight = Reader(scale).read(frame, Instant(0))
        assert frame.value is None and weight.kg is None and weight.status not in ("stable", "motion", "unknown")


frames = st.tuples(windows(), st.integers(0, 40))
soups = st.lists(st.one_of(st.binary(max_size=12), frames, st.binary(min_size=65, max_size=90)), max_size=8)


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=30)
@given(parts=soups, sizes=st.lists(st.integers(0, 40), max_size=20))
def test_any_soup_gives_the_same_words_however_it_is_cut_and_accounts_for_every_byte(
    name: str, parts: list[bytes | tuple[Window, int]], sizes: list[int]
) -> None:
    data = b"".join(part if isinstance(part, bytes) else FORMATS[name](part[0])[: 40 - part[1]] for part in parts)
    whole = heard(READ_BY[name], data)
    assert heard(READ_BY[name], *cut(data, sizes)) == whole
    told = b"".join(word.raw for word in whole)
    assert data.startswith(told) and not data[len(told) :].strip(b"\r\n")
    assert all(len(word.raw) <= NOISE_CEILING for word in whole if isinstance(word, Garbage))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_frame_behind_half_a_frame_is_not_lost(name: str) -> None:
    half, whole = FORMATS[name](Window(count=44_440)), FORMATS[name](Window(count=38_260))
    for kept in range(1, len(half)):
        values = [word.value for word in heard(READ_BY[name], half[:kept] + whole * 2) if isinstance(word, Frame)]
        # Without a start mark the half frame and the next one's beginning may make one; never two in a row.
        assert values[-1] == 38_260 and set(values[:-1]) <= {38_260, *values[:1]}


@pytest.mark.parametrize("name", ["mt-continuous", "mt-continuous-short", "aand", "bilanciai"])
def test_a_port_of_seven_bits_heard_with_eight(name: str) -> None:
    frame = even_parity(FORMATS[name](Window(count=38_260)))
    found = heard(name, frame * 2)
    if name.startswith("mt"):
        assert [word.value for word in found if isinstance(word, Frame)] == [38_260, 38_260]
        spoiled = frame[:5] + bytes((frame[5] ^ 0x80,)) + frame[6:]
        assert not any(isinstance(word, Frame) for word in heard(name, spoiled))
    else:
        assert not any(isinstance(word, Frame) for word in found), "a wrong setting gives noise, not numbers"


@pytest.mark.parametrize("name", sorted(TALKS))
@settings(max_examples=25)
@given(window=windows())
def test_what_is_asked_is_answered_and_nothing_is_written(name: str, window: Window) -> None:
    dialect, plate, pending = DIALECTS[name], Plate(), bytearray()
    assert dialect.ask is not None
    decoder = dialect.decoder()
    asks = [*dialect.ask(dialect.address), *(dialect.ask_plate(dialect.address) if dialect.ask_plate else ())]
    for question in asks:
        pending += question
        decoder.receive(TALKS[name](pending, window, plate))
    found = list(iter(decoder.next_word, None))
    assert plate.written == [] and not any(isinstance(word, Garbage) for word in found)
    (frame,) = [word for word in found if isinstance(word, Frame)]
    gross = name in ("yaohua-a9-command", "rinstrum-rincmd")
    count = window.count + (window.tare if gross else 0)
    assert frame.value == Decimal(count).scaleb(0 if frame.pointless else -window.places)
    if dialect.ask_plate:
        assert [word.text for word in found if isinstance(word, Remark) and word.what == "serial"] == [plate.serial]


def read_twice(frame: Frame, scale: Scale) -> Weight:
    reader = Reader(scale)
    reader.read(frame, Instant(0))
    return reader.read(frame, Instant(0.1))


@pytest.mark.parametrize(
    ("unit", "places", "count", "kg"),
    [("t", 2, 3826, "38260"), ("t", 3, 38260, "38260.000"), ("lb", 0, 200, "90.7184740"), ("kg", 1, 15605, "1560.5")],
)
def test_units_are_exact(unit: Unit, places: int, count: int, kg: str) -> None:
    (frame,) = heard("dini-argeo", FORMATS["dini-argeo"](Window(count=count, places=places, unit=unit)))
    assert isinstance(frame, Frame)
    division = Decimal("9.0718474") if unit == "lb" else Decimal("0.5") if unit == "kg" else Decimal(20)
    scale = Scale(max_kg=Decimal(100_000), division_kg=division, decimals=places, unit=unit)
    assert read_twice(frame, scale).kg == Decimal(kg)
    other = Scale(max_kg=Decimal(100_000), division_kg=division, decimals=places, unit="g")
    assert read_twice(frame, other).kg is None and "counts in" in read_twice(frame, other).why


def test_net_is_never_taken_for_gross() -> None:
    scale = Scale(max_kg=Decimal(100_000), division_kg=Decimal(20), decimals=0)
    for name in sorted(TELLS["kind"]):
        window = Window(count=20_000, net=True, tare=15_000)
        (frame,) = heard(READ_BY[name], FORMATS[name](window))
        assert isinstance(frame, Frame)
        weight = read_twice(frame, scale)
        assert weight.kg is None and weight.status == "tared" and weight.tare_on, name
