"""A card reader on a serial line: it speaks when a card is held to it, and again as long as it stays.

`card-stx` (ID-12, RDM6300 and kin): STX, ten hex digits (five bytes), two hex digits (XOR of the five), CR LF, ETX.
`card-binary`: STX, length of the whole frame, kind (01 MIFARE, 02 EM4100), number, XOR from the length on, ETX.
`card-lines`: hex digits of the number, CR LF. `card-sum`: the same with a byte that is the sum of all (HID MaxiProx).
`card-decimal`: the last four bytes as ten decimal digits, CR LF.
`wiegand-26`, `-34`, `-37`, `-66`: a converter that gives the bits as 0 and 1, CR LF: leading even parity over the first
half of the number, trailing odd parity over the last; of 35 bits the middle one counts for both.
"""

import random
from typing import Literal

from simulators.clock import SimClock
from simulators.faults import TagFaults
from simulators.pipes import OnWire

CardSpeech = Literal[
    "card-stx", "card-binary", "card-lines", "card-sum", "card-decimal",
    "wiegand-26", "wiegand-34", "wiegand-37", "wiegand-66",
]  # fmt: skip
SPEECHES: tuple[CardSpeech, ...] = (
    "card-stx", "card-binary", "card-lines", "card-sum", "card-decimal",
    "wiegand-26", "wiegand-34", "wiegand-37", "wiegand-66",
)  # fmt: skip
EM, MIFARE = 2, 1


class CardReader(OnWire):
    """Speaks of the card that is held to it."""

    def __init__(
        self,
        clock: SimClock,
        *,
        speech: CardSpeech = "card-stx",
        period_s: float = 0.5,
        seed: int = 0,
        faults: TagFaults | None = None,
    ) -> None:
        """`period_s`: between two words of a card that stays."""
        super().__init__()
        self.faults = TagFaults() if faults is None else faults
        self.card: bytes | None = None
        """The number of the card that is held to the reader."""
        self.sent = 0
        self._clock, self._period_s = clock, period_s
        self._speech: CardSpeech = speech
        self._random = random.Random(seed)

    def say(self, card: bytes) -> None:
        """One word, now."""
        if self.faults.silent:
            return
        frame = bytearray(frame_of(card, self._speech))
        if self._random.random() < self.faults.bad_sum_share:
            place = self._random.randrange(1, max(2, len(frame) - 3))
            frame[place] ^= 1
        self.sent += 1
        self.pipe.send(bytes(frame))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if self.card is not None:
                self.say(self.card)
            if self._random.random() < self.faults.garbage_per_s * self._period_s:
                self.pipe.send(bytes(self._random.randrange(256) for _ in range(self._random.randint(1, 9))))
            await self._clock.sleep(self._period_s)


def frame_of(card: bytes, speech: CardSpeech) -> bytes:
    """What a reader sends for a card of this number."""
    if speech == "card-stx":
        five = card.rjust(5, b"\0")[-5:]
        return b"\x02" + f"{five.hex().upper()}{_xor(five):02X}".encode() + b"\r\n\x03"
    if speech == "card-binary":
        kind = EM if len(card) == 5 else MIFARE
        inner = bytes((len(card) + 5, kind)) + card
        return b"\x02" + inner + bytes((_xor(inner), 0x03))
    if speech == "card-lines":
        return card.hex().upper().encode() + b"\r\n"
    if speech == "card-sum":
        return f"{card.hex().upper()}{sum(card) & 0xFF:02X}".encode() + b"\r\n"
    if speech == "card-decimal":
        return f"{int.from_bytes(card[-4:], 'big'):010d}".encode() + b"\r\n"
    width = int(speech.removeprefix("wiegand-"))
    bits = f"{int.from_bytes(card, 'big'):0{width}b}"[-(width - 2) :]
    half = -(-len(bits) // 2)
    even, odd = bits[:half].count("1") & 1, 1 - (bits[len(bits) - half :].count("1") & 1)
    return f"{even}{bits}{odd}\r\n".encode()


def _xor(data: bytes) -> int:
    found = 0
    for byte in data:
        found ^= byte
    return found


if __name__ == "__main__":
    import sys

    from simulators.__main__ import main

    main(["cards", *sys.argv[1:]])
