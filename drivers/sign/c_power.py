"""LED cards of the C-Power family (Lumen CP5200 and kin), bytes <-> words. Pure.

    serial     A5, the packet with A5, AA, AE escaped as AA 05, AA 0A, AA 0E, then AE
    network    card's id (4), length of the packet (2, low byte first), 00 00, the packet as it is
    packet     68 32 card 7B extra length(2, low first) number last data .. sum(2, low first)

The sum is of all bytes before it, 16 bits. A text: data 12, window, effect, alignment, speed, stay(2), font, red,
green, blue, text in GBK with CR between rows, 00. The card answers E8 (old ones 68) with a return value for `extra`.
Wire facts and sources: MANUAL.md.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from drivers.readings import Garbage
from drivers.sign.frames import Declined, DoesNotFit, Shown, fitting

Framing = Literal["serial", "network"]
Colour = Literal["red", "green", "yellow", "blue", "purple", "cyan", "white"]
FontPx = Literal[8, 12, 16, 24, 32, 40, 48, 56]
START, END, ESCAPE = 0xA5, 0xAE, 0xAA
REQUEST, ANSWER, CARD_TYPE, EXTERNAL = 0x68, 0xE8, 0x32, 0x7B
EVERYBODY: Final = 0xFF
"""All cards on the line; who is meant by it does not matter, the one that is there answers."""
PURE_TEXT: Final = 0x12
DRAW, CENTRED, SPEED, STAY_S = 0, 0b0101, 1, 3
"""At once, in the middle both ways; the text stays until another comes."""
MAX_DATA: Final = 200
"""Of one packet: what the makers' own programs put into one. A longer text would come in several."""
MAX_PACKET: Final = 1024
HEAD, SUM = 9, 2
_FONTS: Final[dict[int, int]] = {px: code for code, px in enumerate((8, 12, 16, 24, 32, 40, 48, 56))}
_RGB: Final[dict[Colour, tuple[int, int, int]]] = {
    "red": (255, 0, 0), "green": (0, 255, 0), "yellow": (255, 255, 0), "blue": (0, 0, 255),
    "purple": (255, 0, 255), "cyan": (0, 255, 255), "white": (255, 255, 255),
}  # fmt: skip
ERRORS: Final = {1: "checksum error", 2: "packets out of order"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet, either way."""

    kind: int
    """REQUEST, or ANSWER; old cards answer with REQUEST."""
    card: int
    code: int
    extra: int
    """Of a request: 1 wants an answer. Of an answer: 0 is well, else the card's error."""
    number: int
    last: int
    data: bytes
    card_id: int | None = None
    """Of the network's head."""
    raw: bytes = field(default=b"", compare=False, repr=False)


def text_frame(
    rows: Sequence[str], *, columns: int, max_rows: int, framing: Framing, card: int, card_id: int, window: int,
    font_px: FontPx, colour: Colour,
) -> bytes:  # fmt: skip
    """The bytes that show these rows in a window. Raises DoesNotFit; cuts nothing off."""
    texts = fitting(rows, columns=columns, max_rows=max_rows)
    while texts and not texts[-1]:
        texts.pop()
    text = "\r".join(texts).encode("gbk") or b" "
    stay = STAY_S.to_bytes(2, "big")
    head = bytes((PURE_TEXT, window, DRAW, CENTRED, SPEED)) + stay + bytes((_FONTS[font_px], *_RGB[colour]))
    data = head + text + b"\0"
    if len(data) > MAX_DATA:
        raise DoesNotFit(f"a text of {len(text)} bytes; {MAX_DATA - len(head) - 1} go into one packet")
    return framed(packet(card, data), framing, card_id)


def packet(card: int, data: bytes, *, kind: int = REQUEST, extra: int = 1) -> bytes:
    """The only and last packet of a command."""
    body = bytes((kind, CARD_TYPE, card, EXTERNAL, extra)) + len(data).to_bytes(2, "little") + bytes(2) + data
    return body + (sum(body) & 0xFFFF).to_bytes(2, "little")


def framed(body: bytes, framing: Framing, card_id: int = 0xFFFFFFFF) -> bytes:
    """A packet for the wire."""
    if framing == "network":
        return card_id.to_bytes(4, "big") + len(body).to_bytes(2, "little") + bytes(2) + body
    escaped = b"".join(
        bytes((ESCAPE, byte & 0x0F)) if byte in (START, END, ESCAPE) else bytes((byte,)) for byte in body
    )
    return bytes((START,)) + escaped + bytes((END,))


class Packets:
    """One stream of packets. Ask for words until None after each `receive`."""

    def __init__(self, framing: Framing) -> None:
        self._scan = self._serial if framing == "serial" else self._network
        self._pending = bytearray()
        self._noise = bytearray()
        self._words: deque[Packet | Garbage] = deque()

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        self._pending += data
        self._scan()

    def end(self) -> None:
        """The stream is over: what stands unfinished is none."""
        self._noise += self._pending
        self._pending.clear()
        self._flush()

    def next_word(self) -> Packet | Garbage | None:
        """None: more bytes are needed."""
        return self._words.popleft() if self._words else None

    def _flush(self) -> None:
        if self._noise:
            self._words.append(Garbage(bytes(self._noise), "no packet of a C-Power card"))
            self._noise.clear()

    def _skip(self, count: int) -> None:
        self._noise += self._pending[:count]
        del self._pending[:count]
        if len(self._noise) > MAX_PACKET:
            self._flush()

    def _take(self, size: int, found: Packet) -> None:
        self._flush()
        del self._pending[:size]
        self._words.append(found)

    def _serial(self) -> None:
        pending = self._pending
        while pending:
            if pending[0] != START:
                start = pending.find(START)
                self._skip(len(pending) if start < 0 else start)
                continue
            again, end = pending.find(START, 1), pending.find(END, 1)
            if again > 0 and not 0 < end < again:
                self._skip(again)
                continue
            if end < 0:
                if len(pending) > 2 * MAX_PACKET:
                    self._skip(len(pending))
                return
            raw = bytes(pending[: end + 1])
            body = _plain(raw[1:-1])
            found = None if body is None else _opened(body, None, raw)
            if found is None:
                self._skip(len(raw))
            else:
                self._take(len(raw), found)

    def _network(self) -> None:
        pending = self._pending
        while len(pending) >= 10:
            size = int.from_bytes(pending[4:6], "little")
            if pending[6] or pending[7] or not HEAD + SUM <= size <= MAX_PACKET:
                self._skip(1)
                continue
            if pending[8] & 0x7F != REQUEST or pending[9] != CARD_TYPE:
                self._skip(1)
                continue
            if len(pending) < 8 + size:
                return
            raw = bytes(pending[: 8 + size])
            found = _opened(raw[8:], int.from_bytes(raw[:4], "big"), raw)
            if found is None:
                self._skip(1)
            else:
                self._take(len(raw), found)


class Decoder:
    """The card's answers to our texts. Ask for words until None after each `receive`."""

    def __init__(self, framing: Framing, card: int) -> None:
        self._packets = Packets(framing)
        self._card = card

    def receive(self, data: bytes) -> None:
        """Bytes off the wire, cut anywhere."""
        self._packets.receive(data)

    def next_word(self) -> Shown | Declined | Garbage | None:
        """None: more bytes are needed. Of another card's answers nothing is believed."""
        word = self._packets.next_word()
        if word is None or isinstance(word, Garbage):
            return word
        if word.code != EXTERNAL or (self._card != EVERYBODY and word.card != self._card):
            return Garbage(word.raw, f"an answer of card {word.card} to command {word.code:02X}")
        if word.extra == 0:
            return Shown()
        return Declined(code=f"{word.extra:02X}{' ' + ERRORS[word.extra] if word.extra in ERRORS else ''}")


def _plain(escaped: bytes) -> bytes | None:
    """Without the escapes; None where one is none."""
    found, rest = bytearray(), iter(escaped)
    for byte in rest:
        if byte != ESCAPE:
            found.append(byte)
            continue
        low = next(rest, None)
        if low not in (0x05, 0x0A, 0x0E):
            return None
        found.append(0xA0 | low)
    return bytes(found)


def _opened(body: bytes, card_id: int | None, raw: bytes) -> Packet | None:
    if len(body) < HEAD + SUM or body[0] & 0x7F != REQUEST or body[1] != CARD_TYPE:
        return None
    size = int.from_bytes(body[5:7], "little")
    data, told = body[HEAD:-SUM], int.from_bytes(body[-SUM:], "little")
    if size != len(data) or told != sum(body[:-SUM]) & 0xFFFF:
        return None
    return Packet(
        kind=body[0], card=body[2], code=body[3], extra=body[4], number=body[7], last=body[8], data=data,
        card_id=card_id, raw=raw,
    )  # fmt: skip
