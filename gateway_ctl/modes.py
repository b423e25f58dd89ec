"""How much a lane may do by itself, and what it may do while customs is silent."""

from enum import StrEnum


class Mode(StrEnum):
    """What a lane's own thinking may move. A site starts in SHADOW."""

    SHADOW = "shadow"
    """Decides and moves nothing; the boom belongs to the barrier's own operator, whose doings are watched and told."""
    ADVISORY = "advisory"
    """Asks: what customs releases and the interlock allows waits for one person's signature."""
    LIVE = "live"


class Silent(StrEnum):
    """Local mode: what the site's rules say of a truck while customs does not answer."""

    REFUSE = "refuse"
    """The truck waits. A person's override stays what it is everywhere."""
    OPERATOR = "operator"
    """One person's release is enough, where two must sign while customs answers."""
    KNOWN_EMPTY = "known_empty"
    """A truck of the site's list that is empty, by weight and by reads, passes by the site's own key."""


class Consequence(StrEnum):
    """What a check that failed leads to."""

    RETRY = "retry"
    """It is read or weighed again; the next read counts."""
    CORRECT = "correct"
    """As RETRY, and a person may correct what was read: signed, and kept in the book."""
    INSPECT = "inspect"
    """The truck is sent to inspection; only a newer order of customs lifts it."""
    REFUSE = "refuse"
    """The truck has to leave; only a newer order of customs lifts it."""
