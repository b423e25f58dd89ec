import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from drivers.faults import LinkLost, NoAnswer, OurMistake, Refused
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.sign.config import SignConfig
from drivers.sign.device import ANSWER_DEADLINE_S, Sign
from edge.clock import SiteClock
from tests.drivers.plugs import WITHIN_S, ScriptClock, ScriptLink, pty_device, tcp_device

TCP = {"kind": "tcp", "host": "127.0.0.1", "port": 1}


def config(**more: Any) -> SignConfig:
    return SignConfig.model_validate({"name": "sign", "link": TCP, "columns": 8, "rows": 2, **more})


def saying(*answers: bytes) -> Callable[[bytes], bytes]:
    """One answer after the other, the last one for ever."""
    left = list(answers)

    def answer(_: bytes) -> bytes:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def sign(
    script: list[bytes | float], answer: Callable[[bytes], bytes] | None = None
) -> tuple[Sign, ScriptLink, ScriptClock]:
    clock = ScriptClock()
    link = ScriptLink(clock, script, answer)
    return Sign(link, config(), clock), link, clock


@pytest.mark.parametrize("wrong", [{"columns": 0}, {"rows": 0}, {"rows": 17}, {"colour": "red"}])
def test_settings_are_closed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


async def test_ok() -> None:
    one, link, _ = sign([], saying(b"OK\r\n"))
    await one.show(["沪AD3F88", "请上磅"])
    await one.show([])
    assert link.written == ["沪AD3F88|请上磅\r\n".encode("gbk"), b"\r\n"]
    assert one.tally.words == 2


async def test_the_signs_own_no_is_refused_and_the_next_text_is_shown() -> None:
    one, _, _ = sign([], saying(b"ERR 7\r\n", b"OK\r\n"))
    with pytest.raises(Refused) as refused:
        await one.show(["a"])
    assert refused.value.code == "7"
    await one.show(["b"])


async def test_what_does_not_fit_is_our_mistake_and_nothing_is_written() -> None:
    one, link, _ = sign([])
    for rows in (["前方禁止通行请等待"], ["a", "b", "c"], ["a|b"]):
        with pytest.raises(OurMistake):
            await one.show(rows)
        with pytest.raises(OurMistake):
            one.check(rows)
    assert link.written == []


async def test_no_answer_spends_the_connection() -> None:
    one, link, clock = sign([100.0, b"OK\r\n"])
    with pytest.raises(NoAnswer):
        await one.show(["a"])
    assert clock.at - 1_795_435_200.0 == pytest.approx(ANSWER_DEADLINE_S)
    # The late OK would be taken for the second text's.
    with pytest.raises(LinkLost):
        await one.show(["b"])
    assert len(link.written) == 1


async def test_noise_before_the_answer_is_counted_and_no_excuse_for_the_deadline() -> None:
    one, _, _ = sign([], saying(b"\xff\xfe\r\nOK\r\n"))
    await one.show(["a"])
    assert (one.tally.garbage, one.tally.garbage_bytes) == (1, 2)
    noisy: list[bytes | float] = []
    for _ in range(100):
        noisy += [b"noise\r\n", 0.5]
    one, _, clock = sign(noisy)
    with pytest.raises(NoAnswer):
        await one.show(["a"])
    assert clock.at - 1_795_435_200.0 <= ANSWER_DEADLINE_S + 0.5


async def test_over_tcp_and_two_callers_take_turns() -> None:
    clock = SiteClock()
    async with tcp_device() as (port, connected), asyncio.timeout(WITHIN_S):
        link = await open_link(TypeAdapter[Any](StreamLinkConfig).validate_python({**TCP, "port": port}), clock)
        peer = await connected
        one = Sign(link, config(), clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(one.show(["first"]))
            group.create_task(one.show(["second"]))
            assert await peer.heard_at_least(7) == b"first\r\n"
            peer.send(b"O")
            peer.send(b"K\r\n")
            assert await peer.heard_at_least(15) == b"first\r\nsecond\r\n"
            peer.send(b"OK\r\n")
        peer.hang_up()
        with pytest.raises(LinkLost):
            await one.show(["third"])
        await link.close()


async def test_over_a_serial_line() -> None:
    clock = SiteClock()
    async with pty_device() as (path, peer), asyncio.timeout(WITHIN_S):
        serial = TypeAdapter[Any](StreamLinkConfig).validate_python({"kind": "serial", "device": path})
        link = await open_link(serial, clock)
        one = Sign(link, config(), clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(one.show(["通行"]))
            assert await peer.heard_at_least(6) == "通行\r\n".encode("gbk")
            peer.send(b"OK\r\n")
        await link.close()
