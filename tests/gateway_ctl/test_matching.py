"""Declared against seen, check by check: every line as a page shows it and as the interlock counts it.

More than 400 lines: eight checks, and each has its own ways to be free, the same, unread or different.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest

from drivers.readings import Instant
from gateway_ctl.correction import Check, Correction
from gateway_ctl.matching import Found, Line, barred, consequence, corrected, match, reasons, tolerance, values
from gateway_ctl.modes import Consequence
from gateway_ctl.orders import Order
from gateway_ctl.picture import Container, Identity, OnFailed, Paper, Picture, Plate, Rules
from gateway_ctl.reasons import Reason
from tests.gateway_ctl.scene import IDENTITY, NOW, PASSAGE, RULES, deck, order, picture

BOX, BOX2 = Container("CSQU3054383", 0.93, True), Container("TCNU7200794", 0.9, True)
FALSE_BOX = Container("CSQU3054383", 0.93, False)


def line(check: Check, of: Picture | None = None, wish: Order | None = None, rules: Rules = RULES) -> Line:
    """The one line of this check; without an order unless one is given."""
    (found,) = [each for each in match(of or picture(), wish, rules) if each.check is check]
    return found


def read(**changes: object) -> Picture:
    return picture(identity=replace(IDENTITY, **changes))


def short(found: Line) -> tuple[Found, tuple[Reason, ...]]:
    return found.found, found.reasons


FREE = (Found.FREE, ())
SAME = (Found.SAME, ())


def test_every_check_is_always_there_in_one_order() -> None:
    for wish in (None, order()):
        assert [each.check for each in match(picture(), wish, RULES)] == list(Check)
    assert match(picture(), order(), RULES) == (
        Line(check=Check.PLATE, declared=("沪AD3F88",), seen=("沪AD3F88",), found=Found.SAME),
        Line(check=Check.TAG, declared=("沪AD3F88",), seen=("沪AD3F88",), found=Found.SAME),
        Line(check=Check.TRAILER, found=Found.FREE),
        Line(check=Check.CONTAINERS, declared=("CSQU3054383",), seen=("CSQU3054383",), found=Found.SAME),
        Line(check=Check.SEAL, found=Found.FREE),
        Line(check=Check.WEIGHT, declared=("38000",), seen=("38260",), found=Found.SAME),
        Line(check=Check.DIRECTION, seen=("in",), found=Found.FREE),
        Line(check=Check.DOCUMENT, found=Found.FREE),
    )


def test_a_line_shows_what_was_declared_and_what_was_seen_whatever_that_makes() -> None:
    """Every mixture of a bare and a full order with a bare and a full read, good or doubtful."""
    takes = replace(RULES, documents=("DEC", "TRAN"), needs_tag=True, needs_trailer=True, needs_seal=True)
    full = order(
        trailer="沪B001挂", seal_numbers=("S1", "S2"), containers=("CSQU3054383", "TCNU7200794"), direction="in",
        document="TRAN",
    )  # fmt: skip
    bare = order(plate=None, containers=(), declared_kg=None, tolerance_kg=None)
    everything = replace(IDENTITY, trailer=Plate("沪B001挂", 0.9), seal_numbers=("S2", "S1"), containers=(BOX2, BOX))
    doubtful = replace(
        everything, plate=Plate("沪AD3F80", 0.1), trailer=Plate("沪B002挂", 0.1), containers=(FALSE_BOX,), tags=(),
        tag_plates=(), seal_numbers=("S1",),
    )  # fmt: skip
    for wish in (None, bare, full):
        for identity in (Identity(), IDENTITY, everything, doubtful):
            for shown in (picture(identity=identity), picture(identity=identity, direction=None)):
                told = {each.check: (each.declared, each.seen) for each in match(shown, wish, takes)}
                named = full if wish is full else None
                plate = () if identity.plate is None else (identity.plate.text,)
                trailer = () if identity.trailer is None else (identity.trailer.text,)
                assert told == {
                    Check.PLATE: (("沪AD3F88",) if named else (), plate),
                    Check.TAG: (plate, identity.tag_plates or identity.tags),
                    Check.TRAILER: (("沪B001挂",) if named else (), trailer),
                    Check.CONTAINERS: (
                        named.containers if named else (), tuple(box.code for box in identity.containers),
                    ),
                    Check.SEAL: (("S1", "S2") if named else (), identity.seal_numbers),
                    Check.WEIGHT: (("38000",) if named else (), ("38260",)),
                    Check.DIRECTION: (("in",) if named else (), () if shown.direction is None else ("in",)),
                    Check.DOCUMENT: (("TRAN",) if named else (), ("DEC", "TRAN")),
                }  # fmt: skip


def test_the_containers_of_a_paper() -> None:
    """A paper that came beforehand is one demand more, and never in the order's place."""

    def said(of: Picture, wish: Order | None = None) -> tuple[Found, tuple[Reason, ...], tuple[str, ...]]:
        found = line(Check.CONTAINERS, of, wish)
        assert found.seen == tuple(box.code for box in of.identity.containers)
        return found.found, found.reasons, found.declared

    def paper(*codes: str, boxes: tuple[Container, ...] = (BOX,)) -> Picture:
        return replace(read(containers=boxes), paper=Paper(document="P-1", containers=codes))

    one, two = "CSQU3054383", "TCNU7200794"
    for wish in (None, order()):
        assert said(paper(one), wish) == (Found.SAME, (), (one,))
        assert said(paper(one, two), wish) == (Found.UNREAD, (Reason.CONTAINER_UNREAD,), (one, two))
        assert said(paper(two), wish) == (Found.DIFFERS, (Reason.PAPER_OTHER_CONTAINERS,), (two,))
    assert said(paper()) == (Found.FREE, (), ())
    assert said(paper(), order()) == (Found.SAME, (), (one,))
    assert said(paper(two, one, boxes=(BOX, BOX2))) == (Found.SAME, (), (two, one))
    assert said(paper(one, boxes=(BOX, BOX2))) == (Found.DIFFERS, (Reason.PAPER_OTHER_CONTAINERS,), (one,))
    assert said(paper(one, boxes=())) == (Found.UNREAD, (Reason.CONTAINER_UNREAD,), (one,))
    # What the order or the box itself has against it is said first, and alone.
    assert said(paper(two), order(containers=(two,)))[1] == (Reason.ORDER_OTHER_CONTAINERS,)
    assert said(paper(two), order(containers=(one, two)))[1] == (Reason.CONTAINER_UNREAD,)
    assert said(paper(two, boxes=(FALSE_BOX,)))[1] == (Reason.CONTAINER_FALSE,)


