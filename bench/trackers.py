"""Vehicle terminals by JT/T 808: positions per CPU-second, and 500 of them at 1 Hz on real connections.

    python -m bench.trackers [--positions 40000] [--rounds 3] [--terminals 500] [--seconds 20]

Positions: 0x0200 of many terminals as one stream in pieces of 4 kB, rounds interleaved, process time:
    by hand           flags found, escapes undone, XOR folded, numbers by struct: latitude, longitude, speed, time
    quaygate          drivers/gps/jt808/frames.py: messages
    quaygate, a Fix   the port's driver: messages in order, answers made and encoded, fixes judged against the clock
Fleet: another process dials with so many terminals, which register, show their code and report each second; all is
answered. Told is the processor time of the platform's process as a share of one core, once everybody is there, and how
old a position is when its fix is here (terminals name whole seconds, so up to one is their own).
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable

from drivers.gps.config import Jt808Config
from drivers.gps.jt808.device import Jt808Listener
from drivers.gps.jt808.frames import Decoder
from drivers.readings import Chunk, Garbage, Instant
from edge.clock import SiteClock
from edge.trackers import open_source

PIECE_BYTES = 4096
SENDERS = 100
BEIJING = dt.timezone(dt.timedelta(hours=8))
ALL_THERE_S = 120.0


def _bcd(digits: str) -> bytes:
    return bytes.fromhex(digits)


def report(terminal: int, serial: int, at: float) -> bytes:
    """A position by JT/T 808-2013 with mileage, signal and satellites, as the standard has it."""
    moment = dt.datetime.fromtimestamp(at, BEIJING)
    body = struct.pack(
        ">IIIIHHH", 0, 0xC0003, 36_010_000 + serial % 9000, 120_200_000 + terminal * 37, 12, serial % 600, serial % 360
    )
    body += _bcd(f"{moment:%y%m%d%H%M%S}") + b"\x01\x04" + struct.pack(">I", serial) + b"\x30\x01\x18\x31\x01\x0e"
    bare = struct.pack(">HH", 0x0200, len(body)) + _bcd(f"{13_900_000_000 + terminal:012d}")
    bare += struct.pack(">H", serial & 0xFFFF) + body
    check = 0
    for byte in bare:
        check ^= byte
    bare += bytes((check,))
    return b"\x7e" + bare.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def pieces(count: int, began: float) -> list[bytes]:
    """So many positions, SENDERS of them a second."""
    log = b"".join(report(n % SENDERS, n // SENDERS, began + n // SENDERS) for n in range(count))
    return [log[at : at + PIECE_BYTES] for at in range(0, len(log), PIECE_BYTES)]


def by_hand(log: list[bytes]) -> int:
    """As one would write it."""
    read, rest = 0, b""
    for piece in log:
        *frames, rest = (rest + piece).split(b"\x7e")
        for frame in frames:
            if not frame:
                continue
            bare = frame.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
            check = 0
            for byte in bare:
                check ^= byte
            if check:
                continue
            kind, properties = struct.unpack_from(">HH", bare)
            if kind != 0x0200:
                continue
            number, body = bare[4:10].hex(), bare[12 : 12 + (properties & 0x3FF)]
            _, status, lat, lon, _, speed, course = struct.unpack_from(">IIIIHHH", body)
            when = dt.datetime.strptime(body[22:28].hex(), "%y%m%d%H%M%S")  # noqa: DTZ007 - by hand
            _ = number, status & 2, lat / 1e6, lon / 1e6, speed / 10, course, when
            read += 1
    return read


def messages(log: list[bytes]) -> int:
    """The codec alone."""
    decoder, read = Decoder(), 0
    for piece in log:
        decoder.receive(piece)
        while (word := decoder.next_word()) is not None:
            assert not isinstance(word, Garbage)
            read += 1
    return read


class _Ended(Exception):
    """The log is read."""


class _LogPort:
    """A port whose one sender says the log."""

    whole = False

    def __init__(self, log: list[bytes], at: float) -> None:
        self._left = iter(log)
        self._at = Instant(at)

    async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:  # noqa: ARG002 - it is never silent
        piece = next(self._left, None)
        if piece is None:
            raise _Ended
        return Chunk(piece, self._at), "192.0.2.1:1"

    def write_to(self, client: str, data: bytes) -> bool:
        return bool(client and data)

    def hang_up(self, client: str) -> None:
        raise AssertionError(client)


def fixes(log: list[bytes]) -> int:
    """The driver, as the tracker's process runs it."""

    async def all_of_them() -> int:
        clock, read = SiteClock(), 0
        link = {"kind": "tcp-listen", "listen_host": "127.0.0.1", "listen_port": 8808}
        config = Jt808Config.model_validate({"name": "yard", "link": link})
        with contextlib.suppress(_Ended):
            async for word in Jt808Listener(_LogPort(log, clock.now()), config, clock).words():
                assert not isinstance(word, Garbage), word
                read += 1
        return read

    return asyncio.run(all_of_them())


