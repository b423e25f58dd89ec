"""Polls per CPU-second: Modbus TCP devices x 10 registers at a rate, each poll published to an MQTT broker as JSON.

    python -m bench.polls [--devices 50] [--hz 10] [--seconds 10] [--rounds 3] [--node-red FOLDER]

The same job, interleaved in one run, by
    aiomqtt + pymodbus     aiomqtt and pymodbus' AsyncModbusTcpClient, as one would write it by hand
    quaygate               drivers/link/modbus.py -> the envelope of the wire -> telemetry/mqtt.py, on uvloop
    Node-RED               with --node-red: a folder in which `npm install node-red node-red-contrib-modbus` was done
CPU is the gateway's process only; devices and broker are other processes. `--hz 0` polls as fast as answers come.
Prints a table of medians, ratios to the first row.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench.stage import PYTHON, Ear, Stage, cpu_s, free_port, percentile, rss_mb, stage

BASELINE = "aiomqtt + pymodbus"
OWN = "quaygate"
NODE_RED = "Node-RED"
WARM_S = 3.0
FIRST_DEADLINE_S = 60.0


async def paced(number: int, count: int, hz: float, step: Callable[[], Awaitable[None]]) -> None:
    """`step` every 1/hz seconds, the devices' phases spread."""
    loop = asyncio.get_running_loop()
    period = 1 / hz if hz else 0.0
    due = loop.time() + period * number / count
    while True:
        if (wait_s := due - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        elif wait_s < -1:
            due = loop.time()
        await step()
        due += period


async def baseline(mqtt: int, hz: float, ports: list[int]) -> None:
    """By hand."""
    import aiomqtt
    from pymodbus.client import AsyncModbusTcpClient

    async with aiomqtt.Client("127.0.0.1", mqtt) as client:

        async def device(number: int, port: int) -> None:
            modbus = AsyncModbusTcpClient("127.0.0.1", port=port)
            await modbus.connect()
            topic = f"bench/L{number:02}/io/tel"

            async def step() -> None:
                read = await modbus.read_holding_registers(0, count=10, device_id=1)
                words = {"ts": time.time(), "dev": f"dev{number}", "r": read.registers}
                await client.publish(topic, json.dumps(words), qos=0)

            await paced(number, len(ports), hz, step)

        await asyncio.gather(*(device(number, port) for number, port in enumerate(ports)))


async def own(mqtt: int, hz: float, ports: list[int]) -> None:
    """With the project's link, envelope and bus."""
    import msgspec

    from drivers.link.modbus import open_modbus
    from drivers.link.modbus_config import ModbusTcpConfig
    from edge.clock import SiteClock
    from telemetry.config import BrokerConfig
    from telemetry.mqtt import Bus
    from telemetry.payloads.envelope import Envelope, encode, wrap

    class Registers(msgspec.Struct, frozen=True):
        r: tuple[int, ...]

    clock = SiteClock()
    bus = Bus(BrokerConfig(engine="mqtt", port=mqtt), "bench-own")

    async def device(number: int, port: int) -> None:
        link = await open_modbus(ModbusTcpConfig(host="127.0.0.1", port=port))
        topic, src = f"bench/L{number:02}/io/tel", f"L{number:02}/io"
        count = 0

        async def step() -> None:
            nonlocal count
            count += 1
            words = await link.read_holding_registers(0, 10)
            body = encode(Registers(words))
            bus.publish(topic, wrap(Envelope(id=f"{src}/{count}", at=clock.now(), src=src, body=body)))

        await paced(number, len(ports), hz, step)

    async with bus.running():
        await asyncio.gather(*(device(number, port) for number, port in enumerate(ports)))


def node_red(made: Stage, folder: str, mqtt: int, hz: float, ports: list[int]) -> list[str]:
    """One client and one reader a device, one function, one mqtt out; the command line that runs it."""
    ui = free_port()
    home = made.folder / "nodered"
    home.mkdir()
    nodes = f"{folder}/node_modules"
    (home / "settings.js").write_text(
        f"module.exports={{uiPort:{ui},uiHost:'127.0.0.1',flowFile:'flows.json',disableEditor:true,httpAdminRoot:'/a',"
        f"nodesDir:{json.dumps(nodes + '/node-red-contrib-modbus')},logging:{{console:{{level:'warn'}}}},"
        "telemetry:{enabled:false}};"
    )
    broker = {"id": "br", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(mqtt), "clientid": "nr",
              "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60"}  # fmt: skip
    flow: list[dict[str, Any]] = [{"id": "t1", "type": "tab", "label": "bench"}, broker]
    for number, port in enumerate(ports):
        flow.append({"id": f"c{number}", "type": "modbus-client", "clienttype": "tcp", "bufferCommands": True,
                     "stateLogEnabled": False, "queueLogEnabled": False, "failureLogEnabled": True,
                     "tcpHost": "127.0.0.1", "tcpPort": str(port), "tcpType": "DEFAULT", "unit_id": "1",
                     "commandDelay": "1", "clientTimeout": "1000", "reconnectOnTimeout": True,
                     "reconnectTimeout": "2000", "parallelUnitIdsAllowed": True})  # fmt: skip
        flow.append({"id": f"r{number}", "type": "modbus-read", "z": "t1", "x": 100, "y": 40 * number,
                     "topic": f"bench/L{number:02}/io/tel", "unitid": "1", "dataType": "HoldingRegister", "adr": "0",
                     "quantity": "10", "rate": str(max(1, round(1000 / hz)) if hz else 1), "rateUnit": "ms",
                     "delayOnStart": False, "server": f"c{number}", "wires": [["f1"], []]})  # fmt: skip
    flow.append({"id": "f1", "type": "function", "z": "t1", "x": 300, "y": 40, "outputs": 1, "wires": [["m1"]],
                 "func": "return {topic: msg.topic, payload: JSON.stringify({r: msg.payload})};"})  # fmt: skip
    flow.append({"id": "m1", "type": "mqtt out", "z": "t1", "x": 500, "y": 40, "topic": "", "qos": "0",
                 "retain": "false", "broker": "br", "wires": []})  # fmt: skip
    (home / "flows.json").write_text(json.dumps(flow))
    return ["node", f"{nodes}/node-red/red.js", "--userDir", str(home)]


def registers(payload: bytes) -> list[int]:
    """Wherever the gateway has put them."""
    said = json.loads(payload)
    return said["body"]["r"] if "body" in said else said["r"]


def measure(who: str, arguments: argparse.Namespace) -> dict[str, float]:
    """One gateway, once."""
    with stage() as made:
        mqtt, ports = made.broker(), made.devices(arguments.devices)
        ear = Ear(mqtt, "bench/#")
        command = (
            node_red(made, arguments.node_red, mqtt, arguments.hz, ports)
            if who == NODE_RED
            else [PYTHON, "-m", "bench.polls", "--role", who, str(mqtt), str(arguments.hz), *map(str, ports)]
        )
        gateway = made.start("gateway", command)
        end = time.monotonic() + FIRST_DEADLINE_S
        while not ear.heard and gateway.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        if not ear.heard:
            raise RuntimeError(f"{who} published nothing:\n{made.log('gateway')}")
        time.sleep(WARM_S)
        first, used, began = len(ear.heard), cpu_s(gateway.pid), time.monotonic()
        time.sleep(arguments.seconds)
        last, used, took = len(ear.heard), cpu_s(gateway.pid) - used, time.monotonic() - began
        memory = rss_mb(gateway.pid)
        ear.close()
    ages: list[float] = []
    for at, payload in ear.heard[first:last]:
        words = registers(payload)
        ages.append(((at - (words[0] << 16 | words[1])) & 0xFFFFFFFF) / 1000)
    wanted = arguments.devices * arguments.hz * took
    return {
        "polls/s": (last - first) / took,
        "delivered": (last - first) / wanted if wanted else 0.0,
        "CPU %": 100 * used / took,
        "polls/CPU-s": (last - first) / used,
        "age p50 ms": percentile(ages, 0.5),
        "age p99 ms": percentile(ages, 0.99),
        "MB": memory,
    }


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(prog="bench.polls", description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--devices", type=int, default=50)
    ask.add_argument("--hz", type=float, default=10.0)
    ask.add_argument("--seconds", type=float, default=10.0)
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--node-red", metavar="FOLDER")
    arguments = ask.parse_args(argv)
    rows = [BASELINE, OWN, *([NODE_RED] if arguments.node_red else [])]
    runs: dict[str, list[dict[str, float]]] = {who: [] for who in rows}
    for _ in range(arguments.rounds):
        for who in rows:
            runs[who].append(measure(who, arguments))
    medians = {who: {key: statistics.median(run[key] for run in got) for key in got[0]} for who, got in runs.items()}
    pace = f"{arguments.hz:g} Hz" if arguments.hz else "as fast as they answer"
    print(f"\n{arguments.devices} Modbus TCP devices x 10 registers, {pace}; medians of {arguments.rounds} rounds\n")
    print("| gateway | delivered | polls/s | CPU % | polls per CPU-s | x | age p50 / p99 ms | MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for who, got in medians.items():
        ratio = got["polls/CPU-s"] / medians[BASELINE]["polls/CPU-s"]
        print(
            f"| {who} | {got['delivered']:.3f} | {got['polls/s']:.0f} | {got['CPU %']:.1f} | {got['polls/CPU-s']:.0f} "
            f"| {ratio:.2f} | {got['age p50 ms']:.2f} / {got['age p99 ms']:.2f} | {got['MB']:.0f} |"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--role"]:
        role, mqtt_port, rate, *device_ports = sys.argv[2:]
        work = (own if role == OWN else baseline)(int(mqtt_port), float(rate), [int(port) for port in device_ports])
        if role == OWN:
            import uvloop

            uvloop.run(work)
        else:
            asyncio.run(work)
    else:
        main()
