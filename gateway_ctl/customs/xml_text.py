"""Bytes <-> XML elements: the one door to defusedxml, and to the encodings that a gate's declarations lie about.

The declaration is not believed: NULs and the byte order mark go, strict UTF-8 is tried, then GB18030. Where both read
it, Chinese is meant: the two bytes of 鲁, on every plate of Shandong, are UTF-8 too, for a superscript three.
No document type, no entity, no reference outside. Three mistakes that were met in the field are mended, each said in
`repairs`; everything else that is not well-formed is refused with the parser's own place and word.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from gateway_ctl.customs.profile import Encoding

DEEPEST, MOST_ELEMENTS = 32, 5_000
"""The standard's deepest message has five levels and some eighty elements; a manifest of a hundred boxes has two
thousand."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element. Names in a namespace are `{uri}name`. `text` is what stands before the first child."""

    name: str
    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple["Element", ...] = ()

    def child(self, name: str) -> "Element | None":
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)

    def attribute(self, name: str) -> str | None:
        """The attribute's value."""
        return next((value for key, value in self.attributes if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document, and how it was written."""

    root: Element
    encoding: Encoding
    """The one that its bytes are in."""
    declared: str | None
    """The one that it says it is in."""
    repairs: tuple[str, ...] = ()


class Unreadable(ValueError):
    """No document, or one that does not say one thing; the text says why, and never repeats a value."""


_DECLARATION = re.compile(r"""^\s*<\?xml\b[^>]*?\?>""")
_DECLARED = re.compile(r"""encoding\s*=\s*["']([\w.:-]+)["']""")
_BOM = "\ufeff"


def decode(raw: bytes) -> tuple[str, Encoding]:
    """The text of a message and its true encoding. Raises Unreadable."""
    bare = raw.strip(b"\x00")
    try:
        text = bare.decode("utf-8")
        if not _foreign(text) or not _chinese(bare):
            return text.lstrip(_BOM), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        return bare.decode("gb18030").lstrip(_BOM), "gb18030"
    except UnicodeDecodeError as wrong:
        raise Unreadable(f"neither UTF-8 nor GB18030: byte {wrong.start}: {wrong.reason}") from wrong


_CHINESE_FROM = "\u2e80"
"""Ideographs and full-width forms lie behind this; letters of other scripts, which no gate writes, before it."""


def _foreign(text: str) -> bool:
    """Whether it holds letters that are neither ASCII nor Chinese, and nothing Chinese."""
    others = [char for char in text.lstrip(_BOM) if char > "\x7f"]
    return bool(others) and all(char < _CHINESE_FROM for char in others)


def _chinese(raw: bytes) -> bool:
    """Whether GB18030 makes Chinese of all that is not ASCII."""
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return all(char >= _CHINESE_FROM for char in text if char > "\x7f")


def parse(raw: bytes) -> Document:
    """The document of a message's bytes. Raises Unreadable."""
    text, encoding = decode(raw)
    found = _DECLARATION.match(text)
    declared = _DECLARED.search(found[0]) if found else None
    body = text[found.end() :] if found else text
    root, repairs = _mended(body.strip())
    return Document(root=root, encoding=encoding, declared=None if declared is None else declared[1], repairs=repairs)


def _mended(text: str) -> tuple[Element, tuple[str, ...]]:
    try:
        return _parse(text), ()
    except ParseError as wrong:
        first = wrong
    repairs: list[str] = []
    for what, mend in _REPAIRS:
        mended = mend(text)
        if mended == text:
            continue
        text = mended
        repairs.append(what)
        try:
            return _parse(text), tuple(repairs)
        except ParseError:
            continue
    raise Unreadable(f"not well-formed XML: {first}") from first


_TAG = re.compile(r"<[A-Za-z_][^<>]*>")
_GLUED = re.compile(r"""("[^"<>]*"|'[^'<>]*')(?=[A-Za-z_])""")
_LONE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
_ROOT = re.compile(r"<([A-Za-z_][\w.-]*)")
_LAST_TAG = re.compile(r"</([A-Za-z_][\w.-]*)\s*>\s*$")


def _blanks(text: str) -> str:
    """`SEQ_NO="…"CHNL_TYPE="0"`, as one maker sends it."""
    return _TAG.sub(lambda tag: _GLUED.sub(r"\1 ", tag[0]), text)


def _ampersands(text: str) -> str:
    return _LONE_AMPERSAND.sub("&amp;", text)


def _root_s_case(text: str) -> str:
    """The standard's own table A.12 closes COMMAND_INFO as COMMAND_Info."""
    opened, closed = _ROOT.search(text), _LAST_TAG.search(text)
    if opened is None or closed is None or opened[1] == closed[1] or opened[1].lower() != closed[1].lower():
        return text
    return f"{text[: closed.start()]}</{opened[1]}>"


_REPAIRS = (
    ("a blank put between two attributes", _blanks),
    ("a lone & escaped", _ampersands),
    ("the root's last tag in its own case", _root_s_case),
)


class _Builder:
    """The parser's target. A document too deep or too long stops it."""

    def __init__(self) -> None:
        self._open: list[tuple[str, tuple[tuple[str, str], ...], list[str], list[Element]]] = []
        self._count = 0
        self.root: Element | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) >= DEEPEST:
            raise Unreadable(f"more than {MOST_ELEMENTS} elements or {DEEPEST} levels")
        self._open.append((name, tuple(attributes.items()), [], []))

    def data(self, text: str) -> None:
        _, _, texts, children = self._open[-1]
        if not children:
            texts.append(text)
        elif text.strip():
            raise Unreadable("text between elements")

    def end(self, _: str) -> None:
        name, attributes, texts, children = self._open.pop()
        text = "".join(texts)
        if children:
            if text.strip():
                raise Unreadable(f"text and elements mixed in {name}")
            text = ""
        made = Element(name, text, attributes, tuple(children))
        if self._open:
            self._open[-1][3].append(made)
        else:
            self.root = made

    def close(self) -> None:
        return


def _parse(text: str) -> Element:
    """Raises ParseError, Unreadable."""
    builder = _Builder()
    # The parser has no types of its own.
    parser = cast("Any", DefusedXMLParser)(target=builder, forbid_dtd=True)
    try:
        parser.feed(text)
        parser.close()
    except DefusedXmlException as wrong:
        raise Unreadable(f"a document that defines something of its own: {type(wrong).__name__}") from wrong
    if builder.root is None:
        raise Unreadable("no element at all")
    return builder.root


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(root: Element, encoding: Encoding, declaration: str | None = None) -> bytes:
    """The bytes of a message. Characters that XML has no place for are left out.

    GB18030 that a reader could take for UTF-8 is given a comment that nobody can.
    """
    parts: list[str] = []
    if declaration is not None:
        parts.append(f'<?xml version="1.0" encoding="{declaration}"?>\n')
    _write(root, "", parts)
    raw = "".join(parts).encode(encoding, "replace")
    if encoding == "gb18030" and not raw.isascii() and _is_utf8(raw):
        parts.insert(-1, "<!--海关-->")
        raw = "".join(parts).encode(encoding, "replace")
    return raw


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _write(element: Element, inherited: str, parts: list[str]) -> None:
    space, name = _split(element.name)
    attributes = [f' xmlns="{_escaped(space)}"'] if space != inherited else []
    for number, (key, value) in enumerate(element.attributes):
        apart, local = _split(key)
        if apart:
            attributes.append(f' xmlns:a{number}="{_escaped(apart)}" a{number}:{local}="{_escaped(value)}"')
        else:
            attributes.append(f' {local}="{_escaped(value)}"')
    parts.append(f"<{name}{''.join(attributes)}>{_escaped(element.text)}")
    for child in element.children:
        _write(child, space, parts)
    parts.append(f"</{name}>")


def _split(name: str) -> tuple[str, str]:
    space, brace, local = name.rpartition("}")
    return (space.removeprefix("{"), local) if brace else ("", name)


def _escaped(text: str) -> str:
    bare = _NOT_XML.sub("", text)
    for plain, said in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\r", "&#13;")):
        bare = bare.replace(plain, said)
    return bare
