import asyncio
from collections.abc import AsyncIterator

import pytest

from simulators.clock import SimClock
from simulators.sign import TextSign
from tests.simulators.wires import serial_line, tcp_line


@pytest.fixture
async def sign() -> AsyncIterator[TextSign]:
    sign = TextSign(SimClock(speed=20), columns=8, rows=2)
    yield sign
    sign.close()


async def test_it_shows_gbk_rows_and_says_ok(sign: TextSign):
    async with tcp_line(sign.tcp()) as line:
        line.write("请停车|STOP".encode("gbk") + b"\r\n")
        assert await line.until(b"\r\n") == b"OK\r\n"
        assert sign.text == "请停车|STOP"
        for byte in "38.26 t".encode("gbk") + b"\r\n":
            line.write(bytes((byte,)))
        assert await line.until(b"\r\n") == b"OK\r\n"
        line.write(b"one\r\ntwo\r\n")
        assert await line.exactly(8) == b"OK\r\nOK\r\n"
    assert [text for _, text in sign.shown] == ["请停车|STOP", "38.26 t", "one", "two"]


async def test_what_is_wider_than_the_sign_is_cut_off(sign: TextSign):
    async with serial_line(sign.pty()) as line:
        line.write("一二三四五六七八九|0123456789abcdefgh".encode("gbk") + b"\r\n")
        assert await line.until(b"\r\n") == b"OK\r\n"
    assert sign.text == "一二三四五六七八|0123456789abcdef"


@pytest.mark.parametrize(
    ("wire", "answer"),
    [
        (b"x" * 257 + b"\r\n", b"ERR 1\r\n"),
        (b"y" * 600, b"ERR 1\r\n"),
        (b"\xff\xff\r\n", b"ERR 2\r\n"),
        (b"a|b|c\r\n", b"ERR 3\r\n"),
    ],
)
async def test_refusals_leave_the_old_text(sign: TextSign, wire: bytes, answer: bytes):
    async with tcp_line(sign.tcp()) as line:
        line.write(b"before\r\n")
        await line.until(b"\r\n")
        line.write(wire)
        assert await line.until(b"\r\n") == answer
    assert sign.text == "before"


async def test_faults(sign: TextSign):
    clock = SimClock(speed=20)
    async with tcp_line(sign.tcp()) as line:
        sign.faults.error = "9"
        line.write(b"no\r\n")
        assert await line.until(b"\r\n") == b"ERR 9\r\n"
        sign.faults.error = None
        sign.faults.slow_s = 1.0
        asked_at = clock.now()
        line.write(b"slow\r\n")
        assert await line.until(b"\r\n") == b"OK\r\n"
        assert clock.now() - asked_at >= 0.95 and sign.text == "slow"
        sign.faults.slow_s = 0.0
        sign.faults.silent = True
        line.write(b"dark\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await line.until(b"\r\n")
        sign.faults.silent = False
        line.write(b"light\r\n")
        assert await line.until(b"\r\n") == b"OK\r\n"
    assert [text for _, text in sign.shown] == ["slow", "light"]
