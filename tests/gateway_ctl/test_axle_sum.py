"""A sum of axle loads is never taken for a weighing: refused unless the site says that its authority takes it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway_ctl.interlock import of_truck
from gateway_ctl.matching import Found, match
from gateway_ctl.picture import Deck
from gateway_ctl.reasons import Reason
from tests.gateway_ctl.scene import NOW, RULES, deck, inputs, order, picture

SUM: Deck = deck(doubts=("by axles",), uncertainty_kg=Decimal(60))
TAKES = replace(RULES, takes_axle_sum=True)


def test_a_sum_is_refused_unless_the_site_takes_it() -> None:
    stands = picture(deck=SUM)
    assert of_truck(stands, order(), NOW, RULES) == [Reason.WEIGHT_BY_AXLES]
    assert of_truck(stands, order(), NOW, TAKES) == []


def test_the_front_of_the_truck_is_past_the_deck_while_its_last_axle_is_weighed() -> None:
    ahead = inputs(beam_front=True)
    assert of_truck(picture(deck=SUM, inputs=ahead), order(), NOW, TAKES) == []
    assert of_truck(picture(inputs=ahead), order(), NOW, TAKES) == [Reason.DECK_HALF_ON]
    assert of_truck(picture(deck=SUM, inputs=inputs(beam_rear=True)), order(), NOW, TAKES) == [Reason.DECK_HALF_ON]


@pytest.mark.parametrize("rules", [RULES, TAKES])
def test_an_axle_that_was_missed_is_its_own_reason(rules: object) -> None:
    missed = picture(deck=deck(doubts=("by axles", "axle missed"), settled_kg=None))
    found = of_truck(missed, order(), NOW, rules)  # type: ignore[arg-type]
    assert Reason.AXLE_MISSED in found and Reason.WEIGHT_NOT_SETTLED in found


def test_the_sums_own_uncertainty_counts_in_the_matching() -> None:
    said = order(declared_kg=Decimal(38_000), tolerance_kg=Decimal(200))
    for uncertainty_kg, found in ((Decimal(60), Found.SAME), (Decimal(59), Found.DIFFERS)):
        stands = picture(deck=replace(SUM, uncertainty_kg=uncertainty_kg))
        [line] = [line for line in match(stands, said, TAKES) if line.check == "weight"]
        assert line.found is found


def test_a_full_deck_is_not_by_axles() -> None:
    assert SUM.by_axles and not deck().by_axles
