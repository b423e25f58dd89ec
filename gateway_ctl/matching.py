"""Declared against seen, check by check: what the order names and what the lane has read and weighed. Pure.

A paper that came beforehand declares too. It never stands in an order's place: where both speak, both must hold.

Every check is always there, in one order, with what was declared, what was seen and what that makes; so the page that
shows them and the interlock that refuses on them cannot disagree.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from gateway_ctl.correction import Check, Correction
from gateway_ctl.modes import Consequence
from gateway_ctl.orders import Order
from gateway_ctl.picture import Container, Identity, Picture, Plate, Rules
from gateway_ctl.reasons import Reason


class Found(StrEnum):
    """What a comparison has come to."""

    SAME = "same"
    FREE = "free"
    """Nothing is declared and nothing is asked for."""
    UNREAD = "unread"
    """Declared or asked for, and not read, or not surely."""
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One check."""

    check: Check
    declared: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    found: Found
    reasons: tuple[Reason, ...] = ()
    by: str | None = None
    """The person who corrected what was seen."""


def match(picture: Picture, order: Order | None, rules: Rules) -> tuple[Line, ...]:
    """All checks, in the order of Check. Without an order only what the lane itself asks for can fail."""
    who = {correction.check: correction.person for correction in picture.identity.corrections}
    lines = (
        _plate(picture.identity, order, rules),
        _tag(picture.identity, rules, aside=Check.TAG in who),
        _trailer(picture.identity, order, rules),
        _containers(picture, order),
        _seals(picture.identity, order, rules),
        _weight(picture, order, rules),
        _direction(picture, order),
        _document(order, rules),
    )
    return tuple(replace(line, by=who[line.check]) if line.check in who else line for line in lines)


def reasons(lines: Iterable[Line]) -> list[Reason]:
    """Every reason of every line."""
    return [reason for line in lines for reason in line.reasons]


def consequence(lines: Iterable[Line], rules: Rules) -> Consequence | None:
    """The gravest that the failed checks lead to; None when none failed."""
    led = {rules.on_failed.of(line.check) for line in lines if line.reasons}
    return max(led, key=_GRAVITY.index, default=None)


_GRAVITY = (Consequence.RETRY, Consequence.CORRECT, Consequence.INSPECT, Consequence.REFUSE)


def barred(correction: Correction, picture: Picture, rules: Rules) -> tuple[Reason, ...]:
    """Why this correction is not taken; empty when it is. Who signed it has been judged before."""
    why: list[Reason] = []
    if correction.site != picture.site:
        why.append(Reason.ORDER_OTHER_SITE)
    if correction.lane != picture.lane:
        why.append(Reason.ORDER_OTHER_LANE)
    if correction.passage != picture.passage:
        why.append(Reason.ORDER_OTHER_PASSAGE)
    if not correction.issued_at <= picture.at + rules.skew_s:
        why.append(Reason.ORDER_FROM_FUTURE)
    if not picture.at < correction.expires_at:
        why.append(Reason.ORDER_EXPIRED)
    if not correction.expires_at - correction.issued_at <= rules.order_life_s:
        why.append(Reason.ORDER_LIVES_TOO_LONG)
    if rules.on_failed.of(correction.check) is not Consequence.CORRECT:
        why.append(Reason.CORRECTION_BARRED)
    if not why and set(correction.seen) != set(values(picture.identity, correction.check)):
        why.append(Reason.CORRECTION_STALE)
    return tuple(why)


def values(identity: Identity, check: Check) -> tuple[str, ...]:
    """What was read for a check that a person may correct, as a page shows it and a correction names it."""
    match check:
        case Check.PLATE:
            return () if identity.plate is None else (identity.plate.text,)
        case Check.TRAILER:
            return () if identity.trailer is None else (identity.trailer.text,)
        case Check.CONTAINERS:
            return tuple(container.code for container in identity.containers)
        case Check.SEAL:
            return identity.seal_numbers
        case Check.TAG:
            return identity.tag_plates or identity.tags
        case _:
            return ()


def corrected(identity: Identity, by_hand: Iterable[Correction], valid: Iterable[str] = ()) -> Identity:
    """The identity with a person's reads in the places of the instruments'. The newest correction of a check counts.

    `valid`: container codes whose check digit is true; a person may read a false one off a box, and customs shall know.
    """
    newest: dict[Check, Correction] = {}
    for correction in by_hand:
        newest[correction.check] = correction
    true = set(valid)
    for check, correction in newest.items():
        match check:
            case Check.PLATE:
                identity = replace(identity, plate=Plate(correction.value[0], 1.0))
            case Check.TRAILER:
                identity = replace(identity, trailer=Plate(correction.value[0], 1.0))
            case Check.CONTAINERS:
                boxes = (Container(code, 1.0, code in true) for code in sorted(set(correction.value)))
                identity = replace(identity, containers=tuple(boxes))
            case Check.SEAL:
                identity = replace(identity, seal_numbers=tuple(sorted(set(correction.value))))
            case _:
                pass
    return replace(identity, corrections=tuple(newest[check] for check in Check if check in newest))


