"""Command path: order heard over MQTT -> coil written -> read back -> event over MQTT.

    python -m bench.command [--commands 300]

One command at a time, a pause of 120 ms between two, all rows in one run, interleaved. The yardstick is what nobody can
be faster than: a bare write and read of one coil over one socket, plus one MQTT echo through the same broker. One
durable commit to this machine's disk is shown beside it: the last row makes two, one after the other, because the book
comes first by law; its floor is the yardstick and these two.
    aiomqtt + pymodbus    by hand: JSON in, write_coil, read_coils, JSON out
    quaygate link         telemetry/mqtt.py, drivers/link/modbus.py: the same two requests
    quaygate barrier      drivers/barrier: all command outputs looked at, one pulse by the module, its output seen on
    quaygate whole        the same behind an Ed25519 seal that is checked, with the book on disk before and after
Prints a table of p50 and p99, ratios of p50 to the yardstick, and of the last row to its floor.
"""

import argparse
import asyncio
import json
import socket
import sqlite3
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.stage import PYTHON, percentile, stage

PAUSE_S = 0.12
ROUNDS = 3
ROLES = ("aiomqtt + pymodbus", "quaygate link", "quaygate barrier", "quaygate whole")
COMMIT = "one commit to this disk"
READY = "ready"


def bare(port: int, commands: int) -> list[float]:
    """Milliseconds for a write and a read of one coil."""
    took: list[float] = []
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(commands):
            time.sleep(PAUSE_S)
            began = time.perf_counter()
            line.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 5, 1, 0xFF00 * (number & 1)))
            line.recv(64)
            line.sendall(struct.pack(">HHHBBHH", 2, 0, 6, 1, 1, 1, 1))
            assert line.recv(64)[9] == number & 1
            took.append((time.perf_counter() - began) * 1e3)
    return took


def commits(commands: int) -> list[float]:
    """Milliseconds for one row in a SQLite file that survives a power cut (WAL, FULL)."""
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        base = sqlite3.connect(Path(folder) / "commits.sqlite", isolation_level=None)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")
        base.execute("CREATE TABLE entry(body BLOB)")
        for _ in range(commands):
            time.sleep(PAUSE_S)
            began = time.perf_counter()
            base.execute("INSERT INTO entry VALUES (?)", (bytes(300),))
            took.append((time.perf_counter() - began) * 1e3)
        base.close()
    return took


class Asker:
    """Sends orders one at a time and waits for the event of each."""

    def __init__(self, port: int) -> None:
        self._event = threading.Event()
        self._ready = threading.Event()
        self.told = b""
        self.client = paho.Client(CallbackAPIVersion.VERSION2)

        def on_connect(client: paho.Client, *_: object) -> None:
            client.subscribe("bench/event", 0)

        def on_subscribe(*_: object) -> None:
            self._ready.set()

        def on_message(_c: object, _u: object, got: paho.MQTTMessage) -> None:
            self.told = bytes(got.payload)
            self._event.set()

        self.client.on_connect, self.client.on_subscribe = on_connect, on_subscribe
        self.client.on_message = on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        if not self._ready.wait(5):
            raise TimeoutError("the broker does not answer")

    def ask(self, order: bytes, within_s: float = 10.0) -> float:
        """Milliseconds until its event."""
        self._event.clear()
        began = time.perf_counter()
        self.client.publish("bench/order", order)
        if not self._event.wait(within_s):
            raise TimeoutError("no event")
        return (time.perf_counter() - began) * 1e3

    def wake(self, order: bytes) -> None:
        """Until an order is answered: who says that he is ready may not have subscribed yet."""
        for _ in range(10):
            with suppress(TimeoutError):
                self.ask(order, 1.0)
                return
        raise TimeoutError("nobody answers")

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()


