"""When is a weighing settled, how sure is it, may it be believed? Pure: fed with weights and beams, asked for a state.

Settled (after OIML R76: at most two adjacent values): for at least 1.5 s and 8 readings that came twice, without a gap,
no two of them further apart than one division, and with both beams at the deck's ends clear all that time. The result
is the value seen most; its uncertainty half a division for the rounding, and half of what the readings spread.

One odd reading in between (half a frame, swapped digits, a blank) is passed over; two in a row end the run. Whatever
comes late or not at all makes the settling wait: no state is reached by missing something.
"""

from dataclasses import dataclass
from decimal import Decimal

from drivers.readings import Instant, Quality
from drivers.weighbridge.reading import Weight

WINDOW_S = 1.5
"""Three periods of the slowest swing of a loaded deck (2 Hz)."""
WINDOW_READINGS = 8
"""At 5 readings a second the window's own; an indicator that speaks less often is listened to for longer."""
GAP_S = 1.0
"""Between two readings: a longer hole could hide a movement, a shorter one is shorter than any truck's."""
BEAMS_FRESH_S = 1.0
"""Ten polls of the contacts at the usual 0.1 s. Beams that have not been told for longer are not known."""
ZERO_KEPT_S = 5.0
"""The empty deck must have been seen at its zero so short a time before the load: a wheel that comes on slowly needs
two seconds, and what happens in a longer silence is not known."""
APPROACH_M = 6.5
"""From the beginning of the arrival loop to the rear beam: a loop of 6 m that ends half a metre before the deck."""
OVERHANG_M = 3.0
"""At most so much of a truck is behind its last axle: a number that stood still while more than that passed the rear
beam did not feel that axle."""
STILL_S = 0.8
"""Not judged by less than this: at driving speed the deck swings for longer."""
BRISK_S = 8.0
"""A truck that passed the rear beam within this did not stop in it."""
PAUSED = 3.5
"""A truck of 22 m takes this much longer for passing the beam than for the way from the loop; one that takes longer has
stopped in the beam and may have come to rest there: only a number that never moved is suspect then."""
LAG_S = 3.0
"""The load of a vehicle that was seen driving on is shown before this: what comes later is another's."""
CROSSING_S = 1.0
"""A person breaks a beam for less than this, a truck at walking pace for several seconds."""
PRESENCE_KG = Decimal(1000)
"""A vehicle is on the deck from here on: the lightest tractor is above 4 t, persons and mud are below."""
ZERO_DIVISIONS = 1
"""The indicator itself holds its zero within a quarter of a division; more than one falsifies by more than one."""
JUMP_DIVISIONS = 10
"""Above a driver who climbs down (100 kg are five divisions of 20 kg), below any fraud worth its risk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A weighing: the truth lies within `uncertainty_kg` of `kg`, as far as readings at rest can tell."""

    kg: Decimal
    uncertainty_kg: Decimal
    from_at: Instant
    to_at: Instant
    """The last reading that upholds it."""
    readings: int


@dataclass(frozen=True, slots=True)
class NotSettled:
    """Why there is no weighing yet."""

    why: str


