"""Frames printed in manuals: the third witness, neither our code nor the library's nor the pretended module's."""

import json
from pathlib import Path
from typing import Any

import pytest

from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_tables import TABLES, FlashOn
from tests.drivers.modbus.conftest import QUICK
from tests.drivers.modbus.module import Module, crc, over_rtu

FRAMES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "modbus" / "frames.json").read_text("utf-8")
)["frames"]
BY_ID = {frame["id"]: frame for frame in FRAMES}


async def call(link: ModbusLink, verb: str, *words: Any) -> Any:
    if verb == "write_coil":
        return await link.write_coil(words[0], on=words[1])
    return await getattr(link, verb)(*words)


@pytest.mark.parametrize("name", [n for n, frame in BY_ID.items() if "request" in frame])
async def test_request_is_the_manuals_frame(name: str) -> None:
    frame, module = BY_ID[name], Module()
    async with over_rtu(module) as config:
        link = await open_modbus(config, QUICK)
        await call(link, *frame["call"])
        await link.close()
    body = bytes((module.unit,)) + module.asked[0]
    assert (body + crc(body)).hex() == frame["request"]
    assert len(module.asked) == 1


@pytest.mark.parametrize("name", [n for n, frame in BY_ID.items() if "answer" in frame])
async def test_answer_is_read_as_the_manual_reads_it(name: str) -> None:
    frame, module = BY_ID[name], Module()
    module.mangle = lambda _: bytes.fromhex(frame["answer"])
    async with over_rtu(module) as config:
        link = await open_modbus(config, QUICK)
        bits = await call(link, *frame["call"])
        await link.close()
    assert [n for n, bit in enumerate(bits) if bit] == frame["bits_on"]


def test_the_flash_frames_are_what_the_table_says() -> None:
    """M011: relay 1 for 700 ms; M012: relay 2 for 800 ms."""
    (flash,) = [table.pulse for table in TABLES if isinstance(table.pulse, FlashOn)]
    assert BY_ID["M011"]["call"] == ["write_coil_word", flash.start, round(0.7 / flash.unit_s)]
    assert BY_ID["M012"]["call"] == ["write_coil_word", flash.start + 1, round(0.8 / flash.unit_s)]
