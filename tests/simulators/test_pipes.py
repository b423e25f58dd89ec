import socket

import pytest

from simulators.clock import SimClock
from simulators.pipes import PTY_UNREAD_BYTES, Pipe
from tests.simulators.wires import comes_true, serial_line, tcp_line


@pytest.fixture
def clock() -> SimClock:
    return SimClock(speed=50)


async def test_all_listeners_hear_the_same_and_each_is_answered_alone(clock: SimClock):
    pipe = Pipe(lambda data, client: client.send(data.upper()))
    where = pipe.tcp()
    async with tcp_line(where) as one, tcp_line(where) as two:
        await comes_true(lambda: pipe.listeners == 2, clock)
        pipe.send(b"to all")
        assert await one.exactly(6) == await two.exactly(6) == b"to all"
        one.write(b"mine")
        assert await one.exactly(4) == b"MINE"
        pipe.send(b"!")
        assert await two.exactly(1) == b"!", "the answer to the other one was not heard here"
    pipe.close()


async def test_a_pulled_cable_ends_connections_refuses_new_ones_and_comes_back_at_the_same_address(clock: SimClock):
    pipe = Pipe()
    where = pipe.tcp()
    async with tcp_line(where) as line:
        await comes_true(lambda: pipe.listeners == 1, clock)
        pipe.drop()
        assert await line.some() == b""
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError), socket.create_connection(where, timeout=1):
            pass
    # While the cable is out nobody else gets the port.
    with socket.socket() as other, pytest.raises(OSError):
        other.bind(where)
    pipe.send(b"into the void")
    pipe.restore()
    pipe.restore()
    async with tcp_line(where) as line:
        await comes_true(lambda: pipe.listeners == 1, clock)
        pipe.inject(b"\x00back\xff")
        assert await line.exactly(6) == b"\x00back\xff"
    pipe.close()
    pipe.close()


async def test_a_listener_that_does_not_read_loses_bytes_and_holds_up_nobody(clock: SimClock):
    pipe = Pipe()
    where = pipe.tcp()
    with socket.create_connection(where) as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await comes_true(lambda: pipe.listeners == 1, clock)
        for _ in range(400):
            pipe.send(b"x" * 65536)
        (client,) = pipe._connections.values()
        assert client.lost_bytes > 0
        async with tcp_line(where) as line:
            await comes_true(lambda: pipe.listeners == 2, clock)
            pipe.send(b"still alive")
            assert await line.exactly(11) == b"still alive"
    pipe.close()


async def test_a_pty_is_raw_both_ways(clock: SimClock):
    heard = bytearray()
    pipe = Pipe(lambda data, client: heard.extend(data))
    every_byte = bytes(range(256))
    async with serial_line(pipe.pty()) as line:
        pipe.send(every_byte)
        assert await line.exactly(256) == every_byte
        line.write(every_byte)
        await comes_true(lambda: len(heard) == 256, clock)
        assert heard == every_byte
        pipe.drop()
        pipe.send(b"not heard")
        pipe.restore()
        pipe.send(b"heard")
        assert await line.exactly(5) == b"heard"
    pipe.close()


async def test_a_pty_nobody_reads_forgets_the_oldest_bytes(clock: SimClock):
    pipe = Pipe()
    path = pipe.pty()
    for n in range(2000):
        pipe.send(b"%011d;" % n)
        if n % 50 == 0:
            await clock.sleep(0.05)  # the kernel carries the bytes over in its own time
    async with serial_line(path) as line:
        kept = await line.until(b"00000001999;")
    assert len(kept) <= 3 * PTY_UNREAD_BYTES, "of 24,000 bytes"
    pipe.close()
