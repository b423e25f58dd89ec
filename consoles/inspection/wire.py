"""What the image review and its pages say to each other. The pages' types are generated from these classes.

Pixels are those of the full-resolution picture: x along the truck from the left, y downwards from the top. Instants are
site seconds since 1970 UTC; what is called `_s` is real seconds.
"""

from typing import Annotated, Literal

import msgspec

from consoles.wire import PassageRow
from telemetry.payloads.lane import LineNow, Text


class RemarkCard(msgspec.Struct, frozen=True, kw_only=True):
    """A flaw over `count` columns of the picture from `first`."""

    flaw: str
    first: int
    count: int
    energy: Literal["he", "le"] | None
    say: Text


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A scan as its file says; it never changes."""

    digest: str
    scanner: str
    started: float
    ended: float
    rows: int
    """Columns of the picture."""
    pixels: int
    """Rows of the picture."""
    x_mm: float
    y_mm: float
    """A pixel at the truck's middle plane, mean."""
    heights_mm: list[float]
    """Above the road, of every `height_step`-th row from the top, and of the last one."""
    height_step: int
    he_mev: float
    le_mev: float
    air: int
    """The value of a pixel behind nothing."""
    torn: bool
    remarks: list[RemarkCard]
    levels: int
    base_levels: list[int]
    tile: int
    passage: str
    plate: str
    containers: list[str]


