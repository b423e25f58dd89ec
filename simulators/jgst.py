"""The officer's desk of simulated customs (jgst_customs.py) over HTTP, and the whole of it as a process of its own.

    GET  /desk                        what waits for an officer, and what is known of every lane
    GET  /passages/{passage}          one passage
    POST /passages/{passage}          {"verb": release | inspect | refuse, "officer": ..} an officer decides
    POST /rules                       {"name": plate or container, "verb": hold | inspect | refuse | null}  布控
    POST /manner                      {"manner": ..} for passages to come; see jgst_gate.Manner
    POST /lanes/{lane}/pictures       {"passage": ..} send me the pictures (0x25)
    POST /lanes/{lane}/device         {"id", "name", "status": 0 disabled | 3 enabled} (0x33)
    POST /lanes/{lane}/operate        {"word": 20 letters, "type": 0 lift | 1 pending | 2 return, "reason": ..} (0x35)

    python -m simulators.jgst --manifests FILE --lane L01=3701000001/3701000101/I@127.0.0.1:8999 ...

prints {"ready": {"desk", "listens"}} and serves until its stdin closes.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.clock import SimClock
from simulators.customs_rules import Gathered
from simulators.jgst_customs import JgstCustoms
from simulators.jgst_gate import Gate, Manner
from simulators.jgst_words import Encoding, Node
from simulators.serving import Served

VERBS = ("release", "inspect", "refuse")
TARGETS = ("hold", "inspect", "refuse")
LANE = re.compile(r"(\w+)=(\w{1,10})/(\w{1,10})/([IE])@([^:]*):(\d+)")


class Desk:
    """HTTP in front of a back end. `manner` is what passages to come are treated with, unless the owner says more."""

    def __init__(self, customs: JgstCustoms) -> None:
        self._customs = customs
        self.manner = Manner.PROPER
        self.app = Starlette(
            routes=[
                Route("/desk", self._desk),
                Route("/passages/{passage}", self._passage),
                Route("/passages/{passage}", _asked(self._decide), methods=["POST"]),
                Route("/rules", _asked(self._rule), methods=["POST"]),
                Route("/manner", _asked(self._behave), methods=["POST"]),
                Route("/lanes/{lane}/pictures", _asked(self._pictures), methods=["POST"]),
                Route("/lanes/{lane}/device", _asked(self._device), methods=["POST"]),
                Route("/lanes/{lane}/operate", _asked(self._operate), methods=["POST"]),
            ]
        )

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Served:
        """An async context manager; `.url` says where."""
        return Served(self.app, host=host, port=port)

    async def _desk(self, _: Request) -> Response:
        customs = self._customs
        return JSONResponse(
            {
                "queue": [dossier.as_json() for dossier in customs.queue()],
                "lanes": {
                    gate.lane: {
                        "registered": gate.registered, "heard": dict(gate.heard), "heard_at": gate.heard_at,
                        "devices": gate.devices, "exceptions": list(gate.exceptions), "results": list(gate.results),
                    }
                    for gate in customs.gates.values()
                },
                "targeted": customs.targeted,
                "protests": customs.protests[-20:],
                "undelivered": customs.undelivered,
            }
        )  # fmt: skip

    async def _passage(self, request: Request) -> Response:
        dossier = self._customs.log.get(request.path_params["passage"])
        return Response(status_code=404) if dossier is None else JSONResponse(dossier.as_json())

    async def _decide(self, request: Request, told: dict[str, Any]) -> Response:
        verb = _one_of(told["verb"], VERBS)
        done = self._customs.decide(request.path_params["passage"], verb, str(told.get("officer", "3701001")))
        return Response(status_code=204 if done else 404)

    async def _rule(self, _: Request, told: dict[str, Any]) -> Response:
        if told["verb"] is None:
            self._customs.targeted.pop(str(told["name"]), None)
        else:
            self._customs.targeted[str(told["name"])] = _one_of(told["verb"], TARGETS)
        return Response(status_code=204)

    async def _behave(self, _: Request, told: dict[str, Any]) -> Response:
        self.manner = Manner(told["manner"])
        return Response(status_code=204)

    async def _pictures(self, request: Request, told: dict[str, Any]) -> Response:
        return self._ordered(request, 0x25, [], str(told["passage"]))

    async def _device(self, request: Request, told: dict[str, Any]) -> Response:
        nodes: list[Node] = [
            ("DEVICE_ID", str(told["id"])),
            ("DEVICE_NAME", str(told.get("name", ""))),
            ("DEVICE_STATUS", str(int(told["status"]))),
        ]
        return self._ordered(request, 0x33, nodes)

    async def _operate(self, request: Request, told: dict[str, Any]) -> Response:
        nodes: list[Node] = [
            ("EXCUTE_COMMAND", str(told["word"])),
            ("GPS", [(name, "") for name in ("VE_NAME", "GPS_ID", "ORIGIN_CUSTOMS", "DEST_CUSTOMS")]),
            ("SEAL", [("ESEAL_ID", ""), ("SEAL_KEY", "")]),
            ("OP_TYPE", str(int(told["type"]))),
            ("OP_REASON", str(told.get("reason", ""))),
            ("OP_ID", str(told.get("officer", "3701001"))),
        ]
        return self._ordered(request, 0x35, nodes, str(told.get("passage", "")))

    def _ordered(self, request: Request, code: int, nodes: list[Node], sequence: str = "") -> Response:
        lane = request.path_params["lane"]
        if lane not in self._customs.gates:
            return Response(status_code=404)
        self._customs.order(lane, code, nodes, sequence)
        return Response(status_code=204)


def _one_of(verb: object, allowed: tuple[str, ...]) -> str:
    if verb not in allowed:
        raise ValueError(f"expected one of {', '.join(allowed)}")
    return str(verb)


def _asked(
    answer: Callable[[Request, dict[str, Any]], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """A POST with a JSON object; what is none, or lacks a field, is told what is wrong with it."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request, cast("dict[str, Any]", json.loads(await request.body())))
        except (ValueError, KeyError, TypeError) as wrong:
            return JSONResponse({"wrong": f"{type(wrong).__name__}: {wrong}"}, status_code=400)

    return endpoint


