"""Every sample read and written back, one row each. `python -m tests.gateway_ctl.customs.sample_list` prints the list;
tests/golden/customs/READ.md is the list as it must be."""

import re
from dataclasses import replace

from gateway_ctl.customs.codes import code_name
from gateway_ctl.customs.messages import code_of, read_message, write_message
from gateway_ctl.customs.packet import Acknowledgement, Naked, Packet, Reader, to_bytes
from gateway_ctl.customs.redis_json import read_json, write_json
from gateway_ctl.customs.xml_text import Element, decode, parse, write
from tests.gateway_ctl.customs.facts import facts
from tests.gateway_ctl.customs.samples import names, sample

TOP = (
    "# Every sample, read and written back",
    "",
    "| sample | read as | bytes in / declared | what was done |",
    "|---|---|---|---|",
)


def rows() -> list[str]:
    """The whole list as Markdown."""
    return [*TOP, *(f"| {name} | {' | '.join(_row(name))} |" for name in names())]


def _row(name: str) -> tuple[str, str, str]:
    raw = sample(name[:2])
    if name.endswith(".hex"):
        return _frame(raw)
    if name.endswith(".json"):
        return _json(raw)
    if name.endswith(".txt"):
        return _log(raw)
    return _xml(raw)


def _frame(raw: bytes) -> tuple[str, str, str]:
    reader = Reader()
    (word,) = reader.words(raw)
    assert isinstance(word, Packet | Acknowledgement)
    assert to_bytes(replace(word, raw=b"")) == raw
    layout = f"{word.layout.width}-byte code, {word.layout.order}-endian"
    if isinstance(word, Acknowledgement):
        return "acknowledgement", layout, "written back byte by byte"
    message = read_message(word.code, parse(word.xml).root)
    inside = f" with {len(word.photos)} pictures" if word.photos else ""
    return f"{code_name(word.code)}, {type(message).__name__}{inside}", layout, "written back byte by byte"


def _json(raw: bytes) -> tuple[str, str, str]:
    found = read_json(raw)
    message = read_message(found.code, found.root)
    again = read_json(write_json(replace(found, root=write_message(message))))
    assert read_message(again.code, again.root) == message
    assert write_json(found) == raw.rstrip()
    return (
        f"{code_name(found.code)}, {type(message).__name__}",
        "utf-8 / -",
        "envelope byte by byte, message meaning-true",
    )


def _log(raw: bytes) -> tuple[str, str, str]:
    """The log shows its groups apart, each in a line of its own."""
    text = raw.decode()
    root = re.search(r"<GATHER_INFO[^>]*>", text)
    assert root is not None
    groups = "".join(found[0] for found in re.finditer(r"<(IC|CONTA|CAR|WEIGHT)>.*?</\1>", text, re.DOTALL))
    kind, coded, done = _xml(f"{root[0]}{groups}</GATHER_INFO>".encode())
    return kind, coded, f"groups gathered from the log; {done}"


def _xml(raw: bytes) -> tuple[str, str, str]:
    document = parse(raw)
    text, _ = decode(raw)
    mended = text.replace('"CHNL_TYPE', '" CHNL_TYPE')
    coded = f"{document.encoding} / {document.declared or '-'}"
    repaired = "".join(f"{each}; " for each in document.repairs)
    # What goes onto a wire as it is comes off it as it is.
    (naked,) = Reader().words(raw)
    assert isinstance(naked, Naked)
    assert naked.raw == raw.strip()
    code = code_of(document.root)
    if code is None:
        again = parse(write(document.root, document.encoding))
        assert again.root == document.root
        assert facts(write(document.root, "utf-8").decode()) == facts(mended)
        return (
            f"{document.root.name.rpartition('}')[2]}, no message of the gate",
            coded,
            f"{repaired}elements kept and written back",
        )
    message = read_message(code, document.root)
    written = write(write_message(message), "gb18030")
    assert read_message(code, parse(written).root) == message
    assert facts(written.decode("gb18030")) == facts(mended)
    kept = count(message.others) + len(message.marks)
    unknown = f", {kept} unknown kept" if kept else ""
    return f"{code_name(code)}, {type(message).__name__}", coded, f"{repaired}meaning-true{unknown}"


def count(elements: tuple[Element, ...]) -> int:
    """Elements at the bottom."""
    return sum(count(each.children) if each.children else 1 for each in elements)


if __name__ == "__main__":
    print("\n".join(rows()))
