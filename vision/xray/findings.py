"""The words in which the system says what it sees itself: a value, its sigma, a sentence. Assistance, no verdict.

Nothing here may open a boom or hold a truck; a person looks, and a person's word holds (consoles/inspection). So a
finding has no grade and no colour: a number with its sigma, how it was got, and where in the picture to look.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_PLACES: Final = 12
"""Places named by one finding, the largest first: more are no help to an eye."""


class Kind(StrEnum):
    """What a finding is about."""

    MASS = "mass"
    THREE_WAY = "three_way"
    EMPTY = "empty"
    BLIND = "blind"
    STRIPES = "stripes"
    LOST_LINES = "lost_lines"
    HISTORY = "history"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class Place:
    """A box of the picture worth a look: rows along the truck, pixels up the detector (0 at its foot)."""

    row: int
    pixel: int
    rows: int
    pixels: int
    size: float
    """What is there, in the finding's own measure (kg, sigma, share): places are in falling order of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the system noticed, or looked for and did not see."""

    kind: Kind
    value: float | None
    """None: it cannot be told; the sentence says why."""
    sigma: float | None
    unit: str
    zh: str
    en: str
    method: str
    """How it was got, in one line."""
    places: tuple[Place, ...] = ()
