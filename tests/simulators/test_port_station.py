"""Every mishap turns the knobs it names, and leaves the lane as it found it."""

from dataclasses import asdict
from random import Random
from typing import Any

import pytest

from simulators.clearing import GATE_MANNERS, MANNERS
from simulators.clock import SimClock
from simulators.faults import BoomFaults, IndicatorFaults
from simulators.ground import Rig
from simulators.mishaps import VARIANTS, Kind, mishap
from simulators.station import LaneStation
from simulators.trucks import with_follow, with_mishap
from tests.simulators.world_stage import one

PAIRS = [(kind, variant) for kind in Kind for variant in sorted(set(VARIANTS.get(kind, ("",))))]
ON_INSTRUMENTS = {
    Kind.FROZEN_SCALE, Kind.SCALE_DRIFT, Kind.GARBAGE_BYTES, Kind.DROPPED_CONNECTION, Kind.STUCK_LOOP,
    Kind.LATE_BOOM, Kind.BOOM_NEVER_ARRIVES,
}  # fmt: skip
ON_CUSTOMS = {
    Kind.EXPIRED_ORDER, Kind.FORGED_ORDER, Kind.UNKNOWN_KEY, Kind.OTHER_LANE_ORDER, Kind.OTHER_PASSAGE_ORDER,
    Kind.REPLAYED_ORDER, Kind.CLEARANCE_SILENT, Kind.CLEARANCE_LATE, Kind.CLEARANCE_MALFORMED, Kind.CLEARANCE_ERROR,
}  # fmt: skip


class HandClock(SimClock):
    """A clock in the hand of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1000.0

    def now(self) -> float:
        return self.at


def knobs(station: LaneStation) -> dict[str, Any]:
    return {
        "scale": asdict(station.indicator.faults),
        "boom": asdict(station.boom.faults),
        "scale link": station.indicator.pipe.dropped,
        "sensed": dict(station.world.sense()),
    }


@pytest.mark.parametrize(("kind", "variant"), PAIRS)
async def test_a_mishap_comes_and_goes_with_its_truck(kind: Kind, variant: str) -> None:
    clock = HandClock()
    settled: list[Rig] = []
    station = LaneStation(clock, {"id": "L01"}, seed=1, patience_s=6, settled=lambda _, rig: settled.append(rig))
    try:
        station.endpoints()
        before = knobs(station)
        assert before["scale"] == asdict(IndicatorFaults()) and before["boom"] == asdict(BoomFaults())
        truck = one([{"truck": 0, "kind": kind.value, "variant": variant}])[0]
        if kind is Kind.TAILGATING:  # the last truck of a day is followed by nobody
            truck = with_mishap(one()[0], mishap(kind, Random(1), variant), seed=1)
        station.world.queue.append(truck)
        turned: set[str] = set()
        while not settled:
            clock.at += 0.1
            station.tick()
            standing = bool(station.world.rigs) and station.world.rigs[0].stopped_at is not None
            now = knobs(station)
            turned |= {name for name in ("scale", "boom", "scale link") if now[name] != before[name]}
            if standing and variant in now["sensed"] and now["sensed"][variant]:
                turned.add(variant)
            if standing and station.module._tcp.pipe.dropped:
                turned.add("io link")
            if kind in ON_CUSTOMS and standing:
                assert station.struck(truck.plate) is station.struck(None) is kind
        assert bool(turned) == (kind in ON_INSTRUMENTS), turned
        assert knobs(station) == before and not station.module._tcp.pipe.dropped
        assert settled[0].truck is truck and station.moved() == ([], [])
        assert (kind in ON_CUSTOMS) == (kind in MANNERS) == (kind in GATE_MANNERS)
    finally:
        station.close()


def test_a_truck_can_be_struck_later_and_its_papers_follow() -> None:
    truck = one()[0]
    off = with_mishap(truck, mishap(Kind.WEIGHT_MISMATCH, Random(1)), seed=1)
    assert abs(off.declared_kg - off.gross_kg) > off.tolerance_kg and off.plate == truck.plate
    other = with_mishap(truck, mishap(Kind.OTHER_TAG, Random(1)), seed=1)
    assert other.epc != truck.epc
    assert with_mishap(truck, mishap(Kind.INSPECT, Random(1)), seed=1).targeting == "inspect"
    assert with_follow(truck, 3).follows == 3
