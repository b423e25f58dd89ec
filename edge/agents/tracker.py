"""All trackers of a site: listeners kept open, fixes once and in order, the bus told."""

import asyncio
import re

import msgspec

from drivers.gps.config import TrackerConfig
from drivers.gps.fix import Fix
from drivers.kinds import Clock
from drivers.readings import Garbage
from edge.config import Site
from edge.fleet import Fleet, time_of
from edge.ground import Ground
from edge.keeper import Health, keep
from edge.trackers import Source, open_source
from edge.version import VERSION
from telemetry.payloads.fix import FixBody
from telemetry.payloads.node import BirthBody, InstrumentBirth
from telemetry.spool import Spool
from telemetry.topics import BY_WORD
from telemetry.voice import Voice

NODE = "tracker"
GIVE_EVERY_S = 0.1
"""How often held fixes are looked at; beside the half second that they are held for."""
HEALTH_EVERY_S = BY_WORD["health"].period_s or 5.0
NAME_CAP = 40
"""Characters of a tracker's name on the bus; names come off the wire."""


async def run(site: Site, clock: Clock) -> None:
    """Until cancelled."""
    folder = site.folder(NODE)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with Spool(folder / "spool.sqlite") as spool:
        voice = Voice.join(site.broker, spool, site.id, NODE, clock)
        voice.birth(_birth(site))
        await Trackers(site, voice, clock).run()


class Trackers:
    """The listeners and what they hear."""

    def __init__(self, site: Site, voice: Voice, clock: Clock) -> None:
        self._voice, self._clock = voice, clock
        self._listeners = site.trackers
        drawing = site.about.drawing
        self._ground = None if drawing is None else Ground(drawing.origin_lat, drawing.origin_lon)
        self._fleet = Fleet()
        self._health = {each.name: Health(each.link.label, clock) for each in self._listeners}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._voice.run())
            group.create_task(self._give())
            group.create_task(self._tell_health())
            for listener in self._listeners:
                group.create_task(self._keep(listener))

    async def _keep(self, config: TrackerConfig) -> None:
        health = self._health[config.name]

        async def live(source: Source) -> None:
            health.count(source.listener.tally)
            async for word in source.listener.words():
                if isinstance(word, Garbage):
                    continue
                tracker, fix = word
                health.heard(fix.at)
                self._fleet.take(tracker, fix)

        await keep(f"{NODE}/{config.name}", lambda: open_source(config, self._clock), live, self._clock, health)

    async def _give(self) -> None:
        while True:
            await self._clock.sleep(GIVE_EVERY_S)
            for tracker, fix in self._fleet.give(self._clock.now()):
                self._voice.sample(
                    "fix", instrument_name(tracker), fix_body(fix, self._ground), fix.at, fix.quality.value
                )
            for tracker, fix in self._fleet.history():
                self._voice.sample(
                    "fix",
                    instrument_name(tracker),
                    fix_body(fix, self._ground),
                    time_of(fix),
                    fix.quality.value,
                    historical=True,
                )

    async def _tell_health(self) -> None:
        while True:
            for name, health in self._health.items():
                body = health.body()
                if body.up and (told := self._fleet.told()):
                    body = msgspec.structs.replace(body, note=told)
                self._voice.sample("health", name, body, self._clock.now(), "good" if body.up else "bad")
            await self._clock.sleep(HEALTH_EVERY_S)


def fix_body(fix: Fix, ground: Ground | None) -> FixBody:
    """As it goes on the wire; metres only where there is a position and the site has a drawing."""
    x_m = y_m = None
    if ground is not None and fix.lat is not None and fix.lon is not None:
        east_m, north_m = ground.metres(fix.lat, fix.lon)
        x_m, y_m = round(east_m, 2), round(north_m, 2)
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
    )


def instrument_name(tracker: str) -> str:
    """A tracker's name as a level of a topic."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", tracker)[:NAME_CAP] or "unnamed"


def _birth(site: Site) -> BirthBody:
    instruments = [InstrumentBirth(name=each.name, kind="gps", words=["fix", "health"]) for each in site.trackers]
    return BirthBody(kind="tracker", zh="定位", en="Trackers", version=VERSION, instruments=instruments)
