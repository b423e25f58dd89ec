"""An LED card of the C-Power family, by its maker's "External Calls Communication Protocol".

Serial: `A5 .. AE`, A5 AA AE inside written AA 05, AA 0A, AA 0E. Network (TCP 5200): id(4) length(2, low first) 00 00
packet. Packet: `68 32 card 7B flag length(2, low first) number last data sum(2, low first)`; flag bit 0 wants an
answer: the same with E8 for 68 and the return value for the flag (0 well, 1 checksum, 2 order). Data 12: window,
effect, alignment, speed, stay(2), font, R, G, B, text, 00; rows are parted by CR. Card numbers other than its own and
FF are not heard. What is wider or higher than the window is not shown.
"""

import asyncio
from typing import Literal

from simulators.clock import SimClock
from simulators.faults import SignFaults
from simulators.pipes import Client, OnWire

Framing = Literal["serial", "network"]
PURE_TEXT = 0x12
CHECKSUM_ERROR, OTHER_ERROR = 1, 0x10
TEXT_AT = 11
LONGEST_MEMORY = 1000
LONGEST_PACKET = 4096
_ESCAPED = {0x05: 0xA5, 0x0A: 0xAA, 0x0E: 0xAE}


class CPowerSign(OnWire):
    """Shows what it was told last. `text`: its rows, parted by `|`."""

    def __init__(
        self,
        clock: SimClock,
        *,
        framing: Framing = "serial",
        card: int = 1,
        card_id: int = 0xFFFFFFFF,
        columns: int = 8,
        rows: int = 2,
        old: bool = False,
        faults: SignFaults | None = None,
    ) -> None:
        """`old`: a card whose answers begin with 68."""
        super().__init__()
        self.faults = SignFaults() if faults is None else faults
        self.text = ""
        self.rgb = (0, 0, 0)
        self.font = 0
        self.window = 0
        self.shown: list[tuple[float, str]] = []
        self._clock, self._card, self._card_id = clock, card, card_id
        self._network = framing == "network"
        self._columns, self._rows, self._old = columns, rows, old

    def heard(self, data: bytes, client: Client) -> None:
        """Whole packets are carried out and answered."""
        client.pending += data
        while (body := self._whole(client)) is not None:
            self._carry_out(body, client)

    async def run(self) -> None:
        """Until cancelled. The card has no life of its own."""
        await asyncio.Event().wait()

    def _whole(self, client: Client) -> bytes | None:
        pending = client.pending
        if self._network:
            if len(pending) < 8:
                return None
            size = pending[4] | pending[5] << 8
            if len(pending) < 8 + size:
                return None
            body, known = bytes(pending[8 : 8 + size]), int.from_bytes(pending[:4], "big") == self._card_id
            del pending[: 8 + size]
            return body if known else b""
        start = pending.find(0xA5)
        del pending[: start if start >= 0 else len(pending)]
        end = pending.find(0xAE)
        if end < 0:
            if len(pending) > LONGEST_PACKET:
                pending.clear()
            return None
        inner = bytes(pending[1:end])
        del pending[: end + 1]
        body, place = bytearray(), 0
        while place < len(inner):
            if inner[place] == 0xAA and place + 1 < len(inner):
                body.append(_ESCAPED.get(inner[place + 1], inner[place + 1]))
                place += 1
            else:
                body.append(inner[place])
            place += 1
        return bytes(body)

    def _carry_out(self, body: bytes, client: Client) -> None:
        if len(body) < 11 or body[0] != 0x68 or body[1] != 0x32 or body[2] not in (self._card, 0xFF):
            return
        total = (sum(body[:-2]) & 0xFFFF).to_bytes(2, "little")
        if total != body[-2:]:
            self._answer(body, CHECKSUM_ERROR, client)
            return
        returned = OTHER_ERROR if self.faults.error is not None else 0
        data = body[9:-2]
        if body[3] == 0x7B and data[:1] == bytes((PURE_TEXT,)) and not returned and not self.faults.silent:
            text = data[TEXT_AT:].partition(b"\0")[0].decode("gbk", "replace").replace("\r\n", "\r")
            shown = "|".join(_cut(row, self._columns) for row in text.split("\r")[: self._rows])
            self.text, self.window, self.font = shown.strip(), data[1], data[7]
            self.rgb = (data[8], data[9], data[10])
            self.shown = [*self.shown[-LONGEST_MEMORY + 1 :], (self._clock.now(), self.text)]
        if body[4] & 1:
            self._answer(body, returned, client)

    def _answer(self, body: bytes, returned: int, client: Client) -> None:
        if self.faults.silent:
            return
        said = bytes((0x68 if self._old else 0xE8, 0x32, self._card, body[3], returned, 0, 0, 0, 0))
        said += (sum(said) & 0xFFFF).to_bytes(2, "little")
        if self._network:
            frame = self._card_id.to_bytes(4, "big") + len(said).to_bytes(2, "little") + b"\0\0" + said
        else:
            inner = said.replace(b"\xaa", b"\xaa\x0a").replace(b"\xa5", b"\xaa\x05").replace(b"\xae", b"\xaa\x0e")
            frame = b"\xa5" + inner + b"\xae"
        if self.faults.slow_s > 0.0:
            self.pipe.later(self.faults.slow_s / self._clock.speed, client, frame)
        else:
            client.send(frame)


def _cut(row: str, columns: int) -> str:
    half_columns = 0
    for n, character in enumerate(row):
        half_columns += len(character.encode("gbk", "replace"))
        if half_columns > 2 * columns:
            return row[:n]
    return row


if __name__ == "__main__":
    import sys

    from simulators.__main__ import main

    main(["c-power", *sys.argv[1:]])
