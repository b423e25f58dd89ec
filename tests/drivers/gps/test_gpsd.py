"""gpsd as a source: its JSON in pieces and damaged, a scripted one, a simulated one on a real socket."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.faults import LinkLost, NoAnswer
from drivers.gps.config import GpsdConfig
from drivers.gps.fix import Fix
from drivers.gps.gpsd.decode import decode_stream
from drivers.gps.gpsd.device import MAX_RECEIVERS, GpsdClient
from drivers.gps.gpsd.frames import MAX_LINE_BYTES, Decoder, Report, Tpv, Version, to_fix, unix_s
from drivers.link import open_link
from drivers.readings import Garbage, Instant, Quality
from edge.clock import SiteClock
from simulators.clock import SimClock
from simulators.gps import GeoState
from simulators.gpsd import Gpsd
from tests.drivers.plugs import WITHIN_S, ScriptClock, ScriptLink, gather_words, until_fault

NOON = 1_795_435_200.0
ISO = "2026-11-23T12:00:00.000Z"
MANUAL = (
    b'{"class":"TPV","device":"/dev/pts/1","time":"2005-06-08T10:34:48.283Z","ept":0.005,"lat":46.498293369,'
    b'"lon":7.567411672,"alt":1343.127,"eph":36.000,"epv":32.321,"track":10.3788,"speed":0.091,"climb":-0.085,"mode":3}\n'
)
"""The example of gpsd's manual page."""


def config(**more: Any) -> GpsdConfig:
    link = {"kind": "tcp", "host": "127.0.0.1", "port": 2947}
    return GpsdConfig.model_validate({"protocol": "gpsd", "name": "pilot", "link": link, **more})


def words(*chunks: bytes) -> list[Report | Garbage]:
    decoder = Decoder()
    found: list[Report | Garbage] = []
    for chunk in (*chunks, b"\n"):
        decoder.receive(chunk)
        while (word := decoder.next_word()) is not None:
            found.append(word)
    return found


def tpv(**more: Any) -> bytes:
    usual = {"class": "TPV", "device": "/dev/a", "mode": 3, "time": ISO, "lat": 36.0, "lon": 120.2, "speed": 3.0}
    return json.dumps({k: v for k, v in {**usual, **more}.items() if v is not None}).encode() + b"\r\n"


SKY = (
    b'{"class":"SKY","device":"/dev/a","hdop":0.9,"satellites":[{"PRN":3,"el":41.0,"az":50.0,"ss":46.0,"used":true},'
    b'{"PRN":7,"ss":40,"used":true},{"PRN":9,"used":false}]}\n'
)


def test_the_manuals_own_example() -> None:
    [word] = words(MANUAL)
    assert isinstance(word, Tpv)
    fix = to_fix(word, Instant(5.0), used=None, hdop=None)
    assert (fix.valid, fix.lat, fix.lon, fix.altitude_m) == (True, 46.498293369, 7.567411672, 1343.127)
    assert (fix.speed_mps, fix.track_deg, fix.fix_time) == (0.091, 10.3788, 1118226888.283)


@given(st.lists(st.integers(0, len(MANUAL + SKY)), max_size=8))
@settings(max_examples=40)
def test_cut_anywhere(cuts: list[int]) -> None:
    whole = MANUAL + SKY
    edges = [0, *sorted(cuts), len(whole)]
    assert words(*(whole[a:b] for a, b in zip(edges, edges[1:], strict=False))) == words(whole)  # noqa: RUF007


@pytest.mark.parametrize("line", [
    MANUAL[:80], b"not json", b"[1,2]", b'{"class":5}', b'{"mode":3}', b'{"class":"TPV","mode":"3"}', b"\xff\xfe",
    b'{"class":"TPV","mode":3,"lat":91.0,"lon":0}', b'{"class":"TPV","mode":3,"lat":NaN}', b"[" * 5000,
    b'{"class":"TPV","mode":3,"lat":1,"lon":2,"speed":-1}',
])  # fmt: skip
def test_what_is_no_report_is_garbage_and_the_next_is_read(line: bytes) -> None:
    found = words(line + b"\n" + MANUAL)
    assert isinstance(found[0], Garbage) and found[0].why and found[0].raw == line
    assert isinstance(found[1], Tpv) and len(found) == 2


