"""Which tests a module's mutants must get past, the quick ones first; and what the enumerations' members are."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GATE = "tests/gateway_ctl/"


_LAWS = "test_laws.py"
_MIND = (
    "test_reasons.py", "test_interlock.py", "test_sight.py", "test_memory.py", "test_lane.py", "test_lane_state.py",
    "test_matching.py", "test_boom.py", "test_interlock_whole.py", "test_explorer.py",
)  # fmt: skip
_NEAR: dict[str, tuple[str, ...]] = {
    "anchor": ("test_anchor.py", _LAWS),
    "book": ("test_book.py", "test_book_tampered.py", _LAWS),
    "boom": ("test_boom.py",),
    "conditions": ("test_conditions.py",),
    "correction": ("test_correction.py", _LAWS),
    "customs/result_word": ("customs/test_result_word.py", _LAWS),
    "customs/verdict": ("customs/test_verdict.py", _LAWS),
    "deeds": ("test_deeds.py", _LAWS),
    "http": ("test_http.py",),
    "inspection": ("test_inspection.py", _LAWS),
    "interlock": ("test_interlock.py", _LAWS),
    "lane": ("test_lane.py", _LAWS),
    "lane_state": ("test_lane_state.py", _LAWS),
    "matching": ("test_matching.py", _LAWS),
    "memory": ("test_memory.py", _LAWS),
    "modes": (_LAWS,),
    "orders": ("test_orders.py", _LAWS),
    "picture": ("test_picture.py", _LAWS),
    "reasons": ("test_reasons.py", _LAWS),
    "seal": ("test_seal.py", _LAWS),
    "sight": ("test_sight.py", _LAWS),
}
"""Tests of the module itself."""
_FAR: dict[str, tuple[str, ...]] = {
    "anchor": ("tests/edge/test_anchors.py",),
    "book": ("test_boom.py",),
    "conditions": ("test_sight.py", "test_lane.py"),
    "deeds": ("test_lane.py", "test_boom.py"),
    "interlock": _MIND,
    "lane": _MIND,
    "lane_state": (*_MIND, "tests/house/test_generated.py"),
    "matching": _MIND,
    "memory": _MIND,
    "modes": _MIND,
    "orders": ("test_seal.py", *_MIND),
    "picture": _MIND,
    "reasons": ("tests/house/test_reasons.py",),
    "seal": ("test_pin.py",),
    "sight": _MIND,
}
"""Tests that see it among others, asked about what survives its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one module."""

    module: str
    near: tuple[str, ...]
    far: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Its source."""
        return ROOT / (self.module.replace(".", "/") + ".py")


def plans() -> dict[str, Plan]:
    """By module."""
    found: dict[str, Plan] = {}
    for name, near in _NEAR.items():
        module = "gateway_ctl." + name.replace("/", ".")
        paths = [_path(test) for test in near]
        far = [_path(test) for test in _FAR.get(name, ())]
        found[module] = Plan(module, tuple(paths), tuple(path for path in dict.fromkeys(far) if path not in paths))
    return found


def _path(test: str) -> str:
    return test if test.startswith("tests/") else GATE + test


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
