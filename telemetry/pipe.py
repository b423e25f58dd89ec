"""An asyncio transport in the dress of a socket, for a library that would do its own reading and writing.

Many packets share one system call in either direction, TLS is asyncio's, and nothing ever blocks.
"""

import asyncio
from collections.abc import Callable
from typing import cast

OUT_CEILING_BYTES = 4 * 2**20
"""Unsent bytes above which samples are dropped and counted: some 20 s of one busy lane."""


class Pipe(asyncio.Protocol):
    """`fed` is called after bytes, or the end, have come in."""

    def __init__(self, fed: Callable[[], None]) -> None:
        self._fed = fed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._in = b""
        self._at = 0
        self._out: list[bytes | bytearray] = []
        self._ended = False
        self.choked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by class
        self._transport.set_write_buffer_limits(high=OUT_CEILING_BYTES)

    def data_received(self, data: bytes) -> None:
        self._in = self._in[self._at :] + data if self._at < len(self._in) else data
        self._at = 0
        self._fed()

    def eof_received(self) -> None:
        self._ended = True
        self._fed()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - paho has one word for a lost connection
        self._ended = True
        self._fed()

    def pause_writing(self) -> None:
        self.choked = True

    def resume_writing(self) -> None:
        self.choked = False

    @property
    def more(self) -> bool:
        """Whether a read would give bytes, or the end."""
        return self._ended or self._at < len(self._in)

    def flush(self) -> None:
        """Hand what was sent to the transport, in one piece."""
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def recv(self, buffer_size: int) -> bytes:
        at = self._at
        if at >= len(self._in):
            if self._ended:
                return b""
            raise BlockingIOError
        got = self._in[at : at + buffer_size]
        self._at = at + len(got)
        return got

    def send(self, buffer: bytes | bytearray) -> int:
        if self._ended:
            raise ConnectionResetError
        if not self._out:
            self._loop.call_soon(self.flush)
        self._out.append(buffer)
        return len(buffer)

    def close(self) -> None:
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def fileno(self) -> int:
        return -1

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the shape of a socket
        """Never blocks, whatever is asked."""
