"""Threats drawn into true images, for training and vigilance: never into the archive. Pure.

Cargo radiography multiplies: a thing in the beam lets through a share of what the load lets through. So a threat is a
plane of g/cm2, turned, magnified and made denser or thinner; its transmission by this scanner's own curves, hardened by
the load it lies in (the load's softer photons are gone already), is blurred by the detector's face and crosstalk, and
multiplied into both energies. A multiplied picture has too little noise: what the missing quanta would add is added.

What comes out is a `Projected`, not a scan. It has no digest but a name, "tip-" and 32 digits, which no archive, no
verdict and no tile store takes for one of theirs: they want 64 digits of 0-9 and a-f. The same master, threat,
placement and seed give the same name and the same pixels, so a log of names is enough to show again what a person
saw.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from vision.xray.curves import ALPHA_MOST, AT
from vision.xray.emptiness import standing_out
from vision.xray.findings import Place
from vision.xray.material import Table
from vision.xray.outline import Window
from vision.xray.scan import NOT_MEASURED, SCALE, Counts, Dual, Geometry, Noise

Reals = NDArray[np.float64]
NAME: Final = "tip-"
FINE: Final = 4
"""Rays a pixel each way: its value is a mean over its face."""
CROSSTALK: Final = 0.025
"""Of a pixel's light, to each neighbour along the detector."""
SMOOTH: Final = 5
"""Pixels whose mean is the load that the threat lies in."""
LEAST_SEEN: Final = 5.0
"""An ideal eye's d': less, and nobody can be blamed for a miss."""
TRIES: Final = 60
BLIND: Final = 2.5e-3
"""Of air: behind less, nothing is shown or hidden."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a threat's outline, in mm from its middle: x along, z up; `thick` through the beam."""

    form: Literal["box", "disc"]
    x: float
    z: float
    wide: float
    high: float
    """Of a disc `wide` is its diameter, `high` is not looked at."""
    thick: float


class Threat(msgspec.Struct, frozen=True, kw_only=True):
    """A thing to be found."""

    name: str
    kind: Literal["weapon", "drugs", "contraband", "nuclear shielding"]
    material: str
    """A curve of the scanner's table."""
    density: float
    """g/cm3."""
    parts: tuple[Part, ...]


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how it lies. Row and pixel of its middle."""

    row: float
    pixel: float
    turn_deg: float = 0.0
    magnify: float = 1.0
    """It stands nearer to the source (above 1) or further than the middle plane."""
    dense: float = 1.0
    """Times its own density: another angle to the beam, another make."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projected:
    """What a person is shown in an exercise."""

    name: str
    """`tip-` and 32 digits."""
    master: str
    """Digest of the scan that it was drawn into."""
    threat: str
    placement: Placement
    picture: Dual[Counts]
    box: Place
    """Where the threat is; `size` is how well an ideal eye sees it, as d'."""


class NotShown(ValueError):
    """A threat that would lie outside of the picture, behind what nothing passes, or that nobody could see."""


def _box(x: float, z: float, wide: float, high: float, thick: float) -> Part:
    return Part(form="box", x=x, z=z, wide=wide, high=high, thick=thick)


def _disc(x: float, z: float, wide: float, thick: float) -> Part:
    return Part(form="disc", x=x, z=z, wide=wide, high=wide, thick=thick)


THREATS: Final[tuple[Threat, ...]] = (
    Threat(
        name="pistol",
        kind="weapon",
        material="steel",
        density=7.85,
        parts=(_box(0, 30, 190, 32, 18), _box(-70, -30, 38, 100, 22), _box(-25, -5, 40, 8, 6), _box(-5, 5, 8, 20, 6)),
    ),
    Threat(
        name="rifles",
        kind="weapon",
        material="steel",
        density=7.85,
        parts=(
            _box(0, 0, 420, 26, 24),
            _box(120, 0, 420, 12, 14),
            _box(-40, -60, 30, 110, 20),
            _box(-230, -18, 160, 55, 8),
        ),
    ),
    Threat(
        name="parcels",
        kind="drugs",
        material="water",
        density=1.15,
        parts=tuple(_box(x, z, 200, 60, 260) for x in (-105.0, 105.0) for z in (-65.0, 0.0, 65.0)),
    ),
    Threat(
        name="cartons",
        kind="contraband",
        material="PE",
        density=0.32,
        parts=(_box(0, 0, 560, 420, 480),),
    ),
    Threat(
        name="shielded source",
        kind="nuclear shielding",
        material="lead",
        density=11.35,
        parts=(_disc(0, 0, 160, 90), _box(0, -85, 120, 20, 60)),
    ),
)


