"""The lane's instruments, each kept by a keeper, each feeding the senses and the bus."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import NoReturn, Protocol, TypeVar

from drivers.camera.device import Camera
from drivers.kinds import Clock, Link
from drivers.lane_io.device import LaneIo
from drivers.lane_io.registers import Lamp
from drivers.link.modbus import ModbusLink
from drivers.link.modbus_tables import ModuleTable, table_named
from drivers.readings import Garbage
from drivers.rfid.card_config import CardReaderConfig
from drivers.rfid.card_device import CardReader
from drivers.rfid.readers import reader_of
from drivers.seal.seen import SealSeen, number_in
from drivers.sign.device import Sign
from drivers.weighbridge.device import Weighbridge
from drivers.weighbridge.modbus_device import RegisterScale
from drivers.weighbridge.tables import WeightTable
from edge.config import Lane, SealReaderConfig
from edge.keeper import Care, Closable, Health, keep
from edge.lane.black_box import Openers
from edge.lane.senses import Senses
from edge.lane.shown import birth, card_body, inputs_body, read_body, seal_read_body, tag_body, weight_body, zero_health
from gateway_ctl.modes import Mode
from telemetry.payloads.envelope import Q
from telemetry.payloads.node import BirthBody

HEALTH_S = 5.0
"""As the table of topics says."""
INPUTS_S = 1.0
"""Inputs are told on change, and this often."""


L = TypeVar("L", bound=Closable)


class InstrumentClock(Clock, Protocol):
    """A clock that knows how fast the site's day runs, and whether the system's clock was stepped."""

    @property
    def speed(self) -> float:
        """Site seconds a real second."""
        ...

    def step_s(self) -> float:
        """Real seconds by which the system's clock was stepped."""
        ...


class Says(Protocol):
    """Whoever is told of every reading."""

    def sample(self, word: str, instrument: str | None, body: object, at: float, q: Q = "good") -> object:
        """As Voice.sample."""
        ...


