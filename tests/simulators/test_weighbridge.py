import pytest

from simulators.clock import SimClock
from simulators.weigh_formats import Window, yaohua_a9
from simulators.weighbridge import Indicator
from tests.simulators.wires import HandClock, comes_true, living, serial_line, tcp_line

EMPTY = bytes.fromhex("022b30303030303030314203")


@pytest.mark.parametrize(
    ("display", "decimals", "wire"),
    [
        # Captured from indicators, with what their displays showed.
        (0, 0, "022b30303030303030314203"),
        (1560, 0, "022b30303135363030313903"),
        (1650, 0, "022b30303136353030313903"),
        (2000, 2, "022b30303230303032314203"),
        (205, 2, "022b30303032303532314503"),
        (9480, 0, "022b30303934383030314503"),
        (9400, 0, "022b30303934303030313603"),
        (25, 0, "022b30303030323530314303"),
    ],
)
def test_frames_are_those_that_indicators_send(display: int, decimals: int, wire: str):
    assert yaohua_a9(Window(count=display, places=decimals)) == bytes.fromhex(wire)


def test_minus_is_2d_and_seven_digits_are_refused():
    assert yaohua_a9(Window(count=-20))[:8] == b"\x02-000020"
    with pytest.raises(ValueError):
        yaohua_a9(Window(count=1_000_000))


def checked(frame: bytes) -> bytes:
    total = 0
    for byte in frame[1:9]:
        total ^= byte
    return b"%02X" % total


def reading(frame: bytes) -> int:
    assert len(frame) == 12 and frame[0] == 2 and frame[11] == 3
    assert frame[9:11] == checked(frame)
    return int(frame[1:8])


class Bench:
    """An indicator whose clock and load are turned by hand: one call, one tenth of a second."""

    def __init__(self, decimals: int = 0, unit_kg: float = 1.0) -> None:
        self.clock = HandClock()
        self.load_kg = 0.0
        self.scale = Indicator(
            self.clock,
            lambda: self.load_kg,
            seed=5,
            max_kg=100_000.0,
            division_kg=20.0,
            decimals=decimals,
            unit_kg=unit_kg,
        )

    def bytes_of(self, seconds: float) -> list[bytes]:
        out: list[bytes] = []
        for _ in range(round(seconds * 10)):
            self.clock.at += 0.1
            out.append(self.scale.next_bytes())
        return out

    def readings(self, seconds: float) -> list[int]:
        return [reading(frame) for frame in self.bytes_of(seconds)]


@pytest.fixture
async def bench():
    return Bench()


async def test_an_empty_deck_shows_zero_a_truck_swings_in_and_the_deck_comes_back_to_zero(bench: Bench):
    assert bench.bytes_of(2) == [EMPTY] * 20
    bench.load_kg = 38_260.0
    shown = bench.readings(20)
    assert len(set(shown[:30])) > 10, "it swings"
    assert set(shown[100:]) <= {38_240, 38_260, 38_280} and shown[100:].count(38_260) > 80
    bench.load_kg = 0.0
    assert bench.readings(20)[150:] == [0] * 50


async def test_zero_is_captured_at_power_up_only_when_small(bench: Bench):
    bench.load_kg = 700.0
    bench.scale.power_up()
    assert bench.readings(3)[-1] == 0
    bench.load_kg = 0.0
    assert bench.readings(15)[-1] == -700
    bench.load_kg = 30_000.0
    bench.scale.power_up()
    assert bench.readings(15)[-1] == 30_000


async def test_a_slow_drift_is_tracked_and_a_quick_one_is_not(bench: Bench):
    bench.readings(2)
    for _ in range(100):
        bench.load_kg += 0.5
        assert set(bench.readings(1)) == {0}
    bench.load_kg += 60.0
    assert bench.readings(30)[-1] in (40, 60)


