"""The platform's side of JT/T 808: who is answered what, and what becomes a fix. Scripted, then over real sockets.

Longer than 400 lines: the scripted port, the port with terminals at it and the tape of both are one bench.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.faults import LinkLost, NoAnswer
from drivers.gps.config import Jt808Config
from drivers.gps.fix import Fix
from drivers.gps.jt808 import messages as m
from drivers.gps.jt808.device import Jt808Listener
from drivers.gps.jt808.dialogue import Dialogue
from drivers.gps.jt808.frames import Message, Packets
from drivers.link import open_port
from drivers.link.config import TcpListenConfig, UdpLinkConfig
from drivers.link.recording import Recorder, recorded_port
from drivers.link.tape import Kind, Record, records, sender_of
from drivers.readings import Chunk, Garbage, Instant, Tally
from edge.clock import SiteClock
from simulators.clock import SimClock
from simulators.gps import GeoState
from simulators.jt808 import Terminal
from tests.drivers.gps.terminals import NUMBER, body_0200, framed, words
from tests.drivers.plugs import WITHIN_S, ScriptClock, until_fault

NOON = 1_795_435_200.0
"""2026-11-23 12:00 UTC, where ScriptClock begins and body_0200 stands."""
KEY = b"sixteen bytes or more"


def config(**more: Any) -> Jt808Config:
    return Jt808Config.model_validate(
        {"protocol": "jt808", "name": "trucks", "link": {"kind": "tcp-listen", "listen_port": 0}, **more}
    )


# --- the dialogue, without a wire


class Desk:
    """A dialogue with one connection."""

    def __init__(self, key: bytes | None = None, **more: Any) -> None:
        self.tally = Tally()
        self.dialogue = Dialogue(config(**more), key, self.tally)
        self.packets = Packets()

    def take(self, kind: int, body: bytes = b"", serial: int = 1, **more: Any) -> tuple[list[Message], list[Any]]:
        at = Instant(more.pop("at", NOON))
        message = Message(kind, more.pop("number", NUMBER), serial, body, **more)
        return self.dialogue.take(message, self.packets, at)


def result(answers: list[Message]) -> tuple[int, int, int]:
    """Serial number, id and result of a general answer."""
    [answer] = answers
    assert answer.id == m.PLATFORM_ANSWER
    return int.from_bytes(answer.body[:2], "big"), int.from_bytes(answer.body[2:4], "big"), answer.body[4]


@pytest.mark.parametrize("wrong", [
    {"name": "A b"}, {"link": {"kind": "tcp", "host": "h", "port": 1}}, {"only_listed": True}, {"zone_h": 15},
    {"terminals": [{"phone": "013", "name": "a"}]}, {"late_after_s": 0}, {"silence_s": 3},
    {"terminals": [{"phone": "13", "name": "a"}, {"phone": "14", "name": "a"}]},
])  # fmt: skip
def test_settings_are_closed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


@pytest.mark.parametrize("kind", [m.HEARTBEAT, m.LOGOUT, m.DRIVER, m.UPLINK])
def test_what_needs_no_reading_is_answered_well(kind: int) -> None:
    answers, said = Desk().take(kind, serial=513)
    assert result(answers) == (513, kind, m.OK) and said == []
    assert answers[0].number == NUMBER


def test_a_terminal_of_2019_is_answered_in_its_edition() -> None:
    number = bytes.fromhex("00000000013912345678")
    answers, _ = Desk().take(m.HEARTBEAT, number=number, version=1)
    assert (answers[0].version, answers[0].number) == (1, number)


def test_answers_are_not_answered_and_strangers_words_are_not_taken_for_known() -> None:
    for kind in (m.TERMINAL_ANSWER, 0x0104, 0x0107):
        assert Desk().take(kind, b"\0\0\0\0\0") == ([], [])
    assert result(Desk().take(0x0F01)[0]) == (1, 0x0F01, m.NOT_SUPPORTED)
    answers, [garbage] = Desk().take(0x8001)
    assert answers == [] and isinstance(garbage, Garbage)


def test_a_position_is_a_fix() -> None:
    answers, [(name, fix)] = Desk().take(m.LOCATION, body_0200(items=b"\x31\x01\x09"))
    assert result(answers)[2] == m.OK
    assert (name, fix.lat, fix.lon, fix.satellites, fix.fix_time) == ("13912345678", 36.0, 120.2, 9, NOON)
    assert (fix.historical, fix.source, fix.speed_mps) == (False, "0200", 10.0)


def test_the_name_is_the_sites() -> None:
    _, [(name, _)] = Desk(terminals=[{"phone": "13912345678", "name": "truck7"}]).take(m.LOCATION, body_0200())
    assert name == "truck7"


def test_a_position_that_is_none_is_garbage_and_said_to_be_wrong() -> None:
    answers, [garbage] = Desk().take(m.LOCATION, b"short")
    assert result(answers)[2] == m.WRONG and garbage == Garbage(b"short", "a position of 5 bytes; 28 are fixed")


def test_an_asked_position_is_taken_and_not_answered() -> None:
    answers, [(_, fix)] = Desk().take(m.LOCATION_ANSWER, b"\0\7" + body_0200())
    assert answers == [] and fix.valid


@pytest.mark.parametrize(("kind", "late"), [(1, True), (0, False)])
def test_a_batch_of_a_blind_spot_is_history(kind: int, late: bool) -> None:
    one = body_0200(time="261123195950")
    batch = b"\0\2" + bytes((kind,)) + 2 * (len(one).to_bytes(2, "big") + one)
    answers, said = Desk().take(m.BATCH, batch)
    assert result(answers)[2] == m.OK and len(said) == 2
    assert all(fix.historical is late and fix.source == "0704" for _, fix in said)


def test_a_position_that_comes_late_is_history_whatever_brought_it() -> None:
    for seconds, late in ((59, False), (61, True)):
        _, [(_, fix)] = Desk().take(m.LOCATION, body_0200(), at=NOON + seconds)
        assert fix.historical is late
    _, [(_, fix)] = Desk(late_after_s=3600).take(m.LOCATION, body_0200(), at=NOON + 61)
    assert fix.historical is False


def test_clocks_of_another_zone() -> None:
    _, [(_, fix)] = Desk(zone_h=0).take(m.LOCATION, body_0200(time="261123120000"))
    assert fix.fix_time == NOON and not fix.historical


def test_registration_gives_a_code_that_opens() -> None:
    desk = Desk(KEY)
    refused, [garbage] = desk.take(m.LOCATION, body_0200(), serial=1)
    assert result(refused)[2] == m.FAILED and "has not shown its code" in garbage.why
    [given], said = desk.take(m.REGISTRATION, b"\0" * 37 + b"plate", serial=2)
    assert (given.id, given.body[:3], said) == (m.REGISTRATION_ANSWER, b"\0\2\0", [])
    wrong, [garbage] = desk.take(m.AUTHENTICATION, b"wrong", serial=3)
    assert result(wrong)[2] == m.FAILED and b"wrong" not in garbage.raw and "wrong code" in garbage.why
    assert result(desk.take(m.LOCATION, body_0200(), serial=4)[0])[2] == m.FAILED
    assert result(desk.take(m.AUTHENTICATION, given.body[3:], serial=5)[0])[2] == m.OK
    assert len(desk.take(m.LOCATION, body_0200(), serial=6)[1]) == 1
    other = bytes.fromhex("013912345679")
    assert result(desk.take(m.AUTHENTICATION, given.body[3:], serial=5, number=other)[0])[2] == m.FAILED


def test_a_code_of_2019_stands_behind_its_length() -> None:
    desk, number = Desk(KEY), bytes.fromhex("00000000013912345678")
    code = desk.dialogue.code("13912345678").encode()
    body = bytes((len(code),)) + code + b"8" * 15 + b"1.0".ljust(20, b"\0")
    assert result(desk.take(m.AUTHENTICATION, body, number=number, version=1)[0])[2] == m.OK
    assert result(desk.take(m.AUTHENTICATION, b"\xff" + code, number=number, version=1)[0])[2] == m.WRONG


def test_only_those_of_the_list() -> None:
    desk = Desk(terminals=[{"phone": "13912345678", "name": "truck7"}], only_listed=True)
    other = bytes.fromhex("013912345679")
    [refused], _ = desk.take(m.REGISTRATION, b"\0" * 40, number=other)
    assert (refused.id, refused.body[2:]) == (m.REGISTRATION_ANSWER, bytes((m.NO_SUCH_TERMINAL,)))
    for kind in (m.AUTHENTICATION, m.LOCATION, m.HEARTBEAT):
        answers, [garbage] = desk.take(kind, body_0200(), number=other)
        assert result(answers)[2] == m.FAILED and "not in the site's list" in garbage.why
    assert len(desk.take(m.LOCATION, body_0200())[1]) == 1


def test_a_damaged_registration_is_enough_to_go_on() -> None:
    [given], [garbage] = Desk().take(m.REGISTRATION, b"\0\0")
    assert given.body[2] == m.REGISTERED and isinstance(garbage, Garbage)


def test_what_is_encrypted_is_told() -> None:
    answers, [garbage] = Desk().take(m.LOCATION, b"x" * 28, encryption=1)
    assert result(answers)[2] == m.NOT_SUPPORTED and "encrypted" in garbage.why


def test_the_time_is_told() -> None:
    [told], _ = Desk().take(m.ASK_TIME, version=1, number=b"\0" * 10)
    assert (told.id, told.body.hex()) == (m.TIME_ANSWER, "261123120000")


def test_serial_numbers_that_are_missing_are_gaps() -> None:
    desk = Desk()
    for serial in (65534, 65535, 0, 3, 3, 4, 900, 899, 901):
        desk.take(m.HEARTBEAT, serial=serial)
    # 1 and 2; 5 to 899. A repeat and an older number are no gap.
    assert desk.tally.gaps == 2 + 895
    for serial in (0, 1, 3):
        desk.take(m.HEARTBEAT, serial=serial)
    assert desk.tally.gaps == 2 + 895 + 1, "a terminal that was switched on again counts anew"
    desk.take(m.REGISTRATION, b"\0" * 40, serial=2000)
    assert desk.tally.gaps == 2 + 895 + 1


def test_numbers_off_the_wire_do_not_grow_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.gps.jt808.dialogue.MAX_TERMINALS", 50)
    desk = Desk()
    for n in range(500):
        desk.take(m.HEARTBEAT, number=n.to_bytes(6, "big"))
    assert len(desk.dialogue._terminals) == 50 and desk.dialogue.forgotten == 450


# --- the port, scripted


class ScriptPort:
    """Gives chunks of senders as its script says; numbers are seconds of silence."""

    name = "script:2"

    def __init__(self, clock: ScriptClock, script: list[tuple[str, bytes] | float], *, whole: bool = False) -> None:
        self.whole = whole
        self.sent: list[tuple[str, Message | Garbage]] = []
        self.hung_up: list[str] = []
        self._clock, self._script = clock, script

    async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:
        await asyncio.sleep(0)
        if not self._script:
            raise LinkLost(self.name, "end of the script")
        step = self._script[0]
        if isinstance(step, tuple):
            del self._script[0]
            return Chunk(step[1], self._clock.now()), step[0]
        passed = min(step, deadline_s)
        self._clock.at += passed
        self._script[0] = step - passed
        if not self._script[0]:
            del self._script[0]
        raise NoAnswer(self.name, "silent")

    def write_to(self, client: str, data: bytes) -> bool:
        self.sent += [(client, word) for word in words(data)]
        return True

    def hang_up(self, client: str) -> None:
        self.hung_up.append(client)


async def listen(
    script: list[tuple[str, bytes] | float], **more: Any
) -> tuple[list[tuple[str, Fix] | Garbage], ScriptPort, Jt808Listener]:
    clock = ScriptClock()
    port = ScriptPort(clock, script, whole=more.pop("whole", False))
    listener = Jt808Listener(port, config(**more), clock)
    found, ended = await until_fault(listener.words())
    assert isinstance(ended, LinkLost)
    return found, port, listener


async def test_streams_of_many_are_kept_apart_and_each_is_answered() -> None:
    one, two = framed(m.LOCATION, body_0200()), framed(m.LOCATION, body_0200(), number=bytes.fromhex("013912345679"))
    found, port, listener = await listen([("a:1", one[:20]), ("b:1", two[:30]), ("a:1", one[20:]), ("b:1", two[30:])])
    assert [word[0] for word in found if isinstance(word, tuple)] == ["13912345678", "13912345679"]
    assert [client for client, _ in port.sent] == ["a:1", "b:1"]
    assert (listener.tally.words, listener.tally.garbage) == (2, 0)


async def test_half_a_frame_of_one_that_hung_up_is_garbage_and_does_not_reach_the_next() -> None:
    one = framed(m.LOCATION, body_0200())
    found, _, listener = await listen([("a:1", one[:20]), ("a:1", b""), ("a:1", one[20:] + one)])
    assert [isinstance(word, Garbage) for word in found] == [True, True, False]
    assert listener.tally.garbage == 2


async def test_a_datagram_ends_what_it_holds() -> None:
    one = framed(m.LOCATION, body_0200())
    found, _, _ = await listen([("a:1", one[:20]), ("a:1", one)], whole=True)
    assert [isinstance(word, Garbage) for word in found] == [True, False]


async def test_missing_packets_are_asked_for_once_and_given_up() -> None:
    one = body_0200()
    batch = b"\0\2\1" + 2 * (len(one).to_bytes(2, "big") + one)
    pieces = [batch[:30], batch[30:]]
    first, second = (
        framed(m.BATCH, piece, serial=5 + n, packet=b"\0\2\0" + bytes((n + 1,))) for n, piece in enumerate(pieces)
    )
    found, port, _ = await listen([("a:1", first), 6.0, ("a:1", second), 1.0])
    assert len(found) == 2
    asked = [word for _, word in port.sent if isinstance(word, Message) and word.id == m.RESEND_PACKETS]
    assert [each.body.hex() for each in asked] == ["0005" + "01" + "0002"]
    found, port, _ = await listen([("a:1", first), 60.0])
    assert [word.why for word in found if isinstance(word, Garbage)] == ["1 of 2 packets of message 0x0704"]
    assert sum(isinstance(word, Message) and word.id == m.RESEND_PACKETS for _, word in port.sent) == 1


async def test_a_connection_that_is_silent_for_long_is_ended() -> None:
    beat = framed(m.HEARTBEAT)
    _, port, _ = await listen([("a:1", beat), 600.0, ("b:1", beat), 310.0])
    assert port.hung_up == ["a:1"]


# --- real sockets, against a terminal written by other hands

SPEED = 20.0
HERE = GeoState(lat=36.05, lon=-120.25, speed_mps=6.0, track_deg=271.0)


@asynccontextmanager
async def at_the_port(
    link: dict[str, Any],
    terminals: list[Terminal],
    sim: SimClock,
    key: bytes | None = None,
    box: Path | None = None,
) -> AsyncGenerator[Jt808Listener]:
    """`box`: where the tape goes."""
    clock = SiteClock(speed=SPEED, origin=sim.origin)
    recorder = None if box is None else Recorder(box, clock)
    settings = config(link={**link, "listen_host": "127.0.0.1"})
    port = await open_port(settings.link, clock)
    assert isinstance(settings.link, TcpListenConfig | UdpLinkConfig)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(t.run(*port.address, udp=link["kind"] == "udp")) for t in terminals]
        try:
            async with asyncio.timeout(WITHIN_S):
                ears = recorded_port(port, None if recorder is None else recorder.tap("trucks"))
                yield Jt808Listener(ears, settings, clock, key)
        finally:
            for task in tasks:
                task.cancel()
    await port.close()
    if recorder is not None:
        await recorder.finish()


@pytest.mark.parametrize("kind", ["tcp-listen", "udp"])
async def test_the_tape_holds_all_that_was_said_and_answered(kind: str, tmp_path: Path) -> None:
    sim = SimClock(speed=SPEED)
    fleet = [Terminal(sim, str(13900000001 + n), lambda: HERE) for n in range(3)]
    live: list[tuple[str, Fix]] = []
    async with at_the_port({"kind": kind, "listen_port": 0}, fleet, sim, KEY, tmp_path) as listener:
        async for word in listener.words():
            assert isinstance(word, tuple)
            live.append(word)
            if len(live) >= 12 and {name for name, _ in live[6:]} == {each.phone for each in fleet}:
                break
    [path] = tmp_path.iterdir()
    tape = [each for each in records(path) if isinstance(each, Record)]
    heard = [(r.at, *sender_of(r.payload)) for r in tape if r.kind is Kind.DATAGRAM]
    answers = [sender_of(r.payload) for r in tape if r.kind is Kind.ANSWERED]
    assert len({sender for _, sender, _ in heard}) == 3 == len({client for client, _ in answers})

    class Tape(ScriptPort):
        async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:
            if not heard:
                raise LinkLost(self.name, "the end of the tape")
            at, sender, data = heard.pop(0)
            return Chunk(data, at), sender

    clock = ScriptClock()
    port = Tape(clock, [], whole=kind == "udp")
    again, _ = await until_fault(Jt808Listener(port, config(), clock, KEY).words())
    assert again[: len(live)] == live
    said = [(client, word) for client, data in answers for word in words(data)]
    assert len(said) >= 12 and port.sent[: len(said)] == said


@pytest.mark.parametrize("kind", ["tcp-listen", "udp"])
@pytest.mark.parametrize("edition", [2011, 2013, 2019])
async def test_terminals_register_show_their_code_and_report(kind: str, edition: int) -> None:
    sim = SimClock(speed=SPEED)
    fleet = [Terminal(sim, str(13900000001 + n), lambda: HERE, edition=edition, plate="鲁B12345") for n in range(3)]
    found: dict[str, list[Fix]] = {}
    async with at_the_port({"kind": kind, "listen_port": 0}, fleet, sim, KEY) as listener:
        async for word in listener.words():
            assert isinstance(word, tuple), word
            found.setdefault(word[0], []).append(word[1])
            if len(found) == 3 and all(len(each) >= 4 for each in found.values()):
                break
    assert set(found) == {"13900000001", "13900000002", "13900000003"}
    for fix in (fix for each in found.values() for fix in each):
        assert (fix.lat, fix.lon, fix.track_deg) == (36.05, -120.25, 271.0)
        assert fix.speed_mps == pytest.approx(6.0, abs=0.02) and fix.satellites == 14
    for each in fleet:
        assert each.told.registered and each.told.authenticated and each.told.answered >= 3 and not each.told.refused


async def test_what_was_kept_back_in_packets_comes_as_history() -> None:
    sim = SimClock(speed=SPEED)
    terminal = Terminal(sim, "13900000001", lambda: HERE, packets=True, remember=True)
    terminal.faults.unplugged = True
    for n in range(40):
        terminal.tell(sim.now() - 300.0 + n)
    terminal.faults.unplugged = False
    terminal.faults.lost_packet_share = 0.5
    terminal.faults.silent = True
    late: list[Fix] = []
    async with at_the_port({"kind": "tcp-listen", "listen_port": 0}, [terminal], sim) as listener:
        async for word in listener.words():
            if isinstance(word, tuple):
                late.append(word[1])
            if len(late) == 40:
                break
    assert all(fix.historical for fix in late)
    assert sorted(int(fix.fix_time or 0) for fix in late) == [second for second, _, _ in terminal.told.sent]
    assert terminal.told.kept == 40
