"""The road from below: a lane's I/O module that lies, over Modbus TCP, while trucks come and go.

A forger sits on the wire between the lane and its module. Requests pass untouched and are counted; of the answers some
are turned: single contacts or all of them, other transactions, exceptions, echoes of commands that nobody gave, pieces,
noise, silence. Whatever the lane is made to believe, every write to the raise output must stand in the book beforehand,
with its permit, on an order of customs; and the simulated barrier's own count of pulses agrees.
"""

import asyncio
import json
import tomllib
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

import edge.day
from edge.clock import SiteClock
from edge.day import run_day
from edge.demo import Day, SimulatorFailed, write_site
from edge.supervisor import Supervisor
from gateway_ctl.book import entries

RAISE = 16
"""Coil of the first output of the demo's ADAM-6050; `raise` is wired to it."""
SHARE = 0.05
"""Of the answers, while the forger is at work."""


class Liar:
    """A proxy in front of one Modbus TCP module."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.target = 0
        self.lies = False
        self.told = Counter[str]()
        self.raised: list[bytes] = []
        """Requests that write the raise output on."""
        self._tasks = set[asyncio.Task[None]]()

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._client, "127.0.0.1", 0)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
            back = asyncio.ensure_future(self._answers(theirs, writer))
            self._tasks.add(back)
            try:
                while frame := await _frame(reader):
                    if frame[7:] == bytes((5, 0, RAISE, 0xFF, 0)):
                        self.raised.append(frame)
                    ours.write(frame)
                    await ours.drain()
            finally:
                back.cancel()
                self._tasks.discard(back)
                ours.close()
                writer.close()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while frame := await _frame(reader):
                writer.write(self._lie(frame) if self.lies and self.draw.random() < SHARE else frame)
                await writer.drain()

    def _lie(self, frame: bytes) -> bytes:
        kind = self.draw.choice(
            [
                "one contact",
                "one contact",
                "all contacts",
                "transaction",
                "exception",
                "echo",
                "cut",
                "noise",
                "silence",
            ]
        )
        self.told[kind] += 1
        head, last = frame[:-1], frame[-1]
        match kind:
            case "one contact":
                return head + bytes((last ^ 1 << self.draw.randrange(8),)) if frame[7] in (1, 2) else frame
            case "all contacts":
                return frame[:9] + self.draw.randbytes(len(frame) - 9) if frame[7] in (1, 2) else frame
            case "transaction":
                return self.draw.randbytes(2) + frame[2:]
            case "exception":
                return frame[:4] + b"\x00\x03" + bytes((frame[6], frame[7] | 0x80, self.draw.choice((1, 2, 3, 4, 6))))
            case "echo":
                return frame[:4] + b"\x00\x06" + bytes((frame[6], 5, 0, RAISE, 0xFF, 0)) + frame
            case "cut":
                return frame[: self.draw.randrange(1, len(frame))]
            case "noise":
                return self.draw.randbytes(self.draw.randrange(1, 300))
            case _:
                return b""


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One application data unit. Raises IncompleteReadError at the end."""
    head = await reader.readexactly(6)
    return head + await reader.readexactly(int.from_bytes(head[4:6], "big"))


@pytest.mark.timeout(240)
async def test_a_module_that_lies_is_never_a_reason_to_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    liar = Liar(11)

    def through_the_liar(data: Path, text: str) -> Path:
        io: dict[str, Any] = tomllib.loads(text)["lanes"][0]["io"]
        assert io["module"] == "adam-6050" and io["outputs"]["raise"] == 0
        liar.target = io["link"]["port"]
        return write_site(data, text.replace(f"port = {liar.target}", f"port = {port}"))

    async def trouble(supervisor: Supervisor) -> None:
        assert supervisor.standing
        liar.lies = True
        try:
            await SiteClock().sleep(3600.0)
        finally:
            liar.lies = False

    monkeypatch.setattr(edge.day, "write_site", through_the_liar)
    monkeypatch.setattr(edge.day, "DRAIN_WITHIN_S", 5.0)
    async with await liar.serve() as server:
        port = server.sockets[0].getsockname()[1]
        try:
            await run_day(Day(lanes=1, trucks=3, seed=3, speed=10.0, faults=0.0), tmp_path, trouble)
        except* SimulatorFailed:
            pass  # a lane that was lied to may hold to what it believes until a person comes
    print(dict(liar.told), f"{len(liar.raised)} raisings on the wire")
    assert sum(liar.told.values()) > 20 and len(liar.told) > 4

    orders: dict[str, str] = {}
    written = 0
    for entry in entries(tmp_path / "lanes" / "L01" / "book.sqlite"):
        said = entry.plain() if entry.kind in ("decision", "boom") else {}
        if entry.kind == "decision" and said["order"] is not None:
            orders[said["permit"]["id"]] = said["order"]["origin"]
        elif entry.kind == "boom" and said["movement"] == "raise" and said["phase"] == "written":
            assert orders[said["permit"]] == "customs"
            written += 1
    assert len(liar.raised) <= written, "a write without its line in the book"
    told = (json.loads(line) for line in (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines())
    pulses = [pulse for truck in told for pulse in truck["pulses"] if pulse["line"] == "raise"]
    assert len(pulses) <= len(liar.raised), "the barrier heard of a raising that is on no wire"