class Settler:
    """The run of readings that agree with each other. Needs constant memory however long a truck stands."""

    def __init__(self, division_kg: Decimal) -> None:
        self._division_kg = division_kg
        self._counts: dict[Decimal, int] = {}
        self._from_at: Instant | None = None
        self._to_at: Instant | None = None
        self._heard_at: Instant | None = None
        self._odd = 0
        self._why = "no reading yet"

    def weight(self, weight: Weight) -> None:
        """One reading, in the order of the wire."""
        if self._heard_at is not None and weight.at - self._heard_at > GAP_S:
            self._restart(f"no reading for {weight.at - self._heard_at:.1f} s")
        self._heard_at = weight.at
        if weight.kg is None or not self._agrees(weight.kg):
            self._odd += 1
            if self._odd >= 2:
                self._restart(weight.why or "the load moves" if weight.kg is None else "the load moves")
        else:
            self._odd = 0
        if weight.kg is not None and weight.quality is Quality.GOOD and self._odd == 0:
            self._counts[weight.kg] = self._counts.get(weight.kg, 0) + 1
            self._why = ""
            self._from_at = weight.at if self._from_at is None else self._from_at
            self._to_at = weight.at

    def result(self, since: Instant | None = None) -> Settled | NotSettled:
        """What the run has come to; only its time from `since` on counts, when that is given."""
        if self._from_at is None or self._to_at is None:
            return NotSettled(self._why)
        from_at = self._from_at if since is None else max(self._from_at, since)
        readings = sum(self._counts.values())
        if self._to_at - from_at < WINDOW_S or readings < WINDOW_READINGS:
            return NotSettled(self._why or f"at rest for {max(0.0, self._to_at - from_at):.1f} s")
        spread_kg = max(self._counts) - min(self._counts)
        return Settled(
            kg=max(self._counts, key=lambda kg: self._counts[kg]),
            uncertainty_kg=(self._division_kg + spread_kg) / 2,
            from_at=from_at,
            to_at=self._to_at,
            readings=readings,
        )

    def _agrees(self, kg: Decimal) -> bool:
        return not self._counts or max(kg, *self._counts) - min(kg, *self._counts) <= self._division_kg

    def _restart(self, why: str) -> None:
        self._counts.clear()
        self._from_at = self._to_at = None
        self._odd = 0
        self._why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckState:
    """What the weighing has come to."""

    at: Instant
    """When this was so."""
    settled: Settled | None
    not_settled_why: str
    """Empty when it is settled."""
    zero_ok: bool | None
    """Whether the empty deck stood at zero before this truck, or stands there now; None: it was not seen at rest."""
    zero_kg: Decimal | None
    """What the empty deck showed."""
    frozen: bool
    """A vehicle came on to the deck and the number did not move."""
    jumped: bool
    """While nothing broke a beam the settled weight went to another place. Holds until the deck is empty."""
    half_on: bool | None
    """A beam at an end of the deck is broken; None: the beams are not known."""
    heard_at: Instant | None
    """The last reading of any kind."""


@dataclass(frozen=True, slots=True)
class _Zero:
    kg: Decimal
    at: Instant
    """When the deck was last seen to show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A vehicle drove on through the rear beam; its tail passed between `in_at` and `out_at`."""

    since: Instant
    """The first poll that showed the vehicle in the beam."""
    in_at: Instant
    """The last one that did."""
    out_at: Instant
    """The first one that did not."""
    passing_s: float
    """How long it was in the beam, at least."""
    approach_s: tuple[float, float] | None
    """How long it took from the loop to the beam, at least and at most; None: not seen."""
    approach_m: float

    def unfelt(self, still_from: Instant, tail_at: Instant) -> bool:
        """Whether a number that has not moved since `still_from` cannot have felt the whole vehicle."""
        passing_s = self.passing_s
        least_s, most_s = (0.0, passing_s) if self.approach_s is None else self.approach_s
        if passing_s > max(BRISK_S, PAUSED * most_s):
            return still_from <= self.since
        # Speed on the way from the loop; but who waited on the loop was faster afterwards.
        overhang_s = min(OVERHANG_M / self.approach_m * least_s, passing_s / (4 if passing_s <= BRISK_S else 3))
        return still_from <= tail_at - max(STILL_S, overhang_s)


