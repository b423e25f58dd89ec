"""What can go wrong with a truck's visit, and which ends of the visit are then in order.

A mishap belongs to one truck. The day's plan deals them out by seed; the port undoes each when its truck has gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any, cast


class Happened(StrEnum):
    """What a truck did, seen by somebody standing beside the lane."""

    CROSSED = "crossed"
    BACKED_OUT = "backed_out"
    TAILGATED = "tailgated"
    """Went under the boom that stood open for the truck before it."""
    NEVER_ENTERED = "never_entered"


class Expected(StrEnum):
    """The class of outcome that a right lane gives."""

    CROSSED = "crossed"
    NOT_OPENED = "not_opened"
    CROSSED_WITH_ALARM = "crossed_with_alarm"
    NOT_OPENED_WITH_ALARM = "not_opened_with_alarm"
    EITHER = "either"
    """The lane may open when it has all it needs, and may as well refuse."""
    TAILGATER = "tailgater"
    """It goes under the boom that stands open for another, or is stopped by it; the lane must say so if it does."""


ALLOWED: dict[Expected, frozenset[Happened]] = {
    Expected.CROSSED: frozenset({Happened.CROSSED}),
    Expected.NOT_OPENED: frozenset({Happened.BACKED_OUT}),
    Expected.CROSSED_WITH_ALARM: frozenset({Happened.CROSSED}),
    Expected.NOT_OPENED_WITH_ALARM: frozenset({Happened.BACKED_OUT}),
    Expected.EITHER: frozenset({Happened.CROSSED, Happened.BACKED_OUT}),
    Expected.TAILGATER: frozenset(Happened),
}


class Kind(StrEnum):
    """Everything that the simulated port knows how to do wrong."""

    FROZEN_SCALE = "frozen_scale"
    SCALE_DRIFT = "scale_drift"
    GARBAGE_BYTES = "garbage_bytes"
    DROPPED_CONNECTION = "dropped_connection"
    STUCK_LOOP = "stuck_loop"
    LATE_BOOM = "late_boom"
    BOOM_NEVER_ARRIVES = "boom_never_arrives"
    TAILGATING = "tailgating"
    HALF_ON_DECK = "half_on_deck"
    OTHER_TAG = "other_tag"
    MISREAD = "misread"
    EXPIRED_ORDER = "expired_order"
    FORGED_ORDER = "forged_order"
    UNKNOWN_KEY = "unknown_key"
    OTHER_LANE_ORDER = "other_lane_order"
    OTHER_PASSAGE_ORDER = "other_passage_order"
    REPLAYED_ORDER = "replayed_order"
    CLEARANCE_SILENT = "clearance_silent"
    CLEARANCE_LATE = "clearance_late"
    CLEARANCE_MALFORMED = "clearance_malformed"
    CLEARANCE_ERROR = "clearance_error"
    HOLD = "hold"
    INSPECT = "inspect"
    REFUSE = "refuse"
    WEIGHT_MISMATCH = "weight_mismatch"


EXPECTED: dict[Kind, Expected] = {
    Kind.FROZEN_SCALE: Expected.NOT_OPENED,
    Kind.SCALE_DRIFT: Expected.NOT_OPENED,
    Kind.GARBAGE_BYTES: Expected.EITHER,
    Kind.DROPPED_CONNECTION: Expected.EITHER,
    Kind.STUCK_LOOP: Expected.EITHER,
    Kind.LATE_BOOM: Expected.EITHER,
    Kind.BOOM_NEVER_ARRIVES: Expected.NOT_OPENED_WITH_ALARM,
    Kind.TAILGATING: Expected.CROSSED_WITH_ALARM,
    Kind.HALF_ON_DECK: Expected.NOT_OPENED,
    Kind.OTHER_TAG: Expected.NOT_OPENED,
    Kind.MISREAD: Expected.EITHER,
    Kind.EXPIRED_ORDER: Expected.NOT_OPENED,
    Kind.FORGED_ORDER: Expected.NOT_OPENED,
    Kind.UNKNOWN_KEY: Expected.NOT_OPENED,
    Kind.OTHER_LANE_ORDER: Expected.NOT_OPENED,
    Kind.OTHER_PASSAGE_ORDER: Expected.NOT_OPENED,
    Kind.REPLAYED_ORDER: Expected.NOT_OPENED,
    Kind.CLEARANCE_SILENT: Expected.NOT_OPENED,
    Kind.CLEARANCE_LATE: Expected.EITHER,
    Kind.CLEARANCE_MALFORMED: Expected.NOT_OPENED,
    Kind.CLEARANCE_ERROR: Expected.NOT_OPENED,
    Kind.HOLD: Expected.NOT_OPENED,
    Kind.INSPECT: Expected.NOT_OPENED,
    Kind.REFUSE: Expected.NOT_OPENED,
    Kind.WEIGHT_MISMATCH: Expected.NOT_OPENED,
}

VARIANTS: dict[Kind, tuple[str, ...]] = {
    Kind.FROZEN_SCALE: ("empty", "midway"),
    Kind.SCALE_DRIFT: ("creep", "zero"),
    Kind.GARBAGE_BYTES: ("noise", "noise", "swapped"),
    Kind.BOOM_NEVER_ARRIVES: ("stall", "dead"),
    Kind.DROPPED_CONNECTION: ("weighbridge", "io"),
    Kind.STUCK_LOOP: ("loop_arrival", "loop_boom"),
    Kind.TAILGATING: ("close", "close", "wide"),
    Kind.HALF_ON_DECK: ("rear", "rear", "front"),
    Kind.MISREAD: ("plate", "container"),
    Kind.CLEARANCE_ERROR: ("500",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """One kind, with the knob that belongs to it."""

    kind: Kind
    variant: str = ""

    @property
    def expected(self) -> Expected:
        """The outcome a right lane gives."""
        return EXPECTED[self.kind]

    def as_json(self) -> dict[str, str]:
        """For the truth file."""
        return {"kind": self.kind.value, "variant": self.variant}


def mishap(kind: Kind, rng: Random, variant: str = "") -> Mishap:
    """A mishap with a variant drawn when none is named. Raises ValueError for a variant the kind does not have."""
    known = VARIANTS.get(kind, ())
    if variant and variant not in known:
        raise ValueError(f"{kind.value} has no variant {variant!r}, but {sorted(set(known))}")
    return Mishap(kind=kind, variant=variant or (rng.choice(known) if known else ""))


SCALE_LIES: frozenset[Kind] = frozenset({Kind.FROZEN_SCALE, Kind.SCALE_DRIFT})
"""With these the indicator does not show what stands on the deck."""


class Deal:
    """Which truck gets which mishap.

    `mix` is a share 0..1 over all kinds; or {"share": .., "kinds": [..]}; or a list of {"truck": n, "kind": ..,
    "variant": ..} (trucks counted from 0). With a share, kinds come from a shuffled bag, so that a day shows as many
    kinds as it can.
    """

    def __init__(self, mix: object, rng: Random) -> None:
        self._rng = rng
        self._share = 0.0
        self._kinds: tuple[Kind, ...] = tuple(Kind)
        self._named: dict[int, Mishap] = {}
        self._bag: list[Kind] = []
        if mix is None:
            return
        if isinstance(mix, (int, float)):
            self._share = float(mix)
        elif isinstance(mix, dict):
            told = cast("dict[str, Any]", mix)
            self._share = float(told.get("share", 0.0))
            self._kinds = tuple(Kind(name) for name in told.get("kinds", [k.value for k in Kind]))
        else:
            for told in cast("Sequence[dict[str, Any]]", mix):
                self._named[int(told["truck"])] = mishap(Kind(told["kind"]), rng, str(told.get("variant", "")))
        if not 0.0 <= self._share <= 1.0:
            raise ValueError(f"a share of faults lies between 0 and 1, not at {self._share}")

    def for_truck(self, number: int) -> Mishap | None:
        """The mishap of truck `number`; to be asked once a truck, in order."""
        if number in self._named:
            return self._named[number]
        if self._rng.random() >= self._share or not self._kinds:
            return None
        if not self._bag:
            self._bag = list(self._kinds)
            self._rng.shuffle(self._bag)
        return mishap(self._bag.pop(), self._rng)
