"""Every published frame of every maker decodes to the reading that its source gives; `pytest -s` prints the counts."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from drivers.readings import Garbage
from drivers.weighbridge.dialects import DIALECTS
from drivers.weighbridge.frames import Frame, Remark, Word
from tests.drivers.weighbridge.wire import GOLDEN

VECTORS: list[dict[str, Any]] = json.loads((GOLDEN / "vectors.json").read_text(encoding="utf-8"))["vectors"]
DIALECT_OF = {
    "yaohua-a9-continuous": "yaohua-a9",
    "yaohua-a9-command-request": "yaohua-a9-command",
    "yaohua-a9-command-response": "yaohua-a9-command",
    "yaohua-equals-forward": "yaohua-equals-forward",
    "yaohua-equals-reversed": "yaohua-equals-reversed",
    "yaohua-a12e": "yaohua-a12e",
    "yaohua-a12-w": "yaohua-a12",
    "mt-continuous": "mt-continuous",
    "mt-continuous-body": "mt-continuous-nosum",
    "mt-sics": "mt-sics",
    "aand-standard": "aand",
    "st-gs-compact": "st-gs",
    "general-measure-own": "general-measure",
    "rinstrum-rincmd": "rinstrum-rincmd",
    "rinstrum-5200-binary": "rinstrum-5200",
}
ANSWERS = {"overload", "underload", "error", "ack", "reset_serial", "request", "meaning", "status", "command"}


def on_the_wire(case: dict[str, Any]) -> bytes:
    """What some sources have left away: the marks around a body, the end of a line."""
    raw = bytes.fromhex(case["hex"])
    if case["protocol"] == "mt-continuous-body":
        return b"\x02" + raw + b"\r"
    ends = raw.endswith((b";", b"\n")) or not case["protocol"].startswith("rinstrum")
    return raw if ends else raw + b"\r\n"


def heard(dialect: str, chunks: list[bytes]) -> list[Word | Garbage]:
    decoder = DIALECTS[dialect].decoder()
    found: list[Word | Garbage] = []
    for chunk in chunks:
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    while (word := decoder.rest()) is not None:
        found.append(word)
    return found


def word_of(case: dict[str, Any]) -> Word:
    """The one word in it; a box's own name before the frame is noise."""
    raw = on_the_wire(case)
    whole = heard(DIALECT_OF[case["protocol"]], [raw])
    assert heard(DIALECT_OF[case["protocol"]], [raw[i : i + 1] for i in range(len(raw))]) == whole
    (word,) = [word for word in whole if not isinstance(word, Garbage)]
    assert sum(len(word.raw) for word in whole if isinstance(word, Garbage)) == case["expected"].get(
        "prefix_bytes_to_skip", 0
    )
    return word


@pytest.mark.parametrize("case", VECTORS, ids=[case["id"] for case in VECTORS])
def test_a_published_frame_reads_what_its_source_says(case: dict[str, Any]) -> None:
    expected, word = case["expected"], word_of(case)
    if isinstance(word, Remark):
        answers(word, expected)
        return
    weighs(word, expected)


def weighs(frame: Frame, expected: dict[str, Any]) -> None:
    """A frame with a number, or one that says why it has none."""
    if expected.get("overload") or expected.get("underload") or "error" in expected:
        out = "overload" if expected.get("overload") else "underload" if expected.get("underload") else "error"
        assert frame.shows == out and frame.value is None
        return
    shown = next(expected[key] for key in ("display", "net", "gross") if expected.get(key) is not None)
    assert frame.value == Decimal(str(shown))
    assert frame.negative == (frame.value is not None and frame.value < 0)
    if frame.decimals is not None and "decimals" in expected:
        assert frame.decimals == expected["decimals"]
    for key in ("unit", "stable"):
        if expected.get(key) is not None:
            assert getattr(frame, key) == expected[key], key
    if "net" in expected and "gross" not in expected and frame.kind is not None:
        assert frame.kind == "net"
    if "tare" in expected:
        assert frame.tare == Decimal(str(expected["tare"]))
    if "gross" in expected and frame.kind == "net":
        assert frame.value is not None and frame.value + (frame.tare or 0) == Decimal(str(expected["gross"]))
    if "increment" in expected:
        assert frame.increment == expected["increment"]
    if "net_mode" in expected:
        assert (frame.kind == "net") is expected["net_mode"]
    if "motion" in expected:
        assert frame.stable is not expected["motion"]


def answers(remark: Remark, expected: dict[str, Any]) -> None:
    """An answer without a weight, or somebody's request."""
    assert ANSWERS & expected.keys(), expected
    if "reset_serial" in expected:
        assert (remark.what, remark.text) == ("serial", expected["reset_serial"])
    elif "status" in expected:
        assert remark.what == "status" and expected["status"] in remark.text
        for said in ("error", "zero", "motion"):
            assert (said in remark.text.split(": ")[1].split(", ")) is expected[said]
    elif "command" in expected or "request" in expected:
        assert remark.what == "request"
    elif expected.get("ack") or expected.get("meaning"):
        assert remark.what == "acknowledged"
    else:
        assert remark.what == "refused" and expected.get("code", "") in remark.text


def test_no_protocol_is_left_out() -> None:
    counts = Counter(case["protocol"] for case in VECTORS)
    assert counts.keys() == DIALECT_OF.keys()
    print()
    for protocol, count in sorted(counts.items()):
        print(f"{protocol:32}{count:4}  {DIALECT_OF[protocol]}")
    print(f"{'together':32}{sum(counts.values()):4}")
