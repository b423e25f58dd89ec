"""Which tests a module's mutants must get past, the quick ones first; and what the enumerations' members are."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GATE = "tests/gateway_ctl/"


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one module."""

    module: str
    tests: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Its source."""
        return ROOT / (self.module.replace(".", "/") + ".py")


_MIND = (
    "test_interlock.py", "test_sight.py", "test_lane.py", "test_lane_state.py", "test_reasons.py", "test_orders.py",
    "test_seal.py", "test_boom.py", "test_interlock_whole.py", "test_lane_random.py", "test_explorer.py",
)  # fmt: skip
_TESTS: dict[str, tuple[str, ...]] = {
    "book": ("test_book.py", "test_book_tampered.py", "test_boom.py"),
    "boom": ("test_boom.py", "test_lane_random.py"),
    "conditions": ("test_conditions.py", "test_sight.py", "test_lane.py"),
    "deeds": ("test_lane.py", "test_boom.py"),
    "http": ("test_http.py",),
    "interlock": _MIND,
    "lane": _MIND,
    "lane_state": ("test_lane_state.py", *_MIND),
    "orders": ("test_orders.py", "test_seal.py", *_MIND),
    "picture": ("test_picture.py", *_MIND),
    "reasons": ("test_reasons.py", *_MIND),
    "seal": ("test_seal.py",),
    "sight": ("test_sight.py", *_MIND),
}
_ALSO: dict[str, tuple[str, ...]] = {
    "reasons": ("tests/house/test_reasons.py",),
    "lane_state": ("tests/house/test_generated.py",),
}


def plans() -> dict[str, Plan]:
    """By module."""
    found: dict[str, Plan] = {}
    for name, tests in _TESTS.items():
        paths = [GATE + test for test in dict.fromkeys(tests)] + list(_ALSO.get(name, ()))
        there = tuple(path for path in paths if (ROOT / path).exists())
        found[f"gateway_ctl.{name}"] = Plan(f"gateway_ctl.{name}", there)
    return found


def members(folder: Path = ROOT / "gateway_ctl") -> dict[str, Sequence[str]]:
    """Members of every enumeration of the room, by its name."""
    found: dict[str, Sequence[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any(
                isinstance(base, ast.Name) and base.id in ("Enum", "StrEnum") for base in node.bases
            ):
                found[node.name] = [
                    target.id
                    for line in node.body
                    if isinstance(line, ast.Assign)
                    for target in line.targets
                    if isinstance(target, ast.Name)
                ]
    return found
