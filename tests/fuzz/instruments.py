"""Coverage-guided fuzzing of the instruments' codecs and of the tape, by atheris.

    python -m tests.fuzz.instruments TARGET CORPUS_FOLDER -max_total_time=600

TARGET: weigh, guess, registers, nmea, jt808, gpsd, uhf, llrp, seal, camera, sign, modbus, tape. The corpus folder is
filled from tests/golden and the simulators' formats when it is empty. What must hold is asserted here: no exception but
the codec's own, the same words however the bytes are cut, no byte that is told twice, no position beyond the earth, no
weight that is a number where the display shows none.
"""

import asyncio
import json
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, cast

import atheris

with cast("Any", atheris).instrument_imports(include=["drivers"]):
    from drivers.camera.frames import Decoder as CameraDecoder
    from drivers.faults import Refused, TheirMistake
    from drivers.gps.assemble import Assembler, against_clock
    from drivers.gps.config import Jt808Config
    from drivers.gps.fix import Fix
    from drivers.gps.frames import Decoder as NmeaDecoder
    from drivers.gps.frames import Sentence
    from drivers.gps.gpsd.frames import Decoder as GpsdDecoder
    from drivers.gps.gpsd.frames import SkyReport, Tpv, satellites, to_fix
    from drivers.gps.hints import Watch
    from drivers.gps.jt808.dialogue import Dialogue
    from drivers.gps.jt808.frames import Decoder as Jt808Decoder
    from drivers.gps.jt808.frames import Message, Packets, encode, read_frame
    from drivers.link.modbus import unopened
    from drivers.link.modbus_config import ModbusRtuConfig, ModbusTcpConfig
    from drivers.link.tape import HEAD, MAGIC, Kind, Record, records
    from drivers.readings import Garbage, Instant, Tally
    from drivers.rfid.frames import Decoder as UhfDecoder
    from drivers.rfid.frames import Dialect
    from drivers.rfid.llrp import Decoder as LlrpDecoder
    from drivers.rfid.tag import TagRead, plate_of
    from drivers.seal.frames import Decoder as SealDecoder
    from drivers.seal.frames import Report
    from drivers.seal.state import state_of
    from drivers.sign.frames import Decoder as SignDecoder
    from drivers.weighbridge.decode import describe
    from drivers.weighbridge.dialects import DIALECTS
    from drivers.weighbridge.frames import Frame, Remark
    from drivers.weighbridge.guess import guess as guessed
    from drivers.weighbridge.modbus_decode import decode_stream as decode_registers
    from drivers.weighbridge.reading import Reader, Scale
    from drivers.weighbridge.tables import TABLES

from simulators.weigh_formats import FORMATS, Window
from simulators.weigh_talk import TALKS, Plate

NOON = Instant(1_795_435_200.0)
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MOST_WORDS = 1 << 16
_LOOP = asyncio.new_event_loop()


class Decoder(Protocol):
    """As every codec of the house."""

    def receive(self, data: bytes, /) -> None:
        """Bytes off the wire."""
        ...

    def next_word(self) -> Any:
        """None: more bytes are needed."""
        ...


def fed(decoder: Decoder, chunks: Iterable[bytes], end: Callable[[], None]) -> list[Any]:
    """All words of these bytes."""
    words: list[Any] = []
    for chunk in (*chunks, None):
        if chunk is None:
            end()
        else:
            decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            words.append(word)
            assert len(words) < MOST_WORDS
    return words


def cut(data: bytes) -> tuple[bytes, bytes]:
    """The first byte says where the others are cut in two."""
    at = 1 + data[0] * len(data) // 256
    return data[1:at], data[at:]


def told_once(words: list[Any], data: bytes) -> None:
    """Garbage is never more than what came."""
    assert sum(len(word.raw) for word in words if isinstance(word, Garbage)) <= len(data)


