"""The picture: what is fresh, what a lane asks for unless its site says otherwise, and the mark of a picture."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from drivers.readings import Instant
from gateway_ctl.correction import Check
from gateway_ctl.modes import Consequence, Mode, Silent
from gateway_ctl.picture import (
    Container,
    Deck,
    Identity,
    Inputs,
    OnFailed,
    Picture,
    Rules,
    Seen,
    as_json,
    digest,
    young,
)
from tests.gateway_ctl.scene import NOW, picture


@pytest.mark.parametrize(
    ("age", "fresh"),
    [(0.0, True), (1.0, True), (1.001, False), (-0.5, True), (-0.501, False), (60.0, False)],
)
def test_fresh_is_known_and_told_of_late(age: float, fresh: bool) -> None:
    told = Seen(False, Instant(NOW - age), NOW)
    assert told.fresh(NOW, 1.0) is fresh
    assert young(Instant(NOW - age), NOW, 1.0) is fresh
    assert not replace(told, value=None).fresh(NOW, 1.0)
    assert not replace(told, at=None).fresh(NOW, 1.0)
    assert Seen(0, Instant(NOW - 9)).fresh(NOW, 9.0)


def test_nothing_is_known_until_it_is_told() -> None:
    never: Seen[bool] = Seen()
    assert (never.value, never.at, never.since) == (None, None, None)
    assert Inputs() == Inputs(**dict.fromkeys(Inputs.__dataclass_fields__, never))
    weight: Seen[Decimal] = Seen()
    assert Deck() == Deck(
        live_kg=weight, overload=False, settled_kg=None, uncertainty_kg=None, settled_at=None, zero_ok=None,
        frozen=False, jumped=False, doubts=(),
    )  # fmt: skip
    assert Identity() == Identity(
        plate=None, tags=(), tag_plates=(), containers=(), trailer=None, seal_numbers=(), corrections=(), cards=()
    )
    assert Picture(site="s", lane="l", at=NOW) == Picture(
        site="s", lane="l", at=NOW, mode=Mode.SHADOW, direction=None, passage=None, inputs=Inputs(), deck=Deck(),
        identity=Identity(),
        paper=None, inspection=None, confirmed=None, sent=None, silent_since=None, clock_step_s=0.0,
        spent=frozenset(),
    )  # fmt: skip


def test_what_a_lane_asks_for_unless_its_site_says_otherwise() -> None:
    assert Rules() == Rules(
        inputs_fresh_s=1.0, weight_fresh_s=2.0, presence_kg=Decimal(1000), zone_clear_s=1.0, skew_s=2.0,
        order_life_s=600.0, permit_life_s=2.0, plate_sure=0.8, needs_weight=True, needs_plate=True, needs_tag=False,
        needs_trailer=False, needs_seal=False, needs_scan=False, tolerance_share=Decimal("0.05"), documents=(),
        on_failed=OnFailed(), cosign_s=60.0, hold_open_s=900.0, silent=Silent.REFUSE, silent_after_s=10.0, empties=(),
        takes_axle_sum=False, empty_off_kg=Decimal(500), gather_s=30.0, clock_step_s=1.0,
    )  # fmt: skip
    by_hand, again = Consequence.CORRECT, Consequence.RETRY
    assert OnFailed() == OnFailed(
        plate=by_hand, tag=by_hand, trailer=by_hand, containers=by_hand, seal=by_hand, weight=again, direction=again,
        document=again,
    )  # fmt: skip


def test_each_check_leads_to_its_own_consequence() -> None:
    for check in Check:
        for leads in Consequence:
            assert replace(OnFailed(), **{check.value: leads}).of(check) is leads


def test_equal_pictures_have_equal_marks() -> None:
    one = picture(spent=frozenset({"a", "b", "c", "d"}))
    other = picture(spent=frozenset(["d", "c", "b", "a"]))
    assert as_json(one) == as_json(other)
    assert digest(one) == digest(other) == hashlib.sha256(as_json(one)).hexdigest()
    assert json.loads(as_json(one))["spent"] == ["a", "b", "c", "d"]
    assert list(json.loads(as_json(one))) == sorted(json.loads(as_json(one)))
    assert digest(one) != digest(picture(spent=frozenset({"a"})))


def test_a_sum_of_axle_loads_says_that_it_is_one() -> None:
    assert Deck(doubts=("drifting", "by axles")).by_axles
    assert not Deck(doubts=("drifting",)).by_axles


def test_a_container_says_whether_its_check_digit_is_true() -> None:
    assert Container("CSQU3054383", 0.9, True) != Container("CSQU3054383", 0.9, False)
