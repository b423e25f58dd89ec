"""Indicators with registers: what their makers print, and what they do to whoever writes or asks too much."""

import struct

import pytest

from simulators.modbus import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, Refused, answer, crc16
from simulators.weigh_formats import Window
from simulators.weigh_maps import DOUBLE_WORDS, MAPS
from simulators.weigh_modbus import ModbusIndicator
from tests.simulators.wires import HandClock, serial_line, tcp_line


class Bench:
    """An indicator whose clock and load are turned by hand."""

    def __init__(self, map_name: str, *, low_first: bool = False, unit: str = "kg", decimals: int = 0) -> None:
        self.clock = HandClock()
        self.load_kg = 0.0
        self.scale = ModbusIndicator(
            self.clock, lambda: self.load_kg, map_name=map_name, low_first=low_first, seed=5, max_kg=100_000.0,
            division_kg=20.0, unit=unit, decimals=decimals,
        )  # fmt: skip
        self.scale.power_up(0.0)

    def after(self, seconds: float, kg: float) -> None:
        self.load_kg = kg
        for _ in range(round(seconds * 10)):
            self.clock.at += 0.1
            self.scale.next_bytes()

    def read(self, function: int, start: int, count: int) -> list[int]:
        return list(self.scale.read_registers(function, start, count))


async def test_a_printed_gross_weight() -> None:
    """Dini Argeo DGT1S: 1000 is 00 00 03 E8, 6000 is 00 00 17 70."""
    bench = Bench("dini-argeo")
    for kg, low in ((1000, 0x03E8), (6000, 0x1770)):
        bench.after(8.0, kg)
        assert bench.read(4, 0, 2) == [0, low]
        assert bench.read(4, 4, 1)[0] & 0b111 == 0b100
    bench.scale.close()


def test_sign_and_polarity_are_each_makers_own() -> None:
    below = Window(count=-20, step=20, stable=False)
    assert MAPS["laumas"].registers(below, 0)[6] == 1 << 7 | 1 << 8
    assert MAPS["dini-argeo"].registers(below, 0)[4] == 0b011
    assert MAPS["dini-argeo-dgt4x-1"].registers(below, 0)[201] == 1 | 1 << 5
    assert MAPS["flintec-ft12"].registers(below, 0)[2] == 0b110
    assert MAPS["mettler-ind-divisions"].registers(below, 0)[0] == 0xFFFF
    signed = MAPS["rinstrum-c500"].registers(below, 0)
    assert (signed[0], signed[1]) == (0xFFFF, 0xFFEC)


def test_laumas_tells_its_division_and_unit() -> None:
    for step, places, unit, code in ((20, 0, "kg", 2), (5, 0, "lb", 0x304), (2, 2, "t", 0x20B), (1, 1, "kg", 9)):
        assert MAPS["laumas"].registers(Window(step=step, places=places, unit=unit), 0)[13] == code


async def test_whoever_writes_is_noted_and_whoever_asks_too_much_is_refused() -> None:
    bench = Bench("laumas")
    assert answer(bytes.fromhex("0600050064"), bench.scale) == bytes.fromhex("0600050064")
    assert bench.scale.plate.written == ["registers from 5: [100]"]
    for function, start, count, code in (
        (4, 6, 1, ILLEGAL_FUNCTION), (3, 13, 2, ILLEGAL_ADDRESS), (3, 0, 33, ILLEGAL_ADDRESS),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            bench.scale.read_registers(function, start, count)
        assert refused.value.code == code
    bench.scale.close()


async def test_the_low_word_first() -> None:
    for name in DOUBLE_WORDS:
        one, other = Bench(name), Bench(name, low_first=True)
        for bench in (one, other):
            bench.after(8.0, 70_000)
        function, at = MAPS[name].function, DOUBLE_WORDS[name][0]
        assert one.read(function, at, 2) == other.read(function, at, 2)[::-1]
        one.scale.close()
        other.scale.close()


async def test_a_heartbeat_stops_with_its_converter() -> None:
    bench = Bench("flintec-ft112")
    bench.after(1.0, 0)
    first = bench.read(3, 10, 2)[1]
    bench.after(1.0, 0)
    assert bench.read(3, 10, 2)[1] - first in (9, 10, 11)
    bench.scale.faults.frozen = True
    still = bench.read(3, 10, 2)
    bench.after(1.0, 0)
    assert bench.read(3, 10, 2) == still
    bench.scale.close()


async def test_over_both_wires() -> None:
    bench = Bench("baykon-mx08")
    bench.after(8.0, 15_000)
    where, path = bench.scale.tcp(), bench.scale.pty()
    async with tcp_line(where) as line:
        line.write(bytes.fromhex("000700000006010300050002"))
        assert await line.exactly(13) == bytes.fromhex("00070000000701030400003a98")
    async with serial_line(path) as line:
        line.write(b"\x01\x03\x00\x05\x00\x02" + struct.pack("<H", crc16(b"\x01\x03\x00\x05\x00\x02")))
        told = await line.exactly(9)
        assert told[:7] == bytes.fromhex("01030400003a98") and crc16(told[:7]) == int.from_bytes(told[7:], "little")
    assert bench.scale.requests == 2
    bench.scale.close()
