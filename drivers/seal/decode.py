"""A captured stream of a seal -> what it says, as plain objects for JSON lines."""

from collections.abc import Iterable, Iterator
from typing import Any

from drivers.readings import Garbage
from drivers.seal.frames import Decoder, Report, answer_to
from drivers.seal.state import alarms_of, bits_of, state_of

Plain = dict[str, Any]


def decode_stream(chunks: Iterable[bytes]) -> Iterator[Plain]:
    """One object a frame, in the order of the bytes; what is none: `{"garbage": hex, "why": ..}`.

    A frame: `format`, `id`, `at` (ISO 8601, null where the seal does not know), `fix`, `lat`, `lon` (as sent: of worth
    only with `fix`), and what its format has of `speed`, `course_deg`, `mileage_km`, `sats`, `battery_percent`,
    `charging`, `card`, `frame_index`. With a lock: `state`, `alarms`, `status` (hex), `status_bits`.
    `answer`: what it waits for.
    """
    decoder = Decoder()
    for chunk in chunks:
        decoder.receive(chunk)
        yield from _words(decoder)
    decoder.end()
    yield from _words(decoder)


def _words(decoder: Decoder) -> Iterator[Plain]:
    while (word := decoder.next_word()) is not None:
        yield {"garbage": word.raw.hex(), "why": word.why} if isinstance(word, Garbage) else plain(word)


def plain(report: Report) -> Plain:
    """As `decode_stream` shows it."""
    said: Plain = {
        "format": report.format,
        "id": report.seal,
        "at": None if report.at is None else report.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "fix": report.fix,
        "lat": report.lat,
        "lon": report.lon,
    }
    more: Plain = {
        "speed": report.speed,
        "course_deg": report.course_deg,
        "mileage_km": report.mileage_km,
        "sats": report.satellites,
        "protocol_version": report.version,
        "device_type": report.device_type,
        "data_type": report.data_type,
        "length": report.length,
        "battery_percent": report.battery_percent,
        "charging": report.charging,
        "card": report.card,
        "frame_index": report.index,
        "answer": answer_to(report).decode("ascii") or None,
    }
    said |= {key: value for key, value in more.items() if value is not None}
    if report.status is not None:
        said |= {
            "state": state_of(report.status).value,
            "alarms": list(alarms_of(report.status)),
            "status": f"{report.status:04x}",
            "status_bits": bits_of(report.status),
        }
    return said