def test_the_weight_of_a_paper() -> None:
    def said(kg: int, paper_kg: int | None, wish: Order | None = None, rules: Rules = RULES) -> Line:
        paper = Paper(document="P-1", gross_kg=None if paper_kg is None else Decimal(paper_kg))
        return line(Check.WEIGHT, picture(deck=deck(kg), paper=paper), wish, rules)

    off = (Found.DIFFERS, (Reason.WEIGHT_OFF_PAPER,))
    assert short(said(38_000, None)) == FREE
    for kg in (39_910, 36_090):
        assert short(said(kg, 38_000)) == SAME, "a twentieth, and 10 kg that the weighing leaves open"
    for kg in (39_911, 36_089):
        assert short(said(kg, 38_000)) == off
    assert short(said(38_391, 38_000, None, replace(RULES, tolerance_share=Decimal("0.01")))) == off
    assert said(38_000, 38_000).declared == ("38000",)
    both = said(38_000, 37_000, order())
    assert (short(both), both.declared) == (SAME, ("38000", "37000"))
    assert said(38_000, 38_000, order()).declared == ("38000",), "what both say is shown once"
    assert short(said(38_000, 60_000, order())) == off
    assert short(said(60_000, 60_000, order())) == (Found.DIFFERS, (Reason.WEIGHT_OFF_DECLARED,))
    assert said(50_000, 10_000, order()).reasons == (Reason.WEIGHT_OFF_DECLARED, Reason.WEIGHT_OFF_PAPER)
    unsettled = picture(deck=deck(settled_kg=None), paper=Paper(document="P-1", gross_kg=Decimal(1)))
    assert short(line(Check.WEIGHT, unsettled, None, replace(RULES, needs_weight=False))) == (Found.UNREAD, ())


