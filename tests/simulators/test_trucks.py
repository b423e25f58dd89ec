import json
import re
from collections import Counter
from itertools import islice, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.identities import check_digit, container_code, epc_of, misread, plate, trailer_plate
from simulators.mishaps import ALLOWED, EXPECTED, VARIANTS, Deal, Expected, Kind, mishap
from simulators.trucks import CHASSIS, day, endless

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
ORDINARY = re.compile(f"^[{PROVINCES}][A-HJ-NP-Z][A-HJ-NP-Z0-9]{{5}}$")
LARGE_ENERGY = re.compile(f"^[{PROVINCES}][A-HJ-NP-Z][0-9]{{5}}[ABCDEFGHJK]$")
BORDER = re.compile("^粤Z[A-HJ-NP-Z0-9]{4}[港澳]$")
TRAILER = re.compile(f"^[{PROVINCES}][A-HJ-NP-Z][A-HJ-NP-Z0-9]{{4}}挂$")
LANES = [("L01", "in"), ("L02", "out")]


def independent_check(code: str) -> int:
    """ISO 6346 by its table of letter values, written out."""
    values = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", [10, *range(12, 22), *range(23, 33), *range(34, 39)], strict=True))
    total = sum((values[s] if s.isalpha() else int(s)) * 2**n for n, s in enumerate(code[:10]))
    return total % 11 % 10


@given(st.integers(0, 10_000))
@settings(max_examples=200, deadline=None)
def test_identities_follow_their_patterns(seed: int) -> None:
    rng = Random(seed)
    number = plate(rng)
    assert any(pattern.match(number) for pattern in (ORDINARY, LARGE_ENERGY, BORDER)), number
    assert TRAILER.match(trailer_plate(rng))
    code = container_code(rng)
    assert re.fullmatch(r"[A-Z]{3}U[0-9]{7}", code)
    assert int(code[-1]) == independent_check(code)
    epc = epc_of(number)
    assert len(epc) == 12
    assert epc.rstrip(b"\0").decode("gbk") == number
    assert misread(rng, number) != number
    assert len(misread(rng, code)) == 11 and misread(rng, code) != code


@pytest.mark.parametrize(
    "code", ["CSQU3054383", "TCNU7200794", "TOLU4734787", "GYOU4047990", "HLXU2008419", "MSKU9070323"]
)
def test_check_digit_of_real_boxes(code: str) -> None:
    assert check_digit(code[:10]) == int(code[-1]) == independent_check(code)


def test_a_seed_repeats_the_day_and_another_does_not() -> None:
    first = day(seed=7, trucks=60, lanes=LANES, mix=0.5)
    assert first == day(seed=7, trucks=60, lanes=LANES, mix=0.5)
    assert first != day(seed=8, trucks=60, lanes=LANES, mix=0.5)
    assert first == list(islice(endless(seed=7, lanes=LANES, mix=0.5), 60))


def test_trucks_are_possible() -> None:
    trucks = day(seed=3, trucks=400, lanes=LANES, mix=0.3)
    lengths = {chassis.name: chassis for chassis in CHASSIS}
    for truck in trucks:
        chassis = lengths[truck.chassis]
        assert truck.gross_kg == truck.tare_kg + truck.boxes_kg + truck.cargo_kg <= chassis.gross_limit_kg
        assert all(300 < axle.kg < 16_000 for axle in truck.axles), truck
        assert truck.axles[-1].behind_front_m < truck.length_m < 17.0
        assert len(truck.containers) in (1, 2)
        assert truck.lane in ("L01", "L02")
        assert truck.direction == dict(LANES)[truck.lane]
    assert len({truck.plate for truck in trucks}) == len(trucks)
    boxes = [code for truck in trucks for code in truck.containers]
    assert len(set(boxes)) == len(boxes)
    for lane, _ in LANES:
        times = [truck.arrives_s for truck in trucks if truck.lane == lane]
        assert times == sorted(times)
        gaps = [b - a for a, b in pairwise(times)]
        assert 20 < sum(gaps) / len(gaps) < 40


def test_papers_fit_the_truth_but_for_those_that_shall_not() -> None:
    for truck in day(seed=11, trucks=300, lanes=LANES, mix=0.6):
        off = abs(truck.declared_kg - truck.gross_kg)
        kind = truck.mishap.kind if truck.mishap else None
        if kind is Kind.WEIGHT_MISMATCH:
            assert off > truck.tolerance_kg
        else:
            assert off < truck.tolerance_kg - 200
        assert (truck.targeting is not None) == (kind in (Kind.HOLD, Kind.INSPECT, Kind.REFUSE))
        own = truck.epc.rstrip(b"\0").decode("gbk") == truck.plate
        assert own == (kind is not Kind.OTHER_TAG)
        json.dumps(truck.manifest())


def test_every_kind_has_an_outcome_and_a_day_shows_them_all() -> None:
    assert set(EXPECTED) == set(Kind)
    assert set(ALLOWED) == set(Expected)
    assert set(VARIANTS) <= set(Kind)
    trucks = day(seed=5, trucks=3 * len(Kind), lanes=LANES, mix=1.0)
    dealt = Counter(truck.mishap.kind for truck in trucks if truck.mishap)
    assert set(dealt) == set(Kind)


def test_tailgaters_follow_the_truck_that_they_follow() -> None:
    trucks = day(seed=5, trucks=200, lanes=LANES, mix={"share": 0.5, "kinds": ["tailgating"]})
    by_number = {truck.number: truck for truck in trucks}
    shadows = [truck for truck in trucks if truck.follows is not None]
    assert len(shadows) > 30
    for shadow in shadows:
        assert shadow.follows is not None
        host = by_number[shadow.follows]
        assert host.mishap
        assert host.lane == shadow.lane and host.mishap.kind is Kind.TAILGATING
        assert shadow.number == host.number + 1 and shadow.expected is Expected.TAILGATER and shadow.mishap is None
    hosts = [truck for truck in trucks if truck.mishap]
    assert len(hosts) == len(shadows)


def test_named_faults_go_to_the_named_trucks() -> None:
    named = [{"truck": 2, "kind": "frozen_scale", "variant": "midway"}, {"truck": 4, "kind": "hold"}]
    trucks = day(seed=5, trucks=6, lanes=LANES, mix=named)
    assert {truck.number: truck.mishap.as_json() for truck in trucks if truck.mishap} == {
        2: {"kind": "frozen_scale", "variant": "midway"},
        4: {"kind": "hold", "variant": ""},
    }


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="no variant"):
        mishap(Kind.HOLD, Random(1), "midway")
    with pytest.raises(ValueError, match="between 0 and 1"):
        Deal(1.5, Random(1))
    with pytest.raises(ValueError, match="no_such"):
        Deal([{"truck": 1, "kind": "no_such"}], Random(1))
