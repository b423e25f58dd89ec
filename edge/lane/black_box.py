"""The lane's black box: its links open with a tap on each, and its thinking leaves a mark where it fell.

A thought's mark stands on the tape after every byte it rested on and before every byte that came later, so that a
replay (edge/lane/rerun.py) can take the same picture at the same moment. Every file that is whole has its SHA-256 in
the lane's book.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import msgspec

from drivers.kinds import Clock, Link
from drivers.link import open_link
from drivers.link.config import StreamLinkConfig
from drivers.link.modbus import ModbusLink, open_modbus
from drivers.link.modbus_config import ModbusConfig
from drivers.link.recording import BlackBoxConfig, Recorder, recorded
from drivers.readings import Instant
from gateway_ctl.book import Book
from gateway_ctl.deeds import Deed, Move, Refuse
from gateway_ctl.interlock import Refusal, decide, decide_lowering
from gateway_ctl.orders import Movement, Order, Permit
from gateway_ctl.picture import Picture, Rules, digest

FOLDER = "black-box"
"""In the lane's folder."""
BOOM = "boom"
"""The line on which the door's requests are kept apart from the polls of the inputs: they share a connection."""


class Openers(Protocol):
    """How the lane's links come to life: on their wires, or on a tape."""

    async def stream(self, name: str, config: StreamLinkConfig) -> Link:
        """Raises OpenFailed."""
        ...

    async def modbus(self, name: str, config: ModbusConfig) -> ModbusLink:
        """Raises OpenFailed."""
        ...

    def boom(self, link: ModbusLink) -> ModbusLink:
        """The same connection, for the door."""
        ...


class Thought(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision and all that it was made of."""

    at: Instant
    picture: Picture
    since: Instant | None
    """When the truck came whose reads count."""
    order: Order | None
    permit: Permit | None = None
    reasons: tuple[str, ...] | None = None
    movement: Movement | None = None
    """Of a refusal."""
    by: str = "interlock"
    """`interlock` judged, or customs' `word` alone did: a forged order, silence."""


class BlackBox:
    """One lane's."""

    def __init__(self, folder: Path, clock: Clock, config: BlackBoxConfig, book: Book) -> None:
        self._clock, self._book = clock, book
        self._recorder = Recorder(folder / FOLDER, clock, config, finished=self._finished)
        self._lamp = ""

    async def run(self) -> None:
        """Until cancelled."""
        await self._recorder.run()

    async def stream(self, name: str, config: StreamLinkConfig) -> Link:
        """As Openers.stream."""
        return recorded(await open_link(config, self._clock), self._recorder.tap(name))

    async def modbus(self, name: str, config: ModbusConfig) -> ModbusLink:
        """As Openers.modbus."""
        return await open_modbus(config, tap=self._recorder.tap(name))

    def boom(self, link: ModbusLink) -> ModbusLink:
        """As Openers.boom."""
        return link.heard_by(self._recorder.tap(BOOM))

    def lamp(self, wanted: str) -> None:
        """What the inputs' driver is to show: it asks the module about it, and a replay must ask the same."""
        if wanted != self._lamp:
            self._lamp = wanted
            self._recorder.stand("lamp", wanted)

    def forget(self, before: Instant) -> None:
        """Reads before that are the next truck's no more."""
        self._recorder.mark("forget", before)

    def reread(self, checks: Iterable[str], before: Instant) -> None:
        """Reads for these checks before that count no more."""
        self._recorder.mark("reread", {"checks": list(checks), "before": before})

    def thought(
        self, picture: Picture, since: Instant | None, deeds: Iterable[Deed], orders: Iterable[Order | None],
        now: Instant, rules: Rules,
    ) -> None:  # fmt: skip
        """What was decided on `picture` just now. `orders`: those it may have been about."""
        named = {order.id: order for order in orders if order is not None}
        for deed in deeds:
            if isinstance(deed, Move):
                made = Thought(
                    at=now, picture=deed.picture, since=since,
                    order=deed.order, permit=deed.permit,
                )  # fmt: skip
            elif isinstance(deed, Refuse):
                made = _refused(deed, picture, since, named, now, rules)
            else:
                continue
            # Sorted, so that the picture's bytes are those whose digest the book has.
            self._recorder.mark("thought", msgspec.Raw(msgspec.json.encode(made, order="sorted")))

    async def _finished(self, path: Path, sha256: str, count: int) -> None:
        said = {"file": path.name, "sha256": sha256, "records": count}
        await self._book.write("tape", self._clock.now(), said)


def _refused(
    deed: Refuse, picture: Picture, since: Instant | None, orders: dict[str, Order], now: Instant, rules: Rules
) -> Thought:
    refusal = deed.refusal
    order = None if refusal.order is None else orders.get(refusal.order)
    seen = next(
        (each for each in (picture, replace(picture, passage=deed.passage)) if digest(each) == refusal.picture), picture
    )
    judged = judge(seen, order, refusal.movement, now, rules)
    by_interlock = isinstance(judged, Refusal) and judged.reasons == refusal.reasons
    return Thought(
        at=now, picture=seen, since=since, order=order, movement=refusal.movement,
        reasons=tuple(reason.name for reason in refusal.reasons), by="interlock" if by_interlock else "word",
    )  # fmt: skip


def judge(picture: Picture, order: Order | None, movement: Movement, now: Instant, rules: Rules) -> Permit | Refusal:
    """What the interlock says of a movement: a lowering without an order is the one that follows a crossing."""
    if order is None and movement is Movement.LOWER:
        return decide_lowering(picture, now, rules)
    return decide(picture, order, now, rules)
