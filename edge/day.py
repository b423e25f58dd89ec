"""A simulated day from its first truck to its judgement: simulator, processes, evidence, report."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Any

import msgspec

from edge.clock import SiteClock
from edge.config import Lane, Site, load
from edge.demo import (
    Day,
    Ports,
    SimulatedPort,
    SimulatorFailed,
    demo_persons,
    demo_text,
    free_port,
    gate_ports,
    simulated_port,
    write_site,
)
from edge.evidence.kept import stored
from edge.evidence.proof import anchor_public, anchors_in, prove
from edge.report import Evidence, Ledger, Line, Record, judge
from edge.roster import names, services
from edge.supervisor import Supervisor
from gateway_ctl.anchor import SignedAnchor
from gateway_ctl.book import Broken, entries
from telemetry.inbox import Message
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import body, unwrap
from telemetry.payloads.lane import ViewBody
from telemetry.stored import StoredRecord
from telemetry.topics import ROOT, TOPICS, Kind, parse

AWAKE_WITHIN_S = 60.0
"""Real seconds for every lane to say that it is empty: Python starts, links open, the first pictures are whole."""
DRAIN_WITHIN_S = 60.0
"""Real seconds for the lanes' spools to be stored after the last truck."""
STALL_SITE_S = 1200.0
"""Site seconds without a truck's truth after which the day will not end: the longest patience is a tenth of it."""
LOOK_S = 0.25
MOST_AXLES = 6
"""Of the simulated trucks."""

_log = logging.getLogger(__name__)

Trouble = Callable[[Supervisor], Coroutine[None, None, None]]
"""Runs beside the day, to kill what it likes; cancelled at its end."""


@dataclass(slots=True)
class _Views:
    """The newest view of each lane."""

    newest: dict[str, ViewBody]

    def __call__(self, message: Message) -> None:
        address = parse(message.topic)
        if address is not None and address.word == "view":
            with suppress(msgspec.DecodeError, msgspec.ValidationError):
                self.newest[address.node] = body(unwrap(message.payload), ViewBody)

    def all(self, lanes: list[str], true: Callable[[ViewBody], bool]) -> bool:
        return all(lane in self.newest and true(self.newest[lane]) for lane in lanes)


async def run_day(day: Day, data: Path, trouble: Trouble | None = None) -> dict[str, Any]:
    """The report. `data` exists and is empty. Raises SimulatorFailed when the day does not come to an end."""
    ports = Ports(broker=free_port(), console=free_port(), trackers=free_port(kind=SOCK_DGRAM), gates=gate_ports(day))
    async with simulated_port(day, data, ports) as port:
        persons, _ = demo_persons()
        site_file = await asyncio.to_thread(write_site, data, demo_text(day, port.ready, persons, ports, data))
        site = await asyncio.to_thread(load, site_file)
        real = SiteClock()
        running = [name for name in names(site) if name != "console"]
        supervisor = Supervisor(services(site, site_file, real, running), real)
        views = _Views({})
        bus = Bus(site.broker, "demo-judge")
        await bus.subscribe(f"{ROOT}/{site.id}/+/view", views)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(supervisor.run())]
            try:
                await supervisor.wait_ready("broker")
                tasks.append(group.create_task(bus.run()))
                await _live_it(day, site, port, views, real, supervisor, trouble)
            finally:
                for task in tasks:
                    task.cancel()
    return judge(await gather(site, data / "truth.jsonl"))


async def _live_it(
    day: Day,
    site: Site,
    port: SimulatedPort,
    views: _Views,
    real: SiteClock,
    supervisor: Supervisor,
    trouble: Trouble | None,
) -> None:
    lanes = [lane.id for lane in site.lanes]
    await _until(real, AWAKE_WITHIN_S, lambda: views.all(lanes, lambda v: v.state == "empty"), "a lane did not wake")
    _log.info("all lanes are awake; %d trucks come", day.trucks)
    port.say(go=True)
    async with asyncio.TaskGroup() as group:
        troubling = group.create_task(trouble(supervisor)) if trouble else None
        try:
            await _end_of_day(day, site.data / "truth.jsonl", port, real)
        finally:
            if troubling:
                troubling.cancel()
    _log.info("the last truck is told; waiting for the records")
    await _until(
        real,
        DRAIN_WITHIN_S,
        lambda: views.all(lanes, lambda v: v.passage is None and v.unsent == 0),
        "records stayed unsent",
    )


async def _end_of_day(day: Day, truth: Path, port: SimulatedPort, real: SiteClock) -> None:
    """Returns with the simulator's last word. Raises SimulatorFailed when no truck has been told of for long."""
    told, since = 0, real.now()
    while not port.done.done():
        await real.sleep(LOOK_S)
        size = await asyncio.to_thread(_lines, truth)
        if size != told:
            told, since = size, real.now()
            _log.info("%d of %d trucks", told, day.trucks)
        elif (real.now() - since) * day.speed > STALL_SITE_S:
            raise SimulatorFailed(
                f"no truck has finished for {STALL_SITE_S:.0f} s of site time: {told} of {day.trucks} told"
            )
    await port.done


async def _until(clock: SiteClock, within_s: float, true: Callable[[], bool], otherwise: str) -> None:
    try:
        async with clock.timeout(within_s):
            while not true():
                await clock.sleep(LOOK_S)
    except TimeoutError:
        raise SimulatorFailed(f"{otherwise} within {within_s:.0f} s") from None


async def gather(site: Site, truth: Path) -> Evidence:
    """What the witnesses have written down; nothing of the site may be running."""
    lines = await asyncio.to_thread(truth.read_bytes)
    rows = await stored(site, (topic.word for topic in TOPICS if topic.kind is Kind.RECORD))
    kept, public = anchors_in(rows), anchor_public(site)
    return Evidence(
        truth=[msgspec.json.decode(line) for line in lines.splitlines()],
        records=[_record(row) for row in rows],
        books={
            lane.id: await asyncio.to_thread(ledger, site.book(lane.id), lane.id, public, kept.get(lane.id, []))
            for lane in site.lanes
        },
        divisions_kg={lane.id: _off_by(lane) for lane in site.lanes},
    )


def _record(row: StoredRecord) -> Record:
    return Record(
        node=row.node, epoch=row.epoch, seq=row.seq, word=row.word, at=row.at, body=msgspec.json.decode(row.body)
    )


def ledger(path: Path, lane: str, public: bytes | None, kept: Sequence[SignedAnchor]) -> Ledger:
    """A book as evidence, held against its anchors."""
    proof = prove(path, lane=lane, public=public, kept=kept)
    wrong = proof.book if isinstance(proof.book, Broken) else next(iter(proof.against), None)
    if wrong is not None:
        return Ledger(lines=[], broken=f"entry {wrong.seq}: {wrong.why}")
    return Ledger(
        lines=[Line(seq=e.seq, at=e.at, kind=e.kind, passage=e.passage, body=e.plain()) for e in entries(path)]
    )


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _off_by(lane: Lane) -> Decimal:
    """How far a weight may be from the truth: a division, and of a sum of axles one for each."""
    return lane.weighbridge.division_kg * (MOST_AXLES if lane.weighbridge.mode == "axle" else 1)
