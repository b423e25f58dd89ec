"""What a line detector says: one line of one energy, with everything that came beside it. Pure."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from drivers.readings import Instant

Counts = NDArray[np.uint16]
"""Counts of the ADC."""


class Energy(StrEnum):
    """Of the two beams of a dual-energy source; a source of one energy has only the high one."""

    HE = "he"
    LE = "le"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One pulse, one line. `values` has shape (pixels,), pixel 0 at the foot of the detector, and stays as it is."""

    number: int
    """Pulse number since the detector was started, unwrapped: it only grows, and a step of more than one is a gap."""
    energy: Energy
    values: Counts
    missing: tuple[range, ...] = ()
    """Pixels whose packet was lost; their values are 0."""
    encoder: int | None = None
    """Counts of the wheel or rail encoder at the trigger; None where the detector has no encoder input."""
    stamp_ns: int | None = None
    """The detector's own clock at the trigger."""
    pulse: int | None = None
    """What the beam monitor saw of this pulse, in its own counts."""
    temperature_c: float | None = None
    at: Instant
    """When its last packet was here."""
