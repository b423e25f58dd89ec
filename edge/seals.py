"""Opens what a `[[seals]]` table names, makes bodies of what the seals say, and events of what has changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from drivers.kinds import Clock
from drivers.link import TcpListenLink, open_listen
from drivers.link.recording import Tap, recorded_port
from drivers.seal.config import SealsConfig
from drivers.seal.device import SealListener
from drivers.seal.state import REFUSED_KEYS, SealState, SealWord
from telemetry.payloads.lane import Text
from telemetry.payloads.seal import SealBody
from telemetry.payloads.sealing import SealingBody

_SAY = {
    SealState.LOCKED: Text("已施封", "is locked"),
    SealState.UNLOCKED: Text("已解锁", "is unlocked"),
    SealState.OPENED: Text("已打开", "has been opened"),
    SealState.CUT: Text("锁绳被剪断", "has been cut"),
    SealState.TAMPERED: Text("被拆动", "has been tampered with"),
    SealState.LOW_BATTERY: Text("电量低", "has a low battery"),
    SealState.STALE: Text("失去联系", "has fallen silent"),
}
_KEY = Text("钥匙或卡被拒", "refused a key or card")
_CUSTOMS: dict[SealState, Literal[1, 2, 4, 5, 6]] = {
    SealState.LOCKED: 1,
    SealState.UNLOCKED: 2,
    SealState.OPENED: 4,
    SealState.CUT: 5,
    SealState.LOW_BATTERY: 6,
}
"""The numbers of customs' seal events (1 lock, 2 unlock, 3 clear, 4 opened, 5 cut, 6 low battery, 7 key)."""
REMEMBERED = 4000
"""Seals whose last state is kept; names come off the wire."""


@dataclass(frozen=True, slots=True)
class SealSource:
    """An open port with its listener."""

    listener: SealListener
    link: TcpListenLink

    async def close(self) -> None:
        """Give the port back."""
        await self.link.close()


async def open_seals(config: SealsConfig, clock: Clock, tap: Tap | None = None) -> SealSource:
    """Every byte of it goes to `tap`. Raises OpenFailed."""
    port = await open_listen(config.link, clock)
    return SealSource(SealListener(recorded_port(port, tap), config, clock), port)


def seal_body(word: SealWord) -> SealBody:
    """As it goes on the wire."""
    return SealBody(
        state=word.state.value,
        why=word.why,
        alarms=list(word.alarms),
        card=word.card,
        battery_percent=word.battery_percent,
        charging=word.charging,
        lat=word.lat,
        lon=word.lon,
        said_at=word.said_at,
    )


class SealBook:
    """The last state of each seal, over a restart. Pure but for its memory."""

    def __init__(self, states: Mapping[str, str]) -> None:
        self._states = {name: SealState(state) for name, state in states.items() if state in list(SealState)}
        self._keys: set[str] = set()
        """Seals that are refusing a key."""
        self._late: dict[str, SealState] = {}

    def states(self) -> dict[str, str]:
        """To be remembered."""
        return {name: state.value for name, state in self._states.items()}

    def take(self, name: str, word: SealWord, *, rings: bool) -> list[SealingBody]:
        """What has changed by this word. `rings`: an alarm came or went with it.

        What was kept back is told where it changed among what was kept back; the state that is known stays.
        """
        if word.historical:
            before, self._late[name] = self._late.get(name), word.state
            _cap(self._late)
            same = before is word.state
            return [] if same else [_event(name, word, None, _SAY[word.state], _CUSTOMS.get(word.state), rings=False)]
        was = self._states.pop(name, None)
        self._states[name] = word.state
        _cap(self._states)
        found: list[SealingBody] = []
        if was is not word.state:
            found.append(_event(name, word, was, _SAY[word.state], _CUSTOMS.get(word.state), rings=rings))
        refused = bool(REFUSED_KEYS.intersection(word.alarms))
        if refused and name not in self._keys:
            found.append(_event(name, word, was, _KEY, 7, rings=False))
        if refused:
            self._keys.add(name)
        else:
            self._keys.discard(name)
        return found


def _cap(seals: dict[str, SealState]) -> None:
    if len(seals) > REMEMBERED:
        del seals[next(iter(seals))]


def _event(
    name: str,
    word: SealWord,
    was: SealState | None,
    say: Text,
    customs: Literal[1, 2, 4, 5, 6, 7] | None,
    *,
    rings: bool,
) -> SealingBody:
    return SealingBody(
        seal=name,
        state=word.state.value,
        was=None if was is None else was.value,
        customs=customs,
        card=word.card,
        say=Text(f"关锁 {name} {say.zh}", f"Seal {name} {say.en}"),
        late=word.historical,
        rings=rings,
        lat=word.lat,
        lon=word.lon,
        said_at=word.said_at,
    )
