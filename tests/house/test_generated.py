"""What is generated equals what it was generated from."""

import json
import re
import tomllib
import typing

import msgspec
import pytest

from consoles.tsgen import ROOTS, typescript
from edge.config import schema
from gateway_ctl.lane_state import TABLE, State, mermaid
from telemetry.payloads import lane
from tests.house.project import ROOT


def test_the_site_file_s_schema_is_the_pinned_one() -> None:
    pinned = (ROOT / "edge" / "sites" / "schema.json").read_text(encoding="utf-8")
    assert json.loads(pinned) == json.loads(schema()), "make schema, and look at what changed"
    assert pinned == schema()


def test_every_part_of_the_schema_is_closed() -> None:
    made = json.loads(schema())
    tables = {"Site": made, **made["$defs"]}
    assert not [
        name for name, t in tables.items() if t.get("type") == "object" and t.get("additionalProperties") is not False
    ]


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_diagram_in_the_readme_is_the_table(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    drawn = re.findall(r"```mermaid\n(stateDiagram-v2\n.*?)\n?```", text, re.DOTALL)
    assert drawn == [mermaid()], "paste what gateway_ctl.lane_state.mermaid() gives"


def test_the_script_in_a_bundle_is_the_third_party_s() -> None:
    shipped = (ROOT / "edge" / "evidence" / "verify.txt").read_text(encoding="utf-8")
    assert shipped == (ROOT / "tests" / "real" / "book_reader.py").read_text(encoding="utf-8"), "make reader"


def test_the_diagram_shows_every_state_and_every_change() -> None:
    drawn = mermaid()
    changes = {(a.value, b.value) for a, row in TABLE.items() for b in row.values() if a is not b}
    assert set(re.findall(r"^ +(\w+) --> (\w+):", drawn, re.MULTILINE)) == changes
    assert {state for change in changes for state in change} == {state.value for state in State}


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_site_file_in_the_readme_is_a_piece_of_the_example(readme: str) -> None:
    """What the README shows of a site file stands in edge/sites/example.toml; comments may differ."""
    example = set(_bare((ROOT / "edge" / "sites" / "example.toml").read_text(encoding="utf-8")))
    pieces = re.findall(r"```toml\n(.*?)```", (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL)
    assert pieces
    for piece in pieces:
        tomllib.loads(piece)
        assert not [line for line in _bare(piece) if line not in example]


def _bare(text: str) -> list[str]:
    lines = (re.sub(r"(^|\s+)#.*$", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def test_the_pages_types_are_python_s() -> None:
    made = typescript()
    for root in ROOTS:
        _fields_are_there(root, made, set())
    _fields_are_there(lane.ViewBody, made, set())
    built = ROOT / "consoles" / "ui" / "src" / "wire.gen.ts"
    if built.exists():
        assert built.read_text(encoding="utf-8") == made, "the pages were built from older types: install again"


def _fields_are_there(kind: type[msgspec.Struct], text: str, seen: set[str]) -> None:
    if kind.__name__ in seen:
        return
    seen.add(kind.__name__)
    block = re.search(rf"^export type {kind.__name__} = \{{\n(.*?)^\}};", text, re.DOTALL | re.MULTILINE)
    assert block, f"{kind.__name__} is not there"
    told = set(re.findall(r"^  (\w+)\??:", block[1], re.MULTILINE))
    tag = kind.__struct_config__.tag_field
    assert told == {field.encode_name for field in msgspec.structs.fields(kind)} | ({tag} if tag else set())
    for hint in typing.get_type_hints(kind).values():
        for inner in _structs(hint):
            _fields_are_there(inner, text, seen)


def _structs(hint: object) -> list[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    return [found for each in typing.get_args(hint) for found in _structs(each)]