def test_the_direction_of_a_paper() -> None:
    def said(noted: Literal["in", "out"] | None, wish: Order | None = None, of: Picture | None = None) -> Line:
        return line(Check.DIRECTION, replace(of or picture(), paper=Paper(document="P-1", direction=noted)), wish)

    assert short(said(None)) == FREE
    assert (short(said("in")), said("in").declared) == (SAME, ("in",))
    other = said("out")
    assert (short(other), other.declared, other.seen) == (
        (Found.DIFFERS, (Reason.PAPER_OTHER_DIRECTION,)), ("out",), ("in",),
    )  # fmt: skip
    assert short(said("in", order(direction="in"))) == short(said(None, order(direction="in"))) == SAME
    assert said("out", order(direction="in")).reasons == (Reason.PAPER_OTHER_DIRECTION,)
    assert said("out", order(direction="out")).reasons == (Reason.ORDER_OTHER_DIRECTION,)
    assert said("in", None, picture(direction=None)).reasons == (Reason.PAPER_OTHER_DIRECTION,)


def test_every_reason_of_every_line() -> None:
    lines = match(read(plate=None), order(direction="out"), RULES)
    assert reasons(lines) == [Reason.PLATE_UNREAD, Reason.ORDER_OTHER_DIRECTION]
    assert reasons(()) == []


def test_the_plate() -> None:
    none, unsure, sure = read(plate=None), read(plate=Plate("沪AD3F88", 0.79)), read(plate=Plate("沪AD3F88", 0.8))
    free = replace(RULES, needs_plate=False)
    good, other, without = order(), order(plate="沪AD3F89"), order(plate=None)

    def said(of: Picture, wish: Order | None = None, rules: Rules = RULES) -> tuple[Found, tuple[Reason, ...]]:
        return short(line(Check.PLATE, of, wish, rules))

    unread, doubtful = (Found.UNREAD, (Reason.PLATE_UNREAD,)), (Found.UNREAD, (Reason.PLATE_UNSURE,))
    assert said(none) == said(none, good) == said(none, without) == said(none, good, free) == unread
    assert said(none, None, free) == said(none, without, free) == FREE
    assert said(sure) == FREE
    assert said(sure, good) == SAME
    assert said(unsure) == said(unsure, good) == doubtful
    assert said(sure, other) == said(sure, without) == (Found.DIFFERS, (Reason.ORDER_OTHER_PLATE,))
    assert said(unsure, other) == (Found.DIFFERS, (Reason.PLATE_UNSURE, Reason.ORDER_OTHER_PLATE))
    shown = line(Check.PLATE, sure, other)
    assert (shown.declared, shown.seen) == (("沪AD3F89",), ("沪AD3F88",))
    assert line(Check.PLATE, none, without).declared == ()
    assert line(Check.PLATE, none).seen == ()


def test_the_tag() -> None:
    needs = replace(RULES, needs_tag=True)

    def said(rules: Rules = RULES, **changes: object) -> tuple[Found, tuple[Reason, ...]]:
        return short(line(Check.TAG, read(**changes), None, rules))

    assert said() == said(needs) == SAME
    other = (Found.DIFFERS, (Reason.TAG_OTHER_TRUCK,))
    assert said(tag_plates=("沪AD3F89",)) == said(tag_plates=("沪AD3F88", "沪AD3F89")) == other
    assert said(tag_plates=()) == said(needs, tag_plates=()) == FREE
    assert said(tags=(), tag_plates=()) == FREE
    assert said(needs, tags=(), tag_plates=()) == (Found.UNREAD, (Reason.TAG_UNREAD,))
    assert said(plate=None) == FREE, "no plate to hold it against"
    shown = line(Check.TAG, read(tag_plates=("沪AD3F89",)))
    assert (shown.declared, shown.seen) == (("沪AD3F88",), ("沪AD3F89",))
    assert line(Check.TAG, read(tag_plates=())).seen == IDENTITY.tags


