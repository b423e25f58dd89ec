"""The interlock reason by reason and to the edge of every number: one thing is changed, and exactly that is said.

More than 400 lines: one function decides, and each of its reasons has its edge here.
"""

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest

from drivers.readings import Instant
from drivers.weighbridge.doubts import Doubt
from gateway_ctl.inspection import Finding, Verdict
from gateway_ctl.interlock import (
    BoomAt,
    Refusal,
    boom_at,
    decide,
    decide_lowering,
    in_local_mode,
    judge_order,
    known_empty,
    of_truck,
    on_this_truck,
    verdict_for,
    withdrawn,
)
from gateway_ctl.modes import Mode, Silent
from gateway_ctl.orders import Movement, Order, Origin, Permit, Verb
from gateway_ctl.picture import Container, Empty, Identity, Inputs, Picture, Plate, Rules, Seen, digest
from gateway_ctl.reasons import Reason
from tests.gateway_ctl.scene import EMPTY_DECK, IDENTITY, NOW, PASSAGE, RULES, deck, inputs, order, override, picture

UP = inputs(limit_down=False, limit_up=True)
BETWEEN = inputs(limit_down=False)
NEVER: Seen[bool] = Seen()


def after(seconds: float) -> Instant:
    return Instant(NOW + seconds)


def told(value: bool, age: float, since: float = 60.0) -> Seen[bool]:
    return Seen(value, after(-age), after(-since))


def why(
    shown: Picture | None = None, wish: Order | None = None, rules: Rules = RULES, now: Instant = NOW
) -> tuple[Reason, ...]:
    """Every reason against this wish, customs' release if none is said, on this picture; nothing if it is granted."""
    answer = decide(shown or picture(), wish or order(), now, rules)
    return () if isinstance(answer, Permit) else answer.reasons


def granted(shown: Picture | None = None, wish: Order | None = None, rules: Rules = RULES) -> Permit:
    answer = decide(shown or picture(), wish or order(), NOW, rules)
    assert isinstance(answer, Permit), answer
    return answer


def lowering(**changes: object) -> Order:
    return override(**({"id": "p-2", "verb": Verb.LOWER} | changes))


# where the boom is


@pytest.mark.parametrize(
    ("down", "up", "at"),
    [
        (True, False, BoomAt.DOWN),
        (False, True, BoomAt.UP),
        (False, False, BoomAt.MOVING),
        (True, True, BoomAt.CONTRADICTS),
    ],
)
def test_the_boom_is_where_its_switches_say_and_unknown_as_soon_as_one_is_old(down: bool, up: bool, at: BoomAt) -> None:
    def shown(down_age: float, up_age: float) -> Picture:
        return picture(inputs=replace(inputs(), limit_down=told(down, down_age), limit_up=told(up, up_age)))

    assert boom_at(shown(0.05, 0.05), NOW, RULES) is at
    assert boom_at(shown(1.0, 1.0), NOW, RULES) is at
    assert boom_at(shown(1.01, 0.05), NOW, RULES) is BoomAt.UNKNOWN
    assert boom_at(shown(0.05, 1.01), NOW, RULES) is BoomAt.UNKNOWN
    assert boom_at(picture(inputs=replace(inputs(), limit_up=NEVER)), NOW, RULES) is BoomAt.UNKNOWN


# the permit


def test_the_permit_for_a_good_truck() -> None:
    shown = picture()
    mark = digest(shown)
    assert granted(shown) == Permit(
        id=f"L01-raise-{NOW:.6f}-{mark[:12]}", lane="L01", passage=PASSAGE, order="o-1", by_person=False,
        movement=Movement.RAISE, emergency=False, granted_at=NOW, expires_at=after(2.0), picture=mark,
    )  # fmt: skip


def test_the_permits_of_a_person() -> None:
    up = picture(inputs=UP)
    one, two, three = granted(wish=override()), granted(up, lowering()), granted(up, lowering(verb=Verb.LOWER_NOW))
    assert (one.by_person, one.movement, one.emergency, one.order) == (True, Movement.RAISE, False, "p-1")
    assert (two.by_person, two.movement, two.emergency, two.order) == (True, Movement.LOWER, False, "p-2")
    assert (three.by_person, three.movement, three.emergency) == (True, Movement.LOWER, True)
    assert two.id.startswith("L01-lower-")


def test_a_permit_does_not_outlive_its_order() -> None:
    assert granted(wish=order(expires_at=after(1.5))).expires_at == after(1.5)
    assert granted(wish=order(expires_at=after(2.5))).expires_at == after(2.0)
    assert granted(rules=replace(RULES, permit_life_s=7.0)).expires_at == after(7.0)


