"""The tape of the black box as it lies on the disk: one file, read from its first record to where it ends or is torn.

MAGIC, then a raw deflate stream of records:  at f64 | kind u8 | line u16 | length u32 | payload   (little-endian)
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Final

from drivers.readings import Garbage, Instant

MAGIC: Final = b"QGBOX1\r\n"
SUFFIX: Final = ".box"
HEAD: Final = struct.Struct("<dBHI")
LONGEST: Final = 1024 * 1024
"""Bytes of one record; no link hands over more at once, and a mark is a picture of a few kilobytes."""


class Kind(IntEnum):
    """What a record tells."""

    NAME = 0
    """`line` means this link from here on; payload: its name."""
    OPENED = 1
    RECEIVED = 2
    SENT = 3
    SILENT = 4
    """A deadline passed; payload: the fault's words."""
    ENDED = 5
    """The link's life is over; payload: the fault's words."""
    MARK = 6
    """The process' own word about its thinking; payload: JSON."""
    MISSED = 7
    """The box could not keep up; payload: bytes of tape that are missing here, u64."""
    DATAGRAM = 8
    """As RECEIVED, with its sender: u8 length, the sender, the bytes."""
    STANDING = 9
    """The link was open when this file was begun."""
    ANSWERED = 10
    """As SENT on a port of many instruments, with its receiver in front, as DATAGRAM has its sender."""


@dataclass(frozen=True, slots=True)
class Record:
    """One event on the tape; `link` is empty for marks."""

    at: Instant
    kind: Kind
    link: str
    payload: bytes


def began_at(path: Path) -> Instant | None:
    """When the file was begun, by its name; None for a name that is none of ours."""
    try:
        stamp = datetime.strptime(path.name.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Instant(stamp.timestamp())


def is_tape(path: Path) -> bool:
    """Whether the file begins as a tape does."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def records(path: Path) -> Iterator[Record | Garbage]:
    """What is on a tape, in order. A torn end, or what is no tape, is one last Garbage with its reason.

    Memory stays bounded by one record and a piece of the file. Raises OSError.
    """
    names: dict[int, str] = {}
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    rest = b""
    with path.open("rb") as file:
        if (magic := file.read(len(MAGIC))) != MAGIC:
            yield Garbage(magic, "not a tape of the black box")
            return
        while piece := file.read(65_536):
            try:
                rest += inflate.decompress(piece)
            except zlib.error as wrong:
                yield Garbage(piece[:64], f"the tape is damaged: {wrong}")
                return
            used = 0
            while len(rest) - used >= HEAD.size:
                at, kind, line, length = HEAD.unpack_from(rest, used)
                if length > LONGEST or kind not in _KINDS:
                    yield Garbage(rest[used : used + 64], "no record stands where one should")
                    return
                if len(rest) - used - HEAD.size < length:
                    break
                start = used + HEAD.size
                payload, used = rest[start : start + length], start + length
                if kind == Kind.NAME:
                    names[line] = payload.decode("utf-8", "replace")
                link = "" if kind in (Kind.MARK, Kind.MISSED) else names.get(line, f"line {line}")
                yield Record(Instant(at), Kind(kind), link, payload)
            rest = rest[used:]
    if rest:
        yield Garbage(rest[:64], "the last record is cut off")
    elif not inflate.eof:
        yield Garbage(b"", "the tape was not ended: its process was killed, or still writes")


_KINDS: Final = frozenset(int(kind) for kind in Kind)


def sender_of(payload: bytes) -> tuple[str, bytes]:
    """Sender and bytes of a DATAGRAM; receiver and bytes of what was ANSWERED."""
    cut = 1 + payload[0] if payload else 1
    return payload[1:cut].decode("utf-8", "replace"), payload[cut:]