def by_hand(check: Check, *value: str, **changes: object) -> Correction:
    good = Correction(
        id="c-1", site="qianwan", lane="L01", passage=PASSAGE, check=check, seen=("沪AD3F88",), value=value,
        person="li.wei", issued_at=Instant(NOW - 1), expires_at=Instant(NOW + 59), reason_zh="看错",
        reason_en="misread",
    )  # fmt: skip
    return replace(good, **changes)


def test_a_tag_that_a_person_has_set_aside() -> None:
    aside = read(tag_plates=("沪AD3F89",), corrections=(by_hand(Check.TAG),))
    shown = line(Check.TAG, aside, None, replace(RULES, needs_tag=True))
    assert short(shown) == FREE
    assert shown.by == "li.wei"
    assert (shown.declared, shown.seen) == (("沪AD3F88",), ("沪AD3F89",))
    lines = match(read(corrections=(by_hand(Check.PLATE, "沪AD3F88", person="wang.fang"),)), order(), RULES)
    assert [each.by for each in lines] == ["wang.fang", *[None] * 7]


def test_the_trailer() -> None:
    needs = replace(RULES, needs_trailer=True)
    wish = order(trailer="沪B001挂")

    def said(trailer: Plate | None, wish: Order | None, rules: Rules = RULES) -> tuple[Found, tuple[Reason, ...]]:
        return short(line(Check.TRAILER, read(trailer=trailer), wish, rules))

    unread = (Found.UNREAD, (Reason.TRAILER_UNREAD,))
    assert said(None, None) == said(None, order()) == FREE
    assert said(None, wish) == said(None, None, needs) == said(None, order(), needs) == unread
    same, other = Plate("沪B001挂", 0.4), Plate("沪B002挂", 0.8)
    assert said(same, None) == said(same, order()) == said(other, order()) == FREE
    assert said(same, wish) == SAME
    assert said(other, wish) == (Found.DIFFERS, (Reason.ORDER_OTHER_TRAILER,))
    assert said(replace(other, confidence=0.79), wish) == unread
    shown = line(Check.TRAILER, read(trailer=other), wish)
    assert (shown.declared, shown.seen) == (("沪B001挂",), ("沪B002挂",))


def test_the_containers() -> None:
    def said(boxes: tuple[Container, ...], *named: str, wish: bool = True) -> tuple[Found, tuple[Reason, ...]]:
        return short(line(Check.CONTAINERS, read(containers=boxes), order(containers=named) if wish else None))

    false, other = Reason.CONTAINER_FALSE, Reason.ORDER_OTHER_CONTAINERS
    assert said((BOX,), wish=False) == said((), wish=False) == FREE
    assert said((FALSE_BOX,), wish=False) == (Found.UNREAD, (false,))
    assert said(()) == SAME
    assert said((BOX2, BOX), "CSQU3054383", "TCNU7200794") == SAME
    assert said((FALSE_BOX,), "CSQU3054383") == (Found.UNREAD, (false,))
    unread = Reason.CONTAINER_UNREAD
    assert said((), "CSQU3054383") == said((BOX,), "CSQU3054383", "TCNU7200794") == (Found.UNREAD, (unread,))
    assert said((FALSE_BOX,), "CSQU3054383", "TCNU7200794") == (Found.UNREAD, (false, unread))
    assert said((BOX,)) == said((BOX, BOX2), "CSQU3054383") == (Found.DIFFERS, (other,)), "a box too many"
    assert said((BOX,), "TCNU7200794") == (Found.DIFFERS, (other,))
    assert said((FALSE_BOX,), "TCNU7200794") == (Found.DIFFERS, (false, other))
    shown = line(Check.CONTAINERS, read(containers=(BOX2,)), order())
    assert (shown.declared, shown.seen) == (("CSQU3054383",), ("TCNU7200794",))
    assert line(Check.CONTAINERS).declared == ()


