"""A small simulated scanner with its wires, and the driver's side of them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import numpy as np

from drivers.link import open_link
from drivers.link.config import TcpLinkConfig
from drivers.link.modbus import open_modbus
from drivers.link.modbus_config import ModbusTcpConfig
from drivers.link.modbus_tables import table_named
from drivers.xray.capture import Capture, open_capture
from drivers.xray.config import DetectorConfig, SafetyConfig, SourceConfig
from drivers.xray.line import Line
from drivers.xray.safety import ChainWatch
from drivers.xray.source import SourceWatch
from edge.clock import SiteClock
from simulators.clock import SimClock
from simulators.xray_scanner import Build, Detector, Pulses
from simulators.xray_station import Scanner
from simulators.xray_wire import Layout, Sender, dt_packets, own_packets

PIXELS = 96
SMALL = Build(pixels=PIXELS, pulse_hz=50, speed_mm_s=3000)


def detector_config(**change: Any) -> DetectorConfig:
    return DetectorConfig.model_validate({"listen_host": "127.0.0.1", "listen_port": 0, "pixels": PIXELS, **change})


@contextlib.asynccontextmanager
async def scanner(clock: SiteClock, build: Build = SMALL, **how: Any) -> AsyncGenerator[Scanner]:
    """A whole one, listening, with nobody waiting."""
    station = Scanner(SimClock(speed=clock.speed, origin=clock.origin), build, **how)
    try:
        yield station
    finally:
        station.close()


@contextlib.asynccontextmanager
async def chain_watch(station: Scanner, clock: SiteClock, **change: Any) -> AsyncGenerator[ChainWatch]:
    told = station.endpoints()
    link = ModbusTcpConfig.model_validate(told["safety"])
    config = SafetyConfig.model_validate(
        {
            "module": "adam-6050",
            "link": link.model_dump(),
            "inputs": told["inputs"],
            "inverted": told["inverted"],
            "ready": 0,
        }
        | change
    )
    modbus = await open_modbus(link)
    try:
        yield ChainWatch(modbus, table_named("adam-6050"), config, clock)
    finally:
        await modbus.close()


@contextlib.asynccontextmanager
async def source_watch(station: Scanner, clock: SiteClock) -> AsyncGenerator[SourceWatch]:
    host, port = station.source.tcp()
    config = SourceConfig(link=TcpLinkConfig(host=host, port=port))
    link = await open_link(config.link, clock)
    try:
        yield SourceWatch(link, config, clock)
    finally:
        await link.close()


@contextlib.asynccontextmanager
async def listening(clock: SiteClock, **change: Any) -> AsyncGenerator[tuple[Capture, DetectorConfig, Sender]]:
    config = detector_config(**change)
    capture = await open_capture(config, clock)
    wire = Sender(seed=2)
    wire.targets = [("127.0.0.1", capture.port)]
    try:
        yield capture, config, wire
    finally:
        wire.close()
        await capture.close()


def played(
    build: Build, pairs: int, layout: Layout, *, first: int = 0, seed: int = 3
) -> tuple[list[Pulses], list[bytes]]:
    """Pulses of an empty tunnel, and their packets in order."""
    detector = Detector(build, seed=seed)
    detector.pulse = first
    high, low = detector.expose(None, np.linspace(0, 100, 2 * pairs))
    parts = [
        dt_packets(pulses) if layout == "dt" else own_packets(pulses, device=1, temperature_c=30.0)
        for pulses in (high, low)
    ]
    packets = [packet for two in zip(*parts, strict=True) for line in two for packet in line]
    return [high, low], packets


async def lines_of(lines: AsyncIterator[list[Line]], enough: int) -> list[Line]:
    """Batches until so many lines came."""
    found: list[Line] = []
    async with asyncio.timeout(20):
        async for batch in lines:
            found += batch
            if len(found) >= enough:
                return found
    return found
