"""Inputs and lamps over a real socket and a pty, against a pretended module and against the simulator."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from drivers.faults import LinkLost, NoAnswer, OurMistake
from drivers.lane_io.config import InputName, LaneIoConfig
from drivers.lane_io.device import LaneIo
from drivers.lane_io.registers import Lamp, impossible
from drivers.link.modbus import open_modbus
from drivers.link.modbus_config import ModbusRtuConfig, ModbusTcpConfig
from drivers.link.modbus_tables import HostWatchdog, table_named
from drivers.readings import Quality
from edge.clock import SiteClock
from simulators.barrier import Boom
from simulators.clock import SimClock
from simulators.lane_io import LaneModule, ModuleKind
from tests.drivers.lane_io.lane import WIRES, wired
from tests.drivers.modbus.conftest import QUICK
from tests.drivers.modbus.module import OVER, Module


@asynccontextmanager
async def lane_io(
    module: Module, road: str = "tcp", config: LaneIoConfig | None = None, speed: float = 1.0
) -> AsyncGenerator[LaneIo]:
    config = config or wired()
    async with OVER[road](module) as where:
        link = await open_modbus(where, QUICK)
        yield LaneIo(link, table_named(config.module), config, SiteClock(speed=speed))
        await link.close()


@pytest.mark.parametrize("road", ["tcp", "rtu"])
async def test_a_poll_is_one_request_and_names_what_it_sees(road: str) -> None:
    module = Module(discrete={0, 4, 7}, coils={3})
    async with lane_io(module, road) as io:
        first = await io.poll()
        module.discrete = {1, 6}
        second = await io.poll()
    assert [n for n, on in first.values.items() if on] == ["loop_arrival", "photocell"]
    assert [n for n, on in second.values.items() if on] == ["beam_rear", "limit_up", "boom_fault"]
    assert (first.lamp, first.quality) == (Lamp.RED, Quality.GOOD)
    assert second.at >= first.at
    assert first.latency_s > 0
    assert [pdu.hex() for pdu in module.asked] == ["0200000008", "0100030002", "0200000008"]
    assert io.tally.words == 2


async def test_a_module_that_refuses_leaves_everything_unknown() -> None:
    module = Module(discrete=set(range(8)), refuse={2: 4, 1: 4})
    async with lane_io(module) as io:
        inputs = await io.poll()
        assert set(inputs.values) == set(wired().inputs)
        assert set(inputs.values.values()) == {None}
        assert inputs.quality is Quality.BAD
        assert "device failure" in inputs.note
        assert inputs.lamp is Lamp.UNKNOWN
        module.refuse = {}
        assert (await io.poll()).quality is Quality.GOOD


async def test_silence_is_a_fault_and_no_reading() -> None:
    module = Module()
    async with lane_io(module) as io:
        await io.poll()
        module.silent = True
        with pytest.raises(NoAnswer):
            await io.poll()
        with pytest.raises(LinkLost):
            await io.poll()
    assert io.tally.words == 1


async def test_words_come_at_the_sites_pace_and_show_every_change() -> None:
    module = Module()
    async with lane_io(module, speed=10.0) as io:
        seen: list[bool | None] = []
        stamps: list[float] = []
        async for word in io.words():
            stamps.append(word.at)
            seen.append(word.values["photocell"])
            module.discrete ^= {4}
            if len(seen) == 6:
                break
    assert seen == [False, True, False, True, False, True]
    assert stamps[-1] - stamps[0] >= 4 * 0.05, "five polls, at most one of them early"


async def test_a_late_reader_counts_the_beats_it_missed() -> None:
    module = Module()
    async with lane_io(module) as io:
        async for _ in io.words():
            if io.tally.words == 2:
                break
            await asyncio.sleep(0.23)  # more than four beats of 0.05 s
    assert io.tally.gaps >= 3


async def test_lamps_are_switched_one_after_the_other_and_read_back() -> None:
    module = Module()
    async with lane_io(module) as io:
        assert await io.show(Lamp.RED) is Lamp.RED
        assert await io.show(Lamp.GREEN) is Lamp.GREEN
        assert await io.show(Lamp.OFF) is Lamp.OFF
        with pytest.raises(OurMistake):
            await io.show(Lamp.UNKNOWN)
    assert [pdu.hex(" ", 2) for pdu in module.writes()] == [
        "05 0004 0000", "05 0003 ff00",
        "05 0003 0000", "05 0004 ff00",
        "05 0003 0000", "05 0004 0000",
    ]  # fmt: skip


async def test_a_lamp_that_does_not_light_is_told() -> None:
    module = Module(stuck={3: False})
    async with lane_io(module) as io:
        assert await io.show(Lamp.RED) is Lamp.OFF
        module.stuck = {3: True, 4: True}
        assert await io.show(Lamp.GREEN) is Lamp.UNKNOWN
        assert (await io.poll()).lamp is Lamp.UNKNOWN


async def test_a_lane_without_lamps_has_an_unknown_lamp_and_no_request_for_it() -> None:
    module = Module()
    async with lane_io(module, config=wired(outputs={"raise": 0, "lower": 1})) as io:
        assert (await io.poll()).lamp is Lamp.UNKNOWN
        with pytest.raises(OurMistake):
            await io.show(Lamp.RED)
    assert [pdu[0] for pdu in module.asked] == [2]


async def test_channels_that_the_module_lacks_are_refused_before_anything_is_asked() -> None:
    module = Module()
    async with OVER["tcp"](module) as where:
        link = await open_modbus(where, QUICK)
        with pytest.raises(OurMistake, match=r"inputs\.photocell = 40"):
            LaneIo(link, table_named("plain-8ch"), wired(inverted=[], inputs={"photocell": 40}), SiteClock())
        await link.close()
    assert module.asked == []


@pytest.mark.parametrize("kind", ["adam-6050", "plain-8ch"])
@pytest.mark.parametrize("road", ["tcp", "rtu"])
async def test_the_simulators_lane_is_read_as_it_is(kind: ModuleKind, road: str) -> None:
    """The simulator is written from the manuals, apart from our tables: both must mean the same wires."""
    clock, sensed = SimClock(speed=20), {"beam_rear": True}
    boom = Boom(clock, sense=lambda: sensed)
    module = LaneModule(kind, clock, lambda: sensed, boom)
    if road == "tcp":
        host, port = module.tcp()
        link = await open_modbus(ModbusTcpConfig(host=host, port=port))
    else:
        link = await open_modbus(ModbusRtuConfig(device=module.pty(), baud=115_200), QUICK)
    try:
        io = LaneIo(link, table_named(kind), wired(module=kind), SiteClock(speed=20))
        assert {n for n, on in (await io.poll()).values.items() if on} == {"beam_rear", "limit_down"}
        sensed.update(beam_rear=False, photocell=True)
        boom.faults.fault_contact = True
        assert {n for n, on in (await io.poll()).values.items() if on} == {"photocell", "limit_down", "boom_fault"}
        for lamp in (Lamp.RED, Lamp.GREEN):
            assert await io.show(lamp) is lamp
            assert module.lamp == lamp
        assert await io.show(Lamp.OFF) is Lamp.OFF
        assert boom.pulses == []
    finally:
        await link.close()
        module.close()


async def test_a_barrier_without_a_fault_contact_is_heard_to_be_well_while_the_module_answers() -> None:
    inputs = {name: channel for name, channel in WIRES["inputs"].items() if name != "boom_fault"}
    config = wired(inputs=inputs, inverted=[], no_fault_relay=True)
    module = Module()
    async with lane_io(module, config=config) as io:
        assert (await io.poll()).values["boom_fault"] is False
        module.refuse = {2: 4}
        assert (await io.poll()).values["boom_fault"] is None


async def test_polls_that_are_too_rare_to_feed_the_modules_watchdog_are_our_mistake() -> None:
    table = table_named("plain-8ch").model_copy(
        update={"watchdog": HostWatchdog(enable_register=260, time_register=488)}
    )
    async with OVER["tcp"](Module()) as where:
        link = await open_modbus(where, QUICK)
        with pytest.raises(OurMistake, match=r"watchdog_s = 1: .* at least 3 of them \(1\.5 s\)"):
            LaneIo(link, table, wired(poll_s=0.5), SiteClock())
        LaneIo(link, table, wired(poll_s=0.5, watchdog_s=1.5), SiteClock())
        await link.close()


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ({"limit_down": True, "limit_up": True}, "both on"),
        (dict.fromkeys(WIRES["inputs"], True), "every input is on"),
        ({"photocell": None}, "does not tell photocell"),
        ({"limit_down": True}, ""),
    ],
)
def test_what_cannot_be_is_said(on: dict[InputName, bool | None], said: str) -> None:
    values: dict[InputName, bool | None] = {**dict.fromkeys(wired().inputs, False), **on}
    told = impossible(values)
    assert any(said in each for each in told) if said else told == []