def _plate(identity: Identity, order: Order | None, rules: Rules) -> Line:
    declared = () if order is None or order.plate is None else (order.plate,)
    seen = values(identity, Check.PLATE)
    plate = identity.plate
    if plate is None:
        why = (Reason.PLATE_UNREAD,) if rules.needs_plate or declared else ()
        return _line(Check.PLATE, declared, seen, Found.UNREAD if why else Found.FREE, why)
    if order is not None and order.plate != plate.text:
        why = (Reason.ORDER_OTHER_PLATE,)
        unsure = (Reason.PLATE_UNSURE,) if not plate.confidence >= rules.plate_sure else ()
        return _line(Check.PLATE, declared, seen, Found.DIFFERS, (*unsure, *why))
    if not plate.confidence >= rules.plate_sure:
        return _line(Check.PLATE, declared, seen, Found.UNREAD, (Reason.PLATE_UNSURE,))
    return _line(Check.PLATE, declared, seen, Found.SAME if declared else Found.FREE)


def _tag(identity: Identity, rules: Rules, *, aside: bool) -> Line:
    """The tag's own plate against the plate that was read. `aside`: a person has said that the tag does not count."""
    against = values(identity, Check.PLATE)
    seen = values(identity, Check.TAG)
    if aside:
        return _line(Check.TAG, against, seen, Found.FREE)
    if against and any(other != against[0] for other in identity.tag_plates):
        return _line(Check.TAG, against, seen, Found.DIFFERS, (Reason.TAG_OTHER_TRUCK,))
    if rules.needs_tag and not identity.tags:
        return _line(Check.TAG, against, seen, Found.UNREAD, (Reason.TAG_UNREAD,))
    return _line(Check.TAG, against, seen, Found.SAME if against and identity.tag_plates else Found.FREE)


def _trailer(identity: Identity, order: Order | None, rules: Rules) -> Line:
    declared = () if order is None or order.trailer is None else (order.trailer,)
    trailer, seen = identity.trailer, values(identity, Check.TRAILER)
    if trailer is None:
        why = (Reason.TRAILER_UNREAD,) if rules.needs_trailer or declared else ()
        return _line(Check.TRAILER, declared, seen, Found.UNREAD if why else Found.FREE, why)
    if not declared or declared == seen:
        return _line(Check.TRAILER, declared, seen, Found.SAME if declared else Found.FREE)
    if not trailer.confidence >= rules.plate_sure:
        return _line(Check.TRAILER, declared, seen, Found.UNREAD, (Reason.TRAILER_UNREAD,))
    return _line(Check.TRAILER, declared, seen, Found.DIFFERS, (Reason.ORDER_OTHER_TRAILER,))


def _containers(picture: Picture, order: Order | None) -> Line:
    """In any order; a box too many is as wrong as a box too few."""
    line = _boxes(picture.identity, order)
    if line.found in (Found.DIFFERS, Found.UNREAD) or picture.paper is None or not picture.paper.containers:
        return line
    named, read = set(picture.paper.containers), set(line.seen)
    if named == read:
        return replace(line, declared=picture.paper.containers, found=Found.SAME)
    if not read - named:
        return _line(Check.CONTAINERS, picture.paper.containers, line.seen, Found.UNREAD, (Reason.CONTAINER_UNREAD,))
    why = (Reason.PAPER_OTHER_CONTAINERS,)
    return _line(Check.CONTAINERS, picture.paper.containers, line.seen, Found.DIFFERS, why)


def _boxes(identity: Identity, order: Order | None) -> Line:
    declared = () if order is None else order.containers
    seen = values(identity, Check.CONTAINERS)
    false = (Reason.CONTAINER_FALSE,) if any(not box.check_ok for box in identity.containers) else ()
    if order is None:
        return _line(Check.CONTAINERS, declared, seen, Found.UNREAD if false else Found.FREE, false)
    named, read = set(declared), set(seen)
    if named - read and not read - named:
        return _line(Check.CONTAINERS, declared, seen, Found.UNREAD, (*false, Reason.CONTAINER_UNREAD))
    if named != read:
        return _line(Check.CONTAINERS, declared, seen, Found.DIFFERS, (*false, Reason.ORDER_OTHER_CONTAINERS))
    return _line(Check.CONTAINERS, declared, seen, Found.UNREAD if false else Found.SAME, false)


