"""Where each word becomes a point of the time series: measurement = word, tags = site, node, instrument.

Everything is a float: what is a number stays one, yes and no are 1 and 0, and what is not known is absent. Names,
plates and tag codes are not in the series: they would be a series each, and they are personal data.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

import msgspec

from telemetry.payloads.envelope import Envelope
from telemetry.payloads.fix import FixBody
from telemetry.payloads.health import HealthBody
from telemetry.payloads.inputs import InputsBody
from telemetry.payloads.lane import PassageBody, RefusalBody
from telemetry.payloads.reads import ReadBody, TagBody
from telemetry.payloads.seal import SealBody
from telemetry.payloads.weight import WeightBody
from telemetry.series.base import Point
from telemetry.topics import Address

Fields = dict[str, float]
B = TypeVar("B")

FIELDS: dict[str, dict[str, str]] = {
    "weight": {
        "gross_kg": "kg",
        "settled_kg": "kg",
        "uncertainty_kg": "kg",
        "stable": "1 when the indicator says so",
        "zero_ok": "1 when the empty deck stood at zero",
        "zero_kg": "kg, of the empty deck",
        "quality": "2 good, 1 uncertain, 0 bad",
    },
    "inputs": {
        "loop_arrival": "1 occupied",
        "beam_rear": "1 broken",
        "beam_front": "1 broken",
        "loop_boom": "1 occupied",
        "photocell": "1 broken",
        "limit_down": "1 reached",
        "limit_up": "1 reached",
        "boom_fault": "1 reported",
        "red": "1 lit",
        "green": "1 lit",
    },
    "tag": {"reads": "1 a read", "rssi_dbm": "dBm", "antenna": "number"},
    "read": {"reads": "1 a read", "confidence": "0 to 1"},
    "fix": {
        "valid": "1 when there is one",
        "lat": "degrees",
        "lon": "degrees",
        "x_m": "m east",
        "y_m": "m north",
        "speed_mps": "m/s",
        "track_deg": "degrees",
        "satellites": "number",
        "hdop": "ratio",
    },
    "seal": {
        "known": "0 when it has fallen silent",
        "closed": "1 locked, 0 not",
        "alarm": "1 cut or tampered with",
        "battery_percent": "%",
        "lat": "degrees",
        "lon": "degrees",
    },
    "health": {
        "up": "1 when linked",
        "words": "since start",
        "garbage": "since start",
        "garbage_bytes": "since start",
        "gaps": "since start",
        "reconnects": "since start",
        "latency_ms": "ms",
        "interval_ms": "ms",
        "late_ms": "ms above the interval",
        "calibrated_days": "days left of the certificate",
        "zero_mean_kg": "kg, of the last ten trucks",
        "zero_per_day_kg": "kg a day",
        "zero_wandering": "1 when a person should look",
    },
    "passage": {"closed": "1 a passage", "crossed": "1 when it crossed", "seconds": "s", "gross_kg": "kg"},
    "refusal": {"refusals": "1 a refusal", "reasons": "number of reasons"},
}
"""Every measurement, its fields, their units. A field is never renamed and never changes its type."""

_QUALITY = {"good": 2.0, "uncertain": 1.0, "bad": 0.0}


def _put(fields: Fields, **values: object) -> Fields:
    for name, value in values.items():
        if value is not None:
            fields[name] = float(value)  # pyright: ignore[reportArgumentType] - numbers, Decimal and bool all serve
    return fields


def _weight(b: WeightBody, e: Envelope) -> Fields:
    fields = _put(
        {},
        gross_kg=b.gross_kg,
        settled_kg=b.settled_kg,
        uncertainty_kg=b.uncertainty_kg,
        zero_ok=b.zero_ok,
        zero_kg=b.zero_kg,
    )
    fields["stable"] = float(b.status == "stable")
    fields["quality"] = _QUALITY[e.q]
    return fields


def _inputs(b: InputsBody, _: Envelope) -> Fields:
    fields = _put({}, **b.inputs)
    if b.lamp != "unknown":
        fields["red"], fields["green"] = float(b.lamp == "red"), float(b.lamp == "green")
    return fields


def _tag(b: TagBody, _: Envelope) -> Fields:
    return _put({"reads": 1.0}, rssi_dbm=b.rssi_dbm, antenna=b.antenna)


def _read(b: ReadBody, _: Envelope) -> Fields:
    return {"reads": 1.0, "confidence": b.confidence}


def _fix(b: FixBody, _: Envelope) -> Fields:
    return _put(
        {"valid": float(b.valid)},
        lat=b.lat,
        lon=b.lon,
        x_m=b.x_m,
        y_m=b.y_m,
        speed_mps=b.speed_mps,
        track_deg=b.track_deg,
        satellites=b.satellites,
        hdop=b.hdop,
    )


def _seal(b: SealBody, _: Envelope) -> Fields:
    if b.state == "stale":
        return {"known": 0.0}
    fields: Fields = {"known": 1.0, "closed": float(b.state in ("locked", "low battery"))}
    fields["alarm"] = float(b.state in ("cut", "tampered"))
    return _put(fields, battery_percent=b.battery_percent, lat=b.lat, lon=b.lon)


def _health(b: HealthBody, e: Envelope) -> Fields:
    zero = b.zero
    return _put(
        {"up": float(b.up)},
        words=b.words,
        garbage=b.garbage,
        garbage_bytes=b.garbage_bytes,
        gaps=b.gaps,
        reconnects=b.reconnects,
        latency_ms=b.latency_ms,
        interval_ms=b.interval_ms,
        late_ms=b.late_ms,
        calibrated_days=None if b.calibrated_until is None else days_left(b.calibrated_until, e.at),
        zero_mean_kg=None if zero is None else zero.mean_kg,
        zero_per_day_kg=None if zero is None else zero.per_day_kg,
        zero_wandering=None if zero is None else zero.wandering,
    )


def days_left(last_day: str, now: float) -> float:
    """Until the end of that day, UTC; below 0 when it is over."""
    ends = datetime.combine(date.fromisoformat(last_day) + timedelta(days=1), time.min, UTC).timestamp()
    return (ends - now) / 86_400


def _passage(b: PassageBody, _: Envelope) -> Fields:
    if b.phase != "closed" or b.closed_at is None:
        return {}
    fields: Fields = {"closed": 1.0, "crossed": float(b.outcome == "crossed"), "seconds": b.closed_at - b.opened_at}
    return _put(fields, gross_kg=b.gross_kg)


def _refusal(b: RefusalBody, _: Envelope) -> Fields:
    return {"refusals": 1.0, "reasons": float(len(b.reasons))}


def _reads(kind: type[B], fields: Callable[[B, Envelope], Fields]) -> Callable[[Envelope], Fields]:
    decode = msgspec.json.Decoder(kind).decode
    return lambda e: fields(decode(e.body), e)


_BY_WORD: dict[str, Callable[[Envelope], Fields]] = {
    "weight": _reads(WeightBody, _weight),
    "inputs": _reads(InputsBody, _inputs),
    "tag": _reads(TagBody, _tag),
    "read": _reads(ReadBody, _read),
    "fix": _reads(FixBody, _fix),
    "seal": _reads(SealBody, _seal),
    "health": _reads(HealthBody, _health),
    "passage": _reads(PassageBody, _passage),
    "refusal": _reads(RefusalBody, _refusal),
}


def tags_of(address: Address) -> tuple[tuple[str, str], ...]:
    """Sorted tags of everything said under this address."""
    instrument = () if address.instrument is None else (("instrument", address.instrument),)
    return (*instrument, ("node", address.node), ("site", address.site))


def has_series(word: str) -> bool:
    """Whether anything of this word goes to the time series."""
    return word in _BY_WORD


def to_point(word: str, tags: tuple[tuple[str, str], ...], envelope: Envelope) -> Point | None:
    """The point of a message; None when it has no numbers. Raises msgspec.ValidationError for another body."""
    fields = _BY_WORD[word](envelope)
    return Point(word, tags, fields, envelope.at) if fields else None
