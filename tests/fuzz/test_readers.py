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
TARGETS = ["cards", "c-power"]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", TARGETS)
def test_a_minute_of_fuzzing_finds_nothing(target: str, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.readers", target, str(tmp_path), "-max_total_time=60", "-max_len=4096"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-4000:]


@pytest.mark.parametrize("target", TARGETS)
def test_samples_and_their_mutations_hold(target: str) -> None:
    from tests.fuzz import readers

    assert list(readers.TARGETS) == TARGETS
    dice, hold = random.Random(14), readers.TARGETS[target]
    for raw in readers.samples(target):
        hold(raw)
        for _ in range(20):
            spoilt = bytearray(raw)
            for _ in range(dice.randrange(1, 4)):
                spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
            hold(bytes(spoilt))
