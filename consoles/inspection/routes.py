"""The review's HTTP: a seat by PIN, tasks and verdicts by POST, pictures by digest.

Without a seat there is nothing to see. With one, an inspector sees the scan in his hand and those that are done; a scan
that waits is seen by nobody who might choose it. What a digest names never changes, so a browser may keep its tiles.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from consoles.answers import json_answer, read_json
from consoles.board import Board
from consoles.clock import ConsoleClock
from consoles.config import PersonPart
from consoles.inspection import shown
from consoles.inspection.assist import Assist
from consoles.inspection.desk import READER
from consoles.inspection.exercises import Exercises, NoExercise
from consoles.inspection.papers import LanePictures, NoSuchPicture
from consoles.inspection.pictures import DamagedScan, NoSuchBox, NoSuchTile, UnknownDigest
from consoles.inspection.review import Reviews
from consoles.inspection.waterfall import Waterfall
from consoles.inspection.wire import DrillAnswer, Judge, Said, SaidKind, Save, SignIn
from vision.xray.palette import Palette, computed
from vision.xray.scan import Dual, Energy
from vision.xray.tiles import Layer, TileName

SEAT = "quaygate-seat"
"""The cookie's name."""
BODY_CEILING = 64 * 1024
"""Bytes of a draft: a hundred marks with notes, and the cells of the longest scan."""
KEPT = "private, max-age=31536000, immutable"
POLICY_VIOLATION = 1008

_STATUS: dict[SaidKind, int] = {
    "done": 200,
    "nothing": 200,
    "wrong pin": 403,
    "unknown person": 403,
    "locked": 429,
    "busy": 429,
    "malformed": 400,
    "not yours": 409,
    "torn": 409,
    "unseen": 409,
    "unknown scan": 404,
    "no book": 503,
}
_layers: dict[str, Layer] = {"base": "base", "fine": "fine"}
_energies = {energy.value: energy for energy in Energy}
Deed = Callable[[Request, PersonPart], Awaitable[Response]]