def test_the_lowering_after_a_crossing_needs_no_order() -> None:
    shown = picture(inputs=UP)
    permit = decide_lowering(shown, NOW, RULES)
    assert isinstance(permit, Permit)
    assert (permit.order, permit.by_person, permit.emergency) == (None, False, False)
    assert permit.movement is Movement.LOWER
    assert permit.expires_at == after(2.0)
    for broken, reason in (
        (replace(UP, boom_fault=told(True, 0.05)), Reason.BOOM_FAULTY),
        (replace(UP, limit_down=told(False, 1.1)), Reason.BOOM_UNKNOWN),
        (inputs(limit_up=True), Reason.BOOM_CONTRADICTS),
    ):
        answer = decide_lowering(picture(inputs=broken), NOW, RULES)
        assert isinstance(answer, Refusal)
        assert answer.reasons == (reason,), "it is no emergency"
    refusal = decide_lowering(picture(inputs=BETWEEN), NOW, RULES)
    assert isinstance(refusal, Refusal)
    assert (refusal.movement, refusal.order, refusal.reasons) == (Movement.LOWER, None, (Reason.BOOM_MOVING,))


def test_a_refusal_names_what_it_refuses() -> None:
    shown = picture(deck=EMPTY_DECK)
    refusal = decide(shown, order(), NOW, RULES)
    assert isinstance(refusal, Refusal)
    assert refusal == Refusal(
        movement=Movement.RAISE, order="o-1", reasons=(Reason.TRUCK_ABSENT, Reason.WEIGHT_NOT_SETTLED),
        picture=digest(shown),
    )  # fmt: skip
    assert refusal.passing
    mixed = decide(shown, order(verb=Verb.HOLD), NOW, RULES)
    assert isinstance(mixed, Refusal)
    assert not mixed.passing, "one reason stays, though others go"


def test_a_reason_is_said_once() -> None:
    silent = picture(inputs=Inputs())
    assert why(silent) == (Reason.INPUTS_STALE,)


# the order


def test_nobody_asked() -> None:
    answer = decide(picture(), None, NOW, RULES)
    assert isinstance(answer, Refusal)
    assert answer.reasons == (Reason.ORDER_MISSING,)
    assert (answer.movement, answer.order) == (Movement.RAISE, None)


def test_without_an_order_the_truck_is_judged_as_well() -> None:
    nobody = decide(picture(deck=EMPTY_DECK), None, NOW, RULES)
    assert isinstance(nobody, Refusal)
    assert nobody.reasons == (Reason.ORDER_MISSING, Reason.TRUCK_ABSENT, Reason.WEIGHT_NOT_SETTLED)
    advisory = decide(picture(mode=Mode.ADVISORY), None, NOW, RULES)
    assert isinstance(advisory, Refusal)
    assert advisory.reasons == (Reason.ORDER_MISSING, Reason.NOT_CONFIRMED_YET)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"site": "elsewhere"}, Reason.ORDER_OTHER_SITE),
        ({"lane": "L02"}, Reason.ORDER_OTHER_LANE),
        ({"passage": "L01-0"}, Reason.ORDER_OTHER_PASSAGE),
        ({"passage": None}, Reason.ORDER_OTHER_PASSAGE),
        ({"expires_at": NOW}, Reason.ORDER_EXPIRED),
        ({"issued_at": after(2.01)}, Reason.ORDER_FROM_FUTURE),
        ({"issued_at": after(-1), "expires_at": after(599.1)}, Reason.ORDER_LIVES_TOO_LONG),
        ({"verb": Verb.HOLD}, Reason.ORDER_HOLD),
        ({"verb": Verb.INSPECT}, Reason.ORDER_INSPECT),
        ({"verb": Verb.REFUSE}, Reason.ORDER_REFUSE),
    ],
)
def test_an_order_that_is_not_good_here_or_now(changes: dict[str, object], reason: Reason) -> None:
    wrong = order(**changes)
    assert why(wish=wrong) == (reason,)
    says = (Reason.ORDER_HOLD, Reason.ORDER_INSPECT, Reason.ORDER_REFUSE)
    assert judge_order(picture(), wrong, NOW, RULES) == (() if reason in says else (reason,))


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": after(0.1)},
        {"issued_at": after(2.0)},
        {"issued_at": after(-1), "expires_at": after(599)},
    ],
)
def test_an_order_at_the_edge_of_its_time(changes: dict[str, object]) -> None:
    assert why(wish=order(**changes)) == ()
    assert judge_order(picture(), order(**changes), NOW, RULES) == ()


