"""`decode`: what a captured stream says, one JSON object a line. The tool a technician uses at a lane."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from drivers.weighbridge.dialects import DIALECTS
from drivers.weighbridge.guess import AS_RECORDED, Guess
from drivers.weighbridge.tables import TABLES
from edge.commands.words import Exit, Stop, err

if TYPE_CHECKING:
    from drivers.sign.c_power import Framing

CHUNK = 65_536
"""Bytes read at once; a live pipe gives what it has."""

_OFFSET = re.compile(r"^[0-9A-Fa-f]{4,8}:?  +(?=[0-9A-Fa-f]{2}\b)")
"""`0010  E2 5C`: what a dump counts before its bytes, two blanks apart."""

Decoder = Callable[[Iterable[bytes]], Iterator[Mapping[str, Any]]]


def _weighbridge(dialect: str) -> Decoder:
    from drivers.weighbridge.decode import decode_stream

    return lambda chunks: decode_stream(chunks, dialect)


def _registers(table: str) -> Decoder:
    from drivers.weighbridge.modbus_decode import decode_stream

    return lambda chunks: decode_stream(chunks, table)


def _nmea() -> Decoder:
    from drivers.gps.decode import decode_stream

    return decode_stream


def _jt808() -> Decoder:
    from drivers.gps.jt808.decode import decode_stream

    return decode_stream


def _gpsd() -> Decoder:
    from drivers.gps.gpsd.decode import decode_stream

    return decode_stream


def _uhf_bb() -> Decoder:
    from drivers.rfid.decode import decode_stream

    return lambda chunks: decode_stream(chunks, "uhf-bb")


def _uhf_a0() -> Decoder:
    from drivers.rfid.decode import decode_stream

    return lambda chunks: decode_stream(chunks, "uhf-a0")


def _cards(said: Mapping[str, Any]) -> Decoder:
    from drivers.rfid.card_decode import decode_stream
    from drivers.rfid.card_frames import Setting

    return lambda chunks: decode_stream(chunks, Setting(**said))


def _llrp() -> Decoder:
    from drivers.rfid.llrp_decode import decode_stream

    return decode_stream


def _c_power(framing: "Framing") -> Decoder:
    from drivers.sign.decode import decode_stream

    return lambda chunks: decode_stream(chunks, framing)


def _jointech() -> Decoder:
    from drivers.seal.decode import decode_stream

    return decode_stream


def _camera() -> Decoder:
    from drivers.camera.decode import decode_stream

    return decode_stream


def _jgst() -> Decoder:
    from gateway_ctl.customs.decode import decode_stream

    return decode_stream


CARDS: dict[str, Mapping[str, Any]] = {
    "card-stx": {"dialect": "card-stx"},
    "card-binary": {"dialect": "card-binary"},
    "card-hex": {"dialect": "card-lines"},
    "card-hex-xor": {"dialect": "card-lines", "check": "xor"},
    "card-hex-sum": {"dialect": "card-lines", "check": "sum"},
    "card-decimal": {"dialect": "card-lines", "printed": "decimal"},
    "card-3+5": {"dialect": "card-lines", "printed": "3+5"},
    **{f"wiegand-{bits}": {"dialect": "wiegand-lines", "wiegand": bits} for bits in (26, 34, 37, 66)},
}
"""Card readers: how each is set."""

PROTOCOLS: dict[str, Callable[[], Decoder]] = {
    **{name: partial(_weighbridge, name) for name in DIALECTS},
    **{f"modbus:{table.name}": partial(_registers, table.name) for table in TABLES},
    "nmea": _nmea,
    "jt808": _jt808,
    "gpsd": _gpsd,
    "uhf-bb": _uhf_bb,
    "uhf-a0": _uhf_a0,
    "llrp": _llrp,
    **{name: partial(_cards, said) for name, said in CARDS.items()},
    "jointech": _jointech,
    "c-power": partial(_c_power, "serial"),
    "c-power-net": partial(_c_power, "network"),
    "camera": _camera,
    "jgst": _jgst,
}


def decode(protocol: str, source: str, *, from_hex: bool) -> None:
    """Decodes a file, or standard input when `source` is `-`, to standard output."""
    if protocol not in PROTOCOLS:
        raise Stop(f"no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}", Exit.WRONG)
    encode = msgspec.json.Encoder(decimal_format="number").encode
    with ExitStack() as stack:
        stream = sys.stdin.buffer if source == "-" else stack.enter_context(_opened(Path(source)))
        chunks = _hex_lines(stream, source) if from_hex else _pieces(stream)
        for word in PROTOCOLS[protocol]()(chunks):
            sys.stdout.buffer.write(encode(word) + b"\n")
            sys.stdout.buffer.flush()


def guess(source: str, *, from_hex: bool) -> Exit:
    """Names the weighbridge dialects that a capture may be, the surest first, one JSON object a line; then hints."""
    from drivers.weighbridge.guess import MOST_BYTES, guess

    with ExitStack() as stack:
        stream = sys.stdin.buffer if source == "-" else stack.enter_context(_opened(Path(source)))
        chunks = _hex_lines(stream, source) if from_hex else _pieces(stream)
        capture = bytearray()
        for chunk in chunks:
            capture += chunk
            if len(capture) >= MOST_BYTES:
                break
    found = guess(bytes(capture))
    for one in found.best:
        sys.stdout.buffer.write(msgspec.json.encode(one) + b"\n")
    for hint in found.hints:
        sys.stdout.buffer.write(msgspec.json.encode({"hint": hint}) + b"\n")
    if found.best:
        sys.stdout.buffer.flush()
        err.print(entry(found.best[0]), markup=False)
    return Exit.WELL if found.best else Exit.NOT_WELL


def entry(guess: Guess) -> str:
    """The table of a site file that this guess stands for; what the capture does not tell is left to the person."""
    lines = [
        f"for the site file, when the window shows {' or '.join(guess.shown) or 'this'}:",
        "",
        "[lanes.weighbridge]",
        'name = "wb"',
        f'dialect = "{guess.dialect}"',
        "# max_kg =         Max, on the indicator's plate",
        "# division_kg =    e, on the plate",
        "# decimals =       as many as the window shows" if guess.decimals is None else f"decimals = {guess.decimals}",
        '# unit =           "kg", "t" or "lb", as on the window' if guess.unit is None else f'unit = "{guess.unit}"',
        f"# link =           as `quaygate record` told it{_framed(guess.serial)}",
    ]
    return "\n".join(lines)


def _framed(serial: str) -> str:
    return "" if serial == AS_RECORDED else f', but with bytesize = 7 and parity = "{serial[1]}"'


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as fault:
        raise Stop(f"{path}: {fault.strerror}", Exit.MISSING) from None


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    read = getattr(stream, "read1", stream.read)
    while piece := read(CHUNK):
        yield piece


def _hex_lines(stream: BinaryIO, source: str) -> Iterator[bytes]:
    """Each line is hexadecimal text; white space inside, what follows `#`, and a dump's offset do not matter."""
    for number, raw in enumerate(stream, 1):
        text = _OFFSET.sub("", raw.split(b"#", 1)[0].decode("ascii", "replace"))
        try:
            yield bytes.fromhex(text)
        except ValueError:
            raise Stop(f"{source}, line {number}: expected hexadecimal digits in pairs", Exit.WRONG) from None
