"""Image quality by test objects: what the picture of a stand is worth, in numbers that two people get alike. Pure.

The kinds of test are those of IEC 62523 (penetration, wire, contrast, resolution, material) and ANSI/IEEE N42.46; their
drawings and pass marks are not public, so sizes are the plan's own and goals are the house's. Everything is measured on
the high energy, material on both. Each method is one sentence here, so that a service engineer can repeat it:

penetration  CNR of a lead patch in steel: difference of means over the sigma of the patch's mean; seen from CNR 5 on.
             The score is the thickest steel up to which every patch is seen.
contrast     the same of a thin plate on thick steel over 10 x 10 pixels, seen from CNR 3 on; the step in per cent.
wire         mean along the wire's line less that beside it, over the spread of lines beside it; seen from 5 on.
resolution   MTF of a slanted edge; half the period at which it falls to 20 %, never finer than the picture's own pitch.
material     class of every box of 7 x 7 pixels against what the step is made of.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision.xray.curves import CLASSES
from vision.xray.material import BOX, Table
from vision.xray.palette import Material
from vision.xray.scan import Dual, Energy, Scan
from vision.xray.stand import Contrast, Edge, NotThisStand, Penetration, Plan, Shown, Step, Wire

Reals = NDArray[np.float64]
SEEN_PATCH: Final = 5.0
SEEN_STEP: Final = 3.0
SEEN_WIRE: Final = 5.0
CONTRAST_PIXELS: Final = 10
PATCH_MARGIN_MM: Final = 6.0
AROUND_MM: Final = 15.0
"""Between a patch and what it is held against."""
MODULATION: Final = 0.2
BESIDE: Final = 8
"""Pixels to either side of a wire's line that are looked at; the nearest two belong to the wire."""
OWN: Final = 2
GOAL_PENETRATION_MM: Final = 300.0
GOAL_CONTRAST_PERCENT: Final = 1.0
GOAL_WIRE_MM: Final = 1.0
GOAL_RESOLUTION_MM: Final = 5.0
GOAL_MATERIAL: Final = 0.95
MATERIAL_G_CM2: Final = (5.0, 60.0)


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """A patch or plate, and how well it is seen."""

    steel_mm: float
    step_mm: float
    """0: lead."""
    cnr: float
    pixels: int
    seen: bool


class WireSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A wire, and how well."""

    diameter_mm: float
    behind_mm: float
    score: float
    seen: bool


class Sharpness(msgspec.Struct, frozen=True, kw_only=True):
    """Along the truck (`front`) or up the detector (`top`)."""

    edge: str
    mm: float
    """What can be told apart, at the lane's middle plane: the larger of the two below."""
    mtf_mm: float
    """Half the period at 20 % modulation."""
    sampled_mm: float
    """The picture's own pitch."""


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """Boxes of one step, by the class they were given: untold, organic, inorganic, metal, dense."""

    material: str
    g_cm2: float
    expected: str
    given: list[int]
    right: float
    trust: float
    """Mean."""
    g_found: float


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """One figure beside what is asked of it."""

    name: str
    value: float | None
    """None: nothing was seen, or the stand has no such object."""
    unit: str
    goal: float
    reached: bool
    note: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was measured."""

    stand: str
    simulated: bool
    energies_mev: tuple[float, float]
    pitch_mm: float
    pixel_mm: float
    materials: str
    """Digest of the table of materials, or `computed`."""
    goals: list[Goal]
    penetration: list[Patch]
    contrast: list[Patch]
    wires: list[WireSeen]
    resolution: list[Sharpness]
    material: list[Confusion]

    @property
    def reached(self) -> bool:
        """Every goal."""
        return all(goal.reached for goal in self.goals)


def measured(scan: Scan, plan: Plan, table: Table) -> Report:
    """Raises NotThisStand where the picture is not the plan's. `table` must not come from this very scan."""
    shown = Shown.of(scan, plan)
    penetration = [_patch(shown, thing) for thing in plan.objects if isinstance(thing, Penetration)]
    contrast = [_patch(shown, thing) for thing in plan.objects if isinstance(thing, Contrast)]
    wires = [_wire(shown, thing) for thing in plan.objects if isinstance(thing, Wire)]
    resolution = [_edge(shown, thing) for thing in plan.objects if isinstance(thing, Edge)]
    material = [_step(shown, thing, table) for thing in plan.objects if isinstance(thing, Step)]
    return Report(
        stand=plan.name,
        simulated=plan.simulated,
        energies_mev=(scan.head.energies_mev.he, scan.head.energies_mev.le),
        pitch_mm=scan.head.geometry.pitch_mm,
        pixel_mm=abs(scan.head.geometry.pixel_mm()),
        materials=table.digest if table.measured else "computed",
        goals=[
            _penetrated(penetration),
            _contrasted(contrast),
            _wired(wires),
            _resolved(resolution),
            *_told(material),
        ],
        penetration=penetration,
        contrast=contrast,
        wires=wires,
        resolution=resolution,
        material=material,
    )