def test_the_seals() -> None:
    def said(on: tuple[str, ...], *named: str, needs: bool = False) -> tuple[Found, tuple[Reason, ...]]:
        wish, rules = order(seal_numbers=named), replace(RULES, needs_seal=needs)
        return short(line(Check.SEAL, read(seal_numbers=on), wish, rules))

    unread = (Found.UNREAD, (Reason.SEAL_UNREAD,))
    assert said(()) == said(("S1",)) == said(("S1",), needs=True) == FREE
    assert said((), "S1") == said((), needs=True) == unread
    assert said(("S1",), "S1", "S2") == unread
    assert said(("S2", "S1"), "S1", "S2") == SAME
    differs = (Found.DIFFERS, (Reason.ORDER_OTHER_SEALS,))
    assert said(("S1", "S2"), "S1") == said(("S3",), "S1") == said(("S1", "S3"), "S1", "S2") == differs
    assert short(line(Check.SEAL, read(seal_numbers=()), None, replace(RULES, needs_seal=True))) == unread
    assert short(line(Check.SEAL, read(seal_numbers=("S1",)))) == FREE
    shown = line(Check.SEAL, read(seal_numbers=("S3",)), order(seal_numbers=("S1",)))
    assert (shown.declared, shown.seen) == (("S1",), ("S3",))
    for on, named in ((("S1",), ()), (("S1",), ("S1",)), ((), ("S1",)), (("S1",), ("S1", "S2"))):
        shown = line(Check.SEAL, read(seal_numbers=on), order(seal_numbers=named))
        assert (shown.declared, shown.seen) == (named, on)


def test_the_weight() -> None:
    def said(
        kg: int, declared: int | None = 38_000, tolerance_kg: int | None = 1_000, rules: Rules = RULES
    ) -> tuple[Found, tuple[Reason, ...]]:
        wish = order(
            declared_kg=None if declared is None else Decimal(declared),
            tolerance_kg=None if tolerance_kg is None else Decimal(tolerance_kg),
        )
        return short(line(Check.WEIGHT, picture(deck=deck(kg)), wish, rules))

    off = (Found.DIFFERS, (Reason.WEIGHT_OFF_DECLARED,))
    # The weighing itself leaves 10 kg open.
    assert said(39_010) == said(36_990) == SAME
    assert said(39_011) == said(36_989) == off
    assert said(38_010, tolerance_kg=0) == SAME
    assert said(38_011, tolerance_kg=0) == off
    assert said(39_910, tolerance_kg=None) == said(36_090, tolerance_kg=None) == SAME, "a twentieth, and 10 kg"
    assert said(39_911, tolerance_kg=None) == said(36_089, tolerance_kg=None) == off
    assert said(38_390, tolerance_kg=None, rules=replace(RULES, tolerance_share=Decimal("0.01"))) == SAME
    assert said(38_391, tolerance_kg=None, rules=replace(RULES, tolerance_share=Decimal("0.01"))) == off
    assert said(99_000, None) == FREE
    assert short(line(Check.WEIGHT)) == FREE
    shown = line(Check.WEIGHT, picture(deck=deck(99_000)), order())
    assert (shown.declared, shown.seen) == (("38000",), ("99000",))


def test_a_weight_that_has_not_settled_is_the_interlocks_to_name() -> None:
    free = replace(RULES, needs_weight=False)
    for lacking in ({"settled_kg": None}, {"uncertainty_kg": None}):
        of = picture(deck=deck(**lacking))
        assert short(line(Check.WEIGHT, of)) == short(line(Check.WEIGHT, of, order(), free)) == (Found.UNREAD, ())
        assert short(line(Check.WEIGHT, of, None, free)) == FREE
        assert line(Check.WEIGHT, of, order()).declared == ("38000",)
        assert line(Check.WEIGHT, of, order()).seen == ()


def test_the_tolerance_of_an_order() -> None:
    assert tolerance(order(), RULES) == Decimal(1_900)
    assert tolerance(order(tolerance_kg=Decimal(0)), RULES) == 0
    assert tolerance(order(tolerance_kg=None), RULES) == Decimal(1_900)
    assert tolerance(order(tolerance_kg=None, declared_kg=Decimal(20_000)), RULES) == Decimal(1_000)
    assert tolerance(order(declared_kg=None), RULES) is None


