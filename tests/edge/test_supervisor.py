"""Processes are kept running, told of, and never outlive their supervisor."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from edge.clock import SiteClock
from edge.supervisor import LINE_CAP, Service, Supervisor, waves

STAY = "import signal, time; print('here', flush=True); signal.pause()"
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('here', flush=True)
while True: signal.pause()
"""
FAST = 20.0
"""The supervisor's own waits run fast in these tests; the processes do not."""


def python(name: str, code: str, *, needs: tuple[str, ...] = (), **more: object) -> Service:
    return Service(name=name, argv=(sys.executable, "-c", code), needs=needs, **more)  # pyright: ignore[reportArgumentType]


async def until(true: Callable[[], object], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@asynccontextmanager
async def running(*services: Service, speed: float = FAST) -> AsyncGenerator[Supervisor]:
    supervisor = Supervisor(services, SiteClock(speed=speed))
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_killed_process_starts_again_and_the_other_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with running(python("lane/L01", STAY), python("recorder", STAY)) as supervisor:
        await until(lambda: sum(" | here" in r.getMessage() for r in caplog.records) == 2)
        assert all(s.ready for s in supervisor.standing.values())
        first, other = supervisor.standing["lane/L01"].pid, supervisor.standing["recorder"].pid
        assert first and other
        os.kill(first, signal.SIGKILL)
        await until(lambda: supervisor.standing["lane/L01"].starts == 2)
        again = supervisor.standing["lane/L01"]
        assert again.pid != first and again.ended_with == -signal.SIGKILL
        assert supervisor.standing["recorder"].pid == other
        pids = [s.pid for s in supervisor.standing.values()]
    assert not any(alive(pid) for pid in pids if pid)
    said = [r.getMessage() for r in caplog.records]
    assert any("lane/L01: ended by signal 9" in line for line in said)


async def test_a_crash_loop_slows_down() -> None:
    slept: list[float] = []

    class Noting(SiteClock):
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            await asyncio.sleep(0)

    supervisor = Supervisor([python("lane/L01", "raise SystemExit(3)")], Noting())
    task = asyncio.create_task(supervisor.run())
    await until(lambda: len(slept) >= 8)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slept[:8] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0])
    assert supervisor.standing["lane/L01"].ended_with == 3


async def test_a_program_that_does_not_exist_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with running(Service(name="broker", argv=("/nowhere/nats-server",))) as supervisor:
        await until(lambda: supervisor.standing["broker"].starts >= 2)
    assert any("cannot start /nowhere/nats-server: No such file" in r.getMessage() for r in caplog.records)


async def test_what_needs_waits_for_the_ready_and_not_longer() -> None:
    gate, asked = asyncio.Event(), asyncio.Event()

    async def ready() -> None:
        asked.set()
        await gate.wait()

    broker = python("broker", STAY, ready=ready)
    async with running(broker, python("recorder", STAY, needs=("broker",)), speed=1) as supervisor:
        await until(asked.is_set)
        assert supervisor.standing["recorder"].pid is None
        gate.set()
        await supervisor.wait_ready()
        assert supervisor.standing["broker"].ready
    gate.clear()
    async with running(broker, python("recorder", STAY, needs=("broker",)), speed=200) as supervisor:
        await until(lambda: supervisor.standing["recorder"].pid)
        assert not supervisor.standing["broker"].ready


async def test_the_deaf_are_killed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with running(python("deaf", DEAF)) as supervisor:
        await until(lambda: any("deaf | here" in r.getMessage() for r in caplog.records))
        pid = supervisor.standing["deaf"].pid
    assert pid and not alive(pid)
    assert any("killed" in r.getMessage() for r in caplog.records)


async def test_they_end_in_the_order_of_need(tmp_path: Path) -> None:
    log = tmp_path / "ends"
    code = (
        "import signal, sys, os\n"
        "def end(*_):\n"
        f"    with open({str(log)!r}, 'a') as f: f.write({{name!r}} + ' ')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('here', flush=True); signal.pause()\n"
    )
    heard: set[str] = set()

    class Hearing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.add(record.getMessage())

    hearing = Hearing()
    logger = logging.getLogger("quaygate.child")
    logger.addHandler(hearing)
    logger.setLevel(logging.INFO)
    try:
        services = [
            python("broker", code.replace("{name!r}", "'broker'")),
            python("recorder", code.replace("{name!r}", "'recorder'"), needs=("broker",)),
            python("console", code.replace("{name!r}", "'console'"), needs=("recorder",)),
        ]
        async with running(*services):
            await until(lambda: len(heard) == 3)
    finally:
        logger.removeHandler(hearing)
    assert log.read_text().split() == ["console", "recorder", "broker"]


async def test_a_stray_grandchild_that_holds_the_pipe_holds_nobody_up() -> None:
    stray = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {STAY!r}]); print(p.pid, flush=True)"
    async with running(python("lane/L01", stray)) as supervisor:
        await until(lambda: supervisor.standing["lane/L01"].starts >= 3)
    assert not [p for p in psutil.Process().children(recursive=True) if alive(p.pid)]


async def test_long_and_broken_output_is_cut_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "quaygate.child")
    code = (
        f"import sys; sys.stdout.buffer.write(b'x' * {3 * LINE_CAP} + b'\\n\\xff\\xfe end\\nlast'); sys.stdout.flush()"
    )
    async with running(python("loud", code)) as supervisor:
        await until(lambda: supervisor.standing["loud"].starts >= 2)
    said = [r.getMessage() for r in caplog.records]
    assert sum(line.count("x") for line in said[: said.index("loud | last")]) == 3 * LINE_CAP
    assert max(map(len, said)) <= 2 * LINE_CAP + len("loud | ")
    assert "loud | �� end" in said


SUPERVISOR = f"""
import asyncio, logging, sys
from edge.clock import SiteClock
from edge.supervisor import Service, Supervisor

async def main():
    stay = (sys.executable, "-c", {STAY!r})
    supervisor = Supervisor([Service(name="a", argv=stay), Service(name="b", argv=stay)], SiteClock())
    async with asyncio.TaskGroup() as group:
        group.create_task(supervisor.run())
        await supervisor.wait_ready()
        print(*(s.pid for s in supervisor.standing.values()), flush=True)

asyncio.run(main())
"""


async def test_no_orphans_when_the_supervisor_is_killed() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SUPERVISOR, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    async with asyncio.timeout(20):
        pids = [int(word) for word in (await process.stdout.readline()).split()]
    assert len(pids) == 2 and all(alive(pid) for pid in pids)
    process.kill()
    await process.wait()
    await until(lambda: not any(alive(pid) for pid in pids))


def test_waves_refuse_rings_and_strangers() -> None:
    a, b = Service(name="a", argv=(), needs=("b",)), Service(name="b", argv=(), needs=("a",))
    with pytest.raises(ValueError, match="ring"):
        waves([a, b])
    with pytest.raises(ValueError, match="ring or name nobody"):
        waves([Service(name="a", argv=(), needs=("nobody",))])
