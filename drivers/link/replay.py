"""A link that plays recorded chunks: what was heard, as it was cut, when it was heard."""

from collections.abc import Iterable

from drivers.faults import LinkLost
from drivers.readings import Chunk


class ReplayLink:
    """Ends with LinkLost after the last chunk. Takes what is written and keeps it."""

    def __init__(self, name: str, chunks: Iterable[Chunk]) -> None:
        self.name = name
        self.written: list[bytes] = []
        self._chunks = iter(chunks)

    async def read(self, deadline_s: float) -> Chunk:  # noqa: ARG002 - the record is as long as it is
        """As Link.read; never waits."""
        for chunk in self._chunks:
            return chunk
        raise LinkLost(self.name, "the record ends here")

    async def write(self, data: bytes, deadline_s: float) -> None:  # noqa: ARG002
        """As Link.write."""
        self.written.append(data)

    async def close(self) -> None:
        """As Link.close."""
        self._chunks = iter(())
