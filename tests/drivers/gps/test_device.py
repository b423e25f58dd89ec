import asyncio
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from drivers.faults import DriverFault, LinkLost, NoAnswer
from drivers.gps.config import GpsConfig
from drivers.gps.device import GpsListener, GpsReceiver
from drivers.gps.fix import Fix
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.readings import Garbage, Quality
from edge.clock import SiteClock
from tests.drivers.gps.corpus import nmea
from tests.drivers.gps.test_assemble import gga, rmc
from tests.drivers.plugs import (
    ScriptClock,
    ScriptLink,
    free_udp_port,
    gather_words,
    pty_device,
    tcp_device,
    udp_send,
    until_fault,
)

TCP = {"kind": "tcp", "host": "127.0.0.1", "port": 1}


def config(**more: Any) -> GpsConfig:
    return GpsConfig.model_validate({"name": "yard", "link": TCP, **more})


async def run(
    script: list[bytes | float], **more: Any
) -> tuple[list[Fix | Garbage], DriverFault, GpsReceiver, ScriptClock]:
    clock = ScriptClock()
    receiver = GpsReceiver(ScriptLink(clock, script), config(**more), clock)
    words, ended = await until_fault(receiver.words())
    return words, ended, receiver, clock


def tagged(sentence: bytes, name: str) -> bytes:
    return nmea(sentence.decode().strip()[1:-3], tag=f"s:{name}")


# --- settings


@pytest.mark.parametrize(
    "wrong", [{"name": "Yard 1"}, {"baud": 9600}, {"silence_s": 0}, {"silence_s": -1}, {"link": {"kind": "modbus-tcp"}}]
)
def test_settings_are_closed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


# --- one receiver, scripted


async def test_fixes_until_the_link_is_lost() -> None:
    words, ended, receiver, _ = await run([rmc() + gga(), rmc("120001.00"), gga("120001.00")])
    assert [word.fix_time for word in words if isinstance(word, Fix)] == [1795435200.0, 1795435201.0]
    assert isinstance(ended, LinkLost)
    assert (receiver.tally.words, receiver.tally.garbage) == (2, 0)


async def test_a_lone_sentence_is_told_when_the_line_falls_quiet() -> None:
    words, ended, _, clock = await run([rmc(), 5.0, rmc("120005.00"), 100.0], silence_s=30)
    assert len(words) == 2
    assert isinstance(ended, NoAnswer)
    assert clock.at - 1_795_435_200.0 == pytest.approx(35.0)


async def test_the_last_epoch_is_told_before_the_loss() -> None:
    words, ended, _, _ = await run([rmc()])
    assert len(words) == 1 and isinstance(ended, LinkLost)


async def test_half_a_sentence_at_the_end_is_nothing() -> None:
    words, _, receiver, _ = await run([rmc() + gga() + rmc("120001.00")[:30]])
    assert len(words) == 1 and receiver.tally.words == 1


async def test_silence_is_no_fault_where_the_site_says_so() -> None:
    words, ended, _, clock = await run([100_000.0, rmc() + gga()])
    assert len(words) == 1 and isinstance(ended, LinkLost)
    assert clock.at - 1_795_435_200.0 == pytest.approx(100_000.0)


async def test_garbage_is_counted_and_given() -> None:
    words, _, receiver, _ = await run([b"\xb5\x62\x01\n" + rmc() + gga() + b"$GPRMC,1*00\n"])
    garbage = [word for word in words if isinstance(word, Garbage)]
    assert [word.raw for word in garbage] == [b"\xb5\x62\x01", b"$GPRMC,1*00"]
    assert (receiver.tally.words, receiver.tally.garbage, receiver.tally.garbage_bytes) == (1, 2, 14)


async def test_a_receiver_whose_weeks_rolled_over_is_doubted() -> None:
    [fix], _, _, _ = await run([rmc(date="090407") + gga()])
    assert isinstance(fix, Fix) and fix.valid and fix.quality is Quality.UNCERTAIN and "days behind" in fix.why


# --- many trackers on one port


class ScriptDatagrams(ScriptLink):
    """As a UDP link: each step of the script is one datagram, its sender in front."""

    whole = True

    async def read_from(self, deadline_s: float) -> tuple[Any, str]:
        chunk = await self.read(deadline_s)
        sender, _, data = chunk.data.partition(b"|")
        return type(chunk)(data, chunk.at), sender.decode()


async def listen(script: list[bytes | float]) -> tuple[list[tuple[str, Fix] | Garbage], GpsListener]:
    clock = ScriptClock()
    listener = GpsListener(ScriptDatagrams(clock, script), config(), clock)
    words, ended = await until_fault(listener.words())
    assert isinstance(ended, LinkLost)
    return words, listener


def told(words: list[tuple[str, Fix] | Garbage]) -> list[tuple[str, float | None]]:
    return [(word[0], word[1].lat) for word in words if isinstance(word, tuple)]