def test_classes_that_are_not_used_are_passed_over_and_counted() -> None:
    decoder = Decoder()
    decoder.receive(b'{"class":"PPS","device":"/dev/a"}\n{"class":"AIS","x":{}}\n')
    assert decoder.next_word() is None and decoder.passed_over == 2


def test_a_line_without_an_end_does_not_grow() -> None:
    found = words(*[b"x" * 1000] * 100)
    assert all(isinstance(word, Garbage) and len(word.raw) <= MAX_LINE_BYTES + 1000 for word in found)
    assert isinstance(words(b"x" * 20_000, b"\n", MANUAL)[-1], Tpv)


@given(st.binary(max_size=300))
def test_any_bytes_are_words_or_garbage(raw: bytes) -> None:
    for word in words(raw):
        assert isinstance(word, Garbage) or type(word).__name__ != ""


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"mode": 1, "lat": None, "lon": None}, "gpsd: mode 1, no fix"),
        ({"mode": 0}, "gpsd: no mode seen yet"),
        ({"mode": 1}, "gpsd: mode 1, no fix"),
        ({"status": 8}, "gpsd: status 8, a simulated position"),
        ({"lat": None}, "the position is empty"),
        ({"lat": 0, "lon": 0}, "0,0 is where receivers stand that do not know"),
    ],
)
def test_what_is_no_fix_says_why(more: dict[str, Any], why: str) -> None:
    [word] = words(tpv(**more))
    assert isinstance(word, Tpv)
    fix = to_fix(word, Instant(0.0), used=9, hdop=1.0)
    assert not fix.valid and fix.lat is fix.lon is fix.speed_mps is fix.hdop is None
    assert (fix.why, fix.quality) == (why, Quality.BAD)


@pytest.mark.parametrize(
    ("more", "hdop", "why"),
    [({"status": 5}, 1.0, "dead reckoning"), ({}, 25.0, "HDOP 25"), ({"time": "soon"}, 1.0, "its time 'soon' is none"),
     ({"time": "2026-11-23T12:00:00"}, 1.0, "its time '2026-11-23T12:00:00' is none")],
)  # fmt: skip
def test_what_is_doubted_says_why(more: dict[str, Any], hdop: float, why: str) -> None:
    [word] = words(tpv(**more))
    assert isinstance(word, Tpv)
    fix = to_fix(word, Instant(0.0), used=9, hdop=hdop)
    assert (fix.valid, fix.quality, fix.why) == (True, Quality.UNCERTAIN, why)


def test_a_time() -> None:
    assert (unix_s(ISO), unix_s(""), unix_s("2026-13-01T00:00:00Z")) == (NOON, None, None)


# --- one connection, scripted


async def run(script: list[bytes | float], **more: Any) -> tuple[list[Any], Any, GpsdClient, ScriptLink]:
    clock = ScriptClock()
    link = ScriptLink(clock, script)
    client = GpsdClient(link, config(**more), clock)
    found, ended = await until_fault(client.words())
    return found, ended, client, link


async def test_it_asks_once_and_gives_fixes_with_the_sky_beside_them() -> None:
    greeting = b'{"class":"VERSION","release":"3.22"}\r\n'
    assert words(greeting) == [Version("3.22")]
    script: list[bytes | float] = [greeting, SKY, tpv()]
    [(name, fix)], ended, client, link = await run(script)
    assert link.written == [b'?WATCH={"enable":true,"json":true}\n']
    assert (name, fix.valid, fix.satellites, fix.hdop, fix.fix_time) == ("pilot", True, 2, 0.9, NOON)
    assert isinstance(ended, LinkLost) and (client.tally.words, client.tally.garbage) == (3, 0)


