"""Correction against the simulator's truth: what was drawn is found again, line by line, whatever was lost."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.xray.line import Energy, Line
from simulators.xray_cargo import Load, Piece, loaded
from simulators.xray_scanner import Build, Detector
from simulators.xray_shapes import Box
from tests.vision.xray.stage import CLEAR, geometry_of, lines_of, steady, true_calibration
from vision.xray.correct import doses, plans, transmission
from vision.xray.scan import NOT_MEASURED, SCALE, Dual, Flag, Flaw, Remark, flags_of
from vision.xray.stream import BLOCK_PAIRS, Block, Corrector, Pairs

BUILD = Build(pixels=160, speed_mm_s=2800.0, crosstalk=0.0, scatter=0.0)
WALL = Box((0, 1e6), (5900, 6100), (0, 3500))


def steps(*grams: float, each_mm: float = 500.0) -> Load:
    """Steel of growing depth, one step after the other."""
    boxes = [Box((n * each_mm, (n + 1) * each_mm), (5900, 6100), (0, 3500)) for n in range(len(grams))]
    pieces = tuple(Piece(box, "steel", g / (200 * 0.785)) for box, g in zip(boxes, grams, strict=True))
    return Load(pieces, each_mm * len(grams))


def whole(corrector: Corrector, lines: list[Line], batch: int = 37) -> Block:
    """Lines in batches of any size, joined again."""
    blocks = [corrector.take(lines[at : at + batch]) for at in range(0, len(lines), batch)]
    blocks.append(corrector.finish())
    found = [block for block in blocks if block is not None]
    assert all(len(block.table) <= BLOCK_PAIRS + batch + 500 for block in found)
    return Block(
        Dual(*(np.concatenate([b.raw.of(e) for b in found]) for e in Energy)),
        np.concatenate([b.table for b in found]),
        Dual(*(np.concatenate([b.picture.of(e) for b in found]) for e in Energy)),
        np.concatenate([b.row_line for b in found]),
    )


def scanned(load: Load, build: Build = BUILD, seed: int = 5) -> tuple[Detector, list[Line], np.ndarray]:
    detector = Detector(build, seed=seed)
    high, low = detector.expose(load, steady(build, load))
    return detector, lines_of(high, low), high.transmission


def test_known_depths_come_back() -> None:
    """Log-attenuation of uniform steps within 2 %, and no step brighter than the one before."""
    detector, lines, truth = scanned(steps(10, 20, 40, 60, 80))
    found = whole(Corrector(geometry_of(BUILD), true_calibration(detector)), lines)
    rows = min(len(found.picture.he), len(truth))
    middle = slice(40, 120)
    seen = found.picture.he[:rows, middle].astype(float).mean(axis=1) / SCALE
    told = truth[:rows, middle].astype(float).mean(axis=1)
    alpha, alpha_told = -np.log(seen), -np.log(told)
    inside = alpha_told > 0.1
    assert np.abs(np.median(alpha[inside] / alpha_told[inside]) - 1) < 0.02
    air = (alpha_told < 1e-6) & (np.arange(rows) < 5)
    assert seen[air].mean() == pytest.approx(1.0, abs=3e-3)


def test_pulses_are_evened_out() -> None:
    """Two percent of pulse to pulse leave less than half a percent in a row's mean, with and without a monitor."""
    build = Build(pixels=400, pulse_rms=0.05, crosstalk=0.0, scatter=0.0)
    detector = Detector(build, seed=3)
    high, low = detector.expose(None, np.linspace(0, 900, 512))
    for monitor in (True, False):
        block = whole(Corrector(geometry_of(build), true_calibration(detector)), lines_of(high, low, monitor=monitor))
        rows = block.picture.he[:, : 400 - CLEAR].astype(float).mean(axis=1) / SCALE
        assert rows.std() < 0.004
        assert np.corrcoef(block.table["dose_he"], high.dose)[0, 1] > 0.99
        assert not block.table["flags"].any()


