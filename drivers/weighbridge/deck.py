"""What stands on the deck, and may its weight be believed? Pure: fed with weights and beams, asked for a state.

A weight settles only while both beams at the deck's ends are clear (settle.py). Whatever comes late or not at all makes
it wait: no state is reached by missing something.
"""

from dataclasses import dataclass
from decimal import Decimal

from drivers.readings import Instant
from drivers.weighbridge.doubts import Creep, Doubt, Fitness, Second
from drivers.weighbridge.reading import Weight
from drivers.weighbridge.settle import NotSettled, Settled, Settler
from drivers.weighbridge.zero import ZeroHistory, ZeroTrend

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
    doubts: tuple[Doubt, ...] = ()
    """What else stands against this weighing (doubts.py)."""
    zero_trend: ZeroTrend | None = None
    """Where the empty deck stood before the last trucks."""
    loads: tuple[Settled, ...] = ()
    """Axle by axle (axles.py): what the sum is made of, so far."""


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
        fitness: Fitness | None = None,
    ) -> None:
        """`approach_m`: from the beginning of the arrival loop to the rear beam."""
        self._fitness = Fitness() if fitness is None else fitness
        self._serial: str | None = None
        self._calibrations: int | None = None
        self._tared = False
        self._creep = Creep(division_kg)
        self._second = Second(presence_kg)
        self._zeros = ZeroHistory(division_kg)
        self._seen_empty = False
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
        self._tared = weight.tare_on is True
        if weight.kg is not None:
            self._load(weight.kg, weight.at)
        self._look_for_zero()
        self._look_for_jump()

    def plate(self, serial: str | None = None, calibrations: int | None = None) -> None:
        """What the indicator tells of itself."""
        self._serial = self._serial if serial is None else serial
        self._calibrations = self._calibrations if calibrations is None else calibrations

    def beams(self, *, rear: bool | None, front: bool | None, arrival: bool | None, at: Instant) -> None:
        """One poll: the beams at the entry's end and at the exit's, the arrival loop; None is not known."""
        if self._told_at != at:
            self._told_before = self._told_at
        before = at if self._told_before is None else self._told_before
        if rear:
            if self._rear_since is None:
                self._rear_since, self._approach_s = at, self._approach(at)
                self._look_for_second()
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
            self._creep.moved()
        if rear is False and front is False:
            self._clear_since = at if self._clear_since is None else self._clear_since
        elif rear or front:
            self._clear_since = None
        if self._front and front is False:
            self._left = True
            self._second.left()
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
            doubts=self._doubts(now, known=known),
            zero_trend=self._zeros.trend(),
        )

    def _doubts(self, now: Instant, *, known: bool) -> tuple[Doubt, ...]:
        heard: tuple[tuple[Doubt, bool], ...] = (
            ("tared", self._tared),
            ("drifting", self._creep.drifting),
            ("two trucks", self._second.two),
            ("load unseen", known and self._unseen()),
        )
        found: list[Doubt] = []
        for doubt, holds in heard:
            if holds:
                found.append(doubt)
        return (*found, *self._fitness.doubts(self._serial, self._calibrations, now))

    def _unseen(self) -> bool:
        """The deck was seen empty, now it is heavy, and no beam was broken since before the load came."""
        since, clear = self._heavy_since, self._clear_since
        if not self._heavy or not self._seen_empty or since is None or clear is None or self._heard_at is None:
            return False
        return self._entry is None and clear <= since and self._heard_at - since >= LAG_S

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
            if self._zero_before is not None:
                self._zeros.seen(self._zero_before.kg, at)
                self._seen_empty = True
            if self._entry is not None and at - self._entry.out_at > LAG_S:
                self._entry = None
        if not heavy:
            self._base_kg, self._jumped = None, False
            self._creep.emptied()
            self._second.left()
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
        self._creep.settled(outcome.kg)
        self._second.settled(outcome.kg)

    def _look_for_second(self) -> None:
        """Another vehicle: the arrival loop became free behind the first one before it was taken again."""
        entry, loop = self._entry, self._loop_since
        if self._heavy and entry is not None and not self._left and loop is not None and loop >= entry.out_at:
            self._second.comes(self._number)

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
