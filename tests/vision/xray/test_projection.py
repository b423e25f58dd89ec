"""Threats drawn into images: as the simulator's physics would have them there, never in the archive, fairly scored."""

import math
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.xray_cargo import Load, Piece, empty
from simulators.xray_shapes import Box
from tests.vision.xray.matter import NOISE, table
from tests.vision.xray.samples import small_scan
from tests.vision.xray.trucks import LEAD_MM, PITCH_MM, section, seen, truck
from vision.xray.exchange import Mark
from vision.xray.exercise import (
    Exercise,
    ExerciseLog,
    Outcome,
    Rate,
    box_from_top,
    on_it,
    outcome,
    score,
    wilson,
)
from vision.xray.findings import Place
from vision.xray.outline import window
from vision.xray.projection import (
    THREATS,
    NotShown,
    Part,
    Placement,
    Projected,
    Threat,
    named,
    projected,
    somewhere,
)
from vision.xray.scan import SCALE, Scan
from vision.xray.store import Archive, UnknownDigest

TABLE, SECTION = table(), section()
MASTER = "ab" * 32
BLOCK = Threat(
    name="block",
    kind="contraband",
    material="steel",
    density=7.85,
    parts=(Part(form="box", x=0, z=0, wide=280, high=280, thick=30),),
)


def middle(x_mm: float, z_mm: float) -> Placement:
    heights = SECTION.heights_mm()
    return Placement(row=(x_mm + LEAD_MM) / PITCH_MM, pixel=float(np.interp(z_mm, heights, np.arange(heights.size))))


@pytest.mark.parametrize("behind_mm", [0.0, 60.0, 150.0], ids=["air", "60 mm", "150 mm"])
def test_a_projected_block_is_what_a_true_one_looks_like(behind_mm: float) -> None:
    """The same block, once drawn into the picture without it, once put into the simulated beam."""
    bare = empty()
    pieces = [*bare.pieces]
    if behind_mm:
        pieces.append(Piece(Box((8500, 9500), (6300, 6300 + behind_mm), (1700, 3300)), "steel"))
    true = Piece(Box((8860, 9140), (5985, 6015), (2360, 2640)), "steel")
    without, with_it = Load(tuple(pieces), bare.length_mm), Load((*pieces, true), bare.length_mm)
    master = seen(without, 1)
    made = projected(MASTER, master, SECTION, NOISE, TABLE, BLOCK, middle(9000, 2500), seed=4)
    box = made.box
    inner = (slice(box.row + 3, box.row + box.rows - 3), slice(box.pixel + 3, box.pixel + box.pixels - 3))
    truth = seen(with_it, 2)
    for ours, theirs in zip(made.picture, truth, strict=True):
        a, b = ours[inner].astype(np.float64), theirs[inner].astype(np.float64)
        assert -math.log(a.mean() / b.mean()) == pytest.approx(0.0, abs=0.03)
        assert a.std() / a.mean() == pytest.approx(b.std() / b.mean(), rel=0.25)
    assert box.rows * PITCH_MM == pytest.approx(280, abs=2.5 * PITCH_MM)


def test_outside_of_its_box_no_pixel_is_touched() -> None:
    _, picture = truck("39", 5)
    before = picture.he.copy(), picture.le.copy()
    made = projected(MASTER, picture, SECTION, NOISE, TABLE, named("pistol"), middle(9000, 2300), seed=4)
    np.testing.assert_array_equal(picture.he, before[0])
    np.testing.assert_array_equal(picture.le, before[1])
    changed = np.argwhere(made.picture.he != picture.he)
    assert len(changed)
    low, high = changed.min(axis=0), changed.max(axis=0)
    reach = 2
    assert low[0] >= made.box.row - reach and high[0] < made.box.row + made.box.rows + reach
    assert low[1] >= made.box.pixel - reach and high[1] < made.box.pixel + made.box.pixels + reach


def test_between_its_parts_no_pixel_of_either_energy_is_touched() -> None:
    """No frame around a threat gives it away: beside its outline, and within its box, the picture is the master's
    own.
    """
    _, picture = truck("39", 5)
    ring = Threat(
        name="two", kind="weapon", material="steel", density=7.85,
        parts=tuple(Part(form="box", x=x, z=0, wide=60, high=300, thick=20) for x in (-200.0, 200.0)),
    )  # fmt: skip
    made = projected(MASTER, picture, SECTION, NOISE, TABLE, ring, middle(9000, 2300), seed=4)
    box = made.box
    gap = (slice(box.row + 10, box.row + box.rows - 10), slice(box.pixel - 3, box.pixel + box.pixels + 3))
    for ours, theirs in zip(made.picture, picture, strict=True):
        assert (ours != theirs).any()
        np.testing.assert_array_equal(ours[gap], theirs[gap])


def test_the_same_four_give_the_same_picture_and_name() -> None:
    _, picture = truck("39", 5)
    where = middle(9000, 2300)
    one, again = (projected(MASTER, picture, SECTION, NOISE, TABLE, BLOCK, where, seed=4) for _ in range(2))
    assert one.name == again.name and one.name.startswith("tip-") and len(one.name) == 36
    np.testing.assert_array_equal(one.picture.he, again.picture.he)
    others = [
        projected("cd" * 32, picture, SECTION, NOISE, TABLE, BLOCK, where, seed=4),
        projected(MASTER, picture, SECTION, NOISE, TABLE, BLOCK, where, seed=5),
        projected(MASTER, picture, SECTION, NOISE, TABLE, named("pistol"), where, seed=4),
        projected(MASTER, picture, SECTION, NOISE, TABLE, BLOCK, middle(9001, 2300), seed=4),
    ]
    assert len({one.name, *(other.name for other in others)}) == 5