def on_earth(fix: Fix) -> None:
    """A place, or none with its reason."""
    if not fix.valid:
        assert fix.lat is None and fix.lon is None and fix.why
        return
    assert fix.lat is not None and fix.lon is not None
    assert -90 <= fix.lat <= 90 and -180 <= fix.lon <= 180 and (fix.lat, fix.lon) != (0.0, 0.0)


_NAMES = sorted(DIALECTS)
_SCALE = Scale(max_kg=Decimal(100_000), division_kg=Decimal(20), decimals=0)


def weigh(data: bytes) -> None:
    """Every dialect (the first byte chooses): all bytes told once and in order, however cut; a number or none."""
    if len(data) < 2:
        return
    dialect = DIALECTS[_NAMES[data[0] % len(_NAMES)]]
    streams: list[list[Any]] = []
    for chunks in ([data[2:]], cut(data[1:])):
        decoder = dialect.decoder()
        words = fed(decoder, chunks, lambda: None)
        words += iter(decoder.rest, None)
        streams.append(words)
    assert streams[0] == streams[1]
    told = b"".join(word.raw for word in streams[0])
    assert data[2:].startswith(told) and not data[2 + len(told) :].strip(b"\r\n")
    reader = Reader(_SCALE)
    for word in streams[0]:
        describe(word)
        if isinstance(word, Frame):
            weight = reader.read(word, NOON)
            assert (weight.kg is None) or (word.shows == "number" and weight.kg % 20 == 0 and weight.kg <= 100_180)
        else:
            assert isinstance(word, Remark | Garbage)


def guess(data: bytes) -> None:
    """A name with a confidence, or a hint."""
    found = guessed(data[: 1 << 12])
    assert found.best or found.hints
    assert all(0 <= one.confidence < 1 for one in found.best) and sum(one.confidence for one in found.best) < 1.02


def registers(data: bytes) -> None:
    """A capture of requests and answers by each table (the first byte chooses)."""
    if data:
        list(decode_registers([data[1:]], TABLES[data[0] % len(TABLES)].name))


def seal(data: bytes) -> None:
    """Every byte is in one word."""
    if not data:
        return
    decoder = SealDecoder()
    words = fed(decoder, cut(data), decoder.end)
    told_once(words, data)
    for word in words:
        if isinstance(word, Report) and word.status is not None:
            state_of(word.status)


def camera(data: bytes) -> None:
    """Lines of JSON."""
    if data:
        told_once(fed(CameraDecoder(), cut(data), lambda: None), data)


def sign(data: bytes) -> None:
    """Answers of a sign."""
    if data:
        told_once(fed(SignDecoder(), cut(data), lambda: None), data)


def nmea(data: bytes) -> None:
    """Lines, TAG blocks, epochs, hints."""
    if not data:
        return
    decoder = NmeaDecoder()
    words = fed(decoder, cut(data), decoder.end)
    told_once(words, data)
    assembler, watch = Assembler(), Watch()
    for word in words:
        if isinstance(word, Sentence):
            for fix in assembler.take(word, NOON):
                on_earth(watch.take(against_clock(fix, 60.0)))
    if last := assembler.flush():
        on_earth(last)


def jt808(data: bytes) -> None:
    """Frames as they were, the dialogue never at a loss; and any body in a right frame: the XOR hides it."""
    if len(data) < 4:
        return
    whole, pieces = Jt808Decoder(), Jt808Decoder()
    words = fed(pieces, cut(data), pieces.end)
    assert fed(whole, [data[1:]], whole.end) == words
    told_once(words, data)
    framed = Message(0x0100 + data[1] % 8 * 0x0100 + data[2] % 6, b"\x01\x39" + bytes(4), data[3], data[4:1020])
    settings = Jt808Config.model_validate({"name": "t", "link": {"kind": "udp", "listen_port": 0}, "protocol": "jt808"})
    dialogue, packets = Dialogue(settings, None, Tally()), Packets()
    for word in (*words, framed):
        if isinstance(word, Garbage):
            continue
        if word.version is None or word.number:
            assert read_frame(unframed(encode(word))) == word
        answers, said = dialogue.take(word, packets, NOON)
        for answer in answers:
            encode(answer)
        for each in said:
            if isinstance(each, tuple):
                on_earth(each[1])
    packets.drop(NOON)
    assert not len(packets)