def codec(positions: int, rounds: int) -> None:
    """The first table."""
    log = pieces(positions, time.time() - positions / SENDERS)
    ways: dict[str, Callable[[list[bytes]], int]] = {
        "by hand": by_hand, "quaygate": messages, "quaygate, a Fix": fixes,
    }  # fmt: skip
    runs: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            read = way(log)
            runs[name].append(read / (time.process_time() - began))
            assert read == positions, (name, read)
    first = statistics.median(runs["by hand"])
    print(f"\nJT/T 808 positions per CPU-second, medians of {rounds} interleaved rounds\n")
    print("| way | positions/s | x |\n| --- | --- | --- |")
    for name, got in runs.items():
        print(f"| {name} | {statistics.median(got):.0f} | {statistics.median(got) / first:.2f} |")


async def fleet(terminals: int, seconds: float) -> None:
    """The second table."""
    clock = SiteClock()
    link = {"kind": "tcp-listen", "listen_host": "127.0.0.1", "listen_port": 0}
    source = await open_source(Jt808Config.model_validate({"name": "yard", "link": link}), clock)
    where = source.link.name.removeprefix("tcp-listen:")
    dialling = subprocess.Popen(
        [sys.executable, "-m", "simulators", "jt808", "--to", where, "--terminals", str(terminals)],
        stdout=subprocess.DEVNULL,
    )
    heard: set[str] = set()
    ages: list[float] = []
    began_cpu = began = 0.0
    count = 0
    try:
        async with asyncio.timeout(ALL_THERE_S + seconds):
            async for word in source.listener.words():
                assert not isinstance(word, Garbage), word
                name, fix = word
                if not began:
                    heard.add(name)
                    if len(heard) == terminals:
                        began, began_cpu = time.monotonic(), time.process_time()
                    continue
                count += 1
                ages.append(fix.at - (fix.fix_time or 0.0))
                if time.monotonic() - began >= seconds:
                    break
    finally:
        dialling.terminate()
        dialling.wait(20)
        await source.close()
    took, cpu = time.monotonic() - began, time.process_time() - began_cpu
    print(f"\n{terminals} terminals at 1 Hz over as many TCP connections, {took:.0f} s\n")
    print("| fixes/s | of one core | CPU us a fix, answer included | age p50 s | age p99 s |")
    print("| --- | --- | --- | --- | --- |")
    ages.sort()
    print(
        f"| {count / took:.0f} | {cpu / took:.1%} | {cpu / count * 1e6:.0f} | {ages[len(ages) // 2]:.2f} "
        f"| {ages[len(ages) * 99 // 100]:.2f} |"
    )


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(prog="bench.trackers", description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--positions", type=int, default=40_000)
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--terminals", type=int, default=500)
    ask.add_argument("--seconds", type=float, default=20.0)
    arguments = ask.parse_args(argv)
    codec(arguments.positions, arguments.rounds)
    import uvloop

    uvloop.run(fleet(arguments.terminals, arguments.seconds))


if __name__ == "__main__":
    main()
