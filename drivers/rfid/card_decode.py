"""A captured stream of a card reader -> its numbers in every form, as plain objects for JSON lines."""

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from drivers.readings import Garbage
from drivers.rfid.card_frames import Decoder, Setting
from drivers.rfid.cards import CardRead, NumberForm, doubt, fits, turned, written

Plain = dict[str, Any]


def decode_stream(chunks: Iterable[bytes], setting: Setting) -> Iterator[Plain]:
    """One object a card: `bits`; `as_sent` and, of whole bytes, `reversed`, each in every form that it has; `mind`
    where an ISO 14443 chip of that number is no card to know. What is none: `{"garbage": hex, "why": ..}`.

    Hold the card before you: the form and the order that show its printed number belong into the site file.
    """
    decoder = Decoder(setting)
    for chunk in chunks:
        decoder.receive(chunk)
        yield from _words(decoder)
    decoder.end()
    yield from _words(decoder)


def _words(decoder: Decoder) -> Iterator[Plain]:
    while (word := decoder.next_word()) is not None:
        yield {"garbage": word.raw.hex(), "why": word.why} if isinstance(word, Garbage) else _plain(word)


def _plain(read: CardRead) -> Plain:
    said: Plain = {"bits": read.bits, "as_sent": _forms(read)}
    if not read.bits % 8:
        said["reversed"] = _forms(turned(read))
    if why := doubt(read):
        said["mind"] = why
    return said


def _forms(read: CardRead) -> dict[str, str]:
    return {form: written(read, form) for form in get_args(NumberForm) if fits(form, read.bits)}
