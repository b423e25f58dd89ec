"""A serial port of this machine: the one door to pyserial for byte streams.

pyserial opens and sets the port; its file descriptor is then read by the event loop, without a thread.
"""

import asyncio
import os
import termios
from contextlib import suppress
from errno import EAGAIN, EINTR

import serial

from drivers.faults import LinkLost, NoAnswer, OpenFailed
from drivers.kinds import Clock
from drivers.link.config import SerialLinkConfig
from drivers.link.stream import Box
from drivers.readings import Chunk

_AT_ONCE_BYTES = 4096
"""The kernel's own line buffer."""


class SerialLink:
    """One opening of a port, held exclusively: two readers would each get half of every frame."""

    def __init__(self, config: SerialLinkConfig, port: serial.Serial, clock: Clock) -> None:
        self.name = config.label
        self._clock = clock
        self._box = Box(self.name, clock)
        self._port: serial.Serial | None = port
        self._fd: int = port.fileno()
        self._loop = asyncio.get_running_loop()
        self._room_there = asyncio.Event()
        os.set_blocking(self._fd, False)
        self._loop.add_reader(self._fd, self._readable)

    @property
    def lost_bytes(self) -> int:
        """Dropped because nobody read in time."""
        return self._box.lost_bytes

    async def read(self, deadline_s: float) -> Chunk:
        """As Link.read."""
        return (await self._box.take(deadline_s))[0]

    async def write(self, data: bytes, deadline_s: float) -> None:
        """As Link.write. A command that could not leave whole ends the link: the next must not finish it."""
        left = data
        try:
            async with self._clock.timeout(deadline_s):
                while left:
                    left = left[self._write_some(left) :]
                    if left:
                        await self._room()
        except TimeoutError as late:
            raise NoAnswer(self.name, f"took no bytes for {deadline_s:g} s") from late
        finally:
            if left:
                self._drop("a command was cut off")

    async def close(self) -> None:
        """As Link.close."""
        self._drop("closed by us")

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _AT_ONCE_BYTES)
        except OSError as wrong:
            if wrong.errno not in (EAGAIN, EINTR):
                self._drop(f"the port is gone: {wrong.strerror}")
            return
        if data:
            self._box.put(data)
        else:
            self._drop("the port is gone: end of file")

    def _write_some(self, data: bytes) -> int:
        if self._port is None:
            raise LinkLost(self.name, self._box.ended or "closed")
        try:
            return os.write(self._fd, data)
        except OSError as wrong:
            if wrong.errno in (EAGAIN, EINTR):
                return 0
            self._drop(f"the port is gone: {wrong.strerror}")
            raise LinkLost(self.name, f"the port is gone: {wrong.strerror}") from wrong

    async def _room(self) -> None:
        self._room_there.clear()
        self._loop.add_writer(self._fd, self._wake)
        try:
            await self._room_there.wait()
        finally:
            if self._port is not None:
                self._loop.remove_writer(self._fd)

    def _wake(self) -> None:
        self._room_there.set()

    def _drop(self, why: str) -> None:
        self._box.end(why)
        if self._port is not None:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._wake()
            port, self._port = self._port, None
            # A device that was unplugged cannot be closed politely.
            with suppress(OSError, serial.SerialException):
                port.close()


async def open_serial(config: SerialLinkConfig, clock: Clock) -> SerialLink:
    """Open and lock the port. Raises OpenFailed."""
    try:
        port = serial.Serial(
            config.device,
            config.baud,
            bytesize=config.bytesize,
            parity=config.parity,
            stopbits=config.stopbits,
            timeout=0,
            exclusive=True,
        )
    except termios.error as wrong:
        framing = f"{config.bytesize}{config.parity}{config.stopbits}"
        raise OpenFailed(config.label, f"the port does not take {config.baud} baud, {framing}") from wrong
    except (serial.SerialException, OSError, ValueError) as wrong:
        raise OpenFailed(config.label, str(wrong)) from wrong
    return SerialLink(config, port, clock)
