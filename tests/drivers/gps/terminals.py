"""Golden JT/T 808 frames, and small tools to make more, by the book."""

import json
from pathlib import Path
from typing import Any

from drivers.gps.jt808.frames import Decoder, Message
from drivers.readings import Garbage

GOLDEN = Path(__file__).parents[2] / "golden" / "gps" / "jt808.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in GOLDEN.read_text("utf-8").splitlines()][1:]
FRAMES = [row for row in ROWS if row["kind"] not in ("damaged", "escape")]
DAMAGED = [row for row in ROWS if row["kind"] == "damaged"]
ESCAPES = [row for row in ROWS if row["kind"] == "escape"]
NUMBER = bytes.fromhex("013912345678")


def words(*chunks: bytes) -> list[Message | Garbage]:
    decoder = Decoder()
    found: list[Message | Garbage] = []
    for chunk in (*chunks, None):
        if chunk is None:
            decoder.end()
        else:
            decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    return found


def framed(kind: int, body: bytes = b"", serial: int = 1, number: bytes = NUMBER, *, packet: bytes = b"") -> bytes:
    """Byte by byte, as the standard tells it."""
    properties = len(body) | (0x2000 if packet else 0) | (0x4000 if len(number) == 10 else 0)
    version = b"\x01" if len(number) == 10 else b""
    bare = kind.to_bytes(2, "big") + properties.to_bytes(2, "big") + version + number + serial.to_bytes(2, "big")
    bare += packet + body
    total = 0
    for byte in bare:
        total ^= byte
    out = b""
    for byte in (*bare, total):
        out += {0x7E: b"\x7d\x02", 0x7D: b"\x7d\x01"}.get(byte, bytes((byte,)))
    return b"\x7e" + out + b"\x7e"


def body_0200(
    lat: float = 36.0,
    lon: float = 120.2,
    time: str = "261123200000",
    *,
    status: int | None = None,
    alarms: int = 0,
    items: bytes = b"",
) -> bytes:
    """Noon UTC of 2026-11-23 by default."""
    bits = (3 | (lat < 0) << 2 | (lon < 0) << 3) if status is None else status
    numbers = (alarms, 4), (bits, 4), (round(abs(lat) * 1e6), 4), (round(abs(lon) * 1e6), 4), (12, 2), (360, 2), (90, 2)
    return b"".join(value.to_bytes(size, "big") for value, size in numbers) + bytes.fromhex(time) + items
