"""What the measurements share: a broker, pretended Modbus devices, a listener, and meters of processes.

Everything listens on the loopback address on ports picked by the kernel, and every process is ended by its own handle.
"""

import asyncio
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import paho.mqtt.client as paho
import psutil
from paho.mqtt.enums import CallbackAPIVersion

PYTHON = sys.executable
ROOT = Path(__file__).resolve().parents[1]
START_DEADLINE_S = 30.0
FLASH_S = 0.03
"""For each 100 ms asked for: longer than any read-back takes here."""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port: int) -> None:
    """Until somebody listens there."""
    end = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.3).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")


class Stage:
    """Processes of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, argv: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        """A process whose output goes to `<name>.log`."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(word) for word in argv], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT
            )
        self._processes.append(process)
        return process

    def log(self, name: str) -> str:
        """What the process has said."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def broker(self) -> int:
        """mosquitto where the machine has it, else the wheel's nats-server; its port."""
        port = free_port()
        mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        conf = self.folder / "broker.conf"
        if mosquitto:
            conf.write_text(
                f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\nuser root\n"
            )
            self.start("broker", [mosquitto, "-c", conf])
        else:
            conf.write_text(
                f'server_name: bench\nlisten: "127.0.0.1:{free_port()}"\njetstream {{ store_dir: "{self.folder}" }}\n'
                f'mqtt {{ listen: "127.0.0.1:{port}" }}\n'
            )
            self.start("broker", [Path(PYTHON).with_name("nats-server"), "-c", conf])
        await_port(port)
        return port

    def devices(self, count: int) -> list[int]:
        """That many Modbus TCP devices in one process; their ports."""
        listed = self.folder / "ports"
        self.start("devices", [PYTHON, "-m", "bench.stage", "devices", str(count), listed])
        end = time.monotonic() + START_DEADLINE_S
        while not listed.exists():
            if time.monotonic() > end:
                raise TimeoutError(self.log("devices"))
            time.sleep(0.05)
        return [int(port) for port in listed.read_text("ascii").split()]

    def end(self) -> None:
        """All of them, last first."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(4)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(4)


@contextmanager
def stage() -> Generator[Stage]:
    """A folder and its processes, both gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="quaygate-bench-") as folder:
        made = Stage(Path(folder))
        try:
            yield made
        finally:
            made.end()


class Ear:
    """Hears everything under one filter, and when."""

    def __init__(self, port: int, topic: str) -> None:
        self.heard: list[tuple[int, bytes]] = []
        """Microseconds of the wall clock, payload."""
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        ready = threading.Event()

        def on_connect(client: paho.Client, *_: object) -> None:
            client.subscribe(topic, 0)

        def on_subscribe(*_: object) -> None:
            ready.set()

        def on_message(_c: object, _u: object, got: paho.MQTTMessage) -> None:
            self.heard.append((time.time_ns() // 1000, bytes(got.payload)))

        self.client.on_connect, self.client.on_subscribe = on_connect, on_subscribe
        self.client.on_message = on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        if not ready.wait(5):
            raise TimeoutError("the broker does not answer")

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and its children so far."""
    root = psutil.Process(pid)
    used = [process.cpu_times() for process in (root, *root.children(recursive=True))]
    return sum(times.user + times.system for times in used)


def rss_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    root = psutil.Process(pid)
    return sum(process.memory_info().rss for process in (root, *root.children(recursive=True))) / 1e6


def percentile(values: Sequence[float], share: float) -> float:
    """0 when there are none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


class _Device(asyncio.Protocol):
    """Registers 0 and 1 hold the low 32 bits of the wall clock in microseconds, so that a listener can tell an age.

    Coils keep what is written; coil 0x200 + n flashes coil n, so much shorter than asked that the next command need
    not wait long.
    """

    def __init__(self, number: int, coils: dict[int, bool]) -> None:
        self.number, self.coils, self.buffer, self.count = number, coils, b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own is none by class

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 12:
            frame, self.buffer = self.buffer[:12], self.buffer[12:]
            pdu = self.answer(frame[7], int.from_bytes(frame[8:10], "big"), int.from_bytes(frame[10:12], "big"), frame)
            self.transport.write(frame[:4] + struct.pack(">HB", len(pdu) + 1, frame[6]) + pdu)

    def answer(self, function: int, address: int, value: int, frame: bytes) -> bytes:
        if function in (3, 4):
            self.count += 1
            now = time.time_ns() // 1000 & 0xFFFFFFFF
            words = [now >> 16, now & 0xFFFF, *(self.number * 100 + self.count + k & 0x7FFF for k in range(14))]
            return struct.pack(f">BB{value}H", function, 2 * value, *words[address : address + value])
        if function in (1, 2):
            bits = sum(self.coils.get(address + n, False) << n for n in range(value))
            size = (value + 7) // 8
            return bytes((function, size)) + bits.to_bytes(size, "little")
        if address >= 0x200:
            self.coils[address - 0x200] = True
            asyncio.get_running_loop().call_later(value * FLASH_S, self.coils.__setitem__, address - 0x200, False)
        else:
            self.coils[address] = value == 0xFF00
        return frame[7:12]


async def _serve(count: int, listed: Path) -> None:
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda n=number, c=coils: _Device(n, c), "127.0.0.1", 0)
        for number, coils in enumerate[dict[int, bool]]({} for _ in range(count))
    ]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    partial = listed.with_suffix(".part")
    partial.write_text(" ".join(map(str, ports)), "ascii")
    partial.rename(listed)
    await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(int(sys.argv[2]), Path(sys.argv[3])))