def test_where_the_clear_pixels_are_covered_the_monitor_tells() -> None:
    tall = Load((Piece(Box((0, 2000), (5900, 6100), (0, 9000)), "steel", 0.3),), 2000)
    detector, lines, _ = scanned(tall)
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector))
    found = whole(corrector, lines)
    covered = found.picture.he[20:-20]
    assert covered.mean() < 0.5 * SCALE
    assert corrector.remarks() == []
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector))
    blind = [Line(number=x.number, energy=x.energy, values=x.values, encoder=x.encoder, at=x.at) for x in lines]
    whole(corrector, blind)
    clear_alone = whole(Corrector(geometry_of(BUILD), true_calibration(detector)), blind)
    assert clear_alone.picture.he[30:-30].mean() > 0.9 * SCALE, "nobody could know: everything is behind the same steel"


def test_dead_pixels_are_their_neighbours() -> None:
    build = Build(pixels=160, dead_share=0.05, crosstalk=0.0, scatter=0.0)
    load = Load((Piece(Box((-1e6, 1e6), (5900, 6100), (0, 3500)), "steel", 0.2),), 500)
    detector = Detector(build, seed=3)
    high, low = detector.expose(load, np.linspace(0, 200, 128))
    picture = whole(Corrector(geometry_of(build), true_calibration(detector)), lines_of(high, low)).picture.he
    for pixel in detector.dead:
        if 5 < pixel < 120:
            assert picture[:, pixel].mean() == pytest.approx(picture[:, pixel - 5 : pixel + 6].mean(), rel=0.02)


def test_both_energies_lie_on_each_other() -> None:
    """An edge is at the same row in both, though the low pulse comes half a pitch later."""
    detector, lines, _ = scanned(steps(0.001, 60, 0.001, each_mm=700))
    picture = whole(Corrector(geometry_of(BUILD), true_calibration(detector)), lines).picture
    places: list[float] = []
    for energy in Energy:
        row = -np.log(picture.of(energy)[:, 40:120].astype(float).mean(axis=1) / SCALE)
        half = row.max() / 2
        first = int(np.argmax(row > half))
        places.append(float(first - 1 + (half - row[first - 1]) / (row[first] - row[first - 1])))
    assert places[0] == pytest.approx(places[1], abs=0.35)


@given(st.integers(0, 2**32), st.integers(1, 300))
@settings(max_examples=12, deadline=None)
def test_the_size_of_the_batches_changes_nothing(seed: int, batch: int) -> None:
    load = loaded(Random(7), "76")
    detector = Detector(BUILD, seed=5)
    high, low = detector.expose(load, steady(BUILD, load)[600:1200])
    lines = lines_of(high, low)
    random = Random(seed)
    del lines[random.randrange(500) :][: random.randrange(4)]
    calibration = true_calibration(detector)
    one, two = Corrector(geometry_of(BUILD), calibration), Corrector(geometry_of(BUILD), calibration)
    a, b = whole(one, lines, 10_000), whole(two, lines, batch)
    np.testing.assert_array_equal(a.table["number"], b.table["number"])
    for energy in Energy:
        np.testing.assert_array_equal(a.raw.of(energy), b.raw.of(energy))
        np.testing.assert_allclose(a.picture.of(energy), b.picture.of(energy), atol=1)
    assert one.remarks() == two.remarks()


def lost(lines: list[Line], pairs: range, energies: set[Energy]) -> list[Line]:
    return [line for line in lines if line.number // 2 not in pairs or line.energy not in energies]


def test_a_gap_is_a_hole_of_its_true_length() -> None:
    detector, lines, truth = scanned(steps(10, 20, 30))
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector))
    found = whole(corrector, lost(lines, range(40, 60), set(Energy)))
    assert len(found.picture.he) == pytest.approx(len(truth), abs=1)
    for energy in Energy:
        gone = np.flatnonzero((found.picture.of(energy) == NOT_MEASURED).all(axis=1))
        assert 18 <= gone.size <= 20 and gone[0] >= 40 and gone[-1] < 60
    (gap,) = [remark for remark in corrector.remarks() if remark.flaw is Flaw.GAP]
    assert gap.first == pytest.approx(40, abs=1) and gap.count == pytest.approx(20, abs=1)
    assert set(flags_of(int(found.table["flags"][50]))) == {Flag.LOST_HE, Flag.LOST_LE}
    assert (found.row_line[45:55] == -1).all()


