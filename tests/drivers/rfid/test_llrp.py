import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.readings import Garbage
from drivers.rfid import llrp
from drivers.rfid.llrp_decode import decode_stream, plain

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[2] / "golden" / "rfid" / "llrp.json").read_text("utf-8"))
WIRES = [bytes.fromhex(each["hex"]) for each in GOLDEN["llrp"]]
REPORT = llrp.encode(
    llrp.Message(
        type=llrp.RO_ACCESS_REPORT,
        id=9,
        body=llrp.tlv(240, b"\x8d" + bytes(range(12)) + b"\x86\xd6")
        + llrp.tlv(240, llrp.tlv(241, b"\x00\x10\xab\xcd")),
    )
)
REQUESTS = [
    llrp.add_rospec(3, 1),
    llrp.add_rospec(4, 2, (1, 2)),
    llrp.enable_rospec(5, 1),
    llrp.delete_rospec(6),
    llrp.set_keepalive(7, 2000),
    llrp.keepalive_ack(8),
]
ALL = [*WIRES, REPORT, *map(llrp.encode, REQUESTS)]


def words_of(pieces: list[bytes]) -> list[llrp.Message | Garbage]:
    decoder, found = llrp.Decoder(), list[llrp.Message | Garbage]()
    for piece in pieces:
        decoder.receive(piece)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    decoder.give_up()
    while (word := decoder.next_word()) is not None:
        found.append(word)
    return found


def same(said: dict[str, Any], expected: dict[str, Any]) -> bool:
    """The vectors name some things otherwise, and one of them has a single tag."""
    flat = said | ({"epc": said["tags"][0]["epc"].lower()} if "tags" in said else {})
    if "tags" in said:
        tag = said["tags"][0]
        flat |= {"antenna": tag["antenna"], "peak_rssi": tag["rssi_dbm"], "seen_count": tag["seen"]}
    flat["status_code"] = said.get("status")
    if expected.get("requested") == "all":
        flat["requested"] = {0: "all"}[flat["requested"]]
    if expected["type"] == llrp.CUSTOM_MESSAGE:
        flat["message"] = expected["message"]
    return {key: flat.get(key) for key in expected} == expected


def test_every_golden_message_reads_as_expected(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counter[str]()
    for each in GOLDEN["llrp"]:
        [word] = words_of([bytes.fromhex(each["hex"])])
        assert isinstance(word, llrp.Message)
        assert same(plain(word), each["expected"]), (plain(word), each["expected"])
        assert llrp.encode(word).hex() == each["hex"]
        counts[word.name] += 1
    with capsys.disabled():
        print(f"\nllrp: {len(WIRES)} messages, {dict(counts)}")


def test_requests_are_built_as_the_goldens_are() -> None:
    built = {
        llrp.encode(llrp.keepalive_ack(5)).hex(),
        llrp.encode(llrp.add_rospec(10, 1, (1,), start=0, report=False)).hex(),
    }
    assert built <= {each["hex"] for each in GOLDEN["llrp"]}
    keepalive = next(llrp.parameters(llrp.set_keepalive(1, 2000).body[1:]))
    assert (keepalive.type, keepalive.value.hex()) == (220, "01000007d0")


@given(st.data())
def test_any_cut_gives_the_same_words(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.sampled_from(ALL) | st.binary(max_size=6).map(lambda noise: b"\xff" + noise)))
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = words_of([stream])
    assert words_of(pieces) == whole == words_of([stream[n : n + 1] for n in range(len(stream))])
    assert b"".join(llrp.encode(word) if isinstance(word, llrp.Message) else word.raw for word in whole) == stream


@given(st.lists(st.sampled_from(ALL), min_size=1))
def test_noise_that_is_no_header_costs_no_message(parts: list[bytes]) -> None:
    words = words_of([b"\xff\xff\xff".join(parts) + b"\xff"])
    assert [llrp.encode(word) for word in words if isinstance(word, llrp.Message)] == parts


@given(st.binary(max_size=300), st.sampled_from(sorted(llrp.NAMES)))
def test_any_body_is_read_or_told_to_be_broken(body: bytes, kind: int) -> None:
    [said] = decode_stream([llrp.encode(llrp.Message(type=kind, id=1, body=body))])
    assert "message" in said or said["why"].startswith(llrp.NAMES[kind])


@given(st.binary(max_size=600))
def test_any_bytes_are_kept(noise: bytes) -> None:
    told = words_of([noise])
    assert b"".join(llrp.encode(word) if isinstance(word, llrp.Message) else word.raw for word in told) == noise


def test_a_length_beyond_reason_is_noise_and_the_next_message_is_heard() -> None:
    words = words_of([bytes.fromhex("043e7fffffff00000001"), WIRES[0]])
    assert [type(word) for word in words] == [Garbage, llrp.Message]


def test_reports_of_two_shapes() -> None:
    [word] = words_of([REPORT])
    assert isinstance(word, llrp.Message)
    first, second = llrp.read_reports(word.body)
    assert (first.epc, first.rssi_dbm, first.antenna, first.seen) == (bytes(range(12)), -42, None, 1)
    assert (second.epc, second.rssi_dbm) == (b"\xab\xcd", None)
