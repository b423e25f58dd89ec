"""The road to customs over a real server: an order, no order, silence, or something that is none of these."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from drivers.readings import Instant
from edge.clock import SiteClock
from gateway_ctl.clearance import ClearanceOdd, ClearanceSilent, Crossing, Gathered, Inspected
from gateway_ctl.http import HttpClearance
from gateway_ctl.inspection import Finding
from gateway_ctl.orders import Seal, SignedOrder
from gateway_ctl.picture import Container, Plate

WITHIN_S = 60.0
"""Site seconds; the clock runs at 30, so that a silence is heard after two real ones."""
PAYLOAD, SIGNATURE = b'{"v":1}', bytes(range(64))
ORDER = SignedOrder(payload=PAYLOAD, seals=(Seal(key="customs-2026", signature=SIGNATURE),))
GATHERED = Gathered(
    site="qianwan",
    lane="L01",
    passage="L01-1 7/8",
    direction="in",
    at=Instant(1_764_000_000.5),
    seq=3,
    plate=Plate("沪AD3F88", 0.97),
    tags=("BBA64144",),
    containers=(Container("CSQU3054383", 0.93, check_ok=True),),
    gross_kg=Decimal(38260),
    uncertainty_kg=Decimal(20),
)
CROSSING = Crossing(
    site="qianwan",
    lane="L01",
    passage="L01-1",
    order="o-1",
    outcome="crossed",
    at=Instant(1_764_000_060.0),
    gross_kg=Decimal("38260.5"),
)


def wire(**changes: Any) -> dict[str, Any]:
    """An order as customs' service writes it."""
    seals = [{"key": "customs-2026", "signature": base64.b64encode(SIGNATURE).decode()}]
    return {"order": {"payload": base64.b64encode(PAYLOAD).decode(), "seals": seals} | changes}


class Customs:
    """A service that answers everything as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[], Awaitable[Response]] = self._order
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[tuple[str | None, str | None]] = []
        """Encodings that were accepted, and the type of what came."""
        self.url = ""
        every = Route("/{rest:path}", self._any, methods=["GET", "POST"])
        config = uvicorn.Config(Starlette(routes=[every]), port=0, log_level="critical", lifespan="off", ws="none")
        self.server = uvicorn.Server(config)

    def says(self, response: Response) -> None:
        async def answer() -> Response:
            return response

        self.answer = answer

    async def _order(self) -> Response:
        return JSONResponse(wire())

    async def _any(self, request: Request) -> Response:
        body = await request.body()
        target = request.url.path if not request.url.query else f"{request.url.path}?{request.url.query}"
        raw = request.scope["raw_path"].decode()
        self.headers.append((request.headers.get("accept-encoding"), request.headers.get("content-type")))
        self.asked.append((request.method, target if raw == request.url.path else raw, json.loads(body or b"null")))
        return await self.answer()


@asynccontextmanager
async def serving() -> AsyncGenerator[Customs]:
    customs = Customs()
    running = asyncio.ensure_future(customs.server.serve())
    try:
        async with asyncio.timeout(10):
            while not customs.server.started:
                await asyncio.sleep(0.005)
        port = customs.server.servers[0].sockets[0].getsockname()[1]
        customs.url = f"http://127.0.0.1:{port}"
        yield customs
    finally:
        customs.server.should_exit = customs.server.force_exit = True
        await running


@asynccontextmanager
async def road(url: str, within_s: float = WITHIN_S) -> AsyncGenerator[HttpClearance]:
    clearance = HttpClearance(url, within_s, SiteClock(speed=30))
    try:
        yield clearance
    finally:
        await clearance.close()


async def test_an_inspector_s_verdict_goes_to_customs_with_the_truck() -> None:
    seen = Inspected(
        verdict="q-x-1", finding=Finding.CLEAR, scan="ab" * 32, torn=False, persons=("wang.fang",),
        at=Instant(1_764_000_000.0),
    )  # fmt: skip
    said = {
        "verdict": "q-x-1", "finding": "clear", "scan": "ab" * 32, "torn": False, "persons": ["wang.fang"],
        "at": 1_764_000_000.0,
    }  # fmt: skip
    async with serving() as customs, road(customs.url) as clearance:
        await clearance.ask(replace(GATHERED, inspection=seen))
        await clearance.report(replace(CROSSING, inspection=seen))
        assert [body["inspection"] for _, _, body in customs.asked] == [said, said]


async def test_an_order_comes_back_as_it_was_signed() -> None:
    async with serving() as customs, road(customs.url) as clearance:
        assert await clearance.ask(GATHERED) == ORDER
        method, path, body = customs.asked[0]
    assert (method, path) == ("POST", "/passages")
    assert body == {
        "site": "qianwan", "lane": "L01", "passage": "L01-1 7/8", "direction": "in", "at": 1764000000.5, "seq": 3,
        "plate": {"text": "沪AD3F88", "confidence": 0.97}, "tags": ["BBA64144"],
        "containers": [{"code": "CSQU3054383", "confidence": 0.93}], "gross_kg": "38260", "uncertainty_kg": "20",
        "trailer": None, "seal_numbers": [], "cards": [], "corrected": [], "inspection": None,
    }  # fmt: skip


async def test_answers_are_asked_for_as_they_are_and_questions_say_what_they_are() -> None:
    async with serving() as customs, road(customs.url) as clearance:
        await clearance.ask(GATHERED)
        await clearance.newer("p", None)
        await clearance.report(CROSSING)
        assert customs.headers == [
            ("identity", "application/json"), ("identity", None), ("identity", "application/json"),
        ]  # fmt: skip
        customs.says(Response(status_code=500))
        with pytest.raises(ClearanceOdd, match=r"^POST /passages: status 500$"):
            await clearance.ask(GATHERED)


async def test_no_deadline_stands_beside_the_sites_own() -> None:
    async with road("http://127.0.0.1:9") as clearance:
        assert clearance._client.timeout == httpx.Timeout(None)


async def test_a_service_may_live_under_a_path() -> None:
    async with serving() as customs, road(f"{customs.url}/quay/v3/") as clearance:
        await clearance.ask(GATHERED)
        await clearance.newer("p", None)
        assert [path for _, path, _ in customs.asked] == ["/quay/v3/passages", "/quay/v3/passages/p/order"]


async def test_newer_or_none() -> None:
    async with serving() as customs, road(customs.url) as clearance:
        assert await clearance.newer("L01-1", "o-1") == ORDER
        customs.says(Response(status_code=204))
        assert await clearance.newer("L01-1", None) is None
        assert [(method, path) for method, path, _ in customs.asked] == [
            ("GET", "/passages/L01-1/order?after=o-1"),
            ("GET", "/passages/L01-1/order"),
        ]


async def test_names_stay_one_piece_of_the_path() -> None:
    """An order's id is what customs says it is; it must not reach another page."""
    async with serving() as customs, road(customs.url) as clearance:
        await clearance.newer("../x?y#z", "a&after=b/令")
        assert customs.asked[0][1].split("?")[0] == "/passages/..%2Fx%3Fy%23z/order"


