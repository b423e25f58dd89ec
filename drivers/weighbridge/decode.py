"""What a captured stream says, for a technician: JSON-ready, one object a reading. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from drivers.readings import Garbage
from drivers.weighbridge.frames import DIALECTS, Frame


def decode_stream(chunks: Iterable[bytes], dialect: str = "yaohua-a9") -> Iterator[dict[str, Any]]:
    """One dict a frame, one a piece of noise. null is what the frame does not say. Raises KeyError for no dialect."""
    decoder = DIALECTS[dialect]()
    before: Frame | None = None
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            yield _described(word, before)
            before = word if isinstance(word, Frame) else before
    rest = decoder.rest()
    if rest is not None:
        yield _described(rest, before)


def _described(word: Frame | Garbage, before: Frame | None) -> dict[str, Any]:
    if isinstance(word, Garbage):
        return {"garbage": word.raw.hex(), "why": word.why}
    twice = before is not None and before.raw == word.raw
    shown = word.display
    return {
        "display": float(shown) if word.decimals else int(shown),
        "decimals": word.decimals,
        "unit": None,
        "stable": None,
        "negative": word.negative,
        "quality": "good" if twice else "uncertain",
        "raw": word.raw.hex(),
    }