def test_an_order_without_a_passage_is_for_a_lane_without_one() -> None:
    nobody = picture(passage=None, inputs=UP)
    assert judge_order(nobody, order(passage=None), NOW, RULES) == (Reason.ORDER_OTHER_PASSAGE,)
    assert judge_order(nobody, lowering(passage=None), NOW, RULES) == ()
    assert judge_order(picture(), lowering(passage=None), NOW, RULES) == (Reason.ORDER_OTHER_PASSAGE,)


def test_a_used_order() -> None:
    spent = picture(spent=frozenset({"o-1"}))
    assert why(spent) == (Reason.ORDER_SPENT,)
    assert why(spent, order(id="o-2")) == ()


@pytest.mark.parametrize("step", [1.0, -1.0])
def test_a_clock_that_was_stepped(step: float) -> None:
    assert why(picture(clock_step_s=step)) == ()
    assert why(picture(clock_step_s=step * 1.01)) == (Reason.CLOCK_UNSURE,)


def test_two_signatures_lie_within_the_minute() -> None:
    def by(*persons: str, ago: float) -> tuple[Reason, ...]:
        return why(wish=override(persons=persons, issued_at=after(-ago)))

    assert by("li.wei", "wang.fang", ago=60) == ()
    assert by("li.wei", "wang.fang", ago=60.1) == (Reason.ORDER_LAPSED,)
    assert by("li.wei", ago=60.1) == ()


@pytest.mark.parametrize("verb", [Verb.CONFIRM, Verb.CLOSE])
def test_a_word_that_moves_nothing_gets_no_permit(verb: Verb) -> None:
    assert why(wish=override(verb=verb)) == (Reason.ORDER_MISSING,)
    assert Reason.ORDER_MISSING in why(wish=order(verb=verb))


@pytest.mark.parametrize("verb", [Verb.HOLD_OPEN, Verb.CLOSE, Verb.LOWER, Verb.LOWER_NOW, Verb.CONFIRM])
def test_what_only_a_person_may_order(verb: Verb) -> None:
    until = after(60) if verb is Verb.HOLD_OPEN else None
    assert Reason.ORDER_NOT_THEIRS in judge_order(picture(), order(verb=verb, until=until), NOW, RULES)
    assert Reason.ORDER_NOT_THEIRS not in judge_order(picture(), override(verb=verb, until=until), NOW, RULES)


def test_a_hold_open_has_an_end_that_is_not_far() -> None:
    def until(end: Instant | None, **changes: object) -> tuple[Reason, ...]:
        return why(wish=override(verb=Verb.HOLD_OPEN, until=end, issued_at=after(-1), **changes))

    assert until(after(899)) == ()
    assert until(after(899.1)) == (Reason.ORDER_HOLDS_TOO_LONG,)
    assert until(None) == (Reason.ORDER_HOLDS_TOO_LONG,)
    assert until(NOW) == (Reason.ORDER_EXPIRED,)
    assert until(after(0.1)) == ()
    # For whoever passes: also in a lane without a truck.
    nobody = picture(passage=None, deck=EMPTY_DECK, identity=Identity())
    assert why(nobody, override(verb=Verb.HOLD_OPEN, until=after(60), passage=None)) == ()


# modes, confirmations, checks that failed for good, the site's own key


def test_a_lane_in_shadow_moves_for_nobody() -> None:
    down, up = picture(mode=Mode.SHADOW), picture(mode=Mode.SHADOW, inputs=UP)
    assert why(down) == why(down, override()) == (Reason.LANE_IN_SHADOW,)
    assert why(up, lowering()) == why(up, lowering(verb=Verb.LOWER_NOW)) == (Reason.LANE_IN_SHADOW,)
    after_crossing = decide_lowering(up, NOW, RULES)
    assert isinstance(after_crossing, Refusal)
    assert after_crossing.reasons == (Reason.LANE_IN_SHADOW,)


def test_an_advisory_lane_waits_for_the_yes_to_this_order() -> None:
    assert why(picture(mode=Mode.ADVISORY)) == (Reason.NOT_CONFIRMED_YET,)
    assert why(picture(mode=Mode.ADVISORY, confirmed="o-0")) == (Reason.NOT_CONFIRMED_YET,)
    assert why(picture(mode=Mode.ADVISORY, confirmed="o-1")) == ()
    assert why(picture(mode=Mode.ADVISORY), override()) == ()
    assert why(picture(mode=Mode.ADVISORY, inputs=UP), lowering()) == ()


def test_a_check_that_failed_for_good_stands_against_customs_and_not_against_a_person() -> None:
    assert why(picture(sent="inspect")) == (Reason.MATCH_INSPECT,)
    assert why(picture(sent="refuse")) == (Reason.MATCH_REFUSE,)
    assert why(picture(sent="refuse"), override()) == ()