def unframed(frame: bytes) -> bytes:
    """What stands between the flags."""
    return frame[1:-1]


def gpsd(data: bytes) -> None:
    """Reports, fixes, skies."""
    if not data:
        return
    whole, pieces = GpsdDecoder(), GpsdDecoder()
    words = fed(pieces, cut(data), pieces.end)
    assert fed(whole, [data[1:]], whole.end) == words
    watch = Watch()
    for word in words:
        if isinstance(word, Tpv):
            on_earth(watch.take(against_clock(to_fix(word, NOON, used=None, hdop=None), 60.0)))
        elif isinstance(word, SkyReport):
            watch.sky(word.device, satellites(word), NOON)


def uhf(data: bytes) -> None:
    """Both families of readers: every byte is in one word."""
    if not data:
        return
    dialect: Dialect = "uhf-bb" if data[0] & 1 else "uhf-a0"
    whole, pieces = UhfDecoder(dialect), UhfDecoder(dialect)
    words = fed(pieces, cut(data), pieces.give_up)
    told_once(words, data)
    assert [word for word in fed(whole, [data[1:]], whole.give_up) if not isinstance(word, Garbage)] == [
        word for word in words if not isinstance(word, Garbage)
    ]
    for word in words:
        if isinstance(word, TagRead):
            plate_of(word.epc)


def llrp(data: bytes) -> None:
    """A reader's messages, however cut."""
    if not data:
        return
    decoder = LlrpDecoder()
    told_once(fed(decoder, cut(data), decoder.give_up), data)


async def _modbus(data: bytes) -> None:
    tcp = bool(data[0] & 1)
    config = ModbusTcpConfig(host="m") if tcp else ModbusRtuConfig(device="m")
    head, size = ((b"\x01\x01", 3), (b"\x02\x02", 4), (b"\x05\x00\x10\xff\x00", 5), (b"\x03\x04", 6))[data[0] >> 1 & 3]
    try:
        pdu = unopened(config).answer_in(data[1:], head, size)
    except (Refused, TheirMistake):
        return
    assert pdu is None or (len(pdu) == size and pdu.startswith(head))


def modbus(data: bytes) -> None:
    """An answer is the one that was asked for, a refusal, or a fault."""
    if data:
        _LOOP.run_until_complete(_modbus(data))


def tape(data: bytes) -> None:
    """A damaged file (even first byte), and damaged records in a whole one."""
    if not data:
        return
    with tempfile.NamedTemporaryFile(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as file:
        deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        file.write(MAGIC + deflate.compress(data[1:]) + deflate.flush() if data[0] & 1 else data[1:])
        file.flush()
        found = list(records(Path(file.name)))
    assert all(isinstance(each, Record) for each in found[:-1])
    assert not found or isinstance(found[-1], Record | Garbage)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "weigh": weigh, "guess": guess, "registers": registers, "seal": seal, "camera": camera, "sign": sign,
    "nmea": nmea, "jt808": jt808, "gpsd": gpsd, "uhf": uhf, "llrp": llrp, "modbus": modbus, "tape": tape,
}  # fmt: skip


