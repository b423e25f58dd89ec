"""Datagrams of a line detector <-> packets of a line. Pure; wire facts and their sources: MANUAL.md.

Two layouts: the project's line packet, whose every field is named and which carries a CRC-32C, and the image channel of
Detection Technology's line detectors, whose order of bytes no public source tells (the site file does).
"""

import struct
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from drivers.readings import Garbage
from drivers.xray.crc import LONGEST, crc32c
from drivers.xray.line import Counts, Energy

Layout = Literal["quaygate", "dt"]
ByteOrder = Literal["little", "big"]

MAGIC: Final = b"QGXL"
VERSION: Final = 1
_WHOSE: Final = struct.Struct("<4sBBHIIHH")
_WHAT: Final = struct.Struct("<HHHHiQhH")
HEADER_BYTES: Final = _WHOSE.size + _WHAT.size
CRC_BYTES: Final = 4
NO_TEMPERATURE: Final = -32_768
MAX_PIXELS: Final = 8192
"""Of a line. The longest detectors of the field have 1,800 to 2,200."""
MAX_PACKETS: Final = 64
"""Of a line: 8,192 pixels in datagrams of an Ethernet frame are 24."""
DT_HEADER_BYTES: Final = 8
DT_LINE_BYTES: Final = 12
DT_COMPRESSED: Final = 1
_ENERGIES: Final = {0: Energy.HE, 1: Energy.LE}
_DT = {"little": struct.Struct("<BBHH"), "big": struct.Struct(">BBHH")}
_DT_LINE = {"little": struct.Struct("<IIBBBB"), "big": struct.Struct(">IIBBBB")}
_KEPT = 64
"""Bytes of a wrong datagram that are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Packet:
    """A piece of one line."""

    number: int
    """As on the wire, wrapping at `wraps`."""
    wraps: int
    index: int
    packets: int | None
    """Of this line; None: not told in this packet."""
    first: int | None
    """Its first pixel; None: follows from the packets before it."""
    values: Counts
    pixels: int | None
    """Of a whole line; None: not told in this packet."""
    energy: Energy | None
    """None: not told in this packet."""
    device: int = 0
    encoder: int | None = None
    stamp_ns: int | None = None
    pulse: int | None = None
    temperature_c: float | None = None


def read_packet(data: bytes) -> Packet | Garbage:
    """One datagram of the project's own layout."""
    if len(data) < HEADER_BYTES + CRC_BYTES or data[:4] != MAGIC:
        return _garbage(data, "no line packet: it does not begin with QGXL")
    if len(data) > LONGEST:
        return _garbage(data, f"{len(data)} bytes are more than the {LONGEST} of the longest datagram")
    _, version, energy, header_bytes, device, number, index, packets = _WHOSE.unpack_from(data)
    first, count, pixels, pulse, encoder, stamp_ns, temperature, _ = _WHAT.unpack_from(data, _WHOSE.size)
    if version != VERSION:
        return _garbage(data, f"line packet of version {version}; {VERSION} is known")
    if header_bytes < HEADER_BYTES or len(data) != header_bytes + 2 * count + CRC_BYTES:
        return _garbage(data, f"{len(data)} bytes where header and {count} pixels make {header_bytes + 2 * count + 4}")
    if crc32c(memoryview(data)[:-CRC_BYTES]) != int.from_bytes(data[-CRC_BYTES:], "little"):
        return _garbage(data, "CRC-32C is wrong")
    if energy not in _ENERGIES:
        return _garbage(data, f"energy {energy} is neither 0 (high) nor 1 (low)")
    if not 0 < pixels <= MAX_PIXELS or first + count > pixels or not count:
        return _garbage(data, f"pixels {first} to {first + count - 1} do not lie in a line of {pixels}")
    if not 0 < packets <= MAX_PACKETS or index >= packets:
        return _garbage(data, f"packet {index} of {packets}")
    return Packet(
        number=number,
        wraps=1 << 32,
        index=index,
        packets=packets,
        first=first,
        values=np.frombuffer(data, "<u2", count, header_bytes).astype(np.uint16, copy=False),
        pixels=pixels,
        energy=_ENERGIES[energy],
        device=device,
        encoder=encoder,
        stamp_ns=stamp_ns,
        pulse=pulse,
        temperature_c=None if temperature == NO_TEMPERATURE else temperature / 10,
    )


def packet_bytes(packet: Packet) -> bytes:
    """The datagram of a packet whose every field is told. Raises struct.error for a value that does not fit."""
    warm = NO_TEMPERATURE if packet.temperature_c is None else round(packet.temperature_c * 10)
    energy = {of: number for number, of in _ENERGIES.items()}[packet.energy or Energy.HE]
    whose = (MAGIC, VERSION, energy, HEADER_BYTES, packet.device, packet.number, packet.index, packet.packets)
    what = (packet.first, packet.values.size, packet.pixels, packet.pulse or 0, packet.encoder or 0)
    head = _WHOSE.pack(*whose) + _WHAT.pack(*what, packet.stamp_ns or 0, warm, 0)
    data = head + packet.values.astype("<u2").tobytes()
    return data + crc32c(data).to_bytes(CRC_BYTES, "little")


def read_dt_packet(data: bytes, order: ByteOrder = "little") -> Packet | Garbage:
    """One datagram of Detection Technology's image channel, uncompressed pixels of two bytes."""
    if len(data) < DT_HEADER_BYTES:
        return _garbage(data, f"{len(data)} bytes are less than a header")
    _, index, number, payload = _DT[order].unpack_from(data)
    if len(data) != DT_HEADER_BYTES + payload:
        return _garbage(data, f"{len(data) - DT_HEADER_BYTES} bytes of payload where the header says {payload}")
    if index >= MAX_PACKETS:
        return _garbage(data, f"packet {index} of a line; {MAX_PACKETS} are the most")
    at, energy, pixels, stamp_ns = DT_HEADER_BYTES, None, None, None
    if index == 0:
        if payload < DT_LINE_BYTES:
            return _garbage(data, "a line's first packet without the line's header")
        stamp_us, size, pixel_bytes, flag, compressed, _ = _DT_LINE[order].unpack_from(data, DT_HEADER_BYTES)
        if compressed == DT_COMPRESSED:
            return _garbage(data, "compressed lines are not read: switch compression off in the control unit")
        if pixel_bytes != 2 or size % 2 or not 0 < size <= 2 * MAX_PIXELS:
            return _garbage(data, f"a line of {size} bytes with {pixel_bytes} bytes a pixel: two are expected")
        if flag not in _ENERGIES:
            return _garbage(data, f"energy flag {flag} is neither 0 (high) nor 1 (low)")
        at, energy, pixels, stamp_ns = at + DT_LINE_BYTES, _ENERGIES[flag], size // 2, stamp_us * 1000
    if (len(data) - at) % 2 or len(data) == at:
        return _garbage(data, f"{len(data) - at} bytes are no whole number of pixels")
    return Packet(
        number=number,
        wraps=1 << 16,
        index=index,
        packets=None,
        first=0 if index == 0 else None,
        values=np.frombuffer(data, "<u2" if order == "little" else ">u2", offset=at).astype(np.uint16, copy=False),
        pixels=pixels,
        energy=energy,
        stamp_ns=stamp_ns,
    )


def _garbage(data: bytes, why: str) -> Garbage:
    return Garbage(bytes(data[:_KEPT]), why)
