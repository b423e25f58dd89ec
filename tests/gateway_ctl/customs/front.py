"""Customs' front server in a test's hands: hears what the gate sends, says what the test wants, over real sockets."""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from drivers.readings import Instant
from edge.clock import SiteClock
from gateway_ctl.clearance import Crossing, Gathered
from gateway_ctl.customs.errands import DeviceNow, Hands
from gateway_ctl.customs.gate import GateClearance, Terms
from gateway_ctl.customs.packet import Photo
from gateway_ctl.customs.profile import PROFILES, ProfileName
from gateway_ctl.customs.question import Channel
from gateway_ctl.customs.store import Store
from gateway_ctl.customs.wire import Way
from gateway_ctl.orders import Order, SignedOrder
from gateway_ctl.picture import Container, Plate
from gateway_ctl.seal import Holder, Role, admit, load_private, load_public, new_key
from tests.gateway_ctl.customs.wire import packed

AREA, LANE = "3701000001", "3701000101"
KEY = "link-2026"
PRIVATE, PUBLIC = new_key()
KEYRING = {KEY: Holder(load_public(PUBLIC), Role.LINK)}
CLEAN = "0" * 20
WITHIN_REAL_S = 10.0


@dataclass(frozen=True)
class Heard:
    """One packet of the gate, in the field's form."""

    code: int
    xml: str
    raw: bytes

    @property
    def seq(self) -> str:
        found = re.search(r'SEQ_NO="([^"]*)"', self.xml) or re.search(r"<SESSION_ID>([^<]*)<", self.xml)
        assert found is not None
        return found[1]

    def says(self, tag: str) -> str | None:
        found = re.search(rf"<{tag}>([^<]*)</{tag}>", self.xml)
        return None if found is None else found[1]


@dataclass
class Front:
    """A server of the peer's side. `mood` is asked what to do with each connection."""

    port: int = 0
    heard: "asyncio.Queue[Heard]" = field(default_factory=asyncio.Queue[Heard])
    all: list[Heard] = field(default_factory=list[Heard])
    connections: int = 0
    order: Any = "little"
    width: int = 1
    encoding: str = "gb18030"
    mood: Callable[[asyncio.StreamWriter], bool] = lambda _: True
    """False: the connection is reset at once."""
    reply: Callable[[bytes], bytes] | None = None
    """What goes back on the same connection."""
    naked: bool = False
    deaf: bool = False
    """Takes connections, reads nothing and closes nothing."""
    open_ended: bool = False
    """Reads, and never closes its half."""
    never: asyncio.Event = field(default_factory=asyncio.Event)
    """Held here: a task that waits for what nobody holds is swept away, and its connection with it."""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if not self.mood(writer):
                writer.transport.abort()
                return
            if self.deaf:
                await self.never.wait()
            while raw := (await reader.read() if self.naked else await self._one(reader)):
                heard = self._heard(raw)
                self.all.append(heard)
                self.heard.put_nowait(heard)
                if self.reply is not None:
                    writer.write(self.reply(raw))
                    await writer.drain()
            if self.open_ended:
                await self.never.wait()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readexactly(8)
        except asyncio.IncompleteReadError:
            return b""
        assert head[:4] == b"\xe2\x5c\x4b\x89"
        return head + await reader.readexactly(int.from_bytes(head[4:], self.order) - 8)

    def _heard(self, raw: bytes) -> Heard:
        if self.naked:
            return Heard(0x21, raw.decode(self.encoding), raw)
        at = 33 + self.width
        n = int.from_bytes(raw[at : at + 4], self.order)
        code = raw[8] or raw[7 + self.width]
        return Heard(code, raw[at + 4 : at + 4 + n].decode(self.encoding), raw)

    async def next(self, code: int) -> Heard:
        """The next packet of that code; others are passed over."""
        async with asyncio.timeout(WITHIN_REAL_S):
            while True:
                heard = await self.heard.get()
                if heard.code == code:
                    return heard

    def of(self, code: int) -> list[Heard]:
        return [heard for heard in self.all if heard.code == code]


@asynccontextmanager
async def fronting(front: Front | None = None, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Front]:
    """A front server on a free port."""
    front = front or Front()
    server = await asyncio.start_server(front.accept, "127.0.0.1", front.port, ssl=tls)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()


def command(seq: str, *parts: str, area: str = AREA, lane: str = LANE, direction: str = "I") -> bytes:
    """The XML of a COMMAND_INFO."""
    head = f'<COMMAND_INFO AREA_ID="{area}" CHNL_NO="{lane}" I_E_TYPE="{direction}" SEQ_NO="{seq}">'
    return f"{head}{''.join(parts)}</COMMAND_INFO>".encode("gb18030")


def answer(seq: str, word: str = CLEAN, hint: str = "直接放行", **attributes: str) -> bytes:
    """A packet 0x22."""
    xml = command(seq, f"<CHECK_RESULT>{word}</CHECK_RESULT><OP_HINT>{hint}</OP_HINT>", **attributes)
    return framed(0x22, xml)


