"""Registers of every maker against their manuals: bits, signs, words; and what is no weight is none."""

import json
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.readings import Garbage, Instant
from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.frames import Frame
from drivers.weighbridge.reading import Reader, Scale
from drivers.weighbridge.registers import read
from drivers.weighbridge.tables import TABLES, WeightTable, weight_table_named
from tests.drivers.weighbridge.wire import GOLDEN

CASES: list[dict[str, Any]] = json.loads((GOLDEN / "registers.json").read_text(encoding="utf-8"))["cases"]
SCALE = Scale(max_kg=Decimal(100_000), division_kg=Decimal(20), decimals=0)
TONS = Scale(max_kg=Decimal(100_000), division_kg=Decimal(20), decimals=2, unit="t")
LINK = {"kind": "modbus-tcp", "host": "192.0.2.5"}


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def scale_of(case: dict[str, Any]) -> Scale:
    return TONS if case.get("decimals") == 2 else SCALE


@pytest.mark.parametrize("case", CASES, ids=[f"{case['table']}: {case['source'][:40]}" for case in CASES])
def test_what_a_manual_says_is_what_is_read(case: dict[str, Any]) -> None:
    found = read(weight_table_named(case["table"]), words(case["words"]), scale_of(case))
    if "garbage" in case:
        assert isinstance(found, Garbage) and case["garbage"] in found.why
        return
    assert isinstance(found, Frame)
    if "shows" in case:
        assert found.shows == case["shows"]
        assert found.value is None
        return
    weight = Reader(scale_of(case)).read(found, Instant(1.8e9))
    assert found.display == case["display"]
    assert found.stable is case["stable"] and found.zero is case.get("zero", found.zero)
    assert found.tare_on is case.get("tare_on")
    assert list(found.notes) == case.get("notes", [])
    assert found.tare == (None if "tare" not in case else Decimal(case["tare"])) or found.tare == 0
    assert bool(found.doubt) is case.get("doubt", False)
    assert found.decimals == case.get("decimals", 0) and found.unit == case.get("unit")
    assert weight.moving is not case["stable"]
    if "doubt" not in case:
        assert weight.kg is not None and weight.kg == Decimal(case["display"]) * (1000 if scale_of(case) is TONS else 1)


def test_every_table_has_its_vectors() -> None:
    told = {case["table"] for case in CASES}
    assert {table.name for table in TABLES} - told == {"dini-argeo-dgt4x-2", "dini-argeo-dgt4x-4"}
    print({name: sum(case["table"] == name for case in CASES) for name in sorted(told)})


# The manuals again, by other hands than the tables: (function, first register, registers, where the weight is, how).

MAGNITUDE, SIGNED, SHORT = "magnitude", "signed", "short"
MANUALS: dict[str, dict[str, Any]] = {
    # 40007 first; 40008 and 40009 gross; b7 its sign; b11 stable; 40014 = division 20 (code 2), kg (0)
    "laumas": {"span": (3, 6, 8), "at": 1, "how": MAGNITUDE, "minus": 7, "status": 0, "stable": 11, "put": {7: 2}},
    "dini-argeo": {"span": (4, 0, 5), "at": 0, "how": MAGNITUDE, "minus": 1, "status": 4, "stable": 2},
    "dini-argeo-dgt4x-1": {"span": (3, 201, 3), "at": 1, "how": MAGNITUDE, "minus": 0, "status": 0, "stable": 1},
    "dini-argeo-dgt4x-2": {"span": (3, 204, 3), "at": 1, "how": MAGNITUDE, "minus": 0, "status": 0, "stable": 1},
    "dini-argeo-dgt4x-3": {"span": (3, 207, 3), "at": 1, "how": MAGNITUDE, "minus": 0, "status": 0, "stable": 1},
    "dini-argeo-dgt4x-4": {"span": (3, 210, 3), "at": 1, "how": MAGNITUDE, "minus": 0, "status": 0, "stable": 1},
    # register 7 is 32 bits: its low word is the second one; bit 2 says gross
    "rinstrum-c500": {"span": (4, 0, 10), "at": 0, "how": SIGNED, "status": 7, "stable": 1, "set": (2,)},
    # 40003 to 40012; the point's bit 31 is bit 15 of the high word
    "flintec-ft112": {"span": (3, 2, 10), "at": 2, "how": SIGNED, "status": 5, "moving": 2, "put": {4: 0x8000}},
    "flintec-ft12": {"span": (3, 2, 5), "at": 3, "how": SIGNED, "status": 0, "moving": 2, "set": (1,)},
    "baykon-mx08": {"span": (3, 2, 5), "at": 3, "how": SIGNED, "status": 0, "moving": 2, "set": (1,)},
    "general-measure-m02": {"span": (3, 0, 3), "at": 0, "how": SIGNED, "minus": 3, "status": 2, "stable": 0},
    "mettler-ind-integer": {"span": (3, 0, 2), "at": 0, "how": SHORT, "status": 1, "moving": 12, "set": (15,)},
    "mettler-ind-divisions": {
        "span": (3, 0, 2), "at": 0, "how": SHORT, "status": 1, "moving": 12, "set": (15,), "divide": 20,
    },
}  # fmt: skip


