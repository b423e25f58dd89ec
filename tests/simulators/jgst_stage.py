"""The lane's side of the wire to simulated customs: its own listener, captured samples with this lane's names."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from simulators.clock import SimClock
from simulators.jgst_customs import JgstCustoms
from simulators.jgst_gate import Gate, Manner
from simulators.jgst_packet import FIELD, Form, Noise, Packet, Unpacker, write
from simulators.jgst_words import Message, read
from tests.simulators.test_jgst_packet import SAMPLES

AREA, CHANNEL, PLATE = "3701000001", "3701000101", "沪AD3F88"
TRUCK = {
    "plate": PLATE, "containers": ["HLXU4074106", "FCIU9176921"], "direction": "in", "declared_kg": "38000",
    "tolerance_kg": "1900",
}  # fmt: skip
SEQ = "20260101080000000001"
DEADLINE_S = 20.0


class LaneEnd:
    """The lane's side of the wire: its own listener, and whatever came to it."""

    def __init__(self) -> None:
        self.heard: list[Packet | Noise] = []
        self.raw: list[bytes] = []
        self._news = asyncio.Event()
        self.customs: tuple[str, int] = ("", 0)
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker, raw = Unpacker(), b""
        while data := await reader.read(65536):
            raw += data
            self.heard += unpacker.feed(data)
            self._news.set()
        self.heard += unpacker.end()
        self.raw.append(raw)
        self._news.set()
        writer.close()

    async def send(self, *packets: Packet | bytes) -> None:
        _, writer = await asyncio.open_connection(*self.customs)
        for packet in packets:
            writer.write(packet if isinstance(packet, bytes) else write(packet))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def packets(self, count: int = 1, code: int | None = None) -> list[Packet]:
        def found() -> list[Packet]:
            return [each for each in self.heard if isinstance(each, Packet) and code in (None, each.code)]

        await self.until(lambda: len(found()) >= count)
        return found()

    async def message(self, code: int) -> Message:
        return read((await self.packets(code=code))[-1].xml)


@asynccontextmanager
async def gate(
    manner: Manner = Manner.PROPER, row: dict[str, Any] | None = None, speed: float = 1.0, **more: Any
) -> AsyncGenerator[tuple[JgstCustoms, LaneEnd]]:
    lane = LaneEnd()
    server = await asyncio.start_server(lane.take, "127.0.0.1", 0)
    lane.port = server.sockets[0].getsockname()[1]
    gates = [Gate(lane="L01", area=AREA, channel=CHANNEL, direction="I", host="127.0.0.1", port=lane.port)]
    customs = JgstCustoms(SimClock(speed=speed), gates, manner=lambda _: manner, **more)
    customs.expect([TRUCK | (row or {})])
    try:
        async with customs.serve() as lane.customs:
            yield customs, lane
    finally:
        server.close()
    assert customs.faults == []


def sample(name: str) -> bytes:
    return next(SAMPLES.glob(f"{name}-*.xml")).read_bytes()


def gathered(sequence: str = SEQ, plate: str = PLATE, form: Form = FIELD, code: int = 0x21, **more: Any) -> Packet:
    """Sample 01 with a plate, as a lane of our own port would send it."""
    xml = sample("01").decode().replace(SEQ, sequence).replace("<VE_NAME></VE_NAME>", f"<VE_NAME>{plate}</VE_NAME>")
    return Packet(code=code, area=AREA, channel=CHANNEL, direction="I", xml=xml.encode(), form=form, **more)


def about(name: str, code: int, sequence: str = SEQ) -> Packet:
    """A sample with this lane's attributes."""
    xml = sample(name).decode()
    for old in ("1234567890", "1000000001"):
        xml = xml.replace(f'AREA_ID="{old}"', f'AREA_ID="{AREA}"').replace(f"<AREA_ID>{old}<", f"<AREA_ID>{AREA}<")
    for old in ("1000000000", "2000000002"):
        xml = xml.replace(f'CHNL_NO="{old}"', f'CHNL_NO="{CHANNEL}"').replace(
            f"<CHNL_NO>{old}<", f"<CHNL_NO>{CHANNEL}<"
        )
    xml = xml.replace("20150406141004114065", sequence)
    return Packet(code=code, area=AREA, channel=CHANNEL, direction="I", xml=xml.encode())


async def true_soon(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not true():
            await asyncio.sleep(0.005)
