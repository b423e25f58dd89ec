"""What the simulated detector gives: noise of the right strength, true shapes, packets as the manual draws them."""

import struct
import zlib
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from simulators.xray_cargo import CHAPTERS, Load, Piece, empty, loaded
from simulators.xray_scanner import Build, Detector
from simulators.xray_shapes import Ball, Box, Cylinder, Fan
from simulators.xray_wire import HEADER, Sender, WireFaults, crc32c, dt_packets, own_packets

STEPS = Build(pixels=200, dead_share=0.0, crosstalk=0.0, scatter=0.0)


def level() -> Fan:
    return Fan(np.array([-0.01, 0.0, 0.01]), 1500.0)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (Box((0, 10), (5900, 6100), (1000, 2000)), 200.0),
        (Cylinder((0, 6000, 1500), 300, 1000, "x"), 600.0),
        (Cylinder((0, 6000, 1500), 300, 1000, "y"), 1000.0),
        (Cylinder((0, 6000, 1500), 300, 1000, "z"), 600.0),
        (Ball((0, 6000, 1500), 250), 500.0),
    ],
)
def test_a_level_ray_through_the_middle_measures_the_shape(shape: Box | Cylinder | Ball, told: float) -> None:
    assert shape.path(np.array([0.0]), level())[0, 1] == pytest.approx(told, rel=1e-6)


def test_a_ball_s_volume_is_the_sum_of_its_paths() -> None:
    """Shadow summed over a fine fan of near-parallel rays, times the step: the volume."""
    far = 1e7
    heights = np.linspace(-300, 300, 1201)
    fan = Fan(np.arctan(heights / far), 0.0)
    x = np.linspace(-300, 300, 1201)
    shadow = Ball((0, far, 0), 250).path(x, fan).astype(np.float64).sum() * 0.5 * 0.5
    assert shadow == pytest.approx(Ball((0, far, 0), 250).volume_mm3(), rel=2e-3)


@pytest.mark.parametrize("goods", CHAPTERS, ids=[goods.chapter for goods in CHAPTERS])
def test_every_chapter_loads_a_truck(goods: object) -> None:
    chapter = getattr(goods, "chapter", "")
    load = loaded(Random(3), chapter, hidden=True)
    assert load.truth["chapter"] == chapter
    assert 5_000 < load.cargo_kg() < 27_500
    assert load.cargo_kg() == pytest.approx(float(str(load.truth["cargo_kg"])), abs=1)
    weighed = loaded(Random(3), chapter, kg=12_345.0)
    assert weighed.cargo_kg() == pytest.approx(12_345.0, rel=1e-6)
    assert empty().cargo_kg() == 0


def test_noise_is_what_the_quanta_say() -> None:
    """After offset and gain are taken out, variance over mean is one over the quanta that count, at every depth."""
    build = Build(pixels=64, dead_share=0.0, crosstalk=0.0, scatter=0.0, pulse_rms=0.0, edge_loss=0.0, electronic=0.0)
    detector = Detector(build, seed=5)
    for grams in (0.0, 40.0, 120.0):
        slab = Box((-1e6, 1e6), (5900, 6100), (-9000, 9000))
        load = Load((Piece(slab, "steel", grams / (200 * 0.785)),), 1.0)
        high, _ = detector.expose(load, np.zeros(2 * 4000))
        seen = (high.counts - detector.offset) / (40_000 * detector.gain) / high.dose[:, None]
        through = high.transmission[0].astype(np.float64)
        expected = through / (build.quanta * detector.beams[0].swank)
        np.testing.assert_allclose(seen.mean(axis=0), through, rtol=2e-2)
        assert float((seen.var(axis=0) / expected).mean()) == pytest.approx(1.0, rel=0.05)


