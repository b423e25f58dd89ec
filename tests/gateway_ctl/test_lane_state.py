"""The lane's table as a whole: who may lead where, said once more in sentences."""

import pytest

from gateway_ctl import lane_state
from gateway_ctl.lane_state import BOOM_DOWN_STATES, BOOM_UP_STATES, TABLE, Event, State, mermaid

WAITING = {State.EMPTY, State.GATHERING, State.ASKING, State.CLEARED, State.HELD}
BEFORE = WAITING - {State.EMPTY}
UP = {State.OPEN, State.CROSSING, State.CLEARING}
SENTENCES: dict[Event, dict[State, State]] = {
    Event.WOKE_EMPTY: {State.WAKING: State.EMPTY},
    Event.WOKE_TRUCK: {State.WAKING: State.GATHERING},
    Event.WOKE_OPEN: {State.WAKING: State.OPEN},
    Event.WOKE_ODD: {State.WAKING: State.FAULT},
    Event.TRUCK_CAME: {State.EMPTY: State.GATHERING},
    Event.TRUCK_GONE: {**dict.fromkeys(BEFORE, State.EMPTY), State.OPEN: State.CLEARING},
    Event.GATHERED: dict.fromkeys((State.GATHERING, State.HELD), State.ASKING),
    Event.GATHER_LATE: {State.GATHERING: State.HELD},
    Event.RELEASE_ORDERED: dict.fromkeys((State.GATHERING, State.ASKING, State.HELD), State.CLEARED),
    Event.HOLD_ORDERED: dict.fromkeys((State.GATHERING, State.ASKING, State.CLEARED), State.HELD),
    Event.ORDER_BAD: {State.ASKING: State.HELD},
    Event.SILENT: {State.ASKING: State.HELD},
    Event.REFUSED: {State.CLEARED: State.HELD},
    Event.PERMITTED_RAISE: dict.fromkeys((State.CLEARED, State.FAULT), State.RAISING),
    Event.PERMITTED_LOWER: dict.fromkeys((*UP, State.KEPT, State.FAULT), State.LOWERING),
    Event.RAISED: {State.RAISING: State.OPEN, State.LOWERING: State.CLEARING},
    Event.LOWERED: {State.LOWERING: State.EMPTY},
    Event.NOT_CONFIRMED: dict.fromkeys((State.RAISING, State.LOWERING), State.FAULT),
    Event.WITHDRAWN: {State.RAISING: State.CLEARED, State.LOWERING: State.CLEARING},
    Event.ZONE_OCCUPIED: dict.fromkeys((State.OPEN, State.CLEARING), State.CROSSING),
    Event.ZONE_CLEARED: {State.CROSSING: State.CLEARING},
    Event.BOOM_STRAYED: dict.fromkeys((*WAITING, *UP, State.KEPT), State.FAULT),
    Event.MENDED: {State.FAULT: State.EMPTY},
    Event.PERMITTED_KEEP: dict.fromkeys((*WAITING, State.FAULT), State.RAISING),
    Event.KEEP_BEGUN: dict.fromkeys(UP, State.KEPT),
    Event.KEEP_ENDED: {State.KEPT: State.CLEARING},
    Event.WITHDRAWN_ALONE: {State.RAISING: State.EMPTY},
    Event.HAND_RAISED: dict.fromkeys(WAITING, State.OPEN),
    Event.HAND_LOWERED: dict.fromkeys(UP, State.EMPTY),
}


@pytest.mark.parametrize("event", list(Event))
def test_an_event_leads_where_it_must_and_nowhere_else(event: Event) -> None:
    leads = {state: row[event] for state, row in TABLE.items() if row[event] is not state}
    assert leads == SENTENCES[event]


def test_every_state_answers_every_event() -> None:
    assert set(TABLE) == set(State)
    for row in TABLE.values():
        assert list(row) == list(Event)


def test_where_the_boom_must_be() -> None:
    assert BOOM_DOWN_STATES == WAITING
    assert {*UP, State.KEPT} == BOOM_UP_STATES


def test_a_table_that_lacks_a_row_or_a_column_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, columns = lane_state._ROWS, lane_state._COLUMNS
    with monkeypatch.context() as patched:
        patched.setattr(lane_state, "_ROWS", "\n".join(rows.strip().splitlines()[1:]))
        with pytest.raises(ValueError, match=r"^the table lacks a state$"):
            lane_state._read()
    with monkeypatch.context() as patched:
        patched.setattr(lane_state, "_COLUMNS", columns.rsplit(maxsplit=1)[0])
        with pytest.raises(ValueError, match=rf"^the table has {len(Event) - 1} columns for {len(Event)} events$"):
            lane_state._read()
    with monkeypatch.context() as patched:
        patched.setattr(lane_state, "_ROWS", rows.replace(" ..\n", "\n", 1))
        with pytest.raises(ValueError, match="shorter"):
            lane_state._read()


def test_a_state_does_not_lead_to_itself_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_state, "_ROWS", lane_state._ROWS.replace("EMPTY       ..", "EMPTY       EM"))
    with pytest.raises(ValueError, match=r"^EMPTY leads to itself by name: write `\.\.`$"):
        lane_state._read()


def test_the_drawing() -> None:
    lines = mermaid().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> waking"]
    assert "    waking --> empty: woke, boom down, lane empty" in lines, "a colon would end the label"
    held = "hold, inspection or refusal ordered / an order that cannot be admitted / customs is silent"
    assert f"    asking --> held: {held}" in lines
    assert "    raising --> open: boom is up" in lines
    arrows = {(state, after) for state, row in TABLE.items() for after in row.values() if after is not state}
    assert len(lines) == 2 + len(arrows)
