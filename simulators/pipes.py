"""A device's plug: a byte stream on a TCP port or a pty, as a serial device server or a serial cable gives it.

What the device says goes to everybody who listens; what a listener says comes with the listener, so that it can be
answered alone. Nothing here waits: what a listener does not fetch is lost to it and counted, as on a serial line.
"""

import asyncio
import contextlib
import fcntl
import os
import socket
import struct
import termios
import tty
from collections.abc import Callable

READ_BYTES = 4096
# A kernel keeps about this much of a serial line that nobody reads; older bytes would come out as if they were new.
PTY_UNREAD_BYTES = 2048


class Client:
    """One listener at the other end."""

    def __init__(self, write: Callable[[bytes], int], name: str) -> None:
        self.name = name
        self.pending = bytearray()
        """Bytes that the device has received and not yet understood."""
        self.lost_bytes = 0
        self.gone = False
        self._write = write

    def send(self, data: bytes) -> None:
        """Send to this one only. What does not fit is lost and counted."""
        if self.gone or not data:
            return
        try:
            written = self._write(data)
        except BlockingIOError:
            written = 0
        except OSError:
            return
        self.lost_bytes += len(data) - written


class Pipe:
    """Serves one device's bytes. `heard` is told what comes from whom. Needs a running event loop."""

    def __init__(self, heard: Callable[[bytes, Client], None] | None = None) -> None:
        self.met: Callable[[Client], None] | None = None
        """Told of each that connects by TCP."""
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._guards: list[socket.socket] = []
        self._listeners: list[socket.socket] = []
        self._connections: dict[socket.socket, Client] = {}
        self._ptys: dict[int, tuple[int, Client]] = {}
        self._datagrams: list[tuple[socket.socket, tuple[str, int]]] = []
        self.dropped = False
        self.sent_bytes = 0

    @property
    def listeners(self) -> int:
        """How many TCP connections are open."""
        return len(self._connections)

    def tcp(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen; port 0 takes a free one. Returns where."""
        # Bound but never listening: it keeps the port for this device while the cable is pulled.
        guard = _bound(host, port)
        where: tuple[str, int] = (host, guard.getsockname()[1])
        self._guards.append(guard)
        if not self.dropped:
            self._listen(where)
        return where

    def pty(self) -> str:
        """Open a pseudo terminal. Returns the path that a serial port library opens."""
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        path = os.ttyname(slave)

        def write(data: bytes) -> int:
            unread: int = struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, b"\0\0\0\0"))[0]
            if unread > PTY_UNREAD_BYTES:
                termios.tcflush(slave, termios.TCIFLUSH)
            return os.write(master, data)

        client = Client(write, path)
        self._ptys[master] = (slave, client)
        self._loop.add_reader(master, self._read_pty, master, client)
        return path

    def udp(self, host: str, port: int) -> None:
        """Also send everything as datagrams to this address, one per `send`."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        self._datagrams.append((sock, (host, port)))

    def send(self, data: bytes) -> None:
        """To everybody who listens; nobody hears it while the cable is pulled."""
        if self.dropped:
            return
        self.sent_bytes += len(data)
        for client in (*self._connections.values(), *(client for _, client in self._ptys.values())):
            client.send(data)
        for sock, address in self._datagrams:
            with contextlib.suppress(OSError):
                sock.sendto(data, address)

    def inject(self, data: bytes) -> None:
        """Put these very bytes on the wire."""
        self.send(data)

    def later(self, seconds: float, client: Client, data: bytes) -> None:
        """Send to this one after so many real seconds, if it is still there."""
        self._loop.call_later(seconds, lambda: None if self.dropped else client.send(data))

    def drop(self) -> None:
        """Pull the cable: connections end, new ones are refused, a pty falls silent, both ways."""
        self.dropped = True
        for listener in self._listeners:
            self._loop.remove_reader(listener)
            listener.close()
        self._listeners.clear()
        for connection in tuple(self._connections):
            self._hang_up(connection)

    def restore(self) -> None:
        """Plug it in again, at the same addresses."""
        if not self.dropped:
            return
        self.dropped = False
        for guard in self._guards:
            self._listen(guard.getsockname()[:2])

    def hang_up(self, client: Client) -> None:
        """End the connection of this one."""
        for connection, other in tuple(self._connections.items()):
            if other is client:
                self._hang_up(connection)

    def close(self) -> None:
        """Give everything back. A second call does nothing."""
        self.drop()
        for guard in self._guards:
            guard.close()
        self._guards.clear()
        for master, (slave, client) in self._ptys.items():
            client.gone = True
            self._loop.remove_reader(master)
            os.close(master)
            os.close(slave)
        self._ptys.clear()
        for sock, _ in self._datagrams:
            sock.close()
        self._datagrams.clear()

    def _listen(self, where: tuple[str, int]) -> None:
        listener = _bound(*where)
        listener.listen()
        self._listeners.append(listener)
        self._loop.add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, address = listener.accept()
        except OSError:
            return  # gone again before it was picked up
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(connection.send, f"{address[0]}:{address[1]}")
        self._connections[connection] = client
        self._loop.add_reader(connection, self._read_tcp, connection, client)
        if self.met is not None:
            self.met(client)

    def _read_tcp(self, connection: socket.socket, client: Client) -> None:
        try:
            data = connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up(connection)
        elif self._heard is not None:
            self._heard(data, client)

    def _read_pty(self, master: int, client: Client) -> None:
        try:
            data = os.read(master, READ_BYTES)
        except OSError:
            return
        if data and not self.dropped and self._heard is not None:
            self._heard(data, client)

    def _hang_up(self, connection: socket.socket) -> None:
        client = self._connections.pop(connection)
        client.gone = True
        self._loop.remove_reader(connection)
        connection.close()


class OnWire:
    """A device with one plug; the plug's ways are the device's."""

    def __init__(self) -> None:
        self.pipe = Pipe(self.heard)

    def heard(self, data: bytes, client: Client) -> None:
        """Bytes from a listener. A device that only talks ignores them."""

    def tcp(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen as a serial device server does; port 0 takes a free one. Returns where."""
        return self.pipe.tcp(host, port)

    def pty(self) -> str:
        """Stand at the end of a serial cable. Returns the path of the near end."""
        return self.pipe.pty()

    def drop(self) -> None:
        """Pull the cable."""
        self.pipe.drop()

    def restore(self) -> None:
        """Plug the cable in again, at the same address."""
        self.pipe.restore()

    def inject(self, data: bytes) -> None:
        """Put these very bytes on the wire."""
        self.pipe.inject(data)

    def close(self) -> None:
        """Give ports and ptys back."""
        self.pipe.close()


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    return sock