def named(name: str) -> Threat:
    """Raises KeyError."""
    found = next((threat for threat in THREATS if threat.name == name), None)
    if found is None:
        raise KeyError(name)
    return found


def projection_name(master: str, threat: Threat | None, placement: Placement | None, seed: int) -> str:
    """Of the same four always the same name. An exercise without a threat has one like any other."""
    said = msgspec.json.encode([master, threat, placement, seed])
    return NAME + hashlib.sha256(said).hexdigest()[:32]


def projected(
    master: str,
    picture: Dual[Counts],
    geometry: Geometry,
    noise: Dual[Noise],
    table: Table,
    threat: Threat,
    placement: Placement,
    *,
    seed: int,
) -> Projected:
    """Draw it in. The picture that is given stays as it is. Raises NotShown, KeyError for a material without a
    curve.
    """
    pitch, across = geometry.pitch_mm, abs(geometry.pixel_mm())
    reach = placement.magnify * max(math.hypot(abs(p.x) + p.wide / 2, abs(p.z) + p.high / 2) for p in threat.parts)
    rows = slice(math.floor(placement.row - reach / pitch) - 1, math.ceil(placement.row + reach / pitch) + 2)
    pixels = slice(math.floor(placement.pixel - reach / across) - 1, math.ceil(placement.pixel + reach / across) + 2)
    if rows.start < 0 or pixels.start < 0 or rows.stop > picture.he.shape[0] or pixels.stop > picture.he.shape[1]:
        raise NotShown(f"{threat.name} would lie outside of the picture at row {placement.row:.0f}")
    grams = _grams(threat, placement, (rows, pixels), (pitch, across))
    there = _face_mean(grams, FINE) > 0
    if not there.any():
        raise NotShown(f"{threat.name} is smaller than a pixel")
    rng = np.random.default_rng(seed)
    made: list[Counts] = []
    seen = 0.0
    for energy, image in enumerate(picture):
        part = image[rows, pixels]
        load = np.asarray(cv2.blur(part.astype(np.float32), (SMOOTH, SMOOTH)), np.float64)
        if energy == 0 and float(np.median(load[there])) < BLIND * SCALE:
            raise NotShown("the beam does not come through there")
        factor = _through(table, threat.material, grams, load, low=energy == 1)
        x = part.astype(np.float64)
        of = noise[energy]
        # The load's noise was drawn with more quanta than would be left: the rest of the spread is added.
        rest = of.a * x * factor * (1 - factor) + of.b * (1 - factor**2)
        drawn = x * factor + np.sqrt(np.maximum(rest, 0.0)) * rng.standard_normal(x.shape)
        whole = image.copy()
        kept = part == NOT_MEASURED
        whole[rows, pixels] = np.where(kept, NOT_MEASURED, np.clip(np.rint(drawn), 1, 65_535)).astype(np.uint16)
        made.append(whole)
        seen += float((((1 - factor) * load) ** 2 / (of.a * load + of.b))[~kept].sum())
    along, up = (np.flatnonzero(there.any(axis=axis)) for axis in (1, 0))
    box = Place(
        row=rows.start + int(along[0]),
        pixel=pixels.start + int(up[0]),
        rows=int(along[-1] - along[0]) + 1,
        pixels=int(up[-1] - up[0]) + 1,
        size=math.sqrt(seen),
    )
    name = projection_name(master, threat, placement, seed)
    return Projected(
        name=name, master=master, threat=threat.name, placement=placement, picture=Dual(made[0], made[1]), box=box
    )


