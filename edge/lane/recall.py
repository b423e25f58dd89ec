"""What the book says was under way when the last process of this lane ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from drivers.readings import Instant
from gateway_ctl.book import Entry
from gateway_ctl.deeds import Passage, Phase
from gateway_ctl.orders import Order, Origin, Seal, SignedOrder, parse


@dataclass(slots=True)
class Recalled:
    """What a lane that starts must know."""

    passage: Passage | None = None
    """A passage that was opened and not closed."""
    raised: bool = False
    """The raise output was written in it, and the boom was not confirmed down since."""
    spent: set[str] = field(default_factory=set[str])
    keep: Order | None = None
    """The hold-open that held."""
    verdicts: list[SignedOrder] = field(default_factory=list[SignedOrder])
    """As they came; the keyring judges them again."""
    unreported: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Crossings that customs has not acknowledged, by passage."""
    written: str = ""
    """The permit whose movement was about to be written last."""
    passages: list[Instant] = field(default_factory=list[Instant])
    refusals: list[Instant] = field(default_factory=list[Instant])
    overrides: dict[str, Instant] = field(default_factory=dict[str, Instant])
    """Orders of persons that raised the boom, or held it open, and when."""


def recall(book: Iterable[Entry], counted_from: Instant) -> Recalled:
    """Read the book from its first entry to its last. Counts and verdicts begin at `counted_from`."""
    found = Recalled()
    for entry in book:
        match entry.kind:
            case "opened":
                found.passage, found.raised = Passage(id=entry.passage or "", opened_at=entry.at), False
                if entry.at >= counted_from:
                    found.passages.append(entry.at)
            case "closed":
                found.passage, found.raised = None, False
                found.unreported[entry.passage or ""] = entry.plain()
            case "reported":
                found.unreported.pop(entry.passage or "", None)
            case "refusal":
                if entry.at >= counted_from:
                    found.refusals.append(entry.at)
            case "boom":
                _boom(found, entry)
            case "spent":
                found.spent.add(entry.plain()["order"])
            case "keep":
                _keep(found, entry)
            case "verdict":
                if entry.at >= counted_from:
                    found.verdicts.append(_signed(entry))
            case _:
                pass
    return found


class _Boom(msgspec.Struct):
    permit: str
    movement: str
    phase: str
    order: str | None
    by_person: bool


class _Keep(msgspec.Struct):
    holds: bool
    payload: bytes
    persons: list[str]


def _keep(found: Recalled, entry: Entry) -> None:
    said = msgspec.json.decode(entry.body, type=_Keep)
    order = replace(parse(said.payload), origin=Origin.PERSON, issuer=said.persons[0], persons=tuple(said.persons))
    found.keep = order if said.holds else None
    if said.holds:
        found.overrides.setdefault(order.id, entry.at)


def _signed(entry: Entry) -> SignedOrder:
    said = msgspec.json.decode(entry.body, type=_Sealed)
    return SignedOrder(
        payload=said.payload, seals=tuple(Seal(key=seal.key, signature=seal.signature) for seal in said.seals)
    )


class _Seal(msgspec.Struct):
    key: str
    signature: bytes


class _Sealed(msgspec.Struct):
    payload: bytes
    seals: list[_Seal]


def _boom(found: Recalled, entry: Entry) -> None:
    boom = msgspec.json.decode(entry.body, type=_Boom)
    raising = boom.movement == "raise"
    if boom.phase == Phase.WRITTEN:
        found.written = boom.permit
        if boom.order is not None:
            found.spent.add(boom.order)
    elif boom.phase == Phase.REFUSED and boom.permit == found.written and boom.order is not None:
        # The driver has said that nothing was written after all.
        found.spent.discard(boom.order)
    if boom.phase == Phase.WRITTEN and raising:
        # The entry stands before the write: the boom may have moved even if nothing follows it in the book.
        found.raised = True
        if boom.by_person and boom.order is not None:
            found.overrides[boom.order] = entry.at
    elif boom.phase == Phase.REFUSED and raising and boom.permit == found.written and boom.order is not None:
        found.raised = False
        found.overrides.pop(boom.order, None)
    elif boom.phase == Phase.CONFIRMED and not raising:
        found.raised = False
