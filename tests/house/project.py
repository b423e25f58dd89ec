"""The project's files as git has them (or, without git, as they lie there)."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".venv", ".git", "node_modules", "build", "dist", "demo-data", "static"}


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project: tracked, or new and not ignored."""
    if (ROOT / ".git").exists():
        asked = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(asked, check=True, capture_output=True).stdout.decode().split("\0")
        return tuple(path for name in listed if name and (path := ROOT / name).is_file())
    return tuple(p for p in ROOT.rglob("*") if p.is_file() and not NOT_OURS & set(p.relative_to(ROOT).parts))


@cache
def texts() -> dict[str, str]:
    """Those that are text, by their name in the project."""
    found: dict[str, str] = {}
    for path in files():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def sources() -> dict[str, str]:
    """The Python files."""
    return {name: text for name, text in texts().items() if name.endswith(".py")}
