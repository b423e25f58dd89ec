"""The judgement of a simulated day: what the lanes wrote down, held against what truly happened. Pure.

`judge` takes the simulator's truth, the recorder's records and the lanes' books, and gives one JSON object: every
passage, what became of every fault, and every point where the witnesses disagree. A day without any is `ok`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Plain = Mapping[str, Any]

CLOCK_SLACK_S = 1.0
"""Site seconds by which two processes of one simulated port may differ: 20 ms of scheduling at fifty-fold speed."""
WRITE_WITHIN_S = 10.0
"""Site seconds from the book's `written` to the pulse at the barrier: a hundred polls; a later one is not its deed."""
STUCK_S = 30.0
"""Site seconds after its truck within which the simulator mends a stuck loop."""
WAKE_S = 30.0
"""Site seconds from a lane process' first entry to its first true picture: links open, Python warms, at high speed."""
LIFTED = {"raise", "lower"}
"""Lines of a barrier that move it; `stop` halts it and needs no permit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as the recorder has it."""

    node: str
    epoch: str = ""
    """Which numbering `seq` belongs to."""
    seq: int
    word: str
    at: float
    body: Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry of a lane's book."""

    seq: int
    at: float
    kind: str
    passage: str | None
    body: Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A lane's book and whether its chain is whole."""

    lines: Sequence[Line]
    broken: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is judged."""

    truth: Sequence[Plain]
    records: Sequence[Record]
    books: Mapping[str, Ledger]
    divisions_kg: Mapping[str, Decimal]
    """By lane."""


@dataclass(slots=True)
class _Findings:
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def add(self, what: str, say: str, *, lane: str, truck: str | None = None, passage: str | None = None) -> None:
        self.rows.append({"what": what, "lane": lane, "truck": truck, "passage": passage, "say": say})


def judge(evidence: Evidence) -> dict[str, Any]:
    """The report of the day."""
    findings = _Findings()
    closed = [r for r in evidence.records if r.word == "passage" and r.body["phase"] == "closed"]
    owners = _owners(evidence.truth, closed)
    permits = list(_permits(evidence, findings))
    passages = [_passage(evidence, record, owners.get(record.body["passage"]), permits) for record in closed]
    restarts = list(_restarts(evidence))
    _trucks(evidence, passages, restarts, findings)
    books = _books(evidence, closed, findings)
    sequences = _sequences(evidence.records, findings)
    return {
        "verdict": "not ok" if findings.rows else "ok",
        "disagreements": findings.rows,
        "counts": _counts(evidence, passages, permits),
        "passages": passages,
        "faults": _faults(evidence.truth, passages),
        "restarts": restarts,
        "books": books,
        "sequences": sequences,
        "movements": permits,
    }


def _owners(truth: Sequence[Plain], closed: Sequence[Record]) -> dict[str, Plain]:
    """The truck of each passage: the one that came onto the loop when it opened."""
    by_lane: dict[str, list[Plain]] = defaultdict(list)
    for row in truth:
        by_lane[row["lane"]].append(row)
    owners: dict[str, Plain] = {}
    for record in closed:
        opened = record.body["opened_at"]
        there = [row for row in by_lane[record.node] if _there(row, opened)]
        asked = [
            row for row in by_lane[record.node] if any(c["passage"] == record.body["passage"] for c in row["customs"])
        ]
        left_stuck = [row for row in by_lane[record.node] if _left_the_loop_stuck(row, opened)]
        if there:
            owners[record.body["passage"]] = min(there, key=lambda row: abs(row["on_loop_at"] - opened))
        elif asked or left_stuck:
            owners[record.body["passage"]] = [*asked, *left_stuck][0]
    return owners


def _left_the_loop_stuck(row: Plain, at: float) -> bool:
    """A loop that still reports a truck that has gone opens a passage of nobody: it belongs to that truck's fault."""
    stuck = row["fault"] == {"kind": "stuck_loop", "variant": "loop_arrival"}
    return stuck and row["gone_at"] is not None and row["gone_at"] <= at <= row["gone_at"] + STUCK_S


def _there(row: Plain, at: float) -> bool:
    came, gone = row["on_loop_at"], row["gone_at"]
    if came is None:
        return False
    return came - CLOCK_SLACK_S <= at and (gone is None or at <= gone + CLOCK_SLACK_S)


