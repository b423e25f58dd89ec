"""From an inspector's word to the boom: a real review server, a real broker, a real lane, and trucks that need a scan.

Every truck must have a clear verdict here. What the reader says goes by HTTP to the console, sealed with his key over
the bus to the lane's process, into its next picture, and from there to its decision.
"""

import asyncio
import base64
import tomllib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Any

import httpx
import pytest

from drivers.readings import Instant
from edge.clock import SiteClock
from edge.config import Site, load
from edge.demo import Day, Ports, demo_persons, demo_text, free_port, simulated_port, write_site
from edge.roster import names, services
from edge.supervisor import Supervisor
from edge.toml_text import document
from gateway_ctl.book import entries
from gateway_ctl.inspection import Finding, Verdict
from gateway_ctl.seal import PrivateKey, load_private, new_key, sign_verdict, unseal_private
from telemetry.inbox import Message
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import Envelope, body, encode, unwrap, wrap
from telemetry.payloads.lane import AnswerBody, ViewBody
from telemetry.payloads.order import SealBody, VerdictBody
from telemetry.topics import topic
from tests.vision.xray.samples import small_scan
from vision.xray.scan import Flaw, Remark, Subject
from vision.xray.store import Archive

LANE, READER = "L01", "sun.li"
STATE_DEADLINE_S = 60.0


class Patient(Day):
    """Drivers who wait for an inspector."""

    def plan(self, data: Path, tracker_target: str, gates: Sequence[int] = ()) -> dict[str, Any]:
        """With a patience of ten minutes."""
        return {**super().plan(data, tracker_target, gates), "patience_s": 600}


DAY = Patient(lanes=1, trucks=2, seed=3, speed=10.0, faults=0.0)


@dataclass
class Port:
    """A running port, and what its lane says."""

    site: Site
    clock: SiteClock
    pins: dict[str, str]
    bus: Bus
    console: str
    view: ViewBody | None = None
    answers: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def hear(self, message: Message) -> None:
        """The lane's newest view."""
        self.view = body(unwrap(message.payload), ViewBody)

    def answered(self, message: Message) -> None:
        """What the lane says of signed words."""
        said = body(unwrap(message.payload), AnswerBody)
        self.answers[said.order] = [reason.code for reason in said.reasons]
        message.ack()

    async def until(self, true: Callable[[ViewBody], bool], what: str) -> ViewBody:
        """Wait for a state of the lane."""
        try:
            async with asyncio.timeout(STATE_DEADLINE_S):
                while self.view is None or not true(self.view):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"never {what}: {self.view}")
        return self.view

    def of_verdicts(self) -> list[list[str]]:
        """What the lane has said of the review's verdicts: reasons against each."""
        return [why for name, why in self.answers.items() if name.startswith(f"{self.site.id}-x-")]

    def now(self) -> Instant:
        return self.clock.now()


@asynccontextmanager
async def port(data: Path) -> AsyncGenerator[Port]:
    """The lane is awake, the review server serves, and trucks come."""
    ports = Ports(broker=free_port(), console=free_port(), trackers=free_port(kind=SOCK_DGRAM))
    async with simulated_port(DAY, data, ports) as simulated:
        persons, pins = demo_persons(replace(DAY, scanner=True))
        made: dict[str, Any] = tomllib.loads(demo_text(DAY, simulated.ready, persons, ports, data))
        made["lanes"][0]["rules"] = {"needs_scan": True}
        made["inspection"] = {"second_share": 0.0}
        site_file = await asyncio.to_thread(write_site, data, document(made))
        site = await asyncio.to_thread(load, site_file)
        real = SiteClock()
        supervisor = Supervisor(services(site, site_file, real, list(names(site))), real)
        clock = SiteClock(speed=site.about.clock.speed, origin=site.about.clock.origin)
        there = Port(site, clock, pins, Bus(site.broker, "reader"), f"http://127.0.0.1:{ports.console}")
        await there.bus.subscribe(topic(site.id, LANE, "view"), there.hear)
        await there.bus.subscribe(topic(site.id, LANE, "answer"), there.answered, qos=1)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(supervisor.run())]
            await supervisor.wait_ready("broker")
            tasks.append(group.create_task(there.bus.run()))
            try:
                await there.until(lambda v: v.state == "empty", "empty")
                simulated.say(go=True)
                yield there
            finally:
                for task in tasks:
                    task.cancel()


@asynccontextmanager
async def seat(at: Port) -> AsyncGenerator[httpx.AsyncClient]:
    """The reader's browser, as far as its requests go."""
    async with httpx.AsyncClient(base_url=at.console, headers={"origin": at.console}, timeout=30) as web:
        async with asyncio.timeout(STATE_DEADLINE_S):
            while True:
                try:
                    told = await web.post("/api/inspection/seat", json={"person": READER, "pin": at.pins[READER]})
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        assert told.json()["kind"] == "done", told.text
        yield web


async def taken(web: httpx.AsyncClient) -> dict[str, Any]:
    """The next scan's review."""
    async with asyncio.timeout(STATE_DEADLINE_S):
        while (await web.post("/api/inspection/next", json={})).json()["kind"] != "done":
            await asyncio.sleep(0.1)
    return (await web.get("/api/inspection/me")).json()["review"]


async def judge(web: httpx.AsyncClient, pin: str, digest: str, finding: str, seen: str) -> httpx.Response:
    shown = {"mode": 0, "energy": 0, "logs": True, "level": 1.9, "width": 4.2, "edge": 0.0, "local": False}
    draft: dict[str, object] = {
        "spot": {"x": 1, "y": 1, "zoom": 1},
        "shown": shown,
        "marks": [],
        "seen": seen,
        "spent_s": 3.0,
    }
    wish = {"finding": finding, "pin": pin, "draft": draft, "note": ""}
    return await web.post(f"/api/inspection/tasks/{digest}/verdict", json=wish)


