"""Indicators with registers on real wires: against the simulators, which know nothing of the tables."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import cast

import pytest

from drivers.faults import LinkLost, NoAnswer
from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_config import ModbusConfig, ModbusRtuConfig, ModbusTcpConfig
from drivers.link.modbus_wire import Deadlines
from drivers.readings import Garbage, Quality
from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.modbus_device import RegisterScale
from drivers.weighbridge.reading import Weight
from edge.clock import SiteClock
from edge.keeper import Health, keep
from simulators.clock import SimClock
from simulators.faults import WrongAnswer
from simulators.weigh_maps import MAPS
from simulators.weigh_modbus import ModbusIndicator
from tests.drivers.modbus.module import OVER, Module
from tests.drivers.plugs import WITHIN_S, until_fault
from tests.drivers.weighbridge.test_registers import MANUALS, encoded

SPEED = 20.0
QUICK = Deadlines(open_s=2.0, answer_s=0.5, late_s=0.01)
NAMES = sorted(MAPS)


class Bench:
    """An indicator on its deck, and the driver at the other end of the wire."""

    def __init__(self, name: str, road: str, *, low_first: bool = False) -> None:
        self.load_kg = 0.0
        self.device = ModbusIndicator(
            SimClock(speed=SPEED), lambda: self.load_kg, map_name=name, low_first=low_first, seed=4,
            max_kg=100_000, division_kg=20.0,
        )  # fmt: skip
        self.device.power_up(0.0)
        self.clock = SiteClock(speed=SPEED)
        if road == "tcp":
            host, port = self.device.tcp()
            self.link: ModbusConfig = ModbusTcpConfig(host=host, port=port)
        else:
            self.link = ModbusRtuConfig(device=self.device.pty(), baud=115_200)
        self.config = WeighbridgeConfig.model_validate(
            {"table": name, "max_kg": 100_000, "division_kg": 20, "link": self.link.model_dump(), "poll_s": 0.1}
        )

    async def open(self) -> ModbusLink:
        return await open_modbus(self.link, QUICK)

    def scale(self, link: ModbusLink) -> RegisterScale:
        return RegisterScale(link, self.config.registers(), self.config, self.clock)


@asynccontextmanager
async def standing(name: str, road: str) -> AsyncGenerator[tuple[Bench, RegisterScale]]:
    """The bench with its driver connected, for as long as the block."""
    bench = Bench(name, road)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(bench.device.run())
            link = await bench.open()
            try:
                async with asyncio.timeout(WITHIN_S):
                    yield bench, bench.scale(link)
            finally:
                await link.close()
                task.cancel()
    finally:
        bench.device.close()


async def until(scale: RegisterScale, true: Callable[[Weight | Garbage], bool]) -> list[Weight | Garbage]:
    """Every word up to the first that is so."""
    found: list[Weight | Garbage] = []
    async for word in scale.words():
        found.append(word)
        if true(word):
            break
    return found


def rests_at(kg: int) -> Callable[[Weight | Garbage], bool]:
    return lambda word: isinstance(word, Weight) and word.kg == kg and word.status == "stable" and not word.moving


@pytest.mark.parametrize("road", ["tcp", "rtu"])
@pytest.mark.parametrize("name", NAMES)
async def test_what_lies_on_the_deck_is_what_is_read(name: str, road: str) -> None:
    heavy = 30_000 if name == "mettler-ind-integer" else 60_000
    async with standing(name, road) as (bench, scale):
        await until(scale, rests_at(0))
        bench.load_kg = heavy
        way = await until(scale, rests_at(heavy))
        good = [word for word in way if isinstance(word, Weight) and word.quality is Quality.GOOD]
        assert all(word.kg is not None and -400 <= word.kg <= 1.8 * heavy and word.kg % 20 == 0 for word in good)
        bench.load_kg = 0.0
        await until(scale, rests_at(0))
        bench.device.faults.drift_kg = -100.0
        [*_, below] = await until(scale, rests_at(-100))
        assert isinstance(below, Weight) and below.display == "-100"
        bench.device.faults.drift_kg = 0.0
        bench.load_kg = 110_000.0
        await until(scale, lambda word: isinstance(word, Weight) and word.kg is None)
        bench.load_kg = 0.0
        await until(scale, rests_at(0))
        bench.device.faults.broken = True
        [*_, broken] = await until(scale, lambda word: isinstance(word, Weight) and word.kg is None)
        assert isinstance(broken, Weight) and broken.status in ("error", "underload", "overload")
        assert bench.device.plate.written == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "general-measure-m02"])
async def test_a_tare_that_is_on_is_never_a_gross_weight_of_less(name: str) -> None:
    """Where gross has registers of its own the weight stays gross and the tare is told; elsewhere there is none."""
    async with standing(name, "tcp") as (bench, scale):
        bench.load_kg = 30_000.0
        await until(scale, rests_at(30_000))
        bench.device.faults.tare_left_kg = 12_000.0
        [*_, word] = await until(scale, lambda word: isinstance(word, Weight) and word.tare_on is True)
        assert isinstance(word, Weight)
        by_shown = name.startswith("mettler")
        # A deck at rest still shows a division more or less now and then.
        assert word.kg is None if by_shown else word.kg is not None and abs(word.kg - 30_000) <= 20
        assert (word.status == "tared") is by_shown


@pytest.mark.parametrize("road", ["tcp", "rtu"])
@pytest.mark.parametrize("name", sorted(MANUALS))
async def test_nothing_that_writes_is_ever_on_the_wire(name: str, road: str) -> None:
    """A module that records every request: one read of one span a poll, and no other function."""
    module, clock = Module(), SiteClock(speed=50.0)
    function, start, count = MANUALS[name]["span"]
    module.registers |= {start + n: word for n, word in enumerate(encoded(name, 12_340, stable=True))}
    async with OVER[road](module) as where:
        told = {"table": name, "max_kg": 100_000, "division_kg": 20, "link": where.model_dump(), "poll_s": 0.05}
        config = WeighbridgeConfig.model_validate(told)
        link = await open_modbus(where, QUICK)
        scale = RegisterScale(link, config.registers(), config, clock)
        polls = 0
        async with asyncio.timeout(WITHIN_S):
            async for word in scale.words():
                polls += 1
                assert isinstance(word, Weight) and word.kg == 12_340
                if polls == 5:
                    break
                if polls == 3:
                    module.refuse = {function: 2}
                    assert isinstance(await anext(scale.words()), Garbage)
                    module.refuse = {}
        await link.close()
    assert module.writes() == []
    asked = bytes((function,)) + start.to_bytes(2, "big") + count.to_bytes(2, "big")
    assert set(module.asked) == {asked}


async def test_words_the_wrong_way_round_are_told_and_give_no_weight() -> None:
    bench = Bench("laumas", "tcp", low_first=True)
    bench.load_kg = 30_000.0
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.device.run())
        link = await bench.open()
        async with asyncio.timeout(WITHIN_S):
            words, ended = await until_fault(bench.scale(link).words())
        assert isinstance(ended, NoAnswer) and "the other way round" in ended.what
        assert not [word for word in words if isinstance(word, Weight) and word.kg]
        await link.close()
        bench.config = bench.config.model_copy(update={"word_order": "low-first"})
        link = await bench.open()
        async with asyncio.timeout(WITHIN_S):
            await until(bench.scale(link), rests_at(30_000))
        await link.close()
        task.cancel()
    bench.device.close()


async def test_a_converter_that_stands_still_is_told_by_its_heartbeat() -> None:
    async with standing("flintec-ft112", "tcp") as (bench, scale):
        bench.load_kg = 30_000.0
        await until(scale, rests_at(30_000))
        bench.device.faults.frozen = True
        [*_, word] = await until(scale, lambda word: isinstance(word, Weight) and "heartbeat" in word.why)
        assert isinstance(word, Weight) and word.quality is Quality.UNCERTAIN


async def test_what_it_refuses_is_heard_and_a_refusal_that_lasts_is_silence() -> None:
    async with standing("dini-argeo", "rtu") as (bench, scale):
        await until(scale, rests_at(0))
        bench.device.io.exception = 6
        words, ended = await until_fault(scale.words())
        assert isinstance(ended, NoAnswer) and ended.what == "no weight for 5 s: function 4: device busy (code 6)"
        assert words and all(isinstance(word, Garbage) for word in words)
        assert scale.tally.garbage == len(words)


@pytest.mark.parametrize("wrong", ["transaction", "unit", "function", "truncated", "noise"])
async def test_an_answer_that_is_not_one_ends_the_link_and_is_no_weight(wrong: WrongAnswer) -> None:
    async with standing("laumas", "tcp") as (bench, scale):
        bench.load_kg = 30_000.0
        await until(scale, rests_at(30_000))
        bench.device.io.wrong = wrong
        words, _ = await until_fault(scale.words())
        assert all(isinstance(word, Weight) and word.kg == 30_000 for word in words)


@pytest.mark.parametrize("road", ["tcp", "rtu"])
async def test_an_unplugged_indicator_says_nothing_and_is_back_within_two_seconds(road: str) -> None:
    bench = Bench("laumas", road)
    bench.load_kg = 30_000.0
    health = Health(bench.link.label, bench.clock)
    heard: list[tuple[float, Weight | Garbage]] = []
    news = asyncio.Event()

    async def live(link: ModbusLink) -> None:
        scale = bench.scale(link)
        health.count(scale.tally)
        async for word in scale.words():
            if isinstance(word, Weight):
                health.heard(word.at)
            heard.append((bench.clock.now(), word))
            news.set()

    async def weights(count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while sum(isinstance(word, Weight) for _, word in heard) < count:
                news.clear()
                await news.wait()

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(bench.device.run()),
            group.create_task(keep("wb", bench.open, live, bench.clock, health)),
        ]
        await weights(20)
        for _ in range(2):
            before = health.reconnects
            bench.device.drop()
            await bench.clock.sleep(1.0)
            silent_from = len(heard)
            await bench.clock.sleep(20.0)
            assert [word for _, word in heard[silent_from:] if isinstance(word, Weight)] == []
            bench.device.restore()
            back = bench.clock.now()
            await weights(sum(isinstance(word, Weight) for _, word in heard) + 1)
            # A serial line falls silent for the answer's deadline of the real world, which this day runs through fast.
            slack_s = QUICK.answer_s * SPEED + QUICK.late_s * SPEED if road == "rtu" else 0.0
            assert heard[-1][0] - back <= 2.0 + slack_s
            assert health.reconnects > before
            await weights(sum(isinstance(word, Weight) for _, word in heard) + 10)
        for task in tasks:
            task.cancel()
    assert all(not isinstance(word, Weight) or word.kg in (None, 0, 30_000) or word.moving for _, word in heard)
    bench.device.close()


async def test_nobody_there_is_no_weight() -> None:
    bench = Bench("laumas", "tcp")
    link = await bench.open()
    bench.device.close()
    with pytest.raises(LinkLost):
        await anext(bench.scale(link).words())


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("road", ["tcp", "rtu"])
async def test_ten_thousand_readings_over_a_bad_line(road: str) -> None:
    """Noise, half answers, refusals, other units' answers, unplugging: no reading that is not on the deck."""
    bench = Bench("laumas", road)
    bench.config = bench.config.model_copy(update={"poll_s": 0.05})
    health = Health(bench.link.label, bench.clock)
    draw, loads, heard = Random(8), {0}, 0
    wrong: list[Weight] = []
    mishaps: Counter[str] = Counter()
    slowest_s = 0.0

    async def live(link: ModbusLink) -> None:
        nonlocal heard
        scale = bench.scale(link)
        health.count(scale.tally)
        async for word in scale.words():
            if isinstance(word, Weight):
                health.heard(word.at)
                heard += 1
                at_rest = word.status == "stable" and word.quality is Quality.GOOD
                if at_rest and word.kg not in loads:
                    wrong.append(word)

    async def next_weight() -> float:
        """Site seconds until the next one."""
        began, before = bench.clock.now(), heard
        async with asyncio.timeout(WITHIN_S):
            while heard == before:
                await bench.clock.sleep(0.05)
        return bench.clock.now() - began

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(bench.device.run()),
            group.create_task(keep("wb", bench.open, live, bench.clock, health)),
        ]
        bench.device.faults.garbage_per_s = 0.2
        while heard < 10_000:
            await bench.clock.sleep(draw.uniform(2.0, 6.0))
            mishap = draw.choice(["load", "unplugged", "truncated", "unit", "noise", "refused", "silent"])
            mishaps[mishap] += 1
            if mishap == "load":
                bench.load_kg = float(draw.randrange(0, 80_000, 20))
                loads |= {int(bench.load_kg) + off for off in (-20, 0, 20)}
                continue
            before = health.reconnects
            if mishap == "unplugged":
                bench.device.drop()
            elif mishap == "silent":
                bench.device.faults.silent = True
            elif mishap == "refused":
                bench.device.io.exception = 6
            else:
                bench.device.io.wrong = cast("WrongAnswer", mishap)
            await bench.clock.sleep(draw.uniform(2.0, 6.0))
            bench.device.restore()
            bench.device.io.wrong = bench.device.io.exception = None
            bench.device.faults.silent = False
            slowest_s = max(slowest_s, await next_weight())
            assert mishap == "refused" or health.reconnects > before or not health.up
        for task in tasks:
            task.cancel()
    body = health.body()
    print(f"{heard} readings, {body.garbage} pieces of garbage, {health.reconnects} reconnects, {dict(mishaps)}")
    print(f"back after {slowest_s:.2f} site seconds at most")
    assert wrong == []
    # Of the real world, which this day runs through fast: an answer's deadline, and on a serial line a late answer's.
    assert slowest_s <= 2.0 + (QUICK.answer_s + QUICK.late_s) * SPEED
    bench.device.close()
