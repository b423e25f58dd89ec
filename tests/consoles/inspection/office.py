"""A review on a real archive and a real book, asked over HTTP without a network; the bus is a list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette

from consoles.board import Board
from consoles.clock import ConsoleClock
from consoles.config import InspectionPart, PersonPart
from consoles.inspection.assist import Assist
from consoles.inspection.exercises import Exercises
from consoles.inspection.papers import LanePictures, PapersDesk
from consoles.inspection.pictures import Pictures
from consoles.inspection.review import Reviews
from consoles.inspection.routes import ReviewRoutes
from consoles.inspection.verdicts import Carrier
from consoles.pins import Pins
from consoles.wire import PassageRow, ViewNow
from gateway_ctl.seal import Holder, Role, load_public, new_key, seal_private
from telemetry.faults import NotDelivered
from telemetry.payloads.review import ReviewBody
from vision.xray.store import Archive

PIN = "24680"
INSPECTORS = ("wang.fang", "chen.jie", "sun.li")
_MADE = {who: new_key() for who in (*INSPECTORS, "zhao.min", "li.wei")}
_ROLE = {"zhao.min": "supervisor", "li.wei": "operator"}
PERSONS = tuple(
    PersonPart.model_validate(
        {"id": who, "zh": who, "en": who, "role": _ROLE.get(who, "inspector"), "sealed": seal_private(private, PIN)}
    )
    for who, (private, _) in _MADE.items()
)
RING = {who: Holder(load_public(public), Role(_ROLE.get(who, "inspector"))) for who, (_, public) in _MADE.items()}
ORIGIN = "http://127.0.0.1:8080"


@dataclass
class Line:
    """The bus and the recorder, as far as a verdict meets them."""

    up: bool = True
    sent: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    recorded: list[ReviewBody] = field(default_factory=list[ReviewBody])

    async def deliver(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert not retain
        if not self.up:
            raise NotDelivered("away")
        self.sent.append((topic, payload))

    async def record(self, body: ReviewBody, at: float) -> int:
        self.recorded.append(body)
        return len(self.recorded)


@dataclass
class Office:
    """Open it; `web` gives a browser."""

    folder: Path
    settings: InspectionPart = field(default_factory=lambda: InspectionPart(second_share=0.0))
    line: Line = field(default_factory=Line)
    persons: Sequence[PersonPart] = PERSONS
    clock: ConsoleClock = field(default_factory=ConsoleClock)
    views: dict[str, ViewNow] = field(default_factory=dict[str, ViewNow])
    passages: list[PassageRow] = field(default_factory=list[PassageRow])

    def __post_init__(self) -> None:
        self.archive = Archive(self.folder / "archive")

        async def passages(count: int) -> list[PassageRow]:
            return self.passages[:count]

        shots = LanePictures(self.folder / "lane-pictures", self.clock)

        pictures = Pictures(self.archive, self.folder / "tiles")
        assist = Assist(pictures, self.folder / "review")
        self.reviews = Reviews(
            "qianwan",
            self.persons,
            Pins(self.persons, self.clock),
            pictures,
            self.folder / "review",
            self.clock,
            self.settings,
            papers=assist.beside(PapersDesk(lambda: self.views, passages, shots)),
            carrier=Carrier("qianwan", self.line, lambda passage: ["L01", "L02"], self.line.record),
            pages="build",
        )
        exercises = Exercises(self.reviews.desk, pictures, self.folder / "review", self.clock)
        self.routes = ReviewRoutes(self.reviews, shots, self.clock, Board(heartbeat_ticks=5), assist, exercises)

    async def __aenter__(self) -> "Office":
        await self.reviews.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.reviews.close()

    def web(self) -> "Web":
        """A browser of its own, without a seat."""
        transport = httpx.ASGITransport(Starlette(routes=self.routes.routes()))
        return Web(httpx.AsyncClient(transport=transport, base_url=ORIGIN))

    async def seated(self, who: str) -> "Web":
        """A browser in whose seat this person is."""
        web = self.web()
        answer = await web.post("/api/inspection/seat", {"person": who, "pin": PIN})
        assert answer.json()["kind"] == "done", answer.text
        return web


@dataclass
class Web:
    """What a page would ask."""

    client: httpx.AsyncClient

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, body: object) -> httpx.Response:
        content = msgspec.json.encode(body)
        return await self.client.post(path, content=content, headers={"content-type": "application/json"})

    async def me(self) -> dict[str, Any]:
        return (await self.get("/api/inspection/me")).json()

    async def take(self) -> dict[str, Any]:
        """The next scan's review."""
        answer = await self.post("/api/inspection/next", {})
        assert answer.json()["kind"] == "done", answer.text
        return (await self.me())["review"]

    async def judge(self, digest: str, finding: str, *, seen: str, pin: str = PIN, **more: object) -> httpx.Response:
        body = {"finding": finding, "pin": pin, "draft": draft(seen=seen), "note": "", **more}
        return await self.post(f"/api/inspection/tasks/{digest}/verdict", body)


def draft(**other: object) -> dict[str, object]:
    """Where a review stands."""
    return {
        "spot": {"x": 600.0, "y": 200.0, "zoom": 0.5},
        "shown": {"mode": 2, "energy": 0, "logs": True, "level": 1.9, "width": 4.2, "edge": 0.0, "local": False},
        "marks": [{"name": "A1", "x": 10, "y": 20, "width": 30, "height": 40, "note": "桶"}],
        "seen": "",
        "spent_s": 12.5,
        "beside": None,
        **other,
    }
