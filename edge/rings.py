"""What of the trackers' doings rings: crossings that the site asked for, an emergency button, signs of a bad sky. Pure.

A sign of jamming or forgery is one alarm for the whole site and says how many trackers see it: a jammer at the fence
would otherwise ring once for every truck. It says "signs", for it is no more.
"""

from collections.abc import Iterable
from typing import Literal

from drivers.gps.fix import Fix, HintKind
from drivers.readings import Instant
from drivers.seal.state import SealState, SealWord
from edge.fences import Crossing, What
from edge.zone_config import Route
from telemetry.payloads.lane import AlarmBody, Text

HINT_FRESH_S = 120.0
"""A tracker that has said nothing for so long says nothing of the sky either."""
NAMED = 5
"""Trackers that a sentence names; of the others it says how many."""

EMERGENCY = "emergency button"
"""As drivers/gps/jt808/location.py calls it."""

_KINDS: dict[HintKind, Text] = {
    "jamming": Text("疑似定位干扰", "Signs of jamming"),
    "spoofing": Text("疑似定位欺骗", "Signs of forged positions"),
    "antenna": Text("定位天线异常", "A receiver's antenna is faulty"),
    "clock": Text("终端时钟异常", "A tracker's clock is wrong"),
}
_SEALS: dict[SealState, tuple[str, Literal[1, 2, 3], Text]] = {
    SealState.CUT: ("seal-cut", 1, Text("锁绳被剪断", "has been cut")),
    SealState.TAMPERED: ("seal-tampered", 1, Text("被拆动", "has been tampered with")),
    SealState.LOW_BATTERY: ("seal-battery", 3, Text("电量低", "has a low battery")),
    SealState.STALE: ("seal-stale", 3, Text("失去联系", "has fallen silent: nothing is known of it")),
}
_WHAT: dict[What, Text] = {
    "found": Text("首次定位时已在", "was first seen inside"),
    "entered": Text("进入", "entered"),
    "left": Text("离开", "left"),
    "ended": Text("驶完", "came to the end of"),
}


def sentence(crossing: Crossing) -> Text:
    """The crossing in words."""
    zone, what = crossing.zone, _WHAT[crossing.what]
    if isinstance(zone, Route) and crossing.what == "left":
        return Text(f"{crossing.tracker} 偏离路线 {zone.zh}", f"{crossing.tracker} left its route {zone.en}")
    return Text(f"{crossing.tracker} {what.zh} {zone.zh}", f"{crossing.tracker} {what.en} {zone.en}")


class Rings:
    """All alarms of the tracker node."""

    def __init__(self) -> None:
        self._standing: dict[str, AlarmBody] = {}
        self._hints: dict[HintKind, dict[str, Instant]] = {}
        """Trackers that see such a sign, and when they last said so."""

    def recall(self, alarms: Iterable[AlarmBody]) -> None:
        """What stood before a restart."""
        self._standing = {alarm.alarm: alarm for alarm in alarms}

    def standing(self) -> list[AlarmBody]:
        """To be remembered over a restart."""
        return list(self._standing.values())

    def crossing(self, crossing: Crossing) -> list[AlarmBody]:
        """Alarms that come or go with it."""
        zone, inside = crossing.zone, crossing.what in ("found", "entered")
        changed: list[AlarmBody] = []
        if "enter" in zone.rings:
            changed += self._set(f"{crossing.tracker}:in-{zone.id}", inside, zone.priority, sentence(crossing))
        if "leave" in zone.rings:
            away = crossing.what == "left"
            changed += self._set(f"{crossing.tracker}:off-{zone.id}", away, zone.priority, sentence(crossing))
        return changed

    def fix(self, tracker: str, fix: Fix) -> list[AlarmBody]:
        """A live fix: its hints, and what the terminal itself raises."""
        for kind, trackers in self._hints.items():
            if kind not in {hint.kind for hint in fix.hints}:
                trackers.pop(tracker, None)
        for hint in fix.hints:
            self._hints.setdefault(hint.kind, {})[tracker] = fix.at
        if fix.vehicle is None:
            return []
        on = EMERGENCY in fix.vehicle.alarms
        return self._set(f"{tracker}:emergency", on, 1, Text(f"{tracker} 紧急报警按钮", f"{tracker}: emergency button"))

    def seal(self, word: SealWord) -> list[AlarmBody]:
        """What is known of a seal now. One that has fallen silent keeps what it rang for last."""
        name = word.seal
        changed: list[AlarmBody] = []
        for state, (code, priority, what) in _SEALS.items():
            on = word.state is state
            if word.state is SealState.STALE and not on:
                continue
            changed += self._set(
                f"{name}:{code}", on, priority, Text(f"关锁 {name} {what.zh}", f"Seal {name} {what.en}")
            )
        return changed

    def look(self, now: Instant) -> list[AlarmBody]:
        """Alarms of the sky that come or go."""
        changed: list[AlarmBody] = []
        for kind, what in _KINDS.items():
            trackers = self._hints.get(kind, {})
            for name in [name for name, at in trackers.items() if at < now - HINT_FRESH_S]:
                del trackers[name]
            changed += self._set(f"sky:{kind}", bool(trackers), 3, _of_many(what, list(trackers)))
        return changed

    def cleared(self, of: set[str]) -> list[AlarmBody]:
        """Ends standing alarms of zones that the site has no more, or that ring no more: those not in `of`."""
        return [
            gone
            for alarm in list(self._standing.values())
            if _is_of_a_zone(alarm.alarm) and alarm.alarm.partition(":")[2] not in of
            for gone in self._set(alarm.alarm, False, alarm.priority, alarm.say)
        ]

    def _set(self, alarm: str, active: bool, priority: Literal[1, 2, 3], say: Text) -> list[AlarmBody]:  # noqa: FBT001 - its own word
        if active == (alarm in self._standing):
            return []
        if not active:
            say = self._standing.pop(alarm).say
        body = AlarmBody(alarm=alarm, active=active, priority=priority, say=say)
        if active:
            self._standing[alarm] = body
        return [body]


def _is_of_a_zone(alarm: str) -> bool:
    return alarm.partition(":")[2].startswith(("in-", "off-"))


def _of_many(what: Text, trackers: list[str]) -> Text:
    named = ", ".join(sorted(trackers)[:NAMED])
    more = len(trackers) - NAMED
    zh = f"{what.zh}：{named}" + (f" 等 {len(trackers)} 台" if more > 0 else "")
    en = f"{what.en}: {named}" + (f" and {more} more" if more > 0 else "")
    return Text(zh, en)
