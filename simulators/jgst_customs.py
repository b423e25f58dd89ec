"""Simulated customs: the back end of a gate by JGS/T 14-2015, over real sockets, with an officer's desk.

Lanes connect and send: 0x21, 0x26, 0x32, 0x34, 0x36, 0x42, 0x43, 0x61, 0x63, 0x65, 0x71, 0x81, 0x84. Answers go out on
a new connection to the lane's own port, or on the lane's where the site keeps one open: 0x22, 0x25, 0x31, 0x33,
0x35, 0x62, 0x64, 0x66, 0x82, 0x83, 0x85. Each lane is answered in the form and dialect it speaks. Manifests, and the
rules that judge them, are the JSON service's (customs_rules.py). How a passage is treated is its Manner (jgst_gate.py).
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from simulators.clock import SimClock
from simulators.customs_rules import Manifest, Opinion, judge, manifest_from
from simulators.jgst_answers import (
    address,
    check_result,
    command,
    done_well,
    feedback,
    gathered,
    manual_check,
    needs_devices,
    operate,
    pending_word,
    result_word,
)
from simulators.jgst_gate import Dossier, Gate, Manner, MannerOf
from simulators.jgst_packet import Noise, Packet, Unpacker, same_name
from simulators.jgst_sender import Sender
from simulators.jgst_words import Encoding, Message, Node, NotXml, read

DEVICES_WITHIN_S = 60.0
"""Site seconds for a seal to be worked and told."""
PASSAGES_KEPT = 20_000
LETTERS = {"hold": "M", "inspect": "N", "refuse": "N", "release": "Y"}


class JgstCustoms:
    """The service. `async with customs.serve()`; everything heard and said stays in `log` and in the gates."""

    def __init__(
        self,
        clock: SimClock,
        gates: Iterable[Gate],
        *,
        manner: MannerOf = lambda _: Manner.PROPER,
        users: Mapping[str, str] | None = None,
        pictures_of: Sequence[str] = (),
        keep_open: bool = False,
        encoding: Encoding = "utf-8",
        seed: int = 1,
    ) -> None:
        """`users`: who may register, with passwords; None: anybody. `pictures_of`: verbs that ask for pictures."""
        self._clock, self._users = clock, users
        self.manner = manner
        """How passages to come are treated."""
        self._pictures_of, self._keep_open = frozenset(pictures_of), keep_open
        self._sender = Sender(clock, encoding, seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._untold: dict[str, list[Dossier]] = {}
        self.gates = {gate.lane: gate for gate in gates}
        self.manifests: dict[str, Manifest] = {}
        self.targeted: dict[str, str] = {}
        """布控: plate or container code to hold, inspect or refuse."""
        self.log: dict[str, Dossier] = {}
        self.protests: list[str] = []
        """What came and was none of the protocol."""
        self.faults: list[str] = []
        """What went wrong in here: none, in a right simulator."""
        self.keys: list[dict[str, str]] = []
        """None: the protocol has no signatures."""

    @property
    def undelivered(self) -> int:
        """Packets for which nobody opened a door."""
        return self._sender.undelivered

    # what the owner asks

    def expect(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add manifests; a plate told twice has the later one."""
        for row in rows:
            manifest = manifest_from(row)
            self.manifests[manifest.plate] = manifest

    def untold(self, lane: str) -> Sequence[Dossier]:
        """Passages of a lane asked about since this was called last, oldest first."""
        return self._untold.pop(lane, [])

    def queue(self) -> list[Dossier]:
        """Passages that wait for an officer."""
        return [
            each for each in self.log.values()
            if each.opinion is not None and each.opinion.verb == "hold" and each.by_officer is None
        ]  # fmt: skip

    def decide(self, passage: str, verb: str, officer: str = "3701001") -> bool:
        """An officer's word. False for an unknown passage."""
        dossier = self.log.get(passage)
        if dossier is None:
            return False
        dossier.by_officer = verb
        self._spawn(self._decided(dossier, verb, officer))
        return True

    def order(self, lane: str, code: int, nodes: Sequence[Node], sequence: str = "") -> None:
        """A message of the officer's own to a lane: 0x25, 0x33, 0x35."""
        gate = self.gates[lane]
        attributes = replace(gate.at, sequence=sequence).attributes
        self._spawn(self._sender.send(gate, code, self._sender.xml("COMMAND_INFO", attributes, nodes)))

    @contextlib.asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[tuple[str, int]]:
        """Listen; host and port."""
        server = await asyncio.start_server(self._connected, host, port)
        try:
            yield server.sockets[0].getsockname()[:2]
        finally:
            server.close()
            for writer in list(self._open):
                writer.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.faults.append(repr(fault))

    # what comes in

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker = Unpacker()
        first = await reader.read(65536)
        self._open.add(writer)
        try:
            if first.lstrip()[:1] == b"<":
                self._take_naked(first + await reader.read())
                return
            data = first
            while data:
                for packet in unpacker.feed(data):
                    self._take(packet, writer)
                data = await reader.read(65536)
        except ConnectionError:
            self.protests.append("a connection was cut")
        finally:
            for packet in unpacker.end():
                self._take(packet, writer)
            for gate in self.gates.values():
                if gate.kept_open is writer:
                    gate.kept_open = None
            self._open.discard(writer)
            writer.close()

    def _take_naked(self, xml: bytes) -> None:
        try:
            message = read(xml)
        except NotXml as wrong:
            self.protests.append(f"naked text: {wrong}")
            return
        code = 0x81 if message.first("SESSION_ID") else 0x21
        asked = address(message)
        packet = Packet(code=code, area=asked.area, channel=asked.channel, direction=asked.direction, xml=xml)
        gate = self._gate(packet)
        if gate is not None:
            self._sender.naked.add(gate.lane)
            self._hear(packet, message, gate)

    def _take(self, packet: Packet | Noise, writer: asyncio.StreamWriter) -> None:
        if isinstance(packet, Noise):
            self.protests.append(f"{packet.why}: {packet.raw[:40].hex(' ')}")
            return
        try:
            message = read(packet.xml)
        except NotXml as wrong:
            self.protests.append(f"{packet.code:02X}: {wrong}")
            return
        gate = self._gate(packet)
        if gate is None:
            self.protests.append(f"{packet.code:02X}: no lane {packet.area}/{packet.channel}")
            return
        gate.form = packet.form
        if self._keep_open:
            gate.kept_open = writer
        self._hear(packet, message, gate)

    def _gate(self, packet: Packet) -> Gate | None:
        return next(
            (g for g in self.gates.values() if same_name(g.area, packet.area) and same_name(g.channel, packet.channel)),
            None,
        )

    def _hear(self, packet: Packet, message: Message, gate: Gate) -> None:
        gate.heard[f"{packet.code:02X}"] += 1
        gate.heard_at = self._clock.now()
        match packet.code:
            case 0x21 | 0x81:
                self._spawn(self._gathered(packet, message, gate))
            case 0x26:
                dossier = self.log.get(address(message).sequence)
                if dossier is not None:
                    dossier.pictures = len(packet.pictures)
            case 0x32 | 0x84:
                self._executed(message)
            case 0x34 | 0x36:
                told = {name: message.first(name) for name in ("DEVICE_ID", "DEVICE_NAME", "CONTROL_RESULT")}
                gate.results.append({"code": f"{packet.code:02X}", **told})
            case 0x42:
                states = zip(message.all("DEVICE_ID"), message.all("DEVICE_STATUS"), strict=False)
                gate.devices = dict(states)
            case 0x43:
                names = ("DEVICE_ID", "DEVICE_NAME", "EXCEPTION_DESCR", "DEVICE_STATUS")
                gate.exceptions.append({name: message.first(name) for name in names})
            case 0x61 | 0x63 | 0x65:
                self._spawn(self._registered(packet, message, gate))
            case 0x23 | 0x28:
                self._crossed(message)
            case 0x71:
                pass
            case other:
                self.protests.append(f"{other:02X}: a lane does not send this")

    def _crossed(self, message: Message) -> None:
        """A receipt that the truck has gone: its papers are used up."""
        dossier = self.log.get(address(message).sequence)
        if dossier is not None and dossier.crossing is None:
            dossier.crossing = "crossed"
            if dossier.asked.plate in self.manifests:
                self.manifests[dossier.asked.plate].crossed_by = dossier.passage

    def _executed(self, message: Message) -> None:
        dossier = self.log.get(address(message).sequence)
        if dossier is None or dossier.executed is None or dossier.executed.done():
            self.protests.append(f"a result for {address(message).sequence}, for which nothing was ordered")
            return
        dossier.executed.set_result(done_well(message))

    # what goes out

    async def _gathered(self, packet: Packet, message: Message, gate: Gate) -> None:
        asked = gathered(message, gate.lane)
        if not asked.passage:
            self.protests.append(f"{packet.code:02X}: no sequence number")
            return
        dossier = self.log.get(asked.passage)
        if dossier is None:
            if len(self.log) >= PASSAGES_KEPT:
                del self.log[next(iter(self.log))]
            dossier = self.log[asked.passage] = Dossier(
                passage=asked.passage, lane=gate.lane, manner=self.manner(asked), first_asked_at=self._clock.now(),
                address=address(message), smart=packet.code == 0x81, asked=asked,
            )  # fmt: skip
            self._untold.setdefault(gate.lane, []).append(dossier)
        dossier.asked = asked
        dossier.times_asked += 1
        dossier.pictures = max(dossier.pictures, len(packet.pictures))
        opinion = self._judged(dossier)
        dossier.opinion = opinion
        if opinion.verb in self._pictures_of and not dossier.pictures and not dossier.smart:
            await self._sender.send(gate, 0x25, self._sender.xml("COMMAND_INFO", dossier.address.attributes, []))
        if needs_devices(opinion):
            opinion = await self._worked(dossier, gate, opinion)
        await self._answer(dossier, gate, opinion)

    def _judged(self, dossier: Dossier) -> Opinion:
        asked = dossier.asked
        opinion = judge(asked, self.manifests)
        for name in (asked.plate, *asked.containers):
            if name in self.targeted:
                opinion = replace(opinion, verb=self.targeted[name], zh="布控", en="Under control", cause="targeted")
        if dossier.by_officer is not None:
            opinion = replace(
                opinion, verb=dossier.by_officer, zh="海关人工决定", en="Decided by an officer", cause="officer"
            )
        return opinion

    async def _worked(self, dossier: Dossier, gate: Gate, opinion: Opinion) -> Opinion:
        """Order the seal and the tracker first; what comes back decides."""
        if dossier.executed is None:
            dossier.executed = asyncio.get_running_loop().create_future()
            outbound = dossier.asked.direction == "out"
            if dossier.smart:
                nodes = operate(dossier.address, opinion, outbound=outbound)
                await self._sender.send(gate, 0x83, self._sender.xml("OPERATE_INFO", {}, nodes))
            else:
                nodes = command(pending_word(opinion, outbound=outbound), opinion)
                await self._sender.send(gate, 0x31, self._sender.xml("COMMAND_INFO", dossier.address.attributes, nodes))
        try:
            async with asyncio.timeout(DEVICES_WITHIN_S / self._clock.speed):
                well = await asyncio.shield(dossier.executed)
        except TimeoutError:
            well = False
        return (
            opinion
            if well
            else replace(opinion, verb="refuse", zh="关锁或定位操作失败", en="Seal failed", cause="seal")
        )

    async def _decided(self, dossier: Dossier, verb: str, officer: str) -> None:
        gate = self.gates[dossier.lane]
        if dossier.smart:
            nodes = manual_check(dossier.address, verb, officer, "海关人工决定")
            dossier.answers.append(("85", verb))
            await self._sender.answer(dossier, gate, 0x85, "MANUAL_CHECK", nodes)
            return
        await self._answer(dossier, gate, self._judged(dossier))

    async def _answer(self, dossier: Dossier, gate: Gate, opinion: Opinion) -> None:
        told = result_word(opinion)
        if dossier.manner is Manner.NONSENSE:
            told = "?" + told[1:]
        elif dossier.manner is Manner.DATABASE:
            told = "X1" + told[2:]
        if dossier.smart:
            letter = LETTERS[opinion.verb] if told[0] not in "?X" else told[0]
            at = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%d %H:%M:%S")
            nodes = feedback(dossier.address, opinion, at, letter=letter)
            dossier.answers.append(("82", opinion.verb))
            await self._sender.answer(dossier, gate, 0x82, "GATHER_FEEDBACK", nodes)
            return
        dossier.answers.append(("22", opinion.verb))
        await self._sender.answer(dossier, gate, 0x22, "COMMAND_INFO", check_result(told, opinion))

    async def _registered(self, packet: Packet, message: Message, gate: Gate) -> None:
        if packet.code == 0x61:
            user, password = message.first("USER_ID"), message.first("PSW")
            wrong_user = self._users is not None and user not in self._users
            wrong_password = self._users is not None and not wrong_user and self._users[user] != password
            result = (
                "3" if packet.direction != gate.direction else "5" if wrong_user else "6" if wrong_password else "0"
            )
            if message.first("MONITOR_PORT").isdecimal() and not gate.port:
                gate.host, gate.port = message.first("MONITOR_IP"), int(message.first("MONITOR_PORT"))
            gate.registered = result == "0"
            flags = [(f"{what}_DATA_FLAG", "1") for what in ("PIC", "VEHICLE", "WEIGHT", "IC")]
            nodes: list[Node] = [
                ("RESULT", result), ("USER_ID", user), ("RIGHTS", "2" if result == "0" else "0"), ("USERNAME", ""),
                ("UNIT", ""), ("CUSTOMS_CODE", gate.area[:4]), *flags, ("SEAL_DATA_FLAG", "1"), ("GPS_DATA_FLAG", "1"),
            ]  # fmt: skip
        else:
            reader = message.first("ESEAL_READER_ID")
            nodes = [("ESEAL_READER_ID", reader), ("RESULT", "0" if reader else "1")]
            if packet.code == 0x63:
                nodes.append(("ENCRYPTED_RANDOM_DATA", secrets.token_hex(16)))
        await self._sender.send(gate, packet.code + 1, self._sender.xml("COMMAND_INFO", gate.at.attributes, nodes))
