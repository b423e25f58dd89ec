"""A tag under an antenna is read ten times a second; the lane wants to hear of it once in a while. Pure."""

from drivers.readings import Instant
from drivers.rfid.tag import Tag, TagRead, plate_of

MAX_TAGS = 256
"""Tags remembered at a time: more than an antenna sees of a truck, its load and its neighbours."""


class Repeats:
    """Lets the first read of a tag through, then one a window, with the number of reads it stands for."""

    def __init__(self, window_s: float, *, plate_in_epc: bool) -> None:
        self._window_s = window_s
        self._plate_in_epc = plate_in_epc
        self._seen: dict[bytes, tuple[Instant, int]] = {}
        """EPC -> when last let through, reads since. In order of last letting through."""

    def take(self, read: TagRead, at: Instant) -> Tag | None:
        """The word to give on, or None for a repeat."""
        last = self._seen.get(read.epc)
        if last is not None and at - last[0] < self._window_s:
            self._seen[read.epc] = (last[0], last[1] + read.reads)
            return None
        # What was read hours ago is a new visit: its leftover repeats belong to the old one.
        waiting = last[1] if last is not None and at - last[0] < 2 * self._window_s else 0
        self._seen.pop(read.epc, None)
        self._seen[read.epc] = (at, 0)
        if len(self._seen) > MAX_TAGS:
            del self._seen[next(iter(self._seen))]
        return Tag(
            epc=read.epc,
            rssi_dbm=read.rssi_dbm,
            antenna=read.antenna,
            plate=plate_of(read.epc) if self._plate_in_epc else None,
            at=at,
            count=waiting + read.reads,
            raw=read.raw,
        )
