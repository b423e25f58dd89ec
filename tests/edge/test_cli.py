"""The command line as a person meets it: a process, its answer, its words of complaint, its exit code."""

import json
import os
import stat
import subprocess
import sys
import tomllib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from edge.toml_text import document, quoted
from gateway_ctl.seal import load_private, unseal_private

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb", "PYTHONPATH": str(ROOT)}


def quaygate(*words: str, stdin: bytes = b"", cwd: Path | None = None) -> tuple[int, str, str]:
    asked = [sys.executable, "-m", "edge", *words]
    ran = subprocess.run(asked, input=stdin, capture_output=True, check=False, cwd=cwd, env=ENVIRONMENT, timeout=50)
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


RMC = b"$GPRMC,092725.00,A,4717.11399,N,00833.91590,E,0.004,77.52,091202,,,A*54\r\n"


def test_help_names_every_command() -> None:
    code, said, _ = quaygate("--help")
    assert code == 0
    for command in ("demo", "up", "run", "check", "simulate", "decode", "watch", "schema", "book", "keys", "person"):
        assert f" {command} " in said
    assert "Exit codes" in said


def test_decode_reads_a_stream_and_tells_what_is_no_word() -> None:
    code, said, _ = quaygate("decode", "nmea", stdin=b"\xff\x00noise\r\n" + RMC)
    words = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    assert [word for word in words if "garbage" in word]
    fix = next(word for word in words if "lat" in word)
    assert fix["valid"] is True and fix["lat"] == pytest.approx(47.2852331, abs=1e-6)
    assert {"at", "lat", "lon", "speed_mps", "track_deg", "valid", "source", "why"} <= set(fix)


def test_decode_names_the_dialect_of_a_weighbridge(tmp_path: Path) -> None:
    captured = tmp_path / "captured"
    captured.write_bytes(b"56003\x03" + b"\x02+001560019\x03" * 40)
    code, said, _ = quaygate("decode", "--guess", str(captured))
    best = json.loads(said.splitlines()[0])
    assert code == 0 and best["dialect"] == "yaohua-a9" and best["confidence"] > 0.9 and best["shown"] == ["1560"]
    captured.write_bytes(bytes(range(256)) * 20)
    code, said, _ = quaygate("decode", "--guess", str(captured))
    assert code == 1 and "speed or parity" in json.loads(said)["hint"]


def test_decode_reads_hexadecimal_text(tmp_path: Path) -> None:
    captured = tmp_path / "captured.hex"
    captured.write_text(f"# from the yard\n{RMC.hex(' ')}\n\n{RMC.hex()}  # again\n")
    code, said, _ = quaygate("decode", "nmea", str(captured), "--hex")
    assert code == 0 and len(said.splitlines()) == len(quaygate("decode", "nmea", stdin=RMC + RMC)[1].splitlines())


@pytest.mark.parametrize(
    ("words", "stdin", "code", "complaint"),
    [
        (("decode", "morse"), b"", 2, "no protocol 'morse'; there are yaohua-a9, yaohua-a9-command"),
        (("decode", "nmea", "nowhere.bin"), b"", 3, "nowhere.bin: No such file"),
        (("decode", "nmea", "--hex"), b"24 47\n4x\n", 2, "-, line 2: expected hexadecimal digits in pairs"),
        (("book", "verify", "nowhere"), b"", 3, "nowhere: no book there"),
        (("check", "nowhere.toml"), b"", 3, "nowhere.toml: no such site file"),
        (("keys", "new", "."), b"", 2, ". exists"),
        (("fly",), b"", 2, "No such command"),
    ],
)
def test_complaints_say_what_to_mend(
    words: tuple[str, ...], stdin: bytes, code: int, complaint: str, tmp_path: Path
) -> None:
    ended, said, complained = quaygate(*words, stdin=stdin, cwd=tmp_path)
    assert ended == code
    assert complaint in complained
    assert "Traceback" not in complained + said


def test_a_reader_that_leaves_is_no_fault() -> None:
    asked = [sys.executable, "-m", "edge", "decode", "nmea"]
    pipe = subprocess.PIPE
    with subprocess.Popen(asked, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.close()
        process.stdin.write(RMC * 100)
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_new_key_is_kept_from_other_eyes(tmp_path: Path) -> None:
    file = tmp_path / "customs.key"
    code, said, told = quaygate("keys", "new", str(file))
    assert code == 0
    private = file.read_text().strip()
    assert private not in said + told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    public = tomllib.loads(said)["public"]
    assert load_private(private).public_key().public_bytes_raw().hex() == b64decode(public).hex()
    assert quaygate("keys", "new", str(file))[0] == 2
    assert file.read_text().strip() == private


def test_a_person_is_a_table_that_their_pin_opens() -> None:
    words = ("person", "add", "li.wei", "--zh", "李伟", "--en", 'Li "Wei"', "--role", "operator", "--pin", "246813")
    code, said, _ = quaygate(*words)
    assert code == 0
    person = tomllib.loads(said)["persons"][0]
    assert (person["id"], person["zh"], person["en"]) == ("li.wei", "李伟", 'Li "Wei"')
    opened = unseal_private(person["sealed"], "246813").public_key().public_bytes_raw()
    assert opened == b64decode(person["public"])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("Li Wei", "--role", "operator", "--pin", "246813"), "expected an id"),
        (("li.wei", "--role", "boss", "--pin", "246813"), "expected operator or supervisor"),
        (("li.wei", "--role", "operator", "--pin", "12ab"), "expected a PIN of at least 6 digits"),
    ],
)
def test_a_person_must_be_somebody(words: tuple[str, ...], complaint: str) -> None:
    code, _, complained = quaygate("person", "add", *words, "--zh", "李伟", "--en", "Li Wei")
    assert code == 2 and complaint in complained


def test_simulate_is_the_simulator_itself() -> None:
    code, said, _ = quaygate("simulate", "weighbridge", "--help")
    assert code == 0 and "weighbridge" in said and "--load" in said


def test_toml_text_comes_back_as_it_was() -> None:
    tables: dict[str, Any] = {
        "site": {"id": "x", "drawing": {"shapes": [{"points": [[0, 1.5], [-2, 3]]}], "none": None}},
        "lanes": [{"id": "L01", "io": {"inputs": {"a": 0}, "link": {"kind": "tcp"}}, "cameras": [{"name": "ocr"}]}],
        "flags": [True, False],
        "text": 'a "quoted" \\ line\nand \x07',
        "empty": [],
    }
    back = tomllib.loads(document(tables))
    del tables["site"]["drawing"]["none"]
    assert back == tables
    assert tomllib.loads(f"x = {quoted('沪A')}")["x"] == "沪A"
