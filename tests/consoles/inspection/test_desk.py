"""The desk alone: who gets what, how often a scan is read, and that the same events make the same desk again."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consoles.inspection.desk import (
    OVERDUE_S,
    Arrived,
    BackWhy,
    Desk,
    Event,
    Finding,
    PutBack,
    Read,
    Role,
    SecondWhy,
    SignedIn,
    SignedOut,
    Taken,
    Told,
    another,
    may_read,
    tallies,
)

PERSONS: list[tuple[str, Role]] = [("a", "inspector"), ("b", "inspector"), ("c", "inspector"), ("z", "supervisor")]


def arrived(digest: str, *, torn: bool = False, targeted: str = "") -> Arrived:
    return Arrived(digest=digest, scanner="X01", started=0.0, ended=8.0, torn=torn, targeted=targeted)


def read(digest: str, person: str, finding: Finding, why: SecondWhy = "", reading: int = 1) -> Read:
    return Read(
        digest=digest,
        person=person,
        reading=reading,
        finding=finding,
        spent_s=40.0,
        another=why,
        verdict=f"v-{digest}-{person}",
        record="00",
    )


def desk_of(*events: Event) -> Desk:
    desk = Desk()
    for n, event in enumerate(events):
        desk.apply(event, float(n), float(n))
    return desk


def test_a_pool_gives_by_chance_and_never_the_same_twice() -> None:
    desk = desk_of(*(arrived(d) for d in "klmn"))
    drawn = {desk.choose("a", "inspector", 5.0, chance / 10).scan.digest for chance in range(10)}  # type: ignore[union-attr]
    assert drawn == set("klmn")
    desk.apply(Taken(digest="k", person="a", reading=1), 6.0, 6.0)
    held = desk.held_by("a")
    assert held is not None and held.scan.digest == "k"
    assert all(desk.choose("b", "inspector", 7.0, c / 10) is not held for c in range(10))


def test_who_has_waited_too_long_comes_before_chance_and_a_torn_scan_before_all() -> None:
    desk = desk_of(arrived("k"), arrived("l"))
    late = desk.choose("a", "inspector", OVERDUE_S + 10.0, 0.99)
    assert late is not None and late.scan.digest == "k"
    desk.apply(arrived("t", torn=True), 3.0, 3.0)
    first = desk.choose("a", "inspector", 4.0, 0.0)
    assert first is not None and first.scan.digest == "t"


def test_only_inspectors_read_and_none_twice() -> None:
    desk = desk_of(arrived("k"))
    task = desk.tasks["k"]
    assert may_read(task, "a", "inspector")
    assert not may_read(task, "z", "supervisor") and not may_read(task, "o", "operator")
    desk.apply(read("k", "a", "clear", "random"), 1.0, 1.0)
    assert not may_read(task, "a", "inspector") and may_read(task, "b", "inspector")
    task.damaged = True
    assert not may_read(task, "b", "inspector")


@pytest.mark.parametrize(
    ("finding", "targeted", "chance", "why"),
    [
        ("clear", "", 0.5, ""),
        ("clear", "", 0.05, "random"),
        ("open", "", 0.05, "random"),
        ("suspect", "", 0.9, "asked"),
        ("clear", "name of goods", 0.9, "targeted"),
        ("again", "name of goods", 0.0, ""),
    ],
)
def test_when_a_first_reading_is_not_the_last(finding: Finding, targeted: str, chance: float, why: SecondWhy) -> None:
    task = desk_of(arrived("k", targeted=targeted)).tasks["k"]
    assert another(task, finding, PERSONS, "a", share=0.1, chance=chance) == why


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("clear", "clear", ""),
        ("open", "suspect", ""),
        ("suspect", "open", ""),
        ("clear", "open", "disagree"),
        ("suspect", "clear", "disagree"),
        ("clear", "again", ""),
    ],
)
def test_two_readings_hold_when_they_agree(first: Finding, second: Finding, why: SecondWhy) -> None:
    task = desk_of(arrived("k"), read("k", "a", first, "random")).tasks["k"]
    assert another(task, second, PERSONS, "b", share=0.0, chance=0.0) == why
    if why:
        task = desk_of(arrived("k"), read("k", "a", first, "random"), read("k", "b", second, why, 2)).tasks["k"]
        assert task.due == 3 and another(task, "open", PERSONS, "c", share=1.0, chance=0.0) == ""


def test_with_nobody_else_chance_falls_away_and_doubt_waits() -> None:
    alone: list[tuple[str, Role]] = [("a", "inspector"), ("z", "supervisor")]
    task = desk_of(arrived("k")).tasks["k"]
    assert another(task, "clear", alone, "a", share=1.0, chance=0.0) == ""
    assert another(task, "suspect", alone, "a", share=1.0, chance=0.0) == ""
    doubted = desk_of(arrived("k"), read("k", "b", "open", "random")).tasks["k"]
    assert another(doubted, "clear", alone, "a", share=0.0, chance=0.0) == "disagree"


def test_a_silent_reader_loses_it_and_a_busy_one_does_not() -> None:
    desk = desk_of(arrived("k"), Taken(digest="k", person="a", reading=1))
    assert desk.silent(301.0, 300.0) == []
    assert [t.scan.digest for t in desk.silent(302.0, 300.0)] == ["k"]
    desk.touch(desk.tasks["k"], 290.0)
    assert desk.silent(302.0, 300.0) == []
    desk.apply(PutBack(digest="k", person="b", why="timed out"), 303.0, 303.0)
    assert desk.held_by("a") is not None, "it is not b's to give back"
    desk.apply(PutBack(digest="k", person="a", why="timed out"), 303.0, 303.0)
    assert desk.held_by("a") is None and len(desk.waiting()) == 1


def test_the_tally_of_a_shift() -> None:
    desk = desk_of(
        arrived("k"),
        read("k", "a", "clear", "random"),
        read("k", "b", "open", "disagree", 2),
        read("k", "c", "open", "", 3),
        arrived("l"),
        read("l", "a", "clear"),
    )
    by = {t.person: t for t in tallies(desk.tasks.values(), 0.0)}
    assert (by["a"].readings, by["a"].clear, by["a"].twice, by["a"].agreed) == (2, 2, 1, 0)
    assert (by["b"].open, by["b"].agreed) == (1, 1)
    assert [t.person for t in tallies(desk.tasks.values(), 5.0)] == ["a"]


names = st.sampled_from("klm")
whos = st.sampled_from("abc")
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(arrived, names),
    st.builds(Taken, digest=names, person=whos, reading=st.just(1)),
    st.builds(PutBack, digest=names, person=whos, why=st.sampled_from(BackWhy.__args__)),
    st.builds(read, names, whos, st.sampled_from(Finding.__args__), st.sampled_from(("", "random"))),
    st.builds(Told, digest=names, verdict=st.just("v"), lanes=st.just(["L01"])),
    st.builds(SignedIn, person=whos, seat=names, until=st.just(9.0)),
    st.builds(SignedOut, person=whos, seat=names),
)


@given(st.lists(events, max_size=40))
def test_any_order_of_events_leaves_a_sound_desk(told: list[Event]) -> None:
    desk = desk_of(*told)
    assert set(desk.open) == {d for d, t in desk.tasks.items() if not t.done}
    assert [t.number for t in desk.tasks.values()] == list(range(1, len(desk.tasks) + 1))
    assert all(t.finding == t.readings[-1].finding for t in desk.tasks.values() if t.done)
    assert all(t.holder is None for t in desk.tasks.values() if t.done)
    again = desk_of(*told)
    assert again.tasks == desk.tasks and again.seats == desk.seats and again.revision == len(told)
    for person, role in itertools.product("abc", ("inspector", "supervisor")):
        chosen = desk.choose(person, role, 1e4, 0.3)  # type: ignore[arg-type]
        assert chosen is None or (chosen.holder is None and may_read(chosen, person, role))  # type: ignore[arg-type]
