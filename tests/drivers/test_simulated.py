"""Drivers against the simulators, which know nothing of them: two readings of the same manuals."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import TypeAdapter

from drivers.camera.config import CameraConfig
from drivers.camera.device import Camera
from drivers.camera.read import Read
from drivers.faults import LinkLost, NoAnswer, OurMistake, Refused
from drivers.gps.config import GpsConfig
from drivers.gps.device import GpsListener
from drivers.kinds import Link
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.readings import Garbage, Quality
from drivers.rfid.config import TagReaderConfig
from drivers.rfid.device import TagReader
from drivers.rfid.tag import Tag, epc_of
from drivers.sign.config import SignConfig
from drivers.sign.device import Sign
from edge.clock import SiteClock
from simulators.camera import ReadPortal
from simulators.clock import SimClock
from simulators.gps import GeoState, Tracker
from simulators.rfid import SimTag
from simulators.rfid import TagReader as SimTagReader
from simulators.sign import TextSign
from tests.drivers.plugs import WITHIN_S, free_udp_port, gather_words, until_fault

SPEED = 20.0
TCP = {"kind": "tcp", "host": "127.0.0.1", "port": 1}


@asynccontextmanager
async def running(run: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """The device lives as long as the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run)
        try:
            async with asyncio.timeout(WITHIN_S):
                yield
        finally:
            task.cancel()


async def plugged(where: dict[str, Any], clock: SiteClock) -> Link:
    return await open_link(TypeAdapter[Any](StreamLinkConfig).validate_python(where), clock)


@pytest.mark.parametrize("dialect", ["uhf-bb", "uhf-a0"])
@pytest.mark.parametrize("wire", ["tcp", "pty"])
async def test_tags(dialect: Any, wire: str) -> None:
    field: list[SimTag] = []
    device = SimTagReader(SimClock(speed=SPEED), lambda: field, dialect=dialect)
    host, port = device.tcp()
    where = {"kind": "tcp", "host": host, "port": port} if wire == "tcp" else {"kind": "serial", "device": device.pty()}
    clock = SiteClock(speed=SPEED)
    async with running(device.run()):
        link = await plugged(where, clock)
        config = {"name": "tags", "dialect": dialect, "link": TCP, "plate_in_epc": True, "repeat_window_s": 1000}
        reader = TagReader(link, TagReaderConfig.model_validate(config), clock)
        field.append(SimTag(epc=epc_of("沪AD3F88"), rssi=-48))
        words = reader.words()
        [first] = await gather_words(words, 1)
        field[:] = [SimTag(epc=bytes(range(12)), rssi=-70), SimTag(epc=epc_of("浙A1234挂"))]
        rest = await gather_words(reader.words(), 2)
        told = [word for word in [first, *rest] if isinstance(word, Tag)]
        assert [(tag.plate, tag.rssi_dbm) for tag in told] == [("沪AD3F88", -48), (None, -70), ("浙A1234挂", -55)]
        device.faults.bad_sum_share = 1.0
        [spoiled] = await gather_words(reader.words(), 1)
        assert isinstance(spoiled, Garbage)
        device.faults.bad_sum_share = 0.0
        device.faults.silent = True
        _, ended = await until_fault(reader.words())
        assert isinstance(ended, NoAnswer)
        await link.close()
    device.close()


async def test_a_reader_without_its_antenna_refuses() -> None:
    device = SimTagReader(SimClock(speed=50.0), list, dialect="uhf-a0")
    device.faults.antenna_missing = True
    host, port = device.tcp()
    clock = SiteClock(speed=50.0)
    async with running(device.run()):
        link = await plugged({"kind": "tcp", "host": host, "port": port}, clock)
        config = TagReaderConfig.model_validate({"name": "tags", "dialect": "uhf-a0", "link": TCP})
        _, ended = await until_fault(TagReader(link, config, clock).words())
        assert isinstance(ended, Refused) and ended.code == "22"
        await link.close()
    device.close()


