"""All trackers and seals of a site: listeners kept open, fixes once and in order, zones watched, the bus told."""

import asyncio
import re
from collections.abc import Awaitable, Iterable
from pathlib import Path

import msgspec

from drivers.gps.config import TrackerConfig
from drivers.gps.fix import Fix
from drivers.kinds import Clock
from drivers.link.recording import Recorder
from drivers.readings import Garbage, Instant, Quality
from drivers.seal.config import SealsConfig
from edge.config import Site
from edge.fences import Fences
from edge.fleet import Fleet, time_of
from edge.ground import Ground
from edge.keeper import Health, keep
from edge.rings import Rings, sentence
from edge.seals import SealBook, SealSource, open_seals, seal_body
from edge.tracker_memory import Memory, recall, remember
from edge.trackers import Source, open_source
from edge.version import VERSION
from telemetry.payloads.fix import FixBody, HintBody
from telemetry.payloads.lane import AlarmBody
from telemetry.payloads.node import BirthBody, InstrumentBirth
from telemetry.payloads.zone import ZoneBody
from telemetry.spool import Spool
from telemetry.topics import BY_WORD
from telemetry.voice import Voice

NODE = "tracker"
BLACK_BOX = "black-box"
"""In the node's folder: the tape of every tracker's link."""
GIVE_EVERY_S = 0.1
"""How often held fixes are looked at; beside the half second that they are held for."""
LOOK_EVERY_S = 5.0
"""How often the alarms of the sky are looked at: nobody acts on them within seconds."""
HEALTH_EVERY_S = BY_WORD["health"].period_s or 5.0
NAME_CAP = 40
"""Characters of a tracker's name on the bus; names come off the wire."""


async def run(site: Site, clock: Clock) -> None:
    """Until cancelled."""
    folder = site.folder(NODE)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    memory = await asyncio.to_thread(recall, folder)
    async with Spool(folder / "spool.sqlite") as spool:
        voice = Voice.join(site.broker, spool, site.id, NODE, clock)
        voice.birth(_birth(site))
        await Trackers(site, voice, clock, folder, memory).run()


