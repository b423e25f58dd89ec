"""A simulated scanner beside the real processes of a demo: the child, the trucks that pass it, its `[[scanners]]`."""

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

from edge.demo import LINE_CEILING, READY_WITHIN_S, SimulatorFailed, heard_ready
from edge.supervisor import TETHER

SCANNER, SCANNER_PIXELS, CLEAR_PIXELS = "X01", 512, 12
SCAN_EVERY_S = 60.0
"""Site seconds from a scan's end to the next truck at the scanner: a reader keeps up."""
HIDDEN_SHARE, EMPTY_SHARE = 0.25, 0.1
"""Of the trucks at the scanner: something else among the goods; nothing in the container."""
SCANS = 60
"""Of a demo: at some ten megabytes each they fill no disk."""
SCAN_SPEED_CEILING = 2.0
"""Faster, the simulated beam takes more than a processor can give beside a port."""


@asynccontextmanager
async def simulated_scanner(
    lines: int, clock: Mapping[str, Any], seed: int, coming: deque[Mapping[str, Any]]
) -> AsyncGenerator[tuple[Mapping[str, Any], Callable[[], Coroutine[None, None, None]]]]:
    """A scanner's `ready`, and what sends truck after truck through it. Raises SimulatorFailed.

    `coming`: trucks on their way to the lanes; the newest is scanned on it. While there is none, some other truck is.
    """
    argv = (sys.executable, "-m", "simulators", "xray", "--lines", f"127.0.0.1:{lines}")
    asked = {"pixels": SCANNER_PIXELS, "speed": clock["speed"], "origin": clock["origin"], "seed": seed}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", TETHER, str(os.getpid()), *argv),
        *(word for name, value in asked.items() if value is not None for word in (f"--{name}", str(value))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_CEILING,
        start_new_session=True,
    )
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None

    async def send() -> None:
        draw = Random(seed)  # noqa: S311 - what a simulated truck hides
        for _ in range(SCANS):
            scan: dict[str, Any] = {"named": True, "hidden": draw.random() < HIDDEN_SHARE}
            scan |= coming.pop() if coming else {"empty": draw.random() < EMPTY_SHARE}
            coming.clear()
            stdin.write(json.dumps({"scan": scan}).encode() + b"\n")
            while line := await stdout.readline():
                if "scanned" in json.loads(line):
                    break
            with suppress(TimeoutError):
                async with asyncio.timeout(SCAN_EVERY_S / float(clock["speed"])):
                    await process.wait()
                    return

    try:
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                ready = await heard_ready(stdout)
        except TimeoutError:
            raise SimulatorFailed(f"the simulated scanner is not ready after {READY_WITHIN_S:.0f} s") from None
        yield ready, send
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def scanner_table(ready: Mapping[str, Any], lines: int) -> dict[str, Any]:
    """The `[[scanners]]` of a simulated one, whose lines come to that port."""
    pixels = ready["pixels"]
    wiring = {"inputs": ready["inputs"], "inverted": ready["inverted"], "ready": 0}
    return {
        "id": SCANNER,
        "zh": "一号集装箱检查设备",
        "en": "Container scanner 1",
        "energies_mev": ready["energies_mev"],
        "clear": [pixels - CLEAR_PIXELS, CLEAR_PIXELS],
        "detector": {
            "listen_host": "127.0.0.1", "listen_port": lines, "pixels": pixels, "line_hz": 2 * ready["pulse_hz"],
        },
        "geometry": ready["geometry"],
        "source": {"link": ready["source"]},
        "safety": {"module": "adam-6050", "link": ready["safety"], **wiring},
        "cameras": [{"name": "portal", "link": ready["ocr"]}],
    }  # fmt: skip
