"""The JSON dialect of one maker (2016, over Redis): the same groups and names, as JSON text inside JSON. Pure.

Read for captures and for a site that must be switched over; the link itself does not speak it.
"""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from gateway_ctl.customs.codes import KNOWN
from gateway_ctl.customs.xml_text import Element, Unreadable, decode

_HEAD = ("AREA_ID", "CHNL_NO", "I_E_TYPE", "SEQ_NO")
_BODY, _INSIDE = "Data", "tData"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonMessage:
    """A message, and the envelopes around it with their places."""

    code: int
    root: Element
    outer: dict[str, Any] = field(repr=False)
    inner: dict[str, Any] = field(repr=False)


def read_json(raw: bytes) -> JsonMessage:
    """Raises Unreadable."""
    text, _ = decode(raw)
    outer = _table(text)
    inner = _table(outer.get(_INSIDE))
    code, event, body = inner.get("Cmd"), inner.get("Event"), inner.get(_BODY)
    if not isinstance(code, int) or code not in KNOWN or not isinstance(event, str) or not isinstance(body, dict):
        raise Unreadable("Cmd, Event or Data is missing, or is none")
    attributes = tuple((name, str(inner[name])) for name in _HEAD if name in inner)
    root = Element(event, "", attributes, _children(cast("dict[str, Any]", body)))
    return JsonMessage(code=code, root=root, outer=outer | {_INSIDE: ""}, inner=inner | {_BODY: {}})


def write_json(message: JsonMessage) -> bytes:
    """The same envelopes around what the root says now."""
    attributes = dict(message.root.attributes)
    inner: dict[str, Any] = {name: attributes.get(name, value) for name, value in message.inner.items()}
    inner[_BODY] = _body(message.root)
    outer = message.outer | {_INSIDE: json.dumps(inner, ensure_ascii=False)}
    return json.dumps(outer, ensure_ascii=False).encode()


def _table(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError) as wrong:
        raise Unreadable(f"no JSON: {type(wrong).__name__}") from wrong
    if not isinstance(found, dict):
        raise Unreadable("no JSON object")
    return cast("dict[str, Any]", found)


def _children(body: dict[str, Any]) -> tuple[Element, ...]:
    found: list[Element] = []
    for name, value in body.items():
        if isinstance(value, dict):
            found.append(Element(name, children=_children(cast("dict[str, Any]", value))))
        elif isinstance(value, str):
            found.append(Element(name, value))
        else:
            raise Unreadable(f"{name[:40]} is neither text nor a group")
    return tuple(found)


def _body(element: Element) -> dict[str, Any]:
    return {child.name: _body(child) if child.children else child.text for child in element.children}
