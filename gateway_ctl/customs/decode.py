"""A capture of a customs gate's link -> what it says, as plain objects for JSON lines. Secrets are not shown."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any, cast

from drivers.readings import Garbage
from gateway_ctl.customs.codes import code_name
from gateway_ctl.customs.messages import SECRETS, Check, DeviceOrder, DeviceOrderDone, Message, code_of, read_message
from gateway_ctl.customs.packet import Acknowledgement, Naked, Packet, Reader, Word
from gateway_ctl.customs.redis_json import read_json
from gateway_ctl.customs.result_word import Subject, Use, word_of
from gateway_ctl.customs.shape import Shape
from gateway_ctl.customs.verdict import devices_wanted
from gateway_ctl.customs.xml_text import Element, Unreadable, parse

Plain = dict[str, Any]
HIDDEN = "***"
SHOWN_GARBAGE = 64
"""Bytes of what was no packet."""


def decode_stream(chunks: Iterable[bytes]) -> Iterator[Plain]:
    """Packets of any layout, naked documents, and the JSON dialect (when the capture begins with a brace)."""
    reader = Reader()
    rest = iter(chunks)
    first = next(rest, b"")
    if first.lstrip()[:1] == b"{":
        yield _json(first + b"".join(rest))
        return
    for word in reader.words(first):
        yield plain(word)
    for chunk in rest:
        for word in reader.words(chunk):
            yield plain(word)
    reader.end()
    for word in reader.words():
        yield plain(word)


def plain(word: Word) -> Plain:
    """One word."""
    match word:
        case Garbage(raw=raw, why=why):
            return {"garbage": raw[:SHOWN_GARBAGE].hex(" "), "bytes": len(raw), "why": why}
        case Acknowledgement():
            return {"packet": "acknowledgement", "code": code_name(word.code), "taken": word.ok}
        case Naked(raw=raw):
            return {"packet": "none", "bytes": len(raw)} | _document(None, raw)
        case Packet():
            photos = word.photos
            return {
                "packet": f"{word.layout.width}-byte code, {word.layout.order}-endian", "code": code_name(word.code),
                "area": word.area, "channel": word.channel, "direction": word.direction,
                "identifier": word.identifier.hex(), "bytes": len(word.raw),
            } | ({"tail": word.tail.hex()} if word.tail != b"\xff\xff" else {}) | (
                {"lengths_short_by": word.short} if word.short else {}
            ) | ({"pictures": [f"{p.place:x}: {len(p.jpeg)} bytes" for p in photos]} if photos else {}) | (
                {"signature": f"{len(word.signature)} bytes"} if word.signature is not None else {}
            ) | _document(word.code, word.xml)  # fmt: skip


def _document(code: int | None, raw: bytes) -> Plain:
    try:
        document = parse(raw)
    except Unreadable as wrong:
        return {"unreadable": str(wrong)}
    said: Plain = {"encoding": document.encoding, "declared": document.declared}
    if document.repairs:
        said["mended"] = list(document.repairs)
    return said | _message(code, document.root)


def _json(raw: bytes) -> Plain:
    try:
        found = read_json(raw)
    except Unreadable as wrong:
        return {"unreadable": str(wrong)}
    return {"packet": "JSON", "code": code_name(found.code)} | _message(found.code, found.root)


def _message(code: int | None, root: Element) -> Plain:
    told = code if code is not None else code_of(root)
    if told is None:
        return {"root": root.name, "elements": _element(root)}
    try:
        message = read_message(told, root)
    except Unreadable as wrong:
        return {"unreadable": str(wrong), "root": root.name, "elements": _element(root)}
    said: Plain = {"message": type(message).__name__, "says": _shape(message)}
    if code is None:
        said = {"code": code_name(told)} | said
    remarks = _remarks(message)
    return said if remarks is None else said | remarks


def _remarks(message: Message) -> Plain | None:
    """The result word in its own use."""
    match message:
        case Check(result=text):
            use = Use.CHECK
        case DeviceOrder(command=text):
            use = Use.COMMAND
        case DeviceOrderDone(result=text):
            use = Use.RESULT
        case _:
            return None
    word = word_of(text)
    if word is None:
        return {"word": "none", "lifts": text == "Y"}
    told = {
        f"{r.subject} {r.subject.name.lower()} {r.char}": f"{r.meaning[0]} / {r.meaning[1]}" for r in word.remarks(use)
    }
    # With a seal or a tracker to be worked, the release is the 0x22 that follows.
    lifts = word.lifts(use) and not (use is Use.COMMAND and devices_wanted(word))
    return {"word": told or f"{Subject.TOTAL.name.lower()} 0", "lifts": lifts}


def _shape(shape: Shape) -> Plain:
    """What is not empty."""
    said: Plain = {}
    for each in fields(shape):
        value = getattr(shape, each.name)
        if each.name == "others":
            if value:
                said["others"] = [{child.name: _element(child)} for child in value]
        elif each.name == "marks":
            said |= {f"@{name}": text for name, text in value}
        elif isinstance(value, Shape):
            inner = _shape(value)
            if inner:
                said[each.name] = inner
        elif isinstance(value, tuple):
            parts = cast("tuple[Shape, ...]", value)
            if parts:
                said[each.name] = [_shape(part) for part in parts]
        elif value:
            said[each.name] = HIDDEN if each.metadata.get("secret") else value
    return said


def _element(element: Element) -> Any:
    if element.name in SECRETS and element.text:
        return HIDDEN
    if not element.children and not element.attributes:
        return element.text
    return {f"@{name}": text for name, text in element.attributes} | (
        {"elements": [{child.name: _element(child)} for child in element.children]}
        if element.children
        else {"text": element.text}
    )
