"""The interlock against the oracle: every class of picture with every class of order, none sampled."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from drivers.readings import Instant
from gateway_ctl import interlock
from gateway_ctl.interlock import Refusal, decide, decide_lowering, withdrawn
from gateway_ctl.modes import Mode, Silent
from gateway_ctl.orders import Movement, Permit
from gateway_ctl.picture import Empty, Picture, Rules
from gateway_ctl.reasons import Reason
from tests.gateway_ctl.classes import (
    BOOMS,
    FAULTS,
    HOURS,
    NOTES,
    ORDERS,
    READS,
    SCANS,
    TRUCKS,
    ZONES,
    Note,
    OrderClass,
    PictureClass,
    Scan,
    every_note,
    every_picture,
    every_standing,
    may_lower,
    may_raise,
    order_of,
)
from tests.gateway_ctl.scene import NOW, PASSAGE, RULES


def no_digest(_: Picture) -> str:
    return "0" * 64


@pytest.mark.timeout(240)
def test_every_picture_with_every_order(monkeypatch: pytest.MonkeyPatch) -> None:
    # The digest of a picture steers nothing, and would be computed a hundred thousand times.
    monkeypatch.setattr(interlock, "digest", no_digest)
    granted: Counter[str] = Counter()
    given: set[Reason] = set()
    cases = 0
    # An order that is not "good" or a person's is refused on every picture for what it is: the truck and the reads
    # matter to the rest only, so the product is walked whole for those and over boom, zone, fault and hour for these.
    for kind in ORDERS:
        whole = kind in ("good", "person", "person lower", "person hold open", "person lower now")
        for at in every_picture():
            if not whole and (at.truck not in ("weighed", "none") or at.reads != "good"):
                continue
            cases += 1
            answer = decide(at.picture(PASSAGE), order_of(kind, PASSAGE), NOW, RULES)
            allowed = may_lower(kind, at) if kind.startswith("person lower") else may_raise(kind, at)
            assert isinstance(answer, Permit) is allowed, (kind, at, answer)
            if isinstance(answer, Permit):
                granted[kind] += 1
                assert answer.movement is (Movement.LOWER if "lower" in kind else Movement.RAISE)
                assert answer.emergency is (kind == "person lower now")
                assert NOW < answer.expires_at <= NOW + RULES.permit_life_s
                assert withdrawn(answer, at.picture(PASSAGE), NOW, RULES) == ()
            else:
                assert answer.reasons
                assert len(set(answer.reasons)) == len(answer.reasons)
                given |= set(answer.reasons)
    print(f"interlock: {cases} cases, permits {dict(granted)}, {len(given)} different reasons given")
    assert set(granted) == {"good", "person", "two persons", "person lower", "person hold open", "person lower now"}


EMPTY = replace(RULES, silent=Silent.KNOWN_EMPTY, empties=(Empty("沪AD3F88", Decimal(38_000)),))
"""The truck of the scene stands on the site's list."""


@pytest.mark.parametrize("rules", [RULES, replace(EMPTY, needs_scan=True), EMPTY], ids=["usual", "scan", "empties"])
def test_every_standing_with_every_order(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interlock, "digest", no_digest)
    granted: Counter[str] = Counter()
    kinds = ("good", "person", "two persons late", "person lower", "person lower now", "person hold open", "local")
    for at in every_standing():
        picture = at.picture(PASSAGE)
        for kind in kinds:
            answer = decide(picture, order_of(kind, PASSAGE), NOW, rules)
            lowers = "lower" in kind
            allowed = may_lower(kind, at) if lowers else may_raise(kind, at, needs_scan=rules.needs_scan)
            if kind == "local" and rules is RULES:
                allowed = False
            assert isinstance(answer, Permit) is allowed, (kind, at, answer)
            if isinstance(answer, Permit):
                granted[kind] += 1
                assert withdrawn(answer, picture, NOW, rules) == ()
                shadow = replace(picture, mode=Mode.SHADOW)
                assert withdrawn(answer, shadow, NOW, rules) == (Reason.LANE_IN_SHADOW,)
    assert set(granted) >= {"good", "person", "person lower", "person lower now", "person hold open"}
    assert ("local" in granted) is (rules is EMPTY)