def _penetrated(patches: Sequence[Patch]) -> Goal:
    best = None
    for patch in sorted(patches, key=lambda p: p.steel_mm):
        if not patch.seen:
            break
        best = patch.steel_mm
    note = f"lead patch of {patches[0].pixels} px" if patches else ""
    return _least("penetration", best, "mm", GOAL_PENETRATION_MM, note)


def _contrasted(steps: Sequence[Patch]) -> Goal:
    best = None
    for step in sorted(steps, key=lambda p: -p.step_mm):
        if not step.seen:
            break
        best = 100 * step.step_mm / step.steel_mm
    note = f"on {steps[0].steel_mm:.0f} mm steel, {steps[0].pixels} px" if steps else ""
    return _most("contrast", best, "%", GOAL_CONTRAST_PERCENT, note)


def _wired(wires: Sequence[WireSeen]) -> Goal:
    best = None
    for wire in sorted((w for w in wires if not w.behind_mm), key=lambda w: -w.diameter_mm):
        if not wire.seen:
            break
        best = wire.diameter_mm
    return _most("wire", best, "mm", GOAL_WIRE_MM, "steel, in air")


def _resolved(edges: Sequence[Sharpness]) -> Goal:
    worst = max((edge.mm for edge in edges), default=None)
    return _most("resolution", worst, "mm", GOAL_RESOLUTION_MM, "the worse of both directions")


def _told(steps: Sequence[Confusion]) -> list[Goal]:
    """Of the three classes that loads are made of: mean of the share that is right over grammages and materials."""
    goals: list[Goal] = []
    for kind in (Material.ORGANIC, Material.INORGANIC, Material.METAL):
        name = kind.name.lower()
        of = [s for s in steps if s.expected == name and MATERIAL_G_CM2[0] <= s.g_cm2 <= MATERIAL_G_CM2[1]]
        right = float(np.mean([s.right for s in of])) if of else None
        below = sorted({s.g_cm2 for s in of if s.right < GOAL_MATERIAL})
        note = f"below it at {', '.join(f'{g:g}' for g in below)} g/cm2" if below else "at every grammage"
        goals.append(_least(f"material {name}", right, "", GOAL_MATERIAL, note if of else ""))
    return goals


def _least(name: str, value: float | None, unit: str, goal: float, note: str) -> Goal:
    return Goal(name=name, value=value, unit=unit, goal=goal, reached=value is not None and value >= goal, note=note)


def _most(name: str, value: float | None, unit: str, goal: float, note: str) -> Goal:
    return Goal(name=name, value=value, unit=unit, goal=goal, reached=value is not None and value <= goal, note=note)


