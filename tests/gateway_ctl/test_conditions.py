"""How soon each alarm wants a person."""

import pytest

from gateway_ctl.conditions import Condition

ACT_NOW = {Condition.NOT_CONFIRMED, Condition.BOOM_STRAYED, Condition.TAILGATED, Condition.ORDER_FALSE}
KNOW = {Condition.OVERRIDE}


@pytest.mark.parametrize("condition", list(Condition))
def test_a_condition(condition: Condition) -> None:
    assert condition.value.priority == (1 if condition in ACT_NOW else 3 if condition in KNOW else 2)
    assert condition.code == condition.name.lower()
    assert condition.value.zh
    assert condition.value.en
