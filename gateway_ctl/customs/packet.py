"""JGS/T 14—2015, the packet of its socket form: bytes <-> packets, and nothing about what they mean. Pure.

    E2 5C 4B 89 | total 4 | code 1 or 4 | area 10 | channel 10 | I/E 1 | identifier 4 | n 4 | XML n | block | FF FF

The standard prints four bytes of code, the field sends one; the lengths are little-endian nearly everywhere and
big-endian at one maker's. `Reader` tells these four layouts apart by trying them, remembers the one that fitted, and
finds the next packet behind whatever was none. The block is absent, or holds pictures (total 4, then for each its
place 1, its length 4, its JPEG), or holds a signature (FF FF FF FF, length 4, RSA). It is more than 400 lines long
because reading and writing must agree byte by byte, and are best compared side by side. Sources: MANUAL.md.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from drivers.readings import Garbage
from gateway_ctl.customs.codes import KNOWN, code_name

HEAD = bytes.fromhex("E25C4B89")
TAIL, WRONG_TAIL = b"\xff\xff", b"\x00\x00"
"""WRONG_TAIL is what one maker's test sender ends with."""
LARGEST = 20 * 2**20
"""Bytes of one packet: six pictures of a few hundred kilobytes are under 4 MiB; a receiving platform met in the field
takes 20 MiB and no more."""
NOISE_CEILING = 4096
"""Noise is told in pieces of at most this."""
DECIDE_AT = 42
"""Bytes from the head on that must be here before a layout is chosen: the longer head and the first byte of XML."""
MARK = b"\xff\xff\xff\xff"
"""Identifier of the standard; also what stands before a signature."""
ACK_BYTES = 100
_ID_BYTES = 10
_DIRECTIONS = b"IEOFH"
_BEGINS_XML = b"<\xef \t\r\n"
_LEAST_BLOCK = 8
_PHOTO_HEAD = 5

ByteOrder = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a peer packs its numbers."""

    width: Literal[1, 4]
    """Bytes of the message code."""
    order: ByteOrder
    """Of the lengths; a code of four bytes has its own."""

    @property
    def length_at(self) -> int:
        """Where the length of the XML stands, counted from the head."""
        return 33 + self.width


LAYOUTS = (Layout(1, "little"), Layout(1, "big"), Layout(4, "little"), Layout(4, "big"))


@dataclass(frozen=True, slots=True)
class Photo:
    """One JPEG and where its camera stands: 0x30 front, 31 front left, 32 front right, 33 to 35 the same at the rear,
    36 the plate."""

    place: int
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet as it was sent. Equal packets are equal bytes."""

    code: int
    area_field: bytes
    channel_field: bytes
    """Ten bytes each, padded as the sender pads."""
    direction: str
    """I, E or O; F and H with a reader's registration."""
    identifier: bytes
    xml: bytes = field(repr=False)
    """Its n bytes; some senders count a NUL at its end."""
    block: bytes = field(default=b"", repr=False)
    layout: Layout = LAYOUTS[0]
    code_first: bool = False
    """Of four bytes the first is the code, not the last."""
    tail: bytes = TAIL
    short: int = 0
    """Bytes by which both lengths were declared too small."""
    raw: bytes = field(default=b"", repr=False, compare=False)
    """As received."""

    @property
    def area(self) -> str:
        """The site's number, without padding."""
        return unpadded(self.area_field)

    @property
    def channel(self) -> str:
        """The lane's number, without padding."""
        return unpadded(self.channel_field)

    @property
    def signature(self) -> bytes | None:
        """The RSA signature of a signed packet."""
        return _signature(self.block, self.layout.order)

    @property
    def photos(self) -> tuple[Photo, ...] | None:
        """The pictures; None when the block is something else."""
        return _photos(self.block, self.layout.order)


