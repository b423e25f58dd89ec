"""Axle by axle over a short deck: each axle comes to rest on it, and the loads are summed. Pure.

In the direction of travel: arrival loop; rear beam and wheel sensor `in`, both farther before the deck than any tail
hangs over its last axle; wheel sensor `on` at the deck's near edge, the deck, wheel sensor `out` at its far edge; front
beam; a truck's length of level road before the boom.

    coming    the rear beam is broken, or the arrival loop taken: more axles may follow
    stop      a load at rest, no wheel on an edge of the deck, and every axle that was weighed before has passed out
    weighed   a stop's load has left; it was one axle when one wheel passes out before the next stop
    whole     the tail is past the rear beam, so every axle has passed in; the loop is free, the last stop is at rest,
              and the axles that came in are those in the sum

Wheels are counted by contacts, loads by the weighbridge, over two wires: the counts are compared only while a load is
at rest, when both have arrived. Whatever does not agree (an axle that did not stop, one that rolled back, a sensor that
missed one) makes the sum refuse itself until the vehicle has gone. The sum is no weighing of a vehicle: OIML R 134
calls it one only where the instrument and its approaches are certified for it, so it carries its own doubt, `by axles`.
"""

from decimal import Decimal
from typing import Final

from drivers.readings import Instant
from drivers.weighbridge.deck import (
    BEAMS_FRESH_S,
    JUMP_DIVISIONS,
    LAG_S,
    ZERO_DIVISIONS,
    ZERO_KEPT_S,
    DeckState,
)
from drivers.weighbridge.doubts import Creep, Doubt, Fitness
from drivers.weighbridge.reading import Weight
from drivers.weighbridge.settle import NotSettled, Settled, Settler
from drivers.weighbridge.zero import ZeroHistory

AXLE_KG: Final = Decimal(500)
"""An axle is on the deck from here on: the lightest of an empty trailer is above 700 kg, a person and mud are below."""
FEWEST_AXLES: Final = 2
GONE_S: Final = 1.5
"""Nobody is here when beams, loop and deck have been clear for so long: longer than the gap before a trailer."""


