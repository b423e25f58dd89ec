"""Real servers, each on a free port, with its files in the test's own folder, ended by its own pid."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

START_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_port(port: int) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


@dataclass
class Server:
    """A server that can be killed and started again."""

    argv: list[str]
    port: int
    log: Path
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            wait_port(self.port)
        except OSError as fault:
            raise AssertionError(self.log.read_text(errors="replace")[-2000:]) from fault

    def kill(self) -> None:
        assert self.child is not None
        self.child.kill()
        self.child.wait(10)

    def stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


@pytest.fixture
def mosquitto(require: Callable[[str], Path], tmp_path: Path) -> Iterator[Server]:
    """As reference documents advise for production: queues that hold, persistence each second."""
    port = free_port()
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    (folder / "m.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n"
        f"persistence_location {folder}/\nautosave_interval 1\nmax_queued_messages 100000\n"
    )
    server = Server([str(require("mosquitto")), "-c", str(folder / "m.conf")], port, folder / "log")
    server.start()
    yield server
    server.stop()


@dataclass
class Influx:
    """InfluxDB 1.6.7 behind the ten lines of nginx that give it the v2 write path; token `ci-token`, bucket `port`."""

    url: str
    token_file: Path
    server: Server


@pytest.fixture
def influx(require: Callable[[str], Path], tmp_path: Path) -> Iterator[Influx]:
    folder = tmp_path / "influx"
    folder.mkdir()
    inner, rpc, outer = free_port(), free_port(), free_port()
    (folder / "influx.toml").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc}"\n[meta]\ndir = "{folder}/meta"\n[data]\n'
        f'dir = "{folder}/data"\nwal-dir = "{folder}/wal"\nquery-log-enabled = false\n[http]\n'
        f'bind-address = "127.0.0.1:{inner}"\nlog-enabled = false\n[monitor]\nstore-enabled = false\n'
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        "http { access_log off; client_max_body_size 50m;\n"
        + "".join(
            f"{what}_temp_path {folder}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "map $arg_precision $v1p { default $arg_precision; ns n; us u; }\n"
        'map $http_authorization $okauth { default 0; "Token ci-token" 1; }\n'
        f"server {{ listen 127.0.0.1:{outer};\n"
        "location = /api/v2/write { if ($okauth = 0) { return 401; }\n"
        '  rewrite ^ /write?db=$arg_bucket&precision=$v1p? break; proxy_set_header Authorization "";\n'
        f"  proxy_pass http://127.0.0.1:{inner}; }}\n"
        f'location = /query {{ proxy_set_header Authorization ""; proxy_pass http://127.0.0.1:{inner}; }} }} }}\n'
    )
    server = Server([str(require("influxd")), "-config", str(folder / "influx.toml")], inner, folder / "log")
    proxy = Server([str(require("nginx")), "-c", str(folder / "nginx.conf")], outer, folder / "nginx.log")
    server.start()
    proxy.start()
    create = f"http://127.0.0.1:{inner}/query?q=CREATE%20DATABASE%20port"
    urllib.request.urlopen(urllib.request.Request(create, method="POST"), timeout=10).read()
    (folder / "token").write_text("ci-token\n")
    yield Influx(f"http://127.0.0.1:{outer}", folder / "token", server)
    proxy.stop()
    server.stop()
