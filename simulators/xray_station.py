"""One scanner with its detector, source, interlock chain and portal, and one visit from barrier to barrier.

A scan: the host closes `ready`; the operator turns the key; lamp and horn for five seconds, the detector reads dark;
beam, empty tunnel; the truck; empty tunnel; beam off. A stop, an open interlock or a withdrawn `ready` ends the beam at
once, and it comes back by the operator's hand only.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray

from simulators.camera import ReadPortal
from simulators.clock import SimClock
from simulators.xray_cargo import Load
from simulators.xray_safety import CLOSED_WHEN_WELL, SIGNALS, SafetyModule
from simulators.xray_scanner import Build, Detector, Pulses
from simulators.xray_source import Generator
from simulators.xray_wire import Layout, Sender, dt_packets, own_packets

Speed = Literal["steady", "surge", "halt", "roll"]
WARNING_S: Final = 5.0
"""IEC 62523: seen and heard at least so long before the beam."""
DARK_PAIRS, AIR_PAIRS, AFTER_PAIRS, END_PAIRS = 320, 560, 160, 16
BLOCK_PAIRS: Final = 32
LEAD_MM: Final = 400.0
"""Of empty tunnel before and behind the truck, driven through."""
PATIENCE_S: Final = 30.0
"""An operator waits so long for the host's `ready`, then waves the truck on."""
LOOK_S: Final = 0.05
SAFE: Final = ("interlock_doors", "interlock_barriers")
STOPS: Final = ("estop_desk", "estop_source", "estop_detector", "person")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One truck before the scanner."""

    name: str
    load: Load
    plate: str = ""
    containers: tuple[str, ...] = ()
    speed: Speed = "steady"
    torn: float | None = None
    """The beam ends when this share of the truck is through."""
    gap: int = 0
    """So many pairs are lost on the wire, one after the other, at a third of the truck."""
    lost_le: int = 0
    """So many low-energy pulses in a row do not arrive, at half of the truck."""


class Scanner:
    """One scanner. `told` is handed the truth of every visit that is over."""

    def __init__(
        self,
        clock: SimClock,
        build: Build,
        *,
        seed: int = 1,
        layout: Layout = "quaygate",
        device: int = 1,
        told: Callable[[Visit, dict[str, Any]], None] | None = None,
    ) -> None:
        self.build, self.layout = build, layout
        self.detector = Detector(build, seed=seed)
        self.wire = Sender(seed=seed)
        self.state: dict[str, bool] = {name: name in SAFE for name in SIGNALS}
        self.safety = SafetyModule(clock, self._signals)
        self.source = Generator(clock, interlocks_closed=self._chain_closed)
        self.portal = ReadPortal(clock, seed=seed)
        self.waiting: deque[Visit] = deque()
        self.scanned = 0
        self._clock, self._device = clock, device
        self._told = told
        self._lost_lines: list[int] = []
        self._due = 0.0
        self._at_mm = 0.0

    # what stands around it

    def endpoints(self, host: str = "127.0.0.1") -> dict[str, Any]:
        """Listen; where the source, the chain and the portal are found. Call once."""
        source, safety, portal = self.source.tcp(host), self.safety.tcp(host), self.portal.tcp(host)
        return {
            "source": {"kind": "tcp", "host": source[0], "port": source[1]},
            "safety": {"kind": "modbus-tcp", "host": safety[0], "port": safety[1], "unit": 1},
            "ocr": {"kind": "tcp", "host": portal[0], "port": portal[1]},
            "inputs": {name: channel for channel, name in enumerate(SIGNALS)},
            "inverted": list(CLOSED_WHEN_WELL),
            "geometry": {
                "fan_deg": list(self.build.fan),
                "source_height_mm": self.build.source_z,
                "middle_mm": self.build.middle,
                "detector_mm": self.build.detector,
                "pitch_mm": self.build.pitch_mm,
                "encoder_mm": self.build.encoder_mm,
            },
            "pixels": self.build.pixels,
            "energies_mev": [self.build.he_mev, self.build.le_mev],
            "pulse_hz": self.build.pulse_hz,
        }

    def aim(self, target: str) -> None:
        """Send lines there, and nowhere else."""
        host, _, port = target.rpartition(":")
        self.wire.targets = [(host or "127.0.0.1", int(port))]

    def close(self) -> None:
        """Give everything back."""
        self.wire.close()
        self.safety.close()
        self.source.close()
        self.portal.close()

    def _signals(self) -> Mapping[str, bool]:
        alive = int(self._clock.now()) % 2 == 0
        return {**self.state, "beam_on": self.source.beam, "dose_alive": alive}

    def _chain_closed(self) -> bool:
        state = {**self.state, **self.safety.stuck}
        return self.safety.ready and all(state[name] for name in SAFE) and not any(state[name] for name in STOPS)

    # a visit

    async def run(self) -> None:
        """Scan whoever waits, until cancelled."""
        while True:
            if self.waiting:
                visit = self.waiting.popleft()
                truth = await self.scan(visit)
                if self._told is not None:
                    self._told(visit, truth)
            else:
                await self._clock.sleep(LOOK_S)

    async def scan(self, visit: Visit) -> dict[str, Any]:
        """One visit from the barrier to its end; what was true of it."""
        self._lost_lines.clear()
        first_pulse, sent, lost = self.detector.pulse, self.wire.sent, self.wire.lost
        started_at = self._clock.now()
        for what, text in (("plate", visit.plate), *(("container", code) for code in visit.containers)):
            if text:
                self.portal.push(cast("Any", what), text, 0.97, "scanner")
        came = await self._beam(visit)
        self.scanned += 1
        return {
            "visit": visit.name,
            "came": came,
            "plate": visit.plate,
            "containers": list(visit.containers),
            "started_at": started_at,
            "ended_at": self._clock.now(),
            "pulses": [first_pulse, self.detector.pulse],
            "packets": {"sent": self.wire.sent - sent, "lost": self.wire.lost - lost},
            "lost_lines": list(self._lost_lines),
            "dead_pixels": [int(pixel) for pixel in self.detector.dead],
            **visit.load.truth,
        }

    async def _beam(self, visit: Visit) -> str:
        self._due, self._at_mm = self._clock.now(), -LEAD_MM
        if not await self._permitted():
            return "withheld"
        state = self.state
        state["key"] = state["lamp"] = state["horn"] = True
        try:
            pairs = max(DARK_PAIRS, round(WARNING_S * self.build.pulse_hz))
            await self._pulses(None, np.full(2 * pairs, self._at_mm), on=False)
            if not self.source.key(on=True):
                return "refused"
            if not await self._pulses(None, np.full(2 * AIR_PAIRS, self._at_mm)):
                return "ended"
            way = self._way(visit)
            if not await self._pulses(visit.load, way, visit=visit):
                return "torn"
            await self._pulses(None, np.full(2 * AFTER_PAIRS, way[-1]))
            return "whole"
        finally:
            self.source.key(on=False)
            state["key"] = state["lamp"] = state["horn"] = False
            await self._pulses(None, np.full(2 * END_PAIRS, self._at_mm), on=False)

    async def _permitted(self) -> bool:
        until = self._clock.now() + PATIENCE_S
        while not (self._chain_closed() and not self.source.faults.latched):
            if self._clock.now() > until:
                return False
            await self._clock.sleep(LOOK_S)
        self._due = self._clock.now()
        return True

    def _way(self, visit: Visit) -> NDArray[np.float64]:
        """Where the truck is at each pulse: (2 n,) mm."""
        length, step = visit.load.length_mm, self.build.speed_mm_s / self.build.pulse_hz / 2
        at, way = -LEAD_MM, list[float]()
        halted = 0
        while at < length + LEAD_MM:
            share = at / length
            factor = 1.0
            if visit.speed == "surge" and 0.4 < share < 0.7:
                factor = 1.0 + 0.9 * math.sin((share - 0.4) / 0.3 * math.pi)
            elif visit.speed in ("halt", "roll") and share > 0.5 and halted < 2 * self.build.pulse_hz:
                halted += 1
                factor = 0.0 if visit.speed == "halt" or halted > 0.3 * self.build.pulse_hz else -0.5
            at += step * factor
            way.append(at)
        return np.array(way[: len(way) // 2 * 2])

    async def _pulses(
        self, load: Load | None, x_mm: NDArray[np.float64], *, on: bool = True, visit: Visit | None = None
    ) -> bool:
        """Give these pulses at their time. False: the beam went before the last one."""
        total = x_mm.size
        for start in range(0, total, 2 * BLOCK_PAIRS):
            if on and not self.source.beam:
                return False
            if visit is not None and visit.torn is not None and start / total >= visit.torn:
                self.source.faults.latched.add("arc")
                return False
            part = x_mm[start : start + 2 * BLOCK_PAIRS]
            self._at_mm = float(part[-1])
            high, low = self.detector.expose(load, part, on=on)
            lost = self._lost(visit, start // 2, total // 2, part.size // 2)
            self._due += part.size / 2 / self.build.pulse_hz
            await self._clock.sleep(self._due - self._clock.now())
            self._give(high, low, lost)
        return True

    @staticmethod
    def _lost(visit: Visit | None, first: int, total: int, here: int) -> list[tuple[bool, bool]]:
        if visit is None:
            return [(False, False)] * here
        gap, le = range(total // 3, total // 3 + visit.gap), range(total // 2, total // 2 + visit.lost_le)
        return [(n in gap, n in gap or n in le) for n in range(first, first + here)]

    def _give(self, high: Pulses, low: Pulses, lost: list[tuple[bool, bool]]) -> None:
        if self.layout == "dt":
            packets = dt_packets(high), dt_packets(low)
        else:
            packets = (
                own_packets(high, device=self._device, temperature_c=31.5),
                own_packets(low, device=self._device, temperature_c=31.5),
            )
        for n, (no_high, no_low) in enumerate(lost):
            for pulses, lines, gone in ((high, packets[0], no_high), (low, packets[1], no_low)):
                if gone:
                    self._lost_lines.append(pulses.first + 2 * n)
                    self.wire.lost += len(lines[n])
                else:
                    self.wire.send(lines[n])
