"""The console's HTTP: pages, one live feed a page, trends and lists on request, commands by POST."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from consoles.answers import json_answer, number, read_json
from consoles.board import Board
from consoles.door import Door
from consoles.hearing import Hearing
from consoles.wire import Command, ConsoleHealth, Countersign, Hello, Outcome, OutcomeKind, PassageRow, Trend, TrendName
from drivers.readings import Instant

STATIC = Path(__file__).parent / "static"
BODY_CEILING = 4096
"""Bytes of a command: its longest note in UTF-8 is a tenth of it."""
HOURS_CEILING = 48.0
"""The longest trend a page may ask for: two days are drawn in a thousand points without a second's work."""
ROWS_CEILING = 200
FOREVER = "public, max-age=31536000, immutable"

_STATUS: dict[OutcomeKind, int] = {
    "accepted": 200,
    "refused": 200,
    "awaits": 200,
    "malformed": 400,
    "wrong pin": 403,
    "unknown person": 403,
    "stale": 409,
    "same screen": 409,
    "lapsed": 409,
    "busy": 429,
    "locked": 429,
    "no bus": 503,
    "no answer": 504,
}
_encode = msgspec.json.Encoder(decimal_format="number").encode
_trends: dict[str, TrendName] = {"trucks": "trucks", "weight": "weight", "seconds": "seconds"}


class Taker(Protocol):
    """Takes a person's command (consoles/command.py)."""

    async def take(self, lane: str, command: Command) -> Outcome: ...
    async def countersign(self, lane: str, asked: Countersign) -> Outcome: ...


class Past(Protocol):
    """Knows what was (consoles/history.py)."""

    async def trend(self, name: TrendName, lane: str | None, hours: float, now: Instant) -> Trend: ...
    async def passages(self, lane: str | None, limit: int, now: Instant) -> list[PassageRow]: ...


class Reviewing(Protocol):
    """The image review (consoles/inspection): its routes, and the board that all its pages follow."""

    board: Board

    def routes(self) -> list[BaseRoute]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the application stands on."""

    hello: Callable[[], Hello]
    room: Board
    boards: dict[str, Board]
    hearing: Hearing
    commands: Taker
    history: Past
    now: Callable[[], Instant]
    bus_up: Callable[[], bool]
    names: tuple[str, ...] = ()
    review: Reviewing | None = None
    static: Path = STATIC


class _Assets(StaticFiles):
    """Files with their digest in the name: they never change."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = FOREVER
        return response


class _Console:
    """The deeds behind the routes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """Serves a built page; a lane's only for a lane of this site."""

        async def serve(request: Request) -> Response:
            self._lane(request.path_params.get("lane"))
            path = self._parts.static / f"{name}.html"
            if not path.is_file():
                raise HTTPException(503, "the pages are not built: pip install -e . builds them")
            return FileResponse(path, media_type="text/html", headers={"cache-control": "no-cache"})

        return serve

    async def live_lane(self, socket: WebSocket) -> None:
        """A lane's board."""
        board = self._parts.boards.get(socket.path_params["lane"])
        if board is None:
            await socket.close(1008, "no such lane at this site")
            return
        await self.live(board, socket)

    def live_of(self, board: Board) -> Callable[[WebSocket], Awaitable[None]]:
        """Serves one board."""

        async def serve(socket: WebSocket) -> None:
            await self.live(board, socket)

        return serve

    async def live(self, board: Board, socket: WebSocket) -> None:
        """Hello, everything, then what changes."""
        await socket.accept()
        with suppress(WebSocketDisconnect):
            await socket.send_text(_encode(self._parts.hello()).decode())
            async with aclosing(board.follow()) as messages:
                async for message in messages:
                    await socket.send_text(message.decode())

    async def site(self, _: Request) -> Response:
        """What does not change."""
        return json_answer(self._parts.hello())

    async def trend(self, request: Request) -> Response:
        """One line of the last hours."""
        name: TrendName | None = _trends.get(request.path_params["name"])
        if name is None:
            raise HTTPException(404, "no such trend")
        lane = self._lane(request.query_params.get("lane"))
        hours = number(request, "hours", 4.0, HOURS_CEILING)
        return json_answer(await self._parts.history.trend(name, lane, hours, self._parts.now()))

    async def passages(self, request: Request) -> Response:
        """The latest passages."""
        lane = self._lane(request.query_params.get("lane"))
        limit = int(number(request, "limit", 50, ROWS_CEILING))
        return json_answer(await self._parts.history.passages(lane, limit, self._parts.now()))

    async def health(self, _: Request) -> Response:
        """How this process itself is."""
        parts, now = self._parts, self._parts.now()
        boards = (parts.room, *parts.boards.values())
        views = {lane: parts.hearing.view(lane) for lane in parts.boards}
        return json_answer(
            ConsoleHealth(
                bus=parts.bus_up(),
                pages=sum(board.readers for board in boards),
                lanes={lane: None if view is None else now - view.at for lane, view in views.items()},
                garbage=parts.hearing.garbage,
                dropped=sum(board.dropped for board in boards),
            )
        )

    async def order(self, request: Request) -> Response:
        """A person's command; the body of the answer says what became of it."""
        lane = self._lane(request.path_params["lane"])
        assert lane is not None
        command = await read_json(request, Command, BODY_CEILING)
        if command is None:
            return json_answer(Outcome(kind="malformed"), _STATUS["malformed"])
        outcome = await self._parts.commands.take(lane, command)
        return json_answer(outcome, _STATUS[outcome.kind])

    async def countersign(self, request: Request) -> Response:
        """A second person's signature."""
        lane = self._lane(request.path_params["lane"])
        assert lane is not None
        asked = await read_json(request, Countersign, BODY_CEILING)
        if asked is None:
            return json_answer(Outcome(kind="malformed"), _STATUS["malformed"])
        outcome = await self._parts.commands.countersign(lane, asked)
        return json_answer(outcome, _STATUS[outcome.kind])

    def _lane(self, lane: str | None) -> str | None:
        if lane is not None and lane not in self._parts.boards:
            raise HTTPException(404, "no such lane at this site")
        return lane


def make_app(parts: Parts) -> ASGIApp:
    """The application, behind its door."""
    console = _Console(parts)
    review: list[BaseRoute] = []
    if parts.review is not None:
        review = [
            Route("/inspection", console.page("inspection")),
            Route("/inspection/papers", console.page("papers")),
            WebSocketRoute("/api/live/inspection", console.live_of(parts.review.board)),
            *parts.review.routes(),
        ]
    return Door(
        Starlette(
            routes=[
                Route("/", console.page("index")),
                Route("/lane/{lane}", console.page("lane")),
                Route("/room", console.page("room")),
                WebSocketRoute("/api/live/room", console.live_of(parts.room)),
                WebSocketRoute("/api/live/lane/{lane}", console.live_lane),
                Route("/api/site", console.site),
                Route("/api/trend/{name}", console.trend),
                Route("/api/passages", console.passages),
                Route("/api/health", console.health),
                Route("/api/lanes/{lane}/orders", console.order, methods=["POST"]),
                Route("/api/lanes/{lane}/countersign", console.countersign, methods=["POST"]),
                *review,
                Mount("/assets", _Assets(directory=parts.static / "assets", check_dir=False)),
            ]
        ),
        parts.names,
    )