@pytest.mark.parametrize("energy", list(Energy))
def test_a_lost_energy_is_named_and_the_other_stays(energy: Energy) -> None:
    detector, lines, _ = scanned(steps(10, 20, 30))
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector))
    found = whole(corrector, lost(lines, range(40, 60), {energy}))
    other = Energy.LE if energy is Energy.HE else Energy.HE
    assert (found.picture.of(other) != NOT_MEASURED).all()
    assert (found.picture.of(energy)[42:58] == NOT_MEASURED).all()
    (remark,) = [r for r in corrector.remarks() if r.flaw is Flaw.LOST_ENERGY]
    assert remark.energy is energy and remark.count == pytest.approx(20, abs=2)


def test_a_lost_packet_is_a_strip() -> None:
    detector, lines, _ = scanned(steps(10, 20, 30))
    at = next(n for n, line in enumerate(lines) if line.number == 100)
    values = lines[at].values.copy()
    values[80:] = 0
    lines[at] = Line(
        number=100,
        energy=Energy.HE,
        values=values,
        missing=(range(80, 160),),
        encoder=lines[at].encoder,
        at=lines[at].at,
    )
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector))
    found = whole(corrector, lines)
    assert (found.picture.he[50, 80:] == NOT_MEASURED).all() and (found.picture.he[50, :80] != NOT_MEASURED).all()
    assert Remark(Flaw.PART_LINE, 50, 1, Energy.HE) in corrector.remarks()


def test_a_change_of_speed_leaves_shapes_to_scale() -> None:
    """Twice as fast for a while: the same box is as long as before, to a pitch."""
    load = steps(0.001, 60, 0.001, 60, 0.001, each_mm=700)
    detector = Detector(BUILD, seed=5)
    slow = steady(BUILD, load)
    step = np.where((slow > 1800) & (slow < 3200), 2.0, 1.0) * (BUILD.pitch_mm / 2)
    way = -100 + np.cumsum(step)
    way = way[: int(np.searchsorted(way, load.length_mm + 100)) // 2 * 2]
    high, low = detector.expose(load, way)
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector))
    picture = whole(corrector, lines_of(high, low)).picture.he
    behind = -np.log(picture[:, 40:120].astype(float).mean(axis=1) / SCALE) > 0.7
    edges = np.flatnonzero(np.diff(behind.astype(int)))
    lengths = np.diff(edges)[::2] * BUILD.pitch_mm
    np.testing.assert_allclose(lengths, 700, atol=2 * BUILD.pitch_mm)
    assert not [r for r in corrector.remarks() if r.flaw is not Flaw.CLIPPED_SPEED]


@pytest.mark.parametrize("back", [0.0, -0.5])
def test_a_truck_that_stands_or_rolls_back_is_not_drawn_twice(back: float) -> None:
    load = steps(0.001, 60, 0.001, each_mm=700)
    detector = Detector(BUILD, seed=5)
    step = np.full(steady(BUILD, load).size + 400, BUILD.pitch_mm / 2)
    step[150:250] *= back
    way = -100 + np.cumsum(step)
    way = way[: int(np.searchsorted(np.maximum.accumulate(way), load.length_mm + 100)) // 2 * 2]
    high, low = detector.expose(load, way)
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector))
    found = whole(corrector, lines_of(high, low))
    behind = -np.log(found.picture.he[:, 40:120].astype(float).mean(axis=1) / SCALE) > 0.7
    assert behind.sum() * BUILD.pitch_mm == pytest.approx(700, abs=2.5 * BUILD.pitch_mm)
    assert Flaw.CLIPPED_SPEED in {remark.flaw for remark in corrector.remarks()}
    assert (found.table["flags"][90:110] & Flag.SPEED.bit).all()


