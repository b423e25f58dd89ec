"""A picture while its truck still passes: rows into a growing file, pieces out of a real server's WebSocket."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from consoles.inspection.waterfall import LEVEL, NOISE
from drivers.readings import Instant
from telemetry.config import BrokerConfig
from tests.browser.conftest import free_port
from tests.browser.stage import PIN, ConsoleProcess, write_site
from tests.vision.xray.naive import Read, read
from tests.vision.xray.samples import small_scan
from vision.xray.scan import Dual, Energy, Scan, Subject
from vision.xray.store import Archive, ScanWriter
from vision.xray.tiles import Coding, Pyramid, strip, upright

LINES, PIXELS, PASSES = 400, 96, 4
STATE_DEADLINE_S = 20.0


def write(writer: ScanWriter, scan: Scan, first: int, last: int) -> None:
    """The scanner's process has corrected these rows."""
    part = slice(first, last)
    writer.lines(Dual(scan.raw.he[part], scan.raw.le[part]), scan.table[part])
    writer.rows(Dual(scan.picture.he[part], scan.picture.le[part]), scan.row_line[part])


@asynccontextmanager
async def served(folder: Path) -> AsyncGenerator[ConsoleProcess]:
    """A review server on an archive, without a broker: the waterfall needs none."""
    site = write_site(folder, BrokerConfig(port=free_port()), f'[inspection]\narchive = "{folder / "archive"}"')
    console = ConsoleProcess(site)
    await console.start()
    try:
        yield console
    finally:
        console.kill()


@asynccontextmanager
async def watching(console: ConsoleProcess, *, seated: bool = True) -> AsyncGenerator[ClientConnection]:
    """The page's socket, with an inspector in the seat."""
    headers: dict[str, str] = {}
    if seated:
        async with httpx.AsyncClient(base_url=console.url, headers={"origin": console.url}) as web:
            told = await web.post("/api/inspection/seat", json={"person": "wang.fang", "pin": PIN})
            headers["cookie"] = f"quaygate-seat={told.cookies['quaygate-seat']}"
    url = f"ws://127.0.0.1:{console.port}/api/xray/scanning/X01"
    async with connect(url, origin=console.url, additional_headers=headers) as socket:  # pyright: ignore[reportArgumentType] - Origin is a str by another name
        yield socket


async def heard(socket: ClientConnection) -> dict[str, Any] | Read:
    async with asyncio.timeout(STATE_DEADLINE_S):
        said = await socket.recv()
    return json.loads(said) if isinstance(said, str) else read(said)


async def piece(socket: ClientConnection) -> Read:
    said = await heard(socket)
    assert isinstance(said, Read)
    return said


async def test_the_picture_comes_as_it_grows(tmp_path: Path) -> None:
    scan = small_scan(LINES, PIXELS)
    archive = Archive(tmp_path / "archive")
    step, part = 2**LEVEL, LINES // PASSES
    async with served(tmp_path) as console, watching(console) as socket:
        writer = archive.begin(scan.head)
        write(writer, scan, 0, part)
        begun = await heard(socket)
        assert isinstance(begun, dict)
        assert (begun["t"], begun["pixels"], begun["level"]) == ("scan", PIXELS, LEVEL)
        columns: list[list[int]] = [[] for _ in range(PIXELS // step)]

        def take(got: Read) -> None:
            assert (got.x, got.level, got.height) == (len(columns[0]), LEVEL, PIXELS // step)
            for row, codes in zip(columns, got.codes, strict=True):
                row += codes

        for n in range(1, PASSES):
            while len(columns[0]) < n * part // step:
                take(await piece(socket))
            assert list(archive.digests()) == [], "the truck is still passing"
            write(writer, scan, n * part, (n + 1) * part)
        # Whoever watches stands in nobody's way: neither in the writer's, nor in the review's, which takes the scan in.
        ref = writer.finish(Instant(scan.head.started + 2), Subject(), (), scan.noise)
        assert archive.ref(ref.digest).rows == LINES
        while isinstance(said := await heard(socket), Read):
            take(said)
        assert said == {"t": "end"}
        coarse = Pyramid(Energy.HE, upright(scan.picture.he)).levels[LEVEL]
        assert columns == Coding.base(NOISE).table()[coarse].tolist(), "all of it came, the last rows, too"

        again = archive.begin(replace(scan.head, started=Instant(scan.head.started + 60)))
        write(again, scan, 0, 64)
        begun = await heard(socket)
        assert isinstance(begun, dict)
        assert begun["t"] == "scan"
        # Who comes late gets what is there.
        async with watching(console) as late:
            await heard(late)
            assert (await piece(late)).width == 64 // step
        again.abandon()


async def test_nobody_watches_without_a_seat(tmp_path: Path) -> None:
    async with served(tmp_path) as console:
        with pytest.raises(InvalidStatus) as refused:
            async with watching(console, seated=False):
                pass
        assert refused.value.response.status_code == 403


def test_a_coarse_line_needs_little_of_a_line() -> None:
    """A truck at walking pace, 1,400 pixels, over 2 Mbit/s: a tenth of it, as the module says."""
    scan = small_scan(1024, 1400)
    sent = len(strip(np.ascontiguousarray(upright(scan.picture.he)), Energy.HE, LEVEL, 0, NOISE))
    lines_a_second = 1400 / 3.5
    assert 8 * sent / 1024 * lines_a_second < 0.2 * 2_000_000
