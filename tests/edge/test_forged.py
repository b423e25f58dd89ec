"""Every road that leads to a lane, tried with what is forged while trucks come and go: nothing of it moves the boom.

    bus         orders under the names of customs, of the link and of persons, with a key of nobody's; spoilt, bare, cut
    console     HTTP and WebSocket: wrong PINs, unknown persons, strange sites, noise
    customs     packets of release for numbers that the lane never asked, for strange lanes, cut and noise

The simulated barrier counts every pulse that comes over its wires: the day's judge holds each against a permit in the
book, and each permit here must rest on an order that customs gave.
"""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from drivers.readings import Instant
from edge.clock import SiteClock
from edge.config import Site, load
from edge.day import run_day
from edge.demo import Day
from edge.supervisor import Supervisor
from gateway_ctl.book import entries
from gateway_ctl.orders import Order, SignedOrder, Verb
from gateway_ctl.seal import load_private, new_key, sign
from telemetry.faults import NotDelivered
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import Envelope, body, encode, unwrap, wrap
from telemetry.payloads.lane import ViewBody
from telemetry.payloads.order import OrderBody, SealBody
from telemetry.topics import topic
from tests.browser.stage import ConsoleProcess
from tests.gateway_ctl.customs.front import answer, command, framed

RELEASES = (Verb.RELEASE, Verb.HOLD_OPEN, Verb.LOWER, Verb.LOWER_NOW, Verb.CONFIRM)


