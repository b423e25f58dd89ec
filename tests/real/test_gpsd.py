"""Debian's gpsd between the simulated receiver and our client: two readings of NMEA, one of them gpsd's own."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.gps.config import GpsdConfig
from drivers.gps.fix import Fix
from drivers.gps.gpsd.device import GpsdClient
from drivers.link import open_link
from drivers.readings import Garbage, Quality
from edge.clock import SiteClock
from simulators.clock import SimClock
from simulators.gps import GeoState, Tracker
from tests.real.conftest import Server, free_port

pytestmark = pytest.mark.real


@pytest.mark.parametrize("road", ["tcp", "pty"])
async def test_gpsd_reads_a_receiver_and_we_read_gpsd(
    road: str, require: Callable[[str], Path], tmp_path: Path
) -> None:
    sim = SimClock()
    begin = sim.now()
    device = Tracker(
        sim,
        "ship",
        lambda: GeoState(lat=36.05, lon=-120.25 + (sim.now() - begin) * 5e-5, speed_mps=4.5, track_deg=90.0),
        tag_block=False,
        sky=True,
    )
    host, port = device.tcp()
    source = f"tcp://{host}:{port}" if road == "tcp" else device.pty()
    where = free_port()
    server = Server([str(require("gpsd")), "-N", "-n", "-b", "-S", str(where), source], where, tmp_path / "log")
    clock = SiteClock(origin=sim.origin)
    config = GpsdConfig.model_validate(
        {"protocol": "gpsd", "name": "pilot", "link": {"kind": "tcp", "host": "127.0.0.1", "port": where}}
    )
    fixes: list[Fix] = []
    lost: Fix | None = None
    try:
        async with asyncio.timeout(40), asyncio.TaskGroup() as group:
            task = group.create_task(device.run())
            await asyncio.to_thread(server.start)
            link = await open_link(config.link, clock)
            client = GpsdClient(link, config, clock)
            words = client.words()
            async for word in words:
                assert not isinstance(word, Garbage), word
                name, fix = word
                assert name == "pilot"
                if fix.valid:
                    fixes.append(fix)
                if len(fixes) == 4:
                    break
            device.faults.no_fix = True
            async for word in client.words():
                if isinstance(word, tuple) and not word[1].valid:
                    lost = word[1]
                    break
            await link.close()
            task.cancel()
    finally:
        device.close()
        await asyncio.to_thread(server.stop)
    assert lost is not None and lost.lat is None and lost.why == "gpsd: mode 1, no fix"
    for fix in fixes:
        assert fix.quality is Quality.GOOD and fix.lat == pytest.approx(36.05, abs=2e-6)
        assert fix.lon == pytest.approx(-120.25, abs=0.01) and fix.speed_mps == pytest.approx(4.5, abs=0.01)
        assert fix.fix_time is not None and abs(fix.at - fix.fix_time) < 5
    assert fixes[-1].satellites == 12
    # gpsd tells a moment more than once until it has learned which sentence ends an epoch.
    times = [fix.fix_time or 0.0 for fix in fixes]
    assert times == sorted(times) and len(set(times)) >= 2