PAPERED: tuple[OrderClass, ...] = (
    "none", "good", "other boxes", "off weight", "person", "person hold open", "local",
)  # fmt: skip


def test_every_paper_with_every_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A paper that came beforehand takes away, and never gives."""
    monkeypatch.setattr(interlock, "digest", no_digest)
    granted: Counter[tuple[str, Note]] = Counter()
    for at in every_note():
        picture = at.picture(PASSAGE)
        for kind in PAPERED:
            answer = decide(picture, order_of(kind, PASSAGE), NOW, EMPTY)
            assert isinstance(answer, Permit) is may_raise(kind, at), (kind, at, answer)
            if isinstance(answer, Permit):
                granted[kind, at.note] += 1
                assert withdrawn(answer, picture, NOW, EMPTY) == ()
                assert isinstance(decide(replace(picture, paper=None), order_of(kind, PASSAGE), NOW, EMPTY), Permit)
    assert {note for kind, note in granted if kind == "good"} == {"none", "silent", "fits", "near weight"}
    assert {note for kind, note in granted if kind == "person"} == set(NOTES)


def test_what_a_paper_says_has_its_own_reasons() -> None:
    expected: dict[Note, tuple[Reason, ...]] = {
        "other box": (Reason.PAPER_OTHER_CONTAINERS,),
        "more boxes": (Reason.CONTAINER_UNREAD,),
        "other way": (Reason.PAPER_OTHER_DIRECTION,),
        "off weight": (Reason.WEIGHT_OFF_PAPER,),
    }
    permit = decide(PictureClass().picture(PASSAGE), order_of("good", PASSAGE), NOW, RULES)
    assert isinstance(permit, Permit)
    for note in NOTES:
        why, picture = expected.get(note, ()), PictureClass(note=note).picture(PASSAGE)
        answer = decide(picture, order_of("good", PASSAGE), NOW, RULES)
        assert (answer.reasons if isinstance(answer, Refusal) else ()) == why, note
        assert withdrawn(permit, picture, NOW, RULES) == why, "a paper that comes late takes the permit back"
    off = decide(PictureClass(note="off weight").picture(PASSAGE), order_of("off weight", PASSAGE), NOW, RULES)
    assert isinstance(off, Refusal) and off.reasons == (Reason.WEIGHT_OFF_DECLARED, Reason.WEIGHT_OFF_PAPER)


def test_a_permit_dies_of_what_others_say_meanwhile() -> None:
    """The inspector's suspicion, a check that sent the truck away, a confirmation that is taken back."""
    permit = decide(PictureClass().picture(PASSAGE), order_of("good", PASSAGE), NOW, RULES)
    assert isinstance(permit, Permit)
    changed: dict[Reason, PictureClass] = {
        Reason.SCAN_SUSPECT: PictureClass(scan="suspect"),
        Reason.MATCH_INSPECT: PictureClass(sent="inspect"),
        Reason.MATCH_REFUSE: PictureClass(sent="refuse"),
        Reason.NOT_CONFIRMED_YET: PictureClass(mode=Mode.ADVISORY),
        Reason.LANE_IN_SHADOW: PictureClass(mode=Mode.SHADOW),
    }
    for why, at in changed.items():
        assert withdrawn(permit, at.picture(PASSAGE), NOW, RULES) == (why,)


