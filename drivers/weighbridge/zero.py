"""Where the empty deck stood before each truck, as a signal for maintenance: dirt, a wedge, a tired cell. Pure.

The indicator tracks its zero within half a division; what it still shows is what it could not take away.
"""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean, linear_regression

from drivers.readings import Instant

KEPT = 400
"""Zeros, one a truck: a busy day."""
RECENT = 10
"""Trucks after which a deck that is cleaned or set to zero is believed again."""
TREND_OVER_S = 3600.0
"""A trend from less than this is the weather of the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroTrend:
    """Of the zeros that are kept."""

    count: int
    last_kg: Decimal
    mean_kg: float
    """Of the last `RECENT`."""
    worst_kg: Decimal
    per_day_kg: float | None
    """How fast it wanders; None: too few, or over too short a time."""
    wandering: bool
    """On average of the last trucks off by more than half a division: have the deck cleaned and the cells looked at."""


class ZeroHistory:
    """One deck's zeros since the process started. The time series keeps them for longer."""

    def __init__(self, division_kg: Decimal) -> None:
        self._half_kg = float(division_kg) / 2
        self._zeros: deque[tuple[Instant, Decimal]] = deque(maxlen=KEPT)
        self._trend: ZeroTrend | None = None

    def seen(self, kg: Decimal, at: Instant) -> None:
        """A truck came, and this is where the deck stood before it."""
        self._zeros.append((at, kg))
        recent = [float(zero) for _, zero in list(self._zeros)[-RECENT:]]
        mean = fmean(recent)
        self._trend = ZeroTrend(
            count=len(self._zeros),
            last_kg=kg,
            mean_kg=mean,
            worst_kg=max((zero for _, zero in self._zeros), key=abs),
            per_day_kg=self._slope(),
            wandering=len(recent) == RECENT and abs(mean) > self._half_kg,
        )

    def trend(self) -> ZeroTrend | None:
        """None: no truck has come yet."""
        return self._trend

    def _slope(self) -> float | None:
        began, ended = self._zeros[0][0], self._zeros[-1][0]
        if len(self._zeros) < RECENT or ended - began < TREND_OVER_S:
            return None
        days = [(at - began) / 86_400 for at, _ in self._zeros]
        return linear_regression(days, [float(kg) for _, kg in self._zeros]).slope
