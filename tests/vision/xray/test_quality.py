"""Test objects scored, from the simulated detector's datagrams to the report; and every way of not being that stand."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.commands.words import Exit, Stop
from edge.commands.xray_quality import lines_of, materials, quality, show, simulated
from simulators.xray_scanner import Detector
from simulators.xray_stand import Stand, plan_of, recorded, stand_build, wedge_stand
from vision.xray.material import table_from
from vision.xray.passage import NoScan, scan_of
from vision.xray.quality import Report, matrix
from vision.xray.scan import Dual, Scan
from vision.xray.stand import NotThisStand, Plan, Shown, plan_from, section_of
from vision.xray.store import Archive

pytestmark = pytest.mark.timeout(240)
"""Three simulated passages, from datagrams on: seconds of one core, minutes where others want it too."""


@pytest.fixture(scope="module")
def report() -> Report:
    return simulated()


def test_every_goal_is_reached_and_said_to_be_simulated(report: Report) -> None:
    assert report.simulated
    values = {goal.name: goal.value for goal in report.goals}
    assert (values["penetration"] or 0) >= 300
    assert (values["contrast"] or 9) <= 1.0
    assert (values["wire"] or 9) <= 1.0
    assert (values["resolution"] or 99) <= 5.0
    assert all((values[f"material {name}"] or 0) >= 0.95 for name in ("organic", "inorganic", "metal"))
    assert report.reached


def test_the_scores_see_what_is_worse(report: Report) -> None:
    """Thicker steel hides more, thinner plates and wires are seen less, and what nothing shows is not seen."""
    penetration = [patch.cnr for patch in sorted(report.penetration, key=lambda p: p.steel_mm)]
    assert penetration[0] > 5 * penetration[4] > 5 * penetration[-1]
    assert not report.penetration[-1].seen
    contrast = sorted(report.contrast, key=lambda p: p.step_mm)
    assert not contrast[0].seen and contrast[-1].cnr > 10
    in_air = sorted((w for w in report.wires if not w.behind_mm), key=lambda w: w.diameter_mm)
    assert not in_air[0].seen and in_air[-1].score > 4 * in_air[0].score
    behind = {w.diameter_mm: w.score for w in report.wires if w.behind_mm}
    assert behind[2.0] < next(w.score for w in in_air if w.diameter_mm == 2.0)


def test_sharpness_is_near_the_face_of_a_pixel(report: Report) -> None:
    """A face of 5 mm at the detector is 3.2 mm at the middle: its own modulation falls to a fifth at 1.9 mm."""
    assert {edge.edge for edge in report.resolution} == {"front", "top"}
    assert all(1.6 < edge.mtf_mm < 2.4 and edge.mm == edge.sampled_mm for edge in report.resolution)


def test_confusion_is_worst_where_there_is_least_matter(report: Report) -> None:
    right = {(s.material, s.g_cm2): s.right for s in report.material}
    assert all(right[name, 60.0] == 1.0 for name in ("PE", "water", "aluminium", "steel", "lead"))
    assert right["water", 5.0] < 0.95
    shares = matrix(report.material)
    assert all(sum(of) == pytest.approx(1.0, abs=1e-3) for of in shares.values())


def test_a_person_and_a_program_can_read_it(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    show(report)
    said = capsys.readouterr().out
    assert "SIMULATED" in said and "reached" in said
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


@pytest.fixture(scope="module")
def steps() -> tuple[Scan, dict[str, Any]]:
    """A short stand of steps: three materials of five thicknesses."""
    build = stand_build()
    stand = wedge_stand(("PE", "aluminium", "steel", "steel"), (6.0, 12.0, 24.0, 48.0, 96.0), 60.0, 60.0)
    plan = plan_of(stand, build, "short")
    drawn = plan_from(json.dumps(plan).encode())
    lines = lines_of(recorded(Detector(build, seed=2), stand.load()), build.pixels)
    return scan_of(lines, section_of(drawn), Dual(6.0, 4.0), clear=drawn.clear), plan


def test_a_kept_scan_is_measured_by_the_table_of_its_scanner(
    steps: tuple[Scan, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan, plan = steps
    kept = Archive(tmp_path / "archive")
    path = kept.path(kept.keep(scan).digest)
    drawn, table = tmp_path / "plan.json", tmp_path / "table.json"
    drawn.write_text(json.dumps(plan))
    assert materials([path], drawn, table) is Exit.WELL
    assert table_from(table.read_bytes()).simulated
    with pytest.raises(Stop, match="there already"):
        materials([path], drawn, table)
    capsys.readouterr()
    # A stand without wires and edges: what was not measured is not reached.
    assert quality(path, drawn, table, simulate=False, as_json=True) is Exit.NOT_WELL
    told = json.loads(capsys.readouterr().out)
    assert {goal["name"]: goal["value"] for goal in told["goals"]}["wire"] is None
    assert told["materials"] == table_from(table.read_bytes()).digest


def test_what_is_not_this_stand_is_refused(steps: tuple[Scan, dict[str, Any]], tmp_path: Path) -> None:
    scan, plan = steps
    longer = {**plan, "objects": [{**plan["objects"][0], "x_mm": [9000.0, 9100.0]}]}
    with pytest.raises(NotThisStand, match="ends before"):
        Shown.of(scan, msgspec.convert(longer, Plan))
    for wrong in (b"", b"[]", b'{"name": 1}', b'{"name": "x", "post_mm": 1, "objects": [{"kind": "moon"}]}'):
        with pytest.raises(NotThisStand):
            plan_from(wrong)
    with pytest.raises(Stop, match="no whole HDF5"):
        quality(tmp_path / "none.h5", tmp_path / "none.json", None, simulate=False, as_json=False)
    with pytest.raises(Stop, match="--simulate"):
        quality(None, None, None, simulate=False, as_json=False)
    with pytest.raises(Stop, match="brings its own"):
        quality(tmp_path, None, None, simulate=True, as_json=False)


def test_a_recording_that_is_cut_is_refused() -> None:
    build = stand_build(80)
    data = recorded(Detector(build, seed=2), Stand().load())
    assert len(lines_of(data, 80)) > 3000
    with pytest.raises(NotThisStand, match="recording"):
        lines_of(data[:-3], 80)
    with pytest.raises(NoScan, match="nothing stood"):
        scan_of(lines_of(data, 80)[:2000], section_of(plan_from(json.dumps(plan_of(Stand(), build, "x")).encode())),
                Dual(6.0, 4.0), clear=(40, 30))  # fmt: skip
