"""The generator's answers, in pieces and with noise; and that nothing but questions is ever sent."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import drivers.xray
from drivers.readings import Garbage
from drivers.xray.vj import CR, MAX_FRAME, STX, Decoder, Fault, Monitor, Question, read_faults, read_flag, read_monitor


def words(data: bytes, *, step: int) -> list[str | Garbage]:
    decoder, found = Decoder(), list[str | Garbage]()
    for at in range(0, len(data), step):
        decoder.receive(data[at : at + step])
        while (word := decoder.next_word()) is not None:
            found.append(word)
    return found


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_answers_come_whole_and_in_pieces_with_noise_between(step: int) -> None:
    wire = b"\x021\r" + b"xy\r" + b"\x020 1 0 0 0 0 0 0 0\r" + b"\x02160.0 15" + b"\x02160.0 1500 38.5\r\x02\xff\r"
    found = words(wire, step=step)
    assert [word for word in found if isinstance(word, str)] == ["1", "0 1 0 0 0 0 0 0 0", "160.0 1500 38.5"]
    assert [word.raw for word in found if isinstance(word, Garbage)] == [b"xy\r", b"\x02160.0 15", b"\x02\xff\r"]


@given(st.binary(max_size=500), st.integers(1, 50))
def test_no_byte_is_lost_and_none_is_held_for_ever(data: bytes, step: int) -> None:
    decoder, size = Decoder(), 0
    for at in range(0, len(data), step):
        decoder.receive(data[at : at + step])
        while (word := decoder.next_word()) is not None:
            size += len(word.raw) if isinstance(word, Garbage) else len(STX + word.encode() + CR)
    held = len(data) - size
    assert 0 <= held <= MAX_FRAME


@given(st.sets(st.sampled_from(Fault)))
def test_nine_digits_are_nine_faults(faults: set[Fault]) -> None:
    text = " ".join("1" if fault in faults else "0" for fault in Fault)
    assert read_faults(text) == faults


@given(st.text(max_size=40))
def test_other_texts_are_garbage_or_what_they_say(text: str) -> None:
    for read in (read_faults, read_monitor, read_flag):
        assert isinstance(read(text), Garbage | frozenset | Monitor | bool)


@pytest.mark.parametrize(
    "text", ["0 0", "0 0 0 0 0 0 0 0 2", "", "160.0 1500", "160.0 x 3", "-1 2 3", "1.2.3 4 5", "2"]
)
def test_a_wrong_answer_is_no_answer(text: str) -> None:
    assert all(isinstance(read(text), Garbage) for read in (read_faults, read_monitor, read_flag))


def test_monitor() -> None:
    assert read_monitor("160.0 1500 38.5") == Monitor(160.0, 1500.0, 38.5)


def test_no_word_that_turns_a_beam_on_is_anywhere_in_the_driver() -> None:
    """The only bytes that go to a source are four questions."""
    assert {question.value for question in Question} == {"FLT", "MON", "STAT", "PSTAT"}
    folder = Path(drivers.xray.__file__ or "").parent
    said = {
        node.value
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    }
    text = "\n".join(word if isinstance(word, str) else word.decode("latin-1") for word in said)
    assert not [word for word in ("ENBL", "WDOG", "CLR\r", "VP0", "CP0", "PTM") if word in text]