def test_what_an_inspector_says_has_its_own_reasons() -> None:
    scan = replace(RULES, needs_scan=True)
    expected: dict[Scan, tuple[Reason, ...]] = {
        "none": (Reason.SCAN_AWAITED,),
        "clear": (),
        "suspect": (Reason.SCAN_SUSPECT,),
        "open": (Reason.SCAN_SUSPECT,),
        "again": (Reason.SCAN_TORN,),
        "torn": (Reason.SCAN_TORN,),
        "other passage": (Reason.SCAN_OTHER_TRUCK,),
        "other plate": (Reason.SCAN_OTHER_TRUCK,),
        "other boxes": (Reason.SCAN_OTHER_TRUCK,),
        "old": (Reason.SCAN_AWAITED,),
        "future": (Reason.SCAN_AWAITED,),
        "other suspect": (Reason.SCAN_OTHER_TRUCK, Reason.SCAN_SUSPECT),
    }
    assert set(expected) == set(SCANS)
    for said, why in expected.items():
        answer = decide(PictureClass(scan=said).picture(PASSAGE), order_of("good", PASSAGE), NOW, scan)
        assert (() if isinstance(answer, Permit) else answer.reasons) == why, said


def test_the_lowering_after_a_crossing_on_every_picture() -> None:
    for at in every_picture():
        if at.reads != "good":
            continue
        answer = decide_lowering(at.picture(PASSAGE), NOW, RULES)
        assert isinstance(answer, Permit) is may_lower(None, at), (at, answer)
        assert answer.movement is Movement.LOWER


def test_no_passage_no_raising() -> None:
    for boom in BOOMS:
        for kind in ORDERS:
            answer = decide(PictureClass(boom=boom).picture(None), order_of(kind, None), NOW, RULES)
            if isinstance(answer, Permit):
                assert answer.movement is Movement.LOWER or kind == "person hold open"
            else:
                lowers = kind.startswith("person lower") or kind == "customs lower"
                assert (
                    lowers
                    or "hold" in kind
                    or kind in ("none", "person close", "customs close")
                    or Reason.ORDER_OTHER_PASSAGE in answer.reasons
                )


def test_a_permit_is_withdrawn_by_every_late_change() -> None:
    permit = decide(PictureClass().picture(PASSAGE), order_of("good", PASSAGE), NOW, RULES)
    assert isinstance(permit, Permit)
    for boom in BOOMS:
        for zone in ZONES:
            for fault in FAULTS:
                at = PictureClass(boom=boom, zone=zone, fault=fault)
                still = boom == "down" and zone in ("clear", "just clear") and fault == "well"
                assert (withdrawn(permit, at.picture(PASSAGE), NOW, RULES) == ()) is still, at
    for truck in TRUCKS:
        assert (withdrawn(permit, PictureClass(truck=truck).picture(PASSAGE), NOW, RULES) == ()) is (truck == "weighed")
    for reads in READS:
        still = reads in ("good", "no box", "other box")  # containers are the order's, which the door does not have
        assert (withdrawn(permit, PictureClass(reads=reads).picture(PASSAGE), NOW, RULES) == ()) is still, reads
    good = PictureClass().picture(PASSAGE)
    late = (Reason.PERMIT_EXPIRED, Reason.INPUTS_STALE, Reason.WEIGHT_STALE)
    assert withdrawn(permit, good, permit.expires_at, RULES) == late
    assert Reason.PERMIT_EXPIRED in withdrawn(permit, good, Instant(NOW - 0.001), RULES)
    assert withdrawn(permit, PictureClass().picture("another"), NOW, RULES) == (Reason.ORDER_OTHER_PASSAGE,)
    assert withdrawn(permit, PictureClass().picture(PASSAGE, frozenset({"o-1"})), NOW, RULES) == (Reason.ORDER_SPENT,)


