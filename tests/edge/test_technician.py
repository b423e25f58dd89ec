"""A technician's path, as the MANUAL tells it: an indicator that nobody knows hangs on a serial port; in the end a
known load is read by its site. Real ptys, the real command line, each command a process of its own."""

import json
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUAYGATE = [sys.executable, "-m", "edge"]
KNOWN_KG = 12_340
EXAMPLE = ROOT / "edge" / "sites" / "example.toml"


def quaygate(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """As typed at a shell."""
    return subprocess.run([*QUAYGATE, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


@contextmanager
def on_the_wall(*arguments: str) -> Generator[str]:
    """An indicator on a pty with a known load on its deck; the port's path."""
    asked = [*QUAYGATE, "simulate", "weighbridge", "--pty", "--load", str(KNOWN_KG), *arguments]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True, cwd=ROOT) as indicator:
        try:
            assert indicator.stdout
            yield json.loads(indicator.stdout.readline())["ready"]["pty"]
        finally:
            indicator.terminate()


def entry_of(told: str) -> str:
    """The table that `decode --guess` offers, with what stands on the plate."""
    table = told[told.index("[lanes.weighbridge]") :]
    table = re.sub(r"# max_kg = .*", "max_kg = 100000", table)
    table = re.sub(r"# division_kg = .*", "division_kg = 20", table)
    table = re.sub(r"# decimals = .*", "decimals = 0", table)
    return re.sub(r"# unit = .*", 'unit = "kg"', table)


def site_with(entry: str, link: str, folder: Path) -> Path:
    """The example, with this weighbridge."""
    text = EXAMPLE.read_text(encoding="utf-8")
    before, _, rest = text.partition("[lanes.weighbridge]\n")
    after = rest[rest.index("[lanes.io]") :]
    entry = re.sub(r"# link = .*", link, entry)
    site = folder / "site.toml"
    site.write_text(f"{before}{entry}\n{after}", encoding="utf-8")
    return site


@pytest.mark.parametrize("dialect", ["cardinal", "mt-continuous"])
def test_from_an_unknown_indicator_to_a_known_load(dialect: str, tmp_path: Path) -> None:
    capture = tmp_path / "capture.bin"
    with on_the_wall("--dialect", dialect) as port:
        kept = quaygate("record", f"serial:{port}@9600", str(capture), "--seconds", "1.5")
        assert kept.returncode == 0, kept.stderr
        link = re.search(r"^in a site file this link is: (link = .*)$", kept.stderr, re.MULTILINE)
        assert link is not None
        guessed = quaygate("decode", "--guess", str(capture))
        assert guessed.returncode == 0, guessed.stderr
        best = json.loads(guessed.stdout.splitlines()[0])
        assert best["dialect"] == dialect and best["shown"] == [str(KNOWN_KG)]
        site = site_with(entry_of(guessed.stderr), link[1], tmp_path)
        checked = quaygate("check", str(site), "--probe", "--only", "L01/wb", "--seconds", "1.5")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        read = " ".join(checked.stdout.split())
        assert f"{KNOWN_KG} kg, display '{KNOWN_KG}'" in read and "good" in read, checked.stdout


def test_an_indicator_that_must_be_asked_is_told_so(tmp_path: Path) -> None:
    with on_the_wall("--dialect", "dini-argeo-command") as port:
        kept = quaygate("record", f"serial:{port}@9600", str(tmp_path / "nothing"), "--seconds", "0.5")
    assert kept.returncode == 1 and "only when it is asked" in kept.stderr
