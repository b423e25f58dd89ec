"""The image review over a site's line: bytes and seconds until a truck's picture is there, in a real browser.

    python -m bench.review [--mbit 2] [--latency-ms 20] [--chapter 84]

A whole simulated truck of 1,400 pixels lies in the archive of a real review server; an inspector in Chromium, behind a
line of so many Mbit/s (bench/slow_line.py, one for all connections, both ways), asks for his next scan. Counted from
the key: bytes down the line, and seconds until the first picture is there (1/8, one energy), until the first look is
(1/8 and 1/4, both energies), until everything that the screen can show is there in full, and until the whole frame is.
Drawing is by the processor here, without a graphics card, on a busy machine: what the line takes is the bytes' share.

Beside it, over the same line in the same run, the straightforward way: both energies as 16-bit PNG files.
`encode` is the server's CPU seconds for all tiles of both energies, once a scan, one thread.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
from playwright.async_api import async_playwright, expect

from bench.slow_line import SlowLine
from telemetry.broker import EmbeddedBroker
from telemetry.config import BrokerConfig
from tests.browser.conftest import FLAGS, free_port
from tests.browser.readers import Room, sit, until
from tests.browser.scans import truck
from vision.xray.scan import Energy, Scan
from vision.xray.store import Archive
from vision.xray.tiles import Pyramid, upright

LATEST_S = 600.0
"""Longer than anything here may take."""


NAMES = {
    "first": "first picture",
    "look": "first look, both energies",
    "sight": "all that the screen shows",
    "all": "whole frame, both energies",
}


@dataclass(frozen=True)
class Moment:
    """Something is there: bytes of pictures, and seconds since the key."""

    name: str
    carried: int
    seconds: float


def encode(scan: Scan) -> tuple[float, int]:
    """CPU seconds and bytes of all tiles."""
    began, size = time.process_time(), 0
    for energy in Energy:
        pyramid = Pyramid(energy, upright(scan.picture.of(energy)), scan.noise.of(energy))
        size += sum(len(pyramid.tile(name)) for name in pyramid.names())
    return time.process_time() - began, size


async def watch(room: Room, line: SlowLine) -> list[Moment]:
    """One review, from the key to the whole frame."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(args=FLAGS, executable_path="/usr/bin/chromium")
        page = await browser.new_page(viewport={"width": 1920, "height": 1080}, device_scale_factor=0.5)
        page.set_default_timeout(LATEST_S * 1000)
        expect.set_options(timeout=LATEST_S * 1000)
        moments: list[Moment] = []
        try:
            await sit(page, room, "wang.fang", port=line.port)
            await expect(page.locator("#next")).to_be_enabled()
            pressed = await page.evaluate("performance.now()")
            await page.keyboard.press("n")
            await until(page, "window.reviewing?.moments.all", within_s=LATEST_S)
            told = await page.evaluate("reviewing.moments")
            for key, name in NAMES.items():
                at = told[key]
                moments.append(Moment(name, at["bytes"], (at["at"] - pressed) / 1000))
        finally:
            await browser.close()
        return moments


@asynccontextmanager
async def handing_out(data: bytes) -> AsyncGenerator[int]:
    """A server that sends these bytes to whoever comes; its port."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def plain(scan: Scan, mbit_s: float, latency_s: float) -> Moment:
    """Both energies as 16-bit PNG, through the same kind of line."""
    data = b"".join(cv2.imencode(".png", upright(scan.picture.of(energy)))[1].tobytes() for energy in Energy)
    async with handing_out(data) as port, SlowLine(port, mbit_s=mbit_s, latency_s=latency_s).open() as line:
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        got = len(await reader.read(-1))
        writer.close()
        return Moment("both energies as 16-bit PNG", got, time.perf_counter() - began)


async def measure(scan: Scan, mbit_s: float, latency_s: float) -> list[Moment]:
    """Everything over the line."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        broker = BrokerConfig(port=free_port())
        room = Room.furnished(folder / "site", broker)
        await asyncio.to_thread(Archive(room.archive).keep, scan)
        async with EmbeddedBroker(broker, folder / "broker"):
            await room.console.start()
            try:
                async with SlowLine(room.console.port, mbit_s=mbit_s, latency_s=latency_s).open() as line:
                    moments = await watch(room, line)
            finally:
                room.console.kill()
    return [*moments, await plain(scan, mbit_s, latency_s)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mbit", type=float, default=2.0)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--chapter", default="84")
    asked = parser.parse_args()
    mbit_s: float = asked.mbit
    scan = truck(asked.chapter)
    cpu_s, size = encode(scan)
    rows, pixels = scan.picture.he.shape
    print(f"{rows} x {pixels}, both energies; encode {cpu_s:.2f} CPU s, {size / 1e6:.2f} MB of tiles")
    moments = asyncio.run(measure(scan, mbit_s, asked.latency_ms / 1000))
    print(f"{f'over {mbit_s:g} Mbit/s':30}{'kB':>10}{'line s':>9}{'wall s':>9}{'of PNG':>9}")
    for moment in moments:
        line_s = moment.carried / (mbit_s * 125_000)
        share = moment.seconds / moments[-1].seconds
        print(f"{moment.name:30}{moment.carried / 1e3:10.0f}{line_s:9.2f}{moment.seconds:9.2f}{share:9.3f}")


if __name__ == "__main__":
    main()
