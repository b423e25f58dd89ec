"""A reading portal: cameras with their own recognition box, which pushes each read as a line of JSON.

    {"what": "plate" | "trailer" | "container" | "seal", "text": "...", "confidence": 0.97, "camera": "front"}\\n

UTF-8. Lines go to whoever is connected at that moment and are not kept.
"""

import asyncio
import json
import random
from typing import Literal

from simulators.clock import SimClock
from simulators.faults import CameraFaults
from simulators.pipes import OnWire

What = Literal["plate", "trailer", "container", "seal"]


class ReadPortal(OnWire):
    """Says what the world lets it see."""

    def __init__(self, clock: SimClock, *, seed: int = 0, faults: CameraFaults | None = None) -> None:
        super().__init__()
        self.faults = CameraFaults() if faults is None else faults
        self.reads_pushed = 0
        self._clock = clock
        self._random = random.Random(seed)

    def push(self, what: What, text: str, confidence: float, camera: str) -> None:
        """One read, now."""
        read = {"what": what, "text": text, "confidence": confidence, "camera": camera}
        line = json.dumps(read, ensure_ascii=False).encode() + b"\n"
        if self.faults.silent:
            return
        if self._random.random() < self.faults.half_share:
            line = line[: self._random.randint(1, len(line) - 1)]
        self.reads_pushed += 1
        self.pipe.send(line)

    async def run(self) -> None:
        """Until cancelled. The portal has no life of its own: reads come by `push`."""
        await asyncio.Event().wait()


if __name__ == "__main__":
    import sys

    from simulators.__main__ import main

    main(["camera", *sys.argv[1:]])
