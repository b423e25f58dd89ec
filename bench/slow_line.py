"""A line of so many bits a second between a browser and a server: all connections share it, each way has its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

PIECE = 1460
"""Bytes that leave at once: a packet."""


@dataclass
class Way:
    """One direction: pieces queue for it, as packets do."""

    bytes_a_second: float
    latency_s: float
    carried: int = 0
    _free_at: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def carry(self, size: int) -> None:
        """Returns when that many bytes would have left."""
        async with self._turn:
            loop = asyncio.get_running_loop()
            self._free_at = max(self._free_at, loop.time()) + size / self.bytes_a_second
            wait = self._free_at - loop.time()
            self.carried += size
            if wait > 0:
                await asyncio.sleep(wait)


class SlowLine:
    """A TCP proxy. `down` is what the browser gets."""

    def __init__(self, target: int, *, mbit_s: float, latency_s: float) -> None:
        """`target`: the server's port on 127.0.0.1; `latency_s`: of either way."""
        self.down = Way(mbit_s * 125_000, latency_s)
        self.up = Way(mbit_s * 125_000, latency_s)
        self.port = 0
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator["SlowLine"]:
        """Listening at `port`."""
        server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError, OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            await asyncio.gather(self._pump(reader, far_writer, self.up), self._pump(far_reader, writer, self.down))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)

        async def deliver() -> None:
            while True:
                due, piece = await late.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not piece:
                    return
                writer.write(piece)
                await writer.drain()

        try:
            with suppress(OSError):
                async with asyncio.TaskGroup() as group:
                    group.create_task(deliver())
                    while piece := await reader.read(PIECE):
                        await way.carry(len(piece))
                        await late.put((loop.time() + way.latency_s, piece))
                    await late.put((loop.time() + way.latency_s, b""))
        except* OSError:
            pass
        finally:
            self._tasks.discard(task)
            with suppress(OSError):
                writer.close()
