"""Weight frames per CPU-second over a pty: bytes -> a weight with its status, beside pyserial in a thread, in one run.

    python -m bench.serial_frames [--frames 60000] [--hz 400] [--rounds 3]

Another process holds the far end of the pty and says what a truck scale says: most of the time the same number, then
a truck that comes on in steps, swings and rests. Two dialects: Yaohua A9 (12 bytes, XOR) and Mettler Toledo continuous
(18 bytes, three status bytes, check byte). Two paces: as fast as it is read, and frame by frame, as a real indicator
speaks (`--hz` of them a second stand for that many tenths of an indicator). Both sides check start, end and check sum
and hand every frame to a consumer that counts them:
    pyserial thread   read(in_waiting or 1) in a thread, the usual loop over a buffer, a float and a stable flag; of the
                      Mettler's status: point, sign, net, out of range, motion
    quaygate          drivers/link/serial.py on the event loop that production uses, drivers/weighbridge/device.py:
                      Decimal kilograms, seven kinds of status, quality by repetition, overload and division checked; of
                      the Mettler's status every bit, the unit and the tare
Processor time of the reading process from its first to its last frame. Prints a table of medians.
"""

import argparse
import json
import os
import select
import statistics
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from decimal import Decimal

PYTHON = sys.executable
BASELINE, OWN = "pyserial thread", "quaygate"
END_DEADLINE_S = 120.0
REST_FRAMES = 300
"""Half a minute at ten a second: a deck at rest, empty or laden."""
STEP_FRAMES = 40
"""Four seconds of axles that come on."""
LAST = 99_980
"""Never weighed here: says that the stream is over."""


def frame(display: int) -> bytes:
    """As the indicator's manual has it."""
    body = b"%c%06d0" % (b"-" if display < 0 else b"+", abs(display))
    total = 0
    for byte in body:
        total ^= byte
    return b"\x02%b%02X\x03" % (body, total)


def mettler(display: int, moving: bool) -> bytes:
    """As the indicator's manual has it: kilograms, no point, the last place counts by 2 and a dummy zero behind it."""
    body = b"\x02%c%c%c%6d%6d\r" % (0x31, 0x30 | moving << 3 | (display < 0) << 1, 0x20, abs(display), 0)
    return body + bytes((-sum(body) & 0x7F,))


FRAMES: dict[str, Callable[[int, bool], bytes]] = {"yaohua-a9": lambda load, _: frame(load), "mt-continuous": mettler}


def loads(count: int) -> Iterator[tuple[int, bool]]:
    """So many displays of an ordinary day, and whether the load moves; then the last one."""
    load = 0
    while True:
        target = 0 if load else 38_000
        for step in range(STEP_FRAMES + REST_FRAMES):
            resting = step >= STEP_FRAMES
            load = target if resting else load + (target - load) * (step + 1) // STEP_FRAMES // 20 * 20
            yield load, not resting
            if (count := count - 1) == 0:
                yield LAST, False
                return


def feed(master: int, dialect: str, frames: int, hz: float) -> None:
    """Say them all: as fast as they are taken, or one by one."""
    words = [FRAMES[dialect](load, moving) for load, moving in loads(frames)]
    if not hz:
        data = b"".join(words)
        while data:
            data = data[os.write(master, data[:4096]) :]
        return
    began = time.monotonic()
    for number, word in enumerate(words):
        time.sleep(max(0.0, began + number / hz - time.monotonic()))
        os.write(master, word)


def report(frames: int, began_s: float) -> None:
    """What the measuring process wants to know."""
    print(json.dumps({"frames": frames, "cpu_s": time.process_time() - began_s}), flush=True)


def baseline(path: str, dialect: str) -> None:
    """As one would write it by hand."""
    import serial

    done = threading.Event()
    began_s = count = 0.0
    latest: tuple[float, bool, float] = (0.0, False, 0.0)

    def consume(kg: float, *, stable: bool) -> None:
        nonlocal began_s, count, latest
        began_s = began_s or time.process_time()
        latest = (kg, stable, time.time())
        count += 1
        if kg == LAST:
            done.set()

    def yaohua(buffer: bytearray) -> None:
        nonlocal recent
        while len(buffer) >= 12:
            if buffer[0] != 0x02:
                del buffer[0]
                continue
            word = bytes(buffer[:12])
            check = 0
            for byte in word[1:9]:
                check ^= byte
            if word[11] != 0x03 or word[1:2] not in (b"+", b"-") or int(word[9:11], 16) != check:
                del buffer[0]
                continue
            del buffer[:12]
            kg = int(word[2:8]) / 10 ** (word[8] - 0x30)
            kg = -kg if word[1:2] == b"-" else kg
            recent = [*recent[-4:], kg]
            consume(kg, stable=len(recent) == 5 and max(recent) - min(recent) <= 20)

    def toledo(buffer: bytearray) -> None:
        while len(buffer) >= 18:
            if buffer[0] != 0x02:
                del buffer[0]
                continue
            word = bytes(buffer[:18])
            if sum(word) & 0x7F or word[16] != 0x0D:
                del buffer[0]
                continue
            del buffer[:18]
            status, point = word[2], word[1] & 7
            kg = int(word[4:10]) / 10 ** max(0, point - 2)
            kg = -kg if status & 2 else kg
            out, net = status & 4, status & 1
            consume(kg, stable=not status & 8 and not out and not net)

    def read() -> None:
        buffer = bytearray()
        take = yaohua if dialect == "yaohua-a9" else toledo
        while not done.is_set():
            buffer += port.read(port.in_waiting or 1)
            take(buffer)

    recent: list[float] = []
    port = serial.Serial(path, 115_200, timeout=1)
    thread = threading.Thread(target=read)
    thread.start()
    print("ready", flush=True)
    done.wait(END_DEADLINE_S)
    report(int(count), began_s)
    thread.join()
    port.close()


