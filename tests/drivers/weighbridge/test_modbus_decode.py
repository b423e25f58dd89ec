"""A capture of a Modbus line, both sides of it: whole, byte by byte, with noise between, and never a crash."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.weighbridge.guess import guess
from drivers.weighbridge.modbus_decode import decode_stream
from tests.drivers.modbus.module import crc
from tests.drivers.weighbridge.test_registers import MANUALS, encoded


def question(name: str) -> bytes:
    function, start, count = MANUALS[name]["span"]
    return bytes((function,)) + start.to_bytes(2, "big") + count.to_bytes(2, "big")


def answer(name: str, kg: int) -> bytes:
    words = encoded(name, kg, stable=True)
    return bytes((MANUALS[name]["span"][0], 2 * len(words))) + b"".join(word.to_bytes(2, "big") for word in words)


def rtu(pdu: bytes, unit: int = 1) -> bytes:
    body = bytes((unit,)) + pdu
    return body + crc(body)


def tcp(pdu: bytes, transaction: int = 7) -> bytes:
    return transaction.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + b"\1" + pdu


def told(name: str, chunks: list[bytes]) -> list[dict[str, Any]]:
    return [dict(each) for each in decode_stream(chunks, name)]


@pytest.mark.parametrize("wrap", [rtu, tcp])
@pytest.mark.parametrize("name", sorted(MANUALS))
def test_questions_answers_and_refusals_are_told_in_order(name: str, wrap: Any) -> None:
    capture = wrap(question(name)) + wrap(answer(name, 15_000)) + wrap(bytes((MANUALS[name]["span"][0] | 0x80, 2)))
    whole = told(name, [capture])
    assert whole == told(name, [capture[n : n + 1] for n in range(len(capture))])
    asked, read_, refused = whole
    function, start, count = MANUALS[name]["span"]
    assert asked == {"asked": start, "count": count, "function": function, "unit_number": 1}
    assert refused == {"refused": 2, "function": function, "unit_number": 1}
    assert read_["stable"] is True
    assert read_["display"] == (750 if name == "mettler-ind-divisions" else 15_000)


@given(noise=st.binary(max_size=40), cut=st.integers(1, 30))
def test_noise_between_frames_is_kept_and_the_frames_are_found(noise: bytes, cut: int) -> None:
    frame = rtu(answer("laumas", 15_000))
    capture = frame + noise + frame
    found = told("laumas", [capture[n : n + cut] for n in range(0, len(capture), cut)])
    assert [each["display"] for each in found if "display" in each][:1] == [15_000]
    kept = b"".join(bytes.fromhex(each["garbage"]) for each in found if "garbage" in each)
    assert len(kept) <= len(noise) + len(frame)


@given(st.binary(max_size=400))
def test_whatever_bytes_come_are_told(capture: bytes) -> None:
    told("flintec-ft112", [capture])


def test_other_devices_on_the_line_and_an_unknown_table() -> None:
    [other] = told("laumas", [rtu(bytes.fromhex("0102ffff"), unit=9)])
    assert other == {"other": "0102ffff", "function": 1, "unit_number": 9}
    with pytest.raises(LookupError, match="no weight table"):
        told("nobody", [b""])


def test_a_guess_says_that_it_is_modbus() -> None:
    capture = b"".join(rtu(question("laumas")) + rtu(answer("laumas", kg)) for kg in range(0, 2000, 20))
    found = guess(capture)
    assert not found.best and "200 Modbus frames" in found.hints[0]


def test_a_header_that_announces_nothing_is_no_frame() -> None:
    """Found by the fuzzer: unit, and no function behind it."""
    capture = bytes.fromhex("53 00 00 00 00 01 00 00 00 00 00 00 20")
    assert [word["garbage"] for word in decode_stream([capture], "laumas")] == [capture.hex()]
    assert guess(capture).hints
