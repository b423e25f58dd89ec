"""The judge finds what is false, each thing by its name, and nothing in a day that is well."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from edge.report import Evidence, Ledger, Line, Record, judge

T = 1_800_000_000.0


def truck(number: int, **more: Any) -> dict[str, Any]:
    came = T + 100 * number
    row: dict[str, Any] = {
        "truck": f"T{number}", "number": number, "lane": "L01", "direction": "in", "plate": f"沪A0000{number}",
        "true_gross_kg": 38_250, "fault": None, "follows": None, "expected": "crossed", "allowed": ["crossed"],
        "happened": "crossed", "agrees": True, "struck": False, "deck_true": True,
        "on_loop_at": came, "crossed_at": came + 40, "gone_at": came + 45,
        "pulses": [
            {"at": came + 20.2, "line": "raise", "obeyed": True, "why": ""},
            {"at": came + 45.3, "line": "lower", "obeyed": True, "why": ""},
        ],
        "movements": [], "customs": [{"passage": f"P{number}"}],
    }  # fmt: skip
    return row | more


def passage(number: int, seq: int, **more: Any) -> Record:
    came = T + 100 * number
    body: dict[str, Any] = {
        "passage": f"P{number}", "phase": "closed", "outcome": "crossed", "direction": "in", "opened_at": came + 0.2,
        "closed_at": came + 50, "plate": f"沪A0000{number}", "tags": [], "containers": [], "gross_kg": 38_260,
        "uncertainty_kg": 20, "order": f"O{number}", "decision": "release", "reasons": [], "steps": {"weigh": 4.0},
        "movements": ["raise", "lower"], "alarms": [],
    }  # fmt: skip
    return Record(node="L01", seq=seq, word="passage", at=came + 50, body=body | more)


def boom(number: int, movement: str, at: float) -> list[Line]:
    permit, order = f"{movement}-{number}", f"O{number}" if movement == "raise" else None
    granted = {"id": permit, "order": order, "movement": movement, "granted_at": at, "expires_at": at + 2}
    body = {"permit": permit, "order": order, "movement": movement}
    lines: list[tuple[str, dict[str, Any]]] = [("decision", {"permit": granted})]
    lines += [("boom", body | {"phase": phase}) for phase in ("written", "read back", "confirmed")]
    return [Line(seq=0, at=at, kind=kind, passage=f"P{number}", body=b) for kind, b in lines]


def book(*numbers: int) -> list[Line]:
    lines: list[Line] = []
    for number in numbers:
        came = T + 100 * number
        lines += boom(number, "raise", came + 20) + boom(number, "lower", came + 45)
        lines.append(Line(seq=0, at=came + 50, kind="closed", passage=f"P{number}", body={}))
    return [replace(line, seq=seq) for seq, line in enumerate(lines, 1)]


def changed(lines: list[Line], kind: str, movement: str, change: Callable[[Line], Line | None]) -> dict[str, Ledger]:
    """The book with the first such line of passage P1 changed, or taken out."""
    made: list[Line] = []
    done = False
    for line in lines:
        of = line.body["permit"]["movement"] if line.kind == "decision" else line.body.get("movement")
        if not done and (line.kind, of, line.passage) == (kind, movement, "P1"):
            done, new = True, change(line)
            made += [] if new is None else [new]
        else:
            made.append(line)
    assert done
    return {"L01": Ledger(lines=made)}


def evidence(**more: Any) -> Evidence:
    parts: dict[str, Any] = {
        "truth": [truck(1), truck(2)],
        "records": [Record(node="L01", seq=1, word="decision", at=T, body={}), passage(1, 2), passage(2, 3)],
        "books": {"L01": Ledger(lines=book(1, 2))},
        "divisions_kg": {"L01": Decimal(20)},
    }
    return Evidence(**(parts | more))


def found(**more: Any) -> list[str]:
    report = judge(evidence(**more))
    assert (report["verdict"] == "ok") == (not report["disagreements"])
    return sorted({row["what"] for row in report["disagreements"]})


def test_a_good_day() -> None:
    report = judge(evidence())
    assert report["disagreements"] == [] and report["verdict"] == "ok"
    first = report["passages"][0]
    assert (first["truck"], first["true_kg"], first["measured_kg"]) == ("T1", 38_250, 38_260)
    assert [(m["movement"], m["permit"], m["ended"]) for m in first["movements"]] == [
        ("raise", "raise-1", "confirmed"),
        ("lower", "lower-1", "confirmed"),
    ]
    assert report["counts"]["movements_with_permit"] == report["counts"]["movements"] == 4
    assert report["counts"]["worst_weight_divisions"] == 0.5
    assert report["sequences"] == {"L01": {"records": 3, "last": 3, "whole": True}}


def test_a_movement_that_no_permit_asked_for() -> None:
    stray = {"at": T + 170, "line": "raise", "obeyed": True, "why": ""}
    row = truck(1)
    row["pulses"].append(stray)
    assert found(truth=[row, truck(2)]) == ["movement without a permit"]


def test_one_writing_does_not_cover_two_pulses() -> None:
    row = truck(1)
    row["pulses"].append(row["pulses"][0] | {"at": row["pulses"][0]["at"] + 1})
    assert found(truth=[row, truck(2)]) == ["movement without a permit"]


def test_a_writing_after_the_pulse_does_not_count() -> None:
    row = truck(1)
    row["pulses"][0]["at"] -= 5
    assert found(truth=[row, truck(2)]) == ["movement without a permit"]


CHANGES: list[tuple[str, str, Callable[[Line], Line | None]]] = [
    ("never granted", "decision", lambda line: None),
    ("granted later", "decision", lambda line: replace(line, seq=99)),
    ("for another passage", "decision", lambda line: replace(line, passage="P2")),
    ("for the other way", "decision", lambda line: replace(line, body=permit(line, movement="lower"))),
    ("run out", "decision", lambda line: replace(line, body=permit(line, expires_at=line.at - 1))),
    ("no order", "boom", lambda line: replace(line, body={**line.body, "order": None})),
    ("an order twice", "boom", lambda line: replace(line, body={**line.body, "order": "O2"})),
    ("a permit twice", "boom", lambda line: replace(line, body={**line.body, "permit": "raise-2"})),
]


def permit(line: Line, **more: Any) -> dict[str, Any]:
    return {"permit": {**line.body["permit"], **more}}


@pytest.mark.parametrize(("kind", "change"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_permit_that_was_not_kept_to(kind: str, change: Callable[[Line], Line | None]) -> None:
    assert "permit not kept to" in found(books=changed(book(1, 2), kind, "raise", change))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"struck": True, "agrees": False}, "truck struck"),
        ({"agrees": False, "happened": "backed_out"}, "wrong end"),
        ({"happened": "backed_out"}, "wrong outcome"),
        ({"expected": "crossed_with_alarm"}, "no alarm"),
        ({"true_gross_kg": 38_239}, "wrong weight"),
        ({"plate": "沪B99999"}, "wrong truck released"),
    ],
)
def test_the_truck_tells_another_story(change: dict[str, Any], what: str) -> None:
    assert what in found(truth=[truck(1, **change), truck(2)])


def test_a_weight_of_a_deck_that_was_not_true_is_not_compared() -> None:
    assert found(truth=[truck(1, true_gross_kg=20_000, deck_true=False), truck(2)]) == []


def test_a_truck_of_which_nobody_wrote() -> None:
    assert "truck without a passage" in found(truth=[truck(1), truck(2), truck(3, pulses=[], customs=[])])


def test_a_passage_of_nobody() -> None:
    assert "passage without a truck" in found(truth=[truck(1)], records=[*evidence().records, passage(7, 4)])


def test_a_stuck_loop_opens_a_passage_of_nobody() -> None:
    ghost = passage(1, 4, outcome="left", passage="P9", opened_at=T + 147, gross_kg=None, decision="none")
    lines = [*book(1, 2), Line(seq=99, at=T + 150, kind="closed", passage="P9", body={})]
    more: dict[str, Any] = {"records": [*evidence().records, ghost], "books": {"L01": Ledger(lines=lines)}}
    stuck = {"kind": "stuck_loop", "variant": "loop_arrival"}
    assert found(**more) == ["passage without a truck"]
    assert found(truth=[truck(1, fault=stuck), truck(2)], **more) == []


def test_a_numbering_that_began_anew() -> None:
    records = [replace(record, epoch="a" if record.seq < 3 else "b") for record in evidence().records]
    assert found(records=records) == ["record lost"]


def test_records_lost_and_doubled() -> None:
    records = list(evidence().records)
    assert found(records=records[1:]) == ["record lost"]
    assert found(records=[*records, records[0]]) == ["record twice"]
    assert found(records=records[:-1]) == ["record lost", "truck without a passage"]


def test_a_record_that_is_in_no_book() -> None:
    lines = [line for line in book(1, 2) if (line.kind, line.passage) != ("closed", "P2")]
    assert found(books={"L01": Ledger(lines=lines)}) == ["passage not in the book"]


def test_a_broken_book() -> None:
    assert "book broken" in found(books={"L01": Ledger(lines=book(1, 2), broken="entry 3: it was changed")})


def test_faults_and_what_became_of_them() -> None:
    fault = {"kind": "forged_order", "variant": ""}
    row = truck(1, fault=fault, expected="not_opened", allowed=["backed_out"], happened="backed_out", pulses=[])
    lines = [line for line in book(1, 2) if line.passage != "P1" or line.kind == "closed"]
    records = list(evidence().records)
    records[1] = passage(1, 2, outcome="left", decision="refused", reasons=["ORDER_FORGED"], order=None)
    report = judge(evidence(truth=[row, truck(2)], records=records, books={"L01": Ledger(lines=lines)}))
    assert report["disagreements"] == []
    told = report["faults"][0]
    assert (told["kind"], told["happened"], told["decisions"], told["reasons"]) == (
        "forged_order",
        "backed_out",
        ["refused"],
        ["ORDER_FORGED"],
    )


def test_a_late_boom_may_end_in_fault_with_an_alarm() -> None:
    records = list(evidence().records)
    records[1] = passage(1, 2, outcome="fault", alarms=["NOT_CONFIRMED"])
    assert found(records=deepcopy(records)) == []
    records[1] = passage(1, 2, outcome="fault")
    assert found(records=records) == ["wrong outcome"]


def restarted(at: float, *numbers: int) -> dict[str, Ledger]:
    """The book of a lane whose process began anew at that time."""
    lines = [line for line in book(*numbers) if line.at <= at]
    began = Line(seq=0, at=at, kind="started", passage=None, body={})
    lines = [replace(began, at=T), *lines, began, *(line for line in book(*numbers) if line.at > at)]
    return {"L01": Ledger(lines=[replace(line, seq=seq) for seq, line in enumerate(lines, 1)])}


def test_a_truck_before_a_lane_that_begins_anew_may_back_out_and_is_told_so() -> None:
    left = truck(1, happened="backed_out", agrees=False, pulses=[])
    closed = Line(seq=99, at=T + 150, kind="closed", passage="P1", body={})
    books = {"L01": Ledger(lines=[*restarted(T + 115, 2)["L01"].lines, closed])}
    records = list(evidence().records)
    records[1] = passage(1, 2, outcome="left", decision="refused", order=None)
    assert found(truth=[left, truck(2)], records=records, books=books) == []
    report = judge(evidence(truth=[left, truck(2)], records=records, books=books))
    assert [(row["started_at"], row["trucks"]) for row in report["restarts"]] == [(T + 115, ["T1"])]
    assert found(truth=[left, truck(2, happened="backed_out", agrees=False)], records=records, books=books) == [
        "wrong end", "wrong outcome",
    ]  # fmt: skip


def test_a_lane_that_began_anew_does_not_know_the_end_of_the_passage_before() -> None:
    records = list(evidence().records)
    records[1] = passage(1, 2, outcome="abandoned")
    assert found(records=records) == ["wrong outcome"]
    assert found(records=records, books=restarted(T + 142, 1, 2)) == []
    records[1] = passage(1, 2, outcome="left")
    assert found(records=records, books=restarted(T + 142, 1, 2)) == ["wrong outcome"], "what it says must be true"


def test_of_a_passage_that_was_open_when_the_lane_died_nobody_knows_the_end() -> None:
    """Its truck had gone when the process ended in the middle of the lowering."""
    records = list(evidence().records)
    records[1] = passage(1, 2, outcome="abandoned")
    gone = truck(1, gone_at=T + 140)
    lines = restarted(T + 147, 1, 2)["L01"].lines
    assert "wrong outcome" in found(truth=[gone, truck(2)], records=records, books={"L01": Ledger(lines=lines)})
    opened = Line(seq=0, at=T + 100.2, kind="opened", passage="P1", body={})
    known = [replace(line, seq=seq) for seq, line in enumerate([lines[0], opened, *lines[1:]], 1)]
    assert found(truth=[gone, truck(2)], records=records, books={"L01": Ledger(lines=known)}) == []


def test_nobody_crosses_a_lane_that_sees_nothing() -> None:
    records = [evidence().records[0], replace(passage(2, 2), seq=2)]
    books = restarted(T + 115, 2)
    assert "truck without a passage" in found(truth=[truck(1), truck(2)], records=records, books=books)
    gone = truck(1, happened="backed_out", agrees=False, pulses=[])
    assert found(truth=[gone, truck(2)], records=records, books=books) == []
