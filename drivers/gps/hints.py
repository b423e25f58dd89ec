"""Fixes and satellites of one tracker over time -> signs of jamming, forgery, a broken antenna or clock. Pure.

Nothing here is a certainty, and no fix is refused for it: a truck under a crane, in a tunnel or just switched on shows
some of the same. Each sign has a threshold that honest receivers keep away from in captures; the strongest check is not
here: the truck is at the gate when the gate says so. Thresholds and harmless causes: MANUAL.md.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from drivers.gps.fix import Fix, Hint, HintKind
from drivers.gps.sentences import Satellite
from drivers.readings import Instant

M_PER_DEGREE = 111_195.0
HOLD_S = 30.0
"""A sign stays on the fixes for so long after it was last seen: an operator looks up now and then."""

JUMP_M = 200.0
"""Positions of a receiver between walls of containers wander by less."""
TOP_TRUCK_MPS = 60.0
"""216 km/h."""
JUMP_WITHIN_S = 600.0
"""After a longer silence a truck may be anywhere."""

DISAGREE_MPS = 10.0
DISAGREE_STREAK = 3
"""One wandering position makes two such steps."""
STEP_S = (0.5, 15.0)
"""Between the two positions: in less the noise is too large, in more the road is no straight line."""

AHEAD_S = 5.0
"""A fix cannot come before it was made; the site's clock and the receiver's agree to a second."""
BACK_S = 2.0

TRACKED = 5
"""Satellites: with fewer, likeness and fall are chance."""
COLLAPSE_DB = 10.0
COLLAPSE_FROM_DB = 35.0
"""Under a free sky the best four are at 40 to 50 dB-Hz; what is weak already has other reasons."""
SKY_FRESH_S = 12.0
"""Receivers tell their satellites each second, some each fifth or tenth."""
SKY_REMEMBERED = 60
"""Skies, a minute at one a second."""
MAX_SYSTEMS = 32
"""Talkers times signals; names come off the wire."""
SKY_AGO = 10
"""Skies: a truck drives under a roof within seconds, so the strength before is that of the minute before these."""
ALIKE_DB = 2.0
ALIKE_FROM_DB = 44.0
ALIKE_STREAK = 5
"""Of an honest sky low satellites are 10 dB weaker than high ones."""

MANY_USED = 8
FEW_SHARE = 0.4
FALL_WITHIN_S = 10.0

SAME_ALTITUDE = 120
"""Fixes of a moving receiver with one altitude to the decimetre."""
MOVING_MPS = 2.0

LATE_ALIKE_S = 3.0
LATE_STREAK = 10
LATE_FROM_S = 30.0
"""Reports that are all late by the same: what a network keeps back comes later by less and less."""

ANTENNA_BAD = ("OPEN", "SHORT")


class Watch:
    """One tracker."""

    def __init__(self) -> None:
        self._found: dict[HintKind, tuple[str, Instant]] = {}
        """By kind: why, and until when it is shown."""
        self._last: Fix | None = None
        self._disagree = 0
        self._used: deque[tuple[Instant, int]] = deque(maxlen=64)
        self._systems: dict[str, tuple[Instant, tuple[float, ...]]] = {}
        self._sky_at = Instant(0.0)
        self._skies: deque[float] = deque(maxlen=SKY_REMEMBERED)
        """The best four of each, one for each fix that came with one."""
        self._alike = 0
        self._altitude: float | None = None
        self._same_altitude = 0
        self._late: deque[float] = deque(maxlen=LATE_STREAK)
        self._antenna = ""

    def say(self, text: str) -> None:
        """A line of text off the receiver: some tell the state of their antenna in it."""
        words = text.upper().replace("=", " ").split()
        if any(word.startswith("ANT") for word in words):
            bad = next((word for word in words if word in ANTENNA_BAD), "")
            if bad or "OK" in words:
                self._antenna = f"the receiver says that its antenna is {bad.lower()}" if bad else ""

    def sky(self, system: str, satellites: Iterable[Satellite], at: Instant) -> None:
        """The satellites of one system (on one signal) in view, as the receiver told them."""
        if system in self._systems or len(self._systems) < MAX_SYSTEMS:
            self._systems[system] = (at, tuple(each.cn0_db for each in satellites if each.cn0_db))
            self._sky_at = at

    def take(self, fix: Fix) -> Fix:
        """The fix with what is to be said of it. What was kept back is not judged: its order and time are its own."""
        if fix.historical:
            self._clock_is_late(fix)
            return self._told(fix) if "clock" in self._found else fix
        self._late.clear()
        self._clock(fix)
        self._fall(fix)
        self._judge_sky(fix.at)
        if fix.valid:
            self._move(fix)
            self._height(fix)
            self._last = fix
        antenna = self._antenna
        if fix.vehicle is not None and fix.vehicle.antenna:
            antenna = f"the terminal says: {', '.join(fix.vehicle.antenna)}"
        if antenna:
            self._find("antenna", antenna, fix.at)
        return self._told(fix)

    def _told(self, fix: Fix) -> Fix:
        if not self._found:
            return fix
        self._found = {kind: found for kind, found in self._found.items() if found[1] >= fix.at}
        hints = tuple(Hint(kind, why) for kind, (why, _) in self._found.items())
        return replace(fix, hints=hints) if hints else fix

    def _find(self, kind: HintKind, why: str, at: Instant) -> None:
        self._found[kind] = (why, Instant(at + HOLD_S))

    def _clock(self, fix: Fix) -> None:
        if fix.fix_time is None:
            return
        ahead = fix.fix_time - fix.at
        if ahead > AHEAD_S:
            self._find("clock", f"its time is {ahead:.0f} s ahead of the site's", fix.at)
        last = self._last
        if last is None or last.fix_time is None:
            return
        back = last.fix_time - fix.fix_time
        if back > BACK_S and fix.at >= last.at:
            self._find("spoofing", f"its time ran back by {back:.0f} s", fix.at)
        elif fix.fix_time - last.fix_time > fix.at - last.at + AHEAD_S and ahead > AHEAD_S:
            self._find("spoofing", f"its time jumped ahead by {fix.fix_time - last.fix_time:.0f} s", fix.at)

    def _clock_is_late(self, fix: Fix) -> None:
        if fix.fix_time is None:
            return
        self._late.append(fix.at - fix.fix_time)
        if len(self._late) < LATE_STREAK:
            return
        least, most = min(self._late), max(self._late)
        if most - least <= LATE_ALIKE_S and least >= LATE_FROM_S:
            self._find("clock", f"every report is late by {least:.0f} s: its clock or its time zone is wrong", fix.at)

    def _judge_sky(self, at: Instant) -> None:
        if self._sky_at < at - SKY_FRESH_S:
            return
        fresh = (found for told_at, found in self._systems.values() if told_at >= at - SKY_FRESH_S)
        strengths = sorted((each for found in fresh for each in found), reverse=True)
        if len(strengths) >= TRACKED:
            likeness = strengths[0] - strengths[-1]
            mean = sum(strengths) / len(strengths)
            self._alike = self._alike + 1 if likeness <= ALIKE_DB and mean >= ALIKE_FROM_DB else 0
            if self._alike >= ALIKE_STREAK:
                why = f"{len(strengths)} satellites at {mean:.0f} dB-Hz, alike to {likeness:.0f} dB"
                self._find("spoofing", why, at)
        # The best four: low ones come and go.
        best = sum(strengths[:4]) / 4
        if len(self._skies) > SKY_AGO:
            before = sorted(list(self._skies)[:-SKY_AGO])
            usual = before[len(before) // 2]
            if usual >= COLLAPSE_FROM_DB and best <= usual - COLLAPSE_DB:
                self._find("jamming", f"the satellites fell from {usual:.0f} to {best:.0f} dB-Hz together", at)
        self._skies.append(best)

    def _fall(self, fix: Fix) -> None:
        used = fix.satellites if fix.valid else 0
        if used is None:
            return
        while self._used and self._used[0][0] < fix.at - FALL_WITHIN_S:
            self._used.popleft()
        most = max((count for _, count in self._used), default=0)
        if most >= MANY_USED and used <= most * FEW_SHARE:
            self._find("jamming", f"satellites in use fell from {most} to {used} within seconds", fix.at)
        self._used.append((fix.at, used))

    def _move(self, fix: Fix) -> None:
        last = self._last
        if last is None or last.fix_time is None or fix.fix_time is None:
            return
        took_s = fix.fix_time - last.fix_time
        if not 0 < took_s <= JUMP_WITHIN_S:
            return
        way_m = distance_m(last, fix)
        if way_m > JUMP_M and way_m / took_s > TOP_TRUCK_MPS:
            self._find("spoofing", f"it jumped {way_m:.0f} m in {took_s:.0f} s", fix.at)
            self._disagree = 0
            return
        if fix.speed_mps is None or last.speed_mps is None or not STEP_S[0] <= took_s <= STEP_S[1]:
            return
        slow, fast = sorted((fix.speed_mps, last.speed_mps))
        from_places = way_m / took_s
        apart = max(from_places - fast, slow - from_places)
        self._disagree = self._disagree + 1 if apart > DISAGREE_MPS else 0
        if self._disagree >= DISAGREE_STREAK:
            why = f"it says {fix.speed_mps:.0f} m/s, its places move with {from_places:.0f} m/s"
            self._find("spoofing", why, fix.at)

    def _height(self, fix: Fix) -> None:
        altitude = fix.altitude_m
        # Whole metres are alike in a flat port.
        if altitude is None or altitude == int(altitude) or (fix.speed_mps or 0) < MOVING_MPS:
            return
        self._same_altitude = self._same_altitude + 1 if altitude == self._altitude else 0
        self._altitude = altitude
        if self._same_altitude >= SAME_ALTITUDE:
            self._find("spoofing", f"{self._same_altitude} fixes on the move at one altitude, {altitude:g} m", fix.at)


def distance_m(one: Fix, other: Fix) -> float:
    """Between two places, as on a small sphere's map; 0 where one has none. Right to a percent within 100 km."""
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return 0.0
    north = (other.lat - one.lat) * M_PER_DEGREE
    east = math.remainder(other.lon - one.lon, 360.0) * M_PER_DEGREE * math.cos(math.radians(one.lat))
    return math.hypot(north, east)
