"""What the system says itself of simulated trucks whose loads are known: numbers within their sigma, words, no
verdict.
"""

import math
from dataclasses import astuple, fields, replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.xray_cargo import Load, Piece, empty, loaded
from simulators.xray_shapes import Box
from tests.vision.xray.matter import NOISE, table
from tests.vision.xray.trucks import section, seen, truck
from vision.xray import alerts, difference, emptiness, likeness, mass
from vision.xray.assistance import Assistance, Known, findings
from vision.xray.difference import OtherSection, Seen
from vision.xray.findings import MOST_PLACES, Kind
from vision.xray.likeness import Features, features_of
from vision.xray.mass import Index, Mass, Scale, Weighing, index_of, laid, scale_of
from vision.xray.memory import Loaded, Memory
from vision.xray.outline import NoContainer, Window, window
from vision.xray.scan import Counts, Dual, Flaw, Remark

TABLE, SECTION = table(), section()
NAMES = [field.name for field in fields(Features)]
NOTHING = scale_of([])
PENETRATED = ("02", "17", "25", "39", "40", "44", "61", "68")


def inside(picture: Dual[Counts]) -> Window:
    return window(picture, SECTION, NOISE, TABLE)


@pytest.fixture(scope="module")
def weighed() -> list[tuple[Load, Index]]:
    """A day of weighed loads."""
    found: list[tuple[Load, Index]] = []
    for seed, chapter in enumerate(PENETRATED):
        load, picture = truck(chapter, seed, kg=7000.0 + 2000 * seed)
        found.append((load, index_of(inside(picture))))
    return found


def record(weighed: list[tuple[Load, Index]]) -> list[Weighing]:
    return [
        Weighing(digest=str(n), at=float(n), index_kg=i.kg, wall_kg=i.wall_kg, kg=load.cargo_kg(), sigma_kg=40.0)
        for n, (load, i) in enumerate(weighed)
    ]


def test_a_load_s_mass_is_within_its_sigma(weighed: list[tuple[Load, Index]]) -> None:
    """Before anything was weighed, and better after it was; one load at a time, by the scale of all others."""
    off: list[float] = []
    for n, (load, index) in enumerate(weighed):
        first = laid(index, NOTHING)
        assert abs(first.kg - load.cargo_kg()) < 2.5 * first.sigma
        others = record(weighed[:n] + weighed[n + 1 :])
        then = laid(index, scale_of(others))
        assert then.sigma < first.sigma
        assert abs(then.kg - load.cargo_kg()) < 3 * then.sigma
        off.append(then.kg / load.cargo_kg() - 1)
    assert math.sqrt(float(np.mean(np.square(off)))) < 0.06


def test_gross_masses_need_no_tare_and_doubt_it(weighed: list[tuple[Load, Index]]) -> None:
    """Trucks of 13 to 16 t that nobody weighed empty."""
    tares = [13_000.0 + 3000 * (n * 5 % 8) / 8 for n in range(len(weighed))]
    record_of = [replace(w, kg=w.kg + tare) for w, tare in zip(record(weighed), tares, strict=True)]
    bare = scale_of([], mass.TARE)
    for n, (load, index) in enumerate(weighed):
        found = laid(index, scale_of(record_of[:n] + record_of[n + 1 :], mass.TARE))
        assert abs(found.kg - load.cargo_kg() - tares[n]) < 3 * found.sigma < 3 * laid(index, bare).sigma
    said = mass.three_way(Mass(30_000, 1300), Mass(30_200, 40), None, gross=True)
    assert said is not None and said.en.startswith("Gross") and said.zh.startswith("车货总重")


def test_one_wrong_weighing_moves_the_scale_little(weighed: list[tuple[Load, Index]]) -> None:
    right = record(weighed)
    wrong = [replace(right[0], kg=right[0].kg + 9000), *right[1:]]
    index = weighed[5][1]
    assert laid(index, scale_of(wrong)).kg == pytest.approx(laid(index, scale_of(right)).kg, rel=0.02)


@given(
    st.lists(
        st.tuples(st.floats(2000, 30000), st.floats(-2, 2)),
        max_size=40,
    ),
    st.floats(0.85, 1.15),
)
def test_the_scale_finds_the_line_and_never_doubts_more(loads: list[tuple[float, float]], b: float) -> None:
    weighings = [
        Weighing(digest="", at=0.0, index_kg=x + 700, wall_kg=700, kg=b * x + 100 * off, sigma_kg=100.0)
        for x, off in loads
    ]
    scale = scale_of(weighings)
    assert scale.covariance[0] > 0 and scale.covariance[2] > 0
    assert scale.covariance[2] <= NOTHING.covariance[2] * 1.000001
    if len(loads) > 30 and max(x for x, _ in loads) > 15_000:
        assert scale.b == pytest.approx(b, abs=4 * math.sqrt(scale.covariance[2]) + 0.02)


