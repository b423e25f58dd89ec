"""A boom barrier machine: an arm between 0 and 90 degrees, two limit switches, a fault contact, its own safety.

Inputs as the makers' manuals describe them: RAISE, LOWER and STOP as pulses (0.2 s and longer count, by their rising
edge); STOP comes before everything; RAISE and LOWER at once mean nothing. Lowering is refused, and a lowering arm turns
round and rises, while the safety loop under the arm is occupied or the light barrier broken. After a power cut or a
stop nothing moves without a new pulse.

What it did is written down, as the truth that others are judged by: every pulse, every movement, and its cause.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Literal

from simulators.clock import SimClock
from simulators.faults import BoomFaults

UP_DEG = 90.0
LIMIT_TRAVEL_DEG = 2.0
"""A limit switch is made when the arm is this near its end."""
MIN_PULSE_S = 0.2
TICK_S = 0.05
GIVE_UP_S = 3.0
"""Beyond the usual time of travel: then the motor is switched off and the fault contact opens."""
SAFETY_INPUTS = ("loop_boom", "photocell")
LONGEST_LOG = 200_000
"""Pulses and movements kept: some days of a busy lane."""

MovingLine = Literal["raise", "lower"]
Line = Literal["raise", "lower", "stop"]
Cause = Literal["raise", "lower", "safety", "repair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One closing of an input: obeyed, or why not."""

    at: float
    line: Line
    obeyed: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One travel of the arm. `ended_at` is None while it moves; `by_at` is when its cause came."""

    started_at: float
    ended_at: float | None
    from_deg: float
    to_deg: float
    cause: Cause
    by_at: float


class Boom:
    """One arm. Ask at any time: it moves itself to now first."""

    def __init__(
        self,
        clock: SimClock,
        *,
        rise_s: float = 2.0,
        lower_s: float = 2.5,
        sense: Callable[[], Mapping[str, bool]] | None = None,
        faults: BoomFaults | None = None,
    ) -> None:
        """`sense`: the machine's own loop and light barrier, by the names in SAFETY_INPUTS, True = occupied."""
        self.faults = BoomFaults() if faults is None else faults
        self.pulses: list[Pulse] = []
        self.movements: list[Movement] = []
        self.sense = sense
        self._clock = clock
        self._rise_s = rise_s
        self._lower_s = lower_s
        self._travel = 0.0  # 0 down .. 1 up, even in time; the angle follows it with a soft start and end
        self._goal: float | None = None
        self._cause: Cause = "raise"
        self._by_at = 0.0
        self._set_off_at = 0.0
        self._start_at = 0.0
        self._begun: tuple[float, float] | None = None  # when and at which angle this travel began
        self._gave_up = False
        self._now = clock.now()
        self._closed_since: dict[Line, float | None] = {"raise": None, "lower": None, "stop": None}
        self._judged: dict[Line, bool] = {"raise": True, "lower": True, "stop": True}
        self._wake = asyncio.Event()

    @property
    def angle_deg(self) -> float:
        """0 down, 90 up."""
        self.step()
        return self._angle_deg()

    @property
    def limit_down(self) -> bool:
        """The lower limit switch says the arm is down."""
        stuck = self.faults.stuck_down
        return self.angle_deg <= LIMIT_TRAVEL_DEG if stuck is None else stuck

    @property
    def limit_up(self) -> bool:
        """The upper limit switch says the arm is up."""
        stuck = self.faults.stuck_up
        return self.angle_deg >= UP_DEG - LIMIT_TRAVEL_DEG if stuck is None else stuck

    @property
    def fault(self) -> bool:
        """The machine reports a fault."""
        self.step()
        return self.faults.fault_contact or self._gave_up

    @property
    def moving(self) -> bool:
        """The motor runs."""
        self.step()
        return self._begun is not None

    def drive(self, *, raise_: bool, lower: bool, stop: bool) -> None:
        """The three inputs as they are wired now: True = pulse (closed; for STOP: the stop chain is interrupted)."""
        self.step()
        lines: dict[Line, bool] = {"raise": raise_, "lower": lower, "stop": stop}
        for line, closed in lines.items():
            since = self._closed_since[line]
            if closed and since is None:
                self._closed_since[line] = self._now
                self._judged[line] = False
            elif not closed and since is not None:
                if not self._judged[line]:
                    self._write_pulse(since, line, obeyed=False, why="shorter than 0.2 s")
                self._closed_since[line] = None
                self._judged[line] = True
        if stop and not self._judged["stop"]:
            self._judged["stop"] = True
            self._write_pulse(self._now, "stop", obeyed=True, why="")
            self._rest()
        self._wake.set()

    def repair(self) -> None:
        """The fitter: every fault is gone, and the arm is put down by hand."""
        self.step()
        self._rest()
        for knob in fields(BoomFaults):
            setattr(self.faults, knob.name, knob.default)
        self._gave_up = False
        before_deg = self._angle_deg()
        self._travel = 0.0
        if before_deg > 0.0:
            self._write_movement(
                Movement(
                    started_at=self._now,
                    ended_at=self._now,
                    from_deg=before_deg,
                    to_deg=0.0,
                    cause="repair",
                    by_at=self._now,
                )
            )

    async def run(self) -> None:
        """Live until cancelled: the arm must meet its safety inputs in time even when nobody asks."""
        while True:
            self.step()
            if self._goal is None and all(self._judged.values()):
                self._wake.clear()
                await self._wake.wait()
            else:
                await self._clock.sleep(TICK_S)

    def step(self) -> None:
        """Move to now."""
        now = self._clock.now()
        while self._now < now:
            if not self._travelling():
                self._judge_pulses(now)
                # A travel just set off is followed tick by tick, so that it meets its safety inputs on the way.
                self._now = max(self._now, min(self._set_off_at, now)) if self._travelling() else now
            else:
                until = min(now, self._now + TICK_S)
                self._judge_pulses(until)
                if self._travelling():
                    self._move(self._now, until)
                self._now = until

    def _travelling(self) -> bool:
        return self._goal is not None

    def _angle_deg(self) -> float:
        return UP_DEG * (1.0 - math.cos(math.pi * self._travel)) / 2.0

    def _occupied(self) -> list[str]:
        if self.sense is None:
            return []
        seen = self.sense()
        return [name for name in SAFETY_INPUTS if seen.get(name, False)]

    def _judge_pulses(self, now: float) -> None:
        ripe: list[MovingLine] = []
        lines: tuple[MovingLine, ...] = ("raise", "lower")
        for line in lines:
            since = self._closed_since[line]
            if since is not None and not self._judged[line] and now - since >= MIN_PULSE_S:
                self._judged[line] = True
                ripe.append(line)
        both = self._closed_since["raise"] is not None and self._closed_since["lower"] is not None
        for line in ripe:
            since = self._closed_since[line]
            assert since is not None
            why = "raise and lower at once" if both else self._why_not(line)
            self._write_pulse(since, line, obeyed=not why, why=why)
            if not why:
                self._set_off(line, by_at=since, at=since + MIN_PULSE_S)

    def _why_not(self, line: Line) -> str:
        if self._closed_since["stop"] is not None:
            return "stop is held"
        if self.faults.fault_contact or self._gave_up:
            return "machine fault"
        if line == "lower" and (occupied := self._occupied()):
            return "safety: " + ", ".join(occupied)
        return ""

    def _set_off(self, cause: Cause, *, by_at: float, at: float) -> None:
        self._rest()
        goal = 0.0 if cause == "lower" else 1.0
        if goal == self._travel:
            return
        self._goal = goal
        self._cause = cause
        self._by_at = by_at
        self._set_off_at = at
        self._start_at = at + (0.0 if cause == "safety" else self.faults.delay_s)

    def _move(self, since: float, until: float) -> None:
        assert self._goal is not None
        if until <= self._start_at:
            return
        begin = max(since, self._start_at)
        if self._goal == 0.0 and self._occupied():
            self._now = begin
            if self._begun is None:
                self._goal = None  # a late start that the safety now forbids
            else:
                self._set_off("safety", by_at=begin, at=begin)
            return
        full_s = self._rise_s if self._goal > self._travel else self._lower_s
        if not self._stalled():
            if self._begun is None:
                self._begun = (begin, self._angle_deg())
                self._write_movement(self._movement(None))
            reach = (until - begin) / full_s
            way = self._goal - self._travel
            self._travel = self._goal if abs(way) <= reach else self._travel + math.copysign(reach, way)
        if self._travel == self._goal:
            self._now = until
            self._rest()
        elif until - self._start_at > full_s + GIVE_UP_S:
            self._now = until
            self._rest()
            self._gave_up = True

    def _stalled(self) -> bool:
        if self.faults.dead:
            return True
        stall_deg = self.faults.stall_at_deg
        if stall_deg is None:
            return False
        angle_deg = self._angle_deg()
        return angle_deg >= stall_deg if self._goal == 1.0 else angle_deg <= stall_deg

    def _rest(self) -> None:
        if self._begun is not None:
            self.movements[-1] = self._movement(self._now)
        self._begun = None
        self._goal = None

    def _movement(self, ended_at: float | None) -> Movement:
        assert self._begun is not None
        started_at, from_deg = self._begun
        return Movement(
            started_at=started_at,
            ended_at=ended_at,
            from_deg=from_deg,
            to_deg=self._angle_deg(),
            cause=self._cause,
            by_at=self._by_at,
        )

    def _write_pulse(self, at: float, line: Line, *, obeyed: bool, why: str) -> None:
        del self.pulses[:-LONGEST_LOG]
        self.pulses.append(Pulse(at=at, line=line, obeyed=obeyed, why=why))

    def _write_movement(self, movement: Movement) -> None:
        del self.movements[:-LONGEST_LOG]
        self.movements.append(movement)
