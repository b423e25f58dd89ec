"""A captured stream -> what it says, as plain objects for JSON lines. The tool a technician uses beside an antenna."""

from collections.abc import Iterable, Iterator

from drivers.gps.assemble import Assembler, iso
from drivers.gps.fix import Fix
from drivers.gps.frames import Decoder
from drivers.readings import Garbage, Instant

Plain = dict[str, str | float | bool | None]
MAX_SOURCES = 500
"""Sources told apart by the TAG blocks of one capture; the one that was silent longest is forgotten."""


def decode_stream(chunks: Iterable[bytes]) -> Iterator[Plain]:
    """One object an epoch, in the order in which epochs become complete, and one for all that is no sentence.

    A fix: `at` (ISO UTC as the receiver gives it, or null), `lat`, `lon`, `speed_mps`, `track_deg`, `valid`, `source`
    (its sentences), `why`, and `tracker`, `altitude_m`, `satellites`, `hdop`, `fix_quality`, `quality`. What is none:
    `{"garbage": text or hex, "why": ..}`.
    """
    decoder = Decoder()
    sources: dict[str, Assembler] = {}
    for chunk in chunks:
        decoder.receive(chunk)
        yield from _words(decoder, sources)
    decoder.end()
    yield from _words(decoder, sources)
    for tracker, assembler in sources.items():
        if fix := assembler.flush():
            yield _plain(tracker, fix)


def _words(decoder: Decoder, sources: dict[str, Assembler]) -> Iterator[Plain]:
    while (word := decoder.next_word()) is not None:
        if isinstance(word, Garbage):
            yield {"garbage": _shown(word.raw), "why": word.why}
            continue
        tracker = word.tag.source if word.tag else ""
        assembler = sources.pop(tracker, None) or Assembler()
        sources[tracker] = assembler
        if len(sources) > MAX_SOURCES:
            forgotten = next(iter(sources))
            if fix := sources.pop(forgotten).flush():
                yield _plain(forgotten, fix)
        for fix in assembler.take(word, Instant(0.0)):
            yield _plain(tracker, fix)


def _plain(tracker: str, fix: Fix) -> Plain:
    return {
        "at": None if fix.fix_time is None else iso(fix.fix_time),
        "lat": fix.lat,
        "lon": fix.lon,
        "speed_mps": fix.speed_mps,
        "track_deg": fix.track_deg,
        "valid": fix.valid,
        "source": fix.source,
        "why": fix.why,
        "tracker": tracker,
        "altitude_m": fix.altitude_m,
        "satellites": fix.satellites,
        "hdop": fix.hdop,
        "fix_quality": fix.fix_quality,
        "quality": fix.quality.value,
    }


def _shown(raw: bytes) -> str:
    """As text where it is text, else as hexadecimal digits."""
    text = raw.decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() else raw.hex(" ")
