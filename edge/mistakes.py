"""What is wrong in a site file, all of it at once, in words for the person who wrote it.

A mistake names the file, the line, the key as a path (`lanes[L01].weighbridge.max_kg`), what stands there and what was
expected. Values of keys that hold secrets are never repeated.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]
"""A place in the file: keys and positions."""

SECRET = re.compile(r"sealed|password|token|secret|private", re.IGNORECASE)
SHOWN_CAP = 60
"""Characters of a value that are repeated in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing to mend. `line` counts from 1; None when it is nowhere in the file."""

    file: str
    line: int | None
    key: str
    value: str
    expected: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key} {self.value}: {self.expected}"


class SiteFileWrong(Exception):
    """A site file cannot be used. `mistakes` holds every one that could be found, in the order of the file."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda m: (m.line is None, m.line or 0, m.key)))
        count = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__("\n".join([f"{count} in the site file:", *map(str, self.mistakes)]))


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake by its place; the file turns it into a Mistake."""

    path: Place
    expected: str


class SiteText:
    """The text of a site file beside what it parsed to, for pointing at places in it."""

    def __init__(self, file: str, text: str, raw: Mapping[str, Any]) -> None:
        self._file, self._raw = file, raw
        self._lines = dict(_key_lines(text))

    def mistake(self, finding: Finding) -> Mistake:
        """The finding with its line and what stands there."""
        path = finding.path
        there, value = _look(self._raw, path)
        key = str(path[-1]) if path else ""
        shown = "is missing" if not there else "= ..." if SECRET.search(key) else f"= {_short(value)}"
        return Mistake(
            file=self._file,
            line=self._line(path),
            key=self._name(path),
            value=shown,
            expected=finding.expected,
        )

    def of_pydantic(self, error: ErrorDetails, model: type[BaseModel]) -> Mistake | None:
        """A validation error in the same words; None for one that only follows from the others."""
        path = self._in_file(error["loc"])
        if error["type"] == "value_error" and path and not _look(self._raw, path)[0]:
            path = path[:-1]  # a whole table is wrong, and the last part is only the mark of the union's member
        if error["type"] == "too_short" and self._long_enough(path, error):
            return None
        expected = _expectation(error)
        if error["type"] == "extra_forbidden":
            expected = _unknown_key(str(path[-1]), _siblings(model, error["loc"][:-1]))
        elif error["type"] in ("union_tag_invalid", "union_tag_not_found"):
            path = (*path, error.get("ctx", {}).get("discriminator", "").strip("'") or "kind")
        return self.mistake(Finding(path, expected))

    def _long_enough(self, path: Place, error: ErrorDetails) -> bool:
        """pydantic counts only the rows that are well."""
        _, rows = _look(self._raw, path)
        return isinstance(rows, list) and len(cast("list[Any]", rows)) >= error.get("ctx", {}).get("min_length", 0)

    def _in_file(self, loc: Place) -> Place:
        """Without the marks that pydantic adds for the members of a union."""
        path: list[str | int] = []
        here: Any = self._raw
        for at, part in enumerate(loc):
            if isinstance(here, Mapping):
                table = cast("Mapping[str, Any]", here)
                if part in table:
                    here = table[str(part)]
                elif at < len(loc) - 1:
                    continue
            elif isinstance(here, Sequence) and not isinstance(here, str) and isinstance(part, int):
                row = cast("Sequence[Any]", here)
                here = row[part] if part < len(row) else None
            else:
                continue
            path.append(part)
        return tuple(path)

    def _line(self, path: Place) -> int | None:
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return self._lines[path[:end]]
        return None

    def _name(self, path: Place) -> str:
        said = ""
        for at, part in enumerate(path):
            if isinstance(part, int):
                _, row = _look(self._raw, path[: at + 1])
                said += f"[{_called(row) or f'no. {part + 1}'}]"
            else:
                said += f".{part}" if said else part
        return said


def _called(row: Any) -> str | None:
    if not isinstance(row, dict):
        return None
    table = cast("dict[str, Any]", row)
    return next((table[key] for key in ("id", "name") if isinstance(table.get(key), str)), None)


def _look(raw: Any, path: Place) -> tuple[bool, Any]:
    here: Any = raw
    for part in path:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return False, None
    return True, here


def places(raw: Any, pattern: str) -> Iterator[tuple[Place, Any]]:
    """Every value at a pattern such as `lanes.*.weighbridge.link`, whatever the rest is; `*`: each of a list."""

    def walk(here: Any, parts: Sequence[str], path: Place) -> Iterator[tuple[Place, Any]]:
        if not parts:
            yield path, here
        elif parts[0] == "*" and isinstance(here, list):
            for at, row in enumerate(cast("list[Any]", here)):
                yield from walk(row, parts[1:], (*path, at))
        elif isinstance(here, dict) and parts[0] in here:
            yield from walk(cast("dict[str, Any]", here)[parts[0]], parts[1:], (*path, parts[0]))

    yield from walk(raw, pattern.split("."), ())


_STRING_OR_COMMENT = re.compile(
    r"""
    \"{3} (?: [^\\] | \\. )*? \"{3}  |  '{3} .*? '{3}          # over several lines
    | " (?: [^"\\\n] | \\. )* "      |  ' [^'\n]* '  |  \# [^\n]*
    """,
    re.DOTALL | re.VERBOSE,
)
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-. ]+?)\s*=")


def _key_lines(text: str) -> Iterator[tuple[Place, int]]:
    """Where each key and table begins. The text is known to be TOML; keys inside inline tables share their line."""
    bare = _STRING_OR_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    table: Place = ()
    counts: dict[Place, int] = {}
    depth = 0
    for number, line in enumerate(bare.splitlines(), 1):
        if depth == 0 and (header := _HEADER.match(line)):
            table = _resolve(tuple(_parts(header[2])), header[1] == "[[", counts)
            yield table, number
            continue
        if depth == 0 and (key := _KEY.match(line)):
            yield (*table, *_parts(key[1])), number
        depth += sum(line.count(c) for c in "[{") - sum(line.count(c) for c in "]}")


def _resolve(keys: tuple[str, ...], another: bool, counts: dict[Place, int]) -> Place:  # noqa: FBT001  (one caller)
    """`[lanes.io]` means the lanes table begun last."""
    path: Place = ()
    for at, key in enumerate(keys):
        path = (*path, key)
        if at == len(keys) - 1 and another:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(dotted: str) -> list[str]:
    return [part.strip() for part in dotted.split(".")]


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{...}"
    if isinstance(value, list):
        return "[...]"
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= SHOWN_CAP else shown[: SHOWN_CAP - 3] + "..."


def _unknown_key(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"no such key here; did you mean {near[0]}?" if near else f"no such key here; known are {', '.join(known)}"


def _siblings(model: type[BaseModel], loc: Place) -> list[str]:
    """Names that are allowed at a place, found in the model's own schema."""
    schema = model.model_json_schema(by_alias=True)
    here: dict[str, Any] = schema
    for part in loc:
        here = _deref(here, schema)
        if isinstance(part, int):
            here = here.get("items", {})
        elif part in here.get("properties", {}):
            here = here["properties"][part]
        else:
            mapping = here.get("discriminator", {}).get("mapping", {})
            here = {"$ref": mapping[part]} if part in mapping else here
    here = _deref(here, schema)
    return list(here.get("properties", {}))


