"""Frames as the manual draws them, written without a look at the decoder."""

import json
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[2] / "golden" / "weighbridge"


def golden(name: str) -> list[dict[str, Any]]:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))["frames"]


def a9(places: int | str, decimals: str = "0", sign: str = "") -> bytes:
    text = places if isinstance(places, str) else f"{abs(places):06d}"
    negative = not isinstance(places, str) and places < 0
    body = ((sign or ("-" if negative else "+")) + text + decimals).encode("ascii")
    check = 0
    for byte in body:
        check ^= byte
    return b"\x02" + body + b"%X%X" % (check >> 4, check & 15) + b"\x03"
