"""The word of an OCR portal: something that it read."""

from dataclasses import dataclass, field
from typing import Literal

from drivers.readings import Instant

What = Literal["plate", "trailer", "container", "seal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """As the portal gives it; nothing is corrected here."""

    what: What
    text: str
    confidence: float
    """0 to 1, the portal's own measure."""
    camera: str
    """Which of the portal's cameras."""
    at: Instant
    raw: bytes = field(default=b"", compare=False, repr=False)
    """The line that said so, as it came."""
