"""Lines out of packets: whatever the network does, a line is right or says what is missing."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.readings import Garbage, Instant
from drivers.xray.assemble import AGREE, AHEAD, REORDER_LINES, Assembler, WrongWidth
from drivers.xray.frames import Packet
from drivers.xray.line import Energy, Line

PIXELS, PIECE = 30, 10
AT = Instant(1.0)


def line_values(number: int) -> np.ndarray:
    return (np.arange(PIXELS) + 7 * number).astype(np.uint16)


def packets_of(number: int, *, wraps: int = 1 << 32) -> list[Packet]:
    values = line_values(number)
    return [
        Packet(
            number=number % wraps,
            wraps=wraps,
            index=index,
            packets=PIXELS // PIECE,
            first=index * PIECE,
            values=values[index * PIECE : (index + 1) * PIECE],
            pixels=PIXELS,
            energy=Energy.LE if number & 1 else Energy.HE,
            encoder=number * 10,
        )
        for index in range(PIXELS // PIECE)
    ]


def dt_packets_of(number: int) -> list[Packet]:
    values = line_values(number)
    cuts = [0, 8, 22, 30]
    return [
        Packet(
            number=number % 65_536,
            wraps=65_536,
            index=index,
            packets=None,
            first=0 if index == 0 else None,
            values=values[a:b],
            pixels=PIXELS if index == 0 else None,
            energy=(Energy.LE if number & 1 else Energy.HE) if index == 0 else None,
        )
        for index, (a, b) in enumerate(pairwise(cuts))
    ]


def fed(packets: Iterable[Packet], assembler: Assembler | None = None, *, flush: bool = True) -> list[Line]:
    assembler = assembler or Assembler(PIXELS)
    given_lines = [word for packet in packets for word in assembler.take(packet, AT)]
    lines = [word for word in given_lines if isinstance(word, Line)]
    assert len(lines) == len(given_lines)
    return lines + (list(assembler.flush()) if flush else [])


def right(line: Line) -> bool:
    """All that is not missing is what was sent."""
    there = np.ones(PIXELS, bool)
    for gap in line.missing:
        there[gap.start : gap.stop] = False
    wanted = line_values(line.number)
    return bool((line.values[there] == wanted[there]).all() and not line.values[~there].any())


@pytest.mark.parametrize("make", [packets_of, dt_packets_of])
def test_lines_come_at_once_in_order(make: Callable[[int], list[Packet]]) -> None:
    assembler = Assembler(PIXELS)
    for number in range(100):
        *some, last = make(number)
        assert fed(some, assembler, flush=False) == []
        (line,) = fed([last], assembler, flush=False)
        assert line.number == number and not line.missing and right(line)
        assert line.energy is (Energy.LE if number & 1 else Energy.HE)
    assert assembler.losses.lost_lines == assembler.losses.part_lines == 0


@given(st.integers(0, 2**32), st.floats(0, 0.3), st.floats(0, 0.3), st.integers(0, 40), st.booleans())
@settings(max_examples=60)
def test_whatever_the_network_does(seed: int, lost: float, doubled: float, shuffle: int, dt: bool) -> None:
    """Loss, doubles and reorder within the window: numbers grow, values are right, everything missing is named."""
    random = Random(seed)
    make = dt_packets_of if dt else packets_of
    sent = [packet for number in range(120) for packet in make(number)]
    kept = [packet for packet in sent[: PIXELS // PIECE] + sent if random.random() >= lost]
    kept += [packet for packet in kept if random.random() < doubled]
    order = {id(packet): n for n, packet in enumerate(sent)}
    kept.sort(key=lambda packet: order[id(packet)] + random.randint(0, shuffle))
    assembler = Assembler(PIXELS)
    lines = fed(kept, assembler)
    numbers = [line.number for line in lines]
    assert numbers == sorted(set(numbers))
    assert all(right(line) for line in lines)
    pieces = dict.fromkeys(numbers, 0)
    for packet in {id(packet): packet for packet in kept}.values():
        if packet.number in pieces:
            pieces[packet.number] += packet.values.size
    for line in lines:
        missing = sum(len(gap) for gap in line.missing)
        # A packet whose place cannot be told yet (the image channel's, before any first packet) may be left out.
        assert missing >= PIXELS - pieces[line.number] if dt else missing <= PIXELS - 1
    assert assembler.losses.part_lines == sum(bool(line.missing) for line in lines)
    if lost == 0 and not dt:
        assert numbers == list(range(120)) and not assembler.losses.part_lines


def test_a_gap_is_a_step_in_the_numbers() -> None:
    assembler = Assembler(PIXELS)
    lines = fed((p for n in (*range(10), *range(60, 70)) for p in packets_of(n)), assembler)
    assert [line.number for line in lines] == [*range(10), *range(60, 70)]
    assert assembler.losses.lost_lines == 50


def test_a_line_with_a_hole_is_given_when_the_window_has_passed() -> None:
    assembler = Assembler(PIXELS)
    broken = packets_of(5)
    del broken[1]
    lines = fed([*(p for n in range(5) for p in packets_of(n)), *broken], assembler, flush=False)
    assert len(lines) == 5
    lines = fed((p for n in range(6, 5 + REORDER_LINES) for p in packets_of(n)), assembler, flush=False)
    assert lines == []
    lines = fed(packets_of(5 + REORDER_LINES), assembler, flush=False)
    assert [line.number for line in lines][:1] == [5]
    assert lines[0].missing == (range(10, 20),) and right(lines[0])


def test_numbers_of_sixteen_bits_do_not_end() -> None:
    lines = fed(p for n in range(65_500, 65_600) for p in dt_packets_of(n))
    assert [line.number for line in lines] == list(range(65_500, 65_600))
    assert all(right(line) for line in lines)


@pytest.mark.parametrize("stray", [10_000, AHEAD + 150, 2**31])
def test_one_stray_packet_moves_nothing(stray: int) -> None:
    assembler = Assembler(PIXELS)
    packets = [p for n in range(100, 150) for p in packets_of(n)]
    packets.insert(60, packets_of(stray)[0])
    assert [line.number for line in fed(packets, assembler)] == list(range(100, 150))
    assert assembler.losses.stray == 1


def test_an_outage_is_a_gap_of_its_true_length() -> None:
    assembler = Assembler(PIXELS)
    lines = fed((p for n in (*range(10), *range(5000, 5010)) for p in packets_of(n)), assembler)
    assert [line.number for line in lines] == [*range(10), *range(5000, 5010)]
    assert assembler.losses.restarts == 0 and assembler.losses.lost_lines == 4990


def test_a_detector_that_starts_again_counts_on() -> None:
    assembler = Assembler(PIXELS)
    lines = fed((p for n in (*range(50_000, 50_040), *range(40)) for p in packets_of(n)), assembler)
    assert assembler.losses.restarts == 1
    numbers = [line.number for line in lines]
    assert numbers == sorted(set(numbers)) and len(numbers) == 80
    assert numbers[40] - numbers[39] >= AHEAD
    assert [n % 2**32 for n in numbers[40:]] == list(range(40))
    assert AGREE < 40


def test_another_width_is_said_in_numbers() -> None:
    with pytest.raises(WrongWidth, match="30 pixels, the site file says 31"):
        fed(packets_of(1), Assembler(PIXELS + 1))


def test_another_device_is_garbage() -> None:
    (word,) = Assembler(PIXELS, device=9).take(packets_of(1)[0], AT)
    assert isinstance(word, Garbage) and "device 0" in word.why


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2)), max_size=300))
def test_a_storm_of_numbers_holds_no_more_than_the_window(storm: list[tuple[int, int]]) -> None:
    assembler = Assembler(PIXELS)
    last = -1
    for number, index in storm:
        for word in assembler.take(packets_of(number)[index], AT):
            assert isinstance(word, Line) and word.number > last
            last = word.number
        assert len(assembler._lines) <= REORDER_LINES + 1
        assert len(assembler._strays) <= AGREE
