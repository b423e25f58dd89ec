"""Every reason is given by somebody, and a guard can say it and act on it in both languages."""

import ast
from pathlib import Path

import pytest

import gateway_ctl
from gateway_ctl.conditions import Condition
from gateway_ctl.reasons import Clears, Reason

ROOM = Path(gateway_ctl.__file__).parent
SPEAKERS = [ROOM, *(ROOM.parent / room for room in ("edge", "consoles"))]


def said() -> set[str]:
    """Members of Reason that the code names anywhere outside their table."""
    names: set[str] = set()
    for folder in SPEAKERS:
        for path in folder.rglob("*.py"):
            if path.name == "reasons.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Reason":
                    names.add(node.attr)
    return names


def test_no_reason_is_dead_and_none_is_invented() -> None:
    assert said() >= {reason.name for reason in Reason}
    assert {name for name in said() if not name.startswith("_")} <= set(Reason.__members__)


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.name)
def test_say_and_remedy_are_there_in_both_languages(reason: Reason) -> None:
    words = reason.value
    for text in (words.zh, words.en, words.remedy_zh, words.remedy_en):
        assert text == text.strip() != ""
    assert reason.clears is words.clears
    assert reason.passing is (words.clears is Clears.BY_ITSELF)


def test_waiting_helps_only_where_nobody_has_to_do_anything() -> None:
    assert {reason.name for reason in Reason if reason.passing} == {
        "ORDER_MISSING", "LANE_WAKING", "INPUTS_STALE", "TRUCK_ABSENT", "ZONE_OCCUPIED", "ZONE_NOT_CLEAR_YET",
        "BOOM_MOVING", "BOOM_ALREADY_UP", "BOOM_ALREADY_DOWN", "WEIGHT_NOT_SETTLED", "WEIGHT_STALE", "PERMIT_EXPIRED",
        "PERMIT_USED", "NOT_KEPT_OPEN",
    }  # fmt: skip


WHO: dict[Clears, set[str]] = {
    Clears.CUSTOMS: {
        "ORDER_MALFORMED", "ORDER_UNKNOWN_KEY", "ORDER_FORGED", "ORDER_OTHER_SITE", "ORDER_OTHER_LANE",
        "ORDER_OTHER_PASSAGE", "ORDER_OTHER_DIRECTION", "ORDER_OTHER_DOCUMENT", "ORDER_EXPIRED",
        "ORDER_LIVES_TOO_LONG", "ORDER_SPENT", "ORDER_OUTDATED", "ORDER_HOLD", "ORDER_INSPECT", "ORDER_REFUSE",
        "CLEARANCE_SILENT", "CLEARANCE_ODD", "LOCAL_NOT_ALLOWED", "WEIGHT_OFF_DECLARED", "MATCH_INSPECT",
        "MATCH_REFUSE",
    },
    Clears.SERVICE: {
        "ORDER_FROM_FUTURE", "LANE_IN_SHADOW", "CLOCK_UNSURE", "ZONE_UNKNOWN", "BOOM_UNKNOWN", "BOOM_CONTRADICTS",
        "BOOM_FAULTY", "WEIGHT_MISSING", "DECK_BEAMS_UNKNOWN", "SCALE_NOT_AT_ZERO", "SCALE_FROZEN", "SCALE_DRIFTING",
        "SCALE_LOAD_UNSEEN", "SCALE_REPLACED", "SCALE_UNCALIBRATED", "PERMIT_OTHER_LANE", "NOT_CONFIRMED",
        "BOOM_STRAYED",
    },
    Clears.INSPECTOR: {"SCAN_AWAITED", "SCAN_SUSPECT", "SCAN_OTHER_TRUCK", "SCAN_TORN"},
}  # fmt: skip
"""Whom a guard is sent to. What clears by itself stands above, and all the rest a guard may clear alone."""


@pytest.mark.parametrize("who", list(WHO))
def test_who_makes_a_reason_go_away(who: Clears) -> None:
    assert {reason.name for reason in Reason if reason.clears is who} == WHO[who]


@pytest.mark.parametrize("condition", list(Condition), ids=lambda condition: condition.name)
def test_a_condition_has_its_words(condition: Condition) -> None:
    assert condition.value.zh.strip() and condition.value.en.strip()
    assert condition.value.priority in (1, 2, 3)
    assert condition.code == condition.name.lower()


def test_what_may_harm_or_cheat_asks_for_a_person_at_once() -> None:
    urgent = {condition.name for condition in Condition if condition.value.priority == 1}
    assert urgent == {"NOT_CONFIRMED", "BOOM_STRAYED", "TAILGATED", "ORDER_FALSE"}
