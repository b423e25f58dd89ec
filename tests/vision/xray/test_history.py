"""Calibrations are kept: every one in the journal, the last one whole."""

import dataclasses
from pathlib import Path

import numpy as np

from drivers.readings import Instant
from tests.vision.xray.samples import small_calibration
from vision.xray.calibrate import health
from vision.xray.history import JOURNAL, LAST, History


def test_the_last_one_comes_back_whole_and_all_are_in_the_journal(tmp_path: Path) -> None:
    history = History(tmp_path / "x")
    assert history.last() is None and history.entries() == []
    first = dataclasses.replace(small_calibration(64), digest="a" * 64)
    second = dataclasses.replace(small_calibration(64), digest="b" * 64, air_at=Instant(first.air_at + 60))
    history.keep(first, health(first, None))
    history.keep(second, health(second, first))
    found = history.last()
    assert found is not None and found.digest == second.digest and found.air_at == second.air_at
    np.testing.assert_array_equal(found.air.le, second.air.le)
    np.testing.assert_array_equal(found.bad.he, second.bad.he)
    assert found.clear == second.clear and found.monitor == second.monitor
    assert [(entry.digest, entry.at) for entry in history.entries()] == [
        (first.digest, first.air_at),
        (second.digest, second.air_at),
    ]


def test_a_damaged_one_is_none_and_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    history = History(tmp_path)
    calibration = small_calibration(64)
    history.keep(calibration, health(calibration, None))
    (tmp_path / LAST).write_bytes(b"no")
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(b'{"at": 17')
    assert history.last() is None
    assert len(history.entries()) == 1
