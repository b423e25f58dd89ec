"""One lane's passages over the gate's clearance, in a process of its own that may be killed: real book, real sockets.

    python -m tests.gateway_ctl.customs.passages FOLDER CUSTOMS_PORT LAST SPEED

Prints the port it listens on, then works through its trucks from where its book ends. Each truck is asked about, the
answer is admitted and judged by the interlock on a good picture, and what came of it is in the book before the next.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from edge.clock import SiteClock
from gateway_ctl.book import Book, entries
from gateway_ctl.clearance import ClearanceSilent, Crossing, Gathered
from gateway_ctl.customs.gate import GateClearance, Terms
from gateway_ctl.customs.profile import PROFILES
from gateway_ctl.customs.question import Channel
from gateway_ctl.customs.store import Store
from gateway_ctl.customs.wire import Way
from gateway_ctl.interlock import decide
from gateway_ctl.orders import Order, Permit
from gateway_ctl.picture import Picture, Plate
from gateway_ctl.seal import Holder, Keyring, Role, admit, load_private, public_of
from tests.gateway_ctl.doorway import at
from tests.gateway_ctl.scene import IDENTITY, RULES, picture

PRIVATE = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
"""The link's key of these tests: nothing but its public half is believed."""
AREA, CHANNEL, KEY = "3701000001", "3701000101", "link-2026"
TRIES = 2
ENDS = ("moved", "refused", "silent", "abandoned")


def keyring() -> Keyring:
    """What the lane admits."""
    return {KEY: Holder(public_of(load_private(PRIVATE)), Role.LINK)}


def plate_of(number: int) -> str:
    """The truck of a passage."""
    return f"沪A{number:05d}"


def gate_of(folder: Path, port: int, clock: SiteClock, book: Book) -> GateClearance:
    """The gate under test."""

    async def note(kind: str, body: Mapping[str, Any], passage: str | None) -> None:
        await book.write(kind, clock.now(), body, passage=passage)

    return GateClearance(
        way=Way(
            profile=PROFILES["field"], host="127.0.0.1", port=port, listen_host="127.0.0.1", listen_port=0,
            resend_s=4.0,
        ),
        channel=Channel(site="qianwan", lane="L01", area=AREA, number=CHANNEL, direction="I"),
        terms=Terms(answer_within_s=5.0, receipt=True), store=Store(folder / "customs.sqlite"), clock=clock, key=KEY,
        private=load_private(PRIVATE), note=note,
    )  # fmt: skip


class Lane:
    """The truck's side of it."""

    def __init__(self, gate: GateClearance, book: Book, clock: SiteClock) -> None:
        self._gate, self._book, self._clock = gate, book, clock
        self.spent: frozenset[str] = frozenset()

    async def passage(self, number: int) -> None:
        """One truck, from its question to its report."""
        name = f"L01-{number}"
        await self._write("opened", {}, name)
        gathered = Gathered(
            site="qianwan", lane="L01", passage=name, direction="in", at=self._clock.now(), seq=1,
            plate=Plate(plate_of(number), 0.97), tags=(), containers=IDENTITY.containers, gross_kg=Decimal(38_260),
            uncertainty_kg=Decimal(10),
        )  # fmt: skip
        silence = ""
        for _ in range(TRIES):
            try:
                signed = await self._gate.ask(gathered)
            except ClearanceSilent as silent:
                silence = str(silent)
                continue
            order = admit(signed, keyring())
            assert isinstance(order, Order), order
            await self._write("order", {"id": order.id, "evidence": order.evidence, "verb": order.verb}, name)
            answer = decide(self._picture(name, number), order, self._clock.now(), RULES)
            if isinstance(answer, Permit):
                self.spent |= {order.id}
                await self._write("moved", {"order": order.id}, name)
                await self.report(name, "crossed")
            else:
                await self._write("refused", {"verb": order.verb, "why": [r.name for r in answer.reasons]}, name)
                await self.report(name, "left")
            return
        await self._write("silent", {"why": silence}, name)
        await self.report(name, "left")

    async def report(self, name: str, outcome: Any) -> None:
        """Tell customs how it ended."""
        await self._gate.report(
            Crossing(
                site="qianwan", lane="L01", passage=name, order=None, outcome=outcome, at=self._clock.now(),
                gross_kg=None,
            )
        )  # fmt: skip
        await self._write("reported", {}, name)

    def _picture(self, name: str, number: int) -> Picture:
        identity = replace(IDENTITY, plate=Plate(plate_of(number), 0.97), tag_plates=(), tags=())
        return at(self._clock.now(), picture(passage=name, identity=identity, spent=self.spent))

    async def _write(self, kind: str, body: Mapping[str, Any], name: str) -> None:
        await self._book.write(kind, self._clock.now(), body, passage=name)


async def main(folder: Path, port: int, last: int, speed: float) -> None:
    """Until the last truck has gone and customs has every receipt."""
    clock = SiteClock(speed=speed)
    path = folder / "book.sqlite"
    kinds: dict[str, set[str]] = {}
    for entry in entries(path) if path.exists() else ():
        kinds.setdefault(entry.passage or "", set()).add(entry.kind)
    async with Book(path) as book:
        gate = gate_of(folder, port, clock, book)
        lane = Lane(gate, book, clock)
        running = asyncio.ensure_future(gate.run())
        await gate.link.wire.listening.wait()
        print(gate.link.wire.port, flush=True)
        for name, told in kinds.items():
            if "reported" not in told:
                if not told & set(ENDS):
                    await book.write("abandoned", clock.now(), {}, passage=name)
                await lane.report(name, "abandoned")
        for number in range(len(kinds), last):
            print("truck", number, flush=True)
            await lane.passage(number)
        while gate.link.unsent:
            await asyncio.sleep(0.02)
        tally = {"gate": gate.tally, "link": gate.link.tally, "odd": gate.link.wire.odd_ones}
        print("tally", tally, flush=True)
        running.cancel()
        await asyncio.wait((running,))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
