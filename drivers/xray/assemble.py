"""Packets of a line -> lines in the order of their pulses. Pure; bounded whatever comes.

A line is given when it is whole and every one before it was given; or, with its missing pixels named, when a packet of
a line REORDER_LINES further on has come. A line of which nothing came is not given: its number is missing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from drivers.readings import Garbage, Instant
from drivers.xray.frames import Packet
from drivers.xray.line import Counts, Energy, Line

REORDER_LINES: Final = 32
"""Networks of one building swap neighbours; 32 lines at 400 a second are 80 ms, what a picture may lag behind."""
AHEAD: Final = 256
"""Lines: a jump of more is believed when others confirm it; one stray packet would make all that follow late."""
AGREE: Final = 8
"""So many packets in a row beside each other, far from where the count stands, are where the detector is."""
FAR: Final = 20_000
"""Lines: less is a gap, of fifty seconds at most; more, or a step back, is a detector that was started again."""


@dataclass(slots=True)
class Losses:
    """What was wrong with the packets that were well formed, since the link opened."""

    duplicates: int = 0
    late: int = 0
    """Came after their line was given."""
    stray: int = 0
    """Far from where the count stands, and not followed by others."""
    restarts: int = 0
    part_lines: int = 0
    lost_lines: int = 0


@dataclass(slots=True)
class _Growing:
    values: Counts
    got: dict[int, tuple[int, int]] = field(default_factory=dict[int, "tuple[int, int]"])
    """By packet: first pixel and count."""
    packets: int | None = None
    told: Packet | None = None
    """The packet that knows energy and stamps."""
    waiting: dict[int, Packet] = field(default_factory=dict[int, Packet])
    """Packets whose place is not known yet."""
    at: Instant = Instant(0.0)

    @property
    def whole(self) -> bool:
        """Whether every pixel is there."""
        return sum(count for _, count in self.got.values()) == self.values.size


class WrongWidth(Exception):
    """The detector gives lines of another width than the site file says."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"the detector gives lines of {found} pixels, the site file says {expected}")
        self.found, self.expected = found, expected


