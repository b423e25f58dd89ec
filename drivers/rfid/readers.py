"""The reader that a lane's `dialect` asks for."""

from collections.abc import AsyncIterator
from typing import Protocol

from drivers.kinds import Clock, Link
from drivers.readings import Garbage, Tally
from drivers.rfid.config import TagReaderConfig
from drivers.rfid.device import TagReader
from drivers.rfid.llrp_device import LlrpReader
from drivers.rfid.tag import Tag


class Reader(Protocol):
    """Gives tags."""

    tally: Tally

    def words(self) -> AsyncIterator[Tag | Garbage]:
        """Tags as they are read, repeats folded, until a fault (raised)."""
        ...


def reader_of(link: Link, config: TagReaderConfig, clock: Clock) -> Reader:
    """`link` is open and is closed by whoever opened it."""
    return LlrpReader(link, config, clock) if config.dialect == "llrp" else TagReader(link, config, clock)
