"""Seals: the public captures, any bytes, and the simulator on a real port."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.faults import LinkLost, NoAnswer
from drivers.link import TcpListenLink, open_port
from drivers.link.config import TcpListenConfig
from drivers.readings import Chunk, Garbage, Quality
from drivers.seal.config import SealsConfig
from drivers.seal.decode import decode_stream, plain
from drivers.seal.device import SealListener
from drivers.seal.frames import Decoder, Report, answer_to
from drivers.seal.state import SealState, SealWord, state_of
from edge.clock import SiteClock
from simulators.clock import SimClock
from simulators.seal import Seal
from tests.drivers.plugs import WITHIN_S, ScriptClock, until_fault

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "seal" / "jointech.json").read_text("utf-8")
)
WIRES = [bytes.fromhex(each["hex"]) if "hex" in each else each["text"].encode() for each in GOLDEN]
P45 = b"(7591225008,P45,060721,074300,22.5499,N,114.0770,E,A,0,0,1,1,0001234567,0,0,12)"


def words_of(pieces: list[bytes]) -> list[Report | Garbage]:
    decoder, found = Decoder(), list[Report | Garbage]()
    for piece in pieces:
        decoder.receive(piece)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    decoder.end()
    while (word := decoder.next_word()) is not None:
        found.append(word)
    return found


def test_every_golden_frame_reads_as_expected(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counter[str]()
    for each, wire in zip(GOLDEN, WIRES, strict=True):
        [word] = words_of([wire])
        assert isinstance(word, Report), each
        said, expected = plain(word), dict(each["expected"])
        for key in ("lat", "lon"):
            assert said[key] == pytest.approx(expected.pop(key), abs=1e-5)
        if "utc_ddmmyy_hhmmss" in expected:
            day = expected.pop("utc_ddmmyy_hhmmss")
            told = None if word.at is None else f"{word.at:%d%m%y%H%M%S}"
            assert told == (None if day.startswith("010100") else day)
        if "utc" in expected:
            assert said["at"] == expected.pop("utc")
        assert expected.pop("frame_length", len(word.raw)) == len(word.raw)
        assert {key: said.get(key) for key in expected} == expected
        counts[word.format] += 1
    with capsys.disabled():
        print(f"\njointech: {len(GOLDEN)} frames, {dict(counts)}")


@given(st.data())
def test_any_cut_gives_the_same_words(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.sampled_from([*WIRES, P45]) | st.binary(max_size=6)))
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = words_of([stream])
    assert words_of(pieces) == whole == words_of([stream[n : n + 1] for n in range(len(stream))])
    assert b"".join(word.raw for word in whole) == stream


@given(st.lists(st.sampled_from([*WIRES, P45]), min_size=1))
def test_noise_between_costs_no_frame(parts: list[bytes]) -> None:
    words = words_of([b"\xff\x7e\xff".join(parts)])
    assert [word.raw for word in words if isinstance(word, Report)] == parts


@given(st.binary(max_size=600))
def test_any_bytes_are_kept(noise: bytes) -> None:
    assert b"".join(word.raw for word in words_of([noise])) == noise
    assert all("garbage" in said or "id" in said for said in decode_stream([noise]))


@given(st.binary(min_size=52, max_size=52))
def test_any_body_of_a_right_length_is_read_or_kept(body: bytes) -> None:
    wire = WIRES[0][:10] + body
    assert b"".join(word.raw for word in words_of([wire])) == wire


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x20C0, "locked"),
        (0x28C0, "low battery"),
        (0x2040, "unlocked"),
        (0x2080, "opened"),
        (0x2000, "opened"),
        (0x00C0, "tampered"),
        (0x30C0, "tampered"),
        (0x38C8, "cut"),
    ],
)
def test_the_worst_holds(status: int, state: str) -> None:
    assert state_of(status).value == state


def test_answers_follow_the_version_and_the_wish() -> None:
    answers = [answer_to(word) for wire in [*WIRES, P45] for word in words_of([wire]) if isinstance(word, Report)]
    assert answers == [b"(P69,0,110)", b"", b"(P35)", b"", b"", b"", b"", b"(P69,0,12)"]


@pytest.mark.parametrize("wrong", [{"only_listed": True}, {"seals": [{"id": "12", "name": "a"}]}, {"stale_after_s": 0}])
def test_settings_are_closed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def settings(**more: Any) -> SealsConfig:
    link = {"kind": "tcp-listen", "listen_host": "127.0.0.1", "listen_port": 0}
    return SealsConfig.model_validate({"name": "seals", "link": link, **more})


class ScriptPort:
    """Gives what its script says; a number is so many seconds of silence."""

    name = "script:1"

    def __init__(self, clock: ScriptClock, script: list[bytes | float]) -> None:
        self.written: list[bytes] = []
        self.hung_up: list[str] = []
        self._clock = clock
        self._script = script

    async def read_from(self, deadline_s: float) -> tuple[Chunk, str]:
        await asyncio.sleep(0)
        if not self._script:
            raise LinkLost(self.name, "end of the script")
        step = self._script.pop(0)
        if isinstance(step, bytes):
            return Chunk(step, self._clock.now()), "192.0.2.1:1"
        self._clock.at += min(step, deadline_s)
        if step > deadline_s:
            self._script.insert(0, step - deadline_s)
        raise NoAnswer(self.name, "silent")

    def write_to(self, client: str, data: bytes) -> bool:
        self.written.append(data)
        return True

    def hang_up(self, client: str) -> None:
        self.hung_up.append(client)


async def heard(script: list[bytes | float], **more: Any) -> tuple[list[SealWord | Garbage], ScriptPort]:
    clock = ScriptClock()
    port = ScriptPort(clock, script)
    found, ended = await until_fault(SealListener(port, settings(**more), clock).words())
    assert isinstance(ended, LinkLost)
    return found, port


def at(clock_s: float, **parts: Any) -> bytes:
    seal = Seal(SimClock(), "8041300978")
    for name, value in parts.items():
        setattr(seal, name, value)
    return seal.frame(clock_s)


async def test_a_kept_back_frame_is_history_and_changes_no_state() -> None:
    now = ScriptClock().at
    words, port = await heard([at(now, rope_cut=True), at(now - 600), P45.replace(b"7591225008", b"8041300978")])
    told = [(w.state.value, w.historical, w.card) for w in words if isinstance(w, SealWord)]
    assert told == [("cut", False, None), ("locked", True, None), ("cut", True, "0001234567")]
    assert port.written == [b"(P69,0,1)", b"(P69,0,1)", b"(P69,0,12)"]


async def test_silence_is_a_state_told_once_and_a_place_does_not_break_it() -> None:
    now = ScriptClock().at
    w01 = b"(8041300978,W01,11404.6204,E,2232.9961,N,A,040511,063736,4,7,100,4,17,1,1,company)"
    script: list[bytes | float] = [at(now), 60.0, w01, 60.0, 600.0, at(now + 700)]
    words, _ = await heard(
        script, stale_after_s=100, seals=[{"id": "8041300978", "name": "a"}, {"id": "7000000000", "name": "b"}]
    )
    told = [(w.seal, w.state.value, w.quality) for w in words if isinstance(w, SealWord)]
    assert told[0] == ("a", "locked", Quality.GOOD) and told[-1] == ("a", "locked", Quality.GOOD)
    assert sorted(told[1:-1]) == [("a", "stale", Quality.BAD), ("b", "stale", Quality.BAD)]
    assert any(isinstance(w, SealWord) and "it was locked" in w.why for w in words)


async def test_a_seal_without_the_time_is_uncertain_and_has_no_place() -> None:
    [word], _ = await heard([WIRES[2]])
    assert isinstance(word, SealWord)
    assert (word.lat, word.lon, word.said_at, word.quality) == (None, None, None, Quality.UNCERTAIN)


async def test_who_is_not_listed_is_garbage_without_an_answer() -> None:
    [word], port = await heard([WIRES[0]], only_listed=True, seals=[{"id": "7000000000", "name": "b"}])
    assert isinstance(word, Garbage) and "8041300978" in word.why
    assert not port.written


async def test_a_silent_connection_is_ended_with_what_it_began() -> None:
    words, port = await heard([WIRES[0][:20], 3700.0, 10.0])
    assert port.hung_up == ["192.0.2.1:1"]
    assert [word.raw for word in words if isinstance(word, Garbage)] == [WIRES[0][:20]]


@asynccontextmanager
async def listening(clock: SiteClock, **more: Any) -> AsyncGenerator[tuple[SealListener, int]]:
    config = settings(**more)
    assert isinstance(config.link, TcpListenConfig)
    port = await open_port(config.link, clock)
    assert isinstance(port, TcpListenLink)
    try:
        async with asyncio.timeout(WITHIN_S):
            yield SealListener(port, config, clock), port.address[1]
    finally:
        await port.close()


async def test_two_simulated_seals_on_one_port() -> None:
    sim = SimClock(speed=50.0)
    clock = SiteClock(speed=50.0, origin=sim.origin)
    seals = [Seal(sim, "8041300978", period_s=5.0, seed=1), Seal(sim, "7580126398", version=0x17, period_s=5.0, seed=2)]
    async with listening(clock, stale_after_s=30.0) as (listener, number), asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run("127.0.0.1", number)) for each in seals]
        seen: dict[str, list[SealState]] = {each.number: [] for each in seals}

        async def until(seal: str, state: SealState) -> SealWord:
            async for word in listener.words():
                if isinstance(word, SealWord):
                    seen[word.seal].append(word.state)
                    if word.seal == seal and word.state is state and not word.historical:
                        return word
            raise AssertionError

        first = await until("7580126398", SealState.LOCKED)
        assert (first.lat, first.lon) == (pytest.approx(36.0, abs=1e-5), pytest.approx(120.2, abs=1e-5))
        assert first.quality is Quality.GOOD and first.battery_percent == 100
        await until("8041300978", SealState.LOCKED)
        seals[0].rope_in = seals[0].locked = False
        await until("8041300978", SealState.OPENED)
        seals[0].rope_cut = True
        cut = await until("8041300978", SealState.CUT)
        assert "rope cut" in cut.alarms
        seals[1].battery = 9
        await until("7580126398", SealState.LOW_BATTERY)
        seals[1].faults.silent = True
        await until("7580126398", SealState.STALE)
        seals[0].faults.noise_share = seals[0].faults.half_share = 0.5
        while listener.tally.garbage < 3:
            await until("8041300978", SealState.CUT)
        assert set(seen["8041300978"]) == {SealState.LOCKED, SealState.OPENED, SealState.CUT}
        assert all(each.answered for each in seals)
        for task in tasks:
            task.cancel()
