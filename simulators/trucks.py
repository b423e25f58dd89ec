"""A seeded day of trucks: who comes, when, to which lane, with what on the axles and in the papers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Any

from simulators.identities import container_code, epc_of, plate, trailer_plate
from simulators.mishaps import Deal, Expected, Kind, Mishap

TOLERANCE_SHARE = 0.05
"""Declared gross may differ from the weighed one by a twentieth, as several countries' weighing rules have it."""
DECLARED_SPREAD = 0.015
MISMATCH_SHARES = (0.12, 0.25)
TAILGATE_DELAY_S = 2.0
FIRST_ARRIVAL_S = 2.0
KG_ROUND = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Axle:
    """One axle: metres behind the front bumper, and what it presses on the ground with."""

    behind_front_m: float
    kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chassis:
    """A kind of tractor and trailer."""

    name: str
    length_m: float
    axles_m: tuple[float, ...]
    steer_kg: int
    tare_kg: tuple[int, int]
    gross_limit_kg: int
    boxes: tuple[str, ...]


CHASSIS: tuple[Chassis, ...] = (
    Chassis(
        name="6x4 + 3 axles",
        length_m=16.4,
        axles_m=(1.4, 4.6, 5.95, 12.0, 13.31, 14.62),
        steer_kg=6300,
        tare_kg=(14600, 16400),
        gross_limit_kg=49000,
        boxes=("40", "20+20"),
    ),
    Chassis(
        name="4x2 + 3 axles",
        length_m=15.3,
        axles_m=(1.4, 5.0, 11.2, 12.51, 13.82),
        steer_kg=5900,
        tare_kg=(13200, 14800),
        gross_limit_kg=42000,
        boxes=("40", "20"),
    ),
    Chassis(
        name="4x2 + 2 axles",
        length_m=13.0,
        axles_m=(1.4, 4.8, 10.3, 11.61),
        steer_kg=5600,
        tare_kg=(11800, 13000),
        gross_limit_kg=35000,
        boxes=("20",),
    ),
)
BOX_TARE_KG = {"20": (2180, 2330), "40": (3720, 3980)}
CARGO_KG = {"20": (1500, 18000), "40": (2500, 24500)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Truck:
    """One visit, as it truly is."""

    number: int
    lane: str
    direction: str
    arrives_s: float
    """Site seconds after the start of the day."""
    plate: str
    trailer: str
    epc: bytes
    containers: tuple[str, ...]
    chassis: str
    length_m: float
    axles: tuple[Axle, ...]
    tare_kg: int
    boxes_kg: int
    cargo_kg: int
    declared_kg: int
    tolerance_kg: int
    targeting: str | None
    """None, or hold, inspect, refuse: what customs' risk control has decided beforehand."""
    mishap: Mishap | None
    expected: Expected
    follows: int | None = None
    """The truck under whose open boom this one slips through."""
    stop_jitter_m: float = 0.0

    @property
    def id(self) -> str:
        """As the truth file calls it."""
        return f"T{self.number:05d}"

    @property
    def gross_kg(self) -> int:
        """What a perfect weighbridge would say."""
        return sum(axle.kg for axle in self.axles)

    def manifest(self) -> dict[str, Any]:
        """The row that customs holds before the truck comes."""
        return {
            "plate": self.plate,
            "trailer": self.trailer,
            "containers": list(self.containers),
            "direction": self.direction,
            "declared_kg": str(self.declared_kg),
            "tolerance_kg": str(self.tolerance_kg),
            "targeting": self.targeting,
        }


def _spread(chassis: Chassis, gross: int, rng: Random) -> tuple[Axle, ...]:
    """The gross mass on the axles: the steering axle carries nearly the same always, the others share the rest."""
    steer = min(round(chassis.steer_kg * rng.uniform(0.93, 1.07)), gross // 3)
    others = chassis.axles_m[1:]
    weights = [rng.uniform(0.9, 1.1) for _ in others]
    loads = [round((gross - steer) * weight / sum(weights)) for weight in weights]
    loads[-1] += gross - steer - sum(loads)
    return tuple(Axle(behind_front_m=at, kg=kg) for at, kg in zip(chassis.axles_m, (steer, *loads), strict=True))


def _declared(gross: int, kind: Kind | None, rng: Random) -> int:
    if kind is Kind.WEIGHT_MISMATCH:
        off = rng.uniform(*MISMATCH_SHARES) * rng.choice((-1, 1))
    else:
        off = max(-TOLERANCE_SHARE / 2, min(TOLERANCE_SHARE / 2, rng.gauss(0.0, DECLARED_SPREAD)))
    return round(gross * (1 + off) / KG_ROUND) * KG_ROUND


TARGETING: dict[Kind, str] = {Kind.HOLD: "hold", Kind.INSPECT: "inspect", Kind.REFUSE: "refuse"}


class _Unused:
    """Identities are not given twice in a day."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def draw(self, make: Any, rng: Random) -> str:
        while True:
            name: str = make(rng)
            if name not in self._seen:
                self._seen.add(name)
                return name


def _truck(
    number: int, lane: str, direction: str, arrives_s: float, mishap: Mishap | None, rng: Random, unused: _Unused
) -> Truck:
    kind = mishap.kind if mishap else None
    chassis = rng.choices(CHASSIS, weights=(5, 3, 2))[0]
    boxes = rng.choice(chassis.boxes).split("+")
    tare = rng.randint(*chassis.tare_kg)
    boxes_kg = sum(rng.randint(*BOX_TARE_KG[box]) for box in boxes)
    cargo = sum(rng.randint(*CARGO_KG[box]) for box in boxes)
    cargo = max(500, min(cargo, chassis.gross_limit_kg - tare - boxes_kg))
    gross = tare + boxes_kg + cargo
    tractor = unused.draw(plate, rng)
    tag_of = unused.draw(plate, rng) if kind is Kind.OTHER_TAG else tractor
    return Truck(
        number=number,
        lane=lane,
        direction=direction,
        arrives_s=arrives_s,
        plate=tractor,
        trailer=unused.draw(trailer_plate, rng),
        epc=epc_of(tag_of),
        containers=tuple(unused.draw(container_code, rng) for _ in boxes),
        chassis=chassis.name,
        length_m=chassis.length_m,
        axles=_spread(chassis, gross, rng),
        tare_kg=tare,
        boxes_kg=boxes_kg,
        cargo_kg=cargo,
        declared_kg=(declared := _declared(gross, kind, rng)),
        tolerance_kg=round(declared * TOLERANCE_SHARE),
        targeting=TARGETING.get(kind) if kind else None,
        mishap=mishap,
        expected=mishap.expected if mishap else Expected.CROSSED,
        stop_jitter_m=round(rng.uniform(-0.25, 0.25), 3),
    )


def with_mishap(truck: Truck, mishap: Mishap, *, seed: int) -> Truck:
    """The same truck, struck by this instead of what it had."""
    rng = Random(f"struck {seed} {truck.number}")
    return replace(
        truck,
        mishap=mishap,
        expected=mishap.expected,
        targeting=TARGETING.get(mishap.kind),
        declared_kg=_declared(truck.gross_kg, mishap.kind, rng),
        epc=epc_of(plate(rng) if mishap.kind is Kind.OTHER_TAG else truck.plate),
    )


def with_follow(truck: Truck, host: int) -> Truck:
    """The same truck as the shadow of truck number `host`."""
    return replace(truck, follows=host, mishap=None, expected=Expected.TAILGATER)


def endless(
    *, seed: int, lanes: Sequence[tuple[str, str]], mix: object = 0.0, mean_gap_s: float = 30.0
) -> Iterator[Truck]:
    """Trucks for ever, in order of number. `lanes`: (id, direction); each has its own Poisson stream of `mean_gap_s`.

    A truck with the mishap `tailgating` is followed at once by the truck that slips through behind it.
    """
    rng = Random(f"trucks {seed}")
    deal = Deal(mix, Random(f"mishaps {seed}"))
    unused = _Unused()
    upcoming = {lane: FIRST_ARRIVAL_S + rng.expovariate(1 / mean_gap_s) * 0.2 for lane, _ in lanes}
    directions = dict(lanes)
    number = 0
    while True:
        lane = min(upcoming, key=upcoming.__getitem__)
        at = upcoming[lane]
        truck = _truck(number, lane, directions[lane], at, deal.for_truck(number), rng, unused)
        yield truck
        number += 1
        if truck.mishap and truck.mishap.kind is Kind.TAILGATING:
            shadow = _truck(number, lane, directions[lane], at + TAILGATE_DELAY_S, None, rng, unused)
            yield replace(shadow, follows=truck.number, expected=Expected.TAILGATER)
            number += 1
        upcoming[lane] = at + rng.expovariate(1 / mean_gap_s)


def day(
    *, seed: int, trucks: int, lanes: Sequence[tuple[str, str]], mix: object = 0.0, mean_gap_s: float = 30.0
) -> list[Truck]:
    """The first `trucks` trucks of the seed (a tailgater counts as one); the last one never waits for a follower."""
    drawn = list(islice(endless(seed=seed, lanes=lanes, mix=mix, mean_gap_s=mean_gap_s), trucks))
    last = drawn[-1] if drawn else None
    if last and last.mishap and last.mishap.kind is Kind.TAILGATING:
        drawn[-1] = replace(last, mishap=None, expected=Expected.CROSSED)
    return drawn