def somewhere(
    master: str,
    picture: Dual[Counts],
    geometry: Geometry,
    noise: Dual[Noise],
    table: Table,
    threat: Threat,
    inside: Window,
    *,
    seed: int,
) -> Projected:
    """Where it may be in truth: among the load or on it, within the container, seen by an ideal eye. Raises
    NotShown.
    """
    rng = np.random.default_rng(seed)
    # On the load or in it: under the roof, where nothing holds it, nobody would look for it.
    standing, _ = standing_out(inside)
    loaded = np.argwhere(standing & ~inside.blind)
    if not len(loaded):
        floor = np.zeros(standing.shape, bool)
        floor[:, :6] = True
        loaded = np.argwhere(inside.measured & floor)
    why = "nothing is loaded, and no floor is seen"
    for _ in range(TRIES if len(loaded) else 0):
        along, up = loaded[int(rng.integers(len(loaded)))]
        placement = Placement(
            row=inside.rows.start + (float(along) + 0.5) * inside.box,
            pixel=inside.pixels.start + (float(up) + 0.5) * inside.box,
            turn_deg=float(rng.choice([0.0, 90.0, 180.0, 270.0]) + rng.normal(0, 8)),
            magnify=float(rng.uniform(0.9, 1.12)),
            dense=float(rng.uniform(0.85, 1.15)),
        )
        try:
            made = projected(master, picture, geometry, noise, table, threat, placement, seed=seed)
        except NotShown as no:
            why = str(no)
            continue
        box = made.box
        within = (
            box.row >= inside.rows.start
            and box.row + box.rows <= inside.rows.stop
            and box.pixel >= inside.pixels.start
            and box.pixel + box.pixels <= inside.pixels.stop
        )
        if within and box.size >= LEAST_SEEN:
            return made
        why = "it would stick out of the container" if not within else f"an ideal eye would see it at {box.size:.1f}"
    raise NotShown(f"no place for {threat.name} in {TRIES} tries; the last one: {why}")


def _grams(
    threat: Threat, placement: Placement, box: tuple[slice, slice], mm: tuple[float, float]
) -> NDArray[np.float64]:
    """(rows x FINE, pixels x FINE) g/cm2 of the threat."""
    sizes = [(part.stop - part.start) * FINE for part in box]
    fine = [
        (part.start + (np.arange(size, dtype=np.float64) + 0.5) / FINE - 0.5 - middle) * step / placement.magnify
        for part, size, middle, step in zip(box, sizes, (placement.row, placement.pixel), mm, strict=True)
    ]
    turn = math.radians(placement.turn_deg)
    x = fine[0][:, None] * math.cos(turn) + fine[1][None, :] * math.sin(turn)
    z = -fine[0][:, None] * math.sin(turn) + fine[1][None, :] * math.cos(turn)
    thick = np.zeros((sizes[0], sizes[1]))
    for part in threat.parts:
        if part.form == "disc":
            away = (x - part.x) ** 2 + (z - part.z) ** 2
            inside = np.sqrt(np.maximum(1 - away / (part.wide / 2) ** 2, 0.0))
        else:
            inside = ((np.abs(x - part.x) <= part.wide / 2) & (np.abs(z - part.z) <= part.high / 2)).astype(np.float64)
        thick += part.thick * inside
    return thick * threat.density * placement.dense / 10


def _through(table: Table, material: str, grams: Reals, load: Reals, *, low: bool) -> Reals:
    """(rows, pixels) what passes of what the load lets through, blurred as the detector does."""
    steel = table.curve("steel")
    by_steel = np.concatenate([[0.0], np.maximum.accumulate(steel.g_cm2)])
    alphas = np.concatenate([[0.0], steel.le if low else AT])
    alone = -np.log(table.transmission(material, grams)[1 if low else 0])
    # As much steel as would hold back the same: behind the load, it holds back what steel more would.
    extra = np.interp(alone, alphas, by_steel)
    depth = np.clip(-np.log(np.maximum(load, 1.0) / SCALE), 0.0, ALPHA_MOST)
    before = np.interp(np.repeat(np.repeat(depth, FINE, axis=0), FINE, axis=1), alphas, by_steel)
    added = np.interp(before + extra, by_steel, alphas) - np.interp(before, by_steel, alphas)
    passed = _face_mean(np.exp(-added), FINE)
    kernel = np.array([[CROSSTALK, 1 - 2 * CROSSTALK, CROSSTALK]])
    return np.asarray(cv2.filter2D(passed, cv2.CV_64F, kernel, borderType=cv2.BORDER_REPLICATE), np.float64)


def _face_mean(fine: Reals, of: int) -> Reals:
    rows, pixels = (size // of for size in fine.shape)
    return fine.reshape(rows, of, pixels, of).mean(axis=(1, 3))
