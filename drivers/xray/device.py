"""A scanner: its detector's lines, and the four hooks by which a scan is begun and ended.

    ensure_ready      everything that is watched is well: close our link in the chain; else say every reason why not
    start             from now on lines belong to a scan
    wait_for_idle     the beam is off and the last line is here
    ensure_stopped    our link is open, read back

None of them turns a beam on. The operator does, at the scanner, with the key; the interlock chain is the scanner's own.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from drivers.faults import NoAnswer, Refused, TheirMistake
from drivers.kinds import Clock
from drivers.readings import Garbage, Instant, Quality, Tally
from drivers.xray.assemble import Assembler, Losses, WrongWidth
from drivers.xray.capture import Capture
from drivers.xray.config import DetectorConfig
from drivers.xray.frames import read_dt_packet, read_packet
from drivers.xray.line import Line
from drivers.xray.safety import Chain, ChainWatch
from drivers.xray.source import SourceState

IDLE_READ_S: Final = 0.5
"""A line that waits for its missing packets is given after so long a silence: a tunnel without lines is over."""
WATCH_STALE_S: Final = 5.0
"""A source or a chain that was last heard longer ago than this is not known."""
KEPT_GARBAGE: Final = 16


class LineDetector:
    """Lines of one detector over one connection's life."""

    def __init__(self, capture: Capture, config: DetectorConfig, clock: Clock) -> None:
        """`capture` is open and is closed by whoever opened it."""
        self.tally = Tally()
        self.recent_garbage: deque[Garbage] = deque(maxlen=KEPT_GARBAGE)
        self._capture, self._config, self._clock = capture, config, clock
        self._assembler = Assembler(config.pixels, device=config.device)
        self._number: int | None = None

    @property
    def losses(self) -> Losses:
        """What was wrong with well-formed packets."""
        return self._assembler.losses

    async def lines(self) -> AsyncIterator[list[Line]]:
        """Lines in the order of their pulses, in batches as they come; an empty one now and then in silence.

        Raises TheirMistake for a detector of another width, LinkLost.
        """
        while True:
            try:
                batch = await self._capture.read(IDLE_READ_S)
            except NoAnswer:
                yield self._counted(list(self._assembler.flush()))
                continue
            found: list[Line] = []
            for datagram in batch.datagrams:
                self._take(datagram, batch.at, found)
            yield self._counted(found)

    def _take(self, datagram: bytes, at: Instant, found: list[Line]) -> None:
        if self._config.layout == "dt":
            packet = read_dt_packet(datagram, self._config.byte_order)
        else:
            packet = read_packet(datagram)
        if isinstance(packet, Garbage):
            self._garbage(packet, len(datagram))
            return
        try:
            for word in self._assembler.take(packet, at):
                if isinstance(word, Garbage):
                    self._garbage(word, len(datagram))
                else:
                    found.append(word)
        except WrongWidth as wrong:
            raise TheirMistake(self._config.name, str(wrong)) from wrong

    def _counted(self, lines: list[Line]) -> list[Line]:
        for line in lines:
            if self._number is not None and line.number > self._number + 1:
                self.tally.gaps += 1
            self._number = line.number
        self.tally.words += len(lines)
        return [self._turned(line) for line in lines] if self._config.upside_down else lines

    def _turned(self, line: Line) -> Line:
        pixels = line.values.size
        return Line(
            number=line.number,
            energy=line.energy,
            values=np.ascontiguousarray(line.values[::-1]),
            missing=tuple(range(pixels - gap.stop, pixels - gap.start) for gap in reversed(line.missing)),
            encoder=line.encoder,
            stamp_ns=line.stamp_ns,
            pulse=line.pulse,
            temperature_c=line.temperature_c,
            at=line.at,
        )

    def _garbage(self, garbage: Garbage, size: int) -> None:
        self.tally.garbage += 1
        self.tally.garbage_bytes += size
        self.recent_garbage.append(garbage)


class NotReady(Refused):
    """Everything that stands against a beam, at once."""

    def __init__(self, where: str, reasons: list[str]) -> None:
        super().__init__(where, "; ".join(reasons), "not ready")
        self.reasons = reasons


@dataclass(slots=True)
class Watched:
    """The last words of those who are watched, for the hooks; None: never heard, or not wired."""

    chain: Chain | None = None
    source: SourceState | None = None
    lines_at: Instant | None = None
    lit_at: Instant | None = None
    """The last line that a beam had lit."""


class ScanControl:
    """The four hooks of one scanner. `wired` names what the site has: `chain`, `source`."""

    def __init__(self, name: str, clock: Clock, watched: Watched, wired: frozenset[str]) -> None:
        self.name = name
        self.scanning = False
        self.watch: ChainWatch | None = None
        """The open chain; None while its link is down."""
        self._clock, self._watched, self._wired = clock, watched, wired
        self._more: list[Callable[[], list[str]]] = []

    def also(self, reasons: Callable[[], list[str]]) -> None:
        """Ask this one too what stands against a scan: no calibration, a full disk."""
        self._more.append(reasons)

    def reasons(self) -> list[str]:
        """Everything that stands against a beam now; empty when all is well."""
        now, said = self._clock.now(), list[str]()
        if "chain" in self._wired:
            chain = self._watched.chain
            if chain is None or now - chain.at > WATCH_STALE_S or chain.quality is Quality.BAD:
                said.append("interlock chain: not known")
            else:
                said += [f"interlock chain: {name}" for name in chain.faults()]
        if "source" in self._wired:
            source = self._watched.source
            if source is None or now - source.at > WATCH_STALE_S:
                said.append("source: state not known")
            else:
                said += source.forbids()
        for more in self._more:
            said += more()
        return said

    async def ensure_ready(self) -> None:
        """Close our link when all is well. Raises NotReady with every reason; NotConfirmed, LinkFault."""
        if said := self.reasons():
            await self.ensure_stopped()
            raise NotReady(self.name, said)
        if self.watch is not None:
            await self.watch.allow()

    def start(self) -> None:
        """From now on lines belong to a scan."""
        self.scanning = True

    async def wait_for_idle(self, quiet_s: float) -> None:
        """Until no beam has lit a line for so long. The wait itself is the caller's to bound."""
        while (lit := self._watched.lit_at) is not None and (left := lit + quiet_s - self._clock.now()) > 0:
            await self._clock.sleep(left)
        self.scanning = False

    async def ensure_stopped(self) -> None:
        """Open our link, read back. Does nothing where none is wired. Raises NotConfirmed, LinkFault."""
        self.scanning = False
        if self.watch is not None:
            await self.watch.withhold()
