"""The tunnel's story is read off its lines: calibrations as they truly are, scans that begin and end with the truck."""

import dataclasses
from random import Random

import numpy as np
import pytest

from drivers.readings import Instant
from drivers.xray.line import Energy, Line
from simulators.xray_cargo import Load, loaded
from simulators.xray_scanner import FULL_COUNTS, Build, Detector
from tests.vision.xray.stage import AT, CLEAR, lines_of
from vision.xray.calibrate import AIR_LINES, DARK_LINES, bad_pixels, health
from vision.xray.scan import Calibration
from vision.xray.tunnel import Calibrated, Ended, Event, More, Refused, Settings, State, Tunnel

BUILD = Build(pixels=160, speed_mm_s=2800.0)
TRUCK = loaded(Random(4), "39")
SETTINGS = Settings(
    pixels=160, dual=True, clear=(160 - CLEAR, CLEAR), after_lines=80, calibration_age_s=86_400, longest_lines=5_000
)


class Story:
    """Lines of a detector, one act after the other."""

    def __init__(self, seed: int = 3) -> None:
        self.detector = Detector(BUILD, seed=seed)
        self.at = float(AT)

    def act(self, load: Load | None, x_mm: np.ndarray, *, on: bool = True) -> list[Line]:
        high, low = self.detector.expose(load, x_mm, on=on)
        made = [
            dataclasses.replace(line, at=Instant(self.at + n * 0.0025)) for n, line in enumerate(lines_of(high, low))
        ]
        self.at = float(made[-1].at)
        return made

    def dark(self, pairs: int = 300) -> list[Line]:
        return self.act(None, np.zeros(2 * pairs), on=False)

    def air(self, pairs: int = 600) -> list[Line]:
        return self.act(None, np.zeros(2 * pairs))

    def truck(self, load: Load = TRUCK, share: float = 1.0) -> list[Line]:
        step = BUILD.pitch_mm / 2
        way = np.arange(-700, load.length_mm * share, step)
        return self.act(load, way[: way.size // 2 * 2])


def told(tunnel: Tunnel, *acts: list[Line], batch: int = 23) -> list[Event]:
    lines = [line for act in acts for line in act]
    return [event for at in range(0, len(lines), batch) for event in tunnel.take(lines[at : at + batch])]


def names(events: list[Event]) -> list[str]:
    """Without the lines, and repeats of them."""
    return [type(event).__name__ for event in events if not isinstance(event, More)]


def scan_lines(events: list[Event]) -> list[Line]:
    return [line for event in events if isinstance(event, More) for line in event.lines]


def test_a_whole_visit() -> None:
    story, tunnel = Story(), Tunnel(SETTINGS)
    acts = story.dark(), story.air(), story.truck(), story.air(100), story.dark(50)
    events = told(tunnel, *acts)
    assert names(events) == ["Calibrated", "Began", "Ended"]
    assert [event.torn for event in events if isinstance(event, Ended)] == [""]
    lines = scan_lines(events)
    numbers = [line.number for line in lines]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    truck = [line.number for line in acts[2]]
    front = truck[0] + 2 * round(700 / BUILD.pitch_mm)
    assert front - 80 <= numbers[0] <= front + 20
    assert truck[-1] <= numbers[-1] <= truck[-1] + 180
    assert tunnel.state is State.UNLIT


def test_the_calibration_is_what_the_detector_is() -> None:
    story, tunnel = Story(), Tunnel(SETTINGS)
    (event,) = [e for e in told(tunnel, story.dark(), story.air()) if isinstance(e, Calibrated)]
    found, detector = event.calibration, story.detector
    good = np.setdiff1d(np.arange(160), detector.dead)
    np.testing.assert_allclose(found.dark.he[good], detector.offset[good], atol=1.5)
    air = FULL_COUNTS * detector.gain * detector.profile
    for energy, dose in ((Energy.HE, 1.0), (Energy.LE, 0.6)):
        ratio = found.air.of(energy)[good] / (air[good] * dose)
        assert ratio.std() < 0.02 and ratio.mean() == pytest.approx(1, abs=0.02)
    assert (found.dark_lines >= DARK_LINES) and (found.air_lines == AIR_LINES)
    assert set(np.flatnonzero(found.bad.he)) == set(detector.dead)
    assert found.monitor.he == pytest.approx(20_000, rel=0.02) and found.monitor.le == pytest.approx(12_000, rel=0.02)
    assert len(found.digest) == 64 and event.health.bad_pixels == len(detector.dead)


@pytest.mark.parametrize("batch", [1, 7, 400])
def test_batches_change_nothing(batch: int) -> None:
    one = told(Tunnel(SETTINGS), *(acts := self_acts()), batch=10_000)
    two = told(Tunnel(SETTINGS), *acts, batch=batch)
    assert names(one) == names(two)
    assert [line.number for line in scan_lines(one)] == [line.number for line in scan_lines(two)]


def self_acts() -> list[list[Line]]:
    story = Story()
    return [story.dark(), story.air(), story.truck(), story.air(100), story.truck(), story.air(100), story.dark(30)]


def test_two_trucks_under_one_beam() -> None:
    events = told(Tunnel(SETTINGS), *self_acts())
    assert names(events) == ["Calibrated", "Began", "Ended", "Began", "Ended"]


def test_a_beam_that_ends_too_early_tears_the_scan() -> None:
    story = Story()
    events = told(Tunnel(SETTINGS), story.dark(), story.air(), story.truck(share=0.5), story.dark(40))
    assert [event.torn for event in events if isinstance(event, Ended)] == ["the beam ended before the truck did"]
    last = scan_lines(events)[-1].number
    assert last <= story.detector.pulse - 2 * 40 + 8


def test_silence_and_a_long_hole_tear_it_too() -> None:
    story, tunnel = Story(), Tunnel(SETTINGS)
    told(tunnel, story.dark(), story.air(), story.truck(share=0.5))
    assert tunnel.silent(Instant(story.at + 1)) == []
    (event,) = tunnel.silent(Instant(story.at + 3))
    assert isinstance(event, Ended) and "silent" in event.torn
    assert tunnel.silent(Instant(story.at + 9)) == []
    story, tunnel = Story(), Tunnel(SETTINGS)
    told(tunnel, story.dark(), story.air(), story.truck(share=0.5))
    story.detector.pulse += 6_000
    events = told(tunnel, story.air(4))
    assert [event.torn for event in events if isinstance(event, Ended)] == ["6000 lines are missing"]


def test_a_truck_before_any_calibration_is_refused_with_its_numbers() -> None:
    story, tunnel = Story(), Tunnel(SETTINGS)
    events = told(tunnel, story.dark(), story.air(120), story.truck(), story.air(700), story.truck(), story.air(100))
    assert names(events) == ["Refused", "Calibrated", "Began", "Ended"]
    refused = events[0]
    assert isinstance(refused, Refused) and refused.why.startswith("no calibration: ") and "512" in refused.why


def test_without_dark_lines_nothing_is_calibrated() -> None:
    story = Story()
    events = told(Tunnel(SETTINGS), story.dark(100), story.air(), story.truck(), story.air(100))
    assert names(events) == ["Refused"]


def known_calibration() -> Calibration:
    story, tunnel = Story(), Tunnel(SETTINGS)
    told(tunnel, story.dark(), story.air())
    assert tunnel.known is not None
    return tunnel.known


def test_an_earlier_life_s_calibration_serves_until_it_is_too_old() -> None:
    known = known_calibration()
    story = Story()
    events = told(Tunnel(SETTINGS, known), story.dark(50), story.air(100), story.truck(), story.air(100))
    assert names(events) == ["Began", "Ended"]
    story = Story()
    story.at += 2 * 86_400
    events = told(Tunnel(SETTINGS, known), story.dark(50), story.air(100), story.truck(), story.air(100))
    assert names(events) == ["Refused"]
    assert isinstance(events[0], Refused) and "48.0 h old" in events[0].why
    assert Tunnel(dataclasses.replace(SETTINGS, pixels=161), known).known is None


def test_a_truck_that_stands_in_the_beam_is_no_air() -> None:
    """Beam on with the truck already there: nothing is calibrated on it."""
    story = Story()
    standing = story.dark(), story.act(TRUCK, np.full(2 * 600, 9_000.0))
    tunnel = Tunnel(SETTINGS)
    (event,) = told(tunnel, *standing)
    assert isinstance(event, Refused) and "not empty" in event.why
    assert tunnel.known is None
    story = Story()
    standing = story.dark(), story.act(loaded(Random(1), "61", kg=900), np.full(2 * 600, 9_000.0)), story.dark(50)
    known = known_calibration()
    tunnel = Tunnel(SETTINGS, known)
    assert names(told(tunnel, *standing)) == ["Refused"]
    assert tunnel.known is known


def test_a_scan_longer_than_any_truck_is_ended() -> None:
    story = Story()
    standing = story.act(TRUCK, np.full(2 * 5_200, 9_000.0))
    story = Story()
    events = told(Tunnel(SETTINGS), story.dark(), story.air(), standing)
    assert [event.torn for event in events if isinstance(event, Ended)] == ["longer than any truck"]


def test_drift_light_and_pixels_are_told() -> None:
    story, tunnel = Story(), Tunnel(SETTINGS)
    told(tunnel, story.dark(), story.air(), story.dark(20))
    story.detector.faults.drift = 45.0
    story.detector.faults.weak = 0.8
    story.detector.faults.more_dead = (60, 61, 62)
    (event,) = [e for e in told(tunnel, story.dark(), story.air()) if isinstance(e, Calibrated)]
    assert event.health.dark_drift == pytest.approx(45, abs=4)
    assert event.health.air_change == pytest.approx(-0.2, abs=0.03)
    assert event.health.bad_run == 3
    assert health(event.calibration, None).dark_drift == 0


def test_bad_pixels_of_every_kind() -> None:
    pixels = 400
    rng = np.random.default_rng(1)
    dark = rng.normal(800, 60, pixels).astype(np.float32)
    sigma = np.full(pixels, 4, np.float32)
    air = rng.normal(40_000, 3_000, pixels).astype(np.float32)
    air[10], air[20], sigma[30], dark[40] = 100, 130_000, 90, 9_000
    assert list(np.flatnonzero(bad_pixels(dark, sigma, air))) == [10, 20, 30, 40]
