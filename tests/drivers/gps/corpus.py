"""The golden sentences, and small tools to make new ones."""

import json
from pathlib import Path
from typing import Any

from drivers.gps.assemble import Assembler
from drivers.gps.fix import Fix
from drivers.gps.frames import Decoder, Sentence
from drivers.readings import Garbage, Instant

GOLDEN = Path(__file__).parents[2] / "golden" / "gps" / "nmea.jsonl"
ENTRIES: list[dict[str, Any]] = [json.loads(line) for line in GOLDEN.read_text("utf-8").splitlines()][1:]


def of(*types: str) -> list[dict[str, Any]]:
    return [entry for entry in ENTRIES if entry["type"] in types]


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [f"{entry['id']}-{entry['type']}" for entry in entries]


def xor(body: bytes) -> int:
    """By the book: byte by byte."""
    total = 0
    for byte in body:
        total ^= byte
    return total


def nmea(body: str, tag: str = "") -> bytes:
    head = b"\\" + tag.encode() + b"*%02X\\" % xor(tag.encode()) if tag else b""
    return head + b"$" + body.encode() + b"*%02X\r\n" % xor(body.encode())


def words(*chunks: bytes, end: bool = True) -> list[Sentence | Garbage]:
    decoder = Decoder()
    found: list[Sentence | Garbage] = []
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    if end:
        decoder.end()
        while (word := decoder.next_word()) is not None:
            found.append(word)
    return found


def sentences(*chunks: bytes) -> list[Sentence]:
    return [word for word in words(*chunks) if isinstance(word, Sentence)]


def fixes(*chunks: bytes, at: float = 0.0) -> list[Fix]:
    assembler = Assembler()
    found: list[Fix] = []
    for sentence in sentences(*chunks):
        found += assembler.take(sentence, Instant(at))
    if last := assembler.flush():
        found.append(last)
    return found
