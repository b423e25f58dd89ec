"""The door: one permit, one write, and the book before it; whatever is doubtful at the last moment stops it.

Over 400 lines: one door, and every way of coming to it, are told in one place.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.faults import DriverFault, LinkLost, NoAnswer, NotConfirmed, OpenFailed, OurMistake, Refused, TheirMistake
from drivers.link.modbus import open_modbus
from drivers.link.modbus_tables import table_named
from drivers.readings import Instant
from edge.clock import SiteClock
from edge.lane.recall import recall
from gateway_ctl.book import BookShut, entries, verify
from gateway_ctl.boom import TRAVEL_S, arm
from gateway_ctl.deeds import Moved, Phase
from gateway_ctl.lane_state import Event
from gateway_ctl.orders import Verb
from gateway_ctl.reasons import Reason
from tests.drivers.barrier.boom import module, wired
from tests.drivers.modbus.conftest import QUICK
from tests.drivers.modbus.module import OVER
from tests.gateway_ctl.doorway import Doorway, Watch, doorway
from tests.gateway_ctl.scene import EMPTY_DECK, NOW, PASSAGE, RULES, inputs, order, override

UP = {"limit_down": False, "limit_up": True}
MOVING = {"limit_down": False, "limit_up": False}
WRITTEN = ["written", "read back", "confirmed"]


async def raised(stage: Doorway) -> Moved:
    """A whole raising by the order of `scene`."""
    moving = await stage.start(stage.permit())
    stage.show(**UP)
    return await moving


async def test_a_permit_is_one_write_and_the_book_comes_first(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        moving = await stage.start(permit)
        stage.clock.advance(0.5)
        stage.show(**MOVING)
        stage.clock.advance(2.0)
        stage.show(**UP)
        assert await moving == Moved(permit.id, Event.RAISED)
        assert stage.arm.calls == ["raise"]
        assert [e.plain()["phase"] for e in stage.arm.book_then[0]] == ["written"], "on disk before the coil"
        assert stage.phases() == WRITTEN
        first, second, third = stage.written()
        assert first.plain() == {
            "permit": permit.id, "order": "o-1", "movement": "raise", "by_person": False, "picture": permit.picture,
            "phase": "written", "note": "about to be written",
        }  # fmt: skip
        assert second.plain()["note"] == "raise: output seen on"
        assert third.plain()["note"] == Event.RAISED.value
        limits = {name: told["value"] for name, told in third.plain()["seen"].items()}
        assert limits == {"limit_down": False, "limit_up": True, "loop_boom": False}
        assert "seen" not in second.plain()
        assert {e.passage for e in (first, second, third)} == {PASSAGE}
        assert [(p.phase, p.seconds) for p in stage.told] == [
            (Phase.WRITTEN, 0.0), (Phase.READ_BACK, 0.0), (Phase.CONFIRMED, 2.5),
        ]  # fmt: skip
        assert stage.told[1].note == "raise: output seen on" and stage.told[2].permit == permit


async def test_a_lowering_is_one_write_of_the_other_coil(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit_to_lower()
        moving = await stage.start(permit)
        stage.show(**MOVING)
        stage.show(limit_down=True)
        assert await moving == Moved(permit.id, Event.LOWERED)
        assert stage.arm.calls == ["lower"]
        assert [e.plain()["movement"] for e in stage.written()] == ["lower"] * 3
        assert stage.door.spent == frozenset()


async def test_a_used_permit_does_nothing_more(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        moving = await stage.start(permit)
        again = await stage.door.move(permit)
        assert again == Moved(permit.id, Event.WITHDRAWN, (Reason.PERMIT_USED,))
        stage.show(**UP)
        assert (await moving).event is Event.RAISED
        stage.show()
        assert (await stage.door.move(permit)).reasons == (Reason.PERMIT_USED,)
        assert stage.arm.calls == ["raise"]
        assert stage.phases() == ["written", "read back", "refused", "confirmed", "refused"]
        assert stage.written()[2].plain()["note"] == "PERMIT_USED"


async def test_one_permit_at_two_hands_at_once_is_one_write(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        both = [asyncio.ensure_future(stage.door.move(permit)) for _ in range(2)]
        await stage.until(lambda: stage.clock.deadlines)
        stage.show(**UP)
        answers = [await each for each in both]
        assert sorted(answer.event.name for answer in answers) == ["RAISED", "WITHDRAWN"]
        assert stage.arm.calls == ["raise"]


async def test_a_permit_that_was_turned_away_does_not_come_back(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        stage.show(loop_boom=True)
        assert (await stage.door.move(permit)).reasons == (Reason.ZONE_OCCUPIED,)
        stage.show()
        assert (await stage.door.move(permit)).reasons == (Reason.PERMIT_USED,)
        assert stage.arm.calls == []


async def test_a_second_order_raises_again(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        assert (await raised(stage)).event is Event.RAISED
        stage.coming = asyncio.Queue()
        stage.shown = replace(stage.shown, inputs=inputs())
        moving = await stage.start(stage.permit(order(id="o-2")))
        stage.show(**UP)
        assert (await moving).event is Event.RAISED
        assert stage.arm.calls == ["raise", "raise"]
        assert stage.door.spent == {"o-1", "o-2"}


@pytest.mark.parametrize("late_s", [2.0, 3.0, 3600.0])
async def test_a_permit_that_ran_out_on_its_way(tmp_path: Path, late_s: float) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        stage.clock.advance(late_s)
        answer = await stage.door.move(permit)
        assert answer == Moved(permit.id, Event.WITHDRAWN, (Reason.PERMIT_EXPIRED,))
        assert stage.arm.calls == []
        assert stage.phases() == ["refused"]


async def test_a_permit_that_ran_out_while_the_disk_took_its_time(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        stage.book.after = lambda phase: stage.clock.advance(2.0) if phase is Phase.WRITTEN else None
        assert (await stage.door.move(permit)).reasons == (Reason.PERMIT_EXPIRED,)
        assert stage.arm.calls == []
        assert stage.phases() == ["written", "refused"]
        assert stage.door.spent == frozenset(), "nothing was written: the order is as good as before"


CHANGES: dict[str, tuple[Callable[[Doorway], None], Reason]] = {
    "something under the boom": (lambda s: s.show(photocell=True), Reason.ZONE_OCCUPIED),
    "the boom is up": (lambda s: s.show(**UP), Reason.BOOM_ALREADY_UP),
    "the boom moves": (lambda s: s.show(**MOVING), Reason.BOOM_MOVING),
    "the boom is at both ends": (lambda s: s.show(limit_down=True, limit_up=True), Reason.BOOM_CONTRADICTS),
    "the barrier has a fault": (lambda s: s.show(boom_fault=True), Reason.BOOM_FAULTY),
    "the truck rolls": (lambda s: s.show(beam_front=True), Reason.DECK_HALF_ON),
    "the deck is empty": (lambda s: setattr(s, "shown", replace(s.shown, deck=EMPTY_DECK)), Reason.TRUCK_ABSENT),
    "another passage": (lambda s: setattr(s, "shown", replace(s.shown, passage="L01-2")), Reason.ORDER_OTHER_PASSAGE),
    "no passage": (lambda s: setattr(s, "shown", replace(s.shown, passage=None)), Reason.ORDER_OTHER_PASSAGE),
    "another lane": (lambda s: setattr(s, "shown", replace(s.shown, lane="L02")), Reason.PERMIT_OTHER_LANE),
    "the order was spent": (lambda s: s.door.remember(frozenset({"o-1"})), Reason.ORDER_SPENT),
    "the link is lost": (lambda s: s.door.attach(None), Reason.INPUTS_STALE),
}


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES.keys())
async def test_what_changed_since_the_permit_withdraws_it(
    tmp_path: Path, change: Callable[[Doorway], None], reason: Reason
) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        change(stage)
        answer = await stage.door.move(permit)
        assert answer.event is Event.WITHDRAWN
        assert reason in answer.reasons
        assert stage.arm.calls == []
        assert stage.phases() == ["refused"]


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES.keys())
async def test_what_changed_while_the_book_was_written_withdraws_it_too(
    tmp_path: Path, change: Callable[[Doorway], None], reason: Reason
) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        stage.book.after = lambda phase: change(stage) if phase is Phase.WRITTEN else None
        answer = await stage.door.move(permit)
        assert answer.event is Event.WITHDRAWN
        assert reason in answer.reasons
        assert stage.arm.calls == []
        assert stage.phases() == ["written", "refused"]
        assert stage.written()[-1].plain()["note"] == " ".join(r.name for r in answer.reasons)


async def test_inputs_that_fall_silent_while_the_book_was_written(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit, frozen = stage.permit(), stage._newest()
        stage.door._newest = lambda: frozen
        stage.book.after = lambda phase: stage.clock.advance(1.2) if phase is Phase.WRITTEN else None
        assert (await stage.door.move(permit)).reasons == (Reason.INPUTS_STALE,)
        assert stage.arm.calls == []


async def test_no_arm_no_movement(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        fresh = stage.another_door()
        assert (await fresh.move(stage.permit())).reasons == (Reason.INPUTS_STALE,)
        assert stage.phases() == ["refused"]


async def test_a_link_that_opened_anew_while_the_book_was_written(tmp_path: Path) -> None:
    """The barrier that was asked is gone with its link; a new one was not asked for this."""
    async with doorway(tmp_path) as stage:
        permit, other = stage.permit(), type(stage.arm)(stage)
        stage.book.after = lambda phase: stage.door.attach(other) if phase is Phase.WRITTEN else None
        assert (await stage.door.move(permit)).reasons == (Reason.INPUTS_STALE,)
        assert stage.arm.calls == other.calls == []


async def test_a_shut_book_moves_nothing(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        await stage.book.close()
        with pytest.raises(BookShut):
            await stage.door.move(permit)
        assert stage.arm.calls == [] and stage.told == [] and stage.door.spent == frozenset()
        await stage.book.open()
        assert (await stage.door.move(permit)).reasons == (Reason.PERMIT_USED,)
        assert stage.arm.calls == []


async def test_a_book_that_fails_at_the_entry_moves_nothing(tmp_path: Path) -> None:
    """Somebody cut into the file: the entry's number is taken, and the door stays shut for good."""
    async with doorway(tmp_path) as stage:
        await stage.book.write("told", NOW, {})
        thief = sqlite3.connect(stage.book.path)
        with thief:
            thief.execute("INSERT INTO entry SELECT 2, at, kind, passage, body, before, hash FROM entry")
        thief.close()
        with pytest.raises(BookShut):
            await stage.door.move(stage.permit())
        with pytest.raises(BookShut):
            await stage.door.move(stage.permit(override()))
        assert stage.arm.calls == []


