"""A link is lost once, back once, and back soon."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import date
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.faults import DriverFault, LinkLost, NoAnswer, OpenFailed, Refused, TheirMistake
from drivers.readings import Instant, Tally
from edge.clock import SiteClock
from edge.keeper import FAULT_RETRY_CAP_S, FIRST_RETRY_S, LINK_RETRY_CAP_S, Care, Health, keep, retry_after
from tests.edge.fast import JumpClock


class Pipe:
    """A link that only knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


Opener: TypeAlias = Callable[[], Awaitable[Pipe]]
Life: TypeAlias = Callable[[Pipe], Awaitable[None]]


class EnoughError(Exception):
    """Ends a keeper in a test: a mistake of ours goes through."""


def script(*steps: DriverFault | Callable[[], Awaitable[None]]) -> tuple[Opener, list[Pipe]]:
    """An opener that fails with each fault in turn, or opens; afterwards it raises EnoughError."""
    left = list(steps)
    made: list[Pipe] = []

    async def open_() -> Pipe:
        if not left:
            raise EnoughError
        step = left.pop(0)
        if isinstance(step, DriverFault):
            raise step
        made.append(Pipe())
        return made[-1]

    return open_, made


async def run(clock: JumpClock, health: Health, open_: Opener, live: Life) -> None:
    with contextlib.suppress(EnoughError):
        await keep("L01/wb", open_, live, clock, health, draw=lambda: 0.0)


async def ok() -> None: ...


async def test_lost_once_back_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "edge.keeper")
    clock = JumpClock()
    health = Health("tcp:10.0.0.1:4001", clock)
    open_, made = script(ok, OpenFailed("wb", "refused"), OpenFailed("wb", "refused"), OpenFailed("wb", "refused"), ok)

    async def live(_: Pipe) -> None:
        health.heard(clock.now())
        await clock.sleep(60)
        raise LinkLost("wb", "reset by peer")

    await run(clock, health, open_, live)
    said = [(r.levelname, r.getMessage().split(":")[1].strip()) for r in caplog.records]
    assert said == [
        ("WARNING", "lost"),
        ("DEBUG", "try 2"),
        ("DEBUG", "try 3"),
        ("DEBUG", "try 4"),
        ("WARNING", "back after 2.6 s (try 5)"),
        ("WARNING", "lost"),
    ]
    assert [p.closed for p in made] == [1, 1]
    assert health.reconnects == 1
    assert not health.up and health.note == "wb: reset by peer"


async def test_waits_double_to_the_cap_and_start_again_after_a_good_life() -> None:
    clock = JumpClock()
    health = Health("x", clock)
    faults = [OpenFailed("wb", "refused")] * 6
    open_, _ = script(*faults, ok, *faults[:2])

    async def live(_: Pipe) -> None:
        health.heard(clock.now())
        clock.at += 60
        raise LinkLost("wb", "reset")

    await run(clock, health, open_, live)
    waits = [w for w in clock.slept if w != 1.0]
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.2, 1.2, 1.2, 0.2, 0.4, 0.8])


async def test_a_server_that_accepts_and_hangs_up_is_down_and_is_not_hammered(caplog: pytest.LogCaptureFixture) -> None:
    clock = JumpClock()
    health = Health("x", clock)
    open_, made = script(*[ok] * 5)

    async def live(_: Pipe) -> None:
        raise LinkLost("wb", "closed by the other side")

    await run(clock, health, open_, live)
    assert len(made) == 5 and all(p.closed == 1 for p in made)
    assert clock.slept == pytest.approx([0.2, 0.4, 0.8, 1.2, 1.2])
    assert not health.up and health.reconnects == 0
    assert [r.levelname for r in caplog.records] == ["WARNING"]


async def test_a_silent_link_that_stands_counts_as_up() -> None:
    clock = SiteClock(speed=50)
    up = asyncio.Event()
    health = Health("x", clock, lambda h: up.set() if h.up else None)
    open_, _ = script(ok)

    async def live(_: Pipe) -> None:
        async with asyncio.timeout(5):
            await up.wait()
        raise NoAnswer("tags", "nothing")

    await run_real(clock, health, open_, live)
    assert health.last_word_at is None


async def run_real(clock: SiteClock, health: Health, open_: Opener, live: Life) -> None:
    with contextlib.suppress(EnoughError):
        await keep("x", open_, live, clock, health)


async def test_what_asking_again_cannot_mend_is_said_loudly_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = JumpClock()
    health = Health("x", clock)
    open_, _ = script(*[ok] * 9)

    async def live(_: Pipe) -> None:
        raise Refused("tags", "the reader takes no inventory", "22")

    await run(clock, health, open_, live)
    assert [r.levelname for r in caplog.records] == ["ERROR"]
    assert clock.slept[-1] == pytest.approx(FAULT_RETRY_CAP_S)


async def test_nonsense_may_be_noise_and_end_with_it(caplog: pytest.LogCaptureFixture) -> None:
    clock = JumpClock()
    health = Health("x", clock)
    open_, _ = script(*[ok] * 9)

    async def live(_: Pipe) -> None:
        raise TheirMistake("io", "checksum is wrong")

    await run(clock, health, open_, live)
    assert [r.levelname for r in caplog.records] == ["ERROR"]
    assert max(clock.slept) <= LINK_RETRY_CAP_S


async def test_the_worst_of_a_group_decides() -> None:
    clock = JumpClock()
    health = Health("x", clock)
    open_, _ = script(ok)

    async def silent() -> None:
        raise NoAnswer("io", "no answer within 1 s")

    async def wrong() -> None:
        raise TheirMistake("io", "answers with another unit's number")

    async def live(_: Pipe) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(silent())
            group.create_task(wrong())

    await run(clock, health, open_, live)
    assert health.note == "io: answers with another unit's number"


