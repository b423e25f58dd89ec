"""A captured stream of a reading portal -> what it says, as plain objects for JSON lines."""

from collections.abc import Iterable, Iterator

from drivers.camera.frames import Decoder
from drivers.readings import Garbage

Plain = dict[str, str | float]


def decode_stream(chunks: Iterable[bytes]) -> Iterator[Plain]:
    """A read: `what`, `text`, `confidence`, `camera`. What is none: `{"garbage": text or hex, "why": ..}`."""
    decoder = Decoder()
    for chunk in chunks:
        decoder.receive(chunk)
        yield from _words(decoder)
    decoder.receive(b"\n")
    yield from _words(decoder)


def _words(decoder: Decoder) -> Iterator[Plain]:
    while (word := decoder.next_word()) is not None:
        if isinstance(word, Garbage):
            yield {"garbage": _shown(word.raw), "why": word.why}
        else:
            yield {"what": word.what, "text": word.text, "confidence": word.confidence, "camera": word.camera}


def _shown(raw: bytes) -> str:
    """As text where it is text, else as hexadecimal digits."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.hex(" ")
    return text if text.isprintable() else raw.hex(" ")
