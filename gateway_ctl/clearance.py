"""What any clearance must offer: the JSON service (http.py) does, the customs gate protocol takes the same place."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from drivers.readings import Instant
from gateway_ctl.inspection import Finding
from gateway_ctl.orders import SignedOrder
from gateway_ctl.picture import Container, Plate


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What an inspector has said of this truck's X-ray scan."""

    verdict: str
    """Its id."""
    finding: Finding
    scan: str
    """SHA-256 of the scan, hex: its name in the archive."""
    torn: bool
    persons: tuple[str, ...]
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the lane tells clearance of the truck that stands here."""

    site: str
    lane: str
    passage: str
    direction: Literal["in", "out"]
    at: Instant
    seq: int
    """Counts the questions about this passage."""
    plate: Plate | None
    tags: tuple[str, ...]
    containers: tuple[Container, ...]
    gross_kg: Decimal | None
    uncertainty_kg: Decimal | None
    by_axles: bool = False
    """The weight is a sum of axle loads: no vehicle was weighed at once."""
    trailer: Plate | None = None
    seal_numbers: tuple[str, ...] = ()
    """Customs' seals on the boxes, as read."""
    cards: tuple[str, ...] = ()
    """Drivers' cards."""
    corrected: tuple[str, ...] = ()
    """Checks in which a person has corrected what was read (gateway_ctl/correction.py)."""
    inspection: Inspected | None = None
    """The newest verdict on this truck, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What became of a passage."""

    site: str
    lane: str
    passage: str
    order: str | None
    outcome: Literal["crossed", "left", "fault", "abandoned"]
    at: Instant
    gross_kg: Decimal | None
    by_axles: bool = False
    """The weight is a sum of axle loads."""
    inspection: Inspected | None = None


class ClearanceSilent(Exception):
    """No answer within the deadline, or no connection. Asking again is harmless."""


class ClearanceOdd(Exception):
    """An answer that is none: wrong status, unreadable body."""


class Clearance(Protocol):
    """The road to customs."""

    async def run(self) -> None:
        """Hold up what the road needs beside questions; until cancelled, or at once where it needs nothing."""
        ...

    async def ask(self, gathered: Gathered) -> SignedOrder:
        """Customs' order for this truck. Raises ClearanceSilent, ClearanceOdd."""
        ...

    async def newer(self, passage: str, after: str | None) -> SignedOrder | None:
        """An order given since `after`; None when there is none. Raises ClearanceSilent, ClearanceOdd."""
        ...

    async def report(self, crossing: Crossing) -> None:
        """Done when customs has it; a repeat is harmless. Raises ClearanceSilent, ClearanceOdd."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...
