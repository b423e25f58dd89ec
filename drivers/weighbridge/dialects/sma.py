"""SMA SCP-0499: LF s r n m f ten-characters uuu CR. A status that is not known is no frame. Sources: MANUAL.md."""

import re
from collections.abc import Mapping
from typing import Final

from drivers.weighbridge.dialects.line import KINDS, framed, lined
from drivers.weighbridge.frames import Remark, Scanner, Shows, Word

_SMA = re.compile(
    r"(?P<status>[ ZOUETIe])(?P<range>[\d ])(?P<kind>[GTNgn])(?P<motion>[ M])(?P<custom>.)"
    r"(?P<number>[ \d.+-]{10,11})(?P<unit>[A-Za-z ]{3})"
)
_SMA_OUT: Final[Mapping[str, Shows]] = {
    "O": "overload", "U": "underload", "E": "error", "T": "error", "I": "error", "e": "blank",
}  # fmt: skip
_SMA_WHY: Final = {"E": ("zero error",), "T": ("tare error",), "I": ("initial zero error",)}
_SMA_ABOUT = re.compile(r"(?P<what>[A-Z]{2,3}) ?:(?P<text>[ -~]*)")


def sma() -> Scanner:
    """Answers to W, P, Q, R, S, M, A and B; a stream of R and S looks the same."""
    return lined(rb"\n", b"\r", 48, _sma)


def _sma(raw: bytes) -> Word | str:
    if raw[:1] != b"\n" or raw.count(b"\n") > 1:
        return "LF inside a message"
    line = raw[1:-1].decode("latin-1")
    if line == "?":
        return Remark(what="refused", text="command not known", raw=raw)
    if about := _SMA_ABOUT.fullmatch(line):
        what = "serial" if about["what"] == "SN" else "about"
        return Remark(what=what, text=about["text"].strip() if what == "serial" else line, raw=raw)
    found = _SMA.fullmatch(line)
    if found is None:
        return "no SMA message"
    notes = _SMA_WHY.get(found["status"], ())
    if found["range"] not in "1 ":
        notes = (*notes, f"range {found['range']}")
    if found["kind"] in "gn":
        notes = (*notes, "high resolution")
    return framed(
        raw,
        found["number"],
        found["unit"],
        shows=_SMA_OUT.get(found["status"]),
        stable=found["motion"] == " ",
        kind=KINDS[found["kind"].upper()],
        zero=found["status"] == "Z",
        notes=notes,
    )
