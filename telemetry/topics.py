"""The table of topics: name, speaker, rate, retain, QoS, stale-after. One speaker a topic; staleness follows the rate.

quaygate/v1/<site>/<node>/<instrument>/<word>     samples: QoS 0, newest wins, may be lost, never invented
quaygate/v1/<site>/<node>/<word>                  records: QoS 1 through the spool; views, births and states
quaygate/v1/<site>/<node>/order                   orders, verdicts, corrections: signed, expiring, answered
"""

from dataclasses import dataclass
from enum import StrEnum

ROOT = "quaygate/v1"


class Speaker(StrEnum):
    """The only kind of process that may publish a word."""

    LANE = "lane"
    TRACKER = "tracker"
    RECORDER = "recorder"
    SCANNER = "scanner"
    CONSOLE = "console"
    EVERY_NODE = "every node"


class Kind(StrEnum):
    """What is promised for a message."""

    SAMPLE = "sample"
    """Newest wins; a lost one is not sent again."""
    RECORD = "record"
    """Numbered, spooled until the recorder says it is stored."""
    STATE = "state"
    """Retained: a late listener hears it at once."""
    ORDER = "order"
    """Never retained, never spooled: an order that is late is void."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the table."""

    word: str
    speaker: Speaker
    kind: Kind
    instrument: bool
    """Whether the word stands below an instrument's name."""
    period_s: float | None
    """Longest silence while all is well; None for what speaks on events only."""
    meaning: str

    @property
    def qos(self) -> int:
        """0 for samples, 1 for all that must arrive."""
        return 0 if self.kind is Kind.SAMPLE else 1

    @property
    def retain(self) -> bool:
        """Only states are retained."""
        return self.kind is Kind.STATE

    @property
    def stale_after_s(self) -> float | None:
        """Three periods of silence, but at least two seconds: one lost sample is no alarm."""
        return None if self.period_s is None else max(2.0, 3 * self.period_s)


TOPICS: tuple[Topic, ...] = (
    Topic("weight", Speaker.LANE, Kind.SAMPLE, True, 0.1, "what the indicator says, as it says it"),
    Topic(
        "inputs",
        Speaker.LANE,
        Kind.SAMPLE,
        True,
        1.0,
        "loops, beams, photocell, limit switches, on change and each second",
    ),
    Topic("tag", Speaker.LANE, Kind.SAMPLE, True, None, "a UHF tag was read"),
    Topic("card", Speaker.LANE, Kind.SAMPLE, True, None, "a driver's card was read; its last digits only"),
    Topic("read", Speaker.LANE, Kind.SAMPLE, True, None, "a camera read a plate or a container code"),
    Topic("fix", Speaker.TRACKER, Kind.SAMPLE, True, 5.0, "where a tracker is"),
    Topic("seal", Speaker.TRACKER, Kind.SAMPLE, True, None, "what is known of an electronic seal"),
    Topic("sealing", Speaker.TRACKER, Kind.RECORD, False, None, "an electronic seal was locked, opened, cut, ..."),
    Topic("zone", Speaker.TRACKER, Kind.RECORD, False, None, "a tracker crossed the edge of a zone or a route"),
    Topic(
        "health",
        Speaker.EVERY_NODE,
        Kind.SAMPLE,
        True,
        5.0,
        "frames, garbage, gaps, reconnects, latency of an instrument",
    ),
    Topic(
        "view",
        Speaker.LANE,
        Kind.SAMPLE,
        False,
        1.0,
        "the whole lane as a person must see it, on change and each second",
    ),
    Topic("passage", Speaker.LANE, Kind.RECORD, False, None, "a passage opened, moved on or closed"),
    Topic("decision", Speaker.LANE, Kind.RECORD, False, None, "an order met a picture and a permit was given"),
    Topic("refusal", Speaker.LANE, Kind.RECORD, False, None, "no permit, and every reason why"),
    Topic(
        "advice",
        Speaker.LANE,
        Kind.RECORD,
        False,
        None,
        "what a lane in shadow would have done, an advisory one advises, and what a human did",
    ),
    Topic(
        "boom", Speaker.LANE, Kind.RECORD, False, None, "a coil was written, read back, confirmed by its switch or not"
    ),
    Topic("alarm", Speaker.EVERY_NODE, Kind.RECORD, False, None, "a condition came or went"),
    Topic("acknowledgement", Speaker.CONSOLE, Kind.RECORD, False, None, "a person has seen an alarm"),
    Topic("answer", Speaker.LANE, Kind.RECORD, False, None, "what became of an order that came by the bus"),
    Topic("anchor", Speaker.LANE, Kind.RECORD, False, None, "how far the lane's book is, signed, for others to keep"),
    Topic("scanner", Speaker.SCANNER, Kind.SAMPLE, True, 1.0, "what a scanner is doing, and what forbids a beam"),
    Topic("scan", Speaker.SCANNER, Kind.RECORD, False, None, "a scan is in the archive, by its digest"),
    Topic("order", Speaker.CONSOLE, Kind.ORDER, False, None, "a signed order for a lane"),
    Topic("verdict", Speaker.CONSOLE, Kind.ORDER, False, None, "an inspector's signed word on a scan, for a lane"),
    Topic("correction", Speaker.CONSOLE, Kind.ORDER, False, None, "a person's signed word on what a lane has misread"),
    Topic("review", Speaker.CONSOLE, Kind.RECORD, False, None, "an image review has ended, with the word that holds"),
    Topic("birth", Speaker.EVERY_NODE, Kind.STATE, False, None, "what this node has, with units and limits"),
    Topic("state", Speaker.EVERY_NODE, Kind.STATE, False, None, "online or offline; offline is the last will"),
    Topic(
        "stored", Speaker.RECORDER, Kind.STATE, False, None, "up to which sequence number the node's records are stored"
    ),
)

BY_WORD: dict[str, Topic] = {t.word: t for t in TOPICS}


def topic(site: str, node: str, word: str, instrument: str | None = None) -> str:
    """The name on the wire. Raises KeyError for a word that is not in the table, ValueError for a wrong shape."""
    row = BY_WORD[word]
    if row.instrument != (instrument is not None):
        raise ValueError(f"{word} {'needs' if row.instrument else 'takes no'} instrument")
    parts = [ROOT, site, node, *([instrument] if instrument else []), word]
    if any(not p or set(p) & set("+# .$") for p in parts[1:]):
        raise ValueError(f"a level of {'/'.join(parts)} is empty or holds one of '+# .$'")
    return "/".join(parts)


@dataclass(frozen=True, slots=True)
class Address:
    """A topic taken apart."""

    site: str
    node: str
    instrument: str | None
    word: str


def parse(name: str) -> Address | None:
    """The parts of a topic of ours; None for any other."""
    levels = name.split("/")
    if levels[:2] != ROOT.split("/") or len(levels) not in (5, 6):
        return None
    row = BY_WORD.get(levels[-1])
    if row is None or row.instrument != (len(levels) == 6):
        return None
    return Address(levels[2], levels[3], levels[4] if len(levels) == 6 else None, levels[-1])
