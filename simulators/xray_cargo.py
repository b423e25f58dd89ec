"""What stands in the beam: a container of real materials, its truck, and what is loaded, by chapter of the HS.

Paths (simulators/xray_shapes.py) times density are areal density, exact for those shapes. Pieces may overlap: each adds
its own matter, and one of negative share takes matter away (a hollow).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.xray_physics import DENSITY
from simulators.xray_shapes import Ball, Box, Corrugated, Cylinder, Fan, Mm, Shape

G_PER_CM2: Final = 0.1
"""Of 1 mm of water."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A shape of one material. `fill`: share of its density, for what is packed loosely; negative: a hollow."""

    shape: Shape
    material: str
    fill: float = 1.0
    part: str = "truck"
    """`truck`, `container` or `cargo`."""

    def kg(self) -> float:
        """Mass of a box, cylinder or ball. Raises TypeError for other shapes."""
        if not isinstance(self.shape, Box | Cylinder | Ball):
            raise TypeError(f"{type(self.shape).__name__} has no volume here")
        return self.shape.volume_mm3() * 1e-6 * DENSITY[self.material] * self.fill


@dataclass(frozen=True, slots=True)
class Load:
    """All that passes: pieces, how long it is, and what is true of it."""

    pieces: tuple[Piece, ...]
    length_mm: float
    truth: dict[str, object] = field(default_factory=dict[str, object])

    def areal(self, x: NDArray[np.float64], fan: Fan) -> dict[str, Mm]:
        """(x, pixels) g/cm2 of each material on the way of each ray."""
        found: dict[str, Mm] = {}
        for piece in self.pieces:
            low, high = piece.shape.span
            inside = np.flatnonzero((x >= low) & (x <= high))
            if not inside.size:
                continue
            grams = piece.shape.path(x[inside], fan) * np.float32(DENSITY[piece.material] * piece.fill * G_PER_CM2)
            if piece.material not in found:
                found[piece.material] = np.zeros((x.size, fan.elevation.size), np.float32)
            found[piece.material][inside] += grams
        for grams in found.values():
            np.maximum(grams, 0.0, out=grams)
        return found

    def cargo_kg(self) -> float:
        """What is loaded into the container."""
        return sum(piece.kg() for piece in self.pieces if piece.part == "cargo")


MIDDLE_MM: Final = 6000.0
"""The lane's middle plane."""
BED_MM: Final = 1250.0
"""Road to the container's underside."""
LONG, WIDE, HIGH = 12_192.0, 2_438.0, 2_591.0
CAB_MM: Final = 3_400.0
"""From the truck's front to the container."""
FLOOR_MM: Final = 28.0
CROSS_EVERY_MM, CROSS_WIDE_MM, CROSS_HIGH_MM = 300.0, 45.0, 122.0
CROSS_SHEET_MM: Final = 4.5


def container(front_mm: float = CAB_MM, *, door_mm: float = 4.0) -> list[Piece]:
    """A 40 ft container, empty."""
    x0, x1 = front_mm, front_mm + LONG
    y0, y1 = MIDDLE_MM - WIDE / 2, MIDDLE_MM + WIDE / 2
    z0, z1 = BED_MM, BED_MM + HIGH
    floor = z0 + CROSS_HIGH_MM + 30
    steel: list[Shape] = [
        Corrugated((x0 + 160, x1 - 160), y0, (floor, z1 - 60), 1.6),
        Corrugated((x0 + 160, x1 - 160), y1, (floor, z1 - 60), 1.6),
        Box((x0, x1), (y0, y1), (z1 - 2, z1)),
        Box((x0, x0 + 2), (y0, y1), (floor, z1)),
        Box((x1 - door_mm, x1), (y0, y1), (floor, z1)),
    ]
    for y in (y0, y1):
        steel.append(Box((x0, x1), (y - 30, y - 24), (z0, z0 + 160)))
        steel.append(Box((x0, x1), (y - 30, y + 30), (z1 - 60, z1 - 57)))
        steel += [Box((x, x + 160), (y - 3, y + 3), (z0, z1)) for x in (x0, x1 - 160)]
    member = x0 + CROSS_EVERY_MM / 2
    while member < x1:
        steel.append(Box((member, member + CROSS_SHEET_MM), (y0, y1), (z0 + 20, z0 + 20 + CROSS_HIGH_MM)))
        steel.append(Box((member, member + CROSS_WIDE_MM), (y0, y1), (z0 + 20, z0 + 20 + CROSS_SHEET_MM)))
        member += CROSS_EVERY_MM
    pieces = [Piece(shape, "steel", part="container") for shape in steel]
    pieces.append(Piece(Box((x0, x1), (y0, y1), (floor - FLOOR_MM, floor)), "wood", part="container"))
    return pieces


