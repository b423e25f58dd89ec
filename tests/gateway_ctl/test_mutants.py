"""A handful of lies about what moves the boom, the same ones every time, each found out.

The whole of it is `python -m tests.mutants`; tests/mutants/README.md says what that found.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.__main__ import argued, of
from tests.mutants.mutate import mutants
from tests.mutants.plan import ROOT, plans

DRAWN = {"interlock": 24, "boom": 8}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("module", list(DRAWN))
def test_a_sample_of_lies_is_found_out(module: str, tmp_path: Path) -> None:
    """By the tests nearest to the module; ends with 1 when one survives that nobody has argued for."""
    asked = ("--fast", "--jobs", "1", "--sample", str(DRAWN[module]), "--seed", "7", "--memory", str(tmp_path / "m"))
    done = subprocess.run(
        (sys.executable, "-m", "tests.mutants", module, *asked),
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"gateway_ctl.{module}: {DRAWN[module]} mutants" in done.stdout


def test_lies_about_a_line() -> None:
    source = "def may(a: int, b: int) -> bool:\n    return a < 3 and not b\n"
    told = [mutant.after.strip() for mutant in mutants("m", source, {})]
    assert told == [
        "return not (a < 3 and not b)", "return ((a < 3) or (not b))", "return ((not b))", "return ((a < 3))",
        "return (a <= 3) and not b", "return (a >= 3) and not b", "return a < 4 and not b", "return a < 3 and (b)",
    ]  # fmt: skip
    assert mutants("m", 'def say() -> None:\n    """Words."""\n    log.info("words")\n', {}) == []


def test_what_is_argued_for_is_still_there() -> None:
    reasons = argued()
    modules = {key.partition(":")[0] for key in reasons}
    known = plans()
    assert modules <= set(known)
    there = {mutant.key for name in modules for mutant in of(known[name])}
    assert set(reasons) <= there
    assert all(why.strip() for why in reasons.values())


def test_every_plan_names_tests_that_are_there() -> None:
    for plan in plans().values():
        assert plan.path.exists()
        assert plan.near
        assert not [test for test in (*plan.near, *plan.far) if not (ROOT / test).exists()]