def signed(number: int) -> bytes:
    """An order as a console would send it, under a key that everybody here knows."""
    import base64

    from drivers.readings import Instant
    from gateway_ctl.orders import Order, Verb
    from gateway_ctl.seal import load_private, sign

    order = Order(
        id=f"o{number}", verb=Verb.RELEASE, site="bench", lane="L01", passage=f"p{number}", plate="沪AD3F88",
        containers=("CSQU3054383",), declared_kg=None, tolerance_kg=None, issued_at=Instant(0.0),
        expires_at=Instant(1e12), reason_zh="放行", reason_en="released",
    )  # fmt: skip
    made = sign(order, "customs", load_private(base64.b64encode(bytes(range(32))).decode()))
    seals = [{"key": seal.key, "signature": base64.b64encode(seal.signature).decode()} for seal in made.seals]
    return json.dumps({"payload": base64.b64encode(made.payload).decode(), "seals": seals}).encode()


async def by_hand(mqtt: int, modbus: int) -> None:
    """aiomqtt and pymodbus."""
    import aiomqtt
    from pymodbus.client import AsyncModbusTcpClient

    module = AsyncModbusTcpClient("127.0.0.1", port=modbus)
    await module.connect()
    async with aiomqtt.Client("127.0.0.1", mqtt) as client:
        await client.subscribe("bench/order")
        print(READY, flush=True)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            order = json.loads(message.payload)
            await module.write_coil(1, order["on"], device_id=1)
            read = await module.read_coils(1, count=1, device_id=1)
            await client.publish("bench/event", json.dumps({"id": order["id"], "on": read.bits[0]}))


async def ours(role: str, mqtt: int, modbus: int) -> None:
    """The project's own parts."""
    from drivers.barrier.config import BarrierConfig
    from drivers.barrier.device import Barrier
    from drivers.link.modbus import open_modbus
    from drivers.link.modbus_config import ModbusTcpConfig
    from drivers.link.modbus_tables import table_named
    from edge.clock import SiteClock
    from telemetry.config import BrokerConfig
    from telemetry.mqtt import Bus

    clock = SiteClock()
    link = await open_modbus(ModbusTcpConfig(host="127.0.0.1", port=modbus))
    config = BarrierConfig.model_validate({"raise": 1, "lower": 2, "stop": 3, "pulse_s": 0.1})
    barrier = Barrier(link, table_named("plain-8ch"), config, clock)

    async def on_link(order: bytes) -> bool:
        wish = json.loads(order)
        await link.write_coil(1, on=wish["on"])
        (on,) = await link.read_coils(1, 1)
        return on == wish["on"]

    async def on_barrier(order: bytes) -> bool:
        json.loads(order)
        return (await barrier.raise_boom()).readback

    deed: Callable[[bytes], Awaitable[bool]] = on_link if role == "quaygate link" else on_barrier
    orders: asyncio.Queue[bytes] = asyncio.Queue()
    bus = Bus(BrokerConfig(engine="mqtt", port=mqtt), "bench-command")
    await bus.subscribe("bench/order", lambda message: orders.put_nowait(message.payload))
    with tempfile.TemporaryDirectory() as folder:
        if role == "quaygate whole":
            deed = await whole(barrier, Path(folder), clock.now)
        async with bus.running():
            print(READY, flush=True)
            while True:
                done = await deed(await orders.get())
                bus.publish("bench/event", json.dumps({"done": done}).encode())


async def whole(barrier: object, folder: Path, now: Callable[[], float]) -> Callable[[bytes], Awaitable[bool]]:
    """Seal, book, barrier, book."""
    import base64

    from drivers.barrier.device import Barrier
    from drivers.readings import Instant
    from gateway_ctl.book import Book
    from gateway_ctl.orders import Order, Seal, SignedOrder
    from gateway_ctl.seal import Holder, Role, admit, load_private

    assert isinstance(barrier, Barrier)
    private = load_private(base64.b64encode(bytes(range(32))).decode())
    keyring = {"customs": Holder(private.public_key().public_bytes_raw(), Role.CUSTOMS)}
    book = Book(folder / "book.sqlite")
    await book.open()

    async def deed(order: bytes) -> bool:
        said = json.loads(order)
        seals = tuple(Seal(key=s["key"], signature=base64.b64decode(s["signature"])) for s in said["seals"])
        admitted = admit(SignedOrder(payload=base64.b64decode(said["payload"]), seals=seals), keyring)
        assert isinstance(admitted, Order)
        await book.write("boom", Instant(now()), {"order": admitted.id, "phase": "written"}, passage=admitted.passage)
        written = await barrier.raise_boom()
        await book.write("boom", Instant(now()), {"order": admitted.id, "phase": "read back", "note": str(written)})
        return written.readback

    return deed


