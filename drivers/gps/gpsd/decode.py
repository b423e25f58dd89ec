"""A captured stream of gpsd's JSON -> what it says, as plain objects for JSON lines."""

from collections.abc import Iterable, Iterator
from typing import Any

from drivers.gps.assemble import iso
from drivers.gps.gpsd.frames import Decoder, SkyReport, Tpv, to_fix
from drivers.readings import Garbage, Instant

Plain = dict[str, Any]


def decode_stream(chunks: Iterable[bytes]) -> Iterator[Plain]:
    """One object a TPV, with the keys of an NMEA fix (`tracker` is the device), and one for all that is no report."""
    decoder = Decoder()
    skies: dict[str, tuple[int, float | None]] = {}
    for chunk in chunks:
        decoder.receive(chunk)
        yield from _words(decoder, skies)
    decoder.end()
    yield from _words(decoder, skies)


def _words(decoder: Decoder, skies: dict[str, tuple[int, float | None]]) -> Iterator[Plain]:
    while (word := decoder.next_word()) is not None:
        if isinstance(word, Garbage):
            yield {"garbage": word.raw.decode("utf-8", "replace"), "why": word.why}
        elif isinstance(word, SkyReport) and word.satellites is not None:
            skies[word.device] = sum(each.used for each in word.satellites), word.hdop
        elif isinstance(word, Tpv):
            used, hdop = skies.get(word.device, (None, None))
            fix = to_fix(word, Instant(0.0), used=used, hdop=hdop)
            yield {
                "at": None if fix.fix_time is None else iso(fix.fix_time),
                "lat": fix.lat,
                "lon": fix.lon,
                "speed_mps": fix.speed_mps,
                "track_deg": fix.track_deg,
                "valid": fix.valid,
                "source": fix.source,
                "why": fix.why,
                "tracker": word.device,
                "altitude_m": fix.altitude_m,
                "satellites": fix.satellites,
                "hdop": fix.hdop,
                "quality": fix.quality.value,
            }