def _patch(shown: Shown, thing: Penetration | Contrast) -> Patch:
    rows, pixels = shown.rows(thing.patch_x_mm, PATCH_MARGIN_MM), shown.pixels(thing.patch_z_mm, PATCH_MARGIN_MM)
    if isinstance(thing, Contrast):
        rows, pixels = _middle(rows, CONTRAST_PIXELS), _middle(pixels, CONTRAST_PIXELS)
    patch = shown.he[rows, pixels].astype(np.float64)
    around = _around(shown, thing)
    if not patch.size or around.size < patch.size:
        raise NotThisStand(f"no patch or nothing around it at x {thing.patch_x_mm} mm")
    sigma = float(around.std(ddof=1)) / math.sqrt(patch.size)
    cnr = float(around.mean() - patch.mean()) / sigma
    step_mm = thing.step_mm if isinstance(thing, Contrast) else 0.0
    seen = cnr >= (SEEN_STEP if step_mm else SEEN_PATCH)
    return Patch(steel_mm=thing.steel_mm, step_mm=step_mm, cnr=round(cnr, 2), pixels=patch.size, seen=seen)


def _around(shown: Shown, thing: Penetration | Contrast) -> Reals:
    """The block without the patch, its slow slope along the fan taken off."""
    rows, pixels = shown.rows(thing.x_mm, AROUND_MM), shown.pixels(thing.z_mm, 2 * AROUND_MM)
    block = shown.he[rows, pixels].astype(np.float64)
    inner_rows, inner = shown.rows(thing.patch_x_mm, -AROUND_MM), shown.pixels(thing.patch_z_mm, -AROUND_MM)
    free = np.ones(block.shape, bool)
    own = slice(max(0, inner.start - pixels.start), max(0, inner.stop - pixels.start))
    free[max(0, inner_rows.start - rows.start) : max(0, inner_rows.stop - rows.start), own] = False
    at: Reals = np.arange(pixels.start, pixels.stop, dtype=np.float64) - (inner.start + inner.stop - 1) / 2
    there = free.sum(axis=0)
    column = (block * free).sum(axis=0) / np.maximum(there, 1)
    slope, _ = _line(at[there > 0], column[there > 0])
    return (block - slope * at[None, :])[free]


def _line(x: Reals, y: Reals) -> tuple[float, float]:
    """Slope, and the value at 0, of the straight line nearest to some points."""
    away = x - x.mean()
    slope = float((away * (y - y.mean())).sum() / max(float((away**2).sum()), 1e-12))
    return slope, float(y.mean()) - slope * float(x.mean())


def _middle(span: slice, count: int) -> slice:
    start = (span.start + span.stop - count) // 2
    return slice(start, start + count)


def _wire(shown: Shown, thing: Wire) -> WireSeen:
    low, high = sorted((thing.first_mm[1], thing.last_mm[1]))
    pixels = shown.pixels((low, high), 8.0)
    heights = shown.heights_mm[pixels]
    lean = (thing.last_mm[0] - thing.first_mm[0]) / (thing.last_mm[1] - thing.first_mm[1])
    middle = shown.front_row + (thing.first_mm[0] + (heights - thing.first_mm[1]) * lean) / shown.geometry.pitch_mm
    offsets: NDArray[np.intp] = np.arange(-BESIDE, BESIDE + 1)
    rows = np.rint(middle).astype(int)[None, :] + offsets[:, None]
    if rows.min() < 0 or rows.max() >= shown.he.shape[0]:
        raise NotThisStand(f"the wire of {thing.diameter_mm} mm lies outside of the picture")
    values = shown.he[rows, np.arange(pixels.start, pixels.stop)[None, :]].astype(np.float64)
    along = values.mean(axis=1)
    beside = np.abs(offsets) > OWN
    # The stand's front is known to half a row: the line itself is looked for on the nearest ones.
    slope, level = _line(offsets[beside].astype(np.float64), along[beside])
    flat: Reals = along - level - slope * offsets
    two: Reals = (flat[:-1] + flat[1:]) / 2
    between = np.abs(offsets[:-1] + 0.5)
    own, pairs = two[between < OWN], two[between > OWN + 1]
    score = -float(own.min()) / max(float(pairs.std(ddof=1)), 1e-9)
    return WireSeen(
        diameter_mm=thing.diameter_mm, behind_mm=thing.behind_mm, score=round(score, 2), seen=score >= SEEN_WIRE
    )