KNOWN = replace(
    RULES, silent=Silent.KNOWN_EMPTY, empties=(Empty("鲁B00001", Decimal(1)), Empty("沪AD3F88", Decimal(38_000)))
)
BARE = replace(IDENTITY, containers=())
LOCAL = order(id="l-1", origin=Origin.LOCAL, containers=(), declared_kg=None, tolerance_kg=None)


def silent(seconds: float = 10.0, **changes: object) -> Picture:
    return replace(picture(identity=BARE, silent_since=after(-seconds)), **changes)


def test_the_sites_own_key_opens_for_a_known_empty_truck_while_customs_is_silent() -> None:
    assert why(silent(), LOCAL, KNOWN) == ()
    assert why(silent(9.9), LOCAL, KNOWN) == (Reason.LOCAL_NOT_ALLOWED,)
    assert why(picture(identity=BARE), LOCAL, KNOWN) == (Reason.LOCAL_NOT_ALLOWED,)
    assert why(silent(), LOCAL, replace(KNOWN, empties=())) == (Reason.LOCAL_NOT_ALLOWED,)
    for other in (Silent.REFUSE, Silent.OPERATOR):
        assert why(silent(), LOCAL, replace(KNOWN, silent=other)) == (Reason.LOCAL_NOT_ALLOWED,)
    # Customs' own release and a person's need none of that.
    assert why(silent(), order(containers=()), RULES) == ()
    assert why(picture(mode=Mode.ADVISORY, identity=BARE, silent_since=after(-60)), LOCAL, KNOWN) == (
        Reason.NOT_CONFIRMED_YET,
    )


def test_local_mode_begins_when_silence_has_lasted() -> None:
    assert not in_local_mode(picture(), NOW, RULES)
    assert not in_local_mode(silent(9.99), NOW, RULES)
    assert in_local_mode(silent(10.0), NOW, RULES)
    assert in_local_mode(silent(11.0), NOW, RULES)
    assert not in_local_mode(silent(10.0), NOW, replace(RULES, silent_after_s=10.5))


def test_a_known_empty_truck() -> None:
    good = picture(identity=BARE)
    assert known_empty(good, KNOWN)
    assert not known_empty(picture(), KNOWN), "a box on it"
    assert not known_empty(picture(identity=replace(BARE, seal_numbers=("S1",))), KNOWN), "a seal on it"
    assert not known_empty(picture(identity=replace(BARE, plate=None)), KNOWN)
    assert not known_empty(picture(identity=replace(BARE, plate=Plate("沪AD3F89", 0.97))), KNOWN)
    assert not known_empty(picture(identity=BARE, deck=deck(settled_kg=None)), KNOWN)
    for kg, still in ((37_500, True), (38_500, True), (37_499, False), (38_501, False)):
        assert known_empty(picture(identity=BARE, deck=deck(kg)), KNOWN) is still, kg
    assert not known_empty(good, RULES)


# the inspector's word

GOOD = Verdict(
    id="v-1", finding=Finding.CLEAR, site="qianwan", lane="L01", passage=PASSAGE, plate="沪AD3F88",
    containers=("CSQU3054383",), scan="cd" * 32, torn=False, view=None, issued_at=after(-20), expires_at=after(600),
    reason_zh="", reason_en="", persons=("zhao.lei",),
)  # fmt: skip
SCAN = replace(RULES, needs_scan=True)


def scanned(**changes: object) -> Picture:
    return picture(inspection=replace(GOOD, **changes))


def test_a_clear_scan_opens_where_one_is_asked_for() -> None:
    assert why(scanned(), rules=SCAN) == ()
    assert why(picture(), rules=SCAN) == (Reason.SCAN_AWAITED,)
    assert why(picture(), override(), SCAN) == (), "a person's release waives it"
    assert why(scanned(torn=True), override(), SCAN) == ()
    assert why(scanned(torn=True)) == (), "nobody asked for a scan here"


@pytest.mark.parametrize("finding", [Finding.SUSPECT, Finding.OPEN])
def test_suspicion_of_this_truck_stands_against_everybody(finding: Finding) -> None:
    shown = scanned(finding=finding)
    for rules in (RULES, SCAN):
        assert why(shown, rules=rules) == (Reason.SCAN_SUSPECT,)
        assert why(shown, override(), rules) == (Reason.SCAN_SUSPECT,)
    other = scanned(finding=finding, passage="L01-0")
    assert why(other) == why(other, override()) == why(other, override(), SCAN) == ()
    assert why(other, rules=SCAN) == (Reason.SCAN_OTHER_TRUCK, Reason.SCAN_SUSPECT)