def test_no_archive_takes_a_projection_for_a_scan(tmp_path: Path) -> None:
    """Its name is no digest, it has nothing that a scan has, and the master's bytes are what they were."""
    archive = Archive(tmp_path)
    ref = archive.keep(small_scan(200, 128))
    kept = archive.path(ref.digest)
    bytes_before = kept.read_bytes()
    with archive.open(ref.digest) as scan:
        whole = scan.scan()
    geometry = replace(whole.head.geometry, pitch_mm=14.0)
    small = Threat(
        name="small", kind="weapon", material="steel", density=7.85,
        parts=(Part(form="box", x=0, z=0, wide=60, high=60, thick=20),),
    )  # fmt: skip
    where = Placement(row=100, pixel=64)
    made = projected(ref.digest, whole.picture, geometry, whole.noise, TABLE, small, where, seed=1)
    with pytest.raises(UnknownDigest, match="no digest"):
        archive.open(made.name)
    with pytest.raises(AttributeError):
        archive.keep(made)  # pyright: ignore[reportArgumentType]
    assert not {field.name for field in fields(Projected)} & {"head", "raw", "table", "row_line", "digest"}
    assert not issubclass(Projected, Scan)
    assert kept.read_bytes() == bytes_before
    assert [finding for _, finding in archive.verify() if finding] == []


def test_where_nobody_could_see_it_nothing_is_drawn() -> None:
    _, coils = truck("72", 3)
    # Amid a coil: dark all around.
    dark = np.argwhere(cv2.blur(coils.he, (25, 25)) < 120)
    row, pixel = (float(v) for v in dark[len(dark) // 2])
    with pytest.raises(NotShown, match="come through"):
        projected(MASTER, coils, SECTION, NOISE, TABLE, named("pistol"), Placement(row=row, pixel=pixel), seed=1)
    with pytest.raises(NotShown, match="outside"):
        projected(MASTER, coils, SECTION, NOISE, TABLE, BLOCK, Placement(row=2, pixel=2), seed=1)
    with pytest.raises(KeyError):
        named("unicorn")


@pytest.mark.parametrize("threat", THREATS, ids=[threat.name for threat in THREATS])
def test_every_threat_finds_a_place_in_a_load(threat: Threat) -> None:
    _, picture = truck("61", 7, kg=8000.0)
    inside = window(picture, SECTION, NOISE, TABLE)
    made = somewhere(MASTER, picture, SECTION, NOISE, TABLE, threat, inside, seed=11)
    box = made.box
    assert inside.rows.start <= box.row and box.row + box.rows <= inside.rows.stop
    assert box.size >= 5
    part = (slice(box.row, box.row + box.rows), slice(box.pixel, box.pixel + box.pixels))
    assert made.picture.he[part].mean() < picture.he[part].mean() < SCALE


@given(st.integers(0, 400), st.integers(0, 400))
def test_wilson_s_interval_holds_the_share(count: int, more: int) -> None:
    of = count + more
    low, high = wilson(count, of)
    assert 0 <= low <= high <= 1
    if of:
        assert low <= count / of <= high
        # The interval's ends are where the share lies just Z sigma away (its own definition).
        for end in (low, high):
            if 0 < end < 1 and end != count / of:
                assert abs(count / of - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / of), rel=1e-6)


def test_a_textbook_interval() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)
    assert Rate(0, 0).share is None


def test_marks_are_hits_when_they_point_at_it() -> None:
    box = Mark(x=100, y=100, width=40, height=20)
    assert on_it(Mark(x=110, y=105, width=10, height=8), box)
    assert on_it(Mark(x=90, y=90, width=70, height=50), box)
    assert not on_it(Mark(x=0, y=0, width=3000, height=700), box)
    assert not on_it(Mark(x=300, y=100, width=40, height=20), box)
    assert not on_it(Mark(x=139, y=119, width=40, height=20), box)
    place = Place(row=100, pixel=30, rows=40, pixels=20, size=1.0)
    assert box_from_top(place, 150) == box


def test_answers_are_counted_as_what_they_are(tmp_path: Path) -> None:
    box, on = Mark(x=10, y=10, width=9, height=9), Mark(x=11, y=11, width=5, height=5)
    off = Mark(x=90, y=90, width=5, height=5)
    assert outcome(box, [off, on], opened=True) == (Outcome.HIT, 1)
    assert outcome(box, [off], opened=True) == (Outcome.MISS, 0)
    assert outcome(box, [], opened=False) == (Outcome.MISS, 0)
    assert outcome(None, [off], opened=False) == (Outcome.FALSE_ALARM, 0)
    assert outcome(None, [], opened=True) == (Outcome.FALSE_ALARM, 0)
    assert outcome(None, [], opened=False) == (Outcome.REJECTED, 0)
    log = ExerciseLog(tmp_path / "exercises")
    assert score(log.all()).hits.of == 0
    for n in range(10):
        shown = n < 6
        found = outcome(box if shown else None, [on] if n in (0, 1, 2, 7) else [], opened=False)
        log.add(
            Exercise(
                at=float(n), person="li.wei", master=MASTER, projection="tip-1" if shown else "",
                kind="weapon" if n < 3 else "drugs", spent_s=10.0 + n, opened=False, marks=1,
                on_it=found[1], outcome=found[0],
            )
        )  # fmt: skip
    with (log.folder / "exercises.jsonl").open("ab") as file:
        file.write(b'{"torn')
    told = score(log.all())
    assert (told.hits, told.false_alarms) == (Rate(3, 6), Rate(1, 4))
    assert told.by_kind == {"weapon": Rate(3, 3), "drugs": Rate(0, 3)} and told.median_s == 15.0
    low, high = told.hits.interval
    assert 0.1 < low < 0.5 < high < 0.9
