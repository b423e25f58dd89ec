"""The body of `review`: the end of an image review, for customs and for the records."""

from typing import Literal

import msgspec

from telemetry.payloads.order import VerdictBody


class ReviewBody(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict that holds, with what it is about in plain words beside the sealed ones."""

    verdict: str
    """Its id."""
    finding: Literal["clear", "suspect", "open", "again"]
    scan: str
    """SHA-256 of the scan, hex: its name in the archive."""
    scanner: str
    passage: str
    plate: str
    containers: list[str]
    persons: list[str]
    """Everybody who read the scan, the one whose word holds last."""
    sealed: VerdictBody
    record: str
    """JSON: view, window, palette, marks, cells seen, times. Its SHA-256 is the sealed verdict's `view`."""
