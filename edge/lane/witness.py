"""What the wires said: the raw frames behind a settled weight and behind the reads of one truck, for the book. Pure."""

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import msgspec

from drivers.camera.read import Read
from drivers.readings import Instant
from drivers.rfid.cards import Card
from drivers.rfid.tag import Tag
from drivers.seal.seen import SealSeen
from drivers.weighbridge.reading import Weight
from drivers.weighbridge.settle import Settled

Word = Read | Tag | Card | SealSeen
RUNS_KEPT = 512
"""Runs of equal frames remembered: at ten frames a second and a different one each time, the last 50 seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Equal frames, one after the other."""

    raw: bytes
    kg: Decimal | None
    status: str
    times: int
    first: Instant
    last: Instant


class Tape:
    """The newest frames of one indicator. Constant memory, however long a truck stands."""

    def __init__(self) -> None:
        self._runs: deque[Run] = deque(maxlen=RUNS_KEPT)

    def hear(self, weight: Weight) -> None:
        """One reading, in the order of the wire."""
        last = self._runs[-1] if self._runs else None
        if last is not None and last.raw == weight.raw:
            self._runs[-1] = replace(last, status=weight.status, times=last.times + 1, last=weight.at)
        else:
            self._runs.append(
                Run(raw=weight.raw, kg=weight.kg, status=weight.status, times=1, first=weight.at, last=weight.at)
            )

    def during(self, first: Instant, last: Instant) -> tuple[Run, ...]:
        """The runs that touch this time, oldest first."""
        return tuple(run for run in self._runs if run.last >= first and run.first <= last)


def evidence(
    settled: Settled | None,
    runs: Iterable[Run],
    reads: Iterable[tuple[str, Word]],
    loads: Iterable[Settled] = (),
) -> bytes:
    """JSON for the book: each frame once, with its SHA-256 (hex), its bytes (base64) and what was made of it.

    `weight` is null while nothing is settled; its `frames` are those that upheld the settled value. `axles`: of a
    sum of axles, what each one pressed; not there for a vehicle weighed at once.
    """
    weight: dict[str, Any] | None = None
    if settled is not None:
        weight = {
            "settled_kg": settled.kg,
            "uncertainty_kg": settled.uncertainty_kg,
            "from": settled.from_at,
            "to": settled.to_at,
            "readings": settled.readings,
            "frames": _frames(runs),
        }
        if axles := [{"kg": load.kg, "uncertainty_kg": load.uncertainty_kg, "at": load.to_at} for load in loads]:
            weight["axles"] = axles
    return msgspec.json.encode({"weight": weight, "reads": _reads(reads)})


def digest(raw: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(raw).hexdigest()


def _frames(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """One line a distinct frame, in order of first appearance: a truck at rest shows two of them at most."""
    found: dict[bytes, dict[str, Any]] = {}
    for run in runs:
        known = found.get(run.raw)
        if known is None:
            found[run.raw] = {
                "digest": digest(run.raw), "raw": run.raw, "kg": run.kg, "status": run.status,
                "times": run.times, "first": run.first, "last": run.last,
            }  # fmt: skip
        else:
            known.update(times=known["times"] + run.times, last=run.last)
    return list(found.values())


def _reads(reads: Iterable[tuple[str, Word]]) -> list[dict[str, Any]]:
    """One line a distinct frame of a source: a tag under the antenna says the same again and again."""
    found: dict[tuple[str, bytes], dict[str, Any]] = {}
    for source, word in reads:
        known = found.get((source, word.raw))
        if known is None:
            found[source, word.raw] = _read(source, word)
        else:
            known.update(times=known["times"] + 1, last=word.at)
    return list(found.values())


def _read(source: str, word: Word) -> dict[str, Any]:
    head = {
        "source": source, "digest": digest(word.raw), "raw": word.raw, "times": 1, "first": word.at, "last": word.at,
    }  # fmt: skip
    if isinstance(word, Tag):
        return head | {"what": "tag", "text": word.hex, "plate": word.plate}
    if isinstance(word, Card | SealSeen):
        return head | {"what": "card" if isinstance(word, Card) else "seal", "text": word.number}
    return head | {"what": word.what, "text": word.text, "confidence": word.confidence}
