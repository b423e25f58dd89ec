import asyncio
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from consoles.board import EVENTS_KEPT, KEYS_CEILING, Board
from consoles.wire import Event, ViewNow
from telemetry.payloads.lane import Text
from tests.browser.scenes import idle, weighing


def put(board: Board, lane: str, at: float, *, busy: bool = False) -> None:
    for values in board.both:
        values.views[lane] = ViewNow(at=at, body=(weighing if busy else idle)(at))


def told(message: bytes) -> Any:
    return msgspec.json.decode(message)


async def test_a_new_page_gets_everything_then_only_what_changed() -> None:
    board = Board(heartbeat_ticks=3)
    put(board, "L01", 1)
    put(board, "L02", 1)
    board.tick(1.0, bus=True)
    async with aclosing(board.follow()) as messages:
        first = told(await anext(messages))
        assert first["whole"] and first["now"] == 1.0 and first["bus"] and set(first["set"]["views"]) == {"L01", "L02"}
        put(board, "L02", 2)
        board.tick(2.0, bus=False)
        second = told(await anext(messages))
        assert not second["whole"] and not second["bus"] and set(second["set"]["views"]) == {"L02"}
        assert board.readers == 1
    assert board.readers == 0


async def test_the_newest_of_many_wins_between_two_ticks() -> None:
    board = Board(heartbeat_ticks=3)
    board.tick(0.0, bus=True)
    async with aclosing(board.follow()) as messages:
        await anext(messages)
        for at in range(100):
            put(board, "L01", float(at))
        board.tick(1.0, bus=True)
        assert told(await anext(messages))["set"]["views"]["L01"]["at"] == 99


async def test_whoever_missed_a_patch_gets_everything_and_nothing_queues_up() -> None:
    board = Board(heartbeat_ticks=3)
    board.tick(0.0, bus=True)
    async with aclosing(board.follow()) as messages:
        await anext(messages)
        for number in range(1, 200):
            put(board, f"L{number % 5}", float(number))
            board.tick(float(number), bus=True)
        late = told(await anext(messages))
        assert late["whole"] and late["now"] == 199 and len(late["set"]["views"]) == 5
        put(board, "L0", 500.0)
        board.tick(200.0, bus=True)
        assert not told(await anext(messages))["whole"]


async def test_all_readers_of_a_patch_read_the_same_bytes() -> None:
    board = Board(heartbeat_ticks=3)
    board.tick(0.0, bus=True)
    async with aclosing(board.follow()) as one, aclosing(board.follow()) as two:
        await anext(one)
        await anext(two)
        put(board, "L01", 1)
        board.tick(1.0, bus=True)
        assert await anext(one) is await anext(two)


async def test_a_sign_of_life_without_change_and_only_so_often() -> None:
    board = Board(heartbeat_ticks=3)
    board.tick(0.0, bus=True)
    async with aclosing(board.follow()) as messages:
        await anext(messages)
        board.tick(1.0, bus=True)
        board.tick(2.0, bus=True)
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        assert not waiting.done()
        board.tick(3.0, bus=True)
        assert told(await waiting) == {"t": "patch", "now": 3.0, "bus": True, "whole": False, "set": {}}


async def test_a_page_that_comes_before_the_first_tick_waits_for_it() -> None:
    board = Board(heartbeat_ticks=3)
    async with aclosing(board.follow()) as messages:
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        assert not waiting.done()
        board.tick(1.0, bus=True)
        assert told(await waiting)["whole"]


def test_events_and_keys_have_their_ceiling() -> None:
    board = Board(heartbeat_ticks=3)
    for number in range(EVENTS_KEPT * 3):
        event = Event(
            id=str(number),
            at=float(number),
            node="L01",
            kind="alarm",
            priority=3,
            say=[Text("a", "a")],
            passage=None,
            historical=False,
        )
        for values in board.both:
            values.events.append(event)
    board.tick(0.0, bus=True)
    assert [e.id for e in board.values.events] == [str(n) for n in range(EVENTS_KEPT * 2, EVENTS_KEPT * 3)]
    full: dict[str, object] = {str(n): None for n in range(KEYS_CEILING)}
    assert board.room_for(full, "7") and not board.room_for(full, "new")
    assert board.dropped == 1


@pytest.mark.parametrize("heartbeat", [1, 2])
async def test_the_first_message_needs_no_change(heartbeat: int) -> None:
    board = Board(heartbeat_ticks=heartbeat)
    board.tick(5.0, bus=False)
    async with aclosing(board.follow()) as messages:
        assert told(await anext(messages))["now"] == 5.0
