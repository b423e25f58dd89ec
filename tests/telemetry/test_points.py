from decimal import Decimal
from typing import Any

import msgspec
import pytest

from telemetry.payloads.envelope import Envelope, Q, encode
from telemetry.payloads.fix import FixBody
from telemetry.payloads.health import HealthBody, ZeroHealth
from telemetry.payloads.inputs import InputsBody
from telemetry.payloads.lane import PassageBody, Reason, RefusalBody, Text
from telemetry.payloads.points import FIELDS, has_series, tags_of, to_point
from telemetry.payloads.reads import ReadBody, TagBody
from telemetry.payloads.seal import SealBody
from telemetry.payloads.weight import WeightBody
from telemetry.topics import Address

TAGS = tags_of(Address("q", "L01", "wb", "weight"))
REASON = Reason(code="x", say=Text("是", "x"), remedy=Text("是", "x"), clears="operator")

CASES: list[tuple[str, Any, Q, dict[str, float]]] = [
    (
        "weight",
        WeightBody(gross_kg=Decimal("38260.5"), display="38260.5", status="stable", zero_ok=True, zero_kg=Decimal(20)),
        "good",
        {"gross_kg": 38260.5, "stable": 1, "quality": 2, "zero_ok": 1, "zero_kg": 20},
    ),
    ("weight", WeightBody(gross_kg=None, display="------", status="overload"), "bad", {"stable": 0, "quality": 0}),
    ("inputs", InputsBody(inputs={"loop_boom": True, "photocell": None}, lamp="unknown"), "good", {"loop_boom": 1}),
    ("inputs", InputsBody(inputs={"loop_boom": False}, lamp="green"), "good", {"loop_boom": 0, "red": 0, "green": 1}),
    ("tag", TagBody(epc="E2", plate="沪AD3F88", rssi_dbm=-61.5), "good", {"reads": 1, "rssi_dbm": -61.5}),
    (
        "read",
        ReadBody(what="plate", text="沪AD3F88", confidence=0.5, camera="a"),
        "good",
        {"reads": 1, "confidence": 0.5},
    ),
    ("fix", FixBody(valid=False, why="V"), "good", {"valid": 0}),
    (
        "fix",
        FixBody(valid=True, lat=36.0, lon=120.2, satellites=9),
        "good",
        {"valid": 1, "lat": 36.0, "lon": 120.2, "satellites": 9},
    ),
    ("seal", SealBody(state="stale", battery_percent=9), "bad", {"known": 0}),
    (
        "seal",
        SealBody(state="low battery", battery_percent=9, lat=36.0, lon=120.2),
        "good",
        {"known": 1, "closed": 1, "alarm": 0, "battery_percent": 9, "lat": 36.0, "lon": 120.2},
    ),
    ("seal", SealBody(state="cut"), "good", {"known": 1, "closed": 0, "alarm": 1}),
    (
        "health",
        HealthBody(link="tcp", up=True, since=0, words=5, garbage=0, garbage_bytes=0, gaps=0, reconnects=2),
        "good",
        {"up": 1, "words": 5, "garbage": 0, "garbage_bytes": 0, "gaps": 0, "reconnects": 2},
    ),
    (
        "health",
        HealthBody(
            link="tcp",
            up=True,
            since=0,
            words=5,
            garbage=0,
            garbage_bytes=0,
            gaps=0,
            reconnects=2,
            interval_ms=100.0,
            late_ms=12.5,
            calibrated_until="1970-01-02",
            zero=ZeroHealth(count=12, last_kg=20, mean_kg=14.0, worst_kg=40, per_day_kg=3.5, wandering=True),
        ),
        "good",
        {
            "up": 1,
            "words": 5,
            "garbage": 0,
            "garbage_bytes": 0,
            "gaps": 0,
            "reconnects": 2,
            "interval_ms": 100,
            "late_ms": 12.5,
            "calibrated_days": 2 - 5 / 86_400,
            "zero_mean_kg": 14,
            "zero_per_day_kg": 3.5,
            "zero_wandering": 1,
        },
    ),
    (
        "passage",
        PassageBody(passage="p", phase="closed", outcome="crossed", direction="in", opened_at=10, closed_at=40.5),
        "good",
        {"closed": 1, "crossed": 1, "seconds": 30.5},
    ),
    (
        "refusal",
        RefusalBody(passage="p", order=None, movement="raise", reasons=[REASON, REASON], picture=""),
        "good",
        {"refusals": 1, "reasons": 2},
    ),
]


@pytest.mark.parametrize(("word", "said", "q", "fields"), CASES)
def test_a_word_becomes_its_numbers_and_what_is_unknown_is_absent(
    word: str, said: object, q: Q, fields: dict[str, float]
) -> None:
    point = to_point(word, TAGS, Envelope(id="1", at=5.0, src="L01/wb", q=q, body=encode(said)))
    assert point is not None
    assert (point.measurement, point.at, point.tags) == (word, 5.0, TAGS)
    assert point.fields == fields
    assert all(type(v) is float for v in point.fields.values())
    assert set(point.fields) <= set(FIELDS[word]), "every field is in the table, with its unit"


def test_every_measurement_is_tried_and_tabled() -> None:
    assert {word for word, *_ in CASES} == set(FIELDS) == {w for w in FIELDS if has_series(w)}
    assert not has_series("view")


def test_an_open_passage_has_no_numbers_yet() -> None:
    opened = PassageBody(passage="p", phase="opened", outcome="open", direction="in", opened_at=10)
    assert to_point("passage", TAGS, Envelope(id="1", at=5.0, src="L01", body=encode(opened))) is None


def test_a_body_of_another_shape_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        to_point("weight", TAGS, Envelope(id="1", at=5.0, src="L01", body=encode({"kg": "many"})))
