"""How simulated customs speaks to a lane: packets in the lane's own form, and every way of getting it wrong.

An answer goes out once; there is no second try and no acknowledgement in the standard.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from simulators.clock import SimClock
from simulators.jgst_gate import Dossier, Gate, Manner
from simulators.jgst_packet import Form, Packet, write
from simulators.jgst_words import Encoding, Node
from simulators.jgst_words import write as write_xml

SEND_WITHIN_S = 5.0
"""Real seconds; one vendor's own time-out."""
LATE_S = 9.0
"""Longer than a lane waits for its first answer, shorter than a driver's patience."""
TOO_LATE_S = 310.0
"""Ten seconds after a sequence has ended its life in the field."""
HALF = 0.5
FLOOD = 40
"""Packets around the one that is meant."""


class Sender:
    """Speaks for one back end."""

    def __init__(self, clock: SimClock, encoding: Encoding, seed: int) -> None:
        self._clock, self._dice = clock, Random(seed)
        self._encoding: Encoding = encoding
        self._last_release: bytes | None = None
        self.naked: set[str] = set()
        """Lanes that send XML without a frame, and are answered so."""
        self.undelivered = 0
        """Packets for which nobody opened a door."""

    async def answer(self, dossier: Dossier, gate: Gate, code: int, root: str, nodes: Sequence[Node]) -> None:
        """Send an answer as this passage is to be treated."""
        manner, asked = dossier.manner, dossier.address
        if manner is Manner.SILENT:
            return
        if manner in (Manner.LATE, Manner.TOO_LATE):
            late_s = LATE_S if manner is Manner.LATE else TOO_LATE_S
            await self._clock.sleep(dossier.first_asked_at + late_s - self._clock.now())
        if manner is Manner.WRONG_SEQUENCE:
            asked = replace(asked, sequence=f"{secrets.randbelow(10**20):020d}")
        elif manner is Manner.OTHER_LANE:
            asked = replace(asked, channel=f"{int(asked.channel or 0) + 1:010d}")
        elif manner is Manner.OTHER_SITE:
            asked = replace(asked, area="9999999999")
        changed = [(name, dict(asked.elements).get(name, inside)) for name, inside in nodes]
        attributes = {} if dossier.smart else asked.attributes
        lie: tuple[Encoding, str] | None = None
        if manner is Manner.LYING_ENCODING:
            lie = ("gb18030", "UTF-8")
            if self._dice.random() < HALF:
                lie = ("utf-8", "GB2312")
        xml = self.xml(root, attributes, changed, lie)
        form = replace(gate.form, order="big") if manner is Manner.BIG_ENDIAN else gate.form
        raw = self._packed(gate, code, xml, form=form, area=asked.area, channel=asked.channel)
        if manner is Manner.REPLAYED and self._last_release is not None:
            raw = self._last_release
        elif manner is Manner.REPLAYED:
            old = replace(asked, sequence="20000101000000000000")
            raw = self._packed(gate, code, self.xml(root, {} if dossier.smart else old.attributes, nodes), form=form)
        elif manner is Manner.PROPER and dossier.answers[-1][1] == "release":
            self._last_release = raw
        if manner is Manner.CUT:
            raw = raw[: len(raw) * 2 // 3]
        for part in self._flood(gate, raw) if manner is Manner.FLOOD else [raw]:
            for _ in range(3 if manner is Manner.DUPLICATE else 1):
                await self._deliver(gate, part)

    def _flood(self, gate: Gate, raw: bytes) -> list[bytes]:
        """One true answer among noise, heads without packets, strange codes and answers to questions of nobody."""
        dice = self._dice
        parts: list[bytes] = []
        for n in range(FLOOD):
            old = replace(gate.at, sequence=f"1999{n:016d}")
            stray = self.xml("COMMAND_INFO", old.attributes, [("CHECK_RESULT", "0" * 20)])
            parts.append(
                dice.choice(
                    [
                        dice.randbytes(dice.randrange(1, 300)),
                        raw[:8] + dice.randbytes(60),
                        self._packed(gate, 0x22, stray),
                        self._packed(gate, 0xA0, stray),
                        self._packed(gate, 0x22, b"<COMMAND_INFO><CHECK_RESULT>" + b"0" * 20),
                    ]
                )
            )
        return [b"".join(parts[: FLOOD // 2]), raw, b"".join(parts[FLOOD // 2 :]) + raw]

    def xml(
        self,
        root: str,
        attributes: Mapping[str, str],
        nodes: Sequence[Node],
        lie: tuple[Encoding, str] | None = None,
    ) -> bytes:
        if lie is not None:
            return write_xml(root, attributes, nodes, encoding=lie[0], declared=lie[1])
        declared = None if self._encoding == "utf-8" else "GB2312"
        return write_xml(root, attributes, nodes, encoding=self._encoding, declared=declared)

    def _packed(
        self, gate: Gate, code: int, xml: bytes, *, form: Form | None = None, area: str = "", channel: str = ""
    ) -> bytes:
        if gate.lane in self.naked:
            return xml
        return write(
            Packet(
                code=code, area=area or gate.area, channel=channel or gate.channel, direction=gate.direction, xml=xml,
                form=form or gate.form,
            )
        )  # fmt: skip

    async def send(self, gate: Gate, code: int, xml: bytes) -> None:
        await self._deliver(gate, self._packed(gate, code, xml))

    async def _deliver(self, gate: Gate, raw: bytes) -> None:
        """On the lane's own connection where it is kept open, else on one to the lane's port. No second try."""
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                if gate.kept_open is not None and not gate.kept_open.is_closing():
                    gate.kept_open.write(raw)
                    await gate.kept_open.drain()
                    return
                _, writer = await asyncio.open_connection(gate.host or "127.0.0.1", gate.port)
                writer.write(raw)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            self.undelivered += 1
