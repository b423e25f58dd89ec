"""Which dialect is this? From a capture alone: nothing is ever asked of an indicator to find out. Pure.

Every dialect reads the capture. What counts is the share of the bytes that it explains, how many frames it found, how
much each of its frames had to fulfil by itself (a check sum, fixed places), and, between readings of the same bytes,
which of them moves as a weight moves: reversed digits jump, weights do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from drivers.readings import Garbage
from drivers.weighbridge.dialects import DIALECTS
from drivers.weighbridge.frames import Frame, Remark
from drivers.weighbridge.modbus_decode import count_frames

T = TypeVar("T")
AS_RECORDED = "as it was recorded"
MOST_BYTES = 65_536
"""A minute of 9600 baud; more does not make it surer."""
LEAST_EXPLAINED = 0.2
"""A format that explains less of a capture than this has found itself in the noise."""
ALIKE = 0.9
"""Who explains this share of what the best one does is weighed against it."""
HIGH_SHARE = 0.05
"""Of bytes with bit 7 set: text has none, a port of seven bits heard with eight has many."""
_TEXT = frozenset(range(0x20, 0x7F)) | {0x02, 0x03, 0x0A, 0x0D}
_CHECKED = {
    "yaohua-a9": 8, "yaohua-a9-command": 8, "yaohua-a12e": 9, "mt-continuous": 8, "mt-continuous-short": 8,
    "general-measure": 8, "general-measure-command": 8, "mt-continuous-nosum": 5, "mt-continuous-short-nosum": 4,
    "yaohua-equals-forward": 3, "yaohua-equals-reversed": 3, "st-gs": 4, "rinstrum-5200": 1, "bilanciai-cb": 4,
}  # fmt: skip
_LOOSE, _LOOSE_EXPLAINED = 1, 0.9
"""A format that hardly checks anything must explain nearly all."""
_NO_TEXT = (
    "no format fits, and nothing repeats as lines do: the port's speed or parity is wrong, or this is the plug of the "
    "large display; try 1200, 2400, 4800, 9600 and 19200 baud, 8N1 and 7E1"
)
_USUAL = 6
"""How much a frame of the other dialects must fulfil: heads, places and units that stand where they must."""
_SAME = {
    "mt-sics": "mt-sics-stream", "sma": "sma-stream", "aand-command": "aand", "dini-argeo-command": "dini-argeo",
    "general-measure-command": "general-measure",
}  # fmt: skip
"""Asked and unasked, the frames are the same: what was heard without a question is the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One dialect that may be it."""

    dialect: str
    title: str
    confidence: float
    """0 to 1."""
    frames: int
    explained: float
    """Share of the capture's bytes that are frames or answers of this dialect."""
    shown: tuple[str, ...]
    """The first different displays, to be held against the indicator's window."""
    serial: str
    """How the port must be set: the framing that the capture's bit 7 gives away, or as it was recorded."""
    usual: str
    """What the dialect's indicators are delivered with."""
    decimals: int | None
    """What all its frames say; None: they differ, or say nothing."""
    unit: str | None
    mind: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Try:
    name: str
    frames: tuple[Frame, ...]
    requests: int
    explained: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """All that may be it, the surest first, and what the capture itself gives away."""

    best: tuple[Guess, ...]
    hints: tuple[str, ...]


def guess(capture: bytes) -> Guesses:
    """Names the dialects that fit. Nothing that fits is an answer, too: see `hints`."""
    data = capture[:MOST_BYTES]
    if not data:
        return Guesses(best=(), hints=("the capture is empty: the indicator may speak only when asked",))
    framing, data = _seven(data)
    tries = [found for name in DIALECTS if name not in _SAME if (found := _tried(name, data)) is not None]
    most = max((each.explained for each in tries), default=0.0)
    rivals = [each for each in tries if each.explained >= ALIKE * most]
    scores = {each.name: _score(each) for each in rivals}
    together = sum(scores.values())
    found = [
        _told(each, each.explained * _sure(each) * scores[each.name] / together, framing, rivals)
        for each in rivals
        if together > 0
    ]
    hints = [f"bit 7 is a parity bit: set the port to {framing}"] if framing else []
    if not found:
        hints += _nothing_fits(data)
    return Guesses(best=tuple(sorted(found, key=lambda one: -one.confidence)), hints=tuple(hints))