def test_each_single_fault_gives_its_own_reason() -> None:
    expected: dict[str, dict[str, Reason]] = {
        "boom": {"up": Reason.BOOM_ALREADY_UP, "moving": Reason.BOOM_MOVING, "both": Reason.BOOM_CONTRADICTS,
                 "stale": Reason.BOOM_UNKNOWN, "one stale": Reason.BOOM_UNKNOWN},
        "zone": {"loop": Reason.ZONE_OCCUPIED, "cell": Reason.ZONE_OCCUPIED, "stale": Reason.ZONE_UNKNOWN,
                 "unknown": Reason.ZONE_UNKNOWN},
        "fault": {"faulty": Reason.BOOM_FAULTY, "stale": Reason.BOOM_FAULTY},
        "truck": {"none": Reason.TRUCK_ABSENT, "arrival": Reason.TRUCK_ABSENT, "half rear": Reason.DECK_HALF_ON,
                  "half front": Reason.DECK_HALF_ON, "unsettled": Reason.WEIGHT_NOT_SETTLED,
                  "frozen": Reason.SCALE_FROZEN, "jumped": Reason.SCALE_JUMPED, "zero bad": Reason.SCALE_NOT_AT_ZERO,
                  "zero unseen": Reason.SCALE_ZERO_UNKNOWN, "overload": Reason.WEIGHT_OVERLOAD,
                  "blank": Reason.WEIGHT_MISSING, "old weight": Reason.WEIGHT_STALE,
                  "beams stale": Reason.DECK_BEAMS_UNKNOWN},
        "reads": {"no plate": Reason.PLATE_UNREAD, "unsure": Reason.PLATE_UNSURE, "other tag": Reason.TAG_OTHER_TRUCK,
                  "no box": Reason.CONTAINER_UNREAD, "other box": Reason.ORDER_OTHER_CONTAINERS,
                  "false box": Reason.CONTAINER_FALSE},
        "hour": {"stepped": Reason.CLOCK_UNSURE},
    }  # fmt: skip
    for part, choices in expected.items():
        for choice, reason in choices.items():
            answer = decide(
                replace(PictureClass(), **{part: choice}).picture(PASSAGE), order_of("good", PASSAGE), NOW, RULES
            )
            assert isinstance(answer, Refusal)
            assert reason in answer.reasons, (part, choice, answer.reasons)
    said = {p: set(c) for p, c in expected.items()}
    assert said["truck"] == set(TRUCKS) - {"weighed"}
    assert said["reads"] == set(READS) - {"good"}
    assert said["hour"] == set(HOURS) - {"true"}
    orders: dict[str, Reason] = {
        "none": Reason.ORDER_MISSING, "expired": Reason.ORDER_EXPIRED, "expires now": Reason.ORDER_EXPIRED,
        "future": Reason.ORDER_FROM_FUTURE, "too long": Reason.ORDER_LIVES_TOO_LONG,
        "other lane": Reason.ORDER_OTHER_LANE, "other site": Reason.ORDER_OTHER_SITE,
        "other passage": Reason.ORDER_OTHER_PASSAGE, "no passage": Reason.ORDER_OTHER_PASSAGE,
        "other plate": Reason.ORDER_OTHER_PLATE, "no plate": Reason.ORDER_OTHER_PLATE,
        "other boxes": Reason.ORDER_OTHER_CONTAINERS, "more boxes": Reason.CONTAINER_UNREAD,
        "off weight": Reason.WEIGHT_OFF_DECLARED, "spent": Reason.ORDER_SPENT, "hold": Reason.ORDER_HOLD,
        "inspect": Reason.ORDER_INSPECT, "refuse": Reason.ORDER_REFUSE,
        "two persons late": Reason.ORDER_LAPSED, "person holds too long": Reason.ORDER_HOLDS_TOO_LONG,
        "person holds no more": Reason.ORDER_EXPIRED, "person close": Reason.ORDER_MISSING,
        "person confirm": Reason.ORDER_MISSING,
    }  # fmt: skip
    for kind in ORDERS:
        if kind in orders:
            answer = decide(PictureClass().picture(PASSAGE), order_of(kind, PASSAGE), NOW, RULES)
            assert isinstance(answer, Refusal)
            assert answer.reasons == (orders[kind],), (kind, answer.reasons)