def _permits(evidence: Evidence, findings: _Findings) -> Iterator[dict[str, Any]]:
    """Every pulse at every barrier, with the permit whose writing is in the book before it."""
    for lane, ledger in evidence.books.items():
        booms = [line for line in ledger.lines if line.kind == "boom"]
        written = [line for line in booms if line.body["phase"] == "written"]
        last = {line.body["permit"]: line.body["phase"] for line in booms}
        for say, passage in _against(ledger, written, last):
            findings.add("permit not kept to", say, lane=lane, passage=passage)
        left = list(written)
        for pulse in _pulses(evidence.truth, lane):
            deed = next((line for line in reversed(left) if _caused(line, pulse)), None)
            if deed is None:
                say = f"a {pulse['line']} pulse at {pulse['at']} has no entry in the book before it"
                findings.add("movement without a permit", say, lane=lane)
            else:
                left.remove(deed)
            yield {
                "lane": lane,
                "movement": pulse["line"],
                "pulse_at": pulse["at"],
                "obeyed": pulse["obeyed"],
                "passage": None if deed is None else deed.passage,
                "permit": None if deed is None else deed.body["permit"],
                "order": None if deed is None else deed.body.get("order"),
                "written_at": None if deed is None else deed.at,
                "ended": None if deed is None else last[deed.body["permit"]],
            }


def _against(ledger: Ledger, written: Sequence[Line], last: Mapping[Any, Any]) -> Iterator[tuple[str, str | None]]:
    """Where a writing does not rest on a permit, granted before it, for this movement, in its time, once."""
    granted = {line.body["permit"]["id"]: line for line in ledger.lines if line.kind == "decision"}
    for permit, times in Counter(line.body["permit"] for line in written).items():
        if times > 1:
            yield f"permit {permit} was written {times} times", None
    for line in written:
        decision = granted.get(line.body["permit"])
        if decision is None or decision.seq > line.seq:
            yield f"permit {line.body['permit']} was written and not granted before", line.passage
            continue
        permit = decision.body["permit"]
        if (permit["movement"], decision.passage) != (line.body["movement"], line.passage):
            yield f"permit {permit['id']} was for {permit['movement']} in {decision.passage}", line.passage
        if line.at > permit["expires_at"] and last[permit["id"]] != "refused":
            yield f"permit {permit['id']} had run out {line.at - permit['expires_at']:.1f} s before", line.passage
    releases = [line for line in written if line.body["movement"] == "raise" and last[line.body["permit"]] != "refused"]
    for line in releases:
        if line.body["order"] is None:
            yield "the boom was raised without an order", line.passage
    for order, times in Counter(line.body["order"] for line in releases).items():
        if order is not None and times > 1:
            yield f"order {order} raised the boom {times} times", None


def _pulses(truth: Sequence[Plain], lane: str) -> list[Plain]:
    found = [pulse for row in truth if row["lane"] == lane for pulse in row["pulses"] if pulse["line"] in LIFTED]
    return sorted(found, key=lambda pulse: pulse["at"])


def _caused(line: Line, pulse: Plain) -> bool:
    after_s = pulse["at"] - line.at
    return line.body["movement"] == pulse["line"] and -CLOCK_SLACK_S <= after_s <= WRITE_WITHIN_S


def _passage(evidence: Evidence, record: Record, truck: Plain | None, permits: Sequence[Plain]) -> dict[str, Any]:
    body = record.body
    measured = _kg(body.get("gross_kg"))
    true = None if truck is None else _kg(truck["true_gross_kg"])
    return {
        "passage": body["passage"],
        "lane": record.node,
        "truck": None if truck is None else truck["truck"],
        "fault": None if truck is None else truck["fault"],
        "opened_at": body["opened_at"],
        "closed_at": body["closed_at"],
        "outcome": body["outcome"],
        "plate": body.get("plate"),
        "true_plate": None if truck is None else truck["plate"],
        "tags": body.get("tags", []),
        "containers": body.get("containers", []),
        "measured_kg": _number(measured),
        "uncertainty_kg": _number(_kg(body.get("uncertainty_kg"))),
        "true_kg": _number(true),
        "deck_true": None if truck is None else truck["deck_true"],
        "division_kg": _number(evidence.divisions_kg.get(record.node)),
        "order": body.get("order"),
        "decision": body.get("decision", "none"),
        "reasons": body.get("reasons", []),
        "steps_s": body.get("steps", {}),
        "movements": [move for move in permits if move["passage"] == body["passage"]],
        "alarms": body.get("alarms", []),
    }