def samples(target: str) -> list[bytes]:
    """Golden bytes as this target takes them."""

    def lines(name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (GOLDEN / name).read_text("utf-8").splitlines()][1:]

    def frames(name: str) -> list[dict[str, Any]]:
        return json.loads((GOLDEN / name).read_text("utf-8"))["frames"]

    match target:
        case "weigh":
            truck, empty = Window(count=38_260, tare=20), Window(centre=True, stable=False)
            reads = {"rinstrum-d": "st-gs", "dini-argeo-af": "dini-argeo"}
            spoken = {name: form(truck) * 2 + form(empty) for name, form in FORMATS.items()}
            for name, talk in TALKS.items():
                dialect = DIALECTS[name]
                assert dialect.ask is not None
                spoken[name] = talk(bytearray(b"".join(dialect.ask(dialect.address))), truck, Plate())
            return [bytes((_NAMES.index(reads.get(name, name)), 0x80)) + said for name, said in spoken.items()]
        case "guess":
            return [form(Window(count=38_260)) * 5 for form in FORMATS.values()]
        case "registers":
            answers = [bytes.fromhex(row["answer"]) for row in frames("modbus/frames.json") if "answer" in row]
            return [bytes((number % len(TABLES),)) + each for number, each in enumerate(answers)]
        case "seal":
            texts = [path.read_text("utf-8") for path in sorted((GOLDEN / "seal").iterdir())]
            return [b"\x80" + bytes.fromhex(each) for text in texts for each in hexadecimal(json.loads(text))]
        case "camera":
            read = {"what": "plate", "text": "沪AD3F88", "confidence": 0.97, "camera": "front"}
            return [b"\x80" + json.dumps(read, ensure_ascii=False).encode() + b"\n"]
        case "sign":
            return [b"\x80OK\r\n", b"\x80ERR 3\r\n"]
        case "nmea":
            rows = [str(row.get("sentence") or row.get("line") or "") for row in lines("gps/nmea.jsonl")]
            return [b"\x80" + row.encode("latin-1", "replace") + b"\r\n" for row in rows if row]
        case "jt808":
            return [b"\x80" + bytes.fromhex(row["hex"]) for row in lines("gps/jt808.jsonl") if "hex" in row]
        case "gpsd":
            from tests.drivers.gps.test_gpsd import MANUAL, SKY

            return [b"\x80" + MANUAL, b"\x80" + SKY]
        case "uhf":
            return [
                bytes((0x80 | (row["dialect"] == "uhf-bb"),)) + bytes.fromhex(row["hex"])
                for row in frames("rfid/frames.json")
            ]
        case "llrp":
            text = (GOLDEN / "rfid" / "llrp.json").read_text("utf-8")
            return [b"\x80" + bytes.fromhex(each) for each in hexadecimal(json.loads(text))]
        case "modbus":
            answers = [bytes.fromhex(row["answer"]) for row in frames("modbus/frames.json") if "answer" in row]
            over_tcp = [bytes(4) + bytes((0, len(each) - 2)) + each[:-2] for each in answers]
            return [b"\x80" + each for each in answers] + [b"\x81" + each for each in over_tcp]
        case _:
            name = HEAD.pack(NOON, Kind.NAME, 0, 2) + b"wb"
            record = HEAD.pack(NOON, Kind.RECEIVED, 0, 3) + b"abc"
            return [b"\x01" + name + record, b"\x00" + MAGIC + zlib.compress(name + record)[2:-4]]


def hexadecimal(what: Any) -> list[str]:
    """Every string under the key `hex`, wherever it stands."""
    if isinstance(what, list):
        return [found for each in cast("list[Any]", what) for found in hexadecimal(each)]
    if isinstance(what, dict):
        table = cast("dict[str, Any]", what)
        own = [table["hex"]] if isinstance(table.get("hex"), str) else []
        return own + [found for each in table.values() for found in hexadecimal(each)]
    return []


def seeds(folder: Path, target: str) -> None:
    """The samples, where nothing is yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        for number, sample in enumerate(samples(target)):
            (folder / f"{number:04}").write_bytes(sample)


if __name__ == "__main__":
    _, chosen, corpus, *options = sys.argv
    seeds(Path(corpus), chosen)
    fuzzer = cast("Any", atheris)
    fuzzer.Setup([sys.argv[0], corpus, *options], TARGETS[chosen])
    fuzzer.Fuzz()