async def test_trackers_are_known_by_tag_block_else_by_sender() -> None:
    here, there = "3600.0000,N,12012.0000,E", "3612.0000,N,12012.0000,E"
    words, _ = await listen(
        [
            b"10.0.0.1:5|" + rmc(where=here),
            b"10.0.0.2:5|" + rmc(where=there),
            b"10.0.0.3:5|" + tagged(rmc(where=there), "truck7"),
            b"10.0.0.1:5|" + gga(where=here),
            b"10.0.0.9:5|" + tagged(gga(where=there), "truck7"),
            b"10.0.0.2:5|" + gga(where=there),
        ]
    )
    assert told(words) == [("10.0.0.1:5", 36.0), ("truck7", 36.2), ("10.0.0.2:5", 36.2)]


async def test_a_datagram_needs_no_line_end_and_half_a_sentence_does_not_reach_the_next() -> None:
    words, listener = await listen([b"a:1|" + rmc().strip(), b"a:1|" + gga()[:30], b"a:1|" + gga().strip()])
    assert told(words) == [("a:1", 36.0)]
    assert listener.tally.garbage == 1


async def test_a_wrong_tag_block_leaves_the_sentence_to_its_sender() -> None:
    words, _ = await listen([b"a:1|" + tagged(rmc(), "truck7").replace(b"truck7", b"truck8") + gga()])
    assert told(words) == [("a:1", 36.0)]


async def test_busy_neighbours_do_not_keep_a_lone_sentence_waiting() -> None:
    script: list[bytes | float] = [b"a:1|" + rmc()]
    for n in range(10):
        script += [0.1, b"b:1|" + rmc(f"1200{n:02d}.00") + gga(f"1200{n:02d}.00")]
    words, _ = await listen(script)
    names = [name for name, _ in told(words)]
    assert names.index("a:1") <= 5 and names.count("b:1") == 10


async def test_names_off_the_wire_do_not_grow_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.gps.device.MAX_TRACKERS", 50)
    words, listener = await listen([f"h:{n}|".encode() + tagged(rmc(), f"t{n}") for n in range(500)])
    assert listener.forgotten == 450 and len(words) + listener.forgotten >= 500
    assert len(listener._trackers) == len(listener._senders) == 50 and len(listener._waiting) <= 50


# --- real wires


async def test_over_tcp_with_the_line_torn_in_a_sentence() -> None:
    clock = SiteClock()
    async with tcp_device() as (port, connected):
        link = await open_link(TypeAdapter[Any](StreamLinkConfig).validate_python({**TCP, "port": port}), clock)
        receiver = GpsReceiver(link, config(), clock)
        peer = await connected
        peer.send(rmc() + gga()[:20])
        peer.send(gga()[20:] + rmc("120001.00")[:40])
        words = receiver.words()
        assert [type(word) for word in await gather_words(words, 1)] == [Fix]
        peer.hang_up()
        with pytest.raises(LinkLost):
            await gather_words(receiver.words(), 1)
        assert receiver.tally.words == 1
        await link.close()


async def test_over_a_serial_line() -> None:
    clock = SiteClock()
    async with pty_device() as (path, peer):
        serial = TypeAdapter[Any](StreamLinkConfig).validate_python({"kind": "serial", "device": path, "baud": 9600})
        link = await open_link(serial, clock)
        receiver = GpsReceiver(link, config(), clock)
        peer.send(b"\xff\xfe" + rmc() + gga())
        peer.send(rmc("120001.00", status="V"))
        words = await gather_words(receiver.words(), 3)
        assert [word.valid if isinstance(word, Fix) else word.raw for word in words] == [b"\xff\xfe", True, False]
        await link.close()


async def test_over_udp_from_two_trackers_at_once() -> None:
    clock = SiteClock()
    where = free_udp_port()
    udp = {"kind": "udp", "listen_host": where[0], "listen_port": where[1]}
    link = await open_link(TypeAdapter[Any](StreamLinkConfig).validate_python(udp), clock)
    listener = GpsListener(link, config(), clock)
    one = udp_send(where, rmc(), gga())
    udp_send(where, tagged(rmc(), "truck7"), b"noise", tagged(gga(), "truck7"))
    words = await gather_words(listener.words(), 3)
    assert sorted(word[0] for word in words if isinstance(word, tuple)) == sorted([one, "truck7"])
    assert [word.raw for word in words if isinstance(word, Garbage)] == [b"noise"]
    await link.close()
    await asyncio.sleep(0)


async def test_cancellation_passes_through() -> None:
    clock = SiteClock()
    async with tcp_device() as (port, connected):
        link = await open_link(TypeAdapter[Any](StreamLinkConfig).validate_python({**TCP, "port": port}), clock)
        await connected
        task = asyncio.get_running_loop().create_task(gather_words(GpsReceiver(link, config(), clock).words(), 1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await link.close()