def _deref(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for option in node.get("anyOf", ()):
        if option.get("type") != "null":
            return _deref(option, schema)
    return node


_PLAIN: dict[str, str] = {
    "missing": "it must be given",
    "string_type": "expected text in quotes",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "decimal_type": "expected a number",
    "decimal_parsing": "expected a number",
    "finite_number": "expected a number that is finite",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "set_type": "expected a list",
    "frozen_set_type": "expected a list",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "model_attributes_type": "expected a table",
    "path_type": "expected a path in quotes",
    "url_parsing": "expected an address such as http://127.0.0.1:9000",
    "url_scheme": "expected an address such as http://127.0.0.1:9000",
    "greater_than": "expected a number above {gt}",
    "greater_than_equal": "expected {ge} or more",
    "less_than": "expected a number below {lt}",
    "less_than_equal": "expected {le} or less",
    "multiple_of": "expected a multiple of {multiple_of}",
    "literal_error": "expected {expected}",
    "enum": "expected {expected}",
    "too_short": "expected at least {min_length}, there are {actual_length}",
    "too_long": "expected at most {max_length}, there are {actual_length}",
    "string_too_short": "expected at least {min_length} characters",
    "string_too_long": "expected at most {max_length} characters",
    "union_tag_invalid": "expected one of {expected_tags}",
    "union_tag_not_found": "expected, to say which kind this is",
}


def _expectation(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] in ("value_error", "assertion_error"):
        return str(context.get("error", error["msg"]))
    form = _PLAIN.get(error["type"])
    return error["msg"] if form is None else form.format(**context)