def tractor_and_chassis(length_mm: float = CAB_MM + LONG) -> list[Piece]:
    """What carries it."""
    pieces: list[Piece] = []
    y0, y1 = MIDDLE_MM - 1200.0, MIDDLE_MM + 1200.0
    for y in (MIDDLE_MM - 480, MIDDLE_MM + 480):
        beam = (CAB_MM - 1200.0, length_mm)
        pieces.append(Piece(Box(beam, (y - 6, y + 6), (850, 1216)), "steel"))
        pieces += [Piece(Box(beam, (y - 90, y + 90), (z, z + 16)), "steel") for z in (850.0, 1216.0)]
    for x in (700.0, CAB_MM - 300, CAB_MM + 1000, length_mm - 3200, length_mm - 1900):
        for y in (MIDDLE_MM - 1030, MIDDLE_MM + 1030):
            pieces.append(Piece(Cylinder((x, y, 510), 510, 300, "y"), "rubber"))
            pieces.append(Piece(Cylinder((x, y, 510), 440, 270, "y"), "rubber", -1.0))
            pieces.append(Piece(Cylinder((x, y, 510), 285, 280, "y"), "steel", 0.12))
        pieces.append(Piece(Cylinder((x, MIDDLE_MM, 510), 60, 1900, "y"), "steel"))
    pieces.append(Piece(Box((900, 2000), (MIDDLE_MM - 400, MIDDLE_MM + 400), (700, 1500)), "steel", 0.34))
    pieces.append(Piece(Cylinder((CAB_MM + 100, MIDDLE_MM - 900, 800), 310, 900, "x"), "diesel"))
    for y in (y0, y1):
        pieces.append(Piece(Box((100, 2400), (y - 1, y + 1), (1000, 2100)), "steel"))
        pieces.append(Piece(Box((700, 2000), (y - 3, y + 3), (2100, 2900)), "glass"))
    pieces.append(Piece(Box((100, 2400), (y0, y1), (2898, 2900)), "steel"))
    pieces.append(Piece(Box((100, 102), (y0, y1), (1000, 2100)), "steel"))
    pieces.append(Piece(Box((1100, 1800), (MIDDLE_MM - 900, MIDDLE_MM + 900), (1250, 1900)), "PE", 0.12))
    return pieces


@dataclass(frozen=True, slots=True)
class Goods:
    """How goods of one chapter of the Harmonized System lie in a container."""

    chapter: str
    material: str
    packing: str
    """`pallets`, `bags`, `coils`, `blocks`, `drums`, `bales` or `machines`."""
    fill: float
    """Share of the material's loaded density within a package."""


CHAPTERS: Final[tuple[Goods, ...]] = (
    Goods("02", "meat", "pallets", 0.9),
    Goods("17", "sugar", "bags", 0.9),
    Goods("22", "water", "drums", 0.95),
    Goods("25", "salt", "bags", 0.8),
    Goods("39", "PE", "bags", 0.58),
    Goods("40", "rubber", "bales", 0.5),
    Goods("44", "wood", "blocks", 0.9),
    Goods("61", "nylon", "bales", 0.7),
    Goods("68", "concrete", "pallets", 0.35),
    Goods("72", "steel", "coils", 0.75),
    Goods("74", "copper", "coils", 0.28),
    Goods("76", "aluminium", "blocks", 0.45),
    Goods("84", "steel", "machines", 0.09),
)
MOST_CARGO_KG: Final = 26_500.0


def loaded(random: Random, chapter: str | None = None, *, kg: float | None = None, hidden: bool = False) -> Load:
    """A truck with a container of one chapter's goods; `hidden`: something else is among them.

    `kg`: what the goods weigh together (they are packed as loosely as that takes); None: as they come.
    """
    goods = random.choice(CHAPTERS) if chapter is None else next(g for g in CHAPTERS if g.chapter == chapter)
    x0, x1 = CAB_MM + 250.0, CAB_MM + LONG - 250.0
    y0, y1 = MIDDLE_MM - WIDE / 2 + 100, MIDDLE_MM + WIDE / 2 - 100
    floor = BED_MM + CROSS_HIGH_MM + 30
    cargo = _packed(random, goods, (x0, x1), (y0, y1), floor)
    wanted_kg = kg
    kg, kept = 0.0, list[Piece]()
    for piece in cargo:
        kg += piece.kg()
        if kg > MOST_CARGO_KG:
            kg -= piece.kg()
            break
        kept.append(piece)
    if wanted_kg is not None and kg > 0:
        kept = [replace(piece, fill=piece.fill * wanted_kg / kg) for piece in kept]
        kg = wanted_kg
    truth: dict[str, object] = {"chapter": goods.chapter, "cargo_kg": round(kg, 1)}
    if hidden and kept:
        kept += (extra := _hidden(random, kept))
        truth["hidden"] = [
            {"material": piece.material, "span_mm": [round(v) for v in piece.shape.span]} for piece in extra
        ]
        truth["cargo_kg"] = round(kg + sum(piece.kg() for piece in extra), 1)
    pieces = [*tractor_and_chassis(), *container(), *kept]
    return Load(tuple(pieces), CAB_MM + LONG, truth)


