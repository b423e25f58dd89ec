"""An ASGI app on a socket of its own, for as long as a `with` block lasts."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from types import TracebackType
from typing import Any, Self

import uvicorn

START_WITHIN_S = 20.0
"""Real seconds: uvicorn is up in a tenth of one; a loaded machine gets a hundred times as long."""
STOP_WITHIN_S = 1
"""Real seconds that open requests get at the end; a silent answer would hold the door for ever."""


class _Quiet(uvicorn.Server):
    """Leaves the process's signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Served:
    """`async with Served(app) as served: served.url`."""

    def __init__(self, app: Any, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = socket.create_server((host, port))
        self._server = _Quiet(
            uvicorn.Config(app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=STOP_WITHIN_S)
        )
        self._task: asyncio.Task[None] | None = None
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}"

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        async with asyncio.timeout(START_WITHIN_S):
            while not self._server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn sets a flag, no event
                await asyncio.sleep(0.01)
        if self._task.done():
            await self._task
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()
