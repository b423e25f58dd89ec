"""The fuzzer's own assertions on the golden bytes and their mutations, without it; and the fuzzer for a minute."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

atheris = pytest.importorskip(
    "atheris", reason="atheris has no wheel here: pip install -e .[dev] on Linux, CPython < 3.14"
)
ROOT = Path(__file__).resolve().parents[2]
TARGETS = [
    "weigh", "guess", "registers", "seal", "camera", "sign", "nmea", "jt808", "gpsd", "uhf", "llrp", "modbus", "tape",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", TARGETS)
def test_a_minute_of_fuzzing_finds_nothing(target: str, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.instruments", target, str(tmp_path), "-max_total_time=60", "-max_len=4096"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-4000:]


@pytest.mark.parametrize("target", TARGETS)
def test_samples_and_their_mutations_hold(target: str) -> None:
    from tests.fuzz import instruments

    assert list(instruments.TARGETS) == TARGETS
    dice, hold = random.Random(14), instruments.TARGETS[target]
    known = instruments.samples(target)
    assert known
    for raw in known[:60]:
        hold(raw)
        for _ in range(3):
            spoilt = bytearray(raw)
            for _ in range(dice.randrange(1, 4)):
                spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
            hold(bytes(spoilt))