class Trackers:
    """The listeners and what they hear."""

    def __init__(self, site: Site, voice: Voice, clock: Clock, folder: Path, memory: Memory) -> None:
        self._voice, self._clock, self._folder = voice, clock, folder
        self._listeners, self._seals = site.trackers, site.seals
        self._box = Recorder(folder / BLACK_BOX, clock, site.black_box)
        drawing = site.about.drawing
        self._ground = None if drawing is None else Ground(drawing.origin_lat, drawing.origin_lon)
        self._fleet = Fleet()
        self._fences = Fences(site.zones, memory.sides)
        self._rings = Rings()
        self._rings.recall(memory.alarms)
        self._seal_book = SealBook(memory.seals)
        self._asked = {f"in-{zone.id}" for zone in site.zones if "enter" in zone.rings}
        self._asked |= {f"off-{zone.id}" for zone in site.zones if "leave" in zone.rings}
        self._health = {each.name: Health(each.link.label, clock) for each in (*self._listeners, *self._seals)}

    async def run(self) -> None:
        """Until cancelled. Raises SpoolFailed."""
        await self._ring(self._rings.cleared(self._asked), self._clock.now())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._voice.run())
            group.create_task(self._box.run())
            group.create_task(self._give())
            group.create_task(self._look())
            group.create_task(self._tell_health())
            for listener in self._listeners:
                group.create_task(self._keep(listener))
            for port in self._seals:
                group.create_task(self._keep_seals(port))

    async def _keep(self, config: TrackerConfig) -> None:
        health = self._health[config.name]

        async def live(source: Source) -> None:
            health.count(source.listener.tally)
            async for word in source.listener.words():
                if isinstance(word, Garbage):
                    continue
                tracker, fix = word
                health.heard(fix.at)
                if fix.valid and fix.fix_time is not None and not fix.historical:
                    health.latency_s = (fix.at - fix.fix_time) / self._clock.speed
                self._fleet.take(instrument_name(tracker), fix)

        def opened() -> Awaitable[Source]:
            return open_source(config, self._clock, self._box.tap(config.name))

        await keep(f"{NODE}/{config.name}", opened, live, self._clock, health)

    async def _keep_seals(self, config: SealsConfig) -> None:
        health = self._health[config.name]

        async def live(source: SealSource) -> None:
            health.count(source.listener.tally)
            async for word in source.listener.words():
                if isinstance(word, Garbage):
                    continue
                health.heard(word.at)
                if word.said_at is not None and not word.historical:
                    health.latency_s = (word.at - word.said_at) / self._clock.speed
                name, said = instrument_name(word.seal), seal_body(word)
                if word.historical:
                    at = word.at if word.said_at is None else word.said_at
                    self._voice.sample("seal", name, said, at, word.quality.value, historical=True)
                    for kept in self._seal_book.take(name, word, rings=False):
                        await self._voice.record("sealing", kept, at)
                    continue
                self._voice.sample("seal", name, said, word.at, word.quality.value)
                alarms = self._rings.seal(word)
                for changed in self._seal_book.take(name, word, rings=bool(alarms)):
                    await self._voice.record("sealing", changed, word.at)
                    await self._remember()
                await self._ring(alarms, word.at)

        def opened() -> Awaitable[SealSource]:
            return open_seals(config, self._clock, self._box.tap(config.name))

        await keep(f"{NODE}/{config.name}", opened, live, self._clock, health)

    async def _give(self) -> None:
        while True:
            await self._clock.sleep(GIVE_EVERY_S)
            for tracker, fix in self._fleet.give(self._clock.now()):
                place = self._place(fix)
                if place is not None and fix.quality is Quality.GOOD:
                    await self._watch(tracker, fix, *place)
                await self._ring(self._rings.fix(tracker, fix), fix.at)
                body = fix_body(fix, place, self._fences.inside(tracker))
                self._voice.sample("fix", tracker, body, fix.at, fix.quality.value)
            for tracker, fix in self._fleet.history():
                body = fix_body(fix, self._place(fix), ())
                self._voice.sample("fix", tracker, body, time_of(fix), fix.quality.value, historical=True)

    async def _watch(self, tracker: str, fix: Fix, x_m: float, y_m: float) -> None:
        """A live and trustworthy place beside the zones."""
        crossings = self._fences.take(tracker, fix.at, x_m, y_m)
        for crossing in crossings:
            alarms = self._rings.crossing(crossing)
            body = ZoneBody(
                tracker=tracker,
                zone=crossing.zone.id,
                what=crossing.what,
                say=sentence(crossing),
                x_m=x_m,
                y_m=y_m,
                speed_mps=fix.speed_mps,
                rings=bool(alarms),
            )
            await self._voice.record("zone", body, fix.at)
            await self._ring(alarms, fix.at)
        if crossings:
            await self._remember()

    async def _look(self) -> None:
        while True:
            now = self._clock.now()
            await self._ring(self._rings.look(now), now)
            await self._clock.sleep(LOOK_EVERY_S)

    async def _ring(self, alarms: Iterable[AlarmBody], at: Instant) -> None:
        said = list(alarms)
        for alarm in said:
            await self._voice.record("alarm", alarm, at)
        if said:
            await self._remember()

    async def _remember(self) -> None:
        memory = Memory(self._fences.sides(), self._rings.standing(), self._seal_book.states())
        await asyncio.to_thread(remember, self._folder, memory)

    def _place(self, fix: Fix) -> tuple[float, float] | None:
        """Metres; only where there is a position and the site has a drawing."""
        if self._ground is None or fix.lat is None or fix.lon is None:
            return None
        return self._ground.metres(fix.lat, fix.lon)

    async def _tell_health(self) -> None:
        while True:
            for name, health in self._health.items():
                body = health.body()
                if body.up and (told := self._fleet.told()):
                    body = msgspec.structs.replace(body, note=told)
                self._voice.sample("health", name, body, self._clock.now(), "good" if body.up else "bad")
            await self._clock.sleep(HEALTH_EVERY_S)


def fix_body(fix: Fix, place: tuple[float, float] | None, zones: Iterable[str]) -> FixBody:
    """As it goes on the wire. `place`: metres on the site's drawing."""
    x_m, y_m = (None, None) if place is None else (round(place[0], 2), round(place[1], 2))
    vehicle = fix.vehicle
    return FixBody(
        valid=fix.valid,
        lat=fix.lat,
        lon=fix.lon,
        speed_mps=fix.speed_mps,
        track_deg=fix.track_deg,
        satellites=fix.satellites,
        hdop=fix.hdop,
        source=fix.source,
        why=fix.why,
        x_m=x_m,
        y_m=y_m,
        hints=[HintBody(kind=hint.kind, why=hint.why) for hint in fix.hints],
        alarms=[] if vehicle is None else list(vehicle.alarms),
        ignition=None if vehicle is None else vehicle.ignition,
        zones=list(zones),
    )


def instrument_name(tracker: str) -> str:
    """A tracker's name as a level of a topic."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", tracker)[:NAME_CAP] or "unnamed"


def _birth(site: Site) -> BirthBody:
    instruments = [InstrumentBirth(name=each.name, kind="gps", words=["fix", "health"]) for each in site.trackers]
    instruments += [InstrumentBirth(name=each.name, kind="seal", words=["seal", "health"]) for each in site.seals]
    return BirthBody(kind="tracker", zh="定位", en="Trackers", version=VERSION, instruments=instruments)
