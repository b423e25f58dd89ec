"""The black box: every byte of every link with its stamp, in order, in rotating compressed files.

One box a process. Its links and its thinking write to one tape, so that the order on the tape is the order in which
this process met its world; drivers/link/tape.py reads it, drivers/link/replay.py plays it back.

It is flushed once a second: a process that is killed loses that second of its tape, never more, and a torn end is told
when the tape is read. Nothing waits for the box: what a slow or full disk cannot take is dropped, counted, and the
count stands on the tape where the bytes are missing.
"""

import asyncio
import hashlib
import logging
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from drivers.faults import DriverFault, NoAnswer
from drivers.kinds import Clock, Link
from drivers.link.listen import TcpListenLink
from drivers.link.tape import HEAD, LONGEST, MAGIC, SUFFIX, Kind, Record, began_at, records
from drivers.link.udp import UdpLink
from drivers.readings import Chunk, Instant

FLUSH_S: Final = 1.0
"""Real seconds of the tape that a killed process may lose."""
ROTATE_S: Final = 3600.0
"""Site seconds: an hour is quickly found and quickly read."""
ROTATE_BYTES: Final = 32 * 1024 * 1024
"""Of uncompressed tape: a lane fills that in half a day; a storm of noise must not make one file without end."""
WAITING_CEILING: Final = 8 * 1024 * 1024
"""Bytes that wait for a slow disk: ten minutes of a busy lane."""
LINES: Final = 4096
"""Names of links in one file."""

_log = logging.getLogger(__name__)


