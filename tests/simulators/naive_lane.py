"""A lane in a hundred lines, for judging the simulated port only: raw sockets, no care for anything but the sunny way.

It knows the wires from the manuals, as the simulators do, and nothing of the project's drivers.
"""

import asyncio
import json
import secrets
import struct
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

INPUTS = ("loop_arrival", "beam_rear", "beam_front", "loop_boom", "photocell", "limit_down", "limit_up", "boom_fault")
RAISE, LOWER, RED, GREEN = 16, 17, 19, 20
STILL_FRAMES = 15
WIRES = 4


class NaiveLane:
    """Waits for a truck, weighs, asks customs, opens for a release, closes behind it."""

    def __init__(self, lane: str, links: dict[str, Any], customs: dict[str, Any], speed: float) -> None:
        self.lane, self.links, self.customs, self.speed = lane, links, customs, speed
        self.reads: dict[str, str] = {}
        self.weights: list[int] = []
        self.verbs: list[str] = []
        self.tags: set[str] = set()
        self.state = "idle"
        self.ready = asyncio.Event()
        """Every wire is open."""

    async def run(self) -> None:
        """Until cancelled; every wire is closed then."""
        self.writers: list[asyncio.StreamWriter] = []
        try:
            async with httpx.AsyncClient(base_url=self.customs["url"], timeout=5) as self.http:
                await self._work()
        finally:
            for writer in self.writers:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            self.io = await self._open("io")
            group.create_task(self._weigh())
            group.create_task(self._look())
            group.create_task(self._hear_tags())
            await self._coil(RED, True)
            while True:
                await self._visit()

    async def _open(self, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self.links[name]["host"], self.links[name]["port"])
        self.writers.append(writer)
        if len(self.writers) == WIRES:
            self.ready.set()
        return reader, writer

    async def _ask(self, pdu: bytes) -> bytes:
        reader, writer = self.io
        writer.write(struct.pack(">HHHB", 1, 0, len(pdu) + 1, 1) + pdu)
        head = await reader.readexactly(7)
        return await reader.readexactly(struct.unpack(">H", head[4:6])[0] - 1)

    async def _inputs(self) -> dict[str, bool]:
        answer = await self._ask(struct.pack(">BHH", 2, 0, 8))
        await asyncio.sleep(0.1 / self.speed)
        inputs = {name: bool(answer[2] >> place & 1) for place, name in enumerate(INPUTS)}
        return inputs | {"boom_fault": not inputs["boom_fault"]}

    async def _coil(self, coil: int, on: bool) -> None:
        await self._ask(struct.pack(">BHH", 5, coil, 0xFF00 if on else 0))

    async def _pulse(self, coil: int) -> None:
        await self._coil(coil, True)
        await asyncio.sleep(0.5 / self.speed)
        await self._coil(coil, False)

    async def _until(self, condition: Callable[[dict[str, bool]], bool], limit: int = 400) -> bool:
        for _ in range(limit):
            if condition(await self._inputs()):
                return True
        return False

    async def _weigh(self) -> None:
        reader, _ = await self._open("weighbridge")
        while True:
            frame = await reader.readuntil(b"\x03")
            if len(frame) == 12 and frame[2:8].isdigit():
                self.weights = [*self.weights[-STILL_FRAMES + 1 :], int(frame[1:8])]

    async def _look(self) -> None:
        reader, _ = await self._open("ocr")
        while True:
            read = json.loads(await reader.readline())
            if read["confidence"] > 0.8:
                self.reads[read["text"]] = read["what"]

    async def _hear_tags(self) -> None:
        reader, writer = await self._open("tags")
        writer.write(bytes.fromhex("BB00270003220000004C7E"))
        writer.write(bytes.fromhex("BB0027000322FFFF4A7E"))
        while True:
            heard = await reader.read(4096)
            while (at := heard.find(b"\xbb\x02\x22\x00\x11")) >= 0:
                self.tags.add(heard[at + 8 : at + 20].hex().upper())
                heard = heard[at + 24 :]

    async def _visit(self) -> None:
        while not (await self._inputs())["beam_rear"]:
            pass
        while True:
            inputs = await self._inputs()
            still = len(self.weights) == STILL_FRAMES and len(set(self.weights)) == 1 and self.weights[0] > 5000
            if still and not inputs["beam_rear"] and not inputs["beam_front"]:
                break
            if max(self.weights) < 1000 and not (inputs["loop_arrival"] or inputs["beam_rear"]):
                self.reads.clear()
                self.tags.clear()
                return
        passage = secrets.token_hex(6)
        await self._decide(passage, self.weights[0])
        self.reads.clear()
        self.tags.clear()

    async def _decide(self, passage: str, gross: int) -> None:
        plate = next((text for text, what in self.reads.items() if what == "plate"), None)
        body = {
            "site": "q", "lane": self.lane, "passage": passage, "direction": "in", "at": 0.0, "seq": 1,
            "plate": {"text": plate, "confidence": 0.9} if plate else None,
            "tags": sorted(self.tags),
            "containers": [{"code": text, "confidence": 0.9}
                           for text, kind in self.reads.items() if kind == "container"],
            "gross_kg": str(gross), "uncertainty_kg": "20",
        }  # fmt: skip
        answer = await self.http.post("/passages", json=body)
        order = answer.json()["order"]
        payload = b64decode(order["payload"])
        key = Ed25519PublicKey.from_public_bytes(b64decode(self.customs["keys"][0]["public"]))
        try:
            key.verify(b64decode(order["seals"][0]["signature"]), b"quaygate-order-v1\n" + payload)
            told = json.loads(payload)
            verb = told["verb"] if told["passage"] == passage else "of another passage"
        except InvalidSignature:
            verb = "forged"
        if (
            verb == "release"
            and self.tags
            and plate
            and plate.encode("gbk").ljust(12, b"\0").hex().upper() not in self.tags
        ):
            verb = "other tag"
        self.verbs.append(verb)
        outcome = "left"
        if verb == "release":
            outcome = await self._let_through()
        else:
            await self._until(lambda i: i["beam_rear"], 1000)
            await self._until(lambda i: not (i["beam_rear"] or i["loop_arrival"]))
        report = {"site": "q", "lane": self.lane, "passage": passage, "order": "", "outcome": outcome, "at": 0.0}
        await self.http.post("/crossings", json=report)

    async def _let_through(self) -> str:
        await self._pulse(RAISE)
        if not await self._until(lambda i: i["limit_up"], 60):
            await self._until(lambda i: i["limit_down"], 1000)
            return "fault"
        await self._coil(RED, False)
        await self._coil(GREEN, True)
        await self._until(lambda i: i["loop_boom"])
        quiet = 0
        while quiet < 15:
            inputs = await self._inputs()
            quiet = 0 if inputs["loop_boom"] or inputs["photocell"] else quiet + 1
        await self._coil(GREEN, False)
        await self._coil(RED, True)
        await self._pulse(LOWER)
        await self._until(lambda i: i["limit_down"])
        return "crossed"
