"""Runs tests on mutants: each in a process of its own, forked from one that has the foreign libraries loaded already.

The child takes everything of ours out of its memory, puts the mutant in the place of its module, and hands the tests to
pytest, the likeliest to fail first; the first failure ends it. No file of the tree is changed.
"""

import contextlib
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import hypothesis
import pytest

from tests.mutants.mutate import Mutant
from tests.mutants.plan import ROOT, Plan

Fate = Literal["killed", "survived", "timeout"]
OURS = ("edge", "consoles", "telemetry", "gateway_ctl", "tests")
"""Rooms that a mutant of gateway_ctl may be seen from; drivers and vision stay loaded, they know nothing of it."""
SLOWER = 6.0
"""A mutant that takes so many times longer than the sound module runs for ever."""
AT_LEAST_S = 20.0
MEMORY = 4 << 30
"""Bytes of address space: a mutant that remembers for ever dies of it."""
_QUIETLY = (
    "-x", "-q", "--no-header", "--tb=no", "--assert=plain", "-m", "not slow",
    "-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin",
)  # fmt: skip
"""A failure's words are nobody's here, and each plugin that is not needed costs a tenth of a second a mutant."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    fate: Fate
    by: str
    """The test that failed."""


@dataclass(slots=True)
class Judge:
    """Runs the tests of one plan on mutants of its module."""

    plan: Plan
    jobs: int = 1
    only: frozenset[str] = frozenset()
    """Test ids; empty: all."""
    seconds: float = 0.0
    """The sound module's."""
    durations: dict[str, float] = field(default_factory=dict[str, float])
    killers: Counter[str] = field(default_factory=Counter[str])

    def sound(self) -> None:
        """The tests on the module as it is. Raises RuntimeError when they fail."""
        began = time.monotonic()
        ((_, told),) = _fork([(None, self._order(None))], self.plan, 1, 3600.0)
        self.seconds = time.monotonic() - began
        if told is None or told["failed"]:
            raise RuntimeError(f"{self.plan.module}: the sound module fails {told and told['failed']}")
        self.durations = told["durations"]

    def judge(self, mutants: Sequence[Mutant], hints: dict[str, str]) -> Iterator[Verdict]:
        """Each mutant's fate, as it is known. `hints`: which test killed a mutant of that key before."""
        limit_s = max(AT_LEAST_S, SLOWER * self.seconds)
        work = [(mutant, self._order(hints.get(mutant.key))) for mutant in mutants]
        for mutant, told in _fork(work, self.plan, self.jobs, limit_s):
            assert mutant is not None
            if told is None:
                yield Verdict(mutant, "timeout", "")
            elif told["failed"]:
                self.killers[told["failed"]] += 1
                yield Verdict(mutant, "killed", told["failed"])
            else:
                yield Verdict(mutant, "survived", "")

    def _order(self, hint: str | None) -> "_Order":
        return _Order(hint, self.killers, self.durations, self.only)