def test_a_blind_load_is_a_lower_bound_and_teaches_nothing() -> None:
    load, picture = truck("72", 3)
    index = index_of(inside(picture))
    assert index.blind > 0.1 and not mass.teaches(index)
    kg = laid(index, NOTHING)
    assert kg.kg < load.cargo_kg() < kg.kg + 3 * kg.sigma
    said = mass.told(kg, index, NOTHING)
    assert "at least" in said.en and "至少" in said.zh


def test_three_masses_are_held_beside_each_other() -> None:
    agree = mass.three_way(Mass(12_000, 600), Mass(12_300, 40), Mass(12_200, 100))
    assert agree is not None and "agree" in agree.en and "一致" in agree.zh
    apart = mass.three_way(Mass(12_000, 600), Mass(12_300, 40), Mass(8_000, 100))
    assert apart is not None and apart.value == pytest.approx(4300) and apart.sigma == pytest.approx(107.7, rel=0.01)
    assert "weighbridge above declaration by 4300" in apart.en and "image above declaration" in apart.en
    assert mass.three_way(Mass(12_000, 600), None, None) is None
    assert mass.three_way(Mass(12_000, 600), None, Mass(12_000, 1)) is not None
    bound = mass.three_way(Mass(12_000, 600), Mass(12_300, 40), None, blind=True)
    assert bound is not None and "lower bound" in bound.en


def test_an_empty_container_and_one_with_a_small_parcel() -> None:
    empties = [inside(seen(empty(), 50 + n)) for n in range(3)]
    profile = emptiness.profile_of(empties[:2])
    for known in (profile, emptiness.NOMINAL):
        said = emptiness.told(empties[2], known)
        assert said.value == 0 and "Nothing is darker" in said.en and "would not show" in said.en
    bare = empty()
    parcel = Piece(Box((8000, 8200), (5900, 6100), (1500, 1700)), "PE", 0.5)
    with_parcel = inside(seen(Load((*bare.pieces, parcel), bare.length_mm), 60))
    said = emptiness.told(with_parcel, profile)
    assert said.value == pytest.approx(parcel.kg(), rel=0.25)
    assert len(said.places) == 1
    place, x = said.places[0], (said.places[0].row * 14.0 - 420.0, (said.places[0].row + said.places[0].rows) * 14.0)
    assert x[0] < 8100 < x[1] and place.rows * 14.0 < 300


def test_blind_zones_are_named_and_not_where_there_are_none() -> None:
    _, coils = truck("72", 5)
    said = alerts.blind(coils.he)
    assert said.value is not None and said.value > 0.02 and 0 < len(said.places) <= MOST_PLACES
    for place in said.places[:3]:
        part = coils.he[place.row : place.row + place.rows, place.pixel : place.pixel + place.pixels]
        assert float(np.median(part)) < 200
    nothing = alerts.blind(np.full((64, 64), 60_000, np.uint16))
    assert nothing.value == 0 and nothing.places == ()


def test_stripes_and_holes_are_found_where_they_are() -> None:
    _, picture = truck(None, 5)
    assert alerts.stripes(picture.he, NOISE.he).value == 0
    assert alerts.lost_lines(picture.he, picture.le, ()).value == 0
    he, le = picture.he.copy(), picture.le.copy()
    he[300] = (he[300] * 0.985).astype(np.uint16)
    he[:, 390] = (he[:, 390] * 1.01).astype(np.uint16)
    striped = alerts.stripes(he, NOISE.he)
    assert {(place.row, place.pixel) for place in striped.places} == {(300, 0), (0, 390)}
    le[500:510, 40:60] = 0
    holes = alerts.lost_lines(he, le, (Remark(Flaw.CLIPPED_SPEED, 3, 9),))
    assert holes.value == pytest.approx(10 / len(he)) and holes.places[0].row == 500
    assert "clipped_speed" in holes.en


@pytest.fixture(scope="module")
def chapters() -> dict[str, list[Features]]:
    return {
        chapter: [features_of(inside(truck(chapter, 100 + n, kg=9000.0 + 900 * n)[1])) for n in range(9)]
        for chapter in ("39",)
    }