def test_too_fast_says_so() -> None:
    load = steps(0.001, 60, 0.001, each_mm=2000)
    detector = Detector(BUILD, seed=5)
    way = np.arange(-100, load.length_mm, 1.5 * BUILD.pitch_mm)
    high, low = detector.expose(load, way[: way.size // 2 * 2])
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector))
    whole(corrector, lines_of(high, low))
    assert Flaw.CLIPPED_SPEED in {remark.flaw for remark in corrector.remarks()}


def test_without_an_encoder_the_nominal_speed_is_believed() -> None:
    detector, lines, truth = scanned(steps(10, 20, 30))
    found = whole(Corrector(geometry_of(BUILD, encoder=False), true_calibration(detector)), lines)
    assert len(found.picture.he) == pytest.approx(len(truth), abs=1)


def test_a_source_of_one_energy() -> None:
    detector, lines, _ = scanned(steps(10, 20, 30))
    single = [
        Line(number=n, energy=Energy.HE, values=line.values, encoder=line.encoder, pulse=line.pulse, at=line.at)
        for n, line in enumerate(line for line in lines if line.energy is Energy.HE)
    ]
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector), dual=False)
    found = whole(corrector, single)
    assert (found.picture.he != NOT_MEASURED).all() and (found.picture.le == NOT_MEASURED).all()


def test_weak_and_saturated_pulses_and_pulses_that_nothing_tells() -> None:
    detector = Detector(BUILD, seed=5)
    detector.faults.weak = 0.3
    high, low = detector.expose(None, np.linspace(0, 700, 2 * 100))
    lines = lines_of(high, low)
    values = lines[60].values.copy()
    values[3] = 65_535
    lines[60] = Line(
        number=60, energy=Energy.HE, values=values, encoder=lines[60].encoder, pulse=lines[60].pulse, at=lines[60].at
    )
    dark = np.full_like(values, 800)
    lines[80] = Line(number=80, energy=Energy.HE, values=dark, encoder=lines[80].encoder, at=lines[80].at)
    corrector = Corrector(geometry_of(BUILD), true_calibration(detector))
    found = whole(corrector, lines)
    assert {Flaw.WEAK_BEAM, Flaw.SATURATED, Flaw.NO_PULSE} <= {remark.flaw for remark in corrector.remarks()}
    assert found.table["flags"][40] & Flag.NO_PULSE.bit


def test_a_calibration_of_another_width_is_refused() -> None:
    other = Detector(Build(pixels=161), seed=1)
    with pytest.raises(ValueError, match="calibration of 161 pixels, scanner of 160"):
        Corrector(geometry_of(BUILD), true_calibration(other))


def test_pairs_where_the_low_pulse_is_even() -> None:
    detector, lines, _ = scanned(steps(10))
    shifted = [
        Line(number=line.number + 1, energy=line.energy, values=line.values, encoder=line.encoder, at=line.at)
        for line in lines
    ]
    numbers = [pair for pair, both in Pairs(160, dual=True).take(shifted) if len(both) == 2]
    assert numbers == list(range(len(lines) // 2))
    del detector


def test_the_formula() -> None:
    detector = Detector(BUILD, seed=5)
    calibration = true_calibration(detector)
    plan = plans(calibration, Dual(0.001, 0.0)).he
    counts = np.full((2, 160), 20_000, np.uint16)
    dose = np.array([1.0, 0.5], np.float32)
    found = transmission(counts, plan, dose)
    good = np.setdiff1d(np.arange(160), detector.dead)
    told = (20_000 - calibration.dark.he) / calibration.air.he / dose[:, None] * SCALE - 60
    np.testing.assert_allclose(found[:, good], told[:, good], rtol=1e-5)
    assert np.isnan(doses(np.full((1, 160), 800, np.uint16), plan)).all()
