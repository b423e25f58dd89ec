"""Lines on the wire: the project's line packet and the layout of Detection Technology's image channel, over UDP.

The line packet (little-endian; drivers/xray/MANUAL.md holds the same table):

    0 "QGXL"   4 version 1   5 energy (0 high, 1 low)   6 header bytes (u16, 44)   8 device (u32)   12 line (u32)
    16 packet (u16)   18 packets of this line (u16)   20 first pixel (u16)   22 pixels here (u16)
    24 pixels of a line (u16)   26 beam monitor (u16)   28 encoder (i32)   32 trigger stamp, ns (u64)
    40 temperature, 0.1 degree (i16, -32768: not told)   42 0   44 pixels (u16 each)   then CRC-32C of all before (u32)

The image channel, as its maker's headers name the fields; their byte order and the two bytes at 6 are not told there,
little-endian and zero are taken: 0 flag (0xB5)   1 packet   2 line (u16)   4 payload bytes (u16)   6 0, 0   8 payload.
The payload of packet 0 begins with the line's header: stamp (u32, us)   bytes of the line (u32)   bytes of a pixel
energy (0 high, 1 low)   compressed (0)   modules.
"""

import random as _random
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from simulators.xray_scanner import Pulses

Layout = Literal["quaygate", "dt"]
MAGIC: Final = b"QGXL"
HEADER = struct.Struct("<4sBBHIIHHHHHHiQhH")
DT_HEADER = struct.Struct("<BBHHH")
DT_LINE = struct.Struct("<IIBBBB")
DT_FLAG: Final = 0xB5
MOST_PAYLOAD: Final = 1400
"""Bytes of pixels in one datagram: it must pass an Ethernet frame whole."""
CRC_32C: Final = 0x82F63B78
"""Castagnoli's polynomial, reflected."""
DT_MODULE_PIXELS: Final = 128
NO_TEMPERATURE: Final = -32_768


def _table() -> NDArray[np.uint32]:
    rows = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        rows = np.where(rows & 1, (rows >> np.uint32(1)) ^ np.uint32(CRC_32C), rows >> np.uint32(1)).astype(np.uint32)
    return rows


_TABLE: Final = _table()


def crc32c(messages: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """CRC-32C of each row; a byte of all rows at a time."""
    crc = np.full(messages.shape[0], 0xFFFFFFFF, np.uint32)
    for column in messages.T:
        crc = _TABLE[(crc ^ column) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    return crc ^ np.uint32(0xFFFFFFFF)


def own_packets(pulses: Pulses, *, device: int, temperature_c: float | None) -> list[list[bytes]]:
    """The line packets of some pulses, a list a line."""
    lines, pixels = pulses.counts.shape
    per = MOST_PAYLOAD // 2
    starts = list(range(0, pixels, per))
    warm = NO_TEMPERATURE if temperature_c is None else round(temperature_c * 10)
    found: list[list[bytes]] = [[] for _ in range(lines)]
    for index, start in enumerate(starts):
        part = np.ascontiguousarray(pulses.counts[:, start : start + per]).astype("<u2")
        here = part.shape[1]
        head = (index, len(starts), start, here, pixels)
        heads = b"".join(_head(pulses, n, head, device, warm) for n in range(lines))
        body = np.concatenate(
            [np.frombuffer(heads, np.uint8).reshape(lines, HEADER.size), part.view(np.uint8).reshape(lines, 2 * here)],
            axis=1,
        )
        sums = crc32c(body)
        for n in range(lines):
            found[n].append(body[n].tobytes() + struct.pack("<I", int(sums[n])))
    return found


def _head(pulses: Pulses, n: int, head: tuple[int, int, int, int, int], device: int, warm: int) -> bytes:
    line = (pulses.first + 2 * n) & 0xFFFFFFFF
    told = (int(pulses.monitor[n]), int(pulses.encoder[n]), int(pulses.stamp_ns[n]))
    return HEADER.pack(MAGIC, 1, int(pulses.low), HEADER.size, device, line, *head, *told, warm, 0)


def dt_packets(pulses: Pulses) -> list[list[bytes]]:
    """The same as the image channel of Detection Technology has them."""
    lines, pixels = pulses.counts.shape
    modules = min(255, -(-pixels // DT_MODULE_PIXELS))
    found: list[list[bytes]] = []
    for n in range(lines):
        line = pulses.first + 2 * n
        head = DT_LINE.pack(int(pulses.stamp_ns[n]) // 1000 & 0xFFFFFFFF, 2 * pixels, 2, int(pulses.low), 0, modules)
        data = head + pulses.counts[n].astype("<u2").tobytes()
        found.append(
            [
                DT_HEADER.pack(DT_FLAG, packet, line & 0xFFFF, len(part), 0) + part
                for packet, at in enumerate(range(0, len(data), MOST_PAYLOAD))
                for part in (data[at : at + MOST_PAYLOAD],)
            ]
        )
    return found


@dataclass(slots=True)
class WireFaults:
    """What the network does. Shares of the packets, 0 to 1."""

    lost: float = 0.0
    doubled: float = 0.0
    swapped: float = 0.0
    """Sent after the next one."""
    spoilt: float = 0.0
    """One bit is wrong."""
    silent: bool = False
    """The cable is out."""


class Sender:
    """Datagrams to whoever listens; the network's mischief is done here."""

    def __init__(self, *, seed: int = 1) -> None:
        self.faults = WireFaults()
        self.sent = 0
        self.lost = 0
        self.targets: list[tuple[str, int]] = []
        self._random = _random.Random(seed)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._held: bytes | None = None

    def send(self, packets: Iterable[bytes]) -> None:
        """In this order, but for what the faults say."""
        for packet in packets:
            self._one(packet)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def _one(self, packet: bytes) -> None:
        faults, draw = self.faults, self._random.random
        if faults.silent or draw() < faults.lost:
            self.lost += 1
            return
        if draw() < faults.spoilt:
            at = self._random.randrange(len(packet))
            packet = packet[:at] + bytes((packet[at] ^ 1 << self._random.randrange(8),)) + packet[at + 1 :]
        if self._held is None and draw() < faults.swapped:
            self._held = packet
            return
        self._put(packet)
        if draw() < faults.doubled:
            self._put(packet)
        if self._held is not None:
            held, self._held = self._held, None
            self._put(held)

    def _put(self, packet: bytes) -> None:
        self.sent += 1
        for target in self.targets:
            self._socket.sendto(packet, target)