def test_a_scan_that_cannot_be_judged() -> None:
    assert why(scanned(torn=True), rules=SCAN) == (Reason.SCAN_TORN,)
    assert why(scanned(finding=Finding.AGAIN), rules=SCAN) == (Reason.SCAN_TORN,)
    assert why(scanned(torn=True, finding=Finding.SUSPECT, passage="L01-0"), rules=SCAN) == (
        Reason.SCAN_OTHER_TRUCK,
        Reason.SCAN_TORN,
    )
    assert why(scanned(passage="L01-0"), rules=SCAN) == (Reason.SCAN_OTHER_TRUCK,)


def test_a_verdict_counts_from_its_hour_to_its_end() -> None:
    for changes, counts in (
        ({"issued_at": after(2.0)}, True),
        ({"issued_at": after(2.1)}, False),
        ({"expires_at": after(0.1)}, True),
        ({"expires_at": NOW}, False),
    ):
        assert why(scanned(**changes), rules=SCAN) == (() if counts else (Reason.SCAN_AWAITED,)), changes
        suspect = scanned(finding=Finding.SUSPECT, **changes)
        assert why(suspect) == ((Reason.SCAN_SUSPECT,) if counts else ()), changes


def test_a_verdict_is_on_whatever_it_names() -> None:
    def on(shown: Picture | None = None, **changes: object) -> bool:
        return on_this_truck(replace(GOOD, **changes), shown or picture())

    assert on()
    assert on(passage=None, plate=None)
    assert on(plate=None, containers=())
    assert on(passage=None, containers=(), lane=None)
    assert not on(passage="L01-0")
    assert not on(plate="沪AD3F89")
    assert not on(containers=("TCNU7200794",))
    assert not on(containers=("CSQU3054383", "TCNU7200794"))
    assert not on(lane="L02")
    assert not on(site="elsewhere")
    assert not on(lane=None, site="elsewhere")
    assert not on(picture(identity=replace(IDENTITY, plate=None)))
    assert on(picture(identity=replace(IDENTITY, plate=None)), plate=None)
    two = replace(IDENTITY, containers=(Container("TCNU7200794", 0.9, True), *IDENTITY.containers))
    assert on(picture(identity=two), containers=("CSQU3054383", "TCNU7200794"))
    assert not on(picture(identity=two))


def test_the_newest_verdict_on_this_truck_goes_before_newer_ones_on_others() -> None:
    def said(name: str, ago: float, passage: str | None = PASSAGE) -> Verdict:
        return replace(GOOD, id=name, issued_at=after(-ago), passage=passage)

    shown, opened = picture(), after(-30)
    old, new = said("old", 20), said("new", 10)
    other, older = said("other", 5, "L01-0"), said("older", 25, "L01-0")
    for told in ([old, new], [new, old], [old, other, new]):
        assert verdict_for(told, shown, opened) is new
    assert verdict_for([older, other], shown, opened) is other
    assert verdict_for([other, older], shown, opened) is other
    before = said("before", 40)
    assert verdict_for([before], shown, opened) is before, "this truck's was told before it came"
    assert verdict_for([said("before", 30.1, "L01-0")], shown, opened) is None
    just = said("just", 30, "L01-0")
    assert verdict_for([just], shown, opened) is just
    assert verdict_for([], shown, opened) is None


# raising


def test_the_state_of_the_boom_against_raising() -> None:
    both = inputs(limit_up=True)
    stale_up = replace(inputs(), limit_up=told(False, 1.1))
    assert why(picture(inputs=UP)) == why(picture(inputs=UP), override()) == (Reason.BOOM_ALREADY_UP,)
    assert why(picture(inputs=both)) == why(picture(inputs=both), override()) == (Reason.BOOM_CONTRADICTS,)
    assert why(picture(inputs=stale_up)) == why(picture(inputs=stale_up), override()) == (Reason.BOOM_UNKNOWN,)
    assert why(picture(inputs=BETWEEN)) == (Reason.BOOM_MOVING,)
    assert why(picture(inputs=BETWEEN), override()) == ()


def test_a_barrier_with_a_fault_is_not_raised() -> None:
    for wish in (order(), override()):
        assert why(picture(inputs=inputs(boom_fault=True)), wish) == (Reason.BOOM_FAULTY,)
        old = replace(inputs(), boom_fault=told(False, 1.1))
        assert why(picture(inputs=old), wish) == (Reason.BOOM_FAULTY,)
        assert why(picture(inputs=replace(inputs(), boom_fault=told(False, 1.0))), wish) == ()


