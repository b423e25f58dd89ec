"""A captured stream of a tag reader -> what it says, as plain objects for JSON lines."""

from collections.abc import Iterable, Iterator

from drivers.readings import Garbage
from drivers.rfid.frames import Decoder, Dialect, ReaderWord, RoundDone
from drivers.rfid.tag import TagRead, plate_of

Plain = dict[str, str | int | None]


def decode_stream(chunks: Iterable[bytes], dialect: Dialect) -> Iterator[Plain]:
    """One object a frame, one a piece of noise, in the order of the bytes.

    A tag: `epc` (hex), `plate` (where its bytes are a plausible one, else null), `rssi_dbm`, `antenna` (null where the
    reader does not say). The end of a round: `round_done` with the number of tags, or null. Any other frame: `command`,
    `error` (null when it is an answer), `parameters` (hex). What is none: `{"garbage": hex, "why": ..}`.
    """
    decoder = Decoder(dialect)
    for chunk in chunks:
        decoder.receive(chunk)
        yield from _words(decoder)
    decoder.give_up()
    yield from _words(decoder)


def _words(decoder: Decoder) -> Iterator[Plain]:
    while (word := decoder.next_word()) is not None:
        yield _plain(word)


def _plain(word: ReaderWord | Garbage) -> Plain:
    match word:
        case TagRead():
            return {
                "epc": word.epc.hex().upper(),
                "plate": plate_of(word.epc),
                "rssi_dbm": word.rssi_dbm,
                "antenna": word.antenna,
            }
        case RoundDone():
            return {"round_done": word.found}
        case Garbage():
            return {"garbage": word.raw.hex(), "why": word.why}
        case _:
            return {"command": word.command, "error": word.error, "parameters": word.parameters.hex()}