class BlackBoxConfig(BaseModel):
    """`[black_box]`: how much of the tape is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_days: float = Field(default=30.0, gt=0, le=3650)
    """A dispute about a passage comes within weeks."""
    keep_mb: int = Field(default=4096, ge=16, le=1_000_000)
    """For each process; the oldest files go first."""


class Recorder:
    """Writes the tape of one process. `run` keeps it flowing; `finish` ends the file."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        config: BlackBoxConfig | None = None,
        *,
        finished: Callable[[Path, str, int], Awaitable[None]] | None = None,
    ) -> None:
        """`finished` is told of each whole file: its path, its SHA-256 in hex, its records."""
        self.missed_bytes = 0
        """Of tape, since the start."""
        self._folder, self._clock = folder, clock
        self._config = config or BlackBoxConfig()
        self._finished = finished
        self._names: list[str] = []
        self._open: set[int] = set()
        self._standing: dict[str, bytes] = {}
        self._was_open: frozenset[int] = frozenset()
        """As the tape that is on the disk ends; with the words that hold."""
        self._held: tuple[bytes, ...] = ()
        self._waiting = bytearray()
        self._missing = 0
        self._tape: _Tape | None = None
        self._failed = False
        self._turn = asyncio.Lock()

    def tap(self, link: str) -> "Tap":
        """Where one link tells what passes over it. A name given again continues the same line."""
        if link not in self._names:
            if len(self._names) >= LINES:
                raise ValueError(f"more than {LINES} links in one process")
            self._names.append(link)
            self.put(Kind.NAME, len(self._names) - 1, link.encode())
        return Tap(self, self._names.index(link))

    def mark(self, word: str, said: object) -> None:
        """A word of the process itself, as JSON: `{word: said}`."""
        self.put(Kind.MARK, 0, msgspec.json.encode({word: said}))

    def stand(self, word: str, said: object) -> None:
        """The same for what holds until it is said anew: every file begins with it."""
        self._standing[word] = msgspec.json.encode({word: said})
        self.put(Kind.MARK, 0, self._standing[word])

    def put(self, kind: Kind, line: int, payload: bytes, at: Instant | None = None) -> None:
        """Never waits."""
        stamp = self._clock.now() if at is None else at
        if kind is Kind.OPENED:
            self._open.add(line)
        elif kind is Kind.ENDED:
            self._open.discard(line)
        if len(self._waiting) + len(payload) > WAITING_CEILING:
            self._missing += HEAD.size + len(payload)
            return
        if self._missing:
            self._waiting += HEAD.pack(stamp, Kind.MISSED, 0, 8) + struct.pack("<Q", self._missing)
            self.missed_bytes += self._missing
            self._missing = 0
        for start in range(0, max(1, len(payload)), LONGEST):
            piece = payload[start : start + LONGEST]
            self._waiting += HEAD.pack(stamp, kind, line, len(piece)) + piece

    async def run(self) -> None:
        """Until cancelled; the last second is on the tape then."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                pause: asyncio.Future[None] = loop.create_future()
                timer = loop.call_later(FLUSH_S, pause.set_result, None)
                try:
                    await pause
                finally:
                    timer.cancel()
                await self.flush()
        finally:
            await asyncio.shield(self.finish())

    async def flush(self) -> None:
        """What waits goes to the disk; a file that is due is ended and another begun."""
        async with self._turn:
            now = self._clock.now()
            tape = self._tape
            if tape is not None and (now - tape.began >= ROTATE_S or tape.size >= ROTATE_BYTES):
                await self._end(tape)
            waiting, self._waiting = self._waiting, bytearray()
            if not waiting:
                return
            standing = frozenset(self._open), tuple(self._standing.values())
            try:
                await asyncio.to_thread(self._write, bytes(waiting), now)
            except OSError as fault:
                self._missing += len(waiting)
                self._tape = None
                if not self._failed:
                    _log.error("black box %s: %s; the tape has a hole until the disk works", self._folder, fault)
                self._failed = True
            else:
                self._was_open, self._held = standing
                if self._failed:
                    _log.warning("black box %s: writes again", self._folder)
                self._failed = False

    async def finish(self) -> None:
        """End the file that is being written. Another `put` begins the next."""
        await self.flush()
        async with self._turn:
            if self._tape is not None:
                await self._end(self._tape)

    def _write(self, waiting: bytes, now: Instant) -> None:
        if self._tape is None:
            began = Instant(struct.unpack_from("<d", waiting)[0])
            self._tape = _Tape(_free_name(self._folder, began), began)
            self._tape.write(b"".join(self._beginning(began)))
            prune(self._folder, self._config, now, but=self._tape.path)
        self._tape.write(waiting)

    def _beginning(self, at: float) -> Iterator[bytes]:
        """A file can be read alone: it begins with the names, what is open, and what holds."""
        for line, name in enumerate(map(str.encode, self._names)):
            yield HEAD.pack(at, Kind.NAME, line, len(name)) + name
        for line in sorted(self._was_open):
            yield HEAD.pack(at, Kind.STANDING, line, 0)
        for said in self._held:
            yield HEAD.pack(at, Kind.MARK, 0, len(said)) + said

    async def _end(self, tape: "_Tape") -> None:
        self._tape = None
        try:
            digest, records = await asyncio.to_thread(tape.end)
        except OSError as fault:
            _log.error("black box %s: %s cannot be ended: %s", self._folder, tape.path.name, fault)
            return
        if self._finished is not None:
            await self._finished(tape.path, digest, records)


class _Tape:
    """One file."""

    def __init__(self, path: Path, began: Instant) -> None:
        self.path, self.began = path, began
        self.size = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("xb")
        self._file.write(MAGIC)
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)

    def write(self, records: bytes) -> None:
        self.size += len(records)
        self._file.write(self._deflate.compress(records) + self._deflate.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def end(self) -> tuple[str, int]:
        """SHA-256 of the whole file, and how many records a reader finds in it."""
        self._file.write(self._deflate.flush(zlib.Z_FINISH))
        self._file.close()
        with self.path.open("rb") as whole:
            digest = hashlib.file_digest(whole, "sha256").hexdigest()
        return digest, sum(isinstance(each, Record) for each in records(self.path))


def _free_name(folder: Path, now: Instant) -> Path:
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    taken = len(list(folder.glob(f"{stamp}-*{SUFFIX}")))
    return folder / f"{stamp}-{taken:03d}{SUFFIX}"


def prune(folder: Path, config: BlackBoxConfig, now: Instant, *, but: Path) -> list[Path]:
    """Delete the oldest files beyond what the site keeps; never `but`. The files that went."""
    gone: list[Path] = []
    kept = 0
    for path in sorted(folder.glob(f"*{SUFFIX}"), reverse=True):
        if path == but:
            continue
        with suppress(OSError):
            size = path.stat().st_size
            began = began_at(path)
            kept += size
            too_old = began is not None and now - began > config.keep_days * 86_400
            if too_old or kept > config.keep_mb * 1_000_000:
                path.unlink()
                gone.append(path)
    return gone


class Tap:
    """One link's place on the tape."""

    __slots__ = ("_box", "_line")

    def __init__(self, box: Recorder, line: int) -> None:
        self._box, self._line = box, line

    def opened(self) -> None:
        """A life begins."""
        self._box.put(Kind.OPENED, self._line, b"")

    def received(self, data: bytes, at: Instant | None = None) -> None:
        """Bytes from the instrument, stamped as the driver will see them."""
        self._box.put(Kind.RECEIVED, self._line, data, at)

    def datagram(self, sender: str, data: bytes, at: Instant) -> None:
        """A datagram, or a piece of one client's stream, and who sent it. No bytes: it has hung up."""
        self._box.put(Kind.DATAGRAM, self._line, _addressed(sender, data), at)

    def sent(self, data: bytes) -> None:
        """Bytes to the instrument."""
        self._box.put(Kind.SENT, self._line, data)

    def answered(self, client: str, data: bytes) -> None:
        """Bytes to one of those on the port."""
        self._box.put(Kind.ANSWERED, self._line, _addressed(client, data))

    def failed(self, fault: DriverFault) -> None:
        """A deadline passed in silence, or the life is over."""
        self._box.put(Kind.SILENT if isinstance(fault, NoAnswer) else Kind.ENDED, self._line, fault.what.encode())


