"""Coverage-guided fuzzing of card readers and LED cards, by atheris; the rules are those of tests/fuzz/instruments.py.

python -m tests.fuzz.readers cards|c-power CORPUS_FOLDER -max_total_time=600
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import atheris

with cast("Any", atheris).instrument_imports(include=["drivers"]):
    from drivers.readings import Garbage
    from drivers.rfid.card_frames import Decoder, Setting
    from drivers.rfid.cards import CardRead, written
    from drivers.sign.c_power import EXTERNAL, Framing, Packet, Packets, framed, packet

from tests.fuzz.instruments import GOLDEN, cut, fed, told_once

SETTINGS = (
    Setting(dialect="card-stx"), Setting(dialect="card-binary", turned=True), Setting(dialect="card-lines"),
    Setting(dialect="card-lines", check="xor", number="8h10d", iso14443=True),
    Setting(dialect="card-lines", check="sum"), Setting(dialect="card-lines", printed="decimal"),
    Setting(dialect="card-lines", printed="3+5", number="wg3+5"), Setting(dialect="wiegand-lines", wiegand=26),
    Setting(dialect="wiegand-lines", wiegand=34), Setting(dialect="wiegand-lines", wiegand=37, number="facility"),
)  # fmt: skip
"""The first byte chooses one."""


def cards(data: bytes) -> None:
    """A card reader's stream in each dialect, however cut; what is read can be written."""
    if not data:
        return
    setting = SETTINGS[data[0] % len(SETTINGS)]
    whole, pieces = Decoder(setting), Decoder(setting)
    words = fed(pieces, cut(data), pieces.end)
    told_once(words, data)
    reads = [word for word in words if isinstance(word, CardRead)]
    # Line ends may part at the cut, and a line that is too long is told in pieces: only frames are the same ones.
    if not setting.dialect.endswith("lines"):
        assert [word for word in fed(whole, [data[1:]], whole.end) if isinstance(word, CardRead)] == reads
    for read in reads:
        assert written(read, setting.number)


def c_power(data: bytes) -> None:
    """An LED card's packets in both framings, however cut; what is read is what would be written."""
    if not data:
        return
    framing: Framing = "network" if data[0] & 1 else "serial"
    packets = Packets(framing)
    words = fed(packets, cut(data), packets.end)
    assert b"".join(word.raw for word in words) == data[1:], "every byte is told once"
    for word in words:
        if isinstance(word, Garbage):
            continue
        assert isinstance(word, Packet)
        if word.number == word.last == 0 and word.code == EXTERNAL:
            again = packet(word.card, word.data, kind=word.kind, extra=word.extra)
            assert framed(again, framing, word.card_id or 0) == word.raw


TARGETS: dict[str, Callable[[bytes], None]] = {"cards": cards, "c-power": c_power}


def samples(target: str) -> list[bytes]:
    """Golden bytes as this target takes them."""
    if target == "cards":
        rows = json.loads((GOLDEN / "rfid" / "cards.json").read_text("utf-8"))
        return [
            bytes((number,)) + bytes.fromhex(row["hex"])
            for row in rows
            for number, setting in enumerate(SETTINGS)
            if setting.dialect == row["setting"]["dialect"]
        ]
    rows = json.loads((GOLDEN / "sign" / "c_power.json").read_text("utf-8"))
    return [bytes((0x80 | (row["framing"] == "network"),)) + bytes.fromhex(row["hex"]) for row in rows]


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
