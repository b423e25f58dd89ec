"""Plain tables -> TOML text, as much of it as a site file needs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast


def quoted(text: str) -> str:
    """A basic string."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", plain) + '"'


def document(tables: Mapping[str, Any]) -> str:
    """A whole file: tables and lists of tables have headers two levels deep and are inline below; None is left out."""
    return "\n".join(_table(tables, ())) + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    below: list[tuple[str, Any]] = []
    for key, value in table.items():
        if _has_header(value, path):
            below.append((key, value))
        elif value is not None:
            yield f"{key} = {_value(value)}"
    for key, value in below:
        here = (*path, key)
        if isinstance(value, Mapping):
            yield f"\n[{'.'.join(here)}]"
            yield from _table(cast("Mapping[str, Any]", value), here)
        else:
            for row in value:
                yield f"\n[[{'.'.join(here)}]]"
                yield from _table(row, here)


def _has_header(value: Any, path: tuple[str, ...]) -> bool:
    if len(path) >= 2:
        return False
    if isinstance(value, Mapping):
        return True
    rows = cast("list[Any]", value) if isinstance(value, list) else []
    return bool(rows) and all(isinstance(row, Mapping) for row in rows)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        rows = cast("Mapping[str, Any]", value).items()
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in rows if each is not None) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(each) for each in cast("Sequence[Any]", value)) + "]"
    return repr(value)
