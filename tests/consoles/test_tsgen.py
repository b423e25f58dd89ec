from typing import Literal

import msgspec
import pytest

import hatch_build
from consoles.tsgen import ROOTS, _Writer, typescript
from gateway_ctl.lane_state import State
from tests.browser.stage import ROOT


class Inner(msgspec.Struct):
    n: int | None
    pair: tuple[float, str]


class Outer(msgspec.Struct, tag_field="t", tag="outer", omit_defaults=True):
    inner: list[Inner]
    by_name: dict[str, Inner]
    word: Literal["a", "b"] = "a"


def test_a_struct_becomes_a_type_after_what_it_needs() -> None:
    writer = _Writer()
    assert writer.name(Outer) == "Outer"
    assert list(writer.done) == ["Inner", "Outer"]
    assert writer.done["Inner"] == "export type Inner = {\n  n: number | null;\n  pair: [number, string];\n};"
    assert writer.done["Outer"].splitlines()[1:-1] == [
        '  t: "outer";',
        "  inner: (Inner)[];",
        "  by_name: Record<string, Inner>;",
        '  word?: "a" | "b";',
    ]


def test_what_has_no_word_there_is_refused() -> None:
    with pytest.raises(TypeError):
        _Writer().name(bytes)


def test_every_root_and_every_state_is_written_once() -> None:
    text = typescript()
    for root in ROOTS:
        assert text.count(f"export type {root.__name__} = ") == 1
    line = next(line for line in text.splitlines() if line.startswith("export type LaneState"))
    assert all(f'"{state.value}"' in line for state in State)


def test_the_pages_agree_with_these_classes_and_are_not_made_twice() -> None:
    """tsc holds the pages against the classes; what lies ready afterwards is of today's sources."""
    hatch_build.build_pages(ROOT)
    assert hatch_build.build_pages(ROOT) is False
    assert (ROOT / "consoles/ui/src/wire.gen.ts").read_text(encoding="utf-8") == typescript()