def _seals(identity: Identity, order: Order | None, rules: Rules) -> Line:
    """In any order. Seals that nobody declared say nothing; a declared one that is not there says everything."""
    declared = () if order is None else order.seal_numbers
    seen = identity.seal_numbers
    named, read = set(declared), set(seen)
    if not read and rules.needs_seal:
        return _line(Check.SEAL, declared, seen, Found.UNREAD, (Reason.SEAL_UNREAD,))
    if not named:
        return _line(Check.SEAL, declared, seen, Found.FREE)
    if named - read and not read - named:
        return _line(Check.SEAL, declared, seen, Found.UNREAD, (Reason.SEAL_UNREAD,))
    if named != read:
        return _line(Check.SEAL, declared, seen, Found.DIFFERS, (Reason.ORDER_OTHER_SEALS,))
    return _line(Check.SEAL, declared, seen, Found.SAME)


def _weight(picture: Picture, order: Order | None, rules: Rules) -> Line:
    """Within the tolerance of the declaration, or else the site's, and what the weighing itself leaves open."""
    deck, paper_kg = picture.deck, None if picture.paper is None else picture.paper.gross_kg
    declared_kg = None if order is None else order.declared_kg
    declared = tuple(str(kg) for kg in dict.fromkeys((declared_kg, paper_kg)) if kg is not None)
    if deck.settled_kg is None or deck.uncertainty_kg is None:
        # The interlock says what the weighbridge lacks, in its own words.
        return _line(Check.WEIGHT, declared, (), Found.UNREAD if declared or rules.needs_weight else Found.FREE)
    seen = (str(deck.settled_kg),)
    why: list[Reason] = []
    if order is not None and order.declared_kg is not None:
        tolerance_kg = _within(order.declared_kg, order, rules)
        if abs(deck.settled_kg - order.declared_kg) > tolerance_kg + deck.uncertainty_kg:
            why.append(Reason.WEIGHT_OFF_DECLARED)
    if (
        paper_kg is not None
        and abs(deck.settled_kg - paper_kg) > paper_kg * rules.tolerance_share + deck.uncertainty_kg
    ):
        why.append(Reason.WEIGHT_OFF_PAPER)
    found = Found.DIFFERS if why else Found.SAME if declared else Found.FREE
    return _line(Check.WEIGHT, declared, seen, found, tuple(why))


def tolerance(order: Order, rules: Rules) -> Decimal | None:
    """kg by which the weight may be off what this order declares; None when it declares no weight."""
    return None if order.declared_kg is None else _within(order.declared_kg, order, rules)


def _within(declared_kg: Decimal, order: Order, rules: Rules) -> Decimal:
    return declared_kg * rules.tolerance_share if order.tolerance_kg is None else order.tolerance_kg


def _direction(picture: Picture, order: Order | None) -> Line:
    declared = () if order is None or order.direction is None else (order.direction,)
    noted = () if picture.paper is None or picture.paper.direction is None else (picture.paper.direction,)
    seen = () if picture.direction is None else (picture.direction,)
    if declared and declared != seen:
        return _line(Check.DIRECTION, declared, seen, Found.DIFFERS, (Reason.ORDER_OTHER_DIRECTION,))
    if noted and noted != seen:
        return _line(Check.DIRECTION, noted, seen, Found.DIFFERS, (Reason.PAPER_OTHER_DIRECTION,))
    return _line(Check.DIRECTION, declared or noted, seen, Found.SAME if declared or noted else Found.FREE)


def _document(order: Order | None, rules: Rules) -> Line:
    """The type that customs names against those that this lane takes."""
    declared = () if order is None or order.document is None else (order.document,)
    if order is None or not rules.documents:
        return _line(Check.DOCUMENT, declared, rules.documents, Found.FREE)
    if order.document not in rules.documents:
        return _line(Check.DOCUMENT, declared, rules.documents, Found.DIFFERS, (Reason.ORDER_OTHER_DOCUMENT,))
    return _line(Check.DOCUMENT, declared, rules.documents, Found.SAME)


def _line(
    check: Check, declared: tuple[str, ...], seen: tuple[str, ...], found: Found, why: tuple[Reason, ...] = ()
) -> Line:
    return Line(check=check, declared=declared, seen=seen, found=found, reasons=why)
