"""The scanner's instruments over real sockets: lines, source, interlock chain, and the four hooks."""

import asyncio
import socket

import numpy as np
import pytest

from drivers.faults import NoAnswer, NotConfirmed, OpenFailed, OurMistake, TheirMistake
from drivers.readings import Quality
from drivers.xray import capture as capture_module
from drivers.xray.capture import open_capture
from drivers.xray.device import LineDetector, NotReady, ScanControl, Watched
from drivers.xray.line import Energy
from drivers.xray.vj import Fault
from edge.clock import SiteClock
from simulators.xray_scanner import Build
from simulators.xray_wire import Layout, WireFaults
from tests.drivers.xray.stage import (
    PIXELS,
    SMALL,
    chain_watch,
    detector_config,
    lines_of,
    listening,
    played,
    scanner,
    source_watch,
)


@pytest.mark.parametrize("layout", ["quaygate", "dt"])
async def test_lines_come_as_the_detector_saw_them(layout: Layout) -> None:
    clock = SiteClock()
    async with listening(clock, layout=layout) as (capture, config, wire):
        detector = LineDetector(capture, config, clock)
        pulses, packets = played(SMALL, 40, layout)
        wire.send(packets)
        lines = await lines_of(detector.lines(), 80)
    assert [line.number for line in lines] == list(range(80))
    for line in lines:
        told = pulses[line.energy is Energy.LE]
        np.testing.assert_array_equal(line.values, told.counts[line.number // 2])
    if layout == "quaygate":
        assert lines[7].encoder == pulses[1].encoder[3] and lines[7].pulse == pulses[1].monitor[3]
    assert detector.tally.words == 80 and detector.tally.garbage == 0


async def test_loss_doubles_and_reorder_on_the_wire() -> None:
    clock = SiteClock()
    wide = Build(pixels=1500)
    async with listening(clock, pixels=1500) as (capture, config, wire):
        detector = LineDetector(capture, config, clock)
        pulses, packets = played(wide, 200, "quaygate")
        wire.faults = WireFaults(lost=0.02, doubled=0.05, swapped=0.05, spoilt=0.01)
        wire.send(packets[:1000])
        early = asyncio.create_task(lines_of(detector.lines(), 10))
        await early
        wire.faults.spoilt = wire.faults.lost = 0.0
        wire.send(packets[1000:])
        lines = early.result() + await lines_of(detector.lines(), 300)
    assert detector.tally.garbage > 0 and detector.recent_garbage[0].why
    assert detector.losses.duplicates > 0 and detector.losses.part_lines > 0
    for line in lines:
        there = np.ones(1500, bool)
        for gap in line.missing:
            there[gap.start : gap.stop] = False
        told = pulses[line.energy is Energy.LE].counts[line.number // 2]
        np.testing.assert_array_equal(line.values[there], told[there])


async def test_a_detector_hung_upside_down_is_turned() -> None:
    clock = SiteClock()
    async with listening(clock, upside_down=True) as (capture, config, wire):
        pulses, packets = played(SMALL, 5, "quaygate")
        wire.send(packets)
        lines = await lines_of(LineDetector(capture, config, clock).lines(), 10)
    np.testing.assert_array_equal(lines[0].values, pulses[0].counts[0][::-1])


async def test_a_detector_of_another_width_is_their_mistake() -> None:
    clock = SiteClock()
    async with listening(clock, pixels=PIXELS + 1) as (capture, config, wire):
        wire.send(played(SMALL, 2, "quaygate")[1])
        with pytest.raises(TheirMistake, match=f"{PIXELS} pixels, the site file says {PIXELS + 1}"):
            await lines_of(LineDetector(capture, config, clock).lines(), 1)


async def test_a_storm_costs_datagrams_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_module, "CEILING_BYTES", 60_000)
    clock = SiteClock()
    async with listening(clock) as (capture, config, wire):
        detector = LineDetector(capture, config, clock)
        noise = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(40):
            for _ in range(20):
                noise.sendto(b"\xaa" * 900, ("127.0.0.1", capture.port))
            await asyncio.sleep(0)
        noise.close()
        wire.send(played(SMALL, 20, "quaygate")[1])
        lines = await lines_of(detector.lines(), 40)
        assert [line.number for line in lines] == list(range(40))
        assert capture.lost_datagrams > 0 and capture._held <= 60_000
        assert detector.tally.garbage + capture.lost_datagrams <= 800


async def test_the_last_lines_do_not_wait_for_ever() -> None:
    """A line whose packet was lost is given when the tunnel falls silent."""
    clock = SiteClock()
    async with listening(clock, pixels=1500) as (capture, config, wire):
        _, packets = played(Build(pixels=1500), 1, "quaygate")
        wire.send([*packets[:1], *packets[2:]])
        lines = await lines_of(LineDetector(capture, config, clock).lines(), 2)
    assert lines[0].missing == (range(700, 1400),) and not lines[1].missing


async def test_a_port_in_use_is_said() -> None:
    clock = SiteClock()
    async with listening(clock) as (capture, _, _wire):
        with pytest.raises(OpenFailed):
            await open_capture(detector_config(listen_port=capture.port), clock)
        with pytest.raises(NoAnswer):
            await capture.read(0.01)


async def test_the_source_s_state() -> None:
    clock = SiteClock()
    async with scanner(clock) as station, source_watch(station, clock) as watch:
        state = await watch.poll()
        assert (state.beam, state.warming, state.faults) == (False, False, frozenset())
        assert state.monitor is not None and state.monitor.kv == 0
        station.source.faults.latched |= {"interlock", "arc"}
        state = await watch.poll()
        assert state.faults == {Fault.INTERLOCK, Fault.ARC}
        assert state.forbids() == ["source fault: arc", "source fault: interlock"]
        station.source.warm_up()
        assert "source: warming up" in (await watch.poll()).forbids()
        station.source.inject(b"\xff\x00noise\r\x02late\r")
        assert (await watch.poll()).quality is Quality.GOOD
        assert watch.tally.garbage > 0
        assert set(station.source.heard_commands) == {"FLT", "MON", "STAT", "PSTAT"}


async def test_a_source_that_talks_nonsense_is_not_known() -> None:
    clock = SiteClock()
    async with scanner(clock) as station, source_watch(station, clock) as watch:
        station.source.faults.garbage = True
        state = await watch.poll()
        assert state.quality is Quality.UNCERTAIN and "source: state not known" in state.forbids()
        await watch.poll()
        with pytest.raises(TheirMistake, match="VJ"):
            await watch.poll()


async def test_the_chain_and_our_link_in_it() -> None:
    clock = SiteClock()
    async with scanner(clock) as station, chain_watch(station, clock) as watch:
        chain = await watch.poll()
        assert chain.faults() == [] and chain.ready is False
        assert chain.values["interlock_doors"] is True and chain.values["estop_desk"] is False
        for name in ("estop_source", "person", "dose_alarm"):
            station.state[name] = True
        station.state["interlock_barriers"] = False
        assert (await watch.poll()).faults() == ["interlock_barriers", "estop_source", "person", "dose_alarm"]
        await watch.allow()
        assert station.safety.ready and (await watch.poll()).ready is True
        await watch.withhold()
        assert not station.safety.ready
        assert [closed for _, closed in station.safety.changes] == [True, False]


async def test_a_broken_wire_is_an_alarm_and_a_module_that_refuses_is_not_known() -> None:
    clock = SiteClock()
    async with scanner(clock) as station, chain_watch(station, clock) as watch:
        station.safety.stuck = {"estop_desk": True}
        assert (await watch.poll()).faults() == ["estop_desk"]
        station.safety.faults.exception = 4
        chain = await watch.poll()
        assert chain.quality is Quality.BAD and set(chain.faults()) == set(chain.values)


async def test_a_dose_monitor_that_stands_still_is_not_known() -> None:
    clock = SiteClock(speed=20.0)
    async with scanner(clock) as station, chain_watch(station, clock, alive_within_s=3.0) as watch:
        assert (await watch.poll()).faults() == []
        station.safety.stuck = {"dose_alive": True}
        async with asyncio.timeout(10):
            while (await watch.poll()).faults() != ["dose_alive"]:
                await clock.sleep(0.2)


async def test_a_relay_that_does_not_follow_is_not_confirmed() -> None:
    clock = SiteClock(speed=20.0)
    async with scanner(clock) as station, chain_watch(station, clock) as watch:
        station.safety.outputs._put = lambda channel, closed, by: None  # type: ignore[method-assign]
        with pytest.raises(NotConfirmed, match="does not read so"):
            await watch.allow()


async def test_a_channel_that_the_module_has_not_is_our_mistake() -> None:
    clock = SiteClock()
    async with scanner(clock) as station:
        with pytest.raises(OurMistake, match="ready = 6: adam-6050 has outputs 0 to 5"):
            async with chain_watch(station, clock, ready=6):
                pass


async def test_the_four_hooks() -> None:
    clock = SiteClock()
    async with scanner(clock) as station, chain_watch(station, clock) as watch, source_watch(station, clock) as source:
        watched = Watched()
        control = ScanControl("X01", clock, watched, frozenset({"chain", "source"}))
        control.watch = watch
        with pytest.raises(NotReady) as no:
            await control.ensure_ready()
        assert no.value.reasons == ["interlock chain: not known", "source: state not known"]
        station.state["estop_desk"] = True
        watched.chain, watched.source = await watch.poll(), await source.poll()
        control.also(lambda: ["no calibration"])
        with pytest.raises(NotReady) as no:
            await control.ensure_ready()
        assert no.value.reasons == ["interlock chain: estop_desk", "no calibration"]
        assert not station.safety.ready and not station.source.beam
        control._more.clear()
        station.state["estop_desk"] = False
        watched.chain = await watch.poll()
        await control.ensure_ready()
        assert station.safety.ready and not station.source.beam, "ready turns nothing on"
        control.start()
        watched.lit_at = clock.now()
        await control.wait_for_idle(0.05)
        assert clock.now() - watched.lit_at >= 0.05 and not control.scanning
        await control.ensure_stopped()
        assert not station.safety.ready


async def test_a_withdrawn_ready_ends_the_beam_and_nothing_of_ours_brings_it_back() -> None:
    clock = SiteClock()
    async with scanner(clock) as station, chain_watch(station, clock) as watch:
        await watch.allow()
        assert station.source.key(on=True)
        await watch.withhold()
        assert not station.source.beam
        await watch.allow()
        assert not station.source.beam and station.source.faults.latched == {"interlock"}
