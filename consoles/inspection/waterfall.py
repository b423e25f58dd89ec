"""The picture as it grows while the truck passes: what the scanner's process has written, a few times a second."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consoles.clock import ConsoleClock
from vision.xray.growing import DamagedScan, GrowingScan, under_way
from vision.xray.scan import Energy, Noise
from vision.xray.store import Archive
from vision.xray.tiles import strip, upright

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.25
"""Real seconds: a truck at walking pace moves one decimetre."""
LEVEL: Final = 2
"""1/4: a whole truck fits on a screen, and its line needs a tenth of a 2 Mbit/s link."""
STEP_ROWS: Final = 2**LEVEL
MOST_ROWS: Final = 1024
"""In one message: who comes late gets what is there in a few of them."""
NOISE: Final = Noise(1.42, 40.0)
"""The design dose's: the scan's own is known at its end only."""


@dataclass(frozen=True, slots=True)
class _Begun:
    scan: GrowingScan
    text: str


class Waterfall:
    """Follows the scans of one scanner."""

    def __init__(self, archive: Archive, scanner: str, clock: ConsoleClock) -> None:
        self._archive, self._scanner, self._clock = archive, scanner, clock

    async def follow(self) -> AsyncGenerator[str | bytes, None]:
        """Text when a scan begins and ends, bytes (a tile of vision/xray/tiles.py) for what came since. Close it."""
        known: Path | None = None
        while True:
            begun = await asyncio.to_thread(self._begin, known)
            if begun is not None:
                known = begun.scan.path
                try:
                    yield begun.text
                    async for piece in self._of(begun.scan):
                        yield piece
                finally:
                    begun.scan.close()
                yield json.dumps({"t": "end"})
            await self._clock.pause(LOOK_EVERY_S)

    async def _of(self, scan: GrowingScan) -> AsyncGenerator[bytes, None]:
        done = 0
        while True:
            over = scan.over
            try:
                piece, done_now = await asyncio.to_thread(_piece, scan, done)
            except DamagedScan as wrong:
                # While its writer ends it, nobody can read it for a moment; what it is then, the next look shows.
                log.debug("%s: %s", scan.path.name, wrong)
                if over:
                    return
                await self._clock.pause(LOOK_EVERY_S)
                continue
            if piece is not None:
                done = done_now
                yield piece
            elif over:
                return
            else:
                await self._clock.pause(LOOK_EVERY_S)

    def _begin(self, known: Path | None) -> _Begun | None:
        path = under_way(self._archive).get(self._scanner)
        if path is None or path == known:
            return None
        try:
            scan = GrowingScan(path)
        except DamagedScan:
            return None
        geometry = scan.head.geometry
        card = {
            "t": "scan",
            "started": scan.head.started,
            "pixels": geometry.pixels,
            "x_mm": geometry.pitch_mm,
            "y_mm": abs(geometry.pixel_mm()),
            "level": LEVEL,
        }
        return _Begun(scan, json.dumps(card))


def _piece(scan: GrowingScan, done: int) -> tuple[bytes | None, int]:
    ready = min(scan.rows() - (scan.rows() - done) % STEP_ROWS, done + MOST_ROWS)
    if ready <= done:
        return None, done
    image = upright(scan.picture(Energy.HE, done, ready))
    return strip(image, Energy.HE, LEVEL, done // STEP_ROWS, NOISE), ready


async def scanning(archive: Archive) -> list[str]:
    """Scanners under whose beam a truck is passing."""
    return sorted(await asyncio.to_thread(under_way, archive))
