from collections.abc import AsyncIterator

import pytest

from simulators.barrier import Boom
from simulators.clock import SimClock
from simulators.lane_io import LaneModule, ModuleKind, Wiring
from simulators.modbus import crc16
from tests.simulators.wires import Line, comes_true, living, serial_line, tcp_line


class Lane:
    """One module on both wires, with a boom, living at twenty times the usual speed."""

    def __init__(self, kind: ModuleKind, watchdog_s: float | None = None) -> None:
        self.clock = SimClock(speed=20)
        self.seen: dict[str, bool] = {}
        self.boom = Boom(self.clock, sense=lambda: self.seen)
        self.module = LaneModule(kind, self.clock, lambda: self.seen, self.boom, watchdog_s=watchdog_s)

    async def ask(self, line: Line, pdu_hex: str) -> bytes:
        pdu = bytes.fromhex(pdu_hex)
        line.write(b"\x00\x01\x00\x00" + (len(pdu) + 1).to_bytes(2, "big") + b"\x01" + pdu)
        head = await line.exactly(7)
        return await line.exactly(int.from_bytes(head[4:6], "big") - 1)


@pytest.fixture
async def adam() -> AsyncIterator[Lane]:
    lane = Lane("adam-6050")
    async with living(lane.module.run(), lane.boom.run()):
        yield lane
    lane.module.close()


@pytest.fixture
async def plain() -> AsyncIterator[Lane]:
    lane = Lane("plain-8ch")
    async with living(lane.module.run(), lane.boom.run()):
        yield lane
    lane.module.close()


async def test_adam_inputs_are_bits_from_wire_0_for_both_functions(adam: Lane):
    adam.seen.update(beam_rear=True, photocell=True)
    async with tcp_line(adam.module.tcp()) as line:
        # Closed: beam_rear 1, photocell 4, limit_down 5, and boom_fault 7, whose contact is closed when all is well.
        assert await adam.ask(line, "02 0000 000c") == bytes.fromhex("02 02 b2 00")
        assert await adam.ask(line, "01 0000 000c") == bytes.fromhex("01 02 b2 00")
        assert await adam.ask(line, "03 012c 0001") == bytes.fromhex("03 02 00b2")
        assert await adam.ask(line, "03 00d2 0001") == bytes.fromhex("03 02 6050")


@pytest.mark.parametrize("pdu_hex", ["01 0000 000d", "01 000c 0001", "01 0016 0001", "02 0010 0001", "05 0000 ff00"])
async def test_adam_refuses_what_it_has_not(adam: Lane, pdu_hex: str):
    async with tcp_line(adam.module.tcp()) as line:
        answer = await adam.ask(line, pdu_hex)
    assert answer == bytes((int(pdu_hex[:2], 16) | 0x80, 2))


async def test_adam_outputs_are_coils_from_wire_16_and_move_the_boom(adam: Lane):
    async with tcp_line(adam.module.tcp()) as line:
        assert await adam.ask(line, "05 0010 ff00") == bytes.fromhex("05 0010 ff00")
        assert await adam.ask(line, "01 0010 0006") == bytes.fromhex("01 01 01")
        await adam.clock.sleep(0.3)
        await adam.ask(line, "05 0010 0000")
        await comes_true(lambda: adam.boom.limit_up, adam.clock)
        assert await adam.ask(line, "02 0005 0002") == bytes.fromhex("02 01 02"), "not down, up"
        assert await adam.ask(line, "05 0010 1234") == bytes.fromhex("85 03")
        await adam.ask(line, "0f 0013 0002 01 02")
        assert adam.module.lamp == "green"
        await adam.ask(line, "0f 0013 0002 01 01")
        assert adam.module.lamp == "red"
    assert [(pulse.line, pulse.obeyed) for pulse in adam.boom.pulses] == [("raise", True)]
    assert [change.output for change in adam.module.changes] == ["raise", "raise", "green", "red", "green"]


async def test_adam_makes_a_pulse_by_itself(adam: Lane):
    async with tcp_line(adam.module.tcp()) as line:
        # High level width of output 0: 0.6 s = 6000 x 0.1 ms; then one pulse.
        await adam.ask(line, "10 0024 0002 04 1770 0000")
        assert await adam.ask(line, "10 0030 0002 04 0001 0000") == bytes.fromhex("10 0030 0002")
        await comes_true(lambda: len(adam.module.changes) == 2, adam.clock)
    rise, fall = adam.module.changes
    assert rise.closed and not fall.closed and fall.by == "pulse"
    assert fall.at - rise.at >= 0.55
    await comes_true(lambda: adam.boom.limit_up, adam.clock)


