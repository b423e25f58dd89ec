"""What the neighbours' papers say in whatever form: what is declared of a truck, and that it has crossed. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

HEAVIEST_KG = Decimal(1_000_000)
"""No deck carries a thousand tonnes: what lies beyond is no weight."""


class NotRead(ValueError):
    """A paper that is none, or does not say what its kind must say; the text is for the person who sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a paper says beforehand of a truck that will come."""

    source: str
    """The message type: SAS221, SAS223, CLM50011."""
    document: str
    """The paper's own number."""
    approved: bool
    """Customs has said yes to it."""
    used: bool = False
    """It has crossed a gate already."""
    direction: Literal["in", "out"] | None = None
    plate: str | None = None
    containers: tuple[str, ...] = ()
    gross_kg: Decimal | None = None
    """Of the whole truck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """A truck has gone under the boom."""

    site: str
    lane: str
    passage: str
    direction: Literal["in", "out"]
    at: datetime
    """The site's own time, with its zone."""
    plate: str | None
    containers: tuple[str, ...] = ()
    gross_kg: Decimal | None = None
    """Of the whole truck, as weighed."""
    by_axles: bool = False
    """It is a sum of axle loads, which this site's rules take; formats with room for a word say so."""
    tags: tuple[str, ...] = ()
    seals: tuple[str, ...] = ()
    declared: Declared | None = None
    area: str = ""
    channel: str = ""
    """Customs' names of the site and the lane; the lane's own where there are none."""
    sequence: str = ""
    """The number under which customs was asked; the passage's own where there is none."""


def serial(passage: str, digits: int) -> str:
    """Digits that are always the same for a passage: a report that is written twice is the same report."""
    return str(int.from_bytes(hashlib.sha256(passage.encode()).digest(), "big") % 10**digits).zfill(digits)


def kg(text: str, what: str) -> Decimal | None:
    """A weight; None where nothing stands. Raises NotRead."""
    if not text.strip():
        return None
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise NotRead(f"{what} is {text[:20]!r}, expected kilograms") from None
    if not value.is_finite() or abs(value) > HEAVIEST_KG:
        raise NotRead(f"{what} is {text[:20]!r}, expected kilograms")
    return value


def plain(value: Decimal | None) -> str:
    """Kilograms as digits, never in powers of ten; nothing for None."""
    return "" if value is None else format(value, "f")