def scanned(at: Port, view: ViewBody, *, seed: int, torn: bool = False) -> str:
    """The truck of this view has passed a scanner; the scan's digest."""
    made = small_scan(300, 200, seed=seed)
    plate = next(read.text for read in view.reads if read.what == "plate")
    boxes = tuple(sorted(read.text for read in view.reads if read.what == "container"))
    remarks = (Remark(Flaw.TORN, 300, 0),) if torn else ()
    subject = Subject(passage=view.passage or "", plate=plate, containers=boxes)
    return Archive(at.site.data / "xray").keep(replace(made, subject=subject, remarks=remarks)).digest


def reasons(view: ViewBody) -> list[str]:
    return [reason.code for reason in view.reasons]


def own_key(at: Port) -> PrivateKey:
    """The reader's key, as his PIN opens it."""
    person = next(person for person in at.site.persons if person.id == READER)
    return unseal_private(person.sealed, at.pins[READER])


def verdict_on(at: Port, view: ViewBody, *, torn: bool = False) -> Verdict:
    """Clear, on this truck, by a scan that no archive has."""
    return Verdict(
        id=f"by-hand-{torn}", finding=Finding.CLEAR, site=at.site.id, lane=None, passage=view.passage, plate=None,
        containers=(), scan="ab" * 32, torn=torn, view=None, issued_at=at.now(), expires_at=Instant(at.now() + 600),
        reason_zh="无异常", reason_en="Clear", persons=(READER,),
    )  # fmt: skip


async def send(at: Port, verdict: Verdict, key: PrivateKey) -> None:
    """A sealed verdict over the bus, past the review."""
    signed = sign_verdict(verdict, READER, key)
    said = VerdictBody(
        payload=base64.b64encode(signed.payload).decode(),
        seals=[SealBody(key=s.key, signature=base64.b64encode(s.signature).decode()) for s in signed.seals],
    )
    envelope = Envelope(id=verdict.id, at=at.now(), src="console", body=encode(said))
    await at.bus.deliver(topic(at.site.id, LANE, "verdict"), wrap(envelope))


@pytest.mark.timeout(180)
async def test_a_verdict_opens_or_stops(tmp_path: Path) -> None:
    async with port(tmp_path) as at, seat(at) as web:
        pin, view = at.pins[READER], await at.until(lambda v: "SCAN_AWAITED" in reasons(v), "waiting for the inspector")
        first, digest = view.passage, scanned(at, view, seed=5)
        review = await taken(web)
        assert review["card"]["digest"] == digest
        said = await judge(web, pin, digest, "clear", "")
        assert (said.status_code, said.json()["kind"]) == (409, "unseen")
        said = await judge(web, pin, "0" * 64, "clear", "")
        assert (said.status_code, said.json()["kind"]) == (404, "unknown scan")
        assert at.of_verdicts() == [], "the lane has heard nothing of what was refused"
        said = await judge(web, pin, digest, "clear", review["cells"]["load"])
        assert (said.json()["kind"], said.json()["lanes"]) == ("done", [LANE])
        view = await at.until(lambda v: v.boom == "up", "open")
        assert view.passage == first
        assert view.verdict is not None
        assert (view.verdict.scan, view.verdict.finding, view.verdict.persons) == (digest, "clear", [READER])
        assert at.of_verdicts() == [[]], "the lane has taken it, and says so"

        view = await at.until(
            lambda v: v.passage not in (None, first) and "SCAN_AWAITED" in reasons(v), "waiting for the inspector again"
        )
        torn = scanned(at, view, seed=6, torn=True)
        assert (await taken(web))["card"]["digest"] == torn
        said = await judge(web, pin, torn, "clear", "ff" * 40)
        assert (said.status_code, said.json()["kind"]) == (409, "torn")
        # Past the review, with the reader's own key: the lane does not believe a torn scan either.
        await send(at, verdict_on(at, view, torn=True), own_key(at))
        await at.until(lambda v: "SCAN_TORN" in reasons(v), "refusing a torn scan")
        assert (await judge(web, pin, torn, "again", "")).json()["kind"] == "done"
        whole = scanned(at, view, seed=7)
        assert (await taken(web))["card"]["digest"] == whole
        assert (await judge(web, pin, whole, "open", "")).json()["lanes"] == [LANE]
        view = await at.until(lambda v: "SCAN_SUSPECT" in reasons(v), "stopped")
        assert view.boom == "down"
        assert view.verdict is not None
        assert view.verdict.finding == "open"
        # A key that is nobody's inspector's.
        await send(at, replace(verdict_on(at, view), id="forged"), load_private(new_key()[0]))
        async with asyncio.timeout(STATE_DEADLINE_S):
            while "forged" not in at.answers:
                await asyncio.sleep(0.05)
        assert at.answers["forged"] != []
        assert at.view is not None
        assert at.view.verdict is not None
        assert at.view.verdict.scan == whole

    book = list(entries(at.site.book(LANE)))
    moved = {entry.passage for entry in book if entry.kind == "decision"}
    assert moved == {first}, "the second truck never saw the boom rise"
    told = next(entry.plain() for entry in book if entry.kind == "closed" and entry.passage == first)
    assert told["inspection"]["scan"] == digest, "customs hears of the verdict with the crossing"
    assert any(entry.kind == "reported" and entry.passage == first for entry in book)
