"""The rooms are the rooms, and what the import contracts cannot see is seen here."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.project import ROOT, files, sources, texts

ROOMS = {"drivers", "vision", "gateway_ctl", "telemetry", "edge", "consoles", "simulators", "tests"}
BESIDE = {"bench", ".ci", "pictures"}
"""No rooms: measurements, the judge's script, pictures for the README."""
LINES_CAP = 400
DEFENCE = re.compile(r"more than 400 lines|longer than (the house's )?400 lines|over 400 lines", re.IGNORECASE)
EMPTY_NAMES = {"utils", "util", "manager", "helper", "helpers", "handler", "handlers", "data", "misc", "common"}


def test_the_folders_are_the_rooms() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in files() if len(path.relative_to(ROOT).parts) > 1}
    assert folders - BESIDE == ROOMS


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_is_ours_and_no_namesake(room: str) -> None:
    module = importlib.import_module(room)
    assert module.__file__ and Path(module.__file__).resolve() == ROOT / room / "__init__.py"


def test_every_folder_of_code_is_a_package() -> None:
    folders = {Path(name).parent for name in sources()} - {Path(), Path("bench")}
    assert not [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").exists()]


def test_no_file_is_long_without_a_word_in_its_defence() -> None:
    """The first lines of a long file say why it is long."""
    long = [
        f"{name}: {text.count(chr(10))} lines"
        for name, text in sources().items()
        if text.count("\n") > LINES_CAP and not DEFENCE.search("\n".join(text.splitlines()[:15]))
    ]
    assert not long


def test_names_say_something() -> None:
    assert not [name for name in sources() if EMPTY_NAMES & set(Path(name).with_suffix("").parts)]


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name
        for name, text in sources().items()
        if text.strip() and not name.startswith("tests/") and ast.get_docstring(ast.parse(text)) is None
    ]
    assert not silent


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
    assert not [f"{name}: {found[0]}" for name, text in texts().items() if (found := later.search(text))]


def test_no_path_of_anybodys_machine() -> None:
    machine = re.compile(
        "|".join(("/ro" + "ot/", "/ho" + r"me/\w", "/wo" + "rk/", "/Us" + "ers/", r"[A-Z]:\\Us" + "ers"))
    )
    assert not [f"{name}: {found[0]}" for name, text in texts().items() if (found := machine.search(text))]


def test_the_lock_has_a_hash_for_everything_and_names_no_registry() -> None:
    lock = texts()["requirements.lock"]
    assert "://" not in lock
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links|--trusted-host)\b", lock, re.MULTILINE)
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(entries) > 50
    assert not [
        e.split()[0] for e in entries if not re.match(r"\S+==\S+( ;[^\\]*)? \\\n(\s+--hash=sha256:[0-9a-f]{64})", e)
    ]


def test_the_import_contracts_are_kept() -> None:
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
