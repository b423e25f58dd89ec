"""A reader by LLRP: on a script, and the simulator on a real socket."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.faults import DriverFault, LinkLost, NoAnswer, Refused, TheirMistake
from drivers.kinds import Link
from drivers.link import open_link
from drivers.link.config import TcpLinkConfig
from drivers.readings import Garbage
from drivers.rfid import llrp
from drivers.rfid.config import TagReaderConfig
from drivers.rfid.llrp_device import LlrpReader
from drivers.rfid.readers import reader_of
from drivers.rfid.tag import Tag, epc_of
from edge.clock import SiteClock
from simulators.clock import SimClock
from simulators.llrp import LlrpReader as SimReader
from simulators.rfid import SimTag
from tests.drivers.plugs import WITHIN_S, ScriptClock, ScriptLink, gather_words, until_fault

SPEED = 20.0
PLATE = epc_of("沪AD3F88")
WELCOME = bytes.fromhex("043f000000200000000000f600160080000c0005af3107a40000010000060000")
KEEPALIVE = bytes.fromhex("043e0000000a00000005")


def config(**more: Any) -> TagReaderConfig:
    link = {"kind": "tcp", "host": "127.0.0.1", "port": 5084}
    return TagReaderConfig.model_validate(
        {"name": "tags", "dialect": "llrp", "link": link, "plate_in_epc": True, "repeat_window_s": 1000, **more}
    )


def well(written: bytes, codes: dict[int, int] | None = None) -> bytes:
    """The answers to the requests in these bytes."""
    decoder, answers = llrp.Decoder(), b""
    decoder.receive(written)
    while (word := decoder.next_word()) is not None:
        assert isinstance(word, llrp.Message)
        if word.type != llrp.KEEPALIVE_ACK:
            code = (codes or {}).get(word.type, 0)
            status = llrp.tlv(287, code.to_bytes(2, "big") + b"\x00\x02no")
            answers += llrp.encode(llrp.Message(type=word.type + 10, id=word.id, body=status))
    return answers


def report(epc: bytes, more: bytes = b"") -> bytes:
    return llrp.encode(llrp.Message(type=61, id=1, body=llrp.tlv(240, b"\x8d" + epc + more)))


async def run(
    script: list[bytes | float], codes: dict[int, int] | None = None, **more: Any
) -> tuple[list[Tag | Garbage], DriverFault, LlrpReader, ScriptLink]:
    clock = ScriptClock()
    link = ScriptLink(clock, script, lambda data: well(data, codes))
    reader = LlrpReader(link, config(**more), clock)
    words, ended = await until_fault(reader.words())
    return words, ended, reader, link


@pytest.mark.parametrize(
    "wrong",
    [
        {"link": {"kind": "serial", "device": "/dev/ttyS0"}},
        {"antennas": [0]},
        {"dialect": "uhf-a0", "antennas": [1]},
    ],
)
def test_settings_that_do_not_fit_are_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


async def test_the_handshake_then_tags_and_keepalives() -> None:
    words, ended, reader, link = await run(
        [WELCOME, 0.1, KEEPALIVE + report(PLATE, b"\x81\x00\x02\x86\xd6\x88\x00\x05"), report(bytes(12)), 0.1]
    )
    assert isinstance(ended, LinkLost)
    assert [(word.plate, word.rssi_dbm, word.antenna, word.count) for word in words if isinstance(word, Tag)] == [
        ("沪AD3F88", -42, 2, 5),
        (None, None, None, 1),
    ]
    asked = [int.from_bytes(data[:2], "big") & 0x3FF for data in link.written]
    assert asked == [21, 3, 20, 24, 72]
    assert link.written[-1].hex() == "04480000000a00000005"
    assert (reader.tally.words, reader.tally.garbage, reader.keepalives) == (2, 0, 1)


async def test_a_reader_that_serves_another_refuses() -> None:
    _, ended, _, link = await run([WELCOME[:-2] + b"\x00\x02"])
    assert isinstance(ended, Refused) and "another client" in str(ended)
    assert not link.written


@pytest.mark.parametrize(("kind", "name"), [(20, "ADD_ROSPEC"), (3, "SET_READER_CONFIG"), (24, "ENABLE_ROSPEC")])
async def test_a_bad_status_refuses_with_the_readers_own_words(kind: int, name: str) -> None:
    _, ended, _, _ = await run([WELCOME, 5.0], {kind: 101})
    assert isinstance(ended, Refused) and ended.code == 101
    assert name in str(ended) and "no" in str(ended)


async def test_nothing_to_delete_is_no_refusal() -> None:
    words, _, _, _ = await run([WELCOME, 0.1, report(PLATE), 0.1], {21: 201})
    assert len(words) == 1


async def test_an_error_message_refuses_and_a_broken_answer_is_their_mistake() -> None:
    error = llrp.encode(llrp.Message(type=100, id=1, body=llrp.tlv(287, b"\x00\x6d\x00\x00")))
    _, ended, _, _ = await run([WELCOME, 0.1, error, 0.1])
    assert isinstance(ended, Refused) and ended.code == 109
    clock = ScriptClock()
    broken = llrp.encode(llrp.Message(type=31, id=1, body=b"\x01\x1f\x00\x09"))
    link = ScriptLink(clock, [WELCOME, broken, 1.0])
    _, ended = await until_fault(LlrpReader(link, config(), clock).words())
    assert isinstance(ended, TheirMistake)


async def test_silence_is_no_answer_before_and_after_the_handshake() -> None:
    _, ended, _, _ = await run([100.0])
    assert isinstance(ended, NoAnswer) and "READER_EVENT_NOTIFICATION" in str(ended)
    words, ended, reader, _ = await run([WELCOME, 0.1, KEEPALIVE[:7], 100.0])
    assert isinstance(ended, NoAnswer)
    assert [word.raw for word in words if isinstance(word, Garbage)] == [KEEPALIVE[:7]]
    assert reader.tally.garbage_bytes == 7


async def test_an_antenna_of_the_lane_that_is_off_refuses_and_another_does_not() -> None:
    off = llrp.encode(llrp.Message(type=63, id=0, body=llrp.tlv(246, llrp.tlv(255, b"\x00\x00\x02"))))
    _, ended, _, _ = await run([WELCOME, 0.1, off, 0.1], antennas=[1, 2])
    assert isinstance(ended, Refused) and "antenna 2" in str(ended)
    _, ended, _, _ = await run([WELCOME, 0.1, off, 0.1], antennas=[1])
    assert isinstance(ended, LinkLost)


@asynccontextmanager
async def simulated(field: list[SimTag]) -> AsyncGenerator[tuple[SimReader, TcpLinkConfig, SiteClock]]:
    device = SimReader(SimClock(speed=SPEED), lambda: field)
    host, port = device.tcp()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(device.run())
        try:
            async with asyncio.timeout(WITHIN_S):
                yield device, TcpLinkConfig(host=host, port=port), SiteClock(speed=SPEED)
        finally:
            task.cancel()
    device.close()


async def test_the_simulated_reader_over_a_socket() -> None:
    field = [SimTag(epc=PLATE, rssi=-48)]
    async with simulated(field) as (_, where, clock):
        link: Link = await open_link(where, clock)
        reader = reader_of(link, config(antennas=[2]), clock)
        assert isinstance(reader, LlrpReader)
        [tag] = await gather_words(reader.words(), 1)
        assert isinstance(tag, Tag)
        assert (tag.plate, tag.rssi_dbm, tag.antenna) == ("沪AD3F88", -48, 2)
        second = await open_link(where, clock)
        _, ended = await until_fault(LlrpReader(second, config(), clock).words())
        assert isinstance(ended, Refused) and ended.code == 2
        await second.close()
        await link.close()


async def test_keepalives_keep_the_connection_and_a_pulled_cable_is_told() -> None:
    field: list[SimTag] = []
    async with simulated(field) as (device, where, clock):
        link = await open_link(where, clock)
        reader = LlrpReader(link, config(), clock)
        words = asyncio.ensure_future(until_fault(reader.words()))
        while reader.keepalives < 7:
            await asyncio.sleep(0.01)
        assert device.session is not None and device.session.acks >= 5 and not device.session.client.gone
        field.append(SimTag(epc=bytes(range(8)), rssi=-70))
        while not reader.tally.words:
            await asyncio.sleep(0.01)
        device.faults.bad_sum_share = 1.0
        while not reader.tally.garbage:
            await asyncio.sleep(0.01)
        device.drop()
        told, ended = await words
        assert isinstance(ended, LinkLost)
        assert [word.epc for word in told if isinstance(word, Tag)] == [bytes(range(8))]
        await link.close()


async def test_a_simulated_reader_that_falls_silent_or_refuses() -> None:
    async with simulated([]) as (device, where, clock):
        device.refuse[20] = 401
        link = await open_link(where, clock)
        _, ended = await until_fault(LlrpReader(link, config(), clock).words())
        assert isinstance(ended, Refused) and ended.code == 401
        await link.close()
        device.faults.silent = True
        link = await open_link(where, clock)
        _, ended = await until_fault(LlrpReader(link, config(), clock).words())
        assert isinstance(ended, NoAnswer)
        await link.close()