async def own(path: str, dialect: str) -> None:
    """The driver as the lane runs it."""
    from drivers.link import open_link
    from drivers.link.modbus_config import ModbusRtuConfig, ModbusTcpConfig
    from drivers.weighbridge.config import WeighbridgeConfig
    from drivers.weighbridge.device import Weighbridge
    from drivers.weighbridge.reading import Weight
    from edge.clock import SiteClock

    config = WeighbridgeConfig.model_validate(
        {
            "dialect": dialect,
            "max_kg": 100_000,
            "division_kg": 20,
            "link": {"kind": "serial", "device": path, "baud": 115_200},
        }
    )
    clock = SiteClock()
    assert not isinstance(config.link, ModbusTcpConfig | ModbusRtuConfig)
    link = await open_link(config.link, clock)
    print("ready", flush=True)
    began_s = count = 0.0
    last = Decimal(LAST)
    async for word in Weighbridge(link, config, clock).words():
        began_s = began_s or time.process_time()
        assert isinstance(word, Weight), word
        count += 1
        if word.kg == last:
            break
    report(int(count), began_s)
    await link.close()


def measure(who: str, dialect: str, frames: int, hz: float) -> float:
    """Frames per CPU-second of one reader, once."""
    master, slave = os.openpty()
    tty.setraw(slave)
    reader = subprocess.Popen(
        [PYTHON, "-m", "bench.serial_frames", "--role", who, os.ttyname(slave), dialect],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert reader.stdout is not None
        if reader.stdout.readline() != "ready\n":
            raise RuntimeError(f"{who} did not open the pty")
        feeder = threading.Thread(target=feed, args=(master, dialect, frames, hz), daemon=True)
        feeder.start()
        if not select.select([reader.stdout], [], [], END_DEADLINE_S)[0]:
            raise RuntimeError(f"{who} did not read {frames} frames within {END_DEADLINE_S:g} s")
        said = json.loads(reader.stdout.readline())
        if said["frames"] != frames + 1:
            raise RuntimeError(f"{who} read {said['frames']} of {frames + 1} frames")
        reader.wait(END_DEADLINE_S)
        return said["frames"] / said["cpu_s"]
    finally:
        if reader.poll() is None:
            reader.kill()
        reader.wait()
        os.close(slave)
        os.close(master)


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(prog="bench.serial_frames", description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--frames", type=int, default=60_000, help="at full speed")
    ask.add_argument("--hz", type=float, default=400.0, help="of the row that is spoken frame by frame, for 5 s")
    ask.add_argument("--rounds", type=int, default=3)
    arguments = ask.parse_args(argv)
    paces = {"as fast as it is read": (arguments.frames, 0.0), "frame by frame": (int(5 * arguments.hz), arguments.hz)}
    print(f"\nframes per CPU-second over a pty, medians of {arguments.rounds} interleaved rounds\n")
    print(f"| dialect | pace | {BASELINE} | {OWN} | x |")
    print("| --- | --- | --- | --- | --- |")
    for dialect in FRAMES:
        for pace, (frames, hz) in paces.items():
            runs: dict[str, list[float]] = {BASELINE: [], OWN: []}
            for _ in range(arguments.rounds):
                for who, got in runs.items():
                    got.append(measure(who, dialect, frames, hz))
            hand, house = (statistics.median(got) for got in runs.values())
            print(f"| {dialect} | {pace} | {hand:.0f} | {house:.0f} | {house / hand:.2f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--role"]:
        role, port_path, spoken = sys.argv[2:]
        if role == OWN:
            import uvloop

            uvloop.run(own(port_path, spoken))
        else:
            baseline(port_path, spoken)
    else:
        main()
