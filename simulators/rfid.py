"""A UHF tag reader on a serial line, in one of the two families that are common in China.

`uhf-bb` (M100/R200 modules): `BB type command length(2) ... sum 7E`; type 00 command, 01 answer, 02 notice; the sum is
the low byte of all bytes from the type to the last parameter. BB and 7E may stand inside. A notice of a tag: command
22, signal strength (two's complement dBm), PC(2), EPC, CRC(2) as the tag sends it (CRC-16, polynomial 1021, start FFFF,
inverted, over PC and EPC). 27 with `22 count(2)` starts so many rounds, 28 stops, 22 is one round, 03 asks for the
module's name. A round without a tag answers error 15.

`uhf-a0` (R2000 readers): `A0 length address command ... check`; length counts what follows it; check is the two's
complement of the sum of all bytes before it. 89 is one real-time inventory (8B the same with session and target, 8A
over several antennas): one packet per tag `frequency+antenna PC(2) EPC strength`, strength - 129 = dBm, then a packet
that closes the round. The reader does nothing between rounds: the host asks again.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from simulators.clock import SimClock
from simulators.faults import TagFaults
from simulators.pipes import Client, OnWire

Dialect = Literal["uhf-bb", "uhf-a0"]
ENDLESS = -1
LONGEST_FRAME = 512
LONGEST_MEMORY = 1000
"""Commands remembered, for those who want to know what was asked."""

BB_HEAD, BB_END = 0xBB, 0x7E
BB_ANSWER, BB_NOTICE = 0x01, 0x02
BB_NAME, BB_ONE_ROUND, BB_ROUNDS, BB_STOP, BB_ERROR = 0x03, 0x22, 0x27, 0x28, 0xFF
BB_NO_TAG, BB_BAD_COMMAND = 0x15, 0x17
BB_MODULE = b"M100 26dBm V1.0"

A0_HEAD, A0_ANY_ADDRESS = 0xA0, 0xFF
A0_RESET, A0_VERSION, A0_ANTENNA, A0_REALTIME, A0_FAST, A0_SESSION = 0x70, 0x72, 0x74, 0x89, 0x8A, 0x8B
A0_DONE, A0_FAILED, A0_NO_ANTENNA = 0x10, 0x11, 0x22
A0_STRENGTH_OFFSET = 129
A0_FREQUENCY = 0x01
"""An index within the band; it says nothing to a lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimTag:
    """A tag within reach of the antenna. `rssi` in dBm, about -30 (at the antenna) to -80."""

    epc: bytes
    rssi: int = -55


class TagReader(OnWire):
    """Reads what is in the field, when its host has told it to."""

    def __init__(
        self,
        clock: SimClock,
        tags_in_field: Callable[[], Sequence[SimTag]],
        *,
        dialect: Dialect = "uhf-bb",
        rate_hz: float = 10.0,
        seed: int = 0,
        address: int = 0x01,
        faults: TagFaults | None = None,
    ) -> None:
        """`rate_hz`: rounds in a site second. `address`: of an A0 reader."""
        super().__init__()
        self.faults = TagFaults() if faults is None else faults
        self.dialect: Dialect = dialect
        self.commands: list[bytes] = []
        self._clock = clock
        self._tags_in_field = tags_in_field
        self._period_s = 1.0 / rate_hz
        self._random = random.Random(seed)
        self._address = address
        self._rounds = 0
        self._round_command = A0_REALTIME

    @property
    def inventorying(self) -> bool:
        """Rounds are still to be done."""
        return self._rounds != 0

    def heard(self, data: bytes, client: Client) -> None:
        """Commands are carried out; what is none is passed over."""
        client.pending += data
        del client.pending[:-LONGEST_FRAME]
        take = _take_bb if self.dialect == "uhf-bb" else _take_a0
        while (frame := take(client.pending)) is not None:
            del self.commands[:-LONGEST_MEMORY]
            self.commands.append(frame)
            if not self.faults.silent:
                (self._obey_bb if self.dialect == "uhf-bb" else self._obey_a0)(frame)

    async def run(self) -> None:
        """Do the rounds that are owed, until cancelled. Rounds whose moment was missed are done later, one by one."""
        next_at = self._clock.now()
        while True:
            if self._rounds != 0:
                self._rounds -= 0 if self._rounds == ENDLESS else 1
                self._round()
            if self._random.random() < self.faults.garbage_per_s * self._period_s:
                self.pipe.send(self._random.randbytes(self._random.randint(1, 16)))
            next_at = max(next_at + self._period_s, self._clock.now())
            await self._clock.sleep(next_at - self._clock.now())

    def _round(self) -> None:
        if self.faults.silent:
            return
        tags = self._tags_in_field()
        if self.dialect == "uhf-bb":
            if self.faults.antenna_missing or not tags:
                self._say(bb_frame(BB_ANSWER, BB_ERROR, bytes((BB_NO_TAG,))))
                return
            for tag in tags:
                self._say(bb_tag(tag))
            return
        command = self._round_command
        if self.faults.antenna_missing:
            self._say(a0_frame(self._address, command, bytes((A0_NO_ANTENNA,))))
            return
        for tag in tags:
            self._say(a0_tag(self._address, command, tag))
        found = len(tags)
        if command == A0_FAST:
            closing = found.to_bytes(3, "big") + round(self._period_s * 1000).to_bytes(4, "big")
        else:
            closing = bytes((0,)) + round(found / self._period_s).to_bytes(2, "big") + found.to_bytes(4, "big")
        self._say(a0_frame(self._address, command, closing))

    def _obey_bb(self, frame: bytes) -> None:
        command, parameters = frame[2], frame[5:-2]
        if command == BB_ROUNDS and len(parameters) == 3:
            # A count of 0 is used by hosts, and taken by modules, as "until stopped".
            self._rounds = int.from_bytes(parameters[1:], "big") or ENDLESS
        elif command == BB_ONE_ROUND:
            self._rounds = 1
        elif command == BB_STOP:
            self._rounds = 0
            self._say(bb_frame(BB_ANSWER, BB_STOP, b"\x00"))
        elif command == BB_NAME:
            self._say(bb_frame(BB_ANSWER, BB_NAME, b"\x00" + BB_MODULE))
        else:
            self._say(bb_frame(BB_ANSWER, BB_ERROR, bytes((BB_BAD_COMMAND,))))

    def _obey_a0(self, frame: bytes) -> None:
        address, command, parameters = frame[2], frame[3], frame[4:-1]
        if address not in (self._address, A0_ANY_ADDRESS):
            return
        if command in (A0_REALTIME, A0_SESSION, A0_FAST) and parameters:
            self._round_command = command
            self._rounds = max(1, parameters[-1]) if command == A0_FAST else 1
        elif command == A0_RESET:
            self._rounds = 0
        elif command == A0_VERSION:
            self._say(a0_frame(self._address, command, b"\x08\x02"))
        else:
            done = A0_DONE if command == A0_ANTENNA else A0_FAILED
            self._say(a0_frame(self._address, command, bytes((done,))))

    def _say(self, frame: bytes) -> None:
        if self._random.random() < self.faults.bad_sum_share:
            at = -2 if self.dialect == "uhf-bb" else -1
            spoiled = bytearray(frame)
            spoiled[at] ^= 0x55
            frame = bytes(spoiled)
        if self._random.random() < self.faults.half_share:
            frame = frame[: self._random.randint(1, len(frame) - 1)]
        self.pipe.send(frame)


