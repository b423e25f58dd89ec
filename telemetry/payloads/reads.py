"""The bodies of `tag`, `card` and `read`."""

from typing import Literal

import msgspec


class TagBody(msgspec.Struct, frozen=True, kw_only=True):
    """A UHF tag as read; `plate` where the site's tags carry one."""

    epc: str
    plate: str | None = None
    rssi_dbm: float | None = None
    antenna: int | None = None


class CardBody(msgspec.Struct, frozen=True, kw_only=True):
    """A driver's card was read."""

    ends: str
    """Its last digits: a card names a person."""


class ReadBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera read."""

    what: Literal["plate", "trailer", "container", "seal"]
    text: str
    confidence: float
    """0 to 1, as the reader gives it."""
    camera: str
