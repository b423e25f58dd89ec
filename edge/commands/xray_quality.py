"""`xray quality`: test objects measured, for a service engineer. `xray materials`: curves to tell materials by."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.table import Table as Grid

from drivers.readings import Garbage, Instant
from drivers.xray.assemble import Assembler
from drivers.xray.frames import read_packet
from drivers.xray.line import Line
from edge.commands.words import Exit, Stop, line, out
from vision.xray.curves import NoTable
from vision.xray.layout import DamagedScan
from vision.xray.material import computed, table_from
from vision.xray.passage import NoScan, scan_of
from vision.xray.quality import Goal, Report, matrix, measured
from vision.xray.scan import Dual, Scan
from vision.xray.stand import NotThisStand, Plan, plan_from, section_of
from vision.xray.store import KeptScan
from vision.xray.wedges import calibrated

SIMULATED_AT: Final = Instant(1_780_000_000.0)
"""A recording has no clock; any instant is as good."""
LONGEST_S: Final = 300.0
NOISE_SEEDS: Final = {"wedges": (11, 13), "quality": (12,)}
"""Of the same detector on several days: curves are never judged by a scan that they were drawn from."""


def quality(scan: Path | None, plan: Path | None, materials: Path | None, *, simulate: bool, as_json: bool) -> Exit:
    """Raises Stop for what cannot be read."""
    try:
        if simulate:
            if scan is not None or plan is not None or materials is not None:
                raise Stop("--simulate brings its own scans: name no SCAN, --plan or --materials", Exit.WRONG)
            report = simulated()
        elif scan is None or plan is None:
            raise Stop("name a SCAN and its --plan, or --simulate", Exit.WRONG)
        else:
            taken, drawn = _kept(scan), plan_from(_bytes(plan))
            pair = taken.head.energies_mev
            table = computed(*pair) if materials is None else table_from(_bytes(materials))
            if table.energies_mev != pair:
                raise Stop(f"{materials}: curves of {_mev(table.energies_mev)}, a scan of {_mev(pair)}", Exit.WRONG)
            report = measured(taken, drawn, table)
    except (NotThisStand, NoTable, NoScan, ValueError) as wrong:
        raise Stop(f"{scan or 'the simulated stand'}: {wrong}", Exit.WRONG) from None
    if as_json:
        line(msgspec.json.encode(report).decode())
    else:
        show(report)
    return Exit.WELL if report.reached else Exit.NOT_WELL


def materials(scans: Sequence[Path], plan: Path, table: Path) -> Exit:
    """Raises Stop; replaces nothing."""
    try:
        made = calibrated([_kept(scan) for scan in scans], plan_from(_bytes(plan)))
    except (NotThisStand, NoTable) as wrong:
        raise Stop(f"{', '.join(map(str, scans))}: {wrong}", Exit.WRONG) from None
    try:
        with table.open("xb") as file:
            file.write(made.wire())
    except FileExistsError:
        raise Stop(f"{table} is there already; name another file, or take it away", Exit.WRONG) from None
    except OSError as no:
        raise Stop(f"{table}: {no.strerror or no}", Exit.MISSING) from None
    for curve in made.curves:
        reach = " to ".join(f"{alpha:.2f}" for alpha in curve.reach)
        line(f"{curve.material}\tlog-attenuation {reach}\tcurve within {100 * curve.sigma:.2f} %")
    return Exit.WELL


def simulated() -> Report:
    """Steps, then the stand, from datagrams to report. Raises Stop, NotThisStand, NoTable, NoScan."""
    with tempfile.TemporaryDirectory(prefix="quaygate-stand-") as folder:
        wedges = [_passage("wedges", seed, Path(folder)) for seed in NOISE_SEEDS["wedges"]]
        objects, plan = _passage("quality", NOISE_SEEDS["quality"][0], Path(folder))
    return measured(objects, plan, calibrated([scan for scan, _ in wedges], wedges[0][1]))


def _passage(stand: str, seed: int, folder: Path) -> tuple[Scan, Plan]:
    record, plan = folder / f"{stand}.lines", folder / f"{stand}.json"
    words = [sys.executable, "-m", "simulators", "xray_stand", stand, "--record", str(record), "--plan", str(plan)]
    try:
        done = subprocess.run([*words, "--noise-seed", str(seed)], capture_output=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        raise Stop(f"the simulator took longer than {LONGEST_S:.0f} s", Exit.MISSING) from None
    if done.returncode:
        raise Stop(f"the simulator ended with {done.stderr.decode(errors='replace').strip()[-300:]}", Exit.MISSING)
    drawn = plan_from(plan.read_bytes())
    lines = lines_of(record.read_bytes(), drawn.pixels)
    return scan_of(lines, section_of(drawn), Dual(*drawn.energies_mev), clear=drawn.clear), drawn


def lines_of(recorded: bytes, pixels: int) -> list[Line]:
    """Datagrams, each behind its length (two bytes, little-endian), to lines. Raises NotThisStand for what is none."""
    assembler, lines, at = Assembler(pixels), list[Line](), 0
    while at + 2 <= len(recorded):
        end = at + 2 + int.from_bytes(recorded[at : at + 2], "little")
        packet = read_packet(recorded[at + 2 : end])
        if isinstance(packet, Garbage) or end > len(recorded):
            raise NotThisStand(f"byte {at} of the recording: {packet.why if isinstance(packet, Garbage) else 'cut'}")
        lines += [word for word in assembler.take(packet, SIMULATED_AT) if isinstance(word, Line)]
        at = end
    return [*lines, *assembler.flush()]


def show(report: Report) -> None:
    """For a person."""
    if report.simulated:
        out.print("[bold]SIMULATED[/]: figures of the simulator's physics, not of a machine")
    out.print(
        f"stand {report.stand}, {report.energies_mev[0]:g}/{report.energies_mev[1]:g} MeV, "
        f"pixel {report.pitch_mm:.2f} x {report.pixel_mm:.2f} mm, materials {report.materials[:16]}"
    )
    grid = Grid(box=None, pad_edge=False)
    for head in ("test", "measured", "goal", "", ""):
        grid.add_column(head, justify="right" if head in ("measured", "goal") else "left")
    for goal in report.goals:
        grid.add_row(goal.name, _value(goal.value, goal), _value(goal.goal, goal), _word(goal), goal.note)
    out.print(grid)
    for title, rows in _details(report).items():
        out.print(f"\n[bold]{title}[/]")
        for row in rows:
            out.print("  " + row)


def _details(report: Report) -> dict[str, list[str]]:
    wires = [(f"{wire.diameter_mm:5.2f} mm behind {wire.behind_mm:3.0f} mm", wire.score) for wire in report.wires]
    sharp = [f"{edge.edge:5}  {edge.mtf_mm:.2f}, sampled {edge.sampled_mm:.2f}" for edge in report.resolution]
    shares = matrix(report.material).items()
    steps = [(f"{s.material:10}{s.g_cm2:6.1f}", s) for s in report.material]
    return {
        "penetration: CNR of the lead patch": [f"{p.steel_mm:5.0f} mm  {p.cnr:7.2f}" for p in report.penetration],
        "contrast: CNR of the plate": [f"{p.step_mm:5.2f} mm  {p.cnr:7.2f}" for p in report.contrast],
        "wires: score": [f"{what}  {score:7.2f}" for what, score in wires],
        "resolution: mm at 20 % modulation": sharp,
        "material: share of boxes untold, organic, inorganic, metal, dense": [
            f"{name:10}" + "".join(f"{100 * share:7.1f} %" for share in of) for name, of in shares
        ],
        "material by step: g/cm2, share right, trust, g/cm2 found": [
            f"{what}{100 * s.right:7.1f} %{s.trust:6.2f}{s.g_found:7.2f}" for what, s in steps
        ],
    }


def _value(value: float | None, goal: Goal) -> str:
    if value is None:
        return "-"
    return f"{value:.2f} {goal.unit}" if goal.unit else f"{100 * value:.1f} %"


def _word(goal: Goal) -> str:
    return "[green]reached[/]" if goal.reached else "[red]missed[/]"


def _kept(path: Path) -> Scan:
    try:
        with KeptScan(path, path.stem) as kept:
            return kept.scan()
    except DamagedScan as damaged:
        raise Stop(str(damaged), Exit.MISSING if not path.is_file() else Exit.NOT_WELL) from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as no:
        raise Stop(f"{path}: {no.strerror or no}", Exit.MISSING) from None


def _mev(pair: Dual[float]) -> str:
    return f"{pair.he:g}/{pair.le:g} MeV"


__all__ = ["lines_of", "materials", "quality", "show", "simulated"]
