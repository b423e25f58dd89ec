"""Simulated customs: a JSON clearance service that answers a gathered passage with a sealed, expiring order.

    POST /passages                      what a lane has gathered -> 200 {"order": {"payload", "seals"}}
    GET  /passages/{passage}/order      ?after=<order id> -> 200 as above when a newer order exists, else 204
    POST /crossings                     what became of it -> 204, once a passage
    POST /officer/{passage}             {"verb": ..} an officer decides by hand -> 204

An order's payload is UTF-8 JSON, sealed as sent: Ed25519 over b"quaygate-order-v1\\n" + payload. Everything asked and
answered stays in `log`. Misbehaviour is chosen for each passage by whoever owns the service.

    python -m simulators.customs --manifests FILE      the same alone; prints {"ready": {"url", "keys"}} and serves
"""

import argparse
import asyncio
import json
import secrets
import sys
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.clock import SimClock
from simulators.customs_rules import Gathered, Manifest, NotAPassage, Opinion, gathered_from, judge, manifest_from
from simulators.serving import Served

SEAL_PREFIX = b"quaygate-order-v1\n"
VALID_S = 120.0
"""How long an order may wait for its truck: two minutes, a lane's longest ordinary visit."""
LATE_S = 9.0
"""Longer than the few seconds a lane waits for one answer, shorter than a driver's patience."""
SILENT_S = 600.0
"""A silent service holds the connection this long, then drops it; every asker has given up by then."""
EXPIRED_AGO_S = 60.0
PASSAGES_KEPT = 20_000
"""Passages remembered; a simulated week of one busy port."""


class Manner(StrEnum):
    """How customs behaves towards one passage."""

    PROPER = "proper"
    SILENT = "silent"
    LATE = "late"
    EXPIRED = "expired"
    FORGED = "forged"
    UNKNOWN_KEY = "unknown_key"
    OTHER_LANE = "other_lane"
    OTHER_PASSAGE = "other_passage"
    REPLAYED = "replayed"
    MALFORMED = "malformed"
    ERROR = "error"


MannerOf = Callable[[Gathered], Manner]


def always_proper(_: Gathered) -> Manner:
    """The manner of an honest service."""
    return Manner.PROPER


@dataclass(slots=True, kw_only=True)
class Answered:
    """One order as it went out."""

    id: str
    verb: str
    payload: bytes
    expires_at: float
    body: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Dossier:
    """All that customs knows of one passage."""

    passage: str
    lane: str
    manner: Manner
    first_asked_at: float
    times_asked: int = 0
    asked: deque[Gathered] = field(default_factory=lambda: deque[Gathered](maxlen=2))
    """The newest question and the one before it: whether anything changed."""
    orders: list[Answered] = field(default_factory=list[Answered])
    by_officer: str | None = None
    crossing: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """For the truth file."""
        last = self.asked[-1]
        return {
            "passage": self.passage,
            "manner": self.manner.value,
            "asked_at": round(self.first_asked_at, 3),
            "times_asked": self.times_asked,
            "plate": last.plate,
            "containers": list(last.containers),
            "gross_kg": None if last.gross_kg is None else str(last.gross_kg),
            "orders": [{"id": order.id, "verb": order.verb} for order in self.orders],
            "crossing": None if self.crossing is None else self.crossing.get("outcome"),
        }


