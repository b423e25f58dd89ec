"""Weight frames per CPU-second over a pty: bytes -> a weight with its status, beside pyserial in a thread, in one run.

    python -m bench.serial_frames [--frames 60000] [--hz 400] [--rounds 3]

Another process holds the far end of the pty and says what a truck scale says: most of the time the same number, then
a truck that comes on in steps, swings and rests. Two paces: as fast as it is read, and frame by frame, as a real
indicator speaks (`--hz` of them a second stand for that many tenths of an indicator). Both rows check start, end, sign
and XOR and hand every frame to the same consumer, which counts them:
    pyserial thread   read(in_waiting or 1) in a thread, the usual loop over a buffer, a float and a stable flag
    quaygate          drivers/link/serial.py on the event loop that production uses, drivers/weighbridge/device.py:
                      Decimal kilograms, seven kinds of status, quality by repetition, overload and division checked
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
from collections.abc import Iterator
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


def stream(count: int) -> Iterator[bytes]:
    """So many frames of an ordinary day, and then the last one."""
    load = 0
    while True:
        target = 0 if load else 38_000
        for step in range(STEP_FRAMES):
            load += (target - load) * (step + 1) // STEP_FRAMES // 20 * 20
            yield frame(load)
            if (count := count - 1) == 0:
                yield frame(LAST)
                return
        load = target
        for _ in range(REST_FRAMES):
            yield frame(load)
            if (count := count - 1) == 0:
                yield frame(LAST)
                return


def feed(master: int, frames: int, hz: float) -> None:
    """Say them all: as fast as they are taken, or one by one."""
    words = list(stream(frames))
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


def baseline(path: str) -> None:
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

    def read() -> None:
        buffer = bytearray()
        recent: list[float] = []
        while not done.is_set():
            buffer += port.read(port.in_waiting or 1)
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

    port = serial.Serial(path, 115_200, timeout=1)
    thread = threading.Thread(target=read)
    thread.start()
    print("ready", flush=True)
    done.wait(END_DEADLINE_S)
    report(int(count), began_s)
    thread.join()
    port.close()


async def own(path: str) -> None:
    """The driver as the lane runs it."""
    from drivers.link import open_link
    from drivers.weighbridge.config import WeighbridgeConfig
    from drivers.weighbridge.device import Weighbridge
    from drivers.weighbridge.reading import Weight
    from edge.clock import SiteClock

    config = WeighbridgeConfig.model_validate(
        {
            "dialect": "yaohua-a9",
            "max_kg": 100_000,
            "division_kg": 20,
            "link": {"kind": "serial", "device": path, "baud": 115_200},
        }
    )
    clock = SiteClock()
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


def measure(who: str, frames: int, hz: float) -> float:
    """Frames per CPU-second of one reader, once."""
    master, slave = os.openpty()
    tty.setraw(slave)
    reader = subprocess.Popen(
        [PYTHON, "-m", "bench.serial_frames", "--role", who, os.ttyname(slave)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert reader.stdout is not None
        if reader.stdout.readline() != "ready\n":
            raise RuntimeError(f"{who} did not open the pty")
        feeder = threading.Thread(target=feed, args=(master, frames, hz), daemon=True)
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
    print(f"| pace | {BASELINE} | {OWN} | x |")
    print("| --- | --- | --- | --- |")
    for pace, (frames, hz) in paces.items():
        runs: dict[str, list[float]] = {BASELINE: [], OWN: []}
        for _ in range(arguments.rounds):
            for who, got in runs.items():
                got.append(measure(who, frames, hz))
        hand, house = (statistics.median(got) for got in runs.values())
        print(f"| {pace} | {hand:.0f} | {house:.0f} | {house / hand:.2f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--role"]:
        role, port_path = sys.argv[2:]
        if role == OWN:
            import uvloop

            uvloop.run(own(port_path))
        else:
            baseline(port_path)
    else:
        main()