class Forger:
    """Sees what everybody sees on the bus, and lies in every direction."""

    def __init__(self, site: Site, site_file: Path, seed: int) -> None:
        self.site, self.draw, self.tried = site, Random(seed), Counter[str]()
        self.forged: set[str] = set()
        self.view: ViewBody | None = None
        self.over, self.odd = False, list[BaseException]()
        self.bus = Bus(site.broker, "forger")
        self.console = ConsoleProcess(site_file)
        self.key = load_private(new_key()[0])
        lane = site.lane("L01")
        assert lane.customs is not None
        self.gate = lane.customs
        self.names = [*(key.id for key in site.clearance.keys), *(person.id for person in site.persons), "nobody"]

    async def run(self) -> None:
        """Until cancelled."""
        clock = SiteClock(speed=self.site.about.clock.speed, origin=self.site.about.clock.origin)
        await self.bus.subscribe(topic(self.site.id, "L01", "view"), self._see)
        await self.console.start()
        bus = asyncio.ensure_future(self.bus.run())
        roads = [
            asyncio.ensure_future(self._again("bus", lambda: self._by_bus(clock.now()))),
            asyncio.ensure_future(self._again("customs", self._by_customs)),
            asyncio.ensure_future(self._again("http", self._by_http)),
            asyncio.ensure_future(self._again("websocket", self._by_websocket)),
        ]
        try:
            await asyncio.Event().wait()
        finally:
            self.over = True  # what is on its way ends whole: a socket cut off here would be this test's own mistake
            told = await asyncio.gather(*roads, return_exceptions=True)
            bus.cancel()
            await asyncio.wait((bus,))
            self.console.kill()
            self.odd += [each for each in told if each is not None]

    def _see(self, message: object) -> None:
        self.view = body(unwrap(message.payload), ViewBody)  # type: ignore[attr-defined]

    async def _again(self, road: str, once: Callable[[], object]) -> None:
        while not self.over:
            try:
                await once()  # type: ignore[misc]
                self.tried[road] += 1
            except (OSError, httpx.HTTPError, WebSocketException, TimeoutError, NotDelivered):
                self.tried[f"{road}: refused"] += 1
            await asyncio.sleep(0.05)

    def _order(self, now: Instant) -> Order:
        verb, name = self.draw.choice(RELEASES), f"forged-{self.draw.getrandbits(48):x}"
        self.forged.add(name)
        view = self.view
        plate = None if view is None else next((read.text for read in view.reads if read.what == "plate"), None)
        return Order(
            id=name, verb=verb, site=self.site.id, lane="L01", passage=None if view is None else view.passage,
            plate=plate, containers=(), declared_kg=None, tolerance_kg=None, issued_at=now,
            expires_at=Instant(now + 60), reason_zh="放行", reason_en="release",
            persons=(self.draw.choice(self.names),), evidence=("ab" * 32,),
            until=Instant(now + 50) if verb is Verb.HOLD_OPEN else None,
            confirms="any" if verb is Verb.CONFIRM else None,
        )  # fmt: skip

    async def _by_bus(self, now: Instant) -> None:
        order = self._order(now)
        signed = sign(order, self.draw.choice(self.names), self.key)
        match self.draw.randrange(5):
            case 0:
                signed = SignedOrder(payload=signed.payload, seals=())
            case 1:
                signed = replace(signed, seals=(*signed.seals, *sign(order, self.names[0], self.key).seals))
            case 2:
                at = self.draw.randrange(len(signed.payload))
                signed = replace(signed, payload=signed.payload[:at] + b"\x00" + signed.payload[at + 1 :])
            case _:
                pass
        said = OrderBody(
            payload=base64.b64encode(signed.payload).decode(),
            seals=[SealBody(key=s.key, signature=base64.b64encode(s.signature).decode()) for s in signed.seals],
        )
        wire = wrap(Envelope(id=order.id, at=now, src="console", body=encode(said)))
        raw = self.draw.choice([wire, wire, wire[: len(wire) // 2], b'{"open":true}'])
        async with asyncio.timeout(2):
            await self.bus.deliver(topic(self.site.id, "L01", "order"), raw)

    async def _by_customs(self) -> None:
        seq = f"{self.draw.randrange(10**19, 10**20)}"
        area, channel = self.gate.area, self.gate.channel
        head = {"area": area.encode(), "channel": channel.encode()}
        words = "<CHECK_RESULT>00000000000000000000</CHECK_RESULT><OP_HINT>直接放行</OP_HINT>"
        lift = "<OPERATE><BARRIER>1</BARRIER></OPERATE>"
        raw = self.draw.choice([
            framed(0x22, command(seq, words, area=area, lane=channel), **head),
            framed(0x35, command(seq, lift, area=area, lane=channel), **head),
            framed(0x31, command(seq, "V" + "0" * 19, area=area, lane=channel), **head),
            answer(seq),
            framed(0x22, command(seq, words, area=area, lane=channel), **head)[:-9],
            self.draw.randbytes(300),
        ])  # fmt: skip
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection("127.0.0.1", self.gate.listen_port)
            try:
                writer.write(raw)
                await writer.drain()
                await asyncio.sleep(0.02)
            finally:
                writer.transport.abort()

    async def _by_http(self) -> None:
        view = self.view
        wish = {
            "verb": self.draw.choice(["release", "hold_open", "lower_now", "close", "open", "raise"]),
            "passage": None if view is None else view.passage, "person": self.draw.choice(self.names),
            "pin": f"{self.draw.randrange(10**6):06d}", "reason": "papers", "screen": "x",
        }  # fmt: skip
        path = self.draw.choice(["orders", "orders", "countersign", "coil"])
        origin = self.draw.choice([self.console.url, "http://elsewhere.example"])
        sent = self.draw.choice([json.dumps(wish).encode(), b'{"verb":"release"}', self.draw.randbytes(200)])
        async with httpx.AsyncClient(timeout=5) as client:
            told = await client.post(
                f"{self.console.url}/api/lanes/L01/{path}",
                content=sent, headers={"content-type": "application/json", "origin": origin},
            )  # fmt: skip
        assert told.status_code >= 400, told.text

    async def _by_websocket(self) -> None:
        url = f"ws://127.0.0.1:{self.console.port}/api/live/lane/L01"
        way = connect(url, origin=self.console.url, open_timeout=5, close_timeout=1)  # type: ignore[arg-type]
        async with way as socket:
            await socket.send('{"verb":"release","passage":"any"}')
            async with asyncio.timeout(2):
                await socket.recv()


@pytest.mark.timeout(180)
async def test_nothing_forged_moves_the_boom_by_any_road(tmp_path: Path) -> None:
    met: list[Forger] = []

    async def trouble(_: Supervisor) -> None:
        forger = Forger(load(tmp_path / "site.toml"), tmp_path / "site.toml", 5)
        met.append(forger)
        await forger.run()

    report = await run_day(Day(lanes=1, trucks=4, seed=3, speed=10.0, faults=0.0, clearance="jgst"), tmp_path, trouble)
    (forger,) = met
    print(dict(forger.tried))
    assert forger.odd == []
    assert all(forger.tried[road] >= 20 for road in ("bus", "customs", "http")), forger.tried
    assert report["disagreements"] == []
    counts = report["counts"]
    assert counts["movements"] == counts["movements_with_permit"] > 0

    heard = moved = 0
    for entry in entries(tmp_path / "lanes" / "L01" / "book.sqlite"):
        said = entry.plain() if entry.kind in ("decision", "refusal", "answer") else {}
        if entry.kind == "decision":
            order = said["order"]
            assert order is None or (order["id"] not in forger.forged and order["origin"] == "customs")
            moved += 1
        elif said.get("order") in forger.forged:
            heard += 1
    assert moved > 0 and heard > 0, "what was forged is refused with its reasons, and the book says so"
