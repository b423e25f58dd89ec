"""What all of the console's HTTP has in common: JSON out, a small JSON body in, numbers in a query."""

from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

T = TypeVar("T")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def json_answer(value: object, status: int = 200) -> Response:
    """The value as JSON."""
    return Response(_encode(value), status, media_type="application/json")


async def read_json(request: Request, kind: type[T], ceiling: int) -> T | None:
    """The body as `kind`; None when it is not one. Raises HTTPException: not JSON, or more than `ceiling` bytes."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "a command is application/json")
    try:
        return msgspec.json.decode(await _body(request, ceiling), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def number(request: Request, name: str, usual: float, most: float) -> float:
    """A number above 0 out of the query. Raises HTTPException."""
    text = request.query_params.get(name)
    if text is None:
        return usual
    try:
        value = float(text)
    except ValueError:
        raise HTTPException(400, f"{name} is a number") from None
    if not 0 < value <= most:
        raise HTTPException(400, f"{name} is above 0 and at most {most:g}")
    return value


async def _body(request: Request, ceiling: int) -> bytes:
    chunks: AsyncIterator[bytes] = request.stream()
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > ceiling:
            raise HTTPException(413, f"a command is at most {ceiling} bytes")
    return body