def test_a_load_of_another_kind_lies_far_from_its_chapter(chapters: dict[str, list[Features]]) -> None:
    own = features_of(inside(truck("39", 777, kg=12_000.0)[1]))
    other = features_of(inside(truck("72", 777, kg=12_000.0)[1]))
    near, far = likeness.beside(own, chapters["39"]), likeness.beside(other, chapters["39"])
    assert near is not None and far is not None
    assert far.further_than == 1.0 and far.distance > 2 * near.distance
    assert near.further_than < 1.0
    said = likeness.told(other, chapters["39"], "39")
    assert "100%" in said.en and "第 39 章" in said.zh and said.sigma is not None and said.sigma > 0.05
    few = likeness.told(own, chapters["39"][:3], "39")
    assert few.value is None and "fewer" in few.en


@settings(max_examples=25)
@given(st.lists(st.lists(st.floats(0, 1), min_size=8, max_size=8), min_size=8, max_size=30), st.integers(0, 7))
def test_one_of_the_chapter_s_own_is_never_beyond_all(rows: list[list[float]], n: int) -> None:
    earlier = [Features(**dict(zip(NAMES, row, strict=True))) for row in rows]
    found = likeness.beside(earlier[n], [*earlier, earlier[n]])
    assert found is not None and 0 <= found.further_than <= 1 and len(found.away) == len(astuple(earlier[0]))


def test_the_same_load_again_and_one_with_a_parcel_more() -> None:
    load = loaded(Random(5), "39")
    then = seen(load, 5)
    first = Seen.of(then.he, inside(then), SECTION)
    again = seen(load, 88, shift_mm=5.0)
    same = difference.told(Seen.of(again.he, inside(again), SECTION), first, NOISE.he)
    assert same.value is not None and same.value < 0.002
    parcel = Piece(Box((9000, 9300), (5800, 6200), (1600, 1900)), "steel", 0.05)
    more = seen(Load((*load.pieces, parcel), load.length_mm), 90, shift_mm=-6.0)
    said = difference.told(Seen.of(more.he, inside(more), SECTION), first, NOISE.he)
    assert said.places and abs((said.places[0].row + said.places[0].rows / 2) * 14.0 - 420.0 - 9150) < 150
    found = difference.between(Seen.of(more.he, inside(more), SECTION), first, NOISE.he)
    assert float(found.kg[found.marked].sum()) == pytest.approx(parcel.kg(), rel=0.4)
    _, other = truck("61", 5)
    anew = difference.told(Seen.of(other.he, inside(other), SECTION), first, NOISE.he)
    assert "anew" in anew.en and "重新装载" in anew.zh
    with pytest.raises(OtherSection):
        difference.told(replace(first, he=first.he[:, 1:]), first, NOISE.he)


def test_all_of_it_at_once_is_words_and_no_verdict() -> None:
    load, picture = truck("39", 21, kg=15_000.0)
    known = Known(scale=NOTHING, bridge=Mass(load.cargo_kg(), 60), declared=Mass(9_000, 90), chapter="39")
    said = findings(picture, SECTION, NOISE, (), TABLE, known, before=(picture.he, inside(picture)))
    kinds = [finding.kind for finding in said.findings]
    about_the_picture = [Kind.BLIND, Kind.STRIPES, Kind.LOST_LINES]
    assert kinds == [*about_the_picture, Kind.MASS, Kind.THREE_WAY, Kind.EMPTY, Kind.HISTORY, Kind.DIFFERENCE]
    for finding in said.findings:
        assert finding.zh and finding.en and finding.method
        assert (finding.value is None) == (finding.sigma is None)
        words = finding.en.lower()
        assert not any(word in words for word in ("clear", "suspicious", "release", "must", "alarm", "contraband"))
    lone = findings(Dual(picture.he[:200], picture.le[:200]), SECTION, NOISE, (), TABLE, known)
    assert isinstance(lone, Assistance) and lone.index is None and len(lone.findings) == 3
    with pytest.raises(NoContainer):
        inside(Dual(picture.he[:200], picture.le[:200]))


def test_what_was_learnt_is_kept_and_a_torn_line_is_passed_over(
    tmp_path: Path, weighed: list[tuple[Load, Index]]
) -> None:
    memory = Memory(tmp_path / "x")
    assert memory.scale() == NOTHING and memory.earlier("39") == []
    for weighing in record(weighed):
        memory.weigh(weighing)
        memory.weigh(weighing)
    with (memory.folder / "weighings.jsonl").open("ab") as file:
        file.write(b'{"digest": "torn\n')
    found: Scale = memory.scale()
    assert found == scale_of(record(weighed)) and memory.unreadable == 1
    features = features_of(inside(truck("39", 1)[1]))
    memory.load(Loaded(digest="a", at=1.0, chapter="39", features=features))
    memory.load(Loaded(digest="b", at=1.0, chapter="72", features=features))
    assert memory.earlier("39") == [features] and memory.earlier("39", but="a") == []
