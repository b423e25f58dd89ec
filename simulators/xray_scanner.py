"""The detector of a scanner: from what the beam lets through to the counts of its converters, pulse by pulse.

Pulses alternate, high energy first; a pair is 1/`pulse_hz` long and the low one comes half of that later. Every figure
that is drawn is kept, so that a test can compare what was found with what was true.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.xray_cargo import Fan, Load
from simulators.xray_physics import Beam, beam

Counts = NDArray[np.uint16]
FULL_COUNTS: Final = 40_000.0
"""High-energy air on the axis, above offset."""
MONITOR_COUNTS: Final = 20_000.0
SATURATED: Final = 65_535
POISSON_BELOW: Final = 50.0
"""Quanta; above, the normal distribution is as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How a scanner is built. Lengths in mm, angles in degrees."""

    pixels: int = 1400
    fan: tuple[float, float] = (-12.5, 29.5)
    source_z: float = 1500.0
    middle: float = 6000.0
    detector: float = 9500.0
    he_mev: float = 6.0
    le_mev: float = 4.0
    pulse_hz: float = 200.0
    """Pairs a second."""
    speed_mm_s: float = 700.0
    """At which a pair is a pitch of 3.5 mm."""
    encoder_mm: float = 0.5
    quanta: float = 1e5
    """Detected per pixel and high-energy pulse in air."""
    le_dose: float = 0.6
    pulse_rms: float = 0.02
    gain_rms: float = 0.08
    offset: float = 800.0
    offset_rms: float = 60.0
    edge_loss: float = 0.25
    """The beam is so much weaker at the fan's edges."""
    scatter: float = 8e-4
    crosstalk: float = 0.025
    """To each neighbour."""
    dead_share: float = 0.002
    electronic: float = 4.0
    encoder_jitter: float = 0.6
    """Counts, rms."""
    monitor: bool = True

    @property
    def pitch_mm(self) -> float:
        """Along the truck, per pair, at the nominal speed."""
        return self.speed_mm_s / self.pulse_hz


@dataclass(slots=True)
class Faults:
    """What may go wrong with the detector."""

    dead_le: bool = False
    """Low-energy pulses do not come."""
    weak: float = 1.0
    """All pulses are so strong only."""
    drift: float = 0.0
    """Offsets have moved by so many counts since yesterday."""
    more_dead: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Pulses:
    """Some pulses of one energy, with what was true of them."""

    first: int
    """Number of the first; the next of this energy is two further."""
    low: bool
    counts: Counts
    """(n, pixels)."""
    encoder: NDArray[np.int32]
    stamp_ns: NDArray[np.uint64]
    monitor: NDArray[np.uint16]
    """0 without a monitor, and without beam."""
    transmission: NDArray[np.float32] = field(repr=False)
    """(n, pixels) true, without scatter, crosstalk and noise; 0 without beam."""
    dose: NDArray[np.float64] = field(repr=False)
    """True strength of each pulse, the usual one is 1."""
    x_mm: NDArray[np.float64] = field(repr=False)
    """Of the truck, in the plane of the fan."""


