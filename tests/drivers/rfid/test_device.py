from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from drivers.faults import DriverFault, LinkLost, NoAnswer, Refused
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.readings import Garbage
from drivers.rfid.config import TagReaderConfig
from drivers.rfid.device import ANSWER_DEADLINE_S, MAX_ERRORS, ROUND_DEADLINE_S, SILENT_S, TagReader
from drivers.rfid.frames import a0_frame, bb_frame, start_inventory
from drivers.rfid.tag import Tag, epc_of
from edge.clock import SiteClock
from tests.drivers.plugs import ScriptClock, ScriptLink, gather_words, pty_device, tcp_device, until_fault
from tests.drivers.rfid.test_frames import a0_tag, bb_tag

TCP = {"kind": "tcp", "host": "127.0.0.1", "port": 1}
PLATE = epc_of("沪AD3F88")
BB_EMPTY = bb_frame(0x01, 0xFF, b"\x15")
A0_DONE = a0_frame(0x01, 0x89, b"\x00\x00\x0a\x00\x00\x00\x01")


def config(dialect: str = "uhf-bb", **more: Any) -> TagReaderConfig:
    return TagReaderConfig.model_validate(
        {"name": "tags", "dialect": dialect, "link": TCP, "plate_in_epc": True, **more}
    )


async def run(
    script: list[bytes | float], dialect: str = "uhf-bb", **more: Any
) -> tuple[list[Tag | Garbage], DriverFault, TagReader, ScriptLink]:
    clock = ScriptClock()
    link = ScriptLink(clock, script)
    reader = TagReader(link, config(dialect, **more), clock)
    words, ended = await until_fault(reader.words())
    return words, ended, reader, link


@pytest.mark.parametrize("wrong", [{"dialect": "toll"}, {"address": 256}, {"power": 30}, {"repeat_window_s": -1}])
def test_settings_are_closed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


async def test_the_inventory_is_started_and_tags_are_told_with_their_plates() -> None:
    words, ended, reader, link = await run([BB_EMPTY, bb_tag(PLATE) * 5, BB_EMPTY, bb_tag(bytes(12))])
    assert link.written == [start_inventory("uhf-bb")]
    assert [(word.plate, word.epc, word.rssi_dbm) for word in words if isinstance(word, Tag)] == [
        ("沪AD3F88", PLATE, -55),
        (None, bytes(12), -55),
    ]
    assert isinstance(ended, LinkLost)
    assert (reader.tally.words, reader.tally.garbage, reader.rounds) == (2, 0, 2)


async def test_repeats_within_the_window_are_folded() -> None:
    script: list[bytes | float] = []
    for _ in range(20):
        script += [bb_tag(PLATE), 0.125]
    words, _, _, _ = await run(script, repeat_window_s=1.0)
    assert [word.count for word in words if isinstance(word, Tag)] == [1, 8, 8]


async def test_a_reader_of_rounds_is_asked_again_after_each() -> None:
    script: list[bytes | float] = [a0_tag(PLATE) + A0_DONE, 0.1, A0_DONE, 0.1, a0_tag(bytes(12)) + A0_DONE]
    words, _, reader, link = await run(script, "uhf-a0", address=7)
    assert link.written == [start_inventory("uhf-a0", 7)] * 4
    assert [word.epc for word in words if isinstance(word, Tag)] == [PLATE, bytes(12)]
    assert reader.rounds == 3


@pytest.mark.parametrize("dialect", ["uhf-bb", "uhf-a0"])
async def test_a_reader_that_falls_silent_is_asked_again_then_given_up(dialect: str) -> None:
    _, ended, reader, link = await run([1000.0], dialect)
    assert isinstance(ended, NoAnswer)
    every_s = ANSWER_DEADLINE_S if dialect == "uhf-bb" else ROUND_DEADLINE_S
    assert abs(len(link.written) - SILENT_S / every_s) <= 1
    assert reader.tally.gaps == 1


async def test_a_reader_that_wakes_late_is_served() -> None:
    words, ended, _, link = await run([7.0, bb_tag(PLATE)])
    assert len(words) == 1 and isinstance(ended, LinkLost) and len(link.written) == 3


async def test_one_error_is_asked_over_and_many_are_a_refusal() -> None:
    missing = a0_frame(0x01, 0x89, b"\x22")
    words, ended, _, link = await run([missing, a0_tag(PLATE) + A0_DONE], "uhf-a0")
    assert len(words) == 1 and isinstance(ended, LinkLost) and len(link.written) == 3
    _, ended, _, _ = await run([missing] * (MAX_ERRORS + 1), "uhf-a0")
    assert isinstance(ended, Refused) and ended.code == "22" and not ended.retryable


async def test_garbage_is_given_and_counted() -> None:
    words, _, reader, _ = await run([b"\x00\x01" + bb_tag(PLATE)[:-2] + b"\x00\x7e", bb_tag(PLATE)])
    assert [type(word) for word in words] == [Garbage, Tag]
    assert reader.tally.garbage == 1 and reader.tally.garbage_bytes == 2 + len(bb_tag(PLATE))


async def test_over_tcp_with_the_line_torn_in_a_frame() -> None:
    clock = SiteClock()
    async with tcp_device() as (port, connected):
        link = await open_link(TypeAdapter[Any](StreamLinkConfig).validate_python({**TCP, "port": port}), clock)
        reader = TagReader(link, config(), clock)
        peer = await connected
        peer.send(bb_tag(PLATE) + bb_tag(bytes(12))[:9])
        [tag] = await gather_words(reader.words(), 1)
        assert isinstance(tag, Tag) and tag.plate == "沪AD3F88"
        assert await peer.heard_at_least(10) == start_inventory("uhf-bb")
        peer.hang_up()
        with pytest.raises(LinkLost):
            await gather_words(reader.words(), 1)
        await link.close()


async def test_over_a_serial_line() -> None:
    clock = SiteClock()
    async with pty_device() as (path, peer):
        serial = TypeAdapter[Any](StreamLinkConfig).validate_python({"kind": "serial", "device": path, "baud": 115200})
        link = await open_link(serial, clock)
        reader = TagReader(link, config("uhf-a0"), clock)
        peer.send(a0_tag(PLATE) + A0_DONE)
        [tag] = await gather_words(reader.words(), 1)
        assert isinstance(tag, Tag) and (tag.plate, tag.antenna) == ("沪AD3F88", 1)
        await link.close()
