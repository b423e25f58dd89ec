"""Points per CPU-second from the bus to the store: fixes of trackers, nine numbers each, as envelopes of the wire.

    python -m bench.ingest [--messages 30000] [--rate 2500] [--rounds 3]

The same messages, interleaved in one run, by
    influxdb-client            paho-mqtt, json, Point and the batching WriteApi, as its own examples do
    quaygate -> server         edge/agents/recorder.py with the influx engine
    quaygate -> embedded       edge/agents/recorder.py with its default engine, nothing else installed
The server is Debian's victoria-metrics, which takes influxdb-client's writes; without it only the last row is measured.
Every row must have stored every point, or the run fails. CPU is the subscriber's process: bus, decoding, writing; for
the embedded engine that is the whole store as well. Prints a table of medians, ratios to the first row.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.stage import PYTHON, Stage, await_port, cpu_s, free_port, rss_mb, stage
from telemetry.payloads.envelope import Envelope, encode, wrap
from telemetry.payloads.fix import FixBody
from telemetry.topics import topic

BASELINE, SERVER, EMBEDDED = "influxdb-client", "quaygate -> server", "quaygate -> embedded"
TRACKERS = 50
NUMBERS = 9
SETTLE_S = 4.0
"""Longer than any row keeps points to itself: one second."""
READY_DEADLINE_S = 30.0


def baseline(mqtt: int, server: int) -> None:
    """By hand."""
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.client.write.point import Point
    from influxdb_client.client.write_api import WriteOptions
    from influxdb_client.domain.write_precision import WritePrecision

    client: Any = InfluxDBClient(f"http://127.0.0.1:{server}", "x", org="o")
    api = client.write_api(write_options=WriteOptions(batch_size=5000, flush_interval=1000))

    def on_message(_c: object, _u: object, got: paho.MQTTMessage) -> None:
        _, _, site, node, instrument, word = got.topic.split("/")
        said = json.loads(got.payload)
        point: Any = Point(word)
        point.tag("site", site).tag("node", node).tag("instrument", instrument)
        for name, value in said["body"].items():
            if isinstance(value, (bool, int, float)):
                point.field(name, float(value))
        api.write("b", "o", point.time(round(said["at"] * 1000), WritePrecision.MS))

    def on_subscribe(*_: object) -> None:
        print("ready", flush=True)

    subscriber = paho.Client(CallbackAPIVersion.VERSION2)
    subscriber.on_message, subscriber.on_subscribe = on_message, on_subscribe
    subscriber.connect("127.0.0.1", mqtt)
    subscriber.subscribe("quaygate/v1/bench/#", 0)
    subscriber.loop_forever()


async def own(mqtt: int, server: int, folder: Path) -> None:
    """The recorder itself."""
    from edge.agents.recorder import Recorder
    from edge.clock import SiteClock
    from telemetry.config import BrokerConfig, SeriesConfig
    from telemetry.records import Records
    from telemetry.series.engines import engine
    from telemetry.spool import Spool

    chosen = SeriesConfig(engine="influx", url=f"http://127.0.0.1:{server}") if server else SeriesConfig()
    async with Spool(folder / "spool") as spool:
        records = Records(f"sqlite:///{folder / 'records.sqlite'}")
        broker = BrokerConfig(engine="mqtt", port=mqtt)
        await Recorder("bench", broker, spool, engine(chosen, folder), records, SiteClock()).run()


def messages(count: int) -> list[tuple[str, bytes]]:
    """Trackers that drive about, ten fixes a second each, in the last hour."""
    base = time.time() - 3600
    made: list[tuple[str, bytes]] = []
    for n in range(count):
        tracker, step = n % TRACKERS, n // TRACKERS
        body = FixBody(
            valid=True,
            lat=36.0 + step * 1e-5,
            lon=120.2 + tracker * 1e-4,
            x_m=round(step * 1.1, 2),
            y_m=round(tracker * 9.7, 2),
            speed_mps=round(5 + step % 40 / 10, 1),
            track_deg=float(step % 360),
            satellites=9 + step % 3,
            hdop=0.9,
        )
        name = f"t{tracker:02}"
        said = Envelope(id=f"b-{n:x}", at=round(base + step / 10, 3), src=f"tracker/{name}", body=encode(body))
        made.append((topic("bench", "tracker", "fix", name), wrap(said)))
    return made


def feed(mqtt: int, said: list[tuple[str, bytes]], rate: float) -> None:
    """QoS 0 at a rate that every row can follow."""
    speaker = paho.Client(CallbackAPIVersion.VERSION2)
    speaker.connect("127.0.0.1", mqtt)
    speaker.loop_start()
    began, last = time.monotonic(), None
    for n, (name, payload) in enumerate(said):
        last = speaker.publish(name, payload, 0)
        if n % 50 == 49 and (wait_s := began + n / rate - time.monotonic()) > 0:
            time.sleep(wait_s)
    if last is not None:
        last.wait_for_publish(10)
    speaker.loop_stop()


def on_server(server: int) -> int:
    """Points that the server can count."""
    urllib.request.urlopen(f"http://127.0.0.1:{server}/internal/force_flush", timeout=20).read()
    asked = urllib.parse.urlencode({"query": 'sum(count_over_time({__name__=~"fix_.+"}[3h]))', "nocache": "1"})
    with urllib.request.urlopen(f"http://127.0.0.1:{server}/api/v1/query?{asked}", timeout=20) as answer:
        found = json.load(answer)["data"]["result"]
    return sum(int(float(row["value"][1])) for row in found)


async def in_file(folder: Path) -> int:
    """Points that the embedded engine can count."""
    from telemetry.payloads.points import FIELDS
    from telemetry.series.embedded import EmbeddedSeries

    series = EmbeddedSeries(folder / "series.sqlite", read_only=True)
    await series.open()
    now, found = time.time(), 0
    for field in FIELDS["fix"]:
        curves = await series.query("fix", field, tags={}, start=now - 7200, end=now + 60, step_s=60)
        found += sum(bucket.n for curve in curves for bucket in curve.buckets)
    await series.close()
    return found


def victoria(made: Stage) -> int:
    """Debian's server; its port."""
    port = free_port()
    program = shutil.which("victoria-metrics") or "victoria-metrics"
    made.start("server", [program, f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={made.folder / 'vm'}",
                          "-retentionPeriod=100y", "-search.latencyOffset=0s", "-loggerLevel=ERROR"])  # fmt: skip
    await_port(port)
    return port