class ReviewRoutes:
    """The routes of one review, and the board its pages follow."""

    def __init__(
        self,
        reviews: Reviews,
        shots: LanePictures,
        clock: ConsoleClock,
        board: Board,
        assist: Assist | None = None,
        exercises: Exercises | None = None,
    ) -> None:
        """`shots`: what the lanes' cameras have dropped. None of the last two: nothing is said, nothing is trained."""
        self.board = board
        self._assist, self._exercises = assist, exercises
        self._reviews, self._shots, self._clock = reviews, shots, clock

    def routes(self) -> list[BaseRoute]:
        """To be mounted behind the console's door."""
        task, picture = "/api/inspection/tasks/{digest}", "/api/xray/{digest}"
        drill = "/api/inspection/exercise/{name}"
        tile = picture + "/{layer}/{energy}/{level:int}/{x:int}/{y:int}"
        return [
            Route("/api/inspection/seat", self._sign_in, methods=["POST"]),
            Route("/api/inspection/leave", self._sign_out, methods=["POST"]),
            Route("/api/inspection/me", self._me),
            Route("/api/inspection/next", self._seated(self._next), methods=["POST"]),
            Route("/api/inspection/rest", self._seated(self._rest), methods=["POST"]),
            Route(task + "/draft", self._seated(self._save), methods=["POST"]),
            Route(task + "/back", self._seated(self._back), methods=["POST"]),
            Route(task + "/verdict", self._seated(self._judge), methods=["POST"]),
            Route(task + "/like", self._seated(self._like)),
            Route(task + "/says", self._seated(self._says)),
            Route(task + "/pictures/{lane}/{name}", self._seated(self._shot)),
            Route("/api/inspection/exercise", self._seated(self._drill), methods=["POST"]),
            Route(drill + "/answer", self._seated(self._drilled), methods=["POST"]),
            Route(drill + "/{layer}/{energy}/{level:int}/{x:int}/{y:int}", self._seated(self._drill_tile)),
            Route("/api/xray/palette/{scanner}/{he}/{le}", self._palette),
            Route(picture + "/card", self._seated(self._card)),
            Route(picture + "/probe", self._seated(self._probe)),
            Route(tile, self._seated(self._tile)),
            WebSocketRoute("/api/xray/scanning/{scanner}", self._waterfall),
        ]

    def _seated(self, deed: Deed) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            person = self._person(request)
            if person is None:
                raise HTTPException(401, "take a seat first")
            return await deed(request, person)

        return serve

    def _person(self, asked: HTTPConnection) -> PersonPart | None:
        return self._reviews.seats.seated(asked.cookies.get(SEAT, ""))

    async def _sign_in(self, request: Request) -> Response:
        wish = await read_json(request, SignIn, BODY_CEILING)
        if wish is None:
            return _said(Said(kind="malformed"))
        seat = await self._reviews.seats.sign_in(wish.person, wish.pin)
        if isinstance(seat, Said):
            return _said(seat)
        answer = _said(Said(kind="done"))
        secret, lives_s = seat
        answer.set_cookie(
            SEAT, secret, max_age=int(lives_s), httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return answer

    async def _sign_out(self, request: Request) -> Response:
        answer = _said(await self._reviews.seats.sign_out(request.cookies.get(SEAT, "")))
        answer.delete_cookie(SEAT, httponly=True, samesite="strict")
        return answer

    async def _me(self, request: Request) -> Response:
        """Who sits here; 204 when nobody does, which is no fault of a page that asks."""
        person = self._person(request)
        return Response(status_code=204) if person is None else json_answer(await self._reviews.me(person))

    async def _next(self, _: Request, person: PersonPart) -> Response:
        return _said(await self._reviews.next(person))

    async def _rest(self, _: Request, person: PersonPart) -> Response:
        self._reviews.take_rest(person.id)
        return _said(Said(kind="done"))

    async def _save(self, request: Request, person: PersonPart) -> Response:
        save = await read_json(request, Save, BODY_CEILING)
        if save is None:
            return _said(Said(kind="malformed"))
        return json_answer(await self._reviews.save(person.id, request.path_params["digest"], save))

    async def _back(self, request: Request, person: PersonPart) -> Response:
        return _said(await self._reviews.put_back(person.id, request.path_params["digest"]))

    async def _judge(self, request: Request, person: PersonPart) -> Response:
        judge = await read_json(request, Judge, BODY_CEILING)
        if judge is None:
            return _said(Said(kind="malformed"))
        return _said(await self._reviews.judge(person, request.path_params["digest"], judge))

    async def _like(self, request: Request, person: PersonPart) -> Response:
        self._may_see(request, person)
        return json_answer(shown.like(self._reviews.desk, request.path_params["digest"]))

    async def _says(self, request: Request, person: PersonPart) -> Response:
        digest, reviews = self._may_see(request, person), self._reviews
        task = reviews.desk.tasks.get(digest)
        if task is None or self._assist is None:
            raise HTTPException(404, "nothing is said of this scan")
        like = shown.like(reviews.desk, digest)
        before = next((other.digest for other in like if other.why == "same container"), None)
        try:
            return json_answer(await self._assist.says(task.scan, await reviews.papers(task.scan), before))
        except (UnknownDigest, DamagedScan) as wrong:
            raise HTTPException(404, str(wrong)) from None

    async def _shot(self, request: Request, person: PersonPart) -> Response:
        self._may_see(request, person)
        try:
            data = await asyncio.to_thread(self._shots.read, request.path_params["lane"], request.path_params["name"])
        except NoSuchPicture as wrong:
            raise HTTPException(404, str(wrong)) from None
        return Response(data, media_type="image/jpeg", headers={"x-content-type-options": "nosniff"})

    async def _palette(self, request: Request) -> Response:
        at = request.path_params
        try:
            pair = Dual(float(at["he"]), float(at["le"]))
            table = await asyncio.to_thread(self._colours, at["scanner"], pair)
        except ValueError as wrong:
            raise HTTPException(404, str(wrong)) from None
        return Response(table.wire(), media_type="application/octet-stream", headers={"cache-control": "no-cache"})

    def _colours(self, scanner: str, pair: Dual[float]) -> Palette:
        table = self._reviews.pictures.materials.of(scanner, pair)
        return table.palette() if table.measured else computed(*pair)

    async def _card(self, request: Request, person: PersonPart) -> Response:
        digest = self._may_see(request, person)
        try:
            return json_answer(await self._reviews.pictures.card(digest))
        except (UnknownDigest, DamagedScan) as wrong:
            raise HTTPException(404, str(wrong)) from None

    async def _tile(self, request: Request, person: PersonPart) -> Response:
        digest, at = self._may_see(request, person), request.path_params
        try:
            tile = await self._reviews.pictures.tile(digest, _tile_name(at))
        except (UnknownDigest, DamagedScan, NoSuchTile) as wrong:
            raise HTTPException(404, str(wrong)) from None
        return Response(tile, media_type="application/octet-stream", headers={"cache-control": KEPT})

    async def _probe(self, request: Request, person: PersonPart) -> Response:
        digest = self._may_see(request, person)
        try:
            x, y, width, height = (int(request.query_params[name]) for name in ("x", "y", "w", "h"))
        except (KeyError, ValueError):
            raise HTTPException(400, "x, y, w and h are whole numbers") from None
        try:
            return json_answer(await self._reviews.pictures.probe(digest, x, y, width, height))
        except (UnknownDigest, DamagedScan, NoSuchBox) as wrong:
            raise HTTPException(404, str(wrong)) from None

    async def _drill(self, _: Request, person: PersonPart) -> Response:
        try:
            return json_answer(await self._at_drill(person).next(person.id))
        except NoExercise as none:
            raise HTTPException(404, str(none)) from None

    async def _drilled(self, request: Request, person: PersonPart) -> Response:
        answer = await read_json(request, DrillAnswer, BODY_CEILING)
        if answer is None:
            raise HTTPException(400, "marks, opened and spent_s are expected")
        try:
            told = await self._at_drill(person).answer(person.id, request.path_params["name"], answer)
        except NoExercise as none:
            raise HTTPException(404, str(none)) from None
        except OSError as no:
            raise HTTPException(503, f"the answer is not kept: {no}") from None
        return json_answer(told)

    async def _drill_tile(self, request: Request, person: PersonPart) -> Response:
        at = request.path_params
        try:
            data = await self._at_drill(person).tile(person.id, at["name"], _tile_name(at))
        except (NoExercise, NoSuchTile) as wrong:
            raise HTTPException(404, str(wrong)) from None
        return Response(data, media_type="application/octet-stream", headers={"cache-control": "no-store"})

    def _at_drill(self, person: PersonPart) -> Exercises:
        if self._exercises is None or person.role != READER:
            raise HTTPException(404, "there are no exercises for this seat")
        return self._exercises

    async def _waterfall(self, socket: WebSocket) -> None:
        if self._person(socket) is None:
            await socket.close(POLICY_VIOLATION, "take a seat first")
            return
        await socket.accept()
        following = Waterfall(self._reviews.pictures.archive, socket.path_params["scanner"], self._clock)
        with suppress(WebSocketDisconnect):
            async with aclosing(following.follow()) as pieces:
                async for piece in pieces:
                    if isinstance(piece, str):
                        await socket.send_text(piece)
                    else:
                        await socket.send_bytes(piece)

    def _may_see(self, request: Request, person: PersonPart) -> str:
        digest: str = request.path_params["digest"]
        task = self._reviews.desk.tasks.get(digest)
        if task is None:
            raise HTTPException(404, "no such scan at this desk")
        if not (task.done or task.holder == person.id or person.role == "supervisor"):
            raise HTTPException(403, "this scan is not in your hand")
        return digest


def _tile_name(at: Mapping[str, Any]) -> TileName:
    """Raises HTTPException for a layer or an energy that is none."""
    layer, energy = _layers.get(at["layer"]), _energies.get(at["energy"])
    if layer is None or energy is None:
        raise HTTPException(404, "no such tile")
    return TileName(layer, energy, at["level"], at["x"], at["y"])


def _said(said: Said) -> Response:
    return json_answer(said, _STATUS[said.kind])
