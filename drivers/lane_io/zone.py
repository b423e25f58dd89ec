"""Loop and photocell under the boom, each the other's witness: one that missed a vehicle counts as occupied. Pure.

A loop that is cut, detuned or switched off, and a photocell whose receiver sees some other light, say "clear" for ever;
nothing in that one contact tells. But a vehicle that passes under the boom passes both.
"""

from collections.abc import Mapping
from typing import Final

from drivers.lane_io.config import InputName
from drivers.readings import Instant

SEEN_S: Final = 1.0
"""A person walks through a photocell in less; the shortest tractor at 5 m/s takes longer over a loop."""
ZONE: Final[tuple[InputName, InputName]] = ("loop_boom", "photocell")


class ZoneWatch:
    """Fed with every poll. `blind`: the sensors that missed the last vehicle and have seen nothing since."""

    def __init__(self) -> None:
        self.blind: frozenset[InputName] = frozenset()
        self._crossing = False
        """The boom is away from its lower switch, and something has been in the beam at the deck's front."""
        self._since: dict[InputName, Instant] = {}
        self._saw: set[InputName] = set()
        self._surely: set[InputName] = set()

    def take(self, values: Mapping[InputName, bool | None], at: Instant) -> dict[InputName, bool | None]:
        """The values of one poll, with blind sensors occupied. What is not known stays so, and proves nothing."""
        zone: dict[InputName, bool | None] = {name: values.get(name) for name in ZONE}
        self.blind -= {name for name in ZONE if zone[name]}
        down = values.get("limit_down")
        if down or None in (down, values.get("beam_front"), *zone.values()):
            self._forget()
        else:
            self._crossing = self._crossing or bool(values.get("beam_front"))
            self._look(zone, at)
        return {name: True if name in self.blind else value for name, value in values.items()}

    def _look(self, zone: Mapping[InputName, bool | None], at: Instant) -> None:
        for name in ZONE:
            if zone[name]:
                self._saw.add(name)
                if at - self._since.setdefault(name, at) >= SEEN_S:
                    self._surely.add(name)
            else:
                self._since.pop(name, None)
        if self._crossing and not any(zone.values()) and self._surely:
            self.blind |= set(ZONE) - self._saw

    def _forget(self) -> None:
        self._crossing = False
        self._since.clear()
        self._saw.clear()
        self._surely.clear()


def told(blind: frozenset[InputName]) -> str:
    """For whoever must look, in both languages; empty when none is blind."""
    if not blind:
        return ""
    names = ", ".join(sorted(blind))
    return (
        f"{names} missed a vehicle that the other saw: counts as occupied until it sees one"
        f" ({names} 漏检了另一传感器看到的车辆,在其再次检出之前按有车处理)"
    )
