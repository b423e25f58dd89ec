from collections.abc import AsyncIterator

import pytest

from simulators.clock import SimClock
from simulators.rfid import Dialect, SimTag, TagReader, a0_frame, a0_tag, bb_frame, bb_tag
from tests.simulators.wires import comes_true, living, serial_line, tcp_line

START = bytes.fromhex("bb00270003222710837e")
STOP = bytes.fromhex("bb00280000287e")
NO_TAG = bytes.fromhex("bb01ff000115167e")
ASK = bytes.fromhex("a004018901d1")


class Portal:
    """A reader with a field in front of it."""

    def __init__(self, dialect: Dialect) -> None:
        self.clock = SimClock(speed=20)
        self.field: list[SimTag] = []
        self.reader = TagReader(self.clock, lambda: self.field, dialect=dialect, seed=3)


@pytest.fixture
async def bb() -> AsyncIterator[Portal]:
    portal = Portal("uhf-bb")
    async with living(portal.reader.run()):
        yield portal
    portal.reader.close()


@pytest.fixture
async def a0() -> AsyncIterator[Portal]:
    portal = Portal("uhf-a0")
    async with living(portal.reader.run()):
        yield portal
    portal.reader.close()


def test_frames_are_those_of_manuals_and_captures():
    # From the module's manual.
    assert bb_frame(0x00, 0x07, b"\x01") == bytes.fromhex("bb0007000101097e")
    assert bb_frame(0x01, 0x03, b"\x00M100 26dBm V1.0") == bytes.fromhex(
        "bb01030010004d31303020323664426d2056312e30927e"
    )
    # Captured from a module with a tag in front of it: sum and the tag's own CRC included.
    assert bb_tag(SimTag(epc=bytes.fromhex("e200001d7315016521408fc6"), rssi=-60)) == bytes.fromhex(
        "bb02220011c43000e200001d7315016521408fc6b83ec27e"
    )
    # Captured from R2000 readers: antenna set, a tag, the packet that closes a round of five.
    assert a0_frame(1, 0x74, b"\x10") == bytes.fromhex("a004017410d7")
    assert a0_tag(1, 0x89, SimTag(epc=bytes.fromhex("e20030166613012115507 4ef".replace(" ", "")), rssi=-60)) == (
        bytes.fromhex("a0130189043000e200301666130121155074ef45bf")
    )
    assert a0_frame(1, 0x89, bytes.fromhex("00001100000005")) == bytes.fromhex("a00a018900001100000005b6")


async def test_bb_says_nothing_until_told_then_reads_until_stopped(bb: Portal):
    tag = SimTag(epc=b"\xbb\x7e" * 6, rssi=-48)
    async with tcp_line(bb.reader.tcp()) as line:
        line.write(bytes.fromhex("bb00030001 00 04 7e"))
        assert await line.exactly(23) == bb_frame(1, 3, b"\x00M100 26dBm V1.0")
        line.write(START)
        assert await line.exactly(8) == NO_TAG
        bb.field = [tag, SimTag(epc=bytes(12))]
        await line.until(bb_tag(tag))
        assert await line.exactly(24) == bb_tag(SimTag(epc=bytes(12)))
        line.write(STOP)
        await line.until(bytes.fromhex("bb012800 0100 2a7e"))
        assert not bb.reader.inventorying


async def test_bb_counts_its_rounds_and_zero_means_until_stopped(bb: Portal):
    async with tcp_line(bb.reader.tcp()) as line:
        line.write(bb_frame(0, 0x27, bytes.fromhex("220003")))
        assert await line.exactly(24) == NO_TAG * 3
        await comes_true(lambda: not bb.reader.inventorying, bb.clock)
        line.write(bb_frame(0, 0x22))
        assert await line.exactly(8) == NO_TAG
        line.write(bb_frame(0, 0x27, bytes.fromhex("220000")))
        assert await line.exactly(48) == NO_TAG * 6
        assert bb.reader.inventorying


async def test_bb_obeys_whole_commands_with_right_sums_only(bb: Portal):
    async with serial_line(bb.reader.pty()) as line:
        line.write(b"\xbb\x00noise" + START[:-2] + b"\x00\x7e" + bb_frame(0, 0x99))
        assert await line.exactly(8) == bytes.fromhex("bb01ff000117187e")
        assert not bb.reader.inventorying
        for byte in START:
            line.write(bytes((byte,)))
        assert await line.exactly(8) == NO_TAG
    assert bb.reader.commands == [bb_frame(0, 0x99), START]


async def test_a0_does_one_round_for_each_asking(a0: Portal):
    tag = SimTag(epc=bytes.fromhex("e20030166613012115507 4ef".replace(" ", "")), rssi=-60)
    async with tcp_line(a0.reader.tcp()) as line:
        line.write(ASK)
        assert await line.exactly(12) == a0_frame(1, 0x89, bytes(7))
        a0.field = [tag]
        line.write(ASK)
        assert await line.exactly(21) == bytes.fromhex("a0130189043000e200301666130121155074ef45bf")
        assert await line.exactly(12) == a0_frame(1, 0x89, bytes.fromhex("00 000a 00000001"))
        line.write(bytes.fromhex("a006018b010001cc"))
        assert (await line.exactly(21))[3] == 0x8B
        assert (await line.exactly(12))[3] == 0x8B
        line.write(bytes.fromhex("a004017400e7"))
        assert await line.exactly(6) == bytes.fromhex("a004017410d7")
        line.write(a0_frame(1, 0x8A, bytes.fromhex("0001ff01ff01ff010002")))
        once = a0_tag(1, 0x8A, tag) + a0_frame(1, 0x8A, bytes.fromhex("000001 00000064"))
        assert await line.exactly(2 * len(once)) == once * 2


async def test_a0_answers_its_own_address_and_the_common_one(a0: Portal):
    async with tcp_line(a0.reader.tcp()) as line:
        line.write(a0_frame(2, 0x72) + ASK[:-1] + b"\x00" + a0_frame(0xFF, 0x72) + a0_frame(1, 0x55))
        assert await line.exactly(7) == a0_frame(1, 0x72, b"\x08\x02")
        assert await line.exactly(6) == a0_frame(1, 0x55, b"\x11")


async def test_faults(bb: Portal, a0: Portal):
    bb.field = a0.field = [SimTag(epc=bytes(range(12)))]
    bb.reader.faults.bad_sum_share = 1.0
    a0.reader.faults.antenna_missing = True
    async with tcp_line(bb.reader.tcp()) as line:
        line.write(START)
        frame = await line.exactly(24)
        assert frame[-2] != sum(frame[1:-2]) & 0xFF
        bb.reader.faults.bad_sum_share = 0.0
        bb.reader.faults.garbage_per_s = 5.0
        clean = bb_tag(bb.field[0])
        await line.until(clean)
        seen = await line.exactly(2000)
        assert len(seen.replace(clean, b"")) > 24, "noise stands between the frames"
        bb.reader.faults.silent = True
        sent = len(bb.reader.commands)
        line.write(STOP)
        await comes_true(lambda: len(bb.reader.commands) == sent + 1, bb.clock)
        assert bb.reader.inventorying, "a silent reader obeys nothing"
    async with tcp_line(a0.reader.tcp()) as line:
        line.write(ASK)
        assert await line.exactly(6) == a0_frame(1, 0x89, b"\x22")
