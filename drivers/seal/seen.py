"""What a reader at a lane has read off a seal: its number, and nothing of its state. Pure."""

from dataclasses import dataclass, field

from drivers.readings import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSeen:
    """A seal is here."""

    number: str
    """As it is printed on the seal, and as customs' order names it."""
    at: Instant
    raw: bytes = field(default=b"", compare=False, repr=False)
    """The reader's frame, as it came."""


def number_in(epc: bytes) -> str | None:
    """The number that a seal's tag carries as text: letters, digits, `-`, filled up with NUL or blanks. No guess."""
    try:
        text = epc.strip(b"\0 ").decode("ascii").upper()
    except UnicodeDecodeError:
        return None
    return text if text and all(c.isalnum() or c == "-" for c in text) else None
