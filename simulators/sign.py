"""A driver's text sign on a plain text protocol.

One text a line: GBK, rows separated by `|`, ended by CR LF. The sign answers `OK` or `ERR code`, CR LF. Codes of this
sign: 1 the line is too long, 2 it is not GBK, 3 it has more rows than the sign. What is wider than the sign is cut off,
as its card does.
"""

import asyncio

from simulators.clock import SimClock
from simulators.faults import SignFaults
from simulators.pipes import Client, OnWire

LONGEST_LINE_BYTES = 256
TOO_LONG, NOT_GBK, TOO_MANY_ROWS = "1", "2", "3"
LONGEST_MEMORY = 1000
"""Texts remembered, for those who want to know what was shown."""


class TextSign(OnWire):
    """Shows what it was told last."""

    def __init__(self, clock: SimClock, *, columns: int = 8, rows: int = 2, faults: SignFaults | None = None) -> None:
        """`columns`: full-width characters a row."""
        super().__init__()
        self.faults = SignFaults() if faults is None else faults
        self.text = ""
        self.shown: list[tuple[float, str]] = []
        self._clock = clock
        self._columns = columns
        self._rows = rows

    def heard(self, data: bytes, client: Client) -> None:
        """Whole lines are shown and answered."""
        client.pending += data
        while (end := client.pending.find(b"\r\n")) >= 0:
            line = bytes(client.pending[:end])
            del client.pending[: end + 2]
            self._answer(self._show(line), client)
        if len(client.pending) > LONGEST_LINE_BYTES:
            client.pending.clear()
            self._answer(f"ERR {TOO_LONG}", client)

    async def run(self) -> None:
        """Until cancelled. The sign has no life of its own."""
        await asyncio.Event().wait()

    def _show(self, line: bytes) -> str:
        if self.faults.error is not None:
            return f"ERR {self.faults.error}"
        if len(line) > LONGEST_LINE_BYTES:
            return f"ERR {TOO_LONG}"
        try:
            rows = line.decode("gbk").split("|")
        except UnicodeDecodeError:
            return f"ERR {NOT_GBK}"
        if len(rows) > self._rows:
            return f"ERR {TOO_MANY_ROWS}"
        if not self.faults.silent:
            self.text = "|".join(_cut(row, self._columns) for row in rows)
            self.shown = [*self.shown[-LONGEST_MEMORY + 1 :], (self._clock.now(), self.text)]
        return "OK"

    def _answer(self, answer: str, client: Client) -> None:
        if self.faults.silent:
            return
        line = answer.encode("ascii") + b"\r\n"
        if self.faults.slow_s > 0.0:
            self.pipe.later(self.faults.slow_s / self._clock.speed, client, line)
        else:
            client.send(line)


def _cut(row: str, columns: int) -> str:
    """The beginning of the row that fits; a character of one GBK byte is half as wide as one of two."""
    half_columns = 0
    for n, character in enumerate(row):
        half_columns += len(character.encode("gbk"))
        if half_columns > 2 * columns:
            return row[:n]
    return row


if __name__ == "__main__":
    import sys

    from simulators.__main__ import main

    main(["sign", *sys.argv[1:]])
