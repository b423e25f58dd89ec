"""The clearance of a simulated port: the JSON service (customs.py), or a gate by JGS/T 14-2015 (jgst_customs.py).

Both know the same manifests and judge by the same rules; what is wrong with a truck's answer is the day's mishap.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Protocol

from simulators.clock import SimClock
from simulators.customs import Customs, Manner, key_from
from simulators.customs_rules import Gathered, Manifest
from simulators.jgst import Desk
from simulators.jgst_customs import JgstCustoms
from simulators.jgst_gate import HARMLESS, Gate
from simulators.jgst_gate import Manner as GateManner
from simulators.mishaps import Kind
from simulators.truth import Told

Struck = Callable[[Gathered], Kind | None]
"""What is wrong with the truck that a lane asks about."""
ODD_SHARE = 0.4
"""Of a gate's passages that are answered oddly and truly: doubled, big-endian, of false encoding, in a flood."""

MANNERS: dict[Kind, Manner] = {
    Kind.EXPIRED_ORDER: Manner.EXPIRED,
    Kind.FORGED_ORDER: Manner.FORGED,
    Kind.UNKNOWN_KEY: Manner.UNKNOWN_KEY,
    Kind.OTHER_LANE_ORDER: Manner.OTHER_LANE,
    Kind.OTHER_PASSAGE_ORDER: Manner.OTHER_PASSAGE,
    Kind.REPLAYED_ORDER: Manner.REPLAYED,
    Kind.CLEARANCE_SILENT: Manner.SILENT,
    Kind.CLEARANCE_LATE: Manner.LATE,
    Kind.CLEARANCE_MALFORMED: Manner.MALFORMED,
    Kind.CLEARANCE_ERROR: Manner.ERROR,
}
GATE_MANNERS: dict[Kind, GateManner] = {
    Kind.EXPIRED_ORDER: GateManner.TOO_LATE,
    Kind.FORGED_ORDER: GateManner.NONSENSE,
    Kind.UNKNOWN_KEY: GateManner.OTHER_SITE,
    Kind.OTHER_LANE_ORDER: GateManner.OTHER_LANE,
    Kind.OTHER_PASSAGE_ORDER: GateManner.WRONG_SEQUENCE,
    Kind.REPLAYED_ORDER: GateManner.REPLAYED,
    Kind.CLEARANCE_SILENT: GateManner.SILENT,
    Kind.CLEARANCE_LATE: GateManner.LATE,
    Kind.CLEARANCE_MALFORMED: GateManner.CUT,
    Kind.CLEARANCE_ERROR: GateManner.DATABASE,
}
"""The protocol signs nothing and dates nothing: a false answer there is one of another number, lane or site."""


class Clearing(Protocol):
    """What the port needs of either."""

    manifests: dict[str, Manifest]

    def expect(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add manifests."""
        ...

    def untold(self, lane: str) -> Sequence[Told]:
        """Passages of a lane asked about since this was called last."""
        ...

    def decide(self, passage: str, verb: str) -> bool:
        """An officer's word."""
        ...


def clearing(plan: Mapping[str, Any], clock: SimClock, struck: Struck) -> Clearing:
    """The plan's: `clearance` is "json" (also when left out) or "jgst"; for the latter every lane has its `customs`."""
    if plan.get("clearance", "json") == "jgst":
        dice = Random(f"odd {plan.get('seed', 1)}")
        odd_share = float(plan.get("odd_share", ODD_SHARE))

        def gate_manner(asked: Gathered) -> GateManner:
            kind = struck(asked)
            if kind is not None and kind in GATE_MANNERS:
                return GATE_MANNERS[kind]
            return dice.choice(HARMLESS) if dice.random() < odd_share else GateManner.PROPER

        gates = [_gate(lane) for lane in plan["lanes"]]
        return JgstCustoms(clock, gates, manner=gate_manner, seed=int(plan.get("seed", 1)))
    key = plan.get("customs_key")
    return Customs(clock, key=key_from(Path(key)) if key else None, manner=lambda asked: _manner(struck(asked)))


def _manner(kind: Kind | None) -> Manner:
    return Manner.PROPER if kind is None else MANNERS.get(kind, Manner.PROPER)


def _gate(lane: Mapping[str, Any]) -> Gate:
    customs = lane["customs"]
    return Gate(
        lane=lane["id"], area=customs["area"], channel=customs["channel"],
        direction="E" if lane.get("direction") == "out" else "I",
        host=customs.get("host", "127.0.0.1"), port=int(customs["port"]),
    )  # fmt: skip


@asynccontextmanager
async def served(customs: Clearing) -> AsyncGenerator[dict[str, Any]]:
    """Serve either; where it is, in the words of `ready`."""
    if isinstance(customs, JgstCustoms):
        async with customs.serve() as (host, port), Desk(customs).serve() as desk:
            yield {"engine": "jgst", "host": host, "port": port, "desk": desk.url, "keys": []}
        return
    assert isinstance(customs, Customs)
    async with customs.serve() as service:
        yield {"engine": "http", "url": service.url, "keys": customs.keys}
