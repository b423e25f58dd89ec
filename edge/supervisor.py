"""Starts the processes of a site, starts again what has ended, and ends them all with itself.

In production the same roster runs as systemd units; this is the supervisor of a machine that has none.
Waits here are real seconds even at a simulated port: a process does not start faster because the site's clock does.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from drivers.kinds import Clock
from drivers.readings import Instant

FIRST_RETRY_S = 0.2
RETRY_CAP_S = 10.0
"""A crash loop must not take the machine from the lanes that work."""
STEADY_S = 30.0
"""A process that ran that long starts again at once when it ends."""
TERMINATE_WITHIN_S = 10.0
"""Time for a lane to close its book and its links after SIGTERM; then SIGKILL. Its book survives that as well."""
READY_WITHIN_S = 15.0
"""What needs another process waits so long for it, then starts anyway: every process here survives without."""
DRAIN_S = 1.0
"""After its end a process' last lines are read for that long; a stray grandchild may hold the pipe open for ever."""
LINE_CAP = 8192
"""Longer lines of a child's output are cut in pieces: a binary dump must not fill memory or the log."""

_log = logging.getLogger(__name__)
_child_log = logging.getLogger("quaygate.child")
TETHER = str(Path(__file__).with_name("tether.py"))
"""Script that ties a child to its parent's life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process to keep running."""

    name: str
    argv: tuple[str, ...]
    needs: tuple[str, ...] = ()
    """Names that should be ready before the first start."""
    ready: Callable[[], Awaitable[None]] | None = None
    """Returns when the process serves; None when it is ready as soon as it runs."""
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a process stands."""

    pid: int | None = None
    ready: bool = False
    starts: int = 0
    since: Instant | None = None
    """Of the last change of `pid`."""
    ended_with: int | None = None
    """Exit code of the last end; below zero the signal."""


@dataclass(slots=True)
class _Place:
    service: Service
    standing: Standing = field(default_factory=Standing)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once, at the first readiness or when waiting for it was given up."""


class Supervisor:
    """`run` until cancelled. Needs may only name services of the same list, without rings."""

    def __init__(self, services: Sequence[Service], clock: Clock) -> None:
        """`clock` must run at real speed."""
        self._clock = clock
        self._places = {service.name: _Place(service) for service in services}
        self._waves = waves(services)

    @property
    def standing(self) -> dict[str, Standing]:
        """How every process stands now, by name."""
        return {name: place.standing for name, place in self._places.items()}

    async def wait_ready(self, *names: str) -> None:
        """Returns when these (all, when none is named) have been ready once, or were given up waiting for."""
        for name in names or self._places:
            await self._places[name].ready.wait()

    async def run(self) -> None:
        """Keeps them all running. On cancellation ends them, those that need others first."""
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(self._mind(place)) for name, place in self._places.items()}
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                for wave in reversed(self._waves):
                    for service in wave:
                        tasks[service.name].cancel()
                    await asyncio.wait([tasks[service.name] for service in wave])

    async def _mind(self, place: _Place) -> None:
        service, failures = place.service, 0
        for need in service.needs:
            await self._places[need].ready.wait()
        while True:
            began = self._clock.now()
            try:
                code = await self._one_life(place)
            except OSError as fault:
                code = None
                _log.error("%s: cannot be started: %s", service.name, fault)
            lived = self._clock.now() - began
            place.standing = replace(place.standing, pid=None, ready=False, since=self._clock.now(), ended_with=code)
            failures = 1 if lived >= STEADY_S else failures + 1
            wait_s = min(FIRST_RETRY_S * 2 ** min(failures - 1, 16), RETRY_CAP_S)
            _log.warning("%s: %s after %.1f s; again in %.1f s", service.name, _ending(code), lived, wait_s)
            await self._clock.sleep(wait_s)

    async def _one_life(self, place: _Place) -> int:
        """The exit code. Whatever ends this ends the process and all that it started."""
        service = place.service
        process, reader, transport = await _spawn(service)
        now = self._clock.now()
        place.standing = replace(place.standing, pid=process.pid, since=now, starts=place.standing.starts + 1)
        _log.info("%s: started, process %d", service.name, process.pid)
        try:
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(_tell(service.name, reader))
                readiness = group.create_task(self._watch_ready(place))
                try:
                    code = await process.wait()
                finally:
                    readiness.cancel()
                    await self._end(service.name, process)
                    await asyncio.wait([telling], timeout=DRAIN_S)
                    telling.cancel()
        finally:
            transport.close()
        return code

    async def _watch_ready(self, place: _Place) -> None:
        try:
            if place.service.ready is not None:
                async with self._clock.timeout(READY_WITHIN_S):
                    await place.service.ready()
        except TimeoutError:
            _log.warning(
                "%s: not ready after %.0f s; nobody waits for it any longer", place.service.name, READY_WITHIN_S
            )
        else:
            place.standing = replace(place.standing, ready=True)
        place.ready.set()

    async def _end(self, name: str, process: asyncio.subprocess.Process) -> None:
        """SIGTERM if it still runs, SIGKILL when that is not heard; strays of its process group are killed anyhow."""
        try:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                async with self._clock.timeout(TERMINATE_WITHIN_S):
                    await process.wait()
        except TimeoutError:
            _log.warning("%s: did not end within %.0f s of SIGTERM: killed", name, TERMINATE_WITHIN_S)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def waves(services: Sequence[Service]) -> list[list[Service]]:
    """In order of need: each wave needs only those before it. Raises ValueError for a ring or an unknown need."""
    left, placed = list(services), set[str]()
    found: list[list[Service]] = []
    while left:
        wave = [s for s in left if placed.issuperset(s.needs)]
        if not wave:
            raise ValueError(f"needs go in a ring or name nobody: {', '.join(s.name for s in left)}")
        found.append(wave)
        placed.update(s.name for s in wave)
        left = [s for s in left if s not in wave]
    return found


async def _spawn(service: Service) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader, asyncio.BaseTransport]:
    """The process, and one stream of its output and its errors in the order of writing. Raises OSError.

    The pipe is ours and not asyncio's, so that `process.wait` waits for the process only, whoever else holds the pipe.
    """
    source, sink = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb", buffering=0)
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", TETHER, str(os.getpid()), *service.argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on, in order
            env={**os.environ, "PYTHONUNBUFFERED": "1", **dict(service.environment)},
        )
    except BaseException:
        transport.close()
        raise
    finally:
        os.close(sink)
    return process, reader, transport


async def _tell(name: str, reader: asyncio.StreamReader) -> None:
    """Every line to the log, with the name before it."""
    rest = b""
    while chunk := await reader.read(LINE_CAP):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) >= LINE_CAP:
            lines.append(rest)
            rest = b""
        for line in lines:
            _say(name, line)
    if rest:
        _say(name, rest)


def _say(name: str, line: bytes) -> None:
    _child_log.info("%s | %s", name, line.decode("utf-8", "replace").rstrip())


def _ending(code: int | None) -> str:
    if code is None:
        return "did not start"
    if code < 0:
        return f"ended by signal {-code} ({signal.strsignal(-code)})"
    return f"ended with exit code {code}"