def test_a_module_that_is_silent_altogether_is_no_broken_barrier() -> None:
    old = Inputs(**{name: told(name == "limit_down", 1.1) for name in Inputs.__dataclass_fields__})
    assert why(picture(inputs=old)) == (Reason.INPUTS_STALE,)
    assert why(picture(inputs=old), override()) == (Reason.INPUTS_STALE,)
    assert why(picture(inputs=replace(old, boom_fault=told(True, 1.1))), override()) == (
        Reason.INPUTS_STALE,
        Reason.BOOM_FAULTY,
    )
    lowered = decide_lowering(picture(inputs=old), NOW, RULES)
    assert isinstance(lowered, Refusal)
    assert lowered.reasons == (Reason.INPUTS_STALE,)


@pytest.mark.parametrize("alive", list(Inputs.__dataclass_fields__))
def test_one_contact_that_speaks_makes_the_others_the_lanes_own_trouble(alive: str) -> None:
    old = Inputs(**{name: told(name == "limit_down", 1.1) for name in Inputs.__dataclass_fields__})
    shown = picture(inputs=replace(old, **{alive: told(alive == "limit_down", 0.1)}))
    said = why(shown, order())
    assert Reason.INPUTS_STALE not in said
    assert Reason.BOOM_UNKNOWN in said
    assert (Reason.BOOM_FAULTY in said) is (alive != "boom_fault")
    assert Reason.ZONE_UNKNOWN in said
    assert Reason.DECK_BEAMS_UNKNOWN in said


@pytest.mark.parametrize("contact", ["loop_boom", "photocell"])
def test_what_is_under_the_boom(contact: str) -> None:
    taken = picture(inputs=inputs(**{contact: True}))
    old = picture(inputs=replace(inputs(), **{contact: told(False, 1.1)}))
    old_taken = picture(inputs=replace(inputs(), **{contact: told(True, 1.1)}))
    assert why(taken) == (Reason.ZONE_OCCUPIED,)
    assert why(old) == (Reason.ZONE_UNKNOWN,)
    assert why(old_taken) == (Reason.ZONE_UNKNOWN, Reason.ZONE_OCCUPIED)
    assert why(picture(inputs=replace(inputs(), **{contact: told(False, 1.0)}))) == ()
    for shown in (taken, old, old_taken):
        assert why(shown, override()) == (), "a person may let out who stands half under it"
    for verb in (Verb.LOWER, Verb.LOWER_NOW):

        def under(seen: Seen[bool], verb: Verb = verb) -> tuple[Reason, ...]:
            return why(picture(inputs=replace(UP, **{contact: seen})), lowering(verb=verb))

        assert under(told(True, 0.05)) == (Reason.ZONE_OCCUPIED,)
        assert under(told(False, 1.1)) == (Reason.ZONE_UNKNOWN,)
        assert under(Seen(None, after(-0.05), after(-9))) == (Reason.ZONE_UNKNOWN,)
        assert under(told(False, 0.05, since=0.99)) == (Reason.ZONE_NOT_CLEAR_YET,)
        assert under(told(False, 0.05, since=1.0)) == ()
        assert under(Seen(False, after(-0.05), None)) == (Reason.ZONE_NOT_CLEAR_YET,)


def test_the_state_of_the_boom_against_lowering() -> None:
    def lower(at: Inputs, verb: Verb = Verb.LOWER) -> tuple[Reason, ...]:
        return why(picture(inputs=at), lowering(verb=verb))

    both, stale_up = inputs(limit_up=True), replace(UP, limit_up=told(True, 1.1))
    assert lower(UP) == lower(BETWEEN) == ()
    assert lower(inputs()) == lower(inputs(), Verb.LOWER_NOW) == (Reason.BOOM_ALREADY_DOWN,)
    assert lower(both) == (Reason.BOOM_CONTRADICTS,)
    assert lower(stale_up) == (Reason.BOOM_UNKNOWN,)
    assert lower(replace(UP, boom_fault=told(True, 0.05))) == (Reason.BOOM_FAULTY,)
    for past in (UP, BETWEEN, both, stale_up, replace(UP, boom_fault=told(True, 0.05))):
        assert lower(past, Verb.LOWER_NOW) == ()
    # One reason is enough: whether the place has been clear for long is then no question.
    just = replace(inputs(), photocell=told(False, 0.05, since=0.1))
    assert lower(just) == (Reason.BOOM_ALREADY_DOWN,)


# the truck


