"""The console process: the bus in, the pages out."""

import asyncio
import json
import logging
import secrets
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from consoles.app import STATIC, Parts, make_app
from consoles.board import Board
from consoles.clock import ConsoleClock
from consoles.command import NODE, WHY, Commands
from consoles.config import ConsoleSite
from consoles.hearing import RECORDS, SAMPLES, Hearing
from consoles.history import History
from consoles.inspection.room import InspectionRoom
from consoles.pins import Pins
from consoles.wire import Hello, LaneCard, PersonCard, Shape, SiteCard, Why
from telemetry import topics
from telemetry.faults import RecordsDown
from telemetry.mqtt import Bus, Will
from telemetry.payloads.envelope import Envelope, encode, wrap
from telemetry.payloads.node import BirthBody, StateBody

log = logging.getLogger(__name__)

VERSION = "0.1.0"
TICK_S = 0.1
"""Real seconds: as often as an indicator speaks, and as an eye can follow."""
ROOM_TICKS = 5
"""The room's board is told every so many ticks: nobody reads a wall faster than twice a second."""
HEARTBEAT_S = 0.5
"""Real seconds of silence after which a page is told something; it calls itself void after three of them."""
DELIVERY_SLACK_S = 0.5
"""Real seconds between a word's speaking and its being shown: bus, tick, network. On a simulated day that runs faster
this much delay makes a value older by `speed` times, so the site's limits of staleness are widened by that."""
RECALL_EVERY_S = 5.0
"""Real seconds between looks for records that are not there yet: the recorder may start long after us."""
GRACEFUL_S = 1
"""Real seconds that open pages get to hear that the server goes."""
WS_FRAME_CEILING = 1024
"""Bytes: pages send nothing over their socket."""


class _Server(uvicorn.Server):
    """Ends on SIGTERM and SIGINT by itself, so that the bus may still say goodbye; uvicorn would raise them again."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield

    def end_with_signals(self) -> None:
        """Take the signals; a platform that cannot (Windows) ends the process at once."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._end)

    def _end(self) -> None:
        self.should_exit = True


def stale_after(speed: float) -> dict[str, float]:
    """Word to the age in site seconds from which it is shown as void."""
    limits = {topic.word: topic.stale_after_s for topic in topics.TOPICS}
    return {word: limit + DELIVERY_SLACK_S * speed for word, limit in limits.items() if limit is not None}


def greeting(site: ConsoleSite, clock: ConsoleClock, build: str) -> Callable[[], Hello]:
    """Makes the first message of a page; only its `now` changes."""
    about = site.site
    lanes = [
        LaneCard(
            id=lane.id,
            zh=lane.zh,
            en=lane.en,
            direction=lane.direction,
            max_kg=lane.weighbridge.max_kg,
            division_kg=lane.weighbridge.division_kg,
        )
        for lane in site.lanes
    ]
    persons = [PersonCard(id=p.id, zh=p.zh, en=p.en, role=p.role) for p in site.persons]
    drawing = [Shape(kind=s.kind, zh=s.zh, en=s.en, points=list(s.points)) for s in about.drawing.shapes]
    drawing += [
        Shape(kind="fence" if z.kind == "area" else "route", zh=z.zh, en=z.en, points=list(z.points))
        for z in site.zones
    ]
    whys = [Why(code=code, say=say) for code, say in WHY.items()]
    limits = stale_after(clock.speed)

    def hello() -> Hello:
        return Hello(
            build=build,
            now=clock.now(),
            speed=clock.speed,
            site=SiteCard(id=about.id, zh=about.zh, en=about.en),
            lanes=lanes,
            persons=persons,
            whys=whys,
            drawing=drawing,
            review=site.inspection is not None,
            stale_after=limits,
        )

    return hello


def built(static: Path = STATIC) -> str:
    """Digest of the pages that lie ready; empty when they were never built."""
    try:
        return str(json.loads((static / "build.json").read_text(encoding="utf-8"))["build"])
    except (OSError, ValueError, KeyError):
        return ""


