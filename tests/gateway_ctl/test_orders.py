"""An order is its payload and its payload is the order; whatever else comes is Malformed and never a crash."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.readings import Instant
from gateway_ctl.orders import (
    CUSTOMS_VERBS,
    LANE_WIDE,
    LOWERING,
    RAISING,
    Malformed,
    Movement,
    Order,
    Origin,
    Permit,
    Verb,
    parse,
    payload,
)
from tests.gateway_ctl.papers import PLAIN, PLAIN_ORDER, orders


def written(**changes: Any) -> bytes:
    """The plain payload with fields changed; a change to `...` leaves the field out."""
    return json.dumps({k: v for k, v in (PLAIN | changes).items() if v is not ...}, ensure_ascii=False).encode()


def test_a_payload_is_read_as_customs_wrote_it() -> None:
    assert parse(written()) == PLAIN_ORDER
    assert json.loads(payload(PLAIN_ORDER)) == PLAIN


@settings(max_examples=200)
@given(orders)
def test_round_trip(order: Order) -> None:
    data = payload(order)
    again = parse(data)
    assert again == order
    assert payload(again) == data


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_bytes_are_an_order_or_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


@settings(max_examples=300)
@given(orders, st.data())
def test_a_damaged_payload_is_an_order_or_malformed(order: Order, draw: st.DataObject) -> None:
    data = bytearray(payload(order))
    where = draw.draw(st.integers(0, len(data) - 1))
    data[where] = draw.draw(st.integers(0, 255))
    with suppress(Malformed):
        assert isinstance(parse(bytes(data)), Order)


def test_origin_and_issuer_are_never_read_from_the_payload() -> None:
    order = parse(payload(PLAIN_ORDER))
    assert (order.origin, order.issuer) == (Origin.CUSTOMS, "")
    for field, value in (("origin", "person"), ("issuer", "li.wei")):
        with pytest.raises(Malformed, match=field):
            parse(written(**{field: value}))


BAD: dict[str, dict[str, Any]] = {
    "unknown field": {"force": True},
    "version 0": {"v": 0},
    "version 2": {"v": 2},
    "version as text": {"v": "1"},
    "unknown verb": {"verb": "open"},
    "verb in capitals": {"verb": "RELEASE"},
    "empty id": {"id": ""},
    "empty site": {"site": ""},
    "empty lane": {"lane": ""},
    "id as number": {"id": 7},
    "plate as number": {"plate": 7},
    "containers as text": {"containers": "CSQU3054383"},
    "containers null": {"containers": None},
    "container null": {"containers": [None]},
    "weight as number": {"declared_kg": 37000},
    "weight no number": {"declared_kg": "heavy"},
    "weight empty": {"declared_kg": ""},
    "weight NaN": {"declared_kg": "NaN"},
    "weight sNaN": {"declared_kg": "sNaN"},
    "weight infinite": {"declared_kg": "Infinity"},
    "weight negative": {"declared_kg": "-1"},
    "weight a million and a bit": {"declared_kg": "1000000.001"},
    "weight of a galaxy": {"declared_kg": "9E+999999999999"},
    "weight too fine": {"declared_kg": "1.0001"},
    "weight infinitely fine": {"declared_kg": "1E-999999999999"},
    "tolerance NaN": {"tolerance_kg": "nan"},
    "tolerance negative": {"tolerance_kg": "-0.5"},
    "tolerance infinite": {"tolerance_kg": "inf"},
    "time as text": {"issued_at": "2026-11-23"},
    "time null": {"expires_at": None},
    "time true": {"expires_at": True},
    "reason as text": {"reason": "released"},
    "reason half": {"reason": {"zh": "放行"}},
    "a release with an end of its own": {"until": 1764000100.0},
    "a hold-open without end": {"verb": "hold_open"},
    "a confirmation of nothing": {"verb": "confirm"},
    "a release that confirms": {"confirms": "o-0"},
    "evidence that is no digest": {"evidence": ["AB" * 32]},
    "evidence too short": {"evidence": ["ab" * 31]},
    "direction up": {"direction": "up"},
    "seal numbers as text": {"seal_numbers": "GACC1"},
    "persons null": {"persons": None},
    "person number": {"persons": [1]},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_a_wrong_field_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        parse(written(**changes))


@pytest.mark.parametrize("field", list(PLAIN))
def test_a_missing_field_is_malformed(field: str) -> None:
    with pytest.raises(Malformed, match=field):
        parse(written(**{field: ...}))


@pytest.mark.parametrize("kg", ["0", "0.001", "37000", "3.7E+4", "1000000", "1000000.000"])
def test_weights_that_are_weights(kg: str) -> None:
    order = parse(written(declared_kg=kg, tolerance_kg=kg))
    assert order.declared_kg == order.tolerance_kg
    assert str(order.declared_kg) == kg


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_time_that_is_none_is_malformed(word: bytes) -> None:
    with pytest.raises(Malformed):
        parse(written().replace(b"1764000120.0", word))


def test_not_utf8_is_malformed() -> None:
    with pytest.raises(Malformed):
        parse(json.dumps(PLAIN, ensure_ascii=False).encode("gbk"))
    with pytest.raises(Malformed):
        parse(written().decode().encode("utf-16"))


def test_a_huge_payload_is_not_even_read() -> None:
    room = 8 * 1024 - len(written(plate=""))
    assert len(parse(written(plate="x" * room)).plate or "") == room
    with pytest.raises(Malformed, match="8193 bytes, more than 8192"):
        parse(written(plate="x" * (room + 1)))


def test_depth_is_malformed() -> None:
    with pytest.raises(Malformed):
        parse(written(reason=...)[:-1] + b', "reason": ' + b"[" * 4000)


OF_VERB: dict[Verb, dict[str, Any]] = {
    Verb.HOLD_OPEN: {"until": 1764000100.0},
    Verb.CONFIRM: {"confirms": "o-0"},
}


@pytest.mark.parametrize("verb", list(Verb))
def test_every_verb_has_its_word(verb: Verb) -> None:
    assert parse(written(verb=verb.value, **OF_VERB.get(verb, {}))).verb is verb
    assert verb.value == verb.name.lower()


def test_who_may_say_what_and_what_may_move_the_boom() -> None:
    assert {Verb.RELEASE, Verb.HOLD, Verb.INSPECT, Verb.REFUSE} == CUSTOMS_VERBS
    assert {Verb.RELEASE, Verb.HOLD_OPEN, Verb.CONFIRM} == RAISING
    assert {Verb.LOWER, Verb.LOWER_NOW} == LOWERING
    assert {Verb.HOLD_OPEN, Verb.CLOSE, Verb.LOWER, Verb.LOWER_NOW} == LANE_WIDE


def test_what_an_order_does_not_say() -> None:
    bare = parse(written())
    assert bare == replace(
        PLAIN_ORDER, persons=(), trailer=None, seal_numbers=(), direction=None, document=None, evidence=(),
        until=None, confirms=None, screen="", origin=Origin.CUSTOMS, issuer="",
    )  # fmt: skip
    assert json.loads(payload(bare)) == PLAIN, "and is not written"


def test_what_an_order_may_say() -> None:
    more: dict[str, Any] = {
        "persons": ["li.wei", "wang.fang"], "trailer": "沪B001挂", "seal_numbers": ["S1", "S2"], "direction": "out",
        "document": "DEC", "evidence": ["ab" * 32], "screen": "desk", "verb": "hold_open", "until": 1764000100.5,
    }  # fmt: skip
    full = replace(
        PLAIN_ORDER, persons=("li.wei", "wang.fang"), trailer="沪B001挂", seal_numbers=("S1", "S2"), direction="out",
        document="DEC", evidence=("ab" * 32,), screen="desk", verb=Verb.HOLD_OPEN, until=Instant(1764000100.5),
    )  # fmt: skip
    assert parse(written(**more)) == full
    assert json.loads(payload(full)) == PLAIN | more
    assert parse(written(verb="confirm", confirms="o-0")).confirms == "o-0"
    assert parse(written(declared_kg=None, tolerance_kg=None)).declared_kg is None


def test_why_it_is_malformed() -> None:
    for changes, why in (
        ({"v": 2}, r"^version 2, expected 1$"), ({"site": ""}, r"^id, site or lane is empty$"),
        ({"until": 1.0}, r"^`until` belongs to hold_open"), ({"confirms": "o"}, r"^`confirms` belongs to confirm"),
        ({"declared_kg": "x"}, r"^'x' is no weight in kg$"), ({"tolerance_kg": "-1"}, r"^'-1' is no weight in kg$"),
    ):  # fmt: skip
        with pytest.raises(Malformed, match=why):
            parse(written(**changes))


def test_bytes_that_are_no_text_and_depth_without_end() -> None:
    with pytest.raises(Malformed):
        parse(written(plate="x").replace(b'"x"', b'"\xff"'))
    deep = written(reason={"zh": "x", "en": "y", "more": 0}).replace(b": 0", b": " + b"[" * 3000 + b"]" * 3000)
    with pytest.raises(Malformed):
        parse(deep)


def test_a_permit_is_no_emergency_unless_it_says_so() -> None:
    plain = Permit(
        id="p", lane="L01", passage=None, order=None, by_person=False, movement=Movement.LOWER,
        granted_at=Instant(0.0), expires_at=Instant(1.0), picture="0" * 64,
    )  # fmt: skip
    assert not plain.emergency
