"""The lane's table: every state answers every event. It draws itself into the README.

Law 1: all transitions are in TABLE. A cell is the state that follows; `..` means the lane hears it and stays.
Law 2: a row or a column that is missing, a word that is no state, or a state that leads to itself by name, fails on
import.
Law 3: RAISING and LOWERING are entered by a permit only (PERMITTED_RAISE, PERMITTED_KEEP, PERMITTED_LOWER).
Law 4: HAND_RAISED and HAND_LOWERED are seen in a lane in shadow only; elsewhere such a boom has strayed.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a passage stands."""

    WAKING = "waking"
    """Just started: looking, touching nothing."""
    EMPTY = "empty"
    GATHERING = "gathering"
    """A truck is here: its plate, tags, containers and weight are being read."""
    ASKING = "asking"
    """Customs has been asked."""
    CLEARED = "cleared"
    """A release is held; the interlock is asked on every picture."""
    HELD = "held"
    """Not released; waits for customs, a person, or for the truck to leave."""
    RAISING = "raising"
    OPEN = "open"
    CROSSING = "crossing"
    CLEARING = "clearing"
    """The place under the boom is clear again; waits for leave to lower."""
    KEPT = "kept"
    """Held open by order until a named end; whoever passes is counted."""
    LOWERING = "lowering"
    FAULT = "fault"
    """The boom is not where it should be."""


class Event(StrEnum):
    """What can happen to a lane."""

    WOKE_EMPTY = "woke: boom down, lane empty"
    WOKE_TRUCK = "woke: boom down, a truck is here"
    WOKE_OPEN = "woke: boom up, as the book says"
    WOKE_ODD = "woke: boom not as the book says"
    TRUCK_CAME = "truck came"
    TRUCK_GONE = "truck gone"
    GATHERED = "gathered"
    GATHER_LATE = "gathering took too long"
    RELEASE_ORDERED = "release ordered"
    HOLD_ORDERED = "hold, inspection or refusal ordered"
    ORDER_BAD = "an order that cannot be admitted"
    SILENT = "customs is silent"
    REFUSED = "interlock refused"
    PERMITTED_RAISE = "permit to raise"
    PERMITTED_LOWER = "permit to lower"
    RAISED = "boom is up"
    LOWERED = "boom is down"
    NOT_CONFIRMED = "boom did not arrive"
    WITHDRAWN = "permit withdrawn, nothing written"
    ZONE_OCCUPIED = "something is under the boom"
    ZONE_CLEARED = "nothing is under the boom"
    BOOM_STRAYED = "boom moved without a permit"
    MENDED = "boom down and well, lane empty"
    PERMITTED_KEEP = "permit to raise and hold open"
    KEEP_BEGUN = "held open"
    KEEP_ENDED = "hold-open ended"
    WITHDRAWN_ALONE = "permit withdrawn, nothing written, no truck"
    HAND_RAISED = "raised by the barrier's own operator"
    HAND_LOWERED = "lowered by the barrier's own operator"


_COLUMNS = """
            we wt wo wx tc tg ga gl ro ho ob si rf pr pl rd ld nc wd zo zc bs me pk kb ke wa hr hl
"""
_ROWS = """
WAKING      EM GA OP FA .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..
EMPTY       .. .. .. .. GA .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. FA .. RA .. .. .. OP ..
GATHERING   .. .. .. .. .. EM AS HE CL HE .. .. .. .. .. .. .. .. .. .. .. FA .. RA .. .. .. OP ..
ASKING      .. .. .. .. .. EM .. .. CL HE HE HE .. .. .. .. .. .. .. .. .. FA .. RA .. .. .. OP ..
CLEARED     .. .. .. .. .. EM .. .. .. HE .. .. HE RA .. .. .. .. .. .. .. FA .. RA .. .. .. OP ..
HELD        .. .. .. .. .. EM AS .. CL .. .. .. .. .. .. .. .. .. .. .. .. FA .. RA .. .. .. OP ..
RAISING     .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. OP .. FA CL .. .. .. .. .. .. .. EM .. ..
OPEN        .. .. .. .. .. CG .. .. .. .. .. .. .. .. LO .. .. .. .. CR .. FA .. .. KE .. .. .. EM
CROSSING    .. .. .. .. .. .. .. .. .. .. .. .. .. .. LO .. .. .. .. .. CG FA .. .. KE .. .. .. EM
CLEARING    .. .. .. .. .. .. .. .. .. .. .. .. .. .. LO .. .. .. .. CR .. FA .. .. KE .. .. .. EM
KEPT        .. .. .. .. .. .. .. .. .. .. .. .. .. .. LO .. .. .. .. .. .. FA .. .. .. CG .. .. ..
LOWERING    .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. CG EM FA CG .. .. .. .. .. .. .. .. .. ..
FAULT       .. .. .. .. .. .. .. .. .. .. .. .. .. RA LO .. .. .. .. .. .. .. EM RA .. .. .. .. ..
"""
_SHORT = {
    "EM": State.EMPTY, "GA": State.GATHERING, "AS": State.ASKING, "CL": State.CLEARED,
    "HE": State.HELD, "RA": State.RAISING, "OP": State.OPEN, "CR": State.CROSSING, "CG": State.CLEARING,
    "KE": State.KEPT, "LO": State.LOWERING, "FA": State.FAULT,
}  # fmt: skip
"""Nothing leads back to WAKING."""


def _read() -> Mapping[State, Mapping[Event, State]]:
    events, width = list(Event), len(_COLUMNS.split())
    if width != len(events):
        raise ValueError(f"the table has {width} columns for {len(events)} events")
    table: dict[State, dict[Event, State]] = {}
    for line in _ROWS.strip().splitlines():
        name, *cells = line.split()
        state = State[name]
        table[state] = {
            event: state if cell == ".." else _SHORT[cell] for event, cell in zip(events, cells, strict=True)
        }
        if cells.count("..") != sum(after is state for after in table[state].values()):
            raise ValueError(f"{name} leads to itself by name: write `..`")
    if set(table) != set(State):
        raise ValueError("the table lacks a state")
    return table


TABLE: Mapping[State, Mapping[Event, State]] = _read()

BOOM_DOWN_STATES = frozenset({State.EMPTY, State.GATHERING, State.ASKING, State.CLEARED, State.HELD})
"""States in which the boom must be down."""
BOOM_UP_STATES = frozenset({State.OPEN, State.CROSSING, State.CLEARING, State.KEPT})
"""States in which the boom must be up."""


def mermaid() -> str:
    """The table as a Mermaid state diagram; edges between the same two states share an arrow."""
    edges: dict[tuple[State, State], list[str]] = {}
    for state, row in TABLE.items():
        for event, following in row.items():
            if following is not state:
                edges.setdefault((state, following), []).append(event.value.replace(":", ","))
    lines = ["stateDiagram-v2", "    [*] --> waking"]
    lines += [f"    {a.value} --> {b.value}: {' / '.join(words)}" for (a, b), words in edges.items()]
    return "\n".join(lines)