def echo(mqtt: int) -> None:
    """Gives every order back."""
    client = paho.Client(CallbackAPIVersion.VERSION2)

    def on_connect(got: paho.Client, *_: object) -> None:
        got.subscribe("bench/order")

    def on_subscribe(*_: object) -> None:
        print(READY, flush=True)

    def on_message(got: paho.Client, _u: object, message: paho.MQTTMessage) -> None:
        got.publish("bench/event", message.payload)

    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.connect("127.0.0.1", mqtt)
    client.loop_forever()


def measure(role: str, commands: int) -> list[float]:
    """Milliseconds of each command."""
    if role == COMMIT:
        return commits(commands)
    with stage() as made:
        mqtt, (modbus,) = made.broker(), made.devices(1)
        if role == "bare Modbus":
            return bare(modbus, commands)
        made.start("role", [PYTHON, "-m", "bench.command", "--role", role, str(mqtt), str(modbus)])
        end = time.monotonic() + 20
        while READY not in made.log("role"):
            if time.monotonic() > end:
                raise TimeoutError(f"{role} is not ready:\n{made.log('role')}")
            time.sleep(0.05)
        asker = Asker(mqtt)
        asker.wake(signed(-21) if role == "quaygate whole" else json.dumps({"id": -21, "on": True}).encode())
        took: list[float] = []
        for number in range(-20, commands):
            order = (
                signed(number)
                if role == "quaygate whole"
                else json.dumps({"id": number, "on": bool(number & 1)}).encode()
            )
            time.sleep(PAUSE_S)
            try:
                took.append(asker.ask(order))
            except TimeoutError:
                raise RuntimeError(f"{role}: no event for order {number}:\n{made.log('role')}") from None
            if role.startswith("quaygate") and json.loads(asker.told) != {"done": True}:
                raise RuntimeError(f"{role}: not done:\n{made.log('role')}")
        asker.close()
        return took[20:]


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(prog="bench.command", description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--commands", type=int, default=300)
    arguments = ask.parse_args(argv)
    rows = ("bare Modbus", "MQTT echo", COMMIT, *ROLES)
    took: dict[str, list[float]] = {row: [] for row in rows}
    for _ in range(ROUNDS):
        for row in rows:
            took[row] += measure(row, max(1, arguments.commands // ROUNDS))
    yardstick = percentile(took["bare Modbus"], 0.5) + percentile(took["MQTT echo"], 0.5)
    print(f"\n{arguments.commands} commands, one at a time; yardstick: bare Modbus + MQTT echo = {yardstick:.2f} ms\n")
    print("| path | p50 ms | p99 ms | p50 to yardstick |")
    print("| --- | --- | --- | --- |")
    for row in rows:
        half, most = percentile(took[row], 0.5), percentile(took[row], 0.99)
        print(f"| {row} | {half:.2f} | {most:.2f} | {half / yardstick:.2f} |")
    floor = yardstick + 2 * percentile(took[COMMIT], 0.5)
    print(f"\nwhole to its floor of {floor:.2f} ms: {percentile(took[ROLES[-1]], 0.5) / floor:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--role"]:
        named, mqtt_port, modbus_port = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
        if named == "MQTT echo":
            echo(mqtt_port)
        elif named == ROLES[0]:
            asyncio.run(by_hand(mqtt_port, modbus_port))
        else:
            import uvloop

            uvloop.run(ours(named, mqtt_port, modbus_port))
    else:
        main()
