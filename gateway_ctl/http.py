"""JSON clearance over HTTP: the one door to httpx. The contract is in clearance.py and in the README's site chapter.

POST {url}/passages                         a gathered passage, answered by an order
GET  {url}/passages/{passage}/order?after=  a newer order, or 204
POST {url}/crossings                        what became of it, 204
"""

import base64
from urllib.parse import quote

import httpx
import msgspec

from drivers.kinds import Clock
from gateway_ctl.clearance import ClearanceOdd, ClearanceSilent, Crossing, Gathered
from gateway_ctl.orders import Seal, SignedOrder

_NO_CONTENT = 204
_LARGEST_ANSWER = 64 * 1024
"""Bytes. An order is under 1.5 KiB in base64; more is not an answer."""


class _Seal(msgspec.Struct, frozen=True):
    key: str
    signature: str


class _Order(msgspec.Struct, frozen=True):
    payload: str
    seals: list[_Seal]


class _Answer(msgspec.Struct, frozen=True):
    order: _Order


_decode = msgspec.json.Decoder(_Answer).decode


class HttpClearance:
    """One client for the life of a lane; httpx keeps and renews the connection."""

    def __init__(self, url: str, answer_within_s: float, clock: Clock) -> None:
        """`answer_within_s`: site seconds for one question and its answer."""
        self._clock = clock
        self._within_s = answer_within_s
        # The deadline is the site's own, around the whole exchange; httpx must not add another.
        self._client = httpx.AsyncClient(base_url=url, timeout=None, trust_env=False)  # noqa: S113 - see above

    async def run(self) -> None:
        """As Clearance.run: a question holds its own connection."""

    async def ask(self, gathered: Gathered) -> SignedOrder:
        """As Clearance.ask."""
        body = {
            "site": gathered.site,
            "lane": gathered.lane,
            "passage": gathered.passage,
            "direction": gathered.direction,
            "at": gathered.at,
            "seq": gathered.seq,
            "plate": gathered.plate,
            "tags": gathered.tags,
            "containers": [{"code": c.code, "confidence": c.confidence} for c in gathered.containers],
            "gross_kg": gathered.gross_kg,
            "uncertainty_kg": gathered.uncertainty_kg,
            "trailer": gathered.trailer,
            "seal_numbers": gathered.seal_numbers,
            "cards": gathered.cards,
            "corrected": gathered.corrected,
            "inspection": gathered.inspection,
        }
        _, answer = await self._exchange("POST", "/passages", body)
        return _order(answer)

    async def newer(self, passage: str, after: str | None) -> SignedOrder | None:
        """As Clearance.newer."""
        path = f"/passages/{quote(passage, safe='')}/order"
        status, answer = await self._exchange("GET", path if after is None else f"{path}?after={quote(after, safe='')}")
        return None if status == _NO_CONTENT else _order(answer)

    async def report(self, crossing: Crossing) -> None:
        """As Clearance.report."""
        await self._exchange("POST", "/crossings", crossing)

    async def close(self) -> None:
        """As Clearance.close."""
        await self._client.aclose()

    async def _exchange(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        content = None if body is None else msgspec.json.encode(body)
        # Uncompressed, so that the ceiling counts what arrives.
        headers = {"accept-encoding": "identity"} | ({} if content is None else {"content-type": "application/json"})
        try:
            async with (
                self._clock.timeout(self._within_s),
                self._client.stream(method, path, content=content, headers=headers) as answer,
            ):
                return answer.status_code, await _body(answer, f"{method} {path}")
        except TimeoutError as late:
            raise ClearanceSilent(f"{method} {path}: no answer within {self._within_s:g} s") from late
        except httpx.HTTPError as wrong:
            raise ClearanceSilent(f"{method} {path}: {type(wrong).__name__} {wrong}") from wrong


async def _body(answer: httpx.Response, what: str) -> bytes:
    if not answer.is_success:
        raise ClearanceOdd(f"{what}: status {answer.status_code}")
    body = b""
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > _LARGEST_ANSWER:
            raise ClearanceOdd(f"{what}: more than {_LARGEST_ANSWER} bytes")
    return body


def _order(body: bytes) -> SignedOrder:
    try:
        order = _decode(body).order
        return SignedOrder(
            payload=base64.b64decode(order.payload, validate=True),
            seals=tuple(Seal(key=s.key, signature=base64.b64decode(s.signature, validate=True)) for s in order.seals),
        )
    except ValueError as wrong:  # msgspec's errors and base64's are of this kind
        raise ClearanceOdd(f"no order in the answer: {wrong}") from wrong
