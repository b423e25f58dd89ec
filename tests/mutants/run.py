"""Runs tests on mutants: each in a process of its own, forked from a pytest session that has everything loaded already.

The session never collects by itself. Each child of it takes out of its memory the module and whatever imports it, puts
the mutant in its place, and goes on as an ordinary session with the tests that are likeliest to fail first; the first
failure ends it. No file of the tree is changed.

More than 400 lines: who forks, who waits and who ends must be read together.
"""

import ast
import contextlib
import hashlib
import importlib
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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NoReturn

import hypothesis
import pytest

from tests.mutants.mutate import Mutant
from tests.mutants.plan import ROOT, Plan

Fate = Literal["killed", "survived", "timeout"]
OURS = ("edge", "drivers", "vision", "consoles", "telemetry", "simulators", "gateway_ctl", "tests")
SLOWER = 6.0
"""A mutant that takes so many times the sound module's CPU seconds runs for ever."""
AT_LEAST_S = 10.0
"""CPU seconds."""
STUCK_S = 12.0
"""No CPU second spent for so long: it waits for what never comes."""
MEMORY = 4 << 30
"""Bytes of address space: a mutant that remembers for ever dies of it."""
_QUIETLY = (
    "-x", "-s", "-o", "addopts=--strict-markers", "--assert=plain", "-m", "not slow", "-p", "no:cacheprovider",
    "-p", "no:terminal", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin",
)  # fmt: skip
"""A failure's words are nobody's here, and each plugin that is not needed costs its time for every mutant."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    fate: Fate
    by: str
    """The test that failed."""


@dataclass(slots=True)
class Judge:
    """Runs the tests of one plan on mutants of its module: the near ones first, the far ones on what survives them."""

    plan: Plan
    jobs: int = 1
    fast: bool = False
    """Only the near tests; what survives them is told as a survivor."""
    killers: Counter[str] = field(default_factory=Counter[str])

    def judge(self, mutants: Sequence[Mutant], hints: dict[str, str], heard: Callable[[Verdict], None]) -> None:
        """Says each mutant's fate as it is known. `hints`: which test killed a mutant of that key before.

        Raises RuntimeError when the sound module fails its tests.
        """
        left = list(mutants)
        rounds = [tests for tests in (self.plan.near, () if self.fast else self.plan.far) if tests]
        for tests in rounds:
            if not left:
                break
            sound, work = _Order(None, self.killers, {}), list(left)
            left = []
            (told,) = _session(self.plan.module, tests, [(None, sound)], 1, 3600.0)
            if told["failed"]:
                raise RuntimeError(f"{self.plan.module}: the sound module fails {told['failed']}")
            took: dict[str, float] = told["durations"]
            orders = [(mutant, _Order(hints.get(mutant.key), self.killers, took)) for mutant in work]
            last = tests is rounds[-1]

            def each(mutant: Mutant | None, told: Told, *, last: bool = last, left: list[Mutant] = left) -> None:
                assert mutant is not None
                if told["failed"]:
                    self.killers[told["failed"]] += 1
                    heard(Verdict(mutant, "killed", told["failed"]))
                elif told["ended"]:
                    heard(Verdict(mutant, "timeout", ""))
                elif last:
                    heard(Verdict(mutant, "survived", ""))
                else:
                    left.append(mutant)

            _session(self.plan.module, tests, orders, self.jobs, max(AT_LEAST_S, SLOWER * told["cpu"]), each)


Told = dict[str, Any]


@dataclass(slots=True, eq=False)
class _Order:
    """A pytest plugin of a child: sorts the tests, and remembers which failed."""

    hint: str | None
    killers: Counter[str]
    durations: dict[str, float]
    failed: str = ""
    took: dict[str, float] = field(default_factory=dict[str, float])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The test that killed it before, then those that kill often for what they cost, then the quick ones."""
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


Work = Sequence[tuple[Mutant | None, _Order]]
Each = Callable[[Mutant | None, Told], None]


@dataclass(slots=True, eq=False)
class _Hall:
    """A pytest plugin: a session whose children do the work."""

    module: str
    tests: Sequence[str]
    work: Work
    jobs: int
    limit_s: float
    each: Each
    sink: int = -1
    order: _Order | None = None
    """A child's own."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> object | None:
        """Forks; in a child it returns None, and collecting begins."""
        waiting, running = list(reversed(self.work)), dict[int, _Running]()
        while waiting or running:
            while waiting and len(running) < self.jobs:
                mutant, order = waiting.pop()
                source, sink = os.pipe()
                sys.stdout.flush()
                pid = os.fork()
                if pid == 0:
                    os.close(source)
                    self.sink, self.order = sink, order
                    session.config.pluginmanager.register(order)
                    _become(self.module, mutant, self.limit_s)
                    return None
                os.close(sink)
                running[source] = _Running(pid, mutant, self.limit_s)
            ready, _, _ = select.select(list(running), [], [], 0.5)
            for source, child in list(running.items()):
                if source in ready:
                    with os.fdopen(source, "rb") as pipe:
                        raw = pipe.read()
                    _, status = os.waitpid(child.pid, 0)
                    told: Told = {"failed": "", "durations": {}, "cpu": 0.0, "ended": False}
                    if raw:
                        told |= json.loads(raw)
                    elif os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
                        told["ended"] = True
                    else:
                        told["failed"] = f"its process ended with {status}"
                elif child.lost():
                    os.kill(child.pid, signal.SIGKILL)
                    os.waitpid(child.pid, 0)
                    os.close(source)
                    told = {"failed": "", "durations": {}, "cpu": 0.0, "ended": True}
                else:
                    continue
                del running[source]
                self.each(child.mutant, told)
        session.items = []
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A child is at its end."""
        if self.order is not None:
            self.end(exitstatus)

    def end(self, status: int) -> NoReturn:
        """Tells the parent."""
        assert self.order is not None
        failed = self.order.failed
        if not failed and status != pytest.ExitCode.OK:
            failed = f"pytest ended with {status}"
        told = {"failed": failed, "durations": self.order.took, "cpu": time.process_time(), "ended": False}
        with os.fdopen(self.sink, "wb") as out:
            out.write(json.dumps(told).encode())
        os._exit(0)