async def test_above_max_and_nine_divisions_there_is_no_number(bench: Bench):
    bench.load_kg = 100_160.0
    assert bench.readings(20)[-1] in (100_160, 100_180)
    bench.load_kg = 101_000.0
    bench.bytes_of(10)
    assert bench.bytes_of(1)[-1] == b"\x02+      01B\x03"
    assert bench.scale.shown_kg is None
    bench.scale.faults.overload_output = "dashes"
    assert bench.bytes_of(1)[-1] == b"\x02+------01B\x03"
    bench.scale.faults.overload_output = "silent"
    assert bench.bytes_of(1)[-1] == b""
    bench.scale.faults.overload_output = "digits"
    assert bench.readings(1)[-1] in (101_000, 101_020)


async def test_a_display_in_tonnes_has_decimals():
    bench = Bench(decimals=2, unit_kg=1000.0)
    bench.load_kg = 38_260.0
    frame = bench.bytes_of(20)[-1]
    assert frame[:9] == b"\x02+0038262"


async def test_frozen_repeats_the_last_frame_whatever_comes(bench: Bench):
    bench.load_kg = 20_000.0
    before = bench.bytes_of(15)[-1]
    bench.scale.faults.frozen = True
    bench.load_kg = 0.0
    assert set(bench.bytes_of(10)) == {before}
    bench.scale.faults.frozen = False
    assert bench.readings(15)[-1] == 0


async def test_drift_tare_and_a_remote_device_change_what_is_shown(bench: Bench):
    bench.readings(1)
    bench.scale.faults.drift_kg = 80.0
    assert bench.readings(5)[-1] == 80
    bench.scale.faults.drift_kg = 0.0
    bench.load_kg = 30_000.0
    shown = bench.readings(20)
    bench.scale.faults.added_kg = 10_000.0
    after = bench.readings(1)
    assert after[0] - shown[-1] >= 9_960, "from one frame to the next"
    bench.scale.faults.added_kg = 0.0
    bench.scale.faults.tare_left_kg = 15_000.0
    assert bench.readings(1)[-1] in (14_980, 15_000, 15_020)


async def test_wire_faults_spoil_about_their_share(bench: Bench):
    bench.load_kg = 12_340.0
    bench.readings(15)
    faults = bench.scale.faults
    faults.half_share = 0.3
    assert 60 < sum(len(frame) < 12 for frame in bench.bytes_of(30)) < 120
    faults.half_share = 0.0
    faults.bad_sum_share = 1.0
    frame = bench.bytes_of(0.1)[0]
    assert frame[9:11] != checked(frame)
    faults.bad_sum_share = 0.0
    faults.swap_share = 1.0
    swapped = bench.readings(5)
    assert any(shown not in (12_320, 12_340, 12_360) for shown in swapped), "the XOR is right and the reading is not"
    faults.swap_share = 0.0
    faults.garbage_per_s = 2.0
    noisy = bench.bytes_of(30)
    assert 30 < sum(len(piece) > 12 for piece in noisy) < 100
    assert all(reading(piece[-12:]) in (12_320, 12_340, 12_360) for piece in noisy)
    faults.silent = True
    assert set(bench.bytes_of(1)) == {b""}


async def test_ten_frames_a_second_over_tcp_and_over_a_serial_line():
    clock = SimClock(speed=20)
    scale = Indicator(clock, lambda: 0.0, seed=1, max_kg=60_000.0)
    where, path = scale.tcp(), scale.pty()
    async with living(scale.run()), tcp_line(where) as far, serial_line(path) as near:
        assert await far.exactly(36) == EMPTY * 3
        assert await near.exactly(36) == EMPTY * 3
        scale.inject(b"\x02noise")
        assert b"\x02noise" in await far.exactly(30)
        sent, began_at = scale.frames_sent, clock.now()
        await comes_true(lambda: scale.frames_sent >= sent + 20, clock)
        assert clock.now() - began_at >= 1.8, "not faster than its rate"
    scale.close()