def test_the_direction() -> None:
    assert short(line(Check.DIRECTION)) == short(line(Check.DIRECTION, None, order())) == FREE
    assert short(line(Check.DIRECTION, None, order(direction="in"))) == SAME
    other = (Found.DIFFERS, (Reason.ORDER_OTHER_DIRECTION,))
    assert short(line(Check.DIRECTION, None, order(direction="out"))) == other
    nowhere = picture(direction=None)
    assert short(line(Check.DIRECTION, nowhere, order(direction="in"))) == other
    assert line(Check.DIRECTION, nowhere).seen == ()
    shown = line(Check.DIRECTION, None, order(direction="out"))
    assert (shown.declared, shown.seen) == (("out",), ("in",))


def test_the_document() -> None:
    takes = replace(RULES, documents=("DEC", "TRAN"))

    def said(document: str | None, rules: Rules) -> tuple[Found, tuple[Reason, ...]]:
        return short(line(Check.DOCUMENT, None, order(document=document), rules))

    assert said("DEC", RULES) == said(None, RULES) == FREE
    assert said("TRAN", takes) == SAME
    assert said("OTHER", takes) == said(None, takes) == (Found.DIFFERS, (Reason.ORDER_OTHER_DOCUMENT,))
    assert short(line(Check.DOCUMENT, None, None, takes)) == FREE
    shown = line(Check.DOCUMENT, None, order(document="OTHER"), takes)
    assert (shown.declared, shown.seen) == (("OTHER",), ("DEC", "TRAN"))
    assert line(Check.DOCUMENT, None, None, takes).seen == ("DEC", "TRAN")


def test_the_gravest_of_what_failed_checks_lead_to() -> None:
    leads = replace(
        RULES,
        on_failed=OnFailed(plate=Consequence.RETRY, tag=Consequence.CORRECT, containers=Consequence.INSPECT,
                           weight=Consequence.REFUSE),
    )  # fmt: skip
    failed = {check: Line(check=check, found=Found.DIFFERS, reasons=(Reason.TAG_OTHER_TRUCK,)) for check in Check}

    def of(*checks: Check) -> Consequence | None:
        return consequence([failed[check] for check in checks], leads)

    assert of() is None
    assert of(Check.PLATE) is Consequence.RETRY
    assert of(Check.PLATE, Check.TAG) is of(Check.TAG, Check.PLATE) is Consequence.CORRECT
    assert of(Check.CONTAINERS, Check.TAG) is Consequence.INSPECT
    assert of(Check.TAG, Check.WEIGHT, Check.CONTAINERS, Check.PLATE) is Consequence.REFUSE
    assert consequence([Line(check=Check.WEIGHT, found=Found.SAME)], leads) is None, "it has not failed"
    assert consequence(match(picture(), order(), RULES), leads) is None


def test_what_each_check_leads_to_unless_a_site_says_otherwise() -> None:
    by_hand = {Check.PLATE, Check.TAG, Check.TRAILER, Check.CONTAINERS, Check.SEAL}
    for check in Check:
        assert OnFailed().of(check) is (Consequence.CORRECT if check in by_hand else Consequence.RETRY)


# corrections


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"site": "elsewhere"}, Reason.ORDER_OTHER_SITE),
        ({"lane": "L02"}, Reason.ORDER_OTHER_LANE),
        ({"passage": "L01-0"}, Reason.ORDER_OTHER_PASSAGE),
        ({"issued_at": Instant(NOW + 2.1)}, Reason.ORDER_FROM_FUTURE),
        ({"expires_at": NOW}, Reason.ORDER_EXPIRED),
        ({"expires_at": Instant(NOW + 600)}, Reason.ORDER_LIVES_TOO_LONG),
        ({"check": Check.WEIGHT}, Reason.CORRECTION_BARRED),
        ({"seen": ("沪AD3F80",)}, Reason.CORRECTION_STALE),
        ({"seen": ()}, Reason.CORRECTION_STALE),
    ],
)
def test_a_correction_that_is_not_taken(changes: dict[str, object], why: Reason) -> None:
    assert barred(replace(by_hand(Check.PLATE, "沪AD3F89"), **changes), picture(), RULES) == (why,)