async def test_a_report() -> None:
    async with serving() as customs, road(customs.url) as clearance:
        customs.says(Response(status_code=204))
        await clearance.report(CROSSING)
        assert customs.asked == [
            ("POST", "/crossings", {
                "site": "qianwan", "lane": "L01", "passage": "L01-1", "order": "o-1", "outcome": "crossed",
                "at": 1764000060.0, "gross_kg": "38260.5", "by_axles": False, "inspection": None,
            }),
        ]  # fmt: skip


@pytest.mark.parametrize("status", [301, 400, 404, 409, 500, 503])
async def test_a_status_that_is_none(status: int) -> None:
    async with serving() as customs, road(customs.url) as clearance:
        customs.says(Response(status_code=status, headers={"location": "/elsewhere"}))
        with pytest.raises(ClearanceOdd, match=f"status {status}"):
            await clearance.ask(GATHERED)
        with pytest.raises(ClearanceOdd):
            await clearance.newer("L01-1", None)
        with pytest.raises(ClearanceOdd):
            await clearance.report(CROSSING)
        assert len(customs.asked) == 3, "nothing is followed, nothing is asked twice"


ODD: dict[str, bytes] = {
    "nothing": b"",
    "no json": b"<html>",
    "half json": json.dumps(wire()).encode()[:-1],
    "not utf-8": json.dumps(wire(payload="x")).encode().replace(b'"x"', b'"\xff"'),
    "no order": b"{}",
    "order null": b'{"order": null}',
    "order a list": b'{"order": []}',
    "no seals": json.dumps({"order": {"payload": "eA=="}}).encode(),
    "seals null": json.dumps(wire(seals=None)).encode(),
    "seal without key": json.dumps(wire(seals=[{"signature": "eA=="}])).encode(),
    "payload no base64": json.dumps(wire(payload="not base64")).encode(),
    "payload base64 with a line feed": json.dumps(wire(payload="eA==\n")).encode(),
    "payload half base64": json.dumps(wire(payload="eA=")).encode(),
    "payload Chinese": json.dumps(wire(payload="放行"), ensure_ascii=False).encode(),
    "payload a number": json.dumps(wire(payload=7)).encode(),
    "signature no base64": json.dumps(wire(seals=[{"key": "k", "signature": "?"}])).encode(),
    "signature Chinese": json.dumps(wire(seals=[{"key": "k", "signature": "章"}])).encode(),
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
async def test_an_answer_that_is_none(body: bytes) -> None:
    async with serving() as customs, road(customs.url) as clearance:
        customs.says(Response(body))
        with pytest.raises(ClearanceOdd):
            await clearance.ask(GATHERED)
        with pytest.raises(ClearanceOdd):
            await clearance.newer("L01-1", None)


async def test_no_content_is_no_answer_to_a_question() -> None:
    async with serving() as customs, road(customs.url) as clearance:
        customs.says(Response(status_code=204))
        with pytest.raises(ClearanceOdd):
            await clearance.ask(GATHERED)


async def test_what_the_site_does_not_know_does_not_matter_outside_the_seal() -> None:
    async with serving() as customs, road(customs.url) as clearance:
        customs.says(JSONResponse(wire() | {"trace": "x"}))
        assert await clearance.ask(GATHERED) == ORDER


async def test_the_largest_answer_and_one_byte_more() -> None:
    room = 64 * 1024
    whole = json.dumps(wire()).encode()
    async with serving() as customs, road(customs.url) as clearance:
        customs.says(Response(whole + b" " * (room - len(whole))))
        assert await clearance.ask(GATHERED) == ORDER
        customs.says(Response(whole + b" " * (room - len(whole) + 1)))
        with pytest.raises(ClearanceOdd, match="more than 65536 bytes"):
            await clearance.ask(GATHERED)


async def test_an_answer_without_end_is_cut_off() -> None:
    """Neither the deadline nor the memory is used up by it."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 16384
            await asyncio.sleep(0)

    async with serving() as customs, road(customs.url, within_s=3600) as clearance:
        customs.says(StreamingResponse(endless()))
        with pytest.raises(ClearanceOdd, match="more than"):
            await clearance.ask(GATHERED)
        customs.answer = customs._order
        assert await clearance.ask(GATHERED) == ORDER
    assert sent < 5000


async def test_a_compressed_bomb_is_weighed_as_it_arrives() -> None:
    async with serving() as customs, road(customs.url) as clearance:
        customs.says(Response(b"\x1f\x8b\x08" + bytes(100), headers={"content-encoding": "gzip"}))
        with pytest.raises(ClearanceOdd):
            await clearance.ask(GATHERED)


async def test_silence_past_the_deadline() -> None:
    held = asyncio.Event()

    async def never() -> Response:
        await held.wait()
        return Response()

    async with serving() as customs, road(customs.url, within_s=3.0) as clearance:
        customs.answer = never
        for question in (
            lambda: clearance.ask(GATHERED),
            lambda: clearance.newer("p", None),
            lambda: clearance.report(CROSSING),
        ):
            with pytest.raises(ClearanceSilent, match="no answer within 3 s"):
                await question()
        held.set()
        customs.answer = customs._order
        assert await clearance.ask(GATHERED) == ORDER, "the client lives on"


async def test_silence_in_the_middle_of_an_answer() -> None:
    held = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b'{"order":'
        await held.wait()

    async with serving() as customs, road(customs.url, within_s=3.0) as clearance:
        customs.says(StreamingResponse(half()))
        with pytest.raises(ClearanceSilent):
            await clearance.ask(GATHERED)
        held.set()


async def test_nobody_there() -> None:
    async with serving() as customs:
        gone = customs.url
    async with road(gone) as clearance:
        with pytest.raises(ClearanceSilent, match="ConnectError"):
            await clearance.ask(GATHERED)


async def test_a_line_that_breaks_in_the_answer() -> None:
    async def cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    async with server, road(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as clearance:
        with pytest.raises(ClearanceSilent):
            await clearance.ask(GATHERED)


async def test_what_is_no_http() -> None:
    async def chatter(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(chatter, "127.0.0.1", 0)
    async with server, road(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as clearance:
        with pytest.raises(ClearanceSilent):
            await clearance.ask(GATHERED)


async def test_cancellation_passes() -> None:
    async with serving() as customs, road(customs.url) as clearance:
        asked, held = asyncio.Event(), asyncio.Event()

        async def never() -> Response:
            asked.set()
            await held.wait()
            return Response()

        customs.answer = never
        asking = asyncio.ensure_future(clearance.ask(GATHERED))
        await asyncio.wait_for(asked.wait(), 10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        held.set()


async def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving() as customs, road(customs.url) as clearance:
        assert await clearance.ask(GATHERED) == ORDER
