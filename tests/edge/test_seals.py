"""Seals on a real port, their words and alarms on a real bus."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from drivers.link.tape import Kind, Record, records
from drivers.readings import Instant, Quality
from drivers.seal.state import SealState, SealWord
from edge.agents import tracker
from edge.clock import SiteClock
from edge.config import load
from edge.demo import free_port
from edge.mistakes import SiteFileWrong
from edge.roster import names
from edge.seals import REMEMBERED, SealBook
from simulators.clock import SimClock
from simulators.seal import Seal
from telemetry.broker import EmbeddedBroker
from telemetry.inbox import Inbox
from telemetry.mqtt import Bus
from telemetry.payloads.envelope import body, unwrap
from telemetry.payloads.lane import AlarmBody
from telemetry.payloads.node import BirthBody
from telemetry.payloads.seal import SealBody
from telemetry.payloads.sealing import SealingBody
from telemetry.topics import parse

EXAMPLE = Path(__file__).resolve().parents[2] / "edge" / "sites" / "example.toml"
SPEED = 30.0


def site_text(broker: int, seals: int) -> str:
    text = EXAMPLE.read_text(encoding="utf-8").replace("port = 1883", f"port = {broker}")
    return text[: text.index("[[trackers]]")] + (
        '[[seals]]\nname = "seals"\nstale_after_s = 60\n'
        f'link = {{ kind = "tcp-listen", listen_host = "127.0.0.1", listen_port = {seals} }}\n'
        'seals = [{ id = "8041300978", name = "box1" }]\n'
    )


async def test_a_cut_seal_rings_and_a_silent_one_is_stale(tmp_path: Path) -> None:
    broker_port, port = free_port(), free_port()
    file = tmp_path / "site.toml"
    file.write_text(site_text(broker_port, port), encoding="utf-8")
    site = load(file)
    assert "tracker" in names(site)
    sim = SimClock(speed=SPEED)
    seal = Seal(sim, "8041300978", period_s=5.0)
    states: list[str] = []
    alarms: list[tuple[str, bool]] = []
    births: list[BirthBody] = []
    events: list[tuple[str, int | None, bool]] = []
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(EmbeddedBroker(site.broker, tmp_path / "broker"))
        bus = await stack.enter_async_context(Bus(site.broker, "test-ear").running())
        inbox = Inbox()
        await bus.subscribe(f"quaygate/v1/{site.id}/tracker/#", inbox)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        agent = group.create_task(tracker.run(site, SiteClock(speed=SPEED, origin=sim.origin)))
        device = group.create_task(seal.run("127.0.0.1", port))
        async with asyncio.timeout(30):
            async for message in inbox:
                address, envelope = parse(message.topic), unwrap(message.payload)
                assert address
                if address.word == "birth":
                    births.append(body(envelope, BirthBody))
                elif address.word == "alarm":
                    alarm = body(envelope, AlarmBody)
                    alarms.append((alarm.alarm, alarm.active))
                elif address.word == "sealing":
                    event = body(envelope, SealingBody)
                    events.append((event.state, event.customs, event.rings))
                elif address.word == "seal":
                    assert address.instrument == "box1"
                    said = body(envelope, SealBody)
                    states += [said.state] if states[-1:] != [said.state] else []
                    seal.rope_cut = seal.rope_cut or said.state == "locked"
                    seal.faults.silent = said.state == "cut"
                if ("box1:seal-stale", True) in alarms and states[-1] == "stale":
                    break
        agent.cancel()
        device.cancel()
    assert states == ["locked", "cut", "stale"]
    assert alarms == [("box1:seal-cut", True), ("box1:seal-stale", True)], "the cut still stands"
    assert events == [("locked", 1, False), ("cut", 5, True), ("stale", None, True)]
    [path] = (site.folder("tracker") / tracker.BLACK_BOX).iterdir()
    tape = [each for each in records(path) if isinstance(each, Record) and each.link == "seals"]
    assert {Kind.DATAGRAM, Kind.ANSWERED} <= {record.kind for record in tape}
    assert [(each.name, each.kind) for each in births[0].instruments] == [("seals", "seal")]


def test_a_port_of_seals_that_another_listens_on_is_told(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    text = site_text(1883, 10_900)
    file.write_text(text + text[text.index("[[seals]]") :], encoding="utf-8")
    with pytest.raises(SiteFileWrong) as wrong:
        load(file)
    told = str(wrong.value)
    assert "another tracker or port of seals has this name" in told and "listens on the same port" in told


NOW = Instant(1_800_000_000.0)


def word(state: SealState, *alarms: str, historical: bool = False) -> SealWord:
    return SealWord(seal="box1", state=state, at=NOW, quality=Quality.GOOD, alarms=alarms, historical=historical)


def told(book: SealBook, said: SealWord) -> list[tuple[str, str | None, int | None, bool]]:
    return [(each.state, each.was, each.customs, each.late) for each in book.take("box1", said, rings=False)]


def test_a_change_is_told_once_and_over_a_restart() -> None:
    book = SealBook({})
    assert told(book, word(SealState.LOCKED)) == [("locked", None, 1, False)]
    assert told(book, word(SealState.LOCKED)) == []
    again = SealBook(book.states())
    assert told(again, word(SealState.LOCKED)) == []
    assert told(again, word(SealState.OPENED)) == [("opened", "locked", 4, False)]
    assert told(again, word(SealState.TAMPERED)) == [("tampered", "opened", None, False)]
    assert SealBook({"box1": "what is this"}).states() == {}


def test_a_key_that_does_not_fit_is_told_once_while_it_is_tried() -> None:
    book = SealBook({"box1": "locked"})
    for alarm in ("wrong password", "unknown card"):
        assert told(book, word(SealState.LOCKED, alarm)) == [("locked", "locked", 7, False)]
        assert told(book, word(SealState.LOCKED, alarm)) == []
        assert told(book, word(SealState.LOCKED)) == []


def test_what_a_seal_kept_back_is_told_and_changes_no_state() -> None:
    book = SealBook({"box1": "locked"})
    kept = [word(state, historical=True) for state in (SealState.LOCKED, SealState.CUT, SealState.CUT)]
    assert [told(book, each) for each in kept] == [[("locked", None, 1, True)], [("cut", None, 5, True)], []]
    assert book.states() == {"box1": "locked"}


def test_names_off_the_wire_do_not_grow_memory() -> None:
    book = SealBook({})
    for number in range(REMEMBERED + 5):
        book.take(str(number), word(SealState.LOCKED), rings=False)
        book.take(str(number), word(SealState.CUT, historical=True), rings=False)
    assert len(book.states()) == REMEMBERED