def test_a_correction_that_is_taken() -> None:
    assert barred(by_hand(Check.PLATE, "沪AD3F89"), picture(), RULES) == ()
    for changes in ({"issued_at": Instant(NOW + 2)}, {"expires_at": Instant(NOW + 0.1)},
                    {"expires_at": Instant(NOW + 599)}):  # fmt: skip
        assert barred(by_hand(Check.PLATE, "沪AD3F89", **changes), picture(), RULES) == ()
    boxes = read(containers=(BOX, BOX2))
    assert barred(by_hand(Check.CONTAINERS, "X", seen=("TCNU7200794", "CSQU3054383")), boxes, RULES) == ()


def test_why_a_correction_is_not_taken_is_said_at_once() -> None:
    wrong = by_hand(Check.PLATE, "沪AD3F89", lane="L02", passage="L01-0", seen=())
    assert barred(wrong, picture(), RULES) == (Reason.ORDER_OTHER_LANE, Reason.ORDER_OTHER_PASSAGE)


@pytest.mark.parametrize("leads", list(Consequence))
def test_a_site_decides_what_may_be_corrected(leads: Consequence) -> None:
    rules = replace(RULES, on_failed=OnFailed(plate=leads))
    may = leads is Consequence.CORRECT
    expected = () if may else (Reason.CORRECTION_BARRED,)
    assert barred(by_hand(Check.PLATE, "沪AD3F89"), picture(), rules) == expected


FULL = replace(IDENTITY, trailer=Plate("沪B001挂", 0.7), seal_numbers=("S2", "S1"), containers=(BOX2, BOX))


def test_what_was_read_for_a_check() -> None:
    assert values(FULL, Check.PLATE) == ("沪AD3F88",)
    assert values(FULL, Check.TRAILER) == ("沪B001挂",)
    assert values(FULL, Check.CONTAINERS) == ("TCNU7200794", "CSQU3054383")
    assert values(FULL, Check.SEAL) == ("S2", "S1")
    assert values(FULL, Check.TAG) == ("沪AD3F88",)
    assert values(replace(FULL, tag_plates=()), Check.TAG) == FULL.tags
    for check in Check:
        assert values(Identity(), check) == ()
    for check in (Check.WEIGHT, Check.DIRECTION, Check.DOCUMENT):
        assert values(FULL, check) == ()


def test_a_persons_reads_take_the_places_of_the_instruments() -> None:
    plate, trailer = by_hand(Check.PLATE, "沪AD3F80"), by_hand(Check.TRAILER, "沪B009挂")
    boxes = by_hand(Check.CONTAINERS, "TCNU7200794", "CSQU3054380", "CSQU3054380")
    seals, tag = by_hand(Check.SEAL, "S9", "S8", "S9"), by_hand(Check.TAG)
    assert corrected(IDENTITY, ()) == IDENTITY
    assert corrected(FULL, [tag]) == replace(FULL, corrections=(tag,))
    assert corrected(FULL, [plate]) == replace(FULL, plate=Plate("沪AD3F80", 1.0), corrections=(plate,))
    assert corrected(FULL, [trailer]) == replace(FULL, trailer=Plate("沪B009挂", 1.0), corrections=(trailer,))
    assert corrected(FULL, [seals]) == replace(FULL, seal_numbers=("S8", "S9"), corrections=(seals,))
    assert corrected(FULL, [boxes], ["TCNU7200794"]) == replace(
        FULL, corrections=(boxes,),
        containers=(Container("CSQU3054380", 1.0, False), Container("TCNU7200794", 1.0, True)),
    )  # fmt: skip
    many = by_hand(Check.SEAL, *(f"S{n}" for n in range(9, 0, -1)))
    assert corrected(FULL, [many]).seal_numbers == tuple(f"S{n}" for n in range(1, 10))
    codes = [f"CSQU305438{n}" for n in range(9, 0, -1)]
    boxed = corrected(FULL, [by_hand(Check.CONTAINERS, *codes)])
    assert [box.code for box in boxed.containers] == codes[::-1]
    again = by_hand(Check.PLATE, "沪AD3F81", id="c-2")
    both = corrected(FULL, [seals, plate, again])
    assert both.plate == Plate("沪AD3F81", 1.0)
    assert both.corrections == (again, seals), "the newest of each check, in the order of checks"