async def test_a_sign() -> None:
    device = TextSign(SimClock(), columns=8, rows=2)
    host, port = device.tcp()
    clock = SiteClock(speed=SPEED)
    link = await plugged({"kind": "tcp", "host": host, "port": port}, clock)
    config = SignConfig.model_validate({"name": "sign", "link": TCP, "columns": 8, "rows": 2})
    sign = Sign(link, config, clock)
    async with asyncio.timeout(WITHIN_S):
        for rows in (["沪AD3F88", "请上磅称重等待"], ["前方禁止通行等待"[:8]], []):
            await sign.show(rows)
            assert device.text == "|".join(rows)
        with pytest.raises(OurMistake):
            await sign.show(["前方禁止通行请等待"])
        device.faults.error = 3  # type: ignore[assignment]
        with pytest.raises(Refused) as refused:
            await sign.show(["a"])
        assert refused.value.code == "3"
        device.faults.error = None
        device.faults.silent = True
        with pytest.raises(NoAnswer):
            await sign.show(["a"])
        await link.close()
    device.close()


async def test_an_ocr_portal() -> None:
    device = ReadPortal(SimClock(), seed=3)
    host, port = device.tcp()
    clock = SiteClock()
    link = await plugged({"kind": "tcp", "host": host, "port": port}, clock)
    camera = Camera(link, CameraConfig.model_validate({"name": "ocr", "link": TCP}), clock)
    async with asyncio.timeout(WITHIN_S):
        while not device.pipe.listeners:
            await asyncio.sleep(0)
        device.push("container", "CSQU3054383", 0.98, "left")
        device.faults.half_share = 1.0
        device.push("plate", "沪AD3F88", 0.9, "front")
        device.faults.half_share = 0.0
        device.push("trailer", "浙A1234挂", 1.0, "rear")
        words = await gather_words(camera.words(), 3)
        assert [word.text if isinstance(word, Read) else word.why for word in words] == [
            "CSQU3054383",
            "a read without its end",
            "浙A1234挂",
        ]
        device.drop()
        _, ended = await until_fault(camera.words())
        assert isinstance(ended, LinkLost)
        await link.close()
    device.close()


async def test_a_tracker_over_udp() -> None:
    state = GeoState(lat=36.05, lon=120.25, speed_mps=6.0, track_deg=271.5)
    sim = SimClock(speed=SPEED)
    where = free_udp_port()
    clock = SiteClock(speed=SPEED, origin=sim.origin)
    link = await plugged({"kind": "udp", "listen_host": where[0], "listen_port": where[1]}, clock)
    listener = GpsListener(link, GpsConfig.model_validate({"name": "yard", "link": TCP}), clock)
    device = Tracker(sim, "T07", lambda: state)
    device.udp(*where)
    async with running(device.run()):
        words = [word for word in await gather_words(listener.words(), 3) if isinstance(word, tuple)]
        assert [name for name, _ in words] == ["T07"] * 3
        for _, fix in words:
            assert fix.valid and fix.quality is Quality.GOOD, fix
            assert (fix.lat, fix.lon) == (pytest.approx(36.05, abs=1e-6), pytest.approx(120.25, abs=1e-6))
            assert (fix.speed_mps, fix.track_deg) == (pytest.approx(6.0, abs=0.01), 271.5)
            assert fix.source == "GNRMC+GNGGA" and fix.satellites == 12
            assert fix.fix_time is not None and fix.fix_time == int(fix.fix_time)
        times = [fix.fix_time or 0.0 for _, fix in words]
        assert times == sorted(set(times))
        device.faults.no_fix = device.faults.stale_position = True
        async with asyncio.timeout(WITHIN_S):
            async for word in listener.words():
                if isinstance(word, tuple) and not word[1].valid:
                    assert word[1].why == "RMC status V" and word[1].lat is None
                    break
        device.faults.bad_checksum_share = 1.0
        async with asyncio.timeout(WITHIN_S):
            async for word in listener.words():
                if isinstance(word, Garbage):
                    assert word.why == "wrong checksum"
                    break
        await link.close()
        await asyncio.sleep(0)
    device.close()