class Instruments:
    """All of one lane's. `run` keeps them until cancelled."""

    def __init__(
        self,
        lane: Lane,
        modules: tuple[ModuleTable, ...],
        senses: Senses,
        voice: Says,
        clock: InstrumentClock,
        openers: Openers,
        weight_tables: tuple[WeightTable, ...] = (),
    ) -> None:
        """Raises LookupError for a module or an indicator that has no table."""
        self.lane = lane
        self.table = table_named(lane.io.module, modules)
        self._registers = None if lane.weighbridge.modbus is None else lane.weighbridge.registers(weight_tables)
        self.lamp_wanted = Lamp.OFF
        self.sign_wanted: tuple[str, ...] = ()
        self.linked: Callable[[ModbusLink | None], Awaitable[None]] = _nobody
        """Told of every life of the I/O module's link, and None at its end: the door's barrier lives on it."""
        self._senses, self._voice, self._clock, self._open = senses, voice, clock, openers
        # In shadow the lane drives nothing that a driver sees: another system's lamp and sign may hang there.
        self._quiet = lane.mode is Mode.SHADOW
        self._health: dict[str, Health] = {}
        self._sign_news = asyncio.Event()

    def birth(self) -> BirthBody:
        """What this lane has."""
        return birth(self.lane)

    def well(self, name: str) -> bool:
        """Whether this instrument's link is up."""
        health = self._health.get(name)
        return health is not None and health.up

    def show(self, rows: tuple[str, ...]) -> None:
        """What the driver shall read; the newest text wins."""
        if rows != self.sign_wanted and not self._quiet:
            self.sign_wanted = rows
            self._sign_news.set()

    async def run(self) -> None:
        """Keep every instrument, and tell their health."""
        lane, open_ = self.lane, self._open
        io, tags, sign = lane.io, lane.tags, lane.sign
        async with asyncio.TaskGroup() as group:
            for kept in (
                self._scale(),
                self._keep(io.name, io.link.label, lambda: open_.modbus(io.name, io.link), self._contacts),
                *(
                    self._keep(
                        each.name,
                        each.link.label,
                        lambda each=each: open_.stream(each.name, each.link),
                        lambda link, each=each: self._reads(link, each.name),
                    )
                    for each in lane.cameras
                ),
            ):
                group.create_task(kept)
            if tags is not None:
                group.create_task(
                    self._keep(tags.name, tags.link.label, lambda: open_.stream(tags.name, tags.link), self._tags)
                )
            if (cards := lane.cards) is not None:
                group.create_task(
                    self._keep(
                        cards.name,
                        cards.link.label,
                        lambda: open_.stream(cards.name, cards.link),
                        lambda link: self._cards(link, cards),
                    )
                )
            if (seals := lane.seals) is not None:
                near = seals.reader
                group.create_task(
                    self._keep(
                        near.name,
                        near.link.label,
                        lambda: open_.stream(near.name, near.link),
                        lambda link: self._seals(link, seals),
                    )
                )
            if sign is not None:
                group.create_task(
                    self._keep(sign.name, sign.link.label, lambda: open_.stream(sign.name, sign.link), self._signs)
                )
            group.create_task(self._tell_health())

    def _keep(
        self, name: str, label: str, open_: Callable[[], Awaitable[L]], live: Callable[[L], Awaitable[None]]
    ) -> Coroutine[object, object, NoReturn]:
        return keep(f"{self.lane.id}/{name}", open_, live, self._clock, self._heal(name, label))

    def _heal(self, name: str, label: str) -> Health:
        scale = self.lane.weighbridge
        certificate = Care(calibrated_on=scale.calibrated_on, calibrated_until=scale.calibrated_until)
        health = self._health[name] = Health(
            label,
            self._clock,
            lambda _: self._say_health(name),
            beats=name in (scale.name, self.lane.io.name),
            care=certificate if name == scale.name else None,
        )
        return health

    def _scale(self) -> Coroutine[object, object, NoReturn]:
        """The weighbridge, by the dialect or by the registers that it has."""
        config, table, open_ = self.lane.weighbridge, self._registers, self._open
        stream, modbus = config.stream, config.modbus
        if stream is not None:
            return self._keep(
                config.name, stream.label, lambda: open_.stream(config.name, stream),
                lambda link: self._weigh(Weighbridge(link, config, self._clock)),
            )  # fmt: skip
        assert modbus is not None
        assert table is not None
        return self._keep(
            config.name, modbus.label, lambda: open_.modbus(config.name, modbus),
            lambda link: self._weigh(RegisterScale(link, table, config, self._clock)),
        )  # fmt: skip

    async def _weigh(self, scale: Weighbridge | RegisterScale) -> None:
        config = self.lane.weighbridge
        health = self._health[config.name]
        health.count(scale.tally)
        async for word in scale.words():
            if isinstance(word, Garbage):
                continue
            health.heard(word.at)
            self._senses.plate(scale.serial, scale.calibrations)
            self._senses.weight(word)
            state = self._senses.deck(word.at)
            health.latency_s = None if scale.latency_s is None else scale.latency_s / self._clock.speed
            health.zero = zero_health(state.zero_trend)
            self._voice.sample("weight", config.name, weight_body(word, state), word.at, word.quality.value)

    async def _contacts(self, link: ModbusLink) -> None:
        config = self.lane.io
        io, health = LaneIo(link, self.table, config, self._clock), self._health[config.name]
        health.count(io.tally)
        told: tuple[object, object] | None = None
        told_at = 0.0
        await self.linked(self._open.boom(link))
        try:
            async for inputs in io.words():
                health.heard(inputs.at)
                health.latency_s = inputs.latency_s / self._clock.speed
                self._senses.lamp = inputs.lamp.value
                self._senses.clock_step_s = self._clock.step_s()
                self._senses.inputs(inputs.values, inputs.at)
                health.standing = self._standing()
                news = (inputs.values, inputs.lamp)
                if news != told or inputs.at - told_at >= INPUTS_S:
                    told, told_at = news, inputs.at
                    self._voice.sample("inputs", config.name, inputs_body(inputs), inputs.at, inputs.quality.value)
                if not self._quiet and self.lamp_wanted is not inputs.lamp and inputs.lamp is not Lamp.UNKNOWN:
                    await io.show(self.lamp_wanted)
        finally:
            await self.linked(None)

    def _standing(self) -> str:
        """What is to be known of the contacts while they are told."""
        silence = self.table.without_host()
        said = "" if silence is None else f"{silence.en} ({silence.zh})"
        return "; ".join(filter(None, (self._senses.zone_note, said)))

    async def _tags(self, link: Link) -> None:
        config = self.lane.tags
        assert config is not None
        reader, health = reader_of(link, config, self._clock), self._health[config.name]
        health.count(reader.tally)
        async for word in reader.words():
            if isinstance(word, Garbage):
                continue
            health.heard(word.at)
            self._senses.note(config.name, word)
            self._voice.sample("tag", config.name, tag_body(word), word.at)

    async def _cards(self, link: Link, config: CardReaderConfig) -> None:
        reader, health = CardReader(link, config, self._clock), self._health[config.name]
        health.count(reader.tally)
        async for word in reader.words():
            if isinstance(word, Garbage):
                continue
            health.heard(word.at)
            self._senses.note(config.name, word)
            self._voice.sample("card", config.name, card_body(word), word.at)

    async def _seals(self, link: Link, config: SealReaderConfig) -> None:
        name = config.reader.name
        reader, health = reader_of(link, config.reader, self._clock), self._health[name]
        health.count(reader.tally)
        async for word in reader.words():
            if isinstance(word, Garbage):
                continue
            health.heard(word.at)
            number = number_in(word.epc) if config.text else word.hex
            if number is None:
                reader.tally.garbage += 1
                reader.tally.garbage_bytes += len(word.raw)
                continue
            seen = SealSeen(number=number, at=word.at, raw=word.raw)
            self._senses.note(name, seen)
            self._voice.sample("read", name, seal_read_body(seen, name), word.at)

    async def _reads(self, link: Link, name: str) -> None:
        config = next(camera for camera in self.lane.cameras if camera.name == name)
        camera, health = Camera(link, config, self._clock), self._health[name]
        health.count(camera.tally)
        async for word in camera.words():
            if isinstance(word, Garbage):
                continue
            health.heard(word.at)
            self._senses.note(name, word)
            self._voice.sample("read", name, read_body(word), word.at)

    async def _signs(self, link: Link) -> None:
        config = self.lane.sign
        assert config is not None
        sign, health = Sign(link, config, self._clock), self._health[config.name]
        health.count(sign.tally)
        self._sign_news.set()
        while True:
            await self._sign_news.wait()
            self._sign_news.clear()
            if self.sign_wanted:
                asked_at = self._clock.now()
                await sign.show(self.sign_wanted)
                health.heard(self._clock.now())
                health.latency_s = (self._clock.now() - asked_at) / self._clock.speed

    async def _tell_health(self) -> None:
        while True:
            for name in self._health:
                self._say_health(name)
            await self._clock.sleep(HEALTH_S)

    def _say_health(self, name: str) -> None:
        self._voice.sample("health", name, self._health[name].body(), self._clock.now())


async def _nobody(_: ModbusLink | None) -> None:
    """Until the lane says who wants to know."""
