"""The bodies that a lane speaks: view, passage, decision, refusal, advice, boom, alarm, answer."""

from decimal import Decimal
from typing import Literal

import msgspec

StepName = Literal["arrive", "identify", "weigh", "clear", "decide", "raise", "cross", "lower"]
StepResult = Literal["wait", "run", "ok", "fail"]
Verb = Literal["release", "hold", "inspect", "refuse", "confirm", "hold_open", "close", "lower", "lower_now"]
CheckName = Literal["plate", "tag", "trailer", "containers", "seal", "weight", "direction", "document"]
Consequence = Literal["retry", "correct", "inspect", "refuse"]
ModeName = Literal["shadow", "advisory", "live"]
BoomReport = Literal["down", "moving", "up", "fault", "unknown"]
Movement = Literal["raise", "lower"]


class Text(msgspec.Struct, frozen=True):
    """The same sentence in both languages."""

    zh: str
    en: str


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why the boom does not move, as a guard can read it aloud, and what clears it."""

    code: str
    say: Text
    remedy: Text
    clears: Literal["by itself", "operator", "customs", "inspector", "service"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the passage; `seconds` runs while `result` is run."""

    step: StepName
    result: StepResult
    seconds: float
    note: Text = Text("", "")


class WeightNow(msgspec.Struct, frozen=True, kw_only=True):
    """The weighbridge as the lane sees it. `at` is null when nothing was ever heard."""

    gross_kg: Decimal | None
    status: str
    settled_kg: Decimal | None
    uncertainty_kg: Decimal | None
    at: float | None
    fresh: bool
    by_axles: bool = False
    """The settled weight is a sum of axle loads, and the gross one a single axle's: no vehicle weighed at once."""


class ReadNow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing read of the truck that stands here."""

    what: Literal["plate", "trailer", "container", "seal", "tag", "card"]
    text: str
    """Of a card its last digits only."""
    confidence: float | None
    at: float
    source: str
    check: Literal["ok", "bad", "none"]
    """Check digit of a container code, or agreement of the tag with the plate."""


class InputNow(msgspec.Struct, frozen=True, kw_only=True):
    """One input as reported; null is not known."""

    value: bool | None
    at: float | None
    fresh: bool


class OrderNow(msgspec.Struct, frozen=True, kw_only=True):
    """The order that the lane holds."""

    id: str
    verb: Verb
    issuer: str
    persons: list[str]
    reason: Text
    expires_at: float
    declared_kg: Decimal | None = None
    tolerance_kg: Decimal | None = None


class LineNow(msgspec.Struct, frozen=True, kw_only=True):
    """One check of declared against seen."""

    check: CheckName
    declared: list[str]
    seen: list[str]
    found: Literal["same", "free", "unread", "differs"]
    """free: nothing is declared and nothing asked for."""
    reasons: list[Reason] = []
    by: str | None = None
    """The person who corrected what was seen."""
    leads: Consequence
    """What a failure of this check leads to here."""
    by_axles: bool = False
    """Of the weight: what was seen is a sum of axle loads."""


class LocalNow(msgspec.Struct, frozen=True, kw_only=True):
    """Customs is silent, and the site's rules stand in."""

    since: float
    rule: Literal["refuse", "operator", "known_empty"]


class SealNow(msgspec.Struct, frozen=True, kw_only=True):
    """One signature. Base64 of 64 bytes."""

    key: str
    signature: str


class AwaitsNow(msgspec.Struct, frozen=True, kw_only=True):
    """An order of one person that waits for a second one's signature over the same bytes."""

    order: str
    verb: Verb
    passage: str | None
    person: str
    reason: Text
    issued_at: float
    lapses_at: float
    until: float | None = None
    """End of a hold-open."""
    screen: str
    """Where the first person signed; the second signs elsewhere."""
    payload: str
    """Base64 of the bytes to be signed."""
    seals: list[SealNow]


class KeptNow(msgspec.Struct, frozen=True, kw_only=True):
    """The boom is held open."""

    order: str
    persons: list[str]
    reason: Text
    until: float
    passed: int
    """Vehicles counted under it."""


class VerdictNow(msgspec.Struct, frozen=True, kw_only=True):
    """What an inspector says of this truck's scan."""

    finding: Literal["clear", "suspect", "open", "again"]
    scan: str
    torn: bool
    persons: list[str]
    at: float