@dataclass(slots=True)
class _Running:
    pid: int
    mutant: Mutant | None
    limit_s: float
    spent: str = ""
    moved: float = field(default_factory=time.monotonic)

    def lost(self) -> bool:
        """Waits without spending any CPU time. Too much of that the kernel ends itself."""
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            spent = f"{words[11]} {words[12]}"
            # A machine that gives it no time is no reason to end it: only one that sleeps is stuck.
            if spent != self.spent or words[0] != "S":
                self.spent, self.moved = spent, time.monotonic()
        return time.monotonic() - self.moved > STUCK_S


def _session(
    module: str, tests: Sequence[str], work: Work, jobs: int, limit_s: float, each: Each | None = None
) -> list[Told]:
    """One pytest session in which each of `work` is done by a child; what they told, in the order of their ends."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.chdir(ROOT)
    for path in tests:  # loaded once; a child loads again only what its mutant can be seen from
        importlib.import_module(path.removesuffix(".py").replace("/", "."))
    _users()  # what each of ours imports is read once, not in every child
    heard: list[Told] = []

    def keep(mutant: Mutant | None, told: Told) -> None:
        heard.append(told)
        if each is not None:
            each(mutant, told)

    hall = _Hall(module, tests, work, jobs, limit_s, keep)
    status = 1
    try:
        status = pytest.main([*_QUIETLY, *tests], plugins=[hall])
    except BaseException:
        if hall.order is not None:
            traceback.print_exc()
            os._exit(1)
        raise
    if hall.order is not None:
        hall.end(status)
    return heard


def _become(module: str, mutant: Mutant | None, limit_s: float) -> None:
    """In a child: the mutant takes its place, and nobody's words are heard."""
    spent = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s + spent) + 1, int(limit_s + spent) + 6))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nothing = os.open(os.environ.get("QUAYGATE_MUTANT_LOG", os.devnull), os.O_RDWR | os.O_CREAT | os.O_APPEND)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    for name in _seeing(module):
        loaded = sys.modules.pop(name, None)
        parent, _, leaf = name.rpartition(".")
        if loaded is not None and parent in sys.modules and getattr(sys.modules[parent], leaf, None) is loaded:
            delattr(sys.modules[parent], leaf)  # or `from parent import leaf` would still find the sound one
    if mutant is not None:
        sys.meta_path.insert(0, _Finder(mutant))
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None, print_blob=False, deadline=None)
    hypothesis.settings.load_profile("mutants")


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


@cache
def _source(name: str) -> Path | None:
    """Where a module of ours is."""
    path = ROOT / name.replace(".", "/")
    return next((found for found in (path.with_suffix(".py"), path / "__init__.py") if found.exists()), None)


@cache
def _imports(name: str) -> frozenset[str]:
    """Modules of ours that a module of ours names in its imports, wherever they stand."""
    path = _source(name)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())) if path is not None else ():
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str() as module, names=names):
                found |= {module, *(f"{module}.{alias.name}" for alias in names)}
            case _:
                pass
    return frozenset(each for each in found if each.split(".")[0] in OURS and _source(each) is not None)


def _closure(names: Iterable[str]) -> set[str]:
    """What they import, and what that imports."""
    found, left = set[str](), list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _imports(name)
    return found


def _users() -> dict[str, set[str]]:
    """Of each module of ours that is loaded: which of them import it."""
    users: dict[str, set[str]] = {}
    for name in [name for name in sys.modules if name.split(".")[0] in OURS and not name.startswith("tests.mutants")]:
        for used in _imports(name):
            users.setdefault(used, set()).add(name)
    return users


def _seeing(module: str) -> set[str]:
    """A module, and every loaded one that a change of it can be seen from."""
    users, found, left = _users(), set[str](), [module]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += users.get(name, ())
    return found


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
        held = self.known.get(plan.module, {})
        return held.get("hints", {}) | {
            key: by for key, (fate, by) in held.get("verdicts", {}).items() if fate == "killed"
        }

    def keep(self, plan: Plan, basis: str, verdicts: Sequence[Verdict]) -> None:
        """For the next run."""
        hints = self.hints(plan)
        kept = self.of(plan, basis) | {v.mutant.key: [v.fate, v.by] for v in verdicts}
        self.known[plan.module] = {"basis": basis, "verdicts": kept, "hints": hints}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part")
        partial.write_text(json.dumps(self.known), encoding="utf-8")
        partial.replace(self._path)


def basis(plan: Plan) -> str:
    """A digest of all that a verdict rests on: the module, its tests, and every file of ours that these can see."""
    mark = hashlib.sha256()
    tests = [path.removesuffix(".py").replace("/", ".") for path in (*plan.near, *plan.far)]
    for name in sorted(_closure([plan.module, *tests])):
        path = _source(name)
        mark.update(name.encode() + b"\n" + (b"" if path is None else path.read_bytes()))
    mark.update(repr((plan.near, plan.far)).encode())
    return mark.hexdigest()