@dataclass(slots=True, eq=False)
class _Order:
    """A pytest plugin: sorts the tests, and remembers which failed."""

    hint: str | None
    killers: Counter[str]
    durations: dict[str, float]
    only: frozenset[str]
    failed: str = ""
    took: dict[str, float] = field(default_factory=dict[str, float])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The test that killed it before, then those that kill often for what they cost, then the quick ones."""
        if self.only:
            items[:] = [item for item in items if item.nodeid in self.only]
        # Another process reads the tree, in which there is no mutant.
        items[:] = [item for item in items if "kill_minus_9" not in item.nodeid]
        items.sort(key=self._rank)

    def _rank(self, item: pytest.Item) -> tuple[bool, float]:
        cost = self.durations.get(item.nodeid, 0.01) + 0.002
        return item.nodeid != self.hint, cost / (1 + self.killers[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first failure's name, and what each took."""
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot even be loaded is found out as well."""
        if report.failed and not self.failed:
            self.failed = f"loading {report.nodeid}"


Told = dict[str, Any]


def _fork(
    work: Sequence[tuple[Mutant | None, _Order]], plan: Plan, jobs: int, limit_s: float
) -> Iterator[tuple[Mutant | None, Told | None]]:
    """Each mutant with what its child told; None when it had to be ended."""
    waiting, running = list(reversed(work)), dict[int, tuple[int, float, Mutant | None]]()
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant, order = waiting.pop()
            source, sink = os.pipe()
            sys.stdout.flush()
            pid = os.fork()
            if pid == 0:
                os.close(source)
                _child(mutant, order, plan, sink, limit_s)
            os.close(sink)
            running[source] = (pid, time.monotonic() + limit_s, mutant)
        ready, _, _ = select.select(list(running), [], [], 0.5)
        now = time.monotonic()
        for source in list(running):
            pid, until, mutant = running[source]
            if source in ready:
                with os.fdopen(source, "rb") as told:
                    raw = told.read()
                _, status = os.waitpid(pid, 0)
                del running[source]
                yield mutant, json.loads(raw) if raw else ({"failed": f"ended {status}", "durations": {}})
            elif now > until:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                os.close(source)
                del running[source]
                yield mutant, None


def _child(mutant: Mutant | None, order: _Order, plan: Plan, sink: int, limit_s: float) -> None:
    """Never returns."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s) + 5, int(limit_s) + 10))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.chdir(ROOT)
        if complain := os.environ.get("QUAYGATE_MUTANT_LOG"):
            log = os.open(complain, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
        for name in [
            name for name in sys.modules if name.split(".")[0] in OURS and not name.startswith("tests.mutants")
        ]:
            if name != "tests":
                del sys.modules[name]
        if mutant is not None:
            sys.meta_path.insert(0, _Finder(mutant))
        hypothesis.settings.register_profile("mutants", derandomize=True, database=None, print_blob=False)
        hypothesis.settings.load_profile("mutants")
        ended = pytest.main([*_QUIETLY, *plan.tests], plugins=[order])
        if ended != pytest.ExitCode.OK and not order.failed:
            order.failed = f"pytest ended with {ended}"
        told = json.dumps({"failed": order.failed, "durations": order.took}).encode()
        with os.fdopen(sink, "wb") as out:
            out.write(told)
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Puts the mutant where its module is asked for."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(ROOT / (fullname.replace(".", "/") + ".py")))

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = str(ROOT / (self._mutant.module.replace(".", "/") + ".py"))
        exec(compile(self._mutant.source, name, "exec"), module.__dict__)


def preload(plan: Plan) -> None:
    """What the children need and no mutant changes is loaded once."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    names = ["_hypothesis_pytestplugin", "pytest_asyncio.plugin", "pytest_timeout"]
    for name in (*names, *(path.removesuffix(".py").replace("/", ".") for path in plan.tests)):
        importlib.import_module(name)


class Memory:
    """Verdicts of earlier runs, outside of the repository, by what they rest on: sources and tests."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with contextlib.suppress(OSError, ValueError):
            self.known = json.loads(path.read_text(encoding="utf-8"))
            return
        self.known: dict[str, Any] = {}

    def of(self, plan: Plan, basis: str) -> dict[str, list[str]]:
        """Fate and killer by mutant key; only while nothing it rests on has changed."""
        held = self.known.get(plan.module, {})
        return held.get("verdicts", {}) if held.get("basis") == basis else {}

    def hints(self, plan: Plan) -> dict[str, str]:
        """Which test killed which mutant the last time, whatever has changed since."""
        held = self.known.get(plan.module, {}).get("verdicts", {})
        return {key: by for key, (fate, by) in held.items() if fate == "killed"}

    def keep(self, plan: Plan, basis: str, verdicts: Sequence[Verdict]) -> None:
        """For the next run."""
        kept = self.of(plan, basis) | {v.mutant.key: [v.fate, v.by] for v in verdicts}
        self.known[plan.module] = {"basis": basis, "verdicts": kept}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part")
        partial.write_text(json.dumps(self.known), encoding="utf-8")
        partial.replace(self._path)


def basis(plan: Plan) -> str:
    """A digest of all that a verdict rests on."""
    mark = hashlib.sha256()
    for folder in ("gateway_ctl", "drivers", "edge/lane", "tests/gateway_ctl", "tests/mutants"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            mark.update(path.read_bytes())
    mark.update(repr(plan.tests).encode())
    return mark.hexdigest()
