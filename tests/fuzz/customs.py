"""Coverage-guided fuzzing of the customs gate's codecs, by atheris.

    python -m tests.fuzz.customs packet|xml CORPUS_FOLDER -max_total_time=600

The corpus folder is filled with the samples of tests/golden/customs when it is empty. What must hold is asserted here:
no exception but the codec's own, no byte lost, a word written back as it was read, nothing that lifts without a
clean word.
"""

import sys
from pathlib import Path
from typing import Any, cast

import atheris

with cast("Any", atheris).instrument_imports(include=["gateway_ctl.customs"]):
    from gateway_ctl.customs.decode import plain
    from gateway_ctl.customs.messages import Check, SmartFeedback, read_message, write_message
    from gateway_ctl.customs.packet import Acknowledgement, Packet, Reader, to_bytes
    from gateway_ctl.customs.verdict import of_check, of_feedback
    from gateway_ctl.customs.xml_text import Unreadable, parse, write

from gateway_ctl.orders import Verb

LARGEST = 1 << 16


def packet(data: bytes) -> None:
    """A stream in two pieces: all bytes told once, words written back as they came."""
    if not data:
        return
    cut = 1 + data[0] * len(data) // 256
    reader = Reader(naked=bool(data[0] & 1), largest=LARGEST)
    words = [*reader.words(data[1:cut]), *reader.words(data[cut:])]
    reader.end()
    words += reader.words()
    assert reader.padding + sum(len(word.raw) for word in words) == len(data) - 1
    for word in words:
        if isinstance(word, Packet | Acknowledgement):
            assert to_bytes(word) == word.raw
        plain(word)


def xml(data: bytes) -> None:
    """Any bytes are a message or Unreadable; a message comes back from its own bytes."""
    try:
        document = parse(data)
        message = read_message(None, document.root)
    except Unreadable:
        return
    again = read_message(message.CODES[0], parse(write(write_message(message), "utf-8")).root)
    assert type(again) is type(message)
    if isinstance(message, Check) and of_check(message).verb is Verb.RELEASE:
        assert message.result == "Y" or message.result[:2] == "00"
    if isinstance(message, SmartFeedback) and of_feedback(message).verb is Verb.RELEASE:
        assert message.result == "Y"


TARGETS = {"packet": packet, "xml": xml}


def seeds(folder: Path, target: str) -> None:
    """The samples, as this target takes them."""
    from tests.gateway_ctl.customs.samples import names, sample

    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        return
    for name in names():
        raw = sample(name[:2])
        (folder / name).write_bytes(b"\x81" + raw if target == "packet" else raw)


if __name__ == "__main__":
    _, chosen, corpus, *options = sys.argv
    seeds(Path(corpus), chosen)
    fuzzer = cast("Any", atheris)
    fuzzer.Setup([sys.argv[0], corpus, *options], TARGETS[chosen])
    fuzzer.Fuzz()
