"""A vehicle terminal that speaks JT/T 808: it dials its platform, registers, shows its code, reports where it is.

Written by hand from the standard (JT/T 808-2011, -2013, -2019): a message is header, body and their XOR between two
bytes 7E; inside, 7E goes out as 7D 02 and 7D as 7D 01. The header is message id, properties (ten bits of body length,
bit 13 for packets, bit 14 for the edition of 2019), the terminal's number in BCD (six bytes; since 2019 ten, after a
version byte) and a serial number that counts up with each message. Positions are millionths of a degree without sign,
south and west are bits of the status; the time is Beijing's. What the platform does not answer is said again; what
could not be sent for want of a network goes out later as one message 0x0704.

    python -m simulators jt808 --to 127.0.0.1:8808 --terminals 20 --edition 2019
"""

import argparse
import asyncio
import contextlib
import json
import math
import random
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulators.clock import SimClock
from simulators.faults import TerminalFaults
from simulators.gps import Circle, GeoState
from simulators.jt808_bytes import bcd, enclosed, item, number, opened

BEIJING_S = 8 * 3600.0
HEARTBEAT_S = 60.0
ANSWER_S = 5.0
"""Site seconds; the time of the standard's table of parameters, before it is doubled."""
TRIES = 3
DIAL_AGAIN_S = 0.5
KEPT_POSITIONS = 2000
BATCH_POSITIONS = 20
PACKET_BYTES = 900
READ_BYTES = 4096
NOISE = b"\x00\x55\xaa\xff\x7d\x31\x7e"


@dataclass(slots=True, kw_only=True)
class Told:
    """What one terminal has sent and heard; what a test compares with."""

    reports: int = 0
    """Positions that went out live."""
    kept: int = 0
    """Positions that went out late, in batches."""
    answered: int = 0
    """Messages whose general answer came with result 0."""
    refused: int = 0
    """.. with another result."""
    repeats: int = 0
    """Messages sent again for want of an answer."""
    dials: int = 0
    registered: bool = False
    authenticated: bool = False
    resent_packets: int = 0
    sent: list[tuple[int, float, float]] = field(default_factory=list[tuple[int, float, float]])
    """Every position that was measured: site second, latitude, longitude, as encoded. Kept when `remember` is on."""


@dataclass(slots=True)
class _Waiting:
    due: float
    tries: int
    kind: int
    frame: bytes
    positions: list[bytes]