class Customs:
    """The service. Hand its `app` to a server, or `async with customs.serve()`."""

    def __init__(
        self,
        clock: SimClock,
        *,
        key_id: str = "customs-2026",
        key: Ed25519PrivateKey | None = None,
        valid_s: float = VALID_S,
        manner: MannerOf = always_proper,
    ) -> None:
        self._clock = clock
        self._key = key or Ed25519PrivateKey.generate()
        self._stranger = Ed25519PrivateKey.generate()
        self._valid_s = valid_s
        self._manner = manner
        self._run = secrets.token_hex(4)
        self._count = 0
        self._last_release: dict[str, Any] | None = None
        self.key_id = key_id
        self.manifests: dict[str, Manifest] = {}
        self.log: dict[str, Dossier] = {}
        self._untold: dict[str, list[Dossier]] = {}
        self.protests: list[str] = []
        """Questions and reports that broke the interface."""
        self.app = Starlette(
            routes=[
                Route("/passages", self._passages, methods=["POST"]),
                Route("/passages/{passage}/order", self._newer, methods=["GET"]),
                Route("/crossings", self._crossings, methods=["POST"]),
                Route("/officer/{passage}", self._officer, methods=["POST"]),
            ]
        )

    @property
    def keys(self) -> list[dict[str, str]]:
        """As a lane's configuration names them."""
        return [{"id": self.key_id, "public": b64encode(self._key.public_key().public_bytes_raw()).decode()}]

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Served:
        """An async context manager; `.url` says where."""
        return Served(self.app, host=host, port=port)

    def expect(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add manifests; a plate told twice has the later one."""
        for row in rows:
            manifest = manifest_from(row)
            self.manifests[manifest.plate] = manifest

    def untold(self, lane: str) -> Sequence[Dossier]:
        """Passages of a lane asked about since this was called last, oldest first."""
        return self._untold.pop(lane, [])

    def decide(self, passage: str, verb: str) -> bool:
        """An officer's word; the lane finds it by asking for a newer order. False for an unknown passage."""
        dossier = self.log.get(passage)
        if dossier is None:
            return False
        dossier.by_officer = verb
        self._answer(dossier)
        return True

    # orders

    def _issue(self, dossier: Dossier, opinion: Opinion) -> Answered:
        asked = dossier.asked[-1]
        now = self._clock.now()
        issued = now - self._valid_s - EXPIRED_AGO_S if dossier.manner is Manner.EXPIRED else now
        self._count += 1
        manifest = opinion.manifest
        order: dict[str, Any] = {
            "v": 1,
            "id": f"{self._run}-{self._count:06d}",
            "verb": opinion.verb,
            "site": asked.site,
            "lane": f"{asked.lane}X" if dossier.manner is Manner.OTHER_LANE else asked.lane,
            "passage": secrets.token_hex(8) if dossier.manner is Manner.OTHER_PASSAGE else asked.passage,
            "plate": asked.plate if manifest is None else manifest.plate,
            "containers": list(asked.containers if manifest is None else manifest.containers),
            "declared_kg": None if manifest is None or manifest.declared_kg is None else str(manifest.declared_kg),
            "tolerance_kg": None if manifest is None or manifest.tolerance_kg is None else str(manifest.tolerance_kg),
            "issued_at": issued,
            "expires_at": issued + self._valid_s,
            "reason": {"zh": opinion.zh, "en": opinion.en},
            "persons": [],
        }
        payload = json.dumps(order, ensure_ascii=False).encode()
        body = self._seal(payload, dossier.manner)
        if dossier.manner is Manner.REPLAYED:
            body = self._replay(order)
        answered = Answered(
            id=order["id"], verb=opinion.verb, payload=payload, expires_at=order["expires_at"], body=body
        )
        if opinion.verb == "release" and dossier.manner is Manner.PROPER:
            self._last_release = body
        dossier.orders.append(answered)
        return answered

    def _seal(self, payload: bytes, manner: Manner) -> dict[str, Any]:
        key, key_id = self._key, self.key_id
        if manner is Manner.FORGED:
            key = self._stranger
        elif manner is Manner.UNKNOWN_KEY:
            key, key_id = self._stranger, "customs-of-nowhere"
        signature = b64encode(key.sign(SEAL_PREFIX + payload)).decode()
        return {"order": {"payload": b64encode(payload).decode(), "seals": [{"key": key_id, "signature": signature}]}}

    def _replay(self, order: dict[str, Any]) -> dict[str, Any]:
        """A true release of an earlier passage; of a passage that never was when there is none yet."""
        if self._last_release is not None:
            return self._last_release
        old = order | {"passage": secrets.token_hex(8), "id": f"{self._run}-000000"}
        return self._seal(json.dumps(old, ensure_ascii=False).encode(), Manner.PROPER)

    def _answer(self, dossier: Dossier) -> Answered:
        """The standing order while it is good and nothing has changed, else a fresh one."""
        asked = dossier.asked[-1]
        opinion = judge(asked, self.manifests)
        if dossier.by_officer is not None:
            opinion = replace(opinion, verb=dossier.by_officer, zh="海关人工决定", en="Decided by an officer")
        if dossier.orders:
            last = dossier.orders[-1]
            unchanged = len(dossier.asked) < 2 or asked.same_as(dossier.asked[-2])
            fresh = last.expires_at > self._clock.now() + self._valid_s / 4 or dossier.manner is Manner.EXPIRED
            if unchanged and fresh and last.verb == opinion.verb:
                return last
        return self._issue(dossier, opinion)

    # HTTP

    async def _passages(self, request: Request) -> Response:
        try:
            asked = gathered_from(json.loads(await request.body()))
        except ValueError as wrong:
            self.protests.append(f"passage: {wrong}")
            return JSONResponse({"wrong": str(wrong)}, status_code=400)
        dossier = self.log.get(asked.passage)
        if dossier is None:
            if len(self.log) >= PASSAGES_KEPT:
                del self.log[next(iter(self.log))]
            dossier = self.log[asked.passage] = Dossier(
                passage=asked.passage, lane=asked.lane, manner=self._manner(asked), first_asked_at=self._clock.now()
            )
            self._untold.setdefault(asked.lane, []).append(dossier)
        dossier.asked.append(asked)
        dossier.times_asked += 1
        match dossier.manner:
            case Manner.SILENT:
                await self._clock.sleep(SILENT_S)
                return Response(status_code=503)
            case Manner.ERROR:
                return Response("internal error", status_code=500)
            case Manner.MALFORMED:
                return Response(b'{"order": {"payload": "e30', media_type="application/json")
            case Manner.LATE:
                await self._clock.sleep(dossier.first_asked_at + LATE_S - self._clock.now())
            case _:
                pass
        return JSONResponse(self._answer(dossier).body)

    async def _newer(self, request: Request) -> Response:
        dossier = self.log.get(request.path_params["passage"])
        if dossier is None or not dossier.orders or dossier.orders[-1].id == request.query_params.get("after"):
            return Response(status_code=204)
        if dossier.manner in (Manner.SILENT, Manner.ERROR, Manner.MALFORMED):
            return Response(status_code=204)
        return JSONResponse(dossier.orders[-1].body)

    async def _crossings(self, request: Request) -> Response:
        try:
            told = cast("dict[str, Any]", json.loads(await request.body()))
            passage, outcome = str(told["passage"]), str(told["outcome"])
            if outcome not in ("crossed", "left", "fault", "abandoned"):
                raise NotAPassage(f"no such outcome: {outcome}")
        except (ValueError, KeyError, TypeError) as wrong:
            self.protests.append(f"crossing: {wrong}")
            return JSONResponse({"wrong": str(wrong)}, status_code=400)
        dossier = self.log.get(passage)
        if dossier is not None and dossier.crossing is None:
            dossier.crossing = told
            plate = dossier.asked[-1].plate
            if outcome == "crossed" and plate in self.manifests:
                self.manifests[plate].crossed_by = passage
        return Response(status_code=204)

    async def _officer(self, request: Request) -> Response:
        try:
            verb = str(json.loads(await request.body())["verb"])
        except (ValueError, KeyError, TypeError):
            return Response(status_code=400)
        if verb not in ("release", "hold", "inspect", "refuse"):
            return Response(status_code=400)
        return Response(status_code=204 if self.decide(request.path_params["passage"], verb) else 404)


def key_from(path: Path) -> Ed25519PrivateKey:
    """The service's own key, kept in a file of 32 raw bytes; made on first use."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def main(argv: list[str] | None = None) -> int:
    """The service alone, until its stdin closes or it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m simulators.customs", description="simulated JSON clearance")
    parser.add_argument("--manifests", type=Path, required=True, help="JSON list (or JSON lines) of manifest rows")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--origin", type=float, default=None)
    parser.add_argument("--key-file", type=Path, default=None, help="private key, made when missing")
    parser.add_argument("--manner", choices=[manner.value for manner in Manner], default=Manner.PROPER.value)
    told = parser.parse_args(argv)
    text = cast("Path", told.manifests).read_text(encoding="utf-8")
    lines = [text] if text.lstrip().startswith("[") else [f"[{line}]" for line in text.splitlines() if line.strip()]
    rows = [row for line in lines for row in json.loads(line)]

    async def run() -> None:
        customs = Customs(
            SimClock(speed=told.speed, origin=told.origin),
            key=key_from(told.key_file) if told.key_file else None,
            manner=lambda _: Manner(told.manner),
        )
        customs.expect(rows)
        async with customs.serve(port=told.port) as served:
            print(json.dumps({"ready": {"url": served.url, "keys": customs.keys}}), flush=True)
            await asyncio.to_thread(sys.stdin.read)

    asyncio.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