async def test_adam_counts_closings(adam: Lane):
    async with tcp_line(adam.module.tcp()) as line:
        for _ in range(3):
            adam.seen["loop_arrival"] = True
            await adam.clock.sleep(0.5)
            adam.seen["loop_arrival"] = False
            await adam.clock.sleep(0.5)
        low = int.from_bytes((await adam.ask(line, "03 0000 0002"))[2:4], "big")
        assert 1 <= low <= 3


async def test_the_host_watchdog_opens_the_outputs():
    lane = Lane("adam-6050", watchdog_s=2.0)
    async with living(lane.module.run(), lane.boom.run()), tcp_line(lane.module.tcp()) as line:
        await lane.ask(line, "05 0014 ff00")
        assert lane.module.lamp == "green"
        await comes_true(lambda: lane.module.lamp == "dark", lane.clock)
        assert lane.module.changes[-1].by == "watchdog" and lane.module.watchdog_bites == 1
    lane.module.close()


async def test_plain_flash_closes_a_relay_for_so_many_tenths_and_opens_it_itself(plain: Lane):
    async with tcp_line(plain.module.tcp()) as line:
        assert await plain.ask(line, "05 0200 0007") == bytes.fromhex("05 0200 0007")
        assert await plain.ask(line, "01 0000 0008") == bytes.fromhex("01 01 01")
        await comes_true(lambda: len(plain.module.changes) == 2, plain.clock)
        assert await plain.ask(line, "01 0000 0008") == bytes.fromhex("01 01 00")
    rise, fall = plain.module.changes
    assert fall.at - rise.at >= 0.65 and fall.by == "pulse"
    await comes_true(lambda: plain.boom.limit_up, plain.clock)


async def test_a_pulse_goes_on_when_the_cable_is_pulled(plain: Lane):
    async with tcp_line(plain.module.tcp()) as line:
        await plain.ask(line, "05 0200 0005")
    plain.module.drop()
    await comes_true(lambda: not plain.module.outputs.closed[0], plain.clock)
    await comes_true(lambda: plain.boom.limit_up, plain.clock)


async def test_plain_over_rtu_with_printed_frames(plain: Lane):
    async with serial_line(plain.module.pty()) as line:
        for frame in ("01050000ff008c3a", "010500000000cdca", "01050003ff007c3a", "0105020100089c74"):
            line.write(bytes.fromhex(frame))
            assert await line.exactly(8) == bytes.fromhex(frame)
        assert plain.module.lamp == "red"
        line.write(bytes.fromhex("0106100000014cca"))
        assert await line.exactly(8) == bytes.fromhex("0106100000014cca")
        asked = bytes.fromhex("010200000008")
        line.write(asked + crc16(asked).to_bytes(2, "little"))
        assert (await line.exactly(6))[:4] == bytes.fromhex("010201a0")


@pytest.mark.parametrize(
    ("pdu_hex", "answer_hex"),
    [
        ("05 0008 ff00", "85 02"),
        ("05 0000 0001", "85 03"),
        ("01 0000 0009", "81 02"),
        ("02 0008 0001", "82 02"),
        ("03 0000 0001", "83 02"),
        ("04 1000 0001", "84 02"),
        ("03 1000 0008", "03 10" + "0000" * 8),
        ("05 00ff ff00", "05 00ff ff00"),
    ],
)
async def test_plain_answers_and_refusals(plain: Lane, pdu_hex: str, answer_hex: str):
    async with tcp_line(plain.module.tcp()) as line:
        assert await plain.ask(line, pdu_hex) == bytes.fromhex(answer_hex)


async def test_stuck_inputs_lie_in_the_sense_of_their_names(plain: Lane):
    plain.module.faults.stuck = {"loop_boom": True, "limit_down": False, "boom_fault": True}
    async with tcp_line(plain.module.tcp()) as line:
        assert await plain.ask(line, "02 0000 0008") == bytes.fromhex("02 01 08")
        plain.module.faults.stuck = {}
        assert await plain.ask(line, "02 0000 0008") == bytes.fromhex("02 01 a0")


async def test_relays_that_do_not_follow_are_still_answered(plain: Lane):
    plain.module.faults.deaf_outputs = True
    async with tcp_line(plain.module.tcp()) as line:
        await plain.ask(line, "05 0200 0005")
        assert await plain.ask(line, "01 0000 0001") == bytes.fromhex("01 01 01")
        await comes_true(lambda: len(plain.module.changes) == 2, plain.clock)
    assert plain.boom.pulses == []


async def test_wiring_may_be_another(plain: Lane):
    wiring = Wiring(inputs={"limit_down": 0, "beam_rear": 7}, inverted=("beam_rear",), outputs={"lower": 6, "red": 7})
    module = LaneModule("plain-8ch", plain.clock, dict, plain.boom, wiring)
    async with tcp_line(module.tcp()) as line:
        assert await plain.ask(line, "02 0000 0008") == bytes.fromhex("02 01 81")
        await plain.ask(line, "05 0007 ff00")
    assert module.lamp == "red"
    module.close()