class ViewBody(msgspec.Struct, frozen=True, kw_only=True):
    """The whole lane."""

    state: str
    """A state of gateway_ctl.lane_state, in lower case."""
    passage: str | None
    opened_at: float | None
    steps: list[Step]
    weight: WeightNow
    reads: list[ReadNow]
    inputs: dict[str, InputNow]
    lamp: Literal["red", "green", "off", "unknown"]
    boom: BoomReport
    boom_at: float | None
    asked: Movement | None
    """The movement commanded and not yet confirmed."""
    order: OrderNow | None
    decision: Literal["none", "release", "hold", "inspect", "refuse", "override", "refused"]
    """`refused` is the interlock's own no to an order that would release."""
    reasons: list[Reason]
    clearance_up: bool
    clearance_since: float | None
    unsent: int
    """Records in the spool that the recorder has not confirmed."""
    passages_today: int
    refusals_today: int
    overrides_today: int
    mode: ModeName = "shadow"
    lines: list[LineNow] = []
    """Declared against seen, while a truck is here."""
    needs_scan: bool = False
    verdict: VerdictNow | None = None
    advised: str | None = None
    """The order of customs whose release waits for a person's signature here, in an advisory lane."""
    awaits: AwaitsNow | None = None
    kept: KeptNow | None = None
    local: LocalNow | None = None
    queue: int = 0
    """Reports that customs has not taken yet."""
    overrides_shift: int = 0
    shift_began: float | None = None
    picture: str = ""
    """SHA-256 of the picture that this view shows, hex: what a person's order rests on."""


class PassageBody(msgspec.Struct, frozen=True, kw_only=True):
    """A passage from the truck on the loop to the lane being empty again."""

    passage: str
    phase: Literal["opened", "closed"]
    outcome: Literal["open", "crossed", "left", "abandoned", "fault"]
    """crossed: under the boom; left: backed out; abandoned: the lane restarted under it; fault: the boom failed it."""
    direction: Literal["in", "out"]
    opened_at: float
    closed_at: float | None = None
    plate: str | None = None
    tags: list[str] = []
    containers: list[str] = []
    gross_kg: Decimal | None = None
    uncertainty_kg: Decimal | None = None
    by_axles: bool = False
    """The weight is a sum of axle loads."""
    order: str | None = None
    decision: str = "none"
    reasons: list[str] = []
    """Codes of every refusal during the passage, in order of first appearance."""
    steps: dict[StepName, float] = {}
    """Seconds each finished step took."""
    movements: list[Movement] = []
    alarms: list[str] = []
    mode: ModeName = "live"
    would: list[Movement] = []
    """What a lane in shadow would have moved, or an advisory one has advised."""
    by_hand: list[Movement] = []
    """What a human moved by the barrier's own operator."""


class DecisionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A permit was given."""

    passage: str | None
    order: str | None
    permit: str
    movement: Movement
    expires_at: float
    picture: str
    """Digest of the picture; the picture itself is in the lane's book."""
    mode: ModeName = "live"
    verb: Verb | None = None
    """Of the order; null for the lowering that follows a crossing."""
    persons: list[str] = []
    """Whoever signed it, where persons did."""
    reason: Text = Text("", "")


class RefusalBody(msgspec.Struct, frozen=True, kw_only=True):
    """No permit, and every reason why."""

    passage: str | None
    order: str | None
    movement: Movement
    reasons: list[Reason]
    picture: str


class BoomBody(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a movement."""

    passage: str | None
    permit: str
    movement: Movement
    phase: Literal["written", "read back", "confirmed", "not confirmed", "refused"]
    seconds: float
    note: str = ""


class AlarmBody(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that asks for a person."""

    alarm: str
    """Stable name of the condition: `<instrument>:<code>`."""
    active: bool
    priority: Literal[1, 2, 3]
    say: Text
    passage: str | None = None


class AcknowledgementBody(msgspec.Struct, frozen=True, kw_only=True):
    """A person has seen an alarm. `node` and `alarm` name it."""

    node: str
    alarm: str
    person: str


class AnchorBody(msgspec.Struct, frozen=True, kw_only=True):
    """How far a lane's book is. The signature is over `payload`; the fields beside it are for people."""

    entries: int
    head: str
    """Hash of the last entry, hex."""
    day: str
    why: Literal["start", "day", "end"]
    payload: str
    """Base64 of the signed bytes (gateway_ctl/anchor.py)."""
    signature: str
    """Base64 of 64 bytes."""


class AdviceBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a lane that does not move its boom by itself would have done or advises, and what a human did."""

    passage: str | None
    order: str | None
    mode: ModeName
    advice: Literal["would", "advised", "by hand"]
    movement: Movement
    reasons: list[Reason]
    """What the lane had against it at that moment."""
    agrees: bool | None
    """Of what was done by hand: whether the lane would have done it, too; null where nothing is said."""
    picture: str


class AnswerBody(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order, a verdict or a correction that came by the bus."""

    order: str
    accepted: bool
    reasons: list[Reason]
    awaits: bool = False
    """It waits for a second person's signature."""
