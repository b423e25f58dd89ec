"""A simulated day through the command line, from the first truck to the judgement: real processes, real wires."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from edge.clock import SiteClock
from edge.day import run_day
from edge.demo import Day
from edge.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]


def demo(tmp_path: Path, *words: str, within_s: float) -> tuple[int, dict[str, Any], str]:
    report = tmp_path / "out" / "report.json"
    asked = [sys.executable, "-m", "edge", "demo", "--headless", "--report", str(report), *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "NO_COLOR": "1"}
    ran = subprocess.run(asked, capture_output=True, check=False, env=environment, timeout=within_s, text=True)
    return ran.returncode, json.loads(report.read_text(encoding="utf-8")), ran.stdout + ran.stderr


@pytest.mark.timeout(180)
def test_a_short_day_without_faults(tmp_path: Path) -> None:
    code, report, said = demo(tmp_path, "--trucks", "4", "--no-faults", "--speed", "20", within_s=170)
    assert report["disagreements"] == [], said
    assert code == 0 and report["verdict"] == "ok" and "verdict: ok" in said
    counts = report["counts"]
    assert counts["happened"] == {"crossed": 4}
    assert counts["movements"] == counts["movements_with_permit"] == 8
    assert not list(tmp_path.glob("quaygate-*")), "a day that went well leaves nothing behind"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_thirty_trucks_with_faults(tmp_path: Path) -> None:
    code, report, said = demo(tmp_path, "--trucks", "30", "--seed", "7", "--speed", "20", within_s=590)
    assert report["disagreements"] == [], said
    assert code == 0
    assert len(report["faults"]) >= 8


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_day_on_which_processes_are_killed(tmp_path: Path) -> None:
    """The broker, a lane and the recorder die under it by `kill -9`; no record is lost, no boom moves by itself."""

    async def trouble(supervisor: Supervisor) -> None:
        clock = SiteClock()
        for name in ("broker", "lane/L01", "recorder", "broker", "lane/L02"):
            await clock.sleep(6.0)
            if pid := supervisor.standing[name].pid:
                os.kill(pid, signal.SIGKILL)

    report = await run_day(Day(trucks=16, seed=11, speed=10.0, faults=0.0), tmp_path, trouble)
    lost = [row for row in report["disagreements"] if row["what"] not in ("wrong end", "wrong outcome")]
    assert lost == []
    assert report["counts"]["movements"] == report["counts"]["movements_with_permit"]
    assert all(each["whole"] for each in report["sequences"].values())


@pytest.mark.timeout(120)
def test_the_live_demo_shows_its_pages_and_leaves_nobody_behind(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "edge", "demo", "--lanes", "1", "--data", str(tmp_path / "demo"), "--speed", "10"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"}
    with subprocess.Popen(asked, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr
        said = ""
        for line in process.stderr:
            said += line
            if "Ctrl-C" in line:
                break
        family = psutil.Process(process.pid).children(recursive=True)
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said
            with urllib.request.urlopen(found[0], timeout=20) as page:
                assert page.status == 200
            assert len(re.findall(r"PIN +\S+ +\d{6}", said)) == 2
            assert len(family) == 6, "simulator, broker, recorder, lane, tracker, console"
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    gone, alive = psutil.wait_procs(family, timeout=20)
    assert not alive and gone
    assert (tmp_path / "demo" / "demo.log").stat().st_size > 0
