"""The table of topics holds together, and every word has a body."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.topics import BY_WORD, ROOT, TOPICS, Address, Kind, Speaker, Topic, parse, topic

NAMES = st.from_regex(r"\A[A-Za-z0-9_-]{1,12}\Z")


def test_one_row_a_word() -> None:
    assert len(BY_WORD) == len(TOPICS)
    assert all(re.fullmatch(r"[a-z]+", row.word) and row.meaning for row in TOPICS)


@pytest.mark.parametrize("row", TOPICS, ids=lambda row: row.word)
def test_the_promises_of_a_row_agree(row: Topic) -> None:
    assert row.instrument <= (row.kind is Kind.SAMPLE), "records and states belong to a node, not to an instrument"
    assert (row.period_s is None) or (row.kind is Kind.SAMPLE and row.period_s > 0)
    assert row.retain == (row.kind is Kind.STATE)
    assert row.qos == (row.kind is not Kind.SAMPLE)
    if row.stale_after_s is not None:
        assert row.period_s is not None and row.stale_after_s >= max(2.0, 2 * row.period_s)


def test_only_the_console_speaks_orders_and_nothing_keeps_them() -> None:
    orders = [row for row in TOPICS if row.kind is Kind.ORDER]
    assert [(row.word, row.speaker, row.retain) for row in orders] == [
        (word, Speaker.CONSOLE, False) for word in ("order", "verdict", "correction")
    ]


def test_every_word_has_a_body() -> None:
    bodies = {
        found.lower()
        for path in (Path(__file__).resolve().parents[2] / "telemetry" / "payloads").glob("*.py")
        for found in re.findall(r"^class (\w+)Body\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {row.word for row in TOPICS} - {"order"} <= bodies
    assert "order" in bodies


@given(st.sampled_from(TOPICS), NAMES, NAMES, NAMES)
def test_a_name_comes_back_as_its_parts(row: Topic, site: str, node: str, instrument: str) -> None:
    below = instrument if row.instrument else None
    assert parse(topic(site, node, row.word, below)) == Address(site, node, below, row.word)


@given(st.text(max_size=30))
def test_other_names_are_not_ours(name: str) -> None:
    address = parse(name)
    assert address is None or name.startswith(ROOT)


@pytest.mark.parametrize("bad", ["", "a.b", "a b", "a/b/", "+", "#", "$SYS"])
def test_levels_that_a_broker_would_trip_over_are_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="level"):
        topic(bad.replace("/", "."), "L01", "view")