async def test_a_book_that_fails_after_the_write_is_not_a_second_write(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:

        def fail(phase: Phase) -> None:
            if phase is Phase.READ_BACK:
                raise BookShut("the disk is full")

        stage.book.before = fail
        permit = stage.permit()
        with pytest.raises(BookShut):
            await stage.door.move(permit)
        assert stage.arm.calls == ["raise"]
        assert stage.door.spent == {"o-1"}
        stage.book.before = None
        assert Reason.PERMIT_USED in (await stage.door.move(permit)).reasons
        assert stage.arm.calls == ["raise"]


NOTHING_WRITTEN: list[tuple[DriverFault, Reason]] = [
    (OpenFailed("io", "refused"), Reason.INPUTS_STALE),
    (LinkLost("io", "closed"), Reason.INPUTS_STALE),
    (NoAnswer("io", "1 s"), Reason.INPUTS_STALE),
    (OurMistake("io", "no such coil"), Reason.BOOM_FAULTY),
    (TheirMistake("io", "nonsense"), Reason.BOOM_FAULTY),
    (Refused("boom", "raise output is on", "on"), Reason.BOOM_FAULTY),
]


@pytest.mark.parametrize(("fault", "why"), NOTHING_WRITTEN, ids=lambda each: type(each).__name__)
async def test_the_drivers_word_that_nothing_was_written(tmp_path: Path, fault: DriverFault, why: Reason) -> None:
    async with doorway(tmp_path) as stage:
        stage.arm.fault = fault
        permit = stage.permit()
        assert await stage.door.move(permit) == Moved(permit.id, Event.WITHDRAWN, (why,))
        assert stage.arm.calls == ["raise"], "asked once"
        assert stage.door.spent == frozenset()
        assert stage.phases() == ["written", "refused"]
        assert stage.written()[-1].plain()["note"] == f"{type(fault).__name__}: {fault}"
        stage.arm.fault = None
        stage.clock.advance(0.1)
        assert (await raised(stage)).event is Event.RAISED, "the order is as good as before"


@pytest.mark.parametrize("lowering", [False, True])
@pytest.mark.parametrize("obeyed", [False, True])
async def test_an_unsure_write_is_told_by_the_switches(tmp_path: Path, obeyed: bool, lowering: bool) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit_to_lower() if lowering else stage.permit()
        stage.coming = asyncio.Queue()
        stage.arm.fault = NotConfirmed("boom", "no answer to the write")
        moving = await stage.start(permit)
        assert stage.written()[-1].plain()["note"] == "NotConfirmed: boom: no answer to the write"
        if obeyed:
            stage.show(**({"limit_down": True} if lowering else UP))
            assert (await moving).event is (Event.LOWERED if lowering else Event.RAISED)
        else:
            stage.clock.advance(TRAVEL_S)
            assert (await moving).event is Event.NOT_CONFIRMED
        assert stage.arm.calls == ["lower" if lowering else "raise"]
        assert stage.door.spent == (frozenset() if lowering else {"o-1"}), "it may have opened"


async def test_a_limit_that_never_comes(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        moving = await stage.start(permit)
        for _ in range(99):
            stage.clock.advance(TRAVEL_S / 100)
            stage.show(**MOVING)
        await asyncio.sleep(0.01)
        assert not moving.done()
        stage.clock.advance(TRAVEL_S / 100 + 0.001)  # a hundred tenths are not quite ten
        assert await moving == Moved(permit.id, Event.NOT_CONFIRMED)
        assert stage.arm.calls == ["raise"]
        assert stage.phases() == ["written", "read back", "not confirmed"]
        assert stage.told[-1].phase is Phase.NOT_CONFIRMED
        assert stage.told[-1].seconds == pytest.approx(TRAVEL_S, abs=0.01)
        assert stage.door.spent == {"o-1"}


async def test_silence_of_the_inputs_is_no_arrival(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        moving = await stage.start(stage.permit())
        stale = replace(stage._newest(), inputs=inputs(**UP))
        stage.clock.advance(5.0)
        stage.coming.put_nowait(stale)
        stage.show(limit_down=True, limit_up=True)
        await asyncio.sleep(0.01)
        assert not moving.done()
        stage.clock.advance(5.0)
        assert (await moving).event is Event.NOT_CONFIRMED


async def test_a_lowering_that_turns_round_is_up_again(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit_to_lower()
        moving = await stage.start(permit)
        stage.show(**UP)
        await asyncio.sleep(0.01)
        assert not moving.done(), "it has not left its place yet"
        stage.show(**MOVING)
        stage.show(**UP)
        assert await moving == Moved(permit.id, Event.RAISED)
        assert stage.arm.calls == ["lower"]
        assert stage.phases() == WRITTEN


async def test_a_lowering_that_turns_round_behind_switches_that_jump(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        moving = await stage.start(stage.permit_to_lower())
        stage.show(**MOVING)
        stage.show(limit_down=True, limit_up=True)
        stage.show(**UP)
        assert (await moving).event is Event.RAISED, "it had left its upper switch before"


async def test_a_raising_is_confirmed_by_a_picture_that_came_and_by_no_other(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        moving = await stage.start(stage.permit())
        stage.show(limit_down=True, photocell=True)
        await stage.until(stage.coming.empty)
        stage.shown = replace(stage.shown, inputs=inputs(**UP))
        stage.clock.advance(TRAVEL_S + 0.1)
        assert (await moving).event is Event.NOT_CONFIRMED


async def test_a_permit_is_remembered_for_as_long_as_it_could_be_used(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        first = stage.permit()
        stage.show(loop_boom=True)
        await stage.door.move(first)
        assert set(stage.door._used) == {first.id}
        stage.clock.advance(first.expires_at - stage.clock.now())
        second = replace(first, id="second", expires_at=Instant(first.expires_at + 2))
        await stage.door.move(second)
        assert set(stage.door._used) == {"second"}


@pytest.mark.parametrize("what", ["photocell", "loop_boom"])
async def test_a_lowering_that_turns_round_at_once_is_up_again(tmp_path: Path, what: str) -> None:
    """The polls never saw it leave its switch: what came under it, and that it is still up, say what happened."""
    async with doorway(tmp_path) as stage:
        moving = await stage.start(stage.permit_to_lower())
        stage.show(**UP)
        stage.show(**UP, **{what: True})
        stage.show(**UP)
        await stage.until(stage.coming.empty)
        stage.clock.advance(TRAVEL_S + 0.1)
        assert (await moving).event is Event.RAISED
        assert stage.arm.calls == ["lower"]
        assert stage.written()[-1].plain()["phase"] == "confirmed"


@pytest.mark.parametrize(
    "then", [{}, {"limit_up": True, "limit_down": True}, {"limit_down": False}], ids=["clear", "both", "half way"]
)
async def test_a_lowering_that_nothing_stopped_and_that_did_not_come(tmp_path: Path, then: dict[str, bool]) -> None:
    async with doorway(tmp_path) as stage:
        moving = await stage.start(stage.permit_to_lower())
        if then:
            stage.show(**UP, photocell=True)
        stage.show(**(then or UP))
        await stage.until(stage.coming.empty)
        stage.clock.advance(TRAVEL_S + 0.1)
        assert (await moving).event is Event.NOT_CONFIRMED


async def test_a_raising_is_not_up_because_something_is_under_it(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        moving = await stage.start(stage.permit())
        stage.show(limit_down=True, photocell=True)
        await stage.until(stage.coming.empty)
        stage.clock.advance(TRAVEL_S + 0.1)
        assert (await moving).event is Event.NOT_CONFIRMED


async def test_a_boom_stuck_half_way_may_be_lowered_by_a_person(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        stage.show(**MOVING)
        moving = await stage.start(stage.permit(override(id="p-2", verb=Verb.LOWER)))
        stage.show(**MOVING)
        stage.show(limit_down=True)
        assert (await moving).event is Event.LOWERED
        assert stage.door.spent == {"p-2"}, "every order moves the boom once"
        assert stage.written()[0].plain()["by_person"] is True


async def test_a_raising_that_is_still_down_waits(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        moving = await stage.start(stage.permit())
        stage.show(limit_down=True)
        stage.show(**MOVING)
        stage.show(limit_down=True)
        await asyncio.sleep(0.01)
        assert not moving.done()
        stage.show(**UP)
        assert (await moving).event is Event.RAISED


async def test_a_person_raises_over_an_occupied_place_and_no_weight(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        stage.shown = replace(stage.shown, deck=EMPTY_DECK)
        stage.show(loop_boom=True)
        stage.coming = asyncio.Queue()
        moving = await stage.start(stage.permit(override()))
        stage.show(loop_boom=True, **UP)
        assert (await moving).event is Event.RAISED
        assert stage.door.spent == {"p-1"}


@pytest.mark.parametrize("moment", ["booking", "writing", "waiting"])
async def test_cancellation_passes_through_and_nothing_is_written_again(tmp_path: Path, moment: str) -> None:
    async with doorway(tmp_path) as stage:
        permit = stage.permit()
        if moment == "writing":
            stage.arm.gate.clear()
        moving = asyncio.ensure_future(stage.door.move(permit))
        match moment:
            case "booking":
                await asyncio.sleep(0)
            case "writing":
                await stage.until(lambda: stage.arm.calls)
            case _:
                await stage.until(lambda: stage.clock.deadlines)
        moving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await moving
        assert stage.arm.calls == ([] if moment == "booking" else ["raise"])
        assert (stage.door.spent == {"o-1"}) is (moment != "booking")
        assert Reason.PERMIT_USED in (await stage.door.move(permit)).reasons
        await stage.book.close()
        recalled = recall((e for e in entries(stage.book.path) if e.plain()["phase"] != "refused"), Instant(0.0))
        assert recalled.raised and recalled.spent == {"o-1"}, "the book thinks the worst"


async def test_spent_orders_are_remembered_over_a_restart_and_for_as_long_as_any_could_be_valid(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        stage.door.remember(frozenset({"o-1"}))
        assert stage.door.spent == {"o-1"}
        stage.clock.advance(1.0)
        assert (await raised_by(stage, "o-2")) is Event.RAISED
        assert stage.door.spent == {"o-1", "o-2"}
        stage.clock.advance(RULES.order_life_s + RULES.skew_s)
        assert stage.door.spent == {"o-1", "o-2"}
        stage.clock.advance(RULES.order_life_s + RULES.skew_s - 1.0)
        assert stage.door.spent == {"o-2"}
        stage.clock.advance(1.0)
        assert stage.door.spent == frozenset()


async def raised_by(stage: Doorway, name: str) -> Event:
    moving = await stage.start(stage.permit(order(id=name)))
    stage.show(**UP)
    return (await moving).event


async def test_a_command_that_a_dead_process_left_on_is_ended_and_booked_first(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        stage.door.attach(None)
        await stage.door.meet(stage.arm)
        assert stage.arm.calls == [] and stage.written() == []
        stage.arm.left_on = frozenset({"raise", "lower"})
        await stage.door.meet(stage.arm)
        assert stage.arm.calls == ["release"]
        assert [(e.kind, e.plain()) for e in stage.arm.book_then[0]] == [
            ("command left on", {"left_on": ["lower", "raise"]})
        ]
        assert (await raised(stage)).event is Event.RAISED


async def test_a_barrier_whose_leavings_cannot_be_booked_is_not_met(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        stage.door.attach(None)
        stage.arm.left_on = frozenset({"raise"})
        await stage.book.close()
        with pytest.raises(BookShut):
            await stage.door.meet(stage.arm)
        assert stage.arm.calls == []
        await stage.book.open()
        assert (await stage.door.move(stage.permit())).reasons == (Reason.INPUTS_STALE,)


async def test_a_barrier_that_could_outlive_us_or_move_by_itself_is_not_driven(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        stage.door.attach(None)
        stage.arm.unwatched = NotConfirmed("boom", "host watchdog reads off")
        with pytest.raises(NotConfirmed, match="watchdog"):
            await stage.door.meet(stage.arm)
        stage.arm.unwatched, stage.arm.astray = None, ["register 4096 holds 1"]
        with pytest.raises(NotConfirmed, match="4096"):
            await stage.door.meet(stage.arm)
        assert (await stage.door.move(stage.permit())).reasons == (Reason.INPUTS_STALE,)
        assert stage.arm.calls == [] and [e.kind for e in stage.written()] == ["boom"]


@pytest.mark.parametrize("fired", [True, False, None])
async def test_that_the_module_let_go_of_us_is_booked(tmp_path: Path, fired: bool | None) -> None:
    async with doorway(tmp_path) as stage:
        stage.door.attach(None)
        stage.arm.watch = Watch(fired)
        await stage.door.meet(stage.arm)
        told = [(e.kind, e.plain()) for e in stage.written()]
        assert told == [("module let go", {"by": "host watchdog"})] * bool(fired)
        assert (await raised(stage)).event is Event.RAISED


async def test_the_arm_behind_a_lanes_module() -> None:
    """Over a real wire, at a module that is pretended."""
    over = module("plain-8ch")
    async with OVER["tcp"](over) as where:
        link = await open_modbus(where, QUICK)
        behind = arm(link, table_named("plain-8ch"), wired(), SiteClock(speed=5 / 3))
        assert not await behind.standing()
        assert str(await behind.raise_boom()) == "raise: output seen on"
        assert [pdu.hex() for pdu in over.writes()] == ["0502000005"]
        await link.close()


async def test_the_whole_story_is_one_chain(tmp_path: Path) -> None:
    async with doorway(tmp_path) as stage:
        await raised(stage)
        stage.coming = asyncio.Queue()
        moving = await stage.start(stage.permit_to_lower())
        stage.show(limit_down=True)
        await moving
    assert stage.phases() == WRITTEN * 2
    assert getattr(verify(stage.book.path), "entries", 0) == 6