def encoded(name: str, kg: int, *, stable: bool) -> list[int]:
    """The registers that this indicator holds for so many kilograms."""
    manual = MANUALS[name]
    held = [0] * manual["span"][2]
    status = 0
    for bit in manual.get("set", ()):
        status |= 1 << bit
    if "stable" in manual:
        status |= stable << manual["stable"]
    else:
        status |= (not stable) << manual["moving"]
    if kg < 0 and "minus" in manual:
        status |= 1 << manual["minus"]
    number = kg // manual.get("divide", 1)
    at = manual["at"]
    if manual["how"] == SHORT:
        held[at] = number & 0xFFFF
    else:
        number = abs(number) if manual["how"] == MAGNITUDE else number & 0xFFFF_FFFF
        held[at], held[at + 1] = number >> 16, number & 0xFFFF
    held[manual["status"]] |= status
    for place, word in manual.get("put", {}).items():
        held[place] |= word
    return held


def test_every_table_reads_what_its_manual_says_and_no_more() -> None:
    for table in TABLES:
        function, start, count = MANUALS[table.name]["span"]
        assert (3 if table.area == "holding" else 4, table.start, table.count) == (function, start, count)


NAMES = sorted(MANUALS)


@given(name=st.sampled_from(NAMES), divisions=st.integers(-20, 5009), stable=st.booleans())
def test_a_weight_comes_back_as_it_was(name: str, divisions: int, stable: bool) -> None:
    kg = divisions * 20
    if name == "mettler-ind-integer" and kg > 0x7FFF:
        return
    frame = read(weight_table_named(name), encoded(name, kg, stable=stable), SCALE)
    assert isinstance(frame, Frame)
    weight = Reader(SCALE).read(frame, Instant(1.8e9))
    assert weight.kg == kg and weight.moving is not stable
    assert weight.status == ("stable" if stable else "motion")


@given(name=st.sampled_from(NAMES), divisions=st.integers(-20, 5009).filter(bool))
def test_words_the_wrong_way_round_are_seen_and_named(name: str, divisions: int) -> None:
    table = weight_table_named(name)
    if table.weight.size == 1:
        return
    turned = table.model_copy(
        update={
            part: getattr(table, part).model_copy(update={"words": "low-first"})
            for part in ("gross", "shown")
            if getattr(table, part) is not None
        }
    )
    found = read(turned, encoded(name, divisions * 20, stable=True), SCALE)
    assert isinstance(found, Garbage) and "the other way round" in found.why
    if name != "general-measure-m02":
        assert 'word_order = "high-first"' in found.why


@given(words_=st.lists(st.integers(0, 0xFFFF), max_size=14), name=st.sampled_from(NAMES))
def test_whatever_the_registers_hold_is_a_frame_or_garbage(words_: list[int], name: str) -> None:
    table = weight_table_named(name)
    for scale in (SCALE, TONS, None):
        found = read(table, words_, scale)
        assert isinstance(found, Garbage) or len(words_) == table.count
        if isinstance(found, Frame) and scale is not None:
            kg = Reader(scale).read(found, Instant(1.8e9)).kg
            assert kg is None or -999_999_999_999 < kg <= SCALE.max_kg + 180


# tables of a site's own

FLOATS = WeightTable.model_validate(
    {
        "name": "lider", "source": "LD2051 manual 2.7", "gross": {"at": 83, "kind": "float32", "words": "low-first"},
        "status": [],
    }
)  # fmt: skip


def floats(value: float, *, low_first: bool = True) -> list[int]:
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return [low, high] if low_first else [high, low]