def test_the_weighing() -> None:
    expected: list[tuple[dict[str, object], tuple[Reason, ...]]] = [
        ({"zero_ok": None}, (Reason.SCALE_ZERO_UNKNOWN,)),
        ({"zero_ok": False}, (Reason.SCALE_NOT_AT_ZERO,)),
        ({"frozen": True}, (Reason.SCALE_FROZEN,)),
        ({"jumped": True}, (Reason.SCALE_JUMPED,)),
        ({"overload": True}, (Reason.WEIGHT_OVERLOAD,)),
        ({"live_kg": Seen(None, NOW, NOW)}, (Reason.WEIGHT_MISSING,)),
        ({"live_kg": Seen(Decimal(38_260), None, NOW)}, (Reason.WEIGHT_MISSING,)),
        ({"live_kg": Seen(Decimal(38_260), after(-2.1), NOW)}, (Reason.WEIGHT_STALE,)),
        ({"live_kg": Seen(Decimal(38_260), after(-2.0), NOW)}, ()),
        ({"live_kg": Seen(Decimal(999), NOW, NOW)}, (Reason.TRUCK_ABSENT,)),
        ({"live_kg": Seen(Decimal(1000), NOW, NOW)}, ()),
        ({"settled_kg": None}, (Reason.WEIGHT_NOT_SETTLED,)),
        ({"uncertainty_kg": None}, (Reason.WEIGHT_NOT_SETTLED,)),
        ({"settled_at": None}, (Reason.WEIGHT_NOT_SETTLED,)),
        ({"settled_at": after(-2.1)}, (Reason.WEIGHT_STALE,)),
        ({"settled_at": after(-2.0)}, ()),
    ]
    for changes, reasons in expected:
        assert why(picture(deck=deck(**changes))) == reasons, changes
        assert why(picture(deck=deck(**changes)), override()) == (), "a person's release waives it"
        assert why(picture(deck=deck(**changes)), rules=replace(RULES, needs_weight=False)) == (), "no weighbridge"


DOUBTS: dict[Doubt, Reason] = {
    "tared": Reason.SCALE_TARED,
    "drifting": Reason.SCALE_DRIFTING,
    "two trucks": Reason.DECK_TWO_TRUCKS,
    "load unseen": Reason.SCALE_LOAD_UNSEEN,
    "replaced": Reason.SCALE_REPLACED,
    "uncalibrated": Reason.SCALE_UNCALIBRATED,
    "by axles": Reason.WEIGHT_BY_AXLES,
    "axle missed": Reason.AXLE_MISSED,
}


def test_a_sum_of_axle_loads_where_the_site_takes_one() -> None:
    takes = replace(RULES, takes_axle_sum=True)
    summed = deck(doubts=("by axles",))
    assert why(picture(deck=summed)) == (Reason.WEIGHT_BY_AXLES,)
    assert why(picture(deck=summed), rules=takes) == ()
    assert why(picture(deck=deck(doubts=("by axles", "axle missed"))), rules=takes) == (Reason.AXLE_MISSED,)
    # Before the last axle has stopped the rest of the vehicle stands in the front beam already.
    for beam, half in (("beam_front", ()), ("beam_rear", (Reason.DECK_HALF_ON,))):
        on = inputs(**{beam: True})
        assert why(picture(deck=summed, inputs=on), rules=takes) == half
        assert why(picture(inputs=on), rules=takes) == (Reason.DECK_HALF_ON,)


def test_every_doubt_about_the_weighing_is_a_reason() -> None:
    assert set(DOUBTS) == set(get_args(Doubt))
    for doubt, reason in DOUBTS.items():
        assert why(picture(deck=deck(doubts=(doubt,)))) == (reason,)
    assert why(picture(deck=deck(doubts=tuple(DOUBTS)))) == tuple(DOUBTS.values())


@pytest.mark.parametrize("beam", ["beam_rear", "beam_front"])
def test_a_truck_that_is_half_on_the_deck(beam: str) -> None:
    assert why(picture(inputs=inputs(**{beam: True}))) == (Reason.DECK_HALF_ON,)
    assert why(picture(inputs=replace(inputs(), **{beam: told(False, 1.1)}))) == (Reason.DECK_BEAMS_UNKNOWN,)
    assert why(picture(inputs=replace(inputs(), **{beam: told(True, 1.1)}))) == (
        Reason.DECK_BEAMS_UNKNOWN,
        Reason.DECK_HALF_ON,
    )


def test_all_that_is_wrong_with_a_truck_is_said_at_once() -> None:
    shown = picture(
        deck=deck(zero_ok=False, frozen=True, jumped=True, settled_kg=None),
        inputs=inputs(beam_rear=True),
        identity=replace(IDENTITY, plate=None),
    )
    assert of_truck(shown, order(), NOW, RULES) == [
        Reason.DECK_HALF_ON, Reason.SCALE_NOT_AT_ZERO, Reason.SCALE_FROZEN, Reason.SCALE_JUMPED,
        Reason.WEIGHT_NOT_SETTLED, Reason.PLATE_UNREAD,
    ]  # fmt: skip
    assert of_truck(shown, None, NOW, replace(RULES, needs_weight=False)) == [Reason.PLATE_UNREAD]
    assert of_truck(picture(), order(plate="沪AD3F89"), NOW, RULES) == [Reason.ORDER_OTHER_PLATE]
    assert of_truck(picture(), None, NOW, RULES) == []


