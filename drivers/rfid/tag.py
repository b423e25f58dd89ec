"""The word of a tag reader: a tag that was read, and the plate that a yard's own tags carry."""

import re
from dataclasses import dataclass, field

from drivers.readings import Instant

PLATE_EPC_BYTES = 12
"""96 bits, the usual EPC: room for the nine bytes of the longest plate."""

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLAUSIBLE = re.compile(
    rf"[{_PROVINCES}][A-HJ-NP-Z](?:[A-HJ-NP-Z0-9]{{5,6}}|[A-HJ-NP-Z0-9]{{4}}[挂学警试领港澳])"
    rf"|[使领][0-9]{{6}}|[0-9]{{6}}使|WJ[{_PROVINCES}]?[0-9]{{4}}[0-9A-Z]"
)
"""The shape only: which letter stands where is for vision/reading/plate.py to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRead:
    """One tag in one round, as the reader tells it."""

    epc: bytes
    rssi_dbm: int | None
    """None where the reader does not say."""
    antenna: int | None
    """From 1; None where the reader has but one and does not say."""
    reads: int = 1
    """That this word of the reader stands for."""
    raw: bytes = field(default=b"", compare=False, repr=False)
    """The frame that said so, as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag was read."""

    epc: bytes
    rssi_dbm: float | None
    antenna: int | None
    plate: str | None
    """Where the site's tags carry one and it is plausible as a plate."""
    at: Instant
    count: int = 1
    """Reads that this word stands for: this one, and those kept back since the word before."""
    raw: bytes = field(default=b"", compare=False, repr=False)
    """The frame of this read, as it came."""

    @property
    def hex(self) -> str:
        """The EPC as people write it."""
        return self.epc.hex().upper()


def plate_of(epc: bytes) -> str | None:
    """The plate of a yard's own tag: GBK, filled up with NUL to 12 bytes. None for anything else: no guess."""
    if len(epc) != PLATE_EPC_BYTES:
        return None
    try:
        text = epc.rstrip(b"\0").decode("gbk")
    except UnicodeDecodeError:
        return None
    return text if _PLAUSIBLE.fullmatch(text) else None


def epc_of(plate: str) -> bytes:
    """What to write into the tag of this plate. Raises ValueError when it is none or does not fit."""
    epc = plate.encode("gbk").ljust(PLATE_EPC_BYTES, b"\0")
    if plate_of(epc) != plate:
        raise ValueError(f"{plate!r} is no plate that a tag could carry")
    return epc
