"""What a technician sees of a capture: every word, the result word explained, no secret."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_ctl.customs.decode import decode_stream
from tests.gateway_ctl.customs.samples import FOLDER, names, sample
from tests.gateway_ctl.customs.wire import packed

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", [name for name in names() if not name.endswith(".txt")])
def test_every_sample_says_something(name: str) -> None:
    (said,) = decode_stream([sample(name[:2])])
    assert "unreadable" not in said
    assert "garbage" not in said
    shown = json.dumps(said, ensure_ascii=False)
    for secret in ("4159344504", "123~!#$", "12345678901234567890", "********"):
        assert secret not in shown


def test_an_answer_is_explained() -> None:
    xml = b"<COMMAND_INFO><CHECK_RESULT>w1w00x00000000000000</CHECK_RESULT></COMMAND_INFO>"
    (said,) = decode_stream([packed(xml=xml)])
    assert said["lifts"] is False
    assert said["word"] == {
        "1 total w": "布控 / under control",
        "2 barrier 1": "落杆 / lower",
        "3 front_box w": "布控 / under control",
        "6 card x": "IC卡布控 / the card is under control",
    }
    (clean,) = decode_stream([sample("51")])
    assert (clean["lifts"], clean["code"], clean["packet"]) == (True, "0x22 CHECK", "1-byte code, little-endian")


def test_what_is_none_is_told_between_what_is() -> None:
    good = packed()
    said = list(decode_stream([good[:30], good[30:] + b"\x7fnoise", good, b"\xe2\x5c"]))
    assert ["garbage" in each for each in said] == [False, True, False, True]
    broken = packed(xml=b"<COMMAND_INFO><A></COMMAND_INFO>")
    (unread,) = decode_stream([broken])
    assert "mismatched tag" in unread["unreadable"]


def test_the_command_reads_a_dump() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "edge", "decode", "jgst", str(FOLDER / "54-frame-0x26-two-pictures.hex"), "--hex"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    said = json.loads(told.stdout)
    assert (said["code"], said["pictures"]) == ("0x26 PICTURES", ["30: 4 bytes", "33: 7 bytes"])
