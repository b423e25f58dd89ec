"""What truly happened, one JSON line a truck: the witness against which a lane's own records are held."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from simulators.barrier import Movement, Pulse
from simulators.ground import Rig
from simulators.mishaps import ALLOWED, SCALE_LIES, Happened


class Told(Protocol):
    """What customs tells of one passage."""

    def as_json(self) -> dict[str, Any]:
        """For the line."""
        ...


def _seconds(at: float | None) -> float | None:
    return None if at is None else round(at, 3)


def deck_was_true(rig: Rig) -> bool:
    """Whether a lane may have settled on a weight: wholly on the deck, and the indicator showed what stood there."""
    mishap = rig.truck.mishap
    return rig.stood_wholly and (mishap is None or mishap.kind not in SCALE_LIES)


def record(
    rig: Rig, *, pulses: Sequence[Pulse], movements: Sequence[Movement], passages: Sequence[Told]
) -> dict[str, Any]:
    """The line of one truck. `pulses`, `movements`, `passages`: all since the truck before it was told."""
    truck = rig.truck
    happened = rig.happened or Happened.NEVER_ENTERED
    return {
        "truck": truck.id,
        "number": truck.number,
        "lane": truck.lane,
        "direction": truck.direction,
        "plate": truck.plate,
        "trailer": truck.trailer,
        "epc": truck.epc.hex().upper(),
        "containers": list(truck.containers),
        "chassis": truck.chassis,
        "length_m": truck.length_m,
        "axles": [{"behind_front_m": axle.behind_front_m, "kg": axle.kg} for axle in truck.axles],
        "true_gross_kg": truck.gross_kg,
        "declared_kg": truck.declared_kg,
        "tolerance_kg": truck.tolerance_kg,
        "fault": None if truck.mishap is None else truck.mishap.as_json(),
        "follows": truck.follows,
        "expected": truck.expected.value,
        "allowed": sorted(happened.value for happened in ALLOWED[truck.expected]),
        "happened": happened.value,
        "agrees": happened in ALLOWED[truck.expected] and not rig.struck,
        "struck": rig.struck,
        "deck_true": deck_was_true(rig),
        "boom_up_on_entry": rig.boom_up_on_entry,
        "approach_at": _seconds(rig.approach_at),
        "on_loop_at": _seconds(rig.on_loop_at),
        "on_deck_at": _seconds(rig.on_deck_at),
        "stopped_at": _seconds(rig.stopped_at),
        "moved_at": _seconds(rig.moved_at),
        "crossed_at": _seconds(rig.crossed_at),
        "gone_at": _seconds(rig.gone_at),
        "pulses": [
            {"at": _seconds(pulse.at), "line": pulse.line, "obeyed": pulse.obeyed, "why": pulse.why} for pulse in pulses
        ],
        "movements": [
            {
                "started_at": _seconds(movement.started_at),
                "ended_at": _seconds(movement.ended_at),
                "from_deg": round(movement.from_deg, 1),
                "to_deg": round(movement.to_deg, 1),
                "cause": movement.cause,
                "by_at": _seconds(movement.by_at),
            }
            for movement in movements
        ],
        "customs": [passage.as_json() for passage in passages],
    }


class TruthBook:
    """The file, and the sums of the day."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("w", encoding="utf-8")
        self._happened: Counter[str] = Counter()
        self._expected: Counter[str] = Counter()
        self._faults: dict[str, Counter[str]] = {}
        self._told = 0
        self._disagree: list[str] = []
        self._struck = 0
        self._deck_true = 0

    def write(self, line: dict[str, Any]) -> None:
        """One truck more. It is on the disk's way when this returns."""
        self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._file.flush()
        self._told += 1
        self._happened[line["happened"]] += 1
        self._expected[line["expected"]] += 1
        self._struck += line["struck"]
        self._deck_true += line["deck_true"]
        if not line["agrees"]:
            del self._disagree[:-999]  # an endless day keeps its last thousand
            self._disagree.append(line["truck"])
        if line["fault"] is not None:
            self._faults.setdefault(line["fault"]["kind"], Counter())[line["happened"]] += 1

    def counts(self) -> dict[str, Any]:
        """Sums: trucks by what happened and by what was expected, faults by what became of them; who disagrees."""
        return {
            "trucks": self._told,
            "happened": dict(sorted(self._happened.items())),
            "expected": dict(sorted(self._expected.items())),
            "faults": {kind: dict(sorted(ends.items())) for kind, ends in sorted(self._faults.items())},
            "deck_true": self._deck_true,
            "struck": self._struck,
            "disagree": list(self._disagree),
        }

    def close(self) -> None:
        """No more trucks."""
        self._file.close()