def _addressed(who: str, data: bytes) -> bytes:
    name = who.encode()[:255]
    return bytes((len(name),)) + name + data


class RecordedLink:
    """A Link whose every byte goes to the tape as it is handed over."""

    def __init__(self, link: Link, tap: Tap) -> None:
        self._link, self._tap = link, tap
        tap.opened()

    @property
    def name(self) -> str:
        """As Link.name."""
        return self._link.name

    async def read(self, deadline_s: float) -> Chunk:
        """As Link.read."""
        try:
            chunk = await self._link.read(deadline_s)
        except DriverFault as fault:
            self._tap.failed(fault)
            raise
        self._tap.received(chunk.data, chunk.at)
        return chunk

    async def write(self, data: bytes, deadline_s: float) -> None:
        """As Link.write. What was cut off is on the tape as well: how much of it left is not known."""
        self._tap.sent(data)
        try:
            await self._link.write(data, deadline_s)
        except DriverFault as fault:
            self._tap.failed(fault)
            raise

    async def close(self) -> None:
        """As Link.close."""
        await self._link.close()


class RecordedPort(RecordedLink):
    """The same for a port on which many instruments speak, in datagrams or over connections of their own."""

    def __init__(self, link: UdpLink | TcpListenLink, tap: Tap) -> None:
        super().__init__(link, tap)
        self.whole: bool = link.whole
        """As the link's."""
        self._port = link

    @property
    def address(self) -> tuple[str, int]:
        """As the link's."""
        return self._port.address

    async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:
        """As UdpLink.read_from, TcpListenLink.read_from."""
        try:
            chunk, sender = await self._port.read_from(deadline_s)
        except DriverFault as fault:
            self._tap.failed(fault)
            raise
        self._tap.datagram(sender, chunk.data, chunk.at)
        return chunk, sender

    def write_to(self, client: str, data: bytes) -> bool:
        """As the link's. What a client did not take is not on the tape."""
        taken = self._port.write_to(client, data)
        if taken:
            self._tap.answered(client, data)
        return taken

    def hang_up(self, client: str) -> None:
        """As the link's; its end comes as a piece without bytes."""
        self._port.hang_up(client)


def recorded(link: Link, tap: Tap | None) -> Link:
    """The link, with the black box listening; without a tap, the link itself."""
    if tap is None:
        return link
    return RecordedPort(link, tap) if isinstance(link, UdpLink | TcpListenLink) else RecordedLink(link, tap)


def recorded_port(link: UdpLink | TcpListenLink, tap: Tap | None) -> RecordedPort | UdpLink | TcpListenLink:
    """The same for a port whose driver answers one of many."""
    return link if tap is None else RecordedPort(link, tap)
