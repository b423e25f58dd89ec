"""A lone device, started as a technician starts it."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.simulators.wires import DEADLINE_S, serial_line, tcp_line

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def started(module: str, *options: str) -> AsyncGenerator[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-m", module, *options, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield json.loads(await process.stdout.readline())["ready"]
    finally:
        process.terminate()
        async with asyncio.timeout(DEADLINE_S):
            assert await process.wait() == 0


async def test_a_weighbridge_weighs_over_tcp_and_a_serial_line():
    options = ("weighbridge", "--tcp", "--pty", "--load", "38260", "--speed", "50", "--seed", "4")
    async with started("simulators", *options) as ready:
        async with tcp_line(tuple(ready["tcp"])) as line:
            await line.until(b"\x02+03826")
        async with serial_line(ready["pty"]) as line:
            await line.until(b"\x02+03826")


@pytest.mark.parametrize(
    ("module", "options", "wire", "answer"),
    [
        ("simulators.weighbridge", (), b"", b"\x02+00000001B\x03"),
        (
            "simulators.lane_io",
            ("--module", "plain-8ch", "--occupied", "loop_boom"),
            bytes.fromhex("0001 0000 0006 01 02 0000 0008"),
            bytes.fromhex("0001 0000 0004 01 02 01 a8"),
        ),
        (
            "simulators.rfid",
            ("--epc", "e200001d7315016521408fc6"),
            bytes.fromhex("bb00220000227e"),
            bytes.fromhex("e200001d7315016521408fc6b83e"),
        ),
        (
            "simulators",
            ("llrp", "--epc", "e200001d7315016521408fc6"),
            bytes.fromhex("04010000000b0000000100"),
            bytes.fromhex("040b0000001200000001011f000800000000"),
        ),
        ("simulators.camera", ("--speed", "20"), b"", "沪AD3F88".encode()),
        ("simulators.gps", ("--name", "t1", "--speed", "20"), b"", b"\\s:t1,c:"),
        ("simulators.sign", ("--rows", "1"), b"a|b\r\n", b"ERR 3\r\n"),
    ],
)
async def test_each_device_alone(module: str, options: tuple[str, ...], wire: bytes, answer: bytes):
    async with started(module, *options) as ready, tcp_line(tuple(ready["tcp"])) as line:
        line.write(wire)
        await line.until(answer)


async def test_an_unknown_device_is_refused():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", "toaster", cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(DEADLINE_S):
        _, words = await process.communicate()
    assert process.returncode == 2 and b"weighbridge" in words