def measure(who: str, arguments: argparse.Namespace) -> dict[str, float]:
    """One row, once."""
    with stage() as made:
        mqtt = made.broker()
        server = 0 if who == EMBEDDED else victoria(made)
        subscriber = made.start(
            "subscriber", [PYTHON, "-m", "bench.ingest", "--role", who, str(mqtt), str(server), made.folder]
        )
        await_ready(made, who, mqtt)
        said = messages(arguments.messages)
        used = cpu_s(subscriber.pid)
        feed(mqtt, said, arguments.rate)
        time.sleep(SETTLE_S)
        used, memory = cpu_s(subscriber.pid) - used, rss_mb(subscriber.pid)
        stored = on_server(server) if server else asyncio.run(in_file(made.folder))
        if stored != NUMBERS * arguments.messages:
            log = made.log("subscriber")[-1000:]
            raise RuntimeError(f"{who} stored {stored} of {NUMBERS * arguments.messages} points\n{log}")
    return {"points/CPU-s": stored / used, "us/message": 1e6 * used / arguments.messages, "MB": memory}


def await_ready(made: Stage, who: str, mqtt: int) -> None:
    """Until the subscriber has subscribed: it says so on its output, the recorder by its state on the bus."""
    seen: list[bytes] = []
    watcher = paho.Client(CallbackAPIVersion.VERSION2)
    watcher.on_message = lambda _c, _u, got: seen.append(bytes(got.payload))
    watcher.connect("127.0.0.1", mqtt)
    watcher.subscribe("quaygate/v1/bench/recorder/state", 0)
    watcher.loop_start()
    end = time.monotonic() + READY_DEADLINE_S
    while not (seen or "ready" in made.log("subscriber")):
        if time.monotonic() > end:
            raise TimeoutError(f"{who} did not subscribe:\n{made.log('subscriber')}")
        time.sleep(0.05)
    watcher.disconnect()
    watcher.loop_stop()
    time.sleep(0.5)


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(prog="bench.ingest", description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--messages", type=int, default=30_000)
    ask.add_argument("--rate", type=float, default=2500.0)
    ask.add_argument("--rounds", type=int, default=3)
    arguments = ask.parse_args(argv)
    rows = [BASELINE, SERVER, EMBEDDED] if shutil.which("victoria-metrics") else [EMBEDDED]
    runs: dict[str, list[dict[str, float]]] = {who: [] for who in rows}
    for _ in range(arguments.rounds):
        for who in rows:
            runs[who].append(measure(who, arguments))
    medians = {who: {key: statistics.median(run[key] for run in got) for key in got[0]} for who, got in runs.items()}
    pace = f"{arguments.messages} fixes of {NUMBERS} numbers, {arguments.rate:g}/s"
    print(f"\n{pace}; medians of {arguments.rounds} rounds\n")
    print("| subscriber | points per CPU-s | x | CPU us a message | MB |")
    print("| --- | --- | --- | --- | --- |")
    for who, got in medians.items():
        ratio = got["points/CPU-s"] / medians[rows[0]]["points/CPU-s"]
        print(f"| {who} | {got['points/CPU-s']:.0f} | {ratio:.2f} | {got['us/message']:.0f} | {got['MB']:.0f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--role"]:
        role, mqtt_port, server_port, place = sys.argv[2:]
        if role == BASELINE:
            baseline(int(mqtt_port), int(server_port))
        else:
            import uvloop

            uvloop.run(own(int(mqtt_port), int(server_port), Path(place)))
    else:
        main()