@dataclass(frozen=True, slots=True)
class Naked:
    """An XML document without a packet around it."""

    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """The 100 bytes that answer a signed packet."""

    code: int
    body: bytes
    """86 bytes; the first says how it went."""
    layout: Layout = LAYOUTS[2]
    code_first: bool = False
    raw: bytes = field(default=b"", repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the peer took the packet."""
        return self.body[0] == 0


Word = Packet | Naked | Acknowledgement | Garbage


def unpadded(number: bytes) -> str:
    """A number of ten bytes without the NULs and blanks around it. What is not ASCII stays visible as `\\xNN`."""
    return number.strip(b"\x00 ").decode("ascii", "backslashreplace")


def same_id(one: str, other: str) -> bool:
    """Whether two site or lane numbers are the same: leading zeros are padding to some and not to others."""
    return one.strip("\x00 ").lstrip("0") == other.strip("\x00 ").lstrip("0")


def to_bytes(word: Packet | Acknowledgement) -> bytes:
    """The bytes of a packet, as its fields say; for one that was read, the bytes it was read from."""
    order = word.layout.order
    if isinstance(word, Acknowledgement):
        return HEAD + ACK_BYTES.to_bytes(4, order) + _code_bytes(word) + word.body + TAIL
    n = len(word.xml)
    total = word.layout.length_at + 4 + n + len(word.block) + len(word.tail)
    return b"".join((
        HEAD, (total - word.short).to_bytes(4, order), _code_bytes(word), word.area_field, word.channel_field,
        word.direction.encode("ascii"), word.identifier, (n - word.short).to_bytes(4, order), word.xml, word.block,
        word.tail,
    ))  # fmt: skip


def _code_bytes(word: Packet | Acknowledgement) -> bytes:
    return word.code.to_bytes(word.layout.width, "little" if word.code_first else "big")


def photo_block(photos: Sequence[Photo], order: ByteOrder) -> bytes:
    """The block of pictures; empty without any. Its total counts the JPEGs alone, as senders in the field count."""
    if not photos:
        return b""
    parts = [sum(len(photo.jpeg) for photo in photos).to_bytes(4, order)]
    for photo in photos:
        parts += [bytes([photo.place]), len(photo.jpeg).to_bytes(4, order), photo.jpeg]
    return b"".join(parts)


def signature_block(signature: bytes, order: ByteOrder) -> bytes:
    """The block of a signed packet."""
    return MARK + len(signature).to_bytes(4, order) + signature


def _photos(block: bytes, order: ByteOrder) -> tuple[Photo, ...] | None:
    if not block:
        return ()
    if block.startswith(MARK):
        return None
    found: list[Photo] = []
    at = 4
    while at < len(block):
        begins = at + _PHOTO_HEAD
        ends = begins + int.from_bytes(block[at + 1 : begins], order)
        if not begins <= ends <= len(block):
            return None
        found.append(Photo(block[at], block[begins:ends]))
        at = ends
    jpegs = sum(len(photo.jpeg) for photo in found)
    # One reading of the table counts the heads of five bytes too, another the total's own four.
    told = int.from_bytes(block[:4], order)
    return tuple(found) if told - jpegs in (0, _PHOTO_HEAD * len(found), _PHOTO_HEAD * len(found) + 4) else None


def _signature(block: bytes, order: ByteOrder) -> bytes | None:
    if not block.startswith(MARK) or int.from_bytes(block[4:8], order) != len(block) - 8:
        return None
    return block[8:]


_BOM = b"\xef\xbb\xbf"
_PADDING = re.compile(rb"(?:[\x00 \t\r\n]|\xef\xbb\xbf)+")
_NAME = re.compile(rb"</?([A-Za-z_][\w.:-]*)")


def xml_end(data: bytes | bytearray, at: int = 0) -> int | None:
    """Where the document that begins at or behind `at` ends; None while its last tag is not there.

    Only the root's own name is counted, so that a mistake inside does not hide the end. Neither `<` nor `>` is ever
    part of a Chinese character, in GB18030 as little as in UTF-8.
    """
    root, depth = b"", 0
    while (at := data.find(b"<", at)) >= 0:
        for opens, closes in ((b"<?", b"?>"), (b"<!--", b"-->"), (b"<![CDATA[", b"]]>")):
            if data.startswith(opens, at):
                end = data.find(closes, at + len(opens))
                if end < 0:
                    return None
                at = end + len(closes)
                break
        else:
            end = data.find(b">", at)
            if end < 0:
                return None
            name = _NAME.match(data, at)
            if name is not None and (not root or name[1].lower() == root):
                root = name[1].lower()
                if data.startswith(b"</", at):
                    depth -= 1
                elif not data.endswith(b"/", at, end):
                    depth += 1
                if depth <= 0:
                    return end + 1
            at = end + 1
    return None


class Reader:
    """One peer's stream. Every byte is in exactly one word or counted as padding, and how the bytes were cut makes no
    difference. Give it bytes, then ask for words until None; after `end` the rest is judged as it stands."""

    def __init__(self, remembered: Layout | None = None, *, naked: bool = True, largest: int = LARGEST) -> None:
        """`naked`: an XML document may stand where a packet could. `largest`: bytes of one packet."""
        self.layout = remembered
        """The layout that fitted last; between two that fit it wins."""
        self.padding = 0
        """NULs and white space between packets: one sender fills its buffer of 9,999 bytes up with them."""
        self._naked, self._largest = naked, largest
        self._held = bytearray()
        self._noise: int = 0
        """So many of the first bytes held are noise already."""
        self._why = ""
        self._clean = True
        """No noise since the last word: only here may padding be skipped, and a naked document begin."""
        self._ended = False

    def receive(self, data: bytes, /) -> None:
        """Bytes as they came, cut anywhere."""
        self._held += data

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True

    def words(self, data: bytes = b"") -> Iterator[Word]:
        """Receive, and give all words there are."""
        self.receive(data)
        while (word := self.next_word()) is not None:
            yield word

    def next_word(self) -> Word | None:
        """The next word; None when more bytes are needed, or when nothing is left after the end."""
        held = self._held
        while True:
            if self._clean:
                self._skip_padding()
                if self._naked and held.startswith(b"<"):
                    return self._document()
            start = held.find(HEAD, self._noise)
            self._noise = start if start >= 0 else len(held) - self._begun()
            if self._noise >= NOISE_CEILING:
                return self._told(NOISE_CEILING)
            if start < 0:
                return self._told(self._noise) if self._ended and self._noise else None
            found = self._at(start)
            if found is None:
                return None
            if isinstance(found, str):
                self._why = self._why or found
                self._noise = start + 1
            elif start > 0:
                return self._told(start)
            else:
                del held[: len(found.raw)]
                self._noise, self._clean = 0, True
                if isinstance(found, Packet):
                    self.layout = found.layout
                return found

    def _skip_padding(self) -> None:
        blank = _PADDING.match(self._held)
        if blank is not None:
            self.padding += blank.end()
            del self._held[: blank.end()]

    def _begun(self) -> int:
        """How many of the last bytes may be the begin of a head, or of a document's mark."""
        if self._ended:
            return 0
        marks = (HEAD, _BOM) if self._clean else (HEAD,)
        return max((n for mark in marks for n in range(1, len(mark)) if self._held.endswith(mark[:n])), default=0)

    def _told(self, size: int) -> Garbage:
        raw = bytes(self._held[:size])
        why = self._why or "no packet begins here"
        del self._held[:size]
        self._noise -= size
        self._clean = False
        if self._noise == 0:
            self._why = ""
        return Garbage(raw, why)

    def _document(self) -> Naked | Garbage | None:
        end = xml_end(self._held)
        if end is not None and end <= self._largest:
            raw = bytes(self._held[:end])
            del self._held[:end]
            return Naked(raw)
        if len(self._held) > self._largest:
            self._noise, self._why = self._largest, f"a document of more than {self._largest} bytes"
        elif self._ended:
            self._noise, self._why = len(self._held), "the document's last tag is missing"
        else:
            return None
        return self._told(min(self._noise, NOISE_CEILING))

    def _at(self, start: int) -> Packet | Acknowledgement | str | None:
        """What begins at a head: a word, why it is none, or None while that cannot be said."""
        held = self._held
        here = len(held) - start
        if here < DECIDE_AT:
            return f"cut short after {here} bytes" if self._ended else None
        fits: list[tuple[int, int, Layout]] = []
        why = ""
        # The remembered layout first, and its word for what is wrong; `sorted` keeps that order among equals.
        for layout in sorted(LAYOUTS, key=lambda each: each != self.layout):
            sizes = self._fits(start, layout)
            if isinstance(sizes, str):
                why = why or sizes
            else:
                fits.append((*sizes, layout))
        # Rarely both byte orders make sense (totals of 0x00000201 and 0x01020000); the shorter can be proven sooner.
        for total, n, layout in sorted(fits, key=lambda fit: fit[0]):
            found = self._packet(start, layout, total, n)
            if not isinstance(found, str):
                return found
            why = found
        return self._acknowledgement(start) if not fits and self._may_acknowledge(start) else why

    def _fits(self, start: int, layout: Layout) -> tuple[int, int] | str:
        """Total and length of the XML if the head makes sense in this layout, else why not."""
        held, at = self._held, start + layout.length_at
        code, _ = _code(held[start + 8 : start + 8 + layout.width])
        if code not in KNOWN:
            return f"no message has the code {held[start + 8 : start + 8 + layout.width].hex()}"
        if held[at - 5] not in _DIRECTIONS:
            return f"the direction is {held[at - 5]:#04x}"
        total = int.from_bytes(held[start + 4 : start + 8], layout.order)
        n = int.from_bytes(held[at : at + 4], layout.order)
        most = total - layout.length_at - 6
        if not most >= 0 or total > self._largest:
            return f"a total of {total} bytes"
        if not 0 < n <= most or 0 < most - n < _LEAST_BLOCK:
            return f"{n} bytes of XML in a packet of {total}"
        if held[at + 4] not in _BEGINS_XML:
            return f"the XML begins with {held[at + 4]:#04x}"
        return total, n

    def _packet(self, start: int, layout: Layout, total: int, n: int) -> Packet | str | None:
        held, xml = self._held, start + layout.length_at + 4
        # Four bytes that no text of either encoding contains: the sender was cut off, and has begun again.
        other = held.find(HEAD, start + len(HEAD), xml + n)
        if other >= 0:
            return f"cut short after {other - start} bytes by another packet"
        if len(held) - start < total:
            return f"cut short: {len(held) - start} of {total} bytes" if self._ended else None
        tail = bytes(held[start + total - 2 : start + total])
        if tail in (TAIL, WRONG_TAIL):
            if not held[xml : xml + n].rstrip(b"\x00 \t\r\n").endswith(b">"):
                return f"its XML of {n} bytes does not end with a tag"
            return self._made(start, layout, xml + n, start + total)
        told = f"it ends with {tail.hex()}"
        if total != layout.length_at + 6 + n:
            return told
        # One sender counts its text in another encoding than it sends, and both lengths come out too small.
        reach = xml + n + n // 2 + 8
        other = held.find(HEAD, xml + n, reach)
        end = xml_end(held[xml : reach if other < 0 else other])
        if end is None:
            return None if other < 0 and len(held) < reach and not self._ended else told
        end += xml
        if end <= xml + n:
            return told
        end += held.startswith(b"\x00", end)
        if len(held) < end + 2 and not self._ended:
            return None
        if not held.startswith(TAIL, end):
            return told
        return self._made(start, layout, end, end + 2, short=end - xml - n)

    def _made(self, start: int, layout: Layout, xml_ends: int, ends: int, *, short: int = 0) -> Packet:
        raw = bytes(self._held[start:ends])
        code, code_first = _code(raw[8 : 8 + layout.width])
        at = 8 + layout.width
        xml_at, xml_ends = layout.length_at + 4, xml_ends - start
        return Packet(
            code=code, area_field=raw[at : at + _ID_BYTES], channel_field=raw[at + _ID_BYTES : at + 2 * _ID_BYTES],
            direction=chr(raw[xml_at - 9]), identifier=raw[xml_at - 8 : xml_at - 4], xml=raw[xml_at:xml_ends],
            block=raw[xml_ends:-2], layout=layout, code_first=code_first, tail=raw[-2:], short=short, raw=raw,
        )  # fmt: skip

    def _may_acknowledge(self, start: int) -> bool:
        held = self._held
        total, (code, _) = held[start + 4 : start + 8], _code(held[start + 8 : start + 12])
        return code in KNOWN and any(int.from_bytes(total, layout.order) == ACK_BYTES for layout in LAYOUTS)

    def _acknowledgement(self, start: int) -> Acknowledgement | str | None:
        raw = bytes(self._held[start : start + ACK_BYTES])
        if len(raw) < ACK_BYTES:
            return f"cut short after {len(raw)} bytes" if self._ended else None
        if raw[-2:] != TAIL:
            return f"an acknowledgement that ends with {raw[-2:].hex()}"
        code, code_first = _code(raw[8:12])
        order: ByteOrder = "little" if raw[4] else "big"
        return Acknowledgement(code=code, body=raw[12:-2], layout=Layout(4, order), code_first=code_first, raw=raw)


def _code(field_bytes: bytes | bytearray) -> tuple[int, bool]:
    """The code and whether it stands first of four; code 0 when there is not exactly one byte that could be it."""
    if len(field_bytes) == 1:
        return field_bytes[0], False
    first, *middle, last = field_bytes
    if any(middle) or (first != 0) == (last != 0):
        return 0, False
    return first or last, first != 0


def describe(word: Packet | Naked | Acknowledgement) -> str:
    """For a log: what it is and how long, never what it says."""
    match word:
        case Packet():
            return f"{code_name(word.code)} of {len(word.raw)} bytes"
        case Naked():
            return f"a naked document of {len(word.raw)} bytes"
        case Acknowledgement():
            return f"an acknowledgement ({'taken' if word.ok else f'refused with {word.body[0]}'})"
