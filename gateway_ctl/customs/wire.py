"""Connections to and from customs, and the words on them: who may connect, what a packet is, how long to wait for it.

Nothing here knows what a message means, nor what has to be sent.
"""

import asyncio
import hashlib
import logging
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from drivers.kinds import Clock
from drivers.readings import Garbage, Instant
from gateway_ctl.customs.codes import code_name
from gateway_ctl.customs.packet import Acknowledgement, Layout, Naked, Packet, Reader, Word, describe, to_bytes
from gateway_ctl.customs.profile import Profile
from gateway_ctl.customs.store import Store

OPEN_S = 3.0
"""A front server in the port's own network accepts within milliseconds."""
PACKET_S = 30.0
"""A connection that gives no whole word in this time is closed; a packet of the largest size takes a second."""
IDLE_S = 900.0
"""The same on a long connection, where nothing may happen for long."""
RETRY_S = 2.0
"""Between two tries while the peer is away: the field's own."""
LARGEST_IN = 2**20
"""Bytes of a packet from customs. Its longest message has some 3 KiB; pictures never come this way."""
MOST_CONNECTIONS = 32
"""Customs has one or two; more is a flood."""
_CHUNK = 65_536
_KEEP_ALIVE = (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
"""A cable that is cut says nothing; the field's own numbers: three probes, five seconds apart."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How this lane and customs reach each other."""

    profile: Profile
    host: str
    port: int
    listen_host: str
    listen_port: int
    """0: any, told by Link.port."""
    from_hosts: tuple[str, ...] = ()
    """Addresses that may connect to us, beside `host`."""
    long: bool = False
    """One connection is kept for what we send, and answers may come on it."""
    intake_port: int | None = None
    """A port of `host` that we connect to and read from, where customs cannot connect to us (the serial server's)."""
    client_tls: ssl.SSLContext | None = None
    server_tls: ssl.SSLContext | None = None
    resend_s: float = 10.0
    """A question without an answer is sent again after this."""
    resends: int = 5
    """At most so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A packet or document from customs."""

    peer: str
    at: Instant
    code: int | None
    area: str | None
    """What the packet's head says; None without a packet."""
    channel: str | None
    direction: str | None
    xml: bytes = field(repr=False)
    raw: bytes = field(repr=False)
    digest: str
    """SHA-256, hex, of `raw`."""

    @property
    def what(self) -> str:
        """For a log."""
        return f"{code_name(self.code)} of {len(self.raw)} bytes from {self.peer}"


class Wire:
    """The connections of one lane. `run` listens until cancelled."""

    def __init__(self, way: Way, store: Store, clock: Clock, heard: Callable[[Came], Awaitable[None]]) -> None:
        """`heard` is told of every packet and document; what is neither is `odd`."""
        self.way = way
        self.port = 0
        """The port we listen on; 0 while we do not."""
        self.listening = asyncio.Event()
        self.odd_ones = 0
        self.strangers = 0
        """Connections from addresses that are not customs'."""
        self._store, self._clock, self._heard = store, clock, heard
        self._layouts: dict[str, Layout] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._accepted: set[asyncio.Task[None]] = set()
        self._broken: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Raises StoreFailed, and whatever `heard` raises."""
        self._broken = asyncio.get_running_loop().create_future()
        said = False
        try:
            while True:
                try:
                    server = await asyncio.start_server(
                        self._accept,
                        self.way.listen_host,
                        self.way.listen_port,
                        ssl=self.way.server_tls,
                        limit=_CHUNK,
                    )
                    break
                except OSError as wrong:
                    if not said:
                        where = f"{self.way.listen_host}:{self.way.listen_port}"
                        _log.error(
                            "customs link: cannot listen on %s (%s): no answer can come; trying again", where, wrong
                        )
                    said = True
                    await self._clock.sleep(RETRY_S)
            self.port = server.sockets[0].getsockname()[1]
            self.listening.set()
            try:
                await self._broken
            finally:
                server.close()
        finally:
            for writer in tuple(self._writers):
                writer.transport.abort()
            for task in tuple(self._accepted):
                task.cancel()
            if self._accepted:
                await asyncio.wait(self._accepted)

    def odd(self, peer: str, why: str, raw: bytes) -> None:
        """Something came that nothing rests on: counted, kept, and said in the log ever more rarely."""
        self.odd_ones += 1
        self._store.odd(self._clock.now(), peer, why, raw)
        level = logging.WARNING if self.odd_ones & (self.odd_ones - 1) == 0 else logging.DEBUG
        _log.log(level, "customs link: %s: %s (%d odd ones so far)", peer, why, self.odd_ones)

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To a port of customs'. Raises OSError, TimeoutError."""
        tls = self.way.client_tls
        async with self._clock.timeout(OPEN_S):
            reader, writer = await asyncio.open_connection(
                self.way.host, port, ssl=tls, limit=_CHUNK, server_hostname=None if tls is None else self.way.host
            )
        line: socket.socket | None = writer.get_extra_info("socket")
        if line is not None:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEP_ALIVE:
                if hasattr(socket, option):
                    line.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        self._writers.add(writer)
        return reader, writer

    def end(self, writer: asyncio.StreamWriter) -> None:
        """Close a connection; a second call does nothing."""
        self._writers.discard(writer)
        writer.close()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str, silence_s: float
    ) -> None:
        """Hear all words of a connection, until its end or until it is silent for so long."""
        with suppress(OSError):
            await self._hear(reader, writer, peer, lambda: silence_s, None)

    async def read_out(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stays_s: float, *, signed: bool
    ) -> tuple[Acknowledgement | None, bool]:
        """What comes back on a connection that we opened, within that time in all; the first acknowledgement ends it.

        And whether the peer closed its half. Raises OSError: the peer has reset the connection.
        """
        until = self._clock.now() + stays_s
        taken: list[Acknowledgement] = []
        closed = await self._hear(
            reader, writer, self.way.host, lambda: until - self._clock.now(), taken if signed else None
        )
        return (taken[0] if taken else None), closed

    async def _hear(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        peer: str,
        left_s: Callable[[], float],
        taken: list[Acknowledgement] | None,
    ) -> bool:
        words = Reader(self._layouts.get(peer), naked=not self.way.profile.framed, largest=LARGEST_IN)
        more = closed = True
        try:
            while more and not taken:
                # Only the wait has a deadline: what was heard is heard to its end.
                try:
                    async with self._clock.timeout(max(0.0, left_s())):
                        data = await reader.read(_CHUNK)
                except TimeoutError:
                    data, closed = b"", False
                if not data:
                    more = False
                    words.end()
                for word in words.words(data):
                    if isinstance(word, Acknowledgement) and taken is not None:
                        taken.append(word)
                    else:
                        await self._word(word, peer, writer)
        finally:
            if words.layout is not None:
                self._layouts[peer] = words.layout
            self.end(writer)
        return closed

    async def take_in(self, port: int, told: Callable[[str | None], None]) -> None:
        """Read from a port of customs', again and again. `told`: None when connected, else why not."""
        while True:
            try:
                reader, writer = await self.connect(port)
            except (OSError, TimeoutError) as wrong:
                told(f"port {port}: {why_of(wrong)}")
            else:
                told(None)
                await self.serve(reader, writer, self.way.host, IDLE_S)
            await self._clock.sleep(RETRY_S)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Streams run this in a task of their own, whose faults nobody would see.
        task = asyncio.current_task()
        assert task is not None and self._broken is not None
        self._accepted.add(task)
        self._writers.add(writer)
        peer: str = (writer.get_extra_info("peername") or ("?",))[0]
        try:
            if len(self._accepted) > MOST_CONNECTIONS:
                self.odd(peer, f"more than {MOST_CONNECTIONS} connections at once", b"")
            elif not await self._known(peer):
                self.strangers += 1
                self.odd(peer, "connects to the gate's port and is not customs", b"")
            else:
                await self.serve(reader, writer, peer, PACKET_S)
        except Exception as wrong:  # noqa: BLE001 - handed to whoever runs the wire: a disk that fails ends the lane
            if not self._broken.done():
                self._broken.set_exception(wrong)
        finally:
            self._accepted.discard(task)
            self.end(writer)

    async def _known(self, peer: str) -> bool:
        told = (self.way.host, *self.way.from_hosts)
        if peer in told:
            return True
        for host in told:
            try:
                async with self._clock.timeout(OPEN_S):
                    found = await asyncio.get_running_loop().getaddrinfo(host, None)
            except (OSError, TimeoutError):
                continue
            if any(address[0] == peer for *_, address in found):
                return True
        return False

    async def _word(self, word: Word, peer: str, writer: asyncio.StreamWriter) -> None:
        at = self._clock.now()
        match word:
            case Garbage(raw=raw, why=why):
                self.odd(peer, why, raw)
            case Acknowledgement():
                self.odd(peer, f"{describe(word)} that nobody waits for", word.raw)
            case Naked(raw=raw):
                await self._heard(
                    Came(
                        peer=peer, at=at, code=None, area=None, channel=None, direction=None, xml=raw, raw=raw,
                        digest=hashlib.sha256(raw).hexdigest(),
                    )
                )  # fmt: skip
            case Packet(raw=raw):
                await self._heard(
                    Came(
                        peer=peer, at=at, code=word.code, area=word.area, channel=word.channel,
                        direction=word.direction, xml=word.xml, raw=raw, digest=hashlib.sha256(raw).hexdigest(),
                    )
                )  # fmt: skip
                if self.way.profile.signed:
                    layout = Layout(4, word.layout.order)
                    taken = Acknowledgement(code=word.code, body=bytes(86), layout=layout, code_first=word.code_first)
                    writer.write(to_bytes(taken))


def why_of(wrong: BaseException) -> str:
    """In a few words."""
    if isinstance(wrong, TimeoutError):
        return "no answer in time"
    if isinstance(wrong, ssl.SSLError):
        return f"TLS: {wrong.reason or wrong}".replace("_", " ").lower()
    if isinstance(wrong, OSError):
        # The event loop puts its own text in the place of the system's.
        return os.strerror(wrong.errno) if wrong.errno else str(wrong) or type(wrong).__name__
    return str(wrong)
