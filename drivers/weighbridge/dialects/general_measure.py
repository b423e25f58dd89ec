"""General Measure M02: STX 01 1 [RWT] 40 status six-places sum CR LF, the sum of all bytes modulo 100 in decimal.

Sources: MANUAL.md.
"""

import re

from drivers.weighbridge.dialects.line import framed, lined
from drivers.weighbridge.frames import Remark, Scanner, Shows, Word

_GM = re.compile(r"\x02\d\d\d(?P<said>[A-Z]{3})?(?P<body>.*)(?P<sum>\d\d)", re.DOTALL)
_GM_BODY = re.compile(r"@(?P<status>[@-_])(?P<value>[ \d.OFL]{6})")


def general_measure() -> Scanner:
    """Unasked frames, answers to R WT, and the words of acknowledgement."""
    return lined(rb"\x02", b"\n", 24, _general_measure)


def _general_measure(raw: bytes) -> Word | str:
    found = _GM.fullmatch(raw[:-2].decode("latin-1"))
    if found is None or raw[-2:] != b"\r\n":
        return "no frame of the format"
    if (due := sum(raw[:-4]) % 100) != int(found["sum"]):
        return f"the sum should be {due:02d}"
    told = found["said"] or ""
    body = found["body"]
    if told not in ("", "RWT") or not body or body[0] != "@":
        return _gm_said(raw, told, body)
    weight = _GM_BODY.fullmatch(body)
    if weight is None:
        return "status and value that are none"
    bits = ord(weight["status"])
    out: Shows | None = "overload" if bits & 2 or "OFL" in weight["value"] else None
    return framed(
        raw,
        weight["value"] if out is None else "OFL",
        "",
        negative=bool(bits & 8),
        shows=out,
        stable=bool(bits & 1),
        kind="net" if bits & 16 else "gross",
        zero=bool(bits & 4),
        pointless="." not in weight["value"],
    )


def _gm_said(raw: bytes, told: str, body: str) -> Word | str:
    if body == "OK":
        return Remark(what="acknowledged", text=f"{told} OK", raw=raw)
    if body[:1] == "E":
        return Remark(what="refused", text=f"{told} {body}", raw=raw)
    return Remark(what="request", text=told, raw=raw) if told and not body else "an answer that is not known"


def ask_weight(address: str) -> bytes:
    """The request for status and value of channel 1 of this scale; nothing changes in the indicator."""
    body = b"\x02" + address.encode("ascii") + b"1RWT"
    return body + b"%02d\r\n" % (sum(body) % 100)