def gate_from(text: str) -> Gate:
    """`L01=3701000001/3701000101/I@127.0.0.1:8999`: lane, area, channel, direction, where the lane listens."""
    found = LANE.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: expected LANE=AREA/CHANNEL/I|E@HOST:PORT")
    lane, area, channel, direction, host, port = found.groups()
    return Gate(lane=lane, area=area, channel=channel, direction=direction, host=host, port=int(port))


def main(argv: list[str] | None = None) -> int:
    """Customs alone, until its stdin closes or it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m simulators.jgst", description="simulated customs, JGS/T 14-2015")
    parser.add_argument("--manifests", type=Path, help="JSON list (or JSON lines) of manifest rows")
    lane = "L01=AREA/CHANNEL/I@HOST:PORT"
    parser.add_argument("--lane", type=gate_from, action="append", required=True, metavar=lane)
    parser.add_argument("--port", type=int, default=0, help="where lanes send to")
    parser.add_argument("--desk-port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--origin", type=float, default=None)
    parser.add_argument("--manner", choices=[manner.value for manner in Manner], default=Manner.PROPER.value)
    parser.add_argument("--encoding", choices=["utf-8", "gb18030"], default="utf-8")
    parser.add_argument("--pictures-of", nargs="*", default=[], help="verbs for which pictures are asked (0x25)")
    parser.add_argument("--keep-open", action="store_true", help="answer on the lane's own connection")
    told = parser.parse_args(argv)
    rows: list[Any] = []
    if told.manifests is not None:
        text = cast("Path", told.manifests).read_text(encoding="utf-8")
        whole = text.lstrip().startswith("[")
        lines = [text] if whole else [f"[{line}]" for line in text.splitlines() if line.strip()]
        rows = [row for line in lines for row in json.loads(line)]

    async def run() -> None:
        def manner(_: Gathered) -> Manner:
            return desk.manner

        customs = JgstCustoms(
            SimClock(speed=told.speed, origin=told.origin),
            told.lane,
            manner=manner,
            pictures_of=told.pictures_of,
            keep_open=told.keep_open,
            encoding=cast("Encoding", told.encoding),
        )
        desk = Desk(customs)
        desk.manner = Manner(told.manner)
        customs.expect(rows)
        async with customs.serve(told.host, told.port) as (host, port), desk.serve(told.host, told.desk_port) as served:
            print(json.dumps({"ready": {"listens": [host, port], "desk": served.url}}), flush=True)
            await asyncio.to_thread(sys.stdin.read)

    asyncio.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