# at the door


def test_a_permit_is_good_for_its_lane_its_passage_and_its_seconds() -> None:
    permit, shown = granted(), picture()
    assert withdrawn(permit, shown, NOW, RULES) == ()
    assert withdrawn(permit, replace(shown, lane="L02"), NOW, RULES) == (Reason.PERMIT_OTHER_LANE,)
    assert withdrawn(permit, replace(shown, passage="L01-0"), NOW, RULES) == (Reason.ORDER_OTHER_PASSAGE,)
    assert withdrawn(permit, replace(shown, spent=frozenset({"o-1"})), NOW, RULES) == (Reason.ORDER_SPENT,)
    assert withdrawn(replace(permit, granted_at=after(0.1)), shown, NOW, RULES) == (Reason.PERMIT_EXPIRED,)
    assert withdrawn(replace(permit, expires_at=NOW), shown, NOW, RULES) == (Reason.PERMIT_EXPIRED,)
    assert withdrawn(replace(permit, order=None), shown, NOW, RULES) == (Reason.ORDER_MISSING,)
    assert withdrawn(replace(permit, lane="L02", passage=None), shown, NOW, RULES) == (
        Reason.PERMIT_OTHER_LANE,
        Reason.ORDER_OTHER_PASSAGE,
    )
    assert withdrawn(permit, picture(inputs=Inputs()), NOW, RULES) == (Reason.INPUTS_STALE,)


def test_a_permit_to_raise_dies_of_what_customs_would_have_asked() -> None:
    permit, by_person = granted(), granted(wish=override())
    late: list[tuple[Picture, tuple[Reason, ...], tuple[Reason, ...]]] = [
        (picture(inputs=UP), (Reason.BOOM_ALREADY_UP,), (Reason.BOOM_ALREADY_UP,)),
        (picture(inputs=BETWEEN), (Reason.BOOM_MOVING,), ()),
        (picture(inputs=inputs(photocell=True)), (Reason.ZONE_OCCUPIED,), ()),
        (picture(deck=EMPTY_DECK), (Reason.TRUCK_ABSENT, Reason.WEIGHT_NOT_SETTLED), ()),
        (scanned(finding=Finding.SUSPECT), (Reason.SCAN_SUSPECT,), (Reason.SCAN_SUSPECT,)),
        (picture(sent="inspect"), (Reason.MATCH_INSPECT,), ()),
        (picture(mode=Mode.ADVISORY), (Reason.NOT_CONFIRMED_YET,), ()),
        (picture(mode=Mode.ADVISORY, confirmed="o-1"), (), ()),
        (picture(mode=Mode.SHADOW), (Reason.LANE_IN_SHADOW,), (Reason.LANE_IN_SHADOW,)),
    ]
    for shown, against, against_person in late:
        assert withdrawn(permit, shown, NOW, RULES) == against
        assert withdrawn(by_person, shown, NOW, RULES) == against_person
    assert withdrawn(permit, picture(), NOW, SCAN) == (Reason.SCAN_AWAITED,)
    assert withdrawn(by_person, picture(), NOW, SCAN) == ()


def test_a_permit_to_lower_dies_of_what_comes_under_the_boom() -> None:
    up = picture(inputs=UP)
    usual, emergency = granted(up, lowering()), granted(up, lowering(verb=Verb.LOWER_NOW))
    faulty = picture(inputs=replace(UP, boom_fault=told(True, 0.05)))
    under = picture(inputs=replace(UP, loop_boom=told(True, 0.05)))
    for permit in (usual, emergency):
        assert withdrawn(permit, up, NOW, RULES) == ()
        assert withdrawn(permit, under, NOW, RULES) == (Reason.ZONE_OCCUPIED,)
        assert withdrawn(permit, picture(), NOW, RULES) == (Reason.BOOM_ALREADY_DOWN,)
    assert withdrawn(usual, faulty, NOW, RULES) == (Reason.BOOM_FAULTY,)
    assert withdrawn(emergency, faulty, NOW, RULES) == ()
    after_crossing = decide_lowering(up, NOW, RULES)
    assert isinstance(after_crossing, Permit)
    assert withdrawn(after_crossing, up, NOW, RULES) == (), "it needs no order"