def _edge(shown: Shown, thing: Edge) -> Sharpness:
    pitch = shown.geometry.pitch_mm
    reach = 28.0
    if thing.edge == "front":
        lean = (thing.z_mm[1] - thing.z_mm[0]) * thing.tilt
        rows = shown.rows((thing.x_mm[0] - reach, thing.x_mm[0] + lean + reach), 0.0)
        pixels = shown.pixels(thing.z_mm, 12.0)
    else:
        lean = (thing.x_mm[1] - thing.x_mm[0]) * thing.tilt
        rows = shown.rows(thing.x_mm, 12.0)
        pixels = shown.pixels((thing.z_mm[1] - lean - reach, thing.z_mm[1] + reach), 0.0)
    x: Reals = (np.arange(rows.start, rows.stop, dtype=np.float64) - shown.front_row) * pitch
    z: Reals = shown.heights_mm[pixels]
    values = shown.he[rows, pixels].astype(np.float64)
    if thing.edge == "front":
        away = x[:, None] - (thing.x_mm[0] + (z[None, :] - thing.z_mm[0]) * thing.tilt)
        own = pitch
    else:
        away = z[None, :] - (thing.z_mm[1] - (x[:, None] - thing.x_mm[0]) * thing.tilt)
        own = float(np.diff(shown.heights_mm).mean())
    mtf = _half_period(away, values, own)
    return Sharpness(edge=thing.edge, mm=round(max(mtf, own), 2), mtf_mm=round(mtf, 2), sampled_mm=round(own, 2))


def _half_period(away: Reals, values: Reals, pitch: float) -> float:
    """Of the frequency at which the edge's MTF falls to MODULATION."""
    step = pitch / 4
    near = np.abs(away) <= 24.0
    place = np.rint(away[near] / step).astype(int)
    first = int(place.min())
    count = np.bincount(place - first)
    spread = np.bincount(place - first, values[near]) / np.maximum(count, 1)
    good = np.flatnonzero(count)
    profile = np.interp(np.arange(count.size), good, spread[good])
    line = np.diff(profile)
    middle = int(np.abs(np.convolve(line, np.ones(5), "same")).argmax())
    half = min(middle, line.size - 1 - middle, int(20.0 / step))
    line = line[middle - half : middle + half + 1] * np.hanning(2 * half + 1)
    spectrum = np.abs(np.fft.rfft(line, 1024))
    mtf = spectrum / max(spectrum[0], 1e-12)
    frequency = np.fft.rfftfreq(1024, step)
    below = np.flatnonzero(mtf < MODULATION)
    if not below.size or below[0] == 0:
        return pitch
    n = int(below[0])
    share = (mtf[n - 1] - MODULATION) / (mtf[n - 1] - mtf[n])
    return 0.5 / float(frequency[n - 1] + share * (frequency[n] - frequency[n - 1]))


def _step(shown: Shown, thing: Step, table: Table) -> Confusion:
    boxes = [shown.box(energy, thing.x_mm, thing.z_mm) for energy in Energy]
    found = table.map(Dual(boxes[0], boxes[1]), shown.noise, BOX)
    given = np.bincount(found.material.ravel(), minlength=len(Material))
    expected = CLASSES[thing.material]
    return Confusion(
        material=thing.material,
        g_cm2=thing.g_cm2,
        expected=expected.name.lower(),
        given=[int(n) for n in given],
        right=round(float(given[expected]) / max(1, int(given.sum())), 4),
        trust=round(float(found.trust.mean()), 3),
        g_found=round(float(np.nanmean(found.g_cm2)), 2),
    )


def matrix(steps: Iterable[Confusion]) -> dict[str, list[float]]:
    """By expected class, the share of boxes given each class, all grammages together."""
    sums: dict[str, Reals] = {}
    for step in steps:
        sums[step.expected] = sums.get(step.expected, np.zeros(len(Material))) + step.given
    return {name: [round(float(v), 4) for v in of / max(1.0, float(of.sum()))] for name, of in sums.items()}
