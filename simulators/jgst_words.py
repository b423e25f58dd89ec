"""The XML of the customs gate protocol, read by name and written as the tables of JGS/T 14-2015 have it.

The names that the standard misspells are sent so: EXCUTE_COMMAND, DEVIC_ID, GETHER_MODE. What a peer declares of its
encoding is not believed: strict UTF-8 first, then GB18030.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

Node = tuple[str, "str | Sequence[Node]"]
"""An element: its name, and its text or its children."""
Encoding = Literal["utf-8", "gb18030"]

_GLUED = re.compile(r'("[^"<>]*")(?=[A-Za-z_]+=")')
"""Two attributes with no blank between them, as one vendor sends them."""
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
SEAL_BYTE, GPS_BYTE = 8, 9
"""Places of the result word, counted from 1."""


class NotXml(ValueError):
    """The text is no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message by the names of its elements."""

    root: str
    attributes: Mapping[str, str]
    elements: tuple[tuple[str, str], ...]
    """Path below the root (IC/DR_IC_NO) and text, in the order of the document."""

    def first(self, *names: str) -> str:
        """The first text that is not empty under one of these names, attribute or element, wherever it stands."""
        for name in names:
            if text := self.attributes.get(name, "").strip():
                return text
            for path, text in self.elements:
                if (path == name or path.endswith(f"/{name}")) and text:
                    return text
        return ""

    def all(self, name: str) -> list[str]:
        """Every text under this name that is not empty."""
        return [text for path, text in self.elements if (path == name or path.endswith(f"/{name}")) and text]

    def has(self, name: str) -> bool:
        """Whether there is such an element, empty or not."""
        return any(path == name or path.endswith(f"/{name}") for path, _ in self.elements)


def text_of(raw: bytes) -> str:
    """The text as it is meant. Raises NotXml."""
    raw = raw.strip(b"\0").removeprefix(b"\xef\xbb\xbf")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotXml("neither UTF-8 nor GB18030")


def read(raw: bytes) -> Message:
    """Raises NotXml."""
    text = _DECLARATION.sub("", text_of(raw))
    try:
        tree: Any = fromstring(_GLUED.sub(r"\1 ", text))
    except (ParseError, DefusedXmlException, ValueError) as wrong:
        raise NotXml(str(wrong)) from wrong

    def walk(element: Any, path: str) -> Iterator[tuple[str, str]]:
        for child in element:
            name = f"{path}/{child.tag}" if path else str(child.tag)
            yield name, (child.text or "").strip()
            yield from walk(child, name)

    return Message(
        root=str(tree.tag),
        attributes={str(key): str(value) for key, value in tree.attrib.items()},
        elements=tuple(walk(tree, "")),
    )


def write(
    root: str,
    attributes: Mapping[str, str],
    nodes: Sequence[Node],
    *,
    encoding: Encoding = "utf-8",
    declared: str | None = None,
) -> bytes:
    """`declared`: what the declaration says of the encoding, which is as the sender likes; None: no declaration."""
    told = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    head = "" if declared is None else f'<?xml version="1.0" encoding="{declared}"?>\n'
    return f"{head}<{root}{told}>\n{''.join(map(_written, nodes))}</{root}>".encode(encoding)


def _written(node: Node) -> str:
    name, inside = node
    if isinstance(inside, str):
        return f"<{name}>{escape(inside)}</{name}>\n"
    return f"<{name}>\n{''.join(map(_written, inside))}</{name}>\n"


def word(**letters: str) -> str:
    """A result word of 20 characters; `b3="w"` puts a letter in place 3. Byte 1: the maximum of 3 to 7 if not told."""
    made = ["0"] * 20
    for place, letter in letters.items():
        made[int(place[1:]) - 1] = letter
    if "b1" not in letters:
        made[0] = max(made[2:7])
    return "".join(made)