class ProbeMaterial(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind a box, with what it is worth."""

    name: Text
    sure: float
    """0 to 1."""
    also: list[Text]
    """What looks the same from here."""
    z: float | None
    """Effective atomic number; null where no material is told."""
    z_sigma: float | None
    g_cm2: float
    g_cm2_sigma: float
    steel_mm: float
    """Steel that would hold back as much."""
    steel_sigma: float
    measured: bool
    """By curves fitted to this scanner's own steps; else by physics alone."""


class ProbeValue(msgspec.Struct, frozen=True, kw_only=True):
    """The archive's values under a box: means and spreads of the pixels where both energies were measured."""

    pixels: int
    of: int
    he: float | None
    le: float | None
    he_sigma: float | None
    le_sigma: float | None
    he_alpha: float | None
    """-ln of the HE transmission."""
    ratio: float | None
    """LE over HE of log-attenuations; null where there is next to nothing."""
    material: ProbeMaterial | None = None


Finding = Literal["clear", "suspect", "open", "again"]
ReviewRole = Literal["inspector", "supervisor"]


class Cells(msgspec.Struct, frozen=True, kw_only=True):
    """A grid over the picture, `size` pixels a cell; bit n (from the first byte's lowest) is row n // columns."""

    size: int
    columns: int
    rows: int
    load: str
    """Hexadecimal bits: cells in which anything stands. They must have been looked at before a scan can be clear."""


class Spot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was on the screen: the pixel in its middle, and screen pixels a pixel along the truck."""

    x: float
    y: float
    zoom: float


class Shown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it was shown (consoles/ui/src/xray-view.ts, Look)."""

    mode: Literal[0, 1, 2, 3, 4]
    """Grey, inverse, material, organic only, metal only."""
    energy: Literal[0, 1]
    logs: bool
    level: float
    width: float
    edge: float
    local: bool


class Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box that a person drew, in pixels."""

    name: Annotated[str, msgspec.Meta(max_length=8)]
    x: int
    y: int
    width: Annotated[int, msgspec.Meta(gt=0)]
    height: Annotated[int, msgspec.Meta(gt=0)]
    note: Annotated[str, msgspec.Meta(max_length=120)] = ""


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a review stands: all that a reload must bring back, and all that the verdict rests on."""

    spot: Spot
    shown: Shown
    marks: Annotated[list[Mark], msgspec.Meta(max_length=100)]
    seen: Annotated[str, msgspec.Meta(max_length=8192, pattern="^[0-9a-f]*$")]
    """Hexadecimal bits of the cells looked at, at `Review.clear_zoom` or closer."""
    spent_s: Annotated[float, msgspec.Meta(ge=0)]
    """Seconds with the picture before a person's eyes."""
    beside: str | None = None
    """Digest of the scan it is compared with."""


class Save(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft, and whether the person did anything since the last one."""

    draft: Draft
    active: bool


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """`yours`: whether the scan is still this person's; `left_s`: until it goes back to the pool by itself."""

    yours: bool
    left_s: float


class ReadLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something read of the truck in a lane."""

    what: str
    text: str
    confidence: float | None


class Papers(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the truck, as far as it is."""

    passage: str
    lane: str | None
    plate: str
    containers: list[str]
    goods: str
    """As declared; empty where no manifest is at hand."""
    hs: str
    declared_kg: float | None
    tolerance_kg: float | None
    gross_kg: float | None
    image_kg: float | None
    """The load's mass as the image has it."""
    image_sigma_kg: float | None
    targeted: Text | None
    reads: list[ReadLine]
    lines: list[LineNow]
    """Declared against seen, of every check, while the truck stands in a lane."""
    before: list[PassageRow]
    """Earlier passages of this plate, the newest first."""
    pictures: list[str]
    """Paths of lane pictures, the oldest first."""


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """Another scan that is worth a look beside this one."""

    digest: str
    started: float
    scanner: str
    containers: list[str]
    why: Literal["same container", "same scanner"]
    finding: Finding | None


class PlaceCard(msgspec.Struct, frozen=True, kw_only=True):
    """A box of the picture worth a look, in pixels from the left and the top."""

    x: int
    y: int
    width: int
    height: int
    size: float
    """What is there, in the finding's own measure."""


class FindingCard(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the system says itself: a number, its worth, a sentence. It is no verdict."""

    kind: Literal["mass", "three_way", "empty", "blind", "stripes", "lost_lines", "history", "difference"]
    value: float | None
    """null: it cannot be told; `say` has the reason."""
    sigma: float | None
    unit: str
    say: Text
    method: str
    places: list[PlaceCard]
    """The largest first."""


class Says(msgspec.Struct, frozen=True, kw_only=True):
    """What the system says of a scan."""

    findings: list[FindingCard]
    measured: bool
    """Materials by the scanner's own steps; else by physics alone."""


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """An exercise in a person's hand. Its card's digest is the exercise's name: no digest of any scan."""

    card: Card
    palette: str


class DrillAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person found in an exercise."""

    marks: Annotated[list[Mark], msgspec.Meta(max_length=100)]
    opened: bool
    """He would have it opened."""
    spent_s: Annotated[float, msgspec.Meta(ge=0)]


class RateCard(msgspec.Struct, frozen=True, kw_only=True):
    """So many of so many, with Wilson's interval at 95 %."""

    count: int
    of: int
    low: float
    high: float


class DrillTold(msgspec.Struct, frozen=True, kw_only=True):
    """What it was, and this person's score so far."""

    outcome: Literal["hit", "miss", "false_alarm", "rejected"]
    threat: str
    """Empty: there was none."""
    box: Mark | None
    hits: RateCard
    false_alarms: RateCard


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A scan in a person's hand."""

    number: int
    card: Card
    cells: Cells
    papers: Papers
    draft: Draft | None
    """What this person had, if he had it before."""
    lock_s: float
    left_s: float
    elapsed_s: float
    """Real seconds since it was handed out."""
    clear_zoom: float
    palette: str
    """Path of the table of colours."""
    measured: bool
    """That table is fitted to this scanner's own steps; else it is physics alone."""


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """How long a person has been reading without a rest, and after how long one is due."""

    reading_s: float
    due_s: float


class TaskRow(msgspec.Struct, frozen=True, kw_only=True):
    """A scan that is not done. `holder` and `reading` are for supervisors only."""

    number: int
    digest: str
    scanner: str
    containers: list[str]
    plate: str
    waits_s: float
    taken: bool
    torn: bool
    damaged: bool
    """Its file cannot be read: nobody gets it."""
    holder: str | None = None
    reading: int | None = None
    why: str = ""


class PersonTally(msgspec.Struct, frozen=True, kw_only=True):
    """A person's readings of the last twelve hours."""

    person: str
    readings: int
    clear: int
    open: int
    median_s: float
    twice: int
    agreed: int


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who sits here, and what there is to do."""

    person: str
    role: ReviewRole
    review: Review | None
    rest: Rest
    waiting: int
    """Scans that this person might read."""
    queue: list[TaskRow]
    tallies: list[PersonTally]
    """A supervisor's: everybody. An inspector's: his own."""


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person wants to take a seat."""

    person: str
    pin: str


class Judge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verdict, with the state of the review that it rests on."""

    finding: Finding
    pin: str
    draft: Draft
    note: Annotated[str, msgspec.Meta(max_length=120)] = ""


SaidKind = Literal[
    "done",
    "nothing",
    "wrong pin",
    "locked",
    "busy",
    "unknown person",
    "malformed",
    "not yours",
    "unknown scan",
    "torn",
    "unseen",
    "no book",
]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish, with the reason in words where it was not done."""

    kind: SaidKind
    say: Text | None = None
    wait_s: float | None = None
    left: int | None = None
    lanes: list[str] = []
    """Lanes that a verdict went to."""