def _seven(data: bytes) -> tuple[str, bytes]:
    """The setting that bit 7 speaks for, and the data without it; as it is when bit 7 is no parity."""
    high = sum(byte > 0x7F for byte in data)
    if high < HIGH_SHARE * len(data):
        return "", data
    odd = sum(byte.bit_count() & 1 for byte in data)
    framings = (("7E1", odd), ("7O1", len(data) - odd), ("7M1 (mark)", len(data) - high))
    setting, wrong = min(framings, key=lambda each: each[1])
    return (setting, bytes(byte & 0x7F for byte in data)) if wrong <= 0.02 * len(data) else ("", data)


def _tried(name: str, data: bytes) -> _Try | None:
    decoder = DIALECTS[name].decoder()
    decoder.receive(data)
    frames: list[Frame] = []
    requests = explained = 0
    words = [*iter(decoder.next_word, None), *iter(decoder.rest, None)]
    for word in words:
        if isinstance(word, Garbage):
            continue
        explained += len(word.raw)
        if isinstance(word, Frame):
            frames.append(word)
        requests += isinstance(word, Remark) and word.what == "request"
    share = explained / len(data)
    least = _LOOSE_EXPLAINED if _CHECKED.get(name) == _LOOSE else LEAST_EXPLAINED
    return _Try(name, tuple(frames), requests, share) if frames and share >= least else None


def _sure(each: _Try) -> float:
    """Few frames may be chance; the less a frame must fulfil, the more of them are needed."""
    return 1.0 - 0.5 ** (len(each.frames) * _CHECKED.get(each.name, _USUAL) / 3)


def _score(each: _Try) -> float:
    """Of readings of the same bytes: what each frame must fulfil, and how calm the numbers are."""
    values = [frame.value for frame in each.frames if frame.value is not None]
    return float(2 ** _CHECKED.get(each.name, _USUAL)) * each.explained**4 * _calm(values)


def _calm(values: Sequence[Decimal]) -> float:
    """1 for numbers that change as little as they can for their size, less the more they jump about."""
    if len(values) < 2:
        return 1.0
    range_of = max(abs(value) for value in values) or Decimal(1)
    jumps = sum(abs(after - before) for before, after in pairwise(values))
    return 1.0 / (1.0 + 4.0 * float(jumps / range_of) / (len(values) - 1) * min(len(values), 50))


def _told(each: _Try, confidence: float, framing: str, rivals: Sequence[_Try]) -> Guess:
    dialect = DIALECTS[each.name]
    mind: list[str] = []
    others = {rival.name for rival in rivals} - {each.name}
    if each.name.startswith("yaohua-equals"):
        mind.append("forward or reversed is told by the window only: hold the display against it")
    if asked := [name for name, stream in _SAME.items() if stream == each.name]:
        mind.append(f"an indicator that speaks only when asked: {', '.join(asked)}")
    if each.name.endswith("-nosum"):
        mind.append("without a check byte: switch it on in the indicator when it has one")
    if not any(frame.unit for frame in each.frames):
        mind.append("the frames name no unit: it is the site file's")
    if others and confidence < 0.5:
        mind.append(f"the same bytes may be {', '.join(sorted(others))}")
    shown: dict[str, None] = {}
    for frame in each.frames:
        shown.setdefault(frame.display, None)
    return Guess(
        dialect=each.name,
        title=dialect.title,
        confidence=round(min(confidence, 0.99), 2),
        frames=len(each.frames),
        explained=round(each.explained, 3),
        shown=tuple(shown)[:3],
        serial=framing or AS_RECORDED,
        usual=dialect.serial,
        decimals=_agreed([frame.decimals for frame in each.frames if frame.shows == "number" and not frame.pointless]),
        unit=_agreed([frame.unit for frame in each.frames if frame.unit is not None]),
        mind=tuple(mind),
    )


def _agreed(said: Sequence[T]) -> T | None:
    return said[0] if said and len(set(said)) == 1 else None


def _nothing_fits(data: bytes) -> list[str]:
    if (frames := count_frames(data)) > 1:
        return [f"{frames} Modbus frames: registers, no text; `quaygate decode modbus:TABLE FILE` reads them"]
    text = sum(byte in _TEXT for byte in data) / len(data)
    if text < 0.7:
        return [_NO_TEXT]
    for end, name in ((b"\r\n", "CR LF"), (b"\r", "CR"), (b"\n", "LF"), (b"\x03", "ETX"), (b";", "semicolon")):
        lines = data.split(end)
        if len(lines) > 2:
            line = lines[1].decode("ascii", "replace")
            return [f"text that no format fits, in pieces ended by {name}, such as {line[:40]!r}"]
    return [_NO_TEXT]