def test_a_printed_float_and_a_printed_long_with_the_low_word_first() -> None:
    """Lider: 500 is 01F4 0000, 0.5 is 0000 3F00."""
    frame = read(FLOATS, words("0000 3F00"), None)
    assert isinstance(frame, Frame) and frame.value == Decimal("0.5")
    long = {"name": "lider-l", "source": "s", "shown": {"at": 87, "kind": "int32", "words": "low-first"}}
    frame = read(WeightTable.model_validate(long), words("01F4 0000"), SCALE)
    assert isinstance(frame, Frame) and frame.display == "500"


@given(divisions=st.integers(-20, 5009))
def test_floats_hold_weights_of_tons_to_the_last_place(divisions: int) -> None:
    frame = read(FLOATS, floats(divisions * 20 / 1000), TONS)
    assert isinstance(frame, Frame)
    assert Reader(TONS).read(frame, Instant(1.8e9)).kg == divisions * 20


@given(divisions=st.integers(-20, 5009).filter(bool))
def test_a_float_the_wrong_way_round_is_no_weight(divisions: int) -> None:
    """A small one read the wrong way round is nearly nothing: it must not become zero."""
    found = read(FLOATS, floats(divisions * 20 / 1000, low_first=False), TONS)
    assert isinstance(found, Garbage) or Reader(TONS).read(found, Instant(1.8e9)).kg is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e-41, 12.3456, 0.005])
def test_a_float_that_the_display_cannot_show_is_garbage(value: float) -> None:
    found = read(FLOATS, floats(value), TONS)
    assert isinstance(found, Garbage)
    assert isinstance(read(FLOATS, floats(-0.0), TONS), Frame)


def test_too_few_registers_are_garbage() -> None:
    found = read(FLOATS, [0], TONS)
    assert isinstance(found, Garbage) and "2 were asked for" in found.why


WRONG_TABLES: list[tuple[dict[str, Any], str]] = [
    ({"gross": None}, "expected gross, or shown"),
    ({"shown": {"at": 9, "kind": "int32"}}, "expected gross, or shown"),
    ({"gross": {"at": 1, "kind": "uint32"}}, "expected a status bit gross_negative"),
    ({"status": [{"at": 0, "bits": {"stable": [1], "moving": [2]}}]}, "say the same"),
    ({"status": [{"at": 0, "bits": {"stable": [1]}}, {"at": 1, "bits": {"stable": [1]}}]}, "two status registers"),
    ({"status": [{"at": 0, "bits": {"stable": [16]}}]}, "bits from 0 to 15"),
    ({"status": [{"at": 0, "bits": {"stable": []}}]}, "bits from 0 to 15"),
    ({"status": [{"at": 0, "bits": {"steady": [1]}}]}, "steady"),
    ({"status": [{"at": 200, "bits": {"stable": [1]}}]}, "too many for one read"),
    ({"gross": {"at": 0xFFFF, "kind": "int32"}}, "beyond 65535"),
    ({"decimals": {"at": 2, "codes": {"0": 9}}}, "less than or equal to 5"),
]


@pytest.mark.parametrize(("changed", "said"), WRONG_TABLES)
def test_a_table_that_cannot_be_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        WeightTable.model_validate({"name": "x", "source": "s", "gross": {"at": 1, "kind": "int32"}} | changed)
    assert said in str(wrong.value)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"link": LINK}, "table: expected the register table"),
        ({"link": LINK, "table": "laumas", "dialect": "sma"}, "expected table instead"),
        ({"link": LINK, "table": "laumas", "serial_no": "1"}, "no register table tells them"),
        ({"link": LINK, "table": "laumas", "address": "A"}, "link.unit"),
        ({"link": {"kind": "tcp", "host": "h", "port": 1}, "table": "laumas"}, "tables need a modbus link"),
        ({"link": {"kind": "tcp", "host": "h", "port": 1}}, "dialect: expected one of"),
    ],
)
def test_a_weighbridge_speaks_a_dialect_or_has_registers(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        WeighbridgeConfig.model_validate({"max_kg": 100_000, "division_kg": 20, **told})
    assert said in str(wrong.value)


def test_a_site_turns_the_words_of_a_table() -> None:
    told = {"max_kg": 100_000, "division_kg": 20, "table": "flintec-ft112", "word_order": "low-first", "link": LINK}
    table = WeighbridgeConfig.model_validate(told).registers()
    held = encoded("flintec-ft112", 66_660, stable=True)
    pairs = [held[n + 1 - 2 * (n % 2)] for n in range(len(held))]
    frame = read(table, pairs, SCALE)
    assert isinstance(frame, Frame) and frame.display == "66660" and frame.stable is True
