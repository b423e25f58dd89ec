"""What the console's server and its pages say to each other. The pages' types are generated from these classes.

Live values: one WebSocket a page, `Hello` once, then `Patch` after `Patch`. Commands: POST `Command`, answered by
`Outcome`.
All instants are site seconds since 1970 UTC; `now` in every message lets the page know what site time it is.
"""

from typing import Literal

import msgspec

from telemetry.payloads.fix import FixBody
from telemetry.payloads.health import HealthBody
from telemetry.payloads.lane import Reason, Text, ViewBody
from telemetry.payloads.node import BirthBody
from telemetry.payloads.weight import WeightBody

ShapeKind = Literal["quay", "yard", "road", "building", "lane", "fence", "route"]
EventKind = Literal["refusal", "override", "boom", "alarm", "passage", "answer", "zone", "sealing"]
Priority = Literal[1, 2, 3]
WhyCode = Literal["papers", "misread", "tag", "customs_phone", "clearance_down", "stopped_under", "test", "other"]
CommandVerb = Literal["release", "lower", "lower_now", "hold_open", "close", "confirm"]
OutcomeKind = Literal[
    "accepted",
    "awaits",
    "refused",
    "no answer",
    "wrong pin",
    "locked",
    "busy",
    "unknown person",
    "stale",
    "no bus",
    "malformed",
    "same screen",
    "lapsed",
]
TrendName = Literal["trucks", "weight", "seconds"]


class SiteCard(msgspec.Struct, frozen=True, kw_only=True):
    """Which port this is."""

    id: str
    zh: str
    en: str


class LaneCard(msgspec.Struct, frozen=True, kw_only=True):
    """A lane's name; `max_kg` bounds the weight's picture, `division_kg` its last digit."""

    id: str
    zh: str
    en: str
    direction: Literal["in", "out"]
    max_kg: float
    division_kg: float


class PersonCard(msgspec.Struct, frozen=True, kw_only=True):
    """Who may sign an order here. The sealed key stays on the server."""

    id: str
    zh: str
    en: str
    role: Literal["operator", "supervisor", "inspector"]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One line or area of the site's drawing, metres east and north of its origin."""

    kind: ShapeKind
    zh: str
    en: str
    points: list[tuple[float, float]]


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """A reason that a person may give for an order."""

    code: WhyCode
    say: Text


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="hello"):
    """First message: what does not change while the server lives."""

    build: str
    """Digest of the pages the server has; another one than the page's own means that the page is old."""
    now: float
    speed: float
    """Site seconds per real second."""
    site: SiteCard
    lanes: list[LaneCard]
    persons: list[PersonCard]
    whys: list[Why]
    drawing: list[Shape]
    review: bool
    """Whether there is an image review here."""
    stale_after: dict[str, float]
    """Word of the topics table to the age in site seconds after which it is not shown as true."""


class ViewNow(msgspec.Struct, frozen=True, kw_only=True):
    """A lane's newest view."""

    at: float
    body: ViewBody


class WeightLive(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator's newest sample."""

    at: float
    body: WeightBody


class HealthNow(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument's newest health; `words_per_s` from the last two, null with fewer or after a restart."""

    node: str
    instrument: str
    at: float
    words_per_s: float | None
    body: HealthBody


class FixNow(msgspec.Struct, frozen=True, kw_only=True):
    """A tracker's newest fix and where it was before, oldest first, metres."""

    at: float
    body: FixBody
    trail: list[tuple[float, float]]


class NodeNow(msgspec.Struct, frozen=True, kw_only=True):
    """A process on the bus."""

    online: bool | None
    at: float
    birth: BirthBody | None


class AlarmNow(msgspec.Struct, frozen=True, kw_only=True):
    """A condition and when it last changed."""

    node: str
    alarm: str
    at: float
    active: bool
    priority: Priority
    say: Text
    passage: str | None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went otherwise than well, in the order it became known."""

    id: str
    at: float
    node: str
    kind: EventKind
    priority: Priority
    say: list[Text]
    passage: str | None
    historical: bool


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Rolling numbers of the whole site."""

    trucks_1h: int
    """Passages that ended under the boom within the last hour."""
    alarms_10min: int
    """Alarms that came within the last ten minutes."""


class DeskNow(msgspec.Struct, frozen=True, kw_only=True):
    """What all pages of the review may know: that something has changed, and how much waits."""

    revision: int
    waiting: int
    taken: int
    scanning: list[str]
    """Scanners under whose beam a truck is passing now."""


class Values(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Newest values by key. In a patch only what changed; lane id, tracker id or `node/instrument` is the key."""

    views: dict[str, ViewNow] = {}
    weights: dict[str, WeightLive] = {}
    health: dict[str, HealthNow] = {}
    nodes: dict[str, NodeNow] = {}
    fixes: dict[str, FixNow] = {}
    alarms: dict[str, AlarmNow] = {}
    events: list[Event] = []
    counts: Counts | None = None
    desk: DeskNow | None = None


class Patch(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="patch"):
    """What changed since the last message; with `whole`, everything: forget what was known."""

    now: float
    bus: bool
    """Whether the server hears the broker."""
    whole: bool
    set: Values


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person orders. The reason is one of the list; `other` wants words in `note`."""

    verb: CommandVerb
    passage: str | None
    """The passage that the person saw; the order is bound to it."""
    person: str
    pin: str
    reason: WhyCode
    note: str = ""
    screen: str = ""
    """Of the page that the person signs on; a second person signs on another one."""
    minutes: float | None = None
    """hold_open only: for how long."""


class Countersign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A second person's signature under an order that waits for it: the same bytes, on another screen."""

    order: str
    person: str
    pin: str
    screen: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command."""

    kind: OutcomeKind
    order: str | None = None
    reasons: list[Reason] = []
    """The lane's own, when it refused."""
    wait_s: float | None = None
    """For `locked`: real seconds until this person may try again."""
    left: int | None = None
    """For `wrong pin`: tries left."""


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """A line to draw: null is a gap, not a zero."""

    name: TrendName
    lane: str | None
    unit: str
    start: float
    end: float
    """The window that was asked for, whatever of it is known."""
    at: list[float]
    value: list[float | None]


class PassageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A passage as it is recorded."""

    passage: str
    lane: str
    opened_at: float
    closed_at: float | None
    outcome: Literal["open", "crossed", "left", "abandoned", "fault"]
    plate: str | None
    gross_kg: float | None
    decision: str
    reasons: list[str]
    seconds: float | None


class ConsoleHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the console's server itself is."""

    bus: bool
    pages: int
    """Open WebSockets."""
    lanes: dict[str, float | None]
    """Age of each lane's newest view, site seconds; null when none was ever heard."""
    garbage: int
    """Messages on the bus that were none of ours or broken."""
    dropped: int
    """Values for which there was no room."""
