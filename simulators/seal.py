"""Electronic locks by Jointech's long frame (JT701) that dial one TCP port, until interrupted.

`24 id(5) version type length(2) day/time(6) place(9) speed course mileage(4) satellites vehicle(4) status(2) battery
cell(5) fence(4) index`, numbers in BCD where they are for people. Status bits: 3 rope cut, 4 vibration, 5 wants an
answer, 6 rope in, 7 motor locked, 8 unlock alarm, 9 wrong password, 10 unknown card, 11 low battery, 12 back opened,
13 cap closed, 14 motor fault. A frame that wants one is sent again until `(P35)`, from version 19 on `(P69,0,index)`.
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from simulators.clock import SimClock

DIAL_AGAIN_S = 1.0
AGAIN_S = 5.0
KEPT = 1000


@dataclass(slots=True, kw_only=True)
class SealFaults:
    """Of a seal. All are turned while it runs."""

    silent: bool = False
    unplugged: bool = False
    no_fix: bool = False
    half_share: float = 0.0
    noise_share: float = 0.0


class Seal:
    """One lock. Its parts are set from outside."""

    def __init__(
        self,
        clock: SimClock,
        number: str,
        *,
        version: int = 0x19,
        period_s: float = 10.0,
        lat: float = 36.0,
        lon: float = 120.2,
        seed: int = 0,
    ) -> None:
        self.faults = SealFaults()
        self.number = number
        self.rope_in = self.locked = self.cap_closed = True
        self.rope_cut = self.back_opened = self.vibrates = False
        self.battery = 100
        self.charging = False
        self.answered = 0
        self.sent = 0
        self.repeats = 0
        self._clock = clock
        self._version = version
        self._period_s = period_s
        self._lat, self._lon = lat, lon
        self._random = random.Random(seed)
        self._index = 0
        self._waiting: dict[int, bytes] = {}

    def status(self) -> int:
        """As in the frame, with the wish for an answer."""
        bits = {
            3: self.rope_cut, 4: self.vibrates, 5: True, 6: self.rope_in, 7: self.locked, 11: self.battery < 20,
            12: self.back_opened, 13: self.cap_closed,
        }  # fmt: skip
        return sum(on << bit for bit, on in bits.items())

    def frame(self, at: float) -> bytes:
        """What it says at this moment."""
        self._index = self._index % 255 + 1
        fix = not self.faults.no_fix
        day = f"{datetime.fromtimestamp(int(at), UTC):%d%m%y%H%M%S}" if fix else "010100000000"
        north, east = self._lat >= 0, self._lon >= 0
        place = _minutes(self._lat if fix else 0.0, 2) + _minutes(self._lon if fix else 0.0, 3)
        place += f"{fix | north << 1 | east << 2 | 8:x}"
        body = bytes.fromhex(day + place) + b"\x00\x00" + bytes(4) + bytes((9 if fix else 0,)) + bytes(4)
        body += self.status().to_bytes(2, "big") + bytes((0xFF if self.charging else self.battery,))
        body += bytes.fromhex("f91ea0671d") + bytes.fromhex("00020f0f") + bytes((self._index,))
        head = bytes.fromhex(self.number) + bytes((self._version, 0x11)) + len(body).to_bytes(2, "big")
        return b"\x24" + head + body

    async def run(self, host: str, port: int) -> None:
        """Dial, live, dial again."""
        while True:
            if not self.faults.unplugged:
                with contextlib.suppress(OSError):
                    await self._live(host, port)
            await self._clock.sleep(DIAL_AGAIN_S)

    async def _live(self, host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        hearing = asyncio.ensure_future(self._hear(reader))
        try:
            due = self._clock.now()
            again = due + AGAIN_S
            while not hearing.done() and not self.faults.unplugged:
                now = self._clock.now()
                if now >= due and not self.faults.silent:
                    due = now + self._period_s
                    frame = self.frame(now)
                    self._waiting[self._index] = frame
                    for old in list(self._waiting)[:-KEPT]:
                        del self._waiting[old]
                    self.sent += 1
                    self._put(writer, frame)
                if now >= again and not self.faults.silent:
                    again = now + AGAIN_S
                    for frame in self._waiting.values():
                        self.repeats += 1
                        self._put(writer, frame)
                await self._clock.sleep(0.1)
        finally:
            hearing.cancel()
            writer.transport.abort()

    def _put(self, writer: asyncio.StreamWriter, frame: bytes) -> None:
        if self._random.random() < self.faults.half_share:
            frame = frame[: self._random.randint(1, len(frame) - 1)]
        if self._random.random() < self.faults.noise_share:
            frame = bytes(self._random.choice(b"\x00\xff\x7e\x99") for _ in range(self._random.randint(1, 9))) + frame
        writer.write(frame)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                said = await reader.readuntil(b")")
                if self._version < 0x19 and said == b"(P35)" and self._waiting:
                    self._waiting.pop(next(iter(self._waiting)))
                    self.answered += 1
                elif self._version >= 0x19 and said.startswith(b"(P69,0,"):
                    self.answered += self._waiting.pop(int(said[7:-1]), None) is not None


def _minutes(value: float, degrees: int) -> str:
    whole, minutes = divmod(round(abs(value) * 600_000), 600_000)
    return f"{whole:0{degrees}d}{minutes:06d}"


def main(argv: Sequence[str] | None = None) -> None:
    """Seals that dial one port, until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m simulators seal", description="Electronic seals (Jointech JT701).")
    parser.add_argument("--to", default="127.0.0.1:10900", metavar="HOST:PORT", help="the port they dial")
    parser.add_argument("--seals", type=int, default=1)
    parser.add_argument("--first", default="8041300978", help="number of the first; the others count up")
    parser.add_argument("--period", type=float, default=10.0, help="site seconds between reports")
    parser.add_argument("--state", choices=("locked", "unlocked", "opened", "cut", "tampered"), default="locked")
    parser.add_argument("--battery", type=int, default=100)
    parser.add_argument("--speed", type=float, default=1.0, help="site seconds per real second")
    parser.add_argument("--origin", type=float, default=None, help="UTC seconds at which site time equals UTC")
    options = parser.parse_args(argv)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_dial(options))


async def _dial(options: argparse.Namespace) -> None:
    clock = SimClock(speed=options.speed, origin=options.origin)
    host, _, port = options.to.rpartition(":")
    seals = [Seal(clock, str(int(options.first) + n), period_s=options.period) for n in range(options.seals)]
    for seal in seals:
        seal.battery = options.battery
        seal.locked = options.state in ("locked", "cut", "tampered")
        seal.rope_in = options.state != "opened"
        seal.rope_cut = options.state == "cut"
        seal.back_opened = options.state == "tampered"
    print(json.dumps({"ready": {"device": "seal", "to": [host, int(port)], "seals": len(seals)}}), flush=True)
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run(host, int(port))) for each in seals]
        await stop.wait()
        for task in tasks:
            task.cancel()
    print(json.dumps({"sent": sum(s.sent for s in seals), "answered": sum(s.answered for s in seals)}), flush=True)


if __name__ == "__main__":
    main()