async def test_an_old_sky_is_not_that_of_a_fix() -> None:
    [(_, fix)], _, _, _ = await run([SKY, 16.0, tpv()], silence_s=100)
    assert fix.satellites is None and fix.hdop is None


async def test_receivers_have_names_and_a_lost_one_is_told() -> None:
    script: list[bytes | float] = [tpv(), tpv(device="/dev/tty USB1"), b'{"class":"DEVICE","path":"/dev/a"}\n']
    found, _, _, _ = await run(script)
    assert [name for name, _ in found] == ["pilot", "pilot-tty-USB1", "pilot"]
    assert (found[2][1].valid, found[2][1].why) == (False, "gpsd reads /dev/a no more")


async def test_the_first_of_the_list_is_the_first() -> None:
    devices = b'{"class":"DEVICES","devices":[{"path":"/dev/b","activated":"x"},{"path":"/dev/a","activated":"x"}]}\n'
    [(name, _)], _, _, _ = await run([devices, tpv()])
    assert name == "pilot-a"


async def test_talk_without_reports_is_silence() -> None:
    chatter: list[bytes | float] = []
    for _ in range(30):
        chatter += [b'{"class":"PPS"}\n', 1.0]
    _, ended, _, _ = await run(chatter, silence_s=5)
    assert isinstance(ended, NoAnswer)


async def test_what_gpsd_could_not_do_is_kept() -> None:
    [garbage], _, client, _ = await run([b'{"class":"ERROR","message":"no"}\n'])
    assert garbage == Garbage(b"no", "gpsd says that it could not do what was asked") and client.tally.words == 1


async def test_paths_off_the_wire_do_not_grow_memory() -> None:
    _, _, client, _ = await run([tpv(device=f"/dev/{n}") for n in range(500)])
    assert len(client._receivers) == MAX_RECEIVERS


async def test_an_old_report_is_history() -> None:
    [(_, fix)], _, _, _ = await run([tpv(time="2026-11-23T11:50:00.000Z")])
    assert fix.historical


# --- a simulated gpsd on a real socket


async def test_two_receivers_over_tcp() -> None:
    sim = SimClock(speed=20.0)
    places = {
        "/dev/ttyACM0": GeoState(lat=36.0, lon=120.2, speed_mps=4.0),
        "/dev/ttyACM1": GeoState(lat=-36.0, lon=-70.0),
    }
    device = Gpsd(sim, {path: lambda p=place: p for path, place in places.items()})
    host, port = device.tcp()
    clock = SiteClock(speed=20.0, origin=sim.origin)
    settings_ = config(link={"kind": "tcp", "host": host, "port": port}, silence_s=60)
    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
        task = group.create_task(device.run())
        link = await open_link(settings_.link, clock)
        client = GpsdClient(link, settings_, clock)
        found = [word for word in await gather_words(client.words(), 6) if isinstance(word, tuple)]
        assert {name for name, _ in found} == {"pilot", "pilot-ttyACM1"} and len(found) == 6
        for name, fix in found:
            assert fix.quality is Quality.GOOD and fix.satellites == 9 and not fix.hints
            assert fix.lat == (36.0 if name == "pilot" else -36.0)
        await link.close()
        task.cancel()
    device.close()


def test_decode_tells_each_report() -> None:
    told = list(decode_stream([SKY, tpv(), b"rubbish\n", tpv(mode=1, lat=None, lon=None)]))
    assert [each.get("valid", each.get("garbage")) for each in told] == [True, "rubbish", False]
    assert told[0]["satellites"] == 2 and told[0]["at"] == ISO


def test_a_fix_is_the_same_type() -> None:
    [word] = words(MANUAL)
    assert isinstance(word, Tpv) and isinstance(to_fix(word, Instant(0.0), used=1, hdop=None), Fix)