def bb_frame(kind: int, command: int, parameters: bytes = b"") -> bytes:
    """A frame of the BB family."""
    body = bytes((kind, command)) + len(parameters).to_bytes(2, "big") + parameters
    return bytes((BB_HEAD,)) + body + bytes((sum(body) & 0xFF, BB_END))


def bb_tag(tag: SimTag) -> bytes:
    """The notice of one tag."""
    stored = protocol_control(tag.epc) + tag.epc
    return bb_frame(BB_NOTICE, BB_ONE_ROUND, bytes((tag.rssi & 0xFF,)) + stored + tag_crc(stored).to_bytes(2, "big"))


def a0_frame(address: int, command: int, parameters: bytes = b"") -> bytes:
    """A packet of the A0 family."""
    packet = bytes((A0_HEAD, len(parameters) + 3, address, command)) + parameters
    return packet + bytes((-sum(packet) & 0xFF,))


def a0_tag(address: int, command: int, tag: SimTag) -> bytes:
    """The packet of one tag, read on the first antenna."""
    strength = max(0, min(0x7F, tag.rssi + A0_STRENGTH_OFFSET))
    first = bytes((A0_FREQUENCY << 2,))
    return a0_frame(address, command, first + protocol_control(tag.epc) + tag.epc + bytes((strength,)))


def protocol_control(epc: bytes) -> bytes:
    """The PC word of a tag: the EPC's length in words in the top five bits."""
    return (len(epc) // 2 << 11).to_bytes(2, "big")


def tag_crc(stored: bytes) -> int:
    """CRC-16 of EPC Gen2 over PC and EPC."""
    crc = 0xFFFF
    for byte in stored:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc ^ 0xFFFF


def _take_bb(pending: bytearray) -> bytes | None:
    while pending:
        if pending[0] == BB_HEAD:
            if len(pending) < 7:
                return None
            length = 7 + int.from_bytes(pending[3:5], "big")
            if length <= LONGEST_FRAME:
                if len(pending) < length:
                    return None
                frame = bytes(pending[:length])
                if frame[-1] == BB_END and frame[-2] == sum(frame[1:-2]) & 0xFF:
                    del pending[:length]
                    return frame
        del pending[0]
    return None


def _take_a0(pending: bytearray) -> bytes | None:
    while pending:
        if pending[0] == A0_HEAD:
            if len(pending) < 2:
                return None
            length = 2 + pending[1]
            if length >= 5:
                if len(pending) < length:
                    return None
                frame = bytes(pending[:length])
                if sum(frame) & 0xFF == 0:
                    del pending[:length]
                    return frame
        del pending[0]
    return None


if __name__ == "__main__":
    import sys

    from simulators.__main__ import main

    main(["rfid", *sys.argv[1:]])
