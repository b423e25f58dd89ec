"""Every dialect over a bad line: noise, half frames, wrong bits, swapped digits, the cable pulled, the port set wrong.

No weight may be invented: the good ones are, in their order, numbers that the indicator's window showed. Every gap is
told, and the weights are back within two seconds of the line's return (judged in the long run only, which has the
machine for itself).
"""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.readings import Quality
from drivers.weighbridge.config import WeighbridgeConfig
from drivers.weighbridge.device import GAP_S, Weighbridge
from drivers.weighbridge.reading import Weight
from edge.clock import SiteClock
from simulators.clock import SimClock
from simulators.weigh_formats import FORMATS
from simulators.weighbridge import DIALECTS, Indicator
from tests.drivers.long_line import BACK_S, Heard, Hurt, Line, walk

SPEED, HASTE = 5.0, 60.0
"""Of the long run, and of the short one."""
RATE_HZ = 20.0
"""A weight every 0.05 s: as fast as an indicator can be asked."""
CYCLE_S, LADEN_FROM_S, OVER_FROM_S = 30.0, 8.0, 26.0
"""Empty, a truck, and more than the scale can bear."""
READ_BY = {"rinstrum-d": "st-gs", "dini-argeo-af": "dini-argeo"}
FAMILIES = (
    "yaohua-a9", "yaohua-a9-command", "yaohua-equals-reversed", "yaohua-a12e", "mt-continuous", "mt-sics", "sma",
    "rinstrum-c", "rinstrum-rincmd", "aand", "st-gs", "dini-argeo-command", "bilanciai", "cardinal", "general-measure",
)  # fmt: skip


class Watched(Indicator):
    """One whose window somebody writes down."""

    shown: list[Decimal | None]

    def next_bytes(self) -> bytes:
        """Measure, note, speak."""
        said = super().next_bytes()
        kg = self.shown_kg
        self.shown.append(None if kg is None else Decimal(round(kg)))
        return said


def scene(dialect: str, speed: float) -> tuple[Line[Weight], Watched, SiteClock]:
    """An indicator whose truck comes and goes, at the end of a bad line: every other dialect by TCP or a serial one."""
    sim = SimClock(speed=speed)
    clock = SiteClock(speed=speed, origin=sim.origin)
    over_tcp = DIALECTS.index(dialect) % 2 == 0

    def load_kg() -> float:
        second = (sim.now() - sim.origin) % CYCLE_S
        truck = 14_000 + 1_340 * (int((sim.now() - sim.origin) // CYCLE_S) % 29)
        return 0.0 if second < LADEN_FROM_S else 99_000.0 if second >= OVER_FROM_S else float(truck)

    device = Watched(sim, load_kg, seed=3, max_kg=80_000, rate_hz=RATE_HZ, dialect=dialect)
    device.shown = []
    device.power_up(0.0)
    faults = device.faults
    faults.garbage_per_s, faults.half_share, faults.bad_sum_share, faults.swap_share = 0.5, 0.02, 0.02, 0.01
    if over_tcp:
        host, port = device.tcp()
        link: dict[str, Any] = {"kind": "tcp", "host": host, "port": port}
    else:
        link = {"kind": "serial", "device": device.pty()}
    settings = {"name": "wb", "dialect": READ_BY.get(dialect, dialect), "max_kg": 80_000, "division_kg": 20}
    config = WeighbridgeConfig.model_validate({**settings, "link": link, "poll_s": 1 / RATE_HZ})

    def listen(open_link: Any) -> Any:
        driver = Weighbridge(open_link, config, clock)
        return driver.tally, driver.words()

    def silent(yes: bool) -> None:
        faults.silent = yes

    def deaf(baud: int | None) -> None:
        faults.heard_at_baud = baud

    hurts = [
        Hurt("unplugged", device.drop, device.restore, told_s=GAP_S + 0.2),
        Hurt("at half the baud", lambda: deaf(4800), lambda: deaf(None), told_s=GAP_S + 0.2),
        Hurt("silent", lambda: silent(True), lambda: silent(False), told_s=GAP_S + 0.2),
        Hurt("at twice the baud", lambda: deaf(19_200), lambda: deaf(None), told_s=GAP_S + 0.2),
    ]
    where = TypeAdapter[Any](StreamLinkConfig).validate_python(link)
    return Line(device.run(), lambda: open_link(where, clock), listen, hurts, device.close), device, clock


def judge(heard: Heard[Weight], device: Watched) -> None:
    """Nothing invented, nothing missing in silence."""
    shown, now = iter(device.shown), None
    for weight in heard.words:
        # Whoever asks twice within a beat is told the same window twice.
        if weight.quality is Quality.GOOD and weight.kg != now:
            now = next((kg for kg in shown if kg == weight.kg), None)
            assert now is not None, f"never shown at that time: {weight}"
    assert heard.untold == []
    assert heard.garbage.total() > 0


@pytest.mark.parametrize("dialect", FAMILIES)
async def test_some_weights_over_a_bad_line(dialect: str) -> None:
    line, device, clock = scene(dialect, HASTE)
    judge(await walk(line, clock, 250, 3), device)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("dialects", [DIALECTS[at::4] for at in range(4)], ids=" ".join)
async def test_ten_thousand_weights_over_a_bad_line(dialects: tuple[str, ...]) -> None:
    """Several side by side, each on its own line: they wait for their lines, not for the processor."""
    scenes = [scene(dialect, SPEED) for dialect in dialects]
    async with asyncio.TaskGroup() as group:
        walks = [group.create_task(walk(line, clock, 10_000, 20)) for line, _, clock in scenes]
    for dialect, walked, (_, device, _) in zip(dialects, walks, scenes, strict=True):
        print(walked.result().summary(dialect))
        judge(walked.result(), device)
    assert max(walked.result().slowest_s for walked in walks) < BACK_S


def test_every_dialect_has_its_long_line() -> None:
    from drivers.weighbridge.dialects import DIALECTS as OURS

    assert set(OURS) == {READ_BY.get(name, name) for name in DIALECTS} and set(FORMATS) < set(DIALECTS)
