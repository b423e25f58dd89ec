"""The fuzzer's own assertions on the samples and their mutations, without the fuzzer; and the fuzzer for a minute."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway_ctl.customs.samples import names, sample

atheris = pytest.importorskip(
    "atheris", reason="atheris has no wheel here: pip install -e .[dev] on Linux, CPython < 3.14"
)
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", ["packet", "xml"])
def test_a_minute_of_fuzzing_finds_nothing(target: str, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.customs", target, str(tmp_path), "-max_total_time=60", "-max_len=4096"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-4000:]


def test_samples_and_their_mutations_hold() -> None:
    from tests.fuzz.customs import packet, xml

    dice = random.Random(14)
    for name in names():
        raw = sample(name[:2])
        for _ in range(6):
            spoilt = bytearray(raw)
            for _ in range(dice.randrange(4)):
                spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
            packet(b"\x81" + spoilt)
            xml(bytes(spoilt))
