"""NMEA 0183 bytes -> sentences. Pure: bytes in, words out.

A sentence stands between `$` or `!` and `*hh`, its XOR in two hexadecimal digits; without them it is garbage. A TAG
block `\\k:v,k:v*hh\\` with an XOR of its own may stand before it. Wire facts and their sources: MANUAL.md.
"""

import re
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import msgspec

from drivers.gps.sentences import PARSERS, Record, Txt
from drivers.readings import Garbage

MAX_LINE_BYTES = 1024
"""A TAG block is at most 255 bytes, real sentences reach 110 (the standard's 82 is not kept), proprietary ones 400."""
MAX_SOURCE_CHARS = 32
"""`s` of a TAG block is at most 15 characters by the standard; a longer one is kept to here as a name."""
MILLISECONDS_FROM = 1e11
"""`c` of a TAG block is Unix time in seconds; some send milliseconds. 1e11 s is the year 5138."""

_HEX = {bytes((a, b)): int(bytes((a, b)), 16) for a in b"0123456789ABCDEFabcdef" for b in b"0123456789ABCDEFabcdef"}
_STARTS = re.compile(rb"[$!\\]")
_SENTENCE_STARTS = re.compile(rb"[$!]")
_HEAD = re.compile(rb"[$!][A-Z]{3}")
_DOLLAR, _STAR, _BACKSLASH = b"$*\\"
_SHORTEST = 4
_PADDING = b" \t\0"
_SPLICED = "sentences run into each other"
_TOO_LONG = f"longer than {MAX_LINE_BYTES} bytes without a line end"


class TagBlock(NamedTuple):
    """What a multiplexer says about the sentence that follows."""

    source: str
    """`s`; empty when not given."""
    time_s: float | None
    """`c`, Unix seconds."""
    group: tuple[int, int, str] | None
    """`g`: part, of how many, group id."""
    fields: tuple[tuple[str, str], ...]
    """All of them, as sent."""


class Sentence(msgspec.Struct, frozen=True, gc=False):
    """One sentence with the right checksum."""

    talker: str
    """`GP`, `GN`, `BD`, ..; `P` for a maker's own."""
    kind: str
    """`RMC`, `GGA`, ..; the whole name of a maker's own."""
    record: Record | None
    """None for kinds that are not read."""
    tag: TagBlock | None

    @property
    def name(self) -> str:
        """As on the wire: `GNRMC`."""
        return self.kind if self.talker == "P" else self.talker + self.kind


def checksum(body: bytes) -> int:
    """XOR of all bytes, folded as one integer: twice as fast as byte by byte."""
    x = int.from_bytes(body, "little")
    shift = len(body) << 3
    while shift > 1024:
        shift = (shift + 8) >> 4 << 3  # half of it, in whole bytes
        x = (x >> shift) ^ (x & ((1 << shift) - 1))
    x ^= x >> 512
    x ^= x >> 256
    x ^= x >> 128
    x ^= x >> 64
    x ^= x >> 32
    x ^= x >> 16
    return (x ^ (x >> 8)) & 0xFF


def read_sentence(body: bytes, tag: TagBlock | None = None) -> Sentence | Garbage:
    """What stands between `$` and `*`, its checksum already found right."""
    try:
        fields = body.decode("ascii").split(",")
        talker, kind, fewest, parse = _named(fields[0])
        if parse is None:
            return Sentence(talker, kind, None, tag)
        if len(fields) < fewest:
            return Garbage(b"$" + body, f"{len(fields)} fields where {kind} has {fewest} at least")
        return Sentence(talker, kind, parse(fields), tag)
    except (ValueError, OverflowError) as wrong:
        return Garbage(b"$" + body, str(wrong))


@lru_cache(maxsize=256)
def _named(name: str) -> tuple[str, str, int, Callable[[list[str]], Record] | None]:
    if not name.isalnum():
        raise ValueError(f"{name[:10]!r} is no name of a sentence")
    if name[0] == "P":
        # `PGRMC` is a maker's own sentence (Garmin, settings), no RMC.
        return "P", name, 0, None
    fewest, parse = PARSERS.get(name[2:], (0, None))
    return name[:2], name[2:], fewest, parse


def read_tag_block(inside: bytes) -> TagBlock | Garbage:
    """What stands between the backslashes, checksum and all."""
    raw = b"\\" + inside + b"\\"
    content, star, digits = inside.rpartition(b"*")
    if not star or _HEX.get(digits) != checksum(content):
        return Garbage(raw, "TAG block without the right checksum")
    pairs: list[tuple[str, str]] = []
    for each in content.decode("ascii", "replace").split(","):
        key, colon, value = each.partition(":")
        if not colon:
            return Garbage(raw, f"{each!r} in a TAG block is no key:value")
        pairs.append((key, value))
    fields = dict(pairs)
    return TagBlock(
        _source(fields.get("s", "")), _unix_s(fields.get("c", "")), _group(fields.get("g", "")), tuple(pairs)
    )


