"""Noise on the line, an hour of it at 115,200 baud: counted to the last byte, no reading made of it, no memory kept."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import psutil
import pytest
from pydantic import TypeAdapter

from drivers.faults import DriverFault
from drivers.gps.config import GpsConfig
from drivers.gps.device import GpsReceiver
from drivers.kinds import Link
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.readings import Garbage, Tally
from drivers.rfid.config import TagReaderConfig
from drivers.rfid.device import TagReader
from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.device import Weighbridge
from edge.clock import SiteClock
from tests.drivers.plugs import pty_device

HOUR_BYTES = 115_200 // 10 * 3600
PIECE = 2048
GROWTH_MB = 16
"""Of the whole process: pools of the interpreter settle within that."""
CLOCK = SiteClock(speed=0.001)
"""Hours pass in seconds here, and no deadline shall be the reason for anything."""
Driver = Callable[[Link], tuple[Tally, AsyncIterator[Any]]]
TCP = {"kind": "tcp", "host": "127.0.0.1", "port": 1}


def weighbridge(link: Link) -> tuple[Tally, AsyncIterator[Any]]:
    config = {"name": "wb", "dialect": "yaohua-a9", "max_kg": 100_000, "division_kg": 20, "silence_s": 60, "link": TCP}
    driver = Weighbridge(link, WeighbridgeConfig.model_validate(config), CLOCK)
    return driver.tally, driver.words()


def tags(link: Link) -> tuple[Tally, AsyncIterator[Any]]:
    driver = TagReader(link, TagReaderConfig.model_validate({"name": "t", "dialect": "uhf-bb", "link": TCP}), CLOCK)
    return driver.tally, driver.words()


def gps(link: Link) -> tuple[Tally, AsyncIterator[Any]]:
    driver = GpsReceiver(link, GpsConfig.model_validate({"name": "g", "link": TCP}), CLOCK)
    return driver.tally, driver.words()


async def through(driver: Driver, size: int) -> tuple[Tally, int]:
    """What the driver counted, and how many bytes its link lost because nobody read in time."""
    draw, process = Random(size), psutil.Process()
    sent = asyncio.Event()

    async def feed(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _piece in range(size // PIECE):
            writer.write(draw.randbytes(PIECE))
            await writer.drain()
            await asyncio.sleep(0)
        sent.set()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(feed, "127.0.0.1", 0)
    where = {"kind": "tcp", "host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}
    link: Any = await open_link(TypeAdapter[Any](StreamLinkConfig).validate_python(where), CLOCK)
    tally, words = driver(link)
    before = 0
    invented: list[object] = []
    try:
        async for word in words:
            if not isinstance(word, Garbage):
                invented.append(word)
            if not before and tally.garbage_bytes > size // 4:
                before = process.memory_info().rss
    except DriverFault:
        pass
    assert sent.is_set()
    assert invented == []
    assert process.memory_info().rss - before < GROWTH_MB * 1024 * 1024
    lost = link.lost_bytes
    await link.close()
    server.close()
    await server.wait_closed()
    return tally, lost


def counted(tally: Tally, lost: int, size: int) -> bool:
    """All of it, but for what stood unfinished at the end, and three bytes of 256: an NMEA line's ends and padding."""
    return size - size // 80 - 1024 <= tally.garbage_bytes + lost <= size


@pytest.mark.parametrize("driver", [weighbridge, tags, gps], ids=["weighbridge", "tags", "gps"])
async def test_noise_is_counted_and_nothing_is_made_of_it(driver: Any) -> None:
    size = 64 * PIECE
    tally, lost = await through(driver, size)
    assert counted(tally, lost, size)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("driver", [weighbridge, tags, gps], ids=["weighbridge", "tags", "gps"])
async def test_an_hour_of_noise(driver: Any) -> None:
    size = HOUR_BYTES // PIECE * PIECE
    tally, lost = await through(driver, size)
    print(f"{size} bytes: {tally.garbage} pieces, {tally.garbage_bytes} counted, {lost} lost by the link")
    assert counted(tally, lost, size)


async def test_noise_on_a_serial_line() -> None:
    async with pty_device() as (path, peer):
        link = await open_link(
            TypeAdapter[Any](StreamLinkConfig).validate_python({"kind": "serial", "device": path}), CLOCK
        )
        tally, words = weighbridge(link)
        draw, size = Random(7), 0
        for _ in range(40):
            peer.send(raw := os.urandom(64) if draw.random() < 0.5 else draw.randbytes(256))
            size += len(raw)
            while tally.garbage_bytes < size - 256:
                assert isinstance(await anext(words), Garbage)
        await link.close()
    assert tally.words == 0