def empty() -> Load:
    """A truck with an empty container."""
    return Load((*tractor_and_chassis(), *container()), CAB_MM + LONG, {"chapter": "", "cargo_kg": 0.0})


def _packed(random: Random, goods: Goods, x: tuple[float, float], y: tuple[float, float], floor: float) -> list[Piece]:
    rows: list[Piece] = []
    at = x[0]
    while True:
        step, shapes = _row(random, goods.packing, at, y, floor)
        if at + step > x[1]:
            return rows
        rows += [Piece(shape, goods.material, goods.fill * share, "cargo") for shape, share in shapes]
        at += step


def _row(
    random: Random, packing: str, at: float, y: tuple[float, float], floor: float
) -> tuple[float, list[tuple[Shape, float]]]:
    """One row of packages from `at` on: how long it is, its shapes, and how full each is."""
    between, middle = random.uniform, (y[0] + y[1]) / 2
    match packing:
        case "coils":
            radius, wide = between(420, 560), between(900, 1300)
            axis = (at + radius, middle, floor + radius)
            coil: list[tuple[Shape, float]] = [
                (Cylinder(axis, radius, wide, "y"), 1.0),
                (Cylinder(axis, 250, wide, "y"), -1.0),
            ]
            return 2 * radius + between(150, 900), coil
        case "drums":
            places = [(y[0] + 290 + n * 600, floor + 440 + level * 920) for n in range(3) for level in range(2)]
            return 610.0, [(Cylinder((at + 290, *place), 290, 860, "z"), 1.0) for place in places]
        case "machines":
            step, high = between(1500, 2600), between(900, 2000)
            body = Box((at, at + step - 300), (middle - 700, middle + 700), (floor + 100, floor + high))
            core = Box((at + 100, at + 500), (middle - 300, middle + 300), (floor + 100, floor + 600))
            return step, [(body, 1.0), (core, 6.0)]
        case "bales" | "blocks":
            step = between(900, 1200)
            lows = [floor + n * 560 for n in range(4)]
            return step, [(Box((at, at + step - 40), y, (low, low + 540)), between(0.9, 1.0)) for low in lows]
        case "bags":
            lows = [floor + n * 150 for n in range(int(between(9.7, 10)))]
            return 1000.0, [(Box((at, at + 960), y, (low, low + 143)), between(0.94, 1.0)) for low in lows]
        case _:
            low = floor + 150
            tops = [(near, low + between(1300, 1700)) for near in (y[0], y[0] + 1100)]
            boxes = [Box((at + 20, at + 1180), (near, near + 1000), (low, top)) for near, top in tops]
            return 1250.0, [(box, between(0.96, 1.0)) for box in boxes]


def _hidden(random: Random, among: Sequence[Piece]) -> list[Piece]:
    """A parcel of other goods inside the load: its matter takes the place of what was there."""
    host = random.choice([piece for piece in among if isinstance(piece.shape, Box) and piece.fill > 0] or [among[0]])
    low, high = host.shape.span
    at = random.uniform(low, max(low, high - 400))
    if isinstance(host.shape, Box):
        (ya, yb), (za, zb) = host.shape.y, host.shape.z
    else:
        ya, yb, za, zb = MIDDLE_MM - 300, MIDDLE_MM + 300, BED_MM + 200, BED_MM + 700
    parcel = Box(
        (at, at + random.uniform(200, 390)),
        (max(ya, MIDDLE_MM - 300), min(yb, MIDDLE_MM + 300)),
        (za + 0.1 * (zb - za), za + 0.8 * (zb - za)),
    )
    material, fill = random.choice((("PE", 0.9), ("steel", 0.3), ("lead", 0.15), ("sugar", 1.0), ("tungsten", 0.08)))
    return [replace(Piece(parcel, host.material, -host.fill), part="cargo"), Piece(parcel, material, fill, "cargo")]
