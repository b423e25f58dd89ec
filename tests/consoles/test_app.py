"""The application behind its door, asked over HTTP without a network."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from consoles.app import BODY_CEILING, Parts, make_app
from consoles.wire import Command, Countersign, Hello, Outcome, OutcomeKind, PassageRow, SiteCard, Trend
from drivers.readings import Instant
from tests.consoles.test_command import Stage

OURS = {"origin": "http://127.0.0.1:8080", "content-type": "application/json"}
WISH: dict[str, Any] = {"verb": "release", "passage": "p", "person": "li.wei", "pin": "0", "reason": "papers"}


class _Past:
    async def trend(self, name: Any, lane: str | None, hours: float, now: Instant) -> Trend:
        return Trend(name=name, lane=lane, unit="kg", start=now - hours, end=now, at=[1.0, 2.0], value=[1.5, None])

    async def passages(self, lane: str | None, limit: int, now: Instant) -> list[PassageRow]:
        return []


class _Yes:
    """Takes every command as told."""

    kind: OutcomeKind = "accepted"
    taken: list[tuple[str, Command]]

    def __init__(self) -> None:
        self.taken = []

    async def take(self, lane: str, command: Command) -> Outcome:
        self.taken.append((lane, command))
        return Outcome(kind=self.kind, order="o-1")

    async def countersign(self, lane: str, asked: Countersign) -> Outcome:
        return Outcome(kind=self.kind, order=asked.order)


def hello() -> Hello:
    site = SiteCard(id="qianwan", zh="前湾", en="Qianwan")
    return Hello(
        build="b",
        now=1.0,
        speed=1.0,
        site=site,
        lanes=[],
        persons=[],
        whys=[],
        drawing=[],
        review=False,
        stale_after={},
    )


@pytest.fixture
def commands() -> _Yes:
    return _Yes()


@pytest.fixture
async def web(tmp_path: Path, commands: _Yes) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "lane-AB12.js").write_text("1", encoding="utf-8")
    (tmp_path / "lane.html").write_text("<title>lane</title>", encoding="utf-8")
    stage = Stage()
    parts = Parts(
        hello=hello,
        room=stage.hearing.room,
        boards=dict(stage.hearing.boards),
        hearing=stage.hearing,
        commands=commands,
        history=_Past(),
        now=stage.clock.now,
        bus_up=lambda: True,
        names=("gate.example",),
        static=tmp_path,
    )
    transport = httpx.ASGITransport(make_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client


async def test_pages_of_known_lanes_only(web: httpx.AsyncClient) -> None:
    page = await web.get("/lane/L01")
    assert page.status_code == 200 and page.headers["cache-control"] == "no-cache"
    assert (await web.get("/lane/L02")).status_code == 404
    assert (await web.get("/room")).status_code == 503, "says that the pages are not built"
    assert (await web.get("/lane/../../etc/passwd")).status_code == 404


async def test_assets_are_for_ever_and_nothing_else_is(web: httpx.AsyncClient) -> None:
    assert "immutable" in (await web.get("/assets/lane-AB12.js")).headers["cache-control"]
    assert (await web.get("/assets/%2e%2e/lane.html")).status_code == 404
    assert (await web.get("/api/site")).headers["cache-control"] == "no-store"


async def test_every_answer_carries_the_policy(web: httpx.AsyncClient) -> None:
    for path in ("/lane/L01", "/assets/lane-AB12.js", "/api/site", "/nowhere"):
        headers = (await web.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200), ("10.1.2.3", 200), ("[::1]:8080", 200), ("localhost:8080", 200), ("GATE.example", 200),
        ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("", 403), ("gate.example.evil", 403),
    ],
)  # fmt: skip
async def test_a_foreign_name_cannot_be_pointed_at_us(web: httpx.AsyncClient, host: str, status: int) -> None:
    assert (await web.get("/api/site", headers={"host": host})).status_code == status


@pytest.mark.parametrize(
    "origin", [None, "", "null", "http://evil.example", "https://127.0.0.1:8080", "http://127.0.0.1:8081"]
)
async def test_only_our_own_pages_may_order(web: httpx.AsyncClient, commands: _Yes, origin: str | None) -> None:
    headers = {"content-type": "application/json", **({} if origin is None else {"origin": origin})}
    assert (await web.post("/api/lanes/L01/orders", json=WISH, headers=headers)).status_code == 403
    assert not commands.taken


async def test_an_order_is_taken_and_told(web: httpx.AsyncClient, commands: _Yes) -> None:
    answer = await web.post("/api/lanes/L01/orders", json=WISH, headers=OURS)
    assert answer.status_code == 200
    assert answer.json() == {"kind": "accepted", "order": "o-1", "reasons": [], "wait_s": None, "left": None}
    ((lane, command),) = commands.taken
    assert (lane, command.person, command.note) == ("L01", "li.wei", "")


@pytest.mark.parametrize(
    ("kind", "status"), [("locked", 429), ("wrong pin", 403), ("no answer", 504), ("no bus", 503), ("stale", 409)]
)
async def test_what_became_of_it_is_in_the_status_too(
    web: httpx.AsyncClient, commands: _Yes, kind: OutcomeKind, status: int
) -> None:
    commands.kind = kind
    answer = await web.post("/api/lanes/L01/orders", json=WISH, headers=OURS)
    assert (answer.status_code, answer.json()["kind"]) == (status, kind)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"[]", 400), (b"\xff", 400), (b"{" * 2000, 400), (b'{"verb":"release"}', 400),
        (b'{"verb":"open","passage":null,"person":"a","pin":"1","reason":"papers"}', 400),
        (b'{"verb":"release","passage":"p","person":"a","pin":"1","reason":"because"}', 400),
        (b'{"verb":"release","passage":"p","person":"a","pin":"1","reason":"papers","force":true}', 400),
        (b" " * (BODY_CEILING + 1), 413),
    ],
)  # fmt: skip
async def test_nonsense_is_no_order(web: httpx.AsyncClient, commands: _Yes, body: bytes, status: int) -> None:
    answer = await web.post("/api/lanes/L01/orders", content=body, headers=OURS)
    assert answer.status_code == status
    assert not commands.taken


async def test_other_ways_to_order_are_none(web: httpx.AsyncClient, commands: _Yes) -> None:
    assert (await web.get("/api/lanes/L01/orders")).status_code == 405
    assert (await web.post("/api/lanes/L09/orders", json=WISH, headers=OURS)).status_code == 404
    form = {**OURS, "content-type": "application/x-www-form-urlencoded"}
    assert (await web.post("/api/lanes/L01/orders", content=b"{}", headers=form)).status_code == 415
    assert not commands.taken


async def test_trends_have_names_and_bounds(web: httpx.AsyncClient) -> None:
    told = (await web.get("/api/trend/weight?lane=L01&hours=2")).json()
    assert (told["name"], told["lane"], told["value"]) == ("weight", "L01", [1.5, None])
    for wrong, status in (("rain", 404), ("weight?lane=L09", 404), ("weight?hours=49", 400), ("weight?hours=0", 400)):
        assert (await web.get(f"/api/trend/{wrong}")).status_code == status
    assert (await web.get("/api/trend/weight?hours=nan")).status_code == 400
    assert (await web.get("/api/passages?limit=5")).json() == []


async def test_health_says_how_old_the_lanes_are(web: httpx.AsyncClient) -> None:
    told = (await web.get("/api/health")).json()
    assert told["bus"] is True and told["pages"] == 0 and told["garbage"] == 0
    assert 0 <= told["lanes"]["L01"] < 30