def framed(code: int, xml: bytes, **changes: Any) -> bytes:
    """A packet for our lane."""
    told: dict[str, Any] = {"area": AREA.encode(), "channel": LANE.encode()} | changes
    return packed(code=code, xml=xml, **told)


async def send(port: int, *pieces: bytes, tls: ssl.SSLContext | None = None, source: str | None = None) -> bytes:
    """A short connection to the gate: everything that came back until it was closed."""
    local = None if source is None else (source, 0)
    async with asyncio.timeout(WITHIN_REAL_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, local_addr=local)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
            return await reader.read()
        except OSError:
            return b""
        finally:
            writer.close()


def gathered(**changes: Any) -> Gathered:
    """A truck that stands weighed and read."""
    told: dict[str, Any] = {
        "site": "qianwan", "lane": "L01", "passage": "L01-1", "direction": "in", "at": Instant(1_764_000_000.0),
        "seq": 1, "plate": Plate("沪AD3F88", 0.97), "tags": ("BBA64144",), "gross_kg": Decimal(38260),
        "containers": (Container("CSQU3054383", 0.93, check_ok=True),), "uncertainty_kg": Decimal(20),
    }  # fmt: skip
    return Gathered(**told | changes)


@dataclass
class Stage:
    """A gate that runs, and everything around it."""

    gate: GateClearance
    front: Front
    clock: SiteClock
    store: Path
    notes: list[tuple[str, Mapping[str, Any], str | None]]

    @property
    def port(self) -> int:
        return self.gate.link.wire.port

    async def answered(self, word: str = CLEAN, **changes: str) -> Order:
        """Ask, let customs answer with this word, and give the order that the lane would admit."""
        asking = asyncio.ensure_future(self.gate.ask(gathered()))
        heard = await self.front.next(0x21)
        await send(self.port, answer(heard.seq, word, **changes))
        order = admit(await asking, KEYRING)
        assert isinstance(order, Order)
        return order


@asynccontextmanager
async def staged(
    folder: Path,
    front: Front | None = None,
    *,
    profile: ProfileName = "field",
    speed: float = 10.0,
    devices: Sequence[DeviceNow] = (),
    photos: dict[str, tuple[Photo, ...]] | None = None,
    hands: Hands | None = None,
    sign_xml: Callable[[bytes], bytes] | None = None,
    front_tls: ssl.SSLContext | None = None,
    way: Mapping[str, Any] | None = None,
    terms: Terms | None = None,
) -> AsyncGenerator[Stage]:
    """A gate and its front server. The clock runs fast, so that silence is heard soon."""
    clock = SiteClock(speed=speed)
    notes: list[tuple[str, Mapping[str, Any], str | None]] = []

    async def note(kind: str, body: Mapping[str, Any], passage: str | None) -> None:
        notes.append((kind, body, passage))

    async def photos_of(passage: str) -> tuple[Photo, ...]:
        return (photos or {}).get(passage, ())

    async with fronting(front, front_tls) as peer:
        told: dict[str, Any] = {
            "profile": PROFILES[profile], "host": "127.0.0.1", "port": peer.port, "listen_host": "127.0.0.1",
            "listen_port": 0,
        }  # fmt: skip
        path = folder / "customs.sqlite"
        gate = GateClearance(
            way=Way(**told | dict(way or {})),
            channel=Channel(site="qianwan", lane="L01", area=AREA, number=LANE, direction="I"),
            terms=terms or Terms(answer_within_s=5.0), store=Store(path), clock=clock, key=KEY,
            private=load_private(PRIVATE), note=note, devices=lambda: devices, photos=photos_of, hands=hands,
            sign_xml=sign_xml,
        )  # fmt: skip
        running = asyncio.ensure_future(gate.run())
        try:
            await asyncio.wait(
                (running, asyncio.ensure_future(gate.link.wire.listening.wait())), return_when="FIRST_COMPLETED"
            )
            if running.done():
                running.result()
            yield Stage(gate, peer, clock, path, notes)
        finally:
            running.cancel()
            await asyncio.wait((running,))
            if not running.cancelled() and running.exception() is not None:
                running.result()


SCALE, BARRIER = (
    DeviceNow(number="15010001", name="电子地磅", well=True),
    DeviceNow(number="16010001", name="电动栏杆", well=True),
)


def admitted(signed: SignedOrder | None) -> Order:
    assert signed is not None
    order = admit(signed, KEYRING)
    assert isinstance(order, Order)
    return order


def crossing(outcome: Literal["crossed", "left"] = "crossed") -> Crossing:
    return Crossing(
        site="qianwan", lane="L01", passage="L01-1", order=None, outcome=outcome, at=Instant(0.0), gross_kg=None
    )


async def quiet(stage: Stage, refused: int) -> None:
    """Until so many things were refused."""
    async with asyncio.timeout(10):
        while stage.gate.tally.refused < refused:
            await asyncio.sleep(0.005)
