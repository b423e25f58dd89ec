"""The body of `weight`."""

from decimal import Decimal
from typing import Literal

import msgspec

WeightStatus = Literal["stable", "motion", "unknown", "overload", "underload", "blank", "error", "tared"]


class WeightBody(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of an indicator. `gross_kg` is null whenever the indicator shows no number: never 0 for a fault."""

    gross_kg: Decimal | None
    display: str
    status: WeightStatus
    settled_kg: Decimal | None = None
    uncertainty_kg: Decimal | None = None
    zero_ok: bool | None = None
    """Whether the empty deck stood at zero before this truck; null while nobody knows."""
    zero_kg: Decimal | None = None
    """What the empty deck showed before this truck."""
    axles: int | None = None
    """Axles weighed so far of a sum of axle loads; null: the deck weighs the whole vehicle at once."""
    doubts: list[str] = []
    """What else stands against this weighing: the words of drivers/weighbridge/doubts.py."""