async def run(site: ConsoleSite, clock: ConsoleClock, history: History, listening: socket.socket) -> None:
    """Serve on an open socket until the process is told to end."""
    name = site.site.id
    boards = {lane.id: Board(heartbeat_ticks=round(HEARTBEAT_S / TICK_S)) for lane in site.lanes}
    room = Board(heartbeat_ticks=1)
    hearing = Hearing(name, boards, room, boards)
    bus = _bus(site, clock)
    for word in SAMPLES:
        await bus.subscribe(f"{topics.ROOT}/{name}/+/+/{word}", hearing.hear)
    for word in RECORDS:
        await bus.subscribe(f"{topics.ROOT}/{name}/+/{word}", hearing.hear, qos=topics.BY_WORD[word].qos)
    limits = stale_after(clock.speed)
    pins = Pins(site.persons, clock)
    commands = Commands(name, pins, hearing, bus, clock, stale_after_s=limits["view"])
    review: InspectionRoom | None = None
    if site.inspection is not None:
        review = InspectionRoom(
            site,
            site.inspection,
            pins,
            hearing,
            bus,
            clock,
            lambda count: history.passages(None, count, clock.now()),
            heartbeat_ticks=round(HEARTBEAT_S / TICK_S),
            version=VERSION,
            pages=built(),
        )
        hearing.on_scan = review.heard_of_a_scan
    parts = Parts(
        hello=greeting(site, clock, built()),
        room=room,
        boards=boards,
        hearing=hearing,
        commands=commands,
        history=history,
        now=clock.now,
        bus_up=lambda: bus.up,
        names=site.console.names,
        review=None if review is None else review.routes,
    )
    tls = site.console.tls
    server = _Server(
        uvicorn.Config(
            make_app(parts),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACEFUL_S,
            ws_max_size=WS_FRAME_CEILING,
            ws_per_message_deflate=False,
            ssl_certfile=None if tls is None else str(tls.cert),
            ssl_keyfile=None if tls is None else str(tls.key),
        )
    )
    async with asyncio.TaskGroup() as tasks:
        work = [
            tasks.create_task(bus.run()),
            tasks.create_task(_announce(site, clock, bus, hearing)),
            tasks.create_task(_recall(clock, history, hearing)),
            tasks.create_task(
                _tick(clock, room, [*boards.values(), *([review.board] if review else [])], hearing, bus)
            ),
        ]
        if review is not None:
            work.append(tasks.create_task(review.run()))
        server.end_with_signals()
        await server.serve(sockets=[listening])
        for task in work:
            task.cancel()


async def _recall(clock: ConsoleClock, history: History, hearing: Hearing) -> None:
    """Take over what was recorded before we came, as soon as the records can be read."""
    while True:
        try:
            found = await history.recall()
        except (RecordsDown, TimeoutError) as fault:
            log.debug("nothing recalled yet: %s", fault)
            await clock.pause(RECALL_EVERY_S)
            continue
        for address, envelope in found:
            hearing.recall(address, envelope)
        return


async def _tick(clock: ConsoleClock, room: Board, boards: list[Board], hearing: Hearing, bus: Bus) -> None:
    turn = 0
    while True:
        now = clock.now()
        for board in boards:
            board.tick(now, bus=bus.up)
        if turn % ROOM_TICKS == 0:
            hearing.count(now)
            room.tick(now, bus=bus.up)
        turn += 1
        await clock.pause(TICK_S)


def _state(site: str, at: float, boot: str, *, online: bool) -> tuple[str, bytes]:
    said = StateBody(state="online" if online else "offline", boot=boot)
    return topics.topic(site, NODE, "state"), wrap(
        Envelope(id=f"{boot}-{'on' if online else 'off'}", at=at, src=NODE, body=encode(said))
    )


def _bus(site: ConsoleSite, clock: ConsoleClock) -> Bus:
    boot = secrets.token_hex(4)
    topic, payload = _state(site.site.id, clock.now(), boot, online=False)
    return Bus(site.broker, f"{site.site.id}-{NODE}-{boot}", will=Will(topic=topic, payload=payload))


async def _announce(site: ConsoleSite, clock: ConsoleClock, bus: Bus, hearing: Hearing) -> None:
    """Say who we are after every connection, and whenever the last will of an earlier console says that we are not."""
    boot = bus.client_id.rsplit("-", 1)[1]
    again = asyncio.Event()
    bus.watch(lambda up: None if up else again.set())
    hearing.on_state = lambda node, said: again.set() if node == NODE and said.state == "offline" else None
    while True:
        await bus.connected()
        again.clear()
        now = clock.now()
        birth = BirthBody(kind="console", zh="控制台", en="Console", version=VERSION)
        topic, payload = _state(site.site.id, now, boot, online=True)
        bus.publish(
            topics.topic(site.site.id, NODE, "birth"),
            wrap(Envelope(id=f"{boot}-birth", at=now, src=NODE, body=encode(birth))),
            retain=True,
        )
        bus.publish(topic, payload, retain=True)
        await again.wait()