async def test_a_life_that_returns_is_a_loss() -> None:
    clock = JumpClock()
    health = Health("x", clock)
    open_, _ = script(ok)

    async def live(_: Pipe) -> None: ...

    await run(clock, health, open_, live)
    assert "ended the stream" in health.note


async def test_a_mistake_of_ours_goes_through_and_the_link_is_closed() -> None:
    clock = JumpClock()
    open_, made = script(ok)

    async def live(_: Pipe) -> None:
        raise KeyError("a bug")

    with pytest.raises(ExceptionGroup) as caught:
        await keep("x", open_, live, clock, Health("x", clock))
    assert caught.group_contains(KeyError)
    assert made[0].closed == 1


@pytest.mark.parametrize("where", ["open", "live", "wait"])
async def test_cancellation_passes_through(where: str) -> None:
    clock = SiteClock()
    there = asyncio.Event()
    pipe = Pipe()

    async def open_() -> Pipe:
        if where == "open":
            there.set()
            await asyncio.Event().wait()
        if where == "wait":
            asyncio.get_running_loop().call_later(0.01, there.set)
            raise OpenFailed("x", "nobody there")
        return pipe

    async def live(_: Pipe) -> None:
        there.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(keep("x", open_, live, clock, Health("x", clock)))
    async with asyncio.timeout(5):
        await there.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert pipe.closed == (where == "live")


async def test_a_port_that_will_not_close_does_not_hold_the_keeper(caplog: pytest.LogCaptureFixture) -> None:
    clock = SiteClock(speed=200)
    lives = 0

    class Stuck(Pipe):
        async def close(self) -> None:
            await asyncio.Event().wait()

    async def open_() -> Stuck:
        nonlocal lives
        lives += 1
        if lives == 3:
            raise EnoughError
        return Stuck()

    async def live(_: Stuck) -> None:
        raise LinkLost("x", "gone")

    with contextlib.suppress(EnoughError):
        await keep("x", open_, live, clock, Health("x", clock))
    assert sum("did not close" in r.getMessage() for r in caplog.records) == 2


async def test_counts_add_up_over_lives() -> None:
    clock = JumpClock()
    health = Health("x", clock)
    open_, _ = script(ok, ok)

    async def live(_: Pipe) -> None:
        tally = Tally()
        health.count(tally)
        health.heard(clock.now())
        tally.words, tally.garbage, tally.garbage_bytes, tally.gaps = 10, 2, 7, 1
        raise LinkLost("x", "gone")

    await run(clock, health, open_, live)
    body = health.body()
    assert (body.words, body.garbage, body.garbage_bytes, body.gaps, body.reconnects) == (20, 4, 14, 2, 1)
    assert body.up is False and body.last_word_at is not None


async def test_a_real_socket_is_back_within_two_seconds_of_its_return() -> None:
    """Site seconds, over a real TCP port that goes away for long enough to reach the longest wait."""
    clock = SiteClock(speed=10)
    up, down = asyncio.Event(), asyncio.Event()
    risen: list[float] = []

    def changed(health: Health) -> None:
        (up if health.up else down).set()
        if health.up:
            risen.append(health.since)

    health = Health("tcp", clock, changed)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"word\n")
        talking.append(writer)

    talking: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    class Tcp:
        def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.reader, self.writer = reader, writer

        async def close(self) -> None:
            self.writer.close()
            with contextlib.suppress(OSError):
                await self.writer.wait_closed()

    async def open_() -> Tcp:
        try:
            return Tcp(*await asyncio.open_connection("127.0.0.1", port))
        except OSError as e:
            raise OpenFailed("tcp", str(e)) from e

    async def live(link: Tcp) -> None:
        try:
            while line := await link.reader.readline():
                assert line == b"word\n"
                health.heard(clock.now())
        except OSError as e:
            raise LinkLost("tcp", str(e)) from e

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        keeper = group.create_task(keep("tcp", open_, live, clock, health))
        await up.wait()
        up.clear()
        server.close()
        for writer in talking:
            writer.transport.abort()
        talking.clear()
        await down.wait()
        await clock.sleep(8)
        assert not health.up
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        returned = clock.now()
        await up.wait()
        keeper.cancel()
    assert risen[-1] - returned < 2.0
    assert health.reconnects == 1
    for writer in talking:
        writer.transport.abort()
    server.close()


@given(
    st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.sampled_from([LINK_RETRY_CAP_S, FAULT_RETRY_CAP_S])
)
def test_waits_stay_within_their_bounds(failures: int, draw: float, cap_s: float) -> None:
    assert FIRST_RETRY_S * 0.75 <= retry_after(failures, cap_s, draw) <= cap_s


def test_a_beat_tells_how_even_it_is_and_a_certificate_until_when() -> None:
    clock = JumpClock()
    health = Health("x", clock, beats=True, care=Care(calibrated_until=date(2027, 3, 31)))
    assert health.body().interval_ms is None
    at = clock.now()
    for step in (0.0, 0.1, 0.1, 0.1, 0.35, 0.1):
        at = Instant(at + step)
        health.heard(at)
    body = health.body()
    assert (body.interval_ms, body.late_ms) == (pytest.approx(100, abs=0.1), pytest.approx(250, abs=0.1))
    assert (body.calibrated_on, body.calibrated_until) == (None, "2027-03-31")
    health.fall(LinkLost("wb", "reset"))
    health.heard(Instant(at + 60))
    assert health.body().interval_ms is None, "the time between two lives is no interval"
    plain = Health("y", clock)
    plain.heard(at)
    plain.heard(Instant(at + 1))
    assert plain.body().interval_ms is None