class DeckWatch:
    """One deck. Fed with every reading and every poll of the contacts, each in its own order of time.

    The two come over different wires, one may lag behind the other: what a beam did is taken to have happened
    somewhere between the last poll that did not show it and the first that did, whichever is the more careful.
    """

    def __init__(
        self,
        *,
        division_kg: Decimal,
        presence_kg: Decimal = PRESENCE_KG,
        zero_divisions: int = ZERO_DIVISIONS,
        approach_m: float = APPROACH_M,
    ) -> None:
        """`approach_m`: from the beginning of the arrival loop to the rear beam."""
        self._division_kg = division_kg
        self._presence_kg = presence_kg
        self._zero_within_kg = zero_divisions * division_kg
        self._jump_kg = JUMP_DIVISIONS * division_kg
        self._settler = Settler(division_kg)
        self._rear: bool | None = None
        self._front: bool | None = None
        self._told_at: Instant | None = None
        self._clear_since: Instant | None = None
        self._approach_m = approach_m
        self._loop_free_at: Instant | None = None
        self._loop_since: Instant | None = None
        self._approach_s: tuple[float, float] | None = None
        self._passing_s = 0.0
        self._told_before: Instant | None = None
        self._heard_before: Instant | None = None
        self._rear_clear_at: Instant | None = None
        self._rear_since: Instant | None = None
        self._rear_broken_at: Instant | None = None
        self._by_loop = False
        self._entry: _Entry | None = None
        self._heard_at: Instant | None = None
        self._number: Decimal | None = None
        self._still_from: Instant | None = None
        self._still_seen: Instant | None = None
        self._heavy = False
        self._side: bool | None = None
        self._heavy_since: Instant | None = None
        self._left = False
        self._zero: _Zero | None = None
        self._zero_before: _Zero | None = None
        self._base_kg: Decimal | None = None
        self._jumped = False

    def weight(self, weight: Weight) -> None:
        """One reading."""
        if self._heard_at != weight.at:
            self._heard_before, self._heard_at = self._heard_at, weight.at
        if weight.kg != self._number or self._still_seen is None:
            # A bundle of readings has one stamp: the first of them may be as old as the bundle before it.
            self._number, self._still_seen = weight.kg, weight.at
            self._still_from = weight.at if self._heard_before is None else self._heard_before
        self._settler.weight(weight)
        if weight.kg is not None:
            self._load(weight.kg, weight.at)
        self._look_for_zero()
        self._look_for_jump()

    def beams(self, *, rear: bool | None, front: bool | None, arrival: bool | None, at: Instant) -> None:
        """One poll: the beams at the entry's end and at the exit's, the arrival loop; None is not known."""
        if self._told_at != at:
            self._told_before = self._told_at
        before = at if self._told_before is None else self._told_before
        if rear:
            if self._rear_since is None:
                self._rear_since, self._approach_s = at, self._approach(at)
            self._rear_broken_at = at
            self._passing_s = max(0.0, before - self._rear_since)
            self._by_loop = self._by_loop or arrival is not False
        elif rear is False:
            if self._rear_since is not None and self._rear_broken_at is not None:
                entry = _Entry(
                    since=self._rear_since,
                    in_at=self._rear_broken_at,
                    out_at=at,
                    passing_s=self._passing_s,
                    approach_s=self._approach_s,
                    approach_m=self._approach_m,
                )
                self._tail_passed(entry, arrival=arrival)
            self._rear_clear_at, self._rear_since, self._rear_broken_at, self._by_loop = before, None, None, False
        if arrival is False:
            self._loop_free_at, self._loop_since = before, None
        elif arrival and self._loop_since is None:
            self._loop_since = at
        if rear or front:
            # Something moves at an end of the deck: a load that changes now has not jumped.
            self._base_kg = None
        if rear is False and front is False:
            self._clear_since = at if self._clear_since is None else self._clear_since
        elif rear or front:
            self._clear_since = None
        if self._front and front is False:
            self._left = True
            self._entry = self._entry if self._heavy else None
        self._rear, self._front, self._told_at = rear, front, at

    def state(self, now: Instant) -> DeckState:
        """As things stand at `now`. A settled weight may be older than that: compare its `to_at`."""
        known = self._beams_known(now)
        outcome = self._outcome(known=known)
        zero = self._zero_before if self._heavy else self._recent_zero(now)
        return DeckState(
            at=now,
            settled=outcome if isinstance(outcome, Settled) else None,
            not_settled_why="" if isinstance(outcome, Settled) else outcome.why,
            zero_ok=None if zero is None else abs(zero.kg) <= self._zero_within_kg,
            zero_kg=None if zero is None else zero.kg,
            frozen=self._frozen(),
            jumped=self._jumped,
            half_on=bool(self._rear or self._front) if known else None,
            heard_at=self._heard_at,
        )

    def _outcome(self, *, known: bool) -> Settled | NotSettled:
        if not known:
            return NotSettled("the beams at the deck's ends are not known")
        if self._rear or self._front or self._clear_since is None:
            return NotSettled("a beam at an end of the deck is broken")
        if not self._heavy and not self._frozen():
            return NotSettled("the deck is empty")
        if self._entry is None:
            return NotSettled("no vehicle was seen driving on")
        if self._still_from is not None and self._entry.unfelt(self._still_from, self._entry.out_at):
            return NotSettled("the number was not seen to move while the vehicle came on")
        return self._settler.result(self._clear_since)

    def _approach(self, at: Instant) -> tuple[float, float] | None:
        if self._loop_since is None or self._loop_free_at is None or self._rear_clear_at is None:
            return None
        return max(0.0, self._rear_clear_at - self._loop_since), at - self._loop_free_at

    def _beams_known(self, now: Instant) -> bool:
        told = self._rear is not None and self._front is not None and self._told_at is not None
        return told and now - (self._told_at or now) <= BEAMS_FRESH_S

    def _load(self, kg: Decimal, at: Instant) -> None:
        """While the deck swings no number comes twice: two in a row on the same side of presence are enough."""
        heavy = kg >= self._presence_kg
        again, self._side = heavy is self._side, heavy
        if not again:
            return
        if heavy and not self._heavy:
            self._zero_before, self._heavy_since = self._recent_zero(at), at
            if self._entry is not None and at - self._entry.out_at > LAG_S:
                self._entry = None
        if not heavy:
            self._base_kg, self._jumped = None, False
        self._heavy = heavy

    def _recent_zero(self, at: Instant) -> _Zero | None:
        return self._zero if self._zero is not None and at - self._zero.at <= ZERO_KEPT_S else None

    def _look_for_zero(self) -> None:
        """A light deck at rest. With a beam broken only a number near zero says that nothing stands on it."""
        if self._heavy:
            self._zero = None
            return
        zero, number, heard_at = self._zero, self._number, self._heard_at
        if zero and number is not None and heard_at is not None and abs(number - zero.kg) <= self._division_kg:
            self._zero = _Zero(zero.kg, heard_at)
        rest = self._settler.result()
        if isinstance(rest, Settled) and rest.kg < self._presence_kg:
            clear = self._rear is False and self._front is False
            if clear or abs(rest.kg) <= self._zero_within_kg:
                self._zero = _Zero(rest.kg, rest.to_at)

    def _look_for_jump(self) -> None:
        if not self._heavy or self._heard_at is None:
            return
        outcome = self._outcome(known=self._beams_known(self._heard_at))
        if not isinstance(outcome, Settled):
            return
        self._base_kg = outcome.kg if self._base_kg is None else self._base_kg
        self._jumped = self._jumped or abs(outcome.kg - self._base_kg) > self._jump_kg

    def _tail_passed(self, entry: _Entry, *, arrival: bool | None) -> None:
        """The rear beam has cleared: a vehicle drove on, or backed out, or moved a little, or a person went by."""
        if self._rear_clear_at is not None and entry.out_at - self._rear_clear_at < CROSSING_S:
            return
        if not self._heavy:
            # No load is shown, yet or ever: over the arrival loop and away from it is on to the deck.
            self._entry = entry if self._by_loop and not arrival else None
        elif self._heavy_since is not None and self._heavy_since >= entry.since - LAG_S:
            self._entry = entry
        elif arrival:
            self._entry = None
        elif self._entry is None or self._left:
            self._entry = entry
        else:
            return  # what stood there before moved back and forth
        self._left = False

    def _frozen(self) -> bool:
        if self._entry is None or self._still_seen is None or self._heard_at is None:
            return False
        in_at = self._entry.in_at
        return self._heard_at >= in_at + STILL_S and self._entry.unfelt(self._still_seen, in_at)
