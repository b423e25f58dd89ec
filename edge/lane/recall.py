"""What the book says was under way when the last process of this lane ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from drivers.readings import Instant
from gateway_ctl.book import Entry
from gateway_ctl.deeds import Passage, Phase


@dataclass(slots=True)
class Recalled:
    """What a lane that starts must know."""

    passage: Passage | None = None
    """A passage that was opened and not closed."""
    raised: bool = False
    """The raise output was written in it, and the boom was not confirmed down since."""
    spent: set[str] = field(default_factory=set[str])
    unreported: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Crossings that customs has not acknowledged, by passage."""
    passages_today: int = 0
    refusals_today: int = 0
    overrides_today: int = 0


def recall(book: Iterable[Entry], today: Instant) -> Recalled:
    """Read the book from its first entry to its last. `today`: when this day began."""
    found = Recalled()
    for entry in book:
        match entry.kind:
            case "opened":
                found.passage, found.raised = Passage(id=entry.passage or "", opened_at=entry.at), False
                found.passages_today += entry.at >= today
            case "closed":
                found.passage, found.raised = None, False
                found.unreported[entry.passage or ""] = entry.plain()
            case "reported":
                found.unreported.pop(entry.passage or "", None)
            case "refusal":
                found.refusals_today += entry.at >= today
            case "boom":
                _boom(found, entry, today)
            case _:
                pass
    return found


class _Boom(msgspec.Struct):
    movement: str
    phase: str
    order: str | None
    by_person: bool


def _boom(found: Recalled, entry: Entry, today: Instant) -> None:
    boom = msgspec.json.decode(entry.body, type=_Boom)
    raising = boom.movement == "raise"
    if boom.phase == Phase.WRITTEN and raising:
        # The entry stands before the write: the boom may have moved even if nothing follows it in the book.
        found.raised = True
        found.overrides_today += boom.by_person and entry.at >= today
        if boom.order is not None:
            found.spent.add(boom.order)
    elif boom.phase == Phase.REFUSED and raising and boom.order is not None:
        found.raised = False
        found.spent.discard(boom.order)
    elif boom.phase == Phase.CONFIRMED and not raising:
        found.raised = False
