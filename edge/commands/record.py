"""`record`: what a wire gives, kept as it came, for `decode`, for `decode --guess`, and for the maker's engineer."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import ValidationError

from drivers.faults import DriverFault, NoAnswer
from drivers.link import open_link
from drivers.link.config import SerialLinkConfig, StreamLinkConfig, TcpLinkConfig, UdpLinkConfig
from edge.clock import SiteClock
from edge.commands.words import Exit, Stop, err

FORMS = "serial:/dev/ttyS0@9600, serial:/dev/ttyS0@9600/7E1, tcp:192.0.2.11:4001 or udp:0.0.0.0:5000"
NOTHING = (
    "nothing came: the wrong plug or port, a cut wire, crossed RXD and TXD, or an instrument that speaks only when it "
    "is asked (its menu says so)"
)
READ_S = 1.0
C = TypeVar("C", SerialLinkConfig, TcpLinkConfig, UdpLinkConfig)
_SERIAL = re.compile(r"serial:(?P<device>[^@]+)(@(?P<baud>\d+))?(/(?P<bits>[78])(?P<parity>[NEO])(?P<stop>[12]))?")
_SOCKET = re.compile(r"(?P<kind>tcp|udp):(?P<host>.+):(?P<port>\d{1,5})")


def record(link: str, file: Path, seconds: float | None) -> Exit:
    """Until `seconds` have passed, the wire ends, or Ctrl-C. Nothing is written to the wire.

    NOT_WELL when not one byte came, or the wire could not be opened.
    """
    config = parse(link)
    try:
        with file.open("xb") as out:
            heard = _Heard(out)
            try:
                asyncio.run(_listen(config, heard, seconds))
            except KeyboardInterrupt:
                pass
            except DriverFault as fault:
                err.print(str(fault), style="red", markup=False)
    except FileExistsError:
        raise Stop(f"{file} is there already; a capture is never written over", Exit.WRONG) from None
    except OSError as fault:
        raise Stop(f"{file}: {fault.strerror}", Exit.MISSING) from None
    err.print(f"{heard.total} bytes in {heard.chunks} pieces from {config.label} are in {file}", markup=False)
    if heard.total:
        err.print(f"in a site file this link is: link = {inline(config)}", markup=False)
    else:
        err.print(NOTHING, markup=False)
    return Exit.WELL if heard.total else Exit.NOT_WELL


def parse(link: str) -> StreamLinkConfig:
    """A link as its label names it. Stops with the forms there are."""
    if found := _SERIAL.fullmatch(link):
        told = {"baud": found["baud"], "bytesize": found["bits"], "parity": found["parity"], "stopbits": found["stop"]}
        numbers = {key: int(value) if value.isdigit() else value for key, value in told.items() if value}
        return _made(link, lambda: SerialLinkConfig.model_validate({"device": found["device"], **numbers}))
    if found := _SOCKET.fullmatch(link):
        host, port = found["host"].strip("[]"), int(found["port"])
        if found["kind"] == "tcp":
            return _made(link, lambda: TcpLinkConfig(host=host, port=port))
        return _made(link, lambda: UdpLinkConfig(listen_host=host, listen_port=port))
    raise Stop(f"{link!r} names no link; expected {FORMS}", Exit.WRONG)


def inline(config: StreamLinkConfig) -> str:
    """As the value of `link` in a site file: what is not usual, and what must be said."""
    said = config.model_dump(exclude_defaults=True)
    if isinstance(config, SerialLinkConfig):
        said["baud"] = config.baud
    told = ", ".join(f"{key} = {json.dumps(value)}" for key, value in {"kind": config.kind, **said}.items())
    return f"{{ {told} }}"


def _made(link: str, make: Callable[[], C]) -> C:
    try:
        return make()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise Stop(f"{link!r}: {first['loc'][0]} {first['msg'].lower()}; expected {FORMS}", Exit.WRONG) from None


class _Heard:
    """The file, and how much is in it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.total = self.chunks = 0

    def take(self, data: bytes) -> None:
        """In the file at once: a capture that is cut short is still a capture."""
        self._out.write(data)
        self._out.flush()
        self.total += len(data)
        self.chunks += 1


async def _listen(config: StreamLinkConfig, heard: _Heard, seconds: float | None) -> None:
    clock = SiteClock()
    link = await open_link(config, clock)
    until = None if seconds is None else clock.now() + seconds
    try:
        while until is None or clock.now() < until:
            try:
                chunk = await link.read(READ_S if until is None else min(READ_S, max(0.01, until - clock.now())))
            except NoAnswer:
                continue
            heard.take(chunk.data)
    finally:
        await link.close()