class Terminal:
    """One terminal. `run` until cancelled."""

    def __init__(
        self,
        clock: SimClock,
        phone: str,
        position: Callable[[], GeoState],
        *,
        edition: int = 2013,
        period_s: float = 1.0,
        plate: str = "",
        seed: int = 0,
        faults: TerminalFaults | None = None,
        remember: bool = False,
        packets: bool = False,
    ) -> None:
        """`phone`: digits. `packets`: batches go out in packets of less than a kilobyte even where one would do."""
        self.phone = phone
        self.told = Told()
        self.faults = TerminalFaults() if faults is None else faults
        self._clock = clock
        self._position = position
        self._edition = edition
        self._period_s = period_s
        self._plate = plate
        self._random = random.Random(seed)
        self._remember = remember
        self._packets = packets
        self._serial = 0
        self._code: bytes | None = None
        self._write: Callable[[bytes], None] | None = None
        self._kept: list[bytes] = []
        self._waiting: dict[int, _Waiting] = {}
        """What has not been answered, by serial number."""
        self._parts: dict[int, dict[int, bytes]] = {}
        """Packets of the last messages that went out in several, by serial number of the first."""
        self._heard = bytearray()
        self._answers = asyncio.Event()
        self._mileage_km = 0.0

    async def run(self, host: str, port: int, *, udp: bool = False) -> None:
        """Dial, live, dial again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._measure())
            while True:
                with contextlib.suppress(OSError):
                    await (self._live_udp(host, port) if udp else self._live_tcp(host, port))
                self._write = None
                await self._clock.sleep(DIAL_AGAIN_S)

    async def _live_tcp(self, host: str, port: int) -> None:
        while self.faults.unplugged:
            await self._clock.sleep(DIAL_AGAIN_S)
        reader, writer = await asyncio.open_connection(host, port)
        self.told.dials += 1
        self._write = writer.write
        try:
            async with asyncio.TaskGroup() as group:
                talk = group.create_task(self._talk())
                try:
                    while (data := await reader.read(READ_BYTES)) and not self.faults.unplugged:
                        self._hear(data)
                finally:
                    talk.cancel()
        except* OSError:
            pass  # it dials again
        finally:
            writer.transport.abort()

    async def _live_udp(self, host: str, port: int) -> None:
        terminal = self

        class Heard(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
                terminal._hear(data)

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Heard, remote_addr=(host, port))
        self.told.dials += 1
        self._write = transport.sendto
        try:
            await self._talk()
        finally:
            transport.close()

    async def _talk(self) -> None:
        """Register and authenticate, then heartbeats, what was kept, and what was not answered."""
        unanswered = [body for each in self._waiting.values() for body in each.positions]
        self._kept = (unanswered + self._kept)[-KEPT_POSITIONS:]
        self._waiting.clear()
        if self._code is None and not self.faults.skips_registration:
            await self._until(lambda: self._code is not None, 0x0100, self._registration)
            self.told.registered = True
        if not self.faults.skips_registration:
            self.told.authenticated = False
            await self._until(lambda: self.told.authenticated, 0x0102, self._authentication)
        beat = self._clock.now()
        while True:
            await self._clock.sleep(min(1.0, self._period_s))
            now = self._clock.now()
            if self.faults.unplugged:
                raise ConnectionError("the cable is out")
            if self._kept:
                self._send_kept()
            if now - beat >= HEARTBEAT_S:
                beat = now
                self._say(0x0002, b"")
            for waiting in list(self._waiting.values()):
                if waiting.due > now:
                    continue
                if waiting.tries >= TRIES:
                    # The standard ends the connection; positions that were not answered go out late.
                    raise ConnectionError(f"message 0x{waiting.kind:04x} was not answered")
                self.told.repeats += 1
                waiting.due = now + ANSWER_S * 2**waiting.tries
                waiting.tries += 1
                self._put(waiting.frame)

    async def _until(self, done: Callable[[], bool], kind: int, body: Callable[[], bytes]) -> None:
        wait = ANSWER_S
        for _ in range(TRIES):
            self._say(kind, body(), expect=False)
            ends = self._clock.now() + wait
            while not done() and self._clock.now() < ends:
                await self._clock.sleep(0.05)
            if done():
                return
            wait *= 2
        if kind == 0x0102:
            self._code = None
        raise ConnectionError(f"message 0x{kind:04x} was not answered")

    async def _measure(self) -> None:
        """A position at each full period of site time. Missed ones are not made up for."""
        while True:
            now = self._clock.now()
            await self._clock.sleep((math.floor(now / self._period_s) + 1.0) * self._period_s - now)
            self.tell(self._clock.now())

    def tell(self, at: float) -> None:
        """Measure, and report or keep."""
        if self.faults.silent:
            return
        body = self.location(at)
        ready = self._write is not None and (self.told.authenticated or self.faults.skips_registration)
        if ready and not self.faults.unplugged and self._random.random() >= self.faults.keep_share:
            self.told.reports += 1
            self._say(0x0200, body, positions=[body])
            if self._random.random() < self.faults.duplicate_share:
                self._say(0x0200, body)
        elif len(self._kept) < KEPT_POSITIONS:
            self._kept.append(body)

    def location(self, at: float) -> bytes:
        """The body of 0x0200."""
        state = self._position()
        fixed = state.valid and not self.faults.no_fix
        lat = state.lat + self.faults.jump_m / 111_195.0
        y, x = round(abs(lat) * 1e6), round(abs(state.lon) * 1e6)
        status = 0x000C0000 | 1 | fixed << 1 | (lat < 0) << 2 | (state.lon < 0) << 3
        if not fixed and not self.faults.stale_position:
            x = y = 0
        self._mileage_km += state.speed_mps * self._period_s / 1000
        second = int(at)
        if self._remember and fixed:
            self.told.sent.append((second, y / 1e6 * (-1 if lat < 0 else 1), x / 1e6 * (-1 if state.lon < 0 else 1)))
        moment = datetime.fromtimestamp(second + BEIJING_S + self.faults.clock_off_s, UTC)
        words = (
            number(self.faults.alarms, 4),
            number(status, 4),
            number(y, 4),
            number(x, 4),
            number(12, 2),
            number(round(state.speed_mps * 36), 2),
            number(round(state.track_deg) % 360, 2),
            bcd(f"{moment:%y%m%d%H%M%S}"),
            item(0x01, number(round(self._mileage_km * 10), 4)),
            item(0x30, number(24, 1)),
            item(0x31, number(14 if fixed else 0, 1)),
        )
        return b"".join(words)

    def _send_kept(self) -> None:
        positions, self._kept = self._kept[:BATCH_POSITIONS], self._kept[BATCH_POSITIONS:]
        self.told.kept += len(positions)
        blocks = b"".join(number(len(each), 2) + each for each in positions)
        self._say(0x0704, number(len(positions), 2) + b"\x01" + blocks, positions=positions)

    def _registration(self) -> bytes:
        plate = self._plate.encode("gbk")
        area = number(37, 2) + number(201, 2)
        widths = {2011: (5, 8, 7), 2013: (5, 20, 7), 2019: (11, 30, 30)}[self._edition]
        names = ("QGSIM", "PT-1", self.phone[-7:])
        filled = b"".join(each.encode().ljust(width, b"\0") for each, width in zip(names, widths, strict=True))
        return area + filled + b"\x02" + plate

    def _authentication(self) -> bytes:
        code = self.faults.wrong_code.encode() or self._code or b""
        if self._edition < 2019:
            return code
        return number(len(code), 1) + code + b"860000000000000" + b"1.0".ljust(20, b"\0")

    def _say(self, kind: int, body: bytes, *, expect: bool = True, positions: list[bytes] | None = None) -> None:
        limit = PACKET_BYTES if self._packets else 1023
        pieces = [body[at : at + limit] for at in range(0, len(body), limit)] or [b""]
        if len(pieces) == 1:
            frame = self._frame(kind, body, None)
            if expect and self.faults.says_again:
                self._waiting[self._serial] = _Waiting(self._clock.now() + ANSWER_S, 1, kind, frame, positions or [])
            self._put(frame)
            return
        first = self._serial + 1 & 0xFFFF
        frames = {n: self._frame(kind, piece, (len(pieces), n)) for n, piece in enumerate(pieces, 1)}
        self._parts[first] = frames
        for old in list(self._parts)[:-4]:
            del self._parts[old]
        for frame in frames.values():
            if self._random.random() >= self.faults.lost_packet_share:
                self._put(frame)

    def _frame(self, kind: int, body: bytes, packet: tuple[int, int] | None) -> bytes:
        self._serial = self._serial + 1 & 0xFFFF
        wide = self._edition >= 2019
        properties = len(body) | (packet is not None) << 13 | wide << 14
        head = number(kind, 2) + number(properties, 2) + (b"\x01" if wide else b"")
        head += bcd(self.phone.rjust(20 if wide else 12, "0")) + number(self._serial, 2)
        if packet is not None:
            head += number(packet[0], 2) + number(packet[1], 2)
        bare = head + body
        check = 0
        for byte in bare:
            check ^= byte
        if self._random.random() < self.faults.bad_xor_share:
            check ^= self._random.randint(1, 255)
        return enclosed(bare + bytes((check,)))

    def _put(self, frame: bytes) -> None:
        if self._write is None or self.faults.unplugged:
            return
        if self._random.random() < self.faults.half_share:
            frame = frame[: self._random.randint(1, len(frame) - 1)]
        if self._random.random() < self.faults.noise_share:
            noise = bytes(self._random.choice(NOISE) for _ in range(self._random.randint(1, 12)))
            frame = noise + frame
        self._write(frame)

    def _hear(self, data: bytes) -> None:
        self._heard += data
        while (end := self._heard.find(0x7E, 1)) >= 0:
            inside, self._heard = bytes(self._heard[1:end]), self._heard[end + 1 :]
            bare = opened(inside)
            if bare:
                self._understand(bare[:-1])

    def _understand(self, bare: bytes) -> None:
        kind = int.from_bytes(bare[:2], "big")
        body = bare[17:] if self._edition >= 2019 else bare[12:]
        if kind == 0x8100 and body[2] == 0:
            self._code = body[3:]
        elif kind == 0x8001:
            serial, asked, result = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big"), body[4]
            if asked == 0x0102:
                self.told.authenticated = result == 0
            self._waiting.pop(serial, None)
            if result == 0:
                self.told.answered += 1
            else:
                self.told.refused += 1
        elif kind == 0x8003:
            frames = self._parts.get(int.from_bytes(body[:2], "big"), {})
            wanted = body[4:] if self._edition >= 2019 else body[3:]
            for at in range(0, len(wanted), 2):
                frame = frames.get(int.from_bytes(wanted[at : at + 2], "big"))
                if frame is not None:
                    self.told.resent_packets += 1
                    self._put(frame)


def main(argv: Sequence[str] | None = None) -> None:
    """A fleet of terminals that dial one platform, until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m simulators jt808", description="Vehicle terminals by JT/T 808.")
    parser.add_argument("--to", default="127.0.0.1:8808", metavar="HOST:PORT", help="the platform they dial")
    parser.add_argument("--terminals", type=int, default=1)
    parser.add_argument("--edition", type=int, choices=(2011, 2013, 2019), default=2013)
    parser.add_argument("--first", default="13900000001", help="number of the first; the others count up")
    parser.add_argument("--period", type=float, default=1.0, help="site seconds between reports")
    parser.add_argument("--lat", type=float, default=36.0)
    parser.add_argument("--lon", type=float, default=120.2)
    parser.add_argument("--radius", type=float, default=100.0, help="metres of the circle on which they drive")
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--speed", type=float, default=1.0, help="site seconds per real second")
    parser.add_argument("--origin", type=float, default=None, help="UTC seconds at which site time equals UTC")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_live(options))


async def _live(options: argparse.Namespace) -> None:
    clock = SimClock(speed=options.speed, origin=options.origin)
    host, _, port = options.to.rpartition(":")
    count: int = options.terminals
    fleet = [
        Terminal(
            clock,
            str(int(options.first) + n),
            Circle(clock, options.lat, options.lon, metres=options.radius, seconds=60.0, begin=n / count),
            edition=options.edition,
            period_s=options.period,
            seed=options.seed + n,
        )
        for n in range(count)
    ]
    print(json.dumps({"ready": {"device": "jt808", "to": [host, int(port)], "terminals": count}}), flush=True)
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run(host, int(port), udp=options.udp)) for each in fleet]
        await stop.wait()
        for task in tasks:
            task.cancel()
    reports, answered = sum(t.told.reports for t in fleet), sum(t.told.answered for t in fleet)
    print(json.dumps({"reports": reports, "answered": answered}), flush=True)


if __name__ == "__main__":
    main()
