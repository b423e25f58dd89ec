"""`record`: the wire's bytes in a file, on a socket and a pty."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.link.config import SerialLinkConfig, UdpLinkConfig
from edge.cli import app
from edge.commands.record import parse
from edge.commands.words import Stop

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("wire", ["tcp", "pty"])
def test_a_capture_is_what_decode_reads(wire: str, tmp_path: Path) -> None:
    file = tmp_path / "capture.bin"
    asked = [sys.executable, "-m", "simulators", "weighbridge", f"--{wire}", "--load", "32000"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True, cwd=ROOT) as indicator:
        try:
            assert indicator.stdout
            ready = json.loads(indicator.stdout.readline())["ready"]
            link = "tcp:{}:{}".format(*ready["tcp"]) if wire == "tcp" else f"serial:{ready['pty']}@9600"
            told = CliRunner().invoke(app, ["record", link, str(file), "--seconds", "0.7"])
            assert told.exit_code == 0, told.output
        finally:
            indicator.kill()
    assert file.read_bytes().count(b"\x02") >= 2
    decoded = CliRunner().invoke(app, ["decode", "yaohua-a9", str(file)])
    assert '"display"' in decoded.stdout
    again = CliRunner().invoke(app, ["record", link, str(file)])
    assert isinstance(again.exception, Stop) and "never written over" in str(again.exception)


def test_links_are_named_as_their_labels() -> None:
    told = parse("serial:/dev/ttyUSB0@4800/7E1")
    assert isinstance(told, SerialLinkConfig)
    assert (told.device, told.baud, told.bytesize, told.parity, told.stopbits) == ("/dev/ttyUSB0", 4800, 7, "E", 1)
    assert parse("serial:/dev/ttyS0@9600").label == "serial:/dev/ttyS0@9600"
    assert parse("tcp:10.0.0.1:4001").label == "tcp:10.0.0.1:4001"
    assert isinstance(parse("udp:0.0.0.0:5000"), UdpLinkConfig)
    for wrong in ("", "ttyS0", "tcp:host", "tcp:host:99999", "serial:/dev/x@12", "serial:/dev/x@9600/9N1"):
        with pytest.raises(Stop, match="expected"):
            parse(wrong)