def test_what_is_true_is_told() -> None:
    detector = Detector(STEPS, seed=2)
    high, low = detector.expose(empty(), np.linspace(0, 4000, 128))
    assert high.first == 0 and low.first == 1 and detector.pulse == 128
    assert high.x_mm[1] - high.x_mm[0] == pytest.approx(2 * 4000 / 127)
    assert low.stamp_ns[0] - high.stamp_ns[0] == 2_500_000
    np.testing.assert_allclose(high.encoder * STEPS.encoder_mm, high.x_mm, atol=3)
    np.testing.assert_allclose(low.monitor / 20_000 / 0.6, low.dose, rtol=0.01)
    dark, _ = detector.expose(None, np.zeros(512), on=False)
    assert np.abs(dark.counts.mean(axis=0) - detector.offset).max() < 2
    assert not dark.monitor.any()


def crc_by_bits(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 if crc & 1 else crc >> 1
    return crc ^ 0xFFFFFFFF


def test_crc_32c_is_castagnoli_s() -> None:
    """RFC 3720, B.4: 32 zeros, 32 ones, and the usual nine digits."""
    for data, told in ((bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (b"123456789", 0xE3069283)):
        assert int(crc32c(np.frombuffer(data, np.uint8)[None, :])[0]) == told == crc_by_bits(data)
    assert crc_by_bits(b"123456789") != zlib.crc32(b"123456789")


def test_a_line_packet_as_the_manual_draws_it() -> None:
    detector = Detector(Build(pixels=1500), seed=2)
    _, low = detector.expose(None, np.zeros(6))
    packets = own_packets(low, device=7, temperature_c=31.5)
    assert [len(line) for line in packets] == [3, 3, 3]
    first, last = packets[1][0], packets[1][2]
    assert first[:4] == b"QGXL" and len(first) == 44 + 1400 + 4
    told = HEADER.unpack(first[:44])
    assert told[1:13] == (1, 1, 44, 7, 3, 0, 3, 0, 700, 1500, int(low.monitor[1]), int(low.encoder[1]))
    assert told[13:] == (int(low.stamp_ns[1]), 315, 0)
    assert struct.unpack_from("<HH", last, 20) == (1400, 100)
    pixels = np.concatenate([np.frombuffer(packet[44:-4], "<u2") for packet in packets[1]])
    np.testing.assert_array_equal(pixels, low.counts[1])
    assert struct.unpack("<I", first[-4:])[0] == crc_by_bits(first[:-4])


def test_the_image_channel_as_its_headers_name_it() -> None:
    detector = Detector(Build(pixels=1500), seed=2)
    detector.pulse = 65_534
    _, low = detector.expose(None, np.zeros(4))
    lines = dt_packets(low)
    assert [struct.unpack_from("<BBH", line[0]) for line in lines] == [(0xB5, 0, 65_535), (0xB5, 0, 1)]
    assert [packet[1] for packet in lines[0]] == [0, 1, 2]
    assert all(struct.unpack_from("<H", packet, 4)[0] == len(packet) - 8 for packet in lines[0])
    data = b"".join(packet[8:] for packet in lines[0])
    assert struct.unpack_from("<IIBBBB", data)[1:] == (3000, 2, 1, 0, 12)
    np.testing.assert_array_equal(np.frombuffer(data[12:], "<u2"), low.counts[0])


def test_the_network_s_mischief_is_of_the_share_that_was_asked() -> None:
    sender = Sender(seed=3)
    seen: list[bytes] = []
    sender._put = seen.append  # type: ignore[method-assign]
    sender.faults = WireFaults(lost=0.1, doubled=0.05, swapped=0.1)
    sender.send([n.to_bytes(4, "big") for n in range(5000)])
    sender.close()
    numbers = [int.from_bytes(packet, "big") for packet in seen]
    assert sender.lost == pytest.approx(500, rel=0.2)
    assert len(numbers) - len(set(numbers)) == pytest.approx(0.9 * 0.05 * 5000, rel=0.3)
    assert sum(b < a for a, b in pairwise(numbers)) == pytest.approx(450, rel=0.3)
