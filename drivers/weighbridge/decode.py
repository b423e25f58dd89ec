"""What a captured stream says, for a technician: JSON-ready, one object a reading. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from drivers.readings import Garbage
from drivers.weighbridge.dialects import DIALECTS
from drivers.weighbridge.frames import Frame, Remark, Word

Plain = Mapping[str, str | int | bool | Decimal | list[str] | None]


def decode_stream(chunks: Iterable[bytes], dialect: str = "yaohua-a9") -> Iterator[Plain]:
    """One object a frame, one a piece of noise, in order. Raises KeyError for a dialect that is not known."""
    decoder = DIALECTS[dialect].decoder()
    before = b""
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            yield describe(word, before)
            before = word.raw if isinstance(word, Frame) else before
    while (word := decoder.rest()) is not None:
        yield describe(word, before)
        before = word.raw if isinstance(word, Frame) else before


def describe(word: Word | Garbage, before: bytes = b"") -> Plain:
    """A frame: `display` (the number, without a unit of ours), `decimals`, `unit`, `stable`, `negative`, `quality`, and
    `shown` (the window's own characters); null is what the frame does not say. `kind`, `tare`, `zero`, `fault`, `notes`
    and `doubt` only where it says something. A remark: `remark` and `text`. Noise: `garbage` (hex) and `why`.

    `before` is the frame before this one: a number that did not come twice in a row is uncertain.
    """
    if isinstance(word, Garbage):
        return {"garbage": word.raw.hex(), "why": word.why}
    if isinstance(word, Remark):
        return {"remark": word.what, "text": word.text}
    value = word.value
    sure = word.raw == before and not word.doubt
    more = {
        "kind": word.kind, "tare": word.tare, "zero": word.zero, "doubt": word.doubt, "notes": list(word.notes),
        "fault": None if word.shows in ("number", "blank", "dashes") else word.shows,
    }  # fmt: skip
    return {
        "display": value,
        "decimals": None if word.pointless else word.decimals,
        "unit": word.unit,
        "stable": word.stable,
        "negative": word.negative,
        "quality": "bad" if value is None else "good" if sure else "uncertain",
        "shown": word.display,
        **{key: said for key, said in more.items() if said not in (None, "", [])},
    }
