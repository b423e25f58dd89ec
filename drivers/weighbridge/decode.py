"""What a captured stream says, for a technician: JSON-ready, one object a reading. Pure."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from drivers.readings import Garbage
from drivers.weighbridge.frames import DIALECTS, Frame

Plain = dict[str, str | int | bool | Decimal | None]


def decode_stream(chunks: Iterable[bytes], dialect: str = "yaohua-a9") -> Iterator[Plain]:
    """One object a frame, one a piece of noise, in order. Raises KeyError for a dialect that is not known."""
    decoder = DIALECTS[dialect]()
    before = b""
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            yield describe(word, before)
            before = before if isinstance(word, Garbage) else word.raw
    rest = decoder.rest()
    if rest is not None:
        yield describe(rest)


def describe(word: Frame | Garbage, before: bytes = b"") -> Plain:
    """A frame: `display` (the number, without a unit of ours), `decimals`, `unit`, `stable`, `negative`, `quality`, and
    `shown` (the window's own characters); null is what the frame does not say. Noise: `garbage` (hex) and `why`.

    `before` is the frame before this one: a number that did not come twice in a row is uncertain.
    """
    if isinstance(word, Garbage):
        return {"garbage": word.raw.hex(), "why": word.why}
    value = word.value
    return {
        "display": value,
        "decimals": word.decimals,
        "unit": word.unit,
        "stable": word.stable,
        "negative": word.negative,
        "quality": "bad" if value is None else "good" if word.raw == before else "uncertain",
        "shown": word.display,
    }