def _restarts(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """When each lane was blind because its process had ended and began anew, and the trucks that it concerned."""
    for lane, ledger in evidence.books.items():
        before: Line | None = None
        opened_at: float | None = None
        for line in ledger.lines:
            if line.kind in ("opened", "closed"):
                opened_at = line.at if line.kind == "opened" else None
            if line.kind == "started" and before is not None:
                # Of a passage that was open nobody knows the end, however long its truck has been gone.
                since, until = before.at if opened_at is None else opened_at, line.at + WAKE_S
                there = [row for row in evidence.truth if row["lane"] == lane and _between(row, since, until)]
                trucks = [row["truck"] for row in there]
                yield {"lane": lane, "last_entry_at": before.at, "started_at": line.at, "trucks": trucks}
            before = line


def _between(row: Plain, since: float, until: float) -> bool:
    came, gone = row["on_loop_at"], row["gone_at"]
    return came is not None and came <= until and (gone is None or gone >= since)


def _trucks(evidence: Evidence, passages: Sequence[Plain], restarts: Sequence[Plain], findings: _Findings) -> None:
    blind = {truck for restart in restarts for truck in restart["trucks"]}
    by_truck: dict[str, list[Plain]] = defaultdict(list)
    for passage in passages:
        if passage["truck"] is None:
            findings.add(
                "passage without a truck", "no truck stood there", lane=passage["lane"], passage=passage["passage"]
            )
        else:
            by_truck[passage["truck"]].append(passage)
    for row in evidence.truth:
        for what, say in _of_truck(row, by_truck[row["truck"]], blind=row["truck"] in blind):
            passage = by_truck[row["truck"]][-1]["passage"] if by_truck[row["truck"]] else None
            findings.add(what, say, lane=row["lane"], truck=row["truck"], passage=passage)


def _of_truck(row: Plain, passages: Sequence[Plain], *, blind: bool) -> Iterator[tuple[str, str]]:
    """`blind`: its lane's process began anew while it was there. Then it may cross or back out, but not untold."""
    if row["struck"]:
        yield "truck struck", "the boom came down on it"
    unexpected = blind and row["happened"] in ("crossed", "backed_out")
    if not row["agrees"] and not row["struck"] and not unexpected:
        yield (
            "wrong end",
            f"allowed was {' or '.join(row['allowed'])}, it {row['happened']}; expected {row['expected']}",
        )
    yield from _of_outcome(row, passages, blind=blind)
    for passage in passages:
        measured, true, division = passage["measured_kg"], passage["true_kg"], passage["division_kg"]
        if row["deck_true"] and None not in (measured, true, division) and abs(measured - true) > division:
            yield "wrong weight", f"measured {measured} kg, true {true} kg, division {division} kg"
        if passage["decision"] == "release" and passage["plate"] not in (None, row["plate"]):
            yield "wrong truck released", f"released as {passage['plate']}, it is {row['plate']}"


def _of_outcome(row: Plain, passages: Sequence[Plain], *, blind: bool) -> Iterator[tuple[str, str]]:
    outcomes = {passage["outcome"] for passage in passages}
    alarms = [alarm for passage in passages for alarm in passage["alarms"]]
    happened = row["happened"]
    if happened in ("crossed", "backed_out") and row["on_loop_at"] is not None and not passages:
        # Whoever only backs out of a lane that sees nothing leaves no trace; a boom does not open there.
        if not (blind and happened == "backed_out"):
            yield "truck without a passage", f"it {happened}, and no passage says so"
        return
    unsure = outcomes & {"fault", "abandoned"} and (alarms or blind)
    if happened == "crossed" and "crossed" not in outcomes and not unsure:
        yield "wrong outcome", f"it crossed, the lane says {', '.join(sorted(outcomes))}"
    if happened == "backed_out" and "crossed" in outcomes:
        yield "wrong outcome", "it backed out, the lane says crossed"
    if row["expected"].endswith("_with_alarm") and not alarms and not blind:
        yield "no alarm", f"{row['expected']}, and no alarm rang"


def _books(evidence: Evidence, closed: Sequence[Record], findings: _Findings) -> dict[str, Any]:
    """Whether each book is whole, and the recorder has every passage that it tells of."""
    told: dict[str, set[str]] = defaultdict(set)
    for record in closed:
        told[record.node].add(record.body["passage"])
    found: dict[str, Any] = {}
    for lane, ledger in evidence.books.items():
        if ledger.broken is not None:
            findings.add("book broken", ledger.broken, lane=lane)
        ended = {line.passage for line in ledger.lines if line.kind == "closed"}
        for passage in sorted(p for p in ended - told[lane] if p is not None):
            findings.add("record lost", "closed in the book, unknown to the recorder", lane=lane, passage=passage)
        for passage in sorted(told[lane] - ended):
            findings.add("passage not in the book", "known to the recorder only", lane=lane, passage=passage)
        found[lane] = {"verified": ledger.broken is None, "why": ledger.broken, "entries": len(ledger.lines)}
    return found


def _sequences(records: Sequence[Record], findings: _Findings) -> dict[str, Any]:
    """Sequence numbers of each node: from 1, without a hole, each once, and never begun anew."""
    by_node: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        by_node[record.node][record.epoch].append(record.seq)
    found: dict[str, Any] = {}
    for node, epochs in sorted(by_node.items()):
        missing = [n for numbers in epochs.values() for n in sorted(set(range(1, max(numbers) + 1)) - set(numbers))]
        twice = [n for numbers in epochs.values() for n, times in sorted(Counter(numbers).items()) if times > 1]
        if missing:
            findings.add("record lost", f"sequence numbers {_some(missing)} never came", lane=node)
        if twice:
            findings.add("record twice", f"sequence numbers {_some(twice)} are stored twice", lane=node)
        if len(epochs) > 1:
            findings.add("record lost", f"the numbering began anew {len(epochs) - 1} times", lane=node)
        count, last = sum(map(len, epochs.values())), max(map(max, epochs.values()))
        found[node] = {"records": count, "last": last, "whole": not missing and not twice and len(epochs) == 1}
    return found


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return shown if len(numbers) <= 5 else f"{shown} and {len(numbers) - 5} more"


def _faults(truth: Sequence[Plain], passages: Sequence[Plain]) -> list[dict[str, Any]]:
    by_truck: dict[str, list[Plain]] = defaultdict(list)
    for passage in passages:
        by_truck[passage["truck"]].append(passage)
    return [
        {
            "truck": row["truck"],
            "lane": row["lane"],
            **row["fault"],
            "expected": row["expected"],
            "happened": row["happened"],
            "agrees": row["agrees"],
            "decisions": [passage["decision"] for passage in by_truck[row["truck"]]],
            "reasons": list(dict.fromkeys(r for passage in by_truck[row["truck"]] for r in passage["reasons"])),
            "alarms": list(dict.fromkeys(a for passage in by_truck[row["truck"]] for a in passage["alarms"])),
        }
        for row in truth
        if row["fault"] is not None
    ]


def _counts(evidence: Evidence, passages: Sequence[Plain], permits: Sequence[Plain]) -> dict[str, Any]:
    errors = [
        abs(p["measured_kg"] - p["true_kg"]) / p["division_kg"]
        for p in passages
        if p["deck_true"] and None not in (p["measured_kg"], p["true_kg"], p["division_kg"])
    ]
    return {
        "trucks": len(evidence.truth),
        "happened": dict(sorted(Counter(row["happened"] for row in evidence.truth).items())),
        "passages": len(passages),
        "outcomes": dict(sorted(Counter(p["outcome"] for p in passages).items())),
        "decisions": dict(sorted(Counter(p["decision"] for p in passages).items())),
        "reasons": dict(sorted(Counter(reason for p in passages for reason in p["reasons"]).items())),
        "faults": sum(row["fault"] is not None for row in evidence.truth),
        "weighed": len(errors),
        "worst_weight_divisions": round(max(errors, default=0.0), 3),
        "movements": len(permits),
        "movements_with_permit": sum(move["permit"] is not None for move in permits),
        "records": dict(sorted(Counter(record.word for record in evidence.records).items())),
    }


def _kg(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _number(value: Decimal | None) -> float | int | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)