class Decoder:
    """Takes bytes as they come, gives words in order. Ask for words until None after each `receive`.

    `#` begins a comment line (logs have them): counted in `comments`, not a word. A line above MAX_LINE_BYTES is
    garbage as a whole, and told as it comes, so that a line without an end does not grow.
    """

    def __init__(self) -> None:
        self.comments = 0
        self._rest = b""
        self._words: deque[Sentence | Garbage] = deque()
        self._overlong = False
        self._group: TagBlock | None = None

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        text = self._rest + data
        lines = text.splitlines()  # at CR, LF and CR LF
        self._rest = lines.pop() if lines and text[-1:] not in (b"\r", b"\n") else b""
        if self._overlong and lines:
            self._overlong = False
            self._drop(lines.pop(0), _TOO_LONG)
        words, hexadecimal, folded = self._words, _HEX, checksum
        for line in lines:
            # The usual line, without a look at all else that may stand on one.
            if _SHORTEST < len(line) <= MAX_LINE_BYTES and line[0] == _DOLLAR and line[-3] == _STAR:
                body = line[1:-3]
                if folded(body) == hexadecimal.get(line[-2:]) and _DOLLAR not in body and _STAR not in body:
                    words.append(read_sentence(body))
                    continue
            self._take_apart(line)
        if self._overlong or len(self._rest) > MAX_LINE_BYTES:
            self._overlong = True
            self._drop(self._rest, _TOO_LONG)
            self._rest = b""

    def end(self) -> None:
        """What stands unfinished will not go on: the end of a datagram, of a file."""
        self.receive(b"\n")

    def next_word(self) -> Sentence | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None

    def _drop(self, raw: bytes, why: str) -> None:
        if raw:
            self._words.append(Garbage(raw, why))

    def _take_apart(self, line: bytes) -> None:
        """A line with more, or less, than one bare sentence on it: noise, TAG blocks, two sentences, none."""
        line = line.strip(_PADDING)
        if not line:
            return
        if line[:1] == b"#":
            self.comments += 1
            return
        if len(line) > MAX_LINE_BYTES:
            self._drop(line, _TOO_LONG)
            return
        tag: TagBlock | None = None
        at = 0
        while at < len(line):
            found = _STARTS.search(line, at)
            start = found.start() if found else len(line)
            if start > at:
                self._words.append(Garbage(line[at:start], "no sentence"))
                tag = None
            if start == len(line):
                return
            if line[start] == _BACKSLASH:
                at, tag = self._read_tag(line, start)
            else:
                at = self._read_one(line, start, tag)
                tag = None

    def _read_tag(self, line: bytes, start: int) -> tuple[int, TagBlock | None]:
        """Where to go on, and the block."""
        stop = line.find(b"\\", start + 1)
        sentence = _SENTENCE_STARTS.search(line, start + 1)
        if stop < 0 or (sentence and sentence.start() < stop):
            stop = sentence.start() if sentence else len(line)
            self._words.append(Garbage(line[start:stop], "TAG block without its end"))
            return stop, None
        block = read_tag_block(line[start + 1 : stop])
        if isinstance(block, Garbage):
            # The sentence after it may be good: only what the block says of it is not to be trusted.
            self._words.append(block)
            return stop + 1, None
        return stop + 1, self._of_its_group(block)

    def _read_one(self, line: bytes, start: int, tag: TagBlock | None) -> int:
        """Where to go on."""
        star = line.find(b"*", start)
        digits = _HEX.get(line[star + 1 : star + 3]) if star >= 0 else None
        body = line[start + 1 : star]
        if digits is not None and checksum(body) == digits:
            word = read_sentence(body, tag)
            if b"$" in body and isinstance(word, Sentence) and word.record and not isinstance(word.record, Txt):
                # One time in 256 two sentences run together have the right XOR by chance.
                word = Garbage(line[start : star + 3], _SPLICED)
            self._words.append(word)
            return star + 3
        stop = star + 3 if digits is not None else len(line)
        inner = _STARTS.search(line, start + 1, stop)
        if inner is None:
            why = "wrong checksum" if digits is not None else "no checksum"
        elif digits is not None and _HEAD.match(line, start):
            # A line end is missing, and nobody knows what else: the next epoch is a second away.
            why = _SPLICED
        else:
            why, stop = "no sentence", inner.start()
        self._words.append(Garbage(line[start:stop], why))
        return stop

    def _of_its_group(self, block: TagBlock) -> TagBlock:
        """The later parts of a group have what its first part said and they do not say."""
        if block.group is None:
            return block
        part, _, group_id = block.group
        first = self._group
        if part == 1:
            self._group = block
        elif first and first.group and first.group[2] == group_id:
            time_s = first.time_s if block.time_s is None else block.time_s
            return block._replace(source=block.source or first.source, time_s=time_s)
        return block


def _source(text: str) -> str:
    return text[:MAX_SOURCE_CHARS] if text.isprintable() else ""


def _unix_s(text: str) -> float | None:
    if not text.isascii() or not text.replace(".", "0", 1).isdigit():
        return None
    value = float(text[:MAX_SOURCE_CHARS])
    return value / 1000 if value >= MILLISECONDS_FROM else value


def _group(text: str) -> tuple[int, int, str] | None:
    parts = text.split("-", 2)
    if len(parts) != 3 or not all(each.isascii() and 0 < len(each) < 4 and each.isdigit() for each in parts[:2]):
        return None
    return int(parts[0]), int(parts[1]), parts[2]