class AxleWatch:
    """One short deck. Fed with every reading and every poll of the contacts, each in its own order of time."""

    def __init__(
        self,
        *,
        division_kg: Decimal,
        axle_kg: Decimal = AXLE_KG,
        zero_divisions: int = ZERO_DIVISIONS,
        fitness: Fitness | None = None,
    ) -> None:
        self._fitness = Fitness() if fitness is None else fitness
        self._serial: str | None = None
        self._calibrations: int | None = None
        self._axle_kg = axle_kg
        self._division_kg = division_kg
        self._zero_within_kg = zero_divisions * division_kg
        self._jump_kg = JUMP_DIVISIONS * division_kg
        self._settler = Settler(division_kg)
        self._creep = Creep(division_kg)
        self._zeros = ZeroHistory(division_kg)
        self._tared = False
        self._heard_at: Instant | None = None
        self._number: Decimal | None = None
        self._still_since: Instant | None = None
        self._heavy = False
        self._side: bool | None = None
        self._heavy_since: Instant | None = None
        self._zero: tuple[Decimal, Instant] | None = None
        self._zero_before: Decimal | None = None
        self._rear: bool | None = None
        self._front: bool | None = None
        self._arrival: bool | None = None
        self._told_at: Instant | None = None
        self._wheels: tuple[bool | None, bool | None, bool | None] = (None, None, None)
        self._wheels_at: Instant | None = None
        self._edge_at: Instant | None = None
        """When a wheel stood on an edge of the deck last, or nobody knew."""
        self._passed_since: Instant | None = None
        """Since when the tail is past the rear beam and the arrival loop is free."""
        self._clear_since: Instant | None = None
        self._vehicle = False
        self._ins = self._ons = self._outs = 0
        self._on_times: list[Instant] = []
        self._stuck = False
        self._weighed: list[Settled] = []
        self._stop: Settled | None = None
        self._rested: Decimal | None = None
        self._rested_counts = (0, 0)
        self._fault = ""
        self._jumped = False

    def weight(self, weight: Weight) -> None:
        """One reading."""
        self._heard_at = weight.at
        if weight.kg != self._number or self._still_since is None:
            self._number, self._still_since = weight.kg, weight.at
        self._settler.weight(weight)
        self._tared = weight.tare_on is True
        if weight.kg is not None:
            self._load(weight.kg, weight.at)
        if self._heavy:
            self._look_for_rest()
        else:
            self._look_for_zero(weight.at)

    def plate(self, serial: str | None = None, calibrations: int | None = None) -> None:
        """What the indicator tells of itself."""
        self._serial = self._serial if serial is None else serial
        self._calibrations = self._calibrations if calibrations is None else calibrations

    def wheels(self, *, axle_in: bool | None, axle_on: bool | None, axle_out: bool | None, at: Instant) -> None:
        """One poll of the wheel sensors, after its beams: who breaks the rear beam is the one whose wheels are counted.

        None is not known.
        """
        before = self._wheels
        self._wheels, self._wheels_at = (axle_in, axle_on, axle_out), at
        if axle_on is not False or axle_out is not False:
            self._edge_at = at
        if not self._vehicle:
            return
        came, stepped, went = (bool(now and not then) for now, then in zip(self._wheels, before, strict=True))
        self._ins, self._ons, self._outs = self._ins + came, self._ons + stepped, self._outs + went
        if stepped:
            self._on_times.append(at)
        if went:
            self._went_out()

    def beams(self, *, rear: bool | None, front: bool | None, arrival: bool | None, at: Instant) -> None:
        """One poll: the beam before the deck, the one behind it, the arrival loop; None is not known."""
        if rear and not self._rear:
            self._rear_breaks()
        self._rear, self._front, self._arrival, self._told_at = rear, front, arrival, at
        passed = rear is False and arrival is False
        self._passed_since = (self._passed_since or at) if passed else None
        nobody = passed and front is False and not self._heavy
        self._clear_since = (self._clear_since or at) if nobody else None
        if self._vehicle and self._clear_since is not None and at - self._clear_since >= GONE_S:
            self._begin(vehicle=False)

    def state(self, now: Instant) -> DeckState:
        """As things stand at `now`. A settled sum may be older than that: compare its `to_at`."""
        known = self._contacts_known(now)
        outcome = self._sum(known=known)
        zero = self._zero_before if self._vehicle and (self._weighed or self._heavy) else self._recent_zero(now)
        return DeckState(
            at=now,
            settled=outcome if isinstance(outcome, Settled) else None,
            not_settled_why="" if isinstance(outcome, Settled) else outcome.why,
            zero_ok=None if zero is None else abs(zero) <= self._zero_within_kg,
            zero_kg=zero,
            frozen=self._stuck,
            jumped=self._jumped,
            half_on=bool(self._rear) if known else None,
            heard_at=self._heard_at,
            doubts=self._doubts(now, known=known),
            zero_trend=self._zeros.trend(),
            loads=self._loads(),
        )

    def _went_out(self) -> None:
        """An axle has crossed the whole deck: the number must have moved since it stepped on."""
        came = self._on_times[self._outs - 1] if self._outs <= len(self._on_times) else None
        still = self._still_since
        self._stuck = self._stuck or (came is not None and still is not None and still < came)

    def _loads(self) -> tuple[Settled, ...]:
        return (*self._weighed, self._stop) if self._stop is not None else tuple(self._weighed)

    def _doubts(self, now: Instant, *, known: bool) -> tuple[Doubt, ...]:
        since = self._heavy_since
        unseen = self._heavy and not self._vehicle and since is not None and now - since >= LAG_S
        heard: tuple[tuple[Doubt, bool], ...] = (
            ("by axles", True),
            ("axle missed", bool(self._fault)),
            ("tared", self._tared),
            ("drifting", self._creep.drifting),
            ("load unseen", known and unseen),
        )
        found: list[Doubt] = []
        for doubt, holds in heard:
            if holds:
                found.append(doubt)
        return (*found, *self._fitness.doubts(self._serial, self._calibrations, now))

    def _sum(self, *, known: bool) -> Settled | NotSettled:
        if not known:
            return NotSettled("the beams or the wheel sensors are not known")
        if self._fault:
            return NotSettled(self._fault)
        if not self._vehicle:
            return NotSettled("no vehicle was seen driving on")
        if self._passed_since is None:
            return NotSettled(f"more axles may follow; {len(self._weighed)} weighed so far")
        if not self._heavy:
            return NotSettled("the last axle is not on the deck")
        rest = self._rest(self._passed_since)
        if isinstance(rest, NotSettled):
            return rest
        if self._stop is None or not self._agree() or self._ins != self._outs + 1:
            return NotSettled(self._disagreement())
        if self._ins < FEWEST_AXLES:
            return NotSettled("one axle is no vehicle")
        every = (*self._weighed, rest)
        return Settled(
            kg=sum((each.kg for each in every), Decimal(0)),
            uncertainty_kg=sum((each.uncertainty_kg for each in every), Decimal(0)),
            from_at=every[0].from_at,
            to_at=rest.to_at,
            readings=sum(each.readings for each in every),
        )

    def _contacts_known(self, now: Instant) -> bool:
        contacts = (self._rear, self._front, self._arrival, *self._wheels)
        told, wheels = self._told_at, self._wheels_at
        fresh = told is not None and wheels is not None and now - min(told, wheels) <= BEAMS_FRESH_S
        return fresh and all(each is not None for each in contacts)

    def _rear_breaks(self) -> None:
        """A vehicle comes; or one that had passed the beam rolls back, or another follows it."""
        left = not self._heavy and not self._front and self._ins == self._outs
        if not self._vehicle or (self._passed_since is not None and left):
            self._begin(vehicle=True)
        elif self._passed_since is not None:
            self._fail("the rear beam was broken again: the vehicle rolled back, or another came on behind it")

    def _begin(self, *, vehicle: bool) -> None:
        self._vehicle, self._ins, self._ons, self._outs = vehicle, 0, 0, 0
        self._on_times, self._stuck = [], False
        self._weighed, self._stop, self._fault, self._jumped = [], None, "", False
        self._zero_before = None
        self._creep.emptied()

    def _load(self, kg: Decimal, at: Instant) -> None:
        """Two in a row on the same side of an axle's least."""
        heavy = kg >= self._axle_kg
        again, self._side = heavy is self._side, heavy
        if not again or heavy is self._heavy:
            return
        self._heavy = heavy
        if heavy:
            self._heavy_since, self._rested = at, None
            if not self._weighed:
                self._zero_before = self._recent_zero(at)
                if self._zero_before is not None:
                    self._zeros.seen(self._zero_before, at)
            return
        self._creep.moved()
        if not self._vehicle:
            return
        if self._stop is None:
            self._fail("an axle left the deck before its load had come to rest and been counted")
        else:
            self._weighed.append(self._stop)
        self._stop = None

    def _look_for_rest(self) -> None:
        rest = self._rest(None)
        if isinstance(rest, NotSettled):
            return
        counts = (self._ons, self._outs)
        if self._rested is not None and counts == self._rested_counts:
            self._jumped = self._jumped or abs(rest.kg - self._rested) > self._jump_kg
        self._rested, self._rested_counts = rest.kg, counts
        self._creep.settled(rest.kg)
        self._stop = rest if self._agree() else None

    def _rest(self, since: Instant | None) -> Settled | NotSettled:
        """At rest since the load came, and since a wheel stood on an edge."""
        times = [at for at in (since, self._heavy_since, self._edge_at) if at is not None]
        return self._settler.result(max(times, default=None))

    def _agree(self) -> bool:
        """Every axle that was weighed has passed out, and no other; the next one has stepped on."""
        return self._vehicle and self._outs == len(self._weighed) and self._ons == self._outs + 1 <= self._ins

    def _disagreement(self) -> str:
        weighed = len(self._weighed)
        counts = f"{self._ins} came in, {self._ons} stepped on, {self._outs} went out, {weighed} of them weighed"
        return f"the axle count is not whole: {counts}"

    def _fail(self, why: str) -> None:
        self._fault = self._fault or why

    def _look_for_zero(self, at: Instant) -> None:
        rest = self._settler.result()
        if isinstance(rest, Settled) and rest.kg < self._axle_kg:
            self._zero = (rest.kg, at)

    def _recent_zero(self, at: Instant) -> Decimal | None:
        return self._zero[0] if self._zero is not None and at - self._zero[1] <= ZERO_KEPT_S else None