class Detector:
    """One detector array under one beam."""

    def __init__(self, build: Build, *, seed: int = 1, noise_seed: int | None = None) -> None:
        """`seed`: what the array is like; `noise_seed`: what happens to it on this day."""
        self.build = build
        self.faults = Faults()
        self.fan = Fan(np.radians(np.linspace(*build.fan, build.pixels)), build.source_z)
        self.beams: tuple[Beam, Beam] = (beam(build.he_mev), beam(build.le_mev))
        once = np.random.default_rng(seed)
        pixels = build.pixels
        self.gain = np.clip(once.normal(1.0, build.gain_rms, pixels), 0.6, 1.35)
        self.offset = once.normal(build.offset, build.offset_rms, pixels)
        middle = sum(build.fan) / 2
        off_axis = (np.linspace(*build.fan, pixels) - middle) / (build.fan[1] - middle)
        self.profile = 1.0 - build.edge_loss * off_axis**2
        self.dead = np.sort(once.choice(pixels, round(pixels * build.dead_share), replace=False))
        self.noisy = self.dead[::3]
        """Of the dead ones, those that shout instead of staying silent."""
        self._random = np.random.default_rng(seed + 1 if noise_seed is None else [noise_seed, seed])
        self.pulse = 0
        """Number of the next pulse."""

    def expose(self, load: Load | None, x_mm: NDArray[np.float64], *, on: bool = True) -> tuple[Pulses, Pulses]:
        """Pairs of pulses. `x_mm` (2 n,): where the truck is at each pulse, high and low in turn."""
        found: list[Pulses] = []
        for low in (False, True):
            x = x_mm[int(low) :: 2]
            clear = np.ones((x.size, self.build.pixels), np.float32)
            matter = {} if load is None else load.areal(x, self.fan)
            through = self.beams[low].transmission(matter) if matter else clear
            if not on or (low and self.faults.dead_le):
                through = clear * 0
            found.append(self._read(through, x, low=low, on=on))
        self.pulse += x_mm.size
        return found[0], found[1]

    def _read(self, through: NDArray[np.float32], x: NDArray[np.float64], *, low: bool, on: bool) -> Pulses:
        build, random = self.build, self._random
        lines = x.size
        numbers = self.pulse + int(low) + 2 * np.arange(lines)
        slow = 0.01 * np.sin(2 * math.pi * numbers / 4000)
        lit = on and not (low and self.faults.dead_le)
        dose = np.clip(random.normal(1.0, build.pulse_rms, lines) + slow, 0.1, None) * self.faults.weak * lit
        relative = dose * (build.le_dose if low else 1.0)
        reaches = (through + build.scatter * lit) * (self.profile * relative[:, None])
        reaches = _leaked(reaches, build.crosstalk)
        quanta = build.quanta * self.beams[low].swank
        seen = _noisy(reaches * quanta, random) / quanta
        counts = seen * (FULL_COUNTS * self.gain) + self.offset + self.faults.drift
        counts += random.normal(0.0, build.electronic, counts.shape)
        self._spoil(counts)
        watched = MONITOR_COUNTS * relative * random.normal(1.0, 0.002, lines) * (1.0 if build.monitor else 0.0)
        encoder = x / build.encoder_mm + random.normal(0.0, build.encoder_jitter, lines)
        return Pulses(
            first=self.pulse + int(low),
            low=low,
            counts=np.clip(np.rint(counts), 0, SATURATED).astype(np.uint16),
            encoder=np.rint(encoder).astype(np.int32),
            stamp_ns=(numbers * (5e8 / build.pulse_hz)).astype(np.uint64),
            monitor=np.clip(np.rint(watched), 0, SATURATED).astype(np.uint16),
            transmission=through,
            dose=dose,
            x_mm=x,
        )

    def _spoil(self, counts: NDArray[np.float64]) -> None:
        for pixel in (*self.dead, *self.faults.more_dead):
            counts[:, pixel] = self.offset[pixel]
        for pixel in self.noisy:
            counts[:, pixel] += self._random.normal(0.0, 400.0, counts.shape[0])


def _leaked(signal: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Each pixel gives this share of its light to either neighbour; the outermost give less away."""
    leaked = signal * (1 - 2 * share)
    leaked[:, 1:] += share * signal[:, :-1]
    leaked[:, :-1] += share * signal[:, 1:]
    leaked[:, 0] += share * signal[:, 0]
    leaked[:, -1] += share * signal[:, -1]
    return leaked


def _noisy(quanta: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    seen = quanta + np.sqrt(quanta) * random.standard_normal(quanta.shape, dtype=np.float32)
    few = quanta < POISSON_BELOW
    if few.any():
        seen[few] = random.poisson(quanta[few])
    return seen
