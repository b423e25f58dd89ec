"""Both layouts of a line: round trips, every single wrong bit, pieces, noise."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.readings import Garbage
from drivers.xray.crc import LONGEST, Crc32c, crc32c
from drivers.xray.frames import MAX_PIXELS, Packet, packet_bytes, read_dt_packet, read_packet
from drivers.xray.line import Energy
from simulators.xray_scanner import Build, Detector
from simulators.xray_wire import dt_packets, own_packets


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    pixels = draw(st.integers(1, MAX_PIXELS))
    first = draw(st.integers(0, pixels - 1))
    count = draw(st.integers(1, min(700, pixels - first)))
    of = draw(st.integers(1, 64))
    seed = draw(st.integers(0, 2**32 - 1))
    return Packet(
        number=draw(st.integers(0, 2**32 - 1)),
        wraps=1 << 32,
        index=draw(st.integers(0, of - 1)),
        packets=of,
        first=first,
        values=np.random.default_rng(seed).integers(0, 65_536, count, dtype=np.uint16),
        pixels=pixels,
        energy=draw(st.sampled_from(Energy)),
        device=draw(st.integers(0, 2**32 - 1)),
        encoder=draw(st.integers(-(2**31), 2**31 - 1)),
        stamp_ns=draw(st.integers(0, 2**64 - 1)),
        pulse=draw(st.integers(0, 65_535)),
        temperature_c=draw(st.none() | st.integers(-500, 1500).map(lambda tenths: tenths / 10)),
    )


def facts(packet: Packet) -> dict[str, object]:
    return {
        field.name: getattr(packet, field.name) for field in dataclasses.fields(packet) if field.name != "values"
    } | {"values": packet.values.tolist()}


@given(packets())
@settings(max_examples=60)
def test_a_packet_comes_back(packet: Packet) -> None:
    read = read_packet(packet_bytes(packet))
    assert isinstance(read, Packet)
    assert facts(read) == facts(packet)


@given(packets(), st.data())
@settings(max_examples=60)
def test_every_wrong_bit_is_garbage(packet: Packet, data: st.DataObject) -> None:
    wire = bytearray(packet_bytes(packet))
    bit = data.draw(st.integers(0, 8 * len(wire) - 1))
    wire[bit // 8] ^= 1 << bit % 8
    assert isinstance(read_packet(bytes(wire)), Garbage)


@given(packets(), st.data())
@settings(max_examples=30)
def test_a_piece_is_garbage(packet: Packet, data: st.DataObject) -> None:
    wire = packet_bytes(packet)
    assert isinstance(read_packet(wire[: data.draw(st.integers(0, len(wire) - 1))]), Garbage)
    assert isinstance(read_packet(wire + b"\0"), Garbage)


@given(st.binary(max_size=2000))
def test_noise_is_garbage_and_never_a_crash(noise: bytes) -> None:
    assert isinstance(read_packet(noise), Garbage)
    assert isinstance(read_packet(b"QGXL" + noise), Garbage)
    for order in ("little", "big"):
        assert isinstance(read_dt_packet(noise, order), Garbage | Packet)  # type: ignore[arg-type]


def test_a_datagram_longer_than_any_is_garbage() -> None:
    assert isinstance(read_packet(b"QGXL" + bytes(60_000)), Garbage)
    with pytest.raises(ValueError, match="longest"):
        crc32c(bytes(LONGEST + 1))


@pytest.mark.parametrize(
    ("data", "told"), [(bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (b"123456789", 0xE3069283), (b"", 0)]
)
def test_crc_32c_is_that_of_the_standard(data: bytes, told: int) -> None:
    """RFC 3720, B.4."""
    assert Crc32c().of(data) == told


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_sum_does_not_depend_on_what_was_summed_before(one: bytes, two: bytes) -> None:
    fresh = Crc32c().of(two)
    used = Crc32c()
    used.of(one)
    assert used.of(two) == fresh == crc32c(two)


def pulses(pixels: int = 1500) -> tuple[Detector, list[list[bytes]], list[list[bytes]]]:
    detector = Detector(Build(pixels=pixels), seed=4)
    high, _ = detector.expose(None, np.linspace(0, 10, 8))
    return detector, own_packets(high, device=3, temperature_c=-4.2), dt_packets(high)


def test_the_simulator_s_lines_are_read_in_both_layouts() -> None:
    """The simulator's packets were written from the manual, not from this reader."""
    _, own, dt = pulses()
    read = [[read_packet(data) for data in line] for line in own]
    assert all(isinstance(packet, Packet) for line in read for packet in line)
    first = read[1][0]
    assert isinstance(first, Packet)
    assert (first.number, first.energy, first.pixels, first.packets, first.device) == (2, Energy.HE, 1500, 3, 3)
    assert first.temperature_c == -4.2 and first.pulse and first.encoder is not None
    other = [[read_dt_packet(data) for data in line] for line in dt]
    head, tail = other[1][0], other[1][1]
    assert isinstance(head, Packet) and isinstance(tail, Packet)
    assert (head.number, head.energy, head.pixels, head.first, head.stamp_ns) == (2, Energy.HE, 1500, 0, 5_000_000)
    assert (tail.number, tail.energy, tail.pixels, tail.first, tail.index) == (2, None, None, None, 1)
    for lines in (read, other):
        values = np.concatenate([packet.values for packet in lines[1] if isinstance(packet, Packet)])
        assert values.size == 1500
        np.testing.assert_array_equal(values, np.concatenate([np.frombuffer(d[44:-4], "<u2") for d in own[1]]))


def test_big_endian_control_units_are_read_when_the_site_says_so() -> None:
    _, _, dt = pulses(100)
    (little,) = dt[0]
    head, line, pixels = little[:8], little[8:20], np.frombuffer(little[20:], "<u2")
    big = (
        head[:2] + head[3:1:-1] + head[5:3:-1] + head[6:8] + line[3::-1] + line[7:3:-1] + line[8:12]
    ) + pixels.astype(">u2").tobytes()
    told, read = read_dt_packet(little, "little"), read_dt_packet(big, "big")
    assert isinstance(told, Packet) and isinstance(read, Packet)
    assert facts(told) == facts(read)
    assert isinstance(read_dt_packet(big, "little"), Garbage)


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [
        (8 + 8, 4, "bytes a pixel"),
        (8 + 9, 7, "neither"),
        (8 + 10, 1, "compressed"),
        (1, 200, "the most"),
        (4, 1, "payload"),
    ],
)
def test_a_wrong_field_of_the_image_channel_says_which(at: int, value: int, why: str) -> None:
    _, _, dt = pulses(100)
    wire = bytearray(dt[0][0])
    wire[at] = value
    read = read_dt_packet(bytes(wire))
    assert isinstance(read, Garbage) and why in read.why