class Assembler:
    """Of one detector."""

    def __init__(self, pixels: int, *, device: int | None = None) -> None:
        """`device`: the only one listened to, where the layout names it."""
        self.losses = Losses()
        self._pixels, self._device = pixels, device
        self._lines: dict[int, _Growing] = {}
        self._next: int | None = None
        """Number of the line to be given next."""
        self._newest = 0
        self._piece: int | None = None
        """Pixels in a packet that is not its line's last, where packets do not say where they begin."""
        self._parity: dict[int, Energy] = {}
        self._strays: list[tuple[int, Packet, Instant]] = []

    def take(self, packet: Packet, at: Instant) -> Iterator[Line | Garbage]:
        """The lines that this packet has finished. Raises WrongWidth."""
        if self._device is not None and packet.device != self._device:
            yield Garbage(b"", f"packet of device {packet.device}; the site file says {self._device}")
            return
        if packet.pixels is not None and packet.pixels != self._pixels:
            raise WrongWidth(packet.pixels, self._pixels)
        number = self._unwrapped(packet)
        if self._next is None:
            self._next = self._newest = number
        if number < self._next - REORDER_LINES or number > self._newest + AHEAD:
            yield from self._far(number, packet, at)
            return
        self._strays.clear()
        if number < self._next:
            self.losses.late += 1
            return
        wrong = self._put(number, packet, at)
        if wrong is not None:
            yield wrong
            return
        self._newest = max(self._newest, number)
        yield from self._finished()

    def flush(self) -> Iterator[Line]:
        """Everything that is held, whole or not: nothing more will come for now."""
        if self._next is not None and self._lines:
            yield from self._given(max(self._lines) + 1)

    def _unwrapped(self, packet: Packet) -> int:
        """The number that does not wrap, nearest to where the count stands."""
        if self._next is None:
            return packet.number
        away = (packet.number - self._newest) % packet.wraps
        if away >= packet.wraps // 2:
            away -= packet.wraps
        return self._newest + away

    def _far(self, number: int, packet: Packet, at: Instant) -> Iterator[Line | Garbage]:
        """One packet far off is a stray; several that agree are where the detector is now."""
        if self._strays and abs(number - self._strays[0][0]) > REORDER_LINES:
            self._strays.clear()
        self._strays.append((number, packet, at))
        self.losses.stray += 1
        if len(self._strays) < AGREE:
            return
        strays, self._strays = self._strays, []
        self.losses.stray -= len(strays)
        yield from self.flush()
        first = min(number for number, _, _ in strays)
        if first <= self._newest or first > self._newest + FAR:
            # It was started again. Numbers only grow, so its count goes on behind a hole; wrapping leads back to it.
            self.losses.restarts += 1
            wraps = packet.wraps
            first = self._newest + AHEAD + (first - self._newest - AHEAD) % wraps
            self._parity.clear()
        else:
            assert self._next is not None
            self.losses.lost_lines += first - self._next
        self._next = self._newest = first
        for _, each, when in strays:
            yield from self.take(each, when)

    def _put(self, number: int, packet: Packet, at: Instant) -> Garbage | None:
        line = self._lines.get(number)
        if line is None:
            line = self._lines[number] = _Growing(np.zeros(self._pixels, np.uint16))
        if packet.index in line.got or packet.index in line.waiting:
            self.losses.duplicates += 1
            return None
        line.at = at
        if packet.packets is not None:
            line.packets = packet.packets
        if packet.energy is not None:
            line.told = packet
            self._parity[number & 1] = packet.energy
        first = self._first_pixel(packet)
        if first is None:
            line.waiting[packet.index] = packet
            return None
        return self._lay(line, first, packet)

    def _first_pixel(self, packet: Packet) -> int | None:
        if packet.first is not None:
            if packet.index == 0 and packet.packets is None and packet.values.size < self._pixels:
                self._learn(packet)
            return packet.first
        if self._piece is None:
            return None
        # All packets but a line's last are as full as its first, whose header takes the room of six pixels.
        return self._piece + (packet.index - 1) * (self._piece + 6)

    def _learn(self, packet: Packet) -> None:
        if self._piece is not None:
            return
        self._piece = packet.values.size
        for line in self._lines.values():
            for waiting in line.waiting.values():
                first = self._first_pixel(waiting)
                if first is not None:
                    self._lay(line, first, waiting)
            line.waiting.clear()

    def _lay(self, line: _Growing, first: int, packet: Packet) -> Garbage | None:
        count = packet.values.size
        if first + count > self._pixels:
            return Garbage(b"", f"pixels {first} to {first + count - 1} do not lie in a line of {self._pixels}")
        line.values[first : first + count] = packet.values
        line.got[packet.index] = (first, count)
        return None

    def _finished(self) -> Iterator[Line]:
        assert self._next is not None
        until = self._next
        while (line := self._lines.get(until)) is not None and line.whole:
            until += 1
        until = max(until, self._newest - REORDER_LINES + 1)
        yield from self._given(until)

    def _given(self, until: int) -> Iterator[Line]:
        """Give all lines before `until`."""
        assert self._next is not None
        if until <= self._next:
            return
        there = sorted(number for number in self._lines if number < until)
        self.losses.lost_lines += until - self._next - len(there)
        self._next = until
        for number in there:
            line = self._made(number, self._lines.pop(number))
            if line is None:
                self.losses.lost_lines += 1
            else:
                yield line

    def _made(self, number: int, line: _Growing) -> Line | None:
        told = line.told
        energy = told.energy if told is not None else self._parity.get(number & 1)
        if energy is None or not line.got:
            return None
        missing = () if line.whole else tuple(_holes(line.got.values(), line.values.size))
        self.losses.part_lines += bool(missing)
        line.values.flags.writeable = False
        return Line(
            number=number,
            energy=energy,
            values=line.values,
            missing=missing,
            encoder=None if told is None else told.encoder,
            stamp_ns=None if told is None else told.stamp_ns,
            pulse=None if told is None else told.pulse,
            temperature_c=None if told is None else told.temperature_c,
            at=line.at,
        )


def _holes(got: Iterable[tuple[int, int]], pixels: int) -> Iterator[range]:
    at = 0
    for first, count in sorted(got):
        if first > at:
            yield range(at, first)
        at = max(at, first + count)
    if at < pixels:
        yield range(at, pixels)
